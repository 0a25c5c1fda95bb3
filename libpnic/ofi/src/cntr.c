// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/* Counters of operations that are over. Reading one moves its endpoints. */
#include <sched.h>

#include "pfi.h"

static struct pfi_cntr *cntr_of(struct fid_cntr *fid)
{
	return pfi_entry(fid, struct pfi_cntr, fid);
}

void pfi_cntr_count(struct pfi_cntr *c, size_t len, bool failed)
{
	if (!c)
		return;
	if (failed)
		__atomic_add_fetch(&c->errors, 1, __ATOMIC_RELEASE);
	else
		__atomic_add_fetch(&c->value, c->bytes ? len : 1, __ATOMIC_RELEASE);
	pfi_watch_signal(&c->watch);
}

/* What the program is told is what it knows from then on: anything else it is not to sleep over, see pfi_cntr_news(). */
static uint64_t cntr_see(const uint64_t *count, uint64_t *seen)
{
	uint64_t now = __atomic_load_n(count, __ATOMIC_ACQUIRE);

	__atomic_store_n(seen, now, __ATOMIC_RELAXED);
	return now;
}

bool pfi_cntr_news(struct pfi_cntr *c)
{
	uint64_t errors = __atomic_load_n(&c->errors, __ATOMIC_ACQUIRE);
	bool news = __atomic_load_n(&c->value, __ATOMIC_ACQUIRE) != __atomic_load_n(&c->seen, __ATOMIC_RELAXED);

	/* A program that never asks for errors must be able to sleep all the same: it is told once. */
	return __atomic_exchange_n(&c->seen_errors, errors, __ATOMIC_RELAXED) != errors || news;
}

static uint64_t cntr_read(struct fid_cntr *fid)
{
	struct pfi_cntr *c = cntr_of(fid);

	pfi_watch_progress(&c->watch);
	return cntr_see(&c->value, &c->seen);
}

static uint64_t cntr_readerr(struct fid_cntr *fid)
{
	struct pfi_cntr *c = cntr_of(fid);

	pfi_watch_progress(&c->watch);
	return cntr_see(&c->errors, &c->seen_errors);
}

static int cntr_add(struct fid_cntr *fid, uint64_t value)
{
	__atomic_add_fetch(&cntr_of(fid)->value, value, __ATOMIC_RELEASE);
	pfi_watch_signal(&cntr_of(fid)->watch);
	return 0;
}

static int cntr_set(struct fid_cntr *fid, uint64_t value)
{
	__atomic_store_n(&cntr_of(fid)->value, value, __ATOMIC_RELEASE);
	pfi_watch_signal(&cntr_of(fid)->watch);
	return 0;
}

static int cntr_adderr(struct fid_cntr *fid, uint64_t value)
{
	__atomic_add_fetch(&cntr_of(fid)->errors, value, __ATOMIC_RELEASE);
	pfi_watch_signal(&cntr_of(fid)->watch);
	return 0;
}

static int cntr_seterr(struct fid_cntr *fid, uint64_t value)
{
	__atomic_store_n(&cntr_of(fid)->errors, value, __ATOMIC_RELEASE);
	pfi_watch_signal(&cntr_of(fid)->watch);
	return 0;
}

static int cntr_wait(struct fid_cntr *fid, uint64_t threshold, int timeout)
{
	struct pfi_cntr *c = cntr_of(fid);
	uint64_t start = pfi_now_us(), errors = __atomic_load_n(&c->errors, __ATOMIC_ACQUIRE), now;

	for (;;) {
		if (cntr_read(fid) >= threshold)
			return 0;
		if (cntr_see(&c->errors, &c->seen_errors) != errors)
			return -FI_EAVAIL;
		now = pfi_now_us() - start;
		if (timeout >= 0 && now >= (uint64_t)timeout * 1000)
			return -FI_ETIMEDOUT;
		if (now < (uint64_t)pfi_knobs.spin_us)
			continue;
		if (c->watch.epoll < 0)
			sched_yield();
		else if (!pfi_watch_arm(&c->watch) && __atomic_load_n(&c->value, __ATOMIC_ACQUIRE) < threshold)
			pfi_watch_sleep(&c->watch, timeout < 0 ? -1 : timeout - (int)(now / 1000));
	}
}

static int cntr_close(struct fid *fid)
{
	struct pfi_cntr *c = pfi_entry(fid, struct pfi_cntr, fid.fid);

	if (__atomic_load_n(&c->refs, __ATOMIC_ACQUIRE))
		return -FI_EBUSY;
	pfi_watch_fini(&c->watch);
	__atomic_sub_fetch(&c->domain->refs, 1, __ATOMIC_RELEASE);
	free(c);
	return 0;
}

static int cntr_control(struct fid *fid, int command, void *arg)
{
	struct pfi_cntr *c = pfi_entry(fid, struct pfi_cntr, fid.fid);

	return pfi_watch_control(&c->watch, c->wait_obj, command, arg);
}

static struct fi_ops cntr_fi_ops = {
	.size = sizeof(struct fi_ops),
	.close = cntr_close,
	.bind = pfi_no_bind,
	.control = cntr_control,
	.ops_open = pfi_no_ops_open,
};

static struct fi_ops_cntr cntr_ops = {
	.size = sizeof(struct fi_ops_cntr),
	.read = cntr_read,
	.readerr = cntr_readerr,
	.add = cntr_add,
	.set = cntr_set,
	.wait = cntr_wait,
	.adderr = cntr_adderr,
	.seterr = cntr_seterr,
};

int pfi_cntr_open(struct fid_domain *dom, struct fi_cntr_attr *attr, struct fid_cntr **out, void *context)
{
	struct pfi_domain *d = pfi_entry(dom, struct pfi_domain, fid);
	enum fi_wait_obj obj = attr ? attr->wait_obj : FI_WAIT_UNSPEC;
	struct pfi_cntr *c;
	int err;

	if (attr && (attr->events > FI_CNTR_EVENTS_BYTES || attr->flags))
		return -FI_EINVAL;
	if (obj == FI_WAIT_SET || obj == FI_WAIT_MUTEX_COND || obj > FI_WAIT_POLLFD)
		return -FI_ENOSYS;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -FI_ENOMEM;
	err = pfi_watch_init(&c->watch, d->unlocked, obj != FI_WAIT_NONE && obj != FI_WAIT_YIELD);
	if (err) {
		free(c);
		return err;
	}
	c->domain = d;
	c->bytes = attr && attr->events == FI_CNTR_EVENTS_BYTES;
	c->wait_obj = obj;
	c->fid.fid.fclass = FI_CLASS_CNTR;
	c->fid.fid.context = context;
	c->fid.fid.ops = &cntr_fi_ops;
	c->fid.ops = &cntr_ops;
	__atomic_add_fetch(&d->refs, 1, __ATOMIC_RELAXED);
	*out = &c->fid;
	return 0;
}
