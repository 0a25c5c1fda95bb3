// SPDX-License-Identifier: GPL-2.0
/*
 * The lane policy: takes in the lane table, decides on the next map.
 */
#include "policy.h"

#define BILLION			1000000000ULL
#define WINDOW_MBITS		16384u		/* evidence older than this counts half */
#define MBIT			1048576u

/* How badly a logical lane needs another physical one. */
enum lane_need {
	NEED_NONE,
	NEED_CALM,		/* works, but retiring */
	NEED_RUINED,		/* lit, more harm than use */
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
	       k->common_pct <= 100 && k->max_moves &&
	       k->quarantine_ns <= k->quarantine_max_ns;
}

void lane_policy_init(struct lane_policy *pol, const struct lane_policy_cfg *cfg)
{
	pol->cfg = *cfg;
	pol->changed_at = 0;
	pol->cluster_at = 0;
	pol->cluster_size = 0;
	pol->common = false;
	pol->dark = false;
	pol->held = false;
	pol->nr_spares = 0;
	memset(pol->track, 0, cfg->shape.total * sizeof(pol->track[0]));
}

void lane_policy_changed(struct lane_policy *pol, u64 now)
{
	pol->changed_at = now;
}

/* ---- observing ---- */

static void update_evidence(struct lane_track *t, const struct lane_rec *rec, u8 symbol_bits)
{
	u32 mbits = rec->mbits - t->mbits;
	u64 errors = rec->sym_errors - t->errors;
	u64 symbols;

	/* Counters went back: the card was reset, begin anew. */
	if (rec->mbits < t->mbits || rec->sym_errors < t->errors) {
		mbits = 0;
		errors = 0;
		t->win_mbits = 0;
		t->win_errors = 0;
	}
	t->mbits = rec->mbits;
	t->errors = rec->sym_errors;

	if (mbits > WINDOW_MBITS) {
		t->win_mbits = 0;	/* all that came before is old */
		t->win_errors = 0;
		errors = lane_div64(errors, mbits / WINDOW_MBITS + 1);
		mbits = lane_div64(mbits, mbits / WINDOW_MBITS + 1);
	}
	while (t->win_mbits + mbits > WINDOW_MBITS) {
		t->win_mbits /= 2;
		t->win_errors /= 2;
	}
	t->win_mbits += mbits;
	symbols = lane_div64((u64)t->win_mbits * MBIT, symbol_bits);
	t->win_errors += errors < symbols ? errors : symbols;
	if (t->win_errors > symbols)
		t->win_errors = symbols;
	t->ppb = symbols ? lane_div64(t->win_errors * BILLION, symbols) : 0;
}

static void note_state(struct lane_notes *notes, u16 lane, u8 from, u8 to, u8 event, u64 now)
{
	struct lane_note note = {
		.at = now,
		.code = LANE_NOTE_STATE,
		.lane = lane,
		.logical = event,
		.a = from,
		.b = to,
	};

	lane_notes_add(notes, &note);
}

/* Each loss doubles the time before the lane may carry traffic again. */
static u64 probation(const struct lane_knobs *k, u16 losses)
{
	u64 ns = k->quarantine_ns;

	while (losses-- > 1 && ns < k->quarantine_max_ns)
		ns *= 2;
	return ns < k->quarantine_max_ns ? ns : k->quarantine_max_ns;
}

/* What was counted before is no evidence any more. */
static void forget_evidence(struct lane_track *t)
{
	t->win_mbits = 0;
	t->win_errors = 0;
	t->ppb = 0;
}

static void entered(struct lane_policy *pol, struct lane_track *t, u8 event, u64 now)
{
	switch (t->state) {
	case LANE_FAILED:
		t->lost_at = now;
		t->ruined = event == LANE_EV_RUINED;
		if (t->losses < 0xffff)
			t->losses++;
		break;
	case LANE_QUARANTINED:
		/* Light that is back was counted when it was lost. */
		if (event != LANE_EV_BACK && event != LANE_EV_ON && t->losses < 0xffff)
			t->losses++;
		t->until = now + probation(&pol->cfg.knobs, t->losses);
		forget_evidence(t);
		break;
	case LANE_SPARE:
		if (event == LANE_EV_PROVEN)
			forget_evidence(t);
		break;
	}
}

static void lane_step(struct lane_policy *pol, u16 lane, u8 event, struct lane_notes *notes,
		      u64 now)
{
	struct lane_track *t = &pol->track[lane];
	u8 from = t->state;

	t->state = lane_state_next(from, event);
	if (t->state == from)
		return;
	entered(pol, t, event, now);
	/* Going in and out of use is told by the map change itself. */
	if (event == LANE_EV_MAPPED ||
	    (event == LANE_EV_UNMAPPED && t->state == LANE_SPARE))
		return;
	note_state(notes, lane, from, t->state, event, now);
}

/* What the error rate of a lit lane says; LANE_EV_NONE: not enough evidence, or nothing new. */
static u8 error_event(const struct lane_knobs *k, const struct lane_track *t,
		      const struct lane_rec *rec)
{
	if (t->win_errors < k->min_errors || t->ppb < k->watch_ppb) {
		if (rec->flags & PNIC_LANEF_SER)
			return LANE_EV_DRIFT;
		/* Half the limit, so that a lane on the limit doesn't swing. */
		return t->win_mbits && t->ppb < k->watch_ppb / 2 ? LANE_EV_CLEAN : LANE_EV_NONE;
	}
	if (t->ppb >= k->fail_ppb)
		return LANE_EV_RUINED;
	return t->ppb >= k->retire_ppb ? LANE_EV_ERRORS : LANE_EV_DRIFT;
}

static bool light_back(const struct lane_track *t, const struct lane_rec *rec)
{
	if (t->state != LANE_FAILED || lane_rec_dark(rec))
		return false;
	/* A ruined lane was never dark: its probation begins when it is out of use. */
	return !t->ruined || !t->in_map;
}

static void observe_lane(struct lane_policy *pol, u16 lane, const struct lane_rec *rec,
			 struct lane_notes *notes, u64 now)
{
	const struct lane_knobs *k = &pol->cfg.knobs;
	struct lane_track *t = &pol->track[lane];
	bool first = false;

	update_evidence(t, rec, pol->cfg.fec.symbol_bits);
	if (!t->state) {
		t->state = t->in_map ? LANE_ACTIVE : LANE_SPARE;
		first = true;
	}
	if (rec->state == PNIC_LANE_OFF)
		lane_step(pol, lane, LANE_EV_OFF, notes, now);
	else if (t->state == LANE_DISABLED)
		lane_step(pol, lane, LANE_EV_ON, notes, now);
	if (rec->state == PNIC_LANE_LOS)
		lane_step(pol, lane, LANE_EV_LOST, notes, now);
	else if (light_back(t, rec))
		lane_step(pol, lane, LANE_EV_BACK, notes, now);
	lane_step(pol, lane, t->in_map ? LANE_EV_MAPPED : LANE_EV_UNMAPPED, notes, now);
	if (!lane_rec_dark(rec))
		lane_step(pol, lane, error_event(k, t, rec), notes, now);
	if (t->state == LANE_QUARANTINED && now >= t->until)
		lane_step(pol, lane, LANE_EV_PROVEN, notes, now);
	/* Nobody knows when it was lost. */
	if (first)
		t->lost_at = 0;
}

void lane_policy_observe(struct lane_policy *pol, const struct lane_rec *rec,
			 const struct lane_map *map, struct lane_notes *notes, u64 now)
{
	u16 i;

	for (i = 0; i < pol->cfg.shape.total; i++)
		pol->track[i].in_map = false;
	for (i = 0; i < map->width; i++)
		pol->track[map->phys[i]].in_map = true;
	for (i = 0; i < pol->cfg.shape.total; i++)
		observe_lane(pol, i, &rec[i], notes, now);
	lane_policy_clusters(pol, rec, notes, now);
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

	if (notes->nr + SUMMARY_NOTES < LANE_NOTES_MAX || code == LANE_NOTE_WIDTH ||
	    code == LANE_NOTE_MARGIN)
		lane_notes_add(notes, &note);
	else
		notes->lost++;
}

static u8 need_of(const struct lane_track *t, const struct lane_rec *rec)
{
	if (lane_rec_dark(rec))
		return NEED_DARK;
	if (t->state == LANE_FAILED)
		return NEED_RUINED;
	return t->state == LANE_RETIRING ? NEED_CALM : NEED_NONE;
}

static void find_needs(struct decision *d)
{
	struct lane_policy *pol = d->pol;
	u16 bad = 0, l;

	for (l = 0; l < d->now_map->width; l++) {
		u16 lane = d->now_map->phys[l];

		pol->need[l] = need_of(&pol->track[lane], &d->rec[lane]);
		d->wanting += pol->need[l] == NEED_RUINED || pol->need[l] == NEED_CALM;
		d->ruined += pol->need[l] == NEED_RUINED;
		bad += pol->need[l] != NEED_DARK &&
		       (pol->need[l] != NEED_NONE || pol->track[lane].state == LANE_WATCH);
	}
	/* Most lanes moved together: spares would be no better, and soon gone. */
	if (bad < 2 || bad * 100u < pol->cfg.knobs.common_pct * (u32)d->now_map->width) {
		pol->common = false;
		return;
	}
	if (!pol->common)
		tell(d, LANE_NOTE_COMMON, 0, 0, 0, bad, d->now_map->width);
	pol->common = true;
	d->wanting = 0;
	d->ruined = 0;
	for (l = 0; l < d->now_map->width; l++)
		if (pol->need[l] != NEED_DARK)
			pol->need[l] = NEED_NONE;
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

	return t[d->pol->spares[d->next_spare]].ppb < t[d->plan->map.phys[l]].ppb;
}

static void replace(struct decision *d, u8 need)
{
	u16 l;

	for (l = 0; l < d->plan->map.width; l++) {
		if (d->next_spare >= d->pol->nr_spares || !may_move(d))
			return;
		if (d->pol->need[l] != need)
			continue;
		if (need == NEED_DARK || spare_better(d, l))
			put_spare(d, l);
	}
}

/* No lane of the map works and no good spare is left: anything that is lit. */
static void last_resort(struct decision *d)
{
	struct lane_policy *pol = d->pol;
	u16 i;

	for (i = 0; i < pol->cfg.shape.total; i++)
		if (!pol->track[i].in_map && !lane_rec_dark(&d->rec[i]))
			pol->spares[pol->nr_spares++] = i;
	if (pol->nr_spares) {
		replace(d, NEED_DARK);
		return;
	}
	if (!pol->dark)
		tell(d, LANE_NOTE_DARK, 0, 0, 0, pol->cfg.shape.total, 0);
	pol->dark = true;
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

/*
 * Spares are out. Shrinks if that brings at least @gain lanes of margin, else puts
 * everything back.
 */
static bool shrink(struct decision *d, u8 need, s16 gain)
{
	struct lane_plan *plan = d->plan;
	u16 width = plan->map.width, dropped = plan->dropped, moves = d->moves;
	u16 notes = plan->notes.nr, lost = plan->notes.lost;
	s16 before = margin_of(d->pol, d->rec, &plan->map);
	s16 after;
	u16 l;

	/* The places below are all that close_up() writes; queue[] is free here. */
	for (l = 0; l < width; l++)
		d->pol->queue[l] = plan->map.phys[l];
	close_up(d, need);
	after = margin_of(d->pol, d->rec, &plan->map);
	if (after >= before + gain)
		return true;
	for (l = 0; l < width; l++)
		plan->map.phys[l] = d->pol->queue[l];
	plan->map.width = width;
	plan->dropped = dropped;
	plan->notes.nr = notes;
	plan->notes.lost = lost;
	d->moves = moves;
	for (l = 0; l < width; l++)
		d->pol->need[l] = need_of(&d->pol->track[plan->map.phys[l]],
					  &d->rec[plan->map.phys[l]]);
	return false;
}

static void shrink_dark(struct decision *d)
{
	if (shrink(d, NEED_DARK, 0)) {
		d->pol->held = false;
		return;
	}
	if (!d->pol->held)
		tell(d, LANE_NOTE_HELD, 0, 0, 0, d->plan->map.width, count_dark(d));
	d->pol->held = true;
}

static bool after_change(struct decision *d, u64 wait)
{
	u64 at = d->pol->changed_at + wait;

	if (!d->pol->changed_at || d->now >= at)
		return true;
	if (at < d->plan->next_at)
		d->plan->next_at = at;
	return false;
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
	u16 width = map->width, notes = d->plan->notes.nr;

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
	d->plan->grown = 0;
}

/* When the next probation ends there may be something to do. */
static void wait_for_probation(struct decision *d)
{
	u16 i;

	for (i = 0; i < d->pol->cfg.shape.total; i++) {
		const struct lane_track *t = &d->pol->track[i];

		if (t->state == LANE_QUARANTINED && t->until < d->plan->next_at)
			d->plan->next_at = t->until;
	}
}

static void mend(struct decision *d)
{
	replace(d, NEED_DARK);
	if (count_dark(d) == d->now_map->width)
		last_resort(d);
	else
		d->pol->dark = false;
	if (d->wanting && after_change(d, d->pol->cfg.knobs.calm_ns)) {
		replace(d, NEED_RUINED);
		replace(d, NEED_CALM);
	}
	if (d->next_spare < d->pol->nr_spares || d->pol->dark)
		return;
	/* A lit lane is given up only if the margin is short, and better without it. */
	if (d->plan->margin_now < d->pol->cfg.knobs.margin_floor && d->ruined &&
	    shrink(d, NEED_RUINED, 1))
		return;
	if (count_dark(d))
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
	if (!plan->pending)
		grow(&d);
	wait_for_probation(&d);

	plan->change = !lane_map_same(&plan->map, map);
	plan->margin_then = plan->change ? margin_of(pol, rec, &plan->map) : plan->margin_now;
	if (plan->map.width != map->width)
		tell(&d, LANE_NOTE_WIDTH, 0, 0, 0, map->width, plan->map.width);
	if (plan->margin_then != plan->margin_now)
		tell(&d, LANE_NOTE_MARGIN, 0, 0, 0, (s32)plan->margin_now, (s32)plan->margin_then);
}
