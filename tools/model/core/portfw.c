// SPDX-License-Identifier: GPL-2.0
/*
 * Firmware of a switch port: the lane agent of driver/lane/ on a port of the model.
 *
 * Made by the switch for each of its ports, and by tests. All of it runs from
 * the simulated clock's events, never from inside a call of the link.
 */
#include <stdlib.h>

#include "driver/hw/pnic_admin.h"
#include "driver/lane/agent.h"
#include "portfw.h"

struct pm_portfw {
	struct pm_sim *sim;
	struct pm_port *port;
	struct pm_event news;	/* at once: the link told something */
	struct pm_event timer;
	void (*note)(void *arg, const struct lane_note *note);
	void *note_arg;
	struct lane_card_ops ops;
	struct lane_agent agent;
};

static int fw_link(void *card, struct lane_link *link)
{
	struct pm_portfw *fw = card;
	struct pnic_link_info info;

	pm_port_query(fw->port, &info);
	link->state = info.state;
	link->gen_rx = le32_to_cpu(info.gen_rx);
	link->gen_tx = le32_to_cpu(info.gen_tx);
	return 0;
}

static int fw_table(void *card, void *buf, size_t cap)
{
	struct pm_portfw *fw = card;
	size_t len = pm_port_lane_table(fw->port, PNIC_DIR_RX, buf, cap);

	return len ? (int)len : -1;
}

static int fw_map_get(void *card, u8 dir, void *buf, size_t cap)
{
	struct pm_portfw *fw = card;
	size_t len = pm_port_map_get(fw->port, dir, false, buf, cap);

	return len ? (int)len : -1;
}

static int fw_map_stage(void *card, u8 dir, u32 generation, const void *map, size_t len)
{
	struct pm_portfw *fw = card;
	uint64_t detail = 0;
	int status = pm_port_map_stage(fw->port, dir, map, len, &detail);

	(void)generation;	/* in the map */
	if (status == PNIC_AS_REFUSED && detail)
		return (int)detail;
	return -status;
}

static int fw_map_switch(void *card, u32 generation)
{
	struct pm_portfw *fw = card;

	return -pm_port_map_switch(fw->port, generation);
}

static int fw_map_abort(void *card, u8 dir, u32 generation)
{
	struct pm_portfw *fw = card;

	return -pm_port_map_abort(fw->port, dir, generation);
}

static int fw_mgmt_send(void *card, const void *msg, size_t len)
{
	struct pm_portfw *fw = card;

	return -pm_port_mgmt_send(fw->port, msg, len);
}

static int fw_mgmt_recv(void *card, void *buf, size_t cap)
{
	struct pm_portfw *fw = card;

	return (int)pm_port_mgmt_recv(fw->port, buf, cap);
}

static int fw_standby(void *card, u8 dir, u32 generation, const void *map, size_t len)
{
	struct pm_portfw *fw = card;
	uint64_t detail = 0;
	int status = pm_port_standby(fw->port, dir, map, len, &detail);

	(void)generation;	/* in the map */
	if (status == PNIC_AS_REFUSED && detail)
		return (int)detail;
	return -status;
}

static int fw_lane_test(void *card, u16 lane, u32 mbits)
{
	struct pm_portfw *fw = card;
	uint64_t result[2];

	return -pm_port_lane_test(fw->port, lane, mbits ? PNIC_LANE_TEST_START : PNIC_LANE_TEST_STOP, mbits, result);
}

static int fw_codewords(void *card, struct lane_codewords *count)
{
	struct pm_portfw *fw = card;
	struct pnic_counters c;

	pm_port_counters(fw->port, &c);
	count->all = le64_to_cpu(c.codewords_rx);
	count->lost = le64_to_cpu(c.codewords_uncorrectable);
	return 0;
}

static void fw_note(void *card, const struct lane_note *note)
{
	struct pm_portfw *fw = card;

	if (fw->note)
		fw->note(fw->note_arg, note);
}

static const struct lane_card_ops fw_ops = {
	.link = fw_link,
	.table = fw_table,
	.map_get = fw_map_get,
	.mgmt_recv = fw_mgmt_recv,
	.map_stage = fw_map_stage,
	.map_switch = fw_map_switch,
	.map_abort = fw_map_abort,
	.mgmt_send = fw_mgmt_send,
	.codewords = fw_codewords,
	.standby = fw_standby,
	.lane_test = fw_lane_test,
	.note = fw_note,
};

static void fw_run(void *arg, uint64_t now)
{
	struct pm_portfw *fw = arg;

	pm_sim_at(fw->sim, &fw->timer, lane_agent_run(&fw->agent, now));
}

/* Not 0, and not twice in one process. */
static u32 new_incarnation(void)
{
	static u32 last;
	u32 n;

	do {
		n = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
	} while (!n);
	return n;
}

void pm_portfw_config(struct pm_port *port, struct lane_agent_cfg *cfg)
{
	const struct pm_link_config *link = pm_port_config(port);
	struct lane_policy_cfg *policy = &cfg->policy;

	lane_agent_cfg_default(cfg);
	policy->shape.data = link->lanes_data;
	policy->shape.total = link->lanes_data + link->lanes_spare;
	policy->fec.n = link->fec_n;
	policy->fec.k = link->fec_k;
	policy->fec.symbol_bits = link->fec_symbol_bits;
	policy->fec.bit_striping = link->striping == PNIC_STRIPE_BIT;
	policy->grid_x = link->grid_x;
	policy->grid_y = link->grid_y;
}

struct pm_portfw *pm_portfw_new_cfg(struct pm_sim *sim, struct pm_port *port,
				    const struct lane_agent_cfg *cfg)
{
	uint64_t now = pm_sim_now(sim);
	struct pm_portfw *fw = calloc(1, sizeof(*fw));

	if (!fw)
		return NULL;
	fw->sim = sim;
	fw->port = port;
	pm_event_init(&fw->news, fw_run, fw, false);
	pm_event_init(&fw->timer, fw_run, fw, true);
	fw->ops = fw_ops;
	if (!pm_port_config(port)->standby)
		fw->ops.standby = NULL;
	if (!pm_port_config(port)->lane_test)
		fw->ops.lane_test = NULL;
	if (lane_agent_init(&fw->agent, cfg, &fw->ops, fw, new_incarnation(), now)) {
		free(fw);
		return NULL;
	}
	pm_sim_at(sim, &fw->news, now);
	return fw;
}

struct pm_portfw *pm_portfw_new(struct pm_sim *sim, struct pm_port *port)
{
	struct lane_agent_cfg cfg;

	pm_portfw_config(port, &cfg);
	return pm_portfw_new_cfg(sim, port, &cfg);
}

void pm_portfw_free(struct pm_portfw *fw)
{
	if (!fw)
		return;
	pm_sim_cancel(fw->sim, &fw->news);
	pm_sim_cancel(fw->sim, &fw->timer);
	free(fw);
}

void pm_portfw_listen(struct pm_portfw *fw, void (*note)(void *arg, const struct lane_note *note),
		      void *arg)
{
	fw->note = note;
	fw->note_arg = arg;
}

struct lane_agent *pm_portfw_agent(struct pm_portfw *fw)
{
	return &fw->agent;
}

void pm_portfw_kick(struct pm_portfw *fw)
{
	pm_sim_at(fw->sim, &fw->news, pm_sim_now(fw->sim));
}

static void lane_event(struct pm_portfw *fw, const struct pm_link_event *ev, uint64_t now)
{
	u16 lane = (u16)ev->lane;

	if (ev->cause == PNIC_LANE_CAUSE_LOS)
		lane_agent_loss_event(&fw->agent, lane, ev->data[0]);
	if (ev->cause == PNIC_LANE_CAUSE_TESTED)
		lane_agent_tested(&fw->agent, lane, ev->data[0], ev->data[1], now);
	else
		lane_agent_lanes(&fw->agent, now);
}

void pm_portfw_event(struct pm_portfw *fw, const struct pm_link_event *ev)
{
	uint64_t now = pm_sim_now(fw->sim);

	if (ev->type == PM_LINK_MAP)
		lane_agent_switch_event(&fw->agent, (u8)ev->dir, ev->generation, ev->data[0],
					ev->data[1]);
	if (ev->type == PM_LINK_LANE)
		lane_event(fw, ev, now);
	/* The link is in the middle of something: after it. */
	pm_sim_at(fw->sim, &fw->news, now);
}
