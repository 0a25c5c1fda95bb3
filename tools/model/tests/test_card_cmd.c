// SPDX-License-Identifier: GPL-2.0
/* Every field of every admin command, right and wrong, and the bytes that mean nothing. */
#include "card_objects.h"

/* Commands that are right, for the objects that exist or don't after make_objects(). */
struct good {
	const char *name;
	uint8_t cmd[PNIC_ASQE_SIZE];
	uint8_t used[PNIC_ASQE_SIZE];	/* bytes that mean something */
};

#define GOOD_MAX	40

#define USED(g, type, field)							\
	memset((g)->used + offsetof(struct type, field), 1, sizeof(((struct type *)0)->field))

static void used_head(struct good *g)
{
	USED(g, pnic_adm_hdr, opcode);
	USED(g, pnic_adm_hdr, cid);
}

static void good_destroy(struct good *g, const char *name, uint8_t op)
{
	struct pnic_adm_destroy k = { .hdr.opcode = op };

	g->name = name;
	memcpy(g->cmd, &k, sizeof(k));
	used_head(g);
	USED(g, pnic_adm_destroy, id);
}

static void good_buf(struct good *g, const char *name, uint8_t op)
{
	struct pnic_adm_buf k = { .hdr.opcode = op, .addr = htole64(scratch), .length = htole32(65536) };

	g->name = name;
	memcpy(g->cmd, &k, sizeof(k));
	used_head(g);
	USED(g, pnic_adm_buf, addr);
	USED(g, pnic_adm_buf, length);
	USED(g, pnic_adm_buf, arg);
}

static unsigned int make_good(struct good *all)
{
	struct good *g = all;

	memset(all, 0, GOOD_MAX * sizeof(*all));
	g->name = "NOP";
	used_head(g++);
	good_destroy(g++, "DESTROY_EQ", PNIC_ADM_DESTROY_EQ);
	good_destroy(g++, "DESTROY_CTX", PNIC_ADM_DESTROY_CTX);
	good_destroy(g++, "DESTROY_CQ", PNIC_ADM_DESTROY_CQ);
	good_destroy(g++, "DESTROY_EP", PNIC_ADM_DESTROY_EP);
	good_destroy(g++, "RESET_EP", PNIC_ADM_RESET_EP);
	good_destroy(g++, "DESTROY_MR", PNIC_ADM_DESTROY_MR);
	good_buf(g++, "LINK_QUERY", PNIC_ADM_LINK_QUERY);
	good_buf(g++, "LANE_TABLE", PNIC_ADM_LANE_TABLE);
	good_buf(g++, "MAP_QUERY", PNIC_ADM_MAP_QUERY);
	good_buf(g++, "COUNTERS", PNIC_ADM_COUNTERS);
	{
		struct pnic_adm_create_eq k = {
			.hdr.opcode = PNIC_ADM_CREATE_EQ, .eqn = htole16(2), .log_size = 4,
			.base = htole64(scratch),
		};

		g->name = "CREATE_EQ";
		memcpy(g->cmd, &k, sizeof(k));
		used_head(g);
		USED(g, pnic_adm_create_eq, eqn);
		USED(g, pnic_adm_create_eq, vector);
		USED(g, pnic_adm_create_eq, log_size);
		USED(g, pnic_adm_create_eq, base);
		g++;
	}
	{
		struct pnic_adm_create_ctx k = { .hdr.opcode = PNIC_ADM_CREATE_CTX, .ctx = htole32(2) };

		g->name = "CREATE_CTX";
		memcpy(g->cmd, &k, sizeof(k));
		used_head(g);
		USED(g, pnic_adm_create_ctx, ctx);
		USED(g, pnic_adm_create_ctx, partition);
		g++;
	}
	{
		struct pnic_adm_bind_db k = {
			.hdr.opcode = PNIC_ADM_BIND_DB, .ctx = htole32(1), .page = htole32(9),
		};

		g->name = "BIND_DB";
		memcpy(g->cmd, &k, sizeof(k));
		used_head(g);
		USED(g, pnic_adm_bind_db, ctx);
		USED(g, pnic_adm_bind_db, page);
		g++;
	}
	{
		struct pnic_adm_create_cq k = {
			.hdr.opcode = PNIC_ADM_CREATE_CQ, .cqn = htole32(1), .ctx = htole32(1),
			.base = htole64(scratch), .eqn = htole16(1), .log_size = 4,
			.db_page = htole32(1), .db_slot = htole16(100),
		};

		g->name = "CREATE_CQ";
		memcpy(g->cmd, &k, sizeof(k));
		used_head(g);
		USED(g, pnic_adm_create_cq, cqn);
		USED(g, pnic_adm_create_cq, ctx);
		USED(g, pnic_adm_create_cq, base);
		USED(g, pnic_adm_create_cq, eqn);
		USED(g, pnic_adm_create_cq, log_size);
		USED(g, pnic_adm_create_cq, db_page);
		USED(g, pnic_adm_create_cq, db_slot);
		g++;
	}
	{
		struct pnic_adm_create_ep k = {
			.hdr.opcode = PNIC_ADM_CREATE_EP, .epn = htole32(1), .ctx = htole32(1),
			.sq_base = htole64(scratch), .rq_base = htole64(scratch + TH_PAGE), .sq_log_size = 4,
			.db_page = htole32(1), .sq_slot = htole16(101), .rq_slot = htole16(102),
		};

		g->name = "CREATE_EP";
		memcpy(g->cmd, &k, sizeof(k));
		used_head(g);
		memset(g->used + offsetof(struct pnic_adm_create_ep, epn), 1,
		       offsetof(struct pnic_adm_create_ep, rsvd) - offsetof(struct pnic_adm_create_ep, epn));
		g++;
	}
	{
		struct pnic_adm_create_mr k = {
			.hdr.opcode = PNIC_ADM_CREATE_MR, .index = htole32(1), .ctx = htole32(1),
			.key = htole64(0x7700000001ull), .va = htole64(0x10000), .length = htole64(100),
			.pbl = htole64(scratch), .num_pages = htole32(1), .page_shift = 12,
		};

		g->name = "CREATE_MR";
		memcpy(g->cmd, &k, sizeof(k));
		memset(g->used, 1, sizeof(g->used));
		memset(g->used + 4, 0, 4);
		g->used[1] = 0;
		g->used[offsetof(struct pnic_adm_create_mr, rsvd0)] = 0;
		memset(g->used + offsetof(struct pnic_adm_create_mr, rsvd), 0, 8);
		g++;
	}
	{
		struct pnic_adm_create_srq k = {
			.hdr.opcode = PNIC_ADM_CREATE_SRQ, .srqn = htole32(1), .ctx = htole32(1),
			.base = htole64(scratch), .log_size = 4, .db_page = htole32(1), .db_slot = htole16(103),
		};

		g->name = "CREATE_SRQ";
		memcpy(g->cmd, &k, sizeof(k));
		used_head(g);
		memset(g->used + offsetof(struct pnic_adm_create_srq, srqn), 1,
		       offsetof(struct pnic_adm_create_srq, rsvd0) - offsetof(struct pnic_adm_create_srq, srqn));
		USED(g, pnic_adm_create_srq, db_page);
		USED(g, pnic_adm_create_srq, db_slot);
		g++;
	}
	good_destroy(g++, "DESTROY_SRQ", PNIC_ADM_DESTROY_SRQ);
	{
		struct pnic_adm_create_ctr k = {
			.hdr.opcode = PNIC_ADM_CREATE_CTR, .ctr = htole32(1), .ctx = htole32(1),
			.addr = htole64(scratch), .eqn = htole16(1), .db_page = htole32(1), .db_slot = htole16(104),
		};

		g->name = "CREATE_CTR";
		memcpy(g->cmd, &k, sizeof(k));
		used_head(g);
		memset(g->used + offsetof(struct pnic_adm_create_ctr, ctr), 1,
		       offsetof(struct pnic_adm_create_ctr, rsvd) - offsetof(struct pnic_adm_create_ctr, ctr));
		g++;
	}
	good_destroy(g++, "DESTROY_CTR", PNIC_ADM_DESTROY_CTR);
	{
		struct pnic_adm_bind_ctr k = {
			.hdr.opcode = PNIC_ADM_BIND_CTR, .kinds = htole16(1), .bind = 0,
		};

		g->name = "BIND_CTR";
		memcpy(g->cmd, &k, sizeof(k));
		used_head(g);
		memset(g->used + offsetof(struct pnic_adm_bind_ctr, epn), 1,
		       offsetof(struct pnic_adm_bind_ctr, rsvd) - offsetof(struct pnic_adm_bind_ctr, epn));
		g++;
	}
	{
		struct pnic_adm_cancel_recv k = { .hdr.opcode = PNIC_ADM_CANCEL_RECV };

		g->name = "CANCEL_RECV";
		memcpy(g->cmd, &k, sizeof(k));
		used_head(g);
		memset(g->used + offsetof(struct pnic_adm_cancel_recv, id), 1,
		       offsetof(struct pnic_adm_cancel_recv, rsvd) - offsetof(struct pnic_adm_cancel_recv, id));
		g++;
	}
	good_destroy(g++, "MR_SUSPEND", PNIC_ADM_MR_SUSPEND);
	{
		struct pnic_adm_map k = { .hdr.opcode = PNIC_ADM_STANDBY };

		g->name = "STANDBY";
		memcpy(g->cmd, &k, sizeof(k));
		used_head(g);
		memset(g->used + offsetof(struct pnic_adm_map, addr), 1,
		       offsetof(struct pnic_adm_map, rsvd) - offsetof(struct pnic_adm_map, addr));
		g++;
	}
	{
		struct pnic_adm_lane_test k = { .hdr.opcode = PNIC_ADM_LANE_TEST, .op = PNIC_LANE_TEST_READ };

		g->name = "LANE_TEST";
		memcpy(g->cmd, &k, sizeof(k));
		used_head(g);
		memset(g->used + offsetof(struct pnic_adm_lane_test, lane), 1, 3);
		memset(g->used + offsetof(struct pnic_adm_lane_test, mbits), 1, 4);
		g++;
	}
	return g - all;
}

KTAP_TEST(reserved_bytes)
{
	struct good all[GOOD_MAX];
	struct th_host *h;
	unsigned int i, b, n;
	struct th t;

	open_two(&t);
	h = &t.h[0];
	make_objects(h);
	n = make_good(all);
	for (i = 0; i < n; i++) {
		SUBTEST("%s", all[i].name) {
			for (b = 0; b < PNIC_ASQE_SIZE; b++) {
				uint64_t cmd[8];

				if (all[i].used[b])
					continue;
				memcpy(cmd, all[i].cmd, sizeof(cmd));
				((uint8_t *)cmd)[b] = 0x80;
				CHECK_EQ(th_cmd(h, cmd), PNIC_AS_INVALID_FIELD);
				/* The head's reserved word is one field. */
				CHECK_EQ(le64toh(h->last.result[0]), b >= 4 && b < 8 ? 4 : b);
			}
		}
	}
	SUBTEST("unknown opcodes") {
		for (i = 0; i < 256; i++) {
			struct pnic_adm_hdr cmd[8] = { { .opcode = i } };

			if (i <= 0x16 || (i >= 0x20 && i <= 0x2c))
				continue;
			CHECK_EQ(th_cmd(h, cmd), PNIC_AS_BAD_OPCODE);
		}
	}
	th_mr_free(&mr0);
	th_close(&t);
}

/* One field of a right command changed: the status and, of INVALID_FIELD, where. */
#define WRONG(type, want, at, ...)						\
	do {									\
		struct type k_;							\
		struct type *k = &k_;						\
										\
		memcpy(k, g->cmd, sizeof(*k));					\
		__VA_ARGS__;							\
		CHECK_EQ(th_cmd(h, k), want);					\
		if ((want) == PNIC_AS_INVALID_FIELD)				\
			CHECK_EQ(le64toh(h->last.result[0]), offsetof(struct type, at)); \
	} while (0)

static struct good *named(struct good *all, const char *name)
{
	while (strcmp(all->name, name))
		all++;
	return all;
}

KTAP_TEST(command_fields)
{
	struct good all[GOOD_MAX], *g;
	struct th_host *h;
	struct th t;

	open_two(&t);
	h = &t.h[0];
	make_objects(h);
	make_good(all);
	SUBTEST("CREATE_EQ") {
		g = named(all, "CREATE_EQ");
		WRONG(pnic_adm_create_eq, PNIC_AS_INVALID_FIELD, eqn, k->eqn = htole16(16));
		WRONG(pnic_adm_create_eq, PNIC_AS_INVALID_FIELD, vector, k->vector = htole16(PM_VECTORS));
		WRONG(pnic_adm_create_eq, PNIC_AS_INVALID_FIELD, log_size, k->log_size = 3);
		WRONG(pnic_adm_create_eq, PNIC_AS_INVALID_FIELD, log_size, k->log_size = 16);
		WRONG(pnic_adm_create_eq, PNIC_AS_INVALID_FIELD, base, k->base = 0);
		WRONG(pnic_adm_create_eq, PNIC_AS_INVALID_FIELD, base, k->base = htole64(0x10));
		WRONG(pnic_adm_create_eq, PNIC_AS_EXISTS, eqn, k->eqn = 0);
		WRONG(pnic_adm_create_eq, PNIC_AS_OK, eqn, );
		WRONG(pnic_adm_create_eq, PNIC_AS_EXISTS, eqn, );
	}
	SUBTEST("DESTROY_EQ") {
		g = named(all, "DESTROY_EQ");
		WRONG(pnic_adm_destroy, PNIC_AS_INVALID_FIELD, id, k->id = htole32(16));
		WRONG(pnic_adm_destroy, PNIC_AS_NOT_FOUND, id, k->id = htole32(5));
		WRONG(pnic_adm_destroy, PNIC_AS_BUSY, id, k->id = htole32(1));
		WRONG(pnic_adm_destroy, PNIC_AS_OK, id, k->id = htole32(2));
		WRONG(pnic_adm_destroy, PNIC_AS_NOT_FOUND, id, k->id = htole32(2));
	}
	SUBTEST("contexts") {
		g = named(all, "CREATE_CTX");
		WRONG(pnic_adm_create_ctx, PNIC_AS_INVALID_FIELD, ctx, k->ctx = 0);
		WRONG(pnic_adm_create_ctx, PNIC_AS_INVALID_FIELD, ctx, k->ctx = htole32(1024));
		WRONG(pnic_adm_create_ctx, PNIC_AS_INVALID_FIELD, partition, k->partition = htole32(65536));
		WRONG(pnic_adm_create_ctx, PNIC_AS_EXISTS, ctx, k->ctx = htole32(1));
		WRONG(pnic_adm_create_ctx, PNIC_AS_OK, ctx, );
		g = named(all, "DESTROY_CTX");
		WRONG(pnic_adm_destroy, PNIC_AS_BUSY, id, k->id = htole32(1));
		WRONG(pnic_adm_destroy, PNIC_AS_OK, id, k->id = htole32(2));
		WRONG(pnic_adm_destroy, PNIC_AS_NOT_FOUND, id, k->id = htole32(2));
		WRONG(pnic_adm_destroy, PNIC_AS_INVALID_FIELD, id, k->id = 0);
		WRONG(pnic_adm_destroy, PNIC_AS_INVALID_FIELD, id, k->id = htole32(1024));
	}
	SUBTEST("doorbell pages") {
		g = named(all, "BIND_DB");
		WRONG(pnic_adm_bind_db, PNIC_AS_INVALID_FIELD, ctx, k->ctx = 0);
		WRONG(pnic_adm_bind_db, PNIC_AS_INVALID_FIELD, page, k->page = htole32(PM_DB_PAGES));
		WRONG(pnic_adm_bind_db, PNIC_AS_NOT_FOUND, ctx, k->ctx = htole32(3));
		WRONG(pnic_adm_bind_db, PNIC_AS_EXISTS, page, k->page = htole32(1));
		memset(th_slot(h, 9, 0), 0xff, TH_PAGE);
		WRONG(pnic_adm_bind_db, PNIC_AS_OK, page, );
		CHECK_EQ(*th_slot(h, 9, 0), 0);
		CHECK_EQ(*th_slot(h, 9, 511), 0);
		WRONG(pnic_adm_bind_db, PNIC_AS_BUSY, page, k->hdr.opcode = PNIC_ADM_UNBIND_DB; k->page = htole32(1));
		WRONG(pnic_adm_bind_db, PNIC_AS_NOT_FOUND, page, k->hdr.opcode = PNIC_ADM_UNBIND_DB;
		      k->ctx = htole32(2));
		WRONG(pnic_adm_bind_db, PNIC_AS_OK, page, k->hdr.opcode = PNIC_ADM_UNBIND_DB);
		WRONG(pnic_adm_bind_db, PNIC_AS_NOT_FOUND, page, k->hdr.opcode = PNIC_ADM_UNBIND_DB);
	}
	SUBTEST("CREATE_CQ") {
		g = named(all, "CREATE_CQ");
		WRONG(pnic_adm_create_cq, PNIC_AS_INVALID_FIELD, cqn, k->cqn = htole32(65536));
		WRONG(pnic_adm_create_cq, PNIC_AS_INVALID_FIELD, ctx, k->ctx = htole32(UINT32_MAX));
		WRONG(pnic_adm_create_cq, PNIC_AS_INVALID_FIELD, base, k->base = htole64(1));
		WRONG(pnic_adm_create_cq, PNIC_AS_INVALID_FIELD, base, k->base = 0);
		WRONG(pnic_adm_create_cq, PNIC_AS_INVALID_FIELD, eqn, k->eqn = htole16(16));
		WRONG(pnic_adm_create_cq, PNIC_AS_INVALID_FIELD, log_size, k->log_size = 17);
		WRONG(pnic_adm_create_cq, PNIC_AS_INVALID_FIELD, db_page, k->db_page = htole32(PM_DB_PAGES));
		WRONG(pnic_adm_create_cq, PNIC_AS_INVALID_FIELD, db_slot, k->db_slot = htole16(7));
		WRONG(pnic_adm_create_cq, PNIC_AS_INVALID_FIELD, db_slot, k->db_slot = htole16(512));
		WRONG(pnic_adm_create_cq, PNIC_AS_NOT_FOUND, ctx, k->ctx = htole32(2));
		WRONG(pnic_adm_create_cq, PNIC_AS_NOT_FOUND, eqn, k->eqn = htole16(9));
		WRONG(pnic_adm_create_cq, PNIC_AS_NOT_FOUND, db_page, k->db_page = htole32(2));
		WRONG(pnic_adm_create_cq, PNIC_AS_EXISTS, db_slot, k->db_slot = htole16(cq0.slot));
		WRONG(pnic_adm_create_cq, PNIC_AS_EXISTS, cqn, k->cqn = 0);
		WRONG(pnic_adm_create_cq, PNIC_AS_OK, cqn, );
	}
	SUBTEST("CREATE_EP") {
		g = named(all, "CREATE_EP");
		WRONG(pnic_adm_create_ep, PNIC_AS_INVALID_FIELD, epn, k->epn = htole32(65536));
		WRONG(pnic_adm_create_ep, PNIC_AS_INVALID_FIELD, ctx, k->ctx = 0);
		WRONG(pnic_adm_create_ep, PNIC_AS_INVALID_FIELD, sq_base, k->sq_base = 0);
		WRONG(pnic_adm_create_ep, PNIC_AS_INVALID_FIELD, sq_base, k->sq_base = htole64(64));
		WRONG(pnic_adm_create_ep, PNIC_AS_INVALID_FIELD, rq_base, k->rq_base = htole64(64));
		WRONG(pnic_adm_create_ep, PNIC_AS_INVALID_FIELD, sq_log_size, k->sq_log_size = 3);
		WRONG(pnic_adm_create_ep, PNIC_AS_INVALID_FIELD, sq_log_size, k->sq_log_size = 16);
		WRONG(pnic_adm_create_ep, PNIC_AS_INVALID_FIELD, rq_log_size, k->rq_log_size = 16);
		WRONG(pnic_adm_create_ep, PNIC_AS_INVALID_FIELD, rq_log_size, k->rq_log_size = 1; k->rq_base = 0);
		WRONG(pnic_adm_create_ep, PNIC_AS_INVALID_FIELD, flags, k->flags = htole16(4));
		WRONG(pnic_adm_create_ep, PNIC_AS_INVALID_FIELD, srqn, k->srqn = htole32(1));
		WRONG(pnic_adm_create_ep, PNIC_AS_INVALID_FIELD, srqn, k->flags = htole16(2); k->srqn = htole32(65536));
		WRONG(pnic_adm_create_ep, PNIC_AS_INVALID_FIELD, rq_base, k->flags = htole16(2));
		WRONG(pnic_adm_create_ep, PNIC_AS_NOT_FOUND, srqn, k->flags = htole16(2); k->rq_base = 0);
		WRONG(pnic_adm_create_ep, PNIC_AS_INVALID_FIELD, send_cqn, k->send_cqn = htole32(65536));
		WRONG(pnic_adm_create_ep, PNIC_AS_INVALID_FIELD, recv_cqn, k->recv_cqn = htole32(UINT32_MAX));
		WRONG(pnic_adm_create_ep, PNIC_AS_INVALID_FIELD, db_page, k->db_page = htole32(PM_DB_PAGES));
		WRONG(pnic_adm_create_ep, PNIC_AS_INVALID_FIELD, sq_slot, k->sq_slot = 0);
		WRONG(pnic_adm_create_ep, PNIC_AS_INVALID_FIELD, rq_slot, k->rq_slot = htole16(512));
		WRONG(pnic_adm_create_ep, PNIC_AS_NOT_FOUND, ctx, k->ctx = htole32(2));
		WRONG(pnic_adm_create_ep, PNIC_AS_NOT_FOUND, send_cqn, k->send_cqn = htole32(44));
		WRONG(pnic_adm_create_ep, PNIC_AS_NOT_FOUND, recv_cqn, k->recv_cqn = htole32(44));
		WRONG(pnic_adm_create_ep, PNIC_AS_EXISTS, epn, k->epn = 0);
		WRONG(pnic_adm_create_ep, PNIC_AS_EXISTS, sq_slot, k->sq_slot = htole16(ep0.sq_slot));
		WRONG(pnic_adm_create_ep, PNIC_AS_EXISTS, rq_slot, k->rq_slot = htole16(ep0.rq_slot));
		WRONG(pnic_adm_create_ep, PNIC_AS_EXISTS, rq_slot, k->rq_slot = k->sq_slot);
		*th_slot(h, 1, 101) = 12345;
		WRONG(pnic_adm_create_ep, PNIC_AS_OK, epn, );
		CHECK_EQ(*th_slot(h, 1, 101), 0);
	}
	SUBTEST("CREATE_SRQ, DESTROY_SRQ") {
		g = named(all, "CREATE_SRQ");
		WRONG(pnic_adm_create_srq, PNIC_AS_INVALID_FIELD, srqn, k->srqn = htole32(65536));
		WRONG(pnic_adm_create_srq, PNIC_AS_INVALID_FIELD, ctx, k->ctx = 0);
		WRONG(pnic_adm_create_srq, PNIC_AS_INVALID_FIELD, base, k->base = 0);
		WRONG(pnic_adm_create_srq, PNIC_AS_INVALID_FIELD, base, k->base = htole64(64));
		WRONG(pnic_adm_create_srq, PNIC_AS_INVALID_FIELD, log_size, k->log_size = 16);
		WRONG(pnic_adm_create_srq, PNIC_AS_INVALID_FIELD, db_page, k->db_page = htole32(PM_DB_PAGES));
		WRONG(pnic_adm_create_srq, PNIC_AS_INVALID_FIELD, db_slot, k->db_slot = htole16(7));
		WRONG(pnic_adm_create_srq, PNIC_AS_INVALID_FIELD, db_slot, k->db_slot = htole16(512));
		WRONG(pnic_adm_create_srq, PNIC_AS_NOT_FOUND, ctx, k->ctx = htole32(2));
		WRONG(pnic_adm_create_srq, PNIC_AS_NOT_FOUND, db_page, k->db_page = htole32(2));
		WRONG(pnic_adm_create_srq, PNIC_AS_EXISTS, db_slot, k->db_slot = htole16(ep0.sq_slot));
		WRONG(pnic_adm_create_srq, PNIC_AS_OK, srqn, );
		WRONG(pnic_adm_create_srq, PNIC_AS_EXISTS, srqn, );
		g = named(all, "DESTROY_SRQ");
		WRONG(pnic_adm_destroy, PNIC_AS_INVALID_FIELD, id, k->id = htole32(65536));
		WRONG(pnic_adm_destroy, PNIC_AS_NOT_FOUND, id, );
		WRONG(pnic_adm_destroy, PNIC_AS_OK, id, k->id = htole32(1));
	}
	SUBTEST("CREATE_CTR, BIND_CTR, DESTROY_CTR") {
		g = named(all, "CREATE_CTR");
		WRONG(pnic_adm_create_ctr, PNIC_AS_INVALID_FIELD, ctr, k->ctr = htole32(65536));
		WRONG(pnic_adm_create_ctr, PNIC_AS_INVALID_FIELD, ctx, k->ctx = htole32(1024));
		WRONG(pnic_adm_create_ctr, PNIC_AS_INVALID_FIELD, addr, k->addr = 0);
		WRONG(pnic_adm_create_ctr, PNIC_AS_INVALID_FIELD, addr, k->addr = htole64(scratch + 32));
		WRONG(pnic_adm_create_ctr, PNIC_AS_INVALID_FIELD, eqn, k->eqn = htole16(16));
		WRONG(pnic_adm_create_ctr, PNIC_AS_INVALID_FIELD, db_slot, k->db_slot = 0);
		WRONG(pnic_adm_create_ctr, PNIC_AS_INVALID_FIELD, db_page, k->db_page = htole32(PM_DB_PAGES));
		WRONG(pnic_adm_create_ctr, PNIC_AS_NOT_FOUND, ctx, k->ctx = htole32(2));
		WRONG(pnic_adm_create_ctr, PNIC_AS_NOT_FOUND, eqn, k->eqn = htole16(9));
		WRONG(pnic_adm_create_ctr, PNIC_AS_DMA_FAULT, addr, k->addr = htole64(64));
		WRONG(pnic_adm_create_ctr, PNIC_AS_EXISTS, db_slot, k->db_slot = htole16(ep0.sq_slot));
		WRONG(pnic_adm_create_ctr, PNIC_AS_OK, ctr, );
		WRONG(pnic_adm_create_ctr, PNIC_AS_EXISTS, ctr, );
		g = named(all, "BIND_CTR");
		WRONG(pnic_adm_bind_ctr, PNIC_AS_INVALID_FIELD, epn, k->epn = htole32(65536));
		WRONG(pnic_adm_bind_ctr, PNIC_AS_INVALID_FIELD, ctr, k->bind = 1; k->ctr = htole32(65536));
		WRONG(pnic_adm_bind_ctr, PNIC_AS_INVALID_FIELD, ctr, k->ctr = htole32(1));
		WRONG(pnic_adm_bind_ctr, PNIC_AS_INVALID_FIELD, kinds, k->kinds = 0);
		WRONG(pnic_adm_bind_ctr, PNIC_AS_INVALID_FIELD, kinds, k->kinds = htole16(0x80));
		WRONG(pnic_adm_bind_ctr, PNIC_AS_INVALID_FIELD, bind, k->bind = 2);
		WRONG(pnic_adm_bind_ctr, PNIC_AS_NOT_FOUND, epn, k->epn = htole32(77));
		WRONG(pnic_adm_bind_ctr, PNIC_AS_NOT_FOUND, ctr, k->bind = 1; k->ctr = htole32(2));
		WRONG(pnic_adm_bind_ctr, PNIC_AS_OK, ctr, k->bind = 1; k->ctr = htole32(1); k->kinds = htole16(0x7f));
		g = named(all, "DESTROY_CTR");
		WRONG(pnic_adm_destroy, PNIC_AS_INVALID_FIELD, id, k->id = htole32(65536));
		WRONG(pnic_adm_destroy, PNIC_AS_NOT_FOUND, id, );
		WRONG(pnic_adm_destroy, PNIC_AS_BUSY, id, k->id = htole32(1));
		g = named(all, "BIND_CTR");
		WRONG(pnic_adm_bind_ctr, PNIC_AS_OK, ctr, k->kinds = htole16(0x7f));
		g = named(all, "DESTROY_CTR");
		WRONG(pnic_adm_destroy, PNIC_AS_OK, id, k->id = htole32(1));
	}
	SUBTEST("CANCEL_RECV, MR_SUSPEND") {
		g = named(all, "CANCEL_RECV");
		WRONG(pnic_adm_cancel_recv, PNIC_AS_INVALID_FIELD, id, k->id = htole32(65536));
		WRONG(pnic_adm_cancel_recv, PNIC_AS_INVALID_FIELD, srq, k->srq = 2);
		WRONG(pnic_adm_cancel_recv, PNIC_AS_NOT_FOUND, id, k->id = htole32(50));
		WRONG(pnic_adm_cancel_recv, PNIC_AS_NOT_FOUND, id, k->srq = 1; k->id = htole32(50));
		WRONG(pnic_adm_cancel_recv, PNIC_AS_NOT_FOUND, index, );
		g = named(all, "MR_SUSPEND");
		WRONG(pnic_adm_destroy, PNIC_AS_INVALID_FIELD, id, k->id = htole32(262144));
		WRONG(pnic_adm_destroy, PNIC_AS_NOT_FOUND, id, k->id = htole32(9));
	}
	SUBTEST("CREATE_MR") {
		g = named(all, "CREATE_MR");
		WRONG(pnic_adm_create_mr, PNIC_AS_INVALID_FIELD, index, k->index = htole32(262144));
		WRONG(pnic_adm_create_mr, PNIC_AS_INVALID_FIELD, ctx, k->ctx = htole32(5000));
		WRONG(pnic_adm_create_mr, PNIC_AS_INVALID_FIELD, key, k->key = htole64(0x7700000002ull));
		WRONG(pnic_adm_create_mr, PNIC_AS_INVALID_FIELD, key, k->key = htole64(1));
		WRONG(pnic_adm_create_mr, PNIC_AS_INVALID_FIELD, length, k->length = 0);
		WRONG(pnic_adm_create_mr, PNIC_AS_INVALID_FIELD, length, k->va = htole64(UINT64_MAX - 50));
		WRONG(pnic_adm_create_mr, PNIC_AS_INVALID_FIELD, page_shift, k->page_shift = 11);
		WRONG(pnic_adm_create_mr, PNIC_AS_INVALID_FIELD, page_shift, k->page_shift = 31);
		WRONG(pnic_adm_create_mr, PNIC_AS_INVALID_FIELD, rights, k->rights = 0x20);
		WRONG(pnic_adm_create_mr, PNIC_AS_INVALID_FIELD, pbl_kind, k->pbl_kind = 2);
		WRONG(pnic_adm_create_mr, PNIC_AS_INVALID_FIELD, num_pages, k->num_pages = htole32(2));
		WRONG(pnic_adm_create_mr, PNIC_AS_INVALID_FIELD, num_pages, k->length = htole64(1ull << 62));
		WRONG(pnic_adm_create_mr, PNIC_AS_INVALID_FIELD, pbl, k->pbl = htole64(scratch + 4));
		WRONG(pnic_adm_create_mr, PNIC_AS_INVALID_FIELD, pbl, k->pbl = htole64(scratch + 8); k->pbl_kind = 1);
		WRONG(pnic_adm_create_mr, PNIC_AS_DMA_FAULT, pbl, k->pbl = htole64(8));
		WRONG(pnic_adm_create_mr, PNIC_AS_DMA_FAULT, pbl, k->pbl_kind = 1);
		WRONG(pnic_adm_create_mr, PNIC_AS_NOT_FOUND, ctx, k->ctx = htole32(2));
		WRONG(pnic_adm_create_mr, PNIC_AS_EXISTS, index, k->index = 0; k->key = htole64(1 << 24));
		*(uint64_t *)th_ptr(h, scratch) = htole64(0x1008);
		WRONG(pnic_adm_create_mr, PNIC_AS_INVALID_FIELD, pbl, );
		*(uint64_t *)th_ptr(h, scratch) = htole64(0x1000);
		WRONG(pnic_adm_create_mr, PNIC_AS_OK, index, );
		/* As large as can be said, with a list that can't be read. */
		WRONG(pnic_adm_create_mr, PNIC_AS_DMA_FAULT, pbl, k->index = htole32(7);
		      k->key = htole64(0x7700000007ull); k->va = 0; k->length = htole64(1ull << 36);
		      k->num_pages = htole32(1 << 24); k->pbl = htole64(scratch));
	}
	SUBTEST("destroying what is needed") {
		CHECK_EQ(th_destroy(h, PNIC_ADM_DESTROY_CQ, 0), PNIC_AS_BUSY);
		CHECK_EQ(th_destroy(h, PNIC_ADM_DESTROY_CQ, 99), PNIC_AS_NOT_FOUND);
		CHECK_EQ(th_destroy(h, PNIC_ADM_DESTROY_CQ, 65536), PNIC_AS_INVALID_FIELD);
		CHECK_EQ(th_destroy(h, PNIC_ADM_DESTROY_EP, 65536), PNIC_AS_INVALID_FIELD);
		CHECK_EQ(th_destroy(h, PNIC_ADM_RESET_EP, 9), PNIC_AS_NOT_FOUND);
		CHECK_EQ(th_destroy(h, PNIC_ADM_DESTROY_EP, 0), PNIC_AS_OK);
		CHECK_EQ(th_destroy(h, PNIC_ADM_DESTROY_EP, 1), PNIC_AS_OK);
		CHECK_EQ(th_destroy(h, PNIC_ADM_DESTROY_EP, 1), PNIC_AS_NOT_FOUND);
		CHECK_EQ(th_destroy(h, PNIC_ADM_DESTROY_CQ, 0), PNIC_AS_OK);
		CHECK_EQ(th_destroy(h, PNIC_ADM_DESTROY_CQ, 1), PNIC_AS_OK);
		CHECK_EQ(th_destroy(h, PNIC_ADM_DESTROY_MR, 0), PNIC_AS_OK);
		CHECK_EQ(th_destroy(h, PNIC_ADM_DESTROY_MR, 0), PNIC_AS_NOT_FOUND);
		CHECK_EQ(th_destroy(h, PNIC_ADM_DESTROY_MR, 262144), PNIC_AS_INVALID_FIELD);
		CHECK_EQ(th_destroy(h, PNIC_ADM_DESTROY_MR, 1), PNIC_AS_OK);
	}
	th_mr_free(&mr0);
	th_close(&t);
}

static void lane_light(struct th *t, struct th_host *h, uint16_t lane, bool on)
{
	struct pnic_adm_lane_ctl k = { .hdr.opcode = PNIC_ADM_LANE_CTL, .lane = htole16(lane), .enable = on };
	struct pnic_eqe ev;

	REQUIRE_EQ(th_cmd(h, &k), PNIC_AS_OK);
	REQUIRE(TH_UNTIL(t, th_event(&t->h[h == &t->h[0]], PNIC_EV_LANE, &ev)));
	CHECK_EQ(le16toh(ev.code), on ? PNIC_LANE_CAUSE_BACK : PNIC_LANE_CAUSE_LOS);
}

/* What a command was to tell and could not is there for the next one. */
KTAP_TEST(what_did_not_reach_the_host)
{
	struct pnic_adm_mgmt g = { .hdr.opcode = PNIC_ADM_MGMT_SEND };
	struct pnic_adm_buf b = { .hdr.opcode = PNIC_ADM_LINK_QUERY };
	struct pnic_link_info *info;
	struct pnic_eqe ev;
	struct th_host *h;
	uint64_t at;
	struct th t;

	open_two(&t);
	h = &t.h[0];
	th_up(h);
	th_up(&t.h[1]);
	at = th_alloc(h, TH_PAGE);
	SUBTEST("the smallest margin") {
		b.addr = htole64(at);
		b.length = htole32(sizeof(*info));
		info = th_ptr(h, at);
		REQUIRE_EQ(th_cmd(h, &b), PNIC_AS_OK);
		lane_light(&t, &t.h[1], 3, false);
		lane_light(&t, &t.h[1], 3, true);
		h->bad_page = at;
		CHECK_EQ(th_cmd(h, &b), PNIC_AS_DMA_FAULT);
		CHECK_EQ(le64toh(h->last.result[0]), at);
		h->bad_page = 0;
		REQUIRE_EQ(th_cmd(h, &b), PNIC_AS_OK);
		CHECK_LT(le16toh(info->margin_min), le16toh(info->margin));
		REQUIRE_EQ(th_cmd(h, &b), PNIC_AS_OK);
		CHECK_EQ(le16toh(info->margin_min), le16toh(info->margin));
	}
	SUBTEST("a management message") {
		uint64_t from = th_alloc(&t.h[1], TH_PAGE);

		memcpy(th_ptr(&t.h[1], from), "is anybody there", 16);
		g.addr = htole64(from);
		g.length = htole32(16);
		REQUIRE_EQ(th_cmd(&t.h[1], &g), PNIC_AS_OK);
		REQUIRE(TH_UNTIL(&t, th_event(h, PNIC_EV_MGMT, &ev)));
		g.hdr.opcode = PNIC_ADM_MGMT_RECV;
		g.addr = htole64(at);
		g.length = htole32(2048);
		h->bad_page = at;
		CHECK_EQ(th_cmd(h, &g), PNIC_AS_DMA_FAULT);
		h->bad_page = 0;
		REQUIRE_EQ(th_cmd(h, &g), PNIC_AS_OK);
		CHECK_EQ(le64toh(h->last.result[0]), 16);
		CHECK(!memcmp(th_ptr(h, at), "is anybody there", 16));
		REQUIRE_EQ(th_cmd(h, &g), PNIC_AS_OK);
		CHECK_EQ(h->last.result[0], 0);
	}
	th_close(&t);
}

/* However often the lanes come and go while the host looks elsewhere: EQ 0 takes it, and the last word is the truth. */
KTAP_TEST(news_of_the_link_wait)
{
	struct pnic_adm_hdr nop[8] = { { .opcode = PNIC_ADM_NOP } };
	struct pnic_adm_lane_ctl k = { .hdr.opcode = PNIC_ADM_LANE_CTL };
	unsigned int i, n = 0, last[2] = { 0, 0 };
	struct pnic_acqe a;
	struct pnic_eqe ev;
	struct th_host *h;
	uint32_t since;
	struct th t;

	open_two(&t);
	h = &t.h[0];
	th_enable(h, 4, 5);
	REQUIRE_EQ(th_create_eq(h, 0, 4), PNIC_AS_OK);
	th_read_events(h);
	th_up(&t.h[1]);
	for (i = 0; i < 60; i++) {
		k.lane = htole16(3 + i / 2 % 2);
		k.enable = i & 1;
		REQUIRE_EQ(th_cmd(&t.h[1], &k), PNIC_AS_OK);
		since = th_rd(h, PNIC_REG_CLOCK_LO);
		REQUIRE(TH_UNTIL(&t, th_rd(h, PNIC_REG_CLOCK_LO) - since >= 300000));
	}
	CHECK_EQ(th_rd(h, PNIC_REG_STATUS), PNIC_STATUS_READY);
	/* Room is kept for the answers to commands. */
	for (i = 0; i < 3; i++) {
		th_submit(h, nop);
		REQUIRE(TH_UNTIL(&t, th_acqe(h, &a)));
	}
	CHECK_EQ(th_rd(h, PNIC_REG_STATUS), PNIC_STATUS_READY);
	while (th_event(h, PNIC_EV_LANE, &ev)) {
		REQUIRE(le32toh(ev.id) - 3 < 2);
		last[le32toh(ev.id) - 3] = le16toh(ev.code);
		n++;
	}
	CHECK_LE(n, 12 + 2 * 2);
	CHECK_EQ(last[0], PNIC_LANE_CAUSE_BACK);
	CHECK_EQ(last[1], PNIC_LANE_CAUSE_BACK);
	th_close(&t);
}

KTAP_TEST(link_commands)
{
	struct pnic_adm_map m = { .hdr.opcode = PNIC_ADM_MAP_STAGE, .dir = PNIC_DIR_TX };
	struct pnic_adm_mgmt g = { .hdr.opcode = PNIC_ADM_MGMT_SEND };
	struct pnic_adm_buf b = { .hdr.opcode = PNIC_ADM_LINK_QUERY };
	struct pnic_adm_lane_ctl lc = { .hdr.opcode = PNIC_ADM_LANE_CTL };
	struct pnic_adm_link_set ls = { .hdr.opcode = PNIC_ADM_LINK_SET };
	struct pnic_lane_table *table;
	struct pnic_link_info *info;
	struct pnic_map *map;
	struct pnic_eqe ev;
	struct th_host *h, *far;
	uint64_t at, at2;
	unsigned int i;
	struct th t;

	open_two(&t);
	h = &t.h[0];
	far = &t.h[1];
	th_up(h);
	th_up(far);
	at = th_alloc(h, 4 * TH_PAGE);
	at2 = th_alloc(far, TH_PAGE);
	SUBTEST("LINK_QUERY") {
		b.addr = htole64(at);
		b.length = htole32(sizeof(*info));
		REQUIRE_EQ(th_cmd(h, &b), PNIC_AS_OK);
		info = th_ptr(h, at);
		CHECK_EQ(info->state, PNIC_LINK_UP);
		CHECK_EQ(le16toh(info->width_tx), 16);
		CHECK_EQ(le32toh(info->gen_rx), 1);
		b.length = htole32(sizeof(*info) - 1);
		CHECK_EQ(th_cmd(h, &b), PNIC_AS_INVALID_FIELD);
		b.length = htole32(4096);
		b.arg = htole32(1);
		CHECK_EQ(th_cmd(h, &b), PNIC_AS_INVALID_FIELD);
		b.arg = 0;
		b.addr = htole64(at + 8);
		CHECK_EQ(th_cmd(h, &b), PNIC_AS_INVALID_FIELD);
		b.addr = htole64(0);
		CHECK_EQ(th_cmd(h, &b), PNIC_AS_DMA_FAULT);
		b.addr = htole64(at);
	}
	SUBTEST("LANE_TABLE") {
		b.hdr.opcode = PNIC_ADM_LANE_TABLE;
		b.length = htole32(3 * TH_PAGE);
		for (i = 1; i <= 3; i++) {
			REQUIRE_EQ(th_cmd(h, &b), PNIC_AS_OK);
			table = th_ptr(h, at);
			CHECK_EQ(le32toh(table->seq_begin), 2 * i);
			CHECK_EQ(le32toh(table->seq_end), 2 * i);
			CHECK_EQ(le16toh(table->count), 20);
			CHECK_EQ(le16toh(table->rec_size), sizeof(struct pnic_lane_rec));
		}
		b.length = htole32(sizeof(*table) + 19 * sizeof(struct pnic_lane_rec));
		CHECK_EQ(th_cmd(h, &b), PNIC_AS_INVALID_FIELD);
		b.length = htole32(4096);
		b.arg = htole32(2);
		CHECK_EQ(th_cmd(h, &b), PNIC_AS_INVALID_FIELD);
	}
	SUBTEST("MAP_QUERY") {
		b.hdr.opcode = PNIC_ADM_MAP_QUERY;
		b.arg = htole32(PNIC_DIR_TX);
		REQUIRE_EQ(th_cmd(h, &b), PNIC_AS_OK);
		map = th_ptr(h, at);
		CHECK_EQ(le32toh(map->generation), 1);
		CHECK_EQ(le16toh(map->width), 16);
		b.length = htole32(sizeof(*map) + 31);
		CHECK_EQ(th_cmd(h, &b), PNIC_AS_INVALID_FIELD);
	}
	SUBTEST("MAP_STAGE, MAP_ABORT, MAP_SWITCH") {
		map = th_ptr(h, at);
		map->generation = htole32(2);
		m.addr = htole64(at);
		m.length = htole32(sizeof(*map) + 32);
		m.dir = 2;
		CHECK_EQ(th_cmd(h, &m), PNIC_AS_INVALID_FIELD);
		m.dir = PNIC_DIR_TX;
		m.generation = htole32(3);
		CHECK_EQ(th_cmd(h, &m), PNIC_AS_INVALID_FIELD);
		m.generation = htole32(2);
		REQUIRE_EQ(th_cmd(h, &m), PNIC_AS_OK);
		map->generation = htole32(9);
		m.generation = 0;
		CHECK_EQ(th_cmd(h, &m), PNIC_AS_REFUSED);
		CHECK_EQ(le64toh(h->last.result[0]), PNIC_MAPR_GENERATION);
		m.hdr.opcode = PNIC_ADM_MAP_ABORT;
		m.generation = htole32(2);
		CHECK_EQ(th_cmd(h, &m), PNIC_AS_INVALID_FIELD);
		m.addr = 0;
		m.length = 0;
		CHECK_EQ(th_cmd(h, &m), PNIC_AS_OK);
		m.hdr.opcode = PNIC_ADM_MAP_SWITCH;
		CHECK_EQ(th_cmd(h, &m), PNIC_AS_WRONG_STATE);
		m.dir = PNIC_DIR_RX;
		CHECK_EQ(th_cmd(h, &m), PNIC_AS_INVALID_FIELD);
	}
	SUBTEST("STANDBY") {
		struct pnic_adm_map k = { .hdr.opcode = PNIC_ADM_STANDBY, .dir = PNIC_DIR_TX };
		__le16 *phys = (__le16 *)((struct pnic_map *)th_ptr(h, at) + 1);

		CHECK_EQ(th_cmd(h, &k), PNIC_AS_OK);		/* no plan, as before */
		k.addr = htole64(at);
		CHECK_EQ(th_cmd(h, &k), PNIC_AS_INVALID_FIELD);
		CHECK_EQ(le64toh(h->last.result[0]), offsetof(struct pnic_adm_map, addr));
		map = th_ptr(h, at);
		map->generation = htole32(1);
		for (i = 0; i < 16; i++)
			phys[i] = htole16(i < 4 ? 16 + i : PNIC_LANE_NONE);
		k.length = htole32(sizeof(*map) + 32);
		k.dir = 2;
		CHECK_EQ(th_cmd(h, &k), PNIC_AS_INVALID_FIELD);
		k.dir = PNIC_DIR_RX;
		k.generation = htole32(2);
		CHECK_EQ(th_cmd(h, &k), PNIC_AS_INVALID_FIELD);
		k.generation = 0;
		phys[4] = htole16(4);
		CHECK_EQ(th_cmd(h, &k), PNIC_AS_REFUSED);
		CHECK_EQ(le64toh(h->last.result[0]), PNIC_MAPR_IN_USE);
		phys[4] = htole16(16);
		k.addr = 0;
		CHECK_EQ(th_cmd(h, &k), PNIC_AS_DMA_FAULT);
		k.addr = htole64(at);
		/* Both ends, a lane goes, and both are told. */
		memcpy(th_ptr(far, at2), map, sizeof(*map) + 32);
		k.addr = htole64(at2);
		k.dir = PNIC_DIR_TX;
		CHECK_EQ(th_cmd(far, &k), PNIC_AS_OK);
		k.addr = htole64(at);
		k.dir = PNIC_DIR_RX;
		k.generation = htole32(1);
		CHECK_EQ(th_cmd(h, &k), PNIC_AS_OK);
		pm_fault_kill(pm_card_port(pm_fabric_card(t.f, 0)), 2);
		REQUIRE(TH_UNTIL(&t, th_event(h, PNIC_EV_MAP, &ev)));
		CHECK_EQ(le32toh(ev.id), 2);
		CHECK_EQ(le16toh(ev.code), PNIC_DIR_RX);
		CHECK_GT(le64toh(ev.data[1]), 0);
		CHECK_LE(le64toh(ev.data[0]) - le64toh(ev.data[1]), 324 + 1000);
		REQUIRE(TH_UNTIL(&t, th_event(far, PNIC_EV_MAP, &ev)));
		CHECK_EQ(le32toh(ev.id), 2);
		CHECK_EQ(le16toh(ev.code), PNIC_DIR_TX);
		CHECK_GT(le64toh(ev.data[1]), 0);
	}
	SUBTEST("LANE_TEST") {
		struct pnic_adm_lane_test k = { .hdr.opcode = PNIC_ADM_LANE_TEST };

		k.lane = htole16(19);
		CHECK_EQ(th_cmd(h, &k), PNIC_AS_INVALID_FIELD);
		CHECK_EQ(le64toh(h->last.result[0]), offsetof(struct pnic_adm_lane_test, mbits));
		k.mbits = htole32(1);
		CHECK_EQ(th_cmd(h, &k), PNIC_AS_OK);
		CHECK_EQ(th_cmd(h, &k), PNIC_AS_EXISTS);
		REQUIRE(TH_UNTIL(&t, th_event(h, PNIC_EV_LANE, &ev) &&
				 le16toh(ev.code) == PNIC_LANE_CAUSE_TESTED));
		CHECK_EQ(le32toh(ev.id), 19);
		CHECK_EQ(le64toh(ev.data[1]), 1 << 20);
		k.op = PNIC_LANE_TEST_STOP;
		CHECK_EQ(th_cmd(h, &k), PNIC_AS_INVALID_FIELD);
		k.mbits = 0;
		CHECK_EQ(th_cmd(h, &k), PNIC_AS_OK);
		CHECK_EQ(le64toh(h->last.result[1]), 1 << 20);
		CHECK_EQ(th_cmd(h, &k), PNIC_AS_NOT_FOUND);
	}
	SUBTEST("a management message, and its event") {
		memcpy(th_ptr(h, at), "is anybody there", 16);
		g.addr = htole64(at);
		g.length = htole32(16);
		REQUIRE_EQ(th_cmd(h, &g), PNIC_AS_OK);
		REQUIRE(TH_UNTIL(&t, th_event(far, PNIC_EV_MGMT, &ev)));
		g.hdr.opcode = PNIC_ADM_MGMT_RECV;
		g.addr = htole64(at2);
		g.length = htole32(2048);
		REQUIRE_EQ(th_cmd(far, &g), PNIC_AS_OK);
		CHECK_EQ(le64toh(far->last.result[0]), 16);
		CHECK(!memcmp(th_ptr(far, at2), "is anybody there", 16));
		REQUIRE_EQ(th_cmd(far, &g), PNIC_AS_OK);
		CHECK_EQ(far->last.result[0], 0);
		g.length = htole32(0);
		CHECK_EQ(th_cmd(far, &g), PNIC_AS_INVALID_FIELD);
		g.hdr.opcode = PNIC_ADM_MGMT_SEND;
		CHECK_EQ(th_cmd(far, &g), PNIC_AS_INVALID_FIELD);
		g.length = htole32(4096);
		CHECK_EQ(th_cmd(far, &g), PNIC_AS_INVALID_FIELD);
	}
	SUBTEST("LANE_CTL, seen by the far end as a lost lane") {
		lc.lane = htole16(20);
		CHECK_EQ(th_cmd(h, &lc), PNIC_AS_INVALID_FIELD);
		lc.lane = htole16(17);
		lc.enable = 2;
		CHECK_EQ(th_cmd(h, &lc), PNIC_AS_INVALID_FIELD);
		lc.enable = 0;
		REQUIRE_EQ(th_cmd(h, &lc), PNIC_AS_OK);
		REQUIRE(TH_UNTIL(&t, th_event(far, PNIC_EV_LANE, &ev)));
		CHECK_EQ(le32toh(ev.id), 17);
		CHECK_EQ(le16toh(ev.code), PNIC_LANE_CAUSE_LOS);
	}
	SUBTEST("LINK_SET") {
		ls.admin_up = 2;
		CHECK_EQ(th_cmd(h, &ls), PNIC_AS_INVALID_FIELD);
		ls.admin_up = 0;
		REQUIRE_EQ(th_cmd(h, &ls), PNIC_AS_OK);
		REQUIRE(TH_UNTIL(&t, th_event(h, PNIC_EV_LINK, &ev)));
		CHECK_EQ(le16toh(ev.code), PNIC_LINK_DISABLED);
		REQUIRE(TH_UNTIL(&t, th_event(far, PNIC_EV_LINK, &ev)));
		CHECK_EQ(le16toh(ev.code), PNIC_LINK_DOWN);
		ls.admin_up = 1;
		REQUIRE_EQ(th_cmd(h, &ls), PNIC_AS_OK);
		REQUIRE(TH_UNTIL(&t, th_event(far, PNIC_EV_LINK, &ev) && le16toh(ev.code) == PNIC_LINK_UP));
		CHECK_NE(ev.data[0], 0);
	}
	SUBTEST("COUNTERS") {
		struct pnic_counters *k = th_ptr(h, at);

		b.hdr.opcode = PNIC_ADM_COUNTERS;
		b.length = htole32(sizeof(*k));
		b.arg = 0;
		REQUIRE_EQ(th_cmd(h, &b), PNIC_AS_OK);
		CHECK_EQ(le64toh(k->interrupts), h->irqs[0] + h->irqs[1] - 1);
		CHECK_NE(k->mgmt_tx, 0);
		b.length = htole32(sizeof(*k) - 1);
		CHECK_EQ(th_cmd(h, &b), PNIC_AS_INVALID_FIELD);
	}
	th_close(&t);
}

KTAP_MAIN()
