// SPDX-License-Identifier: GPL-2.0
/*
 * Flows: what a NIC remembers of the stream from one endpoint to one of its own.
 *
 * Three things can have to be remembered: a message of which some frames are still to come; frames
 * held because the first of them waits for a receive entry, which keeps the order; and that a
 * message failed whose endpoint stops on errors, so that what it had sent already is refused.
 * Called by rx.c; by ep.c and peer.c when either end goes away.
 */
#include <stdlib.h>

#include "card_priv.h"

#define FROZEN_RETRY_NS		10000000ull

static unsigned int bucket(uint32_t src_nic, uint32_t src_ep, uint32_t dst_ep)
{
	uint32_t h = src_nic * 0x9e3779b1u ^ src_ep * 0x85ebca6bu ^ dst_ep * 0xc2b2ae35u;

	return (h ^ h >> 15) % PM_FLOW_BUCKETS;
}

struct pm_flow *pm_flow_find(struct pm_card *c, uint32_t src_nic, uint32_t src_ep, uint32_t dst_ep)
{
	struct pm_flow *f;

	if (!c->nflows)
		return NULL;
	for (f = c->flow[bucket(src_nic, src_ep, dst_ep)]; f; f = f->hash_next) {
		if (f->src_nic == src_nic && f->src_ep == src_ep && f->ep->epn == dst_ep)
			return f;
	}
	return NULL;
}

static void timed_out(void *arg, uint64_t now);

struct pm_flow *pm_flow_get(struct pm_card *c, uint32_t src_nic, uint32_t src_ep, struct pm_ep *ep)
{
	unsigned int b = bucket(src_nic, src_ep, ep->epn);
	struct pm_flow *f = pm_flow_find(c, src_nic, src_ep, ep->epn);

	if (f)
		return f;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->card = c;
	f->ep = ep;
	f->src_nic = src_nic;
	f->src_ep = src_ep;
	pm_event_init(&f->rnr_timer, timed_out, f, true);
	pm_list_init(&f->rnr);
	pm_list_init(&f->poison);
	pm_list_add_tail(&f->node, &ep->flows);
	f->hash_next = c->flow[b];
	c->flow[b] = f;
	c->nflows++;
	return f;
}

static void destroy(struct pm_flow *flow)
{
	struct pm_card *c = flow->card;
	struct pm_flow **p = &c->flow[bucket(flow->src_nic, flow->src_ep, flow->ep->epn)];

	while (*p != flow)
		p = &(*p)->hash_next;
	*p = flow->hash_next;
	c->nflows--;
	pm_flow_clean(flow);
	pm_sim_cancel(c->sim, &flow->rnr_timer);
	pm_fq_free(&flow->held);
	pm_list_del(&flow->rnr);
	pm_list_del(&flow->node);
	free(flow);
}

/* Forgets a flow that has nothing to be remembered for. */
void pm_flow_tidy(struct pm_flow *flow)
{
	if (!flow->busy && !flow->poisoned && !flow->held.len && !flow->running)
		destroy(flow);
}

void pm_flow_clean(struct pm_flow *flow)
{
	if (!flow->poisoned)
		return;
	flow->poisoned = false;
	pm_list_del(&flow->poison);
	flow->card->npoison--;
}

/*
 * Refuse what this life of the sender sends from now on. The oldest such memory goes if there are
 * very many.
 */
void pm_flow_poison(struct pm_flow *flow, uint32_t gen)
{
	struct pm_card *c = flow->card;
	struct pm_flow *oldest;

	flow->poison_gen = gen;
	if (flow->poisoned)
		return;
	if (c->npoison >= PM_POISON_MAX) {
		oldest = pm_container(c->poison.next, struct pm_flow, poison);
		pm_flow_clean(oldest);
		pm_flow_tidy(oldest);
	}
	flow->poisoned = true;
	pm_list_add_tail(&flow->poison, &c->poison);
	c->npoison++;
}

static void wait_for_entry(struct pm_flow *flow, const struct pm_wire *w)
{
	struct pm_card *c = flow->card;

	if (pm_list_empty(&flow->rnr))
		pm_list_add_tail(&flow->rnr, &flow->ep->rq->waiting);
	if (flow->waits == w->msg)
		return;
	flow->waits = w->msg;
	pm_sim_at(c->sim, &flow->rnr_timer, pm_sim_now(c->sim) + 1000ull * w->rnr_us);
}

/* The first frame of a message that waits for a receive entry. */
void pm_flow_hold(struct pm_flow *flow, struct pm_frame *f)
{
	struct pm_wire w;

	pm_wire_get(&w, f);
	pm_fq_push(&flow->held, f);
	wait_for_entry(flow, &w);
}

/*
 * Goes on with what is held, as far as there are receive entries. The flow may be gone afterwards.
 */
static void run(struct pm_flow *flow)
{
	struct pm_card *c = flow->card;
	struct pm_rq *rq = flow->ep->rq;
	struct pm_frame *f;
	struct pm_wire w;

	if (flow->running)
		return;
	flow->running = true;
	while ((f = pm_fq_pop(&flow->held))) {
		pm_wire_get(&w, f);
		if (pm_rx_request(c, flow, f, &w) == PM_RX_HOLD) {
			pm_fq_push_front(&flow->held, f);
			wait_for_entry(flow, &w);
			break;
		}
		pm_frame_free(f);
	}
	flow->running = false;
	if (!flow->held.len) {
		pm_list_del(&flow->rnr);
		pm_sim_cancel(c->sim, &flow->rnr_timer);
		flow->waits = 0;
	}
	pm_flow_tidy(flow);
	if (rq)
		pm_flow_wake(rq);
}

/* There may be receive entries again: first come, first served. */
void pm_flow_wake(struct pm_rq *rq)
{
	if (rq->waking)
		return;
	rq->waking = true;
	while (!pm_list_empty(&rq->waiting) && rq->ci != rq->pi) {
		struct pm_flow *flow = pm_container(rq->waiting.next, struct pm_flow, rnr);

		/* In the middle of its own turn: it looks again at the end of that. */
		if (flow->running)
			break;
		run(flow);
	}
	rq->waking = false;
}

/* No receive entry in time. */
static void timed_out(void *arg, uint64_t now)
{
	struct pm_flow *flow = arg;
	struct pm_card *c = flow->card;
	struct pm_frame *f = flow->held.head;
	struct pm_wire w;

	if (c->frozen) {
		pm_sim_at(c->sim, &flow->rnr_timer, now + FROZEN_RETRY_NS);
		return;
	}
	if (!f || c->status & PNIC_STATUS_FATAL)
		return;
	pm_wire_get(&w, f);
	flow->waits = 0;
	pm_fq_pop(&flow->held);
	pm_frame_free(f);
	pm_rx_respond(c, flow->src_nic, flow->src_ep, flow->ep->epn, w.msg, PNIC_ST_RNR, 0);
	if (w.flags & PM_WF_STOP)
		pm_flow_poison(flow, w.ep_gen);
	run(flow);
}

/* Ends everything in a flow, the sender told @status of each message. */
static void end(struct pm_flow *flow, uint8_t status)
{
	struct pm_card *c = flow->card;
	struct pm_frame *f;
	struct pm_wire w;

	if (flow->busy) {
		pm_rx_respond(c, flow->src_nic, flow->src_ep, flow->ep->epn, flow->cur.msg, status,
			      0);
		pm_rx_end(flow, PNIC_ST_FLUSHED);
	}
	while ((f = pm_fq_pop(&flow->held))) {
		pm_wire_get(&w, f);
		if (!w.off)
			pm_rx_respond(c, flow->src_nic, flow->src_ep, flow->ep->epn, w.msg, status,
				      0);
		pm_frame_free(f);
	}
	pm_flow_clean(flow);
	pm_list_del(&flow->rnr);
	pm_flow_tidy(flow);
}

/* The endpoint is dead or about to go. */
void pm_flow_end_ep(struct pm_ep *ep, uint8_t status)
{
	struct pm_list *l, *next;

	for (l = ep->flows.next; l != &ep->flows; l = next) {
		next = l->next;
		end(pm_container(l, struct pm_flow, node), status);
	}
}

/* RESET_EP: messages half received are over, those that wait go on waiting. */
void pm_flow_reset_ep(struct pm_ep *ep)
{
	struct pm_list *l, *next;

	for (l = ep->flows.next; l != &ep->flows; l = next) {
		struct pm_flow *flow = pm_container(l, struct pm_flow, node);

		next = l->next;
		if (!flow->busy)
			continue;
		pm_rx_respond(flow->card, flow->src_nic, flow->src_ep, ep->epn, flow->cur.msg,
			      PNIC_ST_REMOTE_EP, 0);
		pm_rx_end(flow, PNIC_ST_FLUSHED);
		pm_flow_tidy(flow);
	}
}

/* ABORT: the sender has given a message up. */
void pm_flow_abort(struct pm_card *c, uint32_t src_nic, const struct pm_wire *w)
{
	struct pm_flow *flow = pm_flow_find(c, src_nic, w->src_ep, w->dst_ep);
	struct pm_ep *ep = w->op == PNIC_OP_READ ? pm_ep_find(c, w->dst_ep) : NULL;
	struct pm_list *l, *next;

	if (flow) {
		if (flow->busy && flow->cur.msg == w->msg)
			pm_rx_end(flow, PNIC_ST_REMOTE_EP);
		run(flow);
	}
	for (l = ep ? ep->jobs.next : NULL; l && l != &ep->jobs; l = next) {
		struct pm_msg *job = pm_container(l, struct pm_msg, job);

		next = l->next;
		if (job->dst_nic == src_nic && job->peer_msg == w->msg)
			pm_tx_job_free(job);
	}
}

static void drop_jobs(struct pm_ep *ep, uint32_t nic)
{
	struct pm_list *l, *next;

	for (l = ep->jobs.next; l != &ep->jobs; l = next) {
		struct pm_msg *job = pm_container(l, struct pm_msg, job);

		next = l->next;
		if (job->dst_nic == nic)
			pm_tx_job_free(job);
	}
}

/* The NIC at the other end was reset: what came from it will not be finished. */
void pm_flow_drop_peer(struct pm_card *c, uint32_t nic)
{
	struct pm_flow *f, *fnext;
	struct pm_list *l;
	unsigned int i;

	for (i = 0; i < PM_FLOW_BUCKETS && c->nflows; i++) {
		for (f = c->flow[i]; f; f = fnext) {
			fnext = f->hash_next;
			if (f->src_nic != nic)
				continue;
			pm_rx_end(f, PNIC_ST_PEER_RESET);
			destroy(f);
		}
	}
	for (l = c->eps.next; l != &c->eps; l = l->next)
		drop_jobs(pm_container(l, struct pm_ep, all), nic);
}

/* This NIC is being reset. */
void pm_flow_drop_all(struct pm_card *c)
{
	unsigned int i;

	for (i = 0; i < PM_FLOW_BUCKETS && c->nflows; i++) {
		while (c->flow[i])
			destroy(c->flow[i]);
	}
}
