// SPDX-License-Identifier: GPL-2.0
/* Any lanes: the standby plan names spares only. */
#include "any.h"
#include "../../policy_standby.c"

int main(void)
{
	static struct lane_policy pol;
	static struct lane_rec rec[TOTAL];
	static struct lane_map map, plan;
	u16 room = nondet_u16(), planned = 0, l;

	any_policy(&pol);
	any_table(rec);
	any_map(&map);
	mark_map(&pol, &map);
	lane_policy_standby(&pol, rec, &map, room, &plan);
	__CPROVER_assert(plan.width == map.width && !plan.generation, "as wide as the map");
	__CPROVER_assert(pol.standby.width == plan.width, "remembered");
	for (l = 0; l < plan.width; l++) {
		u16 spare = plan.phys[l];

		__CPROVER_assert(pol.standby.phys[l] == spare &&
				 pol.standby_for[l] == map.phys[l], "remembered");
		if (spare == LANE_NONE)
			continue;
		planned++;
		__CPROVER_assert(spare_usable_here(&pol, rec, spare), "a spare");
	}
	__CPROVER_assert(planned <= room, "no more than there is room for");
	__CPROVER_assert(pol.manage || !planned, "none unasked");
	return 0;
}
