/* SPDX-License-Identifier: GPL-2.0 */
/* Clusters (policy_cluster.c): what each of its steps finds and leaves behind, on 3 by 2 places. */
#ifndef LANE_CBMC_CLUSTER_H
#define LANE_CBMC_CLUSTER_H

#include "any.h"
#include "../../policy_cluster.c"

#define GRID_X	3
#define GRID_Y	2

static struct lane_policy pol;
static struct lane_rec rec[TOTAL];

static u16 marked(void)
{
	u16 n = 0, i;

	for (i = 0; i < TOTAL; i++)
		n += pol.mark[i];
	return n;
}

static bool near(u16 a, u16 b)
{
	int dx = rec[a].x - rec[b].x, dy = rec[a].y - rec[b].y;

	return dx >= -1 && dx <= 1 && dy >= -1 && dy <= 1;
}

/* Marked lanes are lost and on the grid, and what a cell names is a marked one, or was. */
static bool marks_sane(void)
{
	u16 i, place;

	for (i = 0; i < TOTAL; i++)
		if (pol.mark[i] && (rec[i].x >= GRID_X || rec[i].y >= GRID_Y ||
				    !lost(&pol.track[i])))
			return false;
	for (place = 0; place < GRID_X * GRID_Y; place++)
		if (pol.cell[place] != LANE_NONE &&
		    (pol.cell[place] >= TOTAL || rec[pol.cell[place]].x != place % GRID_X ||
		     rec[pol.cell[place]].y != place / GRID_X))
			return false;
	return true;
}

static void any_lanes(void)
{
	any_policy(&pol);
	any_table(rec);
	pol.cfg.grid_x = GRID_X;
	pol.cfg.grid_y = GRID_Y;
}

/* Any lanes, some of them marked. */
static void any_marks(void)
{
	u16 i;

	any_lanes();
	for (i = 0; i < TOTAL; i++)
		be_bool(&pol.mark[i]);
	__CPROVER_assume(marks_sane());
}

struct queued {
	bool mark[TOTAL];
	u16 queue[TOTAL];
	u16 tail;
};

static void look(struct queued *was, u16 tail)
{
	u16 i;

	for (i = 0; i < TOTAL; i++) {
		was->mark[i] = pol.mark[i];
		was->queue[i] = pol.queue[i];
	}
	was->tail = tail;
}

static bool was_queued(u16 lane, u16 from, u16 to)
{
	u16 i;

	for (i = from; i < TOTAL && i < to; i++)
		if (pol.queue[i] == lane)
			return true;
	return false;
}

/* Behind the old tail are those, each once, that are no more marked. */
static bool queued_only(const struct queued *was, u16 tail)
{
	u16 gone = 0, i;

	for (i = 0; i < TOTAL; i++) {
		if (i < was->tail && pol.queue[i] != was->queue[i])
			return false;
		if (pol.mark[i] == was->mark[i])
			continue;
		if (pol.mark[i] || !was_queued(i, was->tail, tail))
			return false;
		gone++;
	}
	return tail <= TOTAL && tail == was->tail + gone;
}

#endif /* LANE_CBMC_CLUSTER_H */
