// SPDX-License-Identifier: GPL-2.0
/* Any number: its square root, rounded down. */
#include "root.h"

static u64 number, left, twice, next;

/* As root.c has it: what it leaves is what it finds for the next bit. */
void any_root_bit(u64 *x, u64 *root, u64 bit)
{
	bool is_one = false;
	int k;

	for (k = 0; k < 32; k++)
		if (bit == 1ULL << (2 * k)) {
			is_one = true;
			if (nondet_bool())
				so_far |= 1u << k;
		}
	__CPROVER_assert(is_one, "the square of a bit");
	if (next)
		__CPROVER_assert(bit == next && *x == left && *root == twice, "the next bit");
	else
		__CPROVER_assert(*x == number && !*root && (bit >> 62 || *x < 4 * bit),
				 "the first bit");
	*x = nondet_u64();
	*root = nondet_u64();
	__CPROVER_assume(bit > 1 || root_sane(-1, *x, *root));
	next = bit >> 2;
	left = *x;
	twice = *root;
}

int main(void)
{
	u32 root;

	number = nondet_u64();
	root = lane_isqrt(number);
	__CPROVER_assert(root == so_far, "the root");
	__CPROVER_assert(!next && left <= 2 * (u64)root, "less is left than to the next");
	__CPROVER_assert(number >> 32 || !(root >> 16), "half the bits");
	return 0;
}
