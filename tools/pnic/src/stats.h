/* SPDX-License-Identifier: GPL-2.0 */
/* The counters of the family: what they are called and what they count. */
#ifndef PNIC_TOOL_STATS_H
#define PNIC_TOOL_STATS_H

#include <stdio.h>

#include "fields.h"

/**
 * struct stat_desc - a counter
 * @attr: PNIC_A_COUNTERS_*
 * @metric: its name in OpenMetrics, without pnic_ and _total
 * @unit: "bytes", or NULL
 * @help: what it counts
 */
struct stat_desc {
	unsigned int attr;
	const char *metric, *unit, *help;
};

/* Ended by one without @metric. */
extern const struct stat_desc stat_descs[];

uint64_t stat_value(const struct counters *c, unsigned int attr);

/**
 * struct snapshot - what openmetrics() writes of a device
 * @dev: the device
 * @links: its link, or empty
 * @counters: its counters, or empty
 */
struct snapshot {
	struct dev dev;
	struct list links, counters;
};

/* @snapshots: struct snapshot. Writes everything, the end mark too. */
void openmetrics(FILE *f, const struct list *snapshots);

#endif /* PNIC_TOOL_STATS_H */
