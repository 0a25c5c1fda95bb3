// SPDX-License-Identifier: GPL-2.0
/* What is kept of a cable: written whole or not at all; read back only if all is right. */
#include <dirent.h>
#include <sys/stat.h>

#include "selftests/ktap.h"

#include "names.h"
#include "run.h"

static char dir[64];

static void make_dir(void)
{
	strcpy(dir, "/tmp/pnic-history-XXXXXX");
	REQUIRE(mkdtemp(dir));
}

static void remove_dir(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	CHECK_EQ(system(command), 0);
}

static unsigned int files_there(void)
{
	DIR *d = opendir(dir);
	unsigned int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

KTAP_TEST(save_and_load)
{
	json_t *v, *records;
	struct stat st;
	char path[256];
	struct ran r;

	make_dir();
	r = run("", "history save 0 %s/a", dir);
	CHECK_EQ(r.status, 0);
	CHECK(strstr(r.out, "cable CB-0042/A, 3 lanes with a record"));
	/* In a directory: by the serial number, and what a name can't have is spelled out. */
	r = run("", "history save 0 %s", dir);
	CHECK_EQ(r.status, 0);
	snprintf(path, sizeof(path), "%s/CB-0042%%2FA.json", dir);
	REQUIRE_EQ(stat(path, &st), 0);
	CHECK_EQ(st.st_mode & 0777, 0644);
	CHECK_EQ(files_there(), 2);
	v = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	REQUIRE(v);
	CHECK_STREQ(json_string_value(json_object_get(v, "format")), "pnic-history");
	CHECK_EQ(json_integer_value(json_object_get(v, "version")), 1);
	CHECK_STREQ(json_string_value(json_object_get(v, "cable_serial")), "CB-0042/A");
	CHECK_EQ(json_integer_value(json_object_get(v, "lanes")), 460);
	records = json_object_get(v, "records");
	CHECK_EQ(json_array_size(records), 3);
	CHECK(json_is_true(json_object_get(json_array_get(records, 2), "known_bad")));
	CHECK_EQ(json_array_size(json_object_get(v, "history")), 16);
	json_decref(v);
	r = run("", "history load 1 %s", dir);
	CHECK_EQ(r.status, 0);
	r = run("", "-j history load 1 %s/a", dir);
	v = ran_json(&r, 1);
	CHECK_EQ(json_integer_value(json_object_get(json_array_get(v, 0), "records")), 3);
	json_decref(v);
	remove_dir();
}

/* What was there before stays whole, and nothing is left over. */
KTAP_TEST(save_fails)
{
	struct ran r;

	make_dir();
	r = run("", "history save 0 %s/no/such/dir", dir);
	CHECK_EQ(r.status, 1);
	CHECK(strstr(r.err, "No such file or directory"));
	r = run("", "history save 0 %s/x; ulimit -f 1; " FAKE " history save 0 %s/x", dir, dir);
	CHECK_EQ(r.status, 1);
	CHECK(strstr(r.err, "File too large"));
	CHECK_EQ(files_there(), 1);
	r = run("", "history load 0 %s/x", dir);
	CHECK_EQ(r.status, 0);
	remove_dir();
}

/* Files that are refused, made out of a good one by sed(1). */
static const struct {
	const char *name, *sed, *text;
} bad[] = {
	{ "another cable", "s/CB-0042/CB-0043/",
	  "of the cable \"CB-0043/A\", but \"CB-0042/A\" is plugged in" },
	{ "another version", "s/\"version\": 1/\"version\": 2/",
	  "of version 2, this tool reads version 1" },
	{ "another format", "s/pnic-history/something/", "no file that history save has written" },
	{ "other lanes", "s/\"lanes\": 460/\"lanes\": 20/", "of 20 lanes, but the link has 460" },
	{ "no records", "s/\"records\"/\"recards\"/", "has no \"records\"" },
	{ "records are no array", "s/\"records\": \\[/\"records\": 5, \"x\": [/",
	  "has no \"records\"" },
	{ "lane out of range", "s/\"lane\": 6/\"lane\": 460/", "\"lane\" is none of 0 to 459" },
	{ "lane is negative", "s/\"lane\": 6/\"lane\": -1/", "\"lane\" is none of 0 to 459" },
	{ "lane is text", "s/\"lane\": 6/\"lane\": \"6\"/", "\"lane\" is none of 0 to 459" },
	{ "lane twice", "s/\"lane\": 6/\"lane\": 3/", "a second one of lane 3" },
	{ "losses", "s/\"losses\": 2/\"losses\": 65536/", "\"losses\" is not 0 to 65535" },
	{ "age", "s/\"age_hours\": 100/\"age_hours\": 1e99/", "\"age_hours\" is no number" },
	{ "known_bad", "s/\"known_bad\": true/\"known_bad\": 1/",
	  "\"known_bad\" is neither true nor false" },
	{ "a key twice", "s/\"version\": 1,/\"version\": 1, \"version\": 1,/", "damaged" },
	{ "truncated", "10q", "truncated or damaged" },
	{ "empty", "d", "truncated or damaged" },
	{ "more behind", "$s/$/ {}/", "truncated or damaged" },
	{ "no JSON", "s/.*/xyz/", "truncated or damaged" },
	{ "an array", "1,$c[]", "no file that history save has written" },
};

KTAP_TEST(load_refuses)
{
	unsigned int i;
	struct ran r;

	make_dir();
	r = run("", "history save 0 %s/good", dir);
	REQUIRE_EQ(r.status, 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		SUBTEST("%s", bad[i].name) {
			char command[512];

			snprintf(command, sizeof(command), "sed '%s' %s/good >%s/bad", bad[i].sed,
				 dir, dir);
			CHECK_EQ(system(command), 0);
			r = run("", "history load 0 %s/bad", dir);
			CHECK_EQ(r.status, 1);
			CHECK_STREQ(r.out, "");
			if (!strstr(r.err, bad[i].text))
				ktap_failed(__FILE__, __LINE__, "wanted \"%s\": %s", bad[i].text,
					    r.err);
			/* One line. */
			CHECK(strchr(r.err, '\n') && !strchr(r.err, '\n')[1]);
		}
	remove_dir();
}

KTAP_TEST(truncated_anywhere)
{
	char command[256];
	unsigned int n;
	struct ran r;

	make_dir();
	r = run("", "history save 0 %s/good", dir);
	for (n = 0; n < 800; n += 53) {
		snprintf(command, sizeof(command), "head -c %u %s/good >%s/cut", n, dir, dir);
		CHECK_EQ(system(command), 0);
		r = run("", "history load 0 %s/cut", dir);
		CHECK_EQ(r.status, 1);
		CHECK(strstr(r.err, "truncated or damaged"));
	}
	remove_dir();
}

KTAP_TEST(no_file)
{
	struct ran r;

	make_dir();
	r = run("", "history load 0 %s/none", dir);
	CHECK_EQ(r.status, 1);
	CHECK(strstr(r.err, "No such file or directory"));
	/* The cable's own file is looked for. */
	r = run("foreign", "history load 0 %s", dir);
	CHECK(strstr(r.err, "/CB-9999.json: No such file or directory"));
	r = run("", "history load 0 /dev/zero");
	CHECK_EQ(r.status, 1);
	CHECK(strstr(r.err, "no file that history save has written"));
	r = run("user", "history save 0 %s/x", dir);
	CHECK_EQ(r.status, 0);
	r = run("user", "history load 0 %s/x", dir);
	CHECK_EQ(r.status, 1);
	CHECK(strstr(r.err, "Operation not permitted"));
	remove_dir();
}

KTAP_MAIN()
