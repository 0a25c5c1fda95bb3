// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/* Floods, storms, threads, several cards, peers that vanish: nothing is lost, nothing waits for ever. */
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>

#include "suite.h"
#ifdef DIRECT
#include <pnic_embedded.h>

#include "pfi.h"
#endif

#define MEM (8u << 20)
#define FULL_NS 200000000ull

static const struct opts plain = { 0 };
static int ctx[16];

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* Both flood each other, and nobody receives until the senders find no room: no side is stuck. */
KTAP_TEST(flood_both_ways)
{
	enum { N = 6000, LEN = 700 };
	int sent[2] = { 0 }, done[2] = { 0 }, got[2] = { 0 }, posted[2] = { 0 }, i, full;
	struct node *n[2] = { &n0, &n1 };
	struct fi_cq_tagged_entry e[16];
	ssize_t ret, k;

	pair_open(&plain, MEM);
	fill(n0.mem, LEN, 1);
	fill(n1.mem, LEN, 1);
	for (full = 0; full < 2;) {
		for (i = 0; i < 2; i++) {
			while (sent[i] < N) {
				ret = fi_tsend(n[i]->ep, n[i]->mem, LEN, NULL, n[i]->peer[!i], 1, &ctx[0]);
				if (ret == -FI_EAGAIN)
					break;
				REQUIRE_FI(ret);
				sent[i]++;
			}
		}
		/* Full is when nothing was sent in a round in which what was over was taken. */
		full++;
		for (i = 0; i < 2; i++) {
			ret = fi_cq_read(n[i]->cq, e, 16);
			if (ret > 0) {
				done[i] += (int)ret;
				full = 0;
			}
		}
	}
	ktap_say("found no room after %d and %d messages", sent[0], sent[1]);
	CHECK_LT(sent[0], N);
	while (got[0] < N || got[1] < N || done[0] < N || done[1] < N) {
		for (i = 0; i < 2; i++) {
			if (posted[i] < N && posted[i] - got[i] < 64) {
				REQUIRE_FI(fi_trecv(n[i]->ep, n[i]->mem + (1 << 20) + (posted[i] % 64) * 1024, LEN, NULL,
						    FI_ADDR_UNSPEC, 1, 0, &ctx[1]));
				posted[i]++;
			}
			if (sent[i] < N) {
				ret = fi_tsend(n[i]->ep, n[i]->mem, LEN, NULL, n[i]->peer[!i], 1, &ctx[0]);
				sent[i] += !ret;
			}
			ret = fi_cq_read(n[i]->cq, e, 16);
			for (k = 0; k < ret; k++) {
				got[i] += e[k].op_context == &ctx[1];
				done[i] += e[k].op_context == &ctx[0];
			}
			if (ret < 0)
				REQUIRE_EQ(ret, -FI_EAGAIN);
		}
	}
	for (i = 0; i < 64; i++)
		CHECK(same(n1.mem + (1 << 20) + i * 1024, LEN, 1));
	pair_close();
}

/* A storm that nobody waits for: the receiver keeps a window of it, the rest stays with the sender. */
KTAP_TEST(unexpected_storm)
{
	enum { N = 20000 };
	struct fi_cq_tagged_entry e[16];
	int sent = 0, done = 0, i;
	uint32_t *value;
	uint64_t last;
	ssize_t ret;

	pair_open(&plain, MEM);
	/* It is full when none finds room for longer than whoever waits for a receive entry is made to. */
	for (last = now_ns(); sent < N && now_ns() - last < FULL_NS;) {
		value = (uint32_t *)(void *)n0.mem + sent;
		*value = (uint32_t)sent;
		ret = fi_tsend(n0.ep, value, 4, NULL, n0.peer[1], *value, &ctx[0]);
		if (!ret) {
			sent++;
			last = now_ns();
		}
		fi_cq_read(n1.cq, e, 0);
		ret = fi_cq_read(n0.cq, e, 16);
		done += ret > 0 ? (int)ret : 0;
	}
	ktap_say("%d messages under way, %d of them over", sent, done);
	/* A window of 1 MiB is 7943 messages of 4 bytes, and the sender has 1024 operations. */
	CHECK_LT(sent, 10000);
	CHECK_LT(5000, sent);
	/* In another order than they came. */
	for (i = sent - 1; i >= 0; i--) {
		uint32_t in = 0;

		REQUIRE_FI(fi_trecv(n1.ep, &in, 4, NULL, FI_ADDR_UNSPEC, i, 0, &ctx[1]));
		while ((ret = fi_cq_read(n1.cq, e, 1)) == -FI_EAGAIN) {
			ret = fi_cq_read(n0.cq, e, 16);
			done += ret > 0 ? (int)ret : 0;
		}
		REQUIRE_EQ(ret, 1);
		REQUIRE_EQ(in, i);
	}
	while (done < sent) {
		fi_cq_read(n1.cq, e, 0);
		ret = fi_cq_read(n0.cq, e, 16);
		done += ret > 0 ? (int)ret : 0;
	}
	pair_close();
}

/* Random lengths on all ways at once, tags drawn, receives early and late; each byte is looked at. */
KTAP_TEST(random_traffic)
{
	enum { N = 600, SLOTS = 16, MAX = 60000 };
	static struct { size_t len; unsigned int seed; bool busy; } slot[SLOTS];
	unsigned int seed = 7, i, k, rounds = 0;
	uint64_t total = 0;

	pair_open(&plain, MEM);
	for (i = 0; i < N; i += SLOTS, rounds++) {
		for (k = 0; k < SLOTS; k++) {
			seed = seed * 1103515245 + 12345;
			slot[k].len = (seed >> 8) % ((seed & 3) ? 10000 : MAX);
			slot[k].seed = seed;
			total += slot[k].len;
			fill(n0.mem + k * MAX, slot[k].len, seed);
			if (seed & 4096)
				REQUIRE_FI(fi_trecv(n1.ep, n1.mem + k * MAX, MAX, NULL, n1.peer[0], k << 8, 0xff, &ctx[0] + k));
			slot[k].busy = seed & 4096;
		}
		for (k = SLOTS; k-- > 0;)
			REQUIRE_FI(retry(fi_tsend(n0.ep, n0.mem + k * MAX, slot[k].len, NULL, n0.peer[1], (k << 8) + k, n0.mem + k)));
		spin();
		for (k = 0; k < SLOTS; k++)
			if (!slot[k].busy)
				REQUIRE_FI(fi_trecv(n1.ep, n1.mem + k * MAX, MAX, NULL, FI_ADDR_UNSPEC, (k << 8) + k, 0, &ctx[0] + k));
		for (k = 0; k < SLOTS; k++) {
			CHECK_EQ(node_done(&n1, &ctx[0] + k).len, slot[k].len);
			node_done(&n0, n0.mem + k);
			CHECK(same(n1.mem + k * MAX, slot[k].len, slot[k].seed));
		}
	}
	ktap_say("%llu bytes", (unsigned long long)total);
	pair_close();
}

/* Memory that is unmapped and mapped anew at the same place is never sent as it was: no registration is stale. */
KTAP_TEST(memory_replaced)
{
	size_t len = 1 << 20;
	int round, prot = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
	char *mem = mmap(NULL, len, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *in = mem;

	REQUIRE(mem != MAP_FAILED);
	in = mmap(NULL, len, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(in != MAP_FAILED);
	pair_open(&plain, MEM);
	for (round = 0; round < 6; round++) {
		fill(mem, len, round);
		REQUIRE_FI(fi_trecv(n1.ep, in, len, NULL, FI_ADDR_UNSPEC, 1, 0, &ctx[1]));
		REQUIRE_FI(retry(fi_tsend(n0.ep, mem, len, NULL, n0.peer[1], 1, &ctx[0])));
		node_done(&n1, &ctx[1]);
		node_done(&n0, &ctx[0]);
		CHECK(same(in, len, round));
		if (round & 1) {
			REQUIRE_EQ(munmap(mem, len), 0);
			REQUIRE(mmap(mem, len, prot, flags, -1, 0) == mem);
		}
		if (round & 2) {
			REQUIRE_EQ(munmap(in, len), 0);
			REQUIRE(mmap(in, len, prot, flags, -1, 0) == in);
		}
	}
	pair_close();
	munmap(mem, len);
	munmap(in, len);
}

/* Two cards as rails of one domain. */
KTAP_TEST(two_rails)
{
	static const struct opts o = { .card = -1 };
	size_t len = 6u << 20;

	pair_open(&o, MEM);
	fill(n0.mem, len, 1);
	REQUIRE_FI(fi_trecv(n1.ep, n1.mem, MEM, NULL, FI_ADDR_UNSPEC, 1, 0, &ctx[1]));
	REQUIRE_FI(retry(fi_tsend(n0.ep, n0.mem, len, NULL, n0.peer[1], 1, &ctx[0])));
	node_done(&n1, &ctx[1]);
	node_done(&n0, &ctx[0]);
	CHECK(same(n1.mem, len, 1));
	fill(n0.mem, len, 2);
	REQUIRE_FI(retry(fi_writedata(n0.ep, n0.mem, len, NULL, 5, n0.peer[1], n1.base, n1.key, &ctx[0])));
	CHECK_EQ(node_done(&n1, NULL).data, 5);
	CHECK(same(n1.mem, len, 2));
	node_done(&n0, &ctx[0]);
	pair_close();
}

/* --- threads ------------------------------------------------------------------------------------ */

enum { THREADS = 3, EACH = 400 };

struct work {
	struct node *n, *peer;
	int id, peer_id;
	bool bad;
};

static int beside_stop, beside_turns;

static void *beside(void *arg)
{
	while (!__atomic_load_n(&beside_stop, __ATOMIC_ACQUIRE)) {
		__atomic_add_fetch(&beside_turns, 1, __ATOMIC_RELAXED);
		sched_yield();
	}
	return arg;
}

/*
 * Who looks at a queue in which nothing comes lets a thread run that shares its processor, at about each look; by
 * itself the system would change between them every few milliseconds.
 */
KTAP_TEST(gives_way)
{
	enum { LOOKS = 5000 };
	struct fi_cq_tagged_entry e;
	cpu_set_t before, one;
	pthread_t thread;
	int i, cpu = 0;

	pair_open(&plain, 4096);
	REQUIRE_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
	while (!CPU_ISSET(cpu, &before))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	REQUIRE_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
	REQUIRE_EQ(pthread_create(&thread, NULL, beside, NULL), 0);	/* on the same processor */
	for (i = 0; i < LOOKS; i++)
		CHECK_EQ(fi_cq_read(n0.cq, &e, 1), -FI_EAGAIN);
	i = __atomic_load_n(&beside_turns, __ATOMIC_RELAXED);
	__atomic_store_n(&beside_stop, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	sched_setaffinity(0, sizeof(before), &before);
	CHECK_GT(i, LOOKS / 10);
	pair_close();
}

/* Each thread has a tag of its own on an endpoint and a CQ that all share, and counts what is over by flags. */
static int over[2][THREADS][2];

static void take(struct node *n, int id)
{
	struct fi_cq_tagged_entry e[8];
	ssize_t got = fi_cq_read(n->cq, e, 8);
	int *where, k;

	for (k = 0; k < got; k++) {
		where = e[k].op_context;
		__atomic_add_fetch(where, 1, __ATOMIC_ACQ_REL);
	}
	(void)id;
}

static void *thread_work(void *arg)
{
	struct work *w = arg;
	char *out = w->n->mem + w->id * 200000, *in = out + 100000;
	int *sent = &over[w->n == &n1][w->id][0], *got = &over[w->n == &n1][w->id][1], i;
	size_t len;

	for (i = 0; i < EACH && !w->bad; i++) {
		len = i % 7 ? (size_t)i : 20000 + (size_t)i;
		fill(out, len, i);
		while (fi_trecv(w->n->ep, in, 100000, NULL, w->n->peer[w->peer_id], w->id, 0, got) == -FI_EAGAIN)
			take(w->n, w->id);
		while (fi_tsend(w->n->ep, out, len, NULL, w->n->peer[w->peer_id], w->id, sent) == -FI_EAGAIN)
			take(w->n, w->id);
		while (__atomic_load_n(sent, __ATOMIC_ACQUIRE) <= i || __atomic_load_n(got, __ATOMIC_ACQUIRE) <= i) {
			take(w->n, w->id);
			sched_yield();
		}
		w->bad = !same(in, len, i);
	}
	return NULL;
}

static void threads_run(const struct opts *o)
{
	struct work w[2 * THREADS];
	pthread_t thread[2 * THREADS];
	int i;

	memset(over, 0, sizeof(over));
	pair_open(o, MEM);
	for (i = 0; i < 2 * THREADS; i++) {
		w[i] = (struct work){ i % 2 ? &n1 : &n0, NULL, i / 2, !(i % 2), false };
		pthread_create(&thread[i], NULL, thread_work, &w[i]);
	}
	for (i = 0; i < 2 * THREADS; i++) {
		pthread_join(thread[i], NULL);
		CHECK(!w[i].bad);
	}
	pair_close();
}

KTAP_TEST(threads_share_an_endpoint)
{
	static const struct opts o = { .threading = FI_THREAD_SAFE };

	threads_run(&o);
}

static void *domain_work(void *arg)
{
	struct work *w = arg;
	struct fi_cq_tagged_entry e;
	int i, left;

	for (i = 0; i < EACH && !w->bad; i++) {
		fill(w->n->mem, 3000, i);
		while (fi_trecv(w->n->ep, w->n->mem + 100000, 3000, NULL, FI_ADDR_UNSPEC, i, 0, NULL) == -FI_EAGAIN)
			;
		while (fi_tsend(w->n->ep, w->n->mem, 3000, NULL, w->n->peer[w->peer_id], i, NULL) == -FI_EAGAIN)
			fi_cq_read(w->n->cq, &e, 0);
		for (left = 2; left;) {
			if (fi_cq_read(w->n->cq, &e, 1) == 1)
				left--;
			else
				sched_yield();
		}
		w->bad = !same(w->n->mem + 100000, 3000, i);
	}
	return NULL;
}

/* FI_THREAD_DOMAIN: a thread for each domain, and the provider takes no lock. */
KTAP_TEST(threads_of_domains)
{
	static const struct opts o = { .threading = FI_THREAD_DOMAIN };
	struct work w[2] = { { &n0, NULL, 0, 1, false }, { &n1, NULL, 1, 0, false } };
	pthread_t thread[2];
	int i;

	pair_open(&o, MEM);
	for (i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, domain_work, &w[i]);
	for (i = 0; i < 2; i++) {
		pthread_join(thread[i], NULL);
		CHECK(!w[i].bad);
	}
	pair_close();
}

static void *add_work(void *arg)
{
	struct node *n = arg;
	struct fi_cq_tagged_entry e;
	uint64_t one = 1;
	int i;

	for (i = 0; i < EACH; i++) {
		while (fi_atomic(n->ep, &one, 1, NULL, n->peer[2], n2.base, n2.key, FI_UINT64, FI_SUM, NULL) == -FI_EAGAIN)
			fi_cq_read(n->cq, &e, 0);
		while (fi_cq_read(n->cq, &e, 1) != 1)
			sched_yield();
	}
	return NULL;
}

/* Two initiators and the owner itself add to one word. */
KTAP_TEST(atomics_of_several)
{
	static const struct opts o = { .threading = FI_THREAD_SAFE };
	struct opts third = o;
	pthread_t thread[3];
	int i;

	pair_open(&o, MEM);
	third.card = 1;
	node_open(&n2, &third, 65536);
	nodes_meet(&n0, 0, &n2, 2);
	nodes_meet(&n1, 1, &n2, 2);
	REQUIRE_EQ(fi_av_insert(n2.av, n2.name, 1, &n2.peer[2], 0, NULL), 1);
	pthread_create(&thread[0], NULL, add_work, &n0);
	pthread_create(&thread[1], NULL, add_work, &n1);
	pthread_create(&thread[2], NULL, add_work, &n2);
	/* The third moves the target while it works; then somebody must. */
	pthread_join(thread[2], NULL);
	while (__atomic_load_n((uint64_t *)(void *)n2.mem, __ATOMIC_RELAXED) < 3 * EACH) {
		struct fi_cq_tagged_entry e;

		fi_cq_read(n2.cq, &e, 0);
		sched_yield();
	}
	for (i = 0; i < 2; i++) {
		while (pthread_tryjoin_np(thread[i], NULL)) {
			struct fi_cq_tagged_entry e;

			fi_cq_read(n2.cq, &e, 0);
			sched_yield();
		}
	}
	CHECK_EQ(*(uint64_t *)(void *)n2.mem, 3 * EACH);
	node_close(&n2);
	pair_close();
}

/* --- peers that vanish -------------------------------------------------------------------------- */

/* Whatever was under way to a peer that closes its endpoint ends with an error; nothing hangs. */
KTAP_TEST(peer_vanishes)
{
	struct opts third = plain;
	struct fi_cq_err_entry err;
	struct fi_cq_tagged_entry e;
	uint64_t one = 1, old;
	int failed = 0, ok = 0, i;
	char text[256];

	pair_open(&plain, MEM);
	third.card = 1;
	node_open(&n2, &third, 65536);
	nodes_meet(&n0, 0, &n2, 2);
	/* It knows the peer's key, and has said something. */
	REQUIRE_FI(retry(fi_write(n0.ep, n0.mem, 8, NULL, n0.peer[2], n2.base, n2.key, &ctx[0])));
	node_done(&n0, &ctx[0]);
	/* One that waits for a receive, and was told to the peer. */
	REQUIRE_FI(retry(fi_tsend(n0.ep, n0.mem, 100000, NULL, n0.peer[2], 1, &ctx[0])));
	for (i = 0; i < 100; i++)
		spin();
	node_close(&n2);
	REQUIRE_FI(retry(fi_tsend(n0.ep, n0.mem, 8, NULL, n0.peer[2], 1, &ctx[0])));
	REQUIRE_FI(retry(fi_tsend(n0.ep, n0.mem, 100000, NULL, n0.peer[2], 1, &ctx[0])));
	REQUIRE_FI(retry(fi_write(n0.ep, n0.mem, 8, NULL, n0.peer[2], (uintptr_t)n0.mem, 1234, &ctx[0])));
	REQUIRE_FI(retry(fi_fetch_atomic(n0.ep, &one, 1, NULL, &old, NULL, n0.peer[2], 0, 5, FI_UINT64, FI_SUM, &ctx[0])));
	for (i = 0; ok + failed < 5;) {
		memset(&err, 0, sizeof(err));
		ok += fi_cq_read(n0.cq, &e, 1) == 1;
		if (fi_cq_readerr(n0.cq, &err, 0) == 1) {
			failed++;
			ktap_say("%s: %s", fi_strerror(err.err),
				 fi_cq_strerror(n0.cq, err.prov_errno, err.err_data, text, sizeof(text)));
			CHECK(err.op_context == &ctx[0]);
		}
	}
	CHECK_EQ(failed, 5);
	/* Others are not concerned. */
	REQUIRE_FI(fi_trecv(n1.ep, n1.mem, 8, NULL, FI_ADDR_UNSPEC, 1, 0, &ctx[1]));
	REQUIRE_FI(retry(fi_tinject(n0.ep, "z", 1, n0.peer[1], 1)));
	node_done(&n1, &ctx[1]);
	pair_close();
}

/* A receive that takes messages of one peer only ends when that peer is gone, though nothing was sent to it. */
KTAP_TEST(awaited_peer_vanishes)
{
	struct opts third = plain;
	struct fi_cq_err_entry err;
	struct fi_cq_tagged_entry e;
	char text[256];
	ssize_t ret;
	int i;

	pair_open(&plain, MEM);
	third.card = 1;
	node_open(&n2, &third, 65536);
	nodes_meet(&n0, 0, &n2, 2);
	REQUIRE_FI(fi_trecv(n0.ep, n0.mem, 8, NULL, n0.peer[2], 1, 0, &ctx[2]));
	REQUIRE_FI(fi_recv(n0.ep, n0.mem, 8, NULL, n0.peer[2], &ctx[3]));
	REQUIRE_FI(fi_trecv(n0.ep, n0.mem, 8, NULL, n0.peer[1], 1, 0, &ctx[1]));
	for (i = 0; i < 100; i++)
		spin();
	node_close(&n2);
	for (i = 2; i < 4; i++) {
		memset(&err, 0, sizeof(err));
		while ((ret = fi_cq_read(n0.cq, &e, 1)) == -FI_EAGAIN)
			;
		REQUIRE_EQ(ret, -FI_EAVAIL);
		REQUIRE_EQ(fi_cq_readerr(n0.cq, &err, 0), 1);
		ktap_say("%s: %s", fi_strerror(err.err),
			 fi_cq_strerror(n0.cq, err.prov_errno, err.err_data, text, sizeof(text)));
		CHECK(err.op_context == &ctx[2] || err.op_context == &ctx[3]);
		CHECK(err.err != FI_ECANCELED);
	}
	/* Those of others wait on. */
	REQUIRE_FI(retry(fi_tinject(n1.ep, "z", 1, n1.peer[0], 1)));
	node_done(&n0, &ctx[1]);
	pair_close();
}

#ifdef DIRECT
static struct pnic_ctx *card_of(struct node *n)
{
	return pnic_rails_ctx(pfi_entry(n->domain, struct pfi_domain, fid)->rails, 0);
}

static bool link_up(struct node *n)
{
	struct pnic_ioc_link_info link = { .size = sizeof(link) };

	pnic_embedded_drive(card_of(n));
	return !pnic_query_link(card_of(n), &link) && link.state == 1;
}

/* Until the next of the node's operations has failed, or is over. Nobody else is moved. */
static void *ends_alone(struct node *n, bool fails)
{
	struct fi_cq_err_entry err = { 0 };
	struct fi_cq_tagged_entry e;

	for (;;) {
		if (fi_cq_read(n->cq, &e, 1) == 1) {
			CHECK(!fails);
			return e.op_context;
		}
		if (fi_cq_readerr(n->cq, &err, 0) == 1) {
			ktap_say("%s", fi_strerror(err.err));
			CHECK(fails);
			return err.op_context;
		}
	}
}
#endif

/*
 * The way to a peer goes while the peer doesn't look, and comes back. What was to be answered ends at both, whatever the answer that
 * was lost; and then all is as before.
 */
KTAP_TEST(answers_are_lost)
{
#ifdef DIRECT
	struct iovec iov;
	struct fi_msg_tagged m = { .msg_iov = &iov, .iov_count = 1, .tag = 1, .context = &ctx[1] };
	uint64_t one = 1, old, far;
	struct fid_mr *mr;
	int round, i;

	pfi_knobs.fail_ms = 200;
	pair_open(&plain, MEM);
	REQUIRE_FI(fi_mr_reg(n1.domain, n1.mem, 4096, FI_REMOTE_WRITE, 0, 0, 0, &mr, NULL));
	iov = (struct iovec){ n0.mem, 8 };
	m.addr = n0.peer[1];
	far = n1.base;
	for (round = 0; round < 2; round++) {
		REQUIRE_FI(retry(fi_fetch_atomic(n0.ep, &one, 1, NULL, &old, NULL, n0.peer[1], far, n1.key, FI_UINT64, FI_SUM,
						 &ctx[0])));
		node_done(&n0, &ctx[0]);
		/* An atomic and a message whose arrival is to be told. The peer gets them, and doesn't look. */
		REQUIRE_FI(fi_trecv(n1.ep, n1.mem + 100, 8, NULL, FI_ADDR_UNSPEC, 1, 0, &ctx[3]));
		REQUIRE_FI(fi_fetch_atomic(n0.ep, &one, 1, NULL, &old, NULL, n0.peer[1], far, n1.key, FI_UINT64, FI_SUM,
					   &ctx[0]));
		REQUIRE_FI(fi_tsendmsg(n0.ep, &m, FI_DELIVERY_COMPLETE | FI_COMPLETION));
		for (i = 0; i < 100; i++)
			fi_cq_read(n0.cq, &old, 0);
		REQUIRE_EQ(pnic_embedded_fault(card_of(&n1), PNIC_EMBEDDED_CUT, 1, 0), 0);
		while (link_up(&n1) || link_up(&n0))
			;
		/* Its answers find no way; it knows by a message of its own. */
		CHECK(ends_alone(&n1, false) == &ctx[3]);
		REQUIRE_FI(fi_tsend(n1.ep, n1.mem, 8, NULL, n1.peer[0], 2, &ctx[4]));
		CHECK(ends_alone(&n1, true) == &ctx[4]);
		REQUIRE_EQ(pnic_embedded_fault(card_of(&n1), PNIC_EMBEDDED_CUT, 0, 0), 0);
		while (!link_up(&n1) || !link_up(&n0))
			;
		/* So both of them end, by whatever is said next. */
		for (i = 0; i < 2; i++) {
			struct fi_cq_err_entry err = { 0 };

			while (fi_cq_readerr(n0.cq, &err, 0) != 1)
				spin();
			CHECK(err.op_context == &ctx[0] || err.op_context == &ctx[1]);
			CHECK_EQ(err.err, FI_ECONNRESET);
		}
	}
	/* A key that was asked for in vain. */
	REQUIRE_EQ(pnic_embedded_fault(card_of(&n1), PNIC_EMBEDDED_CUT, 1, 0), 0);
	while (link_up(&n1) || link_up(&n0))
		;
	REQUIRE_FI(fi_write(n0.ep, n0.mem, 8, NULL, n0.peer[1], n1.base, fi_mr_key(mr), &ctx[0]));
	CHECK(ends_alone(&n0, true) == &ctx[0]);
	REQUIRE_EQ(pnic_embedded_fault(card_of(&n1), PNIC_EMBEDDED_CUT, 0, 0), 0);
	while (!link_up(&n1) || !link_up(&n0))
		;
	REQUIRE_FI(retry(fi_write(n0.ep, n0.mem, 8, NULL, n0.peer[1], n1.base, fi_mr_key(mr), &ctx[0])));
	node_done(&n0, &ctx[0]);
	CHECK_EQ(fi_close(&mr->fid), 0);
	pair_close();
	pfi_knobs.fail_ms = 2000;
#else
	SKIP("links are cut where the provider is linked in");
#endif
}

/* Closing never waits, whatever is under way. */
KTAP_TEST(close_in_flight)
{
	int round, i;

	for (round = 0; round < 4; round++) {
		pair_open(&plain, MEM);
		for (i = 0; i < 20; i++) {
			REQUIRE_FI(fi_trecv(n1.ep, n1.mem + i * 100000, 100000, NULL, FI_ADDR_UNSPEC, round < 2 ? 1 : 2, 0, NULL));
			REQUIRE_FI(retry(fi_tsend(n0.ep, n0.mem + i * 100000, i % 3 ? 100000 : 8, NULL, n0.peer[1], 1, NULL)));
			REQUIRE_FI(retry(fi_read(n0.ep, n0.mem + (2 << 20), 100000, NULL, n0.peer[1], n1.base, n1.key, NULL)));
		}
		if (round & 1)
			spin();
		node_close(round & 1 ? &n0 : &n1);
		node_close(round & 1 ? &n1 : &n0);
	}
}

/* Memory that a card may write to at this moment. */
__attribute__((no_sanitize("thread"))) static char peek(const char *at)
{
	return *(const volatile char *)at;
}

/* FI_PROGRESS_AUTO: a process that never calls serves its peers all the same. */
KTAP_TEST(auto_progress)
{
	static const struct opts o = { .progress = FI_PROGRESS_AUTO, .wait = FI_WAIT_UNSPEC };
	static const struct opts alone = { .progress = FI_PROGRESS_AUTO, .threading = FI_THREAD_DOMAIN };
	struct fi_cq_tagged_entry e[4];
	const size_t len = 1 << 20;
	static int ctx[4];
	uint64_t one = 1;
	int i;

	pair_open(&o, 4 << 20);
	CHECK_EQ(n0.info->domain_attr->data_progress, FI_PROGRESS_AUTO);
	SUBTEST("keys and atomics of one that doesn't call") {
		for (i = 0; i < 20; i++) {
			REQUIRE_FI(retry(fi_atomic(n0.ep, &one, 1, NULL, n0.peer[1], n1.base, n1.key, FI_UINT64, FI_SUM, &ctx[0])));
			REQUIRE_EQ(fi_cq_sread(n0.cq, e, 1, NULL, 60000), 1);
			CHECK(e[0].op_context == &ctx[0]);
		}
		CHECK_EQ(__atomic_load_n((uint64_t *)(void *)n1.mem, __ATOMIC_ACQUIRE), 20);
	}
	SUBTEST("a message that it fetches") {
		fill(n0.mem, len, 1);
		REQUIRE_FI(fi_recv(n1.ep, n1.mem, len, NULL, FI_ADDR_UNSPEC, &ctx[1]));
		REQUIRE_FI(fi_send(n0.ep, n0.mem, len, NULL, n0.peer[1], &ctx[2]));
		/* Its sender is told when it has been fetched. */
		REQUIRE_EQ(fi_cq_sread(n0.cq, e, 1, NULL, 60000), 1);
		CHECK(same(n1.mem, len, 1));
		CHECK_EQ(fi_cq_sread(n1.cq, e, 1, NULL, 60000), 1);
		CHECK(e[0].op_context == &ctx[1]);
	}
	SUBTEST("nobody calls at all") {
		memset(n1.mem, 0, len);
		fill(n0.mem, len, 2);
		REQUIRE_FI(fi_recv(n1.ep, n1.mem, len, NULL, FI_ADDR_UNSPEC, &ctx[1]));
		REQUIRE_FI(fi_send(n0.ep, n0.mem, len, NULL, n0.peer[1], &ctx[2]));
		while (!peek(&n1.mem[len - 1]))
			usleep(1000);
		REQUIRE_EQ(fi_cq_sread(n1.cq, e, 1, NULL, 60000), 1);
		REQUIRE_EQ(fi_cq_sread(n0.cq, e, 1, NULL, 60000), 1);
		CHECK(same(n1.mem, len, 2));
	}
	pair_close();
	SUBTEST("a program that locks by itself") {
		pair_open(&alone, 1 << 16);
		for (i = 0; i < 200; i++) {
			REQUIRE_FI(retry(fi_atomic(n0.ep, &one, 1, NULL, n0.peer[1], n1.base, n1.key, FI_UINT64, FI_SUM, &ctx[0])));
			node_done(&n0, &ctx[0]);
		}
		CHECK_EQ(*(uint64_t *)(void *)n1.mem, 200);
		pair_close();
	}
}

KTAP_MAIN()
