// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * Receives, and the messages that take them: see wire.h for what is said between the two ends.
 *
 * A receive is a struct pfi_rx from when it is posted until it is reported. A buffer for many messages (FI_MULTI_RECV) stays
 * posted, and each message that goes into it has a pfi_rx of its own, its child.
 */
#include "pfi.h"

#define AWAIT_LOOKS	4096	/* receives that one look goes over, once a second */

struct recv {
	const struct iovec *iov;
	void **desc;
	size_t n;
	fi_addr_t src;
	uint64_t tag, ignore, flags;
	void *context;
	bool tagged;
};

static struct match *recv_match(struct pfi_ep *ep, bool tagged)
{
	return tagged ? &ep->tagged : &ep->msg;
}

static uint64_t recv_flags(const struct pfi_rx *rx)
{
	return FI_RECV | (rx->tagged ? FI_TAGGED : FI_MSG) | (rx->want_data ? FI_REMOTE_CQ_DATA : 0);
}

/* A buffer for many is the program's again: with the last message in it, or by itself. */
static void recv_retire(struct pfi_ep *ep, struct pfi_rx *multi)
{
	if (!multi->retired) {
		match_withdraw(recv_match(ep, multi->tagged), &multi->match);
		multi->retired = true;
		ep->rx_posted--;
	}
}

/* Report a receive that is over, and free it. @err: positive */
static void recv_end(struct pfi_ep *ep, struct pfi_rx *rx, size_t len, int err, uint8_t status, const char *why)
{
	struct pfi_rx *multi = rx->parent;
	uint64_t flags = recv_flags(rx);
	void *buf = multi ? rx->xfer.iov[0].iov_base : NULL;
	fi_addr_t src = ep->caps & (FI_SOURCE | FI_DIRECTED_RECV) && rx->peer ? pfi_peer_fi(rx->peer) : FI_ADDR_NOTAVAIL;
	size_t over = rx->msg_len > rx->len ? rx->msg_len - rx->len : 0;

	if (multi && !--multi->children && multi->retired) {
		flags |= FI_MULTI_RECV;
		pfi_rx_put(ep, multi);
	}
	if (!err && over)
		err = FI_ETRUNC;
	pfi_cntr_count(ep->cntr[PFI_COUNT_RECV], len, err);
	if (err && ep->rx_cq)
		pfi_cq_fail(ep->rx_cq, rx->context, flags, len, buf, rx->msg_data, rx->msg_tag, over, err, status, src, why);
	else if (ep->rx_cq && (rx->report || flags & FI_MULTI_RECV))
		pfi_cq_ok(ep->rx_cq, rx->context, flags, len, buf, rx->msg_data, rx->msg_tag, src);
	pfi_rx_put(ep, rx);
}

static void recv_say(struct pfi_peer *p, uint8_t type, uint32_t tx, int err)
{
	struct wire_hdr hdr = { .type = type, .tx = tx, .data = (uint32_t)err };

	pfi_peer_say(p, &hdr, NULL, 0);
}

/* --- rendezvous --------------------------------------------------------------------------------- */

static void recv_read_done(struct pfi_ep *ep, struct pfi_xfer *x)
{
	struct pfi_rx *rx = pfi_entry(x, struct pfi_rx, xfer);
	/* The sender is told what it can make of it. */
	int err = x->err == FI_EFAULT ? FI_EREMOTEIO : x->err;

	recv_say(rx->peer, WIRE_FIN, rx->msg_tx, err);
	recv_end(ep, rx, x->err ? 0 : rx->want, x->err, x->status, x->why);
}

/* The buffers, cut to the message. */
static void recv_cut(struct pfi_rx *rx)
{
	uint64_t left = rx->want;
	int i;

	for (i = 0; i < rx->xfer.iovs; i++) {
		rx->xfer.iov[i].iov_len = pfi_min(rx->xfer.iov[i].iov_len, left);
		left -= rx->xfer.iov[i].iov_len;
	}
}

static bool recv_regions(struct pfi_ep *ep, struct pfi_rx *rx, uint32_t n, const char *body)
{
	uint64_t left = rx->want;
	struct wire_seg seg;
	uint32_t i;

	for (i = 0; i < n; i++) {
		memcpy(&seg, body + i * sizeof(seg), sizeof(seg));
		rx->key[i] = seg.key;
		rx->xfer.remote[i].addr = seg.addr;
		rx->xfer.remote[i].len = pfi_min(seg.len, left);
		rx->xfer.remote[i].key = &rx->key[i];
		left -= rx->xfer.remote[i].len;
	}
	if (left)
		return false;	/* the sender's regions are shorter than it says */
	rx->xfer.remotes = (uint8_t)n;
	for (i = 0; i < rx->xfer.iovs; i++)
		if (pfi_mrc_hold(ep->domain, rx->xfer.iov[i].iov_base, rx->xfer.iov[i].iov_len, rx->desc[i], PNIC_MRF_LOCAL_WRITE,
				 &rx->xfer.hold[i]))
			return false;
	return true;
}

static void recv_rendezvous(struct pfi_ep *ep, struct pfi_rx *rx, const struct wire_hdr *hdr, const char *body)
{
	struct wire_hdr cts = { .type = WIRE_CTS, .tx = hdr->tx, .tag = pfi_rx_name(rx) };

	rx->want = pfi_min(rx->msg_len, rx->len);
	recv_cut(rx);
	if (!rx->want) {
		recv_say(rx->peer, WIRE_FIN, hdr->tx, 0);
		recv_end(ep, rx, 0, 0, 0, NULL);
		return;
	}
	if (hdr->n && recv_regions(ep, rx, hdr->n, body)) {
		rx->xfer.write = false;
		rx->xfer.copy = false;
		rx->xfer.imm = false;
		rx->xfer.done = recv_read_done;
		pfi_xfer_start(rx->peer, &rx->xfer);
		return;
	}
	rx->streaming = true;
	rx->peer->streams++;
	cts.len = rx->want;
	pfi_peer_say(rx->peer, &cts, NULL, 0);
}

void pfi_recv_data(struct pfi_peer *p, const struct wire_hdr *hdr, const char *body, size_t len)
{
	struct pfi_rx *rx = pfi_rx_by_name(p->ep, hdr->tag);

	if (!rx || !rx->streaming || rx->peer != p || hdr->len > rx->want || len > rx->want - hdr->len)
		return;
	pfi_iov_copy_in(rx->xfer.iov, rx->xfer.iovs, hdr->len, body, len);
	rx->got += len;
	if (rx->got < rx->want)
		return;
	rx->streaming = false;
	p->streams--;
	recv_say(p, WIRE_FIN, rx->msg_tx, 0);
	recv_end(p->ep, rx, rx->want, 0, 0, NULL);
}

/* --- a message takes a receive ------------------------------------------------------------------ */

/* The part of a buffer for many that a message gets. NULL: no memory */
static struct pfi_rx *recv_child(struct pfi_ep *ep, struct pfi_rx *multi, uint64_t msg_len)
{
	struct pfi_rx *rx = pfi_rx_get(ep);

	if (!rx)
		return NULL;
	rx->parent = multi;
	rx->tagged = multi->tagged;
	rx->report = multi->report;
	rx->context = multi->context;
	rx->desc[0] = multi->desc[0];
	rx->len = multi->len - multi->filled;
	rx->xfer.iov[0].iov_base = (char *)multi->xfer.iov[0].iov_base + multi->filled;
	rx->xfer.iov[0].iov_len = rx->len;
	rx->xfer.iovs = 1;
	multi->filled += pfi_min(rx->len, msg_len);
	multi->children++;
	if (multi->len - multi->filled < ep->min_multi || multi->filled == multi->len)
		recv_retire(ep, multi);
	return rx;
}

/* @rx isn't posted any more. @body: an eager message's bytes, or the regions. */
static void recv_take(struct pfi_rx *rx, struct pfi_peer *p, const struct wire_hdr *hdr, const char *body, size_t len)
{
	struct pfi_ep *ep = p->ep;
	size_t got;

	rx->peer = p;
	rx->msg_len = hdr->type == WIRE_EAGER ? len : hdr->len;
	rx->msg_tag = rx->tagged ? hdr->tag : 0;
	rx->msg_data = hdr->flags & WIRE_HAS_DATA ? hdr->data : 0;
	rx->want_data = hdr->flags & WIRE_HAS_DATA;
	rx->msg_tx = hdr->tx;
	if (hdr->type == WIRE_RTS) {
		recv_rendezvous(ep, rx, hdr, body);
		return;
	}
	got = pfi_iov_copy_in(rx->xfer.iov, rx->xfer.iovs, 0, body, len);
	pfi_peer_owe(p, len + WIRE_COST);
	if (hdr->flags & WIRE_ACK_WANTED)
		recv_say(p, WIRE_ACK, hdr->tx, 0);
	recv_end(ep, rx, got, 0, 0, NULL);
}

/* The receive that @found stands for: itself, not posted any more, or a child. */
static struct pfi_rx *recv_claim_posted(struct pfi_ep *ep, struct match_rx *found, uint64_t msg_len)
{
	struct pfi_rx *rx = pfi_entry(found, struct pfi_rx, match);

	if (rx->multi)
		return recv_child(ep, rx, msg_len);
	match_withdraw(recv_match(ep, rx->tagged), &rx->match);
	ep->rx_posted--;
	return rx;
}

void pfi_recv_message(struct pfi_peer *p, const struct wire_hdr *hdr, const char *body, size_t len)
{
	bool tagged = hdr->flags & WIRE_TAGGED;
	struct pfi_ep *ep = p->ep;
	struct match *m = recv_match(ep, tagged);
	struct match_rx *found;
	struct pfi_rx *rx;
	struct pfi_ux *ux;

	if (hdr->type == WIRE_RTS && (hdr->n > WIRE_MAX_SEGS || len != hdr->n * sizeof(struct wire_seg))) {
		pfi_once(EP_DATA, "a message with %u regions in %zu bytes is none of ours\n", hdr->n, len);
		return;
	}
	found = match_arrive(m, tagged ? hdr->tag : 0, pfi_peer_fi(p));
	if (found) {
		rx = recv_claim_posted(ep, found, hdr->type == WIRE_RTS ? hdr->len : len);
		if (rx) {
			recv_take(rx, p, hdr, body, len);
			return;
		}
	}
	ux = malloc(sizeof(*ux) + len);
	if (!ux) {
		pfi_warn(EP_DATA, "no memory for a message of %zu bytes that nobody waits for, its sender is given up\n", len);
		pfi_peer_fail(p, FI_ENOMEM, 0, NULL);
		return;
	}
	ux->match.tag = tagged ? hdr->tag : 0;
	ux->match.src = pfi_peer_fi(p);
	ux->peer = p;
	ux->hdr = *hdr;
	ux->bytes = (uint32_t)len;
	ux->len = hdr->type == WIRE_RTS ? hdr->len : len;
	ux->tagged = tagged;
	if (len)
		memcpy(ux->data, body, len);
	ep->strangers += ux->match.src == PFI_NOBODY;
	ep->stat.unexpected++;
	match_keep(m, &ux->match);
}

/* Sources that came into the AV after their messages. */
void pfi_recv_strangers(struct pfi_ep *ep)
{
	struct match *both[] = { &ep->msg, &ep->tagged };
	struct pfi_link *pos;
	struct pfi_ux *ux;
	int i;

	ep->av_gen = __atomic_load_n(&ep->av->gen, __ATOMIC_ACQUIRE);
	ep->strangers = 0;
	for (i = 0; i < 2; i++) {
		pfi_list_for(pos, &both[i]->unexpected) {
			ux = pfi_entry(pos, struct pfi_ux, match.all);
			if (ux->match.src == PFI_NOBODY)
				ux->match.src = pfi_peer_fi(ux->peer);
			ep->strangers += ux->match.src == PFI_NOBODY;
		}
	}
}

/* A write with data has no receive: a completion is all that there is of it. */
void pfi_recv_write_imm(struct pfi_peer *p, uint32_t imm, uint64_t len)
{
	struct pfi_ep *ep = p->ep;

	if (ep->rx_cq)
		pfi_cq_ok(ep->rx_cq, NULL, FI_RMA | FI_REMOTE_WRITE | FI_REMOTE_CQ_DATA, len, NULL, imm, 0, pfi_peer_fi(p));
}

/* Those that take messages of @p only. A buffer for many goes on: it has no end of its own but the program's cancel. */
static void recv_fail_posted(struct pfi_peer *p, struct match *m, int err, uint8_t status)
{
	struct pfi_link *pos, *next;
	struct pfi_rx *rx;

	for (pos = m->posted.next; pos != &m->posted; pos = next) {
		next = pos->next;
		rx = pfi_entry(pos, struct pfi_rx, match.all);
		if (rx->match.src != pfi_peer_fi(p) || rx->multi)
			continue;
		match_withdraw(m, &rx->match);
		p->ep->rx_posted--;
		rx->peer = p;
		recv_end(p->ep, rx, 0, err, status, NULL);
	}
}

void pfi_recv_peer_failed(struct pfi_peer *p, int err, uint8_t status)
{
	struct pfi_ep *ep = p->ep;
	struct pfi_rx *rx;
	uint32_t i;

	for (i = 0; i < ep->rxs; i++) {
		rx = ep->rx[i];
		if (rx->used && rx->streaming && rx->peer == p) {
			rx->streaming = false;
			p->streams--;
			recv_end(ep, rx, 0, err, status, NULL);
		}
	}
	if (pfi_peer_fi(p) != PFI_NOBODY) {
		recv_fail_posted(p, &ep->tagged, err, status);
		recv_fail_posted(p, &ep->msg, err, status);
	}
}

static void recv_await_posted(struct pfi_ep *ep, const struct match *m)
{
	unsigned int left = AWAIT_LOOKS;
	struct pfi_peer *p;
	struct pfi_link *pos;
	uint64_t src;
	int err;

	pfi_list_for(pos, &m->posted) {
		src = pfi_entry(pos, struct match_rx, all)->src;
		p = src == MATCH_ANY ? NULL : pfi_peer_get(ep, src, &err);
		if (p)
			p->awaited = true;
		if (!--left)
			break;
	}
}

void pfi_recv_await(struct pfi_ep *ep)
{
	recv_await_posted(ep, &ep->tagged);
	recv_await_posted(ep, &ep->msg);
}

/* --- posting ------------------------------------------------------------------------------------ */

static void recv_fill(struct pfi_rx *rx, const struct recv *r, bool report)
{
	size_t i;

	rx->tagged = r->tagged;
	rx->report = report;
	rx->context = r->context;
	rx->len = pfi_iov_len(r->iov, r->n);
	for (i = 0; i < r->n; i++) {
		rx->xfer.iov[i] = r->iov[i];
		rx->desc[i] = r->desc ? r->desc[i] : NULL;
	}
	rx->xfer.iovs = (uint8_t)r->n;
	rx->match.tag = r->tagged ? r->tag : 0;
	rx->match.ignore = r->tagged ? r->ignore : UINT64_MAX;
	rx->match.src = r->src;
}

static void recv_free_ux(struct pfi_ep *ep, struct pfi_ux *ux)
{
	if (ux->match.src == PFI_NOBODY && ep->strangers)
		ep->strangers--;
	free(ux);
}

static struct pfi_ux *recv_search(struct pfi_ep *ep, const struct recv *r)
{
	struct match_ux *found;

	if (ep->strangers && ep->av_gen != __atomic_load_n(&ep->av->gen, __ATOMIC_ACQUIRE))
		pfi_recv_strangers(ep);
	found = match_search(recv_match(ep, r->tagged), r->tagged ? r->tag : 0, r->tagged ? r->ignore : UINT64_MAX, r->src);
	return found ? pfi_entry(found, struct pfi_ux, match) : NULL;
}

/* Nobody wants it: what its sender waits for is answered. */
static void recv_discard(struct pfi_ep *ep, struct pfi_ux *ux)
{
	if (ux->hdr.type == WIRE_EAGER)
		pfi_peer_owe(ux->peer, ux->len + WIRE_COST);
	if (ux->hdr.type == WIRE_RTS)
		recv_say(ux->peer, WIRE_FIN, ux->hdr.tx, 0);
	else if (ux->hdr.flags & WIRE_ACK_WANTED)
		recv_say(ux->peer, WIRE_ACK, ux->hdr.tx, 0);
	recv_free_ux(ep, ux);
}

static void recv_told(struct pfi_ep *ep, const struct recv *r, const struct pfi_ux *ux)
{
	uint64_t flags = FI_RECV | (r->tagged ? FI_TAGGED : FI_MSG) |
			 (ux->hdr.flags & WIRE_HAS_DATA ? FI_REMOTE_CQ_DATA : 0);

	if (ep->rx_cq && pfi_wanted(ep->rx_selective, r->flags))
		pfi_cq_ok(ep->rx_cq, r->context, flags, ux->len, NULL, ux->hdr.flags & WIRE_HAS_DATA ? ux->hdr.data : 0,
			  ux->match.tag, pfi_peer_fi(ux->peer));
}

static ssize_t recv_peek(struct pfi_ep *ep, const struct recv *r)
{
	struct pfi_ux *ux = recv_search(ep, r);

	if (!ux) {
		pfi_progress(ep);
		ux = recv_search(ep, r);
	}
	if (!ux) {
		if (ep->rx_cq)
			pfi_cq_fail(ep->rx_cq, r->context, FI_RECV | (r->tagged ? FI_TAGGED : FI_MSG), 0, NULL, 0, r->tag, 0,
				    FI_ENOMSG, 0, FI_ADDR_NOTAVAIL, NULL);
		return 0;
	}
	recv_told(ep, r, ux);
	if (r->flags & (FI_CLAIM | FI_DISCARD))
		match_drop(recv_match(ep, r->tagged), &ux->match);
	if (r->flags & FI_CLAIM) {
		ux->claimer = r->context;
		pfi_list_add_tail(&ep->claimed, &ux->claim);
	} else if (r->flags & FI_DISCARD) {
		recv_discard(ep, ux);
	}
	return 0;
}

static struct pfi_ux *recv_claimed(struct pfi_ep *ep, const struct recv *r)
{
	struct pfi_link *pos;
	struct pfi_ux *ux;

	pfi_list_for(pos, &ep->claimed) {
		ux = pfi_entry(pos, struct pfi_ux, claim);
		if (ux->claimer == r->context && ux->tagged == r->tagged)
			return ux;
	}
	return NULL;
}

static ssize_t recv_claim(struct pfi_ep *ep, const struct recv *r)
{
	struct pfi_ux *ux = recv_claimed(ep, r);
	struct pfi_rx *rx;

	if (!ux)
		return -FI_EINVAL;
	if (r->flags & FI_DISCARD) {
		pfi_list_del(&ux->claim);
		recv_told(ep, r, ux);
		recv_discard(ep, ux);
		return 0;
	}
	rx = pfi_rx_get(ep);
	if (!rx)
		return -FI_EAGAIN;
	pfi_list_del(&ux->claim);
	recv_fill(rx, r, pfi_wanted(ep->rx_selective, r->flags));
	recv_take(rx, ux->peer, &ux->hdr, ux->data, ux->bytes);
	recv_free_ux(ep, ux);
	return 0;
}

/* A buffer for many takes what is there already, one message after the other. */
static void recv_multi(struct pfi_ep *ep, struct pfi_rx *multi, const struct recv *r)
{
	struct match *m = recv_match(ep, r->tagged);
	struct pfi_ux *ux;
	struct pfi_rx *rx;

	multi->multi = true;
	match_post(m, &multi->match);
	ep->rx_posted++;
	while (!multi->retired && (ux = recv_search(ep, r)) != NULL) {
		rx = recv_child(ep, multi, ux->len);
		if (!rx)
			return;
		match_drop(m, &ux->match);
		recv_take(rx, ux->peer, &ux->hdr, ux->data, ux->bytes);
		recv_free_ux(ep, ux);
	}
}

static ssize_t recv_post(struct pfi_ep *ep, const struct recv *r)
{
	bool report = pfi_wanted(ep->rx_selective, r->flags);
	struct pfi_ux *ux;
	struct pfi_rx *rx;

	if (r->flags & FI_PEEK)
		return recv_peek(ep, r);
	if (r->flags & FI_CLAIM)
		return recv_claim(ep, r);
	if (ep->rx_posted >= PFI_RX_SIZE)
		return -FI_EAGAIN;
	rx = pfi_rx_get(ep);
	if (!rx)
		return -FI_EAGAIN;
	recv_fill(rx, r, report);
	if (r->flags & FI_MULTI_RECV) {
		recv_multi(ep, rx, r);
		return 0;
	}
	ux = recv_search(ep, r);
	if (!ux) {
		match_post(recv_match(ep, r->tagged), &rx->match);
		ep->rx_posted++;
		return 0;
	}
	match_drop(recv_match(ep, r->tagged), &ux->match);
	recv_take(rx, ux->peer, &ux->hdr, ux->data, ux->bytes);
	recv_free_ux(ep, ux);
	return 0;
}

static ssize_t recv_any(struct fid_ep *fid, const struct recv *what)
{
	struct pfi_ep *ep = pfi_entry(fid, struct pfi_ep, fid);
	struct recv copy = *what, *r = &copy;
	struct iovec here[PFI_IOV];
	ssize_t ret;

	if (r->n > PFI_IOV || (r->flags & FI_MULTI_RECV && r->n != 1))
		return -FI_EINVAL;
	if (ep->caps & FI_HMEM) {
		if (pfi_mr_blind(r->desc, r->n))
			return -FI_EOPNOTSUPP;
		ret = pfi_mr_here(here, r->iov, r->desc, r->n);
		if (ret)
			return ret;
		r->iov = here;
	}
	if (!(ep->caps & (FI_DIRECTED_RECV | (r->tagged ? FI_TAGGED_DIRECTED_RECV : 0))))
		r->src = FI_ADDR_UNSPEC;
	pfi_lock(&ep->lock);
	ret = ep->enabled ? recv_post(ep, r) : -FI_EOPBADSTATE;
	pfi_unlock(&ep->lock);
	return ret;
}

ssize_t pfi_recv_cancel(struct pfi_ep *ep, void *context)
{
	struct match *both[] = { &ep->msg, &ep->tagged };
	struct pfi_link *pos;
	struct pfi_rx *rx;
	int i;

	for (i = 0; i < 2; i++) {
		pfi_list_for(pos, &both[i]->posted) {
			rx = pfi_entry(pos, struct pfi_rx, match.all);
			if (rx->context != context)
				continue;
			pfi_cntr_count(ep->cntr[PFI_COUNT_RECV], 0, true);
			if (ep->rx_cq)
				pfi_cq_fail(ep->rx_cq, context, FI_RECV | (rx->tagged ? FI_TAGGED : FI_MSG) |
					    (rx->multi && !rx->children ? FI_MULTI_RECV : 0), 0, NULL, 0, rx->match.tag, 0,
					    FI_ECANCELED, 0, FI_ADDR_NOTAVAIL, NULL);
			if (rx->multi) {
				recv_retire(ep, rx);
				if (!rx->children)
					pfi_rx_put(ep, rx);
			} else {
				match_withdraw(both[i], &rx->match);
				ep->rx_posted--;
				pfi_rx_put(ep, rx);
			}
			return 0;
		}
	}
	return -FI_ENOENT;
}

void pfi_recv_fini(struct pfi_ep *ep)
{
	struct match *both[] = { &ep->msg, &ep->tagged };
	struct pfi_ux *ux;
	int i;

	for (i = 0; i < 2; i++) {
		while (!pfi_list_empty(&both[i]->unexpected)) {
			ux = pfi_entry(both[i]->unexpected.next, struct pfi_ux, match.all);
			match_drop(both[i], &ux->match);
			free(ux);
		}
	}
	while (!pfi_list_empty(&ep->claimed)) {
		ux = pfi_entry(ep->claimed.next, struct pfi_ux, claim);
		pfi_list_del(&ux->claim);
		free(ux);
	}
}

/* --- the calls ---------------------------------------------------------------------------------- */

static uint64_t recv_default(struct fid_ep *fid)
{
	return pfi_entry(fid, struct pfi_ep, fid)->rx_flags;
}

/* A buffer for many by default is one of messages without tags; one with a tag is asked for by name. */
static uint64_t recv_default_tagged(struct fid_ep *fid)
{
	return recv_default(fid) & ~FI_MULTI_RECV;
}

ssize_t pfi_recv(struct fid_ep *ep, void *buf, size_t len, void *desc, fi_addr_t src, void *context)
{
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct recv r = { .iov = &iov, .desc = &desc, .n = 1, .src = src, .flags = recv_default(ep), .context = context };

	return recv_any(ep, &r);
}

ssize_t pfi_recvv(struct fid_ep *ep, const struct iovec *iov, void **desc, size_t count, fi_addr_t src, void *context)
{
	struct recv r = { .iov = iov, .desc = desc, .n = count, .src = src, .flags = recv_default(ep), .context = context };

	return recv_any(ep, &r);
}

ssize_t pfi_recvmsg(struct fid_ep *ep, const struct fi_msg *msg, uint64_t flags)
{
	struct recv r = { .iov = msg->msg_iov, .desc = msg->desc, .n = msg->iov_count, .src = msg->addr, .flags = flags,
			  .context = msg->context };

	return recv_any(ep, &r);
}

ssize_t pfi_trecv(struct fid_ep *ep, void *buf, size_t len, void *desc, fi_addr_t src, uint64_t tag, uint64_t ignore,
		  void *context)
{
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct recv r = { .iov = &iov, .desc = &desc, .n = 1, .src = src, .tag = tag, .ignore = ignore,
			  .flags = recv_default_tagged(ep), .context = context, .tagged = true };

	return recv_any(ep, &r);
}

ssize_t pfi_trecvv(struct fid_ep *ep, const struct iovec *iov, void **desc, size_t count, fi_addr_t src, uint64_t tag,
		   uint64_t ignore, void *context)
{
	struct recv r = { .iov = iov, .desc = desc, .n = count, .src = src, .tag = tag, .ignore = ignore,
			  .flags = recv_default_tagged(ep), .context = context, .tagged = true };

	return recv_any(ep, &r);
}

ssize_t pfi_trecvmsg(struct fid_ep *ep, const struct fi_msg_tagged *msg, uint64_t flags)
{
	struct recv r = { .iov = msg->msg_iov, .desc = msg->desc, .n = msg->iov_count, .src = msg->addr, .tag = msg->tag,
			  .ignore = msg->ignore, .flags = flags, .context = msg->context, .tagged = true };

	return recv_any(ep, &r);
}
