/* SPDX-License-Identifier: GPL-2.0 */
/* JSON out of the structs of types.h. Keys are the spec's names with '_' for '-'. */
#ifndef PNIC_TOOL_JSON_H
#define PNIC_TOOL_JSON_H

#include "pnic.h"

/* An object with a member for each attribute that came, and for each flag. NULL: out of memory. */
json_t *json_fields(const struct field_set *set, const void *obj);
/* The same, with the device's name under "dev" in place of "dev_index". */
json_t *json_of(const struct field_set *set, const void *obj, const char *dev);
/* Adds to what the command prints; takes the reference. */
void json_put(struct pnic *p, json_t *value);
/* Prints @value on a line of its own, or indented. */
void json_print(const struct pnic *p, const json_t *value);
/* A string, whatever bytes it has; a number, clamped to what JSON's readers take. */
json_t *json_text(const char *s);
json_t *json_number(uint64_t v);

#endif /* PNIC_TOOL_JSON_H */
