// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Transfers: from the caller's arguments to pieces on rails, and to their one end.
 */
#include <stdlib.h>

#include "rails.h"

#define RAILS_CHUNK		(8u << 20)	/* no piece is longer */
#define RAILS_AHEAD		(16u << 20)	/* bytes under way on a rail, before it gets more of a long transfer */

static bool rails_is_message(const struct rails_op *op)
{
	return op->kind == RAILS_MESSAGE && !op->internal &&
	       (op->type == PNIC_RAILS_SEND || op->type == PNIC_RAILS_WRITE_IMM);
}

static struct rails_op *rails_op_get(struct rails_peer *p, uint8_t type, uint64_t cookie, unsigned int flags)
{
	struct rails_set *s = p->set;
	struct rails_op *op;

	if (rails_list_empty(&s->free_ops))
		return NULL;
	op = rails_entry(s->free_ops.next, struct rails_op, at);
	rails_list_del(&op->at);
	op->peer = p;
	op->type = type;
	op->kind = RAILS_MESSAGE;
	op->cookie = cookie;
	op->flags = (uint8_t)flags;
	op->staged = NULL;
	op->buf = NULL;
	op->length = 0;
	op->cut = 0;
	op->deadline = 0;
	op->hdr_length = 0;
	op->rkey.count = 0;
	op->pieces = 0;
	op->status = 0;
	op->last = 0;
	op->tries = 0;
	op->rail = 0;
	op->internal = false;
	op->whole = false;
	op->noticed = false;
	op->feeding = false;
	op->no_region = false;
	rails_list_init(&op->blocked);
	rails_list_init(&op->own);
	return op;
}

void rails_op_put(struct rails_op *op)
{
	struct rails_set *s = op->peer->set;

	if (op->region)
		rails_region_put(op->region);
	op->region = NULL;
	if (op->staged)
		s->tx_free[s->tx_count++] = op->staged;
	if (op->internal) {
		rails_list_del(&op->own);
		free(op);
		return;
	}
	/* The last one used is the first to be used again: it is in the cache. */
	rails_list_add_head(&s->free_ops, &op->at);
}

struct rails_op *rails_internal(struct rails_peer *p, enum rails_kind kind, const void *data, uint32_t length)
{
	struct rails_op *op = calloc(1, sizeof(*op));

	if (!op)
		return NULL;
	op->peer = p;
	op->type = PNIC_RAILS_SEND;
	op->kind = (uint8_t)kind;
	op->internal = true;
	op->whole = true;
	op->length = length;
	op->cut = length;
	if (length)
		memcpy(op->small, data, length);
	rails_list_init(&op->at);
	rails_list_init(&op->blocked);
	rails_list_add_tail(&p->set->internals, &op->own);
	return op;
}

void rails_say(struct rails_op *op)
{
	struct rails_piece *pc = rails_piece_new(op, 0, (uint32_t)op->length);

	if (pc) {
		rails_piece_go(pc);
		return;
	}
	op->status = PNIC_RAILS_ST_NO_RAIL;
	rails_op_over(op);
}

/* ------------------------------------------------------------------------- */
/* Pieces                                                                    */

static bool rails_small(const struct rails_op *op)
{
	return op->length < op->peer->set->attr.stripe_min || (op->type != PNIC_RAILS_WRITE &&
	       op->type != PNIC_RAILS_WRITE_IMM && op->type != PNIC_RAILS_WRITE_SIGNAL && op->type != PNIC_RAILS_READ);
}

/* How fast each rail could carry it now; how much of it they should get at once. */
static uint64_t rails_room(struct rails_op *op, bool any_link, uint32_t *rate, uint64_t *load)
{
	struct rails_set *s = op->peer->set;
	uint64_t room = 0;
	uint32_t far;
	unsigned int i, remote;

	for (i = 0; i < s->rails->count; i++) {
		struct rails_half *h = &s->half[i];

		rate[i] = 0;
		load[i] = h->load;
		if (!rails_half_up(h) || !(h->link || any_link) || !rails_remote(op->peer, op, i, &remote))
			continue;
		if (h->load >= RAILS_AHEAD) {
			room |= 1;
			continue;
		}
		far = op->peer->pub.addr.rate[remote];
		rate[i] = far && far < h->rate ? far : h->rate;
		room += RAILS_CHUNK;
	}
	return room;
}

/* One cut for all rails that can carry something now. 0; -EAGAIN: they have enough to do; -ENODEV: there is none. */
static int rails_cut(struct rails_op *op)
{
	struct rails_set *s = op->peer->set;
	uint64_t load[PNIC_RAILS_MAX], share[PNIC_RAILS_MAX], take, off = op->cut, end = op->cut, stop;
	struct rails_piece *pc[PNIC_RAILS_MAX];
	unsigned int i, n = s->rails->count, used, k = 0;
	uint32_t rate[PNIC_RAILS_MAX];

	take = rails_room(op, false, rate, load);
	if (!take)		/* no link is up: then the cards keep it until one is, or say so */
		take = rails_room(op, true, rate, load);
	if (!take)
		return -ENODEV;
	if (take < RAILS_CHUNK)
		return -EAGAIN;
	if (take > op->length - op->cut)
		take = op->length - op->cut;
	used = rails_split(n, rate, load, take, RAILS_GRAIN, share);
	if (used > s->pieces_free)
		return -EAGAIN;
	for (i = 0; i < n; i++) {
		if (!share[i])
			continue;
		end += share[i];
		/* Cuts are at pages of the far memory, so that no line of 128 bytes is in two pieces. */
		stop = end == op->length ? end : end - (op->raddr + end) % RAILS_GRAIN;
		if (stop <= off || stop > op->length)
			continue;
		pc[k] = rails_piece_new(op, off, (uint32_t)(stop - off));
		if (!pc[k])
			break;
		pc[k++]->rail = (uint8_t)i;
		off = stop;
	}
	/* A signal is one access: by the piece, if there is one only. */
	op->whole = !op->cut && off == op->length && (k == 1 || op->type != PNIC_RAILS_WRITE_SIGNAL);
	op->cut = off;
	for (i = 0; i < k; i++) {
		pc[i]->part = (uint8_t)i;
		pc[i]->parts = (uint8_t)k;
	}
	for (i = 0; i < k; i++)
		rails_piece_go(pc[i]);
	return k ? 0 : -EAGAIN;
}

/* In one piece, by any rail. False: all pieces are in use. */
static bool rails_begin_small(struct rails_op *op)
{
	struct rails_piece *pc = rails_piece_new(op, 0, (uint32_t)op->length);

	if (!pc)
		return false;
	op->cut = op->length;
	op->whole = true;
	pc->part = 0;
	pc->parts = 1;
	rails_piece_go(pc);
	return true;
}

static void rails_feed_op(struct rails_op *op)
{
	struct rails_set *s = op->peer->set;
	int err = 0;

	op->pieces++;			/* so that it is not over meanwhile */
	if (rails_small(op) && !op->whole) {
		if ((op->status || rails_begin_small(op)) && op->feeding) {
			op->feeding = false;
			rails_list_del(&op->at);
		}
		op->pieces--;
		return;
	}
	while (op->cut < op->length && !op->status && !err)
		err = rails_cut(op);
	op->pieces--;
	if (op->cut < op->length && !op->status) {
		if (!op->feeding) {
			op->feeding = true;
			rails_list_add_tail(&s->feeding, &op->at);
		}
		/* Nothing under way that would tell of an end: its time goes on only while there is no rail at all. */
		if (!op->pieces && err != -ENODEV)
			op->deadline = 0;
		else if (!op->pieces && !op->deadline)
			op->deadline = s->now + (int64_t)s->attr.fail_ms * 1000;
		return;
	}
	if (op->feeding) {
		op->feeding = false;
		rails_list_del(&op->at);
	}
}

void rails_feed(struct rails_set *s)
{
	struct rails_list *e, *next;
	struct rails_op *op;

	for (e = s->feeding.next; e != &s->feeding; e = next) {
		next = e->next;
		op = rails_entry(e, struct rails_op, at);
		rails_feed_op(op);
		if (op->feeding && op->status == 0 && !op->pieces && (op->no_region || (op->deadline && s->now >= op->deadline))) {
			op->status = op->no_region ? PNIC_ST_REMOTE_KEY :
				     op->last ? op->last : PNIC_RAILS_ST_NO_RAIL;
			op->feeding = false;
			rails_list_del(&op->at);
		}
		if (!op->feeding && !op->pieces)
			rails_op_step(op);
	}
}

static void rails_op_begin(struct rails_op *op)
{
	if (!rails_small(op)) {
		rails_feed_op(op);
		rails_op_step(op);
	} else if (!rails_begin_small(op)) {
		op->feeding = true;		/* as soon as there is one */
		rails_list_add_tail(&op->peer->set->feeding, &op->at);
	}
}

void rails_op_step(struct rails_op *op)
{
	struct rails_piece *pc;

	if (op->pieces || op->feeding)
		return;
	if (op->whole || op->noticed || op->status ||
	    (op->type != PNIC_RAILS_WRITE_IMM && op->type != PNIC_RAILS_WRITE_SIGNAL)) {
		rails_op_over(op);
		return;
	}
	/* The bytes are there, and were not told of by their pieces. */
	pc = rails_piece_new(op, op->length, 0);
	if (!pc) {
		op->feeding = true;
		rails_list_add_tail(&op->peer->set->feeding, &op->at);
		return;
	}
	op->noticed = true;
	rails_piece_go(pc);
}

/* ------------------------------------------------------------------------- */
/* Ends                                                                      */

void rails_resync(struct rails_peer *p)
{
	struct rails_op *op;

	/* Of one that is still under way before those that failed nothing can be said; its end calls again. */
	if (p->resyncing || (int32_t)(p->tx_una - p->resync_to) < 0)
		return;
	p->set->troubled = true;	/* until it is done */
	op = rails_internal(p, RAILS_RESYNC, NULL, 0);
	if (!op)
		return;
	p->resyncing = true;
	op->seq = p->tx_una;
	rails_say(op);
}

static void rails_message_over(struct rails_op *op)
{
	struct rails_peer *p = op->peer;
	uint32_t bit = op->seq % RAILS_WINDOW;

	p->tx_done[bit / 64] |= 1ull << bit % 64;
	while (p->tx_una != p->tx_next) {
		bit = p->tx_una % RAILS_WINDOW;
		if (!(p->tx_done[bit / 64] & 1ull << bit % 64))
			break;
		p->tx_done[bit / 64] &= ~(1ull << bit % 64);
		p->tx_una++;
	}
	if (op->status) {
		if (!p->resync || (int32_t)(op->seq + 1 - p->resync_to) > 0)
			p->resync_to = op->seq + 1;
		p->resync = true;
	}
	if (p->resync)
		rails_resync(p);
}

void rails_op_over(struct rails_op *op)
{
	struct rails_peer *p = op->peer;
	struct rails_set *s = p->set;

	if (op->internal) {
		if (op->kind == RAILS_HELLO) {
			rails_unblock(op);
			if (op->status && op->unpinned) {
				p->untold = true;
				s->troubled = true;
			}
		}
		if (op->kind == RAILS_ASK_MESSAGE)
			rails_ask_over(op);
		if (op->kind == RAILS_RESYNC) {
			p->resyncing = false;
			/* More may have failed since; and one that failed is sent again in a while. */
			if (!op->status && (int32_t)(op->seq - p->resync_to) >= 0) {
				p->resync = false;
				rails_unhold(p);
			} else {
				s->troubled = true;
			}
		}
		rails_op_put(op);
		return;
	}
	p->over++;
	if (rails_is_message(op))
		rails_message_over(op);
	if ((op->flags & PNIC_RAILS_QUIET) && !op->status) {
		p->told_of++;
		rails_op_put(op);
	} else {
		rails_list_add_tail(&s->done, &op->at);
	}
	if (!rails_list_empty(&p->held))
		rails_unhold(p);
}

static bool rails_may_begin(const struct rails_op *op)
{
	const struct rails_peer *p = op->peer;

	if ((op->flags & PNIC_RAILS_FENCE) && p->over < op->order)
		return false;
	return !p->resync || !rails_is_message(op);
}

void rails_unhold(struct rails_peer *p)
{
	struct rails_op *op;

	while (!rails_list_empty(&p->held)) {
		op = rails_entry(p->held.next, struct rails_op, at);
		if (!rails_may_begin(op))
			return;
		rails_list_del(&op->at);
		rails_op_begin(op);
	}
}

/* ------------------------------------------------------------------------- */
/* What callers call                                                         */

static int rails_post(struct rails_op *op)
{
	bool more = op->flags & PNIC_RAILS_MORE;	/* it may be over, and another's, soon */
	struct rails_peer *p = op->peer;
	struct rails_set *s = p->set;

	op->order = p->posted++;
	if (rails_is_message(op))
		op->seq = p->tx_next++;
	if (PNIC__UNLIKELY(!rails_list_empty(&p->held) || !rails_may_begin(op))) {
		rails_list_add_tail(&p->held, &op->at);
		rails_unhold(p);
	} else {
		rails_op_begin(op);
	}
	if (!more)
		rails_ring(s);
	return 0;
}

static bool rails_window_full(const struct rails_peer *p)
{
	return p->tx_next - p->tx_una >= RAILS_WINDOW;
}

static bool rails_no_region(const struct pnic_rails_mr *mr, const void *buf, uint64_t length, const struct rails_set *s)
{
	uint64_t at = (uint64_t)(uintptr_t)buf - (uint64_t)(uintptr_t)mr->addr;

	return mr->rails != s->rails || at > mr->length || length > mr->length - at;
}

static void rails_use(struct rails_op *op, const struct pnic_rails_mr *mr, const void *buf)
{
	op->region = rails_region(mr);
	op->buf = buf;
	__atomic_add_fetch(&op->region->refs, 1, __ATOMIC_RELAXED);
}

/* The caller's bytes: in its region, or copied. */
static int rails_take(struct rails_op *op, const void *hdr, uint32_t hdr_length, const void *buf, uint64_t length,
		      const struct pnic_rails_mr *mr)
{
	/* The signal has a slot of the descriptor. */
	const uint32_t inlined = PNIC_SQE_MAX_INLINE - (op->type == PNIC_RAILS_WRITE_SIGNAL ? PNIC_SLOT_SIZE : 0);
	struct rails_set *s = op->peer->set;
	uint8_t *to = op->small;

	op->hdr_length = hdr_length;
	op->length = hdr_length + length;
	/* The processor may not see what is in a dma-buf: its addresses are names that the card knows. */
	if (mr && length && (length > PNIC_SQE_MAX_INLINE / 2 || rails_region(mr)->fd >= 0)) {
		rails_use(op, mr, buf);
		if (!hdr_length)
			return 0;
		length = 0;
	} else if (!mr || op->length <= inlined) {
		/* Short: copied even if it could lie where it does. */
		if (op->length > s->attr.max_send)
			return -E2BIG;
	} else {
		rails_use(op, mr, buf);
		length = 0;
	}
	if (op->region || op->length > inlined) {
		if (!s->tx_count)
			return -EAGAIN;
		to = op->staged = s->tx_free[--s->tx_count];
	}
	if (hdr_length)
		memcpy(to, hdr, hdr_length);
	if (length)
		memcpy(to + hdr_length, buf, length);
	return 0;
}

static int rails_give_up(struct rails_op *op, int err)
{
	rails_op_put(op);
	return err;
}

#define RAILS_FLAGS	(PNIC_RAILS_QUIET | PNIC_RAILS_FENCE | PNIC_RAILS_MORE)

PNIC_EXPORT int pnic_rails_send(struct pnic_rails_peer *peer, const void *hdr, uint32_t hdr_length, const void *buf,
				uint32_t length, const struct pnic_rails_mr *mr, uint32_t imm, uint64_t cookie,
				unsigned int flags)
{
	struct rails_peer *p = rails_peer(peer);
	struct rails_op *op;
	uint32_t most;
	int err;

	if (!peer || (hdr_length && !hdr) || (length && !buf) || (flags & ~RAILS_FLAGS) ||
	    (mr && rails_no_region(mr, buf, length, p->set)))
		return -EINVAL;
	most = p->set->attr.max_send < p->pub.addr.max_send ? p->set->attr.max_send : p->pub.addr.max_send;
	if ((uint64_t)hdr_length + length > most)
		return -E2BIG;
	if (rails_window_full(p))
		return -EAGAIN;
	op = rails_op_get(p, PNIC_RAILS_SEND, cookie, flags);
	if (!op)
		return -EAGAIN;
	err = rails_take(op, hdr, hdr_length, buf, length, mr);
	if (err)
		return rails_give_up(op, err);
	op->imm = imm;
	return rails_post(op);
}

static int rails_rma(struct rails_peer *p, uint8_t type, const void *buf, uint64_t length,
		     const struct pnic_rails_mr *mr, uint64_t raddr, const struct pnic_rails_key *rkey,
		     const struct pnic_rails_sig *sig, uint32_t imm, uint64_t cookie, unsigned int flags)
{
	struct rails_op *op;
	int err;

	if (!p || (length && !buf) || (length && !rkey) || (flags & ~RAILS_FLAGS) ||
	    (rkey && rkey->count > PNIC_RAILS_MAX) || (mr && rails_no_region(mr, buf, length, p->set)))
		return -EINVAL;
	if (!mr && length > p->set->attr.max_send)
		return -E2BIG;
	if (type == PNIC_RAILS_WRITE_IMM && rails_window_full(p))
		return -EAGAIN;
	op = rails_op_get(p, type, cookie, flags);
	if (!op)
		return -EAGAIN;
	if (type == PNIC_RAILS_READ) {
		rails_use(op, mr, buf);
		op->length = length;
	} else {
		err = rails_take(op, NULL, 0, buf, length, mr);
		if (err)
			return rails_give_up(op, err);
	}
	op->raddr = raddr;
	if (rkey)
		op->rkey = *rkey;
	else
		op->rkey.count = 0;
	op->imm = imm;
	if (sig) {
		op->sig_addr = sig->addr;
		op->sig_key = *sig->key;
		op->sig_op = sig->op;
		op->value = sig->value;
	}
	return rails_post(op);
}

PNIC_EXPORT int pnic_rails_write(struct pnic_rails_peer *peer, const void *buf, uint64_t length,
				 const struct pnic_rails_mr *mr, uint64_t raddr, const struct pnic_rails_key *rkey,
				 uint64_t cookie, unsigned int flags)
{
	return rails_rma(rails_peer(peer), PNIC_RAILS_WRITE, buf, length, mr, raddr, rkey, NULL, 0, cookie, flags);
}

PNIC_EXPORT int pnic_rails_write_imm(struct pnic_rails_peer *peer, const void *buf, uint64_t length,
				     const struct pnic_rails_mr *mr, uint64_t raddr,
				     const struct pnic_rails_key *rkey, uint32_t imm, uint64_t cookie,
				     unsigned int flags)
{
	return rails_rma(rails_peer(peer), PNIC_RAILS_WRITE_IMM, buf, length, mr, raddr, rkey, NULL, imm, cookie,
			 flags);
}

PNIC_EXPORT int pnic_rails_write_signal(struct pnic_rails_peer *peer, const void *buf, uint64_t length,
					const struct pnic_rails_mr *mr, uint64_t raddr,
					const struct pnic_rails_key *rkey, const struct pnic_rails_sig *sig,
					uint64_t cookie, unsigned int flags)
{
	if (!sig || !sig->key || sig->key->count > PNIC_RAILS_MAX || sig->op > PNIC_SIGNAL_SET || sig->addr % 8)
		return -EINVAL;
	return rails_rma(rails_peer(peer), PNIC_RAILS_WRITE_SIGNAL, buf, length, mr, raddr, rkey, sig, 0, cookie,
			 flags);
}

PNIC_EXPORT int pnic_rails_read(struct pnic_rails_peer *peer, void *buf, uint64_t length,
				const struct pnic_rails_mr *mr, uint64_t raddr, const struct pnic_rails_key *rkey,
				uint64_t cookie, unsigned int flags)
{
	if (!mr)
		return -EINVAL;
	return rails_rma(rails_peer(peer), PNIC_RAILS_READ, buf, length, mr, raddr, rkey, NULL, 0, cookie, flags);
}

static int rails_atomic(struct rails_peer *p, uint8_t type, uint32_t length, uint64_t raddr,
			const struct pnic_rails_key *rkey, uint64_t value, uint64_t compare, uint64_t cookie,
			unsigned int flags)
{
	struct rails_op *op;

	if (!p || !rkey || rkey->count > PNIC_RAILS_MAX || (length != 4 && length != 8) || (flags & ~RAILS_FLAGS))
		return -EINVAL;
	op = rails_op_get(p, type, cookie, flags);
	if (!op)
		return -EAGAIN;
	op->length = length;
	op->raddr = raddr;
	op->rkey = *rkey;
	op->value = value;
	op->compare = compare;
	return rails_post(op);
}

PNIC_EXPORT int pnic_rails_fetch_add(struct pnic_rails_peer *peer, uint32_t length, uint64_t raddr,
				     const struct pnic_rails_key *rkey, uint64_t add, uint64_t cookie,
				     unsigned int flags)
{
	return rails_atomic(rails_peer(peer), PNIC_RAILS_FETCH_ADD, length, raddr, rkey, add, 0, cookie, flags);
}

PNIC_EXPORT int pnic_rails_comp_swap(struct pnic_rails_peer *peer, uint32_t length, uint64_t raddr,
				     const struct pnic_rails_key *rkey, uint64_t compare, uint64_t swap,
				     uint64_t cookie, unsigned int flags)
{
	return rails_atomic(rails_peer(peer), PNIC_RAILS_COMP_SWAP, length, raddr, rkey, swap, compare, cookie, flags);
}
