// SPDX-License-Identifier: GPL-2.0
/*
 * The administrator's tool over the real driver: every command in text and JSON, what is refused
 * and how, who may what. Lanes that fail are in tool_lanes.
 */
#include <sched.h>
#include <sys/wait.h>

#include "device.h"
#include "ktap.h"
#include "tooltest.h"

#define WAIT_MS	60000

static void setup(void)
{
	need_cards(2);
}

/* Commands that change nothing. */
static const char *const looks[] = {
	"dev", "dev show pnic0", "dev show pnic1 -d", "link show", "link show pnic0 -s",
	"link margin pnic0", "lane show pnic0", "lane show pnic0 -d", "lane show 1 lane 3-17",
	"lane show pnic0 dir tx -d", "lane map pnic0", "lane map pnic0 dir tx",
	"lane set pnic0 lane 7 retire preview", "spare show pnic0", "policy show",
	"policy preview pnic0", "policy preview pnic0 retire 1e-3 grow 10s",
	"history show pnic0", "history show pnic0 since 1 -d", "stat show", "stat show pnic0 -s",
	"res show", "res show pnic0", "res show object", "res show pnic0 object region",
};

KTAP_TEST(looking)
{
	unsigned int i;
	struct ran r;
	json_t *v;

	setup();
	for (i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
		SUBTEST("%s", looks[i]) {
			r = tool("%s", looks[i]);
			CHECK_EQ(r.status, 0);
			CHECK_STREQ(r.err, "");
			CHECK(fits(r.out));
			v = tool_json("%s", looks[i]);
			CHECK(v);
			json_decref(v);
			/* Reading is free to everybody. */
			r = tool_nobody("-j %s", looks[i]);
			if (strncmp(looks[i], "lane set", 8))
				CHECK_EQ(r.status, 0);
		}
}

KTAP_TEST(devices)
{
	char pci[32];
	json_t *v;
	struct ran r;

	setup();
	REQUIRE_OK(dev_pci(1, pci, sizeof(pci)));
	v = tool_json("dev show");
	CHECK_GE(json_array_size(v), 2);
	CHECK_STREQ(word(v, "0.name"), "pnic0");
	CHECK_STREQ(word(v, "1.bus_info"), pci);
	CHECK_GT(number(v, "0.lanes_data"), 0);
	json_decref(v);
	/* By its PCI address, with and without the domain, and by its number. */
	v = tool_json("dev show %s", pci);
	CHECK_STREQ(word(v, "0.name"), "pnic1");
	json_decref(v);
	v = tool_json("dev show %s", pci + 5);
	CHECK_STREQ(word(v, "0.name"), "pnic1");
	json_decref(v);
	v = tool_json("dev show 1");
	CHECK_STREQ(word(v, "0.name"), "pnic1");
	json_decref(v);
	r = tool("-j dev show pnic99");
	CHECK_EQ(r.status, 1);
	CHECK_STREQ(r.out, "[]\n");
	CHECK(!strncmp(r.err, "Error: there is no device \"pnic99\"; there are pnic0, pnic1", 58));
	/* Our own namespace by another way; and one that there isn't. */
	r = tool("-N /proc/self/ns/net dev show");
	CHECK_EQ(r.status, 0);
	r = tool("-N nosuch dev show");
	CHECK_EQ(r.status, 1);
}

/* In a network namespace without cards there are none, and that is no error. */
KTAP_TEST(another_namespace)
{
	int ready[2], status;
	struct ran r;
	pid_t child;
	char c;

	setup();
	REQUIRE_OK(pipe(ready));
	child = fork();
	REQUIRE_OK(child);
	if (!child) {
		if (unshare(CLONE_NEWNET) || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	CHECK_EQ(read(ready[0], &c, 1), 1);
	close(ready[0]);
	r = tool("-N /proc/%d/ns/net -j dev show", child);
	CHECK_EQ(r.status, 0);
	CHECK_STREQ(r.out, "[]\n");
	r = tool("-N /proc/%d/ns/net lane show pnic0", child);
	CHECK_EQ(r.status, 1);
	CHECK(strstr(r.err, "there is no device \"pnic0\", nor any other"));
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
}

static uint32_t lanes(void)
{
	json_t *v = tool_json("dev show pnic0");
	uint32_t n = number(v, "0.lanes_data") + number(v, "0.lanes_spare");

	json_decref(v);
	return n;
}

/* Refused with the kernel's words: one line, status 1, and nothing on standard output. */
static void refused(struct ran r, const char *behind)
{
	const char *end = strchr(r.err, '\n');

	CHECK_EQ(r.status, 1);
	CHECK_STREQ(r.out, "");
	CHECK(!strncmp(r.err, "Error: ", 7) && strlen(r.err) > 9);
	CHECK(end && !end[1]);
	if (!strstr(r.err, behind))
		ktap_failed(__FILE__, __LINE__, "\"%s\" is not in \"%s\"", behind, r.err);
}

KTAP_TEST(refusals)
{
	json_t *before, *after;

	setup();
	before = tool_json("policy show pnic0");
	refused(tool("lane set pnic0 lane %u disable", lanes()), "[lane]");
	refused(tool("lane set pnic0 lane 3 test"), "");
	refused(tool("lane set pnic0 lane 3 retire generation 4000000000"), "[expect-generation]");
	refused(tool("policy set pnic0 watch 0.9"), "[watch-ppb]");
	refused(tool("policy set pnic0 grow 1s revision 4000000000"), "[revision]");
	refused(tool("policy preview pnic0 watch 0.9"), "[watch-ppb]");
	after = tool_json("policy show pnic0");
	CHECK(json_equal(before, after));
	json_decref(before);
	json_decref(after);
}

/* What changes something is the administrator's. */
KTAP_TEST(permission)
{
	static const char *const changes[] = {
		"link set pnic0 down", "link margin pnic0 take", "lane set pnic0 lane 3 retire",
		"lane undo pnic0", "policy set pnic0 grow 1s", "policy reset pnic0",
	};
	unsigned int i;

	setup();
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		SUBTEST("%s", changes[i])
			refused(tool_nobody("%s", changes[i]), "");
}

KTAP_TEST(policy)
{
	json_t *first, *v;
	struct ran r;

	setup();
	first = tool_json("policy show pnic0");
	r = tool("policy set pnic0 grow 6s watch 5e-5 revision %lld", number(first, "0.revision"));
	CHECK_EQ(r.status, 0);
	v = tool_json("policy show pnic0");
	CHECK_EQ(number(v, "0.grow_ms"), 6000);
	CHECK_EQ(number(v, "0.watch_ppb"), 50000);
	CHECK_EQ(number(v, "0.revision"), number(first, "0.revision") + 1);
	json_decref(v);
	/* The other card has its own. */
	v = tool_json("policy show pnic1");
	CHECK_NE(number(v, "0.grow_ms"), 6000);
	json_decref(v);
	v = tool_json("policy reset pnic0");
	CHECK_EQ(number(v, "0.grow_ms"), number(first, "0.grow_ms"));
	CHECK_EQ(number(v, "0.watch_ppb"), number(first, "0.watch_ppb"));
	json_decref(v);
	json_decref(first);
}

/* Knobs are kept, and come back as they were: also those that have been changed since. */
KTAP_TEST(policy_kept)
{
	json_t *first, *v;
	struct ran r;

	setup();
	first = tool_json("policy show pnic0");
	r = tool("policy set pnic0 grow 6s watch 5e-5");
	CHECK_EQ(r.status, 0);
	r = tool("policy save pnic0 /tmp/tool-policy");
	CHECK_EQ(r.status, 0);
	r = tool("policy set pnic0 grow 7s poll 2s");
	CHECK_EQ(r.status, 0);
	r = tool_nobody("policy load pnic0 /tmp/tool-policy");
	CHECK_EQ(r.status, 1);
	v = tool_json("policy load pnic0 /tmp/tool-policy");
	CHECK_EQ(number(v, "0.grow_ms"), 6000);
	CHECK_EQ(number(v, "0.watch_ppb"), 50000);
	CHECK_EQ(number(v, "0.poll_ms"), number(first, "0.poll_ms"));
	json_decref(v);
	/* Each is in range, but they contradict each other: the kernel refuses, and nothing changes. */
	CHECK_EQ(system("sed -i 's/\"calm-ms\": [0-9]*/\"calm-ms\": 3600000/' /tmp/tool-policy"), 0);
	r = tool("policy load pnic0 /tmp/tool-policy");
	CHECK_EQ(r.status, 1);
	v = tool_json("policy show pnic0");
	CHECK_EQ(number(v, "0.grow_ms"), 6000);
	json_decref(v);
	json_decref(first);
	unlink("/tmp/tool-policy");
	tool("policy reset pnic0");
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

KTAP_TEST(link_off_and_on)
{
	unsigned int i;
	struct ran r;
	json_t *v;

	setup();
	v = tool_json("link set pnic0 down");
	CHECK(v && !json_array_size(v));
	json_decref(v);
	CHECK(link_becomes("disabled"));
	for (i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		if (!strncmp(looks[i], "lane set", 8))
			continue;
		r = tool("-j %s", looks[i]);
		CHECK_EQ(r.status, 0);
		v = json_loads(r.out, 0, NULL);
		CHECK(json_is_array(v));
		json_decref(v);
	}
	r = tool("top -b 1 pnic0");
	CHECK_EQ(r.status, 0);
	CHECK(fits(r.out));
	r = tool("link set pnic0 up");
	CHECK_EQ(r.status, 0);
	CHECK(link_becomes("up"));
}

KTAP_TEST(resources)
{
	static char memory[1 << 16] __attribute__((aligned(4096)));
	struct pnic_ioc_mr_reg mr = {};
	bool found = false;
	json_t *v, *o;
	size_t i;
	int fd;

	setup();
	fd = dev_open(0);
	REQUIRE_OK(fd);
	REQUIRE_OK(dev_ctx(fd, 0));
	REQUIRE_OK(dev_mr(fd, memory, sizeof(memory), PNIC_MRF_LOCAL_WRITE, &mr));
	v = tool_json("res show pnic0");
	json_array_foreach(v, i, o)
		if (number(o, "pid") == getpid()) {
			found = true;
			CHECK_STREQ(word(o, "comm"), "tool");
			CHECK_EQ(number(o, "regions"), 1);
			CHECK_EQ(number(o, "pinned_bytes"), sizeof(memory));
		}
	CHECK(found);
	json_decref(v);
	found = false;
	v = tool_json("res show pnic0 object region");
	json_array_foreach(v, i, o)
		found |= number(o, "pid") == getpid() && number(o, "bytes") == sizeof(memory);
	CHECK(found);
	json_decref(v);
	close(fd);
}

static size_t grants_of(unsigned int partition, unsigned int uid)
{
	size_t i, n = 0;
	json_t *v, *o;

	v = tool_json("grant show pnic0");
	json_array_foreach(v, i, o)
		n += number(o, "partition") == partition && number(o, "uid") == uid;
	json_decref(v);
	return n;
}

KTAP_TEST(grants)
{
	struct ran r;

	setup();
	CHECK_EQ(grants_of(4711, 12345), 0);
	CHECK_EQ(tool("grant add pnic0 partition 4711 uid 12345").status, 0);
	CHECK_EQ(grants_of(4711, 12345), 1);
	r = tool("grant add pnic0 partition 4711 uid 12345");
	CHECK_EQ(r.status, 1);
	CHECK(strstr(r.err, "has that partition already"));
	r = tool_nobody("grant show");
	CHECK_EQ(r.status, 1);
	CHECK_EQ(tool_nobody("grant del pnic0 partition 4711 uid 12345").status, 1);
	CHECK_EQ(grants_of(4711, 12345), 1);
	CHECK_EQ(tool("grant del pnic0 partition 4711 uid 12345").status, 0);
	CHECK_EQ(grants_of(4711, 12345), 0);
	r = tool("grant del pnic0 partition 4711 uid 12345");
	CHECK_EQ(r.status, 1);
	CHECK(strstr(r.err, "was not granted that partition"));
}

KTAP_TEST(wrong_usage)
{
	static const char *const wrong[] = {
		"nosuch", "l", "lane nosuch", "lane show", "lane set pnic0 lane 3 explode",
		"link set pnic0 sideways", "policy set pnic0 watch 0", "top", "monitor nosuch",
	};
	unsigned int i;
	struct ran r;

	setup();
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		SUBTEST("%s", wrong[i]) {
			r = tool("%s", wrong[i]);
			CHECK_EQ(r.status, 2);
			CHECK_STREQ(r.out, "");
			CHECK(strchr(r.err, '\n') && !strchr(r.err, '\n')[1]);
		}
}

KTAP_TEST(batch)
{
	struct ran r;

	setup();
	r = tool("-j -b - <<'X'\ndev show\n# nothing\nlink margin pnic1\nX");
	CHECK_EQ(r.status, 0);
	CHECK(strstr(r.out, "}]\n[{\"dev\":\"pnic1\",\"margin\":"));
	r = tool("-b - <<'X'\ndev show pnic99\nlink margin pnic1\nX");
	CHECK_EQ(r.status, 1);
	CHECK_STREQ(r.out, "");
	CHECK(strstr(r.err, "Command failed -:1\n"));
}

KTAP_MAIN()
