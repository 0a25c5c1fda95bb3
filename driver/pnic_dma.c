// SPDX-License-Identifier: GPL-2.0
/*
 * Whether the card gets at the memory itself.
 *
 * Behind an IOMMU dma_need_sync() cannot tell: it says yes of everything where the DMA API is
 * debugged, and once something of the device was copied. The IOMMU's own tables know.
 */
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/scatterlist.h>

#include "pnic_dma.h"

bool pnic_dma_copied(struct device *dev, struct page *page, dma_addr_t dma)
{
	struct iommu_domain *domain;

	if (!dma_need_sync(dev, dma))
		return false;
	domain = iommu_get_domain_for_dev(dev);
	return !domain || iommu_iova_to_phys(domain, dma) != page_to_phys(page);
}

bool pnic_dma_any_copied(struct device *dev, struct sg_table *sgt)
{
	struct sg_dma_page_iter there;
	struct sg_page_iter here;
	struct scatterlist *sg;
	bool perhaps = false;
	unsigned int i;

	for_each_sgtable_dma_sg(sgt, sg, i)
		perhaps |= dma_need_sync(dev, sg_dma_address(sg));
	if (!perhaps)
		return false;
	/* The pages are in the same order on both sides. */
	__sg_page_iter_start(&here, sgt->sgl, sgt->orig_nents, 0);
	for_each_sgtable_dma_page(sgt, &there, 0) {
		if (!__sg_page_iter_next(&here) ||
		    pnic_dma_copied(dev, sg_page_iter_page(&here),
				    sg_page_iter_dma_address(&there)))
			return true;
		cond_resched();
	}
	return false;
}
