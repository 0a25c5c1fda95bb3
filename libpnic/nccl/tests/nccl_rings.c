// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * Every version that is exported, COUNT runs of each: rings of 2 to 8 ranks; and COUNT * 1000 messages and
 * COUNT * 50000 one-sided transfers while lanes and rails die.
 * `make bench-nccl` has COUNT=100.
 */
#include <time.h>

#include <selftests/bench/figure.h>

#include "faults.h"
#include "group.h"
#include "rings.h"

#define FUSED	2

static const int every_card[CARDS] = { 0, 1, 2, 3 };
static unsigned long runs, messages, data_errors, other_errors;

static void count(const struct ring_run *run)
{
	messages += run->messages;
	data_errors += run->data_errors;
	other_errors += run->size_errors + run->call_errors + run->unfinished;
	if (run->data_errors + run->size_errors + run->call_errors + run->unfinished)
		ktap_say("%s seed %llu, %d ranks: %lu messages, %lu wrong data, %lu wrong sizes, %lu calls, %lu unfinished: %s",
			 run->door->name, (unsigned long long)run->seed, run->ranks, run->messages, run->data_errors,
			 run->size_errors, run->call_errors, run->unfinished, door_warning);
}

/* The two virtual devices of two cards each. */
static bool fuse(const struct door *door, int dev[FUSED])
{
	static const int pair[FUSED][2] = { { 0, 1 }, { 2, 3 } };

	return !door->fuse(&dev[0], 2, pair[0]) && !door->fuse(&dev[1], 2, pair[1]);
}

KTAP_TEST(versions)
{
	unsigned long long n = bench_setting("COUNT", 3), seed = bench_setting("SEED", 1), i;
	char key[64];
	int d;

	for (d = 0; d < DOORS; d++) {
		const struct door *door = &doors[d];
		unsigned long passed = 0;
		int dev[FUSED];
		bool fused;

		fused = door->virtual_devices && fuse(door, dev);
		CHECK_EQ(fused, door->virtual_devices);
		for (i = 0; i < n; i++) {
			struct ring_run run = {
				.door = door,
				.seed = seed * 100000 + (uint64_t)d * 1000 + i,
				.ranks = 2 + (int)((i + (uint64_t)d) % 7),
				.channels = 1 + (int)(i % 2),
				.groups = 16,
				.max_size = i % 4 == 3 ? 1048576 : 131072,
				.devs = fused && i % 2 ? FUSED : CARDS,
				.dev = fused && i % 2 ? dev : every_card,
				.optional = door->optional,
				.churn = true,
				.timeout_s = 60,
			};

			passed += ring_run(&run);
			count(&run);
			runs++;
		}
		snprintf(key, sizeof(key), "runs_passed_%s", door->name);
		figure(key, (double)passed, "rings that passed");
		CHECK_EQ(passed, n);
	}
	figure("runs", (double)runs, "rings in all");
	figure("messages", (double)messages, "messages in these");
	figure("data_errors", (double)data_errors, "of them wrong");
	figure("other_errors", (double)other_errors, "sizes, calls, connections that failed");
	CHECK_EQ(data_errors, 0);
	CHECK_EQ(other_errors, 0);
}

KTAP_TEST(faults)
{
	unsigned long long n = bench_setting("COUNT", 3) * 1000, seed = bench_setting("SEED", 1);
	const struct door *door;
	struct faults f;
	int dev[FUSED];

	messages = data_errors = other_errors = 0;
	REQUIRE(fuse(door_of(12), dev));
	faults_start(FAULT_LANES | FAULT_RAILS | FAULT_CARDS, seed);
	while (messages < n && data_errors + other_errors < 10) {
		door = &doors[2 + seed % 4];	/* those with virtual devices */
		struct ring_run run = {
			.door = door, .seed = ++seed * 7919, .ranks = 2 + 2 * (int)(seed % 3), .channels = 1 + (int)(seed % 2),
			.groups = 64, .max_size = 262144, .devs = FUSED, .dev = dev, .optional = true, .timeout_s = 120,
		};

		ring_run(&run);
		count(&run);
	}
	f = faults_stop();
	figure("fault_messages", (double)messages, "messages while lanes and rails died");
	figure("fault_data_errors", (double)data_errors, "of them wrong");
	figure("fault_other_errors", (double)other_errors, "sizes, calls, connections that failed");
	figure("fault_lanes", f.lanes, "lanes that died meanwhile");
	figure("fault_rails", f.rails, "times that a rail lost its link");
	figure("fault_cards", f.cards, "times that a card failed and was reset");
	figure("fault_frames", f.dropped, "frames that vanished or were damaged");
	CHECK_GE(messages, n);
	CHECK_EQ(data_errors, 0);
	CHECK_EQ(other_errors, 0);
	CHECK_GT(f.lanes, 0);
	CHECK_GT(f.rails, 0);
}

/* Puts, signals, gets and flushes while lanes and rails die: all arrives, in the order that signals promise. */
KTAP_TEST(one_sided_faults)
{
	unsigned long long n = bench_setting("COUNT", 3) * 50000, seed = bench_setting("SEED", 1);
	unsigned long transfers = 0, failures = 0;
	struct faults f;
	int dev[FUSED];

	REQUIRE(fuse(door_of(12), dev));
	faults_start(FAULT_LANES | FAULT_RAILS, seed);
	while (transfers < n && !failures) {
		struct group_run run = { .version = 14 + (int)(seed++ % 2), .devs = FUSED, .dev = dev, .rounds = 4 };

		if (!group_run(&run))
			ktap_say("v%d: %u failures, the first: %s", run.version, run.failures, run.why);
		transfers += run.transfers;
		failures += run.failures;
	}
	f = faults_stop();
	figure("rma_fault_transfers", (double)transfers, "puts, signals, gets and flushes while lanes and rails died");
	figure("rma_fault_failures", (double)failures, "of them wrong");
	figure("rma_fault_lanes", f.lanes, "lanes that died meanwhile");
	figure("rma_fault_rails", f.rails, "times that a rail lost its link");
	CHECK_GE(transfers, n);
	CHECK_EQ(failures, 0);
	CHECK_GT(f.lanes, 0);
	CHECK_GT(f.rails, 0);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* One message after the other, @n of @size, both ends in this thread; the fastest of @rounds. */
static double message_time(void *sc, void *rc, char *mem, void *smh, void *rmh, size_t size, int n, int rounds)
{
	const struct door *d = door_of(12);
	double best = 1e9, t;
	int i, tag = 1, done;

	while (rounds--) {
		t = seconds();
		for (i = 0; i < n; i++) {
			void *data = mem + (1 << 20), *rreq = NULL, *sreq = NULL;

			while (!rreq)
				REQUIRE_EQ(d->irecv(rc, 1, &data, &size, &tag, &rmh, &rreq), 0);
			while (!sreq)
				REQUIRE_EQ(d->isend(sc, mem, size, tag, smh, &sreq), 0);
			do
				REQUIRE_EQ(d->test(rreq, &done, NULL), 0);
			while (!done);
			do
				REQUIRE_EQ(d->test(sreq, &done, NULL), 0);
			while (!done);
		}
		t = (seconds() - t) / n;
		best = t < best ? t : best;
	}
	return best;
}

/* What the plugin costs, with a card in the process: its own instructions, and the model's. */
KTAP_TEST(speed)
{
	char handle[NCCL_HANDLE_SIZE] __attribute__((aligned(8)));
	void *lc, *sc = NULL, *rc = NULL, *smh, *rmh, *ctx;
	const struct door *d = door_of(12);
	char *mem = aligned_alloc(4096, 2 << 20);
	double t;

	REQUIRE(mem);
	memset(mem, 1, 2 << 20);
	REQUIRE_EQ(d->init(&ctx, 1), 0);
	REQUIRE_EQ(d->listen(ctx, CARDS + 1, handle, &lc), 0);
	while (!sc || !rc) {
		if (!sc)
			REQUIRE_EQ(d->connect(ctx, CARDS, handle, &sc), 0);
		if (!rc)
			REQUIRE_EQ(d->accept(lc, &rc), 0);
	}
	REQUIRE_EQ(d->reg(sc, mem, 2 << 20, NCCL_PTR_HOST, &smh), 0);
	REQUIRE_EQ(d->reg(rc, mem, 2 << 20, NCCL_PTR_HOST, &rmh), 0);
	t = message_time(sc, rc, mem, smh, rmh, 8, 1000, 5);
	figure("message_8_ns", t * 1e9, "ns: receive, send and both tests of 8 bytes, one thread, embedded cards");
	CHECK(t < 1);
	t = message_time(sc, rc, mem, smh, rmh, 1 << 20, 50, 5);
	figure("message_1m_gbps", (1 << 20) / t / 1e9, "GB/s: the same with 1 MiB");
	CHECK_EQ(d->dereg(sc, smh), 0);
	CHECK_EQ(d->dereg(rc, rmh), 0);
	CHECK_EQ(d->close_send(sc), 0);
	CHECK_EQ(d->close_recv(rc), 0);
	CHECK_EQ(d->close_listen(lc), 0);
	CHECK_EQ(d->finalize(ctx), 0);
	free(mem);
}

int main(int argc, char **argv)
{
	void *ctx;
	int res;

	ktap.timeout_s = 4 * 3600;
	setvbuf(stdout, NULL, _IOLBF, 0);
	setenv("PNIC_NCCL_TIMEOUT_MS", "20000", 0);	/* as it is by default */
	cards_name();
	if (!doors_open(getenv("PNIC_TEST_PLUGIN")) || doors[5].init(&ctx, 1) || !cards_open())
		return 2;
	res = ktap_main(argc, argv);
	cards_close();
	doors[5].finalize(ctx);
	return res;
}
