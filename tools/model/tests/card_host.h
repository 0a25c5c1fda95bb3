/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small host for tests of the card: plain memory as DMA space, with every page somewhere else, and just
 * enough of a driver and a library to bring cards up and post to them.
 *
 * Everything runs in the test's thread; waiting means driving the fabric.
 */
#ifndef PNIC_TEST_CARD_HOST_H
#define PNIC_TEST_CARD_HOST_H

#include <endian.h>
#include <time.h>

#include "selftests/ktap.h"
#include "tools/model/core/card.h"
#include "driver/hw/pnic_admin.h"
#include "driver/hw/pnic_event.h"
#include "driver/hw/pnic_regs.h"
#include <linux/pnic_queue.h>

#define TH_UNUSED	__attribute__((unused))
#define TH_PAGE		4096u
#define TH_DMA_BASE	0x4000000000ull
#define TH_EQS		3
#define TH_EQ_LOG	8
#define TH_EVENTS	64
#define TH_WAIT_S	20

struct th_eq {
	uint64_t base;
	uint32_t head;
	uint8_t log;
};

struct th_host {
	struct th *t;
	struct pm_card *card;
	uint8_t *mem;
	uint32_t *map;			/* DMA page -> page of mem */
	uint32_t pages, used;
	bool dma_off;
	uint64_t bad_page;		/* DMA page that can't be reached, 0: none */
	uint8_t *db;
	uint64_t asq, acq;
	uint32_t asq_tail, acq_head, asq_log, acq_log;
	struct pnic_acqe last;
	uint16_t cid;
	struct th_eq eq[TH_EQS];
	struct pnic_eqe event[TH_EVENTS];	/* seen and not yet looked for */
	unsigned int events;
	unsigned int irqs[PM_VECTORS];
	uint16_t next_slot[PM_DB_PAGES];
};

struct th {
	struct pm_fabric *f;
	unsigned int n;
	struct th_host h[8];
	uint64_t polls;
};

struct th_cq {
	struct th_host *h;
	uint32_t cqn, ci, ctx;
	uint8_t log;
	uint64_t base;
	uint16_t slot;
};

struct th_ep {
	struct th_host *h;
	struct th_cq *scq, *rcq;
	uint32_t epn, ctx, sq_pi, rq_pi;
	uint8_t sq_log, rq_log;
	uint64_t sq, rq;
	uint16_t sq_slot, rq_slot;
};

struct th_mr {
	struct th_host *h;
	uint32_t index, ctx, pages;
	uint64_t va, len, key;
	uint64_t *dma;
};

/* Time and driving. */

TH_UNUSED static double th_real(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* One step: polls, and rests if there is nothing to do. */
TH_UNUSED static void th_step(struct th *t)
{
	uint64_t sleep_ns = 0;

	t->polls++;
	if (pm_fabric_poll(t->f, &sleep_ns))
		return;
	if (sleep_ns > 100000)
		sleep_ns = 100000;
	if (sleep_ns) {
		struct timespec ts = { 0, (long)sleep_ns };

		nanosleep(&ts, NULL);
	}
}

/* Polls until there is nothing more to do at once. */
TH_UNUSED static void th_settle(struct th *t)
{
	uint64_t sleep_ns;
	unsigned int n = 0;

	while (pm_fabric_poll(t->f, &sleep_ns))
		REQUIRE(++n < 10000000);
}

#define TH_UNTIL(t, cond)							\
	({									\
		double th_end = th_real() + TH_WAIT_S;				\
		bool th_ok;							\
										\
		while (!(th_ok = (cond)) && th_real() < th_end)			\
			th_step(t);						\
		th_ok;								\
	})

TH_UNUSED static uint64_t th_rand(uint64_t *s)
{
	uint64_t z = (*s += 0x9e3779b97f4a7c15ull);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* Memory. */

TH_UNUSED static void *th_ptr(struct th_host *h, uint64_t dma)
{
	uint64_t page = (dma - TH_DMA_BASE) / TH_PAGE;

	REQUIRE(dma >= TH_DMA_BASE && page < h->pages);
	return h->mem + (size_t)h->map[page] * TH_PAGE + dma % TH_PAGE;
}

static void *th_dma(void *host, uint64_t addr, size_t *len, bool write)
{
	struct th_host *h = host;
	uint64_t page = (addr - TH_DMA_BASE) / TH_PAGE, in = addr % TH_PAGE;

	(void)write;
	if (h->dma_off || addr < TH_DMA_BASE || page >= h->pages)
		return NULL;
	if (h->bad_page && addr / TH_PAGE == h->bad_page / TH_PAGE)
		return NULL;
	if (*len > TH_PAGE - in)
		*len = TH_PAGE - in;
	return h->mem + (size_t)h->map[page] * TH_PAGE + in;
}

static void th_irq(void *host, unsigned int vector)
{
	struct th_host *h = host;

	REQUIRE(vector < PM_VECTORS);
	h->irqs[vector]++;
}

static const struct pm_host_ops th_ops = { .dma = th_dma, .irq = th_irq };

/* DMA pages, contiguous as DMA addresses and scattered in memory, all 0. */
TH_UNUSED static uint64_t th_alloc(struct th_host *h, uint64_t bytes)
{
	uint32_t n = (bytes + TH_PAGE - 1) / TH_PAGE, first = h->used, i;

	REQUIRE(h->used + n <= h->pages);
	h->used += n;
	for (i = first; i < h->used; i++)
		memset(h->mem + (size_t)h->map[i] * TH_PAGE, 0, TH_PAGE);
	return TH_DMA_BASE + (uint64_t)first * TH_PAGE;
}

/* Set-up. */

TH_UNUSED static void th_host_init(struct th *t, struct th_host *h, unsigned int i, uint32_t pages)
{
	uint64_t seed = 77 + i;
	uint32_t k;

	memset(h, 0, sizeof(*h));
	h->t = t;
	h->card = pm_fabric_card(t->f, i);
	h->pages = pages;
	h->mem = malloc((size_t)pages * TH_PAGE);
	h->map = malloc(pages * sizeof(*h->map));
	h->db = aligned_alloc(TH_PAGE, (size_t)PM_DB_PAGES * TH_PAGE);
	REQUIRE(h->mem && h->map && h->db);
	memset(h->db, 0, (size_t)PM_DB_PAGES * TH_PAGE);
	for (k = 0; k < pages; k++)
		h->map[k] = k;
	for (k = pages; k-- > 1;) {
		uint32_t j = th_rand(&seed) % (k + 1), x = h->map[k];

		h->map[k] = h->map[j];
		h->map[j] = x;
	}
	h->used = 1;
	pm_card_attach(h->card, &th_ops, h);
	pm_card_set_db(h->card, h->db);
}

TH_UNUSED static void th_config(struct pm_fabric_config *c, unsigned int nics, const char *profile)
{
	memset(c, 0, sizeof(*c));
	c->nics = nics;
	c->seed = 1;
	c->park = true;
	pm_link_config_defaults(&c->link, profile);
}

TH_UNUSED static void th_open_config(struct th *t, const struct pm_fabric_config *c, uint32_t pages)
{
	char err[128] = "";
	unsigned int i;

	memset(t, 0, sizeof(*t));
	t->f = pm_fabric_new(c, err, sizeof(err));
	if (!t->f)
		ktap_say("%s", err);
	REQUIRE(t->f);
	t->n = c->nics;
	for (i = 0; i < t->n; i++)
		th_host_init(t, &t->h[i], i, pages);
	for (i = 0; i < t->n; i++) {
		struct pm_port *p = pm_card_port(t->h[i].card);

		REQUIRE(TH_UNTIL(t, pm_port_state(p) == PNIC_LINK_UP));
	}
}

TH_UNUSED static void th_close(struct th *t)
{
	unsigned int i;

	pm_fabric_free(t->f);
	for (i = 0; i < t->n; i++) {
		free(t->h[i].mem);
		free(t->h[i].map);
		free(t->h[i].db);
	}
}

TH_UNUSED static uint32_t th_rd(struct th_host *h, uint32_t off)
{
	return pm_card_reg_read(h->card, off);
}

TH_UNUSED static void th_wr(struct th_host *h, uint32_t off, uint32_t val)
{
	pm_card_reg_write(h->card, off, val);
}

TH_UNUSED static void th_enable(struct th_host *h, unsigned int asq_log, unsigned int acq_log)
{
	h->asq_log = asq_log;
	h->acq_log = acq_log;
	h->asq = th_alloc(h, PNIC_ASQE_SIZE << asq_log);
	h->acq = th_alloc(h, PNIC_ACQE_SIZE << acq_log);
	h->asq_tail = 0;
	h->acq_head = 0;
	h->events = 0;
	memset(h->next_slot, 0, sizeof(h->next_slot));
	th_wr(h, PNIC_REG_ASQ_BASE_LO, h->asq);
	th_wr(h, PNIC_REG_ASQ_BASE_HI, h->asq >> 32);
	th_wr(h, PNIC_REG_ACQ_BASE_LO, h->acq);
	th_wr(h, PNIC_REG_ACQ_BASE_HI, h->acq >> 32);
	th_wr(h, PNIC_REG_ADMIN_SIZE, asq_log | acq_log << 16);
	th_wr(h, PNIC_REG_CTRL, PNIC_CTRL_ENABLE);
	REQUIRE(TH_UNTIL(h->t, th_rd(h, PNIC_REG_STATUS) & PNIC_STATUS_READY));
}

/* Admin commands. */

TH_UNUSED static void th_submit(struct th_host *h, const void *cmd)
{
	uint64_t at = h->asq + (uint64_t)(h->asq_tail & ((1u << h->asq_log) - 1)) * PNIC_ASQE_SIZE;

	memcpy(th_ptr(h, at), cmd, PNIC_ASQE_SIZE);
	th_wr(h, PNIC_REG_ASQ_TAIL, ++h->asq_tail);
}

TH_UNUSED static bool th_acqe(struct th_host *h, struct pnic_acqe *e)
{
	uint64_t at = h->acq + (uint64_t)(h->acq_head & ((1u << h->acq_log) - 1)) * PNIC_ACQE_SIZE;
	uint32_t phase = !(h->acq_head >> h->acq_log & 1);

	memcpy(e, th_ptr(h, at), sizeof(*e));
	if ((le32toh(e->phase) & PNIC_PHASE) != phase)
		return false;
	th_wr(h, PNIC_REG_ACQ_HEAD, ++h->acq_head);
	return true;
}

/* Events: reads the queue into h->event. */
TH_UNUSED static void th_read_events(struct th_host *h)
{
	unsigned int q;

	for (q = 0; q < TH_EQS; q++) {
		struct th_eq *eq = &h->eq[q];

		while (eq->base) {
			uint64_t at = eq->base + (uint64_t)(eq->head & ((1u << eq->log) - 1)) * PNIC_EQE_SIZE;
			struct pnic_eqe e;

			memcpy(&e, th_ptr(h, at), sizeof(e));
			if ((le32toh(e.phase) & PNIC_PHASE) != !(eq->head >> eq->log & 1))
				break;
			th_wr(h, PNIC_REG_EQ_ARM(q), ++eq->head);
			if (e.type != PNIC_EV_ADMIN && h->events < TH_EVENTS)
				h->event[h->events++] = e;
		}
	}
}

/* A command, carried out: its status; all of the completion in h->last. */
TH_UNUSED static int th_cmd(struct th_host *h, void *cmd)
{
	struct pnic_adm_hdr *hdr = cmd;

	hdr->cid = htole16(++h->cid);
	th_submit(h, cmd);
	if (!TH_UNTIL(h->t, th_acqe(h, &h->last)))
		return -1;
	CHECK_EQ(le16toh(h->last.cid), h->cid);
	CHECK_EQ(h->last.opcode, hdr->opcode);
	th_read_events(h);
	return h->last.status;
}

/* Takes the first event of @type out of what came. */
TH_UNUSED static bool th_event(struct th_host *h, uint8_t type, struct pnic_eqe *e)
{
	unsigned int i;

	th_read_events(h);
	for (i = 0; i < h->events; i++) {
		if (h->event[i].type != type)
			continue;
		*e = h->event[i];
		memmove(&h->event[i], &h->event[i + 1], (--h->events - i) * sizeof(*e));
		return true;
	}
	return false;
}

TH_UNUSED static int th_create_eq(struct th_host *h, unsigned int eqn, unsigned int log)
{
	struct pnic_adm_create_eq k = { .hdr.opcode = PNIC_ADM_CREATE_EQ };

	h->eq[eqn].base = th_alloc(h, PNIC_EQE_SIZE << log);
	h->eq[eqn].head = 0;
	h->eq[eqn].log = log;
	k.eqn = htole16(eqn);
	k.vector = htole16(eqn);
	k.log_size = log;
	k.base = htole64(h->eq[eqn].base);
	return th_cmd(h, &k);
}

TH_UNUSED static int th_destroy(struct th_host *h, uint8_t opcode, uint32_t id)
{
	struct pnic_adm_destroy k = { .hdr.opcode = opcode, .id = htole32(id) };

	return th_cmd(h, &k);
}

TH_UNUSED static int th_bind(struct th_host *h, uint32_t ctx, uint32_t page)
{
	struct pnic_adm_bind_db b = { .hdr.opcode = PNIC_ADM_BIND_DB };

	b.ctx = htole32(ctx);
	b.page = htole32(page);
	return th_cmd(h, &b);
}

/* A context and the doorbell page of the same number. */
TH_UNUSED static void th_ctx(struct th_host *h, uint32_t ctx, uint32_t partition)
{
	struct pnic_adm_create_ctx k = { .hdr.opcode = PNIC_ADM_CREATE_CTX };

	k.ctx = htole32(ctx);
	k.partition = htole32(partition);
	REQUIRE_EQ(th_cmd(h, &k), PNIC_AS_OK);
	REQUIRE_EQ(th_bind(h, ctx, ctx), PNIC_AS_OK);
	h->next_slot[ctx] = PNIC_DB_SLOT_FIRST;
}

/* Ready, with two event queues. */
TH_UNUSED static void th_up(struct th_host *h)
{
	th_enable(h, 4, 5);
	REQUIRE_EQ(th_create_eq(h, 0, TH_EQ_LOG), PNIC_AS_OK);
	REQUIRE_EQ(th_create_eq(h, 1, TH_EQ_LOG), PNIC_AS_OK);
}

TH_UNUSED static uint64_t *th_slot(struct th_host *h, uint32_t page, uint16_t slot)
{
	return (uint64_t *)(void *)(h->db + (size_t)page * TH_PAGE + slot * 8);
}

TH_UNUSED static void th_ring(struct th_host *h, uint32_t page, uint16_t slot, uint64_t val)
{
	__atomic_store_n(th_slot(h, page, slot), htole64(val), __ATOMIC_RELEASE);
}

/* Completion queues. */

TH_UNUSED static void th_cq(struct th_host *h, struct th_cq *cq, uint32_t cqn, uint32_t ctx, uint8_t log)
{
	struct pnic_adm_create_cq k = { .hdr.opcode = PNIC_ADM_CREATE_CQ };

	memset(cq, 0, sizeof(*cq));
	cq->h = h;
	cq->cqn = cqn;
	cq->ctx = ctx;
	cq->log = log;
	cq->base = th_alloc(h, sizeof(struct pnic_cqe) << log);
	cq->slot = h->next_slot[ctx]++;
	k.cqn = htole32(cqn);
	k.ctx = htole32(ctx);
	k.base = htole64(cq->base);
	k.eqn = htole16(1);
	k.log_size = log;
	k.db_page = htole32(ctx);
	k.db_slot = htole16(cq->slot);
	REQUIRE_EQ(th_cmd(h, &k), PNIC_AS_OK);
}

TH_UNUSED static bool th_cq_peek(struct th_cq *cq, struct pnic_cqe *e)
{
	uint64_t at = cq->base + (uint64_t)(cq->ci & ((1u << cq->log) - 1)) * sizeof(*e);
	uint32_t phase = cq->ci >> cq->log & 1 ? 0 : PNIC_CQE_PHASE;

	memcpy(e, th_ptr(cq->h, at), sizeof(*e));
	return (le32toh(e->ep_flags) & PNIC_CQE_PHASE) == phase;
}

TH_UNUSED static bool th_cq_poll(struct th_cq *cq, struct pnic_cqe *e)
{
	if (!th_cq_peek(cq, e))
		return false;
	cq->ci++;
	th_ring(cq->h, cq->ctx, cq->slot, cq->ci);
	return true;
}

TH_UNUSED static void th_cq_arm(struct th_cq *cq)
{
	th_ring(cq->h, cq->ctx, cq->slot, cq->ci | PNIC_DB_CQ_ARM);
}

/* The next completion's status, -1 if none comes. */
TH_UNUSED static int th_wait(struct th_cq *cq, struct pnic_cqe *e)
{
	if (!TH_UNTIL(cq->h->t, th_cq_poll(cq, e)))
		return -1;
	return le32toh(e->peer_status) >> PNIC_CQE_HIGH_SHIFT;
}

TH_UNUSED static uint8_t th_op(const struct pnic_cqe *e)
{
	return le32toh(e->nic_op) >> PNIC_CQE_HIGH_SHIFT;
}

TH_UNUSED static int th_status(const struct pnic_cqe *e)
{
	return le32toh(e->peer_status) >> PNIC_CQE_HIGH_SHIFT;
}

/* Endpoints. */

struct th_ep_opts {
	uint8_t sq_log, rq_log;
	uint16_t flags;
	uint32_t rnr_us;
};

TH_UNUSED static void th_ep(struct th_host *h, struct th_ep *ep, uint32_t epn, struct th_cq *scq,
			    struct th_cq *rcq, struct th_ep_opts o)
{
	struct pnic_adm_create_ep k = { .hdr.opcode = PNIC_ADM_CREATE_EP };
	uint32_t ctx = scq->ctx;

	memset(ep, 0, sizeof(*ep));
	ep->h = h;
	ep->scq = scq;
	ep->rcq = rcq;
	ep->epn = epn;
	ep->ctx = ctx;
	ep->sq_log = o.sq_log;
	ep->rq_log = o.rq_log;
	ep->sq = th_alloc(h, PNIC_SLOT_SIZE << o.sq_log);
	ep->rq = th_alloc(h, sizeof(struct pnic_rqe) << o.rq_log);
	ep->sq_slot = h->next_slot[ctx]++;
	ep->rq_slot = h->next_slot[ctx]++;
	k.epn = htole32(epn);
	k.ctx = htole32(ctx);
	k.sq_base = htole64(ep->sq);
	k.rq_base = htole64(ep->rq);
	k.sq_log_size = o.sq_log;
	k.rq_log_size = o.rq_log;
	k.flags = htole16(o.flags);
	k.send_cqn = htole32(scq->cqn);
	k.recv_cqn = htole32(rcq->cqn);
	k.db_page = htole32(ctx);
	k.sq_slot = htole16(ep->sq_slot);
	k.rq_slot = htole16(ep->rq_slot);
	k.rnr_timeout_us = htole32(o.rnr_us);
	REQUIRE_EQ(th_cmd(h, &k), PNIC_AS_OK);
}

/* Puts a descriptor of @slots slots into the ring, without the doorbell. */
TH_UNUSED static void th_put(struct th_ep *ep, const void *desc, unsigned int slots)
{
	unsigned int i;

	for (i = 0; i < slots; i++, ep->sq_pi++) {
		uint64_t at = ep->sq + (uint64_t)(ep->sq_pi & ((1u << ep->sq_log) - 1)) * PNIC_SLOT_SIZE;

		memcpy(th_ptr(ep->h, at), (const uint8_t *)desc + i * PNIC_SLOT_SIZE, PNIC_SLOT_SIZE);
	}
}

TH_UNUSED static void th_go(struct th_ep *ep)
{
	th_ring(ep->h, ep->ctx, ep->sq_slot, ep->sq_pi);
}

TH_UNUSED static void th_post(struct th_ep *ep, struct pnic_sqe *s)
{
	if (!s->num_slots)
		s->num_slots = 1;
	th_put(ep, s, 1);
	th_go(ep);
}

TH_UNUSED static void th_recv(struct th_ep *ep, struct th_mr *mr, uint64_t off, uint32_t len, uint64_t cookie)
{
	uint64_t at = ep->rq + (uint64_t)(ep->rq_pi++ & ((1u << ep->rq_log) - 1)) * sizeof(struct pnic_rqe);
	struct pnic_rqe r = { .cookie = htole64(cookie), .length = htole32(len) };

	if (mr) {
		r.addr = htole64(mr->va + off);
		r.key = htole64(mr->key);
	}
	memcpy(th_ptr(ep->h, at), &r, sizeof(r));
	th_ring(ep->h, ep->ctx, ep->rq_slot, ep->rq_pi);
}

/* Regions. */

#define TH_RIGHTS_ALL	0x1f

TH_UNUSED static void th_mr_cmd(const struct th_mr *mr, uint64_t pbl, uint8_t kind, uint8_t rights,
				struct pnic_adm_create_mr *k)
{
	memset(k, 0, sizeof(*k));
	k->hdr.opcode = PNIC_ADM_CREATE_MR;
	k->index = htole32(mr->index);
	k->ctx = htole32(mr->ctx);
	k->key = htole64(mr->key);
	k->va = htole64(mr->va);
	k->length = htole64(mr->len);
	k->pbl = htole64(pbl);
	k->num_pages = htole32(mr->pages);
	k->page_shift = 12;
	k->rights = rights;
	k->pbl_kind = kind;
}

/* A region at an odd address, of pages that lie anywhere; its list is given in pages if it is long. */
TH_UNUSED static void th_mr(struct th_host *h, struct th_mr *mr, uint32_t index, uint32_t ctx, uint64_t len,
			    uint8_t rights)
{
	struct pnic_adm_create_mr k;
	uint64_t seed = 0x1000003 * (index + 1) + ctx, pbl, list = 0;
	uint32_t i;

	memset(mr, 0, sizeof(*mr));
	mr->h = h;
	mr->index = index;
	mr->ctx = ctx;
	mr->len = len;
	mr->va = 0x7f0000000000ull + ((uint64_t)index << 34) + th_rand(&seed) % TH_PAGE;
	mr->va &= ~7ull;
	mr->key = (th_rand(&seed) << 24 | 1ull << 24) | index;
	mr->pages = (mr->va % TH_PAGE + len + TH_PAGE - 1) / TH_PAGE;
	mr->dma = calloc(mr->pages, sizeof(*mr->dma));
	REQUIRE(mr->dma);
	for (i = 0; i < mr->pages; i++)
		mr->dma[i] = th_alloc(h, TH_PAGE);
	for (i = mr->pages; i-- > 1;) {
		uint32_t j = th_rand(&seed) % (i + 1);
		uint64_t x = mr->dma[i];

		mr->dma[i] = mr->dma[j];
		mr->dma[j] = x;
	}
	pbl = th_alloc(h, mr->pages * 8ull);
	for (i = 0; i < mr->pages; i++) {
		uint64_t e = htole64(mr->dma[i]);

		memcpy(th_ptr(h, pbl + 8ull * i), &e, 8);
	}
	if (mr->pages > 512) {
		list = th_alloc(h, (mr->pages + 511) / 512 * 8ull);
		for (i = 0; i < (mr->pages + 511) / 512; i++) {
			uint64_t e = htole64(pbl + (uint64_t)i * TH_PAGE);

			memcpy(th_ptr(h, list + 8ull * i), &e, 8);
		}
	}
	th_mr_cmd(mr, list ? list : pbl, list ? PNIC_PBL_PAGES : PNIC_PBL_DIRECT, rights, &k);
	REQUIRE_EQ(th_cmd(h, &k), PNIC_AS_OK);
}

TH_UNUSED static void th_mr_free(struct th_mr *mr)
{
	free(mr->dma);
	mr->dma = NULL;
}

static uint8_t *th_mr_at(struct th_mr *mr, uint64_t off, uint64_t *run)
{
	uint64_t at = mr->va % TH_PAGE + off;

	*run = TH_PAGE - at % TH_PAGE;
	return th_ptr(mr->h, mr->dma[at / TH_PAGE] + at % TH_PAGE);
}

TH_UNUSED static void th_mr_put(struct th_mr *mr, uint64_t off, const void *buf, uint64_t len)
{
	const uint8_t *from = buf;

	while (len) {
		uint64_t run;
		uint8_t *p = th_mr_at(mr, off, &run);

		if (run > len)
			run = len;
		memcpy(p, from, run);
		from += run;
		off += run;
		len -= run;
	}
}

TH_UNUSED static void th_mr_get(struct th_mr *mr, uint64_t off, void *buf, uint64_t len)
{
	uint8_t *to = buf;

	while (len) {
		uint64_t run;
		uint8_t *p = th_mr_at(mr, off, &run);

		if (run > len)
			run = len;
		memcpy(to, p, run);
		to += run;
		off += run;
		len -= run;
	}
}

/* The byte that belongs at @off of a pattern. */
static inline uint8_t th_byte(uint64_t seed, uint64_t off)
{
	uint64_t x = (off + seed * 0x9e3779b97f4a7c15ull) * 0xff51afd7ed558ccdull;

	return x >> 56;
}

TH_UNUSED static void th_mr_fill(struct th_mr *mr, uint64_t off, uint64_t len, uint64_t seed)
{
	uint64_t i, run = 0;
	uint8_t *p = NULL;

	for (i = 0; i < len; i++, run--, p++) {
		if (!run)
			p = th_mr_at(mr, off + i, &run);
		*p = th_byte(seed, i);
	}
}

/* Wrong bytes of a pattern that should be there. */
TH_UNUSED static uint64_t th_mr_wrong(struct th_mr *mr, uint64_t off, uint64_t len, uint64_t seed)
{
	uint64_t i, run = 0, wrong = 0;
	uint8_t *p = NULL;

	for (i = 0; i < len; i++, run--, p++) {
		if (!run)
			p = th_mr_at(mr, off + i, &run);
		wrong += *p != th_byte(seed, i);
	}
	return wrong;
}

TH_UNUSED static void th_mr_set(struct th_mr *mr, uint64_t off, uint64_t len, uint8_t val)
{
	uint64_t i, run = 0;
	uint8_t *p = NULL;

	for (i = 0; i < len; i++, run--, p++) {
		if (!run)
			p = th_mr_at(mr, off + i, &run);
		*p = val;
	}
}

/* Bytes in a range that are not @val. */
TH_UNUSED static uint64_t th_mr_not(struct th_mr *mr, uint64_t off, uint64_t len, uint8_t val)
{
	uint64_t i, run = 0, n = 0;
	uint8_t *p = NULL;

	for (i = 0; i < len; i++, run--, p++) {
		if (!run)
			p = th_mr_at(mr, off + i, &run);
		n += *p != val;
	}
	return n;
}

/* A descriptor for one buffer. */
TH_UNUSED static struct pnic_sqe th_sqe(uint8_t op, struct th_ep *to, struct th_mr *mr, uint64_t off,
					uint32_t len)
{
	struct pnic_sqe s = {
		.opcode = op, .flags = PNIC_SQF_SIGNALED, .num_slots = 1, .length = htole32(len),
		.dest_nic = htole32(pm_card_addr(to->h->card)), .dest_ep = htole32(to->epn),
	};

	if (mr) {
		s.local_addr = htole64(mr->va + off);
		s.local_key = htole64(mr->key);
	}
	return s;
}

TH_UNUSED static void th_remote(struct pnic_sqe *s, struct th_mr *mr, uint64_t off)
{
	s->remote_addr = htole64(mr->va + off);
	s->remote_key = htole64(mr->key);
}

#endif /* PNIC_TEST_CARD_HOST_H */
