// SPDX-License-Identifier: GPL-2.0
/*
 * Garbage: random registers, commands, rings, doorbells and memory that comes and goes, by two hosts at once.
 *
 * A round is one seed. Nothing may crash, hang or reach memory that the host did not offer (the program is also built with
 * sanitizers), and after each round a reset card works as if nothing had been. PNIC_FUZZ_ROUNDS=N runs
 * more, PNIC_FUZZ_SEED=S begins elsewhere.
 */
#include "card_host.h"

#define PAGES		2048u
#define STEPS		1500u
#define POLL_MAX_S	2.0

struct fuzz {
	struct th t;
	uint64_t seed;
	double worst;
	/* What commands were answered, so that a fuzzer that only ever gets refused is noticed. */
	uint64_t ok, refused, cqes;
};

static uint32_t below(struct fuzz *z, uint32_t n)
{
	return th_rand(&z->seed) % n;
}

static bool chance(struct fuzz *z, uint32_t n)
{
	return !below(z, n);
}

/* An address that is often right, and often nearly. */
static uint64_t any_addr(struct fuzz *z)
{
	uint64_t a = TH_DMA_BASE + (uint64_t)(16 + below(z, PAGES - 16)) * TH_PAGE;

	switch (below(z, 12)) {
	case 0:
		return th_rand(&z->seed);
	case 1:
		return a + below(z, TH_PAGE);
	case 2:
		return TH_DMA_BASE + (uint64_t)PAGES * TH_PAGE - below(z, 2 * TH_PAGE);
	case 3:
		return 0;
	case 4:
		return UINT64_MAX - below(z, 5000);
	default:
		return a;
	}
}

static uint32_t small(struct fuzz *z)
{
	return chance(z, 30) ? (uint32_t)th_rand(&z->seed) : below(z, 4);
}

static uint64_t any_key(struct fuzz *z)
{
	uint32_t index = small(z) & 0xffffff;

	return chance(z, 10) ? th_rand(&z->seed) : (0x5501000000ull | index);
}

static uint64_t any_va(struct fuzz *z)
{
	return chance(z, 8) ? th_rand(&z->seed) : 0x10000 + below(z, 70000);
}

static uint32_t any_len(struct fuzz *z)
{
	switch (below(z, 6)) {
	case 0:
		return 0;
	case 1:
		return th_rand(&z->seed);
	case 2:
		return 1u << below(z, 32);
	case 3:
		return 8;
	default:
		return below(z, 60000);
	}
}

static uint16_t any_slot(struct fuzz *z)
{
	return chance(z, 20) ? th_rand(&z->seed) : 8 + below(z, 24);
}

static void any_command(struct fuzz *z, uint64_t *raw)
{
	static const uint8_t ops[] = {
		PNIC_ADM_NOP, PNIC_ADM_IDENTIFY, PNIC_ADM_CREATE_EQ, PNIC_ADM_DESTROY_EQ, PNIC_ADM_CREATE_CTX,
		PNIC_ADM_DESTROY_CTX, PNIC_ADM_BIND_DB, PNIC_ADM_UNBIND_DB, PNIC_ADM_CREATE_MR,
		PNIC_ADM_CREATE_MR, PNIC_ADM_DESTROY_MR, PNIC_ADM_CREATE_CQ, PNIC_ADM_CREATE_CQ,
		PNIC_ADM_DESTROY_CQ, PNIC_ADM_CREATE_EP, PNIC_ADM_CREATE_EP, PNIC_ADM_CREATE_EP,
		PNIC_ADM_DESTROY_EP, PNIC_ADM_RESET_EP, PNIC_ADM_RESET_EP, PNIC_ADM_RESET_EP,
		PNIC_ADM_RESET_EP, PNIC_ADM_LINK_QUERY, PNIC_ADM_LANE_TABLE,
		PNIC_ADM_LANE_CTL, PNIC_ADM_MAP_QUERY, PNIC_ADM_MAP_STAGE, PNIC_ADM_MAP_SWITCH,
		PNIC_ADM_MAP_ABORT, PNIC_ADM_MGMT_SEND, PNIC_ADM_MGMT_RECV, PNIC_ADM_COUNTERS,
	};
	uint8_t *b = (uint8_t *)raw, op = ops[below(z, sizeof(ops))];
	unsigned int i;

	memset(raw, 0, PNIC_ASQE_SIZE);
	b[0] = op;
	switch (op) {
	case PNIC_ADM_CREATE_EQ: {
		struct pnic_adm_create_eq *k = (void *)raw;

		k->eqn = small(z);
		k->vector = small(z);
		k->log_size = 4 + below(z, 4);
		k->base = any_addr(z);
		break;
	}
	case PNIC_ADM_CREATE_CTX: {
		struct pnic_adm_create_ctx *k = (void *)raw;

		k->ctx = 1 + small(z);
		k->partition = below(z, 2);
		break;
	}
	case PNIC_ADM_BIND_DB:
	case PNIC_ADM_UNBIND_DB: {
		struct pnic_adm_bind_db *k = (void *)raw;

		k->page = small(z);
		k->ctx = 1 + (chance(z, 3) ? small(z) : k->page);
		break;
	}
	case PNIC_ADM_CREATE_MR: {
		struct pnic_adm_create_mr *k = (void *)raw;

		k->key = any_key(z);
		k->index = k->key & 0xffffff;
		k->ctx = 1 + small(z);
		k->va = 0x10000;
		k->length = 65536;
		k->num_pages = 16;
		k->page_shift = 12;
		k->rights = chance(z, 3) ? below(z, 32) : 31;
		k->pbl = TH_DMA_BASE + 15 * TH_PAGE;
		break;
	}
	case PNIC_ADM_CREATE_CQ: {
		struct pnic_adm_create_cq *k = (void *)raw;

		k->cqn = small(z);
		k->ctx = 1 + small(z);
		k->base = any_addr(z);
		k->eqn = small(z);
		k->log_size = below(z, 8);
		k->db_page = chance(z, 3) ? small(z) : k->ctx - 1;
		k->db_slot = any_slot(z);
		break;
	}
	case PNIC_ADM_CREATE_EP: {
		struct pnic_adm_create_ep *k = (void *)raw;

		k->epn = small(z);
		k->ctx = 1 + small(z);
		k->sq_base = any_addr(z);
		k->rq_base = chance(z, 4) ? 0 : any_addr(z);
		k->sq_log_size = 4 + below(z, 3);
		k->rq_log_size = k->rq_base ? below(z, 5) : 0;
		k->flags = below(z, 2);
		k->send_cqn = small(z);
		k->recv_cqn = small(z);
		k->db_page = chance(z, 3) ? small(z) : k->ctx - 1;
		k->sq_slot = any_slot(z);
		k->rq_slot = any_slot(z);
		k->rnr_timeout_us = chance(z, 2) ? 0 : below(z, 2000);
		break;
	}
	case PNIC_ADM_LANE_CTL: {
		struct pnic_adm_lane_ctl *k = (void *)raw;

		k->lane = below(z, 24);
		k->enable = !chance(z, 3);
		break;
	}
	case PNIC_ADM_MAP_STAGE:
	case PNIC_ADM_MAP_SWITCH:
	case PNIC_ADM_MAP_ABORT: {
		struct pnic_adm_map *k = (void *)raw;

		k->addr = op == PNIC_ADM_MAP_STAGE ? any_addr(z) : 0;
		k->length = op == PNIC_ADM_MAP_STAGE ? below(z, 60) : 0;
		k->generation = op == PNIC_ADM_MAP_STAGE ? 0 : below(z, 4);
		k->dir = below(z, 2);
		break;
	}
	case PNIC_ADM_IDENTIFY:
	case PNIC_ADM_LINK_QUERY:
	case PNIC_ADM_LANE_TABLE:
	case PNIC_ADM_MAP_QUERY:
	case PNIC_ADM_COUNTERS:
	case PNIC_ADM_MGMT_SEND:
	case PNIC_ADM_MGMT_RECV: {
		struct pnic_adm_mgmt *k = (void *)raw;

		k->addr = any_addr(z);
		k->length = op == PNIC_ADM_IDENTIFY ? 0 : any_len(z);
		break;
	}
	case PNIC_ADM_NOP:
		break;
	default:
		((struct pnic_adm_destroy *)raw)->id = small(z);
	}
	/* Now and then a byte anywhere, or all of it. */
	if (chance(z, 6))
		b[below(z, PNIC_ASQE_SIZE)] = th_rand(&z->seed);
	if (chance(z, 40)) {
		for (i = 0; i < 8; i++)
			raw[i] = th_rand(&z->seed);
	}
}

static void any_sqe(struct fuzz *z, uint8_t *raw)
{
	struct pnic_sqe *s = (void *)raw;
	unsigned int i;

	for (i = 0; i < PNIC_SLOT_SIZE; i++)
		raw[i] = th_rand(&z->seed);
	if (chance(z, 10))
		return;
	s->opcode = below(z, 9);
	s->flags = below(z, 8);
	s->num_sge = chance(z, 4) ? below(z, 9) : 0;
	s->length = any_len(z);
	if (s->opcode == PNIC_OP_NOP || s->opcode == PNIC_OP_FLUSH) {
		s->length = 0;
		s->num_sge = 0;
		s->flags &= ~PNIC_SQF_INLINE;
	}
	if (s->opcode >= PNIC_OP_READ)
		s->flags &= ~PNIC_SQF_INLINE;
	if (s->flags & PNIC_SQF_INLINE) {
		s->num_sge = 0;
		s->length %= 300;
	}
	if (s->opcode == PNIC_OP_FETCH_ADD || s->opcode == PNIC_OP_COMP_SWAP) {
		s->num_sge = 0;
		s->length = 8;
	}
	if (s->flags & PNIC_SQF_INLINE)
		s->num_slots = 1 + (s->length > 16 ? (s->length - 16 + 63) / 64 : 0);
	else
		s->num_slots = s->num_sge < 2 ? 1 : 1 + (s->num_sge + 1) / 2;
	if (chance(z, 20))
		s->num_slots = below(z, 8);
	s->dest_nic = 0x101 + below(z, chance(z, 10) ? 4 : 2);
	s->dest_ep = small(z);
	s->remote_addr = any_va(z) & (chance(z, 2) ? ~7ull : ~0ull);
	s->remote_key = any_key(z);
	s->local_addr = any_va(z);
	s->local_key = any_key(z);
}

static void any_rqe(struct fuzz *z, uint8_t *raw)
{
	struct pnic_rqe *r = (void *)raw;

	r->cookie = th_rand(&z->seed);
	r->addr = any_va(z);
	r->key = any_key(z);
	r->length = any_len(z);
	r->rsvd = chance(z, 10);
}

/* Descriptors, receive entries, lists and noise all over memory. */
static void litter(struct fuzz *z, struct th_host *h)
{
	uint64_t page = TH_DMA_BASE + (uint64_t)(16 + below(z, PAGES - 16)) * TH_PAGE;
	uint8_t *p = th_ptr(h, page);
	unsigned int i, kind = below(z, 3);

	for (i = 0; i < TH_PAGE; i += 64) {
		if (kind == 0) {
			any_sqe(z, p + i);
		} else if (kind == 1) {
			any_rqe(z, p + i);
			any_rqe(z, p + i + 32);
		} else {
			*(uint64_t *)(void *)(p + i) = any_addr(z);
		}
	}
}

/* The page list that regions are made of: mostly pages that exist. */
static void make_list(struct fuzz *z, struct th_host *h)
{
	uint64_t *p = th_ptr(h, TH_DMA_BASE + 15 * TH_PAGE);
	unsigned int i;

	for (i = 0; i < 16; i++)
		p[i] = (chance(z, 40) ? any_addr(z) : TH_DMA_BASE + (uint64_t)(16 + below(z, PAGES - 16)) * TH_PAGE) &
		       ~4095ull;
}

/* What up() made: for context c, page c - 1: a CQ at slot 8 and an endpoint at 9 and 10. */
static void any_doorbell(struct fuzz *z, struct th_host *h)
{
	uint64_t *slot = th_slot(h, below(z, 4), chance(z, 4) ? 8 + below(z, 24) : 9 + below(z, 2)), v = *slot;

	switch (below(z, 60)) {
	case 0:
		v = th_rand(&z->seed);
		break;
	case 1:
		v = PNIC_DB_CQ_ARM | (uint32_t)v;
		break;
	case 2:
		v--;
		break;
	default:
		v += 1 + below(z, 3);
	}
	__atomic_store_n(slot, v, __ATOMIC_RELEASE);
}

/* Rings full of garbage that is nearly right. */
static uint64_t make_ring(struct fuzz *z, struct th_host *h, uint32_t pages, bool send)
{
	uint64_t base = TH_DMA_BASE + (uint64_t)(16 + below(z, PAGES - 16 - pages)) * TH_PAGE;
	uint32_t i;

	for (i = 0; i < pages * TH_PAGE; i += 64) {
		uint8_t *p = th_ptr(h, base + i);

		if (send) {
			any_sqe(z, p);
		} else {
			any_rqe(z, p);
			any_rqe(z, p + 32);
		}
	}
	return base;
}

static void make_objects(struct fuzz *z, struct th_host *h, uint32_t ctx)
{
	struct pnic_adm_create_ctx x = { .hdr.opcode = PNIC_ADM_CREATE_CTX, .ctx = ctx };
	struct pnic_adm_create_cq q = {
		.hdr.opcode = PNIC_ADM_CREATE_CQ, .cqn = ctx - 1, .ctx = ctx, .eqn = 1, .log_size = 12,
		.db_page = ctx - 1, .db_slot = 8,
		.base = TH_DMA_BASE + (uint64_t)(16 + below(z, PAGES - 100)) * TH_PAGE,
	};
	struct pnic_adm_create_ep e = {
		.hdr.opcode = PNIC_ADM_CREATE_EP, .epn = ctx - 1, .ctx = ctx, .sq_log_size = 6,
		.rq_log_size = 7, .flags = below(z, 2), .send_cqn = ctx - 1, .recv_cqn = ctx - 1,
		.db_page = ctx - 1, .sq_slot = 9, .rq_slot = 10, .rnr_timeout_us = below(z, 500),
	};
	struct pnic_adm_create_mr m = {
		.hdr.opcode = PNIC_ADM_CREATE_MR, .index = ctx - 1, .ctx = ctx,
		.key = 0x5501000000ull | (ctx - 1), .va = 0x10000, .length = 65536,
		.pbl = TH_DMA_BASE + 15 * TH_PAGE, .num_pages = 16, .page_shift = 12, .rights = 31,
	};

	e.sq_base = make_ring(z, h, 1, true);
	e.rq_base = make_ring(z, h, 1, false);
	th_cmd(h, &x);
	th_bind(h, ctx, ctx - 1);
	th_cmd(h, &q);
	th_cmd(h, &e);
	th_cmd(h, &m);
}

static void up(struct fuzz *z, struct th_host *h)
{
	unsigned int i;

	h->used = 1;
	memset(h->eq, 0, sizeof(h->eq));
	h->bad_page = 0;
	h->dma_off = false;
	make_list(z, h);
	th_up(h);
	for (i = 1; i <= 4; i++)
		make_objects(z, h, i);
}

static bool alive(struct th_host *h)
{
	return (th_rd(h, PNIC_REG_STATUS) & (PNIC_STATUS_READY | PNIC_STATUS_FATAL)) == PNIC_STATUS_READY;
}

static void drain(struct fuzz *z, struct th_host *h)
{
	struct pnic_acqe a;

	while (alive(h) && th_acqe(h, &a)) {
		if (a.status)
			z->refused++;
		else
			z->ok++;
	}
	th_read_events(h);
	h->events = 0;
}

static void act(struct fuzz *z, struct th_host *h)
{
	uint64_t cmd[8];

	switch (below(z, 10)) {
	case 0:
	case 1:
	case 2:
		any_command(z, cmd);
		if (h->asq_tail - h->acq_head < 8)
			th_submit(h, cmd);
		break;
	case 3:
		litter(z, h);
		break;
	case 4:
		if (chance(z, 200))
			th_wr(h, below(z, 0x1100), th_rand(&z->seed));
		if (chance(z, 100))
			h->bad_page = any_addr(z);
		if (chance(z, 30))
			h->bad_page = 0;
		break;
	case 5:
		if (chance(z, 100))
			pm_card_freeze(h->card, true);
		if (chance(z, 4))
			pm_card_freeze(h->card, false);
		break;
	default:
		any_doorbell(z, h);
	}
}

static void poll(struct fuzz *z)
{
	double t0 = th_real(), took;
	uint64_t sleep_ns;

	pm_fabric_poll(z->t.f, &sleep_ns);
	took = th_real() - t0;
	if (took > z->worst)
		z->worst = took;
}

/* After all that, a reset pair of cards must do what it should. */
static void still_works(struct fuzz *z)
{
	const struct th_ep_opts o = { .sq_log = 6, .rq_log = 6, .rnr_us = 100000 };
	struct th_cq cq[2];
	struct th_ep ep[2];
	struct th_mr mr[2];
	struct pnic_cqe e;
	struct pnic_sqe s;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct th_host *h = &z->t.h[i];

		th_wr(h, PNIC_REG_CTRL, PNIC_CTRL_RESET);
		h->used = 1;
		h->bad_page = 0;
		memset(h->eq, 0, sizeof(h->eq));
		th_up(h);
		th_ctx(h, 1, 0);
		th_cq(h, &cq[i], 0, 1, 6);
		th_ep(h, &ep[i], i, &cq[i], &cq[i], o);
		th_mr(h, &mr[i], 0, 1, 200000, TH_RIGHTS_ALL);
	}
	th_mr_fill(&mr[0], 0, 100000, z->seed);
	s = th_sqe(PNIC_OP_WRITE, &ep[1], &mr[0], 0, 100000);
	th_remote(&s, &mr[1], 100000);
	/* The links' maps may have been garbled too; both ends fall back after the resets. */
	th_post(&ep[0], &s);
	REQUIRE_EQ(th_wait(&cq[0], &e), PNIC_ST_OK);
	REQUIRE_EQ(th_mr_wrong(&mr[1], 100000, 100000, z->seed), 0);
	th_mr_free(&mr[0]);
	th_mr_free(&mr[1]);
}

static void round_of(struct fuzz *z, uint64_t seed)
{
	struct pnic_counters c;
	unsigned int i, k;

	z->seed = seed;
	for (k = 0; k < 2; k++) {
		up(z, &z->t.h[k]);
		for (i = 0; i < 200; i++)
			litter(z, &z->t.h[k]);
	}
	for (i = 0; i < STEPS; i++) {
		struct th_host *h = &z->t.h[below(z, 2)];

		act(z, h);
		if (chance(z, 3))
			poll(z);
		if (chance(z, 8))
			drain(z, h);
		if (!alive(h) || chance(z, 400)) {
			pm_card_counters(h->card, &c);
			z->cqes += le64toh(c.cqes);
			if (chance(z, 2))
				pm_card_reset(h->card);
			else
				th_wr(h, PNIC_REG_CTRL, PNIC_CTRL_RESET);
			up(z, h);
		}
	}
	for (k = 0; k < 2; k++) {
		pm_card_counters(z->t.h[k].card, &c);
		z->cqes += le64toh(c.cqes);
		pm_card_freeze(z->t.h[k].card, false);
	}
	still_works(z);
	for (k = 0; k < 2; k++)
		pm_card_reset(z->t.h[k].card);
}

static uint64_t env(const char *name, uint64_t other)
{
	const char *s = getenv(name);

	return s && *s ? strtoull(s, NULL, 0) : other;
}

KTAP_TEST(garbage)
{
	uint64_t rounds = env("PNIC_FUZZ_ROUNDS", 40), first = env("PNIC_FUZZ_SEED", 1), k;
	struct pm_fabric_config c;
	static struct fuzz z;

	memset(&z, 0, sizeof(z));
	th_config(&c, 2, "test-16");
	c.link.data_age_ms = 20;
	th_open_config(&z.t, &c, PAGES);
	for (k = first; k < first + rounds; k++) {
		round_of(&z, k);
		if (ktap.level[0].failures) {
			ktap_say("seed %llu", (unsigned long long)k);
			break;
		}
	}
	ktap_say("%llu commands done, %llu refused, %llu completions; longest poll %.1f ms",
		 (unsigned long long)z.ok, (unsigned long long)z.refused, (unsigned long long)z.cqes,
		 1e3 * z.worst);
	CHECK_GT(z.ok, 20 * rounds);
	CHECK_GT(z.refused, 20 * rounds);
	CHECK_GT(z.cqes, 20 * rounds);
	CHECK(z.worst < POLL_MAX_S);
	th_close(&z.t);
}

KTAP_MAIN()
