// SPDX-License-Identifier: GPL-2.0
/* Any lanes: the means of their power and quality stay in range. */
#include "any.h"
#include "../../policy_trend.c"

/* part.c */
u32 any_part(u32 whole, u32 weight)
{
	u32 part = nondet_u32();

	__CPROVER_assert(whole <= 2 * MEAN_BOUND && weight <= 65536, "what part_of() can take");
	__CPROVER_assume(part <= whole);
	return part;
}

/* weight.c */
void any_weigh(struct lane_policy *pol, u64 ns)
{
	u16 k;

	(void)ns;
	for (k = 0; k < LANE_TREND_LEVELS; k++) {
		pol->weight[k] = nondet_u32();
		__CPROVER_assume(pol->weight[k] <= 65536);
	}
	pol->base_weight = nondet_u32();
	__CPROVER_assume(pol->base_weight <= 65536);
}

/* median.c */
s32 any_median(struct lane_policy *pol, const struct lane_rec *rec)
{
	s32 median = (s16)nondet_u16();

	(void)pol;
	(void)rec;
	return median;
}

/* judge.c */
void any_judge(struct lane_policy *pol, struct lane_track *t, s16 power_cdb)
{
	(void)power_cdb;
	__CPROVER_assert(trend_sane(&t->power), "means of power");
	__CPROVER_assert(trend_sane(&t->quality), "means of quality");
	if (pol->cfg.knobs.horizon_ns && nondet_bool())
		t->verdict = nondet_bool() ? LANE_EV_TREND : LANE_EV_FADE;
	t->limit_s = nondet_u32();
	t->trend_cdb_h = (s32)nondet_u32();
}

int main(void)
{
	static struct lane_policy pol;
	static struct lane_rec rec[TOTAL];
	u16 i;

	any_policy(&pol);
	any_table(rec);
	for (i = 0; i < LANE_TREND_LEVELS; i++)
		__CPROVER_assume(pol.weight[i] <= 65536);
	for (i = 0; i < TOTAL; i++)
		__CPROVER_assume(trend_sane(&pol.track[i].power) &&
				 trend_sane(&pol.track[i].quality));
	lane_policy_trends(&pol, rec, nondet_u64());
	__CPROVER_assert(pol.base <= MEAN_BOUND && pol.base >= -MEAN_BOUND, "the base");
	__CPROVER_assert(pol.common_loss <= 3 * 32768 && pol.common_loss >= -3 * 32768, "a loss");
	for (i = 0; i < TOTAL; i++) {
		const struct lane_track *t = &pol.track[i];

		__CPROVER_assert(trend_sane(&t->power) && trend_sane(&t->quality), "means");
		__CPROVER_assert(track_sane(t), "a verdict");
		__CPROVER_assert(!lane_rec_dark(&rec[i]) ||
				 (!t->power.known && !t->quality.known && !t->verdict),
				 "nothing is known of a dark lane");
	}
	return 0;
}
