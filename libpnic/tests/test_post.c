// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What posting writes: each descriptor against bytes that were laid out by hand from the
 * contract, slot counts, ring wrap, room, doorbells.
 */
#include "fakecard.h"
#include "selftests/ktap.h"

static struct pnic_ctx *ctx;
static struct pnic_cq *cq;
static struct pnic_ep *ep;
static const struct pnic_addr to = { 0x010203, 0x0a0b0c };

static void setup(uint32_t slots)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = 4096 };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = slots, .rq_entries = 16 };

	fake_reset();
	ctx = fake_open("fake0");
	REQUIRE_EQ(pnic_cq_create(ctx, &ca, &cq), 0);
	ea.send_cq = cq;
	REQUIRE_EQ(pnic_ep_create(ctx, &ea, &ep), 0);
	memset(ep->sq, 0xee, (size_t)ep->sq_slots * 64);
}

static void teardown(void)
{
	pnic_close(ctx);
	CHECK_EQ(fake.maps, 0);
}

/* Compares with bytes written as hex; spaces are for the reader. */
static void check_bytes(int line, const void *mem, const char *hex)
{
	const uint8_t *p = mem;
	unsigned int val, i = 0;

	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		if (sscanf(hex++, "%2x", &val) != 1)
			ktap_failed(__FILE__, line, "bad hex in the test");
		if (p[i] != val)
			ktap_failed(__FILE__, line, "byte %u is %02x, wanted %02x", i, p[i], val);
		i++;
	}
}
#define CHECK_BYTES(mem, hex)	check_bytes(__LINE__, mem, hex)

KTAP_TEST(plain_descriptors)
{
	void *buf = (void *)0x1122334455667788;

	setup(64);
	REQUIRE_EQ(pnic_post_write(ep, to, buf, 0x01020304, 0xa1a2a3a4a5a6a7a8, 0xb1b2b3b4b5b6b7b8,
				   0xc1c2c3c4c5c6c7c8, 0xd1d2d3d4d5d6d7d8, PNIC_SQF_SIGNALED), 0);
	CHECK_BYTES(ep->sq, "03 01 01 01 04030201 d8d7d6d5d4d3d2d1 03020100 0c0b0a00 b8b7b6b5b4b3b2b1"
		    "c8c7c6c5c4c3c2c1 0000000000000000 8877665544332211 a8a7a6a5a4a3a2a1");
	REQUIRE_EQ(pnic_post_write_imm(ep, to, buf, 5, 6, 7, 8, 0x99, 10, 0), 0);
	CHECK_BYTES(ep->sq + 64, "04 00 01 01 05000000 0a00000000000000 03020100 0c0b0a00 0700000000000000"
		    "0800000000000000 9900000000000000 8877665544332211 0600000000000000");
	REQUIRE_EQ(pnic_post_send(ep, to, buf, 5, 6, 10, PNIC_SQF_FENCE), 0);
	CHECK_BYTES(ep->sq + 128, "01 02 01 01 05000000 0a00000000000000 03020100 0c0b0a00 0000000000000000"
		    "0000000000000000 0000000000000000 8877665544332211 0600000000000000");
	REQUIRE_EQ(pnic_post_send_imm(ep, to, buf, 5, 6, 0x123456789abcdef0, 10, 0), 0);
	CHECK_BYTES(ep->sq + 192, "02 00 01 01 05000000 0a00000000000000 03020100 0c0b0a00 0000000000000000"
		    "0000000000000000 f0debc9a78563412 8877665544332211 0600000000000000");
	REQUIRE_EQ(pnic_post_read(ep, to, buf, 5, 6, 7, 8, 10, PNIC_SQF_SIGNALED | PNIC_SQF_FENCE), 0);
	CHECK_BYTES(ep->sq + 256, "05 03 01 01 05000000 0a00000000000000 03020100 0c0b0a00 0700000000000000"
		    "0800000000000000 0000000000000000 8877665544332211 0600000000000000");
	CHECK_EQ(ep->sq_tail, 5);
	teardown();
}

KTAP_TEST(atomics_and_flush)
{
	setup(64);
	REQUIRE_EQ(pnic_post_fetch_add(ep, to, 8, 7, 8, 0x1122334455667788, 10, PNIC_SQF_SIGNALED), 0);
	CHECK_BYTES(ep->sq, "06 01 00 01 08000000 0a00000000000000 03020100 0c0b0a00 0700000000000000"
		    "0800000000000000 8877665544332211 0000000000000000 0000000000000000");
	REQUIRE_EQ(pnic_post_comp_swap(ep, to, 4, 7, 8, 0xc0, 0x5a, 10, PNIC_SQF_SIGNALED), 0);
	CHECK_BYTES(ep->sq + 64, "07 01 00 01 04000000 0a00000000000000 03020100 0c0b0a00 0700000000000000"
		    "0800000000000000 5a00000000000000 c000000000000000 0000000000000000");
	REQUIRE_EQ(pnic_post_flush(ep, 10, PNIC_SQF_SIGNALED), 0);
	CHECK_BYTES(ep->sq + 128, "08 01 00 01 00000000 0a00000000000000 00000000 00000000 0000000000000000"
		    "0000000000000000 0000000000000000 0000000000000000 0000000000000000");
	CHECK_EQ(pnic_post_fetch_add(ep, to, 2, 7, 8, 1, 10, 0), -EINVAL);
	CHECK_EQ(pnic_post_comp_swap(ep, to, 16, 7, 8, 1, 1, 10, 0), -EINVAL);
	CHECK_EQ(pnic_post_fetch_add(ep, to, 8, 7, 8, 1, 10, PNIC_SQF_INLINE), -EINVAL);
	CHECK_EQ(pnic_post_flush(ep, 10, PNIC_SQF_INLINE), -EINVAL);
	CHECK_EQ(pnic_post_read(ep, to, NULL, 4, 0, 7, 8, 10, PNIC_SQF_INLINE), -EINVAL);
	CHECK_EQ(ep->sq_tail, 3);
	teardown();
}

/* Each inline length: slots as the contract's formula says, every byte in its place, nothing past it. */
KTAP_TEST(inline_lengths)
{
	uint8_t data[PNIC_SQE_MAX_INLINE + 1];
	uint32_t len, slots, i, at;

	setup(64);
	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i + 1);
	for (len = 0; len <= PNIC_SQE_MAX_INLINE; len++) {
		memset(ep->sq, 0xee, (size_t)ep->sq_slots * 64);
		ep->sq_tail = ep->sq_head = 3;
		REQUIRE_EQ(pnic_post_write(ep, to, data, len, 0, 7, 8, 10, PNIC_SQF_INLINE), 0);
		slots = len <= 16 ? 1 : len <= 80 ? 2 : len <= 144 ? 3 : len <= 208 ? 4 : 5;
		REQUIRE_EQ(ep->sq_tail - 3, slots);
		CHECK_EQ(ep->sq[3 * 64 + 1], PNIC_SQF_INLINE);
		CHECK_EQ(ep->sq[3 * 64 + 2], 0);
		CHECK_EQ(ep->sq[3 * 64 + 3], slots);
		for (i = 0; i < len; i++) {
			at = i < 16 ? 3 * 64 + 48 + i : 4 * 64 + i - 16;
			if (ep->sq[at] != data[i])
				ktap_failed(__FILE__, __LINE__, "length %u: byte %u is wrong", len, i);
		}
		CHECK_EQ(ep->sq[(3 + slots) * 64], 0xee);
		CHECK_EQ(ep->sq[2 * 64 + 63], 0xee);
	}
	CHECK_EQ(pnic_post_write(ep, to, data, len, 0, 7, 8, 10, PNIC_SQF_INLINE), -E2BIG);
	teardown();
}

KTAP_TEST(inline_wraps)
{
	uint8_t data[208];
	uint32_t i;

	setup(16);
	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i ^ 0x5a);
	/* Index 2^32 - 2: the index and the ring wrap in the middle of the payload. */
	ep->sq_tail = ep->sq_head = ep->sq_rung = 0xfffffffe;
	REQUIRE_EQ(pnic_post_send(ep, to, data, sizeof(data), 0, 1, PNIC_SQF_INLINE), 0);
	CHECK_EQ(ep->sq_tail, 2);
	CHECK(!memcmp(ep->sq + 14 * 64 + 48, data, 16));
	CHECK(!memcmp(ep->sq + 15 * 64, data + 16, 64));
	CHECK(!memcmp(ep->sq, data + 80, 64));
	CHECK(!memcmp(ep->sq + 64, data + 144, 64));
	CHECK_EQ(ep->sq[2 * 64], 0xee);
	teardown();
}

KTAP_TEST(buffer_lists)
{
	struct pnic_buf b[9];
	uint32_t n, i, slots, start;
	uint8_t *sge;

	setup(16);
	for (i = 0; i < 9; i++)
		b[i] = (struct pnic_buf) { (void *)(uintptr_t)(0x1000 + i), 0x2000 + i, 0x10 + i, 0 };
	for (n = 2; n <= 8; n++) {
		start = 13;
		ep->sq_tail = ep->sq_head = start;
		REQUIRE_EQ(pnic_post_writev(ep, to, b, n, 7, 8, 10, 0), 0);
		slots = 1 + (n + 1) / 2;
		CHECK_EQ(ep->sq_tail - start, slots);
		CHECK_EQ(ep->sq[start * 64 + 2], n);
		CHECK_EQ(ep->sq[start * 64 + 3], slots);
		CHECK_EQ(ep->sq[start * 64 + 4], n * 0x10 + n * (n - 1) / 2);
		for (i = 0; i < n; i++) {
			sge = ep->sq + ((start + 1 + i / 2) & 15) * 64 + i % 2 * 32;
			CHECK_EQ(sge[0] | sge[1] << 8, 0x1000 + i);
			CHECK_EQ(sge[8] | sge[9] << 8, 0x2000 + i);
			CHECK_EQ(sge[16] | sge[17] << 8, 0x10 + i);
			CHECK_EQ(sge[20] | sge[31], 0);
		}
	}
	CHECK_EQ(pnic_post_writev(ep, to, b, 9, 7, 8, 10, 0), -E2BIG);
	CHECK_EQ(pnic_post_sendv(ep, to, b, 2, 10, PNIC_SQF_INLINE), -EINVAL);
	b[0].length = 0xffffffff;
	CHECK_EQ(pnic_post_sendv(ep, to, b, 2, 10, 0), -E2BIG);
	/* One buffer is the plain form, none an empty transfer. */
	b[0].length = 0x77;
	ep->sq_tail = ep->sq_head = 0;
	REQUIRE_EQ(pnic_post_readv(ep, to, b, 1, 7, 8, 10, 0), 0);
	CHECK_BYTES(ep->sq, "05 00 01 01 77000000 0a00000000000000 03020100 0c0b0a00 0700000000000000"
		    "0800000000000000 0000000000000000 0010000000000000 0020000000000000");
	REQUIRE_EQ(pnic_post_sendv_imm(ep, to, b, 0, 0x42, 10, 0), 0);
	CHECK_BYTES(ep->sq + 64, "02 00 01 01 00000000 0a00000000000000 03020100 0c0b0a00 0000000000000000"
		    "0000000000000000 4200000000000000 0000000000000000 0000000000000000");
	teardown();
}

KTAP_TEST(full_ring)
{
	struct pnic_buf b[4] = { { 0 } };
	uint8_t data[80] = { 0 };
	int i;

	setup(16);
	for (i = 0; i < 15; i++)
		REQUIRE_EQ(pnic_post_flush(ep, i, 0), 0);
	/* One slot is left: what needs more is refused and leaves nothing behind. */
	memset(ep->sq + 15 * 64, 0xee, 64);
	CHECK_EQ(pnic_post_send(ep, to, data, 17, 0, 1, PNIC_SQF_INLINE), -EAGAIN);
	CHECK_EQ(pnic_post_sendv(ep, to, b, 4, 1, 0), -EAGAIN);
	CHECK_EQ(ep->sq_tail, 15);
	CHECK_EQ(ep->sq[15 * 64], 0xee);
	CHECK_EQ(pnic_post_send(ep, to, data, 16, 0, 1, PNIC_SQF_INLINE), 0);
	CHECK_EQ(pnic_post_send(ep, to, data, 1, 0, 1, 0), -EAGAIN);
	CHECK_EQ(pnic_post_flush(ep, 1, 0), -EAGAIN);
	CHECK_EQ(pnic_post_fetch_add(ep, to, 8, 0, 0, 1, 1, 0), -EAGAIN);
	CHECK_EQ(ep->sq_tail, 16);
	teardown();
}

KTAP_TEST(receive_ring)
{
	int i;

	setup(16);
	REQUIRE_EQ(ep->rq_entries, 16);
	REQUIRE_EQ(pnic_post_recv(ep, (void *)0x1122334455667788, 0x01020304, 0xa1a2a3a4a5a6a7a8, 0xd8), 0);
	CHECK_BYTES(ep->rq, "d800000000000000 8877665544332211 a8a7a6a5a4a3a2a1 04030201 00000000");
	for (i = 1; i < 16; i++)
		REQUIRE_EQ(pnic_post_recv(ep, NULL, 0, 0, i), 0);
	CHECK_EQ(pnic_post_recv(ep, NULL, 0, 0, i), -EAGAIN);
	CHECK_EQ(*ep->rq_db, 0);
	pnic_ring_recv(ep);
	CHECK_EQ(*ep->rq_db, 16);
	teardown();
}

KTAP_TEST(doorbells)
{
	setup(16);
	pnic_ring(ep);
	CHECK_EQ(*ep->sq_db, 0);
	REQUIRE_EQ(pnic_post_flush(ep, 1, 0), 0);
	REQUIRE_EQ(pnic_post_flush(ep, 2, 0), 0);
	CHECK_EQ(*ep->sq_db, 0);
	pnic_ring(ep);
	CHECK_EQ(*ep->sq_db, 2);
	/* Nothing new: the slot is not written again. */
	*ep->sq_db = 99;
	pnic_ring(ep);
	CHECK_EQ(*ep->sq_db, 99);
	teardown();
}

KTAP_TEST(park)
{
	setup(16);
	REQUIRE(ep->park);
	REQUIRE_EQ(pnic_post_flush(ep, 1, 0), 0);
	pnic_ring(ep);
	CHECK_EQ(fake.wakes, 0);
	*(volatile uint64_t *)ep->park = PNIC_DB_PARKED;
	REQUIRE_EQ(pnic_post_flush(ep, 1, 0), 0);
	pnic_ring(ep);
	CHECK_EQ(fake.wakes, 1);
	REQUIRE_EQ(pnic_post_recv(ep, NULL, 0, 0, 1), 0);
	pnic_ring_recv(ep);
	CHECK_EQ(fake.wakes, 2);
	CHECK_EQ(pnic_arm(cq), 0);
	CHECK_EQ(fake.wakes, 3);
	teardown();
}

/* A card without the capability: the word is not even looked at. */
KTAP_TEST(no_park)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = 64 };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 16 };

	fake_reset();
	fake.features = 0;
	ctx = fake_open("fake0");
	REQUIRE_EQ(pnic_cq_create(ctx, &ca, &cq), 0);
	ea.send_cq = cq;
	REQUIRE_EQ(pnic_ep_create(ctx, &ea, &ep), 0);
	CHECK(!ep->park);
	fake.cq[0].dev->db[0] = PNIC_DB_PARKED;
	REQUIRE_EQ(pnic_post_flush(ep, 1, 0), 0);
	pnic_ring(ep);
	pnic_arm(cq);
	CHECK_EQ(fake.wakes, 0);
	CHECK_EQ(pnic_post_recv(ep, NULL, 0, 0, 0), -EAGAIN);
	teardown();
}

KTAP_MAIN()
