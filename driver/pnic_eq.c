// SPDX-License-Identifier: GPL-2.0
/*
 * Event queues: what the card has to tell, judged and passed on.
 *
 * EQ 0 is the driver's own: admin completions, link, lanes, fatal errors. The
 * completion queues of users are spread over the others. Called by pnic_irq.c, by the
 * watchdog (for interrupts that were lost) and by the reset path.
 */
#include <linux/dma-mapping.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "pnic_csr.h"
#include "pnic_lanes.h"
#include "pnic_object.h"

/*
 * Each lane can have an event of each cause in EQ 0 at the same time as a storm of everything else.
 * A card that allows less than two is refused: lanes that go and come would be fatal to it.
 */
#define PNIC_EQ0_LOG		11
#define PNIC_EQ0_PER_LANE	4
#define PNIC_EQ0_PER_LANE_MIN	2
#define PNIC_EQ_LOG		10
/* How long an interrupt may be on its way. */
#define PNIC_EQ_LOOK		(HZ * 9 / 10)

/*
 * The card wrote something that it never may. What else it wrote can't be trusted
 * then, so the caller stops reading the queue and the card is reset.
 */
void pnic_nonsense(struct pnic_dev *pd, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	atomic_inc(&pd->stats.nonsense);
	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	dev_err_ratelimited(&pd->pdev->dev, "nonsense from the card: %pV\n", &vaf);
	va_end(args);
	pnic_reset_trigger(pd, PNIC_TROUBLE_NONSENSE);
}

/* A test ends only on a card that makes them, and finds no more wrong bits than it looks at. */
static bool pnic_eq_lane_valid(const struct pnic_caps *caps, const struct pnic_eqe *e)
{
	u16 code = le16_to_cpu(e->code);

	if (le32_to_cpu(e->id) >= (u32)caps->lanes_data + caps->lanes_spare)
		return false;
	if (code == PNIC_LANE_CAUSE_TESTED)
		return caps->caps & PNIC_CAP_LO_LANE_TEST &&
		       le64_to_cpu(e->data[0]) <= le64_to_cpu(e->data[1]);
	return code >= PNIC_LANE_CAUSE_LOS && code <= PNIC_LANE_CAUSE_SER;
}

static bool pnic_eq_is_eq0(u8 type)
{
	return type != PNIC_EV_CQ && type != PNIC_EV_CQ_ERROR && type != PNIC_EV_EP_ERROR &&
	       type != PNIC_EV_CTR;
}

/* Is @e an event that the card may send? */
static bool pnic_eq_valid(const struct pnic_eq *eq, const struct pnic_eqe *e)
{
	const struct pnic_caps *caps = &eq->pd->caps;
	u16 code = le16_to_cpu(e->code);
	u32 id = le32_to_cpu(e->id);

	if (pnic_eq_is_eq0(e->type) && eq->eqn)
		return false;

	switch (e->type) {
	case PNIC_EV_ADMIN:
	case PNIC_EV_MGMT:
		return !id && !code;
	case PNIC_EV_CQ:
		return id < caps->max_cq;
	case PNIC_EV_CQ_ERROR:
		return id < caps->max_cq && code && code <= PNIC_ST_FATAL;
	case PNIC_EV_CTR:
		return id < caps->max_ctr && !code;
	case PNIC_EV_EP_ERROR:
		return id < caps->max_ep && code && code <= PNIC_ST_REMOTE_MOVED;
	case PNIC_EV_LINK:
		return code <= PNIC_LINK_DISABLED;
	case PNIC_EV_LANE:
		return pnic_eq_lane_valid(caps, e);
	case PNIC_EV_MAP:
		/* By a standby plan only where there are such. */
		return code <= PNIC_DIR_TX && (!e->data[1] || caps->caps & PNIC_CAP_LO_STANDBY);
	case PNIC_EV_FATAL:
		return true;
	default:
		return false;
	}
}

static void pnic_eq_dispatch(struct pnic_eq *eq, const struct pnic_eqe *e)
{
	struct pnic_dev *pd = eq->pd;
	u16 code = le16_to_cpu(e->code);
	u32 id = le32_to_cpu(e->id);

	switch (e->type) {
	case PNIC_EV_ADMIN:
		pnic_admin_process(pd);
		break;
	case PNIC_EV_CQ:
		pnic_cq_event(pd, id);
		break;
	case PNIC_EV_CQ_ERROR:
		pnic_cq_error(pd, id, code);
		break;
	case PNIC_EV_EP_ERROR:
		pnic_ep_error(pd, id, code);
		break;
	case PNIC_EV_CTR:
		pnic_ctr_event(pd, id);
		break;
	case PNIC_EV_FATAL:
		dev_err_ratelimited(&pd->pdev->dev, "fatal event %u, info %u\n", code, id);
		pnic_reset_trigger(pd, PNIC_TROUBLE_FATAL);
		break;
	default:
		/* Pairs with the lane manager's publishing itself. */
		if (smp_load_acquire(&pd->lanes))
			pnic_lanes_event(pd, e);
	}
}

/* The card has written entry @i. */
static bool pnic_eq_written(const struct pnic_eq *eq, u32 i)
{
	u32 want = i >> eq->log_size & 1 ? 0 : PNIC_PHASE;

	return (le32_to_cpu(READ_ONCE(eq->ring[i & eq->mask].phase)) & PNIC_PHASE) == want;
}

/*
 * Entries are written in order: where a later one is there and the next one isn't it will never
 * come, and all that follow would never be seen. Looked for only after an interrupt for nothing.
 */
static bool pnic_eq_hole(const struct pnic_eq *eq)
{
	u32 i;

	for (i = 1; i <= eq->mask; i++)
		if (pnic_eq_written(eq, eq->head + i))
			break;
	if (i > eq->mask)
		return false;
	dma_rmb();
	return !pnic_eq_written(eq, eq->head);
}

/* Takes up to @budget events, then arms the queue. How many it took. */
unsigned int pnic_eq_process(struct pnic_eq *eq, unsigned int budget)
{
	unsigned int done = 0;
	unsigned long flags;

	spin_lock_irqsave(&eq->lock, flags);
	while (done < budget && !eq->stopped) {
		struct pnic_eqe e;

		if (!pnic_eq_written(eq, eq->head))
			break;
		dma_rmb();	/* the phase was written last */
		e = eq->ring[eq->head & eq->mask];
		eq->head++;
		done++;
		if (pnic_eq_valid(eq, &e)) {
			pnic_eq_dispatch(eq, &e);
			continue;
		}
		eq->stopped = true;
		pnic_nonsense(eq->pd, "event queue %u stopped: type %u, code %u, id %#x",
			      eq->eqn, e.type, le16_to_cpu(e.code), le32_to_cpu(e.id));
	}
	if (!done && !eq->stopped && pnic_eq_hole(eq)) {
		eq->stopped = true;
		pnic_nonsense(eq->pd, "event queue %u stopped: entry %u was left out", eq->eqn,
			      eq->head);
	}
	if (!eq->stopped)
		pnic_wr32(eq->pd, PNIC_REG_EQ_ARM(eq->eqn), eq->head);
	spin_unlock_irqrestore(&eq->lock, flags);
	return done;
}

/* Everything that the card has written by now is delivered when this returns. */
void pnic_eq_drain(struct pnic_eq *eq)
{
	pnic_eq_process(eq, eq->mask + 1);
}

/*
 * By the watchdog, at times that are nobody's: an event that has been there for a while has lost
 * its interrupt.
 */
void pnic_eq_watch(struct pnic_dev *pd)
{
	unsigned int i;

	for (i = 0; i < pd->num_eqs; i++) {
		struct pnic_eq *eq = &pd->eqs[i];
		unsigned long flags;
		bool waiting, stuck;

		spin_lock_irqsave(&eq->lock, flags);
		waiting = !eq->stopped && pnic_eq_written(eq, eq->head);
		if (!waiting || !eq->was_waiting || eq->last_head != eq->head)
			eq->seen_at = jiffies;
		stuck = waiting && time_after_eq(jiffies, eq->seen_at + PNIC_EQ_LOOK);
		eq->was_waiting = waiting;
		eq->last_head = eq->head;
		spin_unlock_irqrestore(&eq->lock, flags);

		if (!stuck)
			continue;
		atomic_inc(&pd->stats.lost_irqs);
		dev_warn_ratelimited(&pd->pdev->dev,
				     "event queue %u has entries but no interrupt came\n", i);
		pnic_eq_process(eq, eq->mask + 1);
	}
}

static u32 pnic_eq_lanes(const struct pnic_dev *pd)
{
	return (u32)pd->caps.lanes_data + pd->caps.lanes_spare;
}

static u8 pnic_eq0_log(const struct pnic_dev *pd)
{
	u8 log = ilog2(roundup_pow_of_two(PNIC_EQ0_PER_LANE * pnic_eq_lanes(pd)));

	return log < PNIC_EQ0_LOG ? PNIC_EQ0_LOG : log;
}

static int pnic_eq_alloc(struct pnic_dev *pd, struct pnic_eq *eq, u16 eqn)
{
	u8 log = eqn ? PNIC_EQ_LOG : pnic_eq0_log(pd);

	spin_lock_init(&eq->lock);
	eq->pd = pd;
	eq->eqn = eqn;
	eq->log_size = min(log, pd->caps.max_log_eq);
	eq->mask = (1U << eq->log_size) - 1;
	eq->size = PAGE_ALIGN((size_t)PNIC_EQE_SIZE << eq->log_size);
	eq->ring = dma_alloc_coherent(&pd->pdev->dev, eq->size, &eq->dma, GFP_KERNEL);
	return eq->ring ? 0 : -ENOMEM;
}

/* The interrupt first: the card raises it as soon as it has the queue. */
static int pnic_eq_create(struct pnic_dev *pd, struct pnic_eq *eq, u16 eqn)
{
	int err;

	err = pnic_eq_alloc(pd, eq, eqn);
	if (err)
		return err;
	err = pnic_irq_request(eq);
	if (err)
		return err;
	return pnic_cmd_create_eq(pd, eq);
}

/* On failure the caller takes down what there is, by pnic_eq_silence() and pnic_eq_free(). */
int pnic_eq_start(struct pnic_dev *pd)
{
	int i, err;

	if (PNIC_EQ0_PER_LANE_MIN * pnic_eq_lanes(pd) > 1U << pd->caps.max_log_eq) {
		dev_err(&pd->pdev->dev, "event queues of 2^%u entries are too small for %u lanes\n",
			pd->caps.max_log_eq, pnic_eq_lanes(pd));
		return -ENODEV;
	}
	pd->eqs = kcalloc(pd->num_vecs, sizeof(*pd->eqs), GFP_KERNEL);
	if (!pd->eqs)
		return -ENOMEM;
	for (i = 0; i < pd->num_vecs; i++) {
		pd->num_eqs++;
		err = pnic_eq_create(pd, &pd->eqs[i], i);
		if (err) {
			dev_err(&pd->pdev->dev, "event queue %d: %pe\n", i, ERR_PTR(err));
			return err;
		}
	}
	return 0;
}

/* No event is handled any more when this returns. */
void pnic_eq_silence(struct pnic_dev *pd)
{
	unsigned int i;

	for (i = 0; i < pd->num_eqs; i++)
		pnic_irq_release(&pd->eqs[i]);
}

/* The card must not write into the rings any more. */
void pnic_eq_free(struct pnic_dev *pd)
{
	unsigned int i;

	for (i = 0; i < pd->num_eqs; i++) {
		struct pnic_eq *eq = &pd->eqs[i];

		if (eq->ring)
			dma_free_coherent(&pd->pdev->dev, eq->size, eq->ring, eq->dma);
	}
	kfree(pd->eqs);
	pd->eqs = NULL;
	pd->num_eqs = 0;
}

/* The queue with the fewest users; EQ 0 only when there is no other. Below pf->lock. */
struct pnic_eq *pnic_eq_for_cq(struct pnic_dev *pd)
{
	struct pnic_eq *best = &pd->eqs[pd->num_eqs > 1];
	unsigned int i;

	for (i = 2; i < pd->num_eqs; i++)
		if (atomic_read(&pd->eqs[i].users) < atomic_read(&best->users))
			best = &pd->eqs[i];
	atomic_inc(&best->users);
	return best;
}
