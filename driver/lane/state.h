/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The states of a receive lane and what moves it from one to another.
 */
#ifndef LANE_STATE_H
#define LANE_STATE_H

#include "lane_types.h"

/* As enum pnic_lane_status of the uapi. */
enum lane_state {
	LANE_SPARE = 1,		/* lit, good, in no map */
	LANE_ACTIVE,		/* carries a logical lane */
	LANE_WATCH,		/* carries one, drifting */
	LANE_RETIRING,		/* carries one, to be replaced when it costs nothing */
	LANE_FAILED,		/* dark, or past all use */
	LANE_QUARANTINED,	/* recovered, on probation */
	LANE_DISABLED,		/* switched off, here or at the transmitter */
	LANE_TESTING,		/* in no map, under a PRBS test */
	LANE_STATES
};

enum lane_event {
	LANE_EV_NONE,
	LANE_EV_LOST,		/* no light or no lock */
	LANE_EV_BACK,		/* light and lock again */
	LANE_EV_MAPPED,		/* in the active map */
	LANE_EV_UNMAPPED,	/* not (any more) in the active map */
	LANE_EV_DRIFT,		/* errors past the watch limit */
	LANE_EV_ERRORS,		/* errors past the retire limit */
	LANE_EV_RUINED,		/* errors past the fail limit */
	LANE_EV_CLEAN,		/* errors below the watch limit again */
	LANE_EV_PROVEN,		/* probation is over */
	LANE_EV_OFF,		/* switched off by an administrator */
	LANE_EV_ON,
	LANE_EV_FADE,		/* the trend reaches the retire limit in twice the horizon */
	LANE_EV_TREND,		/* within the horizon */
	LANE_EV_ASKED,		/* to be replaced, says an administrator or the cable's history */
	LANE_EV_TEST,		/* a PRBS test is due */
	LANE_EV_PASSED,
	LANE_EV_FLUNKED,
	LANE_EV_STOPPED,	/* the test ended without a verdict */
	LANE_EV_UNDONE,		/* an administrator took the last change back */
	LANE_EVENTS
};

/* The state after @event: @state itself where the table has nothing. */
u8 lane_state_next(u8 state, u8 event);
const char *lane_state_name(u8 state);
const char *lane_event_name(u8 event);

#endif /* LANE_STATE_H */
