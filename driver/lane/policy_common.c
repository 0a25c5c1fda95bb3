// SPDX-License-Identifier: GPL-2.0
/*
 * Common mode: most lanes have moved together, by temperature, supply, a bent
 * or dirty cable. No spare is better then, so none is used up on it.
 *
 * It is seen in the lanes' power (the median of all has fallen) or, where the card
 * tells no power, in their errors (a share of the map's lanes is past a limit).
 * It begins at the knobs and ends at half of them.
 */
#include "policy.h"

#define LIT_MIN			4	/* of fewer lanes a median says nothing */

static bool errs(const struct lane_track *t)
{
	switch (t->verdict) {
	case LANE_EV_DRIFT:
	case LANE_EV_ERRORS:
	case LANE_EV_RUINED:
	case LANE_EV_FADE:
	case LANE_EV_TREND:
		return true;
	case LANE_EV_CLEAN:
		return false;
	}
	return t->state == LANE_WATCH || t->state == LANE_RETIRING ||
	       (t->state == LANE_FAILED && t->ruined);
}

static u16 count_lit(const struct lane_policy *pol, const struct lane_rec *rec)
{
	u16 lit = 0, i;

	for (i = 0; i < pol->cfg.shape.total; i++)
		lit += !lane_rec_dark(&rec[i]);
	return lit;
}

static bool by_power(const struct lane_policy *pol, const struct lane_rec *rec)
{
	s32 limit = pol->cfg.knobs.common_cdb;

	if (pol->common)
		limit = (limit + 1) / 2;
	return pol->common_loss >= limit && count_lit(pol, rec) >= LIT_MIN;
}

static bool by_errors(const struct lane_policy *pol, u32 bad, u32 width)
{
	u32 pct = pol->cfg.knobs.common_pct;

	if (pol->common)
		return bad * 200 >= pct * width && bad > 1;
	return bad * 100 >= pct * width && bad > 1;
}

static void tell_over(const struct lane_policy *pol, struct lane_notes *notes, u64 now)
{
	struct lane_note note = {
		.at = now,
		.code = LANE_NOTE_COMMON_OVER,
		.c = -pol->common_loss,
	};

	lane_notes_add(notes, &note);
}

/* The windows are full of errors that were not the lanes' own. */
static void begin_anew(struct lane_policy *pol)
{
	u16 i;

	for (i = 0; i < pol->cfg.shape.total; i++) {
		lane_policy_forget(&pol->track[i]);
		pol->track[i].quality.known = false;
	}
}

void lane_policy_common(struct lane_policy *pol, const struct lane_rec *rec,
			const struct lane_map *map, struct lane_notes *notes, u64 now)
{
	bool was = pol->common, power = by_power(pol, rec);
	u16 bad = 0, l;

	for (l = 0; l < map->width; l++)
		bad += !lane_rec_dark(&rec[map->phys[l]]) && errs(&pol->track[map->phys[l]]);
	pol->common_bad = bad;
	/* The light is back: what was counted without it says nothing any more. */
	pol->common = power || (!pol->common_power && by_errors(pol, bad, map->width));
	pol->common_power = power;
	if (was && !pol->common) {
		tell_over(pol, notes, now);
		begin_anew(pol);
	}
}
