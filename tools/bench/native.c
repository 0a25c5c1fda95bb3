// SPDX-License-Identifier: GPL-2.0
/*
 * libpnic on embedded cards, natively: latency, rate and bandwidth between two cards of a
 * world, by one thread and by two; and what endpoints cost.
 */
#include <pthread.h>
#include <string.h>

#include <pnic.h>

#include "bench.h"

#define SLOTS		1024u
#define BATCH		256u
#define DEPTH		4u		/* of 1 MiB transfers */
#define ENDPOINT_ROUNDS	7
#define ENDPOINTS	10000u
#define PER_CTX		2500u

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
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = pnic_cq_entries(SLOTS, 0, 1) };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = SLOTS };

	BENCH_CHECK(pnic_open(name, NULL, &s->ctx));
	BENCH_CHECK(pnic_cq_create(s->ctx, &ca, &s->cq));
	ea.send_cq = s->cq;
	BENCH_CHECK(pnic_ep_create(s->ctx, &ea, &s->ep));
	s->mem = aligned_alloc(4096, 2 * BENCH_MIB);
	BENCH_CHECK(!s->mem);
	memset(s->mem, 1, 2 * BENCH_MIB);
	BENCH_CHECK(pnic_mr_reg(s->ctx, s->mem, 2 * BENCH_MIB, PNIC_MRF_LOCAL_WRITE | PNIC_MRF_REMOTE_WRITE |
				PNIC_MRF_REMOTE_READ, &s->mr));
}

static void side_close(struct side *s)
{
	pnic_close(s->ctx);
	free(s->mem);
}

static uint64_t flag(const struct side *s)
{
	return __atomic_load_n((uint64_t *)(void *)s->mem, __ATOMIC_ACQUIRE);
}

/* Puts @value at the other end; completions are taken now and then, to have room. */
static void put8(struct side *from, struct side *to, uint64_t value)
{
	unsigned int flags = PNIC_SQF_INLINE | (value % 64 ? 0 : PNIC_SQF_SIGNALED);
	struct pnic_wc wc;

	while (pnic_post_write(from->ep, to->ep->addr, &value, 8, 0, (uintptr_t)to->mem, to->mr->key, value,
			       flags) == -EAGAIN)
		pnic_poll(from->cq, &wc, 1);
	pnic_ring(from->ep);
	if (pnic_poll(from->cq, &wc, 1))
		BENCH_CHECK(wc.status);
}

static uint64_t value;

static void lat_one_thread(struct bench_best *best)
{
	double t = bench_ns();
	unsigned int i;

	for (i = 0; i < BENCH_LAT; i++) {
		value++;
		put8(&a, &b, value);
		while (flag(&b) != value)
			;
		put8(&b, &a, value);
		while (flag(&a) != value)
			;
	}
	bench_lat(best, bench_ns() - t, BENCH_LAT);
}

static void *answer(void *arg)
{
	uint64_t v, first = *(uint64_t *)arg;

	for (v = first + 1; v <= first + BENCH_LAT; v++) {
		while (flag(&b) != v)
			;
		put8(&b, &a, v);
	}
	return NULL;
}

static void lat_two_threads(struct bench_best *best)
{
	uint64_t first = value;
	pthread_t id;
	double t;

	BENCH_CHECK(pthread_create(&id, NULL, answer, &first));
	t = bench_ns();
	while (value < first + BENCH_LAT) {
		value++;
		put8(&a, &b, value);
		while (flag(&a) != value)
			;
	}
	bench_lat(best, bench_ns() - t, BENCH_LAT);
	pthread_join(id, NULL);
}

static void rate(struct bench_best *best)
{
	uint64_t posted = 0, done = 0, v = 7;
	double t = bench_ns();
	struct pnic_wc wc[16];
	unsigned int k;
	int i, n;

	while (done < BENCH_RATE) {
		for (k = 0; k < BATCH && posted < BENCH_RATE; k++, posted++)
			if (pnic_post_write(a.ep, b.ep->addr, &v, 8, 0, (uintptr_t)b.mem, b.mr->key, posted + 1,
					    PNIC_SQF_INLINE | ((posted + 1) % 64 ? 0 : PNIC_SQF_SIGNALED)))
				break;
		pnic_ring(a.ep);
		n = pnic_poll(a.cq, wc, 16);
		for (i = 0; i < n; i++) {
			BENCH_CHECK(wc[i].status);
			done = wc[i].cookie;
		}
	}
	bench_rate(best, bench_ns() - t, BENCH_RATE);
}

static void bandwidth(struct bench_best *best)
{
	unsigned int posted = 0, done = 0;
	double t = bench_ns();
	struct pnic_wc wc;

	while (done < BENCH_BW) {
		while (posted < BENCH_BW && posted - done < DEPTH) {
			BENCH_CHECK(pnic_post_write(a.ep, b.ep->addr, a.mem, BENCH_MIB, a.mr->key, (uintptr_t)b.mem,
						    b.mr->key, posted, PNIC_SQF_SIGNALED));
			posted++;
		}
		pnic_ring(a.ep);
		if (pnic_poll(a.cq, &wc, 1)) {
			BENCH_CHECK(wc.status);
			done++;
		}
	}
	bench_bw(best, bench_ns() - t, (double)BENCH_BW * BENCH_MIB);
}

static void copying(struct bench_best *best)
{
	double t = bench_ns();
	unsigned int i;

	for (i = 0; i < BENCH_BW; i++) {
		memcpy(b.mem, a.mem, BENCH_MIB);
		__asm__ volatile("" : : "r"(b.mem) : "memory");
	}
	bench_bw(best, bench_ns() - t, (double)BENCH_BW * BENCH_MIB);
}

/* --- endpoints ---- */

/* Resident memory of the process, bytes. */
static double resident(void)
{
	unsigned long size, pages;
	FILE *f = fopen("/proc/self/statm", "r");

	BENCH_CHECK(!f || fscanf(f, "%lu %lu", &size, &pages) != 2);
	fclose(f);
	return (double)pages * 4096;
}

static struct pnic_ctx *holder[(ENDPOINTS + PER_CTX - 1) / PER_CTX];

static void make_endpoints(unsigned int from, unsigned int to)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .flags = PNIC_CQ_EVENTS, .entries = pnic_cq_entries(16, 0, PER_CTX) };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 16 };
	static struct pnic_cq *cq;
	struct pnic_ep *ep;

	for (; from < to; from++) {
		if (from % PER_CTX == 0) {
			BENCH_CHECK(pnic_open("embedded:world=many", NULL, &holder[from / PER_CTX]));
			BENCH_CHECK(pnic_cq_create(holder[from / PER_CTX], &ca, &cq));
		}
		ea.send_cq = cq;
		BENCH_CHECK(pnic_ep_create(holder[from / PER_CTX], &ea, &ep));
	}
}

/*
 * What the first and the last thousand cost each, in the best of slices of a hundred: none of them may be dearer for
 * there being many.
 */
static double slice(unsigned int from, double *bytes)
{
	double best = 0, t, before = resident();
	unsigned int i;

	for (i = 0; i < 10; i++) {
		t = bench_ns();
		make_endpoints(from + 100 * i, from + 100 * (i + 1));
		t = (bench_ns() - t) / 100;
		if (!i || t < best)
			best = t;
	}
	*bytes = (resident() - before) / 1000;
	return best;
}

/* What one endpoint costs when there are few, and when there are many. */
struct cost {
	double first, last, first_bytes, last_bytes;
};

static void endpoints_once(struct cost *c)
{
	unsigned int i;

	make_endpoints(0, 500);
	c->first = slice(500, &c->first_bytes);
	make_endpoints(1500, ENDPOINTS - 1000);
	c->last = slice(ENDPOINTS - 1000, &c->last_bytes);
	for (i = 0; i < sizeof(holder) / sizeof(holder[0]); i++)
		pnic_close(holder[i]);
}

static int by_growth(const void *x, const void *y)
{
	const struct cost *a = x, *b = y;
	double d = a->last / a->first - b->last / b->first;

	return d > 0 ? 1 : d < 0 ? -1 : 0;
}

/*
 * A slice takes half a millisecond, and what the machine does besides falls on the first or on the last: the round
 * in the middle is told. Memory is counted in the first round, later ones have that of the ones before.
 */
static void endpoints(void)
{
	struct cost cost[ENDPOINT_ROUNDS], *c = &cost[ENDPOINT_ROUNDS / 2];
	double first_bytes, last_bytes;
	unsigned int i;

	for (i = 0; i < ENDPOINT_ROUNDS; i++)
		endpoints_once(&cost[i]);
	first_bytes = cost[0].first_bytes;
	last_bytes = cost[0].last_bytes;
	qsort(cost, ENDPOINT_ROUNDS, sizeof(cost[0]), by_growth);
	bench_figure("pnic", "ep_create_first_ns", c->first, "ns, making an endpoint when there are few");
	bench_figure("pnic", "ep_create_last_ns", c->last, "ns, making an endpoint when there are 10000");
	bench_figure("pnic", "ep_create_ratio", c->last / c->first, "last by first, 0.8 .. 1.2 wanted");
	bench_figure("pnic", "ep_bytes_first", first_bytes, "bytes resident, an endpoint when there are few");
	bench_figure("pnic", "ep_bytes_last", last_bytes, "bytes resident, an endpoint when there are 10000");
	bench_figure("pnic", "ep_bytes_ratio", last_bytes / first_bytes, "last by first, 0.8 .. 1.2 wanted");
}

int main(void)
{
	struct bench_best one = { 0 }, two = { 0 }, copy = { 0 };
	unsigned int i;

	side_open(&a, "embedded:nic=0");
	side_open(&b, "embedded:nic=1");
	for (i = 0; i < BENCH_ROUNDS; i++) {
		lat_one_thread(&one);
		rate(&one);
		bandwidth(&one);
		copying(&copy);
		lat_two_threads(&two);
	}
	bench_say("pnic", &one, "pnic embedded, one thread at both ends");
	bench_figure("pnic", "lat_threads_ns", two.lat, "ns, 8 bytes one way, pnic embedded, a thread at each end");
	bench_figure("memcpy", "bw_gbs", copy.bw, "GB/s, memcpy of the same 1 MiB");
	bench_figure("pnic", "bw_memcpy_ratio", one.bw / copy.bw, "pnic by memcpy at 1 MiB, at least 0.9 wanted");
	side_close(&a);
	side_close(&b);
	endpoints();
	return 0;
}
