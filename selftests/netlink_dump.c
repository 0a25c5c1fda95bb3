// SPDX-License-Identifier: GPL-2.0
/*
 * Dumps of the netlink family while things change: a dump of lanes is one snapshot, others say that they
 * were interrupted, and nothing that goes away meanwhile does harm.
 */
#include <limits.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "device.h"
#include "bench/figure.h"
#include "modelctl.h"
#include "nl.h"
#include "nltest.h"

static struct nl_sock s;
static struct nl_msg m;
static struct nl_attrs a;
static uint32_t total;

static void setup(void)
{
	need_cards(2);
	if (!s.family) {
		REQUIRE_EQ(nl_open(&s), 0);
		REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_DEV_GET, 0, &a), 0);
		total = nl_num(&a, PNIC_A_DEV_LANES_DATA) + nl_num(&a, PNIC_A_DEV_LANES_SPARE);
	}
	nltest_agreed(&s, &m, 0);
	nltest_agreed(&s, &m, 1);
}

/* How often the driver looks at the lanes by itself; 0: as by default. */
static void poll_ms(uint32_t dev, uint32_t ms)
{
	nl_begin(&m, PNIC_CMD_POLICY_SET);
	nl_put_u32(&m, PNIC_A_POLICY_DEV_INDEX, dev);
	if (ms)
		nl_put_u32(&m, PNIC_A_POLICY_POLL_MS, ms);
	else
		nl_put_flag(&m, PNIC_A_POLICY_RESET);
	REQUIRE_EQ(nl_do(&s, &m, NULL), 0);
}

static void begin_lanes(int dev)
{
	nl_begin(&m, PNIC_CMD_LANE_GET);
	if (dev >= 0)
		nl_put_u32(&m, PNIC_A_LANE_DEV_INDEX, dev);
}

/* ---- one snapshot ---- */

static long tables(void)
{
	return driver_counter("lane_tables");
}

/* Waits until the driver has stopped looking at lanes. */
static bool quiet(void)
{
	unsigned int i;

	for (i = 0; i < 100; i++) {
		long before = tables();

		sleep_ms(500);
		if (tables() == before)
			return true;
	}
	return false;
}

/* Lane tables read for a dump of one device, or of all: the fewest of some, as the driver looks at lanes by itself now and then. */
static long tables_of_dump(int dev, uint64_t *ns)
{
	long before, n, least = LONG_MAX;
	unsigned int tries;
	uint64_t t;

	for (tries = 0; tries < 5 && least > (dev < 0 ? 2 : 1); tries++) {
		before = tables();
		begin_lanes(dev);
		t = now_ns();
		CHECK_EQ(nl_dump(&s, &m, NULL, NULL), 0);
		*ns = now_ns() - t;
		n = tables() - before;
		least = n < least ? n : least;
	}
	return least;
}

KTAP_TEST(one_table)
{
	uint64_t best = UINT64_MAX, t;
	unsigned int i;
	long n = 0;

	setup();
	poll_ms(0, 3600000);
	poll_ms(1, 3600000);
	REQUIRE(quiet());
	for (i = 0; i < 20; i++) {
		n = tables_of_dump(0, &t);
		CHECK_EQ(n, 1);
		CHECK_EQ(s.answers, total);
		best = t < best ? t : best;
	}
	figure("dump_lanes", total, "lanes of a full dump by netlink");
	figure("dump_ms", best / 1e6, "ms of it in the guest, best of 20, emulated processor; at most 5");
	figure("dump_tables", n, "lane tables read from the card for it; one");
	SUBTEST("two devices, two tables") {
		CHECK_EQ(tables_of_dump(-1, &t), 2);
		CHECK_EQ(s.answers, 2 * total);
	}
	poll_ms(0, 0);
	poll_ms(1, 0);
}

static uint8_t shown[4096];

static void take_lane(const struct nl_attrs *l, void *arg)
{
	(void)arg;
	shown[nl_num(l, PNIC_A_LANE_INDEX)] = nl_num(l, PNIC_A_LANE_STATUS);
}

/* Lanes die while the dump is being read: it tells of the moment at which it began. */
KTAP_TEST(lanes_change_meanwhile)
{
	uint8_t before[4096];
	int err;

	setup();
	NEED_MODEL();
	begin_lanes(0);
	REQUIRE_EQ(nl_dump(&s, &m, take_lane, NULL), 0);
	memcpy(before, shown, sizeof(shown));
	memset(shown, 0, sizeof(shown));
	begin_lanes(0);
	REQUIRE_EQ(nl_dump_begin(&s, &m), 0);
	REQUIRE_EQ(nl_dump_next(&s, take_lane, NULL), 0);
	STEER("{\"cmd\":\"kill\",\"nic\":0,\"lane\":[%u,%u,%u]}", total - 1, total - 2, total - 3);
	sleep_ms(300);
	do
		err = nl_dump_next(&s, take_lane, NULL);
	while (!err);
	CHECK_EQ(err, 1);
	CHECK_EQ(s.answers, total);
	CHECK(!memcmp(before, shown, total));
	CHECK(!s.interrupted);
	REQUIRE(nltest_wait_lane(&s, &m, 0, total - 1, PNIC_LANE_STATUS_FAILED));
	STEER("{\"cmd\":\"heal\",\"nic\":0,\"lane\":\"all\"}");
	nltest_agreed(&s, &m, 0);
}

/* What processes do with a device is no change of its lanes. */
KTAP_TEST(device_opened_meanwhile)
{
	int dev, err, fd;

	setup();
	for (dev = -1; dev < 1; dev++) {
		begin_lanes(dev);
		REQUIRE_EQ(nl_dump_begin(&s, &m), 0);
		REQUIRE_EQ(nl_dump_next(&s, NULL, NULL), 0);
		fd = dev_open(0);
		REQUIRE_OK(fd);
		do
			err = nl_dump_next(&s, NULL, NULL);
		while (!err);
		CHECK_EQ(err, 1);
		CHECK(!s.interrupted);
		close(fd);
	}
}

/* ---- devices that go ---- */

static void bind_driver(bool bind, uint32_t dev, char *pci)
{
	if (!bind)
		REQUIRE_OK(dev_pci(dev, pci, 32));
	REQUIRE_OK(write_file(bind ? "/sys/bus/pci/drivers/pnic/bind" : "/sys/bus/pci/drivers/pnic/unbind",
			      pci));
}

static unsigned int of_dev[2];

static void count_dev(const struct nl_attrs *l, void *arg)
{
	(void)arg;
	of_dev[nl_num(l, PNIC_A_DEV_INDEX) & 1]++;
}

static void go_on(int *err)
{
	do
		*err = nl_dump_next(&s, count_dev, NULL);
	while (!*err);
}

KTAP_TEST(device_goes_meanwhile)
{
	uint32_t gone;
	char pci[32];
	int err;

	setup();
	for (gone = 0; gone < 2; gone++) {
		SUBTEST("device %u", gone) {
			memset(of_dev, 0, sizeof(of_dev));
			begin_lanes(-1);
			REQUIRE_EQ(nl_dump_begin(&s, &m), 0);
			REQUIRE_EQ(nl_dump_next(&s, count_dev, NULL), 0);
			bind_driver(false, gone, pci);
			go_on(&err);
			CHECK_EQ(err, 1);
			CHECK(s.interrupted);
			/* The snapshot that was begun is told to its end. */
			CHECK_EQ(of_dev[0], total);
			CHECK_EQ(of_dev[1], gone ? 0 : total);
			bind_driver(true, gone, pci);
			nltest_agreed(&s, &m, 0);
			nltest_agreed(&s, &m, 1);
		}
	}
}

/* A dump that nobody reads to its end. */
KTAP_TEST(dump_left_alone)
{
	struct nl_sock other;
	unsigned int i;

	setup();
	for (i = 0; i < 50; i++) {
		REQUIRE_EQ(nl_open(&other), 0);
		begin_lanes(-1);
		REQUIRE_EQ(nl_dump_begin(&other, &m), 0);
		if (i & 1)
			CHECK_EQ(nl_dump_next(&other, NULL, NULL), 0);
		nl_close(&other);
	}
}

/* ---- objects that come and go ---- */

#define REGIONS		1500

static void each_object(const struct nl_attrs *o, void *arg)
{
	*(unsigned int *)arg += nl_num(o, PNIC_A_OBJECT_PID) == (uint64_t)getpid();
}

KTAP_TEST(objects_change_meanwhile)
{
	static struct pnic_ioc_mr_reg mr[REGIONS + 1];
	unsigned int i, n = 0;
	int fd, err = 0;
	void *mem;

	setup();
	fd = dev_open(0);
	REQUIRE_OK(fd);
	REQUIRE_OK(dev_ctx(fd, 0));
	mem = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(mem != MAP_FAILED);
	for (i = 0; i < REGIONS; i++)
		REQUIRE_OK(dev_mr(fd, mem, 4096, 0, &mr[i]));
	SUBTEST("in peace") {
		nl_begin(&m, PNIC_CMD_OBJECT_GET);
		REQUIRE_EQ(nl_dump(&s, &m, each_object, &n), 0);
		CHECK_EQ(n, REGIONS + 1);
		CHECK(!s.interrupted);
	}
	SUBTEST("one more") {
		n = 0;
		nl_begin(&m, PNIC_CMD_OBJECT_GET);
		REQUIRE_EQ(nl_dump_begin(&s, &m), 0);
		REQUIRE_EQ(nl_dump_next(&s, each_object, &n), 0);
		REQUIRE_OK(dev_mr(fd, mem, 4096, 0, &mr[REGIONS]));
		while (!err)
			err = nl_dump_next(&s, each_object, &n);
		CHECK_EQ(err, 1);
		CHECK(s.interrupted);
		CHECK_GE(n, REGIONS + 1);
	}
	SUBTEST("the file is closed") {
		n = 0;
		nl_begin(&m, PNIC_CMD_OBJECT_GET);
		REQUIRE_EQ(nl_dump_begin(&s, &m), 0);
		REQUIRE_EQ(nl_dump_next(&s, each_object, &n), 0);
		close(fd);
		do
			err = nl_dump_next(&s, each_object, &n);
		while (!err);
		CHECK_EQ(err, 1);
		CHECK(s.interrupted);
		CHECK_LT(n, REGIONS + 1);
	}
	munmap(mem, 4096);
}

#define GRANTS		3000

static int grant(uint8_t cmd, uint32_t uid)
{
	nl_begin(&m, cmd);
	nl_put_u32(&m, PNIC_A_GRANT_DEV_INDEX, 0);
	nl_put_u32(&m, PNIC_A_GRANT_PARTITION, 11);
	nl_put_u32(&m, PNIC_A_GRANT_UID, uid);
	return nl_do(&s, &m, NULL);
}

KTAP_TEST(grants_change_meanwhile)
{
	struct nl_sock other;
	unsigned int i;
	int err;

	setup();
	REQUIRE_EQ(nl_open(&other), 0);
	for (i = 0; i < GRANTS; i++)
		REQUIRE_EQ(grant(PNIC_CMD_GRANT_ADD, 10000 + i), 0);
	nl_begin(&m, PNIC_CMD_GRANT_GET);
	REQUIRE_EQ(nl_dump(&other, &m, NULL, NULL), 0);
	CHECK(!other.interrupted);
	CHECK_EQ(other.answers, GRANTS);
	nl_begin(&m, PNIC_CMD_GRANT_GET);
	REQUIRE_EQ(nl_dump_begin(&other, &m), 0);
	REQUIRE_EQ(nl_dump_next(&other, NULL, NULL), 0);
	REQUIRE_EQ(grant(PNIC_CMD_GRANT_DEL, 10000 + GRANTS - 1), 0);
	do
		err = nl_dump_next(&other, NULL, NULL);
	while (!err);
	CHECK_EQ(err, 1);
	CHECK(other.interrupted);
	for (i = 0; i < GRANTS - 1; i++)
		CHECK_EQ(grant(PNIC_CMD_GRANT_DEL, 10000 + i), 0);
	nl_close(&other);
}

/* ---- everything at once ---- */

#define DUMPERS		3

static const uint8_t dumps[] = {
	PNIC_CMD_DEV_GET, PNIC_CMD_LINK_GET, PNIC_CMD_LANE_GET, PNIC_CMD_POLICY_GET,
	PNIC_CMD_HISTORY_GET, PNIC_CMD_COUNTERS_GET, PNIC_CMD_RES_GET, PNIC_CMD_OBJECT_GET,
};

static void ask_about(uint32_t dev)
{
	static const uint8_t cmds[] = {
		PNIC_CMD_DEV_GET, PNIC_CMD_LINK_GET, PNIC_CMD_POLICY_GET, PNIC_CMD_CABLE_GET,
		PNIC_CMD_COUNTERS_GET, PNIC_CMD_PLAN_GET,
	};
	unsigned int i;

	for (i = 0; i < sizeof(cmds); i++) {
		int err = nltest_get(&s, &m, cmds[i], dev, &a);

		CHECK(!err || err == -EIO || err == -ENODEV || err == -EBUSY);
	}
}

static void dump_until(uint64_t end)
{
	unsigned int i, n = 0;

	REQUIRE_EQ(nl_open(&s), 0);
	while (now_ns() < end) {
		for (i = 0; i < sizeof(dumps); i++) {
			nl_begin(&m, dumps[i]);
			CHECK_EQ(nl_dump(&s, &m, NULL, NULL), 0);
			n++;
		}
		ask_about(0);
		ask_about(1);
	}
	CHECK_GT(n, 0);
}

static void disturb(void)
{
	char pci[32];

	STEER("{\"cmd\":\"kill\",\"nic\":0,\"lane\":[3,4,5,300]}");
	sleep_ms(100);
	REQUIRE_OK(nltest_reset(0));
	STEER("{\"cmd\":\"heal\",\"nic\":0,\"lane\":\"all\"}");
	sleep_ms(100);
	bind_driver(false, 1, pci);
	sleep_ms(50);
	bind_driver(true, 1, pci);
	sleep_ms(200);
}

/* Resets, devices that go and come, lanes that die; three processes ask for everything all the time. */
KTAP_TEST(everything_at_once)
{
	uint64_t end = now_ns() + 20000000000ull;
	pid_t pid[DUMPERS];
	unsigned int i;
	int status;

	setup();
	NEED_MODEL();
	for (i = 0; i < DUMPERS; i++) {
		pid[i] = ktap_fork();
		REQUIRE_OK(pid[i]);
		if (!pid[i]) {
			dump_until(end);
			ktap_child_exit();
		}
	}
	while (now_ns() < end)
		disturb();
	for (i = 0; i < DUMPERS; i++) {
		REQUIRE_EQ(waitpid(pid[i], &status, 0), pid[i]);
		CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
	}
	nltest_agreed(&s, &m, 0);
	nltest_agreed(&s, &m, 1);
}

KTAP_MAIN()
