// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * Sending messages, tagged and not.
 *
 * A short one goes with its bytes, if the receiver's window has room (what it may hold that nobody received
 * yet). Otherwise the receiver is told of it, and fetches it when a receive has taken it; from memory that can't be
 * registered, and when it is only the window that is full, the bytes are sent then. So a sender never waits for a
 * receiver with anything but its own operations, of which it has a number that it knows.
 */
#include "pfi.h"

#define NO_REPORT	(1ULL << 62)	/* fi_inject() ...: no completion */

struct msg {
	const struct iovec *iov;
	void **desc;
	size_t n, len;
	fi_addr_t to;
	uint64_t tag, data, flags;
	void *context;
	bool tagged;
};

/* Register what the receiver will read: how many regions, 0 if it can't be done. */
static int msg_regions(struct pfi_ep *ep, struct pfi_tx *tx, const struct msg *m, struct wire_seg *seg)
{
	int n = 0;
	size_t i;

	for (i = 0; i < m->n; i++) {
		if (!m->iov[i].iov_len)
			continue;
		if (pfi_mrc_hold(ep->domain, m->iov[i].iov_base, m->iov[i].iov_len, m->desc ? m->desc[i] : NULL,
				 PNIC_MRF_REMOTE_READ, &tx->xfer.hold[i]) ||
		    pnic_rails_mr_key(tx->xfer.hold[i].mr, &seg[n].key))
			return 0;
		seg[n].addr = (uint64_t)(uintptr_t)m->iov[i].iov_base;
		seg[n].len = m->iov[i].iov_len;
		n++;
	}
	return n;
}

static void msg_header(const struct msg *m, struct wire_hdr *hdr, uint8_t type)
{
	memset(hdr, 0, sizeof(*hdr));
	hdr->type = type;
	hdr->flags = (m->tagged ? WIRE_TAGGED : 0) | (m->flags & FI_REMOTE_CQ_DATA ? WIRE_HAS_DATA : 0) |
		     (m->flags & (FI_DELIVERY_COMPLETE | FI_MATCH_COMPLETE) ? WIRE_ACK_WANTED : 0);
	hdr->tag = m->tag;
	hdr->data = (uint32_t)m->data;
}

static int msg_eager(struct pfi_peer *p, const struct msg *m, struct pfi_tx *tx)
{
	const void *bytes = m->n ? m->iov[0].iov_base : NULL;
	uint64_t owed = p->owed;
	struct wire_hdr hdr;
	int err;

	if (m->n > 1) {
		pfi_iov_copy_out(p->ep->scratch, m->iov, m->n, 0, m->len);
		bytes = p->ep->scratch;
	}
	msg_header(m, &hdr, WIRE_EAGER);
	if (tx)
		hdr.tx = tx->number;
	hdr.credit = (uint32_t)pfi_min(owed, UINT32_MAX);
	err = pfi_rails_send(p, &hdr, sizeof(hdr), bytes, m->len,
			     tx ? (uint64_t)(uintptr_t)tx | PFI_COOKIE_TX : PFI_COOKIE_NONE);
	if (err)
		return err;
	pfi_peer_credit(p, &hdr);
	p->credit -= m->len + WIRE_COST;
	p->ep->stat.eager++;
	return 0;
}

/* What is sent later. The program may use its memory again when an inject returns. */
static void msg_keep(struct pfi_tx *tx, const struct msg *m)
{
	if (m->flags & FI_INJECT) {
		pfi_iov_copy_out(tx->inl, m->iov, m->n, 0, m->len);
		tx->xfer.iov[0].iov_base = tx->inl;
		tx->xfer.iov[0].iov_len = m->len;
		tx->xfer.iovs = 1;
	} else {
		memcpy(tx->xfer.iov, m->iov, m->n * sizeof(*m->iov));
		tx->xfer.iovs = (uint8_t)m->n;
	}
}

static int msg_rendezvous(struct pfi_peer *p, const struct msg *m, struct pfi_tx *tx)
{
	struct wire_seg seg[WIRE_MAX_SEGS];
	uint64_t owed = p->owed;
	struct wire_hdr hdr;
	int err;

	memset(seg, 0, sizeof(seg));
	msg_keep(tx, m);
	msg_header(m, &hdr, WIRE_RTS);
	hdr.tx = tx->number;
	hdr.len = m->len;
	hdr.n = m->len > p->eager ? (uint16_t)msg_regions(p->ep, tx, m, seg) : 0;
	hdr.credit = (uint32_t)pfi_min(owed, UINT32_MAX);
	err = pfi_rails_send(p, &hdr, sizeof(hdr), seg, hdr.n * sizeof(*seg), (uint64_t)(uintptr_t)tx | PFI_COOKIE_TX);
	if (err)
		return err;
	pfi_peer_credit(p, &hdr);
	tx->reply = true;
	p->ep->stat.rndv += hdr.n != 0;
	return 0;
}

static ssize_t msg_post(struct pfi_ep *ep, struct msg *m)
{
	bool eager, quiet;
	struct pfi_peer *p;
	struct pfi_tx *tx = NULL;
	int err = 0;

	p = pfi_peer_get(ep, m->to, &err);
	if (!p)
		return err;
	if (!pfi_peer_ready(p))
		return -FI_EAGAIN;
	/* Messages can't be put aside: who wants one behind a fence comes again. */
	if (p->fences || (m->flags & FI_FENCE && !pfi_list_empty(&p->txs)))
		return -FI_EAGAIN;
	eager = m->len <= p->eager && p->credit >= m->len + WIRE_COST;
	/* An inject needs nobody to remember it but fences; if it fails that is the peer's failure. */
	quiet = eager && !ep->fencing && m->flags & NO_REPORT && !(m->flags & (FI_DELIVERY_COMPLETE | FI_MATCH_COMPLETE));
	if (!quiet) {
		tx = pfi_tx_get(ep, p, PFI_TX_MSG);
		if (!tx)
			return -FI_EAGAIN;
		tx->count = PFI_COUNT_SEND;
		tx->report = !(m->flags & NO_REPORT) && pfi_wanted(ep->tx_selective, m->flags);
		tx->context = m->context;
		tx->flags = FI_SEND | (m->tagged ? FI_TAGGED : FI_MSG);
		tx->len = m->len;
		tx->tag = m->tag;
	}
	err = eager ? msg_eager(p, m, tx) : msg_rendezvous(p, m, tx);
	if (err) {
		if (tx)
			pfi_tx_put(tx);
		return err;
	}
	if (tx) {
		tx->ends = 1;
		tx->reply |= !!(m->flags & (FI_DELIVERY_COMPLETE | FI_MATCH_COMPLETE));
	} else {
		pfi_cntr_count(ep->cntr[PFI_COUNT_SEND], m->len, false);
	}
	return 0;
}

static ssize_t msg_send(struct fid_ep *fid, const struct msg *what)
{
	struct pfi_ep *ep = pfi_entry(fid, struct pfi_ep, fid);
	struct msg copy = *what, *m = &copy;
	struct iovec here[PFI_IOV];
	ssize_t ret;

	if (m->n > PFI_IOV)
		return -FI_EINVAL;
	if (ep->caps & FI_HMEM) {
		if (pfi_mr_blind(m->desc, m->n))
			return -FI_EOPNOTSUPP;
		ret = pfi_mr_here(here, m->iov, m->desc, m->n);
		if (ret)
			return ret;
		m->iov = here;
	}
	m->len = pfi_iov_len(m->iov, m->n);
	if (m->flags & FI_INJECT && m->len > PFI_INJECT) {
		pfi_once(EP_DATA, "an inject of %zu bytes: inject_size is %u\n", m->len, PFI_INJECT);
		return -FI_EINVAL;
	}
	pfi_lock(&ep->lock);
	if (!ep->enabled) {
		ret = -FI_EOPBADSTATE;
	} else {
		ret = msg_post(ep, m);
		if (ret == -FI_EAGAIN) {
			pfi_progress(ep);
			ret = msg_post(ep, m);
		}
	}
	pfi_unlock(&ep->lock);
	return ret;
}

/* --- what the receiver answers ------------------------------------------------------------------ */

void pfi_msg_fin(struct pfi_peer *p, const struct wire_hdr *hdr)
{
	struct pfi_tx *tx = pfi_tx_by_number(p->ep, hdr->tx);

	if (!tx || tx->peer != p || tx->kind != PFI_TX_MSG || !tx->reply)
		return;
	tx->reply = false;
	if (hdr->data && !tx->err)
		tx->err = (int)hdr->data;
	pfi_list_del(&tx->queue);
	pfi_tx_try_end(tx);
}

void pfi_msg_cts(struct pfi_peer *p, const struct wire_hdr *hdr)
{
	struct pfi_tx *tx = pfi_tx_by_number(p->ep, hdr->tx);

	if (!tx || tx->peer != p || tx->kind != PFI_TX_MSG || !tx->reply || hdr->len > tx->len)
		return;
	tx->rx = hdr->tag;
	tx->sent = 0;
	tx->want = hdr->len;
	p->ep->stat.stream++;
	pfi_list_del(&tx->queue);
	pfi_list_add_tail(&p->ep->streams, &tx->queue);
}

/* False if there is no room for the next piece. */
static bool msg_stream(struct pfi_tx *tx)
{
	struct wire_hdr hdr = { .type = WIRE_DATA, .tx = tx->number, .tag = tx->rx };
	struct pfi_peer *p = tx->peer;
	size_t part;
	int err;

	while (tx->sent < tx->want) {
		if (!pfi_peer_ready(p))
			return false;
		part = pfi_min(tx->want - tx->sent, p->eager);
		pfi_iov_copy_out(p->ep->scratch, tx->xfer.iov, tx->xfer.iovs, tx->sent, part);
		hdr.len = tx->sent;
		hdr.credit = 0;
		err = pfi_rails_send(p, &hdr, sizeof(hdr), p->ep->scratch, part, (uint64_t)(uintptr_t)tx | PFI_COOKIE_TX);
		if (err == -FI_EAGAIN)
			return false;
		if (err) {
			tx->err = -err;
			tx->reply = false;
			return true;
		}
		tx->ends++;
		tx->sent += part;
	}
	return true;
}

void pfi_msg_streams(struct pfi_ep *ep)
{
	struct pfi_link todo;
	struct pfi_tx *tx;

	pfi_list_move(&ep->streams, &todo);
	while (!pfi_list_empty(&todo)) {
		tx = pfi_entry(todo.next, struct pfi_tx, queue);
		pfi_list_del(&tx->queue);
		if (msg_stream(tx))
			pfi_tx_try_end(tx);	/* if it failed; else FIN comes */
		else
			pfi_list_add_tail(&ep->streams, &tx->queue);
	}
}

/* --- the calls ---------------------------------------------------------------------------------- */

static uint64_t msg_default(struct fid_ep *fid)
{
	return pfi_entry(fid, struct pfi_ep, fid)->tx_flags;
}

static ssize_t msg_one(struct fid_ep *ep, const void *buf, size_t len, void *desc, fi_addr_t to, uint64_t tag, uint64_t data,
		       void *context, uint64_t flags, bool tagged)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)buf, .iov_len = len };
	struct msg m = { .iov = &iov, .desc = &desc, .n = 1, .to = to, .tag = tag, .data = data, .flags = flags,
			 .context = context, .tagged = tagged };

	return msg_send(ep, &m);
}

static ssize_t m_send(struct fid_ep *ep, const void *buf, size_t len, void *desc, fi_addr_t to, void *context)
{
	return msg_one(ep, buf, len, desc, to, 0, 0, context, msg_default(ep), false);
}

static ssize_t m_sendv(struct fid_ep *ep, const struct iovec *iov, void **desc, size_t count, fi_addr_t to, void *context)
{
	struct msg m = { .iov = iov, .desc = desc, .n = count, .to = to, .flags = msg_default(ep), .context = context };

	return msg_send(ep, &m);
}

static ssize_t m_sendmsg(struct fid_ep *ep, const struct fi_msg *msg, uint64_t flags)
{
	struct msg m = { .iov = msg->msg_iov, .desc = msg->desc, .n = msg->iov_count, .to = msg->addr, .data = msg->data,
			 .flags = flags & ~NO_REPORT, .context = msg->context };

	return msg_send(ep, &m);
}

static ssize_t m_inject(struct fid_ep *ep, const void *buf, size_t len, fi_addr_t to)
{
	return msg_one(ep, buf, len, NULL, to, 0, 0, NULL, FI_INJECT | NO_REPORT, false);
}

static ssize_t m_senddata(struct fid_ep *ep, const void *buf, size_t len, void *desc, uint64_t data, fi_addr_t to,
			  void *context)
{
	return msg_one(ep, buf, len, desc, to, 0, data, context, msg_default(ep) | FI_REMOTE_CQ_DATA, false);
}

static ssize_t m_injectdata(struct fid_ep *ep, const void *buf, size_t len, uint64_t data, fi_addr_t to)
{
	return msg_one(ep, buf, len, NULL, to, 0, data, NULL, FI_INJECT | NO_REPORT | FI_REMOTE_CQ_DATA, false);
}

static ssize_t t_send(struct fid_ep *ep, const void *buf, size_t len, void *desc, fi_addr_t to, uint64_t tag, void *context)
{
	return msg_one(ep, buf, len, desc, to, tag, 0, context, msg_default(ep), true);
}

static ssize_t t_sendv(struct fid_ep *ep, const struct iovec *iov, void **desc, size_t count, fi_addr_t to, uint64_t tag,
		       void *context)
{
	struct msg m = { .iov = iov, .desc = desc, .n = count, .to = to, .tag = tag, .flags = msg_default(ep),
			 .context = context, .tagged = true };

	return msg_send(ep, &m);
}

static ssize_t t_sendmsg(struct fid_ep *ep, const struct fi_msg_tagged *msg, uint64_t flags)
{
	struct msg m = { .iov = msg->msg_iov, .desc = msg->desc, .n = msg->iov_count, .to = msg->addr, .tag = msg->tag,
			 .data = msg->data, .flags = flags & ~NO_REPORT, .context = msg->context, .tagged = true };

	return msg_send(ep, &m);
}

static ssize_t t_inject(struct fid_ep *ep, const void *buf, size_t len, fi_addr_t to, uint64_t tag)
{
	return msg_one(ep, buf, len, NULL, to, tag, 0, NULL, FI_INJECT | NO_REPORT, true);
}

static ssize_t t_senddata(struct fid_ep *ep, const void *buf, size_t len, void *desc, uint64_t data, fi_addr_t to,
			  uint64_t tag, void *context)
{
	return msg_one(ep, buf, len, desc, to, tag, data, context, msg_default(ep) | FI_REMOTE_CQ_DATA, true);
}

static ssize_t t_injectdata(struct fid_ep *ep, const void *buf, size_t len, uint64_t data, fi_addr_t to, uint64_t tag)
{
	return msg_one(ep, buf, len, NULL, to, tag, data, NULL, FI_INJECT | NO_REPORT | FI_REMOTE_CQ_DATA, true);
}

struct fi_ops_msg pfi_msg_ops = {
	.size = sizeof(struct fi_ops_msg),
	.recv = pfi_recv,
	.recvv = pfi_recvv,
	.recvmsg = pfi_recvmsg,
	.send = m_send,
	.sendv = m_sendv,
	.sendmsg = m_sendmsg,
	.inject = m_inject,
	.senddata = m_senddata,
	.injectdata = m_injectdata,
};

struct fi_ops_tagged pfi_tagged_ops = {
	.size = sizeof(struct fi_ops_tagged),
	.recv = pfi_trecv,
	.recvv = pfi_trecvv,
	.recvmsg = pfi_trecvmsg,
	.send = t_send,
	.sendv = t_sendv,
	.sendmsg = t_sendmsg,
	.inject = t_inject,
	.senddata = t_senddata,
	.injectdata = t_injectdata,
};
