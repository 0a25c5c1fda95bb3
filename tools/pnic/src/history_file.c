// SPDX-License-Identifier: GPL-2.0
/* What is kept of a cable in a file, see history_file.h. */
#include "history_file.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

#include "json.h"
#include "keep.h"
#include "out.h"

#define LOSSES_MAX	65535

static bool is_directory(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* The file's name: in a directory, the serial number with what a name can't have as %XX. */
static int file_name(const char *where, const char *serial, char *path, size_t size)
{
	size_t at = snprintf(path, size, "%s", where);
	const char *s;

	if (!is_directory(where))
		return at < size ? 0 : pnic_error("%.64s...: the name is too long", where);
	if (!*serial)
		return pnic_error("the cable has no serial number: name a file, not a directory");
	if (at && at < size && path[at - 1] != '/')
		at += snprintf(path + at, size - at, "/");
	for (s = serial; *s && at < size; s++) {
		const bool plain = isalnum((unsigned char)*s) || *s == '-' || *s == '_' ||
				   (*s == '.' && s != serial);

		at += snprintf(path + at, size - at, plain ? "%c" : "%%%02X", (unsigned char)*s);
	}
	if (at < size)
		at += snprintf(path + at, size - at, ".json");
	return at < size ? 0 : pnic_error("%.64s...: the name is too long", where);
}

/* --- writing --------------------------------------------------------------------------------- */

static json_t *history_doc(const struct dev *dev, const struct cable *cable,
			   const struct list *entries)
{
	json_t *doc = keep_form(HISTORY_FORMAT, HISTORY_VERSION);
	json_t *records = json_array(), *texts = json_array();
	const struct history *h;
	const struct record *r;

	json_object_set_new(doc, "card_serial", json_text(dev->serial));
	json_object_set_new(doc, "cable_serial", json_text(cable->cable_serial));
	json_object_set_new(doc, "lanes", json_integer(cable->lanes));
	LIST_FOR_EACH(r, &cable->records)
		json_array_append_new(records, json_fields(&record_set, r));
	json_object_set_new(doc, "records", records);
	LIST_FOR_EACH(h, entries) {
		json_t *o = json_fields(&history_set, h);

		json_object_del(o, "dev_index");
		json_array_append_new(texts, o);
	}
	json_object_set_new(doc, "history", texts);
	return doc;
}

int history_write(const char *where, const struct dev *dev, const struct cable *cable,
		  const struct list *entries, char *path, size_t size)
{
	json_t *doc;
	int ret;

	if (file_name(where, cable->cable_serial, path, size))
		return ST_FAILED;
	doc = history_doc(dev, cable, entries);
	ret = keep_json(path, doc);
	json_decref(doc);
	return ret;
}

/* --- reading --------------------------------------------------------------------------------- */

static bool whole(const json_t *o, const char *key, json_int_t max, uint32_t *value)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > max)
		return false;
	*value = json_integer_value(v);
	return true;
}

static int read_record(const char *path, const json_t *o, size_t i, struct cable *cable)
{
	const json_t *bad = json_object_get(o, "known_bad");
	struct record *r, *other;
	uint32_t lane;

	if (!whole(o, "lane", (json_int_t)cable->lanes - 1, &lane))
		return pnic_error("%s: record %zu: \"lane\" is none of 0 to %u", path, i,
				  cable->lanes - 1);
	LIST_FOR_EACH(other, &cable->records)
		if (other->lane == lane)
			return pnic_error("%s: record %zu: a second one of lane %u", path, i, lane);
	r = list_add(&cable->records, sizeof(*r));
	if (!r)
		return pnic_error("out of memory");
	r->lane = lane;
	if (!whole(o, "losses", LOSSES_MAX, &r->losses))
		return pnic_error("%s: record %zu: \"losses\" is not 0 to %u", path, i, LOSSES_MAX);
	if (!whole(o, "age_hours", UINT32_MAX, &r->age_hours))
		return pnic_error("%s: record %zu: \"age_hours\" is no number of hours", path, i);
	if (!json_is_boolean(bad))
		return pnic_error("%s: record %zu: \"known_bad\" is neither true nor false", path,
				  i);
	r->known_bad = json_is_true(bad);
	return 0;
}

static int read_doc(const char *path, const json_t *doc, const char *cable_serial, uint32_t lanes,
		    struct cable *cable)
{
	const char *serial = json_string_value(json_object_get(doc, "cable_serial"));
	const json_t *records = json_object_get(doc, "records");
	const json_t *record;
	size_t i;

	if (kept_form(path, doc, HISTORY_FORMAT, HISTORY_VERSION, "history save"))
		return ST_FAILED;
	if (!serial || strlen(serial) >= sizeof(cable->cable_serial))
		return pnic_error("%s: has no \"cable_serial\"", path);
	if (strcmp(serial, cable_serial))
		return pnic_error("%s: of the cable \"%s\", but \"%s\" is plugged in", path, serial,
				  cable_serial);
	if (!whole(doc, "lanes", UINT32_MAX, &cable->lanes) || cable->lanes != lanes)
		return pnic_error("%s: of %u lanes, but the link has %u", path, cable->lanes,
				  lanes);
	if (!json_is_array(records))
		return pnic_error("%s: has no \"records\"", path);
	snprintf(cable->cable_serial, sizeof(cable->cable_serial), "%s", serial);
	json_array_foreach(records, i, record)
		if (read_record(path, record, i, cable))
			return ST_FAILED;
	return 0;
}

int history_read(const char *where, const char *cable_serial, uint32_t lanes, struct cable *cable,
		 char *path, size_t size)
{
	json_t *doc;
	int ret;

	if (file_name(where, cable_serial, path, size))
		return ST_FAILED;
	doc = kept_json(path, "history save");
	if (!doc)
		return ST_FAILED;
	ret = read_doc(path, doc, cable_serial, lanes, cable);
	json_decref(doc);
	return ret;
}
