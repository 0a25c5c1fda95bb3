// SPDX-License-Identifier: GPL-2.0
/*
 * Forecast of the spares' life: losses are Poisson, their rate is known as well
 * as so many events tell it.
 */
#include "agent.h"
#include "forecast.h"
#include "rate.h"

#define SEC		1000000000ULL
#define TABLED		32

/* Exact: P(count or more | low) = P(count or less | high) = 5 %, in thousandths. */
static const u16 low_mean[TABLED + 1] = {
	0, 51, 355, 817, 1366, 1970, 2613, 3285, 3980, 4695, 5425, 6169, 6924, 7689, 8463, 9246,
	10035, 10832, 11634, 12441, 13254, 14072, 14893, 15719, 16549, 17382, 18218, 19058, 19900,
	20745, 21593, 22444, 23297,
};

static const u16 high_mean[TABLED + 1] = {
	2996, 4744, 6296, 7754, 9154, 10514, 11843, 13149, 14435, 15706, 16963, 18208, 19443,
	20669, 21887, 23098, 24302, 25500, 26692, 27880, 29063, 30241, 31415, 32586, 33753, 34917,
	36077, 37235, 38389, 39541, 40691, 41838, 42983,
};

#define ONE		1048576ULL		/* 20 fraction bits */
#define Z95		1724782ULL	/* the normal distribution's 95 % point, 20 fraction bits */

/*
 * Half of the chi-square distribution's 5 or 95 % point for 2 * @half degrees of
 * freedom, by Wilson and Hilferty; right to a thousandth from 32 on. In thousandths.
 */
static u64 chi_half(u64 half, bool upper)
{
	u64 mean = ONE - lane_div64(ONE, 9 * half);
	/* z * sqrt(1 / 9 half), the root with 20 fraction bits */
	u64 spread = ((u64)lane_isqrt(lane_div64(1ULL << 40, 9 * half)) * Z95) >> 20;
	u64 root = upper ? mean + spread : mean - spread;
	u64 cube = (((root * root) >> 20) * root) >> 20;

	return (half * 1000 * cube) >> 20;
}

void lane_poisson_interval(u32 count, u64 *low, u64 *high)
{
	if (count <= TABLED) {
		*low = low_mean[count];
		*high = high_mean[count];
		return;
	}
	*low = chi_half(count, false) - 1;
	*high = chi_half((u64)count + 1, true) + 2;
}

/* @observed * @spares * 1000 / @mean, where the product may be large. */
static u64 life(u64 observed, u16 spares, u64 mean)
{
	u64 limit = lane_div64(LANE_NEVER / 2, (u64)spares * 1000 + 1);

	if (!mean || observed >= limit)
		return LANE_NEVER;
	return lane_div64(observed * spares * 1000, mean);
}

void lane_forecast_of(struct lane_forecast *f)
{
	u64 low, high;

	lane_poisson_interval(f->lost, &low, &high);
	f->life_s = life(f->observed_s, f->spares, (u64)f->lost * 1000);
	f->life_low_s = life(f->observed_s, f->spares, high);
	f->life_high_s = life(f->observed_s, f->spares, low);
}

/* Lost while somebody looked, and not back in use. */
static bool lost_here(const struct lane_track *t)
{
	switch (t->state) {
	case LANE_FAILED:
	case LANE_QUARANTINED:
	case LANE_TESTING:
		return t->bad_at;
	}
	return false;
}

void lane_agent_forecast(const struct lane_agent *a, struct lane_forecast *f, u64 now)
{
	u16 i;

	memset(f, 0, sizeof(*f));
	f->spares = a->stats.spares;
	for (i = 0; i < a->cfg.policy.shape.total; i++)
		f->lost += lost_here(&a->policy.track[i]);
	f->observed_s = now > a->started_at ? lane_div64(now - a->started_at, SEC) : 0;
	lane_forecast_of(f);
}
