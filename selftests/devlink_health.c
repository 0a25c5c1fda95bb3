// SPDX-License-Identifier: GPL-2.0
/*
 * The devlink instance by the devlink command: what the card is, reload, and the health reporters:
 * what they say, what they keep of trouble, and that they mend it by the one reset path, or leave it
 * to the administrator who wants that.
 */
#include <sched.h>
#include <stdarg.h>
#include <sys/wait.h>

#include "pcitest.h"
#include "steer.h"
#include "tooltest.h"

static char handle[48];		/* "pci/0000:01:00.0" */

static void health_begin(void)
{
	char pci[32];

	pci_begin();
	setenv("PNIC_TOOL", "devlink", 1);
	if (system("command -v devlink >/dev/null"))
		SKIP("no devlink command");
	REQUIRE_OK(dev_pci(0, pci, sizeof(pci)));
	snprintf(handle, sizeof(handle), "pci/%s", pci);
}

/* The document that "devlink -j ARGUMENTS" gives; it lives until the next. */
__attribute__((format(printf, 1, 2)))
static json_t *devlink(const char *fmt, ...)
{
	static json_t *doc;
	char args[256];
	struct ran r;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(args, sizeof(args), fmt, ap);
	va_end(ap);
	json_decref(doc);
	r = tool("-j %s", args);
	doc = json_loads(r.out, 0, NULL);
	if (r.status || !doc) {
		ktap_failed(__FILE__, __LINE__, "devlink -j %s: status %d: %s%s", args, r.status, r.out, r.err);
		ktap_leave();
	}
	return doc;
}

/* A command that says nothing. */
__attribute__((format(printf, 1, 2)))
static void devlink_do(const char *fmt, ...)
{
	char args[256];
	struct ran r;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(args, sizeof(args), fmt, ap);
	va_end(ap);
	r = tool("%s", args);
	if (r.status)
		ktap_failed(__FILE__, __LINE__, "devlink %s: status %d: %s%s", args, r.status, r.out, r.err);
}

/* What "health show" says of @reporter. */
static json_t *reporter(const char *name)
{
	json_t *all = devlink("health show %s reporter %s", handle, name);
	json_t *list = json_object_get(json_object_get(all, "health"), handle);

	REQUIRE_EQ(json_array_size(list), 1);
	return json_array_get(list, 0);
}

static void wait_state(const char *name, const char *state)
{
	uint64_t end = now_ns() + PCI_WAIT_MS * 1000000ull;

	while (strcmp(word(reporter(name), "state"), state) && now_ns() < end)
		sleep_ms(20);
	CHECK_STREQ(word(reporter(name), "state"), state);
}

static long long reported(const char *name, const char *what)
{
	return number(reporter(name), what);
}

KTAP_TEST(info)
{
	struct pnic_ioc_info info;
	json_t *all;
	int fd;

	health_begin();
	fd = dev_open(0);
	REQUIRE_OK(fd);
	REQUIRE_OK(dev_info(fd, &info));
	close(fd);
	all = json_object_get(json_object_get(devlink("dev info %s", handle), "info"), handle);
	CHECK_STREQ(word(all, "driver"), "pnic");
	CHECK_STREQ(word(all, "serial_number"), info.serial);
	CHECK(*word(json_object_get(json_object_get(all, "versions"), "running"), "fw"));
	pci_end();
}

KTAP_TEST(diagnose)
{
	static const char *const names[] = { "fw_fatal", "admin", "lanes" };
	struct pnic_ioc_info info;
	unsigned int i;
	json_t *d;
	int fd;

	health_begin();
	for (i = 0; i < 3; i++)
		CHECK_STREQ(word(reporter(names[i]), "state"), "healthy");
	fd = dev_open(0);
	REQUIRE_OK(fd);
	REQUIRE_OK(dev_info(fd, &info));
	close(fd);
	d = devlink("health diagnose %s reporter fw_fatal", handle);
	CHECK_STREQ(word(d, "state"), "ready");
	CHECK_EQ(number(d, "epoch"), info.epoch);
	CHECK_EQ(number(d, "status"), 1);
	CHECK_EQ(number(d, "fatal_code"), 0);
	d = devlink("health diagnose %s reporter admin", handle);
	CHECK(json_is_true(json_object_get(d, "up")));
	CHECK_GT(number(d, "commands"), 0);
	CHECK_EQ(number(d, "timeouts"), 0);
	d = devlink("health diagnose %s reporter lanes", handle);
	CHECK(json_is_true(json_object_get(d, "up")));
	CHECK_EQ(number(d, "width_max"), info.lanes_data);
	CHECK_EQ(json_array_size(json_object_get(d, "alarms")), 0);
	/* What there is to be seen of a healthy card as well. */
	for (i = 0; i < 3; i++) {
		CHECK_GT(json_object_size(devlink("health dump show %s reporter %s", handle, names[i])), 1);
		devlink_do("health dump clear %s reporter %s", handle, names[i]);
	}
	pci_end();
}

/* A card that fails: reported, kept, recovered. */
KTAP_TEST(fatal)
{
	unsigned int i, n = pci_rounds(3);
	long long errors, recovered;
	struct life *l;
	struct raw_ep r;
	json_t *d;

	health_begin();
	NEED_MODEL();
	l = pci_life();
	errors = reported("fw_fatal", "error");
	recovered = reported("fw_fatal", "recover");
	for (i = 0; i < n; i++) {
		pci_witness(&r, 0);
		STEER("{\"cmd\":\"fatal\",\"nic\":0,\"code\":4,\"info\":%u}", 77 + i);
		pci_witness_over(&r, PNIC_EVT_RESET, EIO);
		pci_wait_serves(0);
		wait_state("fw_fatal", "healthy");
		CHECK_EQ(reported("fw_fatal", "error"), errors + i + 1);
		CHECK_EQ(reported("fw_fatal", "recover"), recovered + i + 1);
		/* The card as it was when it failed, not as it is now. */
		d = devlink("health dump show %s reporter fw_fatal", handle);
		CHECK_STREQ(word(d, "trouble"), "it reports a fatal error");
		CHECK_EQ(number(d, "registers.FATAL_CODE"), 4);
		CHECK_EQ(number(d, "registers.FATAL_INFO"), 77 + i);
		devlink_do("health dump clear %s reporter fw_fatal", handle);
		pci_life_resumes(l);
	}
	pci_life_over(l);
	pci_end();
}

/* A card that does not answer commands is the other reporter's. */
KTAP_TEST(admin)
{
	long long errors, fw_errors;
	struct raw_ep r;
	json_t *d;

	health_begin();
	NEED_MODEL();
	errors = reported("admin", "error");
	fw_errors = reported("fw_fatal", "error");
	pci_witness(&r, 0);
	STEER("{\"cmd\":\"drop_admin\",\"nic\":0,\"n\":1000}");
	CHECK_EQ(dev_cq(r.fd, 16, NULL), -1);
	pci_witness_over(&r, PNIC_EVT_RESET, EIO);
	STEER("{\"cmd\":\"drop_admin\",\"nic\":0,\"n\":0}");
	pci_wait_serves(0);
	wait_state("admin", "healthy");
	CHECK_GT(reported("admin", "error"), errors);
	CHECK_EQ(reported("fw_fatal", "error"), fw_errors);
	d = devlink("health dump show %s reporter admin", handle);
	CHECK_STREQ(word(d, "trouble"), "it does not answer commands");
	CHECK_GT(number(d, "timeouts"), 0);
	CHECK_GT(json_array_size(json_object_get(d, "last_commands")), 0);
	devlink_do("health dump clear %s reporter admin", handle);
	pci_end();
}

/* An administrator who wants to look first: the card stays down, whatever time passes, until he says so. */
KTAP_TEST(held)
{
	unsigned int i, n = pci_rounds(2);
	struct life *l;
	struct raw_ep r;
	long resets;
	json_t *d;

	health_begin();
	NEED_MODEL();
	devlink_do("health set %s reporter fw_fatal auto_recover false", handle);
	l = pci_life();
	for (i = 0; i < n; i++) {
		resets = driver_counter("resets");
		pci_witness(&r, 0);
		STEER("{\"cmd\":\"fatal\",\"nic\":0,\"code\":4,\"info\":5}");
		pci_witness_over(&r, PNIC_EVT_RESET, EIO);
		wait_state("fw_fatal", "error");
		if (!i)
			sleep_ms(7000);		/* longer than the driver waits before it tries by itself */
		CHECK_EQ(pci_serves(0), -1);
		d = devlink("health diagnose %s reporter fw_fatal", handle);
		CHECK_STREQ(word(d, "state"), "failed");
		CHECK(json_is_true(json_object_get(d, "held")));
		CHECK_EQ(driver_counter("resets"), resets);
		devlink_do("health recover %s reporter fw_fatal", handle);
		CHECK_OK(pci_serves(0));
		CHECK_STREQ(word(reporter("fw_fatal"), "state"), "healthy");
		CHECK_EQ(driver_counter("resets"), resets + 1);
		pci_life_resumes(l);
	}
	pci_life_over(l);
	devlink_do("health set %s reporter fw_fatal auto_recover true", handle);
	devlink_do("health dump clear %s reporter fw_fatal", handle);
	pci_end();
}

/* More than one way leads to the same reset path. */
KTAP_TEST(tried)
{
	static const char *const names[] = { "fw_fatal", "admin" };
	unsigned int i, n = pci_rounds(3);
	long long errors;
	struct life *l;
	struct raw_ep r;

	health_begin();
	l = pci_life();
	for (i = 0; i < n; i++) {
		errors = reported(names[i % 2], "error");
		pci_witness(&r, 0);
		devlink_do("health test %s reporter %s", handle, names[i % 2]);
		pci_witness_over(&r, PNIC_EVT_RESET, EIO);
		pci_wait_serves(0);
		wait_state(names[i % 2], "healthy");
		CHECK_EQ(reported(names[i % 2], "error"), errors + 1);
		devlink_do("health dump clear %s reporter %s", handle, names[i % 2]);
		pci_life_resumes(l);
	}
	pci_life_over(l);
	pci_end();
}

KTAP_TEST(reload)
{
	unsigned int i, n = pci_rounds(3);
	struct life *l;
	struct raw_ep r;
	long resets;

	health_begin();
	l = pci_life();
	resets = driver_counter("resets");
	for (i = 0; i < n; i++) {
		pci_witness(&r, 0);
		devlink_do("dev reload %s", handle);
		pci_witness_over(&r, PNIC_EVT_RESET, EIO);
		CHECK_OK(pci_serves(0));
		pci_life_resumes(l);
	}
	CHECK_EQ(driver_counter("resets"), resets + n);
	pci_life_over(l);
	pci_end();
}

KTAP_TEST(stays_in_its_namespace)
{
	struct raw_ep w;
	struct ran r;
	long resets;
	int fds[2];
	pid_t pid;
	char c;

	health_begin();
	resets = driver_counter("resets");
	pci_witness(&w, 0);
	REQUIRE_OK(pipe(fds));
	pid = fork();
	REQUIRE_GE(pid, 0);
	if (!pid) {
		c = unshare(CLONE_NEWNET) ? 'n' : 'y';
		if (write(fds[1], &c, 1) == 1)
			pause();
		_exit(1);
	}
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_EQ(c, 'y');
	r = tool("dev reload %s netns %d", handle, pid);
	CHECK(r.status);
	CHECK(strstr(r.err, "stays in its network namespace"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fds[0]);
	close(fds[1]);
	pci_witness_well(&w);
	CHECK_EQ(driver_counter("resets"), resets);
	pci_end();
}

/*
 * Alarms of the lanes are errors of their reporter, and cost no context; an administrator may have the
 * card reset for them.
 */
KTAP_TEST(lanes)
{
	struct pnic_ioc_info info;
	struct raw_ep r;
	unsigned int i;
	long resets;
	json_t *d;

	health_begin();
	NEED_MODEL();
	pci_witness(&r, 0);
	info = r.info;
	resets = driver_counter("resets");
	/* One more than there are spares. */
	for (i = 0; i <= info.lanes_spare; i++)
		STEER("{\"cmd\":\"kill\",\"nic\":0,\"lane\":%u}", 3 * i);
	wait_state("lanes", "error");
	CHECK_EQ(driver_counter("resets"), resets);
	d = devlink("health diagnose %s reporter lanes", handle);
	CHECK_GT(json_array_size(json_object_get(d, "alarms")), 0);
	d = devlink("health dump show %s reporter lanes", handle);
	CHECK_GT(json_array_size(json_object_get(d, "history")), 0);
	devlink_do("health dump clear %s reporter lanes", handle);
	CHECK_OK(raw_nop(&r, 2));
	STEER("{\"cmd\":\"heal\",\"nic\":0,\"lane\":\"all\"}");
	devlink_do("health recover %s reporter lanes", handle);
	pci_witness_over(&r, PNIC_EVT_RESET, EIO);
	CHECK_EQ(driver_counter("resets"), resets + 1);
	wait_state("lanes", "healthy");
	pci_end();
}

KTAP_MAIN()
