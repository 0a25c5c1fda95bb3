// SPDX-License-Identifier: GPL-2.0
/*
 * Responses: how transfers that this NIC began went on at the far end, and the data of its reads.
 *
 * Called by rx.c. A response to a transfer that is over finds no message and is dropped.
 */
#include "card_priv.h"

static void over(struct pm_msg *m, uint8_t status)
{
	struct pm_ep *ep = m->ep;

	pm_msg_finish(m, status);
	pm_sq_retire(ep);
}

/*
 * The far end has got to @m, so it had carried out the lazy ones before it: what failed of them
 * it has answered before.
 */
static void lazy_over(struct pm_msg *m)
{
	struct pm_msg *q;

	for (q = m->ep->head; q && q != m; q = q->next)
		if (q->lazy && !q->done && q->sent == q->len && q->dst_nic == m->dst_nic &&
		    q->dst_ep == m->dst_ep)
			pm_msg_finish(q, PNIC_ST_OK);
}

static void progress(struct pm_msg *m, uint32_t got)
{
	if (m->opcode == PNIC_OP_READ || got <= m->acked || got > m->sent)
		return;
	m->ep->inflight -= got - m->acked;
	m->acked = got;
	pm_tx_kick(m->ep);
}

/*
 * The memory that a DATA frame of @c names, if the NIC and the endpoint for which it was read still
 * are what they were.
 */
uint8_t pm_rsp_source(struct pm_card *c, const struct pm_wire *w, struct pm_sg *sg,
		      struct pm_span *s)
{
	struct pm_ep *ep = pm_ep_find(c, w->src_ep);

	if (c->inc != w->src_inc)
		return PNIC_ST_PEER_RESET;
	if (!ep || ep->gen != w->ep_gen || ep->state == PM_EP_DEAD)
		return PNIC_ST_REMOTE_EP;
	sg->addr = w->raddr;
	sg->key = w->rkey;
	sg->len = w->len;
	memset(s, 0, sizeof(*s));
	s->card = c;
	s->sg = sg;
	s->nsg = 1;
	s->acc.remote = true;
	s->acc.partition = w->partition;
	s->acc.rights = PNIC_MR_REMOTE_READ;
	return PNIC_ST_OK;
}

/* One frame of what was read. */
static uint8_t take_data(struct pm_card *c, struct pm_msg *m, const struct pm_frame *f,
			 const struct pm_wire *w)
{
	struct pm_card *far = pm_fabric_by_addr(c->fabric, f->src_nic);
	struct pm_span dst, src;
	uint8_t dst_st, src_st;
	struct pm_sg sg;

	src_st = pm_rsp_source(far, w, &sg, &src);
	if (src_st)
		return src_st;
	pm_msg_span(m, &dst, true);
	if (!pm_span_copy(&dst, m->acked, &src, w->off, f->payload_len, &dst_st, &src_st))
		return dst_st ? dst_st : pm_status_mirror(src_st);
	m->acked += f->payload_len;
	return PNIC_ST_OK;
}

static void data(struct pm_card *c, struct pm_msg *m, const struct pm_frame *f,
		 const struct pm_wire *w)
{
	uint8_t st;

	/* A gap: a frame before this one was given up, and whoever did that tells. */
	if (m->opcode != PNIC_OP_READ || w->off != m->acked || f->payload_len > m->len - m->acked)
		return;
	st = take_data(c, m, f, w);
	if (st)
		pm_tx_abort(m);
	if (st || m->acked == m->len)
		over(m, st);
}

void pm_rsp_frame(struct pm_card *c, struct pm_frame *f, const struct pm_wire *w)
{
	struct pm_msg *m = pm_msg_find(c, w->msg);

	if (!m || m->dst_nic != f->src_nic)
		return;
	switch (w->type) {
	case PM_W_RSP:
		/* Answers in another's name, or of another life of the NIC, say nothing of earlier ones. */
		if (m->opcode != PNIC_OP_READ && w->src_inc && w->status != PNIC_ST_PEER_RESET)
			lazy_over(m);
		m->result = w->imm;
		over(m, w->status);
		break;
	case PM_W_PROGRESS:
		progress(m, w->off);
		break;
	case PM_W_DATA:
		data(c, m, f, w);
		break;
	}
}
