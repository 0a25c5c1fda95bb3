// SPDX-License-Identifier: GPL-2.0
/* Any counters of a lane: what they add to its evidence, and its verdict. */
#include "any.h"
#include "../../policy_observe.c"

int main(void)
{
	static struct lane_policy pol;
	static struct lane_rec rec[TOTAL];
	struct lane_track *t = &pol.track[0];
	u8 verdict;

	any_policy(&pol);
	any_table(rec);
	update_evidence(&pol, t, &rec[0]);
	__CPROVER_assert(track_sane(t), "a window");
	__CPROVER_assert(t->mbits == rec[0].mbits && t->errors == rec[0].sym_errors, "read");
	verdict = t->verdict;
	add_verdict(&pol, t, &rec[0]);
	__CPROVER_assert(track_sane(t), "a verdict");
	__CPROVER_assert(t->verdict == verdict || t->verdict == LANE_EV_DRIFT ||
			 t->verdict == LANE_EV_ERRORS || t->verdict == LANE_EV_RUINED ||
			 t->verdict == LANE_EV_CLEAN, "of errors");
	return 0;
}
