/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pnic: what was seen, decided and done on the lanes of a device: the last
 * entries, each with a number.
 *
 * Filled by the lane manager (pnic_lanes_card.c), read by debugfs and netlink. It
 * lives as long as the device.
 */
#ifndef PNIC_HISTORY_H
#define PNIC_HISTORY_H

#include <linux/spinlock.h>

#include "lane/note.h"

#define PNIC_HISTORY_SIZE	1024		/* a power of two */

/**
 * struct pnic_history_entry - something that was seen, decided or done
 * @seq: its number, from 1
 * @wall_ns: CLOCK_REALTIME; @note has CLOCK_MONOTONIC
 * @generation: of the receive map that was active
 * @note: what it is
 */
struct pnic_history_entry {
	u64 seq;
	u64 wall_ns;
	u32 generation;
	struct lane_note note;
};

/**
 * struct pnic_history - the last entries
 * @lock: protects what follows; innermost, interrupts off
 * @last: number of the newest, 0: there is none
 * @ring: entry n is at n % PNIC_HISTORY_SIZE
 */
struct pnic_history {
	spinlock_t lock;	/* see above */
	u64 last;
	struct pnic_history_entry ring[PNIC_HISTORY_SIZE];
};

void pnic_history_init(struct pnic_history *h);
/* Takes a copy. Any context. */
void pnic_history_add(struct pnic_history *h, const struct lane_note *note, u32 generation);
u64 pnic_history_last(struct pnic_history *h);
/* The oldest entry past @seq that is still there; false: there is none. */
bool pnic_history_next(struct pnic_history *h, u64 seq, struct pnic_history_entry *entry);

#endif /* PNIC_HISTORY_H */
