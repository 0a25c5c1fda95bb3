// SPDX-License-Identifier: GPL-2.0
/*
 * Register access, and the one place where a card that was pulled out is noticed.
 *
 * A read of a card that is gone gives all ones. Some registers may hold that
 * value, the identification never does, so it decides. From then on the bus is
 * left alone, until whoever restores the way to the card calls pnic_csr_revive().
 */
#include "pnic_csr.h"

static void pnic_csr_suspect(struct pnic_dev *pd)
{
	if (!PCI_POSSIBLE_ERROR(readl(pd->regs + PNIC_REG_ID)))
		return;
	if (xchg(&pd->csr_gone, true))
		return;
	pnic_reset_trigger(pd, PNIC_TROUBLE_ALL_ONES);
}

u32 pnic_rd32(struct pnic_dev *pd, u32 off)
{
	u32 val;

	if (READ_ONCE(pd->csr_gone))
		return ~0U;
	val = readl(pd->regs + off);
	if (PCI_POSSIBLE_ERROR(val))
		pnic_csr_suspect(pd);
	return val;
}

void pnic_wr32(struct pnic_dev *pd, u32 off, u32 val)
{
	if (!READ_ONCE(pd->csr_gone))
		writel(val, pd->regs + off);
}

void pnic_csr_revive(struct pnic_dev *pd)
{
	WRITE_ONCE(pd->csr_gone, false);
}
