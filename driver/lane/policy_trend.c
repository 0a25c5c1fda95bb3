// SPDX-License-Identifier: GPL-2.0
/*
 * Trends of the lanes' power and quality: which lane will err too much, and when.
 *
 * A lane's power against the median of all lanes, and the Q that its error rate stands
 * for, each go through running means of seven time constants. On a ramp the mean
 * of time constant T lags by T times its slope, so two neighbouring means tell the slope
 * that is seen at their time scale; it is believed as far ahead as it has been seen.
 * What a step leaves in them is too small to reach far.
 */
#include "policy.h"
#include "rate.h"

#define BILLION			1000000000ULL
#define MS			1000000ULL
#define MBIT			1048576u
#define FRACTION		256
#define SAMPLE_NS		(10 * MS)	/* the shortest time between samples */
#define SAMPLE_MS_MAX		1000000000u
#define BASE_S			65536u		/* memory of what the median was: 18 hours */
#define STEP_MIN		20		/* less than 0.2 dB is noise of the power reading */
#define SHOWN_MIN		5
#define AHEAD			2		/* believed for so many time constants */
#define DWELL_MBITS		512u		/* evidence that tells how far the limit is */

static u32 level_s(u16 level)
{
	return 1u << (2 * level);
}

/* ---- the median ---- */

#define BIN_CDB			2
#define BINS			LANE_SPARE_KEYS

static u32 bin_of(s32 cdb)
{
	s32 bin = cdb / BIN_CDB + BINS / 2;

	return bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin;
}

/* Of all lit lanes; 0 if there is none. */
static s32 median_power(struct lane_policy *pol, const struct lane_rec *rec)
{
	u32 lit = 0, seen = 0, bin;
	u16 i;

	memset(pol->keys, 0, sizeof(pol->keys));
	for (i = 0; i < pol->cfg.shape.total; i++) {
		if (lane_rec_dark(&rec[i]))
			continue;
		pol->keys[bin_of(rec[i].power_cdb)]++;
		lit++;
	}
	if (!lit)
		return 0;
	for (bin = 0; bin < BINS - 1; bin++) {
		seen += pol->keys[bin];
		if (seen * 2 > lit)
			break;
	}
	return ((s32)bin - BINS / 2) * BIN_CDB;
}

/* ---- one lane ---- */

/* @weight of 65536 parts. */
static u32 part_of(u32 whole, u32 weight)
{
	return ((u64)whole * weight) >> 16;
}

/* A running mean that has taken in @x with @weight of 65536. */
static s32 mix(s32 mean, s32 x, u32 weight)
{
	if (x < mean)
		return mean - (s32)part_of(mean - x, weight);
	return mean + (s32)part_of(x - mean, weight);
}

static void feed(struct lane_trend *tr, s32 cdb, const u32 *weight)
{
	s32 x = cdb * FRACTION;
	u16 k;

	for (k = 0; k < LANE_TREND_LEVELS; k++)
		tr->mean[k] = tr->known ? mix(tr->mean[k], x, weight[k]) : x;
	tr->known = true;
}

/*
 * Seconds until @room is used up by a slope that is believed for @ahead of its time
 * scale; ~0: none gets there.
 */
static u32 reaches(const struct lane_trend *tr, s32 room, u32 ahead)
{
	u32 soonest = ~0u;
	u16 k;

	if (!tr->known)
		return ~0u;
	for (k = 0; k + 1 < LANE_TREND_LEVELS; k++) {
		s32 fall = (tr->mean[k + 1] - tr->mean[k]) / FRACTION;
		u32 s;

		if (fall < STEP_MIN)
			continue;
		s = room > 0 ? (u32)room * (level_s(k + 1) - level_s(k)) / (u32)fall : 0;
		if (s <= ahead * level_s(k + 1) && s < soonest)
			soonest = s;
	}
	return soonest;
}

/* Of power and of quality, whichever is sooner. */
static u32 either(const struct lane_track *t, s32 room, u32 ahead)
{
	return min(reaches(&t->power, room, ahead), reaches(&t->quality, room, ahead));
}

/* The slope at the longest time scale that shows any. */
static s32 slope_cdb_h(const struct lane_trend *tr)
{
	u16 k;

	if (!tr->known)
		return 0;
	for (k = LANE_TREND_LEVELS - 1; k-- > 0;) {
		s32 step = (tr->mean[k] - tr->mean[k + 1]) / FRACTION;

		if (step >= SHOWN_MIN || step <= -SHOWN_MIN)
			return step * 1200 / (s32)level_s(k);
	}
	return 0;
}

/* How much Q a lane can lose, 0.01 dB, by what was counted if it is enough, else by its power. */
static s32 room_of(const struct lane_policy *pol, const struct lane_track *t, s16 power_cdb)
{
	s32 limit = lane_rate_q(pol->cfg.knobs.retire_ppb);
	u32 low, high;
	u64 symbols;

	if (t->win_mbits < DWELL_MBITS)
		return lane_rate_q(LANE_NOMINAL_PPB) + power_cdb - limit;
	symbols = lane_div64((u64)t->win_mbits * MBIT, pol->cfg.fec.symbol_bits);
	lane_rate_interval(t->win_errors, symbols, &low, &high);
	return lane_rate_q(high) - limit;
}

/* Falls so much that it is worth looking closer. */
static bool falling(const struct lane_trend *tr)
{
	u16 k;

	for (k = 0; tr->known && k + 1 < LANE_TREND_LEVELS; k++)
		if (tr->mean[k + 1] - tr->mean[k] >= STEP_MIN * FRACTION)
			return true;
	return false;
}

static void judge(struct lane_policy *pol, struct lane_track *t, s16 power_cdb)
{
	u64 horizon = lane_div64(pol->cfg.knobs.horizon_ns, BILLION);
	u32 seconds = min(horizon, ~0u / 4);
	s32 room;

	t->limit_s = ~0u;
	t->trend_cdb_h = slope_cdb_h(&t->power);
	if (!pol->cfg.knobs.horizon_ns || (!falling(&t->power) && !falling(&t->quality)))
		return;
	room = room_of(pol, t, power_cdb);
	t->limit_s = either(t, room, 2 * AHEAD);
	if (either(t, room, AHEAD) <= seconds)
		t->verdict = LANE_EV_TREND;
	else if (t->limit_s <= 2 * seconds)
		t->verdict = LANE_EV_FADE;
}

/* How much more than all lanes together it has lost, 0.01 dB. */
static s32 own_loss(const struct lane_trend *tr, s32 now)
{
	return tr->known ? tr->mean[LANE_TREND_LEVELS - 1] / FRACTION - now : 0;
}

static void sample_lane(struct lane_policy *pol, struct lane_track *t, const struct lane_rec *rec)
{
	s32 power = rec->power_cdb - pol->median;

	t->own = own_loss(&t->power, power) >= pol->cfg.knobs.common_cdb;
	feed(&t->power, power, pol->weight);
	/* All lanes' light is taken out of it, too. */
	if (t->win_errors >= pol->cfg.knobs.min_errors)
		feed(&t->quality, lane_rate_q(t->ppb) - pol->median, pol->weight);
}

/* ---- all lanes ---- */

static u32 weight_of(u32 ms, u32 seconds)
{
	return lane_div64((u64)ms << 16, ms + (u64)seconds * 1000);
}

static void weigh(struct lane_policy *pol, u64 ns)
{
	u64 ms = lane_div64(ns, MS);
	u16 k;

	if (ms > SAMPLE_MS_MAX)
		ms = SAMPLE_MS_MAX;
	for (k = 0; k < LANE_TREND_LEVELS; k++)
		pol->weight[k] = weight_of(ms, level_s(k));
	pol->base_weight = weight_of(ms, BASE_S);
}

/* What was common stays in @base until it is over. */
static void sample_base(struct lane_policy *pol, bool first)
{
	if (first)
		pol->base = pol->median * FRACTION;
	else if (!pol->common)
		pol->base = mix(pol->base, pol->median * FRACTION, pol->base_weight);
	pol->common_loss = pol->base / FRACTION - pol->median;
}

void lane_policy_trends(struct lane_policy *pol, const struct lane_rec *rec, u64 now)
{
	bool first = !pol->trend_at, sample = first || now - pol->trend_at >= SAMPLE_NS;
	u16 i;

	pol->median = median_power(pol, rec);
	if (sample) {
		weigh(pol, first ? 0 : now - pol->trend_at);
		pol->trend_at = now ? now : 1;
	}
	sample_base(pol, first);
	for (i = 0; i < pol->cfg.shape.total; i++) {
		struct lane_track *t = &pol->track[i];

		t->verdict = LANE_EV_NONE;
		if (lane_rec_dark(&rec[i])) {
			/* What comes back is another lane, for all that is known. */
			t->power.known = false;
			t->quality.known = false;
			t->limit_s = ~0u;
			t->trend_cdb_h = 0;
			continue;
		}
		if (sample)
			sample_lane(pol, t, &rec[i]);
		judge(pol, t, rec[i].power_cdb);
	}
}
