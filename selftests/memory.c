// SPDX-License-Identifier: GPL-2.0
/*
 * Memory other than plain private pages: dma-bufs that stay and that move, huge pages, memory that can only be read,
 * children that are forked while transfers go on; and the region cache, for which memory goes and comes under its hands.
 */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "device.h"
#include "driver/tests/guest/pnic_movebuf.h"
#include "ktap.h"
#include "mapat.h"
#include "traffic.h"
#include "udmabuf.h"

#define MEM	(4ul << 20)
#define WAIT_MS	20000
#define PAGE	4096ul

static struct end a, b;		/* on NIC 0 and NIC 1 */

static void close_both(void)
{
	end_close(&a);
	end_close(&b);
}

static void open_both(uint64_t needs)
{
	const struct end_attr attr = { .size = MEM, .rnr_timeout_us = 2000000 };
	struct pnic_ioc_info info = { .size = sizeof(info) };

	need_cards(2);
	close_both();
	REQUIRE_EQ(end_open(&a, 0, &attr), 0);
	REQUIRE_EQ(end_open(&b, 1, &attr), 0);
	REQUIRE_EQ(pnic_query(a.ctx, &info), 0);
	if ((info.features & needs) != needs)
		SKIP("the card or the module can't");
}

/* One write from @mr at @src to b's memory at 0; how it ended. */
static int write_out(const struct pnic_mr *mr, const void *src, uint32_t len)
{
	REQUIRE_EQ(pnic_post_write(a.ep, b.addr, src, len, mr->key, (uintptr_t)b.mem, b.mr->key, 1, PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
	return end_status(&a, WAIT_MS);
}

/* One write from a's memory at 0 into @mr of @b. */
static int write_in(const struct pnic_mr *mr, uint64_t at, uint32_t len)
{
	REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem, len, a.mr->key, at, mr->key, 1, PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
	return end_status(&a, WAIT_MS);
}

/* --- dma-bufs ---- */

static int heap_buffer(size_t len)
{
	struct dma_heap_allocation_data data = { .len = len, .fd_flags = O_RDWR | O_CLOEXEC };
	int heap = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);

	if (heap < 0)
		return -1;
	if (ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data))
		data.fd = -1;
	close(heap);
	return data.fd;
}

static void both_ways(int fd, size_t len)
{
	uint8_t *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	struct pnic_mr *from, *to;

	REQUIRE(p != MAP_FAILED);
	SUBTEST("a source, whole") {
		REQUIRE_EQ(pnic_mr_reg_dmabuf(a.ctx, fd, 0, len, p, PNIC_MRF_LOCAL_WRITE, &from), 0);
		pattern_fill(p, len, 1);
		memset(b.mem, 0, len);
		CHECK_EQ(write_out(from, p, len), PNIC_ST_OK);
		CHECK_EQ(pattern_check(b.mem, len, 1), len);
		CHECK_EQ(pnic_mr_dereg(from), 0);
	}
	SUBTEST("a target, a piece at an odd place") {
		REQUIRE_EQ(pnic_mr_reg_dmabuf(b.ctx, fd, 5000, len - 12345, p + 5000, ALL_RIGHTS, &to), 0);
		memset(p, 0x5a, len);
		pattern_fill(a.mem, len, 2);
		CHECK_EQ(write_in(to, (uintptr_t)p + 5000, len - 12345), PNIC_ST_OK);
		CHECK_EQ(pattern_check(p + 5000, len - 12345, 2), len - 12345);
		CHECK_EQ(byte_check(p, 5000, 0x5a), 5000);
		CHECK_EQ(byte_check(p + len - 7345, 7345, 0x5a), 7345);
		CHECK_EQ(write_in(to, (uintptr_t)p + 4999, 1), PNIC_ST_REMOTE_BOUNDS);
		CHECK_EQ(write_in(to, (uintptr_t)p + 5000, len - 12344), PNIC_ST_REMOTE_BOUNDS);
		CHECK_EQ(pnic_mr_dereg(to), 0);
	}
	SUBTEST("offset-addressed, the descriptor closed, the mapping gone") {
		REQUIRE_EQ(pnic_mr_reg_dmabuf(b.ctx, fd, 8192, 8192, (void *)0, ALL_RIGHTS, &to), 0);
		CHECK_EQ(write_in(to, 4000, 4192), PNIC_ST_OK);
		CHECK_EQ(pattern_check(p + 12192, 4192, 2), 4192);
		CHECK_EQ(write_in(to, 4000, 4193), PNIC_ST_REMOTE_BOUNDS);
		munmap(p, len);
		close(fd);
		CHECK_EQ(write_in(to, 0, 8192), PNIC_ST_OK);
		CHECK_EQ(pnic_mr_dereg(to), 0);
	}
}

KTAP_TEST(dma_heap)
{
	int fd;

	open_both(PNIC_FEAT_DMABUF);
	fd = heap_buffer(1 << 20);
	if (fd < 0)
		SKIP("no /dev/dma_heap/system");
	both_ways(fd, 1 << 20);
	close_both();
}

KTAP_TEST(udmabuf)
{
	int fd;

	open_both(PNIC_FEAT_DMABUF);
	fd = udmabuf_buffer(1 << 20);
	if (fd < 0)
		SKIP("no /dev/udmabuf");
	both_ways(fd, 1 << 20);
	close_both();
}

/* One buffer of whatever kind in three regions of one card, of two contexts: each works as if it were alone. */
KTAP_TEST(buffer_of_many_regions)
{
	const size_t len = 256 << 10;
	struct pnic_mr *whole, *half, *others;
	struct pnic_ctx *other;
	char dev[64];
	uint8_t *p;
	int fd;

	open_both(PNIC_FEAT_DMABUF);
	fd = heap_buffer(len);
	if (fd < 0)
		SKIP("no /dev/dma_heap/system");
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(p != MAP_FAILED);
	REQUIRE_EQ(pnic_open(dev_name(1, dev, sizeof(dev)), NULL, &other), 0);
	REQUIRE_EQ(pnic_mr_reg_dmabuf(b.ctx, fd, 0, len, p, ALL_RIGHTS, &whole), 0);
	REQUIRE_EQ(pnic_mr_reg_dmabuf(b.ctx, fd, len / 2, len / 2, (void *)0, ALL_RIGHTS, &half), 0);
	REQUIRE_EQ(pnic_mr_reg_dmabuf(other, fd, 0, len, p, ALL_RIGHTS, &others), 0);
	pattern_fill(a.mem, len, 1);
	CHECK_EQ(write_in(whole, (uintptr_t)p, len), PNIC_ST_OK);
	CHECK_EQ(pattern_check(p, len, 1), len);
	CHECK_EQ(pnic_mr_dereg(whole), 0);
	SUBTEST("the first one has gone") {
		pattern_fill(a.mem, len / 2, 2);
		CHECK_EQ(write_in(half, 0, len / 2), PNIC_ST_OK);
		CHECK_EQ(pattern_check(p + len / 2, len / 2, 2), len / 2);
		/* Into the half that is the others' only. */
		CHECK_EQ(write_in(half, len / 2, 1), PNIC_ST_REMOTE_BOUNDS);
	}
	SUBTEST("and comes again, and the other context goes") {
		REQUIRE_EQ(pnic_mr_reg_dmabuf(b.ctx, fd, 0, len, p, ALL_RIGHTS, &whole), 0);
		CHECK_EQ(pnic_mr_dereg(others), 0);
		pnic_close(other);
		pattern_fill(a.mem, len, 3);
		CHECK_EQ(write_in(whole, (uintptr_t)p, len), PNIC_ST_OK);
		CHECK_EQ(pattern_check(p, len, 3), len);
	}
	CHECK_EQ(pnic_mr_dereg(half), 0);
	CHECK_EQ(pnic_mr_dereg(whole), 0);
	munmap(p, len);
	close(fd);
	close_both();
}

static int movebuf = -1;

static int movebuf_do(unsigned long what, int fd, uint64_t offset, uint64_t length, void *user, uint32_t flag)
{
	struct movebuf_arg arg = {
		.fd = fd, .flags = flag, .offset = offset, .length = length, .user = (uintptr_t)user, .write = flag,
	};

	return ioctl(movebuf, what, &arg);
}

/* Its module stands beside pnic.ko where this runs in the guest. */
static int open_movebuf_ko(void)
{
	const char *pnic = getenv("PNIC_MODULE"), *end = pnic ? strrchr(pnic, '/') : NULL;
	char path[256];

	if (!end)
		return -1;
	snprintf(path, sizeof(path), "%.*s/pnic_movebuf.ko", (int)(end - pnic), pnic);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void open_movebuf(void)
{
	int ko;

	open_both(PNIC_FEAT_DMABUF);
	ko = open_movebuf_ko();
	if (ko >= 0) {
		syscall(SYS_finit_module, ko, "", 0);
		close(ko);
	}
	movebuf = open("/dev/pnic_movebuf", O_RDWR | O_CLOEXEC);
	if (movebuf < 0)
		SKIP("there is no pnic_movebuf.ko");
}

static void close_movebuf(void)
{
	close_both();
	close(movebuf);
	CHECK_OK(syscall(SYS_delete_module, "pnic_movebuf", O_NONBLOCK));
}

static volatile bool stop;

static void *mover(void *arg)
{
	while (!stop) {
		REQUIRE_OK(movebuf_do(MOVEBUF_MOVE, *(int *)arg, 0, 0, NULL, 0));
		sleep_ms(5);
	}
	return arg;
}

/* Until the region is there again: repeated as the header says. */
static int write_moving(const struct pnic_mr *to, uint64_t at, uint32_t len, unsigned int *met)
{
	int status;

	while ((status = write_in(to, at, len)) == PNIC_ST_REMOTE_MOVED)
		(*met)++;
	return status;
}

KTAP_TEST(buffer_that_moves)
{
	const size_t len = 1 << 20;
	static uint8_t copy[1 << 20];
	unsigned int i, met = 0;
	struct pnic_mr *mr;
	pthread_t id;
	int fd;

	open_movebuf();
	fd = movebuf_do(MOVEBUF_CREATE, 0, 0, len, NULL, 0);
	REQUIRE_OK(fd);
	REQUIRE_EQ(pnic_mr_reg_dmabuf(b.ctx, fd, 0, len, (void *)0x100000, ALL_RIGHTS, &mr), 0);
	SUBTEST("what was written moves along, what comes after goes to the new place") {
		for (i = 0; i < 10; i++) {
			pattern_fill(a.mem, len, i);
			CHECK_EQ(write_moving(mr, 0x100000, len, &met), PNIC_ST_OK);
			REQUIRE_OK(movebuf_do(MOVEBUF_MOVE, fd, 0, 0, NULL, 0));
			memset(copy, 0, len);
			REQUIRE_OK(movebuf_do(MOVEBUF_COPY, fd, 0, len, copy, 0));
			CHECK_EQ(pattern_check(copy, len, i), len);
		}
	}
	SUBTEST("while transfers go on") {
		stop = false;
		REQUIRE_EQ(pthread_create(&id, NULL, mover, &fd), 0);
		for (i = 0; i < 200; i++) {
			pattern_fill(a.mem, 300000, i);
			CHECK_EQ(write_moving(mr, 0x100000 + i, 300000, &met), PNIC_ST_OK);
			REQUIRE_OK(movebuf_do(MOVEBUF_COPY, fd, i, 300000, copy, 0));
			if (pattern_check(copy, 300000, i) == 300000)
				continue;
			ktap_failed(__FILE__, __LINE__, "transfer %u: wrong data at %zu", i,
				    pattern_check(copy, 300000, i));
			break;
		}
		stop = true;
		pthread_join(id, NULL);
		ktap_say("%u transfers met a region that was being moved", met);
	}
	SUBTEST("read from it as well") {
		for (i = 0; i < 10; i++) {
			pattern_fill(copy, len, 50 + i);
			REQUIRE_OK(movebuf_do(MOVEBUF_COPY, fd, 0, len, copy, 1));
			REQUIRE_OK(movebuf_do(MOVEBUF_MOVE, fd, 0, 0, NULL, 0));
			do {
				REQUIRE_EQ(pnic_post_read(a.ep, b.addr, a.mem, len, a.mr->key, 0x100000, mr->key, 1,
							  PNIC_SQF_SIGNALED), 0);
				pnic_ring(a.ep);
				met = end_status(&a, WAIT_MS);
			} while (met == PNIC_ST_REMOTE_MOVED);
			CHECK_EQ(met, PNIC_ST_OK);
			CHECK_EQ(pattern_check(a.mem, len, 50 + i), len);
		}
	}
	SUBTEST("deregistered, it moves without us") {
		CHECK_EQ(pnic_mr_dereg(mr), 0);
		CHECK_OK(movebuf_do(MOVEBUF_MOVE, fd, 0, 0, NULL, 0));
	}
	SUBTEST("the context is closed while it moves") {
		for (i = 0; i < 5; i++) {
			REQUIRE_EQ(pnic_mr_reg_dmabuf(b.ctx, fd, 0, len, NULL, ALL_RIGHTS, &mr), 0);
			stop = false;
			REQUIRE_EQ(pthread_create(&id, NULL, mover, &fd), 0);
			sleep_ms(12);
			end_close(&b);
			stop = true;
			pthread_join(id, NULL);
			open_both(0);
		}
	}
	close(fd);
	close_movebuf();
}

/* Both regions of a buffer are told of a move, and both come back. */
KTAP_TEST(buffer_of_many_regions_moves)
{
	const size_t len = 128 << 10;
	static uint8_t copy[128 << 10];
	struct pnic_mr *mr[2];
	unsigned int i, k, met = 0;
	int fd;

	open_movebuf();
	fd = movebuf_do(MOVEBUF_CREATE, 0, 0, len, NULL, 0);
	REQUIRE_OK(fd);
	for (k = 0; k < 2; k++)
		REQUIRE_EQ(pnic_mr_reg_dmabuf(b.ctx, fd, 0, len, (void *)0x100000, ALL_RIGHTS, &mr[k]), 0);
	for (i = 0; i < 10; i++) {
		REQUIRE_OK(movebuf_do(MOVEBUF_MOVE, fd, 0, 0, NULL, 0));
		for (k = 0; k < 2; k++) {
			pattern_fill(a.mem, len, 2 * i + k);
			CHECK_EQ(write_moving(mr[k], 0x100000, len, &met), PNIC_ST_OK);
			REQUIRE_OK(movebuf_do(MOVEBUF_COPY, fd, 0, len, copy, 0));
			CHECK_EQ(pattern_check(copy, len, 2 * i + k), len);
		}
	}
	CHECK_EQ(pnic_mr_dereg(mr[0]), 0);
	REQUIRE_OK(movebuf_do(MOVEBUF_MOVE, fd, 0, 0, NULL, 0));
	pattern_fill(a.mem, len, 99);
	CHECK_EQ(write_moving(mr[1], 0x100000, len, &met), PNIC_ST_OK);
	CHECK_EQ(pnic_mr_dereg(mr[1]), 0);
	close(fd);
	close_movebuf();
}

/* Until the region has come back: -1, if it doesn't. */
static int write_when_back(const struct pnic_mr *to, uint64_t at, uint32_t len)
{
	uint64_t end = now_ns() + ktap_slow() * WAIT_MS * 1000000ull;
	int status;

	while ((status = write_in(to, at, len)) == PNIC_ST_REMOTE_MOVED)
		if (now_ns() > end)
			return -1;
	return status;
}

/* A buffer's owner fails in ways of his own: nothing of that is a word of the card's, and costs nobody the card. */
KTAP_TEST(owner_that_fails)
{
	static const struct {
		int his, ours;
	} errors[] = {
		{ EIO, EFAULT }, { ENODEV, EFAULT }, { ETIMEDOUT, EBUSY }, { ENOMEM, ENOMEM }, { EAGAIN, EAGAIN },
	};
	struct resources before, now;
	struct pnic_mr *mr;
	unsigned int i;
	long resets;
	int fd;

	open_movebuf();
	fd = movebuf_do(MOVEBUF_CREATE, 0, 0, 65536, NULL, 0);
	REQUIRE_OK(fd);
	resets = driver_counter("resets");
	REQUIRE_OK(resources_read(&before));
	SUBTEST("as it is registered") {
		for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
			REQUIRE_OK(movebuf_do(MOVEBUF_FAIL, fd, 0, 1, NULL, errors[i].his));
			CHECK_EQ(pnic_mr_reg_dmabuf(b.ctx, fd, 0, 65536, NULL, ALL_RIGHTS, &mr), -errors[i].ours);
			if (!resources_settle(&before, &now, 3000))
				ktap_failed(__FILE__, __LINE__, "something is left after errno %d:\n%s", errors[i].his,
					    now.text);
		}
	}
	SUBTEST("as it has moved") {
		for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
			REQUIRE_EQ(pnic_mr_reg_dmabuf(b.ctx, fd, 0, 65536, NULL, ALL_RIGHTS, &mr), 0);
			REQUIRE_OK(movebuf_do(MOVEBUF_FAIL, fd, 0, 3, NULL, errors[i].his));
			REQUIRE_OK(movebuf_do(MOVEBUF_MOVE, fd, 0, 0, NULL, 0));
			CHECK_EQ(write_when_back(mr, 0, 65536), PNIC_ST_OK);
			CHECK_EQ(pnic_mr_dereg(mr), 0);
		}
	}
	SUBTEST("and the card serves on") {
		close(fd);
		close_movebuf();
		CHECK_EQ(driver_counter("resets"), resets);
	}
}

KTAP_TEST(bad_buffers)
{
	struct pnic_mr *mr;
	int fd, ro, file;

	open_movebuf();
	fd = movebuf_do(MOVEBUF_CREATE, 0, 0, 65536, NULL, 0);
	ro = movebuf_do(MOVEBUF_CREATE, 0, 0, 65536, NULL, MOVEBUF_READ_ONLY);
	file = memfd_create("no dma-buf", MFD_CLOEXEC);
	REQUIRE_OK(fd);
	REQUIRE_OK(ro);
#define REG(f, offset, length, addr, access) \
	pnic_mr_reg_dmabuf(a.ctx, f, offset, length, (void *)(uintptr_t)(addr), access, &mr)
	CHECK_EQ(pnic_mr_reg_dmabuf(NULL, fd, 0, 4096, NULL, 0, &mr), -EINVAL);
	CHECK_EQ(pnic_mr_reg_dmabuf(a.ctx, fd, 0, 4096, NULL, 0, NULL), -EINVAL);
	CHECK_EQ(REG(-1, 0, 4096, 0, 0), -EBADF);
	CHECK_EQ(REG(12345, 0, 4096, 0, 0), -EBADF);
	CHECK_EQ(REG(file, 0, 4096, 0, 0), -EINVAL);
	CHECK_EQ(REG(fd, 0, 0, 0, 0), -EINVAL);
	CHECK_EQ(REG(fd, 0, 65537, 0, 0), -EINVAL);
	CHECK_EQ(REG(fd, 65536, 1, 0, 0), -EINVAL);
	CHECK_EQ(REG(fd, UINT64_MAX, 2, UINT64_MAX, 0), -EINVAL);
	CHECK_EQ(REG(fd, 0, 4096, 1, 0), -EINVAL);
	CHECK_EQ(REG(fd, 0, 4096, UINT64_MAX - 4095, 0), -EINVAL);
	CHECK_EQ(REG(fd, 0, 4096, 0, PNIC_MRF_WATCH), -EINVAL);
	CHECK_EQ(REG(fd, 0, 4096, 0, 1), -EINVAL);
	CHECK_EQ(REG(ro, 0, 4096, 0, PNIC_MRF_LOCAL_WRITE), -EPERM);
	REQUIRE_EQ(REG(ro, 0, 4096, 0, PNIC_MRF_REMOTE_READ), 0);
	CHECK_EQ(pnic_mr_dereg(mr), 0);
	close(fd);
	close(ro);
	close(file);
	close_movebuf();
}

/* --- huge pages, memory that can only be read, children ---- */

KTAP_TEST(huge_pages)
{
	const size_t len = 4 << 20;
	struct pnic_mr *mr;
	uint8_t *p;

	open_both(0);
	if (write_file("/proc/sys/vm/nr_hugepages", "4"))
		SKIP("no huge pages");
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (p == MAP_FAILED)
		SKIP("no huge pages");
	REQUIRE_EQ(pnic_mr_reg(a.ctx, p + 100, len - 100, PNIC_MRF_LOCAL_WRITE, &mr), 0);
	pattern_fill(p + 100, len - 200, 3);
	CHECK_EQ(write_out(mr, p + 100, len - 200), PNIC_ST_OK);
	CHECK_EQ(pattern_check(b.mem, len - 200, 3), len - 200);
	CHECK_EQ(pnic_mr_dereg(mr), 0);
	munmap(p, len);
	CHECK_OK(write_file("/proc/sys/vm/nr_hugepages", "0"));
	close_both();
}

KTAP_TEST(read_only_memory)
{
	static const char text[8192] = "this is in a read-only section";
	struct pnic_mr *mr;

	open_both(0);
	REQUIRE_EQ(pnic_mr_reg(a.ctx, (void *)(uintptr_t)text, sizeof(text), PNIC_MRF_REMOTE_READ, &mr), 0);
	CHECK_EQ(write_out(mr, text, sizeof(text)), PNIC_ST_OK);
	CHECK(!memcmp(b.mem, text, sizeof(text)));
	/* The card may not write there, whoever asks. */
	REQUIRE_EQ(pnic_post_read(a.ep, b.addr, (void *)(uintptr_t)text, 8, mr->key, (uintptr_t)b.mem, b.mr->key, 1, 0), 0);
	pnic_ring(a.ep);
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_LOCAL_RIGHTS);
	CHECK_EQ(pnic_mr_dereg(mr), 0);
	CHECK_EQ(pnic_mr_reg(a.ctx, (void *)(uintptr_t)text, sizeof(text), PNIC_MRF_LOCAL_WRITE, &mr), -EFAULT);
	close_both();
}

/* The parent keeps its registered pages, a child gets copies: nobody has to do anything for it. */
KTAP_TEST(fork_is_safe)
{
	unsigned int i;
	int status;
	pid_t pid;

	open_both(0);
	for (i = 0; i < 20; i++) {
		pattern_fill(a.mem, MEM / 4, i);
		memset(b.mem, 0, MEM / 4);
		pid = fork();
		REQUIRE_OK(pid);
		if (!pid) {
			/* Its own copy, which nobody sees. */
			bool good = pattern_check(a.mem, MEM / 4, i) == MEM / 4;

			memset(a.mem, 0xee, MEM / 4);
			memset(b.mem, 0xee, MEM / 4);
			_exit(good ? 0 : 1);
		}
		/* Writing after the fork must not leave the card with the child's page. */
		pattern_fill(a.mem, MEM / 4, 1000 + i);
		CHECK_EQ(write_out(a.mr, a.mem, MEM / 4), PNIC_ST_OK);
		CHECK_EQ(pattern_check(b.mem, MEM / 4, 1000 + i), MEM / 4);
		REQUIRE_EQ(waitpid(pid, &status, 0), pid);
		CHECK_EQ(status, 0);
		CHECK_EQ(pattern_check(a.mem, MEM / 4, 1000 + i), MEM / 4);
	}
	close_both();
}

/* --- the region cache ---- */

static struct pnic_mrc *mrc;

static struct pnic_mrc_stats stats_of(void)
{
	struct pnic_mrc_stats s = { 0 };

	CHECK_EQ(pnic_mrc_query(mrc, &s), 0);
	return s;
}

static void open_cache(uint32_t regions, uint64_t bytes)
{
	struct pnic_mrc_attr attr = {
		.size = sizeof(attr), .access = PNIC_MRF_LOCAL_WRITE, .max_regions = regions, .max_bytes = bytes,
	};

	open_both(PNIC_FEAT_WATCH);
	REQUIRE_EQ(pnic_mrc_create(a.ctx, &attr, &mrc), 0);
}

/* What stands at @p arrives. */
static void expect_sent(uint8_t *p, size_t len, uint64_t seed)
{
	struct pnic_mr *mr;

	pattern_fill(p, len, seed);
	memset(b.mem, 0, len);
	REQUIRE_EQ(pnic_mrc_get(mrc, p, len, &mr), 0);
	CHECK_EQ(write_out(mr, p, len), PNIC_ST_OK);
	CHECK_EQ(pattern_check(b.mem, len, seed), len);
	pnic_mrc_put(mrc, mr);
}

KTAP_TEST(cache_hits)
{
	struct pnic_mrc_stats s;
	unsigned int i, k;
	uint8_t *p, *q;

	open_cache(0, 0);
	p = map_at(NULL, 64 * PAGE);
	for (i = 0; i < 50; i++)
		expect_sent(p + 100 * i, 5000, i);
	s = stats_of();
	CHECK_EQ(s.hits + s.misses, 50);
	CHECK_LE(s.misses, 4);
	CHECK_EQ(s.stale, 0);
	expect_sent(p, 64 * PAGE, 7);
	i = stats_of().misses;
	expect_sent(p + 3 * PAGE, 20 * PAGE, 8);
	CHECK_EQ(stats_of().misses, i);
	CHECK_EQ(stats_of().regions, 1);
	SUBTEST("pieces that overlap, in turn") {
		q = map_at(NULL, 64 * PAGE);
		i = stats_of().misses;
		for (k = 0; k < 20; k++)
			expect_sent(q + 16 + k % 3 * 20 * PAGE, 20 * PAGE, k);
		CHECK_EQ(stats_of().misses, i + 3);
		CHECK_EQ(stats_of().regions, 4);
		expect_sent(q, 64 * PAGE, 30);
		CHECK_EQ(stats_of().regions, 2);
		munmap(q, 64 * PAGE);
	}
	CHECK_EQ(pnic_mrc_destroy(mrc), 0);
	munmap(p, 64 * PAGE);
	close_both();
}

KTAP_TEST(cache_is_never_stale)
{
	uint64_t state = 42;
	struct pnic_mr *mr;
	unsigned int i;
	uint8_t *p, *q;

	open_cache(0, 0);
	p = map_at(NULL, 64 * PAGE);
	SUBTEST("unmapped, and mapped anew at the same place") {
		for (i = 0; i < 100; i++) {
			expect_sent(p, 16 * PAGE, i);
			munmap(p, 16 * PAGE);
			map_at(p, 16 * PAGE);
		}
		CHECK_GE(stats_of().stale, 99);
	}
	SUBTEST("mapped over") {
		for (i = 0; i < 20; i++) {
			expect_sent(p, 16 * PAGE, 200 + i);
			map_at(p + 8 * PAGE, PAGE);
		}
	}
	SUBTEST("MADV_DONTNEED") {
		for (i = 0; i < 20; i++) {
			expect_sent(p, 16 * PAGE, 300 + i);
			REQUIRE_OK(madvise(p + (i % 16) * PAGE, PAGE, MADV_DONTNEED));
		}
	}
	SUBTEST("moved away by mremap, and another in its place") {
		expect_sent(p, 16 * PAGE, 400);
		q = mremap(p, 16 * PAGE, 16 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, map_at(NULL, 16 * PAGE));
		REQUIRE(q != MAP_FAILED);
		map_at(p, 16 * PAGE);
		expect_sent(p, 16 * PAGE, 401);
		expect_sent(q, 16 * PAGE, 402);
		munmap(q, 16 * PAGE);
	}
	SUBTEST("unmapped while held: the old pages until it is put, then gone") {
		REQUIRE_EQ(pnic_mrc_get(mrc, p, 16 * PAGE, &mr), 0);
		munmap(p, 16 * PAGE);
		map_at(p, 16 * PAGE);
		expect_sent(p, 16 * PAGE, 500);
		pnic_mrc_put(mrc, mr);
		expect_sent(p, 16 * PAGE, 501);
	}
	SUBTEST("at random") {
		for (i = 0; i < 400; i++) {
			uint32_t first = random_below(&state, 60), n = 1 + random_below(&state, 64 - first - 1);

			if (random_below(&state, 3)) {
				expect_sent(p + first * PAGE, n * PAGE, 1000 + i);
			} else {
				munmap(p + first * PAGE, n * PAGE);
				map_at(p + first * PAGE, n * PAGE);
			}
		}
	}
	SUBTEST("unmapped memory is not to be had") {
		munmap(p, 64 * PAGE);
		CHECK_EQ(pnic_mrc_get(mrc, p, PAGE, &mr), -EFAULT);
	}
	CHECK_EQ(pnic_mrc_destroy(mrc), 0);
	close_both();
}

KTAP_TEST(cache_limits)
{
	struct pnic_mr *mr[4], *more;
	struct resources before, now;
	struct pnic_mrc_stats s;
	unsigned int i;
	uint8_t *p;

	open_cache(4, 20 * PAGE);
	REQUIRE_OK(resources_read(&before));
	p = map_at(NULL, 1024 * PAGE);
	SUBTEST("regions") {
		for (i = 0; i < 20; i++)
			expect_sent(p + 4 * i * PAGE, PAGE, i);
		s = stats_of();
		CHECK_EQ(s.regions, 4);
		CHECK_EQ(s.evicted, 16);
		/* The oldest went: these are the youngest. */
		for (i = 16; i < 20; i++)
			expect_sent(p + 4 * i * PAGE, PAGE, i);
		CHECK_EQ(stats_of().misses, 20);
	}
	SUBTEST("bytes") {
		expect_sent(p + 512 * PAGE, 19 * PAGE, 1);
		CHECK_LE(stats_of().bytes, 20 * PAGE);
	}
	SUBTEST("those that are held don't count, and keep the cache") {
		for (i = 0; i < 4; i++)
			REQUIRE_EQ(pnic_mrc_get(mrc, p + (600 + 40 * i) * PAGE, 30 * PAGE, &mr[i]), 0);
		CHECK_EQ(pnic_mrc_destroy(mrc), -EBUSY);
		for (i = 0; i < 4; i++)
			pnic_mrc_put(mrc, mr[i]);
		CHECK_LE(stats_of().bytes, 20 * PAGE);
	}
	SUBTEST("bad input") {
		struct pnic_mrc_attr attr = { .size = sizeof(attr) };
		struct pnic_mrc *other;

		CHECK_EQ(pnic_mrc_create(NULL, &attr, &other), -EINVAL);
		CHECK_EQ(pnic_mrc_create(a.ctx, NULL, &other), -EINVAL);
		CHECK_EQ(pnic_mrc_create(a.ctx, &attr, NULL), -EINVAL);
		attr.flags = 1;
		CHECK_EQ(pnic_mrc_create(a.ctx, &attr, &other), -EINVAL);
		attr.flags = 0;
		attr.access = PNIC_MRF_WATCH;
		CHECK_EQ(pnic_mrc_create(a.ctx, &attr, &other), -EINVAL);
		CHECK_EQ(pnic_mrc_get(NULL, p, 1, &more), -EINVAL);
		CHECK_EQ(pnic_mrc_get(mrc, p, 1, NULL), -EINVAL);
		CHECK_EQ(pnic_mrc_get(mrc, p, 0, &more), -EINVAL);
		CHECK_EQ(pnic_mrc_get(mrc, p, UINT64_MAX, &more), -EINVAL);
		/* Nor where it begins in a region that is kept. */
		REQUIRE_EQ(pnic_mrc_get(mrc, p, PAGE, &mr[0]), 0);
		CHECK_EQ(pnic_mrc_get(mrc, p + 1, UINT64_MAX, &more), -EINVAL);
		CHECK_EQ(pnic_mrc_get(mrc, p + 1, UINT64_MAX - PAGE, &more), -EINVAL);
		pnic_mrc_put(mrc, mr[0]);
		CHECK_EQ(pnic_mrc_query(NULL, &s), -EINVAL);
		CHECK_EQ(pnic_mr_reg(a.ctx, p, PAGE, PNIC_MRF_WATCH, &more), -EINVAL);
		CHECK_EQ(pnic_mrc_destroy(NULL), 0);
		pnic_mrc_put(NULL, NULL);
	}
	CHECK_EQ(pnic_mrc_destroy(mrc), 0);
	CHECK(resources_settle(&before, &now, 3000));
	munmap(p, 1024 * PAGE);
	close_both();
}

KTAP_MAIN()
