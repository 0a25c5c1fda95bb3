// SPDX-License-Identifier: GPL-2.0
/* Any lane: the steps that one lane table makes. */
#include "any.h"
#include "../../policy_observe.c"

int main(void)
{
	static struct lane_policy pol;
	static struct lane_rec rec[TOTAL];
	static struct lane_notes notes;
	const u16 lane = 0;
	struct lane_track *t;

	any_policy(&pol);
	any_table(rec);
	t = &pol.track[lane];
	step_lane(&pol, lane, &rec[lane], &notes, nondet_u64());
	__CPROVER_assert(t->state && track_sane(t), "a state");
	__CPROVER_assert(!t->off || t->state == LANE_DISABLED, "what is disabled stays so");
	__CPROVER_assert(rec[lane].state != PNIC_LANE_OFF || t->state == LANE_DISABLED, "off");
	__CPROVER_assert(rec[lane].state != PNIC_LANE_LOS || t->state == LANE_FAILED ||
			 t->state == LANE_DISABLED, "dark");
	__CPROVER_assert(!t->in_map || (t->state != LANE_SPARE && t->state != LANE_TESTING),
			 "in use");
	return 0;
}
