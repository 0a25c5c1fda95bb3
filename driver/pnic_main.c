// SPDX-License-Identifier: GPL-2.0
/*
 * The module: what is made once, for all cards.
 */
#include <linux/module.h>

#include "pnic_nl.h"

struct workqueue_struct *pnic_wq;

static int __init pnic_init(void)
{
	int err;

	/* What mends a card has to wait while the machine is put to sleep. */
	pnic_wq = alloc_workqueue(PNIC_DRV_NAME, WQ_UNBOUND | WQ_FREEZABLE, 0);
	if (!pnic_wq)
		return -ENOMEM;
	err = pnic_chardev_init();
	if (err)
		goto workqueue;
	err = pnic_nl_init();
	if (err)
		goto chardev;
	pnic_debugfs_init();
	err = pnic_pci_register();
	if (err)
		goto debugfs;
	return 0;

debugfs:
	pnic_debugfs_exit();
	pnic_nl_exit();
chardev:
	pnic_chardev_exit();
workqueue:
	destroy_workqueue(pnic_wq);
	return err;
}
module_init(pnic_init);

static void __exit pnic_exit(void)
{
	pnic_pci_unregister();
	pnic_debugfs_exit();
	pnic_nl_exit();
	pnic_chardev_exit();
	destroy_workqueue(pnic_wq);
}
module_exit(pnic_exit);

MODULE_DESCRIPTION("Photonic NIC: a network card with a wide-and-slow optical link");
MODULE_AUTHOR("The pnic project");
MODULE_VERSION("0.1.0");
MODULE_LICENSE("GPL");
