// SPDX-License-Identifier: GPL-2.0
/*
 * Which spare is best: by quality, then by its distance from what failed on the grid.
 */
#include "policy.h"

#define DIST_FAR		(LANE_DISTANCES - 1)
#define QUALITY_CLASSES		8	/* LANE_SPARE_KEYS / LANE_DISTANCES */
#define WEAK_CDB		(-100)	/* of the watch limit, if the median lane is nominal */

bool lane_policy_grid_usable(const struct lane_policy *pol)
{
	u32 places = (u32)pol->cfg.grid_x * pol->cfg.grid_y;

	return places && places <= LANE_GRID_MAX;
}

u32 lane_policy_place(const struct lane_policy *pol, const struct lane_rec *rec)
{
	if (rec->x >= pol->cfg.grid_x || rec->y >= pol->cfg.grid_y)
		return LANE_GRID_MAX;
	return (u32)rec->y * pol->cfg.grid_x + rec->x;
}

static void near_to(u8 *dist, u8 other)
{
	if (other < DIST_FAR && *dist > other + 1)
		*dist = other + 1;
}

/* Half of the distance transform: each place learns of its neighbours before it. */
static void spread(u8 *dist, u32 gx, u32 gy)
{
	u32 x, y;

	for (y = 0; y < gy; y++)
		for (x = 0; x < gx; x++) {
			u8 *d = &dist[y * gx + x];

			if (x)
				near_to(d, d[-1]);
			if (y)
				near_to(d, *(d - gx));
			if (x && y)
				near_to(d, *(d - gx - 1));
			if (y && x + 1 < gx)
				near_to(d, *(d - gx + 1));
		}
}

static void spread_back(u8 *dist, u32 gx, u32 gy)
{
	u32 x, y;

	for (y = gy; y-- > 0;)
		for (x = gx; x-- > 0;) {
			u8 *d = &dist[y * gx + x];

			if (x + 1 < gx)
				near_to(d, d[1]);
			if (y + 1 < gy)
				near_to(d, d[gx]);
			if (y + 1 < gy && x + 1 < gx)
				near_to(d, d[gx + 1]);
			if (y + 1 < gy && x)
				near_to(d, d[gx - 1]);
		}
}

/* dist[]: king's moves from each place to the nearest failed lane. */
static void measure_distances(struct lane_policy *pol, const struct lane_rec *rec)
{
	u16 i;

	memset(pol->dist, DIST_FAR, (size_t)pol->cfg.grid_x * pol->cfg.grid_y);
	for (i = 0; i < pol->cfg.shape.total; i++) {
		u32 place = lane_policy_place(pol, &rec[i]);

		if (pol->track[i].state == LANE_FAILED && place < LANE_GRID_MAX)
			pol->dist[place] = 0;
	}
	spread(pol->dist, pol->cfg.grid_x, pol->cfg.grid_y);
	spread_back(pol->dist, pol->cfg.grid_x, pol->cfg.grid_y);
}

/* 0 is best. What was never measured counts as good: it is lit and locked. */
static u16 quality_class(const struct lane_policy *pol, const struct lane_track *t,
			 const struct lane_rec *rec)
{
	const struct lane_knobs *k = &pol->cfg.knobs;
	u16 class = 0;

	if (t->ppb > 100)
		class = 1;
	if (t->ppb > 10000)
		class = 2;
	if (rec->power_cdb - pol->median < WEAK_CDB && class < 3)
		class = 3;
	if (t->ppb >= k->watch_ppb || t->verdict == LANE_EV_TREND)
		class = 4;
	if (t->ppb >= k->retire_ppb)
		class = 5;
	if (t->losses)		/* it was bad before: rather another of its class */
		class++;
	return class < QUALITY_CLASSES ? class : QUALITY_CLASSES - 1;
}

static u16 spare_key(const struct lane_policy *pol, u16 lane, const struct lane_rec *rec)
{
	u16 key = quality_class(pol, &pol->track[lane], rec) * LANE_DISTANCES;
	u32 place = lane_policy_place(pol, rec);

	if (!lane_policy_grid_usable(pol) || place == LANE_GRID_MAX)
		return key + DIST_FAR;
	return key + DIST_FAR - pol->dist[place];
}

static bool spare_usable(const struct lane_track *t, const struct lane_rec *rec)
{
	return t->state == LANE_SPARE && !t->in_map && !t->known_bad && !lane_rec_dark(rec);
}

/* A counting sort: best quality first, then farthest from what failed, then lowest number. */
void lane_policy_rank_spares(struct lane_policy *pol, const struct lane_rec *rec)
{
	u16 total = pol->cfg.shape.total;
	u16 i, key;

	if (lane_policy_grid_usable(pol))
		measure_distances(pol, rec);
	memset(pol->keys, 0, sizeof(pol->keys));
	pol->nr_spares = 0;
	for (i = 0; i < total; i++)
		if (spare_usable(&pol->track[i], &rec[i])) {
			pol->keys[spare_key(pol, i, &rec[i]) + 1]++;
			pol->nr_spares++;
		}
	for (key = 1; key < LANE_SPARE_KEYS; key++)
		pol->keys[key] += pol->keys[key - 1];
	for (i = 0; i < total; i++)
		if (spare_usable(&pol->track[i], &rec[i]))
			pol->spares[pol->keys[spare_key(pol, i, &rec[i])]++] = i;
}
