// SPDX-License-Identifier: GPL-2.0
/* A link beyond FEC: loads that are tried are of lit lanes of the map. */
#include "decide.h"

/* margin.c */
void any_load(const struct lane_fec *fec, const struct lane_load *load, struct lane_margin *m)
{
	__CPROVER_assert(fec == &pol.cfg.fec && load->width <= plan.map.width, "a load");
	__CPROVER_assert(!load->erased && !load->dark, "of lit lanes");
	m->errors = (s16)nondet_u16();
}

int main(void)
{
	struct decision d;

	any_link(&d);
	plan.map = now_map;
	find_needs(&d);
	reads_without(&d, nondet_u32());
	return 0;
}
