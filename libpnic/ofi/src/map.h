/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * A table from 64-bit numbers to pointers, open addressed: peers by address, regions by key. No lock.
 */
#ifndef PFI_MAP_H
#define PFI_MAP_H

#include <stdint.h>
#include <stddef.h>

struct pfi_map_slot {
	uint64_t key;
	void *val;		/* NULL: free */
};

struct pfi_map {
	struct pfi_map_slot *slot;
	size_t size;		/* a power of two, or 0 */
	size_t count;
};

/** pfi_map_get - what @key leads to, or NULL */
void *pfi_map_get(const struct pfi_map *m, uint64_t key);

/** pfi_map_put - @key leads to @val (not NULL) now. -ENOMEM */
int pfi_map_put(struct pfi_map *m, uint64_t key, void *val);

/** pfi_map_del - it leads nowhere any more; what it led to, or NULL */
void *pfi_map_del(struct pfi_map *m, uint64_t key);

/** pfi_map_fini - free the table, not what it leads to */
void pfi_map_fini(struct pfi_map *m);

#endif /* PFI_MAP_H */
