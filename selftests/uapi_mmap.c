// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of /dev/pnicN: only what the calls handed out, only as it was meant, and
 * safe in every order of unmapping, destroying and closing. Raw system calls only.
 */
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "device.h"
#include "ktap.h"

#define PAGE	4096ul

static struct resources before;

static void bench_open(struct raw_ep *r)
{
	need_cards(1);
	REQUIRE_OK(resources_read(&before));
	REQUIRE_OK(raw_open(r, 0));
}

static void all_gone(void)
{
	struct resources now;

	if (!resources_settle(&before, &now, 5000))
		ktap_failed(__FILE__, __LINE__, "not everything went; before:\n%safter:\n%s",
			    before.text, now.text);
}

static void bench_close(struct raw_ep *r)
{
	raw_close(r);
	all_gone();
}

static void *try_map(int fd, uint64_t offset, size_t length, int prot, int flags)
{
	return mmap(NULL, length, prot, flags, fd, offset);
}

/* The mapping must be refused. */
static void refused(const char *what, int fd, uint64_t offset, size_t length, int prot, int flags)
{
	void *p = try_map(fd, offset, length, prot, flags);

	if (p == MAP_FAILED) {
		if (errno != EINVAL && errno != EPERM && errno != EACCES && errno != ENXIO)
			ktap_failed(__FILE__, __LINE__, "%s: errno %d (%s)", what, errno, strerror(errno));
		return;
	}
	munmap(p, length);
	ktap_failed(__FILE__, __LINE__, "%s: mapped", what);
}

struct area {
	const char *name;
	uint64_t offset;
	size_t length;
};

#define AREAS	7

/* Everything that raw_open() was told an offset of. */
static unsigned int areas_of(const struct raw_ep *r, struct area *a)
{
	a[0] = (struct area) { "completion ring", r->cq.ring_offset, r->cq.ring_length };
	a[1] = (struct area) { "send ring", r->ep.sq_offset, r->ep.sq_length };
	a[2] = (struct area) { "receive ring", r->ep.rq_offset, r->ep.rq_length };
	a[3] = (struct area) { "doorbell page", r->ep.db_offset, PAGE };
	a[4] = (struct area) { "wake page", r->ep.wake_offset, PAGE };
	a[5] = (struct area) { "status page", r->info.status_offset, PAGE };
	a[6] = (struct area) { "context's page", r->ctx_page, PAGE };
	return AREAS;
}

KTAP_TEST(mapped_queues_work)
{
	struct raw_ep r;
	uint64_t i;

	bench_open(&r);
	CHECK_EQ(r.cq.db_offset, r.ep.db_offset);
	for (i = 0; i < 3 * r.cq.entries; i++)
		REQUIRE_OK(raw_nop(&r, i * 0x0101010101010101ull + 1));
	bench_close(&r);
}

KTAP_TEST(wrong_offset)
{
	struct area a[AREAS];
	struct raw_ep r;
	unsigned int i, j, n;
	uint64_t off;
	bool known;

	bench_open(&r);
	n = areas_of(&r, a);
	for (off = 0; off < 64 * PAGE; off += PAGE) {
		for (known = false, j = 0; j < n; j++)
			known |= a[j].offset == off;
		if (!known)
			refused("low offset", r.fd, off, PAGE, PROT_READ, MAP_SHARED);
	}
	for (i = 12; i < 63; i++) {
		for (known = false, j = 0; j < n; j++)
			known |= a[j].offset == 1ull << i;
		if (!known)
			refused("power of two", r.fd, 1ull << i, PAGE, PROT_READ, MAP_SHARED);
	}
	for (j = 0; j < n; j++)
		if (a[j].length > PAGE)
			refused("middle of an area", r.fd, a[j].offset + PAGE, a[j].length - PAGE,
				PROT_READ, MAP_SHARED);
	bench_close(&r);
}

KTAP_TEST(wrong_length)
{
	struct pnic_ioc_cq_create cq;
	struct area a[AREAS + 1];
	unsigned int i, n;
	struct raw_ep r;

	bench_open(&r);
	n = areas_of(&r, a);
	REQUIRE_OK(dev_cq(r.fd, 1024, &cq));
	a[n++] = (struct area) { "large ring", cq.ring_offset, cq.ring_length };
	CHECK_GT(cq.ring_length, PAGE);
	for (i = 0; i < n; i++)
		SUBTEST("%s", a[i].name) {
			refused("a page more", r.fd, a[i].offset, a[i].length + PAGE, PROT_READ,
				MAP_SHARED);
			refused("much more", r.fd, a[i].offset, a[i].length + (1ul << 30), PROT_READ,
				MAP_SHARED);
			if (a[i].length > PAGE)
				refused("a page less", r.fd, a[i].offset, a[i].length - PAGE,
					PROT_READ, MAP_SHARED);
		}
	bench_close(&r);
}

KTAP_TEST(private_mapping)
{
	struct area a[AREAS];
	struct raw_ep r;
	unsigned int i, n;

	bench_open(&r);
	n = areas_of(&r, a);
	for (i = 0; i < n; i++)
		refused(a[i].name, r.fd, a[i].offset, a[i].length,
			i == 5 ? PROT_READ : PROT_READ | PROT_WRITE, MAP_PRIVATE);
	bench_close(&r);
}

KTAP_TEST(executable)
{
	struct area a[AREAS];
	struct raw_ep r;
	unsigned int i, n;
	void *p;

	bench_open(&r);
	n = areas_of(&r, a);
	for (i = 0; i < n; i++) {
		refused(a[i].name, r.fd, a[i].offset, a[i].length, PROT_READ | PROT_EXEC, MAP_SHARED);
		p = try_map(r.fd, a[i].offset, a[i].length, i == 4 ? PROT_WRITE : PROT_READ, MAP_SHARED);
		REQUIRE(p != MAP_FAILED);
		CHECK_ERRNO(mprotect(p, a[i].length, PROT_READ | PROT_EXEC), EACCES);
		munmap(p, a[i].length);
	}
	bench_close(&r);
}

/* Nothing grows beyond what was handed out. */
KTAP_TEST(no_growth)
{
	struct area a[AREAS];
	struct raw_ep r;
	unsigned int i, n;
	void *p, *q;

	bench_open(&r);
	n = areas_of(&r, a);
	for (i = 0; i < n; i++) {
		p = try_map(r.fd, a[i].offset, a[i].length, i == 4 ? PROT_WRITE : PROT_READ, MAP_SHARED);
		REQUIRE(p != MAP_FAILED);
		q = mremap(p, a[i].length, a[i].length + PAGE, MREMAP_MAYMOVE);
		if (q != MAP_FAILED)
			ktap_failed(__FILE__, __LINE__, "%s grew", a[i].name);
		else
			munmap(p, a[i].length);
	}
	bench_close(&r);
}

/* Runs @fn in a child that is expected to be killed by a signal for touching @p. */
static void must_fault(const char *what, void (*fn)(volatile uint32_t *p), volatile void *p)
{
	int status;
	pid_t pid;

	pid = ktap_fork();
	REQUIRE_OK(pid);
	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		fn((volatile uint32_t *)p);
		_exit(0);
	}
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status) || (WTERMSIG(status) != SIGSEGV && WTERMSIG(status) != SIGBUS))
		ktap_failed(__FILE__, __LINE__, "%s: no fault, wait status 0x%x", what, status);
}

static void do_read(volatile uint32_t *p)
{
	(void)*p;
}

static void do_write(volatile uint32_t *p)
{
	*p = 0;
}

KTAP_TEST(status_page)
{
	volatile struct pnic_status_page *st;
	struct pnic_ioc_link_info link;
	uint32_t seq, changes;
	struct raw_ep r;
	int fd;

	bench_open(&r);
	refused("writable status page", r.fd, r.info.status_offset, PAGE, PROT_READ | PROT_WRITE,
		MAP_SHARED);
	refused("write-only status page", r.fd, r.info.status_offset, PAGE, PROT_WRITE, MAP_SHARED);
	/* Needs no context. */
	fd = dev_open(0);
	REQUIRE_OK(fd);
	st = try_map(fd, r.info.status_offset, PAGE, PROT_READ, MAP_SHARED);
	REQUIRE(st != MAP_FAILED);
	CHECK_ERRNO(mprotect((void *)st, PAGE, PROT_READ | PROT_WRITE), EACCES);
	must_fault("a store to the status page", do_write, st);
	REQUIRE_OK(dev_link(fd, &link));
	seq = st->seq;
	changes = st->events;
	CHECK_EQ(st->epoch, r.info.epoch);
	CHECK_EQ(st->width_max, r.info.lanes_data);
	CHECK_EQ(st->width, link.width_tx);
	CHECK_EQ(st->rate_mbps, link.rate_tx_mbps);
	CHECK_EQ(st->width_rx, link.width_rx);
	CHECK_EQ(st->rate_rx_mbps, link.rate_rx_mbps);
	CHECK_EQ(st->link_state, link.state);
	CHECK_EQ(st->generation, link.gen_tx);
	CHECK_EQ(st->spares, link.spares_rx);
	/* Asking changes nothing. */
	REQUIRE_OK(dev_link(fd, &link));
	CHECK_EQ(st->events, changes);
	CHECK_EQ(st->seq, seq);
	CHECK_EQ(seq & 1, 0);
	munmap((void *)st, PAGE);
	close(fd);
	bench_close(&r);
}

/* Read only as the status page, and there with a context only. */
KTAP_TEST(context_page)
{
	volatile struct pnic_ctx_page *page;
	struct raw_ep r;
	int fd;

	bench_open(&r);
	refused("writable", r.fd, r.ctx_page, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	refused("two pages", r.fd, r.ctx_page, 2 * PAGE, PROT_READ, MAP_SHARED);
	fd = dev_open(0);
	REQUIRE_OK(fd);
	refused("without a context", fd, r.ctx_page, PAGE, PROT_READ, MAP_SHARED);
	close(fd);
	page = try_map(r.fd, r.ctx_page, PAGE, PROT_READ, MAP_SHARED);
	REQUIRE(page != MAP_FAILED);
	CHECK_ERRNO(mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE), EACCES);
	must_fault("a store to the context's page", do_write, page);
	CHECK_EQ(page->stale, 0);
	munmap((void *)page, PAGE);
	bench_close(&r);
}

/* A child has neither the doorbells nor any power over the parent's queues. */
KTAP_TEST(fork_has_no_doorbells)
{
	struct raw_ep r;

	bench_open(&r);
	REQUIRE_OK(raw_nop(&r, 1));
	must_fault("the child's load from the doorbell page", do_read, r.db);
	must_fault("the child's store to the doorbell page", do_write, r.db);
	must_fault("the child's store to the wake page", do_write, r.wake);
	REQUIRE_OK(raw_nop(&r, 2));
	bench_close(&r);
}

/* Offsets are per file: another file's give nothing of ours. */
KTAP_TEST(offsets_of_another_file)
{
	struct area a[AREAS];
	uint8_t *theirs;
	struct raw_ep r;
	unsigned int i;
	int other;

	bench_open(&r);
	areas_of(&r, a);
	other = dev_open(0);
	REQUIRE_OK(other);
	for (i = 0; i < 5; i++)
		refused(a[i].name, other, a[i].offset, a[i].length, PROT_READ, MAP_SHARED);
	REQUIRE_OK(dev_ctx(other, 0));
	memset(r.rq, 0x5a, r.ep.rq_length);
	for (i = 0; i < 3; i++) {
		theirs = try_map(other, a[i].offset, a[i].length, PROT_READ, MAP_SHARED);
		if (theirs == MAP_FAILED)
			continue;
		ktap_failed(__FILE__, __LINE__, "%s mapped by a file that has none", a[i].name);
		munmap(theirs, a[i].length);
	}
	close(other);
	bench_close(&r);
}

KTAP_TEST(unmap_in_every_order)
{
	struct area a[AREAS];
	unsigned int i, n, first;
	struct raw_ep r;
	void *p[AREAS];

	bench_open(&r);
	n = areas_of(&r, a);
	for (first = 0; first < n; first++) {
		for (i = 0; i < n; i++) {
			p[i] = try_map(r.fd, a[i].offset, a[i].length,
				       i == 4 ? PROT_WRITE : PROT_READ, MAP_SHARED);
			REQUIRE(p[i] != MAP_FAILED);
		}
		for (i = 0; i < n; i++)
			REQUIRE_OK(munmap(p[(first + i) % n], a[(first + i) % n].length));
	}
	REQUIRE_OK(raw_nop(&r, 1));
	bench_close(&r);
}

/* A mapping keeps its file: after close() the queues go on, after munmap() all is gone. */
KTAP_TEST(close_before_unmap)
{
	struct raw_ep r;

	bench_open(&r);
	close(r.fd);
	r.fd = -1;
	CHECK_OK(raw_nop(&r, 1));
	bench_close(&r);
}

/*
 * A ring that was destroyed while it was mapped: what the process still can reach must
 * never become somebody else's memory.
 */
static void stale_mappings(struct raw_ep *r)
{
	struct pnic_ioc_cq_create cq;
	uint8_t *fresh;
	size_t i, k;

	for (k = 0; k < 32; k++) {
		REQUIRE_OK(dev_cq(r->fd, 64, &cq));
		memset(r->ring, 0xa5, r->cq.ring_length);
		memset(r->sq, 0xa5, r->ep.sq_length);
		memset(r->rq, 0xa5, r->ep.rq_length);
		fresh = try_map(r->fd, cq.ring_offset, cq.ring_length, PROT_READ, MAP_SHARED);
		REQUIRE(fresh != MAP_FAILED);
		for (i = 0; i < cq.ring_length; i++)
			if (fresh[i])
				break;
		CHECK_EQ(i, cq.ring_length);
		munmap(fresh, cq.ring_length);
	}
}

KTAP_TEST(destroy_while_mapped)
{
	struct raw_ep r;
	int status;
	pid_t pid;

	need_cards(1);
	REQUIRE_OK(resources_read(&before));
	pid = ktap_fork();
	REQUIRE_OK(pid);
	if (!pid) {
		REQUIRE_OK(raw_open(&r, 0));
		REQUIRE_OK(dev_handle(r.fd, PNIC_IOC_EP_DESTROY, r.ep.handle));
		REQUIRE_OK(dev_handle(r.fd, PNIC_IOC_CQ_DESTROY, r.cq.handle));
		stale_mappings(&r);
		raw_close(&r);
		ktap_child_exit();
	}
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	all_gone();
}

/* Every slot of the page with nonsense: only this process's queues may suffer. */
KTAP_TEST(nonsense_in_doorbells)
{
	struct raw_ep victim, r;
	uint64_t seed = 12345;
	unsigned int i, n;

	bench_open(&victim);
	REQUIRE_OK(raw_nop(&victim, 1));
	REQUIRE_OK(raw_open(&r, 0));
	for (n = 0; n < 20; n++) {
		for (i = 0; i < PNIC_DB_SLOTS; i++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			r.db[i] = seed;
		}
		for (i = 0; i < PAGE / 4; i++)
			r.wake[i] = seed;
		CHECK_OK(raw_nop(&victim, n + 2));
	}
	/* Its endpoint can be revived, or at least goes away cleanly. */
	raw_close(&r);
	CHECK_OK(raw_nop(&victim, 99));
	REQUIRE_OK(raw_open(&r, 0));
	CHECK_OK(raw_nop(&r, 1));
	raw_close(&r);
	bench_close(&victim);
}

/* A queue of its own with room for two completions, and an endpoint that reports there. */
static void small_queue_open(struct raw_ep *r)
{
	struct pnic_ioc_ep_create ep = { .size = sizeof(ep), .sq_slots = 16 };
	struct pnic_ioc_cq_create cq;

	REQUIRE_OK(raw_open(r, 0));
	REQUIRE_OK(dev_cq(r->fd, 2, &cq));
	ep.send_cq = cq.handle;
	ep.recv_cq = cq.handle;
	REQUIRE_OK(ioctl(r->fd, PNIC_IOC_EP_CREATE, &ep));
	CHECK_EQ(ep.db_offset, r->ep.db_offset);
	munmap(r->sq, r->ep.sq_length);
	/* The receive ring that is mapped is the other endpoint's, and is still to be unmapped. */
	ep.rq_length = r->ep.rq_length;
	r->ep = ep;
	r->sq = try_map(r->fd, ep.sq_offset, ep.sq_length, PROT_READ | PROT_WRITE, MAP_SHARED);
	REQUIRE(r->sq != MAP_FAILED);
}

/*
 * A queue that its owner let overrun is dead. To revive an endpoint with it is refused, and that is all: nobody else
 * notices.
 */
KTAP_TEST(restart_with_a_dead_queue)
{
	const struct pnic_sqe nop = { .opcode = PNIC_OP_NOP, .flags = PNIC_SQF_SIGNALED, .num_slots = 1 };
	struct pnic_ioc_info info;
	struct raw_ep victim, r;
	unsigned int i;
	long nonsense;

	bench_open(&victim);
	nonsense = driver_counter("nonsense");
	REQUIRE_OK(raw_nop(&victim, 1));
	small_queue_open(&r);
	for (i = 0; i < 8; i++)
		raw_post(&r, &nop);
	REQUIRE_OK(dev_event(r.fd, PNIC_EVT_CQ_ERROR, 5000, NULL));
	for (i = 0; i < 3; i++)
		CHECK_ERRNO(dev_handle(r.fd, PNIC_IOC_EP_RESET, r.ep.handle), ENOTRECOVERABLE);
	CHECK_OK(raw_nop(&victim, 2));
	CHECK_EQ(driver_counter("nonsense"), nonsense);
	REQUIRE_OK(dev_info(r.fd, &info));
	CHECK_EQ(info.epoch, r.info.epoch);
	CHECK_OK(dev_handle(r.fd, PNIC_IOC_EP_DESTROY, r.ep.handle));
	raw_close(&r);
	bench_close(&victim);
}

KTAP_MAIN()
