/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Rings of ranks that drive a net table as NCCL's proxy does: a rank has a service thread, which connects, registers
 * and closes, and a progress thread, which sends and receives. What each sends is drawn from the seed, by both ends.
 */
#ifndef PNIC_NCCL_RINGS_H
#define PNIC_NCCL_RINGS_H

#include "door.h"

struct ring_run {
	const struct door *door;
	uint64_t seed;
	int ranks;			/* 2.. */
	int channels;			/* connections from one rank to the next */
	int groups;			/* receives of a connection */
	size_t max_size;
	int devs;
	const int *dev;			/* rank r is on dev[r % devs] */
	bool optional;			/* some receives of one buffer complete when they like */
	bool churn;			/* the service thread registers and takes back meanwhile */
	unsigned int timeout_s;

	/* Out. */
	unsigned long messages;
	unsigned long bytes;
	unsigned long data_errors;	/* wrong bytes, bytes beyond the end, torn lines */
	unsigned long size_errors;
	unsigned long call_errors;	/* a call that said no */
	unsigned long unfinished;	/* connections that had not ended in time */
};

/* True: everything arrived, and right. */
bool ring_run(struct ring_run *run);

/* A small generator; 0 is a good seed too. */
uint64_t rnd(uint64_t *state);

#endif /* PNIC_NCCL_RINGS_H */
