// SPDX-License-Identifier: GPL-2.0
/*
 * Several NICs as one, when a cable, a card, the peer or memory is gone, or the peer lies: what is under way goes on
 * over what is left, and ends exactly once.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>

#include <pnic_embedded.h>

#include "device.h"
#include "nomem.h"
#include "railtest.h"
#include "traffic.h"

/* Only the sender looks, until its rail is so. */
static void sender_until(unsigned int rail, unsigned int state)
{
	uint64_t end = now_ns() + WAIT_MS * 1000000ull;
	struct pnic_rails_wc wc;

	while (stat_of(&a, rail).state != state) {
		REQUIRE(now_ns() < end);
		pnic_rails_poll(a.ep, &wc, 1);
	}
}

static void send_only(uint32_t from, uint32_t to)
{
	struct pnic_rails_wc wc;

	while (from < to) {
		if (!pnic_rails_write_imm(a.peer, a.mem, 8, a.mr, b.key.addr, &b.key, from, from, 0))
			from++;
		pnic_rails_poll(a.ep, &wc, 1);
	}
}

/*
 * The sender is told that messages are over while they lie in the buffers of two rails, not looked at: first all of
 * one rail's, then those of the other, which are far ahead when they are found.
 */
KTAP_TEST(receiver_looks_late)
{
	const uint32_t count = 450, half = 250;
	struct pnic_rails_wc wc;
	uint32_t got;

	both_open(RAILS, NULL);
	exercise(350);
	through("both rails are known", NULL, 20);
	cut(1, true);
	sender_until(1, PNIC_RAIL_LINK_DOWN);
	send_only(0, half);
	cut(1, false);
	sender_until(1, PNIC_RAIL_UP);
	cut(0, true);
	sender_until(0, PNIC_RAIL_LINK_DOWN);
	send_only(half, count);
	cut(0, false);
	for (got = 0; got < count; got++)
		want_message_imm(got);
	CHECK(!get(&b, &wc, 20));
}

static void cut_0(void)
{
	cut(0, true);
}

KTAP_TEST(cable_cut)
{
	both_open(RAILS, NULL);
	exercise(400);
	through("cable cut", cut_0, 60);
	CHECK(saw_event(&a, 0, PNIC_RAILS_EVT_DOWN));
	CHECK_EQ(stat_of(&a, 0).state, PNIC_RAIL_LINK_DOWN);
	exercise(401);
	cut(0, false);
	CHECK(saw_event(&a, 0, PNIC_RAILS_EVT_UP));
	until_state(&a, 0, PNIC_RAIL_UP);
	through("mended", NULL, 20);
	CHECK_GT(stat_of(&a, 0).bytes, 0);
}

static void fatal_0(void)
{
	fatal(0);
}

static void fatal_2(void)
{
	fatal(2);
}

/* Both ends send over the rail again after its card was lost. */
static void used_again(unsigned int nic)
{
	struct side *s = nic < 2 ? &a : &b;
	uint64_t end = now_ns() + WAIT_MS * 1000000ull, bytes = stat_of(&a, nic % 2).bytes;

	until_state(s, nic % 2, PNIC_RAIL_UP);
	while (stat_of(&a, nic % 2).bytes < bytes + (1 << 20)) {
		REQUIRE(now_ns() < end);
		through("again", NULL, 4);
	}
}

KTAP_TEST(card_lost)
{
	both_open(RAILS, NULL);
	exercise(500);
	through("card lost", fatal_0, 60);
	CHECK_EQ(stat_of(&a, 0).lost, 1);
	CHECK(saw_event(&a, 0, PNIC_RAILS_EVT_BACK));
	used_again(0);
	exercise(501);
}

KTAP_TEST(far_card_lost)
{
	both_open(RAILS, NULL);
	exercise(600);
	through("far card lost", fatal_2, 60);
	CHECK_EQ(stat_of(&b, 0).lost, 1);
	used_again(2);
	exercise(601);
}

KTAP_TEST(only_card_lost)
{
	both_open(1, NULL);
	exercise(700);
	through("the only card lost", fatal_0, 20);
	through("the far end's only card lost", fatal_2, 20);
	exercise(701);
}

static void *reset_by_sysfs(void *path)
{
	return write_file(path, "1") ? path : NULL;
}

static uint32_t sender_got;
static bool sender_ends;

/* Sends until it is told to stop, and waits for what is under way: how many. */
static void *sender(void *arg)
{
	uint32_t sent = 0, over = 0;
	struct pnic_rails_wc wc;
	bool ends = false;
	int n;

	while (!ends || over < sent) {
		ends = __atomic_load_n(&sender_ends, __ATOMIC_ACQUIRE);
		if (!ends && sent < __atomic_load_n(&sender_got, __ATOMIC_ACQUIRE) + 200 &&
		    !pnic_rails_write_imm(a.peer, a.mem, 8, a.mr, b.key.addr, &b.key, sent, sent, 0))
			sent++;
		n = pnic_rails_poll(a.ep, &wc, 1);
		if (n < 0 || (n && wc.status))
			return NULL;
		over += n;
	}
	*(uint32_t *)arg = sent;
	return arg;
}

/* Of a card that works: what arrives until it is silent is a message that its sender takes for received. */
KTAP_TEST(card_reset_among_messages)
{
	enum { ROUNDS = 10, CROWD = 200 };
	struct pnic_ctx *crowd[CROWD];
	struct pnic_rails_wc wc;
	char path[100], pci[32];
	unsigned int round, i;
	pthread_t thread, reset;
	uint32_t sent;
	bool over;
	void *ret;

	if (dev_embedded())
		SKIP("its driver resets only cards that report an error");
	both_open(RAILS, NULL);
	REQUIRE_OK(dev_pci(2, pci, sizeof(pci)));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/reset", pci);
	for (round = 0; round < ROUNDS; round++) {
		used_again(2);
		/* The more, the longer it takes until the card is silent. */
		for (i = 0; i < CROWD; i++)
			REQUIRE_EQ(pnic_open("pnic2", NULL, &crowd[i]), 0);
		sender_got = 0;
		sender_ends = false;
		sent = UINT32_MAX;
		over = false;
		REQUIRE_EQ(pthread_create(&thread, NULL, sender, &sent), 0);
		REQUIRE_EQ(pthread_create(&reset, NULL, reset_by_sysfs, path), 0);
		while (!over || sender_got < sent) {
			if (!sender_ends && !pthread_tryjoin_np(reset, &ret)) {
				CHECK(!ret);
				__atomic_store_n(&sender_ends, true, __ATOMIC_RELEASE);
			}
			if (sender_ends && !over && !pthread_tryjoin_np(thread, &ret)) {
				REQUIRE(ret);
				over = true;
			}
			if (pnic_rails_poll(b.ep, &wc, 1) < 1)
				continue;
			REQUIRE_EQ(wc.imm, sender_got);
			pnic_rails_release(b.ep, &wc);
			__atomic_store_n(&sender_got, sender_got + 1, __ATOMIC_RELEASE);
		}
		for (i = 0; i < CROWD; i++)
			pnic_close(crowd[i]);
		ktap_say("%u messages", sent);
	}
	CHECK_EQ(stat_of(&b, 0).lost, ROUNDS);
	used_again(2);
}

/* Both ends have rail 0 only. */
static void by_one_rail(const struct pnic_rails_ep_attr *attr)
{
	both_open(RAILS, attr);
	through("both rails are known", NULL, 20);
	cut(1, true);
	until_state(&a, 1, PNIC_RAIL_LINK_DOWN);
}

/* The far end has a write and was told, and the card that sent it will not hear of that. */
static void told_unheard(struct pnic_ctx *ctx, size_t size)
{
	uint64_t end = now_ns() + WAIT_MS * 1000000ull;
	struct pnic_rails_wc wc;

	pattern_fill(a.mem, size, size);
	memset(b.mem, 0, size);
	REQUIRE_EQ(pnic_embedded_fault(ctx, PNIC_EMBEDDED_DROP, 1000000, 0), 0);
	REQUIRE_EQ(pnic_rails_write_imm(a.peer, a.mem, size, a.mr, b.key.addr, &b.key, 77, 1, 0), 0);
	/* Only the receiver looks. */
	pnic_rails_poll(a.ep, &wc, 0);
	while (pnic_rails_poll(b.ep, &wc, 1) < 1)
		REQUIRE(now_ns() < end);
	CHECK_EQ(wc.imm, 77);
	CHECK_EQ(pattern_check(b.mem, size, size), size);
	pnic_rails_release(b.ep, &wc);
}

/* Then it dies: the write is over, and what the receiver does with its memory meanwhile stays. @size: of one piece. */
static void told_and_lost(size_t size)
{
	struct pnic_ctx *ctx = ctx_of(0);
	struct pnic_rails_wc wc;

	told_unheard(ctx, size);
	pattern_fill(b.mem, size, size + 1);
	cut(1, false);
	until_state(&a, 1, PNIC_RAIL_UP);
	fatal(0);
	REQUIRE_EQ(pnic_embedded_fault(ctx, PNIC_EMBEDDED_DROP, 0, 0), 0);
	want(&a, PNIC_RAILS_WRITE_IMM, 1);
	CHECK(!get(&b, &wc, 20));
	CHECK_EQ(pattern_check(b.mem, size, size + 1), size);
}

KTAP_TEST(bytes_that_were_told_of)
{
	static const size_t sizes[] = { 8, 200, 4096, 30000 };
	unsigned int i;

	if (!dev_embedded())
		SKIP("embedded cards show it");
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		SUBTEST("%zu bytes", sizes[i]) {
			by_one_rail(NULL);
			exercise(5200 + i);
			told_and_lost(sizes[i]);
			exercise(5210 + i);
			CHECK_GE(stat_of(&a, 0).replayed, 1);
		}
}

/* Nobody is left to ask: it ends all the same. */
KTAP_TEST(nobody_to_ask)
{
	const struct pnic_rails_ep_attr attr = { .size = sizeof(attr), .fail_ms = 300 };
	struct pnic_rails_wc wc;
	struct pnic_ctx *ctx;

	if (!dev_embedded())
		SKIP("embedded cards show it");
	by_one_rail(&attr);
	exercise(5230);
	ctx = ctx_of(0);
	told_unheard(ctx, 4096);
	REQUIRE_EQ(pnic_rails_ep_destroy(b.ep), 0);
	b.ep = NULL;
	cut(1, false);
	fatal(0);
	REQUIRE_EQ(pnic_embedded_fault(ctx, PNIC_EMBEDDED_DROP, 0, 0), 0);
	REQUIRE(get(&a, &wc, WAIT_MS));
	CHECK(wc.status);
}

static void pull_0(void)
{
	REQUIRE_EQ(pnic_embedded_fault(ctx_of(0), PNIC_EMBEDDED_GONE, 0, 0), 0);
}

static uint64_t thread_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Memory can be registered although rail 0 is gone. */
static void registers(void)
{
	struct pnic_rails_mr *mr = NULL;
	uint8_t *mem = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(mem != MAP_FAILED);
	REQUIRE_EQ(pnic_rails_mr_reg(a.rails, mem, 8192, ALL_RIGHTS, &mr), 0);
	CHECK_EQ(pnic_rails_mr_dereg(mr), 0);
	munmap(mem, 8192);
}

/* A card that is taken out in good order is lost as well, and whoever sleeps does sleep. */
KTAP_TEST(card_pulled)
{
	struct pnic_rails_wc wc;
	uint64_t begin, cpu;
	int i, err;

	if (!dev_embedded())
		SKIP("pci_hotplug has real ones pulled");
	both_open(RAILS, NULL);
	exercise(1000);
	through("card pulled", pull_0, 60);
	CHECK(saw_event(&a, 0, PNIC_RAILS_EVT_LOST));
	until_state(&a, 0, PNIC_RAIL_LOST);
	CHECK_EQ(stat_of(&a, 0).lost, 1);
	exercise(1001);
	registers();
	begin = now_ns();
	cpu = thread_cpu_ns();
	for (i = 0; now_ns() - begin < 500000000; i++) {
		err = pnic_rails_wait(a.ep, 100);
		CHECK(!err || err == -ETIMEDOUT);
		CHECK_EQ(pnic_rails_poll(a.ep, &wc, 1), 0);
	}
	cpu = thread_cpu_ns() - cpu;
	ktap_say("waited %d times in 500 ms, %.0f ms of them at work", i, (double)cpu / 1e6);
	CHECK_LE(cpu, 250000000);
	side_close(&a);
	side_close(&b);
}

/* It is seen before anything is told of it: by whoever registers memory, and by whoever sleeps. */
KTAP_TEST(card_pulled_from_sleep)
{
	struct pnic_rails_wc wc;
	uint64_t end;

	if (!dev_embedded())
		SKIP("pci_hotplug has real ones pulled");
	both_open(RAILS, NULL);
	exercise(1010);
	pull_0();
	registers();
	end = now_ns() + WAIT_MS * 1000000ull;
	while (stat_of(&a, 0).state != PNIC_RAIL_LOST) {
		REQUIRE(now_ns() < end);
		pnic_rails_wait(a.ep, 100);
		CHECK_EQ(pnic_rails_poll(a.ep, &wc, 1), 0);
	}
	exercise(1011);
	side_close(&a);
	side_close(&b);
}

KTAP_TEST(peer_gone)
{
	const struct pnic_rails_ep_attr attr = { .size = sizeof(attr), .fail_ms = 300 };
	struct pnic_rails_wc wc;
	char text[200];
	uint64_t begin;
	int i;

	both_open(RAILS, &attr);
	exercise(800);
	CHECK_EQ(pnic_rails_ep_destroy(b.ep), 0);
	b.ep = NULL;
	begin = now_ns();
	for (i = 0; i < 20; i++)
		REQUIRE_EQ(pnic_rails_write_imm(a.peer, a.mem, 100000, a.mr, b.key.addr, &b.key, i, i, 0), 0);
	for (i = 0; i < 20; i++) {
		REQUIRE(get(&a, &wc, WAIT_MS));
		CHECK_EQ(wc.status, PNIC_ST_REMOTE_EP);
		CHECK_EQ(wc.length, 100000);
		CHECK(wc.peer == a.peer);
	}
	ktap_say("%s, after %.0f ms", pnic_rails_wc_str(&wc, text, sizeof(text)), (double)(now_ns() - begin) / 1e6);
	CHECK(!get(&a, &wc, 20));
	CHECK_EQ(pnic_rails_peer_del(a.peer), 0);
	a.peer = NULL;
}

/* Keys of @b that nobody gave. */
static struct pnic_rails_key bad_key(void)
{
	struct pnic_rails_key bad = b.key;
	int i;

	for (i = 0; i < RAILS; i++)
		bad.key[i] ^= 0x5555;
	return bad;
}

/* A message that fails leaves no hole: those after it arrive. */
KTAP_TEST(failed_message)
{
	struct pnic_rails_wc wc;
	struct pnic_rails_key bad;
	int i;

	both_open(RAILS, NULL);
	exercise(900);
	bad = bad_key();
	REQUIRE_EQ(pnic_rails_write_imm(a.peer, a.mem, 100, a.mr, b.key.addr, &bad, 1, 1, 0), 0);
	REQUIRE_EQ(pnic_rails_write_imm(a.peer, a.mem, 300000, a.mr, b.key.addr, &bad, 2, 2, 0), 0);
	REQUIRE_EQ(pnic_rails_write_imm(a.peer, a.mem, 100, a.mr, b.key.addr + MEM, &b.key, 3, 3, 0), 0);
	REQUIRE_EQ(pnic_rails_send(a.peer, "after", 5, NULL, 0, NULL, 4, 4, 0), 0);
	for (i = 0; i < 4; i++) {
		REQUIRE(get(&a, &wc, WAIT_MS));
		if (wc.cookie == 4)
			CHECK_EQ(wc.status, 0);
		else
			CHECK_EQ(wc.status, wc.cookie == 3 ? PNIC_ST_REMOTE_BOUNDS : PNIC_ST_REMOTE_KEY);
	}
	want_message(&b, 4, "after", 5);
	exercise(901);
}

/* Which of the two ends first, while rail @cable of the long one can't go on. */
static uint64_t long_and_bad(unsigned int cable)
{
	struct pnic_rails_key bad = bad_key();
	struct pnic_rails_wc wc;
	uint64_t first;
	int i;

	REQUIRE_EQ(pnic_rails_write_imm(a.peer, a.mem, MEM, a.mr, b.key.addr, &b.key, 1, 1, 0), 0);
	REQUIRE_EQ(pnic_rails_write_imm(a.peer, a.mem, 100, a.mr, b.key.addr, &bad, 2, 2, 0), 0);
	cut(cable, true);
	REQUIRE(get(&a, &wc, WAIT_MS));
	first = wc.cookie;
	CHECK_EQ(wc.status, wc.cookie == 1 ? 0 : PNIC_ST_REMOTE_KEY);
	/* What is told of it meanwhile gets there. */
	for (i = 0; i < 1000; i++)
		turn();
	cut(cable, false);
	REQUIRE(get(&a, &wc, WAIT_MS));
	CHECK_EQ(wc.status, wc.cookie == 1 ? 0 : PNIC_ST_REMOTE_KEY);
	REQUIRE_EQ(pnic_rails_send(a.peer, "after", 5, NULL, 0, NULL, 4, 4, 0), 0);
	want(&a, PNIC_RAILS_SEND, 4);
	REQUIRE(get(&b, &wc, WAIT_MS));
	CHECK_EQ(wc.op, PNIC_RAILS_RECV_IMM);
	CHECK_EQ(wc.imm, 1);
	want_message(&b, 4, "after", 5);
	return first;
}

/* One fails while a long one before it is still under way: the far end hears of it when that is over. */
KTAP_TEST(failed_behind_a_long_one)
{
	unsigned int i, before = 0;

	both_open(RAILS, NULL);
	exercise(950);
	/* The short one goes by either, as it comes. */
	for (i = 0; i < RAILS; i++)
		before += long_and_bad(i) == 2;
	CHECK_GT(before, 0);
	exercise(951);
}

static int make_all(void)
{
	return both_make(RAILS, NULL);
}

/* Each allocation of opening, registering, making and adding fails once: that is told, and nothing of it is left. */
KTAP_TEST(no_memory_to_begin)
{
	if (!&nomem_at)
		SKIP("the library's allocations can't be made to fail here");
	both_open(RAILS, NULL);
	/* Of each end: the rails, their cards, a region, a set with its parts; and peers with their endpoints. */
	CHECK_GE(nomem_each(make_all, 200), 2 * (1 + RAILS + 1 + 6) + 2 * (1 + RAILS));
	exercise(1600);
}

/* Memory that is short while messages go: what came early waits until there is some, and none is lost. */
KTAP_TEST(no_memory_on_the_way)
{
	if (!&nomem_every)
		SKIP("the library's allocations can't be made to fail here");
	both_open(RAILS, NULL);
	nomem_failed = 0;
	nomem_every = 2;
	messages(4000 / ktap_slow());
	nomem_every = 0;
	CHECK_GT(nomem_failed, 20);
	exercise(1700);
	nomem_failed = 0;
	nomem_every = 2;
	through("a card lost, and every other allocation", fatal_0, 40);
	through("a far card lost, and every other allocation", fatal_2, 40);
	nomem_every = 0;
	CHECK_GT(nomem_failed, 2);
	until_state(&a, 0, PNIC_RAIL_UP);
	until_state(&b, 0, PNIC_RAIL_UP);
	exercise(1701);
}

/* The peer reads the whole region. */
static void read_of(const struct pnic_rails_key *key, size_t length, uint64_t seed)
{
	memset(b.mem, 0, length);
	REQUIRE_EQ(pnic_rails_read(b.peer, b.mem, length, b.mr, key->addr, key, seed, 0), 0);
	want(&b, PNIC_RAILS_READ, seed);
	CHECK_EQ(pattern_check(b.mem, length, seed), length);
}

/*
 * While a rail's card is lost memory can be registered all the same, and the card has it when it is back; without any
 * card no set is made.
 */
KTAP_TEST(lost_for_a_while)
{
	const size_t big = 4u << 20;
	struct pnic_rails_ep *ep = NULL;
	struct pnic_rails_mr *mr;
	struct pnic_rails_key key;
	uint64_t end;
	uint8_t *mem;
	unsigned int i;
	int err = 0;

	if (!&nomem_every)
		SKIP("the library's allocations can't be made to fail here");
	both_open(RAILS, NULL);
	exercise(2100);
	/* Nothing can be opened without memory, and what was open goes when the set has left it. */
	nomem_every = 1;
	fatal(0);
	until_state(&a, 0, PNIC_RAIL_LOST);
	for (i = 0; i < 1000; i++)
		turn();
	nomem_every = 0;
	mem = mmap(NULL, big, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(mem != MAP_FAILED);
	pattern_fill(mem, big, 2101);
	REQUIRE_EQ(pnic_rails_mr_reg(a.rails, mem, big, ALL_RIGHTS, &mr), 0);
	REQUIRE_EQ(pnic_rails_mr_key(mr, &key), 0);
	until_state(&a, 0, PNIC_RAIL_UP);
	exercise(2102);
	read_of(&key, big, 2101);
	/* By the card that was lost alone. */
	cut(1, true);
	until_state(&a, 1, PNIC_RAIL_LINK_DOWN);
	read_of(&key, big, 2101);
	cut(1, false);
	until_state(&a, 1, PNIC_RAIL_UP);
	CHECK_EQ(pnic_rails_mr_dereg(mr), 0);
	munmap(mem, big);

	both_open(1, NULL);
	exercise(2103);
	end = now_ns() + WAIT_MS * 1000000ull;
	/* Each time it can't be opened it is left alone for longer: in the end for longer than a set takes to make. */
	for (i = 6; err != -ENODEV && now_ns() < end; i++) {
		nomem_every = 1;
		nomem_failed = 0;
		fatal(0);
		until_state(&a, 0, PNIC_RAIL_LOST);
		while (nomem_failed < i && now_ns() < end)
			turn();
		nomem_every = 0;
		err = pnic_rails_ep_create(a.rails, NULL, &ep);
		if (!err)
			CHECK_EQ(pnic_rails_ep_destroy(ep), 0);
	}
	CHECK_EQ(err, -ENODEV);
	CHECK(strstr(pnic_last_error(), "all 1 rails are lost"));
	until_state(&a, 0, PNIC_RAIL_UP);
	exercise(2104);
}

/* A set goes in the middle of everything, its own messages too: nobody waits, and nothing of it is left. */
KTAP_TEST(destroyed_in_the_middle)
{
	unsigned int i;

	both_open(RAILS, NULL);
	for (i = 0; i < 20; i++)
		REQUIRE_EQ(pnic_rails_write_imm(a.peer, a.mem, 300000, a.mr, b.key.addr, &b.key, i, i, 0), 0);
	CHECK_EQ(pnic_rails_ep_destroy(a.ep), 0);
	a.ep = NULL;
	CHECK_EQ(pnic_rails_close(a.rails), 0);
	a.rails = NULL;
	both_open(RAILS, NULL);
	exercise(2200);
}

/* What goes over the wire (libpnic/src/rails/rails.h), for a peer that makes it by hand. */
#define WIRE(kind, parts, part, seq)	((uint64_t)(kind) << 60 | (uint64_t)((parts) - 1) << 56 | (uint64_t)(part) << 52 | \
					 (uint64_t)(seq) << 32)
#define WIRE_MESSAGE	0
#define WIRE_HELLO	1
#define WIRE_ASK_KEY	2
#define WIRE_NEW_KEY	3

struct wire_hello {
	struct pnic_rails_addr addr;
	uint32_t version, answer;
	uint64_t knows;
};

struct wire_rekey {
	uint64_t old_key, new_key;
	uint32_t rail;
	uint16_t old_gen, new_gen;
};

static struct end liar, another;

static void says(struct end *who, uint64_t imm, const void *bytes, uint32_t length)
{
	memcpy(who->mem, bytes, length);
	REQUIRE_EQ(pnic_post_send_imm(who->ep, a.addr.rail[0], who->mem, length, who->mr->key, imm, 1, PNIC_SQF_SIGNALED), 0);
	pnic_ring(who->ep);
	REQUIRE_EQ(end_status(who, (int)WAIT_MS), PNIC_ST_OK);
}

static void lie(uint64_t imm, const void *bytes, uint32_t length)
{
	says(&liar, imm, bytes, length);
}

static void lie_by_write(uint64_t imm, uint32_t length)
{
	REQUIRE_EQ(pnic_post_write_imm(liar.ep, a.addr.rail[0], liar.mem, length, liar.mr->key, (uintptr_t)a.mem,
				       a.key.key[0], imm, 1, PNIC_SQF_SIGNALED), 0);
	pnic_ring(liar.ep);
	REQUIRE_EQ(end_status(&liar, (int)WAIT_MS), PNIC_ST_OK);
}

/* What the last of them said. */
static uint32_t lied;

/* Takes what came, and waits until that are @least: how many messages, of which each has all the bytes that it says. */
static unsigned int take_lies(unsigned int least)
{
	uint64_t end = now_ns() + WAIT_MS * 1000000ull;
	unsigned int n = 0, i, turns;
	struct pnic_rails_wc wc[8];
	int got;

	for (turns = 0; turns < 100 || (n < least && now_ns() < end); turns++) {
		got = pnic_rails_poll(a.ep, wc, 8);
		for (i = 0; got > 0 && i < (unsigned int)got; i++) {
			n++;
			lied = wc[i].imm;
			if (!wc[i].data)
				continue;
			CHECK_LE(wc[i].length, 10);
			CHECK_EQ(byte_check(wc[i].data, wc[i].length, 'x'), wc[i].length);
			pnic_rails_release(a.ep, &wc[i]);
		}
	}
	return n;
}

/* The first answer about a key that the liar gets: which key it is about. */
static uint64_t take_answer(void)
{
	const struct wire_rekey *answer;
	uint64_t end = now_ns() + WAIT_MS * 1000000ull;
	struct pnic_wc wc;

	while (now_ns() < end) {
		take_lies(0);
		if (end_wait(&liar, &wc, 0))
			continue;
		REQUIRE_EQ(wc.status, PNIC_ST_OK);
		/* Who answers for the first time says hello before. */
		if (wc.data >> 60 != WIRE_NEW_KEY)
			continue;
		CHECK_EQ(wc.length, sizeof(*answer));
		answer = (const void *)(liar.mem + wc.cookie);
		return answer->old_key;
	}
	return 0;
}

/* A peer whose parts don't fit together: no message is longer than its bytes, and nothing stays allocated. */
KTAP_TEST(parts_that_lie)
{
	const struct end_attr attr = { .size = 65536 };
	struct wire_hello hello = { .addr = { .id = 4711, .count = 1, .max_send = 4096 }, .version = 2 };
	unsigned int i;
	char name[96];

	if (!dev_embedded())
		SKIP("embedded cards show it, under the address sanitizer");
	both_open(1, NULL);
	REQUIRE_EQ(end_open_name(&liar, card(2, name, sizeof(name)), &attr), 0);
	REQUIRE_EQ(end_open_name(&another, card(2, name, sizeof(name)), &attr), 0);
	hello.addr.rail[0] = liar.addr;
	SUBTEST("from nobody who said who he is") {
		lie(WIRE(WIRE_MESSAGE, 1, 0, 0), "xxxxxxxxxx", 10);
		CHECK_EQ(take_lies(0), 0);
	}
	SUBTEST("hellos that mean nothing") {
		struct wire_hello bad[] = { hello, hello, hello, hello, hello, hello };

		bad[0].version++;
		bad[1].addr.id = 0;
		bad[2].addr.count = 0;
		bad[3].addr.count = PNIC_RAILS_MAX + 1;
		bad[4].addr.max_send = 1;
		bad[5].addr.id++;			/* in the name of somebody else */
		bad[5].addr.rail[0] = another.addr;
		for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
			lie(WIRE(WIRE_HELLO, 1, 0, 0), &bad[i], sizeof(bad[i]));
		lie(WIRE(WIRE_HELLO, 1, 0, 0), &hello, sizeof(hello) - 1);
		lie(WIRE(WIRE_MESSAGE, 1, 0, 0), "xxxxxxxxxx", 10);
		says(&another, WIRE(WIRE_MESSAGE, 1, 0, 0), "xxxxxxxxxx", 10);
		CHECK_EQ(take_lies(0), 0);
	}
	lie(WIRE(WIRE_HELLO, 1, 0, 0), &hello, sizeof(hello));
	take_lies(0);
	SUBTEST("without a number") {
		memset(liar.mem, 'x', 10);
		REQUIRE_EQ(pnic_post_send(liar.ep, a.addr.rail[0], liar.mem, 10, liar.mr->key, 1, PNIC_SQF_SIGNALED), 0);
		pnic_ring(liar.ep);
		REQUIRE_EQ(end_status(&liar, (int)WAIT_MS), PNIC_ST_OK);
		CHECK_EQ(take_lies(0), 0);
	}
	SUBTEST("questions and answers about keys of the wrong length") {
		struct wire_rekey ask = { .old_key = 4711 };

		for (i = 4096; i < 5 * 4096; i += 4096)
			REQUIRE_EQ(pnic_post_recv(liar.ep, liar.mem + i, 4096, liar.mr->key, i), 0);
		pnic_ring_recv(liar.ep);
		lie(WIRE(WIRE_ASK_KEY, 1, 0, 0), &ask, sizeof(ask) - 1);
		lie(WIRE(WIRE_NEW_KEY, 1, 0, 0), &ask, sizeof(ask) - 1);
		/* One of the right length has an answer, and it is the first that there is. */
		ask.old_key = 815;
		lie(WIRE(WIRE_ASK_KEY, 1, 0, 0), &ask, sizeof(ask));
		CHECK_EQ(take_answer(), 815);
	}
	SUBTEST("bytes in one part, the rest said by another") {
		lie(WIRE(WIRE_MESSAGE, 2, 0, 0), "xxxxxxxxxx", 10);
		lie_by_write(WIRE(WIRE_MESSAGE, 2, 1, 0), 60000);
		CHECK_EQ(take_lies(0), 0);
	}
	SUBTEST("bytes in both parts") {
		lie(WIRE(WIRE_MESSAGE, 2, 0, 1), "xxxxxxxxxx", 10);
		lie(WIRE(WIRE_MESSAGE, 2, 1, 1), "xxxxxxxxxx", 10);
		CHECK_EQ(take_lies(0), 0);
	}
	SUBTEST("one part, once more, then two") {
		lie(WIRE(WIRE_MESSAGE, 1, 0, 2), "xxxxxxxxxx", 10);
		lie(WIRE(WIRE_MESSAGE, 1, 0, 2), "xxxxxxxxxx", 10);
		lie_by_write(WIRE(WIRE_MESSAGE, 2, 1, 2), 60000);
		CHECK_EQ(take_lies(0), 0);
	}
	SUBTEST("a part that there is not") {
		lie_by_write(WIRE(WIRE_MESSAGE, 2, 5, 3), 100);
		/* Those that there are make a message all the same. */
		lie_by_write(WIRE(WIRE_MESSAGE, 2, 0, 3), 100);
		lie_by_write(WIRE(WIRE_MESSAGE, 2, 1, 3), 100);
		CHECK_EQ(take_lies(0), 0);
	}
	SUBTEST("as it should be") {
		lie(WIRE(WIRE_MESSAGE, 1, 0, 0), "xxxxxxxxxx", 10);
		lie(WIRE(WIRE_MESSAGE, 1, 0, 1), "xxxxxxxxxx", 10);
		/* And the early ones behind them. */
		CHECK_EQ(take_lies(4), 4);
	}
	SUBTEST("what came already, and nobody's place is taken by it") {
		lie(WIRE(WIRE_MESSAGE, 1, 0, 1), "xxxxxxxxxx", 10);
		CHECK_EQ(take_lies(0), 0);
		/* Early, then the one before it, then once more: all seen at once. */
		lie(WIRE(WIRE_MESSAGE, 1, 0, 5) | 4711, "xxxxxxxxxx", 10);
		lie(WIRE(WIRE_MESSAGE, 1, 0, 4), "xxxxxxxxxx", 10);
		lie(WIRE(WIRE_MESSAGE, 1, 0, 5) | 4711, "xxxxxxxxxx", 10);
		CHECK_EQ(take_lies(2), 2);
		/* Past the places in the window that they would have had. */
		for (i = 6; i < 4096; i++) {
			lie(WIRE(WIRE_MESSAGE, 1, 0, i) | i, "xxxxxxxxxx", 10);
			REQUIRE_EQ(take_lies(1), 1);
			REQUIRE_EQ(lied, i);
		}
	}
	end_close(&liar);
	end_close(&another);
	side_close(&a);
	side_close(&b);
}

KTAP_MAIN()
