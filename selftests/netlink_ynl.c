// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own netlink command line tool with our spec as it is: the schema holds, requests and
 * answers are coded as both sides mean them, and errors come with their words.
 *
 * The tool is what the kernel's source has in tools/net/ynl; PNIC_KSRC says where that is. The
 * spec lies beside this program, in spec/.
 */
#include <libgen.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "device.h"
#include "ktap.h"
#include "modelctl.h"
#include "nl.h"
#include "nltest.h"

#define KSRC	"/usr/src/pnic-kernel"

static struct nl_sock s;
static struct nl_msg m;
static struct nl_attrs a;
static char tree[64] = "/tmp/pnic-ynl-XXXXXX";
static char said[1 << 20];

static const char *ksrc(void)
{
	return getenv("PNIC_KSRC") ?: KSRC;
}

static void beside(char *path, size_t size)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	REQUIRE_OK(n);
	self[n] = 0;
	snprintf(path, size, "%s/spec/pnic.yaml", dirname(self));
}

static void make_link(const char *what, const char *where)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", tree, where);
	REQUIRE_OK(access(what, R_OK));
	REQUIRE_OK(symlink(what, path));
}

/* The tool finds the schema one directory above the spec. */
static void lay_out(void)
{
	char path[PATH_MAX];

	REQUIRE(mkdtemp(tree));
	snprintf(path, sizeof(path), "%s/specs", tree);
	REQUIRE_OK(mkdir(path, 0700));
	snprintf(path, sizeof(path), "%s/Documentation/netlink/genetlink.yaml", ksrc());
	make_link(path, "genetlink.yaml");
	beside(path, sizeof(path));
	make_link(path, "specs/pnic.yaml");
}

static void setup(void)
{
	char path[PATH_MAX];

	need_cards(2);
	snprintf(path, sizeof(path), "%s/tools/net/ynl/cli.py", ksrc());
	if (access(path, R_OK))
		SKIP("no %s: PNIC_KSRC says where the kernel's source is", path);
	if (s.family)
		return;
	REQUIRE_EQ(nl_open(&s), 0);
	lay_out();
}

/* Runs the tool; what it said is in said[], its exit status is the result. */
static int cli(const char *args)
{
	char cmd[2 * PATH_MAX];
	size_t n;
	FILE *p;

	snprintf(cmd, sizeof(cmd), "python3 %s/tools/net/ynl/cli.py --spec %s/specs/pnic.yaml --output-json %s 2>&1",
		 ksrc(), tree, args);
	p = popen(cmd, "r");
	REQUIRE(p);
	n = fread(said, 1, sizeof(said) - 1, p);
	said[n] = 0;
	return WEXITSTATUS(pclose(p));
}

static void says(const char *text)
{
	if (!strstr(said, text))
		ktap_failed(__FILE__, __LINE__, "\"%s\" is not in: %.600s", text, said);
}

static void says_str(const char *key, const char *value)
{
	char text[256];

	snprintf(text, sizeof(text), "\"%s\": \"%s\"", key, value);
	says(text);
}

static void says_num(const char *key, unsigned long long value)
{
	char text[256];

	snprintf(text, sizeof(text), "\"%s\": %llu", key, value);
	says(text);
}

static unsigned int occurrences(const char *text)
{
	const char *p = said;
	unsigned int n = 0;

	for (; (p = strstr(p, text)); p++)
		n++;
	return n;
}

KTAP_TEST(one_device)
{
	setup();
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_DEV_GET, 1, &a), 0);
	CHECK_EQ(cli("--do dev-get --json '{\"index\": 1}'"), 0);
	says_num("index", 1);
	says_str("name", "pnic1");
	says_str("serial", nl_str(&a, PNIC_A_DEV_SERIAL));
	says_num("guid", nl_num(&a, PNIC_A_DEV_GUID));
	says_num("lanes-data", nl_num(&a, PNIC_A_DEV_LANES_DATA));
	CHECK(strstr(said, "\"status\": \"ready\"") || strstr(said, "\"status\": \"degraded\""));
}

KTAP_TEST(links)
{
	setup();
	nltest_agreed(&s, &m, 0);
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_LINK_GET, 0, &a), 0);
	CHECK_EQ(cli("--dump link-get"), 0);
	CHECK_EQ(occurrences("\"width-max\""), 2);
	CHECK_EQ(occurrences("\"upto-ns\""), 2 * 15);
	says_str("status", "up");
	says_num("width-max", nl_num(&a, PNIC_A_LINK_WIDTH_MAX));
	says("\"agreed\": true");
	says_str("proto-state", "idle");
}

KTAP_TEST(some_lanes)
{
	setup();
	CHECK_EQ(cli("--dump lane-get --json '{\"dev-index\": 0, \"first\": 3, \"last\": 5}'"), 0);
	CHECK_EQ(occurrences("\"dev-index\": 0"), 3);
	says("\"index\": 3");
	says("\"index\": 5");
	says_str("direction", "rx");
	CHECK(strstr(said, "\"status\": \"active\"") || strstr(said, "\"status\": \"spare\""));
	CHECK(strstr(said, "\"power-cdb\": -") || strstr(said, "\"power-cdb\": "));
}

/* Knobs by name and nest. */
KTAP_TEST(a_plan_with_other_knobs)
{
	setup();
	CHECK_EQ(cli("--do plan-get --json '{\"dev-index\": 0, \"policy\": {\"calm-ms\": 1500}}'"), 0);
	says("\"preview\": true");
	says("\"margin-now\"");
	says("\"width-then\"");
}

KTAP_TEST(an_error)
{
	setup();
	CHECK_NE(cli("--do policy-set --json '{\"dev-index\": 0, \"fail-ppb\": 1}'"), 0);
	says("Invalid argument");
	says("the retire limit is past the fail limit");
	says("fail-ppb");
}

KTAP_MAIN()
