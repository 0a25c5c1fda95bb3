// SPDX-License-Identifier: GPL-2.0
/*
 * Several NICs as one: transfers are split by rate, go on over what is left when a cable or a card dies, and
 * end exactly once. Cards 0 and 1 are the rails of one end, 2 and 3 those of the other.
 */
#include <sys/mman.h>
#include <sys/resource.h>

#include <pnic_embedded.h>
#include <pnic_rails.h>

#include "device.h"
#include "ktap.h"
#include "modelctl.h"
#include "traffic.h"

#define MEM		(32ul << 20)
#define WAIT_MS		(60000u * ktap_slow())
#define NICS		4
#define RAILS		2

struct side {
	struct pnic_rails *rails;
	struct pnic_rails_ep *ep;
	struct pnic_rails_addr addr;
	struct pnic_rails_mr *mr;
	struct pnic_rails_key key;
	struct pnic_rails_peer *peer;
	uint8_t *mem;
};

static struct side a, b;

/*
 * Where it can be had (selftests/host/nomem.c): the library's allocation that fails, counted from 1, each so-manieth
 * that does, and how many did. 0: none.
 */
extern unsigned int nomem_at __attribute__((weak)), nomem_every __attribute__((weak)), nomem_failed __attribute__((weak));

/* ------------------------------------------------------------------------- */
/* Two ends in one thread                                                    */

/* Ends and messages of one side, one at a time; what the other side gets meanwhile is kept. */
#define KEEP	4096
static struct pnic_rails_wc kept[2][KEEP];
static unsigned int kept_head[2], kept_tail[2];

static void forget(void)
{
	kept_head[0] = kept_tail[0] = kept_head[1] = kept_tail[1] = 0;
}

static const char *card(unsigned int nic, char *name, size_t size)
{
	char one[64], *at;

	dev_name(nic, one, sizeof(one));
	if (!dev_embedded())
		snprintf(name, size, "%s", one);
	else if ((at = strstr(one, "nic=")))
		snprintf(name, size, "%.*sworld=rails,nics=%u,%s", (int)(at - one), one, NICS, at);
	return name;
}

static void side_close(struct side *s)
{
	CHECK_EQ(pnic_rails_ep_destroy(s->ep), 0);
	CHECK_EQ(pnic_rails_close(s->rails), 0);
	if (s->mem)
		munmap(s->mem, MEM);
	memset(s, 0, sizeof(*s));
}

static void side_open(struct side *s, unsigned int first, unsigned int count, const struct pnic_rails_ep_attr *attr)
{
	char text[PNIC_RAILS_MAX][96];
	const char *names[PNIC_RAILS_MAX];
	struct pnic_rails_attr ra = { .size = sizeof(ra), .names = names, .count = count };
	unsigned int i;

	for (i = 0; i < count; i++)
		names[i] = card(first + i, text[i], sizeof(text[i]));
	REQUIRE_EQ(pnic_rails_open(&ra, &s->rails), 0);
	s->mem = mmap(NULL, MEM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(s->mem != MAP_FAILED);
	REQUIRE_EQ(pnic_rails_mr_reg(s->rails, s->mem, MEM, ALL_RIGHTS, &s->mr), 0);
	REQUIRE_EQ(pnic_rails_mr_key(s->mr, &s->key), 0);
	REQUIRE_EQ(pnic_rails_ep_create(s->rails, attr, &s->ep), 0);
	REQUIRE_EQ(pnic_rails_ep_addr(s->ep, &s->addr), 0);
}

static void both_open(unsigned int count, const struct pnic_rails_ep_attr *attr)
{
	if (!dev_present(NICS))
		SKIP("four cards are needed");
	forget();
	side_close(&a);
	side_close(&b);
	side_open(&a, 0, count, attr);
	side_open(&b, 2, count, attr);
	REQUIRE_EQ(pnic_rails_peer_add(a.ep, &b.addr, &a, &a.peer), 0);
	REQUIRE_EQ(pnic_rails_peer_add(b.ep, &a.addr, &b, &b.peer), 0);
}

static void turn(void)
{
	struct side *side[2] = { &a, &b };
	unsigned int i;
	int n;

	for (i = 0; i < 2; i++) {
		if (!side[i]->ep || kept_tail[i] - kept_head[i] == KEEP)
			continue;
		n = pnic_rails_poll(side[i]->ep, &kept[i][kept_tail[i] % KEEP], 1);
		REQUIRE_GE(n, 0);
		kept_tail[i] += (unsigned int)n;
	}
}

static bool get(struct side *s, struct pnic_rails_wc *wc, unsigned int ms)
{
	unsigned int i = s == &b;
	uint64_t end = now_ns() + ms * 1000000ull;

	do {
		if (kept_head[i] != kept_tail[i]) {
			*wc = kept[i][kept_head[i]++ % KEEP];
			return true;
		}
		turn();
	} while (now_ns() < end);
	return false;
}

/* Of whichever side. */
static bool either(struct pnic_rails_wc *wc)
{
	uint64_t end = now_ns() + WAIT_MS * 1000000ull;

	while (!get(&a, wc, 0) && !get(&b, wc, 0))
		if (now_ns() > end)
			return false;
	return true;
}

static void want(struct side *s, unsigned int op, uint64_t cookie)
{
	struct pnic_rails_wc wc;
	char text[200];

	REQUIRE(get(s, &wc, WAIT_MS));
	if (wc.status)
		ktap_say("%s", pnic_rails_wc_str(&wc, text, sizeof(text)));
	REQUIRE_EQ(wc.status, 0);
	REQUIRE_EQ(wc.op, op);
	REQUIRE_EQ(wc.cookie, cookie);
}

static void want_message(struct side *s, uint32_t imm, const void *data, uint32_t length)
{
	struct pnic_rails_wc wc;

	REQUIRE(get(s, &wc, WAIT_MS));
	REQUIRE_EQ(wc.status, 0);
	REQUIRE_EQ(wc.op, data ? PNIC_RAILS_RECV : PNIC_RAILS_RECV_IMM);
	REQUIRE_EQ(wc.imm, imm);
	REQUIRE_EQ(wc.length, length);
	REQUIRE(wc.peer == s->peer);
	if (data)
		CHECK(!memcmp(wc.data, data, length));
	pnic_rails_release(s->ep, &wc);
}

/* The next message of b, whatever else there is for a. */
static void want_message_imm(uint32_t imm)
{
	struct pnic_rails_wc wc;

	REQUIRE(get(&b, &wc, WAIT_MS));
	REQUIRE_EQ(wc.status, 0);
	REQUIRE_EQ(wc.imm, imm);
	pnic_rails_release(b.ep, &wc);
	kept_head[0] = kept_tail[0];
}

/* ------------------------------------------------------------------------- */
/* Faults                                                                    */

static struct pnic_ctx *ctx_of(unsigned int nic)
{
	return pnic_rails_ctx(nic < 2 ? a.rails : b.rails, nic % 2);
}

static void cut(unsigned int nic, bool on)
{
	if (dev_embedded())
		REQUIRE_EQ(pnic_embedded_fault(ctx_of(nic), PNIC_EMBEDDED_CUT, on, 0), 0);
	else
		REQUIRE_OK(modelctl("{\"cmd\":\"cut\",\"nic\":%u,\"on\":%s}", nic, on ? "true" : "false"));
}

static void fatal(unsigned int nic)
{
	if (dev_embedded())
		REQUIRE_EQ(pnic_embedded_fault(ctx_of(nic), PNIC_EMBEDDED_FATAL, 0, 0), 0);
	else
		REQUIRE_OK(modelctl("{\"cmd\":\"fatal\",\"nic\":%u,\"code\":4,\"info\":0}", nic));
}

static void kill_lanes(unsigned int nic, unsigned int count)
{
	unsigned int lane;

	for (lane = 0; lane < count; lane++) {
		if (dev_embedded())
			REQUIRE_EQ(pnic_embedded_fault(ctx_of(nic), PNIC_EMBEDDED_KILL, lane, 0), 0);
		else
			REQUIRE_OK(modelctl("{\"cmd\":\"kill\",\"nic\":%u,\"lane\":%u}", nic, lane));
	}
}

static void mend_all(unsigned int nic)
{
	if (dev_embedded())
		REQUIRE_EQ(pnic_embedded_fault(ctx_of(nic), PNIC_EMBEDDED_HEAL_ALL, 0, 0), 0);
	else
		REQUIRE_OK(modelctl("{\"cmd\":\"heal\",\"nic\":%u,\"lane\":\"all\"}", nic));
}

static struct pnic_rail_stat stat_of(struct side *s, unsigned int rail)
{
	struct pnic_rail_stat st = { .size = sizeof(st) };

	REQUIRE_EQ(pnic_rails_stat(s->rails, rail, &st), 0);
	return st;
}

static void until_state(struct side *s, unsigned int rail, unsigned int state)
{
	uint64_t end = now_ns() + WAIT_MS * 1000000ull;

	while (stat_of(s, rail).state != state) {
		REQUIRE(now_ns() < end);
		turn();
	}
}

static bool saw_event(struct side *s, unsigned int rail, uint32_t type)
{
	uint64_t end = now_ns() + WAIT_MS * 1000000ull;
	struct pnic_rails_event ev;

	while (now_ns() < end) {
		turn();
		while (!pnic_rails_read_event(s->rails, &ev))
			if (ev.rail == rail && ev.type == type)
				return true;
	}
	return false;
}

/* ------------------------------------------------------------------------- */

/* Everything once, both ways. */
static void exercise(uint64_t seed)
{
	const size_t big = 5u << 20, odd = 13;
	uint64_t word;
	char text[3000];

	REQUIRE_EQ(pnic_rails_send(a.peer, "head", 4, "body", 4, NULL, 7, 1, 0), 0);
	want(&a, PNIC_RAILS_SEND, 1);
	want_message(&b, 7, "headbody", 8);

	memset(text, 'x', sizeof(text));
	REQUIRE_EQ(pnic_rails_send(b.peer, NULL, 0, text, sizeof(text), NULL, 8, 2, 0), 0);
	want(&b, PNIC_RAILS_SEND, 2);
	want_message(&a, 8, text, sizeof(text));

	pattern_fill(a.mem, big, seed);
	REQUIRE_EQ(pnic_rails_write_imm(a.peer, a.mem, big, a.mr, b.key.addr + odd, &b.key, 9, 3, 0), 0);
	want(&a, PNIC_RAILS_WRITE_IMM, 3);
	want_message(&b, 9, NULL, big);
	CHECK_EQ(pattern_check(b.mem + odd, big, seed), big);

	memset(b.mem, 0, MEM);
	REQUIRE_EQ(pnic_rails_read(b.peer, b.mem + 1, big, b.mr, a.key.addr, &a.key, 4, 0), 0);
	want(&b, PNIC_RAILS_READ, 4);
	CHECK_EQ(pattern_check(b.mem + 1, big, seed), big);
	CHECK_EQ(b.mem[0], 0);
	CHECK_EQ(b.mem[big + 1], 0);

	word = 40;
	memcpy(b.mem + MEM - 8, &word, 8);
	REQUIRE_EQ(pnic_rails_fetch_add(a.peer, 8, b.key.addr + MEM - 8, &b.key, 2, 5, 0), 0);
	want(&a, PNIC_RAILS_FETCH_ADD, 5);
	memcpy(&word, b.mem + MEM - 8, 8);
	CHECK_EQ(word, 42);
	REQUIRE_EQ(pnic_rails_comp_swap(a.peer, 8, b.key.addr + MEM - 8, &b.key, 42, 1000, 6, 0), 0);
	want(&a, PNIC_RAILS_COMP_SWAP, 6);

	pattern_fill(a.mem, big, seed + 1);
	struct pnic_rails_sig sig = { b.key.addr + MEM - 8, &b.key, 1, PNIC_SIGNAL_ADD, 0 };

	REQUIRE_EQ(pnic_rails_write_signal(a.peer, a.mem, big, a.mr, b.key.addr, &b.key, &sig, 7, 0), 0);
	want(&a, PNIC_RAILS_WRITE_SIGNAL, 7);
	memcpy(&word, b.mem + MEM - 8, 8);
	CHECK_EQ(word, 1001);
	CHECK_EQ(pattern_check(b.mem, big, seed + 1), big);
	/* Short: by one rail, bytes and signal in one. */
	REQUIRE_EQ(pnic_rails_write_signal(a.peer, "signalled", 9, NULL, b.key.addr, &b.key, &sig, 8, 0), 0);
	want(&a, PNIC_RAILS_WRITE_SIGNAL, 8);
	memcpy(&word, b.mem + MEM - 8, 8);
	CHECK_EQ(word, 1002);
	CHECK(!memcmp(b.mem, "signalled", 9));

	/* Nothing at all. */
	REQUIRE_EQ(pnic_rails_write_imm(a.peer, NULL, 0, NULL, 0, NULL, 11, 9, 0), 0);
	want(&a, PNIC_RAILS_WRITE_IMM, 9);
	want_message(&b, 11, NULL, 0);
	REQUIRE_EQ(pnic_rails_send(a.peer, NULL, 0, NULL, 0, NULL, 12, 10, PNIC_RAILS_QUIET), 0);
	want_message(&b, 12, "", 0);
}

KTAP_TEST(one_rail)
{
	both_open(1, NULL);
	exercise(100);
}

KTAP_TEST(two_rails)
{
	both_open(RAILS, NULL);
	exercise(200);
	CHECK_GT(stat_of(&a, 0).bytes, 4 << 20);
	CHECK_GT(stat_of(&a, 1).bytes, 4 << 20);
}

KTAP_TEST(split_follows_the_rates)
{
	double bytes[2], rate[2], off;
	uint64_t end = now_ns() + WAIT_MS * 1000000ull;
	struct pnic_rail_stat before[2];
	unsigned int i, k;

	both_open(RAILS, NULL);
	exercise(300);
	kill_lanes(0, 160);	/* of those that come in: the far end sends less */
	kill_lanes(2, 160);
	/* They are given up by and by. What the far end takes it says by itself. */
	for (i = 0; a.peer->addr.rate[0] * 5ull > a.peer->addr.rate[1] * 4ull; i++) {
		REQUIRE(now_ns() < end);
		REQUIRE_EQ(pnic_rails_write(a.peer, a.mem, 65536, a.mr, b.key.addr, &b.key, i, 0), 0);
		want(&a, PNIC_RAILS_WRITE, i);
	}
	for (i = 0; i < 2; i++)
		before[i] = stat_of(&a, i);
	for (k = 0; k < 8; k++) {
		pattern_fill(a.mem, MEM / 2, k);
		REQUIRE_EQ(pnic_rails_write_imm(a.peer, a.mem, MEM / 2, a.mr, b.key.addr, &b.key, k, k, 0), 0);
		want(&a, PNIC_RAILS_WRITE_IMM, k);
		want_message(&b, k, NULL, MEM / 2);
		REQUIRE_EQ(pattern_check(b.mem, MEM / 2, k), MEM / 2);
	}
	for (i = 0; i < 2; i++) {
		bytes[i] = (double)(stat_of(&a, i).bytes - before[i].bytes);
		rate[i] = a.peer->addr.rate[i];
	}
	off = bytes[0] / (bytes[0] + bytes[1]) / (rate[0] / (rate[0] + rate[1]));
	ktap_say("rates %.0f and %.0f Mb/s, bytes %.0f and %.0f: share of the first %.3f of its due", rate[0], rate[1],
		 bytes[0], bytes[1], off);
	CHECK(off > 0.97 && off < 1.03);
	mend_all(0);
	mend_all(2);
}

static void messages(uint64_t count)
{
	uint64_t state = 5, got = 0, sent = 0, over = 0;
	struct pnic_rails_wc wc;
	unsigned int length;
	int err;

	while (got < count || over < count) {
		while (sent < count) {
			uint64_t r = random_u64(&state);

			length = r % 3 ? (unsigned int)(r >> 8) % 300 : (unsigned int)(r >> 8) % 300000;
			if (r % 2)
				err = pnic_rails_write_imm(a.peer, a.mem, length, a.mr, b.key.addr, &b.key, (uint32_t)sent,
							   sent, 0);
			else
				err = pnic_rails_send(a.peer, &sent, sizeof(sent), a.mem, length % 4000, a.mr,
						      (uint32_t)sent, sent, 0);
			if (err == -EAGAIN)
				break;
			REQUIRE_EQ(err, 0);
			sent++;
		}
		if (kept_head[0] == kept_tail[0] && kept_head[1] == kept_tail[1])
			turn();
		while (kept_head[0] != kept_tail[0]) {
			REQUIRE(get(&a, &wc, 0));
			REQUIRE_EQ(wc.status, 0);
			over++;
		}
		while (kept_head[1] != kept_tail[1]) {
			REQUIRE(get(&b, &wc, 0));
			REQUIRE_EQ(wc.imm, (uint32_t)got);
			if (wc.op == PNIC_RAILS_RECV)
				REQUIRE(!memcmp(wc.data, &got, sizeof(got)));
			pnic_rails_release(b.ep, &wc);
			got++;
		}
	}
	CHECK(!get(&b, &wc, 50));
}

KTAP_TEST(messages_in_order)
{
	both_open(RAILS, NULL);
	messages((dev_embedded() ? 20000 : 2000) / ktap_slow());
}

/* Writes of known bytes, one after another, while something happens at half time; each is compared. */
static void through(const char *what, void (*fault)(void), unsigned int rounds)
{
	unsigned int sent = 0, over = 0, got = 0, tries = 0;
	const size_t size = 1u << 20, places = 8;
	struct pnic_rails_wc wc;
	char text[200];
	int err;

	while (over < rounds || got < rounds) {
		while (sent < rounds && sent < got + places && sent < over + places) {
			pattern_fill(a.mem + sent % places * size, size, sent);
			err = pnic_rails_write_imm(a.peer, a.mem + sent % places * size, size, a.mr,
						   b.key.addr + sent % places * size, &b.key, sent, sent, 0);
			REQUIRE_EQ(err, 0);
			if (++sent == rounds / 2 && fault)
				fault();
		}
		REQUIRE(either(&wc));
		if (wc.status)
			ktap_say("%s: %s", what, pnic_rails_wc_str(&wc, text, sizeof(text)));
		REQUIRE_EQ(wc.status, 0);
		if (wc.op == PNIC_RAILS_RECV_IMM) {
			REQUIRE_EQ(wc.imm, got);
			REQUIRE_EQ(pattern_check(b.mem + got % places * size, size, got), size);
			got++;
		} else {
			tries += wc.tries;
			over++;
		}
	}
	CHECK(!get(&a, &wc, 20));
	CHECK(!get(&b, &wc, 20));
	ktap_say("%s: %u of 1 MiB, none wrong, none twice, %u begun anew", what, rounds, tries);
}

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

/* A message that fails leaves no hole: those after it arrive. */
KTAP_TEST(failed_message)
{
	struct pnic_rails_wc wc;
	struct pnic_rails_key bad;
	int i;

	both_open(RAILS, NULL);
	exercise(900);
	bad = b.key;
	for (i = 0; i < RAILS; i++)
		bad.key[i] ^= 0x5555;
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

KTAP_TEST(fence)
{
	unsigned int i;
	uint64_t flag;

	both_open(RAILS, NULL);
	exercise(1000);
	for (i = 0; i < 50; i++) {
		flag = i + 1;
		pattern_fill(a.mem, 3u << 20, i);
		REQUIRE_EQ(pnic_rails_write(a.peer, a.mem, 3u << 20, a.mr, b.key.addr, &b.key, 0, PNIC_RAILS_QUIET), 0);
		REQUIRE_EQ(pnic_rails_write(a.peer, &flag, 8, NULL, b.key.addr + MEM - 64, &b.key, 1, PNIC_RAILS_FENCE),
			   0);
		while (__atomic_load_n((uint64_t *)(void *)(b.mem + MEM - 64), __ATOMIC_ACQUIRE) != flag)
			turn();
		REQUIRE_EQ(pattern_check(b.mem, 3u << 20, i), 3u << 20);
		want(&a, PNIC_RAILS_WRITE, 1);
	}
}

/* A peer that only one endpoint of is known, and that knows nothing: a first message is enough. */
KTAP_TEST(first_contact)
{
	struct pnic_rails_addr some = { 0 };
	struct pnic_rails_wc wc;

	if (!dev_present(NICS))
		SKIP("four cards are needed");
	forget();
	side_close(&a);
	side_close(&b);
	side_open(&a, 0, RAILS, NULL);
	side_open(&b, 2, RAILS, NULL);
	some.count = 2;
	some.rail[0].ep = PNIC_EP_NONE;
	some.rail[1] = b.addr.rail[1];
	REQUIRE_EQ(pnic_rails_peer_add(a.ep, &some, NULL, &a.peer), 0);
	REQUIRE_EQ(pnic_rails_send(a.peer, "hello", 5, NULL, 0, NULL, 1, 1, 0), 0);
	want(&a, PNIC_RAILS_SEND, 1);
	REQUIRE(get(&b, &wc, WAIT_MS));
	CHECK_EQ(wc.length, 5);
	b.peer = wc.peer;
	pnic_rails_release(b.ep, &wc);
	CHECK_EQ(b.peer->addr.id, a.addr.id);
	REQUIRE_EQ(pnic_rails_send(b.peer, "and you", 7, NULL, 0, NULL, 2, 2, 0), 0);
	want_message(&a, 2, "and you", 7);
	want(&b, PNIC_RAILS_SEND, 2);
	CHECK_EQ(a.peer->addr.id, b.addr.id);
	exercise(1100);
}

KTAP_TEST(sleeping)
{
	struct pnic_rails_wc wc;
	unsigned int i;

	both_open(RAILS, NULL);
	exercise(1200);
	for (i = 0; i < 50; i++) {
		REQUIRE_EQ(pnic_rails_send(a.peer, "tick", 4, NULL, 0, NULL, i, i, PNIC_RAILS_QUIET), 0);
		while (!pnic_rails_poll(b.ep, &wc, 1))
			REQUIRE_EQ(pnic_rails_wait(b.ep, (int)WAIT_MS), 0);
		CHECK_EQ(wc.imm, i);
		pnic_rails_release(b.ep, &wc);
		while (pnic_rails_poll(a.ep, &wc, 1))
			;
	}
	while (!pnic_rails_wait(b.ep, 20))
		REQUIRE_EQ(pnic_rails_poll(b.ep, &wc, 1), 0);
	CHECK_EQ(pnic_rails_wait(b.ep, 0), -ETIMEDOUT);
}

/* All that there is, in the order of their numbers; the rails are those that can be opened. */
KTAP_TEST(all_cards)
{
	struct pnic_device *list;
	struct pnic_rails *rails = NULL;
	unsigned int count, i, good = 0;
	uint32_t rate = 0;
	char name[64];
	int err;

	REQUIRE_EQ(pnic_list(&list, &count), 0);
	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "pnic%u", i);
		if (!dev_embedded())
			CHECK_STREQ(list[i].name, name);
		CHECK(i == 0 || strtol(list[i - 1].name + 4, NULL, 10) < strtol(list[i].name + 4, NULL, 10));
		if (list[i].error)
			continue;
		good++;
		CHECK(list[i].pci[0] && list[i].guid && list[i].nic);
		CHECK(i == 0 || list[i].guid != list[0].guid);
	}
	if (!dev_embedded())
		CHECK_EQ(good, NICS);
	err = pnic_rails_open(NULL, &rails);
	pnic_list_free(list);
	if (!good) {
		CHECK_EQ(err, count ? -EACCES : -ENODEV);
		return;
	}
	REQUIRE_EQ(err, 0);
	CHECK_EQ(pnic_rails_count(rails), good);
	for (i = 0; i < good; i++) {
		REQUIRE(pnic_rails_ctx(rails, i));
		rate += pnic_rate_mbps(pnic_rails_ctx(rails, i));
	}
	CHECK_EQ(pnic_rails_rate_mbps(rails), rate);
	CHECK_GT(rate, 0);
	CHECK(!pnic_rails_ctx(rails, good));
	CHECK_EQ(pnic_rails_close(rails), 0);
}

/* The sum of the links' rates is that of the links that are up; one card alone has its own. */
KTAP_TEST(rate_of_all)
{
	uint32_t both, one;

	both_open(RAILS, NULL);
	CHECK_EQ(pnic_rails_count(a.rails), RAILS);
	one = pnic_rate_mbps(pnic_rails_ctx(a.rails, 0));
	both = pnic_rails_rate_mbps(a.rails);
	CHECK_GT(one, 0);
	CHECK_EQ(both, one + pnic_rate_mbps(pnic_rails_ctx(a.rails, 1)));
	CHECK_EQ(pnic_rails_count(NULL), 0);
	CHECK_EQ(pnic_rails_rate_mbps(NULL), 0);
	CHECK(!pnic_rails_ctx(NULL, 0));
}

/* Memory that is no dma-buf, or of a card that takes none: nothing of the region is left, and the rails go on. */
KTAP_TEST(no_dma_buf)
{
	struct pnic_rails_mr *mr = NULL;
	int fd, err;

	both_open(RAILS, NULL);
	CHECK_EQ(pnic_rails_mr_reg_dmabuf(NULL, 0, 0, 4096, NULL, ALL_RIGHTS, &mr), -EINVAL);
	CHECK_EQ(pnic_rails_mr_reg_dmabuf(a.rails, -1, 0, 4096, NULL, ALL_RIGHTS, &mr), -EBADF);
	fd = memfd_create("no dma-buf", MFD_CLOEXEC);
	REQUIRE(fd >= 0);
	REQUIRE_EQ(ftruncate(fd, 4096), 0);
	err = pnic_rails_mr_reg_dmabuf(a.rails, fd, 0, 4096, NULL, ALL_RIGHTS, &mr);
	CHECK(err == -EOPNOTSUPP || err == -EINVAL);
	CHECK(!mr);
	close(fd);
	CHECK_EQ(pnic_rails_mr_reg(NULL, a.mem, 4096, ALL_RIGHTS, &mr), -EINVAL);
	CHECK_EQ(pnic_rails_mr_key(NULL, &a.key), -EINVAL);
	exercise(1400);
}

/* Out of file descriptors: an endpoint set says so, and one can be made once there are some. */
KTAP_TEST(no_descriptors)
{
	struct pnic_rails_ep_attr odd = { .size = sizeof(odd) - 1 };
	struct pnic_rails_ep *ep = NULL;
	struct rlimit was;

	both_open(RAILS, NULL);
	REQUIRE_EQ(no_descriptors_left(&was), 0);
	CHECK_EQ(pnic_rails_ep_create(a.rails, NULL, &ep), -EMFILE);
	REQUIRE_EQ(setrlimit(RLIMIT_NOFILE, &was), 0);
	CHECK(!ep);
	CHECK_EQ(pnic_rails_ep_create(a.rails, &odd, &ep), -EINVAL);
	CHECK_EQ(pnic_rails_ep_addr(NULL, NULL), -EINVAL);
	REQUIRE_EQ(pnic_rails_ep_create(a.rails, NULL, &ep), 0);
	CHECK_EQ(pnic_rails_ep_destroy(ep), 0);
	exercise(1500);
}

/* Whichever way the library takes for a message's header and bytes, and for those of a write: by copy or where they lie. */
KTAP_TEST(every_way_of_bytes)
{
	static const uint32_t hdrs[] = { 0, 8, 200, 300 }, lengths[] = { 0, 1, 100, 136, 137, 273, 3000 };
	uint8_t hdr[300], whole[4096];
	unsigned int h, l, in_region;
	uint32_t n = 0;

	both_open(RAILS, NULL);
	exercise(1800);
	pattern_fill(hdr, sizeof(hdr), 1);
	for (h = 0; h < sizeof(hdrs) / sizeof(hdrs[0]); h++)
		for (l = 0; l < sizeof(lengths) / sizeof(lengths[0]); l++)
			for (in_region = 0; in_region < 2; in_region++) {
				uint32_t length = lengths[l];

				pattern_fill(a.mem, length, ++n);
				memcpy(whole, hdr, hdrs[h]);
				memcpy(whole + hdrs[h], a.mem, length);
				REQUIRE_EQ(pnic_rails_send(a.peer, hdr, hdrs[h], a.mem, length, in_region ? a.mr : NULL, n, n, 0),
					   0);
				want(&a, PNIC_RAILS_SEND, n);
				want_message(&b, n, whole, hdrs[h] + length);
			}
	for (l = 0; l < sizeof(lengths) / sizeof(lengths[0]); l++) {
		pattern_fill(whole, lengths[l], ++n);
		memset(b.mem, 0, sizeof(whole));
		REQUIRE_EQ(pnic_rails_write(a.peer, whole, lengths[l], NULL, b.key.addr, &b.key, n, 0), 0);
		want(&a, PNIC_RAILS_WRITE, n);
		CHECK_EQ(pattern_check(b.mem, lengths[l], n), lengths[l]);
		CHECK_EQ(byte_check(b.mem + lengths[l], sizeof(whole) - lengths[l], 0), sizeof(whole) - lengths[l]);
	}
}

/* A peer stays while transfers to it are not told of, or messages of it not released. */
KTAP_TEST(busy_peer)
{
	struct pnic_rails_wc wc;

	both_open(RAILS, NULL);
	exercise(1900);
	REQUIRE_EQ(pnic_rails_send(a.peer, "stay", 4, NULL, 0, NULL, 1, 1, 0), 0);
	CHECK_EQ(pnic_rails_peer_del(a.peer), -EBUSY);
	want(&a, PNIC_RAILS_SEND, 1);
	REQUIRE(get(&b, &wc, WAIT_MS));
	CHECK_EQ(pnic_rails_peer_del(b.peer), -EBUSY);
	CHECK(!memcmp(wc.data, "stay", 4));
	pnic_rails_release(b.ep, &wc);
	CHECK_EQ(pnic_rails_peer_del(a.peer), 0);
	CHECK_EQ(pnic_rails_peer_del(b.peer), 0);
	a.peer = b.peer = NULL;
}

/* Events that nobody reads: the last ones are kept, and how many there were before them is told. */
KTAP_TEST(events_not_read)
{
	const unsigned int cuts = 50, kept_events = 64;
	struct pnic_rails_event ev;
	unsigned int i, n, missed = 0, down = 0;

	if (!dev_embedded())
		SKIP("embedded cards show it, whose cables are mended at once");
	both_open(1, NULL);
	exercise(2000);
	while (!pnic_rails_read_event(a.rails, &ev))
		;
	for (i = 0; i < cuts; i++) {
		cut(0, true);
		until_state(&a, 0, PNIC_RAIL_LINK_DOWN);
		turn();
		pnic_rails_arm(a.ep);
		cut(0, false);
		until_state(&a, 0, PNIC_RAIL_UP);
		turn();
		pnic_rails_arm(a.ep);
	}
	for (n = 0; !pnic_rails_read_event(a.rails, &ev); n++) {
		CHECK(n == 0 || !ev.missed);
		missed += ev.missed;
		down += ev.type == PNIC_RAILS_EVT_DOWN;
	}
	CHECK_EQ(n, kept_events);
	CHECK_GE(missed, 2 * cuts - kept_events);
	CHECK_GT(down, 0);
}

/* Both ends as both_open() has them; 0 or the first error, with whatever there is by then in @a and @b. */
static int make_all(void)
{
	struct side *side[2] = { &a, &b };
	unsigned int i, k;
	int err = 0;

	for (k = 0; !err && k < 2; k++) {
		struct side *s = side[k];
		char text[RAILS][96];
		const char *names[RAILS];
		struct pnic_rails_attr ra = { .size = sizeof(ra), .names = names, .count = RAILS };

		for (i = 0; i < RAILS; i++)
			names[i] = card(2 * k + i, text[i], sizeof(text[i]));
		s->mem = mmap(NULL, MEM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		REQUIRE(s->mem != MAP_FAILED);
		err = pnic_rails_open(&ra, &s->rails);
		if (!err)
			err = pnic_rails_mr_reg(s->rails, s->mem, MEM, ALL_RIGHTS, &s->mr);
		if (!err)
			err = pnic_rails_ep_create(s->rails, NULL, &s->ep);
		if (!err)
			err = pnic_rails_mr_key(s->mr, &s->key);
		if (!err)
			err = pnic_rails_ep_addr(s->ep, &s->addr);
	}
	if (!err)
		err = pnic_rails_peer_add(a.ep, &b.addr, &a, &a.peer);
	if (!err)
		err = pnic_rails_peer_add(b.ep, &a.addr, &b, &b.peer);
	return err;
}

/* Each allocation of opening, registering, making and adding fails once: that is told, and nothing keeps the rest from going. */
KTAP_TEST(no_memory_to_begin)
{
	unsigned int n;
	int err = -1;

	if (!&nomem_at)
		SKIP("the library's allocations can't be made to fail here");
	both_open(RAILS, NULL);
	for (n = 1; err && n < 200; n++) {
		side_close(&a);
		side_close(&b);
		nomem_failed = 0;
		nomem_at = n;
		err = make_all();
		nomem_at = 0;
		CHECK_EQ(nomem_failed, err != 0);
		if (err) {
			CHECK_EQ(err, -ENOMEM);
			CHECK(strstr(pnic_last_error(), "memory"));
		}
	}
	CHECK_EQ(err, 0);
	/* Of each end: the rails, their cards, a region, a set with its parts; and peers with their endpoints. */
	CHECK_GT(n, 2 * (1 + RAILS + 1 + 6) + 2 * (1 + RAILS));
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

/* While a rail's card is lost memory can be registered all the same, and the card has it when it is back; without any card no set is made. */
KTAP_TEST(lost_for_a_while)
{
	const size_t big = 4u << 20;
	struct pnic_rails_ep *ep = NULL;
	struct pnic_rails_mr *mr;
	struct pnic_rails_key key;
	uint64_t end;
	uint8_t *mem;
	int err = 0;

	if (!&nomem_every)
		SKIP("the library's allocations can't be made to fail here");
	both_open(RAILS, NULL);
	exercise(2100);
	/* Nothing can be opened without memory. */
	nomem_every = 1;
	fatal(0);
	until_state(&a, 0, PNIC_RAIL_LOST);
	nomem_every = 0;
	mem = mmap(NULL, big, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(mem != MAP_FAILED);
	pattern_fill(mem, big, 2101);
	REQUIRE_EQ(pnic_rails_mr_reg(a.rails, mem, big, ALL_RIGHTS, &mr), 0);
	REQUIRE_EQ(pnic_rails_mr_key(mr, &key), 0);
	until_state(&a, 0, PNIC_RAIL_UP);
	exercise(2102);
	memset(b.mem, 0, big);
	REQUIRE_EQ(pnic_rails_read(b.peer, b.mem, big, b.mr, key.addr, &key, 1, 0), 0);
	want(&b, PNIC_RAILS_READ, 1);
	CHECK_EQ(pattern_check(b.mem, big, 2101), big);
	CHECK_EQ(pnic_rails_mr_dereg(mr), 0);
	munmap(mem, big);

	both_open(1, NULL);
	exercise(2103);
	end = now_ns() + WAIT_MS * 1000000ull;
	nomem_every = 1;
	fatal(0);
	until_state(&a, 0, PNIC_RAIL_LOST);
	/* Each time it can't be opened it is left alone for longer. */
	while (err != -ENODEV && now_ns() < end) {
		unsigned int i;

		nomem_every = 1;
		for (i = 0; i < 10000; i++)
			turn();
		nomem_every = 0;
		err = pnic_rails_ep_create(a.rails, NULL, &ep);
		if (!err)
			CHECK_EQ(pnic_rails_ep_destroy(ep), 0);
		if (!err) {
			nomem_every = 1;
			fatal(0);
			until_state(&a, 0, PNIC_RAIL_LOST);
		}
	}
	nomem_every = 0;
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

static struct end liar;

static void lie(uint64_t imm, const void *bytes, uint32_t length)
{
	memcpy(liar.mem, bytes, length);
	REQUIRE_EQ(pnic_post_send_imm(liar.ep, a.addr.rail[0], liar.mem, length, liar.mr->key, imm, 1, PNIC_SQF_SIGNALED), 0);
	pnic_ring(liar.ep);
	REQUIRE_EQ(end_status(&liar, (int)WAIT_MS), PNIC_ST_OK);
}

static void lie_by_write(uint64_t imm, uint32_t length)
{
	REQUIRE_EQ(pnic_post_write_imm(liar.ep, a.addr.rail[0], liar.mem, length, liar.mr->key, (uintptr_t)a.mem,
				       a.key.key[0], imm, 1, PNIC_SQF_SIGNALED), 0);
	pnic_ring(liar.ep);
	REQUIRE_EQ(end_status(&liar, (int)WAIT_MS), PNIC_ST_OK);
}

/* Takes what came: how many messages, of which each has all the bytes that it says. */
static unsigned int take_lies(void)
{
	struct pnic_rails_wc wc;
	unsigned int n = 0, i, turns;

	for (turns = 0; turns < 100; turns++) {
		if (pnic_rails_poll(a.ep, &wc, 1) != 1)
			continue;
		n++;
		if (!wc.data)
			continue;
		CHECK_LE(wc.length, 10);
		for (i = 0; i < wc.length; i++)
			CHECK_EQ(((const uint8_t *)wc.data)[i], 'x');
		pnic_rails_release(a.ep, &wc);
	}
	return n;
}

/* A peer whose parts don't fit together: no message is longer than its bytes, and nothing is lost that stays allocated. */
KTAP_TEST(parts_that_lie)
{
	const struct end_attr attr = { .size = 65536 };
	struct wire_hello hello = { .addr = { .id = 4711, .count = 1, .max_send = 4096 }, .version = 1 };
	unsigned int i;
	char name[96];

	if (!dev_embedded())
		SKIP("embedded cards show it, under the address sanitizer");
	both_open(1, NULL);
	REQUIRE_EQ(end_open_name(&liar, card(2, name, sizeof(name)), &attr), 0);
	hello.addr.rail[0] = liar.addr;
	SUBTEST("from nobody who said who he is") {
		lie(WIRE(WIRE_MESSAGE, 1, 0, 0), "xxxxxxxxxx", 10);
		CHECK_EQ(take_lies(), 0);
	}
	SUBTEST("hellos that mean nothing") {
		struct wire_hello bad[] = { hello, hello, hello, hello, hello, hello };

		bad[0].version++;
		bad[1].addr.id = 0;
		bad[2].addr.count = 0;
		bad[3].addr.count = PNIC_RAILS_MAX + 1;
		bad[4].addr.max_send = 1;
		bad[5].addr.rail[0].ep++;		/* in the name of somebody else */
		for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
			lie(WIRE(WIRE_HELLO, 1, 0, 0), &bad[i], sizeof(bad[i]));
		lie(WIRE(WIRE_HELLO, 1, 0, 0), &hello, sizeof(hello) - 1);
		lie(WIRE(WIRE_MESSAGE, 1, 0, 0), "xxxxxxxxxx", 10);
		CHECK_EQ(take_lies(), 0);
	}
	lie(WIRE(WIRE_HELLO, 1, 0, 0), &hello, sizeof(hello));
	take_lies();
	SUBTEST("without a number") {
		memset(liar.mem, 'x', 10);
		REQUIRE_EQ(pnic_post_send(liar.ep, a.addr.rail[0], liar.mem, 10, liar.mr->key, 1, PNIC_SQF_SIGNALED), 0);
		pnic_ring(liar.ep);
		REQUIRE_EQ(end_status(&liar, (int)WAIT_MS), PNIC_ST_OK);
		CHECK_EQ(take_lies(), 0);
	}
	SUBTEST("questions and answers about keys of the wrong length") {
		lie(WIRE(WIRE_ASK_KEY, 1, 0, 0), "x", 1);
		lie(WIRE(WIRE_NEW_KEY, 1, 0, 0), "x", 1);
		CHECK_EQ(take_lies(), 0);
	}
	SUBTEST("bytes in one part, the rest said by another") {
		lie(WIRE(WIRE_MESSAGE, 2, 0, 0), "xxxxxxxxxx", 10);
		lie_by_write(WIRE(WIRE_MESSAGE, 2, 1, 0), 60000);
		CHECK_EQ(take_lies(), 0);
	}
	SUBTEST("bytes in both parts") {
		lie(WIRE(WIRE_MESSAGE, 2, 0, 1), "xxxxxxxxxx", 10);
		lie(WIRE(WIRE_MESSAGE, 2, 1, 1), "xxxxxxxxxx", 10);
		CHECK_EQ(take_lies(), 0);
	}
	SUBTEST("one part, then two") {
		lie(WIRE(WIRE_MESSAGE, 1, 0, 2), "xxxxxxxxxx", 10);
		lie_by_write(WIRE(WIRE_MESSAGE, 2, 1, 2), 60000);
		CHECK_EQ(take_lies(), 0);
	}
	SUBTEST("a part that there is not") {
		lie_by_write(WIRE(WIRE_MESSAGE, 2, 5, 3), 100);
		CHECK_EQ(take_lies(), 0);
	}
	SUBTEST("as it should be") {
		lie(WIRE(WIRE_MESSAGE, 1, 0, 0), "xxxxxxxxxx", 10);
		lie(WIRE(WIRE_MESSAGE, 1, 0, 1), "xxxxxxxxxx", 10);
		/* And the early one behind them. */
		CHECK_EQ(take_lies(), 3);
	}
	SUBTEST("what came already, and nobody's place is taken by it") {
		lie(WIRE(WIRE_MESSAGE, 1, 0, 1), "xxxxxxxxxx", 10);
		CHECK_EQ(take_lies(), 0);
		/* Past the place in the window that it would have had. */
		for (i = 3; i < 4096; i++) {
			lie(WIRE(WIRE_MESSAGE, 1, 0, i), "xxxxxxxxxx", 10);
			REQUIRE_EQ(take_lies(), 1);
		}
	}
	end_close(&liar);
	side_close(&a);
	side_close(&b);
}

KTAP_TEST(bad_input)
{
	const struct pnic_rails_ep_attr big = { .size = sizeof(big), .max_send = 1u << 30 };
	const char *two[2] = { NULL, NULL };
	struct pnic_rails_attr ra = { .size = sizeof(ra), .names = two, .count = 2 };
	struct pnic_rails_addr none = { 0 };
	struct pnic_rails_ep *ep;
	struct pnic_rails_peer *peer;
	struct pnic_rails *rails;
	struct pnic_rails_wc wc;
	char name[96];
	double figure;

	both_open(RAILS, NULL);
	CHECK_EQ(pnic_rails_open(NULL, NULL), -EINVAL);
	ra.size--;
	CHECK_EQ(pnic_rails_open(&ra, &rails), -EINVAL);
	ra.size++;
	ra.flags = 1;
	CHECK_EQ(pnic_rails_open(&ra, &rails), -EINVAL);
	ra.flags = 0;
	CHECK_EQ(pnic_rails_peer_add(NULL, &none, NULL, &peer), -EINVAL);
	none.id = 1;
	none.count = 1;
	none.max_send = 1;
	CHECK_EQ(pnic_rails_peer_add(a.ep, &none, NULL, &peer), -EINVAL);
	memset(&none, 0, sizeof(none));
	/* Whoever is known is found. */
	CHECK_EQ(pnic_rails_peer_add(a.ep, &b.addr, a.peer->user, &peer), 0);
	CHECK(peer == a.peer);
	CHECK_STREQ(pnic_rails_wc_str(NULL, name, sizeof(name)), "no completion");
	if (dev_embedded())
		CHECK_LT(pnic_embedded_figure(pnic_rails_ctx(a.rails, 0), "no such figure", &figure), 0);
	CHECK_EQ(pnic_rails_read_event(NULL, NULL), -EINVAL);
	CHECK_EQ(pnic_rails_arm(NULL), -EINVAL);
	CHECK_EQ(pnic_rails_fd(NULL), -EINVAL);
	CHECK_EQ(pnic_rails_wait(NULL, 0), -EINVAL);
	CHECK_EQ(pnic_rails_open(&ra, &rails), -EINVAL);
	two[0] = two[1] = card(0, name, sizeof(name));
	CHECK_EQ(pnic_rails_open(&ra, &rails), -EINVAL);
	ra.count = 9;
	CHECK_EQ(pnic_rails_open(&ra, &rails), -EINVAL);
	ra.count = 1;
	two[0] = "pnic77";
	CHECK_EQ(pnic_rails_open(&ra, &rails), -ENODEV);
	CHECK_EQ(pnic_rails_ep_create(a.rails, &big, &ep), -EINVAL);
	CHECK_EQ(pnic_rails_ep_create(NULL, NULL, &ep), -EINVAL);
	CHECK_EQ(pnic_rails_peer_add(a.ep, &none, NULL, &peer), -EINVAL);
	CHECK_EQ(pnic_rails_close(a.rails), -EBUSY);
	CHECK_EQ(pnic_rails_send(NULL, NULL, 0, NULL, 0, NULL, 0, 0, 0), -EINVAL);
	CHECK_EQ(pnic_rails_send(a.peer, NULL, 0, a.mem, 5000, NULL, 0, 0, 0), -E2BIG);
	CHECK_EQ(pnic_rails_send(a.peer, NULL, 0, a.mem, 5, b.mr, 0, 0, 0), -EINVAL);
	CHECK_EQ(pnic_rails_send(a.peer, NULL, 0, a.mem + MEM - 4, 5, a.mr, 0, 0, 0), -EINVAL);
	CHECK_EQ(pnic_rails_send(a.peer, NULL, 0, NULL, 0, NULL, 0, 0, 0x80), -EINVAL);
	CHECK_EQ(pnic_rails_write(a.peer, a.mem, 8, a.mr, 0, NULL, 0, 0), -EINVAL);
	CHECK_EQ(pnic_rails_read(a.peer, a.mem, 8, NULL, 0, &b.key, 0, 0), -EINVAL);
	CHECK_EQ(pnic_rails_fetch_add(a.peer, 3, 0, &b.key, 0, 0, 0), -EINVAL);
	CHECK_EQ(pnic_rails_poll(NULL, &wc, 1), -EINVAL);
	CHECK_EQ(pnic_rails_poll(a.ep, NULL, 1), -EINVAL);
	CHECK_EQ(pnic_rails_poll(a.ep, NULL, 0), 0);
	CHECK_EQ(pnic_rails_stat(a.rails, RAILS, &(struct pnic_rail_stat){ .size = 96 }), -EINVAL);
	exercise(1300);
}

int main(int argc, char **argv)
{
	int ret;

	ret = ktap_main(argc, argv);
	forget();
	side_close(&a);
	side_close(&b);
	return ret;
}
