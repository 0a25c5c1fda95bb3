/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Repeatable chance for the lane tests.
 */
#ifndef LANE_TEST_RNG_H
#define LANE_TEST_RNG_H

#include "../lane_types.h"

/* Divides the work of the long tests where a sanitizer makes it slow. */
#ifndef LANE_TEST_SHARE
#define LANE_TEST_SHARE		1
#endif

struct rng {
	u64 s;
};

void rng_seed(struct rng *r, u64 seed);
u64 rng_next(struct rng *r);
u32 rng_below(struct rng *r, u32 n);
/* True in @percent of the cases. */
bool rng_chance(struct rng *r, u32 percent);
/* A number from the environment, or @standard. */
u64 test_setting(const char *name, u64 standard);

#endif /* LANE_TEST_RNG_H */
