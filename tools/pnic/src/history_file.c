// SPDX-License-Identifier: GPL-2.0
/* What is kept of a cable in a file, see history_file.h. */
#include "history_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "json.h"
#include "out.h"

/* A file of 4,096 lanes and a full history is a hundredth of it. */
#define FILE_MAX	(64 << 20)
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
	json_t *doc = json_object(), *records = json_array(), *texts = json_array();
	const struct history *h;
	const struct record *r;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	json_object_set_new(doc, "format", json_string(HISTORY_FORMAT));
	json_object_set_new(doc, "version", json_integer(HISTORY_VERSION));
	json_object_set_new(doc, "saved", json_string(fmt_wall(now.tv_sec * 1000000000ull +
							       now.tv_nsec)));
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

static int write_all(int fd, const char *p, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= n;
	}
	return 0;
}

/* The entry of the directory must be on the disk too. */
static int sync_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, slash == path ? 1 : slash - path) : strdup(".");
	int fd, ret;

	if (!dir)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (fd < 0)
		return -1;
	ret = fsync(fd);
	/* Some file systems have nothing to sync there. */
	if (ret && (errno == EINVAL || errno == EROFS))
		ret = 0;
	close(fd);
	return ret;
}

static int replace_file(const char *path, const char *text, size_t len)
{
	char temporary[4200];
	int fd, bad;

	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -1;
	bad = fchmod(fd, 0644) || write_all(fd, text, len) || fsync(fd);
	bad = close(fd) || bad;
	if (bad || rename(temporary, path)) {
		bad = errno;
		unlink(temporary);
		errno = bad;
		return -1;
	}
	return sync_directory(path);
}

int history_write(const char *where, const struct dev *dev, const struct cable *cable,
		  const struct list *entries, char *path, size_t size)
{
	json_t *doc;
	char *text;
	int ret;

	if (file_name(where, cable->cable_serial, path, size))
		return ST_FAILED;
	doc = history_doc(dev, cable, entries);
	text = json_dumps(doc, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
	json_decref(doc);
	if (!text)
		return pnic_error("out of memory");
	ret = replace_file(path, text, strlen(text));
	free(text);
	return ret ? pnic_error("%s: %s", path, strerror(errno)) : 0;
}

/* --- reading --------------------------------------------------------------------------------- */

static json_t *parse_file(const char *path)
{
	json_error_t error;
	struct stat st;
	json_t *doc;
	int fd;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		pnic_error("%s: %s", path, strerror(errno));
		return NULL;
	}
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		close(fd);
		pnic_error("%s: no file that history save has written", path);
		return NULL;
	}
	doc = json_loadfd(fd, JSON_REJECT_DUPLICATES, &error);
	close(fd);
	if (!doc)
		pnic_error("%s: truncated or damaged, line %d: %s", path, error.line, error.text);
	return doc;
}

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
	const char *format = json_string_value(json_object_get(doc, "format"));
	const char *serial = json_string_value(json_object_get(doc, "cable_serial"));
	const json_t *version = json_object_get(doc, "version");
	const json_t *records = json_object_get(doc, "records");
	const json_t *record;
	size_t i;

	if (!format || strcmp(format, HISTORY_FORMAT))
		return pnic_error("%s: no file that history save has written", path);
	if (!json_is_integer(version) || json_integer_value(version) != HISTORY_VERSION)
		return pnic_error("%s: of version %lld, this tool reads version %d", path,
				  (long long)json_integer_value(version), HISTORY_VERSION);
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
	doc = parse_file(path);
	if (!doc)
		return ST_FAILED;
	ret = read_doc(path, doc, cable_serial, lanes, cable);
	json_decref(doc);
	return ret;
}
