// SPDX-License-Identifier: GPL-2.0
/*
 * Standby plans: both ends of a direction load the same one, the transmitter first.
 *
 * A card switches by its plan without asking, so the order matters: the receiver's
 * card, which asks, never has a plan that the transmitter's has not had. When the
 * plans differ all the same (a message was lost, a card forgot) a request is
 * ignored or the check sum of the marker doesn't fit, and nothing worse happens.
 */
#include "proto_priv.h"

static void refer(struct lane_proto *p, u8 msg, const struct lane_standby *plan, u32 generation)
{
	lane_proto_send_ref(p, msg, plan->id, generation, plan->sum, 0);
}

static bool is_empty(const struct lane_map *plan)
{
	u16 l;

	for (l = 0; l < plan->width; l++)
		if (plan->phys[l] != LANE_NONE)
			return false;
	return true;
}

struct lane_set {
	u64 bits[LANE_MAX / 64];
};

static void lanes_of(struct lane_set *set, const struct lane_map *map)
{
	u16 l;

	memset(set, 0, sizeof(*set));
	for (l = 0; l < map->width; l++)
		set->bits[map->phys[l] / 64] |= 1ULL << (map->phys[l] % 64);
}

static bool has_lane(const struct lane_set *set, u16 lane)
{
	return set->bits[lane / 64] & (1ULL << (lane % 64));
}

/* 0, or enum lane_reject. */
static u16 plan_check(const struct lane_map *plan, const struct lane_map *active,
		      const struct lane_shape *shape)
{
	struct lane_set used;
	u16 l, lane;

	if (plan->width != active->width)
		return LANE_REJECT_WIDTH;
	lanes_of(&used, active);
	for (l = 0; l < plan->width; l++) {
		lane = plan->phys[l];
		if (lane == LANE_NONE)
			continue;
		if (lane >= shape->total || lane >= LANE_MAX)
			return LANE_REJECT_RANGE;
		if (has_lane(&used, lane))
			return LANE_REJECT_IN_USE;
	}
	return 0;
}

/* ---- the receiver ---- */

static void rx_load(struct lane_proto *p, u64 now)
{
	(void)now;
	lane_proto_act(p, LANE_ACT_STANDBY, PNIC_DIR_RX, p->rx.active.generation);
}

static void rx_send(struct lane_proto *p, u64 now)
{
	p->rx.plan_at = now + p->rx.plan_ns;
	refer(p, LANE_MSG_PLAN, &p->rx.plan, p->rx.active.generation);
}

static void rx_unload_and_send(struct lane_proto *p, u64 now)
{
	rx_load(p, now);
	rx_send(p, now);
}

static void rx_again(struct lane_proto *p, u64 now)
{
	p->rx.plan_at = lane_proto_backoff(p, &p->rx.plan_ns, now);
	refer(p, LANE_MSG_PLAN, &p->rx.plan, p->rx.active.generation);
}

/* Once is enough: a plan that only the transmitter has does nothing. */
static void rx_send_empty(struct lane_proto *p, u64 now)
{
	(void)now;
	refer(p, LANE_MSG_PLAN, &p->rx.plan, p->rx.active.generation);
}

static void rx_unload_and_send_empty(struct lane_proto *p, u64 now)
{
	rx_load(p, now);
	rx_send_empty(p, now);
}

static void rx_hold(struct lane_proto *p, u64 now)
{
	p->rx.plan_at = lane_proto_backoff(p, &p->rx.plan_ns, now);
}

static void rx_unload_and_hold(struct lane_proto *p, u64 now)
{
	rx_load(p, now);
	rx_hold(p, now);
}

static void rx_settle(struct lane_proto *p, u64 now)
{
	p->rx.plan_tries = 0;
	p->rx.plan_ns = p->cfg.retry_ns;
	p->rx.plan_at = now + p->cfg.plan_renew_ns;
}

static void rx_renew(struct lane_proto *p, u64 now)
{
	rx_send_empty(p, now);
	p->rx.plan_at = now + p->cfg.plan_renew_ns;
}

/* Whoever has spoken of plans before is asked again later; one that doesn't know them is not. */
static void rx_give_up(struct lane_proto *p, u64 now)
{
	p->rx.plan_tries = 0;
	p->rx.plan_at = p->peer.plans ? now + p->cfg.plan_renew_ns : LANE_NEVER;
	if (!p->peer.told_plan)
		lane_proto_report(p, LANE_NOTE_UNPLANNED, PNIC_DIR_RX, p->rx.plan_refusal, 0, now);
	p->peer.told_plan = true;
}

struct plan_rule {
	u8 next;		/* 0: the event means nothing in this state */
	void (*act)(struct lane_proto *p, u64 now);
};

static const struct plan_rule rx_rules[LANE_RXP_STATES][LANE_RXP_EVENTS] = {
	[LANE_RXP_NONE] = {
		[LANE_RXPE_PLAN]	= { LANE_RXP_PROPOSED, rx_send },
		[LANE_RXPE_GIVE_UP]	= { LANE_RXP_NONE, rx_give_up },
	},
	[LANE_RXP_PROPOSED] = {
		[LANE_RXPE_PLAN]	= { LANE_RXP_PROPOSED, rx_send },
		[LANE_RXPE_DROP]	= { LANE_RXP_NONE, rx_send_empty },
		[LANE_RXPE_PLANNED]	= { LANE_RXP_LOADING, rx_load },
		[LANE_RXPE_REFUSED]	= { LANE_RXP_NONE, rx_hold },
		[LANE_RXPE_RESET]	= { LANE_RXP_NONE, NULL },
		[LANE_RXPE_TIMEOUT]	= { LANE_RXP_PROPOSED, rx_again },
		[LANE_RXPE_GIVE_UP]	= { LANE_RXP_NONE, rx_give_up },
	},
	[LANE_RXP_LOADING] = {
		[LANE_RXPE_PLAN]	= { LANE_RXP_PROPOSED, rx_unload_and_send },
		[LANE_RXPE_DROP]	= { LANE_RXP_NONE, rx_unload_and_send_empty },
		[LANE_RXPE_LOADED]	= { LANE_RXP_LOADED, rx_settle },
		[LANE_RXPE_FAILED]	= { LANE_RXP_NONE, rx_hold },
		[LANE_RXPE_CARD]	= { LANE_RXP_LOADED, rx_settle },
		[LANE_RXPE_RESET]	= { LANE_RXP_NONE, rx_load },
	},
	[LANE_RXP_LOADED] = {
		[LANE_RXPE_PLAN]	= { LANE_RXP_PROPOSED, rx_unload_and_send },
		[LANE_RXPE_DROP]	= { LANE_RXP_NONE, rx_unload_and_send_empty },
		/* A renewed one: whatever the cards have come to, they have it again. */
		[LANE_RXPE_PLANNED]	= { LANE_RXP_LOADED, rx_load },
		[LANE_RXPE_REFUSED]	= { LANE_RXP_NONE, rx_unload_and_hold },
		[LANE_RXPE_CARD]	= { LANE_RXP_LOADED, rx_settle },
		[LANE_RXPE_RESET]	= { LANE_RXP_NONE, rx_load },
		[LANE_RXPE_TIMEOUT]	= { LANE_RXP_LOADED, rx_renew },
	},
};

/* ---- the transmitter ---- */

static void tx_load(struct lane_proto *p, u64 now)
{
	(void)now;
	lane_proto_act(p, LANE_ACT_STANDBY, PNIC_DIR_TX, p->tx.active.generation);
}

static void tx_answer(struct lane_proto *p, u64 now)
{
	(void)now;
	refer(p, LANE_MSG_PLANNED, &p->tx.plan, p->tx.active.generation);
}

static void tx_answer_failed(struct lane_proto *p, u64 now)
{
	(void)now;
	lane_proto_send_ref(p, LANE_MSG_PLANNED, p->tx.plan.id, p->tx.active.generation,
			    p->tx.plan.sum, LANE_REJECT_CARD);
}

static const struct plan_rule tx_rules[LANE_TXP_STATES][LANE_TXP_EVENTS] = {
	[LANE_TXP_NONE] = {
		[LANE_TXPE_PLAN]	= { LANE_TXP_LOADING, tx_load },
	},
	[LANE_TXP_LOADING] = {
		[LANE_TXPE_PLAN]	= { LANE_TXP_LOADING, tx_load },
		[LANE_TXPE_EMPTY]	= { LANE_TXP_NONE, tx_load },
		[LANE_TXPE_LOADED]	= { LANE_TXP_LOADED, tx_answer },
		[LANE_TXPE_FAILED]	= { LANE_TXP_NONE, tx_answer_failed },
		[LANE_TXPE_CARD]	= { LANE_TXP_LOADED, NULL },
		[LANE_TXPE_RESET]	= { LANE_TXP_NONE, tx_load },
	},
	[LANE_TXP_LOADED] = {
		[LANE_TXPE_PLAN]	= { LANE_TXP_LOADING, tx_load },
		[LANE_TXPE_AGAIN]	= { LANE_TXP_LOADED, tx_answer },
		[LANE_TXPE_EMPTY]	= { LANE_TXP_NONE, tx_load },
		[LANE_TXPE_CARD]	= { LANE_TXP_LOADED, NULL },
		[LANE_TXPE_RESET]	= { LANE_TXP_NONE, tx_load },
	},
};

/* ---- both ---- */

static const char * const rx_names[LANE_RXP_STATES] = {
	[0]			= "?",
	[LANE_RXP_NONE]		= "none",
	[LANE_RXP_PROPOSED]	= "proposed",
	[LANE_RXP_LOADING]	= "loading",
	[LANE_RXP_LOADED]	= "loaded",
};

static const char * const tx_names[LANE_TXP_STATES] = {
	[0]			= "?",
	[LANE_TXP_NONE]		= "none",
	[LANE_TXP_LOADING]	= "loading",
	[LANE_TXP_LOADED]	= "loaded",
};

const char *lane_rx_plan_state_name(u8 state)
{
	return rx_names[state < LANE_RXP_STATES ? state : 0];
}

const char *lane_tx_plan_state_name(u8 state)
{
	return tx_names[state < LANE_TXP_STATES ? state : 0];
}

void lane_proto_rx_plan_event(struct lane_proto *p, u8 event, u64 now)
{
	const struct plan_rule *rule = &rx_rules[p->rx.plan.state][event];

	if (!rule->next)
		return;
	p->rx.plan.state = rule->next;
	if (rule->act)
		rule->act(p, now);
}

void lane_proto_tx_plan_event(struct lane_proto *p, u8 event, u64 now)
{
	const struct plan_rule *rule = &tx_rules[p->tx.plan.state][event];

	if (!rule->next)
		return;
	p->tx.plan.state = rule->next;
	if (rule->act)
		rule->act(p, now);
}

void lane_proto_plan_retry(struct lane_proto *p)
{
	p->rx.plan_tries = 0;
	p->rx.plan_refusal = 0;
	p->rx.plan_ns = p->cfg.retry_ns;
	if (p->rx.plan.state == LANE_RXP_NONE)
		p->rx.plan_at = 0;
}

void lane_proto_plan_init(struct lane_proto *p)
{
	p->rx.plan.state = LANE_RXP_NONE;
	p->rx.plan.id = 0;
	p->rx.plan.sum = 0;
	p->rx.plan.map.width = 0;
	p->rx.unload_at = LANE_NEVER;
	lane_proto_plan_retry(p);
	p->tx.plan.state = LANE_TXP_NONE;
	p->tx.plan.id = 0;
	p->tx.plan.sum = 0;
	p->tx.plan.map.width = 0;
}

void lane_proto_plan_peer_reset(struct lane_proto *p, u64 now)
{
	p->peer.told_plan = false;
	p->peer.plans = false;
	lane_proto_rx_plan_event(p, LANE_RXPE_RESET, now);
	lane_proto_tx_plan_event(p, LANE_TXPE_RESET, now);
	lane_proto_plan_retry(p);
}

/* Is @to what the plan makes of @from, by as many moves as generations at least? */
static bool by_plan(const struct lane_map *plan, const struct lane_map *from,
		    const struct lane_map *to)
{
	u32 moves = 0;
	u16 l;

	if (plan->width != from->width || to->width != from->width ||
	    to->generation <= from->generation)
		return false;
	for (l = 0; l < to->width; l++) {
		if (to->phys[l] == from->phys[l])
			continue;
		if (to->phys[l] != plan->phys[l])
			return false;
		moves++;
	}
	return moves >= to->generation - from->generation;
}

/* As the cards do it: what the new map uses no longer stands by. */
static void keep_rest(struct lane_standby *plan, const struct lane_map *map)
{
	u16 *spare = plan->map.phys;
	struct lane_set used;
	u16 l;

	lanes_of(&used, map);
	for (l = 0; l < plan->map.width; l++)
		if (spare[l] != LANE_NONE && has_lane(&used, spare[l]))
			spare[l] = LANE_NONE;
	plan->map.generation = map->generation;
	plan->sum = lane_map_sum(&plan->map);
}

bool lane_proto_rx_plan_map(struct lane_proto *p, const struct lane_map *map, bool expected,
			    u64 now)
{
	bool loaded = p->rx.plan.state >= LANE_RXP_LOADING;

	if (loaded && !expected && by_plan(&p->rx.plan.map, &p->rx.active, map)) {
		keep_rest(&p->rx.plan, map);
		lane_proto_rx_plan_event(p, LANE_RXPE_CARD, now);
		return true;
	}
	lane_proto_rx_plan_event(p, LANE_RXPE_RESET, now);
	lane_proto_plan_retry(p);
	return false;
}

bool lane_proto_tx_plan_map(struct lane_proto *p, const struct lane_map *map, bool expected,
			    u64 now)
{
	bool loaded = p->tx.plan.state >= LANE_TXP_LOADING;

	if (loaded && !expected && by_plan(&p->tx.plan.map, &p->tx.active, map)) {
		keep_rest(&p->tx.plan, map);
		lane_proto_tx_plan_event(p, LANE_TXPE_CARD, now);
		return true;
	}
	lane_proto_tx_plan_event(p, LANE_TXPE_RESET, now);
	return false;
}

const struct lane_map *lane_proto_standby_map(const struct lane_proto *p, u8 dir)
{
	static const struct lane_map none;

	if (dir == PNIC_DIR_RX)
		return p->rx.plan.state >= LANE_RXP_LOADING ? &p->rx.plan.map : &none;
	return p->tx.plan.state >= LANE_TXP_LOADING ? &p->tx.plan.map : &none;
}

void lane_proto_standby_done(struct lane_proto *p, u8 dir, bool ok, u64 now)
{
	if (dir == PNIC_DIR_TX) {
		lane_proto_tx_plan_event(p, ok ? LANE_TXPE_LOADED : LANE_TXPE_FAILED, now);
		return;
	}
	/* It may be just switching by a plan that it is to forget. */
	p->rx.unload_at = LANE_NEVER;
	if (!ok && p->rx.plan.state < LANE_RXP_LOADING)
		p->rx.unload_at = now + p->cfg.retry_ns;
	if (!ok && p->rx.plan.state == LANE_RXP_LOADING)
		p->rx.plan_refusal = LANE_REJECT_CARD;
	lane_proto_rx_plan_event(p, ok ? LANE_RXPE_LOADED : LANE_RXPE_FAILED, now);
}

/* ---- what the policy wants ---- */

static void set_plan(struct lane_proto *p, const struct lane_map *plan)
{
	lane_map_copy(&p->rx.plan.map, plan);
	p->rx.plan.map.generation = p->rx.active.generation;
	p->rx.plan.sum = lane_map_sum(plan);
	if (!++p->rx.plan.id)
		p->rx.plan.id = 1;
}

static int drop_plan(struct lane_proto *p, const struct lane_map *plan, u64 now)
{
	if (p->rx.plan.state != LANE_RXP_NONE) {
		set_plan(p, plan);
		lane_proto_rx_plan_event(p, LANE_RXPE_DROP, now);
	}
	return LANE_PROPOSE_OK;
}

static u16 plan_moves(const struct lane_map *plan)
{
	u16 moves = 0, l;

	for (l = 0; l < plan->width; l++)
		moves += plan->phys[l] != LANE_NONE;
	return moves;
}

int lane_proto_plan(struct lane_proto *p, const struct lane_map *plan, u64 now)
{
	if (plan_check(plan, &p->rx.active, &p->cfg.shape) ||
	    plan_moves(plan) > lane_proto_moves_max(p))
		return LANE_PROPOSE_MAP;
	if (is_empty(plan))
		return drop_plan(p, plan, now);
	if (!p->peer.known)
		return LANE_PROPOSE_NO_PEER;
	if (p->rx.plan.state != LANE_RXP_NONE && lane_map_same(plan, &p->rx.plan.map))
		return LANE_PROPOSE_OK;
	if (p->peer.report.tx_gen != p->rx.active.generation || p->peer.report.tx_sum != p->rx.sum)
		return LANE_PROPOSE_ASTRAY;
	if (p->rx.plan.state == LANE_RXP_NONE && now < p->rx.plan_at)
		return LANE_PROPOSE_HOLD;
	set_plan(p, plan);
	p->rx.plan_tries++;
	lane_proto_rx_plan_event(p, LANE_RXPE_PLAN, now);
	return LANE_PROPOSE_OK;
}

void lane_proto_plan_moves(struct lane_proto *p, struct lane_msg *m)
{
	const struct lane_map *plan = &p->rx.plan.map;
	u16 l;

	m->width = plan->width;
	for (l = 0; l < plan->width; l++) {
		if (plan->phys[l] == LANE_NONE)
			continue;
		p->moves[m->count].logical = cpu_to_le16(l);
		p->moves[m->count].phys = cpu_to_le16(plan->phys[l]);
		m->count++;
	}
	m->moves = p->moves;
}

/* ---- messages ---- */

void lane_proto_rx_planned(struct lane_proto *p, const struct lane_msg *m, u64 now)
{
	p->peer.plans = true;
	if (m->id != p->rx.plan.id || m->generation != p->rx.active.generation ||
	    m->sum != p->rx.plan.sum)
		return;
	if (!m->reason) {
		lane_proto_rx_plan_event(p, LANE_RXPE_PLANNED, now);
		return;
	}
	p->rx.plan_refusal = m->reason;
	lane_proto_rx_plan_event(p, LANE_RXPE_REFUSED, now);
	if (p->rx.plan_tries >= p->cfg.plan_tries)
		lane_proto_rx_plan_event(p, LANE_RXPE_GIVE_UP, now);
}

/* The plan that @m tells, in scratch. 0 or enum lane_reject. */
static u16 told_plan(struct lane_proto *p, const struct lane_msg *m)
{
	struct lane_map *plan = &p->scratch;
	u16 i, why;

	if (m->generation != p->tx.active.generation || !lane_proto_tx_agrees(p))
		return LANE_REJECT_GENERATION;
	if (m->width != p->tx.active.width)
		return LANE_REJECT_WIDTH;
	plan->generation = m->generation;
	plan->width = m->width;
	for (i = 0; i < m->width; i++)
		plan->phys[i] = LANE_NONE;
	for (i = 0; i < m->count; i++)
		plan->phys[le16_to_cpu(m->moves[i].logical)] = le16_to_cpu(m->moves[i].phys);
	why = plan_check(plan, &p->tx.active, &p->cfg.shape);
	if (why)
		return why;
	return lane_map_sum(plan) == m->sum ? 0 : LANE_REJECT_SUM;
}

void lane_proto_tx_plan(struct lane_proto *p, const struct lane_msg *m, u64 now)
{
	u16 why = told_plan(p, m);

	p->peer.plans = true;
	if (why) {
		lane_proto_send_ref(p, LANE_MSG_PLANNED, m->id, m->generation, m->sum, why);
		return;
	}
	if (is_empty(&p->scratch)) {
		lane_proto_tx_plan_event(p, LANE_TXPE_EMPTY, now);
		return;
	}
	if (p->tx.plan.state == LANE_TXP_LOADED && p->tx.plan.sum == m->sum &&
	    lane_map_same(&p->scratch, &p->tx.plan.map)) {
		p->tx.plan.id = m->id;
		lane_proto_tx_plan_event(p, LANE_TXPE_AGAIN, now);
		return;
	}
	lane_map_copy(&p->tx.plan.map, &p->scratch);
	p->tx.plan.sum = m->sum;
	p->tx.plan.id = m->id;
	lane_proto_tx_plan_event(p, LANE_TXPE_PLAN, now);
}

/* ---- time ---- */

static u64 unload_due(const struct lane_proto *p)
{
	return p->rx.plan.state < LANE_RXP_LOADING ? p->rx.unload_at : LANE_NEVER;
}

static u64 repeat_due(const struct lane_proto *p)
{
	if (p->rx.plan.state == LANE_RXP_PROPOSED || p->rx.plan.state == LANE_RXP_LOADED)
		return p->rx.plan_at;
	return LANE_NEVER;
}

u64 lane_proto_plan_due(const struct lane_proto *p)
{
	return min(unload_due(p), repeat_due(p));
}

void lane_proto_plan_tick(struct lane_proto *p, u64 now)
{
	if (now >= unload_due(p))
		rx_load(p, now);
	if (now < repeat_due(p))
		return;
	if (p->rx.plan.state == LANE_RXP_PROPOSED && p->rx.plan_tries++ >= p->cfg.plan_tries) {
		lane_proto_rx_plan_event(p, LANE_RXPE_GIVE_UP, now);
		return;
	}
	lane_proto_rx_plan_event(p, LANE_RXPE_TIMEOUT, now);
}
