// SPDX-License-Identifier: GPL-2.0
/*
 * A link and its two ports: making and freeing, up and down, events to the owner,
 * reset, what LINK_QUERY and COUNTERS tell. Called by the NIC engine, the switch and the
 * front ends.
 */
#include <endian.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "link_int.h"

/* Events to the owner: given to it from an event of their own, so that it may call back. */

void pm_port_notify(struct pm_port *p, struct pm_link_event ev)
{
	ev.clock_ns = pm_sim_now(p->link->sim);
	ev.state = p->state;
	if (p->events == p->events_room) {
		unsigned int room = 2 * p->events_room + 64;
		struct pm_link_event *list = realloc(p->event, room * sizeof(*list));

		if (!list)
			return;		/* as if it had been lost on the way to the host */
		p->event = list;
		p->events_room = room;
	}
	p->event[p->events++] = ev;
	pm_sim_at(p->link->sim, &p->notify, ev.clock_ns);
}

static void notify_event(void *arg, uint64_t now)
{
	struct pm_port *p = arg;
	struct pm_link_event ev;
	unsigned int i;

	(void)now;
	for (i = 0; i < p->events; i++) {
		ev = p->event[i];
		if (p->ops && p->ops->event)
			p->ops->event(p->owner, &ev);
	}
	p->events = 0;
}

/* Up and down */

static double payload_mbps(const struct pm_link_config *c, unsigned int width)
{
	return width * c->lane_gbps * 1000 * c->fec_k / c->fec_n * 256 / 257;
}

static bool end_is_fine(const struct pm_port *p)
{
	return p->admin_up && p->in->locked;
}

static void port_review(struct pm_port *p)
{
	struct pm_link_event ev = { .type = PM_LINK_STATE };
	int was = p->state;

	if (!p->admin_up)
		p->state = PNIC_LINK_DISABLED;
	else
		p->state = p->in->locked && p->told ? PNIC_LINK_UP : PNIC_LINK_DOWN;
	if (p->state == was)
		return;
	if (p->state == PNIC_LINK_DOWN)
		p->link_downs++;
	if (was == PNIC_LINK_UP || p->state == PNIC_LINK_UP)
		pm_llr_tx_link(p->out, p->state == PNIC_LINK_UP);
	if (p->state == PNIC_LINK_UP)
		ev.data[0] = (uint64_t)(payload_mbps(&p->link->config,
						     p->out->tx_map->width) * 1000);
	pm_port_notify(p, ev);
}

static struct pm_port *far_end(struct pm_port *p)
{
	return p->out->rx;
}

/* What the far end says of itself comes with the light, a flight time later. */
static void tell_event(void *arg, uint64_t now)
{
	struct pm_port *p = arg;

	(void)now;
	p->told = end_is_fine(far_end(p));
	port_review(p);
}

void pm_link_review(struct pm_link *link)
{
	int i;

	for (i = 0; i < 2; i++) {
		struct pm_port *p = &link->port[i];

		if (p->told != end_is_fine(far_end(p)) && p->tell.heap_pos < 0)
			pm_sim_at(link->sim, &p->tell, pm_sim_now(link->sim) + p->in->latency_ns);
		port_review(p);
	}
}

void pm_port_link_set(struct pm_port *p, bool admin_up)
{
	p->admin_up = admin_up;
	pm_link_review(p->link);
}

uint64_t pm_port_latency_ns(const struct pm_port *p)
{
	return p->out->latency_ns;
}

int pm_port_state(const struct pm_port *p)
{
	return p->state;
}

/* Making and freeing */

/* Can't fail, so that whatever does fail later is undone by pm_link_free(). */
static void dir_init(struct pm_link *link, unsigned int i, uint64_t stream)
{
	struct pm_dir *d = &link->dir[i];

	d->link = link;
	d->tx = &link->port[i];
	d->rx = &link->port[!i];
	d->settled = pm_sim_now(link->sim);
	pm_maps_init(d);
	pm_standby_init(d, stream);
	pm_lanetest_init(d, stream);
	pm_mgmt_init(d, stream);
	pm_lanes_init(d, stream);
	pm_llr_tx_init(d);
	pm_llr_rx_init(d);
}

static bool dir_make(struct pm_dir *d, uint64_t stream)
{
	if (!pm_fec_init(&d->fec, &d->link->config, stream) || !pm_lanes_make(d, stream))
		return false;
	pm_maps_make(d);
	pm_llr_tx_rate(d);
	return true;
}

static void port_init(struct pm_link *link, unsigned int i)
{
	struct pm_port *p = &link->port[i];

	p->link = link;
	p->out = &link->dir[i];
	p->in = &link->dir[!i];
	p->admin_up = true;
	pm_event_init(&p->tell, tell_event, p, false);
	pm_event_init(&p->notify, notify_event, p, false);
}

struct pm_link *pm_link_new(struct pm_sim *sim, const struct pm_link_config *c, unsigned int index)
{
	struct pm_link *link;
	unsigned int i;

	if (!pm_link_config_valid(c))
		return NULL;
	link = calloc(1, sizeof(*link));
	if (!link)
		return NULL;
	link->sim = sim;
	link->config = *c;
	link->q_nominal = pm_optics_q(c->ber_median);
	pm_ageing_init(link);
	pm_rng_init(&link->damage_rng, c->seed, "damage", index);
	for (i = 0; i < 2; i++) {
		port_init(link, i);
		dir_init(link, i, 2ull * index + i);
	}
	link->identity = pm_map_identity(c->lanes_data);
	for (i = 0; i < 2; i++) {
		if (!link->identity || !dir_make(&link->dir[i], 2ull * index + i)) {
			pm_link_free(link);
			return NULL;
		}
	}
	for (i = 0; i < 2; i++) {
		link->port[i].told = true;
		link->port[i].state = PNIC_LINK_UP;
		link->port[i].margin_min = UINT_MAX;
		link->port[i].margin_ever = UINT_MAX;
	}
	for (i = 0; i < 2; i++)
		pm_lanes_changed(&link->dir[i], true);
	pm_ageing_start(link);
	return link;
}

static void port_free(struct pm_port *p)
{
	pm_mgmt_flush(p);
	pm_sim_cancel(p->link->sim, &p->tell);
	pm_sim_cancel(p->link->sim, &p->notify);
	free(p->event);
}

static void dir_free(struct pm_dir *d)
{
	struct pm_sim *sim = d->link->sim;

	pm_llr_tx_drop(d);
	for (; d->flight_head != d->flight_tail; d->flight_head++)
		pm_flight_free(&d->flight[d->flight_head % PM_FLIGHT]);
	pm_sim_cancel(sim, &d->in.arrive);
	pm_sim_cancel(sim, &d->in.ack);
	pm_sim_cancel(sim, &d->mgmt.arrive);
	pm_sim_cancel(sim, &d->lane_due);
	pm_sim_cancel(sim, &d->heartbeat);
	pm_standby_free(d);
	pm_lanetest_free(d);
	pm_maps_free(d);
	pm_mgmt_free(d);
	pm_fec_free(&d->fec);
	free(d->lane);
}

void pm_link_free(struct pm_link *link)
{
	int i;

	if (!link)
		return;
	for (i = 0; i < 2; i++) {
		dir_free(&link->dir[i]);
		port_free(&link->port[i]);
	}
	pm_sim_cancel(link->sim, &link->age_due);
	pm_map_put(link->identity);
	free(link->image);
	free(link);
}

struct pm_port *pm_link_port(struct pm_link *link, int end)
{
	return end == 0 || end == 1 ? &link->port[end] : NULL;
}

struct pm_port *pm_port_peer(struct pm_port *p)
{
	return p->out->rx;
}

void pm_port_attach(struct pm_port *p, const struct pm_port_ops *ops, void *owner)
{
	p->ops = ops;
	p->owner = owner;
}

const struct pm_link_config *pm_port_config(const struct pm_port *p)
{
	return &p->link->config;
}

/* Reset of the owner */

void pm_port_reset(struct pm_port *p)
{
	struct pm_dir *out = p->out, *in = p->in;

	pm_stream_settle(in);
	pm_llr_tx_drop(out);
	pm_llr_rx_reset(in);
	pm_mgmt_flush(p);
	pm_maps_reset_tx(out);
	pm_maps_reset_rx(in);
	pm_lanetest_reset(in);
	pm_lanes_reset(in);
	memset(&in->fec.count, 0, sizeof(in->fec.count));
	p->map_switches_rx = 0;
	p->map_switches_tx = 0;
	p->mgmt_tx = 0;
	p->mgmt_rx = 0;
	p->mgmt_lost = 0;
	memset(&p->standby, 0, sizeof(p->standby));
	p->admin_up = true;
	pm_lanes_changed(in, false);
	/* Whatever it was to be told is about a past that it doesn't have. */
	p->link_downs = 0;
	p->events = 0;
	pm_sim_cancel(p->link->sim, &p->notify);
	p->margin_min = pm_fec_margin(&in->fec, false);
}

/* LINK_QUERY, COUNTERS */

static unsigned int margin(const struct pm_dir *d, bool erasures)
{
	return d->dark ? 0 : pm_fec_margin(&d->fec, erasures);
}

void pm_port_margin(struct pm_port *p)
{
	unsigned int m = margin(p->in, false);

	if (m < p->margin_min)
		p->margin_min = m;
	if (m < p->margin_ever)
		p->margin_ever = m;
}

void pm_port_peek(struct pm_port *p, struct pnic_link_info *info)
{
	const struct pm_link_config *c = &p->link->config;
	const struct pm_dir *in = p->in, *out = p->out;

	memset(info, 0, sizeof(*info));
	info->state = (uint8_t)p->state;
	info->margin = htole16((uint16_t)margin(in, false));
	info->margin_erasure = htole16((uint16_t)margin(in, true));
	info->margin_min = htole16((uint16_t)p->margin_ever);
	info->width_rx = htole16(in->rx_map->width);
	info->width_tx = htole16(out->tx_map->width);
	info->gen_rx = htole32(in->rx_map->generation);
	info->gen_tx = htole32(out->tx_map->generation);
	info->staged_rx = htole32(in->rx_staged ? in->rx_staged->generation : 0);
	info->staged_tx = htole32(out->tx_staged ? out->tx_staged->generation : 0);
	info->rate_rx_mbps = htole32((uint32_t)lround(payload_mbps(c, in->rx_map->width)));
	info->rate_tx_mbps = htole32((uint32_t)lround(payload_mbps(c, out->tx_map->width)));
	info->clock_ns = htole64(pm_sim_now(p->link->sim));
}

void pm_port_ask(struct pm_port *p, struct pnic_link_info *info)
{
	pm_port_peek(p, info);
	info->margin_min = htole16((uint16_t)p->margin_min);
}

void pm_port_told(struct pm_port *p)
{
	p->margin_min = margin(p->in, false);
}

void pm_port_query(struct pm_port *p, struct pnic_link_info *info)
{
	pm_port_ask(p, info);
	pm_port_told(p);
}

static void fec_counters(const struct pm_fec_counts *f, struct pnic_counters *c)
{
	uint64_t wrong = 0;
	int i;

	for (i = 1; i < 16; i++) {
		wrong += f->hist[i];
		c->hist[i] = htole64(f->hist[i]);
	}
	c->hist[0] = htole64(f->codewords - wrong);
	c->codewords_rx = htole64(f->codewords);
	c->codewords_corrected = htole64(f->corrected);
	c->codewords_uncorrectable = htole64(f->uncorrectable);
	c->symbols_corrected = htole64(f->symbols);
}

void pm_port_counters(struct pm_port *p, struct pnic_counters *c)
{
	const struct pm_llr_tx *out = &p->out->out;
	const struct pm_llr_rx *in = &p->in->in;

	pm_stream_settle(p->in);
	fec_counters(&p->in->fec.count, c);
	c->frames_tx = htole64(out->frames);
	c->frames_rx = htole64(in->frames);
	c->frames_replayed = htole64(out->replayed);
	c->frames_crc_bad = htole64(in->crc_bad);
	c->frames_dropped = htole64(in->dropped);
	c->payload_tx = htole64(out->payload);
	c->payload_rx = htole64(in->payload);
	c->line_bits_tx = htole64(pm_llr_tx_line_bits(p->out));
	c->map_switches_rx = htole64(p->map_switches_rx);
	c->map_switches_tx = htole64(p->map_switches_tx);
	c->link_downs = htole64(p->link_downs);
	c->mgmt_tx = htole64(p->mgmt_tx);
	c->mgmt_rx = htole64(p->mgmt_rx);
	c->mgmt_lost = htole64(p->mgmt_lost);
}
