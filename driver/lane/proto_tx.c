// SPDX-License-Identifier: GPL-2.0
/*
 * The transmitter's half of the lane protocol: it moves the bits.
 *
 * It switches only to what it has staged and the receiver has said GO for, and
 * falls back to generation 1 when the receiver runs by another map.
 */
#include "proto_priv.h"

static void refer(struct lane_proto *p, u8 msg, u16 reason)
{
	lane_proto_send_ref(p, msg, p->tx.id, p->tx.next.generation, p->tx.next_sum, reason);
}

static void stage(struct lane_proto *p, u64 now)
{
	(void)now;
	lane_proto_act(p, LANE_ACT_STAGE, PNIC_DIR_TX, p->tx.next.generation);
}

static void accept(struct lane_proto *p, u64 now)
{
	p->tx.deadline = now + p->cfg.stage_hold_ns;
	refer(p, LANE_MSG_ACCEPT, 0);
}

static void abort_staged(struct lane_proto *p, u64 now)
{
	(void)now;
	lane_proto_act(p, LANE_ACT_ABORT, PNIC_DIR_TX, p->tx.next.generation);
}

static void do_switch(struct lane_proto *p, u64 now)
{
	p->tx.deadline = now + p->cfg.stage_hold_ns;
	lane_proto_act(p, LANE_ACT_SWITCH, PNIC_DIR_TX, p->tx.next.generation);
}

/* The card would not: drop it, and let the receiver go. */
static void give_up(struct lane_proto *p, u64 now)
{
	abort_staged(p, now);
	refer(p, LANE_MSG_REJECT, LANE_REJECT_CARD);
}

/* Tells what is sent by; the far end answers with what it receives by. */
static void tell(struct lane_proto *p, u64 now)
{
	p->tx.deadline = now + p->cfg.retry_max_ns;
	lane_proto_ask(p);
}

static void fall_back(struct lane_proto *p, u64 now)
{
	lane_proto_report(p, LANE_NOTE_FALLBACK, PNIC_DIR_TX, p->tx.active.generation,
			  LANE_GEN_FIRST, now);
	lane_map_identity(&p->tx.next, p->cfg.shape.data);
	p->tx.next_sum = lane_map_sum(&p->tx.next);
	p->tx.id = 0;
	stage(p, now);
}

static void drop_and_fall_back(struct lane_proto *p, u64 now)
{
	abort_staged(p, now);
	fall_back(p, now);
}

/* Judged anew when the next reports come in. */
static void forget_astray(struct lane_proto *p, u64 now)
{
	(void)now;
	p->tx.astray = 0;
}

static void drop_and_forget(struct lane_proto *p, u64 now)
{
	abort_staged(p, now);
	forget_astray(p, now);
}

static void drop_and_tell(struct lane_proto *p, u64 now)
{
	abort_staged(p, now);
	tell(p, now);
}

struct tx_rule {
	u8 next;		/* 0: the event means nothing in this state */
	void (*act)(struct lane_proto *p, u64 now);
};

static const struct tx_rule rules[LANE_TX_STATES][LANE_TX_EVENTS] = {
	[LANE_TX_IDLE] = {
		[LANE_TXE_PROPOSE]	= { LANE_TX_STAGING, stage },
		[LANE_TXE_FOREIGN]	= { LANE_TX_UNCONFIRMED, tell },
		[LANE_TXE_ASTRAY]	= { LANE_TX_BACK_STAGING, fall_back },
	},
	[LANE_TX_STAGING] = {
		[LANE_TXE_STAGED]	= { LANE_TX_STAGED, accept },
		/* What was staged before it, if anything, is still there. */
		[LANE_TXE_REFUSED]	= { LANE_TX_IDLE, abort_staged },
		[LANE_TXE_FOREIGN]	= { LANE_TX_UNCONFIRMED, tell },
	},
	[LANE_TX_STAGED] = {
		[LANE_TXE_PROPOSE]	= { LANE_TX_STAGING, stage },
		[LANE_TXE_AGAIN]	= { LANE_TX_STAGED, accept },
		[LANE_TXE_GO]		= { LANE_TX_SWITCHING, do_switch },
		[LANE_TXE_FOREIGN]	= { LANE_TX_UNCONFIRMED, drop_and_tell },
		[LANE_TXE_ASTRAY]	= { LANE_TX_BACK_STAGING, drop_and_fall_back },
		[LANE_TXE_PEER_RESET]	= { LANE_TX_IDLE, abort_staged },
		[LANE_TXE_TIMEOUT]	= { LANE_TX_IDLE, abort_staged },
	},
	[LANE_TX_SWITCHING] = {
		[LANE_TXE_SWITCHED]	= { LANE_TX_UNCONFIRMED, tell },
		[LANE_TXE_SWITCH_FAILED] = { LANE_TX_IDLE, give_up },
		[LANE_TXE_FOREIGN]	= { LANE_TX_UNCONFIRMED, tell },
		[LANE_TXE_TIMEOUT]	= { LANE_TX_SWITCHING, do_switch },
	},
	[LANE_TX_UNCONFIRMED] = {
		[LANE_TXE_PROPOSE]	= { LANE_TX_STAGING, stage },
		[LANE_TXE_FOREIGN]	= { LANE_TX_UNCONFIRMED, tell },
		[LANE_TXE_AGREED]	= { LANE_TX_IDLE, NULL },
		[LANE_TXE_ASTRAY]	= { LANE_TX_BACK_STAGING, fall_back },
		[LANE_TXE_TIMEOUT]	= { LANE_TX_UNCONFIRMED, tell },
	},
	[LANE_TX_BACK_STAGING] = {
		[LANE_TXE_STAGED]	= { LANE_TX_BACK_SWITCHING, do_switch },
		[LANE_TXE_REFUSED]	= { LANE_TX_UNCONFIRMED, forget_astray },
		[LANE_TXE_FOREIGN]	= { LANE_TX_UNCONFIRMED, tell },
	},
	[LANE_TX_BACK_SWITCHING] = {
		[LANE_TXE_SWITCHED]	= { LANE_TX_UNCONFIRMED, tell },
		[LANE_TXE_SWITCH_FAILED] = { LANE_TX_UNCONFIRMED, drop_and_forget },
		[LANE_TXE_FOREIGN]	= { LANE_TX_UNCONFIRMED, tell },
		[LANE_TXE_TIMEOUT]	= { LANE_TX_BACK_SWITCHING, do_switch },
	},
};

static const char * const state_names[LANE_TX_STATES] = {
	[0]				= "?",
	[LANE_TX_IDLE]			= "idle",
	[LANE_TX_STAGING]		= "staging",
	[LANE_TX_STAGED]		= "staged",
	[LANE_TX_SWITCHING]		= "switching",
	[LANE_TX_UNCONFIRMED]		= "unconfirmed",
	[LANE_TX_BACK_STAGING]		= "falling back, staging",
	[LANE_TX_BACK_SWITCHING]	= "falling back, switching",
};

const char *lane_tx_state_name(u8 state)
{
	return state_names[state < LANE_TX_STATES ? state : 0];
}

void lane_proto_tx_event(struct lane_proto *p, u8 event, u64 now)
{
	const struct tx_rule *rule = &rules[p->tx.state][event];

	if (!rule->next)
		return;
	p->tx.state = rule->next;
	if (rule->act)
		rule->act(p, now);
}

void lane_proto_tx_init(struct lane_proto *p, const struct lane_map *map)
{
	p->tx.state = LANE_TX_IDLE;
	p->tx.astray = 0;
	p->tx.id = 0;
	p->tx.switch_seq = 0;
	p->tx.astray_since = 0;
	p->tx.deadline = 0;
	lane_map_copy(&p->tx.active, map);
	p->tx.sum = lane_map_sum(map);
	p->tx.next.width = 0;
	p->tx.next.generation = 0;
	p->tx.next_sum = 0;
}

/* The map that @m makes of the active one, in scratch. 0 or enum lane_reject. */
static u16 resulting_map(struct lane_proto *p, const struct lane_msg *m)
{
	struct lane_map *map = &p->scratch;
	u16 i, why;

	if (m->width > p->cfg.shape.data)
		return LANE_REJECT_WIDTH;
	lane_map_copy(map, &p->tx.active);
	/* What is new and not told is no lane, and found out below. */
	for (i = map->width; i < m->width; i++)
		map->phys[i] = LANE_NONE;
	map->width = m->width;
	map->generation = m->generation;
	for (i = 0; i < m->count; i++)
		map->phys[le16_to_cpu(m->moves[i].logical)] = le16_to_cpu(m->moves[i].phys);

	why = lane_map_check(map, &p->cfg.shape);
	if (why)
		return why;
	return lane_map_sum(map) == m->sum ? 0 : LANE_REJECT_SUM;
}

static bool is_staged(const struct lane_proto *p, const struct lane_msg *m)
{
	return p->tx.id && m->id == p->tx.id && m->generation == p->tx.next.generation &&
	       m->sum == p->tx.next_sum;
}

static bool can_stage(const struct lane_proto *p)
{
	return p->tx.state == LANE_TX_IDLE || p->tx.state == LANE_TX_STAGED ||
	       p->tx.state == LANE_TX_UNCONFIRMED;
}

void lane_proto_tx_proposal(struct lane_proto *p, const struct lane_msg *m, u64 now)
{
	u16 why;

	if (p->tx.state == LANE_TX_STAGED && is_staged(p, m)) {
		lane_proto_tx_event(p, LANE_TXE_AGAIN, now);
		return;
	}
	/* In the middle of a switch there is no answer; the receiver repeats. */
	if (!can_stage(p))
		return;
	if (p->tx.active.generation == ~0u || m->generation != p->tx.active.generation + 1 ||
	    !lane_proto_tx_agrees(p))
		why = LANE_REJECT_GENERATION;
	else
		why = resulting_map(p, m);
	if (why) {
		lane_proto_send_ref(p, LANE_MSG_REJECT, m->id, m->generation, m->sum, why);
		return;
	}
	lane_map_copy(&p->tx.next, &p->scratch);
	p->tx.next_sum = m->sum;
	p->tx.id = m->id;
	lane_proto_tx_event(p, LANE_TXE_PROPOSE, now);
}

void lane_proto_tx_go(struct lane_proto *p, const struct lane_msg *m, u64 now)
{
	if (is_staged(p, m)) {
		if (p->tx.state == LANE_TX_STAGED) {
			lane_proto_tx_event(p, LANE_TXE_GO, now);
			return;
		}
		if (p->tx.state == LANE_TX_SWITCHING)
			return;
		/* Switched already: the repeated GO crossed the marker. */
		if (p->tx.active.generation == m->generation && p->tx.sum == m->sum) {
			lane_proto_send(p, LANE_MSG_HEARTBEAT);
			return;
		}
	}
	lane_proto_send_ref(p, LANE_MSG_REJECT, m->id, m->generation, m->sum,
			    LANE_REJECT_NOT_STAGED);
}

void lane_proto_tx_map(struct lane_proto *p, const struct lane_map *map, u64 now)
{
	bool switching = p->tx.state == LANE_TX_SWITCHING || p->tx.state == LANE_TX_BACK_SWITCHING;
	bool expected = switching && map->generation == p->tx.next.generation &&
			lane_map_same(map, &p->tx.next);
	bool card;

	if (!expected && map->generation == p->tx.active.generation &&
	    p->tx.sum == lane_map_sum(map))
		return;
	card = lane_proto_tx_plan_map(p, map, expected, now);
	lane_map_copy(&p->tx.active, map);
	p->tx.sum = lane_map_sum(map);
	p->tx.switch_seq = p->seq + 1;
	p->tx.astray = 0;
	lane_proto_report_switch(p, PNIC_DIR_TX, map, card, now);
	lane_proto_tx_event(p, expected ? LANE_TXE_SWITCHED : LANE_TXE_FOREIGN, now);
}

bool lane_proto_tx_agrees(const struct lane_proto *p)
{
	return p->peer.report.rx_gen == p->tx.active.generation &&
	       p->peer.report.rx_sum == p->tx.sum;
}

void lane_proto_tx_judge(struct lane_proto *p, u32 echo, bool fresh, u64 now)
{
	if (lane_proto_tx_agrees(p)) {
		p->tx.astray = 0;
		lane_proto_tx_event(p, LANE_TXE_AGREED, now);
		return;
	}
	/* Said before the far end can have met our marker: no evidence. */
	if (!fresh && !lane_seq_reached(echo, p->tx.switch_seq))
		return;
	if (!p->tx.astray) {
		p->tx.astray_since = now;
		lane_proto_report(p, LANE_NOTE_ASTRAY, PNIC_DIR_TX, p->tx.active.generation,
				  p->peer.report.rx_gen, now);
	}
	if (p->tx.astray < 0xff)
		p->tx.astray++;
	if (fresh || (p->tx.astray >= LANE_ASTRAY_REPORTS &&
		      now - p->tx.astray_since >= p->cfg.grace_ns))
		lane_proto_tx_event(p, LANE_TXE_ASTRAY, now);
}

u64 lane_proto_tx_due(const struct lane_proto *p)
{
	switch (p->tx.state) {
	case LANE_TX_STAGED:
	case LANE_TX_SWITCHING:
	case LANE_TX_UNCONFIRMED:
	case LANE_TX_BACK_SWITCHING:
		return p->tx.deadline;
	}
	return LANE_NEVER;
}

void lane_proto_tx_tick(struct lane_proto *p, u64 now)
{
	if (now >= lane_proto_tx_due(p))
		lane_proto_tx_event(p, LANE_TXE_TIMEOUT, now);
}
