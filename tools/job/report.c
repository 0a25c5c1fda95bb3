// SPDX-License-Identifier: GPL-2.0
/*
 * The lines that a rank prints: see report.h. Every line is flushed: somebody follows them.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <time.h>

#include "report.h"

#define PROGRESS_MS	200

int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void report_start(struct report *r)
{
	if (r->json)
		fprintf(r->out, "{\"ev\":\"start\",\"rank\":%u,\"total\":%" PRIu64 "}\n", r->rank, r->total);
	else
		fprintf(r->out, "rank %u: %" PRIu64 " bytes to reduce\n", r->rank, r->total);
	fflush(r->out);
}

void report_progress(struct report *r, uint64_t done)
{
	int64_t now = now_ms();

	if (now - r->last_ms < PROGRESS_MS)
		return;
	r->last_ms = now;
	if (r->json)
		fprintf(r->out, "{\"ev\":\"progress\",\"rank\":%u,\"done\":%" PRIu64 ",\"total\":%" PRIu64 "}\n",
			r->rank, done, r->total);
	else
		fprintf(r->out, "rank %u: %3" PRIu64 "%%\n", r->rank, r->total ? done * 100 / r->total : 100);
	fflush(r->out);
}

void report_rate(struct report *r, uint32_t mbps, uint32_t width)
{
	if (mbps == r->mbps && width == r->width)
		return;
	r->mbps = mbps;
	r->width = width;
	if (r->json)
		fprintf(r->out, "{\"ev\":\"rate\",\"rank\":%u,\"mbps\":%u,\"width\":%u}\n", r->rank, mbps, width);
	else
		fprintf(r->out, "rank %u: link at %u.%03u Gb/s, %u lanes\n", r->rank, mbps / 1000, mbps % 1000, width);
	fflush(r->out);
}

void report_done(struct report *r, const struct tally *t)
{
	if (r->json)
		fprintf(r->out, "{\"ev\":\"done\",\"rank\":%u,\"moved\":%" PRIu64 ",\"verified\":%" PRIu64
			",\"wrong\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"seconds\":%.3f,\"steps\":%u,\"completions\":%" PRIu64
			"}\n", r->rank, t->moved, t->verified, t->wrong, t->lost, t->seconds, t->steps, t->completions);
	else
		fprintf(r->out, "rank %u: %" PRIu64 " bytes sent, %" PRIu64 " verified, %" PRIu64 " wrong, %" PRIu64
			" transfers lost, %.3f s, %u steps, %" PRIu64 " completions\n", r->rank, t->moved,
			t->verified, t->wrong, t->lost, t->seconds, t->steps, t->completions);
	fflush(r->out);
}

/* A JSON string: what may not stand in one becomes a space or gets a backslash. */
static void put_string(FILE *out, const char *s)
{
	putc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			putc('\\', out);
		putc((unsigned char)*s < ' ' ? ' ' : *s, out);
	}
	putc('"', out);
}

void report_error(struct report *r, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (r->json) {
		fprintf(r->out, "{\"ev\":\"error\",\"rank\":%u,\"text\":", r->rank);
		put_string(r->out, text);
		fprintf(r->out, "}\n");
		fflush(r->out);
	} else {
		fprintf(stderr, "pnic-allreduce: rank %u: %s\n", r->rank, text);
	}
}
