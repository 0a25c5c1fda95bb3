// SPDX-License-Identifier: GPL-2.0
/*
 * The lane policy: takes in the lane table, decides on the next map.
 */
#include "policy.h"

#define BILLION			1000000000ULL
#define GOOD_PPB		100		/* the best class of spares */
#define LOSING_POLL_NS		(BILLION / 100)
#define WORK_MAX_NS		(10 * BILLION)
#define REST_MAX_NS		(60 * BILLION)

/* How badly a logical lane needs another physical one. */
enum lane_need {
	NEED_NONE,
	NEED_CALM,		/* works, but retiring */
	NEED_ASKED,		/* an administrator wants it out, if there is a spare */
	NEED_RUINED,		/* lit, more harm than use */
	NEED_FORCED,		/* an administrator wants it out */
	NEED_DARK,		/* carries nothing */
};

void lane_knobs_default(struct lane_knobs *k)
{
	memset(k, 0, sizeof(*k));
	k->watch_ppb = 65000;		/* -1 dB from a bit error rate of 2e-8 */
	k->retire_ppb = 2400000;	/* -2 dB: 2.4e-4, the code's working limit */
	k->fail_ppb = 95000000;		/* -3.7 dB: 1e-2 */
	k->min_errors = 10;
	k->common_pct = 50;
	k->common_cdb = 50;
	k->cluster_min = 5;
	k->margin_floor = 3;
	k->max_moves = LANE_MAX;
	k->cluster_ns = 1000000000ULL;
	k->horizon_ns = 3600000000000ULL;
	k->quarantine_ns = 10000000000ULL;
	k->quarantine_max_ns = 600000000000ULL;
	k->calm_ns = 100000000ULL;
	k->grow_ns = 5000000000ULL;
}

bool lane_policy_cfg_valid(const struct lane_policy_cfg *cfg)
{
	const struct lane_knobs *k = &cfg->knobs;

	return cfg->shape.data && cfg->shape.data <= cfg->shape.total &&
	       cfg->shape.total <= LANE_MAX && lane_fec_valid(&cfg->fec) &&
	       k->watch_ppb && k->watch_ppb <= k->retire_ppb &&
	       k->retire_ppb <= k->fail_ppb && k->fail_ppb <= BILLION &&
	       k->common_pct && k->common_pct <= 100 && k->common_cdb && k->max_moves &&
	       k->quarantine_ns <= k->quarantine_max_ns;
}

void lane_policy_init(struct lane_policy *pol, const struct lane_policy_cfg *cfg)
{
	pol->cfg = *cfg;
	pol->manage = true;
	pol->can_test = false;
	pol->budget_ns = BILLION;
	pol->changed_at = 0;
	pol->rested_at = 0;
	pol->cluster_due = LANE_NEVER;
	pol->common = false;
	pol->common_power = false;
	pol->losing = false;
	pol->blind = false;
	pol->counted = false;
	pol->dark = false;
	memset(&pol->told, 0, sizeof(pol->told));
	pol->trend_at = 0;
	pol->median = 0;
	pol->base = 0;
	pol->common_loss = 0;
	pol->common_bad = 0;
	pol->nr_spares = 0;
	pol->standby.width = 0;
	memset(pol->track, 0, cfg->shape.total * sizeof(pol->track[0]));
}

void lane_policy_changed(struct lane_policy *pol, u64 now)
{
	pol->changed_at = now;
}

/* Work of @ns is forgiven in the time in which the budget has room for as much. */
void lane_policy_worked(struct lane_policy *pol, u64 ns, u64 now)
{
	u64 budget_us = lane_div64(pol->budget_ns, 1000), us;

	/* A change that took for ever must not stop all others for as long. */
	us = ns < WORK_MAX_NS ? lane_div64(ns, 1000) : WORK_MAX_NS / 1000;
	if (pol->rested_at < now)
		pol->rested_at = now;
	if (budget_us)
		pol->rested_at += lane_div64(us * 1000000, budget_us) * 1000;
	if (pol->rested_at > now + REST_MAX_NS)
		pol->rested_at = now + REST_MAX_NS;
}

/* ---- deciding ---- */

void lane_policy_margin(const struct lane_policy *pol, const struct lane_rec *rec,
			const struct lane_map *map, struct lane_margin *m)
{
	struct lane_load load = { .width = map->width };
	u16 l;

	for (l = 0; l < map->width; l++) {
		u16 lane = map->phys[l];

		if (!lane_rec_dark(&rec[lane]))
			load.error_ppb += pol->track[lane].ppb;
		else if (rec[lane].flags & PNIC_LANEF_ERASED)
			load.erased++;
		else
			load.dark++;
	}
	lane_margin_of(&pol->cfg.fec, &load, m);
}

static s16 margin_of(const struct lane_policy *pol, const struct lane_rec *rec,
		     const struct lane_map *map)
{
	struct lane_margin m;

	lane_policy_margin(pol, rec, map, &m);
	return m.errors;
}

/* One decision under way. */
struct decision {
	struct lane_policy *pol;
	const struct lane_rec *rec;
	const struct lane_map *now_map;
	struct lane_plan *plan;
	u64 now;
	u16 moves;		/* so far */
	u16 next_spare;
	u16 wanting;		/* logical lanes on lit lanes that should be replaced */
	u16 ruined;		/* of them on ruined ones */
	u16 forced;		/* an administrator wants out, at any price */
};

/* What sums a plan up must have room behind the details. */
#define SUMMARY_NOTES		4

static void tell(struct decision *d, u8 code, u16 lane, u16 other, u16 logical, u32 a, u32 b)
{
	struct lane_notes *notes = &d->plan->notes;
	struct lane_note note = {
		.at = d->now,
		.code = code,
		.lane = lane,
		.other = other,
		.logical = logical,
		.a = a,
		.b = b,
	};

	if (code == LANE_NOTE_COMMON)
		note.c = -d->pol->common_loss;
	if (notes->nr + SUMMARY_NOTES < LANE_NOTES_MAX || code == LANE_NOTE_WIDTH ||
	    code == LANE_NOTE_MARGIN)
		lane_notes_add(notes, &note);
	else
		notes->lost++;
}

static u8 need_of(const struct lane_policy *pol, const struct lane_track *t,
		  const struct lane_rec *rec)
{
	if (lane_rec_dark(rec))
		return pol->manage ? NEED_DARK : NEED_NONE;
	if (t->off || t->asked)
		return t->forced ? NEED_FORCED : NEED_ASKED;
	/* Spares would be no better, and soon gone, unless it is worse than all. */
	if (!pol->manage || (pol->common && !pol->blind && !t->own))
		return NEED_NONE;
	if (t->state == LANE_FAILED)
		return NEED_RUINED;
	return t->state == LANE_RETIRING ? NEED_CALM : NEED_NONE;
}

static void find_needs(struct decision *d)
{
	struct lane_policy *pol = d->pol;
	u16 l;

	for (l = 0; l < d->now_map->width; l++) {
		u16 lane = d->now_map->phys[l];

		pol->need[l] = need_of(pol, &pol->track[lane], &d->rec[lane]);
		d->wanting += pol->need[l] == NEED_RUINED || pol->need[l] == NEED_CALM;
		d->ruined += pol->need[l] == NEED_RUINED;
		d->forced += pol->need[l] == NEED_FORCED;
	}
	if (pol->common && !pol->told.common)
		tell(d, LANE_NOTE_COMMON, 0, 0, 0, pol->common_bad,
		     d->now_map->width);
	pol->told.common = pol->common;
	if (pol->blind && !pol->told.blind)
		tell(d, LANE_NOTE_BLIND, 0, 0, 0, d->wanting, d->now_map->width);
	pol->told.blind = pol->blind;
}

static u16 count_dark(const struct decision *d)
{
	u16 dark = 0, l;

	for (l = 0; l < d->plan->map.width; l++)
		dark += lane_rec_dark(&d->rec[d->plan->map.phys[l]]);
	return dark;
}

static bool may_move(const struct decision *d)
{
	return d->moves < d->pol->cfg.knobs.max_moves;
}

static void put_spare(struct decision *d, u16 l)
{
	u16 spare = d->pol->spares[d->next_spare++];
	u16 old = d->plan->map.phys[l];

	tell(d, LANE_NOTE_REPLACE, old, spare, l, d->pol->track[old].state, 0);
	d->plan->map.phys[l] = spare;
	d->pol->need[l] = NEED_NONE;
	d->plan->replaced++;
	d->moves++;
}

/* Is the best spare left a better lane than the one that works in the place? */
static bool spare_better(const struct decision *d, u16 l)
{
	const struct lane_track *t = d->pol->track;
	u32 spare = t[d->pol->spares[d->next_spare]].ppb;

	return spare < t[d->plan->map.phys[l]].ppb || spare <= GOOD_PPB;
}

static void replace(struct decision *d, u8 need)
{
	u16 l;

	for (l = 0; l < d->plan->map.width; l++) {
		if (d->next_spare >= d->pol->nr_spares || !may_move(d))
			return;
		if (d->pol->need[l] != need)
			continue;
		if (need >= NEED_FORCED || need == NEED_ASKED || spare_better(d, l))
			put_spare(d, l);
	}
}

/* No lane of the map works and no good spare is left: anything that is lit. */
static void last_resort(struct decision *d)
{
	struct lane_policy *pol = d->pol;
	u16 i;

	for (i = 0; i < pol->cfg.shape.total; i++)
		if (!pol->track[i].in_map && !pol->track[i].off && !lane_rec_dark(&d->rec[i]))
			pol->spares[pol->nr_spares++] = i;
	if (pol->nr_spares) {
		replace(d, NEED_DARK);
		return;
	}
	pol->dark = true;
	if (!pol->told.dark)
		tell(d, LANE_NOTE_DARK, 0, 0, 0, pol->cfg.shape.total, 0);
}

/* Takes logical lanes that need at least @need out; the last ones move into their places. */
static void close_up(struct decision *d, u8 need)
{
	struct lane_map *map = &d->plan->map;
	u8 *needs = d->pol->need;
	u16 l = 0;

	for (;;) {
		while (map->width > 1 && needs[map->width - 1] >= need) {
			map->width--;
			d->plan->dropped++;
			tell(d, LANE_NOTE_DROP, map->phys[map->width], 0, map->width, 0, 0);
		}
		while (l < map->width && needs[l] < need)
			l++;
		if (l + 1 >= map->width || !may_move(d))
			return;
		map->width--;
		tell(d, LANE_NOTE_DROP, map->phys[l], 0, l, 0, 0);
		tell(d, LANE_NOTE_MOVE, map->phys[map->width], 0, l, map->width, 0);
		map->phys[l] = map->phys[map->width];
		needs[l] = needs[map->width];
		d->plan->dropped++;
		d->moves++;
	}
}

/* A plan to come back to. */
struct mark {
	u16 width, replaced, dropped, moves, next_spare, notes, lost;
	s16 margin;
};

/* queue[] is free here; it keeps the places that replace() and close_up() write. */
static void set_mark(struct decision *d, struct mark *m)
{
	const struct lane_plan *plan = d->plan;

	m->width = plan->map.width;
	m->replaced = plan->replaced;
	m->dropped = plan->dropped;
	m->moves = d->moves;
	m->next_spare = d->next_spare;
	m->notes = plan->notes.nr;
	m->lost = plan->notes.lost;
	m->margin = margin_of(d->pol, d->rec, &plan->map);
	memcpy(d->pol->queue, plan->map.phys, m->width * sizeof(plan->map.phys[0]));
}

static void go_back(struct decision *d, const struct mark *m)
{
	struct lane_plan *plan = d->plan;
	u16 l;

	memcpy(plan->map.phys, d->pol->queue, m->width * sizeof(plan->map.phys[0]));
	plan->map.width = m->width;
	plan->replaced = m->replaced;
	plan->dropped = m->dropped;
	d->moves = m->moves;
	d->next_spare = m->next_spare;
	plan->notes.nr = m->notes;
	plan->notes.lost = m->lost;
	for (l = 0; l < m->width; l++) {
		u16 lane = plan->map.phys[l];

		d->pol->need[l] = need_of(d->pol, &d->pol->track[lane], &d->rec[lane]);
	}
}

/*
 * Spares are out. Shrinks if that brings at least @gain lanes of margin, else puts
 * everything back.
 */
static bool shrink(struct decision *d, u8 need, s16 gain)
{
	struct mark m;

	set_mark(d, &m);
	close_up(d, need);
	if (margin_of(d->pol, d->rec, &d->plan->map) >= m.margin + gain)
		return true;
	go_back(d, &m);
	return false;
}

static void shrink_dark(struct decision *d)
{
	if (shrink(d, NEED_DARK, 0)) {
		d->pol->told.held = false;
		return;
	}
	if (!d->pol->told.held)
		tell(d, LANE_NOTE_HELD, 0, 0, 0, d->plan->map.width, count_dark(d));
	d->pol->told.held = true;
}

static bool by_then(struct decision *d, u64 at)
{
	if (d->now >= at)
		return true;
	if (at < d->plan->next_at)
		d->plan->next_at = at;
	return false;
}

/* May a change that could wait be made? */
static bool after_change(struct decision *d, u64 wait)
{
	if (d->pol->changed_at && !by_then(d, d->pol->changed_at + wait))
		return false;
	return by_then(d, d->pol->rested_at);
}

/* A lane that may serve for growth: good for all that is known. */
static bool grows_width(const struct decision *d)
{
	const struct lane_policy *pol = d->pol;

	return d->next_spare < pol->nr_spares &&
	       pol->track[pol->spares[d->next_spare]].ppb < pol->cfg.knobs.watch_ppb;
}

/* More width is worth some margin, but not the last of it. */
static bool growth_safe(const struct decision *d)
{
	s16 after = margin_of(d->pol, d->rec, &d->plan->map);

	return after >= d->plan->margin_now || after >= d->pol->cfg.knobs.margin_floor;
}

static void grow(struct decision *d)
{
	struct lane_map *map = &d->plan->map;
	u16 width = map->width, notes = d->plan->notes.nr, lost = d->plan->notes.lost;

	if (map->width >= d->pol->cfg.shape.data || !grows_width(d))
		return;
	if (!after_change(d, d->pol->cfg.knobs.grow_ns))
		return;
	while (map->width < d->pol->cfg.shape.data && grows_width(d) && may_move(d)) {
		u16 spare = d->pol->spares[d->next_spare++];

		tell(d, LANE_NOTE_GROW, spare, 0, map->width, 0, 0);
		map->phys[map->width++] = spare;
		d->plan->grown++;
		d->moves++;
	}
	if (growth_safe(d))
		return;
	map->width = width;
	d->plan->notes.nr = notes;
	d->plan->notes.lost = lost;
	d->plan->grown = 0;
}

/* When the next probation ends, or a cluster is complete, there may be something to do. */
static void wait_for_lanes(struct decision *d)
{
	u16 i;

	if (d->pol->cluster_due < d->plan->next_at)
		d->plan->next_at = d->pol->cluster_due;
	if (d->pol->losing)
		by_then(d, d->now + LOSING_POLL_NS);
	for (i = 0; i < d->pol->cfg.shape.total; i++) {
		const struct lane_track *t = &d->pol->track[i];

		if (t->state == LANE_QUARANTINED && t->until < d->plan->next_at)
			d->plan->next_at = t->until;
	}
}

/* Lanes that still work are replaced all together, or not at all if that costs margin. */
static void replace_calm(struct decision *d)
{
	struct mark m;

	set_mark(d, &m);
	replace(d, NEED_RUINED);
	replace(d, NEED_CALM);
	if (margin_of(d->pol, d->rec, &d->plan->map) < m.margin)
		go_back(d, &m);
}

/* A lane that works badly, and as badly as @limit wrong symbols in 10^9. */
static bool spoils(const struct decision *d, u16 l, u32 limit)
{
	u8 need = d->pol->need[l];

	return (need == NEED_RUINED || need == NEED_CALM) &&
	       d->pol->track[d->plan->map.phys[l]].ppb >= limit;
}

/* Would FEC read the link without the lanes that spoil it? */
static bool reads_without(const struct decision *d, u32 limit)
{
	struct lane_load load = { 0 };
	struct lane_margin m;
	u16 l;

	for (l = 0; l < d->plan->map.width; l++) {
		if (d->pol->need[l] == NEED_DARK || spoils(d, l, limit))
			continue;
		load.error_ppb += d->pol->track[d->plan->map.phys[l]].ppb;
		load.width++;
	}
	lane_margin_of(&d->pol->cfg.fec, &load, &m);
	return m.errors >= 0;
}

/* FEC reads the link without lanes of so many wrong symbols in 10^9; 0: it never does. */
static u32 readable_limit(const struct decision *d)
{
	u32 least = d->pol->cfg.knobs.retire_ppb, limit;

	for (limit = BILLION; limit > least; limit -= limit / 8 + 1)
		if (reads_without(d, limit))
			return limit;
	return reads_without(d, least) ? least : 0;
}

/*
 * Beyond FEC the link carries nothing, so lanes that make it so are given up, spares or
 * none: the worst ones, no more of them than it takes, and none if that is not enough. More
 * moves than one change may have take several.
 */
static void shrink_blind(struct decision *d)
{
	u8 *needs = d->pol->need;
	u32 limit;
	u16 l;

	if (margin_of(d->pol, d->rec, &d->plan->map) >= 0)
		return;
	limit = readable_limit(d);
	if (!limit)
		return;
	for (l = 0; l < d->plan->map.width; l++)
		if (spoils(d, l, limit))
			needs[l] = NEED_DARK;
		else if (needs[l] < NEED_FORCED)
			needs[l] = NEED_NONE;
	close_up(d, NEED_DARK);
}

static void mend(struct decision *d)
{
	replace(d, NEED_DARK);
	d->pol->dark = false;
	if (d->pol->manage && count_dark(d) == d->now_map->width)
		last_resort(d);
	d->pol->told.dark = d->pol->dark;
	replace(d, NEED_FORCED);
	replace(d, NEED_ASKED);
	if (d->wanting && after_change(d, d->pol->cfg.knobs.calm_ns))
		replace_calm(d);
	if (d->pol->blind && d->pol->manage && d->wanting)
		shrink_blind(d);
	if (d->next_spare < d->pol->nr_spares || d->pol->dark)
		return;
	if (d->forced)
		close_up(d, NEED_FORCED);
	/* A lit lane is given up only if the margin is short, and better without it. */
	if (d->plan->margin_now < d->pol->cfg.knobs.margin_floor && d->ruined &&
	    shrink(d, NEED_RUINED, 1))
		return;
	if (d->pol->manage && count_dark(d))
		shrink_dark(d);
}

void lane_policy_decide(struct lane_policy *pol, const struct lane_rec *rec,
			const struct lane_map *map, u64 now, struct lane_plan *plan)
{
	struct decision d = {
		.pol = pol, .rec = rec, .now_map = map, .plan = plan, .now = now,
	};

	plan->replaced = 0;
	plan->dropped = 0;
	plan->grown = 0;
	plan->next_at = LANE_NEVER;
	plan->notes.nr = 0;
	plan->notes.lost = 0;
	lane_map_copy(&plan->map, map);
	plan->map.generation = 0;
	plan->margin_now = margin_of(pol, rec, map);

	find_needs(&d);
	lane_policy_rank_spares(pol, rec);
	mend(&d);
	plan->pending = count_dark(&d);
	if (!plan->pending && pol->manage && !d.forced)
		grow(&d);
	wait_for_lanes(&d);

	plan->change = !lane_map_same(&plan->map, map);
	plan->margin_then = plan->change ? margin_of(pol, rec, &plan->map) : plan->margin_now;
	if (plan->map.width != map->width)
		tell(&d, LANE_NOTE_WIDTH, 0, 0, 0, map->width, plan->map.width);
	if (plan->margin_then != plan->margin_now)
		tell(&d, LANE_NOTE_MARGIN, 0, 0, 0, (s32)plan->margin_now, (s32)plan->margin_then);
}
