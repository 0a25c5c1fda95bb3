// SPDX-License-Identifier: GPL-2.0
/*
 * A card of version 1.1 of the hardware interface (pnic-model --old-card) under this driver and library: what it
 * can't do is told and refused, what it can do works.
 */
#include <sys/ioctl.h>

#include "device.h"
#include "ktap.h"
#include "traffic.h"

#define WAIT_MS	20000
#define NEW	(PNIC_FEAT_SRQ | PNIC_FEAT_COUNTER | PNIC_FEAT_SIGNAL | PNIC_FEAT_QUIET | PNIC_FEAT_CANCEL | \
		 PNIC_FEAT_DMABUF)

static struct end a, b;

static void setup(void)
{
	const struct end_attr attr = { .size = 1 << 20, .rnr_timeout_us = 2000000 };
	struct pnic_ioc_info info = { .size = sizeof(info) };

	need_cards(2);
	REQUIRE_EQ(end_open(&a, 0, &attr), 0);
	REQUIRE_EQ(end_open(&b, 1, &attr), 0);
	REQUIRE_EQ(pnic_query(a.ctx, &info), 0);
	if (info.hw_version != 0x10001)
		SKIP("the card is of another version");
	CHECK_EQ(info.features & NEW, 0);
	CHECK_EQ(info.max_srq, 0);
	CHECK_EQ(info.max_ctr, 0);
}

static void done(void)
{
	end_close(&a);
	end_close(&b);
}

KTAP_TEST(new_things_are_refused)
{
	struct pnic_srq_attr sa = { .size = sizeof(sa), .entries = 4 };
	struct pnic_ctr_attr ca = { .size = sizeof(ca) };
	struct pnic_ioc_srq_create srq = { .size = sizeof(srq), .entries = 4 };
	struct pnic_ioc_ctr_create ctr = { .size = sizeof(ctr), .eventfd = -1 };
	struct pnic_ioc_ctr_bind bind = { .size = sizeof(bind), .ep = 1, .kinds = 1 };
	struct pnic_ioc_recv_cancel cancel = { .size = sizeof(cancel), .handle = 1 };
	struct pnic_ioc_mr_reg_dmabuf buf = { .size = sizeof(buf), .fd = 0, .length = 4096 };
	struct pnic_sig sig = { .addr = 0 };
	struct pnic_srq *s;
	struct pnic_ctr *c;
	struct pnic_mr *mr;
	int fd;

	setup();
	SUBTEST("by the library") {
		CHECK_EQ(pnic_srq_create(a.ctx, &sa, &s), -EOPNOTSUPP);
		CHECK_EQ(pnic_ctr_create(a.ctx, &ca, &c), -EOPNOTSUPP);
		CHECK_EQ(pnic_mr_reg_dmabuf(a.ctx, 0, 0, 4096, NULL, 0, &mr), -EOPNOTSUPP);
		REQUIRE_EQ(pnic_post_recv(a.ep, a.mem, 64, a.mr->key, 1), 0);
		pnic_ring_recv(a.ep);
		CHECK_EQ(pnic_recv_cancel(a.ep, 1), -EOPNOTSUPP);
	}
	SUBTEST("by the driver") {
		fd = dev_open(0);
		REQUIRE_OK(fd);
		REQUIRE_OK(dev_ctx(fd, 0));
		CHECK_ERRNO(ioctl(fd, PNIC_IOC_SRQ_CREATE, &srq), EOPNOTSUPP);
		CHECK_ERRNO(ioctl(fd, PNIC_IOC_CTR_CREATE, &ctr), EOPNOTSUPP);
		CHECK_ERRNO(ioctl(fd, PNIC_IOC_CTR_BIND, &bind), EOPNOTSUPP);
		CHECK_ERRNO(ioctl(fd, PNIC_IOC_RECV_CANCEL, &cancel), EOPNOTSUPP);
		CHECK_ERRNO(ioctl(fd, PNIC_IOC_MR_REG_DMABUF, &buf), EOPNOTSUPP);
		close(fd);
	}
	SUBTEST("by the card") {
		sig.addr = (uintptr_t)b.mem;
		sig.key = b.mr->key;
		REQUIRE_EQ(pnic_post_write_signal(a.ep, b.addr, a.mem, 8, a.mr->key, (uintptr_t)b.mem, b.mr->key, &sig, 1, 0), 0);
		pnic_ring(a.ep);
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_BAD_DESC);
	}
	done();
}

/* Without quiet completions whoever signals nothing is told so by a ring that stays full, and nothing else. */
KTAP_TEST(transfers_work)
{
	unsigned int i;

	setup();
	for (i = 0; i < 2000; i++) {
		int err = pnic_post_write(a.ep, b.addr, a.mem, 512, a.mr->key, (uintptr_t)b.mem, b.mr->key, i,
					  i % 100 == 99 ? PNIC_SQF_SIGNALED : 0);

		REQUIRE_EQ(err, 0);
		if (i % 100 != 99)
			continue;
		pattern_fill(a.mem, 512, i);
		pnic_ring(a.ep);
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_OK);
		CHECK_EQ(pattern_check(b.mem, 512, i), 512);
	}
	done();
}

KTAP_MAIN()
