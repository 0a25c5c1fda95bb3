// SPDX-License-Identifier: GPL-2.0
/*
 * The history of a device's lanes, see pnic_history.h.
 */
#include <linux/ktime.h>

#include "pnic_history.h"

void pnic_history_init(struct pnic_history *h)
{
	spin_lock_init(&h->lock);
	h->last = 0;
}

void pnic_history_add(struct pnic_history *h, const struct lane_note *note, u32 generation)
{
	struct pnic_history_entry *entry;
	unsigned long flags;

	spin_lock_irqsave(&h->lock, flags);
	h->last++;
	entry = &h->ring[h->last % PNIC_HISTORY_SIZE];
	entry->seq = h->last;
	entry->wall_ns = ktime_get_real_ns();
	entry->generation = generation;
	entry->note = *note;
	spin_unlock_irqrestore(&h->lock, flags);
}

u64 pnic_history_last(struct pnic_history *h)
{
	unsigned long flags;
	u64 last;

	spin_lock_irqsave(&h->lock, flags);
	last = h->last;
	spin_unlock_irqrestore(&h->lock, flags);
	return last;
}

bool pnic_history_next(struct pnic_history *h, u64 seq, struct pnic_history_entry *entry)
{
	unsigned long flags;
	bool there;

	spin_lock_irqsave(&h->lock, flags);
	there = seq < h->last;
	if (there) {
		if (h->last - seq > PNIC_HISTORY_SIZE)
			seq = h->last - PNIC_HISTORY_SIZE;
		*entry = h->ring[(seq + 1) % PNIC_HISTORY_SIZE];
	}
	spin_unlock_irqrestore(&h->lock, flags);
	return there;
}
