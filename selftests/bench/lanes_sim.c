// SPDX-License-Identifier: GPL-2.0
/*
 * What the lanes promise, in simulated link time: two lane agents (the code of the driver and
 * of switch ports) over the model's optics, with verified frames in both directions.
 *
 * COUNT (random faults, drifts) and SEED in the environment; `make bench-lanes` runs it
 * with 10,000 of each, `make test` with few.
 */
#include <math.h>
#include <time.h>

#include "figure.h"
#include "tools/model/core/fieldtrace.h"
#include "tools/model/tests/pair.h"

#define FEW		300

static struct pm_link_config config;
static uint64_t seed;

/* ---- events of the link, as the card tells them ---- */

static struct {
	uint64_t lost_at;		/* newest loss of light, and when it was told */
	uint64_t detected_at;
	uint64_t remapped_at;		/* newest switch of the receive map */
	unsigned int losses, remaps;
} seen[2];

static void watch(int e, const struct pm_link_event *ev)
{
	if (ev->type == PM_LINK_LANE && ev->cause == PNIC_LANE_CAUSE_LOS) {
		seen[e].lost_at = ev->data[0];
		seen[e].detected_at = ev->clock_ns;
		seen[e].losses++;
	}
	if (ev->type == PM_LINK_MAP && ev->dir == PNIC_DIR_RX) {
		seen[e].remapped_at = ev->clock_ns;
		seen[e].remaps++;
	}
}

/* What check_flow() expects. */
static void full_load(void)
{
	load.period_ns = 5 * US;
	load.burst = 8;
}

static void begin(const char *profile, void (*tune)(struct lane_agent_cfg *cfg))
{
	seed = bench_setting("SEED", 1);
	pm_link_config_defaults(&config, profile);
	config.seed = seed;
	memset(seen, 0, sizeof(seen));
	on_link_event = watch;
	full_load();
	setup_config(&config, tune);
}

static void counters(int e, struct pnic_counters *c)
{
	pm_port_counters(ends[e].port, c);
}

/* A lane of the receiver's map of @e that has light. */
static unsigned int working_lane(int e, struct pm_rng *rng)
{
	struct pm_lane_truth t;
	unsigned int lane;

	do {
		lane = pm_rng_below(rng, config.lanes_data + config.lanes_spare);
		REQUIRE_EQ(pm_lane_truth(ends[e].port, lane, &t), 0);
	} while (t.dead || !in_map(e, lane));
	return lane;
}

/* ---- hard losses ---- */

#define LOSSES		30		/* there are 35 spares */

/* One after the other: light to alarm, alarm to new map. */
KTAP_TEST(hard_loss)
{
	uint64_t detect, remap, detect_max = 0, remap_max = 0, rtt;
	struct pnic_counters c;
	struct pm_rng rng;
	unsigned int i;

	begin("mosaic-800g", NULL);
	pm_rng_init(&rng, seed, "bench hard loss", 0);
	run_for(20 * MS);		/* the standby plan is in the cards */
	for (i = 0; i < LOSSES; i++) {
		unsigned int lane = working_lane(0, &rng);
		unsigned int losses = seen[0].losses, remaps = seen[0].remaps;
		uint64_t killed;

		run_for(pm_rng_below(&rng, 200) * US);
		killed = pm_sim_now(sim);
		pm_fault_kill(ends[0].port, lane);
		run_for(3 * MS);
		REQUIRE_EQ(seen[0].losses, losses + 1);
		REQUIRE_GE(seen[0].remaps, remaps + 1);
		detect = seen[0].detected_at - killed;
		remap = seen[0].remapped_at - seen[0].detected_at;
		detect_max = detect > detect_max ? detect : detect_max;
		remap_max = remap > remap_max ? remap : remap_max;
		run_for(20 * MS);
	}
	rtt = 2 * pm_port_latency_ns(ends[0].port);
	counters(0, &c);
	figure("loss_detect_us_max", detect_max / 1e3, "us from light to alarm, worst of the losses; at most 100");
	figure("loss_remap_ns_max", remap_max, "ns from alarm to new map, worst; at most round trip + 1000");
	figure("loss_round_trip_ns", rtt, "ns of a round trip of the link, FEC included");
	figure("loss_replayed_frames", le64toh(c.frames_replayed) + le64toh(c.frames_dropped), "frames sent again because of them");
	CHECK_LE(detect_max, 100 * US);
	CHECK_LE(remap_max, rtt + 1 * US);
	CHECK_EQ(c.codewords_uncorrectable, 0);
	check_agreed();
	check_flow(false);
	teardown();
}

/* Several at the same instant, under full load. */
KTAP_TEST(simultaneous_losses)
{
	uint64_t replayed = 0, lost = 0;
	struct pnic_counters a, b;
	unsigned int k, i;
	struct pm_rng rng;

	for (k = 1; k <= 7; k++) {
		begin("mosaic-800g", NULL);
		pm_rng_init(&rng, seed, "bench simultaneous", k);
		run_for(20 * MS);
		load.period_ns = 1 * US;
		load.burst = 64;
		run_for(1 * MS);
		for (i = 0; i < k; i++)
			pm_fault_kill(ends[0].port, working_lane(0, &rng));
		run_for(2 * MS);
		counters(0, &a);
		counters(1, &b);
		CHECK_EQ(dark_in_map(0), 0);
		replayed += le64toh(b.frames_replayed);
		lost += le64toh(a.codewords_uncorrectable);
		full_load();
		check_flow(false);
		teardown();
	}
	figure("simultaneous_replayed_frames", replayed, "frames replayed by 1 to 7 lanes that died at one time; none");
	figure("simultaneous_uncorrectable", lost, "codewords lost by them; none");
	CHECK_EQ(replayed, 0);
	CHECK_EQ(lost, 0);
}

/* ---- common mode, patches ---- */

KTAP_TEST(common_mode)
{
	unsigned int spares_used = 0, i;
	struct pnic_link_info info0;

	begin("mosaic-800g", NULL);
	load.period_ns = 1 * MS;	/* long times, few frames */
	run_for(3000 * MS);
	pm_fault_common(ends[0].port, 2.0);
	run_for(20000 * MS);
	for (i = config.lanes_data; i < config.lanes_data + config.lanes_spare; i++)
		spares_used += in_map(0, i);
	info(0, &info0);
	figure("common_mode_spares_used", spares_used, "spares used in 20 s at 2 dB less light on all lanes; none");
	figure("common_mode_alarms", ends[0].notes[LANE_NOTE_COMMON], "alarms that it gave; one");
	CHECK_EQ(spares_used, 0);
	CHECK_EQ(ends[0].notes[LANE_NOTE_COMMON], 1);
	CHECK_EQ(info0.width_rx, config.lanes_data);
	check_agreed();
	teardown();
}

KTAP_TEST(patch)
{
	begin("mosaic-800g", NULL);
	run_for(20 * MS);
	pm_fault_patch(ends[0].port, 10, 8, 3, 200);
	run_for(1000 * MS);
	figure("patch_cluster_events", ends[0].notes[LANE_NOTE_CLUSTER], "events that name a dark patch of radius 3; one");
	CHECK_EQ(ends[0].notes[LANE_NOTE_CLUSTER], 1);
	CHECK_EQ(dark_in_map(0), 0);
	check_agreed();
	check_flow(false);
	teardown();
}

/* ---- one end's map is corrupted ---- */

#define CORRUPTIONS	20

/* Time from the corruption to the first end that says so. */
static uint64_t until_told(void)
{
	uint64_t begun = pm_sim_now(sim);
	unsigned int before = ends[0].notes[LANE_NOTE_ASTRAY] + ends[1].notes[LANE_NOTE_ASTRAY];

	while (ends[0].notes[LANE_NOTE_ASTRAY] + ends[1].notes[LANE_NOTE_ASTRAY] == before &&
	       pm_sim_now(sim) < begun + 10000 * MS)
		run_for(1 * MS);
	return pm_sim_now(sim) - begun;
}

KTAP_TEST(corrupted_map)
{
	struct lane_agent_cfg cfg;
	uint64_t worst = 0, took;
	struct pm_rng rng;
	unsigned int i;

	lane_agent_cfg_default(&cfg);
	begin("mosaic-800g", NULL);
	load.period_ns = 100 * US;
	load.burst = 1;
	pm_rng_init(&rng, seed, "bench corruption", 0);
	/* At generation 1 the cards' own heartbeat mends a receiver at once. */
	pm_fault_kill(ends[0].port, 7);
	pm_fault_kill(ends[1].port, 7);
	for (i = 0; i < CORRUPTIONS; i++) {
		int dir = i & 1 ? PNIC_DIR_TX : PNIC_DIR_RX;

		run_for((500 + pm_rng_below(&rng, 1000)) * MS);
		check_agreed();
		REQUIRE_EQ(pm_fault_map(ends[i >> 1 & 1].port, dir, 10 + pm_rng_below(&rng, 400),
					config.lanes_data + 1 + i), 0);
		took = until_told();
		worst = took > worst ? took : worst;
		run_for(3000 * MS);
		check_agreed();
	}
	figure("asymmetry_told_ms_max", worst / 1e6, "ms from a map corrupted in one card to the report, worst");
	figure("heartbeat_ms", cfg.proto.heartbeat_ns / 1e6, "ms of a heartbeat; at most so long");
	CHECK_LE(worst, cfg.proto.heartbeat_ns);
	full_load();
	check_flow(false);
	teardown();
}

/* ---- random faults ---- */

static void short_probation(struct lane_agent_cfg *cfg)
{
	cfg->settings.knobs.quarantine_ns = 200 * MS;
	cfg->settings.knobs.quarantine_max_ns = 2000 * MS;
	cfg->settings.knobs.grow_ns = 200 * MS;
}

static struct pm_port *port_of(void *arg, unsigned int nic, bool at_switch)
{
	(void)arg;
	return nic < 2 && !at_switch ? ends[nic].port : NULL;
}

KTAP_TEST(random_faults)
{
	unsigned long long count = bench_setting("COUNT", FEW);
	struct pm_trace_shape shape = { .link = &config, .nics = 2 };
	uint64_t wrong = 0, lost = 0, downs = 0, replayed = 0, remaps = 0;
	struct pm_trace_mix mix;
	struct pm_player *player;
	struct pm_trace *trace;
	struct pnic_counters c;
	char err[200];
	int e;

	ktap.timeout_s = 0;
	alarm(0);
	begin("mosaic-800g", short_probation);
	load.period_ns = 500 * US;
	load.burst = 2;
	pm_trace_mix_defaults(&mix);
	mix.seed = seed;
	mix.count = (unsigned int)count;
	mix.gap_us = 20000;
	mix.repair_us = 500000;
	trace = pm_trace_random(&mix, &shape, err, sizeof(err));
	if (!trace)
		ktap_say("%s", err);
	REQUIRE(trace);
	player = pm_player_new(sim, trace, port_of, NULL);
	REQUIRE(player);
	while (pm_player_left(player))
		run_for(100 * MS);
	run_for(3000 * MS);
	check_agreed();
	full_load();
	check_flow(false);
	for (e = 0; e < 2; e++) {
		counters(e, &c);
		wrong += ends[e].bad_bytes + ends[e].wrong;
		lost += ends[e].flushed;
		downs += le64toh(c.link_downs);
		replayed += le64toh(c.frames_replayed);
		remaps += le64toh(c.map_switches_rx);
	}
	figure("sim_faults", count, "random faults in simulated time: deaths, drifts, flaps, patches, common mode");
	figure("sim_faults_frames", ends[0].received + ends[1].received, "frames compared meanwhile");
	figure("sim_faults_wrong", wrong, "bytes wrong or frames out of order; none");
	figure("sim_faults_lost", lost, "frames given up; none");
	figure("sim_faults_link_downs", downs, "times an end of the link went down; none");
	figure("sim_faults_remaps", remaps, "map changes");
	figure("sim_faults_replayed", replayed, "frames sent again, where faults were more than FEC stands");
	CHECK_EQ(wrong + lost + downs, 0);
	pm_player_free(player);
	teardown();
}

/* ---- slow drifts ---- */

#define TOGETHER	20u		/* lanes that drift at one time: without replacement beyond FEC */
#define STEP_NS		(100 * MS)
#define DRIFT_END_DB	6.0		/* light of the lane is as good as gone */
#define FAIL_BER	1e-2

struct drift {
	unsigned int lane;
	double db, per_s;
	bool replaced;
};

/* All of a batch a step further; how many are still in the map. */
static unsigned int drift_on(struct drift *drift, unsigned int n, unsigned int *late)
{
	unsigned int i, left = 0;
	struct pm_lane_truth t;

	for (i = 0; i < n; i++) {
		struct drift *d = &drift[i];

		if (d->replaced)
			continue;
		if (!in_map(0, d->lane)) {
			REQUIRE_EQ(pm_lane_truth(ends[0].port, d->lane, &t), 0);
			*late += t.ber >= FAIL_BER;
			d->replaced = true;
			continue;
		}
		d->db += d->per_s * STEP_NS / 1e9;
		if (d->db > DRIFT_END_DB)
			d->db = DRIFT_END_DB;
		pm_fault_degrade(ends[0].port, d->lane, d->db);
		left++;
	}
	return left;
}

/* 0.03 to 0.5 dB a second: thousands of times as fast as an LED ages. */
static uint64_t drift_batch(struct pm_rng *rng, unsigned int n, unsigned int *late,
			    unsigned int *never)
{
	struct drift drift[TOGETHER];
	struct pnic_counters c;
	unsigned int i, step;

	begin("mosaic-800g", NULL);
	load.period_ns = 10 * MS;
	load.burst = 1;
	run_for(2000 * MS);
	for (i = 0; i < n; i++) {
		unsigned int k;

		do {
			drift[i].lane = working_lane(0, rng);
			for (k = 0; k < i && drift[k].lane != drift[i].lane; k++)
				;
		} while (k < i);
		drift[i].db = 0;
		drift[i].per_s = 0.03 * exp(pm_rng_unit(rng) * log(0.5 / 0.03));
		drift[i].replaced = false;
	}
	for (step = 0; step < 3000 && drift_on(drift, n, late); step++)
		run_for(STEP_NS);
	*never += drift_on(drift, n, late);
	counters(0, &c);
	CHECK_EQ(ends[0].wrong + ends[1].wrong, 0);
	check_agreed();
	teardown();
	return le64toh(c.codewords_uncorrectable);
}

KTAP_TEST(slow_drifts)
{
	unsigned long long count = bench_setting("COUNT", FEW), done;
	unsigned int late = 0, never = 0;
	uint64_t lost = 0;
	struct pm_rng rng;

	ktap.timeout_s = 0;
	alarm(0);
	pm_rng_init(&rng, bench_setting("SEED", 1), "bench drift", 0);
	for (done = 0; done < count; done += TOGETHER) {
		unsigned int n = count - done < TOGETHER ? count - done : TOGETHER;

		lost += drift_batch(&rng, n, &late, &never);
		if (done % 1000 == 0)
			ktap_say("%llu drifts", done);
	}
	figure("drifts", count, "lanes that lost 0.03 to 0.5 dB a second, 20 at a time");
	figure("drifts_in_time_pct", 100.0 * (count - late - never) / count,
	       "per cent replaced before their error rate reached 1e-2; at least 99.9");
	figure("drifts_uncorrectable", lost, "uncorrectable codewords meanwhile; none");
	CHECK_GE(1000.0 * (count - late - never), 999.0 * count);
	CHECK_EQ(lost, 0);
}

/* ---- how long a decision takes ---- */

static double real_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

#define SIZES		4
#define DECISIONS	100
#define TRIES		20

static struct lane_policy pol;
static struct lane_plan plan;
static struct lane_notes notes;
static struct lane_map active;
static struct lane_rec table[LANE_MAX];

/* Best of some tries: what the code takes, and not what else runs on this machine. */
static double decision_ns(u16 lanes)
{
	u16 spare = lanes / 13, data = lanes - spare, i;
	struct lane_policy_cfg cfg = {
		.shape = { .data = data, .total = lanes },
		.fec = { .n = 544, .k = 514, .symbol_bits = 10 },
	};
	double best = INFINITY;
	unsigned int t, n;

	lane_knobs_default(&cfg.knobs);
	cfg.grid_x = (u16)ceil(sqrt(lanes));
	cfg.grid_y = cfg.grid_x;
	REQUIRE(lane_policy_cfg_valid(&cfg));
	memset(table, 0, sizeof(table));
	for (i = 0; i < lanes; i++) {
		table[i].x = i % cfg.grid_x;
		table[i].y = i / cfg.grid_x;
		table[i].state = i % 37 == 5 ? PNIC_LANE_LOS : PNIC_LANE_ACTIVE;
		table[i].mbits = 100;
		table[i].sym_errors = i % 11;
	}
	lane_map_identity(&active, data);
	for (t = 0; t < TRIES; t++) {
		double at = real_ns();

		lane_policy_init(&pol, &cfg);
		for (n = 0; n < DECISIONS; n++) {
			u64 now = (n + 1) * 1000000000ull;

			lane_policy_observe(&pol, table, &active, &notes, now);
			lane_policy_decide(&pol, table, &active, now, &plan);
			notes.nr = 0;
		}
		at = (real_ns() - at) / DECISIONS;
		best = at < best ? at : best;
	}
	return best;
}

KTAP_TEST(decision_time)
{
	static const u16 size[SIZES] = { 460, 920, 1840, 4096 };
	double ns[SIZES], worst = 0;
	unsigned int i;

	for (i = 0; i < SIZES; i++) {
		char key[40];

		ns[i] = decision_ns(size[i]);
		snprintf(key, sizeof(key), "decision_us_%u_lanes", size[i]);
		figure(key, ns[i] / 1000, "us of this machine for one look at the table and one decision");
	}
	for (i = 1; i < SIZES; i++)
		worst = fmax(worst, ns[i] / size[i] / (ns[0] / size[0]));
	figure("decision_linearity", worst,
	       "time a lane at 4,096 (or less) lanes by that at 460; about 1: linear");
}

KTAP_MAIN()
