// SPDX-License-Identifier: GPL-2.0
/*
 * Lane maps: making, comparing, checking, and their form on the wire.
 */
#include "map.h"

void lane_map_identity(struct lane_map *map, u16 width)
{
	u16 l;

	map->generation = LANE_GEN_FIRST;
	map->width = width;
	for (l = 0; l < width; l++)
		map->phys[l] = l;
}

void lane_map_copy(struct lane_map *to, const struct lane_map *from)
{
	to->generation = from->generation;
	to->width = from->width;
	memcpy(to->phys, from->phys, from->width * sizeof(from->phys[0]));
}

bool lane_map_same(const struct lane_map *a, const struct lane_map *b)
{
	return a->width == b->width &&
	       !memcmp(a->phys, b->phys, a->width * sizeof(a->phys[0]));
}

int lane_map_check(const struct lane_map *map, const struct lane_shape *shape)
{
	u64 seen[(LANE_MAX + 63) / 64];
	u16 l;

	if (!map->width || map->width > shape->data || map->width > LANE_MAX)
		return PNIC_MAPR_WIDTH;

	memset(seen, 0, sizeof(seen));
	for (l = 0; l < map->width; l++) {
		u16 lane = map->phys[l];

		if (lane >= shape->total || lane >= LANE_MAX)
			return PNIC_MAPR_RANGE;
		if (seen[lane / 64] & (1ULL << (lane % 64)))
			return PNIC_MAPR_TWICE;
		seen[lane / 64] |= 1ULL << (lane % 64);
	}
	return 0;
}

static u32 fnv1a(u32 hash, u16 value)
{
	hash = (hash ^ (value & 0xff)) * 16777619u;
	return (hash ^ (value >> 8)) * 16777619u;
}

u32 lane_map_sum(const struct lane_map *map)
{
	u32 hash = fnv1a(2166136261u, map->width);
	u16 l;

	for (l = 0; l < map->width; l++)
		hash = fnv1a(hash, map->phys[l]);
	return hash;
}

u16 lane_map_moves(const struct lane_map *from, const struct lane_map *to)
{
	u16 moves = 0;
	u16 l;

	for (l = 0; l < to->width; l++)
		if (l >= from->width || from->phys[l] != to->phys[l])
			moves++;
	return moves;
}

size_t lane_map_encode(const struct lane_map *map, void *buf, size_t cap)
{
	size_t len = sizeof(struct pnic_map) + map->width * sizeof(__le16);
	struct pnic_map *head = buf;
	__le16 *phys = (__le16 *)(head + 1);
	u16 l;

	if (cap < len)
		return 0;
	head->generation = cpu_to_le32(map->generation);
	head->width = cpu_to_le16(map->width);
	head->rsvd = 0;
	for (l = 0; l < map->width; l++)
		phys[l] = cpu_to_le16(map->phys[l]);
	return len;
}

bool lane_map_decode(struct lane_map *map, const void *buf, size_t len)
{
	const struct pnic_map *head = buf;
	const __le16 *phys = (const __le16 *)(head + 1);
	u16 width, l;

	if (len < sizeof(*head))
		return false;
	width = le16_to_cpu(head->width);
	if (width > LANE_MAX || len < sizeof(*head) + width * sizeof(*phys))
		return false;
	map->generation = le32_to_cpu(head->generation);
	map->width = width;
	for (l = 0; l < width; l++)
		map->phys[l] = le16_to_cpu(phys[l]);
	return true;
}
