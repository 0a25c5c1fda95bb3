// SPDX-License-Identifier: GPL-2.0
/* Files that are kept, see keep.h. */
#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "out.h"

/* The history of 4,096 lanes is a hundredth of it. */
#define FILE_MAX	(64 << 20)

/* --- writing --------------------------------------------------------------------------------- */

json_t *keep_form(const char *format, int version)
{
	json_t *doc = json_object();
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	json_object_set_new(doc, "format", json_string(format));
	json_object_set_new(doc, "version", json_integer(version));
	json_object_set_new(doc, "saved", json_string(fmt_wall(now.tv_sec * 1000000000ull +
							       now.tv_nsec)));
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

/*
 * Another file takes the name when it is whole and on the disk, so that whatever happens, a power
 * cut included, the name has the old text or the new one.
 */
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

int keep_json(const char *path, const json_t *doc)
{
	char target[PATH_MAX], *text;
	struct stat st;
	int ret;

	/* A device, a pipe, a directory would be gone. */
	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		return pnic_error("%s is there and no usual file: give another name", path);
	text = json_dumps(doc, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
	if (!text)
		return pnic_error("out of memory");
	/* What a link names is replaced, not the link. */
	ret = replace_file(realpath(path, target) ? target : path, text, strlen(text));
	free(text);
	return ret ? pnic_error("%s: %s", path, strerror(errno)) : 0;
}

/* --- reading --------------------------------------------------------------------------------- */

json_t *kept_json(const char *path, const char *writer)
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
		pnic_error("%s: no file that %s has written", path, writer);
		return NULL;
	}
	doc = json_loadfd(fd, JSON_REJECT_DUPLICATES, &error);
	close(fd);
	if (!doc)
		pnic_error("%s: truncated or damaged, line %d: %s", path, error.line, error.text);
	return doc;
}

int kept_form(const char *path, const json_t *doc, const char *format, int version,
	      const char *writer)
{
	const char *is = json_string_value(json_object_get(doc, "format"));
	const json_t *v = json_object_get(doc, "version");

	if (!is || strcmp(is, format))
		return pnic_error("%s: no file that %s has written", path, writer);
	if (!json_is_integer(v) || json_integer_value(v) != version)
		return pnic_error("%s: of version %lld, this tool reads version %d", path,
				  (long long)json_integer_value(v), version);
	return 0;
}
