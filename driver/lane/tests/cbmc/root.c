// SPDX-License-Identifier: GPL-2.0
/* Any square root under way: one more bit, for each of the 32. */
#include "root.h"

int main(void)
{
	int k;

	for (k = 31; k >= 0; k--) {
		u64 x = nondet_u64(), root = nondet_u64(), left = x, bit = 1ULL << (2 * k), more;

		so_far = nondet_u32();
		__CPROVER_assume(root_sane(k, x, root));
		more = root + bit;
		root_bit(&x, &root, bit);
		/* (a + b)^2 = a^2 + 2ab + b^2 */
		if (left >= more) {
			__CPROVER_assert(x == left - more, "its square is taken out");
			so_far |= 1u << k;
		} else {
			__CPROVER_assert(x == left, "nothing is taken out");
		}
		__CPROVER_assert(root_sane(k - 1, x, root), "one more bit");
	}
	return 0;
}
