// SPDX-License-Identifier: GPL-2.0
/*
 * More than two cards: each reaches each through the switch, all at once, and lanes
 * of one card's link are that card's affair.
 */
#include "device.h"
#include "ktap.h"
#include "modelctl.h"
#include "traffic.h"

#define CARDS		4
#define MEM		(1ul << 20)
#define PART		(MEM / 2 / CARDS)	/* of the upper half, for each sender */
#define WAIT_MS		60000

static struct end e[CARDS];

static void open_all(void)
{
	const struct end_attr attr = { .size = MEM, .rnr_timeout_us = 1000000 };
	unsigned int i;

	need_cards(CARDS);
	for (i = 0; i < CARDS; i++) {
		end_close(&e[i]);
		REQUIRE_EQ(end_open(&e[i], i, &attr), 0);
	}
}

static void close_all(void)
{
	unsigned int i;

	for (i = 0; i < CARDS; i++)
		end_close(&e[i]);
}

/* Everybody writes to everybody, himself included, in one go. */
static void all_to_all(uint64_t round, uint32_t len)
{
	unsigned int from, to;

	for (from = 0; from < CARDS; from++) {
		pattern_fill(e[from].mem, len, round << 8 | from);
		memset(e[from].mem + MEM / 2, 0, MEM / 2);
	}
	for (from = 0; from < CARDS; from++) {
		for (to = 0; to < CARDS; to++)
			REQUIRE_EQ(pnic_post_write(e[from].ep, e[to].addr, e[from].mem, len, e[from].mr->key,
						   (uintptr_t)e[to].mem + MEM / 2 + from * PART,
						   e[to].mr->key, to, PNIC_SQF_SIGNALED), 0);
		pnic_ring(e[from].ep);
	}
	for (from = 0; from < CARDS; from++)
		for (to = 0; to < CARDS; to++)
			REQUIRE_EQ(end_status(&e[from], WAIT_MS), PNIC_ST_OK);
	for (to = 0; to < CARDS; to++)
		for (from = 0; from < CARDS; from++)
			REQUIRE_EQ(pattern_check(e[to].mem + MEM / 2 + from * PART, len, round << 8 | from), len);
}

KTAP_TEST(everybody_to_everybody)
{
	unsigned int i, k;

	open_all();
	for (i = 0; i < CARDS; i++)
		for (k = 0; k < i; k++)
			CHECK_NE(e[i].addr.nic, e[k].addr.nic);
	for (i = 0; i < 20; i++)
		all_to_all(i, 1 + i * 5000);
	close_all();
}

/* Nobody has that address: the switch says so. */
KTAP_TEST(unreachable)
{
	struct pnic_addr to = { 0xabcdef, 0 };

	open_all();
	REQUIRE_EQ(pnic_post_write(e[0].ep, to, e[0].mem, 8, e[0].mr->key, 1, 1, 1, 0), 0);
	pnic_ring(e[0].ep);
	CHECK_EQ(end_status(&e[0], WAIT_MS), PNIC_ST_UNREACHABLE);
	all_to_all(1, 1000);
	close_all();
}

/* Lanes die beyond the spares on both directions of one link: it narrows, the others don't. */
KTAP_TEST(one_narrow_link)
{
	struct pnic_ioc_link_info link;
	struct pnic_ioc_info info;
	uint64_t end;
	unsigned int i, lane;
	int fd[CARDS];

	open_all();
	if (!modelctl_present())
		SKIP("no model to steer: %s", modelctl_error());
	for (i = 0; i < CARDS; i++) {
		fd[i] = dev_open(i);
		REQUIRE_OK(fd[i]);
	}
	REQUIRE_OK(dev_info(fd[0], &info));
	for (lane = 0; lane < info.lanes_spare + 10; lane++) {
		REQUIRE_OK(modelctl("{\"cmd\":\"kill\",\"nic\":2,\"lane\":%u}", lane));
		REQUIRE_OK(modelctl("{\"cmd\":\"kill\",\"nic\":2,\"lane\":%u,\"end\":\"switch\"}", lane));
		all_to_all(lane, 3000);
	}
	end = now_ns() + WAIT_MS * 1000000ull;
	do {
		all_to_all(77, 3000);
		REQUIRE_OK(dev_link(fd[2], &link));
	} while ((link.width_rx != info.lanes_data - 10 || link.width_tx != info.lanes_data - 10) &&
		 now_ns() < end);
	CHECK_EQ(link.width_rx, info.lanes_data - 10);
	CHECK_EQ(link.width_tx, info.lanes_data - 10);
	for (i = 0; i < CARDS; i++) {
		if (i == 2)
			continue;
		REQUIRE_OK(dev_link(fd[i], &link));
		CHECK_EQ(link.width_rx, info.lanes_data);
		CHECK_EQ(link.width_tx, info.lanes_data);
		CHECK_EQ(link.spares_rx, info.lanes_spare);
	}
	for (i = 0; i < CARDS; i++)
		close(fd[i]);
	close_all();
}

KTAP_MAIN()
