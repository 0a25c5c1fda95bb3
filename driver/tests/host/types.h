/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The few kernel names that the driver's pure parts use, for user space.
 */
#ifndef PNIC_TESTS_TYPES_H
#define PNIC_TESTS_TYPES_H

#include <stdbool.h>
#include <linux/types.h>

typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

static inline unsigned int __ffs64(u64 word)
{
	return __builtin_ctzll(word);
}

#endif /* PNIC_TESTS_TYPES_H */
