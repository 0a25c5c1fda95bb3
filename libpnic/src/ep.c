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

/* How many entries of the queue no endpoint has claimed. */
static uint32_t pnic_cq_unclaimed(struct pnic_cq_priv *cq)
{
	if (cq->stale && (int32_t)(cq->pub.head - cq->stale_end) >= 0)
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
	if (pnic_copy_attr(&a, sizeof(a), sizeof(a), attr, attr->size) || a.rsvd || a.flags & ~PNIC_EP_STOP_ON_ERROR)
		return pnic_fail(-EINVAL, "%s: bad size, flags or reserved member in struct pnic_ep_attr", priv->name);
	if (!a.recv_cq)
		a.recv_cq = a.send_cq;
	if (!a.send_cq || a.send_cq->ctx != ctx || a.recv_cq->ctx != ctx)
		return pnic_fail(-EINVAL, "%s: an endpoint needs completion queues of its own context", priv->name);
	ep = calloc(1, sizeof(*ep));
	if (!ep)
		return pnic_fail(-ENOMEM, "%s: out of memory", priv->name);
	ep->pub.ctx = ctx;
	ep->pub.send_cq = a.send_cq;
	ep->pub.recv_cq = a.recv_cq;
	ep->pub.addr.nic = ctx->nic;
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
	if (end == cq->pub.head)
		return;
	cq->stale += claim;
	cq->stale_end = end;
}

PNIC_EXPORT int pnic_ep_destroy(struct pnic_ep *pub)
{
	struct pnic_ioc_handle arg = { .size = sizeof(arg) };
	struct pnic_ep_priv *ep = pnic_ep_priv(pub);
	struct pnic_ctx_priv *priv;
	int err;

	if (!pub)
		return 0;
	priv = pnic_ctx_priv(pub->ctx);
	arg.handle = ep->handle;
	pthread_mutex_lock(&priv->lock);
	err = pnic_ctx_command(priv, PNIC_IOC_EP_DESTROY, &arg);
	/* Of a card that is gone or was reset nothing is left but our half. */
	if (err == -EIO || err == -ENODEV)
		err = 0;
	if (!err) {
		priv->eps[pub->addr.ep] = NULL;
		pnic_ep_unclaim(ep);
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
	ep->pub.rq_tail = 0;
	ep->pub.rq_rung = 0;
	ep->pub.rq_head = 0 - recv.recvs;
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
PNIC_EXPORT uint32_t pnic__sq_peer(const struct pnic_cq *cq, const struct pnic_ep *pub, uint32_t end)
{
	const struct pnic_ep_priv *ep = pnic_ep_priv(pub);
	uint32_t index = pub->sq_head;
	const struct pnic_sqe *sqe;

	if (ep->was_reset && (int32_t)(cq->head - ep->reset_end) < 0)
		return PNIC_EP_NONE;
	while (index != pub->sq_rung) {
		sqe = (const struct pnic_sqe *)(const void *)pnic__sq_slot(pub, index);
		if (!sqe->num_slots || sqe->num_slots > PNIC_SQE_MAX_SLOTS ||
		    sqe->num_slots > pub->sq_rung - index)
			break;
		index += sqe->num_slots;
		if ((index & PNIC_CQE_LOW24) == end)
			return PNIC__LE32(sqe->dest_ep);
	}
	return PNIC_EP_NONE;
}
