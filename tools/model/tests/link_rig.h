/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two owners with a link between them, for the tests of the link layer: each sends numbered frames
 * as fast as it may and checks that the other's come once and in order.
 */
#ifndef LINK_RIG_H
#define LINK_RIG_H

#include <endian.h>
#include <time.h>

#include "driver/hw/pnic_admin.h"
#include "selftests/ktap.h"
#include "tools/model/core/link.h"

#define RIG_PAYLOAD	4096

struct rig_end {
	struct rig *rig;
	struct pm_port *port;
	uint64_t to_send, sent;		/* frames wanted of it, and taken by the port */
	uint32_t payload;
	uint64_t got, next;		/* frames that came, and the number of the next one */
	uint64_t wrong;			/* out of order, twice, or not what was sent */
	uint64_t flushed, gathered;
	uint64_t los, back, ser, maps_rx, maps_tx, ups, downs, mgmt;
	uint32_t last_generation;
	struct pm_link_event last_lane, last_map[2];	/* maps by direction */
	uint64_t slowest_loss;		/* ns from a loss to its event */
	uint64_t tested;
	uint64_t last_los;
};

struct rig {
	struct pm_sim *sim;
	struct pm_link *link;
	struct pm_link_config config;
	struct rig_end end[2];
};

static inline uint64_t rig_real_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static inline void rig_send(struct rig_end *e)
{
	struct pm_frame *f;

	while (e->sent < e->to_send) {
		f = pm_frame_new();
		f->origin = e->port;
		f->payload_len = e->payload;
		f->ref = e;
		f->ref_off = e->sent;
		memcpy(f->hdr, &e->sent, sizeof(e->sent));
		if (!pm_port_send(e->port, f)) {
			pm_frame_free(f);
			return;
		}
		e->sent++;
	}
}

static inline void rig_rx(void *owner, struct pm_frame *f)
{
	struct rig_end *e = owner;
	uint64_t number;

	memcpy(&number, f->hdr, sizeof(number));
	e->wrong += number != e->next || f->ref_off != number || f->ref == e;
	e->next = number + 1;
	e->got++;
	pm_frame_free(f);
}

static inline bool rig_gather(void *owner, const struct pm_frame *f, size_t off, void *buf,
			      size_t len)
{
	struct rig_end *e = owner;
	uint8_t *to = buf;
	size_t i;

	e->gathered++;
	e->wrong += f->ref != e;
	for (i = 0; i < len; i++)
		to[i] = (uint8_t)((f->ref_off + off + i) * 31);
	return true;
}

static inline void rig_flushed(void *owner, struct pm_frame *f)
{
	struct rig_end *e = owner;

	e->flushed++;
	e->wrong += f->origin != e->port;
	pm_frame_free(f);
}

static inline void rig_ready(void *owner)
{
	rig_send(owner);
}

static inline void rig_event(void *owner, const struct pm_link_event *ev)
{
	struct rig_end *e = owner;

	switch (ev->type) {
	case PM_LINK_STATE:
		e->ups += ev->state == PNIC_LINK_UP;
		e->downs += ev->state == PNIC_LINK_DOWN;
		break;
	case PM_LINK_LANE:
		e->los += ev->cause == PNIC_LANE_CAUSE_LOS;
		e->back += ev->cause == PNIC_LANE_CAUSE_BACK;
		e->ser += ev->cause == PNIC_LANE_CAUSE_SER;
		e->tested += ev->cause == PNIC_LANE_CAUSE_TESTED;
		if (ev->cause == PNIC_LANE_CAUSE_LOS)
			e->last_los = ev->clock_ns;
		if (ev->cause == PNIC_LANE_CAUSE_LOS &&
		    ev->clock_ns - ev->data[0] > e->slowest_loss)
			e->slowest_loss = ev->clock_ns - ev->data[0];
		e->last_lane = *ev;
		break;
	case PM_LINK_MAP:
		e->maps_rx += ev->dir == PNIC_DIR_RX;
		e->maps_tx += ev->dir == PNIC_DIR_TX;
		e->last_generation = ev->generation;
		e->last_map[ev->dir] = *ev;
		break;
	case PM_LINK_MGMT:
		e->mgmt++;
		break;
	}
}

static const struct pm_port_ops rig_ops = {
	.rx = rig_rx,
	.gather = rig_gather,
	.flushed = rig_flushed,
	.tx_ready = rig_ready,
	.event = rig_event,
};

static inline void rig_open(struct rig *r)
{
	int i;

	r->sim = pm_sim_new(r->config.seed, 0);
	r->link = pm_link_new(r->sim, &r->config, 0);
	REQUIRE(r->link);
	for (i = 0; i < 2; i++) {
		r->end[i].rig = r;
		r->end[i].port = pm_link_port(r->link, i);
		r->end[i].payload = RIG_PAYLOAD;
		pm_port_attach(r->end[i].port, &rig_ops, &r->end[i]);
	}
}

static inline void rig_init(struct rig *r, const char *profile, uint64_t seed)
{
	memset(r, 0, sizeof(*r));
	pm_link_config_defaults(&r->config, profile);
	r->config.seed = seed;
}

/* The usual one: errors rare enough that only what a test breaks is broken. */
static inline void rig_new(struct rig *r)
{
	rig_init(r, "mosaic-800g", 1);
	r->config.ber_median = 1e-12;
	rig_open(r);
}

static inline void rig_free(struct rig *r)
{
	pm_link_free(r->link);
	pm_sim_free(r->sim);
}

static inline void rig_want(struct rig *r, int end, uint64_t frames)
{
	r->end[end].to_send += frames;
	rig_send(&r->end[end]);
}

/* Runs until @done, at most @ms of real time; false if it didn't come. */
static inline bool rig_until(struct rig *r, bool (*done)(struct rig *r), unsigned int ms)
{
	uint64_t end = rig_real_ns() + ms * 1000000ull, sleep_ns;
	struct timespec ts = { 0, 0 };

	while (!done(r)) {
		if (rig_real_ns() > end)
			return false;
		if (pm_sim_run(r->sim, 16, &sleep_ns))
			continue;
		ts.tv_nsec = sleep_ns < 1000000 ? (long)sleep_ns : 1000000;
		nanosleep(&ts, NULL);
	}
	return true;
}

/* Real time passes. */
static inline void rig_pass_us(struct rig *r, uint64_t us)
{
	uint64_t end = pm_sim_now(r->sim) + us * 1000, sleep_ns;
	struct timespec ts = { 0, 0 };

	while (pm_sim_now(r->sim) < end) {
		if (pm_sim_run(r->sim, 16, &sleep_ns))
			continue;
		ts.tv_nsec = sleep_ns < 100000 ? (long)sleep_ns : 100000;
		nanosleep(&ts, NULL);
	}
}

static inline bool rig_delivered(struct rig *r)
{
	return r->end[0].got + r->end[1].flushed == r->end[1].to_send &&
	       r->end[1].got + r->end[0].flushed == r->end[0].to_send;
}

static inline struct pnic_counters rig_counters(struct rig *r, int end)
{
	struct pnic_counters c = { 0 };

	pm_port_counters(r->end[end].port, &c);
	return c;
}

static inline struct pnic_link_info rig_info(struct rig *r, int end)
{
	struct pnic_link_info info;

	pm_port_query(r->end[end].port, &info);
	return info;
}

/* Everything was delivered: once, in order, intact. */
static inline void rig_check(struct rig *r)
{
	int i;

	for (i = 0; i < 2; i++) {
		struct pnic_counters c = rig_counters(r, i);

		CHECK_EQ(r->end[i].wrong, 0);
		CHECK_EQ(r->end[i].got, r->end[!i].to_send);
		CHECK_EQ(r->end[i].flushed, 0);
		CHECK_EQ(c.frames_rx, r->end[i].got);
		CHECK_EQ(c.frames_tx, r->end[i].sent);
		CHECK_EQ(c.payload_tx, r->end[i].sent * r->end[i].payload);
		CHECK_EQ(c.payload_rx, r->end[!i].sent * r->end[!i].payload);
	}
}

/* struct pnic_map as it lies in host memory. */
struct rig_map {
	struct pnic_map head;
	__le16 phys[PNIC_LANES_MAX];
};

static inline size_t rig_map_len(const struct rig_map *m)
{
	return sizeof(m->head) + le16toh(m->head.width) * sizeof(m->phys[0]);
}

static inline void rig_map_get(struct rig *r, int end, int dir, struct rig_map *m)
{
	REQUIRE(pm_port_map_get(r->end[end].port, dir, false, m, sizeof(*m)) > 0);
}

/*
 * Makes the next generation of @m: no dead lane, spares for them as long as there are any,
 * then narrower.
 */
static inline void rig_map_drop(struct rig_map *m, const bool *dead, unsigned int lanes)
{
	bool used[PNIC_LANES_MAX] = { false };
	unsigned int l, kept = 0, spare = 0, width = le16toh(m->head.width);

	for (l = 0; l < width; l++)
		used[le16toh(m->phys[l])] = true;
	for (l = 0; l < width; l++) {
		unsigned int phys = le16toh(m->phys[l]);

		if (dead[phys]) {
			while (spare < lanes && (used[spare] || dead[spare]))
				spare++;
			if (spare == lanes)
				continue;
			phys = spare;
			used[phys] = true;
		}
		m->phys[kept++] = htole16((uint16_t)phys);
	}
	m->head.width = htole16((uint16_t)kept);
	m->head.generation = htole32(le32toh(m->head.generation) + 1);
}

#endif /* LINK_RIG_H */
