// SPDX-License-Identifier: GPL-2.0
/*
 * The management channel: messages in the overhead that every lit lane carries in full. Called for
 * MGMT_SEND and MGMT_RECV, and by the event that brings the first message on the way.
 *
 * A message is lost if no lane brings an undamaged copy of it (each copy has its own check), or if
 * the receiver's queue is full. Messages of a direction go one after another.
 */
#include <stdlib.h>
#include <string.h>

#include "link_int.h"

/* Assumption: 1 bit in 64 of a lane is overhead (PCIe and Ethernet markers take less). */
#define OVERHEAD_SHARE		64
/* On the way at once; the sender is told to come again. */
#define MGMT_ON_WAY_MAX		64

int pm_port_mgmt_send(struct pm_port *p, const void *msg, size_t len)
{
	struct pm_dir *d = p->out;
	struct pm_mgmt *g = &d->mgmt;
	uint64_t now_ps = pm_dir_now(d) * 1000;
	struct pm_mgmt_msg *m;

	if (!len || len > PM_MGMT_MAX)
		return PNIC_AS_INVALID_FIELD;
	if (!pm_lanes_lit(d))
		return PNIC_AS_LINK_DOWN;
	m = g->on_way < MGMT_ON_WAY_MAX ? malloc(sizeof(*m) + len) : NULL;
	if (!m)
		return PNIC_AS_NO_RESOURCE;
	if (g->free_ps < now_ps)
		g->free_ps = now_ps;
	g->free_ps += (uint64_t)((double)len * 8 * 1000 * OVERHEAD_SHARE /
				 d->link->config.lane_gbps);
	m->next = NULL;
	m->arrives = g->free_ps / 1000 + d->latency_ns;
	m->len = len;
	memcpy(m->data, msg, len);
	*g->last = m;
	g->last = &m->next;
	if (!g->on_way++)
		pm_sim_at(d->link->sim, &g->arrive, m->arrives);
	p->mgmt_tx++;
	return PNIC_AS_OK;
}

static void received(struct pm_port *p, struct pm_mgmt_msg *m)
{
	struct pm_link_event ev = { .type = PM_LINK_MGMT };

	p->mgmt[(p->mgmt_head + p->mgmt_count++) % PM_MGMT_QUEUE] = m;
	p->mgmt_rx++;
	pm_port_notify(p, ev);
}

static void arrive_event(void *arg, uint64_t now)
{
	struct pm_dir *d = arg;
	struct pm_mgmt *g = &d->mgmt;
	struct pm_mgmt_msg *m = g->first;
	struct pm_port *p = d->rx;

	(void)now;
	g->on_way--;
	g->first = m->next;
	if (g->first)
		pm_sim_at(d->link->sim, &g->arrive, g->first->arrives);
	else
		g->last = &g->first;
	if (p->mgmt_count < PM_MGMT_QUEUE && pm_lanes_carry(d, m->len, &g->rng)) {
		received(p, m);
		return;
	}
	p->mgmt_lost++;
	free(m);
}

size_t pm_port_mgmt_peek(struct pm_port *p, void *buf, size_t cap)
{
	struct pm_mgmt_msg *m = p->mgmt_count ? p->mgmt[p->mgmt_head] : NULL;

	if (!m)
		return 0;
	if (m->len <= cap)
		memcpy(buf, m->data, m->len);
	return m->len;
}

void pm_port_mgmt_drop(struct pm_port *p)
{
	free(p->mgmt[p->mgmt_head]);
	p->mgmt_head = (p->mgmt_head + 1) % PM_MGMT_QUEUE;
	p->mgmt_count--;
}

size_t pm_port_mgmt_recv(struct pm_port *p, void *buf, size_t cap)
{
	size_t len = pm_port_mgmt_peek(p, buf, cap);

	if (len && len <= cap)
		pm_port_mgmt_drop(p);
	return len;
}

void pm_mgmt_flush(struct pm_port *p)
{
	while (p->mgmt_count)
		pm_port_mgmt_drop(p);
}

void pm_mgmt_init(struct pm_dir *d, uint64_t stream)
{
	struct pm_mgmt *g = &d->mgmt;

	g->last = &g->first;
	pm_event_init(&g->arrive, arrive_event, d, false);
	pm_rng_init(&g->rng, d->link->config.seed, "management", stream);
}

void pm_mgmt_free(struct pm_dir *d)
{
	struct pm_mgmt_msg *m;

	while ((m = d->mgmt.first)) {
		d->mgmt.first = m->next;
		free(m);
	}
}
