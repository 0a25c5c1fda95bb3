// SPDX-License-Identifier: GPL-2.0
/*
 * The PCI function: probe, removal, resets by the PCI core, errors, power.
 *
 * All of these are compositions of pnic_up(), pnic_stop(), pnic_release() and
 * pnic_revive() in pnic_reset.c.
 */
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/slab.h>

#include "pnic_counters.h"
#include "pnic_csr.h"
#include "pnic_nl.h"

/* --- probe and removal ---- */

static int pnic_pci_check_bar(struct pci_dev *pdev, int bar, resource_size_t min)
{
	if (!(pci_resource_flags(pdev, bar) & IORESOURCE_MEM))
		return dev_err_probe(&pdev->dev, -ENODEV, "BAR %d is no memory\n", bar);
	if (pci_resource_len(pdev, bar) < min)
		return dev_err_probe(&pdev->dev, -ENODEV, "BAR %d has %pa bytes, needs %pa\n", bar,
				     &(resource_size_t){ pci_resource_len(pdev, bar) }, &min);
	return 0;
}

static int pnic_pci_check_bars(struct pci_dev *pdev)
{
	int err;

	/* A doorbell page belongs to one process, so it has to be a page of the host. */
	if (PAGE_SIZE != PNIC_PAGE_SIZE)
		return dev_err_probe(&pdev->dev, -EOPNOTSUPP,
				     "needs a kernel with pages of 4 KiB\n");
	err = pnic_pci_check_bar(pdev, PNIC_BAR_REGS, PNIC_BAR_REGS_SIZE);
	if (!err)
		err = pnic_pci_check_bar(pdev, PNIC_BAR_MSIX, PNIC_BAR_MSIX_SIZE);
	if (!err)
		err = pnic_pci_check_bar(pdev, PNIC_BAR_DB, 2 * PNIC_PAGE_SIZE);
	return err;
}

static int pnic_pci_enable(struct pnic_dev *pd)
{
	struct pci_dev *pdev = pd->pdev;
	int err;

	err = pci_enable_device_mem(pdev);
	if (err)
		return dev_err_probe(&pdev->dev, err, "can't enable the function\n");
	err = pnic_pci_check_bars(pdev);
	if (err)
		goto disable;
	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (err) {
		dev_err_probe(&pdev->dev, err, "no 64-bit DMA\n");
		goto disable;
	}
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	err = pci_request_mem_regions(pdev, PNIC_DRV_NAME);
	if (err) {
		dev_err_probe(&pdev->dev, err, "the BARs are taken\n");
		goto disable;
	}
	pd->db_base = pci_resource_start(pdev, PNIC_BAR_DB);
	pd->regs = ioremap(pci_resource_start(pdev, PNIC_BAR_REGS),
			   pci_resource_len(pdev, PNIC_BAR_REGS));
	if (pd->regs)
		return 0;
	err = dev_err_probe(&pdev->dev, -ENOMEM, "can't map the registers\n");
	pci_release_mem_regions(pdev);
disable:
	pci_disable_device(pdev);
	return err;
}

static void pnic_pci_disable(struct pnic_dev *pd)
{
	iounmap(pd->regs);
	pd->regs = NULL;
	pci_release_mem_regions(pd->pdev);
	pci_disable_device(pd->pdev);
}

/* Memory that lives as long as the driver has the function. */
static int pnic_pci_alloc(struct pnic_dev *pd)
{
	int err;

	err = pnic_admin_alloc(pd);
	if (!err)
		err = pnic_cmd_buf_alloc(pd);
	if (!err)
		err = pnic_status_alloc(pd);
	if (!err)
		err = pnic_counters_alloc(pd);
	return err;
}

static void pnic_pci_free(struct pnic_dev *pd)
{
	pnic_cmd_buf_free(pd);
	pnic_admin_free(pd);
}

static int pnic_pci_start(struct pnic_dev *pd)
{
	int err;

	mutex_lock(&pd->reset_lock);
	pd->epoch = 1;
	pnic_status_set_epoch(pd, pd->epoch);
	err = pnic_up(pd);
	if (!err) {
		pnic_state_change(pd, PNIC_STATE_READY);
		err = pnic_nl_add(pd);
	}
	if (!err) {
		err = pnic_chardev_add(pd);
		if (err)
			pnic_nl_del(pd);
	}
	if (!err) {
		pnic_debugfs_add(pd);
		pnic_health_start(pd);
	} else {
		pnic_stop(pd, PNIC_STATE_GONE);
		pnic_release(pd);
	}
	mutex_unlock(&pd->reset_lock);
	if (err)
		cancel_work_sync(&pd->reset_work);
	return err;
}

static int pnic_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct pnic_dev *pd;
	int err;

	pd = kzalloc(sizeof(*pd), GFP_KERNEL);
	if (!pd)
		return -ENOMEM;
	pd->pdev = pdev;
	pnic_reset_init(pd);
	err = pnic_chardev_prepare(pd);
	if (err)
		goto unprepare;
	err = pnic_pci_enable(pd);
	if (err)
		goto unprepare;
	pci_set_drvdata(pdev, pd);
	err = pnic_pci_alloc(pd);
	if (err)
		goto free;
	err = pnic_pci_start(pd);
	if (err)
		goto free;
	dev_info(&pdev->dev, "%s: %s, serial %s, %u + %u lanes, %u event queues\n",
		 dev_name(&pd->dev), pd->caps.model_name, pd->caps.serial, pd->caps.lanes_data,
		 pd->caps.lanes_spare, pd->num_eqs);
	return 0;

free:
	pnic_pci_free(pd);
	pci_set_drvdata(pdev, NULL);
	pnic_pci_disable(pd);
unprepare:
	pnic_chardev_unprepare(pd);
	return err;
}

/* From any state, also with files open and with a card that is dead or not there any more. */
static void pnic_pci_remove(struct pci_dev *pdev)
{
	struct pnic_dev *pd = pci_get_drvdata(pdev);

	pnic_nl_del(pd);
	pnic_chardev_del(pd);
	pnic_debugfs_del(pd);
	mutex_lock(&pd->reset_lock);
	pnic_stop(pd, PNIC_STATE_GONE);
	pnic_release(pd);
	mutex_unlock(&pd->reset_lock);
	cancel_work_sync(&pd->reset_work);

	pnic_pci_free(pd);
	pci_set_drvdata(pdev, NULL);
	pnic_pci_disable(pd);
	pnic_chardev_unprepare(pd);
}

/* The machine goes down or another kernel takes over: no DMA from here on. */
static void pnic_pci_shutdown(struct pci_dev *pdev)
{
	struct pnic_dev *pd = pci_get_drvdata(pdev);

	mutex_lock(&pd->reset_lock);
	pnic_stop(pd, PNIC_STATE_GONE);
	pnic_release(pd);
	mutex_unlock(&pd->reset_lock);
}

/* --- resets and errors ---- */

/* Down, with the way up open: unless it is over for the device anyway. */
static void pnic_pci_down(struct pnic_dev *pd)
{
	mutex_lock(&pd->reset_lock);
	if (pnic_state(pd) != PNIC_STATE_GONE) {
		pnic_stop(pd, PNIC_STATE_RESETTING);
		pnic_release(pd);
	}
	mutex_unlock(&pd->reset_lock);
}

static void pnic_pci_revive(struct pnic_dev *pd)
{
	mutex_lock(&pd->reset_lock);
	if (pnic_state(pd) == PNIC_STATE_RESETTING) {
		pnic_csr_revive(pd);
		pnic_revive(pd);
	}
	mutex_unlock(&pd->reset_lock);
}

static void pnic_pci_reset_prepare(struct pci_dev *pdev)
{
	pnic_pci_down(pci_get_drvdata(pdev));
}

static void pnic_pci_reset_done(struct pci_dev *pdev)
{
	pnic_pci_revive(pci_get_drvdata(pdev));
}

/* The card must not be touched here while the channel is frozen; pnic_stop() knows. */
static pci_ers_result_t pnic_pci_error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	struct pnic_dev *pd = pci_get_drvdata(pdev);
	pci_ers_result_t result;

	if (state == pci_channel_io_normal)
		return PCI_ERS_RESULT_CAN_RECOVER;

	mutex_lock(&pd->reset_lock);
	if (state == pci_channel_io_perm_failure) {
		pnic_stop(pd, PNIC_STATE_GONE);
		result = PCI_ERS_RESULT_DISCONNECT;
	} else if (pnic_state(pd) == PNIC_STATE_GONE) {
		result = PCI_ERS_RESULT_DISCONNECT;
	} else {
		dev_warn(&pdev->dev, "PCI error, waiting for the reset of the slot\n");
		pnic_stop(pd, PNIC_STATE_RESETTING);
		result = PCI_ERS_RESULT_NEED_RESET;
	}
	mutex_unlock(&pd->reset_lock);
	return result;
}

/* The function was reset, so that no DMA comes from before: now memory may go. */
static pci_ers_result_t pnic_pci_slot_reset(struct pci_dev *pdev)
{
	struct pnic_dev *pd = pci_get_drvdata(pdev);

	if (pci_enable_device_mem(pdev))
		return PCI_ERS_RESULT_DISCONNECT;
	pci_restore_state(pdev);
	/* Needed where the core does not keep what it saved. */
	pci_save_state(pdev);

	mutex_lock(&pd->reset_lock);
	pnic_csr_revive(pd);
	pnic_release(pd);
	mutex_unlock(&pd->reset_lock);
	return PCI_ERS_RESULT_RECOVERED;
}

static void pnic_pci_error_resume(struct pci_dev *pdev)
{
	pnic_pci_revive(pci_get_drvdata(pdev));
}

static const struct pci_error_handlers pnic_pci_errors = {
	.error_detected	= pnic_pci_error_detected,
	.slot_reset	= pnic_pci_slot_reset,
	.resume		= pnic_pci_error_resume,
	.reset_prepare	= pnic_pci_reset_prepare,
	.reset_done	= pnic_pci_reset_done,
};

/* --- power ---- */

/* Leaving D3hot is a reset: contexts do not survive suspending. */
static int pnic_pci_suspend(struct device *dev)
{
	pnic_pci_down(dev_get_drvdata(dev));
	return 0;
}

static int pnic_pci_resume(struct device *dev)
{
	pnic_pci_revive(dev_get_drvdata(dev));
	return 0;
}

static DEFINE_SIMPLE_DEV_PM_OPS(pnic_pci_pm, pnic_pci_suspend, pnic_pci_resume);

/* --- the driver ---- */

static const struct pci_device_id pnic_pci_ids[] = {
	{ PCI_DEVICE(PNIC_PCI_VENDOR_ID, PNIC_PCI_DEVICE_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, pnic_pci_ids);

static struct pci_driver pnic_pci_driver = {
	.name		= PNIC_DRV_NAME,
	.id_table	= pnic_pci_ids,
	.probe		= pnic_pci_probe,
	.remove		= pnic_pci_remove,
	.shutdown	= pnic_pci_shutdown,
	.err_handler	= &pnic_pci_errors,
	.driver.pm	= pm_sleep_ptr(&pnic_pci_pm),
};

int pnic_pci_register(void)
{
	return pci_register_driver(&pnic_pci_driver);
}

void pnic_pci_unregister(void)
{
	pci_unregister_driver(&pnic_pci_driver);
}
