// SPDX-License-Identifier: GPL-2.0
/*
 * Randomised test of the lane protocol, both ends in one process.
 *
 * Each schedule has its own loss, repetition, delay, lane deaths that the cards mend by
 * standby plans, refusals, resets and maps gone bad, and proposals and plans at any time
 * from both ends. What must hold: sim_link's own check at every step, and after the
 * faults end (one lane each way works, some loss stays) both ends agree within a bounded
 * time, and a plan mends a lane. LANE_SEED and LANE_SCHEDULES change the run,
 * LANE_SCHEDULE=n repeats one of it.
 */
#include "selftests/ktap.h"
#include "pair.h"

#define SCHEDULES		(200000 / LANE_TEST_SHARE)
#define SETTLE_NS		60000

static struct lane_map scratch;
static struct {
	u64 proposals, plans, resets, corruptions, markers, fallbacks, messages, requests, mended,
	    by_card, wrong_sums, longest_ns;
} count;

static void corrupt(int e)
{
	u8 dir = rng_below(&sim.rng, 2);

	/* In one direction one at a time, as any more would be the same. */
	if (sim.dir[dir == PNIC_DIR_TX ? e : !e].corrupted)
		return;
	sim_corrupt(&sim, e, dir, rng_chance(&sim.rng, 30));
	count.corruptions++;
}

static void propose(int e)
{
	pair_random_map(&scratch);
	count.proposals += !lane_proto_propose(&ends[e].proto, &scratch, sim.now);
}

static void plan(int e)
{
	pair_random_plan(e, &scratch);
	count.plans += !lane_proto_plan(&ends[e].proto, &scratch, sim.now);
}

static void fault(int e)
{
	u32 what = rng_below(&sim.rng, 21);

	if (what == 0) {
		pair_reset(e, rng_below(&sim.rng, 200));
		count.resets++;
		return;
	}
	if (what <= 6) {
		sim_lane(&sim, e, rng_below(&sim.rng, sim.shape.total), what <= 4);
		return;
	}
	if (ends[e].dead)
		return;
	if (what == 7)
		lane_proto_withdraw(&ends[e].proto, sim.now);
	else if (what == 8 && rng_chance(&sim.rng, 30))
		corrupt(e);
	else if (what <= 12)
		plan(e);
	else
		propose(e);
	pair_carry_out(e);
}

static u32 up_to(u32 most)
{
	return rng_chance(&sim.rng, 50) ? 0 : rng_below(&sim.rng, most + 1);
}

static void schedule_knobs(u64 seed)
{
	static const struct lane_shape shapes[] = {
		{ 1, 1 }, { 1, 3 }, { 4, 6 }, { 6, 8 }, { 8, 8 },
	};
	struct rng r;

	rng_seed(&r, ~seed);
	sim_init(&sim, &shapes[rng_below(&r, 5)], seed);
	sim.loss = up_to(60);
	sim.dup = up_to(40);
	sim.stall = up_to(30);
	sim.stall_ns = 10 + rng_below(&r, 200);
	sim.marker_loss = up_to(10);
	sim.refuse = up_to(10);
	sim.flight = 1 + rng_below(&r, 8);
	sim.flight_spread = rng_below(&r, 6);
	sim.heartbeat_ns = 30 + rng_below(&r, 100);
	sim.detect_ns = rng_below(&r, 30);
	sim.fallback_keeps_staged = rng_chance(&r, 50);
}

/* From now on one lane works each way, and no more than a third is lost. */
static void faults_end(void)
{
	int e;

	for (e = 0; e < 2; e++)
		sim_lane(&sim, e, rng_below(&sim.rng, sim.shape.total), false);
	sim.loss = sim.loss < 33 ? sim.loss : 33;
	sim.marker_loss = 0;
	sim.refuse = 0;
}

static bool plans_loaded(void)
{
	int e;

	for (e = 0; e < 2; e++)
		if (ends[e].proto.rx.plan.state != LANE_RXP_LOADED)
			return false;
	return pair_agree();
}

/* Plans of the policy, as often as it decides, until both are in force. */
static bool plan_both(u64 deadline)
{
	static struct lane_map plans[2];
	u32 planned[2] = { 0, 0 };
	int e;

	do {
		for (e = 0; e < 2; e++) {
			struct lane_proto *p = &ends[e].proto;

			if (planned[e] != p->rx.active.generation)
				pair_random_plan(e, &plans[e]);
			planned[e] = p->rx.active.generation;
			/* Without an entry there is nothing to load. */
			if (plans[e].width && plans[e].phys[0] == LANE_NONE)
				return true;
			lane_proto_plan(p, &plans[e], sim.now);
			pair_carry_out(e);
		}
		pair_run_until(sim.now + 100);
		if (plans_loaded())
			return true;
	} while (!sim.broken && sim.now < deadline);
	if (!sim.broken)
		sim.broken = "plans are not loaded in time";
	return false;
}

/*
 * Logical lane 0 of what @e receives has a spare that works, by both cards, and the hosts leave
 * it to them. (A transmitter that fell back from generation 1 to 1 has forgotten its plan; it
 * gets it when the receiver renews it.)
 */
static bool can_mend(int e)
{
	const struct sim_dir *d = &sim.dir[!e];
	const struct lane_proto *p = &ends[e].proto;
	u16 spare = d->rx_plan.phys[0];

	if (!pair_agree() || p->rx.state != LANE_RX_IDLE || p->rx.plan.state != LANE_RXP_LOADED)
		return false;
	if (!d->rx_plan.generation || !d->tx_plan.generation || d->tx_plan.phys[0] != spare)
		return false;
	return spare != LANE_NONE && !d->dark[spare] && !d->dark[d->rx.phys[0]];
}

/* It goes dark: the cards mend it without a host. */
static void mend(int e)
{
	struct sim_dir *d = &sim.dir[!e];
	u32 before;
	u16 spare;

	/* A request that is held up for longer than it is repeated is given up. */
	sim.stall = 0;
	sim.loss = 0;
	pair_run_until(sim.now + 2 * sim.stall_ns);
	if (sim.broken || !can_mend(e))
		return;
	before = ends[e].by_card;
	spare = d->rx_plan.phys[0];
	sim_lane(&sim, !e, d->rx.phys[0], true);
	pair_run_until(sim.now + 10 * (sim.heartbeat_ns + 50));
	if (!sim.broken && (d->rx.phys[0] != spare || d->tx.phys[0] != spare))
		sim.broken = "a plan has not repaired a lost lane";
	else if (!sim.broken && ends[e].by_card == before)
		sim.broken = "a switch of the card is not known as such";
}

static bool run_schedule(u64 seed)
{
	u32 faults, i;
	u64 ended;

	schedule_knobs(seed);
	pair_start();
	faults = 2 + rng_below(&sim.rng, 12);
	for (i = 0; i < faults && !sim.broken; i++) {
		pair_run_until(sim.now + rng_below(&sim.rng, 120));
		fault(rng_below(&sim.rng, 2));
	}
	faults_end();
	ended = sim.now;
	do {
		pair_run_until(sim.now + 200);
	} while (!sim.broken && !pair_agree() && sim.now < ended + SETTLE_NS);
	if (!sim.broken && !pair_agree())
		sim.broken = "the ends don't agree in time";
	if (sim.now - ended > count.longest_ns)
		count.longest_ns = sim.now - ended;
	if (!sim.broken && seed % 8 == 0 && plan_both(sim.now + SETTLE_NS))
		mend(seed / 8 % 2);
	return !sim.broken;
}

static void add_up(void)
{
	count.markers += sim.markers;
	count.fallbacks += sim.fallbacks;
	count.messages += sim.sent;
	count.requests += sim.requests;
	count.mended += sim.mended;
	count.wrong_sums += sim.wrong_sums;
	count.by_card += ends[0].by_card + ends[1].by_card;
}

/* For the benchmark: one line of JSON. */
static void print_counts(u64 schedules, u64 bad)
{
	const struct {
		const char *name;
		u64 value;
	} fields[] = {
		{ "schedules", schedules }, { "failed", bad }, { "proposals", count.proposals },
		{ "plans", count.plans }, { "switches", pair_switches },
		{ "card_switches", count.mended }, { "resets", count.resets },
		{ "corruptions", count.corruptions }, { "markers", count.markers },
		{ "markers_refused", count.wrong_sums }, { "fallbacks", count.fallbacks },
		{ "requests", count.requests }, { "messages", count.messages },
		{ "agree_ns_max", count.longest_ns },
	};
	size_t i;

	printf("# LANE_SCHEDULES {");
	for (i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		printf("%s\"%s\": %llu", i ? ", " : "", fields[i].name,
		       (unsigned long long)fields[i].value);
	printf("}\n");
}

KTAP_TEST(random_schedules_of_both_ends)
{
	u64 seed = test_setting("LANE_SEED", 1) << 32;
	u64 schedules = test_setting("LANE_SCHEDULES", SCHEDULES);
	u64 only = test_setting("LANE_SCHEDULE", ~0ULL);
	u64 i, bad = 0;

	if (schedules > SCHEDULES)
		alarm(0);		/* asked for: it takes as long as it takes */
	for (i = 0; i < schedules && bad < 5; i++) {
		if (only != ~0ULL)
			i = only;
		if (!run_schedule(seed + i)) {
			ktap_say("schedule %llu: %s", (unsigned long long)i, sim.broken);
			pair_describe();
			bad++;
		}
		add_up();
		if (only != ~0ULL)
			break;
	}
	print_counts(i, bad);
	CHECK_EQ(bad, 0);
	CHECK(!pair_most_actions);
	/* The schedules did try what they are for. */
	if (only == ~0ULL && schedules >= 1000) {
		CHECK_GT(count.proposals, schedules);
		CHECK_GT(pair_switches, schedules);
		CHECK_GT(count.resets, schedules / 4);
		CHECK_GT(count.fallbacks, schedules / 20);
		CHECK_GT(count.plans, schedules / 2);
		CHECK_GT(count.mended, schedules / 20);
		CHECK_GT(count.by_card, schedules / 20);
		CHECK_GT(count.corruptions, schedules / 20);
	}
}

KTAP_MAIN()
