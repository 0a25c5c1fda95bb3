/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What ring.c (life, loop), ring_flow.c (messages) and ring_work.c (arithmetic) share.
 */
#ifndef JOB_RING_PRIV_H
#define JOB_RING_PRIV_H

#include "ring.h"

#define RING_WINDOW	3	/* buckets in memory at once: made, under way, checked */
#define RING_STAGING	32	/* chunks that may wait to be added */
#define RING_SQ_SLOTS	512
#define RING_RQ_ENTRIES	1024
#define RING_SLICE	(16 * DATA_BLOCK)	/* elements computed between two looks at the queue */

/* What a message's immediate value says: the kind in bits 63:60, step 59:52, chunk 51:32, item 31:0. */
enum ring_kind {
	RING_REDUCE	= 1,	/* a chunk to add */
	RING_GATHER	= 2,	/* a chunk in its place */
	RING_CREDIT	= 3,	/* item: staging slots given back, in all */
	RING_BYE	= 4,	/* nothing more will come */
};

struct xfer {
	uint32_t item;
	uint16_t step;
	uint32_t chunk;
};

struct fifo {
	struct xfer *x;
	uint32_t head, tail, size;	/* size: a power of two */
};

/* A bucket of a step that is in memory. */
struct item {
	bool active;
	uint32_t number;		/* step * buckets + bucket */
	const struct bucket *bucket;
	uint32_t *mem;
	uint64_t filled;		/* elements of our contribution that are there */
	uint64_t checked;		/* elements compared with the reference */
	unsigned int fed;		/* chunks of our own shard handed to the reduce queue */
	unsigned int arrivals;		/* chunks still to come */
	unsigned int departures;	/* chunks still to be sent and completed */
};

struct ring {
	struct ring_config c;
	struct tally *t;
	int err;
	struct pnic_cq *cq;
	struct pnic_ep *ep;
	struct pnic_mr *mr;
	void *mem;
	size_t mem_length;
	size_t staging_off;
	struct card_of_rank left, right;
	struct item item[RING_WINDOW];
	uint32_t items, started, finished;
	struct fifo reduce, gather;	/* to be sent */
	struct fifo staged;		/* arrived, to be added */
	uint32_t reduces_sent, credits;	/* to the right; from the right */
	uint32_t added, credited;	/* staging slots emptied; told to the left */
	unsigned int in_flight;		/* posted, not completed */
	unsigned int to_repost;		/* receive entries used up */
	unsigned int byes_sent, byes_got;
	uint64_t bytes_checked;
	uint32_t status_seen;
	int64_t last_progress_ms;
};

/* ring_flow.c */
bool fifo_init(struct fifo *f, uint32_t size);
bool fifo_push(struct fifo *f, const struct xfer *x);
struct xfer *fifo_head(struct fifo *f);
void fifo_pop(struct fifo *f);
struct span ring_span(const struct ring *r, enum ring_kind kind, const struct xfer *x, const struct item *it);
unsigned int ring_chunks(const struct ring *r, enum ring_kind kind, unsigned int step, uint64_t elements);
struct item *ring_item(struct ring *r, uint32_t number);
/* Posts what can be posted; true if something was. */
bool ring_send(struct ring *r);
/* Takes completions; true if there were any. */
bool ring_receive(struct ring *r);
__attribute__((format(printf, 3, 4)))
void ring_fail(struct ring *r, int err, const char *fmt, ...);

/* ring_work.c: one slice of arithmetic; true if there was something to do. */
bool ring_work(struct ring *r);

#endif /* JOB_RING_PRIV_H */
