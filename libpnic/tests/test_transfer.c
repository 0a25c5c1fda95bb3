// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Whole transfers through the library and the fake card: every operation from one
 * context to another, and what errors look like to the caller.
 */
#include "fakecard.h"
#include "selftests/ktap.h"

#define LEN	5000

struct side {
	struct pnic_ctx *ctx;
	struct pnic_cq *cq;
	struct pnic_ep *ep;
	struct pnic_mr *mr;
	uint8_t buf[LEN];
};

static struct side a, b;

static void side_open(struct side *s, const char *name)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = 512 };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 64, .rq_entries = 64 };
	int i;

	s->ctx = fake_open(name);
	REQUIRE_EQ(pnic_cq_create(s->ctx, &ca, &s->cq), 0);
	ea.send_cq = s->cq;
	REQUIRE_EQ(pnic_ep_create(s->ctx, &ea, &s->ep), 0);
	REQUIRE_EQ(pnic_mr_reg(s->ctx, s->buf, LEN, PNIC_MRF_LOCAL_WRITE | PNIC_MRF_REMOTE_READ |
			       PNIC_MRF_REMOTE_WRITE | PNIC_MRF_REMOTE_ATOMIC, &s->mr), 0);
	for (i = 0; i < LEN; i++)
		s->buf[i] = (uint8_t)(i * 7 + name[4]);
}

static void setup(void)
{
	fake_reset();
	side_open(&a, "fake0");
	side_open(&b, "fake1");
}

static void teardown(void)
{
	pnic_close(a.ctx);
	pnic_close(b.ctx);
	CHECK_EQ(fake.maps, 0);
}

static struct pnic_wc one(struct side *s)
{
	struct pnic_wc wc = { 0 };

	pnic_ring(a.ep);
	while (fake_step())
		;
	REQUIRE_EQ(pnic_poll(s->cq, &wc, 1), 1);
	return wc;
}

static uint64_t raddr(size_t off)
{
	return (uintptr_t)b.buf + off;
}

KTAP_TEST(write_read)
{
	struct pnic_buf list[8];
	struct pnic_wc wc;
	uint8_t want[LEN];
	int i;

	setup();
	REQUIRE_EQ(pnic_post_write(a.ep, b.ep->addr, a.buf, 1000, a.mr->key, raddr(10), b.mr->key, 1, PNIC_SQF_SIGNALED), 0);
	wc = one(&a);
	CHECK_EQ(wc.status, PNIC_ST_OK);
	CHECK_EQ(wc.length, 1000);
	CHECK_EQ(wc.peer_nic, 2);
	CHECK(!memcmp(b.buf + 10, a.buf, 1000));

	REQUIRE_EQ(pnic_post_write(a.ep, b.ep->addr, "inline payload of more than sixteen bytes", 42, 0, raddr(2000),
				   b.mr->key, 1, PNIC_SQF_SIGNALED | PNIC_SQF_INLINE), 0);
	CHECK_EQ(one(&a).status, PNIC_ST_OK);
	CHECK_STREQ((char *)b.buf + 2000, "inline payload of more than sixteen bytes");

	for (i = 0; i < 8; i++)
		list[i] = (struct pnic_buf) { a.buf + 100 * (8 - i), a.mr->key, (uint32_t)(10 + i), 0 };
	REQUIRE_EQ(pnic_post_writev(a.ep, b.ep->addr, list, 7, raddr(3000), b.mr->key, 1, PNIC_SQF_SIGNALED), 0);
	CHECK_EQ(one(&a).length, 10 + 11 + 12 + 13 + 14 + 15 + 16);
	CHECK(!memcmp(b.buf + 3000, a.buf + 800, 10));
	CHECK(!memcmp(b.buf + 3000 + 75, a.buf + 200, 16));

	memcpy(want, b.buf, LEN);
	REQUIRE_EQ(pnic_post_read(a.ep, b.ep->addr, a.buf, LEN, a.mr->key, raddr(0), b.mr->key, 1, PNIC_SQF_SIGNALED), 0);
	CHECK_EQ(one(&a).status, PNIC_ST_OK);
	CHECK(!memcmp(a.buf, want, LEN));
	REQUIRE_EQ(pnic_post_readv(a.ep, b.ep->addr, list, 3, raddr(500), b.mr->key, 1, PNIC_SQF_SIGNALED), 0);
	CHECK_EQ(one(&a).status, PNIC_ST_OK);
	CHECK(!memcmp(a.buf + 700, want + 510, 11));
	teardown();
}

KTAP_TEST(send_receive)
{
	struct pnic_wc wc;

	setup();
	REQUIRE_EQ(pnic_post_recv(b.ep, b.buf, 100, b.mr->key, 71), 0);
	REQUIRE_EQ(pnic_post_recv(b.ep, b.buf + 100, 100, b.mr->key, 72), 0);
	REQUIRE_EQ(pnic_post_recv(b.ep, NULL, 0, 0, 73), 0);
	REQUIRE_EQ(pnic_post_recv(b.ep, b.buf, 10, b.mr->key, 74), 0);
	pnic_ring_recv(b.ep);
	REQUIRE_EQ(pnic_post_send(a.ep, b.ep->addr, a.buf, 60, a.mr->key, 1, PNIC_SQF_SIGNALED), 0);
	wc = one(&b);
	CHECK_EQ(wc.cookie, 71);
	CHECK_EQ(wc.opcode, PNIC_OP_RECV);
	CHECK_EQ(wc.length, 60);
	CHECK_EQ(wc.peer_nic, 1);
	CHECK_EQ(wc.peer_ep, a.ep->addr.ep);
	CHECK_EQ(pnic_wc_peer(&wc).nic, 1);
	CHECK_EQ(pnic_wc_peer(&wc).ep, a.ep->addr.ep);
	CHECK(!memcmp(b.buf, a.buf, 60));
	CHECK_EQ(one(&a).opcode, PNIC_OP_SEND);
	REQUIRE_EQ(pnic_post_send_imm(a.ep, b.ep->addr, "abc", 4, 0, 0x1234567812345678, 1, PNIC_SQF_INLINE), 0);
	wc = one(&b);
	CHECK_EQ(wc.opcode, PNIC_OP_RECV_IMM);
	CHECK_EQ(wc.data, 0x1234567812345678);
	CHECK_STREQ((char *)b.buf + 100, "abc");
	REQUIRE_EQ(pnic_post_write_imm(a.ep, b.ep->addr, a.buf, 33, a.mr->key, raddr(4000), b.mr->key, 99, 1, 0), 0);
	wc = one(&b);
	CHECK_EQ(wc.opcode, PNIC_OP_RECV_WRITE_IMM);
	CHECK_EQ(wc.data, 99);
	CHECK_EQ(wc.length, 33);
	CHECK(!memcmp(b.buf + 4000, a.buf, 33));
	REQUIRE_EQ(pnic_post_send(a.ep, b.ep->addr, a.buf, 11, a.mr->key, 1, 0), 0);
	CHECK_EQ(one(&b).status, PNIC_ST_TOO_LONG);
	CHECK_EQ(one(&a).status, PNIC_ST_TOO_LONG);
	REQUIRE_EQ(pnic_post_send(a.ep, b.ep->addr, a.buf, 11, a.mr->key, 1, 0), 0);
	CHECK_EQ(one(&a).status, PNIC_ST_RNR);
	teardown();
}

KTAP_TEST(atomics)
{
	uint64_t *word = (uint64_t *)(void *)(b.buf + (8 - (uintptr_t)b.buf % 8) % 8);
	struct pnic_wc wc;

	setup();
	*word = 100;
	REQUIRE_EQ(pnic_post_fetch_add(a.ep, b.ep->addr, 8, (uintptr_t)word, b.mr->key, 5, 1, PNIC_SQF_SIGNALED), 0);
	wc = one(&a);
	CHECK_EQ(wc.data, 100);
	CHECK_EQ(*word, 105);
	REQUIRE_EQ(pnic_post_comp_swap(a.ep, b.ep->addr, 8, (uintptr_t)word, b.mr->key, 1, 7, 1, PNIC_SQF_SIGNALED), 0);
	CHECK_EQ(one(&a).data, 105);
	CHECK_EQ(*word, 105);
	REQUIRE_EQ(pnic_post_comp_swap(a.ep, b.ep->addr, 4, (uintptr_t)word, b.mr->key, 105, 7, 1, PNIC_SQF_SIGNALED), 0);
	CHECK_EQ(one(&a).data, 105);
	CHECK_EQ(*word, 7);
	teardown();
}

KTAP_TEST(failures)
{
	struct pnic_wc wc;

	setup();
	REQUIRE_EQ(pnic_post_write(a.ep, b.ep->addr, a.buf, 10, a.mr->key, raddr(LEN - 9), b.mr->key, 1, 0), 0);
	wc = one(&a);
	CHECK_EQ(wc.status, PNIC_ST_REMOTE_BOUNDS);
	CHECK_EQ(wc.length, 10);
	CHECK_EQ(wc.peer_ep, b.ep->addr.ep);
	REQUIRE_EQ(pnic_post_write(a.ep, b.ep->addr, a.buf, 10, a.mr->key, raddr(0), b.mr->key + (1ULL << 40), 1, 0), 0);
	CHECK_EQ(one(&a).status, PNIC_ST_REMOTE_KEY);
	REQUIRE_EQ(pnic_post_write(a.ep, b.ep->addr, a.buf + 1, LEN, a.mr->key, raddr(0), b.mr->key, 1, 0), 0);
	CHECK_EQ(one(&a).status, PNIC_ST_LOCAL_BOUNDS);
	REQUIRE_EQ(pnic_mr_dereg(a.mr), 0);
	REQUIRE_EQ(pnic_post_write(a.ep, b.ep->addr, a.buf, 1, 77, raddr(0), b.mr->key, 1, 0), 0);
	CHECK_EQ(one(&a).status, PNIC_ST_LOCAL_KEY);
	teardown();
}

/* The first failure stops the ring, the rest is flushed, reset revives it. */
KTAP_TEST(stop_on_error)
{
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 16, .flags = PNIC_EP_STOP_ON_ERROR };
	struct pnic_ep *ep;
	struct pnic_wc wc[8];
	int i;

	setup();
	ea.send_cq = a.cq;
	REQUIRE_EQ(pnic_ep_create(a.ctx, &ea, &ep), 0);
	fake.fail_status = PNIC_ST_LINK;
	for (i = 0; i < 4; i++)
		REQUIRE_EQ(pnic_post_write(ep, b.ep->addr, NULL, 0, 0, 0, 0, i, PNIC_SQF_SIGNALED), 0);
	pnic_ring(ep);
	while (fake_step())
		;
	REQUIRE_EQ(pnic_poll(a.cq, wc, 8), 4);
	CHECK_EQ(wc[0].status, PNIC_ST_LINK);
	for (i = 1; i < 4; i++) {
		CHECK_EQ(wc[i].status, PNIC_ST_FLUSHED);
		CHECK_EQ(wc[i].cookie, i);
		CHECK_EQ(wc[i].peer_ep, b.ep->addr.ep);
	}
	REQUIRE_EQ(pnic_ep_reset(ep), 0);
	REQUIRE_EQ(pnic_post_write(ep, b.ep->addr, NULL, 0, 0, 0, 0, 9, PNIC_SQF_SIGNALED), 0);
	pnic_ring(ep);
	while (fake_step())
		;
	REQUIRE_EQ(pnic_poll(a.cq, wc, 8), 1);
	CHECK_EQ(wc[0].status, PNIC_ST_OK);
	teardown();
}

KTAP_MAIN()
