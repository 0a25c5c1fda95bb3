// SPDX-License-Identifier: GPL-2.0
/* Any lane and event: one step, whatever the counters say. */
#include "any.h"
#include "../../policy_observe.c"

int main(void)
{
	static struct lane_policy pol;
	static struct lane_notes notes;
	u64 now = nondet_u64(), max;
	const u16 lane = 0;
	u8 from;
	bool went;

	any_policy(&pol);
	__CPROVER_assume(now < 1ULL << 63);
	from = pol.track[lane].state;
	max = pol.cfg.knobs.quarantine_max_ns;
	went = lane_policy_step(&pol, lane, nondet_u8(), nondet_u8(), &notes, now);
	__CPROVER_assert(track_sane(&pol.track[lane]), "sane");
	__CPROVER_assert(went == (pol.track[lane].state != from), "whether it went");
	__CPROVER_assert(!from == !pol.track[lane].state, "a state stays one");
	__CPROVER_assert(probation(&pol.cfg.knobs, nondet_u16()) <= max, "the longest probation");
	return 0;
}
