// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the lane protocol against a far end that misbehaves, and cards that forget
 * what they were told: it is told of, stays within bounds, changes nothing that works,
 * and is over when the far end behaves.
 */
#include "selftests/ktap.h"
#include "pair.h"

#define T	pair_knobs.heartbeat_ns

static struct lane_map map;

/* Two ends that agree, each direction at generation 2. */
static void begin(u64 seed)
{
	static const struct lane_shape shape = { 8, 11 };
	int e;

	sim_init(&sim, &shape, seed);
	sim.flight_spread = 4;
	pair_start();
	pair_run_until(3 * T);
	for (e = 0; e < 2; e++) {
		lane_map_identity(&map, 8);
		map.phys[3] = 8;
		REQUIRE_EQ(lane_proto_propose(&ends[e].proto, &map, sim.now), LANE_PROPOSE_OK);
		pair_carry_out(e);
		pair_run_until(sim.now + 3 * T);
	}
	REQUIRE(pair_agree());
	REQUIRE_EQ(ends[0].proto.rx.active.generation, 2);
	REQUIRE_EQ(ends[1].proto.rx.active.generation, 2);
}

static void propose(int e)
{
	lane_map_copy(&map, &ends[e].proto.rx.active);
	map.phys[5] = map.phys[5] == 9 ? 5 : 9;
	CHECK_EQ(lane_proto_propose(&ends[e].proto, &map, sim.now), LANE_PROPOSE_OK);
	pair_carry_out(e);
}

static void plan(int e)
{
	u16 l;

	map.width = ends[e].proto.rx.active.width;
	for (l = 0; l < map.width; l++)
		map.phys[l] = 10;
	lane_proto_plan(&ends[e].proto, &map, sim.now);
	pair_carry_out(e);
}

static bool unchanged(void)
{
	static struct lane_map other;

	sim_map(&sim, 0, PNIC_DIR_RX, &map);
	sim_map(&sim, 1, PNIC_DIR_TX, &other);
	return map.generation == 2 && other.generation == 2 && map.phys[3] == 8 &&
	       map.phys[5] == 5 && lane_map_same(&map, &other);
}

/* End 1 has these manners for @heartbeats; @most messages of end 0 in each. */
static void behave(enum pair_manners manners, u32 heartbeats, u32 most)
{
	u64 sent = ends[0].sent;

	ends[1].manners = manners;
	pair_run_until(sim.now + heartbeats * T);
	CHECK_LE(ends[0].sent - sent, heartbeats * most);
	CHECK(!sim.broken);
	if (sim.broken)
		ktap_say("%s", sim.broken);
}

static bool has(const struct lane_map *want)
{
	return pair_agree() && lane_map_same(want, &ends[0].proto.rx.active);
}

/* Agrees again, and takes another change, which the policy asks for until it is made. */
static void recovers(void)
{
	u64 deadline = sim.now + 60 * T;

	ends[1].manners = PAIR_GOOD;
	while (!pair_agree() && sim.now < deadline && !sim.broken)
		pair_run_until(sim.now + T / 4);
	CHECK(pair_agree());
	lane_map_identity(&map, 7);
	map.phys[2] = 9;
	while (!has(&map) && sim.now < deadline && !sim.broken) {
		lane_proto_propose(&ends[0].proto, &map, sim.now);
		pair_carry_out(0);
		pair_run_until(sim.now + T);
	}
	CHECK(has(&map));
	if (!has(&map) || sim.broken)
		pair_describe();
}

KTAP_TEST(far_end_that_never_says_anything)
{
	begin(1);
	ends[1].manners = PAIR_SILENT;
	propose(0);
	behave(PAIR_SILENT, 50, 3);
	CHECK_EQ(ends[0].notes[LANE_NOTE_SILENT], 1);
	CHECK_EQ(ends[0].notes[LANE_NOTE_STUCK], 1);
	CHECK(unchanged());
	lane_proto_withdraw(&ends[0].proto, sim.now);
	recovers();
	CHECK_EQ(ends[0].notes[LANE_NOTE_HEARD], 1);
}

KTAP_TEST(far_end_that_never_answers)
{
	begin(2);
	ends[1].manners = PAIR_SHY;
	propose(0);
	plan(0);
	behave(PAIR_SHY, 50, 4);
	CHECK_EQ(ends[0].notes[LANE_NOTE_STUCK], 1);
	CHECK_EQ(ends[0].notes[LANE_NOTE_UNPLANNED], 1);
	CHECK_EQ(ends[0].notes[LANE_NOTE_SILENT], 0);
	CHECK(unchanged());
	lane_proto_withdraw(&ends[0].proto, sim.now);
	recovers();
}

KTAP_TEST(far_end_that_never_switches)
{
	begin(3);
	ends[1].manners = PAIR_LAZY;
	propose(0);
	behave(PAIR_LAZY, 50, 4);
	CHECK_EQ(ends[0].proto.rx.state, LANE_RX_GO);
	CHECK_EQ(ends[0].notes[LANE_NOTE_STUCK], 1);
	CHECK(unchanged());
	/* Nothing else can be had of it. */
	CHECK_EQ(lane_proto_ready(&ends[0].proto, sim.now), LANE_PROPOSE_BUSY);
	recovers();
}

KTAP_TEST(far_end_that_says_it_has_switched)
{
	begin(4);
	ends[1].manners = PAIR_LIAR;
	propose(0);
	behave(PAIR_LIAR, 50, 12);
	CHECK_GT(ends[0].notes[LANE_NOTE_ASTRAY], 0);
	CHECK(unchanged());
	recovers();
}

KTAP_TEST(far_end_that_talks_nonsense)
{
	u64 seed;

	for (seed = 0; seed < 200 / LANE_TEST_SHARE; seed++) {
		begin(5 + seed);
		ends[1].manners = PAIR_BABBLER;
		propose(0);
		behave(PAIR_BABBLER, 50, 20);
		CHECK_GT(ends[0].notes[LANE_NOTE_NONSENSE], 0);
		recovers();
	}
}

KTAP_TEST(far_end_that_knows_no_plans)
{
	u64 before, idle;

	begin(6);
	before = ends[0].sent;
	behave(PAIR_OLD, 40, 3);
	idle = ends[0].sent - before;
	before = ends[0].sent;
	plan(0);
	behave(PAIR_OLD, 40, 3);
	CHECK_LE(ends[0].sent - before, idle + pair_knobs.plan_tries + 2);
	CHECK_EQ(ends[0].notes[LANE_NOTE_UNPLANNED], 1);
	CHECK_EQ(lane_proto_plan(&ends[0].proto, &map, sim.now), LANE_PROPOSE_HOLD);
	CHECK(unchanged());
	CHECK(pair_agree());
	propose(0);
	pair_run_until(sim.now + 5 * T);
	CHECK(pair_agree());
	CHECK_EQ(ends[0].proto.rx.active.generation, 3);
}

/*
 * One end's map isn't what it was: the other end is told, by whoever finds it, within one
 * heartbeat, and both fall back to what they know.
 */
static void one_corruption(int e, u8 dir, bool impossible, u64 seed)
{
	u64 at;

	begin(seed);
	pair_run_until(sim.now + rng_below(&sim.rng, 2 * T));
	ends[0].notes[LANE_NOTE_ASTRAY] = 0;
	ends[1].notes[LANE_NOTE_ASTRAY] = 0;
	at = sim.now;
	while (!sim.dir[dir == PNIC_DIR_TX ? e : !e].corrupted)
		sim_corrupt(&sim, e, dir, impossible);
	pair_run_until(at + T);
	CHECK_GT(ends[!e].notes[LANE_NOTE_ASTRAY], 0);
	if (impossible)
		CHECK_EQ(ends[e].notes[LANE_NOTE_MAP], 1);
	pair_run_until(at + 5 * T);
	CHECK(pair_agree());
	CHECK(!sim.broken);
	CHECK_GT(ends[0].notes[LANE_NOTE_FALLBACK] + ends[1].notes[LANE_NOTE_FALLBACK], 0);
	CHECK(!sim.dir[0].corrupted && !sim.dir[1].corrupted);
}

KTAP_TEST(corrupted_map_is_told_within_a_heartbeat)
{
	u32 i, seed;

	for (i = 0; i < 8; i++)
		SUBTEST("end %u, %s map, %s", i & 1, i & 2 ? "transmit" : "receive",
			i & 4 ? "none at all" : "another one")
			for (seed = 1; seed <= 2000 / LANE_TEST_SHARE; seed++)
				one_corruption(i & 1, i & 2 ? PNIC_DIR_TX : PNIC_DIR_RX, i & 4,
					       1000 * i + seed);
}

/*
 * Two ways to one generation: the receiver waits for the map that the hosts agreed on, the
 * transmitter has dropped that and follows a request that the receiver's card has given up.
 */
KTAP_TEST(marker_of_another_map_is_not_taken)
{
	u64 markers;

	begin(7);
	plan(0);
	pair_run_until(sim.now + 3 * T);
	REQUIRE_EQ(ends[0].proto.rx.plan.state, LANE_RXP_LOADED);
	propose(0);
	while (ends[0].proto.rx.state != LANE_RX_GO)
		pair_run_until(sim.now + 1);
	sim.loss = 100;
	sim.dir[0].head = sim.dir[0].tail;	/* GO, too */
	pair_run_until(sim.now + pair_knobs.stage_hold_ns + T);
	REQUIRE_EQ(sim.dir[1].tx_staged.generation, 0);
	REQUIRE_EQ(sim.dir[1].rx_staged.generation, 3);
	markers = sim.wrong_sums;
	sim.loss = 0;
	sim_late_request(&sim, 0, 1);
	pair_run_until(sim.now + T / 4);
	CHECK_EQ(sim.wrong_sums, markers + 1);
	CHECK_EQ(sim.dir[1].tx.generation, 3);
	CHECK(!sim.broken);
	recovers();
	CHECK_EQ(ends[1].notes[LANE_NOTE_FALLBACK], 1);
}

KTAP_MAIN()
