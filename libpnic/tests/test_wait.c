// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Waiting: arming, signals, time-outs, a card that sleeps; alone and with the card in a
 * thread of its own. Built a second time under the thread sanitizer.
 */
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

/* Thousands of round trips to a card in another thread that sleeps whenever it can: none hangs. */
static void round_trips(int32_t spin_us, int count)
{
	struct pnic_wc wc[8];
	int i, n, ret, pending = 0, done = 0;
	unsigned int seed = 1;

	setup(spin_us);
	fake_start();
	for (i = 0; i < count; i++) {
		for (n = rand_r(&seed) % 5 + 1; n; n--, pending++)
			one((uint64_t)i);
		/* Now and then long enough for the card to fall asleep. */
		if (rand_r(&seed) % 16 == 0)
			nanosleep(&(struct timespec) { 0, 300000 }, NULL);
		while (pending) {
			ret = pnic_wait(cq, 20000);
			REQUIRE_EQ(ret, 0);
			n = pnic_poll(cq, wc, rand_r(&seed) % 8 + 1);
			REQUIRE(n > 0);
			pending -= n;
			done += n;
		}
	}
	fake_stop();
	ktap_say("%d transfers, %u wake-ups of the card", done, fake.wakes);
	CHECK_EQ(pending, 0);
	CHECK(!fake.cq[0].dead);
	teardown();
}

KTAP_TEST(card_in_a_thread)
{
	SUBTEST("sleeping at once")
		round_trips(-1, 3000);
	SUBTEST("spinning first")
		round_trips(5, 3000);
}

struct peer {
	const char *name;
	struct pnic_ctx *ctx;
	struct pnic_cq *cq;
	struct pnic_ep *ep;
	struct pnic_addr other;
	int rounds, got;
	bool first;
};

/* One end of a ping-pong: its own context, queue and endpoint, sleeping between the strokes. */
static void *peer_run(void *arg)
{
	struct peer *p = arg;
	struct pnic_wc wc[4];
	int n, i;

	if (p->first) {
		if (pnic_post_send_imm(p->ep, p->other, NULL, 0, 0, 0, 0, PNIC_SQF_SIGNALED))
			return NULL;
		pnic_ring(p->ep);
	}
	while (p->got < p->rounds) {
		if (pnic_wait(p->cq, 20000))
			return NULL;
		n = pnic_poll(p->cq, wc, 4);
		for (i = 0; i < n; i++) {
			if (wc[i].status)
				return NULL;
			if (wc[i].opcode != PNIC_OP_RECV_IMM)
				continue;
			if (wc[i].data != (uint64_t)p->got++)
				return NULL;
			if (pnic_post_recv(p->ep, NULL, 0, 0, 0))
				return NULL;
			pnic_ring_recv(p->ep);
			if (p->first && p->got == p->rounds)
				break;
			if (pnic_post_send_imm(p->ep, p->other, NULL, 0, 0, p->first ? p->got : p->got - 1, 0,
					       PNIC_SQF_SIGNALED))
				return NULL;
			pnic_ring(p->ep);
		}
	}
	return p;
}

static void peer_open(struct peer *p)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = 256, .spin_us = -1 };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 32, .rq_entries = 32, .rnr_timeout_us = 1 };
	int i;

	p->ctx = fake_open(p->name);
	REQUIRE_EQ(pnic_cq_create(p->ctx, &ca, &p->cq), 0);
	ea.send_cq = p->cq;
	REQUIRE_EQ(pnic_ep_create(p->ctx, &ea, &p->ep), 0);
	for (i = 0; i < 16; i++)
		REQUIRE_EQ(pnic_post_recv(p->ep, NULL, 0, 0, 0), 0);
	pnic_ring_recv(p->ep);
}

KTAP_TEST(ping_pong_threads)
{
	struct peer a = { .name = "fake0", .rounds = 1000, .first = true };
	struct peer b = { .name = "fake1", .rounds = 1000 };
	pthread_t ta, tb;
	void *ra, *rb;

	fake_reset();
	peer_open(&a);
	peer_open(&b);
	a.other = b.ep->addr;
	b.other = a.ep->addr;
	fake_start();
	REQUIRE_EQ(pthread_create(&ta, NULL, peer_run, &a), 0);
	REQUIRE_EQ(pthread_create(&tb, NULL, peer_run, &b), 0);
	pthread_join(ta, &ra);
	pthread_join(tb, &rb);
	fake_stop();
	CHECK(ra == &a);
	CHECK(rb == &b);
	ktap_say("%d and %d strokes, %u wake-ups of the card", a.got, b.got, fake.wakes);
	pnic_close(a.ctx);
	pnic_close(b.ctx);
	CHECK_EQ(fake.maps, 0);
}

KTAP_MAIN()
