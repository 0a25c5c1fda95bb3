/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The numbers that are reduced, and what their sum must be.
 *
 * Every rank can compute every rank's contribution, so the expected sum never
 * crosses a NIC. Two kinds: gradients, fp32 from a generator, added as floats (the order of additions matters to
 * the last bit, so the reference adds in the ring's order); and the bytes of a file, turned a little for each rank,
 * added modulo 2^32.
 */
#ifndef JOB_DATA_H
#define JOB_DATA_H

#include <stddef.h>
#include <stdint.h>

struct data {
	uint64_t seed;
	unsigned int ranks;
	const uint8_t *file;	/* NULL: gradients */
	uint64_t bytes;		/* of the file */
};

/* @n elements of @rank's contribution, from index @first. */
void data_fill(const struct data *d, uint32_t step, unsigned int rank, uint64_t first, size_t n, uint32_t *out);
/* @acc += @in. */
void data_add(const struct data *d, uint32_t *acc, const uint32_t *in, size_t n);
/* The sum as the ring makes it, beginning with rank @start's contribution. @n is at most DATA_BLOCK. */
#define DATA_BLOCK	4096
void data_expect(const struct data *d, uint32_t step, unsigned int start, uint64_t first, size_t n, uint32_t *out);

#endif /* JOB_DATA_H */
