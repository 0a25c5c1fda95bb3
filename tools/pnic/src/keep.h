/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files that are kept: JSON with a format, its version, and the time. They survive whatever
 * happens while they are written; what is damaged all the same is refused when it is read.
 */
#ifndef PNIC_TOOL_KEEP_H
#define PNIC_TOOL_KEEP_H

#include <jansson.h>

/* A document with nothing in it but what every one has. */
json_t *keep_form(const char *format, int version);
/* Writes @doc as the file @path: the old one or the new one, whole, at any moment. 0, or ST_FAILED. */
int keep_json(const char *path, const json_t *doc);
/* What is in the file; @writer: the command that should have written it. NULL: it was said why. */
json_t *kept_json(const char *path, const char *writer);
/* Is it of that format and version? 0, or ST_FAILED and it was said. */
int kept_form(const char *path, const json_t *doc, const char *format, int version,
	      const char *writer);

#endif /* PNIC_TOOL_KEEP_H */
