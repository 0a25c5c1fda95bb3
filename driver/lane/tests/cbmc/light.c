// SPDX-License-Identifier: GPL-2.0
/* Any counts of codewords, any light: a link beyond FEC. */
#include "any.h"
#include "../../policy_blind.c"

void any_forget(struct lane_track *t)
{
	t->win_mbits = 0;
	t->win_errors = 0;
	t->ppb = 0;
	t->verdict = LANE_EV_NONE;
}

int main(void)
{
	static struct lane_policy pol;
	struct lane_track *t = &pol.track[0];
	u64 all = nondet_u64(), lost = nondet_u64(), seen, gone;
	bool was, reset;
	u16 i;

	any_policy(&pol);
	if (nondet_bool()) {
		was = pol.blind;
		seen = all - pol.codewords;
		gone = lost - pol.codewords_lost;
		reset = !pol.counted || all < pol.codewords || lost < pol.codewords_lost ||
			gone > seen;
		lane_policy_codewords(&pol, all, lost);
		if (reset)
			__CPROVER_assert(!pol.blind && !pol.losing, "begun anew");
		else if (seen < CODEWORDS_MIN)
			__CPROVER_assert(pol.blind == was && !pol.losing, "too few to tell");
		else
			__CPROVER_assert(pol.blind == (gone >= seen - gone), "most are lost");
		for (i = 0; i < TOTAL; i++)
			__CPROVER_assert(track_sane(&pol.track[i]), "sane");
		return 0;
	}
	lane_policy_by_light(&pol, t, (s16)nondet_u16());
	__CPROVER_assert(track_sane(t) && t->ppb && t->ppb <= 1000000000, "a verdict");
	__CPROVER_assert((t->verdict == LANE_EV_NONE) == (t->ppb < pol.cfg.knobs.watch_ppb),
			 "bad if it errs");
	return 0;
}
