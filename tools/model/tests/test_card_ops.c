// SPDX-License-Identifier: GPL-2.0
/*
 * What version 1.2 of the interface adds: writes with a signal, quiet completions, counters, shared
 * receive queues, cancelled receives, regions that are moved; and a card that has nothing of it.
 */
#include "card_pair.h"

static uint64_t word(struct th_mr *mr, uint64_t off)
{
	uint64_t v;

	th_mr_get(mr, off, &v, sizeof(v));
	return le64toh(v);
}

static void set_word(struct th_mr *mr, uint64_t off, uint64_t val)
{
	val = htole64(val);
	th_mr_put(mr, off, &val, sizeof(val));
}

static struct pnic_signal signal_at(struct th_mr *mr, uint64_t off, uint8_t op, uint64_t value)
{
	return (struct pnic_signal) {
		.addr = htole64(mr->va + off), .key = htole64(mr->key), .value = htole64(value), .op = op,
	};
}

/* A write of @len bytes from offset 0 to offset @to, with @sig behind it. */
static void put_signal(struct pair *p, uint32_t len, uint64_t to, const struct pnic_signal *sig, uint8_t flags)
{
	struct pnic_sqe s = th_sqe(PNIC_OP_WRITE_SIGNAL, &p->ep[1], &p->mr[0], 0, len);
	uint8_t desc[2 * PNIC_SLOT_SIZE];

	s.flags = flags;
	s.num_slots = 2;
	th_remote(&s, &p->mr[1], to);
	memcpy(desc, &s, sizeof(s));
	memcpy(desc + PNIC_SLOT_SIZE, sig, sizeof(*sig));
	th_put(&p->ep[0], desc, 2);
	th_go(&p->ep[0]);
}

#define WORD	(2u << 20)	/* offset of the signal's word, off the payload */

KTAP_TEST(signals)
{
	static const uint32_t sizes[] = { 0, 1, 8, 4096, 4097, 100000, 1u << 20 };
	struct pnic_signal sig;
	uint64_t want = 5;
	struct pnic_cqe e;
	struct pair p;
	unsigned int i;

	pair_open(&p, plain, 6);
	set_word(&p.mr[1], WORD, want);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		SUBTEST("add after %u bytes", sizes[i]) {
			th_mr_fill(&p.mr[0], 0, sizes[i], i);
			th_mr_set(&p.mr[1], 0, sizes[i] + 64, 0x5a);
			sig = signal_at(&p.mr[1], WORD, PNIC_SIGNAL_ADD, 1000 + i);
			put_signal(&p, sizes[i], 16, &sig, PNIC_SQF_SIGNALED);
			CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
			CHECK_EQ(th_op(&e), PNIC_OP_WRITE_SIGNAL);
			CHECK_EQ(le32toh(e.length), sizes[i]);
			CHECK_EQ(le32toh(e.peer_status) & PNIC_CQE_LOW24, p.ep[0].sq_pi);
			want += 1000 + i;
			CHECK_EQ(word(&p.mr[1], WORD), want);
			CHECK_EQ(th_mr_wrong(&p.mr[1], 16, sizes[i], i), 0);
			CHECK_EQ(th_mr_not(&p.mr[1], 16 + sizes[i], 48, 0x5a), 0);
		}
	}
	SUBTEST("set") {
		sig = signal_at(&p.mr[1], WORD, PNIC_SIGNAL_SET, 0xfedcba9876543210);
		put_signal(&p, 9, 0, &sig, PNIC_SQF_SIGNALED);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
		CHECK_EQ(word(&p.mr[1], WORD), 0xfedcba9876543210);
	}
	SUBTEST("the sum wraps") {
		sig = signal_at(&p.mr[1], WORD, PNIC_SIGNAL_ADD, 0 - 0xfedcba9876543210 + 3);
		put_signal(&p, 9, 0, &sig, PNIC_SQF_SIGNALED);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
		CHECK_EQ(word(&p.mr[1], WORD), 3);
	}
	SUBTEST("inline, and a list") {
		struct pnic_sqe s = th_sqe(PNIC_OP_WRITE_SIGNAL, &p.ep[1], NULL, 0, 100);
		uint8_t desc[PNIC_SQE_MAX_SLOTS * PNIC_SLOT_SIZE] = { 0 };
		struct pnic_sge *sge = (struct pnic_sge *)(void *)(desc + PNIC_SLOT_SIZE);

		sig = signal_at(&p.mr[1], WORD, PNIC_SIGNAL_ADD, 1);
		s.flags |= PNIC_SQF_INLINE;
		s.num_slots = 4;
		th_remote(&s, &p.mr[1], 0);
		memcpy(desc, &s, sizeof(s));
		memset(desc + offsetof(struct pnic_sqe, local_addr), 0x42, 100);
		memcpy(desc + 3 * PNIC_SLOT_SIZE, &sig, sizeof(sig));
		th_mr_set(&p.mr[1], 0, 200, 0);
		th_put(&p.ep[0], desc, 4);
		th_go(&p.ep[0]);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
		CHECK_EQ(th_mr_not(&p.mr[1], 0, 100, 0x42), 0);
		CHECK_EQ(th_mr_not(&p.mr[1], 100, 100, 0), 0);

		memset(desc, 0, sizeof(desc));
		s = th_sqe(PNIC_OP_WRITE_SIGNAL, &p.ep[1], NULL, 0, 30);
		s.num_sge = 2;
		s.num_slots = 3;
		th_remote(&s, &p.mr[1], 0);
		memcpy(desc, &s, sizeof(s));
		th_mr_fill(&p.mr[0], 0, 30, 9);
		sge[0] = (struct pnic_sge) { htole64(p.mr[0].va), htole64(p.mr[0].key), htole32(10), { 0 } };
		sge[1] = (struct pnic_sge) { htole64(p.mr[0].va + 10), htole64(p.mr[0].key), htole32(20), { 0 } };
		memcpy(desc + 2 * PNIC_SLOT_SIZE, &sig, sizeof(sig));
		th_put(&p.ep[0], desc, 3);
		th_go(&p.ep[0]);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
		CHECK_EQ(th_mr_wrong(&p.mr[1], 0, 30, 9), 0);
		CHECK_EQ(word(&p.mr[1], WORD), 5);
	}
	pair_close(&p);
}

/* The word never runs ahead of the payloads, whatever their size. */
KTAP_TEST(signals_follow_their_data)
{
	struct pnic_signal sig;
	uint64_t seen, now = 0;
	struct pnic_cqe e;
	struct pair p;
	unsigned int i, done = 0;

	pair_open(&p, plain, 6);
	set_word(&p.mr[1], WORD, 0);
	th_mr_set(&p.mr[1], 0, 20 * 70000, 0);
	th_mr_set(&p.mr[0], 0, 70000, 0xee);
	sig = signal_at(&p.mr[1], WORD, PNIC_SIGNAL_ADD, 1);
	for (i = 0; i < 20; i++)
		put_signal(&p, i % 3 ? 70000 : 8, i * 70000, &sig, PNIC_SQF_SIGNALED);
	while (done < 20) {
		uint64_t sleep_ns;

		seen = word(&p.mr[1], WORD);
		CHECK_GE(seen, now);
		for (; now < seen; now++)
			CHECK_EQ(th_mr_not(&p.mr[1], now * 70000, now % 3 ? 70000 : 8, 0xee), 0);
		pm_fabric_poll(p.t.f, &sleep_ns);
		while (th_cq_poll(&p.scq[0], &e)) {
			CHECK_EQ(th_status(&e), PNIC_ST_OK);
			done++;
		}
	}
	CHECK_EQ(word(&p.mr[1], WORD), 20);
	pair_close(&p);
}

static void bad_signal(struct pair *p, const struct pnic_signal *sig, int status)
{
	struct pnic_cqe e;

	th_mr_set(&p->mr[1], 0, 256, 0x33);
	set_word(&p->mr[1], WORD, 77);
	put_signal(p, 100, 0, sig, 0);
	CHECK_EQ(th_wait(&p->scq[0], &e), status);
	CHECK_EQ(th_mr_not(&p->mr[1], 0, 256, 0x33), 0);
	CHECK_EQ(word(&p->mr[1], WORD), 77);
}

KTAP_TEST(bad_signals)
{
	struct pnic_signal good, sig;
	struct th_mr plainest;
	struct pnic_cqe e;
	struct pair p;

	pair_open(&p, plain, 6);
	th_mr(&p.t.h[1], &plainest, 9, 1, 4096, PNIC_MR_LOCAL_WRITE | PNIC_MR_REMOTE_WRITE | PNIC_MR_REMOTE_READ);
	good = signal_at(&p.mr[1], WORD, PNIC_SIGNAL_ADD, 1);
#define BAD_SIGNAL(what, status, ...)			\
	SUBTEST(what) {					\
		sig = good;				\
		__VA_ARGS__;				\
		bad_signal(&p, &sig, status);		\
	}
	BAD_SIGNAL("key", PNIC_ST_REMOTE_KEY, sig.key ^= htole64(1ull << 40))
	BAD_SIGNAL("behind the region", PNIC_ST_REMOTE_BOUNDS, sig.addr = htole64((p.mr[1].va + p.mr[1].len + 7) & ~7ull))
	BAD_SIGNAL("region without atomics", PNIC_ST_REMOTE_RIGHTS, sig = signal_at(&plainest, 0, 0, 1))
	BAD_SIGNAL("not aligned", PNIC_ST_ALIGN, sig.addr = htole64(p.mr[1].va + WORD + 4))
	BAD_SIGNAL("unknown operation", PNIC_ST_BAD_DESC, sig.op = 2)
	BAD_SIGNAL("reserved byte", PNIC_ST_BAD_DESC, sig.rsvd[38] = 1)
	SUBTEST("without the slot for it") {
		struct pnic_sqe s = th_sqe(PNIC_OP_WRITE_SIGNAL, &p.ep[1], &p.mr[0], 0, 8);

		th_remote(&s, &p.mr[1], 0);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_BAD_DESC);
	}
	SUBTEST("payload to where it may not go: no signal") {
		set_word(&p.mr[1], WORD, 77);
		put_signal(&p, 100, p.mr[1].len, &good, 0);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_REMOTE_BOUNDS);
		CHECK_EQ(word(&p.mr[1], WORD), 77);
	}
	SUBTEST("the word's region goes away under way") {
		struct th_mr late;

		th_mr(&p.t.h[1], &late, 11, 1, 4096, TH_RIGHTS_ALL);
		set_word(&late, 0, 1);
		sig = signal_at(&late, 0, PNIC_SIGNAL_ADD, 1);
		th_mr_set(&p.mr[1], (1u << 20) - 1, 1, 0);
		th_mr_set(&p.mr[0], 0, 1, 0xee);
		th_mr_set(&p.mr[1], 0, 1, 0);
		put_signal(&p, 1u << 20, 0, &sig, 0);
		REQUIRE(TH_UNTIL(&p.t, th_mr_not(&p.mr[1], 0, 1, 0)));
		REQUIRE_EQ(th_destroy(&p.t.h[1], PNIC_ADM_DESTROY_MR, 11), PNIC_AS_OK);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_REMOTE_KEY);
		CHECK_EQ(word(&late, 0), 1);
		th_mr_free(&late);
	}
	th_mr_free(&plainest);
	pair_close(&p);
}

KTAP_TEST(quiet_completions)
{
	struct pnic_cqe e;
	struct pnic_sqe s;
	struct pair p;

	pair_open(&p, plain, 6);
	s = th_sqe(PNIC_OP_WRITE, &p.ep[1], &p.mr[0], 0, 64);
	th_remote(&s, &p.mr[1], 0);
	SUBTEST("success is marked") {
		s.flags = PNIC_SQF_QUIET;
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
		CHECK_EQ(le32toh(e.ep_flags) & ~PNIC_CQE_PHASE, 10 | PNIC_CQE_QUIET);
	}
	SUBTEST("not with SIGNALED") {
		s.flags = PNIC_SQF_QUIET | PNIC_SQF_SIGNALED;
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
		CHECK_EQ(le32toh(e.ep_flags) & ~PNIC_CQE_PHASE, 10);
	}
	SUBTEST("an error is not") {
		s.flags = PNIC_SQF_QUIET;
		s.remote_key ^= htole64(1ull << 30);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_REMOTE_KEY);
		CHECK_EQ(le32toh(e.ep_flags) & ~PNIC_CQE_PHASE, 10);
	}
	pair_close(&p);
}

/* Counters. */

struct th_ctr {
	struct th_host *h;
	uint64_t at;
	uint32_t id, ctx;
	uint16_t slot;
};

static void ctr_open(struct th_host *h, struct th_ctr *c, uint32_t id, uint32_t ctx)
{
	struct pnic_adm_create_ctr k = { .hdr.opcode = PNIC_ADM_CREATE_CTR };

	c->h = h;
	c->id = id;
	c->ctx = ctx;
	c->at = th_alloc(h, TH_PAGE) + 64;
	c->slot = h->next_slot[ctx]++;
	memset(th_ptr(h, c->at), 0xff, sizeof(struct pnic_ctr_mem));
	k.ctr = htole32(id);
	k.ctx = htole32(ctx);
	k.addr = htole64(c->at);
	k.eqn = htole16(1);
	k.db_page = htole32(ctx);
	k.db_slot = htole16(c->slot);
	REQUIRE_EQ(th_cmd(h, &k), PNIC_AS_OK);
}

static int ctr_bind(struct th_ctr *c, struct th_ep *ep, uint16_t kinds, bool bind)
{
	struct pnic_adm_bind_ctr k = { .hdr.opcode = PNIC_ADM_BIND_CTR, .bind = bind };

	k.epn = htole32(ep->epn);
	k.ctr = htole32(bind ? c->id : 0);
	k.kinds = htole16(kinds);
	return th_cmd(c->h, &k);
}

static uint64_t ctr_ok(struct th_ctr *c)
{
	return le64toh(((struct pnic_ctr_mem *)th_ptr(c->h, c->at))->ok);
}

static uint64_t ctr_failed(struct th_ctr *c)
{
	return le64toh(((struct pnic_ctr_mem *)th_ptr(c->h, c->at))->failed);
}

/* A command that is refused has changed nothing: least of all the memory that it named, which may be another's. */
KTAP_TEST(counter_refused)
{
	struct pnic_adm_create_ctr k = { .hdr.opcode = PNIC_ADM_CREATE_CTR };
	struct th_ctr c;
	struct pair p;

	pair_open(&p, plain, 6);
	ctr_open(&p.t.h[0], &c, 5, 1);
	memset(th_ptr(c.h, c.at), 0x77, sizeof(struct pnic_ctr_mem));
	k.ctr = htole32(6);
	k.ctx = htole32(1);
	k.addr = htole64(c.at);
	k.eqn = htole16(1);
	k.db_page = htole32(1);
	k.db_slot = htole16(c.slot);
	CHECK_EQ(th_cmd(c.h, &k), PNIC_AS_EXISTS);
	CHECK_EQ(ctr_ok(&c), 0x7777777777777777ull);
	k.db_page = htole32(3);
	CHECK_EQ(th_cmd(c.h, &k), PNIC_AS_NOT_FOUND);
	CHECK_EQ(ctr_ok(&c), 0x7777777777777777ull);
	/* Nor is the slot taken by one whose memory isn't there. */
	k.db_page = htole32(1);
	k.db_slot = htole16(c.slot + 1);
	k.addr = htole64(64);
	CHECK_EQ(th_cmd(c.h, &k), PNIC_AS_DMA_FAULT);
	k.addr = htole64(c.at);
	CHECK_EQ(th_cmd(c.h, &k), PNIC_AS_OK);
	CHECK_EQ(ctr_ok(&c), 0);
	pair_close(&p);
}

#define CTR_IS(c, good, bad)							\
	do {									\
		uint64_t all_ = (uint64_t)(good) + (bad);				\
										\
		CHECK(TH_UNTIL((c)->h->t, ctr_ok(c) + ctr_failed(c) >= all_));	\
		th_settle((c)->h->t);						\
		CHECK_EQ(ctr_ok(c), good);					\
		CHECK_EQ(ctr_failed(c), bad);					\
	} while (0)

static void post_n(struct th_ep *ep, struct pnic_sqe s, unsigned int n)
{
	s.flags = 0;
	while (n--)
		th_post(ep, &s);
}

KTAP_TEST(counted_kinds)
{
	static const uint16_t kinds[] = {
		PNIC_CTR_SEND, PNIC_CTR_WRITE, PNIC_CTR_READ, PNIC_CTR_ATOMIC,
	};
	struct th_ctr c[4], recv, rwrite, ratomic;
	struct pnic_sqe write, send, read, add;
	struct pnic_signal sig;
	struct pair p;
	unsigned int i;

	pair_open(&p, plain, 6);
	for (i = 0; i < 4; i++) {
		ctr_open(&p.t.h[0], &c[i], i, 1);
		REQUIRE_EQ(ctr_bind(&c[i], &p.ep[0], kinds[i], true), PNIC_AS_OK);
	}
	ctr_open(&p.t.h[1], &recv, 0, 1);
	ctr_open(&p.t.h[1], &rwrite, 1, 1);
	ctr_open(&p.t.h[1], &ratomic, 2, 1);
	REQUIRE_EQ(ctr_bind(&recv, &p.ep[1], PNIC_CTR_RECV, true), PNIC_AS_OK);
	REQUIRE_EQ(ctr_bind(&rwrite, &p.ep[1], PNIC_CTR_REMOTE_WRITE, true), PNIC_AS_OK);
	REQUIRE_EQ(ctr_bind(&ratomic, &p.ep[1], PNIC_CTR_REMOTE_ATOMIC, true), PNIC_AS_OK);
	write = th_sqe(PNIC_OP_WRITE, &p.ep[1], &p.mr[0], 0, 5000);
	th_remote(&write, &p.mr[1], 0);
	read = th_sqe(PNIC_OP_READ, &p.ep[1], &p.mr[0], 0, 5000);
	th_remote(&read, &p.mr[1], 0);
	send = th_sqe(PNIC_OP_SEND, &p.ep[1], &p.mr[0], 0, 50);
	add = th_sqe(PNIC_OP_FETCH_ADD, &p.ep[1], NULL, 0, 8);
	th_remote(&add, &p.mr[1], 64);
	SUBTEST("they begin at 0") {
		CTR_IS(&c[0], 0, 0);
		CTR_IS(&recv, 0, 0);
	}
	SUBTEST("unsignalled ones of each kind") {
		for (i = 0; i < 5; i++)
			th_recv(&p.ep[1], &p.mr[1], 0, 4096, i);
		post_n(&p.ep[0], send, 5);
		post_n(&p.ep[0], write, 7);
		post_n(&p.ep[0], read, 3);
		post_n(&p.ep[0], add, 2);
		CTR_IS(&c[0], 5, 0);
		CTR_IS(&c[1], 7, 0);
		CTR_IS(&c[2], 3, 0);
		CTR_IS(&c[3], 2, 0);
		CTR_IS(&recv, 5, 0);
		CTR_IS(&rwrite, 7, 0);
		CTR_IS(&ratomic, 2, 0);
	}
	SUBTEST("a write with a signal is a write") {
		sig = signal_at(&p.mr[1], WORD, PNIC_SIGNAL_ADD, 1);
		put_signal(&p, 10, 0, &sig, 0);
		CTR_IS(&c[1], 8, 0);
		CTR_IS(&rwrite, 8, 0);
		CTR_IS(&ratomic, 2, 0);
	}
	SUBTEST("failures, at the end that had them") {
		write.remote_key ^= htole64(1ull << 50);
		post_n(&p.ep[0], write, 4);
		CTR_IS(&c[1], 8, 4);
		CTR_IS(&rwrite, 8, 0);
		th_recv(&p.ep[1], &p.mr[1], 0, 10, 9);
		post_n(&p.ep[0], send, 1);
		CTR_IS(&c[0], 5, 1);
		CTR_IS(&recv, 5, 1);
	}
	SUBTEST("flush and nop don't count") {
		struct pnic_sqe s = { .opcode = PNIC_OP_FLUSH, .flags = PNIC_SQF_SIGNALED, .num_slots = 1 };

		th_post(&p.ep[0], &s);
		s.opcode = PNIC_OP_NOP;
		th_post(&p.ep[0], &s);
		th_settle(&p.t);
		CTR_IS(&c[0], 5, 1);
		CTR_IS(&c[1], 8, 4);
	}
	SUBTEST("none that are not bound") {
		REQUIRE_EQ(ctr_bind(&c[2], &p.ep[0], PNIC_CTR_READ, false), PNIC_AS_OK);
		post_n(&p.ep[0], read, 2);
		th_settle(&p.t);
		CTR_IS(&c[2], 3, 0);
	}
	SUBTEST("one for everything, and for two endpoints") {
		struct th_ep more;

		th_ep(&p.t.h[0], &more, 12, &p.scq[0], &p.rcq[0], plain);
		REQUIRE_EQ(ctr_bind(&c[2], &p.ep[0], PNIC_CTR_ALL, true), PNIC_AS_OK);
		REQUIRE_EQ(ctr_bind(&c[2], &more, PNIC_CTR_READ, true), PNIC_AS_OK);
		post_n(&p.ep[0], read, 2);
		post_n(&more, read, 2);
		post_n(&p.ep[0], add, 2);
		CTR_IS(&c[2], 9, 0);
		REQUIRE_EQ(th_destroy(&p.t.h[0], PNIC_ADM_DESTROY_CTR, 2), PNIC_AS_BUSY);
		REQUIRE_EQ(th_destroy(&p.t.h[0], PNIC_ADM_DESTROY_EP, 12), PNIC_AS_OK);
		REQUIRE_EQ(ctr_bind(&c[2], &p.ep[0], PNIC_CTR_ALL, false), PNIC_AS_OK);
		REQUIRE_EQ(th_destroy(&p.t.h[0], PNIC_ADM_DESTROY_CTR, 2), PNIC_AS_OK);
	}
	pair_close(&p);
}

KTAP_TEST(counter_events)
{
	struct pnic_sqe write;
	struct th_ctr c;
	struct pnic_eqe ev;
	struct pair p;

	pair_open(&p, plain, 6);
	ctr_open(&p.t.h[0], &c, 21, 1);
	REQUIRE_EQ(ctr_bind(&c, &p.ep[0], PNIC_CTR_WRITE, true), PNIC_AS_OK);
	write = th_sqe(PNIC_OP_WRITE, &p.ep[1], &p.mr[0], 0, 64);
	th_remote(&write, &p.mr[1], 0);
	SUBTEST("at the threshold, once") {
		th_ring(c.h, c.ctx, c.slot, 5);
		post_n(&p.ep[0], write, 4);
		CTR_IS(&c, 4, 0);
		CHECK(!th_event(c.h, PNIC_EV_CTR, &ev));
		post_n(&p.ep[0], write, 3);
		REQUIRE(TH_UNTIL(&p.t, th_event(c.h, PNIC_EV_CTR, &ev)));
		CHECK_EQ(le32toh(ev.id), 21);
		CHECK_EQ(ev.code, 0);
		CTR_IS(&c, 7, 0);
		CHECK(!th_event(c.h, PNIC_EV_CTR, &ev));
	}
	SUBTEST("at once, when it is there already") {
		th_ring(c.h, c.ctx, c.slot, 7);
		REQUIRE(TH_UNTIL(&p.t, th_event(c.h, PNIC_EV_CTR, &ev)));
	}
	SUBTEST("again with the toggle") {
		th_ring(c.h, c.ctx, c.slot, 7 | PNIC_DB_CTR_TOGGLE);
		REQUIRE(TH_UNTIL(&p.t, th_event(c.h, PNIC_EV_CTR, &ev)));
	}
	SUBTEST("failures count as well") {
		th_ring(c.h, c.ctx, c.slot, 9);
		write.remote_key ^= htole64(1ull << 50);
		post_n(&p.ep[0], write, 2);
		REQUIRE(TH_UNTIL(&p.t, th_event(c.h, PNIC_EV_CTR, &ev)));
		CTR_IS(&c, 7, 2);
	}
	SUBTEST("0 disarms") {
		th_ring(c.h, c.ctx, c.slot, 10);
		th_settle(&p.t);
		th_ring(c.h, c.ctx, c.slot, 0);
		th_settle(&p.t);
		post_n(&p.ep[0], write, 3);
		CTR_IS(&c, 7, 5);
		CHECK(!th_event(c.h, PNIC_EV_CTR, &ev));
	}
	SUBTEST("memory that is gone is fatal") {
		c.h->bad_page = c.at;
		post_n(&p.ep[0], write, 1);
		REQUIRE(TH_UNTIL(&p.t, th_rd(c.h, PNIC_REG_STATUS) & PNIC_STATUS_FATAL));
		CHECK_EQ(th_rd(c.h, PNIC_REG_FATAL_CODE), PNIC_FATAL_DMA);
		CHECK_EQ(th_rd(c.h, PNIC_REG_FATAL_INFO), 21);
	}
	pair_close(&p);
}

/* Shared receive queues. */

struct th_srq {
	struct th_host *h;
	uint64_t at;
	uint32_t id, ctx, pi;
	uint8_t log;
	uint16_t slot;
};

static void srq_open(struct th_host *h, struct th_srq *q, uint32_t id, uint32_t ctx, uint8_t log)
{
	struct pnic_adm_create_srq k = { .hdr.opcode = PNIC_ADM_CREATE_SRQ };

	memset(q, 0, sizeof(*q));
	q->h = h;
	q->id = id;
	q->ctx = ctx;
	q->log = log;
	q->at = th_alloc(h, sizeof(struct pnic_rqe) << log);
	q->slot = h->next_slot[ctx]++;
	k.srqn = htole32(id);
	k.ctx = htole32(ctx);
	k.base = htole64(q->at);
	k.log_size = log;
	k.db_page = htole32(ctx);
	k.db_slot = htole16(q->slot);
	REQUIRE_EQ(th_cmd(h, &k), PNIC_AS_OK);
}

static void srq_recv(struct th_srq *q, struct th_mr *mr, uint64_t off, uint32_t len, uint64_t cookie)
{
	struct pnic_rqe r = {
		.cookie = htole64(cookie), .addr = htole64(mr->va + off), .key = htole64(mr->key),
		.length = htole32(len),
	};

	memcpy(th_ptr(q->h, q->at + (q->pi++ & ((1u << q->log) - 1)) * sizeof(r)), &r, sizeof(r));
	th_ring(q->h, q->ctx, q->slot, q->pi);
}

static int srq_ep(struct th_srq *q, struct th_ep *ep, uint32_t epn, struct th_cq *scq, struct th_cq *rcq)
{
	struct pnic_adm_create_ep k = { .hdr.opcode = PNIC_ADM_CREATE_EP };
	struct th_host *h = q->h;

	memset(ep, 0, sizeof(*ep));
	ep->h = h;
	ep->scq = scq;
	ep->rcq = rcq;
	ep->epn = epn;
	ep->ctx = scq->ctx;
	ep->sq_log = 6;
	ep->sq = th_alloc(h, PNIC_SLOT_SIZE << 6);
	ep->sq_slot = h->next_slot[ep->ctx]++;
	k.epn = htole32(epn);
	k.ctx = htole32(ep->ctx);
	k.sq_base = htole64(ep->sq);
	k.sq_log_size = 6;
	k.flags = htole16(PNIC_EPF_SRQ);
	k.srqn = htole32(q->id);
	k.send_cqn = htole32(scq->cqn);
	k.recv_cqn = htole32(rcq->cqn);
	k.db_page = htole32(ep->ctx);
	k.sq_slot = htole16(ep->sq_slot);
	return th_cmd(h, &k);
}

/* A pair whose second card has two endpoints on one queue. */
struct trio {
	struct pair p;
	struct th_srq q;
	struct th_cq rcq[2];
	struct th_ep ep[2];
};

static void trio_open(struct trio *t, uint8_t log)
{
	struct th_host *h;

	pair_open(&t->p, plain, 6);
	h = &t->p.t.h[1];
	srq_open(h, &t->q, 5, 1, log);
	th_cq(h, &t->rcq[0], 7, 1, 6);
	th_cq(h, &t->rcq[1], 8, 1, 6);
	REQUIRE_EQ(srq_ep(&t->q, &t->ep[0], 30, &t->p.scq[1], &t->rcq[0]), PNIC_AS_OK);
	REQUIRE_EQ(srq_ep(&t->q, &t->ep[1], 31, &t->p.scq[1], &t->rcq[1]), PNIC_AS_OK);
}

static void trio_close(struct trio *t)
{
	pair_close(&t->p);
}

static void trio_send(struct trio *t, unsigned int to, uint32_t len)
{
	struct pnic_sqe s = th_sqe(PNIC_OP_SEND, &t->ep[to], &t->p.mr[0], 0, len);

	s.flags = 0;
	th_post(&t->p.ep[0], &s);
}

static void expect_recv(struct th_cq *cq, uint64_t cookie, int status, uint32_t epn)
{
	struct pnic_cqe e;

	REQUIRE_EQ(th_wait(cq, &e), status);
	CHECK_EQ(le64toh(e.cookie), cookie);
	CHECK_EQ(th_op(&e), PNIC_OP_RECV);
	CHECK_EQ(le32toh(e.ep_flags) & PNIC_CQE_LOW24, epn);
}

KTAP_TEST(shared_queue)
{
	struct pnic_cqe e;
	struct trio t;
	unsigned int i;

	trio_open(&t, 4);
	th_mr_fill(&t.p.mr[0], 0, 4096, 1);
	SUBTEST("whoever comes first takes the next entry") {
		for (i = 0; i < 6; i++)
			srq_recv(&t.q, &t.p.mr[1], i * 4096, 4096, 100 + i);
		for (i = 0; i < 6; i++)
			trio_send(&t, i % 2, 100);
		for (i = 0; i < 6; i++)
			expect_recv(&t.rcq[i % 2], 100 + i, PNIC_ST_OK, 30 + i % 2);
		for (i = 0; i < 6; i++)
			CHECK_EQ(th_mr_wrong(&t.p.mr[1], i * 4096, 100, 1), 0);
	}
	SUBTEST("it wraps") {
		for (i = 0; i < 100; i++) {
			srq_recv(&t.q, &t.p.mr[1], 0, 4096, i);
			trio_send(&t, i % 3 == 0, 8);
			expect_recv(&t.rcq[i % 3 == 0], i, PNIC_ST_OK, 30 + (i % 3 == 0));
		}
	}
	SUBTEST("messages to both wait for it, in the order of arrival") {
		struct th_ep other;

		/* From one endpoint the second would wait behind the first anyway. */
		th_ep(&t.p.t.h[0], &other, 40, &t.p.scq[0], &t.p.rcq[0], plain);
		trio_send(&t, 1, 8);
		th_settle(&t.p.t);
		{
			struct pnic_sqe s = th_sqe(PNIC_OP_SEND, &t.ep[0], &t.p.mr[0], 0, 8);

			s.flags = 0;
			th_post(&other, &s);
		}
		th_settle(&t.p.t);
		CHECK(!th_cq_peek(&t.rcq[0], &e));
		CHECK(!th_cq_peek(&t.rcq[1], &e));
		srq_recv(&t.q, &t.p.mr[1], 0, 4096, 1);
		expect_recv(&t.rcq[1], 1, PNIC_ST_OK, 31);
		th_settle(&t.p.t);
		CHECK(!th_cq_peek(&t.rcq[0], &e));
		srq_recv(&t.q, &t.p.mr[1], 0, 4096, 2);
		expect_recv(&t.rcq[0], 2, PNIC_ST_OK, 30);
	}
	SUBTEST("a message too long spoils its entry only") {
		srq_recv(&t.q, &t.p.mr[1], 0, 4, 3);
		srq_recv(&t.q, &t.p.mr[1], 0, 4096, 4);
		trio_send(&t, 0, 8);
		trio_send(&t, 1, 8);
		expect_recv(&t.rcq[0], 3, PNIC_ST_TOO_LONG, 30);
		expect_recv(&t.rcq[1], 4, PNIC_ST_OK, 31);
	}
	SUBTEST("in use it stays") {
		CHECK_EQ(th_destroy(t.q.h, PNIC_ADM_DESTROY_SRQ, 5), PNIC_AS_BUSY);
	}
	SUBTEST("RESET_EP and DESTROY_EP leave its entries") {
		srq_recv(&t.q, &t.p.mr[1], 0, 4096, 50);
		srq_recv(&t.q, &t.p.mr[1], 0, 4096, 51);
		REQUIRE_EQ(th_destroy(t.q.h, PNIC_ADM_RESET_EP, 30), PNIC_AS_OK);
		CHECK(!th_cq_peek(&t.rcq[0], &e));
		trio_send(&t, 0, 8);
		expect_recv(&t.rcq[0], 50, PNIC_ST_OK, 30);
		REQUIRE_EQ(th_destroy(t.q.h, PNIC_ADM_DESTROY_EP, 30), PNIC_AS_OK);
		trio_send(&t, 1, 8);
		expect_recv(&t.rcq[1], 51, PNIC_ST_OK, 31);
	}
	SUBTEST("half a message: its entry is flushed") {
		th_mr_set(&t.p.mr[1], 0, 1, 0);
		th_mr_set(&t.p.mr[0], 0, 1, 0xee);
		srq_recv(&t.q, &t.p.mr[1], 0, 2u << 20, 60);
		trio_send(&t, 1, 2u << 20);
		REQUIRE(TH_UNTIL(&t.p.t, th_mr_not(&t.p.mr[1], 0, 1, 0)));
		REQUIRE_EQ(th_destroy(t.q.h, PNIC_ADM_DESTROY_EP, 31), PNIC_AS_OK);
		expect_recv(&t.rcq[1], 60, PNIC_ST_FLUSHED, 31);
	}
	SUBTEST("then it can go") {
		CHECK_EQ(th_destroy(t.q.h, PNIC_ADM_DESTROY_SRQ, 5), PNIC_AS_OK);
		CHECK_EQ(th_destroy(t.q.h, PNIC_ADM_DESTROY_SRQ, 5), PNIC_AS_NOT_FOUND);
	}
	trio_close(&t);
}

KTAP_TEST(shared_queue_dies)
{
	struct pnic_eqe ev;
	struct pnic_cqe e;
	struct trio t;
	unsigned int i, dead = 0;

	trio_open(&t, 2);
	th_ring(t.q.h, t.q.ctx, t.q.slot, 5);
	for (i = 0; i < 2; i++) {
		REQUIRE(TH_UNTIL(&t.p.t, th_event(t.q.h, PNIC_EV_EP_ERROR, &ev)));
		CHECK_EQ(le16toh(ev.code), PNIC_ST_OVERRUN);
		dead += le32toh(ev.id);
	}
	CHECK_EQ(dead, 30 + 31);
	trio_send(&t, 0, 8);
	CHECK_EQ(th_wait(&t.p.scq[0], &e), PNIC_ST_REMOTE_EP);
	CHECK_EQ(th_destroy(t.q.h, PNIC_ADM_RESET_EP, 30), PNIC_AS_WRONG_STATE);
	trio_close(&t);
}

/* Cancelled receives. */

static int cancel(struct th_host *h, bool srq, uint32_t id, uint32_t index)
{
	struct pnic_adm_cancel_recv k = { .hdr.opcode = PNIC_ADM_CANCEL_RECV, .srq = srq };

	k.id = htole32(id);
	k.index = htole32(index);
	return th_cmd(h, &k);
}

static void send_to(struct pair *p, unsigned int n)
{
	struct pnic_sqe s = th_sqe(PNIC_OP_SEND, &p->ep[1], &p->mr[0], 0, 8);

	post_n(&p->ep[0], s, n);
}

KTAP_TEST(cancel_receives)
{
	struct th_host *h;
	struct pnic_cqe e;
	struct pair p;
	unsigned int i, round;
	uint32_t at = 0;

	pair_open(&p, (struct th_ep_opts) { .sq_log = 6, .rq_log = 3, .rnr_us = 1000000 }, 6);
	h = &p.t.h[1];
	/* Often enough to come around the ring. */
	for (round = 0; round < 5; round++) {
		SUBTEST("first, middle and last of eight, round %u", round) {
			for (i = 0; i < 8; i++)
				th_recv(&p.ep[1], &p.mr[1], 0, 64, 10 * round + i);
			CHECK_EQ(cancel(h, false, 11, at), PNIC_AS_OK);
			CHECK_EQ(cancel(h, false, 11, at + 3), PNIC_AS_OK);
			CHECK_EQ(cancel(h, false, 11, at + 4), PNIC_AS_OK);
			CHECK_EQ(cancel(h, false, 11, at + 7), PNIC_AS_OK);
			CHECK_EQ(cancel(h, false, 11, at + 3), PNIC_AS_NOT_FOUND);
			CHECK_EQ(cancel(h, false, 11, at + 8), PNIC_AS_NOT_FOUND);
			CHECK_EQ(cancel(h, false, 11, at - 1), PNIC_AS_NOT_FOUND);
			send_to(&p, 4);
			expect_recv(&p.rcq[1], 10 * round + 1, PNIC_ST_OK, 11);
			expect_recv(&p.rcq[1], 10 * round + 2, PNIC_ST_OK, 11);
			expect_recv(&p.rcq[1], 10 * round + 5, PNIC_ST_OK, 11);
			expect_recv(&p.rcq[1], 10 * round + 6, PNIC_ST_OK, 11);
			CHECK_EQ(cancel(h, false, 11, at + 6), PNIC_AS_NOT_FOUND);
			at += 8;
		}
	}
	SUBTEST("all of them: the next message waits") {
		th_recv(&p.ep[1], &p.mr[1], 0, 64, 1);
		CHECK_EQ(cancel(h, false, 11, at++), PNIC_AS_OK);
		send_to(&p, 1);
		th_settle(&p.t);
		CHECK(!th_cq_peek(&p.rcq[1], &e));
		th_recv(&p.ep[1], &p.mr[1], 0, 64, 2);
		expect_recv(&p.rcq[1], 2, PNIC_ST_OK, 11);
		at++;
	}
	SUBTEST("a cancelled one is not flushed, and a new ring has none") {
		for (i = 0; i < 3; i++)
			th_recv(&p.ep[1], &p.mr[1], 0, 64, i);
		CHECK_EQ(cancel(h, false, 11, at + 1), PNIC_AS_OK);
		REQUIRE_EQ(th_destroy(h, PNIC_ADM_RESET_EP, 11), PNIC_AS_OK);
		expect_recv(&p.rcq[1], 0, PNIC_ST_FLUSHED, 11);
		expect_recv(&p.rcq[1], 2, PNIC_ST_FLUSHED, 11);
		CHECK(!th_cq_peek(&p.rcq[1], &e));
		p.ep[1].rq_pi = 0;
		for (i = 0; i < 8; i++)
			th_recv(&p.ep[1], &p.mr[1], 0, 64, 70 + i);
		send_to(&p, 8);
		for (i = 0; i < 8; i++)
			expect_recv(&p.rcq[1], 70 + i, PNIC_ST_OK, 11);
	}
	pair_close(&p);
}

KTAP_TEST(cancel_in_a_shared_queue)
{
	struct trio t;
	unsigned int i;

	trio_open(&t, 3);
	for (i = 0; i < 4; i++)
		srq_recv(&t.q, &t.p.mr[1], 0, 64, i);
	CHECK_EQ(cancel(t.q.h, true, 5, 1), PNIC_AS_OK);
	CHECK_EQ(cancel(t.q.h, true, 5, 1), PNIC_AS_NOT_FOUND);
	/* An endpoint on a shared queue has no ring of its own. */
	CHECK_EQ(cancel(t.q.h, false, 30, 0), PNIC_AS_NOT_FOUND);
	for (i = 0; i < 3; i++)
		trio_send(&t, i % 2, 8);
	expect_recv(&t.rcq[0], 0, PNIC_ST_OK, 30);
	expect_recv(&t.rcq[1], 2, PNIC_ST_OK, 31);
	expect_recv(&t.rcq[0], 3, PNIC_ST_OK, 30);
	trio_close(&t);
}

/* Regions that are moved. */

static int resume(struct th_mr *mr, struct th_mr *pages, uint8_t rights)
{
	uint64_t pbl = th_alloc(mr->h, mr->pages * 8ull);
	struct pnic_adm_create_mr k;
	uint32_t i;

	for (i = 0; i < mr->pages; i++) {
		uint64_t e = htole64(pages->dma[i]);

		memcpy(th_ptr(mr->h, pbl + 8ull * i), &e, 8);
	}
	th_mr_cmd(mr, pbl, PNIC_PBL_DIRECT, rights, &k);
	k.hdr.opcode = PNIC_ADM_MR_RESUME;
	return th_cmd(mr->h, &k);
}

KTAP_TEST(moved_regions)
{
	struct th_mr here, there, spare;
	struct pnic_sqe s;
	struct pnic_cqe e;
	struct pair p;
	uint64_t *dma;

	pair_open(&p, plain, 6);
	th_mr(&p.t.h[0], &here, 20, 1, 100000, TH_RIGHTS_ALL);
	th_mr(&p.t.h[1], &there, 20, 1, 2u << 20, TH_RIGHTS_ALL);
	th_mr(&p.t.h[1], &spare, 21, 1, (2u << 20) + TH_PAGE, TH_RIGHTS_ALL);
	s = th_sqe(PNIC_OP_WRITE, &p.ep[1], &here, 0, 100000);
	th_remote(&s, &there, 0);
	SUBTEST("resume is for what is suspended") {
		CHECK_EQ(resume(&there, &spare, TH_RIGHTS_ALL), PNIC_AS_WRONG_STATE);
		CHECK_EQ(th_destroy(there.h, PNIC_ADM_MR_SUSPEND, 20), PNIC_AS_OK);
		CHECK_EQ(th_destroy(there.h, PNIC_ADM_MR_SUSPEND, 20), PNIC_AS_OK);
	}
	SUBTEST("quiet: nothing is written, other checks come first") {
		th_mr_set(&there, 0, 100000, 0x11);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_REMOTE_MOVED);
		CHECK_EQ(th_mr_not(&there, 0, 100000, 0x11), 0);
		s.remote_key ^= htole64(1ull << 40);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_REMOTE_KEY);
		s.remote_key ^= htole64(1ull << 40);
	}
	SUBTEST("resumed with other pages, under the same key") {
		uint64_t other;

		CHECK_EQ(resume(&there, &spare, TH_RIGHTS_ALL & ~PNIC_MR_REMOTE_READ), PNIC_AS_INVALID_FIELD);
		other = there.va;
		there.va += 8;
		CHECK_EQ(resume(&there, &spare, TH_RIGHTS_ALL), PNIC_AS_INVALID_FIELD);
		there.va = other;
		th_mr_set(&there, 0, 100000, 0x11);
		REQUIRE_EQ(resume(&there, &spare, TH_RIGHTS_ALL), PNIC_AS_OK);
		th_mr_fill(&here, 0, 100000, 4);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
		CHECK_EQ(th_mr_not(&there, 0, 100000, 0x11), 0);
		dma = there.dma;
		there.dma = spare.dma;
		CHECK_EQ(th_mr_wrong(&there, 0, 100000, 4), 0);
		there.dma = dma;
	}
	SUBTEST("at the near end") {
		REQUIRE_EQ(th_destroy(here.h, PNIC_ADM_MR_SUSPEND, 20), PNIC_AS_OK);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_LOCAL_MOVED);
		REQUIRE_EQ(resume(&here, &here, TH_RIGHTS_ALL), PNIC_AS_OK);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
	}
	SUBTEST("in the midst of a transfer") {
		s = th_sqe(PNIC_OP_WRITE, &p.ep[1], &p.mr[0], 0, 2u << 20);
		th_remote(&s, &there, 0);
		th_mr_set(&p.mr[0], 0, 1, 0xee);
		th_mr_set(&spare, 0, TH_PAGE, 0);
		dma = there.dma;
		there.dma = spare.dma;
		th_mr_set(&there, 0, 1, 0);
		th_post(&p.ep[0], &s);
		REQUIRE(TH_UNTIL(&p.t, th_mr_not(&there, 0, 1, 0)));
		there.dma = dma;
		REQUIRE_EQ(th_destroy(there.h, PNIC_ADM_MR_SUSPEND, 20), PNIC_AS_OK);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_REMOTE_MOVED);
	}
	SUBTEST("a suspended region can go") {
		CHECK_EQ(th_destroy(there.h, PNIC_ADM_DESTROY_MR, 20), PNIC_AS_OK);
		CHECK_EQ(resume(&there, &there, TH_RIGHTS_ALL), PNIC_AS_NOT_FOUND);
	}
	th_mr_free(&here);
	th_mr_free(&there);
	th_mr_free(&spare);
	pair_close(&p);
}

/* A card of version 1.1 knows nothing of all this. */
KTAP_TEST(old_card)
{
	static const uint8_t opcodes[] = {
		PNIC_ADM_CREATE_SRQ, PNIC_ADM_DESTROY_SRQ, PNIC_ADM_CREATE_CTR, PNIC_ADM_DESTROY_CTR,
		PNIC_ADM_BIND_CTR, PNIC_ADM_CANCEL_RECV, PNIC_ADM_MR_SUSPEND, PNIC_ADM_MR_RESUME,
	};
	struct pm_fabric_config c;
	struct th_cq cq;
	struct th_ep ep;
	struct th_mr mr;
	struct th_srq q;
	struct pnic_sqe s;
	struct pnic_cqe e;
	struct th_host *h;
	struct th t;
	unsigned int i;

	th_config(&c, 1, "test-16");
	c.old_card = true;
	th_open_config(&t, &c, 1024);
	h = &t.h[0];
	th_up(h);
	th_ctx(h, 1, 0);
	th_cq(h, &cq, 0, 1, 6);
	th_ep(h, &ep, 0, &cq, &cq, plain);
	th_mr(h, &mr, 0, 1, 4096, TH_RIGHTS_ALL);
	CHECK_EQ(th_rd(h, PNIC_REG_VERSION), 0x10001);
	CHECK_EQ(th_rd(h, PNIC_REG_CAPS_LO), 0x1f);
	for (i = 0; i < sizeof(opcodes); i++) {
		SUBTEST("command 0x%02x", opcodes[i])
			CHECK_EQ(th_destroy(h, opcodes[i], 0), PNIC_AS_BAD_OPCODE);
	}
	SUBTEST("endpoint with a shared queue") {
		memset(&q, 0, sizeof(q));
		q.h = h;
		CHECK_EQ(srq_ep(&q, &ep, 1, &cq, &cq), PNIC_AS_INVALID_FIELD);
		CHECK_EQ(le64toh(h->last.result[0]), offsetof(struct pnic_adm_create_ep, flags));
		memset(&ep, 0, sizeof(ep));
	}
	SUBTEST("descriptors") {
		th_ep(h, &ep, 2, &cq, &cq, plain);
		s = th_sqe(PNIC_OP_WRITE, &ep, &mr, 0, 8);
		th_remote(&s, &mr, 64);
		s.flags |= PNIC_SQF_QUIET;
		th_post(&ep, &s);
		CHECK_EQ(th_wait(&cq, &e), PNIC_ST_BAD_DESC);
		s.flags = PNIC_SQF_SIGNALED;
		s.opcode = PNIC_OP_WRITE_SIGNAL;
		th_post(&ep, &s);
		CHECK_EQ(th_wait(&cq, &e), PNIC_ST_BAD_DESC);
		s.opcode = PNIC_OP_WRITE;
		th_post(&ep, &s);
		CHECK_EQ(th_wait(&cq, &e), PNIC_ST_OK);
	}
	th_mr_free(&mr);
	th_close(&t);
}

/* The longest transfer there is: 4 GiB less one byte, over one and the same 2 MiB of memory. */
KTAP_TEST(longest_transfer)
{
	const uint32_t len = 0xffffffff, piece = 2u << 20;
	const uint64_t pages = (1ull << 32) / TH_PAGE;
	uint64_t at[2], list, top, i;
	struct pnic_adm_create_mr k;
	struct th_ctr ctr;
	struct pnic_sqe s;
	struct pnic_cqe e;
	struct pair p;
	int end;

	pair_open(&p, plain, 6);
	ctr_open(&p.t.h[1], &ctr, 0, 1);
	REQUIRE_EQ(ctr_bind(&ctr, &p.ep[1], PNIC_CTR_REMOTE_WRITE, true), PNIC_AS_OK);
	for (end = 0; end < 2; end++) {
		struct th_host *h = &p.t.h[end];
		uint64_t seed = 3;

		at[end] = th_alloc(h, piece);
		/* One page of the list, over and over. */
		list = th_alloc(h, TH_PAGE);
		for (i = 0; i < 512; i++)
			*(__le64 *)th_ptr(h, list + 8 * i) = htole64(at[end] + i * TH_PAGE);
		top = th_alloc(h, pages / 512 * 8);
		for (i = 0; i < pages / 512; i++)
			*(__le64 *)th_ptr(h, top + 8 * i) = htole64(list);
		for (i = 0; i < piece; i += TH_PAGE)
			memset(th_ptr(h, at[end] + i), end ? 0 : th_rand(&seed), TH_PAGE);
		memset(&k, 0, sizeof(k));
		k.hdr.opcode = PNIC_ADM_CREATE_MR;
		k.index = htole32(40);
		k.ctx = htole32(1);
		k.key = htole64(0x1234500000000ull | 40);
		k.va = htole64(1ull << 40);
		k.length = htole64(1ull << 32);
		k.pbl = htole64(top);
		k.num_pages = htole32(pages);
		k.page_shift = 12;
		k.rights = TH_RIGHTS_ALL;
		k.pbl_kind = PNIC_PBL_PAGES;
		REQUIRE_EQ(th_cmd(h, &k), PNIC_AS_OK);
	}
	s = th_sqe(PNIC_OP_WRITE, &p.ep[1], NULL, 0, len);
	s.num_sge = 1;
	s.local_addr = htole64(1ull << 40);
	s.local_key = k.key;
	s.remote_addr = htole64(1ull << 40);
	s.remote_key = k.key;
	th_post(&p.ep[0], &s);
	for (i = 0; i < 100 && !th_cq_peek(&p.scq[0], &e); i++)
		TH_UNTIL(&p.t, th_cq_peek(&p.scq[0], &e));
	REQUIRE_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
	CHECK_EQ(le32toh(e.length), len);
	CTR_IS(&ctr, 1, 0);
	for (i = 0; i < piece; i += TH_PAGE)
		CHECK(!memcmp(th_ptr(&p.t.h[0], at[0] + i), th_ptr(&p.t.h[1], at[1] + i), TH_PAGE));
	SUBTEST("one byte past the region") {
		s.remote_addr = htole64((1ull << 40) + 2);
		th_post(&p.ep[0], &s);
		CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_REMOTE_BOUNDS);
	}
	pair_close(&p);
}

KTAP_MAIN()
