// SPDX-License-Identifier: GPL-2.0
/*
 * Lane maps: what MAP_STAGE, MAP_SWITCH, MAP_ABORT and LANE_CTL do, the markers that carry
 * a new map's generation through the stream, and the heartbeat that brings a receiver back
 * to generation 1 (hardware-interface.rst, 8.5 and 8.6).
 *
 * Of a direction there are up to five maps: active and staged at the transmitter, active
 * and staged at the receiver, and the one under which the codewords that are just arriving
 * were sent (line_map). Only if line_map and the receiver's active map say the same can
 * anything be decoded.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "link_int.h"

#define FALLBACK_GENERATION	1
/* FNV-1a, 32 bits. */
#define SUM_SEED		2166136261u
#define SUM_PRIME		16777619u

static struct pm_map *map_new(uint32_t generation, unsigned int width)
{
	struct pm_map *m = calloc(1, sizeof(*m) + width * sizeof(m->phys[0]));

	if (!m)
		return NULL;
	m->refs = 1;
	m->generation = generation;
	m->width = (uint16_t)width;
	return m;
}

struct pm_map *pm_map_identity(unsigned int width)
{
	struct pm_map *m = map_new(FALLBACK_GENERATION, width);
	unsigned int l;

	for (l = 0; m && l < width; l++)
		m->phys[l] = (uint16_t)l;
	return m;
}

struct pm_map *pm_map_copy(const struct pm_map *m)
{
	struct pm_map *copy = map_new(m->generation, m->width);

	if (copy)
		memcpy(copy->phys, m->phys, m->width * sizeof(m->phys[0]));
	return copy;
}

static uint32_t add_to_sum(uint32_t sum, uint16_t v)
{
	sum = (sum ^ (v & 0xff)) * SUM_PRIME;
	return (sum ^ v >> 8) * SUM_PRIME;
}

uint32_t pm_map_sum(const struct pm_map *m)
{
	uint32_t sum = add_to_sum(SUM_SEED, m->width);
	unsigned int l;

	for (l = 0; l < m->width; l++)
		sum = add_to_sum(sum, m->phys[l]);
	return sum;
}

struct pm_map *pm_map_get(struct pm_map *m)
{
	m->refs++;
	return m;
}

void pm_map_put(struct pm_map *m)
{
	if (m && !--m->refs)
		free(m);
}

void pm_map_set(struct pm_map **at, struct pm_map *m)
{
	struct pm_map *was = *at;

	*at = m;
	pm_map_put(was);
}

bool pm_map_same(const struct pm_map *a, const struct pm_map *b)
{
	return a == b || (a->width == b->width &&
			  !memcmp(a->phys, b->phys, a->width * sizeof(a->phys[0])));
}

static bool is_fallback(const struct pm_dir *d, const struct pm_map *m)
{
	return m->generation == FALLBACK_GENERATION && pm_map_same(m, d->link->identity);
}

/* At the receiver */

/* @detected: the loss that a standby plan mended, else 0. */
static void notify_map(struct pm_port *p, int dir, uint32_t generation, uint64_t detected)
{
	struct pm_link_event ev = {
		.type = PM_LINK_MAP,
		.dir = dir,
		.generation = generation,
		.data = { pm_sim_now(p->link->sim), detected },
	};

	pm_port_notify(p, ev);
}

static void receiver_uses(struct pm_dir *d, struct pm_map *m, bool mended)
{
	uint64_t detected = mended ? d->standby.detected : 0;
	struct pm_map *was = d->rx_map;

	d->rx_map = m;
	pm_map_set(&d->rx_staged, NULL);
	pm_lanes_mapped(d, was);
	pm_map_put(was);
	d->rx->map_switches_rx++;
	notify_map(d->rx, PNIC_DIR_RX, m->generation, detected);
	pm_standby_mapped(d, PNIC_DIR_RX, mended);
}

/* A marker has the generation and the check sum of the transmitter's map, and counts by both. */
static void marker_read(struct pm_dir *d, const struct pm_map *sent)
{
	struct pm_map *m = sent->generation == FALLBACK_GENERATION ? d->link->identity :
								     d->rx_staged;

	if (!m || m->generation != sent->generation || pm_map_sum(m) != pm_map_sum(sent))
		return;
	if (m == d->rx_staged)
		receiver_uses(d, pm_map_get(m), d->standby.asking);
	else if (!is_fallback(d, d->rx_map))
		receiver_uses(d, pm_map_get(m), false);
}

static void light_changed(struct pm_dir *d, const struct pm_flight *e)
{
	unsigned int i;

	for (i = 0; i < d->lanes; i++) {
		if (e->lane != PNIC_LANE_NONE && e->lane != i)
			continue;
		d->lane[i].off = !e->on;
		pm_lanes_refresh(d, i);
	}
	pm_lanes_changed(d, false);
}

void pm_map_arrived(struct pm_dir *d, const struct pm_flight *e)
{
	if (e->kind == PM_FLIGHT_REQUEST) {
		pm_stream_gap(d, e->start_ps, e->end_ps);
		pm_fec_pass(&d->fec, e->last_cw + 1);
		pm_standby_requested(d, e);
		return;
	}
	pm_stream_settle(d);
	if (e->kind == PM_FLIGHT_LIGHT) {
		light_changed(d, e);
		return;
	}
	if (e->end_ps > d->line_ps)
		d->line_ps = e->end_ps;
	pm_fec_pass(&d->fec, e->damage.first + (e->kind == PM_FLIGHT_MARKER));
	pm_map_set(&d->line_map, e->map);
	/* It comes on every lane: one that can be read is enough. */
	if (e->kind == PM_FLIGHT_MARKER && pm_lanes_lit(d))
		marker_read(d, e->map);
	pm_lanes_changed(d, true);
}

/* At the transmitter */

static bool transmitter_uses(struct pm_dir *d, struct pm_map *m, enum pm_flight_kind how)
{
	if (!pm_llr_tx_control(d, how, pm_map_get(m), 0, false))
		return false;
	pm_map_set(&d->tx_map, pm_map_get(m));
	pm_llr_tx_rate(d);
	pm_map_heartbeat(d);
	return true;
}

bool pm_map_remind(struct pm_dir *d)
{
	return transmitter_uses(d, d->tx_map, PM_FLIGHT_MARKER);
}

static void switched(struct pm_dir *d, bool mended, uint64_t detected)
{
	d->tx->map_switches_tx++;
	notify_map(d->tx, PNIC_DIR_TX, d->tx_map->generation, detected);
	pm_standby_mapped(d, PNIC_DIR_TX, mended);
}

bool pm_map_mend(struct pm_dir *d, struct pm_map *m, uint64_t detected)
{
	if (!transmitter_uses(d, m, PM_FLIGHT_MARKER))
		return false;
	switched(d, true, detected);
	return true;
}

bool pm_map_corrupt(struct pm_dir *d, int dir, struct pm_map *m)
{
	struct pm_map *was = d->rx_map;
	bool done = true;

	pm_stream_settle(d);
	if (dir == PNIC_DIR_TX) {
		done = transmitter_uses(d, m, PM_FLIGHT_REMAP);
		pm_map_put(m);
		return done;
	}
	d->rx_map = m;
	pm_lanes_mapped(d, was);
	pm_map_put(was);
	pm_lanes_changed(d, false);
	pm_map_heartbeat(d);
	return true;
}

static void heartbeat_event(void *arg, uint64_t now)
{
	struct pm_dir *d = arg;

	(void)now;
	pm_llr_tx_control(d, PM_FLIGHT_MARKER, pm_map_get(d->tx_map), 0, false);
	pm_map_heartbeat(d);
}

/*
 * At generation 1 each heartbeat carries the marker. Only where that would
 * change something is it simulated: an idle link takes no processor time.
 */
void pm_map_heartbeat(struct pm_dir *d)
{
	bool useful = d->tx_map->generation == FALLBACK_GENERATION &&
		      !is_fallback(d, d->rx_map) && pm_lanes_lit(d);

	if (!useful)
		pm_sim_cancel(d->link->sim, &d->heartbeat);
	else if (d->heartbeat.heap_pos < 0)
		pm_sim_at(d->link->sim, &d->heartbeat, pm_dir_now(d) +
			  d->link->config.heartbeat_us * 1000ull);
}

/* Commands */

/* 0, or enum pnic_map_refusal. */
static int check_lanes(const struct pm_dir *d, const struct pm_map *m, bool rx,
		       bool may_be_off)
{
	uint64_t used[PNIC_LANES_MAX / 64] = { 0 };
	unsigned int l, phys;

	for (l = 0; l < m->width; l++) {
		phys = m->phys[l];
		if (phys >= d->lanes)
			return PNIC_MAPR_RANGE;
		if (used[phys / 64] & (1ull << (phys % 64)))
			return PNIC_MAPR_TWICE;
		used[phys / 64] |= 1ull << (phys % 64);
		if ((rx ? d->lane[phys].off : d->lane[phys].off_tx) && !may_be_off)
			return PNIC_MAPR_OFF;
	}
	return 0;
}

/* 1 is the fall-back's own, and 0 none. */
uint32_t pm_map_next(uint32_t generation)
{
	return generation == UINT32_MAX ? FALLBACK_GENERATION + 1 : generation + 1;
}

static int check_map(const struct pm_dir *d, int dir, const struct pm_map *m)
{
	const struct pm_map *active = dir == PNIC_DIR_TX ? d->tx_map : d->rx_map;
	bool fallback = dir == PNIC_DIR_TX && is_fallback(d, m);
	int why = check_lanes(d, m, dir == PNIC_DIR_RX, fallback);

	if (why)
		return why;
	if (!fallback && m->generation != pm_map_next(active->generation))
		return PNIC_MAPR_GENERATION;
	return 0;
}

static struct pm_dir *dir_of(struct pm_port *p, int dir)
{
	return dir == PNIC_DIR_TX ? p->out : dir == PNIC_DIR_RX ? p->in : NULL;
}

struct pm_map *pm_map_read(const void *buf, size_t len, unsigned int width_max)
{
	const uint8_t *phys = (const uint8_t *)buf + sizeof(struct pnic_map);
	struct pnic_map head;
	struct pm_map *m;
	unsigned int l;
	__le16 v;

	if (len < sizeof(head))
		return NULL;
	memcpy(&head, buf, sizeof(head));
	if (!head.width || le16toh(head.width) > width_max ||
	    len < sizeof(head) + le16toh(head.width) * sizeof(v))
		return NULL;
	m = map_new(le32toh(head.generation), le16toh(head.width));
	for (l = 0; m && l < m->width; l++) {
		memcpy(&v, phys + l * sizeof(v), sizeof(v));
		m->phys[l] = le16toh(v);
	}
	return m;
}

size_t pm_map_write(const struct pm_map *m, void *buf, size_t cap)
{
	struct pnic_map head = { 0 };
	uint8_t *to = buf;
	unsigned int l;

	if (!m || cap < sizeof(head) + m->width * sizeof(__le16))
		return 0;
	head.generation = htole32(m->generation);
	head.width = htole16(m->width);
	memcpy(to, &head, sizeof(head));
	to += sizeof(head);
	for (l = 0; l < m->width; l++, to += sizeof(__le16)) {
		__le16 v = htole16(m->phys[l]);

		memcpy(to, &v, sizeof(v));
	}
	return (size_t)(to - (uint8_t *)buf);
}

int pm_port_map_stage(struct pm_port *p, int dir, const void *map, size_t len, uint64_t *detail)
{
	struct pm_dir *d = dir_of(p, dir);
	struct pm_map *m;
	int why;

	*detail = 0;
	if (!d) {
		*detail = offsetof(struct pnic_adm_map, dir);
		return PNIC_AS_INVALID_FIELD;
	}
	if (dir == PNIC_DIR_RX && d->standby.asking)
		return PNIC_AS_BUSY;
	m = pm_map_read(map, len, p->link->config.lanes_data);
	why = m ? check_map(d, dir, m) : PNIC_MAPR_WIDTH;
	if (why) {
		pm_map_put(m);
		*detail = (uint64_t)why;
		return PNIC_AS_REFUSED;
	}
	pm_map_set(dir == PNIC_DIR_TX ? &d->tx_staged : &d->rx_staged, m);
	if (dir == PNIC_DIR_RX)
		pm_lanetest_review(d);
	return PNIC_AS_OK;
}

int pm_port_map_switch(struct pm_port *p, uint32_t generation)
{
	struct pm_dir *d = p->out;
	struct pm_map *m = d->tx_staged;

	if (!m || m->generation != generation) {
		if (d->tx_map->generation != generation)
			return PNIC_AS_WRONG_STATE;
		/* Said again, because the marker may have been lost: so is the marker. */
		m = d->tx_map;
	}
	if (!transmitter_uses(d, m, PM_FLIGHT_MARKER))
		return PNIC_AS_BUSY;
	if (m == d->tx_staged) {
		pm_map_set(&d->tx_staged, NULL);
		switched(d, false, 0);
	}
	return PNIC_AS_OK;
}

int pm_port_map_abort(struct pm_port *p, int dir, uint32_t generation)
{
	struct pm_dir *d = dir_of(p, dir);
	struct pm_map **staged;

	if (!d)
		return PNIC_AS_INVALID_FIELD;
	staged = dir == PNIC_DIR_TX ? &d->tx_staged : &d->rx_staged;
	if (!*staged || (*staged)->generation != generation)
		return PNIC_AS_WRONG_STATE;
	if (dir == PNIC_DIR_RX && d->standby.asking)
		return PNIC_AS_WRONG_STATE;
	pm_map_set(staged, NULL);
	if (dir == PNIC_DIR_RX)
		pm_standby_review(d);
	return PNIC_AS_OK;
}

size_t pm_port_map_get(struct pm_port *p, int dir, bool staged, void *buf, size_t cap)
{
	struct pm_dir *d = dir_of(p, dir);

	if (!d)
		return 0;
	if (dir == PNIC_DIR_TX)
		return pm_map_write(staged ? d->tx_staged : d->tx_map, buf, cap);
	return pm_map_write(staged ? d->rx_staged : d->rx_map, buf, cap);
}

/* Making and reset */

void pm_maps_reset_tx(struct pm_dir *d)
{
	bool off = false;
	unsigned int i;

	pm_map_set(&d->tx_staged, NULL);
	pm_map_set(&d->standby.tx_plan, NULL);
	if (d->tx_map != d->link->identity)
		transmitter_uses(d, d->link->identity, PM_FLIGHT_REMAP);
	for (i = 0; i < d->lanes; i++) {
		off |= d->lane[i].off_tx;
		d->lane[i].off_tx = false;
	}
	if (off)
		pm_llr_tx_control(d, PM_FLIGHT_LIGHT, NULL, PNIC_LANE_NONE, true);
}

int pm_port_lane_ctl(struct pm_port *p, uint16_t lane, bool on)
{
	struct pm_dir *d = p->out;

	if (lane >= d->lanes)
		return PNIC_AS_INVALID_FIELD;
	if (d->lane[lane].off_tx == !on)
		return PNIC_AS_OK;
	if (!pm_llr_tx_control(d, PM_FLIGHT_LIGHT, NULL, lane, on))
		return PNIC_AS_BUSY;
	d->lane[lane].off_tx = !on;
	return PNIC_AS_OK;
}

void pm_maps_reset_rx(struct pm_dir *d)
{
	struct pm_map *was = d->rx_map;

	pm_map_set(&d->rx_staged, NULL);
	d->rx_map = pm_map_get(d->link->identity);
	pm_lanes_mapped(d, was);
	pm_map_put(was);
	pm_standby_mapped(d, PNIC_DIR_RX, false);
}

void pm_maps_init(struct pm_dir *d)
{
	pm_event_init(&d->heartbeat, heartbeat_event, d, true);
}

void pm_maps_make(struct pm_dir *d)
{
	d->tx_map = pm_map_get(d->link->identity);
	d->line_map = pm_map_get(d->link->identity);
	d->rx_map = pm_map_get(d->link->identity);
	pm_lanes_mapped(d, d->rx_map);
}

void pm_maps_free(struct pm_dir *d)
{
	pm_map_put(d->tx_map);
	pm_map_put(d->tx_staged);
	pm_map_put(d->line_map);
	pm_map_put(d->rx_map);
	pm_map_put(d->rx_staged);
}
