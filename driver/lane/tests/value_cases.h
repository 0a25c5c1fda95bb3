/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cases with numbers, for the host tests and the KUnit suites: settings, margins, rates,
 * forecasts.
 */
#ifndef LANE_TEST_VALUE_CASES_H
#define LANE_TEST_VALUE_CASES_H

#include "../forecast.h"
#include "../margin.h"
#include "../rate.h"
#include "../settings.h"

/* ---- settings ---- */

struct settings_case {
	void (*spoil)(struct lane_settings *s);
	u8 which;		/* the knob that is to blame */
};

#define SPOIL(name, change)						\
	static inline void spoil_##name(struct lane_settings *s)	\
	{								\
		change;							\
	}

SPOIL(nothing, (void)s)
SPOIL(all_off, s->manage = s->standby = false; s->test_mbits = 0; s->knobs.horizon_ns = 0)
SPOIL(watch_zero, s->knobs.watch_ppb = 0)
SPOIL(watch_past_retire, s->knobs.watch_ppb = s->knobs.retire_ppb + 1)
SPOIL(retire_past_fail, s->knobs.retire_ppb = s->knobs.fail_ppb + 1)
SPOIL(fail_past_all, s->knobs.fail_ppb = 1000000001)
SPOIL(no_errors, s->knobs.min_errors = 0)
SPOIL(pct_zero, s->knobs.common_pct = 0)
SPOIL(pct_much, s->knobs.common_pct = 101)
SPOIL(cdb_zero, s->knobs.common_cdb = 0)
SPOIL(cdb_much, s->knobs.common_cdb = 10001)
SPOIL(cluster_of_one, s->knobs.cluster_min = 1)
SPOIL(cluster_days, s->knobs.cluster_ns = 3600000000001ULL)
SPOIL(floor_much, s->knobs.margin_floor = LANE_MAX + 1)
SPOIL(horizon_much, s->knobs.horizon_ns = 366ULL * 86400 * 1000000000ULL)
SPOIL(probation_long, s->knobs.quarantine_ns = s->knobs.quarantine_max_ns + 1)
SPOIL(probation_max, s->knobs.quarantine_max_ns = 86400000000001ULL)
SPOIL(calm_much, s->knobs.calm_ns = 3600000000001ULL)
SPOIL(grow_first, s->knobs.grow_ns = s->knobs.calm_ns - 1)
SPOIL(budget_zero, s->budget_ns = 0)
SPOIL(settle_much, s->settle_ns = 1000000001)
SPOIL(settle_past_poll, s->settle_ns = 20000000; s->poll_ns = 10000000)
SPOIL(poll_short, s->poll_ns = 9999999)
SPOIL(test_much, s->test_mbits = 1048577)

static const struct settings_case settings_cases[] = {
	{ spoil_nothing, LANE_KNOB_NONE },
	{ spoil_all_off, LANE_KNOB_NONE },
	{ spoil_watch_zero, LANE_KNOB_WATCH_PPB },
	{ spoil_watch_past_retire, LANE_KNOB_WATCH_PPB },
	{ spoil_retire_past_fail, LANE_KNOB_RETIRE_PPB },
	{ spoil_fail_past_all, LANE_KNOB_FAIL_PPB },
	{ spoil_no_errors, LANE_KNOB_MIN_ERRORS },
	{ spoil_pct_zero, LANE_KNOB_COMMON_PCT },
	{ spoil_pct_much, LANE_KNOB_COMMON_PCT },
	{ spoil_cdb_zero, LANE_KNOB_COMMON_CDB },
	{ spoil_cdb_much, LANE_KNOB_COMMON_CDB },
	{ spoil_cluster_of_one, LANE_KNOB_CLUSTER_MIN },
	{ spoil_cluster_days, LANE_KNOB_CLUSTER_NS },
	{ spoil_floor_much, LANE_KNOB_MARGIN_FLOOR },
	{ spoil_horizon_much, LANE_KNOB_HORIZON_NS },
	{ spoil_probation_long, LANE_KNOB_QUARANTINE_NS },
	{ spoil_probation_max, LANE_KNOB_QUARANTINE_MAX_NS },
	{ spoil_calm_much, LANE_KNOB_CALM_NS },
	{ spoil_grow_first, LANE_KNOB_GROW_NS },
	{ spoil_budget_zero, LANE_KNOB_BUDGET_NS },
	{ spoil_settle_much, LANE_KNOB_SETTLE_NS },
	{ spoil_settle_past_poll, LANE_KNOB_SETTLE_NS },
	{ spoil_poll_short, LANE_KNOB_POLL_NS },
	{ spoil_test_much, LANE_KNOB_TEST_MBITS },
};

static inline const char *settings_case_fault(const struct settings_case *c)
{
	struct lane_settings s;
	enum lane_knob which;
	const char *why;

	lane_settings_default(&s);
	c->spoil(&s);
	why = lane_settings_check(&s, &which);
	if (!why != !c->which)
		return why ? "refused" : "let through";
	return which == (enum lane_knob)c->which ? NULL : "the wrong knob is blamed";
}

/* ---- margin ---- */

struct margin_case {
	u16 width, erased, dark;
	u64 error_ppb;
	bool bits;
	s16 errors, erasure;
};

/* RS(544,514); the arithmetic of the hardware interface, 8.2. */
static const struct margin_case margin_cases[] = {
	{ 425, 0, 0, 0, false, 7, 15 },
	{ 425, 1, 0, 0, false, 7, 14 },
	{ 425, 0, 1, 0, false, 6, 13 },
	{ 425, 15, 0, 0, false, 0, 0 },
	{ 425, 0, 8, 0, false, -1, -1 },
	{ 544, 0, 0, 0, false, 15, 30 },
	{ 256, 0, 0, 0, false, 5, 10 },
	{ 425, 0, 0, 0, true, 1, 2 },
	{ 1, 0, 0, 0, false, 0, 0 },
	{ 0, 0, 0, 0, false, -1, -1 },
};

static inline const char *margin_case_fault(const struct margin_case *c)
{
	struct lane_fec fec = { .n = 544, .k = 514, .symbol_bits = 10, .bit_striping = c->bits };
	struct lane_load load = {
		.width = c->width, .erased = c->erased, .dark = c->dark,
		.error_ppb = c->error_ppb,
	};
	struct lane_margin m;

	lane_margin_of(&fec, &load, &m);
	if (m.errors != c->errors)
		return "margin";
	return m.erasure == c->erasure ? NULL : "margin of erasures";
}

/* ---- rates ---- */

struct rate_case {
	u64 errors, symbols;
	u32 low_from, low_to, high_from, high_to;
};

/* Wilson's interval, computed elsewhere. */
static const struct rate_case rate_cases[] = {
	{ 0, 1000000, 0, 0, 3841, 3850 },
	{ 10, 104857, 51700, 51805, 175558, 175700 },
	{ 5, 10, 236200000, 236593090, 763406911, 763700000 },
	{ 600000, 107374182, 5573800, 5573854, 5602052, 5602100 },
	{ 1000, 1000000000, 935, 940, 1063, 1070 },
};

static inline const char *rate_case_fault(const struct rate_case *c)
{
	u32 low, high;

	lane_rate_interval(c->errors, c->symbols, &low, &high);
	if (low < c->low_from || low > c->low_to)
		return "low end";
	return high >= c->high_from && high <= c->high_to ? NULL : "high end";
}

/* ---- forecasts ---- */

static const struct lane_forecast forecast_cases[] = {
	/* Nothing lost: no life, but a lower end; 2.996 losses are the most to be expected. */
	{ 35, 0, 1000000, LANE_NEVER, 11682242, LANE_NEVER },
	{ 35, 1, 1000000, 35000000, 7377740, 686274509 },
	{ 0, 3, 1000000, 0, 0, 0 },
	{ 35, 0, 0, LANE_NEVER, 0, LANE_NEVER },
	{ 35, 2, LANE_NEVER, LANE_NEVER, LANE_NEVER, LANE_NEVER },
};

static inline const char *forecast_case_fault(const struct lane_forecast *c)
{
	struct lane_forecast f = *c;

	f.life_s = 1;
	f.life_low_s = 1;
	f.life_high_s = 1;
	lane_forecast_of(&f);
	if (f.life_s != c->life_s)
		return "life";
	if (f.life_low_s != c->life_low_s)
		return "low end";
	return f.life_high_s == c->life_high_s ? NULL : "high end";
}

#endif /* LANE_TEST_VALUE_CASES_H */
