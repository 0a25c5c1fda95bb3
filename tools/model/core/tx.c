// SPDX-License-Identifier: GPL-2.0
/*
 * The transmit side: which endpoint's turn it is, and cutting messages into frames.
 *
 * Called by doorbells and responses (pm_tx_kick), by the port when it has room again, and by
 * pm_card_poll(). Contexts take turns of a few frames, and each of its turns a context gives to the next of its
 * endpoints, or of the reads that it serves: a long message delays nobody, and who has more queues gets no more.
 *
 * A frame that nothing follows goes to the other end at once if the line is idle, and what answers it comes back so: a
 * short transfer on a quiet link is one walk through both cards, with no events.
 */
#include "card_priv.h"

/*
 * With the link down for days they pile up. A lost one does little harm: what the far end holds
 * goes with the next message of the same endpoint.
 */
#define ABORTS_MAX	16384u

void pm_tx_turns_init(struct pm_turns *t)
{
	pm_list_init(&t->turn);
	pm_list_init(&t->waiting);
}

/* @it, which is in no list, waits behind what else its context has. @run: the contexts of the card that have any. */
static void wait_turn(struct pm_list *it, struct pm_turns *t, struct pm_list *run)
{
	pm_list_add_tail(it, &t->waiting);
	if (pm_list_empty(&t->turn))
		pm_list_add_tail(&t->turn, run);
}

/* Whose turn it is, out of all lists; NULL: nobody's. */
static struct pm_list *take_turn(struct pm_list *run)
{
	struct pm_turns *t;
	struct pm_list *it;

	while (!pm_list_empty(run)) {
		t = pm_container(run->next, struct pm_turns, turn);
		pm_list_del(&t->turn);
		/* What waited may have gone. */
		if (pm_list_empty(&t->waiting))
			continue;
		it = t->waiting.next;
		pm_list_del(it);
		if (!pm_list_empty(&t->waiting))
			pm_list_add_tail(&t->turn, run);
		return it;
	}
	return NULL;
}

/*
 * An endpoint that may have something to do. One that waits for its destination stays where it is.
 */
void pm_tx_kick(struct pm_ep *ep)
{
	if (pm_list_empty(&ep->run))
		wait_turn(&ep->run, &ep->ctx->send, &ep->card->run);
}

static bool send(struct pm_card *c, struct pm_frame *f)
{
	if (f->dst_nic == c->addr && pm_fabric_loops(c->fabric)) {
		pm_fq_push(&c->loop, f);
		return true;
	}
	if (c->fabric->direct ? pm_port_send_now(c->port, f) : pm_port_send(c->port, f))
		return true;
	c->port_full = true;
	return false;
}

/* A frame that must go, soon: behind others of its kind. */
void pm_tx_ctl(struct pm_card *c, struct pm_frame *f)
{
	if (!f)
		return;
	if (c->ctl.len || c->port_full || !send(c, f))
		pm_fq_push(&c->ctl, f);
}

static void flush_ctl(struct pm_card *c)
{
	while (c->ctl.len && !c->port_full) {
		struct pm_frame *f = pm_fq_pop(&c->ctl);

		if (!send(c, f))
			pm_fq_push_front(&c->ctl, f);
	}
}

/*
 * Payload frames: the one that meets a full port becomes the first to go. @last: the endpoint or read whose turn it is
 * has no other.
 */
static void send_payload(struct pm_card *c, struct pm_frame *f, bool last)
{
	bool was = c->fabric->direct;

	c->fabric->direct = last && !c->fabric->cfg.long_way && !c->ctl.len && pm_list_empty(&c->run) &&
			    pm_list_empty(&c->jobs_run);
	if (!send(c, f))
		pm_fq_push_front(&c->ctl, f);
	c->fabric->direct = was;
}

struct pm_frame *pm_tx_frame(struct pm_card *c, const struct pm_wire *w, uint32_t dst_nic)
{
	struct pm_frame *f = pm_frame_new();

	if (!f)
		return NULL;
	f->src_nic = c->addr;
	f->dst_nic = dst_nic;
	f->origin = c->port;
	f->is_inline = true;
	pm_wire_set(f, w);
	return f;
}

static bool xoff(const struct pm_card *c, uint32_t dst_nic)
{
	uint32_t i = dst_nic - PM_NIC_ADDR_FIRST;

	return i < PM_MAX_NICS && c->fabric->xoff >> i & 1;
}

static void head_of(struct pm_msg *m, struct pm_wire *w)
{
	struct pm_ep *ep = m->ep;

	memset(w, 0, sizeof(*w));
	w->type = PM_W_REQ;
	w->op = m->opcode;
	w->flags = ep->flags & PNIC_EPF_STOP_ON_ERROR ? PM_WF_STOP : 0;
	w->partition = ep->ctx->partition;
	w->src_ep = ep->epn;
	w->dst_ep = m->dst_ep;
	w->src_inc = ep->card->inc;
	w->dst_inc = m->dst_inc;
	w->ep_gen = ep->gen;
	w->rnr_us = ep->rnr_us;
	w->len = m->len;
	w->off = m->sent;
	w->msg = pm_msg_id(m);
	w->raddr = m->raddr;
	w->rkey = m->rkey;
	w->imm = m->imm;
	w->cmp = m->cmp;
	w->sig_key = m->sig_key;
	w->sig_op = m->sig_op;
	if (m->asks)
		w->flags |= PM_WF_ASKS;
}

static bool has_payload(const struct pm_msg *m)
{
	return (m->opcode >= PNIC_OP_SEND && m->opcode <= PNIC_OP_WRITE_IMM) ||
	       m->opcode == PNIC_OP_WRITE_SIGNAL;
}

/*
 * A short write or send that nobody waits for needs no answer of its own if the next one to the same
 * endpoint has one: they are carried out in order, and one that fails is answered in any case.
 */
static bool may_be_lazy(const struct pm_ep *ep, const struct pm_msg *m)
{
	const struct pm_msg *next = m->next;

	return next && m->opcode <= PNIC_OP_WRITE_IMM &&
	       !(m->flags & (PNIC_SQF_SIGNALED | PNIC_SQF_QUIET)) && m->len <= PM_LAZY_BYTES &&
	       ep->lazy_run < PM_LAZY_RUN && ep->inflight < PM_EP_WINDOW_BYTES / 2 &&
	       has_payload(next) && !(next->flags & PNIC_SQF_FENCE) && !next->judged &&
	       next->dst_nic == m->dst_nic && next->dst_ep == m->dst_ep;
}

static void set_lazy(struct pm_ep *ep, struct pm_msg *m, struct pm_wire *w)
{
	m->lazy = may_be_lazy(ep, m);
	if (m->lazy) {
		w->flags |= PM_WF_LAZY;
		ep->lazy_run++;
		ep->owes = true;
		ep->owes_nic = m->dst_nic;
		ep->owes_ep = m->dst_ep;
	} else {
		ep->lazy_run = 0;
		ep->owes = false;
	}
}

/* The next frame of a message. False: no memory for it. */
static bool send_frame(struct pm_ep *ep, struct pm_msg *m)
{
	uint32_t max = pm_port_config(ep->card->port)->frame_payload, n = m->len - m->sent;
	struct pm_frame *f;
	struct pm_wire w;

	head_of(m, &w);
	if (has_payload(m)) {
		if (n > max)
			n = max;
		if (m->sent + n == m->len)
			set_lazy(ep, m, &w);
	}
	f = pm_tx_frame(ep->card, &w, m->dst_nic);
	if (!f)
		return false;
	if (has_payload(m)) {
		f->payload_len = n;
		f->is_inline = m->inlined || !n;
		if (m->inlined)
			memcpy(f->data, m->data + m->sent, n);
		f->ref = (void *)(uintptr_t)w.msg;
		f->ref_off = m->sent;
	}
	m->sent += n;
	if (m->opcode != PNIC_OP_READ)
		ep->inflight += n;
	if (m->sent == m->len)
		ep->next = m->next;
	send_payload(ep->card, f, !ep->next && ep->sq_fetch == ep->sq_pi);
	return true;
}

/*
 * Lazy messages were sent, and what comes now will bring no answer for them: an empty write
 * does. False: no memory for it.
 */
static bool ask(struct pm_ep *ep)
{
	struct pm_msg *m = pm_msg_new(ep->card, PM_MSG_TX);

	if (!m)
		return false;
	m->ep = ep;
	m->opcode = PNIC_OP_WRITE;
	m->dst_nic = ep->owes_nic;
	m->dst_ep = ep->owes_ep;
	m->dst_inc = ep->card->peer_inc[(m->dst_nic - PM_NIC_ADDR_FIRST) % PM_MAX_NICS];
	m->asks = true;
	m->begun = true;
	m->began = pm_sim_now(ep->card->sim);
	pm_sq_insert(ep, m);
	return true;
}

static bool must_ask(const struct pm_ep *ep, const struct pm_msg *m)
{
	if (!ep->owes || ep->state == PM_EP_DEAD)
		return false;
	return !m || (!m->asks && (ep->state != PM_EP_RUN || m->judged || !has_payload(m) ||
				   m->flags & PNIC_SQF_FENCE || m->dst_nic != ep->owes_nic ||
				   m->dst_ep != ep->owes_ep));
}

/* False: must wait until it is the first. Else it is begun, and perhaps over already. */
static bool begin(struct pm_ep *ep, struct pm_msg *m)
{
	uint32_t nic = m->dst_nic - PM_NIC_ADDR_FIRST;
	uint8_t st = m->judged;

	if (ep->state != PM_EP_RUN) {
		pm_msg_finish(m, PNIC_ST_FLUSHED);
		return true;
	}
	if (m->flags & PNIC_SQF_FENCE && m != ep->head)
		return false;
	if (!st && (has_payload(m) || m->opcode == PNIC_OP_READ))
		st = pm_msg_check(m);
	/* It will not be sent. */
	if (st && ep->owes)
		return ask(ep);
	m->begun = true;
	m->began = pm_sim_now(ep->card->sim);
	if (st == PNIC_ST_OVERRUN)
		pm_ep_die(ep, st);
	if (st || m->opcode == PNIC_OP_NOP || m->opcode == PNIC_OP_FLUSH)
		pm_msg_finish(m, st);
	else
		m->dst_inc = nic < PM_MAX_NICS ? ep->card->peer_inc[nic] : 0;
	return true;
}

/* Begins what may begin. True: the first unsent message can go on. */
static bool prepare(struct pm_ep *ep)
{
	struct pm_msg *m = ep->next;

	if (!m->begun && !begin(ep, m))
		return false;
	if (m->done) {
		pm_sq_retire(ep);
		return true;
	}
	return ep->inflight < PM_EP_WINDOW_BYTES;
}

/* An endpoint's turn. It leaves the list when only a response can bring it forward. */
static unsigned int run_ep(struct pm_ep *ep)
{
	struct pm_card *c = ep->card;
	unsigned int used = 0;

	if (pm_train_run(ep)) {
		if (pm_sq_has_work(ep))
			pm_tx_kick(ep);
		return PM_QUANTUM;
	}
	while (used < PM_QUANTUM && !c->port_full) {
		struct pm_msg *m;

		pm_sq_fetch(ep);
		if (must_ask(ep, ep->next) && !ask(ep))
			break;
		m = ep->next;
		if (!m || !prepare(ep))
			return used;
		used++;
		if (ep->next != m)
			continue;
		if (xoff(c, m->dst_nic)) {
			pm_list_del(&ep->run);
			pm_list_add_tail(&ep->run, &c->xoff);
			return used;
		}
		if (!send_frame(ep, m))
			break;
	}
	pm_tx_kick(ep);
	return used;
}

/*
 * The next frame of a read. The last one ends it (*@over) before it is sent: the frame names all it needs, and what
 * answers it may come while it is sent, and must find nothing of the read.
 */
static bool send_data(struct pm_card *c, struct pm_msg *job, bool *over)
{
	uint32_t max = pm_port_config(c->port)->frame_payload, n = job->len - job->sent;
	struct pm_wire w = {
		.type = PM_W_DATA, .op = PNIC_OP_READ, .partition = job->partition,
		.src_ep = job->ep->epn, .dst_ep = job->dst_ep, .src_inc = c->inc,
		.ep_gen = job->ep->gen, .len = job->len, .off = job->sent, .msg = job->peer_msg,
		.raddr = job->raddr, .rkey = job->rkey,
	};
	struct pm_frame *f = pm_tx_frame(c, &w, job->dst_nic);

	if (!f)
		return false;
	f->is_inline = false;
	f->payload_len = n < max ? n : max;
	f->ref_off = job->sent;
	job->sent += f->payload_len;
	*over = job->sent == job->len;
	if (*over)
		pm_tx_job_free(job);
	send_payload(c, f, f->payload_len == w.len);
	return true;
}

static unsigned int run_job(struct pm_card *c, struct pm_msg *job)
{
	unsigned int used = 0;
	bool over = false;

	if (xoff(c, job->dst_nic)) {
		pm_list_add_tail(&job->run, &c->jobs_xoff);
		return 1;
	}
	while (used < PM_QUANTUM && !c->port_full && !over && send_data(c, job, &over))
		used++;
	if (!over)
		wait_turn(&job->run, &job->ep->ctx->serve, &c->jobs_run);
	return used + 1;
}

/* A read to be served, and its end. */
void pm_tx_job(struct pm_msg *job)
{
	pm_list_add_tail(&job->job, &job->ep->jobs);
	wait_turn(&job->run, &job->ep->ctx->serve, &job->ep->card->jobs_run);
}

void pm_tx_job_free(struct pm_msg *job)
{
	pm_list_del(&job->job);
	pm_list_del(&job->run);
	pm_msg_put(job->ep->card, job);
}

/* There may be something to send at once. */
bool pm_tx_pending(const struct pm_card *c)
{
	return !c->port_full && (!pm_list_empty(&c->run) || !pm_list_empty(&c->jobs_run));
}

/*
 * The turn of an endpoint that is the only one with work, if it has nothing but writes that are done at once.
 * True: so it was, and it has no more.
 */
bool pm_tx_only(struct pm_card *c)
{
	struct pm_list *first = c->run.next;
	struct pm_turns *t;
	struct pm_ep *ep;
	bool done;

	if (first == &c->run || first != c->run.prev || c->pumping || c->status & PNIC_STATUS_FATAL)
		return false;
	t = pm_container(first, struct pm_turns, turn);
	if (pm_list_empty(&t->waiting) || t->waiting.next != t->waiting.prev)
		return false;
	ep = pm_container(t->waiting.next, struct pm_ep, run);
	pm_list_del(&ep->run);
	pm_list_del(&t->turn);
	c->pumping = true;
	done = pm_train_again(ep) || (pm_train_first(ep) && !pm_sq_has_work(ep));
	c->pumping = false;
	if (!done)
		pm_tx_kick(ep);
	return done;
}

/* Sends up to about @budget frames. */
void pm_tx_pump(struct pm_card *c, unsigned int budget)
{
	struct pm_list *it;
	unsigned int used = 0;

	if (c->pumping || c->frozen || c->status & PNIC_STATUS_FATAL)
		return;
	c->pumping = true;
	flush_ctl(c);
	while (used < budget && !c->port_full) {
		unsigned int before = used;

		it = take_turn(&c->run);
		if (it)
			used += run_ep(pm_container(it, struct pm_ep, run)) + 1;
		it = c->port_full ? NULL : take_turn(&c->jobs_run);
		if (it)
			used += run_job(c, pm_container(it, struct pm_msg, run));
		if (used == before)
			break;
	}
	c->pumping = false;
}

/* The transfer is over here before the far end said so. It must forget what it holds of it. */
void pm_tx_abort(struct pm_msg *m)
{
	struct pm_card *c = m->ep->card;
	struct pm_wire w;

	if (c->ctl.len + c->retry.len > ABORTS_MAX)
		return;
	head_of(m, &w);
	w.type = PM_W_ABORT;
	pm_tx_ctl(c, pm_tx_frame(c, &w, m->dst_nic));
}

/* Some way is free again. */
void pm_tx_xon(struct pm_card *c)
{
	struct pm_msg *job;
	struct pm_ep *ep;

	while (!pm_list_empty(&c->xoff)) {
		ep = pm_container(c->xoff.next, struct pm_ep, run);
		pm_list_del(&ep->run);
		pm_tx_kick(ep);
	}
	while (!pm_list_empty(&c->jobs_xoff)) {
		job = pm_container(c->jobs_xoff.next, struct pm_msg, run);
		pm_list_del(&job->run);
		wait_turn(&job->run, &job->ep->ctx->serve, &c->jobs_run);
	}
}

void pm_tx_reset(struct pm_card *c)
{
	pm_fq_free(&c->ctl);
	pm_fq_free(&c->retry);
	pm_fq_free(&c->loop);
	pm_fq_free(&c->frozen_rx);
	c->port_full = false;
}
