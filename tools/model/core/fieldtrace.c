// SPDX-License-Identifier: GPL-2.0
/*
 * Field traces: reading, writing, and what an event does; see fieldtrace.h.
 *
 * Nothing is applied of a trace that has one bad line.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fieldtrace.h"

#define MAGIC		"pnic-trace 1"
#define LINE_MAX_LEN	255
#define TIME_MAX_S	1e6
#define EVENTS_MAX	(1u << 24)
#define WORDS_MAX	(4 + PM_TRACE_VALUES)

struct pm_trace {
	struct pm_trace_event *ev;
	size_t count, room, at;
};

/* The largest value of an argument where that depends on the link. */
#define BY_GRID_X	-1.0
#define BY_GRID_Y	-2.0

struct arg {
	const char *name;
	double min, max;
	bool whole;
};

/* By enum pm_trace_what. */
static const struct what {
	const char *name;
	bool lane, link;	/* may stand for */
	uint8_t min, max;	/* values */
	struct arg arg[PM_TRACE_VALUES];
} whats[PM_TRACE_WHATS] = {
	[PM_TRACE_KILL] = { "kill", true, false, 0, 0, { { 0 } } },
	[PM_TRACE_HEAL] = { "heal", true, true, 0, 0, { { 0 } } },
	[PM_TRACE_DEGRADE] = { "degrade", true, false, 1, 1, { { "dB", 0, 200, false } } },
	[PM_TRACE_DRIFT] = { "drift", true, false, 1, 1, { { "dB/h", -1e9, 1e9, false } } },
	[PM_TRACE_PATCH] = { "patch", false, true, 4, 5,
			     { { "x", 0, BY_GRID_X, false }, { "y", 0, BY_GRID_Y, false },
			       { "radius", 0, 1000, false }, { "dB", -200, 200, false },
			       { "edge", 0, 1000, false } } },
	[PM_TRACE_ROW] = { "row", false, true, 2, 2,
			   { { "row", 0, BY_GRID_Y, true }, { "dB", 0, 200, false } } },
	[PM_TRACE_MISALIGN] = { "misalign", false, true, 2, 3,
				{ { "x", -256, 256, false }, { "y", -256, 256, false },
				  { "dB", 0, 200, false } } },
	[PM_TRACE_COMMON] = { "common", false, true, 1, 1, { { "dB", 0, 200, false } } },
	[PM_TRACE_TEMPERATURE] = { "temperature", false, true, 1, 1,
				   { { "degrees", -100, 300, false } } },
	[PM_TRACE_SUPPLY] = { "supply", false, true, 1, 1, { { "supply", 0.01, 10, false } } },
	[PM_TRACE_CUT] = { "cut", false, true, 1, 1, { { "cut", 0, 1, true } } },
	[PM_TRACE_AGE] = { "age", false, true, 1, 1, { { "hours", 0, 1e9, false } } },
	[PM_TRACE_AGE_RATE] = { "age-rate", false, true, 1, 1, { { "hours/s", 0, 1e12, false } } },
};

struct pm_trace *pm_trace_new(void)
{
	return calloc(1, sizeof(struct pm_trace));
}

void pm_trace_free(struct pm_trace *t)
{
	if (!t)
		return;
	free(t->ev);
	free(t);
}

bool pm_trace_add(struct pm_trace *t, const struct pm_trace_event *ev)
{
	if (t->count == t->room) {
		size_t room = t->room ? 2 * t->room : 256;
		struct pm_trace_event *list = realloc(t->ev, room * sizeof(*list));

		if (!list)
			return false;
		t->ev = list;
		t->room = room;
	}
	t->ev[t->count++] = *ev;
	return true;
}

static int by_time(const void *a, const void *b)
{
	const struct pm_trace_event *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

void pm_trace_sort(struct pm_trace *t)
{
	if (t->count)
		qsort(t->ev, t->count, sizeof(*t->ev), by_time);
}

size_t pm_trace_count(const struct pm_trace *t)
{
	return t->count;
}

const struct pm_trace_event *pm_trace_next(struct pm_trace *t)
{
	return t->at < t->count ? &t->ev[t->at++] : NULL;
}

void pm_trace_rewind(struct pm_trace *t)
{
	t->at = 0;
}

/* Reading */

struct reader {
	const struct pm_trace_shape *shape;
	struct pm_trace_event ev;
	char *word[WORDS_MAX + 1];
	unsigned int words;
	unsigned int line;
	char *err;
	size_t errlen;
};

__attribute__((format(printf, 2, 3)))
static bool bad(struct reader *r, const char *fmt, ...)
{
	size_t at;
	va_list ap;

	at = (size_t)snprintf(r->err, r->errlen, "line %u: ", r->line);
	va_start(ap, fmt);
	if (at < r->errlen)
		vsnprintf(r->err + at, r->errlen - at, fmt, ap);
	va_end(ap);
	return false;
}

static bool number(const char *text, double *v)
{
	char *end;

	*v = strtod(text, &end);
	return *text && !*end && isfinite(*v) && !strpbrk(text, "xX");
}

static bool whole(const char *text, unsigned int max, unsigned int *v)
{
	unsigned long u;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	u = strtoul(text, &end, 10);
	*v = (unsigned int)u;
	return !*end && u <= max;
}

static bool read_time(struct reader *r, const char *text)
{
	double s;

	if (!number(text, &s) || !(s >= 0 && s <= TIME_MAX_S))
		return bad(r, "\"%.40s\" isn't a time: seconds, from 0 to %g", text, TIME_MAX_S);
	r->ev.at = (uint64_t)llround(s * 1e9);
	return true;
}

static bool read_nic(struct reader *r, char *text)
{
	char *end = strchr(text, ':');
	unsigned int nic;

	if (end)
		*end++ = 0;
	if (!whole(text, r->shape->nics - 1, &nic))
		return bad(r, "\"%.40s\" isn't a NIC: they are 0 to %u", text, r->shape->nics - 1);
	r->ev.nic = (uint8_t)nic;
	r->ev.at_switch = end && !strcmp(end, "switch");
	if (end && !r->ev.at_switch && strcmp(end, "nic"))
		return bad(r, "\"%.40s\" is neither nic nor switch", end);
	if (r->ev.at_switch && !r->shape->has_switch)
		return bad(r, "there is no switch in this fabric");
	return true;
}

static bool read_lanes(struct reader *r, char *text)
{
	unsigned int lanes = r->shape->link->lanes_data + r->shape->link->lanes_spare;
	char *last = strchr(text, '-');
	unsigned int a, b;

	if (!strcmp(text, "link")) {
		r->ev.first = PM_TRACE_LINK;
		r->ev.last = PM_TRACE_LINK;
		return true;
	}
	if (last)
		*last++ = 0;
	if (!whole(text, lanes - 1, &a) || !whole(last ? last : text, lanes - 1, &b) || b < a)
		return bad(r, "\"%.40s%s%.40s\" isn't a lane, a range of lanes or \"link\": lanes are 0 to %u",
			   text, last ? "-" : "", last ? last : "", lanes - 1);
	r->ev.first = (uint16_t)a;
	r->ev.last = (uint16_t)b;
	return true;
}

static bool read_what(struct reader *r, const char *text)
{
	const struct what *k;
	unsigned int i;

	for (i = 0; i < PM_TRACE_WHATS && strcmp(whats[i].name, text); i++)
		;
	if (i == PM_TRACE_WHATS)
		return bad(r, "there is no event \"%.40s\"", text);
	k = &whats[i];
	if (r->ev.first == PM_TRACE_LINK ? !k->link : !k->lane)
		return bad(r, "%s is for %s, not for %s", text, k->lane ? "lanes" : "a link",
			   k->lane ? "a link" : "lanes");
	r->ev.what = (uint8_t)i;
	r->ev.values = (uint8_t)(r->words - 4);
	if (r->ev.values < k->min || r->ev.values > k->max)
		return bad(r, "%s takes %u%s values, not %u", text, k->min,
			   k->max > k->min ? " or more" : "", r->ev.values);
	return true;
}

static double limit(const struct reader *r, double max)
{
	if (max == BY_GRID_X)
		return r->shape->link->grid_x - 1;
	if (max == BY_GRID_Y)
		return r->shape->link->grid_y - 1;
	return max;
}

static bool read_values(struct reader *r)
{
	const struct what *k = &whats[r->ev.what];
	unsigned int i;

	for (i = 0; i < r->ev.values; i++) {
		const struct arg *a = &k->arg[i];
		double v, max = limit(r, a->max);

		if (!number(r->word[4 + i], &v) || !(v >= a->min && v <= max) ||
		    (a->whole && v != floor(v)))
			return bad(r, "%s: %s \"%.40s\" isn't %s from %g to %g", k->name, a->name,
				   r->word[4 + i], a->whole ? "an integer" : "a number", a->min,
				   max);
		r->ev.v[i] = v;
	}
	return true;
}

/* What a value that may be missing is, and what only all of them together tell. */
static bool complete(struct reader *r)
{
	struct pm_trace_event *ev = &r->ev;
	const struct pm_link_config *c = r->shape->link;

	if (ev->what == PM_TRACE_PATCH && ev->values == 4)
		ev->v[ev->values++] = c->optics.dirt_edge;
	if (ev->what != PM_TRACE_MISALIGN)
		return true;
	if (fabs(ev->v[0]) > c->grid_x || fabs(ev->v[1]) > c->grid_y)
		return bad(r, "misalign: off by more than the grid of %u x %u", c->grid_x,
			   c->grid_y);
	if (ev->v[2] > 0 && ev->v[0] == 0 && ev->v[1] == 0)
		return bad(r, "misalign: a gradient needs x or y, for the way that it grows");
	return true;
}

static bool read_event(struct reader *r)
{
	memset(&r->ev, 0, sizeof(r->ev));
	r->ev.line = r->line;
	if (r->words < 4)
		return bad(r, "time, NIC, lane and event are needed");
	return read_time(r, r->word[0]) && read_nic(r, r->word[1]) && read_lanes(r, r->word[2]) &&
	       read_what(r, r->word[3]) && read_values(r) && complete(r);
}

/* Into words, without what stands behind a '#'. */
static bool split(struct reader *r, char *text)
{
	char *save = NULL, *word;

	text[strcspn(text, "#")] = 0;
	r->words = 0;
	for (word = strtok_r(text, " \t\r", &save); word; word = strtok_r(NULL, " \t\r", &save)) {
		if (r->words == WORDS_MAX)
			return bad(r, "too many values");
		r->word[r->words++] = word;
	}
	return true;
}

static bool is_magic(const struct reader *r)
{
	return r->words == 2 && !strcmp(r->word[0], "pnic-trace") && !strcmp(r->word[1], "1");
}

static bool read_line(struct reader *r, struct pm_trace *t, const char *line, size_t len,
		      bool *begun)
{
	char text[LINE_MAX_LEN + 1];

	if (len > LINE_MAX_LEN)
		return bad(r, "longer than %d characters", LINE_MAX_LEN);
	memcpy(text, line, len);
	text[len] = 0;
	if (strlen(text) != len)
		return bad(r, "not a text");
	if (!split(r, text))
		return false;
	if (!r->words)
		return true;
	if (!*begun) {
		*begun = is_magic(r);
		return *begun || bad(r, "a trace begins with \"" MAGIC "\"");
	}
	if (!read_event(r))
		return false;
	if (t->count >= EVENTS_MAX)
		return bad(r, "more than %u events", EVENTS_MAX);
	return pm_trace_add(t, &r->ev) || bad(r, "no memory");
}

struct pm_trace *pm_trace_parse(const char *text, size_t len, const struct pm_trace_shape *shape,
				char *err, size_t errlen)
{
	struct reader r = { .shape = shape, .err = err, .errlen = errlen };
	struct pm_trace *t = pm_trace_new();
	bool begun = false, fine = t;

	if (!t)
		bad(&r, "no memory");
	while (fine && len) {
		const char *nl = memchr(text, '\n', len);
		size_t n = nl ? (size_t)(nl - text) : len;

		r.line++;
		fine = read_line(&r, t, text, n, &begun);
		n += nl != NULL;
		text += n;
		len -= n;
	}
	if (fine && !begun) {
		r.line++;
		fine = bad(&r, "a trace begins with \"" MAGIC "\"");
	}
	if (!fine) {
		pm_trace_free(t);
		return NULL;
	}
	pm_trace_sort(t);
	return t;
}

static char *read_all(FILE *f, size_t *len)
{
	size_t room = 65536, n;
	char *text = NULL, *more;

	*len = 0;
	for (;;) {
		more = realloc(text, room);
		if (!more)
			break;
		text = more;
		n = fread(text + *len, 1, room - *len, f);
		*len += n;
		if (*len < room) {
			if (!ferror(f))
				return text;
			break;
		}
		room *= 2;
	}
	free(text);
	return NULL;
}

struct pm_trace *pm_trace_open(const char *path, const struct pm_trace_shape *shape, char *err,
			       size_t errlen)
{
	FILE *f = fopen(path, "r");
	struct pm_trace *t = NULL;
	char *text = NULL;
	size_t len;

	if (f)
		text = read_all(f, &len);
	if (text)
		t = pm_trace_parse(text, len, shape, err, errlen);
	else
		snprintf(err, errlen, "%s", strerror(errno));
	free(text);
	if (f)
		fclose(f);
	return t;
}

/* Writing */

/* As short as reads back the same. */
static void put_number(FILE *to, double v)
{
	char text[32];

	snprintf(text, sizeof(text), "%.9g", v);
	if (strtod(text, NULL) != v)
		snprintf(text, sizeof(text), "%.17g", v);
	fprintf(to, " %s", text);
}

static void put_event(FILE *to, const struct pm_trace_event *ev)
{
	unsigned int i;

	fprintf(to, "%llu.%09llu %u%s ", (unsigned long long)(ev->at / 1000000000),
		(unsigned long long)(ev->at % 1000000000), ev->nic, ev->at_switch ? ":switch" : "");
	if (ev->first == PM_TRACE_LINK)
		fputs("link", to);
	else if (ev->first == ev->last)
		fprintf(to, "%u", ev->first);
	else
		fprintf(to, "%u-%u", ev->first, ev->last);
	fprintf(to, " %s", whats[ev->what].name);
	for (i = 0; i < ev->values; i++)
		put_number(to, ev->v[i]);
	fputc('\n', to);
}

int pm_trace_write(const struct pm_trace *t, FILE *to)
{
	size_t i;

	fputs(MAGIC "\n", to);
	for (i = 0; i < t->count; i++)
		put_event(to, &t->ev[i]);
	return fflush(to) || ferror(to) ? -EIO : 0;
}

/* Applying */

static int apply_lane(const struct pm_trace_event *ev, struct pm_port *p, unsigned int lane)
{
	switch (ev->what) {
	case PM_TRACE_KILL:
		return pm_fault_kill(p, lane);
	case PM_TRACE_HEAL:
		return pm_fault_heal(p, lane);
	case PM_TRACE_DEGRADE:
		return pm_fault_degrade(p, lane, ev->v[0]);
	case PM_TRACE_DRIFT:
		return pm_fault_drift(p, lane, ev->v[0]);
	default:
		return -EINVAL;
	}
}

static int apply_link(const struct pm_trace_event *ev, struct pm_port *p)
{
	const double *v = ev->v;

	switch (ev->what) {
	case PM_TRACE_HEAL:
		return pm_fault_heal_all(p);
	case PM_TRACE_PATCH:
		return pm_fault_dirt(p, v[0], v[1], v[2], v[4], v[3]);
	case PM_TRACE_ROW:
		return pm_fault_row(p, (unsigned int)v[0], v[1]);
	case PM_TRACE_MISALIGN:
		return pm_fault_misalign(p, v[0], v[1], v[2]);
	case PM_TRACE_COMMON:
		return pm_fault_common(p, v[0]);
	case PM_TRACE_TEMPERATURE:
		return pm_fault_temperature(p, v[0]);
	case PM_TRACE_SUPPLY:
		return pm_fault_supply(p, v[0]);
	case PM_TRACE_CUT:
		return pm_fault_cut(p, v[0] != 0);
	case PM_TRACE_AGE:
		return pm_fault_age(p, v[0]);
	case PM_TRACE_AGE_RATE:
		return pm_fault_age_rate(p, v[0]);
	default:
		return -EINVAL;
	}
}

int pm_trace_apply(const struct pm_trace_event *ev, struct pm_port *port)
{
	unsigned int lane;
	int err = 0;

	if (ev->first == PM_TRACE_LINK)
		return apply_link(ev, port);
	for (lane = ev->first; lane <= ev->last && !err; lane++)
		err = apply_lane(ev, port, lane);
	return err;
}
