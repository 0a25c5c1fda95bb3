// SPDX-License-Identifier: GPL-2.0
/* A part by a weight of 65536 is no more than the whole. */
#include "any.h"
#include "../../policy_trend.c"

int main(void)
{
	u32 whole = nondet_u32(), weight = nondet_u32();

	__CPROVER_assume(whole <= 2 * MEAN_BOUND && weight <= 65536);
	__CPROVER_assert(part_of(whole, weight) <= whole, "a part");
	return 0;
}
