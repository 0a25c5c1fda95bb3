// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of maps, margin, lane table, states and notes.
 */
#include "selftests/ktap.h"
#include "state_cases.h"
#include "../agent.h"
#include "rng.h"

static struct lane_map a, b;
static const struct lane_shape wide = { 425, 460 };

KTAP_TEST(identity_is_valid)
{
	lane_map_identity(&a, 425);
	CHECK_EQ(a.generation, 1);
	CHECK_EQ(lane_map_check(&a, &wide), 0);
	CHECK_EQ(a.phys[424], 424);
}

KTAP_TEST(check_finds_every_fault)
{
	lane_map_identity(&a, 425);
	a.width = 0;
	CHECK_EQ(lane_map_check(&a, &wide), PNIC_MAPR_WIDTH);
	a.width = 426;
	CHECK_EQ(lane_map_check(&a, &wide), PNIC_MAPR_WIDTH);
	a.width = 425;
	a.phys[7] = 460;
	CHECK_EQ(lane_map_check(&a, &wide), PNIC_MAPR_RANGE);
	a.phys[7] = LANE_NONE;
	CHECK_EQ(lane_map_check(&a, &wide), PNIC_MAPR_RANGE);
	a.phys[7] = 459;
	CHECK_EQ(lane_map_check(&a, &wide), 0);
	a.phys[424] = 459;
	CHECK_EQ(lane_map_check(&a, &wide), PNIC_MAPR_TWICE);
}

KTAP_TEST(check_of_the_largest_map)
{
	struct lane_shape all = { LANE_MAX, LANE_MAX };

	lane_map_identity(&a, LANE_MAX);
	CHECK_EQ(lane_map_check(&a, &all), 0);
	a.phys[0] = LANE_MAX - 1;
	CHECK_EQ(lane_map_check(&a, &all), PNIC_MAPR_TWICE);
}

KTAP_TEST(sum_tells_maps_apart)
{
	unsigned int l;

	lane_map_identity(&a, 425);
	lane_map_identity(&b, 425);
	b.generation = 9;
	CHECK_EQ(lane_map_sum(&a), lane_map_sum(&b));
	CHECK(lane_map_same(&a, &b));
	for (l = 0; l < 425; l++) {
		b.phys[l] = 459;
		CHECK_NE(lane_map_sum(&a), lane_map_sum(&b));
		CHECK(!lane_map_same(&a, &b));
		CHECK_EQ(lane_map_moves(&a, &b), 1);
		b.phys[l] = l;
	}
	b.width = 424;
	CHECK_NE(lane_map_sum(&a), lane_map_sum(&b));
	CHECK_EQ(lane_map_moves(&a, &b), 0);
	CHECK_EQ(lane_map_moves(&b, &a), 1);
}

KTAP_TEST(map_to_bytes_and_back)
{
	static u64 buf[(sizeof(struct pnic_map) + 2 * LANE_MAX) / 8 + 1];
	struct pnic_map *head = (void *)buf;
	size_t len, cut;

	lane_map_identity(&a, 425);
	a.generation = 0x12345678;
	a.phys[3] = 450;
	len = lane_map_encode(&a, buf, sizeof(buf));
	REQUIRE_EQ(len, sizeof(struct pnic_map) + 850);
	CHECK_EQ(lane_map_encode(&a, buf, len - 1), 0);
	lane_map_identity(&b, 1);
	CHECK(lane_map_decode(&b, buf, len));
	CHECK(lane_map_same(&a, &b));
	CHECK_EQ(b.generation, 0x12345678);
	for (cut = 0; cut < len; cut++)
		CHECK(!lane_map_decode(&b, buf, cut));
	head->width = cpu_to_le16(LANE_MAX + 1);
	CHECK(!lane_map_decode(&b, buf, sizeof(buf)));
}

/* ---- margin ---- */

static const struct lane_fec kp4 = { 544, 514, 10, false };
static const struct lane_fec kp4_bits = { 544, 514, 10, true };

static struct lane_margin margin(const struct lane_fec *fec, u16 width, u16 erased, u16 dark,
				 u64 ppb)
{
	struct lane_load load = { width, erased, dark, ppb * width };
	struct lane_margin m;

	lane_margin_of(fec, &load, &m);
	return m;
}

/* photonics: 7 lanes unannounced, 15 with erasures; 1 with bit striping. */
KTAP_TEST(margin_of_a_healthy_link)
{
	struct lane_margin m = margin(&kp4, 425, 0, 0, 0);

	CHECK_EQ(m.errors, 7);
	CHECK_EQ(m.erasure, 15);
	CHECK_EQ(m.symbols, 2);
	m = margin(&kp4, 400, 0, 0, 0);
	CHECK_EQ(m.errors, 7);
	CHECK_EQ(m.erasure, 15);
	m = margin(&kp4_bits, 425, 0, 0, 0);
	CHECK_EQ(m.symbols, 13);
	CHECK_EQ(m.errors, 1);
	/* 256 + 64 lanes: three symbols on some. */
	m = margin(&kp4, 256, 0, 0, 0);
	CHECK_EQ(m.symbols, 3);
	CHECK_EQ(m.errors, 5);
	CHECK_EQ(m.erasure, 10);
}

KTAP_TEST(margin_falls_with_each_dead_lane)
{
	u16 n;

	for (n = 0; n <= 15; n++) {
		struct lane_margin m = margin(&kp4, 425, n, 0, 0);

		CHECK_EQ(m.errors, (30 - 2 * n) / 4);
		CHECK_EQ(m.erasure, 15 - n);
	}
	CHECK_EQ(margin(&kp4, 425, 16, 0, 0).errors, -1);
	CHECK_EQ(margin(&kp4, 425, 16, 0, 0).erasure, -1);
	for (n = 0; n <= 7; n++)
		CHECK_EQ(margin(&kp4, 425, 0, n, 0).errors, 7 - n);
	CHECK_EQ(margin(&kp4, 425, 0, 8, 0).errors, -1);
}

KTAP_TEST(margin_falls_with_random_errors)
{
	/* 2e-8 per bit is 2e-7 per symbol: two more errors happen more than once in 10^9. */
	struct lane_margin m = margin(&kp4, 425, 0, 0, 200);

	CHECK_EQ(m.random, 2);
	CHECK_EQ(m.errors, 6);
	CHECK_EQ(m.erasure, 13);
	/* 2.4e-4 per bit, the working limit: hardly anything is left. */
	m = margin(&kp4, 425, 0, 0, 2400000);
	CHECK_GE(m.random, 10);
	CHECK_LE(m.errors, 2);
	/* Common mode far past it. */
	CHECK_EQ(margin(&kp4, 425, 0, 0, 100000000).errors, -1);
}

KTAP_TEST(margin_never_exceeds_the_lanes)
{
	struct lane_margin m = margin(&kp4, 1, 0, 0, 0);

	CHECK_EQ(m.symbols, 544);
	CHECK_EQ(m.errors, 0);
	m = margin(&kp4, 0, 0, 0, 0);
	CHECK_EQ(m.errors, -1);
	/* A code with more strength than the link has lanes. */
	m = margin(&(struct lane_fec){ 544, 44, 10, false }, 4096, 4090, 0, 0);
	CHECK_EQ(m.errors, -1);
	m = margin(&(struct lane_fec){ 100, 2, 10, false }, 100, 95, 0, 0);
	CHECK_EQ(m.erasure, 3);
	m = margin(&(struct lane_fec){ 100, 2, 10, false }, 50, 0, 0, 0);
	CHECK_EQ(m.errors, 24);
}

/* Against e^-m m^k / k! summed in floating point. */
KTAP_TEST(random_symbols_bound_the_poisson_tail)
{
	double mean;

	for (mean = 1 / 1e7; mean < 12; mean *= 1.3) {
		u16 r = lane_random_symbols((u64)(mean * 4294967296.0));
		double term = __builtin_exp(-mean), below = 0, tail;
		int k;

		for (k = 0; k <= r; k++) {
			below += term;
			term *= mean / (k + 1);
		}
		for (tail = 0; k < 400; k++) {
			tail += term;
			term *= mean / (k + 1);
		}
		/* Never optimistic; at most a few too many. */
		if (tail > 1.05 / 1e9)
			CHECK_EQ((int)(mean * 1e6), -1);
		CHECK_LE(r, 3 + (int)(3 * mean + 16));
		CHECK(below <= 1.0000001);
	}
	CHECK_EQ(lane_random_symbols(0), 0);
	CHECK_GE(lane_random_symbols(~0ULL), 16);
}

KTAP_TEST(nonsense_codes_are_refused)
{
	CHECK(lane_fec_valid(&kp4));
	CHECK(!lane_fec_valid(&(struct lane_fec){ 0, 0, 10, false }));
	CHECK(!lane_fec_valid(&(struct lane_fec){ 544, 544, 10, false }));
	CHECK(!lane_fec_valid(&(struct lane_fec){ 544, 600, 10, false }));
	CHECK(!lane_fec_valid(&(struct lane_fec){ 544, 514, 0, false }));
	CHECK(!lane_fec_valid(&(struct lane_fec){ 544, 514, 17, false }));
}

/* ---- lane table ---- */

static u64 raw[LANE_RAW_MAX / 8];
static struct lane_rec rec[LANE_MAX];

static void make_table(u16 total)
{
	struct pnic_lane_table *head = (void *)raw;
	struct pnic_lane_rec *r = (void *)(head + 1);
	u16 i;

	memset(raw, 0, sizeof(raw));
	head->seq_begin = cpu_to_le32(6);
	head->seq_end = cpu_to_le32(6);
	head->count = cpu_to_le16(total);
	head->rec_size = cpu_to_le16(32);
	for (i = 0; i < total; i++) {
		r[i].lane = cpu_to_le16(i);
		r[i].power_cdb = cpu_to_le16((u16)-123);
		r[i].sym_errors = htole64(1000 + i);
	}
}

KTAP_TEST(table_decodes)
{
	make_table(460);
	REQUIRE_EQ(lane_table_decode(rec, 460, raw, lane_table_size(460)), LANE_TABLE_OK);
	CHECK_EQ(rec[459].sym_errors, 1459);
	CHECK_EQ(rec[459].power_cdb, -123);
}

KTAP_TEST(bad_tables_are_refused)
{
	struct pnic_lane_table *head = (void *)raw;
	struct pnic_lane_rec *r = (void *)(head + 1);
	size_t len;

	make_table(20);
	for (len = 0; len < lane_table_size(20); len++)
		CHECK_EQ(lane_table_decode(rec, 20, raw, len), LANE_TABLE_SHORT);
	CHECK_EQ(lane_table_decode(rec, 19, raw, sizeof(raw)), LANE_TABLE_COUNT);
	CHECK_EQ(lane_table_decode(rec, 21, raw, sizeof(raw)), LANE_TABLE_COUNT);
	head->seq_begin = cpu_to_le32(7);
	CHECK_EQ(lane_table_decode(rec, 20, raw, sizeof(raw)), LANE_TABLE_TORN);
	head->seq_end = cpu_to_le32(7);
	CHECK_EQ(lane_table_decode(rec, 20, raw, sizeof(raw)), LANE_TABLE_TORN);
	make_table(20);
	head->rec_size = cpu_to_le16(31);
	CHECK_EQ(lane_table_decode(rec, 20, raw, sizeof(raw)), LANE_TABLE_RECORD);
	make_table(20);
	r[11].lane = cpu_to_le16(12);
	CHECK_EQ(lane_table_decode(rec, 20, raw, sizeof(raw)), LANE_TABLE_RECORD);
	make_table(20);
	r[19].state = PNIC_LANE_OFF + 1;
	rec[0].sym_errors = 77;
	CHECK_EQ(lane_table_decode(rec, 20, raw, sizeof(raw)), LANE_TABLE_RECORD);
	CHECK_EQ(rec[0].sym_errors, 77);
}

/* ---- states ---- */

/* Each transition of the design, and that nothing else moves a lane. */
KTAP_TEST(lane_state_table)
{
	unsigned int state, event;

	for (state = 0; state < LANE_STATES; state++)
		for (event = 0; event < LANE_EVENTS; event++)
			CHECK_EQ(lane_state_next(state, event),
				 lane_state_expected(state, event));
	CHECK_EQ(lane_state_next(LANE_STATES, 1), LANE_STATES);
	CHECK_EQ(lane_state_next(LANE_SPARE, LANE_EVENTS), LANE_SPARE);
	CHECK_STREQ(lane_state_name(LANE_QUARANTINED), "quarantined");
	CHECK_STREQ(lane_state_name(200), "?");
	CHECK_STREQ(lane_event_name(200), "?");
}

/* ---- notes ---- */

/* Any note has words, whatever is in it, and they fit. */
KTAP_TEST(every_note_has_words)
{
	char text[LANE_NOTE_TEXT_MAX];
	struct lane_note n;
	unsigned int code, i;

	for (code = 0; code < 256; code++)
		for (i = 0; i < 40; i++) {
			int len;

			memset(&n, i < 20 ? 0 : 0xff, sizeof(n));
			n.code = code;
			n.a = i < 39 ? i % 20 : ~0u;
			n.b = n.a;
			n.c = n.a;
			n.d = n.a;
			len = lane_note_text(&n, text, sizeof(text));
			CHECK_GT(len, 3);
			CHECK_LT(len, (int)sizeof(text));
			CHECK(!strchr(text, '\n'));
		}
	for (code = 1; code < LANE_NOTE_CODES; code++) {
		CHECK_GT(strlen(lane_note_name(code)), 2);
		for (i = 1; i < code; i++)
			CHECK_NE(strcmp(lane_note_name(i), lane_note_name(code)), 0);
	}
	CHECK_STREQ(lane_note_name(LANE_NOTE_CODES), "?");
	n = (struct lane_note){ .code = LANE_NOTE_REPLACE, .lane = 17, .other = 430,
				.logical = 17, .a = LANE_FAILED };
	lane_note_text(&n, text, sizeof(text));
	CHECK_STREQ(text, "logical 17: lane 17 (failed) replaced by spare 430");
}

KTAP_TEST(notes_that_have_no_room_are_counted)
{
	static struct lane_notes notes;
	struct lane_note n = { .code = LANE_NOTE_DROP };
	unsigned int i;

	for (i = 0; i < LANE_NOTES_MAX + 5; i++)
		lane_notes_add(&notes, &n);
	CHECK_EQ(notes.nr, LANE_NOTES_MAX);
	CHECK_EQ(notes.lost, 5);
}

KTAP_MAIN()
