// SPDX-License-Identifier: GPL-2.0
/*
 * Short writes on a quiet line.
 *
 * Most of what a busy program posts are writes of a few bytes, and mostly the line is idle and both
 * cards are well. Then nothing comes between a descriptor and its completion, and it is done at once:
 * a train of writes, without messages, frames and events. The same is checked, written, counted and
 * completed as the long way round (sq.c, tx.c, rx.c, rsp.c), and the link books the same frames
 * (quiet.c). Whatever is out of the ordinary, be it a descriptor that isn't a plain inline write, a
 * check that fails, a codeword with an error or a timer that comes first, does not get on the train,
 * and goes the long way. Called by tx.c in an endpoint's turn.
 */
#include "card_priv.h"

struct item {
	void *to;
	union {
		struct pnic_sqe sqe;
		uint8_t raw[PNIC_SLOT_SIZE];
	};
};

_Static_assert(offsetof(struct pnic_sqe, local_addr) + PNIC_SQE_INLINE_BASE <= PNIC_SLOT_SIZE, "in one slot");

/* The card that the writes are for. */
struct far {
	struct pm_card *card;
	struct pm_ep *ep;
	uint32_t nic, epn;		/* as the descriptors have them */
	uint16_t partition;
};

static bool is_well(const struct pm_card *c)
{
	return !c->frozen && !(c->status & PNIC_STATUS_FATAL) && !c->evil.kinds;
}

static bool may_ride(const struct pm_ep *ep)
{
	const struct pm_card *c = ep->card;

	return !ep->head && !ep->long_way && ep->state == PM_EP_RUN && !ep->unreadable && !ep->owes &&
	       ep->sq_fetch != ep->sq_pi && !c->fabric->sw && !c->fabric->cfg.long_way && !c->ctl.len &&
	       !c->port_full && is_well(c);
}

/* A plain inline write in one slot, and all fields right that sq.c would look at. */
static bool is_plain(const struct pm_card *c, const struct pnic_sqe *s)
{
	uint8_t flags = PNIC_SQF_INLINE | PNIC_SQF_SIGNALED |
			(pm_card_can(c, PNIC_CAP_LO_QUIET) ? PNIC_SQF_QUIET : 0);

	return s->opcode == PNIC_OP_WRITE && s->flags & PNIC_SQF_INLINE && !(s->flags & ~flags) && s->num_slots == 1 &&
	       s->num_sge <= 1 && s->length && le32toh(s->length) <= PNIC_SQE_INLINE_BASE;
}

static bool find_far(struct pm_ep *ep, const struct pnic_sqe *s, struct far *far)
{
	uint32_t nic = le32toh(s->dest_nic), i = nic - PM_NIC_ADDR_FIRST;
	struct pm_card *c = ep->card, *r;

	if (i >= pm_fabric_nics(c->fabric) || i == c->index || le32toh(s->dest_ep) >> 24)
		return false;
	r = c->fabric->card[i];
	/* One that has heard of a reset, or has yet to, has more to do than to write. */
	if (!is_well(r) || r->inc != c->peer_inc[i] || c->inc != r->peer_inc[c->index])
		return false;
	far->card = r;
	far->nic = s->dest_nic;
	far->epn = s->dest_ep;
	far->partition = ep->ctx->partition;
	far->ep = pm_ep_find(r, le32toh(s->dest_ep));
	return far->ep && far->ep->state != PM_EP_DEAD && !pm_flow_find(r, c->addr, ep->epn, le32toh(s->dest_ep)) &&
	       pm_port_quiet(c->port);
}

/* Where the far end would write it, NULL: nowhere, or in more than one place. */
static void *find_place(const struct far *far, const struct pnic_sqe *s)
{
	struct pm_sg sg = {
		.addr = le64toh(s->remote_addr), .key = le64toh(s->remote_key), .len = le32toh(s->length),
	};
	struct pm_span span = {
		.card = far->card, .sg = &sg, .nsg = 1,
		.acc = { .remote = true, .partition = far->partition, .rights = PNIC_MR_REMOTE_WRITE },
	};
	size_t len = sg.len;
	uint8_t status;
	void *to;

	to = pm_span_at(&span, 0, &len, true, &status);
	return to && len == sg.len ? to : NULL;
}

/* Gathers the train. How long it is. */
static unsigned int board(struct pm_ep *ep, struct item *item, struct far *far)
{
	uint32_t n, max = ep->sq_pi - ep->sq_fetch;

	if (max > PM_LAZY_RUN)
		max = PM_LAZY_RUN;
	for (n = 0; n < max; n++) {
		if (!pm_dma_read(ep->card, ep->sq_base + (uint64_t)((ep->sq_fetch + n) & ep->sq_mask) * PNIC_SLOT_SIZE,
				 item[n].raw, PNIC_SLOT_SIZE) || !is_plain(ep->card, &item[n].sqe))
			break;
		if (!n && !find_far(ep, &item[0].sqe, far))
			break;
		if (item[n].sqe.dest_nic != far->nic || item[n].sqe.dest_ep != far->epn)
			break;
		item[n].to = find_place(far, &item[n].sqe);
		if (!item[n].to)
			break;
	}
	return n;
}

/* The last one is answered, and each that somebody waits for: the others are lazy (tx.c). */
static bool is_answered(const struct item *item, unsigned int i, unsigned int n)
{
	return i + 1 == n || item[i].sqe.flags & (PNIC_SQF_SIGNALED | PNIC_SQF_QUIET);
}

static bool travel(struct pm_ep *ep, const struct item *item, unsigned int n, uint64_t *until)
{
	struct pm_port *port = ep->card->port;
	struct pm_train there = { 0 }, back = { 0 };
	unsigned int i;

	for (i = 0; i < n; i++) {
		pm_port_train_add(port, &there, le32toh(item[i].sqe.length));
		if (is_answered(item, i, n))
			pm_port_train_add(pm_port_peer(port), &back, 0);
	}
	return pm_port_train(port, &there, &back, until);
}

/* Gathers a train and sends it off: how long it is. */
static unsigned int depart(struct pm_ep *ep, struct item *item, struct far *far)
{
	unsigned int n, tries;
	uint64_t until;

	for (tries = 0; tries < 2 && may_ride(ep); tries++) {
		n = board(ep, item, far);
		if (!n)
			return 0;
		if (travel(ep, item, n, &until))
			return n;
		/* Timers. They may change anything, so all is looked at anew. */
		if (until)
			pm_sim_clear(ep->card->sim, until);
		else
			break;
	}
	/* Else none would go this way any more, as some message would always be under way. */
	ep->long_way = ep->sq_fetch != ep->sq_pi && !ep->head;
	ep->long_end = ep->sq_fetch + 1;
	return 0;
}

unsigned int pm_short_run(struct pm_ep *ep)
{
	struct item item[PM_LAZY_RUN];
	struct far far = { 0 };
	unsigned int i, n;

	if (!may_ride(ep))
		return 0;
	n = depart(ep, item, &far);
	if (!n)
		return 0;
	for (i = 0; i < n; i++) {
		pm_span_store(item[i].to, item[i].raw + offsetof(struct pnic_sqe, local_addr), le32toh(item[i].sqe.length));
		pm_ctr_count(far.ep, PNIC_CTR_REMOTE_WRITE, true);
	}
	far.card->turns++;
	ep->card->wqes += n;
	ep->lazy_run = 0;
	for (i = 0; i < n; i++) {
		ep->sq_fetch++;
		pm_sq_complete(ep, &item[i].sqe, ep->sq_fetch);
	}
	return n;
}
