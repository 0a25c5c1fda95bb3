// SPDX-License-Identifier: GPL-2.0
/*
 * One who wants all of a card: many queues, many transfers under way, many commands, many objects. Others get their
 * share all the same. Shares are counted in the order in which the link carries things, or calls are answered, never
 * by a clock.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "device.h"
#include "ktap.h"
#include "steer.h"
#include "traffic.h"

#define PAGE		4096ul
#define WAIT_MS		60000
#define USER		4321	/* who wants more */

#define CHUNK		65536u
#define SLOTS		512u
#define GANG		32u	/* queues of one who wants more than others */
#define MINE		256u	/* transfers of one who has a single queue */
#define TRIPS		32u	/* of short ones, one after the other */

enum load { LOAD_WRITE, LOAD_READ, LOADS };

static const struct {
	const char *name;
	unsigned int each;		/* transfers before they are counted */
} loads[LOADS] = { { "writes", 1 }, { "reads", 8 } };

struct gang {
	struct end here, there;
	struct pnic_cq *cq;
	struct pnic_ep *ep[GANG];
	unsigned int n;
};

/* The word in which all of them count lies at the far end. */
static struct end word;

static void gang_open(struct gang *g, unsigned int n)
{
	const struct end_attr attr = { .size = CHUNK, .sq_slots = 16, .rq_entries = 16 };
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = pnic_cq_entries(SLOTS, 0, n) };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = SLOTS };

	REQUIRE_EQ(end_open(&g->here, 0, &attr), 0);
	REQUIRE_EQ(end_open(&g->there, 1, &attr), 0);
	REQUIRE_EQ(pnic_cq_create(g->here.ctx, &ca, &g->cq), 0);
	ea.send_cq = g->cq;
	for (g->n = 0; g->n < n; g->n++)
		REQUIRE_EQ(pnic_ep_create(g->here.ctx, &ea, &g->ep[g->n]), 0);
}

static void gang_close(struct gang *g)
{
	end_close(&g->here);
	end_close(&g->there);
}

static void put(struct gang *g, struct pnic_ep *ep, enum load load)
{
	const struct end *e = &g->here, *t = &g->there;
	int err;

	if (load == LOAD_READ)
		err = pnic_post_read(ep, t->addr, e->mem, CHUNK, e->mr->key, (uintptr_t)t->mem, t->mr->key, 0, 0);
	else
		err = pnic_post_write(ep, t->addr, e->mem, CHUNK, e->mr->key, (uintptr_t)t->mem, t->mr->key, 0, 0);
	REQUIRE_EQ(err, 0);
}

/*
 * Counts @n, at the far end and in the order of this queue: the old count comes back. PNIC_SQF_FENCE: not before all
 * that was posted is over, as a read is carried out when it likes.
 */
static void put_count(struct gang *g, struct pnic_ep *ep, unsigned int n, unsigned int flags)
{
	REQUIRE_EQ(pnic_post_fetch_add(ep, g->there.addr, 8, (uintptr_t)word.mem, word.mr->key, n, 0, flags), 0);
}

/* Fills its queues with transfers and their count, to be rung: how many transfers that are. */
static unsigned int fill(struct gang *g, enum load load)
{
	unsigned int each = loads[load].each, i, k, l, sum = 0;

	for (i = 0; i < g->n; i++) {
		for (k = 0; k + each + 1 <= SLOTS; k += each + 1) {
			for (l = 0; l < each; l++)
				put(g, g->ep[i], load);
			put_count(g, g->ep[i], each, load == LOAD_READ ? PNIC_SQF_FENCE : 0);
			sum += each;
		}
	}
	return sum;
}

static void ring(struct gang *g)
{
	unsigned int i;

	for (i = 0; i < g->n; i++)
		pnic_ring(g->ep[i]);
}

static uint64_t counted(struct gang *g)
{
	struct pnic_wc wc;

	while (!pnic_poll(g->cq, &wc, 1))
		REQUIRE_EQ(pnic_wait(g->cq, WAIT_MS), 0);
	REQUIRE_EQ(wc.status, PNIC_ST_OK);
	return wc.data;
}

/* What one queue is full of: as many transfers as it can have under way, or short ones of which each waits for the last. */
static void put_mine(struct gang *g, enum load load, bool trips)
{
	unsigned int i;

	put_count(g, g->ep[0], 0, PNIC_SQF_SIGNALED);
	for (i = 0; !trips && i < MINE; i++)
		put(g, g->ep[0], load);
	for (i = 1; trips && i < TRIPS; i++)
		put_count(g, g->ep[0], 0, PNIC_SQF_FENCE);
	put_count(g, g->ep[0], 0, PNIC_SQF_SIGNALED | PNIC_SQF_FENCE);
}

/*
 * How many transfers of @gangs contexts of @n queues each, all of them full, are carried out from the first to the
 * last of one other queue's.
 */
static uint64_t meanwhile(enum load load, bool trips, unsigned int gangs, unsigned int n)
{
	const bool model = modelctl_present();
	uint64_t others, first, last, got = 0;
	struct gang g[8], mine;
	unsigned int i, tries;

	for (tries = 0; tries < 5; tries++) {
		REQUIRE_EQ(end_open(&word, 1, &(struct end_attr) { .size = 4096 }), 0);
		gang_open(&mine, 1);
		for (i = 0; i < gangs; i++)
			gang_open(&g[i], n);
		put_mine(&mine, load, trips);
		for (i = 0, others = 0; i < gangs; i++)
			others += fill(&g[i], load);
		/* All begin at one moment, where that can be had, and else one after the other. */
		if (model)
			STEER("{\"cmd\":\"freeze\",\"nic\":0,\"on\":true}");
		for (i = 0; i < gangs; i++)
			ring(&g[i]);
		ring(&mine);
		if (model)
			STEER("{\"cmd\":\"freeze\",\"nic\":0,\"on\":false}");
		first = counted(&mine);
		last = counted(&mine);
		got = last - first;
		for (i = 0; i < gangs; i++)
			gang_close(&g[i]);
		gang_close(&mine);
		end_close(&word);
		/* Else they were through before it was: this machine was elsewhere meanwhile. */
		if (last < others - others / 16)
			break;
	}
	CHECK_LT(tries, 5);
	return got;
}

/* Whoever has many queues, or many reads under way, gets no more than who has one. */
KTAP_TEST(many_queues)
{
	static const unsigned int gangs[][2] = { { 1, GANG }, { 4, 8 } };
	unsigned int load, i;
	double fair, got;

	need_cards(2);
	for (load = 0; load < LOADS; load++)
		for (i = 0; i < sizeof(gangs) / sizeof(gangs[0]); i++)
			SUBTEST("%s, beside %u of %u queues", loads[load].name, gangs[i][0], gangs[i][1]) {
				fair = 1.0 / (gangs[i][0] + 1);
				got = (double)MINE / (MINE + meanwhile(load, false, gangs[i][0], gangs[i][1]));
				ktap_say("share %.3f, if all contexts were alike %.3f", got, fair);
				CHECK(got >= 0.8 * fair);
			}
}

/* One who sends little waits for what is on the line already and for a turn, not for all queues of another. */
KTAP_TEST(short_ones_pass)
{
	double few, many;

	need_cards(2);
	few = (double)meanwhile(LOAD_WRITE, true, 1, 4) / TRIPS;
	many = (double)meanwhile(LOAD_WRITE, true, 1, GANG) / TRIPS;
	ktap_say("there and back while 4 queues carry %.2f writes of 64 KiB, and %u queues %.2f", few, GANG, many);
	CHECK(many <= 1.5 * few + 1);
}

#define CROWD		4u
#define REGIONS		200u

static void registers_for_ever(uint64_t *done)
{
	struct pnic_ioc_mr_reg mr;
	static uint8_t page[PAGE];
	int fd;

	REQUIRE_OK(dev_become(USER));
	fd = dev_open(0);
	REQUIRE_OK(fd);
	REQUIRE_OK(dev_ctx(fd, 0));
	for (;;) {
		REQUIRE_OK(dev_mr(fd, page, sizeof(page), 0, &mr));
		REQUIRE_OK(dev_handle(fd, PNIC_IOC_MR_DEREG, mr.handle));
		__atomic_fetch_add(done, 1, __ATOMIC_RELAXED);
	}
}

/* Commands to the card are taken in turn: those who call all the time do not keep one who calls now and then waiting. */
KTAP_TEST(many_commands)
{
	uint64_t *done = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), before;
	static uint8_t page[PAGE];
	struct pnic_ioc_mr_reg mr;
	pid_t pid[CROWD];
	unsigned int i;
	int fd, status;

	need_cards(2);
	REQUIRE(done != MAP_FAILED);
	fd = dev_open(0);
	REQUIRE_OK(fd);
	REQUIRE_OK(dev_ctx(fd, 0));
	for (i = 0; i < CROWD; i++) {
		pid[i] = ktap_fork();
		REQUIRE_OK(pid[i]);
		if (!pid[i])
			registers_for_ever(done);
	}
	while (__atomic_load_n(done, __ATOMIC_RELAXED) < 100 * CROWD)
		sleep_ms(1);
	before = __atomic_load_n(done, __ATOMIC_RELAXED);
	for (i = 0; i < REGIONS; i++) {
		REQUIRE_OK(dev_mr(fd, page, sizeof(page), 0, &mr));
		REQUIRE_OK(dev_handle(fd, PNIC_IOC_MR_DEREG, mr.handle));
	}
	before = __atomic_load_n(done, __ATOMIC_RELAXED) - before;
	ktap_say("%llu of %u others while one did %u", (unsigned long long)before, CROWD, REGIONS);
	/* Each of the others alike would be one for one; ten leave room for a processor that others have. */
	CHECK_LE(before, 10ull * CROWD * REGIONS);
	for (i = 0; i < CROWD; i++) {
		CHECK_EQ(waitpid(pid[i], &status, WNOHANG), 0);
		kill(pid[i], SIGKILL);
		waitpid(pid[i], &status, 0);
	}
	close(fd);
	munmap(done, PAGE);
}

#define FILES		4096u

static void many_files(void)
{
	const struct rlimit many = { FILES, FILES };

	REQUIRE_OK(setrlimit(RLIMIT_NOFILE, &many));
}

/* Contexts until there are no more: how many; @fd: the files, of which the last has none. */
static unsigned int all_contexts(int *fd)
{
	unsigned int n;

	for (n = 0; n < FILES - 64; n++) {
		fd[n] = dev_open(0);
		REQUIRE_OK(fd[n]);
		if (!dev_ctx(fd[n], 0))
			continue;
		CHECK_EQ(errno, ENOSPC);
		return n;
	}
	return n;
}

/* As many as one can have, and again when they were given back. Others wait until it has them, and says that they are done. */
static void takes_all(int said, int heard)
{
	static int fd[FILES];
	unsigned int n, again;
	char c = 0;

	many_files();
	REQUIRE_OK(dev_become(USER));
	n = all_contexts(fd);
	REQUIRE_EQ(write(said, &n, sizeof(n)), sizeof(n));
	REQUIRE_EQ(read(heard, &c, 1), 1);
	for (again = 0; again < 10; again++)
		close(fd[again]);
	/* The file that was refused, and those. */
	for (again = 0; again < 10; again++) {
		fd[again] = again ? dev_open(0) : fd[n];
		REQUIRE_OK(fd[again]);
		CHECK_OK(dev_ctx(fd[again], 0));
	}
	again = dev_open(0);
	CHECK_ERRNO(dev_ctx(again, 0), ENOSPC);
}

/* A user who opens the card as often as possible leaves half of it to others; as somebody else it is another user. */
static void another_works(void)
{
	struct pnic_ioc_cq_create cq;
	int fd;

	REQUIRE_OK(dev_become(USER + 1));
	fd = dev_open(0);
	REQUIRE_OK(fd);
	CHECK_OK(dev_ctx(fd, 0));
	CHECK_OK(dev_cq(fd, 64, &cq));
	CHECK_OK(dev_ep(fd, cq.handle, cq.handle, NULL));
}

static void wait_for(pid_t pid)
{
	int status;

	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
}

KTAP_TEST(all_of_a_card)
{
	struct resources before, now;
	static int fd[FILES];
	unsigned int n, mine;
	int said[2], heard[2];
	pid_t pid, other;

	need_cards(2);
	many_files();
	REQUIRE_OK(resources_read(&before));
	REQUIRE_OK(pipe(said));
	REQUIRE_OK(pipe(heard));
	pid = ktap_fork();
	REQUIRE_OK(pid);
	if (!pid) {
		takes_all(said[1], heard[0]);
		ktap_child_exit();
	}
	close(said[1]);
	REQUIRE_EQ(read(said[0], &n, sizeof(n)), sizeof(n));
	other = ktap_fork();
	REQUIRE_OK(other);
	if (!other) {
		another_works();
		ktap_child_exit();
	}
	wait_for(other);
	/* An administrator may take the rest, and that is as much. */
	mine = all_contexts(fd);
	ktap_say("a user got %u contexts, root the other %u", n, mine);
	CHECK_EQ(mine, n + (mine > n));
	for (; mine < FILES && mine + 1; mine--)
		close(fd[mine]);
	REQUIRE_EQ(write(heard[1], "x", 1), 1);
	wait_for(pid);
	close(said[0]);
	close(heard[0]);
	close(heard[1]);
	CHECK(resources_settle(&before, &now, 20000));
}

KTAP_MAIN()
