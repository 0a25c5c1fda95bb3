// SPDX-License-Identifier: GPL-2.0
/* A link beyond FEC: only lanes that work badly are given up, and one is left. */
#include "decide.h"

/* limit.c */
u32 any_limit(const struct decision *d)
{
	u32 limit = nondet_u32();

	__CPROVER_assert(d->plan == &plan, "a plan");
	__CPROVER_assume(!limit || (limit >= pol.cfg.knobs.retire_ppb && limit <= BILLION));
	return limit;
}

int main(void)
{
	struct decision d;
	struct seen was;
	u16 l;

	any_decision(&d);
	__CPROVER_assume(!given_up && plan.dropped <= DATA);
	look(&d, &was);
	shrink_blind(&d);
	given_up = true;
	assert_sane(&d);
	__CPROVER_assert(dropped_only(&d, &was), "none is new");
	for (l = 0; l < was.map.width; l++)
		__CPROVER_assert(has(&plan.map, was.map.phys[l]) || was.need[l] == NEED_DARK ||
				 was.need[l] == NEED_RUINED || was.need[l] == NEED_CALM,
				 "those that work badly");
	return 0;
}
