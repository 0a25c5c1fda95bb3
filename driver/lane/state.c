// SPDX-License-Identifier: GPL-2.0
/*
 * The states of a receive lane, as a table.
 */
#include "state.h"

/* What is not here changes nothing. */
static const u8 next_state[LANE_STATES][LANE_EVENTS] = {
	[LANE_SPARE] = {
		[LANE_EV_LOST]		= LANE_FAILED,
		[LANE_EV_MAPPED]	= LANE_ACTIVE,
		[LANE_EV_ERRORS]	= LANE_QUARANTINED,
		[LANE_EV_RUINED]	= LANE_QUARANTINED,
		[LANE_EV_TEST]		= LANE_TESTING,
		[LANE_EV_OFF]		= LANE_DISABLED,
	},
	[LANE_ACTIVE] = {
		[LANE_EV_LOST]		= LANE_FAILED,
		[LANE_EV_UNMAPPED]	= LANE_SPARE,
		[LANE_EV_DRIFT]		= LANE_WATCH,
		[LANE_EV_FADE]		= LANE_WATCH,
		[LANE_EV_ERRORS]	= LANE_RETIRING,
		[LANE_EV_TREND]		= LANE_RETIRING,
		[LANE_EV_ASKED]		= LANE_RETIRING,
		[LANE_EV_RUINED]	= LANE_FAILED,
		[LANE_EV_OFF]		= LANE_DISABLED,
	},
	[LANE_WATCH] = {
		[LANE_EV_LOST]		= LANE_FAILED,
		[LANE_EV_UNMAPPED]	= LANE_SPARE,
		[LANE_EV_ERRORS]	= LANE_RETIRING,
		[LANE_EV_TREND]		= LANE_RETIRING,
		[LANE_EV_ASKED]		= LANE_RETIRING,
		[LANE_EV_RUINED]	= LANE_FAILED,
		[LANE_EV_CLEAN]		= LANE_ACTIVE,
		[LANE_EV_OFF]		= LANE_DISABLED,
	},
	[LANE_RETIRING] = {
		[LANE_EV_LOST]		= LANE_FAILED,
		[LANE_EV_UNMAPPED]	= LANE_QUARANTINED,
		[LANE_EV_RUINED]	= LANE_FAILED,
		[LANE_EV_CLEAN]		= LANE_ACTIVE,
		[LANE_EV_OFF]		= LANE_DISABLED,
		[LANE_EV_UNDONE]	= LANE_ACTIVE,
	},
	[LANE_FAILED] = {
		[LANE_EV_BACK]		= LANE_QUARANTINED,
		[LANE_EV_CLEAN]		= LANE_WATCH,
		[LANE_EV_OFF]		= LANE_DISABLED,
	},
	[LANE_QUARANTINED] = {
		[LANE_EV_LOST]		= LANE_FAILED,
		[LANE_EV_MAPPED]	= LANE_ACTIVE,
		[LANE_EV_PROVEN]	= LANE_SPARE,
		[LANE_EV_TEST]		= LANE_TESTING,
		[LANE_EV_OFF]		= LANE_DISABLED,
		[LANE_EV_UNDONE]	= LANE_SPARE,
	},
	[LANE_DISABLED] = {
		[LANE_EV_ON]		= LANE_QUARANTINED,
		[LANE_EV_UNDONE]	= LANE_SPARE,
	},
	[LANE_TESTING] = {
		[LANE_EV_LOST]		= LANE_FAILED,
		[LANE_EV_MAPPED]	= LANE_ACTIVE,
		[LANE_EV_PROVEN]	= LANE_SPARE,
		[LANE_EV_PASSED]	= LANE_SPARE,
		[LANE_EV_FLUNKED]	= LANE_QUARANTINED,
		[LANE_EV_STOPPED]	= LANE_QUARANTINED,
		[LANE_EV_OFF]		= LANE_DISABLED,
	},
};

static const char * const state_names[LANE_STATES] = {
	[0]			= "?",
	[LANE_SPARE]		= "spare",
	[LANE_ACTIVE]		= "active",
	[LANE_WATCH]		= "watch",
	[LANE_RETIRING]		= "retiring",
	[LANE_FAILED]		= "failed",
	[LANE_QUARANTINED]	= "quarantined",
	[LANE_DISABLED]		= "disabled",
	[LANE_TESTING]		= "testing",
};

static const char * const event_names[LANE_EVENTS] = {
	[LANE_EV_NONE]		= "?",
	[LANE_EV_LOST]		= "light lost",
	[LANE_EV_BACK]		= "light back",
	[LANE_EV_MAPPED]	= "taken into the map",
	[LANE_EV_UNMAPPED]	= "out of the map",
	[LANE_EV_DRIFT]		= "errors past the watch limit",
	[LANE_EV_ERRORS]	= "errors past the retire limit",
	[LANE_EV_RUINED]	= "errors past the fail limit",
	[LANE_EV_CLEAN]		= "errors below the watch limit",
	[LANE_EV_PROVEN]	= "probation over",
	[LANE_EV_OFF]		= "switched off",
	[LANE_EV_ON]		= "switched on",
	[LANE_EV_FADE]		= "trend nears the retire limit",
	[LANE_EV_TREND]		= "trend reaches the retire limit",
	[LANE_EV_ASKED]		= "asked for",
	[LANE_EV_TEST]		= "test is due",
	[LANE_EV_PASSED]	= "test passed",
	[LANE_EV_FLUNKED]	= "test failed",
	[LANE_EV_STOPPED]	= "test stopped",
	[LANE_EV_UNDONE]	= "taken back",
};

u8 lane_state_next(u8 state, u8 event)
{
	u8 next;

	if (state >= LANE_STATES || event >= LANE_EVENTS)
		return state;
	next = next_state[state][event];
	return next ? next : state;
}

const char *lane_state_name(u8 state)
{
	return state_names[state < LANE_STATES ? state : 0];
}

const char *lane_event_name(u8 event)
{
	return event_names[event < LANE_EVENTS ? event : 0];
}
