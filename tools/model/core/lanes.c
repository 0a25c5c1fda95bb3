// SPDX-License-Identifier: GPL-2.0
/*
 * Lanes as the receiver knows them: lock and its loss, the symbol error threshold, what the lane
 * table says (hardware-interface.rst, 8.1 and 8.9). Called when a fault, a switch or a map
 * changed something, and by a direction's own timer.
 */
#include <endian.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "link_int.h"

/* PNIC_LANE_CAUSE_SER: more than 64 wrong symbols among the last 2^16. */
#define SER_ERRORS		64
#define SER_WINDOW		65536
#define POWER_DB_MIN		-300.0	/* of power_cdb, 16 bits */

static void schedule(struct pm_dir *d)
{
	uint64_t due = UINT64_MAX;
	unsigned int i;

	for (i = 0; i < d->lanes; i++) {
		const struct pm_lane *lane = &d->lane[i];

		if (lane->lock_due && lane->lock_due < due)
			due = lane->lock_due;
		if (lane->ser_due && lane->ser_due < due)
			due = lane->ser_due;
	}
	if (due == UINT64_MAX)
		pm_sim_cancel(d->link->sim, &d->lane_due);
	else
		pm_sim_at(d->link->sim, &d->lane_due, due);
}

/*
 * When a lane of error probability @p will have passed the threshold. By its rate: the errors
 * themselves are attributed only in codewords that are looked at.
 */
static void watch_threshold(struct pm_dir *d, struct pm_lane *lane, uint64_t now)
{
	const struct pm_link_config *c = &d->link->config;
	double p = lane->lit ? pm_optics_ser(lane->ber, c->fec_symbol_bits) : 0;

	if (p * SER_WINDOW <= SER_ERRORS) {
		lane->ser_due = 0;
		lane->ser = false;
	} else if (!lane->ser && !lane->ser_due) {
		lane->ser_due = now + 1 + (uint64_t)((SER_ERRORS + 1) / p * c->fec_symbol_bits /
						     c->lane_gbps);
	}
}

void pm_lanes_refresh(struct pm_dir *d, unsigned int i)
{
	const struct pm_link *link = d->link;
	struct pm_lane *lane = &d->lane[i];
	uint64_t now = pm_dir_now(d);

	if (pm_optics_update(lane, &link->config, link->q_nominal,
			     d->common_db + pm_optics_common_db(&link->config), link->cut))
		lane->lit_changed = now;
	if (lane->lit == lane->locked)
		lane->lock_due = 0;
	else if (!lane->lock_due)
		lane->lock_due = lane->lit_changed + link->config.los_detect_ns;
	watch_threshold(d, lane, now);
}

void pm_lanes_changed(struct pm_dir *d, bool fresh)
{
	unsigned int i;

	d->locked = 0;
	for (i = 0; i < d->lanes; i++)
		d->locked += d->lane[i].locked;
	pm_stream_load(d, fresh);
	schedule(d);
	pm_map_heartbeat(d);
	pm_link_review(d->link);
	pm_lanetest_review(d);
	pm_standby_review(d);
}

unsigned int pm_lanes_lit(const struct pm_dir *d)
{
	unsigned int i, lit = 0;

	for (i = 0; i < d->lanes; i++)
		lit += d->lane[i].lit;
	return lit;
}

bool pm_lanes_carry(const struct pm_dir *d, size_t len, struct pm_rng *rng)
{
	double lost = 1;
	unsigned int i;

	for (i = 0; i < d->lanes; i++)
		if (d->lane[i].lit)
			lost *= pm_optics_ser(d->lane[i].ber, (unsigned int)len * 8);
	return pm_rng_unit(rng) >= lost;
}

void pm_port_notify_lane(struct pm_dir *d, unsigned int lane, int cause, uint64_t a, uint64_t b)
{
	struct pm_link_event ev = {
		.type = PM_LINK_LANE,
		.cause = cause,
		.lane = (int)lane,
		.generation = d->rx_map->generation,
		.data = { a, b },
	};

	pm_port_notify(d->rx, ev);
}

static void lane_due(struct pm_dir *d, unsigned int i, uint64_t now)
{
	struct pm_lane *lane = &d->lane[i];

	if (lane->lock_due && lane->lock_due <= now) {
		lane->lock_due = 0;
		lane->locked = lane->lit;
		if (!lane->locked)
			lane->lost_at = now;
		if (lane->locked)
			pm_port_notify_lane(d, i, PNIC_LANE_CAUSE_BACK, 0, 0);
		else
			pm_port_notify_lane(d, i, PNIC_LANE_CAUSE_LOS, lane->lit_changed, 0);
	}
	if (lane->ser_due && lane->ser_due <= now) {
		lane->ser_due = 0;
		lane->ser = true;
		pm_port_notify_lane(d, i, PNIC_LANE_CAUSE_SER, SER_ERRORS + 1, (uint64_t)
				    ((SER_ERRORS + 1) /
				     pm_optics_ser(lane->ber, d->link->config.fec_symbol_bits)));
	}
}

static void due_event(void *arg, uint64_t now)
{
	struct pm_dir *d = arg;
	unsigned int i;

	pm_stream_settle(d);
	for (i = 0; i < d->lanes; i++)
		lane_due(d, i, now);
	pm_lanes_changed(d, false);
}

void pm_lanes_mapped(struct pm_dir *d, const struct pm_map *was)
{
	const struct pm_map *m = d->rx_map;
	unsigned int l;

	for (l = 0; l < was->width; l++) {
		d->lane[was->phys[l]].logical = PNIC_LANE_NONE;
		d->lane[was->phys[l]].generation = m->generation;
	}
	for (l = 0; l < m->width; l++) {
		struct pm_lane *lane = &d->lane[m->phys[l]];

		lane->logical = (uint16_t)l;
		lane->generation = m->generation;
	}
}

void pm_lanes_reset(struct pm_dir *d)
{
	unsigned int i;

	for (i = 0; i < d->lanes; i++) {
		d->lane[i].sym_errors = 0;
		d->lane[i].seen_ns = 0;
		d->lane[i].generation = d->rx_map->generation;
	}
}

void pm_lanes_init(struct pm_dir *d, uint64_t stream)
{
	pm_event_init(&d->lane_due, due_event, d, true);
	pm_rng_init(&d->lane_rng, d->link->config.seed, "spare lanes", stream);
}

bool pm_lanes_make(struct pm_dir *d, uint64_t stream)
{
	const struct pm_link_config *c = &d->link->config;
	unsigned int i, lanes = c->lanes_data + c->lanes_spare;
	struct pm_rng rng;

	d->lane = calloc(lanes, sizeof(*d->lane));
	if (!d->lane)
		return false;
	d->lanes = lanes;
	pm_rng_init(&rng, c->seed, "optics", stream);
	pm_optics_make(d->lane, c, &rng);
	pm_ageing_make(d, stream);
	for (i = 0; i < lanes; i++)
		d->lane[i].logical = PNIC_LANE_NONE;
	d->locked = pm_lanes_lit(d);
	return true;
}

/* LANE_TABLE */

/* The logical lane of each physical one. */
static void invert(const struct pm_map *m, unsigned int lanes, uint16_t *logical)
{
	unsigned int i;

	for (i = 0; i < lanes; i++)
		logical[i] = PNIC_LANE_NONE;
	for (i = 0; m && i < m->width; i++)
		logical[m->phys[i]] = (uint16_t)i;
}

static uint64_t saturate(uint64_t v)
{
	return v > UINT32_MAX ? UINT32_MAX : v;
}

static void record_rx(const struct pm_dir *d, const struct pm_lane *lane, bool staged,
		      struct pnic_lane_rec *r)
{
	double mbits = (double)lane->seen_ns * d->link->config.lane_gbps / 0x1p20;

	r->logical = htole16(lane->logical);
	r->generation = htole32(lane->generation);
	r->mbits = htole32((uint32_t)(uint64_t)mbits);
	r->sym_errors = htole64(lane->sym_errors);
	r->power_cdb = htole16((uint16_t)(int16_t)(fmax(lane->power_db, POWER_DB_MIN) * 100));
	if (lane->off)
		r->state = PNIC_LANE_OFF;
	else if (!lane->locked)
		r->state = PNIC_LANE_LOS;
	else if (lane->logical != PNIC_LANE_NONE)
		r->state = PNIC_LANE_ACTIVE;
	else if (staged)
		r->state = PNIC_LANE_STAGED;
	if (!lane->locked)
		r->flags |= PNIC_LANEF_ERASED;
	if (lane->ser)
		r->flags |= PNIC_LANEF_SER;
	if (pm_lanetest_running(d, (unsigned int)(lane - d->lane)))
		r->flags |= PNIC_LANEF_TESTING;
}

/* A transmitter knows where its lanes are used; what becomes of the light it doesn't see. */
static void record_tx(const struct pm_dir *d, const struct pm_lane *lane, uint16_t logical,
		      bool staged, struct pnic_lane_rec *r)
{
	r->logical = htole16(logical);
	r->generation = htole32(d->tx_map->generation);
	if (lane->off_tx)
		r->state = PNIC_LANE_OFF;
	else if (logical != PNIC_LANE_NONE)
		r->state = PNIC_LANE_ACTIVE;
	else if (staged)
		r->state = PNIC_LANE_STAGED;
}

static void table_records(struct pm_dir *d, bool tx, uint8_t *to)
{
	uint16_t active[PNIC_LANES_MAX], staged[PNIC_LANES_MAX];
	unsigned int i;

	invert(tx ? d->tx_map : d->rx_map, d->lanes, active);
	invert(tx ? d->tx_staged : d->rx_staged, d->lanes, staged);
	for (i = 0; i < d->lanes; i++) {
		const struct pm_lane *lane = &d->lane[i];
		struct pnic_lane_rec r = {
			.lane = htole16((uint16_t)i),
			.x = lane->x,
			.y = lane->y,
			.bias_ua10 = htole16(lane->off ? 0 : lane->bias_ua10),
			.age_hours = htole32((uint32_t)saturate((uint64_t)pm_ageing_hours(lane))),
		};

		if (tx)
			record_tx(d, lane, active[i], staged[i] != PNIC_LANE_NONE, &r);
		else
			record_rx(d, lane, staged[i] != PNIC_LANE_NONE, &r);
		memcpy(to + i * sizeof(r), &r, sizeof(r));
	}
}

size_t pm_port_lane_table(struct pm_port *p, int dir, void *buf, size_t cap)
{
	struct pm_dir *d = dir == PNIC_DIR_TX ? p->out : p->in;
	uint32_t seq = p->table_seq += 2;
	struct pnic_lane_table head = { 0 };
	uint8_t *to = buf;
	size_t len = sizeof(head) + d->lanes * sizeof(struct pnic_lane_rec);

	if ((dir != PNIC_DIR_RX && dir != PNIC_DIR_TX) || cap < len)
		return 0;
	pm_stream_settle(d);
	head.seq_begin = htole32(seq - 1);
	head.seq_end = htole32(seq - 2);
	head.count = htole16((uint16_t)d->lanes);
	head.rec_size = htole16(sizeof(struct pnic_lane_rec));
	head.generation = htole32(dir == PNIC_DIR_TX ? d->tx_map->generation :
						       d->rx_map->generation);
	head.clock_ns = htole64(pm_dir_now(d));
	memcpy(to, &head, sizeof(head));
	atomic_thread_fence(memory_order_release);
	table_records(d, dir == PNIC_DIR_TX, to + sizeof(head));
	atomic_thread_fence(memory_order_release);
	head.seq_begin = htole32(seq);
	head.seq_end = htole32(seq);
	memcpy(to, &head, 2 * sizeof(head.seq_begin));
	return len;
}
