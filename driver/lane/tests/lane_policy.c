// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the lane policy: each rule by itself, then properties over random lane tables.
 */
#include <time.h>

#include "selftests/ktap.h"
#include "../policy.h"
#include "rng.h"

#define MS	1000000ULL
#define SEC	1000000000ULL

static struct lane_policy pol;
static struct lane_policy_cfg cfg;
static struct lane_rec rec[LANE_MAX];
static struct lane_map map;
static struct lane_plan plan;
static struct lane_notes notes;
static u64 now;

static void setup(u16 data, u16 total, u16 gx)
{
	u16 i;

	memset(&cfg, 0, sizeof(cfg));
	cfg.shape = (struct lane_shape){ data, total };
	cfg.fec = (struct lane_fec){ 544, 514, 10, false };
	cfg.grid_x = gx;
	cfg.grid_y = (total + gx - 1) / gx;
	lane_knobs_default(&cfg.knobs);
	memset(&pol, 0xa5, sizeof(pol));
	lane_policy_init(&pol, &cfg);
	memset(rec, 0, sizeof(rec));
	for (i = 0; i < total; i++) {
		rec[i].x = i % gx;
		rec[i].y = i / gx;
	}
	lane_map_identity(&map, data);
	now = SEC;
}

static void usual(void)
{
	setup(425, 460, 20);
}

static void look(void)
{
	notes.nr = 0;
	notes.lost = 0;
	lane_policy_observe(&pol, rec, &map, &notes, now);
	lane_policy_decide(&pol, rec, &map, now, &plan);
}

/* The plan is carried out. */
static void apply(void)
{
	u32 generation = map.generation;

	lane_map_copy(&map, &plan.map);
	map.generation = generation + 1;
	lane_policy_changed(&pol, now);
}

static void lose(u16 lane)
{
	rec[lane].state = PNIC_LANE_LOS;
	rec[lane].flags |= PNIC_LANEF_ERASED;
}

static void heal(u16 lane)
{
	rec[lane].state = PNIC_LANE_IDLE;
	rec[lane].flags = 0;
}

/* The lane was read for @mbits more, with @errors in them. */
static void measure(u16 lane, u32 mbits, u64 errors)
{
	rec[lane].mbits += mbits;
	rec[lane].sym_errors += errors;
}

static const struct lane_note *find(const struct lane_notes *in, u8 code)
{
	u16 i;

	for (i = 0; i < in->nr; i++)
		if (in->note[i].code == code)
			return &in->note[i];
	return NULL;
}

static bool in_map(const struct lane_map *m, u16 lane)
{
	u16 l;

	for (l = 0; l < m->width; l++)
		if (m->phys[l] == lane)
			return true;
	return false;
}

KTAP_TEST(healthy_link_is_left_alone)
{
	usual();
	look();
	CHECK(!plan.change);
	CHECK_EQ(plan.margin_now, 7);
	CHECK_EQ(plan.notes.nr, 0);
	CHECK_EQ(notes.nr, 0);
	CHECK_EQ(plan.next_at, LANE_NEVER);
	CHECK_EQ(pol.track[0].state, LANE_ACTIVE);
	CHECK_EQ(pol.track[459].state, LANE_SPARE);
}

KTAP_TEST(dead_lane_is_replaced)
{
	const struct lane_note *n;

	usual();
	lose(17);
	look();
	REQUIRE(plan.change);
	CHECK_EQ(plan.map.width, 425);
	CHECK_EQ(plan.replaced, 1);
	CHECK_EQ(lane_map_moves(&map, &plan.map), 1);
	CHECK_GE(plan.map.phys[17], 425);
	CHECK_EQ(plan.margin_now, 7);		/* (30 - 2) / 4: erased */
	CHECK_EQ(plan.margin_then, 7);
	n = find(&plan.notes, LANE_NOTE_REPLACE);
	REQUIRE(n);
	CHECK_EQ(n->lane, 17);
	CHECK_EQ(n->other, plan.map.phys[17]);
	CHECK_EQ(n->logical, 17);
	n = find(&notes, LANE_NOTE_STATE);
	REQUIRE(n);
	CHECK_EQ(n->a, LANE_ACTIVE);
	CHECK_EQ(n->b, LANE_FAILED);
	CHECK_EQ(n->logical, LANE_EV_LOST);
	apply();
	look();
	CHECK(!plan.change);
}

/* The same table twice: the same plan, and no second note of the loss. */
KTAP_TEST(plan_is_stable)
{
	static struct lane_map first;

	usual();
	lose(17);
	lose(18);
	look();
	lane_map_copy(&first, &plan.map);
	look();
	CHECK(lane_map_same(&first, &plan.map));
	CHECK_EQ(notes.nr, 0);
}

KTAP_TEST(dead_spare_costs_nothing)
{
	usual();
	lose(440);
	look();
	CHECK(!plan.change);
	CHECK_EQ(pol.track[440].state, LANE_FAILED);
	lose(3);
	look();
	CHECK_NE(plan.map.phys[3], 440);
}

KTAP_TEST(spare_of_best_quality_first)
{
	u16 i;

	usual();
	for (i = 425; i < 460; i++)
		rec[i].power_cdb = -150;
	rec[431].power_cdb = 0;
	lose(100);
	look();
	CHECK_EQ(plan.map.phys[100], 431);
	/* One that failed before comes after one that did not. */
	usual();
	for (i = 425; i < 460; i++)
		pol.track[i].losses = i != 433;
	lose(100);
	look();
	CHECK_EQ(plan.map.phys[100], 433);
}

KTAP_TEST(then_spare_far_from_the_damage)
{
	usual();
	/* Lane 421 is at (1, 21): the farthest spares are in column 19. */
	lose(421);
	look();
	CHECK_EQ(rec[plan.map.phys[421]].x, 19);
	/* At the other edge: the lowest of the farthest, (5..) x = 0. */
	usual();
	lose(439 - 20);
	look();
	CHECK_EQ(rec[plan.map.phys[419]].x, 0);
}

KTAP_TEST(spares_then_shrink)
{
	u16 i, spares_used = 0;

	usual();
	for (i = 0; i < 60; i++)
		lose(7 * i);
	look();
	REQUIRE(plan.change);
	CHECK_EQ(plan.map.width, 400);
	CHECK_EQ(plan.replaced, 35);
	CHECK_EQ(plan.dropped, 25);
	CHECK_EQ(plan.pending, 0);
	CHECK_EQ(plan.margin_then, 7);
	CHECK_EQ(lane_map_check(&plan.map, &cfg.shape), 0);
	for (i = 0; i < plan.map.width; i++) {
		CHECK_NE(rec[plan.map.phys[i]].state, PNIC_LANE_LOS);
		spares_used += plan.map.phys[i] >= 425;
	}
	CHECK_EQ(spares_used, 35);
	/* Few moves: a replaced lane, or one from the end into a gap. */
	CHECK_LE(lane_map_moves(&map, &plan.map), 60);
	CHECK(find(&plan.notes, LANE_NOTE_WIDTH));
	CHECK(find(&plan.notes, LANE_NOTE_DROP));
}

KTAP_TEST(one_by_one_to_the_last_lane)
{
	u16 killed;

	usual();
	for (killed = 1; killed < 460; killed++) {
		u16 lane = killed * 177 % 460, alive = 460 - killed;

		lose(lane);
		now += 20 * MS;
		look();
		CHECK_EQ(plan.map.width, plan.pending ? plan.map.width : alive < 425 ? alive : 425);
		CHECK_GE(plan.margin_then, plan.margin_now);
		/* What carries nothing counts for nothing. */
		CHECK_EQ(plan.map.width - plan.pending, alive < 425 ? alive : 425);
		if (plan.change)
			apply();
	}
	/* The last one dies, too. */
	lose(0);
	look();
	CHECK(!plan.change);
	CHECK(find(&plan.notes, LANE_NOTE_DARK));
	look();
	CHECK(!find(&plan.notes, LANE_NOTE_DARK));
}

KTAP_TEST(trailing_lanes_are_cut_without_moves)
{
	u16 i;

	setup(8, 8, 4);
	for (i = 5; i < 8; i++)
		lose(i);
	look();
	CHECK_EQ(plan.map.width, 5);
	CHECK_EQ(lane_map_moves(&map, &plan.map), 0);
	CHECK(!find(&plan.notes, LANE_NOTE_MOVE));
}

/* Where the code's symbols would fall worse on fewer lanes, dark ones stay. */
KTAP_TEST(shrinking_never_costs_margin)
{
	u16 i;

	setup(272, 272, 17);
	lose(5);
	look();
	CHECK_EQ(plan.margin_now, 7);
	CHECK(!plan.change);
	CHECK_EQ(plan.pending, 1);
	CHECK(find(&plan.notes, LANE_NOTE_HELD));
	look();
	CHECK(!find(&plan.notes, LANE_NOTE_HELD));
	/* Once enough are dark it pays. */
	for (i = 6; i < 11; i++)
		lose(i);
	look();
	CHECK(plan.change);
	CHECK_EQ(plan.map.width, 266);
	CHECK_GE(plan.margin_then, plan.margin_now);
}

KTAP_TEST(all_lanes_of_the_map_at_once)
{
	u16 i;

	setup(8, 10, 5);
	for (i = 0; i < 8; i++)
		lose(i);
	look();
	CHECK_EQ(plan.map.width, 2);
	CHECK_GE(plan.map.phys[0], 8);
	/* And when the only lit ones are on probation: better than nothing. */
	setup(4, 6, 3);
	lose(4);
	lose(5);
	look();
	heal(4);
	heal(5);
	for (i = 0; i < 4; i++)
		lose(i);
	look();
	CHECK_EQ(pol.track[4].state, LANE_QUARANTINED);
	CHECK_EQ(plan.map.width, 2);
}

KTAP_TEST(cut_cable_burns_nothing)
{
	u16 i;

	usual();
	look();
	for (i = 0; i < 460; i++)
		lose(i);
	look();
	CHECK(!plan.change);
	for (i = 0; i < 460; i++)
		heal(i);
	now += MS;
	look();
	CHECK(!plan.change);
	CHECK_EQ(pol.track[0].state, LANE_ACTIVE);
	CHECK_EQ(pol.track[459].state, LANE_QUARANTINED);
}

KTAP_TEST(switched_off_lane_leaves)
{
	usual();
	rec[9].state = PNIC_LANE_OFF;
	rec[430].state = PNIC_LANE_OFF;
	look();
	CHECK_EQ(pol.track[9].state, LANE_DISABLED);
	CHECK_EQ(plan.replaced, 1);
	CHECK_NE(plan.map.phys[9], 430);
	apply();
	rec[9].state = PNIC_LANE_IDLE;
	look();
	CHECK_EQ(pol.track[9].state, LANE_QUARANTINED);
}

KTAP_TEST(drift_is_watched_then_retired)
{
	usual();
	look();
	/* 1e-4 per symbol: past watch. 1024 Mbit are 107 million symbols. */
	measure(50, 1024, 10737);
	look();
	CHECK_EQ(pol.track[50].state, LANE_WATCH);
	CHECK(!plan.change);
	measure(50, 1024, 600000);
	look();
	CHECK_EQ(pol.track[50].state, LANE_RETIRING);
	REQUIRE(plan.change);
	CHECK_EQ(plan.replaced, 1);
	CHECK_NE(plan.map.phys[50], 50);
	apply();
	look();
	CHECK_EQ(pol.track[50].state, LANE_QUARANTINED);
	CHECK_GT(pol.track[50].until, now);
}

KTAP_TEST(too_few_errors_are_no_evidence)
{
	usual();
	look();
	measure(50, 1, 9);	/* 9 in 105,000 symbols: 86 ppm, past watch if it were believed */
	look();
	CHECK_EQ(pol.track[50].state, LANE_ACTIVE);
	measure(50, 0, 1);
	look();
	CHECK_EQ(pol.track[50].state, LANE_WATCH);
	/* The card's own threshold is evidence. */
	rec[51].flags = PNIC_LANEF_SER;
	look();
	CHECK_EQ(pol.track[51].state, LANE_WATCH);
	/* It gets better: with time the old errors weigh nothing. */
	rec[51].flags = 0;
	measure(50, 60000, 0);
	look();
	CHECK_EQ(pol.track[50].state, LANE_ACTIVE);
}

KTAP_TEST(calm_replacements_wait_after_a_change)
{
	usual();
	look();
	lose(3);
	look();
	apply();
	measure(50, 1024, 600000);
	now += MS;
	look();
	CHECK_EQ(pol.track[50].state, LANE_RETIRING);
	CHECK(!plan.change);
	CHECK_EQ(plan.next_at, pol.changed_at + cfg.knobs.calm_ns);
	now = plan.next_at;
	look();
	CHECK(plan.change);
}

KTAP_TEST(retiring_lane_stays_without_a_spare)
{
	setup(8, 8, 4);
	look();
	measure(2, 1024, 600000);
	look();
	CHECK_EQ(pol.track[2].state, LANE_RETIRING);
	CHECK(!plan.change);
	/* Ruined, too, as long as the margin is there. */
	setup(425, 425, 20);
	look();
	measure(2, 1024, 20000000);
	look();
	CHECK_EQ(pol.track[2].state, LANE_FAILED);
	CHECK(!plan.change);
	CHECK_EQ(plan.map.width, 425);
}

KTAP_TEST(ruined_lane_goes_when_the_margin_is_short)
{
	setup(425, 425, 20);
	look();
	cfg.knobs.margin_floor = 100;
	pol.cfg.knobs.margin_floor = 100;
	measure(2, 1024, 20000000);
	look();
	CHECK_EQ(pol.track[2].state, LANE_FAILED);
	CHECK(plan.change);
	CHECK_EQ(plan.map.width, 424);
	CHECK(!in_map(&plan.map, 2));
}

KTAP_TEST(common_mode_burns_no_spares)
{
	u16 i;

	usual();
	look();
	for (i = 0; i < 425; i++)
		measure(i, 1024, 400000);
	look();
	CHECK(!plan.change);
	CHECK(find(&plan.notes, LANE_NOTE_COMMON));
	look();
	CHECK(!find(&plan.notes, LANE_NOTE_COMMON));
	/* A dead lane among them is replaced all the same. */
	lose(77);
	look();
	CHECK_EQ(plan.replaced, 1);
}

KTAP_TEST(patch_is_one_cluster)
{
	const struct lane_note *n;
	u16 i, killed = 0;

	usual();
	look();
	for (i = 0; i < 460; i++)
		if (abs(rec[i].x - 10) <= 1 && abs(rec[i].y - 8) <= 1) {
			lose(i);
			killed++;
		}
	REQUIRE_EQ(killed, 9);
	look();
	/* It may be growing. */
	CHECK(!find(&notes, LANE_NOTE_CLUSTER));
	CHECK_EQ(plan.next_at, now + cfg.knobs.cluster_ns / 4);
	now = plan.next_at;
	look();
	n = find(&notes, LANE_NOTE_CLUSTER);
	REQUIRE(n);
	CHECK_EQ(n->lane, 10);
	CHECK_EQ(n->other, 8);
	CHECK_EQ(n->a, 9);
	CHECK_EQ(n->b, 1);
	look();
	CHECK(!find(&notes, LANE_NOTE_CLUSTER));
	/* It grows by one, which is no news, then to twice as much, which is. */
	lose(8 * 20 + 12);
	look();
	now += cfg.knobs.cluster_ns / 4;
	look();
	CHECK(!find(&notes, LANE_NOTE_CLUSTER));
	for (i = 8 * 20 + 2; i < 8 * 20 + 9; i++)
		lose(i);
	look();
	now += cfg.knobs.cluster_ns / 4;
	look();
	CHECK(!find(&notes, LANE_NOTE_CLUSTER));
	lose(8 * 20 + 1);
	look();
	now += cfg.knobs.cluster_ns / 4;
	look();
	n = find(&notes, LANE_NOTE_CLUSTER);
	REQUIRE(n);
	CHECK_EQ(n->a, 18);
	/* Another one, later. */
	now += 10 * SEC;
	for (i = 300; i < 305; i++)
		lose(i);
	look();
	now += cfg.knobs.cluster_ns / 4;
	look();
	n = find(&notes, LANE_NOTE_CLUSTER);
	REQUIRE(n);
	CHECK_EQ(n->a, 5);
}

/* After a reset all dark lanes are seen at once; they were not lost at once. */
KTAP_TEST(dark_at_first_sight_is_no_cluster)
{
	u16 i;

	usual();
	for (i = 100; i < 110; i++)
		lose(i);
	look();
	CHECK_EQ(pol.track[100].state, LANE_FAILED);
	CHECK(!find(&notes, LANE_NOTE_CLUSTER));
}

KTAP_TEST(scattered_losses_are_no_cluster)
{
	u16 i;

	usual();
	look();
	for (i = 0; i < 10; i++)
		lose(3 + 44 * i);
	look();
	CHECK(!find(&notes, LANE_NOTE_CLUSTER));
	/* Neighbours, but over a long time. */
	usual();
	look();
	for (i = 0; i < 9; i++) {
		lose(100 + i);
		now += 2 * SEC;
		look();
		CHECK(!find(&notes, LANE_NOTE_CLUSTER));
	}
}

KTAP_TEST(healed_lane_is_on_probation_then_spare)
{
	u64 until;

	usual();
	look();
	lose(17);
	look();
	apply();
	look();
	heal(17);
	look();
	CHECK_EQ(pol.track[17].state, LANE_QUARANTINED);
	until = now + cfg.knobs.quarantine_ns;
	CHECK_EQ(pol.track[17].until, until);
	CHECK_EQ(plan.next_at, until);
	now = until - 1;
	look();
	CHECK_EQ(pol.track[17].state, LANE_QUARANTINED);
	now = until;
	look();
	CHECK_EQ(pol.track[17].state, LANE_SPARE);
	CHECK(!plan.change);	/* full width already */
}

KTAP_TEST(probation_doubles_and_has_an_end)
{
	u64 want;
	u16 i;

	usual();
	look();
	for (i = 0, want = cfg.knobs.quarantine_ns; i < 12; i++, want *= 2) {
		lose(450);
		look();
		heal(450);
		look();
		if (want > cfg.knobs.quarantine_max_ns)
			want = cfg.knobs.quarantine_max_ns;
		CHECK_EQ(pol.track[450].until - now, want);
		now += want;
		look();
		CHECK_EQ(pol.track[450].state, LANE_SPARE);
	}
}

KTAP_TEST(width_grows_back_slowly)
{
	u64 shrunk;
	u16 i;

	usual();
	look();
	for (i = 0; i < 60; i++)
		lose(i);
	look();
	apply();
	look();
	CHECK_EQ(map.width, 400);
	shrunk = now;
	for (i = 0; i < 10; i++)
		heal(i);
	look();
	CHECK(!plan.change);
	now = shrunk + cfg.knobs.quarantine_ns;
	look();
	REQUIRE(plan.change);
	CHECK_EQ(plan.map.width, 410);
	CHECK_EQ(plan.grown, 10);
	CHECK(find(&plan.notes, LANE_NOTE_GROW));
	apply();
	look();
	CHECK(!plan.change);
	/* The rest heals; growth waits for the time after the last change. */
	pol.cfg.knobs.quarantine_ns = MS;
	for (i = 10; i < 60; i++)
		heal(i);
	look();
	now += MS;
	look();
	CHECK(!plan.change);
	CHECK_EQ(plan.next_at, pol.changed_at + cfg.knobs.grow_ns);
	now = plan.next_at;
	look();
	CHECK_EQ(plan.map.width, 425);
}

KTAP_TEST(moves_of_one_change_are_bounded)
{
	u16 i, rounds = 0;

	usual();
	cfg.knobs.max_moves = 8;
	lane_policy_init(&pol, &cfg);
	for (i = 0; i < 60; i++)
		lose(5 * i + 1);
	do {
		look();
		CHECK_LE(lane_map_moves(&map, &plan.map), 8);
		CHECK_EQ(lane_map_check(&plan.map, &cfg.shape), 0);
		if (!plan.change)
			break;
		apply();
	} while (++rounds < 100);
	CHECK_EQ(map.width, 400);
	CHECK_EQ(rounds, 8);
}

KTAP_TEST(noisy_spare_is_set_aside)
{
	usual();
	look();
	measure(430, 1024, 600000);
	look();
	CHECK_EQ(pol.track[430].state, LANE_QUARANTINED);
	CHECK_EQ(pol.track[430].losses, 1);
	lose(0);
	look();
	CHECK_NE(plan.map.phys[0], 430);
}

/* What an idle or dark lane counted is not held against it when it serves again. */
KTAP_TEST(errors_of_dying_are_forgotten_on_return)
{
	usual();
	look();
	lose(17);
	measure(17, 1, 100000);
	look();
	heal(17);
	look();
	CHECK_EQ(pol.track[17].state, LANE_ACTIVE);
	CHECK_EQ(pol.track[17].ppb, 0);
	CHECK(!plan.change);
}

KTAP_TEST(counters_that_go_back_start_anew)
{
	usual();
	measure(7, 5000, 100);
	look();
	rec[7].mbits = 10;
	rec[7].sym_errors = 1;
	look();
	CHECK_EQ(pol.track[7].win_mbits, 0);
	measure(7, 100, 2);
	look();
	CHECK_EQ(pol.track[7].win_mbits, 100);
	CHECK_EQ(pol.track[7].win_errors, 2);
}

KTAP_TEST(nonsense_configurations_are_refused)
{
	struct lane_policy_cfg bad;

	usual();
	CHECK(lane_policy_cfg_valid(&cfg));
#define BAD(field, value) do {						\
		bad = cfg;						\
		bad.field = value;					\
		CHECK(!lane_policy_cfg_valid(&bad));			\
	} while (0)
	BAD(shape.data, 0);
	BAD(shape.data, 461);
	BAD(shape.total, LANE_MAX + 1);
	BAD(fec.n, 0);
	BAD(fec.k, 544);
	BAD(knobs.watch_ppb, 0);
	BAD(knobs.watch_ppb, 2400001);
	BAD(knobs.fail_ppb, 1000000001);
	BAD(knobs.common_pct, 101);
	BAD(knobs.max_moves, 0);
	BAD(knobs.quarantine_max_ns, 1);
}

/* ---- properties ---- */

static void random_table(struct rng *r)
{
	u16 total = cfg.shape.total, i;
	u32 dead = rng_below(r, 101), noisy = rng_chance(r, 50) ? 0 : rng_below(r, 101);

	if (rng_chance(r, 50))
		dead /= 10;
	for (i = 0; i < total; i++) {
		rec[i].state = rng_chance(r, dead) ? PNIC_LANE_LOS : rng_below(r, 3);
		if (rng_chance(r, 2))
			rec[i].state = PNIC_LANE_OFF;
		rec[i].flags = rng_below(r, 4);
		rec[i].power_cdb = (s16)rng_next(r);
		if (rng_chance(r, 5)) {
			rec[i].x = rng_next(r);
			rec[i].y = rng_next(r);
		}
		rec[i].mbits += rng_below(r, 5000);
		if (rng_chance(r, noisy))
			rec[i].sym_errors += rng_next(r) >> (10 + rng_below(r, 50));
		if (rng_chance(r, 1))
			rec[i].sym_errors = rng_next(r);
		if (rng_chance(r, 1))
			rec[i].mbits = rng_next(r);
	}
}

static void random_codewords(struct rng *r)
{
	static u64 all, lost;
	u64 more = rng_next(r) >> (20 + rng_below(r, 40));

	all += more;
	lost += rng_chance(r, 50) ? more : rng_below(r, 3);
	if (rng_chance(r, 5))
		all = rng_next(r);
	if (rng_chance(r, 5))
		lost = rng_next(r);
	lane_policy_codewords(&pol, all, lost);
}

static u16 lit_in(const struct lane_map *m)
{
	u16 lit = 0, l;

	for (l = 0; l < m->width; l++)
		lit += !lane_rec_dark(&rec[m->phys[l]]);
	return lit;
}

static bool ruined_in(const struct lane_map *m)
{
	u16 l;

	for (l = 0; l < m->width; l++)
		if (pol.track[m->phys[l]].state == LANE_FAILED &&
		    !lane_rec_dark(&rec[m->phys[l]]))
			return true;
	return false;
}

static const char *judge_plan(bool had_ruined)
{
	u16 l;

	if (lane_map_check(&plan.map, &cfg.shape))
		return "the plan is no map";
	if (lane_map_moves(&map, &plan.map) > pol.cfg.knobs.max_moves)
		return "more moves than allowed";
	/* Only dark lanes may cost width, or ruined ones when the margin is short. */
	if (lit_in(&plan.map) < lit_in(&map) && !had_ruined && !pol.blind)
		return "lit lanes were lost";
	/* Or those that make the link unreadable; at the last step it is readable. */
	if (lit_in(&plan.map) < lit_in(&map) && !had_ruined && plan.margin_then < 0 &&
	    !plan.pending && lane_map_moves(&map, &plan.map) < pol.cfg.knobs.max_moves)
		return "lit lanes were given up for nothing";
	/* A lit lane for a dark one, or growth, may cost margin, but not the last of it. */
	if (plan.margin_then < plan.margin_now && lit_in(&plan.map) <= lit_in(&map))
		return "the margin went down";
	if (plan.margin_then < plan.margin_now && plan.grown &&
	    plan.margin_then < cfg.knobs.margin_floor)
		return "growth took the last margin";
	if (plan.change && plan.map.width == map.width && lit_in(&plan.map) < lit_in(&map))
		return "a lit lane was replaced by a dark one";
	for (l = 0; l < plan.map.width; l++)
		if (lane_rec_dark(&rec[plan.map.phys[l]]) &&
		    (l >= map.width || plan.map.phys[l] != map.phys[l]) &&
		    !in_map(&map, plan.map.phys[l]))
			return "a dark lane was taken into the map";
	for (l = 0; l < plan.map.width; l++)
		if (!in_map(&map, plan.map.phys[l]) && lit_in(&map) &&
		    pol.track[plan.map.phys[l]].state != LANE_SPARE)
			return "what is no spare was taken";
	if (lit_in(&map) && !lit_in(&plan.map))
		return "no lane is left that works";
	return NULL;
}

KTAP_TEST(properties_of_any_plan)
{
	u64 seed = test_setting("LANE_SEED", 1);
	u32 round, rounds = test_setting("LANE_ROUNDS", 4000 / LANE_TEST_SHARE);
	u32 changes = 0, shrinks = 0, grows = 0, blind = 0;
	const char *why = NULL;
	struct rng r;

	rng_seed(&r, seed);
	for (round = 0; round < rounds && !why; round++) {
		u16 data = 1 + rng_below(&r, rng_chance(&r, 10) ? 600 : 60);
		u16 total = data + rng_below(&r, 40), step;

		setup(data, total, 1 + rng_below(&r, 30));
		if (rng_chance(&r, 30)) {
			cfg.knobs.max_moves = 1 + rng_below(&r, 10);
			cfg.grid_x = rng_next(&r);
			cfg.grid_y = rng_next(&r);
			lane_policy_init(&pol, &cfg);
		}
		for (step = 0; step < 12 && !why; step++) {
			bool had_ruined;

			if (rng_chance(&r, 70))
				random_table(&r);
			now += rng_next(&r) % (20 * SEC);
			if (rng_chance(&r, 30))
				random_codewords(&r);
			look();
			blind += pol.blind && lit_in(&plan.map) < lit_in(&map);
			had_ruined = ruined_in(&map);
			why = judge_plan(had_ruined);
			changes += plan.change;
			shrinks += plan.map.width < map.width;
			grows += plan.map.width > map.width;
			if (plan.change && rng_chance(&r, 80))
				apply();
		}
	}
	if (why)
		ktap_say("round %u: %s", round - 1, why);
	ktap_say("%u rounds, %u changes, %u shrinks, %u growths, %u beyond FEC", round, changes,
		 shrinks, grows, blind);
	CHECK_GT(blind, rounds / 50);
	CHECK(!why);
	CHECK_GT(changes, rounds);
	CHECK_GT(shrinks, rounds / 2);
	CHECK_GT(grows, rounds / 20);
}

/* Dead lanes only: after a plan is carried out the map has all and only what works. */
KTAP_TEST(all_that_works_is_used)
{
	u32 round, rounds = 3000 / LANE_TEST_SHARE;
	struct rng r;

	rng_seed(&r, 3);
	for (round = 0; round < rounds; round++) {
		u16 data = 1 + rng_below(&r, 200), total = data + rng_below(&r, 40);
		u16 i, alive = 0, dead;

		setup(data, total, 20);
		dead = rng_below(&r, 100);
		for (i = 0; i < total; i++) {
			if (rng_chance(&r, dead))
				lose(i);
			alive += rec[i].state != PNIC_LANE_LOS;
		}
		look();
		CHECK_EQ(lit_in(&plan.map), alive < data ? alive : data);
		CHECK(plan.pending == plan.map.width - lit_in(&plan.map));
	}
}

static double decision_ns(u16 data, u16 total, u32 rounds)
{
	struct timespec t0, t1;
	double best = 1e18;
	u32 i, n;

	setup(data, total, 64);
	for (i = 0; i < total / 10; i++)
		lose(i * 7 % total);
	for (n = 0; n < 5; n++) {
		clock_gettime(CLOCK_MONOTONIC, &t0);
		for (i = 0; i < rounds; i++)
			look();
		clock_gettime(CLOCK_MONOTONIC, &t1);
		double ns = ((t1.tv_sec - t0.tv_sec) * 1e9 + (t1.tv_nsec - t0.tv_nsec)) / rounds;

		best = ns < best ? ns : best;
	}
	return best;
}

/* Eight times the lanes: about eight times the work, and not sixty-four. */
KTAP_TEST(decision_is_linear)
{
	double small = decision_ns(475, 512, 200), large = decision_ns(3800, 4096, 25);

	ktap_say("decision: %.1f us for 512 lanes, %.1f us for 4096", small / 1e3, large / 1e3);
	CHECK_LT(large, small * 24);
}

KTAP_MAIN()
