/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A decision under way (policy.c): what each of its steps finds, and leaves behind. Each step
 * is proved to keep it (replace, last, drop, shrink, grow, mend), and in the proofs of those
 * that call it, it does anything that keeps it.
 */
#ifndef LANE_CBMC_DECIDE_H
#define LANE_CBMC_DECIDE_H

#include "any.h"

/* The lanes of maps are all that policy.c copies. */
static inline void copy_lanes(u16 *to, const u16 *from, size_t bytes)
{
	size_t i;

	__CPROVER_assert(bytes <= DATA * sizeof(*to), "lanes of a map");
	for (i = 0; i < DATA; i++)
		if (i < bytes / sizeof(*to))
			to[i] = from[i];
}

#define memcpy(to, from, bytes)	copy_lanes(to, from, bytes)

#include "../../policy.c"

static struct lane_policy pol;
static struct lane_rec rec[TOTAL];
static struct lane_map now_map;
static struct lane_plan plan;
/* All lanes of the map are dark and there is no spare: any lit lane will do. */
static bool resort;
/* Beyond FEC: those that are given up for it pass for dark, and no other one has a need. */
static bool given_up;

/* Of each lane, as long as neither lanes nor table change; need.c. */
static u8 need_then[TOTAL];
/* May a lane serve as a spare, and as a last resort? */
static bool good[TOTAL], lit[TOTAL];

static u8 own_need(u16 lane)
{
	return lane < TOTAL ? need_then[lane] : NEED_NONE;
}

u8 any_need_of(const struct lane_policy *p, const struct lane_track *t, const struct lane_rec *r)
{
	u16 lane = r - rec;

	__CPROVER_assert(p == &pol && lane < TOTAL && t == &pol.track[lane], "a lane");
	return own_need(lane);
}

static bool need_sane(const struct lane_policy *p, const struct lane_rec *r, u8 need)
{
	if (lane_rec_dark(r))
		return need == (p->manage ? NEED_DARK : NEED_NONE);
	return need < NEED_DARK;
}

static bool may_serve(u16 lane)
{
	return lane < TOTAL && (resort ? lit[lane] : good[lane]);
}

static bool has(const struct lane_map *map, u16 lane)
{
	u16 l;

	for (l = 0; l < DATA && l < map->width; l++)
		if (map->phys[l] == lane)
			return true;
	return false;
}

/* ---- what holds between the steps ---- */

/* Spares are lanes that may serve, none twice. */
static bool spares_sane(const struct decision *d)
{
	u16 i, j;

	if (pol.nr_spares > TOTAL || d->next_spare > pol.nr_spares)
		return false;
	for (i = 0; i < TOTAL && i < pol.nr_spares; i++) {
		if (!may_serve(pol.spares[i]))
			return false;
		for (j = 0; j < i; j++)
			if (pol.spares[i] == pol.spares[j])
				return false;
	}
	return true;
}

static bool was_taken(const struct decision *d, u16 lane)
{
	u16 i;

	for (i = 0; i < TOTAL && i < d->next_spare; i++)
		if (pol.spares[i] == lane)
			return true;
	return false;
}

/* A map that could be sent to the far end, of lanes that were in it and spares taken. */
static bool map_sane(const struct decision *d)
{
	u16 l, i;

	if (!plan.map.width || plan.map.width > DATA)
		return false;
	for (l = 0; l < DATA && l < plan.map.width; l++) {
		u16 lane = plan.map.phys[l];

		if (lane >= TOTAL || (!has(&now_map, lane) && !was_taken(d, lane)))
			return false;
		for (i = 0; i < l; i++)
			if (plan.map.phys[i] == lane)
				return false;
	}
	return true;
}

/* What is remembered of a lane's need is its need, or none if it is new. */
static bool needs_sane(void)
{
	u16 l;

	for (l = 0; l < DATA && l < plan.map.width; l++) {
		u16 lane = plan.map.phys[l];
		u8 need = own_need(lane);

		if (pol.need[l] == need)
			continue;
		if (pol.need[l] == NEED_NONE &&
		    ((given_up && need < NEED_FORCED) || !has(&now_map, lane)))
			continue;
		if (pol.need[l] != NEED_DARK || !given_up || need == NEED_NONE)
			return false;
	}
	return true;
}

/* No lane goes that has no need to. */
static bool none_gone(void)
{
	u16 l;

	for (l = 0; l < DATA && l < now_map.width; l++)
		if (!has(&plan.map, now_map.phys[l]) && own_need(now_map.phys[l]) == NEED_NONE)
			return false;
	return true;
}

/* Places that have another lane have been counted. */
static bool moves_sane(const struct decision *d)
{
	u16 moved = 0, l;

	for (l = 0; l < DATA && l < plan.map.width; l++)
		moved += l >= now_map.width || plan.map.phys[l] != now_map.phys[l];
	return moved <= d->moves && d->moves <= pol.cfg.knobs.max_moves;
}

static bool decision_sane(const struct decision *d)
{
	return spares_sane(d) && map_sane(d) && needs_sane() && none_gone() && moves_sane(d);
}

static void assert_sane(const struct decision *d)
{
	__CPROVER_assert(spares_sane(d), "spares");
	__CPROVER_assert(map_sane(d), "a map");
	__CPROVER_assert(needs_sane(), "needs");
	__CPROVER_assert(none_gone(), "only those that need it");
	__CPROVER_assert(moves_sane(d), "moves");
}

/* ---- any decision ---- */

/* Any lanes, before a decision. */
static void any_link(struct decision *d)
{
	u16 i;

	any_policy(&pol);
	any_table(rec);
	any_map(&now_map);
	mark_map(&pol, &now_map);
	for (i = 0; i < TOTAL; i++) {
		need_then[i] = nondet_u8();
		__CPROVER_assume(need_sane(&pol, &rec[i], need_then[i]));
		good[i] = spare_usable_here(&pol, rec, i);
		lit[i] = !pol.track[i].in_map && !pol.track[i].off && !lane_rec_dark(&rec[i]);
	}
	memset(d, 0, sizeof(*d));
	d->pol = &pol;
	d->rec = rec;
	d->now_map = &now_map;
	d->plan = &plan;
	d->now = nondet_u64();
}

/* What a step may change of a decision. */
static void any_changes(struct decision *d)
{
	u16 i;

	plan.map.width = nondet_u16();
	for (i = 0; i < DATA; i++) {
		plan.map.phys[i] = nondet_u16();
		pol.need[i] = nondet_u8();
	}
	plan.replaced = nondet_u16();
	plan.dropped = nondet_u16();
	plan.notes.nr = nondet_u16();
	plan.notes.lost = nondet_u16();
	__CPROVER_assume(plan.notes.nr <= LANE_NOTES_MAX);
	d->moves = nondet_u16();
	d->next_spare = nondet_u16();
}

static void any_spares(void)
{
	u16 i;

	pol.nr_spares = nondet_u16();
	for (i = 0; i < TOTAL; i++)
		pol.spares[i] = nondet_u16();
}

/* Any decision that its steps may have come to. */
static void any_decision(struct decision *d)
{
	any_link(d);
	resort = nondet_bool();
	given_up = nondet_bool();
	any_spares();
	any_changes(d);
	plan.grown = 0;
	plan.margin_now = (s16)nondet_u16();
	plan.next_at = nondet_u64();
	d->wanting = nondet_u16();
	d->ruined = nondet_u16();
	d->forced = nondet_u16();
	__CPROVER_assume(decision_sane(d));
}

/* ---- what a step has done ---- */

struct seen {
	struct lane_map map;
	u8 need[DATA];
	u16 next_spare, moves, replaced, dropped, notes, lost;
};

static void look(const struct decision *d, struct seen *was)
{
	u16 l;

	was->map = plan.map;
	for (l = 0; l < DATA; l++)
		was->need[l] = pol.need[l];
	was->next_spare = d->next_spare;
	was->moves = d->moves;
	was->replaced = plan.replaced;
	was->dropped = plan.dropped;
	was->notes = plan.notes.nr;
	was->lost = plan.notes.lost;
}

#define ONE(need)	(1u << (need))

/* Places with one of some needs have spares now, all others are as they were. */
static bool replaced_only(const struct decision *d, const struct seen *was, u32 needs)
{
	u16 spares = 0, l;

	for (l = 0; l < DATA && l < was->map.width; l++) {
		if (plan.map.phys[l] == was->map.phys[l])
			continue;
		if (was->need[l] > NEED_DARK || !(needs & ONE(was->need[l])) ||
		    has(&now_map, plan.map.phys[l]))
			return false;
		spares++;
	}
	return plan.map.width == was->map.width && plan.dropped == was->dropped &&
	       plan.replaced == was->replaced + spares && d->moves == was->moves + spares &&
	       d->next_spare == was->next_spare + spares;
}

/* Each place has its need still, or a spare. */
static bool needs_kept(const struct seen *was)
{
	u16 l;

	for (l = 0; l < DATA && l < was->map.width; l++)
		if (plan.map.phys[l] == was->map.phys[l] ?
		    pol.need[l] != was->need[l] : pol.need[l] != NEED_NONE)
			return false;
	return true;
}

static bool all_replaced(const struct decision *d, u8 need)
{
	u16 l;

	if (d->next_spare == pol.nr_spares || d->moves == pol.cfg.knobs.max_moves)
		return true;
	for (l = 0; l < DATA && l < plan.map.width; l++)
		if (pol.need[l] == need)
			return false;
	return true;
}

/* Some lanes are no more in it, none is new. */
static bool dropped_only(const struct decision *d, const struct seen *was)
{
	u16 l;

	if (plan.map.width + plan.dropped != was->map.width + was->dropped ||
	    plan.map.width > was->map.width || d->next_spare != was->next_spare ||
	    d->moves < was->moves || plan.replaced != was->replaced)
		return false;
	for (l = 0; l < DATA && l < plan.map.width; l++)
		if (!has(&was->map, plan.map.phys[l]))
			return false;
	return true;
}

static bool all_dropped(const struct decision *d, u8 need)
{
	u16 l;

	if (plan.map.width == 1 || d->moves == pol.cfg.knobs.max_moves)
		return true;
	for (l = 0; l < DATA && l < plan.map.width; l++)
		if (pol.need[l] >= need)
			return false;
	return true;
}

static bool as_it_was(const struct decision *d, const struct seen *was)
{
	u16 l;

	for (l = 0; l < DATA && l < was->map.width; l++)
		if (plan.map.phys[l] != was->map.phys[l])
			return false;
	return plan.map.width == was->map.width && d->next_spare == was->next_spare &&
	       d->moves == was->moves && plan.replaced == was->replaced &&
	       plan.dropped == was->dropped;
}

static bool all_dark(const struct lane_map *map)
{
	u16 l;

	for (l = 0; l < DATA && l < map->width; l++)
		if (!lane_rec_dark(&rec[map->phys[l]]))
			return false;
	return true;
}

static bool none_dark(const struct lane_map *map)
{
	u16 l;

	for (l = 0; l < DATA && l < map->width; l++)
		if (lane_rec_dark(&rec[map->phys[l]]))
			return false;
	return true;
}

/* A lane of the map that needs another one in its place. */
static bool any_needed(void)
{
	u16 l;

	for (l = 0; l < DATA && l < now_map.width; l++)
		if (own_need(now_map.phys[l]) != NEED_NONE)
			return true;
	return false;
}

/* What an administrator wants out stays only if it is the last, or too much has moved. */
static bool forced_out(const struct decision *d)
{
	u16 l;

	if (plan.map.width == 1 || d->moves == pol.cfg.knobs.max_moves)
		return true;
	for (l = 0; l < DATA && l < plan.map.width; l++)
		if (has(&now_map, plan.map.phys[l]) && own_need(plan.map.phys[l]) == NEED_FORCED)
			return false;
	return true;
}

/* Dark lanes stay in a map only if nothing else is left, or too much has moved. */
static bool dark_replaced(const struct decision *d)
{
	return !pol.manage || none_dark(&plan.map) || d->next_spare == pol.nr_spares ||
	       d->moves == pol.cfg.knobs.max_moves;
}

static bool nothing_told(const struct seen *was)
{
	return plan.notes.nr == was->notes && plan.notes.lost == was->lost;
}

/* ---- steps that have proofs of their own ---- */

/*
 * The margin that a map has: as long as neither lanes nor table change the same one for the
 * same map.
 */
s16 __CPROVER_uninterpreted_margin(u64 lanes);

s16 any_margin_of(const struct lane_policy *p, const struct lane_rec *r, const struct lane_map *map)
{
	u64 lanes = 0;
	s16 margin;
	u16 l;

	__CPROVER_assert(p == &pol && r == rec, "these lanes");
	__CPROVER_assert(map->width && map->width <= DATA, "a map");
	for (l = 0; l < DATA && l < map->width; l++)
		lanes = lanes << 8 | (map->phys[l] + 1);
	margin = __CPROVER_uninterpreted_margin(lanes);
	__CPROVER_assume(margin >= -1 && margin <= map->width);
	return margin;
}

void any_replace(struct decision *d, u8 need)
{
	struct seen was;

	__CPROVER_assert(need > NEED_NONE && need <= NEED_DARK, "a need");
	__CPROVER_assert(decision_sane(d), "sane");
	look(d, &was);
	any_changes(d);
	__CPROVER_assume(decision_sane(d));
	__CPROVER_assume(replaced_only(d, &was, ONE(need)) && needs_kept(&was));
	__CPROVER_assume(need == NEED_RUINED || need == NEED_CALM || all_replaced(d, need));
}

void any_close_up(struct decision *d, u8 need)
{
	struct seen was;

	__CPROVER_assert(need >= NEED_RUINED && need <= NEED_DARK, "a need");
	__CPROVER_assert(decision_sane(d), "sane");
	look(d, &was);
	any_changes(d);
	__CPROVER_assume(decision_sane(d));
	__CPROVER_assume(dropped_only(d, &was) && all_dropped(d, need));
}

bool any_shrink(struct decision *d, u8 need, s16 gain)
{
	s16 margin = any_margin_of(&pol, rec, &plan.map);
	bool done = nondet_bool();
	struct seen was;

	__CPROVER_assert(need >= NEED_RUINED && need <= NEED_DARK && (gain == 0 || gain == 1),
			 "a need and a gain");
	__CPROVER_assert(decision_sane(d), "sane");
	look(d, &was);
	any_changes(d);
	__CPROVER_assume(decision_sane(d));
	if (done)
		__CPROVER_assume(dropped_only(d, &was) &&
				 any_margin_of(&pol, rec, &plan.map) >= margin + gain);
	else
		__CPROVER_assume(as_it_was(d, &was));
	return done;
}

void any_blind(struct decision *d)
{
	struct seen was;

	__CPROVER_assert(decision_sane(d) && !given_up, "sane");
	look(d, &was);
	any_changes(d);
	given_up = nondet_bool();
	__CPROVER_assume(decision_sane(d));
	__CPROVER_assume(given_up ? dropped_only(d, &was) : as_it_was(d, &was));
}

void any_calm(struct decision *d)
{
	struct seen was;

	__CPROVER_assert(decision_sane(d), "sane");
	look(d, &was);
	any_changes(d);
	__CPROVER_assume(decision_sane(d));
	__CPROVER_assume(replaced_only(d, &was, ONE(NEED_CALM) | ONE(NEED_RUINED)));
}

/* All lanes of the map are dark: the last spares of all, or none. */
void any_last(struct decision *d)
{
	struct seen was;

	__CPROVER_assert(decision_sane(d) && !pol.nr_spares, "sane");
	__CPROVER_assert(d->moves < pol.cfg.knobs.max_moves, "a move is left");
	__CPROVER_assert(pol.manage && all_dark(&plan.map), "all dark");
	look(d, &was);
	resort = true;
	any_spares();
	any_changes(d);
	pol.dark = nondet_bool();
	__CPROVER_assume(decision_sane(d));
	__CPROVER_assume(replaced_only(d, &was, ONE(NEED_DARK)) && needs_kept(&was));
	__CPROVER_assume(all_replaced(d, NEED_DARK));
	__CPROVER_assume(pol.dark ? !pol.nr_spares && as_it_was(d, &was) : d->next_spare);
}

#endif /* LANE_CBMC_DECIDE_H */
