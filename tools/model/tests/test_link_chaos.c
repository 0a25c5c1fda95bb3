// SPDX-License-Identifier: GPL-2.0
/*
 * Standby plans, maps, tests and faults of a link in random order, right and wrong, under
 * traffic: whatever the hosts and the fibre do, no byte is ever wrong, and when all is mended
 * and both have fallen back every frame arrives, once and in order.
 *
 * A run is told by its seed: CHAOS_SEED=n runs that one only.
 */
#include <stdlib.h>

#include "link_rig.h"

#define RUNS	300
#define STEPS	300

static struct pm_rng rng;
static struct rig rig;
static unsigned int lanes, width_max;
static uint64_t mended;

static unsigned int below(unsigned int n)
{
	return pm_rng_below(&rng, n);
}

static struct pm_port *port(void)
{
	return rig.end[below(2)].port;
}

/* The active map of a direction at one end, changed a little: for plans and for staging. */
static void some_map(struct rig_map *m, int end, int dir)
{
	rig_map_get(&rig, end, dir, m);
}

static void plan(void)
{
	int rx = (int)below(2), l;
	uint64_t why;
	struct rig_map m;

	some_map(&m, rx, PNIC_DIR_RX);
	for (l = 0; l < le16toh(m.head.width); l++)
		m.phys[l] = below(4) ? htole16((uint16_t)below(lanes)) : htole16(PNIC_LANE_NONE);
	/* Mostly a plan that can be, and mostly the same at both ends. */
	if (below(8)) {
		bool used[PNIC_LANES_MAX] = { false };
		struct rig_map active;

		some_map(&active, rx, PNIC_DIR_RX);
		for (l = 0; l < le16toh(active.head.width); l++)
			used[le16toh(active.phys[l])] = true;
		for (l = 0; l < le16toh(m.head.width); l++)
			if (le16toh(m.phys[l]) != PNIC_LANE_NONE && used[le16toh(m.phys[l])])
				m.phys[l] = htole16(PNIC_LANE_NONE);
	}
	if (below(6))
		pm_port_standby(rig.end[!rx].port, PNIC_DIR_TX, &m, rig_map_len(&m), &why);
	if (!below(6))
		m.phys[below(le16toh(m.head.width))] = htole16((uint16_t)below(lanes));
	if (below(6))
		pm_port_standby(rig.end[rx].port, PNIC_DIR_RX, &m, rig_map_len(&m), &why);
}

static void stage(void)
{
	int rx = (int)below(2);
	unsigned int a, b;
	uint64_t why;
	struct rig_map m;

	some_map(&m, rx, PNIC_DIR_RX);
	m.head.generation = htole32(le32toh(m.head.generation) + 1);
	a = below(le16toh(m.head.width));
	b = below(le16toh(m.head.width));
	m.phys[a] = m.phys[b];
	m.phys[b] = htole16((uint16_t)below(lanes));
	if (!below(4) && le16toh(m.head.width) > 2)
		m.head.width = htole16(le16toh(m.head.width) - 1);
	if (below(4))
		pm_port_map_stage(rig.end[rx].port, PNIC_DIR_RX, &m, rig_map_len(&m), &why);
	if (!below(5))
		m.phys[a] = htole16((uint16_t)below(lanes));
	if (below(4))
		pm_port_map_stage(rig.end[!rx].port, PNIC_DIR_TX, &m, rig_map_len(&m), &why);
}

static void switch_or_abort(void)
{
	struct pnic_link_info i;
	int end = (int)below(2);

	i = rig_info(&rig, end);
	if (below(3))
		pm_port_map_switch(rig.end[end].port, below(4) ? le32toh(i.staged_tx) : le32toh(i.gen_tx));
	else if (below(2))
		pm_port_map_abort(rig.end[end].port, PNIC_DIR_TX, le32toh(i.staged_tx));
	else
		pm_port_map_abort(rig.end[end].port, PNIC_DIR_RX, le32toh(i.staged_rx));
}

/* Host software that puts a direction in order: generation 1 at both ends. */
static void fall_back(int tx)
{
	struct rig_map m = { .head = { .generation = htole32(1), .width = htole16((uint16_t)width_max) } };
	unsigned int l;
	uint64_t why;

	for (l = 0; l < width_max; l++)
		m.phys[l] = htole16((uint16_t)l);
	pm_port_map_stage(rig.end[tx].port, PNIC_DIR_TX, &m, rig_map_len(&m), &why);
	pm_port_map_switch(rig.end[tx].port, 1);
}

static void some_test(void)
{
	static const uint8_t ops[] = { PNIC_LANE_TEST_START, PNIC_LANE_TEST_START, PNIC_LANE_TEST_READ,
				       PNIC_LANE_TEST_STOP };
	uint8_t op = ops[below(4)];
	uint64_t result[2];

	pm_port_lane_test(port(), (uint16_t)below(lanes), op, op ? 0 : 1, result);
	CHECK_LE(result[0], result[1] + PNIC_ASQE_SIZE);	/* or a field's offset */
}

static void step(void)
{
	switch (below(16)) {
	case 0: case 1: case 2: case 3:
		pm_fault_kill(port(), below(lanes));
		break;
	case 4: case 5: case 6:
		pm_fault_heal(port(), below(lanes));
		break;
	case 7: case 8: case 9:
		plan();
		break;
	case 10:
		stage();
		break;
	case 11:
		switch_or_abort();
		break;
	case 12:
		some_test();
		break;
	case 13:
		pm_fault_drop_requests(port(), below(12));
		break;
	case 14:
		if (below(3))
			pm_fault_degrade(port(), below(lanes), below(50) / 10.0);
		else if (below(3))
			pm_port_lane_ctl(port(), (uint16_t)below(lanes), below(2));
		else
			pm_fault_cut(port(), !below(3));
		break;
	default:
		if (below(6))
			fall_back((int)below(2));
		else
			pm_fault_map(port(), (int)below(2), below(width_max), below(lanes));
	}
}

static void pass(uint64_t us)
{
	uint64_t end = pm_sim_now(rig.sim) + us * 1000, sleep_ns;

	while (pm_sim_now(rig.sim) < end)
		pm_sim_run(rig.sim, 4, &sleep_ns);
}

/* No lane carries two logical lanes, whoever made the map. */
static bool maps_are_maps(void)
{
	unsigned int k, l;
	struct rig_map m;

	for (k = 0; k < 4; k++) {
		bool used[PNIC_LANES_MAX] = { false };

		rig_map_get(&rig, k / 2, k % 2, &m);
		for (l = 0; l < le16toh(m.head.width); l++) {
			unsigned int phys = le16toh(m.phys[l]);

			if (phys >= lanes || used[phys])
				return false;
			used[phys] = true;
		}
	}
	return true;
}

static void mend_all(void)
{
	unsigned int i, l;

	for (i = 0; i < 2; i++) {
		pm_fault_heal_all(rig.end[i].port);
		pm_fault_drop_requests(rig.end[i].port, 0);
		for (l = 0; l < lanes; l++)
			pm_port_lane_ctl(rig.end[i].port, (uint16_t)l, true);
	}
	pm_fault_cut(rig.end[0].port, false);
	pass(200);
	fall_back(0);
	fall_back(1);
}

static bool run(uint64_t seed)
{
	struct pm_standby_stats s;
	bool fine = true;
	unsigned int i;

	pm_rng_init(&rng, seed, "chaos", 0);
	rig_init(&rig, below(4) ? "test-16" : "mosaic-800g", seed);
	rig_open(&rig);
	width_max = rig.config.lanes_data;
	lanes = width_max + rig.config.lanes_spare;
	for (i = 0; i < STEPS; i++) {
		rig_want(&rig, 0, below(20));
		rig_want(&rig, 1, below(20));
		step();
		if (!below(3))
			pass(below(120));
		fine &= maps_are_maps();
	}
	CHECK(fine);
	mend_all();
	fine &= rig_until(&rig, rig_delivered, 60000);
	CHECK(fine);
	for (i = 0; i < 2; i++) {
		CHECK_EQ(rig.end[i].wrong, 0);
		CHECK_EQ(rig.end[i].got, rig.end[!i].to_send);
		CHECK_EQ(rig.end[i].flushed, 0);
		fine &= !rig.end[i].wrong && rig.end[i].got == rig.end[!i].to_send;
		pm_port_standby_stats(rig.end[i].port, &s);
		mended += s.switches_rx;
	}
	rig_free(&rig);
	return fine;
}

KTAP_TEST(whatever_happens)
{
	const char *one = getenv("CHAOS_SEED");
	uint64_t seed;

	if (one) {
		run(strtoull(one, NULL, 0));
		return;
	}
	for (seed = 1; seed <= RUNS; seed++) {
		if (run(seed))
			continue;
		ktap_say("CHAOS_SEED=%llu does it again", (unsigned long long)seed);
		return;
	}
	ktap_say("%llu maps were mended by a plan", (unsigned long long)mended);
	CHECK_GT(mended, RUNS);
}

KTAP_MAIN()
