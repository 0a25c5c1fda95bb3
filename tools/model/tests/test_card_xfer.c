// SPDX-License-Identifier: GPL-2.0
/*
 * Transfers between two cards: every operation, size and buffer list, every way to fail, and the order in
 * which things happen.
 */
#include "card_pair.h"

static const uint32_t sizes[] = {
	0, 1, 15, 16, 17, 63, 64, 65, 272, 4095, 4096, 4097, (1u << 20) + 3,
};

#define NSIZES (sizeof(sizes) / sizeof(sizes[0]))

KTAP_TEST(write_sizes)
{
	struct pnic_cqe e;
	struct pair p;
	unsigned int i;

	pair_open(&p, plain, 6);
	for (i = 0; i < NSIZES; i++) {
		uint32_t len = sizes[i];
		struct pnic_sqe s = th_sqe(PNIC_OP_WRITE, &p.ep[1], &p.mr[0], 7, len);

		SUBTEST("%u bytes", len) {
			th_mr_fill(&p.mr[0], 7, len, i);
			th_mr_set(&p.mr[1], 0, len + 64, 0xa5);
			th_remote(&s, &p.mr[1], 13);
			s.cookie = htole64(1000 + i);
			th_post(&p.ep[0], &s);
			CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
			CHECK_EQ(le64toh(e.cookie), 1000 + i);
			CHECK_EQ(le32toh(e.length), len);
			CHECK_EQ(th_op(&e), PNIC_OP_WRITE);
			CHECK_EQ(le32toh(e.nic_op) & PNIC_CQE_LOW24, pm_card_addr(p.t.h[1].card));
			CHECK_EQ(le32toh(e.ep_flags) & PNIC_CQE_LOW24, 10);
			CHECK_EQ(le32toh(e.peer_status) & PNIC_CQE_LOW24, i + 1);
			CHECK_EQ(th_mr_wrong(&p.mr[1], 13, len, i), 0);
			CHECK_EQ(th_mr_not(&p.mr[1], 0, 13, 0xa5), 0);
			CHECK_EQ(th_mr_not(&p.mr[1], 13 + len, 51, 0xa5), 0);
		}
	}
	pair_close(&p);
}

KTAP_TEST(send_sizes)
{
	struct pnic_cqe e;
	struct pair p;
	unsigned int i;

	pair_open(&p, plain, 6);
	for (i = 0; i < NSIZES; i++) {
		uint32_t len = sizes[i];
		struct pnic_sqe s = th_sqe(PNIC_OP_SEND, &p.ep[1], &p.mr[0], 3, len);

		SUBTEST("%u bytes", len) {
			th_mr_fill(&p.mr[0], 3, len, i);
			th_mr_set(&p.mr[1], 0, len + 64, 0x5a);
			th_recv(&p.ep[1], &p.mr[1], 5, len + 9, 500 + i);
			th_post(&p.ep[0], &s);
			CHECK_EQ(th_wait(&p.rcq[1], &e), PNIC_ST_OK);
			CHECK_EQ(le64toh(e.cookie), 500 + i);
			CHECK_EQ(le32toh(e.length), len);
			CHECK_EQ(th_op(&e), PNIC_OP_RECV);
			CHECK_EQ(e.data, 0);
			CHECK_EQ(le32toh(e.nic_op) & PNIC_CQE_LOW24, pm_card_addr(p.t.h[0].card));
			CHECK_EQ(le32toh(e.peer_status) & PNIC_CQE_LOW24, 10);
			CHECK_EQ(le32toh(e.ep_flags) & PNIC_CQE_LOW24, 11);
			CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
			CHECK_EQ(th_mr_wrong(&p.mr[1], 5, len, i), 0);
			CHECK_EQ(th_mr_not(&p.mr[1], 0, 5, 0x5a), 0);
			CHECK_EQ(th_mr_not(&p.mr[1], 5 + len, 59, 0x5a), 0);
		}
	}
	pair_close(&p);
}

KTAP_TEST(read_sizes)
{
	struct pnic_cqe e;
	struct pair p;
	unsigned int i;

	pair_open(&p, plain, 6);
	for (i = 0; i < NSIZES; i++) {
		uint32_t len = sizes[i];
		struct pnic_sqe s = th_sqe(PNIC_OP_READ, &p.ep[1], &p.mr[0], 11, len);

		SUBTEST("%u bytes", len) {
			th_mr_fill(&p.mr[1], 29, len, i);
			th_mr_set(&p.mr[0], 0, len + 64, 0x77);
			th_remote(&s, &p.mr[1], 29);
			th_post(&p.ep[0], &s);
			CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
			CHECK_EQ(le32toh(e.length), len);
			CHECK_EQ(th_op(&e), PNIC_OP_READ);
			CHECK_EQ(th_mr_wrong(&p.mr[0], 11, len, i), 0);
			CHECK_EQ(th_mr_not(&p.mr[0], 0, 11, 0x77), 0);
			CHECK_EQ(th_mr_not(&p.mr[0], 11 + len, 53, 0x77), 0);
		}
	}
	pair_close(&p);
}

/* An inline descriptor of @len patterned bytes; the slots it takes. */
static unsigned int make_inline(struct pnic_sqe *s, uint8_t *desc, uint32_t len, uint64_t seed)
{
	uint32_t i;

	s->flags |= PNIC_SQF_INLINE;
	s->length = htole32(len);
	s->num_slots = 1 + (len > 16 ? (len - 16 + 63) / 64 : 0);
	memcpy(desc, s, sizeof(*s));
	for (i = 0; i < len; i++)
		desc[offsetof(struct pnic_sqe, local_addr) + i] = th_byte(seed, i);
	return s->num_slots;
}

/* All lengths, so that descriptors of every number of slots cross the end of the ring. */
KTAP_TEST(inline_all_lengths)
{
	uint8_t desc[PNIC_SQE_MAX_SLOTS * PNIC_SLOT_SIZE];
	struct pnic_cqe e;
	struct pair p;
	uint32_t len;

	pair_open(&p, plain, 6);
	for (len = 0; len <= PNIC_SQE_MAX_INLINE; len++) {
		struct pnic_sqe s = th_sqe(len & 1 ? PNIC_OP_WRITE : PNIC_OP_SEND, &p.ep[1], NULL, 0, 0);

		th_mr_set(&p.mr[1], 0, 400, 0x11);
		if (s.opcode == PNIC_OP_WRITE)
			th_remote(&s, &p.mr[1], 1);
		else
			th_recv(&p.ep[1], &p.mr[1], 1, len, len);
		th_put(&p.ep[0], desc, make_inline(&s, desc, len, len));
		th_go(&p.ep[0]);
		REQUIRE_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
		CHECK_EQ(le32toh(e.length), len);
		CHECK_EQ(le32toh(e.peer_status) & PNIC_CQE_LOW24, p.ep[0].sq_pi);
		CHECK_EQ(th_mr_wrong(&p.mr[1], 1, len, len), 0);
		CHECK_EQ(th_mr_not(&p.mr[1], 1 + len, 64, 0x11), 0);
		if (s.opcode == PNIC_OP_SEND)
			REQUIRE_EQ(th_wait(&p.rcq[1], &e), PNIC_ST_OK);
	}
	pair_close(&p);
}

/* @n buffers with gaps between them, the first at @off; returns the descriptor's slots. */
static unsigned int make_list(struct pnic_sqe *s, uint8_t *desc, struct th_mr *mr, unsigned int n,
			      const uint32_t *len, uint32_t gap)
{
	uint32_t off = 0, sum = 0;
	unsigned int i;

	memset(desc, 0, PNIC_SQE_MAX_SLOTS * PNIC_SLOT_SIZE);
	for (i = 0; i < n; i++) {
		struct pnic_sge g = {
			.addr = htole64(mr->va + off), .key = htole64(mr->key), .length = htole32(len[i]),
		};

		memcpy(desc + PNIC_SLOT_SIZE + i * sizeof(g), &g, sizeof(g));
		off += len[i] + gap;
		sum += len[i];
	}
	s->num_sge = n;
	s->num_slots = 1 + (n + 1) / 2;
	s->length = htole32(sum);
	memcpy(desc, s, sizeof(*s));
	return s->num_slots;
}

KTAP_TEST(buffer_lists)
{
	static const uint32_t lens[] = { 1, 0, 4097, 63, 8192, 5, 12345, 70000 };
	uint8_t desc[PNIC_SQE_MAX_SLOTS * PNIC_SLOT_SIZE];
	uint8_t *flat = malloc(200000), *got = malloc(200000);
	const uint32_t gap = 17;
	struct pnic_cqe e;
	struct pair p;
	unsigned int n, i;

	REQUIRE(flat && got);
	pair_open(&p, plain, 6);
	for (n = 2; n <= PNIC_SQE_MAX_SGE; n++) {
		struct pnic_sqe s = th_sqe(PNIC_OP_WRITE, &p.ep[1], NULL, 0, 0);
		uint32_t off = 0, sum = 0;

		th_mr_fill(&p.mr[0], 0, 150000, n);
		for (i = 0; i < n; i++) {
			th_mr_get(&p.mr[0], off, flat + sum, lens[i]);
			sum += lens[i];
			off += lens[i] + gap;
		}
		SUBTEST("gather %u", n) {
			th_remote(&s, &p.mr[1], 100);
			th_put(&p.ep[0], desc, make_list(&s, desc, &p.mr[0], n, lens, gap));
			th_go(&p.ep[0]);
			CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
			th_mr_get(&p.mr[1], 100, got, sum);
			CHECK(!memcmp(got, flat, sum));
		}
		SUBTEST("scatter %u", n) {
			th_mr_set(&p.mr[0], 0, 150000, 0xee);
			s.opcode = PNIC_OP_READ;
			th_put(&p.ep[0], desc, make_list(&s, desc, &p.mr[0], n, lens, gap));
			th_go(&p.ep[0]);
			CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
			for (i = 0, off = 0, sum = 0; i < n; i++) {
				th_mr_get(&p.mr[0], off, got, lens[i] + gap);
				CHECK(!memcmp(got, flat + sum, lens[i]));
				CHECK_EQ(got[lens[i]], 0xee);
				CHECK_EQ(got[lens[i] + gap - 1], 0xee);
				sum += lens[i];
				off += lens[i] + gap;
			}
		}
	}
	free(flat);
	free(got);
	pair_close(&p);
}

KTAP_TEST(immediates)
{
	struct pnic_cqe e;
	struct pnic_sqe s;
	struct pair p;

	pair_open(&p, plain, 6);
	SUBTEST("send with immediate") {
		s = th_sqe(PNIC_OP_SEND_IMM, &p.ep[1], &p.mr[0], 0, 100);
		s.imm = htole64(0x1122334455667788ull);
		th_recv(&p.ep[1], &p.mr[1], 0, 100, 1);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.rcq[1], &e), PNIC_ST_OK);
		CHECK_EQ(th_op(&e), PNIC_OP_RECV_IMM);
		CHECK_EQ(le64toh(e.data), 0x1122334455667788ull);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
	}
	SUBTEST("write with immediate takes an entry and leaves its buffer alone") {
		th_mr_fill(&p.mr[0], 0, 9000, 5);
		th_mr_set(&p.mr[1], 0, 20000, 0);
		s = th_sqe(PNIC_OP_WRITE_IMM, &p.ep[1], &p.mr[0], 0, 9000);
		s.imm = htole64(42);
		th_remote(&s, &p.mr[1], 10000);
		th_recv(&p.ep[1], &p.mr[1], 0, 10, 2);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.rcq[1], &e), PNIC_ST_OK);
		CHECK_EQ(th_op(&e), PNIC_OP_RECV_WRITE_IMM);
		CHECK_EQ(le64toh(e.data), 42);
		CHECK_EQ(le64toh(e.cookie), 2);
		CHECK_EQ(le32toh(e.length), 9000);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
		CHECK_EQ(th_mr_wrong(&p.mr[1], 10000, 9000, 5), 0);
		CHECK_EQ(th_mr_not(&p.mr[1], 0, 10000, 0), 0);
	}
	SUBTEST("of length 0, with no key at all") {
		s = th_sqe(PNIC_OP_WRITE_IMM, &p.ep[1], NULL, 0, 0);
		s.imm = htole64(7);
		th_recv(&p.ep[1], NULL, 0, 0, 3);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.rcq[1], &e), PNIC_ST_OK);
		CHECK_EQ(le64toh(e.data), 7);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
	}
	pair_close(&p);
}

static uint64_t get64(struct th_mr *mr, uint64_t off)
{
	uint64_t v;

	th_mr_get(mr, off, &v, 8);
	return v;
}

KTAP_TEST(atomics)
{
	uint64_t v = 1000;
	struct pnic_cqe e;
	struct pnic_sqe s;
	struct pair p;
	unsigned int i;

	pair_open(&p, plain, 8);
	th_mr_put(&p.mr[1], 64, &v, 8);
	SUBTEST("fetch-add, 8 bytes") {
		for (i = 0; i < 20; i++) {
			s = th_sqe(PNIC_OP_FETCH_ADD, &p.ep[1], NULL, 0, 8);
			s.imm = htole64(i);
			th_remote(&s, &p.mr[1], 64);
			th_post(&p.ep[0], &s);
		}
		for (i = 0, v = 1000; i < 20; v += i++) {
			CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
			CHECK_EQ(le64toh(e.data), v);
			CHECK_EQ(le32toh(e.length), 8);
		}
		CHECK_EQ(get64(&p.mr[1], 64), v);
	}
	SUBTEST("compare-swap, 8 bytes: hit and miss") {
		s = th_sqe(PNIC_OP_COMP_SWAP, &p.ep[1], NULL, 0, 8);
		th_remote(&s, &p.mr[1], 64);
		s.local_addr = htole64(v);
		s.imm = htole64(0xdeadbeefcafef00dull);
		th_post(&p.ep[0], &s);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
		CHECK_EQ(le64toh(e.data), v);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
		CHECK_EQ(le64toh(e.data), 0xdeadbeefcafef00dull);
		CHECK_EQ(get64(&p.mr[1], 64), 0xdeadbeefcafef00dull);
	}
	SUBTEST("4 bytes leave the neighbours alone") {
		s = th_sqe(PNIC_OP_FETCH_ADD, &p.ep[1], NULL, 0, 4);
		th_remote(&s, &p.mr[1], 68);
		s.imm = htole64(0x100000002ull);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
		CHECK_EQ(le64toh(e.data), 0xdeadbeef);
		CHECK_EQ(get64(&p.mr[1], 64), 0xdeadbef1cafef00dull);
		s = th_sqe(PNIC_OP_COMP_SWAP, &p.ep[1], NULL, 0, 4);
		th_remote(&s, &p.mr[1], 64);
		s.local_addr = htole64(0xcafef00d);
		s.imm = htole64(1);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
		CHECK_EQ(get64(&p.mr[1], 64), 0xdeadbef100000001ull);
	}
	pair_close(&p);
}

/* A post to ep 1 of the pair that must end with @st, nothing received, and nothing written. */
static void expect(struct pair *p, struct pnic_sqe *s, int st)
{
	struct pnic_cqe e;

	th_mr_set(&p->mr[1], 0, 256, 0x33);
	s->flags &= ~PNIC_SQF_SIGNALED;
	s->cookie = htole64(0xc0ffee);
	th_post(&p->ep[0], s);
	CHECK_EQ(th_wait(&p->scq[0], &e), st);
	CHECK_EQ(le64toh(e.cookie), 0xc0ffee);
	CHECK_EQ(e.data, 0);
	CHECK_EQ(e.length, 0);
	CHECK_EQ(th_op(&e), s->opcode);
	CHECK_EQ(th_mr_not(&p->mr[1], 0, 256, 0x33), 0);
}

KTAP_TEST(bad_descriptors)
{
	struct pnic_sqe s, good;
	struct pair p;

	pair_open(&p, plain, 6);
	good = th_sqe(PNIC_OP_WRITE, &p.ep[1], &p.mr[0], 0, 64);
	th_remote(&good, &p.mr[1], 0);
#define BAD(what, ...)						\
	SUBTEST(what) {						\
		s = good;					\
		__VA_ARGS__;					\
		expect(&p, &s, PNIC_ST_BAD_DESC);		\
	}
	BAD("opcode 10", s.opcode = 10)
	BAD("opcode of a receive", s.opcode = PNIC_OP_RECV)
	BAD("unknown flag", s.flags |= 0x10)
	BAD("nine buffers", s.num_sge = 9)
	BAD("two buffers in one slot", s.num_sge = 2)
	BAD("inline longer than its slots", s.flags |= PNIC_SQF_INLINE)
	BAD("inline read", s.opcode = PNIC_OP_READ; s.flags |= PNIC_SQF_INLINE; s.length = htole32(8))
	BAD("inline atomic", s.opcode = PNIC_OP_FETCH_ADD; s.flags |= PNIC_SQF_INLINE; s.length = htole32(8))
	BAD("inline flush", s.opcode = PNIC_OP_FLUSH; s.flags |= PNIC_SQF_INLINE; s.length = 0)
	BAD("NIC address over 24 bits", s.dest_nic |= htole32(1u << 24))
	BAD("endpoint over 24 bits", s.dest_ep |= htole32(1u << 31))
	SUBTEST("more slots than it needs") {
		uint8_t desc[128] = { 0 };
		struct pnic_cqe e;

		s = good;
		s.num_slots = 2;
		memcpy(desc, &s, sizeof(s));
		th_put(&p.ep[0], desc, 2);
		th_go(&p.ep[0]);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_BAD_DESC);
	}
	SUBTEST("list whose sum is wrong, reserved field of a list") {
		static const uint32_t len[] = { 10, 20 };
		uint8_t desc[PNIC_SQE_MAX_SLOTS * PNIC_SLOT_SIZE];
		struct pnic_cqe e;

		s = good;
		make_list(&s, desc, &p.mr[0], 2, len, 0);
		s.length = htole32(31);
		memcpy(desc, &s, sizeof(s));
		th_put(&p.ep[0], desc, 2);
		make_list(&s, desc, &p.mr[0], 2, len, 0);
		desc[PNIC_SLOT_SIZE + offsetof(struct pnic_sge, rsvd) + 11] = 1;
		th_put(&p.ep[0], desc, 2);
		th_go(&p.ep[0]);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_BAD_DESC);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_BAD_DESC);
	}
	SUBTEST("the endpoint still works") {
		struct pnic_cqe e;

		th_post(&p.ep[0], &good);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
	}
	pair_close(&p);
}

KTAP_TEST(key_checks)
{
	struct pnic_sqe s, w, r, a;
	struct th_mr ro[2], other;
	struct pair p;

	pair_open(&p, plain, 6);
	th_ctx(&p.t.h[0], 2, 5);
	th_mr(&p.t.h[0], &ro[0], 100, 1, 8192, PNIC_MR_LOCAL_READ);
	th_mr(&p.t.h[1], &ro[1], 100, 1, 8192, PNIC_MR_LOCAL_READ | PNIC_MR_LOCAL_WRITE);
	th_mr(&p.t.h[0], &other, 101, 2, 8192, TH_RIGHTS_ALL);
	w = th_sqe(PNIC_OP_WRITE, &p.ep[1], &p.mr[0], 0, 64);
	th_remote(&w, &p.mr[1], 0);
	r = th_sqe(PNIC_OP_READ, &p.ep[1], &p.mr[0], 0, 64);
	th_remote(&r, &p.mr[1], 0);
	a = th_sqe(PNIC_OP_FETCH_ADD, &p.ep[1], NULL, 0, 8);
	th_remote(&a, &p.mr[1], 0);
#define WRONG(what, base, st, ...)				\
	SUBTEST(what) {						\
		s = base;					\
		__VA_ARGS__;					\
		expect(&p, &s, st);				\
	}
	WRONG("local tag", w, PNIC_ST_LOCAL_KEY, s.local_key ^= htole64(1ull << 40))
	WRONG("local index", w, PNIC_ST_LOCAL_KEY, s.local_key ^= htole64(64))
	WRONG("local index out of range", w, PNIC_ST_LOCAL_KEY, s.local_key |= htole64(0xffffff))
	WRONG("key 0", w, PNIC_ST_LOCAL_KEY, s.local_key = 0)
	WRONG("another context's key", w, PNIC_ST_LOCAL_KEY, s.local_key = htole64(other.key);
	      s.local_addr = htole64(other.va))
	WRONG("before the region", w, PNIC_ST_LOCAL_BOUNDS, s.local_addr = htole64(p.mr[0].va - 1))
	WRONG("past the region", w, PNIC_ST_LOCAL_BOUNDS, s.local_addr = htole64(p.mr[0].va + MR_LEN - 63))
	WRONG("wrapped range", w, PNIC_ST_LOCAL_BOUNDS, s.local_addr = htole64(UINT64_MAX - 10))
	WRONG("whole length counts", w, PNIC_ST_LOCAL_BOUNDS, s.length = htole32(UINT32_MAX))
	WRONG("read into memory that is read only", r, PNIC_ST_LOCAL_RIGHTS,
	      s.local_key = htole64(ro[0].key); s.local_addr = htole64(ro[0].va))
	WRONG("remote tag", w, PNIC_ST_REMOTE_KEY, s.remote_key ^= htole64(1ull << 63))
	WRONG("remote index", w, PNIC_ST_REMOTE_KEY, s.remote_key ^= htole64(32))
	WRONG("before the far region", w, PNIC_ST_REMOTE_BOUNDS, s.remote_addr = htole64(p.mr[1].va - 64))
	WRONG("past the far region", w, PNIC_ST_REMOTE_BOUNDS,
	      s.remote_addr = htole64(p.mr[1].va + MR_LEN - 63))
	WRONG("long write that ends past it", w, PNIC_ST_REMOTE_BOUNDS, s.length = htole32(1 << 20);
	      s.remote_addr = htole64(p.mr[1].va + MR_LEN - (1 << 20) + 1))
	WRONG("long read that ends past it", r, PNIC_ST_REMOTE_BOUNDS, s.length = htole32(1 << 20);
	      s.remote_addr = htole64(p.mr[1].va + MR_LEN - (1 << 20) + 1))
	WRONG("write without the right", w, PNIC_ST_REMOTE_RIGHTS, th_remote(&s, &ro[1], 0))
	WRONG("read without the right", r, PNIC_ST_REMOTE_RIGHTS, th_remote(&s, &ro[1], 0))
	WRONG("atomic without the right", a, PNIC_ST_REMOTE_RIGHTS, th_remote(&s, &ro[1], 0))
	WRONG("bounds come before rights", w, PNIC_ST_REMOTE_BOUNDS, th_remote(&s, &ro[1], 8192))
	WRONG("key comes before bounds", w, PNIC_ST_REMOTE_KEY, s.remote_key ^= htole64(1ull << 30);
	      s.remote_addr = 0)
	WRONG("atomic of 3 bytes", a, PNIC_ST_ALIGN, s.length = htole32(3))
	WRONG("atomic of 16 bytes", a, PNIC_ST_ALIGN, s.length = htole32(16))
	WRONG("atomic at an odd address", a, PNIC_ST_ALIGN, s.remote_addr = htole64(p.mr[1].va + 4))
	WRONG("atomic past the region", a, PNIC_ST_REMOTE_BOUNDS, th_remote(&s, &p.mr[1], MR_LEN))
	WRONG("no such endpoint", w, PNIC_ST_REMOTE_EP, s.dest_ep = htole32(12))
	WRONG("endpoint number out of range", r, PNIC_ST_REMOTE_EP, s.dest_ep = htole32(0xffffff))
	WRONG("no such NIC", w, PNIC_ST_UNREACHABLE, s.dest_nic = htole32(0x000177))
	WRONG("no such NIC, a long write", w, PNIC_ST_UNREACHABLE, s.dest_nic = htole32(0x000001);
	      s.length = htole32(1 << 20))
	WRONG("NIC 0", a, PNIC_ST_UNREACHABLE, s.dest_nic = 0)
	th_mr_free(&ro[0]);
	th_mr_free(&ro[1]);
	th_mr_free(&other);
	pair_close(&p);
}

/* A send that both ends must see fail. */
static void expect_both(struct pair *p, struct pnic_sqe *s, int send_st, int recv_st)
{
	struct pnic_cqe e;

	expect(p, s, send_st);
	CHECK_EQ(th_wait(&p->rcq[1], &e), recv_st);
	CHECK_EQ(e.length, 0);
	CHECK_EQ(le32toh(e.peer_status) & PNIC_CQE_LOW24, 10);
}

KTAP_TEST(receive_errors)
{
	struct pnic_sqe s;
	struct th_mr ro;
	struct pair p;
	uint64_t va;

	pair_open(&p, plain, 6);
	th_mr(&p.t.h[1], &ro, 100, 1, 8192, PNIC_MR_LOCAL_READ);
	SUBTEST("message too long") {
		th_recv(&p.ep[1], &p.mr[1], 0, 63, 1);
		s = th_sqe(PNIC_OP_SEND, &p.ep[1], &p.mr[0], 0, 64);
		expect_both(&p, &s, PNIC_ST_TOO_LONG, PNIC_ST_TOO_LONG);
	}
	SUBTEST("long message too long by one") {
		th_recv(&p.ep[1], &p.mr[1], 0, 1 << 20, 1);
		s = th_sqe(PNIC_OP_SEND, &p.ep[1], &p.mr[0], 0, (1 << 20) + 1);
		expect_both(&p, &s, PNIC_ST_TOO_LONG, PNIC_ST_TOO_LONG);
	}
	SUBTEST("entry with a bad key") {
		p.mr[1].key ^= 1ull << 50;
		th_recv(&p.ep[1], &p.mr[1], 0, 64, 1);
		p.mr[1].key ^= 1ull << 50;
		s = th_sqe(PNIC_OP_SEND, &p.ep[1], &p.mr[0], 0, 64);
		expect_both(&p, &s, PNIC_ST_REMOTE_KEY, PNIC_ST_LOCAL_KEY);
	}
	SUBTEST("entry out of bounds") {
		va = p.mr[1].va;
		th_recv(&p.ep[1], &p.mr[1], MR_LEN - 10, 64, 1);
		CHECK_EQ(va, p.mr[1].va);
		s = th_sqe(PNIC_OP_SEND, &p.ep[1], &p.mr[0], 0, 64);
		expect_both(&p, &s, PNIC_ST_REMOTE_BOUNDS, PNIC_ST_LOCAL_BOUNDS);
	}
	SUBTEST("entry without the right") {
		th_recv(&p.ep[1], &ro, 0, 64, 1);
		s = th_sqe(PNIC_OP_SEND, &p.ep[1], &p.mr[0], 0, 64);
		expect_both(&p, &s, PNIC_ST_REMOTE_RIGHTS, PNIC_ST_LOCAL_RIGHTS);
	}
	SUBTEST("write with immediate and a bad far key takes no entry") {
		struct pnic_cqe e;

		th_recv(&p.ep[1], &p.mr[1], 0, 64, 77);
		s = th_sqe(PNIC_OP_WRITE_IMM, &p.ep[1], &p.mr[0], 0, 64);
		s.remote_addr = htole64(p.mr[1].va);
		expect(&p, &s, PNIC_ST_REMOTE_KEY);
		s = th_sqe(PNIC_OP_SEND, &p.ep[1], &p.mr[0], 0, 64);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.rcq[1], &e), PNIC_ST_OK);
		CHECK_EQ(le64toh(e.cookie), 77);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
	}
	th_mr_free(&ro);
	pair_close(&p);
}

static bool has_buffer(uint8_t op)
{
	return op != PNIC_OP_FETCH_ADD && op != PNIC_OP_COMP_SWAP;
}

KTAP_TEST(partitions)
{
	static const struct { uint8_t op; uint32_t len; } ops[] = {
		{ PNIC_OP_WRITE, 0 }, { PNIC_OP_WRITE, 64 }, { PNIC_OP_WRITE, 100000 }, { PNIC_OP_READ, 0 },
		{ PNIC_OP_READ, 64 }, { PNIC_OP_READ, 100000 }, { PNIC_OP_WRITE_IMM, 64 },
		{ PNIC_OP_FETCH_ADD, 8 }, { PNIC_OP_COMP_SWAP, 4 },
	};
	struct th_cq fcq;
	struct th_ep foreign;
	struct th_mr fmr;
	struct pnic_sqe s;
	struct pair p;
	unsigned int i;

	pair_open(&p, plain, 6);
	th_ctx(&p.t.h[1], 2, 6);
	th_cq(&p.t.h[1], &fcq, 5, 2, 6);
	th_ep(&p.t.h[1], &foreign, 20, &fcq, &fcq, plain);
	th_mr(&p.t.h[1], &fmr, 200, 2, 8192, TH_RIGHTS_ALL);
	SUBTEST("send to another partition") {
		th_recv(&foreign, &fmr, 0, 64, 1);
		s = th_sqe(PNIC_OP_SEND, &foreign, &p.mr[0], 0, 64);
		expect(&p, &s, PNIC_ST_REMOTE_EP);
	}
	SUBTEST("write to its region") {
		s = th_sqe(PNIC_OP_WRITE, &p.ep[1], &p.mr[0], 0, 64);
		th_remote(&s, &fmr, 0);
		expect(&p, &s, PNIC_ST_REMOTE_KEY);
		s = th_sqe(PNIC_OP_WRITE, &foreign, &p.mr[0], 0, 64);
		th_remote(&s, &fmr, 0);
		expect(&p, &s, PNIC_ST_REMOTE_EP);
	}
	/* Nor is it of use to name the endpoint where the region is of one's own partition, or there is none. */
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		SUBTEST("operation %u, %u bytes, by its endpoint", ops[i].op, ops[i].len) {
			s = th_sqe(ops[i].op, &foreign, has_buffer(ops[i].op) ? &p.mr[0] : NULL, 0, ops[i].len);
			th_remote(&s, ops[i].len ? &p.mr[1] : &fmr, 8 - p.mr[1].va % 8);
			expect(&p, &s, PNIC_ST_REMOTE_EP);
		}
	}
	SUBTEST("read and atomics of its region") {
		s = th_sqe(PNIC_OP_READ, &p.ep[1], &p.mr[0], 0, 64);
		th_remote(&s, &fmr, 0);
		expect(&p, &s, PNIC_ST_REMOTE_KEY);
		s = th_sqe(PNIC_OP_FETCH_ADD, &p.ep[1], NULL, 0, 8);
		th_remote(&s, &fmr, 0);
		expect(&p, &s, PNIC_ST_REMOTE_KEY);
	}
	CHECK_EQ(th_mr_not(&fmr, 0, 8192, 0), 0);
	th_mr_free(&fmr);
	pair_close(&p);
}

KTAP_TEST(receiver_not_ready)
{
	const struct th_ep_opts now = { .sq_log = 6, .rq_log = 6, .rnr_us = 0 };
	const struct th_ep_opts slow = { .sq_log = 6, .rq_log = 6, .rnr_us = 20000 };
	struct th_ep e0, e1;
	struct pnic_cqe e;
	struct pnic_sqe s;
	struct pair p;
	uint64_t t0;
	unsigned int i;

	pair_open(&p, plain, 6);
	th_ep(&p.t.h[0], &e0, 30, &p.scq[0], &p.rcq[0], now);
	th_ep(&p.t.h[0], &e1, 31, &p.scq[0], &p.rcq[0], slow);
	SUBTEST("no waiting at all") {
		s = th_sqe(PNIC_OP_SEND, &p.ep[1], &p.mr[0], 0, 64);
		th_post(&e0, &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_RNR);
	}
	SUBTEST("waits its time") {
		s = th_sqe(PNIC_OP_SEND, &p.ep[1], &p.mr[0], 0, 64);
		t0 = pm_sim_now(pm_fabric_sim(p.t.f));
		th_post(&e1, &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_RNR);
		CHECK_GE(pm_sim_now(pm_fabric_sim(p.t.f)) - t0, 20000000);
	}
	SUBTEST("is served when an entry comes; what follows keeps its place") {
		th_mr_fill(&p.mr[0], 0, 100000, 9);
		for (i = 0; i < 5; i++) {
			s = th_sqe(i == 2 ? PNIC_OP_WRITE : PNIC_OP_SEND, &p.ep[1], &p.mr[0], 0, 10000);
			if (i == 2)
				th_remote(&s, &p.mr[1], 500000);
			s.cookie = htole64(i);
			th_post(&p.ep[0], &s);
		}
		th_mr_set(&p.mr[1], 500000, 10000, 0);
		for (i = 0; i < 50; i++)
			th_step(&p.t);
		CHECK(!th_cq_peek(&p.scq[0], &e));
		th_recv(&p.ep[1], &p.mr[1], 0, 10000, 100);
		CHECK_EQ(th_wait(&p.rcq[1], &e), PNIC_ST_OK);
		for (i = 0; i < 50; i++)
			th_step(&p.t);
		CHECK_EQ(th_mr_not(&p.mr[1], 500000, 10000, 0), 0);
		for (i = 1; i < 4; i++)
			th_recv(&p.ep[1], &p.mr[1], 20000 * i, 10000, 100 + i);
		for (i = 0; i < 5; i++) {
			CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
			CHECK_EQ(le64toh(e.cookie), i);
		}
		for (i = 1; i < 4; i++) {
			CHECK_EQ(th_wait(&p.rcq[1], &e), PNIC_ST_OK);
			CHECK_EQ(le64toh(e.cookie), 100 + i);
			CHECK_EQ(th_mr_wrong(&p.mr[1], 20000 * i, 10000, 9), 0);
		}
		CHECK_EQ(th_mr_wrong(&p.mr[1], 500000, 10000, 9), 0);
	}
	pair_close(&p);
}

/* A write waits behind a send that waits; with FENCE, also one to another endpoint. */
KTAP_TEST(fence_and_flush)
{
	struct th_ep far2;
	struct pnic_cqe e;
	struct pnic_sqe s;
	struct pair p;
	unsigned int i, fenced;

	for (fenced = 0; fenced < 2; fenced++) {
		SUBTEST("%s", fenced ? "fenced" : "not fenced") {
			pair_open(&p, plain, 6);
			th_ep(&p.t.h[1], &far2, 40, &p.scq[1], &p.rcq[1], plain);
			th_mr_set(&p.mr[1], 0, 64, 0);
			th_mr_set(&p.mr[0], 0, 64, 0xff);
			s = th_sqe(PNIC_OP_SEND, &p.ep[1], &p.mr[0], 0, 64);
			th_post(&p.ep[0], &s);
			s = th_sqe(PNIC_OP_WRITE, &far2, &p.mr[0], 0, 64);
			th_remote(&s, &p.mr[1], 0);
			if (fenced)
				s.flags |= PNIC_SQF_FENCE;
			th_post(&p.ep[0], &s);
			s = th_sqe(PNIC_OP_FLUSH, &p.ep[1], NULL, 0, 0);
			s.cookie = htole64(3);
			th_post(&p.ep[0], &s);
			for (i = 0; i < 50; i++)
				th_step(&p.t);
			CHECK_EQ(th_mr_not(&p.mr[1], 0, 64, fenced ? 0 : 0xff), 0);
			CHECK(!th_cq_peek(&p.scq[0], &e));
			th_recv(&p.ep[1], &p.mr[1], 1000, 64, 1);
			for (i = 0; i < 3; i++)
				CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
			CHECK_EQ(th_op(&e), PNIC_OP_FLUSH);
			CHECK_EQ(le64toh(e.cookie), 3);
			CHECK_EQ(th_mr_not(&p.mr[1], 0, 64, 0xff), 0);
			pair_close(&p);
		}
	}
}

/* Random operations through a small ring: each completes once, in order, with unsignaled ones retired by the next. */
KTAP_TEST(ring_order_and_wrap)
{
	const struct th_ep_opts small = { .sq_log = 4, .rq_log = 2, .rnr_us = 1000000 };
	uint64_t seed = 5, posted = 0, done = 0, signaled[4096];
	unsigned int head = 0, tail = 0;
	struct pnic_cqe e;
	struct pair p;
	uint32_t ci = 0;

	pair_open(&p, small, 4);
	while (done < 2000) {
		while (posted < 2000 && p.ep[0].sq_pi - ci < 16) {
			static const uint8_t ops[] = { PNIC_OP_NOP, PNIC_OP_WRITE, PNIC_OP_READ, PNIC_OP_FLUSH,
						       PNIC_OP_FETCH_ADD };
			uint8_t op = ops[th_rand(&seed) % 5];
			bool last = posted == 1999 || p.ep[0].sq_pi - ci == 15;
			struct pnic_sqe s = th_sqe(op, &p.ep[1], &p.mr[0], th_rand(&seed) % 5000,
						   op == PNIC_OP_NOP || op == PNIC_OP_FLUSH ? 0 :
						   op == PNIC_OP_FETCH_ADD ? 8 : th_rand(&seed) % 20000);

			th_remote(&s, &p.mr[1], 8 * (th_rand(&seed) % 5000));
			if (!last && th_rand(&seed) % 3)
				s.flags = 0;
			else
				signaled[head++ % 4096] = posted;
			if (th_rand(&seed) % 8 == 0)
				s.flags |= PNIC_SQF_FENCE;
			s.cookie = htole64(posted++);
			th_post(&p.ep[0], &s);
		}
		REQUIRE_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
		REQUIRE_EQ(le64toh(e.cookie), signaled[tail++ % 4096]);
		ci = le32toh(e.peer_status) & PNIC_CQE_LOW24;
		REQUIRE_EQ(ci, (le64toh(e.cookie) + 1) & PNIC_CQE_LOW24);
		done = le64toh(e.cookie) + 1;
	}
	CHECK_EQ(head, tail);
	pair_close(&p);
}

KTAP_TEST(stop_on_error)
{
	const struct th_ep_opts stop = { .sq_log = 6, .rq_log = 6, .flags = PNIC_EPF_STOP_ON_ERROR };
	struct pnic_eqe ev;
	struct pnic_cqe e;
	struct pnic_sqe s;
	struct pair p;
	unsigned int i;

	pair_open(&p, stop, 6);
	th_mr_set(&p.mr[1], 0, 1000, 0);
	th_mr_set(&p.mr[0], 0, 64, 0x44);
	for (i = 0; i < 10; i++) {
		s = th_sqe(PNIC_OP_WRITE, &p.ep[1], &p.mr[0], 0, 64);
		th_remote(&s, &p.mr[1], 64 * i);
		if (i == 3)
			s.remote_key = 0;
		s.flags = 0;
		s.cookie = htole64(i);
		if (i < 9)
			th_post(&p.ep[0], &s);
	}
	CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_REMOTE_KEY);
	CHECK_EQ(le64toh(e.cookie), 3);
	for (i = 4; i < 9; i++) {
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_FLUSHED);
		CHECK_EQ(le64toh(e.cookie), i);
	}
	SUBTEST("nothing after the failed one took effect") {
		CHECK_EQ(th_mr_not(&p.mr[1], 0, 3 * 64, 0x44), 0);
		CHECK_EQ(th_mr_not(&p.mr[1], 3 * 64, 1000 - 3 * 64, 0), 0);
	}
	SUBTEST("event") {
		REQUIRE(TH_UNTIL(&p.t, th_event(&p.t.h[0], PNIC_EV_EP_ERROR, &ev)));
		CHECK_EQ(le32toh(ev.id), 10);
		CHECK_EQ(le16toh(ev.code), PNIC_ST_REMOTE_KEY);
	}
	SUBTEST("what is posted later is flushed") {
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_FLUSHED);
	}
	SUBTEST("it still receives") {
		th_recv(&p.ep[0], &p.mr[0], 0, 64, 9);
		s = th_sqe(PNIC_OP_SEND, &p.ep[0], &p.mr[1], 0, 64);
		th_post(&p.ep[1], &s);
		CHECK_EQ(th_wait(&p.rcq[0], &e), PNIC_ST_OK);
		CHECK_EQ(th_wait(&p.scq[1], &e), PNIC_ST_OK);
	}
	SUBTEST("RESET_EP revives it") {
		REQUIRE_EQ(th_destroy(&p.t.h[0], PNIC_ADM_RESET_EP, 10), PNIC_AS_OK);
		p.ep[0].sq_pi = 0;
		p.ep[0].rq_pi = 0;
		s = th_sqe(PNIC_OP_WRITE, &p.ep[1], &p.mr[0], 0, 64);
		th_remote(&s, &p.mr[1], 900);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
		CHECK_EQ(th_mr_not(&p.mr[1], 900, 64, 0x44), 0);
	}
	pair_close(&p);
}

KTAP_TEST(reset_endpoint)
{
	struct pnic_cqe e;
	struct pnic_sqe s;
	struct pair p;
	unsigned int i;

	pair_open(&p, plain, 8);
	/* Sends that wait for entries, more of them than are under way at once, and receives that get nothing. */
	for (i = 0; i < 64; i++) {
		s = th_sqe(PNIC_OP_SEND, &p.ep[1], &p.mr[0], 0, 5000);
		s.flags = 0;
		s.cookie = htole64(i);
		th_post(&p.ep[0], &s);
	}
	for (i = 0; i < 7; i++)
		th_recv(&p.ep[0], &p.mr[0], 0, 64, 100 + i);
	for (i = 0; i < 50; i++)
		th_step(&p.t);
	REQUIRE_EQ(th_destroy(&p.t.h[0], PNIC_ADM_RESET_EP, 10), PNIC_AS_OK);
	for (i = 0; i < 64; i++) {
		REQUIRE_EQ(th_wait(&p.scq[0], &e), PNIC_ST_FLUSHED);
		CHECK_EQ(le64toh(e.cookie), i);
	}
	for (i = 0; i < 7; i++) {
		REQUIRE_EQ(th_wait(&p.rcq[0], &e), PNIC_ST_FLUSHED);
		CHECK_EQ(le64toh(e.cookie), 100 + i);
		CHECK_EQ(th_op(&e), PNIC_OP_RECV);
	}
	CHECK_EQ(*th_slot(&p.t.h[0], 1, p.ep[0].sq_slot), 0);
	CHECK_EQ(*th_slot(&p.t.h[0], 1, p.ep[0].rq_slot), 0);
	/* The far end has forgotten them: an entry there goes to the next message. */
	p.ep[0].sq_pi = 0;
	th_recv(&p.ep[1], &p.mr[1], 0, 64, 1);
	s = th_sqe(PNIC_OP_SEND, &p.ep[1], &p.mr[0], 0, 10);
	th_post(&p.ep[0], &s);
	CHECK_EQ(th_wait(&p.rcq[1], &e), PNIC_ST_OK);
	CHECK_EQ(le32toh(e.length), 10);
	CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
	pair_close(&p);
}

KTAP_TEST(ring_overrun)
{
	struct pnic_eqe ev;
	struct pnic_cqe e;
	struct pnic_sqe s;
	struct pair p;

	SUBTEST("send index too far ahead") {
		pair_open(&p, plain, 6);
		th_ring(&p.t.h[0], 1, p.ep[0].sq_slot, 65);
		REQUIRE(TH_UNTIL(&p.t, th_event(&p.t.h[0], PNIC_EV_EP_ERROR, &ev)));
		CHECK_EQ(le16toh(ev.code), PNIC_ST_OVERRUN);
		s = th_sqe(PNIC_OP_SEND, &p.ep[0], &p.mr[1], 0, 64);
		th_post(&p.ep[1], &s);
		CHECK_EQ(th_wait(&p.scq[1], &e), PNIC_ST_REMOTE_EP);
		REQUIRE_EQ(th_destroy(&p.t.h[0], PNIC_ADM_RESET_EP, 10), PNIC_AS_OK);
		s = th_sqe(PNIC_OP_NOP, &p.ep[1], NULL, 0, 0);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
		pair_close(&p);
	}
	SUBTEST("receive index goes back") {
		pair_open(&p, plain, 6);
		th_ring(&p.t.h[0], 1, p.ep[0].rq_slot, UINT32_MAX);
		REQUIRE(TH_UNTIL(&p.t, th_event(&p.t.h[0], PNIC_EV_EP_ERROR, &ev)));
		CHECK_EQ(le16toh(ev.code), PNIC_ST_OVERRUN);
		pair_close(&p);
	}
	SUBTEST("descriptor of no slots, after a good one") {
		pair_open(&p, plain, 6);
		s = th_sqe(PNIC_OP_WRITE, &p.ep[1], &p.mr[0], 0, 64);
		th_remote(&s, &p.mr[1], 0);
		th_put(&p.ep[0], &s, 1);
		s.num_slots = 0;
		th_put(&p.ep[0], &s, 1);
		th_go(&p.ep[0]);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OVERRUN);
		REQUIRE(TH_UNTIL(&p.t, th_event(&p.t.h[0], PNIC_EV_EP_ERROR, &ev)));
		CHECK_EQ(le16toh(ev.code), PNIC_ST_OVERRUN);
		pair_close(&p);
	}
	SUBTEST("descriptor past the producer index") {
		pair_open(&p, plain, 6);
		s = th_sqe(PNIC_OP_NOP, &p.ep[1], NULL, 0, 0);
		s.num_slots = 2;
		th_put(&p.ep[0], &s, 1);
		th_go(&p.ep[0]);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OVERRUN);
		pair_close(&p);
	}
}

KTAP_TEST(cq_overrun)
{
	struct pnic_acqe unused;
	struct pnic_eqe ev;
	struct pnic_cqe e;
	struct pnic_sqe s;
	struct pair p;
	unsigned int i;

	pair_open(&p, plain, 3);
	for (i = 0; i < 9; i++) {
		s = th_sqe(PNIC_OP_NOP, &p.ep[1], NULL, 0, 0);
		s.cookie = htole64(i);
		th_post(&p.ep[0], &s);
	}
	REQUIRE(TH_UNTIL(&p.t, th_event(&p.t.h[0], PNIC_EV_CQ_ERROR, &ev)));
	CHECK_EQ(le32toh(ev.id), 0);
	CHECK_EQ(le16toh(ev.code), PNIC_ST_OVERRUN);
	for (i = 0; i < 8; i++) {
		REQUIRE(th_cq_poll(&p.scq[0], &e));
		CHECK_EQ(le64toh(e.cookie), i);
	}
	th_settle(&p.t);
	CHECK(!th_cq_peek(&p.scq[0], &e));
	/* Its endpoint has stopped, for others too, and can't be revived on a dead queue. */
	s = th_sqe(PNIC_OP_SEND, &p.ep[0], &p.mr[1], 0, 64);
	th_post(&p.ep[1], &s);
	CHECK_EQ(th_wait(&p.scq[1], &e), PNIC_ST_REMOTE_EP);
	CHECK_EQ(th_destroy(&p.t.h[0], PNIC_ADM_RESET_EP, 10), PNIC_AS_WRONG_STATE);
	CHECK_EQ(th_destroy(&p.t.h[0], PNIC_ADM_DESTROY_EP, 10), PNIC_AS_OK);
	CHECK_EQ(th_destroy(&p.t.h[0], PNIC_ADM_DESTROY_CQ, 0), PNIC_AS_OK);
	CHECK(!th_acqe(&p.t.h[0], &unused));
	pair_close(&p);
}

KTAP_TEST(arming)
{
	struct pnic_eqe ev;
	struct pnic_cqe e;
	struct pnic_sqe s;
	struct pair p;
	unsigned int i;

	pair_open(&p, plain, 6);
	s = th_sqe(PNIC_OP_NOP, &p.ep[1], NULL, 0, 0);
	SUBTEST("not armed: no event") {
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
		th_settle(&p.t);
		CHECK(!th_event(&p.t.h[0], PNIC_EV_CQ, &ev));
	}
	SUBTEST("armed before the entry: one event for many entries") {
		th_cq_arm(&p.scq[0]);
		th_settle(&p.t);
		CHECK(!th_event(&p.t.h[0], PNIC_EV_CQ, &ev));
		for (i = 0; i < 3; i++)
			th_post(&p.ep[0], &s);
		REQUIRE(TH_UNTIL(&p.t, th_event(&p.t.h[0], PNIC_EV_CQ, &ev)));
		CHECK_EQ(le32toh(ev.id), 0);
		th_settle(&p.t);
		CHECK(!th_event(&p.t.h[0], PNIC_EV_CQ, &ev));
		CHECK_GE(p.t.h[0].irqs[1], 1);
	}
	SUBTEST("armed when entries are there already: at once") {
		th_ring(&p.t.h[0], 1, p.scq[0].slot, (p.scq[0].ci + 1) | PNIC_DB_CQ_ARM);
		REQUIRE(TH_UNTIL(&p.t, th_event(&p.t.h[0], PNIC_EV_CQ, &ev)));
		for (i = 0; i < 3; i++)
			CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
	}
	SUBTEST("the race, many times: armed and rung together, the event never fails to come") {
		for (i = 0; i < 200; i++) {
			if (i & 1) {
				th_cq_arm(&p.scq[0]);
				th_post(&p.ep[0], &s);
			} else {
				th_post(&p.ep[0], &s);
				th_cq_arm(&p.scq[0]);
			}
			REQUIRE(TH_UNTIL(&p.t, th_event(&p.t.h[0], PNIC_EV_CQ, &ev)));
			REQUIRE_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
		}
	}
	pair_close(&p);
}

/* Memory that this host, or the other one, can't reach. */
KTAP_TEST(dma_faults)
{
	struct pnic_eqe ev;
	struct pnic_cqe e;
	struct pnic_sqe s;
	struct pair p;
	unsigned int i, k;

	pair_open(&p, plain, 6);
	SUBTEST("of the payload here") {
		p.t.h[0].bad_page = p.mr[0].dma[2];
		s = th_sqe(PNIC_OP_WRITE, &p.ep[1], &p.mr[0], 0, 65536);
		th_remote(&s, &p.mr[1], 0);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_DMA_FAULT);
		s = th_sqe(PNIC_OP_READ, &p.ep[1], &p.mr[0], 0, 65536);
		th_remote(&s, &p.mr[1], 0);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_DMA_FAULT);
		p.t.h[0].bad_page = 0;
	}
	SUBTEST("of the payload there") {
		p.t.h[1].bad_page = p.mr[1].dma[2];
		s = th_sqe(PNIC_OP_WRITE, &p.ep[1], &p.mr[0], 0, 65536);
		th_remote(&s, &p.mr[1], 0);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_REMOTE_DMA);
		s = th_sqe(PNIC_OP_READ, &p.ep[1], &p.mr[0], 0, 65536);
		th_remote(&s, &p.mr[1], 0);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_REMOTE_DMA);
		s = th_sqe(PNIC_OP_FETCH_ADD, &p.ep[1], NULL, 0, 8);
		th_remote(&s, &p.mr[1], 3 * TH_PAGE - p.mr[1].va % TH_PAGE - 8);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_REMOTE_DMA);
		p.t.h[1].bad_page = 0;
	}
	SUBTEST("of reads of one frame, and what the server does next") {
		for (i = 0; i < 4; i++) {
			struct th_host *bad = &p.t.h[i & 1];

			bad->bad_page = p.mr[i & 1].dma[2];
			s = th_sqe(PNIC_OP_READ, &p.ep[1], &p.mr[0], 2 * TH_PAGE - p.mr[0].va % TH_PAGE, 64);
			th_remote(&s, &p.mr[1], 2 * TH_PAGE - p.mr[1].va % TH_PAGE);
			th_post(&p.ep[0], &s);
			CHECK_EQ(th_wait(&p.scq[0], &e), i & 1 ? PNIC_ST_REMOTE_DMA : PNIC_ST_DMA_FAULT);
			bad->bad_page = 0;
			/* Two at a time, with messages of their own: no one's is another's. */
			for (k = 0; k < 2; k++) {
				s = th_sqe(PNIC_OP_WRITE, &p.ep[0], &p.mr[1], 65536 * k, 65536);
				th_remote(&s, &p.mr[0], 65536 * k);
				s.flags |= PNIC_SQF_FENCE;
				s.cookie = htole64(k);
				th_put(&p.ep[1], &s, 1);
			}
			th_go(&p.ep[1]);
			for (k = 0; k < 2; k++) {
				CHECK_EQ(th_wait(&p.scq[1], &e), PNIC_ST_OK);
				CHECK_EQ(le64toh(e.cookie), k);
			}
		}
	}
	SUBTEST("of a receive buffer, sender's memory gone") {
		p.t.h[0].bad_page = p.mr[0].dma[2];
		th_recv(&p.ep[1], &p.mr[1], 0, 65536, 4);
		s = th_sqe(PNIC_OP_SEND, &p.ep[1], &p.mr[0], 0, 65536);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_DMA_FAULT);
		CHECK_EQ(th_wait(&p.rcq[1], &e), PNIC_ST_REMOTE_DMA);
		p.t.h[0].bad_page = 0;
	}
	SUBTEST("of a send ring") {
		p.t.h[0].bad_page = p.ep[0].sq;
		th_ring(&p.t.h[0], 1, p.ep[0].sq_slot, p.ep[0].sq_pi + 1);
		REQUIRE(TH_UNTIL(&p.t, th_event(&p.t.h[0], PNIC_EV_EP_ERROR, &ev)));
		CHECK_EQ(le16toh(ev.code), PNIC_ST_DMA_FAULT);
		p.t.h[0].bad_page = 0;
	}
	SUBTEST("of a completion queue") {
		p.t.h[1].bad_page = p.scq[1].base;
		s = th_sqe(PNIC_OP_NOP, &p.ep[0], NULL, 0, 0);
		th_post(&p.ep[1], &s);
		REQUIRE(TH_UNTIL(&p.t, th_event(&p.t.h[1], PNIC_EV_CQ_ERROR, &ev)));
		CHECK_EQ(le16toh(ev.code), PNIC_ST_DMA_FAULT);
	}
	pair_close(&p);
}

/* Posts @n long transfers and lets them get under way. */
static void start_long(struct pair *p, uint8_t op, unsigned int n)
{
	unsigned int i;
	uint64_t sleep_ns;

	for (i = 0; i < n; i++) {
		struct pnic_sqe s = th_sqe(op, &p->ep[1], &p->mr[0], 0, MR_LEN);

		if (op == PNIC_OP_SEND)
			th_recv(&p->ep[1], &p->mr[1], 0, MR_LEN, i);
		else
			th_remote(&s, &p->mr[1], 0);
		th_post(&p->ep[0], &s);
	}
	for (i = 0; i < 4; i++)
		pm_fabric_poll(p->t.f, &sleep_ns);
}

/* Taking things away in the middle of long transfers: each still completes once, and nothing is touched afterwards. */
KTAP_TEST(destroyed_under_way)
{
	static const uint8_t ops[] = { PNIC_OP_WRITE, PNIC_OP_READ, PNIC_OP_SEND };
	struct pnic_cqe e;
	struct pair p;
	unsigned int i, k;
	int st = -1;

	for (k = 0; k < 3; k++) {
		SUBTEST("local region, operation %u", ops[k]) {
			pair_open(&p, plain, 6);
			start_long(&p, ops[k], 8);
			REQUIRE_EQ(th_destroy(&p.t.h[0], PNIC_ADM_DESTROY_MR, 3), PNIC_AS_OK);
			th_mr_set(&p.mr[0], 0, MR_LEN, 0x99);
			for (i = 0; i < 8; i++) {
				st = th_wait(&p.scq[0], &e);
				CHECK(st == PNIC_ST_OK || st == PNIC_ST_LOCAL_KEY);
			}
			CHECK_EQ(st, PNIC_ST_LOCAL_KEY);
			CHECK_EQ(th_mr_not(&p.mr[0], 0, MR_LEN, 0x99), 0);
			pair_close(&p);
		}
		SUBTEST("far region, operation %u", ops[k]) {
			pair_open(&p, plain, 6);
			start_long(&p, ops[k], 8);
			REQUIRE_EQ(th_destroy(&p.t.h[1], PNIC_ADM_DESTROY_MR, 4), PNIC_AS_OK);
			th_mr_set(&p.mr[1], 0, MR_LEN, 0x99);
			for (i = 0; i < 8; i++) {
				st = th_wait(&p.scq[0], &e);
				CHECK(st == PNIC_ST_OK || st == PNIC_ST_REMOTE_KEY);
			}
			CHECK_EQ(st, PNIC_ST_REMOTE_KEY);
			CHECK_EQ(th_mr_not(&p.mr[1], 0, MR_LEN, 0x99), 0);
			pair_close(&p);
		}
		SUBTEST("far endpoint, operation %u", ops[k]) {
			pair_open(&p, plain, 6);
			start_long(&p, ops[k], 8);
			REQUIRE_EQ(th_destroy(&p.t.h[1], PNIC_ADM_DESTROY_EP, 11), PNIC_AS_OK);
			th_mr_set(&p.mr[1], 0, MR_LEN, 0x99);
			for (i = 0; i < 8; i++) {
				st = th_wait(&p.scq[0], &e);
				CHECK(st == PNIC_ST_OK || st == PNIC_ST_REMOTE_EP);
			}
			CHECK_EQ(st, PNIC_ST_REMOTE_EP);
			CHECK_EQ(th_mr_not(&p.mr[1], 0, MR_LEN, 0x99), 0);
			pair_close(&p);
		}
		SUBTEST("own endpoint, operation %u", ops[k]) {
			pair_open(&p, plain, 6);
			start_long(&p, ops[k], 8);
			REQUIRE_EQ(th_destroy(&p.t.h[0], PNIC_ADM_DESTROY_EP, 10), PNIC_AS_OK);
			while (th_cq_poll(&p.scq[0], &e))
				CHECK_EQ(th_status(&e), PNIC_ST_OK);
			th_mr_set(&p.mr[0], 0, MR_LEN, 0x99);
			th_mr_set(&p.mr[1], 0, MR_LEN, 0x99);
			for (i = 0; i < 20; i++)
				th_step(&p.t);
			CHECK(!th_cq_peek(&p.scq[0], &e));
			CHECK_EQ(th_mr_not(&p.mr[0], 0, MR_LEN, 0x99), 0);
			CHECK_EQ(th_mr_not(&p.mr[1], 0, MR_LEN, 0x99), 0);
			if (ops[k] == PNIC_OP_SEND) {
				/* A receive entry that was half filled says so; the others are still there. */
				while (th_cq_poll(&p.rcq[1], &e))
					st = th_status(&e);
				CHECK_EQ(st, PNIC_ST_REMOTE_EP);
			}
			pair_close(&p);
		}
	}
}

KTAP_TEST(to_itself)
{
	struct pnic_cqe e;
	struct pnic_sqe s;
	struct th_ep own;
	struct pair p;

	pair_open(&p, plain, 6);
	th_ep(&p.t.h[0], &own, 50, &p.scq[0], &p.rcq[0], plain);
	th_mr_fill(&p.mr[0], 0, 100000, 3);
	th_recv(&own, &p.mr[0], 200001, 100000, 8);
	s = th_sqe(PNIC_OP_SEND, &own, &p.mr[0], 0, 100000);
	th_post(&p.ep[0], &s);
	CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
	CHECK_EQ(th_wait(&p.rcq[0], &e), PNIC_ST_OK);
	CHECK_EQ(th_mr_wrong(&p.mr[0], 200001, 100000, 3), 0);
	s = th_sqe(PNIC_OP_READ, &own, &p.mr[0], 400003, 100000);
	th_remote(&s, &p.mr[0], 0);
	th_post(&p.ep[0], &s);
	CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
	CHECK_EQ(th_mr_wrong(&p.mr[0], 400003, 100000, 3), 0);
	s.dest_ep = htole32(51);
	th_post(&p.ep[0], &s);
	CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_REMOTE_EP);
	pair_close(&p);
}

KTAP_MAIN()
