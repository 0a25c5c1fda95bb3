// SPDX-License-Identifier: GPL-2.0
/*
 * Operations beyond plain transfers, between two NICs through libpnic: writes with a signal, counters, transfers
 * that nobody signals, shared receive queues, cancelled receives, the longest transfer.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <pnic_embedded.h>

#include "device.h"
#include "ktap.h"
#include "nomem.h"
#include "traffic.h"

#define MEM	(2ul << 20)
#define WAIT_MS	20000

static struct end a, b;		/* on NIC 0 and NIC 1 */

static void close_both(void)
{
	end_close(&a);
	end_close(&b);
}

static void open_both(uint64_t needs)
{
	const struct end_attr attr = { .size = MEM, .rnr_timeout_us = 2000000 };
	struct pnic_ioc_info info = { .size = sizeof(info) };
	int err;

	need_cards(2);
	close_both();
	err = end_open(&a, 0, &attr);
	if (!err)
		err = end_open(&b, 1, &attr);
	if (err)
		ktap_say("%s", pnic_last_error());
	REQUIRE_EQ(err, 0);
	REQUIRE_EQ(pnic_query(a.ctx, &info), 0);
	if ((info.features & needs) != needs)
		SKIP("the card can't");
}

static struct pnic_ctr *new_ctr(struct pnic_ctx *ctx, struct pnic_ep *ep, uint32_t kinds)
{
	struct pnic_ctr_attr attr = { .size = sizeof(attr) };
	struct pnic_ctr *ctr = NULL;

	REQUIRE_EQ(pnic_ctr_create(ctx, &attr, &ctr), 0);
	CHECK_EQ(pnic_ctr_ok(ctr), 0);
	if (ep)
		REQUIRE_EQ(pnic_ctr_bind(ep, ctr, kinds), 0);
	return ctr;
}

static int post_write(uint64_t to, uint32_t len, uint64_t cookie, unsigned int flags)
{
	return pnic_post_write(a.ep, b.addr, a.mem, len, a.mr->key, (uintptr_t)b.mem + to, b.mr->key, cookie, flags);
}

/* An error's completion of the send side of @a. */
static void expect_status(uint8_t status)
{
	CHECK_EQ(end_status(&a, WAIT_MS), status);
}

static uint64_t load(const void *p)
{
	return __atomic_load_n((const uint64_t *)p, __ATOMIC_ACQUIRE);
}

/* --- signals ---- */

static uint64_t *word(void)
{
	return (uint64_t *)(void *)(b.mem + MEM - 64);
}

static struct pnic_sig sig_of(uint32_t op, uint64_t value)
{
	return (struct pnic_sig) { .addr = (uintptr_t)word(), .key = b.mr->key, .value = value, .op = op };
}

static int put(uint32_t len, const struct pnic_sig *sig, uint64_t cookie, unsigned int flags)
{
	return pnic_post_write_signal(a.ep, b.addr, a.mem, len, a.mr->key, (uintptr_t)b.mem, b.mr->key, sig, cookie,
				      flags);
}

KTAP_TEST(put_with_signal)
{
	static const uint32_t sizes[] = { 0, 1, 7, 8, 16, 17, 80, 81, 208, 4096, 4097, 65536, 1000001 };
	struct pnic_sig sig;
	struct pnic_wc wc;
	uint64_t want = 0;
	unsigned int i, inl;

	open_both(PNIC_FEAT_SIGNAL);
	for (inl = 0; inl < 2; inl++) {
		for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			if (inl && sizes[i] > PNIC_SQE_MAX_INLINE - 64)
				continue;
			SUBTEST("%s%u bytes, seen by looking at the word", inl ? "inline, " : "", sizes[i]) {
				sig = sig_of(PNIC_SIGNAL_ADD, i + 1);
				pattern_fill(a.mem, sizes[i], i);
				memset(b.mem, 0, sizes[i] + 64);
				REQUIRE_EQ(put(sizes[i], &sig, i, PNIC_SQF_SIGNALED | (inl ? PNIC_SQF_INLINE : 0)), 0);
				pnic_ring(a.ep);
				want += i + 1;
				while (load(word()) != want)
					REQUIRE(!pnic_ctx_dead(a.ctx));
				CHECK_EQ(pattern_check(b.mem, sizes[i], i), sizes[i]);
				CHECK_EQ(byte_check(b.mem + sizes[i], 64, 0), 64);
				REQUIRE_EQ(end_wait(&a, &wc, WAIT_MS), 0);
				CHECK_EQ(wc.status, PNIC_ST_OK);
				CHECK_EQ(wc.opcode, PNIC_OP_WRITE_SIGNAL);
				CHECK_EQ(wc.length, sizes[i]);
				CHECK_EQ(wc.cookie, i);
			}
		}
	}
	SUBTEST("set") {
		sig = sig_of(PNIC_SIGNAL_SET, ~5ull);
		REQUIRE_EQ(put(8, &sig, 1, PNIC_SQF_SIGNALED), 0);
		pnic_ring(a.ep);
		expect_status(PNIC_ST_OK);
		CHECK_EQ(load(word()), ~5ull);
	}
	SUBTEST("refused before it is posted") {
		sig = sig_of(2, 1);
		CHECK_EQ(put(8, &sig, 1, 0), -EINVAL);
		sig = sig_of(PNIC_SIGNAL_ADD, 1);
		CHECK_EQ(put(PNIC_SQE_MAX_INLINE - 63, &sig, 1, PNIC_SQF_INLINE), -E2BIG);
		CHECK_EQ(put(UINT32_MAX, &sig, 1, PNIC_SQF_INLINE), -E2BIG);
	}
	SUBTEST("a put that fails gives no signal") {
		sig = sig_of(PNIC_SIGNAL_SET, 99);
		*word() = 1;
		REQUIRE_EQ(pnic_post_write_signal(a.ep, b.addr, a.mem, 8, a.mr->key, (uintptr_t)b.mem + MEM, b.mr->key,
						  &sig, 3, 0), 0);
		pnic_ring(a.ep);
		expect_status(PNIC_ST_REMOTE_BOUNDS);
		sig.key ^= 1ull << 40;
		REQUIRE_EQ(put(8, &sig, 4, 0), 0);
		sig = sig_of(PNIC_SIGNAL_SET, 99);
		sig.addr += 4;
		REQUIRE_EQ(put(8, &sig, 5, 0), 0);
		pnic_ring(a.ep);
		expect_status(PNIC_ST_REMOTE_KEY);
		expect_status(PNIC_ST_ALIGN);
		CHECK_EQ(*word(), 1);
	}
	close_both();
}

/* A strong signal comes after everything before it, also what was for another endpoint, and reads. */
KTAP_TEST(strong_signal)
{
	struct pnic_addr other;
	struct pnic_ep *more;
	struct pnic_sig sig;
	unsigned int i, n;
	uint64_t before;

	open_both(PNIC_FEAT_SIGNAL);
	REQUIRE_EQ(pnic_ep_reset(b.ep), 0);
	pnic_ep_destroy(b.ep);
	REQUIRE_EQ(end_add_ep(&b, 64, 64, &more), 0);
	pnic_ep_addr(more, &other);
	REQUIRE_EQ(end_add_ep(&b, 64, 64, &b.ep), 0);
	pnic_ep_addr(b.ep, &b.addr);
	for (i = 0; i < 20; i++) {
		memset(a.mem, i + 1, MEM / 2);
		n = 500000 + 1000 * i;
		REQUIRE_EQ(pnic_post_write(a.ep, other, a.mem, n, a.mr->key, (uintptr_t)b.mem, b.mr->key, 1, 0), 0);
		REQUIRE_EQ(pnic_post_read(a.ep, other, a.mem + MEM / 2, 4096, a.mr->key, (uintptr_t)b.mem, b.mr->key, 2, 0), 0);
		sig = sig_of(PNIC_SIGNAL_ADD, 1);
		before = load(word());
		REQUIRE_EQ(put(0, &sig, 3, PNIC_SQF_FENCE | PNIC_SQF_SIGNALED), 0);
		pnic_ring(a.ep);
		while (load(word()) == before)
			REQUIRE(!pnic_ctx_dead(a.ctx));
		CHECK_EQ(byte_check(b.mem, n, i + 1), n);
		expect_status(PNIC_ST_OK);
	}
	close_both();
}

/* --- completions that nobody takes ---- */

/* Many times the ring, none of them signalled: polling gives room and shows nothing. */
KTAP_TEST(unsignalled_for_ever)
{
	const unsigned int n = 20 * 256;
	struct pnic_ctr *ctr;
	unsigned int i, full = 0;
	struct pnic_wc wc[8];

	open_both(PNIC_FEAT_QUIET | PNIC_FEAT_COUNTER);
	ctr = new_ctr(a.ctx, a.ep, PNIC_CTR_WRITE);
	for (i = 0; i < n; i++) {
		while (post_write(64 * (i % 1000), 64, i, 0) == -EAGAIN) {
			full++;
			pnic_ring(a.ep);
			REQUIRE_EQ(pnic_poll(a.cq, wc, 8), 0);
		}
	}
	pnic_ring(a.ep);
	CHECK_NE(full, 0);
	REQUIRE_EQ(pnic_ctr_wait(ctr, n, WAIT_MS), 0);
	CHECK_EQ(pnic_ctr_ok(ctr), n);
	CHECK_EQ(pnic_ctr_failed(ctr), 0);
	CHECK_EQ(pnic_poll(a.cq, wc, 8), 0);
	SUBTEST("descriptors of five slots as well") {
		static const uint8_t bytes[PNIC_SQE_MAX_INLINE];

		for (i = 0; i < 500; i++) {
			while (pnic_post_write(a.ep, b.addr, bytes, sizeof(bytes), 0, (uintptr_t)b.mem, b.mr->key, i,
					       PNIC_SQF_INLINE) == -EAGAIN) {
				pnic_ring(a.ep);
				REQUIRE_EQ(pnic_poll(a.cq, wc, 8), 0);
			}
		}
		pnic_ring(a.ep);
		CHECK_EQ(pnic_ctr_wait(ctr, n + 500, WAIT_MS), 0);
	}
	SUBTEST("a failed one shows") {
		REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem, 777, a.mr->key, (uintptr_t)b.mem, b.mr->key ^ 1ull << 60,
					   42, 0), 0);
		pnic_ring(a.ep);
		REQUIRE_EQ(end_wait(&a, &wc[0], WAIT_MS), 0);
		CHECK_EQ(wc[0].cookie, 42);
		CHECK_EQ(wc[0].status, PNIC_ST_REMOTE_KEY);
	}
	close_both();
}

KTAP_TEST(one_doorbell_for_a_batch)
{
	struct pnic_wc wc;
	unsigned int i;

	open_both(0);
	pattern_fill(a.mem, 200 * 512, 3);
	memset(b.mem, 0, 200 * 512);
	for (i = 0; i < 200; i++)
		REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem + 512 * i, 512, a.mr->key, (uintptr_t)b.mem + 512 * i,
					   b.mr->key, i, i == 199 ? PNIC_SQF_SIGNALED : 0), 0);
	CHECK_EQ(end_quiet(&a, 50), true);
	CHECK_EQ(byte_check(b.mem, 200 * 512, 0), 200 * 512);
	pnic_ring(a.ep);
	REQUIRE_EQ(end_wait(&a, &wc, WAIT_MS), 0);
	CHECK_EQ(wc.cookie, 199);
	CHECK_EQ(pattern_check(b.mem, 200 * 512, 3), 200 * 512);
	close_both();
}

/* --- counters ---- */

static void *later(void *arg)
{
	sleep_ms(100);
	REQUIRE_EQ(post_write(0, 4096, 1, 0), 0);
	pnic_ring(a.ep);
	return arg;
}

KTAP_TEST(counters)
{
	struct pnic_ctr *sent, *arrived;
	struct pnic_ep *ep;
	struct pnic_wc wc;
	unsigned int i;
	pthread_t id;

	open_both(PNIC_FEAT_COUNTER);
	sent = new_ctr(a.ctx, a.ep, PNIC_CTR_WRITE | PNIC_CTR_SEND);
	arrived = new_ctr(b.ctx, b.ep, PNIC_CTR_REMOTE_WRITE);
	SUBTEST("wait for fifty without a completion") {
		for (i = 0; i < 50; i++)
			REQUIRE_EQ(post_write(4096 * i, 4096, i, 0), 0);
		pnic_ring(a.ep);
		CHECK_EQ(pnic_ctr_wait(sent, 50, WAIT_MS), 0);
		CHECK_EQ(pnic_ctr_wait(arrived, 50, WAIT_MS), 0);
		CHECK_EQ(pnic_ctr_ok(sent), 50);
	}
	SUBTEST("nothing comes") {
		CHECK_EQ(pnic_ctr_wait(sent, 51, 0), -ETIMEDOUT);
		CHECK_EQ(pnic_ctr_wait(sent, 51, 100), -ETIMEDOUT);
		CHECK_EQ(pnic_ctr_wait(sent, UINT64_MAX, 10), -ETIMEDOUT);
	}
	SUBTEST("asleep when it comes, at either end") {
		REQUIRE_EQ(pthread_create(&id, NULL, later, NULL), 0);
		CHECK_EQ(pnic_ctr_wait(arrived, 51, WAIT_MS), 0);
		pthread_join(id, NULL);
		CHECK_EQ(pnic_ctr_wait(sent, 51, WAIT_MS), 0);
		REQUIRE_EQ(pthread_create(&id, NULL, later, NULL), 0);
		CHECK_EQ(pnic_ctr_wait(sent, 52, WAIT_MS), 0);
		pthread_join(id, NULL);
	}
	SUBTEST("in one's own loop") {
		struct pollfd pfd = { .fd = pnic_ctr_fd(sent), .events = POLLIN };
		uint64_t n;

		CHECK_EQ(pnic_ctr_arm(sent, 52), 1);
		if (poll(&pfd, 1, WAIT_MS) == 1)
			CHECK_EQ(read(pfd.fd, &n, sizeof(n)), (ssize_t)sizeof(n));
		CHECK_EQ(pnic_ctr_arm(sent, 53), 0);
		CHECK_EQ(poll(&pfd, 1, 50), 0);
		REQUIRE_EQ(post_write(0, 8, 1, 0), 0);
		pnic_ring(a.ep);
		CHECK_EQ(poll(&pfd, 1, WAIT_MS), 1);
		CHECK_EQ(pnic_ctr_ok(sent), 53);
		CHECK_EQ(read(pfd.fd, &n, sizeof(n)), (ssize_t)sizeof(n));
	}
	SUBTEST("reset, and a failure") {
		pnic_ctr_reset(sent);
		CHECK_EQ(pnic_ctr_ok(sent), 0);
		REQUIRE_EQ(post_write(0, 8, 1, 0), 0);
		REQUIRE_EQ(post_write(MEM - 4, 8, 2, 0), 0);
		pnic_ring(a.ep);
		CHECK_EQ(pnic_ctr_wait(sent, 2, WAIT_MS), -EREMOTEIO);
		CHECK_EQ(pnic_ctr_ok(sent), 1);
		CHECK_EQ(pnic_ctr_failed(sent), 1);
		REQUIRE_EQ(end_wait(&a, &wc, WAIT_MS), 0);
		CHECK_EQ(wc.cookie, 2);
		CHECK_EQ(wc.status, PNIC_ST_REMOTE_BOUNDS);
		pnic_ctr_reset(sent);
		CHECK_EQ(pnic_ctr_failed(sent), 0);
		REQUIRE_EQ(post_write(0, 8, 1, 0), 0);
		pnic_ring(a.ep);
		CHECK_EQ(pnic_ctr_wait(sent, 1, WAIT_MS), 0);
	}
	SUBTEST("one for two endpoints, and none after unbinding") {
		REQUIRE_EQ(pnic_ep_reset(a.ep), 0);
		REQUIRE_EQ(pnic_ctr_bind(a.ep, NULL, PNIC_CTR_WRITE | PNIC_CTR_SEND), 0);
		pnic_ctr_reset(sent);
		REQUIRE_EQ(post_write(0, 8, 1, PNIC_SQF_SIGNALED), 0);
		pnic_ring(a.ep);
		expect_status(PNIC_ST_OK);
		CHECK_EQ(pnic_ctr_ok(sent), 0);
		REQUIRE_EQ(pnic_ctr_bind(a.ep, sent, PNIC_CTR_READ), 0);
		CHECK_EQ(pnic_ctr_destroy(sent), -EBUSY);
		REQUIRE_EQ(pnic_post_read(a.ep, b.addr, a.mem, 100, a.mr->key, (uintptr_t)b.mem, b.mr->key, 1, 0), 0);
		pnic_ring(a.ep);
		CHECK_EQ(pnic_ctr_wait(sent, 1, WAIT_MS), 0);
		ep = a.ep;
		a.ep = NULL;
		REQUIRE_EQ(pnic_ep_destroy(ep), 0);
		CHECK_EQ(pnic_ctr_destroy(sent), 0);
	}
	close_both();
}

/* --- shared receive queues ---- */

#define SHARERS	16
#define DEEP	32

static struct pnic_srq *srq;
static struct pnic_ep *sharer[SHARERS];

static void open_shared(struct pnic_cq **cqs, unsigned int ncqs)
{
	struct pnic_srq_attr sa = { .size = sizeof(sa), .entries = DEEP };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 16 };
	unsigned int i;

	REQUIRE_EQ(pnic_srq_create(b.ctx, &sa, &srq), 0);
	CHECK_EQ(srq->entries, DEEP);
	for (i = 0; i < ncqs; i++) {
		struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = DEEP + 16 * SHARERS };

		REQUIRE_EQ(pnic_cq_create(b.ctx, &ca, &cqs[i]), 0);
	}
	for (i = 0; i < SHARERS; i++) {
		ea.send_cq = cqs[i % ncqs];
		ea.srq = srq;
		REQUIRE_EQ(pnic_ep_create(b.ctx, &ea, &sharer[i]), 0);
	}
}

static void give(unsigned int from, unsigned int n)
{
	unsigned int i;

	for (i = from; i < from + n; i++)
		REQUIRE_EQ(pnic_srq_post(srq, b.mem + 4096 * (i % DEEP), 4096, b.mr->key, i), 0);
	pnic_srq_ring(srq);
}

static void send_one(unsigned int to, uint32_t len)
{
	struct pnic_wc wc;

	REQUIRE_EQ(pnic_post_send(a.ep, sharer[to]->addr, a.mem, len, a.mr->key, to, PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
	REQUIRE_EQ(end_wait(&a, &wc, WAIT_MS), 0);
	CHECK_EQ(wc.status, PNIC_ST_OK);
}

static void take(struct pnic_cq *cq, unsigned int to, uint64_t cookie, uint32_t len)
{
	struct pnic_wc wc = { 0 };

	while (!pnic_poll(cq, &wc, 1))
		REQUIRE_EQ(pnic_wait(cq, WAIT_MS), 0);
	CHECK_EQ(wc.status, PNIC_ST_OK);
	CHECK_EQ(wc.opcode, PNIC_OP_RECV);
	CHECK_EQ(wc.cookie, cookie);
	CHECK_EQ(wc.length, len);
	CHECK(wc.ep == sharer[to]);
}

KTAP_TEST(shared_receive_queue)
{
	struct pnic_srq_attr sa = { .size = sizeof(sa), .entries = DEEP };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 16 };
	struct pnic_cq *cq[2], *small;
	struct pnic_ep *extra;
	struct pnic_wc wc[DEEP];
	unsigned int i, k;

	open_both(PNIC_FEAT_SRQ);
	open_shared(cq, 2);
	pattern_fill(a.mem, 4096, 1);
	SUBTEST("messages to all of them, many times around the ring") {
		give(0, DEEP);
		for (i = 0; i < 20 * DEEP; i++) {
			k = i * 7 % SHARERS;
			memset(b.mem + 4096 * (i % DEEP), 0, 4096);
			send_one(k, 1000 + i);
			take(cq[k % 2], k, i, 1000 + i);
			CHECK_EQ(pattern_check(b.mem + 4096 * (i % DEEP), 1000 + i, 1), 1000 + i);
			give(DEEP + i, 1);
		}
		CHECK_EQ(pnic_srq_post(srq, b.mem, 1, b.mr->key, 0), -EAGAIN);
	}
	SUBTEST("all its entries can be in one completion queue") {
		for (i = 0; i < DEEP; i++)
			send_one(2 * (i % (SHARERS / 2)), 8);
		for (i = 0; i < DEEP; i++)
			take(cq[0], 2 * (i % (SHARERS / 2)), 20 * DEEP + i, 8);
		give(0, DEEP);
	}
	SUBTEST("a completion queue must have room for all of it") {
		struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = 20 };

		REQUIRE_EQ(pnic_cq_create(b.ctx, &ca, &small), 0);
		ea.send_cq = small;
		ea.srq = srq;
		CHECK_EQ(pnic_ep_create(b.ctx, &ea, &extra), -ENOSPC);
		CHECK_EQ(pnic_cq_destroy(small), 0);
	}
	SUBTEST("an endpoint goes with receives not polled: their places come back when they are") {
		for (i = 0; i < 4; i++)
			send_one(3, 8);
		REQUIRE_EQ(pnic_ep_destroy(sharer[3]), 0);
		CHECK_EQ(pnic_srq_post(srq, b.mem, 1, b.mr->key, 0), -EAGAIN);
		CHECK_EQ(pnic_poll(cq[1], wc, DEEP), 0);
		for (i = 0; i < 4; i++)
			CHECK_EQ(pnic_srq_post(srq, b.mem, 4096, b.mr->key, 900 + i), 0);
		CHECK_EQ(pnic_srq_post(srq, b.mem, 1, b.mr->key, 0), -EAGAIN);
		pnic_srq_ring(srq);
	}
	SUBTEST("in use it stays") {
		CHECK_EQ(pnic_srq_destroy(srq), -EBUSY);
		for (i = 0; i < SHARERS; i++)
			if (i != 3)
				REQUIRE_EQ(pnic_ep_destroy(sharer[i]), 0);
		CHECK_EQ(pnic_cq_destroy(cq[0]), 0);
		CHECK_EQ(pnic_cq_destroy(cq[1]), 0);
		CHECK_EQ(pnic_srq_destroy(srq), 0);
	}
	SUBTEST("bad input") {
		CHECK_EQ(pnic_srq_create(NULL, &sa, &srq), -EINVAL);
		CHECK_EQ(pnic_srq_create(b.ctx, NULL, &srq), -EINVAL);
		CHECK_EQ(pnic_srq_create(b.ctx, &sa, NULL), -EINVAL);
		sa.entries = 0;
		CHECK_EQ(pnic_srq_create(b.ctx, &sa, &srq), -EINVAL);
		sa.entries = UINT32_MAX;
		CHECK_EQ(pnic_srq_create(b.ctx, &sa, &srq), -E2BIG);
		sa.entries = 4;
		sa.flags = 1;
		CHECK_EQ(pnic_srq_create(b.ctx, &sa, &srq), -EINVAL);
		sa.flags = 0;
		sa.rsvd = 1;
		CHECK_EQ(pnic_srq_create(b.ctx, &sa, &srq), -EINVAL);
		sa.rsvd = 0;
		sa.size = 8;
		CHECK_EQ(pnic_srq_create(b.ctx, &sa, &srq), -EINVAL);
		sa.size = sizeof(sa);
		REQUIRE_EQ(pnic_srq_create(b.ctx, &sa, &srq), 0);
		ea.send_cq = b.cq;
		ea.srq = srq;
		ea.rq_entries = 4;
		CHECK_EQ(pnic_ep_create(b.ctx, &ea, &extra), -EINVAL);
		ea.rq_entries = 0;
		ea.send_cq = a.cq;
		CHECK_EQ(pnic_ep_create(a.ctx, &ea, &extra), -EINVAL);
		CHECK_EQ(pnic_srq_destroy(NULL), 0);
		CHECK_EQ(pnic_srq_destroy(srq), 0);
	}
	close_both();
}

/* --- cancelling ---- */

static void deliver(uint64_t cookie)
{
	struct pnic_wc wc;

	REQUIRE_EQ(pnic_post_send(a.ep, b.addr, a.mem, 8, a.mr->key, 1, PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
	REQUIRE_EQ(end_wait(&b, &wc, WAIT_MS), 0);
	CHECK_EQ(wc.status, PNIC_ST_OK);
	CHECK_EQ(wc.cookie, cookie);
	expect_status(PNIC_ST_OK);
}

KTAP_TEST(cancel)
{
	unsigned int i, round, n = 256;
	struct pnic_wc wc[4];
	struct pnic_cq *cq;

	open_both(PNIC_FEAT_CANCEL);
	/* More than the ring has in all, so that every place is used again. */
	for (round = 0; round < 4; round++) {
		SUBTEST("every third of a full ring, round %u", round) {
			for (i = 0; i < n; i++)
				REQUIRE_EQ(pnic_post_recv(b.ep, b.mem, 64, b.mr->key, 1000 * round + i), 0);
			CHECK_EQ(pnic_post_recv(b.ep, b.mem, 64, b.mr->key, 0), -EAGAIN);
			pnic_ring_recv(b.ep);
			for (i = 0; i < n; i += 3)
				CHECK_EQ(pnic_recv_cancel(b.ep, 1000 * round + i), 0);
			CHECK_EQ(pnic_recv_cancel(b.ep, 1000 * round), -ENOENT);
			for (i = 0; i < n; i++)
				if (i % 3)
					deliver(1000 * round + i);
			CHECK_EQ(pnic_recv_cancel(b.ep, 1000 * round + 1), -ENOENT);
		}
	}
	SUBTEST("the oldest of several, those that were not rung never") {
		for (i = 0; i < 3; i++)
			REQUIRE_EQ(pnic_post_recv(b.ep, b.mem + 64 * i, 64, b.mr->key, 7), 0);
		CHECK_EQ(pnic_recv_cancel(b.ep, 7), -ENOENT);
		pnic_ring_recv(b.ep);
		CHECK_EQ(pnic_recv_cancel(b.ep, 7), 0);
		memset(b.mem, 0, 256);
		memset(a.mem, 1, 8);
		deliver(7);
		CHECK_EQ(byte_check(b.mem, 64, 0), 64);
		CHECK_EQ(byte_check(b.mem + 64, 8, 1), 8);
		CHECK_EQ(pnic_recv_cancel(b.ep, 7), 0);
		CHECK_EQ(pnic_recv_cancel(b.ep, 7), -ENOENT);
		CHECK_EQ(pnic_poll(b.cq, wc, 4), 0);
	}
	SUBTEST("after a reset of the endpoint") {
		for (i = 0; i < 3; i++)
			REQUIRE_EQ(pnic_post_recv(b.ep, b.mem, 64, b.mr->key, i), 0);
		pnic_ring_recv(b.ep);
		CHECK_EQ(pnic_recv_cancel(b.ep, 1), 0);
		REQUIRE_EQ(pnic_ep_reset(b.ep), 0);
		CHECK_EQ(pnic_poll(b.cq, wc, 4), 2);
		CHECK_EQ(wc[0].status, PNIC_ST_FLUSHED);
		CHECK_EQ(wc[1].cookie, 2);
		for (i = 0; i < n; i++)
			REQUIRE_EQ(pnic_post_recv(b.ep, b.mem, 64, b.mr->key, i), 0);
		CHECK_EQ(pnic_post_recv(b.ep, b.mem, 64, b.mr->key, 0), -EAGAIN);
		pnic_ring_recv(b.ep);
		for (i = 0; i < n; i++)
			deliver(i);
	}
	SUBTEST("in a shared queue") {
		open_shared(&cq, 1);
		give(0, 4);
		CHECK_EQ(pnic_srq_cancel(srq, 1), 0);
		CHECK_EQ(pnic_srq_cancel(srq, 1), -ENOENT);
		CHECK_EQ(pnic_recv_cancel(sharer[0], 0), -ENOENT);
		send_one(5, 8);
		send_one(6, 8);
		take(cq, 5, 0, 8);
		take(cq, 6, 2, 8);
		give(4, DEEP - 1);
		CHECK_EQ(pnic_srq_post(srq, b.mem, 1, b.mr->key, 0), -EAGAIN);
	}
	SUBTEST("bad input") {
		CHECK_EQ(pnic_recv_cancel(NULL, 0), -EINVAL);
		CHECK_EQ(pnic_srq_cancel(NULL, 0), -EINVAL);
	}
	close_both();
}

/* --- what is said of failures ---- */

KTAP_TEST(failures_are_told_in_full)
{
	struct pnic_addr nobody = { 0xabcdef, 5 };
	struct pnic_wc wc;
	char text[200];

	open_both(0);
	REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem, 4321, a.mr->key, (uintptr_t)b.mem, b.mr->key ^ 1ull << 60, 9, 0), 0);
	pnic_ring(a.ep);
	REQUIRE_EQ(end_wait(&a, &wc, WAIT_MS), 0);
	CHECK_EQ(wc.status, PNIC_ST_REMOTE_KEY);
	CHECK_EQ(wc.opcode, PNIC_OP_WRITE);
	CHECK_EQ(wc.length, 4321);
	CHECK_EQ(wc.peer_nic, b.addr.nic);
	CHECK_EQ(wc.peer_ep, b.addr.ep);
	CHECK(strstr(pnic_wc_str(&wc, text, sizeof(text)), "write of 4321 bytes to 0x000102/"));
	CHECK(strstr(text, " endpoint "));
	CHECK(strstr(text, pnic_status_str(PNIC_ST_REMOTE_KEY)));
	CHECK_EQ(strlen(pnic_wc_str(&wc, text, 10)), 9);
	REQUIRE_EQ(pnic_post_send(a.ep, nobody, a.mem, 11, a.mr->key, 9, 0), 0);
	pnic_ring(a.ep);
	REQUIRE_EQ(end_wait(&a, &wc, WAIT_MS), 0);
	CHECK_EQ(wc.length, 11);
	CHECK(strstr(pnic_wc_str(&wc, text, sizeof(text)), "send of 11 bytes to 0xabcdef/5: "));
	close_both();
}

KTAP_TEST(bad_counters)
{
	struct pnic_ctr_attr attr = { .size = sizeof(attr) };
	struct pnic_ctr *ctr, *other;

	open_both(PNIC_FEAT_COUNTER);
	CHECK_EQ(pnic_ctr_create(NULL, &attr, &ctr), -EINVAL);
	CHECK_EQ(pnic_ctr_create(a.ctx, NULL, &ctr), -EINVAL);
	CHECK_EQ(pnic_ctr_create(a.ctx, &attr, NULL), -EINVAL);
	attr.flags = 2;
	CHECK_EQ(pnic_ctr_create(a.ctx, &attr, &ctr), -EINVAL);
	attr.flags = PNIC_CTR_EVENTFD;
	attr.eventfd = -1;
	CHECK_EQ(pnic_ctr_create(a.ctx, &attr, &ctr), -EINVAL);
	attr.flags = 0;
	attr.spin_us = -2;
	CHECK_EQ(pnic_ctr_create(a.ctx, &attr, &ctr), -EINVAL);
	attr.spin_us = -1;
	attr.size = 4;
	CHECK_EQ(pnic_ctr_create(a.ctx, &attr, &ctr), -EINVAL);
	attr.size = sizeof(attr);
	REQUIRE_EQ(pnic_ctr_create(a.ctx, &attr, &ctr), 0);
	REQUIRE_EQ(pnic_ctr_create(b.ctx, &attr, &other), 0);
	CHECK_EQ(pnic_ctr_bind(NULL, ctr, 1), -EINVAL);
	CHECK_EQ(pnic_ctr_bind(a.ep, ctr, 0), -EINVAL);
	CHECK_EQ(pnic_ctr_bind(a.ep, ctr, 0x80), -EINVAL);
	CHECK_EQ(pnic_ctr_bind(a.ep, other, 1), -EINVAL);
	CHECK_EQ(pnic_ctr_wait(NULL, 1, 0), -EINVAL);
	CHECK_EQ(pnic_ctr_arm(NULL, 1), -EINVAL);
	CHECK_EQ(pnic_ctr_fd(NULL), -1);
	CHECK_EQ(pnic_ctr_wait(ctr, 0, 0), 0);
	CHECK_EQ(pnic_ctr_destroy(NULL), 0);
	CHECK_EQ(pnic_ctr_destroy(ctr), 0);
	CHECK_EQ(pnic_ctr_destroy(other), 0);
	close_both();
}

/* --- the longest transfer ---- */

/* 4 GiB of addresses over one and the same piece of memory. */
static uint8_t *repeat(size_t piece, uint8_t **once)
{
	int fd = memfd_create("pnic-longest", MFD_CLOEXEC);
	uint8_t *at;
	size_t i;

	if (fd < 0 || ftruncate(fd, piece))
		SKIP("no memfd");
	at = mmap(NULL, 1ul << 32, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		SKIP("no address space");
	for (i = 0; i < 1ul << 32; i += piece)
		REQUIRE(mmap(at + i, piece, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED);
	*once = at;
	close(fd);
	return at;
}

KTAP_TEST(longest)
{
	const size_t piece = 64ul << 20;
	const uint32_t len = UINT32_MAX;
	uint8_t *src, *dst, *s1, *d1;
	struct pnic_mr *from, *to;
	struct pnic_wc wc;
	int err;

#ifdef __SANITIZE_THREAD__
	SKIP("too slow under this sanitizer");
#endif
	/* Each page is mapped for DMA 64 times, and the checker takes more than 7 for a leak. */
	if (!access("/sys/kernel/debug/dma-api", F_OK))
		SKIP("the kernel's checker of DMA mappings counts to seven");
	open_both(0);
	src = repeat(piece, &s1);
	dst = repeat(piece, &d1);
	pattern_fill(s1, piece, 8);
	err = pnic_mr_reg(a.ctx, src, 1ul << 32, PNIC_MRF_LOCAL_WRITE, &from);
	if (err == -ENOMEM)
		SKIP("not allowed to lock so much");
	REQUIRE_EQ(err, 0);
	REQUIRE_EQ(pnic_mr_reg(b.ctx, dst, 1ul << 32, ALL_RIGHTS, &to), 0);
	REQUIRE_EQ(pnic_post_write(a.ep, b.addr, src, len, from->key, (uintptr_t)dst, to->key, 1, PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
	REQUIRE_EQ(end_wait(&a, &wc, 6 * WAIT_MS), 0);
	CHECK_EQ(wc.status, PNIC_ST_OK);
	CHECK_EQ(wc.length, len);
	CHECK_EQ(pattern_check(d1, piece, 8), piece);
	SUBTEST("and one byte too far") {
		REQUIRE_EQ(pnic_post_write(a.ep, b.addr, src, len, from->key, (uintptr_t)dst + 2, to->key, 2, 0), 0);
		pnic_ring(a.ep);
		expect_status(PNIC_ST_REMOTE_BOUNDS);
	}
	CHECK_EQ(pnic_mr_dereg(from), 0);
	CHECK_EQ(pnic_mr_dereg(to), 0);
	munmap(src, 1ul << 32);
	munmap(dst, 1ul << 32);
	close_both();
}

/* Out of file descriptors: queues and counters that want one of their own say so, and leave nothing. */
KTAP_TEST(no_descriptors)
{
	const struct pnic_cq_attr cq_attr = { .size = sizeof(cq_attr), .entries = 16 };
	const struct pnic_ctr_attr attr = { .size = sizeof(attr) };
	struct pnic_ctr *ctr = NULL;
	struct pnic_cq *cq = NULL;
	struct pnic_ctx *ctx;
	struct rlimit was;
	char name[64];

	REQUIRE_EQ(pnic_open(dev_name(0, name, sizeof(name)), NULL, &ctx), 0);
	REQUIRE_EQ(no_descriptors_left(&was), 0);
	CHECK_EQ(pnic_ctr_create(ctx, &attr, &ctr), -EMFILE);
	CHECK_EQ(pnic_cq_create(ctx, &cq_attr, &cq), -EMFILE);
	REQUIRE_EQ(setrlimit(RLIMIT_NOFILE, &was), 0);
	CHECK(!ctr && !cq);
	REQUIRE_EQ(pnic_ctr_create(ctx, &attr, &ctr), 0);
	REQUIRE_EQ(pnic_cq_create(ctx, &cq_attr, &cq), 0);
	CHECK_EQ(pnic_ctr_destroy(ctr), 0);
	CHECK_EQ(pnic_cq_destroy(cq), 0);
	pnic_close(ctx);
}

/* A card that fails takes its objects with it: each call on them says so, and all of them can be unmade. */
KTAP_TEST(dead_card)
{
	const struct pnic_srq_attr sa = { .size = sizeof(sa), .entries = 16 };
	const struct pnic_ctr_attr attr = { .size = sizeof(attr), .spin_us = -1 };
	struct pnic_srq *pool, *srq2 = NULL;
	struct pnic_ctr *ctr, *ctr2 = NULL;
	uint64_t end;

	if (!dev_embedded())
		SKIP("broken_card has it, for what the kernel makes of it");
	open_both(PNIC_FEAT_SRQ | PNIC_FEAT_COUNTER | PNIC_FEAT_CANCEL);
	REQUIRE_EQ(pnic_srq_create(a.ctx, &sa, &pool), 0);
	REQUIRE_EQ(pnic_ctr_create(a.ctx, &attr, &ctr), 0);
	REQUIRE_EQ(pnic_post_recv(a.ep, a.mem, 64, a.mr->key, 1), 0);
	pnic_ring_recv(a.ep);
	REQUIRE_EQ(pnic_embedded_fault(a.ctx, PNIC_EMBEDDED_FATAL, 0, 0), 0);
	end = now_ns() + 60000000000ull;
	while (!pnic_ctx_dead(a.ctx) && now_ns() < end)
		pnic_embedded_drive(a.ctx);
	REQUIRE(pnic_ctx_dead(a.ctx));
	CHECK_EQ(pnic_srq_create(a.ctx, &sa, &srq2), -EIO);
	CHECK(strstr(pnic_last_error(), "shared receive queue"));
	CHECK_EQ(pnic_ctr_create(a.ctx, &attr, &ctr2), -EIO);
	CHECK(strstr(pnic_last_error(), "can't make a counter"));
	CHECK_EQ(pnic_ctr_bind(a.ep, ctr, PNIC_CTR_SEND), -EIO);
	CHECK(strstr(pnic_last_error(), "can't bind a counter to endpoint"));
	CHECK_EQ(pnic_ctr_wait(ctr, 1, 60000), -EIO);
	CHECK(strstr(pnic_last_error(), "the card was reset"));
	CHECK_EQ(pnic_recv_cancel(a.ep, 1), -EIO);
	CHECK_EQ(pnic_ep_reset(a.ep), -EIO);
	CHECK(!ctr2 && !srq2);
	CHECK_EQ(pnic_ctr_destroy(ctr), 0);
	CHECK_EQ(pnic_srq_destroy(pool), 0);
	close_both();
	open_both(0);
	close_both();
}

/* Everything that only some cards have, once; 0 or the first error. */
static int one_of_each(void)
{
	const struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = 64 };
	const struct pnic_srq_attr sa = { .size = sizeof(sa), .entries = 16 };
	const struct pnic_ctr_attr ctra = { .size = sizeof(ctra), .spin_us = -1 };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 16 };
	struct pnic_ep *shared = NULL, *own = NULL;
	struct pnic_srq *pool = NULL;
	struct pnic_ctr *ctr = NULL;
	struct pnic_cq *cq = NULL;
	int err;

	err = pnic_cq_create(a.ctx, &ca, &cq);
	if (!err)
		err = pnic_srq_create(a.ctx, &sa, &pool);
	if (!err)
		err = pnic_ctr_create(a.ctx, &ctra, &ctr);
	ea.send_cq = cq;
	ea.srq = pool;
	if (!err)
		err = pnic_ep_create(a.ctx, &ea, &shared);
	ea.srq = NULL;
	ea.rq_entries = 16;
	if (!err)
		err = pnic_ep_create(a.ctx, &ea, &own);
	if (!err) {
		REQUIRE_EQ(pnic_srq_post(pool, a.mem, 64, a.mr->key, 1), 0);
		pnic_srq_ring(pool);
		REQUIRE_EQ(pnic_post_recv(own, a.mem, 64, a.mr->key, 2), 0);
		pnic_ring_recv(own);
		err = pnic_srq_cancel(pool, 1);
	}
	if (!err)
		err = pnic_recv_cancel(own, 2);
	CHECK_EQ(pnic_ep_destroy(own), 0);
	CHECK_EQ(pnic_ep_destroy(shared), 0);
	CHECK_EQ(pnic_ctr_destroy(ctr), 0);
	CHECK_EQ(pnic_srq_destroy(pool), 0);
	CHECK_EQ(pnic_cq_destroy(cq), 0);
	return err;
}

/* Each allocation fails once: that is told, and what was made before can be unmade. */
KTAP_TEST(no_memory)
{
	if (!&nomem_at)
		SKIP("the library's allocations can't be made to fail here");
	open_both(PNIC_FEAT_SRQ | PNIC_FEAT_COUNTER | PNIC_FEAT_CANCEL);
	/* A queue, a pool, a counter, two endpoints, who uses the pool, cancelled entries of two rings. */
	CHECK_GE(nomem_each(one_of_each, 50), 8);
	close_both();
}

KTAP_MAIN()
