// SPDX-License-Identifier: GPL-2.0
/*
 * Host memory by DMA address, piece by piece.
 *
 * Called by everything in the NIC engine that touches the host. A range may be
 * scattered in this process; no pointer is kept past the piece that it is for.
 */
#include "card_priv.h"

void *pm_dma(struct pm_card *c, uint64_t addr, size_t *len, bool write)
{
	size_t want = *len;
	void *p;

	if (!c->ops || !want || addr + (want - 1) < addr)
		return NULL;
	p = c->ops->dma(c->host, addr, len, write);
	if (!p || !*len)
		return NULL;
	if (*len > want)
		*len = want;
	return p;
}

bool pm_dma_read(struct pm_card *c, uint64_t addr, void *buf, size_t len)
{
	uint8_t *to = buf;

	while (len) {
		size_t n = len;
		void *p = pm_dma(c, addr, &n, false);

		if (!p)
			return false;
		memcpy(to, p, n);
		to += n;
		addr += n;
		len -= n;
	}
	return true;
}

bool pm_dma_write(struct pm_card *c, uint64_t addr, const void *buf, size_t len)
{
	const uint8_t *from = buf;

	while (len) {
		size_t n = len;
		void *p = pm_dma(c, addr, &n, true);

		if (!p)
			return false;
		pm_copy_in_order(p, from, n);
		from += n;
		addr += n;
		len -= n;
	}
	return true;
}

/*
 * An entry with a phase: its last 32-bit word goes last, as one store that orders after the others.
 */
bool pm_dma_entry(struct pm_card *c, uint64_t addr, const void *entry, size_t size)
{
	size_t n = size;
	uint32_t last;
	uint8_t *p;

	p = pm_dma(c, addr, &n, true);
	if (!p || n < size || ((uintptr_t)p & 3))
		return false;
	memcpy(p, entry, size - 4);
	memcpy(&last, (const uint8_t *)entry + size - 4, 4);
	__atomic_store_n((uint32_t *)(void *)(p + size - 4), last, __ATOMIC_RELEASE);
	return true;
}
