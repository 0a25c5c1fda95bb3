/* SPDX-License-Identifier: GPL-2.0 */
/* Private memory where a test wants it, for those of the region caches. */
#ifndef PNIC_SELFTESTS_MAPAT_H
#define PNIC_SELFTESTS_MAPAT_H

#include <stddef.h>
#include <sys/mman.h>

#include "ktap.h"

/* At @addr in place of what is there, or anywhere if that is NULL. What can't be had fails the test. */
static inline void *map_at(void *addr, size_t len)
{
	void *p = mmap(addr, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | (addr ? MAP_FIXED : 0), -1, 0);

	REQUIRE(p != MAP_FAILED);
	return p;
}

#endif /* PNIC_SELFTESTS_MAPAT_H */
