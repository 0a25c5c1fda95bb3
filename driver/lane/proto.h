/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The lane protocol: how the two ends of a link agree on a lane map.
 *
 * Documentation/lane-protocol.rst describes it. Each end runs one struct
 * lane_proto, which is receiver (it proposes) of one direction and transmitter
 * (it moves the bits) of the other. Pure state machines: messages, outcomes
 * and time go in, actions come out. After each call the caller takes the
 * actions with lane_proto_next_action() and carries them out in order.
 *
 * Used by agent.c, which does that for the driver and for a switch port.
 */
#ifndef LANE_PROTO_H
#define LANE_PROTO_H

#include "map.h"
#include "note.h"
#include "proto_msg.h"

enum lane_rx_state {
	LANE_RX_IDLE = 1,
	LANE_RX_PROPOSED,	/* PROPOSE sent, no answer yet */
	LANE_RX_STAGING,	/* accepted; the own card is about to listen to both maps */
	LANE_RX_GO,		/* GO sent: bound to the proposal until it is over */
	LANE_RX_STATES
};

enum lane_rx_event {
	LANE_RXE_PROPOSE,	/* a new proposal of the policy */
	LANE_RXE_WITHDRAW,	/* the policy has none any more */
	LANE_RXE_ACCEPT,
	LANE_RXE_REJECT,
	LANE_RXE_STAGED,	/* the card listens, and the new lanes are in lock */
	LANE_RXE_REFUSED,	/* the card doesn't */
	LANE_RXE_SWITCHED,	/* the marker came */
	LANE_RXE_RESET,		/* far end reset, or the map became another one */
	LANE_RXE_TIMEOUT,
	LANE_RX_EVENTS
};

enum lane_tx_state {
	LANE_TX_IDLE = 1,
	LANE_TX_STAGING,	/* the own card is about to send on both maps */
	LANE_TX_STAGED,		/* ACCEPT sent */
	LANE_TX_SWITCHING,	/* marker ordered */
	LANE_TX_UNCONFIRMED,	/* sent; the far end hasn't said that it followed */
	LANE_TX_BACK_STAGING,	/* falling back to generation 1 */
	LANE_TX_BACK_SWITCHING,
	LANE_TX_STATES
};

enum lane_tx_event {
	LANE_TXE_PROPOSE,	/* a proposal that is right */
	LANE_TXE_AGAIN,		/* the one that is staged */
	LANE_TXE_GO,		/* for the one that is staged */
	LANE_TXE_STAGED,
	LANE_TXE_REFUSED,	/* by the own card */
	LANE_TXE_SWITCHED,
	LANE_TXE_SWITCH_FAILED,
	LANE_TXE_FOREIGN,	/* the map became another one by itself */
	LANE_TXE_AGREED,	/* the far end receives by this very map */
	LANE_TXE_ASTRAY,	/* for certain it doesn't */
	LANE_TXE_PEER_RESET,
	LANE_TXE_TIMEOUT,
	LANE_TX_EVENTS
};

/*
 * Standby plans, agreed in the same way. The receiver's card asks by its plan, so it is
 * the last to get one and the first to lose it.
 */
enum lane_rx_plan_state {
	LANE_RXP_NONE = 1,
	LANE_RXP_PROPOSED,	/* PLAN sent; the own card has none */
	LANE_RXP_LOADING,	/* the transmitter's card has it */
	LANE_RXP_LOADED,
	LANE_RXP_STATES
};

enum lane_rx_plan_event {
	LANE_RXPE_PLAN,		/* a new one of the policy */
	LANE_RXPE_DROP,		/* the policy has none */
	LANE_RXPE_PLANNED,
	LANE_RXPE_REFUSED,	/* by the far end */
	LANE_RXPE_LOADED,
	LANE_RXPE_FAILED,	/* the own card did not take it */
	LANE_RXPE_CARD,		/* the card has switched by it: the rest stays */
	LANE_RXPE_RESET,	/* far end reset, or the map became another one otherwise */
	LANE_RXPE_TIMEOUT,
	LANE_RXPE_GIVE_UP,	/* asked often enough */
	LANE_RXP_EVENTS
};

enum lane_tx_plan_state {
	LANE_TXP_NONE = 1,
	LANE_TXP_LOADING,
	LANE_TXP_LOADED,	/* PLANNED sent */
	LANE_TXP_STATES
};

enum lane_tx_plan_event {
	LANE_TXPE_PLAN,		/* one that is right */
	LANE_TXPE_AGAIN,	/* the one that is there */
	LANE_TXPE_EMPTY,	/* the receiver has none any more */
	LANE_TXPE_LOADED,
	LANE_TXPE_FAILED,	/* the own card did not take it */
	LANE_TXPE_CARD,		/* the card has switched by it: the rest stays */
	LANE_TXPE_RESET,	/* far end reset, or the map became another one otherwise */
	LANE_TXP_EVENTS
};

enum lane_action_type {
	LANE_ACT_SEND,		/* lane_proto_encode() it, hand it to the management channel */
	LANE_ACT_STAGE,		/* stage lane_proto_staged_map(dir), then lane_proto_staged() */
	LANE_ACT_SWITCH,	/* marker for @generation, then lane_proto_switch_done() */
	LANE_ACT_ABORT,		/* drop what is staged in @dir at @generation */
	LANE_ACT_REPORT,	/* tell @note */
	/* load lane_proto_standby_map(dir), width 0: none, then lane_proto_standby_done() */
	LANE_ACT_STANDBY,
};

struct lane_action {
	u8 type;		/* enum lane_action_type */
	u8 dir;			/* PNIC_DIR_* */
	u8 msg;			/* SEND: enum lane_msg_type */
	bool ask;		/* SEND: for an answer */
	u16 reason;
	u32 id, generation, sum;
	struct lane_note note;
};

#define LANE_ACTIONS_MAX	24	/* more than one call can make */

struct lane_proto_cfg {
	struct lane_shape shape;
	u16 msg_max;		/* of this end's management channel */
	u64 retry_ns;		/* first repetition; doubles */
	u64 retry_max_ns;
	u64 heartbeat_ns;
	u64 grace_ns;		/* maps must differ for so long before falling back */
	u64 stage_hold_ns;	/* the transmitter keeps a staged map so long without GO */
	u64 plan_renew_ns;	/* a loaded plan is told and loaded again */
	u16 plan_tries;		/* PLAN without success, until the map or the peer is another */
	u16 stuck_tries;	/* of PROPOSE or GO, then it is told */
};

/* @map: a spare, or LANE_NONE, for each logical lane of the active map. */
struct lane_standby {
	u8 state;
	u32 id, sum;
	struct lane_map map;
};

struct lane_proto {
	struct lane_proto_cfg cfg;
	u32 incarnation;
	u32 seq;		/* of the last message sent */
	u64 heartbeat_at, hello_at, hello_ns;

	struct {
		bool known;		/* a peer was taken; the rest is about it */
		bool knows_us;
		bool silent, told_shape, told_version, told_plan;
		bool plans;			/* has said something of standby plans */
		u32 incarnation;
		u32 seq;		/* last heard */
		u32 candidate, candidate_seq, challenge;
		u16 msg_max;
		u64 heard_at;
		struct lane_report report;
	} peer;

	struct {
		u8 state;		/* enum lane_rx_state */
		u32 id, sum, next_sum;
		u64 retry_at, retry_ns;
		u64 hold_until, hold_ns;	/* after a rejection */
		u16 tries;			/* of PROPOSE or GO, since there was an answer */
		u8 astray;			/* reports in a row that the far end differs */
		bool told_astray;
		u32 switch_seq;			/* first message sent after the last switch */
		u64 astray_since;
		struct lane_map active, next;
		struct lane_standby plan;
		u16 plan_tries;			/* since the map or the peer became another */
		u16 plan_refusal;		/* of the last try */
		u64 plan_at, plan_ns;		/* next repetition; in NONE: not before */
		u64 unload_at;			/* the card could not forget its plan */
	} rx;

	struct {
		u8 state;		/* enum lane_tx_state */
		u8 astray;		/* reports in a row that the far end differs */
		u32 id, sum, next_sum;
		u32 switch_seq;		/* first message sent after the last switch */
		u64 astray_since;
		u64 deadline;
		struct lane_map active, next;
		struct lane_standby plan;
	} tx;

	u64 nonsense;		/* messages refused */
	u64 nonsense_at;	/* no note of one before that */
	u64 stale;		/* of another time: repeated, or for an earlier incarnation */
	u16 nr_actions, next_action;
	struct lane_action action[LANE_ACTIONS_MAX];
	struct lane_map scratch;
	struct lane_wire_move moves[LANE_MSG_MAX / sizeof(struct lane_wire_move)];
};

/* Why lane_proto_propose() or lane_proto_plan() doesn't. */
enum lane_propose {
	LANE_PROPOSE_OK = 0,	/* under way (also if it was before) */
	LANE_PROPOSE_NO_PEER,
	LANE_PROPOSE_BUSY,	/* an earlier one can't be taken back any more */
	LANE_PROPOSE_ASTRAY,	/* the ends don't agree on the map of now */
	LANE_PROPOSE_HOLD,	/* too soon after a rejection, or given up */
	LANE_PROPOSE_MAP,	/* not a map, or more moves than a message takes */
};

void lane_proto_cfg_default(struct lane_proto_cfg *cfg);
/* @incarnation: not 0, and another one after each reset. @rx, @tx: the card's maps. */
void lane_proto_init(struct lane_proto *p, const struct lane_proto_cfg *cfg, u32 incarnation,
		     const struct lane_map *rx, const struct lane_map *tx, u64 now);
void lane_proto_rx_msg(struct lane_proto *p, const void *buf, size_t len, u64 now);
/* The card's active map of @dir as it is now; call it when it may have changed. */
void lane_proto_hw_map(struct lane_proto *p, u8 dir, const struct lane_map *map, u64 now);
/* Outcome of LANE_ACT_STAGE: 0, or why not (enum pnic_map_refusal, LANE_REJECT_CARD). */
void lane_proto_staged(struct lane_proto *p, u8 dir, u16 refusal, u64 now);
void lane_proto_switch_done(struct lane_proto *p, bool ok, u64 now);
/* The policy wants @map (its generation is ignored) for the receive direction. */
int lane_proto_propose(struct lane_proto *p, const struct lane_map *map, u64 now);
/* Could a proposal go out now? */
int lane_proto_ready(const struct lane_proto *p, u64 now);
/* The policy is content with the active map. */
void lane_proto_withdraw(struct lane_proto *p, u64 now);
/*
 * The policy's standby plan for the active receive map: its width (the generation is ignored), and
 * for each logical lane a spare or LANE_NONE. A spare may stand by for several. All LANE_NONE: no
 * plan. The one that is under way or loaded: nothing happens. Returns enum lane_propose.
 */
int lane_proto_plan(struct lane_proto *p, const struct lane_map *plan, u64 now);
/* Outcome of LANE_ACT_STANDBY. */
void lane_proto_standby_done(struct lane_proto *p, u8 dir, bool ok, u64 now);
/* What the card shall have now; width 0: no plan. Of the active generation. */
const struct lane_map *lane_proto_standby_map(const struct lane_proto *p, u8 dir);
void lane_proto_tick(struct lane_proto *p, u64 now);
/* When lane_proto_tick() has something to do. */
u64 lane_proto_due(const struct lane_proto *p);
u16 lane_proto_moves_max(const struct lane_proto *p);

bool lane_proto_next_action(struct lane_proto *p, struct lane_action *action);
/* Message of a LANE_ACT_SEND; @buf aligned to 4. */
size_t lane_proto_encode(struct lane_proto *p, const struct lane_action *action,
			 void *buf, size_t cap);
const struct lane_map *lane_proto_staged_map(const struct lane_proto *p, u8 dir);
/* Both directions run one map at both ends, as far as is known. */
bool lane_proto_agreed(const struct lane_proto *p);
const char *lane_rx_state_name(u8 state);
const char *lane_tx_state_name(u8 state);
const char *lane_rx_plan_state_name(u8 state);
const char *lane_tx_plan_state_name(u8 state);

#endif /* LANE_PROTO_H */
