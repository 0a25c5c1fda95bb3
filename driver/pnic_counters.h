/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pnic: the card's counters over its resets: the card begins at 0 again, what is
 * told does not.
 */
#ifndef PNIC_COUNTERS_H
#define PNIC_COUNTERS_H

#include "pnic.h"

/* Every field of the card's struct is a counter, or reserved. */
#define PNIC_COUNTS		(sizeof(struct pnic_counters) / sizeof(u64))

/**
 * struct pnic_counts - counters since the driver found the card
 * @value: in the order of struct pnic_counters
 */
struct pnic_counts {
	u64 value[PNIC_COUNTS];
};

int pnic_counters_alloc(struct pnic_dev *pd);
void pnic_counters_free(struct pnic_dev *pd);
/* The card was reset, and has none of what it counted before. */
void pnic_counters_reset(struct pnic_dev *pd);
/* Asks the card; may sleep. */
int pnic_counters_read(struct pnic_dev *pd, struct pnic_counts *out);
/* Called often: asks the card now and then, so that a reset costs little of what it counted. */
void pnic_counters_keep(struct pnic_dev *pd);

#endif /* PNIC_COUNTERS_H */
