// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Objects and their errors: versions, attributes, limits, every failing command, texts; the
 * sizes and offsets that user programs are compiled with.
 */
#include <sys/resource.h>

#include <pnic_embedded.h>

#include "fakecard.h"
#include "selftests/ktap.h"

KTAP_TEST(abi_versions)
{
	struct pnic_ctx *ctx;

	fake_reset();
	fake.abi_major = PNIC_ABI_MAJOR + 1;
	CHECK_EQ(pnic_open_backend(&fake_backend, "fake0", NULL, &ctx), -EPROTO);
	CHECK(strstr(pnic_last_error(), "speaks version 2.0"));
	CHECK(strstr(pnic_last_error(), "the library is too old"));
	fake.abi_major = 0;
	CHECK_EQ(pnic_open_backend(&fake_backend, "fake0", NULL, &ctx), -EPROTO);
	CHECK(strstr(pnic_last_error(), "the module is too old"));
	CHECK_EQ(fake.maps, 0);
	CHECK_EQ(pnic_version(), 0x10001);
}

KTAP_TEST(names)
{
	static const char *const bad[] = { "", "pnic", "pnicx", "pnic0x", "../pnic0", "/dev/pnic0", "pnic-1",
					   "pnic0/", "embedded:", "pnic1234567890", "fake0" };
	struct pnic_ctx *ctx;
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_EQ(pnic_open(bad[i], NULL, &ctx), -ENODEV);
	/* The first card that there is, if there is one. */
	if (access("/dev/pnic0", F_OK))
		CHECK_EQ(pnic_open(NULL, NULL, &ctx), -ENODEV);
	CHECK_EQ(pnic_open("pnic999999999", NULL, &ctx), -ENODEV);
	CHECK_STREQ(pnic_last_error(), "pnic999999999: can't open it: no such device, or it is gone");
}

KTAP_TEST(null_arguments)
{
	double value;

	CHECK_EQ(pnic_open("pnic0", NULL, NULL), -EINVAL);
	CHECK_EQ(pnic_list(NULL, NULL), -EINVAL);
	CHECK_EQ(pnic_query(NULL, NULL), -EINVAL);
	CHECK_EQ(pnic_query_link(NULL, NULL), -EINVAL);
	CHECK_EQ(pnic_link_status(NULL, NULL), -EINVAL);
	CHECK_EQ(pnic_fd(NULL), -EINVAL);
	CHECK_EQ(pnic_read_event(NULL, NULL), -EINVAL);
	CHECK_EQ(pnic_mr_reg(NULL, NULL, 1, 0, NULL), -EINVAL);
	CHECK_EQ(pnic_cq_create(NULL, NULL, NULL), -EINVAL);
	CHECK_EQ(pnic_ep_create(NULL, NULL, NULL), -EINVAL);
	CHECK_EQ(pnic_ep_reset(NULL), -EINVAL);
	CHECK_EQ(pnic_arm(NULL), -EINVAL);
	CHECK_EQ(pnic_wait(NULL, 0), -EINVAL);
	CHECK_EQ(pnic_embedded_fault(NULL, 0, 0, 0), -EINVAL);
	CHECK_EQ(pnic_embedded_figure(NULL, "frames", &value), -EINVAL);
	CHECK_EQ(pnic_mr_dereg(NULL), 0);
	CHECK_EQ(pnic_cq_destroy(NULL), 0);
	CHECK_EQ(pnic_ep_destroy(NULL), 0);
	CHECK_EQ(pnic_cq_fd(NULL), -1);
	CHECK_STREQ(pnic_wc_str(NULL, NULL, 0), "");
	pnic_embedded_drive(NULL);
	pnic_close(NULL);
	pnic_list_free(NULL);
}

/* What only cards in the process have. */
KTAP_TEST(not_embedded)
{
	struct pnic_ctx *ctx;
	double value;

	fake_reset();
	ctx = fake_open("fake0");
	CHECK_EQ(pnic_embedded_fault(ctx, 0, 0, 0), -EOPNOTSUPP);
	CHECK_EQ(pnic_embedded_figure(ctx, "frames", &value), -EOPNOTSUPP);
	pnic_close(ctx);
}

/* Longer structs pass if what this library does not know is 0, shorter ones never. */
KTAP_TEST(attribute_sizes)
{
	struct { struct pnic_open_attr a; uint32_t more; } open = { .a = { .size = sizeof(open) } };
	struct { struct pnic_cq_attr a; uint64_t more; } ca = { .a = { .size = sizeof(ca), .entries = 64 } };
	struct { struct pnic_ep_attr a; uint64_t more; } ea = { .a = { .size = sizeof(ea) } };
	struct pnic_ctx *ctx;
	struct pnic_cq *cq;
	struct pnic_ep *ep;

	fake_reset();
	open.more = 1;
	CHECK_EQ(pnic_open_backend(&fake_backend, "fake0", &open.a, &ctx), -EINVAL);
	open.more = 0;
	open.a.size = sizeof(open.a) - 1;
	CHECK_EQ(pnic_open_backend(&fake_backend, "fake0", &open.a, &ctx), -EINVAL);
	open.a.size = sizeof(open);
	open.a.flags = 1;
	CHECK_EQ(pnic_open_backend(&fake_backend, "fake0", &open.a, &ctx), -EINVAL);
	open.a.flags = 0;
	REQUIRE_EQ(pnic_open_backend(&fake_backend, "fake0", &open.a, &ctx), 0);

	ca.more = 1ULL << 63;
	CHECK_EQ(pnic_cq_create(ctx, &ca.a, &cq), -EINVAL);
	ca.more = 0;
	ca.a.size = UINT32_MAX;		/* nobody set it */
	CHECK_EQ(pnic_cq_create(ctx, &ca.a, &cq), -EINVAL);
	ca.a.size = sizeof(ca);
	ca.a.flags = 4;
	CHECK_EQ(pnic_cq_create(ctx, &ca.a, &cq), -EINVAL);
	ca.a.flags = PNIC_CQ_EVENTFD;
	ca.a.eventfd = -1;
	CHECK_EQ(pnic_cq_create(ctx, &ca.a, &cq), -EINVAL);
	ca.a.flags = PNIC_CQ_EVENTFD | PNIC_CQ_EVENTS;
	CHECK_EQ(pnic_cq_create(ctx, &ca.a, &cq), -EINVAL);
	ca.a.flags = 0;
	ca.a.spin_us = -2;
	CHECK_EQ(pnic_cq_create(ctx, &ca.a, &cq), -EINVAL);
	ca.a.spin_us = -1;
	ca.a.entries = 0;
	CHECK_EQ(pnic_cq_create(ctx, &ca.a, &cq), -EINVAL);
	ca.a.entries = 0xffffffff;
	CHECK_EQ(pnic_cq_create(ctx, &ca.a, &cq), -E2BIG);
	ca.a.entries = 64;
	REQUIRE_EQ(pnic_cq_create(ctx, &ca.a, &cq), 0);

	CHECK_EQ(pnic_ep_create(ctx, &ea.a, &ep), -EINVAL);	/* no queue */
	ea.a.send_cq = cq;
	ea.a.flags = 2;
	CHECK_EQ(pnic_ep_create(ctx, &ea.a, &ep), -EINVAL);
	ea.a.flags = 0;
	ea.more = 7;
	CHECK_EQ(pnic_ep_create(ctx, &ea.a, &ep), -EINVAL);
	ea.more = 0;
	ea.a.sq_slots = 16;
	REQUIRE_EQ(pnic_ep_create(ctx, &ea.a, &ep), 0);
	pnic_close(ctx);
	CHECK_EQ(fake.maps, 0);
}

/* What it says is enough for so many endpoints, whatever they ask for, and not for one more. */
KTAP_TEST(entries_of_a_queue)
{
	static const uint32_t sizes[][2] = { { 0, 0 }, { 1, 0 }, { 1, 1 }, { 17, 3 }, { 64, 64 }, { 0, 100 } };
	struct pnic_cq_attr ca = { .size = sizeof(ca) };
	struct pnic_ep_attr ea = { .size = sizeof(ea) };
	struct pnic_ctx *ctx;
	struct pnic_cq *cq;
	struct pnic_ep *ep;
	unsigned int i, k;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		SUBTEST("%u slots, %u receives", sizes[i][0], sizes[i][1]) {
			fake_reset();
			ctx = fake_open("fake0");
			ca.entries = pnic_cq_entries(sizes[i][0], sizes[i][1], 4);
			REQUIRE_EQ(pnic_cq_create(ctx, &ca, &cq), 0);
			ea.sq_slots = sizes[i][0];
			ea.rq_entries = sizes[i][1];
			ea.send_cq = cq;
			for (k = 0; k < 4; k++)
				CHECK_EQ(pnic_ep_create(ctx, &ea, &ep), 0);
			if (cq->entries == ca.entries)
				CHECK_EQ(pnic_ep_create(ctx, &ea, &ep), -ENOSPC);
			pnic_close(ctx);
		}
	CHECK_EQ(pnic_cq_entries(UINT32_MAX, 0, 1), 0);
	CHECK_EQ(pnic_cq_entries(1u << 31, 1u << 31, 1), 0);
	CHECK_EQ(pnic_cq_entries(1u << 20, 0, 1u << 12), 0);
	CHECK_EQ(pnic_cq_entries(1u << 31, 0, 1), 1u << 31);
}

/* A queue of another context is not taken, whatever the handle's number. */
KTAP_TEST(foreign_queue)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = 64 };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 16 };
	struct pnic_ctx *a, *b;
	struct pnic_ep *ep;

	fake_reset();
	a = fake_open("fake0");
	b = fake_open("fake1");
	REQUIRE_EQ(pnic_cq_create(a, &ca, &ea.send_cq), 0);
	CHECK_EQ(pnic_ep_create(b, &ea, &ep), -EINVAL);
	pnic_close(a);
	pnic_close(b);
}

/* As many completions as pnic_query() promises can be had, one more can't. */
KTAP_TEST(largest_queue)
{
	struct pnic_ioc_info info = { .size = sizeof(info) };
	struct pnic_cq_attr ca = { .size = sizeof(ca) };
	struct pnic_ctx *ctx;
	struct pnic_cq *cq;

	fake_reset();
	ctx = fake_open("fake0");
	REQUIRE_EQ(pnic_query(ctx, &info), 0);
	CHECK_EQ(info.max_cq_entries, 65536 - 8192);
	ca.entries = info.max_cq_entries;
	REQUIRE_EQ(pnic_cq_create(ctx, &ca, &cq), 0);
	CHECK_EQ(cq->entries, info.max_cq_entries);
	ca.entries++;
	CHECK_EQ(pnic_cq_create(ctx, &ca, &cq), -E2BIG);
	pnic_close(ctx);
}

/* Structs of a program that is older or newer than the library. */
KTAP_TEST(query_sizes)
{
	struct { struct pnic_ioc_info i; uint64_t more; } info = { .i = { .size = sizeof(info) }, .more = 99 };
	struct { struct pnic_ioc_link_info i; uint64_t more; } link = { .i = { .size = sizeof(link) }, .more = 99 };
	struct pnic_ctx *ctx;

	fake_reset();
	ctx = fake_open("fake0");
	REQUIRE_EQ(pnic_query(ctx, &info.i), 0);
	CHECK_EQ(info.more, 0);
	CHECK_EQ(info.i.nic_addr, 1);
	info.i.size = offsetof(struct pnic_ioc_info, max_cq);
	info.i.max_cq = 77;
	REQUIRE_EQ(pnic_query(ctx, &info.i), 0);
	CHECK_EQ(info.i.max_cq, 77);
	CHECK_EQ(info.i.max_ep, FAKE_MAX_EP);
	info.i.size = 3;
	CHECK_EQ(pnic_query(ctx, &info.i), -EINVAL);
	REQUIRE_EQ(pnic_query_link(ctx, &link.i), 0);
	CHECK_EQ(link.more, 0);
	CHECK_EQ(link.i.width_tx, 425);
	pnic_close(ctx);
}

KTAP_TEST(status_page)
{
	struct pnic_status_page copy, *page;
	struct pnic_event ev;
	struct pnic_ctx *ctx;

	fake_reset();
	ctx = fake_open("fake0");
	page = (struct pnic_status_page *)(uintptr_t)ctx->status;
	CHECK_EQ(pnic_rate_mbps(ctx), 800000);
	CHECK_EQ(pnic_status_changes(ctx), 0);
	REQUIRE_EQ(pnic_link_status(ctx, &copy), 0);
	CHECK_EQ(copy.width, 425);
	page->seq = 1;
	CHECK_EQ(pnic_link_status(ctx, &copy), -EAGAIN);
	CHECK_EQ(pnic_ctx_dead(ctx), 0);
	page->epoch++;
	CHECK_EQ(pnic_ctx_dead(ctx), 1);
	CHECK_EQ(pnic_read_event(ctx, &ev), -EAGAIN);
	fake.events = 1;
	CHECK_EQ(pnic_read_event(ctx, &ev), 0);
	CHECK_EQ(ev.type, PNIC_EVT_RATE);
	pnic_close(ctx);
}

/* Every command that can fail, with every errno of the contract: passed on, explained, nothing left behind. */
KTAP_TEST(failing_commands)
{
	static const int errs[] = { EINVAL, E2BIG, EFAULT, ENOENT, EPERM, ENOMEM, EBUSY, EEXIST, ENXIO, ENOSPC,
				    ENODEV, EIO, ETIMEDOUT };
	static const unsigned int cmds[] = { PNIC_IOC_INFO, PNIC_IOC_CTX_CREATE, PNIC_IOC_MR_REG,
					     PNIC_IOC_CQ_CREATE, PNIC_IOC_EP_CREATE };
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = 64 };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 16 };
	unsigned int c, e;
	struct pnic_ctx *ctx;
	struct pnic_mr *mr;
	struct pnic_ep *ep;
	int ret;

	for (c = 0; c < 5; c++) {
		for (e = 0; e < sizeof(errs) / sizeof(errs[0]); e++) {
			fake_reset();
			fake.fail_cmd = cmds[c];
			fake.fail_err = -errs[e];
			pnic_fail(0, "nothing");
			ret = pnic_open_backend(&fake_backend, "fake0", NULL, &ctx);
			if (c < 2) {
				CHECK_EQ(ret, -errs[e]);
				CHECK(!strncmp(pnic_last_error(), "fake0: ", 7));
				CHECK_EQ(fake.maps, 0);
				continue;
			}
			REQUIRE_EQ(ret, 0);
			ret = pnic_cq_create(ctx, &ca, &ea.send_cq);
			if (c == 2) {
				CHECK_EQ(pnic_mr_reg(ctx, &ca, 10, 0, &mr), -errs[e]);
			} else if (c == 3) {
				CHECK_EQ(ret, -errs[e]);
			} else {
				CHECK_EQ(pnic_ep_create(ctx, &ea, &ep), -errs[e]);
			}
			CHECK(!strncmp(pnic_last_error(), "fake0: ", 7));
			pnic_close(ctx);
			CHECK_EQ(fake.maps, 0);
		}
	}
}

/* What a kernel might answer that has lost its mind: the number of the lie, and what it says then. */
static unsigned int lie_nr;

static void lie(unsigned int cmd, void *arg)
{
	struct pnic_ioc_cq_create *cq = arg;
	struct pnic_ioc_ep_create *ep = arg;
	struct pnic_ioc_info *info = arg;

	if (cmd == PNIC_IOC_INFO && lie_nr == 0)
		info->max_ep = 0;
	else if (cmd == PNIC_IOC_INFO && lie_nr == 1)
		info->max_ep = (1U << 24) + 1;
	else if (cmd == PNIC_IOC_INFO && lie_nr == 2)
		info->abi_major++;
	else if (cmd == PNIC_IOC_CQ_CREATE && lie_nr == 3)
		cq->entries--;
	else if (cmd == PNIC_IOC_CQ_CREATE && lie_nr == 4)
		cq->entries = 0;
	else if (cmd == PNIC_IOC_CQ_CREATE && lie_nr == 5)
		cq->ring_length--;
	else if (cmd == PNIC_IOC_CQ_CREATE && lie_nr == 6)
		cq->db_slot = PNIC_DB_SLOTS;
	else if (cmd == PNIC_IOC_EP_CREATE && lie_nr == 7)
		ep->epn = FAKE_MAX_EP;
	else if (cmd == PNIC_IOC_EP_CREATE && lie_nr == 8)
		ep->sq_slots++;
	else if (cmd == PNIC_IOC_EP_CREATE && lie_nr == 9)
		ep->sq_length /= 2;
	else if (cmd == PNIC_IOC_EP_CREATE && lie_nr == 10)
		ep->sq_slot = PNIC_DB_SLOTS;
	else if (cmd == PNIC_IOC_EP_CREATE && lie_nr == 11)
		ep->rq_entries++;
	else if (cmd == PNIC_IOC_EP_CREATE && lie_nr == 12)
		ep->rq_length /= 2;
	else if (cmd == PNIC_IOC_EP_CREATE && lie_nr == 13)
		ep->rq_slot = PNIC_DB_SLOTS;
}

/* Memory that it did not map is never touched, and what it made is given back. */
KTAP_TEST(kernel_that_lies)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = 64 };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 16, .rq_entries = 16 };
	struct pnic_ctx *ctx;
	struct pnic_ep *ep;
	int ret, maps;

	for (lie_nr = 0; lie_nr < 14; lie_nr++) {
		fake_reset();
		fake.lie = lie;
		ret = pnic_open_backend(&fake_backend, "fake0", NULL, &ctx);
		if (lie_nr < 3) {
			CHECK_EQ(ret, -EPROTO);
			CHECK(strstr(pnic_last_error(), lie_nr == 2 ? "the library is too old" : "endpoints"));
			CHECK_EQ(fake.maps, 0);
			continue;
		}
		REQUIRE_EQ(ret, 0);
		maps = fake.maps;
		ret = pnic_cq_create(ctx, &ca, &ea.send_cq);
		if (lie_nr < 7) {
			CHECK_EQ(ret, -EPROTO);
			CHECK(!fake.cq[0].used);
		} else {
			REQUIRE_EQ(ret, 0);
			maps = fake.maps;
			CHECK_EQ(pnic_ep_create(ctx, &ea, &ep), -EPROTO);
			CHECK(!fake.ep[0].used);
			/* The queue is nobody's, so that it can go. */
			CHECK_EQ(fake.maps, maps);
			maps = 0;
			CHECK_EQ(pnic_cq_destroy(ea.send_cq), 0);
		}
		if (maps)
			CHECK_EQ(fake.maps, maps);
		CHECK(!strncmp(pnic_last_error(), "fake0: ", 7));
		pnic_close(ctx);
		CHECK_EQ(fake.maps, 0);
	}
}

/* Commands on what is there already: the errno is passed on and explained, and what it was about is still there. */
KTAP_TEST(failing_later)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = 64 };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 16 };
	struct pnic_ioc_link_info link = { .size = sizeof(link) };
	struct pnic_wc wc;
	struct pnic_ctx *ctx;
	struct pnic_ep *ep;

	fake_reset();
	ctx = fake_open("fake0");
	REQUIRE_EQ(pnic_cq_create(ctx, &ca, &ea.send_cq), 0);
	REQUIRE_EQ(pnic_ep_create(ctx, &ea, &ep), 0);
	fake.fail_err = -ETIMEDOUT;
	fake.fail_cmd = PNIC_IOC_LINK_INFO;
	CHECK_EQ(pnic_query_link(ctx, &link), -ETIMEDOUT);
	CHECK(strstr(pnic_last_error(), "fake0: can't ask for the link"));
	fake.fail_cmd = PNIC_IOC_EP_RESET;
	REQUIRE_EQ(pnic_post_flush(ep, 5, PNIC_SQF_SIGNALED), 0);
	CHECK_EQ(pnic_ep_reset(ep), -ETIMEDOUT);
	CHECK(strstr(pnic_last_error(), "fake0: can't reset endpoint 0"));
	/* What was posted is not forgotten, as nothing was reset. */
	pnic_ring(ep);
	while (fake_step())
		;
	REQUIRE_EQ(pnic_poll(ea.send_cq, &wc, 1), 1);
	CHECK_EQ(wc.cookie, 5);
	REQUIRE_EQ(pnic_ep_destroy(ep), 0);
	fake.fail_cmd = PNIC_IOC_CQ_DESTROY;
	CHECK_EQ(pnic_cq_destroy(ea.send_cq), -ETIMEDOUT);
	CHECK(strstr(pnic_last_error(), "fake0: can't destroy a completion queue"));
	fake.fail_err = 0;
	CHECK_EQ(pnic_cq_destroy(ea.send_cq), 0);
	pnic_close(ctx);
	CHECK_EQ(fake.maps, 0);
}

/* The table of endpoints is address space that a process may lack. */
KTAP_TEST(no_address_space)
{
	struct rlimit was, tight;
	struct pnic_ctx *ctx;
	int ret;

	fake_reset();
	REQUIRE_EQ(getrlimit(RLIMIT_AS, &was), 0);
	tight = was;
	tight.rlim_cur = 64 << 20;
	REQUIRE_EQ(setrlimit(RLIMIT_AS, &tight), 0);
	ret = pnic_open_backend(&fake_backend, "fake0", NULL, &ctx);
	REQUIRE_EQ(setrlimit(RLIMIT_AS, &was), 0);
	CHECK_EQ(ret, -ENOMEM);
	CHECK(strstr(pnic_last_error(), "fake0: no address space"));
	CHECK_EQ(fake.maps, 0);
}

/* On a dead card the library's half can still be taken down; a command that timed out can be tried again. */
KTAP_TEST(destroy_when_dead)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = 64 };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 16 };
	struct pnic_ctx *ctx;
	struct pnic_ep *ep;
	int maps;

	fake_reset();
	ctx = fake_open("fake0");
	REQUIRE_EQ(pnic_cq_create(ctx, &ca, &ea.send_cq), 0);
	maps = fake.maps;
	REQUIRE_EQ(pnic_ep_create(ctx, &ea, &ep), 0);
	fake.fail_cmd = PNIC_IOC_EP_DESTROY;
	fake.fail_err = -ETIMEDOUT;
	CHECK_EQ(pnic_ep_destroy(ep), -ETIMEDOUT);
	CHECK_EQ(pnic_cq_destroy(ea.send_cq), -EBUSY);
	fake.fail_err = -EIO;
	CHECK_EQ(pnic_ep_destroy(ep), 0);
	CHECK_EQ(fake.maps, maps);
	fake.fail_cmd = PNIC_IOC_CQ_DESTROY;
	fake.fail_err = -ENODEV;
	CHECK_EQ(pnic_cq_destroy(ea.send_cq), 0);
	pnic_close(ctx);
	CHECK_EQ(fake.maps, 0);
}

/* Memory of a failed card is not given free before a reset makes it sure. */
KTAP_TEST(dereg_when_dead)
{
	struct pnic_ctx *ctx;
	struct pnic_mr *mr;
	char buf[10];

	fake_reset();
	ctx = fake_open("fake0");
	REQUIRE_EQ(pnic_mr_reg(ctx, buf, sizeof(buf), 0, &mr), 0);
	fake.fail_cmd = PNIC_IOC_MR_DEREG;
	fake.fail_err = -EIO;
	CHECK_EQ(pnic_mr_dereg(mr), -EIO);
	((struct pnic_status_page *)(uintptr_t)ctx->status)->epoch++;
	CHECK_EQ(pnic_mr_dereg(mr), 0);
	REQUIRE_EQ(pnic_mr_reg(ctx, buf, sizeof(buf), 0, &mr), 0);
	fake.fail_err = -ENODEV;
	CHECK_EQ(pnic_mr_dereg(mr), 0);
	pnic_close(ctx);
}

KTAP_TEST(memlock_text)
{
	struct rlimit old, lim;
	struct pnic_ctx *ctx;
	struct pnic_mr *mr;
	char buf[100];

	fake_reset();
	ctx = fake_open("fake0");
	fake.fail_cmd = PNIC_IOC_MR_REG;
	fake.fail_err = -ENOMEM;
	REQUIRE_EQ(getrlimit(RLIMIT_MEMLOCK, &old), 0);
	lim = old;
	lim.rlim_cur = 65536;
	if (lim.rlim_cur > lim.rlim_max)
		lim.rlim_cur = lim.rlim_max;
	REQUIRE_EQ(setrlimit(RLIMIT_MEMLOCK, &lim), 0);
	CHECK_EQ(pnic_mr_reg(ctx, buf, 100, 0, &mr), -ENOMEM);
	snprintf(buf, sizeof(buf), "over the locked-memory limit of %llu bytes", (unsigned long long)lim.rlim_cur);
	CHECK(strstr(pnic_last_error(), buf));
	/* Without a limit it is the machine that has no memory. */
	lim.rlim_cur = RLIM_INFINITY;
	lim.rlim_max = RLIM_INFINITY;
	if (!setrlimit(RLIMIT_MEMLOCK, &lim)) {
		CHECK_EQ(pnic_mr_reg(ctx, buf, 100, 0, &mr), -ENOMEM);
		CHECK(strstr(pnic_last_error(), "fake0: no memory to register 100 bytes"));
	}
	setrlimit(RLIMIT_MEMLOCK, &old);
	fake.fail_err = 0;
	CHECK_EQ(pnic_mr_reg(ctx, buf, 100, PNIC_MRF_WATCH, &mr), -EINVAL);
	CHECK(strstr(pnic_last_error(), "pnic_mrc_create"));
	pnic_close(ctx);
}

KTAP_TEST(texts)
{
	static const int errs[] = { 0, EPERM, ENOENT, EIO, ENXIO, E2BIG, EBADF, EAGAIN, ENOMEM, EACCES, EFAULT,
				    EBUSY, EEXIST, ENODEV, EINVAL, ENOTTY, ENOSPC, ETIMEDOUT, EPROTO, EOPNOTSUPP,
				    EINTR };
	static const int ops[] = { PNIC_OP_NOP, PNIC_OP_SEND, PNIC_OP_SEND_IMM, PNIC_OP_WRITE, PNIC_OP_WRITE_IMM,
				   PNIC_OP_READ, PNIC_OP_FETCH_ADD, PNIC_OP_COMP_SWAP, PNIC_OP_FLUSH, PNIC_OP_RECV,
				   PNIC_OP_RECV_IMM, PNIC_OP_RECV_WRITE_IMM };
	unsigned int i, j;

	/* Each has a text, no two the same, the value's sign doesn't matter. */
	for (i = 0; i < sizeof(errs) / sizeof(errs[0]); i++) {
		CHECK(strcmp(pnic_strerror(errs[i]), "unknown error"));
		CHECK_STREQ(pnic_strerror(-errs[i]), pnic_strerror(errs[i]));
		for (j = 0; j < i; j++)
			CHECK(strcmp(pnic_strerror(errs[i]), pnic_strerror(errs[j])));
	}
	for (i = 0; i <= PNIC_ST_REMOTE_MOVED; i++) {
		CHECK(strcmp(pnic_status_str(i), "unknown status"));
		for (j = 0; j < i; j++)
			CHECK(strcmp(pnic_status_str(i), pnic_status_str(j)));
	}
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		CHECK(strcmp(pnic_opcode_str(ops[i]), "unknown operation"));
	CHECK_STREQ(pnic_strerror(-99999), "unknown error");
	CHECK_STREQ(pnic_strerror(-2147483647 - 1), "unknown error");
	CHECK_STREQ(pnic_status_str(PNIC_ST_REMOTE_MOVED + 1), "unknown status");
	CHECK_STREQ(pnic_status_str(0xffffffff), "unknown status");
	CHECK_STREQ(pnic_opcode_str(0x83), "unknown operation");
}

/* Layouts that are ABI: the rings', and the members that inline functions were compiled with. */
KTAP_TEST(layouts)
{
	CHECK_EQ(sizeof(struct pnic_sqe), 64);
	CHECK_EQ(offsetof(struct pnic_sqe, length), 4);
	CHECK_EQ(offsetof(struct pnic_sqe, dest_nic), 16);
	CHECK_EQ(offsetof(struct pnic_sqe, remote_addr), 24);
	CHECK_EQ(offsetof(struct pnic_sqe, imm), 40);
	CHECK_EQ(offsetof(struct pnic_sqe, local_addr), PNIC__SQE_INLINE_OFF);
	CHECK_EQ(offsetof(struct pnic_sqe, local_key), 56);
	CHECK_EQ(sizeof(struct pnic_sge), 32);
	CHECK_EQ(sizeof(struct pnic_rqe), 32);
	CHECK_EQ(sizeof(struct pnic_cqe), 32);
	CHECK_EQ(offsetof(struct pnic_cqe, ep_flags), 28);
	CHECK_EQ(sizeof(struct pnic_status_page), 64);
	CHECK_EQ(sizeof(struct pnic_event), 24);
	CHECK_EQ(sizeof(struct pnic_ioc_info), 176);
	CHECK_EQ(offsetof(struct pnic_ioc_info, max_srq), 168);
	CHECK_EQ(sizeof(struct pnic_ioc_ctx_create), 32);
	CHECK_EQ(offsetof(struct pnic_ioc_ctx_create, page_offset), 24);
	CHECK_EQ(sizeof(struct pnic_ioc_mr_reg_dmabuf), 48);
	CHECK_EQ(sizeof(struct pnic_ioc_mr_stale), 80);
	CHECK_EQ(sizeof(struct pnic_ctx_page), 64);
	CHECK_EQ(sizeof(struct pnic_mrc_attr), 24);
	CHECK_EQ(sizeof(struct pnic_mrc_stats), 48);
	CHECK_EQ(sizeof(struct pnic_ioc_mr_reg), 40);
	CHECK_EQ(sizeof(struct pnic_ioc_handle), 16);
	CHECK_EQ(sizeof(struct pnic_ioc_cq_create), 72);
	CHECK_EQ(sizeof(struct pnic_ioc_ep_create), 112);
	CHECK_EQ(offsetof(struct pnic_ioc_ep_create, srq), 104);
	CHECK_EQ(sizeof(struct pnic_signal), 64);
	CHECK_EQ(sizeof(struct pnic_ctr_mem), 64);
	CHECK_EQ(sizeof(struct pnic_ioc_srq_create), 56);
	CHECK_EQ(sizeof(struct pnic_ioc_ctr_create), 56);
	CHECK_EQ(sizeof(struct pnic_ioc_ctr_bind), 24);
	CHECK_EQ(sizeof(struct pnic_ioc_recv_cancel), 16);
	CHECK_EQ(sizeof(struct pnic_ioc_link_info), 72);
	CHECK_EQ(sizeof(struct pnic_addr), 8);
	CHECK_EQ(sizeof(struct pnic_open_attr), 16);
	CHECK_EQ(sizeof(struct pnic_device), 112);
	CHECK_EQ(sizeof(struct pnic_cq_attr), 32);
#if UINTPTR_MAX > 0xffffffffu
	CHECK_EQ(sizeof(struct pnic_wc), 40);
	CHECK_EQ(sizeof(struct pnic_ep_attr), 56);
	CHECK_EQ(offsetof(struct pnic_ep_attr, srq), 48);
	CHECK_EQ(sizeof(struct pnic_srq_attr), 16);
	CHECK_EQ(sizeof(struct pnic_ctr_attr), 16);
	CHECK_EQ(offsetof(struct pnic_srq, tail), 32);
	CHECK_EQ(offsetof(struct pnic_ctr, failed_base), 16);
	CHECK_EQ(sizeof(struct pnic_buf), 24);
	CHECK_EQ(offsetof(struct pnic_wc, ep), 32);
	CHECK_EQ(offsetof(struct pnic_cq, head), 12);
	CHECK_EQ(offsetof(struct pnic_cq, eps), 16);
	CHECK_EQ(offsetof(struct pnic_cq, db), 48);
	CHECK_EQ(offsetof(struct pnic_cq, entries), 60);
	CHECK_EQ(offsetof(struct pnic_cq, user), 72);
	CHECK_EQ(offsetof(struct pnic_ep, sq_tail), 16);
	CHECK_EQ(offsetof(struct pnic_ep, park), 32);
	CHECK_EQ(offsetof(struct pnic_ep, rq), 48);
	CHECK_EQ(offsetof(struct pnic_ep, max_slots), 80);
	CHECK_EQ(offsetof(struct pnic_ep, addr), 112);
	CHECK_EQ(offsetof(struct pnic_ep, user), 120);
	CHECK_EQ(offsetof(struct pnic_ep, sq_mark), 128);
	CHECK_EQ(offsetof(struct pnic_ep, quiet), 136);
	CHECK_EQ(offsetof(struct pnic_mr, key), 24);
#endif
}

KTAP_MAIN()
