/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is reduced, cut into buckets; and a bucket cut into the shards and chunks
 * of the ring. Pure arithmetic.
 *
 * Elements are 32-bit words throughout.
 */
#ifndef JOB_BUCKETS_H
#define JOB_BUCKETS_H

#include <stddef.h>
#include <stdint.h>

#include "resnet50.h"

#define JOB_SHARD_ALIGN	16	/* elements: shards begin at cache lines */

struct bucket {
	uint64_t first;		/* index of its first element in the whole */
	uint64_t elements;
};

struct plan {
	struct bucket *bucket;
	size_t n;
	uint64_t elements;	/* of all */
	uint64_t largest;	/* elements of the largest bucket */
};

/*
 * As PyTorch's DistributedDataParallel does it: gradients become ready from the last layer to
 * the first, so tensors are taken in reverse order; a bucket is closed when it has reached its limit, which for the
 * first one is smaller, so that communication starts early. 0 or -ENOMEM.
 */
int plan_tensors(struct plan *p, const struct tensor *t, size_t n, uint64_t first_limit, uint64_t limit);
/* @elements with no structure. */
int plan_flat(struct plan *p, uint64_t elements, uint64_t limit);
void plan_free(struct plan *p);

/* The part of a bucket that one rank owns in the end: shard @s of @ranks. */
struct span {
	uint64_t first;		/* in the bucket */
	uint64_t elements;	/* can be 0 */
};

struct span shard_of(uint64_t elements, unsigned int ranks, unsigned int s);
unsigned int chunks_of(struct span shard, uint64_t chunk);
struct span chunk_of(struct span shard, uint64_t chunk, unsigned int c);

#endif /* JOB_BUCKETS_H */
