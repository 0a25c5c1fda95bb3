/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What other kernels have otherwise. The driver is written for the newest one; here
 * older ones are made to look like it. Kbuild finds out by compiling, never by version
 * numbers: a PNIC_HAVE_* is defined where its snippet compiles.
 */
#ifndef PNIC_COMPAT_H
#define PNIC_COMPAT_H

#include <net/devlink.h>

/* Before 6.18 the grace period is an argument and not a member of the reporter's ops. */
#ifndef PNIC_HAVE_REPORTER_OPS_PERIOD
#define devlink_health_reporter_create(devlink, ops, priv) \
	devlink_health_reporter_create(devlink, ops, 0, priv)
#endif

/* Before 7.0 an importer of dma-bufs is told that one moves by another name. */
#ifndef PNIC_HAVE_INVALIDATE_MAPPINGS
#define invalidate_mappings		move_notify
#define dma_buf_invalidate_mappings	dma_buf_move_notify
#endif

#endif /* PNIC_COMPAT_H */
