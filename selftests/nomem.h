/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allocations of the library that fail, where that can be had (selftests/host/nomem.c): the one that does, counted from 1,
 * each so-manieth that does, and how many did. 0: none. Elsewhere &nomem_at is NULL.
 */
#ifndef PNIC_SELFTESTS_NOMEM_H
#define PNIC_SELFTESTS_NOMEM_H

extern unsigned int nomem_at __attribute__((weak)), nomem_every __attribute__((weak));
extern unsigned int nomem_failed __attribute__((weak));

#endif /* PNIC_SELFTESTS_NOMEM_H */
