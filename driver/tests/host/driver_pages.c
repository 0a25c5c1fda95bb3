// SPDX-License-Identifier: GPL-2.0
/*
 * Page sizes of regions: the list that the card gets leads to the same bytes as the
 * pieces that it was made of, and no larger page would.
 */
#include <string.h>

#include "ktap.h"
#include "types.h"
#include "pnic_pages.h"

#define MAX_PIECES	12
#define MAX_LIST	0x10000

struct piece {
	u64 dma;
	u64 len;
};

static u64 list[MAX_LIST];

static unsigned int measure(u64 va, const struct piece *p, unsigned int n, unsigned int max)
{
	struct pnic_pages pages;
	unsigned int i;

	pnic_pages_begin(&pages, va);
	for (i = 0; i < n; i++)
		pnic_pages_look(&pages, p[i].dma, p[i].len);
	return pnic_pages_shift(&pages, max);
}

static u64 fill(u64 va, const struct piece *p, unsigned int n, unsigned int shift)
{
	struct pnic_pages_walk w;
	u64 count = 0;
	unsigned int i;

	for (i = 0; i < n; va += p[i++].len) {
		pnic_pages_piece(&w, va, p[i].dma, p[i].len, shift);
		for (; w.left; w.left--, w.dma += 1ull << shift) {
			REQUIRE(count < MAX_LIST);
			list[count++] = w.dma;
		}
	}
	return count;
}

/* Where the card finds address @at of the region. */
static u64 card_finds(u64 va, u64 at, unsigned int shift)
{
	u64 first = va >> shift << shift;

	return list[(at - first) >> shift] + ((at - first) & ((1ull << shift) - 1));
}

/* Does a list of pages of 1 << @shift lead to the right place for both ends of each piece? */
static bool right(u64 va, const struct piece *p, unsigned int n, unsigned int shift)
{
	u64 at = va;
	unsigned int i;

	for (i = 0; i < n; at += p[i++].len)
		if (card_finds(va, at, shift) != p[i].dma ||
		    card_finds(va, at + p[i].len - 1, shift) != p[i].dma + p[i].len - 1)
			return false;
	return true;
}

static u64 length_of(const struct piece *p, unsigned int n)
{
	u64 sum = 0;

	while (n--)
		sum += p[n].len;
	return sum;
}

KTAP_TEST(one_piece)
{
	const struct piece p = { 0x40000000, 0x200000 };

	CHECK_EQ(measure(0x7f0000000000, &p, 1, 30), 30);
	CHECK_EQ(measure(0x7f0000000000, &p, 1, 21), 21);
	/* 2 MiB of a huge page, at an address that agrees in its lower 21 bits only */
	CHECK_EQ(measure(0x7f0000200000, &p, 1, 30), 21);
	CHECK_EQ(measure(0x7f0000001000, &p, 1, 30), 12);
	/* an offset in the page is fine, if it is the same for the card */
	CHECK_EQ(measure(0x7f0000000123, &(struct piece) { 0x40000123, 100 }, 1, 30), 30);
	CHECK_EQ(measure(0x7f0000000123, &(struct piece) { 0x40000124, 100 }, 1, 30), 0);
}

KTAP_TEST(pieces)
{
	const struct piece apart[] = { { 0x10000000, 0x200000 }, { 0x30000000, 0x200000 } };
	const struct piece small[] = { { 0x10000000, 0x1000 }, { 0x30001000, 0x1000 } };
	const struct piece odd[] = { { 0x10000000, 0x1000 }, { 0x30000800, 0x1000 } };

	CHECK_EQ(measure(0x200000000, apart, 2, 30), 21);
	CHECK_EQ(measure(0x200000000, small, 2, 30), 12);
	CHECK_EQ(measure(0x200000000, odd, 2, 30), 0);
}

KTAP_TEST(count)
{
	CHECK_EQ(pnic_pages_count(0, 1, 12), 1);
	CHECK_EQ(pnic_pages_count(0, 4096, 12), 1);
	CHECK_EQ(pnic_pages_count(1, 4096, 12), 2);
	CHECK_EQ(pnic_pages_count(4095, 2, 12), 2);
	CHECK_EQ(pnic_pages_count(0xfffffffffffff000, 0xfff, 12), 1);
	CHECK_EQ(pnic_pages_count(0, 1ull << 40, 30), 1024);
}

static u64 seed = 1;

static u64 draw(u64 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

/* Pieces as an IOMMU or a fragmented machine gives them. */
static unsigned int draw_region(u64 *va, struct piece *p)
{
	unsigned int n = 1 + draw(MAX_PIECES), grain = 12 + draw(6), i;
	u64 offset = draw(2) ? draw(4096) : 0;

	*va = (1 + draw(1 << 20)) << grain;
	for (i = 0; i < n; i++) {
		p[i].dma = (1 + draw(1 << 20)) << grain;
		p[i].len = (1 + draw(20)) << grain;
	}
	/* The region need not begin or end at a page. */
	*va += offset;
	p[0].dma += offset;
	p[0].len -= offset;
	p[n - 1].len -= draw(4096) % p[n - 1].len;
	return n;
}

KTAP_TEST(any_region)
{
	unsigned int i, n, shift, max;
	struct piece p[MAX_PIECES];
	u64 va, count;

	for (i = 0; i < 100000; i++) {
		n = draw_region(&va, p);
		max = 12 + draw(10);
		shift = measure(va, p, n, max);
		REQUIRE(shift >= 12 && shift <= max);
		count = fill(va, p, n, shift);
		REQUIRE_EQ(count, pnic_pages_count(va, length_of(p, n), shift));
		REQUIRE(right(va, p, n, shift));
		if (shift == max)
			continue;
		/* One more would be wrong, or need more pages than the region has. */
		count = fill(va, p, n, shift + 1);
		REQUIRE(count != pnic_pages_count(va, length_of(p, n), shift + 1) ||
			!right(va, p, n, shift + 1));
	}
}

KTAP_MAIN()
