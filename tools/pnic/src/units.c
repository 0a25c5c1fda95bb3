// SPDX-License-Identifier: GPL-2.0
/* Quantities in words, see out.h. */
#include <math.h>
#include <time.h>

#include "out.h"

#define BUFFERS		16
#define BUFFER_SIZE	48

static char *buffer(void)
{
	static char buffers[BUFFERS][BUFFER_SIZE];
	static unsigned int turn;

	return buffers[turn++ % BUFFERS];
}

/* @v in the largest of @units that leaves at least 1, the next one being @step[i] times as much. */
static const char *scaled(double v, const char *const *units, const double *step)
{
	char *s = buffer();
	unsigned int i;

	for (i = 0; units[i + 1] && v >= step[i]; i++)
		v /= step[i];
	if (i ? v < 99.95 : v != floor(v))
		snprintf(s, BUFFER_SIZE, "%.1f %s", v, units[i]);
	else
		snprintf(s, BUFFER_SIZE, "%.0f %s", v, units[i]);
	return s;
}

const char *fmt_rate(uint64_t mbps)
{
	char *s = buffer();

	if (mbps < 1000)
		snprintf(s, BUFFER_SIZE, "%llu Mb/s", (unsigned long long)mbps);
	else
		snprintf(s, BUFFER_SIZE, "%.1f Gb/s", mbps / 1000.0);
	return s;
}

const char *fmt_bytes(uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", NULL };
	static const double step[] = { 1024, 1024, 1024, 1024 };

	return scaled(bytes, units, step);
}

const char *fmt_ppb(uint32_t ppb)
{
	char *s = buffer();

	if (!ppb)
		return "0";
	snprintf(s, BUFFER_SIZE, "%.1e", ppb / 1e9);
	return s;
}

const char *fmt_ns(uint64_t ns)
{
	static const char *const units[] = { "ns", "us", "ms", "s", NULL };
	static const double step[] = { 1000, 1000, 1000 };

	return scaled(ns, units, step);
}

const char *fmt_seconds(uint64_t seconds)
{
	static const char *const units[] = { "s", "min", "h", "days", "years", NULL };
	static const double step[] = { 60, 60, 24, 365.25 };

	return scaled(seconds, units, step);
}

const char *fmt_cdb(int32_t cdb)
{
	char *s = buffer();

	snprintf(s, BUFFER_SIZE, "%+.2f dB", cdb / 100.0);
	return s;
}

const char *fmt_wall(uint64_t ns)
{
	time_t t = ns / 1000000000;
	char *s = buffer();
	struct tm tm;
	size_t n;

	/* UTC, for a text that is the same everywhere. */
	if (!gmtime_r(&t, &tm))
		return "?";
	n = strftime(s, BUFFER_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(s + n, BUFFER_SIZE - n, ".%06uZ", (unsigned int)(ns % 1000000000 / 1000));
	return s;
}

const char *fmt_margin(int32_t margin)
{
	char *s = buffer();

	if (margin < 0)
		return "none, codewords are lost";
	snprintf(s, BUFFER_SIZE, "%d lane%s", margin, margin == 1 ? "" : "s");
	return s;
}
