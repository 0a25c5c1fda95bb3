// SPDX-License-Identifier: GPL-2.0
/*
 * The state of a device: the one function that changes it, over the table.
 *
 * Called by probe and removal (pnic_pci.c) and by the reset path (pnic_reset.c).
 */
#include "pnic.h"

enum pnic_state pnic_state(struct pnic_dev *pd)
{
	return READ_ONCE(pd->state);
}

/* True if the device is in state @to now and was not before. */
bool pnic_state_change(struct pnic_dev *pd, enum pnic_state to)
{
	unsigned long flags;
	bool legal;

	spin_lock_irqsave(&pd->state_lock, flags);
	legal = pnic_state_legal(pd->state, to);
	if (legal) {
		dev_dbg(&pd->pdev->dev, "%s -> %s\n", pnic_state_name(pd->state),
			pnic_state_name(to));
		WRITE_ONCE(pd->state, to);
	}
	spin_unlock_irqrestore(&pd->state_lock, flags);

	if (legal)
		wake_up_all(&pd->state_wait);
	return legal;
}
