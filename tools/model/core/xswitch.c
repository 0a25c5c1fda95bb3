// SPDX-License-Identifier: GPL-2.0
/*
 * The switch of a fabric of more than two NICs: plain, not blocking, one port for each.
 *
 * It passes frames on by reference, has one queue for each output, and drops nothing: when a queue
 * grows, the NICs are told to send no more payload that way (pm_fabric.xoff). What nobody can take
 * is answered to its sender. Each port has firmware of its own for its lane maps. Called by the
 * ports (as their owner) and by fabric.c.
 */
#include <stdlib.h>

#include "card_priv.h"
#include "portfw.h"

#define XOFF_FRAMES	512u
#define XON_FRAMES	128u
#define RETRY_NS	10000000ull

struct out_port {
	struct pm_switch *sw;
	struct pm_port *port;
	struct pm_portfw *fw;
	unsigned int nic;
	struct pm_frame_queue q, retry;
	bool full;			/* the port said so */
	struct pm_event retry_timer, age_timer;
};

struct pm_switch {
	struct pm_fabric *fabric;
	struct out_port out[PM_MAX_NICS];
};

static uint32_t addr_of(const struct out_port *o)
{
	return PM_NIC_ADDR_FIRST + o->nic;
}

static void drain(struct out_port *o)
{
	struct pm_fabric *f = o->sw->fabric;

	while (o->q.len && !o->full) {
		struct pm_frame *fr = pm_fq_pop(&o->q);

		if (!(f->direct ? pm_port_send_now(o->port, fr) : pm_port_send(o->port, fr))) {
			pm_fq_push_front(&o->q, fr);
			o->full = true;
		}
	}
	if (o->q.len >= XOFF_FRAMES) {
		f->xoff |= 1u << o->nic;
	} else if (o->q.len <= XON_FRAMES && f->xoff >> o->nic & 1) {
		f->xoff &= ~(1u << o->nic);
		pm_fabric_xon(f);
	}
}

static void forward(struct out_port *o, struct pm_frame *f)
{
	pm_fq_push(&o->q, f);
	drain(o);
}

static struct out_port *way_to(struct pm_switch *sw, uint32_t addr)
{
	uint32_t i = addr - PM_NIC_ADDR_FIRST;

	return i < pm_fabric_nics(sw->fabric) && sw->out[i].port ? &sw->out[i] : NULL;
}

/* Answers a request in the name of the NIC that it was for; other frames have nobody who waits. */
static void answer(struct pm_switch *sw, struct pm_frame *f, uint8_t status)
{
	struct out_port *back = way_to(sw, f->src_nic);
	struct pm_wire w;
	uint32_t dst = f->dst_nic;

	pm_wire_get(&w, f);
	if (!back || w.type != PM_W_REQ || w.off) {
		pm_frame_free(f);
		return;
	}
	w.type = PM_W_RSP;
	w.status = status;
	w.src_inc = 0;
	f->dst_nic = f->src_nic;
	f->src_nic = dst;
	f->payload_len = 0;
	f->is_inline = true;
	pm_wire_set(f, &w);
	forward(back, f);
}

static void broadcast(struct out_port *from, struct pm_frame *f)
{
	unsigned int i;

	for (i = 0; i < pm_fabric_nics(from->sw->fabric); i++) {
		struct out_port *o = &from->sw->out[i];
		struct pm_frame *copy;

		if (o == from || !o->port)
			continue;
		copy = pm_frame_new();
		if (!copy)
			continue;
		*copy = *f;
		copy->next = NULL;
		forward(o, copy);
	}
	pm_frame_free(f);
}

static void rx(void *owner, struct pm_frame *f)
{
	struct out_port *in = owner, *o = way_to(in->sw, f->dst_nic);

	if (f->dst_nic == PM_NIC_ADDR_ALL)
		broadcast(in, f);
	else if (o)
		forward(o, f);
	else
		answer(in->sw, f, PNIC_ST_UNREACHABLE);
}

/* The switch is the origin of nothing that has payload. */
static bool gather(void *owner, const struct pm_frame *f, size_t off, void *buf, size_t len)
{
	(void)owner;
	(void)f;
	(void)off;
	(void)buf;
	(void)len;
	return false;
}

static void retry(void *arg, uint64_t now)
{
	struct out_port *o = arg;
	struct pm_frame *f;

	(void)now;
	while ((f = pm_fq_pop(&o->retry)))
		pm_fq_push(&o->q, f);
	drain(o);
}

/*
 * A frame that its output's link gave up. Requests are answered; answers are tried again, since the
 * one who waits for them knows only of his own link.
 */
static void flushed(void *owner, struct pm_frame *f)
{
	struct out_port *o = owner;
	struct pm_wire w;

	pm_wire_get(&w, f);
	if (w.type == PM_W_REQ) {
		/* Any frame of it: the rest may have got through, but the transfer can't. */
		w.off = 0;
		pm_wire_set(f, &w);
		answer(o->sw, f, PNIC_ST_LINK);
		return;
	}
	if (w.type == PM_W_DATA) {
		w.type = PM_W_RSP;
		w.status = PNIC_ST_LINK;
		f->payload_len = 0;
		f->is_inline = true;
		pm_wire_set(f, &w);
	}
	pm_fq_push(&o->retry, f);
	pm_sim_at(o->sw->fabric->sim, &o->retry_timer, pm_sim_now(o->sw->fabric->sim) + RETRY_NS);
}

static void tx_ready(void *owner)
{
	struct out_port *o = owner;

	o->full = false;
	drain(o);
}

/*
 * A link that stays down past the data age: the other NICs need not wait for what would come over
 * it.
 */
static void aged(void *arg, uint64_t now)
{
	struct out_port *o = arg;
	uint64_t age = pm_port_config(o->port)->data_age_ms * 1000000ull;
	struct pm_wire w = { .type = PM_W_LINK_LOST };
	struct pm_frame *f;

	if (pm_port_state(o->port) == PNIC_LINK_UP)
		return;
	f = pm_frame_new();
	if (f) {
		f->src_nic = addr_of(o);
		f->dst_nic = PM_NIC_ADDR_ALL;
		f->origin = o->port;
		f->is_inline = true;
		pm_wire_set(f, &w);
		broadcast(o, f);
	}
	pm_sim_at(o->sw->fabric->sim, &o->age_timer, now + age);
}

static void event(void *owner, const struct pm_link_event *ev)
{
	struct out_port *o = owner;
	struct pm_sim *sim = o->sw->fabric->sim;

	if (ev->type == PM_LINK_STATE && ev->state == PNIC_LINK_UP)
		pm_sim_cancel(sim, &o->age_timer);
	else if (ev->type == PM_LINK_STATE)
		pm_sim_at(sim, &o->age_timer,
			  pm_sim_now(sim) + pm_port_config(o->port)->data_age_ms * 1000000ull);
	pm_portfw_event(o->fw, ev);
}

static const struct pm_port_ops ops = {
	.rx = rx,
	.gather = gather,
	.flushed = flushed,
	.tx_ready = tx_ready,
	.event = event,
};

struct pm_switch *pm_switch_new(struct pm_fabric *f)
{
	struct pm_switch *sw = calloc(1, sizeof(*sw));
	unsigned int i;

	if (!sw)
		return NULL;
	sw->fabric = f;
	for (i = 0; i < PM_MAX_NICS; i++) {
		struct out_port *o = &sw->out[i];

		o->sw = sw;
		o->nic = i;
		pm_event_init(&o->retry_timer, retry, o, true);
		pm_event_init(&o->age_timer, aged, o, true);
	}
	return sw;
}

int pm_switch_attach(struct pm_switch *sw, unsigned int nic, struct pm_port *port)
{
	struct out_port *o = &sw->out[nic];

	o->fw = pm_portfw_new(sw->fabric->sim, port);
	if (!o->fw)
		return -1;
	o->port = port;
	pm_port_attach(port, &ops, o);
	return 0;
}

struct pm_port *pm_switch_port(struct pm_switch *sw, unsigned int nic)
{
	return nic < PM_MAX_NICS ? sw->out[nic].port : NULL;
}

void pm_switch_free(struct pm_switch *sw)
{
	unsigned int i;

	if (!sw)
		return;
	for (i = 0; i < PM_MAX_NICS; i++) {
		struct out_port *o = &sw->out[i];

		if (o->fw)
			pm_portfw_free(o->fw);
		pm_sim_cancel(sw->fabric->sim, &o->retry_timer);
		pm_sim_cancel(sw->fabric->sim, &o->age_timer);
		pm_fq_free(&o->q);
		pm_fq_free(&o->retry);
	}
	free(sw);
}
