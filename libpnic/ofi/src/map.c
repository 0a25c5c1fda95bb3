// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/* A table from 64-bit numbers to pointers. Deleting moves entries back, so there are no tombstones. */
#include <errno.h>
#include <stdlib.h>

#include "map.h"

static uint64_t map_hash(uint64_t key)
{
	key ^= key >> 31;
	key *= 0x9e3779b97f4a7c15ull;
	return key ^ (key >> 29);
}

/* The slot of @key, or the free one where it would be. The table has a free one. */
static size_t map_find(const struct pfi_map *m, uint64_t key)
{
	size_t i = map_hash(key) & (m->size - 1);

	while (m->slot[i].val && m->slot[i].key != key)
		i = (i + 1) & (m->size - 1);
	return i;
}

void *pfi_map_get(const struct pfi_map *m, uint64_t key)
{
	return m->count ? m->slot[map_find(m, key)].val : NULL;
}

static int map_grow(struct pfi_map *m)
{
	struct pfi_map bigger = { .size = m->size ? m->size * 2 : 16, .count = m->count };
	size_t i;

	bigger.slot = calloc(bigger.size, sizeof(*bigger.slot));
	if (!bigger.slot)
		return -ENOMEM;
	for (i = 0; i < m->size; i++)
		if (m->slot[i].val)
			bigger.slot[map_find(&bigger, m->slot[i].key)] = m->slot[i];
	free(m->slot);
	*m = bigger;
	return 0;
}

int pfi_map_put(struct pfi_map *m, uint64_t key, void *val)
{
	size_t i;
	int err;

	if (m->count * 4 >= m->size * 3) {
		err = map_grow(m);
		if (err)
			return err;
	}
	i = map_find(m, key);
	m->count += !m->slot[i].val;
	m->slot[i].key = key;
	m->slot[i].val = val;
	return 0;
}

void *pfi_map_del(struct pfi_map *m, uint64_t key)
{
	size_t hole, i, home;
	void *val;

	if (!m->count)
		return NULL;
	hole = map_find(m, key);
	val = m->slot[hole].val;
	if (!val)
		return NULL;
	for (i = (hole + 1) & (m->size - 1); m->slot[i].val; i = (i + 1) & (m->size - 1)) {
		home = map_hash(m->slot[i].key) & (m->size - 1);
		/* It may move back only if the hole is on its way from home. */
		if (((i - home) & (m->size - 1)) >= ((i - hole) & (m->size - 1))) {
			m->slot[hole] = m->slot[i];
			hole = i;
		}
	}
	m->slot[hole].val = NULL;
	m->count--;
	return val;
}

void pfi_map_fini(struct pfi_map *m)
{
	free(m->slot);
	m->slot = NULL;
	m->size = 0;
	m->count = 0;
}
