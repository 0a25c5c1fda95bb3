// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * Reads and writes of a peer's memory, carried out by the cards.
 *
 * The 64-bit key of an operation is turned into the cards' keys by asking the peer, once for each region; what
 * comes behind such an operation waits with it. Operations begin in the order they were posted. Where the program asked for
 * an order between reads, writes and atomics (FI_ORDER_RAW ...) an operation of one kind begins when those of the other
 * kinds are over. A fenced one (FI_FENCE) begins when it is the first of all operations of its peer, messages as well, that
 * aren't over; and what comes behind it waits with it, messages by -FI_EAGAIN.
 */
#include "pfi.h"

#define NO_REPORT	(1ULL << 62)
#define COPY_MAX	2048u	/* writes up to this are copied rather than registered */

struct rma {
	const struct iovec *iov;
	void **desc;
	size_t n;
	const struct fi_rma_iov *rma;
	size_t rma_n;
	fi_addr_t to;
	uint64_t data, flags;
	void *context;
	bool write;
};

/* --- keys --------------------------------------------------------------------------------------- */

void pfi_rma_key_asked(struct pfi_peer *p, const struct wire_hdr *hdr)
{
	struct wire_hdr rep = { .type = WIRE_KEY_REP, .tag = hdr->tag };
	struct wire_key key;

	rep.data = (uint32_t)pfi_mr_answer(p->ep->domain, hdr->tag, &key);
	pfi_peer_say(p, &rep, &key, sizeof(key));
}

void pfi_rma_key(struct pfi_peer *p, const struct wire_hdr *hdr, const char *body, size_t len)
{
	struct pfi_key *k = pfi_map_get(&p->keys, hdr->tag);

	if (!k || !k->asked || len != sizeof(k->wire))
		return;
	memcpy(&k->wire, body, sizeof(k->wire));
	k->asked = false;
	k->known = true;
	k->err = (int)hdr->data;
	pfi_rma_run(p);
}

void pfi_rma_keys_lost(struct pfi_peer *p)
{
	struct pfi_key *k;
	size_t i;

	for (i = 0; i < p->keys.size; i++) {
		k = p->keys.slot[i].val;
		if (k)
			k->asked = false;
	}
}

static struct pfi_key *rma_key_make(struct pfi_peer *p, uint64_t key)
{
	struct pfi_key *k = calloc(1, sizeof(*k));

	if (k && pfi_map_put(&p->keys, key, k)) {
		free(k);
		return NULL;
	}
	return k;
}

/* The key, asked for if need be. NULL: not known yet, or *@err. */
static struct pfi_key *rma_key(struct pfi_peer *p, uint64_t key, int *err)
{
	struct wire_hdr hdr = { .type = WIRE_KEY_REQ, .tag = key };
	struct pfi_key *k = pfi_map_get(&p->keys, key);

	*err = 0;
	if (!k)
		k = rma_key_make(p, key);
	if (!k) {
		*err = FI_ENOMEM;
		return NULL;
	}
	if (k->known) {
		if (!k->err)
			return k;
		*err = k->err;
		k->known = false;	/* the next one asks again */
		return NULL;
	}
	if (!k->asked) {
		k->asked = true;
		pfi_peer_say(p, &hdr, NULL, 0);
	}
	return NULL;
}

/* A program that names its keys may have given a key to another region: ask, and try once more. False: it has tried. */
static bool rma_again(struct pfi_tx *tx)
{
	if (tx->peer->ep->domain->prov_key || tx->retried)
		return false;
	tx->retried = true;
	return true;
}

/* True if all keys of an operation are known; if not and *@err is 0 they will be. */
static bool rma_keys(struct pfi_tx *tx, int *err)
{
	struct pfi_remote *r;
	struct pfi_key *k;
	int i;

	for (i = 0; i < tx->xfer.remotes; i++) {
		r = &tx->xfer.remote[i];
		k = rma_key(tx->peer, tx->rkey[i], err);
		if (!k)
			return false;
		/* Nothing that overflows gets to the card; the rest is the card's to check. */
		if (tx->raddr[i] < k->wire.base) {
			if (rma_again(tx)) {
				k->known = false;
				rma_key(tx->peer, tx->rkey[i], err);
				return false;
			}
			*err = FI_EACCES;
			return false;
		}
		/* A copy: the peer's answer to another operation may be another region while this one is under way. */
		tx->key[i] = k->wire.key;
		r->addr = k->wire.key.addr + (tx->raddr[i] - k->wire.base);
		r->key = &tx->key[i];
	}
	return true;
}

/* What the operation took for the peer's keys was refused. An answer that came meanwhile is news, and stays. */
static void rma_keys_refused(struct pfi_tx *tx)
{
	struct pfi_key *k;
	int i;

	for (i = 0; i < tx->xfer.remotes; i++) {
		k = pfi_map_get(&tx->peer->keys, tx->rkey[i]);
		if (k && k->known && !memcmp(&k->wire.key, &tx->key[i], sizeof(tx->key[i])))
			k->known = false;
	}
}

/* --- when they begin and end -------------------------------------------------------------------- */

static bool rma_must_wait(const struct pfi_tx *tx)
{
	const struct pfi_peer *p = tx->peer;
	int i;

	if (tx->fenced && p->txs.next != &tx->node)
		return true;
	if (!p->ep->ordered)
		return false;
	for (i = 0; i < PFI_CLASSES; i++)
		if (i != tx->class && p->busy[i])
			return true;
	return false;
}

static void rma_started(struct pfi_tx *tx)
{
	tx->started = true;
	tx->peer->busy[tx->class]++;
	tx->peer->fences -= tx->fenced;
	tx->fenced = false;
}

/* The first of those that wait begins; false: not yet. */
static bool rma_begin(struct pfi_tx *tx)
{
	struct pfi_peer *p = tx->peer;
	int err = 0;

	if (rma_must_wait(tx))
		return false;
	if (tx->kind == PFI_TX_ATOMIC) {
		if (!pfi_atomic_start(tx)) {
			pfi_peer_block(p);
			return false;
		}
		pfi_list_del(&tx->queue);
		rma_started(tx);
		if (tx->err)
			pfi_rma_over(tx);
		return true;
	}
	if (!rma_keys(tx, &err) && !err)
		return false;
	pfi_list_del(&tx->queue);
	if (err) {
		tx->err = err;
		pfi_rma_over(tx);
		return true;
	}
	rma_started(tx);
	pfi_xfer_start(p, &tx->xfer);
	return true;
}

void pfi_rma_run(struct pfi_peer *p)
{
	if (p->running || p->failing)
		return;
	p->running = true;
	while (!pfi_list_empty(&p->waiting) && rma_begin(pfi_entry(p->waiting.next, struct pfi_tx, queue)))
		;
	p->running = false;
}

void pfi_rma_queue(struct pfi_tx *tx, bool fenced)
{
	tx->fenced = fenced;
	tx->peer->fences += fenced;
	pfi_list_add_tail(&tx->peer->waiting, &tx->queue);
	pfi_rma_run(tx->peer);
}

void pfi_rma_over(struct pfi_tx *tx)
{
	struct pfi_peer *p = tx->peer;

	if (tx->ends || tx->reply)
		return;
	if (tx->started)
		p->busy[tx->class]--;
	tx->started = false;
	pfi_tx_try_end(tx);
	pfi_rma_run(p);
}

static void rma_done(struct pfi_ep *ep, struct pfi_xfer *x)
{
	struct pfi_tx *tx = pfi_entry(x, struct pfi_tx, xfer);

	(void)ep;
	if (x->status == PNIC_ST_REMOTE_KEY && rma_again(tx)) {
		rma_keys_refused(tx);
		tx->peer->busy[tx->class]--;
		tx->started = false;
		free(x->why);
		x->why = NULL;
		x->imm = tx->imm;
		pfi_list_add(&tx->peer->waiting, &tx->queue);
		pfi_rma_run(tx->peer);
		return;
	}
	tx->err = x->err;
	tx->status = x->status;
	tx->why = x->why;
	x->why = NULL;
	if (!tx->err && tx->users)
		pfi_iov_copy_in(tx->user, tx->users, 0, tx->inl, tx->len);
	pfi_rma_over(tx);
}

/* --- posting ------------------------------------------------------------------------------------ */

/* Where the bytes are: the program's memory, registered; or short ones in the operation's own. */
static int rma_local(struct pfi_ep *ep, struct pfi_tx *tx, const struct rma *r)
{
	bool blind = ep->caps & FI_HMEM && pfi_mr_blind(r->desc, r->n);
	struct pfi_xfer *x = &tx->xfer;
	size_t i;
	int err;

	memcpy(x->iov, r->iov, r->n * sizeof(*r->iov));
	x->iovs = (uint8_t)r->n;
	if (blind && r->flags & FI_INJECT)
		return -FI_EOPNOTSUPP;
	if (!blind && r->write && (r->flags & FI_INJECT || (r->n > 1 && tx->len <= PFI_INJECT))) {
		pfi_iov_copy_out(tx->inl, r->iov, r->n, 0, tx->len);
		x->iov[0].iov_base = tx->inl;
		x->iov[0].iov_len = tx->len;
		x->iovs = 1;
		x->copy = true;
		return 0;
	}
	if (!blind && r->write && tx->len <= COPY_MAX) {
		x->copy = true;
		return 0;
	}
	if (!blind && !r->write && tx->len <= PFI_INJECT && tx->inl_mr && !(r->desc && r->desc[0])) {
		memcpy(tx->user, r->iov, r->n * sizeof(*r->iov));
		tx->users = (uint8_t)r->n;
		x->iov[0].iov_base = tx->inl;
		x->iov[0].iov_len = tx->len;
		x->iovs = 1;
		x->hold[0].mr = tx->inl_mr;
		return 0;
	}
	for (i = 0; i < r->n; i++) {
		err = pfi_mrc_hold(ep->domain, r->iov[i].iov_base, r->iov[i].iov_len, r->desc ? r->desc[i] : NULL,
				   r->write ? 0 : PNIC_MRF_LOCAL_WRITE, &x->hold[i]);
		if (err && r->write && !blind) {
			x->copy = true;		/* slower */
			return 0;
		}
		if (err)
			return err;
	}
	return 0;
}

static ssize_t rma_post(struct pfi_ep *ep, const struct rma *r)
{
	struct pfi_peer *p;
	struct pfi_tx *tx;
	int err = 0;
	size_t i;

	p = pfi_peer_get(ep, r->to, &err);
	if (!p)
		return err;
	tx = pfi_tx_get(ep, p, PFI_TX_RMA);
	if (!tx)
		return -FI_EAGAIN;
	tx->count = r->write ? PFI_COUNT_WRITE : PFI_COUNT_READ;
	tx->class = r->write ? PFI_CLASS_WRITE : PFI_CLASS_READ;
	tx->report = !(r->flags & NO_REPORT) && pfi_wanted(ep->tx_selective, r->flags);
	tx->context = r->context;
	tx->flags = FI_RMA | (r->write ? FI_WRITE : FI_READ);
	tx->len = pfi_iov_len(r->iov, r->n);
	tx->tag = 0;
	for (i = 0; i < r->rma_n; i++) {
		tx->rkey[i] = r->rma[i].key;
		tx->raddr[i] = r->rma[i].addr;
		tx->xfer.remote[i].len = r->rma[i].len;
	}
	tx->xfer.remotes = (uint8_t)r->rma_n;
	tx->xfer.write = r->write;
	tx->xfer.imm = r->write && r->flags & FI_REMOTE_CQ_DATA;
	tx->imm = tx->xfer.imm;
	tx->xfer.data = (uint32_t)r->data;
	tx->xfer.done = rma_done;
	err = rma_local(ep, tx, r);
	if (err) {
		pfi_tx_put(tx);
		return err;
	}
	if (r->write)
		ep->stat.writes++;
	else
		ep->stat.reads++;
	pfi_rma_queue(tx, r->flags & FI_FENCE);
	return 0;
}

static ssize_t rma_any(struct fid_ep *fid, const struct rma *what)
{
	struct pfi_ep *ep = pfi_entry(fid, struct pfi_ep, fid);
	struct rma copy = *what, *r = &copy;
	struct iovec here[PFI_IOV];
	size_t there = 0, len, i;
	ssize_t ret;

	if (r->n > PFI_IOV || !r->rma_n || r->rma_n > PFI_IOV)
		return -FI_EINVAL;
	len = pfi_iov_len(r->iov, r->n);
	for (i = 0; i < r->rma_n; i++)
		there += r->rma[i].len;
	if (there != len || (r->flags & FI_INJECT && len > PFI_INJECT))
		return -FI_EINVAL;
	if (ep->caps & FI_HMEM) {
		ret = pfi_mr_here(here, r->iov, r->desc, r->n);
		if (ret)
			return ret;
		r->iov = here;
	}
	pfi_lock(&ep->lock);
	if (!ep->enabled) {
		ret = -FI_EOPBADSTATE;
	} else {
		ret = rma_post(ep, r);
		if (ret == -FI_EAGAIN) {
			pfi_progress(ep);
			ret = rma_post(ep, r);
		}
	}
	pfi_unlock(&ep->lock);
	return ret;
}

/* --- the calls ---------------------------------------------------------------------------------- */

static uint64_t rma_default(struct fid_ep *fid)
{
	return pfi_entry(fid, struct pfi_ep, fid)->tx_flags;
}

static ssize_t rma_one(struct fid_ep *ep, const void *buf, size_t len, void *desc, fi_addr_t to, uint64_t addr,
		       uint64_t key, uint64_t data, void *context, uint64_t flags, bool write)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)buf, .iov_len = len };
	struct fi_rma_iov there = { .addr = addr, .len = len, .key = key };
	struct rma r = { .iov = &iov, .desc = &desc, .n = 1, .rma = &there, .rma_n = 1, .to = to, .data = data,
			 .flags = flags, .context = context, .write = write };

	return rma_any(ep, &r);
}

static ssize_t rma_v(struct fid_ep *ep, const struct iovec *iov, void **desc, size_t count, fi_addr_t to, uint64_t addr,
		     uint64_t key, void *context, bool write)
{
	struct fi_rma_iov there = { .addr = addr, .len = pfi_iov_len(iov, count), .key = key };
	struct rma r = { .iov = iov, .desc = desc, .n = count, .rma = &there, .rma_n = 1, .to = to,
			 .flags = rma_default(ep), .context = context, .write = write };

	return rma_any(ep, &r);
}

static ssize_t rma_msg(struct fid_ep *ep, const struct fi_msg_rma *msg, uint64_t flags, bool write)
{
	struct rma r = { .iov = msg->msg_iov, .desc = msg->desc, .n = msg->iov_count, .rma = msg->rma_iov,
			 .rma_n = msg->rma_iov_count, .to = msg->addr, .data = msg->data, .flags = flags & ~NO_REPORT,
			 .context = msg->context, .write = write };

	return rma_any(ep, &r);
}

static ssize_t r_read(struct fid_ep *ep, void *buf, size_t len, void *desc, fi_addr_t from, uint64_t addr, uint64_t key,
		      void *context)
{
	return rma_one(ep, buf, len, desc, from, addr, key, 0, context, rma_default(ep) & ~FI_INJECT, false);
}

static ssize_t r_readv(struct fid_ep *ep, const struct iovec *iov, void **desc, size_t count, fi_addr_t from,
		       uint64_t addr, uint64_t key, void *context)
{
	return rma_v(ep, iov, desc, count, from, addr, key, context, false);
}

static ssize_t r_readmsg(struct fid_ep *ep, const struct fi_msg_rma *msg, uint64_t flags)
{
	return rma_msg(ep, msg, flags & ~FI_INJECT, false);
}

static ssize_t r_write(struct fid_ep *ep, const void *buf, size_t len, void *desc, fi_addr_t to, uint64_t addr,
		       uint64_t key, void *context)
{
	return rma_one(ep, buf, len, desc, to, addr, key, 0, context, rma_default(ep), true);
}

static ssize_t r_writev(struct fid_ep *ep, const struct iovec *iov, void **desc, size_t count, fi_addr_t to,
			uint64_t addr, uint64_t key, void *context)
{
	return rma_v(ep, iov, desc, count, to, addr, key, context, true);
}

static ssize_t r_writemsg(struct fid_ep *ep, const struct fi_msg_rma *msg, uint64_t flags)
{
	return rma_msg(ep, msg, flags, true);
}

static ssize_t r_inject(struct fid_ep *ep, const void *buf, size_t len, fi_addr_t to, uint64_t addr, uint64_t key)
{
	return rma_one(ep, buf, len, NULL, to, addr, key, 0, NULL, FI_INJECT | NO_REPORT, true);
}

static ssize_t r_writedata(struct fid_ep *ep, const void *buf, size_t len, void *desc, uint64_t data, fi_addr_t to,
			   uint64_t addr, uint64_t key, void *context)
{
	return rma_one(ep, buf, len, desc, to, addr, key, data, context, rma_default(ep) | FI_REMOTE_CQ_DATA, true);
}

static ssize_t r_injectdata(struct fid_ep *ep, const void *buf, size_t len, uint64_t data, fi_addr_t to, uint64_t addr,
			    uint64_t key)
{
	return rma_one(ep, buf, len, NULL, to, addr, key, data, NULL, FI_INJECT | NO_REPORT | FI_REMOTE_CQ_DATA, true);
}

struct fi_ops_rma pfi_rma_ops = {
	.size = sizeof(struct fi_ops_rma),
	.read = r_read,
	.readv = r_readv,
	.readmsg = r_readmsg,
	.write = r_write,
	.writev = r_writev,
	.writemsg = r_writemsg,
	.inject = r_inject,
	.writedata = r_writedata,
	.injectdata = r_injectdata,
};
