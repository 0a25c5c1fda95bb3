// SPDX-License-Identifier: GPL-2.0
/*
 * The lane policy and protocol at both ends of a modelled link, under traffic: lanes die,
 * many at once, ports are reset, and every frame arrives once and in order.
 */
#include "pair.h"

KTAP_TEST(quiet_link_keeps_its_map)
{
	struct pnic_link_info i;

	setup("mosaic-800g");
	run_for(50 * MS);
	info(0, &i);
	CHECK_EQ(i.gen_rx, 1);
	CHECK_EQ(i.width_rx, 425);
	check_agreed();
	check_flow(false);
	teardown();
}

KTAP_TEST(sixty_lanes_one_by_one)
{
	struct pnic_counters c;
	unsigned int k;
	int e;

	setup("mosaic-800g");
	for (k = 0; k < 60; k++) {
		CHECK_EQ(pm_fault_kill(ends[0].port, k * 177 % 460), 0);
		CHECK_EQ(pm_fault_kill(ends[1].port, (k * 91 + 5) % 460), 0);
		run_for(3 * MS);
	}
	for (e = 0; e < 2; e++) {
		struct pnic_link_info i;

		info(e, &i);
		CHECK_EQ(i.width_rx, 400);
		CHECK_EQ(i.width_tx, 400);
		CHECK_EQ(i.state, PNIC_LINK_UP);
		CHECK_EQ(dark_in_map(e), 0);
		CHECK_EQ(ends[e].lost_events, 60);
		pm_port_counters(ends[e].port, &c);
		CHECK_EQ(c.codewords_uncorrectable, 0);
		CHECK_EQ(c.frames_replayed, 0);
		CHECK_EQ(c.link_downs, 0);
	}
	check_agreed();
	check_flow(false);
	teardown();
}

KTAP_TEST(forty_at_once_beyond_fec)
{
	struct pnic_link_info i;
	struct pnic_counters c;
	unsigned int k;

	setup("mosaic-800g");
	for (k = 0; k < 40; k++)
		pm_fault_kill(ends[0].port, 10 * k + 3);
	run_for(20 * MS);
	info(0, &i);
	CHECK_EQ(i.width_rx, 420);
	CHECK_EQ(i.width_tx, 425);
	CHECK_EQ(dark_in_map(0), 0);
	pm_port_counters(ends[0].port, &c);
	CHECK_GT(c.codewords_uncorrectable, 0);	/* it was beyond FEC */
	check_agreed();
	check_flow(false);
	teardown();
}

KTAP_TEST(patch_of_dirt)
{
	setup("mosaic-800g");
	pm_fault_patch(ends[1].port, 10, 10, 2.5, 200);
	run_for(10 * MS);
	CHECK_EQ(dark_in_map(1), 0);
	/* Told of when it doesn't grow any more. */
	run_for(300 * MS);
	CHECK_EQ(ends[1].notes[LANE_NOTE_CLUSTER], 1);
	check_agreed();
	check_flow(false);
	teardown();
}

KTAP_TEST(reset_of_one_port)
{
	unsigned int k;

	setup("mosaic-800g");
	for (k = 0; k < 45; k++) {
		pm_fault_kill(ends[0].port, 10 * k + 1);
		pm_fault_kill(ends[1].port, 10 * k + 2);
	}
	run_for(20 * MS);
	check_agreed();
	ends[0].forgiving = true;
	ends[1].forgiving = true;
	pm_port_reset(ends[1].port);
	/* Its firmware starts afresh, too. */
	pm_portfw_free(ends[1].fw);
	ends[1].fw = pm_portfw_new(sim, ends[1].port);
	REQUIRE(ends[1].fw);
	run_for(100 * MS);
	check_agreed();
	CHECK_EQ(dark_in_map(0) + dark_in_map(1), 0);
	CHECK_EQ(ends[0].notes[LANE_NOTE_RESTART], 1);
	check_flow(true);
	teardown();
}

/* The port is reset behind the firmware's back. */
KTAP_TEST(reset_unseen_by_the_firmware)
{
	unsigned int k;

	setup("mosaic-800g");
	for (k = 0; k < 45; k++)
		pm_fault_kill(ends[k & 1].port, 10 * k + 1);
	run_for(20 * MS);
	ends[0].forgiving = true;
	ends[1].forgiving = true;
	pm_port_reset(ends[0].port);
	run_for(1500 * MS);
	check_agreed();
	CHECK_EQ(dark_in_map(0) + dark_in_map(1), 0);
	check_flow(true);
	teardown();
}

KTAP_TEST(down_to_the_last_lane)
{
	struct pnic_link_info i;
	unsigned int k;

	setup("test-16");
	for (k = 0; k < 19; k++) {
		pm_fault_kill(ends[0].port, k);
		run_for(3 * MS);
	}
	info(0, &i);
	CHECK_EQ(i.state, PNIC_LINK_UP);
	CHECK_EQ(i.width_rx, 1);
	CHECK_EQ(dark_in_map(0), 0);
	check_agreed();
	check_flow(false);
	teardown();
}

/* Cut and joined again: no spare was burnt on it. */
KTAP_TEST(cut_and_joined)
{
	struct pnic_link_info i;
	int e;

	setup("mosaic-800g");
	pm_fault_cut(ends[0].port, true);
	run_for(20 * MS);
	pm_fault_cut(ends[0].port, false);
	run_for(200 * MS);
	for (e = 0; e < 2; e++) {
		info(e, &i);
		CHECK_EQ(i.state, PNIC_LINK_UP);
		CHECK_EQ(i.width_rx, 425);
		CHECK_EQ(dark_in_map(e), 0);
	}
	check_agreed();
	check_flow(false);
	teardown();
}

/* A lane that errs is replaced before it costs a codeword. */
KTAP_TEST(drifting_lane_is_retired)
{
	struct pnic_link_info i;
	struct pnic_counters c;

	setup("mosaic-800g");
	pm_fault_degrade(ends[0].port, 50, 2.6);
	run_for(2500 * MS);
	CHECK(!in_map(0, 50));
	info(0, &i);
	CHECK_EQ(i.width_rx, 425);
	pm_port_counters(ends[0].port, &c);
	CHECK_EQ(c.codewords_uncorrectable, 0);
	CHECK_GT(c.symbols_corrected, 1000);
	check_agreed();
	check_flow(false);
	teardown();
}

/* All lanes lose light together: told of, and nothing is replaced. */
KTAP_TEST(common_mode_burns_no_spares)
{
	struct pnic_link_info i;

	setup("mosaic-800g");
	pm_fault_common(ends[0].port, 1.7);
	run_for(2500 * MS);
	info(0, &i);
	CHECK_EQ(i.gen_rx, 1);
	CHECK_EQ(ends[0].notes[LANE_NOTE_COMMON], 1);
	check_agreed();
	teardown();
}

/*
 * Three quarters of the lanes are weak, then all lose light: nothing can be read any more, so
 * no error is attributed. By their light the weak ones are found, and the link goes on without.
 */
KTAP_TEST(beyond_fec_the_light_decides)
{
	struct pnic_counters before, after;
	struct pnic_link_info i;
	unsigned int k;

	setup("mosaic-800g");
	for (k = 0; k < 460; k++)
		if (k % 4)
			pm_fault_degrade(ends[0].port, k, 2.2);
	pm_fault_common(ends[0].port, 2.2);
	run_for(1000 * MS);
	CHECK_EQ(ends[0].notes[LANE_NOTE_BLIND], 1);
	info(0, &i);
	CHECK_GT(i.width_rx, 60);
	CHECK_LE(i.width_rx, 115);
	CHECK_EQ(ends[0].notes[LANE_NOTE_CLUSTER], 0);
	CHECK_EQ(i.width_tx, 425);
	check_agreed();
	pm_port_counters(ends[0].port, &before);
	run_for(100 * MS);
	pm_port_counters(ends[0].port, &after);
	CHECK_LE((le64_to_cpu(after.codewords_uncorrectable) -
		  le64_to_cpu(before.codewords_uncorrectable)) * 1000,
		 le64_to_cpu(after.codewords_rx) - le64_to_cpu(before.codewords_rx));
	check_flow(false);
	teardown();
}

/* All are alike: no map would be better, so none is tried. */
KTAP_TEST(beyond_fec_all_alike)
{
	struct pnic_link_info i;

	setup("mosaic-800g");
	pm_fault_common(ends[0].port, 4.5);
	run_for(1000 * MS);
	CHECK_EQ(ends[0].notes[LANE_NOTE_BLIND], 1);
	info(0, &i);
	CHECK_EQ(i.gen_rx, 1);
	CHECK_EQ(i.width_rx, 425);
	pm_fault_common(ends[0].port, 0);
	run_for(2000 * MS);
	CHECK_EQ(ends[0].notes[LANE_NOTE_BLIND], 1);
	CHECK_EQ(ends[0].notes[LANE_NOTE_CLUSTER], 0);
	CHECK_EQ(ends[0].notes[LANE_NOTE_COMMON_OVER], 1);
	info(0, &i);
	CHECK_EQ(i.gen_rx, 1);
	check_agreed();
	check_flow(false);
	teardown();
}

KTAP_TEST(avicena_profile)
{
	struct pnic_link_info i;
	unsigned int k;

	setup("avicena-512g");
	for (k = 0; k < 70; k++) {
		pm_fault_kill(ends[0].port, k * 37 % 320);
		run_for(3 * MS);
	}
	info(0, &i);
	CHECK_EQ(i.width_rx, 250);
	CHECK_EQ(dark_in_map(0), 0);
	check_agreed();
	check_flow(false);
	teardown();
}

static const struct lane_agent_stats *stats_of(int e)
{
	return &pm_portfw_agent(ends[e].fw)->stats;
}

/* The cards have a plan from their firmware, and mend seven lanes before it knows of one. */
KTAP_TEST(cards_mend_by_themselves)
{
	struct pm_standby_stats card;
	struct pnic_link_info i;
	struct pnic_counters c;
	uint64_t fast = 0, all;
	unsigned int k, round;
	int e;

	load.period_ns = 50 * US;
	setup("mosaic-800g");
	run_for(1200 * MS);
	for (round = 1; round <= 4; round++) {
		for (e = 0; e < 2; e++)
			for (k = 0; k < 7; k++)
				pm_fault_kill(ends[e].port, 40 * k + 10 * round + (unsigned int)e);
		run_for(160 * US);
		for (e = 0; e < 2; e++) {
			info(e, &i);
			/* Of lanes that share a spare one gets it; FEC carries the others. */
			CHECK_LE(dark_in_map(e), 3);
			CHECK_EQ(i.width_rx, 425);
			pm_port_standby_stats(ends[e].port, &card);
			CHECK_EQ(card.switches_rx, round);
			CHECK_EQ(card.switches_tx, round);
		}
		/* Time for the rest, and for the next plan. */
		run_for(1200 * MS);
		check_agreed();
		CHECK_EQ(dark_in_map(0) + dark_in_map(1), 0);
	}
	for (e = 0; e < 2; e++) {
		CHECK_EQ(stats_of(e)->standby_switches, 8);	/* both directions */
		for (k = 0, fast = 0, all = 0; k < LANE_LATENCY_BUCKETS; k++) {
			all += stats_of(e)->latency[k];
			if (LANE_LATENCY_FIRST_NS << k <= 2000)
				fast += stats_of(e)->latency[k];
		}
		CHECK_EQ(fast, 4);
		CHECK_GE(all, fast);
		pm_port_counters(ends[e].port, &c);
		CHECK_EQ(c.frames_replayed, 0);
		CHECK_EQ(c.codewords_uncorrectable, 0);
	}
	check_agreed();
	load.period_ns = 5 * US;
	check_flow(false);
	teardown();
}

/* A card without: software does it, later. */
KTAP_TEST(cards_that_can_not)
{
	struct pm_standby_stats card;
	struct pm_link_config c;
	int e;

	pm_link_config_defaults(&c, "mosaic-800g");
	c.standby = false;
	c.lane_test = false;
	setup_config(&c, NULL);
	for (e = 0; e < 2; e++)
		pm_fault_kill(ends[e].port, 17);
	run_for(20 * MS);
	for (e = 0; e < 2; e++) {
		CHECK_EQ(dark_in_map(e), 0);
		pm_port_standby_stats(ends[e].port, &card);
		CHECK_EQ(card.requests + card.requests_rx, 0);
		CHECK_EQ(stats_of(e)->standby_switches, 0);
	}
	check_agreed();
	check_flow(false);
	teardown();
}

static bool test_runs(int e, unsigned int lane)
{
	static u8 buf[sizeof(struct pnic_lane_table) + 460 * sizeof(struct pnic_lane_rec)];
	const struct pnic_lane_rec *rec = (const void *)(buf + sizeof(struct pnic_lane_table));

	REQUIRE(pm_port_lane_table(ends[e].port, PNIC_DIR_RX, buf, sizeof(buf)));
	return rec[lane].flags & PNIC_LANEF_TESTING;
}

/* A lane that comes back is tested by its PRBS while the others carry traffic. */
KTAP_TEST(a_lane_that_is_back_is_tested)
{
	unsigned int k, ran = 0;

	load.period_ns = 100 * US;
	setup("mosaic-800g");
	pm_fault_kill(ends[0].port, 50);
	run_for(20 * MS);
	CHECK(!in_map(0, 50));
	pm_fault_heal(ends[0].port, 50);
	for (k = 0; k < 400 && !ends[0].notes[LANE_NOTE_TESTED]; k++) {
		run_for(100 * MS);
		ran += test_runs(0, 50);
	}
	CHECK_GT(ran, 0);
	CHECK_EQ(ends[0].notes[LANE_NOTE_TESTED], 1);
	check_agreed();
	load.period_ns = 5 * US;
	teardown();
}

/* What one end believes of its map is wrong: found when it next looks at it, and put right. */
KTAP_TEST(a_corrupted_map_is_found)
{
	int which, dir, first;

	for (which = 0; which < 4; which++) {
		first = which / 2;
		dir = which % 2;
		SUBTEST("at the %s%s", dir ? "transmitter" : "receiver",
			first ? ", at generation 1" : "") {
			load.period_ns = 50 * US;
			setup("mosaic-800g");
			if (!first)
				pm_fault_kill(ends[0].port, 50);
			run_for(300 * MS);
			CHECK_EQ(pm_fault_map(ends[dir].port, dir, 3, 10), 0);
			run_for(1600 * MS);
			CHECK_GT(ends[0].notes[LANE_NOTE_ASTRAY] + ends[1].notes[LANE_NOTE_ASTRAY], 0);
			run_for(2000 * MS);
			load.period_ns = 5 * US;
			check_agreed();
			CHECK_EQ(dark_in_map(0), 0);
			check_flow(false);
			teardown();
		}
	}
}

KTAP_MAIN()
