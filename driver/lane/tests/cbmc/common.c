// SPDX-License-Identifier: GPL-2.0
/* Any lanes: whether it is a common mode. */
#include "any.h"
#include "../../policy_common.c"

void lane_policy_forget(struct lane_track *t)
{
	t->win_mbits = 0;
	t->win_errors = 0;
	t->ppb = 0;
	t->verdict = LANE_EV_NONE;
}

int main(void)
{
	static struct lane_policy pol;
	static struct lane_rec rec[TOTAL];
	static struct lane_notes notes;
	static struct lane_map map;
	u16 i;

	any_policy(&pol);
	any_table(rec);
	any_map(&map);
	lane_policy_common(&pol, rec, &map, &notes, nondet_u64());
	__CPROVER_assert(pol.common_bad <= map.width, "lanes of the map");
	__CPROVER_assert(!pol.common || pol.common_power || pol.common_bad > 1, "more than one");
	for (i = 0; i < TOTAL; i++)
		__CPROVER_assert(track_sane(&pol.track[i]), "sane");
	return 0;
}
