/* SPDX-License-Identifier: GPL-2.0 */
/* A square root under way (rate.c), bit by bit from the top. */
#ifndef LANE_CBMC_ROOT_H
#define LANE_CBMC_ROOT_H

#include "prove.h"
#include "../../rate.c"

/* The bits of the root so far: a. */
static u32 so_far;

/*
 * Bit @k, b, is the next one; -1: none is left. @root has 2ab, and @x, what a^2 leaves of the
 * number, is less than (a + 2b)^2 - a^2.
 */
static inline bool root_sane(int k, u64 x, u64 root)
{
	u64 below = (1ULL << (k + 1)) - 1, reach = k < 31 ? 1ULL << (2 * k + 2) : 0;

	return !(so_far & below) && root == (u64)so_far << (k + 1) &&
	       (k == 31 || x < 2 * root + reach);
}

#endif /* LANE_CBMC_ROOT_H */
