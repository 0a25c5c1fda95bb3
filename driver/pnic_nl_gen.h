/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	netlink/specs/pnic.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_PNIC_GEN_H
#define _LINUX_PNIC_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include "../uapi/linux/pnic_netlink.h"

/* Common nested types */
extern const struct nla_policy pnic_knobs_nl_policy[PNIC_A_POLICY_TEST_MBITS + 1];
extern const struct nla_policy pnic_record_nl_policy[PNIC_A_RECORD_AGE_HOURS + 1];

int pnic_nl_pre_dev(const struct genl_split_ops *ops, struct sk_buff *skb,
		    struct genl_info *info);
void
pnic_nl_post_dev(const struct genl_split_ops *ops, struct sk_buff *skb,
		 struct genl_info *info);
int pnic_nl_lane_dump_start(struct netlink_callback *cb);
int pnic_nl_lane_dump_done(struct netlink_callback *cb);

int pnic_nl_dev_get_doit(struct sk_buff *skb, struct genl_info *info);
int pnic_nl_dev_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int pnic_nl_link_get_doit(struct sk_buff *skb, struct genl_info *info);
int pnic_nl_link_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int pnic_nl_link_set_doit(struct sk_buff *skb, struct genl_info *info);
int pnic_nl_lane_get_doit(struct sk_buff *skb, struct genl_info *info);
int pnic_nl_lane_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int pnic_nl_plan_get_doit(struct sk_buff *skb, struct genl_info *info);
int pnic_nl_lane_set_doit(struct sk_buff *skb, struct genl_info *info);
int pnic_nl_undo_doit(struct sk_buff *skb, struct genl_info *info);
int pnic_nl_policy_get_doit(struct sk_buff *skb, struct genl_info *info);
int pnic_nl_policy_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int pnic_nl_policy_set_doit(struct sk_buff *skb, struct genl_info *info);
int pnic_nl_history_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int pnic_nl_cable_get_doit(struct sk_buff *skb, struct genl_info *info);
int pnic_nl_cable_set_doit(struct sk_buff *skb, struct genl_info *info);
int pnic_nl_counters_get_doit(struct sk_buff *skb, struct genl_info *info);
int pnic_nl_counters_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int pnic_nl_res_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int pnic_nl_object_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int pnic_nl_grant_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int pnic_nl_grant_add_doit(struct sk_buff *skb, struct genl_info *info);
int pnic_nl_grant_del_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	PNIC_NLGRP_LANES,
	PNIC_NLGRP_LINK,
	PNIC_NLGRP_HEALTH,
};

extern struct genl_family pnic_nl_family;

#endif /* _LINUX_PNIC_GEN_H */
