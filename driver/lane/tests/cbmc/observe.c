// SPDX-License-Identifier: GPL-2.0
/* Any table: each lane is taken in, those of the map as such. */
#include "any.h"
#include "../../policy_observe.c"

void any_evidence(const struct lane_policy *pol, struct lane_track *t, const struct lane_rec *rec)
{
	(void)pol;
	(void)rec;
	t->win_mbits = nondet_u32();
	__CPROVER_assume(t->win_mbits <= WINDOW_MBITS);
}

void any_trends(struct lane_policy *pol, const struct lane_rec *rec, u64 now)
{
	u16 i;

	(void)rec;
	(void)now;
	for (i = 0; i < TOTAL; i++) {
		pol->track[i].verdict = nondet_u8();
		__CPROVER_assume(verdict_sane(pol->track[i].verdict));
	}
}

/* light.c */
void any_by_light(struct lane_policy *pol, struct lane_track *t, s16 power_cdb)
{
	(void)power_cdb;
	__CPROVER_assert(pol->blind, "a link beyond FEC");
	t->verdict = nondet_u8();
	t->ppb = nondet_u32();
	__CPROVER_assume(verdict_sane(t->verdict) && t->ppb && t->ppb <= 1000000000);
}

void any_common(struct lane_policy *pol, const struct lane_rec *rec, const struct lane_map *map,
		struct lane_notes *notes, u64 now)
{
	(void)rec;
	(void)map;
	(void)notes;
	(void)now;
	pol->common = nondet_bool();
}

void any_walk(struct lane_policy *pol, u16 lane, const struct lane_rec *rec,
	      struct lane_notes *notes, u64 now)
{
	(void)rec;
	(void)notes;
	(void)now;
	be_bool(&pol->track[lane].blamed);
	pol->track[lane].losses = nondet_u16();
	__CPROVER_assume(!pol->track[lane].blamed || pol->track[lane].losses);
	pol->track[lane].state = nondet_u8();
	__CPROVER_assume(pol->track[lane].state && pol->track[lane].state < LANE_STATES);
}

void any_clusters(struct lane_policy *pol, const struct lane_rec *rec, struct lane_notes *notes,
		  u64 now)
{
	(void)rec;
	(void)notes;
	(void)now;
	pol->cluster_due = nondet_u64();
}

int main(void)
{
	static struct lane_policy pol;
	static struct lane_rec rec[TOTAL];
	static struct lane_notes notes;
	static struct lane_map map;
	u16 i, l;

	any_policy(&pol);
	any_table(rec);
	any_map(&map);
	lane_policy_observe(&pol, rec, &map, &notes, nondet_u64());
	for (i = 0; i < TOTAL; i++) {
		bool mapped = false;

		for (l = 0; l < map.width; l++)
			mapped |= map.phys[l] == i;
		__CPROVER_assert(track_sane(&pol.track[i]) && pol.track[i].state, "a state");
		__CPROVER_assert(pol.track[i].in_map == mapped, "in the map");
	}
	return 0;
}
