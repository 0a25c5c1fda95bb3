// SPDX-License-Identifier: GPL-2.0
/*
 * The administrator's tool while lanes fail: what the model does to lanes is seen by every
 * command, and by the monitor; lanes are changed by hand; what is known of the cable is kept and
 * taken back.
 */
#include <sys/wait.h>

#include "device.h"
#include "ktap.h"
#include "steer.h"
#include "tooltest.h"

#define WAIT_MS	60000
#define EVENTS	"/tmp/tool-lanes.events"

static pid_t monitor;

static void setup(void)
{
	need_cards(2);
	NEED_MODEL();
}

static bool lane_becomes(unsigned int lane, const char *status)
{
	uint64_t end = now_ns() + WAIT_MS * 1000000ull;
	bool is = false;
	json_t *v;

	while (!is && now_ns() < end) {
		v = tool_json("lane show pnic0 lane %u", lane);
		is = !strcmp(word(v, "0.status"), status);
		json_decref(v);
	}
	if (!is)
		ktap_failed(__FILE__, __LINE__, "lane %u does not become %s", lane, status);
	return is;
}

static bool link_becomes(const char *status)
{
	uint64_t end = now_ns() + WAIT_MS * 1000000ull;
	bool is = false;
	json_t *v;

	while (!is && now_ns() < end) {
		v = tool_json("link show pnic0");
		is = !strcmp(word(v, "0.status"), status);
		json_decref(v);
	}
	return is;
}

/* Both ends run the same maps, and nothing is under way. */
static void settled(void)
{
	uint64_t end = now_ns() + WAIT_MS * 1000000ull;
	bool is = false;
	json_t *v;

	while (!is && now_ns() < end) {
		v = tool_json("link show pnic0");
		is = json_is_true(member(v, "0.rx.agreed")) && !member(v, "0.rx.staged") &&
		     !number(v, "0.retiring");
		json_decref(v);
	}
	CHECK(is);
}

/* Lines of the monitor with these words. */
static unsigned int told(const char *event, const char *with)
{
	const char *text = file_text(EVENTS), *end;
	char *line, key[64];
	unsigned int n = 0;

	snprintf(key, sizeof(key), "\"event\":\"%s\"", event);
	for (; *text; text = end + !!*end) {
		end = strchrnul(text, '\n');
		line = strndup(text, end - text);
		n += strstr(line, key) && strstr(line, with);
		free(line);
	}
	return n;
}

/* The monitor runs from here on. It listens once it has asked for the links, however long that takes. */
KTAP_TEST(monitor_begins)
{
	unsigned int i;

	setup();
	monitor = tool_start(EVENTS, "-j monitor");
	CHECK_GT(monitor, 0);
	for (i = 0; i < 60 && !told("policy", ""); i++) {
		tool("policy set pnic0 grow %us", 8 + i % 2);
		sleep_ms(500);
	}
	CHECK_GE(told("policy", ""), 1);
	tool("policy reset pnic0");
}

KTAP_TEST(lanes_fail)
{
	struct ran r;
	json_t *v;

	setup();
	STEER("{\"cmd\":\"kill\",\"nic\":0,\"lane\":[40,300]}");
	lane_becomes(40, "failed");
	lane_becomes(300, "failed");
	settled();
	v = tool_json("lane show pnic0");
	CHECK_GE(json_array_size(v), 2);
	json_decref(v);
	v = tool_json("lane show pnic0 lane 40");
	CHECK(!member(v, "0.logical"));
	CHECK_EQ(number(v, "0.losses"), 1);
	json_decref(v);
	r = tool("lane show pnic0");
	CHECK(strstr(r.out, "\n  40 "));
	CHECK(fits(r.out));
	v = tool_json("link show pnic0");
	CHECK_EQ(number(v, "0.failed"), 2);
	CHECK_EQ(number(v, "0.rx.width"), number(v, "0.width_max"));
	json_decref(v);
	r = tool("history show pnic0");
	CHECK(strstr(r.out, "lane 40"));
	r = tool("stat openmetrics pnic0");
	CHECK(strstr(r.out, "pnic_lanes{device=\"pnic0\",state=\"failed\"} 2\n"));
	r = tool("top -b 1 pnic0");
	CHECK(strstr(r.out, "2 failed"));
}

KTAP_TEST(a_patch_goes_dark)
{
	unsigned int i, patched = 0;
	struct ran r;
	json_t *v;

	setup();
	STEER("{\"cmd\":\"patch\",\"nic\":0,\"x\":12,\"y\":9,\"radius\":2,\"db\":100}");
	lane_becomes(9 * 20 + 12, "failed");
	settled();
	v = tool_json("lane map pnic0");
	REQUIRE_EQ(json_array_size(member(v, "0.patches")), 1);
	CHECK_GE(number(v, "0.patches.0.lanes"), 9);
	CHECK(json_real_value(member(v, "0.patches.0.x")) > 11.4);
	CHECK(json_real_value(member(v, "0.patches.0.x")) < 12.6);
	json_decref(v);
	r = tool("lane map pnic0");
	CHECK(fits(r.out));
	CHECK(strstr(r.out, "failed neighbours around (12,9)"));
	r = tool("lane map pnic0 --svg -");
	CHECK_EQ(r.status, 0);
	CHECK(!strncmp(r.out, "<svg ", 5));
	CHECK(strstr(r.out, "<title>lane 40 (0,2): failed"));
	CHECK(strstr(r.out, "patch of "));
	v = tool_json("link show pnic0");
	for (i = 0; i < json_array_size(member(v, "0.alarms")); i++)
		patched += !strcmp(json_string_value(json_array_get(member(v, "0.alarms"), i)),
				   "cluster");
	CHECK_EQ(patched, 1);
	json_decref(v);
	r = tool("link show pnic0");
	CHECK(strstr(r.out, "clean the connector"));
}

/* By hand: what would be done, is done, and is undone. */
KTAP_TEST(change_and_undo)
{
	long long spare;
	struct ran r;
	json_t *v;

	setup();
	settled();
	v = tool_json("lane set pnic0 lane 7 retire preview");
	CHECK(json_is_true(member(v, "0.preview")));
	CHECK_EQ(number(v, "0.move.0.from"), 7);
	spare = number(v, "0.move.0.to");
	CHECK_GE(number(v, "0.margin_now"), -1);
	CHECK(*word(v, "0.note.0"));
	json_decref(v);
	v = tool_json("lane show pnic0 lane 7");
	CHECK_EQ(number(v, "0.logical"), 7);
	json_decref(v);
	r = tool("lane set pnic0 lane 7 disable");
	CHECK_EQ(r.status, 0);
	CHECK(fits(r.out));
	lane_becomes(7, "disabled");
	settled();
	v = tool_json("lane show pnic0 lane %lld", spare);
	CHECK_EQ(number(v, "0.logical"), 7);
	json_decref(v);
	r = tool("lane undo pnic0 preview");
	CHECK_EQ(r.status, 0);
	r = tool("lane undo pnic0");
	CHECK_EQ(r.status, 0);
	lane_becomes(7, "spare");
	r = tool("history show pnic0 -d");
	CHECK(strstr(r.out, "admin: "));
}

/* What the records of the device say of lane 40. */
static bool known(void)
{
	json_t *v, *r;
	bool is = false;
	size_t i;

	if (tool("history save pnic0 /tmp/tool-now").status)
		return false;
	v = json_load_file("/tmp/tool-now", 0, NULL);
	json_array_foreach(json_object_get(v, "records"), i, r)
		is |= number(r, "lane") == 40 && number(r, "losses") > 0;
	json_decref(v);
	return is;
}

static void load_refused(const char *sed, const char *text)
{
	char command[256];
	struct ran r;

	snprintf(command, sizeof(command), "sed '%s' /tmp/tool-good >/tmp/tool-bad", sed);
	CHECK_EQ(system(command), 0);
	r = tool("history load pnic0 /tmp/tool-bad");
	CHECK_EQ(r.status, 1);
	CHECK_STREQ(r.out, "");
	if (strncmp(r.err, "Error: ", 7) || !strstr(r.err, text))
		ktap_failed(__FILE__, __LINE__, "\"%s\" is not in \"%s\"", text, r.err);
}

KTAP_TEST(what_is_known_of_the_cable)
{
	struct ran r;
	json_t *v;

	setup();
	r = tool("history save pnic0 /tmp/tool-good");
	CHECK_EQ(r.status, 0);
	CHECK(known());
	v = json_load_file("/tmp/tool-good", 0, NULL);
	CHECK_GT(json_array_size(json_object_get(v, "history")), 3);
	json_decref(v);
	r = tool("history load pnic0 /tmp/tool-good");
	CHECK_EQ(r.status, 0);
	CHECK(known());
	load_refused("10q", "truncated or damaged");
	load_refused("s/\"cable_serial\": \"/&X/", "of the cable \"X");
	load_refused("s/\"version\": 1/\"version\": 9/", "of version 9");
	load_refused("s/\"lane\": 40/\"lane\": 4000/", "\"lane\" is none of");
	load_refused("s/\"losses\": 1/\"losses\": -1/", "\"losses\" is not");
	CHECK(known());
	r = tool_nobody("history load pnic0 /tmp/tool-good");
	CHECK_EQ(r.status, 1);
	unlink("/tmp/tool-good");
	unlink("/tmp/tool-bad");
	unlink("/tmp/tool-now");
}

KTAP_TEST(monitor_has_told_it)
{
	const char *text, *end;
	unsigned int n = 0;
	int status;
	json_t *v;

	setup();
	REQUIRE(monitor > 0);
	STEER("{\"cmd\":\"heal\",\"nic\":0,\"lane\":300}");
	lane_becomes(300, "quarantined");
	tool("policy set pnic0 grow 7s");
	tool("policy reset pnic0");
	tool("link set pnic0 down");
	CHECK(link_becomes("disabled"));
	tool("link set pnic0 up");
	CHECK(link_becomes("up"));
	sleep_ms(1000);
	CHECK_EQ(kill(monitor, SIGTERM), 0);
	CHECK_EQ(waitpid(monitor, &status, 0), monitor);
	/* Each line is an object. */
	for (text = file_text(EVENTS); *text; text = end + !!*end) {
		end = strchrnul(text, '\n');
		v = json_loadb(text, end - text, JSON_REJECT_DUPLICATES, NULL);
		CHECK(json_is_object(v));
		CHECK_EQ(strlen(word(v, "time")), strlen("2026-11-26T11:14:10.123456Z"));
		json_decref(v);
		n++;
	}
	CHECK_GT(n, 4);
	CHECK_GE(told("lane", "\"lane\":40,\"status\":\"failed\",\"was\":\"active\""), 1);
	CHECK_GE(told("lane", "\"lane\":300,\"status\":\"quarantined\""), 1);
	CHECK_GE(told("link", "\"dev\":\"pnic0\",\"status\":\"disabled\""), 1);
	CHECK_GE(told("link", "\"dev\":\"pnic0\",\"status\":\"up\""), 1);
	CHECK_GE(told("health", "\"raised\":[\"cluster\""), 1);
	CHECK_GE(told("policy", "\"grow_ms\":7000"), 1);
	CHECK_EQ(told("lost", ""), 0);
	unlink(EVENTS);
}

KTAP_TEST(mended)
{
	setup();
	STEER("{\"cmd\":\"heal\",\"nic\":0,\"lane\":\"all\"}");
	settled();
}

KTAP_MAIN()
