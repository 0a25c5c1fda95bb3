// SPDX-License-Identifier: GPL-2.0
/* Two ends on the library's rails, see railtest.h. */
#include "railtest.h"

#include <sys/mman.h>

#include <pnic_embedded.h>

#include "device.h"
#include "modelctl.h"
#include "traffic.h"

struct side a, b;

/* ------------------------------------------------------------------------- */
/* Two ends in one thread                                                    */

/* Ends and messages of one side, one at a time; what the other side gets meanwhile is kept. */
#define KEEP	4096
static struct pnic_rails_wc kept[2][KEEP];
static unsigned int kept_head[2], kept_tail[2];

void forget(void)
{
	kept_head[0] = kept_tail[0] = kept_head[1] = kept_tail[1] = 0;
}

const char *card(unsigned int nic, char *name, size_t size)
{
	char one[64], *at;

	dev_name(nic, one, sizeof(one));
	if (!dev_embedded())
		snprintf(name, size, "%s", one);
	else if ((at = strstr(one, "nic=")))
		snprintf(name, size, "%.*sworld=rails,nics=%u,%s", (int)(at - one), one, NICS, at);
	return name;
}

void side_close(struct side *s)
{
	CHECK_EQ(pnic_rails_ep_destroy(s->ep), 0);
	CHECK_EQ(pnic_rails_close(s->rails), 0);
	if (s->mem)
		munmap(s->mem, MEM);
	memset(s, 0, sizeof(*s));
}

/* 0 or the first error, with whatever there is by then in @s. */
static int side_make(struct side *s, unsigned int first, unsigned int count, const struct pnic_rails_ep_attr *attr)
{
	char text[PNIC_RAILS_MAX][96];
	const char *names[PNIC_RAILS_MAX];
	struct pnic_rails_attr ra = { .size = sizeof(ra), .names = names, .count = count };
	unsigned int i;
	int err;

	for (i = 0; i < count; i++)
		names[i] = card(first + i, text[i], sizeof(text[i]));
	s->mem = mmap(NULL, MEM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(s->mem != MAP_FAILED);
	err = pnic_rails_open(&ra, &s->rails);
	if (!err)
		err = pnic_rails_mr_reg(s->rails, s->mem, MEM, ALL_RIGHTS, &s->mr);
	if (!err)
		err = pnic_rails_mr_key(s->mr, &s->key);
	if (!err)
		err = pnic_rails_ep_create(s->rails, attr, &s->ep);
	if (!err)
		err = pnic_rails_ep_addr(s->ep, &s->addr);
	return err;
}

void side_open(struct side *s, unsigned int first, unsigned int count, const struct pnic_rails_ep_attr *attr)
{
	REQUIRE_EQ(side_make(s, first, count, attr), 0);
}

int both_make(unsigned int count, const struct pnic_rails_ep_attr *attr)
{
	int err;

	forget();
	side_close(&a);
	side_close(&b);
	err = side_make(&a, 0, count, attr);
	if (!err)
		err = side_make(&b, 2, count, attr);
	if (!err)
		err = pnic_rails_peer_add(a.ep, &b.addr, &a, &a.peer);
	if (!err)
		err = pnic_rails_peer_add(b.ep, &a.addr, &b, &b.peer);
	return err;
}

void both_open(unsigned int count, const struct pnic_rails_ep_attr *attr)
{
	need_cards(NICS);
	REQUIRE_EQ(both_make(count, attr), 0);
}

void turn(void)
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

bool get(struct side *s, struct pnic_rails_wc *wc, unsigned int ms)
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
bool either(struct pnic_rails_wc *wc)
{
	uint64_t end = now_ns() + WAIT_MS * 1000000ull;

	while (!get(&a, wc, 0) && !get(&b, wc, 0))
		if (now_ns() > end)
			return false;
	return true;
}

void want(struct side *s, unsigned int op, uint64_t cookie)
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

void want_message(struct side *s, uint32_t imm, const void *data, uint32_t length)
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

void want_message_imm(uint32_t imm)
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

struct pnic_ctx *ctx_of(unsigned int nic)
{
	return pnic_rails_ctx(nic < 2 ? a.rails : b.rails, nic % 2);
}

void cut(unsigned int nic, bool on)
{
	if (dev_embedded())
		REQUIRE_EQ(pnic_embedded_fault(ctx_of(nic), PNIC_EMBEDDED_CUT, on, 0), 0);
	else
		REQUIRE_OK(modelctl("{\"cmd\":\"cut\",\"nic\":%u,\"on\":%s}", nic, on ? "true" : "false"));
}

void fatal(unsigned int nic)
{
	if (dev_embedded())
		REQUIRE_EQ(pnic_embedded_fault(ctx_of(nic), PNIC_EMBEDDED_FATAL, 0, 0), 0);
	else
		REQUIRE_OK(modelctl("{\"cmd\":\"fatal\",\"nic\":%u,\"code\":4,\"info\":0}", nic));
}

void kill_lanes(unsigned int nic, unsigned int count)
{
	unsigned int lane;

	for (lane = 0; lane < count; lane++) {
		if (dev_embedded())
			REQUIRE_EQ(pnic_embedded_fault(ctx_of(nic), PNIC_EMBEDDED_KILL, lane, 0), 0);
		else
			REQUIRE_OK(modelctl("{\"cmd\":\"kill\",\"nic\":%u,\"lane\":%u}", nic, lane));
	}
}

void mend_all(unsigned int nic)
{
	if (dev_embedded())
		REQUIRE_EQ(pnic_embedded_fault(ctx_of(nic), PNIC_EMBEDDED_HEAL_ALL, 0, 0), 0);
	else
		REQUIRE_OK(modelctl("{\"cmd\":\"heal\",\"nic\":%u,\"lane\":\"all\"}", nic));
}

struct pnic_rail_stat stat_of(struct side *s, unsigned int rail)
{
	struct pnic_rail_stat st = { .size = sizeof(st) };

	REQUIRE_EQ(pnic_rails_stat(s->rails, rail, &st), 0);
	return st;
}

void until_state(struct side *s, unsigned int rail, unsigned int state)
{
	uint64_t end = now_ns() + WAIT_MS * 1000000ull;

	while (stat_of(s, rail).state != state) {
		REQUIRE(now_ns() < end);
		turn();
	}
}

bool saw_event(struct side *s, unsigned int rail, uint32_t type)
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
/* Traffic                                                                   */

void exercise(uint64_t seed)
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

void messages(uint64_t count)
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

void through(const char *what, void (*fault)(void), unsigned int rounds)
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
