// SPDX-License-Identifier: GPL-2.0
/* Means, and the symbols that they stand for: no product wraps. */
#include "prove.h"
#include "../../margin.c"

/* mul_up(): proved by mul.c. */
u64 any_mul_up(u64 a, u64 b)
{
	u64 r = nondet_u64();

	__CPROVER_assert(a <= 1ULL << 59 && b <= MEAN_MAX, "what mul_up() can take");
	__CPROVER_assume(r <= a << 4);
	return r;
}

int main(void)
{
	__CPROVER_assert(lane_random_symbols(nondet_u64()) < RANDOM_MAX, "a number of symbols");
	return 0;
}
