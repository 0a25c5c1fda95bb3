// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink family: every request that reads gives what the char device, debugfs and the model say of
 * the same thing; what changes something changes that and nothing else.
 *
 * What is refused is in netlink_badinput, events are in netlink_events, dumps in netlink_dump.
 */
#include <math.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include "device.h"
#include "ktap.h"
#include "modelctl.h"
#include "nl.h"
#include "nltest.h"

static struct nl_sock s;
static struct nl_msg m;
static struct nl_attrs a;
static struct pnic_ioc_info info;
static int fd;

static void setup(void)
{
	need_cards(2);
	if (!s.family)
		REQUIRE_EQ(nl_open(&s), 0);
	if (!fd)
		fd = dev_open(0);
	REQUIRE_OK(fd);
	REQUIRE_OK(dev_info(fd, &info));
}

/* ---- devices ---- */

static void check_dev(const struct nl_attrs *d, unsigned int nic)
{
	char pci[32], name[16];

	snprintf(name, sizeof(name), "pnic%u", nic);
	REQUIRE_OK(dev_pci(nic, pci, sizeof(pci)));
	CHECK_EQ(nl_num(d, PNIC_A_DEV_INDEX), nic);
	CHECK_STREQ(nl_str(d, PNIC_A_DEV_NAME), name);
	CHECK_STREQ(nl_str(d, PNIC_A_DEV_BUS_INFO), pci);
	CHECK_EQ(nl_num(d, PNIC_A_DEV_LANES_DATA), info.lanes_data);
	CHECK_EQ(nl_num(d, PNIC_A_DEV_LANES_SPARE), info.lanes_spare);
	CHECK_EQ(nl_num(d, PNIC_A_DEV_LANE_PAYLOAD_KBPS), info.lane_kbps);
	CHECK_GE(nl_num(d, PNIC_A_DEV_LANE_KBPS), info.lane_kbps);
	CHECK_GE(nl_num(d, PNIC_A_DEV_GRID_X) * nl_num(d, PNIC_A_DEV_GRID_Y),
		 info.lanes_data + info.lanes_spare);
	CHECK_GT(nl_num(d, PNIC_A_DEV_FEC_N), nl_num(d, PNIC_A_DEV_FEC_K));
	CHECK_GT(nl_num(d, PNIC_A_DEV_FEC_SYMBOL_BITS), 0);
	CHECK(nl_has(d, PNIC_A_DEV_STRIPING));
	CHECK(nl_has(d, PNIC_A_DEV_CABLE_SERIAL));
	CHECK_EQ(nl_num(d, PNIC_A_DEV_HW_MAJOR), info.hw_version >> 16);
	CHECK_EQ(nl_num(d, PNIC_A_DEV_HW_MINOR), info.hw_version & 0xffff);
}

KTAP_TEST(dev_get)
{
	setup();
	CHECK_EQ(nltest_get(&s, &m, PNIC_CMD_DEV_GET, 0, &a), 0);
	check_dev(&a, 0);
	CHECK_EQ(nl_num(&a, PNIC_A_DEV_NIC_ADDR), info.nic_addr);
	CHECK_EQ(nl_num(&a, PNIC_A_DEV_GUID), info.guid);
	CHECK_STREQ(nl_str(&a, PNIC_A_DEV_SERIAL), info.serial);
	CHECK_EQ(nl_num(&a, PNIC_A_DEV_EPOCH), info.epoch);
	CHECK(nl_num(&a, PNIC_A_DEV_STATUS) == PNIC_DEV_STATUS_READY ||
	      nl_num(&a, PNIC_A_DEV_STATUS) == PNIC_DEV_STATUS_DEGRADED);
}

static unsigned int seen;

static void each_dev(const struct nl_attrs *d, void *arg)
{
	(void)arg;
	check_dev(d, seen++);
}

KTAP_TEST(dev_dump)
{
	setup();
	seen = 0;
	nl_begin(&m, PNIC_CMD_DEV_GET);
	CHECK_EQ(nl_dump(&s, &m, each_dev, NULL), 0);
	CHECK_EQ(seen, 2);
	CHECK(!s.interrupted);
}

/* ---- the link ---- */

static void check_dir(const struct nlattr *nest, uint32_t width, uint32_t rate, uint32_t gen)
{
	struct nl_attrs d;

	REQUIRE(nest);
	nl_parse_nest(nest, &d);
	CHECK_EQ(nl_num(&d, PNIC_A_LINK_DIR_WIDTH), width);
	CHECK_EQ(nl_num(&d, PNIC_A_LINK_DIR_RATE_MBPS), rate);
	CHECK_EQ(nl_num(&d, PNIC_A_LINK_DIR_GENERATION), gen);
	CHECK(nl_has(&d, PNIC_A_LINK_DIR_AGREED));
	CHECK_EQ(nl_num(&d, PNIC_A_LINK_DIR_PEER_GENERATION), gen);
	CHECK_EQ(nl_num(&d, PNIC_A_LINK_DIR_PEER_CHECKSUM), nl_num(&d, PNIC_A_LINK_DIR_CHECKSUM));
	CHECK_NE(nl_num(&d, PNIC_A_LINK_DIR_CHECKSUM), 0);
	CHECK_STREQ(nl_str(&d, PNIC_A_LINK_DIR_PROTO_STATE), "idle");
}

static void check_latency(void)
{
	const struct nlattr *bar = NULL;
	unsigned int n = 0;
	struct nl_attrs b;

	while ((bar = nl_next(&a, PNIC_A_LINK_REMAP_LATENCY, bar))) {
		nl_parse_nest(bar, &b);
		CHECK(nl_has(&b, PNIC_A_BUCKET_COUNT));
		if (n < 15)
			CHECK_EQ(nl_num(&b, PNIC_A_BUCKET_UPTO_NS), 250ull << n);
		else
			CHECK(!nl_has(&b, PNIC_A_BUCKET_UPTO_NS));
		n++;
	}
	CHECK_EQ(n, 16);
}

/* The ioctl has no -1, for codewords that are being lost: no margin is 0. */
static long long margin(const struct nl_attrs *a, unsigned int attr)
{
	long long m = nl_int(a, attr);

	CHECK_GE(m, -1);
	return m < 0 ? 0 : m;
}

KTAP_TEST(link_get)
{
	struct pnic_ioc_link_info link;
	struct nl_attrs f;

	setup();
	nltest_agreed(&s, &m, 0);
	REQUIRE_OK(dev_link(fd, &link));
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_LINK_GET, 0, &a), 0);
	CHECK_EQ(nl_num(&a, PNIC_A_LINK_STATUS), link.state);
	CHECK_EQ(nl_num(&a, PNIC_A_LINK_ADMIN_UP), 1);
	CHECK_EQ(nl_num(&a, PNIC_A_LINK_WIDTH_MAX), link.width_max);
	check_dir(a.at[PNIC_A_LINK_RX], link.width_rx, link.rate_rx_mbps, link.gen_rx);
	check_dir(a.at[PNIC_A_LINK_TX], link.width_tx, link.rate_tx_mbps, link.gen_tx);
	CHECK_EQ(margin(&a, PNIC_A_LINK_MARGIN), link.margin);
	CHECK_EQ(margin(&a, PNIC_A_LINK_MARGIN_ERASURE), link.margin_erasure);
	CHECK_EQ(margin(&a, PNIC_A_LINK_MARGIN_MIN), link.margin_min);
	CHECK_EQ(nl_num(&a, PNIC_A_LINK_SPARES), link.spares_rx);
	CHECK_EQ(nl_num(&a, PNIC_A_LINK_FAILED) + nl_num(&a, PNIC_A_LINK_DISABLED), link.failed_rx);
	CHECK_EQ(nl_num(&a, PNIC_A_LINK_REMAPS), link.remaps);
	CHECK_EQ(nl_num(&a, PNIC_A_LINK_DOWNS), link.link_downs);
	CHECK_EQ(nl_num(&a, PNIC_A_LINK_SPARES) + nl_num(&a, PNIC_A_LINK_ACTIVE) +
		 nl_num(&a, PNIC_A_LINK_WATCH) + nl_num(&a, PNIC_A_LINK_RETIRING) +
		 nl_num(&a, PNIC_A_LINK_FAILED) + nl_num(&a, PNIC_A_LINK_QUARANTINED) +
		 nl_num(&a, PNIC_A_LINK_TESTING) + nl_num(&a, PNIC_A_LINK_DISABLED),
		 info.lanes_data + info.lanes_spare);
	CHECK(nl_has(&a, PNIC_A_LINK_PEER_KNOWN));
	CHECK_NE(nl_num(&a, PNIC_A_LINK_PEER_INCARNATION), 0);
	CHECK(nl_has(&a, PNIC_A_LINK_ALARMS));
	CHECK_GT(nl_num(&a, PNIC_A_LINK_HISTORY_SEQ), 0);
	REQUIRE(nl_has(&a, PNIC_A_LINK_FORECAST));
	nl_parse_nest(a.at[PNIC_A_LINK_FORECAST], &f);
	CHECK_EQ(nl_num(&f, PNIC_A_FORECAST_SPARES), link.spares_rx);
	check_latency();
}

/* The two ends of one link say the same of its directions. */
KTAP_TEST(link_both_ends)
{
	struct nl_attrs rx, tx;
	uint32_t gen, sum;

	setup();
	nltest_agreed(&s, &m, 0);
	nltest_agreed(&s, &m, 1);
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_LINK_GET, 0, &a), 0);
	nl_parse_nest(a.at[PNIC_A_LINK_RX], &rx);
	gen = nl_num(&rx, PNIC_A_LINK_DIR_GENERATION);
	sum = nl_num(&rx, PNIC_A_LINK_DIR_CHECKSUM);
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_LINK_GET, 1, &a), 0);
	nl_parse_nest(a.at[PNIC_A_LINK_TX], &tx);
	CHECK_EQ(nl_num(&tx, PNIC_A_LINK_DIR_GENERATION), gen);
	CHECK_EQ(nl_num(&tx, PNIC_A_LINK_DIR_CHECKSUM), sum);
}

static void each_link(const struct nl_attrs *d, void *arg)
{
	(void)arg;
	CHECK_EQ(nl_num(d, PNIC_A_LINK_DEV_INDEX), seen++);
	CHECK_EQ(nl_num(d, PNIC_A_LINK_WIDTH_MAX), info.lanes_data);
}

KTAP_TEST(link_dump)
{
	setup();
	seen = 0;
	nl_begin(&m, PNIC_CMD_LINK_GET);
	CHECK_EQ(nl_dump(&s, &m, each_link, NULL), 0);
	CHECK_EQ(seen, 2);
}

static int take_margin(struct nl_attrs *out)
{
	nl_begin(&m, PNIC_CMD_LINK_GET);
	nl_put_u32(&m, PNIC_A_LINK_DEV_INDEX, 0);
	nl_put_flag(&m, PNIC_A_LINK_TAKE_MARGIN_MIN);
	return nl_do(&s, &m, out);
}

/* The window's minimum begins anew, that since loading does not. */
KTAP_TEST(margin_window)
{
	int32_t low;

	setup();
	NEED_MODEL();
	REQUIRE_EQ(take_margin(&a), 0);
	STEER("{\"cmd\":\"kill\",\"nic\":0,\"lane\":[200,201]}");
	REQUIRE(nltest_wait_lane(&s, &m, 0, 200, PNIC_LANE_STATUS_FAILED));
	STEER("{\"cmd\":\"heal\",\"nic\":0,\"lane\":[200,201]}");
	nltest_agreed(&s, &m, 0);
	REQUIRE_EQ(take_margin(&a), 0);
	low = nl_int(&a, PNIC_A_LINK_MARGIN_MIN_WINDOW);
	CHECK_LT(low, nl_int(&a, PNIC_A_LINK_MARGIN));
	CHECK_LE(nl_int(&a, PNIC_A_LINK_MARGIN_MIN), low);
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_LINK_GET, 0, &a), 0);
	CHECK_GT(nl_int(&a, PNIC_A_LINK_MARGIN_MIN_WINDOW), low);
	CHECK_LE(nl_int(&a, PNIC_A_LINK_MARGIN_MIN), low);
}

static int link_set(unsigned int nic, uint8_t up)
{
	nl_begin(&m, PNIC_CMD_LINK_SET);
	nl_put_u32(&m, PNIC_A_LINK_DEV_INDEX, nic);
	nl_put_u8(&m, PNIC_A_LINK_ADMIN_UP, up);
	return nl_do(&s, &m, &a);
}

/* Off is off, also after a reset, and on again. */
KTAP_TEST(link_off_and_on)
{
	setup();
	nltest_agreed(&s, &m, 0);
	CHECK_EQ(link_set(0, 0), 0);
	CHECK(nltest_wait_link(&s, &m, 0, PNIC_LINK_STATUS_DISABLED));
	CHECK(nltest_wait_link(&s, &m, 1, PNIC_LINK_STATUS_DOWN));
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_LINK_GET, 0, &a), 0);
	CHECK_EQ(nl_num(&a, PNIC_A_LINK_ADMIN_UP), 0);
	SUBTEST("after a reset") {
		REQUIRE_OK(nltest_reset(0));
		CHECK(nltest_wait_link(&s, &m, 0, PNIC_LINK_STATUS_DISABLED));
		REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_LINK_GET, 0, &a), 0);
		CHECK_EQ(nl_num(&a, PNIC_A_LINK_ADMIN_UP), 0);
	}
	CHECK_EQ(link_set(0, 1), 0);
	CHECK(nltest_wait_link(&s, &m, 0, PNIC_LINK_STATUS_UP));
	CHECK(nltest_wait_link(&s, &m, 1, PNIC_LINK_STATUS_UP));
	nltest_agreed(&s, &m, 0);
	nltest_agreed(&s, &m, 1);
}

/* ---- lanes ---- */

struct lane_seen {
	unsigned int n, active, first, last;
	uint8_t logical[4096];
};

static struct lane_seen lanes;

static void each_lane(const struct nl_attrs *l, void *arg)
{
	uint32_t lane = nl_num(l, PNIC_A_LANE_INDEX);

	(void)arg;
	if (!lanes.n)
		lanes.first = lane;
	else
		CHECK_EQ(lane, lanes.last + 1);
	lanes.last = lane;
	lanes.n++;
	if (!nl_has(l, PNIC_A_LANE_LOGICAL))
		return;
	lanes.active++;
	REQUIRE(nl_num(l, PNIC_A_LANE_LOGICAL) < info.lanes_data);
	CHECK_EQ(lanes.logical[nl_num(l, PNIC_A_LANE_LOGICAL)]++, 0);
}

static int dump_lanes(uint32_t dir, int first, int last)
{
	memset(&lanes, 0, sizeof(lanes));
	nl_begin(&m, PNIC_CMD_LANE_GET);
	nl_put_u32(&m, PNIC_A_LANE_DEV_INDEX, 0);
	nl_put_u32(&m, PNIC_A_LANE_DIRECTION, dir);
	if (first >= 0)
		nl_put_u32(&m, PNIC_A_LANE_FIRST, first);
	if (last >= 0)
		nl_put_u32(&m, PNIC_A_LANE_LAST, last);
	return nl_dump(&s, &m, each_lane, NULL);
}

KTAP_TEST(lane_dump)
{
	struct pnic_ioc_link_info link;

	setup();
	nltest_agreed(&s, &m, 0);
	REQUIRE_OK(dev_link(fd, &link));
	SUBTEST("receive") {
		CHECK_EQ(dump_lanes(PNIC_DIRECTION_RX, -1, -1), 0);
		CHECK_EQ(lanes.n, info.lanes_data + info.lanes_spare);
		CHECK_EQ(lanes.active, link.width_rx);
	}
	SUBTEST("transmit") {
		CHECK_EQ(dump_lanes(PNIC_DIRECTION_TX, -1, -1), 0);
		CHECK_EQ(lanes.n, info.lanes_data + info.lanes_spare);
		CHECK_EQ(lanes.active, link.width_tx);
	}
	SUBTEST("some") {
		CHECK_EQ(dump_lanes(PNIC_DIRECTION_RX, 10, 12), 0);
		CHECK_EQ(lanes.n, 3);
		CHECK_EQ(lanes.first, 10);
		CHECK_EQ(lanes.last, 12);
	}
	SUBTEST("past the last") {
		CHECK_EQ(dump_lanes(PNIC_DIRECTION_RX, info.lanes_data + info.lanes_spare, -1), 0);
		CHECK_EQ(lanes.n, 0);
	}
}

static void each_abnormal(const struct nl_attrs *l, void *arg)
{
	uint32_t *found = arg;

	CHECK_NE(nl_num(l, PNIC_A_LANE_STATUS), PNIC_LANE_STATUS_SPARE);
	CHECK_NE(nl_num(l, PNIC_A_LANE_STATUS), PNIC_LANE_STATUS_ACTIVE);
	if (!nl_num(l, PNIC_A_LANE_DEV_INDEX) && nl_num(l, PNIC_A_LANE_INDEX) == 44)
		++*found;
}

/* One lane: what the model did to it is what is shown. */
KTAP_TEST(lane_get)
{
	uint32_t x, y, found = 0;

	setup();
	NEED_MODEL();
	REQUIRE_EQ(nltest_lane(&s, &m, 0, 44, &a), 0);
	CHECK_EQ(nl_num(&a, PNIC_A_LANE_DEV_INDEX), 0);
	CHECK_EQ(nl_num(&a, PNIC_A_LANE_INDEX), 44);
	CHECK_EQ(nl_num(&a, PNIC_A_LANE_DIRECTION), PNIC_DIRECTION_RX);
	x = nl_num(&a, PNIC_A_LANE_X);
	y = nl_num(&a, PNIC_A_LANE_Y);
	CHECK_GE(nl_int(&a, PNIC_A_LANE_POWER_CDB), -300);
	CHECK_GT(nl_num(&a, PNIC_A_LANE_BIAS_UA), 0);
	CHECK_LE(nl_num(&a, PNIC_A_LANE_ERROR_PPB_LOW), nl_num(&a, PNIC_A_LANE_ERROR_PPB));
	CHECK_GE(nl_num(&a, PNIC_A_LANE_ERROR_PPB_HIGH), nl_num(&a, PNIC_A_LANE_ERROR_PPB));

	STEER("{\"cmd\":\"kill\",\"nic\":0,\"lane\":44}");
	REQUIRE(nltest_wait_lane(&s, &m, 0, 44, PNIC_LANE_STATUS_FAILED));
	REQUIRE_EQ(nltest_lane(&s, &m, 0, 44, &a), 0);
	CHECK_EQ(nl_num(&a, PNIC_A_LANE_X), x);
	CHECK_EQ(nl_num(&a, PNIC_A_LANE_Y), y);
	CHECK_GE(nl_num(&a, PNIC_A_LANE_LOSSES), 1);
	CHECK_LT(nl_int(&a, PNIC_A_LANE_POWER_CDB), -1000);

	nl_begin(&m, PNIC_CMD_LANE_GET);
	nl_put_flag(&m, PNIC_A_LANE_ABNORMAL);
	CHECK_EQ(nl_dump(&s, &m, each_abnormal, &found), 0);
	CHECK_EQ(found, 1);
	STEER("{\"cmd\":\"heal\",\"nic\":0,\"lane\":44}");
	nltest_agreed(&s, &m, 0);
}

/* ---- knobs ---- */

/* Each knob can be set to a value of its range, is read back, and no other changes. */
KTAP_TEST(policy_each_knob)
{
	static const struct {
		uint16_t type;
		uint32_t value;
	} knobs[] = {
		{ PNIC_A_POLICY_WATCH_PPB, 1234 }, { PNIC_A_POLICY_MIN_ERRORS, 17 },
		{ PNIC_A_POLICY_COMMON_PCT, 61 }, { PNIC_A_POLICY_COMMON_CDB, 123 },
		{ PNIC_A_POLICY_CLUSTER_MIN, 7 }, { PNIC_A_POLICY_CLUSTER_MS, 777 },
		{ PNIC_A_POLICY_MARGIN_FLOOR, 2 }, { PNIC_A_POLICY_HORIZON_S, 86399 },
		{ PNIC_A_POLICY_QUARANTINE_MS, 1001 }, { PNIC_A_POLICY_QUARANTINE_MAX_MS, 86399999 },
		{ PNIC_A_POLICY_CALM_MS, 1003 }, { PNIC_A_POLICY_GROW_MS, 1005 },
		{ PNIC_A_POLICY_BUDGET_MS, 61 }, { PNIC_A_POLICY_SETTLE_US, 1500 },
		{ PNIC_A_POLICY_POLL_MS, 500 }, { PNIC_A_POLICY_TEST_MBITS, 64 },
	};
	uint64_t before[PNIC_A_POLICY_MAX + 1];
	uint16_t type;
	size_t i;

	setup();
	REQUIRE_EQ(nltest_policy_reset(&s, &m, 0), 0);
	for (i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++) {
		SUBTEST("knob %u", knobs[i].type) {
			REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_POLICY_GET, 0, &a), 0);
			for (type = PNIC_A_POLICY_MANAGE; type <= PNIC_A_POLICY_TEST_MBITS; type++)
				before[type] = nl_num(&a, type);
			CHECK_NE(before[knobs[i].type], knobs[i].value);
			before[knobs[i].type] = knobs[i].value;
			CHECK_EQ(nltest_policy_set(&s, &m, 0, knobs[i].type, knobs[i].value, &a), 0);
			CHECK_EQ(nl_num(&a, knobs[i].type), knobs[i].value);
			REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_POLICY_GET, 0, &a), 0);
			for (type = PNIC_A_POLICY_MANAGE; type <= PNIC_A_POLICY_TEST_MBITS; type++)
				CHECK_EQ(nl_num(&a, type), before[type]);
		}
	}
	CHECK_EQ(nltest_policy_reset(&s, &m, 0), 0);
}

/* Knobs and their revision survive a reset of the card; a device has its own. */
KTAP_TEST(policy_survives)
{
	uint32_t revision;

	setup();
	REQUIRE_EQ(nltest_policy_reset(&s, &m, 0), 0);
	revision = nl_num(&a, PNIC_A_POLICY_REVISION);
	CHECK_EQ(nltest_policy_set(&s, &m, 0, PNIC_A_POLICY_CALM_MS, 1717, &a), 0);
	CHECK_EQ(nl_num(&a, PNIC_A_POLICY_REVISION), revision + 1);
	REQUIRE_OK(nltest_reset(0));
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_POLICY_GET, 0, &a), 0);
	CHECK_EQ(nl_num(&a, PNIC_A_POLICY_CALM_MS), 1717);
	CHECK_EQ(nl_num(&a, PNIC_A_POLICY_REVISION), revision + 1);
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_POLICY_GET, 1, &a), 0);
	CHECK_NE(nl_num(&a, PNIC_A_POLICY_CALM_MS), 1717);
	CHECK_EQ(nltest_policy_reset(&s, &m, 0), 0);
	CHECK_NE(nl_num(&a, PNIC_A_POLICY_CALM_MS), 1717);
	nltest_agreed(&s, &m, 0);
}

/* ---- history ---- */

struct history_seen {
	uint64_t seq, first, n, missed;
	uint64_t time, wall;
	bool ours;
};

static void each_entry(const struct nl_attrs *h, void *arg)
{
	struct history_seen *seen = arg;
	uint64_t seq = nl_num(h, PNIC_A_HISTORY_SEQ);

	if (!seen->n)
		seen->first = seq;
	seen->missed += nl_num(h, PNIC_A_HISTORY_MISSED);
	CHECK_EQ(seq, seen->seq + nl_num(h, PNIC_A_HISTORY_MISSED) + 1);
	seen->seq = seq;
	seen->n++;
	CHECK_GE(nl_num(h, PNIC_A_HISTORY_TIME_NS), seen->time);
	seen->time = nl_num(h, PNIC_A_HISTORY_TIME_NS);
	seen->wall = nl_num(h, PNIC_A_HISTORY_WALL_NS);
	CHECK_GT(strlen(nl_str(h, PNIC_A_HISTORY_CODE)), 0);
	CHECK(!strchr(nl_str(h, PNIC_A_HISTORY_CODE), ' '));
	CHECK_GT(strlen(nl_str(h, PNIC_A_HISTORY_TEXT)), 0);
	if (!strcmp(nl_str(h, PNIC_A_HISTORY_CODE), "lane-state") &&
	    nl_num(h, PNIC_A_HISTORY_LANE) == 77)
		seen->ours = true;
}

static void dump_history(uint64_t since, struct history_seen *h)
{
	memset(h, 0, sizeof(*h));
	h->seq = since;
	nl_begin(&m, PNIC_CMD_HISTORY_GET);
	nl_put_u32(&m, PNIC_A_HISTORY_DEV_INDEX, 0);
	nl_put_u64(&m, PNIC_A_HISTORY_SINCE, since);
	REQUIRE_EQ(nl_dump(&s, &m, each_entry, h), 0);
}

KTAP_TEST(history)
{
	struct history_seen h;
	uint64_t mark, now;
	struct timespec ts;

	setup();
	NEED_MODEL();
	dump_history(0, &h);
	CHECK_GT(h.n, 0);
	mark = h.seq;
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_LINK_GET, 0, &a), 0);
	CHECK_GE(nl_num(&a, PNIC_A_LINK_HISTORY_SEQ), mark);
	STEER("{\"cmd\":\"kill\",\"nic\":0,\"lane\":77}");
	REQUIRE(nltest_wait_lane(&s, &m, 0, 77, PNIC_LANE_STATUS_FAILED));
	dump_history(mark, &h);
	CHECK_EQ(h.first, mark + 1);
	CHECK(h.ours);
	now = now_ns();
	CHECK_LT(h.time, now);
	clock_gettime(CLOCK_REALTIME, &ts);
	now = ts.tv_sec * 1000000000ull + ts.tv_nsec;
	CHECK_LE(h.wall, now);
	CHECK_GT(h.wall + 3600 * 1000000000ull, now);
	STEER("{\"cmd\":\"heal\",\"nic\":0,\"lane\":77}");
	dump_history(h.seq + 1000000, &h);
	CHECK_EQ(h.n, 0);
	nltest_agreed(&s, &m, 0);
}

/* ---- counters ---- */

KTAP_TEST(counters)
{
	static const struct {
		uint16_t type;
		const char *model;
	} same[] = {
		{ PNIC_A_COUNTERS_CODEWORDS_UNCORRECTABLE, "codewords_uncorrectable" },
		{ PNIC_A_COUNTERS_WQES, "wqes" }, { PNIC_A_COUNTERS_CQES, "cqes" },
		{ PNIC_A_COUNTERS_FRAMES_DROPPED, "frames_dropped" },
		{ PNIC_A_COUNTERS_PAYLOAD_TX, "payload_bytes" },
	};
	const struct nlattr *hist = NULL;
	uint64_t wqes, mgmt, n = 0;
	struct raw_ep ep;
	size_t i;

	setup();
	NEED_MODEL();
	REQUIRE_OK(raw_open(&ep, 0));
	REQUIRE_OK(raw_nop(&ep, 1));
	raw_close(&ep);
	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_COUNTERS_GET, 0, &a), 0);
		CHECK_GE(nl_num(&a, same[i].type), modelctl_counter(0, same[i].model));
	}
	while ((hist = nl_next(&a, PNIC_A_COUNTERS_HIST, hist)))
		n++;
	CHECK_EQ(n, 16);
	wqes = nl_num(&a, PNIC_A_COUNTERS_WQES);
	mgmt = nl_num(&a, PNIC_A_COUNTERS_MGMT_TX);
	CHECK_GT(wqes, 0);
	/* What was counted up to a second before a reset is kept. */
	sleep_ms(2500);
	REQUIRE_OK(nltest_reset(0));
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_COUNTERS_GET, 0, &a), 0);
	CHECK_GE(nl_num(&a, PNIC_A_COUNTERS_WQES), wqes);
	CHECK_GE(nl_num(&a, PNIC_A_COUNTERS_MGMT_TX), mgmt);
	CHECK_LT(modelctl_counter(0, "wqes"), wqes);
	nltest_agreed(&s, &m, 0);
}

/* ---- who holds what ---- */

struct res_seen {
	unsigned int n;
	struct {
		uint32_t file, ctx, mrs, cqs, eps;
		uint64_t pinned, rings;
	} ours;
	unsigned int kinds[PNIC_OBJECT_KIND_COUNTER + 1];
	uint64_t region_bytes;
	uint32_t rights;
};

static void each_res(const struct nl_attrs *r, void *arg)
{
	struct res_seen *seen = arg;

	if (nl_num(r, PNIC_A_RES_PID) != (uint64_t)getpid() || !nl_has(r, PNIC_A_RES_CONTEXT))
		return;
	seen->n++;
	seen->ours.file = nl_num(r, PNIC_A_RES_FILE);
	seen->ours.ctx = nl_num(r, PNIC_A_RES_CONTEXT);
	seen->ours.mrs = nl_num(r, PNIC_A_RES_REGIONS);
	seen->ours.cqs = nl_num(r, PNIC_A_RES_CQS);
	seen->ours.eps = nl_num(r, PNIC_A_RES_ENDPOINTS);
	seen->ours.pinned = nl_num(r, PNIC_A_RES_PINNED_BYTES);
	seen->ours.rings = nl_num(r, PNIC_A_RES_RING_BYTES);
	CHECK_STREQ(nl_str(r, PNIC_A_RES_COMM), "netlink");
	CHECK(!nl_has(r, PNIC_A_RES_DEAD));
}

static void each_object(const struct nl_attrs *o, void *arg)
{
	struct res_seen *seen = arg;
	uint32_t kind = nl_num(o, PNIC_A_OBJECT_KIND);

	if (nl_num(o, PNIC_A_OBJECT_FILE) != seen->ours.file)
		return;
	REQUIRE(kind <= PNIC_OBJECT_KIND_COUNTER);
	seen->kinds[kind]++;
	CHECK_EQ(nl_num(o, PNIC_A_OBJECT_PID), getpid());
	if (kind == PNIC_OBJECT_KIND_REGION) {
		seen->region_bytes += nl_num(o, PNIC_A_OBJECT_BYTES);
		seen->rights = nl_num(o, PNIC_A_OBJECT_RIGHTS);
	}
	if (kind == PNIC_OBJECT_KIND_ENDPOINT)
		CHECK_GT(nl_num(o, PNIC_A_OBJECT_ENTRIES), 0);
	if (kind == PNIC_OBJECT_KIND_SRQ) {
		CHECK_EQ(nl_num(o, PNIC_A_OBJECT_ENTRIES), 16);
		CHECK_GE(nl_num(o, PNIC_A_OBJECT_BYTES), 16 * sizeof(struct pnic_rqe));
	}
	if (kind == PNIC_OBJECT_KIND_COUNTER)
		CHECK_GE(nl_num(o, PNIC_A_OBJECT_BYTES), sizeof(struct pnic_ctr_mem));
}

static void dump_res(struct res_seen *r, int kind)
{
	memset(r, 0, sizeof(*r));
	nl_begin(&m, PNIC_CMD_RES_GET);
	nl_put_u32(&m, PNIC_A_RES_DEV_INDEX, 0);
	REQUIRE_EQ(nl_dump(&s, &m, each_res, r), 0);
	nl_begin(&m, PNIC_CMD_OBJECT_GET);
	nl_put_u32(&m, PNIC_A_OBJECT_DEV_INDEX, 0);
	if (kind >= 0)
		nl_put_u32(&m, PNIC_A_OBJECT_KIND, kind);
	REQUIRE_EQ(nl_dump(&s, &m, each_object, r), 0);
}

KTAP_TEST(resources)
{
	struct pnic_ioc_srq_create srq = { .size = sizeof(srq), .entries = 16 };
	struct pnic_ioc_ctr_create ctr = { .size = sizeof(ctr), .eventfd = -1 };
	struct pnic_ioc_mr_reg mr;
	struct res_seen r;
	struct raw_ep ep;
	void *mem;

	setup();
	dump_res(&r, -1);
	CHECK_EQ(r.n, 0);
	REQUIRE_OK(raw_open(&ep, 0));
	mem = mmap(NULL, 40960, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(mem != MAP_FAILED);
	REQUIRE_OK(dev_mr(ep.fd, mem, 40000, PNIC_MRF_LOCAL_WRITE, &mr));
	SUBTEST("all") {
		dump_res(&r, -1);
		CHECK_EQ(r.n, 1);
		CHECK_EQ(r.ours.mrs, 1);
		CHECK_EQ(r.ours.cqs, 1);
		CHECK_EQ(r.ours.eps, 1);
		CHECK_EQ(r.ours.pinned, 40960);
		CHECK_GE(r.ours.rings, 8192);
		CHECK_EQ(r.kinds[PNIC_OBJECT_KIND_CONTEXT], 1);
		CHECK_EQ(r.kinds[PNIC_OBJECT_KIND_REGION], 1);
		CHECK_EQ(r.kinds[PNIC_OBJECT_KIND_CQ], 1);
		CHECK_EQ(r.kinds[PNIC_OBJECT_KIND_ENDPOINT], 1);
		CHECK_EQ(r.region_bytes, 40000);
		CHECK_EQ(r.rights, PNIC_MRF_LOCAL_WRITE);
	}
	SUBTEST("of one kind") {
		dump_res(&r, PNIC_OBJECT_KIND_CQ);
		CHECK_EQ(r.kinds[PNIC_OBJECT_KIND_CONTEXT], 0);
		CHECK_EQ(r.kinds[PNIC_OBJECT_KIND_REGION], 0);
		CHECK_EQ(r.kinds[PNIC_OBJECT_KIND_CQ], 1);
		CHECK_EQ(r.kinds[PNIC_OBJECT_KIND_ENDPOINT], 0);
	}
	SUBTEST("a shared receive queue and a counter") {
		REQUIRE_OK(ioctl(ep.fd, PNIC_IOC_SRQ_CREATE, &srq));
		REQUIRE_OK(ioctl(ep.fd, PNIC_IOC_CTR_CREATE, &ctr));
		dump_res(&r, -1);
		CHECK_EQ(r.kinds[PNIC_OBJECT_KIND_SRQ], 1);
		CHECK_EQ(r.kinds[PNIC_OBJECT_KIND_COUNTER], 1);
		dump_res(&r, PNIC_OBJECT_KIND_SRQ);
		CHECK_EQ(r.kinds[PNIC_OBJECT_KIND_SRQ], 1);
		CHECK_EQ(r.kinds[PNIC_OBJECT_KIND_COUNTER], 0);
	}
	REQUIRE_OK(dev_handle(ep.fd, PNIC_IOC_MR_DEREG, mr.handle));
	SUBTEST("one less") {
		dump_res(&r, -1);
		CHECK_EQ(r.ours.mrs, 0);
		CHECK_EQ(r.ours.pinned, 0);
		CHECK_EQ(r.kinds[PNIC_OBJECT_KIND_REGION], 0);
	}
	/* A reset takes all of them at once. */
	REQUIRE_OK(nltest_reset(0));
	raw_close(&ep);
	munmap(mem, 40960);
	SUBTEST("none") {
		dump_res(&r, -1);
		CHECK_EQ(r.n, 0);
	}
}

/* ---- the cable ---- */

static void put_record(uint32_t lane, uint32_t losses, bool bad)
{
	size_t nest = nl_nest(&m, PNIC_A_CABLE_RECORD);

	nl_put_u32(&m, PNIC_A_RECORD_LANE, lane);
	nl_put_u32(&m, PNIC_A_RECORD_LOSSES, losses);
	if (bad)
		nl_put_flag(&m, PNIC_A_RECORD_KNOWN_BAD);
	nl_nest_end(&m, nest);
}

/* What is given is what is there, and is there after a reset. */
KTAP_TEST(cable)
{
	const struct nlattr *rec = NULL;
	char serial[64];
	struct nl_attrs r;
	bool found = false;
	uint32_t lane, i;

	setup();
	lane = info.lanes_data + info.lanes_spare - 1;
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_DEV_GET, 0, &a), 0);
	snprintf(serial, sizeof(serial), "%s", nl_str(&a, PNIC_A_DEV_CABLE_SERIAL));
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_CABLE_GET, 0, &a), 0);
	CHECK_STREQ(nl_str(&a, PNIC_A_CABLE_CABLE_SERIAL), serial);
	CHECK_EQ(nl_num(&a, PNIC_A_CABLE_LANES), lane + 1);

	nl_begin(&m, PNIC_CMD_CABLE_SET);
	nl_put_u32(&m, PNIC_A_CABLE_DEV_INDEX, 0);
	nl_put_str(&m, PNIC_A_CABLE_CABLE_SERIAL, serial);
	nl_put_u32(&m, PNIC_A_CABLE_LANES, lane + 1);
	put_record(lane, 33, true);
	put_record(3, 21, false);
	REQUIRE_EQ(nl_do(&s, &m, &a), 0);
	for (i = 0; i < 2; i++) {
		SUBTEST(i ? "after a reset" : "at once") {
			REQUIRE_EQ(nltest_lane(&s, &m, 0, lane, &a), 0);
			CHECK_EQ(nl_num(&a, PNIC_A_LANE_LOSSES), 33);
			CHECK(nl_has(&a, PNIC_A_LANE_KNOWN_BAD));
			REQUIRE_EQ(nltest_lane(&s, &m, 0, 3, &a), 0);
			CHECK_EQ(nl_num(&a, PNIC_A_LANE_LOSSES), 21);
			CHECK(!nl_has(&a, PNIC_A_LANE_KNOWN_BAD));
		}
		if (!i)
			REQUIRE_OK(nltest_reset(0));
	}
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_CABLE_GET, 0, &a), 0);
	while ((rec = nl_next(&a, PNIC_A_CABLE_RECORD, rec))) {
		nl_parse_nest(rec, &r);
		if (nl_num(&r, PNIC_A_RECORD_LANE) != lane)
			continue;
		found = true;
		CHECK_EQ(nl_num(&r, PNIC_A_RECORD_LOSSES), 33);
		CHECK(nl_has(&r, PNIC_A_RECORD_KNOWN_BAD));
	}
	CHECK(found);
	nltest_agreed(&s, &m, 0);
}

KTAP_MAIN()
