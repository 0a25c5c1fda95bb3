/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Steers the model of the card from inside the guest, by the virtio-serial port
 * that the harness joins to the model's control socket: one JSON object a line
 * each way.
 *
 * Used by the selftests that need a broken lane, link or card. On a machine with a
 * real card the port isn't there, and such tests are skipped.
 */
#ifndef PNIC_MODELCTL_H
#define PNIC_MODELCTL_H

#include <stdbool.h>
#include <stddef.h>

/* The port is there and the model answers a ping. */
bool modelctl_present(void);

/*
 * Sends the formatted request. 0: the reply said "ok":true; else -1, and
 * modelctl_error() has the reason. The reply stays readable by
 * modelctl_number() until the next call.
 */
__attribute__((format(printf, 1, 2)))
int modelctl(const char *fmt, ...);
const char *modelctl_error(void);
const char *modelctl_reply(void);

/*
 * Number (or true and false as 1 and 0) of the member @key of the last reply, at
 * whatever depth it first occurs. -1 if there is none.
 */
int modelctl_number(const char *key, double *value);

/* One of the NIC's counters, by {"cmd":"counters"}: NAN if there is none. */
double modelctl_counter(unsigned int nic, const char *name);

#endif /* PNIC_MODELCTL_H */
