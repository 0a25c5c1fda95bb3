// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The loop that drives an endpoint set: completions, cards that were lost or came back, what waits; and sleeping.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <pnic_embedded.h>

#include "rails.h"

#define RAILS_BATCH		16
#define RAILS_LOOK_TURNS	64		/* polls between two looks at the cards */
#define RAILS_LOOK_US		1000		/* and while something waits so often */
#define RAILS_SURE_US		100000		/* and in any case: what the kernel says by the file alone */
#define RAILS_SILENT_US		20000		/* so long what a lost card had under way waits for its last completions */
#define RAILS_NAP_MS		5		/* sleep while something has to be tried again */
#define RAILS_TELL_SHARE	16		/* rates that changed by less than one in so many aren't told of */

static int rails_half_poll(struct rails_set *s, unsigned int i, struct pnic_rails_wc *wc, int max, bool *empty)
{
	struct rails_half *h = &s->half[i];
	struct pnic_wc in[RAILS_BATCH];
	struct rails_piece *pc;
	int n = 0, k, got;

	if (max > RAILS_BATCH)
		max = RAILS_BATCH;
	got = pnic_poll(h->cq, in, max);
	*empty = !got;
	for (k = 0; k < got; k++) {
		if (in[k].opcode & 0x80) {
			n += rails_received(s, i, &in[k], &wc[n]);
			continue;
		}
		pc = rails_piece_of(s, in[k].cookie);
		if (pc && pc->rail == i)
			rails_piece_end(pc, &in[k]);
	}
	if (PNIC__UNLIKELY(s->skips && got < max))
		rails_seen_empty(s, i);
	if (!h->dying && h->ep->rq_rung != h->ep->rq_tail &&
	    (!got || h->ep->rq_tail - h->ep->rq_rung >= s->attr.recv_entries / 4))
		pnic_ring_recv(h->ep);
	return n;
}

/*
 * A card is known to be lost before it is silent: until then messages may come whose senders are told that they arrived.
 * So its half goes when the queue was found empty (@empty) after the kernel had said that nothing more comes. What it
 * had under way waits for that too, but not for long.
 */
static void rails_half_dying(struct rails_set *s, unsigned int i, bool empty)
{
	struct rails_half *h = &s->half[i];

	if (!h->dying) {
		h->dying = true;
		h->died = s->now;
		s->stir = true;
	}
	if (h->silent && empty) {
		rails_pieces_lost(s, i);
		rails_half_drop(s, i);
		s->stir = true;
		return;
	}
	if (!h->silent)
		h->silent = rails_card_silent(h->card);
	if (empty && s->now - h->died >= RAILS_SILENT_US && !rails_list_empty(&h->out)) {
		rails_pieces_lost(s, i);
		s->stir = true;
	}
}

/* A card that was lost goes; one that is there again comes. */
static void rails_half_check(struct rails_set *s, unsigned int i, bool empty)
{
	struct rails_half *h = &s->half[i];

	if (h->card && (h->dying || rails_card_dead(h->card)))
		rails_half_dying(s, i, empty);
	if (!h->card) {
		if (h->again ? s->now >= h->again :
		    __atomic_load_n(&s->rails->rail[i].gen, __ATOMIC_ACQUIRE) != h->gen)
			rails_half_make(s, i);
		return;
	}
	if (h->dying)
		return;
	if (pnic_status_changes(h->card->ctx) != h->changes) {
		rails_half_rate(h);
		s->stir = true;
	}
}

/* Peers are told when an endpoint of ours is another, and when what a link can take changed by more than a little. */
static void rails_news(struct rails_set *s)
{
	struct pnic_rails_addr addr;
	bool any = false, news;
	uint32_t diff, told;
	unsigned int i;

	rails_own_addr(s, &addr);
	news = rails_addr_sum(&addr) != s->told_addr;
	for (i = 0; i < addr.count; i++) {
		told = s->told_rate[i];
		diff = addr.rate[i] > told ? addr.rate[i] - told : told - addr.rate[i];
		news |= diff > told / RAILS_TELL_SHARE;
		any |= addr.rate[i] > 0;
	}
	if (!any || !news)
		return;
	s->told_addr = rails_addr_sum(&addr);
	memcpy(s->told_rate, addr.rate, sizeof(s->told_rate));
	rails_tell(s);
}

static bool rails_changed(const struct rails_set *s)
{
	const struct rails_half *h;
	unsigned int i;

	for (i = 0; i < s->rails->count; i++) {
		h = &s->half[i];
		if (!h->card || h->dying || rails_card_dead(h->card) || pnic_status_changes(h->card->ctx) != h->changes)
			return true;
	}
	return false;
}

static void rails_look_round(struct rails_set *s, unsigned int empty)
{
	struct rails_peer *p;
	unsigned int i;

	s->now = pnic_now_us();
	if (s->now - s->looked >= RAILS_SURE_US || (s->now - s->looked >= RAILS_LOOK_US && rails_changed(s))) {
		s->looked = s->now;
		rails_look(s->rails, s->now);
		for (i = 0; i < s->rails->count; i++)
			rails_half_check(s, i, empty & 1u << i);
		rails_news(s);
	}
	if (s->troubled) {
		s->troubled = false;
		for (p = s->peers; p; p = p->next) {
			if (p->resync)
				rails_resync(p);
			if (p->untold)
				rails_tell_peer(p);
		}
	}
}

static bool rails_waits(const struct rails_set *s)
{
	return !rails_list_empty(&s->waiting) || !rails_list_empty(&s->feeding);
}

static void rails_advance(struct rails_set *s, unsigned int empty, bool idle)
{
	int rounds;

	if (s->turns % RAILS_LOOK_TURNS == 0 || s->troubled || (idle && (rails_waits(s) || rails_changed(s))))
		rails_look_round(s, empty);
	for (rounds = 0; rounds < 4 && (s->stir || (rounds == 0 && rails_waits(s))); rounds++) {
		s->stir = false;
		rails_retry(s);
		rails_feed(s);
	}
	rails_ring(s);
}

/* ------------------------------------------------------------------------- */

static int rails_tell_done(struct rails_set *s, struct pnic_rails_wc *wc, int max)
{
	struct rails_op *op;
	int n = 0;

	while (n < max && !rails_list_empty(&s->done)) {
		op = rails_entry(s->done.next, struct rails_op, at);
		rails_list_del(&op->at);
		memset(&wc[n], 0, sizeof(wc[n]));
		wc[n].cookie = op->cookie;
		wc[n].peer = &op->peer->pub;
		wc[n].length = op->length;
		if (op->type >= PNIC_RAILS_FETCH_ADD)
			wc[n].value = op->value;
		wc[n].op = op->type;
		wc[n].status = op->status;
		wc[n].rail = op->rail;
		wc[n].tries = op->tries;
		op->peer->told_of++;
		rails_op_put(op);
		n++;
	}
	return n;
}

PNIC_EXPORT int pnic_rails_poll(struct pnic_rails_ep *ep, struct pnic_rails_wc *wc, int max)
{
	struct rails_set *s = rails_set(ep);
	unsigned int count, empty = 0, k, i;
	bool nothing;
	int n = 0;

	if (!ep || (max > 0 && !wc) || max < 0)
		return -EINVAL;
	s->turns++;
	count = s->rails->count;
	if (!rails_list_empty(&s->ready))
		n += rails_deliver(s, wc, max);
	if (!rails_list_empty(&s->late))
		n += rails_late(s, wc + n, max - n);
	for (k = 0; k < count && n < max; k++) {
		i = count == 1 ? 0 : (k + s->turns) % count;
		if (!s->half[i].card)
			continue;
		n += rails_half_poll(s, i, wc + n, max - n, &nothing);
		if (nothing)
			empty |= 1u << i;
	}
	if (PNIC__UNLIKELY(s->skips))
		rails_skip(s);
	if (s->stir || s->troubled || s->turns % RAILS_LOOK_TURNS == 0 || rails_waits(s) || (!n && rails_changed(s)))
		rails_advance(s, empty, !n);
	else
		rails_ring(s);
	if (n < max && !rails_list_empty(&s->done))
		n += rails_tell_done(s, wc + n, max - n);
	if (n < max && !rails_list_empty(&s->ready))
		n += rails_deliver(s, wc + n, max - n);
	return n;
}

/* Whether pnic_rails_poll() has something to do now. */
static bool rails_pending(const struct rails_set *s)
{
	uint32_t flags;
	unsigned int i;

	if (!rails_list_empty(&s->done) || !rails_list_empty(&s->ready) || s->stir || (s->skips && rails_list_empty(&s->late)))
		return true;
	for (i = 0; i < s->rails->count; i++) {
		const struct rails_half *h = &s->half[i];

		if (!h->card)
			continue;
		if (pnic__cqe_ready(h->cq, &flags) || h->silent || (!h->dying && rails_card_dead(h->card)))
			return true;
	}
	return false;
}

/* Something has to be tried again by the clock, whatever comes. */
static bool rails_restless(const struct rails_set *s)
{
	unsigned int i;

	if (s->troubled || rails_waits(s) || !rails_list_empty(&s->late))
		return true;
	for (i = 0; i < s->rails->count; i++)
		if (!rails_half_up(&s->half[i]))
			return true;
	return false;
}

PNIC_EXPORT int pnic_rails_arm(struct pnic_rails_ep *ep)
{
	struct itimerspec nap = { .it_value.tv_nsec = RAILS_NAP_MS * 1000000 };
	struct rails_set *s = rails_set(ep);
	bool ready = false;
	unsigned int i;
	uint64_t count;

	if (!ep)
		return pnic_fail(-EINVAL, "pnic_rails_arm: NULL argument");
	rails_ring(s);
	while (read(s->eventfd, &count, sizeof(count)) > 0 || read(s->timerfd, &count, sizeof(count)) > 0)
		;
	for (i = 0; i < s->rails->count; i++) {
		if (!s->half[i].card)
			continue;
		if (s->half[i].dying) {
			s->half[i].silent |= rails_card_silent(s->half[i].card);
			continue;
		}
		if (s->half[i].ep->rq_rung != s->half[i].ep->rq_tail)
			pnic_ring_recv(s->half[i].ep);
		ready |= pnic_arm(s->half[i].cq) > 0;
	}
	/* Takes what the contexts' files have to tell. */
	rails_look(s->rails, pnic_now_us());
	if (rails_restless(s))
		timerfd_settime(s->timerfd, 0, &nap, NULL);
	return ready || rails_pending(s);
}

PNIC_EXPORT int pnic_rails_fd(struct pnic_rails_ep *ep)
{
	return ep ? rails_set(ep)->epoll : pnic_fail(-EINVAL, "pnic_rails_fd: NULL argument");
}

static void rails_drive(struct rails_set *s)
{
	unsigned int i;

	for (i = 0; i < s->rails->count; i++)
		if (s->half[i].card)
			pnic_embedded_drive(s->half[i].card->ctx);
}

PNIC_EXPORT int pnic_rails_wait(struct pnic_rails_ep *ep, int timeout_ms)
{
	struct rails_set *s = rails_set(ep);
	int64_t deadline, spin;
	struct pollfd pfd;
	int slice, ret;

	if (!ep)
		return pnic_fail(-EINVAL, "pnic_rails_wait: NULL argument");
	if (rails_pending(s))
		return 0;
	if (!timeout_ms)
		return -ETIMEDOUT;
	s->now = pnic_now_us();
	deadline = timeout_ms < 0 ? -1 : s->now + (int64_t)timeout_ms * 1000;
	spin = pnic_spin_end(s->now, (uint32_t)s->attr.spin_us, deadline);
	while (pnic_now_us() < spin) {
		rails_drive(s);
		if (rails_pending(s))
			return 0;
	}
	pfd.fd = s->epoll;
	pfd.events = POLLIN;
	while ((slice = pnic_slice_ms(deadline))) {
		if (pnic_rails_arm(ep))
			return 0;
		ret = poll(&pfd, 1, slice);
		if (ret < 0 && errno != EINTR)
			return pnic_fail(-errno, "pnic_rails_wait: %s", strerror(errno));
		if (rails_pending(s) || rails_restless(s))
			return 0;
	}
	return -ETIMEDOUT;
}

static const char *const rails_ops[] = {
	[PNIC_RAILS_SEND] = "send", [PNIC_RAILS_WRITE] = "write", [PNIC_RAILS_WRITE_IMM] = "write with immediate",
	[PNIC_RAILS_WRITE_SIGNAL] = "write with signal", [PNIC_RAILS_READ] = "read",
	[PNIC_RAILS_FETCH_ADD] = "fetch-add", [PNIC_RAILS_COMP_SWAP] = "compare-swap",
	[PNIC_RAILS_RECV] = "message", [PNIC_RAILS_RECV_IMM] = "immediate",
};

PNIC_EXPORT const char *pnic_rails_wc_str(const struct pnic_rails_wc *wc, char *buf, size_t size)
{
	const struct rails_peer *p;
	const char *op = "transfer", *rail = "no rail";

	if (!buf || !size)
		return buf;
	if (!wc || !wc->peer) {
		snprintf(buf, size, "no completion");
		return buf;
	}
	p = rails_peer(wc->peer);
	if (wc->op < sizeof(rails_ops) / sizeof(rails_ops[0]) && rails_ops[wc->op])
		op = rails_ops[wc->op];
	if (wc->rail < p->set->rails->count)
		rail = p->set->rails->rail[wc->rail].name;
	snprintf(buf, size, "rail %u (%s): %s of %llu bytes %s %#08x/%u: %s", wc->rail, rail, op,
		 (unsigned long long)wc->length, wc->op >= PNIC_RAILS_RECV ? "from" : "to", p->pub.addr.rail[0].nic,
		 p->pub.addr.rail[0].ep, pnic_status_str(wc->status));
	return buf;
}
