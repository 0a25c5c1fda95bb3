// SPDX-License-Identifier: GPL-2.0
/*
 * The library's figures in a guest: `make bench-lib` compares them with what others reach in the same guest, and with
 * a memcpy of the machine outside.
 *
 * Where the guest's processors are emulated the card is not: its model works natively, on another processor. So
 * a ratio to somebody whose bytes the guest moves itself is one of work saved.
 */
#include <math.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "selftests/bench/figure.h"
#include "selftests/device.h"
#include "selftests/ktap.h"
#include "selftests/traffic.h"

#define MEM		(4ul << 20)
#define WAIT_MS		60000
#define TRIPS		2000
#define PAIR_TRIPS	25000		/* a second and a half: what the machine does besides is part of a p99, not all of it */
#define MESSAGES	1000000ul
#define BATCH		64u
#define BIG		(1u << 20)
#define BIGS		400
#define RATE_ROUNDS	9
#define ROUNDS		7		/* the best of so many, as memcpy outside (tools/bench/bench.h) */

static struct end a, b;

static void open_both(void)
{
	const struct end_attr attr = { .size = MEM };

	need_cards(2);
	end_close(&a);
	end_close(&b);
	REQUIRE_EQ(end_open(&a, 0, &attr), 0);
	REQUIRE_EQ(end_open(&b, 1, &attr), 0);
}

static int by_size(const void *x, const void *y)
{
	double d = *(const double *)x - *(const double *)y;

	return d > 0 ? 1 : d < 0 ? -1 : 0;
}

static double percentile(double *us, unsigned int n, double share)
{
	qsort(us, n, sizeof(*us), by_size);
	return us[(unsigned int)((n - 1) * share)];
}

static uint64_t flag(const struct end *e, size_t off)
{
	return __atomic_load_n((uint64_t *)(void *)(e->mem + off), __ATOMIC_ACQUIRE);
}

static void put_flag(struct end *from, struct pnic_addr to, uint64_t raddr, uint64_t rkey, uint64_t value)
{
	struct pnic_wc wc;

	while (pnic_post_write(from->ep, to, &value, 8, 0, raddr, rkey, 0, PNIC_SQF_INLINE))
		pnic_poll(from->cq, &wc, 1);
	pnic_ring(from->ep);
	/* Room comes back with entries that are kept from the caller. */
	pnic_poll(from->cq, &wc, 1);
}

KTAP_TEST(one_thread_both_ends)
{
	static double us[TRIPS];
	uint64_t i, t;

	open_both();
	for (i = 1; i <= TRIPS; i++) {
		t = now_ns();
		put_flag(&a, b.addr, (uintptr_t)b.mem, b.mr->key, i);
		while (flag(&b, 0) != i)
			;
		put_flag(&b, a.addr, (uintptr_t)a.mem, a.mr->key, i);
		while (flag(&a, 0) != i)
			;
		us[i - 1] = (double)(now_ns() - t) / 2e3;
	}
	figure("pnic_guest_lat_us", percentile(us, TRIPS, 0.5), "us, p50 of an 8-byte put one way, in the guest, one thread");
	figure("pnic_guest_lat_p99_us", percentile(us, TRIPS, 0.99), "us, p99 of the same");
}

/* Million puts a second. */
static double small_puts(void)
{
	unsigned long posted = 0, over = 0;
	struct pnic_wc wc[16];
	uint64_t t, value = 1;
	unsigned int i;
	int n, k;

	t = now_ns();
	while (over < MESSAGES) {
		if (posted < MESSAGES && posted - over < 3 * BATCH) {
			for (i = 0; i < BATCH; i++)
				REQUIRE_EQ(pnic_post_write(a.ep, b.addr, &value, 8, 0, (uintptr_t)b.mem, b.mr->key, 0,
							   PNIC_SQF_INLINE | (i == BATCH - 1 ? PNIC_SQF_SIGNALED : 0)),
					   0);
			pnic_ring(a.ep);
			posted += BATCH;
		}
		n = pnic_poll(a.cq, wc, 16);
		for (k = 0; k < n; k++) {
			REQUIRE_EQ(wc[k].status, 0);
			over += BATCH;
		}
	}
	return (double)over / (double)(now_ns() - t) * 1e3;
}

/* A round takes some 50 ms, so whatever else the machine does shows in one: that in the middle is told. */
KTAP_TEST(message_rate)
{
	double mps[RATE_ROUNDS];
	unsigned int i;

	open_both();
	for (i = 0; i < RATE_ROUNDS; i++)
		mps[i] = small_puts();
	figure("pnic_guest_rate_mps", percentile(mps, RATE_ROUNDS, 0.5),
	       "million 8-byte puts a second of one process, in the guest, median of 9 rounds");
}

/* GB/s. */
static double big_puts(void)
{
	unsigned int posted = 0, over = 0;
	struct pnic_wc wc[16];
	uint64_t t;
	int n, k;

	t = now_ns();
	while (over < BIGS) {
		if (posted < BIGS && posted - over < 8) {
			/* The same bytes again and again, as memcpy does outside. */
			REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem, BIG, a.mr->key, (uintptr_t)b.mem, b.mr->key, 0,
						   PNIC_SQF_SIGNALED), 0);
			pnic_ring(a.ep);
			posted++;
		}
		n = pnic_poll(a.cq, wc, 16);
		for (k = 0; k < n; k++) {
			REQUIRE_EQ(wc[k].status, 0);
			over++;
		}
	}
	return (double)BIGS * BIG / (double)(now_ns() - t);
}

KTAP_TEST(bandwidth)
{
	double best = 0, gbs;
	unsigned int i;

	open_both();
	memset(a.mem, 1, MEM);
	for (i = 0; i < ROUNDS; i++) {
		gbs = big_puts();
		best = gbs > best ? gbs : best;
	}
	figure("pnic_guest_bw_gbs", best, "GB/s, puts of 1 MiB, in the guest");
}

/* What two processes have in common: addresses, and times of the one that counts. */
struct pair {
	struct pnic_addr addr[2];
	uint64_t base[2], key[2];
	unsigned int ready[2];
	double us[PAIR_TRIPS];
};

static void pair_end(struct pair *p, unsigned int me)
{
	const struct end_attr attr = { .size = MEM };
	struct end e = { 0 };
	uint64_t i, t;

	REQUIRE_EQ(end_open(&e, me, &attr), 0);
	p->addr[me] = e.addr;
	p->base[me] = (uintptr_t)e.mem;
	p->key[me] = e.mr->key;
	__atomic_store_n(&p->ready[me], 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&p->ready[!me], __ATOMIC_ACQUIRE))
		sched_yield();
	for (i = 1; i <= PAIR_TRIPS; i++) {
		t = now_ns();
		if (!me)
			put_flag(&e, p->addr[1], p->base[1], p->key[1], i);
		while (flag(&e, 0) != i)
			;
		if (me)
			put_flag(&e, p->addr[0], p->base[0], p->key[0], i);
		else
			p->us[i - 1] = (double)(now_ns() - t) / 2e3;
	}
	/* The last put has to be out before the endpoint goes. */
	sleep_ms(200);
	end_close(&e);
}

KTAP_TEST(two_processes)
{
	struct pair *p;
	int status = -1;
	pid_t pid;

	need_cards(2);
	end_close(&a);
	end_close(&b);
	p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(p != MAP_FAILED);
	pid = ktap_fork();
	REQUIRE_GE(pid, 0);
	if (!pid) {
		pair_end(p, 1);
		ktap_child_exit();
	}
	pair_end(p, 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	figure("pnic_pair_lat_us", percentile(p->us, PAIR_TRIPS, 0.5), "us, p50 of an 8-byte put between two processes; 50 wanted");
	figure("pnic_pair_lat_p99_us", percentile(p->us, PAIR_TRIPS, 0.99), "us, p99 of the same; below 1000 wanted");
	munmap(p, sizeof(*p));
}

KTAP_MAIN()
