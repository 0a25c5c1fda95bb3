/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Draws that only the link needs, beside those in sim.h: the distributions by which
 * symbol errors are counted without looking at each symbol.
 */
#ifndef PM_RNG_H
#define PM_RNG_H

#include "sim.h"

/* Successes among @n trials of probability @p. */
uint64_t pm_rng_binomial(struct pm_rng *r, uint64_t n, double p);

/* 1 / log(1 - p), for pm_rng_skip(). */
double pm_rng_skip_scale(double p);
/* Failures before the next success; UINT64_MAX / 4 at most. */
uint64_t pm_rng_skip(struct pm_rng *r, double scale);

#endif /* PM_RNG_H */
