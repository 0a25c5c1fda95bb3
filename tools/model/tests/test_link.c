// SPDX-License-Identifier: GPL-2.0
/* Frames over a wide link: delivery, efficiency, queue, up and down, management, tables. */
#include <errno.h>
#include <math.h>

#include "link_rig.h"
#include "tools/model/core/crc32c.h"

KTAP_TEST(frames_arrive_once_and_in_order)
{
	struct rig r;

	rig_new(&r);
	rig_want(&r, 0, 20000);
	rig_want(&r, 1, 10000);
	CHECK(rig_until(&r, rig_delivered, 10000));
	rig_check(&r);
	CHECK_EQ(rig_counters(&r, 0).frames_replayed, 0);
	CHECK_EQ(rig_counters(&r, 1).frames_replayed, 0);
	CHECK_EQ(r.end[0].gathered, 0);
	rig_free(&r);
}

/* Payload over line bits: what FEC, coding and framing leave, 4096/4148 * 256/257 * 514/544. */
KTAP_TEST(efficiency_of_full_frames)
{
	double efficiency;
	uint64_t start;
	struct rig r;

	rig_init(&r, "mosaic-800g", 1);
	rig_open(&r);
	rig_want(&r, 0, 256);			/* 1 MiB */
	CHECK(rig_until(&r, rig_delivered, 10000));
	efficiency = rig_counters(&r, 0).payload_tx * 8.0 / rig_counters(&r, 0).line_bits_tx;
	CHECK(efficiency >= 0.90);
	CHECK(fabs(efficiency - 4096 / 4148.0 * 256 / 257 * 514 / 544) < 0.001);

	/* And the clock agrees: 850 Gb/s of line. */
	start = pm_sim_now(r.sim);
	rig_want(&r, 0, 100000);
	CHECK(rig_until(&r, rig_delivered, 20000));
	CHECK(fabs(100000 * 4096 * 8.0 / (pm_sim_now(r.sim) - start) / 850 - efficiency) < 0.005);
	rig_free(&r);
}

/* Link time of one frame alone: serialisation, flight, decoder. */
KTAP_TEST(latency)
{
	uint64_t sleep_ns, start;
	struct rig r;

	rig_new(&r);
	r.end[0].payload = 64;
	start = pm_sim_now(r.sim);
	rig_want(&r, 0, 1);
	while (!r.end[1].got)
		pm_sim_run(r.sim, 1, &sleep_ns);
	CHECK_GE(pm_sim_now(r.sim) - start, 100 + 62 + 1);
	CHECK_LE(pm_sim_now(r.sim) - start, 100 + 62 + 3);
	rig_free(&r);
}

static bool half_way(struct rig *r)
{
	return r->end[1].got >= r->end[0].to_send / 2;
}

KTAP_TEST(a_busy_link_moves_the_clock_by_its_rate_only)
{
	struct rig r;

	rig_new(&r);
	rig_want(&r, 0, 50000);
	CHECK(rig_until(&r, half_way, 10000));
	CHECK(fabs(pm_sim_now(r.sim) - 25000 * 41.48) < 2000);
	rig_free(&r);
}

KTAP_TEST(queue_is_bounded)
{
	struct pm_frame *f;
	unsigned int n = 0;
	struct rig r;

	rig_new(&r);
	for (;;) {
		f = pm_frame_new();
		if (!pm_port_send(r.end[0].port, f))
			break;
		n++;
		REQUIRE(n < 2000);
	}
	pm_frame_free(f);
	CHECK_GE(n, 256);
	CHECK_LE(n, 1024);
	rig_free(&r);
}

KTAP_TEST(tiny_frames)
{
	struct rig r;

	rig_new(&r);
	r.end[0].payload = 0;
	r.end[1].payload = 1;
	rig_want(&r, 0, 30000);
	rig_want(&r, 1, 30000);
	CHECK(rig_until(&r, rig_delivered, 10000));
	rig_check(&r);
	CHECK_EQ(rig_counters(&r, 0).frames_replayed, 0);
	rig_free(&r);
}

KTAP_TEST(other_profiles)
{
	static const char * const names[] = { "avicena-512g", "test-16" };
	static const unsigned int rate[] = { 512000, 23907 };
	struct rig r;
	int i;

	for (i = 0; i < 2; i++) {
		SUBTEST("%s", names[i]) {
			rig_init(&r, names[i], 3);
			rig_open(&r);
			CHECK_EQ(rig_info(&r, 0).rate_tx_mbps, rate[i]);
			rig_want(&r, 0, 5000);
			rig_want(&r, 1, 5000);
			CHECK(rig_until(&r, rig_delivered, 10000));
			rig_check(&r);
			rig_free(&r);
		}
	}
}

KTAP_TEST(nonsense_is_refused)
{
	struct pm_sim *sim = pm_sim_new(1, 0);
	struct pm_link_config c, good;

	pm_link_config_defaults(&c, "no-such-cable");
	CHECK(!pm_link_new(sim, &c, 0));
	pm_link_config_defaults(&good, "mosaic-800g");
#define REFUSED(field, value) do {			\
		c = good;				\
		c.field = value;			\
		CHECK(!pm_link_new(sim, &c, 0));	\
	} while (0)
	REFUSED(lanes_data, 0);
	REFUSED(lanes_data, 5000);
	REFUSED(grid_x, 19);
	REFUSED(grid_y, 0);
	REFUSED(fec_k, 544);
	REFUSED(fec_k, 0);
	REFUSED(fec_n, 1024);
	REFUSED(fec_symbol_bits, 0);
	REFUSED(lane_gbps, 0);
	REFUSED(lane_gbps, NAN);
	REFUSED(ber_median, 0);
	REFUSED(ber_median, 0.5);
	REFUSED(reach_m, -1);
	REFUSED(striping, 2);
	REFUSED(heartbeat_us, 0);
	REFUSED(frame_payload, 0);
	pm_sim_free(sim);
}

/* Same seed, same everything; another seed, other errors. */
static struct pnic_counters run_seeded(uint64_t seed)
{
	struct pnic_counters c;
	struct rig r;

	rig_init(&r, "mosaic-800g", seed);
	rig_open(&r);
	pm_fault_degrade(r.end[1].port, 3, 4.5);
	pm_fault_degrade(r.end[1].port, 77, 5);
	pm_fault_common(r.end[1].port, 1.5);
	rig_want(&r, 0, 20000);
	CHECK(rig_until(&r, rig_delivered, 10000));
	c = rig_counters(&r, 1);
	rig_free(&r);
	return c;
}

KTAP_TEST(a_seed_repeats_a_run)
{
	struct pnic_counters a = run_seeded(5), b = run_seeded(5), c = run_seeded(6);

	CHECK_GT(a.symbols_corrected, 1000);
	CHECK_EQ(a.symbols_corrected, b.symbols_corrected);
	CHECK(!memcmp(a.hist, b.hist, sizeof(a.hist)));
	CHECK(memcmp(a.hist, c.hist, sizeof(a.hist)));
	CHECK_EQ(a.frames_rx, 20000);
}

KTAP_TEST(link_info)
{
	struct pnic_link_info i;
	struct rig r;

	rig_new(&r);
	i = rig_info(&r, 0);
	CHECK_EQ(i.state, PNIC_LINK_UP);
	CHECK_EQ(i.margin, 7);
	CHECK_EQ(i.margin_erasure, 14);	/* one random error is to be expected */
	CHECK_EQ(i.margin_min, 7);
	CHECK_EQ(i.width_rx, 425);
	CHECK_EQ(i.width_tx, 425);
	CHECK_EQ(i.gen_rx, 1);
	CHECK_EQ(i.gen_tx, 1);
	CHECK_EQ(i.staged_rx, 0);
	CHECK_EQ(i.rate_tx_mbps, 800000);
	CHECK_EQ(i.rate_rx_mbps, 800000);
	rig_free(&r);
}

static bool end1_down(struct rig *r)
{
	return r->end[1].downs;
}

static bool both_up(struct rig *r)
{
	return pm_port_state(r->end[0].port) == PNIC_LINK_UP &&
	       pm_port_state(r->end[1].port) == PNIC_LINK_UP;
}

KTAP_TEST(switched_off_at_one_end)
{
	struct rig r;

	rig_new(&r);
	rig_want(&r, 0, 1000);
	CHECK(rig_until(&r, half_way, 1000));
	pm_port_link_set(r.end[0].port, false);
	CHECK_EQ(pm_port_state(r.end[0].port), PNIC_LINK_DISABLED);
	CHECK(rig_until(&r, end1_down, 1000));
	CHECK_EQ(pm_port_state(r.end[1].port), PNIC_LINK_DOWN);
	CHECK_EQ(rig_counters(&r, 1).link_downs, 1);
	/* The light stays, and with it the lanes and management. */
	rig_pass_us(&r, 1000);
	CHECK_EQ(r.end[1].los, 0);
	CHECK_EQ(pm_port_mgmt_send(r.end[0].port, "x", 1), PNIC_AS_OK);
	CHECK(!rig_delivered(&r));
	pm_port_link_set(r.end[0].port, true);
	CHECK(rig_until(&r, both_up, 1000));
	CHECK(rig_until(&r, rig_delivered, 1000));
	rig_check(&r);
	CHECK_EQ(r.end[1].mgmt, 1);
	rig_free(&r);
}

/* An idle link asks for no processor time at all. */
KTAP_TEST(an_idle_link_sleeps)
{
	uint64_t sleep_ns;
	struct rig r;

	rig_new(&r);
	rig_want(&r, 0, 100);
	CHECK(rig_until(&r, rig_delivered, 1000));
	rig_pass_us(&r, 5000);
	CHECK(!pm_sim_run(r.sim, 100, &sleep_ns));
	/* One look at the age of frames, all of them gone by then, is still to come. */
	CHECK_GT(sleep_ns, 1000000000);
	rig_free(&r);
}

KTAP_TEST(management_messages)
{
	uint8_t buf[PM_MGMT_MAX];
	uint64_t start, sleep_ns;
	struct rig r;
	unsigned int i;

	rig_new(&r);
	CHECK_EQ(pm_port_mgmt_send(r.end[0].port, buf, 0), PNIC_AS_INVALID_FIELD);
	CHECK_EQ(pm_port_mgmt_send(r.end[0].port, buf, PM_MGMT_MAX + 1), PNIC_AS_INVALID_FIELD);
	CHECK_EQ(pm_port_mgmt_recv(r.end[1].port, buf, sizeof(buf)), 0);

	/* 125 bytes at 1/64 of 2 Gb/s are 32 us. */
	start = pm_sim_now(r.sim);
	memset(buf, 0x5a, sizeof(buf));
	CHECK_EQ(pm_port_mgmt_send(r.end[0].port, buf, 125), PNIC_AS_OK);
	while (!r.end[1].mgmt)
		pm_sim_run(r.sim, 1, &sleep_ns);
	CHECK_GE(pm_sim_now(r.sim) - start, 32000 + 100);
	CHECK_LE(pm_sim_now(r.sim) - start, 32000 + 300);
	memset(buf, 0, sizeof(buf));
	CHECK_EQ(pm_port_mgmt_recv(r.end[1].port, buf, 124), 125);
	CHECK_EQ(buf[0], 0);
	CHECK_EQ(pm_port_mgmt_recv(r.end[1].port, buf, 125), 125);
	CHECK_EQ(buf[124], 0x5a);
	CHECK_EQ(pm_port_mgmt_recv(r.end[1].port, buf, 125), 0);

	/* The queue holds 16; what comes then is lost and counted. */
	for (i = 0; i < 20; i++) {
		buf[0] = (uint8_t)i;
		CHECK_EQ(pm_port_mgmt_send(r.end[0].port, buf, 1 + i), PNIC_AS_OK);
	}
	rig_pass_us(&r, 2000);
	CHECK_EQ(rig_counters(&r, 1).mgmt_rx, 17);
	CHECK_EQ(rig_counters(&r, 1).mgmt_lost, 4);
	CHECK_EQ(rig_counters(&r, 0).mgmt_tx, 21);
	for (i = 0; i < 16; i++) {
		CHECK_EQ(pm_port_mgmt_recv(r.end[1].port, buf, sizeof(buf)), 1 + i);
		CHECK_EQ(buf[0], i);
	}
	CHECK_EQ(pm_port_mgmt_recv(r.end[1].port, buf, sizeof(buf)), 0);
	/* Nor is the sender's end bottomless. */
	for (i = 0; i < 1000; i++)
		if (pm_port_mgmt_send(r.end[0].port, buf, sizeof(buf)) != PNIC_AS_OK)
			break;
	CHECK_LT(i, 1000);
	rig_free(&r);
}

KTAP_TEST(one_lane_is_enough_for_management)
{
	unsigned int lane;
	struct rig r;

	rig_new(&r);
	for (lane = 0; lane < 460; lane++)
		if (lane != 450)
			CHECK_EQ(pm_fault_kill(r.end[1].port, lane), 0);
	CHECK_EQ(pm_port_mgmt_send(r.end[0].port, "hello", 5), PNIC_AS_OK);
	rig_pass_us(&r, 500);
	CHECK_EQ(r.end[1].mgmt, 1);
	CHECK_EQ(pm_port_state(r.end[1].port), PNIC_LINK_UP);
	pm_fault_kill(r.end[1].port, 450);
	CHECK_EQ(pm_port_mgmt_send(r.end[0].port, "hello", 5), PNIC_AS_LINK_DOWN);
	CHECK(rig_until(&r, end1_down, 1000));
	rig_free(&r);
}

static struct {
	struct pnic_lane_table head;
	struct pnic_lane_rec rec[460];
} table;

KTAP_TEST(lane_table)
{
	uint32_t seq;
	struct rig r;
	unsigned int i;

	rig_init(&r, "mosaic-800g", 1);
	rig_open(&r);
	CHECK_EQ(pm_port_lane_table(r.end[1].port, PNIC_DIR_RX, &table, sizeof(table) - 1), 0);
	CHECK_EQ(pm_port_lane_table(r.end[1].port, 2, &table, sizeof(table)), 0);
	pm_fault_kill(r.end[1].port, 7);
	pm_fault_degrade(r.end[1].port, 8, 2.5);
	CHECK_EQ(pm_port_lane_ctl(r.end[0].port, 440, false), PNIC_AS_OK);
	CHECK_EQ(pm_port_lane_ctl(r.end[0].port, 460, false), PNIC_AS_INVALID_FIELD);
	rig_want(&r, 0, 1000000);
	CHECK(rig_until(&r, half_way, 20000));
	CHECK_EQ(pm_port_lane_table(r.end[1].port, PNIC_DIR_RX, &table, sizeof(table)),
		 sizeof(table));
	seq = table.head.seq_begin;
	CHECK_EQ(seq & 1, 0);
	CHECK_EQ(table.head.seq_end, seq);
	CHECK_EQ(table.head.count, 460);
	CHECK_EQ(table.head.rec_size, 32);
	CHECK_EQ(table.head.generation, 1);
	for (i = 0; i < 460; i++) {
		const struct pnic_lane_rec *l = &table.rec[i];

		CHECK_EQ(l->lane, i);
		CHECK_EQ(l->x, i % 20);
		CHECK_EQ(l->y, i / 20);
		CHECK_EQ(l->logical, i < 425 ? i : PNIC_LANE_NONE);
		CHECK_GT(l->bias_ua10, i == 440 ? -1 : 4);
		if (i != 7 && i != 440) {
			CHECK_EQ(l->state, i < 425 ? PNIC_LANE_ACTIVE : PNIC_LANE_IDLE);
			CHECK_EQ(l->flags & PNIC_LANEF_ERASED, 0);
			/* 20.7 ms of 2 Gb/s, whether it carries frames or not */
			CHECK_GE(l->mbits, 39);
			CHECK_LE(l->mbits, 41);
		}
	}
	CHECK_EQ(table.rec[7].state, PNIC_LANE_LOS);
	CHECK_EQ(table.rec[7].flags & PNIC_LANEF_ERASED, PNIC_LANEF_ERASED);
	CHECK_LE((int16_t)table.rec[7].power_cdb, -3000);
	CHECK_EQ(table.rec[440].state, PNIC_LANE_OFF);
	CHECK_EQ(table.rec[440].bias_ua10, 0);
	CHECK_EQ(table.rec[8].flags & PNIC_LANEF_SER, PNIC_LANEF_SER);
	CHECK_LE((int16_t)table.rec[8].power_cdb, -100);
	CHECK_GE(r.end[1].ser, 1);
	CHECK_EQ(pm_port_lane_table(r.end[1].port, PNIC_DIR_RX, &table, sizeof(table)),
		 sizeof(table));
	CHECK_GT(table.head.seq_begin, seq);
	/* The transmitter's side of the other end */
	CHECK_EQ(pm_port_lane_table(r.end[0].port, PNIC_DIR_TX, &table, sizeof(table)),
		 sizeof(table));
	CHECK_EQ(table.rec[440].state, PNIC_LANE_OFF);
	CHECK_EQ(table.rec[7].state, PNIC_LANE_ACTIVE);
	CHECK_EQ(table.rec[459].state, PNIC_LANE_IDLE);
	rig_free(&r);
}

/* What the table counts for a lane fits the lane's true BER, in a map and as a spare. */
KTAP_TEST(lane_errors_fit_the_light)
{
	struct pm_lane_truth t;
	double expect, bits;
	unsigned int i, used = 0;
	struct rig r;

	rig_init(&r, "mosaic-800g", 11);
	rig_open(&r);
	for (i = 0; i < 460; i += 10)
		pm_fault_degrade(r.end[1].port, i, 1 + i / 200.0);
	rig_want(&r, 0, 200000);
	CHECK(rig_until(&r, rig_delivered, 20000));
	rig_pass_us(&r, 2000);
	pm_port_lane_table(r.end[1].port, PNIC_DIR_RX, &table, sizeof(table));
	bits = (double)pm_sim_now(r.sim) * 2;
	for (i = 0; i < 460; i++) {
		CHECK_EQ(pm_lane_truth(r.end[1].port, i, &t), 0);
		expect = bits / 10 * -expm1(10 * log1p(-t.ber));
		CHECK(fabs((double)table.rec[i].sym_errors - expect) < 6 * sqrt(expect) + 6);
		used += expect > 100;
	}
	CHECK_GE(used, 20);
	CHECK_EQ(pm_lane_truth(r.end[1].port, 460, &t), -EINVAL);
	rig_free(&r);
}

#ifndef __SANITIZE_ADDRESS__
/* Each allocation in turn fails. */
static unsigned int fail_at, allocations;
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_malloc(size_t size);
extern void *__libc_realloc(void *p, size_t size);

static bool fails(void)
{
	return fail_at && ++allocations == fail_at;
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *realloc(void *p, size_t size)
{
	return fails() ? NULL : __libc_realloc(p, size);
}

static void use_what_allocates(struct rig *r)
{
	struct { struct pnic_map head; __le16 phys; } m = {
		{ .generation = htole32(2), .width = htole16(1) }, 0
	};
	struct pm_port *p = pm_link_port(r->link, 0);
	uint64_t sleep_ns, why;

	pm_port_map_stage(p, PNIC_DIR_TX, &m, sizeof(m), &why);
	pm_port_map_switch(p, 2);
	pm_port_mgmt_send(p, "x", 1);
	pm_frame_free(pm_frame_new());
	pm_fault_cut(p, true);
	pm_sim_run(r->sim, 1000, &sleep_ns);
}

KTAP_TEST(every_allocation_may_fail)
{
	bool struck = true;
	unsigned int n;
	struct rig r;

	for (n = 1; struck && n < 1000; n++) {
		rig_init(&r, "mosaic-800g", 1);
		r.sim = pm_sim_new(1, 0);
		allocations = 0;
		fail_at = n;
		r.link = pm_link_new(r.sim, &r.config, 0);
		if (r.link)
			use_what_allocates(&r);
		struck = allocations >= n;
		fail_at = 0;
		if (!r.link)	/* nothing of it is left in the clock */
			CHECK_EQ(pm_sim_run(r.sim, 10, &(uint64_t){ 0 }), false);
		rig_free(&r);
		if (!allocations)
			SKIP("somebody else's malloc()");
	}
	CHECK_GE(n, 25);
	CHECK_LT(n, 1000);
}
#endif

KTAP_TEST(crc32c)
{
	uint8_t buf[300];
	unsigned int i;

	/* The check value of CRC-32/ISCSI */
	CHECK_EQ(pm_crc32c("123456789", 9), 0xe3069283);
	CHECK_EQ(pm_crc32c_table("123456789", 9), 0xe3069283);
	for (i = 0; i < sizeof(buf); i++) {
		buf[i] = (uint8_t)(i * 7);
		CHECK_EQ(pm_crc32c(buf, i), pm_crc32c_table(buf, i));
	}
}

KTAP_MAIN()
