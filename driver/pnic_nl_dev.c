// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: devices by netlink: dev-get, dev-ntf.
 */
#include "pnic_nl.h"

/* Strings, the longest of 32 bytes, and about twenty numbers. */
#define PNIC_NL_DEV_SIZE	1024

u32 pnic_nl_dev_status(struct pnic_dev *pd)
{
	switch (pnic_state(pd)) {
	case PNIC_STATE_PROBING:
		return PNIC_DEV_STATUS_PROBING;
	case PNIC_STATE_READY:
		return pnic_lanes_degraded(pd) ? PNIC_DEV_STATUS_DEGRADED : PNIC_DEV_STATUS_READY;
	case PNIC_STATE_RESETTING:
	case PNIC_STATE_LOST:
	case PNIC_STATE_SUSPENDED:
		return PNIC_DEV_STATUS_RESETTING;
	case PNIC_STATE_FAILED:
		return PNIC_DEV_STATUS_FAILED;
	default:
		return PNIC_DEV_STATUS_GONE;
	}
}

static bool dev_put_state(struct sk_buff *skb, struct pnic_dev *pd)
{
	const char *why = READ_ONCE(pd->last_why);

	return nla_put_u32(skb, PNIC_A_DEV_INDEX, pd->minor) ||
	       nla_put_string(skb, PNIC_A_DEV_NAME, dev_name(&pd->dev)) ||
	       nla_put_string(skb, PNIC_A_DEV_BUS_INFO, pci_name(pd->pdev)) ||
	       nla_put_u32(skb, PNIC_A_DEV_STATUS, pnic_nl_dev_status(pd)) ||
	       nla_put_u32(skb, PNIC_A_DEV_EPOCH, pd->epoch) ||
	       nla_put_u32(skb, PNIC_A_DEV_RESETS, atomic_read(&pd->stats.resets)) ||
	       (why && nla_put_string(skb, PNIC_A_DEV_RESET_REASON, why));
}

static bool dev_put_card(struct sk_buff *skb, const struct pnic_caps *c)
{
	return nla_put_u32(skb, PNIC_A_DEV_NIC_ADDR, c->nic_addr) ||
	       nla_put_uint(skb, PNIC_A_DEV_GUID, c->guid) ||
	       nla_put_string(skb, PNIC_A_DEV_SERIAL, c->serial) ||
	       nla_put_string(skb, PNIC_A_DEV_CABLE_SERIAL, c->cable_serial) ||
	       nla_put_string(skb, PNIC_A_DEV_MODEL, c->model_name) ||
	       nla_put_u32(skb, PNIC_A_DEV_HW_MAJOR, c->hw_version >> 16) ||
	       nla_put_u32(skb, PNIC_A_DEV_HW_MINOR, c->hw_version & 0xffff) ||
	       nla_put_u32(skb, PNIC_A_DEV_FW_VERSION, c->fw_version);
}

static bool dev_put_lanes(struct sk_buff *skb, const struct pnic_caps *c)
{
	BUILD_BUG_ON(PNIC_STRIPING_SYMBOL != PNIC_STRIPE_SYMBOL);
	BUILD_BUG_ON(PNIC_STRIPING_BIT != PNIC_STRIPE_BIT);

	return nla_put_u32(skb, PNIC_A_DEV_LANES_DATA, c->lanes_data) ||
	       nla_put_u32(skb, PNIC_A_DEV_LANES_SPARE, c->lanes_spare) ||
	       nla_put_u32(skb, PNIC_A_DEV_GRID_X, c->grid_x) ||
	       nla_put_u32(skb, PNIC_A_DEV_GRID_Y, c->grid_y) ||
	       nla_put_u32(skb, PNIC_A_DEV_LANE_KBPS, c->lane_kbps) ||
	       nla_put_u32(skb, PNIC_A_DEV_LANE_PAYLOAD_KBPS, c->payload_kbps) ||
	       nla_put_u32(skb, PNIC_A_DEV_FEC_N, c->fec_n) ||
	       nla_put_u32(skb, PNIC_A_DEV_FEC_K, c->fec_k) ||
	       nla_put_u32(skb, PNIC_A_DEV_FEC_SYMBOL_BITS, c->fec_symbol_bits) ||
	       nla_put_u32(skb, PNIC_A_DEV_STRIPING, c->striping) ||
	       (c->caps & PNIC_CAP_LO_STANDBY && nla_put_flag(skb, PNIC_A_DEV_STANDBY)) ||
	       (c->caps & PNIC_CAP_LO_LANE_TEST && nla_put_flag(skb, PNIC_A_DEV_LANE_TEST));
}

/* With pd->reg_lock for reading or pd->reset_lock, so that what the card said stays. */
static int dev_fill(struct sk_buff *skb, struct pnic_dev *pd, const void *unused)
{
	if (dev_put_state(skb, pd) || dev_put_card(skb, &pd->caps) ||
	    dev_put_lanes(skb, &pd->caps))
		return -EMSGSIZE;
	return 0;
}

int pnic_nl_dev_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return pnic_nl_reply(info, dev_fill, NULL, PNIC_NL_DEV_SIZE);
}

static int dev_make(struct pnic_dev *pd, void *unused)
{
	return 0;
}

int pnic_nl_dev_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return pnic_nl_dump_devs(skb, cb, PNIC_NL_ANY, dev_make, dev_fill, 1);
}

void pnic_nl_dev_ntf(struct pnic_dev *pd)
{
	pnic_nl_notify(pd, PNIC_CMD_DEV_NTF, PNIC_NLGRP_HEALTH, dev_fill, NULL, PNIC_NL_DEV_SIZE);
}
