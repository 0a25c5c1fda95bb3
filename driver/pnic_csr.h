/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Registers of the card. Everybody who touches one does it by these two.
 */
#ifndef PNIC_CSR_H
#define PNIC_CSR_H

#include "pnic.h"

/* All ones if the card is not there any more. */
u32 pnic_rd32(struct pnic_dev *pd, u32 off);
void pnic_wr32(struct pnic_dev *pd, u32 off, u32 val);

/* The card can be reached again, or is to be tried once more: with pd->reset_lock. */
void pnic_csr_revive(struct pnic_dev *pd);

#endif /* PNIC_CSR_H */
