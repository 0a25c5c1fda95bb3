// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Ping-pong: two processes send 8 bytes to and fro, and one of them says how long it takes.
 *
 *	pingpong pnic0 server /tmp/pp &
 *	pingpong pnic1 client /tmp/pp
 *
 * or, as cards in the process can't be reached from another one, two threads do:
 *
 *	pingpong embedded:nic=0 both /tmp/pp embedded:nic=1
 *
 * The addresses (8 bytes each) are exchanged through two files; any other way would do.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <pnic.h>

#define ROUNDS	1000

static void die(const char *what, int err)
{
	fprintf(stderr, "pingpong: %s: %s (%s)\n", what, pnic_strerror(err), pnic_last_error());
	exit(1);
}

/* Writes our address to FILE.OURS and waits for the other's. */
static struct pnic_addr exchange(const char *file, const char *ours, const char *theirs, struct pnic_addr addr)
{
	struct timespec nap = { 0, 10000000 };
	char path[512], tmp[520];
	FILE *f;

	snprintf(path, sizeof(path), "%s.%s", file, ours);
	snprintf(tmp, sizeof(tmp), "%s.tmp", path);
	f = fopen(tmp, "w");
	if (!f || fwrite(&addr, sizeof(addr), 1, f) != 1 || fclose(f) || rename(tmp, path)) {
		perror(path);
		exit(1);
	}
	snprintf(path, sizeof(path), "%s.%s", file, theirs);
	while (!(f = fopen(path, "r")))
		nanosleep(&nap, NULL);
	if (fread(&addr, sizeof(addr), 1, f) != 1) {
		perror(path);
		exit(1);
	}
	fclose(f);
	unlink(path);
	return addr;
}

/* Waits until one message has come; completions of our own sends only give ring space back. */
static void receive(struct pnic_cq *cq)
{
	struct pnic_wc wc;
	int err;

	do {
		err = pnic_wait(cq, 30000);
		if (err)
			die("wait", err);
		pnic_poll(cq, &wc, 1);
		if (wc.status) {
			fprintf(stderr, "pingpong: %s: %s\n", pnic_opcode_str(wc.opcode), pnic_status_str(wc.status));
			exit(1);
		}
	} while (wc.opcode != PNIC_OP_RECV);
}

struct player {
	const char *device, *role, *file;
};

static void *play(void *arg)
{
	const struct player *p = arg;
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = pnic_cq_entries(16, 16, 1) };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 16, .rq_entries = 16, .rnr_timeout_us = 1000000 };
	struct timespec t0, t1;
	struct pnic_addr other;
	struct pnic_ctx *ctx;
	struct pnic_ep *ep;
	struct pnic_mr *mr;
	uint64_t word = 0;
	int err, i, client;

	client = !strcmp(p->role, "client");
	err = pnic_open(p->device, NULL, &ctx);
	if (err)
		die("open", err);
	err = pnic_mr_reg(ctx, &word, sizeof(word), PNIC_MRF_LOCAL_WRITE, &mr);
	if (err)
		die("register", err);
	err = pnic_cq_create(ctx, &ca, &ea.send_cq);
	if (err)
		die("completion queue", err);
	err = pnic_ep_create(ctx, &ea, &ep);
	if (err)
		die("endpoint", err);
	pnic_post_recv(ep, &word, sizeof(word), mr->key, 0);
	pnic_ring_recv(ep);
	other = exchange(p->file, p->role, client ? "server" : "client", ep->addr);

	clock_gettime(CLOCK_MONOTONIC, &t0);
	for (i = 0; i < ROUNDS; i++) {
		if (client) {
			pnic_post_send(ep, other, &i, sizeof(i), 0, 1, PNIC_SQF_INLINE | PNIC_SQF_SIGNALED);
			pnic_ring(ep);
		}
		receive(ea.send_cq);
		pnic_post_recv(ep, &word, sizeof(word), mr->key, 0);
		pnic_ring_recv(ep);
		if (!client) {
			pnic_post_send(ep, other, &word, sizeof(word), 0, 1, PNIC_SQF_INLINE | PNIC_SQF_SIGNALED);
			pnic_ring(ep);
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &t1);
	if (client)
		printf("%.3f us one way\n", ((double)(t1.tv_sec - t0.tv_sec) * 1e6 +
					    (double)(t1.tv_nsec - t0.tv_nsec) / 1e3) / ROUNDS / 2);
	/* The last answer must be out before the endpoint goes. */
	while (ep->sq_head != ep->sq_tail && !pnic_wait(ea.send_cq, 1000)) {
		struct pnic_wc wc;

		pnic_poll(ea.send_cq, &wc, 1);
	}
	pnic_close(ctx);
	return NULL;
}

int main(int argc, char **argv)
{
	struct player p, other;
	pthread_t id;

	if ((argc != 4 || (strcmp(argv[2], "server") && strcmp(argv[2], "client"))) &&
	    (argc != 5 || strcmp(argv[2], "both"))) {
		fprintf(stderr, "usage: pingpong DEVICE server|client FILE, or pingpong DEVICE both FILE DEVICE\n");
		return 2;
	}
	p = (struct player) { argv[1], argc == 5 ? "client" : argv[2], argv[3] };
	if (argc == 5) {
		other = (struct player) { argv[4], "server", argv[3] };
		if (pthread_create(&id, NULL, play, &other)) {
			fprintf(stderr, "pingpong: no thread\n");
			return 1;
		}
	}
	play(&p);
	if (argc == 5)
		pthread_join(id, NULL);
	return 0;
}
