// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the lane agent: two of them, each with a simulated card, over one link.
 */
#include "agents.h"

KTAP_TEST(ends_find_each_other_and_rest)
{
	u64 sent;

	start(425, 460, 1);
	run_for(10 * MS);
	check_agreed();
	CHECK_EQ(ends[0].notes[LANE_NOTE_PEER], 1);
	CHECK_EQ(ends[1].notes[LANE_NOTE_PEER], 1);
	/* Nothing but heartbeats from now on. */
	sent = sim.sent;
	run_for(10 * SEC);
	CHECK_LE(sim.sent - sent, 2 * 10 * 4 + 2);
	CHECK_EQ(sim.dir[0].rx.generation, 1);
	CHECK_EQ(ends[0].notes[LANE_NOTE_SILENT], 0);
}

KTAP_TEST(dead_lane_is_replaced_at_both_ends)
{
	start(425, 460, 2);
	run_for(10 * MS);
	lose(0, 17);
	run_for(3 * MS);
	check_agreed();
	CHECK_EQ(sim.dir[1].rx.generation, 2);
	CHECK_EQ(sim.dir[1].rx.width, 425);
	CHECK_EQ(dark_in_map(0), 0);
	CHECK_EQ(sim.dir[0].rx.generation, 1);	/* the other way is untouched */
	CHECK_EQ(ends[0].agent.stats.failed, 1);
	CHECK_EQ(ends[0].agent.stats.spares, 34);
}

KTAP_TEST(losses_of_one_moment_are_one_change)
{
	u16 i;

	start(425, 460, 3);
	run_for(10 * MS);
	for (i = 0; i < 7; i++) {
		lose(0, 30 * i);
		run_for(100 * US);
	}
	run_for(3 * MS);
	check_agreed();
	CHECK_EQ(sim.dir[1].rx.generation, 2);
	CHECK_EQ(dark_in_map(0), 0);
}

KTAP_TEST(sixty_lanes_one_by_one)
{
	u16 i;

	start(425, 460, 4);
	run_for(10 * MS);
	for (i = 0; i < 60; i++) {
		lose(i & 1, i * 177 % 460);
		lose(!(i & 1), i * 177 % 460);
		run_for(20 * MS);
		CHECK_EQ(dark_in_map(0) + dark_in_map(1), 0);
	}
	check_agreed();
	CHECK_EQ(sim.dir[0].rx.width, 400);
	CHECK_EQ(sim.dir[1].rx.width, 400);
	CHECK_GE(ends[0].agent.stats.margin_min, 7);
}

KTAP_TEST(lossy_management_channel)
{
	u16 i;

	start(425, 460, 5);
	sim.loss = 50;
	run_for(SEC);
	for (i = 0; i < 40; i++)
		lose(i & 1, i * 177 % 460);
	run_for(30 * SEC);
	CHECK_EQ(dark_in_map(0) + dark_in_map(1), 0);
	check_agreed();
}

KTAP_TEST(reset_of_one_end)
{
	u16 i;

	start(425, 460, 6);
	run_for(10 * MS);
	for (i = 0; i < 50; i++) {
		lose(0, i * 9);
		lose(1, i * 8);
	}
	run_for(50 * MS);
	CHECK_EQ(sim.dir[0].rx.width, 410);
	sim_reset(&sim, 1);
	REQUIRE_EQ(start_end(1), 0);
	run_for(SEC);
	check_agreed();
	CHECK_EQ(dark_in_map(0) + dark_in_map(1), 0);
	CHECK_EQ(sim.dir[0].rx.width, 410);
	CHECK_EQ(sim.dir[1].rx.width, 410);
	CHECK_EQ(ends[0].notes[LANE_NOTE_RESTART], 1);
	CHECK_GE(ends[0].agent.stats.fallbacks, 1);
}

/* A card that resets without its software being told of it. */
KTAP_TEST(reset_that_nobody_tells_of)
{
	start(425, 460, 7);
	run_for(10 * MS);
	lose(0, 3);
	lose(1, 4);
	run_for(10 * MS);
	sim_reset(&sim, 1);
	run_for(3 * SEC);
	check_agreed();
	CHECK_EQ(dark_in_map(0) + dark_in_map(1), 0);
}

KTAP_TEST(one_end_resets_again_and_again)
{
	u16 i;

	start(16, 20, 8);
	run_for(10 * MS);
	for (i = 0; i < 50; i++) {
		lose(0, i % 3);
		heal(0, (i + 1) % 3);
		run_for(rng_below(&sim.rng, 5 * MS));
		sim_reset(&sim, i & 1);
		REQUIRE_EQ(start_end(i & 1), 0);
		run_for(rng_below(&sim.rng, 40 * MS));
	}
	run_for(3 * SEC);
	check_agreed();
	CHECK_EQ(dark_in_map(0) + dark_in_map(1), 0);
}

KTAP_TEST(width_comes_back)
{
	u16 i;

	start(425, 460, 9);
	run_for(10 * MS);
	for (i = 0; i < 60; i++)
		lose(0, i);
	run_for(50 * MS);
	CHECK_EQ(sim.dir[1].rx.width, 400);
	for (i = 0; i < 60; i++)
		heal(0, i);
	run_for(SEC);
	CHECK_EQ(sim.dir[1].rx.width, 400);
	run_for(20 * SEC);
	CHECK_EQ(sim.dir[1].rx.width, 425);
	check_agreed();
}

KTAP_TEST(flapping_lane_does_not_shake_the_link)
{
	u32 i, before;

	start(425, 460, 10);
	run_for(10 * MS);
	for (i = 0; i < 400; i++) {
		lose(0, 5);
		run_for(25 * MS);
		heal(0, 5);
		run_for(25 * MS);
	}
	before = sim.dir[1].rx.generation;
	CHECK_LE(before, 3);
	run_for(SEC);
	CHECK_EQ(sim.dir[1].rx.generation, before);
}

KTAP_TEST(far_end_that_never_speaks)
{
	start(425, 460, 11);
	sim.loss = 100;
	lose(0, 3);
	run_for(20 * SEC);
	CHECK_EQ(sim.dir[1].rx.generation, 1);
	CHECK_LE(sim.sent, 2 * 30);		/* it backs off */
	sim.loss = 0;
	run_for(3 * SEC);
	check_agreed();
	CHECK_EQ(dark_in_map(0), 0);
}

KTAP_TEST(silence_is_told_once)
{
	start(425, 460, 12);
	run_for(SEC);
	sim.loss = 100;
	run_for(10 * SEC);
	CHECK_EQ(ends[0].notes[LANE_NOTE_SILENT], 1);
	sim.loss = 0;
	run_for(SEC);
	CHECK_EQ(ends[0].notes[LANE_NOTE_HEARD], 1);
}

/* All light gone for a while, with a change under way. */
KTAP_TEST(cut_in_the_middle_of_a_change)
{
	u32 when;
	u16 i;

	for (when = 0; when < 40; when += LANE_TEST_SHARE > 1 ? 7 : 1) {
		start(60, 70, 100 + when);
		run_for(10 * MS);
		lose(0, 3);
		run_for(1 * MS + when * 200);
		for (i = 0; i < 70; i++) {
			lose(0, i);
			lose(1, i);
		}
		run_for(500 * MS);
		for (i = 0; i < 70; i++) {
			heal(0, i);
			heal(1, i);
		}
		run_for(20 * SEC);
		check_agreed();
		CHECK_EQ(sim.dir[0].rx.width, 60);
		CHECK_EQ(sim.dir[1].rx.width, 60);
	}
}

KTAP_TEST(one_lane_left_each_way)
{
	u16 i;

	start(60, 70, 13);
	run_for(10 * MS);
	for (i = 0; i < 69; i++) {
		lose(0, i);
		lose(1, 69 - i);
	}
	run_for(SEC);
	check_agreed();
	CHECK_EQ(sim.dir[0].rx.width, 1);
	CHECK_EQ(sim.dir[1].rx.width, 1);
	CHECK_EQ(dark_in_map(0) + dark_in_map(1), 0);
}

KTAP_TEST(garbage_tables_change_nothing)
{
	start(425, 460, 14);
	run_for(10 * MS);
	ends[0].broken_table = true;
	lose(0, 3);
	run_for(5 * SEC);
	CHECK_EQ(sim.dir[1].rx.generation, 1);
	CHECK_EQ(ends[0].notes[LANE_NOTE_TABLE], 1);
	ends[0].broken_table = false;
	run_for(3 * SEC);
	CHECK_EQ(sim.dir[1].rx.generation, 2);
}

KTAP_TEST(card_that_fails_is_told_of_once)
{
	start(425, 460, 15);
	run_for(10 * MS);
	ends[0].broken_card = true;
	lose(0, 3);
	run_for(5 * SEC);
	CHECK_EQ(ends[0].notes[LANE_NOTE_CARD], 1);
	ends[0].broken_card = false;
	run_for(3 * SEC);
	check_agreed();
	CHECK_EQ(dark_in_map(0), 0);
	CHECK_EQ(start_end(0), 0);
	ends[0].broken_card = true;
	CHECK_NE(start_end(0), 0);
}

KTAP_TEST(nonsense_configuration_is_refused)
{
	start(425, 460, 16);
	cfg.policy.shape.data = 0;
	CHECK_NE(start_end(0), 0);
	cfg.policy.shape.data = 425;
	cfg.proto.msg_max = 50;
	CHECK_NE(start_end(0), 0);
	cfg.proto.msg_max = 2048;
	CHECK_EQ(start_end(0), 0);
	CHECK_NE(lane_agent_init(&ends[0].agent, &cfg, &ops, &ends[0], 0, 0), 0);
}

/* More moves than one message takes: several changes. */
KTAP_TEST(small_messages)
{
	u16 i;

	start(425, 460, 17);
	cfg.proto.msg_max = 44 + 16 + 4 * 10;
	REQUIRE_EQ(start_end(0), 0);
	run_for(10 * MS);
	for (i = 0; i < 60; i++)
		lose(0, 7 * i);
	run_for(SEC);
	check_agreed();
	CHECK_EQ(sim.dir[1].rx.width, 400);
	CHECK_GE(sim.dir[1].rx.generation, 7);
}

KTAP_TEST(different_links_do_not_pair)
{
	start(425, 460, 18);
	cfg.policy.shape.data = 424;
	cfg.policy.shape.total = 460;
	sim.shape.data = 425;
	REQUIRE_NE(start_end(1), 0);	/* its card's own map is too wide */
	start(425, 460, 18);
	cfg.policy.shape.total = 461;
	REQUIRE_EQ(start_end(1), 0);
	run_for(5 * SEC);
	CHECK_EQ(ends[0].notes[LANE_NOTE_SHAPE], 1);
	CHECK_EQ(ends[0].agent.proto.peer.known, 0);
}

static bool mended(void)
{
	return !ends[0].notes[LANE_NOTE_NONSENSE] && !ends[1].notes[LANE_NOTE_NONSENSE] &&
	       sim_settled(&sim) && !dark_in_map(0) && !dark_in_map(1) &&
	       lane_proto_agreed(&ends[0].agent.proto) &&
	       lane_proto_agreed(&ends[1].agent.proto);
}

/* Everything at once. */
KTAP_TEST(random_wear_of_both_directions)
{
	u64 seed = test_setting("LANE_SEED", 1);
	u32 n, rounds = test_setting("LANE_ROUNDS", 300 / (LANE_TEST_SHARE > 1 ? 5 : 1));
	u64 switches = 0;

	for (n = 0; n < rounds; n++) {
		u16 data = 1 + rng_below(&(struct rng){ seed * 1000 + n }, 80);
		u16 total = data + n % 20, lane;
		u32 steps, i;
		int e;

		start(data, total, seed * 1000 + n);
		sim.loss = rng_chance(&sim.rng, 50) ? rng_below(&sim.rng, 40) : 0;
		sim.dup = rng_chance(&sim.rng, 50) ? rng_below(&sim.rng, 40) : 0;
		sim.refuse = rng_chance(&sim.rng, 30) ? 5 : 0;
		sim.fallback_keeps_staged = n & 1;
		ends[0].lag = rng_below(&sim.rng, 50);
		ends[1].lag = rng_below(&sim.rng, 50);
		steps = 20 + rng_below(&sim.rng, 60);
		for (i = 0; i < steps; i++) {
			e = rng_below(&sim.rng, 2);
			lane = rng_below(&sim.rng, total);
			switch (rng_below(&sim.rng, 20)) {
			case 0:
				sim_reset(&sim, e);
				REQUIRE_EQ(start_end(e), 0);
				break;
			case 1: case 2: case 3: case 4:
				heal(e, lane);
				break;
			default:
				lose(e, lane);
			}
			run_for(rng_below(&sim.rng, rng_chance(&sim.rng, 50) ? 2 * MS : 100 * MS));
		}
		for (e = 0; e < 2; e++)
			heal(e, rng_below(&sim.rng, total));
		sim.refuse = 0;
		for (i = 0; i < 60 && !mended(); i++)
			run_for(SEC);
		switches += sim.dir[0].rx.generation + sim.dir[1].rx.generation;
		if (!mended()) {
			ktap_say("round %u, seed %llu: not mended", n, (unsigned long long)seed);
			CHECK(false);
			break;
		}
	}
	ktap_say("%u rounds, generations reached: %llu in all", n, (unsigned long long)switches);
	CHECK_GT(switches, rounds * 4);
}

KTAP_TEST(storm_makes_few_decisions)
{
	u64 before;
	u32 i;

	start(425, 460, 19);
	run_for(10 * MS);
	before = ends[0].agent.stats.decisions;
	for (i = 0; i < 1000; i++) {
		if (i % 2)
			lose(0, i * 7 % 30);
		else
			heal(0, i * 11 % 30);
		run_for(50 * US);
	}
	run_for(20 * MS);
	/* 50 ms of events: as they are collected for longer, and not one each millisecond. */
	CHECK_LE(ends[0].agent.stats.decisions - before, 20);
	CHECK_GE(ends[0].agent.stats.decisions - before, 2);
	for (i = 0; i < 30; i++)
		heal(0, i);
	run_for(SEC);
	check_agreed();
	CHECK_EQ(dark_in_map(0), 0);
}

KTAP_MAIN()
