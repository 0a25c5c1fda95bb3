// SPDX-License-Identifier: GPL-2.0
/* Any state and event. */
#include "prove.h"

int main(void)
{
	u8 state = nondet_u8(), event = nondet_u8(), next = lane_state_next(state, event);

	__CPROVER_assert(state >= LANE_STATES || next < LANE_STATES, "a state");
	__CPROVER_assert(!next || state, "no lane comes from nowhere");
	__CPROVER_assert(lane_state_name(state) && lane_event_name(event), "a name");
	return 0;
}
