/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lane maps: which physical lane carries each logical lane.
 *
 * Used by the policy (makes them), the protocol (agrees on them) and whoever
 * loads them into a card.
 */
#ifndef LANE_MAP_H
#define LANE_MAP_H

#include "lane_types.h"

struct lane_map {
	u32 generation;
	u16 width;
	u16 phys[LANE_MAX];
};

#define LANE_GEN_FIRST		1	/* identity at full width, after a reset */

void lane_map_identity(struct lane_map *map, u16 width);
void lane_map_copy(struct lane_map *to, const struct lane_map *from);
/* The same lanes in the same places, whatever the generation. */
bool lane_map_same(const struct lane_map *a, const struct lane_map *b);
/* 0, or enum pnic_map_refusal. */
int lane_map_check(const struct lane_map *map, const struct lane_shape *shape);
/* FNV-1a of width and lanes: what two ends compare. */
u32 lane_map_sum(const struct lane_map *map);
/* Logical lanes of @to that @from has elsewhere or not at all. */
u16 lane_map_moves(const struct lane_map *from, const struct lane_map *to);

/* The form of struct pnic_map. Decoding checks the length, not the lanes. */
size_t lane_map_encode(const struct lane_map *map, void *buf, size_t cap);
bool lane_map_decode(struct lane_map *map, const void *buf, size_t len);

#endif /* LANE_MAP_H */
