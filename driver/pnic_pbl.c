// SPDX-License-Identifier: GPL-2.0
/*
 * Page lists of regions: short ones in one piece, long ones in pages of their own with a
 * list of these. Called by pnic_mr.c; what a page is, pnic_pages.c decides.
 */
#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "pnic_pages.h"
#include "pnic_pbl.h"

#define PNIC_PBL_PER_PAGE	(PNIC_PAGE_SIZE / sizeof(__le64))
#define PNIC_PBL_PER_CHUNK	(PAGE_SIZE / sizeof(__le64))
/* The card's pages in a page of the host. */
#define PNIC_PBL_PARTS		(PAGE_SIZE / PNIC_PAGE_SIZE)

/**
 * struct pnic_pbl_chunk - a page of the host with entries of a long list
 * @entries: its memory
 * @dma: where the card reads it
 */
struct pnic_pbl_chunk {
	__le64 *entries;
	dma_addr_t dma;
};

static void pnic_pbl_set(struct pnic_pbl *pbl, u64 i, u64 page)
{
	__le64 *list = pbl->top;

	if (pbl->kind == PNIC_PBL_PAGES) {
		list = pbl->chunks[i / PNIC_PBL_PER_CHUNK].entries;
		i %= PNIC_PBL_PER_CHUNK;
	}
	list[i] = cpu_to_le64(page);
}

/**
 * struct pnic_pbl_piece - a run of DMA addresses, cut to the region
 * @at: where in the region's address space
 * @dma: where for the card
 * @len: bytes
 * @end: end of the region
 */
struct pnic_pbl_piece {
	u64 at;
	u64 dma;
	u64 len;
	u64 end;
};

/* The pinned memory consists of whole pages, the region need not. */
static void pnic_pbl_cut(struct pnic_pbl_piece *p, struct scatterlist *sg, bool first)
{
	u64 skip = first ? offset_in_page(p->at) : 0;

	p->at += p->len;
	p->dma = sg_dma_address(sg) + skip;
	p->len = min(sg_dma_len(sg) - skip, p->end - p->at);
}

static void pnic_pbl_fill(struct pnic_pbl *pbl, struct sg_table *sgt, u64 va, u64 length)
{
	struct pnic_pbl_piece p = { .at = va, .end = va + length };
	struct pnic_pages_walk w;
	struct scatterlist *sg;
	u64 n = 0;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		pnic_pbl_cut(&p, sg, !i);
		pnic_pages_piece(&w, p.at, p.dma, p.len, pbl->shift);
		for (; w.left; w.left--, w.dma += 1ULL << pbl->shift)
			pnic_pbl_set(pbl, n++, w.dma);
	}
	WARN_ON_ONCE(n != pbl->count);
}

static void pnic_pbl_free_chunks(struct device *dev, struct pnic_pbl *pbl)
{
	unsigned int i;

	for (i = 0; i < pbl->num_chunks; i++) {
		dma_unmap_single(dev, pbl->chunks[i].dma, PAGE_SIZE, DMA_TO_DEVICE);
		free_page((unsigned long)pbl->chunks[i].entries);
		cond_resched();
	}
	kvfree(pbl->chunks);
}

static int pnic_pbl_alloc_chunk(struct device *dev, struct pnic_pbl *pbl)
{
	struct pnic_pbl_chunk *c = &pbl->chunks[pbl->num_chunks];
	unsigned int part, first = pbl->num_chunks * PNIC_PBL_PARTS;

	c->entries = (__le64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!c->entries)
		return -ENOMEM;
	c->dma = dma_map_single(dev, c->entries, PAGE_SIZE, DMA_TO_DEVICE);
	if (dma_mapping_error(dev, c->dma)) {
		free_page((unsigned long)c->entries);
		return -ENOMEM;
	}
	for (part = 0; part < PNIC_PBL_PARTS; part++)
		pbl->top[first + part] = cpu_to_le64(c->dma + part * PNIC_PAGE_SIZE);
	pbl->num_chunks++;
	return 0;
}

static int pnic_pbl_alloc(struct device *dev, struct pnic_pbl *pbl)
{
	u32 chunks = DIV_ROUND_UP(pbl->count, PNIC_PBL_PER_CHUNK);
	int err = 0;

	pbl->kind = pbl->count > PNIC_PBL_PER_PAGE ? PNIC_PBL_PAGES : PNIC_PBL_DIRECT;
	pbl->top_size = PNIC_PAGE_SIZE;
	if (pbl->kind == PNIC_PBL_PAGES) {
		pbl->top_size = ALIGN((size_t)chunks * PNIC_PBL_PARTS * sizeof(__le64),
				      PNIC_PAGE_SIZE);
		pbl->chunks = kvcalloc(chunks, sizeof(*pbl->chunks), GFP_KERNEL_ACCOUNT);
		if (!pbl->chunks)
			return -ENOMEM;
	}
	pbl->top = dma_alloc_coherent(dev, pbl->top_size, &pbl->dma,
				      GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!pbl->top)
		return -ENOMEM;
	while (pbl->kind == PNIC_PBL_PAGES && pbl->num_chunks < chunks && !err)
		err = pnic_pbl_alloc_chunk(dev, pbl);
	return err;
}

/* Hands the filled list to the card. */
static void pnic_pbl_sync(struct device *dev, struct pnic_pbl *pbl)
{
	unsigned int i;

	for (i = 0; i < pbl->num_chunks; i++)
		dma_sync_single_for_device(dev, pbl->chunks[i].dma, PAGE_SIZE, DMA_TO_DEVICE);
}

static int pnic_pbl_measure(struct pnic_dev *pd, struct pnic_pbl *pbl, struct sg_table *sgt,
			    u64 va, u64 length)
{
	struct pnic_pbl_piece p = { .at = va, .end = va + length };
	struct pnic_pages pages;
	struct scatterlist *sg;
	u64 count;
	int i;

	pnic_pages_begin(&pages, va);
	for_each_sgtable_dma_sg(sgt, sg, i) {
		pnic_pbl_cut(&p, sg, !i);
		pnic_pages_look(&pages, p.dma, p.len);
	}
	pbl->shift = pnic_pages_shift(&pages, pd->caps.page_shift_max);
	if (!pbl->shift)
		return -EINVAL;
	count = pnic_pages_count(va, length, pbl->shift);
	if (count > pd->caps.max_mr_pages)
		return -E2BIG;
	pbl->count = count;
	return 0;
}

struct pnic_pbl *pnic_pbl_make(struct pnic_dev *pd, struct sg_table *sgt, u64 va, u64 length)
{
	struct device *dev = &pd->pdev->dev;
	struct pnic_pbl *pbl;
	int err;

	pbl = kzalloc(sizeof(*pbl), GFP_KERNEL_ACCOUNT);
	if (!pbl)
		return ERR_PTR(-ENOMEM);
	err = pnic_pbl_measure(pd, pbl, sgt, va, length);
	if (!err)
		err = pnic_pbl_alloc(dev, pbl);
	if (err) {
		pnic_pbl_free(pd, pbl);
		return ERR_PTR(err);
	}
	pnic_pbl_fill(pbl, sgt, va, length);
	pnic_pbl_sync(dev, pbl);
	return pbl;
}

void pnic_pbl_free(struct pnic_dev *pd, struct pnic_pbl *pbl)
{
	struct device *dev = &pd->pdev->dev;

	if (!pbl)
		return;
	pnic_pbl_free_chunks(dev, pbl);
	if (pbl->top)
		dma_free_coherent(dev, pbl->top_size, pbl->top, pbl->dma);
	kfree(pbl);
}
