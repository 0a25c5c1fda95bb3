// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Who carries how much of a transfer: arithmetic only.
 *
 * Rails are like vessels of different width that already hold some water: poured in, it stands equally high in
 * all that it reaches. The height is the time when each is through, the width its rate.
 */
#include "rails.h"

static bool above(unsigned int i, const uint32_t *rate, const uint64_t *load, uint64_t sum_rate, uint64_t sum)
{
	/* load / rate >= sum / sum_rate */
	return (unsigned __int128)load[i] * sum_rate >= (unsigned __int128)sum * rate[i];
}

unsigned int rails_split(unsigned int n, const uint32_t *rate, const uint64_t *load, uint64_t length, uint32_t grain,
			 uint64_t *share)
{
	uint64_t sum_rate = 0, sum = length, left = length, part;
	unsigned int in = 0, i, used = 0, most = n;
	bool again = true;

	for (i = 0; i < n; i++) {
		share[i] = 0;
		if (!rate[i])
			continue;
		in |= 1u << i;
		sum_rate += rate[i];
		sum += load[i];
	}
	/* Those that hold more than the common height have no share and don't count. */
	while (again && in) {
		again = false;
		for (i = 0; i < n; i++) {
			if (!(in & 1u << i) || in == 1u << i || !above(i, rate, load, sum_rate, sum))
				continue;
			in &= ~(1u << i);
			sum_rate -= rate[i];
			sum -= load[i];
			again = true;
		}
	}
	for (i = 0; i < n; i++) {
		if (!(in & 1u << i))
			continue;
		part = (uint64_t)((unsigned __int128)sum * rate[i] / sum_rate);
		part = part > load[i] ? part - load[i] : 0;
		part -= part % grain;
		share[i] = part < left ? part : left;
		left -= share[i];
		if (most == n || share[i] > share[most])
			most = i;
	}
	/* What rounding left goes to whom has most, and would be longest at it anyway. */
	if (most < n)
		share[most] += left;
	for (i = 0; i < n; i++)
		used += share[i] != 0;
	return used;
}
