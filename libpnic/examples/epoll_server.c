// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A server that sleeps in epoll: it answers each message with the same bytes in capitals. Its clients are
 * threads of this process, which wait with pnic_wait().
 *
 *	epoll_server [DEVICE [DEVICE]]
 */
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <pnic.h>

#define CLIENTS		4
#define MESSAGES	25
#define BUFFERS		64
#define LENGTH		64

struct side {
	struct pnic_ctx *ctx;
	struct pnic_cq *cq;
	struct pnic_ep *ep;
	struct pnic_mr *mr;
	char buf[BUFFERS][LENGTH];
};

static const char *client_device;
static struct pnic_addr server;

static void check(const char *what, int err)
{
	if (!err)
		return;
	fprintf(stderr, "epoll_server: %s: %s (%s)\n", what, pnic_strerror(err), pnic_last_error());
	exit(1);
}

static void post_recv(struct side *s, unsigned int i)
{
	check("receive", pnic_post_recv(s->ep, s->buf[i], LENGTH, s->mr->key, i));
	pnic_ring_recv(s->ep);
}

static struct side *side_open(const char *name)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = pnic_cq_entries(256, BUFFERS, 1) };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 256, .rq_entries = BUFFERS,
		.rnr_timeout_us = 1000000 };
	struct side *s = calloc(1, sizeof(*s));
	unsigned int i;

	check("memory", s ? 0 : -ENOMEM);
	check("open", pnic_open(name, NULL, &s->ctx));
	check("register", pnic_mr_reg(s->ctx, s->buf, sizeof(s->buf), PNIC_MRF_LOCAL_WRITE, &s->mr));
	check("completion queue", pnic_cq_create(s->ctx, &ca, &s->cq));
	ea.send_cq = s->cq;
	check("endpoint", pnic_ep_create(s->ctx, &ea, &s->ep));
	for (i = 0; i < BUFFERS; i++)
		post_recv(s, i);
	return s;
}

static void *client(void *arg)
{
	struct side *s = side_open(client_device);
	char text[LENGTH];
	struct pnic_wc wc;
	unsigned int i;

	for (i = 0; i < MESSAGES; i++) {
		snprintf(text, sizeof(text), "client %s, message %u", (const char *)arg, i);
		check("send", pnic_post_send(s->ep, server, text, LENGTH, 0, i, PNIC_SQF_INLINE));
		pnic_ring(s->ep);
		check("wait", pnic_wait(s->cq, 10000));
		if (pnic_poll(s->cq, &wc, 1) != 1 || wc.status || strncmp(s->buf[wc.cookie], "CLIENT", 6)) {
			fprintf(stderr, "epoll_server: no answer: %s\n", pnic_status_str(wc.status));
			exit(1);
		}
		post_recv(s, (unsigned int)wc.cookie);
	}
	pnic_close(s->ctx);
	free(s);
	return NULL;
}

/* Answers what has come; how many messages that were. */
static unsigned int serve(struct side *s)
{
	unsigned int served = 0, i, k;
	struct pnic_wc wc[16];
	int n;

	while ((n = pnic_poll(s->cq, wc, 16)) > 0) {
		for (i = 0; i < (unsigned int)n; i++) {
			char *text = s->buf[wc[i].cookie];

			if (wc[i].status) {
				fprintf(stderr, "epoll_server: %s: %s\n", pnic_opcode_str(wc[i].opcode),
					pnic_status_str(wc[i].status));
				exit(1);
			}
			if (wc[i].opcode != PNIC_OP_RECV)
				continue;
			for (k = 0; k < LENGTH; k++)
				text[k] = (char)toupper((unsigned char)text[k]);
			check("answer", pnic_post_send(s->ep, pnic_wc_peer(&wc[i]), text, LENGTH, 0, 0,
						       PNIC_SQF_INLINE | PNIC_SQF_SIGNALED));
			post_recv(s, (unsigned int)wc[i].cookie);
			served++;
		}
		pnic_ring(s->ep);
	}
	return served;
}

int main(int argc, char **argv)
{
	static const char *const names[CLIENTS] = { "anna", "bert", "carl", "dora" };
	struct epoll_event ev = { .events = EPOLLIN };
	pthread_t id[CLIENTS];
	unsigned int i, served = 0;
	struct side *s;
	uint64_t count;
	int ep;

	client_device = argc > 2 ? argv[2] : argc > 1 ? argv[1] : NULL;
	s = side_open(argc > 1 ? argv[1] : NULL);
	server = s->ep->addr;
	ep = epoll_create1(0);
	check("epoll", ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, pnic_cq_fd(s->cq), &ev) ? -errno : 0);
	for (i = 0; i < CLIENTS; i++)
		check("thread", -pthread_create(&id[i], NULL, client, (void *)(uintptr_t)names[i]));
	while (served < CLIENTS * MESSAGES) {
		served += serve(s);
		/* 1: something came while it was armed. */
		if (served == CLIENTS * MESSAGES || pnic_arm(s->cq))
			continue;
		if (epoll_wait(ep, &ev, 1, 10000) != 1 || read(pnic_cq_fd(s->cq), &count, sizeof(count)) < 0) {
			fprintf(stderr, "epoll_server: nothing comes any more\n");
			return 1;
		}
	}
	for (i = 0; i < CLIENTS; i++)
		pthread_join(id[i], NULL);
	printf("NIC %u: %u messages of %u clients answered\n", s->ctx->nic, served, CLIENTS);
	close(ep);
	pnic_close(s->ctx);
	free(s);
	return 0;
}
