/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * pnic-perf: what its files share. main.c has the options, measure.c the tests, show.c what they
 * print.
 *
 * All ends of a test are in this process and driven by one thread, on a card each (or, with fewer cards, on the same
 * one): nothing has to be agreed with another machine, and a byte that is wrong is seen at once.
 */
#ifndef PNIC_PERF_H
#define PNIC_PERF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <pnic.h>

#define PERF_RANKS	8u

enum perf_format { PERF_TEXT, PERF_JSON, PERF_CSV };

struct perf_options {
	const char *devices;		/* NIC n is this with n behind it */
	const char *svg;		/* file, or NULL */
	enum perf_format format;
	uint64_t min, max;		/* sizes, bytes */
	unsigned int count;		/* of transfers (rounds) for each size */
	unsigned int ranks;
	bool verify;
};

/* One size of a test. Times are of one transfer, or one round of all ranks, ns. */
struct perf_row {
	uint64_t size, count;
	double min, p50, p90, p99, p999, max, mean;
	double gbs, mops;
	uint64_t verified, wrong;
};

struct perf_end {
	struct pnic_ctx *ctx;
	struct pnic_cq *cq;
	struct pnic_ep *ep;
	struct pnic_mr *mr;
	uint8_t *mem;
};

struct perf_run {
	const struct perf_options *o;
	struct perf_end end[PERF_RANKS];
	unsigned int ends;
	size_t mem;			/* of each end */
	double *ns;			/* samples, o->count of them */
	unsigned int bad_status;	/* of a transfer that failed */
};

struct perf_test {
	const char *name, *help;
	unsigned int least_ends;	/* 0: as many as the ranks */
	bool one_size;			/* 8 bytes, whatever was asked for */
	/* How much memory an end needs at @size. */
	size_t (*memory)(const struct perf_options *o, uint64_t size);
	/* Fills run->ns; @row: size and count in, verified, wrong and bytes' worth out. 0 or -errno. */
	int (*measure)(struct perf_run *run, struct perf_row *row);
};

/* Monotonic; a pattern of the round, and bytes of @p that are not it. */
double perf_now_ns(void);
void perf_fill(uint8_t *p, uint64_t size, uint64_t round);
void perf_check(struct perf_row *row, const uint8_t *p, uint64_t size, uint64_t round);

/* rails.c: the test of that name. */
int perf_rails(struct perf_run *run, struct perf_row *row);

extern const struct perf_test perf_tests[];
const struct perf_test *perf_find(const char *name);
/* Runs one size. 0 or -errno, with what was wrong on stderr in a line. */
int perf_run(const struct perf_test *t, const struct perf_options *o, uint64_t size, struct perf_row *row);

void perf_show_begin(const struct perf_test *t, const struct perf_options *o);
void perf_show_row(const struct perf_test *t, const struct perf_options *o, const struct perf_row *row, bool first);
void perf_show_end(const struct perf_test *t, const struct perf_options *o);
/* 0 or -errno. */
int perf_svg(const char *path, const struct perf_test *t, const struct perf_row *rows, unsigned int n);

#endif /* PNIC_PERF_H */
