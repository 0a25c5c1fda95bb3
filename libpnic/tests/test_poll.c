// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Polling: phase, ring space that comes back, consumer index, endpoints by number,
 * shared queues, what happens to completions of endpoints that were reset or destroyed, and
 * completions of a card that writes nonsense.
 */
#include "fakecard.h"
#include "selftests/ktap.h"

static struct pnic_ctx *ctx;
static struct pnic_cq *cq;
static struct pnic_ep *ep;

static struct pnic_ep *make_ep(uint32_t slots, uint32_t entries, struct pnic_cq *send, struct pnic_cq *recv)
{
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = slots, .rq_entries = entries,
				   .send_cq = send, .recv_cq = recv, .rnr_timeout_us = 1 };
	struct pnic_ep *e = NULL;

	REQUIRE_EQ(pnic_ep_create(ctx, &ea, &e), 0);
	return e;
}

static void setup(uint32_t entries)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = entries };

	fake_reset();
	ctx = fake_open("fake0");
	REQUIRE_EQ(pnic_cq_create(ctx, &ca, &cq), 0);
}

static void teardown(void)
{
	pnic_close(ctx);
	CHECK_EQ(fake.maps, 0);
}

/* Posts @n signalled flushes and has the card do them. */
static void flushes(struct pnic_ep *e, int n, uint64_t cookie)
{
	while (n--)
		REQUIRE_EQ(pnic_post_flush(e, cookie++, PNIC_SQF_SIGNALED), 0);
	pnic_ring(e);
	while (fake_step())
		;
}

/* Many times round the queue and the ring, in batches of every size. */
KTAP_TEST(phase_and_order)
{
	struct pnic_wc wc[16];
	uint64_t cookie = 0, seen = 0;
	int round, batch, n, i;

	setup(28);
	ep = make_ep(16, 0, cq, NULL);
	REQUIRE_EQ(cq->end - cq->ring, 32);
	CHECK_EQ(cq->entries, 28);
	CHECK_EQ(pnic_poll(cq, wc, 16), 0);
	for (round = 0; round < 300; round++) {
		batch = round % 16 + 1;
		flushes(ep, batch, cookie);
		cookie += batch;
		while (seen < cookie) {
			n = pnic_poll(cq, wc, round % 5 + 1);
			REQUIRE(n > 0);
			for (i = 0; i < n; i++) {
				CHECK_EQ(wc[i].cookie, seen++);
				CHECK_EQ(wc[i].opcode, PNIC_OP_FLUSH);
				CHECK_EQ(wc[i].status, PNIC_ST_OK);
				CHECK_EQ(wc[i].epn, ep->addr.ep);
				CHECK(wc[i].ep == ep);
			}
		}
		CHECK_EQ(pnic_poll(cq, wc, 16), 0);
		CHECK_EQ(ep->sq_head, ep->sq_tail);
	}
	CHECK(!fake.cq[0].dead);
	CHECK_EQ(pnic_poll(cq, wc, 0), 0);
	teardown();
}

/* The index wraps at 24 bits in completions and at 32 in the library. */
KTAP_TEST(index_wraps)
{
	static const uint32_t starts[] = { 0xfffff8, 0xfffffff8, 0x1fffff0 };
	struct pnic_wc wc[16];
	uint32_t s;

	for (s = 0; s < 3; s++) {
		setup(64);
		ep = make_ep(16, 0, cq, NULL);
		ep->sq_tail = ep->sq_head = ep->sq_rung = starts[s];
		fake.ep[0].sq_head = starts[s];
		*ep->sq_db = starts[s];
		flushes(ep, 12, 0);
		CHECK_EQ(pnic_poll(cq, wc, 16), 12);
		CHECK_EQ(ep->sq_head, starts[s] + 12);
		teardown();
	}
}

/* A completion retires what was before it, whether that was signalled or not. */
KTAP_TEST(unsignalled_retire)
{
	struct pnic_wc wc[16];
	uint8_t data[100] = { 0 };
	int i;

	setup(64);
	ep = make_ep(16, 16, cq, NULL);
	for (i = 0; i < 16; i++)
		REQUIRE_EQ(pnic_post_recv(ep, NULL, 0, 0, 0), 0);
	pnic_ring_recv(ep);
	for (i = 0; i < 4; i++)
		REQUIRE_EQ(pnic_post_send_imm(ep, ep->addr, NULL, 0, 0, 1, 1, 0), 0);
	REQUIRE_EQ(pnic_post_write(ep, ep->addr, data, 0, 0, 0, 0, 2, PNIC_SQF_SIGNALED), 0);
	REQUIRE_EQ(pnic_post_write(ep, ep->addr, data, 0, 0, 0, 0, 3, 0), 0);
	pnic_ring(ep);
	while (fake_step())
		;
	CHECK_EQ(pnic_poll(cq, wc, 16), 5);
	CHECK_EQ(wc[4].cookie, 2);
	CHECK_EQ(ep->sq_head, 5);
	CHECK_EQ(ep->rq_head, 4);
	/* Of the unsignalled last one nothing is known before a later completion. */
	CHECK_EQ(ep->sq_tail, 6);
	teardown();
}

/* The card learns the consumer index in time, and not for each completion. */
KTAP_TEST(consumer_index)
{
	struct pnic_wc wc;
	uint64_t last = 0;
	int i, stores = 0;

	setup(56);
	ep = make_ep(16, 0, cq, NULL);
	REQUIRE_EQ(cq->end - cq->ring, 64);
	for (i = 0; i < 640; i++) {
		flushes(ep, 1, i);
		REQUIRE_EQ(pnic_poll(cq, &wc, 1), 1);
		CHECK_LT(pnic__cq_index(cq) - (uint32_t)*cq->db, 8);
		stores += *cq->db != last;
		last = *cq->db;
	}
	CHECK_EQ(stores, 80);
	teardown();
}

KTAP_TEST(shared_queue)
{
	struct pnic_ep *eps[10];
	struct pnic_wc wc[64];
	int i, n, count[10] = { 0 };

	setup(pnic_cq_entries(16, 0, 10));
	for (i = 0; i < 10; i++) {
		eps[i] = make_ep(16, 0, cq, NULL);
		flushes(eps[i], i + 1, i);
	}
	n = pnic_poll(cq, wc, 64);
	CHECK_EQ(n, 55);
	while (n--)
		for (i = 0; i < 10; i++)
			count[i] += wc[n].ep == eps[i];
	for (i = 0; i < 10; i++) {
		CHECK_EQ(count[i], i + 1);
		CHECK_EQ(eps[i]->sq_head, i + 1);
	}
	teardown();
}

/* A queue never gets endpoints whose completions it could not hold. */
KTAP_TEST(claims)
{
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 16, .rq_entries = 16 };
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = 20 };
	struct pnic_ep *e[8];
	struct pnic_cq *small;
	struct pnic_wc wc[32];
	int n = 0;

	setup(100);
	CHECK_EQ(cq->entries, 112);
	ea.send_cq = cq;
	while (n < 8 && !pnic_ep_create(ctx, &ea, &e[n]))
		n++;
	CHECK_EQ(n, 3);
	CHECK(strstr(pnic_last_error(), "16 of 112 are left"));
	ea.rq_entries = 0;
	REQUIRE_EQ(pnic_ep_create(ctx, &ea, &e[n]), 0);
	CHECK_EQ(pnic_ep_create(ctx, &ea, &e[n + 1]), -ENOSPC);
	/* What a refused endpoint had taken is back: the number of objects of the card too. */
	CHECK(!fake.ep[4].used);

	/* Unpolled completions of a destroyed endpoint keep its place until they have been polled. */
	flushes(e[3], 5, 0);
	flushes(e[0], 2, 100);
	REQUIRE_EQ(pnic_ep_destroy(e[3]), 0);
	CHECK_EQ(pnic_ep_create(ctx, &ea, &e[3]), -ENOSPC);
	CHECK_EQ(pnic_poll(cq, wc, 32), 2);
	CHECK_EQ(wc[0].cookie, 100);
	CHECK_EQ(pnic_ep_create(ctx, &ea, &e[3]), 0);

	/* Two queues: each is checked for its own direction, and neither keeps anything when the other refuses. */
	REQUIRE_EQ(pnic_cq_create(ctx, &ca, &small), 0);
	ea.send_cq = small;
	ea.recv_cq = cq;
	ea.rq_entries = 16;
	CHECK_EQ(pnic_ep_create(ctx, &ea, &e[4]), -ENOSPC);
	ea.rq_entries = 0;
	CHECK_EQ(pnic_ep_create(ctx, &ea, &e[4]), 0);
	CHECK_EQ(pnic_cq_destroy(small), -EBUSY);
	CHECK_EQ(pnic_ep_destroy(e[4]), 0);
	CHECK_EQ(pnic_cq_destroy(small), 0);
	teardown();
}

/* The number of a destroyed endpoint is used again at once; the new one sees nothing of the old one's. */
KTAP_TEST(destroyed_endpoint)
{
	struct pnic_wc wc[16];
	struct pnic_ep *other;

	setup(200);
	ep = make_ep(16, 0, cq, NULL);
	other = make_ep(16, 0, cq, NULL);
	flushes(ep, 7, 0);
	flushes(other, 1, 50);
	flushes(ep, 2, 7);
	REQUIRE_EQ(pnic_ep_destroy(ep), 0);
	ep = make_ep(16, 0, cq, NULL);
	CHECK_EQ(ep->addr.ep, 0);
	flushes(ep, 1, 60);
	CHECK_EQ(pnic_poll(cq, wc, 16), 2);
	CHECK(wc[0].ep == other && wc[0].cookie == 50);
	CHECK(wc[1].ep == ep && wc[1].cookie == 60);
	CHECK_EQ(ep->sq_head, 1);
	teardown();
}

static void check_reset(int polled, bool two_queues)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = 64 };
	struct pnic_cq *recv = cq;
	struct pnic_wc wc[40];
	int i, n, sends = 0, recvs = 0;

	if (two_queues)
		REQUIRE_EQ(pnic_cq_create(ctx, &ca, &recv), 0);
	ep = make_ep(16, 16, cq, recv);
	flushes(ep, 3, 0);
	for (i = 0; i < 10; i++)
		REQUIRE_EQ(pnic_post_recv(ep, NULL, 0, 0, 200 + i), 0);
	pnic_ring_recv(ep);
	for (i = 0; i < 6; i++)
		REQUIRE_EQ(pnic_post_flush(ep, 100 + i, 0), 0);
	pnic_ring(ep);
	REQUIRE_EQ(pnic_post_flush(ep, 999, 0), 0);	/* posted, never rung */
	CHECK_EQ(pnic_poll(cq, wc, polled), polled);
	REQUIRE_EQ(pnic_ep_reset(ep), 0);
	CHECK_EQ(ep->sq_tail, 0);
	CHECK_EQ(*ep->sq_db, 0);

	/* The unpolled ones still take place: 16 - (9 - polled) slots, 6 receive entries. */
	for (n = 0; !pnic_post_flush(ep, 300 + n, PNIC_SQF_SIGNALED); n++)
		;
	CHECK_EQ(n, 16 - (9 - polled));
	for (i = 0; !pnic_post_recv(ep, NULL, 0, 0, 400 + i); i++)
		;
	CHECK_EQ(i, 6);
	pnic_ring(ep);
	pnic_ring_recv(ep);
	while (fake_step())
		;
	for (i = polled; i < 9 + n; i++) {
		do
			REQUIRE_EQ(pnic_poll(cq, wc, 1), 1);
		while (wc[0].opcode & 0x80 && ++recvs);
		sends++;
		CHECK_EQ(wc[0].cookie, i < 3 ? i : i < 9 ? 100 + i - 3 : 300 + i - 9);
		CHECK_EQ(wc[0].status, i < 3 || i >= 9 ? PNIC_ST_OK : PNIC_ST_FLUSHED);
		if (wc[0].status)
			CHECK_EQ(wc[0].peer_ep, PNIC_EP_NONE);
	}
	while (pnic_poll(recv, wc, 1))
		recvs++;
	CHECK_EQ(recvs, 10);
	/* Everything is back, nothing more. */
	CHECK_EQ(ep->sq_head, ep->sq_tail);
	CHECK_EQ(ep->rq_head, 0);
	CHECK_EQ(ep->rq_tail, 6);
}

KTAP_TEST(reset_endpoint)
{
	int polled;

	for (polled = 0; polled <= 3; polled++) {
		SUBTEST("one queue, %d polled before", polled) {
			setup(200);
			check_reset(polled, false);
			teardown();
		}
		SUBTEST("two queues, %d polled before", polled) {
			setup(200);
			check_reset(polled, true);
			teardown();
		}
	}
}

/* Each completion from before a reset gives back one slot when it is polled. */
KTAP_TEST(reset_gives_back)
{
	struct pnic_wc wc;
	uint32_t i;

	setup(200);
	ep = make_ep(16, 0, cq, NULL);
	flushes(ep, 5, 0);
	REQUIRE_EQ(pnic_ep_reset(ep), 0);
	for (i = 0; i < 5; i++) {
		CHECK_EQ(pnic__sq_room(ep), 11 + i);
		REQUIRE_EQ(pnic_poll(cq, &wc, 1), 1);
	}
	CHECK_EQ(pnic__sq_room(ep), 16);
	teardown();
}

/* Of a failed transfer the far endpoint is told too, whatever stood before it in the ring. */
KTAP_TEST(who_failed)
{
	struct pnic_addr dest = { 1, 0 };
	uint8_t data[200] = { 0 };
	struct pnic_wc wc[8];
	int i;

	setup(64);
	ep = make_ep(16, 0, cq, NULL);
	for (i = 0; i < 40; i++) {
		/* Slots 1, 4, 1: the ring wraps at every possible place. */
		dest.ep = 500 + i;
		REQUIRE_EQ(pnic_post_flush(ep, 1, 0), 0);
		REQUIRE_EQ(pnic_post_write(ep, dest, data, 200, 0, 1, 1, 2, PNIC_SQF_INLINE), 0);
		dest.ep = 600 + i;
		REQUIRE_EQ(pnic_post_write(ep, dest, data, 0, 0, 0, 0, 3, 0), 0);
		pnic_ring(ep);
		while (fake_step())
			;
		REQUIRE_EQ(pnic_poll(cq, wc, 8), 2);
		CHECK_EQ(wc[0].status, PNIC_ST_REMOTE_EP);
		CHECK_EQ(wc[0].peer_nic, 1);
		CHECK_EQ(wc[0].peer_ep, 500 + i);
		CHECK_EQ(wc[1].peer_ep, 600 + i);
	}
	teardown();
}

/* Nonsense: no endpoint of that number, an index that can't be, a receive that wasn't posted. */
KTAP_TEST(nonsense)
{
	struct pnic_cqe bad = { .cookie = 1 };
	struct pnic_wc wc[8];

	setup(64);
	ep = make_ep(16, 16, cq, NULL);
	REQUIRE_EQ(pnic_post_flush(ep, 5, PNIC_SQF_SIGNALED), 0);
	pnic_ring(ep);
	bad.ep_flags = 63;
	fake_complete(&fake.cq[0], &bad);
	bad.ep_flags = 0xfffffe;
	fake_complete(&fake.cq[0], &bad);
	CHECK_EQ(pnic_poll(cq, wc, 8), 0);

	bad.ep_flags = 0;
	bad.nic_op = (uint32_t)PNIC_OP_SEND << 24;
	bad.peer_status = 0x800000;
	fake_complete(&fake.cq[0], &bad);
	bad.peer_status = 2;
	fake_complete(&fake.cq[0], &bad);
	bad.nic_op = (uint32_t)PNIC_OP_RECV << 24;
	fake_complete(&fake.cq[0], &bad);
	bad.nic_op = 0xff000000;
	bad.peer_status = 0xff000000;
	fake_complete(&fake.cq[0], &bad);
	CHECK_EQ(pnic_poll(cq, wc, 8), 4);
	CHECK_STREQ(pnic_opcode_str(wc[3].opcode), "unknown operation");
	CHECK_STREQ(pnic_status_str(wc[3].status), "unknown status");
	CHECK_EQ(ep->sq_head, 0);
	CHECK_EQ(ep->rq_head, 0);
	fake_step();
	CHECK_EQ(pnic_poll(cq, wc, 8), 1);
	CHECK_EQ(ep->sq_head, 1);
	teardown();
}

KTAP_MAIN()
