// SPDX-License-Identifier: GPL-2.0
/*
 * Bring-up, the one way down, the one reset path, and the watchdog that asks for it.
 *
 * pnic_up() and pnic_stop() + pnic_release() are each other's inverse. Probe and removal
 * (pnic_pci.c), resets and errors of the PCI core (pnic_aer.c), power management (pnic_pm.c) and
 * devlink (pnic_health.c, pnic_devlink.c) use the same ones as the reset work here does:
 *
 *	pnic_stop()	mappings revoked, nobody in the driver uses the card, no DMA
 *	pnic_release()	contexts told, their memory and that of the queues given back
 *	pnic_revive()	pnic_up(), and the state that follows from it
 *
 * pnic_down() is the first two, pnic_recover() all of them. Documentation/pci-life.rst has the
 * whole picture.
 */
#include <linux/delay.h>
#include <linux/slab.h>

#include "pnic_counters.h"
#include "pnic_csr.h"
#include "pnic_lanes.h"
#include "pnic_nl.h"

#define PNIC_HEALTH_PERIOD	HZ
#define PNIC_HEARTBEAT_LIMIT	(3 * HZ)	/* the card counts ten in each second */
/* After a failed bring-up: the first pause, doubled each time up to the last. */
#define PNIC_RETRY_FIRST	(5 * HZ)
#define PNIC_RETRY_LAST		(40 * HZ)
/* A card that nobody sees for so long, with nobody mending the bus, is gone. */
#define PNIC_LOST_LIMIT		(3 * HZ)
/*
 * Longer than the PCI core takes to mend a bus. If it gives up, for the sake of a neighbour
 * perhaps, it tells no driver and leaves the channel frozen.
 */
#define PNIC_FROZEN_LIMIT	(120 * HZ)

static const char *const pnic_troubles[PNIC_TROUBLES] = {
	[PNIC_TROUBLE_ALL_ONES]		= "its registers read all ones",
	[PNIC_TROUBLE_FATAL]		= "it reports a fatal error",
	[PNIC_TROUBLE_NOT_READY]	= "it is not ready any more",
	[PNIC_TROUBLE_HEARTBEAT]	= "its heartbeat stopped",
	[PNIC_TROUBLE_NONSENSE]		= "it wrote nonsense",
	[PNIC_TROUBLE_ADMIN_TIMEOUT]	= "it does not answer commands",
	[PNIC_TROUBLE_ADMIN_STOPPED]	= "its admin queue was stopped",
	[PNIC_TROUBLE_TEST_FW]		= "a test of fw_fatal",
	[PNIC_TROUBLE_TEST_ADMIN]	= "a test of admin",
};

const char *pnic_trouble_text(enum pnic_trouble trouble)
{
	return pnic_troubles[trouble];
}

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

/* Its registers may be read. With pd->reset_lock: it stays so, as far as it depends on us. */
bool pnic_reachable(struct pnic_dev *pd)
{
	enum pnic_state state = pnic_state(pd);

	return (state == PNIC_STATE_READY || state == PNIC_STATE_FAILED) &&
	       !READ_ONCE(pd->csr_gone) && !pnic_channel_lost(pd);
}

/* The function decodes its addresses: what PCI set up in it is there. */
static bool pnic_config_there(struct pnic_dev *pd)
{
	u16 command;

	pci_read_config_word(pd->pdev, PCI_COMMAND, &command);
	return !PCI_POSSIBLE_ERROR(command) && command & PCI_COMMAND_MEMORY;
}

/* What is put back after the function was away, or its slot was reset. */
static void pnic_config_save(struct pnic_dev *pd)
{
	struct pci_saved_state *config;

	pci_save_state(pd->pdev);
	config = pci_store_saved_state(pd->pdev);
	if (!config)
		return;		/* no memory: the last one is as good, or the core's has to do */
	kfree(pd->config);
	pd->config = config;
}

/* From our own copy: restoring uses the core's up, and that may be of a time of all ones. */
void pnic_config_restore(struct pnic_dev *pd)
{
	if (pd->config)
		pci_load_saved_state(pd->pdev, pd->config);
	pci_restore_state(pd->pdev);
	if (pd->config)
		pci_load_saved_state(pd->pdev, pd->config);
}

void pnic_config_free(struct pnic_dev *pd)
{
	kfree(pd->config);
	pd->config = NULL;
}

/*
 * The card works when this returns 0. Otherwise some of it is up: pnic_stop() and
 * pnic_release() take down whatever there is.
 */
int pnic_up(struct pnic_dev *pd)
{
	int err;

	err = pnic_caps_check_version(pd);
	if (err)
		return err;
	/* Not before the card is there, nor with bus mastering: when it comes back, no DMA. */
	if (!pnic_config_there(pd))
		return -ENODEV;
	pnic_config_save(pd);
	err = pnic_card_reset(pd);
	if (err)
		return dev_err_probe(&pd->pdev->dev, err, "the card does not come out of reset\n");
	/* Not before: what it was told of in its former life may be somebody else's memory now. */
	pci_set_master(pd->pdev);
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

/*
 * No DMA from here on. The reset first: then its peers hear of it. Without bus mastering before
 * that their transfers would end with errors of our memory. A card that we know
 * nothing of is left as it is.
 */
void pnic_silence(struct pnic_dev *pd)
{
	if (pd->ready_ms)
		pnic_card_reset(pd);
	pci_clear_master(pd->pdev);
}

/*
 * Nobody in the driver uses the card when this returns, and it does no DMA. While the PCI channel
 * is down only that is seen to; in PNIC_STATE_LOST the memory stays, and the slot's reset will do
 * it.
 */
static void pnic_quiesce(struct pnic_dev *pd, enum pnic_state to)
{
	pnic_admin_stop(pd);
	pnic_eq_silence(pd);
	cancel_delayed_work_sync(&pd->health_work);
	pnic_lanes_stop(pd);

	if (!pnic_channel_lost(pd))
		pnic_silence(pd);
	else if (to != PNIC_STATE_LOST)
		pci_clear_master(pd->pdev);
}

static void pnic_note_why(struct pnic_dev *pd, const char *why)
{
	if (why)
		WRITE_ONCE(pd->last_why, why);
	/* Whatever was wrong until now is being seen to. */
	WRITE_ONCE(pd->trouble, PNIC_TROUBLE_NONE);
}

/*
 * From any state that @to may follow, also with a dead card; false, and nothing done, from others.
 * @why: a constant string, NULL: as the last time.
 */
bool pnic_stop(struct pnic_dev *pd, enum pnic_state to, const char *why)
{
	enum pnic_state was = pnic_state(pd);

	lockdep_assert_held(&pd->reset_lock);

	if (!pnic_state_change(pd, to))
		return false;
	/* Whoever waits for an answer leaves, so that the lock can be had. */
	pnic_admin_stop(pd);
	pnic_note_why(pd, why);
	down_write(&pd->reg_lock);
	if (was == PNIC_STATE_READY)
		pnic_status_set_epoch(pd, ++pd->epoch);
	pnic_ctx_revoke_all(pd);
	up_write(&pd->reg_lock);
	if (was != PNIC_STATE_PROBING)
		pnic_nl_dev_ntf(pd);
	pnic_quiesce(pd, to);
	/* The lane manager has said its last by now. */
	if (to == PNIC_STATE_GONE)
		pnic_status_no_link(pd);
	return true;
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

bool pnic_down(struct pnic_dev *pd, enum pnic_state to, const char *why)
{
	if (!pnic_stop(pd, to, why))
		return false;
	pnic_release(pd);
	return true;
}

/* The watchdog goes on by itself until pnic_stop(). */
void pnic_health_start(struct pnic_dev *pd)
{
	queue_delayed_work(pnic_wq, &pd->health_work, PNIC_HEALTH_PERIOD);
}

/* The watchdog looks now. */
void pnic_health_kick(struct pnic_dev *pd)
{
	mod_delayed_work(pnic_wq, &pd->health_work, 0);
}

/* The bus does not lead to the card: pnic_lost_check() will say what follows. */
void pnic_lose(struct pnic_dev *pd, const char *why)
{
	if (!pnic_stop(pd, PNIC_STATE_LOST, why))
		return;
	pd->lost_at = jiffies;
	pnic_health_start(pd);
}

static void pnic_revive_failed(struct pnic_dev *pd, int err)
{
	pnic_quiesce(pd, PNIC_STATE_FAILED);
	pnic_state_change(pd, PNIC_STATE_FAILED);
	pnic_eq_free(pd);
	pnic_irq_free(pd);
	dev_err(&pd->pdev->dev, "bringing the card up failed: %pe, next attempt in %u s\n",
		ERR_PTR(err), pd->retry_pause / HZ);
	pd->retry_at = jiffies + pd->retry_pause;
	pd->retry_pause = min_t(unsigned int, 2 * pd->retry_pause, PNIC_RETRY_LAST);
	pnic_nl_dev_ntf(pd);
	/* Has devlink told. */
	queue_work(pnic_wq, &pd->reset_work);
}

/* From PNIC_STATE_RESETTING to ready or failed. */
void pnic_revive(struct pnic_dev *pd)
{
	int err;

	lockdep_assert_held(&pd->reset_lock);

	atomic_inc(&pd->stats.resets);
	pd->held = false;
	err = pnic_up(pd);
	if (err) {
		pnic_revive_failed(pd, err);
	} else {
		pd->retry_pause = PNIC_RETRY_FIRST;
		/* Of somebody who looked at the state just before the card was taken down. */
		WRITE_ONCE(pd->trouble, PNIC_TROUBLE_NONE);
		pnic_state_change(pd, PNIC_STATE_READY);
		dev_info(&pd->pdev->dev, "the card was reset and serves again, epoch %u\n",
			 pd->epoch);
		pnic_nl_dev_ntf(pd);
		/* Has devlink told. */
		queue_work(pnic_wq, &pd->reset_work);
	}
	pnic_health_start(pd);
}

/* Down and up again. False, and nothing done, if the device is in no state for that. */
bool pnic_recover(struct pnic_dev *pd, const char *why)
{
	if (!pnic_down(pd, PNIC_STATE_RESETTING, why))
		return false;
	/* It was away for so short a time that nobody saw it go. */
	if (!pnic_config_there(pd) && pci_device_is_present(pd->pdev)) {
		dev_warn(&pd->pdev->dev, "the function has lost its set-up, which is restored\n");
		pnic_config_restore(pd);
	}
	pnic_revive(pd);
	return true;
}

/* Down, and up again when an administrator says so. */
static void pnic_hold(struct pnic_dev *pd, const char *why)
{
	if (!pnic_down(pd, PNIC_STATE_RESETTING, why))
		return;
	pd->held = true;
	pnic_state_change(pd, PNIC_STATE_FAILED);
	dev_err(&pd->pdev->dev, "the card is down until devlink recovers it\n");
	pnic_nl_dev_ntf(pd);
}

/* After sleep or an error of the bus: up, unless an administrator wants to do that himself. */
void pnic_come_back(struct pnic_dev *pd)
{
	if (pd->held)
		pnic_hold(pd, NULL);
	else
		pnic_recover(pd, NULL);
}

/* The card was away, or seemed so: what PCI set up in it may be lost. */
static void pnic_lost_and_found(struct pnic_dev *pd)
{
	pnic_config_restore(pd);
	pnic_csr_revive(pd);
	pnic_come_back(pd);
}

static void pnic_lost_check(struct pnic_dev *pd)
{
	if (pnic_channel_lost(pd)) {
		/* The PCI core will call. */
		if (time_before(jiffies, pd->lost_at + PNIC_FROZEN_LIMIT))
			return;
		dev_err(&pd->pdev->dev, "nobody mends the bus, the card is given up\n");
		pnic_down(pd, PNIC_STATE_GONE, NULL);
	} else if (pci_device_is_present(pd->pdev)) {
		pnic_lost_and_found(pd);
	} else if (pci_dev_is_disconnected(pd->pdev) ||
		   time_after(jiffies, pd->lost_at + PNIC_LOST_LIMIT)) {
		dev_err(&pd->pdev->dev, "the card is gone\n");
		pnic_down(pd, PNIC_STATE_GONE, NULL);
	}
}

static bool pnic_retry_due(const struct pnic_dev *pd)
{
	return !pd->held && time_after_eq(jiffies, pd->retry_at);
}

/* @hold: an administrator wants to bring the card up himself. With pd->reset_lock. */
void pnic_reset_now(struct pnic_dev *pd, bool hold)
{
	const char *why = pnic_trouble_text(READ_ONCE(pd->trouble));
	enum pnic_state state = pnic_state(pd);

	if (state == PNIC_STATE_LOST)
		pnic_lost_check(pd);
	if (!(state == PNIC_STATE_READY && why) &&
	    !(state == PNIC_STATE_FAILED && pnic_retry_due(pd)))
		return;		/* somebody else was at it, or it is over */
	if (pnic_channel_lost(pd))
		return;
	if (READ_ONCE(pd->csr_gone))
		pnic_lose(pd, why);
	else if (hold)
		pnic_hold(pd, why);
	else
		pnic_recover(pd, why);
}

static void pnic_reset_work(struct work_struct *work)
{
	struct pnic_dev *pd = container_of(work, struct pnic_dev, reset_work);
	enum pnic_trouble trouble = READ_ONCE(pd->trouble);
	bool hold = false;

	/* devlink keeps what is to be seen now, and as a rule has pnic_reset_now() called. */
	if (pnic_state(pd) == PNIC_STATE_READY && trouble)
		hold = pnic_health_report(pd, trouble);
	else if (pnic_state(pd) == PNIC_STATE_READY)
		pnic_health_served(pd);
	else if (pnic_state(pd) == PNIC_STATE_FAILED)
		pnic_health_failed(pd);
	mutex_lock(&pd->reset_lock);
	pnic_reset_now(pd, hold);
	mutex_unlock(&pd->reset_lock);
}

/*
 * Something is wrong with the card. Any context. Commands under way end at once; the rest is done
 * by the work, if the device is in service. During bring-up the commands that fail tell
 * whoever is at it, and if it slips through there the watchdog finds the admin queue stopped.
 */
void pnic_reset_trigger(struct pnic_dev *pd, enum pnic_trouble trouble)
{
	if (pnic_state(pd) == PNIC_STATE_READY) {
		if (!cmpxchg(&pd->trouble, PNIC_TROUBLE_NONE, trouble))
			dev_err(&pd->pdev->dev, "resetting the card: %s\n",
				pnic_trouble_text(trouble));
		queue_work(pnic_wq, &pd->reset_work);
	}
	pnic_admin_stop(pd);
}

static enum pnic_trouble pnic_health_check(struct pnic_dev *pd)
{
	u32 status, heartbeat;

	if (!pnic_admin_up(pd))
		return PNIC_TROUBLE_ADMIN_STOPPED;
	status = pnic_rd32(pd, PNIC_REG_STATUS);
	if (PCI_POSSIBLE_ERROR(status))
		return PNIC_TROUBLE_NONE;	/* the accessor has seen to it */
	if (status & PNIC_STATUS_FATAL) {
		dev_err(&pd->pdev->dev, "fatal code %u, info %u\n",
			pnic_rd32(pd, PNIC_REG_FATAL_CODE), pnic_rd32(pd, PNIC_REG_FATAL_INFO));
		return PNIC_TROUBLE_FATAL;
	}
	if (!(status & PNIC_STATUS_READY))
		return PNIC_TROUBLE_NOT_READY;

	heartbeat = pnic_rd32(pd, PNIC_REG_HEARTBEAT);
	if (heartbeat != pd->heartbeat) {
		pd->heartbeat = heartbeat;
		pd->heartbeat_at = jiffies;
	} else if (time_after(jiffies, pd->heartbeat_at + PNIC_HEARTBEAT_LIMIT)) {
		return PNIC_TROUBLE_HEARTBEAT;
	}
	return PNIC_TROUBLE_NONE;
}

static void pnic_health_work(struct work_struct *work)
{
	struct pnic_dev *pd = container_of(work, struct pnic_dev, health_work.work);
	enum pnic_trouble wrong;

	switch (pnic_state(pd)) {
	case PNIC_STATE_READY:
		wrong = pnic_health_check(pd);
		if (wrong)
			pnic_reset_trigger(pd, wrong);
		else
			pnic_eq_watch(pd);
		break;
	case PNIC_STATE_FAILED:
		if (pnic_retry_due(pd))
			queue_work(pnic_wq, &pd->reset_work);
		break;
	case PNIC_STATE_LOST:
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
