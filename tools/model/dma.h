/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's memory as the client describes it: ranges of DMA addresses, each
 * a piece of a file that the client shares.
 *
 * vfu_msg.c adds and removes ranges, nic.c translates for the card. A file is mapped once,
 * however often and for however many NICs it comes along.
 */
#ifndef PM_DMA_H
#define PM_DMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dma_range;

struct dma_table {
	struct dma_range *r;		/* sorted, disjoint */
	size_t n, cap;
	size_t hit;			/* where the last look-up ended */
};

#define DMA_READ	0x1u
#define DMA_WRITE	0x2u

/*
 * Adds [iova, iova + size). @fd < 0: known, but no memory that a card could reach. The
 * descriptor stays the caller's. 0; -EEXIST if it overlaps what is there and isn't just the same;
 * -EINVAL if it wraps or the file is too short; -EACCES if it isn't open for @prot; another -errno if the file
 * can't be mapped.
 */
int dma_map(struct dma_table *t, uint64_t iova, uint64_t size, uint32_t prot, int fd, uint64_t off);
/* Removes what lies in [first, last]; ranges that reach out are cut. 0, or -ENOMEM and no change. */
int dma_unmap(struct dma_table *t, uint64_t first, uint64_t last);
void dma_clear(struct dma_table *t);
/* As pm_host_ops.dma. */
void *dma_translate(struct dma_table *t, uint64_t addr, size_t *len, bool write);
/* From now on a client that shortens its file harms only itself: SIGBUS is taken. */
void dma_survive(void);
/* Files mapped in this process, for tests. */
size_t dma_files(void);

#endif /* PM_DMA_H */
