// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of the policy that the KUnit suite checks, too; then settings, rates and forecast.
 */
#include <math.h>

#include "selftests/ktap.h"
#include "../forecast.h"
#include "../rate.h"
#include "../settings.h"
#include "policy_rules.h"
#include "rng.h"
#include "value_cases.h"

KTAP_TEST(policy_rules)
{
	const char *why;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(policy_rules); i++) {
		w_fault = NULL;
		why = policy_rules[i].check();
		if (why)
			ktap_say("%s: %s", policy_rules[i].name, why);
		CHECK(!why);
	}
}

KTAP_TEST(settings_that_contradict_each_other)
{
	const char *why;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(settings_cases); i++) {
		why = settings_case_fault(&settings_cases[i]);
		if (why)
			ktap_say("case %zu: %s", i, why);
		CHECK(!why);
	}
}

KTAP_TEST(settings_of_random_bytes)
{
	u32 round, good = 0, rounds = 200000 / LANE_TEST_SHARE;
	struct lane_policy_cfg cfg = { .shape = { 4, 6 }, .fec = { 544, 514, 10, false } };
	struct lane_settings s;
	enum lane_knob which;
	struct rng r;

	rng_seed(&r, 4);
	for (round = 0; round < rounds; round++) {
		u8 *byte = (u8 *)&s.knobs;
		size_t n;

		lane_settings_default(&s);
		for (n = 0; n < 1 + round % 3; n++)
			byte[rng_below(&r, offsetof(struct lane_settings, manage))] = rng_next(&r);
		s.poll_ns = rng_chance(&r, 20) ? rng_next(&r) : s.poll_ns;
		cfg.knobs = s.knobs;
		if (lane_settings_check(&s, &which)) {
			CHECK_NE(which, LANE_KNOB_NONE);
			continue;
		}
		good++;
		CHECK_EQ(which, LANE_KNOB_NONE);
		/* What is let through must be fit for the policy. */
		CHECK(!s.knobs.max_moves || lane_policy_cfg_valid(&cfg));
	}
	CHECK_GT(good, rounds / 100);
	CHECK_LT(good, rounds);
}

KTAP_TEST(knobs_have_names)
{
	int a, b;

	for (a = 1; a < LANE_KNOBS; a++)
		for (b = 0; b < a; b++)
			CHECK_NE(strcmp(lane_knob_name(a), lane_knob_name(b)), 0);
	CHECK_STREQ(lane_knob_name(LANE_KNOBS), "?");
}

static void wilson(double e, double n, double *low, double *high)
{
	double z = 1.959964, p = e / n, c = (p + z * z / 2 / n) / (1 + z * z / n);
	double d = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / 4 / n / n);

	*low = (c - d) * 1e9;
	*high = (c + d) * 1e9;
}

KTAP_TEST(rates_have_an_interval)
{
	u32 round, low, high;
	struct rng r;

	for (round = 0; round < ARRAY_SIZE(rate_cases); round++)
		CHECK_STREQ(rate_case_fault(&rate_cases[round]) ?: "right", "right");
	rng_seed(&r, 5);
	for (round = 0; round < 100000 / LANE_TEST_SHARE; round++) {
		u64 symbols = 1 + (rng_next(&r) >> (24 + rng_below(&r, 40)));
		u64 errors = (u64)((double)symbols * pow(10, -(double)rng_below(&r, 10)) *
				   rng_below(&r, 1000) / 1000);
		double want_low, want_high;

		lane_rate_interval(errors, symbols, &low, &high);
		wilson(errors, symbols, &want_low, &want_high);
		/* Outwards, and not by much. */
		CHECK(low <= want_low + 1);
		CHECK(high >= want_high - 1 || high == 1000000000);
		CHECK(low >= want_low * 0.99 - 1e9 * 0.006 / symbols - 3);
		CHECK(high <= want_high * 1.01 + 1e9 * 0.006 / symbols + 3);
	}
	lane_rate_interval(~0ULL, ~0ULL, &low, &high);
	CHECK_EQ(high, 1000000000);
	lane_rate_interval(5, 0, &low, &high);
	CHECK_EQ(low, 0);
	CHECK_EQ(high, 1000000000);
}

KTAP_TEST(q_falls_as_the_rate_rises)
{
	u32 ppb;

	for (ppb = 1; ppb < 900000000; ppb += 1 + ppb / 50)
		CHECK_LE(lane_rate_q(ppb + 1 + ppb / 50), lane_rate_q(ppb));
	/* The design's distances: -1.0 dB, -2.0 dB, -3.7 dB of a bit error rate of 2e-8. */
	CHECK_LE(abs(lane_rate_q(200) - lane_rate_q(65000) - 100), 2);
	CHECK_LE(abs(lane_rate_q(200) - lane_rate_q(2400000) - 197), 2);
	CHECK_LE(abs(lane_rate_q(200) - lane_rate_q(95000000) - 372), 4);
	CHECK_EQ(lane_rate_q(0), lane_rate_q(1));
	CHECK_GE(lane_rate_q(~0u), 0);
}

/* There and back, as well as the Q is rounded. */
KTAP_TEST(rate_of_a_q)
{
	u32 ppb;
	s32 q;

	for (q = 740; q >= 25; q--)
		CHECK_LE(abs(lane_rate_q(lane_rate_at(q)) - q), 1);
	for (ppb = 2; ppb < 900000000; ppb += 1 + ppb / 50) {
		CHECK_GE(lane_rate_at(lane_rate_q(ppb) - 2), ppb);
		CHECK_LE(lane_rate_at(lane_rate_q(ppb) + 2), ppb);
	}
	CHECK_EQ(lane_rate_at(805), 1);
	CHECK_EQ(lane_rate_at(32767), 1);
	CHECK_EQ(lane_rate_at(0), 1000000000);
	CHECK_EQ(lane_rate_at(-70000), 1000000000);
}

static double poisson_cdf(u32 k, double mean)
{
	double term = exp(-mean), sum = term;
	u32 i;

	for (i = 1; i <= k; i++) {
		term *= mean / i;
		sum += term;
	}
	return sum;
}

KTAP_TEST(poisson_interval_is_exact)
{
	u64 low, high;
	u32 k;

	for (k = 0; k < 400; k++) {
		lane_poisson_interval(k, &low, &high);
		CHECK_LE(fabs(poisson_cdf(k, high / 1000.0) - 0.05), 0.0005);
		if (k)
			CHECK_LE(fabs(1 - poisson_cdf(k - 1, low / 1000.0) - 0.05), 0.0005);
	}
	lane_poisson_interval(4096, &low, &high);
	CHECK_GT(low, 3980000);
	CHECK_LT(high, 4210000);
}

KTAP_TEST(forecast_has_error_bars)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forecast_cases); i++)
		CHECK_STREQ(forecast_case_fault(&forecast_cases[i]) ?: "right", "right");
}

KTAP_MAIN()
