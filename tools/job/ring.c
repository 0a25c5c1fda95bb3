// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a ring all-reduce: memory, queues, neighbours, the loop, the end.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "ring_priv.h"

#define HUGE_PAGE	(2UL << 20)
#define WAIT_MS		250
#define RNR_US		60000000

static size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

/* The same layout on every rank: the buckets of the window, then the staging slots. */
static void ring_memory(struct ring *r)
{
	size_t bucket = round_up(r->c.plan->largest * 4, 4096);
	unsigned int i;
	char *p;

	r->staging_off = bucket * RING_WINDOW;
	r->mem_length = round_up(r->staging_off + (size_t)RING_STAGING * r->c.chunk * 4, 4096);
	p = mmap(NULL, r->mem_length + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		ring_fail(r, -ENOMEM, "no %zu bytes of memory for the buckets", r->mem_length);
		return;
	}
	/* Aligned, so that the kernel can give huge pages; what is cut off stays untouched and costs nothing. */
	r->mem = (void *)round_up((uintptr_t)p, HUGE_PAGE);
	madvise(r->mem, r->mem_length, MADV_HUGEPAGE);
	for (i = 0; i < RING_WINDOW; i++)
		r->item[i].mem = (uint32_t *)((char *)r->mem + bucket * i);
}

static void ring_objects(struct ring *r)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = pnic_cq_entries(RING_SQ_SLOTS, RING_RQ_ENTRIES, 1) };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = RING_SQ_SLOTS, .rq_entries = RING_RQ_ENTRIES,
				   .rnr_timeout_us = RNR_US };
	unsigned int i;
	int err;

	err = pnic_mr_reg(r->c.ctx, r->mem, r->mem_length, PNIC_MRF_LOCAL_WRITE | PNIC_MRF_REMOTE_WRITE, &r->mr);
	if (!err)
		err = pnic_cq_create(r->c.ctx, &ca, &r->cq);
	ea.send_cq = r->cq;
	if (!err)
		err = pnic_ep_create(r->c.ctx, &ea, &r->ep);
	if (err) {
		ring_fail(r, err, "%s", pnic_last_error());
		return;
	}
	for (i = 0; i < RING_RQ_ENTRIES; i++)
		pnic_post_recv(r->ep, NULL, 0, 0, 0);
	pnic_ring_recv(r->ep);
}

static void ring_queues(struct ring *r)
{
	uint64_t per = (r->c.plan->largest + r->c.chunk - 1) / r->c.chunk + r->c.ranks;
	uint64_t most = per * RING_WINDOW;

	if (per >= 1 << 20) {
		ring_fail(r, -EINVAL, "buckets of more than 2^20 chunks");
		return;
	}
	if (!fifo_init(&r->reduce, most) || !fifo_init(&r->gather, most) ||
	    !fifo_init(&r->staged, RING_STAGING))
		ring_fail(r, -ENOMEM, "out of memory");
}

/* Everything that must be equal on all ranks, in one number. */
static uint64_t job_number(const struct ring *r)
{
	const uint64_t what[] = { r->c.ranks, r->c.steps, r->c.chunk, r->c.plan->elements, r->c.plan->n,
				  r->c.plan->largest, r->c.data->seed, r->c.data->bytes };
	uint64_t h = 0xcbf29ce484222325ULL;
	size_t i;

	for (i = 0; i < sizeof(what) / sizeof(what[0]); i++)
		h = (h ^ what[i]) * 0x100000001b3ULL ^ h >> 29;
	return h;
}

static void ring_neighbour(struct ring *r, unsigned int of, struct card_of_rank *c)
{
	int err = rendezvous_ask(r->c.dir, of, c, r->c.start_ms);

	if (err == -ETIMEDOUT)
		ring_fail(r, err, "rank %u did not appear in %s within %d s", of, r->c.dir, r->c.start_ms / 1000);
	else if (err == -ECANCELED)
		ring_fail(r, err, "another rank has failed");
	else if (err)
		ring_fail(r, err, "%s/rank%u: %s", r->c.dir, of, strerror(-err));
	else if (c->job != job_number(r))
		ring_fail(r, -EINVAL, "rank %u runs another job: ranks, steps, seed, input and sizes must be the same", of);
}

static void ring_meet(struct ring *r)
{
	struct card_of_rank own = { r->ep->addr, (uintptr_t)r->mem, r->mr->key, job_number(r) };
	int err = rendezvous_tell(r->c.dir, r->c.rank, &own);

	if (err) {
		ring_fail(r, err, "%s: %s", r->c.dir, strerror(-err));
		return;
	}
	ring_neighbour(r, (r->c.rank + r->c.ranks - 1) % r->c.ranks, &r->left);
	if (!r->err)
		ring_neighbour(r, (r->c.rank + 1) % r->c.ranks, &r->right);
}

/* Brings the next buckets into memory, as far as there is room. */
static void ring_start_items(struct ring *r)
{
	unsigned int k;
	struct item *it;

	while (r->started < r->items && !r->item[r->started % RING_WINDOW].active) {
		it = &r->item[r->started % RING_WINDOW];
		it->active = true;
		it->number = r->started++;
		it->bucket = &r->c.plan->bucket[it->number % r->c.plan->n];
		it->filled = 0;
		it->checked = 0;
		it->fed = 0;
		it->arrivals = 0;
		it->departures = 0;
		/* What arrives at a step is what is sent at the next; both phases together each chunk 2 (ranks - 1) times. */
		for (k = 0; k + 1 < r->c.ranks; k++) {
			it->departures += ring_chunks(r, RING_REDUCE, k, it->bucket->elements);
			it->departures += ring_chunks(r, RING_GATHER, k, it->bucket->elements);
			it->arrivals += ring_chunks(r, RING_REDUCE, k + 1, it->bucket->elements);
			it->arrivals += ring_chunks(r, RING_GATHER, k + 1, it->bucket->elements);
		}
	}
}

static void ring_watch_link(struct ring *r)
{
	uint32_t changes = pnic_status_changes(r->c.ctx);
	struct pnic_status_page page;

	if ((changes == r->status_seen && r->c.report->mbps) || pnic_link_status(r->c.ctx, &page))
		return;
	r->status_seen = changes;
	report_rate(r->c.report, page.rate_mbps, page.width);
}

/* Nothing to compute, nothing to post: sleep, and look whether the job still makes sense. */
static void ring_idle(struct ring *r)
{
	int err = pnic_wait(r->cq, WAIT_MS);

	if (!err)
		return;
	if (err != -ETIMEDOUT) {
		ring_fail(r, err, "%s", pnic_last_error());
	} else if (rendezvous_failed(r->c.dir)) {
		ring_fail(r, -ECANCELED, "another rank has failed");
	} else if (now_ms() - r->last_progress_ms > r->c.stall_ms) {
		r->t->lost += !r->in_flight;
		ring_fail(r, -ETIMEDOUT, "no progress for %d s: %u transfers under way, bucket %u of %u, %u chunks to come, %u to leave",
			  r->c.stall_ms / 1000, r->in_flight, r->finished, r->items,
			  r->item[r->finished % RING_WINDOW].arrivals, r->item[r->finished % RING_WINDOW].departures);
	}
}

static bool ring_over(const struct ring *r)
{
	return r->finished == r->items && r->byes_sent == 2 && r->byes_got >= 2 && !r->in_flight;
}

static void ring_loop(struct ring *r)
{
	bool busy;

	r->last_progress_ms = now_ms();
	while (!r->err && !ring_over(r)) {
		ring_start_items(r);
		busy = ring_receive(r);
		if (r->err)
			break;
		busy |= ring_send(r);
		if (ring_work(r) || busy)
			r->last_progress_ms = now_ms();
		else if (!r->err)
			ring_idle(r);
		ring_watch_link(r);
		report_progress(r->c.report, r->bytes_checked);
	}
}

int ring_run(const struct ring_config *c, struct tally *t)
{
	struct ring r = { .c = *c, .t = t, .items = c->steps * (uint32_t)c->plan->n };
	int64_t start;

	ring_memory(&r);
	if (!r.err)
		ring_objects(&r);
	if (!r.err)
		ring_queues(&r);
	if (!r.err)
		ring_meet(&r);
	start = now_ms();
	if (!r.err)
		ring_loop(&r);
	t->seconds = (double)(now_ms() - start) / 1000;
	t->steps = r.finished / (uint32_t)c->plan->n;
	if (r.err) {
		t->lost += r.in_flight;
		rendezvous_fail(c->dir);
	}
	/* The card must have let go of the memory before it goes. */
	pnic_ep_destroy(r.ep);
	pnic_cq_destroy(r.cq);
	pnic_mr_dereg(r.mr);
	if (r.mem)
		munmap(r.mem, r.mem_length);
	free(r.reduce.x);
	free(r.gather.x);
	free(r.staged.x);
	return r.err;
}
