// SPDX-License-Identifier: GPL-2.0
/*
 * Every operation between two NICs, through libpnic: data whole and right and nothing
 * beside it touched, completions with the right contents, order, wake-ups.
 */
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "device.h"
#include "ktap.h"
#include "traffic.h"

#define MEM		(4ul << 20)
#define WAIT_MS		20000
#define CANARY		0xc3
#define GUARD		64ul	/* bytes looked at on either side of a buffer */

static struct end a, b;		/* on NIC 0 and NIC 1 */

static void close_both(void)
{
	end_close(&a);
	end_close(&b);
}

/* Closes first what a test that ended early has left. */
static void open_with(const struct end_attr *attr)
{
	int err;

	need_cards(2);
	close_both();
	err = end_open(&a, 0, attr);
	if (!err)
		err = end_open(&b, 1, attr);
	if (err)
		ktap_say("%s", pnic_last_error());
	REQUIRE_EQ(err, 0);
}

static void open_both(size_t size)
{
	const struct end_attr attr = { .size = size, .rnr_timeout_us = 2000000 };

	open_with(&attr);
}

static const uint32_t sizes[] = {
	0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 513,
	1023, 1024, 1025, 2047, 2048, 2049, 4044, 4095, 4096, 4097, 8191, 8192, 8193, 16384, 65535, 65536,
	65537, 1048576, 1048577,
};
static const struct {
	uint32_t src, dst;
} places[] = { { 4096, 4096 }, { 4097, 4096 }, { 4096, 8191 }, { 4159, 5003 } };
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The completion of one transfer, in all its members. */
static void check_wc(const struct pnic_wc *wc, struct pnic_ep *ep, uint64_t cookie, uint8_t opcode,
		     uint32_t length, uint64_t data)
{
	CHECK_EQ(wc->status, PNIC_ST_OK);
	CHECK_EQ(wc->cookie, cookie);
	CHECK_EQ(wc->opcode, opcode);
	CHECK_EQ(wc->length, length);
	CHECK_EQ(wc->data, data);
	CHECK(wc->ep == ep);
}

static void expect_sent(struct end *e, uint64_t cookie, uint8_t opcode, uint32_t length, uint64_t data)
{
	struct pnic_wc wc = { 0 };

	REQUIRE_EQ(end_wait(e, &wc, WAIT_MS), 0);
	check_wc(&wc, e->ep, cookie, opcode, length, data);
}

static void expect_received(struct end *e, struct pnic_addr from, uint64_t cookie, uint8_t opcode,
			    uint32_t length, uint64_t data)
{
	struct pnic_wc wc = { 0 };

	REQUIRE_EQ(end_wait(e, &wc, WAIT_MS), 0);
	check_wc(&wc, e->ep, cookie, opcode, length, data);
	CHECK_EQ(wc.peer_nic, from.nic);
	CHECK_EQ(wc.peer_ep, from.ep);
}

/* @len bytes of @seed at @at, and canaries around. */
static void expect_bytes(const uint8_t *at, uint32_t len, uint64_t seed)
{
	CHECK_EQ(pattern_check(at, len, seed), len);
	CHECK_EQ(byte_check(at - GUARD, GUARD, CANARY), GUARD);
	CHECK_EQ(byte_check(at + len, GUARD, CANARY), GUARD);
}

static void prepare(uint8_t *src, uint8_t *dst, uint32_t len, uint64_t seed)
{
	pattern_fill(src, len, seed);
	memset(dst - GUARD, CANARY, len + 2 * GUARD);
}

static void one_transfer(uint8_t opcode, uint8_t *src, uint8_t *dst, uint32_t len, uint32_t flags)
{
	uint64_t seed = (uint64_t)opcode << 32 | len, imm = seed * 3 + 1;

	flags |= PNIC_SQF_SIGNALED;
	prepare(src, dst, len, seed);
	switch (opcode) {
	case PNIC_OP_WRITE:
		REQUIRE_EQ(pnic_post_write(a.ep, b.addr, src, len, a.mr->key, (uintptr_t)dst, b.mr->key,
					   seed, flags), 0);
		break;
	case PNIC_OP_WRITE_IMM:
		REQUIRE_EQ(pnic_post_recv(b.ep, NULL, 0, 0, ~seed), 0);
		REQUIRE_EQ(pnic_post_write_imm(a.ep, b.addr, src, len, a.mr->key, (uintptr_t)dst,
					       b.mr->key, imm, seed, flags), 0);
		break;
	case PNIC_OP_SEND:
		REQUIRE_EQ(pnic_post_recv(b.ep, dst, len + GUARD / 2, b.mr->key, ~seed), 0);
		REQUIRE_EQ(pnic_post_send(a.ep, b.addr, src, len, a.mr->key, seed, flags), 0);
		break;
	case PNIC_OP_SEND_IMM:
		REQUIRE_EQ(pnic_post_recv(b.ep, dst, len, b.mr->key, ~seed), 0);
		REQUIRE_EQ(pnic_post_send_imm(a.ep, b.addr, src, len, a.mr->key, imm, seed, flags), 0);
		break;
	}
	pnic_ring_recv(b.ep);
	pnic_ring(a.ep);
	expect_sent(&a, seed, opcode, len, 0);
	if (opcode == PNIC_OP_SEND)
		expect_received(&b, a.addr, ~seed, PNIC_OP_RECV, len, 0);
	else if (opcode != PNIC_OP_WRITE)
		expect_received(&b, a.addr, ~seed, opcode | 0x80, len, imm);
	expect_bytes(dst, len, seed);
}

static const struct {
	const char *name;
	uint8_t opcode;
} outward[] = {
	{ "write", PNIC_OP_WRITE }, { "write with immediate", PNIC_OP_WRITE_IMM },
	{ "send", PNIC_OP_SEND }, { "send with immediate", PNIC_OP_SEND_IMM },
};

KTAP_TEST(sizes_and_alignments)
{
	unsigned int op, i, p;

	open_both(MEM);
	for (op = 0; op < COUNT(outward); op++)
		SUBTEST("%s", outward[op].name)
			for (i = 0; i < COUNT(sizes); i++)
				for (p = 0; p < COUNT(places); p++)
					one_transfer(outward[op].opcode, a.mem + places[p].src,
						     b.mem + places[p].dst, sizes[i], 0);
	close_both();
}

KTAP_TEST(inline_payload)
{
	unsigned int op, len;

	open_both(MEM);
	for (op = 0; op < COUNT(outward); op++)
		SUBTEST("%s", outward[op].name)
			for (len = 0; len <= PNIC_SQE_MAX_INLINE; len += len < 20 ? 1 : 7)
				one_transfer(outward[op].opcode, a.mem + 4096, b.mem + 4099, len,
					     PNIC_SQF_INLINE);
	SUBTEST("longest")
		one_transfer(PNIC_OP_SEND, a.mem + 4096, b.mem + 4099, PNIC_SQE_MAX_INLINE, PNIC_SQF_INLINE);
	SUBTEST("too long")
		CHECK_EQ(pnic_post_write(a.ep, b.addr, a.mem, PNIC_SQE_MAX_INLINE + 1, 0,
					 (uintptr_t)b.mem, b.mr->key, 0, PNIC_SQF_INLINE), -E2BIG);
	close_both();
}

/* The buffer of an inline transfer is the caller's again as soon as it is posted. */
KTAP_TEST(inline_is_copied)
{
	uint8_t own[200];

	open_both(MEM);
	memset(b.mem, CANARY, 4096);
	pattern_fill(own, sizeof(own), 5);
	REQUIRE_EQ(pnic_post_write(a.ep, b.addr, own, sizeof(own), 0, (uintptr_t)b.mem + GUARD, b.mr->key,
				   1, PNIC_SQF_INLINE | PNIC_SQF_SIGNALED), 0);
	memset(own, 0, sizeof(own));
	pnic_ring(a.ep);
	expect_sent(&a, 1, PNIC_OP_WRITE, sizeof(own), 0);
	expect_bytes(b.mem + GUARD, sizeof(own), 5);
	close_both();
}

KTAP_TEST(reads)
{
	uint8_t *src, *dst;
	unsigned int i, p;

	open_both(MEM);
	for (i = 0; i < COUNT(sizes); i++)
		for (p = 0; p < COUNT(places); p++) {
			src = b.mem + places[p].src;
			dst = a.mem + places[p].dst;
			prepare(src, dst, sizes[i], sizes[i] + p);
			REQUIRE_EQ(pnic_post_read(a.ep, b.addr, dst, sizes[i], a.mr->key, (uintptr_t)src,
						  b.mr->key, i, PNIC_SQF_SIGNALED), 0);
			pnic_ring(a.ep);
			expect_sent(&a, i, PNIC_OP_READ, sizes[i], 0);
			expect_bytes(dst, sizes[i], sizes[i] + p);
		}
	close_both();
}

/* Cuts @len bytes into @n uneven buffers lying 100 bytes apart; the last but one is empty. */
static void cut(struct pnic_buf *bufs, unsigned int n, uint8_t *mem, uint32_t len, uint64_t key)
{
	uint32_t left = len, part;
	unsigned int i;

	for (i = 0; i < n; i++) {
		part = i == n - 1 ? left : i + 2 == n && n > 2 ? 0 : left / (n - i) + i % 2;
		if (part > left)
			part = left;
		bufs[i] = (struct pnic_buf) { .addr = mem, .key = key, .length = part };
		mem += part + 100;
		left -= part;
	}
}

static void copy_list(const struct pnic_buf *bufs, unsigned int n, uint8_t *flat, bool out)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (out)
			memcpy(bufs[i].addr, flat, bufs[i].length);
		else
			memcpy(flat, bufs[i].addr, bufs[i].length);
		flat += bufs[i].length;
	}
}

static void gather_one(unsigned int n, uint32_t len, bool send)
{
	struct pnic_buf bufs[PNIC_SQE_MAX_SGE];
	uint8_t *flat = a.mem + MEM / 2, *dst = b.mem + 4096;

	cut(bufs, n, a.mem, len, a.mr->key);
	prepare(flat, dst, len, n * 1000003ull + len);
	copy_list(bufs, n, flat, true);
	if (send) {
		REQUIRE_EQ(pnic_post_recv(b.ep, dst, len, b.mr->key, 7), 0);
		pnic_ring_recv(b.ep);
		REQUIRE_EQ(pnic_post_sendv(a.ep, b.addr, bufs, n, n, PNIC_SQF_SIGNALED), 0);
	} else {
		REQUIRE_EQ(pnic_post_writev(a.ep, b.addr, bufs, n, (uintptr_t)dst, b.mr->key, n,
					    PNIC_SQF_SIGNALED), 0);
	}
	pnic_ring(a.ep);
	expect_sent(&a, n, send ? PNIC_OP_SEND : PNIC_OP_WRITE, len, 0);
	if (send)
		expect_received(&b, a.addr, 7, PNIC_OP_RECV, len, 0);
	expect_bytes(dst, len, n * 1000003ull + len);
}

static const uint32_t list_sizes[] = { 0, 1, 8, 100, 4096, 10001, 300007 };

KTAP_TEST(gather)
{
	unsigned int n, i;

	open_both(MEM);
	for (n = 0; n <= PNIC_SQE_MAX_SGE; n++)
		SUBTEST("%u buffers", n)
			for (i = 0; i < COUNT(list_sizes); i++) {
				gather_one(n, n ? list_sizes[i] : 0, false);
				gather_one(n, n ? list_sizes[i] : 0, true);
			}
	SUBTEST("one too many") {
		struct pnic_buf bufs[PNIC_SQE_MAX_SGE + 1] = { 0 };

		CHECK_EQ(pnic_post_writev(a.ep, b.addr, bufs, PNIC_SQE_MAX_SGE + 1, (uintptr_t)b.mem,
					  b.mr->key, 0, 0), -E2BIG);
	}
	close_both();
}

KTAP_TEST(scatter_read)
{
	struct pnic_buf bufs[PNIC_SQE_MAX_SGE];
	uint8_t *flat, *src;
	unsigned int n, i;
	uint32_t len;

	open_both(MEM);
	flat = a.mem + MEM / 2;
	src = b.mem + 4096;
	for (n = 1; n <= PNIC_SQE_MAX_SGE; n++)
		for (i = 0; i < COUNT(list_sizes); i++) {
			len = list_sizes[i];
			memset(a.mem, CANARY, len + 100 * n);
			cut(bufs, n, a.mem, len, a.mr->key);
			pattern_fill(src, len, n + len);
			REQUIRE_EQ(pnic_post_readv(a.ep, b.addr, bufs, n, (uintptr_t)src, b.mr->key, n,
						   PNIC_SQF_SIGNALED), 0);
			pnic_ring(a.ep);
			expect_sent(&a, n, PNIC_OP_READ, len, 0);
			copy_list(bufs, n, flat, false);
			CHECK_EQ(pattern_check(flat, len, n + len), len);
			CHECK_EQ(byte_check((uint8_t *)bufs[n - 1].addr + bufs[n - 1].length, 100, CANARY), 100);
			CHECK_EQ(byte_check((uint8_t *)bufs[0].addr + bufs[0].length, 100, CANARY), 100);
		}
	close_both();
}

static uint64_t word_at(const uint8_t *p, unsigned int len)
{
	uint64_t v = 0;

	memcpy(&v, p, len);
	return v;
}

static void one_atomic(unsigned int len, uint8_t *at, bool swap, uint64_t x, uint64_t y)
{
	uint64_t mask = len == 8 ? UINT64_MAX : UINT32_MAX, old = word_at(at, len), want;

	if (swap) {
		want = old == (x & mask) ? y & mask : old;
		REQUIRE_EQ(pnic_post_comp_swap(a.ep, b.addr, len, (uintptr_t)at, b.mr->key, x, y, 9,
					       PNIC_SQF_SIGNALED), 0);
	} else {
		want = (old + x) & mask;
		REQUIRE_EQ(pnic_post_fetch_add(a.ep, b.addr, len, (uintptr_t)at, b.mr->key, x, 9,
					       PNIC_SQF_SIGNALED), 0);
	}
	pnic_ring(a.ep);
	expect_sent(&a, 9, swap ? PNIC_OP_COMP_SWAP : PNIC_OP_FETCH_ADD, len, old);
	CHECK_EQ(word_at(at, len), want);
}

KTAP_TEST(atomics)
{
	static const uint64_t operands[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
					     0x7fffffffffffffff, 0xffffffffffffffff };
	unsigned int len, i;
	uint8_t *at;

	open_both(MEM);
	at = b.mem + 4096;
	for (len = 4; len <= 8; len += 4)
		SUBTEST("%u bytes", len) {
			memset(at - GUARD, CANARY, 2 * GUARD + len);
			for (i = 0; i < COUNT(operands); i++) {
				one_atomic(len, at, false, operands[i], 0);
				one_atomic(len, at, true, word_at(at, len), operands[i]);
				one_atomic(len, at, true, word_at(at, len) + 1, 77);
			}
			CHECK_EQ(byte_check(at - GUARD, GUARD, CANARY), GUARD);
			CHECK_EQ(byte_check(at + len, GUARD, CANARY), GUARD);
		}
	SUBTEST("wrong length")
		CHECK_EQ(pnic_post_fetch_add(a.ep, b.addr, 2, (uintptr_t)at, b.mr->key, 1, 0, 0), -EINVAL);
	close_both();
}

/* To itself, and to another endpoint of the same card. */
KTAP_TEST(same_card)
{
	struct pnic_ep *second;
	struct pnic_wc wc;
	int i;

	open_both(MEM);
	SUBTEST("to itself") {
		prepare(a.mem + 4096, a.mem + 65536, 9000, 3);
		REQUIRE_EQ(pnic_post_recv(a.ep, a.mem + 65536, 9000, a.mr->key, 1), 0);
		pnic_ring_recv(a.ep);
		REQUIRE_EQ(pnic_post_send(a.ep, a.addr, a.mem + 4096, 9000, a.mr->key, 2,
					  PNIC_SQF_SIGNALED), 0);
		pnic_ring(a.ep);
		for (i = 0; i < 2; i++) {
			REQUIRE_EQ(end_wait(&a, &wc, WAIT_MS), 0);
			CHECK_EQ(wc.status, PNIC_ST_OK);
			CHECK_EQ(wc.cookie, wc.opcode == PNIC_OP_RECV ? 1 : 2);
		}
		expect_bytes(a.mem + 65536, 9000, 3);
	}
	SUBTEST("to a sister") {
		end_close(&b);
		REQUIRE_EQ(end_open(&b, 0, &(struct end_attr) { .size = MEM, .rnr_timeout_us = 1000000 }), 0);
		CHECK_EQ(b.addr.nic, a.addr.nic);
		CHECK_NE(b.addr.ep, a.addr.ep);
		one_transfer(PNIC_OP_WRITE, a.mem + 4096, b.mem + 4096, 100000, 0);
		one_transfer(PNIC_OP_SEND_IMM, a.mem + 4096, b.mem + 4096, 3000, 0);
	}
	SUBTEST("overlapping write to itself leaves one of the two") {
		pattern_fill(a.mem + 4096, 4096, 11);
		REQUIRE_EQ(pnic_post_write(a.ep, a.addr, a.mem + 4096, 4096, a.mr->key,
					   (uintptr_t)a.mem + 4096, a.mr->key, 4, PNIC_SQF_SIGNALED), 0);
		pnic_ring(a.ep);
		expect_sent(&a, 4, PNIC_OP_WRITE, 4096, 0);
		CHECK_EQ(pattern_check(a.mem + 4096, 4096, 11), 4096);
	}
	SUBTEST("second endpoint of the context") {
		struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = 64 };
		struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 16, .rq_entries = 16 };

		REQUIRE_EQ(pnic_cq_create(a.ctx, &ca, &ea.send_cq), 0);
		REQUIRE_EQ(pnic_ep_create(a.ctx, &ea, &second), 0);
		CHECK_NE(second->addr.ep, a.addr.ep);
		CHECK_EQ(pnic_cq_destroy(ea.send_cq), -EBUSY);
		CHECK_EQ(pnic_ep_destroy(second), 0);
		CHECK_EQ(pnic_cq_destroy(ea.send_cq), 0);
	}
	close_both();
}

/* Spins for the flag, that is seen by memory only, and then the data must be there. */
KTAP_TEST(flag_after_data)
{
	uint64_t round, deadline, *flag;
	uint32_t len;
	int bad = 0;

	open_both(MEM);
	flag = (uint64_t *)(void *)(b.mem + MEM / 2);
	for (round = 1; round <= 150; round++) {
		len = sizes[round % COUNT(sizes)] % 70000;
		pattern_fill(a.mem, len, round);
		REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem, len, a.mr->key, (uintptr_t)b.mem, b.mr->key,
					   round, 0), 0);
		REQUIRE_EQ(pnic_post_write(a.ep, b.addr, &round, 8, 0, (uintptr_t)flag, b.mr->key, round,
					   PNIC_SQF_INLINE | PNIC_SQF_SIGNALED), 0);
		pnic_ring(a.ep);
		deadline = now_ns() + WAIT_MS * 1000000ull;
		while (__atomic_load_n(flag, __ATOMIC_ACQUIRE) != round)
			REQUIRE(now_ns() < deadline);
		bad += pattern_check(b.mem, len, round) != len;
		expect_sent(&a, round, PNIC_OP_WRITE, 8, 0);
	}
	CHECK_EQ(bad, 0);
	close_both();
}

/* Later writes to the same place win: fifty of them in one batch, of different lengths. */
KTAP_TEST(order_of_writes)
{
	uint64_t i, k;

	open_both(MEM);
	for (k = 0; k < 20; k++) {
		for (i = 0; i < 50; i++) {
			memset(a.mem + i * 16384, (int)i + 1, 16384);
			REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem + i * 16384, 16384 - 300 * i, a.mr->key,
						   (uintptr_t)b.mem, b.mr->key, i,
						   i == 49 ? PNIC_SQF_SIGNALED : 0), 0);
		}
		pnic_ring(a.ep);
		expect_sent(&a, 49, PNIC_OP_WRITE, 16384 - 300 * 49, 0);
		/* What is longer than the last but one write is the last but one's, and so on. */
		for (i = 50; i-- > 0;)
			CHECK_EQ(b.mem[16384 - 300 * i - 1], i + 1);
		memset(b.mem, 0, 16384);
	}
	close_both();
}

/* A read behind a fence sees the write, a flush completes after everything. */
KTAP_TEST(fence_and_flush)
{
	unsigned int k;

	open_both(MEM);
	for (k = 0; k < 30; k++) {
		pattern_fill(a.mem, 60000, k + 100);
		memset(a.mem + MEM / 2, 0, 60000);
		REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem, 60000, a.mr->key, (uintptr_t)b.mem, b.mr->key,
					   1, 0), 0);
		REQUIRE_EQ(pnic_post_read(a.ep, b.addr, a.mem + MEM / 2, 60000, a.mr->key, (uintptr_t)b.mem,
					  b.mr->key, 2, PNIC_SQF_FENCE), 0);
		REQUIRE_EQ(pnic_post_flush(a.ep, 3, PNIC_SQF_SIGNALED), 0);
		pnic_ring(a.ep);
		expect_sent(&a, 3, PNIC_OP_FLUSH, 0, 0);
		CHECK_EQ(pattern_check(a.mem + MEM / 2, 60000, k + 100), 60000);
	}
	/* A write behind a fenced read must not change what the read brings. */
	for (k = 0; k < 30; k++) {
		memset(b.mem, 0x11, 60000);
		memset(a.mem, 0x22, 60000);
		REQUIRE_EQ(pnic_post_read(a.ep, b.addr, a.mem + MEM / 2, 60000, a.mr->key, (uintptr_t)b.mem,
					  b.mr->key, 1, 0), 0);
		REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem, 60000, a.mr->key, (uintptr_t)b.mem, b.mr->key,
					   2, PNIC_SQF_FENCE | PNIC_SQF_SIGNALED), 0);
		pnic_ring(a.ep);
		expect_sent(&a, 2, PNIC_OP_WRITE, 60000, 0);
		CHECK_EQ(byte_check(a.mem + MEM / 2, 60000, 0x11), 60000);
		CHECK_EQ(byte_check(b.mem, 60000, 0x22), 60000);
	}
	close_both();
}

#define MANY 48

KTAP_TEST(many_endpoints)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = pnic_cq_entries(16, 64, MANY) };
	struct pnic_ep *src[MANY], *dst[MANY];
	uint64_t got[MANY] = { 0 }, pair;
	struct pnic_cq *small[2];
	unsigned int i, k, n;
	struct pnic_wc wc;

	open_both(MEM);
	small[0] = a.cq;
	small[1] = b.cq;
	REQUIRE_EQ(pnic_cq_create(a.ctx, &ca, &a.cq), 0);
	REQUIRE_EQ(pnic_cq_create(b.ctx, &ca, &b.cq), 0);
	for (i = 0; i < MANY; i++) {
		REQUIRE_EQ(end_add_ep(&a, 16, 0, &src[i]), 0);
		REQUIRE_EQ(end_add_ep(&b, 16, 64, &dst[i]), 0);
		for (k = 0; k < MANY; k++)
			REQUIRE_EQ(pnic_post_recv(dst[i], b.mem + 64 * (i * MANY + k), 64, b.mr->key, k), 0);
		pnic_ring_recv(dst[i]);
	}
	for (k = 0; k < MANY; k++)
		for (i = 0; i < MANY; i++) {
			n = (i + k) % MANY;
			pair = (uint64_t)i << 32 | n;
			REQUIRE_EQ(pnic_post_send(src[i], dst[n]->addr, &pair, 8, 0, pair,
						  PNIC_SQF_INLINE | PNIC_SQF_SIGNALED), 0);
			pnic_ring(src[i]);
			REQUIRE_EQ(end_wait(&a, &wc, WAIT_MS), 0);
			CHECK(wc.status == PNIC_ST_OK);
			CHECK(wc.ep == src[wc.cookie >> 32]);
		}
	for (k = 0; k < MANY * MANY; k++) {
		REQUIRE_EQ(end_wait(&b, &wc, WAIT_MS), 0);
		for (n = 0; n < MANY && dst[n] != wc.ep; n++)
			;
		REQUIRE_NE(n, MANY);
		pair = word_at(b.mem + 64 * (n * MANY + wc.cookie), 8);
		CHECK_EQ(pair & 0xffffffff, n);
		CHECK_EQ(wc.peer_ep, src[pair >> 32]->addr.ep);
		got[n] |= 1ull << (pair >> 32);
	}
	for (n = 0; n < MANY; n++) {
		CHECK_EQ(got[n], (1ull << MANY) - 1);
		CHECK_EQ(pnic_ep_destroy(src[n]), 0);
		CHECK_EQ(pnic_ep_destroy(dst[n]), 0);
	}
	CHECK_EQ(pnic_cq_destroy(a.cq), 0);
	CHECK_EQ(pnic_cq_destroy(b.cq), 0);
	a.cq = small[0];
	b.cq = small[1];
	close_both();
}

/* One completion retires all before it, and a full ring says so. */
KTAP_TEST(unsignaled_batch)
{
	uint32_t slots, i, n;

	open_both(MEM);
	slots = a.ep->sq_slots;
	for (n = 0; n < 20; n++) {
		for (i = 0; i < slots; i++) {
			memcpy(a.mem + 8 * i, &i, 4);
			REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem + 8 * i, 8, a.mr->key,
						   (uintptr_t)b.mem + 8 * i, b.mr->key, i,
						   i == slots - 1 ? PNIC_SQF_SIGNALED : 0), 0);
		}
		CHECK_EQ(pnic_post_write(a.ep, b.addr, a.mem, 8, a.mr->key, (uintptr_t)b.mem, b.mr->key, 0, 0),
			 -EAGAIN);
		CHECK(end_quiet(&a, 1));	/* not rung yet */
		pnic_ring(a.ep);
		expect_sent(&a, slots - 1, PNIC_OP_WRITE, 8, 0);
		CHECK_EQ(memcmp(a.mem, b.mem, 8 * slots), 0);
		memset(b.mem, 0xff, 8 * slots);
	}
	CHECK(end_quiet(&a, 5));
	close_both();
}

/* Descriptors of 1..5 slots through a small ring, so that each wraps at each place. */
KTAP_TEST(descriptors_wrap)
{
	struct end_attr attr = { .size = MEM, .sq_slots = 16, .rq_entries = 16 };
	uint64_t seed = 42, i;
	uint32_t len;

	open_with(&attr);
	for (i = 0; i < 400; i++) {
		len = random_below(&seed, PNIC_SQE_MAX_INLINE + 1);
		one_transfer(i % 3 ? PNIC_OP_WRITE : PNIC_OP_SEND, a.mem + 4096, b.mem + 8192, len,
			     PNIC_SQF_INLINE);
		gather_one(1 + i % 8, 500, false);
	}
	close_both();
}

KTAP_TEST(wait_times_out)
{
	uint64_t t;

	open_both(4096);
	t = now_ns();
	CHECK_EQ(pnic_wait(a.cq, 50), -ETIMEDOUT);
	CHECK_GE(now_ns() - t, 45000000);
	CHECK_EQ(pnic_wait(a.cq, 0), -ETIMEDOUT);
	close_both();
}

static int readable(int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, timeout_ms);
}

static void send_something(uint64_t cookie)
{
	REQUIRE_EQ(pnic_post_write(a.ep, b.addr, &cookie, 8, 0, (uintptr_t)b.mem, b.mr->key, cookie,
				   PNIC_SQF_INLINE | PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
}

KTAP_TEST(arm_with_eventfd)
{
	uint64_t count, i;
	int fd;

	open_both(4096);
	fd = pnic_cq_fd(a.cq);
	REQUIRE_OK(fd);
	CHECK_EQ(readable(fd, 0), 0);
	for (i = 0; i < 20; i++) {
		CHECK_EQ(pnic_arm(a.cq), 0);
		send_something(i);
		REQUIRE_EQ(readable(fd, WAIT_MS), 1);
		CHECK_EQ(read(fd, &count, 8), 8);
		expect_sent(&a, i, PNIC_OP_WRITE, 8, 0);
	}
	/* Not armed: silence. */
	send_something(77);
	CHECK_EQ(readable(fd, 50), 0);
	/* Armed when there is an entry already: at once. */
	CHECK_EQ(pnic_arm(a.cq), 1);
	CHECK_EQ(readable(fd, WAIT_MS), 1);
	expect_sent(&a, 77, PNIC_OP_WRITE, 8, 0);
	close_both();
}

KTAP_TEST(arm_with_events)
{
	const struct end_attr attr = { .size = 4096, .cq_flags = PNIC_CQ_EVENTS };
	struct pnic_event ev;
	uint64_t i;

	open_with(&attr);
	CHECK_EQ(pnic_read_event(a.ctx, &ev), -EAGAIN);
	for (i = 0; i < 20; i++) {
		CHECK_EQ(pnic_arm(a.cq), 0);
		send_something(i);
		REQUIRE_EQ(readable(pnic_fd(a.ctx), WAIT_MS), 1);
		REQUIRE_EQ(pnic_read_event(a.ctx, &ev), 0);
		CHECK_EQ(ev.type, PNIC_EVT_CQ);
		CHECK_EQ(pnic_poll(a.cq, &(struct pnic_wc) { 0 }, 1), 1);
		CHECK_EQ(pnic_read_event(a.ctx, &ev), -EAGAIN);
	}
	send_something(5);
	CHECK_EQ(readable(pnic_fd(a.ctx), 50), 0);
	close_both();
}

/* pnic_wait() that has to sleep wakes up, with and without the card asleep before. */
KTAP_TEST(wait_wakes)
{
	uint64_t i;

	open_both(4096);
	for (i = 0; i < 30; i++) {
		if (i % 3 == 0)
			sleep_ms(30);
		REQUIRE_EQ(pnic_post_recv(b.ep, NULL, 0, 0, i), 0);
		pnic_ring_recv(b.ep);
		REQUIRE_EQ(pnic_post_write_imm(a.ep, b.addr, NULL, 0, 0, 0, 0, i, i, PNIC_SQF_SIGNALED), 0);
		pnic_ring(a.ep);
		expect_received(&b, a.addr, i, PNIC_OP_RECV_WRITE_IMM, 0, i);
		expect_sent(&a, i, PNIC_OP_WRITE_IMM, 0, 0);
	}
	close_both();
}

/* A receive entry that comes late but in time: the send waits for it. */
KTAP_TEST(receiver_late)
{
	const struct end_attr attr = { .size = MEM, .rnr_timeout_us = 30000000 };

	open_with(&attr);
	prepare(a.mem, b.mem + GUARD, 5000, 17);
	REQUIRE_EQ(pnic_post_send(a.ep, b.addr, a.mem, 5000, a.mr->key, 1, PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
	CHECK(end_quiet(&a, 100));
	REQUIRE_EQ(pnic_post_recv(b.ep, b.mem + GUARD, 5000, b.mr->key, 2), 0);
	pnic_ring_recv(b.ep);
	expect_sent(&a, 1, PNIC_OP_SEND, 5000, 0);
	expect_received(&b, a.addr, 2, PNIC_OP_RECV, 5000, 0);
	expect_bytes(b.mem + GUARD, 5000, 17);
	close_both();
}

/* Large regions: transparent huge pages, an odd start, and one transfer over all of it. */
KTAP_TEST(large_region)
{
	const size_t size = 48ul << 20, off = 12345, len = size - 2 * off;
	struct pnic_mr *ma, *mb;
	uint8_t *pa, *pb;

	open_both(4096);
	pa = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pb = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(pa != MAP_FAILED && pb != MAP_FAILED);
	madvise(pa, size, MADV_HUGEPAGE);
	madvise(pb, size, MADV_NOHUGEPAGE);
	pattern_fill(pa + off, len, 99);
	memset(pb, CANARY, size);
	REQUIRE_EQ(pnic_mr_reg(a.ctx, pa + off, len, 0, &ma), 0);
	REQUIRE_EQ(pnic_mr_reg(b.ctx, pb + off, len, PNIC_MRF_REMOTE_WRITE, &mb), 0);
	REQUIRE_EQ(pnic_post_write(a.ep, b.addr, pa + off, len, ma->key, (uintptr_t)pb + off, mb->key, 1,
				   PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
	expect_sent(&a, 1, PNIC_OP_WRITE, len, 0);
	expect_bytes(pb + off, len, 99);
	CHECK_EQ(pnic_mr_dereg(ma), 0);
	CHECK_EQ(pnic_mr_dereg(mb), 0);
	munmap(pa, size);
	munmap(pb, size);
	close_both();
}

/* Writes and reads of random places and lengths against a copy kept by hand. */
KTAP_TEST(random_mix)
{
	const uint32_t space = 1u << 20;
	uint32_t len, src, dst, i;
	uint64_t seed = 20250101;
	uint8_t *copy;

	open_both(MEM);
	copy = malloc(space);
	REQUIRE(copy);
	pattern_fill(a.mem, space, 1);
	pattern_fill(b.mem, space, 2);
	memcpy(copy, b.mem, space);
	for (i = 0; i < 600; i++) {
		len = random_below(&seed, i % 10 ? 5000 : 150000);
		src = random_below(&seed, space - len);
		dst = random_below(&seed, space - len);
		if (i % 4 == 3) {
			REQUIRE_EQ(pnic_post_read(a.ep, b.addr, a.mem + src, len, a.mr->key,
						  (uintptr_t)b.mem + dst, b.mr->key, i, PNIC_SQF_SIGNALED), 0);
			pnic_ring(a.ep);
			expect_sent(&a, i, PNIC_OP_READ, len, 0);
			CHECK_EQ(memcmp(a.mem + src, copy + dst, len), 0);
			continue;
		}
		memcpy(copy + dst, a.mem + src, len);
		REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem + src, len, a.mr->key, (uintptr_t)b.mem + dst,
					   b.mr->key, i, PNIC_SQF_SIGNALED), 0);
		pnic_ring(a.ep);
		expect_sent(&a, i, PNIC_OP_WRITE, len, 0);
	}
	CHECK_EQ(memcmp(copy, b.mem, space), 0);
	free(copy);
	close_both();
}

KTAP_MAIN()
