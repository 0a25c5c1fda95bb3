// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/* Reads and writes, atomics, regions and their keys. */
#include <complex.h>

#include "suite.h"

#define MEM (8u << 20)

static const struct opts plain = { 0 };
static const size_t sizes[] = { 0, 1, 8, 256, 257, 2048, 2049, 8193, 100001, 4u << 20 };
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static int ctx[16];

KTAP_TEST(rma_write)
{
	size_t i;

	pair_open(&plain, MEM);
	for (i = 0; i < SIZES; i++) {
		fill(n0.mem, sizes[i], i);
		memset(n1.mem, 0, sizes[i] + 200);
		REQUIRE_FI(retry(fi_write(n0.ep, n0.mem, sizes[i], i & 1 ? fi_mr_desc(n0.mr) : NULL, n0.peer[1], n1.base + 100,
					  n1.key, &ctx[0])));
		CHECK_EQ(node_done(&n0, &ctx[0]).flags, FI_RMA | FI_WRITE);
		CHECK(same(n1.mem + 100, sizes[i], i));
		CHECK_EQ(n1.mem[99], 0);
		CHECK_EQ(n1.mem[100 + sizes[i]], 0);
	}
	pair_close();
}

KTAP_TEST(rma_read)
{
	size_t i;

	pair_open(&plain, MEM);
	for (i = 0; i < SIZES; i++) {
		fill(n1.mem + 50, sizes[i], i);
		memset(n0.mem, 0, sizes[i] + 100);
		REQUIRE_FI(retry(fi_read(n0.ep, n0.mem, sizes[i], i & 1 ? fi_mr_desc(n0.mr) : NULL, n0.peer[1], n1.base + 50,
					 n1.key, &ctx[0])));
		CHECK_EQ(node_done(&n0, &ctx[0]).flags, FI_RMA | FI_READ);
		CHECK(same(n0.mem, sizes[i], i));
		CHECK_EQ(n0.mem[sizes[i]], 0);
	}
	pair_close();
}

static void rma_lists(size_t len)
{
	size_t a = len / 5, b = len / 2;
	struct iovec iov[3] = { { n0.mem, a }, { n0.mem + a, b - a }, { n0.mem + b, len - b } };
	struct fi_rma_iov there[2] = { { n1.base, len - 3, n1.key }, { n1.base + len - 3, 3, n1.key } };
	struct fi_msg_rma m = { .msg_iov = iov, .iov_count = 3, .addr = n0.peer[1], .rma_iov = there, .rma_iov_count = 2,
				.context = &ctx[0], .data = 11 };
	struct fi_cq_tagged_entry e;

	fill(n0.mem, len, 3);
	memset(n1.mem, 0, len);
	REQUIRE_FI(retry(fi_writev(n0.ep, iov, NULL, 3, n0.peer[1], n1.base, n1.key, &ctx[0])));
	node_done(&n0, &ctx[0]);
	CHECK(same(n1.mem, len, 3));
	memset(n1.mem, 0, len);
	REQUIRE_FI(retry(fi_writemsg(n0.ep, &m, FI_REMOTE_CQ_DATA | FI_DELIVERY_COMPLETE)));
	node_done(&n0, &ctx[0]);
	e = node_done(&n1, NULL);
	CHECK_EQ(e.data, 11);
	CHECK_EQ(e.flags, FI_RMA | FI_REMOTE_WRITE | FI_REMOTE_CQ_DATA);
	CHECK(same(n1.mem, len, 3));
	memset(n0.mem, 0, len);
	REQUIRE_FI(retry(fi_readv(n0.ep, iov, NULL, 3, n0.peer[1], n1.base, n1.key, &ctx[0])));
	node_done(&n0, &ctx[0]);
	CHECK(same(n0.mem, len, 3));
	memset(n0.mem, 0, len);
	REQUIRE_FI(retry(fi_readmsg(n0.ep, &m, 0)));
	node_done(&n0, &ctx[0]);
	CHECK(same(n0.mem, len, 3));
}

KTAP_TEST(rma_iov)
{
	pair_open(&plain, MEM);
	SUBTEST("short")
		rma_lists(200);
	SUBTEST("copied")
		rma_lists(1500);
	SUBTEST("long")
		rma_lists(1234567);
	SUBTEST("lengths that differ") {
		struct iovec iov = { n0.mem, 10 };
		struct fi_rma_iov there = { n1.base, 11, n1.key };
		struct fi_msg_rma m = { .msg_iov = &iov, .iov_count = 1, .addr = n0.peer[1], .rma_iov = &there,
					.rma_iov_count = 1 };

		CHECK_EQ(fi_writemsg(n0.ep, &m, 0), -FI_EINVAL);
		CHECK_EQ(fi_readmsg(n0.ep, &m, 0), -FI_EINVAL);
	}
	pair_close();
}

KTAP_TEST(rma_data)
{
	static const size_t len[] = { 0, 10, 1 << 20 };
	struct fi_cq_tagged_entry e;
	int i;

	pair_open(&plain, MEM);
	for (i = 0; i < 3; i++) {
		fill(n0.mem, len[i], i);
		REQUIRE_FI(retry(fi_writedata(n0.ep, n0.mem, len[i], NULL, 0x80000001 + i, n0.peer[1], n1.base, n1.key,
					      &ctx[0])));
		e = node_done(&n1, NULL);
		CHECK_EQ(e.data, 0x80000001 + i);
		CHECK_EQ(e.flags, FI_RMA | FI_REMOTE_WRITE | FI_REMOTE_CQ_DATA);
		CHECK(same(n1.mem, len[i], i));
		node_done(&n0, &ctx[0]);
	}
	pair_close();
}

KTAP_TEST(rma_inject)
{
	pair_open(&plain, MEM);
	fill(n0.mem, 256, 1);
	REQUIRE_FI(retry(fi_inject_write(n0.ep, n0.mem, 256, n0.peer[1], n1.base, n1.key)));
	fill(n0.mem, 256, 2);
	REQUIRE_FI(retry(fi_inject_writedata(n0.ep, n0.mem, 100, 9, n0.peer[1], n1.base + 1000, n1.key)));
	fill(n0.mem, 256, 3);
	CHECK_EQ(node_done(&n1, NULL).data, 9);
	CHECK(same(n1.mem + 1000, 100, 2));
	while (!n1.mem[255])
		spin();
	CHECK(same(n1.mem, 256, 1));
	CHECK_EQ(fi_inject_write(n0.ep, n0.mem, 257, n0.peer[1], n1.base, n1.key), -FI_EINVAL);
	pair_close();
}

KTAP_TEST(rma_refused)
{
	struct fid_mr *ro, *narrow;
	uint64_t ro_key, base = 0;

	pair_open(&plain, MEM);
	REQUIRE_FI(fi_mr_reg(n1.domain, n1.mem, 4096, FI_REMOTE_READ, 0, 0, 0, &ro, NULL));
	ro_key = fi_mr_key(ro);
	base = (uint64_t)(uintptr_t)n1.mem;
	SUBTEST("no such key") {
		REQUIRE_FI(retry(fi_write(n0.ep, n0.mem, 8, NULL, n0.peer[1], n1.base, n1.key ^ 1, &ctx[0])));
		node_fails(&n0, &ctx[0], FI_EKEYREJECTED);
	}
	SUBTEST("below the region") {
		REQUIRE_FI(retry(fi_write(n0.ep, n0.mem, 8, NULL, n0.peer[1], n1.base - 4, n1.key, &ctx[0])));
		node_fails(&n0, &ctx[0], FI_EACCES);
	}
	SUBTEST("over its end") {
		REQUIRE_FI(retry(fi_read(n0.ep, n0.mem, 8, NULL, n0.peer[1], n1.base + MEM - 4, n1.key, &ctx[0])));
		node_fails(&n0, &ctx[0], FI_EACCES);
	}
	SUBTEST("a write where reading is allowed") {
		n1.mem[0] = 'r';
		REQUIRE_FI(retry(fi_write(n0.ep, n0.mem, 8, NULL, n0.peer[1], base, ro_key, &ctx[0])));
		node_fails(&n0, &ctx[0], FI_EACCES);
		CHECK_EQ(n1.mem[0], 'r');
		REQUIRE_FI(retry(fi_read(n0.ep, n0.mem, 8, NULL, n0.peer[1], base, ro_key, &ctx[0])));
		node_done(&n0, &ctx[0]);
	}
	SUBTEST("a region that is gone") {
		CHECK_EQ(fi_close(&ro->fid), 0);
		REQUIRE_FI(retry(fi_read(n0.ep, n0.mem, 8, NULL, n0.peer[1], base, ro_key, &ctx[0])));
		node_fails(&n0, &ctx[0], FI_EKEYREJECTED);
	}
	SUBTEST("and all others go on") {
		REQUIRE_FI(retry(fi_write(n0.ep, "w", 1, NULL, n0.peer[1], n1.base, n1.key, &ctx[0])));
		node_done(&n0, &ctx[0]);
		CHECK_EQ(n1.mem[0], 'w');
	}
	SUBTEST("bad registrations") {
		CHECK(fi_mr_reg(n1.domain, (void *)16, 4096, FI_REMOTE_READ, 0, 0, 0, &narrow, NULL) < 0);
		CHECK_EQ(fi_mr_reg(n1.domain, n1.mem, 4096, FI_MSG, 0, 0, 0, &narrow, NULL), -FI_EINVAL);
		CHECK_EQ(fi_mr_reg(n1.domain, n1.mem, 4096, FI_READ, 0, 0, 1ull << 63, &narrow, NULL), -FI_EBADFLAGS);
	}
	pair_close();
}

/* Keys that the program chooses, bytes named by offset; a key that is given to another region. */
KTAP_TEST(rma_program_keys)
{
	static const struct opts o = { .mr_mode = FI_MR_ALLOCATED };
	struct fid_mr *second, *again;

	pair_open(&o, MEM);
	CHECK_EQ(n1.key, 77);
	CHECK_EQ(n1.base, 0);
	fill(n0.mem, 1000, 1);
	REQUIRE_FI(retry(fi_write(n0.ep, n0.mem, 1000, NULL, n0.peer[1], 5000, 77, &ctx[0])));
	node_done(&n0, &ctx[0]);
	CHECK(same(n1.mem + 5000, 1000, 1));
	CHECK_EQ(fi_mr_reg(n1.domain, n1.mem, 4096, FI_REMOTE_WRITE, 0, 77, 0, &second, NULL), -FI_ENOKEY);
	REQUIRE_FI(fi_mr_reg(n1.domain, n1.mem, 4096, FI_REMOTE_WRITE, 0, 78, 0, &second, NULL));
	REQUIRE_FI(retry(fi_write(n0.ep, "a", 1, NULL, n0.peer[1], 1, 78, &ctx[0])));
	node_done(&n0, &ctx[0]);
	CHECK_EQ(n1.mem[1], 'a');
	CHECK_EQ(fi_close(&second->fid), 0);
	REQUIRE_FI(fi_mr_reg(n1.domain, n1.mem + 8192, 4096, FI_REMOTE_WRITE, 0, 78, 0, &again, NULL));
	REQUIRE_FI(retry(fi_write(n0.ep, "b", 1, NULL, n0.peer[1], 1, 78, &ctx[0])));
	node_done(&n0, &ctx[0]);
	CHECK_EQ(n1.mem[8193], 'b');
	CHECK_EQ(n1.mem[1], 'a');
	CHECK_EQ(fi_close(&again->fid), 0);
	pair_close();
}

/* A key given to another region while many operations to the one before are on their way: each gets to the new one. */
KTAP_TEST(rma_key_changes_under_way)
{
	enum { N = 300, LEN = 1024 };
	static const struct opts o = { .mr_mode = FI_MR_ALLOCATED }, virt = { .mr_mode = FI_MR_ALLOCATED | FI_MR_VIRT_ADDR };
	struct fid_mr *mr;
	uint64_t base;
	int round, i;

	pair_open(&o, MEM);
	fill(n0.mem, N * LEN, 1);
	REQUIRE_FI(fi_mr_reg(n1.domain, n1.mem, N * LEN, FI_REMOTE_WRITE, 0, 5, 0, &mr, NULL));
	for (round = 0; round < 4; round++) {
		REQUIRE_FI(retry(fi_write(n0.ep, "k", 1, NULL, n0.peer[1], 0, 5, &ctx[0])));
		node_done(&n0, &ctx[0]);
		CHECK_EQ(fi_close(&mr->fid), 0);
		memset(n1.mem, 0, MEM);
		REQUIRE_FI(fi_mr_reg(n1.domain, n1.mem + (round + 1) * (1 << 20), N * LEN, FI_REMOTE_WRITE, 0, 5, 0, &mr, NULL));
		for (i = 0; i < N; i++)
			REQUIRE_FI(retry(fi_write(n0.ep, n0.mem + i * LEN, LEN, NULL, n0.peer[1], (uint64_t)i * LEN, 5,
						  &ctx[1])));
		for (i = 0; i < N; i++)
			node_done(&n0, &ctx[1]);
		CHECK(same(n1.mem + (round + 1) * (1 << 20), N * LEN, 1));
	}
	CHECK_EQ(fi_close(&mr->fid), 0);
	pair_close();
	/* By address: one that lies below is no reason to refuse what comes. */
	pair_open(&virt, MEM);
	base = (uint64_t)(uintptr_t)n1.mem;
	for (i = 3; i >= 0; i--) {
		REQUIRE_FI(fi_mr_reg(n1.domain, n1.mem + i * 8192, 8192, FI_REMOTE_WRITE, 0, 5, 0, &mr, NULL));
		REQUIRE_FI(retry(fi_write(n0.ep, "v", 1, NULL, n0.peer[1], base + i * 8192, 5, &ctx[0])));
		node_done(&n0, &ctx[0]);
		CHECK_EQ(n1.mem[i * 8192], 'v');
		if (!i) {
			REQUIRE_FI(retry(fi_write(n0.ep, "v", 1, NULL, n0.peer[1], base - 1, 5, &ctx[0])));
			node_fails(&n0, &ctx[0], FI_EACCES);
		}
		CHECK_EQ(fi_close(&mr->fid), 0);
	}
	pair_close();
}

/* With FI_ORDER_WAW and the like what follows sees what was before. */
KTAP_TEST(rma_ordered)
{
	static const struct opts o = { .order = FI_ORDER_SAS | FI_ORDER_RAR | FI_ORDER_RAW | FI_ORDER_WAR | FI_ORDER_WAW };
	uint64_t one = 1, old = 0;
	int i;

	pair_open(&o, MEM);
	for (i = 0; i < 50; i++) {
		fill(n0.mem, 100000, i);
		REQUIRE_FI(retry(fi_write(n0.ep, n0.mem, 100000, NULL, n0.peer[1], n1.base + 8, n1.key, &ctx[0])));
		REQUIRE_FI(retry(fi_fetch_atomic(n0.ep, &one, 1, NULL, &old, NULL, n0.peer[1], n1.base, n1.key, FI_UINT64,
						 FI_SUM, &ctx[1])));
		REQUIRE_FI(retry(fi_read(n0.ep, n0.mem + 200000, 100000, NULL, n0.peer[1], n1.base + 8, n1.key, &ctx[2])));
		node_done(&n0, &ctx[1]);
		CHECK_EQ(old, i);
		CHECK(same(n1.mem + 8, 100000, i));	/* the write was over before the atomic began */
		node_done(&n0, &ctx[2]);
		CHECK(same(n0.mem + 200000, 100000, i));
		node_done(&n0, &ctx[0]);
	}
	pair_close();
}

static void write_fenced(void *buf, size_t len, uint64_t at, void *context)
{
	struct iovec iov = { buf, len };
	struct fi_rma_iov there = { n1.base + at, len, n1.key };
	struct fi_msg_rma m = { .msg_iov = &iov, .iov_count = 1, .addr = n0.peer[1], .rma_iov = &there, .rma_iov_count = 1,
				.context = context };

	REQUIRE_FI(retry(fi_writemsg(n0.ep, &m, FI_FENCE | FI_COMPLETION)));
}

/* While nobody looks at n0's completions, what came before isn't over for it, and what waits must not begin. */
static bool untouched(const char *mem, size_t len, char was)
{
	size_t i;

	usleep(2000);
	for (i = 0; i < len; i++)
		if (mem[i] != was)
			return false;
	return true;
}

/* What is fenced begins when all that was posted before it is over, and what is posted behind it doesn't overtake it. */
KTAP_TEST(rma_fence)
{
	static const struct opts o = { .caps = CAPS | FI_FENCE };
	uint64_t one = 1, *flag;
	struct fi_ioc ioc = { &one, 1 };
	struct fi_rma_ioc there;
	struct fi_msg_atomic add = { .msg_iov = &ioc, .iov_count = 1, .rma_iov = &there, .rma_iov_count = 1,
				     .datatype = FI_UINT64, .op = FI_SUM, .context = &ctx[1] };
	const size_t len = 2 << 20;
	int i;

	pair_open(&o, MEM);
	CHECK(n0.info->caps & FI_FENCE);
	there = (struct fi_rma_ioc){ n1.base + MEM - 8, 1, n1.key };
	flag = (uint64_t *)(void *)(n1.mem + MEM - 8);
	add.addr = n0.peer[1];
	for (i = 0; i < 10; i++) {
		/* A write of what a read brings. */
		fill(n1.mem, len, i);
		memset(n0.mem, 0, len);
		REQUIRE_FI(retry(fi_read(n0.ep, n0.mem, len, NULL, n0.peer[1], n1.base, n1.key, &ctx[0])));
		memset(n1.mem + 2 * len, 3, 1000);
		write_fenced(n0.mem + len - 1000, 1000, 2 * len, &ctx[1]);
		CHECK(untouched(n1.mem + 2 * len, 1000, 3));
		node_done(&n0, &ctx[1]);
		CHECK(!memcmp(n1.mem + 2 * len, n1.mem + len - 1000, 1000));
		node_done(&n0, &ctx[0]);
		/* An atomic that says that a write is over. */
		fill(n0.mem, len, 100 + i);
		*flag = 0;
		REQUIRE_FI(retry(fi_write(n0.ep, n0.mem, len, NULL, n0.peer[1], n1.base, n1.key, &ctx[0])));
		REQUIRE_FI(retry(fi_atomicmsg(n0.ep, &add, FI_FENCE | FI_COMPLETION)));
		while (!__atomic_load_n(flag, __ATOMIC_ACQUIRE))
			spin();
		CHECK(same(n1.mem, len, 100 + i));
		node_done(&n0, &ctx[0]);
		node_done(&n0, &ctx[1]);
	}
	pair_close();
	/* Messages. The first write waits for a key, which messages don't. */
	pair_open(&o, MEM);
	for (i = 0; i < 10; i++) {
		struct iovec iov = { n0.mem + len, 100 };
		struct fi_msg m = { .msg_iov = &iov, .iov_count = 1, .addr = n0.peer[1], .context = &ctx[2] };

		fill(n0.mem, len, i);
		REQUIRE_FI(fi_recv(n1.ep, n1.mem + 3 * len, 100, NULL, FI_ADDR_UNSPEC, &ctx[3]));
		REQUIRE_FI(retry(fi_write(n0.ep, n0.mem, len, NULL, n0.peer[1], n1.base, n1.key, &ctx[0])));
		if (!(i & 1)) {
			REQUIRE_FI(retry(fi_sendmsg(n0.ep, &m, FI_FENCE | FI_COMPLETION)));
		} else {
			write_fenced(n0.mem, 8, 2 * len, &ctx[1]);
			REQUIRE_FI(retry(fi_send(n0.ep, n0.mem + len, 100, NULL, n0.peer[1], &ctx[2])));
		}
		node_done(&n1, &ctx[3]);
		CHECK(same(n1.mem, len, i));
		node_done(&n0, &ctx[0]);
		if (i & 1)
			node_done(&n0, &ctx[1]);
		node_done(&n0, &ctx[2]);
	}
	/* One that fails lets the others go on. */
	REQUIRE_FI(retry(fi_write(n0.ep, n0.mem, len, NULL, n0.peer[1], n1.base, n1.key ^ 1, &ctx[0])));
	write_fenced(n0.mem, 8, 0, &ctx[1]);
	node_fails(&n0, &ctx[0], FI_EKEYREJECTED);
	node_done(&n0, &ctx[1]);
	pair_close();
}

/* What fi_getinfo() says of the order of data, and that it is so. */
KTAP_TEST(rma_order_claims)
{
	static const struct opts none = { 0 };
	static const struct opts raw = { .order = FI_ORDER_SAS | FI_ORDER_RAW }, war = { .order = FI_ORDER_SAS | FI_ORDER_WAR };
	static const struct opts waw = { .order = FI_ORDER_SAS | FI_ORDER_WAW };
	const size_t len = 2 << 20;
	int i;

	pair_open(&none, MEM);
	CHECK_EQ(n0.info->ep_attr->max_order_raw_size, 0);
	CHECK_EQ(n0.info->ep_attr->max_order_war_size, 0);
	CHECK_EQ(n0.info->ep_attr->max_order_waw_size, 0);
	pair_close();
	/* A read sees what was written before. */
	pair_open(&raw, MEM);
	CHECK_EQ(n0.info->ep_attr->max_order_raw_size, n0.info->ep_attr->max_msg_size);
	CHECK_EQ(n0.info->ep_attr->max_order_war_size, 0);
	for (i = 0; i < 10; i++) {
		fill(n0.mem, len, i);
		REQUIRE_FI(retry(fi_write(n0.ep, n0.mem, len, NULL, n0.peer[1], n1.base, n1.key, &ctx[0])));
		memset(n0.mem + len, 3, 1000);
		REQUIRE_FI(retry(fi_read(n0.ep, n0.mem + len, 1000, NULL, n0.peer[1], n1.base + len - 1000, n1.key, &ctx[1])));
		if (i)		/* the key is known */
			CHECK(untouched(n0.mem + len, 1000, 3));
		node_done(&n0, &ctx[1]);
		CHECK(!memcmp(n0.mem + len, n0.mem + len - 1000, 1000));
		node_done(&n0, &ctx[0]);
	}
	pair_close();
	/* A read doesn't see what is written after it. */
	pair_open(&war, MEM);
	CHECK_EQ(n0.info->ep_attr->max_order_raw_size, 0);
	CHECK_EQ(n0.info->ep_attr->max_order_war_size, n0.info->ep_attr->max_msg_size);
	for (i = 0; i < 10; i++) {
		fill(n1.mem, len, i);
		fill(n0.mem + len, 1000, 77);
		REQUIRE_FI(retry(fi_read(n0.ep, n0.mem, len, NULL, n0.peer[1], n1.base, n1.key, &ctx[0])));
		REQUIRE_FI(retry(fi_write(n0.ep, n0.mem + len, 1000, NULL, n0.peer[1], n1.base + len - 1000, n1.key, &ctx[1])));
		if (i)
			CHECK(same(n1.mem, len, i));
		node_done(&n0, &ctx[0]);
		CHECK(same(n0.mem, len, i));
		node_done(&n0, &ctx[1]);
		CHECK(same(n1.mem + len - 1000, 1000, 77));
	}
	pair_close();
	/* Writes among themselves: begun in order, their bytes are not promised in any. */
	pair_open(&waw, MEM);
	CHECK_EQ(n0.info->ep_attr->max_order_waw_size, 0);
	pair_close();
}

/* --- atomics ------------------------------------------------------------------------------------ */

__extension__ typedef __int128 i128;
__extension__ typedef unsigned __int128 u128;

static const size_t type_size[] = { 1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 8, 16, sizeof(long double), 2 * sizeof(long double), 16, 16 };

/* A small whole number as an element of each type, and back: enough to tell the operations apart. */
static void put(int type, void *at, long v)
{
	switch (type) {
	case FI_FLOAT: *(float *)at = v; break;
	case FI_DOUBLE: *(double *)at = v; break;
	case FI_FLOAT_COMPLEX: *(float complex *)at = v; break;
	case FI_DOUBLE_COMPLEX: *(double complex *)at = v; break;
	case FI_LONG_DOUBLE: *(long double *)at = v; break;
	case FI_LONG_DOUBLE_COMPLEX: *(long double complex *)at = v; break;
	default: {
		i128 wide = v;

		memcpy(at, &wide, type_size[type]);
	}
	}
}

static long get(int type, const void *at)
{
	switch (type) {
	case FI_INT8: return *(int8_t *)at;
	case FI_UINT8: return *(uint8_t *)at;
	case FI_INT16: return *(int16_t *)at;
	case FI_UINT16: return *(uint16_t *)at;
	case FI_INT32: return *(int32_t *)at;
	case FI_UINT32: return *(uint32_t *)at;
	case FI_INT64: return *(int64_t *)at;
	case FI_UINT64: return *(uint64_t *)at;
	case FI_FLOAT: return *(float *)at;
	case FI_DOUBLE: return *(double *)at;
	case FI_FLOAT_COMPLEX: return crealf(*(float complex *)at);
	case FI_DOUBLE_COMPLEX: return creal(*(double complex *)at);
	case FI_LONG_DOUBLE: return *(long double *)at;
	case FI_LONG_DOUBLE_COMPLEX: return creall(*(long double complex *)at);
	case FI_INT128: return *(i128 *)at;
	default: return *(u128 *)at;
	}
}

static long expected(int op, long t, long v, long c)
{
	switch (op) {
	case FI_MIN: return v < t ? v : t;
	case FI_MAX: return v > t ? v : t;
	case FI_SUM: return t + v;
	case FI_PROD: return t * v;
	case FI_LOR: return t || v;
	case FI_LAND: return t && v;
	case FI_BOR: return t | v;
	case FI_BAND: return t & v;
	case FI_LXOR: return !t != !v;
	case FI_BXOR: return t ^ v;
	case FI_ATOMIC_READ: return t;
	case FI_ATOMIC_WRITE: return v;
	case FI_CSWAP: return c == t ? v : t;
	case FI_CSWAP_NE: return c != t ? v : t;
	case FI_CSWAP_LE: return c <= t ? v : t;
	case FI_CSWAP_LT: return c < t ? v : t;
	case FI_CSWAP_GE: return c >= t ? v : t;
	case FI_CSWAP_GT: return c > t ? v : t;
	case FI_MSWAP: return (v & c) | (t & ~c);
	default: return t - v;		/* FI_DIFF */
	}
}

static const int all_ops[] = { FI_MIN, FI_MAX, FI_SUM, FI_PROD, FI_LOR, FI_LAND, FI_BOR, FI_BAND, FI_LXOR, FI_BXOR,
			       FI_ATOMIC_READ, FI_ATOMIC_WRITE, FI_CSWAP, FI_CSWAP_NE, FI_CSWAP_LE, FI_CSWAP_LT,
			       FI_CSWAP_GE, FI_CSWAP_GT, FI_MSWAP, FI_DIFF };
static const long triples[][3] = { { 9, 4, 9 }, { 4, 3, 9 }, { 12, 5, 6 }, { 0, 0, 1 }, { 7, 0, 7 } };
static unsigned int atomics_done;

/* One operation on some elements: kind 0 base, 1 fetch, 2 compare. */
static void atomic_case(int type, int op, int kind)
{
	static _Alignas(16) char operand[256], compare[256], result[256];
	size_t size = type_size[type], i, n = sizeof(triples) / sizeof(triples[0]);
	long want;

	for (i = 0; i < n; i++) {
		put(type, n1.mem + 64 + i * size, triples[i][0]);
		put(type, operand + i * size, triples[i][1]);
		put(type, compare + i * size, triples[i][2]);
		put(type, result + i * size, 1);
	}
	if (kind == 0)
		REQUIRE_FI(retry(fi_atomic(n0.ep, operand, n, NULL, n0.peer[1], n1.base + 64, n1.key, type, op, &ctx[0])));
	else if (kind == 1)
		REQUIRE_FI(retry(fi_fetch_atomic(n0.ep, operand, n, NULL, result, NULL, n0.peer[1], n1.base + 64, n1.key, type,
						 op, &ctx[0])));
	else
		REQUIRE_FI(retry(fi_compare_atomic(n0.ep, operand, n, NULL, compare, NULL, result, NULL, n0.peer[1],
						   n1.base + 64, n1.key, type, op, &ctx[0])));
	CHECK_EQ(node_done(&n0, &ctx[0]).flags, FI_ATOMIC | (kind ? FI_READ : FI_WRITE));
	for (i = 0; i < n; i++) {
		want = expected(op, triples[i][0], triples[i][1], triples[i][2]);
		/* Differences below 0 wrap in unsigned types. */
		if (type <= FI_UINT64 && size < 8 && type & 1)
			want &= (1l << size * 8) - 1;
		if (get(type, n1.mem + 64 + i * size) != want)
			KTAP_OR_(false, __FILE__, __LINE__, "type %d op %d kind %d: %ld, %ld, %ld gave %ld", type, op, kind,
				 triples[i][0], triples[i][1], triples[i][2], get(type, n1.mem + 64 + i * size));
		if (kind && get(type, result + i * size) != triples[i][0])
			KTAP_OR_(false, __FILE__, __LINE__, "type %d op %d kind %d: result %ld, was %ld", type, op, kind,
				 get(type, result + i * size), triples[i][0]);
	}
	atomics_done++;
}

KTAP_TEST(atomic_all_types_and_ops)
{
	size_t count, i;
	int type, kind, valid;

	pair_open(&plain, MEM);
	atomics_done = 0;
	for (type = FI_INT8; type <= FI_UINT128; type++) {
		for (i = 0; i < sizeof(all_ops) / sizeof(all_ops[0]); i++) {
			for (kind = 0; kind < 3; kind++) {
				count = 0;
				valid = kind == 0 ? fi_atomicvalid(n0.ep, type, all_ops[i], &count) :
					kind == 1 ? fi_fetch_atomicvalid(n0.ep, type, all_ops[i], &count) :
					fi_compare_atomicvalid(n0.ep, type, all_ops[i], &count);
				if (valid) {
					CHECK_EQ(valid, -FI_EOPNOTSUPP);
					continue;
				}
				CHECK_EQ(count, 1024 / type_size[type]);
				atomic_case(type, all_ops[i], kind);
			}
		}
	}
	/* Base: integers 12, floating 9, complex 7; fetching has one more, comparing 7, 6, 2. */
	CHECK_EQ(atomics_done, 10 * (12 + 13 + 7) + 3 * (9 + 10 + 6) + 3 * (7 + 8 + 2));
	printf("# figure ofi_atomic_cases %u atomic operations, types times operations times kinds\n", atomics_done);
	pair_close();
}

KTAP_TEST(atomic_forms)
{
	uint32_t v[4] = { 1, 2, 3, 4 }, r[4] = { 0 }, c[4] = { 10, 20, 30, 40 };
	struct fi_ioc ioc[2] = { { v, 1 }, { v + 1, 3 } }, res[2] = { { r, 3 }, { r + 3, 1 } }, cmp[1] = { { c, 4 } };
	struct fi_rma_ioc there[2];
	struct fi_msg_atomic m = { .msg_iov = ioc, .iov_count = 2, .rma_iov = there, .rma_iov_count = 2,
				   .datatype = FI_UINT32, .op = FI_SUM, .context = &ctx[0] };
	uint32_t *mem;
	int i;

	pair_open(&plain, MEM);
	mem = (uint32_t *)n1.mem;
	there[0] = (struct fi_rma_ioc){ n1.base, 2, n1.key };
	there[1] = (struct fi_rma_ioc){ n1.base + 400, 2, n1.key };
	m.addr = n0.peer[1];
	REQUIRE_FI(retry(fi_atomicmsg(n0.ep, &m, 0)));
	node_done(&n0, &ctx[0]);
	CHECK_EQ(mem[1], 2);
	CHECK_EQ(mem[100], 3);
	REQUIRE_FI(retry(fi_fetch_atomicmsg(n0.ep, &m, res, NULL, 2, 0)));
	node_done(&n0, &ctx[0]);
	for (i = 0; i < 4; i++)
		CHECK_EQ(r[i], v[i]);
	CHECK_EQ(mem[101], 8);
	m.op = FI_CSWAP;
	REQUIRE_FI(retry(fi_compare_atomicmsg(n0.ep, &m, cmp, NULL, 1, res, NULL, 2, 0)));
	node_done(&n0, &ctx[0]);
	CHECK_EQ(r[0], 2);
	CHECK_EQ(mem[0], 2);	/* was not 10 */
	REQUIRE_FI(retry(fi_atomicv(n0.ep, ioc, NULL, 2, n0.peer[1], n1.base, n1.key, FI_UINT32, FI_ATOMIC_WRITE, &ctx[0])));
	node_done(&n0, &ctx[0]);
	CHECK_EQ(mem[3], 4);
	REQUIRE_FI(retry(fi_fetch_atomicv(n0.ep, ioc, NULL, 2, res, NULL, 2, n0.peer[1], n1.base, n1.key, FI_UINT32, FI_BOR,
					  &ctx[0])));
	node_done(&n0, &ctx[0]);
	CHECK_EQ(r[3], 4);
	REQUIRE_FI(retry(fi_compare_atomicv(n0.ep, ioc, NULL, 2, cmp, NULL, 1, res, NULL, 2, n0.peer[1], n1.base, n1.key,
					    FI_UINT32, FI_MSWAP, &ctx[0])));
	node_done(&n0, &ctx[0]);
	REQUIRE_FI(retry(fi_inject_atomic(n0.ep, v, 1, n0.peer[1], n1.base + 800, n1.key, FI_UINT32, FI_SUM)));
	v[0] = 99;
	while (!*(volatile uint32_t *)(n1.mem + 800))
		spin();
	CHECK_EQ(mem[200], 1);
	pair_close();
}

KTAP_TEST(atomic_refused)
{
	char mem[2048] = "";
	struct fi_atomic_attr attr;
	struct fid_mr *ro;
	uint64_t key;

	pair_open(&plain, MEM);
	REQUIRE_FI(fi_mr_reg(n1.domain, n1.mem, 4096, FI_REMOTE_READ, 0, 0, 0, &ro, NULL));
	key = fi_mr_key(ro);
	CHECK_EQ(fi_atomic(n0.ep, mem, 1, NULL, n0.peer[1], n1.base, n1.key, FI_FLOAT, FI_BOR, NULL), -FI_EOPNOTSUPP);
	CHECK_EQ(fi_atomic(n0.ep, mem, 1, NULL, n0.peer[1], n1.base, n1.key, 99, FI_SUM, NULL), -FI_EOPNOTSUPP);
	CHECK_EQ(fi_atomic(n0.ep, mem, 129, NULL, n0.peer[1], n1.base, n1.key, FI_INT64, FI_SUM, NULL), -FI_EINVAL);
	CHECK_EQ(fi_atomic(n0.ep, mem, 0, NULL, n0.peer[1], n1.base, n1.key, FI_INT64, FI_SUM, NULL), -FI_EINVAL);
	REQUIRE_FI(retry(fi_atomic(n0.ep, mem, 1, NULL, n0.peer[1], n1.base, n1.key + 1, FI_INT64, FI_SUM, &ctx[0])));
	node_fails(&n0, &ctx[0], FI_EKEYREJECTED);
	REQUIRE_FI(retry(fi_atomic(n0.ep, mem, 1, NULL, n0.peer[1], n1.base + MEM - 4, n1.key, FI_INT64, FI_SUM, &ctx[0])));
	node_fails(&n0, &ctx[0], FI_EACCES);
	REQUIRE_FI(retry(fi_atomic(n0.ep, mem, 1, NULL, n0.peer[1], n1.base, key, FI_INT64, FI_SUM, &ctx[0])));
	node_fails(&n0, &ctx[0], FI_EACCES);
	CHECK_EQ(fi_query_atomic(n0.domain, FI_DOUBLE, FI_SUM, &attr, 0), 0);
	CHECK_EQ(attr.size, 8);
	CHECK_EQ(attr.count, 128);
	CHECK_EQ(fi_query_atomic(n0.domain, FI_DOUBLE, FI_CSWAP, &attr, FI_COMPARE_ATOMIC), 0);
	CHECK_EQ(fi_query_atomic(n0.domain, FI_DOUBLE, FI_CSWAP, &attr, 0), -FI_EOPNOTSUPP);
	CHECK_EQ(fi_close(&ro->fid), 0);
	pair_close();
}

KTAP_MAIN()
