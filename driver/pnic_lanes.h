/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pnic: the lane manager as the rest of the driver sees it.
 *
 * One for each device, made at the first bring-up. It lives as long as the
 * device, so that history and minima survive resets of the card;
 * it works between pnic_lanes_start() and pnic_lanes_stop().
 */
#ifndef PNIC_LANES_H
#define PNIC_LANES_H

#include "pnic.h"

struct seq_file;

/*
 * Bring-up, when commands and EQ 0 work. Sets pd->lanes. 0 also for a card without
 * lane management, which then has none.
 */
int pnic_lanes_start(struct pnic_dev *pd);
/* Going down; waits for what is under way. May be called without a start, and twice. */
void pnic_lanes_stop(struct pnic_dev *pd);
/* The device's last reference is gone. */
void pnic_lanes_free(struct pnic_dev *pd);
/* A link, lane, map or management event of EQ 0. Atomic context; pd->lanes is not NULL. */
void pnic_lanes_event(struct pnic_dev *pd, const struct pnic_eqe *eqe);
/* PNIC_IOC_LINK_INFO: fills all but size and flags. May sleep. */
int pnic_lanes_link_info(struct pnic_dev *pd, struct pnic_ioc_link_info *out);
/* For debugfs: state, lanes that are not as they should be, history. */
int pnic_lanes_show(struct pnic_dev *pd, struct seq_file *s);

#endif /* PNIC_LANES_H */
