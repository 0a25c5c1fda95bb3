// SPDX-License-Identifier: GPL-2.0
/*
 * Cards together: resets and dead links in the middle of transfers, four NICs at a switch, traffic while lanes die
 * and frames are lost or damaged, and who has to wait for whom.
 */
#include "card_host.h"

#define SLOTS		8		/* transfers under way of a NIC to another */
#define SLOT_MAX	(160u << 10)
#define AREA		(SLOTS * SLOT_MAX)

struct node {
	struct th_host *h;
	struct th_cq scq, rcq;
	struct th_ep ep;
	struct th_mr mr;
};

static const struct th_ep_opts plain = { .sq_log = 8, .rq_log = 6, .rnr_us = 1000000 };

static void node_up(struct node *n, struct th_host *h, unsigned int i, uint64_t mr_len)
{
	n->h = h;
	th_up(h);
	th_ctx(h, 1, 0);
	th_cq(h, &n->scq, 0, 1, 9);
	th_cq(h, &n->rcq, 1, 1, 9);
	th_ep(h, &n->ep, i, &n->scq, &n->rcq, plain);
	if (n->mr.dma)
		th_mr_free(&n->mr);
	th_mr(h, &n->mr, i, 1, mr_len, TH_RIGHTS_ALL);
}

static void open_nodes(struct th *t, struct node *n, const struct pm_fabric_config *c, uint64_t mr_len)
{
	unsigned int i;

	th_open_config(t, c, 3 * (mr_len / TH_PAGE) + 4096);
	memset(n, 0, c->nics * sizeof(*n));
	for (i = 0; i < c->nics; i++)
		node_up(&n[i], &t->h[i], i, mr_len);
}

static void close_nodes(struct th *t, struct node *n)
{
	unsigned int i;

	for (i = 0; i < t->n; i++)
		th_mr_free(&n[i].mr);
	th_close(t);
}

static void post_long(struct node *from, struct node *to, uint8_t op, unsigned int n, uint32_t len)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct pnic_sqe s = th_sqe(op, &to->ep, &from->mr, 0, len);

		s.cookie = htole64(i);
		if (op == PNIC_OP_SEND)
			th_recv(&to->ep, &to->mr, 0, len, i);
		else
			th_remote(&s, &to->mr, 0);
		th_post(&from->ep, &s);
	}
}

/*
 * All @count completions, once each and in order: OK up to some point, @st there, and then @st or @later (of what
 * had not begun).
 */
static void expect_end(struct node *n, unsigned int count, int st, int later)
{
	struct pnic_cqe e;
	unsigned int i;
	bool failed = false;

	for (i = 0; i < count; i++) {
		int got = th_wait(&n->scq, &e);

		CHECK_EQ(le64toh(e.cookie), i);
		if (got != st)
			CHECK_EQ(got, failed ? later : PNIC_ST_OK);
		failed |= got != PNIC_ST_OK;
	}
	CHECK(failed);
	th_settle(n->h->t);
	CHECK(!th_cq_peek(&n->scq, &e));
}

static const uint8_t long_ops[] = { PNIC_OP_WRITE, PNIC_OP_READ, PNIC_OP_SEND };

static void config(struct pm_fabric_config *c, unsigned int nics)
{
	th_config(c, nics, "test-16");
	c->link.data_age_ms = 50;
}

/* The far NIC is reset: what was under way ends so, what comes after its new set-up works. */
static void far_reset(unsigned int nics)
{
	struct pm_fabric_config c;
	struct node n[4];
	struct pnic_cqe e;
	uint64_t sleep_ns;
	unsigned int k, i;
	struct th t;

	config(&c, nics);
	for (k = 0; k < 3; k++) {
		SUBTEST("%u NICs, operation %u", nics, long_ops[k]) {
			open_nodes(&t, n, &c, 2 << 20);
			post_long(&n[0], &n[1], long_ops[k], 16, 2 << 20);
			for (i = 0; i < 5; i++)
				pm_fabric_poll(t.f, &sleep_ns);
			pm_card_reset(t.h[1].card);
			th_mr_set(&n[1].mr, 0, 2 << 20, 0x77);
			t.h[1].dma_off = true;
			expect_end(&n[0], 16, PNIC_ST_PEER_RESET, PNIC_ST_REMOTE_EP);
			t.h[1].dma_off = false;
			CHECK_EQ(th_mr_not(&n[1].mr, 0, 2 << 20, 0x77), 0);
			post_long(&n[0], &n[1], PNIC_OP_WRITE, 1, 64);
			CHECK_EQ(th_wait(&n[0].scq, &e), PNIC_ST_REMOTE_EP);
			node_up(&n[1], &t.h[1], 1, 2 << 20);
			th_mr_fill(&n[0].mr, 0, 2 << 20, 6);
			post_long(&n[0], &n[1], PNIC_OP_WRITE, 1, 2 << 20);
			CHECK_EQ(th_wait(&n[0].scq, &e), PNIC_ST_OK);
			CHECK_EQ(th_mr_wrong(&n[1].mr, 0, 2 << 20, 6), 0);
			close_nodes(&t, n);
		}
	}
}

KTAP_TEST(far_nic_reset)
{
	far_reset(2);
	far_reset(3);
}

/* The sending NIC is reset: it does nothing more, and a receive entry that was taken says what happened. */
KTAP_TEST(own_nic_reset)
{
	struct pm_fabric_config c;
	struct pnic_cqe e;
	struct node n[2];
	uint64_t sleep_ns;
	unsigned int i, k;
	struct th t;
	int st = -1;

	config(&c, 2);
	for (k = 0; k < 3; k++) {
		SUBTEST("operation %u", long_ops[k]) {
			open_nodes(&t, n, &c, 2 << 20);
			post_long(&n[0], &n[1], long_ops[k], 16, 2 << 20);
			for (i = 0; i < 5; i++)
				pm_fabric_poll(t.f, &sleep_ns);
			pm_card_reset(t.h[0].card);
			th_mr_set(&n[0].mr, 0, 2 << 20, 0x77);
			t.h[0].dma_off = true;
			th_settle(&t);
			for (i = 0; i < 100; i++)
				th_step(&t);
			t.h[0].dma_off = false;
			CHECK_EQ(th_mr_not(&n[0].mr, 0, 2 << 20, 0x77), 0);
			if (long_ops[k] == PNIC_OP_SEND) {
				while (th_cq_poll(&n[1].rcq, &e))
					st = th_status(&e);
				CHECK_EQ(st, PNIC_ST_PEER_RESET);
			}
			node_up(&n[0], &t.h[0], 0, 2 << 20);
			th_mr_fill(&n[0].mr, 0, 2 << 20, 8);
			post_long(&n[0], &n[1], PNIC_OP_WRITE, 1, 2 << 20);
			CHECK_EQ(th_wait(&n[0].scq, &e), PNIC_ST_OK);
			CHECK_EQ(th_mr_wrong(&n[1].mr, 0, 2 << 20, 8), 0);
			close_nodes(&t, n);
		}
	}
}

/* Resets of either end at any moment, many times. */
KTAP_TEST(reset_storm)
{
	struct pm_fabric_config c;
	uint64_t seed = 11, sleep_ns;
	struct pnic_cqe e;
	struct node n[2];
	unsigned int i, k, who;
	struct th t;

	config(&c, 2);
	th_open_config(&t, &c, 60000);
	memset(n, 0, sizeof(n));
	for (i = 0; i < 2; i++)
		node_up(&n[i], &t.h[i], i, 1 << 20);
	for (k = 0; k < 60; k++) {
		unsigned int count[2];

		for (i = 0; i < 2; i++) {
			count[i] = 1 + th_rand(&seed) % 30;
			post_long(&n[i], &n[!i], long_ops[th_rand(&seed) % 3], count[i],
				  1 + th_rand(&seed) % (1 << 20));
		}
		for (i = th_rand(&seed) % 12; i; i--)
			pm_fabric_poll(t.f, &sleep_ns);
		who = th_rand(&seed) % 2;
		pm_card_reset(t.h[who].card);
		for (i = 0; i < count[!who]; i++) {
			int st = th_wait(&n[!who].scq, &e);

			REQUIRE(st == PNIC_ST_OK || st == PNIC_ST_PEER_RESET || st == PNIC_ST_REMOTE_EP);
			REQUIRE_EQ(le64toh(e.cookie), i);
		}
		while (th_cq_poll(&n[!who].rcq, &e))
			;
		REQUIRE_EQ(th_destroy(&t.h[!who], PNIC_ADM_RESET_EP, !who), PNIC_AS_OK);
		n[!who].ep.sq_pi = 0;
		n[!who].ep.rq_pi = 0;
		while (th_cq_poll(&n[!who].scq, &e) || th_cq_poll(&n[!who].rcq, &e))
			;
		t.h[who].used = 1;
		memset(t.h[who].eq, 0, sizeof(t.h[who].eq));
		node_up(&n[who], &t.h[who], who, 1 << 20);
	}
	close_nodes(&t, n);
}

/* No light for longer than the data age: everything under way ends, and later all is well again. */
static void link_lost(unsigned int nics, unsigned int cut)
{
	struct pm_fabric_config c;
	struct pm_port *port;
	struct pnic_cqe e;
	struct node n[4];
	uint64_t sleep_ns;
	unsigned int i, k;
	struct th t;

	config(&c, nics);
	for (k = 0; k < 3; k++) {
		SUBTEST("%u NICs, link of %u cut, operation %u", nics, cut, long_ops[k]) {
			open_nodes(&t, n, &c, 2 << 20);
			port = pm_card_port(t.h[cut].card);
			post_long(&n[0], &n[1], long_ops[k], 16, 2 << 20);
			for (i = 0; i < 5; i++)
				pm_fabric_poll(t.f, &sleep_ns);
			REQUIRE_EQ(pm_fault_cut(port, true), 0);
			expect_end(&n[0], 16, PNIC_ST_LINK, PNIC_ST_LINK);
			post_long(&n[0], &n[1], PNIC_OP_WRITE, 3, 2 << 20);
			for (i = 0; i < 3; i++)
				CHECK_EQ(th_wait(&n[0].scq, &e), PNIC_ST_LINK);
			REQUIRE_EQ(pm_fault_cut(port, false), 0);
			REQUIRE(TH_UNTIL(&t, pm_port_state(port) == PNIC_LINK_UP));
			th_mr_fill(&n[0].mr, 0, 2 << 20, 3);
			post_long(&n[0], &n[1], PNIC_OP_WRITE, 1, 2 << 20);
			CHECK_EQ(th_wait(&n[0].scq, &e), PNIC_ST_OK);
			CHECK_EQ(th_mr_wrong(&n[1].mr, 0, 2 << 20, 3), 0);
			close_nodes(&t, n);
		}
	}
}

KTAP_TEST(link_past_data_age)
{
	link_lost(2, 0);
	link_lost(3, 0);
	link_lost(3, 1);
}

/* A cut shorter than the data age costs nothing but time. */
KTAP_TEST(short_cut)
{
	struct pm_fabric_config c;
	struct pnic_cqe e;
	struct node n[2];
	uint64_t sleep_ns;
	unsigned int i;
	struct th t;
	double end;

	config(&c, 2);
	c.link.data_age_ms = 4000;
	open_nodes(&t, n, &c, 2 << 20);
	th_mr_fill(&n[0].mr, 0, 2 << 20, 3);
	post_long(&n[0], &n[1], PNIC_OP_WRITE, 16, 2 << 20);
	for (i = 0; i < 5; i++)
		pm_fabric_poll(t.f, &sleep_ns);
	pm_fault_cut(pm_card_port(t.h[0].card), true);
	for (end = th_real() + 0.1; th_real() < end;)
		th_step(&t);
	CHECK(!th_cq_peek(&n[0].scq, &e) || th_status(&e) == PNIC_ST_OK);
	pm_fault_cut(pm_card_port(t.h[0].card), false);
	for (i = 0; i < 16; i++)
		CHECK_EQ(th_wait(&n[0].scq, &e), PNIC_ST_OK);
	CHECK_EQ(th_mr_wrong(&n[1].mr, 0, 2 << 20, 3), 0);
	close_nodes(&t, n);
}

/*
 * All to all: each NIC keeps SLOTS transfers of random kind and size under way to each NIC, itself included. Each slot has
 * its own place at both ends, is checked byte by byte when it completes, and used again.
 */
struct traffic {
	struct th *t;
	struct node *n;
	unsigned int nics;
	struct slot {
		bool busy;
		uint8_t op;
		uint32_t len, skew;
		uint64_t seed;
	} slot[4][4][SLOTS];
	uint64_t seed, posted, done, wrong, failed, bytes;
};

/* Place of (@from -> @to, @k) at the one end's region and the other's. */
static uint64_t place(const struct traffic *x, unsigned int peer, unsigned int k, bool far)
{
	return ((uint64_t)(far ? x->nics + peer : peer) * SLOTS + k) * SLOT_MAX;
}

static void traffic_post(struct traffic *x, unsigned int from, unsigned int to, unsigned int k)
{
	static const uint8_t ops[] = { PNIC_OP_WRITE, PNIC_OP_READ, PNIC_OP_WRITE, PNIC_OP_READ };
	struct slot *s = &x->slot[from][to][k];
	struct node *a = &x->n[from], *b = &x->n[to];
	struct pnic_sqe q;

	s->busy = true;
	s->op = ops[th_rand(&x->seed) % 4];
	s->skew = th_rand(&x->seed) % 100;
	s->len = th_rand(&x->seed) % 4 ? th_rand(&x->seed) % 9000 : th_rand(&x->seed) % (SLOT_MAX - 100);
	s->seed = ++x->posted;
	q = th_sqe(s->op, &b->ep, &a->mr, place(x, to, k, false) + s->skew, s->len);
	q.cookie = htole64((uint64_t)to << 8 | k);
	th_remote(&q, &b->mr, place(x, from, k, true) + s->skew);
	if (s->op == PNIC_OP_WRITE)
		th_mr_fill(&a->mr, place(x, to, k, false) + s->skew, s->len, s->seed);
	else
		th_mr_fill(&b->mr, place(x, from, k, true) + s->skew, s->len, s->seed);
	th_post(&a->ep, &q);
}

static void traffic_done(struct traffic *x, unsigned int from, const struct pnic_cqe *e)
{
	unsigned int to = le64toh(e->cookie) >> 8, k = le64toh(e->cookie) & 0xff;
	struct slot *s;

	REQUIRE(to < x->nics && k < SLOTS);
	s = &x->slot[from][to][k];
	REQUIRE(s->busy);
	s->busy = false;
	x->done++;
	if (th_status(e) != PNIC_ST_OK) {
		x->failed++;
		return;
	}
	x->bytes += s->len;
	if (s->op == PNIC_OP_WRITE)
		x->wrong += th_mr_wrong(&x->n[to].mr, place(x, from, k, true) + s->skew, s->len, s->seed);
	else
		x->wrong += th_mr_wrong(&x->n[from].mr, place(x, to, k, false) + s->skew, s->len, s->seed);
}

static void traffic_step(struct traffic *x, bool post)
{
	unsigned int from, to, k;
	struct pnic_cqe e;

	for (from = 0; from < x->nics; from++) {
		while (th_cq_poll(&x->n[from].scq, &e))
			traffic_done(x, from, &e);
		for (to = 0; to < x->nics; to++) {
			for (k = 0; k < SLOTS && post; k++) {
				if (!x->slot[from][to][k].busy)
					traffic_post(x, from, to, k);
			}
		}
	}
	th_step(x->t);
}

static void traffic_end(struct traffic *x)
{
	double end = th_real() + TH_WAIT_S;

	while (x->done < x->posted && th_real() < end)
		traffic_step(x, false);
	ktap_say("%llu transfers, %.1f MB", (unsigned long long)x->done, x->bytes / 1e6);
	CHECK_EQ(x->done, x->posted);
	CHECK_EQ(x->wrong, 0);
	CHECK_EQ(x->failed, 0);
}

static void traffic_open(struct traffic *x, struct th *t, struct node *n, unsigned int nics, const char *profile)
{
	struct pm_fabric_config c;

	th_config(&c, nics, profile);
	open_nodes(t, n, &c, (uint64_t)AREA * 2 * nics);
	memset(x, 0, sizeof(*x));
	x->t = t;
	x->n = n;
	x->nics = nics;
	x->seed = 3;
}

static struct traffic x;

KTAP_TEST(all_to_all)
{
	struct node n[4];
	struct th t;

	traffic_open(&x, &t, n, 4, "mosaic-800g");
	while (x.done < 6000)
		traffic_step(&x, true);
	traffic_end(&x);
	close_nodes(&t, n);
}

/* Lanes die, as many as FEC bears with nobody to replace them, and others come and go. */
KTAP_TEST(all_to_all_while_lanes_die)
{
	struct node n[4];
	uint64_t seed = 21;
	unsigned int k;
	struct th t;

	traffic_open(&x, &t, n, 4, "mosaic-800g");
	for (k = 0; k < 60; k++) {
		uint64_t until = x.done + 60;
		unsigned int nic = th_rand(&seed) % 4;
		struct pm_port *p = k & 1 ? pm_card_port(t.h[nic].card) : pm_fabric_switch_port(t.f, nic);

		if (k < 24)
			CHECK_EQ(pm_fault_kill(p, th_rand(&seed) % 425), 0);
		else
			CHECK_EQ(pm_fault_degrade(p, th_rand(&seed) % 425, 1.5), 0);
		while (x.done < until)
			traffic_step(&x, true);
	}
	traffic_end(&x);
	close_nodes(&t, n);
}

KTAP_TEST(lost_and_damaged_frames)
{
	unsigned int nics, k;
	struct node n[4];
	uint64_t seed = 4;
	struct th t;

	for (nics = 2; nics <= 4; nics += 2) {
		SUBTEST("%u NICs", nics) {
			struct pnic_counters c;

			traffic_open(&x, &t, n, nics, "test-16");
			for (k = 0; k < 150; k++) {
				uint64_t until = x.done + 20;
				unsigned int nic = th_rand(&seed) % nics;
				struct pm_port *p = pm_fabric_switch_port(t.f, nic);

				if (!p || k % 3)
					p = pm_card_port(t.h[nic].card);
				if (k & 1)
					pm_fault_drop(p, 1 + th_rand(&seed) % 5);
				else
					pm_fault_corrupt(p, 1 + th_rand(&seed) % 5);
				while (x.done < until)
					traffic_step(&x, true);
			}
			traffic_end(&x);
			pm_card_counters(t.h[0].card, &c);
			CHECK_NE(c.frames_replayed, 0);
			close_nodes(&t, n);
		}
	}
}

/*
 * Nothing but the card's own doing is needed for transfers to end: when a poll says that there is nothing to do, they
 * have ended. (A turn that is forgotten would be made up for by the next timer of the link, unseen.)
 */
KTAP_TEST(no_turn_forgotten)
{
	struct pm_fabric_config c;
	struct node n[4];
	struct pnic_cqe e;
	unsigned int nics, k, i;
	struct th t;

	for (nics = 2; nics <= 4; nics += 2) {
		SUBTEST("%u NICs", nics) {
			th_config(&c, nics, "mosaic-800g");
			open_nodes(&t, n, &c, 2 << 20);
			for (k = 0; k < 300; k++) {
				unsigned int count = 1 + k % 70;

				post_long(&n[0], &n[1], long_ops[k % 2], count, k % 7 ? 64 << (k % 13) : 8);
				th_settle(&t);
				for (i = 0; i < count; i++)
					REQUIRE(th_cq_poll(&n[0].scq, &e));
			}
			close_nodes(&t, n);
		}
	}
}

/* A region of 4 GiB on few pages: each page of it is one of 16. */
static void huge_mr(struct th_host *h, struct th_mr *mr, uint32_t index)
{
	const uint32_t pages = 1u << 20;
	struct pnic_adm_create_mr k;
	uint64_t pbl, list;
	uint32_t i;

	memset(mr, 0, sizeof(*mr));
	mr->h = h;
	mr->index = index;
	mr->ctx = 1;
	mr->va = 1ull << 40;
	mr->len = 1ull << 32;
	mr->key = 0xabcdef000000ull | index;
	mr->pages = pages;
	list = th_alloc(h, pages / 512 * 8);
	pbl = th_alloc(h, 16 * TH_PAGE);
	for (i = 0; i < 512; i++) {
		uint64_t e = htole64(pbl + (i % 15 + 1) * TH_PAGE);

		memcpy(th_ptr(h, pbl + 8ull * i), &e, 8);
	}
	for (i = 0; i < pages / 512; i++) {
		uint64_t e = htole64(pbl);

		memcpy(th_ptr(h, list + 8ull * i), &e, 8);
	}
	th_mr_cmd(mr, list, PNIC_PBL_PAGES, TH_RIGHTS_ALL, &k);
	REQUIRE_EQ(th_cmd(h, &k), PNIC_AS_OK);
}

/* The longest message there is does not stand in the way of another endpoint's short ones. */
KTAP_TEST(fairness)
{
	struct pm_fabric_config c;
	struct th_mr huge[2];
	struct pnic_cqe e;
	struct pnic_sqe s;
	struct node n[2];
	struct th_cq cq;
	struct th_ep ep;
	unsigned int i;
	uint64_t t0, t1, worst = 0;
	struct pm_sim *sim;
	struct th t;

	th_config(&c, 2, "mosaic-800g");
	open_nodes(&t, n, &c, 1 << 20);
	sim = pm_fabric_sim(t.f);
	for (i = 0; i < 2; i++)
		huge_mr(&t.h[i], &huge[i], 50);
	th_cq(&t.h[0], &cq, 7, 1, 6);
	th_ep(&t.h[0], &ep, 7, &cq, &cq, plain);
	s = th_sqe(PNIC_OP_WRITE, &n[1].ep, &huge[0], 0, UINT32_MAX);
	th_remote(&s, &huge[1], 0);
	th_post(&n[0].ep, &s);
	s.opcode = PNIC_OP_READ;
	th_post(&n[1].ep, &s);
	for (i = 0; i < 20; i++)
		th_step(&t);
	for (i = 0; i < 300; i++) {
		s = th_sqe(PNIC_OP_WRITE, &n[1].ep, &n[0].mr, 0, 8);
		th_remote(&s, &n[1].mr, 0);
		t0 = pm_sim_now(sim);
		th_post(&ep, &s);
		REQUIRE_EQ(th_wait(&cq, &e), PNIC_ST_OK);
		t1 = pm_sim_now(sim) - t0;
		worst = t1 > worst ? t1 : worst;
	}
	CHECK(!th_cq_peek(&n[0].scq, &e));
	ktap_say("slowest of 300 short writes beside one of 4 GiB - 1: %.1f us of link time", worst / 1e3);
	CHECK_LT(worst, 1000000);
	REQUIRE_EQ(th_destroy(&t.h[0], PNIC_ADM_DESTROY_EP, 0), PNIC_AS_OK);
	close_nodes(&t, n);
}

/* And arrives whole: as much as fits the time of a test, through a region whose every page is known. */
KTAP_TEST(incast)
{
	struct pm_fabric_config c;
	struct node n[4];
	struct pnic_cqe e;
	unsigned int i, k;
	struct th t;

	th_config(&c, 4, "mosaic-800g");
	open_nodes(&t, n, &c, 4 << 20);
	for (i = 1; i < 4; i++) {
		th_mr_fill(&n[i].mr, 0, 1 << 20, i);
		for (k = 0; k < 60; k++) {
			struct pnic_sqe s = th_sqe(PNIC_OP_WRITE, &n[0].ep, &n[i].mr, 0, 1 << 20);

			th_remote(&s, &n[0].mr, (uint64_t)i << 20);
			th_post(&n[i].ep, &s);
		}
	}
	for (i = 1; i < 4; i++) {
		for (k = 0; k < 60; k++)
			REQUIRE_EQ(th_wait(&n[i].scq, &e), PNIC_ST_OK);
		CHECK_EQ(th_mr_wrong(&n[0].mr, (uint64_t)i << 20, 1 << 20, i), 0);
	}
	close_nodes(&t, n);
}

KTAP_MAIN()
