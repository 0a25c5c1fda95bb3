// SPDX-License-Identifier: GPL-2.0
/* /dev/pnicN by bare system calls, see device.h. */
#include "device.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RESOURCES	"/sys/kernel/debug/pnic/*/resources"
#define COUNTERS	"/sys/kernel/debug/pnic/*/counters"
#define RNR_US		1000000u

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

int no_descriptors_left(struct rlimit *was)
{
	struct rlimit none;
	int fd = dup(0);

	if (fd < 0 || getrlimit(RLIMIT_NOFILE, was))
		return -1;
	close(fd);
	none = *was;
	none.rlim_cur = (rlim_t)fd;
	return setrlimit(RLIMIT_NOFILE, &none);
}

int dev_become(uint32_t uid)
{
	return setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid) ? -1 : 0;
}

void sleep_ms(unsigned int ms)
{
	const struct timespec ts = { ms / 1000, ms % 1000 * 1000000l };

	nanosleep(&ts, NULL);
}

int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;
	int err;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	err = errno;
	close(fd);
	errno = err;
	return n < 0 ? -1 : 0;
}

int dev_open(unsigned int nic)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/pnic%u", nic);
	return open(path, O_RDWR | O_CLOEXEC);
}

/* The host tests are built for cards in the process. */
#ifndef DEVICES
#define DEVICES	"pnic"
#endif

static const char *devices(void)
{
	const char *prefix = getenv("PNIC_DEVICES");

	return prefix ? prefix : DEVICES;
}

const char *dev_name(unsigned int nic, char *name, size_t size)
{
	snprintf(name, size, "%s%u", devices(), nic);
	return name;
}

bool dev_embedded(void)
{
	return !strncmp(devices(), "embedded:", 9);
}

bool dev_present(unsigned int nics)
{
	char path[32];

	if (dev_embedded())
		return nics <= 8;
	while (nics--) {
		snprintf(path, sizeof(path), "/dev/pnic%u", nics);
		if (access(path, F_OK))
			return false;
	}
	return true;
}

int dev_pci(unsigned int nic, char *name, size_t size)
{
	char link[64], target[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/sys/class/pnic/pnic%u/device", nic);
	n = readlink(link, target, sizeof(target) - 1);
	if (n < 0)
		return -1;
	target[n] = 0;
	snprintf(name, size, "%s", strrchr(target, '/') + 1);
	return 0;
}

int dev_info(int fd, struct pnic_ioc_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return ioctl(fd, PNIC_IOC_INFO, info);
}

int dev_link(int fd, struct pnic_ioc_link_info *link)
{
	memset(link, 0, sizeof(*link));
	link->size = sizeof(*link);
	return ioctl(fd, PNIC_IOC_LINK_INFO, link);
}

int dev_ctx_page(int fd, uint32_t partition, uint64_t *page_offset)
{
	struct pnic_ioc_ctx_create arg = { .size = sizeof(arg), .partition = partition };
	int ret = ioctl(fd, PNIC_IOC_CTX_CREATE, &arg);

	*page_offset = arg.page_offset;
	return ret;
}

int dev_ctx(int fd, uint32_t partition)
{
	uint64_t ignored;

	return dev_ctx_page(fd, partition, &ignored);
}

int dev_mr(int fd, void *addr, uint64_t length, uint32_t flags, struct pnic_ioc_mr_reg *mr)
{
	struct pnic_ioc_mr_reg own;

	if (!mr)
		mr = &own;
	*mr = (struct pnic_ioc_mr_reg) { .size = sizeof(*mr), .flags = flags,
		.addr = (uintptr_t)addr, .length = length };
	return ioctl(fd, PNIC_IOC_MR_REG, mr);
}

int dev_cq(int fd, uint32_t entries, struct pnic_ioc_cq_create *cq)
{
	struct pnic_ioc_cq_create own;

	if (!cq)
		cq = &own;
	*cq = (struct pnic_ioc_cq_create) { .size = sizeof(*cq), .entries = entries, .eventfd = -1 };
	return ioctl(fd, PNIC_IOC_CQ_CREATE, cq);
}

static int make_ep(int fd, uint32_t send_cq, uint32_t recv_cq, uint32_t rnr_timeout_us,
		   struct pnic_ioc_ep_create *ep)
{
	*ep = (struct pnic_ioc_ep_create) { .size = sizeof(*ep), .sq_slots = 64, .rq_entries = 64,
		.send_cq = send_cq, .recv_cq = recv_cq, .rnr_timeout_us = rnr_timeout_us };
	return ioctl(fd, PNIC_IOC_EP_CREATE, ep);
}

int dev_ep(int fd, uint32_t send_cq, uint32_t recv_cq, struct pnic_ioc_ep_create *ep)
{
	struct pnic_ioc_ep_create own;

	return make_ep(fd, send_cq, recv_cq, RNR_US, ep ? ep : &own);
}

int dev_handle(int fd, unsigned long request, uint32_t handle)
{
	struct pnic_ioc_handle h = { .size = sizeof(h), .handle = handle };

	return ioctl(fd, request, &h);
}

int dev_event(int fd, uint32_t type, int timeout_ms, struct pnic_event *ev)
{
	uint64_t end = now_ns() + timeout_ms * 1000000ull;
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct pnic_event got;
	uint64_t now;

	for (;;) {
		now = now_ns();
		if (now >= end || poll(&pfd, 1, (end - now) / 1000000 + 1) == 0) {
			errno = ETIME;
			return -1;
		}
		if (!(pfd.revents & POLLIN)) {
			/* A dead file may have nothing but an error to tell. */
			sleep_ms(5);
			continue;
		}
		if (read(fd, &got, sizeof(got)) != sizeof(got))
			return -1;
		if (got.type != type)
			continue;
		if (ev)
			*ev = got;
		return 0;
	}
}

static size_t append(char *buf, size_t used, size_t size, const char *path)
{
	char line[256];
	FILE *f = fopen(path, "re");

	if (!f)
		return used;
	while (fgets(line, sizeof(line), f) && used < size)
		used += snprintf(buf + used, size - used, "%s", line);
	fclose(f);
	return used < size ? used : size;
}

static int read_all(struct resources *r, const char *pattern)
{
	size_t used = 0, i;
	glob_t g;

	r->text[0] = 0;
	/* There is no driver that would hold anything. */
	if (dev_embedded())
		return 0;
	if (glob(pattern, 0, NULL, &g)) {
		errno = ENOENT;
		return -1;
	}
	for (i = 0; i < g.gl_pathc; i++)
		used = append(r->text, used, sizeof(r->text), g.gl_pathv[i]);
	globfree(&g);
	return 0;
}

int resources_read(struct resources *r)
{
	return read_all(r, RESOURCES);
}

bool resources_settle(const struct resources *want, struct resources *now, int timeout_ms)
{
	uint64_t end = now_ns() + timeout_ms * 1000000ull;

	for (;;) {
		if (!resources_read(now) && !strcmp(want->text, now->text))
			return true;
		if (now_ns() > end)
			return false;
		sleep_ms(10);
	}
}

long resources_number(const struct resources *r, const char *name)
{
	size_t len = strlen(name);
	const char *p = r->text;
	long sum = -1;

	while (*p) {
		p += strspn(p, " \t\n");
		if (!strncmp(p, name, len) && strchr(" \t:", p[len])) {
			sum += sum < 0;
			sum += strtol(p + len + strspn(p + len, " \t:"), NULL, 0);
		}
		p += strcspn(p, "\n");
	}
	return sum;
}

long driver_counter(const char *name)
{
	struct resources r;

	return read_all(&r, COUNTERS) ? -1 : resources_number(&r, name);
}

long pinned_pages(void)
{
	long acquired = 0, released = 0, n;
	char name[64];
	FILE *f;

	/* What each processor has counted is added up now and not in a second. */
	if (write_file("/proc/sys/vm/stat_refresh", "1"))
		return -1;
	f = fopen("/proc/vmstat", "re");
	if (!f)
		return -1;
	while (fscanf(f, "%63s %ld", name, &n) == 2) {
		if (!strcmp(name, "nr_foll_pin_acquired"))
			acquired = n;
		if (!strcmp(name, "nr_foll_pin_released"))
			released = n;
	}
	fclose(f);
	return acquired - released;
}

long proc_status_kb(int pid, const char *field)
{
	char path[40], line[160];
	size_t len = strlen(field);
	long kb = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, field, len) && line[len] == ':')
			kb = strtol(line + len + 1, NULL, 10);
	fclose(f);
	return kb;
}

static void *map(int fd, uint64_t offset, size_t length, int prot)
{
	void *p = mmap(NULL, length, prot, MAP_SHARED, fd, offset);

	return p == MAP_FAILED ? NULL : p;
}

int raw_open(struct raw_ep *r, unsigned int nic)
{
	return raw_open_rnr(r, nic, RNR_US);
}

int raw_open_rnr(struct raw_ep *r, unsigned int nic, uint32_t rnr_timeout_us)
{
	memset(r, 0, sizeof(*r));
	r->fd = dev_open(nic);
	if (r->fd < 0)
		return -1;
	if (dev_info(r->fd, &r->info) || dev_ctx_page(r->fd, 0, &r->ctx_page) ||
	    dev_cq(r->fd, 64, &r->cq) || make_ep(r->fd, r->cq.handle, r->cq.handle, rnr_timeout_us, &r->ep))
		goto close;
	r->ring = map(r->fd, r->cq.ring_offset, r->cq.ring_length, PROT_READ | PROT_WRITE);
	r->sq = map(r->fd, r->ep.sq_offset, r->ep.sq_length, PROT_READ | PROT_WRITE);
	r->rq = map(r->fd, r->ep.rq_offset, r->ep.rq_length, PROT_READ | PROT_WRITE);
	r->db = map(r->fd, r->ep.db_offset, 4096, PROT_READ | PROT_WRITE);
	r->wake = map(r->fd, r->ep.wake_offset, 4096, PROT_WRITE);
	if (r->ring && r->sq && r->rq && r->db && r->wake)
		return 0;
close:
	raw_close(r);
	return -1;
}

void raw_close(struct raw_ep *r)
{
	int err = errno;

	if (r->ring)
		munmap(r->ring, r->cq.ring_length);
	if (r->sq)
		munmap(r->sq, r->ep.sq_length);
	if (r->rq)
		munmap(r->rq, r->ep.rq_length);
	if (r->db)
		munmap((void *)r->db, 4096);
	if (r->wake)
		munmap((void *)r->wake, 4096);
	if (r->fd >= 0)
		close(r->fd);
	memset(r, 0, sizeof(*r));
	r->fd = -1;
	errno = err;
}

void raw_post(struct raw_ep *r, const struct pnic_sqe *sqe)
{
	r->sq[r->sq_tail++ & (r->ep.sq_slots - 1)] = *sqe;
	__atomic_store_n(&r->db[r->ep.sq_slot], r->sq_tail, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (r->db[PNIC_DB_SLOT_PARK] & PNIC_DB_PARKED)
		*r->wake = 1;
}

int raw_poll(struct raw_ep *r, struct pnic_cqe *cqe, int timeout_ms)
{
	uint64_t end = now_ns() + timeout_ms * 1000000ull;
	uint32_t log = __builtin_ctz(r->cq.entries);
	uint32_t want, flags;
	struct pnic_cqe *c;

	c = &r->ring[r->cq_head & (r->cq.entries - 1)];
	want = (r->cq_head >> log) & 1 ? 0 : PNIC_CQE_PHASE;
	for (;;) {
		flags = le32toh(__atomic_load_n(&c->ep_flags, __ATOMIC_ACQUIRE));
		if ((flags & PNIC_CQE_PHASE) == want)
			break;
		if (now_ns() > end) {
			errno = ETIME;
			return -1;
		}
		sched_yield();
	}
	*cqe = *c;
	r->cq_head++;
	__atomic_store_n(&r->db[r->cq.db_slot], r->cq_head, __ATOMIC_RELEASE);
	return 0;
}

int raw_nop(struct raw_ep *r, uint64_t cookie)
{
	struct pnic_sqe sqe = {
		.opcode = PNIC_OP_NOP, .flags = PNIC_SQF_SIGNALED, .num_slots = 1,
		.cookie = htole64(cookie),
	};
	struct pnic_cqe cqe;

	raw_post(r, &sqe);
	if (raw_poll(r, &cqe, 5000))
		return -1;
	errno = EPROTO;
	if (le64toh(cqe.cookie) != cookie ||
	    le32toh(cqe.peer_status) >> PNIC_CQE_HIGH_SHIFT != PNIC_ST_OK)
		return -1;
	return 0;
}

const char *module_path(void)
{
	const char *path = getenv("PNIC_MODULE");

	return path ? path : "/pnic/guest/modules/pnic.ko";
}

int module_insert(void)
{
	int fd, ret;

	fd = open(module_path(), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = syscall(SYS_finit_module, fd, "", 0);
	close(fd);
	return ret;
}
