// SPDX-License-Identifier: GPL-2.0
/* The log of --trace; see trace.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "trace.h"

static FILE *out;

int trace_open(const char *path)
{
	out = strcmp(path, "-") ? fopen(path, "we") : stderr;
	if (!out)
		return -errno;
	/* Whole lines, so that a log can be followed while it grows. */
	setvbuf(out, NULL, _IOLBF, 0);
	return 0;
}

void trace_close(void)
{
	if (out && out != stderr)
		fclose(out);
	out = NULL;
}

bool trace_on(void)
{
	return out;
}

void trace(unsigned int nic, const char *fmt, ...)
{
	struct timespec ts;
	va_list ap;

	if (!out)
		return;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	fprintf(out, "%lld.%06ld nic%u ", (long long)ts.tv_sec, ts.tv_nsec / 1000, nic);
	va_start(ap, fmt);
	vfprintf(out, fmt, ap);
	va_end(ap);
	fputc('\n', out);
}
