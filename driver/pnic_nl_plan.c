// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: changes of lanes by netlink, and a look at them before: plan-get, lane-set, undo.
 *
 * All three answer with a plan, so that what is shown before is what is said after.
 */
#include <linux/mm.h>

#include "pnic_nl.h"

/* Numbers and a reason; then each move and each note. */
#define PNIC_NL_PLAN_SIZE	512
#define PNIC_NL_MOVE_SIZE	32
#define PNIC_NL_NOTE_SIZE	(LANE_NOTE_TEXT_MAX + 8)

/* ---- the answer ---- */

static u16 lane_of(const struct lane_map *map, u16 logical)
{
	return logical < map->width ? map->phys[logical] : LANE_NONE;
}

static bool plan_moves(const struct pnic_plan_view *v, u16 logical)
{
	return v->plan.change && lane_of(&v->active, logical) != lane_of(&v->plan.map, logical);
}

static u16 plan_width(const struct pnic_plan_view *v)
{
	return v->plan.change ? v->plan.map.width : v->active.width;
}

static bool plan_put_move(struct sk_buff *skb, const struct pnic_plan_view *v, u16 logical)
{
	u16 from = lane_of(&v->active, logical), to = lane_of(&v->plan.map, logical);
	struct nlattr *nest = nla_nest_start(skb, PNIC_A_PLAN_MOVE);

	if (!nest || nla_put_u32(skb, PNIC_A_MOVE_LOGICAL, logical) ||
	    (from != LANE_NONE && nla_put_u32(skb, PNIC_A_MOVE_FROM, from)) ||
	    (to != LANE_NONE && nla_put_u32(skb, PNIC_A_MOVE_TO, to)))
		return true;
	nla_nest_end(skb, nest);
	return false;
}

static bool plan_put_notes(struct sk_buff *skb, const struct lane_notes *notes)
{
	char text[LANE_NOTE_TEXT_MAX];
	u16 i;

	for (i = 0; i < notes->nr; i++) {
		lane_note_text(&notes->note[i], text, sizeof(text));
		if (nla_put_string(skb, PNIC_A_PLAN_NOTE, text))
			return true;
	}
	return false;
}

static bool plan_put_numbers(struct sk_buff *skb, struct pnic_dev *pd,
			     const struct pnic_plan_view *v)
{
	u64 kbps = pd->caps.payload_kbps;

	return nla_put_u32(skb, PNIC_A_PLAN_DEV_INDEX, pd->minor) ||
	       (v->preview && nla_put_flag(skb, PNIC_A_PLAN_PREVIEW)) ||
	       (v->refuse && nla_put_string(skb, PNIC_A_PLAN_REFUSED,
					    lane_refuse_text(v->refuse))) ||
	       nla_put_u32(skb, PNIC_A_PLAN_GENERATION, v->active.generation) ||
	       nla_put_s32(skb, PNIC_A_PLAN_MARGIN_NOW, v->plan.margin_now) ||
	       nla_put_s32(skb, PNIC_A_PLAN_MARGIN_THEN, v->plan.margin_then) ||
	       nla_put_u32(skb, PNIC_A_PLAN_WIDTH_NOW, v->active.width) ||
	       nla_put_u32(skb, PNIC_A_PLAN_WIDTH_THEN, plan_width(v)) ||
	       nla_put_u32(skb, PNIC_A_PLAN_RATE_NOW_MBPS, div_u64(kbps * v->active.width, 1000)) ||
	       nla_put_u32(skb, PNIC_A_PLAN_RATE_THEN_MBPS, div_u64(kbps * plan_width(v), 1000));
}

static int plan_fill(struct sk_buff *skb, struct pnic_dev *pd, const void *what)
{
	const struct pnic_plan_view *v = what;
	u16 l;

	if (plan_put_numbers(skb, pd, v))
		return -EMSGSIZE;
	for (l = 0; l < max(v->active.width, v->plan.map.width); l++)
		if (plan_moves(v, l) && plan_put_move(skb, v, l))
			return -EMSGSIZE;
	return plan_put_notes(skb, &v->plan.notes) ? -EMSGSIZE : 0;
}

/* The longest that there can be: it is made before the plan is. */
static size_t plan_size(const struct pnic_dev *pd)
{
	return PNIC_NL_PLAN_SIZE + LANE_NOTES_MAX * PNIC_NL_NOTE_SIZE +
	       pd->caps.lanes_data * PNIC_NL_MOVE_SIZE;
}

/* ---- refusals ---- */

/**
 * struct plan_refusal - how a refusal is told
 * @err: as an error
 * @attr: PNIC_A_PLAN_* that is to blame, 0: none
 */
struct plan_refusal {
	int err;
	u16 attr;
};

static const struct plan_refusal plan_refusals[LANE_REFUSES] = {
	[LANE_REFUSE_LANE]		= { -EINVAL, PNIC_A_PLAN_LANE },
	[LANE_REFUSE_STATE]		= { -EINVAL, PNIC_A_PLAN_ACTION },
	[LANE_REFUSE_MARGIN]		= { -EPERM, PNIC_A_PLAN_LANE },
	[LANE_REFUSE_WIDTH]		= { -EPERM, PNIC_A_PLAN_LANE },
	[LANE_REFUSE_LAST]		= { -EPERM, PNIC_A_PLAN_LANE },
	[LANE_REFUSE_GENERATION]	= { -EBUSY, PNIC_A_PLAN_EXPECT_GENERATION },
	[LANE_REFUSE_LINK_DOWN]		= { -ENETDOWN, 0 },
	[LANE_REFUSE_PEER]		= { -ENOTCONN, 0 },
	[LANE_REFUSE_BUSY]		= { -EBUSY, 0 },
	[LANE_REFUSE_CARD]		= { -EOPNOTSUPP, 0 },
	[LANE_REFUSE_NOTHING]		= { -ENOENT, 0 },
};

/* In a preview a refusal is an answer; what makes no sense at all is an error there too. */
static int plan_refuse(struct genl_info *info, const struct pnic_plan_view *v)
{
	const struct plan_refusal *r = &plan_refusals[v->refuse];
	/* Others have fewer attributes, and no room in info->attrs for these. */
	bool named = info->genlhdr->cmd == PNIC_CMD_LANE_SET;

	if (!v->refuse || (v->preview && v->refuse != LANE_REFUSE_LANE))
		return 0;
	if (r->attr && named)
		NL_SET_BAD_ATTR(info->extack, info->attrs[r->attr]);
	pnic_nl_say(info->extack, lane_refuse_text(v->refuse));
	return r->err;
}

/* ---- requests ---- */

static int plan_get(struct genl_info *info, struct pnic_plan_view *v)
{
	struct nlattr *nest = info->attrs[PNIC_A_PLAN_POLICY];
	struct nlattr *knobs[PNIC_A_POLICY_TEST_MBITS + 1];
	struct pnic_dev *pd = pnic_nl_dev(info);
	struct pnic_lanes_settings s;
	int err;

	if (!nest)
		return pnic_lanes_preview(pd, NULL, v);
	err = nla_parse_nested(knobs, PNIC_A_POLICY_TEST_MBITS, nest, pnic_knobs_nl_policy,
			       info->extack);
	if (!err)
		err = pnic_lanes_settings(pd, &s);
	if (!err)
		err = pnic_nl_policy_take(knobs, &s.settings, info->extack);
	return err ?: pnic_lanes_preview(pd, &s.settings, v);
}

static int plan_lane_set(struct genl_info *info, struct pnic_plan_view *v)
{
	struct lane_request req = {
		.preview = info->attrs[PNIC_A_PLAN_PREVIEW],
		.force = info->attrs[PNIC_A_PLAN_FORCE],
	};
	struct pnic_dev *pd = pnic_nl_dev(info);
	u32 lane;

	BUILD_BUG_ON((int)PNIC_LANE_ACTION_DISABLE != (int)LANE_REQ_DISABLE);
	BUILD_BUG_ON((int)PNIC_LANE_ACTION_ENABLE != (int)LANE_REQ_ENABLE);
	BUILD_BUG_ON((int)PNIC_LANE_ACTION_RETIRE != (int)LANE_REQ_RETIRE);
	BUILD_BUG_ON((int)PNIC_LANE_ACTION_TEST != (int)LANE_REQ_TEST);

	if (GENL_REQ_ATTR_CHECK(info, PNIC_A_PLAN_LANE) ||
	    GENL_REQ_ATTR_CHECK(info, PNIC_A_PLAN_ACTION))
		return -EINVAL;
	lane = nla_get_u32(info->attrs[PNIC_A_PLAN_LANE]);
	if (lane >= pd->caps.lanes_data + pd->caps.lanes_spare) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[PNIC_A_PLAN_LANE], "no such lane");
		return -EINVAL;
	}
	req.lane = lane;
	req.action = nla_get_u32(info->attrs[PNIC_A_PLAN_ACTION]);
	if (info->attrs[PNIC_A_PLAN_EXPECT_GENERATION])
		req.expect_generation = nla_get_u32(info->attrs[PNIC_A_PLAN_EXPECT_GENERATION]);
	return pnic_lanes_request(pd, &req, v);
}

static int plan_undo(struct genl_info *info, struct pnic_plan_view *v)
{
	return pnic_lanes_undo(pnic_nl_dev(info), info->attrs[PNIC_A_PLAN_PREVIEW], v);
}

static int plan_doit(struct genl_info *info,
		     int (*request)(struct genl_info *info, struct pnic_plan_view *v))
{
	struct pnic_plan_view *v = kvzalloc(sizeof(*v), GFP_KERNEL);
	struct pnic_dev *pd = pnic_nl_dev(info);
	struct sk_buff *msg = genlmsg_new(plan_size(pd), GFP_KERNEL);
	int err = v && msg ? request(info, v) : -ENOMEM;

	if (!err)
		err = plan_refuse(info, v);
	if (err) {
		nlmsg_free(msg);
		goto free;
	}
	if (v->policy)
		pnic_nl_policy_ntf(pd);
	err = pnic_nl_answer(info, msg, plan_fill, v);
	/* What is done is done. A socket without room for the answer says so itself: ENOBUFS. */
	if (!v->preview)
		err = 0;
free:
	kvfree(v);
	return err;
}

int pnic_nl_plan_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return plan_doit(info, plan_get);
}

int pnic_nl_lane_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	return plan_doit(info, plan_lane_set);
}

int pnic_nl_undo_doit(struct sk_buff *skb, struct genl_info *info)
{
	return plan_doit(info, plan_undo);
}
