// SPDX-License-Identifier: GPL-2.0
/*
 * Registrations that are kept, on several NICs: never stale, whoever watches the memory and whatever becomes of it. What
 * the cache has in common with that of one card, and its limits, is in memory.c.
 */
#include <sys/resource.h>

#include "device.h"
#include "mapat.h"
#include "railtest.h"
#include "traffic.h"

#define PAGE		4096ul
#define PAGES		64u

static struct pnic_rails_mrc *mrc;

static struct pnic_mrc_stats stats_of(void)
{
	struct pnic_mrc_stats s = { 0 };

	CHECK_EQ(pnic_rails_mrc_query(mrc, &s), 0);
	return s;
}

static void open_cache(unsigned int rails, uint32_t regions)
{
	struct pnic_mrc_attr attr = { .size = sizeof(attr), .access = PNIC_MRF_LOCAL_WRITE, .max_regions = regions };
	int err;

	both_open(rails, NULL);
	err = pnic_rails_mrc_create(a.rails, &attr, &mrc);
	if (err == -EOPNOTSUPP)
		SKIP("nobody can tell when memory is unmapped");
	REQUIRE_EQ(err, 0);
	exercise(1);
}

static void map_anew(uint8_t *p, size_t len)
{
	REQUIRE_OK(munmap(p, len));
	map_at(p, len);
}

/* What stands at @p arrives. */
static void expect_written(uint8_t *p, size_t len, uint64_t seed)
{
	struct pnic_rails_mr *mr;

	pattern_fill(p, len, seed);
	memset(b.mem, 0, len);
	REQUIRE_EQ(pnic_rails_mrc_get(mrc, p, len, &mr), 0);
	REQUIRE_EQ(pnic_rails_write(a.peer, p, len, mr, b.key.addr, &b.key, seed, 0), 0);
	want(&a, PNIC_RAILS_WRITE, seed);
	CHECK_EQ(pattern_check(b.mem, len, seed), len);
	pnic_rails_mrc_put(mrc, mr);
}

KTAP_TEST(hits)
{
	const size_t half = PAGES * PAGE / 2;
	uint64_t misses;
	unsigned int i;
	uint8_t *p;

	open_cache(RAILS, 0);
	p = map_at(NULL, (PAGES + 1) * PAGE);
	SUBTEST("halves of a buffer that begins in the middle of a page, in turn") {
		for (i = 0; i < 20; i++)
			expect_written(p + 16 + i % 2 * half, half, i);
		CHECK_EQ(stats_of().misses, 2);
		CHECK_EQ(stats_of().hits, 18);
		CHECK_EQ(stats_of().regions, 2);
	}
	SUBTEST("all of it, in place of both") {
		expect_written(p + 16, 2 * half, 50);
		CHECK_EQ(stats_of().regions, 1);
		misses = stats_of().misses;
		for (i = 0; i < 20; i++)
			expect_written(p + i * PAGE + 7, half, 100 + i);
		CHECK_EQ(stats_of().misses, misses);
	}
	CHECK_EQ(pnic_rails_mrc_destroy(mrc), 0);
	munmap(p, (PAGES + 1) * PAGE);
}

KTAP_TEST(never_stale)
{
	uint64_t state = 43;
	unsigned int i;
	uint8_t *p;

	open_cache(RAILS, 0);
	p = map_at(NULL, PAGES * PAGE);
	SUBTEST("unmapped, and mapped anew at the same place") {
		for (i = 0; i < 50; i++) {
			expect_written(p, 32 * PAGE, i);
			map_anew(p, 32 * PAGE);
		}
		CHECK_GE(stats_of().stale, 49);
	}
	SUBTEST("pieces that overlap, at random") {
		for (i = 0; i < 300; i++) {
			uint32_t first = random_below(&state, 60), n = 1 + random_below(&state, 64 - first - 1);

			if (random_below(&state, 3))
				expect_written(p + first * PAGE + i, n * PAGE, 1000 + i);
			else
				map_anew(p + first * PAGE, n * PAGE);
		}
	}
	CHECK_EQ(pnic_rails_mrc_destroy(mrc), 0);
	munmap(p, PAGES * PAGE);
}

/* Its contexts are dead; it may be open again by now. */
static void lose(unsigned int nic)
{
	uint64_t end = now_ns() + WAIT_MS * 1000000ull, lost = stat_of(&a, nic).lost;

	fatal(nic);
	while (stat_of(&a, nic).lost == lost) {
		REQUIRE(now_ns() < end);
		turn();
	}
}

/*
 * The card whose kernel watches is lost, and while nobody does the memory becomes another one. The other rail's
 * registrations still have the old pages: they may not be used.
 */
static void watcher_lost(unsigned int nic, uint64_t seed)
{
	uint64_t misses;
	uint8_t *p = map_at(NULL, 32 * PAGE);

	expect_written(p, 32 * PAGE, seed);
	expect_written(p, 32 * PAGE, seed + 1);
	misses = stats_of().misses;
	lose(nic);
	map_anew(p, 32 * PAGE);
	expect_written(p, 32 * PAGE, seed + 2);
	CHECK_EQ(stats_of().misses, misses + 1);
	/* Whoever watches now sees it. */
	map_anew(p, 32 * PAGE);
	expect_written(p, 32 * PAGE, seed + 3);
	CHECK_EQ(stats_of().misses, misses + 2);
	expect_written(p, 32 * PAGE, seed + 4);
	CHECK_EQ(stats_of().misses, misses + 2);
	until_state(&a, nic, PNIC_RAIL_UP);
	exercise(seed + 5);
	munmap(p, 32 * PAGE);
}

KTAP_TEST(card_lost)
{
	open_cache(RAILS, 0);
	watcher_lost(0, 100);
	watcher_lost(1, 200);
	watcher_lost(0, 300);
	CHECK_EQ(pnic_rails_mrc_destroy(mrc), 0);
}

/* Held while the card that watched it is lost: good until it is put, and then gone. */
KTAP_TEST(held_over_a_loss)
{
	struct pnic_rails_mr *mr;
	uint8_t *p, *q;

	open_cache(RAILS, 0);
	p = map_at(NULL, 32 * PAGE);
	q = map_at(NULL, PAGE);
	pattern_fill(p, 32 * PAGE, 1);
	REQUIRE_EQ(pnic_rails_mrc_get(mrc, p, 32 * PAGE, &mr), 0);
	lose(0);
	expect_written(q, PAGE, 2);
	REQUIRE_EQ(pnic_rails_write(a.peer, p, 32 * PAGE, mr, b.key.addr, &b.key, 3, 0), 0);
	want(&a, PNIC_RAILS_WRITE, 3);
	CHECK_EQ(pattern_check(b.mem, 32 * PAGE, 1), 32 * PAGE);
	CHECK_EQ(stats_of().regions, 1);
	CHECK_EQ(pnic_rails_mrc_destroy(mrc), -EBUSY);
	pnic_rails_mrc_put(mrc, mr);
	map_anew(p, 32 * PAGE);
	expect_written(p, 32 * PAGE, 4);
	CHECK_EQ(pnic_rails_mrc_destroy(mrc), 0);
	munmap(p, 32 * PAGE);
	munmap(q, PAGE);
}

/* There is nobody to watch: that is said, and is over with the first card that comes back. */
KTAP_TEST(all_lost)
{
	struct pnic_rails_mr *mr;
	struct rlimit was;
	unsigned int i;
	uint8_t *p;

	open_cache(1, 0);
	p = map_at(NULL, 32 * PAGE);
	expect_written(p, 32 * PAGE, 1);
	fatal(0);
	/* Without a descriptor it can't be opened again. */
	REQUIRE_EQ(no_descriptors_left(&was), 0);
	until_state(&a, 0, PNIC_RAIL_LOST);
	map_anew(p, 32 * PAGE);
	CHECK_EQ(pnic_rails_mrc_get(mrc, p, PAGE, &mr), -ENODEV);
	/* Nor once the set has left the dead card. */
	for (i = 0; i < 1000; i++)
		turn();
	CHECK_EQ(pnic_rails_mrc_get(mrc, p, PAGE, &mr), -ENODEV);
	CHECK_EQ(stats_of().regions, 1);
	REQUIRE_OK(setrlimit(RLIMIT_NOFILE, &was));
	until_state(&a, 0, PNIC_RAIL_UP);
	expect_written(p, 32 * PAGE, 2);
	CHECK_EQ(pnic_rails_mrc_destroy(mrc), 0);
	munmap(p, 32 * PAGE);
}

KTAP_TEST(bad_input)
{
	struct pnic_mrc_attr attr = { .size = sizeof(attr) };
	struct pnic_rails_mrc *other;
	struct pnic_rails_mr *mr;
	struct pnic_mrc_stats s;
	uint8_t *p;

	open_cache(RAILS, 4);
	p = map_at(NULL, PAGES * PAGE);
	CHECK_EQ(pnic_rails_mrc_create(NULL, &attr, &other), -EINVAL);
	CHECK_EQ(pnic_rails_mrc_create(a.rails, NULL, &other), -EINVAL);
	CHECK_EQ(pnic_rails_mrc_create(a.rails, &attr, NULL), -EINVAL);
	attr.flags = 1;
	CHECK_EQ(pnic_rails_mrc_create(a.rails, &attr, &other), -EINVAL);
	attr.flags = 0;
	attr.access = PNIC_MRF_WATCH;
	CHECK_EQ(pnic_rails_mrc_create(a.rails, &attr, &other), -EINVAL);
	CHECK_EQ(pnic_rails_mrc_get(NULL, p, 1, &mr), -EINVAL);
	CHECK_EQ(pnic_rails_mrc_get(mrc, p, 1, NULL), -EINVAL);
	CHECK_EQ(pnic_rails_mrc_get(mrc, p, 0, &mr), -EINVAL);
	CHECK_EQ(pnic_rails_mrc_get(mrc, p, UINT64_MAX, &mr), -EINVAL);
	/* Nor where it begins in a region that is kept. */
	REQUIRE_EQ(pnic_rails_mrc_get(mrc, p, PAGE, &mr), 0);
	pnic_rails_mrc_put(mrc, mr);
	CHECK_EQ(pnic_rails_mrc_get(mrc, p + 1, UINT64_MAX, &mr), -EINVAL);
	CHECK_EQ(pnic_rails_mrc_query(NULL, &s), -EINVAL);
	CHECK_EQ(pnic_rails_mrc_query(mrc, NULL), -EINVAL);
	pnic_rails_mrc_put(NULL, NULL);
	pnic_rails_mrc_put(mrc, NULL);
	CHECK_EQ(pnic_rails_mrc_destroy(NULL), 0);
	REQUIRE_EQ(pnic_rails_ep_destroy(a.ep), 0);
	a.ep = NULL;
	CHECK_EQ(pnic_rails_close(a.rails), -EBUSY);
	REQUIRE_OK(munmap(p, PAGES * PAGE));
	CHECK_EQ(pnic_rails_mrc_get(mrc, p, PAGE, &mr), -EFAULT);
	CHECK_EQ(stats_of().regions, 0);
	CHECK_EQ(pnic_rails_mrc_destroy(mrc), 0);
}

KTAP_MAIN()
