// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Endpoints: making, resetting and unmaking them. Posting is inline in pnic.h.
 *
 * Completions that are still in a queue when their endpoint is destroyed or reset need care: numbers and
 * ring indices are used again at once.
 */
#include <stdlib.h>

#include "internal.h"

#define PNIC_RING_MAX	(1U << 24)	/* indices in completions have 24 bits */

static bool pnic_ring_ok(uint32_t entries, uint64_t length, uint32_t entry_size)
{
	return entries && entries <= PNIC_RING_MAX && !(entries & (entries - 1)) &&
	       length >= (uint64_t)entries * entry_size;
}

uint32_t pnic_cq_unclaimed(struct pnic_cq_priv *cq)
{
	if (cq->stale && (int32_t)(pnic__cq_index(&cq->pub) - cq->stale_end) >= 0)
		cq->stale = 0;
	return cq->pub.entries - cq->claimed - cq->stale;
}

/* Takes the place for all that the endpoint can have under way, so that neither queue can overrun. */
static int pnic_ep_claim(struct pnic_ctx_priv *priv, struct pnic_ep_priv *ep)
{
	struct pnic_cq_priv *scq = pnic_cq_priv(ep->pub.send_cq);
	struct pnic_cq_priv *rcq = pnic_cq_priv(ep->pub.recv_cq);
	uint32_t need = ep->pub.sq_slots + (scq == rcq ? ep->pub.rq_entries : 0);

	if (need > pnic_cq_unclaimed(scq))
		return pnic_fail(-ENOSPC, "%s: an endpoint with %u send slots and %u receive entries needs %u entries of its completion queue, %u of %u are left",
				 priv->name, ep->pub.sq_slots, ep->pub.rq_entries, need,
				 pnic_cq_unclaimed(scq), scq->pub.entries);
	if (scq != rcq && ep->pub.rq_entries > pnic_cq_unclaimed(rcq))
		return pnic_fail(-ENOSPC, "%s: an endpoint with %u receive entries needs as many of its completion queue, %u of %u are left",
				 priv->name, ep->pub.rq_entries, pnic_cq_unclaimed(rcq), rcq->pub.entries);
	if (ep->srq) {
		int err;

		/* Its own claim first, so that both fit if they are of one queue. */
		scq->claimed += ep->pub.sq_slots;
		err = pnic_srq_use(ep->srq, rcq);
		scq->claimed -= ep->pub.sq_slots;
		if (err)
			return err;
	}
	ep->sq_claim = ep->pub.sq_slots;
	ep->rq_claim = ep->pub.rq_entries;
	scq->claimed += ep->sq_claim;
	rcq->claimed += ep->rq_claim;
	scq->users++;
	rcq->users++;
	return 0;
}

static void pnic_ep_unclaim(struct pnic_ep_priv *ep)
{
	struct pnic_cq_priv *scq = pnic_cq_priv(ep->pub.send_cq);
	struct pnic_cq_priv *rcq = pnic_cq_priv(ep->pub.recv_cq);

	scq->claimed -= ep->sq_claim;
	rcq->claimed -= ep->rq_claim;
	scq->users--;
	rcq->users--;
}

static int pnic_ep_map(struct pnic_ctx_priv *priv, struct pnic_ep_priv *ep, const struct pnic_ioc_ep_create *arg)
{
	const struct pnic_backend *ops = priv->dev->ops;
	const struct pnic_page *page;
	void *mem;
	int err;

	if (arg->epn >= priv->ep_count || !pnic_ring_ok(arg->sq_slots, arg->sq_length, PNIC_SLOT_SIZE) || arg->sq_slot >= PNIC_DB_SLOTS ||
	    (arg->rq_entries && (!pnic_ring_ok(arg->rq_entries, arg->rq_length, sizeof(struct pnic_rqe)) ||
				 arg->rq_slot >= PNIC_DB_SLOTS)))
		return -EPROTO;
	err = pnic_page_get(priv, arg->db_offset, arg->wake_offset, &page);
	if (err)
		return err;
	err = ops->map(priv->dev, arg->sq_offset, arg->sq_length, true, &mem);
	if (err)
		return err;
	ep->pub.sq = mem;
	ep->sq_length = arg->sq_length;
	ep->pub.sq_slots = arg->sq_slots;
	ep->pub.sq_lazy = arg->sq_slots / 4;
	ep->pub.sq_db = &page->db[arg->sq_slot];
	if (arg->rq_entries) {
		err = ops->map(priv->dev, arg->rq_offset, arg->rq_length, true, &mem);
		if (err)
			return err;
		ep->pub.rq = mem;
		ep->rq_length = arg->rq_length;
		ep->pub.rq_entries = arg->rq_entries;
		ep->pub.rq_db = &page->db[arg->rq_slot];
	}
	if (page->wake) {
		ep->pub.park = &page->db[PNIC_DB_SLOT_PARK];
		ep->pub.wake = page->wake;
	}
	return 0;
}

void pnic_ep_free(struct pnic_ep_priv *ep)
{
	struct pnic_dev *dev = pnic_ctx_priv(ep->pub.ctx)->dev;

	if (ep->pub.sq)
		dev->ops->unmap(dev, ep->pub.sq, ep->sq_length);
	if (ep->pub.rq)
		dev->ops->unmap(dev, ep->pub.rq, ep->rq_length);
	free(ep->cancelled.at);
	free(ep);
}

/* Has the kernel make it, maps its rings, and enters it everywhere. With the context's lock held. */
static int pnic_ep_make(struct pnic_ctx_priv *priv, struct pnic_ep_priv *ep, const struct pnic_ep_attr *a)
{
	struct pnic_ioc_ep_create arg = {
		.size = sizeof(arg),
		.flags = a->flags,
		.sq_slots = a->sq_slots ? a->sq_slots : PNIC_DEF_SQ_SLOTS,
		.rq_entries = a->rq_entries,
		.send_cq = pnic_cq_priv(ep->pub.send_cq)->handle,
		.recv_cq = pnic_cq_priv(ep->pub.recv_cq)->handle,
		.rnr_timeout_us = a->rnr_timeout_us,
		.user_data = a->user_data,
		.srq = ep->srq ? ep->srq->handle : 0,
	};
	struct pnic_ioc_handle destroy = { .size = sizeof(destroy) };
	int err;

	err = pnic_ctx_command(priv, PNIC_IOC_EP_CREATE, &arg);
	if (err)
		return pnic_fail(err, "%s: can't make an endpoint with %u send slots and %u receive entries: %s",
				 priv->name, arg.sq_slots, arg.rq_entries, pnic_strerror(err));
	ep->handle = arg.handle;
	ep->pub.addr.ep = arg.epn;
	err = pnic_ep_map(priv, ep, &arg);
	if (err) {
		pnic_fail(err, "%s: can't map the rings of endpoint %u: %s", priv->name, arg.epn, strerror(-err));
		goto destroy;
	}
	err = pnic_ep_claim(priv, ep);
	if (err)
		goto destroy;
	priv->eps[arg.epn] = &ep->pub;
	PNIC_LIST_ADD(&priv->endpoints, ep);
	return 0;

destroy:
	destroy.handle = arg.handle;
	pnic_ctx_command(priv, PNIC_IOC_EP_DESTROY, &destroy);
	return err;
}

PNIC_EXPORT int pnic_ep_create(struct pnic_ctx *ctx, const struct pnic_ep_attr *attr, struct pnic_ep **out)
{
	struct pnic_ctx_priv *priv = pnic_ctx_priv(ctx);
	struct pnic_ep_attr a = { 0 };
	struct pnic_ep_priv *ep;
	uint32_t max_slots;
	int err;

	if (!ctx || !attr || !out)
		return pnic_fail(-EINVAL, "pnic_ep_create: NULL argument");
	if (pnic_copy_attr(&a, sizeof(a), offsetof(struct pnic_ep_attr, srq), attr, attr->size) || a.rsvd ||
	    a.flags & ~PNIC_EP_STOP_ON_ERROR)
		return pnic_fail(-EINVAL, "%s: bad size, flags or reserved member in struct pnic_ep_attr", priv->name);
	if (!a.recv_cq)
		a.recv_cq = a.send_cq;
	if (!a.send_cq || a.send_cq->ctx != ctx || a.recv_cq->ctx != ctx)
		return pnic_fail(-EINVAL, "%s: an endpoint needs completion queues of its own context", priv->name);
	if (a.srq && (a.srq->ctx != ctx || a.rq_entries))
		return pnic_fail(-EINVAL, "%s: a shared receive queue must be of the endpoint's context, and takes the place of a ring of its own",
				 priv->name);
	ep = calloc(1, sizeof(*ep));
	if (!ep)
		return pnic_fail(-ENOMEM, "%s: out of memory", priv->name);
	ep->pub.ctx = ctx;
	ep->pub.send_cq = a.send_cq;
	ep->pub.recv_cq = a.recv_cq;
	ep->pub.addr.nic = ctx->nic;
	ep->srq = pnic_srq_priv(a.srq);
	ep->pub.rq_slow = !!a.srq;
	ep->pub.quiet = priv->info.features & PNIC_FEAT_QUIET ? PNIC_SQF_QUIET : 0;
	max_slots = 1 + (priv->info.max_sge + 1) / 2;
	if (priv->info.max_inline > PNIC_SQE_INLINE_BASE &&
	    max_slots < 1 + (priv->info.max_inline - PNIC_SQE_INLINE_BASE) / PNIC_SLOT_SIZE)
		max_slots = 1 + (priv->info.max_inline - PNIC_SQE_INLINE_BASE) / PNIC_SLOT_SIZE;
	ep->pub.max_slots = max_slots < PNIC_SQE_MAX_SLOTS ? max_slots : PNIC_SQE_MAX_SLOTS;
	pthread_mutex_lock(&priv->lock);
	err = pnic_ep_make(priv, ep, &a);
	pthread_mutex_unlock(&priv->lock);
	if (err) {
		pnic_ep_free(ep);
		return err;
	}
	*out = &ep->pub;
	return 0;
}

/* Makes completions of an endpoint that is gone belong to no endpoint, whoever gets its number next. */
static void pnic_ep_bury(struct pnic_cqe *cqe, void *arg)
{
	uint32_t ep_flags = PNIC__LE32(cqe->ep_flags);

	if ((ep_flags & PNIC_CQE_LOW24) == *(const uint32_t *)arg)
		__atomic_store_n(&cqe->ep_flags, PNIC__LE32(ep_flags | PNIC_EP_NONE), __ATOMIC_RELAXED);
}

/* The place of @claim entries comes back when what is in the queue now has been polled. */
static void pnic_cq_unclaim(struct pnic_cq_priv *cq, uint32_t epn, uint32_t claim)
{
	uint32_t end = pnic_cq_walk(&cq->pub, pnic_ep_bury, &epn);

	pnic_cq_unclaimed(cq);
	if (end == pnic__cq_index(&cq->pub))
		return;
	cq->stale += claim;
	cq->stale_end = end;
}

static void pnic_ep_leave_srq(struct pnic_ep_priv *ep);

PNIC_EXPORT int pnic_ep_destroy(struct pnic_ep *pub)
{
	struct pnic_ep_priv *ep = pnic_ep_priv(pub);
	struct pnic_ctx_priv *priv;
	int err;

	if (!pub)
		return 0;
	priv = pnic_ctx_priv(pub->ctx);
	pthread_mutex_lock(&priv->lock);
	err = pnic_ctx_destroy(priv, PNIC_IOC_EP_DESTROY, ep->handle);
	if (!err) {
		priv->eps[pub->addr.ep] = NULL;
		pnic_ep_unclaim(ep);
		pnic_ctr_leave(ep);
		if (ep->srq)
			pnic_ep_leave_srq(ep);
		pnic_cq_unclaim(pnic_cq_priv(pub->send_cq), pub->addr.ep, ep->sq_claim);
		pnic_cq_unclaim(pnic_cq_priv(pub->recv_cq), pub->addr.ep, ep->rq_claim);
		PNIC_LIST_DEL(ep);
	}
	pthread_mutex_unlock(&priv->lock);
	if (err)
		return pnic_fail(err, "%s: can't destroy endpoint %u: %s", priv->name, pub->addr.ep,
				 pnic_strerror(err));
	pnic_ep_free(ep);
	return 0;
}

struct pnic_leftover {
	uint32_t epn;
	uint32_t sends, recvs;		/* completions of the endpoint in the queue */
	uint32_t renumbered;
};

static bool pnic_cqe_of(const struct pnic_cqe *cqe, uint32_t epn)
{
	return (PNIC__LE32(cqe->ep_flags) & PNIC_CQE_LOW24) == epn;
}

static bool pnic_cqe_is_recv(const struct pnic_cqe *cqe)
{
	return PNIC__LE32(cqe->nic_op) >> PNIC_CQE_HIGH_SHIFT & 0x80;
}

static void pnic_leftover_count(struct pnic_cqe *cqe, void *arg)
{
	struct pnic_leftover *left = arg;

	if (!pnic_cqe_of(cqe, left->epn))
		return;
	if (pnic_cqe_is_recv(cqe))
		left->recvs++;
	else
		left->sends++;
}

/* Receives that are still in the queue come back to the shared queue when they have been polled. */
static void pnic_ep_leave_srq(struct pnic_ep_priv *ep)
{
	struct pnic_cq_priv *rcq = pnic_cq_priv(ep->pub.recv_cq);
	struct pnic_leftover left = { .epn = ep->pub.addr.ep };
	uint32_t end = pnic_cq_walk(&rcq->pub, pnic_leftover_count, &left);

	pnic_srq_unuse(ep->srq, rcq, left.recvs, end);
	if (!left.recvs)
		return;
	pnic_cq_unclaimed(rcq);
	rcq->stale += left.recvs;
	rcq->stale_end = end;
}

/* Send completions from before a reset retire one slot each, the last of them up to index 0. */
static void pnic_leftover_renumber(struct pnic_cqe *cqe, void *arg)
{
	struct pnic_leftover *left = arg;
	uint32_t status = PNIC__LE32(cqe->peer_status) & ~PNIC_CQE_LOW24;

	if (!pnic_cqe_of(cqe, left->epn) || pnic_cqe_is_recv(cqe))
		return;
	left->renumbered++;
	cqe->peer_status = PNIC__LE32(status | ((left->renumbered - left->sends) & PNIC_CQE_LOW24));
}

/*
 * Both rings begin again at index 0. What is unpolled in the queues counts as that many slots before index 0,
 * still in use: so polling it gives back what it must and no more, and the queues still can't overrun.
 */
static void pnic_ep_restart(struct pnic_ep_priv *ep)
{
	struct pnic_leftover send = { .epn = ep->pub.addr.ep }, recv = { .epn = ep->pub.addr.ep };

	ep->reset_end = pnic_cq_walk(ep->pub.send_cq, pnic_leftover_count, &send);
	ep->was_reset = true;
	pnic_cq_walk(ep->pub.send_cq, pnic_leftover_renumber, &send);
	if (ep->pub.recv_cq == ep->pub.send_cq)
		recv = send;
	else
		pnic_cq_walk(ep->pub.recv_cq, pnic_leftover_count, &recv);
	ep->pub.sq_tail = 0;
	ep->pub.sq_rung = 0;
	ep->pub.sq_head = 0 - send.sends;
	ep->pub.sq_mark = 0;
	if (ep->srq)
		return;
	ep->pub.rq_tail = 0;
	ep->pub.rq_rung = 0;
	ep->pub.rq_head = 0 - recv.recvs;
	if (ep->cancelled.at)
		memset(ep->cancelled.at, 0, ep->pub.rq_entries);
	ep->cancelled.count = 0;
}

PNIC_EXPORT int pnic_ep_reset(struct pnic_ep *pub)
{
	struct pnic_ioc_handle arg = { .size = sizeof(arg) };
	struct pnic_ep_priv *ep = pnic_ep_priv(pub);
	struct pnic_ctx_priv *priv;
	int err;

	if (!pub)
		return pnic_fail(-EINVAL, "pnic_ep_reset: NULL argument");
	priv = pnic_ctx_priv(pub->ctx);
	arg.handle = ep->handle;
	err = pnic_ctx_command(priv, PNIC_IOC_EP_RESET, &arg);
	if (err)
		return pnic_fail(err, "%s: can't reset endpoint %u: %s", priv->name, pub->addr.ep,
				 pnic_strerror(err));
	pnic_ep_restart(ep);
	return 0;
}

/*
 * For pnic_poll(): the far endpoint of the failed descriptor that ends at ring index @end (24 bits). The card
 * doesn't say it, but the descriptor still stands in the ring.
 */
static const struct pnic_sqe *pnic_sq_find(const struct pnic_cq *cq, const struct pnic_ep *pub, uint32_t end)
{
	const struct pnic_ep_priv *ep = pnic_ep_priv(pub);
	uint32_t index = pub->sq_head;
	const struct pnic_sqe *sqe;

	if (ep->was_reset && (int32_t)(pnic__cq_index(cq) - ep->reset_end) < 0)
		return NULL;
	while (index != pub->sq_rung) {
		sqe = (const struct pnic_sqe *)(const void *)pnic__sq_slot(pub, index);
		if (!sqe->num_slots || sqe->num_slots > PNIC_SQE_MAX_SLOTS ||
		    sqe->num_slots > pub->sq_rung - index)
			break;
		index += sqe->num_slots;
		if ((index & PNIC_CQE_LOW24) == end)
			return sqe;
	}
	return NULL;
}

PNIC_EXPORT uint32_t pnic__sq_peer(const struct pnic_cq *cq, const struct pnic_ep *pub, uint32_t end)
{
	const struct pnic_sqe *sqe = pnic_sq_find(cq, pub, end);

	return sqe ? PNIC__LE32(sqe->dest_ep) : PNIC_EP_NONE;
}

PNIC_EXPORT void pnic__sq_failed(const struct pnic_cq *cq, const struct pnic_ep *pub, void *failed)
{
	struct pnic_wc *wc = failed;
	const struct pnic_sqe *sqe = pnic_sq_find(cq, pub, wc->peer_ep);

	wc->peer_ep = sqe ? PNIC__LE32(sqe->dest_ep) & PNIC_EP_NONE : PNIC_EP_NONE;
	wc->length = sqe ? PNIC__LE32(sqe->length) : 0;
}

/* The entry at the head is over: those behind it that were cancelled are so as well. */
static void pnic_recv_skip(const struct pnic_cancelled *c, uint32_t *count, uint32_t *head, uint32_t rung, uint32_t mask)
{
	while (*count && *head != rung && c->at[*head & mask]) {
		c->at[*head & mask] = 0;
		(*count)--;
		(*head)++;
	}
}

/* For pnic_poll(), where a receive doesn't simply count. */
PNIC_EXPORT void pnic__recv_retired(struct pnic_ep *pub)
{
	struct pnic_ep_priv *ep = pnic_ep_priv(pub);
	struct pnic_srq_priv *srq = ep->srq;

	if (srq) {
		if (srq->pub.head != srq->pub.rung)
			srq->pub.head++;
		pnic_recv_skip(&srq->cancelled, &srq->cancelled.count, &srq->pub.head, srq->pub.rung,
			       srq->pub.entries - 1);
		return;
	}
	if (pub->rq_head != pub->rq_rung)
		pub->rq_head++;
	pnic_recv_skip(&ep->cancelled, &ep->cancelled.count, &pub->rq_head, pub->rq_rung, pub->rq_entries - 1);
	pub->rq_slow = !!ep->cancelled.count;
}

/* A ring of receives, for cancelling in it. */
struct pnic_recv_ring {
	const struct pnic_rqe *rq;
	uint32_t *head;
	uint32_t rung, entries, handle;
	struct pnic_cancelled *cancelled;
};

/* Asks for each entry with @cookie, the oldest first, until the card gives one up. */
static int pnic_cancel(struct pnic_ctx_priv *priv, const struct pnic_recv_ring *r, uint64_t cookie)
{
	struct pnic_ioc_recv_cancel arg = { .size = sizeof(arg), .handle = r->handle };
	uint32_t mask = r->entries - 1, index;
	int err = -ENOENT;

	if (!(priv->info.features & PNIC_FEAT_CANCEL))
		return pnic_fail(-EOPNOTSUPP, "%s: the card can't cancel receives", priv->name);
	if (!r->cancelled->at)
		r->cancelled->at = calloc(1, r->entries);
	if (!r->cancelled->at)
		return pnic_fail(-ENOMEM, "%s: out of memory", priv->name);
	for (index = *r->head; (int32_t)(index - r->rung) < 0 && err == -ENOENT; index++) {
		if (r->rq[index & mask].cookie != PNIC__LE64(cookie) || r->cancelled->at[index & mask])
			continue;
		arg.index = index;
		err = pnic_ctx_command(priv, PNIC_IOC_RECV_CANCEL, &arg);
	}
	if (err)
		return pnic_fail(err, "%s: no receive with cookie 0x%llx can be cancelled: %s", priv->name,
				 (unsigned long long)cookie, pnic_strerror(err));
	r->cancelled->at[arg.index & mask] = 1;
	r->cancelled->count++;
	pnic_recv_skip(r->cancelled, &r->cancelled->count, r->head, r->rung, mask);
	return 0;
}

PNIC_EXPORT int pnic_recv_cancel(struct pnic_ep *pub, uint64_t cookie)
{
	struct pnic_ep_priv *ep = pnic_ep_priv(pub);
	struct pnic_recv_ring r;
	int err;

	if (!pub)
		return pnic_fail(-EINVAL, "pnic_recv_cancel: NULL argument");
	if (!pub->rq_entries)
		return pnic_fail(-ENOENT, "%s: endpoint %u has no receive ring of its own",
				 pnic_ctx_priv(pub->ctx)->name, pub->addr.ep);
	r = (struct pnic_recv_ring) {
		.rq = pub->rq, .head = &pub->rq_head, .rung = pub->rq_rung, .entries = pub->rq_entries,
		.handle = ep->handle, .cancelled = &ep->cancelled,
	};
	err = pnic_cancel(pnic_ctx_priv(pub->ctx), &r, cookie);
	pub->rq_slow = !!ep->cancelled.count;
	return err;
}

PNIC_EXPORT int pnic_srq_cancel(struct pnic_srq *pub, uint64_t cookie)
{
	struct pnic_srq_priv *srq = pnic_srq_priv(pub);
	struct pnic_recv_ring r;

	if (!pub)
		return pnic_fail(-EINVAL, "pnic_srq_cancel: NULL argument");
	r = (struct pnic_recv_ring) {
		.rq = pub->rq, .head = &pub->head, .rung = pub->rung, .entries = pub->entries,
		.handle = srq->handle, .cancelled = &srq->cancelled,
	};
	return pnic_cancel(pnic_ctx_priv(pub->ctx), &r, cookie);
}
