// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Waiting for completions, and waking a card that sleeps.
 */
#include <time.h>
#include <unistd.h>

#include "internal.h"

#define PNIC_WAIT_SLICE_MS	250	/* a device that was reset is noticed after at most so long */

int64_t pnic_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void pnic_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static bool pnic_ready(const struct pnic_cq *cq)
{
	uint32_t ep_flags;

	return pnic__cqe_ready(cq, &ep_flags);
}

PNIC_EXPORT void pnic__wake(struct pnic_ctx *ctx, volatile uint32_t *wake)
{
	struct pnic_dev *dev = pnic_ctx_priv(ctx)->dev;

	dev->ops->wake(dev, wake);
}

/* A card that the caller drives: one turn of it. */
static void pnic_drive(const struct pnic_cq *cq)
{
	struct pnic_dev *dev = pnic_ctx_priv(cq->ctx)->dev;

	dev->ops->drive(dev, false);
}

static int pnic_poll_rest(struct pnic_cq *cq, struct pnic_wc *wc, int max, int n) __attribute__((noinline));

/*
 * pnic_poll() from its entry @n on, where something is not as it mostly is: a failure, an entry of no endpoint
 * (destroyed meanwhile, or the card is out of its mind), one that only gives back ring space, a receive that
 * isn't from a ring of the endpoint's own, or a card that has to be driven.
 */
PNIC_EXPORT int pnic__poll_slow(struct pnic_cq *cq, struct pnic_wc *wc, int max, int n)
{
	if (!n && cq->driven && !pnic_ready(cq)) {
		pnic_drive(cq);
		if (!pnic_ready(cq))
			return 0;
	}
	return pnic_poll_rest(cq, wc, max, n);
}

static int pnic_poll_rest(struct pnic_cq *cq, struct pnic_wc *wc, int max, int n)
{
	uint32_t ep_flags, nic_op, peer_status;
	struct pnic_ep *ep;

	while (n < max && pnic__cqe_ready(cq, &ep_flags)) {
		nic_op = PNIC__LE32(cq->next->nic_op);
		peer_status = PNIC__LE32(cq->next->peer_status);
		ep = cq->eps[ep_flags & PNIC_CQE_LOW24];
		if (ep) {
			pnic__cqe_copy(&wc[n], cq->next);
			wc[n].ep = ep;
			if ((int32_t)nic_op < 0 && ep->rq_slow) {
				pnic__recv_retired(ep);
			} else {
				if ((int32_t)nic_op >= 0 && peer_status >> PNIC_CQE_HIGH_SHIFT)
					pnic__sq_failed(cq, ep, &wc[n]);
				pnic__retire(ep, nic_op, peer_status);
			}
			n += !(ep_flags & PNIC_CQE_QUIET);
		}
		pnic__cqe_next(cq);
	}
	return n;
}

/* It has to go on without the caller. */
static void pnic_leave(const struct pnic_cq *cq)
{
	struct pnic_dev *dev = pnic_ctx_priv(cq->ctx)->dev;

	if (cq->driven)
		dev->ops->drive(dev, true);
}

PNIC_EXPORT int pnic_arm(struct pnic_cq *pub)
{
	struct pnic_cq_priv *cq = pnic_cq_priv(pub);
	uint64_t val;

	if (!pub)
		return pnic_fail(-EINVAL, "pnic_arm: NULL argument");
	val = PNIC_DB_CQ_ARM | pnic__cq_index(pub);
	/* The same value again would mean nothing to the card: it is armed for this index still. */
	if (val != cq->db_last) {
		cq->db_last = val;
		pnic__publish(pub->db, val);
		if (cq->page->wake && pnic__parked(&cq->page->db[PNIC_DB_SLOT_PARK]))
			pnic__wake(pub->ctx, cq->page->wake);
	}
	pnic_leave(pub);
	return pnic_ready(pub);
}

static bool pnic_spin(const struct pnic_cq_priv *cq, int64_t until)
{
	int i;

	do {
		for (i = 0; i < PNIC_SPIN_BATCH; i++) {
			if (pnic_ready(&cq->pub))
				return true;
			if (cq->pub.driven)
				pnic_drive(&cq->pub);
			else
				pnic_relax();
		}
	} while (pnic_now_us() < until);
	return false;
}

/*
 * How long the kernel may take to tell what becomes of a card whose epoch has changed. As a rule it does so at once;
 * of a card that the bus does not lead to it knows only later.
 */
#define PNIC_OVER_MS	100

int64_t pnic_spin_end(int64_t now, uint32_t spin_us, int64_t deadline)
{
	return deadline >= 0 && deadline - now < spin_us ? deadline : now + spin_us;
}

int pnic_slice_ms(int64_t deadline)
{
	int64_t left;

	if (deadline < 0)
		return PNIC_WAIT_SLICE_MS;
	left = deadline - pnic_now_us();
	if (left <= 0)
		return 0;
	left = (left + 999) / 1000;
	return left < PNIC_WAIT_SLICE_MS ? (int)left : PNIC_WAIT_SLICE_MS;
}

int pnic_over(struct pnic_ctx_priv *priv)
{
	if (priv->dev->ops->wait(priv->dev, -1, PNIC_OVER_MS) == -ENODEV)
		return pnic_fail(-ENODEV, "%s: the card is gone", priv->name);
	return pnic_fail(-EIO, "%s: the card was reset: close and open again", priv->name);
}

/* Armed, asleep, awake: one round. 0: a completion is there; -EAGAIN: another round; else an error. */
static int pnic_sleep(struct pnic_cq_priv *cq, int slice_ms)
{
	struct pnic_ctx_priv *priv = pnic_ctx_priv(cq->pub.ctx);
	uint64_t count;
	int ret;

	if (pnic_arm(&cq->pub))
		return 0;
	ret = priv->dev->ops->wait(priv->dev, cq->eventfd, slice_ms);
	if (ret == 1 && read(cq->eventfd, &count, sizeof(count)) < 0 && errno != EAGAIN && errno != EINTR)
		ret = -errno;
	if (pnic_ready(&cq->pub))
		return 0;
	if (pnic_ctx_dead(cq->pub.ctx))
		return pnic_over(priv);
	if (ret < 0)
		return pnic_fail(ret, "%s: can't wait: %s", priv->name, pnic_strerror(ret));
	return -EAGAIN;
}

PNIC_EXPORT int pnic_wait(struct pnic_cq *pub, int timeout_ms)
{
	struct pnic_cq_priv *cq = pnic_cq_priv(pub);
	int64_t now, deadline;
	int slice, ret;

	if (!pub)
		return pnic_fail(-EINVAL, "pnic_wait: NULL argument");
	if (cq->eventfd < 0)
		return pnic_fail(-EOPNOTSUPP, "pnic_wait: the queue was made with PNIC_CQ_EVENTS");
	if (pnic_ready(pub))
		return 0;
	now = pnic_now_us();
	deadline = timeout_ms < 0 ? -1 : now + (int64_t)timeout_ms * 1000;
	if (timeout_ms && cq->spin_us && pnic_spin(cq, pnic_spin_end(now, cq->spin_us, deadline)))
		return 0;
	while ((slice = pnic_slice_ms(deadline))) {
		ret = pnic_sleep(cq, slice);
		if (ret != -EAGAIN)
			return ret;
	}
	return pnic_fail(-ETIMEDOUT, "pnic_wait: no completion in %d ms", timeout_ms);
}
