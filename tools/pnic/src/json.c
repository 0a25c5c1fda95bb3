// SPDX-License-Identifier: GPL-2.0
/* JSON out of the structs of types.h, see json.h. */
#include "json.h"

#include <string.h>

#include "decode.h"

json_t *json_text(const char *s)
{
	json_t *v = json_string(s);
	char clean[1024];

	if (v)
		return v;
	decode_text(clean, sizeof(clean), s, strlen(s));
	return json_string(clean);
}

json_t *json_number(uint64_t v)
{
	return json_integer(v < INT64_MAX ? (json_int_t)v : INT64_MAX);
}

static json_t *enum_value(const struct field *f, uint32_t v)
{
	json_t *array;
	unsigned int bit;

	if (!f->bits)
		return json_text(name_of(f->names, v));
	array = json_array();
	for (bit = 0; bit < 32; bit++)
		if (v >> bit & 1)
			json_array_append_new(array, json_text(name_of(f->names, bit)));
	return array;
}

static json_t *value_of(const struct field *f, const void *at)
{
	uint64_t v64;
	uint32_t v32;
	char hex[24];

	switch (f->kind) {
	case F_U8:
		/* Everything of one byte is a switch; knobs have 4 here. */
		if (f->size == 1)
			return json_boolean(*(const uint8_t *)at);
		memcpy(&v32, at, sizeof(v32));
		return json_boolean(v32);
	case F_U32:
		memcpy(&v32, at, sizeof(v32));
		return f->names ? enum_value(f, v32) : json_integer(v32);
	case F_S32:
		memcpy(&v32, at, sizeof(v32));
		return json_integer((int32_t)v32);
	case F_UINT:
		memcpy(&v64, at, sizeof(v64));
		if (strcmp(f->name, "guid"))
			return json_number(v64);
		/* All 64 bits count. */
		snprintf(hex, sizeof(hex), "0x%016llx", (unsigned long long)v64);
		return json_string(hex);
	case F_STR:
		return json_text(at);
	case F_FLAG:
		return json_boolean(*(const bool *)at);
	case F_NEST:
		return json_fields(f->sub, at);
	}
	return json_null();
}

static json_t *list_of(const struct field *f, const struct list *list)
{
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; i < list->n; i++)
		json_array_append_new(array, value_of(f, (char *)list->items + i * f->size));
	return array;
}

static void key_of(char *key, size_t size, const char *name)
{
	char *s;

	snprintf(key, size, "%s", name);
	for (s = key; *s; s++)
		if (*s == '-')
			*s = '_';
}

json_t *json_fields(const struct field_set *set, const void *obj)
{
	json_t *o = json_object();
	const struct field *f;
	char key[64];

	for (f = set->fields; f < set->fields + set->n; f++) {
		const void *at = (const char *)obj + f->off;

		if (f->kind == F_REQUEST)
			continue;
		key_of(key, sizeof(key), f->name);
		if (f->multi)
			json_object_set_new(o, key, list_of(f, at));
		else if (f->kind == F_FLAG || HAS((const struct dev *)obj, f->attr))
			json_object_set_new(o, key, value_of(f, at));
	}
	return o;
}

json_t *json_of(const struct field_set *set, const void *obj, const char *dev)
{
	json_t *o = json_object(), *fields = json_fields(set, obj);

	json_object_set_new(o, "dev", json_text(dev));
	json_object_del(fields, "dev_index");
	json_object_update(o, fields);
	json_decref(fields);
	return o;
}

void json_put(struct pnic *p, json_t *value)
{
	json_array_append_new(p->doc, value);
}

void json_print(const struct pnic *p, const json_t *value)
{
	const size_t flags = JSON_PRESERVE_ORDER |
			     (p->pretty ? JSON_INDENT(4) : JSON_COMPACT);

	json_dumpf(value, stdout, flags);
	putchar('\n');
}
