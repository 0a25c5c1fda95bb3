// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/* What the environment says, messages, and errors as NCCL has them. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "core.h"

#define PREFIX	"PNIC_NCCL_"

struct config config;
static nccl_logger logger;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t loud_lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t loud_seen[64];
static unsigned int loud_count;

extern char **environ;

struct knob {
	const char *name;
	size_t at;
	size_t text;			/* room for a text; 0: a number */
	long def, min, max;
};
#define NUMBER(name, member, def, min, max) { name, offsetof(struct config, member), 0, def, min, max }
#define TEXT(name, member) { name, offsetof(struct config, member), sizeof(config.member), 0, 0, 0 }

static const struct knob knobs[] = {
	TEXT("DEVICES", devices),
	NUMBER("PARTITION", partition, 0, 0, 65535),
	NUMBER("TIMEOUT_MS", timeout_ms, 20000, 1, 3600000),
	NUMBER("PROBE_MS", probe_ms, 2000, 1, 3600000),
	NUMBER("STRIPE", stripe, 65536, 128, MAX_MESSAGE),
	NUMBER("FUSE", fuse, 1, 0, 1),
	TEXT("PLANES", planes),
	NUMBER("TUNER", tuner, 1, 0, 1),
	NUMBER("PROFILE", profile, 1, 0, 1),
	NUMBER("SHOW", show, 0, 0, 1),
};
#define KNOBS	(sizeof(knobs) / sizeof(knobs[0]))

void log_set(nccl_logger log)
{
	if (log)
		__atomic_store_n(&logger, log, __ATOMIC_RELAXED);
}

void log_line(int level, unsigned long subsystems, const char *file, int line, const char *fmt, ...)
{
	nccl_logger log = __atomic_load_n(&logger, __ATOMIC_RELAXED);
	char buf[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (log)
		log(level, subsystems, file, line, "%s", buf);
	else if (level <= NCCL_LOG_WARN)
		fprintf(stderr, "%s\n", buf);
}

void log_loud(const char *fmt, ...)
{
	nccl_logger log = __atomic_load_n(&logger, __ATOMIC_RELAXED);
	uint32_t hash = 5381;
	bool seen = false;
	unsigned int i;
	char buf[1024];
	va_list ap;
	char *p;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	for (p = buf; *p; p++)
		hash = hash * 33 + (unsigned char)*p;
	pthread_mutex_lock(&loud_lock);
	for (i = 0; i < loud_count; i++)
		seen |= loud_seen[i] == hash;
	if (!seen && loud_count < sizeof(loud_seen) / sizeof(loud_seen[0]))
		loud_seen[loud_count++] = hash;
	pthread_mutex_unlock(&loud_lock);
	if (seen)
		return;
	fprintf(stderr, "NET/pnic: %s\n", buf);
	if (log)
		log(NCCL_LOG_INFO, NCCL_SUB_INIT | NCCL_SUB_NET, __FILE__, __LINE__, "NET/pnic: %s", buf);
}

static void read_knob(const struct knob *k)
{
	char *at = (char *)&config + k->at, *end;
	char name[64];
	const char *v;
	long n;

	snprintf(name, sizeof(name), PREFIX "%s", k->name);
	v = getenv(name);
	if (k->text) {
		if (v && strlen(v) >= k->text)
			log_loud("%s is longer than %zu characters: ignored", name, k->text - 1);
		snprintf(at, k->text, "%s", v && strlen(v) < k->text ? v : "");
		return;
	}
	*(long *)(void *)at = k->def;
	if (!v || !*v)
		return;
	errno = 0;
	n = strtol(v, &end, 0);
	if (errno || *end || n < k->min || n > k->max)
		log_loud("%s=%s is not a number from %ld to %ld: taking %ld", name, v, k->min, k->max, k->def);
	else
		*(long *)(void *)at = n;
}

/* A name that was mistyped is worse than none. */
static void read_strangers(void)
{
	unsigned int i;
	char **e;

	for (e = environ; *e; e++) {
		const char *name = *e + strlen(PREFIX);
		size_t length;

		if (strncmp(*e, PREFIX, strlen(PREFIX)) || !strchr(name, '='))
			continue;
		length = (size_t)(strchr(name, '=') - name);
		for (i = 0; i < KNOBS; i++)
			if (strlen(knobs[i].name) == length && !strncmp(knobs[i].name, name, length))
				break;
		if (i == KNOBS)
			log_loud(PREFIX "%.*s means nothing here: is it mistyped?", (int)length, name);
	}
}

static void read_all(void)
{
	unsigned int i;

	for (i = 0; i < KNOBS; i++)
		read_knob(&knobs[i]);
	read_strangers();
}

void config_read(void)
{
	pthread_once(&once, read_all);
}

void config_show(void)
{
	unsigned int i;
	char name[64];

	for (i = 0; i < KNOBS; i++) {
		const char *at = (const char *)&config + knobs[i].at;
		const char *from;

		snprintf(name, sizeof(name), PREFIX "%s", knobs[i].name);
		from = getenv(name) ? "environment" : "default";
		if (knobs[i].text)
			fprintf(stderr, "NET/pnic: %s=\"%s\" (%s)\n", name, at, from);
		else
			fprintf(stderr, "NET/pnic: %s=%ld (%s)\n", name, *(const long *)(const void *)at, from);
	}
}

nccl_result result_of(int err)
{
	switch (err) {
	case 0:
		return NCCL_OK;
	case -EINVAL:
	case -EBADF:
		return NCCL_INVALID_ARGUMENT;
	default:
		return NCCL_SYSTEM_ERROR;
	}
}

nccl_result result_of_status(unsigned int status)
{
	switch (status) {
	case PNIC_ST_OK:
		return NCCL_OK;
	case PNIC_ST_BAD_DESC:
	case PNIC_ST_ALIGN:
		return NCCL_INTERNAL_ERROR;
	case PNIC_ST_LOCAL_KEY:
	case PNIC_ST_LOCAL_BOUNDS:
	case PNIC_ST_LOCAL_RIGHTS:
		return NCCL_INVALID_USAGE;
	case PNIC_ST_DMA_FAULT:
	case PNIC_ST_OVERRUN:
	case PNIC_ST_FATAL:
		return NCCL_SYSTEM_ERROR;
	default:
		return NCCL_REMOTE_ERROR;
	}
}

uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t random64(void)
{
	uint64_t r;

	if (getrandom(&r, sizeof(r), 0) != sizeof(r))
		r = now_ms() * 0x9e3779b97f4a7c15ULL ^ (uintptr_t)&r;
	return r ? r : 1;
}
