/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ring all-reduce over libpnic.
 *
 * Rank r writes to r + 1 and is written to by r - 1. A bucket is cut into a shard for each rank. In the
 * reduce-scatter, at step k rank r passes on shard r - k: the right neighbour adds its own and passes the sum on, so after
 * ranks - 1 steps rank r has the whole sum of shard r + 1. In the all-gather the whole shards go round, straight to their
 * place. Shards travel in chunks, each on its own as soon as it is ready, so that the link always has something to do.
 *
 * Reduce-scatter chunks arrive in a staging area, a slot for each, and the receiver gives credits back. All-gather chunks
 * need none: a whole shard can only exist when every rank has added its own, and by then nobody needs the place any more.
 * The same holds from one bucket to the next that uses the same memory.
 */
#ifndef JOB_RING_H
#define JOB_RING_H

#include "buckets.h"
#include "data.h"
#include "rendezvous.h"
#include "report.h"

struct ring_config {
	struct pnic_ctx *ctx;
	const struct data *data;
	const struct plan *plan;
	struct report *report;
	const char *dir;		/* rendezvous */
	unsigned int rank, ranks;
	uint32_t steps;
	uint32_t chunk;			/* elements */
	int start_ms;			/* wait for the neighbours to appear */
	int stall_ms;			/* no progress for so long: lost */
};

/*
 * Runs the whole job. 0, or -errno when it could not be brought to its end: what was wrong has been reported then. Wrong
 * bytes and lost transfers stand in @t.
 */
int ring_run(const struct ring_config *c, struct tally *t);

#endif /* JOB_RING_H */
