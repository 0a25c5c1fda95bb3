/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The lane agent: one end of a link, policy and protocol put together.
 *
 * It reads the lane table, lets the policy decide, agrees with the far end and
 * has the card carry it out. Both the driver (pnic_lanes.c) and the model's
 * switch ports (portfw.c) are thin layers around it: they supply the card as a
 * struct lane_card_ops, time, and a call whenever the card has news.
 *
 * Not reentrant: the caller serialises lane_agent_*() for one agent.
 */
#ifndef LANE_AGENT_H
#define LANE_AGENT_H

#include "policy.h"
#include "proto.h"

/* What the agent needs to know of a link at every turn. */
struct lane_link {
	u8 state;		/* enum pnic_link_state */
	u32 gen_rx, gen_tx;
};

/*
 * The card. All return 0, or a negative number if the card did not do it.
 * Whatever they give back is checked by the agent.
 */
struct lane_card_ops {
	int (*link)(void *card, struct lane_link *link);
	/* These three copy to @buf and return the length. */
	int (*table)(void *card, void *buf, size_t cap);
	int (*map_get)(void *card, u8 dir, void *buf, size_t cap);
	int (*mgmt_recv)(void *card, void *buf, size_t cap);	/* 0: none waits */
	/* Returns enum pnic_map_refusal if the card refuses. */
	int (*map_stage)(void *card, u8 dir, u32 generation, const void *map, size_t len);
	int (*map_switch)(void *card, u32 generation);
	int (*map_abort)(void *card, u8 dir, u32 generation);
	int (*mgmt_send)(void *card, const void *msg, size_t len);
	/* Something happened that is worth telling. */
	void (*note)(void *card, const struct lane_note *note);
};

struct lane_agent_cfg {
	struct lane_policy_cfg policy;
	struct lane_proto_cfg proto;
	u64 settle_ns;		/* lane events within it make one decision */
	u64 poll_ns;		/* look at the lane table at least so often */
	u64 verify_ns;		/* read the card's maps again */
};

/* For people and counters. */
struct lane_agent_stats {
	u64 decisions;		/* lane tables judged */
	u64 switches[2];	/* by direction */
	u64 fallbacks;		/* of the receive map to generation 1 */
	u16 spares, failed, quarantined;
	s16 margin, margin_erasure, margin_min;
};

#define LANE_RAW_MAX	(sizeof(struct pnic_lane_table) + LANE_MAX * sizeof(struct pnic_lane_rec))

struct lane_agent {
	const struct lane_card_ops *ops;
	void *card;
	struct lane_agent_cfg cfg;
	struct lane_agent_stats stats;
	u8 link_state;
	bool want;		/* the policy wants a change that could not be proposed yet */
	bool table_bad;		/* told of */
	bool card_bad;		/* told of */
	u32 told_sum, told_gen;	/* the plan that was told of last */
	u64 decide_at, verify_at;
	struct lane_proto proto;
	struct lane_policy policy;
	struct lane_plan plan;
	struct lane_notes notes;
	struct lane_map map;
	struct lane_rec rec[LANE_MAX];
	u64 raw[(LANE_RAW_MAX + 7) / 8];
	u32 in[LANE_MSG_MAX / sizeof(u32)];
	u32 out[LANE_MSG_MAX / sizeof(u32)];
};

void lane_agent_cfg_default(struct lane_agent_cfg *cfg);
/*
 * @incarnation: as for lane_proto_init(). Returns 0, or a negative number if the
 * configuration makes no sense or the card doesn't give its maps.
 */
int lane_agent_init(struct lane_agent *a, const struct lane_agent_cfg *cfg,
		    const struct lane_card_ops *ops, void *card, u32 incarnation, u64 now);
/* Lanes were lost, came back or err: there is something to decide, soon. */
void lane_agent_lanes(struct lane_agent *a, u64 now);
/* Does all that is due, including messages and maps; returns when to call again at the latest. */
u64 lane_agent_run(struct lane_agent *a, u64 now);

#endif /* LANE_AGENT_H */
