// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * pnic-perf: latency, bandwidth, message rate and collectives over pnic cards.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "perf.h"

#define ROWS	64u

static const struct option longs[] = {
	{ "devices", required_argument, NULL, 'd' }, { "size", required_argument, NULL, 's' },
	{ "count", required_argument, NULL, 'n' }, { "ranks", required_argument, NULL, 'r' },
	{ "json", no_argument, NULL, 'j' }, { "csv", no_argument, NULL, 'c' },
	{ "svg", required_argument, NULL, 'g' }, { "verify", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
};

static void help(void)
{
	const struct perf_test *t;

	puts("Usage: pnic-perf [OPTION]... TEST\n\nTests:");
	for (t = perf_tests; t->name; t++)
		printf("  %-10s %s\n", t->name, t->help);
	puts("\nOptions:\n"
	     "  -d, --devices PREFIX   NIC n is PREFIX with n behind it: pnic (default: /dev/pnic0, ...),\n"
	     "                         embedded:nic= (cards in the process)\n"
	     "  -s, --size MIN[:MAX]   bytes; MIN, then twice that, ... up to MAX; k, M, G may follow (default 8)\n"
	     "  -n, --count N          transfers, or rounds, for each size (default 1000)\n"
	     "  -r, --ranks N          ends of a collective, cards of rails: 2..8 (default 2)\n"
	     "  -v, --verify           check every byte\n"
	     "  -j, --json             one JSON object\n"
	     "  -c, --csv              comma-separated values\n"
	     "      --svg FILE         draw the medians\n"
	     "  -h, --help             this text\n\n"
	     "Status: 0; 1 a transfer failed, or a byte was wrong; 2 the command line is.");
}

static int usage(const char *what, const char *value)
{
	fprintf(stderr, "pnic-perf: %s: '%s' (pnic-perf --help)\n", what, value);
	return 2;
}

static bool number(const char *text, char **end, uint64_t *v)
{
	static const char units[] = "kMG";
	const char *u;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*v = strtoull(text, end, 10);
	if (errno || *v > UINT32_MAX)
		return false;
	u = **end ? strchr(units, **end) : NULL;
	if (u) {
		*v <<= 10 * (u - units + 1);
		(*end)++;
	}
	return *v <= UINT32_MAX;
}

static bool sizes(struct perf_options *o, const char *text)
{
	char *end;

	if (!number(text, &end, &o->min) || !o->min)
		return false;
	o->max = o->min;
	if (*end == ':' && !number(end + 1, &end, &o->max))
		return false;
	return !*end && o->max >= o->min;
}

static bool small_number(const char *text, unsigned int least, unsigned int most, unsigned int *v)
{
	uint64_t n;
	char *end;

	if (!number(text, &end, &n) || *end || n < least || n > most)
		return false;
	*v = (unsigned int)n;
	return true;
}

/* 0: go on; 1: done, well; else the exit status. */
static int options(struct perf_options *o, int argc, char **argv)
{
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "d:s:n:r:jcvh", longs, NULL)) >= 0) {
		switch (c) {
		case 'd':
			o->devices = optarg;
			break;
		case 's':
			if (!sizes(o, optarg))
				return usage("not a size", optarg);
			break;
		case 'n':
			if (!small_number(optarg, 1, 100000000, &o->count))
				return usage("not a count", optarg);
			break;
		case 'r':
			if (!small_number(optarg, 2, PERF_RANKS, &o->ranks))
				return usage("not 2 to 8 ranks", optarg);
			break;
		case 'j':
			o->format = PERF_JSON;
			break;
		case 'c':
			o->format = PERF_CSV;
			break;
		case 'g':
			o->svg = optarg;
			break;
		case 'v':
			o->verify = true;
			break;
		case 'h':
			help();
			return 1;
		default:
			return usage("no such option, or one without its value", argv[optind - 1]);
		}
	}
	return 0;
}

static int run(const struct perf_test *t, const struct perf_options *o)
{
	static struct perf_row rows[ROWS];
	unsigned int n = 0;
	bool wrong = false;
	uint64_t size;
	int err = 0;

	perf_show_begin(t, o);
	for (size = o->min; size <= o->max && n < ROWS && !err; size *= 2) {
		err = perf_run(t, o, size, &rows[n]);
		if (err)
			break;
		perf_show_row(t, o, &rows[n], !n);
		fflush(stdout);
		wrong |= rows[n].wrong;
		n++;
		if (t->one_size)
			break;
	}
	perf_show_end(t, o);
	if (wrong)
		fprintf(stderr, "pnic-perf: %s: bytes arrived wrong\n", t->name);
	if (!err && o->svg) {
		err = perf_svg(o->svg, t, rows, n);
		if (err)
			fprintf(stderr, "pnic-perf: %s: %s\n", o->svg, strerror(-err));
	}
	return err || wrong;
}

int main(int argc, char **argv)
{
	struct perf_options o = { .devices = "pnic", .min = 8, .max = 8, .count = 1000, .ranks = 2 };
	const struct perf_test *t;
	int ret = options(&o, argc, argv);

	if (ret)
		return ret == 1 ? 0 : ret;
	if (optind != argc - 1)
		return usage("one test is wanted, not", optind < argc ? argv[argc - 1] : "none");
	t = perf_find(argv[optind]);
	if (!t)
		return usage("no such test", argv[optind]);
	if (!strcmp(t->name, "rails") && o.ranks % 2)
		return usage("rails are pairs of cards, so an even number of ranks", "-r");
	return run(t, &o);
}
