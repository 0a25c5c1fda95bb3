// SPDX-License-Identifier: GPL-2.0
/*
 * The whole all-reduce, its ranks as threads over the library's fake card: every number of
 * ranks, odd sizes, files; and what it says when things go wrong.
 */
#include "fakecard.h"
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
	char name[8];
	unsigned int i;

	fake_reset();
	null = fopen("/dev/null", "w");
	strcpy(dir, "/tmp/job-ring-XXXXXX");
	REQUIRE(mkdtemp(dir));
	for (i = 0; i < d->ranks; i++) {
		snprintf(name, sizeof(name), "fake%u", i);
		rank[i] = (struct rank) {
			.c = { .ctx = fake_open(name), .data = d, .plan = p, .dir = dir, .rank = i, .ranks = d->ranks,
			       .steps = steps, .chunk = chunk, .start_ms = 20000, .stall_ms = 20000 },
			.report = { .out = null, .json = true, .rank = i },
		};
		rank[i].c.report = &rank[i].report;
	}
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
	CHECK_EQ(fake.maps, 0);
	fclose(null);
}

static void *run(void *arg)
{
	struct rank *r = arg;

	r->ret = ring_run(&r->c, &r->t);
	return NULL;
}

static void run_all(unsigned int ranks)
{
	pthread_t thread[8];
	unsigned int i;

	fake_start();
	for (i = 0; i < ranks; i++)
		REQUIRE_EQ(pthread_create(&thread[i], NULL, run, &rank[i]), 0);
	for (i = 0; i < ranks; i++)
		pthread_join(thread[i], NULL);
	fake_stop();
}

static void all_right(struct data *d, const struct plan *p, uint32_t steps, uint32_t chunk)
{
	uint64_t bytes = (d->file ? d->bytes : p->elements * 4) * steps, moved = 0;
	unsigned int i;

	setup(d, p, steps, chunk);
	run_all(d->ranks);
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
	for (i = 0; i < FAKE_MAX_CQ; i++)
		CHECK(!fake.cq[i].dead);
	teardown(d->ranks);
}

KTAP_TEST(every_number_of_ranks)
{
	struct data d = { .seed = 9 };
	struct plan p;

	REQUIRE_EQ(plan_flat(&p, 100000, 64000), 0);
	for (d.ranks = 2; d.ranks <= 8; d.ranks++) {
		SUBTEST("%u ranks", d.ranks)
			all_right(&d, &p, 2, 1024);
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
			all_right(&d, &p, 5, 16);
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
			all_right(&d, &p, 1, 512);
			plan_free(&p);
		}
	}
	d.bytes = 1;
	SUBTEST("1 byte") {
		REQUIRE_EQ(plan_flat(&p, 1, 20000), 0);
		all_right(&d, &p, 1, 512);
		plan_free(&p);
	}
}

/* A transfer fails: it is counted as lost, and no rank hangs. */
KTAP_TEST(a_lost_transfer)
{
	struct data d = { .seed = 9, .ranks = 3 };
	uint64_t lost = 0;
	struct plan p;
	int i;

	REQUIRE_EQ(plan_flat(&p, 100000, 64000), 0);
	setup(&d, &p, 1, 1024);
	fake.fail_status = PNIC_ST_LINK;
	run_all(3);
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
	run_all(2);
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
	run_all(2);
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

/* A card that stops: after the time allowed the job gives up and says what is lost. */
KTAP_TEST(a_frozen_card)
{
	struct data d = { .seed = 9, .ranks = 2 };
	pthread_t thread[2];
	struct plan p;
	int i;

	REQUIRE_EQ(plan_flat(&p, 1000, 64000), 0);
	setup(&d, &p, 1, 128);
	for (i = 0; i < 2; i++) {
		rank[i].c.stall_ms = 600;
		REQUIRE_EQ(pthread_create(&thread[i], NULL, run, &rank[i]), 0);
	}
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	CHECK(rank[0].ret == -ETIMEDOUT || rank[1].ret == -ETIMEDOUT);
	CHECK_GE(rank[0].t.lost, 1);
	CHECK_GE(rank[1].t.lost, 1);
	teardown(2);
	plan_free(&p);
}

KTAP_MAIN()
