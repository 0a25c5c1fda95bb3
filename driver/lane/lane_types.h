/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The few things that the pure lane code needs from its surroundings.
 *
 * Everything in driver/lane/ compiles in the kernel, in the model of the card
 * (firmware of a switch port) and in the host tests. It calls nothing but what
 * is named here: no lock, no allocation, no clock of its own.
 */
#ifndef LANE_TYPES_H
#define LANE_TYPES_H

#ifdef __KERNEL__

#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/byteorder.h>

#define lane_div64(a, b)	div64_u64(a, b)

#else

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;

#define le16_to_cpu(v)		le16toh(v)
#define le32_to_cpu(v)		le32toh(v)
#define le64_to_cpu(v)		le64toh(v)
#define cpu_to_le16(v)		htole16(v)
#define cpu_to_le32(v)		htole32(v)
#ifndef lane_div64		/* the proofs of tests/cbmc/ have one of their own */
#define lane_div64(a, b)	((u64)(a) / (u64)(b))
#endif
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define lane_pick(a, op, b) \
	({ __typeof__(a) _a = (a); __typeof__(b) _b = (b); _a op _b ? _a : _b; })
#define min(a, b)		lane_pick(a, <, b)
#define max(a, b)		lane_pick(a, >, b)

#endif

#include "../hw/pnic_lane.h"

/* The proofs of tests/cbmc/ are for a few lanes. */
#ifndef LANE_MAX
#define LANE_MAX		PNIC_LANES_MAX
#endif
#define LANE_NONE		PNIC_LANE_NONE
#define LANE_NEVER		(~0ULL)		/* a time that doesn't come */

/* What both ends of a link must have in common. */
struct lane_shape {
	u16 data;		/* lanes of the full width */
	u16 total;		/* with the spares */
};

#endif /* LANE_TYPES_H */
