// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: the knobs of the lane manager by netlink: policy-get, policy-set, policy-ntf.
 *
 * A table says where each attribute is in struct lane_settings and in which unit; ranges are the
 * netlink policy's, what knobs must be to each other is lane/settings.h's.
 */
#include "pnic_nl.h"

#define PNIC_NL_POLICY_SIZE	512

/**
 * struct policy_knob - a knob
 * @attr: PNIC_A_POLICY_*
 * @size: bytes of the field; 1 is a u8 in the message as well, the others are u32
 * @unit: what 1 in the message is in the field
 * @offset: of the field in struct lane_settings
 */
struct policy_knob {
	u16 attr;
	u8 size;
	u32 unit;
	u16 offset;
};

#define SIZE(field)	sizeof_field(struct lane_settings, field)
#define AT(field)	offsetof(struct lane_settings, field)

static const struct policy_knob policy_knobs[] = {
	{ PNIC_A_POLICY_MANAGE, SIZE(manage), 1, AT(manage) },
	{ PNIC_A_POLICY_STANDBY, SIZE(standby), 1, AT(standby) },
	{ PNIC_A_POLICY_WATCH_PPB, SIZE(knobs.watch_ppb), 1, AT(knobs.watch_ppb) },
	{ PNIC_A_POLICY_RETIRE_PPB, SIZE(knobs.retire_ppb), 1, AT(knobs.retire_ppb) },
	{ PNIC_A_POLICY_FAIL_PPB, SIZE(knobs.fail_ppb), 1, AT(knobs.fail_ppb) },
	{ PNIC_A_POLICY_MIN_ERRORS, SIZE(knobs.min_errors), 1, AT(knobs.min_errors) },
	{ PNIC_A_POLICY_COMMON_PCT, SIZE(knobs.common_pct), 1, AT(knobs.common_pct) },
	{ PNIC_A_POLICY_COMMON_CDB, SIZE(knobs.common_cdb), 1, AT(knobs.common_cdb) },
	{ PNIC_A_POLICY_CLUSTER_MIN, SIZE(knobs.cluster_min), 1, AT(knobs.cluster_min) },
	{ PNIC_A_POLICY_CLUSTER_MS, SIZE(knobs.cluster_ns), NSEC_PER_MSEC, AT(knobs.cluster_ns) },
	{ PNIC_A_POLICY_MARGIN_FLOOR, SIZE(knobs.margin_floor), 1, AT(knobs.margin_floor) },
	{ PNIC_A_POLICY_HORIZON_S, SIZE(knobs.horizon_ns), NSEC_PER_SEC, AT(knobs.horizon_ns) },
	{ PNIC_A_POLICY_QUARANTINE_MS, SIZE(knobs.quarantine_ns), NSEC_PER_MSEC,
	  AT(knobs.quarantine_ns) },
	{ PNIC_A_POLICY_QUARANTINE_MAX_MS, SIZE(knobs.quarantine_max_ns), NSEC_PER_MSEC,
	  AT(knobs.quarantine_max_ns) },
	{ PNIC_A_POLICY_CALM_MS, SIZE(knobs.calm_ns), NSEC_PER_MSEC, AT(knobs.calm_ns) },
	{ PNIC_A_POLICY_GROW_MS, SIZE(knobs.grow_ns), NSEC_PER_MSEC, AT(knobs.grow_ns) },
	{ PNIC_A_POLICY_BUDGET_MS, SIZE(budget_ns), NSEC_PER_MSEC, AT(budget_ns) },
	{ PNIC_A_POLICY_SETTLE_US, SIZE(settle_ns), NSEC_PER_USEC, AT(settle_ns) },
	{ PNIC_A_POLICY_POLL_MS, SIZE(poll_ns), NSEC_PER_MSEC, AT(poll_ns) },
	{ PNIC_A_POLICY_TEST_MBITS, SIZE(test_mbits), 1, AT(test_mbits) },
};

static u64 knob_get(const struct policy_knob *k, const struct lane_settings *s)
{
	const void *field = (const void *)s + k->offset;

	switch (k->size) {
	case 1:
		return *(const u8 *)field;
	case 2:
		return *(const u16 *)field;
	case 4:
		return *(const u32 *)field;
	}
	return div_u64(*(const u64 *)field, k->unit);
}

static void knob_set(const struct policy_knob *k, struct lane_settings *s,
		     const struct nlattr *attr)
{
	void *field = (void *)s + k->offset;

	switch (k->size) {
	case 1:
		*(u8 *)field = nla_get_u8(attr);
		break;
	case 2:
		*(u16 *)field = nla_get_u32(attr);
		break;
	case 4:
		*(u32 *)field = nla_get_u32(attr);
		break;
	default:
		*(u64 *)field = (u64)nla_get_u32(attr) * k->unit;
	}
}

static int knob_put(struct sk_buff *skb, const struct policy_knob *k, const struct lane_settings *s)
{
	u64 value = knob_get(k, s);

	return k->size == 1 ? nla_put_u8(skb, k->attr, value) : nla_put_u32(skb, k->attr, value);
}

/* ---- what is in force ---- */

static int policy_fill(struct sk_buff *skb, struct pnic_dev *pd, const void *what)
{
	const struct pnic_lanes_settings *s = what;
	size_t i;

	if (nla_put_u32(skb, PNIC_A_POLICY_DEV_INDEX, pd->minor) ||
	    nla_put_u32(skb, PNIC_A_POLICY_REVISION, s->revision))
		return -EMSGSIZE;
	for (i = 0; i < ARRAY_SIZE(policy_knobs); i++)
		if (knob_put(skb, &policy_knobs[i], &s->settings))
			return -EMSGSIZE;
	return 0;
}

static int policy_make(struct pnic_dev *pd, void *what)
{
	return pnic_lanes_settings(pd, what);
}

int pnic_nl_policy_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct pnic_lanes_settings s;
	int err = policy_make(pnic_nl_dev(info), &s);

	return err ?: pnic_nl_reply(info, policy_fill, &s, PNIC_NL_POLICY_SIZE);
}

int pnic_nl_policy_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return pnic_nl_dump_devs(skb, cb, PNIC_NL_LANES, policy_make, policy_fill,
				 sizeof(struct pnic_lanes_settings));
}

void pnic_nl_policy_ntf(struct pnic_dev *pd)
{
	struct pnic_lanes_settings s;

	if (!pnic_lanes_settings(pd, &s))
		pnic_nl_notify(pd, PNIC_CMD_POLICY_NTF, PNIC_NLGRP_LINK, policy_fill, &s,
			       PNIC_NL_POLICY_SIZE);
}

/* ---- other knobs ---- */

/* The attribute of the knob that is to blame, or of one that was given with it. */
static const struct nlattr *policy_blame(struct nlattr **attrs, enum lane_knob which)
{
	const struct nlattr *given = NULL;
	size_t i;

	BUILD_BUG_ON((int)LANE_KNOB_TEST_MBITS - (int)LANE_KNOB_MANAGE !=
		     (int)PNIC_A_POLICY_TEST_MBITS - (int)PNIC_A_POLICY_MANAGE);

	if (which && attrs[which - LANE_KNOB_MANAGE + PNIC_A_POLICY_MANAGE])
		return attrs[which - LANE_KNOB_MANAGE + PNIC_A_POLICY_MANAGE];
	for (i = 0; i < ARRAY_SIZE(policy_knobs) && !given; i++)
		given = attrs[policy_knobs[i].attr];
	return given;
}

int pnic_nl_policy_take(struct nlattr **attrs, struct lane_settings *s,
			struct netlink_ext_ack *extack)
{
	enum lane_knob which = LANE_KNOB_NONE;
	const char *wrong;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(policy_knobs); i++)
		if (attrs[policy_knobs[i].attr])
			knob_set(&policy_knobs[i], s, attrs[policy_knobs[i].attr]);
	wrong = lane_settings_check(s, &which);
	if (!wrong)
		return 0;
	NL_SET_BAD_ATTR(extack, policy_blame(attrs, which));
	pnic_nl_say(extack, wrong);
	return -EINVAL;
}

static int policy_edit(struct pnic_lanes_settings *s, void *arg)
{
	struct genl_info *info = arg;
	struct nlattr *revision = info->attrs[PNIC_A_POLICY_REVISION];

	if (revision && nla_get_u32(revision) != s->revision) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, revision,
					"somebody changed the policy: its revision is %u",
					s->revision);
		return -EBUSY;
	}
	if (info->attrs[PNIC_A_POLICY_RESET])
		lane_settings_default(&s->settings);
	return pnic_nl_policy_take(info->attrs, &s->settings, info->extack);
}

static bool policy_asks(struct nlattr **attrs)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(policy_knobs); i++)
		if (attrs[policy_knobs[i].attr])
			return true;
	return attrs[PNIC_A_POLICY_RESET];
}

int pnic_nl_policy_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct pnic_dev *pd = pnic_nl_dev(info);
	struct pnic_lanes_settings s;
	struct sk_buff *msg;
	int err;

	if (!policy_asks(info->attrs)) {
		NL_SET_ERR_MSG(info->extack, "no knob is given");
		return -EINVAL;
	}
	msg = genlmsg_new(PNIC_NL_POLICY_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	err = pnic_lanes_change(pd, policy_edit, info, &s);
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	pnic_nl_policy_ntf(pd);
	/* It is done. A socket without room for the answer says so itself: ENOBUFS. */
	pnic_nl_answer(info, msg, policy_fill, &s);
	return 0;
}
