// SPDX-License-Identifier: GPL-2.0
/*
 * The margin in dead lanes. Integers only: the kernel has no floating point.
 */
#include "margin.h"

#define Q32_ONE			0x100000000ULL
#define MEAN_MAX		(16 * Q32_ONE)	/* past any code in use; products fit 64 bits */
#define RANDOM_MAX		96
#define RARE			4		/* 10^-9 with 32 fraction bits, rounded down */

bool lane_fec_valid(const struct lane_fec *fec)
{
	return fec->n && fec->k && fec->k < fec->n && fec->symbol_bits &&
	       fec->symbol_bits <= 16;
}

/* a * b with 32 fraction bits, rounded up; a below 2^56, b at most MEAN_MAX. */
static u64 mul_up(u64 a, u64 b)
{
	u64 ah = a >> 32, al = (u32)a, bh = b >> 32, bl = (u32)b;
	u64 low = al * bl;

	return ((ah * bh) << 32) + ah * bl + al * bh + (low >> 32) + !!(u32)low;
}

/*
 * Errors that fall independently are Poisson; P(k or more) is at most
 * mean^k / k!, which is close where it matters (small means) and on the safe
 * side elsewhere.
 */
u16 lane_random_symbols(u64 mean)
{
	u64 bound = Q32_ONE;
	u16 k;

	if (mean > MEAN_MAX)
		mean = MEAN_MAX;
	for (k = 1; k < RANDOM_MAX; k++) {
		bound = mul_up(bound, mean);
		bound = lane_div64(bound + k - 1, k);
		if (bound <= RARE && ((u64)k << 32) > mean)
			break;
	}
	return k - 1;
}

/* The mean of wrong symbols in a codeword, 32 fraction bits. */
static u64 mean_errors(const struct lane_fec *fec, const struct lane_load *load)
{
	u64 ppb = load->error_ppb;

	/* One lane is never worse than all wrong. */
	if (ppb > 1000000000ULL * load->width)
		ppb = 1000000000ULL * load->width;
	ppb = lane_div64(ppb * fec->n + load->width - 1, load->width);
	return lane_div64(ppb * 4295 + 999, 1000);	/* 2^32 / 10^9, rounded up */
}

static u16 symbols_per_lane(const struct lane_fec *fec, u16 width)
{
	u32 pieces = fec->n;

	if (fec->bit_striping)
		pieces *= fec->symbol_bits;
	pieces = (pieces + width - 1) / width;
	return min(pieces, fec->n);
}

void lane_margin_of(const struct lane_fec *fec, const struct lane_load *load,
		    struct lane_margin *m)
{
	s32 left, lit;

	memset(m, 0, sizeof(*m));
	m->errors = -1;
	m->erasure = -1;
	if (!load->width)
		return;

	m->symbols = symbols_per_lane(fec, load->width);
	m->random = lane_random_symbols(mean_errors(fec, load));
	left = (fec->n - fec->k) / 2 * 2;
	left -= m->symbols * load->erased;
	left -= 2 * m->symbols * load->dark;
	left -= 2 * m->random;
	if (left < 0)
		return;

	lit = load->width - load->erased - load->dark;
	m->errors = left / (2 * m->symbols);
	m->erasure = left / m->symbols;
	if (m->errors > lit)
		m->errors = lit;
	if (m->erasure > lit)
		m->erasure = lit;
}
