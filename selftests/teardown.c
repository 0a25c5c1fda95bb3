// SPDX-License-Identifier: GPL-2.0
/*
 * Everything ends cleanly from every state: processes killed, files closed with all
 * open, memory taken back in flight, the driver unbound, the card reset, the module
 * removed. After each the driver holds nothing, and no page stays pinned.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "device.h"
#include "ktap.h"
#include "traffic.h"

#define MEM		(4ul << 20)
#define WAIT_MS		20000
#define KILLS		50
#define DRIVER		"/sys/bus/pci/drivers/pnic/"

static struct resources before;
static long pinned_before;

static void begin(void)
{
	need_cards(2);
	REQUIRE_OK(resources_read(&before));
	pinned_before = pinned_pages();
}

/* All that was made since begin() is gone, and both cards work. */
static void nothing_left(void)
{
	struct resources now;
	struct raw_ep r;
	unsigned int i;

	if (!resources_settle(&before, &now, 10000))
		ktap_failed(__FILE__, __LINE__, "something is left; before:\n%safter:\n%s", before.text, now.text);
	CHECK_EQ(pinned_pages(), pinned_before);
	for (i = 0; i < 2; i++) {
		CHECK_OK(raw_open(&r, i));
		if (r.fd < 0)
			continue;
		CHECK_OK(raw_nop(&r, 1));
		raw_close(&r);
	}
}

/* In a child: transfers between both cards, for ever. */
static void endless(int tell)
{
	const struct end_attr attr = { .size = MEM, .rnr_timeout_us = 1000000 };
	struct end a, b;
	unsigned int i;

	REQUIRE_EQ(end_open(&a, 0, &attr), 0);
	REQUIRE_EQ(end_open(&b, 1, &attr), 0);
	for (i = 0;; i++) {
		pnic_post_write(a.ep, b.addr, a.mem, MEM, a.mr->key, (uintptr_t)b.mem, b.mr->key, i,
				PNIC_SQF_SIGNALED);
		pnic_post_read(b.ep, a.addr, b.mem, MEM, b.mr->key, (uintptr_t)a.mem, a.mr->key, i,
			       PNIC_SQF_SIGNALED);
		pnic_post_send(a.ep, b.addr, a.mem, 100, a.mr->key, i, PNIC_SQF_SIGNALED);
		pnic_ring(a.ep);
		pnic_ring(b.ep);
		while (pnic_poll(a.cq, &(struct pnic_wc) { 0 }, 1) || pnic_poll(b.cq, &(struct pnic_wc) { 0 }, 1))
			;
		if (i == 2 && write(tell, "", 1) != 1)
			_exit(1);
	}
}

static pid_t start_endless(void)
{
	int tell[2];
	pid_t pid;
	char c;

	REQUIRE_OK(pipe(tell));
	pid = ktap_fork();
	REQUIRE_OK(pid);
	if (!pid)
		endless(tell[1]);
	close(tell[1]);
	CHECK_EQ(read(tell[0], &c, 1), 1);
	close(tell[0]);
	return pid;
}

KTAP_TEST(killed_in_mid_transfer)
{
	unsigned int i;
	pid_t pid;

	begin();
	for (i = 0; i < KILLS; i++) {
		pid = start_endless();
		sleep_ms(i % 7);
		CHECK_OK(kill(pid, SIGKILL));
		REQUIRE_EQ(waitpid(pid, NULL, 0), pid);
	}
	nothing_left();
}

/* The peer of a process that was killed gets an error for each transfer, and goes on with others. */
KTAP_TEST(peer_killed)
{
	const struct end_attr attr = { .size = MEM };
	struct remote { struct pnic_addr addr; uint64_t at, key; } *r;
	struct end a, b;
	unsigned int i;
	int status;
	pid_t pid;

	begin();
	r = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(r != MAP_FAILED);
	pid = ktap_fork();
	REQUIRE_OK(pid);
	if (!pid) {
		REQUIRE_EQ(end_open(&b, 1, &attr), 0);
		r->addr = b.addr;
		r->key = b.mr->key;
		__atomic_store_n(&r->at, (uintptr_t)b.mem, __ATOMIC_RELEASE);
		for (;;)
			pause();
	}
	for (i = 0; i < 4000 && !__atomic_load_n(&r->at, __ATOMIC_ACQUIRE); i++)
		sleep_ms(5);
	REQUIRE_EQ(end_open(&a, 0, &attr), 0);
	for (i = 0; i < 40; i++)
		REQUIRE_EQ(pnic_post_write(a.ep, r->addr, a.mem, MEM, a.mr->key, r->at, r->key, i,
					   PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
	CHECK_OK(kill(pid, SIGKILL));
	REQUIRE_EQ(waitpid(pid, NULL, 0), pid);
	for (i = 0; i < 40; i++) {
		status = end_status(&a, WAIT_MS);
		CHECK(status == PNIC_ST_OK || status == PNIC_ST_REMOTE_EP || status == PNIC_ST_REMOTE_KEY);
	}
	REQUIRE_EQ(pnic_post_write(a.ep, a.addr, a.mem, 64, a.mr->key, (uintptr_t)a.mem + 64, a.mr->key, 1,
				   PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_OK);
	end_close(&a);
	munmap(r, 4096);
	nothing_left();
}

KTAP_TEST(close_with_everything_open)
{
	struct pnic_ioc_cq_create cq;
	uint8_t *mem;
	int fd, i, k;

	begin();
	mem = mmap(NULL, MEM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(mem != MAP_FAILED);
	for (k = 0; k < 20; k++) {
		fd = dev_open(k % 2);
		REQUIRE_OK(fd);
		REQUIRE_OK(dev_ctx(fd, 0));
		for (i = 0; i < 8; i++) {
			REQUIRE_OK(dev_mr(fd, mem + i * 4096, MEM / 2, PNIC_MRF_LOCAL_WRITE, NULL));
			REQUIRE_OK(dev_cq(fd, 64, &cq));
			REQUIRE_OK(dev_ep(fd, cq.handle, cq.handle, NULL));
		}
		close(fd);
	}
	munmap(mem, MEM);
	nothing_left();
}

/* What is pinned is on the process's account, and off it again. */
KTAP_TEST(pinned_on_account)
{
	struct pnic_ioc_mr_reg mr;
	uint8_t *mem;
	long kb;
	int fd;

	begin();
	mem = mmap(NULL, MEM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(mem != MAP_FAILED);
	fd = dev_open(0);
	REQUIRE_OK(fd);
	REQUIRE_OK(dev_ctx(fd, 0));
	kb = proc_status_kb(getpid(), "VmPin");
	REQUIRE_OK(dev_mr(fd, mem, MEM, PNIC_MRF_LOCAL_WRITE, &mr));
	CHECK_EQ(proc_status_kb(getpid(), "VmPin"), kb + (long)(MEM / 1024));
	CHECK_EQ(pinned_pages(), pinned_before + (long)(MEM / 4096));
	CHECK_OK(dev_handle(fd, PNIC_IOC_MR_DEREG, mr.handle));
	CHECK_EQ(proc_status_kb(getpid(), "VmPin"), kb);
	REQUIRE_OK(dev_mr(fd, mem, MEM, PNIC_MRF_LOCAL_WRITE, &mr));
	close(fd);
	CHECK_EQ(proc_status_kb(getpid(), "VmPin"), kb);
	munmap(mem, MEM);
	nothing_left();
}

/* The file outlives the process that registered (a descriptor is passed on): the account stays right. */
KTAP_TEST(file_outlives_the_owner)
{
	int fd, status;
	uint8_t *mem;
	pid_t pid;

	begin();
	fd = dev_open(0);
	REQUIRE_OK(fd);
	REQUIRE_OK(dev_ctx(fd, 0));
	pid = ktap_fork();
	REQUIRE_OK(pid);
	if (!pid) {
		mem = mmap(NULL, MEM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK_OK(dev_mr(fd, mem, MEM, PNIC_MRF_LOCAL_WRITE, NULL));
		ktap_child_exit();
	}
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	close(fd);
	nothing_left();
}

/* Memory is unmapped while it is registered: the card still may use it, and it stays whole until the end. */
KTAP_TEST(unmap_while_registered)
{
	const struct end_attr attr = { .size = MEM };
	struct end a, b;
	unsigned int i;

	begin();
	REQUIRE_EQ(end_open(&a, 0, &attr), 0);
	REQUIRE_EQ(end_open(&b, 1, &attr), 0);
	for (i = 0; i < 16; i++)
		REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem, MEM, a.mr->key, (uintptr_t)b.mem, b.mr->key, i,
					   PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
	REQUIRE_OK(munmap(b.mem, MEM));
	b.mem = NULL;
	for (i = 0; i < 16; i++)
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_OK);
	end_close(&a);
	end_close(&b);
	nothing_left();
}

/* Deregistering in flight: each transfer ends once, with success or a key error, and afterwards nothing is written. */
KTAP_TEST(dereg_in_flight)
{
	const struct end_attr attr = { .size = MEM };
	unsigned int i, k, keys = 0;
	struct pnic_mr *mr;
	struct end a, b;
	int status;

	begin();
	REQUIRE_EQ(end_open(&a, 0, &attr), 0);
	REQUIRE_EQ(end_open(&b, 1, &attr), 0);
	memset(a.mem, 0xaa, MEM);
	for (k = 0; k < 30; k++) {
		REQUIRE_EQ(pnic_mr_reg(b.ctx, b.mem, MEM, PNIC_MRF_REMOTE_WRITE, &mr), 0);
		for (i = 0; i < 24; i++)
			REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem, MEM, a.mr->key, (uintptr_t)b.mem, mr->key, i,
						   PNIC_SQF_SIGNALED), 0);
		pnic_ring(a.ep);
		CHECK_EQ(pnic_mr_dereg(mr), 0);
		memset(b.mem, 0x55, MEM);
		for (i = 0; i < 24; i++) {
			status = end_status(&a, WAIT_MS);
			if (status != PNIC_ST_OK)
				CHECK_EQ(status, PNIC_ST_REMOTE_KEY);
			keys += status == PNIC_ST_REMOTE_KEY;
		}
		CHECK_EQ(byte_check(b.mem, MEM, 0x55), MEM);
	}
	ktap_say("%u of %u transfers met a region that was gone", keys, 30 * 24);
	CHECK_GT(keys, 0);
	end_close(&a);
	end_close(&b);
	nothing_left();
}

/* The same at the near end, and with the endpoint destroyed. */
KTAP_TEST(destroy_in_flight)
{
	const struct end_attr attr = { .size = MEM };
	unsigned int i, k;
	struct end a, b;

	begin();
	for (k = 0; k < 15; k++) {
		REQUIRE_EQ(end_open(&a, 0, &attr), 0);
		REQUIRE_EQ(end_open(&b, 1, &attr), 0);
		memset(a.mem, 0xaa, MEM);
		for (i = 0; i < 24; i++)
			REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem, MEM, a.mr->key, (uintptr_t)b.mem,
						   b.mr->key, i, PNIC_SQF_SIGNALED), 0);
		for (i = 0; i < 24; i++)
			REQUIRE_EQ(pnic_post_read(b.ep, a.addr, b.mem, MEM, b.mr->key, (uintptr_t)a.mem,
						  a.mr->key, i, PNIC_SQF_SIGNALED), 0);
		pnic_ring(a.ep);
		pnic_ring(b.ep);
		CHECK_EQ(pnic_ep_destroy(a.ep), 0);
		if (k % 3 == 0)
			CHECK_EQ(pnic_ep_destroy(b.ep), 0);
		CHECK_EQ(pnic_mr_dereg(a.mr), 0);
		end_close(&a);
		end_close(&b);
	}
	nothing_left();
}

static void sysfs_pci(unsigned int nic, const char *driver_file)
{
	char pci[32], path[PATH_MAX];

	REQUIRE_OK(dev_pci(nic, pci, sizeof(pci)));
	snprintf(path, sizeof(path), DRIVER "%s", driver_file);
	REQUIRE_OK(write_file(path, pci));
}

static void wait_for_node(unsigned int nic)
{
	unsigned int i;
	int fd;

	for (i = 0; i < 1000; i++) {
		fd = dev_open(nic);
		if (fd >= 0) {
			close(fd);
			return;
		}
		sleep_ms(20);
	}
	ktap_failed(__FILE__, __LINE__, "/dev/pnic%u did not come back", nic);
	ktap_leave();
}

/* A file whose context is over: what is left to read, then @err for ever, and poll() says @revent. */
static void over(int fd, int err, short revent)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct pnic_event ev;
	unsigned int i;

	for (i = 0; i < 1000 && read(fd, &ev, sizeof(ev)) == sizeof(ev); i++)
		;
	CHECK_ERRNO(read(fd, &ev, sizeof(ev)), err);
	CHECK_EQ(poll(&pfd, 1, 0), 1);
	CHECK_EQ(pfd.revents & revent, revent);
}

/* Everything that a file without a device is asked is answered ENODEV, and its mappings can still be touched. */
static void orphan(struct raw_ep *r)
{
	struct pnic_ioc_link_info link;
	struct pollfd pfd = { .fd = r->fd, .events = POLLIN };
	struct pnic_ioc_info info;
	struct pnic_event ev;

	CHECK_EQ(poll(&pfd, 1, WAIT_MS), 1);
	CHECK_EQ(dev_event(r->fd, PNIC_EVT_GONE, WAIT_MS, &ev), 0);
	over(r->fd, ENODEV, POLLHUP);
	CHECK_ERRNO(dev_info(r->fd, &info), ENODEV);
	CHECK_ERRNO(dev_link(r->fd, &link), ENODEV);
	CHECK_ERRNO(dev_ctx(r->fd, 0), ENODEV);
	CHECK_ERRNO(dev_cq(r->fd, 16, NULL), ENODEV);
	CHECK_ERRNO(dev_mr(r->fd, r, 16, 0, NULL), ENODEV);
	CHECK_ERRNO(dev_handle(r->fd, PNIC_IOC_EP_DESTROY, r->ep.handle), ENODEV);
	r->db[r->ep.sq_slot] = 12345;
	*r->wake = 1;
	memset(r->sq, 0xff, r->ep.sq_length);
	CHECK_EQ(raw_poll(r, &(struct pnic_cqe) { 0 }, 50), -1);
}

/* What a process sees that only looks: @st, mapped before the card went. */
static void status_of_gone(const volatile struct pnic_status_page *st, uint32_t epoch)
{
	CHECK_NE(st->epoch, epoch);
	CHECK_EQ(st->link_state, 0);
	CHECK_EQ(st->rate_mbps, 0);
	CHECK_EQ(st->seq & 1, 0);
}

/* What the dead @old still has mapped must not be the doorbells of anybody who came later. */
static void no_alias(struct raw_ep *old, unsigned int nic)
{
	struct raw_ep fresh[4];
	unsigned int i, k;

	/* As many as there were before, so that one of them has the number that @old had. */
	for (k = 0; k < 4; k++)
		REQUIRE_OK(raw_open(&fresh[k], nic));
	for (i = PNIC_DB_SLOT_FIRST; i < PNIC_DB_SLOTS; i++)
		old->db[i] = 0x5eed0000 + i;
	for (k = 0; k < 4; k++) {
		for (i = PNIC_DB_SLOT_FIRST; i < PNIC_DB_SLOTS; i++)
			if (fresh[k].db[i] == 0x5eed0000 + i)
				break;
		CHECK_EQ(i, PNIC_DB_SLOTS);
		CHECK_OK(raw_nop(&fresh[k], 3));
		raw_close(&fresh[k]);
	}
}

KTAP_TEST(unbind_with_open_files)
{
	const struct end_attr attr = { .size = 4096 };
	const volatile struct pnic_status_page *st;
	char pci[32];
	struct raw_ep r;
	struct end e;
	pid_t pid;
	int k;

	begin();
	for (k = 0; k < 5; k++) {
		pid = start_endless();
		REQUIRE_EQ(end_open(&e, 0, &attr), 0);
		REQUIRE_OK(raw_open(&r, 0));
		st = mmap(NULL, 4096, PROT_READ, MAP_SHARED, r.fd, r.info.status_offset);
		REQUIRE(st != MAP_FAILED);
		REQUIRE_OK(raw_nop(&r, 1));
		REQUIRE_OK(dev_mr(r.fd, &r, sizeof(r), 0, NULL));
		REQUIRE_OK(dev_pci(0, pci, sizeof(pci)));
		CHECK(!pnic_ctx_dead(e.ctx));
		sysfs_pci(0, "unbind");
		orphan(&r);
		status_of_gone(st, r.info.epoch);
		CHECK(pnic_ctx_dead(e.ctx));
		CHECK_EQ(pnic_wait(e.cq, WAIT_MS), -ENODEV);
		munmap((void *)st, 4096);
		CHECK_ERRNO(dev_open(0), ENOENT);
		REQUIRE_OK(write_file(DRIVER "bind", pci));
		wait_for_node(0);
		/* The old file stays dead beside the new device. */
		CHECK_ERRNO(dev_cq(r.fd, 16, NULL), ENODEV);
		no_alias(&r, 0);
		raw_close(&r);
		end_close(&e);
		kill(pid, SIGKILL);
		REQUIRE_EQ(waitpid(pid, NULL, 0), pid);
	}
	nothing_left();
}

/*
 * Who reads without O_NONBLOCK sleeps until there is something; and what could not be handed to him, as his buffer is
 * no memory, is there for the next.
 */
KTAP_TEST(event_reader_sleeps)
{
	char *volatile nowhere = (char *)16;
	char pci[32], path[PATH_MAX];
	struct pnic_event ev;
	struct raw_ep r;
	uint64_t t;
	pid_t pid;
	int status;

	begin();
	REQUIRE_OK(dev_pci(0, pci, sizeof(pci)));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/reset", pci);
	REQUIRE_OK(raw_open(&r, 0));
	REQUIRE_OK(fcntl(r.fd, F_SETFL, fcntl(r.fd, F_GETFL) & ~O_NONBLOCK));
	fflush(stdout);
	pid = fork();
	if (!pid) {
		sleep_ms(500);
		_exit(write_file(path, "1") ? 1 : 0);
	}
	REQUIRE_OK(pid);
	t = now_ns();
	CHECK_ERRNO(read(r.fd, nowhere, sizeof(ev)), EFAULT);
	CHECK_GT(now_ns() - t, 100000000ull);
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(read(r.fd, &ev, sizeof(ev)), (ssize_t)sizeof(ev));
	CHECK_EQ(ev.type, PNIC_EVT_RESET);
	CHECK_ERRNO(read(r.fd, &ev, sizeof(ev)), EIO);
	CHECK_ERRNO(read(r.fd, &ev, sizeof(ev) - 1), EINVAL);
	raw_close(&r);
	nothing_left();
}

/* Function-level reset by sysfs: open contexts are dead and told so, the next open works. */
KTAP_TEST(function_level_reset)
{
	char pci[32], path[PATH_MAX];
	struct pnic_ioc_info info;
	struct pnic_event ev;
	struct raw_ep r;
	uint32_t epoch;
	int k, fd;
	pid_t pid;

	begin();
	REQUIRE_OK(dev_pci(0, pci, sizeof(pci)));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/reset", pci);
	for (k = 0; k < 5; k++) {
		pid = start_endless();
		REQUIRE_OK(raw_open(&r, 0));
		REQUIRE_OK(raw_nop(&r, 1));
		epoch = r.info.epoch;
		REQUIRE_OK(write_file(path, "1"));
		REQUIRE_OK(dev_event(r.fd, PNIC_EVT_RESET, WAIT_MS, &ev));
		CHECK_GT(ev.data, epoch);
		over(r.fd, EIO, POLLERR);
		CHECK_ERRNO(dev_cq(r.fd, 16, NULL), EIO);
		CHECK_ERRNO(dev_mr(r.fd, &r, 16, 0, NULL), EIO);
		CHECK_ERRNO(dev_handle(r.fd, PNIC_IOC_EP_RESET, r.ep.handle), EIO);
		/* Its doorbells lead nowhere, but can be touched. */
		r.db[r.ep.sq_slot] = 99;
		*r.wake = 1;
		CHECK_EQ(raw_poll(&r, &(struct pnic_cqe) { 0 }, 50), -1);
		fd = dev_open(0);
		REQUIRE_OK(fd);
		CHECK_OK(dev_info(fd, &info));
		CHECK_EQ(info.epoch, ev.data);
		close(fd);
		no_alias(&r, 0);
		raw_close(&r);
		kill(pid, SIGKILL);
		REQUIRE_EQ(waitpid(pid, NULL, 0), pid);
		CHECK_OK(raw_open(&r, 0));
		CHECK_OK(raw_nop(&r, 2));
		raw_close(&r);
	}
	nothing_left();
}

/* After a reset of one card the two talk again, at full width. */
KTAP_TEST(traffic_after_reset)
{
	const struct end_attr attr = { .size = MEM };
	char pci[32], path[PATH_MAX];
	struct end a, b;
	int k;

	begin();
	for (k = 0; k < 4; k++) {
		REQUIRE_OK(dev_pci(k % 2, pci, sizeof(pci)));
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/reset", pci);
		REQUIRE_OK(write_file(path, "1"));
		REQUIRE_EQ(end_open(&a, 0, &attr), 0);
		REQUIRE_EQ(end_open(&b, 1, &attr), 0);
		pattern_fill(a.mem, MEM, k);
		REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem, MEM, a.mr->key, (uintptr_t)b.mem, b.mr->key, 1,
					   PNIC_SQF_SIGNALED), 0);
		pnic_ring(a.ep);
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_OK);
		CHECK_EQ(pattern_check(b.mem, MEM, k), MEM);
		end_close(&a);
		end_close(&b);
	}
	nothing_left();
}

/* A transfer that was under way to a card when that was reset ends with an error. */
KTAP_TEST(peer_reset)
{
	const struct end_attr attr = { .size = MEM };
	char pci[32], path[PATH_MAX];
	struct end a, b;
	unsigned int ended[PNIC_ST_FATAL + 1] = { 0 };
	int i, status;

	begin();
	REQUIRE_EQ(end_open(&a, 0, &attr), 0);
	REQUIRE_EQ(end_open(&b, 1, &attr), 0);
	REQUIRE_OK(dev_pci(1, pci, sizeof(pci)));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/reset", pci);
	for (i = 0; i < 100; i++)
		REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem, MEM, a.mr->key, (uintptr_t)b.mem, b.mr->key, i,
					   PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
	REQUIRE_OK(write_file(path, "1"));
	for (i = 0; i < 100; i++) {
		status = end_status(&a, WAIT_MS);
		REQUIRE_GE(status, 0);
		ended[status]++;
	}
	/* Depending on how far the reset was. */
	for (i = 0; i <= PNIC_ST_FATAL; i++)
		if (ended[i] && i != PNIC_ST_OK && i != PNIC_ST_PEER_RESET && i != PNIC_ST_REMOTE_EP &&
		    i != PNIC_ST_REMOTE_KEY && i != PNIC_ST_REMOTE_DMA)
			ktap_failed(__FILE__, __LINE__, "%u transfers ended with %s", ended[i],
				    pnic_status_str(i));
	CHECK_LT(ended[PNIC_ST_OK], 100);
	end_close(&a);
	end_close(&b);
	nothing_left();
}

/* The last test: the module itself, with open files refused, without them ten times. */
KTAP_TEST(module_removed)
{
	struct raw_ep r;
	int i;

	begin();
	if (access(module_path(), R_OK))
		SKIP("no module at %s", module_path());
	REQUIRE_OK(raw_open(&r, 0));
	CHECK_ERRNO(syscall(SYS_delete_module, "pnic", O_NONBLOCK), EWOULDBLOCK);
	CHECK_OK(raw_nop(&r, 1));
	raw_close(&r);
	for (i = 0; i < 10; i++) {
		REQUIRE_OK(syscall(SYS_delete_module, "pnic", O_NONBLOCK));
		CHECK_ERRNO(dev_open(0), ENOENT);
		CHECK_EQ(pinned_pages(), pinned_before);
		REQUIRE_OK(module_insert());
		wait_for_node(0);
		wait_for_node(1);
		REQUIRE_OK(raw_open(&r, i % 2));
		CHECK_OK(raw_nop(&r, 1));
		raw_close(&r);
	}
	nothing_left();
}

KTAP_MAIN()
