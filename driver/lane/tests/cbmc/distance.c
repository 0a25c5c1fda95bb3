// SPDX-License-Identifier: GPL-2.0
/* Any grid of 3 by 2 places: each lane's distance to the nearest failed one. */
#include "prove.h"
#include "../../policy_spare.c"

static u32 apart(const struct lane_rec *a, const struct lane_rec *b)
{
	u32 dx = a->x > b->x ? a->x - b->x : b->x - a->x;
	u32 dy = a->y > b->y ? a->y - b->y : b->y - a->y;

	return dx > dy ? dx : dy;
}

int main(void)
{
	static struct lane_policy pol;
	static struct lane_rec rec[TOTAL];
	u16 i, j;

	any_policy(&pol);
	any_table(rec);
	pol.cfg.grid_x = 3;
	pol.cfg.grid_y = 2;
	measure_distances(&pol, rec);
	for (i = 0; i < 3 * 2; i++)
		__CPROVER_assert(pol.dist[i] <= DIST_FAR, "a distance");
	for (i = 0; i < TOTAL; i++) {
		u32 place = lane_policy_place(&pol, &rec[i]), nearest = DIST_FAR;

		__CPROVER_assert(place <= LANE_GRID_MAX, "a place");
		if (place == LANE_GRID_MAX)
			continue;
		for (j = 0; j < TOTAL; j++)
			if (pol.track[j].state == LANE_FAILED &&
			    lane_policy_place(&pol, &rec[j]) < LANE_GRID_MAX &&
			    apart(&rec[i], &rec[j]) < nearest)
				nearest = apart(&rec[i], &rec[j]);
		__CPROVER_assert(pol.dist[place] == nearest, "king's moves");
	}
	return 0;
}
