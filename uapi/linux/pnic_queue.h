/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * Descriptors, completions and doorbells of a pnic card's user queues.
 *
 * These layouts are ABI between user space and the card: the rings lie in
 * memory that the kernel allocates and maps, the kernel is not on the way.
 * All fields are little endian. Reserved fields and bits are 0.
 *
 * Every index is free running and 32 bits wide; entry i of a ring of 2^n
 * entries stands at i & (2^n - 1).
 */
#ifndef _UAPI_LINUX_PNIC_QUEUE_H
#define _UAPI_LINUX_PNIC_QUEUE_H

#include <linux/types.h>

#define PNIC_SLOT_SIZE		64	/* one slot of a send ring */
#define PNIC_SQE_MAX_SLOTS	5	/* slots of the longest descriptor */
#define PNIC_SQE_INLINE_BASE	16	/* inline bytes that fit the first slot */
#define PNIC_SQE_MAX_INLINE	(PNIC_SQE_INLINE_BASE + 64 * (PNIC_SQE_MAX_SLOTS - 1))
#define PNIC_SQE_MAX_SGE	8
#define PNIC_MAX_MSG_SIZE	0xffffffffu

/* Operations: struct pnic_sqe.opcode, and in completions. */
#define PNIC_OP_NOP		0x00
#define PNIC_OP_SEND		0x01
#define PNIC_OP_SEND_IMM	0x02
#define PNIC_OP_WRITE		0x03
#define PNIC_OP_WRITE_IMM	0x04	/* also takes a receive entry at the far end */
#define PNIC_OP_READ		0x05
#define PNIC_OP_FETCH_ADD	0x06	/* length 4 or 8, naturally aligned at the far end */
#define PNIC_OP_COMP_SWAP	0x07
#define PNIC_OP_FLUSH		0x08	/* completes when all earlier ones of this endpoint have */
#define PNIC_OP_WRITE_SIGNAL	0x09	/* a write; then an 8-byte word there is added to, or set */
/* Completions of receive entries. */
#define PNIC_OP_RECV		0x81	/* a send arrived */
#define PNIC_OP_RECV_IMM	0x82	/* with immediate: .data */
#define PNIC_OP_RECV_WRITE_IMM	0x84	/* a write with immediate arrived: .data */

/* struct pnic_sqe.flags */
#define PNIC_SQF_SIGNALED	0x01	/* a completion also on success; errors always have one */
#define PNIC_SQF_FENCE		0x02	/* begins when all earlier ones of it are complete */
#define PNIC_SQF_INLINE		0x04	/* the payload is in the descriptor */
#define PNIC_SQF_QUIET		0x08	/* gives ring space back: completes with PNIC_CQE_QUIET */

/**
 * struct pnic_sqe - first slot of a send descriptor
 * @opcode: PNIC_OP_*
 * @flags: PNIC_SQF_*
 * @num_sge: 0 or 1: the buffer is @local_addr, @local_key; 2..8: the buffers are
 *	struct pnic_sge in the following slots, two a slot
 * @num_slots: slots of this descriptor, 1..5
 * @length: bytes of payload in all; for atomics 4 or 8
 * @cookie: given back in the completion
 * @dest_nic: fabric address of the far NIC, 24 bits
 * @dest_ep: endpoint number there, 24 bits
 * @remote_addr: address in the far region (write, read, atomics)
 * @remote_key: its key
 * @imm: immediate value; addend of FETCH_ADD, new value of COMP_SWAP
 * @local_addr: local buffer; with PNIC_SQF_INLINE the payload begins here and runs
 *	on through the following slots (ring wrap as for the slots); the value to
 *	compare with of COMP_SWAP
 * @local_key: key of the local region
 *
 * Atomics leave the old value in the completion's @data.
 */
struct pnic_sqe {
	__u8	opcode;
	__u8	flags;
	__u8	num_sge;
	__u8	num_slots;
	__le32	length;
	__le64	cookie;
	__le32	dest_nic;
	__le32	dest_ep;
	__le64	remote_addr;
	__le64	remote_key;
	__le64	imm;
	__le64	local_addr;
	__le64	local_key;
};

/**
 * struct pnic_sge - one buffer of a list, 32 bytes
 * @addr: address in the region of @key
 * @key: key of the local region
 * @length: bytes
 * @rsvd: 0
 */
struct pnic_sge {
	__le64	addr;
	__le64	key;
	__le32	length;
	__le32	rsvd[3];
};

/**
 * struct pnic_signal - last slot of a PNIC_OP_WRITE_SIGNAL descriptor, 64 bytes
 * @addr: address of the word, 8-byte aligned, in the far region of @key
 * @key: key of that region, which has remote atomic
 * @value: what is added or stored
 * @op: PNIC_SIGNAL_ADD, PNIC_SIGNAL_SET
 * @rsvd: 0
 *
 * The word changes, in one access, when the payload is visible; not at all if the transfer fails.
 */
struct pnic_signal {
	__le64	addr;
	__le64	key;
	__le64	value;
	__u8	op;
	__u8	rsvd[39];
};

#define PNIC_SIGNAL_ADD		0
#define PNIC_SIGNAL_SET		1

/**
 * struct pnic_rqe - receive ring entry, 32 bytes
 * @cookie: given back in the completion
 * @addr: buffer in the region of @key; ignored when @length is 0
 * @key: key of a region with local write
 * @length: bytes
 * @rsvd: 0
 */
struct pnic_rqe {
	__le64	cookie;
	__le64	addr;
	__le64	key;
	__le32	length;
	__le32	rsvd;
};

/**
 * struct pnic_cqe - completion queue entry, 32 bytes
 * @cookie: of the descriptor or receive entry
 * @data: immediate value (RECV_IMM, RECV_WRITE_IMM), old value (atomics), else 0
 * @length: bytes transferred
 * @nic_op: bits 23:0 fabric address of the other NIC, 31:24 PNIC_OP_*
 * @peer_status: bits 31:24 enum pnic_cqe_status; bits 23:0: receive: the
 *	sender's endpoint number; send: low bits of the send ring's consumer index
 *	after this descriptor, which retires all earlier ones too
 * @ep_flags: bits 23:0 the local endpoint's number; bit 30 PNIC_CQE_QUIET; bit 31 the
 *	phase: 1 on the ring's first pass, then toggles; the card writes it last
 */
struct pnic_cqe {
	__le64	cookie;
	__le64	data;
	__le32	length;
	__le32	nic_op;
	__le32	peer_status;
	__le32	ep_flags;
};

#define PNIC_CQE_LOW24		0x00ffffffu
#define PNIC_CQE_HIGH_SHIFT	24
#define PNIC_CQE_PHASE		0x80000000u
#define PNIC_CQE_QUIET		0x40000000u	/* in ep_flags: asked for by PNIC_SQF_QUIET only */

/* How a transfer ended. Values never change. */
enum pnic_cqe_status {
	PNIC_ST_OK		= 0,
	PNIC_ST_BAD_DESC	= 1,	/* unknown opcode or flag, slots, count or length wrong */
	PNIC_ST_LOCAL_KEY	= 2,	/* no such region in this context */
	PNIC_ST_LOCAL_BOUNDS	= 3,
	PNIC_ST_LOCAL_RIGHTS	= 4,
	PNIC_ST_REMOTE_KEY	= 5,	/* no such region at the far end, or of another partition */
	PNIC_ST_REMOTE_BOUNDS	= 6,
	PNIC_ST_REMOTE_RIGHTS	= 7,
	PNIC_ST_REMOTE_EP	= 8,	/* none there, or stopped, or of another partition */
	PNIC_ST_UNREACHABLE	= 9,	/* no such NIC on the fabric */
	PNIC_ST_RNR		= 10,	/* no receive entry in time */
	PNIC_ST_TOO_LONG	= 11,	/* longer than the receive buffer; both ends get it */
	PNIC_ST_ALIGN		= 12,	/* atomic: length or alignment */
	PNIC_ST_LINK		= 13,	/* link down for longer than the data age */
	PNIC_ST_PEER_RESET	= 14,	/* the far NIC was reset during the transfer */
	PNIC_ST_FLUSHED		= 15,	/* not begun: endpoint stopped or reset */
	PNIC_ST_DMA_FAULT	= 16,	/* this host's memory could not be reached */
	PNIC_ST_REMOTE_DMA	= 17,	/* the far host's memory could not be reached */
	PNIC_ST_OVERRUN		= 18,	/* ring index out of range; endpoint or CQ stopped */
	PNIC_ST_FATAL		= 19,	/* the card failed */
	PNIC_ST_LOCAL_MOVED	= 20,	/* the local region is being moved: repeat it */
	PNIC_ST_REMOTE_MOVED	= 21,	/* the far region is being moved: repeat it */
};

/**
 * struct pnic_ctr_mem - a completion counter, as the card writes it, 64 bytes
 * @ok: transfers that succeeded
 * @failed: transfers that failed
 * @rsvd: 0
 *
 * Each is one 64-bit store, after the data of the transfer and after its completion entry, if it
 * has one. They begin at 0 and never go back.
 */
struct pnic_ctr_mem {
	__le64	ok;
	__le64	failed;
	__le64	rsvd[6];
};

/* What of an endpoint a counter counts. */
#define PNIC_CTR_SEND		0x01	/* sends that ended */
#define PNIC_CTR_WRITE		0x02	/* writes, with immediate or signal as well */
#define PNIC_CTR_READ		0x04
#define PNIC_CTR_ATOMIC		0x08
#define PNIC_CTR_RECV		0x10	/* receive entries that completed */
#define PNIC_CTR_REMOTE_WRITE	0x20	/* writes of others to here that succeeded */
#define PNIC_CTR_REMOTE_ATOMIC	0x40	/* atomics of others, the same */
#define PNIC_CTR_ALL		0x7f

/*
 * Doorbell page: 512 slots of 8 bytes, written by one process.
 *
 * Slot 0 is read only by convention: where the card has the park capability it
 * sets bit 0 before it goes to sleep, and a producer that has rung a doorbell reads
 * it after a full memory barrier and, if set, stores anything to the wake page.
 * Without the capability it is always 0.
 */
#define PNIC_DB_SLOT_PARK	0
#define PNIC_DB_SLOT_FIRST	8	/* slots 1..7 are reserved */
#define PNIC_DB_SLOTS		512
#define PNIC_DB_PARKED		0x1

/*
 * Values of a slot, one 64-bit store each (or two 32-bit stores, low half last,
 * where 64-bit ones are not atomic):
 *  send ring, receive ring: bits 31:0 the producer index
 *  completion queue: bits 31:0 the consumer index; bit 32: send an event when
 *	the entry of this index is there, or a later one (once)
 *  counter: bits 62:0 a threshold, each change of the value arms: send an event when
 *	ok + failed is the threshold or more (once); 0 and 2^63 disarm
 */
#define PNIC_DB_CQ_ARM		(1ULL << 32)
#define PNIC_DB_CTR_TOGGLE	(1ULL << 63)	/* to make a value differ from the last */

/**
 * struct pnic_status_page - read-only page with the device's live state
 * @seq: odd while the kernel writes; read before and after
 * @epoch: counts device resets; a context made in another epoch is dead
 * @link_state: 0 down, 1 up, 2 switched off
 * @width: lanes that carry data, transmit
 * @width_max: lanes of the full width
 * @rate_mbps: payload rate now, transmit, Mb/s
 * @generation: of the transmit map
 * @margin: more lanes that can die with every codeword still corrected, receive
 * @spares: working lanes in no map, receive
 * @events: counts changes of anything else
 * @width_rx: lanes that carry data, receive
 * @rate_rx_mbps: payload rate now, receive, Mb/s; 0: a kernel that doesn't say
 * @rsvd: 0
 *
 * Written by the kernel, mapped read only, one for each device.
 */
struct pnic_status_page {
	__u32	seq;
	__u32	epoch;
	__u32	link_state;
	__u32	width;
	__u32	width_max;
	__u32	rate_mbps;
	__u32	generation;
	__u32	margin;
	__u32	spares;
	__u32	events;
	__u32	width_rx;
	__u32	rate_rx_mbps;
	__u32	rsvd[4];
};

#endif /* _UAPI_LINUX_PNIC_QUEUE_H */
