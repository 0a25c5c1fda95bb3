/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel says while a test runs. */
#ifndef PNIC_SELFTESTS_KLOG_H
#define PNIC_SELFTESTS_KLOG_H

#include <stdbool.h>

/* The kernel's log from here on; -1: it can't be read. */
int klog_open(void);
/*
 * Reads on to the first record with @either in it, or one of two when a bar is between them. False: there was none, and
 * all are read.
 */
bool klog_has(int fd, const char *either);
/* The same, and waits up to @ms for it. */
bool klog_says(int fd, const char *either, unsigned int ms);

#endif /* PNIC_SELFTESTS_KLOG_H */
