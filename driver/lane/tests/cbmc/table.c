// SPDX-License-Identifier: GPL-2.0
/* Any bytes as a lane table. */
#include "prove.h"

int main(void)
{
	static u64 buf[(sizeof(struct pnic_lane_table) +
			TOTAL * sizeof(struct pnic_lane_rec)) / sizeof(u64)];
	static struct lane_rec rec[TOTAL];
	size_t len = nondet_size();
	u16 i;

	__CPROVER_havoc_object(buf);
	__CPROVER_assume(len <= sizeof(buf));
	if (!lane_table_decode(rec, TOTAL, buf, len))
		for (i = 0; i < TOTAL; i++)
			__CPROVER_assert(rec[i].state <= PNIC_LANE_OFF, "a state");
	return 0;
}
