// SPDX-License-Identifier: GPL-2.0
/* Any lanes, any patches that were gathered: only lost lanes are told of. */
#include "any.h"
#include "../../policy_cluster.c"

/* gather.c */
void any_gather(struct lane_policy *pol, const struct lane_rec *rec, u16 lane, struct patch *p)
{
	u16 i;

	__CPROVER_assert(lane < TOTAL && pol->mark[lane], "a lost lane");
	__CPROVER_havoc_object(p);
	__CPROVER_assume(p->size && p->size <= TOTAL && p->told <= p->size);
	__CPROVER_assume(p->x0 <= p->x1 && p->y0 <= p->y1);
	for (i = 0; i < p->size; i++) {
		pol->queue[i] = nondet_u16();
		__CPROVER_assume(pol->queue[i] < TOTAL && lost(&pol->track[pol->queue[i]]) &&
				 lane_policy_place(pol, &rec[pol->queue[i]]) < LANE_GRID_MAX);
	}
	pol->mark[lane] = false;
}

int main(void)
{
	static struct lane_policy pol;
	static struct lane_rec rec[TOTAL];
	static struct lane_notes notes;
	bool was[TOTAL];
	u16 i;

	any_policy(&pol);
	any_table(rec);
	pol.cfg.grid_x = 3;
	pol.cfg.grid_y = 2;
	for (i = 0; i < TOTAL; i++)
		was[i] = pol.track[i].clustered;
	lane_policy_clusters(&pol, rec, &notes, nondet_u64());
	for (i = 0; i < TOTAL; i++)
		__CPROVER_assert(pol.track[i].clustered == was[i] ||
				 (lost(&pol.track[i]) && rec[i].x < pol.cfg.grid_x &&
				  rec[i].y < pol.cfg.grid_y), "lost, and on the grid");
	__CPROVER_assert(notes.nr <= TOTAL, "at most one note for a lane");
	return 0;
}
