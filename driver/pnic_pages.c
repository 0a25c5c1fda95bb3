// SPDX-License-Identifier: GPL-2.0
/*
 * Page sizes and page lists of regions, see pnic_pages.h. Called by pnic_pbl.c.
 */
#ifdef __KERNEL__
#include <linux/bitops.h>
#include <linux/types.h>
#else
#include "tests/host/types.h"
#endif

#include "pnic_pages.h"

void pnic_pages_begin(struct pnic_pages *p, u64 va)
{
	p->va = va;
	p->at = va;
	p->wrong = 0;
}

void pnic_pages_look(struct pnic_pages *p, u64 dma, u64 len)
{
	/* Offsets in a page must agree ... */
	p->wrong |= p->at ^ dma;
	/* ... and no page may reach from one piece into the next. */
	if (p->at != p->va)
		p->wrong |= p->at;
	p->at += len;
}

unsigned int pnic_pages_shift(const struct pnic_pages *p, unsigned int max)
{
	unsigned int shift = p->wrong ? __ffs64(p->wrong) : 64;

	if (shift > max)
		shift = max;
	return shift < PNIC_PAGES_SHIFT_MIN ? 0 : shift;
}

u64 pnic_pages_count(u64 va, u64 length, unsigned int shift)
{
	return ((va + length - 1) >> shift) - (va >> shift) + 1;
}

void pnic_pages_piece(struct pnic_pages_walk *w, u64 at, u64 dma, u64 len, unsigned int shift)
{
	w->dma = dma & ~((1ULL << shift) - 1);
	w->left = pnic_pages_count(at, len, shift);
}
