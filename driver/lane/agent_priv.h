/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the agent share: agent.c (turns), agent_stats.c (counts, alarms,
 * latency), agent_test.c (PRBS tests), request.c (administrators).
 */
#ifndef LANE_AGENT_PRIV_H
#define LANE_AGENT_PRIV_H

#include "agent.h"

void lane_agent_tell(struct lane_agent *a, const struct lane_note *note);
void lane_agent_tell_all(struct lane_agent *a, const struct lane_notes *notes, u64 now);
/* Reads the lane table and lets the policy take it in; false: there is none to be had. */
bool lane_agent_look(struct lane_agent *a, u64 now);
/* The settings in force, where the policy has them. */
void lane_agent_apply(struct lane_policy *pol, const struct lane_settings *s, bool can_test);
bool lane_agent_can_test(const struct lane_agent *a, const struct lane_settings *s);

/* agent_stats.c */
void lane_agent_count(struct lane_agent *a);
/* The receive map has become another one: how long after the losses that it mends? */
void lane_agent_mended(struct lane_agent *a, const struct lane_map *before,
		       const struct lane_map *after);
/* Takes alarms up that a note tells of, and those back that are over. */
void lane_agent_note_alarms(struct lane_agent *a, const struct lane_note *note);
void lane_agent_tick_alarms(struct lane_agent *a, u64 now);

/* agent_test.c: has the card begin the tests that the policy wants. */
void lane_agent_start_tests(struct lane_agent *a, u64 now);
void lane_agent_stop_test(struct lane_agent *a, u16 lane);

#endif /* LANE_AGENT_PRIV_H */
