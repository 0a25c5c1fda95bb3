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

void pnic_status_set_link(struct pnic_dev *pd, u32 state, u32 width, u32 rate_mbps, u32 generation,
			  u32 margin, u32 spares)
{
	struct pnic_status_page *st = pd->status;
	unsigned long flags;

	spin_lock_irqsave(&pd->status_lock, flags);
	/* A process that watches @events is not to be woken for nothing. */
	if (st->link_state == state && st->width == width && st->rate_mbps == rate_mbps &&
	    st->generation == generation && st->margin == margin && st->spares == spares &&
	    st->width_max == pd->caps.lanes_data)
		goto unlock;
	pnic_status_begin(st);
	WRITE_ONCE(st->link_state, state);
	WRITE_ONCE(st->width, width);
	WRITE_ONCE(st->width_max, pd->caps.lanes_data);
	WRITE_ONCE(st->rate_mbps, rate_mbps);
	WRITE_ONCE(st->generation, generation);
	WRITE_ONCE(st->margin, margin);
	WRITE_ONCE(st->spares, spares);
	pnic_status_end(st);
unlock:
	spin_unlock_irqrestore(&pd->status_lock, flags);
}
