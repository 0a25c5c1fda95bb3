// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/* Tag matching against a model that is one list, and the table of numbers against an array. */
#include <stdint.h>
#include <stdlib.h>

#include "ktap.h"
#include "map.h"
#include "match.h"
#include "name.h"

static uint64_t seed = 1;

static uint32_t draw(uint32_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % n;
}

KTAP_TEST(map_random)
{
	static int val[512];
	struct pfi_map m = { 0 };
	void *model[512] = { 0 };
	size_t n = 0, i;
	int round;

	for (round = 0; round < 200000; round++) {
		uint64_t k = draw(512), key = k << 20;

		switch (draw(3)) {
		case 0:
			REQUIRE_EQ(pfi_map_put(&m, key, &val[k]), 0);
			n += !model[k];
			model[k] = &val[k];
			break;
		case 1:
			REQUIRE(pfi_map_del(&m, key) == model[k]);
			n -= !!model[k];
			model[k] = NULL;
			break;
		default:
			REQUIRE(pfi_map_get(&m, key) == model[k]);
		}
		REQUIRE_EQ(m.count, n);
	}
	for (i = 0; i < 512; i++)
		CHECK(pfi_map_get(&m, (uint64_t)i << 20) == model[i]);
	pfi_map_fini(&m);
	CHECK(!pfi_map_get(&m, 0));
}

#define POOL 400

struct rx {
	struct match_rx m;
	bool posted;
	uint64_t when;
};

struct ux {
	struct match_ux m;
	bool kept;
	uint64_t when;
};

static struct rx rx[POOL];
static struct ux ux[POOL];

static bool fits(uint64_t rx_tag, uint64_t ignore, uint64_t rx_src, uint64_t tag, uint64_t src)
{
	return (rx_tag | ignore) == (tag | ignore) && (rx_src == MATCH_ANY || rx_src == src);
}

static struct rx *model_arrive(uint64_t tag, uint64_t src)
{
	struct rx *best = NULL;
	int i;

	for (i = 0; i < POOL; i++)
		if (rx[i].posted && fits(rx[i].m.tag, rx[i].m.ignore, rx[i].m.src, tag, src) &&
		    (!best || rx[i].when < best->when))
			best = &rx[i];
	return best;
}

static struct ux *model_search(uint64_t tag, uint64_t ignore, uint64_t src)
{
	struct ux *best = NULL;
	int i;

	for (i = 0; i < POOL; i++)
		if (ux[i].kept && fits(tag, ignore, src, ux[i].m.tag, ux[i].m.src) && (!best || ux[i].when < best->when))
			best = &ux[i];
	return best;
}

/* More ways to ignore than there are classes, few tags, few sources: much fits. */
static void against_model(int masks, int rounds)
{
	static const uint64_t mask[] = { 0, 1ull << 63, 0xff, UINT64_MAX, 0xff00, 3, 0xf0f0, 1 };
	uint64_t tag, ignore, src, when = 0;
	struct match_rx *got_rx;
	struct match_ux *got_ux;
	struct match m;
	int i, slot;

	memset(rx, 0, sizeof(rx));
	memset(ux, 0, sizeof(ux));
	match_init(&m);
	for (i = 0; i < rounds; i++) {
		tag = (uint64_t)draw(4) << 62 | draw(40) | draw(3) << 8;
		ignore = mask[draw(masks)];
		src = draw(4);
		slot = draw(POOL);
		switch (draw(5)) {
		case 0:		/* a message comes */
			got_rx = match_arrive(&m, tag, src);
			REQUIRE((struct rx *)got_rx == model_arrive(tag, src));
			if (got_rx) {
				match_withdraw(&m, got_rx);
				((struct rx *)got_rx)->posted = false;
			} else if (!ux[slot].kept) {
				ux[slot].m.tag = tag;
				ux[slot].m.src = src;
				ux[slot].when = when++;
				ux[slot].kept = true;
				match_keep(&m, &ux[slot].m);
			}
			break;
		case 1:		/* a receive */
		case 2:
			src = draw(2) ? MATCH_ANY : src;
			got_ux = match_search(&m, tag, ignore, src);
			REQUIRE((struct ux *)got_ux == model_search(tag, ignore, src));
			if (got_ux) {
				match_drop(&m, got_ux);
				((struct ux *)got_ux)->kept = false;
			} else if (!rx[slot].posted) {
				rx[slot].m.tag = tag;
				rx[slot].m.ignore = ignore;
				rx[slot].m.src = src;
				rx[slot].when = when++;
				rx[slot].posted = true;
				match_post(&m, &rx[slot].m);
			}
			break;
		case 3:		/* one is cancelled */
			if (rx[slot].posted) {
				match_withdraw(&m, &rx[slot].m);
				rx[slot].posted = false;
			}
			break;
		default:	/* one is dropped */
			if (ux[slot].kept) {
				match_drop(&m, &ux[slot].m);
				ux[slot].kept = false;
			}
		}
	}
	CHECK_LE(m.classes, MATCH_CLASSES);
	match_fini(&m);
}

KTAP_TEST(match_one_mask)
{
	against_model(1, 100000);
}

KTAP_TEST(match_classes)
{
	against_model(4, 200000);
}

KTAP_TEST(match_more_masks_than_classes)
{
	against_model(8, 200000);
}

/* Depth costs nothing where the tags differ: a hundred thousand of each, every one found at once. */
KTAP_TEST(match_deep)
{
	enum { N = 100000 };
	struct match_rx *r = calloc(N, sizeof(*r));
	struct match_ux *u = calloc(N, sizeof(*u));
	struct match m;
	int i;

	REQUIRE(r && u);
	match_init(&m);
	for (i = 0; i < N; i++) {
		r[i].tag = (uint64_t)i << 16;
		r[i].ignore = 0xffff;
		r[i].src = MATCH_ANY;
		match_post(&m, &r[i]);
	}
	for (i = N - 1; i >= 0; i--) {
		REQUIRE(match_arrive(&m, ((uint64_t)i << 16) + 5, 1) == &r[i]);
		match_withdraw(&m, &r[i]);
	}
	for (i = 0; i < N; i++) {
		u[i].tag = (uint64_t)i << 16;
		u[i].src = 0;
		match_keep(&m, &u[i]);
	}
	for (i = N - 1; i >= 0; i--) {
		REQUIRE(match_search(&m, (uint64_t)i << 16, 0xffff, 0) == &u[i]);
		match_drop(&m, &u[i]);
	}
	CHECK_EQ(m.posted_count, 0);
	CHECK_EQ(m.unexpected_count, 0);
	match_fini(&m);
	free(r);
	free(u);
}

/* What a name says is what the address was, whatever the number of rails. */
KTAP_TEST(names)
{
	struct pnic_rails_addr addr, back;
	struct name name;
	uint32_t n, i;

	CHECK_EQ(sizeof(name), 64);
	for (n = 1; n <= PNIC_RAILS_MAX; n++) {
		memset(&addr, 0, sizeof(addr));
		addr.id = 0xfedcba9876543210ull + n;
		addr.count = n;
		addr.max_send = 65536 + 48;
		for (i = 0; i < n; i++) {
			addr.rail[i].nic = 0xa0b0c0 + i;
			addr.rail[i].ep = 0xfffff0 - i;
			addr.gen[i] = (uint16_t)(n <= 4 ? 0xfff0 + i : 15 - i);
			addr.rate[i] = n <= 4 ? 800000 - i : 0;
		}
		memset(&name, 0x5a, sizeof(name));
		REQUIRE(name_pack(&name, &addr));
		REQUIRE(name_unpack(&back, &name));
		CHECK(!memcmp(&addr, &back, sizeof(addr)));
	}
	addr.gen[7] = 16;
	CHECK(!name_pack(&name, &addr));
	addr.gen[7] = 0;
	REQUIRE(name_pack(&name, &addr));
	name.bytes[9]++;
	CHECK(!name_unpack(&back, &name));
	name.bytes[9]--;
	name.bytes[8] = PNIC_RAILS_MAX + 1;
	CHECK(!name_unpack(&back, &name));
	name.bytes[8] = 0;
	CHECK(!name_unpack(&back, &name));
	memset(&name, 0, 8);
	name.bytes[8] = 1;
	CHECK(!name_unpack(&back, &name));
}

KTAP_MAIN()
