/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allocations of the library that fail, where that can be had (selftests/host/nomem.c): the one that does, counted from 1,
 * each so-manieth that does, and how many did. 0: none. Elsewhere &nomem_at is NULL.
 */
#ifndef PNIC_SELFTESTS_NOMEM_H
#define PNIC_SELFTESTS_NOMEM_H

#include <errno.h>
#include <string.h>

#include <pnic.h>

#include "ktap.h"

extern unsigned int nomem_at __attribute__((weak)), nomem_every __attribute__((weak));
extern unsigned int nomem_failed __attribute__((weak));

/*
 * @what (0 or the first error) again and again, each time with the next allocation failing, until none does: every failure
 * is told. How many allocations there are; @most: it should have ended by then.
 */
static inline unsigned int nomem_each(int (*what)(void), unsigned int most)
{
	unsigned int n;
	int err = -1;

	for (n = 0; err && n < most; n++) {
		nomem_failed = 0;
		nomem_at = n + 1;
		err = what();
		nomem_at = 0;
		CHECK_EQ(nomem_failed, err != 0);
		if (err) {
			CHECK_EQ(err, -ENOMEM);
			CHECK(strstr(pnic_last_error(), "memory"));
		}
	}
	CHECK_EQ(err, 0);
	return n - 1;
}

#endif /* PNIC_SELFTESTS_NOMEM_H */
