// SPDX-License-Identifier: GPL-2.0
/* Any lost lanes: which neighbours of one are queued. */
#include "cluster.h"

static u16 lane;
static bool at_one_time[TOTAL];

/* With @lane, which is always the same. */
bool any_one_time(const struct lane_policy *p, u16 a, u16 b)
{
	__CPROVER_assert(p == &pol && a == lane && b < TOTAL, "two lanes");
	return at_one_time[b];
}

int main(void)
{
	u16 tail = nondet_u16(), i;
	struct queued was;

	any_marks();
	for (i = 0; i < TOTAL; i++)
		be_bool(&at_one_time[i]);
	lane = nondet_u16();
	__CPROVER_assume(lane < TOTAL && !pol.mark[lane] && tail + marked() <= TOTAL);
	look(&was, tail);
	tail = queue_neighbours(&pol, rec, lane, tail);
	__CPROVER_assert(queued_only(&was, tail), "each once");
	for (i = was.tail; i < tail; i++)
		__CPROVER_assert(near(pol.queue[i], lane) && at_one_time[pol.queue[i]],
				 "neighbours in space and time");
	for (i = 0; i < GRID_X * GRID_Y; i++)
		if (pol.cell[i] != LANE_NONE && pol.mark[pol.cell[i]])
			__CPROVER_assert(!near(pol.cell[i], lane) ||
					 !at_one_time[pol.cell[i]], "all of them");
	return 0;
}
