// SPDX-License-Identifier: GPL-2.0
/*
 * Trains of frames on a quiet line.
 *
 * With the line idle in both directions and no fault waiting, nothing can happen to short frames and
 * their answers that isn't known beforehand: when they arrive, which codewords they lie in, that none
 * of these has an error. So the whole train is booked at once, in the same places as if each frame had
 * been queued, sent, decoded, put in order and acknowledged. Called by short.c, which then does what
 * the frames would have brought about.
 */
#include "link_int.h"

/* Where a train lies in a direction's stream. */
struct booking {
	struct pm_flight at;
	uint64_t cw;			/* the stream goes on there */
	uint32_t offset_q8;
	bool gap;			/* idle symbols end a codeword first */
};

void pm_port_train_add(struct pm_port *p, struct pm_train *train, uint32_t len)
{
	const struct pm_measure *m = pm_llr_tx_measure(&p->out->out, len);

	train->frames++;
	train->payload += len;
	train->ps += m->ps;
	train->q8 += m->q8;
}

/* A train that could begin at @now; when it has arrived. */
static uint64_t book(const struct pm_dir *d, const struct pm_train *train, uint64_t now, struct booking *b)
{
	const struct pm_llr_tx *t = &d->out;
	uint64_t end_q8, whole;

	b->at.start_ps = t->free_ps >= now * 1000 ? t->free_ps : now * 1000;
	b->gap = t->free_ps < now * 1000 && t->offset_q8;
	b->at.end_ps = b->at.start_ps + train->ps;
	b->at.damage.mask = 0;
	b->at.damage.first = t->cw + b->gap;
	b->at.offset_q8 = b->gap ? 0 : t->offset_q8;
	end_q8 = b->at.offset_q8 + train->q8;
	whole = end_q8 / t->cw_q8;
	b->cw = b->at.damage.first + whole;
	b->offset_q8 = (uint32_t)(end_q8 - whole * t->cw_q8);
	b->at.last_cw = b->offset_q8 ? b->cw : b->cw - 1;
	b->at.arrives = (b->at.end_ps + 999) / 1000 + d->latency_ns;
	if (b->at.arrives < d->last_arrival)
		b->at.arrives = d->last_arrival;
	return b->at.arrives;
}

static void commit(struct pm_dir *d, const struct pm_train *train, struct booking *b)
{
	pm_llr_tx_train(d, train, &b->at, b->gap, b->cw, b->offset_q8);
	pm_stream_frame_gap(d, &b->at);
	pm_fec_frame(&d->fec, b->at.damage.first, b->at.last_cw, &b->at.damage);
	d->last_arrival = b->at.arrives;
	d->in.expect += train->frames;
	d->in.frames += train->frames;
	d->in.payload += train->payload;
}

static bool is_quiet(const struct pm_dir *d)
{
	return pm_llr_tx_idle(d) && d->in.synced && d->in.expect == d->out.una && !d->dark && !d->drop && !d->corrupt &&
	       d->rx->admin_up;
}

bool pm_port_quiet(const struct pm_port *p)
{
	return is_quiet(p->out) && is_quiet(p->in);
}

bool pm_port_train(struct pm_port *p, const struct pm_train *there, const struct pm_train *back, uint64_t *until)
{
	struct pm_sim *sim = p->link->sim;
	struct booking out, in;
	uint64_t end;

	end = book(p->out, there, pm_sim_now(sim), &out);
	end = book(p->in, back, end, &in);
	*until = 0;
	if (!pm_fec_clean(&p->out->fec, out.at.damage.first, out.at.last_cw) ||
	    !pm_fec_clean(&p->in->fec, in.at.damage.first, in.at.last_cw))
		return false;
	if (!pm_sim_pass(sim, end)) {
		*until = end;
		return false;
	}
	commit(p->out, there, &out);
	commit(p->in, back, &in);
	return true;
}
