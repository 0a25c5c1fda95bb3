/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables that join the attributes of the spec to the members of the structs in types.h.
 * Decoding, JSON and the names in messages all come out of them; a test compares them with
 * the spec.
 */
#ifndef PNIC_TOOL_FIELDS_H
#define PNIC_TOOL_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "names.h"
#include "types.h"

enum field_kind {
	F_U8, F_U32, F_S32,
	F_UINT,				/* 4 or 8 bytes in a message, uint64_t here */
	F_STR, F_FLAG, F_NEST,
	F_REQUEST,			/* only in requests: no member */
};

/**
 * struct field - an attribute
 * @attr: its number
 * @kind: type in a message
 * @multi: comes any number of times; the member is a struct list
 * @bits: with @names: a set of flags
 * @off: of the member
 * @size: of the member; of an element if @multi
 * @name: as in the spec; with '_' for '-' it is the key in JSON
 * @names: of an enum's values, or NULL
 * @sub: of a nest
 */
struct field {
	uint16_t attr;
	uint8_t kind;
	bool multi, bits;
	uint16_t off, size;
	const char *name;
	const struct names *names;
	const struct field_set *sub;
};

struct field_set {
	const char *name;		/* of the attribute set */
	const struct field *fields;
	unsigned int n;
	size_t size;			/* of the struct */
};

extern const struct field_set dev_set, link_dir_set, forecast_set, bucket_set, link_set, lane_set;
extern const struct field_set move_set, plan_set, policy_set, history_set, record_set, cable_set;
extern const struct field_set counters_set, res_set, object_set, grant_set, change_set, lane_event_set;
extern const struct field_set health_set;
/* All of them, ended by NULL. */
extern const struct field_set *const field_sets[];

/* The field of attribute @attr, or NULL. */
const struct field *field_of(const struct field_set *set, unsigned int attr);

/* Appends room for one more of @size bytes, zeroed; NULL when memory is out. */
void *list_add(struct list *list, size_t size);
/* Frees what @obj holds below it, and clears it. */
void fields_clear(const struct field_set *set, void *obj);
/* Frees a list of objects. */
void fields_clear_list(const struct field_set *set, struct list *list);

#define LIST_FOR_EACH(pos, list)					\
	for ((pos) = (list)->items;					\
	     (pos) && (pos) < (__typeof__(pos))(list)->items + (list)->n; (pos)++)

#endif /* PNIC_TOOL_FIELDS_H */
