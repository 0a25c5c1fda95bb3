/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Verified traffic between two ends by libpnic, for the selftests.
 *
 * An end is a context on one card with a completion queue, an endpoint and
 * registered memory. Patterns are functions of a seed and of the place, so that a
 * byte that is lost, doubled, moved or left over is seen.
 */
#ifndef PNIC_SELFTESTS_TRAFFIC_H
#define PNIC_SELFTESTS_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pnic.h>

#define ALL_RIGHTS (PNIC_MRF_LOCAL_WRITE | PNIC_MRF_REMOTE_READ | PNIC_MRF_REMOTE_WRITE | \
		    PNIC_MRF_REMOTE_ATOMIC)

struct end {
	struct pnic_ctx *ctx;
	struct pnic_cq *cq;
	struct pnic_ep *ep;
	struct pnic_mr *mr;
	struct pnic_addr addr;
	uint8_t *mem;
	size_t size;
};

struct end_attr {
	size_t size;			/* of the memory */
	uint32_t rights;		/* of the region, 0: ALL_RIGHTS */
	uint32_t partition;
	uint32_t ep_flags;
	uint32_t rnr_timeout_us;
	uint32_t sq_slots, rq_entries;	/* 0: 256 */
	uint32_t cq_flags;
};

/* 0 or a negative errno value; what was made until then is gone again. */
int end_open(struct end *e, unsigned int nic, const struct end_attr *attr);
int end_open_name(struct end *e, const char *name, const struct end_attr *attr);
void end_close(struct end *e);
/* One more endpoint on the end's queue, which must have room. */
int end_add_ep(struct end *e, uint32_t sq_slots, uint32_t rq_entries, struct pnic_ep **ep);

/* Waits for one completion of @e: 0, or a negative errno value. */
int end_wait(struct end *e, struct pnic_wc *wc, int timeout_ms);
/* Waits for one completion and says its status, or a negative errno value. */
int end_status(struct end *e, int timeout_ms);
/* No completion comes for @ms. */
bool end_quiet(struct end *e, unsigned int ms);

void pattern_fill(void *buf, size_t len, uint64_t seed);
/* Offset of the first byte that is not @seed's, or @len. */
size_t pattern_check(const void *buf, size_t len, uint64_t seed);
/* The same for one byte repeated. */
size_t byte_check(const void *buf, size_t len, uint8_t byte);

uint64_t random_u64(uint64_t *state);
uint32_t random_below(uint64_t *state, uint32_t n);

#endif /* PNIC_SELFTESTS_TRAFFIC_H */
