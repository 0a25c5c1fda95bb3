/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The lane policy of one receive direction: which map should be in use, and why.
 *
 * Pure: lane table, map, knobs and time in; a proposed map and notes out. The
 * order of its rules:
 *
 *  1. never make it worse: no step lowers the margin, and the width goes down
 *     only by lanes that carry nothing any more;
 *  2. common mode first: when most lanes move together no spare helps;
 *  3. clusters are one event;
 *  4. replace dark lanes, then ruined, then retiring ones, by the best spare;
 *  5. shrink when the spares are out;
 *  6. grow back, slowly.
 *
 * Each call is linear in the number of lanes and grid places.
 */
#ifndef LANE_POLICY_H
#define LANE_POLICY_H

#include "map.h"
#include "margin.h"
#include "note.h"
#include "state.h"
#include "table.h"

/* Numbers that are judgement, each with its default in lane_knobs_default(). */
struct lane_knobs {
	u32 watch_ppb;		/* wrong symbols in 10^9: drifting */
	u32 retire_ppb;		/* to be replaced */
	u32 fail_ppb;		/* no use any more */
	u16 min_errors;		/* wrong symbols before a rate is believed */
	u16 common_pct;		/* of the map's lanes past a limit: common mode */
	u16 common_cdb;		/* median power lost by all lanes: common mode */
	u16 cluster_min;	/* neighbours lost at one time: a cluster */
	u16 margin_floor;	/* below: a ruined lane is dropped without a spare */
	u16 max_moves;		/* logical lanes that one change may move */
	u64 cluster_ns;		/* "at one time" */
	u64 horizon_ns;		/* a trend that reaches the retire limit so soon: replaced */
	u64 quarantine_ns;	/* first probation; doubles with each loss */
	u64 quarantine_max_ns;
	u64 calm_ns;		/* after a change before a lane is replaced that still works */
	u64 grow_ns;		/* after a change before the width grows */
};

struct lane_policy_cfg {
	struct lane_shape shape;
	struct lane_fec fec;
	u16 grid_x, grid_y;
	struct lane_knobs knobs;
};

/* What the policy remembers of a lane. */
struct lane_track {
	u64 errors;		/* the card's counters when last read */
	u32 mbits;
	u32 win_mbits;		/* evidence, halved as it ages */
	u64 win_errors;
	u64 until;		/* end of probation */
	u64 lost_at;		/* 0: it was dark when first seen */
	u64 bad_at;		/* left use for a reason of its own, 0: not, or before we came */
	u64 test_bits;		/* of the last PRBS test */
	u64 test_errors;
	s32 trend_cdb_h;	/* drift of its power against all others', 0.01 dB an hour */
	u32 ppb;		/* wrong symbols in 10^9, 0: none seen */
	u16 losses;
	u8 state;		/* enum lane_state */
	bool in_map;
	bool ruined;		/* failed by errors, not dark */
	bool known_bad;		/* in this cable, says its history: not to be trusted */
	bool off;		/* disabled by an administrator of this end */
};

struct lane_plan {
	bool change;		/* @map differs from the active one */
	s16 margin_now;		/* errors only, of the active map */
	s16 margin_then;	/* of @map */
	u16 replaced, dropped, grown;
	u16 pending;		/* dark lanes that stay in @map */
	u64 next_at;		/* look again then, even if nothing happens */
	struct lane_map map;	/* generation 0 */
	struct lane_notes notes;
};

/* Places of the grid that the policy can keep; beyond, distances count as equal. */
#define LANE_GRID_MAX		(4 * LANE_MAX)
#define LANE_SPARE_KEYS		2048

struct lane_policy {
	struct lane_policy_cfg cfg;
	u64 changed_at;
	u64 cluster_at;		/* newest loss of the cluster that was told of last; 0: none */
	u16 cluster_size;
	bool common, dark, held;	/* told of, and still so */
	struct lane_track track[LANE_MAX];
	/* Scratch of one call. */
	u16 nr_spares;
	u16 spares[LANE_MAX];	/* best first */
	u8 need[LANE_MAX];	/* by logical lane */
	u16 queue[LANE_MAX];
	u16 keys[LANE_SPARE_KEYS + 1];
	u16 cell[LANE_GRID_MAX];	/* lane at a place */
	u8 dist[LANE_GRID_MAX];		/* to the nearest failed lane */
	bool mark[LANE_MAX];
};

void lane_knobs_default(struct lane_knobs *knobs);
bool lane_policy_cfg_valid(const struct lane_policy_cfg *cfg);
/* @cfg must be valid. */
void lane_policy_init(struct lane_policy *pol, const struct lane_policy_cfg *cfg);
/* Takes in what the card says now. @rec has cfg.shape.total records. */
void lane_policy_observe(struct lane_policy *pol, const struct lane_rec *rec,
			 const struct lane_map *map, struct lane_notes *notes, u64 now);
/* What to do; after lane_policy_observe() of the same @rec and @map. */
void lane_policy_decide(struct lane_policy *pol, const struct lane_rec *rec,
			const struct lane_map *map, u64 now, struct lane_plan *plan);
/* A map became active: hysteresis counts from here. */
void lane_policy_changed(struct lane_policy *pol, u64 now);
void lane_policy_margin(const struct lane_policy *pol, const struct lane_rec *rec,
			const struct lane_map *map, struct lane_margin *m);

/* policy_spare.c: orders the usable spares, best first, into spares[]. */
void lane_policy_rank_spares(struct lane_policy *pol, const struct lane_rec *rec);
/* policy_spare.c: notes neighbours that were lost at one time. */
void lane_policy_clusters(struct lane_policy *pol, const struct lane_rec *rec,
			  struct lane_notes *notes, u64 now);

#endif /* LANE_POLICY_H */
