// SPDX-License-Identifier: GPL-2.0
/*
 * A bounded ring of event records, see pnic_evring.h.
 *
 * When it is full new records are counted instead of kept. As soon as there is room
 * for two, PNIC_EVT_OVERRUN with the count goes in before the next record; a reader
 * that empties the ring gets it at once.
 */
#ifdef __KERNEL__
#include <linux/types.h>
#include "../uapi/linux/pnic.h"
#else
#include <stdbool.h>
#include <linux/pnic.h>
#endif

#include "pnic_evring.h"

static __u32 pnic_evring_room(const struct pnic_evring *ring)
{
	return PNIC_EVRING_SIZE - (ring->tail - ring->head);
}

static void pnic_evring_put(struct pnic_evring *ring, const struct pnic_event *ev)
{
	ring->rec[ring->tail++ % PNIC_EVRING_SIZE] = *ev;
}

static struct pnic_event pnic_evring_overrun(struct pnic_evring *ring)
{
	struct pnic_event ev = { .type = PNIC_EVT_OVERRUN, .data = ring->lost };

	ring->lost = 0;
	return ev;
}

void pnic_evring_push(struct pnic_evring *ring, const struct pnic_event *ev)
{
	struct pnic_event overrun;

	if (pnic_evring_room(ring) < (ring->lost ? 2 : 1)) {
		ring->lost++;
		return;
	}
	if (ring->lost) {
		overrun = pnic_evring_overrun(ring);
		pnic_evring_put(ring, &overrun);
	}
	pnic_evring_put(ring, ev);
}

bool pnic_evring_pop(struct pnic_evring *ring, struct pnic_event *ev)
{
	if (ring->head != ring->tail)
		*ev = ring->rec[ring->head++ % PNIC_EVRING_SIZE];
	else if (ring->lost)
		*ev = pnic_evring_overrun(ring);
	else
		return false;
	return true;
}

bool pnic_evring_empty(const struct pnic_evring *ring)
{
	return ring->head == ring->tail && !ring->lost;
}
