// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The region cache of rails: ../mrc.c, with regions on all rails. One card's kernel watches the memory of them all. When
 * that card is lost nobody has watched since, so everything goes, and another one watches what is registered from then on.
 */
#include <stdlib.h>

#include "../mrc.h"
#include "rails.h"

struct pnic_rails_mrc {
	struct pnic_mrc core;		/* attached to @card's context */
	struct pnic_rails *rails;
	pthread_mutex_t lock;		/* @card; taken before everything else */
	struct rails_card *card;	/* that watches; dead, if no other could */
};

static int rails_mrc_reg(struct pnic_mrc *core, struct pnic_mrc_region *r)
{
	struct pnic_rails_mrc *c = rails_entry(core, struct pnic_rails_mrc, core);

	return rails_region_watched(c->rails, c->card, r, core->access);
}

static void rails_mrc_dereg(struct pnic_mrc_region *r)
{
	pnic_rails_mr_dereg(r->rails_mr);
}

static const struct pnic_mrc_ops rails_mrc_ops = { .reg = rails_mrc_reg, .dereg = rails_mrc_dereg };

/* The first card that can watch, with a reference. */
static int rails_mrc_watcher(struct pnic_rails *r, struct rails_card **watcher)
{
	struct rails_card *card;
	unsigned int i, lost = 0;
	uint16_t gen;

	for (i = 0; i < r->count; i++) {
		card = rails_card_get(r, i, &gen);
		if (!card) {
			lost++;		/* until it is back nobody knows whether it can */
			continue;
		}
		if (pnic_ctx_priv(card->ctx)->page) {
			if (!rails_card_dead(card)) {
				*watcher = card;
				return 0;
			}
			lost++;
		}
		rails_card_put(r, card);
	}
	if (!lost)
		return pnic_fail(-EOPNOTSUPP, "pnic_rails_mrc: no kernel of %u rails can tell when memory is unmapped", r->count);
	return pnic_fail(-ENODEV, "pnic_rails_mrc: all %u rails that could watch memory are lost", lost);
}

/* Somebody watches. With c->lock. */
static int rails_mrc_look(struct pnic_rails_mrc *c)
{
	struct rails_card *card;
	int err;

	if (!rails_card_dead(c->card))
		return 0;
	err = rails_mrc_watcher(c->rails, &card);
	if (err)
		return err;
	pnic_mrc_detach(&c->core);
	rails_card_put(c->rails, c->card);
	c->card = card;
	pnic_mrc_attach(&c->core, pnic_ctx_priv(card->ctx));
	return 0;
}

PNIC_EXPORT int pnic_rails_mrc_create(struct pnic_rails *r, const struct pnic_mrc_attr *attr, struct pnic_rails_mrc **out)
{
	struct pnic_rails_mrc *c;
	int err;

	if (!r || !attr || !out)
		return pnic_fail(-EINVAL, "pnic_rails_mrc_create: NULL argument");
	c = calloc(1, sizeof(*c));
	if (!c)
		return pnic_fail(-ENOMEM, "pnic_rails_mrc_create: out of memory");
	err = pnic_mrc_init(&c->core, &rails_mrc_ops, attr, "pnic_rails_mrc_create");
	if (!err)
		err = rails_mrc_watcher(r, &c->card);
	if (err) {
		free(c);
		return err;
	}
	c->rails = r;
	pthread_mutex_init(&c->lock, NULL);
	pnic_mrc_attach(&c->core, pnic_ctx_priv(c->card->ctx));
	pthread_mutex_lock(&r->lock);
	r->caches++;
	pthread_mutex_unlock(&r->lock);
	*out = c;
	return 0;
}

PNIC_EXPORT int pnic_rails_mrc_get(struct pnic_rails_mrc *c, void *addr, uint64_t length, struct pnic_rails_mr **mr)
{
	struct pnic_mrc_region *held;
	int err;

	if (!c || !mr)
		return pnic_fail(-EINVAL, "pnic_rails_mrc_get: NULL argument");
	pthread_mutex_lock(&c->lock);
	do {
		err = rails_mrc_look(c);
		if (!err)
			err = pnic_mrc_hold(&c->core, addr, length, &held);
		/* -ESTALE: the rail has another card, or none, since it was looked at. It is dead, and the next look sees it. */
	} while (err == -ESTALE);
	if (!err)
		*mr = held->rails_mr;
	pthread_mutex_unlock(&c->lock);
	return err;
}

PNIC_EXPORT void pnic_rails_mrc_put(struct pnic_rails_mrc *c, struct pnic_rails_mr *mr)
{
	if (!c || !mr)
		return;
	pthread_mutex_lock(&c->lock);
	pnic_mrc_release(&c->core, rails_region(mr)->cached);
	pthread_mutex_unlock(&c->lock);
}

PNIC_EXPORT int pnic_rails_mrc_query(struct pnic_rails_mrc *c, struct pnic_mrc_stats *stats)
{
	if (!c || !stats)
		return pnic_fail(-EINVAL, "pnic_rails_mrc_query: NULL argument");
	pthread_mutex_lock(&c->lock);
	pnic_mrc_ask(&c->core, stats);
	pthread_mutex_unlock(&c->lock);
	return 0;
}

PNIC_EXPORT int pnic_rails_mrc_destroy(struct pnic_rails_mrc *c)
{
	struct pnic_rails *r;
	uint32_t held;

	if (!c)
		return 0;
	pthread_mutex_lock(&c->lock);
	held = c->core.held;
	pthread_mutex_unlock(&c->lock);
	if (held)
		return pnic_fail(-EBUSY, "pnic_rails_mrc_destroy: %u regions of the cache are held", held);
	r = c->rails;
	pnic_mrc_detach(&c->core);
	pnic_mrc_fini(&c->core);
	rails_card_put(r, c->card);
	pthread_mutex_lock(&r->lock);
	r->caches--;
	pthread_mutex_unlock(&r->lock);
	pthread_mutex_destroy(&c->lock);
	free(c);
	return 0;
}
