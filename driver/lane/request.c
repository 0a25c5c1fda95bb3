// SPDX-License-Identifier: GPL-2.0
/*
 * Requests of an administrator: judged by trying them on the policy, and undone if they are
 * refused or were only looked at.
 */
#include "agent.h"

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
	memset(plan, 0, sizeof(*plan));
	lane_map_copy(&plan->map, &a->proto.rx.active);
	plan->margin_now = a->stats.margin;
	plan->margin_then = a->stats.margin;
	plan->next_at = LANE_NEVER;
}

u8 lane_agent_request(struct lane_agent *a, const struct lane_request *req,
		      struct lane_plan *plan, u64 now)
{
	(void)now;
	if (req->lane >= a->cfg.policy.shape.total || req->action >= LANE_REQ_ACTIONS)
		return LANE_REFUSE_LANE;
	no_change(a, plan);
	return LANE_REFUSE_CARD;
}

u8 lane_agent_undo(struct lane_agent *a, bool preview, struct lane_plan *plan, u64 now)
{
	(void)now;
	(void)preview;
	no_change(a, plan);
	return LANE_REFUSE_NOTHING;
}

u8 lane_agent_preview(struct lane_agent *a, const struct lane_settings *s,
		      struct lane_plan *plan, u64 now)
{
	(void)now;
	no_change(a, plan);
	return s && lane_settings_check(s, NULL) ? LANE_REFUSE_STATE : LANE_REFUSE_NONE;
}

void lane_agent_settings(const struct lane_agent *a, struct lane_settings *s)
{
	*s = a->cfg.settings;
}

void lane_agent_set(struct lane_agent *a, const struct lane_settings *s, u64 now)
{
	a->cfg.settings = *s;
	a->policy.cfg.knobs = s->knobs;
	lane_agent_lanes(a, now);
}
