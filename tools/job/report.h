/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a rank says while it works: one JSON object a line, or plain text.
 */
#ifndef JOB_REPORT_H
#define JOB_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct report {
	FILE *out;
	bool json;
	unsigned int rank;
	uint64_t total;		/* bytes to be reduced, all steps */
	int64_t last_ms;	/* when progress was last said */
	uint32_t mbps, width;	/* last said */
};

/* The end of the job, in numbers. */
struct tally {
	uint64_t moved;		/* payload bytes that this rank sent and that arrived */
	uint64_t verified;	/* bytes compared with the reference and right */
	uint64_t wrong;		/* bytes that were not */
	uint64_t lost;		/* transfers that failed or never completed */
	uint64_t completions;
	uint32_t steps;
	double seconds;
};

int64_t now_ms(void);
void report_start(struct report *r);
/* At most five times a second. */
void report_progress(struct report *r, uint64_t done);
/* When either changed. */
void report_rate(struct report *r, uint32_t mbps, uint32_t width);
void report_done(struct report *r, const struct tally *t);
__attribute__((format(printf, 2, 3)))
void report_error(struct report *r, const char *fmt, ...);

#endif /* JOB_REPORT_H */
