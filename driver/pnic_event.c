// SPDX-License-Identifier: GPL-2.0
/*
 * The event queue of an open file: what read() and poll() of /dev/pnicN give.
 *
 * Filled by completion queues and endpoints (in interrupts), by the lane manager through
 * pnic_event_broadcast(), and by the reset path. Completion queues coalesce: each is
 * in the list once, however often it fires. The other records go to a bounded ring that counts
 * what it loses; that the context or the device is gone is a flag and can't be lost.
 */
#include <linux/poll.h>
#include <linux/uaccess.h>

#include "pnic_object.h"

void pnic_evq_init(struct pnic_evq *evq)
{
	spin_lock_init(&evq->lock);
	INIT_LIST_HEAD(&evq->cqs);
	init_waitqueue_head(&evq->wait);
}

void pnic_evq_push(struct pnic_evq *evq, const struct pnic_event *ev)
{
	unsigned long flags;

	spin_lock_irqsave(&evq->lock, flags);
	pnic_evring_push(&evq->ring, ev);
	spin_unlock_irqrestore(&evq->lock, flags);
	wake_up_interruptible_poll(&evq->wait, EPOLLIN | EPOLLRDNORM);
}

void pnic_evq_cq(struct pnic_evq *evq, struct pnic_cq *cq)
{
	unsigned long flags;

	spin_lock_irqsave(&evq->lock, flags);
	if (list_empty(&cq->pending))
		list_add_tail(&cq->pending, &evq->cqs);
	spin_unlock_irqrestore(&evq->lock, flags);
	wake_up_interruptible_poll(&evq->wait, EPOLLIN | EPOLLRDNORM);
}

/* @cq is going to be freed. */
void pnic_evq_forget_cq(struct pnic_evq *evq, struct pnic_cq *cq)
{
	unsigned long flags;

	spin_lock_irqsave(&evq->lock, flags);
	list_del_init(&cq->pending);
	spin_unlock_irqrestore(&evq->lock, flags);
}

/* The context, if there was one, is dead; with @gone the device as well. */
void pnic_evq_end(struct pnic_evq *evq, bool gone, bool had_ctx, u32 epoch)
{
	unsigned long flags;

	if (!gone && !had_ctx)
		return;

	spin_lock_irqsave(&evq->lock, flags);
	if (gone) {
		evq->gone = !evq->hung;
		evq->hung = true;
	} else {
		evq->reset = true;
		evq->epoch = epoch;
	}
	evq->failed = true;
	spin_unlock_irqrestore(&evq->lock, flags);
	wake_up_poll(&evq->wait, EPOLLIN | EPOLLRDNORM | EPOLLERR | (gone ? EPOLLHUP : 0));
}

static bool pnic_evq_pending(const struct pnic_evq *evq)
{
	return !list_empty(&evq->cqs) || !pnic_evring_empty(&evq->ring) || evq->reset || evq->gone;
}

/* The next record to read; false if there is none. */
static bool pnic_evq_pop(struct pnic_evq *evq, struct pnic_event *ev)
{
	struct pnic_cq *cq;
	bool got = true;

	memset(ev, 0, sizeof(*ev));
	spin_lock_irq(&evq->lock);
	cq = list_first_entry_or_null(&evq->cqs, struct pnic_cq, pending);
	if (cq) {
		list_del_init(&cq->pending);
		ev->type = PNIC_EVT_CQ;
		ev->user_data = cq->user_data;
	} else if (pnic_evring_pop(&evq->ring, ev)) {
		/* filled in */
	} else if (evq->reset) {
		evq->reset = false;
		ev->type = PNIC_EVT_RESET;
		ev->data = evq->epoch;
	} else if (evq->gone) {
		evq->gone = false;
		ev->type = PNIC_EVT_GONE;
	} else {
		got = false;
	}
	spin_unlock_irq(&evq->lock);
	return got;
}

/* @ev could not be handed over: the reader learns that something is missing. */
static void pnic_evq_unpop(struct pnic_evq *evq, const struct pnic_event *ev)
{
	spin_lock_irq(&evq->lock);
	switch (ev->type) {
	case PNIC_EVT_RESET:
		evq->reset = true;
		break;
	case PNIC_EVT_GONE:
		evq->gone = true;
		break;
	case PNIC_EVT_OVERRUN:
		evq->ring.lost += ev->data;
		break;
	default:
		evq->ring.lost++;
	}
	spin_unlock_irq(&evq->lock);
}

/* There is something to read, or there never will be again. */
static bool pnic_evq_ready(struct pnic_evq *evq)
{
	bool ready;

	spin_lock_irq(&evq->lock);
	ready = pnic_evq_pending(evq) || evq->failed;
	spin_unlock_irq(&evq->lock);
	return ready;
}

/* 0: look again. The last record and the reason may have come after the reader's look. */
static int pnic_evq_wait(struct pnic_evq *evq, bool nonblock)
{
	bool pending;
	int err = 0;

	spin_lock_irq(&evq->lock);
	pending = pnic_evq_pending(evq);
	if (evq->hung)
		err = -ENODEV;
	else if (evq->failed)
		err = -EIO;
	spin_unlock_irq(&evq->lock);
	if (pending)
		return 0;
	if (err)
		return err;
	if (nonblock)
		return -EAGAIN;
	return wait_event_interruptible(evq->wait, pnic_evq_ready(evq));
}

ssize_t pnic_evq_read(struct pnic_evq *evq, char __user *buf, size_t len, bool nonblock)
{
	struct pnic_event ev;
	size_t done = 0;
	int err;

	if (len < sizeof(ev))
		return -EINVAL;

	for (;;) {
		while (len - done >= sizeof(ev) && pnic_evq_pop(evq, &ev)) {
			if (copy_to_user(buf + done, &ev, sizeof(ev))) {
				pnic_evq_unpop(evq, &ev);
				return done ? done : -EFAULT;
			}
			done += sizeof(ev);
		}
		if (done)
			return done;
		err = pnic_evq_wait(evq, nonblock);
		if (err)
			return err;
	}
}

__poll_t pnic_evq_poll(struct pnic_evq *evq, struct file *file, poll_table *wait)
{
	__poll_t mask = 0;

	poll_wait(file, &evq->wait, wait);
	spin_lock_irq(&evq->lock);
	if (pnic_evq_pending(evq))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (evq->failed)
		mask |= EPOLLERR;
	if (evq->hung)
		mask |= EPOLLHUP;
	spin_unlock_irq(&evq->lock);
	return mask;
}

void pnic_event_broadcast(struct pnic_dev *pd, u32 type, u32 code, u64 data)
{
	struct pnic_event ev = { .type = type, .code = code, .data = data };
	struct pnic_file *pf;
	unsigned long flags;

	spin_lock_irqsave(&pd->files_lock, flags);
	list_for_each_entry(pf, &pd->files, node)
		pnic_evq_push(&pf->evq, &ev);
	spin_unlock_irqrestore(&pd->files_lock, flags);
}
