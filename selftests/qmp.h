/* SPDX-License-Identifier: GPL-2.0 */
/*
 * QEMU's monitor from inside the guest, by the virtio port pnic.qmp (qmp=yes in the test's .conf): takes
 * cards away from the machine and plugs them in again.
 */
#ifndef PNIC_SELFTESTS_QMP_H
#define PNIC_SELFTESTS_QMP_H

#include <stdbool.h>

/* The port is there and QEMU answers. */
bool qmp_present(void);
const char *qmp_error(void);
/*
 * Card @nic of the machine, as the harness plugged it in. 0: done, and for qmp_unplug() QEMU
 * has let go of it; else -1, and qmp_error() has the reason.
 */
int qmp_unplug(unsigned int nic, int timeout_ms);
int qmp_plug(unsigned int nic);

#endif /* PNIC_SELFTESTS_QMP_H */
