/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * What libnccl-net-pnic.so tells NCCL's profiler plugins about transfers and links.
 *
 * NCCL hands a profiler the plugin's number, PNIC_NCCL_PROFILER_ID, and a struct pnic_nccl_event: when a transfer begins, and
 * as an update of all transfers under way when a link changed while they were. NCCL 2.26 and later.
 */
#ifndef PNIC_NCCL_H
#define PNIC_NCCL_H

#include <stdint.h>

#define PNIC_NCCL_PROFILER_ID	(0x504eLL << 16 | 1)	/* type << 16 | version of the struct */

enum pnic_nccl_event_type {
	PNIC_NCCL_TRANSFER	= 1,
	PNIC_NCCL_RAIL		= 2,
};

/**
 * struct pnic_nccl_event - what happened
 * @type: enum pnic_nccl_event_type
 * @sends: TRANSFER: 1: this end sends, 0: receives
 * @device: NCCL's number of the device
 * @rail: RAIL: which card of the device
 * @what: RAIL: 1 rate changed, 2 link down, 3 link up, 4 card lost, 5 card back (enum pnic_rails_event_type)
 * @width: RAIL: lanes that carry data now
 * @width_max: RAIL: lanes of the full width
 * @peer_nic: TRANSFER: fabric address of the other end's first card
 * @rate_mbps: payload rate of the device now, all cards
 * @tag: TRANSFER: NCCL's
 * @rsvd: 0
 * @length: TRANSFER: bytes; of a receive the size of the buffer
 */
struct pnic_nccl_event {
	uint8_t type;
	uint8_t sends;
	uint16_t device;
	uint16_t rail;
	uint16_t what;
	uint32_t width;
	uint32_t width_max;
	uint32_t peer_nic;
	uint32_t rate_mbps;
	int32_t tag;
	uint32_t rsvd;
	uint64_t length;
};

#endif /* PNIC_NCCL_H */
