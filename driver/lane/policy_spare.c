// SPDX-License-Identifier: GPL-2.0
/*
 * Where lanes are on the grid: which spare is best, and which losses are one event.
 *
 * Used by policy.c only.
 */
#include "policy.h"

#define DIST_FAR		255
#define QUALITY_CLASSES		8	/* LANE_SPARE_KEYS / 256 */

static bool grid_usable(const struct lane_policy *pol)
{
	u32 places = (u32)pol->cfg.grid_x * pol->cfg.grid_y;

	return places && places <= LANE_GRID_MAX;
}

/* A lane's place in the arrays, LANE_GRID_MAX if the card put it off the grid. */
static u32 grid_place(const struct lane_policy *pol, const struct lane_rec *rec)
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
		u32 place = grid_place(pol, &rec[i]);

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
	if (rec->power_cdb < -100 && class < 3)
		class = 3;
	if (t->ppb >= k->watch_ppb)
		class = 4;
	if (t->ppb >= k->retire_ppb)
		class = 5;
	if (t->losses)		/* it was bad before: rather another of its class */
		class++;
	return class < QUALITY_CLASSES ? class : QUALITY_CLASSES - 1;
}

static u16 spare_key(const struct lane_policy *pol, u16 lane, const struct lane_rec *rec)
{
	u16 key = quality_class(pol, &pol->track[lane], rec) * 256;
	u32 place = grid_place(pol, rec);

	if (!grid_usable(pol) || place == LANE_GRID_MAX)
		return key + DIST_FAR;
	return key + DIST_FAR - pol->dist[place];
}

static bool spare_usable(const struct lane_track *t, const struct lane_rec *rec)
{
	return t->state == LANE_SPARE && !t->in_map && !lane_rec_dark(rec);
}

/* A counting sort: best quality first, then farthest from what failed, then lowest number. */
void lane_policy_rank_spares(struct lane_policy *pol, const struct lane_rec *rec)
{
	u16 total = pol->cfg.shape.total;
	u16 i, key;

	if (grid_usable(pol))
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

struct patch {
	u16 size;
	u64 newest;
	u8 x0, x1, y0, y1;
};

/* Lost lately enough to belong to what happens now. */
static bool lost_lately(const struct lane_policy *pol, u16 lane, u64 now)
{
	const struct lane_track *t = &pol->track[lane];

	return t->state == LANE_FAILED && t->lost_at &&
	       now - t->lost_at <= pol->cfg.knobs.cluster_ns;
}

static void patch_add(struct patch *p, const struct lane_rec *rec, u64 lost_at)
{
	if (!p->size || rec->x < p->x0)
		p->x0 = rec->x;
	if (!p->size || rec->x > p->x1)
		p->x1 = rec->x;
	if (!p->size || rec->y < p->y0)
		p->y0 = rec->y;
	if (!p->size || rec->y > p->y1)
		p->y1 = rec->y;
	if (!p->size || lost_at > p->newest)
		p->newest = lost_at;
	p->size++;
}

/* Puts the marked neighbours of @lane behind the @tail of the queue. */
static u16 queue_neighbours(struct lane_policy *pol, const struct lane_rec *rec, u16 lane, u16 tail)
{
	u16 gx = pol->cfg.grid_x, gy = pol->cfg.grid_y;
	int x, y;

	for (y = rec[lane].y - 1; y <= rec[lane].y + 1; y++)
		for (x = rec[lane].x - 1; x <= rec[lane].x + 1; x++) {
			u16 other;

			if (x < 0 || y < 0 || x >= gx || y >= gy)
				continue;
			other = pol->cell[(u32)y * gx + x];
			if (other == LANE_NONE || !pol->mark[other])
				continue;
			pol->mark[other] = false;
			pol->queue[tail++] = other;
		}
	return tail;
}

/* Takes @lane and all that hangs together with it. */
static void gather_patch(struct lane_policy *pol, const struct lane_rec *rec, u16 lane,
			 struct patch *p)
{
	u16 head = 0, tail = 0;

	memset(p, 0, sizeof(*p));
	pol->mark[lane] = false;
	pol->queue[tail++] = lane;
	while (head < tail) {
		lane = pol->queue[head++];
		patch_add(p, &rec[lane], pol->track[lane].lost_at);
		tail = queue_neighbours(pol, rec, lane, tail);
	}
}

static void mark_lost(struct lane_policy *pol, const struct lane_rec *rec, u64 now)
{
	u32 places = (u32)pol->cfg.grid_x * pol->cfg.grid_y;
	u32 place;
	u16 i;

	for (place = 0; place < places; place++)
		pol->cell[place] = LANE_NONE;
	for (i = 0; i < pol->cfg.shape.total; i++) {
		place = grid_place(pol, &rec[i]);
		pol->mark[i] = place < LANE_GRID_MAX && lost_lately(pol, i, now);
		if (pol->mark[i])
			pol->cell[place] = i;
	}
}

void lane_policy_clusters(struct lane_policy *pol, const struct lane_rec *rec,
			  struct lane_notes *notes, u64 now)
{
	struct lane_note note = { .at = now, .code = LANE_NOTE_CLUSTER };
	struct patch best = { 0 }, p;
	u16 i, side;

	if (!grid_usable(pol))
		return;
	mark_lost(pol, rec, now);
	for (i = 0; i < pol->cfg.shape.total; i++) {
		if (!pol->mark[i])
			continue;
		gather_patch(pol, rec, i, &p);
		if (p.size > best.size)
			best = p;
	}
	if (best.size < pol->cfg.knobs.cluster_min)
		return;
	/* The one that was told of, unless it has doubled. */
	if (pol->cluster_at && best.newest - pol->cluster_at <= pol->cfg.knobs.cluster_ns &&
	    best.size < 2 * pol->cluster_size)
		return;
	pol->cluster_at = best.newest;
	pol->cluster_size = best.size;

	side = best.x1 - best.x0 > best.y1 - best.y0 ? best.x1 - best.x0 : best.y1 - best.y0;
	note.lane = (best.x0 + best.x1) / 2;
	note.other = (best.y0 + best.y1) / 2;
	note.a = best.size;
	note.b = (side + 1) / 2;
	lane_notes_add(notes, &note);
}
