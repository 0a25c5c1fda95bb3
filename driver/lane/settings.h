/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an administrator can set of the lane manager, and what of it makes sense.
 *
 * Used by the agent, by the driver's netlink family (attribute set "policy"), and
 * by the model's command line.
 */
#ifndef LANE_SETTINGS_H
#define LANE_SETTINGS_H

#include "policy.h"

/* One for each knob of the netlink attribute set "policy", in its order. */
enum lane_knob {
	LANE_KNOB_NONE,
	LANE_KNOB_MANAGE,
	LANE_KNOB_STANDBY,
	LANE_KNOB_WATCH_PPB,
	LANE_KNOB_RETIRE_PPB,
	LANE_KNOB_FAIL_PPB,
	LANE_KNOB_MIN_ERRORS,
	LANE_KNOB_COMMON_PCT,
	LANE_KNOB_COMMON_CDB,
	LANE_KNOB_CLUSTER_MIN,
	LANE_KNOB_CLUSTER_NS,
	LANE_KNOB_MARGIN_FLOOR,
	LANE_KNOB_HORIZON_NS,
	LANE_KNOB_QUARANTINE_NS,
	LANE_KNOB_QUARANTINE_MAX_NS,
	LANE_KNOB_CALM_NS,
	LANE_KNOB_GROW_NS,
	LANE_KNOB_BUDGET_NS,
	LANE_KNOB_SETTLE_NS,
	LANE_KNOB_POLL_NS,
	LANE_KNOB_TEST_MBITS,
	LANE_KNOBS
};

/**
 * struct lane_settings - all that can be set while the link runs
 * @knobs: of the policy
 * @manage: false: report, and change nothing unasked
 * @standby: keep a standby plan in the card, if it can
 * @test_mbits: bits of a PRBS test, 2^20; 0: lanes are not tested
 * @settle_ns: lane events within it make one decision
 * @poll_ns: the lane table is read at least so often
 * @budget_ns: work on maps that could wait, at most so much in each second
 */
struct lane_settings {
	struct lane_knobs knobs;
	bool manage, standby;
	u32 test_mbits;
	u64 settle_ns, poll_ns, budget_ns;
};

/** lane_settings_default() - fills @s with the defaults of Documentation/lanes.rst */
void lane_settings_default(struct lane_settings *s);

/**
 * lane_settings_check() - can these be used?
 * @s: any bytes
 * @which: the knob that is to blame, LANE_KNOB_NONE if none is; may be NULL
 *
 * Return: NULL, or what contradicts what, in words.
 */
const char *lane_settings_check(const struct lane_settings *s, enum lane_knob *which);

/** lane_knob_name() - as the netlink attribute is called, e.g. "watch-ppb"; "?" for no knob */
const char *lane_knob_name(enum lane_knob knob);

#endif /* LANE_SETTINGS_H */
