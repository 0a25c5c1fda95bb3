// SPDX-License-Identifier: GPL-2.0
/* Any lost lanes: what hangs together with one of them. */
#include "cluster.h"

/* near.c */
u16 any_near(struct lane_policy *p, const struct lane_rec *r, u16 lane, u16 tail)
{
	struct queued was;
	u16 i;

	__CPROVER_assert(p == &pol && r == rec && lane < TOTAL && !pol.mark[lane], "a lane");
	__CPROVER_assert(marks_sane() && tail + marked() <= TOTAL, "room");
	look(&was, tail);
	tail = nondet_u16();
	for (i = 0; i < TOTAL; i++) {
		be_bool(&pol.mark[i]);
		pol.queue[i] = nondet_u16();
	}
	__CPROVER_assume(queued_only(&was, tail));
	return tail;
}

int main(void)
{
	u16 first = nondet_u16(), i;
	struct queued was;
	struct patch p;

	any_marks();
	__CPROVER_assume(first < TOTAL && pol.mark[first]);
	look(&was, 0);
	gather(&pol, rec, first, &p);
	__CPROVER_assert(p.size && queued_only(&was, p.size), "each once");
	__CPROVER_assert(pol.queue[0] == first, "the first one");
	__CPROVER_assert(p.told <= p.size, "of them");
	__CPROVER_assert(p.x0 <= p.x1 && p.y0 <= p.y1 && p.x1 < GRID_X && p.y1 < GRID_Y,
			 "on the grid");
	for (i = 0; i < p.size; i++) {
		u16 lane = pol.queue[i];

		__CPROVER_assert(rec[lane].x >= p.x0 && rec[lane].x <= p.x1 &&
				 rec[lane].y >= p.y0 && rec[lane].y <= p.y1, "within");
		__CPROVER_assert(pol.track[lane].bad_at <= p.newest, "the newest");
	}
	return 0;
}
