/* SPDX-License-Identifier: GPL-2.0 */
/* Runs the tool over the made-up kernel. Include selftests/ktap.h before: its state is per file. */
#ifndef PNIC_TOOL_RUN_H
#define PNIC_TOOL_RUN_H

#include <jansson.h>
#include <sys/wait.h>

/* What a run left; valid until the next. */
struct ran {
	int status;			/* -1: by a signal */
	char *out, *err;
};

static char *slurp(const char *path)
{
	static char empty[1];
	size_t size = 0;
	char *text = NULL;
	FILE *f = fopen(path, "r");

	if (!f)
		return strdup(empty);
	/* The whole file: a record that no byte ends. */
	if (getdelim(&text, &size, 0, f) < 0) {
		free(text);
		text = strdup(empty);
	}
	fclose(f);
	return text;
}

/* @fake: PNIC_FAKE; the arguments as a shell would take them, with redirections. */
__attribute__((format(printf, 2, 3)))
KTAP_UNUSED static struct ran run(const char *fake, const char *fmt, ...)
{
	static struct ran r;
	char args[2048], command[4096], out[64], err[64];
	va_list ap;
	int status;

	free(r.out);
	free(r.err);
	va_start(ap, fmt);
	vsnprintf(args, sizeof(args), fmt, ap);
	va_end(ap);
	snprintf(out, sizeof(out), "/tmp/pnic-tool-%d.out", getpid());
	snprintf(err, sizeof(err), "/tmp/pnic-tool-%d.err", getpid());
	snprintf(command, sizeof(command),
		 "exec >%s 2>%s </dev/null; PNIC_FAKE='%s' TERM=xterm " FAKE " %s", out, err, fake,
		 args);
	status = system(command);
	r.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	r.out = slurp(out);
	r.err = slurp(err);
	unlink(out);
	unlink(err);
	if (r.status < 0 || r.status > 2 || strstr(r.err, "Sanitizer") ||
	    strstr(r.err, "runtime error"))
		ktap_failed(__FILE__, __LINE__, "pnic %s (%s): status %d\n%.600s", args, fake,
			    r.status, r.err);
	return r;
}

/* The output as JSON, checked to be an array of at least @least; NULL and a failure if not. */
KTAP_UNUSED static json_t *ran_json(const struct ran *r, size_t least)
{
	json_error_t error;
	json_t *v = json_loads(r->out, JSON_REJECT_DUPLICATES, &error);

	if (!v)
		ktap_failed(__FILE__, __LINE__, "no JSON: %s in %.300s", error.text, r->out);
	else if (!json_is_array(v) || json_array_size(v) < least)
		ktap_failed(__FILE__, __LINE__, "no array of %zu: %.300s", least, r->out);
	else
		return v;
	json_decref(v);
	return NULL;
}

/* Lines of at most 80 columns, no escape sequence, no blank at an end; checked. */
KTAP_UNUSED static void check_text(const char *what, const char *text)
{
	size_t columns = 0;
	const char *s;

	for (s = text; *s; s++) {
		if (*s == '\033')
			ktap_failed(__FILE__, __LINE__, "%s: an escape sequence", what);
		if (*s == '\n' && s > text && s[-1] == ' ')
			ktap_failed(__FILE__, __LINE__, "%s: a blank ends a line: %.40s", what,
				    s - text > 40 ? s - 40 : text);
		columns = *s == '\n' ? 0 : columns + ((*s & 0xc0) != 0x80);
		if (columns > 80) {
			ktap_failed(__FILE__, __LINE__, "%s: a line of more than 80 columns: %.90s",
				    what, s - 80);
			return;
		}
	}
}

#endif /* PNIC_TOOL_RUN_H */
