// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: lanes by netlink: lane-get, lane-ntf.
 *
 * A dump takes one snapshot of a device's lane table when it comes to the device, and tells
 * from that; with several devices one after the other.
 */
#include <linux/mm.h>

#include "pnic_nl.h"

#define PNIC_NL_LANE_SIZE	512
/* Numbers of a lane event, and each change with its four. */
#define PNIC_NL_EVENT_SIZE	(128 + PNIC_NL_CHANGES * 40)

static bool lane_abnormal(const struct pnic_lane_view *v)
{
	return v->status != LANE_SPARE && v->status != LANE_ACTIVE;
}

/* ---- one lane ---- */

/**
 * struct lane_item - a lane to be put into a message
 * @view: all lanes
 * @lane: which
 */
struct lane_item {
	const struct pnic_lanes_view *view;
	u16 lane;
};

static bool lane_put_place(struct sk_buff *skb, const struct lane_item *item)
{
	const struct pnic_lane_view *v = &item->view->lane[item->lane];

	return nla_put_u32(skb, PNIC_A_LANE_DEV_INDEX, item->view->dev) ||
	       nla_put_u32(skb, PNIC_A_LANE_INDEX, item->lane) ||
	       nla_put_u32(skb, PNIC_A_LANE_DIRECTION, item->view->dir) ||
	       (v->logical != LANE_NONE && nla_put_u32(skb, PNIC_A_LANE_LOGICAL, v->logical)) ||
	       nla_put_u32(skb, PNIC_A_LANE_X, v->rec.x) ||
	       nla_put_u32(skb, PNIC_A_LANE_Y, v->rec.y) ||
	       nla_put_u32(skb, PNIC_A_LANE_STATUS, v->status) ||
	       nla_put_u32(skb, PNIC_A_LANE_GENERATION, v->rec.generation) ||
	       nla_put_u32(skb, PNIC_A_LANE_AGE_HOURS, v->rec.age_hours);
}

/* What only the receiver sees. */
static bool lane_put_light(struct sk_buff *skb, const struct pnic_lane_view *v)
{
	return (v->rec.flags & PNIC_LANEF_ERASED && nla_put_flag(skb, PNIC_A_LANE_ERASED)) ||
	       nla_put_s32(skb, PNIC_A_LANE_POWER_CDB, v->rec.power_cdb) ||
	       nla_put_u32(skb, PNIC_A_LANE_BIAS_UA, v->rec.bias_ua10 * 10) ||
	       nla_put_u32(skb, PNIC_A_LANE_ERROR_PPB, v->ppb) ||
	       nla_put_u32(skb, PNIC_A_LANE_ERROR_PPB_LOW, v->ppb_low) ||
	       nla_put_u32(skb, PNIC_A_LANE_ERROR_PPB_HIGH, v->ppb_high) ||
	       nla_put_u32(skb, PNIC_A_LANE_EVIDENCE_MBITS, v->win_mbits) ||
	       nla_put_uint(skb, PNIC_A_LANE_SYM_ERRORS, v->rec.sym_errors) ||
	       nla_put_uint(skb, PNIC_A_LANE_MBITS, v->rec.mbits) ||
	       nla_put_s32(skb, PNIC_A_LANE_TREND_CDB_H, v->trend_cdb_h);
}

static bool lane_put_past(struct sk_buff *skb, const struct pnic_lane_view *v)
{
	return nla_put_u32(skb, PNIC_A_LANE_LOSSES, v->losses) ||
	       (v->standby != LANE_NONE && nla_put_u32(skb, PNIC_A_LANE_STANDBY, v->standby)) ||
	       (v->known_bad && nla_put_flag(skb, PNIC_A_LANE_KNOWN_BAD)) ||
	       (v->test_bits && nla_put_uint(skb, PNIC_A_LANE_TEST_BITS, v->test_bits)) ||
	       (v->test_bits && nla_put_uint(skb, PNIC_A_LANE_TEST_ERRORS, v->test_errors)) ||
	       (v->status == LANE_QUARANTINED &&
		nla_put_uint(skb, PNIC_A_LANE_PROBATION_MS,
			     div_u64(v->probation_ns, NSEC_PER_MSEC)));
}

/* The device may be gone: everything is in the snapshot. */
static int lane_fill(struct sk_buff *skb, struct pnic_dev *unused, const void *what)
{
	const struct lane_item *item = what;
	const struct pnic_lane_view *v = &item->view->lane[item->lane];

	if (lane_put_place(skb, item))
		return -EMSGSIZE;
	if (item->view->dir == PNIC_DIR_RX && (lane_put_light(skb, v) || lane_put_past(skb, v)))
		return -EMSGSIZE;
	return 0;
}

static u8 lane_direction(struct nlattr *attr)
{
	BUILD_BUG_ON(PNIC_DIRECTION_RX != PNIC_DIR_RX);
	BUILD_BUG_ON(PNIC_DIRECTION_TX != PNIC_DIR_TX);

	return attr ? nla_get_u32(attr) : PNIC_DIR_RX;
}

int pnic_nl_lane_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	u8 dir = lane_direction(info->attrs[PNIC_A_LANE_DIRECTION]);
	struct pnic_dev *pd = pnic_nl_dev(info);
	struct lane_item item = {};
	struct pnic_lanes_view *view;
	u32 lane;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, PNIC_A_LANE_INDEX))
		return -EINVAL;
	lane = nla_get_u32(info->attrs[PNIC_A_LANE_INDEX]);
	if (lane >= pd->caps.lanes_data + pd->caps.lanes_spare) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[PNIC_A_LANE_INDEX], "no such lane");
		return -EINVAL;
	}
	view = pnic_lanes_view(pd, dir);
	if (IS_ERR(view)) {
		NL_SET_ERR_MSG(info->extack, "the card does not give its lane table");
		return PTR_ERR(view);
	}
	item.view = view;
	item.lane = lane;
	err = pnic_nl_reply(info, lane_fill, &item, PNIC_NL_LANE_SIZE);
	kvfree(view);
	return err;
}

/* ---- all lanes ---- */

/**
 * struct lane_dump - a dump of lanes; it outlives the request's buffer
 * @at: the device, or the next one
 * @view: its snapshot, NULL: none was taken yet
 * @lane: the next lane
 * @first: lanes wanted
 * @last: the last of them
 * @dir: PNIC_DIR_*
 * @abnormal: only those
 */
struct lane_dump {
	unsigned long at;
	struct pnic_lanes_view *view;
	u32 lane;
	u32 first;
	u32 last;
	u8 dir;
	bool abnormal;
};

struct lane_ctx {
	struct lane_dump *dump;
};

static int lane_dump_check(struct netlink_callback *cb, struct lane_dump *d)
{
	struct nlattr **attrs = genl_info_dump(cb)->attrs;

	d->dir = lane_direction(attrs[PNIC_A_LANE_DIRECTION]);
	d->abnormal = attrs[PNIC_A_LANE_ABNORMAL];
	d->last = U32_MAX;
	if (attrs[PNIC_A_LANE_FIRST])
		d->first = nla_get_u32(attrs[PNIC_A_LANE_FIRST]);
	if (attrs[PNIC_A_LANE_LAST])
		d->last = nla_get_u32(attrs[PNIC_A_LANE_LAST]);
	if (d->first > d->last) {
		NL_SET_ERR_MSG_ATTR(cb->extack, attrs[PNIC_A_LANE_LAST], "last is before first");
		return -EINVAL;
	}
	return 0;
}

/* Of several devices those that do not tell are passed over; of one it is an error. */
static bool lane_dump_over(struct netlink_callback *cb, int err)
{
	if (err == -EINTR || err == -ENOMEM)
		return true;
	if (!genl_info_dump(cb)->attrs[PNIC_A_LANE_DEV_INDEX])
		return false;
	NL_SET_ERR_MSG(cb->extack, "the card does not give its lane table");
	return true;
}

/* The snapshot of the device that is next; false: there is none, or *@err. */
static bool lane_dump_next(struct netlink_callback *cb, struct lane_dump *d, int *err)
{
	struct pnic_dev *pd;

	for (;; d->at++) {
		pd = pnic_nl_dump_enter(cb, &d->at, PNIC_NL_LINK);
		*err = PTR_ERR_OR_ZERO(pd);
		if (IS_ERR_OR_NULL(pd))
			return false;
		d->view = pnic_lanes_view(pd, d->dir);
		pnic_nl_dump_leave(pd);
		if (!IS_ERR(d->view))
			break;
		*err = PTR_ERR(d->view);
		d->view = NULL;
		if (lane_dump_over(cb, *err))
			return false;
	}
	d->lane = d->first;
	return true;
}

int pnic_nl_lane_dump_start(struct netlink_callback *cb)
{
	struct lane_ctx *ctx = (void *)cb->ctx;
	struct lane_dump *d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	int err;

	BUILD_BUG_ON(sizeof(*ctx) > sizeof(cb->ctx));

	if (!d)
		return -ENOMEM;
	err = lane_dump_check(cb, d);
	if (!err)
		lane_dump_next(cb, d, &err);
	if (err) {
		kfree(d);
		return err;
	}
	ctx->dump = d;
	return 0;
}

/* The rest of a snapshot. */
static int lane_dump_view(struct sk_buff *skb, struct netlink_callback *cb, struct lane_dump *d)
{
	struct lane_item item = { .view = d->view };
	int err;

	for (; d->lane < d->view->total && d->lane <= d->last; d->lane++) {
		if (d->abnormal && !lane_abnormal(&d->view->lane[d->lane]))
			continue;
		item.lane = d->lane;
		err = pnic_nl_put(skb, genl_info_dump(cb), cb, NULL, lane_fill, &item);
		if (err)
			return err;
	}
	return 0;
}

int pnic_nl_lane_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct lane_dump *d = ((struct lane_ctx *)cb->ctx)->dump;
	int err = 0;

	pnic_nl_dump_seq(cb);
	while (d->view) {
		err = lane_dump_view(skb, cb, d);
		if (err)
			break;
		kvfree(d->view);
		d->view = NULL;
		d->at++;
		lane_dump_next(cb, d, &err);
	}
	return err == -EMSGSIZE && skb->len ? skb->len : err;
}

int pnic_nl_lane_dump_done(struct netlink_callback *cb)
{
	struct lane_ctx *ctx = (void *)cb->ctx;

	kvfree(ctx->dump->view);
	kfree(ctx->dump);
	return 0;
}

/* ---- events ---- */

static bool event_put_change(struct sk_buff *skb, const struct pnic_nl_change *c)
{
	struct nlattr *nest = nla_nest_start(skb, PNIC_A_LANE_EVENT_CHANGE);

	if (!nest ||
	    nla_put_u32(skb, PNIC_A_CHANGE_LANE, c->lane) ||
	    nla_put_u32(skb, PNIC_A_CHANGE_STATUS, c->status) ||
	    nla_put_u32(skb, PNIC_A_CHANGE_WAS, c->was) ||
	    (c->logical != LANE_NONE && nla_put_u32(skb, PNIC_A_CHANGE_LOGICAL, c->logical)))
		return true;
	nla_nest_end(skb, nest);
	return false;
}

static int event_fill(struct sk_buff *skb, struct pnic_dev *pd, const void *what)
{
	const struct pnic_nl_lane_event *ev = what;
	u16 i;

	if (nla_put_u32(skb, PNIC_A_LANE_EVENT_DEV_INDEX, pd->minor) ||
	    nla_put_u32(skb, PNIC_A_LANE_EVENT_GENERATION, ev->generation) ||
	    nla_put_uint(skb, PNIC_A_LANE_EVENT_FIRST_SEQ, ev->first) ||
	    nla_put_uint(skb, PNIC_A_LANE_EVENT_LAST_SEQ, ev->last) ||
	    nla_put_u32(skb, PNIC_A_LANE_EVENT_EVENTS, ev->last - ev->first + 1) ||
	    (ev->more && nla_put_u32(skb, PNIC_A_LANE_EVENT_MORE, ev->more)))
		return -EMSGSIZE;
	for (i = 0; i < ev->nr; i++)
		if (event_put_change(skb, &ev->change[i]))
			return -EMSGSIZE;
	return 0;
}

void pnic_nl_lane_ntf(struct pnic_dev *pd, const struct pnic_nl_lane_event *ev)
{
	pnic_nl_notify(pd, PNIC_CMD_LANE_NTF, PNIC_NLGRP_LANES, event_fill, ev, PNIC_NL_EVENT_SIZE);
}
