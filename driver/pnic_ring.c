// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of user queues: contiguous, seen by the card and by one process.
 *
 * Called by pnic_cq.c and pnic_ep.c. The memory is ordinary pages with a count of
 * their own each and a DMA mapping over all, not dma_alloc_coherent(): a process may go on
 * looking at its rings after the card was reset or removed (and must find there what
 * it left, since a phase bit that changes is a completion), while everything that the
 * DMA layer gave us has to be handed back before the driver lets go of the device.
 * The mapping holds its own references. That asks for DMA that is coherent without
 * calls of ours; where it is not, there are no rings.
 */
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/mm.h>

#include "pnic_dma.h"
#include "pnic_object.h"

/* Entries of the largest ring, for a card that can do 1 << @log_max of @entry bytes. */
u32 pnic_ring_entries_max(u8 log_max, size_t entry)
{
	return min_t(u64, 1ULL << log_max, (PAGE_SIZE << PNIC_RING_ORDER_MAX) / entry);
}

static void pnic_ring_free_pages(struct pnic_ring *ring)
{
	unsigned long i;

	for (i = 0; i < 1UL << ring->order; i++)
		__free_page(ring->map.page + i);
}

static void pnic_ring_account(struct pnic_file *pf, ssize_t bytes)
{
	pf->ring_bytes += bytes;
	atomic_long_add(bytes, &pf->pd->stats.ring_bytes);
	atomic_add(bytes > 0 ? 1 : -1, &pf->pd->stats.dma_maps);
}

/* With pf->lock. On failure ring->size is 0, as for a ring that there is not. */
int pnic_ring_alloc(struct pnic_file *pf, struct pnic_ring *ring, size_t bytes)
{
	struct device *dev = &pf->pd->pdev->dev;
	unsigned int order = get_order(bytes);
	size_t size = PAGE_SIZE << order;
	struct page *page;
	int err;

	if (pf->ring_bytes + size > PNIC_FILE_RING_MAX)
		return -ENOMEM;
	page = alloc_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN, order);
	if (!page)
		return -ENOMEM;
	if (order)
		split_page(page, order);
	ring->order = order;
	ring->map = (struct pnic_mapping) {
		.kind = PNIC_MAP_RING, .pages = 1UL << order, .page = page,
	};

	ring->dma = dma_map_page(dev, page, 0, size, DMA_BIDIRECTIONAL);
	err = -ENOMEM;
	if (dma_mapping_error(dev, ring->dma))
		goto free;
	err = -EOPNOTSUPP;
	if (pnic_dma_copied(dev, page, ring->dma))
		goto unmap;
	err = pnic_mmap_add(pf, &ring->map);
	if (err)
		goto unmap;

	ring->size = size;
	pnic_ring_account(pf, size);
	return 0;

unmap:
	dma_unmap_page(dev, ring->dma, size, DMA_BIDIRECTIONAL);
free:
	pnic_ring_free_pages(ring);
	return err;
}

/* The card must not use the ring any more. Mappings of processes stay good. */
void pnic_ring_free(struct pnic_file *pf, struct pnic_ring *ring)
{
	if (!ring->size)
		return;
	pnic_mmap_del(pf, &ring->map);
	dma_unmap_page(&pf->pd->pdev->dev, ring->dma, ring->size, DMA_BIDIRECTIONAL);
	pnic_ring_free_pages(ring);
	pnic_ring_account(pf, -(ssize_t)ring->size);
	ring->size = 0;
}
