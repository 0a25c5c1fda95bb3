// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/* Messages without and with tags: every call, sizes on both sides of each threshold, order, matching. */
#include "suite.h"

#define MEM (8u << 20)

static const struct opts plain = { 0 };
static const size_t sizes[] = { 0, 1, 7, 64, 255, 256, 257, 4096, 8191, 8192, 8193, 16385, 65536, 1000001, 4u << 20 };
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static int ctx[16];

KTAP_TEST(msg_sizes)
{
	struct fi_cq_tagged_entry e;
	fi_addr_t src;
	size_t i;

	pair_open(&plain, MEM);
	for (i = 0; i < SIZES; i++) {
		fill(n0.mem, sizes[i], i);
		REQUIRE_FI(fi_recv(n1.ep, n1.mem, sizes[i] + 1, NULL, FI_ADDR_UNSPEC, &ctx[1]));
		REQUIRE_FI(retry(fi_send(n0.ep, n0.mem, sizes[i], NULL, n0.peer[1], &ctx[0])));
		e = node_done_from(&n1, &ctx[1], &src);
		CHECK_EQ(e.len, sizes[i]);
		CHECK_EQ(e.flags, FI_RECV | FI_MSG);
		CHECK_EQ(src, n1.peer[0]);
		e = node_done(&n0, &ctx[0]);
		CHECK_EQ(e.flags, FI_SEND | FI_MSG);
		CHECK(same(n1.mem, sizes[i], i));
	}
	pair_close();
}

/* Registered memory is used as it is. */
KTAP_TEST(msg_desc)
{
	void *d0, *d1;

	pair_open(&plain, MEM);
	d0 = fi_mr_desc(n0.mr);
	d1 = fi_mr_desc(n1.mr);
	fill(n0.mem, 3000000, 5);
	REQUIRE_FI(fi_recv(n1.ep, n1.mem + 13, 3000000, d1, FI_ADDR_UNSPEC, &ctx[1]));
	REQUIRE_FI(retry(fi_send(n0.ep, n0.mem, 3000000, d0, n0.peer[1], &ctx[0])));
	node_done(&n1, &ctx[1]);
	node_done(&n0, &ctx[0]);
	CHECK(same(n1.mem + 13, 3000000, 5));
	pair_close();
}

static void scattered(size_t len)
{
	struct iovec out[4], in[3];
	size_t a = len / 7, b = len / 3;

	fill(n0.mem, len, 9);
	out[0] = (struct iovec){ n0.mem, a };
	out[1] = (struct iovec){ n0.mem + a, 0 };
	out[2] = (struct iovec){ n0.mem + a, b };
	out[3] = (struct iovec){ n0.mem + a + b, len - a - b };
	in[0] = (struct iovec){ n1.mem, len / 2 };
	in[1] = (struct iovec){ n1.mem + len / 2, 1 };
	in[2] = (struct iovec){ n1.mem + len / 2 + 1, len - len / 2 - 1 };
	REQUIRE_FI(fi_recvv(n1.ep, in, NULL, 3, FI_ADDR_UNSPEC, &ctx[1]));
	REQUIRE_FI(retry(fi_sendv(n0.ep, out, NULL, 4, n0.peer[1], &ctx[0])));
	CHECK_EQ(node_done(&n1, &ctx[1]).len, len);
	node_done(&n0, &ctx[0]);
	CHECK(same(n1.mem, len, 9));
	REQUIRE_FI(retry(fi_tsendv(n0.ep, out, NULL, 4, n0.peer[1], 4, &ctx[0])));
	memset(n1.mem, 0, len);
	REQUIRE_FI(fi_trecvv(n1.ep, in, NULL, 3, FI_ADDR_UNSPEC, 4, 0, &ctx[1]));
	CHECK_EQ(node_done(&n1, &ctx[1]).len, len);
	node_done(&n0, &ctx[0]);
	CHECK(same(n1.mem, len, 9));
}

KTAP_TEST(msg_iov)
{
	pair_open(&plain, MEM);
	SUBTEST("short")
		scattered(1000);
	SUBTEST("long")
		scattered(900001);
	SUBTEST("too many buffers") {
		struct iovec five[5] = { { n0.mem, 1 }, { n0.mem, 1 }, { n0.mem, 1 }, { n0.mem, 1 }, { n0.mem, 1 } };

		CHECK_EQ(fi_sendv(n0.ep, five, NULL, 5, n0.peer[1], NULL), -FI_EINVAL);
		CHECK_EQ(fi_recvv(n0.ep, five, NULL, 5, FI_ADDR_UNSPEC, NULL), -FI_EINVAL);
	}
	pair_close();
}

KTAP_TEST(msg_inject)
{
	struct fi_cq_tagged_entry e;
	int i;

	pair_open(&plain, MEM);
	for (i = 0; i < 50; i++) {
		fill(n0.mem, 256, i);
		REQUIRE_FI(retry(fi_inject(n0.ep, n0.mem, 256, n0.peer[1])));
		fill(n0.mem, 256, 99);		/* it was copied */
	}
	for (i = 0; i < 50; i++) {
		REQUIRE_FI(fi_recv(n1.ep, n1.mem, 256, NULL, FI_ADDR_UNSPEC, &ctx[1]));
		node_done(&n1, &ctx[1]);
		CHECK(same(n1.mem, 256, i));
	}
	REQUIRE_FI(retry(fi_injectdata(n0.ep, n0.mem, 3, 0xabcdef01, n0.peer[1])));
	REQUIRE_FI(fi_recv(n1.ep, n1.mem, 256, NULL, FI_ADDR_UNSPEC, &ctx[1]));
	e = node_done(&n1, &ctx[1]);
	CHECK_EQ(e.data, 0xabcdef01);
	CHECK_EQ(e.flags, FI_RECV | FI_MSG | FI_REMOTE_CQ_DATA);
	CHECK_EQ(fi_inject(n0.ep, n0.mem, 257, n0.peer[1]), -FI_EINVAL);
	pair_close();		/* and looks that no inject was reported */
}

KTAP_TEST(msg_data)
{
	static const size_t len[] = { 0, 100, 100000 };
	struct fi_cq_tagged_entry e;
	int i;

	pair_open(&plain, MEM);
	for (i = 0; i < 3; i++) {
		REQUIRE_FI(fi_recv(n1.ep, n1.mem, MEM, NULL, FI_ADDR_UNSPEC, &ctx[1]));
		REQUIRE_FI(retry(fi_senddata(n0.ep, n0.mem, len[i], NULL, 0xfedcba98 + i, n0.peer[1], &ctx[0])));
		e = node_done(&n1, &ctx[1]);
		CHECK_EQ(e.data, 0xfedcba98 + i);
		CHECK_EQ(e.flags, FI_RECV | FI_MSG | FI_REMOTE_CQ_DATA);
		node_done(&n0, &ctx[0]);
		REQUIRE_FI(fi_trecv(n1.ep, n1.mem, MEM, NULL, FI_ADDR_UNSPEC, 5, 0, &ctx[1]));
		REQUIRE_FI(retry(fi_tsenddata(n0.ep, n0.mem, len[i], NULL, 7 + i, n0.peer[1], 5, &ctx[0])));
		e = node_done(&n1, &ctx[1]);
		CHECK_EQ(e.data, 7 + i);
		CHECK_EQ(e.tag, 5);
		CHECK_EQ(e.flags, FI_RECV | FI_TAGGED | FI_REMOTE_CQ_DATA);
		node_done(&n0, &ctx[0]);
	}
	pair_close();
}

KTAP_TEST(msg_sendmsg)
{
	struct iovec iov = { NULL, 500 };
	struct fi_msg m = { .msg_iov = &iov, .iov_count = 1, .data = 3 };
	struct fi_cq_tagged_entry e;

	pair_open(&plain, MEM);
	m.addr = n0.peer[1];
	m.context = &ctx[0];
	fill(n0.mem, 500, 2);
	iov.iov_base = n0.mem;
	SUBTEST("with data") {
		REQUIRE_FI(retry(fi_sendmsg(n0.ep, &m, FI_REMOTE_CQ_DATA | FI_COMPLETION)));
		node_done(&n0, &ctx[0]);
		iov.iov_base = n1.mem;
		m.addr = FI_ADDR_UNSPEC;
		m.context = &ctx[1];
		REQUIRE_FI(fi_recvmsg(n1.ep, &m, 0));
		e = node_done(&n1, &ctx[1]);
		CHECK_EQ(e.data, 3);
		CHECK(same(n1.mem, 500, 2));
	}
	SUBTEST("inject is reported here") {
		iov.iov_base = n0.mem;
		iov.iov_len = 200;
		m.addr = n0.peer[1];
		m.context = &ctx[0];
		REQUIRE_FI(retry(fi_sendmsg(n0.ep, &m, FI_INJECT)));
		fill(n0.mem, 500, 77);
		node_done(&n0, &ctx[0]);
		REQUIRE_FI(fi_recv(n1.ep, n1.mem, 500, NULL, FI_ADDR_UNSPEC, &ctx[1]));
		CHECK_EQ(node_done(&n1, &ctx[1]).len, 200);
		CHECK(same(n1.mem, 200, 2));
	}
	pair_close();
}

/* With FI_DELIVERY_COMPLETE a send is over when a receive has its bytes, and not before. */
KTAP_TEST(msg_delivery_complete)
{
	static const struct opts o = { .tx_flags = FI_DELIVERY_COMPLETE };
	static const size_t len[] = { 10, 100000 };
	int i, k;

	pair_open(&o, MEM);
	for (i = 0; i < 2; i++) {
		REQUIRE_FI(retry(fi_tsend(n0.ep, n0.mem, len[i], NULL, n0.peer[1], 1, &ctx[0])));
		for (k = 0; k < 200; k++)
			spin();
		CHECK_EQ(n0.dones, 0);
		REQUIRE_FI(fi_trecv(n1.ep, n1.mem, MEM, NULL, FI_ADDR_UNSPEC, 1, 0, &ctx[1]));
		node_done(&n1, &ctx[1]);
		node_done(&n0, &ctx[0]);
	}
	pair_close();
}

KTAP_TEST(msg_selective)
{
	static const struct opts o = { .cq_flags = FI_SELECTIVE_COMPLETION };
	struct iovec iov = { NULL, 5 };
	struct fi_msg m = { .msg_iov = &iov, .iov_count = 1 };

	pair_open(&o, MEM);
	iov.iov_base = n0.mem;
	m.addr = n0.peer[1];
	m.context = &ctx[0];
	REQUIRE_FI(fi_recv(n1.ep, n1.mem, 5, NULL, FI_ADDR_UNSPEC, &ctx[1]));
	REQUIRE_FI(retry(fi_send(n0.ep, n0.mem, 5, NULL, n0.peer[1], &ctx[2])));
	REQUIRE_FI(retry(fi_sendmsg(n0.ep, &m, FI_COMPLETION)));
	node_done(&n0, &ctx[0]);		/* the second alone */
	CHECK_EQ(n0.dones, 0);
	m.context = &ctx[3];
	m.addr = FI_ADDR_UNSPEC;
	iov.iov_base = n1.mem;
	REQUIRE_FI(fi_recvmsg(n1.ep, &m, FI_COMPLETION));
	node_done(&n1, &ctx[3]);
	CHECK_EQ(n1.dones, 0);
	pair_close();
}

/* Messages of one sender are matched in the order they were sent, whatever way each goes. */
KTAP_TEST(msg_order)
{
	static const size_t len[] = { 8, 100000, 0, 8192, 8193, 1, 300000, 256 };
	struct fi_cq_tagged_entry e;
	int round, i;

	pair_open(&plain, MEM);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 8; i++)
			if (round)
				REQUIRE_FI(fi_trecv(n1.ep, n1.mem + i * 400000, 400000, NULL, FI_ADDR_UNSPEC, 3, 0, &ctx[8 + i]));
		for (i = 0; i < 8; i++) {
			fill(n0.mem + i * 400000, len[i], i);
			REQUIRE_FI(retry(fi_tsend(n0.ep, n0.mem + i * 400000, len[i], NULL, n0.peer[1], 3, &ctx[i])));
		}
		for (i = 0; i < 8; i++)
			if (!round)
				REQUIRE_FI(fi_trecv(n1.ep, n1.mem + i * 400000, 400000, NULL, FI_ADDR_UNSPEC, 3, 0, &ctx[8 + i]));
		for (i = 0; i < 8; i++) {
			e = node_done(&n1, &ctx[8 + i]);
			CHECK_EQ(e.len, len[i]);
			CHECK(same(n1.mem + i * 400000, len[i], i));
			node_done(&n0, &ctx[i]);
		}
	}
	pair_close();
}

KTAP_TEST(msg_truncated)
{
	static const size_t len[] = { 100, 100000 };
	struct fi_cq_err_entry e;
	int i, before;

	pair_open(&plain, MEM);
	for (i = 0; i < 2; i++) {
		for (before = 0; before < 2; before++) {
			fill(n0.mem, len[i], 3);
			memset(n1.mem, 0x5a, len[i]);
			if (before)
				REQUIRE_FI(fi_recv(n1.ep, n1.mem, 40, NULL, FI_ADDR_UNSPEC, &ctx[1]));
			REQUIRE_FI(retry(fi_send(n0.ep, n0.mem, len[i], NULL, n0.peer[1], &ctx[0])));
			if (!before)
				REQUIRE_FI(fi_recv(n1.ep, n1.mem, 40, NULL, FI_ADDR_UNSPEC, &ctx[1]));
			e = node_fails(&n1, &ctx[1], FI_ETRUNC);
			CHECK_EQ(e.olen, len[i] - 40);
			CHECK_EQ(e.len, 40);
			CHECK(same(n1.mem, 40, 3));
			CHECK_EQ(n1.mem[40], 0x5a);
			node_done(&n0, &ctx[0]);	/* its sender's part is done */
		}
	}
	pair_close();
}

KTAP_TEST(msg_to_itself)
{
	static const size_t len[] = { 0, 100, 200000 };
	fi_addr_t src;
	int i;

	pair_open(&plain, MEM);
	for (i = 0; i < 3; i++) {
		fill(n0.mem, len[i], i);
		REQUIRE_FI(fi_trecv(n0.ep, n0.mem + 1000000, len[i], NULL, n0.peer[0], 2, 0, &ctx[1]));
		REQUIRE_FI(retry(fi_tsend(n0.ep, n0.mem, len[i], NULL, n0.peer[0], 2, &ctx[0])));
		node_done_from(&n0, &ctx[1], &src);
		CHECK_EQ(src, n0.peer[0]);
		node_done(&n0, &ctx[0]);
		CHECK(same(n0.mem + 1000000, len[i], i));
	}
	pair_close();
}

KTAP_TEST(tagged_sizes)
{
	struct fi_cq_tagged_entry e;
	size_t i;

	pair_open(&plain, MEM);
	for (i = 0; i < SIZES; i++) {
		fill(n0.mem, sizes[i], i);
		/* Unexpected every other time. */
		if (i & 1)
			REQUIRE_FI(fi_trecv(n1.ep, n1.mem, MEM, NULL, n1.peer[0], 0x1122334455667788 + i, 0, &ctx[1]));
		REQUIRE_FI(retry(fi_tsend(n0.ep, n0.mem, sizes[i], NULL, n0.peer[1], 0x1122334455667788 + i, &ctx[0])));
		spin();
		if (!(i & 1))
			REQUIRE_FI(fi_trecv(n1.ep, n1.mem, MEM, NULL, n1.peer[0], 0x1122334455667788 + i, 0, &ctx[1]));
		e = node_done(&n1, &ctx[1]);
		CHECK_EQ(e.len, sizes[i]);
		CHECK_EQ(e.tag, 0x1122334455667788 + i);
		CHECK_EQ(e.flags, FI_RECV | FI_TAGGED);
		CHECK(same(n1.mem, sizes[i], i));
		CHECK_EQ(node_done(&n0, &ctx[0]).flags, FI_SEND | FI_TAGGED);
	}
	pair_close();
}

KTAP_TEST(tagged_inject)
{
	struct fi_cq_tagged_entry e;

	pair_open(&plain, MEM);
	fill(n0.mem, 30, 1);
	REQUIRE_FI(retry(fi_tinject(n0.ep, n0.mem, 30, n0.peer[1], 10)));
	REQUIRE_FI(retry(fi_tinjectdata(n0.ep, n0.mem, 30, 55, n0.peer[1], 11)));
	fill(n0.mem, 30, 2);
	REQUIRE_FI(fi_trecv(n1.ep, n1.mem, 30, NULL, FI_ADDR_UNSPEC, 11, 0, &ctx[1]));
	e = node_done(&n1, &ctx[1]);
	CHECK_EQ(e.data, 55);
	CHECK(same(n1.mem, 30, 1));
	REQUIRE_FI(fi_trecv(n1.ep, n1.mem, 30, NULL, FI_ADDR_UNSPEC, 10, 0, &ctx[1]));
	e = node_done(&n1, &ctx[1]);
	CHECK_EQ(e.flags, FI_RECV | FI_TAGGED);
	CHECK(same(n1.mem, 30, 1));
	pair_close();
}

KTAP_TEST(tagged_wildcards)
{
	pair_open(&plain, MEM);
	SUBTEST("expected, the first that fits") {
		REQUIRE_FI(fi_trecv(n1.ep, n1.mem, 8, NULL, FI_ADDR_UNSPEC, 0x100, 0xff, &ctx[1]));
		REQUIRE_FI(fi_trecv(n1.ep, n1.mem + 8, 8, NULL, FI_ADDR_UNSPEC, 0x105, 0, &ctx[2]));
		REQUIRE_FI(fi_trecv(n1.ep, n1.mem + 16, 8, NULL, FI_ADDR_UNSPEC, 0, ~0ull, &ctx[3]));
		REQUIRE_FI(retry(fi_tinject(n0.ep, "a", 1, n0.peer[1], 0x105)));
		REQUIRE_FI(retry(fi_tinject(n0.ep, "b", 1, n0.peer[1], 0x105)));
		REQUIRE_FI(retry(fi_tinject(n0.ep, "c", 1, n0.peer[1], 0x105)));
		CHECK_EQ(node_done(&n1, &ctx[1]).tag, 0x105);
		node_done(&n1, &ctx[2]);
		node_done(&n1, &ctx[3]);
		CHECK_EQ(n1.mem[0], 'a');
		CHECK_EQ(n1.mem[8], 'b');
		CHECK_EQ(n1.mem[16], 'c');
	}
	SUBTEST("unexpected, the oldest that fits") {
		REQUIRE_FI(retry(fi_tinject(n0.ep, "x", 1, n0.peer[1], 0x201)));
		REQUIRE_FI(retry(fi_tinject(n0.ep, "y", 1, n0.peer[1], 0x202)));
		REQUIRE_FI(retry(fi_tinject(n0.ep, "z", 1, n0.peer[1], 0x302)));
		REQUIRE_FI(fi_trecv(n1.ep, n1.mem, 8, NULL, FI_ADDR_UNSPEC, 0x300, 0xff, &ctx[1]));
		CHECK_EQ(node_done(&n1, &ctx[1]).tag, 0x302);
		REQUIRE_FI(fi_trecv(n1.ep, n1.mem, 8, NULL, FI_ADDR_UNSPEC, 0, ~0ull, &ctx[1]));
		CHECK_EQ(node_done(&n1, &ctx[1]).tag, 0x201);
		REQUIRE_FI(fi_trecv(n1.ep, n1.mem, 8, NULL, FI_ADDR_UNSPEC, 0, ~0ull, &ctx[1]));
		CHECK_EQ(node_done(&n1, &ctx[1]).tag, 0x202);
	}
	SUBTEST("messages and tagged ones don't meet") {
		REQUIRE_FI(fi_recv(n1.ep, n1.mem, 8, NULL, FI_ADDR_UNSPEC, &ctx[1]));
		REQUIRE_FI(retry(fi_tinject(n0.ep, "t", 1, n0.peer[1], 0)));
		REQUIRE_FI(retry(fi_inject(n0.ep, "m", 1, n0.peer[1])));
		node_done(&n1, &ctx[1]);
		CHECK_EQ(n1.mem[0], 'm');
		REQUIRE_FI(fi_trecv(n1.ep, n1.mem, 8, NULL, FI_ADDR_UNSPEC, 0, 0, &ctx[1]));
		node_done(&n1, &ctx[1]);
		CHECK_EQ(n1.mem[0], 't');
	}
	pair_close();
}

KTAP_TEST(directed_recv)
{
	struct opts third = plain;
	fi_addr_t src;

	pair_open(&plain, MEM);
	third.card = 1;
	node_open(&n2, &third, 65536);
	nodes_meet(&n1, 1, &n2, 2);
	SUBTEST("expected") {
		REQUIRE_FI(fi_trecv(n1.ep, n1.mem, 8, NULL, n1.peer[2], 1, 0, &ctx[2]));
		REQUIRE_FI(fi_trecv(n1.ep, n1.mem + 8, 8, NULL, n1.peer[0], 1, 0, &ctx[0]));
		REQUIRE_FI(retry(fi_tinject(n0.ep, "0", 1, n0.peer[1], 1)));
		node_done_from(&n1, &ctx[0], &src);
		CHECK_EQ(src, n1.peer[0]);
		REQUIRE_FI(retry(fi_tinject(n2.ep, "2", 1, n2.peer[1], 1)));
		node_done_from(&n1, &ctx[2], &src);
		CHECK_EQ(src, n1.peer[2]);
		CHECK_EQ(n1.mem[0], '2');
		CHECK_EQ(n1.mem[8], '0');
	}
	SUBTEST("unexpected") {
		REQUIRE_FI(retry(fi_inject(n0.ep, "p", 1, n0.peer[1])));
		REQUIRE_FI(retry(fi_inject(n2.ep, "q", 1, n2.peer[1])));
		REQUIRE_FI(fi_recv(n1.ep, n1.mem, 8, NULL, n1.peer[2], &ctx[2]));
		node_done(&n1, &ctx[2]);
		CHECK_EQ(n1.mem[0], 'q');
		REQUIRE_FI(fi_recv(n1.ep, n1.mem, 8, NULL, n1.peer[0], &ctx[0]));
		node_done(&n1, &ctx[0]);
		CHECK_EQ(n1.mem[0], 'p');
	}
	node_close(&n2);
	pair_close();
}

/* A sender that comes into the AV after its message. */
KTAP_TEST(directed_recv_late_address)
{
	struct opts third = plain;
	fi_addr_t src;
	int i;

	pair_open(&plain, MEM);
	third.card = 1;
	node_open(&n2, &third, 65536);
	REQUIRE_EQ(fi_av_insert(n2.av, n0.name, 1, &n2.peer[0], 0, NULL), 1);
	REQUIRE_FI(retry(fi_tinject(n2.ep, "s", 1, n2.peer[0], 1)));
	REQUIRE_FI(retry(fi_tinject(n2.ep, "t", 1, n2.peer[0], 2)));
	for (i = 0; i < 100; i++)
		spin();
	SUBTEST("anybody's, with no source") {
		REQUIRE_FI(fi_trecv(n0.ep, n0.mem, 8, NULL, FI_ADDR_UNSPEC, 1, 0, &ctx[1]));
		node_done_from(&n0, &ctx[1], &src);
		CHECK(src == FI_ADDR_NOTAVAIL);
	}
	SUBTEST("its own") {
		REQUIRE_EQ(fi_av_insert(n0.av, n2.name, 1, &n0.peer[2], 0, NULL), 1);
		REQUIRE_FI(fi_trecv(n0.ep, n0.mem, 8, NULL, n0.peer[2], 2, 0, &ctx[1]));
		node_done_from(&n0, &ctx[1], &src);
		CHECK_EQ(src, n0.peer[2]);
	}
	node_close(&n2);
	pair_close();
}

static ssize_t peek(struct node *n, void *context, uint64_t tag, uint64_t flags, void *buf, size_t len)
{
	struct iovec iov = { buf, len };
	struct fi_msg_tagged m = { .msg_iov = &iov, .iov_count = buf ? 1 : 0, .addr = FI_ADDR_UNSPEC, .tag = tag,
				   .context = context };

	return fi_trecvmsg(n->ep, &m, flags);
}

/* Until a message is there: it is on its way for as long as the machine takes. */
static void arrives(struct node *n, uint64_t tag)
{
	struct fi_cq_err_entry e = { .err = FI_ENOMSG };

	while (e.err == FI_ENOMSG) {
		REQUIRE_FI(peek(n, &ctx[4], tag, FI_PEEK, NULL, 0));
		do {
			spin();
			memset(&e, 0, sizeof(e));
		} while (!n->dones && fi_cq_readerr(n->cq, &e, 0) != 1);
	}
	node_done(n, &ctx[4]);
}

KTAP_TEST(peek_claim_discard)
{
	static const size_t len[] = { 50, 70000 };
	struct fi_cq_tagged_entry e;
	int i;

	pair_open(&plain, MEM);
	SUBTEST("nothing there") {
		REQUIRE_FI(peek(&n1, &ctx[1], 9, FI_PEEK, NULL, 0));
		node_fails(&n1, &ctx[1], FI_ENOMSG);
	}
	for (i = 0; i < 2; i++) {
		SUBTEST("peek, %zu bytes", len[i]) {
			fill(n0.mem, len[i], 4);
			REQUIRE_FI(retry(fi_tsenddata(n0.ep, n0.mem, len[i], NULL, 6, n0.peer[1], 9, &ctx[0])));
			arrives(&n1, 9);
			REQUIRE_FI(peek(&n1, &ctx[1], 9, FI_PEEK, NULL, 0));
			e = node_done(&n1, &ctx[1]);
			CHECK_EQ(e.len, len[i]);
			CHECK_EQ(e.tag, 9);
			CHECK_EQ(e.data, 6);
			CHECK_EQ(e.flags & FI_REMOTE_CQ_DATA, FI_REMOTE_CQ_DATA);
		}
		SUBTEST("peek and claim, %zu bytes", len[i]) {
			REQUIRE_FI(peek(&n1, &ctx[1], 9, FI_PEEK | FI_CLAIM, NULL, 0));
			CHECK_EQ(node_done(&n1, &ctx[1]).len, len[i]);
			REQUIRE_FI(peek(&n1, &ctx[2], 9, FI_PEEK, NULL, 0));
			node_fails(&n1, &ctx[2], FI_ENOMSG);
			CHECK_EQ(peek(&n1, &ctx[3], 9, FI_CLAIM, n1.mem, len[i]), -FI_EINVAL);
			memset(n1.mem, 0, len[i]);
			REQUIRE_FI(peek(&n1, &ctx[1], 9, FI_CLAIM, n1.mem, len[i]));
			CHECK_EQ(node_done(&n1, &ctx[1]).len, len[i]);
			CHECK(same(n1.mem, len[i], 4));
			node_done(&n0, &ctx[0]);
		}
		SUBTEST("discard, %zu bytes", len[i]) {
			REQUIRE_FI(retry(fi_tsend(n0.ep, n0.mem, len[i], NULL, n0.peer[1], 9, &ctx[0])));
			arrives(&n1, 9);
			REQUIRE_FI(peek(&n1, &ctx[1], 9, FI_PEEK | FI_DISCARD, NULL, 0));
			node_done(&n1, &ctx[1]);
			node_done(&n0, &ctx[0]);
			REQUIRE_FI(peek(&n1, &ctx[2], 9, FI_PEEK, NULL, 0));
			node_fails(&n1, &ctx[2], FI_ENOMSG);
		}
		SUBTEST("claim, then discard, %zu bytes", len[i]) {
			REQUIRE_FI(retry(fi_tsend(n0.ep, n0.mem, len[i], NULL, n0.peer[1], 9, &ctx[0])));
			arrives(&n1, 9);
			REQUIRE_FI(peek(&n1, &ctx[1], 9, FI_PEEK | FI_CLAIM, NULL, 0));
			node_done(&n1, &ctx[1]);
			REQUIRE_FI(peek(&n1, &ctx[1], 9, FI_CLAIM | FI_DISCARD, NULL, 0));
			node_done(&n1, &ctx[1]);
			node_done(&n0, &ctx[0]);
		}
	}
	pair_close();
}

KTAP_TEST(cancel)
{
	pair_open(&plain, MEM);
	REQUIRE_FI(fi_trecv(n1.ep, n1.mem, 8, NULL, FI_ADDR_UNSPEC, 1, 0, &ctx[1]));
	REQUIRE_FI(fi_trecv(n1.ep, n1.mem + 8, 8, NULL, FI_ADDR_UNSPEC, 1, 0, &ctx[2]));
	REQUIRE_FI(fi_recv(n1.ep, n1.mem + 16, 8, NULL, FI_ADDR_UNSPEC, &ctx[3]));
	CHECK_EQ(fi_cancel(&n1.ep->fid, &ctx[1]), 0);
	node_fails(&n1, &ctx[1], FI_ECANCELED);
	CHECK_EQ(fi_cancel(&n1.ep->fid, &ctx[1]), -FI_ENOENT);
	REQUIRE_FI(retry(fi_tinject(n0.ep, "k", 1, n0.peer[1], 1)));
	node_done(&n1, &ctx[2]);
	CHECK_EQ(n1.mem[8], 'k');
	CHECK_EQ(n1.mem[0], 0);
	CHECK_EQ(fi_cancel(&n1.ep->fid, &ctx[3]), 0);
	node_fails(&n1, &ctx[3], FI_ECANCELED);
	pair_close();
}

KTAP_TEST(multi_recv)
{
	struct iovec iov = { NULL, 4096 };
	struct fi_msg m = { .msg_iov = &iov, .iov_count = 1, .addr = FI_ADDR_UNSPEC, .context = &ctx[1] };
	size_t min = 512, at = 0;
	struct fi_cq_tagged_entry e;
	int i, early;

	pair_open(&plain, MEM);
	REQUIRE_FI(fi_setopt(&n1.ep->fid, FI_OPT_ENDPOINT, FI_OPT_MIN_MULTI_RECV, &min, sizeof(min)));
	iov.iov_base = n1.mem;
	for (early = 0; early < 2; early++) {
		SUBTEST(early ? "messages first" : "buffer first") {
			at = 0;
			memset(n1.mem, 0, 4096);
			if (!early)
				REQUIRE_FI(fi_recvmsg(n1.ep, &m, FI_MULTI_RECV));
			for (i = 0; i < 5; i++) {
				fill(n0.mem, 800, i);
				REQUIRE_FI(retry(fi_send(n0.ep, n0.mem, 800, NULL, n0.peer[1], &ctx[0])));
				node_done(&n0, &ctx[0]);
			}
			if (early)
				REQUIRE_FI(fi_recvmsg(n1.ep, &m, FI_MULTI_RECV));
			for (i = 0; i < 5; i++) {
				e = node_done(&n1, &ctx[1]);
				CHECK_EQ(e.len, 800);
				CHECK(e.buf == n1.mem + at);
				CHECK(same(e.buf, 800, i));
				/* 96 bytes are left after the last: it is given back. */
				CHECK_EQ(!!(e.flags & FI_MULTI_RECV), i == 4);
				at += 800;
			}
		}
	}
	SUBTEST("long messages") {
		iov.iov_len = 1 << 20;
		REQUIRE_FI(fi_recvmsg(n1.ep, &m, FI_MULTI_RECV));
		for (i = 0; i < 3; i++) {
			fill(n0.mem, 350000, i);
			REQUIRE_FI(retry(fi_send(n0.ep, n0.mem, i < 2 ? 350000 : 348576, NULL, n0.peer[1], &ctx[0])));
			node_done(&n0, &ctx[0]);
			e = node_done(&n1, &ctx[1]);
			CHECK(same(e.buf, e.len, i));
			CHECK_EQ(!!(e.flags & FI_MULTI_RECV), i == 2);
		}
	}
	SUBTEST("cancelled") {
		iov.iov_len = 4096;
		REQUIRE_FI(fi_recvmsg(n1.ep, &m, FI_MULTI_RECV));
		CHECK_EQ(fi_cancel(&n1.ep->fid, &ctx[1]), 0);
		CHECK_EQ(node_fails(&n1, &ctx[1], FI_ECANCELED).flags & FI_MULTI_RECV, FI_MULTI_RECV);
	}
	pair_close();
}

KTAP_MAIN()
