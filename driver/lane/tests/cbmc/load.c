// SPDX-License-Identifier: GPL-2.0
/* Any lanes: the load of a map, the budget of maps that could wait, and the first state. */
#include "any.h"
#include "../../policy.c"

int main(void)
{
	static struct lane_policy pol;
	static struct lane_rec rec[TOTAL];
	static struct lane_map map;
	struct lane_policy_cfg cfg;
	u64 now = nondet_u64();
	u16 i;

	any_policy(&pol);
	any_table(rec);
	any_map(&map);
	margin_of(&pol, rec, &map);
	__CPROVER_assume(now < 1ULL << 62 && pol.rested_at < 1ULL << 62);
	lane_policy_worked(&pol, nondet_u64(), now);
	__CPROVER_assert(pol.rested_at >= now && pol.rested_at <= now + REST_MAX_NS, "a rest");
	cfg = pol.cfg;
	lane_policy_init(&pol, &cfg);
	for (i = 0; i < TOTAL; i++)
		__CPROVER_assert(track_sane(&pol.track[i]) && !pol.track[i].state, "unseen");
	return 0;
}
