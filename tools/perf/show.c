// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What pnic-perf prints: a table, JSON, CSV, and a picture.
 */
#include <errno.h>
#include <math.h>

#include "perf.h"

void perf_show_begin(const struct perf_test *t, const struct perf_options *o)
{
	switch (o->format) {
	case PERF_JSON:
		printf("{\"test\":\"%s\",\"devices\":\"%s\",\"ranks\":%u,\"verify\":%s,\"rows\":[", t->name, o->devices,
		       o->ranks, o->verify ? "true" : "false");
		break;
	case PERF_CSV:
		puts("test,size,count,min_ns,p50_ns,p90_ns,p99_ns,p999_ns,max_ns,mean_ns,gbs,mops,verified,wrong");
		break;
	case PERF_TEXT:
		printf("%s: %s\n%12s %8s %10s %10s %10s %10s %12s %9s %9s%s\n", t->name, t->help, "bytes", "count", "min ns",
		       "p50 ns", "p99 ns", "p99.9 ns", "max ns", "GB/s", "Mop/s", o->verify ? "  verified" : "");
		break;
	}
}

void perf_show_row(const struct perf_test *t, const struct perf_options *o, const struct perf_row *row, bool first)
{
	switch (o->format) {
	case PERF_JSON:
		printf("%s{\"size\":%llu,\"count\":%llu,\"min_ns\":%.1f,\"p50_ns\":%.1f,\"p90_ns\":%.1f,\"p99_ns\":%.1f,"
		       "\"p999_ns\":%.1f,\"max_ns\":%.1f,\"mean_ns\":%.1f,\"gbs\":%.4f,\"mops\":%.4f,"
		       "\"verified\":%llu,\"wrong\":%llu}", first ? "" : ",", (unsigned long long)row->size,
		       (unsigned long long)row->count, row->min, row->p50, row->p90, row->p99, row->p999, row->max,
		       row->mean, row->gbs, row->mops, (unsigned long long)row->verified,
		       (unsigned long long)row->wrong);
		break;
	case PERF_CSV:
		printf("%s,%llu,%llu,%.1f,%.1f,%.1f,%.1f,%.1f,%.1f,%.1f,%.4f,%.4f,%llu,%llu\n", t->name,
		       (unsigned long long)row->size, (unsigned long long)row->count, row->min, row->p50, row->p90,
		       row->p99, row->p999, row->max, row->mean, row->gbs, row->mops,
		       (unsigned long long)row->verified, (unsigned long long)row->wrong);
		break;
	case PERF_TEXT:
		printf("%12llu %8llu %10.0f %10.0f %10.0f %10.0f %12.0f %9.3f %9.3f", (unsigned long long)row->size,
		       (unsigned long long)row->count, row->min, row->p50, row->p99, row->p999, row->max, row->gbs,
		       row->mops);
		if (o->verify)
			printf("  %llu bytes, %llu wrong", (unsigned long long)row->verified,
			       (unsigned long long)row->wrong);
		putchar('\n');
		break;
	}
}

void perf_show_end(const struct perf_test *t, const struct perf_options *o)
{
	(void)t;
	if (o->format == PERF_JSON)
		puts("]}");
}

/* --- the picture: median time by size, both logarithmic ---- */

#define WIDTH	640
#define HEIGHT	400
#define LEFT	80
#define BOTTOM	50
#define TOP	40
#define RIGHT	20

static double place(double v, double lo, double hi, double from, double to)
{
	return hi > lo ? from + (log2(v) - log2(lo)) / (log2(hi) - log2(lo)) * (to - from) : (from + to) / 2;
}

static void axes(FILE *f, const struct perf_test *t, const struct perf_row *rows, unsigned int n, double lo, double hi)
{
	unsigned int i;

	fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" "
		"font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
		"<text x=\"%d\" y=\"22\" font-size=\"15\">pnic-perf %s: median, ns</text>\n", WIDTH, HEIGHT, LEFT, t->name);
	for (i = 0; i < n; i++)
		fprintf(f, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%llu</text>\n",
			place((double)rows[i].size, (double)rows[0].size, (double)rows[n - 1].size, LEFT, WIDTH - RIGHT),
			HEIGHT - BOTTOM + 20, (unsigned long long)rows[i].size);
	fprintf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.0f</text>\n<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.0f"
		"</text>\n<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"black\"/>\n", LEFT - 6, HEIGHT - BOTTOM, lo, LEFT - 6,
		TOP + 10, hi, LEFT, TOP, HEIGHT - BOTTOM, WIDTH - RIGHT);
}

int perf_svg(const char *path, const struct perf_test *t, const struct perf_row *rows, unsigned int n)
{
	double lo = rows[0].p50, hi = rows[0].p50;
	FILE *f = fopen(path, "w");
	unsigned int i;

	if (!f)
		return -errno;
	for (i = 1; i < n; i++) {
		lo = fmin(lo, rows[i].p50);
		hi = fmax(hi, rows[i].p50);
	}
	axes(f, t, rows, n, lo, hi);
	fprintf(f, "<polyline fill=\"none\" stroke=\"#1f5fa8\" stroke-width=\"2\" points=\"");
	for (i = 0; i < n; i++)
		fprintf(f, "%.1f,%.1f ", place((double)rows[i].size, (double)rows[0].size, (double)rows[n - 1].size, LEFT,
					       WIDTH - RIGHT), place(rows[i].p50, lo, hi, HEIGHT - BOTTOM, TOP));
	fprintf(f, "\"/>\n</svg>\n");
	return fclose(f) ? -errno : 0;
}
