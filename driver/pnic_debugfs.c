// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs: what the driver holds, how the admin queue fares, the lanes. Not ABI; no tool
 * needs it, the tests count leaks with it.
 *
 * /sys/kernel/debug/pnic/<PCI name>/
 *	resources	what user space made the driver hold; all 0 when nobody has
 *			the device open
 *	counters	what happened since the device was found
 *	lanes		state and history of the lane manager
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "pnic_lanes.h"

static struct dentry *pnic_debugfs_root;

static int resources_show(struct seq_file *s, void *unused)
{
	struct pnic_dev *pd = s->private;
	struct pnic_stats *st = &pd->stats;

	seq_printf(s, "contexts %d\n", atomic_read(&st->contexts));
	seq_printf(s, "regions %d\n", atomic_read(&st->regions));
	seq_printf(s, "pinned_pages %ld\n", atomic_long_read(&st->pinned_pages));
	seq_printf(s, "completion_queues %d\n", atomic_read(&st->cqs));
	seq_printf(s, "endpoints %d\n", atomic_read(&st->eps));
	seq_printf(s, "shared_queues %d\n", atomic_read(&st->srqs));
	seq_printf(s, "completion_counters %d\n", atomic_read(&st->ctrs));
	seq_printf(s, "ring_bytes %ld\n", atomic_long_read(&st->ring_bytes));
	seq_printf(s, "dma_mappings %d\n", atomic_read(&st->dma_maps));
	seq_printf(s, "doorbell_pages %d\n", atomic_read(&st->db_pages));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(resources);

static int counters_show(struct seq_file *s, void *unused)
{
	struct pnic_dev *pd = s->private;
	struct pnic_stats *st = &pd->stats;
	struct pnic_admin *a = &pd->admin;

	seq_printf(s, "state %s\n", pnic_state_name(pnic_state(pd)));
	seq_printf(s, "epoch %u\n", pd->epoch);
	seq_printf(s, "resets %d\n", atomic_read(&st->resets));
	seq_printf(s, "nonsense %d\n", atomic_read(&st->nonsense));
	seq_printf(s, "stray_events %d\n", atomic_read(&st->stray_events));
	seq_printf(s, "lost_interrupts %d\n", atomic_read(&st->lost_irqs));
	seq_printf(s, "refused_maps %d\n", atomic_read(&st->bad_maps));
	seq_printf(s, "lane_tables %d\n", atomic_read(&st->lane_tables));
	seq_printf(s, "pci_correctable %d\n", atomic_read(&st->pci_correctable));
	seq_printf(s, "pci_nonfatal %d\n", atomic_read(&st->pci_nonfatal));
	seq_printf(s, "pci_fatal %d\n", atomic_read(&st->pci_fatal));
	seq_printf(s, "suspends %d\n", atomic_read(&st->suspends));
	spin_lock_irq(&a->lock);
	seq_printf(s, "admin_commands %u\n", a->tail);
	seq_printf(s, "admin_timeouts %llu\n", a->timeouts);
	seq_printf(s, "admin_late_answers %llu\n", a->late);
	spin_unlock_irq(&a->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

static int lanes_show(struct seq_file *s, void *unused)
{
	return pnic_lanes_show(s->private, s);
}
DEFINE_SHOW_ATTRIBUTE(lanes);

void pnic_debugfs_add(struct pnic_dev *pd)
{
	pd->dir = debugfs_create_dir(pci_name(pd->pdev), pnic_debugfs_root);
	debugfs_create_file("resources", 0400, pd->dir, pd, &resources_fops);
	debugfs_create_file("counters", 0400, pd->dir, pd, &counters_fops);
	debugfs_create_file("lanes", 0400, pd->dir, pd, &lanes_fops);
}

void pnic_debugfs_del(struct pnic_dev *pd)
{
	debugfs_remove_recursive(pd->dir);
	pd->dir = NULL;
}

void pnic_debugfs_init(void)
{
	pnic_debugfs_root = debugfs_create_dir(PNIC_DRV_NAME, NULL);
}

void pnic_debugfs_exit(void)
{
	debugfs_remove_recursive(pnic_debugfs_root);
}
