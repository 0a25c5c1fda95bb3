/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A backend of libpnic for host tests: the model's cards in this process, driven by a
 * thread; the kernel's part is played by as much code as that takes. DMA addresses are
 * virtual addresses. Devices are "model0", "model1", ...
 */
#ifndef JOB_MODELCARD_H
#define JOB_MODELCARD_H

#include "internal.h"
#include "tools/model/core/card.h"

extern const struct pnic_backend modelcard_backend;

/* All cards of a fabric; false, with a message on stderr, if it can't be made. */
bool modelcard_start(unsigned int nics, const char *profile);
void modelcard_stop(void);
/* Calls @fn in the fabric's own time; for faults and counters. */
void modelcard_call(void (*fn)(struct pm_fabric *f, void *arg), void *arg);

#endif /* JOB_MODELCARD_H */
