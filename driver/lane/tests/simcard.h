/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small link with a card at each end, for tests of the lane protocol.
 *
 * It obeys hardware-interface.rst 8.4 to 8.7 and nothing more: maps are staged and
 * switched, markers travel in the stream, messages are lost, repeated and held up
 * (but keep their order, and never overtake a marker). Lanes die, cards mend them by
 * their standby plans, and reset. After each step it checks that a symbol is read by
 * the map it was sent by.
 */
#ifndef LANE_TEST_SIMCARD_H
#define LANE_TEST_SIMCARD_H

#include "../map.h"
#include "../proto_msg.h"
#include "rng.h"

#define SIM_LANES		480
#define SIM_STREAM		64
#define SIM_INBOX		16

struct sim_map {
	u32 generation;
	u16 width;
	u16 phys[SIM_LANES];
};

enum sim_kind { SIM_MSG, SIM_MARKER, SIM_REMAP, SIM_REQUEST };

struct sim_item {
	u64 at;
	enum sim_kind kind;
	u16 len;
	u32 sum;			/* marker: of the map; request: of the one that results */
	struct sim_map map;		/* request: the moves, LANE_NONE elsewhere */
	u32 msg[LANE_MSG_MAX / 4];
};

/* What end @e sends to the other one. */
struct sim_dir {
	bool dark[SIM_LANES];
	u16 lit;
	struct sim_map tx, tx_staged, line, rx, rx_staged;	/* staged: generation 0 is none */
	struct sim_item stream[SIM_STREAM];
	u32 head, tail;
	u64 last_at;
	u64 heartbeat_at;		/* of the markers after a reset */
	bool after_reset;
	/* Standby plans, generation 0 is none, and the receiver's request. */
	struct sim_map tx_plan, rx_plan, moves;
	bool asking;			/* rx_staged is the card's own */
	u32 moves_sum;
	u16 repeats;
	u64 repeat_at, look_at;
	bool corrupted;			/* by sim_corrupt(), and not mended yet */
};

/* Messages that arrived at an end. */
struct sim_inbox {
	u32 head, tail;
	u16 len[SIM_INBOX];
	u32 msg[SIM_INBOX][LANE_MSG_MAX / 4];
};

struct sim_link {
	struct lane_shape shape;
	struct rng rng;
	u64 now;
	/* Knobs of a schedule. */
	u32 loss, dup, stall, marker_loss, refuse;	/* percent */
	u32 flight, flight_spread, stall_ns, heartbeat_ns;
	u32 detect_ns;			/* until a dark lane is known to be lost, at most */
	bool fallback_keeps_staged;	/* the interface leaves it open */
	bool no_standby;
	u16 grid_x;
	struct sim_dir dir[2];
	struct sim_inbox inbox[2];
	/* What was found wrong, and how much was seen. */
	const char *broken;
	u64 markers, fallbacks, sent, delivered, requests, mended, wrong_sums;
};

void sim_init(struct sim_link *l, const struct lane_shape *shape, u64 seed);
/* When something arrives next. */
u64 sim_next(const struct sim_link *l);
void sim_advance(struct sim_link *l, u64 now);
void sim_reset(struct sim_link *l, int end);
void sim_lane(struct sim_link *l, int from, u16 lane, bool dark);

/* The card at @end. As struct lane_card_ops: 0, negative, or a refusal. */
int sim_stage(struct sim_link *l, int end, u8 dir, const struct lane_map *map);
int sim_switch(struct sim_link *l, int end, u32 generation);
int sim_abort(struct sim_link *l, int end, u8 dir, u32 generation);
/* @plan: width 0 for none. */
int sim_standby(struct sim_link *l, int end, u8 dir, const struct lane_map *plan);
/* A request for the spare of @logical goes out, though @end's card has given it up. */
void sim_late_request(struct sim_link *l, int end, u16 logical);
int sim_send(struct sim_link *l, int end, const void *msg, size_t len);
int sim_recv(struct sim_link *l, int end, void *buf);
/* The card's active map of @dir becomes another one under the same number, or no map at all. */
void sim_corrupt(struct sim_link *l, int end, u8 dir, bool impossible);
void sim_map(const struct sim_link *l, int end, u8 dir, struct lane_map *map);
/* The lane table that @end would write; its length. */
int sim_table(struct sim_link *l, int end, void *buf, size_t cap);
u32 sim_gen(const struct sim_link *l, int end, u8 dir);
/* Both ends of both directions run one map, and nothing is left staged. */
bool sim_settled(const struct sim_link *l);

#endif /* LANE_TEST_SIMCARD_H */
