// SPDX-License-Identifier: GPL-2.0
/*
 * Doorbells: pages and their slots, and how the card finds the ones that were rung.
 *
 * The slots of all rings stand in one table. Each look goes over the few that rang lately and over
 * a slice of the table, so that ten thousand idle endpoints cost a busy one next to nothing; only
 * when a whole turn of the table found nothing new does the card call itself idle.
 */
#include <stdlib.h>

#include "card_priv.h"

#define SLICE	256u

_Static_assert(PNIC_DB_SLOTS / 64 <= 8, "struct pm_db_page.words");

void *pm_db_slot(struct pm_card *c, unsigned int page, unsigned int slot)
{
	return c->db_mem + (size_t)page * PNIC_PAGE_SIZE + slot * 8;
}

static void rung(struct pm_card *c, struct pm_db *db, uint64_t val)
{
	c->doorbells++;
	switch (db->kind) {
	case PM_DB_SQ:
		pm_ep_sq_rung(db->obj, val);
		break;
	case PM_DB_RQ:
		pm_rq_rung(db->obj, val);
		break;
	case PM_DB_CTR:
		pm_ctr_rung(db->obj, val);
		break;
	case PM_DB_CQ:
		pm_cq_rung(db->obj, val);
		break;
	}
}

static bool look(struct pm_card *c, struct pm_db_ent *e)
{
	uint64_t val = __atomic_load_n(e->slot, __ATOMIC_ACQUIRE);

	if (val == e->last)
		return false;
	e->last = val;
	rung(c, e->db, le64toh(val));
	return true;
}

void pm_db_look(struct pm_card *c, struct pm_db *db)
{
	look(c, &c->db_tab[db->pos]);
}

/* A few slots are all looked at anyway. */
static void make_hot(struct pm_card *c, struct pm_db *db)
{
	unsigned int i = c->db_hot_next;

	if (db->hot || c->db_n <= PM_DB_HOT)
		return;
	if (c->db_hot[i])
		c->db_hot[i]->hot = 0;
	c->db_hot[i] = db;
	db->hot = i + 1;
	c->db_hot_next = (i + 1) % PM_DB_HOT;
	if (c->db_hot_n <= i)
		c->db_hot_n = i + 1;
}

static bool scan_range(struct pm_card *c, uint32_t n)
{
	bool any = false;

	while (n--) {
		if (c->db_cursor >= c->db_n)
			c->db_cursor = 0;
		if (look(c, &c->db_tab[c->db_cursor])) {
			make_hot(c, c->db_tab[c->db_cursor].db);
			any = true;
		}
		c->db_cursor++;
	}
	return any;
}

static bool look_page(struct pm_card *c, const struct pm_db_page *p)
{
	unsigned int i, words;
	bool any = false;
	uint64_t left;

	for (words = p->words; words; words &= words - 1) {
		i = (unsigned int)__builtin_ctz(words);
		for (left = p->taken[i]; left; left &= left - 1)
			any |= look(c, &c->db_tab[p->db[64 * i + (unsigned int)__builtin_ctzll(left)]->pos]);
	}
	return any;
}

/* Where the host says which pages to look at. */
static bool look_rung(struct pm_card *c)
{
	uint64_t left = c->db_rung;
	bool any = false;
	unsigned int i;

	c->db_rung = 0;
	for (; left; left &= left - 1)
		for (i = (unsigned int)__builtin_ctzll(left); i < c->page_end; i += 64)
			if (c->page[i])
				any |= look_page(c, c->page[i]);
	return any;
}

void pm_card_rung(struct pm_card *c, uint64_t pages)
{
	c->db_rung |= pages;
}

bool pm_card_rung_page(struct pm_card *c, unsigned int page)
{
	if (!pm_card_ready(c) || c->frozen || page >= PM_DB_PAGES || !c->page[page]) {
		pm_card_rung(c, 1ull << page % 64);
		return false;
	}
	look_page(c, c->page[page]);
	return pm_tx_only(c) && pm_card_at_rest(c);
}

/*
 * One look. True: something rang. *@all_seen: nothing has, in the last looks together over the
 * whole table; the next look begins a new turn.
 */
bool pm_db_scan(struct pm_card *c, bool *all_seen)
{
	uint32_t n = c->db_n < SLICE ? c->db_n : SLICE;
	bool any = false;
	unsigned int i;

	if (c->fabric->cfg.parked) {
		*all_seen = true;
		return c->db_rung && look_rung(c);
	}
	for (i = 0; i < c->db_hot_n; i++) {
		if (c->db_hot[i] && look(c, &c->db_tab[c->db_hot[i]->pos]))
			any = true;
	}
	any |= scan_range(c, n);
	c->db_clean = any ? 0 : c->db_clean + n;
	*all_seen = c->db_clean >= c->db_n;
	if (*all_seen)
		c->db_clean = 0;
	return any;
}

bool pm_db_scan_all(struct pm_card *c)
{
	return scan_range(c, c->db_n);
}

void pm_db_park(struct pm_card *c, bool park)
{
	unsigned int i;

	for (i = 0; i < PM_DB_PAGES; i++) {
		uint64_t *slot = pm_db_slot(c, i, PNIC_DB_SLOT_PARK);

		if (c->page[i])
			__atomic_store_n(slot, htole64(park ? PNIC_DB_PARKED : 0),
					 __ATOMIC_SEQ_CST);
	}
}

static bool grow(struct pm_card *c)
{
	uint32_t cap = c->db_cap ? 2 * c->db_cap : 64;
	struct pm_db_ent *tab;

	if (c->db_n < c->db_cap)
		return true;
	tab = realloc(c->db_tab, cap * sizeof(*tab));
	if (!tab)
		return false;
	c->db_tab = tab;
	c->db_cap = cap;
	return true;
}

/*
 * Ties a ring to its slot, which reads 0 afterwards. An admin status: NOT_FOUND if the page is not
 * the context's.
 */
uint8_t pm_db_take(struct pm_card *c, struct pm_db *db, enum pm_db_kind kind, void *obj,
		   const struct pm_ctx *ctx, uint32_t page, uint32_t slot)
{
	struct pm_db_page *p = c->page[page];
	uint64_t bit = 1ull << (slot % 64);

	if (!p || p->ctx != ctx->id)
		return PNIC_AS_NOT_FOUND;
	if (p->taken[slot / 64] & bit)
		return PNIC_AS_EXISTS;
	if (!grow(c))
		return PNIC_AS_NO_RESOURCE;
	p->taken[slot / 64] |= bit;
	p->words |= 1u << slot / 64;
	p->db[slot] = db;
	p->used++;
	db->obj = obj;
	db->kind = kind;
	db->page = page;
	db->slot = slot;
	db->hot = 0;
	db->pos = c->db_n++;
	c->db_tab[db->pos].slot = pm_db_slot(c, page, slot);
	c->db_tab[db->pos].db = db;
	pm_db_zero(c, db);
	return PNIC_AS_OK;
}

void pm_db_zero(struct pm_card *c, struct pm_db *db)
{
	struct pm_db_ent *e = &c->db_tab[db->pos];

	e->last = 0;
	__atomic_store_n(e->slot, 0, __ATOMIC_RELEASE);
}

void pm_db_release(struct pm_card *c, struct pm_db *db)
{
	struct pm_db_page *p = c->page[db->page];

	p->taken[db->slot / 64] &= ~(1ull << (db->slot % 64));
	if (!p->taken[db->slot / 64])
		p->words &= ~(1u << db->slot / 64);
	p->used--;
	if (db->hot)
		c->db_hot[db->hot - 1] = NULL;
	c->db_tab[db->pos] = c->db_tab[--c->db_n];
	if (db->pos < c->db_n)
		c->db_tab[db->pos].db->pos = db->pos;
}

static uint8_t check_fields(const struct pnic_adm_bind_db *k, struct pm_admin_result *r)
{
	uint32_t ctx = le32toh(k->ctx);

	if (!ctx || ctx > PM_MAX_CTX)
		return PM_BAD(r, struct pnic_adm_bind_db, ctx);
	if (le32toh(k->page) >= PM_DB_PAGES)
		return PM_BAD(r, struct pnic_adm_bind_db, page);
	return PNIC_AS_OK;
}

uint8_t pm_adm_bind_db(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_bind_db *k = cmd;
	uint8_t st = check_fields(k, r);
	uint32_t page = le32toh(k->page);
	struct pm_ctx *ctx;

	if (st)
		return st;
	if (c->page[page])
		return PNIC_AS_EXISTS;
	ctx = c->ctx[le32toh(k->ctx)];
	if (!ctx)
		return PNIC_AS_NOT_FOUND;
	if (!c->db_mem)
		return PNIC_AS_NO_RESOURCE;
	c->page[page] = calloc(1, sizeof(**c->page));
	if (!c->page[page])
		return PNIC_AS_NO_RESOURCE;
	c->page[page]->ctx = ctx->id;
	c->page_used[page] = true;
	if (c->page_end <= page)
		c->page_end = page + 1;
	memset(pm_db_slot(c, page, 0), 0, PNIC_PAGE_SIZE);
	if (c->fabric->cfg.parked)
		__atomic_store_n((uint64_t *)pm_db_slot(c, page, PNIC_DB_SLOT_PARK), htole64(PNIC_DB_PARKED),
				 __ATOMIC_SEQ_CST);
	ctx->users++;
	return PNIC_AS_OK;
}

uint8_t pm_adm_unbind_db(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_bind_db *k = cmd;
	uint8_t st = check_fields(k, r);
	uint32_t page = le32toh(k->page);
	struct pm_db_page *p;

	if (st)
		return st;
	p = c->page[page];
	if (!p || p->ctx != le32toh(k->ctx))
		return PNIC_AS_NOT_FOUND;
	if (p->used)
		return PNIC_AS_BUSY;
	c->ctx[p->ctx]->users--;
	free(p);
	c->page[page] = NULL;
	return PNIC_AS_OK;
}
