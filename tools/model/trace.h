/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The log of --trace: one line for each message, reset and interrupt.
 *
 * Used by the front end's files. Costs one test when it is off.
 */
#ifndef PM_TRACE_H
#define PM_TRACE_H

#include <stdbool.h>

/* "-": standard error. 0 or -errno. */
int trace_open(const char *path);
void trace_close(void);
bool trace_on(void);
void trace(unsigned int nic, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif /* PM_TRACE_H */
