// SPDX-License-Identifier: GPL-2.0
/* Any bytes as a map; any two maps. */
#include "prove.h"

int main(void)
{
	const struct lane_shape shape = { .data = DATA, .total = TOTAL };
	static u32 buf[(sizeof(struct pnic_map) + 2 * LANE_MAX + 2) / sizeof(u32)];
	static struct lane_map a, b;
	size_t len = nondet_size(), cap = nondet_size();

	__CPROVER_havoc_object(buf);
	__CPROVER_assume(len <= sizeof(buf) && cap <= sizeof(buf));
	if (lane_map_decode(&a, buf, len)) {
		__CPROVER_assert(a.width <= LANE_MAX, "room for it");
		if (!lane_map_check(&a, &shape)) {
			any_map(&b);
			__CPROVER_assert(lane_map_moves(&a, &b) <= b.width, "moves");
			lane_map_same(&a, &b);
			lane_map_sum(&a);
			__CPROVER_assert(lane_map_encode(&a, buf, cap) <= cap, "no more than fits");
		}
	}
	return 0;
}
