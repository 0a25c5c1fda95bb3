// SPDX-License-Identifier: GPL-2.0
/*
 * The decoder by symbol counts (tools/model/core/fec.c) against the binomial
 * distribution, and the margins against what is known of RS(544,514) on many lanes.
 */
#include <math.h>

#include "driver/hw/pnic_admin.h"
#include "selftests/ktap.h"
#include "tools/model/core/fec.h"

static uint64_t errors[PNIC_LANES_MAX];
static struct pm_fec fec;

static void fec_make(unsigned int width, double p, uint8_t striping)
{
	struct pm_link_config c;
	unsigned int l;

	pm_link_config_defaults(&c, "mosaic-800g");
	c.striping = striping;
	c.lanes_data = (uint16_t)width;
	c.seed = 99;
	REQUIRE(pm_fec_init(&fec, &c, 0));
	memset(errors, 0, sizeof(errors));
	for (l = 0; l < width; l++) {
		fec.lane[l].p = p;
		fec.lane[l].erased = false;
		fec.lane[l].errors = &errors[l];
	}
}

/* Dark lanes spread over the map, as @erased or not yet. */
static void darken(unsigned int lanes, bool erased)
{
	unsigned int i;

	for (i = 0; i < lanes; i++) {
		unsigned int l = i * fec.width_max / lanes;

		fec.lane[l].p = 1 - 0x1p-10;
		fec.lane[l].erased = erased;
	}
}

static void load(void)
{
	pm_fec_load(&fec, fec.width_max, true, false);
}

static double binomial_pmf(double n, double k, double p)
{
	return exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) +
		   (n - k) * log1p(-p));
}

static void check_count(double got, double n, double p)
{
	double sigma = sqrt(n * p * (1 - p));

	CHECK(fabs(got - n * p) <= 5 * sigma + 1);
}

static uint64_t attributed(void)
{
	uint64_t sum = 0;
	unsigned int l;

	for (l = 0; l < fec.width_max; l++)
		sum += errors[l];
	return sum;
}

/* The histogram and the counts of @n codewords of even symbol error probability @p. */
static void check_histogram(double n, double p)
{
	double sum = 0;
	unsigned int e;

	CHECK_EQ(fec.count.codewords, (uint64_t)n);
	for (e = 1; e < 15; e++) {
		check_count((double)fec.count.hist[e], n, binomial_pmf(544, e, p));
		sum += e * (double)fec.count.hist[e];
	}
	sum += 15 * (double)(fec.count.hist[15] - fec.count.uncorrectable);
	CHECK_EQ(fec.count.symbols, (uint64_t)sum);
	CHECK_EQ(attributed(), fec.count.symbols);
}

KTAP_TEST(random_errors_are_binomial)
{
	static const double ps[] = { 1e-6, 1e-4, 2.4e-3, 0.012 };
	uint64_t n = 100000;
	size_t i;

	for (i = 0; i < sizeof(ps) / sizeof(ps[0]); i++) {
		SUBTEST("busy, symbol error rate %g", ps[i]) {
			fec_make(425, ps[i], PNIC_STRIPE_SYMBOL);
			load();
			pm_fec_run(&fec, n, NULL);
			check_histogram((double)n, ps[i]);
			pm_fec_free(&fec);
		}
		SUBTEST("idle, symbol error rate %g", ps[i]) {
			fec_make(425, ps[i], PNIC_STRIPE_SYMBOL);
			load();
			pm_fec_idle(&fec, n);
			check_histogram((double)n, ps[i]);
			pm_fec_free(&fec);
		}
	}
}

KTAP_TEST(uncorrectable_ones_are_as_many_as_they_should_be)
{
	double p = 0.02, bad = 0;
	uint64_t n = 100000;
	int e, idle;

	for (e = 16; e < 100; e++)
		bad += binomial_pmf(544, e, p);
	for (idle = 0; idle < 2; idle++) {
		SUBTEST("%s", idle ? "idle" : "busy") {
			fec_make(425, p, PNIC_STRIPE_SYMBOL);
			load();
			if (idle)
				pm_fec_idle(&fec, n);
			else
				pm_fec_run(&fec, n, NULL);
			check_count((double)fec.count.uncorrectable, (double)n, bad);
			/* Its expectation leaves open which lanes have one symbol more. */
			CHECK(fabs(fec.loss - bad) < 0.02 * bad);
			pm_fec_free(&fec);
		}
	}
}

/* Errors come to each lane by its own rate, whatever the others do. */
KTAP_TEST(errors_are_attributed_by_rate)
{
	uint64_t n = 400000;
	unsigned int l;
	int idle;

	for (idle = 0; idle < 2; idle++) {
		SUBTEST("%s", idle ? "idle" : "busy") {
			fec_make(425, 0, PNIC_STRIPE_SYMBOL);
			for (l = 0; l < 425; l++)
				fec.lane[l].p = 1e-7 * pow(1.03, l);
			load();
			if (idle)
				pm_fec_idle(&fec, n);
			else
				pm_fec_run(&fec, n, NULL);
			CHECK_EQ(fec.count.uncorrectable, 0);
			for (l = 0; l < 425; l++)
				check_count((double)errors[l], (double)n * 544 / 425,
					    fec.lane[l].p);
			pm_fec_free(&fec);
		}
	}
}

/* The parts of a run don't matter, nor does loading again what holds already. */
KTAP_TEST(one_run_or_many)
{
	uint64_t upto = 0, n = 50000;
	struct pm_fec_counts whole;

	fec_make(425, 1e-4, PNIC_STRIPE_SYMBOL);
	load();
	pm_fec_run(&fec, n, NULL);
	whole = fec.count;
	pm_fec_free(&fec);

	fec_make(425, 1e-4, PNIC_STRIPE_SYMBOL);
	load();
	while (upto < n)
		pm_fec_run(&fec, upto += 1 + upto % 7 < n - upto ? 1 + upto % 7 : n - upto, NULL);
	CHECK(!memcmp(&whole, &fec.count, sizeof(whole)));
	pm_fec_free(&fec);
}

KTAP_TEST(a_frame_knows_its_bad_codewords)
{
	struct pm_damage d = { .first = 10 };

	fec_make(425, 1e-12, PNIC_STRIPE_SYMBOL);
	load();
	CHECK(!pm_fec_frame(&fec, 10, 16, &d));
	pm_fec_load(&fec, 425, false, true);
	d = (struct pm_damage){ .first = 17 };
	CHECK(pm_fec_frame(&fec, 17, 19, &d));
	CHECK_EQ(d.mask, 7);
	CHECK_GE(d.wrong, 16);
	CHECK_EQ(fec.count.uncorrectable, 3);
	/* The next frame begins in the codeword in which that one ended. */
	pm_fec_load(&fec, 425, false, false);
	d = (struct pm_damage){ .first = 19 };
	CHECK(pm_fec_frame(&fec, 19, 21, &d));
	CHECK_EQ(d.mask, 1);
	d = (struct pm_damage){ .first = 21 };
	CHECK(!pm_fec_frame(&fec, 21, 30, &d));
	/* A long one */
	pm_fec_load(&fec, 425, false, true);
	d = (struct pm_damage){ .first = 31 };
	CHECK(pm_fec_frame(&fec, 31, 400, &d));
	CHECK(d.mask == UINT64_MAX);
	pm_fec_free(&fec);
}

static uint64_t bad_with_dark(unsigned int lanes, bool erased, uint8_t striping, uint64_t n)
{
	uint64_t bad;

	fec_make(425, 0, striping);
	darken(lanes, erased);
	if (striping == PNIC_STRIPE_BIT && !erased) {
		unsigned int l;

		for (l = 0; l < 425; l++)
			fec.lane[l].p = fec.lane[l].p > 0 ? 0.5 : 0;
	}
	load();
	pm_fec_run(&fec, n, NULL);
	bad = fec.count.uncorrectable;
	pm_fec_free(&fec);
	return bad;
}

/* RS(544,514) over 425 lanes: 7 dead lanes always, 15 with erasures; with bit striping 1. */
KTAP_TEST(dead_lanes_that_are_survived)
{
	uint64_t n = 20000;

	CHECK_EQ(bad_with_dark(7, false, PNIC_STRIPE_SYMBOL, n), 0);
	CHECK_EQ(bad_with_dark(15, true, PNIC_STRIPE_SYMBOL, n), 0);
	CHECK_GT(bad_with_dark(14, false, PNIC_STRIPE_SYMBOL, n), n / 10);
	CHECK_GT(bad_with_dark(26, true, PNIC_STRIPE_SYMBOL, n), n / 10);
	CHECK_EQ(bad_with_dark(31, true, PNIC_STRIPE_SYMBOL, n), n);
	CHECK_EQ(bad_with_dark(40, false, PNIC_STRIPE_SYMBOL, n), n);
	CHECK_EQ(bad_with_dark(1, false, PNIC_STRIPE_BIT, n), 0);
	CHECK_EQ(bad_with_dark(2, true, PNIC_STRIPE_BIT, n), 0);
}

/*
 * Two dead lanes, bit striping: 25 or 26 symbols, each wrong with one half, more than 15 of
 * them.
 */
KTAP_TEST(bit_striping_has_its_cliff_at_two)
{
	uint64_t n = 200000, bad = bad_with_dark(2, false, PNIC_STRIPE_BIT, n);
	double lo = 0, hi = 0;
	int e;

	for (e = 16; e <= 26; e++) {
		lo += e <= 24 ? binomial_pmf(24, e, 0.5) : 0;
		hi += binomial_pmf(26, e, 0.5);
	}
	CHECK(bad > n * lo);
	CHECK(bad < n * hi * 1.05);
	CHECK_GT(bad_with_dark(3, false, PNIC_STRIPE_BIT, n), n * 8 / 10);
}

/* Erased symbols by place in the stream, counted one by one. */
KTAP_TEST(erasures_of_each_codeword)
{
	static const unsigned int widths[] = { 425, 424, 272, 16, 3, 1 };
	unsigned int i, cw, l, v;
	size_t k;

	for (k = 0; k < sizeof(widths) / sizeof(widths[0]); k++) {
		SUBTEST("width %u", widths[k]) {
			fec_make(widths[k], 0, PNIC_STRIPE_SYMBOL);
			for (l = 0; l < widths[k]; l += 41)
				fec.lane[l].erased = true;
			load();
			for (cw = 0; cw < 1000; cw++) {
				v = 0;
				for (i = 0; i < 544; i++)
					v += fec.lane[(cw * 544 + i) % widths[k]].erased;
				if (v > 31)
					v = 31;
				CHECK_EQ(fec.phase_v[cw % fec.period], v);
			}
			pm_fec_free(&fec);
		}
	}
}

/* 2e + v <= 2t: what erasures leave for errors. */
KTAP_TEST(erasures_and_errors_together)
{
	double p = 4e-3, bad = 0, got;
	uint64_t n = 425 * 400;
	unsigned int i, l, e;
	int idle;

	for (idle = 0; idle < 2; idle++) {
		SUBTEST("%s", idle ? "idle" : "busy") {
			fec_make(425, p, PNIC_STRIPE_SYMBOL);
			for (l = 0; l < 425; l += 25)
				fec.lane[l].erased = true;	/* 17 of them: v is 21 to 23 */
			load();
			for (bad = 0, i = 0; i < fec.period; i++) {
				unsigned int v = fec.phase_v[i];

				for (e = (30 - v) / 2 + 1; e < 40; e++)
					bad += binomial_pmf(544 - v, e, p) / fec.period;
			}
			if (idle)
				pm_fec_idle(&fec, n);
			else
				pm_fec_run(&fec, n, NULL);
			got = (double)fec.count.uncorrectable;
			if (idle)	/* the number of its live symbols is an average */
				CHECK(fabs(got / (double)n / bad - 1) < 0.1);
			else
				check_count(got, (double)n, bad);
			CHECK(bad > 0.01);
			pm_fec_free(&fec);
		}
	}
}

KTAP_TEST(idle_agrees_with_busy_on_erasures)
{
	uint64_t n = 425 * 200, busy = bad_with_dark(24, true, PNIC_STRIPE_SYMBOL, n);

	CHECK_GT(busy, 0);
	CHECK_LT(busy, n);
	fec_make(425, 0, PNIC_STRIPE_SYMBOL);
	darken(24, true);
	load();
	pm_fec_idle(&fec, n);
	check_count((double)fec.count.uncorrectable, (double)n, (double)busy / (double)n);
	CHECK(fabs(fec.loss - (double)busy / (double)n) < 1e-9);
	pm_fec_free(&fec);
}

/* Margin in dead lanes: (2t - v - 2r) / 2s, with erasures / s. */
KTAP_TEST(margins)
{
	static const struct {
		unsigned int width, erased;
		double p;
		uint8_t striping;
		unsigned int margin, margin_erasure;
	} k[] = {
		{ 425, 0, 1e-12, PNIC_STRIPE_SYMBOL, 7, 15 },	/* the known values */
		{ 400, 0, 1e-12, PNIC_STRIPE_SYMBOL, 7, 15 },
		{ 425, 0, 0,     PNIC_STRIPE_BIT,    1, 2 },
		{ 425, 5, 1e-12, PNIC_STRIPE_SYMBOL, 5, 10 },	/* v = 10 */
		{ 425, 15, 0,    PNIC_STRIPE_SYMBOL, 0, 0 },
		{ 544, 0, 0,     PNIC_STRIPE_SYMBOL, 15, 30 },
		{ 256, 0, 0,     PNIC_STRIPE_SYMBOL, 5, 10 },	/* 3 symbols of a lane */
		{ 16, 0, 0,      PNIC_STRIPE_SYMBOL, 0, 0 },	/* 34 of them */
		{ 425, 0, 5e-8,  PNIC_STRIPE_SYMBOL, 7, 14 },	/* r = 1: two in 3e9 */
		{ 425, 0, 2e-7,  PNIC_STRIPE_SYMBOL, 6, 13 },	/* r = 2 */
		{ 425, 0, 5e-3,  PNIC_STRIPE_SYMBOL, 0, 0 },	/* past the limit of the code */
	};
	unsigned int l;
	size_t i;

	for (i = 0; i < sizeof(k) / sizeof(k[0]); i++) {
		SUBTEST("width %u, %u erased, %g, striping %u", k[i].width, k[i].erased, k[i].p,
			k[i].striping) {
			fec_make(k[i].width, k[i].p, k[i].striping);
			/* Neighbours: the worst codeword has two symbols of each. */
			for (l = 0; l < k[i].erased; l++)
				fec.lane[l].erased = true;
			load();
			CHECK_EQ(pm_fec_margin(&fec, false), k[i].margin);
			CHECK_EQ(pm_fec_margin(&fec, true), k[i].margin_erasure);
			pm_fec_free(&fec);
		}
	}
	fec_make(425, 0, PNIC_STRIPE_SYMBOL);
	pm_fec_load(&fec, 425, true, true);
	CHECK_EQ(pm_fec_margin(&fec, false), 0);
	pm_fec_free(&fec);
}

/* The expected worst of random errors is right: exceeded less than once in 1e9, one fewer isn't. */
KTAP_TEST(random_errors_of_the_margin)
{
	static const double ps[] = { 1e-8, 1e-6, 1e-5, 1e-4, 4e-4 };
	double tail;
	unsigned int e;
	size_t i;

	for (i = 0; i < sizeof(ps) / sizeof(ps[0]); i++) {
		fec_make(425, ps[i], PNIC_STRIPE_SYMBOL);
		load();
		for (tail = 0, e = 60; e > fec.random; e--)
			tail += binomial_pmf(544, e, ps[i]);
		CHECK(tail <= 1.01e-9);
		CHECK(tail + binomial_pmf(544, fec.random, ps[i]) > 0.99e-9);
		pm_fec_free(&fec);
	}
}

KTAP_MAIN()
