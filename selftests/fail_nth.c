// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation and every copy from or to user memory fails once, on every path that a
 * process can send the driver: open, context, regions, queues, endpoints, mappings, events, their
 * ends, netlink, reset, and the driver's own probe. The call is made again and again, with the
 * first, the second, the third ... failure of this thread injected, until a call is through before
 * its failure's turn has come. Each time the error is one that such a failure gives, what
 * was there before is there after, and the same call without a failure works.
 *
 * Kernels without fault injection (Debian's) skip it all.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "bench/figure.h"
#include "device.h"
#include "ktap.h"
#include "nl.h"
#include "nltest.h"

#define NTH_MAX		4000		/* a call with more of them than that goes in circles */
#define SMALL		(16ul << 10)
#define LARGE		(8ul << 20)	/* more pages than one table of the card holds */
#define DRIVER		"/sys/bus/pci/drivers/pnic/"
#define SETTLE_MS	20000

/*
 * One path: @run is what fails, and gives -1 and errno; all the others must not. @also: what else
 * than ENOMEM the kernel's core makes of it there.
 */
struct path {
	const char *name;
	void (*before)(void);
	int (*run)(void);
	void (*after)(int ret);
	int also[4];
};

static struct resources start;
static unsigned int sites, failures;
static int nth_fd = -1;

static struct raw_ep ep;
static void *mem;
static size_t mem_len;
static struct pnic_ioc_mr_reg mr;
static struct pnic_ioc_cq_create cq;
static struct pnic_ioc_ep_create made;
static struct pnic_ioc_srq_create srq;
static struct pnic_ioc_ctr_create ctr;
static int fd = -1, efd = -1;

/* ---- the kernel's side of it ---- */

static void knob(const char *kind, const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", kind, name);
	if (write_file(path, value))
		ktap_say("%s cannot be set", path);
}

static void setup(void)
{
	need_cards(2);
	if (nth_fd < 0) {
		nth_fd = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
		if (nth_fd < 0)
			SKIP("the kernel has no fault injection");
		/* Allocations that may wait are nearly all that there are, and by default spared. */
		knob("failslab", "ignore-gfp-wait", "N");
		knob("fail_page_alloc", "ignore-gfp-wait", "N");
		knob("fail_page_alloc", "ignore-gfp-highmem", "N");
		knob("fail_page_alloc", "min-order", "0");
		/* A stack for each of thousands is of no use to anybody. */
		knob("failslab", "verbose", "0");
		knob("fail_page_alloc", "verbose", "0");
		knob("fail_usercopy", "verbose", "0");
		REQUIRE_OK(resources_read(&start));
	}
}

static void nth_begin(unsigned int n)
{
	char text[12];
	int len = snprintf(text, sizeof(text), "%u", n);

	REQUIRE_EQ(pwrite(nth_fd, text, len, 0), len);
}

/* True if the failure has happened. Whether or not, there is none to come. */
static bool nth_end(void)
{
	char text[16] = "";
	ssize_t len = pread(nth_fd, text, sizeof(text) - 1, 0);
	unsigned int i;

	/* Both calls may be what fails, as they copy: then nothing failed before. */
	for (i = 0; i < 10; i++)
		if (pwrite(nth_fd, "0", 1, 0) == 1)
			return len > 0 && !strtoul(text, NULL, 10);
	ktap_failed(__FILE__, __LINE__, "the injection cannot be switched off: errno %d", errno);
	ktap_leave();
}

static bool sane(const struct path *p, int err)
{
	unsigned int i;

	for (i = 0; i < sizeof(p->also) / sizeof(p->also[0]); i++)
		if (err && err == p->also[i])
			return true;
	return err == ENOMEM || err == EFAULT || err == ENOBUFS;
}

static void walk(const struct path *p)
{
	struct resources base, now;
	unsigned int n, hit = 0;
	bool fired;
	int ret, err;

	for (n = 1; n < NTH_MAX; n++) {
		REQUIRE_OK(resources_read(&base));
		if (p->before)
			p->before();
		nth_begin(n);
		errno = 0;
		ret = p->run();
		err = errno;
		fired = nth_end();
		if (ret < 0 && (!fired || !sane(p, err))) {
			ktap_failed(__FILE__, __LINE__, "failure %u: %s gave errno %d (%s)%s", n, p->name,
				    err, strerror(err), fired ? "" : ", before its turn");
			fired = false;
		}
		hit += fired;
		failures += fired && ret < 0;
		if (p->after)
			p->after(ret);
		if (!resources_settle(&base, &now, SETTLE_MS)) {
			ktap_failed(__FILE__, __LINE__, "failure %u: before:\n%safter:\n%s", n,
				    base.text, now.text);
			break;
		}
		if (!fired)
			break;
	}
	CHECK_LT(n, NTH_MAX);
	sites += hit;
	ktap_say("%s: %u places", p->name, hit);
}

static void walk_all(const struct path *p, unsigned int count)
{
	unsigned int i;

	setup();
	for (i = 0; i < count; i++)
		SUBTEST("%s", p[i].name)
			walk(&p[i]);
	CHECK(resources_settle(&start, &(struct resources) { 0 }, SETTLE_MS));
}

#define WALK(paths)	walk_all(paths, sizeof(paths) / sizeof((paths)[0]))

/* ---- a file ---- */

static void file_open(void)
{
	fd = dev_open(0);
	REQUIRE_OK(fd);
}

static void file_ctx(void)
{
	file_open();
	REQUIRE_OK(dev_ctx(fd, 0));
}

static void file_close(int ret)
{
	(void)ret;
	if (fd >= 0)
		close(fd);
	fd = -1;
}

static int run_open(void)
{
	return fd = dev_open(0);
}

static int run_info(void)
{
	struct pnic_ioc_info info;

	return dev_info(fd, &info);
}

static int run_link(void)
{
	struct pnic_ioc_link_info link;

	return dev_link(fd, &link);
}

static int run_ctx(void)
{
	return dev_ctx(fd, 0);
}

static void again_ctx(int ret)
{
	if (ret)
		CHECK_OK(dev_ctx(fd, 0));
	file_close(ret);
}

/* A close that fails is a close. */
static int run_close(void)
{
	close(fd);
	fd = -1;
	return 0;
}

KTAP_TEST(files)
{
	static const struct path paths[] = {
		{ "open", NULL, run_open, file_close, { 0 } },
		{ "info", file_open, run_info, file_close, { 0 } },
		{ "link info", file_open, run_link, file_close, { 0 } },
		{ "context", file_open, run_ctx, again_ctx, { 0 } },
		{ "close without a context", file_open, run_close, NULL, { 0 } },
		{ "close with a context", file_ctx, run_close, NULL, { 0 } },
	};

	WALK(paths);
}

/* ---- regions ---- */

static void memory(size_t len, bool touched)
{
	file_ctx();
	mem_len = len;
	mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
		   (touched ? MAP_POPULATE : 0), -1, 0);
	REQUIRE(mem != MAP_FAILED);
}

static void untouched(void)
{
	memory(SMALL, false);
}

static void touched(void)
{
	memory(LARGE, true);
}

static int run_mr(void)
{
	return dev_mr(fd, mem, mem_len, PNIC_MRF_LOCAL_WRITE | PNIC_MRF_REMOTE_WRITE, &mr);
}

static int run_mr_readable(void)
{
	return dev_mr(fd, mem, mem_len, PNIC_MRF_REMOTE_READ, &mr);
}

static void again_mr(int ret)
{
	if (ret)
		CHECK_OK(run_mr());
	CHECK_OK(dev_handle(fd, PNIC_IOC_MR_DEREG, mr.handle));
	munmap(mem, mem_len);
	file_close(ret);
}

static void with_mr(void)
{
	touched();
	REQUIRE_OK(run_mr());
}

static int run_dereg(void)
{
	return dev_handle(fd, PNIC_IOC_MR_DEREG, mr.handle);
}

static void again_dereg(int ret)
{
	if (ret)
		CHECK_OK(run_dereg());
	munmap(mem, mem_len);
	file_close(ret);
}

static void unmap_close(int ret)
{
	munmap(mem, mem_len);
	file_close(ret);
}

static int run_unmap(void)
{
	return munmap(mem, mem_len);
}

KTAP_TEST(regions)
{
	static const struct path paths[] = {
		{ "register 16 KiB that nobody touched", untouched, run_mr, again_mr, { 0 } },
		{ "register them to be read", untouched, run_mr_readable, again_mr, { 0 } },
		{ "register 8 MiB", touched, run_mr, again_mr, { 0 } },
		{ "deregister", with_mr, run_dereg, again_dereg, { 0 } },
		{ "unmap what is registered", with_mr, run_unmap, unmap_close, { 0 } },
		{ "close with a region", with_mr, run_close, unmap_close, { 0 } },
	};

	WALK(paths);
}

/* ---- queues and endpoints ---- */

static int run_cq(void)
{
	return dev_cq(fd, 1024, &cq);
}

static void again_cq(int ret)
{
	if (ret)
		CHECK_OK(run_cq());
	CHECK_OK(dev_handle(fd, PNIC_IOC_CQ_DESTROY, cq.handle));
	file_close(ret);
}

static void with_efd(void)
{
	file_ctx();
	efd = eventfd(0, EFD_CLOEXEC);
	REQUIRE_OK(efd);
}

static int run_cq_efd(void)
{
	cq = (struct pnic_ioc_cq_create) { .size = sizeof(cq), .entries = 64, .eventfd = efd };
	return ioctl(fd, PNIC_IOC_CQ_CREATE, &cq);
}

static void again_cq_efd(int ret)
{
	if (ret)
		CHECK_OK(run_cq_efd());
	close(efd);
	file_close(ret);
}

static void with_cq(void)
{
	file_ctx();
	REQUIRE_OK(run_cq());
}

static int run_cq_destroy(void)
{
	return dev_handle(fd, PNIC_IOC_CQ_DESTROY, cq.handle);
}

static void again_cq_destroy(int ret)
{
	if (ret)
		CHECK_OK(run_cq_destroy());
	file_close(ret);
}

static int run_ep(void)
{
	return dev_ep(fd, cq.handle, cq.handle, &made);
}

static void again_ep(int ret)
{
	if (ret)
		CHECK_OK(run_ep());
	CHECK_OK(dev_handle(fd, PNIC_IOC_EP_DESTROY, made.handle));
	file_close(ret);
}

static void with_ep(void)
{
	with_cq();
	REQUIRE_OK(run_ep());
}

static int run_ep_reset(void)
{
	return dev_handle(fd, PNIC_IOC_EP_RESET, made.handle);
}

static void again_ep_reset(int ret)
{
	if (ret)
		CHECK_OK(run_ep_reset());
	file_close(ret);
}

static int run_ep_destroy(void)
{
	return dev_handle(fd, PNIC_IOC_EP_DESTROY, made.handle);
}

static void again_ep_destroy(int ret)
{
	if (ret)
		CHECK_OK(run_ep_destroy());
	file_close(ret);
}

static int run_srq(void)
{
	srq = (struct pnic_ioc_srq_create) { .size = sizeof(srq), .entries = 256 };
	return ioctl(fd, PNIC_IOC_SRQ_CREATE, &srq);
}

static int run_srq_destroy(void)
{
	return dev_handle(fd, PNIC_IOC_SRQ_DESTROY, srq.handle);
}

static void again_srq(int ret)
{
	if (ret)
		CHECK_OK(run_srq());
	CHECK_OK(run_srq_destroy());
	file_close(ret);
}

static void with_srq(void)
{
	file_ctx();
	REQUIRE_OK(run_srq());
}

static void again_srq_destroy(int ret)
{
	if (ret)
		CHECK_OK(run_srq_destroy());
	file_close(ret);
}

static int run_ctr(void)
{
	ctr = (struct pnic_ioc_ctr_create) { .size = sizeof(ctr), .eventfd = efd };
	return ioctl(fd, PNIC_IOC_CTR_CREATE, &ctr);
}

static int run_ctr_destroy(void)
{
	return dev_handle(fd, PNIC_IOC_CTR_DESTROY, ctr.handle);
}

static void again_ctr(int ret)
{
	if (ret)
		CHECK_OK(run_ctr());
	CHECK_OK(run_ctr_destroy());
	close(efd);
	file_close(ret);
}

static void with_ctr(void)
{
	with_efd();
	REQUIRE_OK(run_ctr());
}

static void again_ctr_destroy(int ret)
{
	if (ret)
		CHECK_OK(run_ctr_destroy());
	close(efd);
	file_close(ret);
}

static void with_ctr_and_ep(void)
{
	with_ctr();
	REQUIRE_OK(run_cq());
	REQUIRE_OK(run_ep());
}

static int run_bind_ctr(void)
{
	struct pnic_ioc_ctr_bind b = { .size = sizeof(b), .ep = made.handle, .ctr = ctr.handle,
		.kinds = PNIC_CTR_SEND };

	return ioctl(fd, PNIC_IOC_CTR_BIND, &b);
}

static void again_bind_ctr(int ret)
{
	if (ret)
		CHECK_OK(run_bind_ctr());
	close(efd);
	file_close(ret);
}

KTAP_TEST(queues)
{
	static const struct path paths[] = {
		{ "completion queue", file_ctx, run_cq, again_cq, { 0 } },
		{ "completion queue with an eventfd", with_efd, run_cq_efd, again_cq_efd, { 0 } },
		{ "completion queue's end", with_cq, run_cq_destroy, again_cq_destroy, { 0 } },
		{ "endpoint", with_cq, run_ep, again_ep, { 0 } },
		{ "endpoint's reset", with_ep, run_ep_reset, again_ep_reset, { 0 } },
		{ "endpoint's end", with_ep, run_ep_destroy, again_ep_destroy, { 0 } },
		{ "shared receive queue", file_ctx, run_srq, again_srq, { 0 } },
		{ "shared receive queue's end", with_srq, run_srq_destroy, again_srq_destroy, { 0 } },
		{ "counter with an eventfd", with_efd, run_ctr, again_ctr, { 0 } },
		{ "counter's end", with_ctr, run_ctr_destroy, again_ctr_destroy, { 0 } },
		{ "counter and endpoint", with_ctr_and_ep, run_bind_ctr, again_bind_ctr, { 0 } },
		{ "close with all", with_ep, run_close, NULL, { 0 } },
	};

	WALK(paths);
}

/* ---- mappings and events ---- */

static void whole_open(void)
{
	REQUIRE_OK(raw_open(&ep, 0));
}

static void whole_close(int ret)
{
	(void)ret;
	if (ep.fd >= 0) {
		CHECK_OK(raw_nop(&ep, 1));
		raw_close(&ep);
	}
}

static int run_whole(void)
{
	return raw_open(&ep, 0);
}

static int run_whole_close(void)
{
	raw_close(&ep);
	return 0;
}

static int run_fault(void)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, ep.fd, ep.info.status_offset);

	if (p == MAP_FAILED)
		return -1;
	/* Out of memory in a fault is tried again: it may not kill. */
	(void)*(volatile uint32_t *)p;
	munmap(p, 4096);
	return 0;
}

static int run_poll(void)
{
	struct pollfd pfd = { .fd = ep.fd, .events = POLLIN };

	return poll(&pfd, 1, 0);
}

static int run_nop(void)
{
	return raw_nop(&ep, 7);
}

KTAP_TEST(mappings)
{
	static const struct path paths[] = {
		{ "everything, mapped", NULL, run_whole, whole_close, { 0 } },
		{ "everything, unmapped and closed", whole_open, run_whole_close, NULL, { 0 } },
		{ "status page", whole_open, run_fault, whole_close, { 0 } },
		{ "poll", whole_open, run_poll, whole_close, { 0 } },
		{ "a transfer makes no call", whole_open, run_nop, whole_close, { 0 } },
	};

	WALK(paths);
}

/* ---- netlink ---- */

static struct nl_sock sock;
static struct nl_msg m;
static uint8_t cmd;
static bool dump;

static void nl_before(void)
{
	REQUIRE_EQ(nl_open(&sock), 0);
}

static void nl_after(int ret)
{
	(void)ret;
	nl_close(&sock);
}

static void fill(void)
{
	nl_begin(&m, cmd);
	switch (cmd) {
	case PNIC_CMD_LANE_GET:
		nl_put_u32(&m, PNIC_A_LANE_DEV_INDEX, 0);
		if (!dump)
			nl_put_u32(&m, PNIC_A_LANE_INDEX, 3);
		return;
	case PNIC_CMD_POLICY_SET:
		nl_put_u32(&m, PNIC_A_POLICY_DEV_INDEX, 0);
		nl_put_u32(&m, PNIC_A_POLICY_CALM_MS, 1717);
		return;
	case PNIC_CMD_LINK_SET:
		nl_put_u32(&m, PNIC_A_LINK_DEV_INDEX, 0);
		nl_put_u8(&m, PNIC_A_LINK_ADMIN_UP, 1);
		return;
	case PNIC_CMD_LANE_SET:
		nl_put_u32(&m, PNIC_A_PLAN_DEV_INDEX, 0);
		nl_put_u32(&m, PNIC_A_PLAN_LANE, 3);
		nl_put_u32(&m, PNIC_A_PLAN_ACTION, PNIC_LANE_ACTION_RETIRE);
		nl_put_flag(&m, PNIC_A_PLAN_PREVIEW);
		return;
	default:
		/* The device is the first attribute of every set. */
		if (!dump || cmd == PNIC_CMD_HISTORY_GET || cmd == PNIC_CMD_RES_GET ||
		    cmd == PNIC_CMD_OBJECT_GET)
			nl_put_u32(&m, PNIC_A_DEV_INDEX, 0);
	}
}

static int run_nl(void)
{
	int err;

	fill();
	err = dump ? nl_dump(&sock, &m, NULL, NULL) : nl_do(&sock, &m, NULL);
	errno = -err;
	return err ? -1 : 0;
}

static int run_nl_open(void)
{
	struct nl_sock s = { .fd = -1 };
	int err = nl_open(&s);

	if (!err)
		nl_close(&s);
	errno = -err;
	return err ? -1 : 0;
}

KTAP_TEST(netlink)
{
	static const struct path look_up = {
		"look-up of the family", NULL, run_nl_open, NULL, { ENFILE },
	};
	struct path request = { NULL, nl_before, run_nl, nl_after, { 0 } };
	static const struct {
		const char *name;
		uint8_t cmd;
		bool get, dump;
	} cmds[] = {
		{ "dev-get", PNIC_CMD_DEV_GET, true, true },
		{ "link-get", PNIC_CMD_LINK_GET, true, true },
		{ "lane-get", PNIC_CMD_LANE_GET, true, true },
		{ "plan-get", PNIC_CMD_PLAN_GET, true, false },
		{ "policy-get", PNIC_CMD_POLICY_GET, true, true },
		{ "history-get", PNIC_CMD_HISTORY_GET, false, true },
		{ "cable-get", PNIC_CMD_CABLE_GET, true, false },
		{ "counters-get", PNIC_CMD_COUNTERS_GET, true, true },
		{ "res-get", PNIC_CMD_RES_GET, false, true },
		{ "object-get", PNIC_CMD_OBJECT_GET, false, true },
		{ "policy-set", PNIC_CMD_POLICY_SET, true, false },
		{ "link-set", PNIC_CMD_LINK_SET, true, false },
		{ "lane-set", PNIC_CMD_LANE_SET, true, false },
	};
	struct raw_ep r;
	unsigned int i, k;

	setup();
	SUBTEST("family")
		walk(&look_up);
	/* Something to show. */
	REQUIRE_OK(raw_open(&r, 0));
	for (i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++) {
		for (k = 0; k < 2; k++) {
			if (!(k ? cmds[i].dump : cmds[i].get))
				continue;
			cmd = cmds[i].cmd;
			dump = k;
			request.name = cmds[i].name;
			SUBTEST("%s%s", cmds[i].name, k ? ", dump" : "")
				walk(&request);
		}
	}
	raw_close(&r);
	nl_before();
	CHECK_EQ(nltest_policy_reset(&sock, &m, 0), 0);
	nl_after(0);
}

/* ---- the card: reset, and the driver taken off it and put on again ---- */

static char pci[32];
static int sysfs_fd = -1;

static void serves(void)
{
	struct raw_ep r;
	unsigned int i;
	int ret;

	/* The node comes a moment behind the card. */
	for (i = 0; i < 1000; i++) {
		ret = raw_open(&r, 0);
		if (!ret || errno != ENOENT)
			break;
		sleep_ms(20);
	}
	REQUIRE_OK(ret);
	CHECK_OK(raw_nop(&r, 1));
	raw_close(&r);
}

static void reset_before(void)
{
	char path[128];

	REQUIRE_OK(dev_pci(0, pci, sizeof(pci)));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/reset", pci);
	sysfs_fd = open(path, O_WRONLY | O_CLOEXEC);
	REQUIRE_OK(sysfs_fd);
}

static int run_reset(void)
{
	return pwrite(sysfs_fd, "1", 1, 0) < 0 ? -1 : 0;
}

static void reset_after(int ret)
{
	struct raw_ep r;

	(void)ret;
	/* A reset that went wrong may leave a card that does not serve; the next one mends it. */
	if (raw_open(&r, 0))
		CHECK_OK(run_reset());
	else
		raw_close(&r);
	close(sysfs_fd);
	serves();
}

static void bind_before(void)
{
	REQUIRE_OK(dev_pci(0, pci, sizeof(pci)));
	REQUIRE_OK(write_file(DRIVER "unbind", pci));
	sysfs_fd = open(DRIVER "bind", O_WRONLY | O_CLOEXEC);
	REQUIRE_OK(sysfs_fd);
}

static int run_bind(void)
{
	return pwrite(sysfs_fd, pci, strlen(pci), 0) < 0 ? -1 : 0;
}

static void bind_after(int ret)
{
	struct resources now;

	/* No directory in debugfs is no reason for a card not to serve, but then nothing is counted here. */
	if (!ret && !resources_read(&now) && strlen(now.text) < strlen(start.text)) {
		REQUIRE_OK(write_file(DRIVER "unbind", pci));
		ret = -1;
	}
	if (ret)
		CHECK_OK(run_bind());
	close(sysfs_fd);
	serves();
}

static void unbind_before(void)
{
	serves();
	REQUIRE_OK(dev_pci(0, pci, sizeof(pci)));
	sysfs_fd = open(DRIVER "unbind", O_WRONLY | O_CLOEXEC);
	REQUIRE_OK(sysfs_fd);
}

static void unbind_after(int ret)
{
	if (ret)
		CHECK_OK(run_bind());
	close(sysfs_fd);
	REQUIRE_OK(write_file(DRIVER "bind", pci));
	serves();
}

KTAP_TEST(card)
{
	static const struct path paths[] = {
		{ "reset", reset_before, run_reset, reset_after, { 0 } },
		{ "unbind", unbind_before, run_bind, unbind_after, { 0 } },
		/* A BAR that cannot be noted down is "taken"; of vectors it says what it likes. */
		{ "bind", bind_before, run_bind, bind_after, { EBUSY, ENOSPC, ENODEV, EINVAL } },
	};

	ktap.timeout_s = 900;
	WALK(paths);
}

KTAP_TEST(figures)
{
	setup();
	figure("fail_nth_sites", sites, "places that failed once, each on every path that comes by");
	figure("fail_nth_errors", failures, "of them ended the call with an error");
	CHECK_GE(sites, 100);
}

KTAP_MAIN()
