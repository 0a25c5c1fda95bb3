// SPDX-License-Identifier: GPL-2.0
/*
 * Receive rings: an endpoint's own, and queues that endpoints share.
 *
 * Called by the doorbells (producer index), by rx.c, which takes entries, by flow.c, whose messages
 * wait for them, and by the admin queue.
 */
#include <stdlib.h>

#include "card_priv.h"

void pm_rq_init(struct pm_rq *rq, struct pm_card *c, uint64_t base, unsigned int log)
{
	memset(rq, 0, sizeof(*rq));
	rq->card = c;
	rq->base = base;
	rq->mask = (1u << log) - 1;
	pm_list_init(&rq->waiting);
	pm_list_init(&rq->users);
}

/* Cancelled entries that nothing stands before any more are gone. */
static void skip(struct pm_rq *rq)
{
	if (!rq->ncancelled)
		return;
	while (rq->ci != rq->pi && rq->cancelled[rq->ci & rq->mask]) {
		rq->cancelled[rq->ci & rq->mask] = false;
		rq->ncancelled--;
		rq->ci++;
	}
}

/* It can't be used any more, nor can what uses it. */
static void die(struct pm_rq *rq, uint8_t status)
{
	struct pm_list *l;

	if (rq->owner) {
		pm_ep_die(rq->owner, status);
		return;
	}
	rq->dead = true;
	for (l = rq->users.next; l != &rq->users; l = l->next)
		pm_ep_die(pm_container(l, struct pm_ep, srq_node), status);
}

static bool dead(const struct pm_rq *rq)
{
	return rq->owner ? rq->owner->state == PM_EP_DEAD : rq->dead;
}

void pm_rq_rung(struct pm_rq *rq, uint32_t pi)
{
	if (dead(rq))
		return;
	if (pi - rq->ci > rq->mask + 1) {
		die(rq, PNIC_ST_OVERRUN);
		return;
	}
	rq->pi = pi;
	/* What waits for it goes on at once, and is answered. */
	if (!pm_list_empty(&rq->waiting))
		pm_fabric_touch(rq->card->fabric);
	pm_flow_wake(rq);
}

static bool read_entry(struct pm_rq *rq, uint32_t index, struct pnic_rqe *rqe)
{
	return pm_dma_read(rq->card, rq->base + (uint64_t)(index & rq->mask) * sizeof(*rqe), rqe,
			   sizeof(*rqe));
}

/* The next entry is *@rqe. False: the ring can't be read, and is dead. */
bool pm_rq_take(struct pm_rq *rq, struct pnic_rqe *rqe)
{
	if (!read_entry(rq, rq->ci, rqe)) {
		die(rq, PNIC_ST_DMA_FAULT);
		return false;
	}
	rq->ci++;
	skip(rq);
	return true;
}

/* RESET_EP: what is in the ring is over. */
void pm_rq_flush(struct pm_ep *ep)
{
	struct pm_rq *rq = &ep->own;
	struct pnic_rqe rqe;

	for (skip(rq); rq->ci != rq->pi; skip(rq)) {
		if (!read_entry(rq, rq->ci, &rqe))
			break;
		rq->ci++;
		pm_ep_recv_complete(ep, le64toh(rqe.cookie), PNIC_OP_RECV, PNIC_ST_FLUSHED, 0, 0, 0, 0);
	}
	rq->pi = 0;
	rq->ci = 0;
	if (rq->cancelled)
		memset(rq->cancelled, 0, (rq->mask + 1) * sizeof(*rq->cancelled));
	rq->ncancelled = 0;
}

void pm_rq_end(struct pm_rq *rq)
{
	free(rq->cancelled);
	rq->cancelled = NULL;
	pm_db_release(rq->card, &rq->db);
}

static struct pm_rq *find(struct pm_card *c, const struct pnic_adm_cancel_recv *k)
{
	uint32_t id = le32toh(k->id);

	if (k->srq)
		return c->srq[id] ? &c->srq[id]->rq : NULL;
	return c->ep[id] && c->ep[id]->rq == &c->ep[id]->own ? c->ep[id]->rq : NULL;
}

uint8_t pm_adm_cancel_recv(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_cancel_recv *k = cmd;
	uint32_t index = le32toh(k->index);
	struct pm_rq *rq;

	if (le32toh(k->id) >= (k->srq ? PM_MAX_SRQ : PM_MAX_EP))
		return PM_BAD(r, struct pnic_adm_cancel_recv, id);
	if (k->srq > 1)
		return PM_BAD(r, struct pnic_adm_cancel_recv, srq);
	rq = find(c, k);
	if (!rq)
		return PNIC_AS_NOT_FOUND;
	pm_db_look(c, &rq->db);
	if (dead(rq) || index - rq->ci >= rq->pi - rq->ci)
		return PNIC_AS_NOT_FOUND;
	if (!rq->cancelled)
		rq->cancelled = calloc(rq->mask + 1, sizeof(*rq->cancelled));
	if (!rq->cancelled)
		return PNIC_AS_NO_RESOURCE;
	if (rq->cancelled[index & rq->mask])
		return PNIC_AS_NOT_FOUND;
	rq->cancelled[index & rq->mask] = true;
	rq->ncancelled++;
	skip(rq);
	return PNIC_AS_OK;
}

static uint8_t check_fields(const struct pnic_adm_create_srq *k, struct pm_admin_result *r)
{
	uint32_t ctx = le32toh(k->ctx);
	uint64_t base = le64toh(k->base);
	uint16_t slot = le16toh(k->db_slot);

	if (le32toh(k->srqn) >= PM_MAX_SRQ)
		return PM_BAD(r, struct pnic_adm_create_srq, srqn);
	if (!ctx || ctx > PM_MAX_CTX)
		return PM_BAD(r, struct pnic_adm_create_srq, ctx);
	if (!base || base & (PNIC_PAGE_SIZE - 1))
		return PM_BAD(r, struct pnic_adm_create_srq, base);
	if (k->log_size > PM_MAX_LOG_RQ)
		return PM_BAD(r, struct pnic_adm_create_srq, log_size);
	if (le32toh(k->db_page) >= PM_DB_PAGES)
		return PM_BAD(r, struct pnic_adm_create_srq, db_page);
	if (slot < PNIC_DB_SLOT_FIRST || slot >= PNIC_DB_SLOTS)
		return PM_BAD(r, struct pnic_adm_create_srq, db_slot);
	return PNIC_AS_OK;
}

uint8_t pm_adm_create_srq(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_create_srq *k = cmd;
	uint32_t srqn = le32toh(k->srqn);
	uint8_t st = check_fields(k, r);
	struct pm_ctx *ctx;
	struct pm_srq *srq;

	if (st)
		return st;
	if (c->srq[srqn])
		return PNIC_AS_EXISTS;
	ctx = c->ctx[le32toh(k->ctx)];
	if (!ctx)
		return PNIC_AS_NOT_FOUND;
	srq = calloc(1, sizeof(*srq));
	if (!srq)
		return PNIC_AS_NO_RESOURCE;
	pm_rq_init(&srq->rq, c, le64toh(k->base), k->log_size);
	st = pm_db_take(c, &srq->rq.db, PM_DB_RQ, &srq->rq, ctx, le32toh(k->db_page),
			le16toh(k->db_slot));
	if (st) {
		free(srq);
		return st;
	}
	srq->ctx = ctx;
	srq->srqn = srqn;
	ctx->users++;
	c->srq[srqn] = srq;
	return PNIC_AS_OK;
}

void pm_srq_drop(struct pm_card *c, struct pm_srq *srq)
{
	pm_rq_end(&srq->rq);
	srq->ctx->users--;
	c->srq[srq->srqn] = NULL;
	free(srq);
}

uint8_t pm_adm_destroy_srq(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_destroy *k = cmd;
	uint32_t srqn = le32toh(k->id);

	if (srqn >= PM_MAX_SRQ)
		return PM_BAD(r, struct pnic_adm_destroy, id);
	if (!c->srq[srqn])
		return PNIC_AS_NOT_FOUND;
	if (!pm_list_empty(&c->srq[srqn]->rq.users))
		return PNIC_AS_BUSY;
	pm_srq_drop(c, c->srq[srqn]);
	return PNIC_AS_OK;
}
