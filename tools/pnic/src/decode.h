/* SPDX-License-Identifier: GPL-2.0 */
/* Attributes of a message into a struct of types.h. The kernel is not trusted either. */
#ifndef PNIC_TOOL_DECODE_H
#define PNIC_TOOL_DECODE_H

#include <stddef.h>

#include "fields.h"

/**
 * decode() - fill a struct from attributes
 * @set: which struct
 * @attrs: the first attribute; needs no alignment
 * @len: bytes of all
 * @obj: zeroed; what was decoded until an error stays in it
 * @why: gets the reason of a failure
 * @size: of @why
 *
 * Attributes that the tables don't know are passed over. Strings that are too long are cut, and
 * bytes that are no text become '?'.
 *
 * Return: 0, or -1.
 */
int decode(const struct field_set *set, const void *attrs, size_t len, void *obj, char *why,
	   size_t size);

/* Copies @len bytes as text: UTF-8 without control characters; anything else becomes '?'. */
void decode_text(char *to, size_t size, const char *from, size_t len);

#endif /* PNIC_TOOL_DECODE_H */
