// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/* Completion queues. They grow as they must: a completion is never lost. Reading one moves its endpoints. */
#include <sched.h>
#include <stddef.h>
#include <stdio.h>

#include "pfi.h"

static struct pfi_cq *cq_of(struct fid_cq *fid)
{
	return pfi_entry(fid, struct pfi_cq, fid);
}

/* With the lock: a free entry at the tail, NULL if there is no memory. */
static struct pfi_cqe *cq_push(struct pfi_cq *cq)
{
	uint32_t size = cq->mask + 1, i;
	struct pfi_cqe *more;

	if (cq->tail - cq->head == size) {
		more = malloc(2 * (size_t)size * sizeof(*more));
		if (!more) {
			pfi_once(CQ, "no memory for completions\n");
			return NULL;
		}
		for (i = 0; i < size; i++)
			more[i] = cq->ring[(cq->head + i) & cq->mask];
		free(cq->ring);
		cq->ring = more;
		cq->head = 0;
		cq->tail = size;
		cq->mask = 2 * size - 1;
	}
	return &cq->ring[cq->tail++ & cq->mask];
}

void pfi_cq_ok(struct pfi_cq *cq, void *context, uint64_t flags, size_t len, void *buf, uint64_t data, uint64_t tag,
	       fi_addr_t src)
{
	struct pfi_cqe *e;

	pfi_lock(&cq->lock);
	e = cq_push(cq);
	if (e) {
		e->e.op_context = context;
		e->e.flags = flags;
		e->e.len = len;
		e->e.buf = buf;
		e->e.data = data;
		e->e.tag = tag;
		e->src = src;
		e->err = NULL;
	}
	pfi_unlock(&cq->lock);
	pfi_watch_signal(&cq->watch);
}

void pfi_cq_fail(struct pfi_cq *cq, void *context, uint64_t flags, size_t len, void *buf, uint64_t data, uint64_t tag,
		 size_t olen, int err, int prov_errno, fi_addr_t src, const char *text)
{
	size_t room = text ? strlen(text) + 1 : 0;
	struct fi_cq_err_entry *entry = calloc(1, sizeof(*entry) + room);
	struct pfi_cqe *e;

	if (!entry) {
		pfi_once(CQ, "no memory for an error's completion\n");
		return;
	}
	entry->op_context = context;
	entry->flags = flags;
	entry->len = len;
	entry->buf = buf;
	entry->data = data;
	entry->tag = tag;
	entry->olen = olen;
	entry->err = err;
	entry->prov_errno = prov_errno;
	entry->src_addr = src;
	if (text) {
		memcpy(entry + 1, text, room);
		entry->err_data = entry + 1;
		entry->err_data_size = room;
	}
	pfi_lock(&cq->lock);
	e = cq_push(cq);
	if (e)
		e->err = entry;
	pfi_unlock(&cq->lock);
	if (!e)
		free(entry);
	pfi_watch_signal(&cq->watch);
}

static char *cq_write(const struct pfi_cq *cq, char *to, const struct pfi_cqe *e)
{
	static const size_t size[] = {
		[FI_CQ_FORMAT_CONTEXT] = sizeof(struct fi_cq_entry),
		[FI_CQ_FORMAT_MSG] = sizeof(struct fi_cq_msg_entry),
		[FI_CQ_FORMAT_DATA] = sizeof(struct fi_cq_data_entry),
		[FI_CQ_FORMAT_TAGGED] = sizeof(struct fi_cq_tagged_entry),
	};

	/* Each format begins as the one before. */
	memcpy(to, &e->e, size[cq->format]);
	return to + size[cq->format];
}

static ssize_t cq_take(struct pfi_cq *cq, void *buf, size_t count, fi_addr_t *src)
{
	char *to = buf;
	struct pfi_cqe *e;
	ssize_t n = 0;

	pfi_lock(&cq->lock);
	while ((size_t)n < count && cq->head != cq->tail) {
		e = &cq->ring[cq->head & cq->mask];
		if (e->err)
			break;
		to = cq_write(cq, to, e);
		if (src)
			src[n] = e->src;
		cq->head++;
		n++;
	}
	if (!n)
		n = cq->head == cq->tail ? -FI_EAGAIN : cq->ring[cq->head & cq->mask].err ? -FI_EAVAIL : 0;
	pfi_unlock(&cq->lock);
	return n;
}

static ssize_t cq_readfrom(struct fid_cq *fid, void *buf, size_t count, fi_addr_t *src)
{
	struct pfi_cq *cq = cq_of(fid);
	ssize_t n;

	if (count) {
		n = cq_take(cq, buf, count, src);
		if (n != -FI_EAGAIN)
			return n;
	}
	pfi_watch_progress(&cq->watch);
	n = cq_take(cq, buf, count, src);
	if (n == -FI_EAGAIN && pfi_give_way()) {
		pfi_watch_progress(&cq->watch);
		n = cq_take(cq, buf, count, src);
	}
	return n;
}

static ssize_t cq_read(struct fid_cq *fid, void *buf, size_t count)
{
	return cq_readfrom(fid, buf, count, NULL);
}

/* The entry grew with libfabric's versions: a program has what there was in its own. */
static size_t cq_err_size(uint32_t version)
{
	if (FI_VERSION_GE(version, FI_VERSION(1, 20)))
		return sizeof(struct fi_cq_err_entry);
	if (FI_VERSION_GE(version, FI_VERSION(1, 5)))
		return offsetof(struct fi_cq_err_entry, src_addr);
	return offsetof(struct fi_cq_err_entry, err_data_size);
}

static ssize_t cq_readerr(struct fid_cq *fid, struct fi_cq_err_entry *buf, uint64_t flags)
{
	struct pfi_cq *cq = cq_of(fid);
	size_t size = cq_err_size(cq->domain->fabric->fid.api_version);
	bool takes_data = size > offsetof(struct fi_cq_err_entry, err_data_size);
	size_t room = takes_data ? buf->err_data_size : 0;
	void *user_data = room ? buf->err_data : NULL;
	struct fi_cq_err_entry *e;
	ssize_t n = -FI_EAGAIN;

	(void)flags;
	pfi_lock(&cq->lock);
	if (cq->head != cq->tail && cq->ring[cq->head & cq->mask].err) {
		e = cq->ring[cq->head++ & cq->mask].err;
		memcpy(buf, e, size);
		/* A buffer of the program's is filled, else it sees ours until it reads again. */
		if (user_data) {
			buf->err_data = user_data;
			buf->err_data_size = pfi_min(room, e->err_data_size);
			if (buf->err_data_size) {
				memcpy(user_data, e->err_data, buf->err_data_size);
				/* It is a text, also where it is cut. */
				((char *)user_data)[buf->err_data_size - 1] = 0;
			}
		}
		free(cq->last_err);
		cq->last_err = e;
		n = 1;
	}
	pfi_unlock(&cq->lock);
	return n;
}

static bool cq_empty(struct pfi_cq *cq)
{
	bool empty;

	pfi_lock(&cq->lock);
	empty = cq->head == cq->tail;
	pfi_unlock(&cq->lock);
	return empty;
}

static ssize_t cq_sreadfrom(struct fid_cq *fid, void *buf, size_t count, fi_addr_t *src, const void *cond, int timeout)
{
	struct pfi_cq *cq = cq_of(fid);
	uint64_t start = pfi_now_us(), now;
	ssize_t n;

	(void)cond;
	if (cq->wait_obj == FI_WAIT_NONE)
		return -FI_ENOSYS;
	for (;;) {
		n = cq_readfrom(fid, buf, count, src);
		if (n != -FI_EAGAIN)
			return n;
		if (__atomic_exchange_n(&cq->signalled, 0, __ATOMIC_ACQ_REL))
			return -FI_EAGAIN;
		now = pfi_now_us() - start;
		if (timeout >= 0 && now >= (uint64_t)timeout * 1000)
			return -FI_EAGAIN;
		if (now < (uint64_t)pfi_knobs.spin_us)
			continue;
		if (cq->wait_obj == FI_WAIT_YIELD)
			sched_yield();
		else if (!pfi_watch_arm(&cq->watch) && cq_empty(cq))
			pfi_watch_sleep(&cq->watch, timeout < 0 ? -1 : timeout - (int)(now / 1000));
	}
}

static ssize_t cq_sread(struct fid_cq *fid, void *buf, size_t count, const void *cond, int timeout)
{
	return cq_sreadfrom(fid, buf, count, NULL, cond, timeout);
}

static int cq_signal(struct fid_cq *fid)
{
	struct pfi_cq *cq = cq_of(fid);

	if (cq->wait_obj == FI_WAIT_NONE)
		return -FI_ENOSYS;
	__atomic_store_n(&cq->signalled, 1, __ATOMIC_RELEASE);
	pfi_watch_signal(&cq->watch);
	return 0;
}

static const char *cq_strerror(struct fid_cq *fid, int prov_errno, const void *err_data, char *buf, size_t len)
{
	const char *text = err_data ? err_data : prov_errno ? pnic_status_str((unsigned int)prov_errno) : "";

	(void)fid;
	if (!buf || !len)
		return text;
	snprintf(buf, len, "%s", text);
	return buf;
}

static int cq_close(struct fid *fid)
{
	struct pfi_cq *cq = pfi_entry(fid, struct pfi_cq, fid.fid);

	if (__atomic_load_n(&cq->refs, __ATOMIC_ACQUIRE))
		return -FI_EBUSY;
	for (; cq->head != cq->tail; cq->head++)
		free(cq->ring[cq->head & cq->mask].err);
	free(cq->last_err);
	free(cq->ring);
	pfi_watch_fini(&cq->watch);
	pfi_lock_fini(&cq->lock);
	__atomic_sub_fetch(&cq->domain->refs, 1, __ATOMIC_RELEASE);
	free(cq);
	return 0;
}

static int cq_control(struct fid *fid, int command, void *arg)
{
	struct pfi_cq *cq = pfi_entry(fid, struct pfi_cq, fid.fid);

	return pfi_watch_control(&cq->watch, cq->wait_obj, command, arg);
}

static struct fi_ops cq_fi_ops = {
	.size = sizeof(struct fi_ops),
	.close = cq_close,
	.bind = pfi_no_bind,
	.control = cq_control,
	.ops_open = pfi_no_ops_open,
};

static struct fi_ops_cq cq_ops = {
	.size = sizeof(struct fi_ops_cq),
	.read = cq_read,
	.readfrom = cq_readfrom,
	.readerr = cq_readerr,
	.sread = cq_sread,
	.sreadfrom = cq_sreadfrom,
	.signal = cq_signal,
	.strerror = cq_strerror,
};

int pfi_cq_open(struct fid_domain *dom, struct fi_cq_attr *attr, struct fid_cq **out, void *context)
{
	struct pfi_domain *d = pfi_entry(dom, struct pfi_domain, fid);
	struct pfi_cq *cq;
	uint32_t size = 256;
	int err;

	if (attr->format > FI_CQ_FORMAT_TAGGED || attr->wait_cond > FI_CQ_COND_THRESHOLD || attr->flags & ~FI_AFFINITY)
		return -FI_EINVAL;
	if (attr->wait_obj == FI_WAIT_SET || attr->wait_obj == FI_WAIT_MUTEX_COND || attr->wait_obj > FI_WAIT_POLLFD)
		return -FI_ENOSYS;
	cq = calloc(1, sizeof(*cq));
	if (!cq)
		return -FI_ENOMEM;
	while (size < attr->size && size < 1u << 20)
		size *= 2;
	cq->domain = d;
	cq->mask = size - 1;
	cq->format = attr->format ? attr->format : FI_CQ_FORMAT_CONTEXT;
	cq->wait_obj = attr->wait_obj;
	cq->ring = malloc(size * sizeof(*cq->ring));
	err = cq->ring ? pfi_watch_init(&cq->watch, d->unlocked,
					cq->wait_obj != FI_WAIT_NONE && cq->wait_obj != FI_WAIT_YIELD) : -FI_ENOMEM;
	if (err) {
		free(cq->ring);
		free(cq);
		return err;
	}
	pfi_lock_init(&cq->lock, d->unlocked);
	cq->fid.fid.fclass = FI_CLASS_CQ;
	cq->fid.fid.context = context;
	cq->fid.fid.ops = &cq_fi_ops;
	cq->fid.ops = &cq_ops;
	__atomic_add_fetch(&d->refs, 1, __ATOMIC_RELAXED);
	*out = &cq->fid;
	return 0;
}
