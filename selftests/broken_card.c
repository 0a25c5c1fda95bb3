// SPDX-License-Identifier: GPL-2.0
/*
 * A card that doesn't do what it should: it freezes, loses completions and interrupts,
 * writes nonsense into entries, fails, lies about itself, is pulled out. The kernel says what is
 * wrong, nothing hangs or leaks, and as soon as the card behaves it works again.
 *
 * Needs the model's control port, and removes and inserts the module.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "device.h"
#include "klog.h"
#include "ktap.h"
#include "steer.h"
#include "traffic.h"

#define WAIT_MS		20000
#define RECOVER_MS	60000	/* from the end of the fault until the card serves again */
#define CALL_NS		30000000000ull	/* no call takes longer, whatever the card does */
#define DRIVER		"/sys/bus/pci/drivers/pnic/"

static struct resources before;

/* The card serves: a context with its queues can be made and does work. */
static bool serves(unsigned int nic)
{
	struct raw_ep r;
	bool ok;

	if (raw_open(&r, nic))
		return false;
	ok = !raw_nop(&r, 1);
	raw_close(&r);
	return ok;
}

static void recovered(unsigned int nic)
{
	uint64_t t = now_ns();
	bool ok;

	do {
		ok = serves(nic);
		if (!ok)
			sleep_ms(100);
	} while (!ok && now_ns() - t < RECOVER_MS * 1000000ull);
	CHECK(ok);
	ktap_say("served again after %llu ms", (unsigned long long)(now_ns() - t) / 1000000);
}

static void begin(void)
{
	need_cards(2);
	NEED_MODEL();
	recovered(0);
	REQUIRE_OK(resources_read(&before));
}

static void nothing_left(void)
{
	struct resources now;

	if (!resources_settle(&before, &now, 10000))
		ktap_failed(__FILE__, __LINE__, "something is left; before:\n%safter:\n%s", before.text, now.text);
}

/* Says whether a message of the driver at level warning or worse came, and prints it. */
static bool klog_complains(int fd)
{
	char rec[8192];
	bool found = false;
	const char *text;
	ssize_t n;
	int level;

	while ((n = read(fd, rec, sizeof(rec) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		if (n < 0)
			continue;
		rec[n] = 0;
		level = atoi(rec) & 7;
		text = strchr(rec, ';');
		if (!text || level > 4 || !strstr(text, "pnic"))
			continue;
		text++;
		if (!found)
			ktap_say("kernel: %.*s", (int)strcspn(text, "\n"), text);
		found = true;
	}
	close(fd);
	return found;
}

/* A call on a card that is in trouble: no matter which error, but soon. */
static int timed_call(int (*call)(int fd), int fd)
{
	uint64_t t = now_ns();
	int r = call(fd), err = errno;

	CHECK_LT(now_ns() - t, CALL_NS);
	errno = err;
	return r;
}

static int make_cq(int fd)
{
	return dev_cq(fd, 16, NULL);
}

KTAP_TEST(frozen)
{
	int fd, log, r, err;

	begin();
	log = klog_open();
	REQUIRE_OK(log);
	fd = dev_open(0);
	REQUIRE_OK(fd);
	REQUIRE_OK(dev_ctx(fd, 0));
	STEER("{\"cmd\":\"freeze\",\"nic\":0,\"on\":true}");
	r = timed_call(make_cq, fd);
	err = errno;
	CHECK_EQ(r, -1);
	if (err != ETIMEDOUT)
		CHECK_EQ(err, EIO);
	STEER("{\"cmd\":\"freeze\",\"nic\":0,\"on\":false}");
	recovered(0);
	CHECK(klog_complains(log));
	/* The context of before the reset is dead and was told. */
	CHECK_EQ(dev_event(fd, PNIC_EVT_RESET, WAIT_MS, NULL), 0);
	CHECK_ERRNO(dev_cq(fd, 16, NULL), EIO);
	close(fd);
	nothing_left();
}

/* Frozen while a process ends: close() comes back. */
KTAP_TEST(closed_while_frozen)
{
	struct raw_ep r;
	uint64_t t;

	begin();
	REQUIRE_OK(raw_open(&r, 0));
	REQUIRE_OK(dev_mr(r.fd, &r, sizeof(r), 0, NULL));
	STEER("{\"cmd\":\"freeze\",\"nic\":0,\"on\":true}");
	t = now_ns();
	raw_close(&r);
	CHECK_LT(now_ns() - t, 2 * CALL_NS);
	STEER("{\"cmd\":\"freeze\",\"nic\":0,\"on\":false}");
	recovered(0);
	nothing_left();
}

/* Completions that never come: the call ends, and what it may have made on the card is found again. */
#define LOST		3
#define TIMEOUT_MS	12000		/* of a command and its repetition, and some */

/* What was lost may have been the lane manager's: its time-out must not fall into somebody else's test. */
static void timed_out(long before)
{
	uint64_t end = now_ns() + ktap_slow() * TIMEOUT_MS * 1000000ull;

	while (driver_counter("admin_timeouts") < before + LOST && now_ns() < end)
		sleep_ms(100);
	recovered(0);
}

KTAP_TEST(admin_completion_lost)
{
	long timeouts;
	unsigned int i;
	int fd, r;

	begin();
	timeouts = driver_counter("admin_timeouts");
	for (i = 0; i < LOST; i++) {
		fd = dev_open(0);
		REQUIRE_OK(fd);
		REQUIRE_OK(dev_ctx(fd, 0));
		STEER("{\"cmd\":\"drop_admin\",\"nic\":0,\"n\":1}");
		r = timed_call(make_cq, fd);
		if (r)
			CHECK(errno == ETIMEDOUT || errno == EIO);
		close(fd);
		recovered(0);
	}
	timed_out(timeouts);
	CHECK_GT(driver_counter("admin_timeouts"), timeouts);
	nothing_left();
}

static long lost_interrupts(void)
{
	return driver_counter("lost_interrupts");
}

/* Lost interrupts are no errors: somebody looks. */
KTAP_TEST(interrupt_lost)
{
	unsigned int i;
	uint64_t t;
	long lost;
	int fd;

	begin();
	lost = lost_interrupts();
	fd = dev_open(0);
	REQUIRE_OK(fd);
	REQUIRE_OK(dev_ctx(fd, 0));
	for (i = 0; i < 5; i++) {
		STEER("{\"cmd\":\"drop_irq\",\"nic\":0,\"n\":1}");
		t = now_ns();
		CHECK_OK(dev_cq(fd, 16, NULL));
		CHECK_LT(now_ns() - t, CALL_NS);
	}
	CHECK_ERRNO(dev_ctx(fd, 0), EEXIST);	/* no reset was needed */
	CHECK_GT(lost_interrupts(), lost);
	close(fd);
	nothing_left();
}

KTAP_TEST(completion_interrupt_lost)
{
	const struct end_attr attr = { .size = 4096 };
	struct pollfd pfd = { .events = POLLIN };
	struct end a;
	uint64_t i;

	begin();
	REQUIRE_EQ(end_open(&a, 0, &attr), 0);
	for (i = 0; i < 3; i++) {
		REQUIRE_EQ(pnic_arm(a.cq), 0);
		STEER("{\"cmd\":\"drop_irq\",\"nic\":0,\"n\":1}");
		REQUIRE_EQ(pnic_post_write(a.ep, a.addr, a.mem, 8, a.mr->key, (uintptr_t)a.mem + 64, a.mr->key, i,
					   PNIC_SQF_SIGNALED), 0);
		pnic_ring(a.ep);
		/* Not by spinning: by the descriptor that is signalled. */
		pfd.fd = pnic_cq_fd(a.cq);
		REQUIRE_EQ(poll(&pfd, 1, WAIT_MS), 1);
		CHECK_EQ(read(pfd.fd, &(uint64_t) { 0 }, 8), 8);
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_OK);
	}
	STEER("{\"cmd\":\"drop_irq\",\"nic\":0,\"n\":0}");
	end_close(&a);
	nothing_left();
}

static void provoke(int fd)
{
	struct raw_ep r;
	unsigned int i;

	/* Admin completions, events and completions of all kinds; each may fail, none may hang. */
	for (i = 0; i < 4; i++) {
		timed_call(make_cq, fd);
		if (!raw_open(&r, 0)) {
			r.db[r.cq.db_slot] = PNIC_DB_CQ_ARM | r.cq_head;
			raw_nop(&r, 7);
			dev_event(r.fd, PNIC_EVT_CQ, 200, NULL);
			raw_close(&r);
		}
	}
}

/* Nonsense in one field of some entries. */
KTAP_TEST(garbled_entries)
{
	static const char *const what[] = { "acqe_cid", "acqe_status", "eqe_type", "eqe_id", "cqe" };
	unsigned int i;
	int fd, log;

	for (i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
		begin();
		SUBTEST("%s", what[i]) {
			log = klog_open();
			REQUIRE_OK(log);
			fd = dev_open(0);
			REQUIRE_OK(fd);
			REQUIRE_OK(dev_ctx(fd, 0));
			STEER("{\"cmd\":\"garble\",\"nic\":0,\"what\":\"%s\",\"n\":2}", what[i]);
			provoke(fd);
			STEER("{\"cmd\":\"garble\",\"nic\":0,\"what\":\"%s\",\"n\":0}", what[i]);
			close(fd);
			recovered(0);
			/* Completion entries go to the process, not to the kernel. */
			if (strcmp(what[i], "cqe"))
				CHECK(klog_complains(log));
			else
				close(log);
		}
		nothing_left();
	}
}

KTAP_TEST(fatal)
{
	struct pnic_event ev;
	struct raw_ep r;
	unsigned int k;
	int log;

	begin();
	for (k = 0; k < 3; k++) {
		log = klog_open();
		REQUIRE_OK(log);
		REQUIRE_OK(raw_open(&r, 0));
		STEER("{\"cmd\":\"fatal\",\"nic\":0,\"code\":4,\"info\":%u}", 77 + k);
		REQUIRE_OK(dev_event(r.fd, PNIC_EVT_RESET, WAIT_MS, &ev));
		CHECK_ERRNO(dev_cq(r.fd, 16, NULL), EIO);
		recovered(0);
		CHECK(klog_complains(log));
		raw_close(&r);
	}
	nothing_left();
}

/* A reset that fails is tried again, later each time, until the card comes up. */
KTAP_TEST(reset_fails)
{
	static const struct {
		const char *what, *said;
	} fails[] = {
		{ "reset_stuck", "does not come out of reset" },
		{ "ready_stuck", "does not become ready" },
	};
	struct pnic_event ev;
	struct raw_ep r;
	unsigned int i;
	int log, fd;

	begin();
	for (i = 0; i < sizeof(fails) / sizeof(fails[0]); i++)
		SUBTEST("%s", fails[i].what) {
			log = klog_open();
			REQUIRE_OK(log);
			REQUIRE_OK(raw_open(&r, 0));
			STEER("{\"cmd\":\"garble\",\"nic\":0,\"what\":\"%s\",\"n\":1000}", fails[i].what);
			STEER("{\"cmd\":\"fatal\",\"nic\":0,\"code\":4,\"info\":9}");
			REQUIRE_OK(dev_event(r.fd, PNIC_EVT_RESET, WAIT_MS, &ev));
			CHECK(klog_says(log, fails[i].said, RECOVER_MS));
			CHECK(klog_says(log, "next attempt in 5 s", RECOVER_MS));
			CHECK_ERRNO(dev_cq(r.fd, 16, NULL), EIO);
			fd = dev_open(0);
			REQUIRE_OK(fd);
			CHECK_ERRNO(dev_ctx(fd, 0), EIO);
			CHECK(klog_says(log, fails[i].said, RECOVER_MS));
			CHECK(klog_says(log, "next attempt in 10 s", RECOVER_MS));
			STEER("{\"cmd\":\"garble\",\"nic\":0,\"what\":\"%s\",\"n\":0}", fails[i].what);
			CHECK(klog_says(log, "the card was reset and serves again", RECOVER_MS));
			close(log);
			recovered(0);
			close(fd);
			raw_close(&r);
		}
	nothing_left();
}

static int module_remove(void)
{
	return syscall(SYS_delete_module, "pnic", O_NONBLOCK);
}

static void wait_for_node(unsigned int nic)
{
	unsigned int i;

	for (i = 0; i < 500 && !dev_present(nic + 1); i++)
		sleep_ms(20);
	CHECK(dev_present(nic + 1));
}

/* A card that this driver must refuse: probe fails with a message, the other card is served. */
KTAP_TEST(lies)
{
	static const struct {
		const char *what;
		unsigned long long lie, truth;	/* truth 0: what PNIC_IOC_INFO says */
	} lies[] = {
		{ "version", 0x20000, 0x10000 },
		{ "version", 0x7fff0000, 0x10000 },
		{ "id", 0x12345678, 0x43494e50 },
		{ "max_ep", 0, 0 },
		{ "max_ep", (1ull << 24) + 1, 0 },
		{ "max_ep", 0xffffffff, 0 },
		{ "max_log_cq", 0, 0 },
		{ "max_log_cq", 200, 0 },
	};
	unsigned long long truth;
	struct pnic_ioc_info info;
	char pci[32], other[32];
	unsigned int i;
	int fd, log;

	begin();
	fd = dev_open(0);
	REQUIRE_OK(fd);
	REQUIRE_OK(dev_info(fd, &info));
	close(fd);
	REQUIRE_OK(dev_pci(0, pci, sizeof(pci)));
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		SUBTEST("%s %llu", lies[i].what, lies[i].lie) {
			truth = lies[i].truth;
			if (!truth)
				truth = strcmp(lies[i].what, "max_ep") ? (uint32_t)__builtin_ctz(info.max_cq_entries) :
									 info.max_ep;
			log = klog_open();
			REQUIRE_OK(log);
			REQUIRE_OK(write_file(DRIVER "unbind", pci));
			STEER("{\"cmd\":\"lie\",\"nic\":0,\"what\":\"%s\",\"value\":%llu}", lies[i].what, lies[i].lie);
			CHECK_EQ(write_file(DRIVER "bind", pci), -1);
			CHECK(klog_complains(log));
			CHECK(access("/dev/pnic0", F_OK) || (!dev_pci(0, other, sizeof(other)) && strcmp(other, pci)));
			STEER("{\"cmd\":\"lie\",\"nic\":0,\"what\":\"%s\",\"value\":%llu}", lies[i].what, truth);
			REQUIRE_OK(write_file(DRIVER "bind", pci));
			wait_for_node(1);
			recovered(0);
		}
	nothing_left();
}

/* Pulled out under an open file: all registers read ones, then the module is removed. */
KTAP_TEST(surprise)
{
	struct raw_ep r;
	int err, log;

	begin();
	log = klog_open();
	REQUIRE_OK(log);
	REQUIRE_OK(raw_open(&r, 0));
	STEER("{\"cmd\":\"surprise\",\"nic\":0,\"on\":true}");
	CHECK_EQ(timed_call(make_cq, r.fd), -1);
	err = errno;
	if (err != ETIMEDOUT && err != ENODEV)
		CHECK_EQ(err, EIO);
	r.db[r.ep.sq_slot] = 1;
	raw_close(&r);
	REQUIRE_OK(module_remove());
	CHECK(klog_complains(log));
	STEER("{\"cmd\":\"surprise\",\"nic\":0,\"on\":false}");
	REQUIRE_OK(module_insert());
	wait_for_node(0);
	wait_for_node(1);
	recovered(0);
	recovered(1);
	nothing_left();
}

KTAP_MAIN()
