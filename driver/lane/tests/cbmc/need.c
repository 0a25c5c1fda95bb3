// SPDX-License-Identifier: GPL-2.0
/* Any lane: how badly another one is needed in its place. */
#include "decide.h"

int main(void)
{
	const u16 lane = nondet_bool();
	struct lane_track *t = &pol.track[lane];
	u8 need;

	any_policy(&pol);
	any_table(rec);
	need = need_of(&pol, t, &rec[lane]);
	__CPROVER_assert(need_sane(&pol, &rec[lane], need), "dark lanes most");
	__CPROVER_assert(need == NEED_NONE || pol.manage || t->off || t->asked, "or none asks");
	__CPROVER_assert(need == NEED_NONE || lane_rec_dark(&rec[lane]) || t->off || t->asked ||
			 t->state == LANE_FAILED || t->state == LANE_RETIRING, "good lanes stay");
	__CPROVER_assert(need == NEED_NONE || lane_rec_dark(&rec[lane]) || t->off || t->asked ||
			 !pol.common || pol.blind || t->own, "a common mode costs no spare");
	__CPROVER_assert(need != NEED_FORCED || t->forced, "by force");
	return 0;
}
