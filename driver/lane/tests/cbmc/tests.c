// SPDX-License-Identifier: GPL-2.0
/* Any lane: its PRBS test begins, doesn't, or is over; what an administrator does with it. */
#include "any.h"
#include "../../policy_observe.c"
#include "../../policy_admin.c"

int main(void)
{
	static struct lane_policy pol;
	static struct lane_rec rec[TOTAL];
	static struct lane_notes notes;
	const u16 lane = 0;
	u8 action = nondet_u8();
	struct lane_track *t;

	any_policy(&pol);
	any_table(rec);
	t = &pol.track[lane];
	switch (nondet_u8()) {
	case 0:
		lane_policy_test_started(&pol, lane, nondet_bool(), &notes, nondet_u64());
		break;
	case 1:
		lane_policy_tested(&pol, lane, nondet_u64(), nondet_u64(), &notes, nondet_u64());
		break;
	case 2:
		if (lane_policy_may(&pol, rec, lane, action))
			break;
		lane_policy_act(&pol, lane, action, nondet_bool(), &notes, nondet_u64());
		__CPROVER_assert(t->state, "a lane that was seen");
		__CPROVER_assert(action != LANE_REQ_TEST || t->state == LANE_TESTING, "tested");
		__CPROVER_assert(action != LANE_REQ_DISABLE || t->state == LANE_DISABLED,
				 "disabled");
		break;
	default:
		lane_policy_undo(&pol, lane, action, &notes, nondet_u64());
	}
	__CPROVER_assert(track_sane(t), "sane");
	return 0;
}
