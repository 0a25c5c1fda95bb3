/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The live view: what it shows (top_read.c), drawn on a canvas (top_frame.c), on the screen
 * (top.c).
 */
#ifndef PNIC_TOOL_TOP_H
#define PNIC_TOOL_TOP_H

#include "out.h"

/* Of a batch frame, and the least that makes sense. */
#define CANVAS_WIDTH	80
#define CANVAS_HEIGHT	24

/**
 * struct canvas - characters with colours
 * @width: columns
 * @height: rows
 * @c: characters, row by row
 * @hue: enum hue of each
 */
struct canvas {
	unsigned int width, height;
	char *c;
	unsigned char *hue;
};

/* 0, -1: out of memory. Blank. */
int canvas_make(struct canvas *c, unsigned int width, unsigned int height);
void canvas_free(struct canvas *c);
/* Text at a place; what sticks out is cut off. The column behind it. */
__attribute__((format(printf, 5, 6)))
unsigned int canvas_put(struct canvas *c, unsigned int x, unsigned int y, enum hue hue,
			const char *fmt, ...);

#define TOP_EVENTS	32
#define TOP_EVENT_SIZE	200

/**
 * struct top - what is shown
 * @p: the run
 * @dev: the device
 * @link: its link, all zero if unknown
 * @lanes: its receive lanes
 * @now: counters
 * @before: of the frame before
 * @elapsed: seconds between the two, 0 if there is only one
 * @read_at: CLOCK_MONOTONIC of @now, ns
 * @interval: seconds between frames
 * @event: the last events, a ring
 * @events: how many there were
 * @error: why nothing is known now, or ""
 */
struct top {
	struct pnic *p;
	struct dev dev;
	struct link link;
	struct list lanes;
	struct counters now, before;
	double elapsed;
	uint64_t read_at;
	double interval;
	struct drv listener;
	char event[TOP_EVENTS][TOP_EVENT_SIZE];
	unsigned int events;
	char error[256];
};

/* Begins to listen. 0, or ST_FAILED and it was said. */
int top_begin(struct top *t);
/* Reads everything anew. */
void top_read(struct top *t);
/* Takes in the events that have come. */
void top_listen(struct top *t);
void top_end(struct top *t);

void top_frame(struct canvas *c, const struct top *t);

#endif /* PNIC_TOOL_TOP_H */
