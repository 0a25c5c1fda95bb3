// SPDX-License-Identifier: GPL-2.0
/*
 * Randomised test of the lane protocol, both ends in one process.
 *
 * Each schedule has its own loss, repetition, delay, lane deaths, refusals and
 * resets, and proposals at any time from both ends. What must hold: sim_link's
 * own check at every step, and after the faults end (one lane each way works, some
 * loss stays) both ends agree within a bounded time. LANE_SEED and LANE_SCHEDULES
 * change the run, LANE_SCHEDULE=n repeats one of it.
 */
#include "selftests/ktap.h"
#include "../proto.h"
#include "simcard.h"

#define SCHEDULES		(200000 / LANE_TEST_SHARE)
#define SETTLE_NS		60000

struct end {
	struct lane_proto proto;
	bool dead;			/* reset, driver not there again yet */
	u64 back_at;
	u64 notice_at;			/* the card's map events are looked at */
};

static struct sim_link sim;
static struct end ends[2];
static struct lane_map scratch, other;
static u32 incarnations;
static u64 proposals, switches, resets;
static bool most_actions;

static const struct lane_proto_cfg knobs = {
	.msg_max = LANE_MSG_MAX,
	.retry_ns = 20,
	.retry_max_ns = 160,
	.heartbeat_ns = 100,
	.grace_ns = 15,
	.stage_hold_ns = 600,
};

static void start(int e)
{
	struct lane_proto_cfg cfg = knobs;

	cfg.shape = sim.shape;
	sim_map(&sim, e, PNIC_DIR_RX, &scratch);
	sim_map(&sim, e, PNIC_DIR_TX, &other);
	lane_proto_init(&ends[e].proto, &cfg, ++incarnations, &scratch, &other, sim.now);
	ends[e].dead = false;
	ends[e].notice_at = LANE_NEVER;
}

static void notice(int e)
{
	u8 dir;

	for (dir = PNIC_DIR_RX; dir <= PNIC_DIR_TX; dir++) {
		u32 known = dir == PNIC_DIR_RX ? ends[e].proto.rx.active.generation :
						 ends[e].proto.tx.active.generation;

		if (sim_gen(&sim, e, dir) == known)
			continue;
		sim_map(&sim, e, dir, &scratch);
		lane_proto_hw_map(&ends[e].proto, dir, &scratch, sim.now);
		switches++;
	}
	ends[e].notice_at = LANE_NEVER;
}

static void stage(int e, u8 dir)
{
	struct lane_proto *p = &ends[e].proto;
	int err = sim_stage(&sim, e, dir, lane_proto_staged_map(p, dir));

	if (!err && dir == PNIC_DIR_RX && rng_chance(&sim.rng, sim.refuse))
		err = LANE_REJECT_DARK;
	lane_proto_staged(p, dir, err < 0 ? LANE_REJECT_CARD : err, sim.now);
}

static void do_switch(int e, u32 generation)
{
	struct lane_proto *p = &ends[e].proto;
	int err = sim_switch(&sim, e, generation);

	lane_proto_switch_done(p, !err, sim.now);
	if (err)
		return;
	sim_map(&sim, e, PNIC_DIR_TX, &scratch);
	lane_proto_hw_map(p, PNIC_DIR_TX, &scratch, sim.now);
	switches++;
}

static void carry_out(int e)
{
	static u32 buf[LANE_MSG_MAX / 4];
	struct lane_proto *p = &ends[e].proto;
	struct lane_action act;
	size_t len;

	if (p->nr_actions >= LANE_ACTIONS_MAX)
		most_actions = true;
	while (lane_proto_next_action(p, &act)) {
		switch (act.type) {
		case LANE_ACT_SEND:
			len = lane_proto_encode(p, &act, buf, sizeof(buf));
			if (len)
				sim_send(&sim, e, buf, len);
			break;
		case LANE_ACT_STAGE:
			stage(e, act.dir);
			break;
		case LANE_ACT_SWITCH:
			do_switch(e, act.generation);
			break;
		case LANE_ACT_ABORT:
			sim_abort(&sim, e, act.dir, act.generation);
			break;
		}
	}
}

static void run_end(int e)
{
	static u32 buf[LANE_MSG_MAX / 4];
	struct lane_proto *p = &ends[e].proto;
	int len;

	if (ends[e].dead) {
		while (sim_recv(&sim, e, buf))
			;
		if (sim.now < ends[e].back_at)
			return;
		start(e);
	}
	while ((len = sim_recv(&sim, e, buf)) > 0) {
		notice(e);
		carry_out(e);
		lane_proto_rx_msg(p, buf, len, sim.now);
		carry_out(e);
	}
	/* Events of the card are seen now or some time later. */
	if (sim_gen(&sim, e, PNIC_DIR_RX) != p->rx.active.generation &&
	    ends[e].notice_at == LANE_NEVER)
		ends[e].notice_at = sim.now + rng_below(&sim.rng, 8);
	if (sim.now >= ends[e].notice_at) {
		notice(e);
		carry_out(e);
	}
	if (sim.now >= lane_proto_due(p)) {
		notice(e);
		carry_out(e);
		lane_proto_tick(p, sim.now);
		carry_out(e);
	}
}

static u64 end_due(int e)
{
	u64 due;

	if (ends[e].dead)
		return ends[e].back_at;
	due = lane_proto_due(&ends[e].proto);
	return ends[e].notice_at < due ? ends[e].notice_at : due;
}

static void run_until(u64 stop)
{
	for (;;) {
		u64 at = sim_next(&sim);
		int e;

		for (e = 0; e < 2; e++)
			if (end_due(e) < at)
				at = end_due(e);
		if (at > stop)
			break;
		sim_advance(&sim, at > sim.now ? at : sim.now);
		run_end(0);
		run_end(1);
		if (sim.broken)
			return;
	}
	sim_advance(&sim, stop);
}

/* Any map that is one. */
static void random_map(struct lane_map *map)
{
	u16 lane[SIM_LANES], i;

	for (i = 0; i < sim.shape.total; i++)
		lane[i] = i;
	map->width = 1 + rng_below(&sim.rng, sim.shape.data);
	for (i = 0; i < map->width; i++) {
		u16 j = i + rng_below(&sim.rng, sim.shape.total - i), t = lane[i];

		lane[i] = lane[j];
		lane[j] = t;
		map->phys[i] = lane[i];
	}
}

static void fault(int e)
{
	struct lane_proto *p = &ends[e].proto;

	switch (rng_below(&sim.rng, 16)) {
	case 0:
		sim_reset(&sim, e);
		resets++;
		ends[e].dead = true;
		ends[e].back_at = sim.now + rng_below(&sim.rng, 200);
		return;
	case 1: case 2: case 3:
		sim_lane(&sim, e, rng_below(&sim.rng, sim.shape.total), true);
		return;
	case 4: case 5:
		sim_lane(&sim, e, rng_below(&sim.rng, sim.shape.total), false);
		return;
	case 6:
		if (!ends[e].dead)
			lane_proto_withdraw(p, sim.now);
		break;
	default:
		if (ends[e].dead)
			return;
		random_map(&scratch);
		if (!lane_proto_propose(p, &scratch, sim.now))
			proposals++;
	}
	if (!ends[e].dead)
		carry_out(e);
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
	sim.fallback_keeps_staged = rng_chance(&r, 50);
}

static bool both_agree(void)
{
	return sim_settled(&sim) && lane_proto_agreed(&ends[0].proto) &&
	       lane_proto_agreed(&ends[1].proto);
}

static bool run_schedule(u64 seed)
{
	u32 faults, i;
	u64 deadline;
	int e;

	schedule_knobs(seed);
	for (e = 0; e < 2; e++)
		start(e);
	faults = 2 + rng_below(&sim.rng, 12);
	for (i = 0; i < faults && !sim.broken; i++) {
		run_until(sim.now + rng_below(&sim.rng, 120));
		fault(rng_below(&sim.rng, 2));
	}
	/* From now on one lane works each way, and no more than a third is lost. */
	for (e = 0; e < 2; e++)
		sim_lane(&sim, e, rng_below(&sim.rng, sim.shape.total), false);
	sim.loss = sim.loss < 33 ? sim.loss : 33;
	sim.marker_loss = 0;
	sim.refuse = 0;
	deadline = sim.now + SETTLE_NS;
	do {
		run_until(sim.now + 200);
	} while (!sim.broken && !both_agree() && sim.now < deadline);
	if (!sim.broken && !both_agree())
		sim.broken = "the ends don't agree in time";
	return !sim.broken;
}

static void describe(void)
{
	int e;

	for (e = 0; e < 2; e++) {
		const struct lane_proto *p = &ends[e].proto;
		const struct sim_dir *d = &sim.dir[e];

		ktap_say("end %d: rx %s gen %u, tx %s gen %u; peer %s, knows us %d, candidate %u",
			 e, lane_rx_state_name(p->rx.state), p->rx.active.generation,
			 lane_tx_state_name(p->tx.state), p->tx.active.generation,
			 p->peer.known ? "known" : "unknown", p->peer.knows_us, p->peer.candidate);
		ktap_say("  sent: card tx %u, line %u, card rx %u, staged %u, %u; %u lanes lit",
			 d->tx.generation, d->line.generation, d->rx.generation,
			 d->tx_staged.generation, d->rx_staged.generation, d->lit);
	}
}

KTAP_TEST(random_schedules_of_both_ends)
{
	u64 seed = test_setting("LANE_SEED", 1) << 32;
	u64 count = test_setting("LANE_SCHEDULES", SCHEDULES);
	u64 only = test_setting("LANE_SCHEDULE", ~0ULL);
	u64 i, bad = 0, markers = 0, fallbacks = 0, sent = 0;

	for (i = 0; i < count && bad < 5; i++) {
		if (only != ~0ULL)
			i = only;
		if (!run_schedule(seed + i)) {
			ktap_say("schedule %llu: %s", (unsigned long long)i, sim.broken);
			describe();
			bad++;
		}
		markers += sim.markers;
		fallbacks += sim.fallbacks;
		sent += sim.sent;
		if (only != ~0ULL)
			break;
	}
	ktap_say("%llu schedules, %llu proposals, %llu switches, %llu resets",
		 (unsigned long long)i, (unsigned long long)proposals,
		 (unsigned long long)switches, (unsigned long long)resets);
	ktap_say("%llu markers, %llu fallbacks, %llu messages", (unsigned long long)markers,
		 (unsigned long long)fallbacks, (unsigned long long)sent);
	CHECK_EQ(bad, 0);
	CHECK(!most_actions);
	/* The schedules did try what they are for. */
	if (only == ~0ULL && count >= 1000) {
		CHECK_GT(proposals, count);
		CHECK_GT(switches, count);
		CHECK_GT(resets, count / 4);
		CHECK_GT(fallbacks, count / 20);
	}
}

KTAP_MAIN()
