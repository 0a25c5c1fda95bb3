// SPDX-License-Identifier: GPL-2.0
/* The grid in the terminal. */
#include <string.h>

#include "map.h"
#include "text.h"

#define LABEL	4		/* columns in front of a row */
/* Columns of the grid beside each other; a wider one is drawn in parts. */
#define PART	64

/* Column numbers: every fifth. */
static void print_ruler(unsigned int first, unsigned int n, unsigned int pitch)
{
	unsigned int x, at = 0;
	char label[16];

	printf("%*s", LABEL, "");
	for (x = first; x < first + n; x++) {
		if (x % 5 || at > (x - first) * pitch)
			continue;
		snprintf(label, sizeof(label), "%u", x);
		printf("%*s%s", (int)((x - first) * pitch - at), "", label);
		at = (x - first) * pitch + strlen(label);
	}
	putchar('\n');
}

static void print_cell(char letter, uint32_t status, unsigned int pitch)
{
	/* Nearly all are active: what isn't must be seen. */
	const char *hue = letter == ' ' ? "" : out_hue(text_lane_hue(status));
	const char *end = letter == ' ' ? "" : out_hue(HUE_NONE);
	const bool bold = out_colours() && !strchr(" o+", letter);

	printf("%s%s%c%s%*s", bold ? out_hue(HUE_BOLD) : "", hue, letter, end, pitch - 1, "");
}

static void print_part(const struct grid *g, unsigned int first, unsigned int n)
{
	const unsigned int pitch = n * 2 + LABEL <= OUT_WIDTH ? 2 : 1;
	const struct lane *l;
	unsigned int x, y, last;

	print_ruler(first, n, pitch);
	for (y = 0; y < g->rows; y++) {
		printf("%*u ", LABEL - 1, y);
		/* No blanks at the end of a line. */
		for (last = first + n; last > first && !grid_at(g, last - 1, y); last--)
			;
		for (x = first; x < last; x++) {
			l = grid_at(g, x, y);
			print_cell(grid_letter(g, x, y), l ? lane_status(l) : 0,
				   x == last - 1 ? 1 : pitch);
		}
		putchar('\n');
	}
}

static void print_legend(const struct grid *g)
{
	unsigned int count[256] = {}, x, y, i, at = 0;
	const char *text;
	char letter, s[64];
	uint32_t status;

	for (y = 0; y < g->rows; y++)
		for (x = 0; x < g->columns; x++)
			count[(unsigned char)grid_letter(g, x, y)]++;
	for (i = 0; (text = grid_legend(i, &letter, &status)); i++) {
		if (!count[(unsigned char)letter])
			continue;
		snprintf(s, sizeof(s), "%u %s", count[(unsigned char)letter], text);
		if (at + strlen(s) + 4 > OUT_WIDTH) {
			putchar('\n');
			at = 0;
		}
		at += printf("%*s", at ? 2 : LABEL, "") + strlen(s) + 2;
		print_cell(letter, status, 2);
		fputs(s, stdout);
	}
	putchar('\n');
}

void map_text(const struct map *m)
{
	const struct grid *g = &m->grid;
	const struct patch *p;
	unsigned int x;

	text_lane_summary(m->dev->name, m->link, m->direction);
	putchar('\n');
	for (x = 0; x < g->columns; x += PART)
		print_part(g, x, g->columns - x < PART ? g->columns - x : PART);
	putchar('\n');
	print_legend(g);
	LIST_FOR_EACH(p, &g->patches)
		out_item("patch", HUE_BAD, "%u failed neighbours around (%.0f,%.0f), radius %.1f",
			 p->lanes, p->x, p->y, p->radius);
}
