// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * Atomics. The card knows two operations on two sizes, libfabric twenty on sixteen types; so that all are atomic with
 * one another each goes as a message to the process that owns the memory, which carries it out when it is
 * moved, one at a time. The answer brings what was there before.
 */
#include "pfi.h"

#define NO_REPORT	(1ULL << 62)

struct atomic {
	const struct fi_ioc *ioc, *compare;
	struct fi_ioc *result;
	void *const *desc, *const *compare_desc, *const *result_desc;
	size_t n, compare_n, result_n;
	const struct fi_rma_ioc *rma;
	size_t rma_n;
	fi_addr_t to;
	enum fi_datatype datatype;
	enum fi_op op;
	uint64_t flags;
	void *context;
	uint8_t kind;
};

static size_t ioc_count(const struct fi_ioc *ioc, size_t n)
{
	size_t count = 0, i;

	for (i = 0; i < n; i++)
		count += ioc[i].count;
	return count;
}

static char *ioc_gather(char *to, const struct fi_ioc *ioc, size_t n, size_t size)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (ioc[i].count)
			memcpy(to, ioc[i].addr, ioc[i].count * size);
		to += ioc[i].count * size;
	}
	return to;
}

/* --- the target --------------------------------------------------------------------------------- */

struct atomic_request {
	struct wire_atomic a;
	struct wire_target target[PFI_IOV];
	const char *operand, *compare;
	size_t size;		/* of an element */
};

static int atomic_parse(struct atomic_request *r, uint32_t n, const char *body, size_t len)
{
	size_t bytes, want, sum = 0;
	uint32_t i;

	want = sizeof(r->a) + n * sizeof(r->target[0]);
	if (!n || n > PFI_IOV || len < want)
		return FI_EINVAL;
	memcpy(&r->a, body, sizeof(r->a));
	memcpy(r->target, body + sizeof(r->a), n * sizeof(r->target[0]));
	r->size = pfi_atomic_size(r->a.datatype);
	if (!pfi_atomic_valid(r->a.kind, r->a.datatype, r->a.op) || r->a.count > PFI_ATOMIC_BYTES / r->size)
		return FI_EINVAL;
	for (i = 0; i < n; i++)
		sum += r->target[i].count > PFI_ATOMIC_BYTES ? PFI_ATOMIC_BYTES + 1 : r->target[i].count;
	bytes = r->a.count * r->size;
	r->operand = r->a.op == FI_ATOMIC_READ ? NULL : body + want;
	r->compare = r->a.kind == WIRE_ATOMIC_COMPARE ? body + want + bytes : NULL;
	want += (r->operand ? bytes : 0) + (r->compare ? bytes : 0);
	return sum != r->a.count || len != want ? FI_EINVAL : 0;
}

/* All or nothing: rights are looked at first. Nobody deregisters the memory meanwhile. */
static int atomic_carry_out(struct pfi_domain *d, const struct atomic_request *r, uint32_t n, char *old)
{
	uint64_t access = (r->a.op != FI_ATOMIC_READ ? FI_REMOTE_WRITE : 0) |
			  (r->a.kind != WIRE_ATOMIC_BASE ? FI_REMOTE_READ : 0);
	void *mem[PFI_IOV];
	size_t at = 0, bytes;
	int err = 0;
	uint32_t i;

	pthread_mutex_lock(&d->atomics);
	for (i = 0; i < n && !err; i++)
		err = pfi_mr_find(d, r->target[i].key, r->target[i].addr, r->target[i].count * r->size, access, &mem[i]);
	for (i = 0; i < n && !err; i++) {
		bytes = r->target[i].count * r->size;
		pfi_atomic_do(r->a.datatype, r->a.op, mem[i], r->operand ? r->operand + at : NULL,
			      r->compare ? r->compare + at : NULL, old + at, r->target[i].count);
		at += bytes;
	}
	pthread_mutex_unlock(&d->atomics);
	return err;
}

void pfi_atomic_asked(struct pfi_peer *p, const struct wire_hdr *hdr, const char *body, size_t len)
{
	struct wire_hdr rep = { .type = WIRE_ATOMIC_REP, .tx = hdr->tx };
	char old[PFI_ATOMIC_BYTES];
	struct atomic_request r;
	uint32_t back = 0;
	int err;

	err = atomic_parse(&r, hdr->n, body, len);
	if (!err)
		err = atomic_carry_out(p->ep->domain, &r, hdr->n, old);
	if (!err && r.a.kind != WIRE_ATOMIC_BASE)
		back = (uint32_t)(r.a.count * r.size);
	rep.data = (uint32_t)err;
	pfi_peer_say(p, &rep, old, back);
}

/* --- the initiator ------------------------------------------------------------------------------ */

void pfi_atomic_answer(struct pfi_peer *p, const struct wire_hdr *hdr, const char *body, size_t len)
{
	struct pfi_tx *tx = pfi_tx_by_number(p->ep, hdr->tx);

	if (!tx || tx->peer != p || tx->kind != PFI_TX_ATOMIC || !tx->reply)
		return;
	tx->reply = false;
	if (hdr->data)
		tx->err = (int)hdr->data;
	else if (tx->users)
		pfi_iov_copy_in(tx->user, tx->users, 0, body, pfi_min(len, tx->len));
	pfi_rma_over(tx);
}

bool pfi_atomic_start(struct pfi_tx *tx)
{
	struct pfi_peer *p = tx->peer;
	struct wire_hdr hdr;
	uint64_t owed = p->owed;
	int err;

	if (!pfi_peer_ready(p))
		return false;
	memcpy(&hdr, tx->msg, sizeof(hdr));
	hdr.tx = tx->number;
	hdr.credit = (uint32_t)pfi_min(owed, UINT32_MAX);
	err = pfi_rails_send(p, &hdr, sizeof(hdr), tx->msg + sizeof(hdr), tx->msg_len - sizeof(hdr),
			     (uint64_t)(uintptr_t)tx | PFI_COOKIE_TX);
	if (err == -FI_EAGAIN)
		return false;
	if (err) {
		tx->err = -err;
		return true;
	}
	pfi_peer_credit(p, &hdr);
	tx->ends = 1;
	tx->reply = true;
	return true;
}

static int atomic_build(struct pfi_tx *tx, const struct atomic *a, size_t count, size_t size)
{
	struct wire_hdr hdr = { .type = WIRE_ATOMIC, .n = (uint16_t)a->rma_n };
	struct wire_atomic wire = { .count = (uint32_t)count, .datatype = (uint8_t)a->datatype, .op = (uint8_t)a->op,
				    .kind = a->kind };
	struct wire_target target;
	char *at;
	size_t i;

	at = malloc(sizeof(hdr) + sizeof(wire) + a->rma_n * sizeof(target) + 2 * count * size);
	if (!at)
		return -FI_ENOMEM;
	tx->msg = at;
	memcpy(at, &hdr, sizeof(hdr));
	at += sizeof(hdr);
	memcpy(at, &wire, sizeof(wire));
	at += sizeof(wire);
	for (i = 0; i < a->rma_n; i++) {
		target.addr = a->rma[i].addr;
		target.key = a->rma[i].key;
		target.count = a->rma[i].count;
		memcpy(at, &target, sizeof(target));
		at += sizeof(target);
	}
	if (a->op != FI_ATOMIC_READ)
		at = ioc_gather(at, a->ioc, a->n, size);
	if (a->kind == WIRE_ATOMIC_COMPARE)
		at = ioc_gather(at, a->compare, a->compare_n, size);
	tx->msg_len = (uint32_t)(at - tx->msg);
	return 0;
}

static ssize_t atomic_post(struct pfi_ep *ep, const struct atomic *a, size_t count, size_t size)
{
	struct pfi_peer *p;
	struct pfi_tx *tx;
	int err = 0;
	size_t i;

	p = pfi_peer_get(ep, a->to, &err);
	if (!p)
		return err;
	tx = pfi_tx_get(ep, p, PFI_TX_ATOMIC);
	if (!tx)
		return -FI_EAGAIN;
	tx->count = a->kind == WIRE_ATOMIC_BASE ? PFI_COUNT_WRITE : PFI_COUNT_READ;
	tx->class = PFI_CLASS_ATOMIC;
	tx->report = !(a->flags & NO_REPORT) && pfi_wanted(ep->tx_selective, a->flags);
	tx->context = a->context;
	tx->flags = FI_ATOMIC | (a->kind == WIRE_ATOMIC_BASE ? FI_WRITE : FI_READ);
	tx->len = count * size;
	tx->tag = 0;
	if (a->kind != WIRE_ATOMIC_BASE) {
		for (i = 0; i < a->result_n; i++) {
			tx->user[i].iov_base = a->result[i].addr;
			tx->user[i].iov_len = a->result[i].count * size;
		}
		tx->users = (uint8_t)a->result_n;
	}
	err = atomic_build(tx, a, count, size);
	if (err) {
		pfi_tx_put(tx);
		return err;
	}
	ep->stat.atomics++;
	pfi_rma_queue(tx, a->flags & FI_FENCE);
	return 0;
}

/* Elements in dma-bufs by our names, see mr.c. */
static int ioc_here(struct fi_ioc *to, const struct fi_ioc *ioc, void *const *desc, size_t n, size_t size)
{
	struct iovec iov;
	size_t i;
	int err;

	if (pfi_mr_blind(desc, n))
		return -FI_EOPNOTSUPP;
	for (i = 0; i < n; i++) {
		iov.iov_base = ioc[i].addr;
		iov.iov_len = ioc[i].count * size;
		err = pfi_mr_here(&iov, &iov, desc ? desc + i : NULL, 1);
		if (err)
			return err;
		to[i].addr = iov.iov_base;
		to[i].count = ioc[i].count;
	}
	return 0;
}

static ssize_t atomic_any(struct fid_ep *fid, const struct atomic *a)
{
	struct fi_ioc ioc[PFI_IOV], compare[PFI_IOV], result[PFI_IOV];
	struct pfi_ep *ep = pfi_entry(fid, struct pfi_ep, fid);
	struct atomic here = *a;
	size_t size = pfi_atomic_size(a->datatype), count = 0, i;
	ssize_t ret;

	if (!pfi_atomic_valid(a->kind, a->datatype, a->op))
		return -FI_EOPNOTSUPP;
	if (a->n > PFI_IOV || a->compare_n > PFI_IOV || a->result_n > PFI_IOV || !a->rma_n || a->rma_n > PFI_IOV)
		return -FI_EINVAL;
	for (i = 0; i < a->rma_n; i++)
		count += a->rma[i].count;
	if (!count || count > PFI_ATOMIC_BYTES / size ||
	    (a->op != FI_ATOMIC_READ && ioc_count(a->ioc, a->n) != count) ||
	    (a->kind == WIRE_ATOMIC_COMPARE && ioc_count(a->compare, a->compare_n) != count) ||
	    (a->kind != WIRE_ATOMIC_BASE && ioc_count(a->result, a->result_n) != count))
		return -FI_EINVAL;
	if (ep->caps & FI_HMEM) {
		ret = ioc_here(ioc, a->ioc, a->desc, a->op == FI_ATOMIC_READ ? 0 : a->n, size);
		if (!ret)
			ret = ioc_here(compare, a->compare, a->compare_desc, a->compare_n, size);
		if (!ret)
			ret = ioc_here(result, a->result, a->result_desc, a->result_n, size);
		if (ret)
			return ret;
		here.ioc = ioc;
		here.compare = compare;
		here.result = result;
	}
	pfi_lock(&ep->lock);
	if (!ep->enabled) {
		ret = -FI_EOPBADSTATE;
	} else {
		ret = atomic_post(ep, &here, count, size);
		if (ret == -FI_EAGAIN) {
			pfi_progress(ep);
			ret = atomic_post(ep, &here, count, size);
		}
	}
	pfi_unlock(&ep->lock);
	return ret;
}

/* --- the calls ---------------------------------------------------------------------------------- */

static uint64_t atomic_default(struct fid_ep *fid)
{
	return pfi_entry(fid, struct pfi_ep, fid)->tx_flags;
}

static ssize_t a_writev(struct fid_ep *ep, const struct fi_ioc *iov, void **desc, size_t count, fi_addr_t to,
			uint64_t addr, uint64_t key, enum fi_datatype datatype, enum fi_op op, void *context)
{
	struct fi_rma_ioc there = { .addr = addr, .count = ioc_count(iov, count), .key = key };
	struct atomic a = { .ioc = iov, .n = count, .desc = desc, .rma = &there, .rma_n = 1, .to = to,
			    .datatype = datatype, .op = op, .flags = atomic_default(ep), .context = context,
			    .kind = WIRE_ATOMIC_BASE };

	return atomic_any(ep, &a);
}

static ssize_t a_write(struct fid_ep *ep, const void *buf, size_t count, void *desc, fi_addr_t to, uint64_t addr,
		       uint64_t key, enum fi_datatype datatype, enum fi_op op, void *context)
{
	struct fi_ioc ioc = { .addr = (void *)(uintptr_t)buf, .count = count };

	return a_writev(ep, &ioc, &desc, 1, to, addr, key, datatype, op, context);
}

static ssize_t a_writemsg(struct fid_ep *ep, const struct fi_msg_atomic *msg, uint64_t flags)
{
	struct atomic a = { .ioc = msg->msg_iov, .n = msg->iov_count, .desc = msg->desc, .rma = msg->rma_iov,
			    .rma_n = msg->rma_iov_count, .to = msg->addr, .datatype = msg->datatype, .op = msg->op,
			    .flags = flags & ~NO_REPORT, .context = msg->context, .kind = WIRE_ATOMIC_BASE };

	return atomic_any(ep, &a);
}

static ssize_t a_inject(struct fid_ep *ep, const void *buf, size_t count, fi_addr_t to, uint64_t addr, uint64_t key,
			enum fi_datatype datatype, enum fi_op op)
{
	struct fi_ioc ioc = { .addr = (void *)(uintptr_t)buf, .count = count };
	struct fi_rma_ioc there = { .addr = addr, .count = count, .key = key };
	struct atomic a = { .ioc = &ioc, .n = 1, .rma = &there, .rma_n = 1, .to = to, .datatype = datatype, .op = op,
			    .flags = NO_REPORT, .kind = WIRE_ATOMIC_BASE };

	return atomic_any(ep, &a);
}

static ssize_t a_readwritev(struct fid_ep *ep, const struct fi_ioc *iov, void **desc, size_t count,
			    struct fi_ioc *resultv, void **result_desc, size_t result_count, fi_addr_t to, uint64_t addr,
			    uint64_t key, enum fi_datatype datatype, enum fi_op op, void *context)
{
	struct fi_rma_ioc there = { .addr = addr, .count = ioc_count(resultv, result_count), .key = key };
	struct atomic a = { .ioc = iov, .n = count, .desc = desc, .result = resultv, .result_desc = result_desc,
			    .result_n = result_count, .rma = &there, .rma_n = 1, .to = to,
			    .datatype = datatype, .op = op, .flags = atomic_default(ep), .context = context,
			    .kind = WIRE_ATOMIC_FETCH };

	return atomic_any(ep, &a);
}

static ssize_t a_readwrite(struct fid_ep *ep, const void *buf, size_t count, void *desc, void *result, void *result_desc,
			   fi_addr_t to, uint64_t addr, uint64_t key, enum fi_datatype datatype, enum fi_op op,
			   void *context)
{
	struct fi_ioc ioc = { .addr = (void *)(uintptr_t)buf, .count = count };
	struct fi_ioc res = { .addr = result, .count = count };

	return a_readwritev(ep, &ioc, &desc, 1, &res, &result_desc, 1, to, addr, key, datatype, op, context);
}

static ssize_t a_readwritemsg(struct fid_ep *ep, const struct fi_msg_atomic *msg, struct fi_ioc *resultv,
			      void **result_desc, size_t result_count, uint64_t flags)
{
	struct atomic a = { .ioc = msg->msg_iov, .n = msg->iov_count, .desc = msg->desc, .result = resultv,
			    .result_desc = result_desc, .result_n = result_count, .rma = msg->rma_iov,
			    .rma_n = msg->rma_iov_count, .to = msg->addr, .datatype = msg->datatype, .op = msg->op,
			    .flags = flags & ~NO_REPORT, .context = msg->context, .kind = WIRE_ATOMIC_FETCH };

	return atomic_any(ep, &a);
}

static ssize_t a_compwritev(struct fid_ep *ep, const struct fi_ioc *iov, void **desc, size_t count,
			    const struct fi_ioc *comparev, void **compare_desc, size_t compare_count,
			    struct fi_ioc *resultv, void **result_desc, size_t result_count, fi_addr_t to, uint64_t addr,
			    uint64_t key, enum fi_datatype datatype, enum fi_op op, void *context)
{
	struct fi_rma_ioc there = { .addr = addr, .count = ioc_count(iov, count), .key = key };
	struct atomic a = { .ioc = iov, .n = count, .desc = desc, .compare = comparev, .compare_desc = compare_desc,
			    .compare_n = compare_count, .result = resultv, .result_desc = result_desc,
			    .result_n = result_count, .rma = &there, .rma_n = 1, .to = to, .datatype = datatype, .op = op,
			    .flags = atomic_default(ep), .context = context, .kind = WIRE_ATOMIC_COMPARE };

	return atomic_any(ep, &a);
}

static ssize_t a_compwrite(struct fid_ep *ep, const void *buf, size_t count, void *desc, const void *compare,
			   void *compare_desc, void *result, void *result_desc, fi_addr_t to, uint64_t addr, uint64_t key,
			   enum fi_datatype datatype, enum fi_op op, void *context)
{
	struct fi_ioc ioc = { .addr = (void *)(uintptr_t)buf, .count = count };
	struct fi_ioc cmp = { .addr = (void *)(uintptr_t)compare, .count = count };
	struct fi_ioc res = { .addr = result, .count = count };

	return a_compwritev(ep, &ioc, &desc, 1, &cmp, &compare_desc, 1, &res, &result_desc, 1, to, addr, key, datatype, op,
			    context);
}

static ssize_t a_compwritemsg(struct fid_ep *ep, const struct fi_msg_atomic *msg, const struct fi_ioc *comparev,
			      void **compare_desc, size_t compare_count, struct fi_ioc *resultv, void **result_desc,
			      size_t result_count, uint64_t flags)
{
	struct atomic a = { .ioc = msg->msg_iov, .n = msg->iov_count, .desc = msg->desc, .compare = comparev,
			    .compare_desc = compare_desc, .compare_n = compare_count, .result = resultv,
			    .result_desc = result_desc, .result_n = result_count, .rma = msg->rma_iov,
			    .rma_n = msg->rma_iov_count, .to = msg->addr, .datatype = msg->datatype, .op = msg->op, .flags = flags & ~NO_REPORT,
			    .context = msg->context, .kind = WIRE_ATOMIC_COMPARE };

	return atomic_any(ep, &a);
}

static int atomic_query(uint8_t kind, enum fi_datatype datatype, enum fi_op op, size_t *count)
{
	if (!pfi_atomic_valid(kind, datatype, op))
		return -FI_EOPNOTSUPP;
	if (count)
		*count = PFI_ATOMIC_BYTES / pfi_atomic_size(datatype);
	return 0;
}

static int a_writevalid(struct fid_ep *ep, enum fi_datatype datatype, enum fi_op op, size_t *count)
{
	(void)ep;
	return atomic_query(WIRE_ATOMIC_BASE, datatype, op, count);
}

static int a_readwritevalid(struct fid_ep *ep, enum fi_datatype datatype, enum fi_op op, size_t *count)
{
	(void)ep;
	return atomic_query(WIRE_ATOMIC_FETCH, datatype, op, count);
}

static int a_compwritevalid(struct fid_ep *ep, enum fi_datatype datatype, enum fi_op op, size_t *count)
{
	(void)ep;
	return atomic_query(WIRE_ATOMIC_COMPARE, datatype, op, count);
}

int pfi_query_atomic(struct fid_domain *dom, enum fi_datatype datatype, enum fi_op op, struct fi_atomic_attr *attr,
		     uint64_t flags)
{
	uint8_t kind = flags & FI_COMPARE_ATOMIC ? WIRE_ATOMIC_COMPARE : flags & FI_FETCH_ATOMIC ? WIRE_ATOMIC_FETCH :
		WIRE_ATOMIC_BASE;

	(void)dom;
	if (flags & ~(FI_FETCH_ATOMIC | FI_COMPARE_ATOMIC | FI_TAGGED))
		return -FI_EBADFLAGS;
	if (flags & FI_TAGGED)
		return -FI_EOPNOTSUPP;
	attr->size = pfi_atomic_size(datatype);
	return atomic_query(kind, datatype, op, &attr->count);
}

struct fi_ops_atomic pfi_atomic_ops = {
	.size = sizeof(struct fi_ops_atomic),
	.write = a_write,
	.writev = a_writev,
	.writemsg = a_writemsg,
	.inject = a_inject,
	.readwrite = a_readwrite,
	.readwritev = a_readwritev,
	.readwritemsg = a_readwritemsg,
	.compwrite = a_compwrite,
	.compwritev = a_compwritev,
	.compwritemsg = a_compwritemsg,
	.writevalid = a_writevalid,
	.readwritevalid = a_readwritevalid,
	.compwritevalid = a_compwritevalid,
};
