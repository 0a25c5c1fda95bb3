/* SPDX-License-Identifier: GPL-2.0 */
/* Text on standard output: colours, lines that wrap, tables, bars; quantities in words. */
#ifndef PNIC_TOOL_OUT_H
#define PNIC_TOOL_OUT_H

#include "pnic.h"

#define OUT_WIDTH	80

enum hue { HUE_NONE, HUE_GOOD, HUE_WARN, HUE_BAD, HUE_INFO, HUE_DIM, HUE_BOLD };

/* Decides whether colours are used: by -c, NO_COLOR, and what standard output is. */
void out_init(const struct pnic *p);
bool out_colours(void);
/* The escape sequence that begins (HUE_NONE: ends) a colour, "" without colours. */
const char *out_hue(enum hue hue);

/*
 * "    LABEL        TEXT", wrapped at OUT_WIDTH with the text's lines one below the other. Colours
 * are for the whole text.
 */
__attribute__((format(printf, 3, 4)))
void out_item(const char *label, enum hue hue, const char *fmt, ...);
/* @text from column @at on, wrapped with @indent spaces. Ends the line. */
void out_wrap(const char *text, unsigned int at, unsigned int indent);
/* Two blanks and a bar of @value against @max, at most @width columns. Ends the line. */
void out_bar(uint64_t value, uint64_t max, unsigned int width);

/* --- tables ---------------------------------------------------------------------------------- */

#define TABLE_COLUMNS	14

/**
 * struct table - rows of cells, printed when all are known
 * @columns: heads, ended by NULL; one that begins with '>' is aligned right
 * @cells: row by row (internal)
 * @n: cells (internal)
 */
struct table {
	const char *columns[TABLE_COLUMNS + 1];
	struct cell *cells;
	unsigned int n;
};

/* Adds the next cell. */
__attribute__((format(printf, 3, 4)))
void table_add(struct table *t, enum hue hue, const char *fmt, ...);
/* Prints and frees it. The last column wraps at OUT_WIDTH. Nothing is printed without rows. */
void table_print(struct table *t);

/* --- quantities: in one of a few static buffers ---------------------------------------------- */

const char *fmt_rate(uint64_t mbps);		/* 800.0 Gb/s */
const char *fmt_bytes(uint64_t bytes);		/* 1.5 MiB */
const char *fmt_ppb(uint32_t ppb);		/* 2.4e-06 */
const char *fmt_ns(uint64_t ns);		/* 1.5 us */
const char *fmt_seconds(uint64_t s);		/* 3.2 years */
const char *fmt_cdb(int32_t cdb);		/* -1.50 dB */
const char *fmt_wall(uint64_t ns);		/* 2026-11-26T11:14:10.123456Z */
const char *fmt_margin(int32_t margin);		/* 7 lanes */

#endif /* PNIC_TOOL_OUT_H */
