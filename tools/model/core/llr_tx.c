// SPDX-License-Identifier: GPL-2.0
/*
 * The transmitting half of link-level retry: queue, serialisation, replay, data
 * age. Driven by pm_port_send(), by acknowledgements that llr_rx.c brings,
 * and by its three timers.
 *
 * Frames are put on the line in short trains: a frame gets its place in the stream
 * as soon as the line is free within TRAIN_PS, so one event sends many
 * frames, and a lane map changes no later than a train's length after the command.
 *
 * Go-back-N: after a loss everything from the first unacknowledged frame on is sent again. When
 * that brings nothing twice running, only that first frame is sent, as a probe, until it gets
 * through; requests are then no longer followed at once but when the replay timer, which backs
 * off, says so. A dead link thus waits instead of running the clock away.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "link_int.h"

#define TRAIN_PS		500000u
/* Slingshot's: three loop times and 500 ns, within 1 .. 15.5 us; backing off to 1 ms. */
#define REPLAY_LOOPS		3
#define REPLAY_EXTRA_NS		500u
#define REPLAY_MIN_NS		1000u
#define REPLAY_MAX_NS		15500u
#define REPLAY_BACKOFF_NS	1000000u
#define PROBE_AFTER		2	/* failed replays */
#define NAKS_MAX		4	/* failed replays, after which only the timer starts one */
#define READY_FRAMES		(PM_QUEUE_FRAMES / 2)
/* A request of a standby plan (hardware-interface.rst, 8.7). */
#define REQUEST_BYTES		16
#define REQUEST_MOVE_BYTES	4

static struct pm_slot *slot_of(struct pm_dir *d, uint32_t seq)
{
	return &d->out.slot[seq % PM_WINDOW];
}

static bool is_up(const struct pm_dir *d)
{
	return d->tx->state == PNIC_LINK_UP;
}

/* The line */

static uint64_t ns_of(uint64_t ps)
{
	return (ps + 999) / 1000;
}

/* The line was in use, or waiting though there was work, until @end_ps. */
static uint64_t line_start(struct pm_dir *d)
{
	struct pm_llr_tx *t = &d->out;
	uint64_t now_ps = pm_dir_now(d) * 1000;

	if (t->free_ps >= now_ps)
		return t->free_ps;
	pm_end_codeword(t);
	return now_ps;
}

static struct pm_flight *flight_new(struct pm_dir *d, enum pm_flight_kind kind)
{
	struct pm_flight *e = &d->flight[d->flight_tail++ % PM_FLIGHT];

	e->kind = (uint8_t)kind;
	e->map = NULL;
	e->damage.mask = 0;
	return e;
}

static void set_arrival(struct pm_dir *d, struct pm_flight *e)
{
	e->arrives = ns_of(e->end_ps) + d->latency_ns;
	/* The decoder's latency changes with the width; order doesn't. */
	if (e->arrives < d->last_arrival)
		e->arrives = d->last_arrival;
	d->last_arrival = e->arrives;
}

static void flight_arrives(struct pm_dir *d, struct pm_flight *e)
{
	set_arrival(d, e);
	if (d->flight_tail - d->flight_head == 1)
		pm_llr_rx_schedule(d);
}

const struct pm_measure *pm_llr_tx_measure_new(struct pm_llr_tx *t, uint32_t len)
{
	struct pm_measure *m = pm_measure_of(t, len);
	double bytes = (double)len + PM_FRAME_OVERHEAD;

	m->len = len;
	m->ps = (uint64_t)(bytes * t->ps_per_byte + 0.5);
	m->q8 = (uint32_t)(bytes * t->units_per_byte * 256 + 0.5);
	return m;
}

static struct pm_flight *put_on_line(struct pm_dir *d, uint32_t seq)
{
	struct pm_flight *e = flight_new(d, PM_FLIGHT_FRAME);
	struct pm_slot *s = slot_of(d, seq);
	struct pm_llr_tx *t = &d->out;
	const struct pm_measure *m = pm_llr_tx_measure(t, s->len);
	uint32_t end_q8, whole;

	e->seq = seq;
	e->first = seq == t->sent;
	e->una = t->una;
	e->round = t->round;
	e->start_ps = line_start(d);
	e->end_ps = e->start_ps + m->ps;
	e->damage.first = t->cw;
	e->offset_q8 = t->offset_q8;
	end_q8 = t->offset_q8 + m->q8;
	whole = end_q8 < t->cw_q8 ? 0 : end_q8 / t->cw_q8;
	t->cw += whole;
	t->offset_q8 = end_q8 - whole * t->cw_q8;
	e->last_cw = t->offset_q8 ? t->cw : t->cw - 1;
	pm_line_used(t, e->end_ps);
	s->sent = ns_of(e->end_ps);
	return e;
}

/* What isn't a frame begins with a codeword. */
static struct pm_flight *control_new(struct pm_dir *d, enum pm_flight_kind kind)
{
	struct pm_flight *e = flight_new(d, kind);
	struct pm_llr_tx *t = &d->out;

	e->start_ps = line_start(d);
	e->end_ps = e->start_ps;
	pm_end_codeword(t);
	e->damage.first = t->cw;
	e->last_cw = t->cw;
	return e;
}

/* It takes the place of whole codewords. */
static void take_codewords(struct pm_llr_tx *t, struct pm_flight *e, uint64_t codewords)
{
	e->end_ps += (uint64_t)((double)codewords * t->cw_ps);
	e->last_cw = t->cw + codewords - 1;
	t->free_ps = e->end_ps;
	t->cw += codewords;
}

bool pm_llr_tx_control(struct pm_dir *d, enum pm_flight_kind kind, struct pm_map *map,
		       uint16_t lane, bool on)
{
	bool reset = kind == PM_FLIGHT_REMAP || (kind == PM_FLIGHT_LIGHT && lane == PNIC_LANE_NONE);
	uint32_t room = reset ? PM_FLIGHT : PM_FLIGHT - PM_FLIGHT_RESET;
	struct pm_flight *e;

	if (d->flight_tail - d->flight_head >= room) {
		pm_map_put(map);
		return false;
	}
	e = control_new(d, kind);
	e->map = map;
	e->lane = lane;
	e->on = on;
	if (kind == PM_FLIGHT_MARKER)
		take_codewords(&d->out, e, 1);
	flight_arrives(d, e);
	return true;
}

bool pm_llr_tx_request(struct pm_dir *d, const struct pm_request *req)
{
	double ps = (REQUEST_BYTES + REQUEST_MOVE_BYTES * req->moves) * 8 * 1000 /
		    d->link->config.lane_gbps;
	struct pm_request *copy;
	struct pm_flight *e;

	if (d->flight_tail - d->flight_head >= PM_FLIGHT - PM_FLIGHT_RESET)
		return false;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return false;
	*copy = *req;
	e = control_new(d, PM_FLIGHT_REQUEST);
	e->request = copy;
	take_codewords(&d->out, e, (uint64_t)ceil(ps / d->out.cw_ps));
	flight_arrives(d, e);
	return true;
}

static void take_back(struct pm_dir *d, const struct pm_flight *e)
{
	struct pm_llr_tx *t = &d->out;

	/* Less, if a reset began to count anew. */
	t->busy_ps -= t->busy_ps < e->end_ps - e->start_ps ? t->busy_ps : e->end_ps - e->start_ps;
	t->free_ps = e->start_ps;
	t->cw = e->damage.first;
	t->offset_q8 = e->offset_q8;
	if ((int32_t)(e->seq - t->una) < 0)
		return;
	if (e->first) {
		t->sent--;
		t->frames--;
		t->payload -= slot_of(d, e->seq)->len;
	} else {
		t->replayed--;
	}
	if ((int32_t)(e->seq - t->next) < 0)
		t->next = e->seq;
}

void pm_llr_tx_recall(struct pm_dir *d)
{
	uint64_t now_ps = pm_dir_now(d) * 1000;
	uint32_t tail = d->flight_tail;

	while (tail != d->flight_head) {
		struct pm_flight *e = &d->flight[(tail - 1) % PM_FLIGHT];

		if (e->kind != PM_FLIGHT_FRAME || e->start_ps <= now_ps)
			break;
		take_back(d, e);
		tail--;
	}
	if (tail == d->flight_tail)
		return;
	d->flight_tail = tail;
	d->last_arrival = pm_dir_now(d);
	if (tail == d->flight_head)
		pm_sim_cancel(d->link->sim, &d->in.arrive);
	else
		d->last_arrival = d->flight[(tail - 1) % PM_FLIGHT].arrives;
	pm_sim_at(d->link->sim, &d->out.pump, pm_dir_now(d));
}

void pm_flight_free(struct pm_flight *e)
{
	if (e->kind == PM_FLIGHT_REQUEST)
		free(e->request);
	else
		pm_map_put(e->map);
}

void pm_llr_tx_rate(struct pm_dir *d)
{
	const struct pm_link_config *c = &d->link->config;
	double fec = (double)c->fec_n / c->fec_k, transcode = 257.0 / 256;
	double width = d->tx_map->width, line_bits = 8 * transcode * fec;
	struct pm_llr_tx *t = &d->out;
	double cw_full;

	/* What was sent at the old width is booked at the old width. */
	t->line_bits = (double)pm_llr_tx_line_bits(d);
	t->busy_ps = 0;
	memset(t->measure, 0, sizeof(t->measure));
	t->ps_per_byte = line_bits * 1000 / (width * c->lane_gbps);
	t->units_per_byte = line_bits / d->fec.unit_bits;
	t->cw_q8 = d->fec.per_cw * 256;
	t->cw_ps = c->fec_n * c->fec_symbol_bits * 1000.0 / (width * c->lane_gbps);
	cw_full = t->cw_ps * width / c->lanes_data;
	/*
	 * fec_latency is that of the full width; a codeword takes longer to come in on
	 * fewer lanes.
	 */
	d->latency_ns = (uint64_t)(c->reach_m * c->flight_ns_per_m + c->fec_latency_ns +
				   (t->cw_ps - cw_full) / 1000 + 0.5);
}

uint64_t pm_llr_tx_line_bits(const struct pm_dir *d)
{
	const struct pm_link_config *c = &d->link->config;

	if (!d->out.busy_ps)
		return (uint64_t)d->out.line_bits;
	/* busy_ps belongs to the width that ps_per_byte was made for. */
	return (uint64_t)(d->out.line_bits + (double)d->out.busy_ps *
			  (c->fec_n * c->fec_symbol_bits / d->out.cw_ps));
}

/* Sending */

static bool has_room(const struct pm_llr_tx *t, unsigned int queue)
{
	return t->tail - t->sent < queue && t->tail - t->una < PM_WINDOW;
}

static void tell_ready(struct pm_dir *d)
{
	struct pm_port *p = d->tx;

	if (!d->out.want_ready || !has_room(&d->out, READY_FRAMES))
		return;
	d->out.want_ready = false;
	if (p->ops && p->ops->tx_ready)
		p->ops->tx_ready(p->owner);
}

static uint64_t replay_deadline(struct pm_dir *d)
{
	uint64_t loop = d->latency_ns + d->link->dir[d == d->link->dir].latency_ns;
	uint64_t wait = REPLAY_LOOPS * loop + REPLAY_EXTRA_NS;
	struct pm_llr_tx *t = &d->out;
	uint64_t from = slot_of(d, t->una)->sent;
	unsigned int i;

	if (wait < REPLAY_MIN_NS)
		wait = REPLAY_MIN_NS;
	if (wait > REPLAY_MAX_NS)
		wait = REPLAY_MAX_NS;
	for (i = 0; i < t->timeouts && wait < REPLAY_BACKOFF_NS; i++)
		wait *= 2;
	if (wait > REPLAY_BACKOFF_NS)
		wait = REPLAY_BACKOFF_NS;
	return (from > t->progress ? from : t->progress) + wait;
}

static bool may_send(const struct pm_dir *d)
{
	const struct pm_llr_tx *t = &d->out;

	if (t->next == t->tail || !is_up(d))
		return false;
	return t->failed < PROBE_AFTER || t->next == t->una;
}

/* The next frame takes its place on the line. */
static struct pm_flight *send_next(struct pm_dir *d)
{
	struct pm_llr_tx *t = &d->out;
	struct pm_flight *e = put_on_line(d, t->next);

	if (t->next == t->sent) {
		t->sent++;
		t->frames++;
		t->payload += slot_of(d, t->next)->len;
	} else {
		t->replayed++;
	}
	t->next++;
	return e;
}

static void expect_answer(struct pm_dir *d)
{
	struct pm_llr_tx *t = &d->out;

	if (t->una != t->next && t->replay.heap_pos < 0)
		pm_sim_at(d->link->sim, &t->replay, replay_deadline(d));
}

static void fill_line(struct pm_dir *d)
{
	uint64_t horizon = pm_dir_now(d) * 1000 + TRAIN_PS;
	struct pm_llr_tx *t = &d->out;

	while (may_send(d)) {
		if (d->flight_tail - d->flight_head >= PM_FLIGHT - PM_FLIGHT_SPARE) {
			pm_sim_at(d->link->sim, &t->pump,
				  d->flight[d->flight_head % PM_FLIGHT].arrives);
			break;
		}
		if (t->free_ps > horizon) {
			pm_sim_at(d->link->sim, &t->pump, ns_of(t->free_ps - TRAIN_PS / 2));
			break;
		}
		flight_arrives(d, send_next(d));
	}
	expect_answer(d);
}

static void pump(struct pm_dir *d)
{
	fill_line(d);
	tell_ready(d);
}

static bool enqueue(struct pm_dir *d, struct pm_frame *f)
{
	struct pm_llr_tx *t = &d->out;
	struct pm_slot *s;

	if (!has_room(t, PM_QUEUE_FRAMES)) {
		t->want_ready = true;
		return false;
	}
	if (t->next == t->tail)
		t->work_ps = pm_dir_now(d) * 1000;
	f->seq = t->tail;
	s = slot_of(d, t->tail++);
	s->f = f;
	s->len = f->payload_len;
	s->queued = pm_dir_now(d);
	if (t->age.heap_pos < 0)
		pm_sim_at(d->link->sim, &t->age, s->queued +
			  d->link->config.data_age_ms * 1000000ull);
	return true;
}

bool pm_port_send(struct pm_port *p, struct pm_frame *f)
{
	if (!enqueue(p->out, f))
		return false;
	/* No tx_ready from in here: the owner is in the middle of sending. */
	if (p->out->out.pump.heap_pos < 0)
		fill_line(p->out);
	return true;
}

bool pm_llr_tx_idle(const struct pm_dir *d)
{
	const struct pm_llr_tx *t = &d->out;

	return t->una == t->tail && !t->failed && t->pump.heap_pos < 0 && is_up(d) &&
	       d->flight_head == d->flight_tail && pm_llr_rx_quiet(d);
}

bool pm_port_send_now(struct pm_port *p, struct pm_frame *f)
{
	struct pm_dir *d = p->out;
	struct pm_flight *e;

	if (!pm_llr_tx_idle(d))
		return pm_port_send(p, f);
	enqueue(d, f);
	e = send_next(d);
	set_arrival(d, e);
	if (pm_sim_pass(d->link->sim, e->arrives))
		pm_llr_rx_now(d);
	else
		pm_llr_rx_schedule(d);
	expect_answer(d);
	return true;
}

static void acked_until(struct pm_dir *d, uint32_t seq)
{
	struct pm_llr_tx *t = &d->out;

	t->una = seq;
	if ((int32_t)(t->next - seq) < 0)
		t->next = seq;
	t->failed = 0;
	t->timeouts = 0;
	t->progress = pm_dir_now(d);
}

static void pump_event(void *arg, uint64_t now)
{
	(void)now;
	pump(arg);
}

/* Acknowledgements and replay */

static void go_back(struct pm_dir *d)
{
	struct pm_llr_tx *t = &d->out;

	t->failed++;
	t->round++;
	t->next = t->una;
	t->progress = pm_dir_now(d);
	/* The line's wait for this counts as work. */
	t->work_ps = 0;
	pump(d);
}

void pm_llr_tx_ack(struct pm_dir *d, uint32_t expect)
{
	struct pm_llr_tx *t = &d->out;

	if ((int32_t)(expect - t->una) <= 0 || (int32_t)(t->sent - expect) < 0)
		return;
	acked_until(d, expect);
	if (t->pump.heap_pos < 0)
		pump(d);
}

void pm_llr_tx_nak(struct pm_dir *d, uint32_t round)
{
	struct pm_llr_tx *t = &d->out;

	/* One for an earlier round has been answered. */
	if (round != t->round || t->una == t->next || t->failed >= NAKS_MAX)
		return;
	go_back(d);
}

static void replay_event(void *arg, uint64_t now)
{
	struct pm_dir *d = arg;
	struct pm_llr_tx *t = &d->out;
	uint64_t deadline;

	if (t->una == t->next || !is_up(d))
		return;
	deadline = replay_deadline(d);
	if (now < deadline) {
		pm_sim_at(d->link->sim, &t->replay, deadline);
		return;
	}
	t->timeouts++;
	go_back(d);
}

void pm_llr_tx_link(struct pm_dir *d, bool up)
{
	struct pm_llr_tx *t = &d->out;

	if (!up) {
		pm_sim_cancel(d->link->sim, &t->replay);
		pm_sim_cancel(d->link->sim, &t->pump);
		return;
	}
	t->failed = 0;
	t->timeouts = 0;
	t->round++;
	t->next = t->una;
	t->progress = pm_dir_now(d);
	t->work_ps = pm_dir_now(d) * 1000;
	pm_sim_at(d->link->sim, &t->pump, pm_dir_now(d));
}

/* Giving up */

static void age_event(void *arg, uint64_t now)
{
	struct pm_dir *d = arg;
	struct pm_llr_tx *t = &d->out;
	struct pm_port *p = d->tx;
	uint64_t age = d->link->config.data_age_ms * 1000000ull;
	struct pm_frame *list = NULL, **end = &list, *f;

	while (t->una != t->tail && slot_of(d, t->una)->queued + age <= now) {
		struct pm_slot *s = slot_of(d, t->una);

		if (s->f) {
			s->f->next = NULL;
			*end = s->f;
			end = &s->f->next;
			s->f = NULL;
		}
		if (t->sent == t->una)
			t->sent++;
		acked_until(d, t->una + 1);
	}
	if (t->una != t->tail)
		pm_sim_at(d->link->sim, &t->age, slot_of(d, t->una)->queued + age);
	/* Only now: the owner may send, or reset the port. */
	while (list) {
		f = list;
		list = f->next;
		f->next = NULL;
		if (p->ops && p->ops->flushed)
			p->ops->flushed(p->owner, f);
		else
			pm_frame_free(f);
	}
	pump(d);
}

void pm_llr_tx_drop(struct pm_dir *d)
{
	struct pm_llr_tx *t = &d->out;

	for (; t->una != t->tail; t->una++) {
		struct pm_slot *s = slot_of(d, t->una);

		if (s->f)
			pm_frame_free(s->f);
		s->f = NULL;
	}
	t->next = t->una;
	t->sent = t->una;
	t->round++;
	t->failed = 0;
	t->timeouts = 0;
	t->want_ready = false;
	t->frames = 0;
	t->replayed = 0;
	t->payload = 0;
	t->busy_ps = 0;
	t->line_bits = 0;
	pm_sim_cancel(d->link->sim, &t->pump);
	pm_sim_cancel(d->link->sim, &t->replay);
	pm_sim_cancel(d->link->sim, &t->age);
}

void pm_llr_tx_init(struct pm_dir *d)
{
	struct pm_llr_tx *t = &d->out;

	pm_event_init(&t->pump, pump_event, d, false);
	pm_event_init(&t->replay, replay_event, d, true);
	pm_event_init(&t->age, age_event, d, true);
}
