/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The margin: how many more lanes can die with every codeword still corrected.
 *
 * Hardware interface, 8.2. It, and not an average error rate, is what the
 * policy decides on.
 */
#ifndef LANE_MARGIN_H
#define LANE_MARGIN_H

#include "lane_types.h"

struct lane_fec {
	u16 n, k;		/* RS(n, k) */
	u8 symbol_bits;
	bool bit_striping;
};

/* What stands against the code's strength. */
struct lane_load {
	u16 width;		/* lanes of the map */
	u16 erased;		/* of them dark and known to the decoder */
	u16 dark;		/* of them dark and not (yet) known to it */
	u64 error_ppb;		/* sum over the others: wrong symbols in 10^9 */
};

struct lane_margin {
	s16 errors;		/* lanes that may die unannounced; -1: codewords are being lost */
	s16 erasure;		/* lanes that may die if each is marked */
	u16 symbols;		/* most symbols that one lane has in a codeword */
	u16 random;		/* wrong symbols to be expected besides */
};

bool lane_fec_valid(const struct lane_fec *fec);
void lane_margin_of(const struct lane_fec *fec, const struct lane_load *load,
		    struct lane_margin *m);
/*
 * The wrong symbols of a codeword that are exceeded less often than once in
 * 10^9, if @mean (32 fraction bits) are expected.
 */
u16 lane_random_symbols(u64 mean);

#endif /* LANE_MARGIN_H */
