// SPDX-License-Identifier: GPL-2.0
/* Random numbers of the model against their distributions; fixed seeds, bounds of five sigma. */
#include <math.h>

#include "selftests/ktap.h"
#include "tools/model/core/rng.h"

#define DRAWS	200000

KTAP_TEST(streams_repeat_and_differ)
{
	struct pm_rng a, b, c, d, e;
	int i, same_c = 0, same_d = 0, same_e = 0;

	pm_rng_init(&a, 1, "x", 0);
	pm_rng_init(&b, 1, "x", 0);
	pm_rng_init(&c, 1, "y", 0);
	pm_rng_init(&d, 1, "x", 1);
	pm_rng_init(&e, 2, "x", 0);
	for (i = 0; i < 1000; i++) {
		uint64_t v = pm_rng_u64(&a);

		CHECK(v == pm_rng_u64(&b));
		same_c += v == pm_rng_u64(&c);
		same_d += v == pm_rng_u64(&d);
		same_e += v == pm_rng_u64(&e);
	}
	CHECK_EQ(same_c + same_d + same_e, 0);
}

KTAP_TEST(below_is_even)
{
	unsigned int count[7] = { 0 };
	struct pm_rng r;
	int i;

	pm_rng_init(&r, 3, "below", 0);
	for (i = 0; i < DRAWS; i++) {
		uint32_t v = pm_rng_below(&r, 7);

		REQUIRE(v < 7);
		count[v]++;
	}
	for (i = 0; i < 7; i++)
		CHECK(fabs(count[i] - DRAWS / 7.0) < 5 * sqrt(DRAWS * 6.0 / 49));
	CHECK_EQ(pm_rng_below(&r, 0), 0);
	CHECK_EQ(pm_rng_below(&r, 1), 0);
}

struct moments {
	double mean, var;
};

static struct moments moments_of(const double *x)
{
	struct moments m = { 0, 0 };
	int i;

	for (i = 0; i < DRAWS; i++)
		m.mean += x[i] / DRAWS;
	for (i = 0; i < DRAWS; i++)
		m.var += (x[i] - m.mean) * (x[i] - m.mean) / (DRAWS - 1);
	return m;
}

/* @kurt: excess kurtosis, for the spread of the variance. */
static void check_moments(const double *x, double mean, double var, double kurt)
{
	struct moments m = moments_of(x);

	CHECK(fabs(m.mean - mean) < 5 * sqrt(var / DRAWS));
	CHECK(fabs(m.var - var) < 5 * var * sqrt((2 + fmax(kurt, 0)) / DRAWS));
}

static double x[DRAWS];

KTAP_TEST(normal)
{
	struct pm_rng r;
	int i;

	pm_rng_init(&r, 4, "normal", 0);
	for (i = 0; i < DRAWS; i++)
		x[i] = pm_rng_normal(&r);
	check_moments(x, 0, 1, 0);
}

KTAP_TEST(poisson)
{
	static const double mean[] = { 0.001, 0.3, 4, 9.99, 10.01, 35, 1e4, 1e9 };
	struct pm_rng r;
	size_t k;
	int i;

	for (k = 0; k < sizeof(mean) / sizeof(mean[0]); k++) {
		SUBTEST("mean %g", mean[k]) {
			pm_rng_init(&r, 5, "poisson", k);
			for (i = 0; i < DRAWS; i++)
				x[i] = (double)pm_rng_poisson(&r, mean[k]);
			check_moments(x, mean[k], mean[k], 1 / mean[k]);
		}
	}
	CHECK_EQ(pm_rng_poisson(&r, 0), 0);
	CHECK_EQ(pm_rng_poisson(&r, -1), 0);
	CHECK_EQ(pm_rng_poisson(&r, NAN), 0);
}

KTAP_TEST(binomial)
{
	static const struct { uint64_t n; double p; } k[] = {
		{ 1, 0.3 }, { 20, 0.5 }, { 544, 1e-3 }, { 1000, 0.02 }, { 1000, 0.97 },
		{ 1000000, 1e-7 }, { 1000000000, 1e-3 }, { 200, 0.0499 }, { 200, 0.0501 },
	};
	struct pm_rng r;
	size_t j;
	int i;

	for (j = 0; j < sizeof(k) / sizeof(k[0]); j++) {
		double n = (double)k[j].n, p = k[j].p, var = n * p * (1 - p);

		SUBTEST("n %g p %g", n, p) {
			pm_rng_init(&r, 6, "binomial", j);
			for (i = 0; i < DRAWS; i++) {
				x[i] = (double)pm_rng_binomial(&r, k[j].n, p);
				REQUIRE(x[i] <= n);
			}
			check_moments(x, n * p, var, (1 - 6 * p * (1 - p)) / var);
		}
	}
	CHECK_EQ(pm_rng_binomial(&r, 0, 0.5), 0);
	CHECK_EQ(pm_rng_binomial(&r, 10, 0), 0);
	CHECK_EQ(pm_rng_binomial(&r, 10, 1), 10);
}

/* Not only the moments: the shape of the rejection methods, by chi squared. */
KTAP_TEST(shape_of_the_large_ones)
{
	double p_bin = 0.3, mean = 18, expect[2][60], chi[2] = { 0, 0 };
	unsigned int count[2][60] = { { 0 } }, n = 60, k, kinds[2] = { 0, 0 };
	struct pm_rng r;
	int i, j;

	pm_rng_init(&r, 8, "shape", 0);
	for (i = 0; i < DRAWS; i++) {
		count[0][pm_rng_binomial(&r, n, p_bin) % 60]++;
		k = (unsigned int)pm_rng_poisson(&r, mean);
		count[1][k < 59 ? k : 59]++;
	}
	for (k = 0; k < 60; k++) {
		expect[0][k] = DRAWS * exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1.0) +
					   k * log(p_bin) + (n - k) * log(1 - p_bin));
		expect[1][k] = DRAWS * exp(k * log(mean) - mean - lgamma(k + 1));
		for (j = 0; j < 2; j++) {
			double d = count[j][k] - expect[j][k];

			if (expect[j][k] < 10)
				continue;
			chi[j] += d * d / expect[j][k];
			kinds[j]++;
		}
	}
	for (j = 0; j < 2; j++) {
		CHECK_GE(kinds[j], 20);
		CHECK(fabs(chi[j] - kinds[j]) < 5 * sqrt(2.0 * kinds[j]));
	}
}

KTAP_TEST(skips_are_geometric)
{
	double p = 0.01, scale = pm_rng_skip_scale(p);
	struct pm_rng r;
	int i;

	pm_rng_init(&r, 9, "skip", 0);
	for (i = 0; i < DRAWS; i++)
		x[i] = (double)pm_rng_skip(&r, scale);
	check_moments(x, (1 - p) / p, (1 - p) / (p * p), 6);
	/* What never happens doesn't overflow either. */
	CHECK_EQ(pm_rng_skip(&r, pm_rng_skip_scale(1e-300)), UINT64_MAX / 4);
}

KTAP_MAIN()
