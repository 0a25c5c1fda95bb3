// SPDX-License-Identifier: GPL-2.0
/*
 * Admin queue, the transport: commands go out, answers are matched with who waits.
 *
 * What the commands are is in pnic_cmd.c, the only caller of pnic_admin_exec().
 * Until EQ 0 exists whoever waits looks at the completion ring himself; later the
 * event calls pnic_admin_process(), and a waiter still looks once a second, so that a lost
 * interrupt costs a second and not the command.
 */
#include <linux/bitfield.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>

#include "pnic_csr.h"

#define PNIC_ADMIN_LOOK		HZ	/* how long an interrupt may be missing */

int pnic_admin_alloc(struct pnic_dev *pd)
{
	struct pnic_admin *a = &pd->admin;
	struct device *dev = &pd->pdev->dev;
	unsigned int i;

	spin_lock_init(&a->lock);
	init_waitqueue_head(&a->room);
	for (i = 0; i < PNIC_ADMIN_SLOTS; i++)
		init_completion(&a->slot[i].done);

	a->asq = dma_alloc_coherent(dev, PNIC_ADMIN_SLOTS * PNIC_ASQE_SIZE, &a->asq_dma,
				    GFP_KERNEL);
	if (!a->asq)
		return -ENOMEM;
	a->acq = dma_alloc_coherent(dev, PNIC_ADMIN_SLOTS * PNIC_ACQE_SIZE, &a->acq_dma,
				    GFP_KERNEL);
	return a->acq ? 0 : -ENOMEM;
}

void pnic_admin_free(struct pnic_dev *pd)
{
	struct pnic_admin *a = &pd->admin;
	struct device *dev = &pd->pdev->dev;

	if (a->acq)
		dma_free_coherent(dev, PNIC_ADMIN_SLOTS * PNIC_ACQE_SIZE, a->acq, a->acq_dma);
	if (a->asq)
		dma_free_coherent(dev, PNIC_ADMIN_SLOTS * PNIC_ASQE_SIZE, a->asq, a->asq_dma);
	a->acq = NULL;
	a->asq = NULL;
}

/* Hands fresh rings to a card that was reset; pnic_reset.c enables it then. */
void pnic_admin_start(struct pnic_dev *pd)
{
	struct pnic_admin *a = &pd->admin;
	unsigned int i;

	memset(a->asq, 0, PNIC_ADMIN_SLOTS * PNIC_ASQE_SIZE);
	memset(a->acq, 0, PNIC_ADMIN_SLOTS * PNIC_ACQE_SIZE);

	pnic_wr32(pd, PNIC_REG_ASQ_BASE_LO, lower_32_bits(a->asq_dma));
	pnic_wr32(pd, PNIC_REG_ASQ_BASE_HI, upper_32_bits(a->asq_dma));
	pnic_wr32(pd, PNIC_REG_ACQ_BASE_LO, lower_32_bits(a->acq_dma));
	pnic_wr32(pd, PNIC_REG_ACQ_BASE_HI, upper_32_bits(a->acq_dma));
	pnic_wr32(pd, PNIC_REG_ADMIN_SIZE,
		  FIELD_PREP(PNIC_ADMIN_SIZE_ASQ, PNIC_ADMIN_LOG) |
		  FIELD_PREP(PNIC_ADMIN_SIZE_ACQ, PNIC_ADMIN_LOG));

	spin_lock_irq(&a->lock);
	a->tail = 0;
	a->asq_head = 0;
	a->acq_head = 0;
	for (i = 0; i < PNIC_ADMIN_SLOTS; i++)
		a->slot[i].id.has_stale = false;
	a->polled = true;
	a->up = true;
	spin_unlock_irq(&a->lock);
}

/* EQ 0 exists: from now on completions are announced. */
void pnic_admin_interrupts(struct pnic_dev *pd)
{
	WRITE_ONCE(pd->admin.polled, false);
}

/* Commands under way end with -EIO, new ones are refused. Any context. */
void pnic_admin_stop(struct pnic_dev *pd)
{
	struct pnic_admin *a = &pd->admin;
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&a->lock, flags);
	a->up = false;
	for (i = 0; i < PNIC_ADMIN_SLOTS; i++)
		if (a->slot[i].id.busy)
			complete(&a->slot[i].done);
	spin_unlock_irqrestore(&a->lock, flags);
	wake_up_all(&a->room);
}

bool pnic_admin_up(struct pnic_dev *pd)
{
	return READ_ONCE(pd->admin.up);
}

static const char *pnic_admin_take(struct pnic_dev *pd, const struct pnic_acqe *cqe)
{
	struct pnic_admin *a = &pd->admin;
	u16 cid = le16_to_cpu(cqe->cid);
	struct pnic_admin_slot *slot = &a->slot[pnic_cid_index(cid)];
	u32 head = le32_to_cpu(cqe->asq_head);

	if (head - a->asq_head > a->tail - a->asq_head)
		return "ring index";
	if (cqe->status > PNIC_AS_INTERNAL)
		return "status";

	switch (pnic_cid_judge(&slot->id, cid)) {
	case PNIC_CID_UNKNOWN:
		return "command id";
	case PNIC_CID_LATE:
		a->late++;
		break;
	case PNIC_CID_OURS:
		if (cqe->opcode != slot->opcode)
			return "opcode";
		slot->cqe = *cqe;
		complete(&slot->done);
	}
	a->asq_head = head;
	return NULL;
}

/* Looks at the completion ring and wakes whose answers are there. Any context. */
void pnic_admin_process(struct pnic_dev *pd)
{
	struct pnic_admin *a = &pd->admin;
	const char *wrong = NULL;
	struct pnic_acqe cqe;
	unsigned long flags;
	u32 first;

	spin_lock_irqsave(&a->lock, flags);
	first = a->acq_head;
	while (a->up && !wrong) {
		struct pnic_acqe *entry = &a->acq[a->acq_head & (PNIC_ADMIN_SLOTS - 1)];
		u32 want = a->acq_head >> PNIC_ADMIN_LOG & 1 ? 0 : PNIC_PHASE;

		if ((le32_to_cpu(READ_ONCE(entry->phase)) & PNIC_PHASE) != want)
			break;
		dma_rmb();	/* the phase was written last */
		cqe = *entry;
		a->acq_head++;
		wrong = pnic_admin_take(pd, &cqe);
	}
	if (a->up && a->acq_head != first)
		pnic_wr32(pd, PNIC_REG_ACQ_HEAD, a->acq_head);
	spin_unlock_irqrestore(&a->lock, flags);

	if (wrong)
		pnic_nonsense(pd, "admin queue stopped: %s in completion %#x of opcode %#x: %u, %u",
			      wrong, le16_to_cpu(cqe.cid), cqe.opcode, cqe.status,
			      le32_to_cpu(cqe.asq_head));
	else if (a->acq_head != first)
		wake_up_all(&a->room);
}

/* Puts @cmd in the ring and gives its slot, or -EIO. NULL: there is no room yet. */
static struct pnic_admin_slot *pnic_admin_submit(struct pnic_dev *pd, void *cmd)
{
	struct pnic_admin_slot *slot = NULL;
	struct pnic_admin *a = &pd->admin;
	struct pnic_adm_hdr *hdr = cmd;
	unsigned int i;

	spin_lock_irq(&a->lock);
	if (!a->up) {
		slot = ERR_PTR(-EIO);
		goto unlock;
	}
	if (a->tail - a->asq_head >= PNIC_ADMIN_SLOTS)
		goto unlock;
	for (i = 0; i < PNIC_ADMIN_SLOTS && a->slot[i].id.busy; i++)
		;
	if (i == PNIC_ADMIN_SLOTS)
		goto unlock;

	slot = &a->slot[i];
	reinit_completion(&slot->done);
	hdr->cid = cpu_to_le16(pnic_cid_begin(&slot->id, i));
	slot->opcode = hdr->opcode;
	memcpy(a->asq + (a->tail & (PNIC_ADMIN_SLOTS - 1)) * PNIC_ASQE_SIZE, cmd, PNIC_ASQE_SIZE);
	a->tail++;
	/* Orders after the command, as every writel() does after coherent memory. */
	pnic_wr32(pd, PNIC_REG_ASQ_TAIL, a->tail);
unlock:
	spin_unlock_irq(&a->lock);
	return slot;
}

static void pnic_admin_wait_polled(struct pnic_dev *pd, struct pnic_admin_slot *slot,
				   unsigned long deadline)
{
	for (;;) {
		bool last = time_after(jiffies, deadline);

		pnic_admin_process(pd);
		if (last || completion_done(&slot->done))
			return;
		usleep_range(50, 200);
	}
}

static void pnic_admin_wait(struct pnic_dev *pd, struct pnic_admin_slot *slot,
			    unsigned long deadline)
{
	while (time_before(jiffies, deadline)) {
		unsigned long left = deadline - jiffies;

		if (wait_for_completion_timeout(&slot->done, min(left, PNIC_ADMIN_LOOK)))
			return;
		pnic_admin_process(pd);
		if (!try_wait_for_completion(&slot->done))
			continue;
		if (pnic_admin_up(pd)) {
			atomic_inc(&pd->stats.lost_irqs);
			dev_warn_ratelimited(&pd->pdev->dev,
					     "the card answered a command but no interrupt came\n");
		}
		return;
	}
}

/* The waiter leaves its slot, with the answer or without. */
static int pnic_admin_finish(struct pnic_dev *pd, struct pnic_admin_slot *slot,
			     struct pnic_acqe *answer)
{
	struct pnic_admin *a = &pd->admin;
	bool answered, up;

	spin_lock_irq(&a->lock);
	answered = slot->id.answered;
	up = a->up;
	if (answered)
		*answer = slot->cqe;
	else if (up)
		a->timeouts++;
	pnic_cid_end(&slot->id);
	spin_unlock_irq(&a->lock);
	wake_up_all(&a->room);

	if (answered)
		return 0;
	return up ? -ETIMEDOUT : -EIO;
}

/*
 * As pnic_admin_submit(), but waits for room: as long as the card completes what others have sent.
 * NULL: it has not, for as long as it may take for one command.
 */
static struct pnic_admin_slot *pnic_admin_queue(struct pnic_dev *pd, void *cmd)
{
	struct pnic_admin *a = &pd->admin;
	struct pnic_admin_slot *slot;
	u32 seen;

	do {
		seen = READ_ONCE(a->acq_head);
		wait_event_timeout(a->room, (slot = pnic_admin_submit(pd, cmd)),
				   msecs_to_jiffies(a->timeout_ms) + 1);
	} while (!slot && READ_ONCE(a->acq_head) != seen);
	return slot;
}

static int pnic_admin_try(struct pnic_dev *pd, void *cmd, struct pnic_acqe *answer)
{
	struct pnic_admin *a = &pd->admin;
	const struct pnic_adm_hdr *hdr = cmd;
	struct pnic_admin_slot *slot;
	unsigned long deadline;
	int err;

	slot = pnic_admin_queue(pd, cmd);
	if (!slot)
		return -ETIMEDOUT;
	if (IS_ERR(slot))
		return PTR_ERR(slot);

	/* The card's time begins with the command. */
	deadline = jiffies + msecs_to_jiffies(a->timeout_ms) + 1;
	if (READ_ONCE(a->polled))
		pnic_admin_wait_polled(pd, slot, deadline);
	else
		pnic_admin_wait(pd, slot, deadline);

	err = pnic_admin_finish(pd, slot, answer);
	if (err == -ETIMEDOUT)
		dev_warn_ratelimited(&pd->pdev->dev,
				     "no completion of command %#x (id %#x) in %u ms\n",
				     hdr->opcode, le16_to_cpu(hdr->cid), a->timeout_ms);
	return err;
}

int pnic_admin_exec(struct pnic_dev *pd, void *cmd, bool repeat, struct pnic_acqe *answer,
		    bool *repeated)
{
	int err;

	might_sleep();
	*repeated = false;
	err = pnic_admin_try(pd, cmd, answer);
	if (err == -ETIMEDOUT && repeat && !READ_ONCE(pd->admin.polled)) {
		*repeated = true;
		err = pnic_admin_try(pd, cmd, answer);
	}
	if (err == -ETIMEDOUT)
		pnic_reset_trigger(pd, PNIC_TROUBLE_ADMIN_TIMEOUT);
	return err;
}
