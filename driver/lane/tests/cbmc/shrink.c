// SPDX-License-Identifier: GPL-2.0
/* Any decision: a step that costs margin is taken back, as if it had never been. */
#include "decide.h"

int main(void)
{
	s16 before, after, gain = nondet_bool();
	u8 need = nondet_u8();
	struct decision d;
	struct seen was;

	any_decision(&d);
	__CPROVER_assume(plan.replaced <= DATA);
	look(&d, &was);
	before = any_margin_of(&pol, rec, &plan.map);
	if (nondet_bool()) {
		replace_calm(&d);
		after = any_margin_of(&pol, rec, &plan.map);
		__CPROVER_assert(after >= before, "never worse");
		__CPROVER_assert(replaced_only(&d, &was, ONE(NEED_CALM) | ONE(NEED_RUINED)),
				 "spares for what needs them");
	} else {
		__CPROVER_assume(need >= NEED_RUINED && need <= NEED_DARK);
		if (shrink(&d, need, gain)) {
			after = any_margin_of(&pol, rec, &plan.map);
			__CPROVER_assert(after >= before + gain, "worth it");
			__CPROVER_assert(dropped_only(&d, &was), "none is new");
		} else {
			__CPROVER_assert(as_it_was(&d, &was) && nothing_told(&was), "as it was");
		}
	}
	assert_sane(&d);
	return 0;
}
