// SPDX-License-Identifier: GPL-2.0
/*
 * Buckets, shards, chunks: see buckets.h. Used by the ring and by main.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buckets.h"

static int plan_add(struct plan *p, uint64_t elements)
{
	struct bucket *grown = realloc(p->bucket, (p->n + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	p->bucket = grown;
	p->bucket[p->n].first = p->elements;
	p->bucket[p->n++].elements = elements;
	p->elements += elements;
	if (elements > p->largest)
		p->largest = elements;
	return 0;
}

int plan_tensors(struct plan *p, const struct tensor *t, size_t n, uint64_t first_limit, uint64_t limit)
{
	uint64_t open = 0;
	int err = 0;

	memset(p, 0, sizeof(*p));
	while (n-- && !err) {
		open += t[n].elements;
		if (open * 4 < (p->n ? limit : first_limit) && n)
			continue;
		err = plan_add(p, open);
		open = 0;
	}
	if (err)
		plan_free(p);
	return err;
}

int plan_flat(struct plan *p, uint64_t elements, uint64_t limit)
{
	uint64_t most = limit / 4 ? limit / 4 : 1;
	int err = 0;

	memset(p, 0, sizeof(*p));
	while (elements && !err) {
		err = plan_add(p, elements < most ? elements : most);
		elements -= elements < most ? elements : most;
	}
	if (err)
		plan_free(p);
	return err;
}

void plan_free(struct plan *p)
{
	free(p->bucket);
	memset(p, 0, sizeof(*p));
}

struct span shard_of(uint64_t elements, unsigned int ranks, unsigned int s)
{
	uint64_t per = (elements + ranks - 1) / ranks;
	struct span span;

	per = (per + JOB_SHARD_ALIGN - 1) / JOB_SHARD_ALIGN * JOB_SHARD_ALIGN;
	span.first = per * s < elements ? per * s : elements;
	span.elements = elements - span.first < per ? elements - span.first : per;
	return span;
}

unsigned int chunks_of(struct span shard, uint64_t chunk)
{
	return (unsigned int)((shard.elements + chunk - 1) / chunk);
}

struct span chunk_of(struct span shard, uint64_t chunk, unsigned int c)
{
	struct span span = { shard.first + chunk * c, shard.elements - chunk * c };

	if (span.elements > chunk)
		span.elements = chunk;
	return span;
}
