/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The policy's rules, one function each: NULL, or what is wrong. For the host test
 * lane_rules and the KUnit suite, so nothing here needs more than the lane code does.
 */
#ifndef LANE_TEST_POLICY_RULES_H
#define LANE_TEST_POLICY_RULES_H

#include "../policy.h"
#include "../rate.h"
#include "../request.h"

#define RULE_MS		1000000ULL
#define RULE_SEC	1000000000ULL

/* A link of 425 + 35 lanes on a grid of 20 columns, as the policy sees it. */
static struct {
	struct lane_policy pol;
	struct lane_policy_cfg cfg;
	struct lane_rec rec[LANE_MAX];
	struct lane_map map, standby, standby_then;
	struct lane_plan plan;
	struct lane_notes notes;
	u64 now;
} w;

/* The first thing that was not as it should be; whoever calls a rule begins with NULL. */
static const char *w_fault;

#define RULE(cond)	((cond) || w_fault ? (void)0 : (void)(w_fault = "not so: " #cond))

static inline void w_setup(u16 data, u16 total, u16 gx)
{
	u16 i;

	memset(&w, 0, sizeof(w));
	w.cfg.shape.data = data;
	w.cfg.shape.total = total;
	w.cfg.fec.n = 544;
	w.cfg.fec.k = 514;
	w.cfg.fec.symbol_bits = 10;
	w.cfg.grid_x = gx;
	w.cfg.grid_y = (total + gx - 1) / gx;
	lane_knobs_default(&w.cfg.knobs);
	lane_policy_init(&w.pol, &w.cfg);
	for (i = 0; i < total; i++) {
		w.rec[i].x = i % gx;
		w.rec[i].y = i / gx;
	}
	lane_map_identity(&w.map, data);
	w.now = RULE_SEC;
}

static inline void w_usual(void)
{
	w_setup(425, 460, 20);
}

static inline void w_look(void)
{
	w.notes.nr = 0;
	w.notes.lost = 0;
	lane_policy_observe(&w.pol, w.rec, &w.map, &w.notes, w.now);
	lane_policy_decide(&w.pol, w.rec, &w.map, w.now, &w.plan);
}

static inline void w_apply(void)
{
	u32 generation = w.map.generation;

	lane_map_copy(&w.map, &w.plan.map);
	w.map.generation = generation + 1;
	lane_policy_changed(&w.pol, w.now);
}

/* A second of traffic on all lanes, each with so many wrong symbols in 10^9. */
static inline void w_second(u32 ppb)
{
	u16 i;

	for (i = 0; i < w.cfg.shape.total; i++) {
		w.rec[i].mbits += 2000;
		w.rec[i].sym_errors += lane_div64(209715200ULL * ppb, 1000000000ULL);
	}
	w.now += RULE_SEC;
}

static inline void w_lose(u16 lane)
{
	w.rec[lane].state = PNIC_LANE_LOS;
	w.rec[lane].flags |= PNIC_LANEF_ERASED;
}

static inline void w_heal(u16 lane)
{
	w.rec[lane].state = PNIC_LANE_IDLE;
	w.rec[lane].flags = 0;
}

static inline u16 w_count(const struct lane_notes *in, u8 code)
{
	u16 n = 0, i;

	for (i = 0; i < in->nr; i++)
		n += in->note[i].code == code;
	return n;
}

/* An empty one if there is none. */
static inline const struct lane_note *w_find(const struct lane_notes *in, u8 code)
{
	static const struct lane_note none;
	u16 i;

	for (i = 0; i < in->nr; i++)
		if (in->note[i].code == code)
			return &in->note[i];
	return &none;
}

static inline bool w_has(const struct lane_map *map, u16 lane)
{
	u16 l;

	for (l = 0; l < map->width; l++)
		if (map->phys[l] == lane)
			return true;
	return false;
}

/* ---- evidence ---- */

static inline const char *rule_place_is_lost_with_confidence_only(void)
{
	w_usual();
	w_look();
	/* 12 of 4096 is past the retire limit as counted, but 95 % confidence is not. */
	w.rec[7].mbits += 1;
	w.rec[7].sym_errors += 270;
	w_look();
	RULE(w.pol.track[7].ppb >= w.cfg.knobs.retire_ppb);
	RULE(w.pol.track[7].state == LANE_WATCH);
	w.rec[7].mbits += 100;
	w.rec[7].sym_errors += 27000;
	w_look();
	RULE(w.pol.track[7].state == LANE_RETIRING);
	RULE(w_find(&w.notes, LANE_NOTE_STATE)->d > 20000);
	return w_fault;
}

/* After 26 days the number of bits is used up: it begins anew, or stays where it is. */
static inline const char *rule_month_of_traffic_is_no_evidence(void)
{
	u16 wraps, s;

	for (wraps = 0; wraps < 2; wraps++) {
		w_usual();
		w.rec[7].mbits = ~0u - 3000;
		w_look();
		for (s = 0; s < 4000; s++) {
			w.rec[7].mbits += 2000;
			if (!wraps && w.rec[7].mbits < 1000000)
				w.rec[7].mbits = ~0u;
			w.rec[7].sym_errors += 40;
			w.now += RULE_SEC;
			w_look();
			RULE(w.pol.track[7].ppb < 1000);
		}
		RULE(w.pol.track[7].state == LANE_ACTIVE);
	}
	return w_fault;
}

/* ---- trends ---- */

/* A second of errors as physics has them: Q falls with the power of a lane of 2e-8. */
static inline void w_physics(u16 lane)
{
	s32 q = lane_rate_q(200) + w.rec[lane].power_cdb;
	u32 ppb = 200;

	while (ppb < 500000000 && lane_rate_q(ppb) > q)
		ppb += ppb / 16;
	w.rec[lane].sym_errors += lane_div64(209715200ULL * ppb, 1000000000ULL);
}

/* Loses @per_s of 0.01 dB a second on top of the others until it is retired; seconds, 0: never. */
static inline u16 w_fade(u16 lane, u16 per_s, u16 seconds, u16 *lost)
{
	u16 s;

	for (s = 1; s <= seconds; s++) {
		w.rec[lane].power_cdb -= per_s;
		w_second(200);
		w_physics(lane);
		w_look();
		if (w.pol.track[lane].state == LANE_RETIRING)
			break;
	}
	*lost = -w.rec[lane].power_cdb;
	return s <= seconds ? s : 0;
}

static inline const char *rule_falling_power_is_retired_before_the_limit(void)
{
	u16 speeds[] = { 1, 2, 5, 10, 20 }, i, lost;

	for (i = 0; i < ARRAY_SIZE(speeds); i++) {
		w_usual();
		w_second(0);
		w_look();
		RULE(w_fade(50, speeds[i], 400, &lost));
		/* Before the limit, and not at the first sign. */
		RULE(w.pol.track[50].ppb < w.cfg.knobs.retire_ppb / 2);
		RULE(lost > 30 && lost < 190);
		RULE(w_find(&w.notes, LANE_NOTE_STATE)->logical == LANE_EV_TREND);
		RULE((s32)w_find(&w.notes, LANE_NOTE_STATE)->c < 0);
		RULE(w.plan.change && w.plan.map.phys[50] != 50 && w.plan.replaced == 1);
		RULE(w.pol.track[50].trend_cdb_h < 0);
	}
	return w_fault;
}

static inline const char *rule_growing_errors_are_retired_before_the_limit(void)
{
	u32 ppb = 2000;
	u16 s;

	w_usual();
	for (s = 0; s < 200 && w.pol.track[50].state != LANE_RETIRING; s++) {
		w_second(0);
		w.rec[50].sym_errors += lane_div64(209715200ULL * ppb, 1000000000ULL);
		ppb += ppb / 10;
		w_look();
	}
	RULE(w.pol.track[50].state == LANE_RETIRING);
	RULE(w.pol.track[50].ppb < w.cfg.knobs.retire_ppb);
	RULE(w_find(&w.notes, LANE_NOTE_STATE)->logical == LANE_EV_TREND);
	return w_fault;
}

static inline const char *rule_no_horizon_no_trend(void)
{
	u16 lost;

	w_usual();
	w.pol.cfg.knobs.horizon_ns = 0;
	w_second(0);
	w_look();
	RULE(!w_fade(50, 2, 80, &lost));
	RULE(!w.plan.change);
	return w_fault;
}

/* A dip that stays, noise, and light that comes back: no trend. */
static inline const char *rule_noise_and_steps_are_no_trend(void)
{
	u32 seed = 1;
	u16 s, i;

	w_usual();
	for (s = 0; s < 120; s++) {
		for (i = 0; i < 460; i++) {
			seed = seed * 1664525 + 1013904223;
			w.rec[i].power_cdb = (s16)(seed >> 24) / 25 - 5;
		}
		if (s > 40)
			w.rec[9].power_cdb -= 45;
		if (s > 40 && s < 60)
			w.rec[10].power_cdb -= 45;
		w_second(200);
		w_look();
		RULE(!w.plan.change);
	}
	RULE(w.pol.track[9].state == LANE_ACTIVE || w.pol.track[9].state == LANE_WATCH);
	return w_fault;
}

/* ---- common mode ---- */

static inline const char *rule_common_loss_of_power_is_one_alarm(void)
{
	u16 i, s, told = 0, over = 0;

	w_usual();
	for (s = 0; s < 60; s++) {
		for (i = 0; i < 460; i++)
			w.rec[i].power_cdb = s >= 10 && s < 40 ? -200 - i % 7 : -(i % 7);
		w_second(s >= 10 && s < 40 ? 2600000 : 200);
		w_look();
		told += w_count(&w.plan.notes, LANE_NOTE_COMMON);
		over += w_count(&w.notes, LANE_NOTE_COMMON_OVER);
		RULE(!w.plan.change);
		RULE(w.pol.common == (s >= 10 && s < 40));
	}
	RULE(told == 1 && over == 1);
	RULE(w.pol.track[100].state == LANE_ACTIVE);
	RULE(w.pol.track[450].state == LANE_SPARE);
	return w_fault;
}

static inline const char *rule_worse_than_the_common_mode_counts(void)
{
	u16 i, s;

	w_usual();
	for (s = 0; s < 30; s++) {
		for (i = 0; i < 460; i++)
			w.rec[i].power_cdb = s < 10 ? 0 : -150;
		if (s >= 10)
			w.rec[33].power_cdb = -350;
		w_second(s < 10 ? 200 : 500000);
		if (s >= 10)
			w.rec[33].sym_errors += 8000000;
		w_look();
		if (w.plan.change)
			break;
	}
	RULE(w.pol.common);
	RULE(w.plan.change && w.plan.replaced == 1 && w.plan.map.phys[33] != 33);
	return w_fault;
}

static inline const char *rule_common_drift_of_errors_is_recognised(void)
{
	u16 s, told = 0;

	w_usual();
	for (s = 0; s < 30; s++) {
		w_second(s < 10 ? 200 : 3000000);
		w_look();
		told += w_count(&w.plan.notes, LANE_NOTE_COMMON);
		RULE(!w.plan.change);
	}
	RULE(told == 1);
	return w_fault;
}

/* ---- beyond FEC ---- */

/* A second in which @lost in 1000 codewords can't be read. */
static inline void w_codewords(u32 lost)
{
	static u64 all, gone;

	all += 1000000;
	gone += lost * 1000;
	lane_policy_codewords(&w.pol, all, gone);
}

/* Most lanes weak and all darker: nothing is attributed any more, and no lane looks bad. */
static inline void w_unreadable(s16 weak, s16 others)
{
	u16 i;

	w_usual();
	w_second(200);
	w_codewords(0);
	w_look();
	for (i = 0; i < 460; i++)
		w.rec[i].power_cdb = i % 4 ? weak : others;
	w_second(0);
	w_codewords(1000);
	w_look();
}

static inline const char *rule_beyond_fec_the_light_decides(void)
{
	u16 l;

	w_unreadable(-330, -150);
	RULE(w_count(&w.plan.notes, LANE_NOTE_BLIND) == 1);
	RULE(w.plan.change && w.plan.margin_now < 0 && w.plan.margin_then >= 0);
	/* The good ones stay, and the good spares come in. */
	RULE(w.plan.map.width >= 107 && w.plan.map.width <= 115);
	for (l = 0; l < w.plan.map.width; l++)
		RULE(w.plan.map.phys[l] % 4 == 0);
	RULE(w.plan.next_at <= w.now + 10 * RULE_MS);
	w_apply();
	w_second(200);
	w_codewords(0);
	w_look();
	RULE(!w.pol.blind && !w.plan.change);
	RULE(w.pol.track[4].ppb < 1000);
	/* The light is back. The weak ones return when they have stood their probation. */
	for (l = 0; l < 460; l++)
		w.rec[l].power_cdb = 0;
	for (l = 0; l < 40; l++) {
		w_second(200);
		w_codewords(0);
		w_look();
		if (w.plan.change)
			w_apply();
	}
	RULE(w.map.width == 425);
	return w_fault;
}

/* Nothing would help; or the light is not to blame, but maps that differ, say. */
static inline const char *rule_beyond_fec_without_a_cure(void)
{
	w_unreadable(-500, -500);
	RULE(w.pol.blind && !w.plan.change);
	w_unreadable(0, 0);
	RULE(w.pol.blind && !w.plan.change && !w_find(&w.plan.notes, LANE_NOTE_BLIND)->a);
	RULE(w.pol.track[3].state == LANE_ACTIVE);
	return w_fault;
}

/* No errors in codewords that nobody could read is no good news. */
static inline const char *rule_beyond_fec_nothing_is_clean(void)
{
	u16 s;

	w_usual();
	w_codewords(0);
	w_look();
	w.rec[9].mbits += 1024;
	w.rec[9].sym_errors += 60000;
	w_look();
	RULE(w.pol.track[9].state == LANE_WATCH);
	for (s = 0; s < 60; s++) {
		w_second(0);
		w_codewords(900);
		w_look();
	}
	RULE(w.pol.blind && w.pol.track[9].state == LANE_WATCH);
	w.rec[9].mbits++;
	w.rec[9].sym_errors += 30;
	w_codewords(0);
	w_look();
	RULE(!w.pol.blind && w.pol.track[9].state == LANE_WATCH);
	for (s = 0; s < 60; s++) {
		w_second(0);
		w_codewords(0);
		w_look();
	}
	RULE(!w.pol.blind && w.pol.track[9].state == LANE_ACTIVE);
	return w_fault;
}

static inline const char *rule_codewords_that_make_no_sense(void)
{
	w_usual();
	lane_policy_codewords(&w.pol, 1000000, 1000000);
	RULE(!w.pol.blind);
	lane_policy_codewords(&w.pol, 1000500, 1000500);	/* too few */
	RULE(!w.pol.blind);
	lane_policy_codewords(&w.pol, 1001000, 1001000);
	RULE(w.pol.blind && w.pol.losing);
	lane_policy_codewords(&w.pol, 5000, 5000);		/* a reset */
	RULE(!w.pol.blind && !w.pol.losing);
	lane_policy_codewords(&w.pol, 10000, 15000);		/* more lost than came */
	RULE(!w.pol.blind && !w.pol.losing);
	lane_policy_codewords(&w.pol, 1010000, 115000);
	RULE(!w.pol.blind && w.pol.losing);
	lane_policy_codewords(&w.pol, 2010000, 115000);
	RULE(!w.pol.losing);
	return w_fault;
}

/* ---- clusters ---- */

static inline bool w_in_disc(u16 i, int x, int y, int r)
{
	int dx = w.rec[i].x - x, dy = w.rec[i].y - y;

	return dx * dx + dy * dy <= r * r;
}

/* A patch of radius 3 that takes @step ms from lane to lane; the notes that it gives. */
static inline u16 w_patch(u32 step, struct lane_note *note)
{
	u16 told = 0, i, order;

	w_usual();
	w_look();
	for (order = 0; order < 460; order++) {
		i = order * 177 % 460;
		if (!w_in_disc(i, 10, 8, 3))
			continue;
		w_lose(i);
		w.now += step * RULE_MS;
		w_look();
		told += w_count(&w.notes, LANE_NOTE_CLUSTER);
		if (w.plan.change)
			w_apply();
	}
	for (i = 0; i < 100; i++) {
		w.now += 20 * RULE_MS;
		w_look();
		told += w_count(&w.notes, LANE_NOTE_CLUSTER);
		if (w_count(&w.notes, LANE_NOTE_CLUSTER))
			*note = *w_find(&w.notes, LANE_NOTE_CLUSTER);
	}
	return told;
}

static inline const char *rule_patch_is_one_event_that_names_it(void)
{
	u32 steps[] = { 0, 1, 10, 30 }, i;
	struct lane_note n;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		memset(&n, 0, sizeof(n));
		RULE(w_patch(steps[i], &n) == 1);
		RULE(n.a == 29 && n.b == 3);
		RULE(n.lane == 10 && n.other == 8);
		RULE(n.logical == LANE_CLUSTER_PATCH);
	}
	return w_fault;
}

static inline u16 w_kind(bool (*lost)(u16 lane))
{
	const struct lane_note *n;
	u16 i;

	w_usual();
	w_look();
	for (i = 0; i < 460; i++)
		if (lost(i))
			w_lose(i);
	w_look();
	w.now += RULE_SEC;
	w_look();
	n = w_find(&w.notes, LANE_NOTE_CLUSTER);
	return n->a ? n->logical : LANE_NONE;
}

static inline bool w_row(u16 lane)
{
	return w.rec[lane].y == 7;
}

static inline bool w_column(u16 lane)
{
	return w.rec[lane].x == 7;
}

static inline bool w_edge(u16 lane)
{
	return w.rec[lane].x < 2;
}

static inline const char *rule_clusters_are_told_apart(void)
{
	RULE(w_kind(w_row) == LANE_CLUSTER_ROW);
	RULE(w_kind(w_column) == LANE_CLUSTER_COLUMN);
	RULE(w_kind(w_edge) == LANE_CLUSTER_EDGE);
	return w_fault;
}

/* ---- standby ---- */

static inline void w_plan(u16 room, struct lane_map *plan)
{
	w_look();
	lane_policy_standby(&w.pol, w.rec, &w.map, room, plan);
}

static inline const char *w_plan_right(const struct lane_map *plan)
{
	u16 load[460] = { 0 }, l, near = 0;

	RULE(plan->width == w.map.width);
	for (l = 0; l < plan->width; l++) {
		u16 spare = plan->phys[l], lane = w.map.phys[l];
		int dx, dy;

		RULE(spare < 460);
		RULE(!w_has(&w.map, spare));
		RULE(w.pol.track[spare].state == LANE_SPARE);
		dx = w.rec[spare].x - w.rec[lane].x;
		dy = w.rec[spare].y - w.rec[lane].y;
		near += dx < 9 && dx > -9 && dy < 9 && dy > -9;
		load[spare]++;
		RULE(load[spare] <= (425 + w.pol.nr_spares - 1) / w.pol.nr_spares + 6);
	}
	/* The spares are the last two rows: what is next to them can't be far from all. */
	RULE(near <= 60);
	return w_fault;
}

static inline const char *rule_every_lane_has_a_spare_far_away(void)
{
	w_usual();
	w_plan(LANE_MAX, &w.standby);
	return w_plan_right(&w.standby);
}

static inline const char *rule_plan_does_not_churn(void)
{
	u16 l, other = 0;

	w_usual();
	w_plan(LANE_MAX, &w.standby);
	w_second(200);
	w_plan(LANE_MAX, &w.standby_then);
	RULE(lane_map_same(&w.standby, &w.standby_then));
	/* One lane is lost: only what stood by for it, and its spare's others, is new. */
	w_lose(17);
	w_look();
	w_apply();
	w_plan(LANE_MAX, &w.standby_then);
	for (l = 0; l < 425; l++)
		other += w.standby.phys[l] != w.standby_then.phys[l];
	RULE(other && other <= 16);
	return w_plan_right(&w.standby_then);
}

static inline const char *rule_plan_has_no_bad_spares(void)
{
	u16 i, l;

	w_usual();
	for (i = 430; i < 460; i++)
		w_lose(i);
	w.pol.track[425].known_bad = true;
	w.pol.track[426].off = true;
	w_plan(LANE_MAX, &w.standby);
	for (l = 0; l < 425; l++)
		RULE(w.standby.phys[l] >= 427 && w.standby.phys[l] < 430);
	for (i = 427; i < 430; i++)
		w_lose(i);
	w_plan(LANE_MAX, &w.standby);
	for (l = 0; l < 425; l++)
		RULE(w.standby.phys[l] == LANE_NONE);
	return w_fault;
}

static inline const char *rule_small_plan_is_for_those_that_ail(void)
{
	u16 planned = 0, l;

	w_usual();
	w_look();
	w.rec[400].flags = PNIC_LANEF_SER;
	w_plan(10, &w.standby);
	for (l = 0; l < 425; l++)
		planned += w.standby.phys[l] != LANE_NONE;
	RULE(planned == 10);
	RULE(w.standby.phys[400] != LANE_NONE);
	return w_fault;
}

/* ---- tests ---- */

static inline void w_to_probation(u16 lane)
{
	w_look();
	w_lose(lane);
	w_look();
	w_heal(lane);
	w_look();
	w.now = w.pol.track[lane].until;
	w_look();
}

static inline const char *rule_probation_ends_in_a_test(void)
{
	u64 until;

	w_usual();
	w.pol.can_test = true;
	w_to_probation(450);
	RULE(w.pol.track[450].state == LANE_TESTING);
	RULE(w.pol.track[450].test == LANE_TEST_WANTED);
	lane_policy_test_started(&w.pol, 450, true, &w.notes, w.now);
	w.rec[450].flags = PNIC_LANEF_TESTING;
	w_look();
	/* Under test it is no spare. */
	w_lose(3);
	w_look();
	RULE(w.plan.map.phys[3] != 450);
	w_heal(3);
	w.rec[450].flags = 0;
	w.notes.nr = 0;
	lane_policy_tested(&w.pol, 450, 0, 1ULL << 30, &w.notes, w.now);
	RULE(w_count(&w.notes, LANE_NOTE_TESTED) == 1);
	RULE(w.pol.track[450].state == LANE_SPARE);
	/* The next time it fails the test: twice the probation. */
	w_to_probation(450);
	until = w.pol.track[450].until;
	lane_policy_test_started(&w.pol, 450, true, &w.notes, w.now);
	lane_policy_tested(&w.pol, 450, 1 << 20, 1ULL << 30, &w.notes, w.now);
	RULE(w.pol.track[450].state == LANE_QUARANTINED);
	RULE(w.pol.track[450].until > until);
	RULE(w.pol.track[450].losses == 3);
	RULE(w.pol.track[450].until - w.now == 4 * w.cfg.knobs.quarantine_ns);
	return w_fault;
}

static inline const char *rule_short_test_proves_nothing(void)
{
	w_usual();
	w.pol.can_test = true;
	w_to_probation(450);
	lane_policy_test_started(&w.pol, 450, true, &w.notes, w.now);
	lane_policy_tested(&w.pol, 450, 0, 1000, &w.notes, w.now);
	RULE(w.pol.track[450].state == LANE_QUARANTINED);
	return w_fault;
}

static inline const char *rule_card_that_cannot_test_costs_no_lane(void)
{
	u16 i;

	w_usual();
	w.pol.can_test = true;
	w_to_probation(450);
	for (i = 0; i < 3; i++)
		lane_policy_test_started(&w.pol, 450, false, &w.notes, w.now);
	RULE(w.pol.track[450].state == LANE_SPARE);
	return w_fault;
}

static inline const char *rule_lost_result_is_asked_for_again(void)
{
	w_usual();
	w.pol.can_test = true;
	w_to_probation(450);
	lane_policy_test_started(&w.pol, 450, true, &w.notes, w.now);
	w_second(0);
	w_look();
	w_second(0);
	w_look();
	RULE(w.pol.track[450].state == LANE_TESTING);
	RULE(w.pol.track[450].test == LANE_TEST_WANTED);
	return w_fault;
}

static inline const char *rule_replaced_lane_is_tested_too(void)
{
	w_usual();
	w.pol.can_test = true;
	w_look();
	lane_policy_act(&w.pol, 50, LANE_REQ_RETIRE, false, &w.notes, w.now);
	w_look();
	w_apply();
	w_look();
	RULE(w.pol.track[50].state == LANE_QUARANTINED);
	RULE(!w.pol.track[50].losses);
	w.now = w.pol.track[50].until;
	w_look();
	RULE(w.pol.track[50].state == LANE_TESTING);
	return w_fault;
}

/* ---- budget, manage, history ---- */

static inline const char *rule_work_has_a_budget(void)
{
	w_usual();
	w_look();
	w.pol.budget_ns = 60 * RULE_MS;
	lane_policy_worked(&w.pol, 30 * RULE_MS, w.now);
	w.rec[50].mbits += 1024;
	w.rec[50].sym_errors += 600000;
	w_look();
	RULE(w.pol.track[50].state == LANE_RETIRING);
	RULE(!w.plan.change);
	RULE(w.plan.next_at == w.now + 500 * RULE_MS);
	/* What can't wait doesn't. */
	w_lose(3);
	w_look();
	RULE(w.plan.change && w.plan.replaced == 1);
	w_heal(3);
	w.now += 500 * RULE_MS;
	w_look();
	RULE(w.plan.change && w.plan.map.phys[50] != 50);
	return w_fault;
}

static inline const char *rule_unmanaged_only_reports(void)
{
	w_usual();
	w.pol.manage = false;
	w_look();
	w_lose(3);
	w.rec[50].mbits += 1024;
	w.rec[50].sym_errors += 600000;
	w_look();
	RULE(w.pol.track[3].state == LANE_FAILED && w.pol.track[50].state == LANE_RETIRING);
	RULE(!w.plan.change);
	lane_policy_act(&w.pol, 60, LANE_REQ_DISABLE, false, &w.notes, w.now);
	w_look();
	RULE(w.plan.change && w.plan.replaced == 1 && w.plan.map.phys[60] != 60);
	return w_fault;
}

static inline const char *rule_known_bad_lane_is_last_resort(void)
{
	u16 i;

	w_usual();
	w.pol.track[430].known_bad = true;
	w.pol.track[20].known_bad = true;
	w_look();
	/* In the map it is replaced, and not by another one. */
	RULE(w.plan.change && w.plan.replaced == 1);
	RULE(w.plan.map.phys[20] != 20 && w.plan.map.phys[20] != 430);
	w_apply();
	for (i = 0; i < 460; i++)
		if (i != 430)
			w_lose(i);
	w_look();
	RULE(w.plan.change && w.plan.map.width == 1 && w.plan.map.phys[0] == 430);
	return w_fault;
}

static inline const char *rule_flapping_lane_backs_off(void)
{
	u64 last = 0;
	u16 i;

	w_usual();
	w_look();
	for (i = 0; i < 6; i++) {
		w_lose(450);
		w_look();
		w_heal(450);
		w_look();
		RULE(w.pol.track[450].until - w.now > last);
		last = w.pol.track[450].until - w.now;
	}
	RULE(last == 32 * w.cfg.knobs.quarantine_ns);
	return w_fault;
}

/* The cable is pulled again and again: no lane is the worse for it. */
static inline const char *rule_cut_is_no_lanes_fault(void)
{
	u16 i, n;

	w_usual();
	w_look();
	w_lose(7);
	w_look();
	w_apply();
	w_heal(7);
	w_lose(8);	/* dark from before the first cut: that is its own */
	w_look();
	w.now += 5 * RULE_SEC;
	w_look();
	for (n = 0; n < 4; n++) {
		/* Not all in one table. */
		for (i = 0; i < 300; i++)
			w_lose(i);
		w.now += RULE_MS;
		w_look();
		for (; i < 460; i++)
			w_lose(i);
		w.now += RULE_MS;
		w_look();
		w.now += 60 * RULE_SEC;
		for (i = 0; i < 460; i++)
			w_heal(i);
		w_look();
	}
	for (i = 0; i < 460; i++)
		RULE(w.pol.track[i].losses == (i == 7 || i == 8));
	return w_fault;
}

/* After a reset lanes have not all locked when they are first looked at. */
static inline const char *rule_first_sight_is_no_loss(void)
{
	w_usual();
	w_lose(3);
	w_look();
	RULE(w.pol.track[3].state == LANE_FAILED && !w.pol.track[3].losses);
	w_heal(3);
	w_look();
	w_lose(3);
	w.now += RULE_SEC;
	w_look();
	RULE(w.pol.track[3].losses == 1);
	return w_fault;
}

static inline const char *rule_ruined_lane_that_recovers_stays(void)
{
	w_setup(425, 425, 20);
	w_look();
	w.rec[2].mbits += 1024;
	w.rec[2].sym_errors += 20000000;
	w_look();
	RULE(w.pol.track[2].state == LANE_FAILED);
	w.rec[2].mbits += 60000;
	w_look();
	RULE(w.pol.track[2].state == LANE_WATCH);
	return w_fault;
}

struct policy_rule {
	const char *name;
	const char *(*check)(void);
};

#define POLICY_RULE(f)	{ #f, rule_##f }

static const struct policy_rule policy_rules[] = {
	POLICY_RULE(place_is_lost_with_confidence_only),
	POLICY_RULE(month_of_traffic_is_no_evidence),
	POLICY_RULE(falling_power_is_retired_before_the_limit),
	POLICY_RULE(growing_errors_are_retired_before_the_limit),
	POLICY_RULE(no_horizon_no_trend),
	POLICY_RULE(noise_and_steps_are_no_trend),
	POLICY_RULE(common_loss_of_power_is_one_alarm),
	POLICY_RULE(worse_than_the_common_mode_counts),
	POLICY_RULE(common_drift_of_errors_is_recognised),
	POLICY_RULE(beyond_fec_the_light_decides),
	POLICY_RULE(beyond_fec_without_a_cure),
	POLICY_RULE(beyond_fec_nothing_is_clean),
	POLICY_RULE(codewords_that_make_no_sense),
	POLICY_RULE(patch_is_one_event_that_names_it),
	POLICY_RULE(clusters_are_told_apart),
	POLICY_RULE(every_lane_has_a_spare_far_away),
	POLICY_RULE(plan_does_not_churn),
	POLICY_RULE(plan_has_no_bad_spares),
	POLICY_RULE(small_plan_is_for_those_that_ail),
	POLICY_RULE(probation_ends_in_a_test),
	POLICY_RULE(short_test_proves_nothing),
	POLICY_RULE(card_that_cannot_test_costs_no_lane),
	POLICY_RULE(lost_result_is_asked_for_again),
	POLICY_RULE(replaced_lane_is_tested_too),
	POLICY_RULE(work_has_a_budget),
	POLICY_RULE(unmanaged_only_reports),
	POLICY_RULE(known_bad_lane_is_last_resort),
	POLICY_RULE(flapping_lane_backs_off),
	POLICY_RULE(cut_is_no_lanes_fault),
	POLICY_RULE(first_sight_is_no_loss),
	POLICY_RULE(ruined_lane_that_recovers_stays),
};

#endif /* LANE_TEST_POLICY_RULES_H */
