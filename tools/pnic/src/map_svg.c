// SPDX-License-Identifier: GPL-2.0
/* The grid as SVG: state beside received power, margin, patches. Needs nothing but the file. */
#include <string.h>

#include "map.h"
#include "text.h"

#define CELL		14
#define PITCH		(CELL + 2)
#define LEFT		44
#define TOP		132
#define BETWEEN		64
#define PANEL_MIN	300		/* room for the words above and below a small grid */
#define LEGEND_ROW	20

/* The scale of the power's colours, 0.01 dB. */
#define POWER_LOW	(-400)
#define POWER_HIGH	100

static const struct {
	uint32_t status;
	const char *colour, *text;
} states[] = {
	{ PNIC_LANE_STATUS_ACTIVE, "#4477aa", "active" },
	{ PNIC_LANE_STATUS_SPARE, "#cccccc", "spare" },
	{ PNIC_LANE_STATUS_WATCH, "#ccbb44", "watch" },
	{ PNIC_LANE_STATUS_RETIRING, "#ee7733", "retiring" },
	{ PNIC_LANE_STATUS_FAILED, "#222222", "failed" },
	{ PNIC_LANE_STATUS_QUARANTINED, "#aa3377", "quarantined" },
	{ PNIC_LANE_STATUS_TESTING, "#66ccee", "testing" },
	{ PNIC_LANE_STATUS_DISABLED, "#ffffff", "disabled" },
};

#define STATES	(ARRAY_SIZE(states))

static void escape(FILE *f, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '&':
			fputs("&amp;", f);
			break;
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '"':
			fputs("&quot;", f);
			break;
		default:
			fputc(*s, f);
		}
	}
}

static void text(FILE *f, double x, double y, unsigned int size, const char *more, const char *s)
{
	fprintf(f, "<text x=\"%g\" y=\"%g\" font-size=\"%u\"%s>", x, y, size, more);
	escape(f, s);
	fputs("</text>\n", f);
}

static const char *state_colour(uint32_t status)
{
	unsigned int i;

	for (i = 0; i < STATES; i++)
		if (states[i].status == status)
			return states[i].colour;
	return "#ff00ff";
}

/* Dark red by way of yellow to blue: readable for the colour-blind and in grey. */
static void power_colour(char *s, size_t size, int32_t cdb)
{
	static const unsigned char stops[][3] = {
		{ 0x67, 0x00, 0x1f }, { 0xd6, 0x60, 0x4d }, { 0xfd, 0xdb, 0xa0 },
		{ 0x92, 0xc5, 0xde }, { 0x21, 0x66, 0xac },
	};
	const double n = ARRAY_SIZE(stops) - 1;
	double at = (double)(cdb - POWER_LOW) / (POWER_HIGH - POWER_LOW) * n;
	unsigned int c[3], i, k;

	at = at < 0 ? 0 : at > n ? n : at;
	k = at >= n ? n - 1 : at;
	for (i = 0; i < 3; i++)
		c[i] = stops[k][i] + (at - k) * (stops[k + 1][i] - stops[k][i]) + 0.5;
	snprintf(s, size, "#%02x%02x%02x", c[0], c[1], c[2]);
}

static void tooltip(FILE *f, const struct lane *l)
{
	fprintf(f, "<title>lane %u (%u,%u): %s", l->index, l->x, l->y,
		name_of(&lane_status_names, lane_status(l)));
	if (HAS(l, PNIC_A_LANE_LOGICAL))
		fprintf(f, ", logical %u", l->logical);
	if (HAS(l, PNIC_A_LANE_POWER_CDB))
		fprintf(f, ", %s", l->power_cdb <= LANE_DARK_CDB ? "dark" : fmt_cdb(l->power_cdb));
	if (HAS(l, PNIC_A_LANE_ERROR_PPB))
		fprintf(f, ", errors %s", fmt_ppb(l->error_ppb));
	if (l->losses)
		fprintf(f, ", lost %u times", l->losses);
	if (HAS(l, PNIC_A_LANE_STANDBY))
		fprintf(f, ", standby %u", l->standby);
	if (l->erased)
		fputs(", erased", f);
	if (l->known_bad)
		fputs(", known bad", f);
	if (HAS(l, PNIC_A_LANE_GENERATION))
		fprintf(f, ", generation %u", l->generation);
	fputs("</title>", f);
}

static void rect(FILE *f, double x, double y, const char *colour, bool outlined)
{
	fprintf(f, "<rect x=\"%g\" y=\"%g\" width=\"%d\" height=\"%d\" rx=\"2\" fill=\"%s\"%s", x,
		y, CELL, CELL, colour, outlined ? " stroke=\"#888888\"" : "");
}

static void state_cell(FILE *f, const struct lane *l, double x, double y)
{
	const uint32_t status = lane_status(l);

	rect(f, x, y, state_colour(status), status == PNIC_LANE_STATUS_DISABLED);
	fputc('>', f);
	tooltip(f, l);
	fputs("</rect>\n", f);
	/* It carries what another lane carried once. */
	if (HAS(l, PNIC_A_LANE_LOGICAL) && l->logical != l->index)
		fprintf(f, "<circle cx=\"%g\" cy=\"%g\" r=\"3\" fill=\"#ffffff\" "
			"pointer-events=\"none\"/>\n", x + CELL / 2.0, y + CELL / 2.0);
}

static void power_cell(FILE *f, const struct lane *l, double x, double y)
{
	char colour[16];
	bool known = HAS(l, PNIC_A_LANE_POWER_CDB);

	if (!known || l->power_cdb <= LANE_DARK_CDB)
		snprintf(colour, sizeof(colour), known ? "#222222" : "#ffffff");
	else
		power_colour(colour, sizeof(colour), l->power_cdb);
	rect(f, x, y, colour, !known);
	fputc('>', f);
	tooltip(f, l);
	fputs("</rect>\n", f);
}

static void panel(FILE *f, const struct grid *g, double x0, const char *title,
		  void (*cell)(FILE *f, const struct lane *l, double x, double y))
{
	const struct patch *p;
	const struct lane *l;
	unsigned int x, y;
	char label[16];

	text(f, x0, TOP - 26, 14, " font-weight=\"bold\"", title);
	for (x = 0; x < g->columns; x += 5) {
		snprintf(label, sizeof(label), "%u", x);
		text(f, x0 + x * PITCH + CELL / 2.0, TOP - 6, 10,
		     " text-anchor=\"middle\" fill=\"#666666\"", label);
	}
	for (y = 0; y < g->rows; y++) {
		snprintf(label, sizeof(label), "%u", y);
		if (!(y % 5))
			text(f, x0 - 6, TOP + y * PITCH + 11, 10,
			     " text-anchor=\"end\" fill=\"#666666\"", label);
		for (x = 0; x < g->columns; x++) {
			l = grid_at(g, x, y);
			if (l)
				cell(f, l, x0 + x * PITCH, TOP + y * PITCH);
		}
	}
	LIST_FOR_EACH(p, &g->patches)
	fprintf(f,
		"<circle cx=\"%g\" cy=\"%g\" r=\"%g\" fill=\"none\" stroke=\"#cc3311\" "
		"stroke-width=\"2\" stroke-dasharray=\"6 3\"><title>patch of %u failed lanes"
		"</title></circle>\n",
		x0 + p->x * PITCH + CELL / 2.0, TOP + p->y * PITCH + CELL / 2.0,
		(p->radius + 0.8) * PITCH, p->lanes);
}

/* Lanes that may yet die, a block each: those that the decoder finds, those it is told of. */
static void margin_blocks(FILE *f, const struct link *l, double x, double y)
{
	const int most = 40;
	int i;

	for (i = 0; i < most && (i < l->margin || i < l->margin_erasure); i++)
		fprintf(f, "<rect x=\"%g\" y=\"%g\" width=\"9\" height=\"12\" rx=\"1\" "
			"fill=\"%s\"/>\n", x + 11 * i, y, i < l->margin ? "#228833" : "#bbddbb");
	if (l->margin < 0)
		text(f, x, y + 11, 12, " fill=\"#cc3311\"", "none: codewords are lost");
}

static void header(FILE *f, const struct map *m)
{
	const struct link_dir *d = m->direction == PNIC_DIRECTION_TX ? &m->link->tx : &m->link->rx;
	const struct link *l = m->link;
	char s[256];

	snprintf(s, sizeof(s), "%s, lanes that it %s", m->dev->name,
		 m->direction == PNIC_DIRECTION_TX ? "sends on" : "receives");
	text(f, LEFT, 30, 20, "", s);
	snprintf(s, sizeof(s), "%u of %u lanes, %s, generation %u%s%s%s", d->width, l->width_max,
		 fmt_rate(d->rate_mbps), d->generation, d->agreed ? "" : " (not agreed)",
		 *m->dev->cable_serial ? "; cable " : "", m->dev->cable_serial);
	text(f, LEFT, 52, 13, "", s);
	if (m->direction != PNIC_DIRECTION_RX)
		return;
	snprintf(s, sizeof(s), "margin %d, %d with erasures", l->margin, l->margin_erasure);
	text(f, LEFT, 76, 13, "", s);
	margin_blocks(f, l, LEFT + 200, 65);
}

static void state_legend(FILE *f, const struct map *m, double x, double y)
{
	unsigned int count[STATES] = {}, moved = 0, i, n = 0;
	const struct grid *g = &m->grid;
	const struct lane *l;
	char s[64];

	for (i = 0; i < g->columns * g->rows; i++) {
		l = g->cell[i];
		for (n = 0; l && n < STATES; n++)
			count[n] += states[n].status == lane_status(l);
		moved += l && HAS(l, PNIC_A_LANE_LOGICAL) && l->logical != l->index;
	}
	for (i = 0, n = 0; i < STATES; i++) {
		if (!count[i] && i > 4)
			continue;
		rect(f, x + n % 2 * 150, y + n / 2 * LEGEND_ROW, states[i].colour,
		     states[i].status == PNIC_LANE_STATUS_DISABLED);
		fputs("/>\n", f);
		snprintf(s, sizeof(s), "%u %s", count[i], states[i].text);
		text(f, x + n % 2 * 150 + CELL + 6, y + n / 2 * LEGEND_ROW + 11, 12, "", s);
		n++;
	}
	fprintf(f, "<circle cx=\"%g\" cy=\"%g\" r=\"4\" fill=\"#ffffff\" stroke=\"#4477aa\" "
		"stroke-width=\"3\"/>\n", x + n % 2 * 150 + CELL / 2.0,
		y + n / 2 * LEGEND_ROW + CELL / 2.0);
	snprintf(s, sizeof(s), "%u took over for another", moved);
	text(f, x + n % 2 * 150 + CELL + 6, y + n / 2 * LEGEND_ROW + 11, 12, "", s);
}

static void power_legend(FILE *f, double x, double y)
{
	const unsigned int steps = 50, width = 5;
	char colour[16], label[16];
	unsigned int i;
	int db;

	for (i = 0; i < steps; i++) {
		power_colour(colour, sizeof(colour),
			     POWER_LOW + (int)i * (POWER_HIGH - POWER_LOW) / (int)(steps - 1));
		fprintf(f, "<rect x=\"%g\" y=\"%g\" width=\"%u\" height=\"12\" fill=\"%s\"/>\n",
			x + i * width, y, width + 1, colour);
	}
	for (db = POWER_LOW / 100; db <= POWER_HIGH / 100; db++) {
		snprintf(label, sizeof(label), "%+d", db);
		text(f,
		     x + (double)(db * 100 - POWER_LOW) / (POWER_HIGH - POWER_LOW) * steps * width,
		     y + 26, 10, " text-anchor=\"middle\" fill=\"#666666\"", db ? label : "0 dB");
	}
	rect(f, x, y + 36, "#222222", false);
	fputs("/>\n", f);
	text(f, x + CELL + 6, y + 47, 12, "", "dark");
}

static unsigned int at_least(unsigned int n, unsigned int least)
{
	return n > least ? n : least;
}

void map_svg(const struct map *m, FILE *f)
{
	const unsigned int panel_width = at_least(m->grid.columns * PITCH, PANEL_MIN);
	const bool power = m->direction == PNIC_DIRECTION_RX;
	const unsigned int width = LEFT + panel_width + 30 + power * (BETWEEN + panel_width);
	const unsigned int legend = TOP + m->grid.rows * PITCH + 16;
	const unsigned int height = legend + 5 * LEGEND_ROW + 20;

	fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
		"viewBox=\"0 0 %u %u\" font-family=\"sans-serif\" fill=\"#222222\">\n",
		width, height, width, height);
	fputs("<title>pnic lane map</title>\n"
	      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n", f);
	header(f, m);
	panel(f, &m->grid, LEFT, "state", state_cell);
	state_legend(f, m, LEFT, legend);
	if (power) {
		panel(f, &m->grid, LEFT + panel_width + BETWEEN, "received power against nominal",
		      power_cell);
		power_legend(f, LEFT + panel_width + BETWEEN, legend);
	}
	fputs("</svg>\n", f);
}
