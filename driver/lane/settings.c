// SPDX-License-Identifier: GPL-2.0
/*
 * Defaults of the settings, and their check: a table of ranges, then what
 * settings must be to each other.
 */
#include "settings.h"

#define MS			1000000ULL
#define SEC			1000000000ULL
#define DAY			(86400 * SEC)
#define BILLION			1000000000ULL

void lane_settings_default(struct lane_settings *s)
{
	memset(s, 0, sizeof(*s));
	lane_knobs_default(&s->knobs);
	s->manage = true;
	s->standby = true;
	s->test_mbits = 1024;
	s->settle_ns = 1 * MS;
	s->poll_ns = 1 * SEC;
	s->budget_ns = 60 * MS;
}

struct knob_range {
	u8 knob;		/* enum lane_knob */
	u64 min, max;
	const char *fault;
};

/* The same limits as the netlink specification has. */
static const struct knob_range ranges[] = {
	{ LANE_KNOB_WATCH_PPB, 1, BILLION, "the watch limit is 1 to 10^9 wrong symbols in 10^9" },
	{ LANE_KNOB_RETIRE_PPB, 1, BILLION, "the retire limit is 1 to 10^9 wrong symbols in 10^9" },
	{ LANE_KNOB_FAIL_PPB, 1, BILLION, "the fail limit is 1 to 10^9 wrong symbols in 10^9" },
	{ LANE_KNOB_MIN_ERRORS, 1, 65535, "no rate can be believed without an error" },
	{ LANE_KNOB_COMMON_PCT, 1, 100, "a share of the lanes is 1 to 100 per cent" },
	{ LANE_KNOB_COMMON_CDB, 1, 10000, "a common loss of power is 0.01 to 100 dB" },
	{ LANE_KNOB_CLUSTER_MIN, 2, LANE_MAX, "a cluster has at least 2 lanes, and at most all" },
	{ LANE_KNOB_CLUSTER_NS, 0, 3600 * SEC, "at one time is at most an hour" },
	{ LANE_KNOB_MARGIN_FLOOR, 0, LANE_MAX, "a margin is at most the number of lanes" },
	{ LANE_KNOB_HORIZON_NS, 0, 365 * DAY, "the horizon is at most a year" },
	{ LANE_KNOB_QUARANTINE_NS, 0, DAY, "a probation is at most a day" },
	{ LANE_KNOB_QUARANTINE_MAX_NS, 0, DAY, "a probation is at most a day" },
	{ LANE_KNOB_CALM_NS, 0, 3600 * SEC, "the wait before a calm change is at most an hour" },
	{ LANE_KNOB_GROW_NS, 0, DAY, "the wait before growth is at most a day" },
	{ LANE_KNOB_BUDGET_NS, 1 * MS, 60 * SEC, "the budget is 1 ms to a minute in each second" },
	{ LANE_KNOB_SETTLE_NS, 0, 1 * SEC, "lane events are collected for at most a second" },
	{ LANE_KNOB_POLL_NS, 10 * MS, 3600 * SEC, "the lane table is read every 10 ms to hour" },
	{ LANE_KNOB_TEST_MBITS, 0, 1048576, "a lane test is at most 2^40 bits" },
};

static u64 value_of(const struct lane_settings *s, u8 knob)
{
	const struct lane_knobs *k = &s->knobs;

	switch (knob) {
	case LANE_KNOB_WATCH_PPB:
		return k->watch_ppb;
	case LANE_KNOB_RETIRE_PPB:
		return k->retire_ppb;
	case LANE_KNOB_FAIL_PPB:
		return k->fail_ppb;
	case LANE_KNOB_MIN_ERRORS:
		return k->min_errors;
	case LANE_KNOB_COMMON_PCT:
		return k->common_pct;
	case LANE_KNOB_COMMON_CDB:
		return k->common_cdb;
	case LANE_KNOB_CLUSTER_MIN:
		return k->cluster_min;
	case LANE_KNOB_CLUSTER_NS:
		return k->cluster_ns;
	case LANE_KNOB_MARGIN_FLOOR:
		return k->margin_floor;
	case LANE_KNOB_HORIZON_NS:
		return k->horizon_ns;
	case LANE_KNOB_QUARANTINE_NS:
		return k->quarantine_ns;
	case LANE_KNOB_QUARANTINE_MAX_NS:
		return k->quarantine_max_ns;
	case LANE_KNOB_CALM_NS:
		return k->calm_ns;
	case LANE_KNOB_GROW_NS:
		return k->grow_ns;
	case LANE_KNOB_BUDGET_NS:
		return s->budget_ns;
	case LANE_KNOB_SETTLE_NS:
		return s->settle_ns;
	case LANE_KNOB_POLL_NS:
		return s->poll_ns;
	case LANE_KNOB_TEST_MBITS:
		return s->test_mbits;
	}
	return 0;
}

static const char *blame(enum lane_knob *which, enum lane_knob knob, const char *why)
{
	*which = knob;
	return why;
}

static const char *check_pairs(const struct lane_settings *s, enum lane_knob *which)
{
	const struct lane_knobs *k = &s->knobs;

	if (k->watch_ppb > k->retire_ppb)
		return blame(which, LANE_KNOB_WATCH_PPB,
			     "the watch limit is past the retire limit");
	if (k->retire_ppb > k->fail_ppb)
		return blame(which, LANE_KNOB_RETIRE_PPB,
			     "the retire limit is past the fail limit");
	if (k->quarantine_ns > k->quarantine_max_ns)
		return blame(which, LANE_KNOB_QUARANTINE_NS,
			     "the first probation is longer than the longest");
	if (k->calm_ns > k->grow_ns)
		return blame(which, LANE_KNOB_GROW_NS,
			     "the width would grow before lanes that err are replaced");
	if (s->settle_ns > s->poll_ns)
		return blame(which, LANE_KNOB_SETTLE_NS,
			     "lane events would be collected for longer than a poll takes");
	return NULL;
}

const char *lane_settings_check(const struct lane_settings *s, enum lane_knob *which)
{
	enum lane_knob none;
	size_t i;

	if (!which)
		which = &none;
	*which = LANE_KNOB_NONE;
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		u64 value = value_of(s, ranges[i].knob);

		if (value < ranges[i].min || value > ranges[i].max)
			return blame(which, ranges[i].knob, ranges[i].fault);
	}
	return check_pairs(s, which);
}

const char *lane_knob_name(enum lane_knob knob)
{
	static const char * const names[LANE_KNOBS] = {
		[LANE_KNOB_NONE]		= "?",
		[LANE_KNOB_MANAGE]		= "manage",
		[LANE_KNOB_STANDBY]		= "standby",
		[LANE_KNOB_WATCH_PPB]		= "watch-ppb",
		[LANE_KNOB_RETIRE_PPB]		= "retire-ppb",
		[LANE_KNOB_FAIL_PPB]		= "fail-ppb",
		[LANE_KNOB_MIN_ERRORS]		= "min-errors",
		[LANE_KNOB_COMMON_PCT]		= "common-pct",
		[LANE_KNOB_COMMON_CDB]		= "common-cdb",
		[LANE_KNOB_CLUSTER_MIN]		= "cluster-min",
		[LANE_KNOB_CLUSTER_NS]		= "cluster-ms",
		[LANE_KNOB_MARGIN_FLOOR]	= "margin-floor",
		[LANE_KNOB_HORIZON_NS]		= "horizon-s",
		[LANE_KNOB_QUARANTINE_NS]	= "quarantine-ms",
		[LANE_KNOB_QUARANTINE_MAX_NS]	= "quarantine-max-ms",
		[LANE_KNOB_CALM_NS]		= "calm-ms",
		[LANE_KNOB_GROW_NS]		= "grow-ms",
		[LANE_KNOB_BUDGET_NS]		= "budget-ms",
		[LANE_KNOB_SETTLE_NS]		= "settle-us",
		[LANE_KNOB_POLL_NS]		= "poll-ms",
		[LANE_KNOB_TEST_MBITS]		= "test-mbits",
	};

	return (u32)knob < LANE_KNOBS ? names[knob] : "?";
}
