// SPDX-License-Identifier: GPL-2.0
/*
 * The bounded ring of event records: whatever comes and goes, each record is either read,
 * in order, or counted in an overrun record that stands where it is missing.
 */
#include <string.h>

#include "ktap.h"
#include "types.h"
#include <linux/pnic.h>
#include "pnic_evring.h"

static struct pnic_evring ring;

static void push(u64 n)
{
	const struct pnic_event ev = { .type = PNIC_EVT_RATE, .data = n };

	pnic_evring_push(&ring, &ev);
}

KTAP_TEST(empty)
{
	struct pnic_event ev;

	memset(&ring, 0, sizeof(ring));
	CHECK(pnic_evring_empty(&ring));
	CHECK(!pnic_evring_pop(&ring, &ev));
	push(1);
	CHECK(!pnic_evring_empty(&ring));
	CHECK(pnic_evring_pop(&ring, &ev));
	CHECK_EQ(ev.data, 1);
	CHECK(pnic_evring_empty(&ring));
}

KTAP_TEST(overrun_at_the_end)
{
	struct pnic_event ev;
	unsigned int i;

	memset(&ring, 0, sizeof(ring));
	for (i = 0; i < PNIC_EVRING_SIZE + 7; i++)
		push(i);
	for (i = 0; i < PNIC_EVRING_SIZE; i++) {
		REQUIRE(pnic_evring_pop(&ring, &ev));
		CHECK_EQ(ev.data, i);
	}
	CHECK(!pnic_evring_empty(&ring));
	REQUIRE(pnic_evring_pop(&ring, &ev));
	CHECK_EQ(ev.type, PNIC_EVT_OVERRUN);
	CHECK_EQ(ev.data, 7);
	CHECK(pnic_evring_empty(&ring));
}

/* The record after a loss comes behind the one that tells of it. */
KTAP_TEST(overrun_before_the_next)
{
	struct pnic_event ev;
	unsigned int i;

	memset(&ring, 0, sizeof(ring));
	for (i = 0; i < PNIC_EVRING_SIZE + 1; i++)
		push(i);
	pnic_evring_pop(&ring, &ev);
	push(1000);	/* room for one only: lost as well */
	pnic_evring_pop(&ring, &ev);
	push(1001);
	for (i = 2; i < PNIC_EVRING_SIZE; i++) {
		REQUIRE(pnic_evring_pop(&ring, &ev));
		CHECK_EQ(ev.data, i);
	}
	REQUIRE(pnic_evring_pop(&ring, &ev));
	CHECK_EQ(ev.type, PNIC_EVT_OVERRUN);
	CHECK_EQ(ev.data, 2);
	REQUIRE(pnic_evring_pop(&ring, &ev));
	CHECK_EQ(ev.data, 1001);
	CHECK(pnic_evring_empty(&ring));
}

KTAP_TEST(nothing_is_lost_silently)
{
	u64 seed = 88172645463325252ull, pushed = 0, expect = 0, i;
	struct pnic_event ev;

	memset(&ring, 0, sizeof(ring));
	ring.head = (u32)-100;	/* indices wrap */
	ring.tail = ring.head;
	for (i = 0; i < 1000000; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		/* Phases in which writers, and phases in which readers are faster. */
		if (seed % 8 < (i / 1000 % 2 ? 5u : 3u)) {
			push(pushed++);
		} else if (pnic_evring_pop(&ring, &ev)) {
			if (ev.type == PNIC_EVT_OVERRUN) {
				REQUIRE(ev.data > 0);
				expect += ev.data;
			} else {
				REQUIRE_EQ(ev.data, expect);
				expect++;
			}
		}
	}
	while (pnic_evring_pop(&ring, &ev))
		expect += ev.type == PNIC_EVT_OVERRUN ? ev.data : 1;
	CHECK_EQ(expect, pushed);
}

KTAP_MAIN()
