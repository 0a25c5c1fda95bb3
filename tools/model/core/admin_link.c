// SPDX-License-Identifier: GPL-2.0
/*
 * Admin commands about the card itself and its link: IDENTIFY, lanes, maps, management, counters.
 *
 * Called by admin.c. Each is a check of the command, a question to the port, and a copy.
 */
#include <stdio.h>
#include <stdlib.h>

#include "card_priv.h"

#define MAP_MAX		(sizeof(struct pnic_map) + 2 * PNIC_LANES_MAX)
#define TABLE_MAX	\
	(sizeof(struct pnic_lane_table) + sizeof(struct pnic_lane_rec) * PNIC_LANES_MAX)

static uint8_t write_back(struct pm_card *c, uint64_t addr, const void *buf, size_t len,
			  struct pm_admin_result *r)
{
	if (pm_dma_write(c, addr, buf, len)) {
		pm_card_garble_buf(c, addr, len);
		return PNIC_AS_OK;
	}
	r->result[0] = addr;
	return PNIC_AS_DMA_FAULT;
}

static void identify_card(struct pm_card *c, struct pnic_identify *id)
{
	id->hw_version = htole32(pm_card_version(c));
	id->fw_version = htole32(1);
	id->caps = htole64(pm_card_caps(c));
	id->nic_addr = htole32(c->addr);
	id->max_eq = htole32(PM_MAX_EQ);
	id->max_ctx = htole32(PM_MAX_CTX);
	id->max_cq = htole32(PM_MAX_CQ);
	id->max_ep = htole32(c->lie_ep ? c->lie[2] : PM_MAX_EP);
	id->max_mr = htole32(PM_MAX_MR);
	id->max_mr_pages = htole32(PM_MAX_MR_PAGES);
	id->max_srq = htole32(pm_card_can(c, PNIC_CAP_LO_SRQ) ? PM_MAX_SRQ : 0);
	id->max_ctr = htole32(pm_card_can(c, PNIC_CAP_LO_COUNTER) ? PM_MAX_CTR : 0);
	id->max_log_eq = PM_MAX_LOG_EQ;
	id->max_log_cq = c->lie_cq ? c->lie[3] : PM_MAX_LOG_CQ;
	id->max_log_sq = PM_MAX_LOG_SQ;
	id->max_log_rq = PM_MAX_LOG_RQ;
	id->max_sge = PNIC_SQE_MAX_SGE;
	id->max_sqe_slots = PNIC_SQE_MAX_SLOTS;
	id->page_shift_max = PM_PAGE_SHIFT_MAX;
	id->max_msg_size = htole32(PNIC_MAX_MSG_SIZE);
	id->guid = htole64(pm_card_guid(c));
	snprintf(id->serial, sizeof(id->serial), "PNICM-%08x-%u", (uint32_t)c->fabric->cfg.seed,
		 c->index);
	snprintf(id->model_name, sizeof(id->model_name), "pnic-model %.19s", c->fabric->profile);
	pm_fabric_cable_serial(c->fabric, c->index, id->cable_serial, sizeof(id->cable_serial));
}

static void identify_link(struct pm_card *c, struct pnic_identify *id)
{
	const struct pm_link_config *l = pm_port_config(c->port);
	double kbps = l->lane_gbps * 1e6;

	id->frame_payload = htole32(l->frame_payload);
	id->lanes_data = htole16(l->lanes_data);
	id->lanes_spare = htole16(l->lanes_spare);
	id->grid_x = htole16(l->grid_x);
	id->grid_y = htole16(l->grid_y);
	id->lane_kbps = htole32((uint32_t)kbps);
	id->payload_kbps = htole32((uint32_t)(kbps * l->fec_k / l->fec_n * 256 / 257));
	id->fec_n = htole16(l->fec_n);
	id->fec_k = htole16(l->fec_k);
	id->fec_symbol_bits = l->fec_symbol_bits;
	id->striping = l->striping;
	id->mgmt_max = htole16(PM_MGMT_MAX);
}

uint8_t pm_adm_identify(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_identify *k = cmd;
	struct pnic_identify *id;
	uint8_t st;

	_Static_assert(sizeof(*id) == PNIC_PAGE_SIZE, "one page");
	if (le64toh(k->addr) & (PNIC_PAGE_SIZE - 1))
		return PM_BAD(r, struct pnic_adm_identify, addr);
	id = calloc(1, sizeof(*id));
	if (!id)
		return PNIC_AS_NO_RESOURCE;
	identify_card(c, id);
	identify_link(c, id);
	st = write_back(c, le64toh(k->addr), id, sizeof(*id), r);
	free(id);
	return st;
}

/* The buffer of a command that fills one; the direction where there is one, else 0. */
static uint8_t check_buf(const struct pnic_adm_buf *k, size_t least, bool dir,
			 struct pm_admin_result *r)
{
	if (le64toh(k->addr) & 63)
		return PM_BAD(r, struct pnic_adm_buf, addr);
	if (le32toh(k->length) < least)
		return PM_BAD(r, struct pnic_adm_buf, length);
	if (le32toh(k->arg) > (dir ? PNIC_DIR_TX : 0))
		return PM_BAD(r, struct pnic_adm_buf, arg);
	return PNIC_AS_OK;
}

uint8_t pm_adm_link_query(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_buf *k = cmd;
	struct pnic_link_info info;
	uint8_t st = check_buf(k, sizeof(info), false, r);

	if (st)
		return st;
	memset(&info, 0, sizeof(info));
	pm_port_ask(c->port, &info);
	st = write_back(c, le64toh(k->addr), &info, sizeof(info), r);
	if (!st)
		pm_port_told(c->port);
	return st;
}

uint8_t pm_adm_link_set(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_link_set *k = cmd;

	if (k->admin_up > 1)
		return PM_BAD(r, struct pnic_adm_link_set, admin_up);
	pm_port_link_set(c->port, k->admin_up);
	return PNIC_AS_OK;
}

/* The table with its sequence: odd first, then the rest, then the even number at both places. */
static uint8_t write_table(struct pm_card *c, uint64_t addr, struct pnic_lane_table *t, size_t len,
			   struct pm_admin_result *r)
{
	__le32 seq = htole32(c->lane_seq + 1);
	size_t skip = sizeof(t->seq_begin) + sizeof(t->seq_end);
	uint8_t st;

	st = write_back(c, addr, &seq, sizeof(seq), r);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!st)
		st = write_back(c, addr + skip, (uint8_t *)t + skip, len - skip, r);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	c->lane_seq += 2;
	seq = htole32(c->lane_seq);
	if (!st)
		st = write_back(c, addr + offsetof(struct pnic_lane_table, seq_end), &seq,
				sizeof(seq), r);
	if (!st)
		st = write_back(c, addr, &seq, sizeof(seq), r);
	return st;
}

uint8_t pm_adm_lane_table(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_buf *k = cmd;
	uint8_t st = check_buf(k, sizeof(struct pnic_lane_table), true, r);
	size_t cap = le32toh(k->length), n;
	void *buf;

	if (st)
		return st;
	if (cap > TABLE_MAX)
		cap = TABLE_MAX;
	buf = calloc(1, cap);
	if (!buf)
		return PNIC_AS_NO_RESOURCE;
	n = pm_port_lane_table(c->port, le32toh(k->arg), buf, cap);
	if (n < sizeof(struct pnic_lane_table) || n > cap)
		st = PM_BAD(r, struct pnic_adm_buf, length);
	else
		st = write_table(c, le64toh(k->addr), buf, n, r);
	free(buf);
	return st;
}

uint8_t pm_adm_lane_ctl(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_lane_ctl *k = cmd;
	const struct pm_link_config *l = pm_port_config(c->port);

	if (le16toh(k->lane) >= l->lanes_data + l->lanes_spare)
		return PM_BAD(r, struct pnic_adm_lane_ctl, lane);
	if (k->enable > 1)
		return PM_BAD(r, struct pnic_adm_lane_ctl, enable);
	return pm_port_lane_ctl(c->port, le16toh(k->lane), k->enable);
}

uint8_t pm_adm_map_query(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_buf *k = cmd;
	uint8_t st = check_buf(k, sizeof(struct pnic_map), true, r);
	size_t cap = le32toh(k->length), n;
	uint64_t buf[MAP_MAX / 8];

	if (st)
		return st;
	n = pm_port_map_get(c->port, le32toh(k->arg), false, buf,
			    cap < sizeof(buf) ? cap : sizeof(buf));
	if (!n)
		return PM_BAD(r, struct pnic_adm_buf, length);
	return write_back(c, le64toh(k->addr), buf, n, r);
}

/* The map of a command, from host memory to @buf, MAP_MAX long. */
static uint8_t read_map(struct pm_card *c, const struct pnic_adm_map *k, void *buf,
			struct pm_admin_result *r)
{
	uint32_t len = le32toh(k->length);
	struct pnic_map map;

	if (len < sizeof(map) || len > MAP_MAX)
		return PM_BAD(r, struct pnic_adm_map, length);
	if (k->dir > PNIC_DIR_TX)
		return PM_BAD(r, struct pnic_adm_map, dir);
	if (!pm_dma_read(c, le64toh(k->addr), buf, len)) {
		r->result[0] = le64toh(k->addr);
		return PNIC_AS_DMA_FAULT;
	}
	memcpy(&map, buf, sizeof(map));
	if (k->generation && k->generation != map.generation)
		return PM_BAD(r, struct pnic_adm_map, generation);
	return PNIC_AS_OK;
}

uint8_t pm_adm_map_stage(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_map *k = cmd;
	uint64_t buf[MAP_MAX / 8];
	uint8_t st = read_map(c, k, buf, r);

	return st ? st : pm_port_map_stage(c->port, k->dir, buf, le32toh(k->length),
					   &r->result[0]);
}

static uint8_t check_no_map(const struct pnic_adm_map *k, struct pm_admin_result *r)
{
	if (k->addr)
		return PM_BAD(r, struct pnic_adm_map, addr);
	if (k->length)
		return PM_BAD(r, struct pnic_adm_map, length);
	if (k->dir > PNIC_DIR_TX)
		return PM_BAD(r, struct pnic_adm_map, dir);
	return PNIC_AS_OK;
}

uint8_t pm_adm_map_switch(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_map *k = cmd;
	uint8_t st = check_no_map(k, r);

	if (st)
		return st;
	if (k->dir != PNIC_DIR_TX)
		return PM_BAD(r, struct pnic_adm_map, dir);
	return pm_port_map_switch(c->port, le32toh(k->generation));
}

uint8_t pm_adm_map_abort(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_map *k = cmd;
	uint8_t st = check_no_map(k, r);

	return st ? st : pm_port_map_abort(c->port, k->dir, le32toh(k->generation));
}

uint8_t pm_adm_standby(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_map *k = cmd;
	uint32_t len = le32toh(k->length);
	uint64_t buf[MAP_MAX / 8];
	uint8_t st;

	if (!pm_port_config(c->port)->standby)
		return PNIC_AS_BAD_OPCODE;
	st = len ? read_map(c, k, buf, r) : check_no_map(k, r);
	return st ? st : pm_port_standby(c->port, k->dir, buf, len, &r->result[0]);
}

uint8_t pm_adm_lane_test(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_lane_test *k = cmd;

	return (uint8_t)pm_port_lane_test(c->port, le16toh(k->lane), k->op, le32toh(k->mbits),
					  r->result);
}

uint8_t pm_adm_mgmt_send(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_mgmt *k = cmd;
	uint32_t len = le32toh(k->length);
	uint8_t buf[PM_MGMT_MAX];

	if (!len || len > sizeof(buf))
		return PM_BAD(r, struct pnic_adm_mgmt, length);
	if (!pm_dma_read(c, le64toh(k->addr), buf, len)) {
		r->result[0] = le64toh(k->addr);
		return PNIC_AS_DMA_FAULT;
	}
	return pm_port_mgmt_send(c->port, buf, len);
}

/* The buffer holds any message, so that none is taken and then cut; one that doesn't reach the host stays. */
uint8_t pm_adm_mgmt_recv(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_mgmt *k = cmd;
	uint8_t buf[PM_MGMT_MAX], st;
	size_t n;

	if (le32toh(k->length) < sizeof(buf))
		return PM_BAD(r, struct pnic_adm_mgmt, length);
	n = pm_port_mgmt_peek(c->port, buf, sizeof(buf));
	if (!n)
		return PNIC_AS_OK;
	st = write_back(c, le64toh(k->addr), buf, n, r);
	if (st)
		return st;
	pm_port_mgmt_drop(c->port);
	r->result[0] = n;
	return PNIC_AS_OK;
}

uint8_t pm_adm_counters(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_buf *k = cmd;
	struct pnic_counters counters;
	uint8_t st = check_buf(k, sizeof(counters), false, r);

	if (st)
		return st;
	pm_card_counters(c, &counters);
	return write_back(c, le64toh(k->addr), &counters, sizeof(counters), r);
}
