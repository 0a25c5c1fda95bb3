/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * What two endpoints of the provider say to each other, each a message of pnic_rails_send(). Both ends have
 * the same byte order, as libpnic wants it.
 *
 * A message to a receive:
 *
 *	EAGER			its bytes follow. Costs credit of the receiver until a receive has taken it
 *	RTS, n regions	->	the receiver reads the regions when a receive has taken it
 *			<-	FIN: it has them, or couldn't
 *	RTS, n = 0	->	as the sender has no credit, or memory that can't be registered
 *			<-	CTS: a receive has taken it; here is its number
 *	DATA ...	->	the bytes, straight to that receive
 *
 * A receiver whose own memory can't be registered answers an RTS with regions by CTS as well. ACK answers
 * a message that has ACK_WANTED when its bytes are where the receive wanted them.
 *
 * A message that fails may have been one that its receiver waits for. So whoever finds that the way to the other end is or was
 * gone ends all that it has under way with it, and says so (LOST) with the first message that gets through again; the other end
 * does the same then.
 *
 * One-sided: KEY_REQ, KEY_REP turn a region's 64-bit number into what the cards need, once for each peer and region;
 * ATOMIC, ATOMIC_REP: atomics are carried out by the target's software.
 */
#ifndef PFI_WIRE_H
#define PFI_WIRE_H

#include <stdint.h>

#include <pnic_rails.h>

#define WIRE_VERSION	1

enum wire_type {
	WIRE_EAGER	= 1,
	WIRE_RTS,
	WIRE_CTS,
	WIRE_DATA,
	WIRE_FIN,
	WIRE_ACK,
	WIRE_CREDIT,
	WIRE_KEY_REQ,
	WIRE_KEY_REP,
	WIRE_ATOMIC,
	WIRE_ATOMIC_REP,
	WIRE_TYPES
};

#define WIRE_TAGGED	(1U << 0)	/* EAGER, RTS: for a tagged receive */
#define WIRE_HAS_DATA	(1U << 1)	/* @data is the sender's CQ data */
#define WIRE_ACK_WANTED	(1U << 2)
#define WIRE_LOST	(1U << 3)	/* all: messages before it were lost, answers perhaps */

/* What an eager message costs of the receiver's window besides its bytes. */
#define WIRE_COST	128u

/**
 * struct wire_hdr - begins every message
 * @type: enum wire_type
 * @flags: WIRE_TAGGED ...
 * @n: RTS: regions that follow; ATOMIC: targets
 * @credit: bytes of window that the receiver gives back
 * @tag: EAGER, RTS: of the message; CTS, DATA: number of the receive; KEY_REQ, KEY_REP: the region's
 * @data: EAGER, RTS: CQ data; FIN, ACK, KEY_REP, ATOMIC_REP: 0 or an errno value
 * @tx: number of the operation at the initiator
 * @len: RTS: bytes of the message; CTS: of them that are wanted; DATA: where this piece goes
 */
struct wire_hdr {
	uint8_t type;
	uint8_t flags;
	uint16_t n;
	uint32_t credit;
	uint64_t tag;
	uint32_t data;
	uint32_t tx;
	uint64_t len;
};

/* A region of a message that is to be read. */
struct wire_seg {
	uint64_t addr;
	uint64_t len;
	struct pnic_rails_key key;
};

#define WIRE_MAX_SEGS	4

/* KEY_REP with data 0. */
struct wire_key {
	uint64_t base;		/* what the region's first byte is called by FI operations */
	struct pnic_rails_key key;
};

/* ATOMIC: then n times wire_target, then count elements of operand (none for a read), then of compare. */
struct wire_atomic {
	uint32_t count;		/* elements in all */
	uint8_t datatype;
	uint8_t op;
	uint8_t kind;		/* enum wire_atomic_kind */
	uint8_t rsvd;
};

enum wire_atomic_kind {
	WIRE_ATOMIC_BASE,
	WIRE_ATOMIC_FETCH,
	WIRE_ATOMIC_COMPARE,
};

struct wire_target {
	uint64_t addr;
	uint64_t key;
	uint64_t count;
};

#endif /* PFI_WIRE_H */
