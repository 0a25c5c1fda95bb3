// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/* Endpoints: how they come and go, names, options; the pools of operations. */
#include <sys/mman.h>

#include "pfi.h"

#define BLOCK	64	/* operations that are allocated at a time */

static struct pfi_ep *ep_of(struct fid *fid)
{
	return pfi_entry(fid, struct pfi_ep, fid.fid);
}

/* --- pools -------------------------------------------------------------------------------------- */

static void *ep_block(struct pfi_ep *ep, size_t size, struct pnic_rails_mr **mr)
{
	struct pnic_rails_mr **mrs;
	void **blocks, *mem;

	blocks = realloc(ep->blocks, (ep->n_blocks + 1) * sizeof(*blocks));
	if (!blocks)
		return NULL;
	ep->blocks = blocks;
	mrs = realloc(ep->block_mr, (ep->n_blocks + 1) * sizeof(*mrs));
	if (!mrs)
		return NULL;
	ep->block_mr = mrs;
	size = (size + 4095) & ~(size_t)4095;
	mem = aligned_alloc(4096, size);
	if (!mem)
		return NULL;
	memset(mem, 0, size);
	ep->blocks[ep->n_blocks] = mem;
	ep->block_mr[ep->n_blocks] = NULL;
	/* Without it short reads go by registrations of their own. */
	if (mr && pnic_rails_mr_reg(ep->domain->rails, mem, size, PNIC_MRF_LOCAL_WRITE, mr))
		*mr = NULL;
	if (mr)
		ep->block_mr[ep->n_blocks] = *mr;
	ep->n_blocks++;
	return mem;
}

static bool ep_more_tx(struct pfi_ep *ep)
{
	struct pnic_rails_mr *mr = NULL;
	struct pfi_tx *tx;
	uint32_t i;

	if (ep->txs >= ep->tx_room)
		return false;
	tx = ep_block(ep, BLOCK * sizeof(*tx), &mr);
	if (!tx)
		return false;
	for (i = 0; i < BLOCK && ep->txs < ep->tx_room; i++, tx++) {
		tx->number = ep->txs;
		tx->inl_mr = mr;
		pfi_list_init(&tx->queue);
		pfi_list_init(&tx->xfer.work);
		ep->tx[ep->txs++] = tx;
		pfi_list_add_tail(&ep->tx_free, &tx->node);
	}
	return true;
}

struct pfi_tx *pfi_tx_get(struct pfi_ep *ep, struct pfi_peer *p, enum pfi_tx_kind kind)
{
	struct pfi_tx *tx;

	if (pfi_list_empty(&ep->tx_free) && !ep_more_tx(ep))
		return NULL;
	tx = pfi_entry(ep->tx_free.next, struct pfi_tx, node);
	pfi_list_del(&tx->node);
	pfi_list_add_tail(&p->txs, &tx->node);
	tx->kind = (uint8_t)kind;
	tx->peer = p;
	tx->reply = false;
	tx->own_buf = false;
	tx->started = false;
	tx->fenced = false;
	tx->retried = false;
	tx->ends = 0;
	tx->err = 0;
	tx->status = 0;
	tx->why = NULL;
	tx->users = 0;
	tx->msg = NULL;
	tx->xfer.iovs = 0;
	tx->xfer.remotes = 0;
	tx->xfer.err = 0;
	tx->xfer.imm = false;
	tx->xfer.copy = false;
	tx->xfer.pieces = 0;
	memset(tx->xfer.hold, 0, sizeof(tx->xfer.hold));
	return tx;
}

void pfi_tx_put(struct pfi_tx *tx)
{
	struct pfi_ep *ep = tx->peer->ep;

	if (tx->fenced)
		tx->peer->fences--;
	tx->fenced = false;
	pfi_xfer_release(&tx->xfer);
	free(tx->msg);
	tx->msg = NULL;
	free(tx->why);
	tx->why = NULL;
	tx->kind = PFI_TX_FREE;
	/* An answer to what it was is not one to what it will be. */
	tx->number += 1u << 16;
	pfi_list_del(&tx->queue);
	pfi_list_del(&tx->node);
	pfi_list_add(&ep->tx_free, &tx->node);
}

struct pfi_tx *pfi_tx_by_number(struct pfi_ep *ep, uint32_t number)
{
	uint32_t slot = number & 0xffff;
	struct pfi_tx *tx = slot < ep->txs ? ep->tx[slot] : NULL;

	return tx && tx->kind != PFI_TX_FREE && tx->number == number ? tx : NULL;
}

void pfi_tx_try_end(struct pfi_tx *tx)
{
	struct pfi_peer *p = tx->peer;
	struct pfi_ep *ep = p->ep;

	if (tx->ends || tx->reply)
		return;
	pfi_cntr_count(ep->cntr[tx->count], tx->len, tx->err);
	if (tx->err && ep->tx_cq)
		pfi_cq_fail(ep->tx_cq, tx->context, tx->flags, 0, NULL, 0, tx->tag, 0, tx->err, tx->status,
			    FI_ADDR_NOTAVAIL, tx->why);
	else if (tx->report && ep->tx_cq)
		pfi_cq_ok(ep->tx_cq, tx->context, tx->flags, tx->len, NULL, 0, 0, FI_ADDR_NOTAVAIL);
	pfi_tx_put(tx);
	/* It may be what a fenced one waits for. */
	if (p->fences)
		pfi_rma_run(p);
}

static bool ep_more_rx(struct pfi_ep *ep)
{
	struct pfi_rx **more, *rx;
	uint32_t i;

	if (ep->rxs + BLOCK > ep->rx_room) {
		more = realloc(ep->rx, (ep->rx_room * 2 + BLOCK) * sizeof(*more));
		if (!more)
			return false;
		ep->rx = more;
		ep->rx_room = ep->rx_room * 2 + BLOCK;
	}
	rx = ep_block(ep, BLOCK * sizeof(*rx), NULL);
	if (!rx)
		return false;
	for (i = 0; i < BLOCK; i++, rx++) {
		rx->number = ep->rxs;
		pfi_list_init(&rx->xfer.work);
		ep->rx[ep->rxs++] = rx;
		pfi_list_add_tail(&ep->rx_free, &rx->node);
	}
	return true;
}

struct pfi_rx *pfi_rx_get(struct pfi_ep *ep)
{
	struct pfi_rx *rx;

	if (pfi_list_empty(&ep->rx_free) && !ep_more_rx(ep))
		return NULL;
	rx = pfi_entry(ep->rx_free.next, struct pfi_rx, node);
	pfi_list_del(&rx->node);
	rx->used = true;
	rx->multi = false;
	rx->streaming = false;
	rx->parent = NULL;
	rx->children = 0;
	rx->retired = false;
	rx->filled = 0;
	rx->peer = NULL;
	rx->got = 0;
	rx->xfer.err = 0;
	rx->xfer.why = NULL;
	memset(rx->xfer.hold, 0, sizeof(rx->xfer.hold));
	return rx;
}

void pfi_rx_put(struct pfi_ep *ep, struct pfi_rx *rx)
{
	pfi_xfer_release(&rx->xfer);
	rx->used = false;
	rx->generation++;
	pfi_list_add(&ep->rx_free, &rx->node);
}

uint64_t pfi_rx_name(const struct pfi_rx *rx)
{
	return (uint64_t)rx->generation << 32 | rx->number;
}

struct pfi_rx *pfi_rx_by_name(struct pfi_ep *ep, uint64_t name)
{
	uint32_t slot = (uint32_t)name;
	struct pfi_rx *rx = slot < ep->rxs ? ep->rx[slot] : NULL;

	return rx && rx->used && rx->generation == name >> 32 ? rx : NULL;
}

bool pfi_wanted(bool selective, uint64_t flags)
{
	return !selective || flags & FI_COMPLETION;
}

/* --- life --------------------------------------------------------------------------------------- */

static void ep_unwatch(struct pfi_ep *ep)
{
	int i;

	if (ep->tx_cq)
		pfi_watch_del(&ep->tx_cq->watch, ep);
	if (ep->rx_cq)
		pfi_watch_del(&ep->rx_cq->watch, ep);
	for (i = 0; i < PFI_COUNTS; i++)
		if (ep->cntr[i])
			pfi_watch_del(&ep->cntr[i]->watch, ep);
}

static void ep_unref(struct pfi_ep *ep)
{
	int i;

	if (ep->tx_cq)
		__atomic_sub_fetch(&ep->tx_cq->refs, 1, __ATOMIC_RELEASE);
	if (ep->rx_cq)
		__atomic_sub_fetch(&ep->rx_cq->refs, 1, __ATOMIC_RELEASE);
	for (i = 0; i < PFI_COUNTS; i++)
		if (ep->cntr[i])
			__atomic_sub_fetch(&ep->cntr[i]->refs, 1, __ATOMIC_RELEASE);
	if (ep->av)
		__atomic_sub_fetch(&ep->av->refs, 1, __ATOMIC_RELEASE);
	__atomic_sub_fetch(&ep->domain->refs, 1, __ATOMIC_RELEASE);
}

/* Doesn't wait for any peer. What is under way ends untold, its memory is the program's again. */
static int ep_close(struct fid *fid)
{
	struct pfi_ep *ep = ep_of(fid);
	uint32_t i;

	pfi_auto_stop(ep);
	ep_unwatch(ep);
	pnic_rails_ep_destroy(ep->rails);
	pfi_info(EP_CTRL, "endpoint %016llx: %llu eager, %llu rendezvous, %llu streamed, %llu unexpected, %llu reads, "
		 "%llu writes, %llu atomics\n", (unsigned long long)ep->addr.id, (unsigned long long)ep->stat.eager,
		 (unsigned long long)ep->stat.rndv, (unsigned long long)ep->stat.stream,
		 (unsigned long long)ep->stat.unexpected, (unsigned long long)ep->stat.reads,
		 (unsigned long long)ep->stat.writes, (unsigned long long)ep->stat.atomics);
	for (i = 0; i < ep->txs; i++)
		if (ep->tx[i]->kind != PFI_TX_FREE)
			pfi_tx_put(ep->tx[i]);
	for (i = 0; i < ep->rxs; i++)
		if (ep->rx[i]->used)
			pfi_xfer_release(&ep->rx[i]->xfer);
	pfi_recv_fini(ep);
	while (!pfi_list_empty(&ep->peers))
		pfi_peer_free(pfi_entry(ep->peers.next, struct pfi_peer, node));
	match_fini(&ep->msg);
	match_fini(&ep->tagged);
	for (i = 0; i < ep->n_blocks; i++) {
		if (ep->block_mr[i])
			pnic_rails_mr_dereg(ep->block_mr[i]);
		free(ep->blocks[i]);
	}
	ep_unref(ep);
	pfi_map_fini(&ep->by_fi);
	pfi_lock_fini(&ep->lock);
	free(ep->blocks);
	free(ep->block_mr);
	free(ep->tx);
	free(ep->rx);
	free(ep->scratch);
	free(ep);
	return 0;
}

static int ep_bind_cq(struct pfi_ep *ep, struct pfi_cq *cq, uint64_t flags)
{
	int err;

	if (flags & ~(FI_TRANSMIT | FI_RECV | FI_SELECTIVE_COMPLETION))
		return -FI_EBADFLAGS;
	/* An endpoint is watched by those it knows of, and no others: it tells them when it goes. */
	if (!(flags & (FI_TRANSMIT | FI_RECV)))
		return -FI_EBADFLAGS;
	if ((flags & FI_TRANSMIT && ep->tx_cq) || (flags & FI_RECV && ep->rx_cq) || cq->domain != ep->domain)
		return -FI_EINVAL;
	err = pfi_watch_add(&cq->watch, ep);
	if (err)
		return err;
	if (flags & FI_TRANSMIT) {
		ep->tx_cq = cq;
		ep->tx_selective = !!(flags & FI_SELECTIVE_COMPLETION);
		__atomic_add_fetch(&cq->refs, 1, __ATOMIC_RELAXED);
	}
	if (flags & FI_RECV) {
		ep->rx_cq = cq;
		ep->rx_selective = !!(flags & FI_SELECTIVE_COMPLETION);
		__atomic_add_fetch(&cq->refs, 1, __ATOMIC_RELAXED);
	}
	return 0;
}

static int ep_bind_cntr(struct pfi_ep *ep, struct pfi_cntr *cntr, uint64_t flags)
{
	static const uint64_t kind[PFI_COUNTS] = {
		[PFI_COUNT_SEND] = FI_SEND,
		[PFI_COUNT_RECV] = FI_RECV,
		[PFI_COUNT_READ] = FI_READ,
		[PFI_COUNT_WRITE] = FI_WRITE,
	};
	int i, err;

	/* What others do to memory isn't seen: there is no FI_RMA_EVENT. */
	if (!flags || flags & ~(FI_SEND | FI_RECV | FI_READ | FI_WRITE))
		return flags & (FI_REMOTE_READ | FI_REMOTE_WRITE) ? -FI_EOPNOTSUPP : -FI_EBADFLAGS;
	if (cntr->domain != ep->domain)
		return -FI_EINVAL;
	for (i = 0; i < PFI_COUNTS; i++)
		if (flags & kind[i] && ep->cntr[i])
			return -FI_EINVAL;
	err = pfi_watch_add(&cntr->watch, ep);
	if (err)
		return err;
	for (i = 0; i < PFI_COUNTS; i++) {
		if (!(flags & kind[i]))
			continue;
		ep->cntr[i] = cntr;
		__atomic_add_fetch(&cntr->refs, 1, __ATOMIC_RELAXED);
	}
	return 0;
}

static int ep_bind(struct fid *fid, struct fid *bfid, uint64_t flags)
{
	struct pfi_ep *ep = ep_of(fid);

	switch (bfid->fclass) {
	case FI_CLASS_AV:
		if (ep->av)
			return -FI_EINVAL;
		ep->av = pfi_entry(bfid, struct pfi_av, fid.fid);
		__atomic_add_fetch(&ep->av->refs, 1, __ATOMIC_RELAXED);
		return 0;
	case FI_CLASS_CQ:
		return ep_bind_cq(ep, pfi_entry(bfid, struct pfi_cq, fid.fid), flags);
	case FI_CLASS_CNTR:
		return ep_bind_cntr(ep, pfi_entry(bfid, struct pfi_cntr, fid.fid), flags);
	case FI_CLASS_EQ:
		return 0;	/* has nothing to report */
	default:
		return -FI_EINVAL;
	}
}

static int ep_enable(struct pfi_ep *ep)
{
	if (!ep->av)
		return -FI_ENOAV;
	if (ep->caps & FI_SEND && !ep->tx_cq && !ep->cntr[PFI_COUNT_SEND] && !ep->cntr[PFI_COUNT_WRITE])
		return -FI_ENOCQ;
	if (ep->caps & FI_RECV && ep->caps & (FI_MSG | FI_TAGGED) && !ep->rx_cq && !ep->cntr[PFI_COUNT_RECV])
		return -FI_ENOCQ;
	if (ep->enabled)
		return 0;
	ep->enabled = true;
	return ep->domain->auto_progress ? pfi_auto_start(ep) : 0;
}

static int ep_control(struct fid *fid, int command, void *arg)
{
	struct pfi_ep *ep = ep_of(fid);
	uint64_t *flags = arg;

	switch (command) {
	case FI_ENABLE:
		return ep_enable(ep);
	case FI_GETOPSFLAG:
		*flags = *flags & FI_TRANSMIT ? ep->tx_flags : ep->rx_flags;
		return 0;
	case FI_SETOPSFLAG:
		if (*flags & FI_TRANSMIT)
			ep->tx_flags = *flags & ~(FI_TRANSMIT | FI_RECV);
		if (*flags & FI_RECV)
			ep->rx_flags = *flags & ~(FI_TRANSMIT | FI_RECV);
		return 0;
	default:
		return -FI_ENOSYS;
	}
}

/* --- options and names -------------------------------------------------------------------------- */

static ssize_t ep_cancel(fid_t fid, void *context)
{
	struct pfi_ep *ep = ep_of(fid);
	ssize_t ret;

	pfi_lock(&ep->lock);
	ret = pfi_recv_cancel(ep, context);
	pfi_unlock(&ep->lock);
	return ret;
}

static int ep_getopt(fid_t fid, int level, int name, void *val, size_t *len)
{
	struct pfi_ep *ep = ep_of(fid);
	size_t value;

	if (level != FI_OPT_ENDPOINT)
		return -FI_ENOPROTOOPT;
	switch (name) {
	case FI_OPT_MIN_MULTI_RECV:
		value = ep->min_multi;
		break;
	case FI_OPT_TX_SIZE:
		value = ep->tx_room;
		break;
	case FI_OPT_MAX_MSG_SIZE:
	case FI_OPT_MAX_TAGGED_SIZE:
	case FI_OPT_MAX_RMA_SIZE:
		value = (size_t)1 << 40;
		break;
	case FI_OPT_MAX_ATOMIC_SIZE:
		value = PFI_ATOMIC_BYTES;
		break;
	case FI_OPT_INJECT_MSG_SIZE:
	case FI_OPT_INJECT_TAGGED_SIZE:
	case FI_OPT_INJECT_RMA_SIZE:
	case FI_OPT_INJECT_ATOMIC_SIZE:
		value = PFI_INJECT;
		break;
	default:
		return -FI_ENOPROTOOPT;
	}
	if (*len < sizeof(value)) {
		*len = sizeof(value);
		return -FI_ETOOSMALL;
	}
	*len = sizeof(value);
	memcpy(val, &value, sizeof(value));
	return 0;
}

static int ep_setopt(fid_t fid, int level, int name, const void *val, size_t len)
{
	struct pfi_ep *ep = ep_of(fid);
	size_t value;

	if (level != FI_OPT_ENDPOINT)
		return -FI_ENOPROTOOPT;
	switch (name) {
	case FI_OPT_MIN_MULTI_RECV:
		if (len < sizeof(value))
			return -FI_EINVAL;
		memcpy(&value, val, sizeof(value));
		ep->min_multi = value;
		return 0;
	case FI_OPT_CUDA_API_PERMITTED:		/* none is called, nor is shared memory used */
	case FI_OPT_SHARED_MEMORY_PERMITTED:
		return len < sizeof(bool) ? -FI_EINVAL : 0;
	default:
		return -FI_ENOPROTOOPT;
	}
}

static int no_ctx_tx(struct fid_ep *sep, int index, struct fi_tx_attr *attr, struct fid_ep **tx, void *context)
{
	(void)sep;
	(void)index;
	(void)attr;
	(void)tx;
	(void)context;
	return -FI_ENOSYS;
}

static int no_ctx_rx(struct fid_ep *sep, int index, struct fi_rx_attr *attr, struct fid_ep **rx, void *context)
{
	(void)sep;
	(void)index;
	(void)attr;
	(void)rx;
	(void)context;
	return -FI_ENOSYS;
}

static ssize_t ep_rx_left(struct fid_ep *fid)
{
	struct pfi_ep *ep = pfi_entry(fid, struct pfi_ep, fid);

	return ep->enabled ? (ssize_t)(PFI_RX_SIZE - ep->rx_posted) : -FI_EOPBADSTATE;
}

static ssize_t ep_tx_left(struct fid_ep *fid)
{
	struct pfi_ep *ep = pfi_entry(fid, struct pfi_ep, fid);
	struct pfi_link *pos;
	ssize_t n;

	if (!ep->enabled)
		return -FI_EOPBADSTATE;
	pfi_lock(&ep->lock);
	n = ep->tx_room - ep->txs;
	pfi_list_for(pos, &ep->tx_free)
		n++;
	pfi_unlock(&ep->lock);
	return n;
}

static int ep_getname(fid_t fid, void *addr, size_t *len)
{
	struct pfi_ep *ep = ep_of(fid);
	size_t room = *len;

	*len = sizeof(ep->name);
	if (addr)
		memcpy(addr, &ep->name, pfi_min(room, sizeof(ep->name)));
	return room < sizeof(ep->name) ? -FI_ETOOSMALL : 0;
}

static int no_setname(fid_t fid, void *addr, size_t len)
{
	(void)fid;
	(void)addr;
	(void)len;
	return -FI_ENOSYS;
}

static int no_getpeer(struct fid_ep *ep, void *addr, size_t *len)
{
	(void)ep;
	(void)addr;
	(void)len;
	return -FI_ENOSYS;
}

static int no_connect(struct fid_ep *ep, const void *addr, const void *param, size_t len)
{
	(void)ep;
	(void)addr;
	(void)param;
	(void)len;
	return -FI_ENOSYS;
}

static int no_listen(struct fid_pep *pep)
{
	(void)pep;
	return -FI_ENOSYS;
}

static int no_accept(struct fid_ep *ep, const void *param, size_t len)
{
	(void)ep;
	(void)param;
	(void)len;
	return -FI_ENOSYS;
}

static int no_reject(struct fid_pep *pep, fid_t handle, const void *param, size_t len)
{
	(void)pep;
	(void)handle;
	(void)param;
	(void)len;
	return -FI_ENOSYS;
}

static int no_shutdown(struct fid_ep *ep, uint64_t flags)
{
	(void)ep;
	(void)flags;
	return -FI_ENOSYS;
}

static int no_join(struct fid_ep *ep, const void *addr, uint64_t flags, struct fid_mc **mc, void *context)
{
	(void)ep;
	(void)addr;
	(void)flags;
	(void)mc;
	(void)context;
	return -FI_ENOSYS;
}

static struct fi_ops ep_fi_ops = {
	.size = sizeof(struct fi_ops),
	.close = ep_close,
	.bind = ep_bind,
	.control = ep_control,
	.ops_open = pfi_no_ops_open,
};

static struct fi_ops_ep ep_ops = {
	.size = sizeof(struct fi_ops_ep),
	.cancel = ep_cancel,
	.getopt = ep_getopt,
	.setopt = ep_setopt,
	.tx_ctx = no_ctx_tx,
	.rx_ctx = no_ctx_rx,
	.rx_size_left = ep_rx_left,
	.tx_size_left = ep_tx_left,
};

static struct fi_ops_cm ep_cm_ops = {
	.size = sizeof(struct fi_ops_cm),
	.setname = no_setname,
	.getname = ep_getname,
	.getpeer = no_getpeer,
	.connect = no_connect,
	.listen = no_listen,
	.accept = no_accept,
	.reject = no_reject,
	.shutdown = no_shutdown,
	.join = no_join,
};

static void ep_init(struct pfi_ep *ep, const struct fi_info *info)
{
	pfi_list_init(&ep->tx_free);
	pfi_list_init(&ep->rx_free);
	pfi_list_init(&ep->claimed);
	pfi_list_init(&ep->xfers);
	pfi_list_init(&ep->streams);
	pfi_list_init(&ep->blocked);
	pfi_list_init(&ep->owing);
	pfi_list_init(&ep->peers);
	match_init(&ep->msg);
	match_init(&ep->tagged);
	pfi_lock_init(&ep->lock, ep->domain->unlocked);
	ep->caps = info->caps;
	ep->tx_flags = info->tx_attr ? info->tx_attr->op_flags : 0;
	ep->rx_flags = info->rx_attr ? info->rx_attr->op_flags : 0;
	ep->fencing = info->caps & FI_FENCE;
	ep->ordered = info->tx_attr && info->tx_attr->msg_order & ~FI_ORDER_SAS;
	ep->eager = pfi_knobs.eager;
	ep->window = pfi_knobs.window;
	ep->min_multi = 64;
	ep->tx_room = (uint32_t)pfi_knobs.tx_size;
}

int pfi_ep_open(struct fid_domain *dom, struct fi_info *info, struct fid_ep **out, void *context)
{
	struct pfi_domain *d = pfi_entry(dom, struct pfi_domain, fid);
	struct pfi_ep *ep;
	int err;

	if (!info || (info->ep_attr && info->ep_attr->type != FI_EP_RDM))
		return -FI_EINVAL;
	if (info->ep_attr && (info->ep_attr->tx_ctx_cnt > 1 || info->ep_attr->rx_ctx_cnt > 1))
		return -FI_EINVAL;
	ep = calloc(1, sizeof(*ep));
	if (!ep)
		return -FI_ENOMEM;
	ep->domain = d;
	ep_init(ep, info);
	ep->tx = calloc(ep->tx_room, sizeof(struct pfi_tx *));
	ep->scratch = malloc(ep->eager + PFI_INJECT);
	err = ep->tx && ep->scratch ? pfi_rails_ep(ep) : -FI_ENOMEM;
	if (err) {
		pfi_warn(EP_CTRL, "%s\n", err == -FI_ENOMEM ? "no memory" : pnic_last_error());
		pfi_lock_fini(&ep->lock);
		free(ep->tx);
		free(ep->scratch);
		free(ep);
		return err;
	}
	ep->fid.fid.fclass = FI_CLASS_EP;
	ep->fid.fid.context = context;
	ep->fid.fid.ops = &ep_fi_ops;
	ep->fid.ops = &ep_ops;
	ep->fid.cm = &ep_cm_ops;
	ep->fid.msg = &pfi_msg_ops;
	ep->fid.tagged = &pfi_tagged_ops;
	ep->fid.rma = &pfi_rma_ops;
	ep->fid.atomic = &pfi_atomic_ops;
	__atomic_add_fetch(&d->refs, 1, __ATOMIC_RELAXED);
	*out = &ep->fid;
	return 0;
}
