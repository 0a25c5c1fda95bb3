// SPDX-License-Identifier: GPL-2.0
/* Any lanes, spares and map: what is replaced and what is given up. */
#include "decide.h"

int main(void)
{
	struct decision d;
	struct seen was;
	bool spares;

	any_link(&d);
	plan.map = now_map;
	plan.margin_now = any_margin_of(&pol, rec, &now_map);
	plan.replaced = 0;
	plan.dropped = 0;
	plan.grown = 0;
	plan.notes.nr = 0;
	find_needs(&d);
	any_ranked(&pol, rec);
	spares = pol.nr_spares;
	look(&d, &was);
	mend(&d);
	assert_sane(&d);
	__CPROVER_assert(any_needed() || as_it_was(&d, &was), "no change without need");
	__CPROVER_assert(!resort || (pol.manage && !spares && all_dark(&now_map)),
			 "the last resort");
	__CPROVER_assert(!pol.dark || (as_it_was(&d, &was) && all_dark(&now_map)), "dark");
	__CPROVER_assert(pol.told.dark == pol.dark, "told once");
	__CPROVER_assert(plan.map.width + plan.dropped == now_map.width, "counted");
	__CPROVER_assert(!plan.dropped || d.next_spare == pol.nr_spares || pol.blind,
			 "spares first");
	__CPROVER_assert(dark_replaced(&d), "no dark lane while there are spares");
	__CPROVER_assert(forced_out(&d), "none that is to go at any price");
	return 0;
}
