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
#include "forecast.h"
#include "proto.h"
#include "rate.h"
#include "record.h"
#include "request.h"
#include "settings.h"

/* What the agent needs to know of a link at every turn. */
struct lane_link {
	u8 state;		/* enum pnic_link_state */
	u32 gen_rx, gen_tx;
};

/* Of what was received since reset. */
struct lane_codewords {
	u64 all, lost;		/* lost: beyond FEC */
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
	int (*codewords)(void *card, struct lane_codewords *count);	/* may be NULL */
	/* NULL: the card can't. A plan as a map, as for map_stage; @len 0: no plan. */
	int (*standby)(void *card, u8 dir, u32 generation, const void *map, size_t len);
	/* NULL: the card can't. A test of @mbits, which an event ends; @mbits 0: ends it. */
	int (*lane_test)(void *card, u16 lane, u32 mbits);
	/* Something happened that is worth telling. */
	void (*note)(void *card, const struct lane_note *note);
};

/* What can be taken back. */
enum lane_undo {
	LANE_UNDO_NONE,
	LANE_UNDO_LANE,
	LANE_UNDO_SETTINGS,
};

struct lane_agent_cfg {
	struct lane_policy_cfg policy;
	struct lane_proto_cfg proto;
	struct lane_settings settings;	/* policy.knobs are taken from here */
	u64 verify_ns;		/* read the card's maps again */
};

/* What a person should know of now: bits, as enum pnic_alarm of the uapi. */
enum lane_alarm {
	LANE_ALARM_COMMON_MODE		= 0x001,
	LANE_ALARM_CLUSTER		= 0x002,
	LANE_ALARM_SPARES_OUT		= 0x004,
	LANE_ALARM_NARROW		= 0x008,
	LANE_ALARM_DARK			= 0x010,
	LANE_ALARM_ASYMMETRIC		= 0x020,
	LANE_ALARM_PEER_SILENT		= 0x040,
	LANE_ALARM_PEER_STUCK		= 0x080,
	LANE_ALARM_PEER_NONSENSE	= 0x100,
	LANE_ALARM_TABLE_BAD		= 0x200,
};

#define LANE_LATENCY_BUCKETS	16
#define LANE_LATENCY_FIRST_NS	250

/* For people and counters. */
struct lane_agent_stats {
	u64 decisions;		/* lane tables judged */
	u64 switches[2];	/* by direction */
	u64 standby_switches;	/* of them by a card's standby plan */
	/* Loss detected to map switched, receive side: up to 250 ns << i; the last: longer. */
	u64 latency[LANE_LATENCY_BUCKETS];
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
	bool want_plan;		/* a standby plan could not be told yet */
	bool news;		/* the next decision is for lane events */
	bool working;		/* a change of the receive map is under way */
	bool clustered;		/* lanes of a cluster are still bad */
	bool astray, stuck;	/* alarms that the protocol told of */
	bool fell, fall_seen;	/* back to generation 1: by the card's event, by the number */
	bool table_bad;		/* told of */
	bool card_bad;		/* told of */
	u32 told_sum, told_gen;	/* the plan that was told of last */
	u64 decide_at, verify_at;
	u64 started_at;
	u64 settle_ns;		/* as it is now: longer in a storm of events */
	u64 news_at;		/* the last decision for lane events */
	u64 work_since;
	u64 nonsense_until;	/* an alarm of the protocol, 0: none */
	u64 nonsense;		/* messages that were refused when it was looked last */
	struct {
		u8 what;	/* enum lane_undo */
		u8 action;
		u16 lane;
		struct lane_settings settings;
	} undo;
	/* The last switch of the receive map, for the latency histogram; link clock. */
	struct {
		u32 generation;	/* whose losses are known: the oldest was at @lost_at */
		u32 switched;	/* whose time is known: @at */
		u32 by_card;	/* that the card has told all of */
		u64 lost_at, at;
	} mend;
	u64 loss_clock[LANE_MAX];
	struct lane_proto proto;
	struct lane_policy policy;
	struct lane_policy trial;	/* a copy, to see what would be */
	struct lane_plan plan;
	struct lane_map before;
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
/* A test of a lane is over: PNIC_LANE_CAUSE_TESTED. */
void lane_agent_tested(struct lane_agent *a, u16 lane, u64 errors, u64 bits, u64 now);
/*
 * For the latency histogram, all in link clock ns: a map was switched (PNIC_EV_MAP; @detected
 * 0: not by a standby plan), a receive lane was lost (PNIC_EV_LANE, LOS).
 */
void lane_agent_switch_event(struct lane_agent *a, u8 dir, u32 generation, u64 at, u64 detected);
void lane_agent_loss_event(struct lane_agent *a, u16 lane, u64 at);
/* The alarms that stand now, enum lane_alarm. */
u32 lane_agent_alarms(const struct lane_agent *a);
/* Does all that is due, including messages and maps; returns when to call again at the latest. */
u64 lane_agent_run(struct lane_agent *a, u64 now);

#endif /* LANE_AGENT_H */
