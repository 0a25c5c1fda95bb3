// SPDX-License-Identifier: GPL-2.0
/* Events as they come; events that were lost; a driver that goes and comes back. */
#include "selftests/ktap.h"

#include "run.h"

/* The made-up kernel shuts the socket after its last event, so the tool ends with status 1. */
static unsigned int lines_with(const char *text, const char *word)
{
	unsigned int n = 0;

	for (; (text = strstr(text, word)); text++)
		n++;
	return n;
}

KTAP_TEST(lines)
{
	struct ran r;

	r = run("", "monitor");
	CHECK_EQ(r.status, 1);
	CHECK_EQ(lines_with(r.out, "\n"), 6);
	CHECK_EQ(lines_with(r.out, " pnic0 lane: generation 13"), 2);
	CHECK_EQ(lines_with(r.out, " pnic0 link: up, receive 420 lanes"), 1);
	CHECK_EQ(lines_with(r.out, " pnic0 policy: "), 1);
	CHECK_EQ(lines_with(r.out, " pnic0 health: raised: cluster; over: spares-out"), 1);
	CHECK_EQ(lines_with(r.out, " pnic0 dev: degraded"), 1);
	CHECK(strstr(r.out, "active -> failed: 40, 41, 42"));
	/* 2026-11-26T11:14:10.123456Z */
	CHECK_EQ(r.out[10], 'T');
	CHECK_EQ(r.out[26], 'Z');
}

KTAP_TEST(one_kind)
{
	struct ran r;

	r = run("", "monitor lane");
	CHECK_EQ(lines_with(r.out, "\n"), 2);
	r = run("", "monitor link");
	CHECK_EQ(lines_with(r.out, "\n"), 2);
	/* Both are in one group. */
	r = run("", "monitor health");
	CHECK_EQ(lines_with(r.out, "\n"), 1);
	CHECK(strstr(r.out, "health: "));
	r = run("", "monitor dev");
	CHECK_EQ(lines_with(r.out, "\n"), 1);
	CHECK(strstr(r.out, "dev: "));
}

KTAP_TEST(forms_of_time)
{
	struct ran r;

	r = run("", "monitor health -t none");
	CHECK(!strncmp(r.out, "pnic0 health: ", 14));
	r = run("", "monitor health -t unix");
	CHECK_EQ(r.out[10], '.');
	r = run("", "monitor -t");
	CHECK_EQ(r.out[26], 'Z');
	r = run("nofamily", "monitor");
	CHECK_EQ(r.status, 1);
	CHECK_STREQ(r.err, "Error: the kernel has no pnic driver loaded (modprobe pnic)\n");
}

/* Each line an object by itself, with the time and the kind. */
KTAP_TEST(json_lines)
{
	static const char *const kinds[] = { "lane", "lane", "link", "policy", "health", "dev" };
	char *line, *rest;
	unsigned int n = 0;
	struct ran r;
	json_t *v;

	r = run("", "-j monitor");
	for (line = strtok_r(r.out, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		v = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		REQUIRE(v);
		REQUIRE(n < 6);
		CHECK_STREQ(json_string_value(json_object_get(v, "event")), kinds[n]);
		CHECK(json_is_string(json_object_get(v, "time")));
		CHECK(json_object_get(v, "dev") || json_object_get(v, "name"));
		if (!n)
			CHECK_EQ(json_array_size(json_object_get(v, "change")), 8);
		json_decref(v);
		n++;
	}
	CHECK_EQ(n, 6);
}

/* Entries that no event covers are said to be missing, and read from the history. */
KTAP_TEST(gap)
{
	struct ran r;

	r = run("gap", "monitor lane -t none");
	CHECK(strstr(r.out, "lost: entries 13 to 14 of pnic0 were not announced\n"
			    "pnic0 history: 13 card: logical 17"));
	CHECK_EQ(lines_with(r.out, " history: "), 2);
	CHECK_EQ(lines_with(r.out, " lane: "), 2);
	r = run("gap", "-j monitor lane -t none");
	CHECK(strstr(r.out, "{\"event\":\"lost\",\"text\":\"entries 13 to 14"));
	CHECK(strstr(r.out, "{\"event\":\"history\",\"dev\":\"pnic0\",\"seq\":13,"));
}

/* A device that comes again under its old number counts from 1, and what is missing then is missed. */
KTAP_TEST(device_comes_again)
{
	struct ran r;

	r = run("anew", "monitor lane -t none");
	CHECK_EQ(lines_with(r.out, " lane: "), 3);
	CHECK_EQ(lines_with(r.out, "were not announced"), 1);
	CHECK(strstr(r.out, "lost: entries 5 to 6 of pnic0 were not announced\n"));
}

/* The socket overran: it is said, what happened is in the history, and the state is read anew. */
KTAP_TEST(overrun)
{
	struct ran r;

	r = run("lossy", "monitor lane -t none");
	CHECK(!strncmp(r.out, "lost: events came faster than they were read", 44));
	CHECK_EQ(lines_with(r.out, "pnic0 history: "), 8);
	CHECK_EQ(lines_with(r.out, "pnic1 history: "), 8);
	CHECK_EQ(lines_with(r.out, "pnic0 link: "), 1);
	/* And what was told is not told again as a gap. */
	CHECK_EQ(lines_with(r.out, "were not announced"), 0);
}

KTAP_TEST(driver_reloaded)
{
	struct ran r;

	r = run("reload", "monitor health -t none");
	CHECK(strstr(r.out, "driver: unloaded\ndriver: loaded\npnic0 health: "));
	r = run("reload", "-j monitor health -t none");
	CHECK(strstr(r.out, "{\"event\":\"driver\",\"text\":\"loaded\"}\n"));
}

/* The reader goes away: the tool ends, at its next event. */
KTAP_TEST(reader_gone)
{
	struct ran r;

	r = run("", "monitor | head -1");
	CHECK_EQ(lines_with(r.out, "\n"), 1);
}

KTAP_MAIN()
