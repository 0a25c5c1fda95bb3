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
