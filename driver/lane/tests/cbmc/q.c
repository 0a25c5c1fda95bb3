// SPDX-License-Identifier: GPL-2.0
/* The Q of any rate, and the rate of any Q. */
#include "prove.h"
#include "../../rate.c"

int main(void)
{
	s16 q = lane_rate_q(nondet_u32());
	s32 cdb = (s32)nondet_u32();
	u32 rate;

	__CPROVER_assert(q >= 0 && q <= 804, "what the table has");
	rate = lane_rate_at(cdb);
	__CPROVER_assert(rate && rate <= BILLION, "a rate");
	return 0;
}
