// SPDX-License-Identifier: GPL-2.0
/* Random field traces as text; see gen_trace.h. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/card.h"
#include "core/fieldtrace.h"
#include "gen_trace.h"
#include "options.h"

enum { OPT_SEED = 256, OPT_COUNT, OPT_MIX, OPT_GAP, OPT_REPAIR, OPT_AGE_RATE, OPT_PROFILE, OPT_NICS,
	OPT_HELP };

static const struct option long_options[] = {
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "count", required_argument, NULL, OPT_COUNT },
	{ "mix", required_argument, NULL, OPT_MIX },
	{ "gap", required_argument, NULL, OPT_GAP },
	{ "repair", required_argument, NULL, OPT_REPAIR },
	{ "age-rate", required_argument, NULL, OPT_AGE_RATE },
	{ "profile", required_argument, NULL, OPT_PROFILE },
	{ "nics", required_argument, NULL, OPT_NICS },
	{ "help", no_argument, NULL, OPT_HELP },
	{}
};

static const char usage[] =
	"usage: pnic-model gen-trace [OPTION ...]\n"
	"\n"
	"A random field trace on standard output, for --trace-play or the control command play.\n"
	"\n"
	"  --seed S         the same seed gives the same trace (default 1)\n"
	"  --count N        faults (default 1000)\n"
	"  --mix KIND=W,... weights: deaths, drifts, flaps, patches, common, rows, misaligns, temperature,\n"
	"                   supply (default deaths=50,drifts=25,flaps=15,patches=5,common=5)\n"
	"  --gap US         from one fault to the next, mean (default 1000)\n"
	"  --repair US      until it is mended, mean (default 20000)\n"
	"  --age-rate H     hours of the ageing clock in a second, for drifts (default 1000)\n"
	"  --profile NAME   of the links (default mosaic-800g)\n"
	"  --nics N         of the fabric (default 2)\n";

static int bad(const char *name, const char *text)
{
	fprintf(stderr, "pnic-model gen-trace: --%s: \"%.60s\"\n", name, text);
	return 2;
}

static bool take_uint(const char *text, uint64_t max, uint64_t *v)
{
	char *end;

	errno = 0;
	*v = strtoull(text, &end, 0);
	return *text && !strchr(text, '-') && !*end && !errno && *v <= max;
}

static bool take_real(const char *text, double *v)
{
	char *end;

	*v = strtod(text, &end);
	return *text && !*end && *v > 0;
}

struct request {
	struct pm_trace_mix mix;
	struct pm_link_config link;
	uint64_t nics;
};

static int take(struct request *q, int opt, const char *name, const char *arg)
{
	char err[160];
	bool ok = true;
	uint64_t u;

	switch (opt) {
	case OPT_SEED:
		ok = take_uint(arg, UINT64_MAX, &q->mix.seed);
		break;
	case OPT_COUNT:
		ok = take_uint(arg, UINT32_MAX, &u);
		q->mix.count = (unsigned int)u;
		break;
	case OPT_MIX:
		ok = pm_trace_mix_parse(&q->mix, arg, err, sizeof(err));
		if (!ok)
			fprintf(stderr, "pnic-model gen-trace: --mix: %s\n", err);
		return ok ? 0 : 2;
	case OPT_GAP:
		ok = take_real(arg, &q->mix.gap_us);
		break;
	case OPT_REPAIR:
		ok = take_real(arg, &q->mix.repair_us);
		break;
	case OPT_AGE_RATE:
		ok = take_real(arg, &q->mix.age_rate);
		break;
	case OPT_PROFILE:
		pm_link_config_defaults(&q->link, arg);
		ok = q->link.profile;
		break;
	case OPT_NICS:
		ok = take_uint(arg, MAX_NICS, &q->nics) && q->nics;
		break;
	}
	return ok ? 0 : bad(name, arg);
}

static int generate(const struct request *q)
{
	struct pm_trace_shape shape = { &q->link, (unsigned int)q->nics, q->nics != 2 };
	struct pm_trace *t;
	char err[160];

	t = pm_trace_random(&q->mix, &shape, err, sizeof(err));
	if (!t) {
		fprintf(stderr, "pnic-model gen-trace: %s\n", err);
		return 2;
	}
	if (pm_trace_write(t, stdout)) {
		fprintf(stderr, "pnic-model gen-trace: standard output: %s\n", strerror(errno));
		pm_trace_free(t);
		return 1;
	}
	pm_trace_free(t);
	return 0;
}

int gen_trace_main(int argc, char **argv)
{
	struct request q = { .nics = 2 };
	int opt, at, err;

	pm_trace_mix_defaults(&q.mix);
	pm_link_config_defaults(&q.link, "mosaic-800g");
	while ((opt = getopt_long(argc, argv, "", long_options, &at)) != -1) {
		if (opt == '?')
			return 2;
		if (opt == OPT_HELP) {
			fputs(usage, stdout);
			return 0;
		}
		err = take(&q, opt, long_options[at].name, optarg);
		if (err)
			return err;
	}
	if (optind < argc)
		return bad("help", argv[optind]);
	return generate(&q);
}
