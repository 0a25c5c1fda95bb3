// SPDX-License-Identifier: GPL-2.0
/* The interval of any count, with any root and any variance. */
#include "prove.h"
#include "../../rate.c"

u32 any_isqrt(u64 x)
{
	u32 root = nondet_u32();

	__CPROVER_assume(x >> 32 || root <= 0xffff);
	return root;
}

u64 any_variance(u64 errors, u64 symbols)
{
	u64 v = nondet_u64();

	(void)errors;
	__CPROVER_assert(symbols && symbols <= COUNT_MAX, "counts that fit");
	__CPROVER_assume(v <= 1ULL << 60);
	return v;
}

u64 any_share_ppb(u64 a, u64 n)
{
	u64 share = nondet_u64();

	(void)a;
	__CPROVER_assert(n && n <= COUNT_MAX * 1000 + Z2_M + 1, "counts that fit");
	__CPROVER_assume(share <= BILLION);
	return share;
}

int main(void)
{
	u64 symbols = nondet_u64();
	u32 low, high;

	lane_rate_interval(nondet_u64(), symbols, &low, &high);
	__CPROVER_assert(low <= BILLION && high <= BILLION, "shares");
	__CPROVER_assert(symbols || (!low && high == BILLION), "nothing is known");
	return 0;
}
