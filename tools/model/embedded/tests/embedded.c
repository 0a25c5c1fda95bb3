// SPDX-License-Identifier: GPL-2.0
/*
 * Embedded cards: names, worlds, who drives them, the kernel's rules at the seam, and faults.
 * What transfers must do is in selftests/, which runs on these cards as well.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <pnic_embedded.h>

#include "libpnic/src/internal.h"
#include "selftests/ktap.h"

#define MEM		(1u << 20)
#define WAIT_MS		60000

extern const struct pnic_backend pnic_embedded_backend;

struct side {
	struct pnic_ctx *ctx;
	struct pnic_cq *cq;
	struct pnic_ep *ep;
	struct pnic_mr *mr;
	uint8_t *mem;
};

static struct side a, b;

static void side_open(struct side *s, const char *name)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = pnic_cq_entries(128, 128, 1) };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 128, .rq_entries = 128,
		.rnr_timeout_us = 2000000 };
	int err = pnic_open(name, NULL, &s->ctx);

	if (err)
		ktap_say("%s", pnic_last_error());
	REQUIRE_EQ(err, 0);
	REQUIRE_EQ(pnic_cq_create(s->ctx, &ca, &s->cq), 0);
	ea.send_cq = s->cq;
	REQUIRE_EQ(pnic_ep_create(s->ctx, &ea, &s->ep), 0);
	s->mem = aligned_alloc(4096, MEM);
	REQUIRE(s->mem);
	memset(s->mem, 0, MEM);
	REQUIRE_EQ(pnic_mr_reg(s->ctx, s->mem, MEM, PNIC_MRF_LOCAL_WRITE | PNIC_MRF_REMOTE_READ |
			       PNIC_MRF_REMOTE_WRITE | PNIC_MRF_REMOTE_ATOMIC, &s->mr), 0);
}

static void side_close(struct side *s)
{
	pnic_close(s->ctx);
	free(s->mem);
	memset(s, 0, sizeof(*s));
}

static void close_pair(void);

/* Closes first what a test that ended early has left. */
static void open_pair(const char *options)
{
	char name[128];

	close_pair();
	snprintf(name, sizeof(name), "embedded:%s%snic=0", options, *options ? "," : "");
	side_open(&a, name);
	side_open(&b, "embedded:nic=1");
}

static void close_pair(void)
{
	side_close(&a);
	side_close(&b);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static struct pnic_wc reap(struct side *s)
{
	uint64_t end = now_ms() + WAIT_MS;
	struct pnic_wc wc = { 0 };

	while (!pnic_poll(s->cq, &wc, 1))
		REQUIRE(now_ms() < end);
	return wc;
}

static unsigned int put(struct side *from, struct side *to, uint32_t length, uint8_t value)
{
	unsigned int status;
	uint32_t i;

	memset(from->mem, value, length);
	memset(to->mem, 0, length);
	REQUIRE_EQ(pnic_post_write(from->ep, to->ep->addr, from->mem, length, from->mr->key,
				   (uintptr_t)to->mem, to->mr->key, value, PNIC_SQF_SIGNALED), 0);
	pnic_ring(from->ep);
	status = reap(from).status;
	for (i = 0; !status && i < length; i++)
		if (to->mem[i] != value)
			return 1000;
	return status;
}

static uint64_t event(struct side *s, uint32_t type)
{
	uint64_t end = now_ms() + WAIT_MS;
	struct pnic_event ev;
	int err;

	for (;;) {
		err = pnic_read_event(s->ctx, &ev);
		if (!err && ev.type == type)
			return ev.data;
		REQUIRE(!err || err == -EAGAIN);
		REQUIRE(now_ms() < end);
	}
}

static double figure(struct side *s, const char *name)
{
	double v = -1;

	REQUIRE_EQ(pnic_embedded_figure(s->ctx, name, &v), 0);
	return v;
}

KTAP_TEST(names)
{
	static const struct {
		const char *name, *why;
	} bad[] = {
		{ "embedded:nic", "without a value" },
		{ "embedded:nick=1", "no such option" },
		{ "embedded:nic=8", "not a value" },
		{ "embedded:nic=-1", "not a value" },
		{ "embedded:nic=1x", "not a value" },
		{ "embedded:nics=0", "not a value" },
		{ "embedded:nics=2,nic=2", "not below" },
		{ "embedded:thread=2", "not a value" },
		{ "embedded:profile=none", "not a value" },
		{ "embedded:world=a/b", "not a value" },
		{ "embedded:ber_median=2", "not a value" },
		{ "embedded:seed=", "not a value" },
		{ "embedded:world=0123456789012345678901234567890123456789", "not a value" },
	};
	struct pnic_ctx *ctx, *other;
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_EQ(pnic_open(bad[i].name, NULL, &ctx), -EINVAL);
		if (!strstr(pnic_last_error(), bad[i].why))
			ktap_failed(__FILE__, __LINE__, "%s: '%s'", bad[i].name, pnic_last_error());
	}
	REQUIRE_EQ(pnic_open("embedded:profile=test-16,seed=7", NULL, &ctx), 0);
	CHECK_EQ(ctx->status->width_max, 16);
	CHECK_EQ(pnic_open("embedded:seed=8", NULL, &other), -EINVAL);
	CHECK(strstr(pnic_last_error(), "seed"));
	CHECK_EQ(pnic_open("embedded:thread=1", NULL, &other), -EINVAL);
	CHECK_EQ(pnic_open("embedded:profile=mosaic-800g", NULL, &other), -EINVAL);
	CHECK_EQ(pnic_open("embedded:nic=2", NULL, &other), -ENODEV);
	REQUIRE_EQ(pnic_open("embedded:nic=1,profile=test-16", NULL, &other), 0);
	pnic_close(other);
	/* Another world is another place. */
	REQUIRE_EQ(pnic_open("embedded:world=b", NULL, &other), 0);
	CHECK_EQ(other->status->width_max, 425);
	CHECK_EQ(other->nic, ctx->nic);
	pnic_close(ctx);
	pnic_close(other);
	/* With its last context it is gone, and may be made otherwise. */
	REQUIRE_EQ(pnic_open("embedded:seed=8", NULL, &ctx), 0);
	pnic_close(ctx);
}

static int command(struct pnic_dev *d, unsigned int cmd, void *arg)
{
	return pnic_embedded_backend.command(d, cmd, arg);
}

/* The checks are the driver's own; a few of each kind show that they are in place. */
KTAP_TEST(rules_of_the_kernel)
{
	struct { struct pnic_ioc_ctx_create ctx; uint32_t tail; } wide = { .ctx.size = sizeof(wide) };
	struct pnic_ioc_ctx_create ctx = { .size = sizeof(ctx) };
	struct pnic_ioc_cq_create cq = { .size = sizeof(cq), .entries = 16, .eventfd = -1 };
	struct pnic_ioc_ep_create ep = { .size = sizeof(ep), .sq_slots = 1 };
	struct pnic_ioc_mr_reg mr = { .size = sizeof(mr), .addr = (uintptr_t)&mr, .length = 8 };
	struct pnic_ioc_handle h = { .size = sizeof(h), .handle = 12345 };
	struct pnic_dev *d;
	void *mem;
	int fds[2];

	REQUIRE_EQ(pnic_embedded_backend.open("embedded:", &d), 0);
	CHECK_EQ(command(d, 0x1234, &ctx), -ENOTTY);
	CHECK_EQ(command(d, PNIC_IOC_CQ_CREATE, &cq), -ENXIO);
	CHECK_EQ(command(d, PNIC_IOC_MR_REG, &mr), -ENXIO);
	wide.tail = 1;
	CHECK_EQ(command(d, PNIC_IOC_CTX_CREATE, &wide), -E2BIG);
	ctx.size = 8;
	CHECK_EQ(command(d, PNIC_IOC_CTX_CREATE, &ctx), -EINVAL);
	ctx.size = sizeof(ctx);
	ctx.partition = 65536;
	CHECK_EQ(command(d, PNIC_IOC_CTX_CREATE, &ctx), -EINVAL);
	ctx.partition = 0;
	REQUIRE_EQ(command(d, PNIC_IOC_CTX_CREATE, &ctx), 0);
	CHECK_EQ(command(d, PNIC_IOC_CTX_CREATE, &ctx), -EEXIST);
	cq.entries = 1u << 30;
	CHECK_EQ(command(d, PNIC_IOC_CQ_CREATE, &cq), -E2BIG);
	cq.entries = 16;
	cq.eventfd = 9999;
	CHECK_EQ(command(d, PNIC_IOC_CQ_CREATE, &cq), -EBADF);
	REQUIRE_OK(pipe(fds));
	cq.eventfd = fds[0];
	CHECK_EQ(command(d, PNIC_IOC_CQ_CREATE, &cq), -EINVAL);
	close(fds[0]);
	close(fds[1]);
	cq.eventfd = -1;
	REQUIRE_EQ(command(d, PNIC_IOC_CQ_CREATE, &cq), 0);
	ep.send_cq = cq.handle + 1;
	ep.recv_cq = cq.handle;
	CHECK_EQ(command(d, PNIC_IOC_EP_CREATE, &ep), -ENOENT);
	ep.send_cq = cq.handle;
	REQUIRE_EQ(command(d, PNIC_IOC_EP_CREATE, &ep), 0);
	CHECK_EQ(ep.sq_slots, 16);
	CHECK_EQ(ep.rq_offset, 0);
	h.handle = cq.handle;
	CHECK_EQ(command(d, PNIC_IOC_CQ_DESTROY, &h), -EBUSY);
	CHECK_EQ(command(d, PNIC_IOC_EP_DESTROY, &h), -ENOENT);
	mr.length = 0;
	CHECK_EQ(command(d, PNIC_IOC_MR_REG, &mr), -EINVAL);
	mr.length = UINT64_MAX;
	CHECK_EQ(command(d, PNIC_IOC_MR_REG, &mr), -EINVAL);
	mr.addr = 4096;
	mr.length = 8192;
	CHECK_EQ(command(d, PNIC_IOC_MR_REG, &mr), -EFAULT);
	mr.addr = (uintptr_t)"read only";
	mr.length = 4;
	CHECK_EQ(command(d, PNIC_IOC_MR_REG, &mr), 0);
	mr.flags = PNIC_MRF_LOCAL_WRITE;
	CHECK_EQ(command(d, PNIC_IOC_MR_REG, &mr), -EFAULT);
	CHECK_EQ(pnic_embedded_backend.map(d, 4096, 4096, true, &mem), -EPERM);
	CHECK_EQ(pnic_embedded_backend.map(d, 0x123456000, 4096, true, &mem), -EINVAL);
	CHECK_EQ(pnic_embedded_backend.map(d, cq.ring_offset, cq.ring_length + 4096, true, &mem), -EINVAL);
	pnic_embedded_backend.close(d);
}

/* Nobody drives but the caller; with a thread nobody has to. */
KTAP_TEST(driven)
{
	static const char *const options[] = { "", "thread=1", "nics=3", "thread=1,nics=8", "profile=avicena-512g" };
	struct pnic_wc wc;
	unsigned int i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		SUBTEST("%s", *options[i] ? options[i] : "default") {
			open_pair(options[i]);
			CHECK_EQ(a.cq->driven, !strstr(options[i], "thread"));
			CHECK_EQ(put(&a, &b, 1, 1), PNIC_ST_OK);
			CHECK_EQ(put(&b, &a, MEM, 2), PNIC_ST_OK);
			/* To itself. */
			CHECK_EQ(pnic_post_send(a.ep, a.ep->addr, "x", 1, 0, 9, PNIC_SQF_INLINE), 0);
			REQUIRE_EQ(pnic_post_recv(a.ep, a.mem, 1, a.mr->key, 8), 0);
			pnic_ring_recv(a.ep);
			pnic_ring(a.ep);
			wc = reap(&a);
			CHECK_EQ(wc.cookie, 8);
			CHECK_EQ(a.mem[0], 'x');
			close_pair();
		}
	}
}

static void *late_put(void *arg)
{
	struct timespec nap = { .tv_nsec = 50000000 };
	uint64_t value = 77;

	(void)arg;
	nanosleep(&nap, NULL);
	pnic_post_write_imm(a.ep, b.ep->addr, &value, 8, 0, (uintptr_t)b.mem, b.mr->key, 5, 1, PNIC_SQF_INLINE);
	pnic_ring(a.ep);
	return NULL;
}

/* The receiver sleeps in a wait, or in a loop of its own. */
static void sleeper(bool own_loop)
{
	struct epoll_event ev = { .events = EPOLLIN };
	uint64_t count;
	pthread_t id;
	int ep;

	REQUIRE_EQ(pnic_post_recv(b.ep, NULL, 0, 0, 3), 0);
	pnic_ring_recv(b.ep);
	REQUIRE_EQ(pthread_create(&id, NULL, late_put, NULL), 0);
	if (own_loop) {
		ep = epoll_create1(0);
		REQUIRE_OK(ep);
		REQUIRE_OK(epoll_ctl(ep, EPOLL_CTL_ADD, pnic_cq_fd(b.cq), &ev));
		if (!pnic_arm(b.cq)) {
			CHECK_EQ(epoll_wait(ep, &ev, 1, WAIT_MS), 1);
			CHECK_EQ(read(pnic_cq_fd(b.cq), &count, 8), 8);
		}
		close(ep);
	} else {
		CHECK_EQ(pnic_wait(b.cq, WAIT_MS), 0);
	}
	CHECK_EQ(reap(&b).data, 5);
	pthread_join(id, NULL);
}

KTAP_TEST(sleepers)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		SUBTEST("%s, %s", i & 1 ? "thread" : "driven", i & 2 ? "epoll" : "wait") {
			open_pair(i & 1 ? "thread=1" : "");
			sleeper(i & 2);
			close_pair();
		}
	}
}

/* An event is told to who sleeps, without anybody driving. */
KTAP_TEST(event_wakes)
{
	struct pollfd fd = { .events = POLLIN };

	open_pair("");
	fd.fd = pnic_fd(a.ctx);
	CHECK_EQ(poll(&fd, 1, 0), 0);
	CHECK_EQ(pnic_embedded_fault(a.ctx, PNIC_EMBEDDED_LINK, 0, 0), 0);
	CHECK_EQ(poll(&fd, 1, WAIT_MS), 1);
	event(&a, PNIC_EVT_LINK);
	CHECK_EQ(a.ctx->status->link_state, 2);
	CHECK_EQ(pnic_embedded_fault(a.ctx, PNIC_EMBEDDED_LINK, 1, 0), 0);
	event(&a, PNIC_EVT_LINK);
	while (!pnic_read_event(a.ctx, &(struct pnic_event) { 0 }))
		;
	CHECK_EQ(poll(&fd, 1, 0), 0);
	CHECK_EQ(put(&a, &b, 100, 3), PNIC_ST_OK);
	close_pair();
}

/* Spares take over; when there are none the link narrows, and everybody is told. No byte is wrong. */
KTAP_TEST(dying_lanes)
{
	struct pnic_ioc_link_info link = { .size = sizeof(link) };
	unsigned int lane;
	uint64_t end;
	uint32_t full;

	open_pair("");
	full = pnic_rate_mbps(b.ctx);
	CHECK_EQ(full, 800000 / 1000 * 1000);
	for (lane = 0; lane < 60; lane++) {
		REQUIRE_EQ(pnic_embedded_fault(a.ctx, PNIC_EMBEDDED_KILL, 7 * lane, 0), 0);
		REQUIRE_EQ(put(&a, &b, 30000, (uint8_t)(lane + 1)), PNIC_ST_OK);
		REQUIRE_EQ(put(&b, &a, 30000, (uint8_t)(lane + 101)), PNIC_ST_OK);
		end = now_ms() + WAIT_MS;
		while (!pnic_query_link(a.ctx, &link) && link.failed_rx <= lane)
			REQUIRE(now_ms() < end);
	}
	end = now_ms() + WAIT_MS;
	/* What came in at a is what b sends. */
	while (b.ctx->status->width != 425 - 25) {
		put(&b, &a, 1000, 1);
		REQUIRE(now_ms() < end);
	}
	CHECK_EQ(link.spares_rx, 0);
	CHECK(pnic_rate_mbps(b.ctx) < full);
	CHECK_EQ(pnic_rate_mbps(a.ctx), full);
	event(&b, PNIC_EVT_RATE);
	CHECK(figure(&b, "width") < 425);
	CHECK_EQ(pnic_embedded_fault(a.ctx, PNIC_EMBEDDED_HEAL_ALL, 0, 0), 0);
	CHECK_EQ(put(&b, &a, MEM, 9), PNIC_ST_OK);
	CHECK_EQ(pnic_embedded_fault(a.ctx, PNIC_EMBEDDED_KILL, 460, 0), -EINVAL);
	close_pair();
}

KTAP_TEST(lost_and_damaged_frames)
{
	unsigned int i;

	open_pair("");
	for (i = 0; i < 50; i++) {
		CHECK_EQ(pnic_embedded_fault(b.ctx, i & 1 ? PNIC_EMBEDDED_DROP : PNIC_EMBEDDED_CORRUPT, 1 + i % 3, 0),
			 0);
		REQUIRE_EQ(put(&a, &b, 1 + 5000 * i, (uint8_t)(i + 1)), PNIC_ST_OK);
	}
	CHECK(figure(&a, "replayed") > 0);
	close_pair();
}

KTAP_TEST(cut_cable)
{
	open_pair("data_age_ms=100");
	CHECK_EQ(pnic_embedded_fault(b.ctx, PNIC_EMBEDDED_CUT, 1, 0), 0);
	CHECK_EQ(put(&a, &b, 5000, 1), PNIC_ST_LINK);
	CHECK_EQ(pnic_embedded_fault(b.ctx, PNIC_EMBEDDED_CUT, 0, 0), 0);
	event(&a, PNIC_EVT_LINK);
	while (a.ctx->status->link_state != 1)
		event(&a, PNIC_EVT_LINK);
	CHECK_EQ(put(&a, &b, 5000, 1), PNIC_ST_OK);
	close_pair();
}

/* The driver's reset path: contexts die, and say so; a new one works, whatever the dead one does. */
KTAP_TEST(card_fails)
{
	struct side dead, fresh;
	struct pnic_mr *mr;
	struct pnic_wc wc;

	open_pair("");
	CHECK_EQ(pnic_embedded_fault(a.ctx, PNIC_EMBEDDED_FATAL, 1, 0), 0);
	event(&a, PNIC_EVT_RESET);
	CHECK(pnic_ctx_dead(a.ctx));
	CHECK(!pnic_ctx_dead(b.ctx));
	CHECK_EQ(pnic_mr_reg(a.ctx, a.mem, 100, 0, &mr), -EIO);
	CHECK_EQ(pnic_wait(a.cq, WAIT_MS), -EIO);
	CHECK_EQ(pnic_read_event(a.ctx, &(struct pnic_event) { 0 }), -EIO);
	dead = a;
	side_open(&fresh, "embedded:nic=0");
	/* Its doorbells lead nowhere. */
	CHECK_EQ(pnic_post_write(dead.ep, b.ep->addr, "dead", 4, 0, (uintptr_t)b.mem, b.mr->key, 1,
				 PNIC_SQF_INLINE | PNIC_SQF_SIGNALED), 0);
	pnic_ring(dead.ep);
	CHECK_EQ(put(&fresh, &b, 50000, 4), PNIC_ST_OK);
	CHECK_EQ(put(&b, &fresh, 50000, 5), PNIC_ST_OK);
	CHECK_EQ(pnic_poll(dead.cq, &wc, 1), 0);
	CHECK_EQ(pnic_ep_destroy(dead.ep), 0);
	CHECK_EQ(pnic_mr_dereg(dead.mr), 0);
	side_close(&fresh);
	close_pair();
}

KTAP_TEST(card_is_pulled)
{
	struct pnic_ctx *ctx;
	struct pnic_mr *mr;

	open_pair("");
	CHECK_EQ(pnic_embedded_fault(a.ctx, PNIC_EMBEDDED_GONE, 0, 0), 0);
	event(&a, PNIC_EVT_GONE);
	CHECK_EQ(pnic_mr_reg(a.ctx, a.mem, 100, 0, &mr), -ENODEV);
	CHECK_EQ(pnic_wait(a.cq, WAIT_MS), -ENODEV);
	CHECK_EQ(pnic_open("embedded:", NULL, &ctx), -ENODEV);
	CHECK_GT(put(&b, &a, 100, 1), PNIC_ST_OK);
	close_pair();
	REQUIRE_EQ(pnic_open("embedded:", NULL, &ctx), 0);
	pnic_close(ctx);
}

/* A card that answers nothing is reset, and serves again. */
KTAP_TEST(card_hangs)
{
	uint64_t end = now_ms() + 60000;
	struct pnic_ctx *ctx;

	open_pair("thread=1");
	CHECK_EQ(pnic_embedded_fault(a.ctx, PNIC_EMBEDDED_FREEZE, 1, 0), 0);
	while (!pnic_ctx_dead(a.ctx)) {
		usleep(10000);
		REQUIRE(now_ms() < end);
	}
	REQUIRE_EQ(pnic_open("embedded:", NULL, &ctx), 0);
	pnic_close(ctx);
	close_pair();
}

/*
 * Short transfers that nobody waits for are answered by the next one's answer. Whatever comes in the place of the
 * next one, they are over in the end and a flush gets through.
 */
KTAP_TEST(unsignaled_before)
{
	static const char *const next[] = { "a write", "one with a bad key", "a read", "a fence", "another destination",
		"a bad descriptor", "a flush", "nothing", "a refused write" };
	struct pnic_addr nowhere = { 0x777777, 1 };
	uint64_t v;
	unsigned int i, n, want;
	struct pnic_wc wc;

	open_pair("");
	for (i = 0; i < sizeof(next) / sizeof(next[0]); i++) {
		SUBTEST("%s", next[i]) {
			for (v = 1; v <= 40; v++)
				REQUIRE_EQ(pnic_post_write(a.ep, b.ep->addr, &v, 8, 0, (uintptr_t)b.mem + 8 * v,
							   b.mr->key, v, PNIC_SQF_INLINE), 0);
			v = 99;
			want = PNIC_ST_OK;
			switch (i) {
			case 0:
				n = pnic_post_write(a.ep, b.ep->addr, &v, 8, 0, (uintptr_t)b.mem, b.mr->key, 77,
						    PNIC_SQF_INLINE | PNIC_SQF_SIGNALED);
				break;
			case 1:
				want = PNIC_ST_LOCAL_KEY;
				n = pnic_post_write(a.ep, b.ep->addr, a.mem, 8, 12345, (uintptr_t)b.mem, b.mr->key, 77, 0);
				break;
			case 2:
				n = pnic_post_read(a.ep, b.ep->addr, a.mem, 8, a.mr->key, (uintptr_t)b.mem, b.mr->key, 77,
						   PNIC_SQF_SIGNALED);
				break;
			case 3:
				n = pnic_post_write(a.ep, b.ep->addr, &v, 8, 0, (uintptr_t)b.mem, b.mr->key, 77,
						    PNIC_SQF_INLINE | PNIC_SQF_SIGNALED | PNIC_SQF_FENCE);
				break;
			case 4:
				want = PNIC_ST_UNREACHABLE;
				n = pnic_post_write(a.ep, nowhere, &v, 8, 0, 0, 1, 77, PNIC_SQF_INLINE);
				break;
			case 5:
				want = PNIC_ST_ALIGN;
				n = pnic_post_fetch_add(a.ep, b.ep->addr, 8, (uintptr_t)b.mem + 1, b.mr->key, 1, 77, 0);
				break;
			case 8:
				want = PNIC_ST_REMOTE_KEY;
				n = pnic_post_write(a.ep, b.ep->addr, &v, 8, 0, (uintptr_t)b.mem, 1, 77, PNIC_SQF_INLINE);
				break;
			default:
				n = pnic_post_flush(a.ep, 77, PNIC_SQF_SIGNALED);
			}
			REQUIRE_EQ(n, 0);
			REQUIRE_EQ(pnic_post_flush(a.ep, 78, PNIC_SQF_SIGNALED), 0);
			pnic_ring(a.ep);
			wc = reap(&a);
			CHECK_EQ(wc.cookie, 77);
			CHECK_EQ(wc.status, want);
			CHECK_EQ(reap(&a).cookie, 78);
			CHECK_EQ(a.ep->sq_head, a.ep->sq_tail);
			for (v = 1; v <= 40; v++)
				CHECK_EQ(((uint64_t *)(void *)b.mem)[v], v);
			memset(b.mem, 0, 400);
			CHECK_EQ(pnic_poll(a.cq, &wc, 1), 0);
		}
	}
	/* One of them fails: it says so, the others don't. */
	for (v = 1; v <= 20; v++)
		REQUIRE_EQ(pnic_post_write(a.ep, b.ep->addr, &v, 8, 0, (uintptr_t)b.mem + 8 * v,
					   v == 7 ? 5 : b.mr->key, v, PNIC_SQF_INLINE), 0);
	REQUIRE_EQ(pnic_post_flush(a.ep, 78, PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
	wc = reap(&a);
	CHECK_EQ(wc.cookie, 7);
	CHECK_EQ(wc.status, PNIC_ST_REMOTE_KEY);
	CHECK_EQ(reap(&a).cookie, 78);
	CHECK_EQ(((uint64_t *)(void *)b.mem)[20], 20);
	close_pair();
}

#define RANKS	8

struct rank {
	struct side s;
	struct rank *all;
	unsigned int me, wrong;
	pthread_barrier_t *barrier;
};

/* Each writes to each, from a thread of its own, with a completion queue of its own. */
static void *rank_main(void *arg)
{
	struct rank *r = arg;
	uint64_t round;
	unsigned int i;

	for (round = 1; round <= 50; round++) {
		for (i = 0; i < RANKS; i++)
			while (pnic_post_write(r->s.ep, r->all[i].s.ep->addr, &round, 8, 0,
					       (uintptr_t)r->all[i].s.mem + 8 * r->me, r->all[i].s.mr->key, round,
					       PNIC_SQF_INLINE | PNIC_SQF_SIGNALED) == -EAGAIN)
				reap(&r->s);
		pnic_ring(r->s.ep);
		for (i = 0; i < RANKS; i++)
			r->wrong += reap(&r->s).status != PNIC_ST_OK;
		pthread_barrier_wait(r->barrier);
		for (i = 0; i < RANKS; i++)
			r->wrong += __atomic_load_n((uint64_t *)(void *)(r->s.mem + 8 * i), __ATOMIC_ACQUIRE) != round;
		pthread_barrier_wait(r->barrier);
	}
	return NULL;
}

KTAP_TEST(ranks)
{
	static struct rank rank[RANKS];
	pthread_barrier_t barrier;
	pthread_t id[RANKS];
	unsigned int i;
	char name[64];

	pthread_barrier_init(&barrier, NULL, RANKS);
	for (i = 0; i < RANKS; i++) {
		snprintf(name, sizeof(name), "embedded:nics=%u,nic=%u", RANKS, i);
		rank[i] = (struct rank) { .all = rank, .me = i, .barrier = &barrier };
		side_open(&rank[i].s, name);
	}
	for (i = 0; i < RANKS; i++)
		REQUIRE_EQ(pthread_create(&id[i], NULL, rank_main, &rank[i]), 0);
	for (i = 0; i < RANKS; i++) {
		pthread_join(id[i], NULL);
		CHECK_EQ(rank[i].wrong, 0);
	}
	for (i = 0; i < RANKS; i++)
		side_close(&rank[i].s);
	pthread_barrier_destroy(&barrier);
}

KTAP_MAIN()
