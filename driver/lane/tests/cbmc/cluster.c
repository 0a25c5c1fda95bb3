// SPDX-License-Identifier: GPL-2.0
/* Any lanes: which are marked, and that only lost ones are told of. */
#include "cluster.h"

/* gather.c */
void any_gather(struct lane_policy *p, const struct lane_rec *r, u16 lane, struct patch *patch)
{
	struct queued was;
	u16 i;

	__CPROVER_assert(p == &pol && r == rec && lane < TOTAL && pol.mark[lane], "a lost lane");
	__CPROVER_assert(marks_sane(), "marks");
	look(&was, 0);
	__CPROVER_havoc_object(patch);
	for (i = 0; i < TOTAL; i++) {
		be_bool(&pol.mark[i]);
		pol.queue[i] = nondet_u16();
	}
	__CPROVER_assume(patch->size && queued_only(&was, patch->size));
	__CPROVER_assume(pol.queue[0] == lane && patch->told <= patch->size);
	__CPROVER_assume(patch->x0 <= patch->x1 && patch->x1 < GRID_X);
	__CPROVER_assume(patch->y0 <= patch->y1 && patch->y1 < GRID_Y);
}

int main(void)
{
	static struct lane_notes notes;
	bool was[TOTAL];
	u16 i;

	any_lanes();
	for (i = 0; i < TOTAL; i++)
		was[i] = pol.track[i].clustered;
	lane_policy_clusters(&pol, rec, &notes, nondet_u64());
	for (i = 0; i < TOTAL; i++)
		__CPROVER_assert(pol.track[i].clustered == was[i] ||
				 (lost(&pol.track[i]) && rec[i].x < pol.cfg.grid_x &&
				  rec[i].y < pol.cfg.grid_y), "lost, and on the grid");
	__CPROVER_assert(notes.nr <= TOTAL, "at most one note for a lane");
	__CPROVER_assert(!marked(), "all that are lost were looked at");
	return 0;
}
