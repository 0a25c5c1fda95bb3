// SPDX-License-Identifier: GPL-2.0
/*
 * Resets and errors as the PCI core tells of them.
 *
 * Each call is a composition of what pnic_reset.c has; the core holds the device's lock around
 * it, so that none of them meets another or comes after removal: all but that of a correctable
 * error. What a call does depends on the state alone:
 *
 *	reset by sysfs		reset_prepare, the reset, reset_done
 *	correctable error	cor_error_detected
 *	non-fatal error		error_detected(normal), mmio_enabled, resume: the contexts
 *				live on, if the card is well
 *	fatal error		error_detected(frozen), the slot is reset, slot_reset, resume
 */
#include "pnic_csr.h"

static struct pnic_dev *pnic_aer_lock(struct pci_dev *pdev)
{
	struct pnic_dev *pd = pci_get_drvdata(pdev);

	mutex_lock(&pd->reset_lock);
	return pd;
}

static void pnic_aer_unlock(struct pnic_dev *pd)
{
	mutex_unlock(&pd->reset_lock);
}

static void pnic_aer_reset_prepare(struct pci_dev *pdev)
{
	struct pnic_dev *pd = pnic_aer_lock(pdev);

	pnic_down(pd, PNIC_STATE_RESETTING, "a reset of the PCI function");
	pnic_aer_unlock(pd);
}

/* A card that sleeps, or whose bus is being mended, is brought up by whoever is at that. */
static void pnic_aer_reset_done(struct pci_dev *pdev)
{
	struct pnic_dev *pd = pnic_aer_lock(pdev);

	if (pnic_state(pd) == PNIC_STATE_RESETTING) {
		pnic_csr_revive(pd);
		pnic_revive(pd);
	} else if (pnic_state(pd) == PNIC_STATE_LOST) {
		pnic_health_kick(pd);
	}
	pnic_aer_unlock(pd);
}

/* Between a correctable error, which the core tells of without the device's lock, and removal. */
static DEFINE_SPINLOCK(pnic_aer_known);

void pnic_aer_attach(struct pci_dev *pdev, struct pnic_dev *pd)
{
	spin_lock(&pnic_aer_known);
	pci_set_drvdata(pdev, pd);
	spin_unlock(&pnic_aer_known);
}

static void pnic_aer_cor_error_detected(struct pci_dev *pdev)
{
	struct pnic_dev *pd;

	spin_lock(&pnic_aer_known);
	pd = pci_get_drvdata(pdev);
	if (pd)
		atomic_inc(&pd->stats.pci_correctable);
	spin_unlock(&pnic_aer_known);
}

/* The card is not touched here; pnic_stop() knows a channel that is frozen. */
static pci_ers_result_t pnic_aer_error_detected(struct pci_dev *pdev, pci_channel_state_t channel)
{
	struct pnic_dev *pd = pnic_aer_lock(pdev);
	pci_ers_result_t result = PCI_ERS_RESULT_CAN_RECOVER;

	if (channel == pci_channel_io_perm_failure) {
		pnic_down(pd, PNIC_STATE_GONE, NULL);
		result = PCI_ERS_RESULT_DISCONNECT;
	} else if (pnic_state(pd) == PNIC_STATE_GONE) {
		result = PCI_ERS_RESULT_DISCONNECT;
	} else if (channel == pci_channel_io_frozen) {
		atomic_inc(&pd->stats.pci_fatal);
		dev_warn(&pdev->dev, "PCI error, waiting for the reset of the slot\n");
		pnic_lose(pd, "a fatal PCI error");
		result = PCI_ERS_RESULT_NEED_RESET;
	} else {
		atomic_inc(&pd->stats.pci_nonfatal);
	}
	pnic_aer_unlock(pd);
	return result;
}

/* One transaction failed. Whose it was has learned of it from the card, if that is still well. */
static pci_ers_result_t pnic_aer_mmio_enabled(struct pci_dev *pdev)
{
	struct pnic_dev *pd = pnic_aer_lock(pdev);
	pci_ers_result_t result = PCI_ERS_RESULT_RECOVERED;
	u32 status;

	if (pnic_state(pd) == PNIC_STATE_READY) {
		status = pnic_rd32(pd, PNIC_REG_STATUS);
		if (PCI_POSSIBLE_ERROR(status) || status & PNIC_STATUS_FATAL ||
		    !(status & PNIC_STATUS_READY))
			result = PCI_ERS_RESULT_NEED_RESET;
	}
	pnic_aer_unlock(pd);
	return result;
}

/*
 * The slot was reset, or, for a non-fatal error on some kernels, the core only says so: the card is
 * made silent in any case, and then memory may go.
 */
static pci_ers_result_t pnic_aer_slot_reset(struct pci_dev *pdev)
{
	struct pnic_dev *pd = pnic_aer_lock(pdev);
	pci_ers_result_t result = PCI_ERS_RESULT_RECOVERED;

	if (pnic_state(pd) == PNIC_STATE_GONE) {
		result = PCI_ERS_RESULT_DISCONNECT;
		goto unlock;
	}
	pnic_config_restore(pd);
	pnic_csr_revive(pd);
	pnic_lose(pd, "an error elsewhere on the PCI bus");
	if (pnic_state(pd) == PNIC_STATE_LOST) {
		pnic_silence(pd);
		pnic_release(pd);
	}
unlock:
	pnic_aer_unlock(pd);
	return result;
}

static void pnic_aer_resume(struct pci_dev *pdev)
{
	struct pnic_dev *pd = pnic_aer_lock(pdev);

	if (pnic_state(pd) == PNIC_STATE_LOST) {
		pnic_csr_revive(pd);
		pnic_come_back(pd);
	} else {
		pnic_health_kick(pd);
	}
	pnic_aer_unlock(pd);
}

const struct pci_error_handlers pnic_aer_handlers = {
	.error_detected		= pnic_aer_error_detected,
	.mmio_enabled		= pnic_aer_mmio_enabled,
	.slot_reset		= pnic_aer_slot_reset,
	.resume			= pnic_aer_resume,
	.reset_prepare		= pnic_aer_reset_prepare,
	.reset_done		= pnic_aer_reset_done,
	.cor_error_detected	= pnic_aer_cor_error_detected,
};
