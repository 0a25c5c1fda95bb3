// SPDX-License-Identifier: GPL-2.0
/*
 * Completion counters: how many transfers succeeded and failed, written to host memory.
 *
 * Called by whatever ends a transfer (sq.c, ep.c, rx.c), by the doorbells (arming) and by the admin
 * queue.
 */
#include <stdlib.h>

#include "card_priv.h"

static void fire(struct pm_ctr *ctr)
{
	if (!ctr->threshold || ctr->ok + ctr->failed < ctr->threshold)
		return;
	ctr->threshold = 0;
	pm_eq_notify(ctr->eq, &ctr->ev, PNIC_EV_CTR, 0, ctr->id);
}

/* The doorbell slot has a new value. */
void pm_ctr_rung(struct pm_ctr *ctr, uint64_t val)
{
	ctr->threshold = val & ~PNIC_DB_CTR_TOGGLE;
	fire(ctr);
}

static bool store(struct pm_ctr *ctr, size_t offset, uint64_t val)
{
	size_t len = sizeof(val);
	uint64_t *p = pm_dma(ctr->card, ctr->addr + offset, &len, true);

	if (!p || len < sizeof(val)) {
		pm_card_fatal(ctr->card, PNIC_FATAL_DMA, ctr->id);
		return false;
	}
	__atomic_store_n(p, htole64(val), __ATOMIC_RELEASE);
	return true;
}

void pm_ctr_add(struct pm_ctr *ctr, bool ok)
{
	if (ok)
		store(ctr, offsetof(struct pnic_ctr_mem, ok), ++ctr->ok);
	else
		store(ctr, offsetof(struct pnic_ctr_mem, failed), ++ctr->failed);
	fire(ctr);
}

static void set(struct pm_ep *ep, unsigned int i, struct pm_ctr *ctr)
{
	if (ep->ctr[i])
		ep->ctr[i]->users--;
	if (ctr)
		ctr->users++;
	ep->ctr[i] = ctr;
}

void pm_ctr_unbind(struct pm_ep *ep)
{
	unsigned int i;

	for (i = 0; i < PM_CTR_KINDS; i++)
		set(ep, i, NULL);
}

uint8_t pm_adm_bind_ctr(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_bind_ctr *k = cmd;
	uint32_t epn = le32toh(k->epn), id = le32toh(k->ctr);
	uint16_t kinds = le16toh(k->kinds);
	struct pm_ctr *ctr = NULL;
	unsigned int i;

	if (epn >= PM_MAX_EP)
		return PM_BAD(r, struct pnic_adm_bind_ctr, epn);
	if (id >= PM_MAX_CTR || (!k->bind && id))
		return PM_BAD(r, struct pnic_adm_bind_ctr, ctr);
	if (!kinds || kinds & ~PNIC_CTR_ALL)
		return PM_BAD(r, struct pnic_adm_bind_ctr, kinds);
	if (k->bind > 1)
		return PM_BAD(r, struct pnic_adm_bind_ctr, bind);
	if (!c->ep[epn])
		return PNIC_AS_NOT_FOUND;
	if (k->bind) {
		ctr = c->ctr[id];
		if (!ctr || ctr->ctx != c->ep[epn]->ctx)
			return PNIC_AS_NOT_FOUND;
	}
	for (i = 0; i < PM_CTR_KINDS; i++) {
		if (kinds & 1u << i)
			set(c->ep[epn], i, ctr);
	}
	return PNIC_AS_OK;
}

static uint8_t check_fields(const struct pnic_adm_create_ctr *k, struct pm_admin_result *r)
{
	uint64_t addr = le64toh(k->addr);
	uint32_t ctx = le32toh(k->ctx);
	uint16_t slot = le16toh(k->db_slot);

	if (le32toh(k->ctr) >= PM_MAX_CTR)
		return PM_BAD(r, struct pnic_adm_create_ctr, ctr);
	if (!ctx || ctx > PM_MAX_CTX)
		return PM_BAD(r, struct pnic_adm_create_ctr, ctx);
	if (!addr || addr & (sizeof(struct pnic_ctr_mem) - 1))
		return PM_BAD(r, struct pnic_adm_create_ctr, addr);
	if (le16toh(k->eqn) >= PM_MAX_EQ)
		return PM_BAD(r, struct pnic_adm_create_ctr, eqn);
	if (slot < PNIC_DB_SLOT_FIRST || slot >= PNIC_DB_SLOTS)
		return PM_BAD(r, struct pnic_adm_create_ctr, db_slot);
	if (le32toh(k->db_page) >= PM_DB_PAGES)
		return PM_BAD(r, struct pnic_adm_create_ctr, db_page);
	return PNIC_AS_OK;
}

static struct pm_ctr *new_ctr(struct pm_card *c, const struct pnic_adm_create_ctr *k)
{
	struct pm_ctr *ctr = calloc(1, sizeof(*ctr));

	if (!ctr)
		return NULL;
	ctr->card = c;
	ctr->ctx = c->ctx[le32toh(k->ctx)];
	ctr->eq = c->eq[le16toh(k->eqn)];
	ctr->addr = le64toh(k->addr);
	ctr->id = le32toh(k->ctr);
	pm_notice_init(&ctr->ev);
	return ctr;
}

uint8_t pm_adm_create_ctr(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	static const struct pnic_ctr_mem zero;
	const struct pnic_adm_create_ctr *k = cmd;
	uint8_t st = check_fields(k, r);
	struct pm_ctr *ctr;

	if (st)
		return st;
	if (c->ctr[le32toh(k->ctr)])
		return PNIC_AS_EXISTS;
	if (!c->ctx[le32toh(k->ctx)] || !c->eq[le16toh(k->eqn)])
		return PNIC_AS_NOT_FOUND;
	ctr = new_ctr(c, k);
	if (!ctr)
		return PNIC_AS_NO_RESOURCE;
	st = pm_db_take(c, &ctr->db, PM_DB_CTR, ctr, ctr->ctx, le32toh(k->db_page),
			le16toh(k->db_slot));
	if (st) {
		free(ctr);
		return st;
	}
	/* Last: it may be the memory of another counter, which a refusal must leave as it is. */
	if (!pm_dma_write(c, ctr->addr, &zero, sizeof(zero))) {
		r->result[0] = ctr->addr;
		pm_db_release(c, &ctr->db);
		free(ctr);
		return PNIC_AS_DMA_FAULT;
	}
	ctr->ctx->users++;
	ctr->eq->users++;
	c->ctr[ctr->id] = ctr;
	return PNIC_AS_OK;
}

void pm_ctr_drop(struct pm_card *c, struct pm_ctr *ctr)
{
	pm_list_del(&ctr->ev.node);
	pm_db_release(c, &ctr->db);
	ctr->ctx->users--;
	ctr->eq->users--;
	c->ctr[ctr->id] = NULL;
	free(ctr);
}

uint8_t pm_adm_destroy_ctr(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_destroy *k = cmd;
	uint32_t id = le32toh(k->id);

	if (id >= PM_MAX_CTR)
		return PM_BAD(r, struct pnic_adm_destroy, id);
	if (!c->ctr[id])
		return PNIC_AS_NOT_FOUND;
	if (c->ctr[id]->users)
		return PNIC_AS_BUSY;
	pm_ctr_drop(c, c->ctr[id]);
	return PNIC_AS_OK;
}
