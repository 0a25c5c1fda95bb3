// SPDX-License-Identifier: GPL-2.0
/*
 * Writes and reads that are done at once (train.c): the same comes of them as of the long way.
 *
 * Each program of posts is run by two pairs of cards, one of which goes the long way always. What they
 * write, complete and count has to be equal; when it happens may differ.
 */
#include <stdlib.h>

#include "card_pair.h"

#define BURSTS	60u
#define LONGEST	40u
#define AREA	512u		/* bytes that inline writes fall into: they often hit the same */
#define SOURCE	(1u << 20)	/* nobody writes there */
#define TARGET	(3u << 19)	/* only the other card's writes, ... */
#define READ	(2u << 20)	/* ... only a card's own reads */
#define SPAN	(1u << 18)	/* bytes of each */
#define LOST	(5u << 19)	/* in a page that isn't there */
#define CQES	(2 * BURSTS * (LONGEST + 1))

struct outcome {
	struct pnic_cqe cqe[2][CQES];
	unsigned int cqes[2];
	struct pnic_counters count[2];
	uint8_t mem[2][2 * AREA];
	uint8_t edge[2][2 * TH_PAGE];
	uint8_t bulk[2][READ + SPAN - TARGET];
	bool dead[2];
};

static uint32_t below(uint64_t *seed, uint32_t n)
{
	return (uint32_t)(th_rand(seed) % n);
}

/* Where in the region a page ends: the next one lies somewhere else. */
static uint32_t edge(const struct th_mr *mr)
{
	return 2 * TH_PAGE - mr->va % TH_PAGE;
}

/* Mostly a plain inline write of up to 16 bytes; else anything that has something odd in it. */
static unsigned int draw(struct pair *p, unsigned int from, uint8_t *desc, uint64_t *seed)
{
	static const uint8_t flags[] = { 0, 0, 0, PNIC_SQF_SIGNALED, PNIC_SQF_QUIET };
	struct pnic_sqe s = th_sqe(PNIC_OP_WRITE, &p->ep[!from], NULL, 0, 0);
	uint32_t odd = below(seed, 110), len = 1 + below(seed, 16), i;

	s.flags = flags[below(seed, 5)] | PNIC_SQF_INLINE;
	s.cookie = htole64(th_rand(seed));
	th_remote(&s, &p->mr[!from], below(seed, AREA - 64));
	switch (odd) {
	case 0:
		len = 0;
		break;
	case 1:
		len = 17 + below(seed, 46);
		break;
	case 2:
		s.remote_key ^= htole64(1ull << 40);
		break;
	case 3:
		th_remote(&s, &p->mr[!from], MR_LEN - 1);
		len = 2 + below(seed, 8);
		break;
	case 4:
		s.dest_ep = htole32(99);
		break;
	case 5:
		s.dest_ep = htole32(1u << 24);
		break;
	case 6:
		s.dest_nic = htole32(77);
		break;
	case 7:
		s.flags |= PNIC_SQF_FENCE;
		break;
	case 8:
		s.flags |= 0x80;
		break;
	case 9:
		s.opcode = PNIC_OP_NOP;
		s.flags = PNIC_SQF_SIGNALED;
		len = 0;
		break;
	case 10:
		s.num_sge = 2;
		break;
	case 11:		/* to itself, where the other doesn't write meanwhile */
		s.dest_nic = htole32(pm_card_addr(p->t.h[from].card));
		s.dest_ep = htole32(p->ep[from].epn);
		th_remote(&s, &p->mr[from], AREA + below(seed, AREA - 64));
		break;
	case 12:
		s.opcode = PNIC_OP_FETCH_ADD;
		s.flags = PNIC_SQF_SIGNALED;
		s.local_addr = htole64(p->mr[from].va + 2 * AREA);
		s.local_key = htole64(p->mr[from].key);
		s.remote_addr = htole64(p->mr[!from].va + 8 * below(seed, 8));
		s.imm = htole64(3);
		s.length = htole32(8);
		s.num_sge = 1;
		s.num_slots = 1;
		memcpy(desc, &s, sizeof(s));
		return 1;
	case 13:
		s.opcode = PNIC_OP_READ;
		s.flags = PNIC_SQF_SIGNALED;
		s.local_addr = htole64(p->mr[from].va + 2 * AREA);
		s.local_key = htole64(p->mr[from].key);
		s.length = htole32(64);
		s.num_sge = 1;
		s.num_slots = 1;
		memcpy(desc, &s, sizeof(s));
		return 1;
	}
	if (odd >= 100)
		th_remote(&s, &p->mr[!from], edge(&p->mr[!from]) - below(seed, 40));
	s.length = htole32(len);
	s.num_slots = len > 16 ? 2 : 1;
	memcpy(desc, &s, sizeof(s));
	for (i = 0; i < len; i++)
		desc[offsetof(struct pnic_sqe, local_addr) + i] = th_byte(th_rand(seed), i);
	return s.num_slots;
}

/* A write or a read that isn't inline; one of eight has something odd in it. */
static unsigned int draw_bulk(struct pair *p, unsigned int from, uint8_t *desc, uint64_t *seed)
{
	static const uint8_t flags[] = { 0, 0, PNIC_SQF_SIGNALED, PNIC_SQF_QUIET };
	static const uint32_t longest[] = { 100, 4096, 4097, 9000, 60000, SPAN };
	uint32_t len = 1 + below(seed, longest[below(seed, 6)]), at = below(seed, SPAN - len + 1);
	uint32_t by = below(seed, SPAN - len + 1);
	bool read = below(seed, 2);
	struct pnic_sqe s;

	s = th_sqe(read ? PNIC_OP_READ : PNIC_OP_WRITE, &p->ep[!from], &p->mr[from], (read ? READ : SOURCE) + at, len);
	/* Reads have no order among themselves: what they bring to a place is always the same. */
	th_remote(&s, &p->mr[!from], read ? SOURCE + at : TARGET + by);
	s.flags = flags[below(seed, 4)];
	s.cookie = htole64(th_rand(seed));
	switch (below(seed, 64)) {
	case 0:
		s.remote_key ^= htole64(1ull << 40);
		break;
	case 1:
		s.local_key ^= htole64(1ull << 40);
		break;
	case 2:
		th_remote(&s, &p->mr[!from], MR_LEN - len + 1);
		break;
	case 3:
		s.local_addr = htole64(p->mr[from].va + MR_LEN - len + 1);
		break;
	case 4:
		s.flags |= PNIC_SQF_FENCE;
		break;
	case 5:
		s.length = 0;
		break;
	case 6:
		s.num_sge = 2;
		break;
	case 7:		/* no such page, at the end of some that are; what came before it is written or not */
		s.opcode = PNIC_OP_WRITE;
		s.local_addr = htole64(p->mr[from].va + LOST - 3 * TH_PAGE);
		s.length = htole32(4 * TH_PAGE);
		th_remote(&s, &p->mr[!from], LOST + 8 * TH_PAGE);
		break;
	case 8:
		s.opcode = PNIC_OP_WRITE;
		s.local_addr = htole64(p->mr[from].va + SOURCE);
		s.length = htole32(4 * TH_PAGE);
		th_remote(&s, &p->mr[!from], LOST - 3 * TH_PAGE);
		break;
	}
	memcpy(desc, &s, sizeof(s));
	return 1;
}

static void take(struct pair *p, unsigned int i, struct outcome *out)
{
	struct pnic_cqe e;

	while (th_cq_poll(&p->scq[i], &e)) {
		REQUIRE(out->cqes[i] < CQES);
		e.ep_flags &= ~htole32(PNIC_CQE_PHASE);
		out->cqe[i][out->cqes[i]++] = e;
	}
}

/* What is at the end of each burst, so that it is known to be over. */
static bool ended(struct pair *p, unsigned int i, uint64_t cookie, struct outcome *out)
{
	take(p, i, out);
	return out->cqes[i] && le64toh(out->cqe[i][out->cqes[i] - 1].cookie) == cookie;
}

/* @bulk: percent of it that isn't inline. */
static void burst(struct pair *p, unsigned int from, uint64_t cookie, uint32_t bulk, uint64_t *seed)
{
	struct pnic_sqe last = th_sqe(PNIC_OP_NOP, &p->ep[!from], NULL, 0, 0);
	uint8_t desc[2 * PNIC_SLOT_SIZE];
	uint32_t n = 1 + below(seed, LONGEST), slots, free = 62;

	for (; n && free >= 2; n--) {
		memset(desc, 0, sizeof(desc));
		slots = below(seed, 100) < bulk ? draw_bulk(p, from, desc, seed) : draw(p, from, desc, seed);
		th_put(&p->ep[from], desc, slots);
		free -= slots;
	}
	last.flags = PNIC_SQF_SIGNALED | PNIC_SQF_FENCE;
	last.cookie = htole64(cookie);
	th_post(&p->ep[from], &last);
}

/* The page of the region at LOST is nowhere. */
static void lose_page(struct th_mr *mr)
{
	uint64_t pbl = th_alloc(mr->h, mr->pages * 8ull), lost = (mr->va % TH_PAGE + LOST) / TH_PAGE;
	struct pnic_adm_create_mr k;
	uint32_t i;

	for (i = 0; i < mr->pages; i++) {
		uint64_t e = htole64(i == lost ? 1ull << 50 : mr->dma[i]);

		memcpy(th_ptr(mr->h, pbl + 8ull * i), &e, 8);
	}
	REQUIRE_EQ(th_destroy(mr->h, PNIC_ADM_DESTROY_MR, mr->index), PNIC_AS_OK);
	th_mr_cmd(mr, pbl, PNIC_PBL_DIRECT, TH_RIGHTS_ALL, &k);
	REQUIRE_EQ(th_cmd(mr->h, &k), PNIC_AS_OK);
}

static void run(uint64_t seed, double ber, uint32_t bulk, bool long_way, struct outcome *out)
{
	struct pm_fabric_config c;
	unsigned int i, k;
	struct pair p;

	memset(out, 0, sizeof(*out));
	pair_config(&c);
	c.seed = seed;
	c.long_way = long_way;
	if (ber > 0)
		c.link.ber_median = ber;
	pair_open_config(&p, &c, plain, 7);
	for (i = 0; i < 2; i++) {
		th_mr_fill(&p.mr[i], 0, MR_LEN, i);
		lose_page(&p.mr[i]);
	}
	for (k = 0; k < BURSTS; k++) {
		for (i = 0; i < 2; i++)
			if (below(&seed, 3))
				burst(&p, i, 1000 + k, bulk, &seed);
			else
				out->dead[i] = true;	/* it rests this time */
		for (i = 0; i < 2; i++) {
			if (!out->dead[i])
				REQUIRE(TH_UNTIL(&p.t, ended(&p, i, 1000 + k, out)));
			out->dead[i] = false;
		}
	}
	for (i = 0; i < 2; i++) {
		th_mr_get(&p.mr[i], 0, out->mem[i], 2 * AREA);
		th_mr_get(&p.mr[i], TH_PAGE, out->edge[i], sizeof(out->edge[i]));
		th_mr_get(&p.mr[i], TARGET, out->bulk[i], sizeof(out->bulk[i]));
		pm_card_counters(p.t.h[i].card, &out->count[i]);
	}
	pair_close(&p);
}

static void compare(uint64_t seed, double ber, uint32_t bulk)
{
	static struct outcome now, slow;
	unsigned int i, k;

	run(seed, ber, bulk, false, &now);
	run(seed, ber, bulk, true, &slow);
	for (i = 0; i < 2; i++) {
		REQUIRE_EQ(now.cqes[i], slow.cqes[i]);
		for (k = 0; k < now.cqes[i]; k++)
			if (memcmp(&now.cqe[i][k], &slow.cqe[i][k], sizeof(now.cqe[i][k]))) {
				ktap_say("seed %llu, card %u, completion %u: status %d, %d", (unsigned long long)seed, i, k,
					 th_status(&now.cqe[i][k]), th_status(&slow.cqe[i][k]));
				REQUIRE(false);
			}
		CHECK(!memcmp(now.mem[i], slow.mem[i], sizeof(now.mem[i])));
		CHECK(!memcmp(now.edge[i], slow.edge[i], sizeof(now.edge[i])));
		CHECK(!memcmp(now.bulk[i], slow.bulk[i], sizeof(now.bulk[i])));
		CHECK_EQ(le64toh(now.count[i].wqes), le64toh(slow.count[i].wqes));
		CHECK_EQ(le64toh(now.count[i].cqes), le64toh(slow.count[i].cqes));
		CHECK_EQ(le64toh(now.count[i].payload_tx), le64toh(slow.count[i].payload_tx));
		CHECK_EQ(le64toh(now.count[i].payload_rx), le64toh(slow.count[i].payload_rx));
		CHECK_EQ(le64toh(now.count[i].frames_crc_bad), 0);
	}
}

KTAP_TEST(same_as_the_long_way)
{
	uint64_t seed;

	for (seed = 1; seed <= 40; seed++)
		compare(seed, 0, 0);
}

KTAP_TEST(same_in_bulk)
{
	uint64_t seed;

	for (seed = 1; seed <= 20; seed++)
		compare(seed, 0, 40 + 3 * seed);
}

/* Codewords with errors lie in between; FEC corrects them. */
KTAP_TEST(same_on_a_bad_line)
{
	uint64_t seed;

	for (seed = 1; seed <= 10; seed++)
		compare(seed, 1e-5, 0);
}

/* Nearly every train meets some. */
KTAP_TEST(same_in_bulk_on_a_bad_line)
{
	uint64_t seed;

	for (seed = 1; seed <= 5; seed++)
		compare(seed, 1e-5, 60);
}

/* Both writes of a pair, and the sum of both ways' frames as the line has them. */
KTAP_TEST(frames_are_counted)
{
	struct pnic_counters was[2], now[2];
	struct pnic_sqe s;
	struct pair p;
	struct pnic_cqe e;
	unsigned int i, k;

	pair_open(&p, plain, 7);
	for (i = 0; i < 2; i++)
		pm_card_counters(p.t.h[i].card, &was[i]);
	for (k = 0; k < 10; k++) {
		s = th_sqe(PNIC_OP_WRITE, &p.ep[1], NULL, 0, 0);
		th_remote(&s, &p.mr[1], 0);
		s.flags = PNIC_SQF_INLINE | (k == 9 ? PNIC_SQF_SIGNALED : 0);
		s.length = htole32(8);
		s.num_slots = 1;
		th_put(&p.ep[0], &s, 1);
	}
	th_go(&p.ep[0]);
	REQUIRE_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
	for (i = 0; i < 2; i++)
		pm_card_counters(p.t.h[i].card, &now[i]);
	CHECK_EQ(le64toh(now[0].frames_tx) - le64toh(was[0].frames_tx), 10);
	CHECK_EQ(le64toh(now[1].frames_rx) - le64toh(was[1].frames_rx), 10);
	CHECK_EQ(le64toh(now[1].frames_tx) - le64toh(was[1].frames_tx), 1);
	CHECK_EQ(le64toh(now[0].frames_rx) - le64toh(was[0].frames_rx), 1);
	CHECK_EQ(le64toh(now[0].payload_tx) - le64toh(was[0].payload_tx), 80);
	CHECK_GE(le64toh(now[0].line_bits_tx) - le64toh(was[0].line_bits_tx), 10 * (8 + 52) * 8);
	/* A longer one has an answer of its own, a short one that nobody waits for has not. */
	for (i = 0; i < 2; i++) {
		was[1] = now[1];
		for (k = 0; k < 2; k++) {
			s = th_sqe(PNIC_OP_WRITE, &p.ep[1], &p.mr[0], 0, 4096 + i);
			th_remote(&s, &p.mr[1], 0);
			s.flags = k ? PNIC_SQF_SIGNALED : 0;
			s.num_slots = 1;
			th_put(&p.ep[0], &s, 1);
		}
		th_go(&p.ep[0]);
		REQUIRE_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
		pm_card_counters(p.t.h[1].card, &now[1]);
		CHECK_EQ(le64toh(now[1].frames_tx) - le64toh(was[1].frames_tx), 1 + i);
	}
	pair_close(&p);
}

static void some_polls(struct pair *p)
{
	uint64_t sleep_ns;
	int i;

	for (i = 0; i < 200; i++)
		pm_fabric_poll(p->t.f, &sleep_ns);
}

/* The look at the other card's doorbells finds a receive there, for which a send waits: it is answered. */
KTAP_TEST(a_receive_meanwhile)
{
	struct pnic_sqe s;
	struct pnic_cqe e;
	struct th_ep other;
	struct pair p;

	pair_open(&p, plain, 7);
	th_ep(&p.t.h[0], &other, 20, &p.scq[0], &p.rcq[0], plain);
	s = th_sqe(PNIC_OP_SEND, &p.ep[1], &p.mr[0], 0, 100);
	s.cookie = htole64(1);
	th_post(&p.ep[0], &s);
	some_polls(&p);
	th_recv(&p.ep[1], &p.mr[1], 0, 100, 7);
	s = th_sqe(PNIC_OP_WRITE, &p.ep[1], &p.mr[0], SOURCE, 60000);
	th_remote(&s, &p.mr[1], TARGET);
	s.cookie = htole64(2);
	th_post(&other, &s);
	REQUIRE_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
	REQUIRE_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
	REQUIRE_EQ(th_wait(&p.rcq[1], &e), PNIC_ST_OK);
	pair_close(&p);
}

static void put_word(struct pair *p, uint64_t value)
{
	struct pnic_sqe s = th_sqe(PNIC_OP_WRITE, &p->ep[1], NULL, 0, 0);

	th_remote(&s, &p->mr[1], 0);
	s.flags = PNIC_SQF_INLINE | PNIC_SQF_SIGNALED;
	s.length = htole32(8);
	s.local_addr = htole64(value);
	th_post(&p->ep[0], &s);
}

static uint64_t word(struct pair *p)
{
	uint64_t v;

	th_mr_get(&p->mr[1], 0, &v, 8);
	return le64toh(v);
}

/* What stands in the way is not gone round. */
KTAP_TEST(what_stands_in_the_way)
{
	struct pnic_counters count;
	struct pm_port *far;
	struct pnic_cqe e;
	struct pair p;

	pair_open(&p, plain, 7);
	far = pm_card_port(p.t.h[1].card);
	put_word(&p, 1);
	REQUIRE_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
	CHECK_EQ(word(&p), 1);

	pm_card_freeze(p.t.h[1].card, true);
	put_word(&p, 2);
	some_polls(&p);
	CHECK_EQ(word(&p), 1);
	pm_card_freeze(p.t.h[1].card, false);
	REQUIRE_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
	CHECK_EQ(word(&p), 2);

	/* The first try is lost on the line, and comes again. */
	CHECK_EQ(pm_fault_drop(far, 1), 0);
	put_word(&p, 3);
	REQUIRE_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
	CHECK_EQ(word(&p), 3);
	pm_card_counters(p.t.h[0].card, &count);
	CHECK_EQ(le64toh(count.frames_replayed), 1);

	pm_fault_cut(far, true);
	REQUIRE(TH_UNTIL(&p.t, pm_port_state(far) != PNIC_LINK_UP));
	put_word(&p, 4);
	some_polls(&p);
	CHECK_EQ(word(&p), 3);
	pm_fault_cut(far, false);
	REQUIRE_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
	CHECK_EQ(word(&p), 4);
	pair_close(&p);
}

static void ring(struct pair *p, unsigned int from, uint32_t page)
{
	if (!pm_card_rung_page(p->t.h[from].card, page))
		while (pm_fabric_turn(p->t.f))
			;
}

/* Trips that are counted only are on the line before what a receive brings about, for which a send waits. */
KTAP_TEST(a_receive_after_the_same_again)
{
	struct pm_fabric_config c;
	struct pnic_sqe s;
	struct pnic_cqe e;
	struct th_ep other;
	struct pair p;
	unsigned int k;

	pair_config(&c);
	c.parked = true;
	pair_open_config(&p, &c, plain, 7);
	th_ep(&p.t.h[1], &other, 20, &p.scq[1], &p.rcq[1], plain);
	s = th_sqe(PNIC_OP_SEND, &p.ep[1], &p.mr[0], 0, 100);
	th_post(&p.ep[0], &s);
	ring(&p, 0, p.ep[0].ctx);
	for (k = 0; k < 10; k++) {
		s = th_sqe(PNIC_OP_WRITE, &p.ep[0], NULL, 0, 0);
		th_remote(&s, &p.mr[0], 0);
		s.flags = PNIC_SQF_INLINE;
		s.length = htole32(8);
		th_post(&other, &s);
		ring(&p, 1, other.ctx);
	}
	th_recv(&p.ep[1], &p.mr[1], 0, 100, 7);
	ring(&p, 1, p.ep[1].ctx);
	CHECK_EQ(th_wait(&p.rcq[1], &e), PNIC_ST_OK);
	CHECK_EQ(th_wait(&p.scq[0], &e), PNIC_ST_OK);
	pair_close(&p);
}

/*
 * Single writes, most of them like the last one, of cards that are told of doorbells. @touch: each time
 * somebody has looked at the fabric, so that none is "the same again".
 */
static void run_singles(uint64_t seed, bool touch, struct outcome *out)
{
	struct pm_fabric_config c;
	unsigned int i, k, from;
	struct pnic_sqe s;
	struct pair p;

	memset(out, 0, sizeof(*out));
	pair_config(&c);
	c.parked = true;
	pair_open_config(&p, &c, plain, 7);
	for (i = 0; i < 2; i++)
		th_mr_fill(&p.mr[i], 0, MR_LEN, i);
	for (k = 0; k < 3000; k++) {
		from = below(&seed, 2);
		s = th_sqe(PNIC_OP_WRITE, &p.ep[!from], NULL, 0, 0);
		s.flags = PNIC_SQF_INLINE | (below(&seed, 16) ? 0 : PNIC_SQF_SIGNALED);
		s.length = htole32(below(&seed, 16) ? 8 : 1 + below(&seed, 16));
		s.local_addr = htole64(th_rand(&seed));
		s.local_key = htole64(th_rand(&seed));
		s.cookie = htole64(k);
		s.num_slots = 1;
		th_remote(&s, &p.mr[!from], below(&seed, 8) ? 8 * below(&seed, 8) : below(&seed, 2 * AREA - 16));
		switch (below(&seed, 64)) {
		case 0:
			s.remote_key ^= htole64(1ull << 40);
			break;
		case 1:		/* partly beyond the region */
			th_remote(&s, &p.mr[!from], MR_LEN - 1);
			break;
		case 2:		/* before it */
			th_remote(&s, &p.mr[!from], -8ull);
			break;
		case 3:
			s.dest_ep = htole32(99);
			break;
		case 4:
			s.flags |= 0x80;
			break;
		case 5:
			s.opcode = PNIC_OP_NOP;
			s.flags = PNIC_SQF_SIGNALED;
			s.length = 0;
			break;
		case 6:
			th_remote(&s, &p.mr[!from], edge(&p.mr[!from]) - 4);
			break;
		}
		th_put(&p.ep[from], &s, 1);
		if (touch)
			pm_fabric_touch(p.t.f);
		th_go(&p.ep[from]);
		ring(&p, from, p.ep[from].ctx);
		if (!below(&seed, 4))
			take(&p, from, out);
	}
	pm_fabric_touch(p.t.f);
	for (i = 0; i < 2; i++) {
		take(&p, i, out);
		th_mr_get(&p.mr[i], 0, out->mem[i], 2 * AREA);
		pm_card_counters(p.t.h[i].card, &out->count[i]);
	}
	pair_close(&p);
}

KTAP_TEST(the_same_again)
{
	static struct outcome again, looked;
	unsigned int i, k;
	uint64_t seed;

	for (seed = 1; seed <= 10; seed++) {
		run_singles(seed, false, &again);
		run_singles(seed, true, &looked);
		for (i = 0; i < 2; i++) {
			REQUIRE_EQ(again.cqes[i], looked.cqes[i]);
			for (k = 0; k < again.cqes[i]; k++)
				CHECK(!memcmp(&again.cqe[i][k], &looked.cqe[i][k], sizeof(again.cqe[i][k])));
			CHECK(!memcmp(again.mem[i], looked.mem[i], sizeof(again.mem[i])));
			CHECK_EQ(le64toh(again.count[i].wqes), le64toh(looked.count[i].wqes));
			CHECK_EQ(le64toh(again.count[i].cqes), le64toh(looked.count[i].cqes));
			CHECK_EQ(le64toh(again.count[i].doorbells), le64toh(looked.count[i].doorbells));
			CHECK_EQ(le64toh(again.count[i].frames_tx), le64toh(looked.count[i].frames_tx));
			CHECK_EQ(le64toh(again.count[i].payload_rx), le64toh(looked.count[i].payload_rx));
		}
	}
}

KTAP_MAIN()
