// SPDX-License-Identifier: GPL-2.0
/*
 * The fabric: cards, links, a switch where there are more than two, and the loop that drives them.
 *
 * Called by the front ends through card.h. One NIC goes to a switch of one port, two are joined
 * back to back, more go to the switch with a link each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "card_priv.h"
#include "portfw.h"

#define TURN_NS		50000ull	/* a poll's work */
#define SIM_BATCH	32u		/* events between looks at the doorbells */

/* What arrives may open a window: the line is fed at once, in link time. */
static void rx(void *owner, struct pm_frame *f)
{
	struct pm_card *c = owner;

	c->turns++;
	pm_rx_frame(c, f);
	if (pm_tx_pending(c))
		pm_tx_pump(c, PM_QUANTUM);
}

static bool gather(void *owner, const struct pm_frame *f, size_t off, void *buf, size_t len)
{
	return pm_rx_gather(owner, f, off, buf, len);
}

static void flushed(void *owner, struct pm_frame *f)
{
	pm_peer_flushed(owner, f);
}

static void tx_ready(void *owner)
{
	struct pm_card *c = owner;

	c->port_full = false;
	pm_tx_pump(c, PM_QUANTUM);
}

static void event(void *owner, const struct pm_link_event *ev)
{
	struct pm_card *c = owner;
	struct pm_portfw *fw = c->fabric->fw[c->index];

	pm_peer_link_event(c, ev);
	if (fw)
		pm_portfw_event(fw, ev);
}

static const struct pm_port_ops card_ops = {
	.rx = rx,
	.gather = gather,
	.flushed = flushed,
	.tx_ready = tx_ready,
	.event = event,
};

/* Begins anew, with the card. Without memory for it lanes are left as they are. */
void pm_fabric_firmware(struct pm_fabric *f, unsigned int nic)
{
	if (!f->cfg.firmware)
		return;
	pm_portfw_free(f->fw[nic]);
	f->fw[nic] = pm_portfw_new(f->sim, f->card[nic]->port);
}

static int add_card(struct pm_fabric *f, unsigned int nic, struct pm_port *port)
{
	f->card[nic] = pm_card_new(f, nic, port);
	if (!f->card[nic])
		return -1;
	pm_port_attach(port, &card_ops, f->card[nic]);
	pm_fabric_firmware(f, nic);
	return 0;
}

static struct pm_link *add_link(struct pm_fabric *f)
{
	struct pm_link *l = pm_link_new(f->sim, &f->cfg.link, f->nlinks);

	if (l)
		f->link[f->nlinks++] = l;
	return l;
}

static int back_to_back(struct pm_fabric *f)
{
	struct pm_link *l = add_link(f);

	if (!l || add_card(f, 0, pm_link_port(l, 0)))
		return -1;
	return add_card(f, 1, pm_link_port(l, 1));
}

static int star(struct pm_fabric *f)
{
	unsigned int i;

	f->sw = pm_switch_new(f);
	if (!f->sw)
		return -1;
	for (i = 0; i < f->cfg.nics; i++) {
		struct pm_link *l = add_link(f);

		if (!l || add_card(f, i, pm_link_port(l, 0)) ||
		    pm_switch_attach(f->sw, i, pm_link_port(l, 1)))
			return -1;
	}
	return 0;
}

struct pm_fabric *pm_fabric_new(const struct pm_fabric_config *c, char *err, size_t errlen)
{
	struct pm_fabric *f;

	if (!c->nics || c->nics > PM_MAX_NICS) {
		snprintf(err, errlen, "%u NICs: it must be 1 to %u", c->nics, PM_MAX_NICS);
		return NULL;
	}
	f = calloc(1, sizeof(*f));
	if (!f) {
		snprintf(err, errlen, "out of memory");
		return NULL;
	}
	f->cfg = *c;
	f->epoch = 1;
	snprintf(f->profile, sizeof(f->profile), "%s", c->link.profile ? c->link.profile : "");
	f->cfg.link.profile = f->profile;
	f->sim = pm_sim_new(c->seed, c->pace);
	if (!f->sim || (c->nics == 2 ? back_to_back(f) : star(f))) {
		snprintf(err, errlen, "cannot make a fabric of %u NICs with this link", c->nics);
		pm_fabric_free(f);
		return NULL;
	}
	return f;
}

void pm_fabric_free(struct pm_fabric *f)
{
	unsigned int i;

	if (!f)
		return;
	for (i = 0; i < PM_MAX_NICS; i++) {
		pm_portfw_free(f->fw[i]);
		f->fw[i] = NULL;
	}
	for (i = 0; i < PM_MAX_NICS; i++)
		pm_card_free(f->card[i]);
	pm_switch_free(f->sw);
	for (i = 0; i < f->nlinks; i++)
		pm_link_free(f->link[i]);
	if (f->sim)
		pm_sim_free(f->sim);
	free(f);
}

struct pm_card *pm_fabric_card(struct pm_fabric *f, unsigned int nic)
{
	return nic < f->cfg.nics ? f->card[nic] : NULL;
}

struct pm_sim *pm_fabric_sim(struct pm_fabric *f)
{
	return f->sim;
}

unsigned int pm_fabric_nics(const struct pm_fabric *f)
{
	return f->cfg.nics;
}

struct pm_port *pm_fabric_switch_port(struct pm_fabric *f, unsigned int nic)
{
	return f->sw ? pm_switch_port(f->sw, nic) : NULL;
}

struct pm_card *pm_fabric_by_addr(struct pm_fabric *f, uint32_t addr)
{
	uint32_t i = addr - PM_NIC_ADDR_FIRST;

	return i < f->cfg.nics ? f->card[i] : NULL;
}

/* Back to back there is no switch that could turn a NIC's frames to itself round. */
bool pm_fabric_loops(const struct pm_fabric *f)
{
	return !f->sw;
}

void pm_fabric_cable_serial(const struct pm_fabric *f, unsigned int nic, char *buf, size_t len)
{
	snprintf(buf, len, "PNICC-%08x-%u", (uint32_t)f->cfg.seed, f->sw ? nic : 0);
}

void pm_fabric_xon(struct pm_fabric *f)
{
	unsigned int i;

	for (i = 0; i < f->cfg.nics; i++)
		pm_tx_xon(f->card[i]);
}

static uint64_t real_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + t.tv_nsec;
}

void pm_fabric_touch(struct pm_fabric *f)
{
	unsigned int i;

	f->epoch++;
	for (i = 0; i < f->nlinks; i++)
		pm_link_settle(f->link[i]);
}

bool pm_fabric_poll(struct pm_fabric *f, uint64_t *sleep_ns)
{
	uint64_t until = real_ns() + TURN_NS;
	unsigned int i;
	bool more;

	pm_fabric_touch(f);

	do {
		more = false;
		for (i = 0; i < f->cfg.nics; i++)
			more |= pm_card_poll(f->card[i]);
		more |= pm_sim_run(f->sim, SIM_BATCH, sleep_ns);
		for (i = 0; i < f->cfg.nics; i++)
			more |= pm_card_pending(f->card[i]);
	} while (more && real_ns() < until);
	return more;
}

bool pm_fabric_turn(struct pm_fabric *f)
{
	unsigned int i;
	bool more = false;

	pm_fabric_touch(f);
	for (i = 0; i < f->cfg.nics; i++)
		more |= pm_card_turn(f->card[i]);
	more |= pm_sim_step(f->sim, SIM_BATCH);
	for (i = 0; i < f->cfg.nics && !more; i++)
		more = pm_card_pending(f->card[i]);
	return more;
}

uint64_t pm_fabric_turns(const struct pm_fabric *f)
{
	uint64_t turns = 0;
	unsigned int i;

	for (i = 0; i < f->cfg.nics; i++)
		turns += f->card[i]->turns;
	return turns;
}

bool pm_fabric_park(struct pm_fabric *f, bool park)
{
	bool rang = false;
	unsigned int i;

	for (i = 0; i < f->cfg.nics && f->cfg.park; i++)
		pm_db_park(f->card[i], park);
	if (!park)
		return true;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (i = 0; i < f->cfg.nics; i++) {
		struct pm_card *c = f->card[i];

		if (pm_card_ready(c) && !c->frozen)
			rang |= pm_db_scan_all(c);
	}
	return !rang;
}
