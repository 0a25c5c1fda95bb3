// SPDX-License-Identifier: GPL-2.0
/*
 * Trips on a quiet line (quiet.c): one that is only counted, "the same again", is in the end booked as
 * one that was planned.
 */
#include <math.h>

#include "link_rig.h"

#define HOPS	300u

struct phase {
	struct pnic_counters count[2];
	uint64_t clock, hops;
};

static struct pm_trip trip_of(struct rig *r, unsigned int from, uint32_t len)
{
	struct pm_trip trip = { 0 };

	pm_port_train_add(r->end[from].port, &trip.there, len, 1);
	pm_port_train_add(r->end[!from].port, &trip.back, 0, 1);
	return trip;
}

/* One hop, planned. */
static void planned(struct rig *r, unsigned int from, uint32_t len, bool keep)
{
	struct pm_port *p = r->end[from].port;
	struct pm_trip trip = trip_of(r, from, len);

	while (!pm_port_plan(p, &trip)) {
		REQUIRE(trip.until);
		pm_sim_clear(r->sim, trip.until);
	}
	REQUIRE(pm_port_quiet(p));
	pm_port_travel(p, &trip);
	pm_port_arrive(p, &trip, false);
	if (keep)
		pm_port_keep(p, &trip);
}

static void look(struct rig *r, struct phase *ph)
{
	unsigned int i;

	pm_link_settle(r->link);
	for (i = 0; i < 2; i++)
		pm_port_counters(r->end[i].port, &ph->count[i]);
	ph->clock = pm_sim_now(r->sim);
}

/* From each end in turn, from one of them more often; @again: counted if that can be. How many were. */
static unsigned int hops(struct rig *r, const uint32_t *len, bool again)
{
	unsigned int i, from, counted = 0;

	for (i = 0; i < HOPS; i++) {
		from = i % 3 == 2;
		if (again && pm_port_again(r->end[from].port, len[from]))
			counted++;
		else
			planned(r, from, len[from], again);
	}
	return counted;
}

static void compare(struct rig *r, const uint32_t *len)
{
	struct phase a, b, c;
	unsigned int i, counted;
	double per_codeword;

	hops(r, len, false);
	look(r, &a);
	hops(r, len, false);
	look(r, &b);
	counted = hops(r, len, true);
	look(r, &c);
	ktap_say("%u and %u bytes: %u of %u were counted only", len[0], len[1], counted, HOPS);
	CHECK_GE(counted, HOPS / 2);
	for (i = 0; i < 2; i++) {
#define DELTA(x, y, f)	(le64toh((y).count[i].f) - le64toh((x).count[i].f))
		CHECK_EQ(DELTA(b, c, frames_tx), DELTA(a, b, frames_tx));
		CHECK_EQ(DELTA(b, c, frames_rx), DELTA(a, b, frames_rx));
		CHECK_EQ(DELTA(b, c, payload_tx), DELTA(a, b, payload_tx));
		CHECK_EQ(DELTA(b, c, payload_rx), DELTA(a, b, payload_rx));
		CHECK_GE(DELTA(b, c, line_bits_tx) + 8, DELTA(a, b, line_bits_tx));
		CHECK_LE(DELTA(b, c, line_bits_tx), DELTA(a, b, line_bits_tx) + 8);
		/* As many in as much time; idle ones are counted in bulk. */
		per_codeword = (double)(b.clock - a.clock) / (double)DELTA(a, b, codewords_rx);
		CHECK(fabs((double)(c.clock - b.clock) / per_codeword - (double)DELTA(b, c, codewords_rx)) < 4);
		CHECK_EQ(DELTA(b, c, frames_replayed), 0);
	}
	/* And frames can follow. */
	rig_want(r, 0, 50);
	CHECK(rig_until(r, rig_delivered, 60000));
}

KTAP_TEST(again_is_booked_alike)
{
	static const uint32_t len[][2] = { { 8, 8 }, { 8, 16 }, { 1, 16 }, { 500, 8 }, { 4096, 4096 } };
	unsigned int i;
	struct rig r;

	for (i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
		rig_init(&r, "mosaic-800g", 1 + i);
		rig_open(&r);
		compare(&r, len[i]);
		rig_free(&r);
	}
}

/* Where errors come often, each of these ends what is counted only. */
KTAP_TEST(again_on_a_bad_line)
{
	static const uint32_t len[2] = { 8, 8 };
	struct pnic_counters c;
	unsigned int counted;
	struct rig r;

	rig_init(&r, "mosaic-800g", 9);
	r.config.ber_median = 1e-5;
	rig_open(&r);
	counted = hops(&r, len, true);
	pm_link_settle(r.link);
	pm_port_counters(r.end[1].port, &c);
	ktap_say("%u of %u were counted only, %llu codewords corrected", counted, HOPS,
		 (unsigned long long)le64toh(c.codewords_corrected));
	CHECK_GT(counted, 0);
	CHECK_LT(counted, HOPS);
	CHECK_GT(le64toh(c.codewords_corrected), 0);
	CHECK_EQ(le64toh(c.codewords_uncorrectable), 0);
	rig_free(&r);
}

KTAP_MAIN()
