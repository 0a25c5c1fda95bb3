/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The card's lane table, decoded and checked.
 */
#ifndef LANE_TABLE_H
#define LANE_TABLE_H

#include "lane_types.h"

struct lane_rec {
	u64 sym_errors;
	u32 mbits;
	u32 age_hours;
	u32 generation;
	s16 power_cdb;
	u16 bias_ua10;
	u8 x, y;
	u8 state;		/* enum pnic_lane_state */
	u8 flags;
};

/* Why a table can't be used. */
enum lane_table_fault {
	LANE_TABLE_OK = 0,
	LANE_TABLE_TORN,	/* read while the card wrote it: read again */
	LANE_TABLE_SHORT,
	LANE_TABLE_COUNT,
	LANE_TABLE_RECORD,	/* size, order or state of a record */
};

static inline bool lane_rec_dark(const struct lane_rec *rec)
{
	return rec->state == PNIC_LANE_LOS || rec->state == PNIC_LANE_OFF;
}

/* Bytes of a table of @total lanes. */
size_t lane_table_size(u16 total);
/* Fills rec[0..total-1] only if it returns 0. */
int lane_table_decode(struct lane_rec *rec, u16 total, const void *buf, size_t len);

#endif /* LANE_TABLE_H */
