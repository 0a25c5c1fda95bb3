// SPDX-License-Identifier: GPL-2.0
/*
 * Contributions and their reference sum: see data.h. Called by the ring, for every element several
 * times, so it is kept cheap.
 */
#include <string.h>

#include "data.h"

/* A stream of its own for each seed, step and rank. (The finaliser of MurmurHash3.) */
static uint32_t stream(uint64_t seed, uint32_t step, unsigned int rank)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15ULL + ((uint64_t)step << 8 | rank);

	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return (uint32_t)(x ^ x >> 33);
}

/*
 * Magnitudes from 2^-8 to 1 and both signs, so that sums round, cancel and depend on their order. Ten instructions an
 * element: where the processor is emulated, this is what the job spends its time on.
 */
static void gradients(uint32_t base, uint32_t first, size_t n, uint32_t *out)
{
	uint32_t weyl = base + first * 0x9e3779b1u, x;
	size_t i;

	for (i = 0; i < n; i++, weyl += 0x9e3779b1u) {
		x = (weyl ^ weyl >> 15) * 0x85ebca6bu;
		x ^= x >> 13;
		/* Sign, three bits of exponent, mantissa. */
		out[i] = (x & 0x83ffffffu) + (119u << 23);
	}
}

/* Past the end of the file there are zeroes, up to a whole word. */
static uint32_t file_word(const struct data *d, uint64_t i)
{
	uint64_t at = i * 4;
	uint32_t w = 0;

	if (d->bytes - at >= 4)
		memcpy(&w, d->file + at, 4);
	else
		memcpy(&w, d->file + at, d->bytes - at);
	return w;
}

static void file_words(const struct data *d, uint32_t step, unsigned int rank, uint64_t first, size_t n, uint32_t *out)
{
	unsigned int turn = (5 * rank + step) % 32;
	uint32_t mask = stream(d->seed, step, rank), w;
	size_t i;

	for (i = 0; i < n; i++) {
		w = file_word(d, first + i);
		out[i] = (w << turn | w >> (32 - turn) % 32) ^ mask;
	}
}

void data_fill(const struct data *d, uint32_t step, unsigned int rank, uint64_t first, size_t n, uint32_t *out)
{
	if (d->file)
		file_words(d, step, rank, first, n, out);
	else
		gradients(stream(d->seed, step, rank), (uint32_t)first, n, out);
}

void data_add(const struct data *d, uint32_t *acc, const uint32_t *in, size_t n)
{
	float a, b;
	size_t i;

	if (d->file) {
		for (i = 0; i < n; i++)
			acc[i] += in[i];
		return;
	}
	for (i = 0; i < n; i++) {
		memcpy(&a, &acc[i], sizeof(a));
		memcpy(&b, &in[i], sizeof(b));
		a += b;
		memcpy(&acc[i], &a, sizeof(a));
	}
}

void data_expect(const struct data *d, uint32_t step, unsigned int start, uint64_t first, size_t n, uint32_t *out)
{
	uint32_t next[DATA_BLOCK];
	unsigned int i;

	data_fill(d, step, start, first, n, out);
	for (i = 1; i < d->ranks; i++) {
		data_fill(d, step, (start + i) % d->ranks, first, n, next);
		data_add(d, out, next, n);
	}
}
