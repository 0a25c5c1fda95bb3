// SPDX-License-Identifier: GPL-2.0
/*
 * Sleep and wake, and the end of the machine.
 *
 * The PCI core puts the function into D3hot and takes it out again, which resets the card:
 * contexts do not survive it.
 */
#include "pnic_csr.h"

/* A card that the bus does not lead to just now is left as it is. */
static int pnic_pm_suspend(struct device *dev)
{
	struct pnic_dev *pd = dev_get_drvdata(dev);

	mutex_lock(&pd->reset_lock);
	if (pnic_down(pd, PNIC_STATE_SUSPENDED, "the machine was suspended"))
		atomic_inc(&pd->stats.suspends);
	mutex_unlock(&pd->reset_lock);
	return 0;
}

static int pnic_pm_resume(struct device *dev)
{
	struct pnic_dev *pd = dev_get_drvdata(dev);

	mutex_lock(&pd->reset_lock);
	if (pnic_state(pd) == PNIC_STATE_SUSPENDED) {
		pnic_csr_revive(pd);
		pnic_come_back(pd);
	} else if (pnic_state(pd) == PNIC_STATE_LOST) {
		pnic_health_kick(pd);
	}
	mutex_unlock(&pd->reset_lock);
	return 0;
}

DEFINE_SIMPLE_DEV_PM_OPS(pnic_pm_ops, pnic_pm_suspend, pnic_pm_resume);

/* The machine goes down or another kernel takes over: no DMA from here on. */
void pnic_pm_shutdown(struct pci_dev *pdev)
{
	struct pnic_dev *pd = pci_get_drvdata(pdev);

	mutex_lock(&pd->reset_lock);
	pnic_down(pd, PNIC_STATE_GONE, NULL);
	mutex_unlock(&pd->reset_lock);
}
