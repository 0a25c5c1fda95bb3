/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Notes: what the lane code saw, decided or refused, and why.
 *
 * A note is a few numbers, so that it can be kept in a ring and sent by
 * netlink; lane_note_text() is the one place that puts it in words.
 */
#ifndef LANE_NOTE_H
#define LANE_NOTE_H

#include "lane_types.h"

enum lane_note_code {
	LANE_NOTE_NONE,
	/* The policy. */
	/*
	 * lane; a, b: from and to; logical: enum lane_event. Of errors, c: rate in 10^-9,
	 * d: errors it rests on. Of a trend, c: s32, 0.01 dB an hour, d: seconds left.
	 */
	LANE_NOTE_STATE,
	LANE_NOTE_REPLACE,	/* lane -> other for logical; a: state of lane */
	LANE_NOTE_DROP,		/* lane leaves, nothing takes its place; logical */
	LANE_NOTE_MOVE,		/* lane: from logical a to logical */
	LANE_NOTE_GROW,		/* lane joins as logical */
	LANE_NOTE_WIDTH,	/* a -> b */
	LANE_NOTE_MARGIN,	/* a -> b, as s32 */
	LANE_NOTE_HELD,		/* width stays a with b dark lanes: less would cost margin */
	LANE_NOTE_CLUSTER,	/* a lanes at x = lane, y = other, radius b; logical: kind */
	LANE_NOTE_COMMON,	/* a of b lanes err together; c: power lost by all, 0.01 dB */
	LANE_NOTE_COMMON_OVER,	/* c: power lost by all, s32 */
	LANE_NOTE_DARK,		/* no lane of a works */
	LANE_NOTE_BLIND,	/* beyond FEC: judged by light, a of b lanes are bad */
	LANE_NOTE_MORE,		/* a notes had no room */
	LANE_NOTE_TABLE,	/* lane table unusable: a is enum lane_table_fault */
	LANE_NOTE_TESTED,	/* lane: a wrong bits of b * 2^20; c: 1, good enough */
	/* An administrator. */
	LANE_NOTE_ASKED,	/* lane: enum lane_request_action a; b: forced */
	LANE_NOTE_SETTINGS,	/* other settings are in force */
	LANE_NOTE_UNDONE,	/* lane: action a was taken back; LANE_NONE: settings were */
	/* The link itself. */
	LANE_NOTE_LINK,		/* a: enum pnic_link_state, b: what it was */
	/* The protocol. */
	LANE_NOTE_PEER,		/* far end found: incarnation a */
	LANE_NOTE_RESTART,	/* far end was reset: incarnation a */
	LANE_NOTE_SILENT,	/* nothing heard for a ms */
	LANE_NOTE_HEARD,	/* heard again */
	LANE_NOTE_VERSION,	/* far end speaks version a */
	LANE_NOTE_SHAPE,	/* far end has a data lanes of b */
	LANE_NOTE_NONSENSE,	/* message refused: a is enum lane_msg_fault, b its length */
	LANE_NOTE_ASTRAY,	/* dir; near end at generation a, far end at b */
	LANE_NOTE_FALLBACK,	/* dir; from generation a back to 1 */
	LANE_NOTE_REJECTED,	/* our proposal of generation a: enum lane_reject b */
	LANE_NOTE_REFUSED,	/* dir; own card refused generation a: b */
	LANE_NOTE_SWITCHED,	/* dir; generation a, width b */
	LANE_NOTE_MAP,		/* dir; the card's map makes no sense: b */
	LANE_NOTE_CARD,		/* the card did not do it: a is enum lane_card_op, error b */
	LANE_NOTE_STUCK,	/* dir; far end doesn't go on to generation a after b requests */
	LANE_NOTE_UNPLANNED,	/* far end takes no standby plan: enum lane_reject a, 0: silent */
	LANE_NOTE_CODES
};

/* Who has made a change; as enum pnic_actor of the uapi. */
enum lane_actor {
	LANE_ACTOR_POLICY,
	LANE_ACTOR_CARD,	/* by its standby plan */
	LANE_ACTOR_PEER,
	LANE_ACTOR_ADMIN,
};

/* What a cluster looks like, and so what it is. */
enum lane_cluster {
	LANE_CLUSTER_PATCH,	/* dirt */
	LANE_CLUSTER_ROW,	/* a row driver */
	LANE_CLUSTER_COLUMN,
	LANE_CLUSTER_EDGE,	/* misalignment: the lanes along an edge of the grid */
	LANE_CLUSTER_KINDS
};

/* Operations of a card, for LANE_NOTE_CARD. */
enum lane_card_op {
	LANE_OP_LINK,
	LANE_OP_TABLE,
	LANE_OP_MAP_GET,
	LANE_OP_MAP_STAGE,
	LANE_OP_LANE_TEST,
	LANE_OP_CODEWORDS,
	LANE_OPS
};

struct lane_note {
	u64 at;			/* ns, the caller's clock */
	u8 code;		/* enum lane_note_code */
	u8 dir;			/* PNIC_DIR_* */
	u8 actor;		/* enum lane_actor */
	u16 lane;
	u16 other;
	u16 logical;
	u32 a, b, c, d;
};

/* The proofs of tests/cbmc/ have fewer. */
#ifndef LANE_NOTES_MAX
#define LANE_NOTES_MAX		128
#endif

struct lane_notes {
	u16 nr;
	u16 lost;		/* that had no room */
	struct lane_note note[LANE_NOTES_MAX];
};

/* Takes a copy of @note; counts it as lost when there is no room. */
void lane_notes_add(struct lane_notes *notes, const struct lane_note *note);

/* One word for the kind of note, which does not change, e.g. "lane-state"; "?" for none. */
const char *lane_note_name(u8 code);

#define LANE_NOTE_TEXT_MAX	128
/* One line without newline; returns its length. */
int lane_note_text(const struct lane_note *note, char *buf, size_t cap);

#endif /* LANE_NOTE_H */
