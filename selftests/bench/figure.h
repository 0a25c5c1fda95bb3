/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Figures of a benchmark: a line each, which tools/vm/pnicvm/bench.py collects into
 * build/results/. The programs are KTAP programs all the same, so that what a
 * figure must be is checked where it does not depend on the machine.
 */
#ifndef PNIC_BENCH_FIGURE_H
#define PNIC_BENCH_FIGURE_H

#include "selftests/ktap.h"

/* @key: of the JSON object; @meaning: what a person should read into it, with the unit. */
static inline void figure(const char *key, double value, const char *meaning)
{
	ktap_say("figure %s %.10g %s", key, value, meaning);
}

/* A number from the environment: how long, or which run. */
static inline unsigned long long bench_setting(const char *name, unsigned long long otherwise)
{
	const char *text = getenv(name);
	char *end;
	unsigned long long v;

	if (!text || !*text)
		return otherwise;
	v = strtoull(text, &end, 0);
	if (*end) {
		fprintf(stderr, "%s=%s: not a number\n", name, text);
		exit(2);
	}
	return v;
}

#endif /* PNIC_BENCH_FIGURE_H */
