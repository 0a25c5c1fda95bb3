// SPDX-License-Identifier: GPL-2.0
/*
 * Every ioctl of /dev/pnicN with everything that is wrong: each must answer with the
 * errno that uapi/linux/pnic.h names and leave no trace. Raw system calls only.
 */
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "device.h"
#include "ktap.h"

#define PAGE		4096ul
#define BIG_TAIL	256	/* bytes that a later version of a struct might have */

union arg {
	uint32_t size;
	struct pnic_ioc_info info;
	struct pnic_ioc_ctx_create ctx;
	struct pnic_ioc_mr_reg mr;
	struct pnic_ioc_handle handle;
	struct pnic_ioc_cq_create cq;
	struct pnic_ioc_ep_create ep;
	struct pnic_ioc_link_info link;
	struct pnic_ioc_srq_create srq;
	struct pnic_ioc_ctr_create ctr;
	struct pnic_ioc_ctr_bind bind;
	struct pnic_ioc_recv_cancel cancel;
	struct pnic_ioc_mr_stale stale;
	uint8_t bytes[sizeof(struct pnic_ioc_info) + BIG_TAIL];
};

/* An open file with a context and one of each object, and memory to register. */
struct bench {
	int fd;
	struct pnic_ioc_info info;
	uint8_t *mem;
	struct pnic_ioc_mr_reg mr;
	struct pnic_ioc_cq_create cq;
	struct pnic_ioc_ep_create ep;
	struct pnic_ioc_srq_create srq;
	struct pnic_ioc_ctr_create ctr;
};

static struct resources before;

static void trace_begin(void)
{
	REQUIRE_OK(resources_read(&before));
}

/* Nothing more and nothing less is held than at trace_begin(). */
static void trace_none(const char *what)
{
	struct resources now;

	if (!resources_settle(&before, &now, 3000))
		ktap_failed(__FILE__, __LINE__, "%s left a trace; before:\n%safter:\n%s", what,
			    before.text, now.text);
}

static void bench_open(struct bench *b)
{
	need_cards(1);
	memset(b, 0, sizeof(*b));
	b->fd = dev_open(0);
	REQUIRE_OK(b->fd);
	REQUIRE_OK(dev_info(b->fd, &b->info));
	b->mem = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(b->mem != MAP_FAILED);
	REQUIRE_OK(dev_ctx(b->fd, 0));
	REQUIRE_OK(dev_mr(b->fd, b->mem, PAGE, PNIC_MRF_LOCAL_WRITE, &b->mr));
	REQUIRE_OK(dev_cq(b->fd, 64, &b->cq));
	REQUIRE_OK(dev_ep(b->fd, b->cq.handle, b->cq.handle, &b->ep));
	b->srq = (struct pnic_ioc_srq_create) { .size = sizeof(b->srq), .entries = 16 };
	REQUIRE_OK(ioctl(b->fd, PNIC_IOC_SRQ_CREATE, &b->srq));
	b->ctr = (struct pnic_ioc_ctr_create) { .size = sizeof(b->ctr), .eventfd = -1 };
	REQUIRE_OK(ioctl(b->fd, PNIC_IOC_CTR_CREATE, &b->ctr));
}

static void bench_close(struct bench *b)
{
	munmap(b->mem, 4 * PAGE);
	close(b->fd);
}

enum call { INFO, CTX_CREATE, MR_REG, MR_DEREG, CQ_CREATE, CQ_DESTROY, EP_CREATE, EP_DESTROY, EP_RESET,
	    LINK_INFO, SRQ_CREATE, SRQ_DESTROY, CTR_CREATE, CTR_DESTROY, CTR_BIND, RECV_CANCEL, MR_STALE,
	    CALLS };

static const struct {
	const char *name;
	unsigned long request;
	uint32_t size;
	bool needs_ctx;
	uint32_t first;			/* size in the first version, 0: the same */
} calls[CALLS] = {
	[INFO]		= { "INFO", PNIC_IOC_INFO, sizeof(struct pnic_ioc_info), false,
			    offsetof(struct pnic_ioc_info, max_srq) },
	[CTX_CREATE]	= { "CTX_CREATE", PNIC_IOC_CTX_CREATE, sizeof(struct pnic_ioc_ctx_create), false,
			    offsetof(struct pnic_ioc_ctx_create, page_offset) },
	[MR_REG]	= { "MR_REG", PNIC_IOC_MR_REG, sizeof(struct pnic_ioc_mr_reg), true },
	[MR_DEREG]	= { "MR_DEREG", PNIC_IOC_MR_DEREG, sizeof(struct pnic_ioc_handle), true },
	[CQ_CREATE]	= { "CQ_CREATE", PNIC_IOC_CQ_CREATE, sizeof(struct pnic_ioc_cq_create), true },
	[CQ_DESTROY]	= { "CQ_DESTROY", PNIC_IOC_CQ_DESTROY, sizeof(struct pnic_ioc_handle), true },
	[EP_CREATE]	= { "EP_CREATE", PNIC_IOC_EP_CREATE, sizeof(struct pnic_ioc_ep_create), true,
			    offsetof(struct pnic_ioc_ep_create, srq) },
	[EP_DESTROY]	= { "EP_DESTROY", PNIC_IOC_EP_DESTROY, sizeof(struct pnic_ioc_handle), true },
	[EP_RESET]	= { "EP_RESET", PNIC_IOC_EP_RESET, sizeof(struct pnic_ioc_handle), true },
	[LINK_INFO]	= { "LINK_INFO", PNIC_IOC_LINK_INFO, sizeof(struct pnic_ioc_link_info), false },
	[SRQ_CREATE]	= { "SRQ_CREATE", PNIC_IOC_SRQ_CREATE, sizeof(struct pnic_ioc_srq_create), true },
	[SRQ_DESTROY]	= { "SRQ_DESTROY", PNIC_IOC_SRQ_DESTROY, sizeof(struct pnic_ioc_handle), true },
	[CTR_CREATE]	= { "CTR_CREATE", PNIC_IOC_CTR_CREATE, sizeof(struct pnic_ioc_ctr_create), true },
	[CTR_DESTROY]	= { "CTR_DESTROY", PNIC_IOC_CTR_DESTROY, sizeof(struct pnic_ioc_handle), true },
	[CTR_BIND]	= { "CTR_BIND", PNIC_IOC_CTR_BIND, sizeof(struct pnic_ioc_ctr_bind), true },
	[RECV_CANCEL]	= { "RECV_CANCEL", PNIC_IOC_RECV_CANCEL, sizeof(struct pnic_ioc_recv_cancel), true },
	[MR_STALE]	= { "MR_STALE", PNIC_IOC_MR_STALE, sizeof(struct pnic_ioc_mr_stale), true },
};

/* Fills @a so that call @c would succeed on @b (which has no context yet for CTX_CREATE). */
static void good_arg(enum call c, const struct bench *b, union arg *a)
{
	memset(a, 0, sizeof(*a));
	a->size = calls[c].size;
	switch (c) {
	case MR_REG:
		a->mr.addr = (uintptr_t)b->mem;
		a->mr.length = PAGE;
		a->mr.flags = PNIC_MRF_REMOTE_READ;
		break;
	case CQ_CREATE:
		a->cq.entries = 16;
		a->cq.eventfd = -1;
		break;
	case EP_CREATE:
		a->ep.sq_slots = 16;
		a->ep.rq_entries = 16;
		a->ep.send_cq = b->cq.handle;
		a->ep.recv_cq = b->cq.handle;
		break;
	case SRQ_CREATE:
		a->srq.entries = 16;
		break;
	case CTR_CREATE:
		a->ctr.eventfd = -1;
		break;
	case CTR_BIND:
		a->bind.ep = b->ep.handle;
		a->bind.ctr = b->ctr.handle;
		a->bind.kinds = PNIC_CTR_SEND;
		break;
	case RECV_CANCEL:
		a->cancel.handle = b->ep.handle;
		break;
	case SRQ_DESTROY:
		a->handle.handle = b->srq.handle;
		break;
	case CTR_DESTROY:
		a->handle.handle = b->ctr.handle;
		break;
	case MR_DEREG:
		a->handle.handle = b->mr.handle;
		break;
	case CQ_DESTROY:
		a->handle.handle = b->cq.handle;
		break;
	case EP_DESTROY:
	case EP_RESET:
		a->handle.handle = b->ep.handle;
		break;
	default:
		break;
	}
}

/* Takes back what call @c with the answer @a made. */
static void undo(enum call c, struct bench *b, const union arg *a)
{
	switch (c) {
	case MR_REG:
		CHECK_OK(dev_handle(b->fd, PNIC_IOC_MR_DEREG, a->mr.handle));
		break;
	case CQ_CREATE:
		CHECK_OK(dev_handle(b->fd, PNIC_IOC_CQ_DESTROY, a->cq.handle));
		break;
	case EP_CREATE:
		CHECK_OK(dev_handle(b->fd, PNIC_IOC_EP_DESTROY, a->ep.handle));
		break;
	case SRQ_CREATE:
		CHECK_OK(dev_handle(b->fd, PNIC_IOC_SRQ_DESTROY, a->srq.handle));
		break;
	case CTR_CREATE:
		CHECK_OK(dev_handle(b->fd, PNIC_IOC_CTR_DESTROY, a->ctr.handle));
		break;
	case MR_DEREG:
		CHECK_OK(dev_mr(b->fd, b->mem, PAGE, PNIC_MRF_LOCAL_WRITE, &b->mr));
		break;
	default:
		break;
	}
}

/* A file on which call @c can be tried: one without context for CTX_CREATE. */
static int file_for(enum call c, const struct bench *b)
{
	int fd = c == CTX_CREATE ? dev_open(0) : dup(b->fd);

	REQUIRE_OK(fd);
	return fd;
}

KTAP_TEST(struct_size)
{
	static const uint32_t low[] = { 0, 1, 3, 4, 7, 8 };
	struct bench b;
	unsigned int i;
	union arg a;
	int c, fd;

	bench_open(&b);
	for (c = 0; c < CALLS; c++)
		SUBTEST("%s", calls[c].name) {
			fd = file_for(c, &b);
			trace_begin();
			for (i = 0; i < sizeof(low) / sizeof(low[0]); i++) {
				good_arg(c, &b, &a);
				a.size = low[i];
				CHECK_ERRNO(ioctl(fd, calls[c].request, &a), EINVAL);
			}
			good_arg(c, &b, &a);
			a.size = (calls[c].first ? calls[c].first : calls[c].size) - 1;
			CHECK_ERRNO(ioctl(fd, calls[c].request, &a), EINVAL);
			trace_none("a short struct");
			close(fd);
		}
	bench_close(&b);
}

KTAP_TEST(struct_tail_not_zero)
{
	static const uint32_t tails[] = { 1, 4, 8, BIG_TAIL };
	struct bench b;
	unsigned int i;
	union arg a;
	int c, fd;

	bench_open(&b);
	for (c = 0; c < CALLS; c++)
		SUBTEST("%s", calls[c].name) {
			fd = file_for(c, &b);
			trace_begin();
			for (i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
				good_arg(c, &b, &a);
				a.size = calls[c].size + tails[i];
				a.bytes[a.size - 1] = 1;
				CHECK_ERRNO(ioctl(fd, calls[c].request, &a), E2BIG);
			}
			trace_none("a tail that is not 0");
			close(fd);
		}
	bench_close(&b);
}

KTAP_TEST(struct_tail_zero)
{
	struct bench b;
	unsigned int i;
	union arg a;
	int c, fd;

	bench_open(&b);
	for (c = 0; c < CALLS; c++) {
		/* These take the bench's own objects away; they have no struct of their own. */
		if (c == CQ_DESTROY || c == EP_DESTROY || c == SRQ_DESTROY || c == CTR_DESTROY)
			continue;
		/* Nothing is posted that it could cancel. */
		if (c == RECV_CANCEL)
			continue;
		SUBTEST("%s", calls[c].name) {
			fd = file_for(c, &b);
			good_arg(c, &b, &a);
			a.size = calls[c].size + BIG_TAIL;
			CHECK_OK(ioctl(fd, calls[c].request, &a));
			for (i = calls[c].size; i < calls[c].size + BIG_TAIL; i++)
				if (a.bytes[i])
					break;
			CHECK_EQ(i, calls[c].size + BIG_TAIL);
			undo(c, &b, &a);
			close(fd);
		}
	}
	bench_close(&b);
}

/* As large as a size can be: no matter what lies behind, it ends soon and with an error. */
KTAP_TEST(struct_huge)
{
	static const uint32_t sizes[] = { 1 << 20, 0x7fffffff, 0x80000000, 0xffffffff };
	struct bench b;
	unsigned int i;
	union arg *a;
	int c, fd, r;

	bench_open(&b);
	a = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(a != MAP_FAILED);
	REQUIRE_OK(munmap((uint8_t *)a + PAGE, PAGE));
	for (c = 0; c < CALLS; c++)
		SUBTEST("%s", calls[c].name) {
			fd = file_for(c, &b);
			trace_begin();
			for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
				good_arg(c, &b, a);
				a->size = sizes[i];
				r = ioctl(fd, calls[c].request, a);
				CHECK_EQ(r, -1);
				CHECK(errno == E2BIG || errno == EFAULT);
			}
			trace_none("a huge struct");
			close(fd);
		}
	munmap(a, PAGE);
	bench_close(&b);
}

KTAP_TEST(unknown_flags)
{
	static const uint32_t known[CALLS] = {
		[MR_REG] = PNIC_MRF_LOCAL_WRITE | PNIC_MRF_REMOTE_READ | PNIC_MRF_REMOTE_WRITE |
			   PNIC_MRF_REMOTE_ATOMIC | PNIC_MRF_WATCH,
		[EP_CREATE] = PNIC_EP_STOP_ON_ERROR,
	};
	struct bench b;
	union arg a;
	int c, bit, fd;

	bench_open(&b);
	for (c = 0; c < CALLS; c++)
		SUBTEST("%s", calls[c].name) {
			fd = file_for(c, &b);
			trace_begin();
			for (bit = 0; bit < 32; bit++) {
				if (known[c] & 1u << bit)
					continue;
				good_arg(c, &b, &a);
				/* flags is the second member of every struct */
				a.handle.flags |= 1u << bit;
				CHECK_ERRNO(ioctl(fd, calls[c].request, &a), EINVAL);
			}
			trace_none("an unknown flag");
			close(fd);
		}
	bench_close(&b);
}

KTAP_TEST(reserved_members)
{
	struct bench b;
	union arg a;
	int c, fd;

	bench_open(&b);
	for (c = 0; c < CALLS; c++) {
		if (c == INFO || c == LINK_INFO)
			continue;	/* theirs are answers */
		if (c == SRQ_CREATE || c == CTR_CREATE || c == RECV_CANCEL || c == MR_STALE)
			continue;	/* they have none */
		SUBTEST("%s", calls[c].name) {
			fd = file_for(c, &b);
			trace_begin();
			good_arg(c, &b, &a);
			switch (c) {
			case CTX_CREATE:
				a.ctx.rsvd = 1;
				break;
			case MR_REG:
				a.mr.rsvd = 0x80000000;
				break;
			case CQ_CREATE:
				a.cq.rsvd = 1;
				break;
			case EP_CREATE:
				a.ep.rsvd2 = 1;
				CHECK_ERRNO(ioctl(fd, calls[c].request, &a), EINVAL);
				a.ep.rsvd2 = 0;
				a.ep.rsvd = 1;
				break;
			case CTR_BIND:
				a.bind.rsvd = 1;
				break;
			default:
				a.handle.rsvd = 1;
			}
			CHECK_ERRNO(ioctl(fd, calls[c].request, &a), EINVAL);
			trace_none("a reserved member");
			close(fd);
		}
	}
	bench_close(&b);
}

KTAP_TEST(bad_pointer)
{
	struct bench b;
	uint8_t *page;
	union arg a;
	int c, fd;

	bench_open(&b);
	page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(page != MAP_FAILED);
	REQUIRE_OK(munmap(page + PAGE, PAGE));
	for (c = 0; c < CALLS; c++)
		SUBTEST("%s", calls[c].name) {
			fd = file_for(c, &b);
			trace_begin();
			CHECK_ERRNO(ioctl(fd, calls[c].request, NULL), EFAULT);
			CHECK_ERRNO(ioctl(fd, calls[c].request, (void *)8), EFAULT);
			CHECK_ERRNO(ioctl(fd, calls[c].request, page + PAGE), EFAULT);
			CHECK_ERRNO(ioctl(fd, calls[c].request, (void *)0xffff800000000000ul), EFAULT);
			/* The first members can be read, the rest can't. */
			good_arg(c, &b, &a);
			memcpy(page + PAGE - 8, &a, 8);
			CHECK_ERRNO(ioctl(fd, calls[c].request, page + PAGE - 8), EFAULT);
			trace_none("a bad pointer");
			close(fd);
		}
	munmap(page, PAGE);
	bench_close(&b);
}

/* What could not be told is told to who asks again. */
KTAP_TEST(stale_answer_not_writable)
{
	struct pnic_ioc_mr_stale *arg, again = { .size = sizeof(again) };
	struct pnic_ioc_mr_reg mr[3];
	uint8_t *mem, *page;
	struct bench b;
	unsigned int i;

	bench_open(&b);
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(page != MAP_FAILED);
	mem = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(mem != MAP_FAILED);
	for (i = 0; i < 3; i++)
		REQUIRE_OK(dev_mr(b.fd, mem + i * PAGE, PAGE, PNIC_MRF_LOCAL_WRITE | PNIC_MRF_WATCH, &mr[i]));
	REQUIRE_OK(munmap(mem, 3 * PAGE));
	arg = (struct pnic_ioc_mr_stale *)page;
	arg->size = sizeof(*arg);
	REQUIRE_OK(mprotect(page, PAGE, PROT_READ));
	CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_MR_STALE, arg), EFAULT);
	/* One that is gone by then is not among them. */
	CHECK_OK(dev_handle(b.fd, PNIC_IOC_MR_DEREG, mr[1].handle));
	REQUIRE_OK(ioctl(b.fd, PNIC_IOC_MR_STALE, &again));
	CHECK_EQ(again.count, 2);
	CHECK_EQ(again.handles[0], mr[0].handle);
	CHECK_EQ(again.handles[1], mr[2].handle);
	again = (struct pnic_ioc_mr_stale) { .size = sizeof(again) };
	REQUIRE_OK(ioctl(b.fd, PNIC_IOC_MR_STALE, &again));
	CHECK_EQ(again.count, 0);
	CHECK_OK(dev_handle(b.fd, PNIC_IOC_MR_DEREG, mr[0].handle));
	CHECK_OK(dev_handle(b.fd, PNIC_IOC_MR_DEREG, mr[2].handle));
	munmap(page, PAGE);
	bench_close(&b);
}

/* The arguments can be read but the answer can't be written: what was made must go again. */
KTAP_TEST(answer_not_writable)
{
	static const enum call answering[] = { INFO, CTX_CREATE, MR_REG, CQ_CREATE, EP_CREATE, LINK_INFO,
						SRQ_CREATE, CTR_CREATE, MR_STALE };
	struct bench b;
	unsigned int i;
	void *page;
	int fd;

	bench_open(&b);
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(page != MAP_FAILED);
	for (i = 0; i < sizeof(answering) / sizeof(answering[0]); i++)
		SUBTEST("%s", calls[answering[i]].name) {
			fd = file_for(answering[i], &b);
			trace_begin();
			REQUIRE_OK(mprotect(page, PAGE, PROT_READ | PROT_WRITE));
			good_arg(answering[i], &b, page);
			REQUIRE_OK(mprotect(page, PAGE, PROT_READ));
			CHECK_ERRNO(ioctl(fd, calls[answering[i]].request, page), EFAULT);
			trace_none("an answer that could not be written");
			close(fd);
		}
	munmap(page, PAGE);
	bench_close(&b);
}

KTAP_TEST(bad_handle)
{
	static const uint32_t bad[] = { 0x7fffffff, 0x80000000, 0xffffffff, 12345 };
	static const enum call by_handle[] = { MR_DEREG, CQ_DESTROY, EP_DESTROY, EP_RESET, SRQ_DESTROY,
						CTR_DESTROY };
	struct bench b;
	unsigned int i, j;
	union arg a;

	bench_open(&b);
	trace_begin();
	for (i = 0; i < sizeof(by_handle) / sizeof(by_handle[0]); i++)
		for (j = 0; j < sizeof(bad) / sizeof(bad[0]); j++)
			CHECK_ERRNO(dev_handle(b.fd, calls[by_handle[i]].request, bad[j]), ENOENT);
	for (j = 0; j < sizeof(bad) / sizeof(bad[0]); j++) {
		good_arg(EP_CREATE, &b, &a);
		a.ep.send_cq = bad[j];
		CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_EP_CREATE, &a), ENOENT);
		good_arg(EP_CREATE, &b, &a);
		a.ep.recv_cq = bad[j];
		CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_EP_CREATE, &a), ENOENT);
		good_arg(EP_CREATE, &b, &a);
		a.ep.rq_entries = 0;
		a.ep.srq = bad[j];
		CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_EP_CREATE, &a), ENOENT);
		good_arg(CTR_BIND, &b, &a);
		a.bind.ep = bad[j];
		CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_CTR_BIND, &a), ENOENT);
		good_arg(CTR_BIND, &b, &a);
		a.bind.ctr = bad[j];
		CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_CTR_BIND, &a), ENOENT);
		good_arg(RECV_CANCEL, &b, &a);
		a.cancel.handle = bad[j];
		CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_RECV_CANCEL, &a), ENOENT);
	}
	trace_none("a bad handle");
	/* Twice: the second time it is gone. */
	CHECK_OK(dev_handle(b.fd, PNIC_IOC_MR_DEREG, b.mr.handle));
	CHECK_ERRNO(dev_handle(b.fd, PNIC_IOC_MR_DEREG, b.mr.handle), ENOENT);
	CHECK_OK(dev_handle(b.fd, PNIC_IOC_EP_DESTROY, b.ep.handle));
	CHECK_ERRNO(dev_handle(b.fd, PNIC_IOC_EP_DESTROY, b.ep.handle), ENOENT);
	CHECK_ERRNO(dev_handle(b.fd, PNIC_IOC_EP_RESET, b.ep.handle), ENOENT);
	CHECK_OK(dev_handle(b.fd, PNIC_IOC_CQ_DESTROY, b.cq.handle));
	CHECK_ERRNO(dev_handle(b.fd, PNIC_IOC_CQ_DESTROY, b.cq.handle), ENOENT);
	bench_close(&b);
}

/* Queues and counters that are in use, values out of range, entries that are not there. */
KTAP_TEST(srq_and_ctr)
{
	static const uint32_t kinds[] = { 0, 0x80, 0xffffffff };
	struct pnic_ioc_ep_create ep;
	struct bench b;
	unsigned int i;
	union arg a;

	bench_open(&b);
	trace_begin();
	good_arg(SRQ_CREATE, &b, &a);
	a.srq.entries = 0;
	CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_SRQ_CREATE, &a), EINVAL);
	a.srq.entries = b.info.max_rq_entries + 1;
	CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_SRQ_CREATE, &a), E2BIG);
	a.srq.entries = 0xffffffff;
	CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_SRQ_CREATE, &a), E2BIG);
	good_arg(CTR_CREATE, &b, &a);
	a.ctr.eventfd = 12345;
	CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_CTR_CREATE, &a), EBADF);
	a.ctr.eventfd = b.fd;
	CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_CTR_CREATE, &a), EINVAL);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		good_arg(CTR_BIND, &b, &a);
		a.bind.kinds = kinds[i];
		CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_CTR_BIND, &a), EINVAL);
	}
	good_arg(EP_CREATE, &b, &a);
	a.ep.srq = b.srq.handle;
	CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_EP_CREATE, &a), EINVAL);
	good_arg(RECV_CANCEL, &b, &a);
	CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_RECV_CANCEL, &a), ENOENT);
	a.cancel.index = 0xffffffff;
	CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_RECV_CANCEL, &a), ENOENT);
	a.cancel.handle = b.srq.handle;
	CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_RECV_CANCEL, &a), ENOENT);
	trace_none("bad values");

	good_arg(EP_CREATE, &b, &a);
	a.ep.rq_entries = 0;
	a.ep.srq = b.srq.handle;
	REQUIRE_OK(ioctl(b.fd, PNIC_IOC_EP_CREATE, &a));
	ep = a.ep;
	CHECK_ERRNO(dev_handle(b.fd, PNIC_IOC_SRQ_DESTROY, b.srq.handle), EBUSY);
	good_arg(RECV_CANCEL, &b, &a);
	a.cancel.handle = ep.handle;
	CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_RECV_CANCEL, &a), ENOENT);
	good_arg(CTR_BIND, &b, &a);
	a.bind.ep = ep.handle;
	a.bind.kinds = PNIC_CTR_ALL;
	CHECK_OK(ioctl(b.fd, PNIC_IOC_CTR_BIND, &a));
	CHECK_ERRNO(dev_handle(b.fd, PNIC_IOC_CTR_DESTROY, b.ctr.handle), EBUSY);
	CHECK_OK(dev_handle(b.fd, PNIC_IOC_EP_DESTROY, ep.handle));
	CHECK_OK(dev_handle(b.fd, PNIC_IOC_CTR_DESTROY, b.ctr.handle));
	CHECK_ERRNO(dev_handle(b.fd, PNIC_IOC_CTR_DESTROY, b.ctr.handle), ENOENT);
	CHECK_OK(dev_handle(b.fd, PNIC_IOC_SRQ_DESTROY, b.srq.handle));
	CHECK_ERRNO(dev_handle(b.fd, PNIC_IOC_SRQ_DESTROY, b.srq.handle), ENOENT);
	bench_close(&b);
}

/* Handles mean something in their own file, and for their own kind, only. */
KTAP_TEST(foreign_handle)
{
	struct bench b;
	union arg a;
	int other;

	bench_open(&b);
	other = dev_open(0);
	REQUIRE_OK(other);
	REQUIRE_OK(dev_ctx(other, 0));
	trace_begin();
	CHECK_ERRNO(dev_handle(other, PNIC_IOC_MR_DEREG, b.mr.handle), ENOENT);
	CHECK_ERRNO(dev_handle(other, PNIC_IOC_EP_RESET, b.ep.handle), ENOENT);
	CHECK_ERRNO(dev_handle(other, PNIC_IOC_EP_DESTROY, b.ep.handle), ENOENT);
	CHECK_ERRNO(dev_handle(other, PNIC_IOC_CQ_DESTROY, b.cq.handle), ENOENT);
	CHECK_ERRNO(dev_handle(other, PNIC_IOC_SRQ_DESTROY, b.srq.handle), ENOENT);
	CHECK_ERRNO(dev_handle(other, PNIC_IOC_CTR_DESTROY, b.ctr.handle), ENOENT);
	good_arg(EP_CREATE, &b, &a);
	CHECK_ERRNO(ioctl(other, PNIC_IOC_EP_CREATE, &a), ENOENT);
	trace_none("a foreign handle");
	close(other);
	bench_close(&b);
}

KTAP_TEST(handle_of_another_kind)
{
	struct pnic_ioc_cq_create cq;
	struct pnic_ioc_mr_reg mr;
	struct bench b;
	int fd;

	bench_open(&b);
	fd = dev_open(0);
	REQUIRE_OK(fd);
	REQUIRE_OK(dev_ctx(fd, 0));
	REQUIRE_OK(dev_cq(fd, 16, &cq));
	CHECK_ERRNO(dev_handle(fd, PNIC_IOC_MR_DEREG, cq.handle), ENOENT);
	CHECK_ERRNO(dev_handle(fd, PNIC_IOC_EP_DESTROY, cq.handle), ENOENT);
	CHECK_ERRNO(dev_handle(fd, PNIC_IOC_EP_RESET, cq.handle), ENOENT);
	CHECK_OK(dev_handle(fd, PNIC_IOC_CQ_DESTROY, cq.handle));
	REQUIRE_OK(dev_mr(fd, b.mem, PAGE, 0, &mr));
	CHECK_ERRNO(dev_handle(fd, PNIC_IOC_CQ_DESTROY, mr.handle), ENOENT);
	CHECK_ERRNO(dev_handle(fd, PNIC_IOC_EP_DESTROY, mr.handle), ENOENT);
	close(fd);
	bench_close(&b);
}

KTAP_TEST(no_context)
{
	struct bench b;
	union arg a;
	int c, fd;

	bench_open(&b);
	fd = dev_open(0);
	REQUIRE_OK(fd);
	trace_begin();
	for (c = 0; c < CALLS; c++) {
		good_arg(c, &b, &a);
		if (calls[c].needs_ctx)
			CHECK_ERRNO(ioctl(fd, calls[c].request, &a), ENXIO);
		else if (c != CTX_CREATE)
			CHECK_OK(ioctl(fd, calls[c].request, &a));
	}
	trace_none("a call without context");
	close(fd);
	bench_close(&b);
}

KTAP_TEST(second_context)
{
	struct bench b;

	bench_open(&b);
	trace_begin();
	CHECK_ERRNO(dev_ctx(b.fd, 0), EEXIST);
	trace_none("a second context");
	CHECK_OK(dev_handle(b.fd, PNIC_IOC_EP_RESET, b.ep.handle));
	bench_close(&b);
}

KTAP_TEST(bad_memory)
{
	struct bench b;
	uint8_t *hole;

	bench_open(&b);
	hole = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(hole != MAP_FAILED);
	REQUIRE_OK(munmap(hole + PAGE, PAGE));
	trace_begin();
	CHECK_ERRNO(dev_mr(b.fd, b.mem, 0, 0, NULL), EINVAL);
	CHECK_ERRNO(dev_mr(b.fd, (void *)-PAGE, 2 * PAGE, 0, NULL), EINVAL);
	CHECK_ERRNO(dev_mr(b.fd, (void *)-PAGE, PAGE + 1, 0, NULL), EINVAL);
	CHECK_ERRNO(dev_mr(b.fd, b.mem, UINT64_MAX, 0, NULL), EINVAL);
	CHECK_ERRNO(dev_mr(b.fd, NULL, PAGE, 0, NULL), EFAULT);
	/* Of 2^32 pages one is there: whoever counts the others in 32 bits has none left. */
	CHECK_ERRNO(dev_mr(b.fd, hole, 1ull << 44, 0, NULL), E2BIG);
	CHECK_ERRNO(dev_mr(b.fd, hole + PAGE, PAGE, 0, NULL), EFAULT);
	CHECK_ERRNO(dev_mr(b.fd, hole, 3 * PAGE, 0, NULL), EFAULT);
	CHECK_ERRNO(dev_mr(b.fd, hole + PAGE - 1, 2, 0, NULL), EFAULT);
	CHECK_ERRNO(dev_mr(b.fd, (void *)0xffffffff80000000ul, PAGE, 0, NULL), EFAULT);
	trace_none("bad memory");
	munmap(hole, PAGE);
	munmap(hole + 2 * PAGE, PAGE);
	bench_close(&b);
}

KTAP_TEST(read_only_memory)
{
	static const uint32_t writes[] = { PNIC_MRF_LOCAL_WRITE, PNIC_MRF_REMOTE_WRITE, PNIC_MRF_REMOTE_ATOMIC };
	struct pnic_ioc_mr_reg mr;
	unsigned int i;
	struct bench b;
	uint8_t *ro;

	bench_open(&b);
	ro = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(ro != MAP_FAILED);
	trace_begin();
	for (i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
		CHECK_ERRNO(dev_mr(b.fd, ro, PAGE, writes[i], NULL), EFAULT);
	trace_none("read-only memory");
	REQUIRE_OK(dev_mr(b.fd, ro, PAGE, PNIC_MRF_REMOTE_READ, &mr));
	CHECK_OK(dev_handle(b.fd, PNIC_IOC_MR_DEREG, mr.handle));
	munmap(ro, PAGE);
	bench_close(&b);
}

KTAP_TEST(depth)
{
	static const uint32_t huge[] = { 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff };
	struct bench b;
	unsigned int i;
	union arg a;

	bench_open(&b);
	trace_begin();
	CHECK_ERRNO(dev_cq(b.fd, 0, NULL), EINVAL);
	good_arg(EP_CREATE, &b, &a);
	a.ep.sq_slots = 0;
	CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_EP_CREATE, &a), EINVAL);
	CHECK_ERRNO(dev_cq(b.fd, b.info.max_cq_entries + 1, NULL), E2BIG);
	good_arg(EP_CREATE, &b, &a);
	a.ep.sq_slots = b.info.max_sq_slots + 1;
	CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_EP_CREATE, &a), E2BIG);
	good_arg(EP_CREATE, &b, &a);
	a.ep.rq_entries = b.info.max_rq_entries + 1;
	CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_EP_CREATE, &a), E2BIG);
	for (i = 0; i < sizeof(huge) / sizeof(huge[0]); i++) {
		CHECK_ERRNO(dev_cq(b.fd, huge[i], NULL), E2BIG);
		good_arg(EP_CREATE, &b, &a);
		a.ep.sq_slots = huge[i];
		CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_EP_CREATE, &a), E2BIG);
		good_arg(EP_CREATE, &b, &a);
		a.ep.rq_entries = huge[i];
		CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_EP_CREATE, &a), E2BIG);
	}
	trace_none("a wrong depth");
	bench_close(&b);
}

/* Odd depths are rounded up to a power of two, and the answer says so. */
KTAP_TEST(depth_rounding)
{
	struct pnic_ioc_cq_create cq;
	struct bench b;
	union arg a;

	bench_open(&b);
	REQUIRE_OK(dev_cq(b.fd, 17, &cq));
	CHECK_GE(cq.entries, 17);
	CHECK_EQ(cq.entries & (cq.entries - 1), 0);
	CHECK_GE(cq.ring_length, cq.entries * sizeof(struct pnic_cqe));
	CHECK_EQ(cq.ring_length % PAGE, 0);
	CHECK_GE(cq.db_slot, PNIC_DB_SLOT_FIRST);
	CHECK_LT(cq.db_slot, PNIC_DB_SLOTS);
	good_arg(EP_CREATE, &b, &a);
	a.ep.sq_slots = 100;
	a.ep.rq_entries = 0;
	REQUIRE_OK(ioctl(b.fd, PNIC_IOC_EP_CREATE, &a));
	CHECK_GE(a.ep.sq_slots, 100);
	CHECK_EQ(a.ep.sq_slots & (a.ep.sq_slots - 1), 0);
	CHECK_EQ(a.ep.rq_entries, 0);
	CHECK_EQ(a.ep.rq_offset, 0);
	CHECK_EQ(a.ep.rq_length, 0);
	CHECK_NE(a.ep.sq_slot, cq.db_slot);
	bench_close(&b);
}

KTAP_TEST(destroy_in_use)
{
	struct bench b;

	bench_open(&b);
	trace_begin();
	CHECK_ERRNO(dev_handle(b.fd, PNIC_IOC_CQ_DESTROY, b.cq.handle), EBUSY);
	trace_none("destroying a queue in use");
	CHECK_OK(dev_handle(b.fd, PNIC_IOC_EP_DESTROY, b.ep.handle));
	CHECK_OK(dev_handle(b.fd, PNIC_IOC_CQ_DESTROY, b.cq.handle));
	bench_close(&b);
}

KTAP_TEST(bad_eventfd)
{
	struct bench b;
	union arg a;
	int file, efd;

	bench_open(&b);
	file = open("/dev/null", O_RDWR);
	REQUIRE_OK(file);
	trace_begin();
	good_arg(CQ_CREATE, &b, &a);
	a.cq.eventfd = 4000;
	CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_CQ_CREATE, &a), EBADF);
	good_arg(CQ_CREATE, &b, &a);
	a.cq.eventfd = -2;
	CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_CQ_CREATE, &a), EBADF);
	good_arg(CQ_CREATE, &b, &a);
	a.cq.eventfd = file;
	CHECK_ERRNO(ioctl(b.fd, PNIC_IOC_CQ_CREATE, &a), EINVAL);
	trace_none("a bad eventfd");
	efd = eventfd(0, 0);
	REQUIRE_OK(efd);
	good_arg(CQ_CREATE, &b, &a);
	a.cq.eventfd = efd;
	CHECK_OK(ioctl(b.fd, PNIC_IOC_CQ_CREATE, &a));
	close(efd);
	close(file);
	bench_close(&b);
}

KTAP_TEST(unknown_ioctl)
{
	struct bench b;
	union arg a;
	unsigned int nr;

	bench_open(&b);
	trace_begin();
	memset(&a, 0, sizeof(a));
	a.size = 64;
	/* MR_REG_DMABUF, which wants a buffer, is not among the calls above. */
	for (nr = CALLS + 1; nr < 256; nr++)
		CHECK_ERRNO(ioctl(b.fd, _IO(PNIC_IOC_TYPE, nr), &a), ENOTTY);
	CHECK_ERRNO(ioctl(b.fd, _IO(PNIC_IOC_TYPE + 1, 0), &a), ENOTTY);
	CHECK_ERRNO(ioctl(b.fd, _IOWR(PNIC_IOC_TYPE, 0, uint64_t), &a), ENOTTY);
	CHECK_ERRNO(ioctl(b.fd, 0xffffffff, &a), ENOTTY);
	trace_none("an unknown ioctl");
	bench_close(&b);
}

KTAP_TEST(read_write_seek)
{
	struct pnic_event ev;
	struct bench b;

	bench_open(&b);
	REQUIRE_OK(fcntl(b.fd, F_SETFL, O_NONBLOCK));
	CHECK_ERRNO(read(b.fd, &ev, sizeof(ev) - 1), EINVAL);
	CHECK_ERRNO(read(b.fd, &ev, 1), EINVAL);
	CHECK_ERRNO(read(b.fd, &ev, sizeof(ev)), EAGAIN);
	CHECK_EQ(write(b.fd, &ev, sizeof(ev)), -1);
	CHECK_OK(dev_handle(b.fd, PNIC_IOC_EP_RESET, b.ep.handle));
	bench_close(&b);
}

/* Runs @fn in a child without privileges; its checks are the child's exit status. */
static void as_nobody(void (*fn)(int fd, uint8_t *mem))
{
	uint8_t *mem;
	int fd, status;
	pid_t pid;

	need_cards(1);
	if (geteuid())
		SKIP("not root");
	trace_begin();
	pid = ktap_fork();
	REQUIRE_OK(pid);
	if (!pid) {
		fd = dev_open(0);
		mem = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		REQUIRE(fd >= 0 && mem != MAP_FAILED);
		REQUIRE_OK(setgid(65534));
		REQUIRE_OK(setuid(65534));
		fn(fd, mem);
		ktap_child_exit();
	}
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	trace_none("the unprivileged process");
}

static void memlock(rlim_t bytes)
{
	const struct rlimit limit = { bytes, bytes };

	CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &limit));
}

static void child_memlock(int fd, uint8_t *mem)
{
	struct pnic_ioc_mr_reg mr;

	memlock(16 * PAGE);
	CHECK_OK(dev_ctx(fd, 0));
	CHECK_ERRNO(dev_mr(fd, mem, 17 * PAGE, 0, NULL), ENOMEM);
	CHECK_ERRNO(dev_mr(fd, mem + PAGE - 1, 16 * PAGE, 0, NULL), ENOMEM);
	CHECK_OK(dev_mr(fd, mem, 16 * PAGE, 0, &mr));
	CHECK_ERRNO(dev_mr(fd, mem + 16 * PAGE, 1, 0, NULL), ENOMEM);
	CHECK_OK(dev_handle(fd, PNIC_IOC_MR_DEREG, mr.handle));
	CHECK_OK(dev_mr(fd, mem + 16 * PAGE, 8 * PAGE, 0, &mr));
	CHECK_ERRNO(dev_mr(fd, mem, 9 * PAGE, 0, NULL), ENOMEM);
	CHECK_OK(dev_mr(fd, mem, 8 * PAGE, 0, NULL));
}

KTAP_TEST(memlock_limit)
{
	as_nobody(child_memlock);
}

static void child_memlock_zero(int fd, uint8_t *mem)
{
	memlock(0);
	CHECK_OK(dev_ctx(fd, 0));
	CHECK_ERRNO(dev_mr(fd, mem, PAGE, 0, NULL), EPERM);
}

KTAP_TEST(memlock_zero)
{
	as_nobody(child_memlock_zero);
}

static void child_partition(int fd, uint8_t *mem)
{
	(void)mem;
	CHECK_ERRNO(dev_ctx(fd, 7), EPERM);
	CHECK_OK(dev_ctx(fd, 0));
}

KTAP_TEST(partition_not_granted)
{
	as_nobody(child_partition);
}

KTAP_TEST(partition_range)
{
	int fd;

	need_cards(1);
	fd = dev_open(0);
	REQUIRE_OK(fd);
	trace_begin();
	CHECK_ERRNO(dev_ctx(fd, 0x10000), EINVAL);
	CHECK_ERRNO(dev_ctx(fd, 0xffffffff), EINVAL);
	trace_none("a partition out of range");
	CHECK_OK(dev_ctx(fd, 0xffff));
	close(fd);
}

/* All objects of a kind: the last one more is refused, and all go when the file closes. */
KTAP_TEST(no_more_objects)
{
	struct resources start;
	struct bench b;
	unsigned int n;
	int fd;

	bench_open(&b);
	REQUIRE_OK(resources_read(&start));
	fd = dev_open(0);
	REQUIRE_OK(fd);
	REQUIRE_OK(dev_ctx(fd, 0));
	for (n = 0; n <= b.info.max_cq; n++)
		if (dev_cq(fd, 16, NULL))
			break;
	CHECK_EQ(errno, ENOSPC);
	CHECK_LT(n, b.info.max_cq);	/* the bench has one */
	ktap_say("%u completion queues of %u in one file", n, b.info.max_cq);
	close(fd);
	before = start;
	trace_none("running out of completion queues");
	bench_close(&b);
}

KTAP_MAIN()
