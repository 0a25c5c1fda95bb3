// SPDX-License-Identifier: GPL-2.0
/* Any spare: its key is one of those that are counted, and quality comes first. */
#include "any.h"
#include "../../policy_spare.c"

int main(void)
{
	static struct lane_policy pol;
	static struct lane_rec rec[TOTAL];
	const u16 lane = nondet_bool();
	const struct lane_track *t = &pol.track[lane];
	u16 class, key, i;

	any_policy(&pol);
	any_table(rec);
	pol.cfg.grid_x = nondet_u16();
	pol.cfg.grid_y = nondet_u16();
	for (i = 0; i < LANE_GRID_MAX; i++)
		__CPROVER_assume(pol.dist[i] <= DIST_FAR);
	class = quality_class(&pol, t, &rec[lane]);
	key = spare_key(&pol, lane, &rec[lane]);
	__CPROVER_assert(key < LANE_SPARE_KEYS, "a key");
	__CPROVER_assert(key / LANE_DISTANCES == class, "quality first");
	__CPROVER_assert(class >= 4 || (t->ppb < pol.cfg.knobs.watch_ppb &&
					t->verdict != LANE_EV_TREND), "what errs is worse");
	__CPROVER_assert(class >= 5 || t->ppb < pol.cfg.knobs.retire_ppb, "and worse yet");
	__CPROVER_assert(class || (!t->losses && t->ppb <= 100), "the best");
	return 0;
}
