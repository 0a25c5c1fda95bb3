// SPDX-License-Identifier: GPL-2.0
/*
 * Random field traces: faults of a mix of kinds, one after another, each mended after a while; see
 * fieldtrace.h. The same mix with the same seed gives the same trace.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fieldtrace.h"

#define US		1000.0		/* ns */
#define COUNT_MAX	1000000u
#define KILL_DB		100.0
/* Assumption: of dirt and row drivers half takes all the light. */
#define ALL_DARK	0.5

const char *const pm_trace_fault_names[PM_FAULT_KINDS] = {
	[PM_FAULT_DEATHS] = "deaths",
	[PM_FAULT_DRIFTS] = "drifts",
	[PM_FAULT_FLAPS] = "flaps",
	[PM_FAULT_PATCHES] = "patches",
	[PM_FAULT_COMMON] = "common",
	[PM_FAULT_ROWS] = "rows",
	[PM_FAULT_MISALIGNS] = "misaligns",
	[PM_FAULT_TEMPERATURE] = "temperature",
	[PM_FAULT_SUPPLY] = "supply",
};

struct draw {
	const struct pm_trace_mix *mix;
	const struct pm_trace_shape *shape;
	struct pm_trace *trace;
	struct pm_rng rng;
	struct pm_trace_event ev;	/* place of the fault in hand */
	double at;			/* its time, ns */
	double end;			/* and that of its repair */
	uint32_t line;
	bool no_memory;
};

void pm_trace_mix_defaults(struct pm_trace_mix *mix)
{
	memset(mix, 0, sizeof(*mix));
	mix->seed = 1;
	mix->count = 1000;
	mix->weight[PM_FAULT_DEATHS] = 50;
	mix->weight[PM_FAULT_DRIFTS] = 25;
	mix->weight[PM_FAULT_FLAPS] = 15;
	mix->weight[PM_FAULT_PATCHES] = 5;
	mix->weight[PM_FAULT_COMMON] = 5;
	mix->gap_us = 1000;
	mix->repair_us = 20000;
	mix->age_rate = 1000;
}

/* One "name=weight"; @len characters. */
static bool take_weight(struct pm_trace_mix *mix, const char *text, size_t len)
{
	const char *eq = memchr(text, '=', len);
	unsigned int i;
	char *end;
	double v;

	if (!eq)
		return false;
	for (i = 0; i < PM_FAULT_KINDS; i++)
		if (strlen(pm_trace_fault_names[i]) == (size_t)(eq - text) &&
		    !memcmp(pm_trace_fault_names[i], text, (size_t)(eq - text)))
			break;
	if (i == PM_FAULT_KINDS)
		return false;
	v = strtod(eq + 1, &end);
	if (end == eq + 1 || end != text + len || !(v >= 0 && v <= 1e9))
		return false;
	mix->weight[i] = v;
	return true;
}

bool pm_trace_mix_parse(struct pm_trace_mix *mix, const char *text, char *err, size_t errlen)
{
	struct pm_trace_mix got = *mix;
	double sum = 0;
	unsigned int i;
	size_t len;

	memset(got.weight, 0, sizeof(got.weight));
	for (;;) {
		len = strcspn(text, ",");
		if (!take_weight(&got, text, len)) {
			snprintf(err, errlen, "\"%.*s\" isn't a kind of fault and a weight, as in deaths=60",
				 (int)(len < 40 ? len : 40), text);
			return false;
		}
		if (!text[len])
			break;
		text += len + 1;
	}
	for (i = 0; i < PM_FAULT_KINDS; i++)
		sum += got.weight[i];
	if (!(sum > 0)) {
		snprintf(err, errlen, "all weights are 0");
		return false;
	}
	*mix = got;
	return true;
}

static double between(struct draw *d, double min, double max)
{
	return min + (max - min) * pm_rng_unit(&d->rng);
}

/* To a thousandth: as it reads in the text. */
static double rounded(double v)
{
	return round(v * 1000) / 1000;
}

static double exponential(struct draw *d, double mean)
{
	return -mean * log(1 - pm_rng_unit(&d->rng));
}

static void put(struct draw *d, double at, bool link, enum pm_trace_what what, unsigned int values,
		const double *v)
{
	struct pm_trace_event ev = d->ev;

	ev.at = (uint64_t)llround(at);
	ev.line = ++d->line;
	ev.what = (uint8_t)what;
	ev.values = (uint8_t)values;
	if (link) {
		ev.first = PM_TRACE_LINK;
		ev.last = PM_TRACE_LINK;
	}
	if (values)
		memcpy(ev.v, v, values * sizeof(*v));
	d->no_memory |= !pm_trace_add(d->trace, &ev);
}

static void put_lane(struct draw *d, double at, enum pm_trace_what what)
{
	put(d, at, false, what, 0, NULL);
}

static void put_link(struct draw *d, double at, enum pm_trace_what what, double v)
{
	put(d, at, true, what, 1, &v);
}

static void death(struct draw *d)
{
	put_lane(d, d->at, PM_TRACE_KILL);
	put_lane(d, d->end, PM_TRACE_HEAL);
}

/* From good to past use, some time before it is replaced. */
static void drift(struct draw *d)
{
	double hours = (d->end - d->at) / 1e9 * d->mix->age_rate;
	double rate = between(d, 3, 6) / (hours > 0 ? hours : 1);

	rate = round(rate * 1e6) / 1e6;
	put(d, d->at, false, PM_TRACE_DRIFT, 1, &rate);
	put_lane(d, d->end, PM_TRACE_HEAL);
}

static void flap(struct draw *d)
{
	unsigned int i, times = 2 + pm_rng_below(&d->rng, 5);
	double step = (d->end - d->at) / (2 * times);

	for (i = 0; i < times; i++) {
		put_lane(d, d->at + 2 * i * step, PM_TRACE_KILL);
		put_lane(d, d->at + (2 * i + 1) * step, PM_TRACE_HEAL);
	}
}

static double dark_or(struct draw *d, double min, double max)
{
	double db = rounded(between(d, min, max));

	return pm_rng_unit(&d->rng) < ALL_DARK ? KILL_DB : db;
}

static void patch(struct draw *d)
{
	const struct pm_link_config *c = d->shape->link;
	double v[5] = { pm_rng_below(&d->rng, c->grid_x), pm_rng_below(&d->rng, c->grid_y),
			rounded(between(d, 2, 4)), dark_or(d, 1, 4), c->optics.dirt_edge };

	put(d, d->at, true, PM_TRACE_PATCH, 5, v);
	v[3] = 0;
	put(d, d->end, true, PM_TRACE_PATCH, 5, v);
}

static void row(struct draw *d)
{
	double v[2] = { pm_rng_below(&d->rng, d->shape->link->grid_y), dark_or(d, 1, 4) };

	put(d, d->at, true, PM_TRACE_ROW, 2, v);
	v[1] = 0;
	put(d, d->end, true, PM_TRACE_ROW, 2, v);
}

static void misalign(struct draw *d)
{
	double off = rounded(between(d, 0.3, 1.2)), v[3] = { 0, 0, rounded(between(d, 0, 2)) };

	if (pm_rng_below(&d->rng, 2))
		off = -off;
	v[pm_rng_below(&d->rng, 2)] = off;
	put(d, d->at, true, PM_TRACE_MISALIGN, 3, v);
	memset(v, 0, sizeof(v));
	put(d, d->end, true, PM_TRACE_MISALIGN, 3, v);
}

static void one_fault(struct draw *d, enum pm_trace_fault kind)
{
	const struct pm_optics_config *o = &d->shape->link->optics;

	switch (kind) {
	case PM_FAULT_DRIFTS:
		drift(d);
		break;
	case PM_FAULT_FLAPS:
		flap(d);
		break;
	case PM_FAULT_PATCHES:
		patch(d);
		break;
	case PM_FAULT_COMMON:
		put_link(d, d->at, PM_TRACE_COMMON, rounded(between(d, 0.5, 2)));
		put_link(d, d->end, PM_TRACE_COMMON, 0);
		break;
	case PM_FAULT_ROWS:
		row(d);
		break;
	case PM_FAULT_MISALIGNS:
		misalign(d);
		break;
	case PM_FAULT_TEMPERATURE:
		put_link(d, d->at, PM_TRACE_TEMPERATURE,
			 fmin(300, rounded(o->temp_c + between(d, 10, 40))));
		put_link(d, d->end, PM_TRACE_TEMPERATURE, o->temp_c);
		break;
	case PM_FAULT_SUPPLY:
		put_link(d, d->at, PM_TRACE_SUPPLY,
			 fmax(0.01, rounded(o->supply * between(d, 0.8, 0.95))));
		put_link(d, d->end, PM_TRACE_SUPPLY, o->supply);
		break;
	default:
		death(d);
		break;
	}
}

static enum pm_trace_fault draw_kind(struct draw *d)
{
	double sum = 0, u;
	unsigned int i;

	for (i = 0; i < PM_FAULT_KINDS; i++)
		sum += d->mix->weight[i];
	u = pm_rng_unit(&d->rng) * sum;
	for (i = 0; i < PM_FAULT_KINDS - 1; i++) {
		if (u < d->mix->weight[i])
			break;
		u -= d->mix->weight[i];
	}
	/* The last one only if it is in the mix at all: rounding may leave a rest. */
	while (i && !(d->mix->weight[i] > 0))
		i--;
	return i;
}

static void draw_place(struct draw *d)
{
	const struct pm_link_config *c = d->shape->link;

	d->ev.nic = (uint8_t)pm_rng_below(&d->rng, d->shape->nics);
	d->ev.at_switch = d->shape->has_switch && pm_rng_below(&d->rng, 2);
	d->ev.first = (uint16_t)pm_rng_below(&d->rng, c->lanes_data + c->lanes_spare);
	d->ev.last = d->ev.first;
}

static void start_clocks(struct draw *d)
{
	unsigned int i;

	if (!(d->mix->weight[PM_FAULT_DRIFTS] > 0))
		return;
	for (i = 0; i < d->shape->nics; i++) {
		d->ev.nic = (uint8_t)i;
		put_link(d, 0, PM_TRACE_AGE_RATE, d->mix->age_rate);
	}
}

static const char *what_is_wrong(const struct pm_trace_mix *mix)
{
	double sum = 0;
	unsigned int i;

	for (i = 0; i < PM_FAULT_KINDS; i++) {
		if (!(mix->weight[i] >= 0))
			return "a weight is below 0";
		sum += mix->weight[i];
	}
	if (!(sum > 0) || !isfinite(sum))
		return "there is no weight above 0";
	if (mix->count > COUNT_MAX)
		return "too many faults: at most 1000000";
	if (!(mix->gap_us > 0 && mix->gap_us <= 1e5) ||
	    !(mix->repair_us > 0 && mix->repair_us <= 1e9))
		return "gap and repair must be above 0 us, at most 0.1 s and 1000 s";
	if (mix->weight[PM_FAULT_DRIFTS] > 0 && !(mix->age_rate > 0 && mix->age_rate <= 1e12))
		return "drifts need an ageing clock that runs";
	return NULL;
}

struct pm_trace *pm_trace_random(const struct pm_trace_mix *mix, const struct pm_trace_shape *shape,
				 char *err, size_t errlen)
{
	struct draw d = { .mix = mix, .shape = shape };
	const char *why = what_is_wrong(mix);
	unsigned int i;

	d.trace = why ? NULL : pm_trace_new();
	if (!d.trace) {
		snprintf(err, errlen, "%s", why ? why : "no memory");
		return NULL;
	}
	pm_rng_init(&d.rng, mix->seed, "field trace", 0);
	start_clocks(&d);
	for (i = 0; i < mix->count; i++) {
		d.at += exponential(&d, mix->gap_us * US);
		d.end = d.at + US + exponential(&d, mix->repair_us * US);
		draw_place(&d);
		one_fault(&d, draw_kind(&d));
	}
	if (d.no_memory) {
		snprintf(err, errlen, "no memory");
		pm_trace_free(d.trace);
		return NULL;
	}
	pm_trace_sort(d.trace);
	return d.trace;
}
