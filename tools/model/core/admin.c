// SPDX-License-Identifier: GPL-2.0
/*
 * The admin queue: takes commands in order, has them carried out, completes them.
 *
 * Called by the register file (start) and by pm_card_poll(). What is common to all commands is
 * judged here: opcode, flags, reserved bytes.
 */
#include <stdlib.h>

#include "card_priv.h"

#define BATCH	16

struct command {
	pm_admin_fn fn;
	uint8_t opcode;
	struct { uint8_t from, to; } rsvd[2];	/* reserved bytes, besides the head's */
};

#define RSVD(type, field)	{ offsetof(type, field), \
				  offsetof(type, field) + sizeof(((type *)0)->field) }

#define ASSERT_SIZE(type)	_Static_assert(sizeof(struct type) == PNIC_ASQE_SIZE, #type)
ASSERT_SIZE(pnic_adm_identify);
ASSERT_SIZE(pnic_adm_create_eq);
ASSERT_SIZE(pnic_adm_destroy);
ASSERT_SIZE(pnic_adm_create_ctx);
ASSERT_SIZE(pnic_adm_bind_db);
ASSERT_SIZE(pnic_adm_create_mr);
ASSERT_SIZE(pnic_adm_create_cq);
ASSERT_SIZE(pnic_adm_create_ep);
ASSERT_SIZE(pnic_adm_create_srq);
ASSERT_SIZE(pnic_adm_create_ctr);
ASSERT_SIZE(pnic_adm_bind_ctr);
ASSERT_SIZE(pnic_adm_cancel_recv);
ASSERT_SIZE(pnic_adm_buf);
ASSERT_SIZE(pnic_adm_link_set);
ASSERT_SIZE(pnic_adm_lane_ctl);
ASSERT_SIZE(pnic_adm_map);
ASSERT_SIZE(pnic_adm_mgmt);

static uint8_t nop(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	(void)c;
	(void)cmd;
	(void)r;
	return PNIC_AS_OK;
}

static const struct command commands[] = {
	{ nop, PNIC_ADM_NOP, { { 8, 64 } } },
	{ pm_adm_identify, PNIC_ADM_IDENTIFY, { RSVD(struct pnic_adm_identify, rsvd) } },
	{ pm_adm_create_eq, PNIC_ADM_CREATE_EQ, { RSVD(struct pnic_adm_create_eq, rsvd0),
						  RSVD(struct pnic_adm_create_eq, rsvd) } },
	{ pm_adm_destroy_eq, PNIC_ADM_DESTROY_EQ, { RSVD(struct pnic_adm_destroy, rsvd) } },
	{ pm_adm_create_ctx, PNIC_ADM_CREATE_CTX, { RSVD(struct pnic_adm_create_ctx, rsvd) } },
	{ pm_adm_destroy_ctx, PNIC_ADM_DESTROY_CTX, { RSVD(struct pnic_adm_destroy, rsvd) } },
	{ pm_adm_bind_db, PNIC_ADM_BIND_DB, { RSVD(struct pnic_adm_bind_db, rsvd) } },
	{ pm_adm_unbind_db, PNIC_ADM_UNBIND_DB, { RSVD(struct pnic_adm_bind_db, rsvd) } },
	{ pm_adm_create_mr, PNIC_ADM_CREATE_MR, { RSVD(struct pnic_adm_create_mr, rsvd0),
						  RSVD(struct pnic_adm_create_mr, rsvd) } },
	{ pm_adm_destroy_mr, PNIC_ADM_DESTROY_MR, { RSVD(struct pnic_adm_destroy, rsvd) } },
	{ pm_adm_create_cq, PNIC_ADM_CREATE_CQ, { RSVD(struct pnic_adm_create_cq, rsvd0),
						  RSVD(struct pnic_adm_create_cq, rsvd) } },
	{ pm_adm_destroy_cq, PNIC_ADM_DESTROY_CQ, { RSVD(struct pnic_adm_destroy, rsvd) } },
	{ pm_adm_create_ep, PNIC_ADM_CREATE_EP, { RSVD(struct pnic_adm_create_ep, rsvd) } },
	{ pm_adm_destroy_ep, PNIC_ADM_DESTROY_EP, { RSVD(struct pnic_adm_destroy, rsvd) } },
	{ pm_adm_reset_ep, PNIC_ADM_RESET_EP, { RSVD(struct pnic_adm_destroy, rsvd) } },
	{ pm_adm_create_srq, PNIC_ADM_CREATE_SRQ, { RSVD(struct pnic_adm_create_srq, rsvd0),
						    RSVD(struct pnic_adm_create_srq, rsvd) } },
	{ pm_adm_destroy_srq, PNIC_ADM_DESTROY_SRQ, { RSVD(struct pnic_adm_destroy, rsvd) } },
	{ pm_adm_create_ctr, PNIC_ADM_CREATE_CTR, { RSVD(struct pnic_adm_create_ctr, rsvd) } },
	{ pm_adm_destroy_ctr, PNIC_ADM_DESTROY_CTR, { RSVD(struct pnic_adm_destroy, rsvd) } },
	{ pm_adm_bind_ctr, PNIC_ADM_BIND_CTR, { RSVD(struct pnic_adm_bind_ctr, rsvd) } },
	{ pm_adm_cancel_recv, PNIC_ADM_CANCEL_RECV, { RSVD(struct pnic_adm_cancel_recv, rsvd) } },
	{ pm_adm_mr_suspend, PNIC_ADM_MR_SUSPEND, { RSVD(struct pnic_adm_destroy, rsvd) } },
	{ pm_adm_mr_resume, PNIC_ADM_MR_RESUME, { RSVD(struct pnic_adm_create_mr, rsvd0),
						  RSVD(struct pnic_adm_create_mr, rsvd) } },
	{ pm_adm_link_query, PNIC_ADM_LINK_QUERY, { RSVD(struct pnic_adm_buf, rsvd) } },
	{ pm_adm_link_set, PNIC_ADM_LINK_SET, { RSVD(struct pnic_adm_link_set, rsvd) } },
	{ pm_adm_lane_table, PNIC_ADM_LANE_TABLE, { RSVD(struct pnic_adm_buf, rsvd) } },
	{ pm_adm_lane_ctl, PNIC_ADM_LANE_CTL, { RSVD(struct pnic_adm_lane_ctl, rsvd) } },
	{ pm_adm_map_query, PNIC_ADM_MAP_QUERY, { RSVD(struct pnic_adm_buf, rsvd) } },
	{ pm_adm_map_stage, PNIC_ADM_MAP_STAGE, { RSVD(struct pnic_adm_map, rsvd) } },
	{ pm_adm_map_switch, PNIC_ADM_MAP_SWITCH, { RSVD(struct pnic_adm_map, rsvd) } },
	{ pm_adm_map_abort, PNIC_ADM_MAP_ABORT, { RSVD(struct pnic_adm_map, rsvd) } },
	{ pm_adm_mgmt_send, PNIC_ADM_MGMT_SEND, { RSVD(struct pnic_adm_mgmt, rsvd) } },
	{ pm_adm_mgmt_recv, PNIC_ADM_MGMT_RECV, { RSVD(struct pnic_adm_mgmt, rsvd) } },
	{ pm_adm_counters, PNIC_ADM_COUNTERS, { RSVD(struct pnic_adm_buf, rsvd) } },
	{ pm_adm_standby, PNIC_ADM_STANDBY, { RSVD(struct pnic_adm_map, rsvd) } },
	{ pm_adm_lane_test, PNIC_ADM_LANE_TEST, { RSVD(struct pnic_adm_lane_test, rsvd0),
						  RSVD(struct pnic_adm_lane_test, rsvd) } },
};

uint8_t pm_admin_bad(struct pm_admin_result *r, size_t offset)
{
	r->result[0] = offset;
	return PNIC_AS_INVALID_FIELD;
}

/* CTRL.ENABLE was set. False: the set-up is wrong. */
bool pm_admin_start(struct pm_card *c)
{
	uint32_t asq_log = c->admin_size & PNIC_ADMIN_SIZE_ASQ;
	uint32_t acq_log = (c->admin_size & PNIC_ADMIN_SIZE_ACQ) >> 16;

	if (!c->asq_base || !c->acq_base || (c->asq_base | c->acq_base) & (PNIC_PAGE_SIZE - 1))
		return false;
	if (!asq_log || asq_log > PNIC_ADMIN_LOG_MAX || acq_log < asq_log ||
	    acq_log > PNIC_ADMIN_LOG_MAX)
		return false;
	memset(&c->admin, 0, sizeof(c->admin));
	c->admin.asq = c->asq_base;
	c->admin.acq = c->acq_base;
	c->admin.asq_mask = (1u << asq_log) - 1;
	c->admin.acq_mask = (1u << acq_log) - 1;
	c->admin.acq_log = acq_log;
	return true;
}

/* The capability that a card needs to know a command, or 0. */
static uint32_t needs(uint8_t opcode)
{
	switch (opcode) {
	case PNIC_ADM_CREATE_SRQ:
	case PNIC_ADM_DESTROY_SRQ:
		return PNIC_CAP_LO_SRQ;
	case PNIC_ADM_CREATE_CTR:
	case PNIC_ADM_DESTROY_CTR:
	case PNIC_ADM_BIND_CTR:
		return PNIC_CAP_LO_COUNTER;
	case PNIC_ADM_CANCEL_RECV:
		return PNIC_CAP_LO_CANCEL;
	case PNIC_ADM_MR_SUSPEND:
	case PNIC_ADM_MR_RESUME:
		return PNIC_CAP_LO_MR_MOVE;
	default:
		return 0;
	}
}

static uint8_t check_reserved(const struct command *k, const uint8_t *cmd,
			      struct pm_admin_result *r)
{
	unsigned int i, at;

	for (i = 0; i < 2; i++) {
		for (at = k->rsvd[i].from; at < k->rsvd[i].to; at++) {
			if (cmd[at])
				return pm_admin_bad(r, at);
		}
	}
	return PNIC_AS_OK;
}

static uint8_t carry_out(struct pm_card *c, const uint8_t *cmd, struct pm_admin_result *r)
{
	struct pnic_adm_hdr hdr;
	unsigned int i;
	uint8_t st;

	memcpy(&hdr, cmd, sizeof(hdr));
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (commands[i].opcode != hdr.opcode || !pm_card_can(c, needs(hdr.opcode)))
			continue;
		if (hdr.flags)
			return PM_BAD(r, struct pnic_adm_hdr, flags);
		if (hdr.rsvd)
			return PM_BAD(r, struct pnic_adm_hdr, rsvd);
		st = check_reserved(&commands[i], cmd, r);
		return st ? st : commands[i].fn(c, cmd, r);
	}
	return PNIC_AS_BAD_OPCODE;
}

static bool write_answer(struct pm_card *c, struct pnic_acqe *e)
{
	struct pm_admin *a = &c->admin;

	e->phase = htole32(a->pi >> a->acq_log & 1 ? 0 : PNIC_PHASE);
	pm_card_garble_acqe(c, e);
	if (!pm_dma_entry(c, a->acq + (uint64_t)(a->pi & a->acq_mask) * PNIC_ACQE_SIZE, e,
			  sizeof(*e))) {
		pm_card_fatal(c, PNIC_FATAL_DMA, a->pi);
		return false;
	}
	a->pi++;
	return true;
}

static void complete(struct pm_card *c, const struct pnic_adm_hdr *hdr, uint8_t status,
		     const struct pm_admin_result *r)
{
	struct pm_admin *a = &c->admin;
	struct pnic_acqe e = {
		.cid = hdr->cid, .opcode = hdr->opcode, .status = status,
		.asq_head = htole32(a->ci),
		.result = { htole64(r->result[0]), htole64(r->result[1]) },
	};

	if (c->drop_admin) {
		c->drop_admin--;
		return;
	}
	if (pm_card_take_garble(c, PM_GARBLE_ACQE_LOST))
		return;
	if (write_answer(c, &e) && pm_card_take_garble(c, PM_GARBLE_ACQE_TWICE) &&
	    a->pi - a->head <= a->acq_mask)
		write_answer(c, &e);
}

/* Takes commands while there is room for their completions. True: there is more to do. */
bool pm_admin_poll(struct pm_card *c)
{
	struct pm_admin *a = &c->admin;
	uint32_t before = a->pi;
	unsigned int n;

	for (n = 0; n < BATCH && a->ci != a->tail && a->pi - a->head <= a->acq_mask; n++) {
		/* Room for any command of 64 bytes, aligned as its 64-bit fields want it. */
		uint64_t cmd[PNIC_ASQE_SIZE / 8];
		struct pm_admin_result r = { { 0, 0 } };
		struct pnic_adm_hdr hdr;
		uint8_t st;

		if (!pm_dma_read(c, a->asq + (uint64_t)(a->ci & a->asq_mask) * PNIC_ASQE_SIZE, cmd,
				 sizeof(cmd))) {
			pm_card_fatal(c, PNIC_FATAL_DMA, a->ci);
			return false;
		}
		a->ci++;
		memcpy(&hdr, cmd, sizeof(hdr));
		st = carry_out(c, (const uint8_t *)cmd, &r);
		complete(c, &hdr, st, &r);
		if (c->status & PNIC_STATUS_FATAL)
			return false;
	}
	if (n)
		pm_card_garble_turn(c);
	if (a->pi != before)
		pm_eq_post(c, 0, PNIC_EV_ADMIN, 0, 0, 0, 0);
	return a->ci != a->tail && a->pi - a->head <= a->acq_mask;
}

uint8_t pm_adm_create_ctx(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_create_ctx *k = cmd;
	uint32_t id = le32toh(k->ctx), partition = le32toh(k->partition);
	struct pm_ctx *ctx;

	if (!id || id > PM_MAX_CTX)
		return PM_BAD(r, struct pnic_adm_create_ctx, ctx);
	if (partition > 0xffff)
		return PM_BAD(r, struct pnic_adm_create_ctx, partition);
	if (c->ctx[id])
		return PNIC_AS_EXISTS;
	ctx = malloc(sizeof(*ctx));
	if (!ctx)
		return PNIC_AS_NO_RESOURCE;
	ctx->id = id;
	ctx->partition = partition;
	ctx->users = 0;
	pm_tx_turns_init(&ctx->send);
	pm_tx_turns_init(&ctx->serve);
	c->ctx[id] = ctx;
	return PNIC_AS_OK;
}

void pm_ctx_drop(struct pm_card *c, uint32_t id)
{
	struct pm_ctx *ctx = c->ctx[id];

	if (!ctx)
		return;
	pm_list_del(&ctx->send.turn);
	pm_list_del(&ctx->serve.turn);
	free(ctx);
	c->ctx[id] = NULL;
}

uint8_t pm_adm_destroy_ctx(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_destroy *k = cmd;
	uint32_t id = le32toh(k->id);

	if (!id || id > PM_MAX_CTX)
		return PM_BAD(r, struct pnic_adm_destroy, id);
	if (!c->ctx[id])
		return PNIC_AS_NOT_FOUND;
	if (c->ctx[id]->users)
		return PNIC_AS_BUSY;
	pm_ctx_drop(c, id);
	return PNIC_AS_OK;
}
