/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Error rates: how sure one can be of them, and the optical power that they stand for.
 * Integers only.
 */
#ifndef LANE_RATE_H
#define LANE_RATE_H

#include "lane_types.h"

/** lane_isqrt() - square root, rounded down */
u32 lane_isqrt(u64 x);

/**
 * lane_rate_interval() - 95 % confidence interval of an error rate, by Wilson
 * @errors: wrong symbols seen
 * @symbols: of so many; 0: nothing is known, the interval is everything
 * @low_ppb, @high_ppb: wrong symbols in 10^9, rounded outwards
 */
void lane_rate_interval(u64 errors, u64 symbols, u32 *low_ppb, u32 *high_ppb);

/**
 * lane_rate_q() - the Q of a rate in 0.01 dB
 * @ppb: wrong symbols of 10 bits in 10^9
 *
 * The receiver is limited by thermal noise, so a lane that loses 1 dB of light
 * loses 1 dB of Q. Return: 100 * 10 log10(Q); smaller is worse.
 */
s16 lane_rate_q(u32 ppb);

/* Wrong symbols in 10^9 of a lane of nominal power: a bit error rate of 2e-8 (optics.rst). */
#define LANE_NOMINAL_PPB	200u

/**
 * lane_rate_at() - the rate of a Q, the reverse of lane_rate_q()
 * @cdb: Q, 0.01 dB
 *
 * Return: wrong symbols of 10 bits in 10^9, 1..10^9
 */
u32 lane_rate_at(s32 cdb);

#endif /* LANE_RATE_H */
