/* SPDX-License-Identifier: GPL-2.0 */
/* Runs the tool over the made-up kernel. */
#ifndef PNIC_TOOL_RUN_H
#define PNIC_TOOL_RUN_H

#include <jansson.h>

/* What a run left; valid until the next. */
struct ran {
	int status;			/* -1: by a signal */
	char *out, *err;
};

/* @fake: PNIC_FAKE; the arguments as a shell would take them, with redirections. */
__attribute__((format(printf, 2, 3)))
struct ran run(const char *fake, const char *fmt, ...);
/* The output as JSON, checked to be an array of at least @least; NULL and a failure if not. */
json_t *ran_json(const struct ran *r, size_t least);
/* Lines of at most 80 columns, no escape sequence; checked. */
void check_text(const char *what, const char *text);

#endif /* PNIC_TOOL_RUN_H */
