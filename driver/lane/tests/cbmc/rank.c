// SPDX-License-Identifier: GPL-2.0
/* Any lanes, any keys: the usable spares, each once, in the order of their keys. */
#include "any.h"
#include "../../policy_spare.c"

static u16 key_of[TOTAL];

/* key.c */
u16 any_key(const struct lane_policy *pol, u16 lane, const struct lane_rec *rec)
{
	(void)pol;
	(void)rec;
	__CPROVER_assert(lane < TOTAL, "a lane");
	return key_of[lane];
}

/* distance.c */
void any_distances(struct lane_policy *pol, const struct lane_rec *rec)
{
	(void)rec;
	__CPROVER_assert(lane_policy_grid_usable(pol), "a grid");
}

int main(void)
{
	static struct lane_policy pol;
	static struct lane_rec rec[TOTAL];
	u16 usable = 0, i;

	any_policy(&pol);
	any_table(rec);
	for (i = 0; i < TOTAL; i++) {
		key_of[i] = nondet_u16();
		__CPROVER_assume(key_of[i] < LANE_SPARE_KEYS);
		usable += spare_usable_here(&pol, rec, i);
	}
	lane_policy_rank_spares(&pol, rec);
	__CPROVER_assert(pol.nr_spares == usable, "all that are usable");
	for (i = 0; i < pol.nr_spares; i++)
		__CPROVER_assert(spare_usable_here(&pol, rec, pol.spares[i]), "no others");
	for (i = 1; i < pol.nr_spares; i++) {
		u16 a = pol.spares[i - 1], b = pol.spares[i];

		__CPROVER_assert(key_of[a] < key_of[b] || (key_of[a] == key_of[b] && a < b),
				 "in order, none twice");
	}
	return 0;
}
