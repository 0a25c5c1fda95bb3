// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Pieces: which way each goes, and what becomes of one that failed.
 *
 * A card's completion says for certain that the card won't touch the transfer any more, so that a piece which
 * failed because of the way (and not because of what was asked for) can go another. A card that is gone says nothing: what it had
 * sent may still be in the fabric, on its way to the far card. Frames to one card don't overtake each other on its link, so
 * something that went to the same far card by another rail, later, and is over, shows that nothing is any more: the probe.
 */
#include "rails.h"

#define RAILS_OVERHEAD		256		/* bytes that a piece counts for besides its own */
#define RAILS_PRIMARY_LOAD	(256u << 10)	/* short transfers keep to one rail up to so many bytes under way */
#define RAILS_CROWD		8		/* so many pieces found no room: the others wait without trying */
#define RAILS_MOVED_US		1000		/* memory that is being moved: look again */

static bool rails_takes_entry(const struct rails_op *op)
{
	return op->type == PNIC_RAILS_SEND || op->type == PNIC_RAILS_WRITE_IMM;
}

static bool rails_has_key(const struct rails_op *op)
{
	return op->rkey.count && op->length;
}

/* Whether doing it twice is as good as once. Messages are counted, so they are. */
static bool rails_repeatable(const struct rails_op *op)
{
	return op->type != PNIC_RAILS_FETCH_ADD && op->type != PNIC_RAILS_COMP_SWAP &&
	       !(op->type == PNIC_RAILS_WRITE_SIGNAL && op->sig_op == PNIC_SIGNAL_ADD && (op->whole || op->noticed));
}

struct rails_piece *rails_piece_new(struct rails_op *op, uint64_t off, uint32_t length)
{
	struct rails_set *s = op->peer->set;
	struct rails_piece *pc;

	/* The last ones are for the library's own messages, by which others get on. */
	if (s->pieces_free <= (op->internal ? 0u : 32u))
		return NULL;
	pc = rails_entry(s->free_pieces.next, struct rails_piece, at);
	rails_list_del(&pc->at);
	s->pieces_free--;
	pc->op = op;
	pc->off = off;
	pc->length = length;
	pc->turn++;
	pc->rail = PNIC_RAILS_MAX;
	pc->remote = 0;
	pc->part = 0;
	pc->parts = 1;
	pc->posted = false;
	pc->pinned = false;
	pc->probe = false;
	pc->ask = false;
	pc->have = false;
	pc->unasked = false;
	pc->asked = 0;
	op->pieces++;
	return pc;
}

static uint64_t rails_piece_cookie(const struct rails_set *s, const struct rails_piece *pc)
{
	return (uint64_t)pc->turn << 32 | (uint32_t)(pc - s->pieces);
}

struct rails_piece *rails_piece_of(struct rails_set *s, uint64_t cookie)
{
	uint32_t index = (uint32_t)cookie;
	struct rails_piece *pc;

	if (index >= s->piece_count)
		return NULL;
	pc = &s->pieces[index];
	return pc->posted && pc->turn == (uint32_t)(cookie >> 32) ? pc : NULL;
}

static void rails_piece_free(struct rails_set *s, struct rails_piece *pc)
{
	pc->op = NULL;
	pc->posted = false;
	rails_list_add_head(&s->free_pieces, &pc->at);
	s->pieces_free++;
}

/* It is over, with the op's status if that is not 0. */
static void rails_piece_over(struct rails_piece *pc, uint8_t status)
{
	struct rails_op *op = pc->op;

	if (status && !op->status)
		op->status = status;
	rails_piece_free(op->peer->set, pc);
	op->pieces--;
	rails_op_step(op);
}

/* ------------------------------------------------------------------------- */
/* Which way                                                                 */

static bool rails_path_works(struct rails_peer *p, struct rails_op *op, unsigned int i, unsigned int j)
{
	const struct rails_path *path = &p->path[i][j];
	uint64_t key;
	int err;

	if (p->pub.addr.rail[j].ep >= PNIC_EP_NONE || path->down_until > p->set->now)
		return false;
	/* Its time is over: only ways that were not tried. */
	if (op && op->deadline && path->failures && p->set->now >= op->deadline)
		return false;
	if (!op || !rails_has_key(op))
		return true;
	err = rails_peer_key(p, j, &op->rkey, &key);
	if (err == -ENOENT)
		op->no_region = true;
	return !err;
}

bool rails_remote(struct rails_peer *p, struct rails_op *op, unsigned int rail, unsigned int *remote)
{
	unsigned int n = p->pub.addr.count, k, j;

	for (k = 0; k < n; k++) {
		j = (rail + k) % n;
		if (rails_path_works(p, op, rail, j)) {
			*remote = j;
			return true;
		}
	}
	return false;
}

static bool rails_usable(const struct rails_half *h, bool any_link)
{
	return rails_half_up(h) && (h->link || any_link);
}

/* The lowest remote rail that some local one reaches, and the least busy of these. */
static bool rails_home(struct rails_op *op, bool any_link, unsigned int *rail, unsigned int *remote)
{
	struct rails_peer *p = op->peer;
	struct rails_set *s = p->set;
	unsigned int i, j;
	bool found = false;

	for (j = 0; j < p->pub.addr.count; j++) {
		for (i = 0; i < s->rails->count; i++) {
			if (!rails_usable(&s->half[i], any_link) || !rails_path_works(p, op, i, j))
				continue;
			if (found && s->half[i].load >= s->half[*rail].load)
				continue;
			found = true;
			*rail = i;
			*remote = j;
		}
		if (found)
			return true;
	}
	return false;
}

static bool rails_least_busy(struct rails_op *op, uint32_t length, bool any_link, unsigned int *rail,
			     unsigned int *remote)
{
	struct rails_peer *p = op->peer;
	struct rails_set *s = p->set;
	unsigned int n = s->rails->count, primary = (unsigned int)((uintptr_t)p / sizeof(*p)) % n, k, i, j;
	uint64_t cost, best = UINT64_MAX;

	for (k = 0; k < n; k++) {
		struct rails_half *h;

		i = (primary + k) % n;
		h = &s->half[i];
		if (!rails_usable(h, any_link) || !rails_remote(p, op, i, &j))
			continue;
		cost = (h->load + length) * 1000 / h->rate;
		if (cost >= best)
			continue;
		best = cost;
		*rail = i;
		*remote = j;
		if (length < RAILS_OVERHEAD * 16 && h->load < RAILS_PRIMARY_LOAD)
			break;		/* so that short ones stay in order by themselves */
	}
	return best != UINT64_MAX;
}

static bool rails_choose(struct rails_piece *pc)
{
	struct rails_op *op = pc->op;
	struct rails_set *s = op->peer->set;
	unsigned int rail = 0, remote = 0;
	bool any_link, found = false;
	int k;

	/* Cut for this rail. */
	if (pc->rail < PNIC_RAILS_MAX && rails_half_up(&s->half[pc->rail]) && rails_remote(op->peer, op, pc->rail, &remote)) {
		pc->remote = (uint8_t)remote;
		return true;
	}
	for (k = 0; k < 2 && !found; k++) {
		any_link = k;
		if (op->type == PNIC_RAILS_FETCH_ADD || op->type == PNIC_RAILS_COMP_SWAP ||
		    op->type == PNIC_RAILS_WRITE_SIGNAL)
			found = rails_home(op, any_link, &rail, &remote);
		else
			found = rails_least_busy(op, pc->length, any_link, &rail, &remote);
	}
	if (!found)
		return false;
	pc->rail = (uint8_t)rail;
	pc->remote = (uint8_t)remote;
	return true;
}

/* ------------------------------------------------------------------------- */
/* Posting                                                                   */

static uint64_t rails_imm(const struct rails_op *op, const struct rails_piece *pc)
{
	return (uint64_t)op->imm | (uint64_t)(op->seq & RAILS_SEQ_MASK) << RAILS_IMM_SEQ_SHIFT |
	       (uint64_t)pc->part << RAILS_IMM_PART_SHIFT | (uint64_t)(pc->parts - 1) << RAILS_IMM_PARTS_SHIFT |
	       (uint64_t)op->kind << RAILS_IMM_KIND_SHIFT;
}

static int rails_post_message(struct rails_half *h, struct pnic_addr to, struct rails_piece *pc, uint64_t imm,
			      uint64_t cookie)
{
	struct rails_op *op = pc->op;
	unsigned int i = (unsigned int)pc->rail;
	struct pnic_buf buf[2];

	if (!op->region && !op->staged)
		return pnic_post_send_imm(h->ep, to, op->small, (uint32_t)op->length, 0, imm, cookie,
					  PNIC_SQF_INLINE | PNIC_SQF_SIGNALED);
	if (!op->region)
		return pnic_post_send_imm(h->ep, to, op->staged, (uint32_t)op->length, h->tx_mr->key, imm, cookie,
					  PNIC_SQF_SIGNALED);
	if (!op->hdr_length)
		return pnic_post_send_imm(h->ep, to, op->buf, (uint32_t)op->length,
					  __atomic_load_n(&op->region->now[i], __ATOMIC_RELAXED), imm, cookie,
					  PNIC_SQF_SIGNALED);
	memset(buf, 0, sizeof(buf));
	buf[0].addr = op->staged;
	buf[0].key = h->tx_mr->key;
	buf[0].length = op->hdr_length;
	buf[1].addr = (void *)(uintptr_t)op->buf;
	buf[1].key = __atomic_load_n(&op->region->now[i], __ATOMIC_RELAXED);
	buf[1].length = (uint32_t)(op->length - op->hdr_length);
	return pnic_post_sendv_imm(h->ep, to, buf, 2, imm, cookie, PNIC_SQF_SIGNALED);
}

static int rails_post_write(struct rails_half *h, struct pnic_addr to, struct rails_piece *pc, uint64_t rkey,
			    uint64_t imm, uint64_t cookie)
{
	struct rails_op *op = pc->op;
	unsigned int flags = PNIC_SQF_SIGNALED;
	bool notice = op->whole || op->noticed;
	struct pnic_sig sig = { 0 };
	const uint8_t *buf;
	uint64_t key = 0;

	if (op->region) {
		buf = op->buf + pc->off;
		key = __atomic_load_n(&op->region->now[pc->rail], __ATOMIC_RELAXED);
	} else if (op->staged) {
		buf = op->staged + pc->off;
		key = h->tx_mr->key;
	} else {
		buf = op->small + pc->off;
		flags |= PNIC_SQF_INLINE;
	}
	if (notice && op->type == PNIC_RAILS_WRITE_IMM)
		return pnic_post_write_imm(h->ep, to, buf, pc->length, key, op->raddr + pc->off, rkey, imm, cookie, flags);
	if (notice && op->type == PNIC_RAILS_WRITE_SIGNAL) {
		sig.addr = op->sig_addr;
		sig.value = op->value;
		sig.op = op->sig_op;
		if (rails_peer_key(op->peer, pc->remote, &op->sig_key, &sig.key))
			return -ENOKEY;
		if (pc->length > PNIC_SQE_MAX_INLINE - PNIC_SLOT_SIZE && (flags & PNIC_SQF_INLINE))
			return -E2BIG;
		return pnic_post_write_signal(h->ep, to, buf, pc->length, key, op->raddr + pc->off, rkey, &sig, cookie,
					      flags);
	}
	return pnic_post_write(h->ep, to, buf, pc->length, key, op->raddr + pc->off, rkey, cookie, flags);
}

static int rails_piece_post(struct rails_piece *pc)
{
	struct rails_op *op = pc->op;
	struct rails_peer *p = op->peer;
	struct rails_set *s = p->set;
	struct rails_half *h = &s->half[pc->rail];
	struct pnic_addr to = p->pub.addr.rail[pc->remote];
	uint64_t imm = rails_imm(op, pc), cookie = rails_piece_cookie(s, pc), rkey = 0;
	int err;

	if (rails_has_key(op) && rails_peer_key(p, pc->remote, &op->rkey, &rkey))
		return -ENOKEY;
	switch (op->type) {
	case PNIC_RAILS_SEND:
		err = rails_post_message(h, to, pc, imm, cookie);
		break;
	case PNIC_RAILS_READ:
		err = pnic_post_read(h->ep, to, (void *)(uintptr_t)(op->buf + pc->off), pc->length,
				     __atomic_load_n(&op->region->now[pc->rail], __ATOMIC_RELAXED), op->raddr + pc->off,
				     rkey, cookie, PNIC_SQF_SIGNALED);
		break;
	case PNIC_RAILS_FETCH_ADD:
		err = pnic_post_fetch_add(h->ep, to, (uint32_t)op->length, op->raddr, rkey, op->value, cookie,
					  PNIC_SQF_SIGNALED);
		break;
	case PNIC_RAILS_COMP_SWAP:
		err = pnic_post_comp_swap(h->ep, to, (uint32_t)op->length, op->raddr, rkey, op->compare, op->value,
					  cookie, PNIC_SQF_SIGNALED);
		break;
	default:
		err = rails_post_write(h, to, pc, rkey, imm, cookie);
		break;
	}
	if (err)
		return err;
	pc->posted = true;
	rails_list_add_tail(&h->out, &pc->at);
	h->load += pc->length + RAILS_OVERHEAD;
	h->dirty = true;
	return 0;
}

static void rails_piece_wait(struct rails_piece *pc)
{
	rails_list_add_tail(&pc->op->peer->set->waiting, &pc->at);
}

/* Nothing can be done for it now. */
static void rails_piece_stuck(struct rails_piece *pc)
{
	struct rails_op *op = pc->op;
	struct rails_set *s = op->peer->set;

	if (op->no_region) {
		rails_piece_over(pc, PNIC_ST_REMOTE_KEY);
		return;
	}
	if (!op->deadline)
		op->deadline = s->now + (int64_t)s->attr.fail_ms * 1000;
	else if (s->now >= op->deadline || op->status) {
		rails_piece_over(pc, op->last ? op->last : PNIC_RAILS_ST_NO_RAIL);
		return;
	}
	rails_piece_wait(pc);
}

/* Has the piece wait for a probe to its far card; false: no rail to send one by. */
static bool rails_probe(struct rails_piece *pc)
{
	struct rails_peer *p = pc->op->peer;
	struct rails_set *s = p->set;
	struct rails_list *e;
	struct rails_op *probe;
	unsigned int i;

	for (e = s->internals.next; e != &s->internals; e = e->next) {
		probe = rails_entry(e, struct rails_op, own);
		if (probe->peer == p && probe->probe && probe->probed == pc->remote) {
			rails_list_add_tail(&probe->blocked, &pc->at);
			return true;
		}
	}
	for (i = 0; i < s->rails->count; i++) {
		if (!rails_half_up(&s->half[i]))
			continue;
		probe = rails_hello(p, i, pc->remote, false);
		if (!probe)
			return false;
		probe->probe = true;
		probe->probed = pc->remote;
		rails_list_add_tail(&probe->blocked, &pc->at);
		return true;
	}
	return false;
}

void rails_unblock(struct rails_op *probe)
{
	struct rails_set *s = probe->peer->set;

	while (!rails_list_empty(&probe->blocked)) {
		struct rails_piece *pc = rails_entry(probe->blocked.next, struct rails_piece, at);

		rails_list_del(&pc->at);
		/* NO_RAIL: the probe itself never came through. */
		pc->probe = probe->status == PNIC_RAILS_ST_NO_RAIL;
		rails_piece_wait(pc);
	}
	s->stir = true;
}

void rails_piece_go(struct rails_piece *pc)
{
	struct rails_op *op = pc->op;
	struct rails_set *s = op->peer->set;
	int err;

	if (PNIC__UNLIKELY(pc->probe)) {
		if (!rails_probe(pc))
			rails_piece_stuck(pc);
		return;
	}
	if (PNIC__UNLIKELY(pc->have)) {
		rails_piece_over(pc, 0);
		return;
	}
	if (PNIC__UNLIKELY(pc->ask)) {
		/* Whoever was asked is there, however long he takes: his time isn't counted. */
		if (rails_ask(pc))
			rails_piece_wait(pc);
		else
			rails_piece_stuck(pc);
		return;
	}
	if (PNIC__UNLIKELY(pc->pinned)) {
		if (!rails_half_up(&s->half[pc->rail])) {
			rails_piece_over(pc, PNIC_RAILS_ST_NO_RAIL);
			return;
		}
	} else if (!rails_choose(pc)) {
		rails_piece_stuck(pc);
		return;
	}
	if (rails_takes_entry(op) && op->kind != RAILS_HELLO && (op->type == PNIC_RAILS_SEND || op->whole || op->noticed) &&
	    !rails_greeted(op->peer, pc->rail, pc->remote)) {
		if (op->peer->path[pc->rail][pc->remote].suspect)
			rails_piece_stuck(pc);
		else
			rails_piece_wait(pc);
		return;
	}
	err = rails_piece_post(pc);
	if (!err)
		return;
	if (err == -EAGAIN) {
		s->crowded++;
		rails_piece_wait(pc);
	} else if (err == -ENOKEY) {
		rails_piece_stuck(pc);
	} else {
		rails_piece_over(pc, PNIC_ST_BAD_DESC);
	}
}

void rails_retry(struct rails_set *s)
{
	struct rails_list again;
	struct rails_piece *pc;

	if (rails_list_empty(&s->waiting))
		return;
	rails_list_move(&s->waiting, &again);
	s->crowded = 0;
	/* When the rings are full the others would fare no better. */
	while (!rails_list_empty(&again) && s->crowded < RAILS_CROWD) {
		pc = rails_entry(again.next, struct rails_piece, at);
		rails_list_del(&pc->at);
		if (pc->op->status)
			rails_piece_over(pc, 0);	/* another piece failed for good */
		else
			rails_piece_go(pc);
	}
	rails_list_splice(&s->waiting, &again);
}

void rails_ring(struct rails_set *s)
{
	unsigned int i;

	for (i = 0; i < s->rails->count; i++) {
		if (!s->half[i].dirty)
			continue;
		s->half[i].dirty = false;
		pnic_ring(s->half[i].ep);
	}
}

/* ------------------------------------------------------------------------- */
/* Ends                                                                      */

static void rails_piece_took(struct rails_piece *pc)
{
	struct rails_half *h = &pc->op->peer->set->half[pc->rail];

	rails_list_del(&pc->at);
	pc->posted = false;
	h->load -= pc->length + RAILS_OVERHEAD;
}

static void rails_piece_again(struct rails_piece *pc, uint8_t status)
{
	struct rails_op *op = pc->op;
	struct rails_set *s = op->peer->set;

	op->last = status;
	op->rail = pc->rail;
	if (op->tries < UINT8_MAX)
		op->tries++;
	if (!op->deadline)
		op->deadline = s->now + (int64_t)s->attr.fail_ms * 1000;
	__atomic_fetch_add(&s->rails->rail[pc->rail].replayed, 1, __ATOMIC_RELAXED);
	if (pc->pinned) {
		rails_piece_over(pc, status);
		return;
	}
	pc->rail = PNIC_RAILS_MAX;
	pc->asked = 0;
	rails_piece_wait(pc);
	s->stir = true;
}

/* The way failed, and not what was asked for. */
static bool rails_way_failed(uint8_t status)
{
	switch (status) {
	case PNIC_ST_REMOTE_EP:
	case PNIC_ST_UNREACHABLE:
	case PNIC_ST_LINK:
	case PNIC_ST_PEER_RESET:
	case PNIC_ST_FLUSHED:
	case PNIC_ST_FATAL:
		return true;
	}
	return false;
}

static bool rails_not_begun(uint8_t status)
{
	return status == PNIC_ST_REMOTE_EP || status == PNIC_ST_UNREACHABLE;
}

static void rails_piece_ok(struct rails_piece *pc, const struct pnic_wc *wc)
{
	struct rails_op *op = pc->op;
	struct rails_peer *p = op->peer;
	struct rails_rail *rail = &p->set->rails->rail[pc->rail];
	struct rails_path *path = &p->path[pc->rail][pc->remote];

	path->failures = 0;
	op->deadline = 0;
	if (PNIC__UNLIKELY(op->kind == RAILS_HELLO)) {
		path->greeting = path->suspect ? path->greeting : 0;
		path->greeted |= !path->suspect;
		p->set->stir = true;
	}
	if (!op->tries)
		op->rail = pc->rail;
	if (op->type >= PNIC_RAILS_FETCH_ADD)
		op->value = wc->data;
	/* Other sets count on the same rail. */
	__atomic_fetch_add(&rail->bytes, pc->length, __ATOMIC_RELAXED);
	__atomic_fetch_add(&rail->transfers, 1, __ATOMIC_RELAXED);
	rails_piece_over(pc, 0);
}

void rails_piece_end(struct rails_piece *pc, const struct pnic_wc *wc)
{
	struct rails_op *op = pc->op;
	struct rails_peer *p = op->peer;
	struct rails_set *s = p->set;
	uint8_t status = wc->status;

	rails_piece_took(pc);
	if (!status) {
		rails_piece_ok(pc, wc);
		return;
	}
	s->now = pnic_now_us();
	op->rail = pc->rail;
	if (rails_way_failed(status)) {
		rails_path_failed(p, pc->rail, pc->remote, status);
		if (!rails_repeatable(op) && !rails_not_begun(status)) {
			rails_piece_over(pc, PNIC_RAILS_ST_UNCERTAIN);
			return;
		}
		pc->ask = !rails_not_begun(status) && rails_must_ask(pc);
		rails_piece_again(pc, status);
		return;
	}
	if (status == PNIC_ST_REMOTE_MOVED || status == PNIC_ST_LOCAL_MOVED) {
		p->path[pc->rail][pc->remote].down_until = s->now + RAILS_MOVED_US;
		rails_piece_again(pc, status);
		return;
	}
	/* The far card may have been opened anew without our hearing of it yet. */
	if (status == PNIC_ST_REMOTE_KEY && rails_has_key(op) && !rails_peer_doubt(p, pc->remote, &op->rkey)) {
		rails_piece_again(pc, status);
		return;
	}
	if (status == PNIC_ST_LOCAL_KEY && s->half[pc->rail].gen != __atomic_load_n(&s->rails->rail[pc->rail].gen, __ATOMIC_ACQUIRE)) {
		rails_piece_again(pc, status);
		return;
	}
	rails_piece_over(pc, status);
}

void rails_pieces_lost(struct rails_set *s, unsigned int rail)
{
	struct rails_half *h = &s->half[rail];
	struct rails_list lost;
	struct rails_piece *pc;
	struct rails_op *op;

	if (rails_list_empty(&h->out))
		return;
	rails_list_move(&h->out, &lost);
	while (!rails_list_empty(&lost)) {
		pc = rails_entry(lost.next, struct rails_piece, at);
		op = pc->op;
		rails_piece_took(pc);
		if (pc->pinned) {
			rails_piece_over(pc, PNIC_RAILS_ST_NO_RAIL);
			continue;
		}
		if (!rails_repeatable(op)) {
			op->rail = (uint8_t)rail;
			rails_piece_over(pc, PNIC_RAILS_ST_UNCERTAIN);
			continue;
		}
		/* Reads leave nothing at the far end, and what answers them finds the card gone. */
		pc->probe = op->type != PNIC_RAILS_READ;
		pc->ask = rails_must_ask(pc);
		rails_piece_again(pc, PNIC_ST_FATAL);
	}
}
