// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * Memory of devices (FI_HMEM): dma-bufs of udmabuf, whose bytes the test sees by a mapping of its own while the program's name for
 * them is an address where nothing is. Cards in a process don't know dma-bufs, so this needs the driver.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "suite.h"
#include "udmabuf.h"

#define MEM	(1u << 20)
#define LEN	(4u << 20)
#define FAR	((char *)0x7000000000ull)	/* where the device has it */
#define ACCESS	(FI_SEND | FI_RECV | FI_READ | FI_WRITE | FI_REMOTE_READ | FI_REMOTE_WRITE)

static const struct opts hmem = { .caps = CAPS | FI_HMEM,
				  .mr_mode = FI_MR_VIRT_ADDR | FI_MR_ALLOCATED | FI_MR_PROV_KEY | FI_MR_HMEM };
static int ctx[8];

/* --- exporters ---------------------------------------------------------------------------------- */

/*
 * udmabuf's memory can be mapped and is coherent; that of other devices is not. So the provider's calls come by here: where it maps
 * a dma-buf it may hear that this can't be, and it has to say when it looks at one and when it does no longer.
 */
static bool refuse_maps, registering;
static unsigned int refused, looks, ends;

/* Sanitizers have such functions of their own, and their programs' cards know no dma-bufs. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
__attribute__((visibility("default"))) void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	if (refuse_maps && registering && flags & MAP_SHARED) {
		refused++;
		errno = ENODEV;
		return MAP_FAILED;
	}
	return (void *)syscall(SYS_mmap, addr, len, prot, flags, fd, offset);
}

__attribute__((visibility("default"))) int ioctl(int fd, unsigned long request, ...)
{
	struct dma_buf_sync *sync;
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	sync = arg;
	if (request == DMA_BUF_IOCTL_SYNC) {
		CHECK_EQ(sync->flags & DMA_BUF_SYNC_RW, DMA_BUF_SYNC_RW);
		if (sync->flags & DMA_BUF_SYNC_END)
			ends++;
		else
			looks++;
	}
	return (int)syscall(SYS_ioctl, fd, request, arg);
}
#endif

/* --- devices ------------------------------------------------------------------------------------ */

struct device {
	int fd;
	char *seen;		/* our mapping */
	struct fid_mr *mr;
	void *desc;
	char *name;		/* what the program calls its first byte */
};

/* The bytes from @offset on. */
static void device_open_for(struct node *n, struct device *d, uint64_t offset, uint64_t access)
{
	struct fi_mr_dmabuf dma = { .offset = offset, .len = LEN - offset, .base_addr = FAR };
	struct fi_mr_attr attr = { .dmabuf = &dma, .iov_count = 1, .access = access, .iface = FI_HMEM_CUDA };

	d->fd = udmabuf_buffer(LEN);
	if (d->fd < 0)
		SKIP("there is no /dev/udmabuf");
	dma.fd = d->fd;
	d->seen = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, d->fd, 0);
	REQUIRE(d->seen != MAP_FAILED);
	registering = true;
	REQUIRE_FI(fi_mr_regattr(n->domain, &attr, FI_MR_DMABUF, &d->mr));
	registering = false;
	d->desc = fi_mr_desc(d->mr);
	d->seen += offset;
	d->name = FAR + offset;
	/* The provider keeps what it needs. */
	close(d->fd);
}

static void device_open(struct node *n, struct device *d, uint64_t offset)
{
	device_open_for(n, d, offset, ACCESS);
}

static void device_close(struct device *d, uint64_t offset)
{
	CHECK_EQ(fi_close(&d->mr->fid), 0);
	munmap(d->seen - offset, LEN);
}

static void open_pair(void)
{
	struct fi_info *h = suite_hints(&hmem), *info = NULL;
	int err = suite_getinfo(0, h, &info);

	suite_freeinfo(h);
	if (err == -FI_ENODATA)
		SKIP("these cards know no dma-bufs");
	REQUIRE_FI(err);
	CHECK(info->caps & FI_HMEM);
	CHECK(info->domain_attr->mr_mode & FI_MR_HMEM);
	suite_freeinfo(info);
	pair_open(&hmem, MEM);
}

static const size_t lens[] = { 1, 200, 257, 3000, 8192, 8193, 100001, 3 << 20 };

KTAP_TEST(hmem_messages)
{
	struct device a, b;
	size_t i;

	open_pair();
	device_open(&n0, &a, 0);
	device_open(&n1, &b, 5000);
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		fill(a.seen + 10, lens[i], (unsigned int)i);
		memset(b.seen, 0, LEN - 5000);
		REQUIRE_FI(fi_trecv(n1.ep, b.name + 7, lens[i], b.desc, FI_ADDR_UNSPEC, i, 0, &ctx[1]));
		REQUIRE_FI(retry(fi_tsend(n0.ep, a.name + 10, lens[i], a.desc, n0.peer[1], i, &ctx[0])));
		CHECK_EQ(node_done(&n1, &ctx[1]).len, lens[i]);
		node_done(&n0, &ctx[0]);
		CHECK(same(b.seen + 7, lens[i], (unsigned int)i));
		CHECK_EQ(b.seen[6], 0);
		CHECK_EQ(b.seen[7 + lens[i]], 0);
	}
	/* From usual memory, unexpected, into a device's; lists of both. */
	fill(n0.mem, 5000, 50);
	REQUIRE_FI(retry(fi_send(n0.ep, n0.mem, 5000, NULL, n0.peer[1], &ctx[0])));
	node_done(&n0, &ctx[0]);
	{
		struct iovec iov[2] = { { n1.mem, 1000 }, { b.name, 4000 } };
		void *desc[2] = { NULL, b.desc };

		REQUIRE_FI(fi_recvv(n1.ep, iov, desc, 2, FI_ADDR_UNSPEC, &ctx[1]));
		node_done(&n1, &ctx[1]);
		CHECK(!memcmp(n1.mem, n0.mem, 1000));
		CHECK(!memcmp(b.seen, n0.mem + 1000, 4000));
	}
	/* Bytes that aren't in it. */
	CHECK_EQ(fi_send(n0.ep, a.name - 1, 10, a.desc, n0.peer[1], &ctx[0]), -FI_EINVAL);
	CHECK_EQ(fi_send(n0.ep, a.name + LEN - 5, 10, a.desc, n0.peer[1], &ctx[0]), -FI_EINVAL);
	device_close(&a, 0);
	device_close(&b, 5000);
	pair_close();
}

/* By writes from @a, and by reads into it again. */
static void there_and_back(struct device *a, struct device *b)
{
	uint64_t there = (uint64_t)(uintptr_t)b->name + 3, key = fi_mr_key(b->mr);
	size_t i;

	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		fill(a->seen, lens[i], (unsigned int)i);
		memset(b->seen, 0, 3 + lens[i] + 1);
		REQUIRE_FI(retry(fi_write(n0.ep, a->name, lens[i], a->desc, n0.peer[1], there, key, &ctx[0])));
		node_done(&n0, &ctx[0]);
		CHECK(same(b->seen + 3, lens[i], (unsigned int)i));
		CHECK_EQ(b->seen[2], 0);
		CHECK_EQ(b->seen[3 + lens[i]], 0);
		memset(a->seen, 0, lens[i]);
		REQUIRE_FI(retry(fi_read(n0.ep, a->name, lens[i], a->desc, n0.peer[1], there, key, &ctx[0])));
		node_done(&n0, &ctx[0]);
		CHECK(same(a->seen, lens[i], (unsigned int)i));
	}
}

KTAP_TEST(hmem_rma)
{
	struct device a, b;

	open_pair();
	device_open(&n0, &a, 4096);
	device_open(&n1, &b, 0);
	there_and_back(&a, &b);
	device_close(&a, 4096);
	device_close(&b, 0);
	pair_close();
}

KTAP_TEST(hmem_atomics)
{
	uint64_t there, key, *seen, *mine;
	struct device a, b;
	int i;

	open_pair();
	device_open(&n0, &a, 0);
	device_open(&n1, &b, 0);
	there = (uint64_t)(uintptr_t)b.name;
	key = fi_mr_key(b.mr);
	seen = (uint64_t *)(void *)b.seen;
	mine = (uint64_t *)(void *)a.seen;
	mine[0] = 5;
	for (i = 0; i < 10; i++) {
		REQUIRE_FI(retry(fi_fetch_atomic(n0.ep, a.name, 1, a.desc, a.name + 8, a.desc, n0.peer[1], there + 16, key,
						 FI_UINT64, FI_SUM, &ctx[0])));
		node_done(&n0, &ctx[0]);
		CHECK_EQ(mine[1], 5 * (uint64_t)i);
	}
	CHECK_EQ(seen[2], 50);
	mine[2] = 50;
	REQUIRE_FI(retry(fi_compare_atomic(n0.ep, a.name, 1, a.desc, a.name + 16, a.desc, a.name + 8, a.desc, n0.peer[1],
					   there + 16, key, FI_UINT64, FI_CSWAP, &ctx[0])));
	node_done(&n0, &ctx[0]);
	CHECK_EQ(mine[1], 50);
	CHECK_EQ(seen[2], 5);
	CHECK_EQ(fi_compare_atomic(n0.ep, a.name, 1, a.desc, a.name + LEN - 4, a.desc, a.name + 8, a.desc, n0.peer[1],
				   there + 16, key, FI_UINT64, FI_CSWAP, &ctx[0]), -FI_EINVAL);
	device_close(&a, 0);
	device_close(&b, 0);
	pair_close();
}

static unsigned int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	REQUIRE(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* A dma-buf is held, and open to the processor, from its registration to its end. */
KTAP_TEST(hmem_held)
{
	unsigned int before;
	struct device a, b;

	open_pair();
	before = descriptors();
	looks = ends = 0;
	device_open(&n0, &a, 0);
	CHECK_EQ(looks, 1);
	device_open(&n1, &b, 0);
	CHECK_EQ(looks, 2);
	CHECK_EQ(ends, 0);
	device_close(&a, 0);
	CHECK_EQ(ends, 1);
	device_close(&b, 0);
	CHECK_EQ(ends, 2);
	CHECK_EQ(descriptors(), before);
	pair_close();
}

/* What the processor can't look at is for RMA, of any length; the card moves it all. */
KTAP_TEST(hmem_unmapped)
{
	struct device a, b;
	struct iovec iov[2];
	uint64_t there, key;
	void *desc[2];

	open_pair();
	refused = looks = 0;
	refuse_maps = true;
	device_open(&n0, &a, 0);
	device_open(&n1, &b, 4096);
	refuse_maps = false;
	CHECK_EQ(refused, 2);
	CHECK_EQ(looks, 0);
	there = (uint64_t)(uintptr_t)b.name;
	key = fi_mr_key(b.mr);
	there_and_back(&a, &b);
	/* Lists of usual memory and of this. */
	desc[0] = NULL;
	desc[1] = a.desc;
	iov[0] = (struct iovec){ n0.mem, 50 };
	iov[1] = (struct iovec){ a.name, 50 };
	fill(b.seen, 100, 70);
	memset(a.seen, 0, 51);
	REQUIRE_FI(retry(fi_readv(n0.ep, iov, desc, 2, n0.peer[1], there, key, &ctx[0])));
	node_done(&n0, &ctx[0]);
	CHECK(!memcmp(n0.mem, b.seen, 50));
	CHECK(!memcmp(a.seen, b.seen + 50, 50));
	CHECK_EQ(a.seen[50], 0);
	memset(b.seen, 0, 101);
	REQUIRE_FI(retry(fi_writev(n0.ep, iov, desc, 2, n0.peer[1], there, key, &ctx[0])));
	node_done(&n0, &ctx[0]);
	CHECK(same(b.seen, 100, 70));
	CHECK_EQ(b.seen[100], 0);
	/* What software does. */
	CHECK_EQ(fi_send(n0.ep, a.name, 10, a.desc, n0.peer[1], &ctx[0]), -FI_EOPNOTSUPP);
	CHECK_EQ(fi_sendv(n0.ep, iov, desc, 2, n0.peer[1], &ctx[0]), -FI_EOPNOTSUPP);
	CHECK_EQ(fi_recv(n0.ep, a.name, 10, a.desc, FI_ADDR_UNSPEC, &ctx[0]), -FI_EOPNOTSUPP);
	CHECK_EQ(fi_atomic(n0.ep, a.name, 1, a.desc, n0.peer[1], there, key, FI_UINT64, FI_SUM, &ctx[0]), -FI_EOPNOTSUPP);
	{
		struct fi_rma_iov far = { there, 10, key };
		struct iovec ten = { a.name, 10 };
		struct fi_msg_rma msg = { .msg_iov = &ten, .desc = &a.desc, .iov_count = 1, .addr = n0.peer[1],
					  .rma_iov = &far, .rma_iov_count = 1, .context = &ctx[0] };

		CHECK_EQ(fi_writemsg(n0.ep, &msg, FI_INJECT | FI_COMPLETION), -FI_EOPNOTSUPP);
	}
	/* And what a peer asks software to do. */
	*(uint64_t *)(void *)n0.mem = 1;
	REQUIRE_FI(retry(fi_atomic(n0.ep, n0.mem, 1, NULL, n0.peer[1], there, key, FI_UINT64, FI_SUM, &ctx[0])));
	node_fails(&n0, &ctx[0], FI_EOPNOTSUPP);
	CHECK(same(b.seen, 100, 70));
	device_close(&a, 0);
	device_close(&b, 4096);
	pair_close();
}

/* A region for one thing only does that one: there is no second registration of such memory that could help. */
KTAP_TEST(hmem_rights)
{
	struct device a, b, c;
	uint64_t there, key;
	size_t i;

	open_pair();
	refuse_maps = true;
	device_open_for(&n0, &a, 0, FI_WRITE);
	device_open_for(&n1, &b, 0, FI_REMOTE_WRITE | FI_REMOTE_READ);
	device_open_for(&n0, &c, 0, FI_READ);
	refuse_maps = false;
	there = (uint64_t)(uintptr_t)b.name;
	key = fi_mr_key(b.mr);
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		fill(a.seen, lens[i], (unsigned int)i);
		REQUIRE_FI(retry(fi_write(n0.ep, a.name, lens[i], a.desc, n0.peer[1], there, key, &ctx[0])));
		node_done(&n0, &ctx[0]);
		REQUIRE_FI(retry(fi_read(n0.ep, c.name, lens[i], c.desc, n0.peer[1], there, key, &ctx[0])));
		node_done(&n0, &ctx[0]);
		CHECK(same(c.seen, lens[i], (unsigned int)i));
	}
	CHECK(fi_read(n0.ep, a.name, 3000, a.desc, n0.peer[1], there, key, &ctx[0]));
	device_close(&a, 0);
	device_close(&b, 0);
	device_close(&c, 0);
	pair_close();
}

KTAP_TEST(hmem_refused)
{
	struct fi_mr_attr attr = { .iov_count = 1, .access = ACCESS, .iface = FI_HMEM_CUDA };
	struct iovec iov = { FAR, 4096 };
	struct fi_info *h, *info = NULL;
	struct fid_mr *mr;

	/* Whoever asks for it says that he registers what he sends. */
	h = suite_hints(&hmem);
	h->domain_attr->mr_mode &= ~FI_MR_HMEM;
	CHECK_EQ(suite_getinfo(0, h, &info), -FI_ENODATA);
	suite_freeinfo(h);
	open_pair();
	attr.mr_iov = &iov;
	CHECK_EQ(fi_mr_regattr(n0.domain, &attr, 0, &mr), -FI_EOPNOTSUPP);
	pair_close();
}

KTAP_MAIN()
