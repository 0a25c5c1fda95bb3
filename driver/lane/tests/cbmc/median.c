// SPDX-License-Identifier: GPL-2.0
/* Any powers: half of the lit lanes are at the median or below it, and half at it or above. */
#include "any.h"
#include "../../policy_trend.c"

int main(void)
{
	static struct lane_policy pol;
	static struct lane_rec rec[TOTAL];
	u32 lit = 0, below = 0, above = 0, bin;
	s32 median;
	u16 i;

	any_policy(&pol);
	any_table(rec);
	median = median_power(&pol, rec);
	for (i = 0; i < TOTAL; i++) {
		if (lane_rec_dark(&rec[i]))
			continue;
		bin = bin_of(rec[i].power_cdb);
		__CPROVER_assert(bin < BINS, "a bin");
		lit++;
		below += ((s32)bin - BINS / 2) * BIN_CDB < median;
		above += ((s32)bin - BINS / 2) * BIN_CDB > median;
	}
	__CPROVER_assert(median >= -BINS / 2 * BIN_CDB && median < BINS / 2 * BIN_CDB, "in range");
	__CPROVER_assert(lit || !median, "nothing is known");
	__CPROVER_assert(2 * below <= lit && 2 * above <= lit, "in the middle");
	return 0;
}
