// SPDX-License-Identifier: GPL-2.0
/*
 * The whole tool over a made-up kernel in every state: what it prints is valid, fits, and says
 * no more than it knows; what is refused says why.
 */
#include <ctype.h>

#include "selftests/ktap.h"

#include "names.h"
#include "run.h"

static const char *const states[] = {
	"", "small", "wide", "dead", "down alarms", "none", "nofamily", "bare", "busy", "hostile",
	"user", "garbage",
};

/* Commands that print, and how many elements their JSON has at least in a healthy state. */
static const struct {
	const char *args;
	size_t least;
} shows[] = {
	{ "dev", 2 }, { "dev show", 2 }, { "dev show pnic1", 1 }, { "dev show 0000:01:00.0", 1 },
	{ "link", 2 }, { "link show 0", 1 }, { "link margin 0 take", 1 },
	{ "lane show pnic0", 0 }, { "lane show 0 lane 3-17", 15 }, { "lane show 0 dir tx", 0 },
	{ "lane map 0", 1 }, { "lane map 0 dir tx", 1 },
	{ "lane set 0 lane 17 retire preview", 1 }, { "lane undo 0 preview", 1 },
	{ "spare show 0", 1 }, { "policy", 2 }, { "policy preview 0 watch 1e-5", 1 },
	{ "policy set 0 watch 1e-5 grow 5s revision 3", 1 }, { "policy reset 0", 1 },
	{ "history show 0", 8 }, { "history show 0 since 3", 5 },
	{ "stat", 2 }, { "stat show 0", 1 }, { "res", 4 }, { "res show 0", 2 },
	{ "res show object", 8 }, { "res show 0 object region cq", 2 },
	{ "grant", 4 }, { "grant show 0", 2 }, { "grant add 0 partition 8 uid 1000", 0 },
	{ "grant del 0 partition 7 user root", 0 }, { "link set 0 down", 0 },
};

#define STATES	(ARRAY_SIZE(states))
#define SHOWS	(ARRAY_SIZE(shows))

KTAP_TEST(json_in_every_state)
{
	unsigned int i, k;
	struct ran r;
	json_t *v;

	for (i = 0; i < STATES; i++)
		SUBTEST("%s", *states[i] ? states[i] : "healthy")
			for (k = 0; k < SHOWS; k++) {
				r = run(states[i], "%s %s", k & 1 ? "-p -s -d" : "-j",
					shows[k].args);
				v = ran_json(&r, i ? 0 : shows[k].least);
				/* What failed shows nothing, and says so. */
				if (v && r.status)
					CHECK_EQ(json_array_size(v), 0);
				CHECK_EQ(!r.status, !*r.err);
				json_decref(v);
			}
}

KTAP_TEST(text_in_every_state)
{
	static const char *const options[] = { "", "-s", "-d", "-sd" };
	unsigned int i, k;
	struct ran r;

	for (i = 0; i < STATES; i++)
		SUBTEST("%s", *states[i] ? states[i] : "healthy")
			for (k = 0; k < SHOWS; k++) {
				r = run(states[i], "%s %s", options[(i + k) % 4], shows[k].args);
				/* Numbers without sense may be as wide as they are. */
				if (strcmp(states[i], "garbage"))
					check_text(shows[k].args, r.out);
				CHECK(!strchr(r.out, '\033'));
				CHECK_EQ(!r.status, !*r.err);
				if (!i)
					CHECK_EQ(r.status, 0);
			}
}

/* An error is one line that begins as they all do. */
static void check_error(const struct ran *r, int status, const char *text)
{
	const char *end = strchr(r->err, '\n');

	CHECK_EQ(r->status, status);
	CHECK(!strncmp(r->err, status == 1 ? "Error: " : "pnic", status == 1 ? 7 : 4));
	CHECK(end && !end[1]);
	if (!strstr(r->err, text))
		ktap_failed(__FILE__, __LINE__, "\"%s\" is not in \"%s\"", text, r->err);
}

KTAP_TEST(nothing_there)
{
	struct ran r;

	r = run("none", "-j dev show");
	CHECK_EQ(r.status, 0);
	CHECK_STREQ(r.out, "[]\n");
	r = run("none", "-j link show");
	CHECK_EQ(r.status, 0);
	CHECK_STREQ(r.out, "[]\n");
	r = run("none", "res show");
	CHECK_EQ(r.status, 0);
	r = run("none", "lane show pnic0");
	check_error(&r, 1, "there is no device \"pnic0\", nor any other");
	r = run("", "lane show pnic7");
	check_error(&r, 1, "there is no device \"pnic7\"; there are pnic0, pnic1");
	r = run("nofamily", "-j dev show");
	check_error(&r, 1, "the kernel has no pnic driver loaded (modprobe pnic)");
	CHECK_STREQ(r.out, "[]\n");
}

KTAP_TEST(wrong_usage)
{
	static const struct {
		const char *args, *text;
	} t[] = {
		{"nosuch", "object \"nosuch\" is unknown"},
		{"l", "object \"l\" is ambiguous: link, lane"},
		{"s", "object \"s\" is ambiguous: spare, stat"},
		{"lane nosuch", "command \"nosuch\" is unknown: show, map, set, undo"},
		{"lane s", "command \"s\" is ambiguous: show, set"},
		{"dev pnic0", "command \"pnic0\" is unknown: show"},
		{"lane show", "which device?"},
		{"lane show 0 lane", "lane needs N or N-M"},
		{"lane show 0 lane 9-3", "\"9-3\" is neither N nor N-M"},
		{"lane show 0 lane 08-07", "\"08-07\" is neither N nor N-M"},
		{"lane show 0 lane x", "\"x\" is neither N nor N-M"},
		{"lane show 0 dir up", "\"up\" is no direction: give rx or tx"},
		{"lane show 0 nosuch", "\"nosuch\" is too much"},
		{"lane set 0 retire", "which lane?"},
		{"lane set 0 lane 5", "action is missing: disable, enable, retire or test"},
		{"lane set 0 lane 5 explode", "\"explode\" is no action"},
		{"lane set 0 lane -5 retire", "\"-5\" is no number"},
		{"lane set 0 lane 5 retire generation", "generation needs a number"},
		{"lane set 0 lane 5 retire generation 4294967296", "out of range, 0 to 4294967295"},
		{"link set 0", "state is missing: down or up"},
		{"link set 0 sideways", "\"sideways\" is no state: give down or up"},
		{"policy set 0", "which knob?"},
		{"policy set 0 nosuch 1", "\"nosuch\" is no knob"},
		{"policy set 0 watch", "watch-ppb needs a value, 1 to 1000000000"},
		{"policy set 0 watch 0", "watch-ppb: \"0\" is no value of it: 1 to 1000000000 ppb"},
		{"policy set 0 watch 1 watch-ppb 2", "watch-ppb is given twice"},
		{"policy set 0 quarantine 10xx", "quarantine-ms: \"10xx\""},
		{"policy set 0 manage maybe", "manage: \"maybe\" is neither on nor off"},
		{"policy preview 0 revision 3", "\"revision\" is no knob"},
		{"history save 0", "which file?"},
		{"history show 0 since x", "\"x\" is no number"},
		{"res show object nosuch", "\"nosuch\" is no kind"},
		{"grant add 0", "which partition?"},
		{"grant add 0 partition", "partition needs a number"},
		{"grant add 0 partition 0", "everybody may be in partition 0: give 1 to 65535"},
		{"grant add 0 partition 65536", "out of range, 0 to 65535"},
		{"grant add 0 partition 7", "to whom? give user NAME or uid N"},
		{"grant add 0 partition 7 user", "user needs a name"},
		{"grant add 0 partition 7 user nobody-at-all", "is no user here: give uid N"},
		{"grant del 0 partition 7 uid 4294967295", "out of range, 0 to 4294967294"},
		{"grant del 0 partition 7 uid 1 2", "\"2\" is too much"},
		{"stat -j openmetrics", "OpenMetrics is no JSON"},
		{"monitor -t sundial", "\"sundial\" is no form of time"},
		{"monitor nosuch", "command \"nosuch\" is unknown"},
		{"top", "this is no terminal"},
		{"top -b 0", "-b needs a number of frames"},
		{"top -i 0 -b 1", "-i: seconds"},
		{"-j top -b 1", "top draws a screen"},
		{"--json=no dev show", "unknown option \"--json=no\""},
		{"lane show 0 --json=no", "\"--json=no\" is too much"},
		{"-j --bogus dev show", "unknown option \"--bogus\""},
		{"-j -b", "-b needs a file"},
		{"-x dev", "unknown option \"-x\""},
		{"-c=sometimes dev", "\"sometimes\" is none of auto, always, never"},
		{"-b", "-b needs a file"},
		{"-N", "-N needs the name"},
		{"-b - dev show", "-b FILE goes without a command"},
	};
	struct ran r;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++)
		SUBTEST("%s", t[i].args) {
			r = run("", "%s", t[i].args);
			check_error(&r, 2, t[i].text);
			if (strstr(t[i].args, "-j "))
				CHECK_STREQ(r.out, "[]\n");
			else
				CHECK_STREQ(r.out, "");
		}
	r = run("", "%s", "");
	CHECK_EQ(r.status, 2);
	CHECK(strstr(r.err, "Usage: pnic"));
}

KTAP_TEST(the_kernel_refuses)
{
	struct ran r;

	r = run("", "lane set 0 lane 5 disable");
	CHECK_STREQ(r.err, "Error: the margin would fall from 6 to 4\n");
	CHECK_EQ(r.status, 1);
	r = run("", "lane set 0 lane 5 disable force");
	CHECK_EQ(r.status, 0);
	/* What it points at is named, the words stay as they came. */
	r = run("", "lane set 0 lane 9999 disable");
	CHECK_STREQ(r.err, "Error: no such lane [lane]\n");
	CHECK_EQ(r.status, 1);
	r = run("", "policy set 0 watch 0.5");
	CHECK_STREQ(r.err, "Error: watch-ppb is past retire-ppb [watch-ppb]\n");
	r = run("user", "link set 0 up");
	check_error(&r, 1, "Operation not permitted (it needs CAP_NET_ADMIN)");
	r = run("", "lane show 0 lane 460");
	check_error(&r, 1, "pnic0 has no lane 460: lanes are 0 to 459");
}

KTAP_TEST(help_and_version)
{
	static const char *const objects[] = {
		"dev",	   "link", "lane", "spare",   "policy",
		"history", "stat", "res",  "grant",   "monitor", "top",
	};
	struct ran r;
	unsigned int i;

	r = run("nofamily", "help");
	CHECK_EQ(r.status, 0);
	check_text("help", r.out);
	for (i = 0; i < ARRAY_SIZE(objects); i++) {
		CHECK(strstr(r.out, objects[i]));
	}
	for (i = 0; i < ARRAY_SIZE(objects); i++) {
		r = run("nofamily", "%s help", objects[i]);
		CHECK_EQ(r.status, 0);
		CHECK(!strncmp(r.out, "Usage: pnic ", 12));
		check_text(objects[i], r.out);
	}
	r = run("nofamily", "--help");
	CHECK_EQ(r.status, 0);
	r = run("nofamily", "lane set -h");
	CHECK_EQ(r.status, 0);
	r = run("nofamily", "-V");
	CHECK_EQ(r.status, 0);
	CHECK(!strncmp(r.out, "pnic 1", 6));
}

KTAP_TEST(colours)
{
	struct ran r;

	r = run("", "link show 0");
	CHECK(!strchr(r.out, '\033'));
	r = run("", "-c link show 0");
	CHECK(strchr(r.out, '\033'));
	r = run("", "--color=always link show 0");
	CHECK(strchr(r.out, '\033'));
	r = run("", "link show 0 --color=always");
	CHECK(strchr(r.out, '\033'));
	r = run("", "-c=never link show 0");
	CHECK(!strchr(r.out, '\033'));
	/* In JSON never. */
	r = run("", "-c -j link show 0");
	CHECK(!strchr(r.out, '\033'));
}

KTAP_TEST(json_says_what_is)
{
	json_t *v, *o;
	struct ran r;

	r = run("", "-j dev show 0");
	v = ran_json(&r, 1);
	o = json_array_get(v, 0);
	CHECK_STREQ(json_string_value(json_object_get(o, "name")), "pnic0");
	CHECK_STREQ(json_string_value(json_object_get(o, "guid")), "0xfedcba9876543210");
	CHECK_STREQ(json_string_value(json_object_get(o, "status")), "degraded");
	CHECK(json_is_true(json_object_get(o, "standby")));
	json_decref(v);
	r = run("", "-j link show 0");
	v = ran_json(&r, 1);
	o = json_array_get(v, 0);
	CHECK_STREQ(json_string_value(json_object_get(o, "dev")), "pnic0");
	CHECK(!json_object_get(o, "dev_index"));
	CHECK_STREQ(json_string_value(json_array_get(json_object_get(o, "alarms"), 0)), "cluster");
	CHECK_EQ(json_integer_value(json_object_get(json_object_get(o, "rx"), "width")), 420);
	CHECK_EQ(json_array_size(json_object_get(o, "remap_latency")), 8);
	json_decref(v);
	r = run("", "-j lane show 0");
	v = ran_json(&r, 28);
	CHECK_EQ(json_array_size(v), 28);
	json_decref(v);
	r = run("", "-j -d lane show 0");
	v = ran_json(&r, 460);
	CHECK_EQ(json_array_size(v), 460);
	o = json_array_get(v, 3);
	CHECK(!json_object_get(o, "logical"));
	CHECK_EQ(json_integer_value(json_object_get(o, "power_cdb")), -6000);
	json_decref(v);
	/* Zeros before a number don't make it octal. */
	r = run("", "-j lane show 0 lane 010");
	v = ran_json(&r, 1);
	CHECK_EQ(json_integer_value(json_object_get(json_array_get(v, 0), "index")), 10);
	json_decref(v);
	r = run("", "-j lane show 0 lane 0x10");
	v = ran_json(&r, 1);
	CHECK_EQ(json_integer_value(json_object_get(json_array_get(v, 0), "index")), 16);
	json_decref(v);
	/* What is inside of something says whose it is as the rest does. */
	r = run("", "-j spare show 0");
	v = ran_json(&r, 1);
	CHECK(!strstr(r.out, "dev_index"));
	json_decref(v);
	r = run("", "-j lane map 0");
	v = ran_json(&r, 1);
	CHECK(!strstr(r.out, "dev_index"));
	o = json_object_get(json_array_get(v, 0), "patches");
	CHECK_EQ(json_array_size(o), 1);
	CHECK_EQ(json_integer_value(json_object_get(json_array_get(o, 0), "lanes")), 21);
	json_decref(v);
	r = run("", "-j policy show 0");
	v = ran_json(&r, 1);
	o = json_array_get(v, 0);
	CHECK(json_is_true(json_object_get(o, "manage")));
	CHECK_EQ(json_integer_value(json_object_get(o, "watch_ppb")), 65000);
	json_decref(v);
}

/* A name from outside never reaches the terminal as more than text. */
KTAP_TEST(hostile_names)
{
	json_t *v;
	struct ran r;

	r = run("hostile", "res show 0");
	CHECK_EQ(r.status, 0);
	check_text("res", r.out);
	r = run("hostile", "-j res show 0");
	v = ran_json(&r, 1);
	CHECK_STREQ(json_string_value(json_object_get(json_array_get(v, 0), "comm")),
		    "a?[31m\"<&>\\?" "?(?'");
	json_decref(v);
}

KTAP_TEST(maps)
{
	struct ran r;

	r = run("wide", "lane map 0");
	check_text("wide", r.out);
	CHECK(strstr(r.out, "\n 11 ooo"));
	r = run("small", "lane map 0");
	CHECK(strstr(r.out, "\n  3 o + + + +\n"));
	r = run("dead", "lane map 0");
	CHECK(strstr(r.out, "# # # # #"));
	r = run("", "lane map 0");
	CHECK(strstr(r.out, "patch         21 failed neighbours around (7,5), radius 2.2"));
}

/* Tags are closed in order, and & begins entities only: what an XML parser would want to know. */
static void check_xml(const char *s)
{
	char open[16][16];
	unsigned int depth = 0, tags = 0;
	size_t n;

	for (; *s; s++) {
		if (*s == '&' && strncmp(s, "&amp;", 5) && strncmp(s, "&lt;", 4) &&
		    strncmp(s, "&gt;", 4) && strncmp(s, "&quot;", 6))
			ktap_failed(__FILE__, __LINE__, "a bare &: %.20s", s);
		if (*s != '<')
			continue;
		tags++;
		n = strcspn(s + 1, " />");
		if (s[1] == '/') {
			n = strcspn(s + 2, ">");
			REQUIRE(depth && n < 16 && !strncmp(open[depth - 1], s + 2, n));
			depth--;
		} else if (s[strcspn(s, ">") - 1] != '/') {
			REQUIRE(depth < 16 && n < 16);
			snprintf(open[depth++], 16, "%.*s", (int)n, s + 1);
		}
		s += strcspn(s, ">");
		REQUIRE(*s);
	}
	CHECK_EQ(depth, 0);
	CHECK_GT(tags, 20);
}

KTAP_TEST(svg)
{
	unsigned int i, n = 0;
	const char *s;
	struct ran r;

	for (i = 0; i < STATES; i++) {
		r = run(states[i], "lane map 0 --svg -");
		if (r.status)
			continue;
		check_xml(r.out);
		CHECK(!strstr(r.out, "http://") || !strstr(strstr(r.out, "http://") + 7, "http"));
	}
	r = run("", "lane map 0 --svg -");
	CHECK_EQ(r.status, 0);
	/* A cell for each lane, in both panels. */
	for (s = r.out; (s = strstr(s, "<title>lane ")); s++)
		n++;
	CHECK_EQ(n, 2 * 460);
	CHECK(strstr(r.out, "generation 12; cable CB-0042/A"));
	CHECK(strstr(r.out, "margin 6, 14 with erasures"));
	CHECK(strstr(r.out, "patch of 21 failed lanes"));
	r = run("", "lane map 0 --svg /nonexistent/x.svg");
	check_error(&r, 1, "/nonexistent/x.svg: No such file or directory");
	r = run("", "lane map 0 svg /dev/full");
	check_error(&r, 1, "No space left on device");
}

/* What a reader of OpenMetrics insists on. */
static void check_openmetrics(const char *text)
{
	char line[512], family[96] = "", type[16] = "";
	unsigned int samples = 0;
	size_t len, n;
	const char *s;

	for (s = text; *s; s += len + 1) {
		len = strcspn(s, "\n");
		REQUIRE(s[len] && len < sizeof(line));
		snprintf(line, sizeof(line), "%.*s", (int)len, s);
		if (sscanf(line, "# TYPE %95s %15s", family, type) == 2) {
			/* Each family once: its samples stand together. */
			CHECK(!strstr(s + len, line));
			continue;
		}
		if (!strcmp(line, "# EOF")) {
			CHECK(!s[len + 1]);
			CHECK_GT(samples, 0);
			return;
		}
		if (line[0] == '#')
			continue;
		samples++;
		n = strcspn(line, "{");
		if (strncmp(line, family, strlen(family)))
			ktap_failed(__FILE__, __LINE__, "outside of its family: %s", line);
		if (!strcmp(type, "counter"))
			CHECK(n > 6 && !strncmp(line + n - 6, "_total", 6));
		if (!strcmp(type, "histogram"))
			CHECK(n > 7 && !strncmp(line + n - 7, "_bucket", 7));
		CHECK(isdigit((unsigned char)line[len - 1]) || !strcmp(line + len - 4, "+Inf"));
	}
	ktap_failed(__FILE__, __LINE__, "no # EOF");
}

KTAP_TEST(openmetrics)
{
	static const char *const good[] = { "", "small", "dead", "down alarms", "hostile", "bare" };
	struct ran r;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		r = run(good[i], "stat openmetrics");
		CHECK_EQ(r.status, 0);
		check_openmetrics(r.out);
	}
	r = run("", "stat --openmetrics pnic1");
	CHECK_EQ(r.status, 0);
	CHECK(!strstr(r.out, "pnic0"));
	CHECK(strstr(r.out, "pnic_lanes{device=\"pnic1\",state=\"failed\"} 23\n"));
	CHECK(strstr(r.out,
		     "pnic_link_map_generation{device=\"pnic1\",direction=\"receive\"} 12\n"));
	/* Cumulative, and the last is all. */
	CHECK(strstr(
		r.out,
		"remap_latency_seconds_bucket{device=\"pnic1\",le=\"1.000000000e-06\"} 123\n"));
	CHECK(strstr(r.out, "remap_latency_seconds_bucket{device=\"pnic1\",le=\"+Inf\"} 182\n"));
	CHECK(strstr(r.out,
		     "codeword_symbol_errors_bucket{device=\"pnic1\",le=\"1.0\"} 1050000000\n"));
	r = run("none", "stat openmetrics");
	CHECK_EQ(r.status, 0);
	CHECK(strstr(r.out, "# EOF\n"));
	r = run("nofamily", "stat openmetrics");
	CHECK_EQ(r.status, 1);
	CHECK_STREQ(r.out, "");
}

KTAP_TEST(batch)
{
	struct ran r;

	r = run("", "-b - <<'X'\n# a comment\n\ndev show 0 # and one behind\n"
		"'link' \"margin\" pnic1\nX");
	CHECK_EQ(r.status, 0);
	CHECK(strstr(r.out, "pnic0: degraded"));
	CHECK(strstr(r.out, "pnic1\n"));
	/* Stops at the first failure, and says which. */
	r = run("", "-b - <<'X'\ndev show pnic9\nlink margin 0\nX");
	CHECK_EQ(r.status, 1);
	CHECK(strstr(r.err, "Command failed -:1\n"));
	CHECK_STREQ(r.out, "");
	r = run("", "-force -b - <<'X'\ndev show pnic9\nlink margin 0\nnosuch\nX");
	CHECK_EQ(r.status, 2);
	CHECK(strstr(r.err, "Command failed -:3\n"));
	CHECK(strstr(r.out, "margin"));
	r = run("", "-b - <<'X'\ndev 'show\nX");
	CHECK_EQ(r.status, 1);
	CHECK(strstr(r.err, "Error: a quote is not closed"));
	r = run("", "-j -b - <<'X'\ndev 'show\nX");
	CHECK_STREQ(r.out, "[]\n");
}

KTAP_TEST(batch_files)
{
	struct ran r;

	r = run("", "-j -b - <<'X'\ndev show 0\nlink set 0 up\nX");
	CHECK_EQ(r.status, 0);
	/* One document a command. */
	CHECK(strstr(r.out, "]\n[]\n"));
	r = run("", "-b /nonexistent");
	check_error(&r, 1, "/nonexistent: No such file or directory");
}

KTAP_TEST(output_that_fails)
{
	struct ran r;

	r = run("", "dev show >/dev/full");
	check_error(&r, 1, "cannot write the output: No space left on device");
	/* A reader that has had enough is nobody's error. */
	r = run("", "-d lane show 0 | head -1; exit ${PIPESTATUS:-0}");
	CHECK_STREQ(r.err, "");
}

KTAP_TEST(netns)
{
	struct ran r;

	r = run("", "-N /nonexistent dev show");
	check_error(&r, 1, "network namespace /nonexistent: No such file or directory");
	r = run("", "-N nosuchns dev show");
	check_error(&r, 1, "network namespace nosuchns");
	r = run("", "-j -N nosuchns dev show");
	CHECK_STREQ(r.out, "[]\n");
}

KTAP_MAIN()
