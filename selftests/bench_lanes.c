// SPDX-License-Identifier: GPL-2.0
/*
 * Random lane faults in both directions while verified transfers run: driver, library and
 * model together. Deaths, recoveries, drifts, flaps, dark patches, common mode; after each
 * some transfers, every byte of which is compared.
 *
 * COUNT faults (200; `make bench-lanes` takes 10,000), drawn from SEED.
 * Needs the model's control port.
 */
#include "bench/figure.h"
#include "device.h"
#include "steer.h"
#include "traffic.h"

#define MEM		(512u << 10)
#define PART		(64u << 10)
#define DEPTH		4u		/* transfers under way in each direction */
#define WAIT_MS		60000
#define SETTLE_MS	60000
#define MOST_HURT	70u		/* of 460 lanes in a direction: twice the spares */
#define LANES_MAX	1024

static struct end end[2];
static int fd[2];
static struct pnic_ioc_info about;
static uint64_t draw;

static struct {
	uint64_t transfers, failed, wrong_bytes, bytes;
	uint64_t deaths, recoveries, drifts, flaps, patches, common;
} count;

/* What the faults have made of the lanes that arrive at each NIC. */
static struct {
	bool hurt[LANES_MAX];		/* dark, or with less light */
	unsigned int hurt_lanes;
	int flapping;			/* comes back after the next transfers; -1: none */
} state[2];

static unsigned int lanes(void)
{
	return about.lanes_data + about.lanes_spare;
}

static void hurt(unsigned int nic, unsigned int lane)
{
	state[nic].hurt_lanes += !state[nic].hurt[lane];
	state[nic].hurt[lane] = true;
}

static void kill_lane(unsigned int nic, unsigned int lane)
{
	STEER("{\"cmd\":\"kill\",\"nic\":%u,\"lane\":%u}", nic, lane);
	hurt(nic, lane);
}

static void heal_lane(unsigned int nic, unsigned int lane)
{
	STEER("{\"cmd\":\"heal\",\"nic\":%u,\"lane\":%u}", nic, lane);
	state[nic].hurt_lanes -= state[nic].hurt[lane];
	state[nic].hurt[lane] = false;
}

static void heal_some(unsigned int nic)
{
	unsigned int i, at = random_below(&draw, lanes());

	for (i = 0; i < lanes(); i++, at = (at + 1) % lanes())
		if (state[nic].hurt[at]) {
			heal_lane(nic, at);
			count.recoveries++;
			return;
		}
}

/* A small dark spot; the model kills what is in it, so it is healed lane by lane like others. */
static void patch(unsigned int nic)
{
	unsigned int n, first = random_below(&draw, lanes() - 45);
	static const unsigned int spot[] = { 0, 1, 2, 20, 21, 22, 40, 41, 42 };

	for (n = 0; n < sizeof(spot) / sizeof(spot[0]); n++)
		kill_lane(nic, first + spot[n]);
	count.patches++;
}

static void fault(void)
{
	unsigned int nic = random_below(&draw, 2), lane = random_below(&draw, lanes());
	unsigned int what = random_below(&draw, 100);

	if (state[nic].flapping >= 0) {
		heal_lane(nic, (unsigned int)state[nic].flapping);
		state[nic].flapping = -1;
	}
	if (state[nic].hurt_lanes > MOST_HURT)
		what = 40;
	if (what < 35) {
		kill_lane(nic, lane);
		count.deaths++;
	} else if (what < 65) {
		heal_some(nic);
	} else if (what < 82) {
		if (!state[nic].hurt[lane])
			STEER("{\"cmd\":\"degrade\",\"nic\":%u,\"lane\":%u,\"db\":%u.%u}", nic, lane,
			      random_below(&draw, 4), random_below(&draw, 10));
		hurt(nic, lane);
		count.drifts++;
	} else if (what < 93) {
		kill_lane(nic, lane);
		state[nic].flapping = (int)lane;
		count.flaps++;
	} else if (what < 96) {
		patch(nic);
	} else {
		STEER("{\"cmd\":\"common\",\"nic\":%u,\"db\":%u.%u}", nic, random_below(&draw, 2),
		      random_below(&draw, 8));
		count.common++;
	}
}

static void post(unsigned int from, unsigned int slot, uint32_t len, uint64_t seed)
{
	struct end *e = &end[from], *to = &end[!from];
	uint8_t *buf = e->mem + slot * PART;

	pattern_fill(buf, len, seed);
	REQUIRE_EQ(pnic_post_write(e->ep, to->addr, buf, len, e->mr->key,
				   (uintptr_t)to->mem + MEM / 2 + slot * PART, to->mr->key, slot,
				   PNIC_SQF_SIGNALED), 0);
}

static void take(unsigned int from, const uint32_t *len, const uint64_t *seed)
{
	unsigned int n;

	for (n = 0; n < DEPTH; n++) {
		struct pnic_wc wc;
		size_t good;

		REQUIRE_EQ(end_wait(&end[from], &wc, WAIT_MS), 0);
		count.transfers++;
		if (wc.status != PNIC_ST_OK) {
			count.failed++;
			ktap_say("a transfer ended with %s", pnic_status_str(wc.status));
			continue;
		}
		REQUIRE(wc.cookie < DEPTH);
		count.bytes += len[wc.cookie];
		good = pattern_check(end[!from].mem + MEM / 2 + wc.cookie * PART,
				     len[wc.cookie], seed[wc.cookie]);
		count.wrong_bytes += len[wc.cookie] - good;
	}
}

static void transfers(void)
{
	uint32_t len[2][DEPTH];
	uint64_t seed[2][DEPTH];
	unsigned int e, n;

	for (e = 0; e < 2; e++) {
		for (n = 0; n < DEPTH; n++) {
			len[e][n] = 1 + random_below(&draw, PART / 4);
			seed[e][n] = random_u64(&draw);
			post(e, n, len[e][n], seed[e][n]);
		}
		pnic_ring(end[e].ep);
	}
	for (e = 0; e < 2; e++)
		take(e, len[e], seed[e]);
}

static void links(struct pnic_ioc_link_info *l)
{
	REQUIRE_OK(dev_link(fd[0], &l[0]));
	REQUIRE_OK(dev_link(fd[1], &l[1]));
}

static bool agreed(const struct pnic_ioc_link_info *l)
{
	return l[0].gen_rx == l[1].gen_tx && l[0].gen_tx == l[1].gen_rx &&
	       l[0].width_rx == l[1].width_tx && l[0].width_tx == l[1].width_rx;
}

static void start(void)
{
	const struct end_attr attr = { .size = MEM, .rnr_timeout_us = 1000000 };
	unsigned int e;

	need_cards(2);
	NEED_MODEL();
	for (e = 0; e < 2; e++) {
		REQUIRE_EQ(end_open(&end[e], e, &attr), 0);
		fd[e] = dev_open(e);
		REQUIRE_OK(fd[e]);
		state[e].flapping = -1;
	}
	REQUIRE_OK(dev_info(fd[0], &about));
	REQUIRE(lanes() <= LANES_MAX);
}

static void stop(void)
{
	unsigned int e;

	for (e = 0; e < 2; e++) {
		STEER("{\"cmd\":\"common\",\"nic\":%u,\"db\":0}", e);
		STEER("{\"cmd\":\"heal\",\"nic\":%u,\"lane\":\"all\"}", e);
		end_close(&end[e]);
		close(fd[e]);
	}
}

KTAP_TEST(random_faults_under_traffic)
{
	unsigned long long n, faults = bench_setting("COUNT", 200);
	struct pnic_ioc_link_info before[2], after[2];
	uint64_t deadline;

	draw = bench_setting("SEED", 1);
	ktap.timeout_s = 0;
	alarm(0);
	start();
	links(before);
	for (n = 0; n < faults; n++) {
		fault();
		transfers();
		if (n % 1000 == 999)
			ktap_say("%llu faults, %llu MB verified", n + 1,
				 (unsigned long long)count.bytes / 1000000);
	}
	deadline = now_ns() + SETTLE_MS * 1000000ull;
	do {
		sleep_ms(20);
		transfers();
		links(after);
	} while (!agreed(after) && now_ns() < deadline);

	ktap_say("deaths %llu, recoveries %llu, drifts %llu, flaps %llu, patches %llu, common %llu",
		 (unsigned long long)count.deaths, (unsigned long long)count.recoveries,
		 (unsigned long long)count.drifts, (unsigned long long)count.flaps,
		 (unsigned long long)count.patches, (unsigned long long)count.common);
	figure("faults", faults, "random lane faults over one run of driver, library and model");
	figure("faults_bytes_verified", count.bytes, "bytes of payload compared meanwhile");
	figure("faults_bytes_wrong", count.wrong_bytes, "of them wrong; none");
	figure("faults_transfers", count.transfers, "transfers");
	figure("faults_transfers_lost", count.failed, "of them ended with an error; none");
	figure("faults_link_downs", after[0].link_downs - before[0].link_downs +
	       after[1].link_downs - before[1].link_downs, "times a link went down; none");
	figure("faults_remaps", after[0].remaps - before[0].remaps + after[1].remaps - before[1].remaps,
	       "map changes, both directions, both ends");
	figure("faults_generations_equal", agreed(after), "1: both ends name the same maps at the end");
	CHECK_EQ(count.wrong_bytes, 0);
	CHECK_EQ(count.failed, 0);
	CHECK_EQ(after[0].link_downs, before[0].link_downs);
	CHECK_EQ(after[1].link_downs, before[1].link_downs);
	CHECK(agreed(after));
	stop();
}

KTAP_MAIN()
