// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Messages: each once, and in the order in which they were posted.
 *
 * Mostly they come in order, over one rail, and are handed on as they lie. Those that come early wait in the peer's window: their bytes are
 * copied, so that no receive entry is kept that the one that is missing might need; without memory for that it is kept all the same,
 * since a message that its sender thinks has arrived must not be lost.
 */
#include <stdlib.h>

#include "rails.h"

void rails_rx_post(struct rails_set *s, struct rails_rxbuf *b)
{
	struct rails_half *h = &s->half[b->rail];

	b->held = NULL;
	if (!h->ep || h->dying || b->posted)
		return;
	if (pnic_post_recv(h->ep, b->data, s->attr.max_send, h->rx_mr->key, b->index))
		return;
	b->posted = true;
	if (h->ep->rq_tail - h->ep->rq_rung >= s->attr.recv_entries / 4 || !s->turns)
		pnic_ring_recv(h->ep);
}

void rails_window_free(struct rails_peer *p)
{
	unsigned int i;

	if (!p->window)
		return;
	for (i = 0; i < p->set->window; i++)
		free(p->window[i].data);
	free(p->window);
	p->window = NULL;
}

bool rails_window_empty(const struct rails_peer *p)
{
	unsigned int i;

	for (i = 0; p->window && i < p->set->window; i++)
		if (p->window[i].want)
			return false;
	return true;
}

static void rails_wc_message(struct rails_peer *p, struct pnic_rails_wc *wc, bool is_send, uint32_t imm, void *data,
			     uint32_t length, void *token)
{
	memset(wc, 0, sizeof(*wc));
	wc->peer = &p->pub;
	wc->op = is_send ? PNIC_RAILS_RECV : PNIC_RAILS_RECV_IMM;
	wc->imm = imm;
	wc->data = data;
	wc->length = length;
	wc->token = token;
}

static struct rails_slot *rails_slot(struct rails_peer *p, uint32_t seq)
{
	return &p->window[seq & (p->set->window - 1)];
}

static void rails_is_ready(struct rails_peer *p)
{
	struct rails_slot *slot = rails_slot(p, p->rx_next);

	if (slot->want && slot->have == slot->want && rails_list_empty(&p->ready))
		rails_list_add_tail(&p->set->ready, &p->ready);
}

/*
 * A part that is not the next message in one piece. False: no memory.
 *
 * What a peer says is not trusted: bytes that are sent come in one part, and all parts of a message agree in how many
 * there are, or else a length would be told that the bytes don't have.
 */
static bool rails_early(struct rails_peer *p, uint32_t ahead, const struct pnic_wc *in, const uint8_t *data)
{
	uint32_t part = in->data >> RAILS_IMM_PART_SHIFT & 0xf, parts = (in->data >> RAILS_IMM_PARTS_SHIFT & 0xf) + 1;
	uint16_t want = (uint16_t)((1u << parts) - 1);
	struct rails_copy *copy = NULL;
	struct rails_slot *slot;

	if (part >= parts || (data && parts > 1))
		return true;			/* nonsense */
	if (!p->window)
		p->window = calloc(p->set->window, sizeof(*p->window));
	if (!p->window)
		return false;
	slot = rails_slot(p, p->rx_next + ahead);
	if (slot->have & 1u << part || (slot->want && slot->want != want))
		return true;			/* it came twice, or is nonsense */
	if (data) {
		copy = malloc(sizeof(*copy) + in->length);
		if (!copy)
			return false;
		copy->magic = RAILS_COPY;
		copy->held = p;
		memcpy(copy->data, data, in->length);
	}
	slot->have |= 1u << part;
	slot->want = want;
	slot->imm = (uint32_t)in->data;
	slot->length += in->length;
	if (data) {
		slot->is_send = true;
		slot->data = copy;
	}
	rails_is_ready(p);
	return true;
}

static void rails_slot_clear(struct rails_slot *slot)
{
	memset(slot, 0, sizeof(*slot));
}

/*
 * The message of this place has come in one piece. False: it was there already, and is delivered from there. Parts of
 * another are nonsense.
 */
static bool rails_slot_left(struct rails_slot *slot)
{
	if (!slot->want)
		return true;
	if (slot->have == slot->want)
		return false;
	free(slot->data);
	rails_slot_clear(slot);
	return true;
}

bool rails_have(struct rails_peer *p, uint32_t seq, uint32_t part)
{
	uint32_t ahead = (seq - p->rx_next) & RAILS_SEQ_MASK;

	if (ahead > RAILS_SEQ_MASK / 2)
		return true;
	return ahead < p->set->window && p->window && rails_slot(p, p->rx_next + ahead)->have & 1u << part;
}

int rails_deliver(struct rails_set *s, struct pnic_rails_wc *wc, int max)
{
	int n = 0;

	while (n < max && !rails_list_empty(&s->ready)) {
		struct rails_peer *p = rails_entry(s->ready.next, struct rails_peer, ready);
		struct rails_slot *slot = rails_slot(p, p->rx_next);
		struct rails_copy *copy = slot->data;

		rails_list_del(&p->ready);
		if (!slot->want || slot->have != slot->want)
			continue;
		rails_wc_message(p, &wc[n++], slot->is_send, slot->imm, copy ? copy->data : NULL, slot->length, copy);
		p->unreleased += copy != NULL;
		rails_slot_clear(slot);
		p->rx_next++;
		if (p->skipping)
			rails_got_resync(p, p->skip_to);
		else
			rails_is_ready(p);
	}
	return n;
}

void rails_got_resync(struct rails_peer *p, uint32_t seq)
{
	uint32_t skip = (seq - p->rx_next) & RAILS_SEQ_MASK;
	struct rails_slot *slot;

	if (skip > p->set->window)
		return;			/* an old one, once more */
	for (; skip; skip--, p->rx_next++) {
		if (!p->window)
			continue;
		slot = rails_slot(p, p->rx_next);
		/* Those that did come, whole, and wait only for ones that never will, come first. */
		if (slot->want && slot->have == slot->want) {
			rails_is_ready(p);
			p->skip_to = seq;
			p->skipping = true;
			return;
		}
		free(slot->data);
		rails_slot_clear(slot);
	}
	p->skipping = false;
	if (p->window)
		rails_is_ready(p);
}

/*
 * Those before @seq that will never come were told of. Those that did come lie in the queues, of other rails perhaps, so
 * they are looked through first.
 */
static void rails_note_resync(struct rails_peer *p, uint32_t seq)
{
	struct rails_set *s = p->set;

	s->skips += !p->skip_noted;
	p->skip_noted = true;
	p->skip_next = seq;
	p->skip_wait = (1u << s->rails->count) - 1;
}

/* The queue of rail @i was seen empty. */
void rails_seen_empty(struct rails_set *s, unsigned int i)
{
	struct rails_peer *p;

	for (p = s->peers; p; p = p->next)
		p->skip_wait &= ~(1u << i);
	rails_questions_seen(s, i);
}

void rails_skip(struct rails_set *s)
{
	struct rails_peer *p;
	unsigned int i;

	for (i = 0; i < s->rails->count; i++)
		if (!s->half[i].card)
			rails_seen_empty(s, i);
	/* What waits for memory came before, too. */
	if (!rails_list_empty(&s->late))
		return;
	for (p = s->peers; p; p = p->next) {
		if (!p->skip_noted || p->skip_wait)
			continue;
		p->skip_noted = false;
		s->skips--;
		rails_got_resync(p, p->skip_next);
	}
	rails_answer(s);
}

/* The library's own. */
static void rails_control(struct rails_set *s, unsigned int rail, const struct pnic_wc *in, enum rails_kind kind,
			  const uint8_t *data)
{
	uint32_t seq = (uint32_t)(in->data >> RAILS_IMM_SEQ_SHIFT) & RAILS_SEQ_MASK;
	struct rails_peer *p;

	if (kind == RAILS_HELLO) {
		rails_got_hello(s, rail, pnic_wc_peer(in), data, in->length);
		return;
	}
	p = rails_peer_by_source(s, pnic_wc_peer(in));
	if (!p)
		return;
	if (kind == RAILS_RESYNC)
		rails_note_resync(p, seq);
	else if (kind == RAILS_ASK_MESSAGE)
		rails_got_question(p, seq, (uint32_t)in->data);
	else if (kind == RAILS_ANSWER)
		rails_got_answer(p, seq, (uint32_t)in->data);
	else if (kind == RAILS_ASK_KEY || kind == RAILS_NEW_KEY)
		rails_got_rekey(p, kind, data, in->length);
}

static struct rails_rxbuf *rails_rxbuf_of(struct rails_set *s, unsigned int rail, uint64_t cookie)
{
	struct rails_rxbuf *b;

	if (cookie >= (uint64_t)s->rails->count * s->attr.recv_entries)
		return NULL;
	b = &s->rxbufs[cookie];
	return b->rail == rail && b->posted ? b : NULL;
}

/* What came into @b, which is not posted any more. 1: @out is a message. */
static int rails_take(struct rails_set *s, unsigned int rail, struct rails_rxbuf *b, const struct pnic_wc *in,
		      struct pnic_rails_wc *out)
{
	bool is_send = in->opcode == PNIC_OP_RECV_IMM;
	enum rails_kind kind = in->data >> RAILS_IMM_KIND_SHIFT;
	struct rails_peer *p;
	uint32_t ahead;

	if (in->status || in->length > s->attr.max_send * (uint64_t)is_send + UINT32_MAX * (uint64_t)!is_send ||
	    (!is_send && in->opcode != PNIC_OP_RECV_WRITE_IMM))
		goto again;
	if (PNIC__UNLIKELY(kind != RAILS_MESSAGE)) {
		if (is_send)
			rails_control(s, rail, in, kind, b->data);
		goto again;
	}
	p = rails_peer_by_source(s, pnic_wc_peer(in));
	if (!p)
		goto again;		/* nobody who said who he is */
	ahead = (uint32_t)((in->data >> RAILS_IMM_SEQ_SHIFT) - p->rx_next) & RAILS_SEQ_MASK;
	if (ahead >= s->window)
		goto again;		/* it came already, on another rail */
	if (ahead || in->data >> RAILS_IMM_PARTS_SHIFT & 0xf) {
		if (rails_early(p, ahead, in, is_send ? b->data : NULL))
			goto again;
		/* Its sender was told that it arrived, so it is kept where it lies until there is memory. */
		b->in = *in;
		b->late = true;
		rails_list_add_tail(&s->late, &b->at);
		return 0;
	}
	if (PNIC__UNLIKELY(p->window) && !rails_slot_left(rails_slot(p, p->rx_next)))
		goto again;
	rails_wc_message(p, out, is_send, (uint32_t)in->data, is_send ? b->data : NULL, in->length, is_send ? b : NULL);
	p->rx_next++;
	if (p->window)
		rails_is_ready(p);
	if (is_send) {
		b->held = p;
		p->unreleased++;
	} else {
		rails_rx_post(s, b);
	}
	return 1;

again:
	rails_rx_post(s, b);
	return 0;
}

int rails_received(struct rails_set *s, unsigned int rail, const struct pnic_wc *in, struct pnic_rails_wc *out)
{
	struct rails_rxbuf *b = rails_rxbuf_of(s, rail, in->cookie);

	if (!b)
		return 0;
	b->posted = false;
	return rails_take(s, rail, b, in, out);
}

int rails_late(struct rails_set *s, struct pnic_rails_wc *wc, int max)
{
	struct rails_list list;
	struct rails_rxbuf *b;
	int n = 0;

	rails_list_move(&s->late, &list);
	while (n < max && !rails_list_empty(&list)) {
		b = rails_entry(list.next, struct rails_rxbuf, at);
		rails_list_del(&b->at);
		b->late = false;
		n += rails_take(s, b->rail, b, &b->in, &wc[n]);
	}
	rails_list_splice(&s->late, &list);
	return n;
}

PNIC_EXPORT void pnic_rails_release(struct pnic_rails_ep *ep, const struct pnic_rails_wc *wc)
{
	struct rails_set *s = rails_set(ep);
	struct rails_rxbuf *b;
	struct rails_copy *copy;

	if (!ep || !wc || !wc->token)
		return;
	b = wc->token;
	if (b >= s->rxbufs && b < s->rxbufs + (size_t)s->rails->count * s->attr.recv_entries) {
		if (!b->held)
			return;
		b->held->unreleased--;
		rails_rx_post(s, b);
		return;
	}
	copy = wc->token;
	if (copy->magic != RAILS_COPY)
		return;
	copy->held->unreleased--;
	copy->magic = 0;
	free(copy);
}
