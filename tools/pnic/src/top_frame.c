// SPDX-License-Identifier: GPL-2.0
/* A frame of the live view, on a canvas: see top.h. Pure. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lanes.h"
#include "text.h"
#include "top.h"

#define BAR	20
#define LABEL	9

int canvas_make(struct canvas *c, unsigned int width, unsigned int height)
{
	const size_t n = (size_t)width * height;

	memset(c, 0, sizeof(*c));
	c->c = malloc(n ? n : 1);
	c->hue = calloc(n ? n : 1, 1);
	if (!c->c || !c->hue) {
		canvas_free(c);
		return -1;
	}
	memset(c->c, ' ', n);
	c->width = width;
	c->height = height;
	return 0;
}

void canvas_free(struct canvas *c)
{
	free(c->c);
	free(c->hue);
	memset(c, 0, sizeof(*c));
}

unsigned int canvas_put(struct canvas *c, unsigned int x, unsigned int y, enum hue hue,
			const char *fmt, ...)
{
	char s[512];
	va_list ap;
	size_t i;

	va_start(ap, fmt);
	vsnprintf(s, sizeof(s), fmt, ap);
	va_end(ap);
	for (i = 0; s[i]; i++) {
		if (x + i >= c->width || y >= c->height)
			break;
		/* One byte a column: what is not ASCII would shift the rest. */
		c->c[(size_t)y * c->width + x + i] = s[i] >= ' ' && s[i] < 0x7f ? s[i] : '?';
		c->hue[(size_t)y * c->width + x + i] = hue;
	}
	return x + strlen(s);
}

static unsigned int bar(struct canvas *c, unsigned int x, unsigned int y, enum hue hue,
			uint64_t value, uint64_t max)
{
	unsigned int i, n = 0;

	if (max)
		n = value >= max ? BAR : value * BAR / max;
	x = canvas_put(c, x, y, HUE_NONE, "[");
	for (i = 0; i < BAR; i++)
		x = canvas_put(c, x, y, i < n ? hue : HUE_DIM, i < n ? "#" : ".");
	return canvas_put(c, x, y, HUE_NONE, "]");
}

static void head(struct canvas *c, const struct top *t)
{
	char clock[16];
	time_t now = time(NULL);
	struct tm tm;
	unsigned int x;

	x = canvas_put(c, 0, 0, HUE_BOLD, "%s", t->dev.name);
	x = canvas_put(c, x + 2, 0, text_dev_hue(t->dev.status), "%s",
		       name_of(&dev_status_names, t->dev.status));
	x = canvas_put(c, x + 2, 0, t->link.status == PNIC_LINK_STATUS_UP ? HUE_GOOD : HUE_BAD,
		       "link %s", name_of(&link_status_names, t->link.status));
	if (*t->dev.cable_serial)
		canvas_put(c, x + 2, 0, HUE_DIM, "cable %s", t->dev.cable_serial);
	if (!gmtime_r(&now, &tm) || !strftime(clock, sizeof(clock), "%H:%M:%SZ", &tm))
		*clock = 0;
	if (c->width > 40)
		canvas_put(c, c->width - 29, 0, HUE_DIM, " %s every %gs, q quits", clock,
			   t->interval);
}

/* Change of a counter a second; -1 if there is no frame before. */
static double per_second(const struct top *t, uint64_t now, uint64_t before)
{
	return t->elapsed > 0 && now >= before ? (now - before) / t->elapsed : -1;
}

static void direction(struct canvas *c, unsigned int y, const char *label, const struct top *t,
		      const struct link_dir *d, double bytes)
{
	const uint64_t full = (uint64_t)t->dev.lane_payload_kbps * t->dev.lanes_data / 1000;
	const bool whole = d->width == t->link.width_max;
	unsigned int x;

	canvas_put(c, 0, y, HUE_NONE, "%s", label);
	x = bar(c, LABEL, y, whole ? HUE_GOOD : HUE_WARN, d->rate_mbps, full ? full : 1);
	x = canvas_put(c, x + 1, y, HUE_NONE, "%s, ", fmt_rate(d->rate_mbps));
	x = canvas_put(c, x, y, whole ? HUE_NONE : HUE_WARN, "%u/%u lanes", d->width,
		       t->link.width_max);
	x = canvas_put(c, x, y, d->agreed ? HUE_NONE : HUE_WARN, ", map %u%s", d->generation,
		       d->agreed ? "" : " not agreed");
	if (bytes >= 0)
		canvas_put(c, x, y, HUE_NONE, ", used %s", fmt_rate(bytes * 8 / 1e6));
}

static void margin_line(struct canvas *c, unsigned int y, const struct link *l)
{
	const int32_t most = l->margin_erasure > 15 ? l->margin_erasure : 15;
	unsigned int x;

	canvas_put(c, 0, y, HUE_NONE, "margin");
	x = bar(c, LABEL, y, text_margin_hue(l->margin), l->margin > 0 ? l->margin : 0, most);
	canvas_put(c, x + 1, y, HUE_NONE, "%d, %d with erasures, at least %d so far", l->margin,
		   l->margin_erasure, l->margin_min);
}

static void spares_line(struct canvas *c, unsigned int y, const struct top *t)
{
	const struct forecast *f = &t->link.forecast;
	unsigned int x;

	canvas_put(c, 0, y, HUE_NONE, "spares");
	x = bar(c, LABEL, y, t->link.spares ? HUE_GOOD : HUE_BAD, t->link.spares,
		t->dev.lanes_spare);
	x = canvas_put(c, x + 1, y, HUE_NONE, "%u of %u, %u failed", t->link.spares,
		       t->dev.lanes_spare, t->link.failed);
	if (HAS(f, PNIC_A_FORECAST_LIFE_S))
		canvas_put(c, x, y, HUE_NONE, ", last %s", fmt_seconds(f->life_s));
}

static void errors_line(struct canvas *c, unsigned int y, const struct top *t)
{
	const double symbols = per_second(t, t->now.symbols_corrected, t->before.symbols_corrected);
	const double replayed = per_second(t, t->now.frames_replayed, t->before.frames_replayed);
	unsigned int x;

	canvas_put(c, 0, y, HUE_NONE, "errors");
	if (symbols < 0)
		x = canvas_put(c, LABEL, y, HUE_NONE, "%llu symbols corrected",
			       (unsigned long long)t->now.symbols_corrected);
	else
		x = canvas_put(c, LABEL, y, HUE_NONE,
			       "%.3g symbols/s corrected, %.3g frames/s replayed", symbols,
			       replayed);
	canvas_put(c, x, y, t->now.codewords_uncorrectable ? HUE_WARN : HUE_NONE,
		   ", %llu codewords lost", (unsigned long long)t->now.codewords_uncorrectable);
}

static void alarm_line(struct canvas *c, unsigned int y, uint32_t alarms)
{
	unsigned int x = LABEL, bit;

	canvas_put(c, 0, y, HUE_NONE, "alarms");
	if (!alarms)
		canvas_put(c, x, y, HUE_DIM, "none");
	for (bit = 0; bit < 32; bit++)
		if (alarms >> bit & 1)
			x = canvas_put(c, x, y, HUE_BAD, "%s ", name_of(&alarm_names, bit));
}

/* --- the lanes, small ------------------------------------------------------------------------ */

/* Of several lanes under one letter, the one that a person should see. */
static unsigned int concern(uint32_t status)
{
	static const unsigned char order[] = {
		[PNIC_LANE_STATUS_SPARE] = 1, [PNIC_LANE_STATUS_ACTIVE] = 2,
		[PNIC_LANE_STATUS_DISABLED] = 3, [PNIC_LANE_STATUS_TESTING] = 4,
		[PNIC_LANE_STATUS_QUARANTINED] = 5, [PNIC_LANE_STATUS_WATCH] = 6,
		[PNIC_LANE_STATUS_RETIRING] = 7, [PNIC_LANE_STATUS_FAILED] = 8,
	};

	return status < sizeof(order) ? order[status] : 0;
}

/* How the grid is made small: lanes of one letter, across and down. */
struct scale {
	unsigned int x, y;
};

static void block(struct canvas *c, unsigned int x, unsigned int y, const struct grid *g,
		  unsigned int gx, unsigned int gy, struct scale by)
{
	const struct lane *l, *worst = NULL;
	unsigned int i, k;
	char letter = ' ';

	for (k = gy; k < gy + by.y; k++)
		for (i = gx; i < gx + by.x; i++) {
			l = grid_at(g, i, k);
			if (!l || (worst && concern(lane_status(l)) <= concern(lane_status(worst))))
				continue;
			worst = l;
			letter = grid_letter(g, i, k);
		}
	if (worst)
		canvas_put(c, x, y, text_lane_hue(lane_status(worst)), "%c", letter);
}

/* The lanes from row @y on, in at most @width columns; the columns that were used. */
static unsigned int thumbnail(struct canvas *c, unsigned int y, unsigned int width,
			      const struct top *t)
{
	const unsigned int rows = c->height > y ? c->height - y : 0;
	unsigned int gx, gy, used;
	struct scale by;
	struct grid g;

	if (!rows || !width || grid_make(&g, &t->dev, &t->lanes, PATCH_MIN))
		return 0;
	by.x = (g.columns + width - 1) / width;
	by.y = (g.rows + rows - 1) / rows;
	for (gy = 0; gy < g.rows; gy += by.y)
		for (gx = 0; gx < g.columns; gx += by.x)
			block(c, gx / by.x, y + gy / by.y, &g, gx, gy, by);
	used = (g.columns + by.x - 1) / by.x;
	grid_free(&g);
	return used;
}

static void events(struct canvas *c, unsigned int x, unsigned int y, const struct top *t)
{
	unsigned int rows = c->height > y ? c->height - y : 0, n, i;

	n = t->events < TOP_EVENTS ? t->events : TOP_EVENTS;
	n = n < rows ? n : rows;
	if (!n)
		canvas_put(c, x, y, HUE_DIM, "no events yet");
	for (i = 0; i < n; i++)
		canvas_put(c, x, y + i, HUE_NONE, "%s",
			   t->event[(t->events - n + i) % TOP_EVENTS]);
}

void top_frame(struct canvas *c, const struct top *t)
{
	unsigned int used;

	head(c, t);
	if (*t->error) {
		canvas_put(c, 0, 2, HUE_BAD, "Error: %s", t->error);
		return;
	}
	direction(c, 1, "receive", t, &t->link.rx,
		  per_second(t, t->now.payload_rx, t->before.payload_rx));
	direction(c, 2, "transmit", t, &t->link.tx,
		  per_second(t, t->now.payload_tx, t->before.payload_tx));
	margin_line(c, 3, &t->link);
	spares_line(c, 4, t);
	errors_line(c, 5, t);
	alarm_line(c, 6, t->link.alarms);
	used = thumbnail(c, 8, c->width / 2, t);
	events(c, used ? used + 2 : 0, 8, t);
}
