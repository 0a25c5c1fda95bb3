// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * All-reduce of a vector over ranks that are threads, in a ring: in each step a rank puts a block into its
 * neighbour's memory, and the count of blocks behind it; whoever sees the count has the block.
 *
 *	all_reduce [PREFIX [RANKS]]	rank n is on the card PREFIX with n behind it: "pnic", "embedded:nics=4,nic="
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include <pnic.h>
#include <pnic_embedded.h>

#define MAX_RANKS	8u
#define BLOCK		4096u		/* numbers in a block */

struct memory {
	int64_t sum[MAX_RANKS * BLOCK];
	int64_t in[2 * MAX_RANKS][BLOCK];	/* a place for each step, so that no rank has to wait for the next */
	uint64_t count;				/* steps that have come */
};

struct rank {
	unsigned int me;
	struct pnic_ctx *ctx;
	struct pnic_cq *cq;
	struct pnic_ep *ep;
	struct pnic_mr *mr;
	struct memory *mem;
};

static struct rank rank[MAX_RANKS];
static unsigned int ranks = 2;

static void check(const char *what, int err)
{
	if (!err)
		return;
	fprintf(stderr, "all_reduce: %s: %s (%s)\n", what, pnic_strerror(err), pnic_last_error());
	exit(1);
}

static void rank_open(struct rank *r, const char *prefix)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = pnic_cq_entries(64, 0, 1) };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 64 };
	char name[64];

	snprintf(name, sizeof(name), "%s%u", prefix, r->me);
	check(name, pnic_open(name, NULL, &r->ctx));
	r->mem = calloc(1, sizeof(*r->mem));
	check("memory", r->mem ? 0 : -ENOMEM);
	check("register", pnic_mr_reg(r->ctx, r->mem, sizeof(*r->mem), PNIC_MRF_REMOTE_WRITE, &r->mr));
	check("completion queue", pnic_cq_create(r->ctx, &ca, &r->cq));
	ea.send_cq = r->cq;
	check("endpoint", pnic_ep_create(r->ctx, &ea, &r->ep));
}

/* Block @b of the sums to the next rank, as its step @step; and the block of that step from the one before. */
static const int64_t *pass_on(struct rank *r, unsigned int b, uint64_t step)
{
	struct rank *next = &rank[(r->me + 1) % ranks];
	struct memory *far = next->mem;
	uint64_t count = step + 1;
	struct pnic_wc wc;

	check("put", pnic_post_write(r->ep, next->ep->addr, &r->mem->sum[b * BLOCK], BLOCK * 8, r->mr->key,
				     (uintptr_t)far->in[step], next->mr->key, step, 0));
	check("count", pnic_post_write(r->ep, next->ep->addr, &count, 8, 0, (uintptr_t)&far->count, next->mr->key,
				       step, PNIC_SQF_INLINE | PNIC_SQF_SIGNALED));
	pnic_ring(r->ep);
	while (!pnic_poll(r->cq, &wc, 1))
		sched_yield();
	if (wc.status) {
		fprintf(stderr, "all_reduce: %s\n", pnic_status_str(wc.status));
		exit(1);
	}
	while (__atomic_load_n(&r->mem->count, __ATOMIC_ACQUIRE) < count) {
		pnic_embedded_drive(r->ctx);
		sched_yield();
	}
	return r->mem->in[step];
}

static void *run(void *arg)
{
	struct rank *r = arg;
	const int64_t *in;
	unsigned int s, b, i;

	/* Each block is summed on its way round, ... */
	for (s = 0; s < ranks - 1; s++) {
		in = pass_on(r, (r->me + ranks - s) % ranks, s);
		b = (r->me + 2 * ranks - s - 1) % ranks;
		for (i = 0; i < BLOCK; i++)
			r->mem->sum[b * BLOCK + i] += in[i];
	}
	/* ... and then handed to everybody. */
	for (s = 0; s < ranks - 1; s++) {
		in = pass_on(r, (r->me + ranks - s + 1) % ranks, ranks - 1 + s);
		b = (r->me + 2 * ranks - s) % ranks;
		memcpy(&r->mem->sum[b * BLOCK], in, BLOCK * 8);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const char *prefix = argc > 1 ? argv[1] : "pnic";
	pthread_t id[MAX_RANKS];
	unsigned int i, k, wrong = 0;

	if (argc > 2)
		ranks = (unsigned int)atoi(argv[2]);
	if (ranks < 2 || ranks > MAX_RANKS) {
		fprintf(stderr, "all_reduce: 2 to %u ranks\n", MAX_RANKS);
		return 1;
	}
	for (i = 0; i < ranks; i++) {
		rank[i].me = i;
		rank_open(&rank[i], prefix);
		for (k = 0; k < ranks * BLOCK; k++)
			rank[i].mem->sum[k] = (int64_t)k * (i + 1);
	}
	for (i = 0; i < ranks; i++)
		check("thread", -pthread_create(&id[i], NULL, run, &rank[i]));
	for (i = 0; i < ranks; i++)
		pthread_join(id[i], NULL);
	for (i = 0; i < ranks; i++)
		for (k = 0; k < ranks * BLOCK; k++)
			wrong += rank[i].mem->sum[k] != (int64_t)k * ranks * (ranks + 1) / 2;
	printf("%u ranks, %u numbers each, %u wrong\n", ranks, ranks * BLOCK, wrong);
	for (i = 0; i < ranks; i++) {
		pnic_close(rank[i].ctx);
		free(rank[i].mem);
	}
	return wrong != 0;
}
