/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel tells, as plain structs: one for each attribute set of
 * Documentation/netlink/specs/pnic.yaml, with its units.
 *
 * Filled by decode.c by the tables in fields.c, and drawn by everything else. A member
 * means something only if the bit of its attribute is set in @has (HAS()), flags apart:
 * those are false when absent. Each struct begins with @has.
 */
#ifndef PNIC_TOOL_TYPES_H
#define PNIC_TOOL_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/pnic_netlink.h>

#define HAS(obj, attr)	(((obj)->has >> (attr)) & 1)

/* An array that grows: @n items of a size that its user knows. */
struct list {
	void *items;
	unsigned int n;
};

/* A string of a list. */
struct text {
	char s[256];
};

struct dev {
	uint64_t has;
	uint64_t guid;
	uint32_t index, status, epoch, resets, nic_addr;
	uint32_t hw_major, hw_minor, fw_version;
	uint32_t lanes_data, lanes_spare, grid_x, grid_y;
	uint32_t lane_kbps, lane_payload_kbps;
	uint32_t fec_n, fec_k, fec_symbol_bits, striping;
	bool standby, lane_test;
	char name[32], bus_info[64], reset_reason[128];
	char serial[64], cable_serial[64], model[64];
};

struct link_dir {
	uint64_t has;
	uint32_t width, rate_mbps, generation, staged, checksum;
	uint32_t peer_generation, peer_checksum;
	bool agreed;
	char proto_state[32];
};

struct forecast {
	uint64_t has;
	uint32_t spares, lost;
	uint64_t observed_s, life_s, life_low_s, life_high_s;
};

struct bucket {
	uint64_t has;
	uint64_t upto_ns, count;
};

struct link {
	uint64_t has;
	uint32_t dev_index, status, width_max;
	uint8_t admin_up;
	struct link_dir rx, tx;
	int32_t margin, margin_erasure, margin_min, margin_min_window;
	uint32_t spares, active, watch, retiring, failed, quarantined, testing, disabled;
	uint32_t alarms, peer_incarnation;
	bool peer_known;
	uint64_t remaps, standby_remaps, downs, history_seq;
	struct forecast forecast;
	struct list remap_latency;		/* struct bucket */
};

struct lane {
	uint64_t has;
	uint32_t dev_index, index, direction, logical, x, y, status;
	uint32_t bias_ua, age_hours, error_ppb, error_ppb_low, error_ppb_high, evidence_mbits;
	uint32_t losses, generation, standby;
	int32_t power_cdb, trend_cdb_h;
	uint64_t sym_errors, mbits, probation_ms, test_bits, test_errors;
	bool erased, known_bad;
};

struct move {
	uint64_t has;
	uint32_t logical, from, to;
};

struct plan {
	uint64_t has;
	uint32_t dev_index, generation, width_now, width_then, rate_now_mbps, rate_then_mbps;
	int32_t margin_now, margin_then;
	bool preview;
	char refused[256];
	struct list moves;			/* struct move */
	struct list notes;			/* struct text */
};

/* u8 knobs too have 32 bits here: see knobs.c. */
struct policy {
	uint64_t has;
	uint32_t dev_index, revision;
	uint32_t knob[PNIC_A_POLICY_TEST_MBITS + 1];	/* by attribute, from MANAGE on */
};

struct history {
	uint64_t has;
	uint64_t seq, time_ns, wall_ns, missed;
	uint32_t dev_index, actor, direction, lane, other, logical, generation;
	char code[32], text[256];
};

struct record {
	uint64_t has;
	uint32_t lane, losses, age_hours;
	bool known_bad;
};

struct cable {
	uint64_t has;
	uint32_t dev_index, lanes;
	char cable_serial[64];
	struct list records;			/* struct record */
};

#define HIST_BINS	16			/* of the symbol-error histogram */

struct counters {
	uint64_t has;
	uint32_t dev_index;
	uint64_t frames_tx, frames_rx, frames_replayed, frames_crc_bad, frames_dropped;
	uint64_t payload_tx, payload_rx, line_bits_tx;
	uint64_t codewords, codewords_corrected, codewords_uncorrectable, symbols_corrected;
	uint64_t map_switches_rx, map_switches_tx, link_downs, mgmt_tx, mgmt_rx, mgmt_lost;
	uint64_t wqes, cqes, doorbells, interrupts, admin_timeouts, nonsense, lost_irqs;
	struct list hist;			/* uint64_t */
};

struct res {
	uint64_t has;
	uint32_t dev_index, file, pid, context, partition, regions, cqs, endpoints;
	bool dead;
	uint64_t pinned_bytes, ring_bytes;
	char comm[32];
};

struct object {
	uint64_t has;
	uint32_t dev_index, kind, id, file, pid, entries, rx_entries, rights, send_cq, recv_cq;
	bool dead;
	uint64_t bytes;
	char comm[32];
};

struct grant {
	uint64_t has;
	uint32_t dev_index, partition, uid;
};

struct change {
	uint64_t has;
	uint32_t lane, status, was, logical;
};

struct lane_event {
	uint64_t has;
	uint32_t dev_index, generation, events, more;
	uint64_t first_seq, last_seq;
	struct list changes;			/* struct change */
};

struct health {
	uint64_t has;
	uint32_t dev_index, status, alarms, raised, cleared;
	char text[256];
};

#endif /* PNIC_TOOL_TYPES_H */
