// SPDX-License-Identifier: GPL-2.0
/* Quantities in words, knobs as people write them, abbreviations; the grid and its patches. */
#include "selftests/ktap.h"

#include "fake.h"
#include "knobs.h"
#include "lanes.h"
#include "out.h"

KTAP_TEST(quantities)
{
	CHECK_STREQ(fmt_rate(0), "0 Mb/s");
	CHECK_STREQ(fmt_rate(999), "999 Mb/s");
	CHECK_STREQ(fmt_rate(803125), "803.1 Gb/s");
	CHECK_STREQ(fmt_bytes(1023), "1023 B");
	CHECK_STREQ(fmt_bytes(1536), "1.5 KiB");
	CHECK_STREQ(fmt_bytes(UINT64_MAX), "16777216 TiB");
	CHECK_STREQ(fmt_ppb(0), "0");
	CHECK_STREQ(fmt_ppb(2400), "2.4e-06");
	CHECK_STREQ(fmt_ns(250), "250 ns");
	CHECK_STREQ(fmt_ns(1500), "1.5 us");
	CHECK_STREQ(fmt_seconds(59), "59 s");
	CHECK_STREQ(fmt_seconds(90), "1.5 min");
	CHECK_STREQ(fmt_seconds(3 * 31557600ull), "3.0 years");
	CHECK_STREQ(fmt_cdb(-150), "-1.50 dB");
	CHECK_STREQ(fmt_wall(1000), "1970-01-01T00:00:00.000001Z");
	CHECK_STREQ(fmt_margin(1), "1 lane");
	CHECK_STREQ(fmt_margin(-1), "none, codewords are lost");
}

KTAP_TEST(abbreviations)
{
	CHECK_EQ(name_value(&lane_action_names, "disable"), PNIC_LANE_ACTION_DISABLE);
	CHECK_EQ(name_value(&lane_action_names, "d"), PNIC_LANE_ACTION_DISABLE);
	CHECK_EQ(name_value(&lane_action_names, "x"), -1);
	CHECK_EQ(name_value(&lane_action_names, ""), -1);
	CHECK_EQ(name_value(&lane_action_names, "disabled"), -1);
	/* Of peer-silent, peer-stuck, peer-nonsense. */
	CHECK_EQ(name_value(&alarm_names, "peer-s"), -2);
	CHECK_EQ(name_value(&alarm_names, "peer-st"), 7);
	CHECK_STREQ(name_of(&lane_status_names, 0), "unknown-0");
	CHECK_STREQ(name_of(&lane_status_names, 9), "unknown-9");
	CHECK_STREQ(name_of(&lane_status_names, UINT32_MAX), "unknown-4294967295");
}

KTAP_TEST(knob_names)
{
	char why[160];

	CHECK_STREQ(knob_find("watch-ppb", why, sizeof(why))->name, "watch-ppb");
	CHECK_STREQ(knob_find("watch", why, sizeof(why))->name, "watch-ppb");
	/* Without its unit it is meant, though another begins like it. */
	CHECK_STREQ(knob_find("quarantine", why, sizeof(why))->name, "quarantine-ms");
	CHECK_STREQ(knob_find("quarantine-max", why, sizeof(why))->name, "quarantine-max-ms");
	CHECK_STREQ(knob_find("ret", why, sizeof(why))->name, "retire-ppb");
	CHECK(!knob_find("c", why, sizeof(why)));
	CHECK_STREQ(why, "\"c\" is ambiguous; pnic policy show lists the knobs");
	CHECK(!knob_find("nosuch", why, sizeof(why)));
	CHECK(!knob_find("", why, sizeof(why)));
	CHECK(!knob_find("reset", why, sizeof(why)));
}

KTAP_TEST(knob_values)
{
	static const struct {
		const char *knob, *word;
		long long value;	/* -1: refused */
	} t[] = {
		{ "watch-ppb", "65000", 65000 }, { "watch-ppb", "2.4e-6", 2400 },
		{ "watch-ppb", "0.5", 500000000 }, { "watch-ppb", "1", 1 },
		{ "watch-ppb", "1e-9", 1 }, { "watch-ppb", "3ppm", 3000 },
		{ "watch-ppb", "0", -1 }, { "watch-ppb", "1e-10", -1 },
		{ "watch-ppb", "1000000001", -1 }, { "watch-ppb", "1.5e3", -1 },
		{ "watch-ppb", "-5", -1 }, { "watch-ppb", "", -1 }, { "watch-ppb", "10ms", -1 },
		{ "watch-ppb", "nan", -1 }, { "watch-ppb", "inf", -1 }, { "watch-ppb", "0x10", -1 },
		{ "quarantine-ms", "10ms", 10 }, { "quarantine-ms", "5s", 5000 },
		{ "quarantine-ms", "2h", 7200000 }, { "quarantine-ms", "1.5s", 1500 },
		{ "quarantine-ms", "0", 0 }, { "quarantine-ms", "10", 10 },
		{ "quarantine-ms", "1500us", -1 }, { "quarantine-ms", "2d", -1 },
		{ "quarantine-ms", "10 ms", -1 }, { "quarantine-ms", "10xx", -1 },
		{ "settle-us", "1ms", 1000 }, { "settle-us", "2s", -1 },
		{ "horizon-s", "1h", 3600 }, { "horizon-s", "100ms", -1 },
		{ "common-cdb", "1.5dB", 150 }, { "common-cdb", "150", 150 },
		{ "common-pct", "50%", 50 }, { "common-pct", "101", -1 },
		{ "manage", "on", 1 }, { "manage", "0", 0 }, { "manage", "2", -1 },
		{ "test-mbits", "1Gbit", 1024 }, { "min-errors", "65536", -1 },
		{ "min-errors", "99999999999999999999999", -1 }, { "min-errors", "1.5", -1 },
		{ "poll-ms", "9", -1 }, { "poll-ms", "10", 10 },
	};
	const struct knob *k;
	uint32_t value;
	char why[160];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++)
		SUBTEST("%s %s", t[i].knob, t[i].word) {
			k = knob_find(t[i].knob, why, sizeof(why));
			if (t[i].value >= 0) {
				CHECK_EQ(knob_parse(k, t[i].word, &value, why, sizeof(why)), 0);
				CHECK_EQ(value, t[i].value);
				continue;
			}
			CHECK_EQ(knob_parse(k, t[i].word, &value, why, sizeof(why)), -1);
			/* It names the knob, and the range where there is one. */
			CHECK(!strncmp(why, k->name, strlen(k->name)));
			CHECK(k->max == 1 || strstr(why, " to "));
		}
}

/* --- the grid -------------------------------------------------------------------------------- */

static void put_lane(struct list *lanes, uint32_t x, uint32_t y, uint32_t status)
{
	struct lane *l = list_add(lanes, sizeof(*l));

	l->has = 1ull << PNIC_A_LANE_X | 1ull << PNIC_A_LANE_Y | 1ull << PNIC_A_LANE_STATUS;
	l->index = lanes->n - 1;
	l->x = x;
	l->y = y;
	l->status = status;
}

KTAP_TEST(patches)
{
	struct dev dev = { .grid_x = 6, .grid_y = 4 };
	struct list lanes = {};
	const struct patch *p;
	struct grid g;

	/* Three that hang together by corners, across the left edge's neighbour; two; one alone. */
	put_lane(&lanes, 0, 0, PNIC_LANE_STATUS_FAILED);
	put_lane(&lanes, 1, 1, PNIC_LANE_STATUS_FAILED);
	put_lane(&lanes, 0, 2, PNIC_LANE_STATUS_FAILED);
	put_lane(&lanes, 5, 0, PNIC_LANE_STATUS_FAILED);
	put_lane(&lanes, 5, 1, PNIC_LANE_STATUS_FAILED);
	put_lane(&lanes, 3, 3, PNIC_LANE_STATUS_FAILED);
	put_lane(&lanes, 2, 2, PNIC_LANE_STATUS_ACTIVE);
	put_lane(&lanes, 9, 9, PNIC_LANE_STATUS_ACTIVE);
	REQUIRE_EQ(grid_make(&g, &dev, &lanes, 3), 0);
	REQUIRE_EQ(g.patches.n, 1);
	p = g.patches.items;
	CHECK_EQ(p->lanes, 3);
	CHECK_EQ(p->y, 1);
	CHECK_EQ(grid_letter(&g, 1, 1), '#');
	CHECK_EQ(grid_letter(&g, 5, 0), 'x');
	CHECK_EQ(grid_letter(&g, 3, 3), 'x');
	CHECK_EQ(grid_letter(&g, 2, 2), 'o');
	CHECK_EQ(grid_letter(&g, 4, 3), ' ');
	grid_free(&g);
	REQUIRE_EQ(grid_make(&g, &dev, &lanes, 2), 0);
	CHECK_EQ(g.patches.n, 2);
	grid_free(&g);
	free(lanes.items);
}

KTAP_TEST(grids_without_sense)
{
	struct dev dev = { .grid_x = UINT32_MAX, .grid_y = UINT32_MAX };
	struct list lanes = {};
	struct grid g;

	CHECK_EQ(grid_make(&g, &dev, &lanes, 3), -1);
	dev.grid_y = 0;
	CHECK_EQ(grid_make(&g, &dev, &lanes, 3), -1);
	dev.grid_x = dev.grid_y = 1;
	CHECK_EQ(grid_make(&g, &dev, &lanes, 3), 0);
	grid_free(&g);
}

KTAP_TEST(spares_in_order)
{
	const struct lane **s;
	struct list lanes = {};
	struct lane *l;
	unsigned int i;

	for (i = 0; i < 5; i++)
		put_lane(&lanes, i, 0, i == 4 ? PNIC_LANE_STATUS_ACTIVE : PNIC_LANE_STATUS_SPARE);
	l = lanes.items;
	l[0].known_bad = true;
	l[1].losses = 2;
	l[2].error_ppb = 5;
	s = lanes_spares(&lanes);
	CHECK_EQ(s[0]->index, 3);
	CHECK_EQ(s[1]->index, 2);
	CHECK_EQ(s[2]->index, 1);
	CHECK_EQ(s[3]->index, 0);
	CHECK(!s[4]);
	free(s);
	free(lanes.items);
}

KTAP_MAIN()
