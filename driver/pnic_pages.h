/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a region is cut in pages for the card: the largest page size that fits where its
 * memory lies, and the list of pages. Pure, so that the host tests have it too.
 */
#ifndef PNIC_PAGES_H
#define PNIC_PAGES_H

#define PNIC_PAGES_SHIFT_MIN	12

/**
 * struct pnic_pages - a region while its pieces are being looked at
 * @va: first address of the region
 * @at: address of the next piece
 * @wrong: bits that no page size may reach over
 *
 * The pieces are the runs of contiguous DMA addresses, in order. A page of 1 << s
 * bytes fits if each piece has the same offset in such a page at its address in the
 * region and at its DMA address, and if pieces meet at borders of such pages.
 */
struct pnic_pages {
	u64 va;
	u64 at;
	u64 wrong;
};

void pnic_pages_begin(struct pnic_pages *p, u64 va);
void pnic_pages_look(struct pnic_pages *p, u64 dma, u64 len);
/* The largest that fits, @max at most; 0 if not even the smallest does. */
unsigned int pnic_pages_shift(const struct pnic_pages *p, unsigned int max);
/* Pages of 1 << @shift bytes of [va, va + length). */
u64 pnic_pages_count(u64 va, u64 length, unsigned int shift);

/**
 * struct pnic_pages_walk - going through the pages of one piece
 * @dma: DMA address of the next page
 * @left: how many there are
 */
struct pnic_pages_walk {
	u64 dma;
	u64 left;
};

/* The piece of @len bytes at address @at of the region and at @dma for the card. */
void pnic_pages_piece(struct pnic_pages_walk *w, u64 at, u64 dma, u64 len, unsigned int shift);

#endif /* PNIC_PAGES_H */
