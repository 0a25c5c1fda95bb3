/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Admin commands and completions of a pnic card.
 *
 * No code. Included by the driver and by the model, by nobody else;
 * Documentation/hardware-interface.rst explains every field. All fields are
 * little endian; reserved bytes are 0 and the card refuses what is not
 * (PNIC_AS_INVALID_FIELD).
 *
 * The driver chooses every id (context, queue, endpoint, region index) within
 * the limits that IDENTIFY gives, so a command whose completion was lost can be
 * sent again: creating a thing that exists gives PNIC_AS_EXISTS and destroying
 * one that doesn't PNIC_AS_NOT_FOUND, and nothing else changes.
 */
#ifndef PNIC_HW_ADMIN_H
#define PNIC_HW_ADMIN_H

#include <linux/types.h>

#define PNIC_ASQE_SIZE			64
#define PNIC_ACQE_SIZE			32
#define PNIC_PAGE_SIZE			4096	/* the card's page, whatever the host's */

enum pnic_admin_opcode {
	PNIC_ADM_NOP		= 0x00,
	PNIC_ADM_IDENTIFY	= 0x01,
	PNIC_ADM_CREATE_EQ	= 0x02,
	PNIC_ADM_DESTROY_EQ	= 0x03,
	PNIC_ADM_CREATE_CTX	= 0x04,
	PNIC_ADM_DESTROY_CTX	= 0x05,
	PNIC_ADM_BIND_DB	= 0x06,
	PNIC_ADM_UNBIND_DB	= 0x07,
	PNIC_ADM_CREATE_MR	= 0x08,
	PNIC_ADM_DESTROY_MR	= 0x09,
	PNIC_ADM_CREATE_CQ	= 0x0a,
	PNIC_ADM_DESTROY_CQ	= 0x0b,
	PNIC_ADM_CREATE_EP	= 0x0c,
	PNIC_ADM_DESTROY_EP	= 0x0d,
	PNIC_ADM_RESET_EP	= 0x0e,
	PNIC_ADM_CREATE_SRQ	= 0x0f,
	PNIC_ADM_DESTROY_SRQ	= 0x10,
	PNIC_ADM_CREATE_CTR	= 0x11,
	PNIC_ADM_DESTROY_CTR	= 0x12,
	PNIC_ADM_BIND_CTR	= 0x13,
	PNIC_ADM_CANCEL_RECV	= 0x14,
	PNIC_ADM_MR_SUSPEND	= 0x15,
	PNIC_ADM_MR_RESUME	= 0x16,

	PNIC_ADM_LINK_QUERY	= 0x20,
	PNIC_ADM_LINK_SET	= 0x21,
	PNIC_ADM_LANE_TABLE	= 0x22,
	PNIC_ADM_LANE_CTL	= 0x23,
	PNIC_ADM_MAP_QUERY	= 0x24,
	PNIC_ADM_MAP_STAGE	= 0x25,
	PNIC_ADM_MAP_SWITCH	= 0x26,
	PNIC_ADM_MAP_ABORT	= 0x27,
	PNIC_ADM_MGMT_SEND	= 0x28,
	PNIC_ADM_MGMT_RECV	= 0x29,
	PNIC_ADM_COUNTERS	= 0x2a,
	PNIC_ADM_STANDBY	= 0x2b,
	PNIC_ADM_LANE_TEST	= 0x2c,
};

enum pnic_admin_status {
	PNIC_AS_OK		= 0,
	PNIC_AS_BAD_OPCODE	= 1,
	PNIC_AS_INVALID_FIELD	= 2,	/* result[0]: byte offset of the field in the command */
	PNIC_AS_EXISTS		= 3,
	PNIC_AS_NOT_FOUND	= 4,
	PNIC_AS_BUSY		= 5,	/* something still depends on the object */
	PNIC_AS_NO_RESOURCE	= 6,
	PNIC_AS_DMA_FAULT	= 7,	/* result[0]: the DMA address */
	PNIC_AS_WRONG_STATE	= 8,	/* e.g. MAP_SWITCH with nothing staged */
	PNIC_AS_REFUSED		= 9,	/* e.g. a map with a lane twice; result[0]: why */
	PNIC_AS_LINK_DOWN	= 10,
	PNIC_AS_INTERNAL	= 11,
};

/* Common head of every command. */
struct pnic_adm_hdr {
	__u8	opcode;
	__u8	flags;		/* 0 */
	__le16	cid;		/* echoed in the completion */
	__le32	rsvd;
};

struct pnic_acqe {
	__le16	cid;
	__u8	opcode;
	__u8	status;		/* enum pnic_admin_status */
	__le32	asq_head;	/* free-running consumer index of the ASQ */
	__le64	result[2];
	__le32	rsvd;
	__le32	phase;		/* bit 0: 1 on the ring's first pass, then toggles; written last */
};

#define PNIC_PHASE			0x00000001u

/* IDENTIFY: writes one struct pnic_identify (4 KiB) to @addr. */
struct pnic_adm_identify {
	struct pnic_adm_hdr hdr;
	__le64	addr;		/* 4 KiB aligned */
	__u8	rsvd[48];
};

struct pnic_identify {
	__le32	hw_version;	/* as PNIC_REG_VERSION */
	__le32	fw_version;	/* vendor's */
	__le64	caps;		/* as PNIC_REG_CAPS */
	__le32	nic_addr;	/* this NIC's fabric address, 24 bits, never 0 */
	__le32	max_eq;
	__le32	max_ctx;	/* context ids 1..max_ctx */
	__le32	max_cq;		/* CQ numbers 0..max_cq-1 */
	__le32	max_ep;		/* endpoint numbers 0..max_ep-1, at most 2^24 */
	__le32	max_mr;		/* region indices 0..max_mr-1, at most 2^24 */
	__le32	max_mr_pages;	/* pages of one region */
	__u8	max_log_eq;	/* log2 of entries: queue depth limits */
	__u8	max_log_cq;
	__u8	max_log_sq;	/* in 64-byte slots */
	__u8	max_log_rq;
	__u8	max_sge;
	__u8	max_sqe_slots;	/* 64-byte slots of one descriptor */
	__u8	page_shift_max;	/* largest page of a region's page list */
	__u8	rsvd0;
	__le32	max_msg_size;	/* bytes */
	__le32	frame_payload;	/* bytes of payload in a full frame */
	/* The link. */
	__le16	lanes_data;	/* D: lanes of the full width, each direction */
	__le16	lanes_spare;	/* S */
	__le16	grid_x;		/* columns and rows of the lane grid */
	__le16	grid_y;
	__le32	lane_kbps;	/* raw rate of one lane, kb/s */
	__le32	payload_kbps;	/* what a lane adds to the payload rate, after FEC and coding */
	__le16	fec_n;		/* RS(n, k): symbols of a codeword, and of its data */
	__le16	fec_k;
	__u8	fec_symbol_bits;
	__u8	striping;	/* PNIC_STRIPE_* */
	__le16	mgmt_max;	/* bytes of one management message */
	__le32	rsvd2;
	__le64	guid;
	char	serial[32];	/* the card's, NUL padded */
	char	cable_serial[32];
	char	model_name[32];
	/* Version 1.2; 0 of a card without the capability. */
	__le32	max_srq;	/* shared receive queue numbers 0..max_srq-1, at most 2^24 */
	__le32	max_ctr;	/* counter numbers 0..max_ctr-1, at most 2^24 */
	__u8	rsvd1[4096 - 200];
};

#define PNIC_STRIPE_SYMBOL		0
#define PNIC_STRIPE_BIT			1

struct pnic_adm_create_eq {
	struct pnic_adm_hdr hdr;
	__le16	eqn;
	__le16	vector;		/* MSI-X vector */
	__u8	log_size;	/* of entries, 4..max_log_eq */
	__u8	rsvd0[3];
	__le64	base;		/* DMA address, 4 KiB aligned */
	__u8	rsvd[40];
};

/* DESTROY_EQ, DESTROY_CTX, DESTROY_CQ, DESTROY_EP, RESET_EP, DESTROY_MR (the index). */
struct pnic_adm_destroy {
	struct pnic_adm_hdr hdr;
	__le32	id;
	__u8	rsvd[52];
};

struct pnic_adm_create_ctx {
	struct pnic_adm_hdr hdr;
	__le32	ctx;
	__le32	partition;	/* the tenant: 16 bits */
	__u8	rsvd[48];
};

/* BIND_DB, UNBIND_DB: gives doorbell page @page to context @ctx, or takes it back. */
struct pnic_adm_bind_db {
	struct pnic_adm_hdr hdr;
	__le32	ctx;
	__le32	page;
	__u8	rsvd[48];
};

/*
 * CREATE_MR. The region is [va, va + length), cut in pages of 1 << page_shift
 * bytes beginning at va rounded down to such a page. The DMA address of each
 * page stands in a list of __le64:
 *  PBL_DIRECT: @pbl is the DMA address of the whole list, contiguous.
 *  PBL_PAGES:  @pbl is the DMA address of a contiguous list of __le64, each the DMA
 *              address of a 4 KiB page with 512 entries of the list.
 * The card copies the list before it completes the command.
 */
struct pnic_adm_create_mr {
	struct pnic_adm_hdr hdr;
	__le32	index;
	__le32	ctx;
	__le64	key;		/* bits 23:0 the index, 63:24 the tag: random, never 0 */
	__le64	va;
	__le64	length;		/* 1.. */
	__le64	pbl;
	__le32	num_pages;
	__u8	page_shift;	/* 12..page_shift_max */
	__u8	rights;		/* PNIC_MR_* */
	__u8	pbl_kind;
	__u8	rsvd0;
	__u8	rsvd[8];
};

#define PNIC_MR_LOCAL_READ		0x01	/* always there */
#define PNIC_MR_LOCAL_WRITE		0x02
#define PNIC_MR_REMOTE_READ		0x04
#define PNIC_MR_REMOTE_WRITE		0x08
#define PNIC_MR_REMOTE_ATOMIC		0x10
#define PNIC_PBL_DIRECT			0
#define PNIC_PBL_PAGES			1

struct pnic_adm_create_cq {
	struct pnic_adm_hdr hdr;
	__le32	cqn;
	__le32	ctx;
	__le64	base;		/* DMA address, 4 KiB aligned, contiguous */
	__le16	eqn;		/* gets PNIC_EV_CQ when armed */
	__u8	log_size;	/* of 32-byte entries */
	__u8	rsvd0;
	__le32	db_page;	/* a doorbell page bound to ctx */
	__le16	db_slot;	/* 8-byte slot in it, PNIC_DB_SLOT_FIRST.. */
	__u8	rsvd[30];
};

struct pnic_adm_create_ep {
	struct pnic_adm_hdr hdr;
	__le32	epn;
	__le32	ctx;
	__le64	sq_base;	/* DMA addresses, 4 KiB aligned, contiguous */
	__le64	rq_base;	/* 0 with rq_log_size 0: no receive ring */
	__u8	sq_log_size;	/* of 64-byte slots, at least 4 */
	__u8	rq_log_size;	/* of 32-byte entries */
	__le16	flags;		/* PNIC_EPF_* */
	__le32	send_cqn;
	__le32	recv_cqn;
	__le32	db_page;
	__le16	sq_slot;
	__le16	rq_slot;
	__le32	rnr_timeout_us;	/* wait for a receive buffer at the far end; 0: not at all */
	__le32	srqn;		/* with PNIC_EPF_SRQ, else 0 */
	__u8	rsvd[4];
};

#define PNIC_EPF_STOP_ON_ERROR		0x0001	/* first failed transfer stops the send ring */
#define PNIC_EPF_SRQ			0x0002	/* receives from the queue @srqn */

struct pnic_adm_create_srq {
	struct pnic_adm_hdr hdr;
	__le32	srqn;
	__le32	ctx;
	__le64	base;		/* DMA address, 4 KiB aligned, contiguous */
	__u8	log_size;	/* of 32-byte entries */
	__u8	rsvd0[3];
	__le32	db_page;
	__le16	db_slot;
	__u8	rsvd[30];
};

/* A counter: the card writes a struct pnic_ctr_mem to @addr. */
struct pnic_adm_create_ctr {
	struct pnic_adm_hdr hdr;
	__le32	ctr;
	__le32	ctx;
	__le64	addr;		/* DMA address, 64-byte aligned */
	__le16	eqn;		/* gets PNIC_EV_CTR when armed */
	__le16	db_slot;
	__le32	db_page;
	__u8	rsvd[32];
};

/* BIND_CTR: what @kinds name of endpoint @epn is counted by @ctr from now on, or by none. */
struct pnic_adm_bind_ctr {
	struct pnic_adm_hdr hdr;
	__le32	epn;
	__le32	ctr;		/* 0 if @bind is 0 */
	__le16	kinds;		/* PNIC_CTR_* of pnic_queue.h, not 0 */
	__u8	bind;		/* 0 or 1 */
	__u8	rsvd[45];
};

/* CANCEL_RECV: takes a receive entry back that no message has taken. */
struct pnic_adm_cancel_recv {
	struct pnic_adm_hdr hdr;
	__le32	id;		/* endpoint or shared receive queue */
	__le32	index;		/* of the entry, free running */
	__u8	srq;		/* 0: of an endpoint's own ring, 1: of a shared queue */
	__u8	rsvd[47];
};

/* LINK_QUERY: writes one struct pnic_link_info to @addr (64-byte aligned). */
struct pnic_adm_buf {
	struct pnic_adm_hdr hdr;
	__le64	addr;
	__le32	length;		/* of the buffer */
	__le32	arg;		/* LANE_TABLE, MAP_QUERY: direction; else 0 */
	__u8	rsvd[40];
};

/* LINK_SET */
struct pnic_adm_link_set {
	struct pnic_adm_hdr hdr;
	__u8	admin_up;
	__u8	rsvd[55];
};

/* LANE_CTL: switches a transmit lane's light on or off. */
struct pnic_adm_lane_ctl {
	struct pnic_adm_hdr hdr;
	__le16	lane;
	__u8	enable;
	__u8	rsvd[53];
};

/*
 * MAP_STAGE: loads a struct pnic_map of @length bytes from @addr as the staged map
 * of a direction. MAP_SWITCH (transmit only) puts the marker for it into the
 * stream; MAP_ABORT drops it. See pnic_lane.h.
 *
 * STANDBY: loads a standby plan for the active map of a direction, in the form of a
 * struct pnic_map: @generation and width are the active map's, phys[l] is the
 * spare that takes over when the lane of logical lane l is lost, or PNIC_LANE_NONE. A
 * spare may stand by for several. @length 0 (and @addr 0): there is no plan any more.
 */
struct pnic_adm_map {
	struct pnic_adm_hdr hdr;
	__le64	addr;
	__le32	length;
	__le32	generation;
	__u8	dir;		/* PNIC_DIR_* */
	__u8	rsvd[39];
};

/*
 * LANE_TEST: counts wrong bits of the PRBS that a receive lane carries while it is in no
 * map. START, READ and STOP; READ and STOP give result[0] = wrong bits, result[1] = bits.
 */
struct pnic_adm_lane_test {
	struct pnic_adm_hdr hdr;
	__le16	lane;
	__u8	op;		/* PNIC_LANE_TEST_* */
	__u8	rsvd0;
	__le32	mbits;		/* START: 2^20 bits to look at, 1..; else 0 */
	__u8	rsvd[48];
};

#define PNIC_LANE_TEST_START		0
#define PNIC_LANE_TEST_READ		1
#define PNIC_LANE_TEST_STOP		2

/* MGMT_SEND, MGMT_RECV: result[0] of RECV is the message's length, 0 if there is none. */
struct pnic_adm_mgmt {
	struct pnic_adm_hdr hdr;
	__le64	addr;
	__le32	length;
	__u8	rsvd[44];
};

#endif /* PNIC_HW_ADMIN_H */
