// SPDX-License-Identifier: GPL-2.0
/*
 * Taking the lane table in: evidence, verdicts, and the steps of the lanes' states.
 */
#include "policy.h"
#include "rate.h"

#define BILLION			1000000000ULL
#define WINDOW_MBITS		16384u		/* evidence older than this counts half */
#define MBIT			1048576u
#define TEST_TRIES		3

static u64 symbols_of(const struct lane_policy *pol, u32 mbits)
{
	return lane_div64((u64)mbits * MBIT, pol->cfg.fec.symbol_bits);
}

/* ---- evidence ---- */

static void add_evidence(const struct lane_policy *pol, struct lane_track *t, u32 mbits, u64 errors)
{
	u64 symbols;

	if (mbits > WINDOW_MBITS) {
		t->win_mbits = 0;	/* all that came before is old */
		t->win_errors = 0;
		errors = lane_div64(errors, mbits / WINDOW_MBITS + 1);
		mbits = mbits / (mbits / WINDOW_MBITS + 1);
	}
	while (t->win_mbits + mbits > WINDOW_MBITS) {
		t->win_mbits /= 2;
		t->win_errors /= 2;
	}
	t->win_mbits += mbits;
	symbols = symbols_of(pol, t->win_mbits);
	t->win_errors += min(errors, symbols);
	if (t->win_errors > symbols)
		t->win_errors = symbols;
	t->ppb = symbols ? lane_div64(t->win_errors * BILLION, symbols) : 0;
}

static void update_evidence(const struct lane_policy *pol, struct lane_track *t,
			    const struct lane_rec *rec)
{
	u32 mbits = rec->mbits - t->mbits;
	u64 errors = rec->sym_errors - t->errors;

	/* Counters went back: the card was reset, begin anew. */
	if (rec->mbits < t->mbits || rec->sym_errors < t->errors) {
		mbits = 0;
		errors = 0;
		t->win_mbits = 0;
		t->win_errors = 0;
	}
	/* Cards before version 1.2 stop counting bits there, and go on with errors. */
	if (rec->mbits == ~0u && !mbits)
		errors = 0;
	t->mbits = rec->mbits;
	t->errors = rec->sym_errors;
	add_evidence(pol, t, mbits, errors);
}

void lane_policy_forget(struct lane_track *t)
{
	t->win_mbits = 0;
	t->win_errors = 0;
	t->ppb = 0;
	t->verdict = LANE_EV_NONE;
}

/* ---- verdicts ---- */

/* Is it good enough to be sure of it? Half the limit, so that a lane on the limit doesn't swing. */
static bool clean(const struct lane_policy *pol, const struct lane_track *t)
{
	u32 watch = pol->cfg.knobs.watch_ppb, low, high;

	if (!t->win_mbits || t->ppb >= watch / 2)
		return false;
	lane_rate_interval(t->win_errors, symbols_of(pol, t->win_mbits), &low, &high);
	return high < watch;
}

/* Only a state that takes good news has to be sure of it. */
static bool wants_news(const struct lane_track *t)
{
	return t->state == LANE_WATCH || t->state == LANE_RETIRING ||
	       (t->state == LANE_FAILED && t->ruined);
}

/*
 * What the error rate of a lit lane says; LANE_EV_NONE: not enough evidence, or nothing
 * new. To be watched the rate as it was counted is enough; to lose its place a lane must be past
 * the limit with confidence.
 */
static u8 error_verdict(const struct lane_policy *pol, const struct lane_track *t,
			const struct lane_rec *rec)
{
	const struct lane_knobs *k = &pol->cfg.knobs;
	u32 low, high;

	if (t->win_errors < k->min_errors || t->ppb < k->watch_ppb) {
		if (rec->flags & PNIC_LANEF_SER)
			return LANE_EV_DRIFT;
		return wants_news(t) && clean(pol, t) ? LANE_EV_CLEAN : LANE_EV_NONE;
	}
	if (t->ppb < k->retire_ppb)
		return LANE_EV_DRIFT;
	lane_rate_interval(t->win_errors, symbols_of(pol, t->win_mbits), &low, &high);
	if (low >= k->fail_ppb)
		return LANE_EV_RUINED;
	return low >= k->retire_ppb ? LANE_EV_ERRORS : LANE_EV_DRIFT;
}

/* The trend's verdict stands there already; the worse of the two counts. */
static void add_verdict(const struct lane_policy *pol, struct lane_track *t,
			const struct lane_rec *rec)
{
	u8 errors = error_verdict(pol, t, rec);

	if (errors == LANE_EV_RUINED || errors == LANE_EV_ERRORS || !t->verdict)
		t->verdict = errors;
	else if (errors == LANE_EV_DRIFT && t->verdict == LANE_EV_FADE)
		t->verdict = errors;
}

/* ---- steps ---- */

/* Each loss doubles the time before the lane may carry traffic again. */
static u64 probation(const struct lane_knobs *k, u16 losses)
{
	u64 ns = k->quarantine_ns;

	while (losses-- > 1 && ns && ns < k->quarantine_max_ns)
		ns *= 2;
	return min(ns, k->quarantine_max_ns);
}

static void count_loss(struct lane_track *t)
{
	if (t->losses < 0xffff)
		t->losses++;
}

/* What it suffers all lanes suffer: no dirt on it, and no reason to keep away from it. */
static bool with_all(const struct lane_policy *pol, const struct lane_track *t)
{
	return pol->common && !t->own;
}

static void set_aside(struct lane_policy *pol, struct lane_track *t, u8 event, u64 now)
{
	switch (event) {
	case LANE_EV_BACK:	/* counted when it was lost */
	case LANE_EV_ON:
		break;
	case LANE_EV_STOPPED:	/* on the probation that it had */
		return;
	default:
		/* That an administrator had it replaced is no fault of its own. */
		if (!t->asked)
			count_loss(t);
	}
	t->asked = false;
	t->until = now + probation(&pol->cfg.knobs, t->losses);
	if (!t->bad_at && !with_all(pol, t))
		t->bad_at = now;
	lane_policy_forget(t);
}

static void entered(struct lane_policy *pol, struct lane_track *t, u8 event, u64 now)
{
	t->test = LANE_TEST_NONE;
	switch (t->state) {
	case LANE_RETIRING:
		t->bad_at = with_all(pol, t) ? 0 : now;
		break;
	case LANE_FAILED:
		t->lost_at = now;
		t->blamed = event == LANE_EV_LOST && t->losses < 0xffff;
		t->ruined = event == LANE_EV_RUINED;
		t->bad_at = t->ruined && with_all(pol, t) ? 0 : now;
		count_loss(t);
		break;
	case LANE_QUARANTINED:
		set_aside(pol, t, event, now);
		break;
	case LANE_TESTING:
		t->test = LANE_TEST_WANTED;
		t->test_tries = 0;
		break;
	case LANE_SPARE:
		t->bad_at = 0;
		t->clustered = false;
		t->forced = false;
		if (event == LANE_EV_PROVEN || event == LANE_EV_PASSED)
			lane_policy_forget(t);
		break;
	case LANE_ACTIVE:
		t->bad_at = 0;
		t->clustered = false;
		break;
	}
}

static void note_step(const struct lane_track *t, u16 lane, u8 from, u8 event, u8 actor,
		      struct lane_notes *notes, u64 now)
{
	struct lane_note note = {
		.at = now,
		.code = LANE_NOTE_STATE,
		.actor = actor,
		.lane = lane,
		.logical = event,
		.a = from,
		.b = t->state,
		.c = t->ppb,
		.d = min(t->win_errors, ~0u),
	};

	if (event == LANE_EV_TREND || event == LANE_EV_FADE) {
		note.c = t->trend_cdb_h;
		note.d = t->limit_s;
	}
	lane_notes_add(notes, &note);
}

bool lane_policy_step(struct lane_policy *pol, u16 lane, u8 event, u8 actor,
		      struct lane_notes *notes, u64 now)
{
	struct lane_track *t = &pol->track[lane], seen;
	u8 from = t->state;

	t->state = lane_state_next(from, event);
	if (t->state == from)
		return false;
	/* The evidence that it rests on may be forgotten by it. */
	seen = *t;
	entered(pol, t, event, now);
	/* Going in and out of use is told by the map change itself. */
	if (event == LANE_EV_MAPPED ||
	    (event == LANE_EV_UNMAPPED && t->state == LANE_SPARE))
		return true;
	note_step(&seen, lane, from, event, actor, notes, now);
	return true;
}

static bool light_back(const struct lane_track *t, const struct lane_rec *rec)
{
	if (t->state != LANE_FAILED || lane_rec_dark(rec))
		return false;
	/* A ruined lane was never dark: its probation begins when it is out of use. */
	return !t->ruined || !t->in_map;
}

/*
 * Does the verdict count? Not if all lanes move together, unless this one moves more, or the
 * link can't be read with it.
 */
static bool heeded(const struct lane_policy *pol, const struct lane_track *t)
{
	if (t->verdict == LANE_EV_CLEAN && t->state == LANE_RETIRING && (t->asked || t->known_bad))
		return false;
	return t->verdict &&
	       (!pol->common || pol->blind || t->own || t->verdict == LANE_EV_CLEAN);
}

/* A lane on probation that is over, or under a test that gives no result. */
static void go_on(struct lane_policy *pol, u16 lane, const struct lane_rec *rec,
		  struct lane_notes *notes, u64 now)
{
	struct lane_track *t = &pol->track[lane];

	if (t->state == LANE_QUARANTINED && now >= t->until)
		lane_policy_step(pol, lane, pol->can_test ? LANE_EV_TEST : LANE_EV_PROVEN,
				 LANE_ACTOR_POLICY, notes, now);
	if (t->state != LANE_TESTING || t->test == LANE_TEST_WANTED)
		return;
	if (rec->flags & PNIC_LANEF_TESTING) {
		t->test = LANE_TEST_RUNNING;
	} else if (t->test == LANE_TEST_RUNNING) {
		t->test = LANE_TEST_GONE;
	} else {
		/* Its result went astray: once more. */
		lane_policy_test_started(pol, lane, false, notes, now);
	}
}

static void step_lane(struct lane_policy *pol, u16 lane, const struct lane_rec *rec,
		      struct lane_notes *notes, u64 now)
{
	struct lane_track *t = &pol->track[lane];
	u8 actor = LANE_ACTOR_POLICY;
	bool first = false;

	if (!t->state) {
		t->state = t->in_map ? LANE_ACTIVE : LANE_SPARE;
		first = true;
	}
	if (rec->state == PNIC_LANE_OFF || t->off)
		lane_policy_step(pol, lane, LANE_EV_OFF, actor, notes, now);
	else if (t->state == LANE_DISABLED)
		lane_policy_step(pol, lane, LANE_EV_ON, actor, notes, now);
	if (rec->state == PNIC_LANE_LOS)
		lane_policy_step(pol, lane, LANE_EV_LOST, actor, notes, now);
	else if (light_back(t, rec))
		lane_policy_step(pol, lane, LANE_EV_BACK, actor, notes, now);
	lane_policy_step(pol, lane, t->in_map ? LANE_EV_MAPPED : LANE_EV_UNMAPPED, actor, notes,
			 now);
	if (t->in_map && (t->known_bad || t->asked))
		lane_policy_step(pol, lane, LANE_EV_ASKED, actor, notes, now);
	if (!lane_rec_dark(rec) && heeded(pol, t))
		lane_policy_step(pol, lane, t->verdict, actor, notes, now);
	go_on(pol, lane, rec, notes, now);
	/* Nobody knows when it was lost, nor whether it had locked before it was looked at. */
	if (first) {
		t->lost_at = 0;
		t->bad_at = 0;
		t->losses -= t->blamed;
		t->blamed = false;
	}
}

/*
 * No lane shines: a cut, or the far end is off. Losses of that moment are not the lanes' own, and
 * must not look like it in the record of the cable.
 */
static void forgive_cut(struct lane_policy *pol, const struct lane_rec *rec, u64 now)
{
	u16 i;

	for (i = 0; i < pol->cfg.shape.total; i++)
		if (!lane_rec_dark(&rec[i]))
			return;
	for (i = 0; i < pol->cfg.shape.total; i++) {
		struct lane_track *t = &pol->track[i];

		if (t->blamed && now - t->lost_at <= pol->cfg.knobs.cluster_ns)
			t->losses--;
		t->blamed = false;
	}
}

void lane_policy_observe(struct lane_policy *pol, const struct lane_rec *rec,
			 const struct lane_map *map, struct lane_notes *notes, u64 now)
{
	u16 i;

	for (i = 0; i < pol->cfg.shape.total; i++) {
		pol->track[i].in_map = false;
		update_evidence(pol, &pol->track[i], &rec[i]);
	}
	for (i = 0; i < map->width; i++)
		pol->track[map->phys[i]].in_map = true;
	lane_policy_trends(pol, rec, now);
	for (i = 0; i < pol->cfg.shape.total; i++) {
		if (lane_rec_dark(&rec[i]))
			continue;
		if (pol->blind)
			lane_policy_by_light(pol, &pol->track[i], rec[i].power_cdb);
		else
			add_verdict(pol, &pol->track[i], &rec[i]);
	}
	lane_policy_common(pol, rec, map, notes, now);
	for (i = 0; i < pol->cfg.shape.total; i++)
		step_lane(pol, i, &rec[i], notes, now);
	forgive_cut(pol, rec, now);
	lane_policy_clusters(pol, rec, notes, now);
}

/* ---- tests ---- */

void lane_policy_test_started(struct lane_policy *pol, u16 lane, bool ok,
			      struct lane_notes *notes, u64 now)
{
	struct lane_track *t = &pol->track[lane];

	if (t->state != LANE_TESTING)
		return;
	t->test = ok ? LANE_TEST_RUNNING : LANE_TEST_WANTED;
	if (ok || ++t->test_tries < TEST_TRIES)
		return;
	/* A card that can't must not cost the lane. */
	lane_policy_step(pol, lane, now >= t->until ? LANE_EV_PROVEN : LANE_EV_STOPPED,
			 LANE_ACTOR_POLICY, notes, now);
}

/* So few wrong bits that the lane is below the watch limit with confidence. */
static bool test_good(const struct lane_policy *pol, u64 errors, u64 bits)
{
	u32 low, high;

	/* One wrong bit is one wrong symbol at most. */
	lane_rate_interval(errors, lane_div64(bits, pol->cfg.fec.symbol_bits), &low, &high);
	return high < pol->cfg.knobs.watch_ppb;
}

void lane_policy_tested(struct lane_policy *pol, u16 lane, u64 errors, u64 bits,
			struct lane_notes *notes, u64 now)
{
	struct lane_track *t = &pol->track[lane];
	struct lane_note note = { .at = now, .code = LANE_NOTE_TESTED, .lane = lane };
	u64 mbits = lane_div64(bits, MBIT);
	u8 event;

	t->test_errors = errors;
	t->test_bits = bits;
	if (t->state != LANE_TESTING)
		return;
	note.a = min(errors, ~0u);
	note.b = min(mbits, ~0u);
	note.c = test_good(pol, errors, bits);
	lane_notes_add(notes, &note);
	event = note.c ? LANE_EV_PASSED : LANE_EV_FLUNKED;
	/* Asked for by a person, in the middle of its probation. */
	if (note.c && now < t->until)
		event = LANE_EV_STOPPED;
	lane_policy_step(pol, lane, event, LANE_ACTOR_POLICY, notes, now);
}
