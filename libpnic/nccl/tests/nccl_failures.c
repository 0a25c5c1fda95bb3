// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * The NCCL plugin when things go wrong: lanes and rails that die under traffic, aborts, peers that close, the last
 * path. What it promises when all is well is in nccl.c.
 */
#include "pair.h"

static const int every_card[CARDS] = { 0, 1, 2, 3 };

KTAP_TEST(lanes_die)
{
	struct ring_run run = {
		.door = newest, .seed = 5, .ranks = 4, .channels = 1, .groups = 100, .max_size = 65536,
		.devs = CARDS, .dev = every_card, .timeout_s = 100,
	};
	struct faults f;

	faults_start(FAULT_LANES, 5);
	CHECK(ring_run(&run));
	CHECK_EQ(run.data_errors, 0);
	f = faults_stop();
	CHECK_EQ(prof_wrong, 0);
	ktap_say("%lu messages, %u lanes died, %u frames vanished; the profiler was told %u times", run.messages, f.lanes,
		 f.dropped, prof_updated);
}

/* --- what NCCL does in an abort ---------------------------------------------------------------- */

/* 32 x 1 MiB under way, then everything is taken back and closed at once, the peer's end first or last. */
KTAP_TEST(close_in_flight)
{
	int d, first, i;

	for (d = 0; d < DOORS; d++) {
		for (first = 0; first < 2; first++) {
			struct pair p = { 0 };
			void *req;
			double t;

			pair_connect(&p, &doors[d], 0, 2);
			pair_memory(&p, 32 * MB);
			for (i = 0; i < 32; i++)
				REQUIRE_EQ(recv_one(&p, (size_t)i * MB, MB, i, &req), 0);
			for (i = 0; i < 32; i++)
				REQUIRE_EQ(send_one(&p, (size_t)i * MB, MB, i, &req), 0);
			t = seconds();
			if (first) {
				CHECK_EQ(doors[d].dereg(p.rc, p.rmh), 0);
				CHECK_EQ(doors[d].close_recv(p.rc), 0);
				p.rmh = p.rc = NULL;
			}
			pair_close(&p);
			CHECK(seconds() - t < 5);
		}
	}
	CHECK_EQ(prof_started, prof_stopped);
}

/* Connections that were begun and never came to be. */
KTAP_TEST(abandoned)
{
	char h[NCCL_HANDLE_SIZE] __attribute__((aligned(8)));
	void *c, *lc, *sc, *rc;
	int i;

	REQUIRE_EQ(newest->init(&c, 7), 0);
	for (i = 0; i < 10; i++) {
		REQUIRE_EQ(newest->listen(c, 1, h, &lc), 0);
		CHECK_EQ(newest->connect(c, 0, h, &sc), 0);
		rc = NULL;
		if (i & 1)
			CHECK_EQ(newest->accept(lc, &rc), 0);
		if (rc)
			CHECK_EQ(newest->close_recv(rc), 0);
		CHECK(!sc);
		CHECK_EQ(newest->close_listen(lc), 0);
	}
	CHECK_EQ(newest->finalize(c), 0);
	/* What was freed isn't found by who comes with the old handle. */
	CHECK(newest->connect(ctx, 0, h, &sc));
}

/* Those who wait for a peer that is gone learn it, within a bound; so does who sends to it. */
KTAP_TEST(peer_closes)
{
	void *req, *got;
	double t;
	int end;

	for (end = 0; end < 3; end++) {
		static const char *const what[] = { "the sender is gone", "the receiver is gone", "the listener is gone" };
		struct pair p = { 0 };
		nccl_result res;

		SUBTEST("%s", what[end]) {
			pair_connect(&p, newest, 0, 2);
			pair_memory(&p, MB);
			t = seconds();
			if (!end) {
				REQUIRE_EQ(recv_one(&p, 0, 64, 1, &req), 0);
				newest->close_send(p.sc);
				p.sc = p.smh = NULL;
				res = finish(&p, req, NULL);
			} else if (end == 1) {
				newest->close_recv(p.rc);
				p.rc = p.rmh = NULL;
				res = send_sure(&p, 0, 64, 1, &got);
			} else {
				void *sc = NULL;

				newest->close_listen(p.lc);
				p.lc = NULL;
				do
					res = newest->connect(ctx, 1, p.handle, &sc);
				while (!res && !sc && seconds() - t < 30);
			}
			CHECK_EQ(res, NCCL_REMOTE_ERROR);
			CHECK(seconds() - t < 15);
			ktap_say("after %.2f s: %s", seconds() - t, door_warning);
			pair_close(&p);
		}
	}
}

static bool link_down(void *arg)
{
	struct pnic_status_page page;

	return !pnic_link_status(card(*(int *)arg), &page) && page.link_state != 1;
}

/* The last path dies: an error at both ends, and after it has come back a new connection works. */
KTAP_TEST(last_path)
{
	void *rreq, *sreq = NULL;
	struct pair p = { 0 };
	nccl_result s, r;
	int nic = 2;
	double t;

	pair_connect(&p, newest, 0, nic);
	pair_memory(&p, MB);
	pnic_embedded_fault(card(nic), PNIC_EMBEDDED_LINK, 0, 0);
	REQUIRE(cards_until(link_down, &nic));
	t = seconds();
	r = recv_one(&p, 0, MB, 1, &rreq);
	if (!r && rreq)
		r = finish(&p, rreq, NULL);
	CHECK_EQ(r, NCCL_REMOTE_ERROR);
	CHECK(strstr(door_warning, "receive"));
	ktap_say("receiver after %.2f s: %s", seconds() - t, door_warning);
	t = seconds();
	s = send_sure(&p, 0, MB, 1, &sreq);
	if (!s && sreq)
		s = finish(&p, sreq, NULL);
	CHECK_EQ(s, NCCL_REMOTE_ERROR);
	ktap_say("sender after %.2f s: %s", seconds() - t, door_warning);
	CHECK(seconds() - t < 20);
	CHECK_EQ(send_one(&p, 0, 8, 1, &sreq), NCCL_REMOTE_ERROR);	/* from now on */
	pair_close(&p);
	REQUIRE(cards_heal());
	pair_connect(&p, newest, 0, nic);
	pair_memory(&p, MB);
	REQUIRE_EQ(recv_one(&p, 0, MB, 1, &rreq), 0);
	CHECK_EQ(send_sure(&p, 0, MB, 1, &sreq), 0);
	CHECK_EQ(finish(&p, sreq, NULL), 0);
	CHECK_EQ(finish(&p, rreq, NULL), 0);
	CHECK(!memcmp(p.sbuf, p.rbuf, MB));
	pair_close(&p);
}

/* --- rails and lanes under what is going on --------------------------------------------------- */

/* A rail dies while others live: nothing but the rate changes. */
KTAP_TEST(rail_dies)
{
	int dev[2];

	fuse_pairs(dev);
	struct ring_run run = {
		.door = newest, .seed = 9, .ranks = 4, .channels = 1, .groups = 200, .max_size = 131072,
		.devs = 2, .dev = dev, .timeout_s = 200,
	};
	struct faults f;

	faults_start(FAULT_RAILS, 9);
	CHECK(ring_run(&run));
	CHECK_EQ(run.data_errors, 0);
	f = faults_stop();
	ktap_say("%lu messages, %u times a rail lost its link", run.messages, f.rails);
}

/* A transfer that is under way when a link changes is told of it: who receives by the card whose lanes die. */
KTAP_TEST(profiler_learns)
{
	unsigned int updated, wrong = prof_wrong;
	struct pair p = { 0 };
	void *rreq, *sreq;
	int lane, done, tries;

	pair_connect(&p, newest, CARDS + 1, CARDS);
	pair_memory(&p, 4096);
	REQUIRE_EQ(recv_one(&p, 0, 64, 1, &rreq), 0);
	updated = prof_updated;
	for (lane = 0; lane < 80; lane++)
		pnic_embedded_fault(card(CARDS + 1), PNIC_EMBEDDED_KILL, (unsigned int)lane, 0);
	REQUIRE(cards_until(narrow, NULL));
	for (tries = 0; tries < 10000 && prof_updated == updated; tries++)
		CHECK_EQ(newest->test(rreq, &done, NULL), 0);
	CHECK(prof_updated > updated);
	REQUIRE_EQ(send_sure(&p, 0, 64, 1, &sreq), 0);
	CHECK_EQ(finish(&p, sreq, NULL), 0);
	CHECK_EQ(finish(&p, rreq, NULL), 0);
	CHECK_EQ(prof_wrong, wrong);
	pair_close(&p);
	CHECK(cards_heal());
}

int main(int argc, char **argv)
{
	static char *threads[] = { "nccl_failures", "lanes_die", "close_in_flight", "abandoned", "rail_dies", NULL };

	return pair_main(argc, argv, threads, sizeof(threads) / sizeof(threads[0]) - 1);
}
