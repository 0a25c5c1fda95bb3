// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Shared receive queues: making and unmaking them, and their part of the accounts that keep completion
 * queues from overrunning. Posting is inline in pnic.h, cancelling is in ep.c.
 */
#include <stdlib.h>

#include "internal.h"

#define PNIC_SRQ_MAX	(1U << 24)

static struct pnic_srq_cq **pnic_srq_find(struct pnic_srq_priv *srq, const struct pnic_cq_priv *cq)
{
	struct pnic_srq_cq **p = &srq->cqs;

	while (*p && (*p)->cq != cq)
		p = &(*p)->next;
	return p;
}

/* All its entries can complete to any one of the completion queues: each is claimed for as much, once. */
int pnic_srq_use(struct pnic_srq_priv *srq, struct pnic_cq_priv *cq)
{
	struct pnic_srq_cq **p = pnic_srq_find(srq, cq), *u = *p;
	const char *name = pnic_ctx_priv(srq->pub.ctx)->name;

	if (!u || !u->users) {
		if (srq->pub.entries > pnic_cq_unclaimed(cq))
			return pnic_fail(-ENOSPC, "%s: a shared receive queue of %u entries needs as many of the completion queue, %u of %u are left",
					 name, srq->pub.entries, pnic_cq_unclaimed(cq), cq->pub.entries);
		if (!u) {
			u = calloc(1, sizeof(*u));
			if (!u)
				return pnic_fail(-ENOMEM, "%s: out of memory", name);
			u->cq = cq;
			*p = u;
		}
		cq->claimed += srq->pub.entries;
	}
	u->users++;
	srq->users++;
	return 0;
}

/* What has been polled of endpoints that are gone is free again. */
static void pnic_srq_settle(struct pnic_srq_priv *srq)
{
	struct pnic_srq_cq *u;

	for (u = srq->cqs; u; u = u->next) {
		if (!u->stale || (int32_t)(pnic__cq_index(&u->cq->pub) - u->stale_end) < 0)
			continue;
		srq->pub.head += u->stale;
		u->stale = 0;
	}
}

void pnic_srq_unuse(struct pnic_srq_priv *srq, struct pnic_cq_priv *cq, uint32_t recvs, uint32_t end)
{
	struct pnic_srq_cq *u = *pnic_srq_find(srq, cq);

	pnic_srq_settle(srq);
	if (recvs) {
		u->stale += recvs;
		u->stale_end = end;
	}
	if (!--u->users)
		cq->claimed -= srq->pub.entries;
	srq->users--;
}

void pnic_srq_forget_cq(struct pnic_ctx_priv *priv, struct pnic_cq_priv *cq)
{
	struct pnic_srq_cq **p, *u;
	struct pnic_srq_priv *srq;

	for (srq = priv->srqs; srq; srq = srq->next) {
		p = pnic_srq_find(srq, cq);
		u = *p;
		if (!u)
			continue;
		srq->pub.head += u->stale;
		*p = u->next;
		free(u);
	}
}

PNIC_EXPORT int pnic__srq_full(struct pnic_srq *pub)
{
	pnic_srq_settle(pnic_srq_priv(pub));
	return pub->tail - pub->head >= pub->entries;
}

static int pnic_srq_map(struct pnic_ctx_priv *priv, struct pnic_srq_priv *srq, const struct pnic_ioc_srq_create *arg)
{
	const struct pnic_page *page;
	void *mem;
	int err;

	if (!arg->entries || arg->entries > PNIC_SRQ_MAX || arg->entries & (arg->entries - 1) ||
	    arg->ring_length < (uint64_t)arg->entries * sizeof(struct pnic_rqe) || arg->db_slot >= PNIC_DB_SLOTS)
		return -EPROTO;
	err = pnic_page_get(priv, arg->db_offset, arg->wake_offset, &page);
	if (err)
		return err;
	err = priv->dev->ops->map(priv->dev, arg->ring_offset, arg->ring_length, true, &mem);
	if (err)
		return err;
	srq->pub.rq = mem;
	srq->ring_length = arg->ring_length;
	srq->pub.entries = arg->entries;
	srq->pub.db = &page->db[arg->db_slot];
	if (page->wake) {
		srq->pub.park = &page->db[PNIC_DB_SLOT_PARK];
		srq->pub.wake = page->wake;
	}
	return 0;
}

static int pnic_srq_make(struct pnic_ctx_priv *priv, struct pnic_srq_priv *srq, uint32_t entries)
{
	struct pnic_ioc_srq_create arg = { .size = sizeof(arg), .entries = entries };
	struct pnic_ioc_handle destroy = { .size = sizeof(destroy) };
	int err;

	err = pnic_ctx_command(priv, PNIC_IOC_SRQ_CREATE, &arg);
	if (err)
		return pnic_fail(err, "%s: can't make a shared receive queue of %u: %s", priv->name, entries,
				 pnic_strerror(err));
	srq->handle = arg.handle;
	err = pnic_srq_map(priv, srq, &arg);
	if (!err)
		return 0;
	destroy.handle = arg.handle;
	pnic_ctx_command(priv, PNIC_IOC_SRQ_DESTROY, &destroy);
	return pnic_fail(err, "%s: can't map a shared receive queue: %s", priv->name, strerror(-err));
}

PNIC_EXPORT int pnic_srq_create(struct pnic_ctx *ctx, const struct pnic_srq_attr *attr, struct pnic_srq **out)
{
	struct pnic_ctx_priv *priv = pnic_ctx_priv(ctx);
	struct pnic_srq_attr a = { 0 };
	struct pnic_srq_priv *srq;
	int err;

	if (!ctx || !attr || !out)
		return pnic_fail(-EINVAL, "pnic_srq_create: NULL argument");
	if (pnic_copy_attr(&a, sizeof(a), sizeof(a), attr, attr->size) || a.flags || a.rsvd || !a.entries)
		return pnic_fail(-EINVAL, "%s: bad size, flags, entries or reserved member in struct pnic_srq_attr",
				 priv->name);
	if (!(priv->info.features & PNIC_FEAT_SRQ))
		return pnic_fail(-EOPNOTSUPP, "%s: the card has no shared receive queues", priv->name);
	srq = calloc(1, sizeof(*srq));
	if (!srq)
		return pnic_fail(-ENOMEM, "%s: out of memory", priv->name);
	srq->pub.ctx = ctx;
	pthread_mutex_lock(&priv->lock);
	err = pnic_srq_make(priv, srq, a.entries);
	if (!err)
		PNIC_LIST_ADD(&priv->srqs, srq);
	pthread_mutex_unlock(&priv->lock);
	if (err) {
		free(srq);
		return err;
	}
	*out = &srq->pub;
	return 0;
}

void pnic_srq_free(struct pnic_srq_priv *srq)
{
	struct pnic_dev *dev = pnic_ctx_priv(srq->pub.ctx)->dev;
	struct pnic_srq_cq *u;

	while ((u = srq->cqs)) {
		srq->cqs = u->next;
		free(u);
	}
	dev->ops->unmap(dev, srq->pub.rq, srq->ring_length);
	free(srq->cancelled.at);
	free(srq);
}

PNIC_EXPORT int pnic_srq_destroy(struct pnic_srq *pub)
{
	struct pnic_srq_priv *srq = pnic_srq_priv(pub);
	struct pnic_ctx_priv *priv;
	int err;

	if (!pub)
		return 0;
	priv = pnic_ctx_priv(pub->ctx);
	pthread_mutex_lock(&priv->lock);
	if (srq->users) {
		pthread_mutex_unlock(&priv->lock);
		return pnic_fail(-EBUSY, "%s: endpoints use the shared receive queue", priv->name);
	}
	err = pnic_ctx_destroy(priv, PNIC_IOC_SRQ_DESTROY, srq->handle);
	if (!err)
		PNIC_LIST_DEL(srq);
	pthread_mutex_unlock(&priv->lock);
	if (err)
		return pnic_fail(err, "%s: can't destroy a shared receive queue: %s", priv->name, pnic_strerror(err));
	pnic_srq_free(srq);
	return 0;
}
