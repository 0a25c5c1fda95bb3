// SPDX-License-Identifier: GPL-2.0
/*
 * The states of a device: which may follow which, and what holds for every way
 * through them.
 */
#include "ktap.h"
#include "types.h"
#include "pnic_state_table.h"

KTAP_TEST(gone_is_the_last)
{
	int s;

	for (s = 0; s < PNIC_STATES; s++) {
		CHECK(!pnic_state_legal(PNIC_STATE_GONE, s));
		if (s != PNIC_STATE_GONE)
			CHECK(pnic_state_legal(s, PNIC_STATE_GONE));
	}
}

/* Whatever serves was brought up: there is no way to ready around it. */
KTAP_TEST(ready_comes_from_bring_up)
{
	int s;

	for (s = 0; s < PNIC_STATES; s++)
		CHECK_EQ(pnic_state_legal(s, PNIC_STATE_READY),
			 s == PNIC_STATE_PROBING || s == PNIC_STATE_RESETTING);
}

KTAP_TEST(failed_can_be_tried_again)
{
	int s;

	CHECK(pnic_state_legal(PNIC_STATE_FAILED, PNIC_STATE_RESETTING));
	for (s = 0; s < PNIC_STATES; s++)
		CHECK_EQ(pnic_state_legal(s, PNIC_STATE_FAILED), s == PNIC_STATE_RESETTING);
}

/* A card that sleeps, or that the bus does not reach, is neither lost nor put to sleep again. */
KTAP_TEST(lost_and_suspended)
{
	int s, to;

	for (s = 0; s < PNIC_STATES; s++) {
		bool settled = s == PNIC_STATE_READY || s == PNIC_STATE_FAILED;

		CHECK_EQ(pnic_state_legal(s, PNIC_STATE_LOST), settled);
		CHECK_EQ(pnic_state_legal(s, PNIC_STATE_SUSPENDED), settled);
	}
	for (to = 0; to < PNIC_STATES; to++) {
		bool legal = to == PNIC_STATE_RESETTING || to == PNIC_STATE_GONE;

		CHECK_EQ(pnic_state_legal(PNIC_STATE_LOST, to), legal);
		CHECK_EQ(pnic_state_legal(PNIC_STATE_SUSPENDED, to), legal);
	}
}

/* Who waits for the end of a state that passes must be sure that another one follows. */
KTAP_TEST(passing)
{
	int s, to, next;

	for (s = 0; s < PNIC_STATES; s++) {
		for (to = 0, next = 0; to < PNIC_STATES; to++)
			next += pnic_state_legal(s, to);
		if (s == PNIC_STATE_RESETTING || s == PNIC_STATE_LOST ||
		    s == PNIC_STATE_SUSPENDED) {
			CHECK(pnic_state_passing(s));
			CHECK_GT(next, 1);
		} else {
			CHECK(!pnic_state_passing(s));
		}
	}
	CHECK(!pnic_state_passing(PNIC_STATES));
	CHECK(!pnic_state_passing(-1));
}

/* Each state is reached by some way from the first, and has a name of its own. */
KTAP_TEST(all_reached)
{
	unsigned int seen = 1u << PNIC_STATE_PROBING, before;
	int s, to;

	do {
		before = seen;
		for (s = 0; s < PNIC_STATES; s++)
			for (to = 0; to < PNIC_STATES; to++)
				if (seen & 1u << s && pnic_state_legal(s, to))
					seen |= 1u << to;
	} while (seen != before);
	CHECK_EQ(seen, (1u << PNIC_STATES) - 1);
	for (s = 0; s < PNIC_STATES; s++)
		for (to = 0; to < s; to++)
			CHECK(strcmp(pnic_state_name(s), pnic_state_name(to)));
}

KTAP_TEST(nothing_follows_itself)
{
	int s;

	for (s = 0; s < PNIC_STATES; s++) {
		CHECK(!pnic_state_legal(s, s));
		CHECK(!pnic_state_legal(s, PNIC_STATE_PROBING));
	}
}

KTAP_TEST(out_of_range)
{
	CHECK(!pnic_state_legal(PNIC_STATES, PNIC_STATE_READY));
	CHECK(!pnic_state_legal(PNIC_STATE_READY, PNIC_STATES));
	CHECK(!pnic_state_legal(-1, PNIC_STATE_READY));
	CHECK_STREQ(pnic_state_name(PNIC_STATES), "?");
	CHECK_STREQ(pnic_state_name(PNIC_STATE_RESETTING), "resetting");
}

KTAP_MAIN()
