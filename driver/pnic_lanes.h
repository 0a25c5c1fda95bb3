/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pnic: the lane manager as the rest of the driver sees it.
 *
 * One for each device, made at the first bring-up. It lives as long as the
 * device, so that history, minima and what an administrator set survive resets of
 * the card; it works between pnic_lanes_start() and pnic_lanes_stop().
 */
#ifndef PNIC_LANES_H
#define PNIC_LANES_H

#include "lane/agent.h"
#include "pnic.h"

struct pnic_history;
struct seq_file;

/*
 * Bring-up, when commands and EQ 0 work. Sets pd->lanes. 0 also for a card without
 * lane management, which then has none.
 */
int pnic_lanes_start(struct pnic_dev *pd);
/* Going down; waits for what is under way. May be called without a start, and twice. */
void pnic_lanes_stop(struct pnic_dev *pd);
/* The device's last reference is gone. */
void pnic_lanes_free(struct pnic_dev *pd);
/* A link, lane, map or management event of EQ 0. Atomic context; pd->lanes is not NULL. */
void pnic_lanes_event(struct pnic_dev *pd, const struct pnic_eqe *eqe);
/* PNIC_IOC_LINK_INFO: fills all but size and flags. May sleep. */
int pnic_lanes_link_info(struct pnic_dev *pd, struct pnic_ioc_link_info *out);
/* For debugfs: state, lanes that are not as they should be, history. */
int pnic_lanes_show(struct pnic_dev *pd, struct seq_file *s);

/*
 * What follows is for netlink. Those that ask the card want pd->reg_lock for reading and the
 * device in PNIC_STATE_READY; all sleep. -EOPNOTSUPP: no lane management.
 */

/**
 * struct pnic_dir_view - one direction of a link
 * @width: lanes that carry data
 * @rate_mbps: payload rate
 * @generation: of the active map
 * @staged: of the staged one, 0: none
 * @checksum: of the active map
 * @peer_generation: what the far end runs, if it is known
 * @peer_checksum: the same
 * @agreed: both ends run the same
 * @proto: state of the lane protocol, in words
 */
struct pnic_dir_view {
	u16 width;
	u32 rate_mbps;
	u32 generation;
	u32 staged;
	u32 checksum;
	u32 peer_generation;
	u32 peer_checksum;
	bool agreed;
	const char *proto;
};

/**
 * struct pnic_link_view - the link at a moment
 * @state: enum pnic_link_state
 * @admin_up: not switched off at this end
 * @width_max: lanes of the full width
 * @dir: by PNIC_DIR_*
 * @margin: lanes that may die unannounced, -1: codewords are lost
 * @margin_erasure: the same if each is marked
 * @margin_min: smallest @margin since the driver found the card
 * @margin_window: since it was taken
 * @lanes: receive lanes by enum lane_state
 * @alarms: enum pnic_alarm of the uapi
 * @peer_known: the far end was heard and has taken us for its peer
 * @peer_incarnation: its number
 * @remaps: changes of maps
 * @standby_remaps: of them by a card's standby plan
 * @downs: times the link went down
 * @latency: from the detection of a loss to the switch, see struct lane_agent_stats
 * @forecast: how long the spares will last
 * @history: newest entry of the history
 */
struct pnic_link_view {
	u8 state;
	bool admin_up;
	u16 width_max;
	struct pnic_dir_view dir[2];
	s32 margin;
	s32 margin_erasure;
	s32 margin_min;
	s32 margin_window;
	u16 lanes[LANE_STATES];
	u32 alarms;
	bool peer_known;
	u32 peer_incarnation;
	u64 remaps;
	u64 standby_remaps;
	u64 downs;
	u64 latency[LANE_LATENCY_BUCKETS];
	struct lane_forecast forecast;
	u64 history;
};

/* @take: begin @margin_window anew. */
int pnic_lanes_link_view(struct pnic_dev *pd, bool take, struct pnic_link_view *view);
/* LINK_SET, and remembered for the time after a reset. */
int pnic_lanes_link_set(struct pnic_dev *pd, bool up);

/**
 * struct pnic_lane_view - a lane at a moment
 * @rec: what the card says
 * @logical: what it carries, LANE_NONE: nothing
 * @status: enum lane_state; of a transmit lane what the card's state comes to
 * @ppb: wrong symbols in 10^9
 * @ppb_low: lower end of its 95 % confidence interval
 * @ppb_high: upper end
 * @win_mbits: bits in the window of the evidence, 2^20
 * @trend_cdb_h: drift of the power, 0.01 dB an hour
 * @losses: times it failed
 * @probation_ns: probation that is left
 * @standby: lane that takes over if it is lost, or LANE_NONE
 * @known_bad: says the history of the cable
 * @test_bits: of the last PRBS test, 0: there was none
 * @test_errors: the same
 */
struct pnic_lane_view {
	struct lane_rec rec;
	u16 logical;
	u8 status;
	u32 ppb;
	u32 ppb_low;
	u32 ppb_high;
	u32 win_mbits;
	s32 trend_cdb_h;
	u16 losses;
	u64 probation_ns;
	u16 standby;
	bool known_bad;
	u64 test_bits;
	u64 test_errors;
};

/**
 * struct pnic_lanes_view - all lanes of a direction at a moment
 * @dev: number of the device
 * @dir: PNIC_DIR_*
 * @total: lanes
 * @lane: each
 */
struct pnic_lanes_view {
	u32 dev;
	u8 dir;
	u16 total;
	struct pnic_lane_view lane[] __counted_by(total);
};

/* One snapshot of the card's lane table, to be freed by kvfree(); or an ERR_PTR(). */
struct pnic_lanes_view *pnic_lanes_view(struct pnic_dev *pd, u8 dir);

/**
 * struct pnic_lanes_settings - knobs
 * @settings: their values
 * @revision: counts their changes
 */
struct pnic_lanes_settings {
	struct lane_settings settings;
	u32 revision;
};

int pnic_lanes_settings(struct pnic_dev *pd, struct pnic_lanes_settings *out);
/*
 * Puts other knobs in force, for good: @edit gets those of now and changes them, or refuses. No
 * other change comes in between. *@out: what is in force then.
 */
int pnic_lanes_change(struct pnic_dev *pd,
		      int (*edit)(struct pnic_lanes_settings *s, void *arg), void *arg,
		      struct pnic_lanes_settings *out);

/**
 * struct pnic_plan_view - what a change does, or would do
 * @preview: nothing was done
 * @policy: the knobs are other ones now
 * @refuse: enum lane_refuse, 0: it is not refused
 * @active: the map from which it starts
 * @plan: to which map it leads, and why
 */
struct pnic_plan_view {
	bool preview;
	bool policy;
	u8 refuse;
	struct lane_map active;
	struct lane_plan plan;
};

/* These three return 0 also for a refusal: that is in @v. @s: other knobs, NULL: those in force. */
int pnic_lanes_preview(struct pnic_dev *pd, const struct lane_settings *s,
		       struct pnic_plan_view *v);
int pnic_lanes_request(struct pnic_dev *pd, const struct lane_request *req,
		       struct pnic_plan_view *v);
int pnic_lanes_undo(struct pnic_dev *pd, bool preview, struct pnic_plan_view *v);

/**
 * struct pnic_cable_view - what is remembered of a cable
 * @serial: its number
 * @total: lanes
 * @lane: of each
 * @lane.given: @lane.record is to be taken over
 * @lane.record: what is remembered
 */
struct pnic_cable_view {
	char serial[33];
	u16 total;
	struct {
		bool given;
		struct lane_record record;
	} lane[] __counted_by(total);
};

/* To be freed by kvfree(); or an ERR_PTR(). */
struct pnic_cable_view *pnic_lanes_cable(struct pnic_dev *pd);
/* -ESTALE: another cable is plugged in. */
int pnic_lanes_remember(struct pnic_dev *pd, const struct pnic_cable_view *v);

/* pd->lanes is not NULL. */
struct pnic_history *pnic_lanes_history(struct pnic_dev *pd);
/* The link is not as it should be: lanes are missing, or the ends do not agree. Any context. */
bool pnic_lanes_degraded(struct pnic_dev *pd);

#endif /* PNIC_LANES_H */
