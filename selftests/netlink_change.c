// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of lanes by an administrator: what the plan says is what happens, a preview changes nothing, what
 * would do harm is refused unless it is forced, and undo undoes.
 *
 * NIC 0 is the one whose receive lanes are changed.
 */
#include "device.h"
#include "ktap.h"
#include "modelctl.h"
#include "nl.h"
#include "nltest.h"

static struct nl_sock s;
static struct nl_msg m;
static struct nl_attrs a;
static uint32_t data, total;

/* Width grows at once, so that no test waits for that. */
static void hasten(void)
{
	nl_begin(&m, PNIC_CMD_POLICY_SET);
	nl_put_u32(&m, PNIC_A_POLICY_DEV_INDEX, 0);
	nl_put_flag(&m, PNIC_A_POLICY_RESET);
	nl_put_u32(&m, PNIC_A_POLICY_CALM_MS, 0);
	nl_put_u32(&m, PNIC_A_POLICY_GROW_MS, 10);
	nl_put_u32(&m, PNIC_A_POLICY_QUARANTINE_MS, 10);
	nl_put_u32(&m, PNIC_A_POLICY_QUARANTINE_MAX_MS, 20);
	nl_put_u32(&m, PNIC_A_POLICY_BUDGET_MS, 60000);
	REQUIRE_EQ(nl_do(&s, &m, NULL), 0);
}

static void setup(void)
{
	need_cards(2);
	if (!s.family) {
		REQUIRE_EQ(nl_open(&s), 0);
		REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_DEV_GET, 0, &a), 0);
		data = nl_num(&a, PNIC_A_DEV_LANES_DATA);
		total = data + nl_num(&a, PNIC_A_DEV_LANES_SPARE);
	}
	nltest_agreed(&s, &m, 0);
	nltest_agreed(&s, &m, 1);
	hasten();
}

enum { PREVIEW = 1, FORCE = 2 };

static int lane_set(uint32_t lane, uint32_t action, int flags)
{
	nl_begin(&m, PNIC_CMD_LANE_SET);
	nl_put_u32(&m, PNIC_A_PLAN_DEV_INDEX, 0);
	nl_put_u32(&m, PNIC_A_PLAN_LANE, lane);
	nl_put_u32(&m, PNIC_A_PLAN_ACTION, action);
	if (flags & PREVIEW)
		nl_put_flag(&m, PNIC_A_PLAN_PREVIEW);
	if (flags & FORCE)
		nl_put_flag(&m, PNIC_A_PLAN_FORCE);
	return nl_do(&s, &m, &a);
}

static int undo(int flags)
{
	nl_begin(&m, PNIC_CMD_UNDO);
	nl_put_u32(&m, PNIC_A_PLAN_DEV_INDEX, 0);
	if (flags & PREVIEW)
		nl_put_flag(&m, PNIC_A_PLAN_PREVIEW);
	return nl_do(&s, &m, &a);
}

/* A plan as it was told. */
struct plan {
	bool preview, refused;
	uint64_t generation, width_now, width_then, moves;
	int32_t margin_now, margin_then;
	int64_t to;			/* where the logical lane of the lane in question goes, -1: nowhere */
};

static struct plan take_plan(uint32_t lane)
{
	struct plan p = {
		.preview = nl_has(&a, PNIC_A_PLAN_PREVIEW),
		.refused = nl_has(&a, PNIC_A_PLAN_REFUSED),
		.generation = nl_num(&a, PNIC_A_PLAN_GENERATION),
		.width_now = nl_num(&a, PNIC_A_PLAN_WIDTH_NOW),
		.width_then = nl_num(&a, PNIC_A_PLAN_WIDTH_THEN),
		.margin_now = nl_int(&a, PNIC_A_PLAN_MARGIN_NOW),
		.margin_then = nl_int(&a, PNIC_A_PLAN_MARGIN_THEN),
		.to = -1,
	};
	const struct nlattr *each = NULL;
	struct nl_attrs move;

	while ((each = nl_next(&a, PNIC_A_PLAN_MOVE, each))) {
		nl_parse_nest(each, &move);
		p.moves++;
		if (nl_has(&move, PNIC_A_MOVE_FROM) && nl_num(&move, PNIC_A_MOVE_FROM) == lane &&
		    nl_has(&move, PNIC_A_MOVE_TO))
			p.to = nl_num(&move, PNIC_A_MOVE_TO);
	}
	/* Each rate is rounded down. */
	CHECK_LE(llabs((long long)(nl_num(&a, PNIC_A_PLAN_RATE_NOW_MBPS) * p.width_then) -
		       (long long)(nl_num(&a, PNIC_A_PLAN_RATE_THEN_MBPS) * p.width_now)), p.width_now);
	return p;
}

static uint64_t generation(void)
{
	struct nl_attrs rx;

	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_LINK_GET, 0, &a), 0);
	nl_parse_nest(a.at[PNIC_A_LINK_RX], &rx);
	return nl_num(&rx, PNIC_A_LINK_DIR_GENERATION);
}

static bool wait_generation(uint64_t past)
{
	uint64_t end = now_ns() + NLTEST_WAIT_MS * 1000000ull;

	while (generation() <= past && now_ns() < end)
		sleep_ms(5);
	return generation() > past;
}

static int64_t logical_of(uint32_t lane)
{
	REQUIRE_EQ(nltest_lane(&s, &m, 0, lane, &a), 0);
	return nl_has(&a, PNIC_A_LANE_LOGICAL) ? (int64_t)nl_num(&a, PNIC_A_LANE_LOGICAL) : -1;
}

/* A lane that carries data. */
static uint32_t some_active(uint32_t from)
{
	while (logical_of(from) < 0)
		from++;
	return from;
}

/* What is done is what the preview said; until then nothing was. */
static struct plan look_then_do(uint32_t lane, uint32_t action)
{
	uint64_t gen = generation();
	struct plan look, done;

	REQUIRE_EQ(lane_set(lane, action, PREVIEW), 0);
	look = take_plan(lane);
	CHECK(look.preview && !look.refused);
	sleep_ms(300);
	CHECK_EQ(generation(), gen);
	REQUIRE_EQ(lane_set(lane, action, 0), 0);
	done = take_plan(lane);
	CHECK(!done.preview && !done.refused);
	CHECK_EQ(done.generation, gen);
	CHECK_EQ(done.to, look.to);
	CHECK_EQ(done.moves, look.moves);
	CHECK_EQ(done.width_then, look.width_then);
	CHECK_EQ(done.margin_then, look.margin_then);
	return done;
}

KTAP_TEST(retire)
{
	uint32_t lane;
	struct plan p;
	int64_t l;

	setup();
	lane = some_active(7);
	l = logical_of(lane);
	p = look_then_do(lane, PNIC_LANE_ACTION_RETIRE);
	CHECK_EQ(p.moves, 1);
	REQUIRE(p.to >= 0);
	CHECK_EQ(p.width_then, p.width_now);
	CHECK_GE(p.margin_then, p.margin_now);
	REQUIRE(wait_generation(p.generation));
	CHECK_EQ(logical_of(lane), -1);
	CHECK_EQ(logical_of(p.to), l);
}

KTAP_TEST(disable_enable)
{
	uint32_t lane;
	struct plan p;

	setup();
	lane = some_active(30);
	p = look_then_do(lane, PNIC_LANE_ACTION_DISABLE);
	REQUIRE(wait_generation(p.generation));
	REQUIRE(nltest_wait_lane(&s, &m, 0, lane, PNIC_LANE_STATUS_DISABLED));
	CHECK_EQ(logical_of(lane), -1);
	SUBTEST("twice")
		CHECK_EQ(lane_set(lane, PNIC_LANE_ACTION_DISABLE, 0), -ENOENT);
	CHECK_EQ(lane_set(lane, PNIC_LANE_ACTION_ENABLE, 0), 0);
	REQUIRE(nltest_wait_lane(&s, &m, 0, lane, PNIC_LANE_STATUS_SPARE));
}

/* A reset of the card changes nothing of what an administrator wants. */
KTAP_TEST(disabled_over_a_reset)
{
	uint32_t lane;
	struct plan p;

	setup();
	lane = some_active(60);
	p = look_then_do(lane, PNIC_LANE_ACTION_DISABLE);
	REQUIRE(wait_generation(p.generation));
	REQUIRE_OK(nltest_reset(0));
	nltest_agreed(&s, &m, 0);
	CHECK(nltest_wait_lane(&s, &m, 0, lane, PNIC_LANE_STATUS_DISABLED));
	CHECK_EQ(lane_set(lane, PNIC_LANE_ACTION_ENABLE, 0), 0);
	REQUIRE(nltest_wait_lane(&s, &m, 0, lane, PNIC_LANE_STATUS_SPARE));
	nltest_agreed(&s, &m, 0);
}

KTAP_TEST(undo_of_a_lane)
{
	uint32_t lane;
	struct plan p;

	setup();
	lane = some_active(90);
	p = look_then_do(lane, PNIC_LANE_ACTION_DISABLE);
	REQUIRE(wait_generation(p.generation));
	SUBTEST("looked at") {
		CHECK_EQ(undo(PREVIEW), 0);
		CHECK(take_plan(lane).preview);
		sleep_ms(200);
		REQUIRE_EQ(nltest_lane(&s, &m, 0, lane, &a), 0);
		CHECK_EQ(nl_num(&a, PNIC_A_LANE_STATUS), PNIC_LANE_STATUS_DISABLED);
	}
	CHECK_EQ(undo(0), 0);
	CHECK(!take_plan(lane).preview);
	REQUIRE(nltest_wait_lane(&s, &m, 0, lane, PNIC_LANE_STATUS_SPARE));
	SUBTEST("nothing to undo any more")
		CHECK_EQ(undo(0), -ENOENT);
}

KTAP_TEST(undo_of_knobs)
{
	uint32_t revision;
	uint64_t poll;

	setup();
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_POLICY_GET, 0, &a), 0);
	poll = nl_num(&a, PNIC_A_POLICY_POLL_MS);
	nl_begin(&m, PNIC_CMD_POLICY_SET);
	nl_put_u32(&m, PNIC_A_POLICY_DEV_INDEX, 0);
	nl_put_u32(&m, PNIC_A_POLICY_POLL_MS, poll + 1);
	REQUIRE_EQ(nl_do(&s, &m, &a), 0);
	revision = nl_num(&a, PNIC_A_POLICY_REVISION);
	CHECK_EQ(undo(PREVIEW), 0);
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_POLICY_GET, 0, &a), 0);
	CHECK_EQ(nl_num(&a, PNIC_A_POLICY_POLL_MS), poll + 1);
	CHECK_EQ(undo(0), 0);
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_POLICY_GET, 0, &a), 0);
	CHECK_EQ(nl_num(&a, PNIC_A_POLICY_POLL_MS), poll);
	CHECK_EQ(nl_num(&a, PNIC_A_POLICY_REVISION), revision + 1);
}

static bool wait_no_spares(void)
{
	uint64_t end = now_ns() + NLTEST_WAIT_MS * 1000000ull;

	while (now_ns() < end) {
		REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_LINK_GET, 0, &a), 0);
		if (!nl_num(&a, PNIC_A_LINK_SPARES))
			return true;
		sleep_ms(20);
	}
	return false;
}

/* Lanes that carry data; spares; and others that shine well enough to be a spare. */
struct census {
	uint32_t active, spares, due;
};

/* Lanes differ by nature: one that shines 1 dB less than nominal may fail its test for ever. */
#define SHINES_CDB	(-80)

static void count_lane(const struct nl_attrs *l, void *arg)
{
	struct census *c = arg;

	if (nl_has(l, PNIC_A_LANE_LOGICAL))
		c->active++;
	else if (nl_num(l, PNIC_A_LANE_STATUS) == PNIC_LANE_STATUS_SPARE)
		c->spares++;
	else if (nl_int(l, PNIC_A_LANE_POWER_CDB) >= SHINES_CDB)
		c->due++;
}

/* All is as it was: full width, and all good lanes wait to be used. */
static bool wait_all_back(void)
{
	uint64_t end = now_ns() + NLTEST_WAIT_MS * 1000000ull;
	struct census c;

	do {
		memset(&c, 0, sizeof(c));
		nl_begin(&m, PNIC_CMD_LANE_GET);
		nl_put_u32(&m, PNIC_A_LANE_DEV_INDEX, 0);
		REQUIRE_EQ(nl_dump(&s, &m, count_lane, &c), 0);
		if (c.active == data && !c.due)
			break;
		sleep_ms(20);
	} while (now_ns() < end);
	CHECK_EQ(c.active, data);
	CHECK_EQ(c.due, 0);
	CHECK_GT(c.spares, (total - data) / 2);
	return c.active == data && !c.due;
}

struct spares {
	unsigned int count;
	uint32_t lane[4096];
};

static void spare_lane(const struct nl_attrs *l, void *arg)
{
	struct spares *found = arg;

	if (nl_num(l, PNIC_A_LANE_STATUS) == PNIC_LANE_STATUS_SPARE && found->count < 4096)
		found->lane[found->count++] = (uint32_t)nl_num(l, PNIC_A_LANE_INDEX);
}

static void kill_spares(void)
{
	static struct spares found;
	unsigned int i;

	found.count = 0;
	nl_begin(&m, PNIC_CMD_LANE_GET);
	nl_put_u32(&m, PNIC_A_LANE_DEV_INDEX, 0);
	REQUIRE_EQ(nl_dump(&s, &m, spare_lane, &found), 0);
	for (i = 0; i < found.count; i++)
		STEER("{\"cmd\":\"kill\",\"nic\":0,\"lane\":%u}", found.lane[i]);
	REQUIRE(wait_no_spares());
	nltest_agreed(&s, &m, 0);
}

/* All spares are dead: to take a lane out costs width, and is done only by force. */
KTAP_TEST(refused_unless_forced)
{
	struct plan p;
	uint32_t lane;

	setup();
	NEED_MODEL();
	kill_spares();
	lane = some_active(120);
	CHECK_EQ(lane_set(lane, PNIC_LANE_ACTION_DISABLE, 0), -EPERM);
	CHECK_EQ(s.bad_type, PNIC_A_PLAN_LANE);
	CHECK_STREQ(s.msg, "the width would go down");
	SUBTEST("looked at, the refusal is the answer") {
		CHECK_EQ(lane_set(lane, PNIC_LANE_ACTION_DISABLE, PREVIEW), 0);
		p = take_plan(lane);
		CHECK(p.refused);
		CHECK_EQ(p.width_then, p.width_now - 1);
	}
	sleep_ms(200);
	CHECK_NE(logical_of(lane), -1);
	CHECK_EQ(lane_set(lane, PNIC_LANE_ACTION_DISABLE, FORCE), 0);
	p = take_plan(lane);
	CHECK_EQ(p.width_then, p.width_now - 1);
	REQUIRE(wait_generation(p.generation));
	CHECK_EQ(logical_of(lane), -1);
	STEER("{\"cmd\":\"heal\",\"nic\":0,\"lane\":\"all\"}");
	CHECK_EQ(lane_set(lane, PNIC_LANE_ACTION_ENABLE, 0), 0);
	REQUIRE(wait_all_back());
	nltest_agreed(&s, &m, 0);
}

static bool wait_carries(uint32_t lane)
{
	uint64_t end = now_ns() + NLTEST_WAIT_MS * 1000000ull;

	while (logical_of(lane) < 0 && now_ns() < end)
		sleep_ms(20);
	return logical_of(lane) >= 0;
}

/* To take "enable" back costs width when the lane has come to carry data: undo names no lane. */
KTAP_TEST(undo_is_refused)
{
	struct plan p;
	uint32_t lane;

	setup();
	NEED_MODEL();
	kill_spares();
	lane = some_active(120);
	REQUIRE_EQ(lane_set(lane, PNIC_LANE_ACTION_DISABLE, FORCE), 0);
	p = take_plan(lane);
	REQUIRE(wait_generation(p.generation));
	REQUIRE_EQ(lane_set(lane, PNIC_LANE_ACTION_ENABLE, 0), 0);
	REQUIRE(wait_carries(lane));
	nltest_agreed(&s, &m, 0);
	CHECK_EQ(undo(0), -EPERM);
	CHECK_EQ(s.bad_type, 0);
	CHECK_STREQ(s.msg, "the width would go down");
	SUBTEST("looked at, the refusal is the answer") {
		CHECK_EQ(undo(PREVIEW), 0);
		CHECK(take_plan(lane).refused);
	}
	STEER("{\"cmd\":\"heal\",\"nic\":0,\"lane\":\"all\"}");
	REQUIRE(wait_all_back());
	nltest_agreed(&s, &m, 0);
}

/* ---- what the card does ---- */

KTAP_TEST(test_of_a_spare)
{
	uint32_t lane;
	bool can;

	setup();
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_DEV_GET, 0, &a), 0);
	can = nl_has(&a, PNIC_A_DEV_LANE_TEST);
	for (lane = total - 1; logical_of(lane) >= 0; lane--)
		;
	if (!can) {
		CHECK_EQ(lane_set(lane, PNIC_LANE_ACTION_TEST, 0), -EOPNOTSUPP);
		return;
	}
	REQUIRE_EQ(lane_set(lane, PNIC_LANE_ACTION_TEST, 0), 0);
	REQUIRE(nltest_wait_lane(&s, &m, 0, lane, PNIC_LANE_STATUS_SPARE));
	REQUIRE_EQ(nltest_lane(&s, &m, 0, lane, &a), 0);
	CHECK_GT(nl_num(&a, PNIC_A_LANE_TEST_BITS), 0);
	CHECK(nl_has(&a, PNIC_A_LANE_TEST_ERRORS));
	SUBTEST("not of one that carries data") {
		lane = some_active(150);
		CHECK_EQ(lane_set(lane, PNIC_LANE_ACTION_TEST, 0), -EINVAL);
		CHECK_EQ(s.bad_type, PNIC_A_PLAN_ACTION);
	}
}

static uint64_t latencies(void)
{
	const struct nlattr *bar = NULL;
	uint64_t n = 0;
	struct nl_attrs b;

	while ((bar = nl_next(&a, PNIC_A_LINK_REMAP_LATENCY, bar))) {
		nl_parse_nest(bar, &b);
		n += nl_num(&b, PNIC_A_BUCKET_COUNT);
	}
	return n;
}

static bool wait_standby(uint32_t lane, uint32_t *spare)
{
	uint64_t end = now_ns() + NLTEST_WAIT_MS * 1000000ull;

	while (now_ns() < end) {
		REQUIRE_EQ(nltest_lane(&s, &m, 0, lane, &a), 0);
		*spare = nl_num(&a, PNIC_A_LANE_STANDBY);
		if (nl_has(&a, PNIC_A_LANE_STANDBY))
			return true;
		sleep_ms(20);
	}
	return false;
}

/* The card mends a loss by the plan that is shown, and that is counted as such, also over a reset. */
KTAP_TEST(standby_plan)
{
	uint64_t remaps, bars, gen;
	uint32_t lane, spare;
	int64_t l;

	setup();
	NEED_MODEL();
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_DEV_GET, 0, &a), 0);
	if (!nl_has(&a, PNIC_A_DEV_STANDBY))
		SKIP("the card keeps no standby plan");
	lane = some_active(200);
	l = logical_of(lane);
	REQUIRE(wait_standby(lane, &spare));
	nltest_agreed(&s, &m, 0);
	REQUIRE(wait_standby(lane, &spare));
	gen = generation();
	remaps = nl_num(&a, PNIC_A_LINK_STANDBY_REMAPS);
	bars = latencies();
	STEER("{\"cmd\":\"kill\",\"nic\":0,\"lane\":%u}", lane);
	REQUIRE(wait_generation(gen));
	REQUIRE(nltest_wait_lane(&s, &m, 0, lane, PNIC_LANE_STATUS_FAILED));
	CHECK_EQ(logical_of(spare), l);
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_LINK_GET, 0, &a), 0);
	CHECK_EQ(nl_num(&a, PNIC_A_LINK_STANDBY_REMAPS), remaps + 1);
	CHECK_GT(latencies(), bars);
	remaps = nl_num(&a, PNIC_A_LINK_STANDBY_REMAPS);
	bars = latencies();
	STEER("{\"cmd\":\"heal\",\"nic\":0,\"lane\":\"all\"}");
	REQUIRE_OK(nltest_reset(0));
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_LINK_GET, 0, &a), 0);
	CHECK_GE(nl_num(&a, PNIC_A_LINK_STANDBY_REMAPS), remaps);
	CHECK_GE(latencies(), bars);
	nltest_agreed(&s, &m, 0);
}

KTAP_MAIN()
