/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A bounded ring of event records that never drops silently. Pure, so that the
 * host tests have it too; pnic_event.c is its only user in the kernel.
 */
#ifndef PNIC_EVRING_H
#define PNIC_EVRING_H

#define PNIC_EVRING_SIZE	64	/* a power of two */

/**
 * struct pnic_evring - records waiting to be read
 * @head: index of the oldest
 * @tail: index past the newest
 * @lost: records that found no room since the last that did
 * @rec: the records
 */
struct pnic_evring {
	__u32 head;
	__u32 tail;
	__u64 lost;
	struct pnic_event rec[PNIC_EVRING_SIZE];
};

void pnic_evring_push(struct pnic_evring *ring, const struct pnic_event *ev);
/* False if there is nothing. */
bool pnic_evring_pop(struct pnic_evring *ring, struct pnic_event *ev);
bool pnic_evring_empty(const struct pnic_evring *ring);

#endif /* PNIC_EVRING_H */
