// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Waiting: arming, signals, time-outs. How it goes with cards that work and sleep: selftests/waiting.c. */
#include <sys/eventfd.h>
#include <time.h>

#include "fakecard.h"
#include "selftests/ktap.h"

static struct pnic_ctx *ctx;
static struct pnic_cq *cq;
static struct pnic_ep *ep;

static void setup(int32_t spin_us)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = 256, .spin_us = spin_us };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 64, .rq_entries = 64, .rnr_timeout_us = 1 };

	fake_reset();
	ctx = fake_open("fake0");
	REQUIRE_EQ(pnic_cq_create(ctx, &ca, &cq), 0);
	ea.send_cq = cq;
	REQUIRE_EQ(pnic_ep_create(ctx, &ea, &ep), 0);
}

static void teardown(void)
{
	pnic_close(ctx);
	CHECK_EQ(fake.maps, 0);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static uint64_t signals(void)
{
	uint64_t n = 0;

	if (read(pnic_cq_fd(cq), &n, sizeof(n)) < 0)
		return 0;
	return n;
}

static void one(uint64_t cookie)
{
	REQUIRE_EQ(pnic_post_flush(ep, cookie, PNIC_SQF_SIGNALED), 0);
	pnic_ring(ep);
}

KTAP_TEST(arming)
{
	struct pnic_wc wc[4];
	uint64_t slot;

	setup(-1);
	CHECK_EQ(pnic_arm(cq), 0);
	slot = *cq->db;
	CHECK_EQ(slot, PNIC_DB_CQ_ARM);
	while (fake_step())
		;
	CHECK_EQ(signals(), 0);
	one(1);
	one(2);
	while (fake_step())
		;
	CHECK_EQ(signals(), 1);
	/* Armed for an entry that is there: the caller is told, the slot holds. */
	CHECK_EQ(pnic_arm(cq), 1);
	CHECK_EQ(*cq->db, slot);
	CHECK_EQ(pnic_poll(cq, wc, 1), 1);
	CHECK_EQ(pnic_arm(cq), 1);
	CHECK_EQ(*cq->db, PNIC_DB_CQ_ARM | 1);
	while (fake_step())
		;
	CHECK_EQ(signals(), 1);
	CHECK_EQ(pnic_poll(cq, wc, 4), 1);
	CHECK_EQ(pnic_arm(cq), 0);
	while (fake_step())
		;
	CHECK_EQ(signals(), 0);
	teardown();
}

KTAP_TEST(timeouts)
{
	int64_t start;

	setup(0);
	start = now_ms();
	CHECK_EQ(pnic_wait(cq, 0), -ETIMEDOUT);
	CHECK_LT(now_ms() - start, 1000);
	CHECK_EQ(pnic_wait(cq, 30), -ETIMEDOUT);
	CHECK_GE(now_ms() - start, 29);
	CHECK_LT(now_ms() - start, 2000);
	one(1);
	fake_step();
	CHECK_EQ(pnic_wait(cq, 0), 0);
	CHECK_EQ(pnic_wait(cq, -1), 0);
	teardown();
	/* Also for who would rather spin. */
	setup(60 * 1000000);
	start = now_ms();
	CHECK_EQ(pnic_wait(cq, 30), -ETIMEDOUT);
	CHECK_GE(now_ms() - start, 29);
	CHECK_LT(now_ms() - start, 20000);
	teardown();
}

/* The card was reset while the process sleeps: it is told, not left. */
KTAP_TEST(dead_card)
{
	int64_t start;

	setup(-1);
	((struct pnic_status_page *)(uintptr_t)ctx->status)->epoch++;
	start = now_ms();
	CHECK_EQ(pnic_wait(cq, -1), -EIO);
	CHECK_LT(now_ms() - start, 5000);
	/* What had completed before is still there. */
	one(1);
	fake_step();
	CHECK_EQ(pnic_wait(cq, -1), 0);
	teardown();
}

KTAP_TEST(own_eventfd)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = 64 };
	struct pnic_cq *mine, *none;

	setup(0);
	ca.flags = PNIC_CQ_EVENTFD;
	ca.eventfd = eventfd(0, EFD_NONBLOCK);
	REQUIRE_EQ(pnic_cq_create(ctx, &ca, &mine), 0);
	CHECK_EQ(pnic_cq_fd(mine), ca.eventfd);
	CHECK_EQ(pnic_cq_destroy(mine), 0);
	/* It is the caller's and still open. */
	CHECK_EQ(close(ca.eventfd), 0);
	ca.flags = PNIC_CQ_EVENTS;
	REQUIRE_EQ(pnic_cq_create(ctx, &ca, &none), 0);
	CHECK_EQ(pnic_cq_fd(none), -1);
	CHECK_EQ(pnic_wait(none, 10), -EOPNOTSUPP);
	CHECK_EQ(pnic_arm(none), 0);
	teardown();
}

static void on_signal(int sig)
{
	(void)sig;
}

/* Signals all the time: the wait neither ends early nor fails. */
struct pest {
	pthread_t victim;
	bool stop;
};

static void *pest_run(void *arg)
{
	struct timespec nap = { 0, 1000000 };
	struct pest *p = arg;

	while (!__atomic_load_n(&p->stop, __ATOMIC_ACQUIRE)) {
		pthread_kill(p->victim, SIGUSR1);
		nanosleep(&nap, NULL);
	}
	return NULL;
}

KTAP_TEST(interrupted)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct pest pest = { .victim = pthread_self() };
	pthread_t thread;
	int64_t start;

	setup(0);
	sigaction(SIGUSR1, &sa, NULL);
	REQUIRE_EQ(pthread_create(&thread, NULL, pest_run, &pest), 0);
	start = now_ms();
	CHECK_EQ(pnic_wait(cq, 100), -ETIMEDOUT);
	CHECK_GE(now_ms() - start, 99);
	__atomic_store_n(&pest.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	teardown();
}

KTAP_MAIN()
