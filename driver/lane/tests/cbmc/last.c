// SPDX-License-Identifier: GPL-2.0
/* All lanes of a map dark and no spare: any lit lane takes over. */
#include "decide.h"

int main(void)
{
	struct decision d;
	struct seen was;
	bool any = false;
	u16 i;

	any_decision(&d);
	__CPROVER_assume(!pol.nr_spares && pol.manage && d.moves < pol.cfg.knobs.max_moves);
	__CPROVER_assume(all_dark(&plan.map));
	__CPROVER_assume(plan.replaced <= DATA);
	look(&d, &was);
	resort = true;
	for (i = 0; i < TOTAL; i++)
		any |= may_serve(i);
	pol.dark = false;
	last_resort(&d);
	assert_sane(&d);
	__CPROVER_assert(replaced_only(&d, &was, ONE(NEED_DARK)), "spares for what needs them");
	__CPROVER_assert(needs_kept(&was), "all others' needs");
	__CPROVER_assert(all_replaced(&d, NEED_DARK), "all that could be");
	__CPROVER_assert(pol.dark == !any, "dark if none is lit");
	if (pol.dark)
		__CPROVER_assert(!pol.nr_spares && as_it_was(&d, &was), "nothing is done");
	else
		__CPROVER_assert(d.next_spare && count_dark(&d) < plan.map.width, "one is lit");
	return 0;
}
