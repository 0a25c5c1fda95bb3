// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Completion queues: making and unmaking them. Polling is inline in pnic.h,
 * waiting is in wait.c.
 */
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "internal.h"

#define PNIC_CQ_MAX	(1U << 30)	/* so that sums of entries don't wrap */

static bool pnic_power_of_two(uint32_t n)
{
	return n && !(n & (n - 1));
}

static int pnic_cq_eventfd(struct pnic_cq_priv *cq, const struct pnic_cq_attr *a)
{
	cq->eventfd = -1;
	if (a->flags & PNIC_CQ_EVENTFD) {
		cq->eventfd = a->eventfd;
	} else if (!(a->flags & PNIC_CQ_EVENTS)) {
		cq->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (cq->eventfd < 0)
			return pnic_fail(-errno, "completion queue: no eventfd: %s", strerror(errno));
		cq->own_eventfd = true;
	}
	return 0;
}

/* Has the kernel make it, and maps it. */
static int pnic_cq_make(struct pnic_ctx_priv *priv, struct pnic_cq_priv *cq, const struct pnic_cq_attr *a)
{
	/* One eighth more than asked: completions that were polled, but that the card was not told of. */
	struct pnic_ioc_cq_create arg = {
		.size = sizeof(arg),
		.entries = (uint32_t)(((uint64_t)a->entries * 8 + 6) / 7),
		.eventfd = cq->eventfd,
		.user_data = a->user_data,
	};
	struct pnic_ioc_handle destroy = { .size = sizeof(destroy) };
	void *ring;
	int err;

	if (arg.entries > priv->info.max_cq_entries)
		return pnic_fail(-E2BIG, "%s: %u completions, with the reserve %u, the card has %u", priv->name,
				 a->entries, arg.entries, priv->info.max_cq_entries);
	err = pnic_ctx_command(priv, PNIC_IOC_CQ_CREATE, &arg);
	if (err)
		return pnic_fail(err, "%s: can't make a completion queue of %u: %s", priv->name, arg.entries,
				 pnic_strerror(err));
	if (!pnic_power_of_two(arg.entries) || arg.db_slot >= PNIC_DB_SLOTS ||
	    arg.ring_length < (uint64_t)arg.entries * sizeof(struct pnic_cqe)) {
		err = pnic_fail(-EPROTO, "%s: the kernel made a completion queue of %u entries in %llu bytes, slot %u",
				priv->name, arg.entries, (unsigned long long)arg.ring_length, arg.db_slot);
		goto destroy;
	}
	err = priv->dev->ops->map(priv->dev, arg.ring_offset, arg.ring_length, true, &ring);
	if (!err) {
		err = pnic_page_get(priv, arg.db_offset, arg.wake_offset, &cq->page);
		if (err)
			priv->dev->ops->unmap(priv->dev, ring, arg.ring_length);
	}
	if (err) {
		err = pnic_fail(err, "%s: can't map a completion queue: %s", priv->name, strerror(-err));
		goto destroy;
	}
	cq->handle = arg.handle;
	cq->ring_length = arg.ring_length;
	cq->pub.ring = ring;
	cq->pub.next = ring;
	cq->pub.end = cq->pub.ring + arg.entries;
	cq->pub.lazy = arg.entries >= 8 ? arg.entries / 8 : 1;
	cq->pub.stop = cq->pub.ring + cq->pub.lazy;
	cq->pub.head = cq->pub.lazy;
	cq->pub.entries = arg.entries - arg.entries / 8;
	cq->pub.db = &cq->page->db[arg.db_slot];
	return 0;

destroy:
	destroy.handle = arg.handle;
	pnic_ctx_command(priv, PNIC_IOC_CQ_DESTROY, &destroy);
	return err;
}

PNIC_EXPORT int pnic_cq_create(struct pnic_ctx *ctx, const struct pnic_cq_attr *attr, struct pnic_cq **out)
{
	struct pnic_ctx_priv *priv = pnic_ctx_priv(ctx);
	struct pnic_cq_attr a = { 0 };
	struct pnic_cq_priv *cq;
	int err;

	if (!ctx || !attr || !out)
		return pnic_fail(-EINVAL, "pnic_cq_create: NULL argument");
	if (pnic_copy_attr(&a, sizeof(a), sizeof(a), attr, attr->size) || a.rsvd ||
	    a.flags & ~(PNIC_CQ_EVENTFD | PNIC_CQ_EVENTS) || a.flags == (PNIC_CQ_EVENTFD | PNIC_CQ_EVENTS) ||
	    (a.flags & PNIC_CQ_EVENTFD && a.eventfd < 0) || a.spin_us < -1 || !a.entries)
		return pnic_fail(-EINVAL, "%s: bad size, flags, eventfd, spin_us, entries or reserved member in struct pnic_cq_attr",
				 priv->name);
	if (a.entries > PNIC_CQ_MAX)
		return pnic_fail(-E2BIG, "%s: %u completions in one queue", priv->name, a.entries);
	cq = calloc(1, sizeof(*cq));
	if (!cq)
		return pnic_fail(-ENOMEM, "%s: out of memory", priv->name);
	err = pnic_cq_eventfd(cq, &a);
	if (err)
		goto free_cq;
	cq->spin_us = a.spin_us < 0 ? 0 : a.spin_us ? (uint32_t)a.spin_us : PNIC_SPIN_DEFAULT_US;
	cq->pub.ctx = ctx;
	cq->pub.phase = PNIC_CQE_PHASE;
	cq->pub.eps = priv->eps;
	cq->pub.driven = priv->dev->ops->driven && priv->dev->ops->driven(priv->dev);
	pthread_mutex_lock(&priv->lock);
	err = pnic_cq_make(priv, cq, &a);
	if (!err)
		PNIC_LIST_ADD(&priv->cqs, cq);
	pthread_mutex_unlock(&priv->lock);
	if (err)
		goto close_fd;
	*out = &cq->pub;
	return 0;

close_fd:
	if (cq->own_eventfd)
		close(cq->eventfd);
free_cq:
	free(cq);
	return err;
}

void pnic_cq_free(struct pnic_cq_priv *cq)
{
	struct pnic_dev *dev = pnic_ctx_priv(cq->pub.ctx)->dev;

	dev->ops->unmap(dev, cq->pub.ring, cq->ring_length);
	if (cq->own_eventfd)
		close(cq->eventfd);
	free(cq);
}

PNIC_EXPORT int pnic_cq_destroy(struct pnic_cq *pub)
{
	struct pnic_cq_priv *cq = pnic_cq_priv(pub);
	struct pnic_ctx_priv *priv;
	int err;

	if (!pub)
		return 0;
	priv = pnic_ctx_priv(pub->ctx);
	pthread_mutex_lock(&priv->lock);
	if (cq->users) {
		pthread_mutex_unlock(&priv->lock);
		return pnic_fail(-EBUSY, "%s: endpoints use the completion queue", priv->name);
	}
	err = pnic_ctx_destroy(priv, PNIC_IOC_CQ_DESTROY, cq->handle);
	if (!err) {
		PNIC_LIST_DEL(cq);
		pnic_srq_forget_cq(priv, cq);
	}
	pthread_mutex_unlock(&priv->lock);
	if (err)
		return pnic_fail(err, "%s: can't destroy a completion queue: %s", priv->name, pnic_strerror(err));
	pnic_cq_free(cq);
	return 0;
}

PNIC_EXPORT int pnic_cq_fd(const struct pnic_cq *pub)
{
	struct pnic_dev *dev;

	if (!pub)
		return -1;
	dev = pnic_ctx_priv(pub->ctx)->dev;
	/* Whoever asks is going to sleep on it. */
	if (pub->driven)
		dev->ops->drive(dev, true);
	return pnic_cq_priv(pub)->eventfd;
}

uint32_t pnic_cq_walk(const struct pnic_cq *pub, void (*fn)(struct pnic_cqe *cqe, void *arg), void *arg)
{
	uint32_t index = pnic__cq_index(pub), first = index, ep_flags;
	struct pnic_cq at = *pub;
	struct pnic_cqe *cqe;

	while (index - first < (uint32_t)(pub->end - pub->ring) && pnic__cqe_ready(&at, &ep_flags)) {
		cqe = at.next;
		if (++at.next == at.end) {
			at.next = at.ring;
			at.phase ^= PNIC_CQE_PHASE;
		}
		index++;
		fn(cqe, arg);
	}
	return index;
}
