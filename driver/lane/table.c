// SPDX-License-Identifier: GPL-2.0
/*
 * Decoding of the lane table that a card wrote. Nothing in it is believed
 * before it was checked.
 */
#include "table.h"

size_t lane_table_size(u16 total)
{
	return sizeof(struct pnic_lane_table) + (size_t)total * sizeof(struct pnic_lane_rec);
}

static bool rec_sane(const struct pnic_lane_rec *raw, u16 lane)
{
	return le16_to_cpu(raw->lane) == lane && raw->state <= PNIC_LANE_OFF;
}

static void rec_decode(struct lane_rec *rec, const struct pnic_lane_rec *raw)
{
	rec->sym_errors = le64_to_cpu(raw->sym_errors);
	rec->mbits = le32_to_cpu(raw->mbits);
	rec->age_hours = le32_to_cpu(raw->age_hours);
	rec->generation = le32_to_cpu(raw->generation);
	rec->power_cdb = (s16)le16_to_cpu(raw->power_cdb);
	rec->bias_ua10 = le16_to_cpu(raw->bias_ua10);
	rec->x = raw->x;
	rec->y = raw->y;
	rec->state = raw->state;
	rec->flags = raw->flags;
}

int lane_table_decode(struct lane_rec *rec, u16 total, const void *buf, size_t len)
{
	const struct pnic_lane_table *head = buf;
	const struct pnic_lane_rec *raw;
	u32 seq;
	u16 i;

	if (len < lane_table_size(total))
		return LANE_TABLE_SHORT;
	seq = le32_to_cpu(head->seq_begin);
	if (seq & 1 || seq != le32_to_cpu(head->seq_end))
		return LANE_TABLE_TORN;
	if (le16_to_cpu(head->count) != total)
		return LANE_TABLE_COUNT;
	if (le16_to_cpu(head->rec_size) != sizeof(*raw))
		return LANE_TABLE_RECORD;

	raw = (const struct pnic_lane_rec *)(head + 1);
	for (i = 0; i < total; i++)
		if (!rec_sane(&raw[i], i))
			return LANE_TABLE_RECORD;
	for (i = 0; i < total; i++)
		rec_decode(&rec[i], &raw[i]);
	return LANE_TABLE_OK;
}
