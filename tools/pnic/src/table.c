// SPDX-License-Identifier: GPL-2.0
/* Tables, see out.h. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"

struct cell {
	enum hue hue;
	char *text;
};

void table_add(struct table *t, enum hue hue, const char *fmt, ...)
{
	struct list list = { t->cells, t->n };
	struct cell *cell = list_add(&list, sizeof(*cell));
	va_list ap;

	if (!cell)
		return;
	t->cells = list.items;
	t->n = list.n;
	cell->hue = hue;
	va_start(ap, fmt);
	if (vasprintf(&cell->text, fmt, ap) < 0)
		cell->text = NULL;
	va_end(ap);
}

/* Columns that @s takes: characters, not bytes. */
static unsigned int columns_of(const char *s)
{
	unsigned int n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

static void print_cell(const char *text, enum hue hue, unsigned int width, bool right, bool last,
		       unsigned int at)
{
	unsigned int n = columns_of(text);

	if (right)
		printf("%*s", width > n ? width - n : 0, "");
	if (hue)
		fputs(out_hue(hue), stdout);
	if (last)
		out_wrap(text, at, at);
	else
		fputs(text, stdout);
	if (hue)
		fputs(out_hue(HUE_NONE), stdout);
	if (!right && !last)
		printf("%*s", width > n ? width - n : 0, "");
}

static const char *cell_text(const struct table *t, unsigned int i)
{
	return i < t->n && t->cells[i].text ? t->cells[i].text : "";
}

static void print_row(const struct table *t, unsigned int row, unsigned int columns,
		      const unsigned int *width, const bool *right)
{
	unsigned int c, at = 0, n = columns;

	/* No blanks at the end of a line. */
	while (n > 1 && !*cell_text(t, row + n - 1))
		n--;
	for (c = 0; c < n; at += width[c++] + 2) {
		if (c)
			fputs("  ", stdout);
		print_cell(cell_text(t, row + c), t->cells[row + c].hue, width[c], right[c],
			   c == n - 1, at);
	}
}

void table_print(struct table *t)
{
	unsigned int width[TABLE_COLUMNS], columns = 0, i, c, at;
	bool right[TABLE_COLUMNS];

	for (; t->columns[columns]; columns++) {
		right[columns] = *t->columns[columns] == '>';
		width[columns] = columns_of(t->columns[columns] + right[columns]);
	}
	for (i = 0; columns && i < t->n; i++)
		if (columns_of(cell_text(t, i)) > width[i % columns])
			width[i % columns] = columns_of(cell_text(t, i));
	for (c = 0, at = 0; t->n && c < columns; at += width[c++] + 2) {
		if (c)
			fputs("  ", stdout);
		print_cell(t->columns[c] + right[c], HUE_BOLD, width[c], right[c], c == columns - 1,
			   at);
	}
	for (i = 0; i + columns <= t->n; i += columns)
		print_row(t, i, columns, width, right);
	for (i = 0; i < t->n; i++)
		free(t->cells[i].text);
	free(t->cells);
	t->cells = NULL;
	t->n = 0;
}
