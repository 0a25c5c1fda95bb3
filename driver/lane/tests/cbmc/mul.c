// SPDX-License-Identifier: GPL-2.0
/* The product with a mean in steps of 1/16 doesn't wrap. */
#include "prove.h"
#include "../../margin.c"

int main(void)
{
	u64 a = nondet_u64(), b = nondet_u64();

	__CPROVER_assume(a <= 1ULL << 59 && b <= MEAN_MAX && !(b << 36));
	__CPROVER_assert(mul_up(a, b) <= a << 4, "at most 16 times as much");
	return 0;
}
