// SPDX-License-Identifier: GPL-2.0
/*
 * Repeatable chance for the lane tests: splitmix64.
 */
#include <stdlib.h>

#include "rng.h"

void rng_seed(struct rng *r, u64 seed)
{
	r->s = seed * 0x9e3779b97f4a7c15ULL + 1;
}

u64 rng_next(struct rng *r)
{
	u64 z = r->s += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

u32 rng_below(struct rng *r, u32 n)
{
	return n ? (u32)((rng_next(r) >> 32) * n >> 32) : 0;
}

bool rng_chance(struct rng *r, u32 percent)
{
	return rng_below(r, 100) < percent;
}

u64 test_setting(const char *name, u64 standard)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : standard;
}
