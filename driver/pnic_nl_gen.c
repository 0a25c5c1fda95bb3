// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	netlink/specs/pnic.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "pnic_nl_gen.h"

#include "../uapi/linux/pnic_netlink.h"

/* Integer value ranges */
static const struct netlink_range_validation pnic_a_policy_watch_ppb_range = {
	.min	= 1ULL,
	.max	= 1000000000ULL,
};

static const struct netlink_range_validation pnic_a_policy_retire_ppb_range = {
	.min	= 1ULL,
	.max	= 1000000000ULL,
};

static const struct netlink_range_validation pnic_a_policy_fail_ppb_range = {
	.min	= 1ULL,
	.max	= 1000000000ULL,
};

static const struct netlink_range_validation pnic_a_policy_min_errors_range = {
	.min	= 1ULL,
	.max	= 65535ULL,
};

static const struct netlink_range_validation pnic_a_policy_cluster_ms_range = {
	.max	= 3600000ULL,
};

static const struct netlink_range_validation pnic_a_policy_horizon_s_range = {
	.max	= 31536000ULL,
};

static const struct netlink_range_validation pnic_a_policy_quarantine_ms_range = {
	.max	= 86400000ULL,
};

static const struct netlink_range_validation pnic_a_policy_quarantine_max_ms_range = {
	.max	= 86400000ULL,
};

static const struct netlink_range_validation pnic_a_policy_calm_ms_range = {
	.max	= 3600000ULL,
};

static const struct netlink_range_validation pnic_a_policy_grow_ms_range = {
	.max	= 86400000ULL,
};

static const struct netlink_range_validation pnic_a_policy_budget_ms_range = {
	.min	= 1ULL,
	.max	= 60000ULL,
};

static const struct netlink_range_validation pnic_a_policy_settle_us_range = {
	.max	= 1000000ULL,
};

static const struct netlink_range_validation pnic_a_policy_poll_ms_range = {
	.min	= 10ULL,
	.max	= 3600000ULL,
};

static const struct netlink_range_validation pnic_a_policy_test_mbits_range = {
	.max	= 1048576ULL,
};

static const struct netlink_range_validation pnic_a_record_losses_range = {
	.max	= 65535ULL,
};

static const struct netlink_range_validation pnic_a_grant_partition_range = {
	.min	= 1ULL,
	.max	= 65535ULL,
};

/* Common nested types */
const struct nla_policy pnic_knobs_nl_policy[PNIC_A_POLICY_TEST_MBITS + 1] = {
	[PNIC_A_POLICY_MANAGE] = NLA_POLICY_MAX(NLA_U8, 1),
	[PNIC_A_POLICY_STANDBY] = NLA_POLICY_MAX(NLA_U8, 1),
	[PNIC_A_POLICY_WATCH_PPB] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_watch_ppb_range),
	[PNIC_A_POLICY_RETIRE_PPB] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_retire_ppb_range),
	[PNIC_A_POLICY_FAIL_PPB] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_fail_ppb_range),
	[PNIC_A_POLICY_MIN_ERRORS] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_min_errors_range),
	[PNIC_A_POLICY_COMMON_PCT] = NLA_POLICY_RANGE(NLA_U32, 1, 100),
	[PNIC_A_POLICY_COMMON_CDB] = NLA_POLICY_RANGE(NLA_U32, 1, 10000),
	[PNIC_A_POLICY_CLUSTER_MIN] = NLA_POLICY_RANGE(NLA_U32, 2, 4096),
	[PNIC_A_POLICY_CLUSTER_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_cluster_ms_range),
	[PNIC_A_POLICY_MARGIN_FLOOR] = NLA_POLICY_MAX(NLA_U32, 4096),
	[PNIC_A_POLICY_HORIZON_S] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_horizon_s_range),
	[PNIC_A_POLICY_QUARANTINE_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_quarantine_ms_range),
	[PNIC_A_POLICY_QUARANTINE_MAX_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_quarantine_max_ms_range),
	[PNIC_A_POLICY_CALM_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_calm_ms_range),
	[PNIC_A_POLICY_GROW_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_grow_ms_range),
	[PNIC_A_POLICY_BUDGET_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_budget_ms_range),
	[PNIC_A_POLICY_SETTLE_US] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_settle_us_range),
	[PNIC_A_POLICY_POLL_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_poll_ms_range),
	[PNIC_A_POLICY_TEST_MBITS] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_test_mbits_range),
};

const struct nla_policy pnic_record_nl_policy[PNIC_A_RECORD_AGE_HOURS + 1] = {
	[PNIC_A_RECORD_LANE] = { .type = NLA_U32, },
	[PNIC_A_RECORD_LOSSES] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_record_losses_range),
	[PNIC_A_RECORD_KNOWN_BAD] = { .type = NLA_FLAG, },
	[PNIC_A_RECORD_AGE_HOURS] = { .type = NLA_U32, },
};

/* PNIC_CMD_DEV_GET - do */
static const struct nla_policy pnic_dev_get_nl_policy[PNIC_A_DEV_INDEX + 1] = {
	[PNIC_A_DEV_INDEX] = { .type = NLA_U32, },
};

/* PNIC_CMD_LINK_GET - do */
static const struct nla_policy pnic_link_get_nl_policy[PNIC_A_LINK_TAKE_MARGIN_MIN + 1] = {
	[PNIC_A_LINK_DEV_INDEX] = { .type = NLA_U32, },
	[PNIC_A_LINK_TAKE_MARGIN_MIN] = { .type = NLA_FLAG, },
};

/* PNIC_CMD_LINK_SET - do */
static const struct nla_policy pnic_link_set_nl_policy[PNIC_A_LINK_ADMIN_UP + 1] = {
	[PNIC_A_LINK_DEV_INDEX] = { .type = NLA_U32, },
	[PNIC_A_LINK_ADMIN_UP] = NLA_POLICY_MAX(NLA_U8, 1),
};

/* PNIC_CMD_LANE_GET - do */
static const struct nla_policy pnic_lane_get_do_nl_policy[PNIC_A_LANE_DIRECTION + 1] = {
	[PNIC_A_LANE_DEV_INDEX] = { .type = NLA_U32, },
	[PNIC_A_LANE_INDEX] = { .type = NLA_U32, },
	[PNIC_A_LANE_DIRECTION] = NLA_POLICY_MAX(NLA_U32, 1),
};

/* PNIC_CMD_LANE_GET - dump */
static const struct nla_policy pnic_lane_get_dump_nl_policy[PNIC_A_LANE_ABNORMAL + 1] = {
	[PNIC_A_LANE_DEV_INDEX] = { .type = NLA_U32, },
	[PNIC_A_LANE_DIRECTION] = NLA_POLICY_MAX(NLA_U32, 1),
	[PNIC_A_LANE_FIRST] = { .type = NLA_U32, },
	[PNIC_A_LANE_LAST] = { .type = NLA_U32, },
	[PNIC_A_LANE_ABNORMAL] = { .type = NLA_FLAG, },
};

/* PNIC_CMD_PLAN_GET - do */
static const struct nla_policy pnic_plan_get_nl_policy[PNIC_A_PLAN_POLICY + 1] = {
	[PNIC_A_PLAN_DEV_INDEX] = { .type = NLA_U32, },
	[PNIC_A_PLAN_POLICY] = NLA_POLICY_NESTED(pnic_knobs_nl_policy),
};

/* PNIC_CMD_LANE_SET - do */
static const struct nla_policy pnic_lane_set_nl_policy[PNIC_A_PLAN_EXPECT_GENERATION + 1] = {
	[PNIC_A_PLAN_DEV_INDEX] = { .type = NLA_U32, },
	[PNIC_A_PLAN_LANE] = { .type = NLA_U32, },
	[PNIC_A_PLAN_ACTION] = NLA_POLICY_MAX(NLA_U32, 3),
	[PNIC_A_PLAN_PREVIEW] = { .type = NLA_FLAG, },
	[PNIC_A_PLAN_FORCE] = { .type = NLA_FLAG, },
	[PNIC_A_PLAN_EXPECT_GENERATION] = { .type = NLA_U32, },
};

/* PNIC_CMD_UNDO - do */
static const struct nla_policy pnic_undo_nl_policy[PNIC_A_PLAN_PREVIEW + 1] = {
	[PNIC_A_PLAN_DEV_INDEX] = { .type = NLA_U32, },
	[PNIC_A_PLAN_PREVIEW] = { .type = NLA_FLAG, },
};

/* PNIC_CMD_POLICY_GET - do */
static const struct nla_policy pnic_policy_get_nl_policy[PNIC_A_POLICY_DEV_INDEX + 1] = {
	[PNIC_A_POLICY_DEV_INDEX] = { .type = NLA_U32, },
};

/* PNIC_CMD_POLICY_SET - do */
static const struct nla_policy pnic_policy_set_nl_policy[PNIC_A_POLICY_RESET + 1] = {
	[PNIC_A_POLICY_DEV_INDEX] = { .type = NLA_U32, },
	[PNIC_A_POLICY_REVISION] = { .type = NLA_U32, },
	[PNIC_A_POLICY_MANAGE] = NLA_POLICY_MAX(NLA_U8, 1),
	[PNIC_A_POLICY_STANDBY] = NLA_POLICY_MAX(NLA_U8, 1),
	[PNIC_A_POLICY_WATCH_PPB] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_watch_ppb_range),
	[PNIC_A_POLICY_RETIRE_PPB] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_retire_ppb_range),
	[PNIC_A_POLICY_FAIL_PPB] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_fail_ppb_range),
	[PNIC_A_POLICY_MIN_ERRORS] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_min_errors_range),
	[PNIC_A_POLICY_COMMON_PCT] = NLA_POLICY_RANGE(NLA_U32, 1, 100),
	[PNIC_A_POLICY_COMMON_CDB] = NLA_POLICY_RANGE(NLA_U32, 1, 10000),
	[PNIC_A_POLICY_CLUSTER_MIN] = NLA_POLICY_RANGE(NLA_U32, 2, 4096),
	[PNIC_A_POLICY_CLUSTER_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_cluster_ms_range),
	[PNIC_A_POLICY_MARGIN_FLOOR] = NLA_POLICY_MAX(NLA_U32, 4096),
	[PNIC_A_POLICY_HORIZON_S] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_horizon_s_range),
	[PNIC_A_POLICY_QUARANTINE_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_quarantine_ms_range),
	[PNIC_A_POLICY_QUARANTINE_MAX_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_quarantine_max_ms_range),
	[PNIC_A_POLICY_CALM_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_calm_ms_range),
	[PNIC_A_POLICY_GROW_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_grow_ms_range),
	[PNIC_A_POLICY_BUDGET_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_budget_ms_range),
	[PNIC_A_POLICY_SETTLE_US] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_settle_us_range),
	[PNIC_A_POLICY_POLL_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_poll_ms_range),
	[PNIC_A_POLICY_TEST_MBITS] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_policy_test_mbits_range),
	[PNIC_A_POLICY_RESET] = { .type = NLA_FLAG, },
};

/* PNIC_CMD_HISTORY_GET - dump */
static const struct nla_policy pnic_history_get_nl_policy[PNIC_A_HISTORY_SINCE + 1] = {
	[PNIC_A_HISTORY_DEV_INDEX] = { .type = NLA_U32, },
	[PNIC_A_HISTORY_SINCE] = { .type = NLA_UINT, },
};

/* PNIC_CMD_CABLE_GET - do */
static const struct nla_policy pnic_cable_get_nl_policy[PNIC_A_CABLE_DEV_INDEX + 1] = {
	[PNIC_A_CABLE_DEV_INDEX] = { .type = NLA_U32, },
};

/* PNIC_CMD_CABLE_SET - do */
static const struct nla_policy pnic_cable_set_nl_policy[PNIC_A_CABLE_RECORD + 1] = {
	[PNIC_A_CABLE_DEV_INDEX] = { .type = NLA_U32, },
	[PNIC_A_CABLE_CABLE_SERIAL] = { .type = NLA_NUL_STRING, .len = 32, },
	[PNIC_A_CABLE_LANES] = { .type = NLA_U32, },
	[PNIC_A_CABLE_RECORD] = NLA_POLICY_NESTED(pnic_record_nl_policy),
};

/* PNIC_CMD_COUNTERS_GET - do */
static const struct nla_policy pnic_counters_get_nl_policy[PNIC_A_COUNTERS_DEV_INDEX + 1] = {
	[PNIC_A_COUNTERS_DEV_INDEX] = { .type = NLA_U32, },
};

/* PNIC_CMD_RES_GET - dump */
static const struct nla_policy pnic_res_get_nl_policy[PNIC_A_RES_DEV_INDEX + 1] = {
	[PNIC_A_RES_DEV_INDEX] = { .type = NLA_U32, },
};

/* PNIC_CMD_OBJECT_GET - dump */
static const struct nla_policy pnic_object_get_nl_policy[PNIC_A_OBJECT_KIND + 1] = {
	[PNIC_A_OBJECT_DEV_INDEX] = { .type = NLA_U32, },
	[PNIC_A_OBJECT_KIND] = NLA_POLICY_MAX(NLA_U32, 5),
};

/* PNIC_CMD_GRANT_GET - dump */
static const struct nla_policy pnic_grant_get_nl_policy[PNIC_A_GRANT_DEV_INDEX + 1] = {
	[PNIC_A_GRANT_DEV_INDEX] = { .type = NLA_U32, },
};

/* PNIC_CMD_GRANT_ADD - do */
static const struct nla_policy pnic_grant_add_nl_policy[PNIC_A_GRANT_UID + 1] = {
	[PNIC_A_GRANT_DEV_INDEX] = { .type = NLA_U32, },
	[PNIC_A_GRANT_PARTITION] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_grant_partition_range),
	[PNIC_A_GRANT_UID] = { .type = NLA_U32, },
};

/* PNIC_CMD_GRANT_DEL - do */
static const struct nla_policy pnic_grant_del_nl_policy[PNIC_A_GRANT_UID + 1] = {
	[PNIC_A_GRANT_DEV_INDEX] = { .type = NLA_U32, },
	[PNIC_A_GRANT_PARTITION] = NLA_POLICY_FULL_RANGE(NLA_U32, &pnic_a_grant_partition_range),
	[PNIC_A_GRANT_UID] = { .type = NLA_U32, },
};

/* Ops table for pnic */
static const struct genl_split_ops pnic_nl_ops[] = {
	{
		.cmd		= PNIC_CMD_DEV_GET,
		.pre_doit	= pnic_nl_pre_dev,
		.doit		= pnic_nl_dev_get_doit,
		.post_doit	= pnic_nl_post_dev,
		.policy		= pnic_dev_get_nl_policy,
		.maxattr	= PNIC_A_DEV_INDEX,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= PNIC_CMD_DEV_GET,
		.dumpit	= pnic_nl_dev_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= PNIC_CMD_LINK_GET,
		.pre_doit	= pnic_nl_pre_dev,
		.doit		= pnic_nl_link_get_doit,
		.post_doit	= pnic_nl_post_dev,
		.policy		= pnic_link_get_nl_policy,
		.maxattr	= PNIC_A_LINK_TAKE_MARGIN_MIN,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= PNIC_CMD_LINK_GET,
		.dumpit	= pnic_nl_link_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= PNIC_CMD_LINK_SET,
		.pre_doit	= pnic_nl_pre_dev,
		.doit		= pnic_nl_link_set_doit,
		.post_doit	= pnic_nl_post_dev,
		.policy		= pnic_link_set_nl_policy,
		.maxattr	= PNIC_A_LINK_ADMIN_UP,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= PNIC_CMD_LANE_GET,
		.pre_doit	= pnic_nl_pre_dev,
		.doit		= pnic_nl_lane_get_doit,
		.post_doit	= pnic_nl_post_dev,
		.policy		= pnic_lane_get_do_nl_policy,
		.maxattr	= PNIC_A_LANE_DIRECTION,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= PNIC_CMD_LANE_GET,
		.start		= pnic_nl_lane_dump_start,
		.dumpit		= pnic_nl_lane_get_dumpit,
		.done		= pnic_nl_lane_dump_done,
		.policy		= pnic_lane_get_dump_nl_policy,
		.maxattr	= PNIC_A_LANE_ABNORMAL,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= PNIC_CMD_PLAN_GET,
		.pre_doit	= pnic_nl_pre_dev,
		.doit		= pnic_nl_plan_get_doit,
		.post_doit	= pnic_nl_post_dev,
		.policy		= pnic_plan_get_nl_policy,
		.maxattr	= PNIC_A_PLAN_POLICY,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= PNIC_CMD_LANE_SET,
		.pre_doit	= pnic_nl_pre_dev,
		.doit		= pnic_nl_lane_set_doit,
		.post_doit	= pnic_nl_post_dev,
		.policy		= pnic_lane_set_nl_policy,
		.maxattr	= PNIC_A_PLAN_EXPECT_GENERATION,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= PNIC_CMD_UNDO,
		.pre_doit	= pnic_nl_pre_dev,
		.doit		= pnic_nl_undo_doit,
		.post_doit	= pnic_nl_post_dev,
		.policy		= pnic_undo_nl_policy,
		.maxattr	= PNIC_A_PLAN_PREVIEW,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= PNIC_CMD_POLICY_GET,
		.pre_doit	= pnic_nl_pre_dev,
		.doit		= pnic_nl_policy_get_doit,
		.post_doit	= pnic_nl_post_dev,
		.policy		= pnic_policy_get_nl_policy,
		.maxattr	= PNIC_A_POLICY_DEV_INDEX,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= PNIC_CMD_POLICY_GET,
		.dumpit	= pnic_nl_policy_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= PNIC_CMD_POLICY_SET,
		.pre_doit	= pnic_nl_pre_dev,
		.doit		= pnic_nl_policy_set_doit,
		.post_doit	= pnic_nl_post_dev,
		.policy		= pnic_policy_set_nl_policy,
		.maxattr	= PNIC_A_POLICY_RESET,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= PNIC_CMD_HISTORY_GET,
		.dumpit		= pnic_nl_history_get_dumpit,
		.policy		= pnic_history_get_nl_policy,
		.maxattr	= PNIC_A_HISTORY_SINCE,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= PNIC_CMD_CABLE_GET,
		.pre_doit	= pnic_nl_pre_dev,
		.doit		= pnic_nl_cable_get_doit,
		.post_doit	= pnic_nl_post_dev,
		.policy		= pnic_cable_get_nl_policy,
		.maxattr	= PNIC_A_CABLE_DEV_INDEX,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= PNIC_CMD_CABLE_SET,
		.pre_doit	= pnic_nl_pre_dev,
		.doit		= pnic_nl_cable_set_doit,
		.post_doit	= pnic_nl_post_dev,
		.policy		= pnic_cable_set_nl_policy,
		.maxattr	= PNIC_A_CABLE_RECORD,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= PNIC_CMD_COUNTERS_GET,
		.pre_doit	= pnic_nl_pre_dev,
		.doit		= pnic_nl_counters_get_doit,
		.post_doit	= pnic_nl_post_dev,
		.policy		= pnic_counters_get_nl_policy,
		.maxattr	= PNIC_A_COUNTERS_DEV_INDEX,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= PNIC_CMD_COUNTERS_GET,
		.dumpit	= pnic_nl_counters_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= PNIC_CMD_RES_GET,
		.dumpit		= pnic_nl_res_get_dumpit,
		.policy		= pnic_res_get_nl_policy,
		.maxattr	= PNIC_A_RES_DEV_INDEX,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= PNIC_CMD_OBJECT_GET,
		.dumpit		= pnic_nl_object_get_dumpit,
		.policy		= pnic_object_get_nl_policy,
		.maxattr	= PNIC_A_OBJECT_KIND,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= PNIC_CMD_GRANT_GET,
		.dumpit		= pnic_nl_grant_get_dumpit,
		.policy		= pnic_grant_get_nl_policy,
		.maxattr	= PNIC_A_GRANT_DEV_INDEX,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= PNIC_CMD_GRANT_ADD,
		.pre_doit	= pnic_nl_pre_dev,
		.doit		= pnic_nl_grant_add_doit,
		.post_doit	= pnic_nl_post_dev,
		.policy		= pnic_grant_add_nl_policy,
		.maxattr	= PNIC_A_GRANT_UID,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= PNIC_CMD_GRANT_DEL,
		.pre_doit	= pnic_nl_pre_dev,
		.doit		= pnic_nl_grant_del_doit,
		.post_doit	= pnic_nl_post_dev,
		.policy		= pnic_grant_del_nl_policy,
		.maxattr	= PNIC_A_GRANT_UID,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
};

static const struct genl_multicast_group pnic_nl_mcgrps[] = {
	[PNIC_NLGRP_LANES] = { "lanes", },
	[PNIC_NLGRP_LINK] = { "link", },
	[PNIC_NLGRP_HEALTH] = { "health", },
};

struct genl_family pnic_nl_family __ro_after_init = {
	.name		= PNIC_FAMILY_NAME,
	.version	= PNIC_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= pnic_nl_ops,
	.n_split_ops	= ARRAY_SIZE(pnic_nl_ops),
	.mcgrps		= pnic_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(pnic_nl_mcgrps),
};
