// SPDX-License-Identifier: GPL-2.0
/* Any lanes, spares and map: what is decided. */
#include "decide.h"

static bool spares;

void any_copy(struct lane_map *to, const struct lane_map *from)
{
	*to = *from;
}

/* As mend.c has it. */
void any_mend(struct decision *d)
{
	struct seen was;
	u16 l;

	__CPROVER_assert(d->pol == &pol && d->now_map == &now_map && d->plan == &plan, "one link");
	__CPROVER_assert(!d->moves && !d->next_spare && !plan.replaced && !plan.dropped &&
			 !plan.grown, "nothing done yet");
	__CPROVER_assert(plan.margin_now == any_margin_of(&pol, rec, &plan.map), "its margin");
	__CPROVER_assert(plan.map.width == now_map.width, "the map");
	for (l = 0; l < now_map.width; l++)
		__CPROVER_assert(plan.map.phys[l] == now_map.phys[l] &&
				 pol.need[l] == own_need(now_map.phys[l]), "the map and its needs");
	look(d, &was);
	spares = pol.nr_spares;
	resort = nondet_bool();
	given_up = nondet_bool();
	if (resort)
		any_spares();
	any_changes(d);
	pol.dark = nondet_bool();
	pol.told.dark = pol.dark;
	pol.told.held = nondet_bool();
	plan.next_at = nondet_u64();
	__CPROVER_assume(decision_sane(d));
	__CPROVER_assume(any_needed() || as_it_was(d, &was));
	__CPROVER_assume(!resort || (pol.manage && !spares && all_dark(&now_map)));
	__CPROVER_assume(!pol.dark || (as_it_was(d, &was) && all_dark(&now_map)));
	__CPROVER_assume(plan.map.width + plan.dropped == now_map.width);
	__CPROVER_assume(!plan.dropped || d->next_spare == pol.nr_spares || pol.blind);
	__CPROVER_assume(dark_replaced(d));
}

/* As grow.c has it. */
void any_grow(struct decision *d)
{
	struct seen was;
	u16 grown = nondet_u16(), l;

	__CPROVER_assert(decision_sane(d) && !plan.grown, "sane");
	__CPROVER_assert(pol.manage && none_dark(&plan.map), "managed, and no lane dark");
	look(d, &was);
	any_changes(d);
	plan.grown = grown;
	plan.dropped = was.dropped;
	plan.replaced = was.replaced;
	plan.next_at = nondet_u64();
	__CPROVER_assume(spares_sane(d) && map_sane(d) && none_gone() && moves_sane(d));
	__CPROVER_assume(plan.map.width == was.map.width + grown);
	for (l = 0; l < DATA && l < was.map.width; l++)
		__CPROVER_assume(plan.map.phys[l] == was.map.phys[l]);
	for (l = was.map.width; l < DATA && l < plan.map.width; l++)
		__CPROVER_assume(may_serve(plan.map.phys[l]));
	__CPROVER_assume(!grown || any_margin_of(&pol, rec, &plan.map) >= plan.margin_now ||
			 any_margin_of(&pol, rec, &plan.map) >= pol.cfg.knobs.margin_floor);
}

int main(void)
{
	struct decision unused;
	u16 l;

	any_link(&unused);
	lane_policy_decide(&pol, rec, &now_map, unused.now, &plan);
	__CPROVER_assert(!lane_map_check(&plan.map, &pol.cfg.shape), "a map");
	__CPROVER_assert(!plan.map.generation, "not yet in use");
	__CPROVER_assert(none_gone(), "only those that need it");
	for (l = 0; l < plan.map.width; l++)
		__CPROVER_assert(has(&now_map, plan.map.phys[l]) || may_serve(plan.map.phys[l]),
				 "only spares are new");
	__CPROVER_assert(!resort || (pol.manage && !spares && all_dark(&now_map)),
			 "the last resort");
	__CPROVER_assert(plan.change == !lane_map_same(&plan.map, &now_map), "a change or none");
	__CPROVER_assert(!plan.change || any_needed() || plan.grown, "no change without need");
	__CPROVER_assert(lane_map_moves(&now_map, &plan.map) <= pol.cfg.knobs.max_moves, "moves");
	__CPROVER_assert(plan.margin_now == any_margin_of(&pol, rec, &now_map) &&
			 plan.margin_then == any_margin_of(&pol, rec, &plan.map), "margins");
	__CPROVER_assert(plan.map.width + plan.dropped == now_map.width + plan.grown, "counted");
	__CPROVER_assert(!plan.grown || none_dark(&plan.map), "grows if all is well");
	__CPROVER_assert(!plan.pending == none_dark(&plan.map), "dark lanes are pending");
	__CPROVER_assert(!plan.change || pol.manage || !plan.grown, "none unasked");
	return 0;
}
