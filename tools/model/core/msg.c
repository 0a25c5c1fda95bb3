// SPDX-License-Identifier: GPL-2.0
/*
 * Messages: transfers that this NIC began, and reads that it serves.
 *
 * Frames name a message by number and generation, never by pointer: one that comes
 * after the message's end finds nothing. The table outlives a reset of the card for the same
 * reason.
 */
#include <stdlib.h>

#include "card_priv.h"

static bool add_chunk(struct pm_card *c)
{
	struct pm_msg **tab, *chunk;
	unsigned int i;

	tab = realloc(c->chunk, (c->nchunks + 1) * sizeof(*tab));
	if (!tab)
		return false;
	c->chunk = tab;
	chunk = calloc(PM_MSG_CHUNK, sizeof(*chunk));
	if (!chunk)
		return false;
	for (i = PM_MSG_CHUNK; i-- > 0;) {
		chunk[i].idx = c->nchunks * PM_MSG_CHUNK + i;
		chunk[i].gen = 1;
		chunk[i].next = c->msg_free;
		c->msg_free = &chunk[i];
	}
	tab[c->nchunks++] = chunk;
	return true;
}

/* Everything but the payload's place is as it was: the caller sets it. */
struct pm_msg *pm_msg_new(struct pm_card *c, enum pm_msg_kind kind)
{
	size_t head = offsetof(struct pm_msg, sg);
	uint32_t idx, gen;
	struct pm_msg *m;

	if (!c->msg_free && !add_chunk(c))
		return NULL;
	m = c->msg_free;
	c->msg_free = m->next;
	idx = m->idx;
	gen = m->gen;
	memset(m, 0, head);
	m->idx = idx;
	m->gen = gen;
	m->kind = kind;
	pm_list_init(&m->run);
	pm_list_init(&m->job);
	c->msgs_live++;
	return m;
}

void pm_msg_put(struct pm_card *c, struct pm_msg *m)
{
	m->kind = PM_MSG_FREE;
	m->gen++;
	m->next = c->msg_free;
	c->msg_free = m;
	c->msgs_live--;
}

uint64_t pm_msg_id(const struct pm_msg *m)
{
	return (uint64_t)m->gen << 32 | m->idx;
}

/* A transfer that is still under way, or NULL. */
struct pm_msg *pm_msg_find(struct pm_card *c, uint64_t id)
{
	uint32_t idx = id;
	struct pm_msg *m;

	if (idx >= c->nchunks * PM_MSG_CHUNK)
		return NULL;
	m = &c->chunk[idx / PM_MSG_CHUNK][idx % PM_MSG_CHUNK];
	if (m->gen != id >> 32 || m->kind != PM_MSG_TX || m->done)
		return NULL;
	return m;
}

bool pm_msg_on_wire(const struct pm_msg *m)
{
	return m->begun && !m->done && m->opcode != PNIC_OP_NOP && m->opcode != PNIC_OP_FLUSH;
}

/* The transfer is over. Its completion is written in its turn, by pm_sq_retire(). */
void pm_msg_finish(struct pm_msg *m, uint8_t status)
{
	struct pm_ep *ep = m->ep;

	if (m->done)
		return;
	m->done = true;
	m->status = status;
	if (m->opcode != PNIC_OP_READ)
		ep->inflight -= m->sent - m->acked;
	if (ep->next == m)
		ep->next = m->next;
	if (status && ep->flags & PNIC_EPF_STOP_ON_ERROR)
		pm_ep_stop(ep, status);
}

/* The local memory of a transfer. */
void pm_msg_span(struct pm_msg *m, struct pm_span *s, bool write)
{
	memset(s, 0, sizeof(*s));
	s->card = m->ep->card;
	if (m->inlined)
		s->buf = m->data;
	s->sg = m->sg;
	s->nsg = m->nsg;
	s->acc.ctx = m->ep->ctx;
	s->acc.rights = write ? PNIC_MR_LOCAL_WRITE : PNIC_MR_LOCAL_READ;
}

/* Checks the whole of it. */
uint8_t pm_msg_check(struct pm_msg *m)
{
	struct pm_span s;
	unsigned int i;
	uint8_t st = PNIC_ST_OK;

	if (m->inlined)
		return PNIC_ST_OK;
	pm_msg_span(m, &s, m->opcode == PNIC_OP_READ);
	for (i = 0; i < m->nsg && !st; i++)
		st = pm_mr_check(s.card, &s.acc, &m->sg[i]);
	return st;
}

/* What the other end is told of a failure at this one. */
uint8_t pm_status_mirror(uint8_t status)
{
	switch (status) {
	case PNIC_ST_LOCAL_KEY:
		return PNIC_ST_REMOTE_KEY;
	case PNIC_ST_LOCAL_BOUNDS:
		return PNIC_ST_REMOTE_BOUNDS;
	case PNIC_ST_LOCAL_RIGHTS:
		return PNIC_ST_REMOTE_RIGHTS;
	case PNIC_ST_DMA_FAULT:
		return PNIC_ST_REMOTE_DMA;
	case PNIC_ST_BAD_DESC:
		return PNIC_ST_REMOTE_KEY;
	case PNIC_ST_LOCAL_MOVED:
		return PNIC_ST_REMOTE_MOVED;
	default:
		return status;
	}
}
