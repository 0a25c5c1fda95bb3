// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * Registrations of memory that the program didn't register (there is no FI_MR_LOCAL here). The library's region cache keeps
 * them: two of it, as memory that may only be read is good for sending. Where no card's kernel can watch memory, each
 * operation registers anew.
 */
#include "pfi.h"

struct pfi_mrc {
	struct pnic_rails_mrc *full, *readable;	/* NULL: nothing is kept */
};

#define MRC_FULL	(PNIC_MRF_LOCAL_WRITE | PNIC_MRF_REMOTE_READ)
#define MRC_READABLE	PNIC_MRF_REMOTE_READ

static int mrc_create(struct pfi_domain *d, uint32_t access, struct pnic_rails_mrc **cache)
{
	struct pnic_mrc_attr attr = { .size = sizeof(attr), .access = access, .max_regions = (uint32_t)pfi_knobs.cache };

	return pnic_rails_mrc_create(d->rails, &attr, cache);
}

int pfi_mrc_create(struct pfi_domain *d)
{
	struct pfi_mrc *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -FI_ENOMEM;
	d->mrc = c;
	if (!pfi_knobs.cache)
		return 0;
	err = mrc_create(d, MRC_FULL, &c->full);
	if (!err)
		err = mrc_create(d, MRC_READABLE, &c->readable);
	if (err) {
		pfi_info(MR, "registrations are not kept: %s\n", pnic_last_error());
		pnic_rails_mrc_destroy(c->full);
		c->full = NULL;
	}
	return 0;
}

void pfi_mrc_destroy(struct pfi_domain *d)
{
	pnic_rails_mrc_destroy(d->mrc->full);
	pnic_rails_mrc_destroy(d->mrc->readable);
	free(d->mrc);
}

static int mrc_kept(struct pfi_mrc *c, void *mem, size_t len, bool written, struct pfi_hold *hold)
{
	int err = pnic_rails_mrc_get(c->full, mem, len, &hold->mr);

	hold->cache = c->full;
	if (err && !written) {
		err = pnic_rails_mrc_get(c->readable, mem, len, &hold->mr);
		hold->cache = c->readable;
	}
	if (err)
		hold->cache = NULL;
	return err;
}

static int mrc_once(struct pfi_domain *d, void *mem, size_t len, bool written, struct pfi_hold *hold)
{
	int err = pnic_rails_mr_reg(d->rails, mem, len, MRC_FULL, &hold->mr);

	if (err && !written)
		err = pnic_rails_mr_reg(d->rails, mem, len, MRC_READABLE, &hold->mr);
	hold->once = !err;
	return err;
}

int pfi_mrc_hold(struct pfi_domain *d, const void *buf, size_t len, void *desc, uint32_t need, struct pfi_hold *hold)
{
	bool written = need & PNIC_MRF_LOCAL_WRITE;
	struct pfi_mr *user = desc;
	void *mem = (void *)(uintptr_t)buf;
	int err = -FI_EIO;

	*hold = (struct pfi_hold){ 0 };
	if (!len)
		return 0;
	if (user && user->rails && (user->rails->access & need) == need && (char *)mem >= user->mem &&
	    (char *)mem + len <= user->mem + user->length) {
		hold->mr = user->rails;
		return 0;
	}
	if (d->mrc->full)
		err = mrc_kept(d->mrc, mem, len, written, hold);
	if (err)
		err = mrc_once(d, mem, len, written, hold);
	if (err) {
		hold->mr = NULL;
		pfi_once(MR, "memory of %zu bytes can't be registered: %s\n", len, pnic_last_error());
	}
	return err;
}

void pfi_mrc_release(struct pfi_hold *hold)
{
	if (hold->cache)
		pnic_rails_mrc_put(hold->cache, hold->mr);
	else if (hold->once)
		pnic_rails_mr_dereg(hold->mr);
	*hold = (struct pfi_hold){ 0 };
}
