// SPDX-License-Identifier: GPL-2.0
/*
 * The receiver's half of the lane protocol: it sees the errors, so it proposes.
 */
#include "proto_priv.h"

static void refer(struct lane_proto *p, u8 msg)
{
	lane_proto_send_ref(p, msg, p->rx.id, p->rx.next.generation, p->rx.next_sum, 0);
}

static void first_try(struct lane_proto *p, u8 msg, u64 now)
{
	refer(p, msg);
	p->rx.tries = 1;
	p->rx.retry_ns = p->cfg.retry_ns;
	p->rx.retry_at = now + p->rx.retry_ns;
}

static void next_try(struct lane_proto *p, u8 msg, u64 now)
{
	if (p->rx.tries == p->cfg.stuck_tries)
		lane_proto_report(p, LANE_NOTE_STUCK, PNIC_DIR_RX, p->rx.next.generation,
				  p->rx.tries, now);
	if (p->rx.tries < 0xffff)
		p->rx.tries++;
	refer(p, msg);
	p->rx.retry_at = lane_proto_backoff(p, &p->rx.retry_ns, now);
}

static void send_propose(struct lane_proto *p, u64 now)
{
	first_try(p, LANE_MSG_PROPOSE, now);
}

static void abort_staged(struct lane_proto *p, u64 now)
{
	(void)now;
	lane_proto_act(p, LANE_ACT_ABORT, PNIC_DIR_RX, p->rx.next.generation);
}

static void propose_anew(struct lane_proto *p, u64 now)
{
	abort_staged(p, now);
	send_propose(p, now);
}

static void propose_again(struct lane_proto *p, u64 now)
{
	next_try(p, LANE_MSG_PROPOSE, now);
}

static void stage(struct lane_proto *p, u64 now)
{
	(void)now;
	lane_proto_act(p, LANE_ACT_STAGE, PNIC_DIR_RX, p->rx.next.generation);
}

static void send_go(struct lane_proto *p, u64 now)
{
	first_try(p, LANE_MSG_GO, now);
}

static void go_again(struct lane_proto *p, u64 now)
{
	next_try(p, LANE_MSG_GO, now);
}

/* Not at once again: what was wrong takes a message or two to be put right. */
static void hold(struct lane_proto *p, u64 now)
{
	p->rx.hold_until = now + p->rx.hold_ns;
	lane_proto_backoff(p, &p->rx.hold_ns, now);
}

static void abort_and_hold(struct lane_proto *p, u64 now)
{
	abort_staged(p, now);
	hold(p, now);
}

static void confirm(struct lane_proto *p, u64 now)
{
	(void)now;
	p->rx.hold_ns = p->cfg.retry_ns;
	refer(p, LANE_MSG_CONFIRM);
}

struct rx_rule {
	u8 next;		/* 0: the event means nothing in this state */
	void (*act)(struct lane_proto *p, u64 now);
};

static const struct rx_rule rules[LANE_RX_STATES][LANE_RX_EVENTS] = {
	[LANE_RX_IDLE] = {
		[LANE_RXE_PROPOSE]	= { LANE_RX_PROPOSED, send_propose },
	},
	[LANE_RX_PROPOSED] = {
		[LANE_RXE_PROPOSE]	= { LANE_RX_PROPOSED, send_propose },
		[LANE_RXE_WITHDRAW]	= { LANE_RX_IDLE, NULL },
		[LANE_RXE_ACCEPT]	= { LANE_RX_STAGING, stage },
		[LANE_RXE_REJECT]	= { LANE_RX_IDLE, hold },
		[LANE_RXE_RESET]	= { LANE_RX_IDLE, NULL },
		[LANE_RXE_TIMEOUT]	= { LANE_RX_PROPOSED, propose_again },
	},
	[LANE_RX_STAGING] = {
		[LANE_RXE_PROPOSE]	= { LANE_RX_PROPOSED, propose_anew },
		[LANE_RXE_WITHDRAW]	= { LANE_RX_IDLE, abort_staged },
		[LANE_RXE_REJECT]	= { LANE_RX_IDLE, abort_and_hold },
		[LANE_RXE_STAGED]	= { LANE_RX_GO, send_go },
		[LANE_RXE_REFUSED]	= { LANE_RX_IDLE, abort_and_hold },
		[LANE_RXE_RESET]	= { LANE_RX_IDLE, abort_staged },
	},
	/*
	 * The transmitter may switch at any moment: the staged map has to stay until it
	 * has switched, or has said that it never will.
	 */
	[LANE_RX_GO] = {
		[LANE_RXE_REJECT]	= { LANE_RX_IDLE, abort_and_hold },
		[LANE_RXE_SWITCHED]	= { LANE_RX_IDLE, confirm },
		[LANE_RXE_RESET]	= { LANE_RX_IDLE, abort_staged },
		[LANE_RXE_TIMEOUT]	= { LANE_RX_GO, go_again },
	},
};

static const char * const state_names[LANE_RX_STATES] = {
	[0]			= "?",
	[LANE_RX_IDLE]		= "idle",
	[LANE_RX_PROPOSED]	= "proposed",
	[LANE_RX_STAGING]	= "staging",
	[LANE_RX_GO]		= "go",
};

const char *lane_rx_state_name(u8 state)
{
	return state_names[state < LANE_RX_STATES ? state : 0];
}

void lane_proto_rx_event(struct lane_proto *p, u8 event, u64 now)
{
	const struct rx_rule *rule = &rules[p->rx.state][event];

	if (!rule->next)
		return;
	p->rx.state = rule->next;
	if (rule->act)
		rule->act(p, now);
}

void lane_proto_rx_init(struct lane_proto *p, const struct lane_map *map)
{
	p->rx.state = LANE_RX_IDLE;
	p->rx.id = 0;
	p->rx.retry_at = 0;
	p->rx.retry_ns = p->cfg.retry_ns;
	p->rx.tries = 0;
	p->rx.astray = 0;
	p->rx.told_astray = false;
	p->rx.astray_since = 0;
	p->rx.switch_seq = 0;
	p->rx.hold_until = 0;
	p->rx.hold_ns = p->cfg.retry_ns;
	lane_map_copy(&p->rx.active, map);
	p->rx.sum = lane_map_sum(map);
	p->rx.next.width = 0;
}

static bool under_way(const struct lane_proto *p)
{
	return p->rx.state == LANE_RX_PROPOSED || p->rx.state == LANE_RX_STAGING;
}

int lane_proto_ready(const struct lane_proto *p, u64 now)
{
	if (!p->peer.known)
		return LANE_PROPOSE_NO_PEER;
	if (p->rx.state == LANE_RX_GO)
		return LANE_PROPOSE_BUSY;
	if (p->peer.report.tx_gen != p->rx.active.generation || p->peer.report.tx_sum != p->rx.sum)
		return LANE_PROPOSE_ASTRAY;
	return now < p->rx.hold_until ? LANE_PROPOSE_HOLD : LANE_PROPOSE_OK;
}

u16 lane_proto_moves_max(const struct lane_proto *p)
{
	u16 max = p->cfg.msg_max;

	if (p->peer.known && p->peer.msg_max < max)
		max = p->peer.msg_max;
	return lane_msg_moves_max(max);
}

int lane_proto_propose(struct lane_proto *p, const struct lane_map *map, u64 now)
{
	int why = lane_proto_ready(p, now);

	if (why)
		return why;
	if (under_way(p) && lane_map_same(map, &p->rx.next))
		return LANE_PROPOSE_OK;
	if (lane_map_check(map, &p->cfg.shape) || p->rx.active.generation == ~0u ||
	    lane_map_moves(&p->rx.active, map) > lane_proto_moves_max(p))
		return LANE_PROPOSE_MAP;

	lane_map_copy(&p->rx.next, map);
	p->rx.next.generation = p->rx.active.generation + 1;
	p->rx.next_sum = lane_map_sum(map);
	if (!++p->rx.id)
		p->rx.id = 1;
	lane_proto_rx_event(p, LANE_RXE_PROPOSE, now);
	return LANE_PROPOSE_OK;
}

void lane_proto_withdraw(struct lane_proto *p, u64 now)
{
	lane_proto_rx_event(p, LANE_RXE_WITHDRAW, now);
}

/* ACCEPT or REJECT: only of the proposal that is under way. */
void lane_proto_rx_answer(struct lane_proto *p, const struct lane_msg *m, u64 now)
{
	if (p->rx.state == LANE_RX_IDLE || m->id != p->rx.id ||
	    m->generation != p->rx.next.generation)
		return;
	if (m->type == LANE_MSG_ACCEPT) {
		lane_proto_rx_event(p, LANE_RXE_ACCEPT, now);
		return;
	}
	lane_proto_report(p, LANE_NOTE_REJECTED, PNIC_DIR_RX, m->generation, m->reason, now);
	lane_proto_rx_event(p, LANE_RXE_REJECT, now);
}

void lane_proto_rx_map(struct lane_proto *p, const struct lane_map *map, u64 now)
{
	bool expected, card;

	if (map->generation == p->rx.active.generation && p->rx.sum == lane_map_sum(map))
		return;
	expected = p->rx.state == LANE_RX_GO && map->generation == p->rx.next.generation &&
		   lane_map_same(map, &p->rx.next);
	card = lane_proto_rx_plan_map(p, map, expected, now);
	if (map->generation == LANE_GEN_FIRST)
		lane_proto_report(p, LANE_NOTE_FALLBACK, PNIC_DIR_RX,
				  p->rx.active.generation, map->generation, now);
	else
		lane_proto_report_switch(p, PNIC_DIR_RX, map, card, now);
	lane_map_copy(&p->rx.active, map);
	p->rx.sum = lane_map_sum(map);
	p->rx.switch_seq = p->seq + 1;
	p->rx.astray = 0;
	p->rx.told_astray = false;
	lane_proto_rx_event(p, expected ? LANE_RXE_SWITCHED : LANE_RXE_RESET, now);
	if (!expected && p->peer.known)
		lane_proto_send(p, LANE_MSG_HEARTBEAT);
}

void lane_proto_rx_judge(struct lane_proto *p, u32 echo, u64 now)
{
	const struct lane_report *far = &p->peer.report;
	bool same = far->tx_gen == p->rx.active.generation;

	if (same && far->tx_sum == p->rx.sum) {
		p->rx.astray = 0;
		p->rx.told_astray = false;
		return;
	}
	/* Said before the far end can have known of our switch: no evidence. */
	if (p->rx.told_astray || !lane_seq_reached(echo, p->rx.switch_seq))
		return;
	if (!p->rx.astray)
		p->rx.astray_since = now;
	if (p->rx.astray < LANE_ASTRAY_REPORTS)
		p->rx.astray++;
	/* A marker may still be on its way; two maps of one generation are wrong for certain. */
	if (!same && (p->rx.astray < LANE_ASTRAY_REPORTS ||
		      now - p->rx.astray_since < p->cfg.grace_ns))
		return;
	p->rx.told_astray = true;
	lane_proto_report(p, LANE_NOTE_ASTRAY, PNIC_DIR_RX, p->rx.active.generation, far->tx_gen,
			  now);
}

u64 lane_proto_rx_due(const struct lane_proto *p)
{
	if (p->rx.state == LANE_RX_PROPOSED || p->rx.state == LANE_RX_GO)
		return p->rx.retry_at;
	return LANE_NEVER;
}

void lane_proto_rx_tick(struct lane_proto *p, u64 now)
{
	if (now >= lane_proto_rx_due(p))
		lane_proto_rx_event(p, LANE_RXE_TIMEOUT, now);
}
