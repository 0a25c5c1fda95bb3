// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Endpoint sets: an endpoint, its queue and its buffers on each rail, which come and go with the card.
 */
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "rails.h"

#define RAILS_DEF_SQ		512
#define RAILS_DEF_RECV		256
#define RAILS_DEF_SEND		4096
#define RAILS_MAX_SEND		(1u << 20)
#define RAILS_DEF_OPS		1024
#define RAILS_DEF_BUFFERS	128
#define RAILS_DEF_STRIPE	65536
#define RAILS_DEF_RNR_US	10000000
#define RAILS_DEF_FAIL_MS	2000
#define RAILS_LIMIT		(1u << 20)	/* of any count */
#define RAILS_MAX_RECV		(1u << 15)	/* so that half of the sequence numbers hold what all rails may have */
#define RAILS_MAKE_MIN_US	10000		/* a half that could not be made: the first pause, and the longest */
#define RAILS_MAKE_MAX_US	1000000
#define RAILS_SPARE_PIECES	64		/* for the library's own messages */

void rails_half_rate(struct rails_half *h)
{
	struct pnic_status_page page;

	h->changes = pnic_status_changes(h->card->ctx);
	if (pnic_link_status(h->card->ctx, &page)) {
		h->changes--;
		return;
	}
	h->link = page.link_state == 1;
	h->rate = page.rate_mbps ? page.rate_mbps : 1;
	h->rate_rx = page.rate_rx_mbps;
}

static void rails_watch(struct rails_set *s, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev);
}

void rails_half_drop(struct rails_set *s, unsigned int i)
{
	struct rails_half *h = &s->half[i];
	uint32_t k;

	if (!h->card)
		return;
	epoll_ctl(s->epoll, EPOLL_CTL_DEL, pnic_fd(h->card->ctx), NULL);
	pnic_ep_destroy(h->ep);
	pnic_cq_destroy(h->cq);
	pnic_mr_dereg(h->tx_mr);
	pnic_mr_dereg(h->rx_mr);
	rails_card_put(s->rails, h->card);
	h->card = NULL;
	h->ep = NULL;
	h->cq = NULL;
	h->tx_mr = NULL;
	h->rx_mr = NULL;
	h->dirty = false;
	h->dying = false;
	h->silent = false;
	for (k = 0; k < s->attr.recv_entries; k++)
		s->rxbufs[i * s->attr.recv_entries + k].posted = false;
}

int rails_half_make(struct rails_set *s, unsigned int i)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .flags = PNIC_CQ_EVENTFD, .eventfd = s->eventfd, .spin_us = -1 };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = s->attr.sq_slots, .rq_entries = s->attr.recv_entries,
				   .rnr_timeout_us = s->attr.rnr_timeout_us };
	struct rails_half *h = &s->half[i];
	struct rails_rxbuf *b;
	struct pnic_ctx *ctx;
	uint16_t gen;
	uint32_t k;
	int err;

	h->card = rails_card_get(s->rails, i, &gen);
	if (!h->card) {
		h->gen = gen;		/* the next card has another */
		h->again = 0;
		return -ENODEV;
	}
	ctx = h->card->ctx;
	rails_watch(s, pnic_fd(ctx));
	ca.entries = pnic_cq_entries(ea.sq_slots, ea.rq_entries, 1);
	err = pnic_cq_create(ctx, &ca, &h->cq);
	if (err)
		goto fail;
	ea.send_cq = h->cq;
	err = pnic_ep_create(ctx, &ea, &h->ep);
	if (err)
		goto fail;
	err = pnic_mr_reg(ctx, s->tx_mem, s->tx_len, 0, &h->tx_mr);
	if (err)
		goto fail;
	err = pnic_mr_reg(ctx, s->rx_mem + (size_t)i * s->attr.recv_entries * s->attr.max_send,
			  (uint64_t)s->attr.recv_entries * s->attr.max_send, PNIC_MRF_LOCAL_WRITE, &h->rx_mr);
	if (err)
		goto fail;
	for (k = 0; k < s->attr.recv_entries; k++) {
		b = &s->rxbufs[i * s->attr.recv_entries + k];
		if (!b->held && !b->late)
			rails_rx_post(s, b);
	}
	h->gen = gen;
	h->again = 0;
	h->load = 0;
	rails_half_rate(h);
	rails_paths_reset(s, i);
	s->stir = true;
	return 0;

fail:
	/* A card that dies meanwhile is lost, whichever way it failed. */
	if (rails_card_dead(h->card))
		err = -EIO;
	rails_half_drop(s, i);
	/* Memory, or a place in the card, may be had later. */
	if (!h->again || h->delay > RAILS_MAKE_MAX_US / 2)
		h->delay = h->again ? RAILS_MAKE_MAX_US : RAILS_MAKE_MIN_US;
	else
		h->delay *= 2;
	h->again = pnic_now_us() + h->delay;
	return err;
}

void rails_own_addr(struct rails_set *s, struct pnic_rails_addr *addr)
{
	unsigned int i;

	memset(addr, 0, sizeof(*addr));
	addr->id = s->id;
	addr->count = s->rails->count;
	addr->max_send = s->attr.max_send;
	for (i = 0; i < PNIC_RAILS_MAX; i++)
		addr->rail[i].ep = PNIC_EP_NONE;
	for (i = 0; i < addr->count; i++) {
		addr->gen[i] = s->half[i].gen;
		addr->rail[i].nic = s->rails->rail[i].nic;
		if (!rails_half_up(&s->half[i]))
			continue;
		addr->rail[i] = s->half[i].ep->addr;
		addr->rate[i] = s->half[i].link ? s->half[i].rate_rx : 0;
	}
}

PNIC_EXPORT int pnic_rails_ep_addr(struct pnic_rails_ep *ep, struct pnic_rails_addr *addr)
{
	if (!ep || !addr)
		return pnic_fail(-EINVAL, "pnic_rails_ep_addr: NULL argument");
	rails_own_addr(rails_set(ep), addr);
	return 0;
}

static uint32_t rails_default(uint32_t val, uint32_t def)
{
	return val ? val : def;
}

static int rails_attr(const struct pnic_rails_ep_attr *attr, struct pnic_rails_ep_attr *a)
{
	memset(a, 0, sizeof(*a));
	if (attr && (pnic_copy_attr(a, sizeof(*a), sizeof(*a), attr, attr->size) || a->flags || a->rsvd))
		return pnic_fail(-EINVAL, "pnic_rails_ep_create: bad size, flags or reserved member");
	a->sq_slots = rails_default(a->sq_slots, RAILS_DEF_SQ);
	a->recv_entries = rails_default(a->recv_entries, RAILS_DEF_RECV);
	a->max_send = rails_default(a->max_send, RAILS_DEF_SEND);
	a->max_ops = rails_default(a->max_ops, RAILS_DEF_OPS);
	a->send_buffers = rails_default(a->send_buffers, RAILS_DEF_BUFFERS);
	a->stripe_min = rails_default(a->stripe_min, RAILS_DEF_STRIPE);
	a->rnr_timeout_us = rails_default(a->rnr_timeout_us, RAILS_DEF_RNR_US);
	a->fail_ms = rails_default(a->fail_ms, RAILS_DEF_FAIL_MS);
	a->spin_us = a->spin_us < 0 ? 0 : (int32_t)rails_default((uint32_t)a->spin_us, PNIC_SPIN_DEFAULT_US);
	if (a->max_send > RAILS_MAX_SEND || a->max_send < sizeof(struct rails_hello) || a->max_ops > RAILS_LIMIT ||
	    a->send_buffers > RAILS_LIMIT || a->recv_entries > RAILS_MAX_RECV || a->fail_ms > INT32_MAX / 1000)
		return pnic_fail(-EINVAL, "pnic_rails_ep_create: max_send %u (%zu to %u), max_ops, send_buffers, recv_entries or fail_ms out of range",
				 a->max_send, sizeof(struct rails_hello), RAILS_MAX_SEND);
	a->max_send = (a->max_send + 63) & ~63u;
	return 0;
}

/* Pages of their own, so that what a child of fork() writes near them is nobody's concern. */
static uint8_t *rails_pages(size_t len)
{
	void *mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

static int rails_set_alloc(struct rails_set *s)
{
	uint32_t rails = s->rails->count, entries = s->attr.recv_entries, i;

	for (s->window = 1; s->window < rails * entries + RAILS_WINDOW; s->window <<= 1)
		;
	s->piece_count = 2 * s->attr.max_ops + RAILS_SPARE_PIECES;
	s->tx_len = (size_t)s->attr.send_buffers * s->attr.max_send;
	s->rx_len = (size_t)rails * entries * s->attr.max_send;
	s->ops = calloc(s->attr.max_ops, sizeof(*s->ops));
	s->pieces = calloc(s->piece_count, sizeof(*s->pieces));
	s->tx_free = calloc(s->attr.send_buffers, sizeof(*s->tx_free));
	s->rxbufs = calloc((size_t)rails * entries, sizeof(*s->rxbufs));
	s->tx_mem = rails_pages(s->tx_len);
	s->rx_mem = rails_pages(s->rx_len);
	if (!s->ops || !s->pieces || !s->tx_free || !s->rxbufs || !s->tx_mem || !s->rx_mem)
		return pnic_fail(-ENOMEM, "pnic_rails_ep_create: out of memory");
	for (i = s->attr.max_ops; i--;)
		rails_list_add_tail(&s->free_ops, &s->ops[i].at);
	for (i = 0; i < s->piece_count; i++)
		rails_list_add_tail(&s->free_pieces, &s->pieces[i].at);
	s->pieces_free = s->piece_count;
	for (i = 0; i < s->attr.send_buffers; i++)
		s->tx_free[s->tx_count++] = s->tx_mem + (size_t)i * s->attr.max_send;
	for (i = 0; i < rails * entries; i++) {
		s->rxbufs[i].index = i;
		s->rxbufs[i].rail = (uint8_t)(i / entries);
		s->rxbufs[i].data = s->rx_mem + (size_t)i * s->attr.max_send;
	}
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->timerfd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->epoll < 0 || s->eventfd < 0 || s->timerfd < 0)
		return pnic_fail(-errno, "pnic_rails_ep_create: descriptors: %s", strerror(errno));
	rails_watch(s, s->eventfd);
	rails_watch(s, s->timerfd);
	do {
		if (getrandom(&s->id, sizeof(s->id), 0) != sizeof(s->id))
			return pnic_fail(-EIO, "pnic_rails_ep_create: no random number");
	} while (!s->id);
	return 0;
}

PNIC_EXPORT int pnic_rails_ep_create(struct pnic_rails *rails, const struct pnic_rails_ep_attr *attr,
				     struct pnic_rails_ep **ep)
{
	struct pnic_rails_addr addr;
	struct rails_set *s;
	unsigned int i, up = 0;
	int err;

	if (!rails || !ep)
		return pnic_fail(-EINVAL, "pnic_rails_ep_create: NULL argument");
	s = calloc(1, sizeof(*s));
	if (!s)
		return pnic_fail(-ENOMEM, "pnic_rails_ep_create: out of memory");
	s->rails = rails;
	s->epoll = -1;
	s->eventfd = -1;
	s->timerfd = -1;
	rails_list_init(&s->free_ops);
	rails_list_init(&s->free_pieces);
	rails_list_init(&s->feeding);
	rails_list_init(&s->waiting);
	rails_list_init(&s->internals);
	rails_list_init(&s->done);
	rails_list_init(&s->ready);
	rails_list_init(&s->late);
	for (i = 0; i < PNIC_RAILS_MAX; i++)
		rails_list_init(&s->half[i].out);
	pthread_mutex_lock(&rails->lock);
	rails->sets++;
	pthread_mutex_unlock(&rails->lock);
	err = rails_attr(attr, &s->attr);
	if (!err)
		err = rails_set_alloc(s);
	s->now = pnic_now_us();
	rails_look(rails, s->now);
	for (i = 0; !err && i < rails->count; i++) {
		err = rails_half_make(s, i);
		if (err == -ENODEV || err == -EIO || err == -ETIMEDOUT)
			err = 0;	/* lost at this moment: it comes when the card does */
		else if (!err)
			up++;
	}
	if (!err && !up)
		err = pnic_fail(-ENODEV, "pnic_rails_ep_create: all %u rails are lost", rails->count);
	if (err) {
		pnic_rails_ep_destroy((struct pnic_rails_ep *)s);
		return err;
	}
	rails_own_addr(s, &addr);
	s->told_addr = rails_addr_sum(&addr);
	for (i = 0; i < rails->count; i++)
		s->told_rate[i] = addr.rate[i];
	rails_ring(s);
	*ep = (struct pnic_rails_ep *)s;
	return 0;
}

PNIC_EXPORT int pnic_rails_ep_destroy(struct pnic_rails_ep *ep)
{
	struct rails_set *s = rails_set(ep);
	struct pnic_rails *r;
	unsigned int i;

	if (!ep)
		return 0;
	r = s->rails;
	/* The cards let go of the memory first. */
	for (i = 0; i < r->count; i++)
		rails_half_drop(s, i);
	while (!rails_list_empty(&s->internals)) {
		struct rails_op *op = rails_entry(s->internals.next, struct rails_op, own);

		rails_list_del(&op->own);
		free(op);
	}
	for (i = 0; s->ops && i < s->attr.max_ops; i++)
		if (s->ops[i].region)
			rails_region_put(s->ops[i].region);
	while (s->peers)
		rails_peer_free(s->peers);
	if (s->epoll >= 0)
		close(s->epoll);
	if (s->eventfd >= 0)
		close(s->eventfd);
	if (s->timerfd >= 0)
		close(s->timerfd);
	if (s->tx_mem)
		munmap(s->tx_mem, s->tx_len);
	if (s->rx_mem)
		munmap(s->rx_mem, s->rx_len);
	free(s->rxbufs);
	free(s->tx_free);
	free(s->pieces);
	free(s->ops);
	free(s);
	pthread_mutex_lock(&r->lock);
	r->sets--;
	pthread_mutex_unlock(&r->lock);
	return 0;
}
