// SPDX-License-Identifier: GPL-2.0
/*
 * Bring-up, the one way down, the one reset path, and the watchdog that asks for it.
 *
 * pnic_up() and pnic_stop() + pnic_release() are each other's inverse. Probe, removal,
 * function-level reset, AER and power management (pnic_pci.c) use the same three as the
 * reset work here does:
 *
 *	pnic_stop()	mappings revoked, nobody in the driver uses the card, no DMA
 *	pnic_release()	contexts told, their memory and that of the queues given back
 *	pnic_revive()	pnic_up(), and the state that follows from it
 */
#include <linux/delay.h>

#include "pnic_counters.h"
#include "pnic_csr.h"
#include "pnic_lanes.h"
#include "pnic_nl.h"

#define PNIC_HEALTH_PERIOD	HZ
#define PNIC_HEARTBEAT_LIMIT	(3 * HZ)	/* the card counts ten in each second */
/* After a failed bring-up: the first pause, doubled each time up to the last. */
#define PNIC_RETRY_FIRST	(5 * HZ)
#define PNIC_RETRY_LAST		(40 * HZ)

static int pnic_status_wait(struct pnic_dev *pd, u32 mask, u32 want)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(pd->ready_ms) + 1;

	for (;;) {
		bool last = time_after(jiffies, deadline);
		u32 status = pnic_rd32(pd, PNIC_REG_STATUS);

		if (PCI_POSSIBLE_ERROR(status))
			return -ENODEV;
		if (status & PNIC_STATUS_FATAL && !(mask & PNIC_STATUS_RESETTING))
			return -EIO;
		if ((status & mask) == want)
			return 0;
		if (last)
			return -ETIMEDOUT;
		usleep_range(500, 1000);
	}
}

static int pnic_card_reset(struct pnic_dev *pd)
{
	pnic_wr32(pd, PNIC_REG_CTRL, PNIC_CTRL_RESET);
	return pnic_status_wait(pd, PNIC_STATUS_RESETTING, 0);
}

static int pnic_card_enable(struct pnic_dev *pd)
{
	int err;

	pnic_admin_start(pd);
	pnic_wr32(pd, PNIC_REG_CTRL, PNIC_CTRL_ENABLE);
	err = pnic_status_wait(pd, PNIC_STATUS_READY, PNIC_STATUS_READY);
	if (err)
		dev_err_probe(&pd->pdev->dev, err,
			      "the card does not become ready (status %#x, fatal code %u, info %u)\n",
			      pnic_rd32(pd, PNIC_REG_STATUS), pnic_rd32(pd, PNIC_REG_FATAL_CODE),
			      pnic_rd32(pd, PNIC_REG_FATAL_INFO));
	return err;
}

/* An error that the PCI core is mending: it will reset the slot and tell. */
static bool pnic_channel_lost(struct pnic_dev *pd)
{
	return pci_channel_offline(pd->pdev) && !pci_dev_is_disconnected(pd->pdev);
}

/*
 * The card works when this returns 0. Otherwise some of it is up: pnic_stop() and
 * pnic_release() take down whatever there is.
 */
int pnic_up(struct pnic_dev *pd)
{
	int err;

	pci_set_master(pd->pdev);
	err = pnic_caps_check_version(pd);
	if (err)
		return err;
	err = pnic_card_reset(pd);
	if (err)
		return dev_err_probe(&pd->pdev->dev, err, "the card does not come out of reset\n");
	pnic_counters_reset(pd);
	err = pnic_card_enable(pd);
	if (err)
		return err;
	err = pnic_caps_read(pd);
	if (err)
		return err;
	err = pnic_irq_alloc(pd);
	if (err)
		return err;
	err = pnic_eq_start(pd);
	if (err)
		return err;
	pnic_admin_interrupts(pd);
	err = pnic_lanes_start(pd);
	if (err)
		return dev_err_probe(&pd->pdev->dev, err, "lane manager\n");

	pd->heartbeat_at = jiffies;
	return 0;
}

/* Nobody in the driver uses the card when this returns, and it does no DMA. */
static void pnic_quiesce(struct pnic_dev *pd)
{
	pnic_admin_stop(pd);
	pnic_eq_silence(pd);
	cancel_delayed_work_sync(&pd->health_work);
	pnic_lanes_stop(pd);

	if (pnic_channel_lost(pd))
		return;
	/*
	 * The reset first: then its peers hear of it. Without bus mastering before that
	 * their transfers would end with errors of our memory. A card that
	 * we know nothing of is left as it is.
	 */
	if (pd->ready_ms)
		pnic_card_reset(pd);
	pci_clear_master(pd->pdev);
}

/*
 * From any state, also with a dead card. While the PCI channel is down the function is
 * left alone; the slot is going to be reset then, before pnic_release().
 */
void pnic_stop(struct pnic_dev *pd, enum pnic_state to)
{
	enum pnic_state was = pnic_state(pd);
	bool served = was == PNIC_STATE_READY;

	lockdep_assert_held(&pd->reset_lock);

	pnic_state_change(pd, to);
	/* Whoever waits for an answer leaves, so that the lock can be had. */
	pnic_admin_stop(pd);
	/* Whatever was wrong until now is being seen to. */
	if (to == PNIC_STATE_RESETTING)
		WRITE_ONCE(pd->last_why, READ_ONCE(pd->reset_why) ?: "PCI, or power management");
	WRITE_ONCE(pd->reset_why, NULL);
	down_write(&pd->reg_lock);
	if (served && to != PNIC_STATE_GONE)
		pnic_status_set_epoch(pd, ++pd->epoch);
	pnic_ctx_revoke_all(pd);
	up_write(&pd->reg_lock);
	if (was != to && was != PNIC_STATE_PROBING)
		pnic_nl_dev_ntf(pd);
	pnic_quiesce(pd);
}

void pnic_release(struct pnic_dev *pd)
{
	lockdep_assert_held(&pd->reset_lock);

	down_write(&pd->reg_lock);
	pnic_ctx_kill_all(pd);
	up_write(&pd->reg_lock);
	pnic_eq_free(pd);
	pnic_irq_free(pd);
}

/* The watchdog goes on by itself until pnic_stop(). */
void pnic_health_start(struct pnic_dev *pd)
{
	queue_delayed_work(pnic_wq, &pd->health_work, PNIC_HEALTH_PERIOD);
}

static void pnic_revive_failed(struct pnic_dev *pd, int err)
{
	pnic_quiesce(pd);
	pnic_state_change(pd, PNIC_STATE_FAILED);
	pnic_eq_free(pd);
	pnic_irq_free(pd);
	dev_err(&pd->pdev->dev, "bringing the card up failed: %pe, next attempt in %u s\n",
		ERR_PTR(err), pd->retry_pause / HZ);
	pd->retry_at = jiffies + pd->retry_pause;
	pd->retry_pause = min_t(unsigned int, 2 * pd->retry_pause, PNIC_RETRY_LAST);
	pnic_nl_dev_ntf(pd);
}

/* From PNIC_STATE_RESETTING to ready or failed. */
void pnic_revive(struct pnic_dev *pd)
{
	int err;

	lockdep_assert_held(&pd->reset_lock);

	atomic_inc(&pd->stats.resets);
	err = pnic_up(pd);
	if (err) {
		pnic_revive_failed(pd, err);
	} else {
		pd->retry_pause = PNIC_RETRY_FIRST;
		pnic_state_change(pd, PNIC_STATE_READY);
		dev_info(&pd->pdev->dev, "the card was reset and serves again, epoch %u\n",
			 pd->epoch);
		pnic_nl_dev_ntf(pd);
	}
	pnic_health_start(pd);
}

static void pnic_reset_work(struct work_struct *work)
{
	struct pnic_dev *pd = container_of(work, struct pnic_dev, reset_work);
	enum pnic_state state;

	mutex_lock(&pd->reset_lock);
	state = pnic_state(pd);
	if (state != PNIC_STATE_FAILED &&
	    (state != PNIC_STATE_READY || !READ_ONCE(pd->reset_why)))
		goto unlock;	/* somebody else was at it, or it is over */
	if (pnic_channel_lost(pd))
		goto unlock;

	if (READ_ONCE(pd->csr_gone)) {
		pnic_stop(pd, PNIC_STATE_GONE);
		pnic_release(pd);
		goto unlock;
	}
	pnic_stop(pd, PNIC_STATE_RESETTING);
	pnic_release(pd);
	pnic_revive(pd);
unlock:
	mutex_unlock(&pd->reset_lock);
}

/*
 * Something is wrong with the card: @why, a constant string. Any context. Commands under way
 * end at once; the rest is done by the work, if the device is in service. During bring-up
 * the commands that fail tell whoever is at it, and if it slips through there the
 * watchdog finds the admin queue stopped.
 */
void pnic_reset_trigger(struct pnic_dev *pd, const char *why)
{
	if (pnic_state(pd) == PNIC_STATE_READY) {
		if (!cmpxchg(&pd->reset_why, NULL, why))
			dev_err(&pd->pdev->dev, "resetting the card: %s\n", why);
		queue_work(pnic_wq, &pd->reset_work);
	}
	pnic_admin_stop(pd);
}

static const char *pnic_health_check(struct pnic_dev *pd)
{
	u32 status, heartbeat;

	if (!pnic_admin_up(pd))
		return "its admin queue was stopped";
	status = pnic_rd32(pd, PNIC_REG_STATUS);
	if (PCI_POSSIBLE_ERROR(status))
		return NULL;	/* the accessor has seen to it */
	if (status & PNIC_STATUS_FATAL) {
		dev_err(&pd->pdev->dev, "fatal code %u, info %u\n",
			pnic_rd32(pd, PNIC_REG_FATAL_CODE), pnic_rd32(pd, PNIC_REG_FATAL_INFO));
		return "it failed";
	}
	if (!(status & PNIC_STATUS_READY))
		return "it is not ready any more";

	heartbeat = pnic_rd32(pd, PNIC_REG_HEARTBEAT);
	if (heartbeat != pd->heartbeat) {
		pd->heartbeat = heartbeat;
		pd->heartbeat_at = jiffies;
	} else if (time_after(jiffies, pd->heartbeat_at + PNIC_HEARTBEAT_LIMIT)) {
		return "its heartbeat stopped";
	}
	return NULL;
}

static void pnic_health_work(struct work_struct *work)
{
	struct pnic_dev *pd = container_of(work, struct pnic_dev, health_work.work);
	const char *wrong = NULL;

	switch (pnic_state(pd)) {
	case PNIC_STATE_READY:
		wrong = pnic_health_check(pd);
		if (wrong)
			pnic_reset_trigger(pd, wrong);
		else
			pnic_eq_watch(pd);
		break;
	case PNIC_STATE_FAILED:
		if (time_after_eq(jiffies, pd->retry_at))
			queue_work(pnic_wq, &pd->reset_work);
		break;
	default:
		return;
	}
	queue_delayed_work(pnic_wq, &pd->health_work, PNIC_HEALTH_PERIOD);
}

void pnic_reset_init(struct pnic_dev *pd)
{
	mutex_init(&pd->reset_lock);
	init_rwsem(&pd->reg_lock);
	spin_lock_init(&pd->state_lock);
	init_waitqueue_head(&pd->state_wait);
	pd->retry_pause = PNIC_RETRY_FIRST;
	INIT_WORK(&pd->reset_work, pnic_reset_work);
	INIT_DELAYED_WORK(&pd->health_work, pnic_health_work);
}
