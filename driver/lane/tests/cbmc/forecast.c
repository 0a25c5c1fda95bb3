// SPDX-License-Identifier: GPL-2.0
/* The life of any number of spares: no product wraps. */
#include "prove.h"
#include "../../forecast.c"

u32 lane_isqrt(u64 x)
{
	u32 root = nondet_u32();

	__CPROVER_assume(x >> 32 || root <= 0xffff);
	__CPROVER_assume(x >> 33 || root <= 0x1ffff);
	return root;
}

int main(void)
{
	struct lane_forecast f;

	__CPROVER_havoc_object(&f);
	lane_forecast_of(&f);
	__CPROVER_assert(f.lost || f.life_s == LANE_NEVER, "nothing was lost");
	return 0;
}
