/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The list of pages that CREATE_MR shows to the card.
 */
#ifndef PNIC_PBL_H
#define PNIC_PBL_H

#include "pnic.h"

struct sg_table;

/**
 * struct pnic_pbl - a page list, in memory that the card can read
 * @shift: log2 of the size of a page
 * @kind: PNIC_PBL_DIRECT or PNIC_PBL_PAGES
 * @count: pages in it
 * @dma: what the command names
 * @top: the list, or the list of its pages
 * @top_size: bytes
 * @chunks: pages of the list with PNIC_PBL_PAGES
 * @num_chunks: how many
 */
struct pnic_pbl {
	u8 shift;
	u8 kind;
	u32 count;
	dma_addr_t dma;
	__le64 *top;
	size_t top_size;
	struct pnic_pbl_chunk *chunks;
	unsigned int num_chunks;
};

/*
 * For the mapped @sgt, which holds the pages of [va, va + length). -E2BIG: more of them than
 * the card takes.
 */
struct pnic_pbl *pnic_pbl_make(struct pnic_dev *pd, struct sg_table *sgt, u64 va, u64 length);
/* The card must not read it any more. */
void pnic_pbl_free(struct pnic_dev *pd, struct pnic_pbl *pbl);

#endif /* PNIC_PBL_H */
