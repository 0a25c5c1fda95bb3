/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that the card and a process use at the same time: the card must get at that very
 * memory and not at a copy, as SWIOTLB makes them.
 */
#ifndef PNIC_DMA_H
#define PNIC_DMA_H

#include <linux/types.h>

struct device;
struct page;
struct sg_table;

/* Whether @dma, where @page is mapped for the card, is a copy of it. Any context. */
bool pnic_dma_copied(struct device *dev, struct page *page, dma_addr_t dma);
/* The same of a mapped table of whole pages. May sleep. */
bool pnic_dma_any_copied(struct device *dev, struct sg_table *sgt);

#endif
