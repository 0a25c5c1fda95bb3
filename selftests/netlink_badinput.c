// SPDX-License-Identifier: GPL-2.0
/*
 * Bad requests to the netlink family: each is refused with the right error, the attribute that
 * is to blame is named, and nothing has changed after it.
 *
 * A table has every request with its attributes; each of them comes missing, unknown, of the wrong size and
 * out of range. What no table can say follows.
 */
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "device.h"
#include "ktap.h"
#include "modelctl.h"
#include "nl.h"
#include "nltest.h"

#define UNKNOWN_ATTR	60

static struct nl_sock s;
static struct nl_msg m;
static struct nl_attrs a;
static uint32_t total;		/* lanes */
static char serial[64];		/* of NIC 0's cable */

/* ---- what must not change ---- */

struct state {
	uint64_t policy[PNIC_A_POLICY_MAX + 1];
	uint64_t admin_up;
	uint64_t losses, bad;
	uint32_t disabled;
	uint64_t seq;			/* of the history: lanes have a life of their own */
};

static void count_lane(const struct nl_attrs *l, void *arg)
{
	struct state *st = arg;

	st->losses += nl_num(l, PNIC_A_LANE_LOSSES);
	st->bad += nl_has(l, PNIC_A_LANE_KNOWN_BAD);
	st->disabled += nl_num(l, PNIC_A_LANE_STATUS) == PNIC_LANE_STATUS_DISABLED;
}

static void read_state(struct state *st)
{
	unsigned int type;

	memset(st, 0, sizeof(*st));
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_POLICY_GET, 0, &a), 0);
	for (type = PNIC_A_POLICY_REVISION; type <= PNIC_A_POLICY_MAX; type++)
		st->policy[type] = nl_num(&a, type);
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_LINK_GET, 0, &a), 0);
	st->admin_up = nl_num(&a, PNIC_A_LINK_ADMIN_UP);
	st->seq = nl_num(&a, PNIC_A_LINK_HISTORY_SEQ);
	nl_begin(&m, PNIC_CMD_LANE_GET);
	nl_put_u32(&m, PNIC_A_LANE_DEV_INDEX, 0);
	REQUIRE_EQ(nl_dump(&s, &m, count_lane, st), 0);
}

static struct state before;

static void setup(void)
{
	need_cards(2);
	if (!s.family) {
		REQUIRE_EQ(nl_open(&s), 0);
		REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_DEV_GET, 0, &a), 0);
		total = nl_num(&a, PNIC_A_DEV_LANES_DATA) + nl_num(&a, PNIC_A_DEV_LANES_SPARE);
		snprintf(serial, sizeof(serial), "%s", nl_str(&a, PNIC_A_DEV_CABLE_SERIAL));
	}
	nltest_agreed(&s, &m, 0);
	read_state(&before);
}

static void by_itself(const struct nl_attrs *entry, void *arg)
{
	(void)arg;
	if (nl_has(entry, PNIC_A_HISTORY_ACTOR))
		CHECK_NE(nl_num(entry, PNIC_A_HISTORY_ACTOR), PNIC_ACTOR_ADMIN);
}

static void unchanged(void)
{
	struct state now;
	unsigned int i;

	read_state(&now);
	for (i = 0; i <= PNIC_A_POLICY_MAX; i++)
		CHECK_EQ(now.policy[i], before.policy[i]);
	CHECK_EQ(now.admin_up, before.admin_up);
	if (now.seq != before.seq) {
		/* Something has happened to a lane meanwhile: by itself, as the history must say. */
		nl_begin(&m, PNIC_CMD_HISTORY_GET);
		nl_put_u32(&m, PNIC_A_HISTORY_DEV_INDEX, 0);
		nl_put_u64(&m, PNIC_A_HISTORY_SINCE, before.seq);
		CHECK_EQ(nl_dump(&s, &m, by_itself, NULL), 0);
		before = now;
		return;
	}
	CHECK_EQ(now.losses, before.losses);
	CHECK_EQ(now.bad, before.bad);
	CHECK_EQ(now.disabled, before.disabled);
}

/* ---- the table ---- */

enum kind { END, U8, U32, UINT, FLAG, STR, NEST };

struct attr {
	uint16_t type;
	enum kind kind;
	uint64_t min, max;		/* max 0: any value */
};

struct op {
	uint8_t cmd;
	const char *name;
	bool dump;
	struct attr attr[26];
};

#define DEV	{ PNIC_A_DEV_INDEX, U32, 0, 0 }
#define KNOBS	\
	{ PNIC_A_POLICY_MANAGE, U8, 0, 1 },			\
	{ PNIC_A_POLICY_STANDBY, U8, 0, 1 },			\
	{ PNIC_A_POLICY_WATCH_PPB, U32, 1, 1000000000 },	\
	{ PNIC_A_POLICY_RETIRE_PPB, U32, 1, 1000000000 },	\
	{ PNIC_A_POLICY_FAIL_PPB, U32, 1, 1000000000 },		\
	{ PNIC_A_POLICY_MIN_ERRORS, U32, 1, 65535 },		\
	{ PNIC_A_POLICY_COMMON_PCT, U32, 1, 100 },		\
	{ PNIC_A_POLICY_COMMON_CDB, U32, 1, 10000 },		\
	{ PNIC_A_POLICY_CLUSTER_MIN, U32, 2, 4096 },		\
	{ PNIC_A_POLICY_CLUSTER_MS, U32, 0, 3600000 },		\
	{ PNIC_A_POLICY_MARGIN_FLOOR, U32, 0, 4096 },		\
	{ PNIC_A_POLICY_HORIZON_S, U32, 0, 31536000 },		\
	{ PNIC_A_POLICY_QUARANTINE_MS, U32, 0, 86400000 },	\
	{ PNIC_A_POLICY_QUARANTINE_MAX_MS, U32, 0, 86400000 },	\
	{ PNIC_A_POLICY_CALM_MS, U32, 0, 3600000 },		\
	{ PNIC_A_POLICY_GROW_MS, U32, 0, 86400000 },		\
	{ PNIC_A_POLICY_BUDGET_MS, U32, 1, 60000 },		\
	{ PNIC_A_POLICY_SETTLE_US, U32, 0, 1000000 },		\
	{ PNIC_A_POLICY_POLL_MS, U32, 10, 3600000 },		\
	{ PNIC_A_POLICY_TEST_MBITS, U32, 0, 1048576 }

static const struct op ops[] = {
	{ PNIC_CMD_DEV_GET, "dev-get", false, { DEV } },
	{ PNIC_CMD_DEV_GET, "dev-get", true, { { 0 } } },
	{ PNIC_CMD_LINK_GET, "link-get", false, { DEV, { PNIC_A_LINK_TAKE_MARGIN_MIN, FLAG, 0, 0 } } },
	{ PNIC_CMD_LINK_GET, "link-get", true, { { 0 } } },
	{ PNIC_CMD_LINK_SET, "link-set", false, { DEV, { PNIC_A_LINK_ADMIN_UP, U8, 0, 1 } } },
	{ PNIC_CMD_LANE_GET, "lane-get", false,
	  { DEV, { PNIC_A_LANE_INDEX, U32, 0, 0 }, { PNIC_A_LANE_DIRECTION, U32, 0, 1 } } },
	{ PNIC_CMD_LANE_GET, "lane-get", true,
	  { DEV, { PNIC_A_LANE_DIRECTION, U32, 0, 1 }, { PNIC_A_LANE_FIRST, U32, 0, 0 },
	    { PNIC_A_LANE_LAST, U32, 0, 0 }, { PNIC_A_LANE_ABNORMAL, FLAG, 0, 0 } } },
	{ PNIC_CMD_PLAN_GET, "plan-get", false, { DEV, { PNIC_A_PLAN_POLICY, NEST, 0, 0 } } },
	{ PNIC_CMD_LANE_SET, "lane-set", false,
	  { DEV, { PNIC_A_PLAN_LANE, U32, 0, 0 }, { PNIC_A_PLAN_ACTION, U32, 0, 3 },
	    { PNIC_A_PLAN_PREVIEW, FLAG, 0, 0 }, { PNIC_A_PLAN_FORCE, FLAG, 0, 0 },
	    { PNIC_A_PLAN_EXPECT_GENERATION, U32, 0, 0 } } },
	{ PNIC_CMD_UNDO, "undo", false, { DEV, { PNIC_A_PLAN_PREVIEW, FLAG, 0, 0 } } },
	{ PNIC_CMD_POLICY_GET, "policy-get", false, { DEV } },
	{ PNIC_CMD_POLICY_GET, "policy-get", true, { { 0 } } },
	{ PNIC_CMD_POLICY_SET, "policy-set", false,
	  { DEV, { PNIC_A_POLICY_REVISION, U32, 0, 0 }, KNOBS, { PNIC_A_POLICY_RESET, FLAG, 0, 0 } } },
	{ PNIC_CMD_HISTORY_GET, "history-get", true, { DEV, { PNIC_A_HISTORY_SINCE, UINT, 0, 0 } } },
	{ PNIC_CMD_CABLE_GET, "cable-get", false, { DEV } },
	{ PNIC_CMD_CABLE_SET, "cable-set", false,
	  { DEV, { PNIC_A_CABLE_CABLE_SERIAL, STR, 0, 32 }, { PNIC_A_CABLE_LANES, U32, 0, 0 },
	    { PNIC_A_CABLE_RECORD, NEST, 0, 0 } } },
	{ PNIC_CMD_COUNTERS_GET, "counters-get", false, { DEV } },
	{ PNIC_CMD_COUNTERS_GET, "counters-get", true, { { 0 } } },
	{ PNIC_CMD_RES_GET, "res-get", true, { DEV } },
	{ PNIC_CMD_OBJECT_GET, "object-get", true, { DEV, { PNIC_A_OBJECT_KIND, U32, 0, 5 } } },
	{ PNIC_CMD_GRANT_GET, "grant-get", true, { DEV } },
	{ PNIC_CMD_GRANT_ADD, "grant-add", false,
	  { DEV, { PNIC_A_GRANT_PARTITION, U32, 1, 65535 }, { PNIC_A_GRANT_UID, U32, 0, 0 } } },
	{ PNIC_CMD_GRANT_DEL, "grant-del", false,
	  { DEV, { PNIC_A_GRANT_PARTITION, U32, 1, 65535 }, { PNIC_A_GRANT_UID, U32, 0, 0 } } },
};

#define OPS	(sizeof(ops) / sizeof(ops[0]))
#define FOR_OP(op)	for (op = ops; op < ops + OPS; op++)

static int ask(const struct op *op)
{
	return op->dump ? nl_dump(&s, &m, NULL, NULL) : nl_do(&s, &m, &a);
}

static void begin(const struct op *op)
{
	nl_begin(&m, op->cmd);
	if (op->attr[0].kind)
		nl_put_u32(&m, PNIC_A_DEV_INDEX, 0);
}

static bool takes(const struct op *op, uint16_t type)
{
	unsigned int i;

	for (i = 0; op->attr[i].kind != END; i++)
		if (op->attr[i].type == type)
			return true;
	return false;
}

KTAP_TEST(device_missing)
{
	const struct op *op;

	setup();
	FOR_OP(op) {
		if (op->dump)
			continue;	/* all devices then */
		SUBTEST("%s", op->name) {
			nl_begin(&m, op->cmd);
			CHECK_EQ(ask(op), -EINVAL);
			CHECK_EQ(s.miss_type, PNIC_A_DEV_INDEX);
		}
	}
	unchanged();
}

KTAP_TEST(device_unknown)
{
	const struct op *op;

	setup();
	FOR_OP(op) {
		if (!op->attr[0].kind)
			continue;
		SUBTEST("%s %s", op->name, op->dump ? "dump" : "do") {
			nl_begin(&m, op->cmd);
			nl_put_u32(&m, PNIC_A_DEV_INDEX, 77);
			CHECK_EQ(ask(op), -ENODEV);
			CHECK_STREQ(s.msg, "no such device");
			if (!op->dump)
				CHECK_EQ(s.bad_type, PNIC_A_DEV_INDEX);
		}
	}
	unchanged();
}

/* Attributes that the family does not have, and those that only an answer has. */
KTAP_TEST(attribute_unknown)
{
	const struct op *op;
	uint16_t type;

	setup();
	FOR_OP(op) {
		SUBTEST("%s %s", op->name, op->dump ? "dump" : "do") {
			begin(op);
			nl_put_u32(&m, UNKNOWN_ATTR, 1);
			CHECK_EQ(ask(op), -EINVAL);
			CHECK_GT(strlen(s.msg), 0);
			begin(op);
			nl_put_u32(&m, 0, 1);
			CHECK_EQ(ask(op), -EINVAL);
			for (type = 1; type < 30; type++) {
				if (takes(op, type))
					continue;
				begin(op);
				nl_put_u32(&m, type, 1);
				CHECK_EQ(ask(op), -EINVAL);
			}
		}
	}
	unchanged();
}

static void wrong_size(const struct op *op, const struct attr *at)
{
	static const char bytes[64] = { 1 };
	size_t size;

	for (size = 0; size <= 9; size++) {
		if ((at->kind == U8 && size == 1) || (at->kind == U32 && size == 4) ||
		    (at->kind == UINT && (size == 4 || size == 8)) || (at->kind == FLAG && !size))
			continue;
		begin(op);
		nl_put(&m, at->type, bytes, size);
		if (at->kind == FLAG)
			CHECK_EQ(ask(op), -ERANGE);
		else
			CHECK_EQ(ask(op), -EINVAL);
		if (!op->dump)
			CHECK_EQ(s.bad_type, at->type);
	}
}

KTAP_TEST(attribute_of_wrong_size)
{
	const struct op *op;
	unsigned int i;

	setup();
	FOR_OP(op) {
		SUBTEST("%s %s", op->name, op->dump ? "dump" : "do")
			for (i = 0; op->attr[i].kind != END; i++)
				if (op->attr[i].kind != STR && op->attr[i].kind != NEST)
					wrong_size(op, &op->attr[i]);
	}
	unchanged();
}

static void put_int(const struct attr *at, uint64_t v)
{
	if (at->kind == U8)
		nl_put_u8(&m, at->type, v);
	else
		nl_put_u32(&m, at->type, v);
}

static void out_of_range(const struct op *op, const struct attr *at, uint64_t v)
{
	begin(op);
	put_int(at, v);
	CHECK_EQ(ask(op), -ERANGE);
	if (!op->dump)
		CHECK_EQ(s.bad_type, at->type);
}

KTAP_TEST(attribute_out_of_range)
{
	const struct op *op;
	unsigned int i;

	setup();
	FOR_OP(op) {
		SUBTEST("%s %s", op->name, op->dump ? "dump" : "do") {
			for (i = 0; op->attr[i].kind != END; i++) {
				const struct attr *at = &op->attr[i];

				if (!at->max || (at->kind != U8 && at->kind != U32))
					continue;
				out_of_range(op, at, at->max + 1);
				out_of_range(op, at, at->kind == U8 ? 255 : 0xffffffff);
				if (at->min)
					out_of_range(op, at, at->min - 1);
			}
		}
	}
	unchanged();
}

/* A mode that a request does not have, and requests that there are not. */
KTAP_TEST(request_unknown)
{
	unsigned int cmd;

	setup();
	for (cmd = 0; cmd < 40; cmd++) {
		bool does = false, dumps = false;
		const struct op *op;

		FOR_OP(op) {
			does |= op->cmd == cmd && !op->dump;
			dumps |= op->cmd == cmd && op->dump;
		}
		SUBTEST("request %u", cmd) {
			nl_begin(&m, cmd);
			if (!does)
				CHECK_EQ(nl_do(&s, &m, NULL), -EOPNOTSUPP);
			nl_begin(&m, cmd);
			if (!dumps)
				CHECK_EQ(nl_dump(&s, &m, NULL, NULL), -EOPNOTSUPP);
		}
	}
	unchanged();
}

/* ---- lanes and links ---- */

static int lane_set(uint32_t lane, uint32_t action, uint32_t generation)
{
	nl_begin(&m, PNIC_CMD_LANE_SET);
	nl_put_u32(&m, PNIC_A_PLAN_DEV_INDEX, 0);
	nl_put_u32(&m, PNIC_A_PLAN_LANE, lane);
	nl_put_u32(&m, PNIC_A_PLAN_ACTION, action);
	if (generation)
		nl_put_u32(&m, PNIC_A_PLAN_EXPECT_GENERATION, generation);
	return nl_do(&s, &m, &a);
}

KTAP_TEST(lane_unknown)
{
	static const uint32_t more[] = { 0, 1, 70000 - 460, 0xffffffff - 460 };
	unsigned int i;

	setup();
	for (i = 0; i < 4; i++) {
		SUBTEST("lane %u", total + more[i]) {
			CHECK_EQ(nltest_lane(&s, &m, 0, total + more[i], &a), -EINVAL);
			CHECK_EQ(s.bad_type, PNIC_A_LANE_INDEX);
			CHECK_EQ(lane_set(total + more[i], PNIC_LANE_ACTION_DISABLE, 0), -EINVAL);
			CHECK_EQ(s.bad_type, PNIC_A_PLAN_LANE);
			CHECK_STREQ(s.msg, "no such lane");
		}
	}
	unchanged();
}

KTAP_TEST(lane_attributes_missing)
{
	setup();
	nl_begin(&m, PNIC_CMD_LANE_GET);
	nl_put_u32(&m, PNIC_A_LANE_DEV_INDEX, 0);
	CHECK_EQ(nl_do(&s, &m, &a), -EINVAL);
	CHECK_EQ(s.miss_type, PNIC_A_LANE_INDEX);

	nl_begin(&m, PNIC_CMD_LANE_SET);
	nl_put_u32(&m, PNIC_A_PLAN_DEV_INDEX, 0);
	nl_put_u32(&m, PNIC_A_PLAN_ACTION, PNIC_LANE_ACTION_DISABLE);
	CHECK_EQ(nl_do(&s, &m, &a), -EINVAL);
	CHECK_EQ(s.miss_type, PNIC_A_PLAN_LANE);

	nl_begin(&m, PNIC_CMD_LANE_SET);
	nl_put_u32(&m, PNIC_A_PLAN_DEV_INDEX, 0);
	nl_put_u32(&m, PNIC_A_PLAN_LANE, 1);
	CHECK_EQ(nl_do(&s, &m, &a), -EINVAL);
	CHECK_EQ(s.miss_type, PNIC_A_PLAN_ACTION);

	nl_begin(&m, PNIC_CMD_LINK_SET);
	nl_put_u32(&m, PNIC_A_LINK_DEV_INDEX, 0);
	CHECK_EQ(nl_do(&s, &m, &a), -EINVAL);
	CHECK_EQ(s.miss_type, PNIC_A_LINK_ADMIN_UP);
	unchanged();
}

KTAP_TEST(dump_range_backwards)
{
	setup();
	nl_begin(&m, PNIC_CMD_LANE_GET);
	nl_put_u32(&m, PNIC_A_LANE_FIRST, 5);
	nl_put_u32(&m, PNIC_A_LANE_LAST, 4);
	CHECK_EQ(nl_dump(&s, &m, NULL, NULL), -EINVAL);
	CHECK_STREQ(s.msg, "last is before first");
}

/* A lane of the map is not changed while the link is down. */
KTAP_TEST(link_down)
{
	setup();
	NEED_MODEL();
	STEER("{\"cmd\":\"cut\",\"nic\":0,\"on\":true}");
	REQUIRE(nltest_wait_link(&s, &m, 0, PNIC_LINK_STATUS_DOWN));
	CHECK_EQ(lane_set(5, PNIC_LANE_ACTION_RETIRE, 0), -ENETDOWN);
	CHECK_GT(strlen(s.msg), 0);
	CHECK_EQ(lane_set(5, PNIC_LANE_ACTION_DISABLE, 0), -ENETDOWN);
	STEER("{\"cmd\":\"cut\",\"nic\":0,\"on\":false}");
	REQUIRE(nltest_wait_link(&s, &m, 0, PNIC_LINK_STATUS_UP));
	nltest_agreed(&s, &m, 0);
	REQUIRE_EQ(nltest_lane(&s, &m, 0, 5, &a), 0);
	CHECK_NE(nl_num(&a, PNIC_A_LANE_STATUS), PNIC_LANE_STATUS_DISABLED);
}

/* ---- knobs ---- */

static int two_knobs(uint16_t t1, uint32_t v1, uint16_t t2, uint32_t v2)
{
	nl_begin(&m, PNIC_CMD_POLICY_SET);
	nl_put_u32(&m, PNIC_A_POLICY_DEV_INDEX, 0);
	nl_put_u32(&m, t1, v1);
	nl_put_u32(&m, t2, v2);
	return nl_do(&s, &m, &a);
}

/* Each is right by itself. All or none: a knob beside them that is right is not taken over. */
KTAP_TEST(knobs_contradict)
{
	static const struct {
		uint16_t t1, t2;
		uint32_t v1, v2;
	} pairs[] = {
		{ PNIC_A_POLICY_WATCH_PPB, PNIC_A_POLICY_RETIRE_PPB, 5000, 4000 },
		{ PNIC_A_POLICY_RETIRE_PPB, PNIC_A_POLICY_FAIL_PPB, 900000000, 800000000 },
		{ PNIC_A_POLICY_QUARANTINE_MS, PNIC_A_POLICY_QUARANTINE_MAX_MS, 5000, 4000 },
		{ PNIC_A_POLICY_CALM_MS, PNIC_A_POLICY_GROW_MS, 5000, 4000 },
		{ PNIC_A_POLICY_SETTLE_US, PNIC_A_POLICY_POLL_MS, 1000000, 10 },
	};
	unsigned int i;
	size_t nest;

	setup();
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		SUBTEST("pair %u", i) {
			CHECK_EQ(two_knobs(pairs[i].t1, pairs[i].v1, pairs[i].t2, pairs[i].v2), -EINVAL);
			CHECK(s.bad_type == pairs[i].t1 || s.bad_type == pairs[i].t2);
			CHECK_GT(strlen(s.msg), 0);
			unchanged();
			/* To be tried, the same. */
			nl_begin(&m, PNIC_CMD_PLAN_GET);
			nl_put_u32(&m, PNIC_A_PLAN_DEV_INDEX, 0);
			nest = nl_nest(&m, PNIC_A_PLAN_POLICY);
			nl_put_u32(&m, pairs[i].t1, pairs[i].v1);
			nl_put_u32(&m, pairs[i].t2, pairs[i].v2);
			nl_nest_end(&m, nest);
			CHECK_EQ(nl_do(&s, &m, &a), -EINVAL);
			CHECK(s.bad_type == pairs[i].t1 || s.bad_type == pairs[i].t2);
			unchanged();
		}
	}
	SUBTEST("against one in force") {
		nl_begin(&m, PNIC_CMD_POLICY_SET);
		nl_put_u32(&m, PNIC_A_POLICY_DEV_INDEX, 0);
		nl_put_u32(&m, PNIC_A_POLICY_FAIL_PPB, 1);
		CHECK_EQ(nl_do(&s, &m, &a), -EINVAL);
		CHECK_EQ(s.bad_type, PNIC_A_POLICY_FAIL_PPB);
		unchanged();
	}
	SUBTEST("no knob at all") {
		CHECK_EQ(nltest_get(&s, &m, PNIC_CMD_POLICY_SET, 0, &a), -EINVAL);
		unchanged();
	}
}

/* In a nest ranges count as well, and it must be one. */
KTAP_TEST(knobs_to_be_tried)
{
	size_t nest;

	setup();
	nl_begin(&m, PNIC_CMD_PLAN_GET);
	nl_put_u32(&m, PNIC_A_PLAN_DEV_INDEX, 0);
	nest = nl_nest(&m, PNIC_A_PLAN_POLICY);
	nl_put_u32(&m, PNIC_A_POLICY_COMMON_PCT, 101);
	nl_nest_end(&m, nest);
	CHECK_EQ(nl_do(&s, &m, &a), -ERANGE);
	CHECK_EQ(s.bad_type, PNIC_A_POLICY_COMMON_PCT);

	nl_begin(&m, PNIC_CMD_PLAN_GET);
	nl_put_u32(&m, PNIC_A_PLAN_DEV_INDEX, 0);
	nest = nl_nest(&m, PNIC_A_PLAN_POLICY);
	nl_put_u32(&m, PNIC_A_POLICY_DEV_INDEX, 0);
	nl_nest_end(&m, nest);
	CHECK_EQ(nl_do(&s, &m, &a), -EINVAL);

	nl_begin(&m, PNIC_CMD_PLAN_GET);
	nl_put_u32(&m, PNIC_A_PLAN_DEV_INDEX, 0);
	nl_put_u32(&m, PNIC_A_PLAN_POLICY, 1);
	CHECK_EQ(nl_do(&s, &m, &a), -EINVAL);
	unchanged();
}

/* ---- two administrators ---- */

KTAP_TEST(revision_of_before)
{
	uint32_t revision;

	setup();
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_POLICY_GET, 0, &a), 0);
	revision = nl_num(&a, PNIC_A_POLICY_REVISION);
	CHECK_EQ(two_knobs(PNIC_A_POLICY_REVISION, revision - 1, PNIC_A_POLICY_CALM_MS, 1234), -EBUSY);
	CHECK_EQ(s.bad_type, PNIC_A_POLICY_REVISION);
	unchanged();
	CHECK_EQ(lane_set(5, PNIC_LANE_ACTION_RETIRE, 0xfffffff0), -EBUSY);
	CHECK_EQ(s.bad_type, PNIC_A_PLAN_EXPECT_GENERATION);
	unchanged();
}

#define ROUNDS	200

struct admin {
	struct nl_sock s;
	struct nl_msg m;
	unsigned int won, lost, other;
};

/* Reads the revision and changes a knob, as somebody does who has looked first. */
static void *admin_run(void *arg)
{
	struct admin *ad = arg;
	struct nl_attrs at;
	unsigned int i;
	int err;

	for (i = 0; i < ROUNDS; i++) {
		uint32_t revision, calm;

		if (nltest_get(&ad->s, &ad->m, PNIC_CMD_POLICY_GET, 0, &at))
			break;
		revision = nl_num(&at, PNIC_A_POLICY_REVISION);
		calm = nl_num(&at, PNIC_A_POLICY_CALM_MS);
		nl_begin(&ad->m, PNIC_CMD_POLICY_SET);
		nl_put_u32(&ad->m, PNIC_A_POLICY_DEV_INDEX, 0);
		nl_put_u32(&ad->m, PNIC_A_POLICY_REVISION, revision);
		nl_put_u32(&ad->m, PNIC_A_POLICY_CALM_MS, calm + 1);
		err = nl_do(&ad->s, &ad->m, &at);
		if (!err)
			ad->won++;
		else if (err == -EBUSY)
			ad->lost++;
		else
			ad->other++;
	}
	return NULL;
}

/* Each change that was carried out began with what the one before it left. */
KTAP_TEST(two_admins)
{
	static struct admin ad[2];
	pthread_t th[2];
	unsigned int i;

	setup();
	REQUIRE_EQ(two_knobs(PNIC_A_POLICY_CALM_MS, 1000, PNIC_A_POLICY_GROW_MS, 60000), 0);
	for (i = 0; i < 2; i++) {
		memset(&ad[i], 0, sizeof(ad[i]));
		REQUIRE_EQ(nl_open(&ad[i].s), 0);
		REQUIRE_EQ(pthread_create(&th[i], NULL, admin_run, &ad[i]), 0);
	}
	for (i = 0; i < 2; i++) {
		pthread_join(th[i], NULL);
		nl_close(&ad[i].s);
	}
	ktap_say("%u and %u changes, %u and %u refused", ad[0].won, ad[1].won, ad[0].lost, ad[1].lost);
	CHECK_EQ(ad[0].won + ad[0].lost, ROUNDS);
	CHECK_EQ(ad[1].won + ad[1].lost, ROUNDS);
	CHECK_EQ(ad[0].other + ad[1].other, 0);
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_POLICY_GET, 0, &a), 0);
	CHECK_EQ(nl_num(&a, PNIC_A_POLICY_CALM_MS), 1000 + ad[0].won + ad[1].won);
	CHECK_EQ(nltest_policy_reset(&s, &m, 0), 0);
}

/* ---- who may ---- */

static void become_nobody(void)
{
	REQUIRE_OK(setgroups(0, NULL));
	REQUIRE_OK(setresgid(65534, 65534, 65534));
	REQUIRE_OK(setresuid(65534, 65534, 65534));
}

/* Everything that is there but the device, so that only the permission is missing. */
static void nobody_asks(void)
{
	struct nl_attrs at;

	REQUIRE_EQ(nl_open(&s), 0);
	nl_begin(&m, PNIC_CMD_LINK_SET);
	nl_put_u32(&m, PNIC_A_LINK_DEV_INDEX, 0);
	nl_put_u8(&m, PNIC_A_LINK_ADMIN_UP, 0);
	CHECK_EQ(nl_do(&s, &m, &at), -EPERM);
	CHECK_EQ(lane_set(1, PNIC_LANE_ACTION_DISABLE, 0), -EPERM);
	CHECK_EQ(nltest_get(&s, &m, PNIC_CMD_UNDO, 0, &at), -EPERM);
	CHECK_EQ(two_knobs(PNIC_A_POLICY_CALM_MS, 1, PNIC_A_POLICY_GROW_MS, 2), -EPERM);
	nl_begin(&m, PNIC_CMD_CABLE_SET);
	nl_put_u32(&m, PNIC_A_CABLE_DEV_INDEX, 0);
	nl_put_str(&m, PNIC_A_CABLE_CABLE_SERIAL, serial);
	nl_put_u32(&m, PNIC_A_CABLE_LANES, total);
	CHECK_EQ(nl_do(&s, &m, &at), -EPERM);
	nl_begin(&m, PNIC_CMD_LINK_GET);
	nl_put_u32(&m, PNIC_A_LINK_DEV_INDEX, 0);
	nl_put_flag(&m, PNIC_A_LINK_TAKE_MARGIN_MIN);
	CHECK_EQ(nl_do(&s, &m, &at), -EPERM);
	CHECK_EQ(s.bad_type, PNIC_A_LINK_TAKE_MARGIN_MIN);

	CHECK_EQ(nltest_get(&s, &m, PNIC_CMD_DEV_GET, 0, &at), 0);
	CHECK_EQ(nltest_get(&s, &m, PNIC_CMD_LINK_GET, 0, &at), 0);
	CHECK_EQ(nltest_lane(&s, &m, 0, 1, &at), 0);
	CHECK_EQ(nltest_get(&s, &m, PNIC_CMD_POLICY_GET, 0, &at), 0);
	CHECK_EQ(nltest_get(&s, &m, PNIC_CMD_PLAN_GET, 0, &at), 0);
	CHECK_EQ(nltest_get(&s, &m, PNIC_CMD_CABLE_GET, 0, &at), 0);
	CHECK_EQ(nltest_get(&s, &m, PNIC_CMD_COUNTERS_GET, 0, &at), 0);
}

static void in_child(void (*enter)(void), void (*run)(void))
{
	int status;
	pid_t pid;

	pid = ktap_fork();
	REQUIRE_OK(pid);
	if (!pid) {
		enter();
		run();
		ktap_child_exit();
	}
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
}

KTAP_TEST(without_permission)
{
	setup();
	in_child(become_nobody, nobody_asks);
	unchanged();
}

static void other_namespace(void)
{
	REQUIRE_OK(unshare(CLONE_NEWNET));
}

static void count(const struct nl_attrs *at, void *arg)
{
	(void)at;
	++*(unsigned int *)arg;
}

/* The family is there, the devices are not, and nothing is heard of them. */
static void stranger_asks(void)
{
	const struct op *op;
	struct nl_attrs at;
	unsigned int n;

	REQUIRE_EQ(nl_open(&s), 0);
	REQUIRE_EQ(nl_join(&s, NL_LANES), 0);
	REQUIRE_EQ(nl_join(&s, NL_LINK), 0);
	REQUIRE_EQ(nl_join(&s, NL_HEALTH), 0);
	FOR_OP(op) {
		n = 0;
		begin(op);
		if (!op->dump) {
			CHECK_EQ(nl_do(&s, &m, &at), -ENODEV);
		} else if (op->attr[0].kind) {
			CHECK_EQ(nl_dump(&s, &m, count, &n), -ENODEV);
			nl_begin(&m, op->cmd);
			CHECK_EQ(nl_dump(&s, &m, count, &n), 0);
		} else {
			CHECK_EQ(nl_dump(&s, &m, count, &n), 0);
		}
		CHECK_EQ(n, 0);
	}
	REQUIRE_OK(nltest_reset(0));
	CHECK_EQ(nl_event(&s, 1000, &at), -ETIME);
}

KTAP_TEST(from_another_namespace)
{
	setup();
	in_child(other_namespace, stranger_asks);
	nltest_agreed(&s, &m, 0);
}

/* ---- the cable ---- */

static void begin_cable(const char *number, uint32_t lanes)
{
	nl_begin(&m, PNIC_CMD_CABLE_SET);
	nl_put_u32(&m, PNIC_A_CABLE_DEV_INDEX, 0);
	if (number)
		nl_put_str(&m, PNIC_A_CABLE_CABLE_SERIAL, number);
	if (lanes)
		nl_put_u32(&m, PNIC_A_CABLE_LANES, lanes);
}

static void put_record(uint32_t lane, uint32_t losses)
{
	size_t nest = nl_nest(&m, PNIC_A_CABLE_RECORD);

	if (lane != 0xffffffff)
		nl_put_u32(&m, PNIC_A_RECORD_LANE, lane);
	nl_put_u32(&m, PNIC_A_RECORD_LOSSES, losses);
	nl_nest_end(&m, nest);
}

KTAP_TEST(cable_of_somebody_else)
{
	setup();
	begin_cable("another cable", total);
	put_record(1, 99);
	CHECK_EQ(nl_do(&s, &m, &a), -ESTALE);
	CHECK_EQ(s.bad_type, PNIC_A_CABLE_CABLE_SERIAL);
	CHECK(strstr(s.msg, serial));
	unchanged();
	begin_cable(serial, total + 1);
	put_record(1, 99);
	CHECK_EQ(nl_do(&s, &m, &a), -EINVAL);
	CHECK_EQ(s.bad_type, PNIC_A_CABLE_LANES);
	unchanged();
	begin_cable(NULL, total);
	CHECK_EQ(nl_do(&s, &m, &a), -EINVAL);
	CHECK_EQ(s.miss_type, PNIC_A_CABLE_CABLE_SERIAL);
	begin_cable(serial, 0);
	CHECK_EQ(nl_do(&s, &m, &a), -EINVAL);
	CHECK_EQ(s.miss_type, PNIC_A_CABLE_LANES);
	unchanged();
}

static void serial_refused(const void *bytes, size_t len, int err)
{
	nl_begin(&m, PNIC_CMD_CABLE_SET);
	nl_put_u32(&m, PNIC_A_CABLE_DEV_INDEX, 0);
	nl_put(&m, PNIC_A_CABLE_CABLE_SERIAL, bytes, len);
	nl_put_u32(&m, PNIC_A_CABLE_LANES, total);
	CHECK_EQ(nl_do(&s, &m, &a), err);
	CHECK_EQ(s.bad_type, PNIC_A_CABLE_CABLE_SERIAL);
}

/* A good record goes first each time: it must not have been taken over. */
KTAP_TEST(cable_records_that_make_no_sense)
{
	static const char longest[40] = "0123456789012345678901234567890123456";

	setup();
	SUBTEST("serial number too long")
		serial_refused(longest, sizeof(longest), -EINVAL);
	SUBTEST("serial number without end")
		serial_refused("abc", 3, -EINVAL);
	SUBTEST("no such lane") {
		begin_cable(serial, total);
		put_record(1, 99);
		put_record(total, 1);
		CHECK_EQ(nl_do(&s, &m, &a), -EINVAL);
		CHECK_EQ(s.bad_type, PNIC_A_RECORD_LANE);
	}
	SUBTEST("a lane twice") {
		begin_cable(serial, total);
		put_record(1, 99);
		put_record(2, 99);
		put_record(1, 1);
		CHECK_EQ(nl_do(&s, &m, &a), -EINVAL);
		CHECK_EQ(s.bad_type, PNIC_A_RECORD_LANE);
	}
	SUBTEST("a record of no lane") {
		begin_cable(serial, total);
		put_record(1, 99);
		put_record(0xffffffff, 1);
		CHECK_EQ(nl_do(&s, &m, &a), -EINVAL);
		CHECK_EQ(s.miss_type, PNIC_A_RECORD_LANE);
	}
	SUBTEST("losses out of range") {
		begin_cable(serial, total);
		put_record(1, 99);
		put_record(2, 65536);
		CHECK_EQ(nl_do(&s, &m, &a), -ERANGE);
		CHECK_EQ(s.bad_type, PNIC_A_RECORD_LOSSES);
	}
	SUBTEST("not a record") {
		begin_cable(serial, total);
		put_record(1, 99);
		nl_put_u32(&m, PNIC_A_CABLE_RECORD, 7);
		CHECK_EQ(nl_do(&s, &m, &a), -EINVAL);
		CHECK_EQ(s.bad_type, PNIC_A_CABLE_RECORD);
	}
	unchanged();
}

/* ---- cards and far ends that don't work ---- */

static bool wait_dev(uint32_t dev, uint32_t status)
{
	uint64_t end = now_ns() + NLTEST_WAIT_MS * 1000000ull;

	while (now_ns() < end) {
		if (nltest_get(&s, &m, PNIC_CMD_DEV_GET, dev, &a))
			return false;
		if (nl_num(&a, PNIC_A_DEV_STATUS) == status)
			return true;
		sleep_ms(50);
	}
	return false;
}

static int grant(uint8_t cmd)
{
	nl_begin(&m, cmd);
	nl_put_u32(&m, PNIC_A_GRANT_DEV_INDEX, 0);
	nl_put_u32(&m, PNIC_A_GRANT_PARTITION, 9);
	nl_put_u32(&m, PNIC_A_GRANT_UID, 4711);
	return nl_do(&s, &m, &a);
}

/* A card that does not come up: what it is can be asked, what it does can't. */
KTAP_TEST(card_that_failed)
{
	unsigned int n = 0;
	uint32_t version;

	setup();
	NEED_MODEL();
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_DEV_GET, 0, &a), 0);
	version = nl_num(&a, PNIC_A_DEV_HW_MAJOR) << 16 | nl_num(&a, PNIC_A_DEV_HW_MINOR);
	STEER("{\"cmd\":\"lie\",\"nic\":0,\"what\":\"version\",\"value\":131072}");
	nltest_reset(0);
	CHECK(wait_dev(0, PNIC_DEV_STATUS_FAILED));
	CHECK(nl_has(&a, PNIC_A_DEV_RESET_REASON));
	CHECK_EQ(nltest_get(&s, &m, PNIC_CMD_LINK_GET, 0, &a), -EIO);
	CHECK(strstr(s.msg, "failed"));
	CHECK_EQ(nltest_lane(&s, &m, 0, 1, &a), -EIO);
	CHECK_EQ(lane_set(1, PNIC_LANE_ACTION_RETIRE, 0), -EIO);
	CHECK_EQ(nltest_get(&s, &m, PNIC_CMD_COUNTERS_GET, 0, &a), -EIO);
	CHECK_EQ(nltest_get(&s, &m, PNIC_CMD_POLICY_GET, 0, &a), 0);
	CHECK_EQ(nltest_get(&s, &m, PNIC_CMD_CABLE_GET, 0, &a), 0);
	SUBTEST("grants are the host's") {
		CHECK_EQ(grant(PNIC_CMD_GRANT_ADD), 0);
		CHECK_EQ(grant(PNIC_CMD_GRANT_DEL), 0);
	}
	/* Of the two only the other one answers. */
	nl_begin(&m, PNIC_CMD_LINK_GET);
	CHECK_EQ(nl_dump(&s, &m, count, &n), 0);
	CHECK_EQ(n, 1);
	STEER("{\"cmd\":\"lie\",\"nic\":0,\"what\":\"version\",\"value\":%u}", version);
	CHECK(wait_dev(0, PNIC_DEV_STATUS_READY) || wait_dev(0, PNIC_DEV_STATUS_DEGRADED));
	nltest_agreed(&s, &m, 0);
	unchanged();
}

/* The far end's card hangs: nothing can be agreed on, and that is said. */
KTAP_TEST(far_end_that_never_answers)
{
	uint64_t end = now_ns() + NLTEST_WAIT_MS * 1000000ull;
	int err;

	setup();
	NEED_MODEL();
	STEER("{\"cmd\":\"freeze\",\"nic\":1,\"on\":true}");
	do {
		REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_LINK_GET, 0, &a), 0);
		sleep_ms(20);
	} while (!(nl_num(&a, PNIC_A_LINK_ALARMS) & PNIC_ALARM_PEER_SILENT) && now_ns() < end);
	CHECK(nl_num(&a, PNIC_A_LINK_ALARMS) & PNIC_ALARM_PEER_SILENT);
	err = lane_set(5, PNIC_LANE_ACTION_RETIRE, 0);
	CHECK(err == -ENOTCONN || err == -ENETDOWN);
	CHECK_GT(strlen(s.msg), 0);
	STEER("{\"cmd\":\"freeze\",\"nic\":1,\"on\":false}");
	CHECK(wait_dev(1, PNIC_DEV_STATUS_READY) || wait_dev(1, PNIC_DEV_STATUS_DEGRADED));
	nltest_agreed(&s, &m, 1);
	nltest_agreed(&s, &m, 0);
	unchanged();
}

KTAP_MAIN()
