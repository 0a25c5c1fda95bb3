// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * Registrations of memory that the program didn't register (there is no FI_MR_LOCAL here).
 *
 * libpnic's region cache knows, by the kernel, when memory was unmapped or replaced, but for one card; a transfer needs a
 * region on each. So the cache of a context that is used for nothing else says whether memory is what it was: as long as it
 * gives the same key for it, the registration on all cards that is kept under that key is good. Where the cards can't
 * watch memory, and when that context's card was reset, each operation registers anew.
 */
#include "pfi.h"

struct mrc_entry {
	struct pnic_rails_mr *mr;
	struct pnic_mr *witness;	/* held while .users; NULL: not kept */
	uint64_t key;
	uint32_t users;
	struct pfi_link idle;
};

struct pfi_mrc {
	pthread_mutex_t lock;
	struct pnic_ctx *ctx;
	struct pnic_mrc *mrc;		/* NULL: nothing is kept */
	struct pfi_map by_key;
	struct pfi_link idle;
	size_t idle_count;
	uint64_t gone;			/* the witness's stale and evicted, when last looked */
};

int pfi_mrc_create(struct pfi_domain *d)
{
	struct pnic_mrc_attr attr = { .size = sizeof(attr), .max_regions = (uint32_t)pfi_knobs.cache };
	struct pnic_rail_stat stat = { .size = sizeof(stat) };
	struct pfi_mrc *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -FI_ENOMEM;
	pthread_mutex_init(&c->lock, NULL);
	pfi_list_init(&c->idle);
	d->mrc = c;
	if (!pfi_knobs.cache || pnic_rails_stat(d->rails, 0, &stat))
		return 0;
	err = pnic_open(stat.name, NULL, &c->ctx);
	if (!err)
		err = pnic_mrc_create(c->ctx, &attr, &c->mrc);
	if (err) {
		pfi_info(MR, "registrations are not kept: %s\n", pnic_last_error());
		pnic_close(c->ctx);
		c->ctx = NULL;
		c->mrc = NULL;
	}
	return 0;
}

static void mrc_forget(struct pfi_mrc *c, struct mrc_entry *e)
{
	pfi_map_del(&c->by_key, e->key);
	pfi_list_del(&e->idle);
	c->idle_count--;
	pnic_rails_mr_dereg(e->mr);
	free(e);
}

void pfi_mrc_destroy(struct pfi_domain *d)
{
	struct pfi_mrc *c = d->mrc;

	while (!pfi_list_empty(&c->idle))
		mrc_forget(c, pfi_entry(c->idle.next, struct mrc_entry, idle));
	pfi_map_fini(&c->by_key);
	if (c->mrc)
		pnic_mrc_destroy(c->mrc);
	pnic_close(c->ctx);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* On a miss: what was there may be stale, and is pinned for nothing. */
static void mrc_sweep(struct pfi_mrc *c)
{
	struct pnic_mrc_stats stats;

	if (!pnic_mrc_query(c->mrc, &stats) && stats.stale + stats.evicted != c->gone) {
		c->gone = stats.stale + stats.evicted;
		while (!pfi_list_empty(&c->idle))
			mrc_forget(c, pfi_entry(c->idle.next, struct mrc_entry, idle));
	}
	while (c->idle_count >= pfi_knobs.cache)
		mrc_forget(c, pfi_entry(c->idle.next, struct mrc_entry, idle));
}

static int mrc_reg(struct pfi_domain *d, void *buf, size_t len, bool written, struct pnic_rails_mr **mr)
{
	int err = pnic_rails_mr_reg(d->rails, buf, len, PNIC_MRF_LOCAL_WRITE | PNIC_MRF_REMOTE_READ, mr);

	/* Memory that may only be read is good for sending. */
	if (err && !written)
		err = pnic_rails_mr_reg(d->rails, buf, len, PNIC_MRF_REMOTE_READ, mr);
	return err;
}

/* With the lock. @witness is held. */
static int mrc_find(struct pfi_domain *d, struct pfi_mrc *c, struct pnic_mr *witness, bool written,
		    struct mrc_entry **out)
{
	struct mrc_entry *e = pfi_map_get(&c->by_key, witness->key);
	int err;

	if (e && written && !(e->mr->access & PNIC_MRF_LOCAL_WRITE))
		return -FI_EFAULT;
	if (!e) {
		mrc_sweep(c);
		e = calloc(1, sizeof(*e));
		if (!e)
			return -FI_ENOMEM;
		e->key = witness->key;
		pfi_list_init(&e->idle);
		err = mrc_reg(d, witness->addr, witness->length, written, &e->mr);
		if (!err) {
			err = pfi_map_put(&c->by_key, e->key, e);
			if (err)
				pnic_rails_mr_dereg(e->mr);
		}
		if (err) {
			free(e);
			return err;
		}
		c->idle_count++;
	}
	if (!e->users++) {
		pfi_list_del(&e->idle);
		c->idle_count--;
	}
	e->witness = witness;
	*out = e;
	return 0;
}

static int mrc_once(struct pfi_domain *d, void *buf, size_t len, bool written, struct mrc_entry **out)
{
	struct mrc_entry *e = calloc(1, sizeof(*e));
	int err;

	if (!e)
		return -FI_ENOMEM;
	pfi_list_init(&e->idle);
	err = mrc_reg(d, buf, len, written, &e->mr);
	if (err)
		free(e);
	else
		*out = e;
	return err;
}

int pfi_mrc_hold(struct pfi_domain *d, const void *buf, size_t len, void *desc, bool written, struct pfi_hold *hold)
{
	struct pfi_mr *user = desc;
	struct pfi_mrc *c = d->mrc;
	void *mem = (void *)(uintptr_t)buf;
	struct mrc_entry *e = NULL;
	struct pnic_mr *witness;
	uint32_t need = written ? PNIC_MRF_LOCAL_WRITE : PNIC_MRF_REMOTE_READ;
	int err = -FI_EIO;

	hold->mr = NULL;
	hold->cached = NULL;
	if (!len)
		return 0;
	if (user && user->rails && (user->rails->access & need) == need && (char *)mem >= user->mem &&
	    (char *)mem + len <= user->mem + user->length) {
		hold->mr = user->rails;
		return 0;
	}
	if (c->mrc) {
		pthread_mutex_lock(&c->lock);
		err = pnic_mrc_get(c->mrc, mem, len, &witness);
		if (!err) {
			err = mrc_find(d, c, witness, written, &e);
			if (err)
				pnic_mrc_put(c->mrc, witness);
		}
		pthread_mutex_unlock(&c->lock);
	}
	if (err)
		err = mrc_once(d, mem, len, written, &e);
	if (err) {
		pfi_once(MR, "memory of %zu bytes can't be registered: %s\n", len, pnic_last_error());
		return err;
	}
	hold->mr = e->mr;
	hold->cached = e;
	return 0;
}

void pfi_mrc_release(struct pfi_domain *d, struct pfi_hold *hold)
{
	struct mrc_entry *e = hold->cached;
	struct pfi_mrc *c = d->mrc;

	hold->mr = NULL;
	hold->cached = NULL;
	if (!e)
		return;
	if (!e->witness) {
		pnic_rails_mr_dereg(e->mr);
		free(e);
		return;
	}
	pthread_mutex_lock(&c->lock);
	pnic_mrc_put(c->mrc, e->witness);
	if (!--e->users) {
		pfi_list_add_tail(&c->idle, &e->idle);
		c->idle_count++;
	}
	pthread_mutex_unlock(&c->lock);
}
