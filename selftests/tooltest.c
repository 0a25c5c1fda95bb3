// SPDX-License-Identifier: GPL-2.0
/* Runs the administrator's tool, see tooltest.h. */
#include "tooltest.h"

#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY	65534
#define KEPT	8

static const char *tool_path(void)
{
	static char path[PATH_MAX + 32];
	char self[PATH_MAX];
	ssize_t n;

	if (getenv("PNIC_TOOL"))
		return getenv("PNIC_TOOL");
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n > 0) {
		self[n] = 0;
		snprintf(path, sizeof(path), "%s/../tools/pnic/pnic", dirname(self));
		if (!access(path, X_OK))
			return path;
	}
	return "pnic";
}

const char *file_text(const char *path)
{
	static char *kept[KEPT];
	static unsigned int turn;
	size_t size = 0;
	char **text = &kept[turn++ % KEPT];
	FILE *f = fopen(path, "r");

	free(*text);
	*text = NULL;
	/* The whole file: a record that no byte ends. */
	if (f && getdelim(text, &size, 0, f) < 0) {
		free(*text);
		*text = NULL;
	}
	if (f)
		fclose(f);
	return *text ? *text : "";
}

static void become_nobody(void)
{
	if (setgid(NOBODY) || setuid(NOBODY))
		_exit(126);
}

static pid_t start(const char *out, const char *err, const char *line, bool nobody)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (!freopen("/dev/null", "r", stdin) || !freopen(out, "w", stdout) ||
	    !freopen(err, "w", stderr))
		_exit(126);
	alarm(0);
	if (nobody)
		become_nobody();
	execl("/bin/sh", "sh", "-c", line, NULL);
	_exit(126);
}

static struct ran run(const char *args, bool nobody)
{
	char line[PATH_MAX + 2048], out[64], err[64];
	struct ran r;
	int status;
	pid_t pid;

	snprintf(out, sizeof(out), "/tmp/tooltest-%d.out", getpid());
	snprintf(err, sizeof(err), "/tmp/tooltest-%d.err", getpid());
	snprintf(line, sizeof(line), "exec %s %s", tool_path(), args);
	pid = start(out, err, line, nobody);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		status = -1;
	r.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	r.out = file_text(out);
	r.err = file_text(err);
	unlink(out);
	unlink(err);
	return r;
}

#define FORMAT(buf, fmt)				\
	do {						\
		va_list ap;				\
							\
		va_start(ap, fmt);			\
		vsnprintf(buf, sizeof(buf), fmt, ap);	\
		va_end(ap);				\
	} while (0)

struct ran tool(const char *fmt, ...)
{
	char args[2048];

	FORMAT(args, fmt);
	return run(args, false);
}

struct ran tool_nobody(const char *fmt, ...)
{
	char args[2048];

	FORMAT(args, fmt);
	return run(args, true);
}

json_t *tool_json(const char *fmt, ...)
{
	char args[2048] = "-j ";
	struct ran r;
	json_t *v;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(args + 3, sizeof(args) - 3, fmt, ap);
	va_end(ap);
	r = run(args, false);
	v = json_loads(r.out, JSON_REJECT_DUPLICATES, NULL);
	if (!r.status && json_is_array(v))
		return v;
	json_decref(v);
	return NULL;
}

pid_t tool_start(const char *path, const char *fmt, ...)
{
	char line[PATH_MAX + 2048], args[2048];

	FORMAT(args, fmt);
	snprintf(line, sizeof(line), "exec %s %s", tool_path(), args);
	return start(path, "/dev/null", line, false);
}

bool fits(const char *text)
{
	unsigned int n = 0;

	for (; *text; text++) {
		n = *text == '\n' ? 0 : n + ((*text & 0xc0) != 0x80);
		if (n > 80)
			return false;
	}
	return true;
}

json_t *member(json_t *v, const char *path)
{
	char key[64];
	size_t n;

	while (v && *path) {
		n = strcspn(path, ".");
		snprintf(key, sizeof(key), "%.*s", (int)n, path);
		v = json_is_array(v) ? json_array_get(v, strtoul(key, NULL, 10)) :
		    json_object_get(v, key);
		path += n + (path[n] == '.');
	}
	return v;
}

long long number(json_t *v, const char *path)
{
	v = member(v, path);
	return json_is_integer(v) ? json_integer_value(v) : -1000000;
}

const char *word(json_t *v, const char *path)
{
	const char *s = json_string_value(member(v, path));

	return s ? s : "";
}
