/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Runs the administrator's tool and keeps what it said. The tool is $PNIC_TOOL, or the one that
 * was built beside the tests, or the installed one.
 */
#ifndef PNIC_SELFTESTS_TOOLTEST_H
#define PNIC_SELFTESTS_TOOLTEST_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

/**
 * struct ran - a run
 * @status: its exit status, -1 if a signal ended it
 * @out: its standard output, of up to the next run but seven
 * @err: its standard error
 */
struct ran {
	int status;
	const char *out, *err;
};

/* "pnic ARGUMENTS", as a shell would take them. */
__attribute__((format(printf, 1, 2)))
struct ran tool(const char *fmt, ...);
/* The same by a user without rights. */
__attribute__((format(printf, 1, 2)))
struct ran tool_nobody(const char *fmt, ...);
/* "pnic -j ARGUMENTS": its document, NULL if it failed or that is no array. */
__attribute__((format(printf, 1, 2)))
json_t *tool_json(const char *fmt, ...);
/* Starts it with its output into @path. */
__attribute__((format(printf, 2, 3)))
pid_t tool_start(const char *path, const char *fmt, ...);

/* Nothing of @text is wider than a terminal. */
bool fits(const char *text);
/* Text of a file, "" if there is none; valid like that of a run. */
const char *file_text(const char *path);

/* A member of an object: by its keys with '.' between, as "rx.width"; numbers are positions. */
json_t *member(json_t *v, const char *path);
long long number(json_t *v, const char *path);	/* -1000000 if it is none */
const char *word(json_t *v, const char *path);	/* "" if it is none */

#endif /* PNIC_SELFTESTS_TOOLTEST_H */
