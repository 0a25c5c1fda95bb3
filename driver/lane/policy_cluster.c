// SPDX-License-Identifier: GPL-2.0
/*
 * Clusters: neighbours on the grid that were lost at one time are one event (dirt, a
 * row driver, misalignment), and told of as one.
 *
 * Two neighbours belong together if each was lost within the knob's time of the other. A
 * cluster is told of when no lane has joined it for a while, so that a patch that
 * takes several decisions to die is told of once, and whole.
 */
#include "policy.h"

struct patch {
	u16 size, told;		/* lanes; of them in a cluster that was told of */
	u64 newest;
	u8 x0, x1, y0, y1;
};

/* A quarter of the time that makes "one time". */
static u64 quiet_ns(const struct lane_policy *pol)
{
	return pol->cfg.knobs.cluster_ns / 4;
}

static bool lost(const struct lane_track *t)
{
	return t->bad_at && (t->state == LANE_FAILED || t->state == LANE_RETIRING);
}

static void patch_add(struct patch *p, const struct lane_rec *rec, const struct lane_track *t)
{
	if (!p->size || rec->x < p->x0)
		p->x0 = rec->x;
	if (!p->size || rec->x > p->x1)
		p->x1 = rec->x;
	if (!p->size || rec->y < p->y0)
		p->y0 = rec->y;
	if (!p->size || rec->y > p->y1)
		p->y1 = rec->y;
	if (!p->size || t->bad_at > p->newest)
		p->newest = t->bad_at;
	p->told += t->clustered;
	p->size++;
}

static bool one_time(const struct lane_policy *pol, u16 a, u16 b)
{
	u64 ta = pol->track[a].bad_at, tb = pol->track[b].bad_at;

	return (ta > tb ? ta - tb : tb - ta) <= pol->cfg.knobs.cluster_ns;
}

/* Puts the marked neighbours of @lane that were lost at its time behind the @tail of the queue. */
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
			if (other == LANE_NONE || !pol->mark[other] || !one_time(pol, lane, other))
				continue;
			pol->mark[other] = false;
			pol->queue[tail++] = other;
		}
	return tail;
}

/* Takes @lane and all that hangs together with it into @p; queue[] has them. */
static void gather(struct lane_policy *pol, const struct lane_rec *rec, u16 lane, struct patch *p)
{
	u16 head = 0, tail = 0;

	memset(p, 0, sizeof(*p));
	pol->mark[lane] = false;
	pol->queue[tail++] = lane;
	while (head < tail) {
		lane = pol->queue[head++];
		patch_add(p, &rec[lane], &pol->track[lane]);
		tail = queue_neighbours(pol, rec, lane, tail);
	}
}

static void mark_lost(struct lane_policy *pol, const struct lane_rec *rec)
{
	u32 places = (u32)pol->cfg.grid_x * pol->cfg.grid_y;
	u32 place;
	u16 i;

	for (place = 0; place < places; place++)
		pol->cell[place] = LANE_NONE;
	for (i = 0; i < pol->cfg.shape.total; i++) {
		place = lane_policy_place(pol, &rec[i]);
		pol->mark[i] = place < LANE_GRID_MAX && lost(&pol->track[i]);
		if (pol->mark[i])
			pol->cell[place] = i;
	}
}

/* @span of @all places of a side, so many that it is no chance. */
static bool most_of(u16 span, u16 all)
{
	return span * 4u >= all * 3u && span > 2;
}

static u8 kind_of(const struct lane_policy *pol, const struct patch *p)
{
	u16 gx = pol->cfg.grid_x, gy = pol->cfg.grid_y;
	u16 wide = p->x1 - p->x0 + 1, high = p->y1 - p->y0 + 1;

	if (high == 1 && wide * 2u >= gx && wide > 2)
		return LANE_CLUSTER_ROW;
	if (most_of(high, gy) && !most_of(wide, gx) && (!p->x0 || p->x1 == gx - 1))
		return LANE_CLUSTER_EDGE;
	if (most_of(wide, gx) && !most_of(high, gy) && (!p->y0 || p->y1 == gy - 1))
		return LANE_CLUSTER_EDGE;
	if (wide == 1 && high * 2u >= gy && high > 2)
		return LANE_CLUSTER_COLUMN;
	return LANE_CLUSTER_PATCH;
}

static void tell(struct lane_policy *pol, const struct patch *p, struct lane_notes *notes, u64 now)
{
	u16 side = max(p->x1 - p->x0, p->y1 - p->y0);
	struct lane_note note = {
		.at = now,
		.code = LANE_NOTE_CLUSTER,
		.lane = (p->x0 + p->x1) / 2,
		.other = (p->y0 + p->y1) / 2,
		.logical = kind_of(pol, p),
		.a = p->size,
		.b = (side + 1) / 2,
	};
	u16 i;

	for (i = 0; i < p->size; i++)
		pol->track[pol->queue[i]].clustered = true;
	lane_notes_add(notes, &note);
}

/* News: a cluster that nobody knows of, or one that has doubled. */
static void consider(struct lane_policy *pol, const struct patch *p, struct lane_notes *notes,
		     u64 now)
{
	u64 due = p->newest + quiet_ns(pol);

	if (p->size < pol->cfg.knobs.cluster_min || p->size < 2 * p->told)
		return;
	if (now >= due)
		tell(pol, p, notes, now);
	else if (due < pol->cluster_due)
		pol->cluster_due = due;
}

void lane_policy_clusters(struct lane_policy *pol, const struct lane_rec *rec,
			  struct lane_notes *notes, u64 now)
{
	struct patch p;
	u16 i;

	pol->cluster_due = LANE_NEVER;
	if (!lane_policy_grid_usable(pol))
		return;
	mark_lost(pol, rec);
	for (i = 0; i < pol->cfg.shape.total; i++) {
		if (!pol->mark[i])
			continue;
		gather(pol, rec, i, &p);
		consider(pol, &p, notes, now);
	}
}
