// SPDX-License-Identifier: GPL-2.0
/* Any trends of a lane: when they reach the limit, and the verdict. */
#include "any.h"
#include "../../policy_trend.c"

int main(void)
{
	static struct lane_policy pol;
	struct lane_track *t = &pol.track[0];

	any_policy(&pol);
	__CPROVER_assume(trend_sane(&t->power) && trend_sane(&t->quality));
	judge(&pol, t, (s16)nondet_u16());
	__CPROVER_assert(track_sane(t), "a verdict");
	__CPROVER_assert(t->trend_cdb_h <= POWER_MAX * 2 * 1200 &&
			 t->trend_cdb_h >= -POWER_MAX * 2 * 1200, "a slope");
	return 0;
}
