// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps a direction's decoder in step with its light, its maps and the clock. Called before
 * and after whatever changes one of these, and before anybody looks at counters.
 *
 * Codewords that carry frames are looked at when the frame arrives. Idle ones only add up
 * as time, and are looked at in bulk. So the errors that frames meet depend on the seed and
 * on what was sent, not on how long the line was idle in between.
 */
#include "link_int.h"

/* Time at the transmitter of what is just now coming out of the decoder. */
static uint64_t sent_ps(const struct pm_dir *d)
{
	uint64_t now = pm_dir_now(d);

	return now > d->latency_ns ? (now - d->latency_ns) * 1000 : 0;
}

/* The frame that is coming in: its first codewords met the lanes as they were until now. */
static void settle_frame(struct pm_dir *d, struct pm_flight *e, uint64_t ps)
{
	double part = (double)(ps - e->start_ps) / (double)(e->end_ps - e->start_ps);
	uint64_t count = e->last_cw - e->damage.first + 1;
	uint64_t upto = e->damage.first + (uint64_t)(part * (double)count);

	if (upto > e->last_cw)
		upto = e->last_cw;
	if (d->dark)
		pm_fec_pass(&d->fec, upto);
	else if (upto > e->damage.first)
		pm_fec_frame(&d->fec, e->damage.first, upto - 1, &e->damage);
	d->line_ps = ps;
}

static void settle_idle(struct pm_dir *d)
{
	const struct pm_link_config *c = &d->link->config;
	double cw_ps = c->fec_n * c->fec_symbol_bits * 1000.0 /
		       (d->line_map->width * c->lane_gbps);
	uint64_t codewords;

	d->idle_ps -= d->out.padded_ps;
	d->out.padded_ps = 0;
	if (d->dark) {
		d->idle_ps = 0;
		return;
	}
	if (d->idle_ps < cw_ps)
		return;
	codewords = (uint64_t)(d->idle_ps / cw_ps);
	d->idle_ps -= (double)codewords * cw_ps;
	pm_fec_idle(&d->fec, codewords);
}

/* Lanes in no map carry an idle pattern, which tells of errors as well. */
static void settle_lanes(struct pm_dir *d)
{
	const struct pm_link_config *c = &d->link->config;
	uint64_t now = pm_dir_now(d), gone = now - d->settled;
	double symbols = (double)gone * c->lane_gbps / c->fec_symbol_bits;
	bool decoded = !d->dark && d->fec.loss < 0.5;
	unsigned int i;

	if (!gone)
		return;
	d->settled = now;
	for (i = 0; i < d->lanes; i++) {
		struct pm_lane *lane = &d->lane[i];

		if (lane->lit)
			lane->lit_ns += gone;
		if (!lane->locked || !lane->lit)
			continue;
		if (lane->logical != PNIC_LANE_NONE) {
			if (decoded)
				lane->seen_ns += gone;
			continue;
		}
		lane->seen_ns += gone;
		lane->sym_errors += pm_rng_poisson(&d->lane_rng, symbols *
						   pm_optics_ser(lane->ber, c->fec_symbol_bits));
	}
}

void pm_stream_settle(struct pm_dir *d)
{
	struct pm_flight *head = &d->flight[d->flight_head % PM_FLIGHT];
	uint64_t ps = sent_ps(d);

	if (d->flight_head != d->flight_tail && ps > head->start_ps) {
		pm_stream_idle(d, head->start_ps);
		if (head->kind == PM_FLIGHT_FRAME && ps > d->line_ps && ps < head->end_ps)
			settle_frame(d, head, ps);
	} else {
		pm_stream_idle(d, ps);
	}
	settle_idle(d);
	settle_lanes(d);
	pm_lanetest_settle(d);
}

void pm_stream_load(struct pm_dir *d, bool fresh)
{
	struct pm_fec *f = &d->fec;
	unsigned int l, lit = 0;

	for (l = 0; l < d->rx_map->width; l++) {
		struct pm_lane *lane = &d->lane[d->rx_map->phys[l]];

		f->lane[l].p = pm_optics_ser(lane->ber, f->unit_bits);
		f->lane[l].erased = !lane->locked;
		f->lane[l].errors = &lane->sym_errors;
		lit += lane->lit;
	}
	d->dark = !lit;
	pm_fec_load(f, d->rx_map->width, fresh, !pm_map_same(d->line_map, d->rx_map));
	pm_port_margin(d->rx);
}
