// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: counters by netlink: counters-get.
 */
#include "pnic_counters.h"
#include "pnic_nl.h"

#define PNIC_NL_COUNTERS_SIZE	1024

static const struct {
	u16 attr;
	u16 offset;
} counters_table[] = {
	{ PNIC_A_COUNTERS_FRAMES_TX, offsetof(struct pnic_counters, frames_tx) },
	{ PNIC_A_COUNTERS_FRAMES_RX, offsetof(struct pnic_counters, frames_rx) },
	{ PNIC_A_COUNTERS_FRAMES_REPLAYED, offsetof(struct pnic_counters, frames_replayed) },
	{ PNIC_A_COUNTERS_FRAMES_CRC_BAD, offsetof(struct pnic_counters, frames_crc_bad) },
	{ PNIC_A_COUNTERS_FRAMES_DROPPED, offsetof(struct pnic_counters, frames_dropped) },
	{ PNIC_A_COUNTERS_PAYLOAD_TX, offsetof(struct pnic_counters, payload_tx) },
	{ PNIC_A_COUNTERS_PAYLOAD_RX, offsetof(struct pnic_counters, payload_rx) },
	{ PNIC_A_COUNTERS_LINE_BITS_TX, offsetof(struct pnic_counters, line_bits_tx) },
	{ PNIC_A_COUNTERS_CODEWORDS, offsetof(struct pnic_counters, codewords_rx) },
	{ PNIC_A_COUNTERS_CODEWORDS_CORRECTED,
	  offsetof(struct pnic_counters, codewords_corrected) },
	{ PNIC_A_COUNTERS_CODEWORDS_UNCORRECTABLE,
	  offsetof(struct pnic_counters, codewords_uncorrectable) },
	{ PNIC_A_COUNTERS_SYMBOLS_CORRECTED, offsetof(struct pnic_counters, symbols_corrected) },
	{ PNIC_A_COUNTERS_MAP_SWITCHES_RX, offsetof(struct pnic_counters, map_switches_rx) },
	{ PNIC_A_COUNTERS_MAP_SWITCHES_TX, offsetof(struct pnic_counters, map_switches_tx) },
	{ PNIC_A_COUNTERS_LINK_DOWNS, offsetof(struct pnic_counters, link_downs) },
	{ PNIC_A_COUNTERS_MGMT_TX, offsetof(struct pnic_counters, mgmt_tx) },
	{ PNIC_A_COUNTERS_MGMT_RX, offsetof(struct pnic_counters, mgmt_rx) },
	{ PNIC_A_COUNTERS_MGMT_LOST, offsetof(struct pnic_counters, mgmt_lost) },
	{ PNIC_A_COUNTERS_WQES, offsetof(struct pnic_counters, wqes) },
	{ PNIC_A_COUNTERS_CQES, offsetof(struct pnic_counters, cqes) },
	{ PNIC_A_COUNTERS_DOORBELLS, offsetof(struct pnic_counters, doorbells) },
	{ PNIC_A_COUNTERS_INTERRUPTS, offsetof(struct pnic_counters, interrupts) },
};

static u64 counter(const struct pnic_counts *counts, size_t offset)
{
	return counts->value[offset / sizeof(u64)];
}

static bool counters_put_card(struct sk_buff *skb, const struct pnic_counts *counts)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counters_table); i++)
		if (nla_put_uint(skb, counters_table[i].attr,
				 counter(counts, counters_table[i].offset)))
			return true;
	for (i = 0; i < ARRAY_SIZE(((struct pnic_counters *)NULL)->hist); i++)
		if (nla_put_uint(skb, PNIC_A_COUNTERS_HIST,
				 counter(counts, offsetof(struct pnic_counters, hist[i]))))
			return true;
	return false;
}

static bool counters_put_driver(struct sk_buff *skb, struct pnic_dev *pd)
{
	return nla_put_uint(skb, PNIC_A_COUNTERS_ADMIN_TIMEOUTS, READ_ONCE(pd->admin.timeouts)) ||
	       nla_put_uint(skb, PNIC_A_COUNTERS_NONSENSE, atomic_read(&pd->stats.nonsense)) ||
	       nla_put_uint(skb, PNIC_A_COUNTERS_LOST_IRQS, atomic_read(&pd->stats.lost_irqs));
}

static int counters_fill(struct sk_buff *skb, struct pnic_dev *pd, const void *counts)
{
	if (nla_put_u32(skb, PNIC_A_COUNTERS_DEV_INDEX, pd->minor) ||
	    counters_put_card(skb, counts) || counters_put_driver(skb, pd))
		return -EMSGSIZE;
	return 0;
}

static int counters_make(struct pnic_dev *pd, void *counts)
{
	return pnic_counters_read(pd, counts);
}

int pnic_nl_counters_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct pnic_counts *counts = kmalloc(sizeof(*counts), GFP_KERNEL);
	int err;

	if (!counts)
		return -ENOMEM;
	err = counters_make(pnic_nl_dev(info), counts);
	if (err)
		NL_SET_ERR_MSG(info->extack, "the card does not give its counters");
	else
		err = pnic_nl_reply(info, counters_fill, counts, PNIC_NL_COUNTERS_SIZE);
	kfree(counts);
	return err;
}

int pnic_nl_counters_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return pnic_nl_dump_devs(skb, cb, PNIC_NL_CARD, counters_make, counters_fill,
				 sizeof(struct pnic_counts));
}
