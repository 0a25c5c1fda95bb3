/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The messages of the lane protocol: their form on the management channel.
 *
 * Documentation/lane-protocol.rst is the description. Decoding trusts nothing:
 * a message is either right in every field or refused with a reason.
 */
#ifndef LANE_PROTO_MSG_H
#define LANE_PROTO_MSG_H

#include "lane_types.h"

#define LANE_MSG_VERSION	1
#define LANE_MSG_MAX		2048	/* never longer, whatever the card allows */

enum lane_msg_type {
	LANE_MSG_HELLO		= 1,	/* struct lane_wire_hello */
	LANE_MSG_HEARTBEAT	= 2,	/* the head alone */
	LANE_MSG_PROPOSE	= 3,	/* struct lane_wire_propose, moves */
	LANE_MSG_ACCEPT		= 4,	/* struct lane_wire_ref, as the rest */
	LANE_MSG_REJECT		= 5,
	LANE_MSG_GO		= 6,
	LANE_MSG_CONFIRM	= 7,
	LANE_MSG_PLAN		= 8,	/* as PROPOSE, for the map of now: (logical, spare) */
	LANE_MSG_PLANNED	= 9,	/* struct lane_wire_ref; reason 0: loaded */
	LANE_MSG_TYPES
};

enum lane_reject {
	LANE_REJECT_NONE	= 0,
	LANE_REJECT_WIDTH	= PNIC_MAPR_WIDTH,	/* 1..6: as the card's */
	LANE_REJECT_RANGE	= PNIC_MAPR_RANGE,
	LANE_REJECT_TWICE	= PNIC_MAPR_TWICE,
	LANE_REJECT_GENERATION	= PNIC_MAPR_GENERATION,
	LANE_REJECT_OFF		= PNIC_MAPR_OFF,
	LANE_REJECT_IN_USE	= PNIC_MAPR_IN_USE,
	LANE_REJECT_SUM		= 16,	/* what results isn't what was meant */
	LANE_REJECT_NOT_STAGED	= 17,	/* GO for a proposal that isn't staged */
	LANE_REJECT_CARD	= 18,	/* the transmitter's card failed */
	LANE_REJECT_DARK	= 19,	/* a lane of the new map is dark */
};

/*
 * Head of every message; all fields little endian. It says what the sender
 * runs, so that every message serves as a heartbeat.
 */
struct lane_wire_head {
	__u8	version;
	__u8	type;
	__le16	length;		/* of the whole message */
	__le32	from;		/* sender's incarnation, not 0 */
	__le32	to;		/* the receiver's as the sender knows it, 0: unknown */
	__le32	seq;		/* counts the sender's messages, from 1 */
	__le32	echo;		/* last seq that the sender heard, 0: none */
	__le32	rx_gen;
	__le32	rx_sum;		/* lane_map_sum() */
	__le32	tx_gen;
	__le32	tx_sum;
	__le16	rx_width;
	__le16	tx_width;
	__le16	flags;		/* LANE_MSGF_* */
	__le16	rsvd;
};

#define LANE_MSGF_KNOWN		0x0001	/* the sender has taken @to as its peer */
#define LANE_MSGF_ANSWER	0x0002	/* it wants a report now, and not by the next heartbeat */

struct lane_wire_hello {
	__le16	data;
	__le16	total;
	__le16	msg_max;
	__le16	rsvd;
};

struct lane_wire_propose {
	__le32	id;
	__le32	generation;
	__le32	sum;		/* of the map that results; PLAN: of the plan */
	__le16	width;
	__le16	count;		/* moves that follow, ascending by logical lane */
};

struct lane_wire_move {
	__le16	logical;
	__le16	phys;
};

struct lane_wire_ref {
	__le32	id;
	__le32	generation;
	__le32	sum;
	__le16	reason;		/* REJECT, PLANNED: enum lane_reject; else 0 */
	__le16	rsvd;
};

/* What a sender says of itself. */
struct lane_report {
	u32 rx_gen, rx_sum;
	u32 tx_gen, tx_sum;
	u16 rx_width, tx_width;
};

/* A message, decoded. */
struct lane_msg {
	u8 type;
	bool known, answer;	/* LANE_MSGF_* */
	u32 from, to, seq, echo;
	struct lane_report report;
	/* HELLO */
	u16 data, total, msg_max;
	/* PROPOSE, ACCEPT, REJECT, GO, CONFIRM, PLAN, PLANNED */
	u32 id, generation, sum;
	u16 reason, width, count;
	const struct lane_wire_move *moves;	/* in the caller's buffer */
};

enum lane_msg_fault {
	LANE_MSG_OK,
	LANE_MSG_SHORT,
	LANE_MSG_VERSIONED,	/* another version */
	LANE_MSG_LENGTH,
	LANE_MSG_TYPE,
	LANE_MSG_HEAD,		/* reserved or unknown bits, no incarnation, no number */
	LANE_MSG_BODY,
	LANE_MSG_FAULTS
};

/* Moves that a proposal or plan of @msg_max bytes has room for. */
u16 lane_msg_moves_max(u16 msg_max);
/* 0 or enum lane_msg_fault. @buf must be aligned to 4. */
int lane_msg_decode(struct lane_msg *m, const void *buf, size_t len);
/* Moves other than m->count are not copied. Returns the length, 0 if it doesn't fit. */
size_t lane_msg_encode(const struct lane_msg *m, void *buf, size_t cap);
const char *lane_msg_fault_name(u32 fault);
const char *lane_reject_name(u32 reason);

#endif /* LANE_PROTO_MSG_H */
