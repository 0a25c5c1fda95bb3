/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs of `make bench-lib` share: a clock, and lines for pnic-vm's bench.
 *
 * Each measures the same three things of its library, ROUNDS times, and says the best: other load on the
 * machine only makes it slower.
 *   lat	8 bytes put (or sent) from one end, seen at the other, and back: half of that, ns
 *   rate	8-byte puts (or sends) in a row, of one process: million a second
 *   bw	puts (or sends) of 1 MiB: GB/s
 */
#ifndef PNIC_BENCH_H
#define PNIC_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* In a guest that is emulated fewer will do. */
#ifndef BENCH_ROUNDS
#define BENCH_ROUNDS	7
#define BENCH_LAT	5000		/* round trips */
#define BENCH_RATE	400000		/* transfers */
#define BENCH_BW	300
#endif
#define BENCH_MIB	(1u << 20)

struct bench_best {
	double lat, rate, bw;
};

static inline double bench_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline void bench_lat(struct bench_best *b, double ns, double trips)
{
	if (!(b->lat > 0) || ns / trips / 2 < b->lat)
		b->lat = ns / trips / 2;
}

static inline void bench_rate(struct bench_best *b, double ns, double transfers)
{
	if (transfers / ns * 1e3 > b->rate)
		b->rate = transfers / ns * 1e3;
}

static inline void bench_bw(struct bench_best *b, double ns, double bytes)
{
	if (bytes / ns > b->bw)
		b->bw = bytes / ns;
}

static inline void bench_figure(const char *who, const char *key, double value, const char *meaning)
{
	printf("# figure %s_%s %.6g %s\n", who, key, value, meaning);
	fflush(stdout);
}

static inline void bench_say(const char *who, const struct bench_best *b, const char *how)
{
	char text[160];

	snprintf(text, sizeof(text), "ns, 8 bytes one way, %s", how);
	bench_figure(who, "lat_ns", b->lat, text);
	snprintf(text, sizeof(text), "million 8-byte transfers a second, %s", how);
	bench_figure(who, "rate_mps", b->rate, text);
	snprintf(text, sizeof(text), "GB/s, 1 MiB transfers, %s", how);
	bench_figure(who, "bw_gbs", b->bw, text);
}

#define BENCH_CHECK(x) do {							\
	long bench_v = (long)(x);						\
										\
	if (bench_v) {								\
		fprintf(stderr, "%s:%d: %s gave %ld\n", __FILE__, __LINE__, #x, bench_v); \
		exit(2);							\
	}									\
} while (0)

#endif /* PNIC_BENCH_H */
