// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Completion counters: making, binding, waiting. Reading one is inline in pnic.h.
 */
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "internal.h"

static int pnic_ctr_eventfd(struct pnic_ctr_priv *ctr, const struct pnic_ctr_attr *a)
{
	ctr->eventfd = a->eventfd;
	if (a->flags & PNIC_CTR_EVENTFD)
		return 0;
	ctr->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (ctr->eventfd < 0)
		return pnic_fail(-errno, "counter: no eventfd: %s", strerror(errno));
	ctr->own_eventfd = true;
	return 0;
}

static int pnic_ctr_map(struct pnic_ctx_priv *priv, struct pnic_ctr_priv *ctr, const struct pnic_ioc_ctr_create *arg)
{
	void *mem;
	int err;

	if (arg->mem_length < sizeof(struct pnic_ctr_mem) || arg->db_slot >= PNIC_DB_SLOTS)
		return -EPROTO;
	err = pnic_page_get(priv, arg->db_offset, arg->wake_offset, &ctr->page);
	if (err)
		return err;
	err = priv->dev->ops->map(priv->dev, arg->mem_offset, arg->mem_length, true, &mem);
	if (err)
		return err;
	ctr->pub.mem = mem;
	ctr->mem_length = arg->mem_length;
	ctr->db = &ctr->page->db[arg->db_slot];
	return 0;
}

static int pnic_ctr_make(struct pnic_ctx_priv *priv, struct pnic_ctr_priv *ctr)
{
	struct pnic_ioc_ctr_create arg = { .size = sizeof(arg), .eventfd = ctr->eventfd };
	struct pnic_ioc_handle destroy = { .size = sizeof(destroy) };
	int err;

	err = pnic_ctx_command(priv, PNIC_IOC_CTR_CREATE, &arg);
	if (err)
		return pnic_fail(err, "%s: can't make a counter: %s", priv->name, pnic_strerror(err));
	ctr->handle = arg.handle;
	err = pnic_ctr_map(priv, ctr, &arg);
	if (!err)
		return 0;
	destroy.handle = arg.handle;
	pnic_ctx_command(priv, PNIC_IOC_CTR_DESTROY, &destroy);
	return pnic_fail(err, "%s: can't map a counter: %s", priv->name, strerror(-err));
}

PNIC_EXPORT int pnic_ctr_create(struct pnic_ctx *ctx, const struct pnic_ctr_attr *attr, struct pnic_ctr **out)
{
	struct pnic_ctx_priv *priv = pnic_ctx_priv(ctx);
	struct pnic_ctr_attr a = { 0 };
	struct pnic_ctr_priv *ctr;
	int err;

	if (!ctx || !attr || !out)
		return pnic_fail(-EINVAL, "pnic_ctr_create: NULL argument");
	if (pnic_copy_attr(&a, sizeof(a), sizeof(a), attr, attr->size) || a.flags & ~PNIC_CTR_EVENTFD ||
	    (a.flags & PNIC_CTR_EVENTFD && a.eventfd < 0) || a.spin_us < -1)
		return pnic_fail(-EINVAL, "%s: bad size, flags, eventfd or spin_us in struct pnic_ctr_attr", priv->name);
	if (!(priv->info.features & PNIC_FEAT_COUNTER))
		return pnic_fail(-EOPNOTSUPP, "%s: the card has no counters", priv->name);
	ctr = calloc(1, sizeof(*ctr));
	if (!ctr)
		return pnic_fail(-ENOMEM, "%s: out of memory", priv->name);
	ctr->pub.ctx = ctx;
	ctr->spin_us = a.spin_us < 0 ? 0 : a.spin_us ? (uint32_t)a.spin_us : PNIC_SPIN_DEFAULT_US;
	err = pnic_ctr_eventfd(ctr, &a);
	if (err)
		goto free_ctr;
	pthread_mutex_lock(&priv->lock);
	err = pnic_ctr_make(priv, ctr);
	if (!err)
		PNIC_LIST_ADD(&priv->ctrs, ctr);
	pthread_mutex_unlock(&priv->lock);
	if (err)
		goto close_fd;
	*out = &ctr->pub;
	return 0;

close_fd:
	if (ctr->own_eventfd)
		close(ctr->eventfd);
free_ctr:
	free(ctr);
	return err;
}

void pnic_ctr_free(struct pnic_ctr_priv *ctr)
{
	struct pnic_dev *dev = pnic_ctx_priv(ctr->pub.ctx)->dev;

	dev->ops->unmap(dev, (void *)(uintptr_t)ctr->pub.mem, ctr->mem_length);
	if (ctr->own_eventfd)
		close(ctr->eventfd);
	free(ctr);
}

PNIC_EXPORT int pnic_ctr_destroy(struct pnic_ctr *pub)
{
	struct pnic_ctr_priv *ctr = pnic_ctr_priv(pub);
	struct pnic_ctx_priv *priv;
	int err;

	if (!pub)
		return 0;
	priv = pnic_ctx_priv(pub->ctx);
	pthread_mutex_lock(&priv->lock);
	if (ctr->users) {
		pthread_mutex_unlock(&priv->lock);
		return pnic_fail(-EBUSY, "%s: the counter counts for an endpoint", priv->name);
	}
	err = pnic_ctx_destroy(priv, PNIC_IOC_CTR_DESTROY, ctr->handle);
	if (!err)
		PNIC_LIST_DEL(ctr);
	pthread_mutex_unlock(&priv->lock);
	if (err)
		return pnic_fail(err, "%s: can't destroy a counter: %s", priv->name, pnic_strerror(err));
	pnic_ctr_free(ctr);
	return 0;
}

static void pnic_ctr_set(struct pnic_ep_priv *ep, uint32_t kinds, struct pnic_ctr_priv *ctr)
{
	unsigned int i;

	for (i = 0; i < PNIC_CTR_KINDS; i++) {
		if (!(kinds >> i & 1))
			continue;
		if (ep->ctrs[i])
			ep->ctrs[i]->users--;
		if (ctr)
			ctr->users++;
		ep->ctrs[i] = ctr;
	}
}

/* The endpoint goes. */
void pnic_ctr_leave(struct pnic_ep_priv *ep)
{
	pnic_ctr_set(ep, PNIC_CTR_ALL, NULL);
}

PNIC_EXPORT int pnic_ctr_bind(struct pnic_ep *pub, struct pnic_ctr *ctr, uint32_t kinds)
{
	struct pnic_ioc_ctr_bind arg = { .size = sizeof(arg), .kinds = kinds };
	struct pnic_ep_priv *ep = pnic_ep_priv(pub);
	struct pnic_ctx_priv *priv;
	int err;

	if (!pub)
		return pnic_fail(-EINVAL, "pnic_ctr_bind: NULL argument");
	priv = pnic_ctx_priv(pub->ctx);
	if (!kinds || kinds & ~PNIC_CTR_ALL || (ctr && ctr->ctx != pub->ctx))
		return pnic_fail(-EINVAL, "%s: kinds 0x%x, or a counter of another context", priv->name, kinds);
	arg.ep = ep->handle;
	arg.ctr = ctr ? pnic_ctr_priv(ctr)->handle : 0;
	pthread_mutex_lock(&priv->lock);
	err = pnic_ctx_command(priv, PNIC_IOC_CTR_BIND, &arg);
	if (!err)
		pnic_ctr_set(ep, kinds, pnic_ctr_priv(ctr));
	pthread_mutex_unlock(&priv->lock);
	if (err)
		return pnic_fail(err, "%s: can't bind a counter to endpoint %u: %s", priv->name, pub->addr.ep,
				 pnic_strerror(err));
	return 0;
}

PNIC_EXPORT int pnic_ctr_fd(const struct pnic_ctr *pub)
{
	return pub ? pnic_ctr_priv(pub)->eventfd : -1;
}

/*
 * 0: there; -EREMOTEIO: some failed; -EAGAIN: not yet. Failed ones first, or one that fails between two that succeed
 * would be seen without the second.
 */
static int pnic_ctr_look(const struct pnic_ctr *pub, uint64_t n)
{
	uint64_t failed = pnic_ctr_failed(pub), ok = pnic_ctr_ok(pub);

	if (ok >= n)
		return 0;
	return ok + failed >= n ? -EREMOTEIO : -EAGAIN;
}

PNIC_EXPORT int pnic_ctr_arm(struct pnic_ctr *pub, uint64_t n)
{
	struct pnic_ctr_priv *ctr = pnic_ctr_priv(pub);
	uint64_t val;

	if (!pub)
		return pnic_fail(-EINVAL, "pnic_ctr_arm: NULL argument");
	val = (n + pub->ok_base + pub->failed_base) & ~PNIC_DB_CTR_TOGGLE;
	/* Only a value that differs from the last arms. */
	if (val == ctr->db_last)
		val |= PNIC_DB_CTR_TOGGLE;
	ctr->db_last = val;
	pnic__publish(ctr->db, val);
	if (ctr->page->wake) {
		if (pnic__parked(&ctr->page->db[PNIC_DB_SLOT_PARK]))
			pnic__wake(pub->ctx, ctr->page->wake);
	}
	return pnic_ctr_look(pub, n) != -EAGAIN;
}

static int pnic_ctr_spin(const struct pnic_ctr_priv *ctr, uint64_t n, int64_t until)
{
	int i, ret;

	do {
		for (i = 0; i < PNIC_SPIN_BATCH; i++) {
			ret = pnic_ctr_look(&ctr->pub, n);
			if (ret != -EAGAIN)
				return ret;
			pnic_relax();
		}
	} while (pnic_now_us() < until);
	return -EAGAIN;
}

/* Armed, asleep, awake: one round. -EAGAIN: another round. */
static int pnic_ctr_sleep(struct pnic_ctr_priv *ctr, uint64_t n, int slice_ms)
{
	struct pnic_ctx_priv *priv = pnic_ctx_priv(ctr->pub.ctx);
	uint64_t count;
	int ret, look;

	if (pnic_ctr_arm(&ctr->pub, n))
		return pnic_ctr_look(&ctr->pub, n);
	ret = priv->dev->ops->wait(priv->dev, ctr->eventfd, slice_ms);
	if (ret == 1 && read(ctr->eventfd, &count, sizeof(count)) < 0 && errno != EAGAIN && errno != EINTR)
		ret = -errno;
	look = pnic_ctr_look(&ctr->pub, n);
	if (look != -EAGAIN)
		return look;
	if (pnic_ctx_dead(ctr->pub.ctx))
		return pnic_over(priv);
	if (ret < 0)
		return pnic_fail(ret, "%s: can't wait: %s", priv->name, pnic_strerror(ret));
	return -EAGAIN;
}

static int pnic_ctr_failure(const struct pnic_ctr *pub, uint64_t n)
{
	return pnic_fail(-EREMOTEIO, "pnic_ctr_wait: %llu transfers succeeded and %llu failed of the %llu waited for",
			 (unsigned long long)pnic_ctr_ok(pub), (unsigned long long)pnic_ctr_failed(pub),
			 (unsigned long long)n);
}

PNIC_EXPORT int pnic_ctr_wait(struct pnic_ctr *pub, uint64_t n, int timeout_ms)
{
	struct pnic_ctr_priv *ctr = pnic_ctr_priv(pub);
	int64_t now, deadline;
	int slice, ret;

	if (!pub)
		return pnic_fail(-EINVAL, "pnic_ctr_wait: NULL argument");
	ret = pnic_ctr_look(pub, n);
	now = pnic_now_us();
	deadline = timeout_ms < 0 ? -1 : now + (int64_t)timeout_ms * 1000;
	if (ret == -EAGAIN && timeout_ms && ctr->spin_us)
		ret = pnic_ctr_spin(ctr, n, pnic_spin_end(now, ctr->spin_us, deadline));
	while (ret == -EAGAIN && (slice = pnic_slice_ms(deadline)))
		ret = pnic_ctr_sleep(ctr, n, slice);
	if (ret == -EREMOTEIO)
		return pnic_ctr_failure(pub, n);
	if (ret == -EAGAIN)
		return pnic_fail(-ETIMEDOUT, "pnic_ctr_wait: %llu of %llu in %d ms",
				 (unsigned long long)pnic_ctr_ok(pub), (unsigned long long)n, timeout_ms);
	return ret;
}
