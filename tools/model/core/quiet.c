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

static void add_frames(struct pm_llr_tx *t, struct pm_train *train, uint32_t len, uint32_t n)
{
	const struct pm_measure *m = pm_llr_tx_measure(t, len);

	train->frames += n;
	train->payload += (uint64_t)n * len;
	train->ps += n * m->ps;
	train->q8 += (uint64_t)n * m->q8;
}

void pm_port_train_add(struct pm_port *p, struct pm_train *train, uint32_t len, uint32_t n)
{
	uint32_t max = p->link->config.frame_payload, full;

	/* Full frames, and what is left. */
	if (len > max) {
		full = (len - 1) / max;
		add_frames(&p->out->out, train, max, n * full);
		len -= full * max;
	}
	add_frames(&p->out->out, train, len, n);
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

/* It took its place, arrived and is acknowledged. */
static inline void commit(struct pm_dir *d, const struct pm_train *train, const struct pm_booking *b, uint64_t now)
{
	struct pm_llr_tx *t = &d->out;

	if (b->gap)
		pm_end_codeword(t);
	t->cw = b->cw;
	t->offset_q8 = b->offset_q8;
	t->work_ps = b->start_ps;
	pm_line_used(t, b->end_ps);
	t->frames += train->frames;
	t->payload += train->payload;
	t->tail += train->frames;
	t->una = t->tail;
	t->next = t->tail;
	t->sent = t->tail;
	t->timeouts = 0;
	t->progress = now;

	pm_stream_gap(d, b->start_ps, b->end_ps);
	pm_fec_passed(&d->fec, b->last_cw);
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

	pm_link_settle(p->link);

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

void pm_port_travel(struct pm_port *p, const struct pm_trip *trip)
{
	uint64_t now = pm_sim_now(p->link->sim);

	commit(p->out, &trip->there, &trip->out, now);
	commit(p->in, &trip->back, &trip->in, now);
}

void pm_port_arrive(struct pm_port *p, const struct pm_trip *trip, bool followed)
{
	uint64_t to = trip->in.arrives;

	if (followed)
		to = trip->out.end_ps > AHEAD_PS ? (trip->out.end_ps - AHEAD_PS) / 1000 : 0;
	pm_sim_pass(p->link->sim, to);
}

/* --- the same again ---- */

static struct pm_hop_way way_of(const struct pm_dir *d, const struct pm_train *train)
{
	uint32_t cw_q8 = d->out.cw_q8;

	return (struct pm_hop_way){ .ps = train->ps, .whole = train->q8 / cw_q8, .offset_q8 = train->q8 % cw_q8 };
}

static uint64_t codewords_of(const struct pm_hop_way *w)
{
	return w->whole + !!w->offset_q8;
}

/* How many frames, of at most @most codewords, come before the next error. */
static uint64_t frames_left(const struct pm_dir *d, uint64_t most)
{
	const struct pm_fec *f = &d->fec;
	uint64_t first = d->out.cw + 1;

	return f->err_cw > first && f->last_bad != d->out.cw ? (f->err_cw - first) / most : 0;
}

void pm_port_keep(struct pm_port *p, const struct pm_trip *trip)
{
	const struct pm_hop *h = &p->hop, *other = &p->out->rx->hop;
	struct pm_link *link = p->link;
	uint64_t most, left;

	p->hop = (struct pm_hop){
		.payload = trip->there.payload,
		.there_ns = (trip->there.ps + 999) / 1000 + p->out->latency_ns,
		.there = way_of(p->out, &trip->there),
		.back = way_of(p->in, &trip->back),
	};
	p->hop.ns = h->there_ns + (trip->back.ps + 999) / 1000 + p->in->latency_ns;
	most = codewords_of(&h->there) + codewords_of(&h->back) + codewords_of(&other->there) +
	       codewords_of(&other->back);
	left = frames_left(p->out, most);
	link->hops_left = frames_left(p->in, most);
	if (link->hops_left > left)
		link->hops_left = left;
}

bool pm_port_again(struct pm_port *p, uint32_t len)
{
	struct pm_link *link = p->link;
	uint64_t now = pm_sim_now(link->sim);

	if (!link->hops_left || p->hop.payload != len || !pm_sim_pass(link->sim, now + p->hop.ns))
		return false;
	link->hops_left--;
	link->last_hop = &p->hop;
	link->last_at = now;
	p->hop.n++;
	return true;
}

static double padding(const struct pm_llr_tx *t, const struct pm_hop_way *w)
{
	return w->offset_q8 ? (t->cw_q8 - w->offset_q8) * t->cw_ps / t->cw_q8 : 0;
}

/* @a: hops whose frame went this way, @b: whose answer did; the last of all was @last, and began at @start_ps. */
static void settle(struct pm_dir *d, const struct pm_hop *a, const struct pm_hop *b, const struct pm_hop_way *last,
		   uint64_t start_ps)
{
	uint64_t ps = a->n * a->there.ps + b->n * b->back.ps, end_ps = start_ps + last->ps, n = a->n + b->n;
	struct pm_llr_tx *t = &d->out;

	pm_end_codeword(t);
	t->cw += a->n * codewords_of(&a->there) + b->n * codewords_of(&b->back);
	t->padded_ps += (double)a->n * padding(t, &a->there) + (double)b->n * padding(t, &b->back);
	/* The last one's last codeword has room. */
	t->cw -= !!last->offset_q8;
	t->padded_ps -= padding(t, last);
	t->offset_q8 = last->offset_q8;
	t->work_ps = start_ps;
	t->free_ps = end_ps;
	t->busy_ps += ps;
	t->frames += n;
	t->payload += a->n * a->payload;
	t->tail += (uint32_t)n;
	t->una = t->tail;
	t->next = t->tail;
	t->sent = t->tail;
	t->timeouts = 0;
	t->progress = d->link->last_at;

	if (end_ps > d->line_ps + ps)
		d->idle_ps += (double)(end_ps - d->line_ps - ps);
	if (end_ps > d->line_ps)
		d->line_ps = end_ps;
	pm_fec_passed(&d->fec, last->offset_q8 ? t->cw : t->cw - 1);
	d->last_arrival = (end_ps + 999) / 1000 + d->latency_ns;
	d->in.expect += (uint32_t)n;
	d->in.frames += n;
	d->in.payload += a->n * a->payload;
}

void pm_link_settle(struct pm_link *link)
{
	const struct pm_hop *last = link->last_hop;
	struct pm_port *p;
	unsigned int i;

	if (!last)
		return;
	for (i = 0; i < 2; i++) {
		p = &link->port[i];
		if (last == &p->hop)
			settle(p->out, &p->hop, &p->out->rx->hop, &last->there, link->last_at * 1000);
		else
			settle(p->out, &p->hop, &p->out->rx->hop, &last->back, (link->last_at + last->there_ns) * 1000);
	}
	for (i = 0; i < 2; i++)
		link->port[i].hop.n = 0;
	link->last_hop = NULL;
}
