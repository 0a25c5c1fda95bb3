// SPDX-License-Identifier: GPL-2.0
/*
 * Error rates, their confidence, and Q.
 */
#include "rate.h"

#define BILLION			1000000000ULL
#define COUNT_MAX		0x10000000000ULL	/* products fit 64 bits */
/* The normal distribution's 97.5 % point, its square halved and quartered, times 1000. */
#define Z_M			1960
#define Z2_2_M			1921
#define Z2_4_M			961
#define Z2_M			3841

/*
 * The next bit of a square root: b, of which @bit is the square. With a for the bits before,
 * @root has 2ab and @x what a square leaves.
 */
static void root_bit(u64 *x, u64 *root, u64 bit)
{
	u64 more = *root + bit;

	*root >>= 1;
	if (*x < more)
		return;
	*x -= more;
	*root += bit;
}

u32 lane_isqrt(u64 x)
{
	u64 bit = 1ULL << 62, root = 0;

	while (bit > x)
		bit >>= 2;
	for (; bit; bit >>= 2)
		root_bit(&x, &root, bit);
	return root;
}

/* a / n in 10^-9; a at most n. */
static u64 share_ppb(u64 a, u64 n)
{
	u64 share = 0, digits;
	int i;

	for (i = 0; i < 3; i++) {
		digits = lane_div64(a * 1000, n);
		a = a * 1000 - digits * n;
		share = share * 1000 + digits;
	}
	return share;
}

/* Variance of a count in millionths: errors * (1 - errors / symbols), rounded up. */
static u64 variance(u64 errors, u64 symbols)
{
	if (!(errors >> 20))
		return errors * 1000000 - lane_div64(errors * errors * 1000000, symbols);
	if (symbols >> 32)
		errors -= lane_div64(errors * (errors >> 20), (symbols >> 20) + 1);
	else
		errors -= lane_div64(errors * errors, symbols);
	return errors * 1000000;
}

void lane_rate_interval(u64 errors, u64 symbols, u32 *low_ppb, u32 *high_ppb)
{
	u64 centre, half, whole, low, high;

	if (errors > symbols)
		errors = symbols;
	while (symbols > COUNT_MAX) {
		symbols >>= 1;
		errors >>= 1;
	}
	if (!symbols) {
		*low_ppb = 0;
		*high_ppb = BILLION;
		return;
	}
	/* In thousandths of an error; the square root of millionths is one of thousandths. */
	centre = errors * 1000 + Z2_2_M;
	whole = symbols * 1000 + Z2_M;
	half = (u64)lane_isqrt(variance(errors, symbols) + Z2_4_M * 1000);
	half = lane_div64(half * Z_M, 1000) + 4;
	low = centre - 1 > half ? centre - 1 - half : 0;
	high = min(centre + half, whole);
	*low_ppb = errors ? share_ppb(low, whole + 1) : 0;
	high = share_ppb(high, whole) + 2;
	*high_ppb = min(high, BILLION);
}

/* 1000 log10(Q) at 2^i wrong symbols in 10^9, symbols of 10 bits. */
static const s16 q_of_rate[] = {
	804, 796, 789, 781, 772, 764, 755, 746, 736, 726, 716, 705, 693, 681, 668, 654,
	639, 624, 607, 589, 569, 547, 524, 497, 467, 432, 391, 340, 272, 160, 0,
};

s16 lane_rate_q(u32 ppb)
{
	u32 i = 0, part;

	if (!ppb)
		return q_of_rate[0];
	while (i < 29 && ppb >> (i + 1))
		i++;
	part = ppb - (1u << i);
	if (part > 1u << i)
		part = 1u << i;
	/* Between the powers of two a straight line is right to 0.02 dB. */
	return q_of_rate[i] - (s16)(((u64)(q_of_rate[i] - q_of_rate[i + 1]) * part) >> i);
}

u32 lane_rate_at(s32 cdb)
{
	u32 i = 0, ppb;

	if (cdb >= q_of_rate[0])
		return 1;
	if (cdb <= 0)
		return BILLION;
	while (cdb < q_of_rate[i + 1])
		i++;
	ppb = 1u << i;
	ppb += lane_div64((u64)(q_of_rate[i] - cdb) << i, q_of_rate[i] - q_of_rate[i + 1]);
	return min(ppb, BILLION);
}
