// SPDX-License-Identifier: GPL-2.0
/*
 * The lane agent: policy, protocol and card, put together.
 */
#include "agent_priv.h"

#define MS			1000000ULL
#define MESSAGES_AT_ONCE	32
#define ACTIONS_AT_ONCE		64
#define TABLE_TRIES		3
#define STORM			2	/* settle times between decisions that lane events make */
#define STORM_SETTLE_MAX	8	/* settle times that the events are collected in a storm */

void lane_agent_cfg_default(struct lane_agent_cfg *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	lane_settings_default(&cfg->settings);
	lane_proto_cfg_default(&cfg->proto);
	cfg->verify_ns = 125 * MS;	/* so that the next heartbeat tells of what is found */
}

void lane_agent_tell(struct lane_agent *a, const struct lane_note *note)
{
	lane_agent_note_alarms(a, note);
	a->ops->note(a->card, note);
}

static void tell_code(struct lane_agent *a, u8 code, u32 x, u32 y, u64 now)
{
	struct lane_note note = { .at = now, .code = code, .a = x, .b = y };

	lane_agent_tell(a, &note);
}

void lane_agent_tell_all(struct lane_agent *a, const struct lane_notes *notes, u64 now)
{
	u16 i;

	for (i = 0; i < notes->nr; i++)
		lane_agent_tell(a, &notes->note[i]);
	if (notes->lost)
		tell_code(a, LANE_NOTE_MORE, notes->lost, 0, now);
}

/* One note when the card begins to fail, not one for each failure. */
static bool card_did(struct lane_agent *a, u32 operation, int err, u64 now)
{
	if (err >= 0) {
		a->card_bad = false;
		return true;
	}
	if (!a->card_bad)
		tell_code(a, LANE_NOTE_CARD, operation, err, now);
	a->card_bad = true;
	return false;
}

/* ---- the lane table ---- */

static bool read_table(struct lane_agent *a, u64 now)
{
	int len, fault = LANE_TABLE_TORN;
	int tries;

	for (tries = 0; tries < TABLE_TRIES && fault == LANE_TABLE_TORN; tries++) {
		len = a->ops->table(a->card, a->raw, sizeof(a->raw));
		if (!card_did(a, LANE_OP_TABLE, len, now))
			return false;
		fault = lane_table_decode(a->rec, a->cfg.policy.shape.total, a->raw, len);
	}
	if (fault && !a->table_bad)
		tell_code(a, LANE_NOTE_TABLE, fault, 0, now);
	a->table_bad = fault;
	return !fault;
}

/* ---- maps ---- */

static bool load_map(struct lane_agent *a, u8 dir, struct lane_map *map, u64 now)
{
	int len = a->ops->map_get(a->card, dir, a->raw, sizeof(a->raw));

	if (!card_did(a, LANE_OP_MAP_GET, len, now))
		return false;
	if (lane_map_decode(map, a->raw, len))
		return true;
	tell_code(a, LANE_NOTE_MAP, 0, len, now);
	return false;
}

static u32 active_gen(const struct lane_agent *a, u8 dir)
{
	return dir == PNIC_DIR_RX ? a->proto.rx.active.generation : a->proto.tx.active.generation;
}

static void refresh_map(struct lane_agent *a, u8 dir, u64 now)
{
	u32 before = active_gen(a, dir), after;

	if (!load_map(a, dir, &a->map, now))
		return;
	if (dir == PNIC_DIR_RX)
		lane_map_copy(&a->before, &a->proto.rx.active);
	lane_proto_hw_map(&a->proto, dir, &a->map, now);
	after = active_gen(a, dir);
	if (before == after)
		return;
	a->stats.switches[dir]++;
	if (dir != PNIC_DIR_RX)
		return;
	lane_agent_mended(a, &a->before, &a->proto.rx.active);
	if (after == LANE_GEN_FIRST) {
		a->stats.fallbacks++;
		a->fall_seen = true;
	} else {
		lane_policy_changed(&a->policy, now);
	}
	a->decide_at = now;
}

/*
 * The card fell back and its generation was 1 before: so its map was another one under that
 * number. The card has mended it, but a person should know.
 */
static void note_fall(struct lane_agent *a, u64 now)
{
	struct lane_note note = { .at = now, .code = LANE_NOTE_ASTRAY, .dir = PNIC_DIR_RX };

	if (!a->fell)
		return;
	note.a = LANE_GEN_FIRST;
	note.b = LANE_GEN_FIRST;
	if (!a->fall_seen) {
		a->stats.fallbacks++;
		lane_agent_tell(a, &note);
	}
	a->fell = false;
	a->fall_seen = false;
}

/* Generations tell whether a map was switched, so a lost event does no harm. */
static void sync_maps(struct lane_agent *a, u64 now)
{
	struct lane_link link;

	if (!card_did(a, LANE_OP_LINK, a->ops->link(a->card, &link), now))
		return;
	if (link.state == PNIC_LINK_UP && a->link_state != PNIC_LINK_UP)
		lane_agent_lanes(a, now);
	if (link.state != a->link_state)
		tell_code(a, LANE_NOTE_LINK, link.state, a->link_state, now);
	a->link_state = link.state;
	if (link.gen_rx != active_gen(a, PNIC_DIR_RX))
		refresh_map(a, PNIC_DIR_RX, now);
	if (link.gen_tx != active_gen(a, PNIC_DIR_TX))
		refresh_map(a, PNIC_DIR_TX, now);
	note_fall(a, now);
}

/* ---- carrying out what the protocol wants ---- */

static void act_send(struct lane_agent *a, const struct lane_action *act)
{
	size_t len = lane_proto_encode(&a->proto, act, a->out, sizeof(a->out));

	/* A message that can't leave is lost like any other: it will be repeated. */
	if (len)
		a->ops->mgmt_send(a->card, a->out, len);
}

/* Are the lanes that the staged map adds lit? */
static bool in_lock(struct lane_agent *a, const struct lane_map *map, u64 now)
{
	const struct lane_map *active = &a->proto.rx.active;
	u16 l;

	if (!read_table(a, now))
		return false;
	for (l = 0; l < map->width; l++) {
		if (l < active->width && active->phys[l] == map->phys[l])
			continue;
		if (lane_rec_dark(&a->rec[map->phys[l]]))
			return false;
	}
	return true;
}

static u16 stage(struct lane_agent *a, u8 dir, u64 now)
{
	const struct lane_map *map = lane_proto_staged_map(&a->proto, dir);
	size_t len = lane_map_encode(map, a->raw, sizeof(a->raw));
	int err = a->ops->map_stage(a->card, dir, map->generation, a->raw, len);

	if (err > 0)
		return err;
	if (!card_did(a, LANE_OP_MAP_STAGE, err, now))
		return LANE_REJECT_CARD;
	if (dir == PNIC_DIR_RX && !in_lock(a, map, now)) {
		lane_agent_lanes(a, now);
		return LANE_REJECT_DARK;
	}
	return 0;
}

static void act_switch(struct lane_agent *a, u32 generation, u64 now)
{
	int err = a->ops->map_switch(a->card, generation);

	lane_proto_switch_done(&a->proto, !err, now);
	if (!err)
		refresh_map(a, PNIC_DIR_TX, now);
}

static void act_standby(struct lane_agent *a, u8 dir, u64 now)
{
	const struct lane_map *map = lane_proto_standby_map(&a->proto, dir);
	size_t len = map->width ? lane_map_encode(map, a->raw, sizeof(a->raw)) : 0;
	int err = -1;

	if (a->ops->standby)
		err = a->ops->standby(a->card, dir, map->generation, a->raw, len);
	lane_proto_standby_done(&a->proto, dir, !err, now);
}

static void carry_out(struct lane_agent *a, u64 now)
{
	struct lane_action act;
	int n;

	for (n = 0; n < ACTIONS_AT_ONCE && lane_proto_next_action(&a->proto, &act); n++) {
		switch (act.type) {
		case LANE_ACT_SEND:
			act_send(a, &act);
			break;
		case LANE_ACT_STAGE:
			lane_proto_staged(&a->proto, act.dir, stage(a, act.dir, now), now);
			break;
		case LANE_ACT_SWITCH:
			act_switch(a, act.generation, now);
			break;
		case LANE_ACT_ABORT:
			/* Nothing staged any more is as good. */
			a->ops->map_abort(a->card, act.dir, act.generation);
			break;
		case LANE_ACT_STANDBY:
			act_standby(a, act.dir, now);
			break;
		case LANE_ACT_REPORT:
			lane_agent_tell(a, &act.note);
			break;
		}
	}
}

static void take_messages(struct lane_agent *a, u64 now)
{
	int n, len;

	for (n = 0; n < MESSAGES_AT_ONCE; n++) {
		len = a->ops->mgmt_recv(a->card, a->in, sizeof(a->in));
		if (len <= 0)
			return;
		/* A marker sent before the message has come by: look first, then judge. */
		sync_maps(a, now);
		carry_out(a, now);
		len = len > (int)sizeof(a->in) ? (int)sizeof(a->in) : len;
		lane_proto_rx_msg(&a->proto, a->in, len, now);
		carry_out(a, now);
	}
}

/* ---- deciding ---- */

/* A plan is told of once, however often it has to be proposed. */
static void tell_plan(struct lane_agent *a, u64 now)
{
	u32 sum = lane_map_sum(&a->plan.map);
	u32 gen = a->proto.rx.active.generation;

	if (a->plan.change && sum == a->told_sum && gen == a->told_gen)
		return;
	a->told_sum = a->plan.change ? sum : 0;
	a->told_gen = gen;
	lane_agent_tell_all(a, &a->plan.notes, now);
}

/* Work on a map lasts from the proposal until nothing is under way any more. */
static void account(struct lane_agent *a, u64 now)
{
	bool working = a->proto.rx.state != LANE_RX_IDLE;

	if (working && !a->working)
		a->work_since = now;
	if (!working && a->working)
		lane_policy_worked(&a->policy, now - a->work_since, now);
	a->working = working;
}

static void propose(struct lane_agent *a, u64 now)
{
	int why;

	if (!a->plan.change) {
		a->want = false;
		lane_proto_withdraw(&a->proto, now);
		return;
	}
	why = lane_proto_propose(&a->proto, &a->plan.map, now);
	a->want = why != LANE_PROPOSE_OK;
}

/* A plan for a map that is about to change would be of no use. */
static void plan_standby(struct lane_agent *a, u64 now)
{
	bool wanted = a->cfg.settings.standby && a->cfg.settings.manage;
	int why;

	a->want_plan = false;
	if (!a->ops->standby || a->plan.change || a->proto.rx.state != LANE_RX_IDLE)
		return;
	lane_policy_standby(&a->policy, a->rec, &a->proto.rx.active,
			    wanted ? lane_proto_moves_max(&a->proto) : 0, &a->map);
	why = lane_proto_plan(&a->proto, &a->map, now);
	/* Once more when the far end is there, and in agreement; else at the next decision. */
	a->want_plan = why == LANE_PROPOSE_NO_PEER || why == LANE_PROPOSE_ASTRAY ||
		       why == LANE_PROPOSE_BUSY;
}

static void look_at_codewords(struct lane_agent *a, u64 now)
{
	struct lane_codewords count;

	if (!a->ops->codewords)
		return;
	if (card_did(a, LANE_OP_CODEWORDS, a->ops->codewords(a->card, &count), now))
		lane_policy_codewords(&a->policy, count.all, count.lost);
}

bool lane_agent_look(struct lane_agent *a, u64 now)
{
	if (!read_table(a, now))
		return false;
	look_at_codewords(a, now);
	a->notes.nr = 0;
	a->notes.lost = 0;
	lane_policy_observe(&a->policy, a->rec, &a->proto.rx.active, &a->notes, now);
	lane_agent_tell_all(a, &a->notes, now);
	return true;
}

/* Events that come thick are collected for longer, so that a storm makes few decisions. */
static void weather(struct lane_agent *a, u64 now)
{
	u64 settle = a->cfg.settings.settle_ns;

	if (!a->news)
		return;
	if (now - a->news_at >= STORM * a->settle_ns)
		a->settle_ns = settle;
	else if (a->settle_ns < STORM_SETTLE_MAX * settle)
		a->settle_ns *= 2;
	a->news = false;
	a->news_at = now;
}

static void decide(struct lane_agent *a, u64 now)
{
	const struct lane_map *active = &a->proto.rx.active;
	u16 room;

	weather(a, now);
	a->decide_at = now + a->cfg.settings.poll_ns;
	if (!lane_agent_look(a, now))
		return;
	a->stats.decisions++;
	lane_agent_start_tests(a, now);

	room = lane_proto_moves_max(&a->proto);
	if (room > a->cfg.policy.knobs.max_moves)
		room = a->cfg.policy.knobs.max_moves;
	a->policy.cfg.knobs.max_moves = room;
	lane_policy_decide(&a->policy, a->rec, active, now, &a->plan);
	if (a->plan.next_at < a->decide_at)
		a->decide_at = a->plan.next_at;
	lane_agent_count(a);
	tell_plan(a, now);
	propose(a, now);
	plan_standby(a, now);
	carry_out(a, now);
	account(a, now);
}

/* A change that is wanted can go out, or a quiet link is due for another look. */
static bool decision_due(const struct lane_agent *a, u64 now)
{
	if (now >= a->decide_at)
		return true;
	return a->want && lane_proto_ready(&a->proto, now) == LANE_PROPOSE_OK;
}

void lane_agent_lanes(struct lane_agent *a, u64 now)
{
	a->news = true;
	if (a->decide_at > now + a->settle_ns)
		a->decide_at = now + a->settle_ns;
}

static void verify(struct lane_agent *a, u64 now)
{
	a->verify_at = now + a->cfg.verify_ns;
	refresh_map(a, PNIC_DIR_RX, now);
	refresh_map(a, PNIC_DIR_TX, now);
}

static u64 next_call(const struct lane_agent *a, u64 now)
{
	u64 at = lane_proto_due(&a->proto);

	if (a->decide_at < at)
		at = a->decide_at;
	if (a->verify_at < at)
		at = a->verify_at;
	if (a->nonsense_until && a->nonsense_until < at)
		at = a->nonsense_until;
	if (a->want && a->proto.rx.hold_until > now && a->proto.rx.hold_until < at)
		at = a->proto.rx.hold_until;
	return at;
}

u64 lane_agent_run(struct lane_agent *a, u64 now)
{
	sync_maps(a, now);
	carry_out(a, now);
	take_messages(a, now);
	if (now >= a->verify_at)
		verify(a, now);
	carry_out(a, now);
	if (now >= lane_proto_due(&a->proto)) {
		lane_proto_tick(&a->proto, now);
		carry_out(a, now);
	}
	account(a, now);
	if (decision_due(a, now))
		decide(a, now);
	if (a->want_plan && lane_proto_ready(&a->proto, now) == LANE_PROPOSE_OK) {
		plan_standby(a, now);
		carry_out(a, now);
	}
	lane_agent_tick_alarms(a, now);
	return next_call(a, now);
}

void lane_agent_apply(struct lane_policy *pol, const struct lane_settings *s, bool can_test)
{
	pol->cfg.knobs = s->knobs;
	pol->manage = s->manage;
	pol->can_test = can_test;
	pol->budget_ns = s->budget_ns;
}

/* What a turn leaves behind; not what is counted and remembered. */
static void begin(struct lane_agent *a, u64 now)
{
	a->link_state = PNIC_LINK_DOWN;
	a->want = false;
	a->want_plan = false;
	a->table_bad = false;
	a->card_bad = false;
	a->astray = false;
	a->stuck = false;
	a->fell = false;
	a->fall_seen = false;
	a->clustered = false;
	a->working = false;
	a->news = false;
	a->news_at = 0;
	a->nonsense_until = 0;
	a->nonsense = 0;
	a->settle_ns = a->cfg.settings.settle_ns;
	a->told_sum = 0;
	a->told_gen = 0;
	a->decide_at = now;
	a->verify_at = now + a->cfg.verify_ns;
	memset(&a->mend, 0, sizeof(a->mend));
	memset(a->loss_clock, 0, sizeof(a->loss_clock));
}

/* The card's maps, and the protocol on top of them. */
static int join(struct lane_agent *a, u32 incarnation, u64 now)
{
	const struct lane_proto_cfg *proto = &a->cfg.proto;

	/* plan.map is free until the first decision. */
	if (!load_map(a, PNIC_DIR_RX, &a->map, now) || lane_map_check(&a->map, &proto->shape))
		return -1;
	if (!load_map(a, PNIC_DIR_TX, &a->plan.map, now) ||
	    lane_map_check(&a->plan.map, &proto->shape))
		return -1;
	lane_proto_init(&a->proto, proto, incarnation, &a->map, &a->plan.map, now);
	return 0;
}

int lane_agent_init(struct lane_agent *a, const struct lane_agent_cfg *cfg,
		    const struct lane_card_ops *ops, void *card, u32 incarnation, u64 now)
{
	a->ops = ops;
	a->card = card;
	a->cfg = *cfg;
	a->cfg.policy.knobs = cfg->settings.knobs;
	a->cfg.proto.shape = cfg->policy.shape;
	memset(&a->stats, 0, sizeof(a->stats));
	a->stats.margin_min = cfg->policy.shape.data;
	a->started_at = now;
	memset(&a->undo, 0, sizeof(a->undo));
	begin(a, now);
	if (!incarnation || !lane_policy_cfg_valid(&a->cfg.policy) ||
	    lane_settings_check(&cfg->settings, NULL) ||
	    !lane_msg_moves_max(a->cfg.proto.msg_max))
		return -1;
	lane_policy_init(&a->policy, &a->cfg.policy);
	lane_agent_apply(&a->policy, &a->cfg.settings, lane_agent_can_test(a, &a->cfg.settings));
	return join(a, incarnation, now);
}
