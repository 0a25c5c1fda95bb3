// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * The NCCL plugin on cards behind the kernel, in the guest: rings of every version, and memory that comes by a dma-buf. What doesn't
 * need a kernel is in nccl.c.
 */
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "rings.h"
#include "selftests/ktap.h"

#define SIZE	(1 << 20)

static const struct door *const newest = &doors[DOORS - 1];
static void *ctx;

KTAP_TEST(found)
{
	struct nccl_props_v12 p;
	int n, i;

	/* Nobody named them. */
	CHECK(!getenv("PNIC_NCCL_DEVICES"));
	REQUIRE_EQ(newest->devices(&n), 0);
	CHECK_GE(n, 2);
	for (i = 0; i < n; i++) {
		REQUIRE_EQ(newest->props(i, &p), 0);
		CHECK(!strncmp(p.name, "pnic", 4));
		CHECK(p.pci_path && !access(p.pci_path, F_OK) && strstr(p.pci_path, "/pci"));
		CHECK(p.ptr_support & NCCL_PTR_DMABUF);
	}
}

KTAP_TEST(rings)
{
	static const int both[2] = { 0, 1 };
	int d;

	for (d = 0; d < DOORS; d++) {
		SUBTEST("%s", doors[d].name) {
			struct ring_run run = {
				.door = &doors[d], .seed = (uint64_t)d, .ranks = 2 + d % 3, .channels = 1, .groups = 8,
				.max_size = 65536, .devs = 2, .dev = both, .optional = doors[d].optional, .churn = true,
				.timeout_s = 30 * ktap_slow(),
			};

			CHECK(ring_run(&run));
			CHECK_EQ(run.data_errors, 0);
			CHECK_EQ(run.call_errors, 0);
		}
	}
}

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

static int until_done(const struct door *d, void *req)
{
	int done = 0, tries;

	for (tries = 0; req && !done && tries < 100000000; tries++)
		if (d->test(req, &done, NULL))
			return -1;
	return done ? 0 : -1;
}

/* From one dma-buf into another, which NCCL would take for memory of GPUs; and the flush that it asks for then. */
KTAP_TEST(dma_buf)
{
	char handle[NCCL_HANDLE_SIZE] __attribute__((aligned(8)));
	void *lc, *sc, *rc, *smh, *rmh, *data, *sreq, *rreq, *freq;
	int from = heap_buffer(SIZE), to = heap_buffer(SIZE), d, tag = 1, sizes = SIZE / 2;
	size_t size = SIZE / 2, i;
	uint8_t *p, *q;

	if (from < 0 || to < 0)
		SKIP("no /dev/dma_heap/system");
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, from, 0);
	q = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, to, 0);
	REQUIRE(p != MAP_FAILED && q != MAP_FAILED);
	for (d = 0; d < DOORS; d++) {
		const struct door *t = &doors[d];

		for (i = 0; i < SIZE; i++)
			p[i] = (uint8_t)(i * 7 + (size_t)d);
		memset(q, 0x5a, SIZE);
		sc = rc = NULL;
		REQUIRE_EQ(t->listen(ctx, 1, handle, &lc), 0);
		while (!sc || !rc) {
			if (!sc)
				REQUIRE_EQ(t->connect(ctx, 0, handle, &sc), 0);
			if (!rc)
				REQUIRE_EQ(t->accept(lc, &rc), 0);
		}
		REQUIRE_EQ(t->reg_dmabuf(sc, p, SIZE, NCCL_PTR_CUDA, 0, from, &smh), 0);
		REQUIRE_EQ(t->reg_dmabuf(rc, q, SIZE, NCCL_PTR_CUDA, 0, to, &rmh), 0);
		data = q + 4096;
		rreq = sreq = freq = NULL;
		REQUIRE_EQ(t->irecv(rc, 1, &data, &size, &tag, &rmh, &rreq), 0);
		while (!sreq)
			REQUIRE_EQ(t->isend(sc, p + 8192, size, tag, smh, &sreq), 0);
		CHECK_EQ(until_done(t, sreq), 0);
		CHECK_EQ(until_done(t, rreq), 0);
		REQUIRE_EQ(t->iflush(rc, 1, &data, &sizes, &rmh, &freq), 0);
		CHECK(freq);
		CHECK_EQ(until_done(t, freq), 0);
		CHECK(!memcmp(q + 4096, p + 8192, size));
		CHECK_EQ(q[4095], 0x5a);
		CHECK_EQ(q[4096 + size], 0x5a);
		CHECK_EQ(t->dereg(sc, smh), 0);
		CHECK_EQ(t->dereg(rc, rmh), 0);
		CHECK_EQ(t->close_send(sc), 0);
		CHECK_EQ(t->close_recv(rc), 0);
		CHECK_EQ(t->close_listen(lc), 0);
	}
	munmap(p, SIZE);
	munmap(q, SIZE);
	close(from);
	close(to);
}

int main(int argc, char **argv)
{
	int res;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!doors_open(getenv("PNIC_TEST_PLUGIN")) || newest->init(&ctx, 1))
		return 2;
	res = ktap_main(argc, argv);
	newest->finalize(ctx);
	return res;
}
