// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * Event queues, and fi_trywait(). Nothing here is asynchronous, so an EQ holds what the program itself writes to it.
 */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "pfi.h"

struct pfi_event {
	struct pfi_link node;
	uint32_t event;
	size_t len;
	char data[];
};

struct pfi_eq {
	struct fid_eq fid;
	struct pfi_fabric *fabric;
	pthread_mutex_t lock;
	struct pfi_link events;
	enum fi_wait_obj wait_obj;
	int fd;				/* eventfd, -1: none */
};

static ssize_t eq_read(struct fid_eq *fid, uint32_t *event, void *buf, size_t len, uint64_t flags)
{
	struct pfi_eq *eq = pfi_entry(fid, struct pfi_eq, fid);
	ssize_t n = -FI_EAGAIN;
	struct pfi_event *e;
	uint64_t count;

	pthread_mutex_lock(&eq->lock);
	if (!pfi_list_empty(&eq->events)) {
		e = pfi_entry(eq->events.next, struct pfi_event, node);
		if (len < e->len) {
			n = -FI_ETOOSMALL;
		} else {
			*event = e->event;
			memcpy(buf, e->data, e->len);
			n = (ssize_t)e->len;
			if (!(flags & FI_PEEK)) {
				pfi_list_del(&e->node);
				free(e);
			}
		}
	}
	if (pfi_list_empty(&eq->events) && eq->fd >= 0 && read(eq->fd, &count, sizeof(count)) < 0)
		count = 0;
	pthread_mutex_unlock(&eq->lock);
	return n;
}

static ssize_t eq_readerr(struct fid_eq *fid, struct fi_eq_err_entry *buf, uint64_t flags)
{
	(void)fid;
	(void)buf;
	(void)flags;
	return -FI_EAGAIN;
}

static ssize_t eq_write(struct fid_eq *fid, uint32_t event, const void *buf, size_t len, uint64_t flags)
{
	struct pfi_eq *eq = pfi_entry(fid, struct pfi_eq, fid);
	struct pfi_event *e = malloc(sizeof(*e) + len);
	uint64_t one = 1;

	(void)flags;
	if (!e)
		return -FI_ENOMEM;
	e->event = event;
	e->len = len;
	memcpy(e->data, buf, len);
	pthread_mutex_lock(&eq->lock);
	pfi_list_add_tail(&eq->events, &e->node);
	if (eq->fd >= 0 && write(eq->fd, &one, sizeof(one)) < 0)
		pfi_once(EQ, "an event could not be signalled\n");
	pthread_mutex_unlock(&eq->lock);
	return (ssize_t)len;
}

static ssize_t eq_sread(struct fid_eq *fid, uint32_t *event, void *buf, size_t len, int timeout, uint64_t flags)
{
	struct pfi_eq *eq = pfi_entry(fid, struct pfi_eq, fid);
	struct pollfd pfd = { .fd = eq->fd, .events = POLLIN };
	ssize_t n;

	if (eq->fd < 0)
		return -FI_ENOSYS;
	n = eq_read(fid, event, buf, len, flags);
	if (n != -FI_EAGAIN)
		return n;
	poll(&pfd, 1, timeout);
	return eq_read(fid, event, buf, len, flags);
}

static const char *eq_strerror(struct fid_eq *fid, int prov_errno, const void *err_data, char *buf, size_t len)
{
	(void)fid;
	(void)prov_errno;
	(void)err_data;
	if (buf && len)
		buf[0] = 0;
	return "";
}

static int eq_close(struct fid *fid)
{
	struct pfi_eq *eq = pfi_entry(fid, struct pfi_eq, fid.fid);
	struct pfi_event *e;

	while (!pfi_list_empty(&eq->events)) {
		e = pfi_entry(eq->events.next, struct pfi_event, node);
		pfi_list_del(&e->node);
		free(e);
	}
	if (eq->fd >= 0)
		close(eq->fd);
	pthread_mutex_destroy(&eq->lock);
	__atomic_sub_fetch(&eq->fabric->refs, 1, __ATOMIC_RELEASE);
	free(eq);
	return 0;
}

static int eq_control(struct fid *fid, int command, void *arg)
{
	struct pfi_eq *eq = pfi_entry(fid, struct pfi_eq, fid.fid);

	switch (command) {
	case FI_GETWAITOBJ:
		*(enum fi_wait_obj *)arg = eq->wait_obj;
		return 0;
	case FI_GETWAIT:
		if (eq->wait_obj != FI_WAIT_FD)
			return -FI_ENODATA;
		*(int *)arg = eq->fd;
		return 0;
	default:
		return -FI_ENOSYS;
	}
}

static struct fi_ops eq_fi_ops = {
	.size = sizeof(struct fi_ops),
	.close = eq_close,
	.bind = pfi_no_bind,
	.control = eq_control,
	.ops_open = pfi_no_ops_open,
};

static struct fi_ops_eq eq_ops = {
	.size = sizeof(struct fi_ops_eq),
	.read = eq_read,
	.readerr = eq_readerr,
	.write = eq_write,
	.sread = eq_sread,
	.strerror = eq_strerror,
};

int pfi_eq_open(struct fid_fabric *fabric, struct fi_eq_attr *attr, struct fid_eq **out, void *context)
{
	struct pfi_eq *eq;

	if (attr->wait_obj > FI_WAIT_FD || attr->wait_obj == FI_WAIT_SET)
		return -FI_ENOSYS;
	eq = calloc(1, sizeof(*eq));
	if (!eq)
		return -FI_ENOMEM;
	eq->wait_obj = attr->wait_obj;
	eq->fd = attr->wait_obj == FI_WAIT_NONE ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (eq->fd < 0 && attr->wait_obj != FI_WAIT_NONE) {
		free(eq);
		return -errno;
	}
	pthread_mutex_init(&eq->lock, NULL);
	pfi_list_init(&eq->events);
	eq->fabric = pfi_entry(fabric, struct pfi_fabric, fid);
	__atomic_add_fetch(&eq->fabric->refs, 1, __ATOMIC_RELAXED);
	eq->fid.fid.fclass = FI_CLASS_EQ;
	eq->fid.fid.context = context;
	eq->fid.fid.ops = &eq_fi_ops;
	eq->fid.ops = &eq_ops;
	*out = &eq->fid;
	return 0;
}

int pfi_trywait(struct fid_fabric *fabric, struct fid **fids, int count)
{
	struct pfi_cntr *cntr;
	struct pfi_eq *eq;
	struct pfi_cq *cq;
	bool busy;
	int i;

	(void)fabric;
	for (i = 0; i < count; i++) {
		switch (fids[i]->fclass) {
		case FI_CLASS_CQ:
			cq = pfi_entry(fids[i], struct pfi_cq, fid.fid);
			if (cq->watch.epoll < 0)
				return -FI_EINVAL;
			pfi_watch_progress(&cq->watch);
			/* Armed first: what another thread completes from here on is signalled. */
			busy = pfi_watch_arm(&cq->watch);
			pfi_lock(&cq->lock);
			busy |= cq->head != cq->tail;
			pfi_unlock(&cq->lock);
			if (busy)
				return -FI_EAGAIN;
			break;
		case FI_CLASS_CNTR:
			cntr = pfi_entry(fids[i], struct pfi_cntr, fid.fid);
			if (cntr->watch.epoll < 0)
				return -FI_EINVAL;
			pfi_watch_progress(&cntr->watch);
			if (pfi_watch_arm(&cntr->watch) || pfi_cntr_news(cntr))
				return -FI_EAGAIN;
			break;
		case FI_CLASS_EQ:
			eq = pfi_entry(fids[i], struct pfi_eq, fid.fid);
			pthread_mutex_lock(&eq->lock);
			busy = !pfi_list_empty(&eq->events);
			pthread_mutex_unlock(&eq->lock);
			if (busy)
				return -FI_EAGAIN;
			break;
		default:
			return -FI_EINVAL;
		}
	}
	return 0;
}
