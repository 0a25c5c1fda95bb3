// SPDX-License-Identifier: GPL-2.0
/*
 * Standby plans: lost lanes replaced by the cards themselves, under traffic
 * (hardware-interface.rst, 8.7), when all goes well.
 */
#include "standby_rig.h"

KTAP_TEST(up_to_seven_lanes_at_once)
{
	unsigned int n, i;
	struct rig r;

	for (n = 1; n <= 7; n++) {
		SUBTEST("%u dead lanes", n) {
			struct pm_link_event *rx = &r.end[1].last_map[PNIC_DIR_RX];
			struct pm_link_event *tx = &r.end[0].last_map[PNIC_DIR_TX];
			uint64_t start;

			open_busy(&r, 20000);
			plan_all(&r, 1);
			start = pm_sim_now(r.sim);
			for (i = 0; i < n; i++)
				pm_fault_kill(r.end[1].port, i * 51 + n);
			run_us(&r, 150);
			CHECK_EQ(r.end[1].los, n);
			CHECK_LE(r.end[1].slowest_loss, 100000);
			CHECK_EQ(r.end[1].maps_rx, 1);
			CHECK_EQ(r.end[0].maps_tx, 1);
			CHECK_GE(rx->data[1], start);
			CHECK_LE(rx->data[1], start + 100000);
			CHECK_GE(rx->data[0], rx->data[1] + RTT_NS);
			CHECK_LE(rx->data[0], rx->data[1] + RTT_NS + 1000);
			CHECK_GE(tx->data[1], rx->data[1] + RTT_NS / 2);
			CHECK_GE(tx->data[0], tx->data[1]);
			CHECK_LE(tx->data[0] + RTT_NS / 2, rx->data[0]);
			ktap_say("%u lanes: %llu ns from detection to switch", n,
				 (unsigned long long)(rx->data[0] - rx->data[1]));
			check_generation(&r, 2);
			for (i = 0; i < n; i++)
				CHECK_EQ(on_lane(&r, 1, PNIC_DIR_RX, i * 51 + n),
					 WIDTH + (i * 51 + n) % 35);
			CHECK(rig_until(&r, rig_delivered, 20000));
			check_hitless(&r);
			CHECK_GE(rig_info(&r, 1).margin, 7);
			CHECK_EQ(stats(&r, 1).switches_rx, 1);
			CHECK_EQ(stats(&r, 0).switches_tx, 1);
			CHECK_EQ(stats(&r, 1).requests, 1);
			rig_free(&r);
		}
	}
}

KTAP_TEST(both_directions_at_once)
{
	unsigned int i;
	struct rig r;

	open_busy(&r, 20000);
	plan_all(&r, 0);
	plan_all(&r, 1);
	for (i = 0; i < 7; i++) {
		pm_fault_kill(r.end[0].port, 60 * i + 1);
		pm_fault_kill(r.end[1].port, 60 * i + 1);
	}
	run_us(&r, 150);
	for (i = 0; i < 2; i++) {
		struct pm_link_event *rx = &r.end[i].last_map[PNIC_DIR_RX];

		CHECK_EQ(r.end[i].maps_rx, 1);
		CHECK_LE(rx->data[0], rx->data[1] + RTT_NS + 1000);
		CHECK_EQ(rig_info(&r, (int)i).gen_rx, 2);
		CHECK_EQ(rig_info(&r, (int)i).gen_tx, 2);
	}
	CHECK(rig_until(&r, rig_delivered, 20000));
	check_hitless(&r);
	rig_free(&r);
}

/* One after the other, until no spare is left. */
KTAP_TEST(a_plan_is_used_up)
{
	unsigned int i, left = WIDTH;
	struct rig r;

	open_busy(&r, 150000);
	plan_all(&r, 1);
	for (i = 0; i < 35; i++) {
		pm_fault_kill(r.end[1].port, i);
		run_us(&r, 110);
		check_generation(&r, 2 + i);
		/* With the spare go all entries that named it. */
		left -= i < 5 ? 13 : 12;
		CHECK_EQ(planned(&r, 1, PNIC_DIR_RX), left);
		CHECK_EQ(planned(&r, 0, PNIC_DIR_TX), left);
	}
	CHECK_EQ(left, 0);
	pm_fault_kill(r.end[1].port, 40);
	run_us(&r, 150);
	check_generation(&r, 36);
	CHECK_EQ(on_lane(&r, 1, PNIC_DIR_RX, 40), 40);
	CHECK_EQ(stats(&r, 1).requests, 35);
	CHECK(rig_until(&r, rig_delivered, 20000));
	check_hitless(&r);
	rig_free(&r);
}

KTAP_TEST(the_lower_one_gets_a_shared_spare)
{
	struct rig_map m;
	struct rig r;

	open_busy(&r, 10000);
	no_spare(&r, 1, PNIC_DIR_RX, &m);
	m.phys[7] = htole16(430);
	m.phys[9] = htole16(430);
	m.phys[12] = htole16(431);
	CHECK_EQ(load(&r, 0, PNIC_DIR_TX, &m), PNIC_AS_OK);
	CHECK_EQ(load(&r, 1, PNIC_DIR_RX, &m), PNIC_AS_OK);
	pm_fault_kill(r.end[1].port, 9);
	pm_fault_kill(r.end[1].port, 7);
	run_us(&r, 150);
	check_generation(&r, 2);
	CHECK_EQ(on_lane(&r, 1, PNIC_DIR_RX, 7), 430);
	CHECK_EQ(on_lane(&r, 1, PNIC_DIR_RX, 9), 9);
	CHECK_EQ(planned(&r, 1, PNIC_DIR_RX), 1);
	/* What is left holds for the new generation. */
	pm_fault_kill(r.end[1].port, 12);
	run_us(&r, 150);
	check_generation(&r, 3);
	CHECK_EQ(on_lane(&r, 1, PNIC_DIR_RX, 12), 431);
	CHECK(rig_until(&r, rig_delivered, 20000));
	check_hitless(&r);
	rig_free(&r);
}

/* More than one request holds, and far beyond FEC: the link mends itself all the same. */
KTAP_TEST(forty_five_lanes_take_two_requests)
{
	struct rig_map m;
	unsigned int i;
	struct rig r;

	rig_init(&r, "avicena-512g", 1);
	rig_open(&r);
	rig_want(&r, 0, 20000);
	CHECK(rig_until(&r, some_came, 10000));
	no_spare(&r, 1, PNIC_DIR_RX, &m);
	for (i = 0; i < 64; i++)
		m.phys[i] = htole16((uint16_t)(256 + i));
	CHECK_EQ(load(&r, 0, PNIC_DIR_TX, &m), PNIC_AS_OK);
	CHECK_EQ(load(&r, 1, PNIC_DIR_RX, &m), PNIC_AS_OK);
	for (i = 0; i < 45; i++)
		pm_fault_kill(r.end[1].port, i);
	run_us(&r, 500);
	check_generation(&r, 3);
	for (i = 0; i < 45; i++)
		CHECK_EQ(on_lane(&r, 1, PNIC_DIR_RX, i), 256 + i);
	CHECK_EQ(stats(&r, 1).requests, 2);
	CHECK(rig_until(&r, rig_delivered, 20000));
	rig_check(&r);
	rig_free(&r);
}

KTAP_TEST(a_dark_spare_is_waited_for)
{
	struct rig r;

	open_busy(&r, 20000);
	pm_fault_kill(r.end[1].port, 430);
	run_us(&r, 110);
	plan_one(&r, 5, 430);
	pm_fault_kill(r.end[1].port, 5);
	run_us(&r, 150);
	check_generation(&r, 1);
	CHECK_EQ(stats(&r, 1).requests, 0);
	CHECK_EQ(planned(&r, 1, PNIC_DIR_RX), 1);
	pm_fault_heal(r.end[1].port, 430);
	run_us(&r, 150);
	check_generation(&r, 2);
	CHECK_EQ(on_lane(&r, 1, PNIC_DIR_RX, 5), 430);
	CHECK(rig_until(&r, rig_delivered, 20000));
	check_hitless(&r);
	rig_free(&r);
}

/* A lane that was lost before there was a plan. */
KTAP_TEST(a_plan_that_comes_late)
{
	struct rig r;

	open_busy(&r, 20000);
	pm_fault_kill(r.end[1].port, 5);
	run_us(&r, 300);
	plan_one(&r, 5, 430);
	run_us(&r, 10);
	check_generation(&r, 2);
	CHECK_EQ(r.end[1].last_map[PNIC_DIR_RX].data[1], r.end[1].last_los);
	CHECK(rig_until(&r, rig_delivered, 20000));
	check_hitless(&r);
	rig_free(&r);
}

KTAP_MAIN()
