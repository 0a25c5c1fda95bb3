// SPDX-License-Identifier: GPL-2.0
/* The operations of the family, see nl.h and Documentation/netlink/specs/pnic.yaml. */
#include "nl_run.h"

#include <netlink/attr.h>

/* Bytes of an attribute with a value of @n bytes; any request but a cable's fits into ROOM. */
#define ATTR(n)		NLA_ALIGN(NLA_HDRLEN + (n))
#define ROOM		(64 * ATTR(8))

/* A request about @dev, or about every device with DRV_ALL. */
static struct nl_msg *request(struct drv *n, uint8_t cmd, int attr, uint32_t dev)
{
	struct nl_msg *msg = drv_message(n, cmd, ROOM);

	if (msg && dev != DRV_ALL)
		nla_put_u32(msg, attr, dev);
	return msg;
}

int drv_devs(struct drv *n, struct list *devs)
{
	return drv_list(n, drv_message(n, PNIC_CMD_DEV_GET, 0), true, &dev_set, devs);
}

int drv_links(struct drv *n, uint32_t dev, bool take, struct list *links)
{
	struct nl_msg *msg = request(n, PNIC_CMD_LINK_GET, PNIC_A_LINK_DEV_INDEX, dev);

	if (msg && take)
		nla_put_flag(msg, PNIC_A_LINK_TAKE_MARGIN_MIN);
	return drv_list(n, msg, dev == DRV_ALL, &link_set, links);
}

int drv_link_set(struct drv *n, uint32_t dev, bool up)
{
	struct nl_msg *msg = request(n, PNIC_CMD_LINK_SET, PNIC_A_LINK_DEV_INDEX, dev);

	if (msg)
		nla_put_u8(msg, PNIC_A_LINK_ADMIN_UP, up);
	return drv_nothing(n, msg);
}

int drv_lanes(struct drv *n, const struct lane_query *q, struct list *lanes)
{
	struct nl_msg *msg = request(n, PNIC_CMD_LANE_GET, PNIC_A_LANE_DEV_INDEX, q->dev);

	if (!msg)
		return -1;
	nla_put_u32(msg, PNIC_A_LANE_DIRECTION, q->direction);
	if (q->range) {
		nla_put_u32(msg, PNIC_A_LANE_FIRST, q->first);
		nla_put_u32(msg, PNIC_A_LANE_LAST, q->last);
	}
	if (q->abnormal)
		nla_put_flag(msg, PNIC_A_LANE_ABNORMAL);
	return drv_list(n, msg, true, &lane_set, lanes);
}

int drv_lane_set(struct drv *n, const struct lane_order *o, struct plan *plan)
{
	struct nl_msg *msg = request(n, PNIC_CMD_LANE_SET, PNIC_A_PLAN_DEV_INDEX, o->dev);

	if (!msg)
		return -1;
	nla_put_u32(msg, PNIC_A_PLAN_LANE, o->lane);
	nla_put_u32(msg, PNIC_A_PLAN_ACTION, o->action);
	if (o->preview)
		nla_put_flag(msg, PNIC_A_PLAN_PREVIEW);
	if (o->force)
		nla_put_flag(msg, PNIC_A_PLAN_FORCE);
	if (o->has_generation)
		nla_put_u32(msg, PNIC_A_PLAN_EXPECT_GENERATION, o->generation);
	return drv_one(n, msg, &plan_set, plan);
}

int drv_undo(struct drv *n, uint32_t dev, bool preview, struct plan *plan)
{
	struct nl_msg *msg = request(n, PNIC_CMD_UNDO, PNIC_A_PLAN_DEV_INDEX, dev);

	if (msg && preview)
		nla_put_flag(msg, PNIC_A_PLAN_PREVIEW);
	return drv_one(n, msg, &plan_set, plan);
}

static void put_knobs(struct nl_msg *msg, const struct policy *p)
{
	const struct field *f;

	for (f = policy_set.fields; f < policy_set.fields + policy_set.n; f++) {
		if (f->attr < PNIC_A_POLICY_MANAGE || f->kind == F_REQUEST || !HAS(p, f->attr))
			continue;
		if (f->kind == F_U8)
			nla_put_u8(msg, f->attr, p->knob[f->attr]);
		else
			nla_put_u32(msg, f->attr, p->knob[f->attr]);
	}
}

int drv_plan(struct drv *n, uint32_t dev, const struct policy *knobs, struct plan *plan)
{
	struct nl_msg *msg = request(n, PNIC_CMD_PLAN_GET, PNIC_A_PLAN_DEV_INDEX, dev);
	struct nlattr *nest;

	if (msg && knobs) {
		nest = nla_nest_start(msg, PNIC_A_PLAN_POLICY | NLA_F_NESTED);
		put_knobs(msg, knobs);
		nla_nest_end(msg, nest);
	}
	return drv_one(n, msg, &plan_set, plan);
}

int drv_policies(struct drv *n, uint32_t dev, struct list *policies)
{
	return drv_list(n, request(n, PNIC_CMD_POLICY_GET, PNIC_A_POLICY_DEV_INDEX, dev),
		       dev == DRV_ALL, &policy_set, policies);
}

int drv_policy_set(struct drv *n, uint32_t dev, const struct policy *knobs, bool reset,
		  struct policy *after)
{
	struct nl_msg *msg = request(n, PNIC_CMD_POLICY_SET, PNIC_A_POLICY_DEV_INDEX, dev);

	if (!msg)
		return -1;
	if (HAS(knobs, PNIC_A_POLICY_REVISION))
		nla_put_u32(msg, PNIC_A_POLICY_REVISION, knobs->revision);
	put_knobs(msg, knobs);
	if (reset)
		nla_put_flag(msg, PNIC_A_POLICY_RESET);
	return drv_one(n, msg, &policy_set, after);
}

int drv_history(struct drv *n, uint32_t dev, uint64_t since, struct list *entries)
{
	struct nl_msg *msg = request(n, PNIC_CMD_HISTORY_GET, PNIC_A_HISTORY_DEV_INDEX, dev);

	if (msg && since)
		nla_put_u64(msg, PNIC_A_HISTORY_SINCE, since);
	return drv_list(n, msg, true, &history_set, entries);
}

int drv_cable_get(struct drv *n, uint32_t dev, struct cable *cable)
{
	return drv_one(n, request(n, PNIC_CMD_CABLE_GET, PNIC_A_CABLE_DEV_INDEX, dev), &cable_set,
		      cable);
}

int drv_cable_set(struct drv *n, const struct cable *cable)
{
	const size_t room = ROOM + sizeof(cable->cable_serial) +
			    cable->records.n * (NLA_HDRLEN + 4 * ATTR(4));
	struct nl_msg *msg = drv_message(n, PNIC_CMD_CABLE_SET, room);
	const struct record *r;
	struct nlattr *nest;

	if (!msg)
		return -1;
	nla_put_u32(msg, PNIC_A_CABLE_DEV_INDEX, cable->dev_index);
	nla_put_string(msg, PNIC_A_CABLE_CABLE_SERIAL, cable->cable_serial);
	nla_put_u32(msg, PNIC_A_CABLE_LANES, cable->lanes);
	LIST_FOR_EACH(r, &cable->records) {
		nest = nla_nest_start(msg, PNIC_A_CABLE_RECORD | NLA_F_NESTED);
		nla_put_u32(msg, PNIC_A_RECORD_LANE, r->lane);
		nla_put_u32(msg, PNIC_A_RECORD_LOSSES, r->losses);
		if (r->known_bad)
			nla_put_flag(msg, PNIC_A_RECORD_KNOWN_BAD);
		nla_put_u32(msg, PNIC_A_RECORD_AGE_HOURS, r->age_hours);
		nla_nest_end(msg, nest);
	}
	return drv_nothing(n, msg);
}

int drv_counters(struct drv *n, uint32_t dev, struct list *counters)
{
	return drv_list(n, request(n, PNIC_CMD_COUNTERS_GET, PNIC_A_COUNTERS_DEV_INDEX, dev),
		       dev == DRV_ALL, &counters_set, counters);
}

int drv_res(struct drv *n, uint32_t dev, struct list *res)
{
	return drv_list(n, request(n, PNIC_CMD_RES_GET, PNIC_A_RES_DEV_INDEX, dev), true, &res_set,
		       res);
}

int drv_grants(struct drv *n, uint32_t dev, struct list *grants)
{
	return drv_list(n, request(n, PNIC_CMD_GRANT_GET, PNIC_A_GRANT_DEV_INDEX, dev), true,
			&grant_set, grants);
}

int drv_grant_set(struct drv *n, const struct grant *g, bool add)
{
	struct nl_msg *msg = request(n, add ? PNIC_CMD_GRANT_ADD : PNIC_CMD_GRANT_DEL,
				     PNIC_A_GRANT_DEV_INDEX, g->dev_index);

	if (msg) {
		nla_put_u32(msg, PNIC_A_GRANT_PARTITION, g->partition);
		nla_put_u32(msg, PNIC_A_GRANT_UID, g->uid);
	}
	return drv_nothing(n, msg);
}

int drv_objects(struct drv *n, uint32_t dev, uint32_t kind, struct list *objects)
{
	struct nl_msg *msg = request(n, PNIC_CMD_OBJECT_GET, PNIC_A_OBJECT_DEV_INDEX, dev);

	if (msg && kind != DRV_ALL)
		nla_put_u32(msg, PNIC_A_OBJECT_KIND, kind);
	return drv_list(n, msg, true, &object_set, objects);
}
