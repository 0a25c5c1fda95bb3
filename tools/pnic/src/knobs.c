// SPDX-License-Identifier: GPL-2.0
/* The knobs of the lane manager, see knobs.h; a test compares ranges with the spec. */
#include "knobs.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"

#define A(x)	PNIC_A_POLICY_##x

const struct knob knobs[] = {
	{A(MANAGE), "manage", 0, 1, "whether the lane manager changes anything by itself"},
	{A(STANDBY), "standby", 0, 1, "whether a standby plan is kept in the card"},
	{A(WATCH_PPB), "watch-ppb", 1, 1000000000, "wrong symbols past which a lane is watched"},
	{A(RETIRE_PPB), "retire-ppb", 1, 1000000000, "past which it is replaced"},
	{A(FAIL_PPB), "fail-ppb", 1, 1000000000, "past which it counts as lost"},
	{A(MIN_ERRORS), "min-errors", 1, 65535, "wrong symbols before a rate is believed"},
	{A(COMMON_PCT), "common-pct", 1, 100,
	 "share of the map's lanes that move together in a common mode"},
	{A(COMMON_CDB), "common-cdb", 1, 10000,
	 "median loss of power of all lanes that is a common mode"},
	{A(CLUSTER_MIN), "cluster-min", 2, 4096, "neighbours lost at one time that are a cluster"},
	{A(CLUSTER_MS), "cluster-ms", 0, 3600000, "what is one time"},
	{A(MARGIN_FLOOR), "margin-floor", 0, 4096,
	 "margin below which a working lane may be given up without a spare"},
	{A(HORIZON_S), "horizon-s", 0, 31536000,
	 "a lane whose trend reaches the retire limit within it is replaced; 0: never"},
	{A(QUARANTINE_MS), "quarantine-ms", 0, 86400000, "first probation; doubles with each loss"},
	{A(QUARANTINE_MAX_MS), "quarantine-max-ms", 0, 86400000, "longest probation"},
	{A(CALM_MS), "calm-ms", 0, 3600000,
	 "after a change, before a lane is replaced that still works"},
	{A(GROW_MS), "grow-ms", 0, 86400000, "after a change, before the width grows"},
	{A(BUDGET_MS), "budget-ms", 1, 60000,
	 "work on maps that could wait, at most so much in each second"},
	{A(SETTLE_US), "settle-us", 0, 1000000, "lane events within it make one change"},
	{A(POLL_MS), "poll-ms", 10, 3600000, "the lane table is read at least so often"},
	{A(TEST_MBITS), "test-mbits", 0, 1048576, "bits of a PRBS test, 2^20; 0: no tests"},
	{}};

/* The unit in the name, "" if it has none. */
static const char *unit_of(const struct knob *k)
{
	static const char *const units[] = { "ppb", "pct", "cdb", "ms", "us", "s", "mbits" };
	const char *dash = strrchr(k->name, '-');
	unsigned int i;

	for (i = 0; dash && i < ARRAY_SIZE(units); i++)
		if (!strcmp(dash + 1, units[i]))
			return units[i];
	return "";
}

const struct knob *knob_find(const char *name, char *why, size_t size)
{
	const struct knob *k, *found = NULL;
	size_t len = strlen(name), bare;
	unsigned int n = 0;

	for (k = knobs; k->name; k++) {
		bare = strlen(k->name) - (*unit_of(k) ? strlen(unit_of(k)) + 1 : 0);
		if (!strcmp(k->name, name) || (len == bare && !strncmp(k->name, name, len)))
			return k;
		if (len && !strncmp(k->name, name, len)) {
			found = k;
			n++;
		}
	}
	if (n == 1)
		return found;
	snprintf(why, size, "\"%s\" is %s; pnic policy show lists the knobs", name,
		 n ? "ambiguous" : "no knob");
	return NULL;
}

/* Factors to the base unit of a kind of quantity. */
static const struct {
	const char *kind, *unit;
	double factor;
} factors[] = {
	{ "t", "ns", 1e-9 }, { "t", "us", 1e-6 }, { "t", "ms", 1e-3 }, { "t", "s", 1 },
	{ "t", "sec", 1 }, { "t", "m", 60 }, { "t", "min", 60 }, { "t", "h", 3600 },
	{ "t", "d", 86400 },
	{ "cdb", "dB", 100 }, { "cdb", "db", 100 }, { "cdb", "cdb", 1 },
	{ "pct", "%", 1 }, { "ppb", "ppb", 1 }, { "ppb", "ppm", 1000 },
	{ "mbits", "Mbit", 1 }, { "mbits", "Gbit", 1024 },
};

static const char *kind_of(const struct knob *k)
{
	const char *unit = unit_of(k);

	return !strcmp(unit, "s") || !strcmp(unit, "ms") || !strcmp(unit, "us") ? "t" : unit;
}

/* What @unit makes of a number, in the knob's unit; 0: no such unit here. */
static double factor_of(const struct knob *k, const char *unit)
{
	const char *kind = kind_of(k);
	double own = 1, given = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(factors); i++) {
		if (strcmp(factors[i].kind, kind))
			continue;
		if (!strcmp(factors[i].unit, unit))
			given = factors[i].factor;
		if (*kind == 't' && !strcmp(factors[i].unit, unit_of(k)))
			own = factors[i].factor;
	}
	return given / own;
}

static int parse_switch(const char *word, uint32_t *value)
{
	static const char *const words[] = { "off", "on", "no", "yes", "false", "true", "0", "1" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i], word)) {
			*value = i & 1;
			return 0;
		}
	return -1;
}

/* A decimal number, with a unit; 0, -1. */
static int parse_quantity(const struct knob *k, const char *word, double *value)
{
	const bool rate = !strcmp(unit_of(k), "ppb");
	char *end;

	if (!isdigit((unsigned char)*word) && *word != '.')
		return -1;
	if (word[0] == '0' && (word[1] == 'x' || word[1] == 'X'))
		return -1;
	*value = strtod(word, &end);
	if (*end) {
		*value *= factor_of(k, end);
		if (!factor_of(k, end))
			return -1;
	} else if (rate && strpbrk(word, ".eE")) {
		/* 2.4e-6: a share of all symbols. */
		*value *= 1e9;
	}
	return isfinite(*value) ? 0 : -1;
}

int knob_parse(const struct knob *k, const char *word, uint32_t *value, char *why, size_t size)
{
	const char *example = "";
	double v, whole;

	if (k->max == 1 && !k->min) {
		if (!parse_switch(word, value))
			return 0;
		snprintf(why, size, "%s: \"%s\" is neither on nor off", k->name, word);
		return -1;
	}
	if (*kind_of(k) == 't')
		example = ", or as 10ms, 5s, 2h";
	else if (!strcmp(unit_of(k), "ppb"))
		example = ", or as 2.4e-6";
	if (!parse_quantity(k, word, &v)) {
		whole = nearbyint(v);
		/* So near that only the binary fraction is in between. */
		if (fabs(v - whole) <= 1e-6 * fmax(1, fabs(v)) && whole >= k->min &&
		    whole <= k->max) {
			*value = whole;
			return 0;
		}
	}
	snprintf(why, size, "%s: \"%s\" is no value of it: %u to %u%s%s%s", k->name, word, k->min,
		 k->max, *unit_of(k) ? " " : "", unit_of(k), example);
	return -1;
}

const char *knob_text(const struct knob *k, uint32_t value)
{
	static char s[48];

	if (k->max == 1 && !k->min)
		return value ? "on" : "off";
	if (!strcmp(unit_of(k), "ppb"))
		snprintf(s, sizeof(s), "%s", fmt_ppb(value));
	else if (!strcmp(unit_of(k), "pct"))
		snprintf(s, sizeof(s), "%u %%", value);
	else if (!strcmp(unit_of(k), "cdb"))
		snprintf(s, sizeof(s), "%.2f dB", value / 100.0);
	else if (!strcmp(unit_of(k), "mbits"))
		snprintf(s, sizeof(s), "%u Mbit", value);
	else if (!strcmp(unit_of(k), "us"))
		snprintf(s, sizeof(s), "%s", fmt_ns(1000ull * value));
	else if (!strcmp(unit_of(k), "ms") && value < 1000)
		snprintf(s, sizeof(s), "%u ms", value);
	else if (!strcmp(unit_of(k), "ms") && value % 1000)
		snprintf(s, sizeof(s), "%.3f s", value / 1000.0);
	else if (!strcmp(unit_of(k), "ms"))
		snprintf(s, sizeof(s), "%s", fmt_seconds(value / 1000));
	else if (!strcmp(unit_of(k), "s"))
		snprintf(s, sizeof(s), "%s", fmt_seconds(value));
	else
		snprintf(s, sizeof(s), "%u", value);
	return s;
}
