// SPDX-License-Identifier: GPL-2.0
/* Several NICs as one: transfers are split by rate, and messages come once and in order. What is lost: rails_lost.c. */
#include <sys/mman.h>
#include <sys/resource.h>

#include <pnic_embedded.h>

#include "device.h"
#include "railtest.h"
#include "traffic.h"
#include "udmabuf.h"

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

KTAP_TEST(messages_in_order)
{
	both_open(RAILS, NULL);
	messages((dev_embedded() ? 20000 : 2000) / ktap_slow());
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

	need_cards(NICS);
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

/* Up to a page of pattern @n is written, and nothing behind it. */
static void written(const void *buf, struct pnic_rails_mr *mr, uint32_t length, uint32_t n)
{
	memset(b.mem, 0, 4096);
	REQUIRE_EQ(pnic_rails_write(a.peer, buf, length, mr, b.key.addr, &b.key, n, 0), 0);
	want(&a, PNIC_RAILS_WRITE, n);
	CHECK_EQ(pattern_check(b.mem, length, n), length);
	CHECK_EQ(byte_check(b.mem + length, 4096 - length, 0), 4096 - length);
}

/* By copy or where they lie: whichever way the library takes for a message's header and bytes, and for a write's. */
KTAP_TEST(every_way_of_bytes)
{
	static const uint32_t hdrs[] = { 0, 8, 200, 300 }, lengths[] = { 0, 1, 100, 136, 137, 273, 3000 };
	static const uint32_t signalled[] = { 0, 100, 208, 209, 272, 273, 3000 };
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
		written(whole, NULL, lengths[l], n);
	}
	/* With a signal less of it goes inline. */
	for (l = 0; l < sizeof(signalled) / sizeof(signalled[0]); l++) {
		const struct pnic_rails_sig sig = { .addr = b.key.addr + 8192, .key = &b.key, .value = ++n, .op = PNIC_SIGNAL_SET };

		pattern_fill(whole, signalled[l], n);
		REQUIRE_EQ(pnic_rails_write_signal(a.peer, whole, signalled[l], NULL, b.key.addr, &b.key, &sig, n, 0), 0);
		want(&a, PNIC_RAILS_WRITE_SIGNAL, n);
		CHECK_EQ(pattern_check(b.mem, signalled[l], n), signalled[l]);
		CHECK_EQ(*(const uint64_t *)(const void *)(b.mem + 8192), n);
	}
}

/*
 * More pieces under way than there are: what is short or a message goes whole, and as soon as there is one. What waits for
 * that has not failed, however long it takes.
 */
KTAP_TEST(pieces_run_out)
{
	const struct pnic_rails_ep_attr attr = { .size = sizeof(attr), .max_ops = 64, .max_send = 16384, .fail_ms = 10 };
	const unsigned int longs = 40, messages = 20;
	struct pnic_rails_wc wc;
	unsigned int i, sent = 0, wrote = 0, came = 0;
	char text[200];

	need_cards(NICS);
	forget();
	side_close(&a);
	side_close(&b);
	side_open(&a, 0, NICS - 1, &attr);
	side_open(&b, NICS - 1, 1, &attr);
	REQUIRE_EQ(pnic_rails_peer_add(a.ep, &b.addr, &a, &a.peer), 0);
	REQUIRE_EQ(pnic_rails_peer_add(b.ep, &a.addr, &b, &b.peer), 0);
	pattern_fill(a.mem, MEM, 1900);
	for (i = 0; i < longs; i++)
		REQUIRE_EQ(pnic_rails_write(a.peer, a.mem, 8u << 20, a.mr, b.key.addr, &b.key, 0, 0), 0);
	for (i = 0; i < messages; i++)
		REQUIRE_EQ(pnic_rails_send(a.peer, NULL, 0, a.mem, i % 2 ? 9000 : 0, i % 2 ? a.mr : NULL, i, 1, 0), 0);
	while (sent < messages || wrote < longs || came < messages) {
		REQUIRE(either(&wc));
		if (wc.status)
			ktap_say("%s", pnic_rails_wc_str(&wc, text, sizeof(text)));
		REQUIRE_EQ(wc.status, 0);
		sent += wc.op == PNIC_RAILS_SEND;
		wrote += wc.op == PNIC_RAILS_WRITE;
		if (wc.op != PNIC_RAILS_RECV)
			continue;
		CHECK_EQ(wc.imm, came);
		CHECK_EQ(wc.length, came % 2 ? 9000 : 0);
		if (wc.length)
			CHECK_EQ(pattern_check(wc.data, wc.length, 1900), wc.length);
		pnic_rails_release(b.ep, &wc);
		came++;
	}
	CHECK_EQ(pattern_check(b.mem, 8u << 20, 1900), 8u << 20);
}

/* A dma-buf's addresses are names that the cards know: nothing is where they point to, and short bytes aren't copied from there. */
KTAP_TEST(dma_buf_by_name)
{
	static const uint32_t hdrs[] = { 0, 8, 300 }, lengths[] = { 0, 1, 100, 136, 137, 273, 3000 };
	uint8_t *name = (uint8_t *)0x7000000000, hdr[300], whole[4096], *seen;
	struct pnic_rails_mr *mr;
	unsigned int h, l;
	uint32_t n = 0;
	int fd;

	both_open(RAILS, NULL);
	fd = udmabuf_buffer(8192);
	if (fd < 0 || pnic_rails_mr_reg_dmabuf(a.rails, fd, 0, 8192, name, ALL_RIGHTS, &mr))
		SKIP("no udmabuf, or cards that take none");
	seen = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(seen != MAP_FAILED);
	close(fd);
	pattern_fill(hdr, sizeof(hdr), 1);
	for (h = 0; h < sizeof(hdrs) / sizeof(hdrs[0]); h++)
		for (l = 0; l < sizeof(lengths) / sizeof(lengths[0]); l++) {
			pattern_fill(seen + 7, lengths[l], ++n);
			memcpy(whole, hdr, hdrs[h]);
			memcpy(whole + hdrs[h], seen + 7, lengths[l]);
			REQUIRE_EQ(pnic_rails_send(a.peer, hdr, hdrs[h], name + 7, lengths[l], mr, n, n, 0), 0);
			want(&a, PNIC_RAILS_SEND, n);
			want_message(&b, n, whole, hdrs[h] + lengths[l]);
		}
	for (l = 0; l < sizeof(lengths) / sizeof(lengths[0]); l++) {
		pattern_fill(seen, lengths[l], ++n);
		written(name, mr, lengths[l], n);
	}
	CHECK_EQ(pnic_rails_mr_dereg(mr), 0);
	munmap(seen, 8192);
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

/* As soon as nothing is under way: exercise() ends with a message that nobody hears the end of. */
static void forget_peer(struct side *s)
{
	uint64_t end = now_ns() + WAIT_MS * 1000000ull;
	int err;

	while ((err = pnic_rails_peer_del(s->peer)) == -EBUSY && now_ns() < end)
		turn();
	REQUIRE_EQ(err, 0);
}

/* Both ends count messages: who forgets the other and finds it again goes on where it was. */
KTAP_TEST(peer_forgotten)
{
	static const char *const who[] = { "by one end", "by the other", "by both" };
	struct pnic_rails_wc wc;
	unsigned int i;

	both_open(RAILS, NULL);
	exercise(1950);
	for (i = 0; i < 3; i++)
		SUBTEST("%s", who[i]) {
			if (i != 1) {
				forget_peer(&a);
				REQUIRE_EQ(pnic_rails_peer_add(a.ep, &b.addr, &a, &a.peer), 0);
				CHECK(a.peer->user == &a);
			}
			if (i != 0) {
				forget_peer(&b);
				REQUIRE_EQ(pnic_rails_peer_add(b.ep, &a.addr, &b, &b.peer), 0);
			}
			exercise(1951 + i);
			messages(200);
		}
	/* It need not be added for being heard. */
	forget_peer(&b);
	REQUIRE_EQ(pnic_rails_send(a.peer, "still", 5, NULL, 0, NULL, 3, 1, 0), 0);
	want(&a, PNIC_RAILS_SEND, 1);
	REQUIRE(get(&b, &wc, WAIT_MS));
	CHECK_EQ(wc.imm, 3);
	CHECK(!wc.peer->user);
	b.peer = wc.peer;
	pnic_rails_release(b.ep, &wc);
	exercise(1960);
}

/* Several times what fits on the rails at once, in memory that is taken back with most of it not cut yet. */
static void take_back(unsigned int writes)
{
	unsigned int i;

	for (i = 0; i < writes; i++)
		REQUIRE_EQ(pnic_rails_write(a.peer, a.mem, MEM, a.mr, b.key.addr, &b.key, i, 0), 0);
	CHECK_EQ(pnic_rails_mr_dereg(a.mr), 0);
	a.mr = NULL;
}

KTAP_TEST(memory_taken_back)
{
	const unsigned int writes = 6;
	struct pnic_rails_wc wc;
	unsigned int i;

	both_open(RAILS, NULL);
	exercise(1950);
	take_back(writes);
	for (i = 0; i < writes; i++) {
		REQUIRE(get(&a, &wc, WAIT_MS));
		CHECK_EQ(wc.op, PNIC_RAILS_WRITE);
		CHECK(wc.status == PNIC_ST_LOCAL_KEY || (wc.status == PNIC_ST_OK && i < writes - 1));
	}
	REQUIRE_EQ(pnic_rails_mr_reg(a.rails, a.mem, MEM, ALL_RIGHTS, &a.mr), 0);
	REQUIRE_EQ(pnic_rails_mr_key(a.mr, &a.key), 0);
	exercise(1951);
	/* Nobody looks any more: the set goes with what it had. */
	take_back(writes);
	CHECK_EQ(pnic_rails_ep_destroy(a.ep), 0);
	a.ep = NULL;
	CHECK_EQ(pnic_rails_close(a.rails), 0);
	a.rails = NULL;
	both_open(RAILS, NULL);
	exercise(1952);
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
