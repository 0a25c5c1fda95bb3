// SPDX-License-Identifier: GPL-2.0
/* A link beyond FEC: the limit for its lanes is found, and is one. */
#include "decide.h"

/* reads.c */
bool any_reads(const struct decision *d, u32 limit)
{
	__CPROVER_assert(d->pol == &pol && limit && limit <= BILLION, "a limit");
	return nondet_bool();
}

int main(void)
{
	struct decision d = { .pol = &pol };
	u32 limit;

	pol.cfg.knobs.retire_ppb = nondet_u32();
	__CPROVER_assume(pol.cfg.knobs.retire_ppb && pol.cfg.knobs.retire_ppb <= BILLION);
	limit = readable_limit(&d);
	__CPROVER_assert(!limit || (limit >= pol.cfg.knobs.retire_ppb && limit <= BILLION),
			 "a limit, or none");
	return 0;
}
