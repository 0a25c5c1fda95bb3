// SPDX-License-Identifier: GPL-2.0
/*
 * The lane policy with any tables, knobs and times: no access out of bounds, and the rules that hold for any plan. Those
 * are the lane tests' own (judge_plan()); only the dice are the fuzzer's.
 */
#include "selftests/ktap.h"
#undef KTAP_MAIN
#define KTAP_MAIN()

#include "driver/lane/tests/lane_policy.c"

#include "native.h"

static const uint8_t *next, *end;
static u64 more;

/* The input, and behind its end something that depends on it. */
u64 rng_next(struct rng *r)
{
	u64 v = 0;

	(void)r;
	if (end - next >= 4) {
		memcpy(&v, next, 4);
		next += 4;
		return v | v << 32;
	}
	more = more * 6364136223846793005ull + 1442695040888963407ull;
	return more ^ more >> 29;
}

void rng_seed(struct rng *r, u64 seed)
{
	r->s = seed;
}

u32 rng_below(struct rng *r, u32 n)
{
	return n ? (u32)((rng_next(r) >> 32) * n >> 32) : 0;
}

bool rng_chance(struct rng *r, u32 percent)
{
	return rng_below(r, 100) < percent;
}

u64 test_setting(const char *name, u64 standard)
{
	(void)name;
	return standard;
}

static void any_knobs(struct rng *r)
{
	cfg.knobs.max_moves = 1 + rng_below(r, 10);
	cfg.knobs.margin_floor = rng_below(r, 20);
	cfg.knobs.cluster_min = 2 + rng_below(r, 10);
	cfg.knobs.common_pct = 1 + rng_below(r, 100);
	cfg.knobs.grow_ns = rng_next(r) % (100 * SEC);
	cfg.knobs.calm_ns = rng_next(r) % (100 * SEC);
	cfg.grid_x = rng_next(r);
	cfg.grid_y = rng_next(r);
	lane_policy_init(&pol, &cfg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rng r = { 0 };
	const char *why;
	u16 lanes, step;
	bool ruined;

	next = data;
	end = data + size;
	more = size;
	lanes = 1 + rng_below(&r, rng_chance(&r, 10) ? 600 : 30);
	setup(lanes, lanes + rng_below(&r, 20), 1 + rng_below(&r, 30));
	if (rng_chance(&r, 50))
		any_knobs(&r);
	for (step = 0; step < 6; step++) {
		random_table(&r);
		now += rng_next(&r) % (20 * SEC);
		if (rng_chance(&r, 30))
			random_codewords(&r);
		look();
		ruined = ruined_in(&map);
		why = judge_plan(ruined);
		if (why) {
			fprintf(stderr, "step %u: %s\n", step, why);
			abort();
		}
		if (plan.change && rng_chance(&r, 80))
			apply();
	}
	return 0;
}
