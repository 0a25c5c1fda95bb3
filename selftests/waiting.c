// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that sleep for completions, and cards that sleep for doorbells: thousands of times, none of them oversleeps.
 */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "device.h"
#include "ktap.h"
#include "traffic.h"

#define WAIT_MS		20000
#define BATCHES		1000
#define STROKES		1000
#define NEVER_SPINS	(-1)

static struct pnic_ctx *open_nic(unsigned int nic)
{
	struct pnic_ctx *ctx;
	char name[128];

	REQUIRE_EQ(pnic_open(dev_name(nic, name, sizeof(name)), NULL, &ctx), 0);
	return ctx;
}

/* With completions for both rings, as for pnic_wait() of a caller who spins for @spin_us first. */
static struct pnic_ep *open_ep(struct pnic_ctx *ctx, int32_t spin_us, struct pnic_cq **cq)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = 256, .spin_us = spin_us };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 64, .rq_entries = 64, .rnr_timeout_us = 1000000 };
	struct pnic_ep *ep;

	REQUIRE_EQ(pnic_cq_create(ctx, &ca, cq), 0);
	ea.send_cq = *cq;
	REQUIRE_EQ(pnic_ep_create(ctx, &ea, &ep), 0);
	return ep;
}

/* Batches of every small size; now and then the caller is away for so long that the card falls asleep. */
static void batches(int32_t spin_us)
{
	const struct timespec away = { 0, 1000000 };
	unsigned int i, n, pending, seed = 1;
	struct pnic_ctx *ctx = open_nic(0);
	struct pnic_wc wc[8];
	struct pnic_cq *cq;
	struct pnic_ep *ep;
	int got, k;

	ep = open_ep(ctx, spin_us, &cq);
	for (i = 0; i < BATCHES; i++) {
		pending = rand_r(&seed) % 5 + 1;
		for (n = 0; n < pending; n++)
			REQUIRE_EQ(pnic_post_flush(ep, i, PNIC_SQF_SIGNALED), 0);
		pnic_ring(ep);
		if (rand_r(&seed) % 16 == 0)
			nanosleep(&away, NULL);
		while (pending) {
			REQUIRE_EQ(pnic_wait(cq, WAIT_MS), 0);
			got = pnic_poll(cq, wc, rand_r(&seed) % 8 + 1);
			REQUIRE_GE(got, 1);
			for (k = 0; k < got; k++) {
				CHECK_EQ(wc[k].status, PNIC_ST_OK);
				CHECK_EQ(wc[k].cookie, i);
			}
			pending -= got;
		}
	}
	pnic_close(ctx);
}

KTAP_TEST(one_thread)
{
	need_cards(1);
	SUBTEST("sleeping at once")
		batches(NEVER_SPINS);
	SUBTEST("spinning first")
		batches(5);
}

/* One end of a game: a context, a queue and an endpoint of its own, asleep between its strokes. */
struct player {
	struct pnic_ctx *ctx;
	struct pnic_cq *cq;
	struct pnic_ep *ep;
	struct pnic_addr other;
	unsigned int got;
	bool serves;
	int err;
};

static int stroke(struct player *p, uint64_t number)
{
	int err = pnic_post_send_imm(p->ep, p->other, NULL, 0, 0, number, 0, PNIC_SQF_SIGNALED);

	pnic_ring(p->ep);
	return err;
}

/* The server's strokes are 0, 1, 2, ...; each is answered with its own number. */
static int returned(struct player *p, const struct pnic_wc *wc)
{
	int err;

	if (wc->status)
		return wc->status;
	if (wc->opcode != PNIC_OP_RECV_IMM)
		return 0;
	if (wc->data != p->got)
		return -EILSEQ;
	p->got++;
	err = pnic_post_recv(p->ep, NULL, 0, 0, 0);
	pnic_ring_recv(p->ep);
	if (err || (p->serves && p->got == STROKES))
		return err;
	return stroke(p, p->serves ? p->got : wc->data);
}

static void *play(void *arg)
{
	struct player *p = arg;
	struct pnic_wc wc[4];
	int n, i;

	if (p->serves)
		p->err = stroke(p, 0);
	while (!p->err && p->got < STROKES) {
		p->err = pnic_wait(p->cq, WAIT_MS);
		n = p->err ? 0 : pnic_poll(p->cq, wc, 4);
		for (i = 0; i < n && !p->err; i++)
			p->err = returned(p, &wc[i]);
	}
	return NULL;
}

static void player_open(struct player *p, unsigned int nic)
{
	unsigned int i;

	p->ctx = open_nic(nic);
	p->ep = open_ep(p->ctx, NEVER_SPINS, &p->cq);
	for (i = 0; i < 16; i++)
		REQUIRE_EQ(pnic_post_recv(p->ep, NULL, 0, 0, 0), 0);
	pnic_ring_recv(p->ep);
}

KTAP_TEST(two_threads)
{
	struct player p[2] = { { .serves = true } };
	pthread_t thread[2];
	unsigned int i;

	need_cards(2);
	for (i = 0; i < 2; i++)
		player_open(&p[i], i);
	for (i = 0; i < 2; i++)
		REQUIRE_EQ(pnic_ep_addr(p[!i].ep, &p[i].other), 0);
	for (i = 0; i < 2; i++)
		REQUIRE_EQ(pthread_create(&thread[i], NULL, play, &p[i]), 0);
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < 2; i++) {
		CHECK_EQ(p[i].err, 0);
		CHECK_EQ(p[i].got, STROKES);
		pnic_close(p[i].ctx);
	}
}

KTAP_MAIN()
