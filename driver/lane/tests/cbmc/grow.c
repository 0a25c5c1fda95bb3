// SPDX-License-Identifier: GPL-2.0
/* Any decision: the width grows by spares, and not if that costs the last of the margin. */
#include "decide.h"

int main(void)
{
	struct decision d;
	struct seen was;
	s16 after;
	u64 next;
	u16 l;

	any_decision(&d);
	look(&d, &was);
	next = plan.next_at;
	grow(&d);
	after = any_margin_of(&pol, rec, &plan.map);
	__CPROVER_assert(spares_sane(&d), "spares");
	__CPROVER_assert(map_sane(&d), "a map");
	__CPROVER_assert(none_gone(), "none goes");
	__CPROVER_assert(moves_sane(&d), "moves");
	__CPROVER_assert(plan.map.width == was.map.width + plan.grown, "counted");
	for (l = 0; l < was.map.width; l++)
		__CPROVER_assert(plan.map.phys[l] == was.map.phys[l], "what was stays");
	for (l = was.map.width; l < plan.map.width; l++)
		__CPROVER_assert(pol.track[plan.map.phys[l]].ppb < pol.cfg.knobs.watch_ppb, "good");
	__CPROVER_assert(!plan.grown || after >= plan.margin_now ||
			 after >= pol.cfg.knobs.margin_floor, "margin is left");
	__CPROVER_assert(plan.grown || nothing_told(&was), "nothing told of nothing");
	wait_for_lanes(&d);
	__CPROVER_assert(plan.next_at <= next, "not later");
	return 0;
}
