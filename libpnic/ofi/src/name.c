// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/* Addresses of endpoints in 64 bytes, see name.h. */
#include <string.h>

#include "name.h"

#define WIDE_RAILS	4u
#define RAILS_AT	12u
#define GENS_AT		60u

static void put(uint8_t *at, uint64_t value, unsigned int bytes)
{
	while (bytes--) {
		*at++ = (uint8_t)value;
		value >>= 8;
	}
}

static uint64_t get(const uint8_t *at, unsigned int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | at[bytes];
	return value;
}

bool name_pack(struct name *name, const struct pnic_rails_addr *addr)
{
	bool wide = addr->count <= WIDE_RAILS;
	uint32_t gens = 0, i;
	uint8_t *at;

	memset(name, 0, sizeof(*name));
	put(name->bytes, addr->id, 8);
	name->bytes[8] = (uint8_t)addr->count;
	name->bytes[9] = NAME_VERSION;
	put(name->bytes + 10, addr->max_send / 8, 2);
	for (i = 0; i < addr->count; i++) {
		at = name->bytes + RAILS_AT + i * (wide ? 12 : 6);
		put(at, addr->rail[i].nic, 3);
		put(at + 3, addr->rail[i].ep, 3);
		if (wide) {
			put(at + 6, addr->gen[i], 2);
			put(at + 8, addr->rate[i], 4);
		} else if (addr->gen[i] > NAME_GEN_MAX) {
			return false;
		}
		gens |= (uint32_t)(addr->gen[i] & NAME_GEN_MAX) << 4 * i;
	}
	if (!wide)
		put(name->bytes + GENS_AT, gens, 4);
	return true;
}

bool name_unpack(struct pnic_rails_addr *addr, const struct name *name)
{
	const uint8_t *at;
	uint32_t gens, i;
	bool wide;

	memset(addr, 0, sizeof(*addr));
	addr->id = get(name->bytes, 8);
	addr->count = name->bytes[8];
	addr->max_send = (uint32_t)get(name->bytes + 10, 2) * 8;
	if (!addr->id || !addr->count || addr->count > PNIC_RAILS_MAX || name->bytes[9] != NAME_VERSION)
		return false;
	wide = addr->count <= WIDE_RAILS;
	gens = (uint32_t)get(name->bytes + GENS_AT, 4);
	for (i = 0; i < addr->count; i++) {
		at = name->bytes + RAILS_AT + i * (wide ? 12 : 6);
		addr->rail[i].nic = (uint32_t)get(at, 3);
		addr->rail[i].ep = (uint32_t)get(at + 3, 3);
		addr->gen[i] = (uint16_t)(wide ? get(at + 6, 2) : gens >> 4 * i & NAME_GEN_MAX);
		addr->rate[i] = wide ? (uint32_t)get(at + 8, 4) : 0;
	}
	return true;
}
