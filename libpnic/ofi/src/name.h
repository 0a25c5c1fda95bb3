/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * An endpoint's address as programs hand it around: 64 bytes, as MPICH has room for no more (FI_NAME_MAX).
 *
 *	0	id
 *	8	rails
 *	9	NAME_VERSION
 *	10	longest message / 8
 *	12	up to 4 rails, 12 bytes each: card 3, endpoint 3, generation 2, rate 4
 *		more rails, 6 bytes each: card 3, endpoint 3; and at 60 their generations, 4 bits each
 *
 * All little endian. With more than 4 rails the rates aren't told, which is as if they were not known yet.
 */
#ifndef PFI_NAME_H
#define PFI_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include <pnic_rails.h>

#define NAME_VERSION	1
#define NAME_GEN_MAX	15	/* with more than 4 rails: cards that were lost so often before can't be told of */

struct name {
	uint8_t bytes[64];
};

/** name_pack - false if it can't be told, see NAME_GEN_MAX */
bool name_pack(struct name *name, const struct pnic_rails_addr *addr);
/** name_unpack - false if @name isn't one of ours */
bool name_unpack(struct pnic_rails_addr *addr, const struct name *name);

#endif /* PFI_NAME_H */
