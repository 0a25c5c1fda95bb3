// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Memory regions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "internal.h"

/* Which limit it was, in words: the commonest trouble that a user of any such library has. */
static int pnic_mr_explain(const struct pnic_ctx_priv *priv, int err, const void *addr, uint64_t length,
			   uint32_t access)
{
	struct rlimit lim;
	char limit[64];

	switch (err) {
	case -ENOMEM:
	case -EPERM:
		if (getrlimit(RLIMIT_MEMLOCK, &lim) || lim.rlim_cur == RLIM_INFINITY)
			return pnic_fail(err, "%s: no memory to register %llu bytes", priv->name,
					 (unsigned long long)length);
		snprintf(limit, sizeof(limit), "%llu", (unsigned long long)lim.rlim_cur);
		return pnic_fail(err, "%s: registering %llu bytes goes over the locked-memory limit of %s bytes (RLIMIT_MEMLOCK, ulimit -l, limits.conf memlock)",
				 priv->name, (unsigned long long)length, limit);
	case -EFAULT:
		return pnic_fail(err, "%s: [%p, +%llu) is not all mapped%s", priv->name, addr,
				 (unsigned long long)length,
				 access & ~PNIC_MRF_REMOTE_READ ? ", or not writable" : "");
	case -ENOSPC:
		return pnic_fail(err, "%s: the card has no more than %u regions", priv->name, priv->info.max_mr);
	default:
		return pnic_fail(err, "%s: can't register [%p, +%llu) with access 0x%x: %s", priv->name, addr,
				 (unsigned long long)length, access, pnic_strerror(err));
	}
}

int pnic_mr_register(struct pnic_ctx *ctx, void *addr, uint64_t length, uint32_t access, struct pnic_mr_priv **mr)
{
	struct pnic_ioc_mr_reg arg = {
		.size = sizeof(arg),
		.flags = access,
		.addr = (uintptr_t)addr,
		.length = length,
	};
	struct pnic_ctx_priv *priv = pnic_ctx_priv(ctx);
	struct pnic_mr_priv *m;
	int err;

	m = calloc(1, sizeof(*m));
	if (!m)
		return pnic_fail(-ENOMEM, "%s: out of memory", priv->name);
	err = pnic_ctx_command(priv, PNIC_IOC_MR_REG, &arg);
	if (err) {
		free(m);
		return pnic_mr_explain(priv, err, addr, length, access);
	}
	m->pub.ctx = ctx;
	m->pub.addr = addr;
	m->pub.length = length;
	m->pub.key = arg.key;
	m->pub.access = access & ~PNIC_MRF_WATCH;
	m->handle = arg.handle;
	pthread_mutex_lock(&priv->lock);
	PNIC_LIST_ADD(&priv->mrs, m);
	pthread_mutex_unlock(&priv->lock);
	*mr = m;
	return 0;
}

PNIC_EXPORT int pnic_mr_reg(struct pnic_ctx *ctx, void *addr, uint64_t length, uint32_t access,
			    struct pnic_mr **mr)
{
	struct pnic_mr_priv *m = NULL;
	int err;

	if (!ctx || !mr)
		return pnic_fail(-EINVAL, "pnic_mr_reg: NULL argument");
	if (access & PNIC_MRF_WATCH)
		return pnic_fail(-EINVAL, "%s: watched regions are the cache's, see pnic_mrc_create()",
				 pnic_ctx_priv(ctx)->name);
	err = pnic_mr_register(ctx, addr, length, access, &m);
	if (!err)
		*mr = &m->pub;
	return err;
}

PNIC_EXPORT int pnic_mr_reg_dmabuf(struct pnic_ctx *ctx, int fd, uint64_t offset, uint64_t length, void *addr,
				   uint32_t access, struct pnic_mr **mr)
{
	struct pnic_ioc_mr_reg_dmabuf arg = {
		.size = sizeof(arg), .flags = access, .fd = fd, .offset = offset, .length = length,
		.addr = (uintptr_t)addr,
	};
	struct pnic_ctx_priv *priv = pnic_ctx_priv(ctx);
	struct pnic_mr_priv *m;
	int err;

	if (!ctx || !mr)
		return pnic_fail(-EINVAL, "pnic_mr_reg_dmabuf: NULL argument");
	if (!(priv->info.features & PNIC_FEAT_DMABUF))
		return pnic_fail(-EOPNOTSUPP, "%s: no dma-buf regions: the card or the module can't", priv->name);
	m = calloc(1, sizeof(*m));
	if (!m)
		return pnic_fail(-ENOMEM, "%s: out of memory", priv->name);
	err = pnic_ctx_command(priv, PNIC_IOC_MR_REG_DMABUF, &arg);
	if (err) {
		free(m);
		return pnic_fail(err, "%s: can't register bytes [%llu, +%llu) of the dma-buf %d at address %p with access 0x%x: %s",
				 priv->name, (unsigned long long)offset, (unsigned long long)length, fd, addr,
				 access, pnic_strerror(err));
	}
	m->pub.ctx = ctx;
	m->pub.addr = addr;
	m->pub.length = length;
	m->pub.key = arg.key;
	m->pub.access = access;
	m->handle = arg.handle;
	pthread_mutex_lock(&priv->lock);
	PNIC_LIST_ADD(&priv->mrs, m);
	pthread_mutex_unlock(&priv->lock);
	*mr = &m->pub;
	return 0;
}

PNIC_EXPORT int pnic_mr_dereg(struct pnic_mr *mr)
{
	struct pnic_ioc_handle arg = { .size = sizeof(arg) };
	struct pnic_mr_priv *m = pnic_mr_priv(mr);
	struct pnic_ctx_priv *priv;
	int err;

	if (!mr)
		return 0;
	priv = pnic_ctx_priv(mr->ctx);
	arg.handle = m->handle;
	err = pnic_ctx_command(priv, PNIC_IOC_MR_DEREG, &arg);
	/* A card that is gone, or was reset, touches nothing. One that merely failed may. */
	if (err == -ENODEV || (err == -EIO && pnic_ctx_dead(mr->ctx)))
		err = 0;
	if (err)
		return pnic_fail(err, "%s: can't deregister [%p, +%llu): %s", priv->name, mr->addr,
				 (unsigned long long)mr->length, pnic_strerror(err));
	pthread_mutex_lock(&priv->lock);
	PNIC_LIST_DEL(m);
	pthread_mutex_unlock(&priv->lock);
	free(m);
	return 0;
}
