/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of standby plans share: two ends under traffic, plans at both, looks at what
 * came of them. End 1 receives and loses lanes, end 0 transmits, unless a test says otherwise.
 * The clock goes by frames, so everything here is link time.
 */
#ifndef STANDBY_RIG_H
#define STANDBY_RIG_H

#include "link_rig.h"

#define LANES	460
#define WIDTH	425
#define RTT_NS	324		/* 20 m there and back, two decoders */

static inline bool some_came(struct rig *r)
{
	return r->end[1].got >= 1000;
}

static uint64_t until;

static inline bool it_is_time(struct rig *r)
{
	return pm_sim_now(r->sim) >= until;
}

/* Under traffic: @us of link time. */
static inline void run_us(struct rig *r, uint64_t us)
{
	until = pm_sim_now(r->sim) + us * 1000;
	CHECK(rig_until(r, it_is_time, 20000));
}

/* Both ends send as long as the test lasts, or until they have sent this. */
static inline void open_busy(struct rig *r, uint64_t frames)
{
	rig_new(r);
	rig_want(r, 0, frames);
	rig_want(r, 1, frames);
	CHECK(rig_until(r, some_came, 10000));
}

static inline int load(struct rig *r, int end, int dir, const struct rig_map *m)
{
	uint64_t why;
	int status = pm_port_standby(r->end[end].port, dir, m, rig_map_len(m), &why);

	return status == PNIC_AS_REFUSED ? (int)(100 + why) : status;
}

static inline void no_spare(struct rig *r, int end, int dir, struct rig_map *m)
{
	unsigned int l;

	rig_map_get(r, end, dir, m);
	for (l = 0; l < le16toh(m->head.width); l++)
		m->phys[l] = htole16(PNIC_LANE_NONE);
}

/* Spare l mod S for logical lane l, at both ends. */
static inline void plan_all(struct rig *r, int receiver)
{
	struct rig_map m;
	unsigned int l;

	rig_map_get(r, receiver, PNIC_DIR_RX, &m);
	for (l = 0; l < le16toh(m.head.width); l++)
		m.phys[l] = htole16((uint16_t)(r->config.lanes_data + l % r->config.lanes_spare));
	CHECK_EQ(load(r, !receiver, PNIC_DIR_TX, &m), PNIC_AS_OK);
	CHECK_EQ(load(r, receiver, PNIC_DIR_RX, &m), PNIC_AS_OK);
}

/* The same single entry at both ends. */
static inline void plan_one(struct rig *r, unsigned int logical, unsigned int spare)
{
	struct rig_map m;

	no_spare(r, 1, PNIC_DIR_RX, &m);
	m.phys[logical] = htole16((uint16_t)spare);
	CHECK_EQ(load(r, 0, PNIC_DIR_TX, &m), PNIC_AS_OK);
	CHECK_EQ(load(r, 1, PNIC_DIR_RX, &m), PNIC_AS_OK);
}

static inline unsigned int on_lane(struct rig *r, int end, int dir, unsigned int logical)
{
	struct rig_map m;

	rig_map_get(r, end, dir, &m);
	return le16toh(m.phys[logical]);
}

static inline unsigned int planned(struct rig *r, int end, int dir)
{
	unsigned int l, n = 0;
	struct rig_map m;

	if (!pm_port_standby_get(r->end[end].port, dir, &m, sizeof(m)))
		return 0;
	for (l = 0; l < le16toh(m.head.width); l++)
		n += le16toh(m.phys[l]) != PNIC_LANE_NONE;
	return n;
}

static inline struct pm_standby_stats stats(struct rig *r, int end)
{
	struct pm_standby_stats s;

	pm_port_standby_stats(r->end[end].port, &s);
	return s;
}

static inline void check_generation(struct rig *r, uint32_t generation)
{
	struct rig_map tx, rx;

	rig_map_get(r, 0, PNIC_DIR_TX, &tx);
	rig_map_get(r, 1, PNIC_DIR_RX, &rx);
	CHECK_EQ(le32toh(tx.head.generation), generation);
	CHECK_EQ(le32toh(rx.head.generation), generation);
	CHECK_EQ(rig_map_len(&tx), rig_map_len(&rx));
	CHECK(!memcmp(&tx, &rx, rig_map_len(&tx)));
	CHECK_EQ(rig_info(r, 1).staged_rx, 0);
}

/* Not a bit was wrong, nor sent twice. */
static inline void check_hitless(struct rig *r)
{
	struct pnic_counters c;
	int i;

	for (i = 0; i < 2; i++) {
		c = rig_counters(r, i);
		CHECK_EQ(c.frames_replayed, 0);
		CHECK_EQ(c.frames_crc_bad, 0);
		CHECK_EQ(c.frames_dropped, 0);
		CHECK_EQ(c.codewords_uncorrectable, 0);
		CHECK_EQ(c.link_downs, 0);
	}
	rig_check(r);
}

static inline int stage(struct rig *r, int end, int dir, const struct rig_map *m)
{
	uint64_t why;

	return pm_port_map_stage(r->end[end].port, dir, m, rig_map_len(m), &why);
}

static inline void next_map(struct rig *r, struct rig_map *m, unsigned int logical, unsigned int lane)
{
	rig_map_get(r, 0, PNIC_DIR_TX, m);
	m->head.generation = htole32(le32toh(m->head.generation) + 1);
	m->phys[logical] = htole16((uint16_t)lane);
}

#endif /* STANDBY_RIG_H */
