/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Any answers in place of functions that have proofs of their own, within what those
 * proofs say of them: the Makefile puts them in (REPLACE-NAME).
 */
#ifndef LANE_CBMC_ANY_H
#define LANE_CBMC_ANY_H

#include "prove.h"

/* rate.c */
void any_interval(u64 errors, u64 symbols, u32 *low_ppb, u32 *high_ppb)
{
	(void)errors;
	(void)symbols;
	*high_ppb = nondet_u32();
	*low_ppb = nondet_u32();
	__CPROVER_assume(*high_ppb <= 1000000000 && *low_ppb <= 1000000000);
}

/* q.c */
s16 any_q(u32 ppb)
{
	s16 q = (s16)nondet_u16();

	(void)ppb;
	__CPROVER_assume(q >= 0 && q <= 804);
	return q;
}

u32 any_rate_at(s32 cdb)
{
	u32 ppb = nondet_u32();

	(void)cdb;
	__CPROVER_assume(ppb && ppb <= 1000000000);
	return ppb;
}

/* margin.c */
void any_margin(const struct lane_fec *fec, const struct lane_load *load, struct lane_margin *m)
{
	(void)fec;
	__CPROVER_assert(load->erased + load->dark <= load->width, "a load");
	__CPROVER_havoc_object(m);
	__CPROVER_assume(m->errors >= -1 && m->errors <= load->width);
	__CPROVER_assume(m->erasure >= -1 && m->erasure <= load->width);
}

/* What is told has no part in what is done. */
void any_notes_add(struct lane_notes *notes, const struct lane_note *note)
{
	(void)note;
	if (notes->nr < LANE_NOTES_MAX)
		notes->nr++;
	else
		notes->lost++;
}

/* step.c */
bool any_step(struct lane_policy *pol, u16 lane, u8 event, u8 actor, struct lane_notes *notes,
	      u64 now)
{
	struct lane_track *t = &pol->track[lane];
	u8 from = t->state;

	(void)actor;
	(void)notes;
	(void)now;
	__CPROVER_assert(lane < TOTAL && event < LANE_EVENTS, "a lane and an event");
	t->state = lane_state_next(from, event);
	if (t->state == from)
		return false;
	t->test = nondet_u8();
	t->bad_at = nondet_u64();
	t->until = nondet_u64();
	t->losses = nondet_u16();
	be_bool(&t->blamed);
	__CPROVER_assume(!t->blamed || t->losses);
	if (nondet_bool())
		t->verdict = LANE_EV_NONE;
	return true;
}

/* spare.c */
void any_ranked(struct lane_policy *pol, const struct lane_rec *rec)
{
	u16 i, j;

	pol->nr_spares = nondet_u16();
	__CPROVER_assume(pol->nr_spares <= TOTAL);
	for (i = 0; i < TOTAL; i++) {
		pol->spares[i] = nondet_u16();
		__CPROVER_assume(i >= pol->nr_spares ||
				 spare_usable_here(pol, rec, pol->spares[i]));
		for (j = 0; j < i && i < pol->nr_spares; j++)
			__CPROVER_assume(pol->spares[i] != pol->spares[j]);
	}
}

#endif /* LANE_CBMC_ANY_H */
