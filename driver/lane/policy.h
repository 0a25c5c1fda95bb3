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
 *  4. replace dark lanes, then what an administrator asked for, then ruined,
 *     then retiring ones, by the best spare;
 *  5. shrink when the spares are out;
 *  6. grow back, slowly.
 *
 * Each call is linear in the number of lanes and grid places.
 *
 * policy.c decides; policy_observe.c takes the lane table in, policy_trend.c and
 * policy_common.c look at how power moves, policy_blind.c judges a link that FEC can't
 * read, policy_spare.c ranks spares,
 * policy_cluster.c finds patches, policy_standby.c plans for the card,
 * policy_admin.c does what an administrator asked for.
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

/* Where a PRBS test of a lane is. */
enum lane_test {
	LANE_TEST_NONE,
	LANE_TEST_WANTED,	/* to be started by whoever has the card */
	LANE_TEST_RUNNING,
	LANE_TEST_GONE,		/* the card says that none runs: its result is due */
};

/* Time constants of the trend filter: 1, 4, ... 4096 s. */
#define LANE_TREND_LEVELS	7

/* Running means of one quantity, 0.01 dB with 8 fraction bits. */
struct lane_trend {
	bool known;
	s32 mean[LANE_TREND_LEVELS];
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
	u32 ppb;		/* wrong symbols in 10^9, 0: none seen */
	s32 trend_cdb_h;	/* drift of its power against all others', 0.01 dB an hour */
	u32 limit_s;		/* until the trend reaches the retire limit; ~0: not in sight */
	u16 losses;
	u8 state;		/* enum lane_state */
	u8 verdict;		/* enum lane_event: what the last table says of it */
	u8 test;		/* enum lane_test */
	u8 test_tries;
	bool in_map;
	bool ruined;		/* failed by errors, not dark */
	bool known_bad;		/* in this cable, says its history: not to be trusted */
	bool off;		/* disabled by an administrator of this end */
	bool asked;		/* to be replaced, says an administrator */
	bool forced;		/* if there is no spare by dropping it */
	bool own;		/* has lost more light than all lanes together */
	bool blamed;		/* its last loss was counted, and may turn out to be a cut */
	bool clustered;		/* of a cluster that was told of */
	struct lane_trend power, quality;
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
/* Distances from what failed that a spare is ranked by; beyond they count as equal. */
#ifndef LANE_DISTANCES
#define LANE_DISTANCES		256
#endif
#define LANE_SPARE_KEYS		(8 * LANE_DISTANCES)

/* What was told of and still stands. */
struct lane_told {
	bool common, dark, held, blind;
};

struct lane_policy {
	struct lane_policy_cfg cfg;
	bool manage;		/* false: only what an administrator asks for */
	bool can_test;		/* a lane is tested before it may serve again */
	u64 budget_ns;		/* work on maps that could wait, in each second */
	u64 changed_at;
	u64 rested_at;		/* the budget allows a change that could wait */
	u64 cluster_due;	/* a cluster is to be told of then */
	bool common, dark;	/* so it is now */
	bool common_power;	/* the lanes' power says so */
	bool losing;		/* many codewords are beyond FEC */
	bool blind;		/* most codewords are beyond FEC: no errors are attributed */
	bool counted;		/* the card's counters when that was found are known */
	u64 codewords, codewords_lost;
	struct lane_told told;
	/* Power of all lanes together. */
	u64 trend_at;		/* of the last sample, 0: none */
	s32 median;		/* now, 0.01 dB */
	s32 base;		/* what it was, 8 fraction bits */
	s32 common_loss;	/* against that, 0.01 dB */
	u16 common_bad;		/* lanes of the map that err */
	struct lane_track track[LANE_MAX];
	struct lane_map standby;		/* the plan of last time */
	u16 standby_for[LANE_MAX];		/* lane that its entry stands by for */
	/* Scratch of one call. */
	u16 nr_spares;
	u16 spares[LANE_MAX];	/* best first */
	u8 need[LANE_MAX];	/* by logical lane */
	u16 queue[LANE_MAX];
	u16 keys[LANE_SPARE_KEYS + 1];
	u16 cell[LANE_GRID_MAX];	/* lane at a place */
	u8 dist[LANE_GRID_MAX];		/* to the nearest failed lane */
	bool mark[LANE_MAX];
	u32 weight[LANE_TREND_LEVELS];	/* of this sample, 16 fraction bits */
	u32 base_weight;
};

void lane_knobs_default(struct lane_knobs *knobs);
bool lane_policy_cfg_valid(const struct lane_policy_cfg *cfg);
/* @cfg must be valid. Manages, tests no lanes. */
void lane_policy_init(struct lane_policy *pol, const struct lane_policy_cfg *cfg);
/*
 * Codewords received, and of them beyond FEC, since the card's reset: before
 * lane_policy_observe(), or never. Most of them lost means that no errors are attributed, and
 * lanes are judged by their light.
 */
void lane_policy_codewords(struct lane_policy *pol, u64 all, u64 lost);
/* Takes in what the card says now. @rec has cfg.shape.total records. */
void lane_policy_observe(struct lane_policy *pol, const struct lane_rec *rec,
			 const struct lane_map *map, struct lane_notes *notes, u64 now);
/* What to do; after lane_policy_observe() of the same @rec and @map. */
void lane_policy_decide(struct lane_policy *pol, const struct lane_rec *rec,
			const struct lane_map *map, u64 now, struct lane_plan *plan);
/* A map became active: hysteresis counts from here. */
void lane_policy_changed(struct lane_policy *pol, u64 now);
/* A change of the map took @ns of work: counts against the budget. */
void lane_policy_worked(struct lane_policy *pol, u64 ns, u64 now);
void lane_policy_margin(const struct lane_policy *pol, const struct lane_rec *rec,
			const struct lane_map *map, struct lane_margin *m);
/*
 * For each logical lane of @map a spare that takes over if it is lost, at most @room
 * of them; as far from it as can be, few lanes on one spare, and no other one than last
 * time without need. After lane_policy_observe().
 */
void lane_policy_standby(struct lane_policy *pol, const struct lane_rec *rec,
			 const struct lane_map *map, u16 room, struct lane_map *plan);

/* The card has begun a test (@ok), or doesn't. */
void lane_policy_test_started(struct lane_policy *pol, u16 lane, bool ok,
			      struct lane_notes *notes, u64 now);
/* A test is over. Nothing happens if none was under way. */
void lane_policy_tested(struct lane_policy *pol, u16 lane, u64 errors, u64 bits,
			struct lane_notes *notes, u64 now);

/* policy_admin.c. @action: enum lane_request_action. */
/* 0, or enum lane_refuse; looks at the lane alone. */
u8 lane_policy_may(const struct lane_policy *pol, const struct lane_rec *rec, u16 lane, u8 action);
/* Does it; lane_policy_may() has agreed. */
void lane_policy_act(struct lane_policy *pol, u16 lane, u8 action, bool force,
		     struct lane_notes *notes, u64 now);
/* Takes back a lane_policy_act() of some time ago. */
void lane_policy_undo(struct lane_policy *pol, u16 lane, u8 action, struct lane_notes *notes,
		      u64 now);

/* ---- between the files of the policy ---- */

/* Moves a lane by the state table, with a note; false: it stays what it is. */
bool lane_policy_step(struct lane_policy *pol, u16 lane, u8 event, u8 actor,
		      struct lane_notes *notes, u64 now);
/* The verdict on a lit lane of a link that is beyond FEC. */
void lane_policy_by_light(struct lane_policy *pol, struct lane_track *t, s16 power_cdb);
/* What was counted before is no evidence any more. */
void lane_policy_forget(struct lane_track *t);
/* Orders the usable spares, best first, into spares[]. */
void lane_policy_rank_spares(struct lane_policy *pol, const struct lane_rec *rec);
bool lane_policy_grid_usable(const struct lane_policy *pol);
/* A lane's place in the arrays, LANE_GRID_MAX if the card put it off the grid. */
u32 lane_policy_place(const struct lane_policy *pol, const struct lane_rec *rec);
/* Notes neighbours that were lost at one time. */
void lane_policy_clusters(struct lane_policy *pol, const struct lane_rec *rec,
			  struct lane_notes *notes, u64 now);
/* The median power, and what it was; then each lane's trend. */
void lane_policy_trends(struct lane_policy *pol, const struct lane_rec *rec, u64 now);
/* Is it a common mode? After the lanes' verdicts. */
void lane_policy_common(struct lane_policy *pol, const struct lane_rec *rec,
			const struct lane_map *map, struct lane_notes *notes, u64 now);

#endif /* LANE_POLICY_H */
