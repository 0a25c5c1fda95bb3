// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: the link by netlink: link-get, link-set, link-ntf.
 */
#include "pnic_nl.h"

#define PNIC_NL_LINK_SIZE	2048

static bool link_put_dir(struct sk_buff *skb, int attr, const struct pnic_dir_view *v, bool peer)
{
	struct nlattr *nest = nla_nest_start(skb, attr);

	if (!nest ||
	    nla_put_u32(skb, PNIC_A_LINK_DIR_WIDTH, v->width) ||
	    nla_put_u32(skb, PNIC_A_LINK_DIR_RATE_MBPS, v->rate_mbps) ||
	    nla_put_u32(skb, PNIC_A_LINK_DIR_GENERATION, v->generation) ||
	    (v->staged && nla_put_u32(skb, PNIC_A_LINK_DIR_STAGED, v->staged)) ||
	    (v->checksum && nla_put_u32(skb, PNIC_A_LINK_DIR_CHECKSUM, v->checksum)) ||
	    (peer && nla_put_u32(skb, PNIC_A_LINK_DIR_PEER_GENERATION, v->peer_generation)) ||
	    (peer && nla_put_u32(skb, PNIC_A_LINK_DIR_PEER_CHECKSUM, v->peer_checksum)) ||
	    (v->agreed && nla_put_flag(skb, PNIC_A_LINK_DIR_AGREED)) ||
	    nla_put_string(skb, PNIC_A_LINK_DIR_PROTO_STATE, v->proto))
		return true;
	nla_nest_end(skb, nest);
	return false;
}

static bool link_put_state(struct sk_buff *skb, struct pnic_dev *pd,
			   const struct pnic_link_view *v)
{
	BUILD_BUG_ON((int)PNIC_LINK_STATUS_DOWN != (int)PNIC_LINK_DOWN);
	BUILD_BUG_ON((int)PNIC_LINK_STATUS_UP != (int)PNIC_LINK_UP);
	BUILD_BUG_ON((int)PNIC_LINK_STATUS_DISABLED != (int)PNIC_LINK_DISABLED);

	return nla_put_u32(skb, PNIC_A_LINK_DEV_INDEX, pd->minor) ||
	       nla_put_u32(skb, PNIC_A_LINK_STATUS, v->state) ||
	       nla_put_u8(skb, PNIC_A_LINK_ADMIN_UP, v->admin_up) ||
	       nla_put_u32(skb, PNIC_A_LINK_WIDTH_MAX, v->width_max) ||
	       link_put_dir(skb, PNIC_A_LINK_RX, &v->dir[PNIC_DIR_RX], v->peer_known) ||
	       link_put_dir(skb, PNIC_A_LINK_TX, &v->dir[PNIC_DIR_TX], v->peer_known) ||
	       nla_put_s32(skb, PNIC_A_LINK_MARGIN, v->margin) ||
	       nla_put_s32(skb, PNIC_A_LINK_MARGIN_ERASURE, v->margin_erasure) ||
	       nla_put_s32(skb, PNIC_A_LINK_MARGIN_MIN, v->margin_min) ||
	       nla_put_s32(skb, PNIC_A_LINK_MARGIN_MIN_WINDOW, v->margin_window);
}

static bool link_put_lanes(struct sk_buff *skb, const u16 *lanes)
{
	return nla_put_u32(skb, PNIC_A_LINK_SPARES, lanes[LANE_SPARE]) ||
	       nla_put_u32(skb, PNIC_A_LINK_ACTIVE, lanes[LANE_ACTIVE]) ||
	       nla_put_u32(skb, PNIC_A_LINK_WATCH, lanes[LANE_WATCH]) ||
	       nla_put_u32(skb, PNIC_A_LINK_RETIRING, lanes[LANE_RETIRING]) ||
	       nla_put_u32(skb, PNIC_A_LINK_FAILED, lanes[LANE_FAILED]) ||
	       nla_put_u32(skb, PNIC_A_LINK_QUARANTINED, lanes[LANE_QUARANTINED]) ||
	       nla_put_u32(skb, PNIC_A_LINK_TESTING, lanes[LANE_TESTING]) ||
	       nla_put_u32(skb, PNIC_A_LINK_DISABLED, lanes[LANE_DISABLED]);
}

static bool link_put_rest(struct sk_buff *skb, const struct pnic_link_view *v)
{
	return nla_put_u32(skb, PNIC_A_LINK_ALARMS, v->alarms) ||
	       (v->peer_known && nla_put_flag(skb, PNIC_A_LINK_PEER_KNOWN)) ||
	       (v->peer_known &&
		nla_put_u32(skb, PNIC_A_LINK_PEER_INCARNATION, v->peer_incarnation)) ||
	       nla_put_uint(skb, PNIC_A_LINK_REMAPS, v->remaps) ||
	       nla_put_uint(skb, PNIC_A_LINK_STANDBY_REMAPS, v->standby_remaps) ||
	       nla_put_uint(skb, PNIC_A_LINK_DOWNS, v->downs) ||
	       nla_put_uint(skb, PNIC_A_LINK_HISTORY_SEQ, v->history);
}

static bool link_put_forecast(struct sk_buff *skb, const struct lane_forecast *f)
{
	struct nlattr *nest = nla_nest_start(skb, PNIC_A_LINK_FORECAST);

	if (!nest ||
	    nla_put_u32(skb, PNIC_A_FORECAST_SPARES, f->spares) ||
	    nla_put_u32(skb, PNIC_A_FORECAST_LOST, f->lost) ||
	    nla_put_uint(skb, PNIC_A_FORECAST_OBSERVED_S, f->observed_s) ||
	    (f->life_s != LANE_NEVER && nla_put_uint(skb, PNIC_A_FORECAST_LIFE_S, f->life_s)) ||
	    nla_put_uint(skb, PNIC_A_FORECAST_LIFE_LOW_S, f->life_low_s) ||
	    (f->life_high_s != LANE_NEVER &&
	     nla_put_uint(skb, PNIC_A_FORECAST_LIFE_HIGH_S, f->life_high_s)))
		return true;
	nla_nest_end(skb, nest);
	return false;
}

static bool link_put_latency(struct sk_buff *skb, const u64 *latency)
{
	struct nlattr *nest;
	int i;

	for (i = 0; i < LANE_LATENCY_BUCKETS; i++) {
		nest = nla_nest_start(skb, PNIC_A_LINK_REMAP_LATENCY);
		if (!nest ||
		    (i < LANE_LATENCY_BUCKETS - 1 &&
		     nla_put_uint(skb, PNIC_A_BUCKET_UPTO_NS, (u64)LANE_LATENCY_FIRST_NS << i)) ||
		    nla_put_uint(skb, PNIC_A_BUCKET_COUNT, latency[i]))
			return true;
		nla_nest_end(skb, nest);
	}
	return false;
}

static int link_fill(struct sk_buff *skb, struct pnic_dev *pd, const void *what)
{
	const struct pnic_link_view *v = what;

	if (link_put_state(skb, pd, v) || link_put_lanes(skb, v->lanes) || link_put_rest(skb, v) ||
	    link_put_forecast(skb, &v->forecast) || link_put_latency(skb, v->latency))
		return -EMSGSIZE;
	return 0;
}

int pnic_nl_link_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *take = info->attrs[PNIC_A_LINK_TAKE_MARGIN_MIN];
	struct pnic_link_view *view;
	struct sk_buff *msg;
	int err;

	if (take && !netlink_capable(skb, CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG_ATTR(info->extack, take, "only an administrator begins it anew");
		return -EPERM;
	}
	view = kmalloc(sizeof(*view), GFP_KERNEL);
	msg = genlmsg_new(PNIC_NL_LINK_SIZE, GFP_KERNEL);
	err = view && msg ? pnic_lanes_link_view(pnic_nl_dev(info), take, view) : -ENOMEM;
	if (err)
		nlmsg_free(msg);
	else
		err = pnic_nl_answer(info, msg, link_fill, view);
	kfree(view);
	return err;
}

static int link_make(struct pnic_dev *pd, void *what)
{
	return pnic_lanes_link_view(pd, false, what);
}

int pnic_nl_link_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return pnic_nl_dump_devs(skb, cb, PNIC_NL_LINK, link_make, link_fill,
				 sizeof(struct pnic_link_view));
}

int pnic_nl_link_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err;

	if (GENL_REQ_ATTR_CHECK(info, PNIC_A_LINK_ADMIN_UP))
		return -EINVAL;
	err = pnic_lanes_link_set(pnic_nl_dev(info), nla_get_u8(info->attrs[PNIC_A_LINK_ADMIN_UP]));
	if (err)
		NL_SET_ERR_MSG(info->extack, "the card did not do it");
	return err;
}

void pnic_nl_link_ntf(struct pnic_dev *pd, const struct pnic_link_view *view)
{
	pnic_nl_notify(pd, PNIC_CMD_LINK_NTF, PNIC_NLGRP_LINK, link_fill, view, PNIC_NL_LINK_SIZE);
}
