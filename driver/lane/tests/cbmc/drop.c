// SPDX-License-Identifier: GPL-2.0
/* Any decision: the map closes up over lanes that are given up, and one is left. */
#include "decide.h"

int main(void)
{
	u8 need = nondet_u8();
	struct decision d;
	struct seen was;

	any_decision(&d);
	look(&d, &was);
	__CPROVER_assume(need >= NEED_RUINED && need <= NEED_DARK && was.dropped <= DATA);
	close_up(&d, need);
	assert_sane(&d);
	__CPROVER_assert(dropped_only(&d, &was), "none is new");
	__CPROVER_assert(all_dropped(&d, need), "all that could be");
	return 0;
}
