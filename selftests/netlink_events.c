// SPDX-License-Identifier: GPL-2.0
/*
 * Events of the netlink family: none is lost without a trace, a storm makes few messages, a listener
 * that is too slow learns of it and can catch up, and the right ones are told of links, knobs, devices
 * and alarms.
 *
 * Needs the model's control port.
 */
#include <sys/socket.h>

#include "device.h"
#include "bench/figure.h"
#include "modelctl.h"
#include "nl.h"
#include "nltest.h"

#define STORM		1000
#define MESSAGES_MAX	100

static struct nl_sock s, ev;
static struct nl_msg m;
static struct nl_attrs a;
static uint32_t total;

static void listen_to(int group)
{
	nl_close(&ev);
	REQUIRE_EQ(nl_open(&ev), 0);
	REQUIRE_EQ(nl_join(&ev, group), 0);
}

static void setup(int group)
{
	need_cards(2);
	NEED_MODEL();
	if (!s.family) {
		REQUIRE_EQ(nl_open(&s), 0);
		REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_DEV_GET, 0, &a), 0);
		total = nl_num(&a, PNIC_A_DEV_LANES_DATA) + nl_num(&a, PNIC_A_DEV_LANES_SPARE);
	}
	nltest_agreed(&s, &m, 0);
	nltest_agreed(&s, &m, 1);
	listen_to(group);
}

static uint64_t newest(void)
{
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_LINK_GET, 0, &a), 0);
	return nl_num(&a, PNIC_A_LINK_HISTORY_SEQ);
}

/* ---- lanes ---- */

struct heard {
	unsigned int messages;
	uint64_t first, last, events;	/* of the history */
	uint8_t status[4096];		/* by what was told */
};

static struct heard heard;

static void take_changes(const struct nl_attrs *e)
{
	const struct nlattr *each = NULL;
	struct nl_attrs c;

	while ((each = nl_next(e, PNIC_A_LANE_EVENT_CHANGE, each))) {
		nl_parse_nest(each, &c);
		REQUIRE(nl_num(&c, PNIC_A_CHANGE_LANE) < total);
		CHECK_NE(nl_num(&c, PNIC_A_CHANGE_STATUS), nl_num(&c, PNIC_A_CHANGE_WAS));
		heard.status[nl_num(&c, PNIC_A_CHANGE_LANE)] = nl_num(&c, PNIC_A_CHANGE_STATUS);
	}
}

/* One lane event of NIC 0; the others are somebody else's. */
static int hear(int timeout_ms)
{
	int err = nl_event(&ev, timeout_ms, &a);

	if (err || a.cmd != PNIC_CMD_LANE_NTF || nl_num(&a, PNIC_A_LANE_EVENT_DEV_INDEX))
		return err;
	if (heard.messages)
		CHECK_EQ(nl_num(&a, PNIC_A_LANE_EVENT_FIRST_SEQ), heard.last + 1);
	else
		heard.first = nl_num(&a, PNIC_A_LANE_EVENT_FIRST_SEQ);
	heard.messages++;
	heard.last = nl_num(&a, PNIC_A_LANE_EVENT_LAST_SEQ);
	CHECK_GE(heard.last, nl_num(&a, PNIC_A_LANE_EVENT_FIRST_SEQ));
	CHECK_EQ(nl_num(&a, PNIC_A_LANE_EVENT_EVENTS),
		 heard.last - nl_num(&a, PNIC_A_LANE_EVENT_FIRST_SEQ) + 1);
	heard.events += nl_num(&a, PNIC_A_LANE_EVENT_EVENTS);
	take_changes(&a);
	return 0;
}

/* What comes until there is nothing for a while. */
static void hear_all(int quiet_ms)
{
	int err;

	do
		err = hear(quiet_ms);
	while (!err);
	CHECK_EQ(err, -ETIME);
}

/* Waits for lane news of @n more lanes: they come with the next turn of the driver. */
static void hear_until(uint64_t seq)
{
	uint64_t end = now_ns() + NLTEST_WAIT_MS * 1000000ull;

	while (heard.last < seq && now_ns() < end)
		if (hear(1000) == -ENOBUFS)
			CHECK(false);
	CHECK_GE(heard.last, seq);
}

/* One lane: what happened to it, by one message or few. */
KTAP_TEST(one_lane)
{
	setup(NL_LANES);
	hear_all(500);
	memset(&heard, 0, sizeof(heard));
	STEER("{\"cmd\":\"kill\",\"nic\":0,\"lane\":123}");
	REQUIRE(nltest_wait_lane(&s, &m, 0, 123, PNIC_LANE_STATUS_FAILED));
	hear_until(newest());
	CHECK_EQ(heard.status[123], PNIC_LANE_STATUS_FAILED);
	CHECK_LE(heard.messages, 10);
	STEER("{\"cmd\":\"heal\",\"nic\":0,\"lane\":123}");
	REQUIRE(nltest_wait_lane(&s, &m, 0, 123, PNIC_LANE_STATUS_QUARANTINED) ||
		nltest_wait_lane(&s, &m, 0, 123, PNIC_LANE_STATUS_SPARE));
	hear_until(newest());
	CHECK_NE(heard.status[123], PNIC_LANE_STATUS_FAILED);
	nltest_agreed(&s, &m, 0);
}

static uint8_t shown[4096];

static void take_lane(const struct nl_attrs *l, void *arg)
{
	(void)arg;
	shown[nl_num(l, PNIC_A_LANE_INDEX)] = nl_num(l, PNIC_A_LANE_STATUS);
}

static void dump_lanes(void)
{
	nl_begin(&m, PNIC_CMD_LANE_GET);
	nl_put_u32(&m, PNIC_A_LANE_DEV_INDEX, 0);
	REQUIRE_EQ(nl_dump(&s, &m, take_lane, NULL), 0);
}

/* All lanes at a moment of which everything has been heard; lanes on probation go on changing. */
static bool dump_what_was_heard(void)
{
	uint64_t end = now_ns() + NLTEST_WAIT_MS * 1000000ull, seq;

	do {
		seq = newest();
		hear_until(seq);
		dump_lanes();
		if (heard.last == seq && newest() == seq)
			return true;
	} while (now_ns() < end);
	return false;
}

/*
 * Spares go and come as fast as the model can be told, until the history has that many entries more. What
 * the messages say comes, one after the other, to what is shown in the end.
 */
KTAP_TEST(storm)
{
	uint64_t mark, end = now_ns() + 2 * NLTEST_WAIT_MS * 1000000ull;
	unsigned int i, differ = 0;

	setup(NL_LANES);
	hear_all(500);
	memset(&heard, 0, sizeof(heard));
	dump_lanes();
	memcpy(heard.status, shown, sizeof(shown));
	mark = newest();
	for (i = 0; newest() < mark + STORM && now_ns() < end; i++) {
		STEER("{\"cmd\":\"%s\",\"nic\":0,\"lane\":[400,401,402,403,404,405,406,407,408,409]}",
		      i & 1 ? "heal" : "kill");
		while (!hear(0))
			;
	}
	STEER("{\"cmd\":\"heal\",\"nic\":0,\"lane\":[400,401,402,403,404,405,406,407,408,409]}");
	hear_all(2000);
	figure("burst_events", heard.events, "lane events in one burst");
	figure("burst_messages", heard.messages, "netlink messages that told of them; at most 100 for 1,000");
	figure("burst_lost", heard.last - heard.first + 1 - heard.events, "events that no message covers; none");
	CHECK_GE(heard.events, STORM);
	CHECK_LE((uint64_t)heard.messages * STORM, heard.events * MESSAGES_MAX);
	CHECK_EQ(heard.first, mark + 1);
	CHECK_EQ(heard.events, heard.last - heard.first + 1);
	REQUIRE(dump_what_was_heard());
	for (i = 0; i < total; i++)
		differ += shown[i] != heard.status[i];
	CHECK_EQ(differ, 0);
	nltest_agreed(&s, &m, 0);
}

/* All lanes of a patch at once: one message has them. */
KTAP_TEST(many_lanes_at_once)
{
	unsigned int i, failed = 0, told = 0;

	setup(NL_LANES);
	hear_all(500);
	memset(&heard, 0, sizeof(heard));
	STEER("{\"cmd\":\"patch\",\"nic\":0,\"x\":10,\"y\":8,\"radius\":3,\"db\":100}");
	sleep_ms(500);
	REQUIRE(dump_what_was_heard());
	for (i = 0; i < total; i++) {
		failed += shown[i] == PNIC_LANE_STATUS_FAILED;
		told += heard.status[i] == PNIC_LANE_STATUS_FAILED;
	}
	CHECK_GT(failed, 20);
	CHECK_EQ(told, failed);
	CHECK_LE(heard.messages, 10);
	STEER("{\"cmd\":\"heal\",\"nic\":0,\"lane\":\"all\"}");
	nltest_agreed(&s, &m, 0);
}

/* A listener with next to no room that does not read: told so, and by a dump it knows all again. */
KTAP_TEST(slow_listener)
{
	const int room = 1;
	unsigned int i;
	int err;

	setup(NL_LANES);
	REQUIRE_OK(setsockopt(ev.fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)));
	for (i = 0; i < 40; i++) {
		STEER("{\"cmd\":\"%s\",\"nic\":0,\"lane\":[400,401,402]}", i & 1 ? "heal" : "kill");
		sleep_ms(120);
	}
	do
		err = nl_event(&ev, 1000, &a);
	while (!err);
	CHECK_EQ(err, -ENOBUFS);
	STEER("{\"cmd\":\"heal\",\"nic\":0,\"lane\":[400,401,402]}");
	/* The next events are heard, and a dump has what was missed. */
	do
		err = nl_event(&ev, 1000, &a);
	while (!err || err == -ENOBUFS);
	CHECK_EQ(err, -ETIME);
	STEER("{\"cmd\":\"kill\",\"nic\":0,\"lane\":403}");
	CHECK_EQ(nl_event(&ev, 5000, &a), 0);
	dump_lanes();
	CHECK_NE(shown[400], PNIC_LANE_STATUS_FAILED);
	STEER("{\"cmd\":\"heal\",\"nic\":0,\"lane\":403}");
	nltest_agreed(&s, &m, 0);
}

/* ---- links and knobs ---- */

/* Waits for an event of @cmd about NIC 0 whose attribute @type has @value. */
static bool hear_of(uint8_t cmd, uint16_t type, uint64_t value)
{
	uint64_t end = now_ns() + NLTEST_WAIT_MS * 1000000ull;

	while (now_ns() < end) {
		if (nl_event(&ev, 1000, &a))
			continue;
		if (a.cmd == cmd && !nl_num(&a, PNIC_A_DEV_INDEX) && nl_num(&a, type) == value)
			return true;
	}
	return false;
}

KTAP_TEST(link_down_and_up)
{
	setup(NL_LINK);
	STEER("{\"cmd\":\"cut\",\"nic\":0,\"on\":true}");
	CHECK(hear_of(PNIC_CMD_LINK_NTF, PNIC_A_LINK_STATUS, PNIC_LINK_STATUS_DOWN));
	CHECK(nl_has(&a, PNIC_A_LINK_RX) && nl_has(&a, PNIC_A_LINK_MARGIN));
	STEER("{\"cmd\":\"cut\",\"nic\":0,\"on\":false}");
	CHECK(hear_of(PNIC_CMD_LINK_NTF, PNIC_A_LINK_STATUS, PNIC_LINK_STATUS_UP));
	nltest_agreed(&s, &m, 0);
}

KTAP_TEST(knobs)
{
	setup(NL_LINK);
	nl_begin(&m, PNIC_CMD_POLICY_SET);
	nl_put_u32(&m, PNIC_A_POLICY_DEV_INDEX, 0);
	nl_put_u32(&m, PNIC_A_POLICY_CALM_MS, 1717);
	REQUIRE_EQ(nl_do(&s, &m, NULL), 0);
	CHECK(hear_of(PNIC_CMD_POLICY_NTF, PNIC_A_POLICY_CALM_MS, 1717));
	nl_begin(&m, PNIC_CMD_POLICY_SET);
	nl_put_u32(&m, PNIC_A_POLICY_DEV_INDEX, 0);
	nl_put_flag(&m, PNIC_A_POLICY_RESET);
	REQUIRE_EQ(nl_do(&s, &m, &a), 0);
	CHECK(hear_of(PNIC_CMD_POLICY_NTF, PNIC_A_POLICY_REVISION, nl_num(&a, PNIC_A_POLICY_REVISION)));
}

/* ---- devices and alarms ---- */

KTAP_TEST(device_reset)
{
	setup(NL_HEALTH);
	REQUIRE_OK(nltest_reset(0));
	CHECK(hear_of(PNIC_CMD_DEV_NTF, PNIC_A_DEV_STATUS, PNIC_DEV_STATUS_RESETTING));
	/* Ready or degraded: the ends have to agree again. */
	while (!nl_event(&ev, 5000, &a))
		if (a.cmd == PNIC_CMD_DEV_NTF && !nl_num(&a, PNIC_A_DEV_INDEX))
			break;
	CHECK_EQ(a.cmd, PNIC_CMD_DEV_NTF);
	CHECK(nl_num(&a, PNIC_A_DEV_STATUS) == PNIC_DEV_STATUS_READY ||
	      nl_num(&a, PNIC_A_DEV_STATUS) == PNIC_DEV_STATUS_DEGRADED);
	nltest_agreed(&s, &m, 0);
}

static void bind_driver(bool bind, const char *pci)
{
	REQUIRE_OK(write_file(bind ? "/sys/bus/pci/drivers/pnic/bind" : "/sys/bus/pci/drivers/pnic/unbind",
			      pci));
}

KTAP_TEST(device_gone_and_back)
{
	char pci[32];

	setup(NL_HEALTH);
	REQUIRE_OK(dev_pci(0, pci, sizeof(pci)));
	bind_driver(false, pci);
	CHECK(hear_of(PNIC_CMD_DEV_NTF, PNIC_A_DEV_STATUS, PNIC_DEV_STATUS_GONE));
	CHECK_EQ(nltest_get(&s, &m, PNIC_CMD_DEV_GET, 0, &a), -ENODEV);
	bind_driver(true, pci);
	CHECK(hear_of(PNIC_CMD_DEV_NTF, PNIC_A_DEV_RESETS, 0));
	CHECK_STREQ(nl_str(&a, PNIC_A_DEV_BUS_INFO), pci);
	nltest_agreed(&s, &m, 0);
}

static bool hear_alarm(uint16_t which, uint32_t alarm)
{
	uint64_t end = now_ns() + NLTEST_WAIT_MS * 1000000ull;

	while (now_ns() < end) {
		if (nl_event(&ev, 1000, &a) || a.cmd != PNIC_CMD_HEALTH_NTF)
			continue;
		if (!nl_num(&a, PNIC_A_HEALTH_DEV_INDEX) && nl_num(&a, which) & alarm)
			return true;
	}
	return false;
}

/* The light goes: an alarm is raised, and is over when the light is back. */
KTAP_TEST(alarm)
{
	setup(NL_HEALTH);
	STEER("{\"cmd\":\"kill\",\"nic\":0,\"lane\":\"all\"}");
	CHECK(hear_alarm(PNIC_A_HEALTH_RAISED, PNIC_ALARM_DARK));
	CHECK(nl_num(&a, PNIC_A_HEALTH_ALARMS) & PNIC_ALARM_DARK);
	CHECK_GT(strlen(nl_str(&a, PNIC_A_HEALTH_TEXT)), 0);
	STEER("{\"cmd\":\"heal\",\"nic\":0,\"lane\":\"all\"}");
	CHECK(hear_alarm(PNIC_A_HEALTH_CLEARED, PNIC_ALARM_DARK));
	CHECK(!(nl_num(&a, PNIC_A_HEALTH_ALARMS) & PNIC_ALARM_DARK));
	nltest_agreed(&s, &m, 0);
}

KTAP_MAIN()
