// SPDX-License-Identifier: GPL-2.0
/*
 * The ring's arithmetic, in slices: making contributions, adding what arrived,
 * comparing the result with the reference.
 */
#include <errno.h>
#include <inttypes.h>

#include "ring_priv.h"

static uint32_t step_of(const struct ring *r, const struct item *it)
{
	return it->number / (uint32_t)r->c.plan->n;
}

/* Hands on what is ready of our own shard, with which the reduce-scatter begins. */
static void feed(struct ring *r, struct item *it)
{
	struct xfer x = { .item = it->number };
	struct span span;

	while (it->fed < ring_chunks(r, RING_REDUCE, 0, it->bucket->elements)) {
		x.chunk = it->fed;
		span = ring_span(r, RING_REDUCE, &x, it);
		if (it->filled < span.first + span.elements)
			return;
		if (!fifo_push(&r->reduce, &x)) {
			ring_fail(r, -EPROTO, "more chunks than there are");
			return;
		}
		it->fed++;
	}
}

/* Our contribution to the oldest bucket that isn't complete. */
static bool fill(struct ring *r)
{
	struct item *it;
	uint64_t n;
	uint32_t i;

	for (i = r->finished; i != r->started; i++) {
		it = ring_item(r, i);
		if (!it || it->filled == it->bucket->elements)
			continue;
		n = it->bucket->elements - it->filled;
		if (n > RING_SLICE)
			n = RING_SLICE;
		data_fill(r->c.data, step_of(r, it), r->c.rank, it->bucket->first + it->filled, n, it->mem + it->filled);
		it->filled += n;
		feed(r, it);
		return true;
	}
	return false;
}

/* Adds the oldest chunk that arrived, and passes the sum on: as a partial sum, or whole. */
static bool add(struct ring *r)
{
	struct xfer *x = fifo_head(&r->staged), next;
	const uint32_t *staged;
	struct fifo *onward;
	struct item *it;
	struct span span;

	if (!x)
		return false;
	next = (struct xfer) { x->item, x->step + 1, x->chunk };
	it = ring_item(r, x->item);
	if (!it)
		return false;
	if (x->chunk >= ring_chunks(r, RING_REDUCE, next.step, it->bucket->elements) || !it->arrivals) {
		ring_fail(r, -EPROTO, "unexpected chunk: item %u, reduce step %u, chunk %u", x->item, x->step, x->chunk);
		return false;
	}
	span = ring_span(r, RING_REDUCE, &next, it);
	if (it->filled < span.first + span.elements)
		return false;
	staged = (const uint32_t *)((const char *)r->mem + r->staging_off) +
		 (size_t)(r->added % RING_STAGING) * r->c.chunk;
	data_add(r->c.data, it->mem + span.first, staged, span.elements);
	fifo_pop(&r->staged);
	r->added++;
	it->arrivals--;
	onward = &r->reduce;
	if (next.step > r->c.ranks - 2) {
		next.step = 0;
		onward = &r->gather;
	}
	if (!fifo_push(onward, &next))
		ring_fail(r, -EPROTO, "more chunks than there are");
	return true;
}

/* Bytes of the job's data in @n elements from @first: of a file the last word may be part padding. */
static uint64_t bytes_of(const struct ring *r, uint64_t first, uint64_t n)
{
	if (r->c.data->file && (first + n) * 4 > r->c.data->bytes)
		return r->c.data->bytes - first * 4;
	return n * 4;
}

/* memcmp() would do; but on a machine whose vector instructions are emulated it takes twenty times as long as all the rest. */
static bool differ(const uint32_t *a, const uint32_t *b, uint64_t n)
{
	uint32_t diff = 0;

	while (n--)
		diff |= *a++ ^ *b++;
	return diff;
}

/* Compares up to a block that lies in one shard; returns how many elements. */
static uint64_t check_block(struct ring *r, struct item *it)
{
	uint64_t n = it->bucket->elements - it->checked, first = it->bucket->first + it->checked, bytes, wrong = 0, i;
	const uint32_t *got = it->mem + it->checked;
	uint32_t want[DATA_BLOCK];
	struct span shard;
	unsigned int s;

	for (s = 0; ; s++) {
		shard = shard_of(it->bucket->elements, r->c.ranks, s);
		if (it->checked < shard.first + shard.elements)
			break;
	}
	if (n > shard.first + shard.elements - it->checked)
		n = shard.first + shard.elements - it->checked;
	if (n > DATA_BLOCK)
		n = DATA_BLOCK;
	data_expect(r->c.data, step_of(r, it), s, first, n, want);
	bytes = bytes_of(r, first, n);
	if (differ(got, want, n)) {
		for (i = 0; i < bytes; i++)
			wrong += ((const uint8_t *)got)[i] != ((const uint8_t *)want)[i];
		/* Padding is not anybody's data, but it went over the link. */
		if (!wrong)
			wrong = 1;
		if (!r->t->wrong)
			report_error(r->c.report, "step %u, elements %" PRIu64 " to %" PRIu64 ": %" PRIu64 " bytes are wrong",
				     step_of(r, it), first, first + n - 1, wrong);
	}
	r->t->wrong += wrong;
	r->t->verified += bytes - wrong;
	r->bytes_checked += bytes;
	return n;
}

/* Compares part of the oldest bucket when it is complete. */
static bool check(struct ring *r)
{
	struct item *it = r->finished == r->started ? NULL : ring_item(r, r->finished);
	uint64_t n = 0;

	if (!it || it->filled < it->bucket->elements || it->arrivals || it->departures)
		return false;
	while (n < RING_SLICE / r->c.ranks && it->checked < it->bucket->elements) {
		uint64_t block = check_block(r, it);

		it->checked += block;
		n += block;
	}
	if (it->checked == it->bucket->elements) {
		it->active = false;
		r->finished++;
	}
	return true;
}

bool ring_work(struct ring *r)
{
	return add(r) || fill(r) || check(r);
}
