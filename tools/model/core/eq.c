// SPDX-License-Identifier: GPL-2.0
/*
 * Event queues: entries with a phase, arming, vectors.
 *
 * Called by the register file (heads), the admin queue, completion queues and whatever has
 * news. Events that users cause at will (of CQs and endpoints), or the line and the far end (of the link),
 * wait in their object while the queue is nearly full, so that nobody can overrun it.
 */
#include <stdlib.h>

#include "card_priv.h"

/* Entries kept free for the events that can't wait. */
#define EQ_RESERVE(eq)	(((eq)->mask + 1) / 4)

static uint32_t fill(const struct pm_eq *eq)
{
	return eq->pi - eq->head;
}

static bool write_entry(struct pm_eq *eq, struct pnic_eqe *e)
{
	uint32_t phase = !(eq->pi >> eq->log & 1);

	e->clock_us = htole32(pm_sim_now(eq->card->sim) / 1000);
	e->phase = htole32(phase);
	pm_card_garble_eqe(eq->card, e);
	if (!pm_dma_entry(eq->card, eq->base + (uint64_t)(eq->pi & eq->mask) * PNIC_EQE_SIZE, e,
			  sizeof(*e)))
		return false;
	eq->pi++;
	if (eq->armed) {
		eq->armed = false;
		pm_card_irq(eq->card, eq->vector);
	}
	return true;
}

static void post(struct pm_eq *eq, struct pnic_eqe *e)
{
	struct pm_card *c = eq->card;

	if (c->status & PNIC_STATUS_FATAL || pm_card_take_garble(c, PM_GARBLE_EQE_LOST))
		return;
	if (fill(eq) > eq->mask)
		pm_card_fatal(c, PNIC_FATAL_EQ_OVERRUN, eq->eqn);
	else if (!write_entry(eq, e))
		pm_card_fatal(c, PNIC_FATAL_DMA, eq->eqn);
	else if (pm_card_take_garble(c, PM_GARBLE_EQE_TWICE) && fill(eq) <= eq->mask)
		write_entry(eq, e);
}

void pm_eq_post(struct pm_card *c, uint32_t eqn, uint8_t type, uint16_t code, uint32_t id,
		uint64_t d0, uint64_t d1)
{
	struct pnic_eqe e = {
		.type = type, .code = htole16(code), .id = htole32(id),
		.data = { htole64(d0), htole64(d1) },
	};

	if (c->eq[eqn])
		post(c->eq[eqn], &e);
}

/* The one event of a card that has failed; where EQ 0 can't take it vector 0 is raised bare. */
void pm_eq_post_fatal(struct pm_card *c)
{
	struct pnic_eqe e = {
		.type = PNIC_EV_FATAL, .code = htole16(c->fatal_code), .id = htole32(c->fatal_info),
	};
	struct pm_eq *eq = c->eq[0];

	if (!eq || fill(eq) > eq->mask || !write_entry(eq, &e))
		pm_card_irq(c, 0);
}

void pm_notice_init(struct pm_notice *n)
{
	pm_list_init(&n->node);
}

static void drain(struct pm_eq *eq)
{
	while (!pm_list_empty(&eq->pending) && fill(eq) + EQ_RESERVE(eq) <= eq->mask) {
		struct pm_notice *n = pm_container(eq->pending.next, struct pm_notice, node);

		pm_list_del(&n->node);
		post(eq, &n->eqe);
		if (eq->card->status & PNIC_STATUS_FATAL)
			return;
	}
}

/* An object's event; one that still waits for room is not sent twice. */
void pm_eq_notify(struct pm_eq *eq, struct pm_notice *n, uint8_t type, uint16_t code, uint32_t id)
{
	if (!pm_list_empty(&n->node))
		return;
	memset(&n->eqe, 0, sizeof(n->eqe));
	n->eqe.type = type;
	n->eqe.code = htole16(code);
	n->eqe.id = htole32(id);
	pm_list_add_tail(&n->node, &eq->pending);
	drain(eq);
}

/* News of the link, for EQ 0. The last word counts: it goes behind what waits, and in the place of an earlier one. */
void pm_eq_news(struct pm_card *c, struct pm_notice *n, uint8_t type, uint16_t code, uint32_t id, uint64_t d0,
		uint64_t d1)
{
	struct pm_eq *eq = c->eq[0];

	if (!eq)
		return;
	pm_list_del(&n->node);
	n->eqe = (struct pnic_eqe){
		.type = type, .code = htole16(code), .id = htole32(id), .data = { htole64(d0), htole64(d1) },
	};
	pm_list_add_tail(&n->node, &eq->pending);
	drain(eq);
}

/* EQ_HEAD and EQ_ARM. */
void pm_eq_head(struct pm_card *c, unsigned int eqn, uint32_t head, bool arm)
{
	struct pm_eq *eq = eqn < PM_MAX_EQ ? c->eq[eqn] : NULL;

	if (!eq)
		return;
	if (eq->pi - head > eq->mask + 1) {
		pm_card_fatal(c, PNIC_FATAL_EQ_OVERRUN, eqn);
		return;
	}
	eq->head = head;
	if (!(c->status & PNIC_STATUS_FATAL))
		drain(eq);
	if (!arm)
		return;
	eq->armed = eq->pi == head;
	if (!eq->armed)
		pm_card_irq(c, eq->vector);
}

uint8_t pm_adm_create_eq(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_create_eq *k = cmd;
	uint16_t eqn = le16toh(k->eqn);
	uint64_t base = le64toh(k->base);
	struct pm_eq *eq;

	if (eqn >= PM_MAX_EQ)
		return PM_BAD(r, struct pnic_adm_create_eq, eqn);
	if (le16toh(k->vector) >= PM_VECTORS)
		return PM_BAD(r, struct pnic_adm_create_eq, vector);
	if (k->log_size < 4 || k->log_size > PM_MAX_LOG_EQ)
		return PM_BAD(r, struct pnic_adm_create_eq, log_size);
	if (!base || base & 4095)
		return PM_BAD(r, struct pnic_adm_create_eq, base);
	if (c->eq[eqn])
		return PNIC_AS_EXISTS;
	eq = calloc(1, sizeof(*eq));
	if (!eq)
		return PNIC_AS_NO_RESOURCE;
	eq->card = c;
	eq->base = base;
	eq->log = k->log_size;
	eq->mask = (1u << eq->log) - 1;
	eq->eqn = eqn;
	eq->vector = le16toh(k->vector);
	eq->armed = true;
	pm_list_init(&eq->pending);
	c->eq[eqn] = eq;
	return PNIC_AS_OK;
}

/* What still waits for room in it is lost with it. */
void pm_eq_drop(struct pm_card *c, unsigned int eqn)
{
	struct pm_eq *eq = c->eq[eqn];

	if (!eq)
		return;
	while (!pm_list_empty(&eq->pending))
		pm_list_del(eq->pending.next);
	free(eq);
	c->eq[eqn] = NULL;
}

uint8_t pm_adm_destroy_eq(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_destroy *k = cmd;
	uint32_t eqn = le32toh(k->id);

	if (eqn >= PM_MAX_EQ)
		return PM_BAD(r, struct pnic_adm_destroy, id);
	if (!c->eq[eqn])
		return PNIC_AS_NOT_FOUND;
	if (c->eq[eqn]->users)
		return PNIC_AS_BUSY;
	pm_eq_drop(c, eqn);
	return PNIC_AS_OK;
}
