// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The tests of pnic-perf.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "perf.h"

#define SLOTS		512u
#define DEPTH		16u		/* transfers under way in bw and rails */
#define BATCH		64u		/* transfers a doorbell in rate */
#define WAIT_NS		20e9		/* a completion that takes longer does not come */
#define RIGHTS		(PNIC_MRF_LOCAL_WRITE | PNIC_MRF_REMOTE_READ | PNIC_MRF_REMOTE_WRITE | PNIC_MRF_REMOTE_ATOMIC)

double perf_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* --- ends ---- */

static int end_open(struct perf_end *e, const struct perf_options *o, unsigned int nic, size_t mem)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = pnic_cq_entries(SLOTS, 0, 1) };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = SLOTS };
	char name[160];
	int err;

	snprintf(name, sizeof(name), "%s%u", o->devices, nic);
	err = pnic_open(name, NULL, &e->ctx);
	if (err)
		return err;
	err = pnic_cq_create(e->ctx, &ca, &e->cq);
	if (err)
		return err;
	ea.send_cq = e->cq;
	err = pnic_ep_create(e->ctx, &ea, &e->ep);
	if (err)
		return err;
	e->mem = aligned_alloc(4096, (mem + 4095) & ~(size_t)4095);
	if (!e->mem)
		return -ENOMEM;
	memset(e->mem, 0, mem);
	return pnic_mr_reg(e->ctx, e->mem, mem, RIGHTS, &e->mr);
}

static void ends_close(struct perf_run *r)
{
	unsigned int i;

	for (i = 0; i < r->ends; i++) {
		pnic_close(r->end[i].ctx);
		free(r->end[i].mem);
	}
}

static int reap(struct perf_run *r, struct perf_end *e, int max, int *got)
{
	struct pnic_wc wc[64];
	int i, n = pnic_poll(e->cq, wc, max < 64 ? max : 64);

	for (i = 0; i < n; i++) {
		if (!wc[i].status)
			continue;
		r->bad_status = wc[i].status;
		return -EIO;
	}
	*got = n;
	return 0;
}

/* Until @n completions of @e have come. */
static int wait_for(struct perf_run *r, struct perf_end *e, unsigned int n)
{
	double end = 0;
	int got, err;

	while (n) {
		err = reap(r, e, (int)n, &got);
		if (err)
			return err;
		n -= (unsigned int)got;
		if (got)
			end = 0;
		else if (!(end > 0))
			end = perf_now_ns() + WAIT_NS;
		else if (perf_now_ns() > end)
			return -ETIMEDOUT;
	}
	return 0;
}

static int put(struct perf_end *from, struct perf_end *to, size_t src, size_t dst, uint64_t size)
{
	return pnic_post_write(from->ep, to->ep->addr, from->mem + src, (uint32_t)size, from->mr->key,
			       (uintptr_t)to->mem + dst, to->mr->key, 1, PNIC_SQF_SIGNALED);
}

/* --- verification: each byte is a function of its place and of the round ---- */

static uint8_t pattern(uint64_t at, uint64_t round)
{
	uint64_t x = (at + 1) * 0x9e3779b97f4a7c15ull ^ (round + 1) * 0xc2b2ae3d27d4eb4full;

	return (uint8_t)(x >> 56);
}

void perf_fill(uint8_t *p, uint64_t size, uint64_t round)
{
	uint64_t i;

	for (i = 0; i < size; i++)
		p[i] = pattern(i, round);
}

void perf_check(struct perf_row *row, const uint8_t *p, uint64_t size, uint64_t round)
{
	uint64_t i;

	for (i = 0; i < size; i++)
		row->wrong += p[i] != pattern(i, round);
	row->verified += size;
}

/* --- between two ends ---- */

static size_t mem_plain(const struct perf_options *o, uint64_t size)
{
	(void)o;
	return 2 * size + 64;
}

/* A put to the other end and one back: half of the time. */
static int lat(struct perf_run *r, struct perf_row *row)
{
	struct perf_end *a = &r->end[0], *b = &r->end[1];
	uint64_t i;
	double t;
	int err;

	for (i = 0; i < row->count; i++) {
		if (r->o->verify)
			perf_fill(a->mem, row->size, i);
		t = perf_now_ns();
		err = put(a, b, 0, 0, row->size);
		pnic_ring(a->ep);
		if (!err)
			err = wait_for(r, a, 1);
		if (!err)
			err = put(b, a, 0, row->size, row->size);
		pnic_ring(b->ep);
		if (!err)
			err = wait_for(r, b, 1);
		if (err)
			return err;
		r->ns[i] = (perf_now_ns() - t) / 2;
		if (r->o->verify)
			perf_check(row, a->mem + row->size, row->size, i);
	}
	return 0;
}

/* Puts one after the other, several under way; a sample is DEPTH of them. */
static int bw(struct perf_run *r, struct perf_row *row)
{
	struct perf_end *a = &r->end[0], *b = &r->end[1];
	unsigned int k;
	uint64_t i;
	double t;
	int err;

	for (i = 0; i < row->count; i++) {
		if (r->o->verify)
			perf_fill(a->mem, row->size, i);
		t = perf_now_ns();
		for (k = 0; k < DEPTH; k++) {
			err = put(a, b, 0, 0, row->size);
			if (err)
				return err;
		}
		pnic_ring(a->ep);
		err = wait_for(r, a, DEPTH);
		if (err)
			return err;
		r->ns[i] = (perf_now_ns() - t) / DEPTH;
		if (r->o->verify)
			perf_check(row, b->mem, row->size, i);
	}
	return 0;
}

/* Inline puts of 8 bytes, BATCH for one doorbell and one completion. */
static int rate(struct perf_run *r, struct perf_row *row)
{
	struct perf_end *a = &r->end[0], *b = &r->end[1];
	unsigned int k;
	uint64_t i, v, got;
	double t;
	int err;

	for (i = 0; i < row->count; i++) {
		t = perf_now_ns();
		for (k = 0; k < BATCH; k++) {
			v = i * BATCH + k + 1;
			err = pnic_post_write(a->ep, b->ep->addr, &v, 8, 0, (uintptr_t)b->mem, b->mr->key, v,
					      PNIC_SQF_INLINE | (k == BATCH - 1 ? PNIC_SQF_SIGNALED : 0));
			if (err)
				return err;
		}
		pnic_ring(a->ep);
		err = wait_for(r, a, 1);
		if (err)
			return err;
		r->ns[i] = (perf_now_ns() - t) / BATCH;
		memcpy(&got, b->mem, 8);
		if (r->o->verify) {
			row->wrong += got == v ? 0 : 8;
			row->verified += 8;
		}
	}
	return 0;
}

static int atomic(struct perf_run *r, struct perf_row *row)
{
	struct perf_end *a = &r->end[0], *b = &r->end[1];
	struct pnic_wc wc;
	uint64_t i, sum;
	double t;
	int err;

	memset(b->mem, 0, 8);
	for (i = 0; i < row->count; i++) {
		t = perf_now_ns();
		err = pnic_post_fetch_add(a->ep, b->ep->addr, 8, (uintptr_t)b->mem, b->mr->key, 1, i, PNIC_SQF_SIGNALED);
		if (err)
			return err;
		pnic_ring(a->ep);
		while (!pnic_poll(a->cq, &wc, 1))
			if (perf_now_ns() - t > WAIT_NS)
				return -ETIMEDOUT;
		r->bad_status = wc.status;
		if (wc.status)
			return -EIO;
		r->ns[i] = perf_now_ns() - t;
		row->wrong += wc.data == i ? 0 : 8;
		row->verified += 8;
	}
	memcpy(&sum, b->mem, 8);
	row->wrong += sum == row->count ? 0 : 8;
	return 0;
}

/* --- between all ---- */

static size_t mem_alltoall(const struct perf_options *o, uint64_t size)
{
	return 2 * size * o->ranks + 64;
}

static int wait_all(struct perf_run *r, unsigned int n)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < r->ends && !err; i++)
		err = wait_for(r, &r->end[i], n);
	return err;
}

/* Each rank puts a block of @size to each other. */
static int alltoall(struct perf_run *r, struct perf_row *row)
{
	size_t in = row->size * r->ends;
	unsigned int i, k;
	uint64_t n;
	double t;
	int err;

	for (n = 0; n < row->count; n++) {
		for (i = 0; i < r->ends && r->o->verify; i++)
			for (k = 0; k < r->ends; k++)
				perf_fill(r->end[i].mem + k * row->size, row->size, n * 64 + i * 8 + k);
		t = perf_now_ns();
		for (i = 0; i < r->ends; i++) {
			for (k = 0; k < r->ends; k++) {
				err = put(&r->end[i], &r->end[k], k * row->size, in + i * row->size, row->size);
				if (err)
					return err;
			}
			pnic_ring(r->end[i].ep);
		}
		err = wait_all(r, r->ends);
		if (err)
			return err;
		r->ns[n] = perf_now_ns() - t;
		for (i = 0; i < r->ends && r->o->verify; i++)
			for (k = 0; k < r->ends; k++)
				perf_check(row, r->end[i].mem + in + k * row->size, row->size, n * 64 + k * 8 + i);
	}
	return 0;
}

static size_t mem_allreduce(const struct perf_options *o, uint64_t size)
{
	(void)o;
	return 2 * (size + 8 * PERF_RANKS) + 64;
}

/* A step of the ring: each rank puts a block to the next; @add: which adds it to its own. */
static int ring_step(struct perf_run *r, uint64_t block, uint64_t words, unsigned int shift, bool add)
{
	size_t in = r->mem / 2 & ~(size_t)7;
	unsigned int i, c;
	int err = 0;

	for (i = 0; i < r->ends && !err; i++) {
		c = (i + r->ends - shift) % r->ends;
		err = put(&r->end[i], &r->end[(i + 1) % r->ends], c * block, add ? in : c * block, block);
		pnic_ring(r->end[i].ep);
	}
	if (!err)
		err = wait_all(r, 1);
	for (i = 0; i < r->ends && !err && add; i++) {
		uint64_t *to, *from = (uint64_t *)(void *)(r->end[i].mem + in), w;

		c = (i + 2 * r->ends - 1 - shift) % r->ends;
		to = (uint64_t *)(void *)(r->end[i].mem + c * block);
		for (w = 0; w < words; w++)
			to[w] += from[w];
	}
	return err;
}

/* A ring: sums of 64-bit words, reduce-scatter and all-gather. */
static int allreduce(struct perf_run *r, struct perf_row *row)
{
	uint64_t words = (row->size / 8 + r->ends - 1) / r->ends, block = 8 * words, n, w, *p;
	unsigned int i, s;
	double t;
	int err;

	if (!words)
		return -EINVAL;
	for (n = 0; n < row->count; n++) {
		for (i = 0; i < r->ends; i++) {
			p = (uint64_t *)(void *)r->end[i].mem;
			for (w = 0; w < words * r->ends; w++)
				p[w] = (w + 1) * (i + 1) + n;
		}
		t = perf_now_ns();
		for (s = 0; s < r->ends - 1; s++) {
			err = ring_step(r, block, words, s, true);
			if (err)
				return err;
		}
		for (s = 0; s < r->ends - 1; s++) {
			err = ring_step(r, block, words, s + r->ends - 1, false);
			if (err)
				return err;
		}
		r->ns[n] = perf_now_ns() - t;
		for (i = 0; i < r->ends && r->o->verify; i++) {
			p = (uint64_t *)(void *)r->end[i].mem;
			for (w = 0; w < words * r->ends; w++)
				if (p[w] != (w + 1) * r->ends * (r->ends + 1) / 2 + r->ends * n)
					row->wrong += 8;
			row->verified += 8 * words * r->ends;
		}
	}
	return 0;
}

const struct perf_test perf_tests[] = {
	{ "lat", "a put to the other end and one back, half of the time", 2, false, mem_plain, lat },
	{ "bw", "puts, 16 under way at once", 2, false, mem_plain, bw },
	{ "rate", "8-byte puts, 64 for one doorbell and one completion", 2, true, mem_plain, rate },
	{ "atomic", "fetch-and-add of 8 bytes", 2, true, mem_plain, atomic },
	{ "allreduce", "sum of 64-bit words over all ranks, by a ring", 0, false, mem_allreduce, allreduce },
	{ "alltoall", "a block from each rank to each", 0, false, mem_alltoall, alltoall },
	{ "rails", "puts from half of the cards to the other half, as one set each", 0, false, mem_plain, perf_rails },
	{ NULL, NULL, 0, false, NULL, NULL },
};

const struct perf_test *perf_find(const char *name)
{
	const struct perf_test *t;

	for (t = perf_tests; t->name; t++)
		if (!strcmp(t->name, name))
			return t;
	return NULL;
}

/* --- a run ---- */

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double at(const struct perf_run *r, uint64_t n, double part)
{
	uint64_t i = (uint64_t)(part * (double)n);

	return r->ns[i < n ? i : n - 1];
}

/* Bytes that a sample stands for. */
static double sample_bytes(const struct perf_test *t, const struct perf_run *r, const struct perf_row *row)
{
	double size = t->one_size ? 8 : (double)row->size;

	if (t->measure == alltoall)
		return size * r->ends * r->ends;
	if (t->measure == allreduce)
		return size * 2 * (r->ends - 1);
	return size;
}

static void summarise(const struct perf_test *t, struct perf_run *r, struct perf_row *row)
{
	double sum = 0;
	uint64_t i;

	for (i = 0; i < row->count; i++)
		sum += r->ns[i];
	qsort(r->ns, row->count, sizeof(*r->ns), ascending);
	row->min = r->ns[0];
	row->p50 = at(r, row->count, 0.5);
	row->p90 = at(r, row->count, 0.9);
	row->p99 = at(r, row->count, 0.99);
	row->p999 = at(r, row->count, 0.999);
	row->max = r->ns[row->count - 1];
	row->mean = sum / (double)row->count;
	row->gbs = sample_bytes(t, r, row) / row->mean;
	row->mops = 1e3 / row->mean;
}

static int complain(const struct perf_test *t, const struct perf_run *r, int err)
{
	if (err == -EIO && r->bad_status)
		fprintf(stderr, "pnic-perf: %s: a transfer failed: %s\n", t->name, pnic_status_str(r->bad_status));
	else if (err == -ETIMEDOUT)
		fprintf(stderr, "pnic-perf: %s: no completion in %.0f s\n", t->name, WAIT_NS / 1e9);
	else
		fprintf(stderr, "pnic-perf: %s: %s\n", t->name, pnic_strerror(err));
	return err;
}

int perf_run(const struct perf_test *t, const struct perf_options *o, uint64_t size, struct perf_row *row)
{
	struct perf_run r = { .o = o };
	unsigned int ends = t->least_ends ? t->least_ends : o->ranks;
	int err = 0;

	*row = (struct perf_row) { .size = t->one_size ? 8 : size, .count = o->count };
	r.mem = t->memory(o, row->size);
	r.ns = calloc(row->count, sizeof(*r.ns));
	if (!r.ns)
		return complain(t, &r, -ENOMEM);
	while (r.ends < ends && !err) {
		err = end_open(&r.end[r.ends], o, r.ends, r.mem);
		r.ends++;
	}
	if (err) {
		fprintf(stderr, "pnic-perf: %s\n", pnic_last_error());
	} else {
		err = t->measure(&r, row);
		if (err)
			complain(t, &r, err);
		else
			summarise(t, &r, row);
	}
	ends_close(&r);
	free(r.ns);
	return err;
}
