/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Both ends of the lane protocol in one process, on the cards of simcard.h.
 *
 * It does for struct lane_proto what the agent does (looks at the card's maps before
 * messages are judged, carries out actions), without a policy: tests propose and plan
 * what they like. An end can be told to misbehave.
 */
#ifndef LANE_TEST_PAIR_H
#define LANE_TEST_PAIR_H

#include "../proto.h"
#include "simcard.h"

enum pair_manners {
	PAIR_GOOD,
	PAIR_SILENT,		/* sends nothing */
	PAIR_SHY,		/* heartbeats, but never an answer */
	PAIR_LAZY,		/* accepts everything, never switches */
	PAIR_LIAR,		/* says that it has switched, and hasn't */
	PAIR_BABBLER,		/* sends noise, and its messages damaged */
	PAIR_OLD,		/* knows no standby plans */
};

struct pair_end {
	struct lane_proto proto;
	bool dead;			/* reset, driver not there again yet */
	u64 back_at;
	u64 notice_at;			/* the card's map events are looked at */
	u64 verify_at;			/* the card's maps are read anew */
	enum pair_manners manners;
	u32 notes[LANE_NOTE_CODES];
	u64 noted_at[LANE_NOTE_CODES];	/* the last one */
	u32 by_card;			/* switches that were known as the card's */
	u64 sent;
};

extern struct sim_link sim;
extern struct pair_end ends[2];
extern u64 pair_switches;
extern bool pair_most_actions;		/* a call had no room for more */

extern const struct lane_proto_cfg pair_knobs;

/* After sim_init(). */
void pair_start(void);
void pair_reset(int e, u64 back_after);
void pair_run_until(u64 stop);
void pair_carry_out(int e);
bool pair_agree(void);
/* Any map that is one, of at most the full width. */
void pair_random_map(struct lane_map *map);
/* A spare, by chance, for some of the lanes of @e's receive map. */
void pair_random_plan(int e, struct lane_map *plan);
/* Prints where everything is. */
void pair_describe(void);

#endif /* LANE_TEST_PAIR_H */
