// SPDX-License-Identifier: GPL-2.0
/*
 * The whole all-reduce, its ranks as threads over embedded cards: library, rings, transport and link as in a guest,
 * without guest and driver. Every number of ranks, odd sizes, files, lanes that die; and what it says when things go wrong.
 */
#include <pthread.h>
#include <time.h>

#include <pnic_embedded.h>

#include "ring.h"
#include "selftests/ktap.h"

struct rank {
	struct ring_config c;
	struct report report;
	struct tally t;
	int ret;
};

static struct rank rank[8];
static char dir[64];
static FILE *null;

static void setup(struct data *d, const struct plan *p, uint32_t steps, uint32_t chunk)
{
	char name[64];
	unsigned int i;

	null = fopen("/dev/null", "w");
	strcpy(dir, "/tmp/job-ring-XXXXXX");
	REQUIRE(mkdtemp(dir));
	for (i = 0; i < d->ranks; i++) {
		rank[i] = (struct rank) {
			.c = { .data = d, .plan = p, .dir = dir, .rank = i, .ranks = d->ranks,
			       .steps = steps, .chunk = chunk, .start_ms = 20000, .stall_ms = 20000 },
			.report = { .out = null, .json = true, .rank = i },
		};
		rank[i].c.report = &rank[i].report;
		snprintf(name, sizeof(name), "embedded:nics=%u,thread=1,nic=%u", d->ranks, i);
		REQUIRE_EQ(pnic_open(name, NULL, &rank[i].c.ctx), 0);
	}
}

static void fault(unsigned int i, unsigned int what, unsigned int arg)
{
	REQUIRE_EQ(pnic_embedded_fault(rank[i].c.ctx, what, arg, 0), 0);
}

static double figure(const char *name)
{
	double value;

	REQUIRE_EQ(pnic_embedded_figure(rank[0].c.ctx, name, &value), 0);
	return value;
}

static void teardown(unsigned int ranks)
{
	char path[100];

	while (ranks--) {
		pnic_close(rank[ranks].c.ctx);
		snprintf(path, sizeof(path), "%s/rank%u", dir, ranks);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/failed0", dir);
	unlink(path);
	CHECK_OK(rmdir(dir));
	fclose(null);
}

static void *run(void *arg)
{
	struct rank *r = arg;

	r->ret = ring_run(&r->c, &r->t);
	return NULL;
}

static pthread_t thread[8];

static void start_all(unsigned int ranks)
{
	unsigned int i;

	for (i = 0; i < ranks; i++)
		REQUIRE_EQ(pthread_create(&thread[i], NULL, run, &rank[i]), 0);
}

static void wait_all(unsigned int ranks)
{
	unsigned int i;

	for (i = 0; i < ranks; i++)
		pthread_join(thread[i], NULL);
}

/* Until @n transfers of the first card are over. */
static void wait_transfers(double n)
{
	struct timespec nap = { 0, 100000 };

	while (figure("wqes") < n)
		nanosleep(&nap, NULL);
}

/* While they run, @kill lanes of the first card die, one for two transfers. */
static void all_right(struct data *d, const struct plan *p, uint32_t steps, uint32_t chunk, unsigned int kill)
{
	uint64_t bytes = (d->file ? d->bytes : p->elements * 4) * steps, moved = 0;
	unsigned int i;
	double begin;

	setup(d, p, steps, chunk);
	begin = figure("clock_ns");
	start_all(d->ranks);
	for (i = 0; i < kill; i++) {
		wait_transfers(2 * i + 2);
		fault(0, PNIC_EMBEDDED_KILL, 20 * i + 3);
	}
	wait_all(d->ranks);
	if (bytes > 1000000)
		ktap_say("%llu bytes, %.3f s, %.3f ms of link time", (unsigned long long)bytes, rank[0].t.seconds,
			 (figure("clock_ns") - begin) / 1e6);
	for (i = 0; i < d->ranks; i++) {
		CHECK_EQ(rank[i].ret, 0);
		CHECK_EQ(rank[i].t.verified, bytes);
		CHECK_EQ(rank[i].t.wrong, 0);
		CHECK_EQ(rank[i].t.lost, 0);
		CHECK_EQ(rank[i].t.steps, steps);
		moved += rank[i].t.moved;
	}
	/* What the algorithm needs and no more. */
	CHECK_EQ(moved, p->elements * 4 * steps * 2 * (d->ranks - 1));
	teardown(d->ranks);
}

KTAP_TEST(every_number_of_ranks)
{
	struct data d = { .seed = 9 };
	struct plan p;

	REQUIRE_EQ(plan_flat(&p, 100000, 64000), 0);
	for (d.ranks = 2; d.ranks <= 8; d.ranks++) {
		SUBTEST("%u ranks", d.ranks)
			all_right(&d, &p, 2, 1024, 0);
	}
	plan_free(&p);
}

/* Fewer elements than ranks, one element, chunks of one line, odd counts. */
KTAP_TEST(odd_sizes)
{
	static const uint64_t sizes[] = { 1, 2, 15, 16, 17, 33, 100, 4097 };
	struct data d = { .seed = 9, .ranks = 3 };
	struct plan p;
	unsigned int i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		SUBTEST("%llu elements", (unsigned long long)sizes[i]) {
			REQUIRE_EQ(plan_flat(&p, sizes[i], 1 << 20), 0);
			all_right(&d, &p, 5, 16, 0);
			plan_free(&p);
		}
	}
}

KTAP_TEST(bytes_of_a_file)
{
	static uint8_t file[70001];
	struct data d = { .seed = 9, .ranks = 4, .file = file };
	struct plan p;
	unsigned int i;

	for (i = 0; i < sizeof(file); i++)
		file[i] = (uint8_t)(i * 31 ^ i >> 8);
	for (i = 0; i < 5; i++) {
		d.bytes = sizeof(file) - i;
		SUBTEST("%llu bytes", (unsigned long long)d.bytes) {
			REQUIRE_EQ(plan_flat(&p, (d.bytes + 3) / 4, 20000), 0);
			all_right(&d, &p, 1, 512, 0);
			plan_free(&p);
		}
	}
	d.bytes = 1;
	SUBTEST("1 byte") {
		REQUIRE_EQ(plan_flat(&p, 1, 20000), 0);
		all_right(&d, &p, 1, 512, 0);
		plan_free(&p);
	}
}

KTAP_TEST(dying_lanes)
{
	struct data d = { .seed = 3, .ranks = 2 };
	struct plan p;

	REQUIRE_EQ(plan_flat(&p, 8000000, 8 << 20), 0);
	all_right(&d, &p, 1, 131072, 20);
	plan_free(&p);
}

/* The gradients of a step of ResNet-50. */
KTAP_TEST(whole_step)
{
	struct tensor t[RESNET50_TENSORS];
	struct data d = { .seed = 3, .ranks = 2 };
	struct plan p;

	resnet50_tensors(t);
	REQUIRE_EQ(plan_tensors(&p, t, RESNET50_TENSORS, 1 << 20, 25 << 20), 0);
	all_right(&d, &p, 1, 131072, 0);
	plan_free(&p);
}

/* Transfers fail: they are counted as lost, and no rank hangs. */
KTAP_TEST(a_link_that_is_down)
{
	struct data d = { .seed = 9, .ranks = 3 };
	uint64_t lost = 0;
	struct plan p;
	int i;

	REQUIRE_EQ(plan_flat(&p, 100000, 64000), 0);
	setup(&d, &p, 1, 1024);
	fault(1, PNIC_EMBEDDED_LINK, 0);
	start_all(3);
	wait_all(3);
	for (i = 0; i < 3; i++) {
		CHECK(rank[i].ret != 0);
		lost += rank[i].t.lost;
	}
	CHECK_GE(lost, 1);
	teardown(3);
	plan_free(&p);
}

/* Somebody changes the data on the way: it is found. (Its own memory stands for a card that does.) */
KTAP_TEST(wrong_bytes)
{
	struct data d = { .seed = 9, .ranks = 2 }, lie = { .seed = 9, .ranks = 2 };
	static uint8_t a[4000], b[4000];
	struct plan p;

	b[1234] = 1;
	d.file = a;
	lie.file = b;
	d.bytes = lie.bytes = sizeof(a);
	REQUIRE_EQ(plan_flat(&p, 1000, 64000), 0);
	setup(&d, &p, 1, 128);
	rank[1].c.data = &lie;
	start_all(2);
	wait_all(2);
	CHECK_EQ(rank[0].ret, 0);
	CHECK_GE(rank[0].t.wrong, 1);
	CHECK_LE(rank[0].t.wrong, 4);
	CHECK_EQ(rank[0].t.verified + rank[0].t.wrong, 4000);
	teardown(2);
	plan_free(&p);
}

KTAP_TEST(ranks_that_disagree)
{
	struct data d = { .seed = 9, .ranks = 2 };
	struct plan p;

	REQUIRE_EQ(plan_flat(&p, 1000, 64000), 0);
	setup(&d, &p, 1, 128);
	rank[1].c.steps = 2;
	start_all(2);
	wait_all(2);
	CHECK_EQ(rank[0].ret, -EINVAL);
	CHECK_EQ(rank[1].ret, -EINVAL);
	teardown(2);
	plan_free(&p);
}

KTAP_TEST(a_rank_that_is_missing)
{
	struct data d = { .seed = 9, .ranks = 2 };
	struct plan p;

	REQUIRE_EQ(plan_flat(&p, 1000, 64000), 0);
	setup(&d, &p, 1, 128);
	rank[0].c.start_ms = 50;
	run(&rank[0]);
	CHECK_EQ(rank[0].ret, -ETIMEDOUT);
	/* The late one sees that it is over. */
	rank[1].c.start_ms = 5000;
	run(&rank[1]);
	CHECK_EQ(rank[1].ret, -ECANCELED);
	teardown(2);
	plan_free(&p);
}

/* Nothing moves: after the time allowed, before the card gives up, the job does and says what is lost. */
KTAP_TEST(a_standstill)
{
	struct data d = { .seed = 9, .ranks = 2 };
	struct plan p;
	int i;

	REQUIRE_EQ(plan_flat(&p, 8000000, 8 << 20), 0);
	setup(&d, &p, 100, 131072);
	for (i = 0; i < 2; i++)
		rank[i].c.stall_ms = 600;
	start_all(2);
	wait_transfers(10);
	fault(0, PNIC_EMBEDDED_LINK, 0);
	wait_all(2);
	CHECK(rank[0].ret == -ETIMEDOUT || rank[1].ret == -ETIMEDOUT);
	CHECK_GE(rank[0].t.lost, 1);
	CHECK_GE(rank[1].t.lost, 1);
	teardown(2);
	plan_free(&p);
}

KTAP_MAIN()
