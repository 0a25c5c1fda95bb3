/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For -include: a quotient that is only known to a power of two. What is proved with it
 * holds for the true one, and is found in seconds, not hours.
 */
#ifndef LANE_CBMC_DIV_H
#define LANE_CBMC_DIV_H

#include <stdbool.h>

#define lane_div64	rough_div64

void __CPROVER_assume(bool so);
void __CPROVER_assert(bool so, const char *what);
unsigned long long nondet_ull(void);

static inline unsigned long long rough_div64(unsigned long long a, unsigned long long b)
{
	unsigned long long q = nondet_ull(), most = a;
	int bits;

	__CPROVER_assert(b, "no division by zero");
	for (bits = 1; bits < 64; bits++)
		if (b >> bits)
			most = a >> bits;
	__CPROVER_assume(q <= most);
	return q;
}

#endif /* LANE_CBMC_DIV_H */
