// SPDX-License-Identifier: GPL-2.0
/* Any decision: lanes that need it are replaced by spares. */
#include "decide.h"

int main(void)
{
	u8 need = nondet_u8();
	struct decision d;
	struct seen was;

	any_decision(&d);
	__CPROVER_assume(plan.replaced <= DATA);
	look(&d, &was);
	__CPROVER_assume(need > NEED_NONE && need <= NEED_DARK);
	replace(&d, need);
	assert_sane(&d);
	__CPROVER_assert(replaced_only(&d, &was, ONE(need)), "spares for what needs them");
	__CPROVER_assert(needs_kept(&was), "all others' needs");
	__CPROVER_assert(need == NEED_RUINED || need == NEED_CALM || all_replaced(&d, need),
			 "all that could be");
	return 0;
}
