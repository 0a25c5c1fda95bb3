// SPDX-License-Identifier: GPL-2.0
/*
 * The receive side: requests of other NICs.
 *
 * Called by the fabric with each frame that the port delivers. All checks of a transfer are made at
 * its first frame, for the whole of it; then payload goes from the sender's memory to this host's,
 * in one copy.
 */
#include "card_priv.h"

static bool is_write(uint8_t op)
{
	return op == PNIC_OP_WRITE || op == PNIC_OP_WRITE_IMM || op == PNIC_OP_WRITE_SIGNAL;
}

static bool takes_entry(uint8_t op)
{
	return op == PNIC_OP_SEND || op == PNIC_OP_SEND_IMM || op == PNIC_OP_WRITE_IMM;
}

static bool is_send(uint8_t op)
{
	return op == PNIC_OP_SEND || op == PNIC_OP_SEND_IMM;
}

static uint8_t recv_op(uint8_t op)
{
	return op | 0x80;
}

void pm_rx_respond(struct pm_card *c, uint32_t src_nic, uint32_t src_ep, uint32_t dst_ep,
		   uint64_t msg, uint8_t status, uint64_t result)
{
	struct pm_wire w = {
		.type = PM_W_RSP, .status = status, .src_ep = dst_ep, .dst_ep = src_ep,
		.src_inc = c->inc, .msg = msg, .imm = result,
	};

	pm_tx_ctl(c, pm_tx_frame(c, &w, src_nic));
}

static void respond(struct pm_card *c, uint32_t src_nic, const struct pm_wire *w, uint8_t status,
		    uint64_t result)
{
	pm_rx_respond(c, src_nic, w->src_ep, w->dst_ep, w->msg, status, result);
}

/* Ends a transfer with an error; what its endpoint sent after it may have to be refused as well. */
static void refuse(struct pm_card *c, struct pm_ep *ep, uint32_t src_nic, const struct pm_wire *w,
		   uint8_t status)
{
	struct pm_flow *flow;

	respond(c, src_nic, w, status, 0);
	if (!ep || !(w->flags & PM_WF_STOP) || ep->state == PM_EP_DEAD)
		return;
	flow = pm_flow_get(c, src_nic, w->src_ep, ep);
	if (flow)
		pm_flow_poison(flow, w->ep_gen);
}

/*
 * The message under way in @flow is over, unfinished: its receive entry, if it has one, completes
 * so.
 */
void pm_rx_end(struct pm_flow *flow, uint8_t status)
{
	struct pm_inbound *in = &flow->cur;

	if (!flow->busy)
		return;
	flow->busy = false;
	if (in->has_rqe)
		pm_ep_recv_complete(flow->ep, in->cookie, recv_op(in->op), status, 0, 0,
				    flow->src_nic, flow->src_ep);
}

/* The word of a WRITE_SIGNAL; what is wrong with it, if anything is. */
static uint8_t give_signal(struct pm_card *c, const struct pm_inbound *in)
{
	struct pm_access acc = in->acc;
	struct pm_span s = { .card = c, .sg = &in->sig, .nsg = 1 };
	size_t len = sizeof(uint64_t);
	uint64_t *word;
	uint8_t st;

	acc.rights = PNIC_MR_REMOTE_ATOMIC;
	s.acc = acc;
	word = pm_span_at(&s, 0, &len, true, &st);
	if (!word)
		return pm_status_mirror(st);
	if (len < sizeof(*word) || (uintptr_t)word & (sizeof(*word) - 1))
		return PNIC_ST_REMOTE_DMA;
	if (in->sig_op == PNIC_SIGNAL_SET)
		__atomic_store_n(word, htole64(in->imm), __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_add(word, in->imm, __ATOMIC_SEQ_CST);
	return PNIC_ST_OK;
}

static void finish(struct pm_card *c, struct pm_ep *ep, const struct pm_inbound *in,
		   uint32_t src_nic, const struct pm_wire *w)
{
	uint8_t st;

	__atomic_thread_fence(__ATOMIC_RELEASE);
	if (in->op == PNIC_OP_WRITE_SIGNAL) {
		st = give_signal(c, in);
		if (st) {
			refuse(c, ep, src_nic, w, st);
			return;
		}
	}
	if (in->has_rqe)
		pm_ep_recv_complete(ep, in->cookie, recv_op(in->op), PNIC_ST_OK, in->len, in->imm,
				    src_nic, w->src_ep);
	if (is_write(in->op) && !(w->flags & PM_WF_ASKS))
		pm_ctr_count(ep, PNIC_CTR_REMOTE_WRITE, true);
	if (!(w->flags & PM_WF_LAZY))
		respond(c, src_nic, w, PNIC_ST_OK, 0);
}

static void progress(struct pm_card *c, struct pm_inbound *in, uint32_t src_nic,
		     const struct pm_wire *w)
{
	struct pm_wire p = {
		.type = PM_W_PROGRESS, .src_ep = w->dst_ep, .dst_ep = w->src_ep, .src_inc = c->inc,
		.msg = w->msg, .off = in->got,
	};

	if (in->got - in->acked < PM_ACK_BYTES)
		return;
	in->acked = in->got;
	pm_tx_ctl(c, pm_tx_frame(c, &p, src_nic));
}

/* Where payload comes from: the frame itself, or the memory of the NIC that first sent it. */
static void source(struct pm_msg *m, struct pm_frame *f, struct pm_span *s)
{
	if (!f->is_inline) {
		pm_msg_span(m, s, false);
		return;
	}
	memset(s, 0, sizeof(*s));
	s->buf = f->data;
}

/* Takes a frame's payload. False: the transfer has failed and both ends know. */
static bool take_payload(struct pm_card *c, struct pm_ep *ep, struct pm_inbound *in,
			 struct pm_frame *f, const struct pm_wire *w, struct pm_msg *m)
{
	struct pm_span dst = { .card = c, .sg = &in->to, .nsg = 1, .acc = in->acc };
	uint8_t dst_st, src_st, recv_st, send_st;
	struct pm_span src;

	source(m, f, &src);
	if (pm_span_copy(&dst, in->got, &src, f->is_inline ? 0 : f->ref_off, f->payload_len,
			 &dst_st, &src_st)) {
		in->got += f->payload_len;
		return true;
	}
	recv_st = dst_st ? dst_st : pm_status_mirror(src_st);
	send_st = dst_st ? pm_status_mirror(dst_st) : src_st;
	if (in->has_rqe)
		pm_ep_recv_complete(ep, in->cookie, recv_op(in->op), recv_st, 0, 0, f->src_nic,
				    w->src_ep);
	refuse(c, ep, f->src_nic, w, send_st);
	return false;
}

/* A frame of a message that has begun. */
static void more(struct pm_card *c, struct pm_flow *flow, struct pm_frame *f,
		 const struct pm_wire *w, struct pm_msg *m)
{
	struct pm_inbound *in;

	if (!flow || !flow->busy || flow->cur.msg != w->msg || flow->cur.got != w->off ||
	    f->payload_len > flow->cur.len - flow->cur.got)
		return;
	in = &flow->cur;
	if (!take_payload(c, flow->ep, in, f, w, m)) {
		flow->busy = false;
		return;
	}
	if (in->got < in->len) {
		progress(c, in, f->src_nic, w);
		return;
	}
	flow->busy = false;
	finish(c, flow->ep, in, f->src_nic, w);
}

static uint8_t remote_check(struct pm_card *c, const struct pm_wire *w, uint8_t rights,
			    struct pm_inbound *in)
{
	in->to.addr = w->raddr;
	in->to.key = w->rkey;
	in->to.len = w->len;
	in->acc.remote = true;
	in->acc.partition = w->partition;
	in->acc.rights = rights;
	return pm_status_mirror(pm_mr_check(c, &in->acc, &in->to));
}

static uint8_t signal_check(struct pm_card *c, const struct pm_wire *w, struct pm_inbound *in)
{
	struct pm_access acc = in->acc;

	acc.rights = PNIC_MR_REMOTE_ATOMIC;
	in->sig.addr = w->cmp;
	in->sig.key = w->sig_key;
	in->sig.len = sizeof(uint64_t);
	in->sig_op = w->sig_op;
	return pm_status_mirror(pm_mr_check(c, &acc, &in->sig));
}

static uint8_t do_atomic(const struct pm_wire *w, void *p, uint64_t *old)
{
	if (w->len == 8) {
		uint64_t cmp = htole64(w->cmp), *v = p;

		if (w->op == PNIC_OP_COMP_SWAP) {
			__atomic_compare_exchange_n(v, &cmp, htole64(w->imm), false,
						    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
			*old = le64toh(cmp);
		} else {
			*old = __atomic_fetch_add(v, w->imm, __ATOMIC_SEQ_CST);
		}
	} else {
		uint32_t cmp = htole32(w->cmp), *v = p;

		if (w->op == PNIC_OP_COMP_SWAP) {
			__atomic_compare_exchange_n(v, &cmp, htole32(w->imm), false,
						    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
			*old = le32toh(cmp);
		} else {
			*old = __atomic_fetch_add(v, (uint32_t)w->imm, __ATOMIC_SEQ_CST);
		}
	}
	return PNIC_ST_OK;
}

static void serve_atomic(struct pm_card *c, struct pm_ep *ep, uint32_t src_nic,
			 const struct pm_wire *w)
{
	struct pm_inbound in = { 0 };
	uint8_t st = remote_check(c, w, PNIC_MR_REMOTE_ATOMIC, &in);
	struct pm_span s = { .card = c, .sg = &in.to, .nsg = 1, .acc = in.acc };
	size_t len = w->len;
	uint64_t old = 0;
	void *p;

	if (!st) {
		p = pm_span_at(&s, 0, &len, true, &st);
		st = pm_status_mirror(st);
		if (p && (len < w->len || (uintptr_t)p & (w->len - 1)))
			st = PNIC_ST_REMOTE_DMA;
		else if (p)
			st = do_atomic(w, p, &old);
	}
	if (st) {
		refuse(c, ep, src_nic, w, st);
		return;
	}
	pm_ctr_count(ep, PNIC_CTR_REMOTE_ATOMIC, true);
	respond(c, src_nic, w, PNIC_ST_OK, old);
}

static void serve_read(struct pm_card *c, struct pm_ep *ep, uint32_t src_nic,
		       const struct pm_wire *w)
{
	struct pm_inbound in = { 0 };
	uint8_t st = remote_check(c, w, PNIC_MR_REMOTE_READ, &in);
	struct pm_msg *job;

	if (st) {
		refuse(c, ep, src_nic, w, st);
		return;
	}
	if (!w->len) {
		respond(c, src_nic, w, PNIC_ST_OK, 0);
		return;
	}
	job = pm_msg_new(c, PM_MSG_JOB);
	if (!job) {
		refuse(c, ep, src_nic, w, PNIC_ST_REMOTE_DMA);
		return;
	}
	job->ep = ep;
	job->opcode = PNIC_OP_READ;
	job->dst_nic = src_nic;
	job->dst_ep = w->src_ep;
	job->len = w->len;
	job->raddr = w->raddr;
	job->rkey = w->rkey;
	job->peer_msg = w->msg;
	job->partition = w->partition;
	pm_tx_job(job);
}

/*
 * Takes the next receive entry for @in. *@recv is what is wrong with it. False: the ring can't be
 * read.
 */
static bool take_entry(struct pm_ep *ep, struct pm_inbound *in, const struct pm_wire *w,
		       uint8_t *recv)
{
	struct pnic_rqe rqe;

	if (!pm_rq_take(ep->rq, &rqe))
		return false;
	in->has_rqe = true;
	in->cookie = le64toh(rqe.cookie);
	*recv = PNIC_ST_OK;
	if (rqe.rsvd) {
		*recv = PNIC_ST_BAD_DESC;
	} else if (is_send(w->op)) {
		in->acc.remote = false;
		in->acc.ctx = ep->ctx;
		in->acc.rights = PNIC_MR_LOCAL_WRITE;
		in->to.addr = le64toh(rqe.addr);
		in->to.key = le64toh(rqe.key);
		in->to.len = w->len;
		*recv = w->len > le32toh(rqe.length) ? PNIC_ST_TOO_LONG :
						       pm_mr_check(ep->card, &in->acc, &in->to);
	}
	return true;
}

/*
 * A receive entry for the message: TAKEN with *@ok false if that ended it, HOLD if it has to wait.
 */
static enum pm_rx_step find_entry(struct pm_ep *ep, struct pm_inbound *in, uint32_t src_nic,
				  const struct pm_wire *w, bool *ok)
{
	struct pm_card *c = ep->card;
	uint8_t recv;

	*ok = false;
	if (ep->rq && ep->rq->ci == ep->rq->pi)
		pm_db_look(c, &ep->rq->db);
	if (ep->state == PM_EP_DEAD) {
		refuse(c, ep, src_nic, w, PNIC_ST_REMOTE_EP);
		return PM_RX_TAKEN;
	}
	if (!ep->rq || ep->rq->ci == ep->rq->pi) {
		if (ep->rq && w->rnr_us)
			return PM_RX_HOLD;
		refuse(c, ep, src_nic, w, PNIC_ST_RNR);
		return PM_RX_TAKEN;
	}
	if (!take_entry(ep, in, w, &recv)) {
		refuse(c, ep, src_nic, w, PNIC_ST_REMOTE_DMA);
		return PM_RX_TAKEN;
	}
	*ok = !recv;
	if (recv) {
		pm_ep_recv_complete(ep, in->cookie, recv_op(w->op), recv, 0, 0, src_nic, w->src_ep);
		refuse(c, ep, src_nic, w, pm_status_mirror(recv));
	}
	return PM_RX_TAKEN;
}

/* Sends and writes. */
static enum pm_rx_step serve_payload(struct pm_card *c, struct pm_ep *ep, struct pm_frame *f,
				     const struct pm_wire *w, struct pm_msg *m)
{
	struct pm_inbound in = { .msg = w->msg, .len = w->len, .op = w->op, .imm = w->imm };
	uint32_t src_nic = f->src_nic;
	struct pm_flow *flow;
	uint8_t st;
	bool ok = true;

	st = pm_msg_check(m);
	if (!st && !is_send(w->op))
		st = remote_check(c, w, PNIC_MR_REMOTE_WRITE, &in);
	if (!st && w->op == PNIC_OP_WRITE_SIGNAL)
		st = signal_check(c, w, &in);
	if (st) {
		refuse(c, ep, src_nic, w, st);
		return PM_RX_TAKEN;
	}
	if (takes_entry(w->op) && find_entry(ep, &in, src_nic, w, &ok) == PM_RX_HOLD)
		return PM_RX_HOLD;
	if (!ok || !take_payload(c, ep, &in, f, w, m))
		return PM_RX_TAKEN;
	if (in.got >= in.len) {
		finish(c, ep, &in, src_nic, w);
		return PM_RX_TAKEN;
	}
	flow = pm_flow_get(c, src_nic, w->src_ep, ep);
	if (flow) {
		flow->busy = true;
		flow->cur = in;
		/* A single frame may fill the sender's window. */
		progress(c, &flow->cur, src_nic, w);
	}
	return PM_RX_TAKEN;
}

static enum pm_rx_step first(struct pm_card *c, struct pm_frame *f, const struct pm_wire *w,
			     struct pm_msg *m)
{
	struct pm_ep *ep = pm_ep_find(c, w->dst_ep);

	/* Of another partition it is none, whatever is asked: nothing is learned of it, or done in its name. */
	if (!ep || ep->state == PM_EP_DEAD || ep->ctx->partition != w->partition) {
		refuse(c, ep, f->src_nic, w, PNIC_ST_REMOTE_EP);
		return PM_RX_TAKEN;
	}
	switch (w->op) {
	case PNIC_OP_READ:
		serve_read(c, ep, f->src_nic, w);
		return PM_RX_TAKEN;
	case PNIC_OP_FETCH_ADD:
	case PNIC_OP_COMP_SWAP:
		serve_atomic(c, ep, f->src_nic, w);
		return PM_RX_TAKEN;
	default:
		return serve_payload(c, ep, f, w, m);
	}
}

/*
 * A request's frame in its turn. TAKEN: it is dealt with (the caller frees it); HOLD: the
 * caller keeps it until there is a receive entry. @flow: what is known of its stream, or NULL.
 */
enum pm_rx_step pm_rx_request(struct pm_card *c, struct pm_flow *flow, struct pm_frame *f,
			      const struct pm_wire *w)
{
	struct pm_msg *m = pm_msg_find(pm_fabric_by_addr(c->fabric, f->src_nic), w->msg);

	if (!m) {
		/* Over at its own end: aged out, or its NIC or endpoint is gone. */
		if (flow && flow->busy && flow->cur.msg == w->msg)
			pm_rx_end(flow, PNIC_ST_REMOTE_EP);
		return PM_RX_TAKEN;
	}
	if (w->off) {
		more(c, flow, f, w, m);
		return PM_RX_TAKEN;
	}
	if (flow) {
		pm_rx_end(flow, PNIC_ST_LINK);
		if (flow->poisoned && flow->poison_gen == w->ep_gen) {
			respond(c, f->src_nic, w, PNIC_ST_FLUSHED, 0);
			return PM_RX_TAKEN;
		}
		pm_flow_clean(flow);
	}
	return first(c, f, w, m);
}

static void take_request(struct pm_card *c, struct pm_frame *f, const struct pm_wire *w)
{
	struct pm_flow *flow;

	if (w->dst_inc != c->inc) {
		respond(c, f->src_nic, w, PNIC_ST_PEER_RESET, 0);
		pm_frame_free(f);
		return;
	}
	flow = pm_flow_find(c, f->src_nic, w->src_ep, w->dst_ep);
	if (flow && flow->held.len) {
		pm_fq_push(&flow->held, f);
		return;
	}
	if (pm_rx_request(c, flow, f, w) == PM_RX_HOLD) {
		flow = pm_flow_get(c, f->src_nic, w->src_ep, pm_ep_find(c, w->dst_ep));
		if (flow) {
			pm_flow_hold(flow, f);
			return;
		}
		respond(c, f->src_nic, w, PNIC_ST_RNR, 0);
	}
	flow = pm_flow_find(c, f->src_nic, w->src_ep, w->dst_ep);
	if (flow)
		pm_flow_tidy(flow);
	pm_frame_free(f);
}

static void announced(struct pm_card *c, const struct pm_frame *f, const struct pm_wire *w)
{
	if (w->type == PM_W_RESET)
		pm_peer_seen(c, f->src_nic, w->src_inc);
	else if (w->type == PM_W_LINK_LOST)
		pm_peer_fail(c, f->src_nic, PNIC_ST_LINK, UINT64_MAX);
}

/* Not for this NIC, and nobody else is there: answered in the name of the one that it was for. */
static void misdirected(struct pm_card *c, const struct pm_frame *f, const struct pm_wire *req)
{
	struct pm_wire w = {
		.type = PM_W_RSP,
		.status = PNIC_ST_UNREACHABLE,
		.dst_ep = req->src_ep,
		.msg = req->msg,
	};
	struct pm_frame *answer;

	if (req->type != PM_W_REQ || req->off)
		return;
	answer = pm_tx_frame(c, &w, f->src_nic);
	if (!answer)
		return;
	answer->src_nic = f->dst_nic;
	pm_tx_ctl(c, answer);
}

/* A frame by its kind. True: it is kept, or freed already. */
static bool sort(struct pm_card *c, struct pm_frame *f, const struct pm_wire *w)
{
	uint32_t nic = f->src_nic - PM_NIC_ADDR_FIRST;
	bool known = nic < pm_fabric_nics(c->fabric);

	if (f->dst_nic == PM_NIC_ADDR_ALL) {
		if (known && f->src_nic != c->addr)
			announced(c, f, w);
		return false;
	}
	/* Answers in another's name have no incarnation. */
	if (!w->src_inc) {
		if (w->type == PM_W_RSP)
			pm_rsp_frame(c, f, w);
		return false;
	}
	if (!known)
		return false;
	pm_peer_seen(c, f->src_nic, w->src_inc);
	if (w->src_inc != c->peer_inc[nic])
		return false;
	if (f->dst_nic != c->addr) {
		misdirected(c, f, w);
		return false;
	}
	if (w->type == PM_W_REQ) {
		take_request(c, f, w);
		return true;
	}
	if (w->type == PM_W_ABORT)
		pm_flow_abort(c, f->src_nic, w);
	else
		pm_rsp_frame(c, f, w);
	return false;
}

static void take(struct pm_card *c, struct pm_frame *f)
{
	struct pm_wire w;

	pm_wire_get(&w, f);
	if (!sort(c, f, &w))
		pm_frame_free(f);
}

/* A frame for this NIC. */
void pm_rx_frame(struct pm_card *c, struct pm_frame *f)
{
	if (c->frozen)
		pm_fq_push(&c->frozen_rx, f);
	else if (c->status & PNIC_STATUS_FATAL)
		pm_frame_free(f);
	else
		take(c, f);
}

/* Payload of a frame that this NIC first sent, for whoever needs the bytes of it. */
bool pm_rx_gather(struct pm_card *c, const struct pm_frame *f, size_t off, void *buf, size_t len)
{
	struct pm_span to = { .buf = buf };
	struct pm_span from = { 0 };
	uint8_t a, b;
	struct pm_sg sg;
	struct pm_wire w;
	struct pm_msg *m;

	pm_wire_get(&w, f);
	if (off > f->payload_len || len > f->payload_len - off)
		return false;
	if (f->is_inline) {
		memcpy(buf, f->data + off, len);
		return true;
	}
	if (w.type == PM_W_DATA)
		return !pm_rsp_source(c, &w, &sg, &from) &&
		       pm_span_copy(&to, 0, &from, f->ref_off + off, len, &a, &b);
	m = pm_msg_find(c, w.msg);
	if (!m)
		return false;
	pm_msg_span(m, &from, false);
	return pm_span_copy(&to, 0, &from, f->ref_off + off, len, &a, &b);
}
