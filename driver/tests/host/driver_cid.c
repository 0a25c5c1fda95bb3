// SPDX-License-Identifier: GPL-2.0
/*
 * Ids of admin commands: an answer is never taken for that of another command.
 */
#include <string.h>

#include "ktap.h"
#include "types.h"
#include "pnic_admin_cid.h"

KTAP_TEST(answered)
{
	struct pnic_cid_slot slot = { 0 };
	u16 cid = pnic_cid_begin(&slot, 5);

	CHECK_EQ(PNIC_ADMIN_SLOTS, 1 << PNIC_ADMIN_LOG);
	CHECK_EQ(pnic_cid_index(cid), 5);
	CHECK_EQ(pnic_cid_judge(&slot, cid), PNIC_CID_OURS);
	CHECK_EQ(pnic_cid_judge(&slot, cid), PNIC_CID_UNKNOWN);	/* twice */
	pnic_cid_end(&slot);
	CHECK_EQ(pnic_cid_judge(&slot, cid), PNIC_CID_UNKNOWN);
}

KTAP_TEST(late)
{
	struct pnic_cid_slot slot = { 0 };
	u16 first = pnic_cid_begin(&slot, 63), second;

	pnic_cid_end(&slot);
	second = pnic_cid_begin(&slot, 63);
	CHECK_NE(first, second);
	CHECK_EQ(pnic_cid_judge(&slot, first), PNIC_CID_LATE);
	CHECK_EQ(pnic_cid_judge(&slot, first), PNIC_CID_UNKNOWN);
	CHECK_EQ(pnic_cid_judge(&slot, second), PNIC_CID_OURS);
	pnic_cid_end(&slot);
}

KTAP_TEST(late_while_idle)
{
	struct pnic_cid_slot slot = { 0 };
	u16 cid = pnic_cid_begin(&slot, 0);

	pnic_cid_end(&slot);
	CHECK_EQ(pnic_cid_judge(&slot, cid), PNIC_CID_LATE);
}

KTAP_TEST(generations_go_round)
{
	struct pnic_cid_slot slot = { 0 };
	unsigned int i;
	u16 lost, cid;

	lost = pnic_cid_begin(&slot, 9);
	pnic_cid_end(&slot);
	for (i = 0; i < PNIC_ADMIN_GEN_MASK; i++) {
		cid = pnic_cid_begin(&slot, 9);
		CHECK_NE(cid, lost);
		CHECK_EQ(pnic_cid_index(cid), 9);
		CHECK_EQ(pnic_cid_judge(&slot, cid), PNIC_CID_OURS);
		pnic_cid_end(&slot);
	}
	/* The same number again: now it is the new command's. */
	CHECK_EQ(pnic_cid_begin(&slot, 9), lost);
	CHECK_EQ(pnic_cid_judge(&slot, lost), PNIC_CID_OURS);
}

KTAP_TEST(nonsense)
{
	struct pnic_cid_slot slot = { 0 };
	u16 cid = pnic_cid_begin(&slot, 1);
	unsigned int other;

	for (other = 0; other < 0x10000; other++)
		if (other != cid && pnic_cid_judge(&slot, other) != PNIC_CID_UNKNOWN)
			break;
	CHECK_EQ(other, 0x10000);
	CHECK_EQ(pnic_cid_judge(&slot, cid), PNIC_CID_OURS);
}

KTAP_MAIN()
