/* SPDX-License-Identifier: GPL-2.0 */
/* The grid as a picture: in the terminal (map_text.c) and as SVG (map_svg.c). */
#ifndef PNIC_TOOL_MAP_H
#define PNIC_TOOL_MAP_H

#include <stdio.h>

#include "lanes.h"

/**
 * struct map - what a picture shows
 * @dev: the device
 * @link: its link
 * @direction: enum pnic_direction
 * @grid: the lanes
 */
struct map {
	const struct dev *dev;
	const struct link *link;
	uint32_t direction;
	struct grid grid;
};

void map_text(const struct map *m);
void map_svg(const struct map *m, FILE *f);

#endif /* PNIC_TOOL_MAP_H */
