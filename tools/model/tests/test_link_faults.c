// SPDX-License-Identifier: GPL-2.0
/*
 * A link that is being broken: dead lanes within and beyond what FEC corrects, lost and
 * damaged frames, cuts, data age, resets. Whatever happens, a frame arrives once, in order
 * and intact, or is flushed.
 */
#include <errno.h>
#include <math.h>

#include "link_rig.h"

static bool a_tenth(struct rig *r)
{
	return r->end[1].got >= r->end[0].to_send / 10;
}

static void kill_lanes(struct rig *r, unsigned int lanes)
{
	unsigned int i;

	for (i = 0; i < lanes; i++)
		CHECK_EQ(pm_fault_kill(r->end[1].port, 5 + i * 420 / lanes), 0);
}

static uint64_t want_los;

static bool los_reported(struct rig *r)
{
	return r->end[1].los == want_los;
}

KTAP_TEST(seven_dead_lanes_cost_nothing)
{
	struct pnic_counters c;
	struct rig r;

	rig_new(&r);
	rig_want(&r, 0, 50000);
	CHECK(rig_until(&r, a_tenth, 10000));
	kill_lanes(&r, 7);
	CHECK(rig_until(&r, rig_delivered, 20000));
	rig_check(&r);
	c = rig_counters(&r, 1);
	CHECK_EQ(rig_counters(&r, 0).frames_replayed, 0);
	CHECK_EQ(c.codewords_uncorrectable, 0);
	CHECK_EQ(c.frames_crc_bad, 0);
	CHECK_GT(c.codewords_corrected, 10000);
	CHECK_EQ(r.end[1].los, 7);
	CHECK_EQ(r.end[1].downs, 0);
	/* 7 erased symbols, or more where they fall twice, and one random error. */
	CHECK_LE(rig_info(&r, 1).margin, 5);
	CHECK_GE(rig_info(&r, 1).margin, 4);
	rig_free(&r);
}

/* Loss is known 100 us later and not sooner; meanwhile seven lanes' errors are corrected. */
KTAP_TEST(loss_is_detected_in_time)
{
	uint64_t at;
	struct rig r;

	rig_new(&r);
	rig_want(&r, 0, 20000);
	CHECK(rig_until(&r, a_tenth, 10000));
	at = pm_sim_now(r.sim);
	CHECK_EQ(pm_fault_kill(r.end[1].port, 17), 0);
	want_los = 1;
	CHECK(rig_until(&r, los_reported, 10000));
	CHECK_EQ(r.end[1].last_lane.lane, 17);
	CHECK_EQ(r.end[1].last_lane.data[0], at);
	CHECK_EQ(r.end[1].last_lane.clock_ns, at + 100000);
	/* A flicker shorter than that is no loss. */
	CHECK_EQ(pm_fault_kill(r.end[1].port, 18), 0);
	rig_pass_us(&r, 50);
	CHECK_EQ(pm_fault_heal(r.end[1].port, 18), 0);
	CHECK_EQ(pm_fault_heal(r.end[1].port, 17), 0);
	rig_pass_us(&r, 300);
	CHECK_EQ(r.end[1].los, 1);
	CHECK_EQ(r.end[1].back, 1);
	/* Only the loss has something to say besides. */
	CHECK_EQ(r.end[1].last_lane.data[0], 0);
	CHECK(rig_until(&r, rig_delivered, 20000));
	rig_check(&r);
	rig_free(&r);
}

/*
 * 8..15 lanes at once: frames are damaged until the lanes are marked as erased, then it is
 * clean again.
 */
KTAP_TEST(up_to_fifteen_dead_lanes_heal_by_erasure)
{
	struct pnic_counters before, after;
	unsigned int lanes;
	struct rig r;

	for (lanes = 8; lanes <= 15; lanes++) {
		SUBTEST("%u lanes", lanes) {
			rig_new(&r);
			rig_want(&r, 0, 60000);
			CHECK(rig_until(&r, a_tenth, 10000));
			kill_lanes(&r, lanes);
			want_los = lanes;
			CHECK(rig_until(&r, los_reported, 10000));
			before = rig_counters(&r, 1);
			CHECK(rig_until(&r, rig_delivered, 20000));
			after = rig_counters(&r, 1);
			rig_check(&r);
			if (lanes >= 12) {
				CHECK_GT(before.codewords_uncorrectable, 0);
				CHECK_GT(before.frames_crc_bad, 0);
				CHECK_GT(rig_counters(&r, 0).frames_replayed, 0);
				CHECK_GT(r.end[0].gathered, 0);
			}
			CHECK_EQ(after.codewords_uncorrectable, before.codewords_uncorrectable);
			CHECK_LE(after.frames_crc_bad - before.frames_crc_bad, 1);
			CHECK_EQ(r.end[1].downs, 0);
			rig_free(&r);
		}
	}
}

/*
 * 40 lanes: nothing gets through, marked or not; the link is up, and waits without running
 * its clock away.
 */
KTAP_TEST(forty_dead_lanes_stall)
{
	uint64_t got, real, clock, replayed;
	struct rig r;
	unsigned int i;

	rig_new(&r);
	rig_want(&r, 0, 2000);
	CHECK(rig_until(&r, a_tenth, 10000));
	kill_lanes(&r, 40);
	want_los = 40;
	CHECK(rig_until(&r, los_reported, 10000));
	got = r.end[1].got;
	real = rig_real_ns();
	clock = pm_sim_now(r.sim);
	replayed = rig_counters(&r, 0).frames_replayed;
	CHECK(!rig_until(&r, rig_delivered, 50));
	CHECK_EQ(r.end[1].got, got);
	CHECK_EQ(pm_port_state(r.end[1].port), PNIC_LINK_UP);
	CHECK_LE(pm_sim_now(r.sim) - clock, (rig_real_ns() - real) * 11 / 10 + 100000);
	/* A probe each millisecond. */
	replayed = rig_counters(&r, 0).frames_replayed - replayed;
	CHECK_LE(replayed, (rig_real_ns() - real) / 1000000 + 20);
	CHECK_EQ(rig_info(&r, 1).margin, 0);
	for (i = 0; i < 40; i++)
		CHECK_EQ(pm_fault_heal(r.end[1].port, 5 + i * 420 / 40), 0);
	CHECK(rig_until(&r, rig_delivered, 1000));
	rig_check(&r);
	CHECK_EQ(r.end[1].back, 40);
	rig_free(&r);
}

KTAP_TEST(dropped_and_corrupted_frames_come_again)
{
	struct pnic_counters c;
	unsigned int i;
	struct rig r;

	rig_new(&r);
	rig_want(&r, 0, 20000);
	rig_want(&r, 1, 20000);
	for (i = 0; i < 50; i++) {
		rig_pass_us(&r, 10);
		CHECK_EQ(pm_fault_drop(r.end[i & 1].port, 1 + i % 3), 0);
		rig_pass_us(&r, 4);
		CHECK_EQ(pm_fault_corrupt(r.end[i & 1].port, 1 + i % 2), 0);
	}
	CHECK(rig_until(&r, rig_delivered, 10000));
	rig_check(&r);
	for (i = 0; i < 2; i++) {
		c = rig_counters(&r, i);
		CHECK_GE(c.frames_crc_bad, 10);
		CHECK_GE(c.frames_dropped, 10);
		CHECK_GE(c.frames_replayed, 25);
		CHECK_EQ(c.codewords_uncorrectable, 0);
	}
	rig_free(&r);
}

/* The last frame lost: nothing follows that would show it, so the replay timer has to. */
KTAP_TEST(the_last_frame_is_not_forgotten)
{
	struct rig r;

	rig_new(&r);
	rig_want(&r, 0, 10);
	CHECK(rig_until(&r, rig_delivered, 1000));
	pm_fault_drop(r.end[1].port, 3);
	rig_want(&r, 0, 1);
	CHECK(rig_until(&r, rig_delivered, 1000));
	rig_check(&r);
	CHECK_EQ(rig_counters(&r, 0).frames_replayed, 3);
	rig_free(&r);
}

/* Replays cost line bits: efficiency tells of them. */
KTAP_TEST(replays_cost_efficiency)
{
	double clean, lossy;
	struct pnic_counters c;
	struct rig r;
	int i;

	rig_new(&r);
	rig_want(&r, 0, 10000);
	CHECK(rig_until(&r, rig_delivered, 10000));
	c = rig_counters(&r, 0);
	clean = c.payload_tx * 8.0 / c.line_bits_tx;
	rig_free(&r);

	rig_new(&r);
	rig_want(&r, 0, 10000);
	for (i = 0; i < 50; i++) {
		pm_fault_drop(r.end[1].port, 1);
		rig_pass_us(&r, 5);
	}
	CHECK(rig_until(&r, rig_delivered, 10000));
	c = rig_counters(&r, 0);
	lossy = c.payload_tx * 8.0 / c.line_bits_tx;
	CHECK_GE(c.frames_replayed, 50);
	/* At least the line time of what was sent twice. */
	CHECK(lossy < clean * 10000.0 / (10000.0 + c.frames_replayed) * 1.001);
	rig_free(&r);
}

/* So does waiting for the replay timer, when there is something to be replayed. */
KTAP_TEST(waiting_costs_efficiency)
{
	uint64_t clean;
	struct rig r;

	rig_new(&r);
	rig_want(&r, 0, 1);
	CHECK(rig_until(&r, rig_delivered, 1000));
	clean = rig_counters(&r, 0).line_bits_tx;
	CHECK_GE(clean, 4096 * 8);
	CHECK_LE(clean, 4096 * 8 * 1.08);
	pm_fault_drop(r.end[1].port, 1);
	rig_want(&r, 0, 1);
	CHECK(rig_until(&r, rig_delivered, 1000));
	/* Three loops of 324 ns and 500 ns */
	CHECK_GE(rig_counters(&r, 0).line_bits_tx, 3 * clean + 1450 * 850);
	CHECK_LE(rig_counters(&r, 0).line_bits_tx, 3 * clean + 1600 * 850);
	rig_free(&r);
}

static bool end0_down(struct rig *r)
{
	return pm_port_state(r->end[0].port) == PNIC_LINK_DOWN;
}

static bool both_up(struct rig *r)
{
	return pm_port_state(r->end[0].port) == PNIC_LINK_UP &&
	       pm_port_state(r->end[1].port) == PNIC_LINK_UP;
}

KTAP_TEST(a_short_cut_is_healed)
{
	struct rig r;
	uint64_t at;

	rig_new(&r);
	rig_want(&r, 0, 20000);
	rig_want(&r, 1, 20000);
	CHECK(rig_until(&r, a_tenth, 10000));
	at = pm_sim_now(r.sim);
	CHECK_EQ(pm_fault_cut(r.end[0].port, true), 0);
	CHECK_EQ(pm_port_mgmt_send(r.end[0].port, "x", 1), PNIC_AS_LINK_DOWN);
	CHECK(rig_until(&r, end0_down, 1000));
	CHECK_GE(pm_sim_now(r.sim) - at, 100000);
	CHECK_LE(pm_sim_now(r.sim) - at, 101000 + 5000000);
	rig_pass_us(&r, 3000);
	CHECK_EQ(r.end[0].los, 460);
	CHECK_EQ(r.end[1].los, 460);
	CHECK_EQ(pm_fault_cut(r.end[0].port, false), 0);
	CHECK(rig_until(&r, both_up, 1000));
	CHECK(rig_until(&r, rig_delivered, 10000));
	rig_check(&r);
	CHECK_EQ(rig_counters(&r, 0).link_downs, 1);
	CHECK_EQ(rig_counters(&r, 1).link_downs, 1);
	CHECK_EQ(r.end[1].ups, 1);
	rig_free(&r);
}

/* Light fails in one direction only: the other end is told, and both are down. */
KTAP_TEST(one_dark_direction_is_down_at_both_ends)
{
	struct rig r;

	rig_new(&r);
	rig_want(&r, 0, 1000);
	CHECK_EQ(pm_fault_patch(r.end[1].port, 10, 11, 100, 100), 0);
	CHECK(rig_until(&r, end0_down, 1000));
	CHECK_EQ(pm_port_state(r.end[1].port), PNIC_LINK_DOWN);
	CHECK_EQ(r.end[0].los, 0);
	CHECK_EQ(r.end[1].los, 460);
	/* Management from the seeing end is of no use, the other way it works. */
	CHECK_EQ(pm_port_mgmt_send(r.end[0].port, "x", 1), PNIC_AS_LINK_DOWN);
	CHECK_EQ(pm_port_mgmt_send(r.end[1].port, "x", 1), PNIC_AS_OK);
	CHECK_EQ(pm_fault_patch(r.end[1].port, 10, 11, 100, 0), 0);
	CHECK(rig_until(&r, both_up, 1000));
	CHECK(rig_until(&r, rig_delivered, 1000));
	rig_check(&r);
	rig_free(&r);
}

static bool all_accounted(struct rig *r)
{
	return r->end[1].got + r->end[0].flushed == r->end[0].to_send;
}

KTAP_TEST(past_the_data_age_frames_are_flushed)
{
	uint64_t got, real;
	struct rig r;

	rig_init(&r, "mosaic-800g", 1);
	r.config.data_age_ms = 40;
	rig_open(&r);
	rig_want(&r, 0, 2000);
	CHECK(rig_until(&r, a_tenth, 10000));
	CHECK_EQ(pm_fault_cut(r.end[0].port, true), 0);
	real = rig_real_ns();
	got = r.end[1].got;
	CHECK(rig_until(&r, all_accounted, 5000));
	/* The queue, then what was waiting for room in it, an age each. */
	CHECK_GE(rig_real_ns() - real, 40000000);
	CHECK_EQ(r.end[1].got, got);
	CHECK_GE(r.end[0].flushed, 1000);
	CHECK_EQ(r.end[0].wrong + r.end[1].wrong, 0);
	/* Afterwards the stream goes on, without what was given up. */
	CHECK_EQ(pm_fault_cut(r.end[0].port, false), 0);
	CHECK(rig_until(&r, both_up, 1000));
	r.end[1].next = r.end[0].sent;
	rig_want(&r, 0, 1000);
	CHECK(rig_until(&r, all_accounted, 5000));
	CHECK_EQ(r.end[1].got, got + 1000);
	CHECK_EQ(r.end[1].wrong, 0);
	rig_free(&r);
}

static bool last_came(struct rig *r)
{
	return r->end[1].next == r->end[0].sent && r->end[0].next == r->end[1].sent;
}

/*
 * A transmitter that is reset: its frames are gone, without a word; the receiver takes the
 * next ones.
 */
KTAP_TEST(reset_of_the_sender)
{
	uint64_t got, sent;
	struct rig r;

	rig_new(&r);
	rig_want(&r, 0, 5000);
	rig_want(&r, 1, 5000);
	CHECK(rig_until(&r, a_tenth, 10000));
	got = r.end[1].got;
	r.end[0].to_send = r.end[0].sent;
	sent = r.end[0].sent;
	pm_port_reset(r.end[0].port);
	CHECK_EQ(rig_counters(&r, 0).frames_tx, 0);
	CHECK_EQ(rig_counters(&r, 0).codewords_rx, 0);
	rig_pass_us(&r, 1000);
	CHECK_EQ(r.end[1].got, got);
	CHECK_EQ(r.end[0].flushed, 0);
	CHECK_EQ(r.end[0].downs + r.end[1].downs, 0);
	r.end[1].next = sent;
	rig_want(&r, 0, 1000);
	/* What the other end sends is delivered on, once each. */
	CHECK(rig_until(&r, last_came, 5000));
	CHECK_EQ(r.end[1].got, got + 1000);
	CHECK_EQ(r.end[0].got, 5000);
	CHECK_EQ(r.end[0].wrong + r.end[1].wrong, 0);
	rig_free(&r);
}

/* A patch is a circle on the grid. */
KTAP_TEST(a_patch_meets_neighbours)
{
	unsigned int lane, dead = 0;
	struct pm_lane_truth t;
	struct rig r;

	rig_new(&r);
	CHECK_EQ(pm_fault_patch(r.end[1].port, 10, 10, 2, 100), 0);
	for (lane = 0; lane < 460; lane++) {
		int dx, dy;

		CHECK_EQ(pm_lane_truth(r.end[1].port, lane, &t), 0);
		dx = t.x - 10;
		dy = t.y - 10;
		CHECK_EQ(t.dead, dx * dx + dy * dy <= 4);
		dead += t.dead;
	}
	CHECK_EQ(dead, 13);
	CHECK_EQ(pm_fault_patch(r.end[1].port, 10, 10, 2, 0), 0);
	CHECK_EQ(pm_lane_truth(r.end[1].port, 210, &t), 0);
	CHECK(!t.dead);
	/* The other direction has lanes of its own. */
	CHECK_EQ(pm_fault_kill(r.end[1].port, 3), 0);
	CHECK_EQ(pm_lane_truth(r.end[0].port, 3, &t), 0);
	CHECK(!t.dead);
	rig_free(&r);
}

KTAP_TEST(faults_refuse_nonsense)
{
	struct rig r;

	rig_new(&r);
	CHECK_EQ(pm_fault_kill(r.end[1].port, 460), -EINVAL);
	CHECK_EQ(pm_fault_heal(r.end[1].port, UINT32_MAX), -EINVAL);
	CHECK_EQ(pm_fault_degrade(r.end[1].port, 460, 1), -EINVAL);
	CHECK_EQ(pm_fault_degrade(r.end[1].port, 1, -1), -EINVAL);
	CHECK_EQ(pm_fault_degrade(r.end[1].port, 1, NAN), -EINVAL);
	CHECK_EQ(pm_fault_degrade(r.end[1].port, 1, INFINITY), -EINVAL);
	CHECK_EQ(pm_fault_common(r.end[1].port, -0.1), -EINVAL);
	CHECK_EQ(pm_fault_common(r.end[1].port, NAN), -EINVAL);
	CHECK_EQ(pm_fault_patch(r.end[1].port, 20, 0, 1, 100), -EINVAL);
	CHECK_EQ(pm_fault_patch(r.end[1].port, 0, 23, 1, 100), -EINVAL);
	CHECK_EQ(pm_fault_patch(r.end[1].port, 0, 0, -1, 100), -EINVAL);
	CHECK_EQ(pm_fault_patch(r.end[1].port, 0, 0, 1, NAN), -EINVAL);
	CHECK_EQ(rig_info(&r, 1).margin_min, 7);
	rig_free(&r);
}

/* Light against error rate: 1.97 dB from the median lane to the code's limit, 3.68 dB to 1e-2. */
KTAP_TEST(a_degraded_lane)
{
	struct pm_lane_truth t;
	struct rig r;

	rig_init(&r, "mosaic-800g", 1);
	r.config.ber_sigma_db = 0;
	rig_open(&r);
	CHECK_EQ(pm_lane_truth(r.end[1].port, 5, &t), 0);
	CHECK(fabs(t.ber / 2e-8 - 1) < 0.001);
	CHECK_EQ(pm_fault_degrade(r.end[1].port, 5, 1.97), 0);
	CHECK_EQ(pm_lane_truth(r.end[1].port, 5, &t), 0);
	CHECK(fabs(t.ber / 2.4e-4 - 1) < 0.05);
	CHECK_EQ(pm_fault_degrade(r.end[1].port, 5, 3.7), 0);
	CHECK_EQ(pm_lane_truth(r.end[1].port, 5, &t), 0);
	CHECK(fabs(t.ber / 1e-2 - 1) < 0.1);
	rig_pass_us(&r, 2000);
	CHECK_EQ(r.end[1].ser, 1);
	CHECK_EQ(r.end[1].last_lane.lane, 5);
	CHECK_EQ(r.end[1].last_lane.data[0], 65);
	CHECK_LE(r.end[1].last_lane.data[1], 65536);
	CHECK_EQ(r.end[1].los, 0);
	/* Beyond the lock of its markers it counts as lost. */
	CHECK_EQ(pm_fault_degrade(r.end[1].port, 5, 7), 0);
	rig_pass_us(&r, 500);
	CHECK_EQ(r.end[1].los, 1);
	rig_free(&r);
}

/*
 * All lanes two decibels down: at the limit of the code, the frames still come, and no lane
 * is lost.
 */
KTAP_TEST(common_mode)
{
	struct rig r;

	rig_init(&r, "mosaic-800g", 1);
	rig_open(&r);
	CHECK_EQ(pm_fault_common(r.end[1].port, 2), 0);
	CHECK_LE(rig_info(&r, 1).margin, 2);
	rig_want(&r, 0, 20000);
	CHECK(rig_until(&r, rig_delivered, 10000));
	rig_check(&r);
	CHECK_EQ(r.end[1].los, 0);
	CHECK_EQ(r.end[1].downs, 0);
	CHECK_EQ(pm_fault_common(r.end[1].port, 0), 0);
	CHECK_GE(rig_info(&r, 1).margin, 6);
	rig_free(&r);
}

/* Faults of all kinds at random while both ends send: nothing is delivered wrong, and it ends. */
KTAP_TEST(a_storm)
{
	struct pm_rng rng;
	unsigned int seed, i;
	struct rig r;

	for (seed = 0; seed < 4; seed++) {
		SUBTEST("seed %u", seed) {
			rig_init(&r, "mosaic-800g", seed);
			rig_open(&r);
			pm_rng_init(&rng, seed, "storm", 0);
			rig_want(&r, 0, 30000);
			rig_want(&r, 1, 30000);
			for (i = 0; i < 300; i++) {
				struct pm_port *p = r.end[pm_rng_below(&rng, 2)].port;
				unsigned int lane = pm_rng_below(&rng, 470);

				switch (pm_rng_below(&rng, 12)) {
				case 0: case 1: pm_fault_kill(p, lane); break;
				case 2: pm_fault_degrade(p, lane, 6 * pm_rng_unit(&rng)); break;
				case 3: pm_fault_patch(p, lane % 20, lane / 20, 2, 120); break;
				case 4: case 5: pm_fault_patch(p, 10, 10, 40, 0); break;
				case 6: pm_fault_common(p, 2.5 * pm_rng_unit(&rng)); break;
				case 7: pm_fault_drop(p, 3); break;
				case 8: pm_fault_corrupt(p, 3); break;
				case 9: pm_fault_cut(p, true); break;
				case 10: pm_fault_cut(p, false); break;
				case 11: pm_port_lane_ctl(p, (uint16_t)lane, lane & 1); break;
				}
				rig_pass_us(&r, pm_rng_below(&rng, 60));
			}
			pm_fault_cut(r.end[0].port, false);
			for (i = 0; i < 2; i++) {
				unsigned int lane;

				pm_fault_patch(r.end[i].port, 10, 10, 40, 0);
				pm_fault_common(r.end[i].port, 0);
				for (lane = 0; lane < 460; lane++)
					pm_port_lane_ctl(r.end[i].port, (uint16_t)lane, true);
			}
			CHECK(rig_until(&r, rig_delivered, 10000));
			rig_check(&r);
			CHECK_GE(rig_counters(&r, 0).frames_replayed, 100);
			rig_free(&r);
		}
	}
}

KTAP_MAIN()
