// SPDX-License-Identifier: GPL-2.0
/* The Q of any rate. */
#include "prove.h"
#include "../../rate.c"

int main(void)
{
	s16 q = lane_rate_q(nondet_u32());

	__CPROVER_assert(q >= 0 && q <= 804, "what the table has");
	return 0;
}
