// SPDX-License-Identifier: GPL-2.0
/*
 * The PCI function: probe and removal.
 *
 * What happens in between is in pnic_aer.c (resets and errors) and pnic_pm.c (sleep).
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
	/* A card with MSI instead has no such BAR. */
	if (!err && pdev->msix_cap)
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
	if (!err)
		err = pnic_devlink_alloc(pd);
	return err;
}

static void pnic_pci_free(struct pnic_dev *pd)
{
	pnic_devlink_free(pd);
	pnic_cmd_buf_free(pd);
	pnic_admin_free(pd);
	pnic_config_free(pd);
}

/* Of a device that is gone: nobody is at it any more. */
static void pnic_pci_finish(struct pnic_dev *pd)
{
	cancel_work_sync(&pd->reset_work);
	/* The core may have had it look once more, pnic_aer_resume(). */
	cancel_delayed_work_sync(&pd->health_work);
	pnic_health_stop(pd);
	pnic_devlink_unregister(pd);
}

static int pnic_pci_start(struct pnic_dev *pd)
{
	int err;

	/* Before there can be trouble to report. */
	pnic_devlink_register(pd);
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
		pnic_down(pd, PNIC_STATE_GONE, NULL);
	}
	mutex_unlock(&pd->reset_lock);
	if (err)
		pnic_pci_finish(pd);
	return err;
}

static int pnic_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct pnic_dev *pd;
	int err;

	pd = kzalloc(sizeof(*pd), GFP_KERNEL);
	if (!pd)
		return -ENOMEM;
	/* For its name, by which netlink knows the device as long as anybody has it. */
	pd->pdev = pci_dev_get(pdev);
	pnic_reset_init(pd);
	err = pnic_chardev_prepare(pd);
	if (err)
		goto unprepare;
	err = pnic_pci_enable(pd);
	if (err)
		goto unprepare;
	pnic_aer_attach(pdev, pd);
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
	pnic_aer_attach(pdev, NULL);
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
	pnic_down(pd, PNIC_STATE_GONE, NULL);
	mutex_unlock(&pd->reset_lock);
	pnic_pci_finish(pd);

	pnic_pci_free(pd);
	pnic_aer_attach(pdev, NULL);
	pnic_pci_disable(pd);
	pnic_chardev_unprepare(pd);
}

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
	.shutdown	= pnic_pm_shutdown,
	.err_handler	= &pnic_aer_handlers,
	.driver.pm	= pm_sleep_ptr(&pnic_pm_ops),
};

int pnic_pci_register(void)
{
	return pci_register_driver(&pnic_pci_driver);
}

void pnic_pci_unregister(void)
{
	pci_unregister_driver(&pnic_pci_driver);
}
