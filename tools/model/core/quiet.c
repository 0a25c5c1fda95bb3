// SPDX-License-Identifier: GPL-2.0
/*
 * Trains of frames on a quiet line.
 *
 * With the line idle in both directions and no fault waiting, nothing can happen to frames and their
 * answers that isn't known beforehand: when they arrive, which codewords they lie in, that each of
 * these can be corrected. So the whole train is booked at once, in the same places as if each frame had
 * been queued, sent, decoded, put in order and acknowledged. Called by train.c, which does what the
 * frames would have brought about.
 */
#include "link_int.h"

#define AHEAD_PS	20000000ull	/* what is sent may be booked so far ahead of the clock */

/* A message of @len bytes: full frames, and what is left. */
void pm_port_train_add(struct pm_port *p, struct pm_train *train, uint32_t len)
{
	struct pm_llr_tx *t = &p->out->out;
	uint32_t max = p->link->config.frame_payload, full;
	const struct pm_measure *m;

	train->payload += len;
	if (len > max) {
		full = (len - 1) / max;
		m = pm_llr_tx_measure(t, max);
		train->frames += full;
		train->ps += full * m->ps;
		train->q8 += (uint64_t)full * m->q8;
		len -= full * max;
	}
	m = pm_llr_tx_measure(t, len);
	train->frames++;
	train->ps += m->ps;
	train->q8 += m->q8;
}

/* The place of a train that could begin at @now; when it has arrived. */
static inline uint64_t book(const struct pm_dir *d, const struct pm_train *train, uint64_t now, struct pm_booking *b)
{
	const struct pm_llr_tx *t = &d->out;
	uint64_t end_q8, whole, now_ps = now * 1000;

	b->gap = t->free_ps < now_ps && t->offset_q8;
	b->start_ps = t->free_ps >= now_ps ? t->free_ps : now_ps;
	b->end_ps = b->start_ps + train->ps;
	b->first_cw = t->cw + b->gap;
	end_q8 = (b->gap ? 0 : t->offset_q8) + train->q8;
	whole = end_q8 < t->cw_q8 ? 0 : end_q8 / t->cw_q8;
	b->cw = b->first_cw + whole;
	b->offset_q8 = (uint32_t)(end_q8 - whole * t->cw_q8);
	b->last_cw = b->offset_q8 ? b->cw : b->cw - 1;
	b->arrives = (b->end_ps + 999) / 1000 + d->latency_ns;
	if (b->arrives < d->last_arrival)
		b->arrives = d->last_arrival;
	return b->arrives;
}

static inline void commit(struct pm_dir *d, const struct pm_train *train, const struct pm_booking *b)
{
	pm_llr_tx_train(d, train, b);
	pm_stream_gap(d, b->start_ps, b->end_ps);
	pm_fec_run(&d->fec, b->last_cw + 1, NULL);
	d->last_arrival = b->arrives;
	d->in.expect += train->frames;
	d->in.frames += train->frames;
	d->in.payload += train->payload;
}

static inline bool is_quiet(const struct pm_dir *d)
{
	return pm_llr_tx_idle(d) && d->in.synced && d->in.expect == d->out.una && !d->dark && !d->drop && !d->corrupt &&
	       d->rx->admin_up;
}

bool pm_port_quiet(const struct pm_port *p)
{
	return is_quiet(p->out) && is_quiet(p->in);
}

bool pm_port_plan(const struct pm_port *p, struct pm_trip *trip)
{
	struct pm_sim *sim = p->link->sim;
	uint64_t end;

	end = book(p->out, &trip->there, pm_sim_now(sim), &trip->out);
	end = book(p->in, &trip->back, end, &trip->in);
	trip->until = 0;
	if (!pm_fec_clean(&p->out->fec, trip->out.first_cw, trip->out.last_cw) ||
	    !pm_fec_clean(&p->in->fec, trip->in.first_cw, trip->in.last_cw))
		return false;
	if (!pm_sim_nothing_until(sim, end)) {
		trip->until = end;
		return false;
	}
	return true;
}

void pm_port_travel(struct pm_port *p, const struct pm_trip *trip, bool followed)
{
	uint64_t to = trip->in.arrives;

	commit(p->out, &trip->there, &trip->out);
	commit(p->in, &trip->back, &trip->in);
	if (followed)
		to = trip->out.end_ps > AHEAD_PS ? (trip->out.end_ps - AHEAD_PS) / 1000 : 0;
	pm_sim_pass(p->link->sim, to);
}
