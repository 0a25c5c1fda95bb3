// SPDX-License-Identifier: GPL-2.0
/*
 * Every way in which a transfer can fail: it ends once, with the status that
 * uapi/linux/pnic_queue.h names, and no byte outside what was allowed is touched.
 */
#include <sys/mman.h>

#include "device.h"
#include "ktap.h"
#include "traffic.h"

#define MEM		(1ul << 20)
#define WAIT_MS		20000
#define CANARY		0x3c
/* The regions under test lie in the middle of canaries. */
#define AT		8192ul
#define LEN		4096u

static struct end a, b;
static struct pnic_mr *ra, *rb;		/* [AT, AT + LEN) of a.mem and b.mem */

static void close_both(void)
{
	end_close(&a);
	end_close(&b);
	ra = NULL;
	rb = NULL;
}

static void open_with(const struct end_attr *attr_a, const struct end_attr *attr_b)
{
	need_cards(2);
	close_both();
	REQUIRE_EQ(end_open(&a, 0, attr_a), 0);
	REQUIRE_EQ(end_open(&b, 1, attr_b), 0);
	REQUIRE_EQ(pnic_mr_reg(a.ctx, a.mem + AT, LEN, ALL_RIGHTS, &ra), 0);
	REQUIRE_EQ(pnic_mr_reg(b.ctx, b.mem + AT, LEN, ALL_RIGHTS, &rb), 0);
	memset(a.mem, CANARY, MEM);
	memset(b.mem, CANARY, MEM);
}

static void open_both(void)
{
	const struct end_attr attr = { .size = MEM, .rnr_timeout_us = 1000 };

	open_with(&attr, &attr);
}

/* What is in the memories was not touched by a transfer. */
static void untouched(void)
{
	CHECK_EQ(byte_check(a.mem, MEM, CANARY), MEM);
	CHECK_EQ(byte_check(b.mem, MEM, CANARY), MEM);
}

struct bad_write {
	const char *what;
	int64_t local_off;
	int64_t remote_off;
	uint64_t length;
	uint64_t local_key_xor, remote_key_xor;
	int status;
};

/* Addresses relative to the regions' first bytes, which are at AT. */
static const struct bad_write bad_writes[] = {
	{ "remote end by one byte", 0, 1, LEN, 0, 0, PNIC_ST_REMOTE_BOUNDS },
	{ "remote begin by one byte", 0, -1, LEN, 0, 0, PNIC_ST_REMOTE_BOUNDS },
	{ "remote last byte plus one", 0, LEN - 1, 2, 0, 0, PNIC_ST_REMOTE_BOUNDS },
	{ "remote just behind", 0, LEN, 1, 0, 0, PNIC_ST_REMOTE_BOUNDS },
	{ "remote far off", 0, 1l << 40, 8, 0, 0, PNIC_ST_REMOTE_BOUNDS },
	{ "local end by one byte", 1, 0, LEN, 0, 0, PNIC_ST_LOCAL_BOUNDS },
	{ "local begin by one byte", -1, 0, LEN, 0, 0, PNIC_ST_LOCAL_BOUNDS },
	{ "local just behind", LEN, 0, 1, 0, 0, PNIC_ST_LOCAL_BOUNDS },
	{ "longer than both", 0, 0, LEN + 1, 0, 0, PNIC_ST_LOCAL_BOUNDS },
	{ "as long as a transfer can be", 0, 0, PNIC_MAX_MSG_SIZE, 0, 0, PNIC_ST_LOCAL_BOUNDS },
	{ "remote tag, lowest bit", 0, 0, 64, 0, 1ull << 24, PNIC_ST_REMOTE_KEY },
	{ "remote tag, highest bit", 0, 0, 64, 0, 1ull << 63, PNIC_ST_REMOTE_KEY },
	{ "remote index", 0, 0, 64, 0, 1, PNIC_ST_REMOTE_KEY },
	{ "remote index out of range", 0, 0, 64, 0, 0xfff000, PNIC_ST_REMOTE_KEY },
	{ "local tag", 0, 0, 64, 1ull << 40, 0, PNIC_ST_LOCAL_KEY },
	{ "local index", 0, 0, 64, 1, 0, PNIC_ST_LOCAL_KEY },
};

static void post_bad(const struct bad_write *w, int op)
{
	uint64_t lkey = ra->key ^ w->local_key_xor, rkey = rb->key ^ w->remote_key_xor;
	uint8_t *local = a.mem + AT + w->local_off;
	uint64_t remote = (uintptr_t)b.mem + AT + w->remote_off;

	switch (op) {
	case PNIC_OP_WRITE:
		REQUIRE_EQ(pnic_post_write(a.ep, b.addr, local, w->length, lkey, remote, rkey, 1, 0), 0);
		break;
	case PNIC_OP_WRITE_IMM:
		REQUIRE_EQ(pnic_post_write_imm(a.ep, b.addr, local, w->length, lkey, remote, rkey, 5, 1, 0), 0);
		break;
	case PNIC_OP_READ:
		REQUIRE_EQ(pnic_post_read(a.ep, b.addr, local, w->length, lkey, remote, rkey, 1, 0), 0);
		break;
	}
	pnic_ring(a.ep);
}

KTAP_TEST(bounds_and_keys)
{
	static const int ops[] = { PNIC_OP_WRITE, PNIC_OP_READ, PNIC_OP_WRITE_IMM };
	struct pnic_wc wc;
	unsigned int i, op;

	open_both();
	for (op = 0; op < 3; op++)
		for (i = 0; i < sizeof(bad_writes) / sizeof(bad_writes[0]); i++)
			SUBTEST("%s: %s", pnic_opcode_str(ops[op]), bad_writes[i].what) {
				post_bad(&bad_writes[i], ops[op]);
				REQUIRE_EQ(end_wait(&a, &wc, WAIT_MS), 0);
				CHECK_EQ(wc.status, bad_writes[i].status);
				CHECK_EQ(wc.opcode, ops[op]);
				CHECK_EQ(wc.cookie, 1);
				untouched();
			}
	/* The endpoint goes on. */
	memset(a.mem + AT, 1, 64);
	REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem + AT, 64, ra->key, (uintptr_t)b.mem + AT, rb->key, 2,
				   PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_OK);
	CHECK_EQ(byte_check(b.mem + AT, 64, 1), 64);
	CHECK(end_quiet(&a, 2));
	close_both();
}

/* addr + length runs over 2^64. */
KTAP_TEST(wrapped_range)
{
	open_both();
	REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem + AT, LEN, ra->key, UINT64_MAX - 10, rb->key, 1, 0), 0);
	pnic_ring(a.ep);
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_REMOTE_BOUNDS);
	REQUIRE_EQ(pnic_post_write(a.ep, b.addr, (void *)(UINTPTR_MAX - 10), LEN, ra->key, (uintptr_t)b.mem + AT,
				   rb->key, 1, 0), 0);
	pnic_ring(a.ep);
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_LOCAL_BOUNDS);
	untouched();
	close_both();
}

/* A transfer of no bytes checks nothing: no key, no address. */
KTAP_TEST(nothing_checks_nothing)
{
	open_both();
	REQUIRE_EQ(pnic_post_write(a.ep, b.addr, NULL, 0, 0x1234, 0, 0x5678, 1, PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_OK);
	untouched();
	close_both();
}

KTAP_TEST(stale_key)
{
	uint64_t far, near;

	open_both();
	far = rb->key;
	near = ra->key;
	CHECK_EQ(pnic_mr_dereg(rb), 0);
	REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem + AT, 64, near, (uintptr_t)b.mem + AT, far, 1, 0), 0);
	pnic_ring(a.ep);
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_REMOTE_KEY);
	/* Another registration of the same memory, perhaps at the same index, has another key. */
	REQUIRE_EQ(pnic_mr_reg(b.ctx, b.mem + AT, LEN, ALL_RIGHTS, &rb), 0);
	CHECK(rb->key != far);
	REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem + AT, 64, near, (uintptr_t)b.mem + AT, far, 1, 0), 0);
	pnic_ring(a.ep);
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_REMOTE_KEY);
	CHECK_EQ(pnic_mr_dereg(ra), 0);
	REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem + AT, 64, near, (uintptr_t)b.mem + AT, rb->key, 1, 0), 0);
	pnic_ring(a.ep);
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_LOCAL_KEY);
	untouched();
	close_both();
}

/* Tags must not be guessable: many registrations share neither tag nor a visible step. */
KTAP_TEST(keys_differ)
{
	uint64_t keys[64], step = 0, and = UINT64_MAX, or = 0;
	unsigned int i, k, same = 0;
	struct pnic_mr *mr;

	open_both();
	for (i = 0; i < 64; i++) {
		REQUIRE_EQ(pnic_mr_reg(a.ctx, a.mem, 4096, 0, &mr), 0);
		keys[i] = mr->key >> 24;
		CHECK_NE(keys[i], 0);
		and &= keys[i];
		or |= keys[i];
		CHECK_EQ(pnic_mr_dereg(mr), 0);
		for (k = 0; k < i; k++)
			CHECK_NE(keys[k], keys[i]);
		if (i > 1)
			same += keys[i] - keys[i - 1] == step;
		step = i ? keys[i] - keys[i - 1] : 0;
	}
	CHECK_EQ(same, 0);
	/* All 40 bits move: each has been 0 and 1 in 64 draws, but for one in 2^58. */
	CHECK_EQ(and, 0);
	CHECK_EQ(or, (1ull << 40) - 1);
	close_both();
}

static const struct {
	const char *what;
	uint32_t right;		/* all that the far region has */
	int read, write, atomic;
} rights[] = {
	{ "none", 0, PNIC_ST_REMOTE_RIGHTS, PNIC_ST_REMOTE_RIGHTS, PNIC_ST_REMOTE_RIGHTS },
	{ "local write", PNIC_MRF_LOCAL_WRITE, PNIC_ST_REMOTE_RIGHTS, PNIC_ST_REMOTE_RIGHTS, PNIC_ST_REMOTE_RIGHTS },
	{ "remote read", PNIC_MRF_REMOTE_READ, PNIC_ST_OK, PNIC_ST_REMOTE_RIGHTS, PNIC_ST_REMOTE_RIGHTS },
	{ "remote write", PNIC_MRF_REMOTE_WRITE, PNIC_ST_REMOTE_RIGHTS, PNIC_ST_OK, PNIC_ST_REMOTE_RIGHTS },
	{ "remote atomic", PNIC_MRF_REMOTE_ATOMIC, PNIC_ST_REMOTE_RIGHTS, PNIC_ST_REMOTE_RIGHTS, PNIC_ST_OK },
};

KTAP_TEST(rights_of_the_far_region)
{
	struct pnic_mr *mr;
	unsigned int i;
	uint64_t at;

	open_both();
	at = (uintptr_t)b.mem + 65536;
	for (i = 0; i < sizeof(rights) / sizeof(rights[0]); i++)
		SUBTEST("%s", rights[i].what) {
			REQUIRE_EQ(pnic_mr_reg(b.ctx, (void *)at, 4096, rights[i].right, &mr), 0);
			/* Their effect, where they are allowed, is nil. */
			REQUIRE_EQ(pnic_post_read(a.ep, b.addr, a.mem + AT, 64, ra->key, at, mr->key, 1,
						  PNIC_SQF_SIGNALED), 0);
			REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem + AT, 64, ra->key, at, mr->key, 2,
						   PNIC_SQF_SIGNALED), 0);
			REQUIRE_EQ(pnic_post_fetch_add(a.ep, b.addr, 8, at, mr->key, 0, 3, PNIC_SQF_SIGNALED), 0);
			pnic_ring(a.ep);
			CHECK_EQ(end_status(&a, WAIT_MS), rights[i].read);
			CHECK_EQ(end_status(&a, WAIT_MS), rights[i].write);
			CHECK_EQ(end_status(&a, WAIT_MS), rights[i].atomic);
			untouched();
			CHECK_EQ(pnic_mr_dereg(mr), 0);
		}
	close_both();
}

KTAP_TEST(rights_of_the_local_region)
{
	struct pnic_mr *mr;

	open_both();
	REQUIRE_EQ(pnic_mr_reg(a.ctx, a.mem + 65536, 4096, PNIC_MRF_REMOTE_READ, &mr), 0);
	SUBTEST("read into memory that is only a source") {
		REQUIRE_EQ(pnic_post_read(a.ep, b.addr, a.mem + 65536, 64, mr->key, (uintptr_t)b.mem + AT, rb->key,
					  1, 0), 0);
		pnic_ring(a.ep);
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_LOCAL_RIGHTS);
	}
	SUBTEST("receive into memory that is only a source") {
		REQUIRE_EQ(pnic_post_recv(a.ep, a.mem + 65536, 4096, mr->key, 7), 0);
		pnic_ring_recv(a.ep);
		REQUIRE_EQ(pnic_post_send(b.ep, a.addr, b.mem + AT, 64, rb->key, 8, 0), 0);
		pnic_ring(b.ep);
		CHECK_EQ(end_status(&b, WAIT_MS), PNIC_ST_REMOTE_RIGHTS);
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_LOCAL_RIGHTS);
	}
	SUBTEST("as a source it serves") {
		REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem + 65536, 64, mr->key, (uintptr_t)b.mem + AT,
					   rb->key, 1, PNIC_SQF_SIGNALED), 0);
		pnic_ring(a.ep);
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_OK);
	}
	untouched();
	close_both();
}

/* Receive buffers with a wrong key or range: both ends learn it. */
KTAP_TEST(bad_receive_buffer)
{
	static const struct {
		const char *what;
		int64_t off;
		uint64_t key_xor;
		int local, remote;
	} bad[] = {
		{ "key", 0, 1ull << 50, PNIC_ST_LOCAL_KEY, PNIC_ST_REMOTE_KEY },
		{ "end by one byte", 1, 0, PNIC_ST_LOCAL_BOUNDS, PNIC_ST_REMOTE_BOUNDS },
		{ "begin by one byte", -1, 0, PNIC_ST_LOCAL_BOUNDS, PNIC_ST_REMOTE_BOUNDS },
	};
	unsigned int i;

	open_both();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		SUBTEST("%s", bad[i].what) {
			REQUIRE_EQ(pnic_post_recv(b.ep, b.mem + AT + bad[i].off, LEN, rb->key ^ bad[i].key_xor, 1), 0);
			pnic_ring_recv(b.ep);
			REQUIRE_EQ(pnic_post_send(a.ep, b.addr, a.mem + AT, LEN, ra->key, 2, 0), 0);
			pnic_ring(a.ep);
			CHECK_EQ(end_status(&a, WAIT_MS), bad[i].remote);
			CHECK_EQ(end_status(&b, WAIT_MS), bad[i].local);
			untouched();
		}
	close_both();
}

KTAP_TEST(too_long_for_the_buffer)
{
	open_both();
	REQUIRE_EQ(pnic_post_recv(b.ep, b.mem + AT, 99, rb->key, 1), 0);
	pnic_ring_recv(b.ep);
	REQUIRE_EQ(pnic_post_send(a.ep, b.addr, a.mem + AT, 100, ra->key, 2, 0), 0);
	pnic_ring(a.ep);
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_TOO_LONG);
	CHECK_EQ(end_status(&b, WAIT_MS), PNIC_ST_TOO_LONG);
	REQUIRE_EQ(pnic_post_recv(b.ep, NULL, 0, 0, 1), 0);
	pnic_ring_recv(b.ep);
	REQUIRE_EQ(pnic_post_send(a.ep, b.addr, a.mem + AT, 1, ra->key, 2, 0), 0);
	pnic_ring(a.ep);
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_TOO_LONG);
	CHECK_EQ(end_status(&b, WAIT_MS), PNIC_ST_TOO_LONG);
	untouched();
	close_both();
}

KTAP_TEST(no_receiver_ready)
{
	const struct end_attr now = { .size = MEM }, later = { .size = MEM, .rnr_timeout_us = 50000 };

	SUBTEST("not at all") {
		open_with(&now, &now);
		REQUIRE_EQ(pnic_post_send(a.ep, b.addr, a.mem + AT, 8, ra->key, 1, 0), 0);
		REQUIRE_EQ(pnic_post_write_imm(a.ep, b.addr, a.mem + AT, 8, ra->key, (uintptr_t)b.mem + AT,
					       rb->key, 1, 2, 0), 0);
		pnic_ring(a.ep);
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_RNR);
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_RNR);
		untouched();
	}
	SUBTEST("in time") {
		open_with(&later, &later);
		REQUIRE_EQ(pnic_post_send(a.ep, b.addr, a.mem + AT, 8, ra->key, 1, 0), 0);
		pnic_ring(a.ep);
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_RNR);
		untouched();
	}
	SUBTEST("no receive ring") {
		struct pnic_ep *ep;

		open_with(&now, &now);
		CHECK_EQ(pnic_ep_destroy(b.ep), 0);
		while (pnic_poll(b.cq, &(struct pnic_wc) { 0 }, 1))
			;
		REQUIRE_EQ(end_add_ep(&b, 16, 0, &ep), 0);
		REQUIRE_EQ(pnic_post_send(a.ep, ep->addr, a.mem + AT, 8, ra->key, 1, 0), 0);
		pnic_ring(a.ep);
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_RNR);
	}
	close_both();
}

KTAP_TEST(nobody_there)
{
	struct pnic_addr to;

	open_both();
	SUBTEST("no such endpoint") {
		to = (struct pnic_addr) { b.addr.nic, b.addr.ep + 1 };
		REQUIRE_EQ(pnic_post_write(a.ep, to, a.mem + AT, 8, ra->key, (uintptr_t)b.mem + AT, rb->key, 1, 0), 0);
		REQUIRE_EQ(pnic_post_send(a.ep, to, a.mem + AT, 8, ra->key, 1, 0), 0);
		pnic_ring(a.ep);
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_REMOTE_EP);
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_REMOTE_EP);
	}
	SUBTEST("endpoint out of range") {
		to = (struct pnic_addr) { b.addr.nic, 0xffffff };
		REQUIRE_EQ(pnic_post_send(a.ep, to, a.mem + AT, 8, ra->key, 1, 0), 0);
		pnic_ring(a.ep);
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_REMOTE_EP);
	}
	SUBTEST("no such card") {
		to = (struct pnic_addr) { 0xabcdef, b.addr.ep };
		REQUIRE_EQ(pnic_post_send(a.ep, to, a.mem + AT, 8, ra->key, 1, 0), 0);
		pnic_ring(a.ep);
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_UNREACHABLE);
		to.nic = 0;
		REQUIRE_EQ(pnic_post_send(a.ep, to, a.mem + AT, 8, ra->key, 1, 0), 0);
		pnic_ring(a.ep);
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_UNREACHABLE);
	}
	SUBTEST("destroyed") {
		CHECK_EQ(pnic_ep_destroy(b.ep), 0);
		REQUIRE_EQ(pnic_post_send(a.ep, b.addr, a.mem + AT, 8, ra->key, 1, 0), 0);
		pnic_ring(a.ep);
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_REMOTE_EP);
	}
	untouched();
	close_both();
}

/* Tenants: what crosses partitions is dropped, and nothing can be learned of what is there. */
KTAP_TEST(partitions)
{
	const struct end_attr one = { .size = MEM, .partition = 1 }, two = { .size = MEM, .partition = 2 };
	uint64_t key;
	int i;

	open_with(&one, &two);
	key = rb->key;
	REQUIRE_EQ(pnic_post_recv(b.ep, b.mem + AT, LEN, rb->key, 1), 0);
	pnic_ring_recv(b.ep);
	REQUIRE_EQ(pnic_post_send(a.ep, b.addr, a.mem + AT, 8, ra->key, 1, 0), 0);
	REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem + AT, 8, ra->key, (uintptr_t)b.mem + AT, key, 2, 0), 0);
	REQUIRE_EQ(pnic_post_read(a.ep, b.addr, a.mem + AT, 8, ra->key, (uintptr_t)b.mem + AT, key, 3, 0), 0);
	REQUIRE_EQ(pnic_post_fetch_add(a.ep, b.addr, 8, (uintptr_t)b.mem + AT, key, 1, 4, 0), 0);
	pnic_ring(a.ep);
	/* The endpoint is checked first, and for every operation. */
	for (i = 0; i < 4; i++)
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_REMOTE_EP);
	CHECK(end_quiet(&b, 20));
	untouched();
	/* Two of one partition get along. */
	open_with(&two, &two);
	memset(a.mem + AT, 9, 8);
	REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem + AT, 8, ra->key, (uintptr_t)b.mem + AT, rb->key, 2,
				   PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_OK);
	CHECK_EQ(byte_check(b.mem + AT, 8, 9), 8);
	close_both();
}

/* The region of another context of the same card is none of ours. */
KTAP_TEST(local_key_of_another_context)
{
	const struct end_attr attr = { .size = MEM };
	struct end c;

	open_both();
	REQUIRE_EQ(end_open(&c, 0, &attr), 0);
	REQUIRE_EQ(pnic_post_write(a.ep, b.addr, c.mem, 64, c.mr->key, (uintptr_t)b.mem + AT, rb->key, 1, 0), 0);
	REQUIRE_EQ(pnic_post_read(a.ep, b.addr, c.mem, 64, c.mr->key, (uintptr_t)b.mem + AT, rb->key, 1, 0), 0);
	pnic_ring(a.ep);
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_LOCAL_KEY);
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_LOCAL_KEY);
	CHECK_EQ(byte_check(c.mem, 64, 0), 64);
	untouched();
	end_close(&c);
	close_both();
}

KTAP_TEST(atomic_alignment)
{
	unsigned int off;

	open_both();
	for (off = 1; off < 8; off++) {
		REQUIRE_EQ(pnic_post_fetch_add(a.ep, b.addr, 8, (uintptr_t)b.mem + AT + off, rb->key, 1, 1, 0), 0);
		pnic_ring(a.ep);
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_ALIGN);
	}
	REQUIRE_EQ(pnic_post_comp_swap(a.ep, b.addr, 4, (uintptr_t)b.mem + AT + 2, rb->key, 1, 1, 1, 0), 0);
	REQUIRE_EQ(pnic_post_fetch_add(a.ep, b.addr, 8, (uintptr_t)b.mem + AT + LEN, rb->key, 1, 1, 0), 0);
	pnic_ring(a.ep);
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_ALIGN);
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_REMOTE_BOUNDS);
	untouched();
	close_both();
}

/* A list with one bad buffer: nothing of it is sent. */
KTAP_TEST(one_bad_buffer_of_a_list)
{
	struct pnic_buf bufs[3];
	unsigned int i;

	open_both();
	for (i = 0; i < 3; i++) {
		bufs[0] = bufs[1] = bufs[2] = (struct pnic_buf) { .addr = a.mem + AT, .key = ra->key, .length = 64 };
		bufs[i].key ^= 1ull << 33;
		REQUIRE_EQ(pnic_post_writev(a.ep, b.addr, bufs, 3, (uintptr_t)b.mem + AT, rb->key, 1, 0), 0);
		bufs[i].key = ra->key;
		bufs[i].addr = a.mem + AT + LEN - 63;
		REQUIRE_EQ(pnic_post_writev(a.ep, b.addr, bufs, 3, (uintptr_t)b.mem + AT, rb->key, 1, 0), 0);
		pnic_ring(a.ep);
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_LOCAL_KEY);
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_LOCAL_BOUNDS);
		untouched();
	}
	close_both();
}

/* Writes a descriptor by hand at the ring's producer index and rings. */
static void post_raw(const struct pnic_sqe *sqe, uint32_t slots)
{
	memcpy(a.ep->sq + (size_t)(a.ep->sq_tail & (a.ep->sq_slots - 1)) * PNIC_SLOT_SIZE, sqe, sizeof(*sqe));
	a.ep->sq_tail += slots;
	pnic_ring(a.ep);
}

KTAP_TEST(malformed_descriptors)
{
	static const struct {
		const char *what;
		struct pnic_sqe sqe;
	} bad[] = {
		{ "unknown opcode", { .opcode = 0x77, .num_slots = 1 } },
		{ "opcode of a receive", { .opcode = PNIC_OP_RECV, .num_slots = 1 } },
		{ "unknown flag", { .opcode = PNIC_OP_NOP, .num_slots = 1, .flags = 0x80 } },
		{ "too many buffers", { .opcode = PNIC_OP_WRITE, .num_slots = 5, .num_sge = 9, .length = 8 } },
		{ "slots but no list", { .opcode = PNIC_OP_WRITE, .num_slots = 2, .num_sge = 1, .length = 8 } },
		{ "list without slots", { .opcode = PNIC_OP_WRITE, .num_slots = 1, .num_sge = 4, .length = 8 } },
		{ "list shorter than the length", { .opcode = PNIC_OP_WRITE, .num_slots = 2, .num_sge = 2, .length = 8 } },
		{ "inline read", { .opcode = PNIC_OP_READ, .num_slots = 1, .flags = PNIC_SQF_INLINE, .length = 8 } },
		{ "inline atomic", { .opcode = PNIC_OP_FETCH_ADD, .num_slots = 1, .flags = PNIC_SQF_INLINE, .length = 8 } },
		{ "inline too long for its slots", { .opcode = PNIC_OP_SEND, .num_slots = 1, .flags = PNIC_SQF_INLINE,
						     .length = 17 } },
		{ "inline in too many slots", { .opcode = PNIC_OP_SEND, .num_slots = 2, .flags = PNIC_SQF_INLINE,
						.length = 16 } },
	};
	unsigned int i;

	open_both();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		SUBTEST("%s", bad[i].what) {
			struct pnic_sqe sqe = bad[i].sqe;

			memset(a.ep->sq, 0, a.ep->sq_slots * PNIC_SLOT_SIZE);
			sqe.dest_nic = b.addr.nic;
			sqe.dest_ep = b.addr.ep;
			post_raw(&sqe, sqe.num_slots);
			CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_BAD_DESC);
		}
	untouched();
	close_both();
}

/* A descriptor that hides where the next one begins, or a producer index beyond the ring, stops the endpoint. */
KTAP_TEST(unreadable_ring)
{
	static const uint8_t slots[] = { 0, 6, 255, 3 /* but only one was rung */ };
	struct pnic_sqe sqe = { .opcode = PNIC_OP_NOP };
	struct pnic_event ev;
	unsigned int i;
	int n;

	for (i = 0; i <= sizeof(slots); i++)
		SUBTEST("%s", i < sizeof(slots) ? "slots" : "index") {
			open_both();
			if (i < sizeof(slots)) {
				sqe.num_slots = slots[i];
				post_raw(&sqe, 1);
			} else {
				sqe.num_slots = 1;
				post_raw(&sqe, a.ep->sq_slots + 1);
			}
			for (n = 0; n < 2000 && pnic_read_event(a.ctx, &ev); n++)
				sleep_ms(5);
			CHECK_EQ(ev.type, PNIC_EVT_EP_ERROR);
			CHECK_EQ(ev.code, PNIC_ST_OVERRUN);
			/* Reset revives it. */
			CHECK_EQ(pnic_ep_reset(a.ep), 0);
			while (pnic_poll(a.cq, &(struct pnic_wc) { 0 }, 1))
				;
			REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem + AT, 64, ra->key, (uintptr_t)b.mem + AT,
						   rb->key, 5, PNIC_SQF_SIGNALED), 0);
			pnic_ring(a.ep);
			CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_OK);
			close_both();
		}
}

KTAP_TEST(stop_on_error)
{
	const struct end_attr stop = { .size = MEM, .ep_flags = PNIC_EP_STOP_ON_ERROR };
	struct pnic_event ev = { 0 };
	struct pnic_wc wc;
	unsigned int i;

	open_with(&stop, &stop);
	for (i = 0; i < 10; i++)
		REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem + AT, 64, ra->key, (uintptr_t)b.mem + AT,
					   i == 4 ? 1 : rb->key, i, PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
	for (i = 0; i < 10; i++) {
		REQUIRE_EQ(end_wait(&a, &wc, WAIT_MS), 0);
		CHECK_EQ(wc.cookie, i);
		CHECK_EQ(wc.status, i < 4 ? PNIC_ST_OK : i == 4 ? PNIC_ST_REMOTE_KEY : PNIC_ST_FLUSHED);
	}
	for (i = 0; i < 1000 && pnic_read_event(a.ctx, &ev); i++)
		sleep_ms(5);
	CHECK_EQ(ev.type, PNIC_EVT_EP_ERROR);
	/* What arrives for it is still served. */
	REQUIRE_EQ(pnic_post_write(b.ep, a.addr, b.mem + AT, 64, rb->key, (uintptr_t)a.mem + AT, ra->key, 1,
				   PNIC_SQF_SIGNALED), 0);
	pnic_ring(b.ep);
	CHECK_EQ(end_status(&b, WAIT_MS), PNIC_ST_OK);
	CHECK_EQ(pnic_ep_reset(a.ep), 0);
	REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem + AT, 64, ra->key, (uintptr_t)b.mem + AT, rb->key, 1,
				   PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_OK);
	close_both();
}

/* EP_RESET: what is in the rings completes as flushed, send ring in order, then receive ring. */
KTAP_TEST(reset_flushes)
{
	const struct end_attr attr = { .size = MEM, .rnr_timeout_us = 3600u * 1000000 };
	struct pnic_wc wc;
	unsigned int i;

	open_with(&attr, &attr);
	for (i = 0; i < 5; i++)
		REQUIRE_EQ(pnic_post_recv(a.ep, a.mem + AT, 8, ra->key, 100 + i), 0);
	pnic_ring_recv(a.ep);
	for (i = 0; i < 10; i++)
		REQUIRE_EQ(pnic_post_send(a.ep, b.addr, a.mem + AT, 64, ra->key, i, 0), 0);
	pnic_ring(a.ep);
	CHECK(end_quiet(&a, 20));
	CHECK_EQ(pnic_ep_reset(a.ep), 0);
	for (i = 0; i < 15; i++) {
		REQUIRE_EQ(end_wait(&a, &wc, WAIT_MS), 0);
		CHECK_EQ(wc.cookie, i < 10 ? i : 90 + i);
		CHECK_EQ(wc.status, PNIC_ST_FLUSHED);
	}
	CHECK(end_quiet(&a, 5));
	REQUIRE_EQ(pnic_post_recv(b.ep, b.mem + AT, 64, rb->key, 1), 0);
	pnic_ring_recv(b.ep);
	REQUIRE_EQ(pnic_post_send(a.ep, b.addr, a.mem + AT, 64, ra->key, 55, PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_OK);
	CHECK_EQ(end_status(&b, WAIT_MS), PNIC_ST_OK);
	close_both();
}

KTAP_MAIN()
