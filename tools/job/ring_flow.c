// SPDX-License-Identifier: GPL-2.0
/*
 * The ring's messages: which chunk goes where, credits, completions.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "ring_priv.h"

#define POLL_BATCH	32

bool fifo_init(struct fifo *f, uint32_t size)
{
	for (f->size = 16; f->size < size; f->size *= 2)
		;
	f->x = calloc(f->size, sizeof(*f->x));
	return f->x;
}

bool fifo_push(struct fifo *f, const struct xfer *x)
{
	if (f->tail - f->head == f->size)
		return false;
	f->x[f->tail++ & (f->size - 1)] = *x;
	return true;
}

struct xfer *fifo_head(struct fifo *f)
{
	return f->head == f->tail ? NULL : &f->x[f->head & (f->size - 1)];
}

void fifo_pop(struct fifo *f)
{
	f->head++;
}

void ring_fail(struct ring *r, int err, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	/* The first reason is the one that matters; what follows from it would only hide it. */
	if (r->err)
		return;
	r->err = err;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report_error(r->c.report, "%s", text);
}

/* The shard that this rank sends at a step. What it receives is what its left neighbour sends. */
static unsigned int shard_sent(unsigned int rank, unsigned int ranks, enum ring_kind kind, unsigned int step)
{
	return (rank + (kind == RING_GATHER) + ranks - step) % ranks;
}

unsigned int ring_chunks(const struct ring *r, enum ring_kind kind, unsigned int step, uint64_t elements)
{
	return chunks_of(shard_of(elements, r->c.ranks, shard_sent(r->c.rank, r->c.ranks, kind, step)), r->c.chunk);
}

struct span ring_span(const struct ring *r, enum ring_kind kind, const struct xfer *x, const struct item *it)
{
	unsigned int s = shard_sent(r->c.rank, r->c.ranks, kind, x->step);

	return chunk_of(shard_of(it->bucket->elements, r->c.ranks, s), r->c.chunk, x->chunk);
}

struct item *ring_item(struct ring *r, uint32_t number)
{
	struct item *it = &r->item[number % RING_WINDOW];

	return it->active && it->number == number ? it : NULL;
}

static uint64_t imm_of(enum ring_kind kind, const struct xfer *x)
{
	return (uint64_t)kind << 60 | (uint64_t)x->step << 52 | (uint64_t)x->chunk << 32 | x->item;
}

/* Writes a chunk to the right neighbour. False: the ring is full. */
static bool send_chunk(struct ring *r, enum ring_kind kind, const struct xfer *x)
{
	struct item *it = ring_item(r, x->item);
	struct span span = ring_span(r, kind, x, it);
	const uint32_t *src = it->mem + span.first;
	uint64_t imm = imm_of(kind, x), to;

	if (kind == RING_REDUCE)
		to = r->staging_off + (uint64_t)(r->reduces_sent % RING_STAGING) * r->c.chunk * 4;
	else
		to = (uint64_t)((const char *)src - (const char *)r->mem);
	if (pnic_post_write_imm(r->ep, r->right.addr, src, (uint32_t)span.elements * 4, r->mr->key,
				r->right.base + to, r->right.key, imm, imm, PNIC_SQF_SIGNALED))
		return false;
	r->in_flight++;
	return true;
}

/* An empty message that is only its immediate value. */
static bool send_word(struct ring *r, struct pnic_addr to, enum ring_kind kind, uint32_t value)
{
	struct xfer x = { .item = value };
	uint64_t imm = imm_of(kind, &x);

	if (pnic_post_send_imm(r->ep, to, NULL, 0, 0, imm, imm, PNIC_SQF_SIGNALED))
		return false;
	r->in_flight++;
	return true;
}

/* Tells the left neighbour of free staging slots, some at a time, or when nothing waits. */
static bool send_credits(struct ring *r)
{
	uint32_t due = r->added - r->credited;

	if (!due || (due < RING_STAGING / 4 && fifo_head(&r->staged)))
		return false;
	if (!send_word(r, r->left.addr, RING_CREDIT, r->added))
		return false;
	r->credited = r->added;
	return true;
}

bool ring_send(struct ring *r)
{
	bool sent = false;
	struct xfer *x;

	while (r->to_repost && (r->to_repost >= RING_RQ_ENTRIES / 16 || !r->in_flight) &&
	       !pnic_post_recv(r->ep, NULL, 0, 0, 0))
		r->to_repost--;
	pnic_ring_recv(r->ep);
	sent |= send_credits(r);
	while ((x = fifo_head(&r->reduce)) && r->reduces_sent - r->credits < RING_STAGING &&
	       send_chunk(r, RING_REDUCE, x)) {
		r->reduces_sent++;
		fifo_pop(&r->reduce);
		sent = true;
	}
	while ((x = fifo_head(&r->gather)) && send_chunk(r, RING_GATHER, x)) {
		fifo_pop(&r->gather);
		sent = true;
	}
	if (r->finished == r->items && r->byes_sent < 2 &&
	    send_word(r, r->byes_sent ? r->right.addr : r->left.addr, RING_BYE, 0)) {
		r->byes_sent++;
		sent = true;
	}
	pnic_ring(r->ep);
	return sent;
}

static void sent_done(struct ring *r, const struct pnic_wc *wc)
{
	enum ring_kind kind = wc->cookie >> 60;
	struct item *it;

	r->in_flight--;
	if (wc->status) {
		r->t->lost++;
		/* A rank that failed takes its endpoint with it. */
		if (wc->status == PNIC_ST_REMOTE_EP && rendezvous_failed(r->c.dir)) {
			ring_fail(r, -ECANCELED, "another rank has failed");
			return;
		}
		ring_fail(r, -EIO, "%s of %s to NIC %u, endpoint %u: %s", pnic_opcode_str(wc->opcode),
			  kind == RING_REDUCE || kind == RING_GATHER ? "a chunk" : "a message", wc->peer_nic,
			  wc->peer_ep, pnic_status_str(wc->status));
		return;
	}
	r->t->moved += wc->length;
	if (kind != RING_REDUCE && kind != RING_GATHER)
		return;
	it = ring_item(r, (uint32_t)wc->cookie);
	if (!it || !it->departures) {
		ring_fail(r, -EPROTO, "completion of a chunk that was not sent");
		return;
	}
	it->departures--;
}

/* A whole chunk is in its place: it goes on, but for the last stop. */
static void gather_arrived(struct ring *r, const struct xfer *x, uint32_t length)
{
	struct xfer next = { x->item, x->step + 1, x->chunk };
	struct item *it = ring_item(r, x->item);

	/* The shard that arrives at a step is the one that is sent at the next. */
	if (!it || !it->arrivals || x->step > r->c.ranks - 2 ||
	    x->chunk >= ring_chunks(r, RING_GATHER, next.step, it->bucket->elements) ||
	    length != ring_span(r, RING_GATHER, &next, it).elements * 4) {
		ring_fail(r, -EPROTO, "unexpected chunk: item %u, gather step %u, chunk %u, %u bytes", x->item, x->step,
			  x->chunk, length);
		return;
	}
	it->arrivals--;
	if (next.step <= r->c.ranks - 2 && !fifo_push(&r->gather, &next))
		ring_fail(r, -EPROTO, "more chunks than there are");
}

static void message(struct ring *r, const struct pnic_wc *wc)
{
	struct xfer x = { (uint32_t)wc->data, wc->data >> 52 & 0xff, wc->data >> 32 & 0xfffff };
	enum ring_kind kind = wc->data >> 60;
	bool from_left = wc->peer_nic == r->left.addr.nic && wc->peer_ep == r->left.addr.ep;
	bool from_right = wc->peer_nic == r->right.addr.nic && wc->peer_ep == r->right.addr.ep;

	if (kind == RING_REDUCE && from_left && wc->opcode == PNIC_OP_RECV_WRITE_IMM &&
	    x.item < r->items && x.step <= r->c.ranks - 2 && fifo_push(&r->staged, &x))
		return;
	if (kind == RING_GATHER && from_left && wc->opcode == PNIC_OP_RECV_WRITE_IMM) {
		gather_arrived(r, &x, wc->length);
		return;
	}
	if (kind == RING_CREDIT && from_right && r->reduces_sent - x.item <= RING_STAGING) {
		r->credits = x.item;
		return;
	}
	if (kind == RING_BYE && (from_left || from_right)) {
		r->byes_got++;
		return;
	}
	ring_fail(r, -EPROTO, "unexpected message 0x%" PRIx64 " from NIC %u, endpoint %u", wc->data, wc->peer_nic,
		  wc->peer_ep);
}

bool ring_receive(struct ring *r)
{
	struct pnic_wc wc[POLL_BATCH];
	int n, i;

	n = pnic_poll(r->cq, wc, POLL_BATCH);
	for (i = 0; i < n && !r->err; i++) {
		r->t->completions++;
		if (!(wc[i].opcode & 0x80)) {
			sent_done(r, &wc[i]);
			continue;
		}
		r->to_repost++;
		if (wc[i].status) {
			r->t->lost++;
			ring_fail(r, -EIO, "receive from NIC %u, endpoint %u: %s", wc[i].peer_nic, wc[i].peer_ep,
				  pnic_status_str(wc[i].status));
		} else {
			message(r, &wc[i]);
		}
	}
	return n;
}
