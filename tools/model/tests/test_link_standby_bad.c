// SPDX-License-Identifier: GPL-2.0
/*
 * Standby plans that meet something: hosts that have staged maps, a far end that doesn't
 * answer, lost requests and markers, wrong plans, resets, ends that differ
 * (hardware-interface.rst, 8.5 and 8.7).
 */
#include "standby_rig.h"

KTAP_TEST(a_host_that_has_staged_comes_first)
{
	struct rig_map m;
	struct rig r;

	open_busy(&r, 60000);
	SUBTEST("at the receiver") {
		plan_one(&r, 5, 430);
		next_map(&r, &m, 8, 440);
		CHECK_EQ(stage(&r, 1, PNIC_DIR_RX, &m), PNIC_AS_OK);
		pm_fault_kill(r.end[1].port, 5);
		run_us(&r, 150);
		CHECK_EQ(rig_info(&r, 1).gen_rx, 1);
		CHECK_EQ(rig_info(&r, 1).staged_rx, 2);
	}
	CHECK_EQ(stats(&r, 1).requests, 0);
	CHECK_EQ(pm_port_map_abort(r.end[1].port, PNIC_DIR_RX, 2), PNIC_AS_OK);
	run_us(&r, 10);
	check_generation(&r, 2);
	SUBTEST("at the transmitter") {
		plan_one(&r, 6, 431);
		next_map(&r, &m, 8, 440);
		CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &m), PNIC_AS_OK);
		pm_fault_kill(r.end[1].port, 6);
		run_us(&r, 250);
		CHECK_EQ(rig_info(&r, 0).gen_tx, 2);
		CHECK_EQ(rig_info(&r, 1).gen_rx, 2);
		CHECK_EQ(rig_info(&r, 1).staged_rx, 3);
		CHECK_EQ(stats(&r, 1).requests, 3);
		CHECK_EQ(stats(&r, 0).ignored, 2);
		/* Meanwhile the receiver is not to be disturbed. */
		CHECK_EQ(stage(&r, 1, PNIC_DIR_RX, &m), PNIC_AS_BUSY);
		CHECK_EQ(load(&r, 1, PNIC_DIR_RX, &m), PNIC_AS_BUSY);
		CHECK_EQ(pm_port_map_abort(r.end[1].port, PNIC_DIR_RX, 3), PNIC_AS_WRONG_STATE);
		CHECK_EQ(pm_port_map_abort(r.end[0].port, PNIC_DIR_TX, 3), PNIC_AS_OK);
		run_us(&r, 110);
		check_generation(&r, 3);
		CHECK_EQ(on_lane(&r, 1, PNIC_DIR_RX, 6), 431);
	}
	CHECK(rig_until(&r, rig_delivered, 20000));
	check_hitless(&r);
	rig_free(&r);
}

/* The transmitter's host was faster: its marker isn't that of the map that was asked for. */
KTAP_TEST(a_switch_that_crosses_the_request)
{
	struct rig_map m;
	struct rig r;

	open_busy(&r, 20000);
	plan_one(&r, 5, 430);
	next_map(&r, &m, 8, 440);
	CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &m), PNIC_AS_OK);
	pm_fault_kill(r.end[1].port, 5);
	run_us(&r, 120);
	CHECK_EQ(rig_info(&r, 1).staged_rx, 2);
	CHECK_EQ(pm_port_map_switch(r.end[0].port, 2), PNIC_AS_OK);
	run_us(&r, 10);
	/* The same generation at both ends by number, but not by its sum. */
	CHECK_EQ(rig_info(&r, 0).gen_tx, 2);
	CHECK_EQ(rig_info(&r, 1).gen_rx, 1);
	CHECK_EQ(planned(&r, 0, PNIC_DIR_TX), 0);
	CHECK_GT(rig_counters(&r, 1).codewords_uncorrectable, 0);
	run_us(&r, 1300);
	CHECK_EQ(rig_info(&r, 1).gen_rx, 1);
	CHECK_EQ(rig_info(&r, 1).staged_rx, 0);
	CHECK_EQ(stats(&r, 1).given_up, 1);
	/* Back to what both know. */
	rig_map_get(&r, 1, PNIC_DIR_RX, &m);
	CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &m), PNIC_AS_OK);
	CHECK_EQ(pm_port_map_switch(r.end[0].port, 1), PNIC_AS_OK);
	CHECK(rig_until(&r, rig_delivered, 20000));
	rig_check(&r);
	rig_free(&r);
}

KTAP_TEST(nobody_answers)
{
	struct rig_map m;
	struct rig r;

	open_busy(&r, 50000);
	SUBTEST("no plan there") {
		no_spare(&r, 1, PNIC_DIR_RX, &m);
		m.phys[5] = htole16(430);
		CHECK_EQ(load(&r, 1, PNIC_DIR_RX, &m), PNIC_AS_OK);
		pm_fault_kill(r.end[1].port, 5);
		run_us(&r, 1050);
		CHECK_EQ(rig_info(&r, 1).staged_rx, 2);
		run_us(&r, 200);
		check_generation(&r, 1);
		CHECK_EQ(stats(&r, 1).requests, 11);
		CHECK_EQ(stats(&r, 1).given_up, 1);
		CHECK_EQ(stats(&r, 0).ignored, 11);
		CHECK_EQ(planned(&r, 1, PNIC_DIR_RX), 0);
	}
	SUBTEST("another plan there") {
		m.phys[5] = htole16(431);
		CHECK_EQ(load(&r, 0, PNIC_DIR_TX, &m), PNIC_AS_OK);
		m.phys[5] = htole16(430);
		CHECK_EQ(load(&r, 1, PNIC_DIR_RX, &m), PNIC_AS_OK);
		run_us(&r, 1200);
		check_generation(&r, 1);
		CHECK_EQ(stats(&r, 1).given_up, 2);
	}
	check_generation(&r, 1);
	CHECK(rig_until(&r, rig_delivered, 20000));
	check_hitless(&r);
	rig_free(&r);
}

KTAP_TEST(lost_requests_are_repeated)
{
	struct pm_link_event *rx;
	struct rig r;

	open_busy(&r, 60000);
	plan_one(&r, 5, 430);
	pm_fault_drop_requests(r.end[1].port, 10);
	pm_fault_kill(r.end[1].port, 5);
	run_us(&r, 1050);
	CHECK_EQ(rig_info(&r, 0).gen_tx, 1);
	CHECK_EQ(rig_info(&r, 1).gen_rx, 1);
	run_us(&r, 100);
	check_generation(&r, 2);
	rx = &r.end[1].last_map[PNIC_DIR_RX];
	CHECK_GE(rx->data[0], rx->data[1] + 1000000);
	CHECK_LE(rx->data[0], rx->data[1] + 1000000 + RTT_NS + 1000);
	CHECK_EQ(stats(&r, 1).requests, 11);
	CHECK_EQ(stats(&r, 0).requests_rx, 1);
	CHECK(rig_until(&r, rig_delivered, 20000));
	check_hitless(&r);
	rig_free(&r);
}

static bool sender_switched(struct rig *r)
{
	return r->end[0].maps_tx > 0;
}

/* The transmitter has switched, and its marker is lost: asked again, it sends it again. */
KTAP_TEST(a_lost_marker_is_sent_again)
{
	struct rig r;

	open_busy(&r, 20000);
	plan_one(&r, 5, 430);
	pm_fault_kill(r.end[1].port, 5);
	CHECK(rig_until(&r, sender_switched, 10000));
	pm_fault_cut(r.end[1].port, true);
	run_us(&r, 2);
	pm_fault_cut(r.end[1].port, false);
	run_us(&r, 2);
	CHECK_EQ(rig_info(&r, 0).gen_tx, 2);
	CHECK_EQ(rig_info(&r, 1).gen_rx, 1);
	run_us(&r, 110);
	check_generation(&r, 2);
	CHECK_EQ(r.end[0].maps_tx, 1);
	CHECK(rig_until(&r, rig_delivered, 20000));
	rig_check(&r);
	rig_free(&r);
}

KTAP_TEST(refusals)
{
	struct rig_map good, m;
	uint64_t why;
	struct rig r;

	rig_new(&r);
	no_spare(&r, 0, PNIC_DIR_TX, &good);
	m = good;
	m.head.generation = htole32(2);
	CHECK_EQ(load(&r, 0, PNIC_DIR_TX, &m), 100 + PNIC_MAPR_GENERATION);
	CHECK_EQ(load(&r, 1, PNIC_DIR_RX, &m), 100 + PNIC_MAPR_GENERATION);
	m = good;
	m.head.width = htole16(424);
	CHECK_EQ(load(&r, 0, PNIC_DIR_TX, &m), 100 + PNIC_MAPR_WIDTH);
	CHECK_EQ(pm_port_standby(r.end[1].port, PNIC_DIR_RX, &good, rig_map_len(&good) - 1, &why),
		 PNIC_AS_REFUSED);
	CHECK_EQ(why, PNIC_MAPR_WIDTH);
	CHECK_EQ(pm_port_standby(r.end[1].port, PNIC_DIR_RX, &good, 3, &why), PNIC_AS_REFUSED);
	m = good;
	m.phys[3] = htole16(460);
	CHECK_EQ(load(&r, 0, PNIC_DIR_TX, &m), 100 + PNIC_MAPR_RANGE);
	m.phys[3] = htole16(424);
	CHECK_EQ(load(&r, 1, PNIC_DIR_RX, &m), 100 + PNIC_MAPR_IN_USE);
	m.phys[3] = htole16(3);
	CHECK_EQ(load(&r, 1, PNIC_DIR_RX, &m), 100 + PNIC_MAPR_IN_USE);
	CHECK_EQ(pm_port_standby(r.end[0].port, 2, &good, rig_map_len(&good), &why),
		 PNIC_AS_INVALID_FIELD);
	CHECK_EQ(why, offsetof(struct pnic_adm_map, dir));
	CHECK_EQ(pm_port_lane_ctl(r.end[0].port, 450, false), PNIC_AS_OK);
	m.phys[3] = htole16(450);
	CHECK_EQ(load(&r, 0, PNIC_DIR_TX, &m), 100 + PNIC_MAPR_OFF);
	rig_pass_us(&r, 200);
	CHECK_EQ(load(&r, 1, PNIC_DIR_RX, &m), 100 + PNIC_MAPR_OFF);
	CHECK_EQ(planned(&r, 0, PNIC_DIR_TX) + planned(&r, 1, PNIC_DIR_RX), 0);
	/* A spare for several is right, and so is one that is dark just now. */
	m.phys[3] = htole16(451);
	m.phys[4] = htole16(451);
	CHECK_EQ(load(&r, 0, PNIC_DIR_TX, &m), PNIC_AS_OK);
	CHECK_EQ(planned(&r, 0, PNIC_DIR_TX), 2);
	/* A refused one leaves what was there. */
	m.phys[5] = htole16(460);
	CHECK_EQ(load(&r, 0, PNIC_DIR_TX, &m), 100 + PNIC_MAPR_RANGE);
	CHECK_EQ(planned(&r, 0, PNIC_DIR_TX), 2);
	CHECK_EQ(pm_port_standby(r.end[0].port, PNIC_DIR_TX, NULL, 0, &why), PNIC_AS_OK);
	CHECK_EQ(planned(&r, 0, PNIC_DIR_TX), 0);
	rig_free(&r);
	rig_init(&r, "test-16", 1);
	r.config.standby = false;
	rig_open(&r);
	no_spare(&r, 0, PNIC_DIR_TX, &m);
	CHECK_EQ(load(&r, 0, PNIC_DIR_TX, &m), PNIC_AS_BAD_OPCODE);
	rig_free(&r);
}

/* A plan is for one generation: whatever else changes the map takes it away. */
KTAP_TEST(other_changes_drop_the_plan)
{
	struct rig_map m;
	struct rig r;

	open_busy(&r, 20000);
	plan_all(&r, 1);
	next_map(&r, &m, 8, 440);
	CHECK_EQ(stage(&r, 1, PNIC_DIR_RX, &m), PNIC_AS_OK);
	CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &m), PNIC_AS_OK);
	CHECK_EQ(planned(&r, 0, PNIC_DIR_TX), WIDTH);
	CHECK_EQ(pm_port_map_switch(r.end[0].port, 2), PNIC_AS_OK);
	run_us(&r, 10);
	CHECK_EQ(planned(&r, 0, PNIC_DIR_TX) + planned(&r, 1, PNIC_DIR_RX), 0);
	CHECK_EQ(r.end[1].last_map[PNIC_DIR_RX].data[1], 0);
	CHECK_GT(r.end[1].last_map[PNIC_DIR_RX].data[0], 0);
	CHECK_EQ(r.end[0].last_map[PNIC_DIR_TX].data[1], 0);
	/* The marker said again is no change. */
	plan_one(&r, 5, 430);
	CHECK_EQ(pm_port_map_switch(r.end[0].port, 2), PNIC_AS_OK);
	run_us(&r, 10);
	CHECK_EQ(planned(&r, 0, PNIC_DIR_TX) + planned(&r, 1, PNIC_DIR_RX), 2);
	/* The fall-back. */
	rig_map_get(&r, 0, PNIC_DIR_TX, &m);
	m.head.generation = htole32(1);
	m.phys[8] = htole16(8);
	CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &m), PNIC_AS_OK);
	CHECK_EQ(pm_port_map_switch(r.end[0].port, 1), PNIC_AS_OK);
	run_us(&r, 10);
	check_generation(&r, 1);
	CHECK_EQ(planned(&r, 0, PNIC_DIR_TX) + planned(&r, 1, PNIC_DIR_RX), 0);
	CHECK(rig_until(&r, rig_delivered, 20000));
	check_hitless(&r);
	rig_free(&r);
}

/* Event by event, until the receiver has asked. */
static void until_asked(struct rig *r)
{
	uint64_t sleep_ns;

	while (!rig_info(r, 1).staged_rx)
		pm_sim_run(r->sim, 1, &sleep_ns);
	CHECK_EQ(rig_info(r, 0).gen_tx, 1);
}

KTAP_TEST(reset_of_the_receiver_in_the_middle)
{
	struct rig r;

	rig_new(&r);
	plan_one(&r, 5, 430);
	pm_fault_kill(r.end[1].port, 5);
	until_asked(&r);
	pm_port_reset(r.end[1].port);
	CHECK_EQ(planned(&r, 1, PNIC_DIR_RX), 0);
	CHECK_EQ(rig_info(&r, 1).staged_rx, 0);
	rig_pass_us(&r, 1500);
	/* The request was on its way already; nobody waits for what comes of it. */
	CHECK_EQ(rig_info(&r, 0).gen_tx, 2);
	CHECK_EQ(rig_info(&r, 1).gen_rx, 1);
	CHECK_EQ(stats(&r, 1).requests, 0);
	rig_want(&r, 0, 100);
	rig_pass_us(&r, 100);
	CHECK_EQ(r.end[1].got, 0);
	rig_free(&r);
}

KTAP_TEST(reset_of_the_transmitter_in_the_middle)
{
	struct rig r;

	rig_new(&r);
	plan_one(&r, 5, 430);
	pm_fault_kill(r.end[1].port, 5);
	until_asked(&r);
	pm_port_reset(r.end[0].port);
	CHECK_EQ(planned(&r, 0, PNIC_DIR_TX), 0);
	rig_pass_us(&r, 1500);
	check_generation(&r, 1);
	CHECK_EQ(stats(&r, 1).given_up, 1);
	rig_want(&r, 0, 100);
	CHECK(rig_until(&r, rig_delivered, 1000));
	CHECK_EQ(r.end[1].wrong, 0);
	rig_free(&r);
}

static void second_generation(struct rig *r)
{
	struct rig_map m;

	next_map(r, &m, 8, 440);
	CHECK_EQ(stage(r, 1, PNIC_DIR_RX, &m), PNIC_AS_OK);
	CHECK_EQ(stage(r, 0, PNIC_DIR_TX, &m), PNIC_AS_OK);
	CHECK_EQ(pm_port_map_switch(r->end[0].port, 2), PNIC_AS_OK);
	run_us(r, 10);
	check_generation(r, 2);
}

/* Two ends with other ideas of one generation: nothing is decoded, so nothing can be wrong. */
KTAP_TEST(maps_that_differ_under_one_number)
{
	struct pnic_counters before, after;
	struct rig_map m, other;
	struct rig r;
	uint64_t got;
	int dir;

	for (dir = 0; dir < 2; dir++) {
		SUBTEST("active map wrong at the %s", dir ? "transmitter" : "receiver") {
			/* Not at generation 1, where the next heartbeat would put it right. */
			open_busy(&r, 20000);
			second_generation(&r);
			CHECK_EQ(pm_fault_map(r.end[!dir].port, dir, 3, 10), 0);
			run_us(&r, 2);
			got = r.end[1].got;
			before = rig_counters(&r, 1);
			run_us(&r, 50);
			after = rig_counters(&r, 1);
			CHECK_EQ(r.end[1].got, got);
			CHECK_EQ(after.codewords_uncorrectable - before.codewords_uncorrectable,
				 after.codewords_rx - before.codewords_rx);
			CHECK_EQ(rig_info(&r, 1).gen_rx, rig_info(&r, 0).gen_tx);
			CHECK_EQ(rig_info(&r, 1).margin, 0);
			CHECK_EQ(rig_info(&r, 1).gen_rx, 2);
			CHECK_EQ(r.end[1].maps_rx + r.end[0].maps_tx, 2);
			CHECK_EQ(pm_fault_map(r.end[!dir].port, dir, 3, 3), 0);
			CHECK(rig_until(&r, rig_delivered, 20000));
			rig_check(&r);
			rig_free(&r);
		}
	}
	SUBTEST("staged maps differ") {
		open_busy(&r, 20000);
		next_map(&r, &m, 8, 440);
		next_map(&r, &other, 8, 441);
		CHECK_EQ(stage(&r, 1, PNIC_DIR_RX, &m), PNIC_AS_OK);
		CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &other), PNIC_AS_OK);
		CHECK_EQ(pm_port_map_switch(r.end[0].port, 2), PNIC_AS_OK);
		run_us(&r, 2);
		got = r.end[1].got;
		run_us(&r, 50);
		CHECK_EQ(r.end[1].got, got);
		CHECK_EQ(rig_info(&r, 1).gen_rx, 1);
		CHECK_EQ(rig_info(&r, 1).staged_rx, 2);
		/* A fall-back, and all is well. */
		rig_map_get(&r, 1, PNIC_DIR_RX, &m);
		CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &m), PNIC_AS_OK);
		CHECK_EQ(pm_port_map_switch(r.end[0].port, 1), PNIC_AS_OK);
		CHECK(rig_until(&r, rig_delivered, 20000));
		rig_check(&r);
		rig_free(&r);
	}
	SUBTEST("a plan for another map than the far end's") {
		open_busy(&r, 20000);
		second_generation(&r);
		plan_one(&r, 5, 430);
		CHECK_EQ(pm_fault_map(r.end[1].port, PNIC_DIR_RX, 3, 10), 0);
		pm_fault_kill(r.end[1].port, 5);
		run_us(&r, 1300);
		CHECK_EQ(rig_info(&r, 0).gen_tx, 2);
		CHECK_EQ(rig_info(&r, 1).gen_rx, 2);
		CHECK_EQ(stats(&r, 1).given_up, 1);
		CHECK_EQ(pm_fault_map(r.end[1].port, PNIC_DIR_RX, 3, 3), 0);
		CHECK(rig_until(&r, rig_delivered, 20000));
		rig_check(&r);
		rig_free(&r);
	}
	rig_new(&r);
	CHECK_NE(pm_fault_map(r.end[1].port, PNIC_DIR_RX, 425, 3), 0);
	CHECK_NE(pm_fault_map(r.end[1].port, PNIC_DIR_RX, 3, 460), 0);
	CHECK_NE(pm_fault_map(r.end[1].port, PNIC_DIR_RX, 3, 3), 0);
	CHECK_NE(pm_fault_map(r.end[1].port, 2, 3, 4), 0);
	rig_free(&r);
}

KTAP_MAIN()
