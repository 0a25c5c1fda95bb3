// SPDX-License-Identifier: GPL-2.0
/*
 * A card that reaches for memory which it was told nothing of: behind an IOMMU it gets none of it. Where there is no
 * IOMMU nothing could stop it, so that this test is skipped there.
 */
#include "device.h"
#include "ktap.h"
#include "life.h"
#include "steer.h"

#define WAIT_MS		60000
#define REACHES		500

static double number(const char *key)
{
	double n = -1;

	STEER("{\"cmd\":\"evil\",\"nic\":0}");
	modelctl_number(key, &n);
	return n;
}

KTAP_TEST(stray)
{
	uint64_t end = now_ns() + ktap_slow() * WAIT_MS * 1000000ull;
	struct raw_ep r;
	const char *why;
	struct life *l;

	if (access("/sys/class/iommu/dmar0", F_OK))
		SKIP("there is no IOMMU");
	need_cards(2);
	NEED_MODEL();
	l = life_start(&why);
	if (!l) {
		ktap_failed(__FILE__, __LINE__, "no traffic to begin with: %s", why);
		return;
	}
	STEER("{\"cmd\":\"evil\",\"nic\":0,\"kinds\":\"stray\",\"ppm\":1000000,\"seed\":1}");
	while (number("stray_refused") < REACHES && now_ns() < end) {
		REQUIRE_OK(raw_open(&r, 0));
		CHECK_OK(raw_nop(&r, 1));
		raw_close(&r);
	}
	CHECK_GE(number("stray_refused"), REACHES);
	CHECK_EQ(number("stray_through"), 0);
	STEER("{\"cmd\":\"evil\",\"nic\":0,\"kinds\":\"none\"}");
	CHECK(life_goes_on(l, 2, ktap_slow() * WAIT_MS));
	why = life_stop(l);
	if (why)
		ktap_failed(__FILE__, __LINE__, "%s", why);
}

KTAP_MAIN()
