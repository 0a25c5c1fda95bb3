// SPDX-License-Identifier: GPL-2.0
/*
 * A link beyond FEC. Errors are attributed to lanes by correcting them, so if most codewords
 * can't be corrected, nothing is told of any lane, least of all that it is clean. What is
 * left is the light: a lane that has lost so much of it errs so much.
 */
#include "policy.h"
#include "rate.h"

#define CODEWORDS_MIN		1000		/* of fewer a share says nothing */
#define SOME			16		/* more than one lost of so many: look closer */

/* Lanes are judged by their errors again; bits that nobody could read prove nothing. */
static void see_again(struct lane_policy *pol)
{
	u16 i;

	for (i = 0; i < pol->cfg.shape.total; i++)
		lane_policy_forget(&pol->track[i]);
}

void lane_policy_codewords(struct lane_policy *pol, u64 all, u64 lost)
{
	u64 seen = all - pol->codewords, gone = lost - pol->codewords_lost;
	bool was = pol->blind;

	pol->losing = false;
	/* The first time; or the card was reset, or tells nonsense. */
	if (!pol->counted || all < pol->codewords || lost < pol->codewords_lost || gone > seen) {
		pol->blind = false;
	} else {
		if (seen < CODEWORDS_MIN)
			return;
		pol->blind = gone >= seen - gone;
		pol->losing = gone > lane_div64(seen, SOME);
	}
	pol->counted = true;
	pol->codewords = all;
	pol->codewords_lost = lost;
	if (was && !pol->blind)
		see_again(pol);
}

void lane_policy_by_light(struct lane_policy *pol, struct lane_track *t, s16 power_cdb)
{
	const struct lane_knobs *k = &pol->cfg.knobs;

	t->ppb = lane_rate_at(lane_rate_q(LANE_NOMINAL_PPB) + power_cdb);
	if (t->ppb >= k->fail_ppb)
		t->verdict = LANE_EV_RUINED;
	else if (t->ppb >= k->retire_ppb)
		t->verdict = LANE_EV_ERRORS;
	else
		t->verdict = t->ppb >= k->watch_ppb ? LANE_EV_DRIFT : LANE_EV_NONE;
}
