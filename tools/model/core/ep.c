// SPDX-License-Identifier: GPL-2.0
/*
 * Endpoints: creation, stopping, death, reset, and their receive completions.
 *
 * Called by the admin queue, the doorbells, and by the transport when a transfer or a ring
 * goes wrong.
 */
#include <stdlib.h>

#include "card_priv.h"

struct pm_ep *pm_ep_find(struct pm_card *c, uint32_t epn)
{
	return epn < PM_MAX_EP ? c->ep[epn] : NULL;
}

/* STOP_ON_ERROR: what has not begun is flushed, what has begun ends as it ends. */
void pm_ep_stop(struct pm_ep *ep, uint8_t status)
{
	if (ep->state != PM_EP_RUN)
		return;
	ep->state = PM_EP_STOPPED;
	pm_eq_notify(ep->scq->eq, &ep->ev_error, PNIC_EV_EP_ERROR, status, ep->epn);
	pm_tx_kick(ep);
}

static void end_jobs(struct pm_ep *ep)
{
	while (!pm_list_empty(&ep->jobs)) {
		struct pm_msg *job = pm_container(ep->jobs.next, struct pm_msg, job);

		pm_rx_respond(ep->card, job->dst_nic, job->dst_ep, ep->epn, job->peer_msg,
			      PNIC_ST_REMOTE_EP, 0);
		pm_tx_job_free(job);
	}
}

/* A ring or CQ can't be used any more: nothing is taken from here on, and nothing is served. */
void pm_ep_die(struct pm_ep *ep, uint8_t status)
{
	if (ep->state == PM_EP_DEAD)
		return;
	pm_fabric_touch(ep->card->fabric);
	ep->state = PM_EP_DEAD;
	pm_eq_notify(ep->scq->eq, &ep->ev_error, PNIC_EV_EP_ERROR, status, ep->epn);
	end_jobs(ep);
	pm_flow_end_ep(ep, PNIC_ST_REMOTE_EP);
	pm_tx_kick(ep);
}

void pm_ep_sq_rung(struct pm_ep *ep, uint32_t pi)
{
	if (ep->state == PM_EP_DEAD)
		return;
	if (pi - ep->sq_fetch > ep->sq_mask + 1) {
		pm_ep_die(ep, PNIC_ST_OVERRUN);
		return;
	}
	ep->sq_pi = pi;
	pm_tx_kick(ep);
}

void pm_ep_recv_complete(struct pm_ep *ep, uint64_t cookie, uint8_t op, uint8_t status,
			 uint32_t len, uint64_t imm, uint32_t src_nic, uint32_t src_ep)
{
	struct pnic_cqe e = {
		.cookie = htole64(cookie),
		.data = htole64(op == PNIC_OP_RECV || status ? 0 : imm),
		.length = htole32(status ? 0 : len),
		.nic_op = htole32(src_nic | (uint32_t)op << PNIC_CQE_HIGH_SHIFT),
		.peer_status = htole32(src_ep | (uint32_t)status << PNIC_CQE_HIGH_SHIFT),
		.ep_flags = htole32(ep->epn),
	};

	pm_cq_post(ep->rcq, &e);
	pm_ctr_count(ep, PNIC_CTR_RECV, !status);
}

static uint8_t check_numbers(const struct pm_card *c, const struct pnic_adm_create_ep *k,
			     struct pm_admin_result *r)
{
	uint16_t flags = PNIC_EPF_STOP_ON_ERROR |
			 (pm_card_can(c, PNIC_CAP_LO_SRQ) ? PNIC_EPF_SRQ : 0);
	bool shared = le16toh(k->flags) & PNIC_EPF_SRQ;
	uint32_t ctx = le32toh(k->ctx);

	if (le32toh(k->epn) >= PM_MAX_EP)
		return PM_BAD(r, struct pnic_adm_create_ep, epn);
	if (!ctx || ctx > PM_MAX_CTX)
		return PM_BAD(r, struct pnic_adm_create_ep, ctx);
	if (le16toh(k->flags) & ~flags)
		return PM_BAD(r, struct pnic_adm_create_ep, flags);
	if (le32toh(k->send_cqn) >= PM_MAX_CQ)
		return PM_BAD(r, struct pnic_adm_create_ep, send_cqn);
	if (le32toh(k->recv_cqn) >= PM_MAX_CQ)
		return PM_BAD(r, struct pnic_adm_create_ep, recv_cqn);
	if (shared ? le32toh(k->srqn) >= PM_MAX_SRQ : k->srqn)
		return PM_BAD(r, struct pnic_adm_create_ep, srqn);
	return PNIC_AS_OK;
}

static bool bad_slot(__le16 slot)
{
	return le16toh(slot) < PNIC_DB_SLOT_FIRST || le16toh(slot) >= PNIC_DB_SLOTS;
}

static uint8_t check_rings(const struct pnic_adm_create_ep *k, struct pm_admin_result *r)
{
	uint64_t sq = le64toh(k->sq_base), rq = le64toh(k->rq_base);

	if (!sq || sq & 4095)
		return PM_BAD(r, struct pnic_adm_create_ep, sq_base);
	if (rq & 4095 || (rq && le16toh(k->flags) & PNIC_EPF_SRQ))
		return PM_BAD(r, struct pnic_adm_create_ep, rq_base);
	if (k->sq_log_size < 4 || k->sq_log_size > PM_MAX_LOG_SQ)
		return PM_BAD(r, struct pnic_adm_create_ep, sq_log_size);
	if (k->rq_log_size > PM_MAX_LOG_RQ || (k->rq_log_size && !rq))
		return PM_BAD(r, struct pnic_adm_create_ep, rq_log_size);
	if (le32toh(k->db_page) >= PM_DB_PAGES)
		return PM_BAD(r, struct pnic_adm_create_ep, db_page);
	if (bad_slot(k->sq_slot))
		return PM_BAD(r, struct pnic_adm_create_ep, sq_slot);
	if (rq && bad_slot(k->rq_slot))
		return PM_BAD(r, struct pnic_adm_create_ep, rq_slot);
	return PNIC_AS_OK;
}

/* Something that it needs is dead: RESET_EP can't help. */
static bool unusable(const struct pm_ep *ep)
{
	return ep->scq->dead || ep->rcq->dead || (ep->rq && ep->rq->dead);
}

static bool has_own_ring(const struct pm_ep *ep)
{
	return ep->rq == &ep->own;
}

static struct pm_ep *new_ep(struct pm_card *c, const struct pnic_adm_create_ep *k)
{
	struct pm_ep *ep = calloc(1, sizeof(*ep));

	if (!ep)
		return NULL;
	ep->card = c;
	ep->ctx = c->ctx[le32toh(k->ctx)];
	ep->scq = c->cq[le32toh(k->send_cqn)];
	ep->rcq = c->cq[le32toh(k->recv_cqn)];
	ep->sq_base = le64toh(k->sq_base);
	ep->sq_mask = (1u << k->sq_log_size) - 1;
	pm_rq_init(&ep->own, c, le64toh(k->rq_base), k->rq_log_size);
	ep->own.owner = ep;
	if (le16toh(k->flags) & PNIC_EPF_SRQ)
		ep->rq = &c->srq[le32toh(k->srqn)]->rq;
	else if (ep->own.base)
		ep->rq = &ep->own;
	ep->epn = le32toh(k->epn);
	ep->gen = ++c->ep_gen;
	ep->rnr_us = le32toh(k->rnr_timeout_us);
	ep->flags = le16toh(k->flags);
	ep->state = unusable(ep) ? PM_EP_DEAD : PM_EP_RUN;
	pm_list_init(&ep->run);
	pm_list_init(&ep->flows);
	pm_list_init(&ep->all);
	pm_list_init(&ep->jobs);
	pm_list_init(&ep->scq_node);
	pm_list_init(&ep->rcq_node);
	pm_list_init(&ep->srq_node);
	pm_notice_init(&ep->ev_error);
	return ep;
}

static uint8_t take_slots(struct pm_card *c, struct pm_ep *ep, const struct pnic_adm_create_ep *k,
			  struct pm_admin_result *r)
{
	uint32_t page = le32toh(k->db_page);
	uint8_t st;

	st = pm_db_take(c, &ep->sq_db, PM_DB_SQ, ep, ep->ctx, page, le16toh(k->sq_slot));
	if (st) {
		r->result[0] = offsetof(struct pnic_adm_create_ep, sq_slot);
		return st;
	}
	if (!has_own_ring(ep))
		return PNIC_AS_OK;
	st = pm_db_take(c, &ep->own.db, PM_DB_RQ, ep->rq, ep->ctx, page, le16toh(k->rq_slot));
	if (st) {
		r->result[0] = offsetof(struct pnic_adm_create_ep, rq_slot);
		pm_db_release(c, &ep->sq_db);
	}
	return st;
}

static bool found_srq(struct pm_card *c, const struct pm_ctx *ctx, const struct pnic_adm_create_ep *k)
{
	const struct pm_srq *srq;

	if (!(le16toh(k->flags) & PNIC_EPF_SRQ))
		return true;
	srq = c->srq[le32toh(k->srqn)];
	return srq && srq->ctx == ctx;
}

static struct pm_cq *find_cq(struct pm_card *c, const struct pm_ctx *ctx, uint32_t cqn)
{
	struct pm_cq *cq = c->cq[cqn];

	return cq && cq->ctx == ctx ? cq : NULL;
}

uint8_t pm_adm_create_ep(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_create_ep *k = cmd;
	uint8_t st = check_numbers(c, k, r);
	struct pm_ctx *ctx;
	struct pm_ep *ep;

	if (!st)
		st = check_rings(k, r);
	if (st)
		return st;
	if (c->ep[le32toh(k->epn)])
		return PNIC_AS_EXISTS;
	ctx = c->ctx[le32toh(k->ctx)];
	if (!ctx || !find_cq(c, ctx, le32toh(k->send_cqn)) ||
	    !find_cq(c, ctx, le32toh(k->recv_cqn)) || !found_srq(c, ctx, k))
		return PNIC_AS_NOT_FOUND;
	ep = new_ep(c, k);
	if (!ep)
		return PNIC_AS_NO_RESOURCE;
	st = take_slots(c, ep, k, r);
	if (st) {
		free(ep);
		return st;
	}
	ctx->users++;
	ep->scq->users++;
	ep->rcq->users++;
	c->ep[ep->epn] = ep;
	pm_list_add_tail(&ep->all, &c->eps);
	pm_list_add_tail(&ep->scq_node, &ep->scq->senders);
	pm_list_add_tail(&ep->rcq_node, &ep->rcq->receivers);
	if (ep->rq && !has_own_ring(ep))
		pm_list_add_tail(&ep->srq_node, &ep->rq->users);
	return PNIC_AS_OK;
}

/*
 * Takes an endpoint away. Its transfers and those to it are ended, none of its own with a
 * completion.
 */
void pm_ep_drop(struct pm_ep *ep)
{
	struct pm_card *c = ep->card;
	struct pm_msg *m;

	ep->state = PM_EP_DEAD;
	end_jobs(ep);
	pm_flow_end_ep(ep, PNIC_ST_REMOTE_EP);
	while ((m = ep->head)) {
		if (pm_msg_on_wire(m))
			pm_tx_abort(m);
		ep->head = m->next;
		pm_msg_put(c, m);
	}
	pm_list_del(&ep->run);
	pm_list_del(&ep->all);
	pm_list_del(&ep->scq_node);
	pm_list_del(&ep->rcq_node);
	pm_list_del(&ep->srq_node);
	pm_list_del(&ep->ev_error.node);
	pm_db_release(c, &ep->sq_db);
	if (has_own_ring(ep))
		pm_rq_end(ep->rq);
	pm_ctr_unbind(ep);
	ep->ctx->users--;
	ep->scq->users--;
	ep->rcq->users--;
	c->ep[ep->epn] = NULL;
	free(ep);
}

static uint8_t check_id(struct pm_card *c, const struct pnic_adm_destroy *k,
			struct pm_admin_result *r)
{
	if (le32toh(k->id) >= PM_MAX_EP)
		return PM_BAD(r, struct pnic_adm_destroy, id);
	return c->ep[le32toh(k->id)] ? PNIC_AS_OK : PNIC_AS_NOT_FOUND;
}

uint8_t pm_adm_destroy_ep(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_destroy *k = cmd;
	uint8_t st = check_id(c, k, r);

	if (!st)
		pm_ep_drop(c->ep[le32toh(k->id)]);
	return st;
}

uint8_t pm_adm_reset_ep(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_destroy *k = cmd;
	uint8_t st = check_id(c, k, r);
	struct pm_ep *ep;

	if (st)
		return st;
	ep = c->ep[le32toh(k->id)];
	if (unusable(ep))
		return PNIC_AS_WRONG_STATE;
	pm_db_look(c, &ep->sq_db);
	if (ep->rq)
		pm_db_look(c, &ep->rq->db);
	if (ep->state == PM_EP_RUN)
		ep->state = PM_EP_STOPPED;
	pm_sq_flush(ep);
	pm_flow_reset_ep(ep);
	if (has_own_ring(ep))
		pm_rq_flush(ep);
	ep->sq_pi = 0;
	ep->sq_fetch = 0;
	ep->unreadable = false;
	ep->gen = ++c->ep_gen;
	pm_db_zero(c, &ep->sq_db);
	if (has_own_ring(ep))
		pm_db_zero(c, &ep->own.db);
	pm_list_del(&ep->ev_error.node);
	ep->state = PM_EP_RUN;
	return PNIC_AS_OK;
}
