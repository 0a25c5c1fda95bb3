/* SPDX-License-Identifier: GPL-2.0 */
/* What can be said of a list of lanes: order of the spares, the grid, patches of failed lanes. */
#ifndef PNIC_TOOL_LANES_H
#define PNIC_TOOL_LANES_H

#include "types.h"

/* Power below which there is no light to speak of. */
#define LANE_DARK_CDB	(-2000)

/* Failed neighbours that are a patch, where the policy does not say. */
#define PATCH_MIN	3

/* Cells of a grid that can be drawn; the hardware has at most 4,096 lanes. */
#define GRID_MAX	65536

/* The spares, best first, ended by NULL; to be freed. NULL: out of memory. */
const struct lane **lanes_spares(const struct list *lanes);

/* State of a lane; where none came, by whether it carries data. */
uint32_t lane_status(const struct lane *l);

/**
 * struct patch - neighbours on the grid that have failed
 * @x: column of its middle
 * @y: row
 * @radius: from there to the farthest, in lanes
 * @lanes: how many
 */
struct patch {
	double x, y, radius;
	unsigned int lanes;
};

/**
 * struct grid - the lanes as they lie
 * @columns: of the grid
 * @rows: of it
 * @cell: row by row, NULL where there is no lane
 * @patch_of: number of the patch + 1 that a cell belongs to, or 0
 * @patches: struct patch
 */
struct grid {
	unsigned int columns, rows;
	const struct lane **cell;
	unsigned int *patch_of;
	struct list patches;
};

/* -1: the grid makes no sense, or memory is out. */
int grid_make(struct grid *g, const struct dev *dev, const struct list *lanes,
	      unsigned int patch_min);
void grid_free(struct grid *g);
const struct lane *grid_at(const struct grid *g, unsigned int x, unsigned int y);
/* The letter of a cell in a text map. */
char grid_letter(const struct grid *g, unsigned int x, unsigned int y);
/* What a letter means; NULL behind the last. */
const char *grid_legend(unsigned int i, char *letter, uint32_t *status);

#endif /* PNIC_TOOL_LANES_H */
