// SPDX-License-Identifier: GPL-2.0
/*
 * The states of a device as a table. Called by pnic_state.c and by the host tests.
 */
#ifdef __KERNEL__
#include <linux/bits.h>
#include <linux/types.h>
#else
#include <stdbool.h>
#define BIT(n)	(1u << (n))
#endif

#include "pnic_state_table.h"

/* From everywhere it can be over, and nothing follows that. Ready is reached by bring-up only. */
#define TO(state)	BIT(PNIC_STATE_##state)

static const struct {
	const char *name;
	unsigned int next;	/* bits of the states that may follow */
	bool passing;
} pnic_state_table[PNIC_STATES] = {
	[PNIC_STATE_PROBING] = { "probing", TO(READY) | TO(GONE) },
	[PNIC_STATE_READY] = { "ready", TO(RESETTING) | TO(LOST) | TO(SUSPENDED) | TO(GONE) },
	[PNIC_STATE_RESETTING] = { "resetting", TO(READY) | TO(FAILED) | TO(GONE), true },
	[PNIC_STATE_FAILED] = { "failed", TO(RESETTING) | TO(LOST) | TO(SUSPENDED) | TO(GONE) },
	[PNIC_STATE_LOST] = { "lost", TO(RESETTING) | TO(GONE), true },
	[PNIC_STATE_SUSPENDED] = { "suspended", TO(RESETTING) | TO(GONE), true },
	[PNIC_STATE_GONE] = { "gone", 0 },
};

bool pnic_state_legal(enum pnic_state from, enum pnic_state to)
{
	if ((unsigned int)from >= PNIC_STATES || (unsigned int)to >= PNIC_STATES)
		return false;
	return pnic_state_table[from].next & BIT(to);
}

bool pnic_state_passing(enum pnic_state state)
{
	return (unsigned int)state < PNIC_STATES && pnic_state_table[state].passing;
}

const char *pnic_state_name(enum pnic_state state)
{
	return (unsigned int)state < PNIC_STATES ? pnic_state_table[state].name : "?";
}
