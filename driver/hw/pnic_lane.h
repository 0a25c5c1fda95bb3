/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lanes, lane maps and the link as the card reports them.
 *
 * No code. Included by the driver and by the model, by nobody else;
 * Documentation/hardware-interface.rst explains every field.
 *
 * Each direction of a link has D + S physical lanes, numbered 0..D+S-1, and a
 * map of its own: map[l] is the physical lane that carries logical lane l, for
 * l in 0..width-1. The receiver sees the errors and proposes a map, the
 * transmitter moves the bits; both switch at a marker in the stream.
 */
#ifndef PNIC_HW_LANE_H
#define PNIC_HW_LANE_H

#include <linux/types.h>

#define PNIC_LANES_MAX			4096
#define PNIC_DIR_RX			0
#define PNIC_DIR_TX			1

/* What the card can tell of a physical lane by itself. */
enum pnic_lane_state {
	PNIC_LANE_IDLE		= 0,	/* lit, in no map: a spare */
	PNIC_LANE_ACTIVE	= 1,	/* carries a logical lane of the active map */
	PNIC_LANE_STAGED	= 2,	/* carries one of the staged map, beside the active one */
	PNIC_LANE_LOS		= 3,	/* no light, or no marker for 100 us */
	PNIC_LANE_OFF		= 4,	/* switched off by LANE_CTL at the transmitter */
};

/* PNIC_EV_LANE codes. */
enum pnic_lane_cause {
	PNIC_LANE_CAUSE_LOS	= 1,	/* lost: data[0] = link clock of the loss, ns */
	PNIC_LANE_CAUSE_BACK	= 2,	/* light and lock are back */
	/* symbol errors past the threshold; data[0] = errors, data[1] = symbols seen */
	PNIC_LANE_CAUSE_SER	= 3,
	/* LANE_TEST is over; data[0] = wrong bits, data[1] = bits looked at */
	PNIC_LANE_CAUSE_TESTED	= 4,
};

/* One record of the lane table: a physical receive lane. */
struct pnic_lane_rec {
	__le16	lane;
	__le16	logical;	/* logical lane in the active map, PNIC_LANE_NONE */
	__u8	x;		/* place on the grid */
	__u8	y;
	__u8	state;		/* enum pnic_lane_state */
	__u8	flags;		/* PNIC_LANEF_* */
	__le32	generation;	/* of the map that last put the lane to use or took it out */
	__le32	mbits;		/* observed since reset, 2^20 bits, modulo 2^32 */
	__le64	sym_errors;	/* corrected symbols attributed to the lane since reset */
	__le16	power_cdb;	/* received optical power, 0.01 dB against nominal, signed */
	__le16	bias_ua10;	/* far transmitter's bias current, 10 uA */
	__le32	age_hours;	/* hours lit */
};

#define PNIC_LANE_NONE			0xffff
#define PNIC_LANEF_ERASED		0x01	/* the decoder treats its symbols as erasures */
#define PNIC_LANEF_SER			0x02	/* past the symbol error threshold */
#define PNIC_LANEF_TESTING		0x04	/* LANE_TEST is running */

/*
 * LANE_TABLE writes this head, then count records. It makes @seq_begin odd
 * first and writes the next even number to both last: a reader that finds them
 * unequal or odd reads again.
 */
struct pnic_lane_table {
	__le32	seq_begin;
	__le32	seq_end;
	__le16	count;
	__le16	rec_size;	/* 32 */
	__le32	generation;	/* of the active receive map */
	__le64	clock_ns;
	__u8	rsvd[40];
	/* struct pnic_lane_rec rec[count]; */
};

struct pnic_map {
	__le32	generation;
	__le16	width;		/* 1..D */
	__le16	rsvd;
	/* __le16 phys[width]; */
};

/* PNIC_AS_REFUSED, result[0], of MAP_STAGE. */
enum pnic_map_refusal {
	PNIC_MAPR_WIDTH		= 1,	/* width 0 or over D, or the buffer is too short */
	PNIC_MAPR_RANGE		= 2,	/* no such lane */
	PNIC_MAPR_TWICE		= 3,	/* a lane carries two logical lanes */
	PNIC_MAPR_GENERATION	= 4,	/* not the active generation + 1 */
	PNIC_MAPR_OFF		= 5,	/* the lane is switched off */
	PNIC_MAPR_IN_USE	= 6,	/* STANDBY: the spare carries a logical lane already */
};

enum pnic_link_state {
	PNIC_LINK_DOWN		= 0,	/* no lane works in one direction, or cut */
	PNIC_LINK_UP		= 1,
	PNIC_LINK_DISABLED	= 2,	/* by LINK_SET at this end */
};

struct pnic_link_info {
	__u8	state;		/* enum pnic_link_state */
	__u8	rsvd0;
	__le16	margin;		/* more dead lanes that every codeword survives, errors only */
	__le16	margin_erasure;	/* the same if each is marked as an erasure */
	__le16	margin_min;	/* smallest margin since the last LINK_QUERY */
	__le16	width_rx;	/* logical lanes */
	__le16	width_tx;
	__le32	gen_rx;
	__le32	gen_tx;
	__le32	staged_rx;	/* generation of the staged map, 0: none */
	__le32	staged_tx;
	__le32	rate_tx_mbps;	/* payload rate, Mb/s, at the present width */
	__le32	rate_rx_mbps;
	__le32	rsvd1;
	__le64	clock_ns;
	__u8	rsvd[16];
};

/* COUNTERS: since reset, never going back. */
struct pnic_counters {
	__le64	frames_tx;
	__le64	frames_rx;
	__le64	frames_replayed;	/* sent again by link-level retry */
	__le64	frames_crc_bad;		/* received with a wrong frame check */
	__le64	frames_dropped;		/* by the receiver, out of sequence */
	__le64	payload_tx;		/* bytes, first transmission */
	__le64	payload_rx;
	__le64	line_bits_tx;		/* line bits while the transmitter had work */
	__le64	codewords_rx;
	__le64	codewords_corrected;
	__le64	codewords_uncorrectable;
	__le64	symbols_corrected;
	__le64	hist[16];		/* codewords by wrong symbols, 15: 15 and more */
	__le64	map_switches_rx;
	__le64	map_switches_tx;
	__le64	link_downs;
	__le64	mgmt_tx;
	__le64	mgmt_rx;
	__le64	mgmt_lost;
	__le64	wqes;
	__le64	cqes;
	__le64	doorbells;
	__le64	interrupts;
	__le64	rsvd[26];
};

#endif /* PNIC_HW_LANE_H */
