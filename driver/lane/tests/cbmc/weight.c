// SPDX-License-Identifier: GPL-2.0
/* Any time between samples: the weights of one are shares. */
#include "any.h"
#include "../../policy_trend.c"

int main(void)
{
	static struct lane_policy pol;
	u16 k;

	weigh(&pol, nondet_u64());
	for (k = 0; k < LANE_TREND_LEVELS; k++)
		__CPROVER_assert(pol.weight[k] <= 65536, "a share");
	__CPROVER_assert(pol.base_weight <= 65536, "a share");
	return 0;
}
