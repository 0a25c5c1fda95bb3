// SPDX-License-Identifier: GPL-2.0
/*
 * The all-reduce over embedded cards: library, rings, transport and link as in a guest, without guest
 * and driver. Lanes die while it runs, and are replaced as they are there.
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

static void *run(void *arg)
{
	struct rank *r = arg;

	r->ret = ring_run(&r->c, &r->t);
	return NULL;
}

static double clock_ns(void)
{
	double ns;

	REQUIRE_EQ(pnic_embedded_figure(rank[0].c.ctx, "clock_ns", &ns), 0);
	return ns;
}

static void all_reduce(struct data *d, const struct plan *p, uint32_t chunk, unsigned int kill)
{
	char name[64], dir[] = "/tmp/job-model-XXXXXX", path[64];
	struct timespec nap = { 0, 20000000 };
	double begin = 0, end;
	uint64_t moved = 0;
	FILE *null = fopen("/dev/null", "w");
	pthread_t thread[8];
	unsigned int i;

	REQUIRE(mkdtemp(dir));
	for (i = 0; i < d->ranks; i++) {
		rank[i] = (struct rank) {
			.c = { .data = d, .plan = p, .dir = dir, .rank = i, .ranks = d->ranks, .steps = 1,
			       .chunk = chunk, .start_ms = 20000, .stall_ms = 30000 },
			.report = { .out = null, .json = true, .rank = i },
		};
		rank[i].c.report = &rank[i].report;
		snprintf(name, sizeof(name), "embedded:nics=%u,thread=1,nic=%u", d->ranks, i);
		REQUIRE_EQ(pnic_open(name, NULL, &rank[i].c.ctx), 0);
		if (!i)
			begin = clock_ns();
		REQUIRE_EQ(pthread_create(&thread[i], NULL, run, &rank[i]), 0);
	}
	for (i = 0; i < kill; i++) {
		nanosleep(&nap, NULL);
		CHECK_EQ(pnic_embedded_fault(rank[0].c.ctx, PNIC_EMBEDDED_KILL, 20 * i + 3, 0), 0);
	}
	for (i = 0; i < d->ranks; i++)
		pthread_join(thread[i], NULL);
	end = clock_ns();
	for (i = 0; i < d->ranks; i++) {
		CHECK_EQ(rank[i].ret, 0);
		CHECK_EQ(rank[i].t.verified, p->elements * 4);
		CHECK_EQ(rank[i].t.wrong, 0);
		CHECK_EQ(rank[i].t.lost, 0);
		moved += rank[i].t.moved;
		pnic_close(rank[i].c.ctx);
		snprintf(path, sizeof(path), "%s/rank%u", dir, i);
		unlink(path);
	}
	CHECK_EQ(moved, p->elements * 4 * 2 * (d->ranks - 1));
	ktap_say("%llu bytes, %.3f s, %.3f ms of link time", (unsigned long long)moved, rank[0].t.seconds,
		 (end - begin) / 1e6);
	fclose(null);
	CHECK_OK(rmdir(dir));
}

KTAP_TEST(ranks)
{
	struct data d = { .seed = 3 };
	struct plan p;

	REQUIRE_EQ(plan_flat(&p, 1000003, 1 << 20), 0);
	for (d.ranks = 2; d.ranks <= 8; d.ranks += 3) {
		SUBTEST("%u ranks", d.ranks)
			all_reduce(&d, &p, 16384, 0);
	}
	plan_free(&p);
}

KTAP_TEST(dying_lanes)
{
	struct data d = { .seed = 3, .ranks = 2 };
	struct plan p;

	REQUIRE_EQ(plan_flat(&p, 8000000, 8 << 20), 0);
	all_reduce(&d, &p, 131072, 20);
	plan_free(&p);
}

KTAP_TEST(whole_step)
{
	struct tensor t[RESNET50_TENSORS];
	struct data d = { .seed = 3, .ranks = 2 };
	struct plan p;

	resnet50_tensors(t);
	REQUIRE_EQ(plan_tensors(&p, t, RESNET50_TENSORS, 1 << 20, 25 << 20), 0);
	all_reduce(&d, &p, 131072, 0);
	plan_free(&p);
}

KTAP_MAIN()
