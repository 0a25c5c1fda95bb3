// SPDX-License-Identifier: GPL-2.0
/*
 * Completion queues.
 *
 * Called by endpoints (entries), doorbells (consumer index, arming) and the admin queue. A queue
 * that dies stops its endpoints a little later, from pm_card_poll(): it is found full in the middle
 * of their work.
 */
#include <stdlib.h>

#include "card_priv.h"

static void die(struct pm_cq *cq, uint8_t status)
{
	if (cq->dead)
		return;
	cq->dead = true;
	pm_list_add_tail(&cq->dying, &cq->card->dying);
	pm_eq_notify(cq->eq, &cq->ev_error, PNIC_EV_CQ_ERROR, status, cq->cqn);
}

static void fire(struct pm_cq *cq)
{
	if (!cq->armed || cq->dead || (int32_t)(cq->pi - cq->arm_ci) <= 0)
		return;
	cq->armed = false;
	pm_eq_notify(cq->eq, &cq->ev, PNIC_EV_CQ, 0, cq->cqn);
}

/* The doorbell slot has a new value. */
void pm_cq_rung(struct pm_cq *cq, uint64_t val)
{
	uint32_t ci = val;

	if (cq->dead)
		return;
	if (cq->pi - ci > cq->mask + 1) {
		die(cq, PNIC_ST_OVERRUN);
		return;
	}
	cq->ci = ci;
	if (!(val & PNIC_DB_CQ_ARM))
		return;
	cq->armed = true;
	cq->arm_ci = ci;
	fire(cq);
}

/* With its phase. */
static bool write_entry(struct pm_cq *cq, struct pnic_cqe *e)
{
	uint32_t phase = cq->pi >> cq->log & 1 ? 0 : PNIC_CQE_PHASE;

	e->ep_flags = htole32((le32toh(e->ep_flags) & ~PNIC_CQE_PHASE) | phase);
	pm_card_garble_cqe(cq->card, e);
	if (!pm_dma_entry(cq->card, cq->base + (uint64_t)(cq->pi & cq->mask) * sizeof(*e), e,
			  sizeof(*e)))
		return false;
	cq->pi++;
	return true;
}

/* Writes an entry; the phase is added here. */
void pm_cq_post(struct pm_cq *cq, struct pnic_cqe *e)
{
	if (cq->dead)
		return;
	if (cq->pi - cq->ci > cq->mask)
		pm_db_look(cq->card, &cq->db);
	if (cq->pi - cq->ci > cq->mask) {
		die(cq, PNIC_ST_OVERRUN);
		return;
	}
	if (pm_card_take_garble(cq->card, PM_GARBLE_CQE_LOST))
		return;
	if (!write_entry(cq, e)) {
		die(cq, PNIC_ST_DMA_FAULT);
		return;
	}
	if (pm_card_take_garble(cq->card, PM_GARBLE_CQE_TWICE) && cq->pi - cq->ci <= cq->mask)
		write_entry(cq, e);
	cq->card->cqes++;
	fire(cq);
}

/* Stops the endpoints of the queues that have died. */
void pm_cq_bury(struct pm_card *c)
{
	while (!pm_list_empty(&c->dying)) {
		struct pm_cq *cq = pm_container(c->dying.next, struct pm_cq, dying);
		struct pm_list *l;

		pm_list_del(&cq->dying);
		for (l = cq->senders.next; l != &cq->senders; l = l->next)
			pm_ep_die(pm_container(l, struct pm_ep, scq_node), PNIC_ST_OVERRUN);
		for (l = cq->receivers.next; l != &cq->receivers; l = l->next)
			pm_ep_die(pm_container(l, struct pm_ep, rcq_node), PNIC_ST_OVERRUN);
	}
}

static uint8_t check_fields(const struct pnic_adm_create_cq *k, struct pm_admin_result *r)
{
	uint64_t base = le64toh(k->base);
	uint32_t ctx = le32toh(k->ctx);
	uint16_t slot = le16toh(k->db_slot);

	if (le32toh(k->cqn) >= PM_MAX_CQ)
		return PM_BAD(r, struct pnic_adm_create_cq, cqn);
	if (!ctx || ctx > PM_MAX_CTX)
		return PM_BAD(r, struct pnic_adm_create_cq, ctx);
	if (!base || base & 4095)
		return PM_BAD(r, struct pnic_adm_create_cq, base);
	if (le16toh(k->eqn) >= PM_MAX_EQ)
		return PM_BAD(r, struct pnic_adm_create_cq, eqn);
	if (k->log_size > PM_MAX_LOG_CQ)
		return PM_BAD(r, struct pnic_adm_create_cq, log_size);
	if (le32toh(k->db_page) >= PM_DB_PAGES)
		return PM_BAD(r, struct pnic_adm_create_cq, db_page);
	if (slot < PNIC_DB_SLOT_FIRST || slot >= PNIC_DB_SLOTS)
		return PM_BAD(r, struct pnic_adm_create_cq, db_slot);
	return PNIC_AS_OK;
}

static struct pm_cq *new_cq(struct pm_card *c, const struct pnic_adm_create_cq *k)
{
	struct pm_cq *cq = calloc(1, sizeof(*cq));

	if (!cq)
		return NULL;
	cq->card = c;
	cq->ctx = c->ctx[le32toh(k->ctx)];
	cq->eq = c->eq[le16toh(k->eqn)];
	cq->base = le64toh(k->base);
	cq->cqn = le32toh(k->cqn);
	cq->log = k->log_size;
	cq->mask = (1u << cq->log) - 1;
	pm_notice_init(&cq->ev);
	pm_notice_init(&cq->ev_error);
	pm_list_init(&cq->dying);
	pm_list_init(&cq->senders);
	pm_list_init(&cq->receivers);
	return cq;
}

uint8_t pm_adm_create_cq(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_create_cq *k = cmd;
	uint8_t st = check_fields(k, r);
	struct pm_cq *cq;

	if (st)
		return st;
	if (c->cq[le32toh(k->cqn)])
		return PNIC_AS_EXISTS;
	if (!c->ctx[le32toh(k->ctx)] || !c->eq[le16toh(k->eqn)])
		return PNIC_AS_NOT_FOUND;
	cq = new_cq(c, k);
	if (!cq)
		return PNIC_AS_NO_RESOURCE;
	st = pm_db_take(c, &cq->db, PM_DB_CQ, cq, cq->ctx, le32toh(k->db_page),
			le16toh(k->db_slot));
	if (st) {
		free(cq);
		return st;
	}
	cq->ctx->users++;
	cq->eq->users++;
	c->cq[cq->cqn] = cq;
	return PNIC_AS_OK;
}

void pm_cq_drop(struct pm_card *c, struct pm_cq *cq)
{
	pm_list_del(&cq->ev.node);
	pm_list_del(&cq->ev_error.node);
	pm_list_del(&cq->dying);
	pm_db_release(c, &cq->db);
	cq->ctx->users--;
	cq->eq->users--;
	c->cq[cq->cqn] = NULL;
	free(cq);
}

uint8_t pm_adm_destroy_cq(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_destroy *k = cmd;
	uint32_t cqn = le32toh(k->id);

	if (cqn >= PM_MAX_CQ)
		return PM_BAD(r, struct pnic_adm_destroy, id);
	if (!c->cq[cqn])
		return PNIC_AS_NOT_FOUND;
	if (c->cq[cqn]->users)
		return PNIC_AS_BUSY;
	pm_cq_drop(c, c->cq[cqn]);
	return PNIC_AS_OK;
}
