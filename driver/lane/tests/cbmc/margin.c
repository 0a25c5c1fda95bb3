// SPDX-License-Identifier: GPL-2.0
/* The margin of any load, of up to PNIC_LANES_MAX lanes. */
#include "prove.h"
#include "../../margin.c"

u16 any_symbols(u64 mean)
{
	u16 k = nondet_u16();

	(void)mean;
	__CPROVER_assume(k < RANDOM_MAX);
	return k;
}

u64 any_mean(const struct lane_fec *fec, const struct lane_load *load)
{
	__CPROVER_assert(load->width && fec->n, "no division by zero");
	return nondet_u64();
}

int main(void)
{
	struct lane_load load;
	struct lane_margin m;
	struct lane_fec fec;

	__CPROVER_havoc_object(&load);
	__CPROVER_havoc_object(&fec);
	be_bool(&fec.bit_striping);
	__CPROVER_assume(lane_fec_valid(&fec));
	__CPROVER_assume(load.width <= PNIC_LANES_MAX);
	__CPROVER_assume(load.erased <= load.width && load.dark <= load.width - load.erased);
	lane_margin_of(&fec, &load, &m);
	__CPROVER_assert(m.errors >= -1 && m.errors <= load.width, "a number of lanes");
	__CPROVER_assert(m.erasure >= -1 && m.erasure <= load.width, "a number of lanes");
	__CPROVER_assert((m.errors < 0) == (m.erasure < 0), "both or none");
	return 0;
}
