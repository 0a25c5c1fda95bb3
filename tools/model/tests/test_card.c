// SPDX-License-Identifier: GPL-2.0
/*
 * The card as its driver sees it: registers, bring-up, reset, the admin queue, event queues, the fatal state, faults on
 * demand. Its commands: test_card_cmd.c.
 */
#include "card_objects.h"

KTAP_TEST(registers_at_power_on)
{
	struct th_host *h;
	struct th t;
	uint32_t off, hi;

	open_two(&t);
	h = &t.h[0];
	CHECK_EQ(th_rd(h, PNIC_REG_ID), PNIC_ID_MAGIC);
	CHECK_EQ(th_rd(h, PNIC_REG_VERSION), 0x10002);
	CHECK_EQ(th_rd(h, PNIC_REG_CAPS_LO), 0x7ff);
	CHECK_EQ(th_rd(h, PNIC_REG_STATUS), 0);
	CHECK_EQ(th_rd(h, PNIC_REG_CTRL), 0);
	CHECK_EQ(th_rd(h, PNIC_REG_FATAL_CODE), 0);
	CHECK_EQ(th_rd(h, PNIC_REG_DB_PAGES), PM_DB_PAGES);
	CHECK_NE(th_rd(h, PNIC_REG_TIMEOUT) & PNIC_TIMEOUT_READY, 0);
	CHECK_NE(th_rd(h, PNIC_REG_TIMEOUT) & PNIC_TIMEOUT_ADMIN, 0);
	hi = th_rd(h, PNIC_REG_CLOCK_LO);
	CHECK_EQ(th_rd(h, PNIC_REG_CLOCK_HI), 0);
	CHECK_GE(th_rd(h, PNIC_REG_CLOCK_LO), hi);
	/* Anything written anywhere but to the admin set-up and CTRL is without effect. */
	for (off = 0; off < PNIC_BAR_REGS_SIZE; off += 2) {
		if (off == PNIC_REG_CTRL || (off >= PNIC_REG_ASQ_BASE_LO && off <= PNIC_REG_ADMIN_SIZE))
			continue;
		th_wr(h, off, 0xffffffff);
	}
	CHECK_EQ(th_rd(h, PNIC_REG_ID), PNIC_ID_MAGIC);
	CHECK_EQ(th_rd(h, PNIC_REG_STATUS), 0);
	CHECK_EQ(th_rd(h, 0x3000), 0);
	CHECK_EQ(th_rd(h, 0x2), 0);
	th_close(&t);
}

static void setup(struct th_host *h, uint64_t asq, uint64_t acq, uint32_t size)
{
	th_wr(h, PNIC_REG_ASQ_BASE_LO, asq);
	th_wr(h, PNIC_REG_ASQ_BASE_HI, asq >> 32);
	th_wr(h, PNIC_REG_ACQ_BASE_LO, acq);
	th_wr(h, PNIC_REG_ACQ_BASE_HI, acq >> 32);
	th_wr(h, PNIC_REG_ADMIN_SIZE, size);
	th_wr(h, PNIC_REG_CTRL, PNIC_CTRL_ENABLE);
}

KTAP_TEST(bring_up_checks)
{
	static const struct {
		const char *name;
		uint64_t asq, acq;
		uint32_t size;
		bool good;
	} cases[] = {
		{ "smallest", 0x1000, 0x2000, 0x00010001, true },
		{ "largest", 0x1000, 0xffff000000002000ull, 0x00080008, true },
		{ "ASQ base 0", 0, 0x2000, 0x00040004, false },
		{ "ACQ base 0", 0x1000, 0, 0x00040004, false },
		{ "ASQ not aligned", 0x1040, 0x2000, 0x00040004, false },
		{ "ACQ not aligned", 0x1000, 0x2800, 0x00040004, false },
		{ "ASQ of one", 0x1000, 0x2000, 0x00040000, false },
		{ "ASQ too large", 0x1000, 0x2000, 0x00090009, false },
		{ "ACQ too large", 0x1000, 0x2000, 0x00090008, false },
		{ "ACQ smaller", 0x1000, 0x2000, 0x00030004, false },
		{ "sizes from nowhere", 0x1000, 0x2000, 0xffffffff, false },
	};
	struct th_host *h;
	struct th t;
	unsigned int i;

	open_two(&t);
	h = &t.h[0];
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SUBTEST("%s", cases[i].name) {
			unsigned int irqs = h->irqs[0];

			setup(h, cases[i].asq, cases[i].acq, cases[i].size);
			if (cases[i].good) {
				CHECK_EQ(th_rd(h, PNIC_REG_STATUS), PNIC_STATUS_READY);
			} else {
				CHECK_EQ(th_rd(h, PNIC_REG_STATUS), PNIC_STATUS_FATAL);
				CHECK_EQ(th_rd(h, PNIC_REG_FATAL_CODE), PNIC_FATAL_ADMIN_RING);
				CHECK_EQ(h->irqs[0], irqs + 1);
			}
			th_wr(h, PNIC_REG_CTRL, PNIC_CTRL_RESET);
			CHECK_EQ(th_rd(h, PNIC_REG_STATUS), 0);
			CHECK_EQ(th_rd(h, PNIC_REG_ASQ_BASE_LO), 0);
			CHECK_EQ(th_rd(h, PNIC_REG_CTRL), 0);
		}
	}
	th_close(&t);
}

KTAP_TEST(heartbeat_and_clock)
{
	struct th_host *h;
	struct th t;
	double end;
	uint32_t a, b;

	open_two(&t);
	h = &t.h[0];
	CHECK_EQ(th_rd(h, PNIC_REG_HEARTBEAT), 0);
	th_up(h);
	a = th_rd(h, PNIC_REG_HEARTBEAT);
	for (end = th_real() + 0.11; th_real() < end;)
		th_step(&t);
	b = th_rd(h, PNIC_REG_HEARTBEAT);
	CHECK_GT(b, a);
	SUBTEST("stands still while frozen") {
		pm_card_freeze(h->card, true);
		a = th_rd(h, PNIC_REG_HEARTBEAT);
		for (end = th_real() + 0.11; th_real() < end;)
			th_step(&t);
		CHECK_EQ(th_rd(h, PNIC_REG_HEARTBEAT), a);
		pm_card_freeze(h->card, false);
	}
	SUBTEST("and when it has failed") {
		pm_card_fatal(h->card, PNIC_FATAL_INTERNAL, 9);
		a = th_rd(h, PNIC_REG_HEARTBEAT);
		for (end = th_real() + 0.11; th_real() < end;)
			th_step(&t);
		CHECK_EQ(th_rd(h, PNIC_REG_HEARTBEAT), a);
	}
	th_close(&t);
}

KTAP_TEST(identify)
{
	struct pnic_adm_identify k = { .hdr.opcode = PNIC_ADM_IDENTIFY };
	struct pnic_identify *id;
	struct th_host *h;
	uint64_t at;
	struct th t;

	open_two(&t);
	h = &t.h[1];
	th_up(h);
	at = th_alloc(h, 2 * TH_PAGE);
	k.addr = htole64(at);
	REQUIRE_EQ(th_cmd(h, &k), PNIC_AS_OK);
	id = th_ptr(h, at);
	CHECK_EQ(le32toh(id->hw_version), 0x10002);
	CHECK_EQ(le32toh(id->nic_addr), 0x102);
	CHECK_EQ(le64toh(id->caps), 0x7ff);
	CHECK_EQ(le32toh(id->max_ep), 65536);
	CHECK_EQ(le32toh(id->max_cq), 65536);
	CHECK_EQ(le32toh(id->max_mr), 262144);
	CHECK_EQ(le32toh(id->max_srq), 65536);
	CHECK_EQ(le32toh(id->max_ctr), 65536);
	CHECK_EQ(le32toh(id->max_ctx), 1023);
	CHECK_EQ(le32toh(id->max_eq), 16);
	CHECK_EQ(id->max_sge, PNIC_SQE_MAX_SGE);
	CHECK_EQ(id->max_sqe_slots, PNIC_SQE_MAX_SLOTS);
	CHECK_EQ(le16toh(id->lanes_data), 16);
	CHECK_EQ(le16toh(id->lanes_spare), 4);
	CHECK_EQ(le32toh(id->lane_kbps), 2000000);
	CHECK_EQ(le32toh(id->frame_payload), 4096);
	CHECK_STREQ(id->serial, "PNICM-00000001-1");
	CHECK_STREQ(id->cable_serial, "PNICC-00000001-0");
	CHECK_NE(id->guid, 0);
	k.addr = htole64(at + 8);
	CHECK_EQ(th_cmd(h, &k), PNIC_AS_INVALID_FIELD);
	CHECK_EQ(le64toh(h->last.result[0]), 8);
	k.addr = htole64(0x1000);
	CHECK_EQ(th_cmd(h, &k), PNIC_AS_DMA_FAULT);
	CHECK_EQ(le64toh(h->last.result[0]), 0x1000);
	SUBTEST("lies") {
		CHECK(pm_card_lie(h->card, "max_ep", 0xffffffff));
		CHECK(pm_card_lie(h->card, "max_log_cq", 99));
		CHECK(pm_card_lie(h->card, "version", 0x20000));
		CHECK(pm_card_lie(h->card, "id", 0x1234));
		CHECK(!pm_card_lie(h->card, "colour", 1));
		k.addr = htole64(at);
		REQUIRE_EQ(th_cmd(h, &k), PNIC_AS_OK);
		CHECK_EQ(le32toh(id->max_ep), 0xffffffff);
		CHECK_EQ(id->max_log_cq, 99);
		CHECK_EQ(th_rd(h, PNIC_REG_VERSION), 0x20000);
		CHECK_EQ(th_rd(h, PNIC_REG_ID), 0x1234);
	}
	th_close(&t);
}

KTAP_TEST(admin_ring)
{
	struct pnic_adm_hdr nop[8] = { { .opcode = PNIC_ADM_NOP } };
	struct pnic_acqe e;
	struct th_host *h;
	unsigned int i;
	struct th t;

	open_two(&t);
	h = &t.h[0];
	th_enable(h, 3, 3);
	SUBTEST("wraps many times") {
		for (i = 0; i < 100; i++) {
			REQUIRE_EQ(th_cmd(h, nop), PNIC_AS_OK);
			CHECK_EQ(le32toh(h->last.asq_head), i + 1);
		}
	}
	SUBTEST("waits for room in the ACQ") {
		for (i = 0; i < 8; i++)
			th_submit(h, nop);
		th_settle(&t);
		for (i = 0; i < 8; i++)
			th_submit(h, nop);
		th_settle(&t);
		/* Eight completions fill it: the other eight commands are not taken yet. */
		for (i = 0; i < 16; i++) {
			REQUIRE(TH_UNTIL(&t, th_acqe(h, &e)));
			CHECK_LE(le32toh(e.asq_head) - 100, i < 8 ? 8 : 16);
		}
	}
	SUBTEST("overrun is fatal") {
		th_wr(h, PNIC_REG_ASQ_TAIL, h->asq_tail + 9);
		CHECK(th_rd(h, PNIC_REG_STATUS) & PNIC_STATUS_FATAL);
		CHECK_EQ(th_rd(h, PNIC_REG_FATAL_CODE), PNIC_FATAL_ADMIN_RING);
		th_wr(h, PNIC_REG_CTRL, 0);
		CHECK_EQ(th_rd(h, PNIC_REG_STATUS), 0);
	}
	SUBTEST("so is a completion index from nowhere") {
		th_up(h);
		th_wr(h, PNIC_REG_ACQ_HEAD, 1000);
		CHECK_EQ(th_rd(h, PNIC_REG_FATAL_CODE), PNIC_FATAL_ADMIN_RING);
		pm_card_reset(h->card);
	}
	SUBTEST("and a ring that can't be read or written") {
		th_up(h);
		h->bad_page = h->asq;
		th_wr(h, PNIC_REG_ASQ_TAIL, h->asq_tail + 1);
		REQUIRE(TH_UNTIL(&t, th_rd(h, PNIC_REG_STATUS) & PNIC_STATUS_FATAL));
		CHECK_EQ(th_rd(h, PNIC_REG_FATAL_CODE), PNIC_FATAL_DMA);
		h->bad_page = 0;
		pm_card_reset(h->card);
		th_up(h);
		h->bad_page = h->acq;
		th_submit(h, nop);
		REQUIRE(TH_UNTIL(&t, th_rd(h, PNIC_REG_STATUS) & PNIC_STATUS_FATAL));
		h->bad_page = 0;
		pm_card_reset(h->card);
		CHECK_EQ(th_rd(h, PNIC_REG_STATUS), 0);
	}
	th_close(&t);
}

KTAP_TEST(event_queues)
{
	struct pnic_adm_hdr nop[8] = { { .opcode = PNIC_ADM_NOP } };
	struct pnic_acqe a;
	struct pnic_eqe *e;
	struct th_host *h;
	unsigned int i;
	struct th t;

	open_two(&t);
	h = &t.h[0];
	th_enable(h, 4, 5);
	REQUIRE_EQ(th_create_eq(h, 0, 4), PNIC_AS_OK);
	th_read_events(h);
	h->irqs[0] = 0;
	SUBTEST("armed: one vector for many events") {
		for (i = 0; i < 3; i++) {
			th_submit(h, nop);
			REQUIRE(TH_UNTIL(&t, th_acqe(h, &a)));
		}
		CHECK_EQ(h->irqs[0], 1);
		e = th_ptr(h, h->eq[0].base + (h->eq[0].head & 15) * sizeof(*e));
		CHECK_EQ(e->type, PNIC_EV_ADMIN);
	}
	SUBTEST("EQ_HEAD does not arm") {
		th_wr(h, PNIC_REG_EQ_HEAD(0), h->eq[0].head + 3);
		h->eq[0].head += 3;
		th_submit(h, nop);
		REQUIRE(TH_UNTIL(&t, th_acqe(h, &a)));
		CHECK_EQ(h->irqs[0], 1);
	}
	SUBTEST("arming with an entry there raises at once") {
		th_wr(h, PNIC_REG_EQ_ARM(0), h->eq[0].head);
		CHECK_EQ(h->irqs[0], 2);
		th_wr(h, PNIC_REG_EQ_ARM(0), ++h->eq[0].head);
		CHECK_EQ(h->irqs[0], 2);
		th_submit(h, nop);
		REQUIRE(TH_UNTIL(&t, th_acqe(h, &a)));
		CHECK_EQ(h->irqs[0], 3);
		h->eq[0].head++;
	}
	SUBTEST("overrun is fatal") {
		for (i = 0; i < 18 && !(th_rd(h, PNIC_REG_STATUS) & PNIC_STATUS_FATAL); i++) {
			th_submit(h, nop);
			TH_UNTIL(&t, th_acqe(h, &a));
		}
		CHECK_EQ(th_rd(h, PNIC_REG_FATAL_CODE), PNIC_FATAL_EQ_OVERRUN);
		CHECK_EQ(th_rd(h, PNIC_REG_FATAL_INFO), 0);
		CHECK_EQ(h->irqs[0], 4);
	}
	th_close(&t);
}

KTAP_TEST(fatal)
{
	struct pnic_adm_hdr nop[8] = { { .opcode = PNIC_ADM_NOP } };
	struct pnic_acqe a;
	struct pnic_eqe ev;
	struct th_host *h;
	struct th t;

	open_two(&t);
	h = &t.h[0];
	th_up(h);
	pm_card_fatal(h->card, PNIC_FATAL_INTERNAL, 77);
	CHECK(th_rd(h, PNIC_REG_STATUS) & PNIC_STATUS_FATAL);
	CHECK_EQ(th_rd(h, PNIC_REG_FATAL_CODE), PNIC_FATAL_INTERNAL);
	CHECK_EQ(th_rd(h, PNIC_REG_FATAL_INFO), 77);
	REQUIRE(th_event(h, PNIC_EV_FATAL, &ev));
	CHECK_EQ(le16toh(ev.code), PNIC_FATAL_INTERNAL);
	th_submit(h, nop);
	th_settle(&t);
	CHECK(!th_acqe(h, &a));
	th_wr(h, PNIC_REG_CTRL, PNIC_CTRL_ENABLE);
	CHECK(th_rd(h, PNIC_REG_STATUS) & PNIC_STATUS_FATAL);
	th_wr(h, PNIC_REG_CTRL, PNIC_CTRL_RESET | PNIC_CTRL_ENABLE);
	CHECK_EQ(th_rd(h, PNIC_REG_STATUS), 0);
	th_up(h);
	th_close(&t);
}

KTAP_TEST(reset_forgets)
{
	struct th_host *h;
	unsigned int i;
	struct th t;

	open_two(&t);
	h = &t.h[0];
	for (i = 0; i < 3; i++) {
		make_objects(h);
		th_ring(h, 1, 200, 5);
		if (i == 0)
			pm_card_reset(h->card);
		else
			th_wr(h, PNIC_REG_CTRL, i == 1 ? PNIC_CTRL_RESET : 0);
		CHECK_EQ(th_rd(h, PNIC_REG_STATUS), 0);
		CHECK_EQ(*th_slot(h, 1, 200), 0);
		h->dma_off = true;
		th_settle(&t);
		CHECK_EQ(th_rd(h, PNIC_REG_STATUS), 0);
		h->dma_off = false;
		th_mr_free(&mr0);
		memset(h->eq, 0, sizeof(h->eq));
	}
	th_close(&t);
}

KTAP_TEST(faults_on_demand)
{
	struct pnic_adm_hdr nop[8] = { { .opcode = PNIC_ADM_NOP } };
	struct pnic_sqe s = { .opcode = PNIC_OP_NOP, .flags = PNIC_SQF_SIGNALED, .num_slots = 1 };
	struct pnic_acqe a;
	struct pnic_cqe c;
	struct th_host *h;
	unsigned int irqs;
	uint32_t head;
	struct th t;

	open_two(&t);
	h = &t.h[0];
	make_objects(h);
	SUBTEST("frozen: nothing is looked at, then everything") {
		pm_card_freeze(h->card, true);
		th_submit(h, nop);
		th_post(&ep0, &s);
		th_settle(&t);
		CHECK(!th_acqe(h, &a));
		CHECK(!th_cq_peek(&cq0, &c));
		CHECK_EQ(th_rd(h, PNIC_REG_STATUS), PNIC_STATUS_READY);
		pm_card_freeze(h->card, false);
		REQUIRE(TH_UNTIL(&t, th_acqe(h, &a)));
		CHECK_EQ(th_wait(&cq0, &c), PNIC_ST_OK);
	}
	SUBTEST("reset thaws") {
		pm_card_freeze(h->card, true);
		pm_card_reset(h->card);
		th_mr_free(&mr0);
		memset(h->eq, 0, sizeof(h->eq));
		make_objects(h);
	}
	SUBTEST("admin completions lost") {
		pm_card_drop_admin(h->card, 2);
		th_submit(h, nop);
		th_submit(h, nop);
		th_settle(&t);
		CHECK(!th_acqe(h, &a));
		CHECK_EQ(th_cmd(h, nop), PNIC_AS_OK);
	}
	SUBTEST("interrupts lost") {
		th_read_events(h);
		irqs = h->irqs[0];
		pm_card_drop_irq(h->card, 1);
		th_submit(h, nop);
		REQUIRE(TH_UNTIL(&t, th_acqe(h, &a)));
		CHECK_EQ(h->irqs[0], irqs);
		th_read_events(h);
		REQUIRE_EQ(th_cmd(h, nop), PNIC_AS_OK);
		CHECK_EQ(h->irqs[0], irqs + 1);
	}
	SUBTEST("garbled completions") {
		pm_card_garble(h->card, PM_GARBLE_ACQE_CID, 1);
		th_submit(h, nop);
		REQUIRE(TH_UNTIL(&t, th_acqe(h, &a)));
		CHECK_NE(a.cid, nop[0].cid);
		pm_card_garble(h->card, PM_GARBLE_ACQE_STATUS, 1);
		th_submit(h, nop);
		REQUIRE(TH_UNTIL(&t, th_acqe(h, &a)));
		CHECK_GT(a.status, PNIC_AS_INTERNAL);
		pm_card_garble(h->card, PM_GARBLE_ACQE_OPCODE, 1);
		th_submit(h, nop);
		REQUIRE(TH_UNTIL(&t, th_acqe(h, &a)));
		CHECK_NE(a.opcode, nop[0].opcode);
		pm_card_garble(h->card, PM_GARBLE_CQE, 1);
		th_post(&ep0, &s);
		REQUIRE(th_wait(&cq0, &c) >= 0);
		CHECK_NE(le32toh(c.ep_flags) & PNIC_CQE_LOW24, 0);
	}
	SUBTEST("garbled events") {
		struct pnic_eqe *e;

		th_read_events(h);
		head = h->eq[0].head & ((1 << TH_EQ_LOG) - 1);
		pm_card_garble(h->card, PM_GARBLE_EQE_TYPE, 1);
		pm_card_garble(h->card, PM_GARBLE_EQE_ID, 1);
		th_submit(h, nop);
		REQUIRE(TH_UNTIL(&t, th_acqe(h, &a)));
		e = th_ptr(h, h->eq[0].base + head * sizeof(*e));
		CHECK_GT(e->type, PNIC_EV_FATAL);
		CHECK_NE(e->id, 0);
	}
	th_mr_free(&mr0);
	th_close(&t);
}

/* What a card under the dice of @seed answers to @n commands, as one number. */
static uint64_t evil_answers(struct th *t, struct th_host *h, uint64_t seed, unsigned int n)
{
	struct pnic_adm_hdr nop[8] = { { .opcode = PNIC_ADM_NOP } };
	struct pnic_acqe a;
	uint64_t hash = 1;
	unsigned int i;

	pm_card_evil(h->card, 1 << PM_GARBLE_ACQE_CID | 1 << PM_GARBLE_ACQE_STATUS | 1 << PM_GARBLE_ACQE_RESULT, 300000,
		     seed);
	for (i = 0; i < n; i++) {
		th_submit(h, nop);
		REQUIRE(TH_UNTIL(t, th_acqe(h, &a)));
		hash = hash * 31 + (a.cid ^ nop[0].cid);
		hash = hash * 31 + a.status;
		hash = hash * 31 + a.result[0];
	}
	return hash;
}

KTAP_TEST(evil)
{
	struct pnic_adm_hdr nop[8] = { { .opcode = PNIC_ADM_NOP } };
	struct pm_evil_strays strays;
	uint64_t deeds[PM_GARBLES], kinds, one, other;
	unsigned int irqs, i;
	struct pnic_acqe a;
	struct th_host *h;
	struct th t;

	open_two(&t);
	h = &t.h[0];
	make_objects(h);
	SUBTEST("names") {
		for (i = 0; i < PM_GARBLES; i++) {
			REQUIRE(pm_garble_name(i));
			CHECK(pm_garble_kinds(pm_garble_name(i), &kinds));
			CHECK_EQ(kinds, 1ull << i);
		}
		CHECK(!pm_garble_name(PM_GARBLES));
		CHECK(pm_garble_kinds("cqe,irq_storm", &kinds));
		CHECK_EQ(kinds, 1ull << PM_GARBLE_CQE | 1ull << PM_GARBLE_IRQ_STORM);
		CHECK(pm_garble_kinds("all", &kinds));
		CHECK(!(kinds >> PM_GARBLE_STRAY & 1));
		CHECK(!pm_garble_kinds("cqe,", &kinds));
		CHECK(!pm_garble_kinds("", &kinds));
	}
	SUBTEST("the same seed, the same deeds") {
		one = evil_answers(&t, h, 7, 60);
		other = evil_answers(&t, h, 8, 60);
		CHECK_NE(one, other);
		CHECK_EQ(evil_answers(&t, h, 7, 60), one);
		pm_card_evil_deeds(h->card, deeds, &strays);
		CHECK_GT(deeds[PM_GARBLE_ACQE_CID], 5);
		CHECK_LT(deeds[PM_GARBLE_ACQE_CID], 40);
		CHECK_EQ(deeds[PM_GARBLE_CQE], 0);
	}
	SUBTEST("none: as it should be") {
		pm_card_evil(h->card, 0, 1000000, 1);
		for (i = 0; i < 20; i++)
			CHECK_EQ(th_cmd(h, nop), PNIC_AS_OK);
	}
	SUBTEST("twice, and not at all") {
		pm_card_garble(h->card, PM_GARBLE_ACQE_TWICE, 1);
		th_submit(h, nop);
		REQUIRE(TH_UNTIL(&t, th_acqe(h, &a)));
		REQUIRE(TH_UNTIL(&t, th_acqe(h, &a)));
		CHECK_EQ(a.cid, nop[0].cid);
		pm_card_garble(h->card, PM_GARBLE_ACQE_LOST, 1);
		th_submit(h, nop);
		th_settle(&t);
		CHECK(!th_acqe(h, &a));
		CHECK_EQ(th_cmd(h, nop), PNIC_AS_OK);
	}
	SUBTEST("a storm") {
		th_read_events(h);
		irqs = h->irqs[1];
		pm_card_garble(h->card, PM_GARBLE_IRQ_STORM, 1);
		CHECK_EQ(th_cmd(h, nop), PNIC_AS_OK);
		CHECK_GT(h->irqs[1], irqs + 10);
	}
	SUBTEST("registers") {
		pm_card_garble(h->card, PM_GARBLE_REG_ONES, 1);
		CHECK_EQ(th_rd(h, PNIC_REG_ID), UINT32_MAX);
		CHECK_EQ(th_rd(h, PNIC_REG_ID), PNIC_ID_MAGIC);
	}
	SUBTEST("stray accesses are counted") {
		h->dma_off = false;
		pm_card_garble(h->card, PM_GARBLE_STRAY, 1);
		CHECK_EQ(th_cmd(h, nop), PNIC_AS_OK);
		pm_card_evil_deeds(h->card, deeds, &strays);
		CHECK_EQ(strays.refused + strays.through, 1);
	}
	SUBTEST("dead") {
		pm_card_garble(h->card, PM_GARBLE_DIE, 1);
		th_submit(h, nop);
		th_settle(&t);
		pm_card_reset(h->card);
		CHECK_EQ(th_rd(h, PNIC_REG_STATUS), 0);
	}
	SUBTEST("a reset that does not end") {
		pm_card_garble(h->card, PM_GARBLE_RESET_STUCK, 1);
		th_wr(h, PNIC_REG_CTRL, PNIC_CTRL_RESET);
		CHECK_EQ(th_rd(h, PNIC_REG_STATUS), PNIC_STATUS_RESETTING);
		th_wr(h, PNIC_REG_CTRL, PNIC_CTRL_ENABLE);
		CHECK_EQ(th_rd(h, PNIC_REG_STATUS), PNIC_STATUS_RESETTING);
		th_wr(h, PNIC_REG_CTRL, PNIC_CTRL_RESET);
		CHECK_EQ(th_rd(h, PNIC_REG_STATUS), 0);
	}
	SUBTEST("a card that does not become ready") {
		pm_card_garble(h->card, PM_GARBLE_READY_STUCK, 1);
		th_wr(h, PNIC_REG_CTRL, PNIC_CTRL_ENABLE);
		th_settle(&t);
		CHECK_EQ(th_rd(h, PNIC_REG_STATUS), 0);
		th_wr(h, PNIC_REG_CTRL, PNIC_CTRL_RESET);
		th_enable(h, 4, 4);
		CHECK_EQ(th_rd(h, PNIC_REG_STATUS), PNIC_STATUS_READY);
	}
	th_mr_free(&mr0);
	th_close(&t);
}

KTAP_TEST(parking)
{
	struct pnic_sqe s = { .opcode = PNIC_OP_NOP, .flags = PNIC_SQF_SIGNALED, .num_slots = 1 };
	struct pm_fabric_config cfg;
	struct pnic_cqe c;
	struct th_host *h;
	struct th t;

	open_two(&t);
	h = &t.h[0];
	make_objects(h);
	SUBTEST("the word is set while parked, in bound pages") {
		th_settle(&t);
		CHECK(pm_fabric_park(t.f, true));
		CHECK_EQ(*th_slot(h, 1, PNIC_DB_SLOT_PARK), PNIC_DB_PARKED);
		CHECK_EQ(*th_slot(h, 2, PNIC_DB_SLOT_PARK), 0);
		pm_fabric_park(t.f, false);
		CHECK_EQ(*th_slot(h, 1, PNIC_DB_SLOT_PARK), 0);
	}
	SUBTEST("a doorbell rung just before is seen") {
		th_post(&ep0, &s);
		CHECK(!pm_fabric_park(t.f, true));
		pm_fabric_park(t.f, false);
		CHECK_EQ(th_wait(&cq0, &c), PNIC_ST_OK);
	}
	th_mr_free(&mr0);
	th_close(&t);
	SUBTEST("without the capability slot 0 stays 0") {
		th_config(&cfg, 2, "test-16");
		cfg.park = false;
		th_open_config(&t, &cfg, 1024);
		h = &t.h[0];
		th_up(h);
		th_ctx(h, 1, 0);
		CHECK_EQ(th_rd(h, PNIC_REG_CAPS_LO) & PNIC_CAP_LO_PARK, 0);
		pm_fabric_park(t.f, true);
		CHECK_EQ(*th_slot(h, 1, PNIC_DB_SLOT_PARK), 0);
		pm_fabric_park(t.f, false);
		th_close(&t);
	}
}

/* 0 or 9 NICs make no fabric; one does, and reaches itself. */
KTAP_TEST(fabrics)
{
	const struct th_ep_opts o = { .sq_log = 4, .rq_log = 4, .rnr_us = 1000 };
	static const unsigned int bad[] = { 0, 9, 1000 };
	struct pm_fabric_config cfg;
	struct pnic_cqe c;
	struct pnic_sqe s;
	struct th_host *h;
	struct th_cq cq;
	struct th_ep ep;
	struct th_mr mr;
	char err[80];
	struct th t;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		th_config(&cfg, bad[i], "test-16");
		err[0] = 0;
		CHECK(!pm_fabric_new(&cfg, err, sizeof(err)));
		CHECK(err[0]);
	}
	th_config(&cfg, 1, "test-16");
	th_open_config(&t, &cfg, 4096);
	h = &t.h[0];
	th_up(h);
	th_ctx(h, 1, 0);
	th_cq(h, &cq, 0, 1, 5);
	th_ep(h, &ep, 0, &cq, &cq, o);
	th_mr(h, &mr, 0, 1, 1 << 20, TH_RIGHTS_ALL);
	th_mr_fill(&mr, 0, 200000, 4);
	s = th_sqe(PNIC_OP_WRITE, &ep, &mr, 0, 200000);
	th_remote(&s, &mr, 500001);
	th_post(&ep, &s);
	CHECK_EQ(th_wait(&cq, &c), PNIC_ST_OK);
	CHECK_EQ(th_mr_wrong(&mr, 500001, 200000, 4), 0);
	s.dest_nic = htole32(0x102);
	th_post(&ep, &s);
	CHECK_EQ(th_wait(&cq, &c), PNIC_ST_UNREACHABLE);
	th_mr_free(&mr);
	th_close(&t);
}

KTAP_MAIN()
