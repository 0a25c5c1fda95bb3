// SPDX-License-Identifier: GPL-2.0
/* The mean of any load: no product wraps. */
#include "prove.h"
#include "../../margin.c"

int main(void)
{
	struct lane_load load;
	struct lane_fec fec;

	__CPROVER_havoc_object(&load);
	__CPROVER_havoc_object(&fec);
	__CPROVER_assume(fec.n && load.width && load.width <= PNIC_LANES_MAX);
	mean_errors(&fec, &load);
	return 0;
}
