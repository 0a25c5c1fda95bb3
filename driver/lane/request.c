// SPDX-License-Identifier: GPL-2.0
/*
 * Requests of an administrator: judged by trying them on the policy, and undone if they are
 * refused or were only looked at.
 */
#include "agent_priv.h"

const char *lane_refuse_text(u8 refuse)
{
	static const char * const names[LANE_REFUSES] = {
		[LANE_REFUSE_NONE]		= "nothing speaks against it",
		[LANE_REFUSE_LANE]		= "no such lane or action",
		[LANE_REFUSE_STATE]		= "the lane's state does not allow it",
		[LANE_REFUSE_MARGIN]		= "the margin would go down",
		[LANE_REFUSE_WIDTH]		= "the width would go down",
		[LANE_REFUSE_LAST]		= "no lane that works would be left",
		[LANE_REFUSE_GENERATION]	= "the map is of another generation by now",
		[LANE_REFUSE_LINK_DOWN]		= "the link is down",
		[LANE_REFUSE_PEER]		= "the far end is unknown or does not agree",
		[LANE_REFUSE_BUSY]		= "a change is under way that has no way back",
		[LANE_REFUSE_CARD]		= "the card can not do it",
		[LANE_REFUSE_NOTHING]		= "there is nothing to do",
	};

	return refuse < LANE_REFUSES ? names[refuse] : "?";
}

static void no_change(struct lane_agent *a, struct lane_plan *plan)
{
	memset(plan, 0, offsetof(struct lane_plan, map));
	lane_map_copy(&plan->map, &a->proto.rx.active);
	plan->map.generation = 0;
	plan->margin_now = a->stats.margin;
	plan->margin_then = a->stats.margin;
	plan->next_at = LANE_NEVER;
	plan->notes.nr = 0;
	plan->notes.lost = 0;
}

/* What the policy would do; @a->trial is it, with whatever was tried on it. */
static void try(struct lane_agent *a, struct lane_plan *plan, u64 now)
{
	lane_policy_decide(&a->trial, a->rec, &a->proto.rx.active, now, plan);
}

static bool has_lane(const struct lane_map *map, u16 lane)
{
	u16 l;

	for (l = 0; l < map->width; l++)
		if (map->phys[l] == lane)
			return true;
	return false;
}

/* Is there a lane of @map that works, beside @lane? */
static bool others_work(const struct lane_agent *a, const struct lane_map *map, u16 lane)
{
	u16 l;

	for (l = 0; l < map->width; l++)
		if (map->phys[l] != lane && !lane_rec_dark(&a->rec[map->phys[l]]))
			return true;
	return false;
}

/* Can the map be changed now? */
static u8 may_change(const struct lane_agent *a, u64 now)
{
	if (a->link_state != PNIC_LINK_UP)
		return LANE_REFUSE_LINK_DOWN;
	/* It was known once, but there is nobody to agree with. */
	if (a->proto.peer.silent)
		return LANE_REFUSE_PEER;
	switch (lane_proto_ready(&a->proto, now)) {
	case LANE_PROPOSE_NO_PEER:
	case LANE_PROPOSE_ASTRAY:
		return LANE_REFUSE_PEER;
	case LANE_PROPOSE_BUSY:
		return LANE_REFUSE_BUSY;
	}
	return LANE_REFUSE_NONE;
}

static bool takes_out(u8 action)
{
	return action == LANE_REQ_DISABLE || action == LANE_REQ_RETIRE;
}

/* Tries it, and compares with what would be without it. */
static u8 judge(struct lane_agent *a, u16 lane, u8 action, bool force, struct lane_plan *plan,
		u64 now)
{
	const struct lane_map *active = &a->proto.rx.active;
	s16 margin;
	u16 width;

	a->trial = a->policy;
	try(a, &a->plan, now);
	margin = a->plan.margin_then;
	width = a->plan.map.width;

	a->trial = a->policy;
	a->notes.nr = 0;
	a->notes.lost = 0;
	lane_policy_act(&a->trial, lane, action, true, &a->notes, now);
	try(a, plan, now);
	if (!takes_out(action) || !has_lane(active, lane))
		return LANE_REFUSE_NONE;
	if (has_lane(&plan->map, lane) || !others_work(a, &plan->map, lane))
		return others_work(a, active, lane) ? LANE_REFUSE_BUSY : LANE_REFUSE_LAST;
	if (force)
		return LANE_REFUSE_NONE;
	if (plan->map.width < width)
		return LANE_REFUSE_WIDTH;
	return plan->margin_then < margin ? LANE_REFUSE_MARGIN : LANE_REFUSE_NONE;
}

static u8 consider(struct lane_agent *a, u16 lane, u8 action, bool force, struct lane_plan *plan,
		   u64 now)
{
	u8 why;

	if (!lane_agent_look(a, now))
		return LANE_REFUSE_CARD;
	no_change(a, plan);
	why = lane_policy_may(&a->policy, &a->rec[lane], lane, action);
	if (why)
		return why;
	if (takes_out(action) && has_lane(&a->proto.rx.active, lane))
		why = may_change(a, now);
	return why ? why : judge(a, lane, action, force, plan, now);
}

static void tell_admin(struct lane_agent *a, u8 code, u16 lane, u32 action, u32 force, u64 now)
{
	struct lane_note note = {
		.at = now,
		.code = code,
		.actor = LANE_ACTOR_ADMIN,
		.lane = lane,
		.a = action,
		.b = force,
	};

	lane_agent_tell(a, &note);
}

/* Has it carried out at the next turn. */
static void act(struct lane_agent *a, u16 lane, u8 action, bool force, u64 now)
{
	if (a->policy.track[lane].state == LANE_TESTING)
		lane_agent_stop_test(a, lane);
	a->notes.nr = 0;
	a->notes.lost = 0;
	lane_policy_act(&a->policy, lane, action, force, &a->notes, now);
	lane_agent_tell_all(a, &a->notes, now);
	a->decide_at = now;
}

u8 lane_agent_request(struct lane_agent *a, const struct lane_request *req,
		      struct lane_plan *plan, u64 now)
{
	u8 why;

	if (req->lane >= a->cfg.policy.shape.total || req->action >= LANE_REQ_ACTIONS)
		return LANE_REFUSE_LANE;
	no_change(a, plan);
	if (req->expect_generation && req->expect_generation != a->proto.rx.active.generation)
		return LANE_REFUSE_GENERATION;
	why = consider(a, req->lane, req->action, req->force, plan, now);
	if (why || req->preview)
		return why;
	tell_admin(a, LANE_NOTE_ASKED, req->lane, req->action, req->force, now);
	act(a, req->lane, req->action, req->force, now);
	a->undo.what = LANE_UNDO_LANE;
	a->undo.lane = req->lane;
	a->undo.action = req->action;
	return LANE_REFUSE_NONE;
}

/* ---- settings ---- */

/* Was anything read of the lanes, and is it any good? */
static bool has_seen(const struct lane_agent *a)
{
	return a->policy.track[0].state && !a->table_bad && !a->card_bad;
}

/* Anybody may ask for it: neither is the card asked anything, nor does the agent take notice. */
u8 lane_agent_preview(struct lane_agent *a, const struct lane_settings *s,
		      struct lane_plan *plan, u64 now)
{
	no_change(a, plan);
	if (s && lane_settings_check(s, NULL))
		return LANE_REFUSE_STATE;
	if (!has_seen(a))
		return LANE_REFUSE_CARD;
	a->trial = a->policy;
	if (s)
		lane_agent_apply(&a->trial, s, lane_agent_can_test(a, s));
	a->notes.nr = 0;
	a->notes.lost = 0;
	lane_policy_observe(&a->trial, a->rec, &a->proto.rx.active, &a->notes, now);
	try(a, plan, now);
	return LANE_REFUSE_NONE;
}

void lane_agent_settings(const struct lane_agent *a, struct lane_settings *s)
{
	*s = a->cfg.settings;
}

static void put_in_force(struct lane_agent *a, const struct lane_settings *s, u64 now)
{
	a->cfg.settings = *s;
	a->cfg.policy.knobs = s->knobs;
	lane_agent_apply(&a->policy, s, lane_agent_can_test(a, s));
	a->settle_ns = s->settle_ns;
	a->decide_at = now;
}

void lane_agent_set(struct lane_agent *a, const struct lane_settings *s, u64 now)
{
	a->undo.what = LANE_UNDO_SETTINGS;
	a->undo.settings = a->cfg.settings;
	put_in_force(a, s, now);
	tell_admin(a, LANE_NOTE_SETTINGS, LANE_NONE, 0, 0, now);
}

/* ---- undo ---- */

static u8 undo_settings(struct lane_agent *a, bool preview, struct lane_plan *plan, u64 now)
{
	struct lane_settings s = a->undo.settings;
	u8 why;

	if (!lane_agent_look(a, now))
		return LANE_REFUSE_CARD;
	why = lane_agent_preview(a, &s, plan, now);
	if (why || preview)
		return why;
	put_in_force(a, &s, now);
	a->undo.what = LANE_UNDO_NONE;
	tell_admin(a, LANE_NOTE_UNDONE, LANE_NONE, 0, 0, now);
	return LANE_REFUSE_NONE;
}

/* To disable what was enabled may do harm; the rest gives something back. */
static u8 consider_undo(struct lane_agent *a, struct lane_plan *plan, u64 now)
{
	if (a->undo.action == LANE_REQ_ENABLE)
		return consider(a, a->undo.lane, LANE_REQ_DISABLE, false, plan, now);
	if (!lane_agent_look(a, now))
		return LANE_REFUSE_CARD;
	a->trial = a->policy;
	a->notes.nr = 0;
	a->notes.lost = 0;
	lane_policy_undo(&a->trial, a->undo.lane, a->undo.action, &a->notes, now);
	try(a, plan, now);
	return LANE_REFUSE_NONE;
}

static u8 undo_lane(struct lane_agent *a, bool preview, struct lane_plan *plan, u64 now)
{
	u8 why = consider_undo(a, plan, now);

	if (why || preview)
		return why;
	if (a->undo.action == LANE_REQ_TEST)
		lane_agent_stop_test(a, a->undo.lane);
	tell_admin(a, LANE_NOTE_UNDONE, a->undo.lane, a->undo.action, 0, now);
	a->notes.nr = 0;
	a->notes.lost = 0;
	lane_policy_undo(&a->policy, a->undo.lane, a->undo.action, &a->notes, now);
	lane_agent_tell_all(a, &a->notes, now);
	a->undo.what = LANE_UNDO_NONE;
	a->decide_at = now;
	return LANE_REFUSE_NONE;
}

u8 lane_agent_undo(struct lane_agent *a, bool preview, struct lane_plan *plan, u64 now)
{
	no_change(a, plan);
	switch (a->undo.what) {
	case LANE_UNDO_LANE:
		return undo_lane(a, preview, plan, now);
	case LANE_UNDO_SETTINGS:
		return undo_settings(a, preview, plan, now);
	}
	return LANE_REFUSE_NOTHING;
}
