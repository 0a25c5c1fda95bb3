// SPDX-License-Identifier: GPL-2.0
/*
 * The receiving half of link-level retry: what arrives is decoded, checked, put in order and
 * given to the owner, and acknowledged. Driven by one event for the head of the flight ring.
 *
 * Acknowledgements are cumulative and ride in the idle blocks of the other
 * direction; they are lost when a codeword of that can't be decoded. One is under way
 * at a time and the next is sent when it has arrived, so a busy link needs
 * one event for several frames.
 *
 * Each frame carries the oldest sequence number that its transmitter still holds: when
 * frames were given up, or the transmitter was reset, the receiver goes on from there.
 */
#include "link_int.h"

void pm_llr_rx_schedule(struct pm_dir *d)
{
	if (d->in.arrive.heap_pos < 0 && d->flight_head != d->flight_tail)
		pm_sim_at(d->link->sim, &d->in.arrive,
			  d->flight[d->flight_head % PM_FLIGHT].arrives);
}

static struct pm_dir *other_dir(struct pm_dir *d)
{
	return d->rx->out;
}

static void acknowledge(struct pm_dir *d)
{
	struct pm_llr_rx *r = &d->in;

	/* Nothing else is under way that could see when it comes. */
	if (r->now && !r->nak_due && other_dir(d)->fec.loss == 0 && !other_dir(d)->dark) {
		pm_llr_tx_ack(d, r->expect);
		return;
	}
	if (r->ack_busy)
		return;
	r->ack_busy = true;
	r->ack_expect = r->expect;
	r->ack_nak = r->nak_due;
	r->ack_round = r->nak_round;
	r->nak_due = false;
	pm_sim_at(d->link->sim, &r->ack, pm_dir_now(d) + other_dir(d)->latency_ns);
}

static void ack_event(void *arg, uint64_t now)
{
	struct pm_dir *d = arg, *back = other_dir(d);
	struct pm_llr_rx *r = &d->in;

	(void)now;
	r->ack_busy = false;
	if (!back->dark && (back->fec.loss == 0 ||
			    pm_rng_unit(&d->link->damage_rng) >= back->fec.loss)) {
		pm_llr_tx_ack(d, r->ack_expect);
		if (r->ack_nak)
			pm_llr_tx_nak(d, r->ack_round);
	}
	if (r->expect != r->ack_expect || r->nak_due)
		acknowledge(d);
}

/* Asks for replay of what was sent in @round; the transmitter goes back for a round once. */
static void ask(struct pm_dir *d, uint32_t round)
{
	struct pm_llr_rx *r = &d->in;

	r->nak_round = round;
	r->nak_due = true;
	acknowledge(d);
}

static void deliver(struct pm_dir *d, struct pm_slot *s)
{
	struct pm_frame *f = s->f;
	struct pm_port *p = d->rx;

	d->in.expect++;
	acknowledge(d);
	/*
	 * Without it the frame had come before the receiver was reset, and only its
	 * acknowledgement was lost.
	 */
	if (!f)
		return;
	s->f = NULL;
	d->in.frames++;
	d->in.payload += s->len;
	if (p->ops && p->ops->rx)
		p->ops->rx(p->owner, f);
	else
		pm_frame_free(f);
}

/* An intact frame: is it the next one? */
static void put_in_order(struct pm_dir *d, const struct pm_flight *e, struct pm_slot *s)
{
	struct pm_llr_rx *r = &d->in;

	if (!r->synced || (int32_t)(e->una - r->expect) > 0)
		r->expect = e->una;
	r->synced = true;
	if (e->seq == r->expect) {
		deliver(d, s);
		return;
	}
	r->dropped++;
	if ((int32_t)(e->seq - r->expect) > 0)
		ask(d, e->round);
	else
		acknowledge(d);
}

static void frame_arrived(struct pm_dir *d, struct pm_flight *e)
{
	struct pm_slot *s = &d->out.slot[e->seq % PM_WINDOW];
	bool bad, spoil;

	pm_stream_gap(d, e->start_ps, e->end_ps);
	if (d->dark) {
		pm_fec_pass(&d->fec, e->last_cw + 1);
		return;
	}
	bad = pm_fec_frame(&d->fec, e->damage.first, e->last_cw, &e->damage);
	/* Given up meanwhile, or its transmitter was reset. */
	if ((int32_t)(e->seq - d->out.una) < 0 || !d->rx->admin_up)
		return;
	if (d->drop) {
		d->drop--;
		return;
	}
	spoil = d->corrupt;
	if (spoil)
		d->corrupt--;
	if ((bad || spoil) && (!s->f || !pm_frame_survives(d, s->f, e, spoil))) {
		d->in.crc_bad++;
		ask(d, e->round);
		return;
	}
	put_in_order(d, e, s);
}

static void arrive_event(void *arg, uint64_t now)
{
	struct pm_dir *d = arg;

	while (d->flight_head != d->flight_tail &&
	       d->flight[d->flight_head % PM_FLIGHT].arrives <= now) {
		/*
		 * Owners send from their callbacks, but the ring is never so full as to
		 * reach this entry.
		 */
		struct pm_flight *e = &d->flight[d->flight_head++ % PM_FLIGHT];

		if (e->kind == PM_FLIGHT_FRAME)
			frame_arrived(d, e);
		else
			pm_map_arrived(d, e);
	}
	pm_llr_rx_schedule(d);
}

bool pm_llr_rx_quiet(const struct pm_dir *d)
{
	return !d->in.ack_busy && !d->in.nak_due;
}

void pm_llr_rx_now(struct pm_dir *d)
{
	struct pm_flight *e = &d->flight[d->flight_head++ % PM_FLIGHT];

	d->in.now = true;
	frame_arrived(d, e);
	d->in.now = false;
	pm_llr_rx_schedule(d);
}

void pm_llr_rx_reset(struct pm_dir *d)
{
	struct pm_llr_rx *r = &d->in;

	pm_sim_cancel(d->link->sim, &r->ack);
	r->ack_busy = false;
	r->nak_due = false;
	r->synced = false;
	r->frames = 0;
	r->payload = 0;
	r->crc_bad = 0;
	r->dropped = 0;
}

void pm_llr_rx_init(struct pm_dir *d)
{
	pm_event_init(&d->in.arrive, arrive_event, d, false);
	pm_event_init(&d->in.ack, ack_event, d, false);
	d->in.synced = true;
}
