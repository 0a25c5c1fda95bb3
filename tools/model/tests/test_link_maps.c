// SPDX-License-Identifier: GPL-2.0
/*
 * Lane maps: staging and switching under traffic, disagreement and how it ends, refusals. In
 * these tests end 0 transmits and end 1 receives, unless a test says otherwise.
 */
#include "link_rig.h"

static const bool none_dead[PNIC_LANES_MAX];

static int stage(struct rig *r, int end, int dir, const struct rig_map *m)
{
	uint64_t why;
	int status = pm_port_map_stage(r->end[end].port, dir, m, rig_map_len(m), &why);

	return status == PNIC_AS_REFUSED ? (int)(100 + why) : status;
}

/* Both ends to @m as the management protocol does it: receiver first, then transmitter, marker. */
static void agree_on(struct rig *r, const struct rig_map *m)
{
	CHECK_EQ(stage(r, 1, PNIC_DIR_RX, m), PNIC_AS_OK);
	CHECK_EQ(stage(r, 0, PNIC_DIR_TX, m), PNIC_AS_OK);
	CHECK_EQ(pm_port_map_switch(r->end[0].port, le32toh(m->head.generation)), PNIC_AS_OK);
}

static bool a_tenth(struct rig *r)
{
	return r->end[1].got >= r->end[0].to_send / 10;
}

static bool half_way(struct rig *r)
{
	return r->end[1].got >= r->end[0].to_send / 2;
}

static uint64_t want_rx_maps;

static bool receiver_switched(struct rig *r)
{
	return r->end[1].maps_rx >= want_rx_maps;
}

KTAP_TEST(a_switch_under_traffic_loses_nothing)
{
	struct pnic_counters c;
	struct rig_map m, got;
	bool dead[460] = { false };
	unsigned int i;
	struct rig r;

	rig_new(&r);
	rig_want(&r, 0, 50000);
	rig_want(&r, 1, 50000);
	CHECK(rig_until(&r, a_tenth, 10000));
	for (i = 0; i < 12; i++)
		dead[i * 30] = true;
	rig_map_get(&r, 0, PNIC_DIR_TX, &m);
	rig_map_drop(&m, dead, 460);
	CHECK_EQ(le16toh(m.head.width), 425);
	CHECK_EQ(stage(&r, 1, PNIC_DIR_RX, &m), PNIC_AS_OK);
	CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &m), PNIC_AS_OK);
	CHECK_EQ(rig_info(&r, 1).staged_rx, 2);
	CHECK_EQ(rig_info(&r, 0).staged_tx, 2);
	CHECK_EQ(pm_port_map_switch(r.end[0].port, 2), PNIC_AS_OK);
	CHECK_EQ(rig_info(&r, 0).gen_tx, 2);
	CHECK_EQ(rig_info(&r, 1).gen_rx, 1);		/* the marker is on its way */
	want_rx_maps = 1;
	CHECK(rig_until(&r, receiver_switched, 1000));
	CHECK_EQ(rig_info(&r, 1).gen_rx, 2);
	CHECK_EQ(rig_info(&r, 1).staged_rx, 0);
	CHECK_EQ(r.end[1].last_generation, 2);
	CHECK_EQ(r.end[0].maps_tx, 1);
	CHECK_EQ(pm_port_map_get(r.end[1].port, PNIC_DIR_RX, false, &got, sizeof(got)),
		 rig_map_len(&m));
	CHECK(!memcmp(&got, &m, rig_map_len(&m)));
	/* Those taken out may die now. */
	for (i = 0; i < 460; i++)
		if (dead[i])
			pm_fault_kill(r.end[1].port, i);
	CHECK(rig_until(&r, rig_delivered, 20000));
	rig_check(&r);
	c = rig_counters(&r, 1);
	CHECK_EQ(c.codewords_uncorrectable, 0);
	CHECK_EQ(c.frames_crc_bad, 0);
	CHECK_EQ(c.map_switches_rx, 1);
	CHECK_EQ(rig_counters(&r, 0).map_switches_tx, 1);
	CHECK_EQ(rig_counters(&r, 0).frames_replayed, 0);
	CHECK_GE(rig_info(&r, 1).margin, 7);
	rig_free(&r);
}

/* More dead lanes than FEC and spares make good: a narrower map brings the traffic back. */
KTAP_TEST(forty_dead_lanes_shrink_the_link)
{
	bool dead[460] = { false };
	struct pnic_link_info info;
	struct pnic_counters c;
	uint64_t start, got, bits;
	struct rig_map m;
	unsigned int i;
	struct rig r;

	rig_new(&r);
	rig_want(&r, 0, 20000);
	CHECK(rig_until(&r, a_tenth, 10000));
	for (i = 0; i < 40; i++) {
		dead[i * 10] = true;
		pm_fault_kill(r.end[1].port, i * 10);
	}
	rig_pass_us(&r, 5000);
	CHECK(!rig_delivered(&r));
	got = r.end[1].got;
	rig_pass_us(&r, 2000);
	CHECK_EQ(r.end[1].got, got);
	/* The two ends have only the management channel to agree by. */
	CHECK_EQ(pm_port_mgmt_send(r.end[1].port, "map", 3), PNIC_AS_OK);
	rig_pass_us(&r, 300);
	CHECK_EQ(r.end[0].mgmt, 1);
	rig_map_get(&r, 0, PNIC_DIR_TX, &m);
	rig_map_drop(&m, dead, 460);
	CHECK_EQ(le16toh(m.head.width), 420);
	agree_on(&r, &m);
	want_rx_maps = 1;
	CHECK(rig_until(&r, receiver_switched, 1000));
	CHECK(rig_until(&r, rig_delivered, 10000));
	rig_check(&r);
	info = rig_info(&r, 0);
	CHECK_EQ(info.width_tx, 420);
	CHECK_EQ(info.rate_tx_mbps, 790588);		/* 800000 * 420 / 425 */
	CHECK_EQ(info.width_rx, 425);
	/* And the line is slower by as much. */
	start = pm_sim_now(r.sim);
	c = rig_counters(&r, 0);
	rig_want(&r, 0, 50000);
	CHECK(rig_until(&r, rig_delivered, 10000));
	CHECK_GE(pm_sim_now(r.sim) - start, (uint64_t)(50000 * 41.48 * 425 / 420));
	CHECK_LE(pm_sim_now(r.sim) - start, (uint64_t)(50000 * 41.48 * 425 / 420) + 1000);
	bits = rig_counters(&r, 0).line_bits_tx - c.line_bits_tx;
	CHECK_GE(50000 * 4096 * 8ull * 1000 / bits, 925);
	rig_free(&r);
}

KTAP_TEST(one_lane_alone)
{
	struct rig_map m;
	struct rig r;

	rig_new(&r);
	rig_map_get(&r, 0, PNIC_DIR_TX, &m);
	m.head.generation = htole32(2);
	m.head.width = htole16(1);
	m.phys[0] = htole16(459);
	agree_on(&r, &m);
	rig_want(&r, 0, 50);
	CHECK(rig_until(&r, rig_delivered, 10000));
	rig_check(&r);
	CHECK_EQ(rig_counters(&r, 0).frames_replayed, 0);
	CHECK_EQ(rig_info(&r, 0).rate_tx_mbps, 1882);
	CHECK_EQ(rig_info(&r, 1).margin, 0);
	rig_free(&r);
}

/* Staging alone changes nothing for the traffic, and can be dropped or replaced. */
KTAP_TEST(stage_and_abort)
{
	struct rig_map m, got;
	struct rig r;

	rig_new(&r);
	rig_map_get(&r, 0, PNIC_DIR_TX, &m);
	rig_map_drop(&m, none_dead, 460);
	m.phys[0] = htole16(430);
	CHECK_EQ(pm_port_map_get(r.end[0].port, PNIC_DIR_TX, true, &got, sizeof(got)), 0);
	CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &m), PNIC_AS_OK);
	CHECK_EQ(pm_port_map_get(r.end[0].port, PNIC_DIR_TX, true, &got, rig_map_len(&m) - 1), 0);
	CHECK_EQ(pm_port_map_get(r.end[0].port, PNIC_DIR_TX, true, &got, sizeof(got)),
		 rig_map_len(&m));
	CHECK(!memcmp(&got, &m, rig_map_len(&m)));
	m.phys[0] = htole16(431);
	CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &m), PNIC_AS_OK);
	CHECK_EQ(stage(&r, 1, PNIC_DIR_RX, &m), PNIC_AS_OK);
	rig_want(&r, 0, 1000);
	CHECK(rig_until(&r, rig_delivered, 1000));
	CHECK_EQ(rig_counters(&r, 1).codewords_uncorrectable, 0);
	CHECK_EQ(pm_port_map_abort(r.end[0].port, PNIC_DIR_TX, 3), PNIC_AS_WRONG_STATE);
	CHECK_EQ(pm_port_map_abort(r.end[0].port, PNIC_DIR_TX, 2), PNIC_AS_OK);
	CHECK_EQ(pm_port_map_abort(r.end[0].port, PNIC_DIR_TX, 2), PNIC_AS_WRONG_STATE);
	CHECK_EQ(pm_port_map_abort(r.end[1].port, PNIC_DIR_RX, 2), PNIC_AS_OK);
	CHECK_EQ(pm_port_map_abort(r.end[1].port, 7, 2), PNIC_AS_INVALID_FIELD);
	CHECK_EQ(pm_port_map_switch(r.end[0].port, 2), PNIC_AS_WRONG_STATE);
	CHECK_EQ(rig_info(&r, 0).gen_tx, 1);
	/* One that has been switched to can't be called back. */
	agree_on(&r, &m);
	CHECK_EQ(pm_port_map_abort(r.end[0].port, PNIC_DIR_TX, 2), PNIC_AS_WRONG_STATE);
	CHECK_EQ(rig_info(&r, 0).gen_tx, 2);
	rig_free(&r);
}

KTAP_TEST(refusals)
{
	struct rig_map good, m;
	uint64_t why;
	struct rig r;

	rig_new(&r);
	rig_map_get(&r, 0, PNIC_DIR_TX, &good);
	rig_map_drop(&good, none_dead, 460);
	m = good;
	m.head.width = 0;
	CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &m), 100 + PNIC_MAPR_WIDTH);
	m.head.width = htole16(426);
	CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &m), 100 + PNIC_MAPR_WIDTH);
	CHECK_EQ(pm_port_map_stage(r.end[0].port, PNIC_DIR_TX, &good, rig_map_len(&good) - 1, &why),
		 PNIC_AS_REFUSED);
	CHECK_EQ(why, PNIC_MAPR_WIDTH);
	CHECK_EQ(pm_port_map_stage(r.end[0].port, PNIC_DIR_TX, &good, 3, &why), PNIC_AS_REFUSED);
	CHECK_EQ(pm_port_map_stage(r.end[0].port, PNIC_DIR_TX, &good, 0, &why), PNIC_AS_REFUSED);
	CHECK_EQ(pm_port_map_stage(r.end[0].port, 2, &good, rig_map_len(&good), &why),
		 PNIC_AS_INVALID_FIELD);
	CHECK_EQ(why, offsetof(struct pnic_adm_map, dir));
	m = good;
	m.phys[424] = htole16(460);
	CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &m), 100 + PNIC_MAPR_RANGE);
	m.phys[424] = htole16(0xffff);
	CHECK_EQ(stage(&r, 1, PNIC_DIR_RX, &m), 100 + PNIC_MAPR_RANGE);
	m = good;
	m.phys[3] = m.phys[9];
	CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &m), 100 + PNIC_MAPR_TWICE);
	m = good;
	m.head.generation = htole32(3);
	CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &m), 100 + PNIC_MAPR_GENERATION);
	CHECK_EQ(stage(&r, 1, PNIC_DIR_RX, &m), 100 + PNIC_MAPR_GENERATION);
	m.head.generation = htole32(1);
	CHECK_EQ(stage(&r, 1, PNIC_DIR_RX, &m), 100 + PNIC_MAPR_GENERATION);
	/* Generation 1 is the identity and nothing else. */
	m.phys[0] = htole16(450);
	CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &m), 100 + PNIC_MAPR_GENERATION);
	CHECK_EQ(rig_info(&r, 0).staged_tx, 0);
	CHECK_EQ(pm_port_lane_ctl(r.end[0].port, 4, false), PNIC_AS_OK);
	CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &good), 100 + PNIC_MAPR_OFF);
	rig_pass_us(&r, 10);
	CHECK_EQ(stage(&r, 1, PNIC_DIR_RX, &good), 100 + PNIC_MAPR_OFF);
	CHECK_EQ(pm_port_lane_ctl(r.end[0].port, 4, true), PNIC_AS_OK);
	CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &good), PNIC_AS_OK);
	CHECK_EQ(rig_info(&r, 0).staged_tx, 2);
	rig_free(&r);
}

/*
 * A transmitter that switches alone: everything is damaged, really, and nothing gets by;
 * the generation 1 fall-back brings the two together.
 */
KTAP_TEST(disagreement_damages_everything)
{
	struct pnic_counters c;
	struct rig_map m;
	uint64_t got;
	struct rig r;

	rig_new(&r);
	rig_want(&r, 0, 20000);
	CHECK(rig_until(&r, a_tenth, 10000));
	rig_map_get(&r, 0, PNIC_DIR_TX, &m);
	rig_map_drop(&m, none_dead, 460);
	m.phys[100] = htole16(430);			/* one lane of 425 */
	CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &m), PNIC_AS_OK);
	CHECK_EQ(pm_port_map_switch(r.end[0].port, 2), PNIC_AS_OK);
	rig_pass_us(&r, 3);
	got = r.end[1].got;
	rig_pass_us(&r, 20000);
	CHECK_EQ(r.end[1].got, got);
	c = rig_counters(&r, 1);
	CHECK_GT(c.frames_crc_bad, 2);
	CHECK_GT(c.codewords_uncorrectable, 1000000);
	CHECK_GT(r.end[0].gathered, 2);
	CHECK_EQ(rig_info(&r, 1).margin, 0);
	CHECK_EQ(pm_port_state(r.end[1].port), PNIC_LINK_UP);
	CHECK_EQ(pm_port_mgmt_send(r.end[1].port, "fall back", 9), PNIC_AS_OK);
	rig_pass_us(&r, 200);
	CHECK_EQ(r.end[0].mgmt, 1);

	m.head.generation = htole32(1);
	m.phys[100] = htole16(100);
	CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &m), PNIC_AS_OK);
	CHECK_EQ(pm_port_map_switch(r.end[0].port, 1), PNIC_AS_OK);
	CHECK(rig_until(&r, rig_delivered, 10000));
	rig_check(&r);
	CHECK_EQ(rig_info(&r, 1).gen_rx, 1);
	rig_free(&r);
}

/* A marker of another generation than the staged one changes nothing. */
KTAP_TEST(a_marker_of_another_generation)
{
	struct rig_map m;
	struct rig r;

	rig_new(&r);
	rig_map_get(&r, 0, PNIC_DIR_TX, &m);
	rig_map_drop(&m, none_dead, 460);
	CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &m), PNIC_AS_OK);
	CHECK_EQ(pm_port_map_switch(r.end[0].port, 2), PNIC_AS_OK);
	rig_pass_us(&r, 10);
	CHECK_EQ(stage(&r, 1, PNIC_DIR_RX, &m), PNIC_AS_OK);
	m.head.generation = htole32(3);
	CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &m), PNIC_AS_OK);
	CHECK_EQ(pm_port_map_switch(r.end[0].port, 3), PNIC_AS_OK);
	rig_pass_us(&r, 10);
	CHECK_EQ(rig_info(&r, 1).gen_rx, 1);
	CHECK_EQ(rig_info(&r, 1).staged_rx, 2);
	CHECK_EQ(r.end[1].maps_rx, 0);
	rig_free(&r);
}

/* The marker is lost in a dark moment: said again, it brings the receiver after. */
KTAP_TEST(a_lost_marker_is_sent_again)
{
	struct rig_map m;
	struct rig r;

	rig_new(&r);
	rig_map_get(&r, 0, PNIC_DIR_TX, &m);
	rig_map_drop(&m, none_dead, 460);
	m.phys[0] = htole16(459);
	pm_fault_cut(r.end[0].port, true);
	agree_on(&r, &m);
	rig_pass_us(&r, 500);
	pm_fault_cut(r.end[0].port, false);
	rig_pass_us(&r, 500);
	CHECK_EQ(rig_info(&r, 1).gen_rx, 1);
	rig_want(&r, 0, 100);
	rig_pass_us(&r, 2000);
	CHECK_EQ(r.end[1].got, 0);
	CHECK_EQ(pm_port_map_switch(r.end[0].port, 2), PNIC_AS_OK);
	CHECK(rig_until(&r, rig_delivered, 10000));
	rig_check(&r);
	CHECK_EQ(rig_info(&r, 1).gen_rx, 2);
	CHECK_EQ(r.end[0].maps_tx, 1);
	rig_free(&r);
}

static bool receiver_fell_back(struct rig *r)
{
	return rig_info(r, 1).gen_rx == 1;
}

/* 8.6: a transmitter that was reset brings the far receiver back by its heartbeat. */
KTAP_TEST(reset_of_the_transmitter_falls_back)
{
	struct rig_map m;
	struct rig r;

	rig_new(&r);
	rig_map_get(&r, 0, PNIC_DIR_TX, &m);
	rig_map_drop(&m, none_dead, 460);
	m.head.width = htole16(400);
	agree_on(&r, &m);
	rig_want(&r, 0, 100);
	CHECK(rig_until(&r, rig_delivered, 1000));
	CHECK_EQ(rig_info(&r, 1).gen_rx, 2);
	CHECK_EQ(stage(&r, 1, PNIC_DIR_RX, (m.head.generation = htole32(3), &m)), PNIC_AS_OK);
	r.end[1].maps_rx = 0;
	pm_port_reset(r.end[0].port);
	CHECK_EQ(rig_info(&r, 0).gen_tx, 1);
	CHECK_EQ(rig_info(&r, 1).gen_rx, 2);
	CHECK(rig_until(&r, receiver_fell_back, 1000));
	rig_pass_us(&r, 10);
	CHECK_EQ(r.end[1].maps_rx, 1);
	CHECK_EQ(rig_info(&r, 1).width_rx, 425);
	CHECK_EQ(rig_info(&r, 1).staged_rx, 0);
	CHECK_EQ(r.end[1].downs, 0);
	/* Its frames get through again. */
	r.end[0].to_send = r.end[0].sent;
	rig_want(&r, 0, 100);
	CHECK(rig_until(&r, rig_delivered, 1000));
	CHECK_EQ(r.end[1].wrong, 0);
	rig_free(&r);
}

/* The other way round the far transmitter has to be asked. */
KTAP_TEST(reset_of_the_receiver_waits_to_be_asked)
{
	struct rig_map m;
	struct rig r;

	rig_new(&r);
	rig_map_get(&r, 0, PNIC_DIR_TX, &m);
	rig_map_drop(&m, none_dead, 460);
	m.phys[7] = htole16(444);
	agree_on(&r, &m);
	rig_want(&r, 0, 1000);
	CHECK(rig_until(&r, half_way, 1000));
	pm_port_reset(r.end[1].port);
	rig_pass_us(&r, 3000);
	CHECK_EQ(rig_info(&r, 1).gen_rx, 1);
	CHECK_EQ(rig_info(&r, 0).gen_tx, 2);
	CHECK(!rig_delivered(&r));
	m.head.generation = htole32(1);
	m.phys[7] = htole16(7);
	/* Always allowed, even if a lane of it is switched off. */
	CHECK_EQ(pm_port_lane_ctl(r.end[0].port, 50, false), PNIC_AS_OK);
	CHECK_EQ(stage(&r, 0, PNIC_DIR_TX, &m), PNIC_AS_OK);
	CHECK_EQ(pm_port_map_switch(r.end[0].port, 1), PNIC_AS_OK);
	CHECK(rig_until(&r, rig_delivered, 1000));
	CHECK_EQ(r.end[1].wrong, 0);
	rig_free(&r);
}

/*
 * Resets of either end at any time: they always come together again, and nothing is ever
 * delivered wrong.
 */
KTAP_TEST(maps_faults_and_resets_at_random)
{
	unsigned int seed, i, end, agreed = 0;
	struct pm_rng rng;
	struct rig r;

	for (seed = 0; seed < 6; seed++) {
		SUBTEST("seed %u", seed) {
			rig_init(&r, "mosaic-800g", seed);
			rig_open(&r);
			pm_rng_init(&rng, seed, "maps", 0);
			rig_want(&r, 0, 30000);
			for (i = 0; i < 200; i++) {
				bool dead[460] = { false };
				struct rig_map m;

				rig_map_get(&r, 0, PNIC_DIR_TX, &m);
				dead[pm_rng_below(&rng, 460)] = true;
				rig_map_drop(&m, dead, 425 + pm_rng_below(&rng, 36));
				switch (pm_rng_below(&rng, 8)) {
				case 0: case 1: case 2:
					if (stage(&r, 1, PNIC_DIR_RX, &m) == PNIC_AS_OK)
						agreed++;
					/* fall through */
				case 3:
					stage(&r, 0, PNIC_DIR_TX, &m);
					pm_port_map_switch(r.end[0].port,
							   le32toh(m.head.generation));
					break;
				case 4:
					end = pm_rng_below(&rng, 2);
					pm_port_map_abort(r.end[end].port, seed & 1,
							  le32toh(m.head.generation));
					break;
				case 5:
					pm_fault_kill(r.end[1].port, pm_rng_below(&rng, 460));
					break;
				case 6:
					pm_fault_patch(r.end[1].port, 10, 10, 40, 0);
					break;
				case 7:
					if (!pm_rng_below(&rng, 4))
						pm_port_reset(r.end[1].port);
					break;
				}
				rig_pass_us(&r, pm_rng_below(&rng, 40));
			}
			pm_fault_patch(r.end[1].port, 10, 10, 40, 0);
			CHECK(r.end[1].got <= r.end[0].sent);
			/* Falling back ends any disagreement. */
			for (end = 0; end < 2; end++) {
				struct rig_map m = { { 0 }, { 0 } };

				m.head.generation = htole32(1);
				m.head.width = htole16(425);
				for (i = 0; i < 425; i++)
					m.phys[i] = htole16((uint16_t)i);
				CHECK_EQ(stage(&r, (int)end, PNIC_DIR_TX, &m), PNIC_AS_OK);
				CHECK_EQ(pm_port_map_switch(r.end[end].port, 1), PNIC_AS_OK);
			}
			CHECK(rig_until(&r, rig_delivered, 10000));
			CHECK_EQ(r.end[1].wrong, 0);
			CHECK_EQ(r.end[1].got, 30000);
			rig_free(&r);
		}
	}
	CHECK_GE(agreed, 10);
}

/* A flood of commands while the clock stands still is refused at some point, and does no harm. */
KTAP_TEST(a_flood_of_commands)
{
	unsigned int i, busy = 0;
	struct rig r;

	rig_new(&r);
	rig_want(&r, 0, 1000);
	for (i = 0; i < 5000; i++) {
		busy += pm_port_map_switch(r.end[0].port, 1) == PNIC_AS_BUSY;
		pm_port_lane_ctl(r.end[0].port, (uint16_t)(i % 460), i / 460 % 2);
	}
	CHECK_GT(busy, 0);
	for (i = 0; i < 20; i++) {
		pm_port_reset(r.end[0].port);
		pm_port_reset(r.end[1].port);
	}
	r.end[0].to_send = r.end[0].sent;
	r.end[1].next = r.end[0].sent;
	r.end[1].got = 0;
	rig_pass_us(&r, 1000);
	rig_want(&r, 0, 1000);
	for (i = 0; i < 100 && r.end[1].got < 1000; i++)
		rig_pass_us(&r, 1000);
	CHECK_EQ(r.end[1].got, 1000);
	CHECK_EQ(r.end[1].wrong, 0);
	CHECK_GE(rig_info(&r, 1).margin, 7);
	rig_free(&r);
}

KTAP_MAIN()
