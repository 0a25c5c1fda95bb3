// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: alarms by netlink: health-ntf.
 */
#include <linux/bits.h>

#include "pnic_nl.h"

#define PNIC_NL_HEALTH_SIZE	1024

static const struct {
	u32 bit;
	const char *name;
} health_names[] = {
	{ PNIC_ALARM_COMMON_MODE, "most lanes have moved together" },
	{ PNIC_ALARM_CLUSTER, "neighbours were lost together: clean the connector" },
	{ PNIC_ALARM_SPARES_OUT, "no usable spare is left" },
	{ PNIC_ALARM_NARROW, "narrower than full width" },
	{ PNIC_ALARM_DARK, "no lane has light" },
	{ PNIC_ALARM_ASYMMETRIC, "the two ends run different maps" },
	{ PNIC_ALARM_PEER_SILENT, "the far end is silent" },
	{ PNIC_ALARM_PEER_STUCK, "the far end does not switch" },
	{ PNIC_ALARM_PEER_NONSENSE, "the far end sends nonsense" },
	{ PNIC_ALARM_TABLE_BAD, "the lane table makes no sense" },
};

const char *pnic_nl_alarm_name(u32 bit)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(health_names); i++)
		if (health_names[i].bit == bit)
			return health_names[i].name;
	return "?";
}

struct health_item {
	u32 now;
	u32 raised;
	u32 cleared;
};

static size_t health_list(char *buf, size_t size, const char *intro, u32 which)
{
	size_t at = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(health_names); i++)
		if (which & health_names[i].bit)
			at += scnprintf(buf + at, size - at, "%s%s", at ? ", " : intro,
					health_names[i].name);
	return at;
}

/* "new: ..., ...; over: ..." */
static void health_text(char *buf, size_t size, const struct health_item *item)
{
	size_t at = health_list(buf, size, "new: ", item->raised);

	health_list(buf + at, size - at, at ? "; over: " : "over: ", item->cleared);
}

static int health_fill(struct sk_buff *skb, struct pnic_dev *pd, const void *what)
{
	const struct health_item *item = what;
	char text[512] = "";

	health_text(text, sizeof(text), item);
	if (nla_put_u32(skb, PNIC_A_HEALTH_DEV_INDEX, pd->minor) ||
	    nla_put_u32(skb, PNIC_A_HEALTH_STATUS, pnic_nl_dev_status(pd)) ||
	    nla_put_u32(skb, PNIC_A_HEALTH_ALARMS, item->now) ||
	    nla_put_u32(skb, PNIC_A_HEALTH_RAISED, item->raised) ||
	    nla_put_u32(skb, PNIC_A_HEALTH_CLEARED, item->cleared) ||
	    nla_put_string(skb, PNIC_A_HEALTH_TEXT, text))
		return -EMSGSIZE;
	return 0;
}

void pnic_nl_health_ntf(struct pnic_dev *pd, u32 now, u32 before)
{
	const struct health_item item = {
		.now = now, .raised = now & ~before, .cleared = before & ~now,
	};

	pnic_nl_notify(pd, PNIC_CMD_HEALTH_NTF, PNIC_NLGRP_HEALTH, health_fill, &item,
		       PNIC_NL_HEALTH_SIZE);
}
