/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How ranks find each other: files in a directory that all of them see. The
 * directory is made afresh for each job.
 */
#ifndef JOB_RENDEZVOUS_H
#define JOB_RENDEZVOUS_H

#include <stdbool.h>
#include <stdint.h>

#include <pnic.h>

/* What a rank tells: how to reach it, and the job as it understands it. */
struct card_of_rank {
	struct pnic_addr addr;
	uint64_t base, key;	/* its buffers, by rank and address */
	uint64_t job;		/* must be equal everywhere */
};

/* 0, or -errno; -ETIMEDOUT: rank @of didn't appear; -ECANCELED: another rank has failed. */
int rendezvous_tell(const char *dir, unsigned int rank, const struct card_of_rank *c);
int rendezvous_ask(const char *dir, unsigned int of, struct card_of_rank *c, int timeout_ms);
/* One rank's failure ends the job of all: say so, ask for it. */
void rendezvous_fail(const char *dir);
bool rendezvous_failed(const char *dir);

#endif /* JOB_RENDEZVOUS_H */
