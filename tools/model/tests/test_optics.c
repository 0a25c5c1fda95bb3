// SPDX-License-Identifier: GPL-2.0
/*
 * Light of the lanes: what a decibel does to the bit error rate, what is common to a link, what
 * hours do, what hits neighbours, and the knobs for all of it (Documentation/optics.rst). The
 * lanes looked at are those that arrive at end 1.
 */
#include <math.h>

#include "link_rig.h"

#define LANES	460

/* No spread, and nothing that a test didn't ask for. */
static void plain_init(struct rig *r)
{
	rig_init(r, "mosaic-800g", 1);
	r->config.ber_sigma_db = 0;
	r->config.optics.fit = 0;
	r->config.optics.drift_sigma = 0;
	r->config.optics.noise_db = 0;
	r->config.optics.burn_in_db = 0;
	r->config.optics.life_h = 1e15;
	r->config.optics.life_sigma = 0;
}

static void plain(struct rig *r)
{
	plain_init(r);
	rig_open(r);
}

static struct pm_lane_truth truth(struct rig *r, unsigned int lane)
{
	struct pm_lane_truth t;

	REQUIRE_EQ(pm_lane_truth(r->end[1].port, lane, &t), 0);
	return t;
}

static double power(struct rig *r, unsigned int lane)
{
	return truth(r, lane).power_db;
}

#define CHECK_NEAR(a, b, eps)	CHECK(fabs((double)(a) - (double)(b)) <= (eps))

static unsigned int lane_at(struct rig *r, unsigned int x, unsigned int y)
{
	return y * r->config.grid_x + x;
}

/* Bit error rates of photonic links as they are published, against decibels from nominal. */
KTAP_TEST(decibels_and_errors)
{
	static const struct { double db, ber, tolerance; } known[] = {
		{ 0, 2e-8, 0.01 }, { 1.97, 2.4e-4, 0.03 }, { 3.7, 1e-2, 0.05 },
	};
	unsigned int i;
	struct rig r;

	plain(&r);
	for (i = 0; i < 3; i++) {
		pm_fault_degrade(r.end[1].port, 7, known[i].db);
		CHECK_NEAR(truth(&r, 7).ber / known[i].ber, 1, known[i].tolerance);
		CHECK_NEAR(power(&r, 7), -known[i].db, 1e-9);
	}
	pm_fault_degrade(r.end[1].port, 7, 6.2);
	CHECK(truth(&r, 7).ber < 0.1);
	pm_fault_degrade(r.end[1].port, 7, 6.4);
	CHECK(truth(&r, 7).ber > 0.1);
	rig_free(&r);
}

KTAP_TEST(spread_between_lanes)
{
	double sum = 0, squares = 0;
	unsigned int i;
	struct rig r;

	rig_init(&r, "mosaic-800g", 3);
	rig_open(&r);
	for (i = 0; i < LANES; i++) {
		sum += power(&r, i);
		squares += power(&r, i) * power(&r, i);
	}
	CHECK_NEAR(sum / LANES, 0, 0.1);
	CHECK_NEAR(sqrt(squares / LANES), 0.4, 0.05);
	rig_free(&r);
}

/* 20 m to 30 m costs a factor of some ten thousand, at 0.2 dB/m. */
KTAP_TEST(reach)
{
	struct rig r;

	plain_init(&r);
	r.config.reach_m = 30;
	rig_open(&r);
	CHECK_NEAR(power(&r, 0), -2, 1e-9);
	CHECK_NEAR(log10(truth(&r, 0).ber), log10(3e-4), 0.1);
	rig_free(&r);
	plain_init(&r);
	r.config.reach_m = 10;
	rig_open(&r);
	CHECK_NEAR(power(&r, 0), 2, 1e-9);
	rig_free(&r);
}

KTAP_TEST(what_is_common_to_a_link)
{
	struct pm_lane_truth t;
	struct rig r;

	plain(&r);
	CHECK_EQ(pm_fault_temperature(r.end[1].port, 75), 0);
	CHECK_NEAR(power(&r, 0), -0.3, 1e-9);
	CHECK_NEAR(power(&r, 459), -0.3, 1e-9);
	REQUIRE_EQ(pm_lane_truth(r.end[0].port, 5, &t), 0);
	CHECK_NEAR(t.power_db, -0.3, 1e-9);
	CHECK_EQ(pm_fault_supply(r.end[0].port, 0.5), 0);
	CHECK_NEAR(power(&r, 0), -0.3 - 3.0103, 1e-4);
	/* What is set by hand is one direction's. */
	CHECK_EQ(pm_fault_common(r.end[1].port, 1), 0);
	CHECK_NEAR(power(&r, 0), -1.3 - 3.0103, 1e-4);
	REQUIRE_EQ(pm_lane_truth(r.end[0].port, 5, &t), 0);
	CHECK_NEAR(t.power_db, -0.3 - 3.0103, 1e-4);
	CHECK_EQ(pm_fault_heal_all(r.end[1].port), 0);
	CHECK_NEAR(power(&r, 0), -0.3 - 3.0103, 1e-4);
	CHECK_NE(pm_fault_temperature(r.end[1].port, 301), 0);
	CHECK_NE(pm_fault_temperature(r.end[1].port, NAN), 0);
	CHECK_NE(pm_fault_supply(r.end[1].port, 0), 0);
	CHECK_NEAR(power(&r, 0), -0.3 - 3.0103, 1e-4);
	rig_free(&r);
}

KTAP_TEST(burn_in_and_half_life)
{
	struct rig r;

	plain_init(&r);
	r.config.optics.burn_in_db = 0.2;
	rig_open(&r);
	CHECK_EQ(pm_fault_age(r.end[1].port, 50), 0);
	CHECK_NEAR(power(&r, 0), 0.19, 0.003);
	CHECK_EQ(pm_fault_age(r.end[1].port, 950), 0);
	CHECK_NEAR(power(&r, 0), 0.2, 0.003);
	CHECK_NEAR(truth(&r, 0).hours, 1000, 1e-3);
	rig_free(&r);
	plain_init(&r);
	r.config.optics.life_h = 10000;
	rig_open(&r);
	CHECK_EQ(pm_fault_age(r.end[1].port, 10000), 0);
	CHECK_NEAR(power(&r, 0), -3.01, 0.003);
	CHECK_NEAR(truth(&r, 0).age_db, 3.01, 0.003);
	/* Another emitter. */
	CHECK_EQ(pm_fault_heal(r.end[1].port, 0), 0);
	CHECK_NEAR(power(&r, 0), 0, 1e-9);
	CHECK_NEAR(power(&r, 1), -3.01, 0.003);
	CHECK_NE(pm_fault_age(r.end[1].port, -1), 0);
	CHECK_NE(pm_fault_age(r.end[1].port, NAN), 0);
	rig_free(&r);
}

KTAP_TEST(lives_are_log_normal)
{
	double sum = 0, squares = 0;
	unsigned int i;
	struct rig r;

	plain_init(&r);
	r.config.optics.life_h = 1e5;
	r.config.optics.life_sigma = 0.5;
	rig_open(&r);
	CHECK_EQ(pm_fault_age(r.end[1].port, 1e5), 0);
	for (i = 0; i < LANES; i++) {
		double ln = log(-power(&r, i) / 3.0103);

		sum += ln;
		squares += ln * ln;
	}
	CHECK_NEAR(sum / LANES, 0, 0.1);
	CHECK_NEAR(sqrt(squares / LANES), 0.5, 0.06);
	rig_free(&r);
}

/* 0.8 eV: 20 kelvin make it some five times as fast. */
KTAP_TEST(heat_ages)
{
	double expect = exp(0.8 / 8.617333e-5 * (1 / (45 + 273.15) - 1 / (65 + 273.15)));
	struct rig r;

	CHECK(expect > 5);
	CHECK(expect < 6);
	plain_init(&r);
	r.config.optics.life_h = 1e5;
	r.config.optics.temp_db_per_k = 0;
	rig_open(&r);
	CHECK_EQ(pm_fault_age(r.end[1].port, 10000), 0);
	CHECK_NEAR(power(&r, 0), -0.301, 0.003);
	CHECK_EQ(pm_fault_temperature(r.end[1].port, 65), 0);
	CHECK_EQ(pm_fault_age(r.end[1].port, 10000), 0);
	CHECK_NEAR(power(&r, 0), -0.301 * (1 + expect), 0.005);
	CHECK_NEAR(truth(&r, 0).hours, 20000, 1e-3);
	rig_free(&r);
}

KTAP_TEST(drift)
{
	struct rig r;

	plain(&r);
	CHECK_EQ(pm_fault_drift(r.end[1].port, 17, 0.1), 0);
	CHECK_EQ(pm_fault_drift(r.end[1].port, 18, -0.1), 0);
	CHECK_EQ(pm_fault_age(r.end[1].port, 10), 0);
	CHECK_NEAR(power(&r, 17), -1, 0.003);
	CHECK_NEAR(power(&r, 18), 1, 0.003);
	CHECK_NEAR(power(&r, 19), 0, 1e-9);
	/* Stopped, it stays where it is. */
	CHECK_EQ(pm_fault_drift(r.end[1].port, 17, 0), 0);
	CHECK_EQ(pm_fault_age(r.end[1].port, 10), 0);
	CHECK_NEAR(power(&r, 17), -1, 0.003);
	CHECK_NEAR(power(&r, 18), 2, 0.003);
	CHECK_NE(pm_fault_drift(r.end[1].port, LANES, 1), 0);
	CHECK_NE(pm_fault_drift(r.end[1].port, 1, NAN), 0);
	rig_free(&r);
	/* Drawn for each lane. */
	plain_init(&r);
	r.config.optics.drift_sigma = 0.01;
	rig_open(&r);
	CHECK_EQ(pm_fault_age(r.end[1].port, 100), 0);
	CHECK(power(&r, 17) < 0);
	CHECK(power(&r, 17) != power(&r, 18));
	rig_free(&r);
}

static bool came(struct rig *r)
{
	return rig_delivered(r);
}

/* The ageing clock beside the link's: so many hours for each second. */
KTAP_TEST(the_clock_runs_with_the_link)
{
	double hours;
	struct rig r;

	plain_init(&r);
	r.config.optics.age_rate = 1e6;
	rig_open(&r);
	CHECK_EQ(pm_fault_drift(r.end[1].port, 17, 0.0001), 0);
	rig_want(&r, 0, 300000);
	CHECK(rig_until(&r, came, 20000));
	CHECK_EQ(pm_fault_age(r.end[1].port, 0), 0);
	hours = (double)pm_sim_now(r.sim) / 1e9 * 1e6;
	CHECK(hours > 12000);
	CHECK_NEAR(truth(&r, 17).hours / hours, 1, 1e-6);
	CHECK_NEAR(power(&r, 17), -0.0001 * hours, 0.003);
	/* Stopped. */
	CHECK_EQ(pm_fault_age_rate(r.end[1].port, 0), 0);
	rig_want(&r, 0, 100000);
	CHECK(rig_until(&r, came, 20000));
	CHECK_NEAR(power(&r, 17), -0.0001 * hours, 0.003);
	CHECK_NE(pm_fault_age_rate(r.end[1].port, -1), 0);
	rig_check(&r);
	rig_free(&r);
}

KTAP_TEST(slow_noise)
{
	double squares = 0, products = 0, before[LANES];
	unsigned int i;
	struct rig r;

	plain_init(&r);
	r.config.optics.noise_db = 0.5;
	r.config.optics.noise_h = 2;
	rig_open(&r);
	CHECK_EQ(pm_fault_age(r.end[1].port, 1000), 0);
	for (i = 0; i < LANES; i++)
		before[i] = power(&r, i);
	CHECK_EQ(pm_fault_age(r.end[1].port, 2), 0);
	for (i = 0; i < LANES; i++) {
		squares += power(&r, i) * power(&r, i);
		products += power(&r, i) * before[i];
	}
	CHECK_NEAR(sqrt(squares / LANES), 0.5, 0.06);
	CHECK_NEAR(products / squares, exp(-1), 0.15);
	rig_free(&r);
}

KTAP_TEST(sudden_deaths)
{
	unsigned int i, dead = 0;
	struct rig r;

	plain_init(&r);
	r.config.optics.fit = 50;
	rig_open(&r);
	/* So long that one in ten is gone. */
	CHECK_EQ(pm_fault_age(r.end[1].port, 0.1054e9 / 50), 0);
	for (i = 0; i < LANES; i++)
		dead += truth(&r, i).dead;
	CHECK_GE(dead, 26);
	CHECK_LE(dead, 66);
	rig_pass_us(&r, 150);
	CHECK_EQ(r.end[1].los, dead);
	rig_free(&r);
}

/* However the hours are cut in pieces. */
KTAP_TEST(steps_do_not_matter)
{
	double once[LANES];
	unsigned int i, k;
	struct rig r;

	for (k = 0; k < 2; k++) {
		rig_init(&r, "mosaic-800g", 5);
		r.config.optics.noise_db = 0;
		r.config.optics.drift_sigma = 1e-5;
		r.config.optics.fit = 500;
		rig_open(&r);
		for (i = 0; i < (k ? 100 : 1); i++)
			CHECK_EQ(pm_fault_age(r.end[1].port, k ? 1000 : 100000), 0);
		for (i = 0; i < LANES; i++) {
			if (k)
				CHECK_NEAR(power(&r, i), once[i], 0.005);
			once[i] = power(&r, i);
		}
		rig_free(&r);
	}
}

KTAP_TEST(dirt_has_a_soft_edge)
{
	unsigned int radius;
	struct rig r;

	plain(&r);
	for (radius = 2; radius <= 4; radius++) {
		CHECK_EQ(pm_fault_dirt(r.end[1].port, 10, 10, radius, 2, 3), 0);
		CHECK_NEAR(power(&r, lane_at(&r, 10, 10)), -3, 1e-9);
		CHECK_NEAR(power(&r, lane_at(&r, 10 + radius, 10)), -3, 1e-9);
		CHECK_NEAR(power(&r, lane_at(&r, 11 + radius, 10)), -1.5, 1e-9);
		CHECK_NEAR(power(&r, lane_at(&r, 12 + radius, 10)), 0, 1e-9);
		CHECK_NEAR(power(&r, lane_at(&r, 10, 9 - radius)), -1.5, 1e-9);
		CHECK_EQ(pm_fault_dirt(r.end[1].port, 10, 10, radius, 2, 0), 0);
		CHECK_NEAR(power(&r, lane_at(&r, 11 + radius, 10)), 0, 1e-9);
		CHECK_NEAR(power(&r, lane_at(&r, 10, 10)), 0, 1e-9);
	}
	/* Two that overlap: the dirtier one counts. */
	CHECK_EQ(pm_fault_dirt(r.end[1].port, 10, 10, 2, 2, 3), 0);
	CHECK_EQ(pm_fault_dirt(r.end[1].port, 15, 10, 2, 2, 1), 0);
	CHECK_NEAR(power(&r, lane_at(&r, 12, 10)), -3, 1e-9);
	CHECK_NEAR(power(&r, lane_at(&r, 13, 10)), -1, 1e-9);
	/* On top of what else the lane has lost. */
	pm_fault_degrade(r.end[1].port, lane_at(&r, 10, 10), 1);
	CHECK_NEAR(power(&r, lane_at(&r, 10, 10)), -4, 1e-9);
	CHECK_EQ(pm_fault_dirt(r.end[1].port, 10, 10, 2, 0, 100), 0);
	CHECK(truth(&r, lane_at(&r, 10, 10)).dead);
	CHECK(!truth(&r, lane_at(&r, 13, 10)).dead);
	CHECK_NE(pm_fault_dirt(r.end[1].port, 20, 10, 2, 0, 1), 0);
	CHECK_NE(pm_fault_dirt(r.end[1].port, 10, -1, 2, 0, 1), 0);
	CHECK_NE(pm_fault_dirt(r.end[1].port, 10, 10, -2, 0, 1), 0);
	CHECK_NE(pm_fault_dirt(r.end[1].port, 10, 10, 2, -1, 1), 0);
	CHECK_NE(pm_fault_dirt(r.end[1].port, 10, 10, 2, 0, 201), 0);
	rig_free(&r);
}

KTAP_TEST(a_row_driver)
{
	unsigned int x;
	struct rig r;

	plain(&r);
	CHECK_EQ(pm_fault_row(r.end[1].port, 4, 2), 0);
	for (x = 0; x < 20; x++) {
		CHECK_NEAR(power(&r, lane_at(&r, x, 4)), -2, 1e-9);
		CHECK_NEAR(power(&r, lane_at(&r, x, 5)), 0, 1e-9);
	}
	CHECK_EQ(pm_fault_row(r.end[1].port, 4, 100), 0);
	CHECK(truth(&r, lane_at(&r, 3, 4)).dead);
	CHECK(truth(&r, lane_at(&r, 3, 4)).ber == 0.5);
	rig_pass_us(&r, 150);
	CHECK_EQ(r.end[1].los, 20);
	CHECK_EQ(pm_fault_row(r.end[1].port, 4, 0), 0);
	CHECK_NEAR(power(&r, lane_at(&r, 3, 4)), 0, 1e-9);
	CHECK(!truth(&r, lane_at(&r, 3, 4)).dead);
	CHECK_NE(pm_fault_row(r.end[1].port, 23, 1), 0);
	CHECK_NE(pm_fault_row(r.end[1].port, 2, NAN), 0);
	rig_free(&r);
}

KTAP_TEST(an_image_that_is_off)
{
	struct rig r;

	plain(&r);
	CHECK_EQ(pm_fault_misalign(r.end[1].port, 0.5, 0, 0), 0);
	CHECK_NEAR(power(&r, lane_at(&r, 19, 7)), -3.0103, 1e-4);
	CHECK_NEAR(power(&r, lane_at(&r, 18, 7)), 0, 1e-9);
	CHECK_NEAR(power(&r, lane_at(&r, 0, 7)), 0, 1e-9);
	/* Set, not added. */
	CHECK_EQ(pm_fault_misalign(r.end[1].port, -1.5, 0, 0), 0);
	CHECK_NEAR(power(&r, lane_at(&r, 19, 7)), 0, 1e-9);
	CHECK(truth(&r, lane_at(&r, 0, 7)).ber == 0.5);
	CHECK_NEAR(power(&r, lane_at(&r, 1, 7)), -3.0103, 1e-4);
	CHECK_NEAR(power(&r, lane_at(&r, 2, 7)), 0, 1e-9);
	CHECK_EQ(pm_fault_misalign(r.end[1].port, 0, 0.1, 2), 0);
	CHECK_NEAR(power(&r, lane_at(&r, 7, 0)), 0, 1e-9);
	CHECK_NEAR(power(&r, lane_at(&r, 7, 11)), -1, 1e-9);
	CHECK_NEAR(power(&r, lane_at(&r, 7, 22)), -2 - 0.4576, 1e-3);
	CHECK_EQ(pm_fault_misalign(r.end[1].port, 0, 0, 0), 0);
	CHECK_NEAR(power(&r, lane_at(&r, 7, 22)), 0, 1e-9);
	CHECK_NE(pm_fault_misalign(r.end[1].port, 21, 0, 0), 0);
	CHECK_NE(pm_fault_misalign(r.end[1].port, 0, NAN, 0), 0);
	CHECK_NE(pm_fault_misalign(r.end[1].port, 1, 0, -1), 0);
	CHECK_NE(pm_fault_misalign(r.end[1].port, 0, 0, 1), 0);
	rig_free(&r);
}

KTAP_TEST(knobs)
{
	struct pm_link_config good, c;
	const struct pm_knob *k, *other;
	unsigned int i, n;

	pm_link_config_defaults(&good, "mosaic-800g");
	CHECK(pm_link_config_valid(&good));
	for (i = 0; (k = pm_knob_at(i)); i++) {
		SUBTEST("%s", k->name) {
			CHECK(pm_knob_find(k->name) == k);
			for (n = 0; n < i; n++) {
				other = pm_knob_at(n);
				CHECK(strcmp(other->name, k->name));
				CHECK_NE(other->offset, k->offset);
			}
			CHECK(*k->help);
			CHECK(pm_knob_fits(k, pm_knob_get(k, &good)));
			CHECK(!pm_knob_fits(k, k->max * 2 + 1));
			CHECK(!pm_knob_fits(k, k->min - 1));
			CHECK(!pm_knob_fits(k, NAN));
			if (k->type != PM_KNOB_REAL)
				CHECK(!pm_knob_fits(k, k->min + 0.5));
			c = good;
			pm_knob_set(k, &c, k->min);
			CHECK(pm_knob_get(k, &c) == k->min);
			pm_knob_set(k, &c, pm_knob_get(k, &good));
			CHECK(!memcmp(&c, &good, sizeof(c)));
			if (k->type == PM_KNOB_REAL) {
				pm_knob_set(k, &c, k->max * 2 + 1);
				CHECK(!pm_link_config_valid(&c));
			}
		}
	}
	CHECK(!pm_knob_find("nothing"));
	CHECK_GT(i, 35);
}

KTAP_MAIN()
