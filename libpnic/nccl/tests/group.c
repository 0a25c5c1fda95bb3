// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "door.h"
#include "group.h"

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

#define GROUP	4
#define CONTEXTS 3
#define BLOCK	65536
#define SIGNALS	101		/* what a round adds to a word */

struct member {
	const struct nccl_rma_v14 *v14;		/* one of the two */
	const struct nccl_rma_v15 *v15;
	const struct group_run *run;
	int rank;
	pthread_t thread;
	void *ctx, *lc, *coll, *rma, *mh, *sigmh;
	uint8_t *mem;				/* a block from each rank, and one of our own */
	uint64_t *sig;				/* a word for each rank */
	unsigned int failures;
	unsigned long transfers;		/* that ended well */
	char why[256];
};

static char group_handle[GROUP][NCCL_HANDLE_SIZE] __attribute__((aligned(8)));
static pthread_barrier_t group_barrier;
static unsigned int group_seen;			/* by rank 1, of rank 0's signals */

#define ORDER_TURNS	200
#define ORDER_GAVE_UP	UINT32_MAX
#define ABORTED		3000		/* more than an endpoint takes at once */

static bool group_gave_up(void)
{
	return __atomic_load_n(&group_seen, __ATOMIC_ACQUIRE) == ORDER_GAVE_UP;
}

#define SURE(m, cond)								\
	do {									\
		if (!(cond) && !(m)->failures++)				\
			snprintf((m)->why, sizeof((m)->why), "line %d: %s", __LINE__, #cond);	\
	} while (0)

static nccl_result rma_wait(struct member *m, void *req)
{
	double end = seconds() + 30;
	int done = 0;
	nccl_result res;

	if (!req)
		return -1;
	do {
		res = m->v15 ? m->v15->test(m->coll, req, &done) : m->v14->test(m->coll, req, &done);
		if (!done)
			sched_yield();
	} while (!res && !done && seconds() < end);
	m->transfers += !res && done;
	return res ? res : done ? 0 : -1;
}

static nccl_result put(struct member *m, int c, uint64_t src, size_t size, uint64_t dst, int rank, bool more,
		       void **req)
{
	return m->v15 ? m->v15->iput(m->rma, c, src, m->mh, size, dst, m->mh, (uint32_t)rank, more, req) :
			m->v14->iput(m->rma, c, src, m->mh, size, dst, m->mh, (uint32_t)rank, req);
}

static nccl_result put_signal(struct member *m, int c, uint64_t src, size_t size, uint64_t dst, int rank,
			      uint64_t value, uint32_t op, bool strong, void **req)
{
	return m->v15 ? m->v15->iput_signal(m->rma, c, src, m->mh, size, dst, m->mh, (uint32_t)rank,
					    (uint64_t)m->rank * 8, m->sigmh, value, op, strong, 0, req) :
			m->v14->iput_signal(m->rma, c, src, m->mh, size, dst, m->mh, (uint32_t)rank,
					    (uint64_t)m->rank * 8, m->sigmh, value, op, strong, req);
}

static nccl_result get(struct member *m, int c, uint64_t remote, size_t size, uint64_t local, int rank, void **req)
{
	return m->v15 ? m->v15->iget(m->rma, c, remote, m->mh, size, local, m->mh, (uint32_t)rank, 0, req) :
			m->v14->iget(m->rma, c, remote, m->mh, size, local, m->mh, (uint32_t)rank, req);
}

/* Until the word that @rank signals is @value. */
static bool signalled(struct member *m, int rank, uint64_t value)
{
	double end = seconds() + 30;

	while (__atomic_load_n(&m->sig[rank], __ATOMIC_ACQUIRE) != value) {
		if (seconds() > end)
			return false;
		if (m->v15)
			m->v15->progress(m->rma);
		else
			m->v14->progress(m->rma);
		sched_yield();
	}
	return true;
}

static bool is_all(const uint8_t *p, uint8_t v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i] != v)
			return false;
	return true;
}

/* @base: what the signals are already. */
static void group_transfers(struct member *m, uint64_t base)
{
	uint64_t own = (uint64_t)GROUP * BLOCK, mine = (uint64_t)m->rank * BLOCK;
	void *req, *many[600];
	bool bad = true;
	int i, r, c;

	/* Weak: who sees the signal sees the block. */
	memset(m->mem + own, 0x40 + m->rank, BLOCK);
	for (r = 0; r < GROUP; r++)
		SURE(m, !put_signal(m, r % CONTEXTS, own, BLOCK, mine, r, 0, NCCL_SIGNAL_INC, false, &req) &&
		     !rma_wait(m, req));
	for (r = 0; r < GROUP; r++)
		SURE(m, signalled(m, r, base + 1) && is_all(m->mem + r * BLOCK, (uint8_t)(0x40 + r), BLOCK));
	pthread_barrier_wait(&group_barrier);

	/* Strong: after the signal all puts that came before it are seen; aggregated ones too. */
	memset(m->mem + own, 0x50 + m->rank, BLOCK);
	for (r = 0; r < GROUP; r++) {
		for (i = 0; i < 64; i++)
			SURE(m, !put(m, 1, own + (uint64_t)i * 1024, 1024, mine + (uint64_t)i * 1024, r, i % 8 != 7,
				     &many[i]) && many[i]);
		SURE(m, !put_signal(m, 1, 0, 0, 0, r, SIGNALS - 1, NCCL_SIGNAL_ADD, true, &req));
		for (i = 0; i < 64; i++)
			SURE(m, !rma_wait(m, many[i]));
		SURE(m, !rma_wait(m, req));
	}
	for (r = 0; r < GROUP; r++)
		SURE(m, signalled(m, r, base + SIGNALS) && is_all(m->mem + r * BLOCK, (uint8_t)(0x50 + r), BLOCK));
	pthread_barrier_wait(&group_barrier);

	/* Gets, from each of the others; what they hold is their own block. */
	for (r = 0; r < GROUP; r++) {
		SURE(m, !get(m, r % CONTEXTS, own, BLOCK, (uint64_t)r * BLOCK, r, &req) && !rma_wait(m, req));
		SURE(m, is_all(m->mem + r * BLOCK, (uint8_t)(0x50 + r), BLOCK));
	}
	pthread_barrier_wait(&group_barrier);

	/* More than the rings hold, then a flush; each ends. */
	for (c = 0; c < CONTEXTS; c++) {
		for (i = 0; i < 600; i++)
			SURE(m, !put(m, c, own, 64, mine + (uint64_t)(i % 1000) * 64, (m->rank + 1) % GROUP, false,
				     &many[i]) && many[i]);
		SURE(m, !(m->v15 ? m->v15->iflush(m->rma, c, m->mh, (uint32_t)(m->rank + 1) % GROUP, &req) :
				   m->v14->iflush(m->rma, c, m->mh, (uint32_t)(m->rank + 1) % GROUP, &req)));
		SURE(m, !rma_wait(m, req));
		for (i = 0; i < 600; i++)
			SURE(m, !rma_wait(m, many[i]));
	}
	/* What must be refused. */
	SURE(m, put(m, 0, own, BLOCK + 1, 0, 0, false, &req));
	SURE(m, put(m, 0, own, 8, (uint64_t)(GROUP + 1) * BLOCK - 4, 0, false, &req));
	SURE(m, put(m, CONTEXTS, own, 8, 0, 0, false, &req));
	SURE(m, put(m, 0, own, 8, 0, GROUP, false, &req));
	SURE(m, put_signal(m, 0, own, 8, 0, 0, 1, 3, false, &req));
	SURE(m, !put(m, 0, own, 0, 0, 0, false, &req) && !rma_wait(m, req));
	SURE(m, !(m->v15 ? m->v15->query_last_error(m->rma, &bad) : m->v14->query_last_error(m->rma, &bad)) && !bad);
}

#define RMA(m, call, ...)	((m)->v15 ? (m)->v15->call(__VA_ARGS__) : (m)->v14->call(__VA_ARGS__))

/*
 * What a signal promises, seen by somebody who looks at his memory meanwhile: rank 0 puts to rank 1, who has a first look at all
 * bytes when he sees the signal. Weak: the block that came with it. Strong: also what was put before. @base: what the signal is.
 */
static void group_order(struct member *m, uint64_t base)
{
	uint64_t own = (uint64_t)GROUP * BLOCK;
	double end = seconds() + 120;
	void *many[GROUP], *req;
	unsigned int turn;
	size_t puts, i;
	bool strong;

	for (turn = 1; turn <= ORDER_TURNS && !m->failures; turn++) {
		strong = turn & 1;
		/* Few and many, so that the rails have unlike loads when the signal comes. */
		puts = strong ? 1 + turn / 2 % GROUP : 0;
		if (m->rank == 1) {
			while (__atomic_load_n(&m->sig[0], __ATOMIC_ACQUIRE) != base + turn && !group_gave_up() &&
			       seconds() < end)
				sched_yield();
			SURE(m, m->sig[0] == base + turn);
			SURE(m, is_all(m->mem, (uint8_t)turn, (strong ? puts : 1) * BLOCK));
			__atomic_store_n(&group_seen, turn, __ATOMIC_RELEASE);
			continue;
		}
		memset(m->mem + own, (int)turn, BLOCK);
		for (i = 0; i < puts; i++)
			SURE(m, !put(m, 1, own, BLOCK, i * BLOCK, 1, false, &many[i]) && many[i]);
		SURE(m, !put_signal(m, 1, own, strong ? 0 : BLOCK, 0, 1, 1, NCCL_SIGNAL_ADD, strong, &req));
		for (i = 0; i < puts; i++)
			SURE(m, !rma_wait(m, many[i]));
		SURE(m, !rma_wait(m, req));
		while (__atomic_load_n(&group_seen, __ATOMIC_ACQUIRE) != turn && !group_gave_up())
			sched_yield();
	}
	if (m->failures)
		__atomic_store_n(&group_seen, ORDER_GAVE_UP, __ATOMIC_RELEASE);
}

/* An abort: memory goes while there is no room yet for most of what is to use it, and nobody looks at it any more. */
static void group_abort(struct member *m)
{
	const struct timespec naps = { .tv_nsec = 100000000 };
	void *req;
	int i;

	for (i = 0; i < ABORTED; i++)
		SURE(m, !put_signal(m, 0, (uint64_t)GROUP * BLOCK, BLOCK, 0, 1, 1, NCCL_SIGNAL_ADD, false, &req));
	SURE(m, !RMA(m, dereg_mr_sym, m->coll, m->mh));
	m->mh = NULL;
	nanosleep(&naps, NULL);
	SURE(m, put_signal(m, 0, 0, 0, 0, 1, 1, NCCL_SIGNAL_ADD, false, &req));
}

static void *one_rank(void *arg)
{
	struct nccl_rma_config conf = { CONTEXTS, -1, 1 };
	size_t size = (size_t)(GROUP + 1) * BLOCK;
	struct member *m = arg;
	void *handles[GROUP];
	int i, round;

	SURE(m, !RMA(m, init, &m->ctx, 77, door_log));
	SURE(m, !RMA(m, listen, m->ctx, m->run->dev[m->rank % m->run->devs], group_handle[m->rank], &m->lc));
	pthread_barrier_wait(&group_barrier);
	for (i = 0; i < GROUP; i++)
		handles[i] = group_handle[i];
	SURE(m, !RMA(m, connect, m->ctx, handles, GROUP, m->rank, m->lc, &m->coll));
	SURE(m, !RMA(m, close_listen, m->lc));
	SURE(m, !RMA(m, create_context, m->coll, &conf, &m->rma));
	m->mem = aligned_alloc(4096, size);
	m->sig = aligned_alloc(4096, 4096);
	memset(m->mem, 0, size);
	memset(m->sig, 0, 4096);
	SURE(m, !RMA(m, reg_mr_sym, m->coll, m->mem, size, NCCL_PTR_HOST, 0, &m->mh));
	SURE(m, !RMA(m, reg_mr_sym, m->coll, m->sig, GROUP * 8, NCCL_PTR_HOST, NCCL_MR_FORCE_SO, &m->sigmh));
	pthread_barrier_wait(&group_barrier);
	if (m->rma && m->mh && m->sigmh)
		for (round = 0; round < m->run->rounds; round++)
			group_transfers(m, (uint64_t)round * SIGNALS);
	pthread_barrier_wait(&group_barrier);
	if (m->rma && m->mh && m->sigmh && m->rank < 2)
		group_order(m, (uint64_t)m->run->rounds * SIGNALS);
	pthread_barrier_wait(&group_barrier);
	if (m->rma && m->mh && m->sigmh && !m->rank)
		group_abort(m);
	pthread_barrier_wait(&group_barrier);
	SURE(m, !RMA(m, destroy_context, m->rma));
	SURE(m, !RMA(m, dereg_mr_sym, m->coll, m->mh));
	SURE(m, !RMA(m, dereg_mr_sym, m->coll, m->sigmh));
	SURE(m, !RMA(m, close_coll, m->coll));
	SURE(m, !RMA(m, finalize, m->ctx));
	free(m->mem);
	free(m->sig);
	return NULL;
}

bool group_run(struct group_run *run)
{
	const void *table = door_symbol(run->version == 14 ? "ncclRmaPlugin_v14" : "ncclRmaPlugin_v15");
	struct member m[GROUP] = { 0 };
	int j;

	run->failures = 0;
	run->transfers = 0;
	group_seen = 0;
	if (!table)
		return false;
	pthread_barrier_init(&group_barrier, NULL, GROUP);
	for (j = 0; j < GROUP; j++) {
		m[j].v14 = run->version == 14 ? table : NULL;
		m[j].v15 = run->version == 14 ? NULL : table;
		m[j].run = run;
		m[j].rank = j;
		pthread_create(&m[j].thread, NULL, one_rank, &m[j]);
	}
	for (j = 0; j < GROUP; j++) {
		pthread_join(m[j].thread, NULL);
		if (m[j].failures && !run->failures)
			snprintf(run->why, sizeof(run->why), "rank %d, %s", j, m[j].why);
		run->failures += m[j].failures;
		run->transfers += m[j].transfers;
	}
	pthread_barrier_destroy(&group_barrier);
	return !run->failures;
}
