/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What proto.c (messages, peer, time), proto_rx.c, proto_tx.c and proto_plan.c (the
 * state machines) share.
 */
#ifndef LANE_PROTO_PRIV_H
#define LANE_PROTO_PRIV_H

#include "proto.h"

#define LANE_ASTRAY_REPORTS	2	/* that differ, before it is more than a crossing */

static inline bool lane_seq_reached(u32 seq, u32 mark)
{
	return (s32)(seq - mark) >= 0;
}

/* Doubles *@ns up to the longest; the time after it. */
u64 lane_proto_backoff(const struct lane_proto *p, u64 *ns, u64 now);
void lane_proto_act(struct lane_proto *p, u8 type, u8 dir, u32 generation);
void lane_proto_send(struct lane_proto *p, u8 msg);
/* A heartbeat that wants an answer. */
void lane_proto_ask(struct lane_proto *p);
void lane_proto_send_ref(struct lane_proto *p, u8 msg, u32 id, u32 generation, u32 sum, u16 reason);
void lane_proto_report(struct lane_proto *p, u8 code, u8 dir, u32 a, u32 b, u64 now);
/* The map of @dir is now this one; @card: by its standby plan. */
void lane_proto_report_switch(struct lane_proto *p, u8 dir, const struct lane_map *map, bool card,
			      u64 now);

void lane_proto_rx_init(struct lane_proto *p, const struct lane_map *map);
void lane_proto_rx_event(struct lane_proto *p, u8 event, u64 now);
void lane_proto_rx_answer(struct lane_proto *p, const struct lane_msg *m, u64 now);
void lane_proto_rx_map(struct lane_proto *p, const struct lane_map *map, u64 now);
/* Compares what the far end sends by with what is received by. */
void lane_proto_rx_judge(struct lane_proto *p, u32 echo, u64 now);
u64 lane_proto_rx_due(const struct lane_proto *p);
void lane_proto_rx_tick(struct lane_proto *p, u64 now);

void lane_proto_tx_init(struct lane_proto *p, const struct lane_map *map);
void lane_proto_tx_event(struct lane_proto *p, u8 event, u64 now);
void lane_proto_tx_proposal(struct lane_proto *p, const struct lane_msg *m, u64 now);
void lane_proto_tx_go(struct lane_proto *p, const struct lane_msg *m, u64 now);
void lane_proto_tx_map(struct lane_proto *p, const struct lane_map *map, u64 now);
/* Compares what the far end receives by with what is sent. @fresh: it was just taken as peer. */
void lane_proto_tx_judge(struct lane_proto *p, u32 echo, bool fresh, u64 now);
bool lane_proto_tx_agrees(const struct lane_proto *p);
u64 lane_proto_tx_due(const struct lane_proto *p);
void lane_proto_tx_tick(struct lane_proto *p, u64 now);

void lane_proto_plan_init(struct lane_proto *p);
void lane_proto_rx_plan_event(struct lane_proto *p, u8 event, u64 now);
void lane_proto_tx_plan_event(struct lane_proto *p, u8 event, u64 now);
/* PLAN. */
void lane_proto_tx_plan(struct lane_proto *p, const struct lane_msg *m, u64 now);
/* PLANNED. */
void lane_proto_rx_planned(struct lane_proto *p, const struct lane_msg *m, u64 now);
/*
 * The active map is about to become @map. @expected: as this end had it staged. True if the card
 * did it by its plan.
 */
bool lane_proto_rx_plan_map(struct lane_proto *p, const struct lane_map *map, bool expected,
			    u64 now);
bool lane_proto_tx_plan_map(struct lane_proto *p, const struct lane_map *map, bool expected,
			    u64 now);
/* What failed before may work now. */
void lane_proto_plan_retry(struct lane_proto *p);
void lane_proto_plan_peer_reset(struct lane_proto *p, u64 now);
void lane_proto_plan_moves(struct lane_proto *p, struct lane_msg *m);
u64 lane_proto_plan_due(const struct lane_proto *p);
void lane_proto_plan_tick(struct lane_proto *p, u64 now);

#endif /* LANE_PROTO_PRIV_H */
