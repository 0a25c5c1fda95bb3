// SPDX-License-Identifier: GPL-2.0
/*
 * LANE_TEST: PRBS of lanes in no map while traffic runs on the others (hardware-interface.rst,
 * 8.8). The lanes are those that arrive at end 1.
 */
#include <math.h>

#include "link_rig.h"

#define MBIT	(1ull << 20)

static int test(struct rig *r, unsigned int lane, int op, uint32_t mbits, uint64_t *result)
{
	return pm_port_lane_test(r->end[1].port, (uint16_t)lane, (uint8_t)op, mbits, result);
}

static int start(struct rig *r, unsigned int lane, uint32_t mbits)
{
	uint64_t result[2];

	return test(r, lane, PNIC_LANE_TEST_START, mbits, result);
}

static bool testing(struct rig *r, unsigned int lane)
{
	static uint8_t buf[sizeof(struct pnic_lane_table) + 460 * sizeof(struct pnic_lane_rec)];
	struct pnic_lane_rec rec;

	REQUIRE(pm_port_lane_table(r->end[1].port, PNIC_DIR_RX, buf, sizeof(buf)));
	memcpy(&rec, buf + sizeof(struct pnic_lane_table) + lane * sizeof(rec), sizeof(rec));
	return rec.flags & PNIC_LANEF_TESTING;
}

static uint64_t want_tested;

static bool tested(struct rig *r)
{
	return r->end[1].tested >= want_tested;
}

static int set_ber(struct rig *r, unsigned int lane, double ber)
{
	struct pm_lane_truth t;
	double db;

	/* By bisection: a test that computed it from Q would say the same as the model. */
	for (db = 0; db < 8; db += 0.001) {
		pm_fault_degrade(r->end[1].port, lane, db);
		pm_lane_truth(r->end[1].port, lane, &t);
		if (t.ber >= ber)
			return 0;
	}
	return -1;
}

static double ber_of(struct rig *r, unsigned int lane)
{
	struct pm_lane_truth t;

	pm_lane_truth(r->end[1].port, lane, &t);
	return t.ber;
}

/* Within six sigma: one in 5e8. */
static void check_errors(uint64_t errors, double mean)
{
	CHECK(fabs((double)errors - mean) <= 6 * sqrt(mean) + 1);
}

KTAP_TEST(counts_bits_and_errors)
{
	struct pm_link_event *ev;
	uint64_t begun;
	struct rig r;

	rig_new(&r);
	rig_want(&r, 0, 100000);
	rig_want(&r, 1, 100000);
	REQUIRE_EQ(set_ber(&r, 430, 1e-4), 0);
	begun = pm_sim_now(r.sim);
	CHECK_EQ(start(&r, 430, 4), PNIC_AS_OK);
	CHECK_EQ(start(&r, 431, 5), PNIC_AS_OK);
	CHECK(testing(&r, 430));
	CHECK(!testing(&r, 432));
	want_tested = 1;
	CHECK(rig_until(&r, tested, 20000));
	ev = &r.end[1].last_lane;
	CHECK_EQ(ev->lane, 430);
	CHECK_EQ(ev->data[1], 4 * MBIT);
	check_errors(ev->data[0], 4 * MBIT * ber_of(&r, 430));
	CHECK_EQ(ev->clock_ns, begun + 4 * MBIT / 2 + 1);
	CHECK(!testing(&r, 430));
	CHECK(testing(&r, 431));
	want_tested = 2;
	CHECK(rig_until(&r, tested, 20000));
	CHECK_EQ(r.end[1].last_lane.lane, 431);
	CHECK_EQ(r.end[1].last_lane.data[0], 0);
	CHECK_EQ(r.end[1].last_lane.data[1], 5 * MBIT);
	/* Traffic had nothing of it. */
	CHECK(rig_until(&r, rig_delivered, 20000));
	rig_check(&r);
	CHECK_EQ(rig_counters(&r, 0).frames_replayed, 0);
	rig_free(&r);
}

KTAP_TEST(read_and_stop)
{
	uint64_t result[2], bits;
	struct rig r;

	rig_new(&r);
	CHECK_EQ(test(&r, 440, PNIC_LANE_TEST_READ, 0, result), PNIC_AS_NOT_FOUND);
	CHECK_EQ(test(&r, 440, PNIC_LANE_TEST_STOP, 0, result), PNIC_AS_NOT_FOUND);
	REQUIRE_EQ(set_ber(&r, 440, 1e-3), 0);
	CHECK_EQ(start(&r, 440, 10000000), PNIC_AS_OK);
	CHECK_EQ(start(&r, 440, 10000000), PNIC_AS_EXISTS);
	rig_pass_us(&r, 1000);
	CHECK_EQ(test(&r, 440, PNIC_LANE_TEST_READ, 0, result), PNIC_AS_OK);
	CHECK_GE(result[1], 2000000);
	check_errors(result[0], (double)result[1] * ber_of(&r, 440));
	bits = result[1];
	/* Ten times worse from here on. */
	REQUIRE_EQ(set_ber(&r, 440, 1e-2), 0);
	result[1] = 0;
	rig_pass_us(&r, 1000);
	CHECK_EQ(test(&r, 440, PNIC_LANE_TEST_STOP, 0, result), PNIC_AS_OK);
	check_errors(result[0], (double)bits * 1e-3 + (double)(result[1] - bits) * ber_of(&r, 440));
	CHECK_EQ(test(&r, 440, PNIC_LANE_TEST_READ, 0, result), PNIC_AS_NOT_FOUND);
	CHECK_EQ(r.end[1].tested, 0);
	/* The numbers of one that is over wait to be read. */
	CHECK_EQ(start(&r, 440, 1), PNIC_AS_OK);
	want_tested = 1;
	CHECK(rig_until(&r, tested, 20000));
	CHECK_EQ(test(&r, 440, PNIC_LANE_TEST_READ, 0, result), PNIC_AS_OK);
	CHECK_EQ(result[0], r.end[1].last_lane.data[0]);
	CHECK_EQ(result[1], MBIT);
	CHECK_EQ(start(&r, 440, 1), PNIC_AS_OK);
	rig_free(&r);
}

static int stage(struct rig *r, int end, int dir, const struct rig_map *m)
{
	uint64_t why;

	return pm_port_map_stage(r->end[end].port, dir, m, rig_map_len(m), &why);
}

KTAP_TEST(what_ends_a_test)
{
	uint64_t result[2];
	struct rig_map m;
	struct rig r;

	rig_new(&r);
	SUBTEST("the lane is lost") {
		CHECK_EQ(start(&r, 430, 10000000), PNIC_AS_OK);
		rig_pass_us(&r, 100);
		pm_fault_kill(r.end[1].port, 430);
		rig_pass_us(&r, 150);
		CHECK_EQ(r.end[1].tested, 1);
		CHECK_EQ(r.end[1].last_lane.lane, 430);
		/* Half of what came without light was wrong. */
		check_errors(r.end[1].last_lane.data[0], 200000 / 2);
		CHECK_GE(r.end[1].last_lane.data[1], 400000);
		CHECK(!testing(&r, 430));
	}
	SUBTEST("it is switched off") {
		CHECK_EQ(start(&r, 431, 10000000), PNIC_AS_OK);
		CHECK_EQ(pm_port_lane_ctl(r.end[0].port, 431, false), PNIC_AS_OK);
		rig_pass_us(&r, 150);
		CHECK_EQ(r.end[1].tested, 2);
		CHECK_EQ(start(&r, 431, 1), PNIC_AS_WRONG_STATE);
	}
	SUBTEST("a map with it is staged") {
		CHECK_EQ(start(&r, 440, 10000000), PNIC_AS_OK);
		CHECK_EQ(start(&r, 441, 10000000), PNIC_AS_OK);
		rig_map_get(&r, 0, PNIC_DIR_TX, &m);
		m.head.generation = htole32(2);
		m.phys[8] = htole16(440);
		CHECK_EQ(stage(&r, 1, PNIC_DIR_RX, &m), PNIC_AS_OK);
		rig_pass_us(&r, 1);
		CHECK_EQ(r.end[1].tested, 3);
		CHECK_EQ(r.end[1].last_lane.lane, 440);
		CHECK(testing(&r, 441));
		CHECK_EQ(start(&r, 440, 1), PNIC_AS_WRONG_STATE);
		CHECK_EQ(pm_port_map_abort(r.end[1].port, PNIC_DIR_RX, 2), PNIC_AS_OK);
		CHECK_EQ(start(&r, 440, 10000000), PNIC_AS_OK);
	}
	SUBTEST("a fall-back uses it") {
		/* Logical lane 3 to 445, so that lane 3 is free, and back. */
		rig_map_get(&r, 0, PNIC_DIR_TX, &m);
		m.head.generation = htole32(2);
		m.phys[3] = htole16(445);
		CHECK_EQ(stage(&r, 1, PNIC_DIR_RX, &m), PNIC_AS_OK);
		CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &m), PNIC_AS_OK);
		CHECK_EQ(pm_port_map_switch(r.end[0].port, 2), PNIC_AS_OK);
		rig_pass_us(&r, 10);
		CHECK_EQ(start(&r, 3, 10000000), PNIC_AS_OK);
		rig_map_get(&r, 0, PNIC_DIR_TX, &m);
		m.head.generation = htole32(1);
		m.phys[3] = htole16(3);
		r.end[1].tested = 0;
		CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &m), PNIC_AS_OK);
		CHECK_EQ(pm_port_map_switch(r.end[0].port, 1), PNIC_AS_OK);
		rig_pass_us(&r, 10);
		CHECK_EQ(rig_info(&r, 1).gen_rx, 1);
		CHECK_EQ(r.end[1].tested, 1);
		CHECK_EQ(r.end[1].last_lane.lane, 3);
	}
	SUBTEST("a reset") {
		r.end[1].tested = 0;
		CHECK(testing(&r, 441));
		pm_port_reset(r.end[1].port);
		rig_pass_us(&r, 10);
		CHECK_EQ(r.end[1].tested, 0);
		CHECK(!testing(&r, 441));
		CHECK_EQ(test(&r, 441, PNIC_LANE_TEST_READ, 0, result), PNIC_AS_NOT_FOUND);
		CHECK_EQ(test(&r, 430, PNIC_LANE_TEST_READ, 0, result), PNIC_AS_NOT_FOUND);
	}
	rig_free(&r);
}

KTAP_TEST(refusals)
{
	uint64_t result[2];
	struct rig r;

	rig_new(&r);
	CHECK_EQ(start(&r, 3, 1), PNIC_AS_WRONG_STATE);
	pm_fault_kill(r.end[1].port, 450);
	rig_pass_us(&r, 150);
	CHECK_EQ(start(&r, 450, 1), PNIC_AS_WRONG_STATE);
	CHECK_EQ(test(&r, 460, PNIC_LANE_TEST_START, 1, result), PNIC_AS_INVALID_FIELD);
	CHECK_EQ(result[0], offsetof(struct pnic_adm_lane_test, lane));
	CHECK_EQ(test(&r, 440, 3, 1, result), PNIC_AS_INVALID_FIELD);
	CHECK_EQ(result[0], offsetof(struct pnic_adm_lane_test, op));
	CHECK_EQ(test(&r, 440, PNIC_LANE_TEST_START, 0, result), PNIC_AS_INVALID_FIELD);
	CHECK_EQ(result[0], offsetof(struct pnic_adm_lane_test, mbits));
	CHECK_EQ(test(&r, 440, PNIC_LANE_TEST_READ, 1, result), PNIC_AS_INVALID_FIELD);
	CHECK_EQ(test(&r, 440, PNIC_LANE_TEST_STOP, 1, result), PNIC_AS_INVALID_FIELD);
	CHECK_EQ(result[0], offsetof(struct pnic_adm_lane_test, mbits));
	rig_free(&r);
	rig_init(&r, "test-16", 1);
	r.config.lane_test = false;
	rig_open(&r);
	CHECK_EQ(start(&r, 17, 1), PNIC_AS_BAD_OPCODE);
	rig_free(&r);
}

KTAP_TEST(all_spares_at_once)
{
	unsigned int i;
	struct rig r;

	rig_new(&r);
	for (i = 425; i < 460; i++)
		CHECK_EQ(start(&r, i, 1 + i % 3), PNIC_AS_OK);
	want_tested = 35;
	CHECK(rig_until(&r, tested, 20000));
	CHECK(!testing(&r, 459));
	rig_free(&r);
}

/* A spare under test is in nobody's way, and not used before the test is over. */
KTAP_TEST(a_standby_plan_waits_for_the_test)
{
	uint64_t result[2];
	struct rig_map m;
	uint64_t why;
	unsigned int l;
	struct rig r;

	rig_new(&r);
	rig_map_get(&r, 1, PNIC_DIR_RX, &m);
	for (l = 0; l < 425; l++)
		m.phys[l] = htole16(PNIC_LANE_NONE);
	m.phys[5] = htole16(430);
	m.phys[6] = htole16(431);
	CHECK_EQ(pm_port_standby(r.end[0].port, PNIC_DIR_TX, &m, rig_map_len(&m), &why), 0);
	CHECK_EQ(pm_port_standby(r.end[1].port, PNIC_DIR_RX, &m, rig_map_len(&m), &why), 0);
	CHECK_EQ(start(&r, 430, 10000000), PNIC_AS_OK);
	pm_fault_kill(r.end[1].port, 5);
	rig_pass_us(&r, 200);
	CHECK_EQ(rig_info(&r, 1).gen_rx, 1);
	CHECK_EQ(test(&r, 430, PNIC_LANE_TEST_STOP, 0, result), PNIC_AS_OK);
	rig_pass_us(&r, 10);
	CHECK_EQ(rig_info(&r, 1).gen_rx, 2);
	/* One that ends by itself. */
	CHECK_EQ(start(&r, 431, 1), PNIC_AS_OK);
	pm_fault_kill(r.end[1].port, 6);
	want_tested = 1;
	CHECK(rig_until(&r, tested, 20000));
	rig_pass_us(&r, 10);
	CHECK_EQ(rig_info(&r, 1).gen_rx, 3);
	rig_free(&r);
}

KTAP_MAIN()
