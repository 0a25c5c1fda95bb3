// SPDX-License-Identifier: GPL-2.0
/*
 * Two cards under drivers that know the layouts and nothing else: admin
 * commands, descriptors, doorbells and resets that are nearly right, in any
 * order, while lanes die and memory comes and goes.
 *
 * As in model_fuzz.c the program under test is built with sanitizers, must answer
 * to the end, and must leave with status 0. $PNIC_FUZZ_SEED and $PNIC_FUZZ_ROUNDS ask for more.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <linux/pnic_queue.h>

#include "client.h"
#include "driver/hw/pnic_admin.h"
#include "driver/hw/pnic_event.h"
#include "driver/hw/pnic_lane.h"
#include "driver/hw/pnic_regs.h"
#include "selftests/ktap.h"
#include "server.h"

#define ROUNDS		20000
#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define PAGE		4096ull
#define PAGES		64
#define RAM		(PAGES * PAGE)
#define LOG		6
#define PG_ASQ		0
#define PG_ACQ		1
#define PG_RINGS	2		/* event, completion, send and receive rings */
#define NUM_RINGS	14
#define PG_PBL		16
#define PG_DATA		20
#define IDS		4		/* of contexts, CQs, endpoints; few, so that they meet */
#define MRS		6
#define LANES		20		/* test-16 */

struct host {
	struct vclient cl;
	uint8_t *ram;
	int fd, evt;
	uint32_t tail, head;		/* of the admin rings */
	uint64_t slot[IDS][16];
};

static struct server server;
static struct host host[2];
static uint64_t state;
static unsigned int completions, fatals, resets;
static int64_t wqes, cqes;		/* of all lives of both cards */

static uint32_t draw(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 16) % n;
}

static uint64_t page_addr(unsigned int first, unsigned int n)
{
	return draw(40) ? (first + draw(n)) * PAGE : draw(2) ? draw(RAM) : state;
}

static uint64_t data_addr(void)
{
	return (PG_DATA + draw(PAGES - PG_DATA)) * PAGE + (draw(2) ? 0 : draw(PAGE));
}

/* Tag 7 is what regions are made with. */
static uint64_t key(void)
{
	return (draw(30) ? 7ull : draw(9)) << 24 | draw(MRS);
}

static uint32_t length(void)
{
	static const uint32_t sizes[] = { 0, 1, 4, 8, 16, 63, 64, 256, 4096, 4097, 20000, 70000 };

	return draw(30) ? sizes[draw(sizeof(sizes) / sizeof(sizes[0]))] : (uint32_t)state;
}

/* The pages of a region, mostly there; and the list's second level. */
static void fill_lists(struct host *h)
{
	__le64 *e = (void *)(h->ram + PG_PBL * PAGE);
	unsigned int i;

	for (i = 0; i < 4 * 512; i++)
		e[i] = htole64(page_addr(i < 512 ? PG_DATA : PG_PBL, i < 512 ? PAGES - PG_DATA : 4));
}

static void fill_map(struct host *h, uint64_t addr)
{
	struct pnic_map *m = (void *)(h->ram + addr % (RAM - PAGE));
	__le16 *phys = (void *)(m + 1);
	unsigned int i;

	m->generation = htole32(1 + draw(6));
	m->width = htole16(draw(8) ? 16 - draw(3) : draw(40));
	m->rsvd = 0;
	for (i = 0; i < LANES; i++)
		phys[i] = htole16(i);
	for (i = draw(6); i; i--)
		phys[draw(16)] = htole16(draw(LANES + 1));
}

static void make_region(struct pnic_adm_create_mr *c)
{
	c->index = htole32(draw(MRS));
	c->ctx = htole32(1 + draw(IDS));
	c->key = htole64(7ull << 24 | le32toh(c->index));
	c->va = htole64(PG_DATA * PAGE + (draw(3) ? 0 : draw(PAGE)));
	c->length = htole64(1 + draw((PAGES - PG_DATA) * PAGE));
	c->num_pages = htole32((le64toh(c->va) % PAGE + le64toh(c->length) + PAGE - 1) / PAGE);
	c->page_shift = draw(10) ? 12 : 12 + draw(20);
	c->rights = draw(32) | PNIC_MR_LOCAL_READ;
	c->pbl_kind = draw(4) ? PNIC_PBL_DIRECT : PNIC_PBL_PAGES;
	c->pbl = htole64((PG_PBL + (c->pbl_kind ? 1 : 0)) * PAGE);
}

static void make_queue(uint8_t opcode, void *cmd)
{
	if (opcode == PNIC_ADM_CREATE_CQ) {
		struct pnic_adm_create_cq *c = cmd;

		c->cqn = htole32(draw(IDS));
		c->ctx = htole32(1 + draw(IDS));
		c->base = htole64(page_addr(PG_RINGS, NUM_RINGS));
		c->eqn = htole16(1 + draw(2));
		c->log_size = 4 + draw(4);
		c->db_page = htole32(draw(IDS));
		c->db_slot = htole16(8 + draw(8));
	} else {
		struct pnic_adm_create_ep *c = cmd;

		c->epn = htole32(draw(IDS));
		c->ctx = htole32(1 + draw(IDS));
		c->sq_base = htole64(page_addr(PG_RINGS, NUM_RINGS));
		c->rq_base = htole64(page_addr(PG_RINGS, NUM_RINGS));
		c->sq_log_size = 4 + draw(3);
		c->rq_log_size = draw(8);
		c->flags = htole16(draw(2));
		c->send_cqn = htole32(draw(IDS));
		c->recv_cqn = htole32(draw(IDS));
		c->db_page = htole32(draw(IDS));
		c->sq_slot = htole16(8 + draw(8));
		c->rq_slot = htole16(8 + draw(8));
		c->rnr_timeout_us = htole32(draw(3) * 50);
	}
}

static void make_command(struct host *h, uint8_t *cmd)
{
	static const uint8_t ops[] = {
		PNIC_ADM_NOP, PNIC_ADM_IDENTIFY, PNIC_ADM_CREATE_EQ, PNIC_ADM_DESTROY_EQ,
		PNIC_ADM_CREATE_CTX, PNIC_ADM_DESTROY_CTX, PNIC_ADM_BIND_DB, PNIC_ADM_UNBIND_DB,
		PNIC_ADM_CREATE_MR, PNIC_ADM_DESTROY_MR, PNIC_ADM_CREATE_CQ, PNIC_ADM_DESTROY_CQ,
		PNIC_ADM_CREATE_EP, PNIC_ADM_DESTROY_EP, PNIC_ADM_RESET_EP, PNIC_ADM_LINK_QUERY,
		PNIC_ADM_LINK_SET, PNIC_ADM_LANE_TABLE, PNIC_ADM_LANE_CTL, PNIC_ADM_MAP_QUERY,
		PNIC_ADM_MAP_STAGE, PNIC_ADM_MAP_SWITCH, PNIC_ADM_MAP_ABORT, PNIC_ADM_MGMT_SEND,
		PNIC_ADM_MGMT_RECV, PNIC_ADM_COUNTERS, PNIC_ADM_STANDBY, PNIC_ADM_LANE_TEST,
	};
	/* Creating is drawn more often than destroying, or nothing would ever be there. */
	static const uint8_t makers[] = { PNIC_ADM_CREATE_EQ, PNIC_ADM_CREATE_CTX, PNIC_ADM_BIND_DB,
					  PNIC_ADM_CREATE_MR, PNIC_ADM_CREATE_CQ, PNIC_ADM_CREATE_EP };
	struct pnic_adm_hdr *hdr = (void *)cmd;
	struct pnic_adm_buf *buf = (void *)cmd;
	struct pnic_adm_map *map = (void *)cmd;

	memset(cmd, 0, 64);
	hdr->opcode = draw(2) ? makers[draw(sizeof(makers))] : ops[draw(sizeof(ops))];
	hdr->cid = htole16(draw(65536));
	switch (hdr->opcode) {
	case PNIC_ADM_CREATE_EQ: {
		struct pnic_adm_create_eq *c = (void *)cmd;

		/* EQ 0 gets an event for each command and overflows soon: a fatal stop. */
		c->eqn = htole16(draw(40) ? 1 + draw(2) : 0);
		c->vector = htole16(draw(17));
		c->log_size = 4 + draw(4);
		c->base = htole64(page_addr(PG_RINGS, NUM_RINGS));
		break;
	}
	case PNIC_ADM_CREATE_CTX:
	case PNIC_ADM_BIND_DB:
	case PNIC_ADM_UNBIND_DB: {
		struct pnic_adm_bind_db *c = (void *)cmd;

		c->ctx = htole32(1 + draw(IDS));
		c->page = htole32(draw(IDS));
		break;
	}
	case PNIC_ADM_CREATE_MR:
		make_region((void *)cmd);
		break;
	case PNIC_ADM_CREATE_CQ:
	case PNIC_ADM_CREATE_EP:
		make_queue(hdr->opcode, cmd);
		break;
	case PNIC_ADM_MAP_STAGE:
	case PNIC_ADM_MAP_SWITCH:
	case PNIC_ADM_MAP_ABORT:
	case PNIC_ADM_STANDBY:
		map->addr = htole64(data_addr());
		fill_map(h, le64toh(map->addr));
		map->length = htole32(8 + 2 * (draw(5) ? 16 : draw(64)));
		map->generation = htole32(1 + draw(6));
		map->dir = draw(2);
		break;
	case PNIC_ADM_IDENTIFY:
	case PNIC_ADM_LINK_QUERY:
	case PNIC_ADM_LANE_TABLE:
	case PNIC_ADM_MAP_QUERY:
	case PNIC_ADM_MGMT_SEND:
	case PNIC_ADM_MGMT_RECV:
	case PNIC_ADM_COUNTERS:
		buf->addr = htole64(page_addr(PG_DATA, PAGES - PG_DATA));
		if (hdr->opcode != PNIC_ADM_IDENTIFY)
			buf->length = htole32(draw(3) ? 4096 : length());
		if (hdr->opcode == PNIC_ADM_LANE_TABLE || hdr->opcode == PNIC_ADM_MAP_QUERY)
			buf->arg = htole32(draw(2));
		break;
	case PNIC_ADM_LANE_TEST:
		cmd[8] = draw(21);
		cmd[10] = draw(4);
		cmd[12] = draw(2);
		break;
	default:
		cmd[8] = draw(IDS + 1);
		cmd[10] = draw(2);
		break;
	}
	if (!draw(6))
		cmd[draw(64)] ^= 1u << draw(8);
}

static void make_descriptor(struct pnic_sqe *e)
{
	memset(e, 0, 64);
	e->opcode = draw(30) ? draw(PNIC_OP_WRITE_SIGNAL + 1) : draw(256);
	e->flags = draw(30) ? draw(4) : draw(256);
	e->num_sge = draw(5) ? draw(2) : draw(10);
	e->num_slots = 1 + (e->num_sge > 1 ? (e->num_sge + 1) / 2 : 0);
	if (!draw(200))
		e->num_slots = draw(8);
	e->length = htole32(length());
	e->cookie = htole64(state);
	e->dest_nic = htole32(draw(20) ? 0x101 + draw(2) : draw(1000));
	e->dest_ep = htole32(draw(IDS));
	e->remote_addr = htole64(data_addr());
	e->remote_key = htole64(key());
	e->imm = htole64(state);
	e->local_addr = htole64(data_addr());
	e->local_key = htole64(key());
	if (!draw(8)) {
		e->flags |= PNIC_SQF_INLINE;
		e->length = htole32(draw(PNIC_SQE_MAX_INLINE + 2));
		e->num_slots = 1 + (le32toh(e->length) > 16 ? (le32toh(e->length) - 16 + 63) / 64 : 0);
		e->num_sge = 0;
	}
	if (!draw(20))
		((uint8_t *)e)[draw(64)] ^= 1u << draw(8);
}

/* @at: a 64-byte slot of the rings. Where good_start() puts receive rings stand receive entries. */
static void fill_slot(struct host *h, unsigned int at)
{
	struct pnic_rqe *r = (void *)(h->ram + PG_RINGS * PAGE + 64 * at);
	unsigned int page = at / (PAGE / 64), i;

	if (page < 9) {
		make_descriptor((void *)r);
		return;
	}
	memset(r, 0, 64);
	for (i = 0; i < 2; i++) {
		r[i].addr = htole64(data_addr());
		r[i].key = htole64(key());
		r[i].length = htole32(length());
	}
}

static void fill_rings(struct host *h)
{
	unsigned int n;

	for (n = 1 + draw(64); n; n--)
		fill_slot(h, 5 * PAGE / 64 + draw(8 * PAGE / 64));
}

static void set_reg(struct host *h, uint32_t off, uint32_t v)
{
	CHECK_EQ(vc_put(&h->cl, PNIC_BAR_REGS, off, v, 4), 0);
}

static uint32_t reg(struct host *h, uint32_t off)
{
	return vc_get(&h->cl, PNIC_BAR_REGS, off, 4);
}

static void enable(struct host *h)
{
	memset(h->ram, 0, PG_RINGS * PAGE);
	memset(h->slot, 0, sizeof(h->slot));
	h->tail = 0;
	h->head = 0;
	fill_lists(h);
	CHECK_EQ(vc_put(&h->cl, CONFIG, PCI_COMMAND, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY, 2), 0);
	set_reg(h, PNIC_REG_ASQ_BASE_LO, PG_ASQ * PAGE + RAM);
	set_reg(h, PNIC_REG_ACQ_BASE_LO, PG_ACQ * PAGE + RAM);
	set_reg(h, PNIC_REG_ADMIN_SIZE, LOG | LOG << 16);
	set_reg(h, PNIC_REG_CTRL, PNIC_CTRL_ENABLE);
}

/* Memory stands at 0, and once more at RAM, where the admin rings are: 0 is no address for a ring. */
static void connect_host(struct host *h)
{
	char path[128];
	int fds[16], i;

	vc_close(&h->cl);
	server_nic_path(&server, h - host, path, sizeof(path));
	REQUIRE_EQ(vc_start(&h->cl, path), 0);
	CHECK_EQ(vc_map(&h->cl, 0, RAM, 3, h->fd, 0), 0);
	CHECK_EQ(vc_map(&h->cl, RAM, RAM, 3, h->fd, 0), 0);
	for (i = 0; i < 16; i++)
		fds[i] = h->evt;
	CHECK_EQ(vc_irqs(&h->cl, VFIO_PCI_MSIX_IRQ_INDEX, VFIO_IRQ_SET_DATA_EVENTFD |
			 VFIO_IRQ_SET_ACTION_TRIGGER, 0, 16, fds, 16), 0);
}

static void make_host(struct host *h)
{
	h->cl.fd = -1;
	h->evt = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	h->fd = memfd_create("ram", MFD_CLOEXEC);
	REQUIRE_OK(ftruncate(h->fd, RAM));
	h->ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_SHARED, h->fd, 0);
	REQUIRE(h->ram != MAP_FAILED);
	connect_host(h);
	enable(h);
}

/* Takes what the card completed; some of it is dropped or garbled, so nothing is made of it. */
static void take_completions(struct host *h)
{
	const struct pnic_acqe *e;
	uint32_t before = h->head;

	for (;; h->head++) {
		e = (void *)(h->ram + PG_ACQ * PAGE + 32 * (h->head & ((1 << LOG) - 1)));
		if ((le32toh(e->phase) & PNIC_PHASE) == (h->head >> LOG & 1))
			break;
		completions += e->status == PNIC_AS_OK;
	}
	if (h->head != before)
		set_reg(h, PNIC_REG_ACQ_HEAD, h->head);
}

static void submit(struct host *h, const void *cmd)
{
	take_completions(h);
	if (h->tail - h->head >= 1 << LOG)
		return;
	memcpy(h->ram + PG_ASQ * PAGE + 64 * (h->tail & ((1 << LOG) - 1)), cmd, 64);
	set_reg(h, PNIC_REG_ASQ_TAIL, ++h->tail);
}

/* Mostly the slots that good_start() gave to the endpoints' rings. */
static void ring(struct host *h)
{
	unsigned int page = draw(IDS), slot = draw(20) ? 9 + draw(2) : 8 + draw(8);
	uint64_t *v = &h->slot[page][slot];

	*v = draw(200) ? *v + draw(4) : state;
	if (!draw(10))
		*v ^= PNIC_DB_CQ_ARM;
	CHECK_EQ(vc_put(&h->cl, PNIC_BAR_DB, page * PAGE + 8 * slot, *v, 8), 0);
	/* It may sleep. */
	CHECK_EQ(vc_put(&h->cl, PNIC_BAR_DB, (1024 + page) * PAGE, 1, 4), 0);
}

/* One of everything for each id, as a driver would make it: the rest has something to spoil. */
static void good_start(struct host *h)
{
	struct pnic_adm_create_eq eq = { .hdr.opcode = PNIC_ADM_CREATE_EQ, .eqn = htole16(1),
					 .vector = htole16(1), .log_size = 7,
					 .base = htole64(PG_RINGS * PAGE) };
	struct pnic_adm_bind_db ctx = { .hdr.opcode = PNIC_ADM_CREATE_CTX };
	struct pnic_adm_create_mr mr;
	struct pnic_adm_create_cq cq;
	struct pnic_adm_create_ep ep;
	unsigned int i;

	for (i = 5 * PAGE / 64; i < 13 * PAGE / 64; i++)
		fill_slot(h, i);
	submit(h, &eq);
	for (i = 0; i < IDS; i++) {
		ctx.hdr.opcode = PNIC_ADM_CREATE_CTX;
		ctx.ctx = htole32(1 + i);
		ctx.page = htole32(1);		/* the partition */
		submit(h, &ctx);
		ctx.hdr.opcode = PNIC_ADM_BIND_DB;
		ctx.page = htole32(i);
		submit(h, &ctx);
		cq = (struct pnic_adm_create_cq){ .hdr.opcode = PNIC_ADM_CREATE_CQ, .cqn = htole32(i),
			.ctx = htole32(1 + i), .base = htole64((PG_RINGS + 1 + i) * PAGE),
			.eqn = htole16(1), .log_size = 7, .db_page = htole32(i), .db_slot = htole16(8) };
		submit(h, &cq);
		memset(&mr, 0, sizeof(mr));
		mr.hdr.opcode = PNIC_ADM_CREATE_MR;
		make_region(&mr);
		mr.index = htole32(i);
		mr.ctx = htole32(1 + i);
		mr.key = htole64(7ull << 24 | i);
		mr.rights = 0x1f;
		submit(h, &mr);
		ep = (struct pnic_adm_create_ep){ .hdr.opcode = PNIC_ADM_CREATE_EP, .epn = htole32(i),
			.ctx = htole32(1 + i), .sq_base = htole64((PG_RINGS + 5 + i) * PAGE),
			.rq_base = htole64((PG_RINGS + 9 + i) * PAGE), .sq_log_size = 6,
			.rq_log_size = 7, .flags = htole16(draw(2)), .send_cqn = htole32(i),
			.recv_cqn = htole32(i), .db_page = htole32(i), .sq_slot = htole16(9),
			.rq_slot = htole16(10), .rnr_timeout_us = htole32(100) };
		submit(h, &ep);
	}
}

static void restart(struct host *h)
{
	enable(h);
	if (draw(8))
		good_start(h);
}

static void break_something(void)
{
	static const char *const faults[] = {
		"{\"cmd\":\"kill\",\"nic\":%u,\"lane\":%u}", "{\"cmd\":\"heal\",\"nic\":%u,\"lane\":%u}",
		"{\"cmd\":\"degrade\",\"nic\":%u,\"lane\":%u,\"db\":3.5}",
		"{\"cmd\":\"drop\",\"nic\":%u,\"frames\":%u}", "{\"cmd\":\"corrupt\",\"nic\":%u,\"frames\":%u}",
		"{\"cmd\":\"drop_admin\",\"nic\":%u,\"n\":%u}", "{\"cmd\":\"drop_irq\",\"nic\":%u,\"n\":%u}",
		"{\"cmd\":\"garble\",\"nic\":%u,\"what\":\"cqe\",\"n\":%u}",
		"{\"cmd\":\"garble\",\"nic\":%u,\"what\":\"eqe_id\",\"n\":%u}",
	};
	static const char *const switches[] = {
		"{\"cmd\":\"cut\",\"nic\":%u,\"on\":%s}", "{\"cmd\":\"freeze\",\"nic\":%u,\"on\":%s}",
		"{\"cmd\":\"surprise\",\"nic\":%u,\"on\":%s}",
	};
	unsigned int nic = draw(2), n = sizeof(faults) / sizeof(faults[0]), which = draw(n + 3);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (which < n) {
		CHECK(server_ctl_ok(&server, faults[which], nic, draw(LANES)));
		return;
	}
	CHECK(server_ctl_ok(&server, switches[which - n], nic, "true"));
	ring(&host[0]);
	ring(&host[1]);
	CHECK(server_ctl_ok(&server, switches[which - n], nic, "false"));
#pragma GCC diagnostic pop
	if (which == n + 2)
		restart(&host[nic]);
}

static void add_counters(struct host *h)
{
	wqes += server_counter(&server, h - host, "wqes");
	cqes += server_counter(&server, h - host, "cqes");
}

static void reset_somehow(struct host *h)
{
	resets++;
	add_counters(h);
	switch (draw(5)) {
	case 0:
		connect_host(h);
		break;
	case 1:
		CHECK_EQ(vc_call(&h->cl, VFU_RESET, NULL, 0, NULL, 0), 0);
		break;
	case 2:
		set_reg(h, PNIC_REG_CTRL, PNIC_CTRL_RESET);
		break;
	case 3:
		set_reg(h, PNIC_REG_CTRL, 0);
		break;
	default:
		CHECK_EQ(vc_put(&h->cl, CONFIG, 0x50 + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR, 2), 0);
		break;
	}
	restart(h);
}

static void move_memory(struct host *h)
{
	uint64_t at = draw(PAGES) * PAGE, n = (1 + draw(4)) * PAGE;

	if (at + n > RAM)
		n = RAM - at;
	CHECK_EQ(vc_unmap(&h->cl, at, n), 0);
	ring(h);
	CHECK_EQ(vc_map(&h->cl, at, n, 3, h->fd, at), 0);
}

static void one_round(struct host *h)
{
	uint8_t cmd[64];
	uint32_t status;

	switch (draw(16)) {
	case 0: case 1: case 2: case 3: case 4: case 5: case 6:
		make_command(h, cmd);
		submit(h, cmd);
		break;
	case 7: case 8:
		fill_rings(h);
		break;
	case 9: case 10: case 11: case 12:
		ring(h);
		break;
	case 13:
		/* An index that wasn't reached yet is a fatal stop. */
		set_reg(h, draw(2) ? PNIC_REG_EQ_HEAD(draw(3)) : PNIC_REG_EQ_ARM(draw(3)),
			draw(60) ? 0 : draw(40));
		break;
	case 14:
		if (!draw(3))
			break_something();
		else
			move_memory(h);
		break;
	default:
		status = reg(h, PNIC_REG_STATUS);
		fatals += !!(status & PNIC_STATUS_FATAL);
		/* Dropped completions fill the ring for good. */
		if (status & PNIC_STATUS_FATAL || h->tail - h->head >= 1 << LOG || !draw(6))
			reset_somehow(h);
		break;
	}
}

KTAP_TEST(two_cards_and_careless_drivers)
{
	static const char *const args[] = { "--nics", "2", "--profile", "test-16", "--data-age", "50",
					    NULL };
	const char *s = getenv("PNIC_FUZZ_SEED"), *n = getenv("PNIC_FUZZ_ROUNDS");
	unsigned int i, rounds = n ? atoi(n) : ROUNDS;

	state = s ? strtoull(s, NULL, 0) * 2 + 1 : 0x9e3779b97f4a7c15ull;
	REQUIRE(server_start(&server, "pnic-model-asan", args));
	make_host(&host[0]);
	make_host(&host[1]);
	good_start(&host[0]);
	good_start(&host[1]);
	for (i = 0; i < rounds; i++) {
		one_round(&host[draw(2)]);
		if (i % 1000 == 0)
			REQUIRE(server_alive(&server));
	}
	add_counters(&host[0]);
	add_counters(&host[1]);
	ktap_say("%u rounds, %u resets, %u fatal stops, %lld descriptors, %lld completions", rounds,
		 resets, fatals, (long long)wqes, (long long)cqes);
	/* Some of it must have been right, or this tests nothing. */
	CHECK_GT(completions, rounds / 20);
	CHECK_GT(cqes, rounds / 100);
	vc_close(&host[0].cl);
	vc_close(&host[1].cl);
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"ping\"}"));
	CHECK_EQ(server_stop(&server), 0);
}

KTAP_MAIN()
