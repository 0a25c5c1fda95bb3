// SPDX-License-Identifier: GPL-2.0
/*
 * The status page: the device's live state for processes that must not call the kernel.
 *
 * Written by the reset path (epoch) and by the lane manager (link); mapped read
 * only by pnic_mmap.c. A reader looks at @seq before and after, as with a seqcount.
 */
#include <linux/mm.h>

#include "pnic.h"

int pnic_status_alloc(struct pnic_dev *pd)
{
	spin_lock_init(&pd->status_lock);
	pd->status = (struct pnic_status_page *)get_zeroed_page(GFP_KERNEL);
	return pd->status ? 0 : -ENOMEM;
}

/* Mappings keep the page until they go. */
void pnic_status_free(struct pnic_dev *pd)
{
	free_page((unsigned long)pd->status);
	pd->status = NULL;
}

static void pnic_status_begin(struct pnic_status_page *st)
{
	WRITE_ONCE(st->seq, st->seq + 1);
	smp_wmb();	/* odd before anything changes */
}

static void pnic_status_end(struct pnic_status_page *st)
{
	WRITE_ONCE(st->events, st->events + 1);
	smp_wmb();	/* even after everything has */
	WRITE_ONCE(st->seq, st->seq + 1);
}

void pnic_status_set_epoch(struct pnic_dev *pd, u32 epoch)
{
	struct pnic_status_page *st = pd->status;
	unsigned long flags;

	spin_lock_irqsave(&pd->status_lock, flags);
	pnic_status_begin(st);
	WRITE_ONCE(st->epoch, epoch);
	pnic_status_end(st);
	spin_unlock_irqrestore(&pd->status_lock, flags);
}

/* Readers see a new sequence number only if something is new. */
static bool pnic_status_same_link(const struct pnic_status_page *st,
				  const struct pnic_status_page *now)
{
	return st->link_state == now->link_state && st->width == now->width &&
	       st->width_max == now->width_max && st->rate_mbps == now->rate_mbps &&
	       st->generation == now->generation && st->margin == now->margin &&
	       st->spares == now->spares && st->width_rx == now->width_rx &&
	       st->rate_rx_mbps == now->rate_rx_mbps;
}

void pnic_status_set_link(struct pnic_dev *pd, const struct pnic_link_info *i, u32 spares)
{
	const struct pnic_status_page now = {
		.link_state = i->state,
		.width = le16_to_cpu(i->width_tx),
		.width_max = pd->caps.lanes_data,
		.rate_mbps = le32_to_cpu(i->rate_tx_mbps),
		.generation = le32_to_cpu(i->gen_tx),
		.margin = le16_to_cpu(i->margin),
		.spares = spares,
		.width_rx = le16_to_cpu(i->width_rx),
		.rate_rx_mbps = le32_to_cpu(i->rate_rx_mbps),
	};
	struct pnic_status_page *st = pd->status;
	unsigned long flags;

	spin_lock_irqsave(&pd->status_lock, flags);
	if (pnic_status_same_link(st, &now))
		goto unlock;
	pnic_status_begin(st);
	WRITE_ONCE(st->link_state, now.link_state);
	WRITE_ONCE(st->width, now.width);
	WRITE_ONCE(st->width_max, now.width_max);
	WRITE_ONCE(st->rate_mbps, now.rate_mbps);
	WRITE_ONCE(st->generation, now.generation);
	WRITE_ONCE(st->margin, now.margin);
	WRITE_ONCE(st->spares, now.spares);
	WRITE_ONCE(st->width_rx, now.width_rx);
	WRITE_ONCE(st->rate_rx_mbps, now.rate_rx_mbps);
	pnic_status_end(st);
unlock:
	spin_unlock_irqrestore(&pd->status_lock, flags);
}

/* Of a card that is gone: down, and no lane carries anything. */
void pnic_status_no_link(struct pnic_dev *pd)
{
	const struct pnic_link_info none = {
		.state = PNIC_LINK_DOWN,
		.gen_tx = cpu_to_le32(pd->status->generation),
	};

	pnic_status_set_link(pd, &none, 0);
}
