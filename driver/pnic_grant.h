/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Grants of partitions to users: what contexts and netlink need of pnic_grant.c.
 */
#ifndef PNIC_GRANT_H
#define PNIC_GRANT_H

#include <linux/uidgid.h>

#include "pnic.h"

void pnic_grant_init(struct pnic_dev *pd);
void pnic_grant_free_all(struct pnic_dev *pd);
bool pnic_grant_allows(struct pnic_dev *pd, u32 partition);
int pnic_grant_add(struct pnic_dev *pd, u32 partition, kuid_t uid);
int pnic_grant_del(struct pnic_dev *pd, u32 partition, kuid_t uid);
bool pnic_grant_next(struct pnic_dev *pd, u32 *partition, u32 *uid);

#endif /* PNIC_GRANT_H */
