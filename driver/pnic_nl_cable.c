// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: what is remembered of a cable, by netlink: cable-get, cable-set.
 *
 * All records of a request are looked at before the first one is taken over.
 */
#include <linux/mm.h>

#include "pnic_nl.h"

#define PNIC_NL_CABLE_SIZE	128
#define PNIC_NL_RECORD_SIZE	40

/* ---- get ---- */

static bool record_empty(const struct lane_record *r)
{
	return !r->losses && !r->known_bad && !r->age_hours;
}

static bool record_put(struct sk_buff *skb, u16 lane, const struct lane_record *r)
{
	struct nlattr *nest = nla_nest_start(skb, PNIC_A_CABLE_RECORD);

	if (!nest || nla_put_u32(skb, PNIC_A_RECORD_LANE, lane) ||
	    nla_put_u32(skb, PNIC_A_RECORD_LOSSES, r->losses) ||
	    (r->known_bad && nla_put_flag(skb, PNIC_A_RECORD_KNOWN_BAD)) ||
	    nla_put_u32(skb, PNIC_A_RECORD_AGE_HOURS, r->age_hours))
		return true;
	nla_nest_end(skb, nest);
	return false;
}

static int cable_fill(struct sk_buff *skb, struct pnic_dev *pd, const void *what)
{
	const struct pnic_cable_view *v = what;
	u16 i;

	if (nla_put_u32(skb, PNIC_A_CABLE_DEV_INDEX, pd->minor) ||
	    nla_put_string(skb, PNIC_A_CABLE_CABLE_SERIAL, v->serial) ||
	    nla_put_u32(skb, PNIC_A_CABLE_LANES, v->total))
		return -EMSGSIZE;
	for (i = 0; i < v->total; i++)
		if (!record_empty(&v->lane[i].record) && record_put(skb, i, &v->lane[i].record))
			return -EMSGSIZE;
	return 0;
}

int pnic_nl_cable_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct pnic_cable_view *v = pnic_lanes_cable(pnic_nl_dev(info));
	int err;

	if (IS_ERR(v))
		return PTR_ERR(v);
	err = pnic_nl_reply(info, cable_fill, v,
			    PNIC_NL_CABLE_SIZE + v->total * PNIC_NL_RECORD_SIZE);
	kvfree(v);
	return err;
}

/* ---- set ---- */

static int record_take(struct pnic_cable_view *v, const struct nlattr *nest,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *attrs[PNIC_A_RECORD_AGE_HOURS + 1];
	struct lane_record *r;
	u32 lane;
	int err;

	err = nla_parse_nested(attrs, PNIC_A_RECORD_AGE_HOURS, nest, pnic_record_nl_policy, extack);
	if (err)
		return err;
	if (NL_REQ_ATTR_CHECK(extack, (struct nlattr *)nest, attrs, PNIC_A_RECORD_LANE))
		return -EINVAL;
	lane = nla_get_u32(attrs[PNIC_A_RECORD_LANE]);
	if (lane >= v->total) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[PNIC_A_RECORD_LANE], "no such lane");
		return -EINVAL;
	}
	if (v->lane[lane].given) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[PNIC_A_RECORD_LANE], "a lane has two records");
		return -EINVAL;
	}
	v->lane[lane].given = true;
	r = &v->lane[lane].record;
	memset(r, 0, sizeof(*r));
	if (attrs[PNIC_A_RECORD_LOSSES])
		r->losses = nla_get_u32(attrs[PNIC_A_RECORD_LOSSES]);
	if (attrs[PNIC_A_RECORD_AGE_HOURS])
		r->age_hours = nla_get_u32(attrs[PNIC_A_RECORD_AGE_HOURS]);
	r->known_bad = attrs[PNIC_A_RECORD_KNOWN_BAD];
	return 0;
}

/* Is it this cable that the request is about? */
static int cable_check(const struct pnic_cable_view *v, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;

	if (GENL_REQ_ATTR_CHECK(info, PNIC_A_CABLE_CABLE_SERIAL) ||
	    GENL_REQ_ATTR_CHECK(info, PNIC_A_CABLE_LANES))
		return -EINVAL;
	if (nla_strcmp(attrs[PNIC_A_CABLE_CABLE_SERIAL], v->serial)) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, attrs[PNIC_A_CABLE_CABLE_SERIAL],
					"the cable is %s", v->serial);
		return -ESTALE;
	}
	if (nla_get_u32(attrs[PNIC_A_CABLE_LANES]) != v->total) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, attrs[PNIC_A_CABLE_LANES],
					"the device has %u lanes", v->total);
		return -EINVAL;
	}
	return 0;
}

int pnic_nl_cable_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct pnic_dev *pd = pnic_nl_dev(info);
	struct pnic_cable_view *v = pnic_lanes_cable(pd);
	const struct nlattr *attr;
	int rem, err;

	if (IS_ERR(v))
		return PTR_ERR(v);
	err = cable_check(v, info);
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
		if (!err && nla_type(attr) == PNIC_A_CABLE_RECORD)
			err = record_take(v, attr, info->extack);
	if (!err)
		err = pnic_lanes_remember(pd, v);
	kvfree(v);
	return err;
}
