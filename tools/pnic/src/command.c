// SPDX-License-Identifier: GPL-2.0
/* Finds the command that was asked for and runs it; what goes wrong is said here. */
#include <stdarg.h>
#include <string.h>

#include "args.h"
#include "cmd.h"
#include "json.h"
#include "out.h"

int pnic_error(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("Error: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return ST_FAILED;
}

int pnic_failed(struct pnic *p)
{
	return pnic_error("%s", p->drv.error);
}

int pnic_usage(struct pnic *p, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "pnic%s%s: ", *p->what ? " " : "", p->what);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (*p->what)
		fprintf(stderr, " (pnic %.*s help)", (int)strcspn(p->what, " "), p->what);
	fputc('\n', stderr);
	return ST_USAGE;
}

int pnic_connect(struct pnic *p)
{
	if (p->connected)
		return 0;
	if (drv_open(&p->drv))
		return pnic_failed(p);
	p->connected = true;
	return 0;
}

/* --- finding the command --------------------------------------------------------------------- */

/* Says that @word is nothing, or several things, of a list. */
static int unclear(struct pnic *p, const char *word, const char *what, const char *which, int found)
{
	return pnic_usage(p, "%s \"%s\" is %s: %s", what, word, found ? "ambiguous" : "unknown",
			  which);
}

static const struct cmd_object *find_object(struct pnic *p, const char *word)
{
	const struct cmd_object *o, *match = NULL;
	char which[256] = "";
	size_t len = strlen(word), at = 0;
	int found = 0;

	for (o = cmd_objects; o->name; o++) {
		if (!strcmp(o->name, word))
			return o;
		if (!strncmp(o->name, word, len)) {
			match = o;
			found++;
		}
	}
	if (found == 1)
		return match;
	for (o = cmd_objects; o->name; o++)
		if (!found || !strncmp(o->name, word, len))
			at += snprintf(which + at, sizeof(which) - at, "%s%s", at ? ", " : "",
				       o->name);
	unclear(p, word, "object", which, found);
	return NULL;
}

static const struct verb *find_verb(struct pnic *p, const struct cmd_object *o, const char *word)
{
	const struct verb *v, *match = NULL;
	char which[256] = "";
	size_t len = strlen(word), at = 0;
	int found = 0;

	for (v = o->verbs; v->name; v++) {
		if (!strcmp(v->name, word))
			return v;
		if (!strncmp(v->name, word, len)) {
			match = v;
			found++;
		}
	}
	if (found == 1)
		return match;
	for (v = o->verbs; v->name; v++)
		if (!found || !strncmp(v->name, word, len))
			at += snprintf(which + at, sizeof(which) - at, "%s%s", at ? ", " : "",
				       v->name);
	unclear(p, word, "command", which, found);
	return NULL;
}

static bool is_help(const char *word)
{
	return !strcmp(word, "help") || !strcmp(word, "-h") || !strcmp(word, "--help");
}

/* The verb of the arguments; the first of the object if they have none. */
static const struct verb *take_verb(struct pnic *p, const struct cmd_object *o)
{
	const char *word = arg_peek(p);

	if (word && !strcmp(word, "--openmetrics") && o->verbs[0].fn == cmd_stat_show) {
		arg_next(p);
		return &o->verbs[1];
	}
	if (!word || *word == '-')
		return o->verbs;
	if (o->bare && strncmp(o->verbs[0].name, word, strlen(word)))
		return o->verbs;
	return find_verb(p, o, arg_next(p));
}

static int run_verb(struct pnic *p, const struct verb *v)
{
	int status;

	p->doc = json_array();
	p->raw = false;
	status = v->fn(p);
	if (p->json && !p->raw) {
		/* Valid JSON in every state. */
		if (status)
			json_array_clear(p->doc);
		json_print(p, p->doc);
	}
	json_decref(p->doc);
	p->doc = NULL;
	return status;
}

int pnic_command(struct pnic *p)
{
	const struct cmd_object *o;
	const struct verb *v;
	const char *word;
	int ret;

	p->what[0] = 0;
	word = arg_next(p);
	if (is_help(word)) {
		cmd_help(stdout);
		return ST_OK;
	}
	o = find_object(p, word);
	if (!o)
		goto usage;
	snprintf(p->what, sizeof(p->what), "%s", o->name);
	ret = pnic_late_options(p);
	if (ret >= 0)
		goto usage;
	out_init(p);
	if (p->argc && (is_help(p->argv[0]) || (p->argc > 1 && is_help(p->argv[1])))) {
		cmd_object_help(o);
		return ST_OK;
	}
	v = take_verb(p, o);
	if (!v)
		goto usage;
	snprintf(p->what, sizeof(p->what), "%s %s", o->name, v->name);
	return run_verb(p, v);
usage:
	if (p->json)
		puts("[]");
	return ST_USAGE;
}
