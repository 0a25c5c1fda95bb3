// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Memory that is registered on every rail.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../mrc.h"
#include "rails.h"

/* @watch: its card tells when the memory is another one. */
static int rails_register(struct pnic_rails *r, struct rails_region *region, unsigned int i, bool watch)
{
	struct pnic_ctx *ctx = r->rail[i].card->ctx;
	struct pnic_rails_mr *pub = &region->pub;
	struct pnic_mr_priv *watched;
	int err;

	if (watch) {
		err = pnic_mr_register(ctx, pub->addr, pub->length, pub->access | PNIC_MRF_WATCH, &watched);
		if (!err) {
			region->mr[i] = &watched->pub;
			region->cached->handle = watched->handle;
		}
	} else if (region->fd >= 0) {
		err = pnic_mr_reg_dmabuf(ctx, region->fd, region->offset, pub->length, pub->addr, pub->access,
					 &region->mr[i]);
	} else {
		err = pnic_mr_reg(ctx, pub->addr, pub->length, pub->access, &region->mr[i]);
	}
	if (!err)
		__atomic_store_n(&region->now[i], region->mr[i]->key, __ATOMIC_RELEASE);
	return err;
}

static void rails_unregister(struct rails_region *region, unsigned int i, int *err)
{
	int e;

	if (!region->mr[i])
		return;
	__atomic_store_n(&region->now[i], 0, __ATOMIC_RELEASE);
	e = pnic_mr_dereg(region->mr[i]);
	region->mr[i] = NULL;
	if (e && !*err)
		*err = e;
}

/*
 * The old card's registrations end with its context, which goes when the last set has left it. Memory that can't be registered
 * any more (unmapped by its owner meanwhile) must not keep the card from being used: transfers that name it fail.
 */
int rails_regions_renew(struct pnic_rails *r, unsigned int i)
{
	struct rails_region *region;
	int err;

	for (region = r->regions; region; region = region->next) {
		region->mr[i] = NULL;
		__atomic_store_n(&region->now[i], 0, __ATOMIC_RELEASE);
		err = rails_register(r, region, i, false);
		if (err == -EIO || err == -ENODEV || err == -ETIMEDOUT)
			return err;
	}
	return 0;
}

int rails_region_rekey(struct pnic_rails *r, struct rails_rekey *msg)
{
	struct rails_region *region;
	int err = -ENOENT;

	if (msg->rail >= r->count)
		return -ENOENT;
	pthread_mutex_lock(&r->lock);
	for (region = r->regions; region; region = region->next) {
		if (region->key.key[msg->rail] != msg->old_key || region->key.gen[msg->rail] != msg->old_gen)
			continue;
		msg->new_key = __atomic_load_n(&region->now[msg->rail], __ATOMIC_RELAXED);
		msg->new_gen = r->rail[msg->rail].gen;
		err = r->rail[msg->rail].card && msg->new_key ? 0 : -EAGAIN;
		break;
	}
	pthread_mutex_unlock(&r->lock);
	return err;
}

/* @watcher: the card that is to watch the memory; NULL: nobody does. */
static int rails_region_make(struct pnic_rails *r, struct rails_region *proto, const struct rails_card *watcher,
			     struct pnic_rails_mr **mr)
{
	struct rails_region *region;
	bool watched = !watcher;
	int err = 0, ignored = 0;
	unsigned int i;

	region = calloc(1, sizeof(*region));
	if (!region)
		return pnic_fail(-ENOMEM, "pnic_rails_mr_reg: out of memory");
	*region = *proto;
	region->refs = 1;
	region->pub.rails = r;
	region->key.addr = (uint64_t)(uintptr_t)region->pub.addr;
	region->key.length = region->pub.length;
	region->key.count = r->count;
	pthread_mutex_lock(&r->lock);
	for (i = 0; !err && i < r->count; i++) {
		region->key.gen[i] = r->rail[i].gen;
		/* A card that is lost, or dies at this moment, gets the region when it is opened again. */
		if (!r->rail[i].card)
			continue;
		err = rails_register(r, region, i, r->rail[i].card == watcher);
		if (!err && r->rail[i].card == watcher)
			watched = true;
		if (err && (rails_card_dead(r->rail[i].card) ||
			    ((err == -EIO || err == -ENODEV) && rails_card_silent(r->rail[i].card))))
			err = 0;
		/* A number by which peers can ask, and which no card gives out: keys are random. */
		region->key.key[i] = region->now[i];
	}
	if (!err && !watched)
		err = -ESTALE;
	for (i = 0; !err && i < r->count; i++)
		if (!region->key.key[i])
			region->key.key[i] = (uint64_t)(uintptr_t)region ^ region->key.key[i ? 0 : r->count - 1];
	if (err) {
		for (i = 0; i < r->count; i++)
			rails_unregister(region, i, &ignored);
	} else {
		PNIC_LIST_ADD(&r->regions, region);
	}
	pthread_mutex_unlock(&r->lock);
	if (err) {
		free(region);
		return err;
	}
	*mr = &region->pub;
	return 0;
}

PNIC_EXPORT int pnic_rails_mr_reg(struct pnic_rails *r, void *addr, uint64_t length, uint32_t access,
				  struct pnic_rails_mr **mr)
{
	struct rails_region proto = { .pub = { .addr = addr, .length = length, .access = access }, .fd = -1 };

	if (!r || !addr || !mr)
		return pnic_fail(-EINVAL, "pnic_rails_mr_reg: NULL argument");
	return rails_region_make(r, &proto, NULL, mr);
}

int rails_region_watched(struct pnic_rails *r, const struct rails_card *watcher, struct pnic_mrc_region *cached,
			 uint32_t access)
{
	struct rails_region proto = {
		.pub = { .addr = (void *)(uintptr_t)cached->start, .length = cached->end - cached->start, .access = access },
		.fd = -1, .cached = cached,
	};

	return rails_region_make(r, &proto, watcher, &cached->rails_mr);
}

PNIC_EXPORT int pnic_rails_mr_reg_dmabuf(struct pnic_rails *r, int fd, uint64_t offset, uint64_t length, void *addr,
					 uint32_t access, struct pnic_rails_mr **mr)
{
	struct rails_region proto = { .pub = { .addr = addr, .length = length, .access = access }, .offset = offset };
	int err;

	if (!r || !mr)
		return pnic_fail(-EINVAL, "pnic_rails_mr_reg_dmabuf: NULL argument");
	proto.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (proto.fd < 0)
		return pnic_fail(-errno, "pnic_rails_mr_reg_dmabuf: descriptor %d: %s", fd, strerror(errno));
	err = rails_region_make(r, &proto, NULL, mr);
	if (err)
		close(proto.fd);
	return err;
}

void rails_region_put(struct rails_region *region)
{
	if (!__atomic_sub_fetch(&region->refs, 1, __ATOMIC_ACQ_REL))
		free(region);
}

/*
 * Transfers may still name it, and be cut and posted by whoever polls their set: they keep the struct. They find no
 * key in it from here on, so what is posted now ends with a key error, as what was posted before.
 */
PNIC_EXPORT int pnic_rails_mr_dereg(struct pnic_rails_mr *mr)
{
	struct rails_region *region = rails_region(mr);
	struct pnic_rails *r;
	unsigned int i;
	int err = 0;

	if (!mr)
		return 0;
	r = mr->rails;
	pthread_mutex_lock(&r->lock);
	for (i = 0; i < r->count; i++) {
		if (r->rail[i].card)
			rails_unregister(region, i, &err);
		else
			__atomic_store_n(&region->now[i], 0, __ATOMIC_RELEASE);
	}
	PNIC_LIST_DEL(region);
	pthread_mutex_unlock(&r->lock);
	if (region->fd >= 0)
		close(region->fd);
	rails_region_put(region);
	return err;
}

PNIC_EXPORT int pnic_rails_mr_key(const struct pnic_rails_mr *mr, struct pnic_rails_key *key)
{
	if (!mr || !key)
		return pnic_fail(-EINVAL, "pnic_rails_mr_key: NULL argument");
	*key = rails_region(mr)->key;
	return 0;
}
