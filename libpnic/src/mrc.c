// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The region cache: registrations that are kept for the next transfer from the same memory, and given up when that
 * memory is unmapped or replaced. The cache of rails (rails/mrc.c) is this one with other registrations in it.
 *
 * The kernel counts such regions in a page of the context (PNIC_MRF_WATCH), before the call that took the memory away
 * returns. Each look-up compares the count with the one it saw last, and asks which regions they were when it has changed.
 *
 * Regions may overlap, as the halves of a buffer do that begins in the middle of a page: neither takes the other's place, or
 * whoever uses both in turn would register for ever. None holds all of another. So they have one order, by their first bytes
 * and by their last ones.
 */
#include <stdlib.h>

#include "mrc.h"

#define PNIC_MRC_DEF_REGIONS	1024
#define PNIC_MRC_PAGE		4096ull

/* --- the list of those that nobody holds, and the index ---- */

static void mrc_idle_add(struct pnic_mrc *c, struct pnic_mrc_region *r)
{
	r->newer = NULL;
	r->older = c->newest;
	if (c->newest)
		c->newest->newer = r;
	else
		c->oldest = r;
	c->newest = r;
	c->idle++;
	c->idle_bytes += r->end - r->start;
}

static void mrc_idle_del(struct pnic_mrc *c, struct pnic_mrc_region *r)
{
	if (r->older)
		r->older->newer = r->newer;
	else
		c->oldest = r->newer;
	if (r->newer)
		r->newer->older = r->older;
	else
		c->newest = r->older;
	c->idle--;
	c->idle_bytes -= r->end - r->start;
}

/* The first region that begins at @addr or behind it. */
static size_t mrc_from(const struct pnic_mrc *c, uint64_t addr)
{
	size_t lo = 0, hi = c->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->index[mid]->start >= addr)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

static void mrc_unindex(struct pnic_mrc *c, struct pnic_mrc_region *r)
{
	size_t i = mrc_from(c, r->start);

	if (!r->indexed)
		return;
	memmove(&c->index[i], &c->index[i + 1], (c->count - i - 1) * sizeof(*c->index));
	c->count--;
	c->stats.bytes -= r->end - r->start;
	r->indexed = false;
}

static bool mrc_room(struct pnic_mrc *c)
{
	size_t room = c->room ? 2 * c->room : 64;
	struct pnic_mrc_region **index;

	if (c->count < c->room)
		return true;
	index = realloc(c->index, room * sizeof(*index));
	if (!index)
		return false;
	c->index = index;
	c->room = room;
	return true;
}

/* There is room, and none is in another. */
static void mrc_enter(struct pnic_mrc *c, struct pnic_mrc_region *r)
{
	size_t i = mrc_from(c, r->start);

	memmove(&c->index[i + 1], &c->index[i], (c->count - i) * sizeof(*c->index));
	c->index[i] = r;
	c->count++;
	c->stats.bytes += r->end - r->start;
	r->indexed = true;
}

/* --- regions that go ---- */

/* Out of the cache; the registration too, if nobody holds it. */
static void mrc_drop(struct pnic_mrc *c, struct pnic_mrc_region *r)
{
	mrc_unindex(c, r);
	if (r->users)
		return;
	mrc_idle_del(c, r);
	c->ops->dereg(r);
	free(r);
}

static bool mrc_over(const struct pnic_mrc *c)
{
	return c->idle > c->max_regions || (c->max_bytes && c->idle_bytes > c->max_bytes);
}

static bool mrc_evict(struct pnic_mrc *c)
{
	if (!c->oldest)
		return false;
	c->stats.evicted++;
	mrc_drop(c, c->oldest);
	return true;
}

static void mrc_stale(struct pnic_ctx_priv *priv, uint32_t handle)
{
	struct pnic_mrc *c;
	size_t i;

	for (c = priv->mrcs; c; c = c->next) {
		for (i = 0; i < c->count; i++) {
			if (c->index[i]->handle != handle)
				continue;
			c->stats.stale++;
			mrc_drop(c, c->index[i]);
			return;
		}
	}
}

/* Drops what the kernel says is stale. With mrc_lock. */
static void mrc_look(struct pnic_ctx_priv *priv)
{
	struct pnic_ioc_mr_stale arg = { .size = sizeof(arg) };
	uint32_t i;

	if (__atomic_load_n(&priv->page->stale, __ATOMIC_ACQUIRE) == priv->stale_seen)
		return;
	do {
		/* The context is dead: so are its regions, and transfers say so. */
		if (pnic_ctx_command(priv, PNIC_IOC_MR_STALE, &arg))
			return;
		for (i = 0; i < arg.count && i < sizeof(arg.handles) / sizeof(arg.handles[0]); i++)
			mrc_stale(priv, arg.handles[i]);
	} while (arg.count);
	priv->stale_seen = arg.stale;
}

/* --- getting and putting ---- */

/* The registration of [start, end), in place of all that it holds. */
static int mrc_make(struct pnic_mrc *c, uint64_t start, uint64_t end, struct pnic_mrc_region **made)
{
	struct pnic_mrc_region *r;
	size_t i = mrc_from(c, start);
	int err;

	while (i < c->count && c->index[i]->end <= end)
		mrc_drop(c, c->index[i]);
	r = mrc_room(c) ? calloc(1, sizeof(*r)) : NULL;
	if (!r)
		return pnic_fail(-ENOMEM, "%s: out of memory", c->priv->name);
	r->start = start;
	r->end = end;
	do
		err = c->ops->reg(c, r);
	while ((err == -ENOMEM || err == -ENOSPC) && mrc_evict(c));
	if (err) {
		free(r);
		return err;
	}
	mrc_enter(c, r);
	*made = r;
	return 0;
}

static int mrc_find(struct pnic_mrc *c, uint64_t addr, uint64_t length, struct pnic_mrc_region **found)
{
	uint64_t end = addr + length;
	/* Of those that begin before it, this one reaches farthest. */
	size_t i = mrc_from(c, addr + 1);

	if (i && c->index[i - 1]->end >= end) {
		c->stats.hits++;
		*found = c->index[i - 1];
		if (!(*found)->users)
			mrc_idle_del(c, *found);
		return 0;
	}
	c->stats.misses++;
	return mrc_make(c, addr & ~(PNIC_MRC_PAGE - 1), (end + PNIC_MRC_PAGE - 1) & ~(PNIC_MRC_PAGE - 1), found);
}

int pnic_mrc_hold(struct pnic_mrc *c, void *addr, uint64_t length, struct pnic_mrc_region **held)
{
	struct pnic_mrc_region *r = NULL;
	int err;

	/* Up to the end of its last page. */
	if (!length || (uintptr_t)addr > UINTPTR_MAX - PNIC_MRC_PAGE ||
	    length > UINTPTR_MAX - PNIC_MRC_PAGE - (uintptr_t)addr)
		return pnic_fail(-EINVAL, "%s: [%p, +%llu) is no memory", c->priv->name, addr, (unsigned long long)length);
	pthread_mutex_lock(&c->priv->mrc_lock);
	mrc_look(c->priv);
	err = mrc_find(c, (uintptr_t)addr, length, &r);
	if (!err) {
		if (!r->users++)
			c->held++;
		*held = r;
	}
	pthread_mutex_unlock(&c->priv->mrc_lock);
	return err;
}

void pnic_mrc_release(struct pnic_mrc *c, struct pnic_mrc_region *r)
{
	pthread_mutex_lock(&c->priv->mrc_lock);
	if (!--r->users) {
		c->held--;
		mrc_idle_add(c, r);
		mrc_look(c->priv);
		/* It may have been the one. */
		if (c->newest == r && !r->indexed)
			mrc_drop(c, r);
		while (mrc_over(c))
			mrc_evict(c);
	}
	pthread_mutex_unlock(&c->priv->mrc_lock);
}

void pnic_mrc_ask(struct pnic_mrc *c, struct pnic_mrc_stats *stats)
{
	pthread_mutex_lock(&c->priv->mrc_lock);
	mrc_look(c->priv);
	*stats = c->stats;
	stats->regions = c->count;
	pthread_mutex_unlock(&c->priv->mrc_lock);
}

/* --- the cache itself ---- */

int pnic_mrc_init(struct pnic_mrc *c, const struct pnic_mrc_ops *ops, const struct pnic_mrc_attr *attr, const char *whose)
{
	struct pnic_mrc_attr a = { 0 };

	if (pnic_copy_attr(&a, sizeof(a), sizeof(a), attr, attr->size) || a.flags || a.access & PNIC_MRF_WATCH)
		return pnic_fail(-EINVAL, "%s: bad size, flags or access in struct pnic_mrc_attr", whose);
	c->ops = ops;
	c->access = a.access;
	c->max_regions = a.max_regions ? a.max_regions : PNIC_MRC_DEF_REGIONS;
	c->max_bytes = a.max_bytes;
	return 0;
}

void pnic_mrc_attach(struct pnic_mrc *c, struct pnic_ctx_priv *priv)
{
	c->priv = priv;
	pthread_mutex_lock(&priv->mrc_lock);
	c->next = priv->mrcs;
	priv->mrcs = c;
	pthread_mutex_unlock(&priv->mrc_lock);
}

void pnic_mrc_detach(struct pnic_mrc *c)
{
	struct pnic_ctx_priv *priv = c->priv;
	struct pnic_mrc **p;

	pthread_mutex_lock(&priv->mrc_lock);
	while (c->count)
		mrc_drop(c, c->index[c->count - 1]);
	for (p = &priv->mrcs; *p != c; p = &(*p)->next)
		;
	*p = c->next;
	pthread_mutex_unlock(&priv->mrc_lock);
}

void pnic_mrc_fini(struct pnic_mrc *c)
{
	free(c->index);
}

/* --- for programs ---- */

static int mrc_ctx_reg(struct pnic_mrc *c, struct pnic_mrc_region *r)
{
	struct pnic_mr_priv *mr;
	int err;

	err = pnic_mr_register(&c->priv->pub, (void *)(uintptr_t)r->start, r->end - r->start, c->access | PNIC_MRF_WATCH,
			       &mr);
	if (err)
		return err;
	mr->cached = r;
	r->mr = &mr->pub;
	r->handle = mr->handle;
	return 0;
}

/* A card that failed and wasn't reset keeps it until the context is closed. */
static void mrc_ctx_dereg(struct pnic_mrc_region *r)
{
	pnic_mr_dereg(r->mr);
}

static const struct pnic_mrc_ops mrc_ctx_ops = { .reg = mrc_ctx_reg, .dereg = mrc_ctx_dereg };

PNIC_EXPORT int pnic_mrc_create(struct pnic_ctx *ctx, const struct pnic_mrc_attr *attr, struct pnic_mrc **out)
{
	struct pnic_ctx_priv *priv = pnic_ctx_priv(ctx);
	struct pnic_mrc *c;
	int err;

	if (!ctx || !attr || !out)
		return pnic_fail(-EINVAL, "pnic_mrc_create: NULL argument");
	c = calloc(1, sizeof(*c));
	if (!c)
		return pnic_fail(-ENOMEM, "%s: out of memory", priv->name);
	err = pnic_mrc_init(c, &mrc_ctx_ops, attr, priv->name);
	if (!err && !priv->page)
		err = pnic_fail(-EOPNOTSUPP, "%s: the kernel can't tell when memory is unmapped", priv->name);
	if (err) {
		free(c);
		return err;
	}
	pnic_mrc_attach(c, priv);
	*out = c;
	return 0;
}

PNIC_EXPORT int pnic_mrc_get(struct pnic_mrc *c, void *addr, uint64_t length, struct pnic_mr **mr)
{
	struct pnic_mrc_region *r = NULL;
	int err;

	if (!c || !mr)
		return pnic_fail(-EINVAL, "pnic_mrc_get: NULL argument");
	err = pnic_mrc_hold(c, addr, length, &r);
	if (!err)
		*mr = r->mr;
	return err;
}

PNIC_EXPORT void pnic_mrc_put(struct pnic_mrc *c, struct pnic_mr *mr)
{
	if (c && mr)
		pnic_mrc_release(c, pnic_mr_priv(mr)->cached);
}

PNIC_EXPORT int pnic_mrc_query(struct pnic_mrc *c, struct pnic_mrc_stats *stats)
{
	if (!c || !stats)
		return pnic_fail(-EINVAL, "pnic_mrc_query: NULL argument");
	pnic_mrc_ask(c, stats);
	return 0;
}

PNIC_EXPORT int pnic_mrc_destroy(struct pnic_mrc *c)
{
	uint32_t held;

	if (!c)
		return 0;
	pthread_mutex_lock(&c->priv->mrc_lock);
	held = c->held;
	pthread_mutex_unlock(&c->priv->mrc_lock);
	if (held)
		return pnic_fail(-EBUSY, "%s: %u regions of the cache are held", c->priv->name, held);
	pnic_mrc_detach(c);
	pnic_mrc_fini(c);
	free(c);
	return 0;
}

/* The context goes, and with it what is registered there. */
void pnic_mrc_free_all(struct pnic_ctx_priv *priv)
{
	struct pnic_mrc *c;
	size_t i;

	while ((c = priv->mrcs)) {
		priv->mrcs = c->next;
		for (i = 0; i < c->count; i++)
			free(c->index[i]);
		pnic_mrc_fini(c);
		free(c);
	}
}
