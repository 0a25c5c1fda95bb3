// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * The NCCL plugin on embedded cards: what every version promises, and what NCCL's headers don't say. What happens when things
 * go wrong is in nccl_failures.c; rings of ranks with threads are in rings.c.
 */
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "group.h"
#include "pair.h"

/* --- what there is ----------------------------------------------------------------------------- */

KTAP_TEST(properties)
{
	struct nccl_props_v12 p, first = { 0 };
	int d, i, n;

	for (d = 0; d < DOORS; d++) {
		CHECK_EQ(doors[d].devices(&n), 0);
		CHECK_EQ(n, ALL);
		for (i = 0; i < n; i++) {
			REQUIRE_EQ(doors[d].props(i, &p), 0);
			if (!i)
				first = p;
			CHECK(p.name && strstr(p.name, "embedded:"));
			CHECK(!p.pci_path);
			CHECK(p.guid && (!i || i >= CARDS || p.guid != first.guid));
			CHECK(p.ptr_support & NCCL_PTR_HOST);
			/* Registered by its dma-buf only. */
			CHECK(!(p.ptr_support & NCCL_PTR_CUDA));
			CHECK_GE(p.speed, 800000);
			CHECK_EQ(p.max_recvs, 8);
			CHECK_GE(p.max_comms, 64);
			if (doors[d].version >= 8)
				CHECK_EQ(p.reg_is_global, 1);
			if (doors[d].version >= 9) {
				CHECK(p.max_p2p_bytes > 0 && p.max_p2p_bytes <= 1UL << 40);
				CHECK(p.max_coll_bytes > 0 && p.max_coll_bytes <= 1UL << 40);
				CHECK_EQ(p.vprops.ndevs, 1);
				CHECK_EQ(p.vprops.devs[0], i);
			}
			if (doors[d].version >= 12) {
				CHECK_EQ(p.rail_id, i);
				CHECK_EQ(p.plane_id, NCCL_ID_UNDEF);
			}
		}
		CHECK(doors[d].props(-1, &p) && doors[d].props(n + 40, &p));
	}
}

KTAP_TEST(virtual_devices)
{
	int one[2] = { 0, 1 }, same[2] = { 1, 1 }, far[2] = { 0, 17 }, dev = -1, again = -1, n;
	struct nccl_props_v12 p, q;
	int v;

	REQUIRE_EQ(newest->fuse(&dev, 2, one), 0);
	CHECK_GE(dev, ALL);
	CHECK_EQ(newest->fuse(&again, 2, one), 0);
	CHECK_EQ(again, dev);
	REQUIRE_EQ(newest->props(dev, &p), 0);
	REQUIRE_EQ(newest->props(0, &q), 0);
	CHECK_EQ(p.vprops.ndevs, 2);
	CHECK_EQ(p.vprops.devs[1], 1);
	CHECK_EQ(p.speed, 2 * q.speed);
	CHECK(strchr(p.name, '+'));
	CHECK_EQ(newest->devices(&n), 0);
	CHECK_EQ(n, dev + 1);		/* by which NCCL learns of it */
	CHECK_EQ(newest->fuse(&again, 2, same), NCCL_INVALID_ARGUMENT);
	CHECK_EQ(newest->fuse(&again, 2, far), NCCL_INVALID_ARGUMENT);
	far[1] = dev;
	CHECK_EQ(newest->fuse(&again, 2, far), NCCL_INVALID_ARGUMENT);
	CHECK_EQ(newest->fuse(&again, 0, one), NCCL_INVALID_ARGUMENT);
	for (v = 2; v < DOORS; v++) {
		CHECK_EQ(doors[v].fuse(&again, 2, one), 0);
		CHECK_EQ(again, dev);
	}
}

/* --- matching ---------------------------------------------------------------------------------- */

/* Sends of different tags in any order, over the borders of receives; those of one tag in theirs. */
KTAP_TEST(tags_in_any_order)
{
	/* Two receives: tags 7 8 9, tags 9 7 8; and the order in which they are sent. */
	static int tags[2][3] = { { 7, 8, 9 }, { 9, 7, 8 } };
	static const struct { int tag, size; } order[] = { { 8, 80 }, { 8, 81 }, { 9, 90 }, { 7, 70 }, { 9, 91 }, { 7, 71 } };
	static const int want[2][3] = { { 70, 80, 90 }, { 91, 71, 81 } };
	int d, g, i, sizes[8];

	for (d = 0; d < DOORS; d++) {
		void *rreq[2] = { NULL, NULL }, *sreq[6], *data[3], *mhs[3];
		struct pair p = { 0 };
		size_t rooms[3] = { 100, 100, 100 };

		pair_connect(&p, &doors[d], 0, 2);
		pair_memory(&p, 4096);
		for (i = 0; i < 6; i++)
			memset(p.sbuf + i * 100, 'a' + i, 100);
		for (g = 0; g < 2; g++) {
			for (i = 0; i < 3; i++) {
				data[i] = p.rbuf + g * 300 + i * 100;
				mhs[i] = p.rmh;
			}
			REQUIRE_EQ(doors[d].irecv(p.rc, 3, data, rooms, tags[g], mhs, &rreq[g]), 0);
			REQUIRE(rreq[g]);
		}
		for (i = 0; i < 6; i++) {
			REQUIRE_EQ(send_sure(&p, (size_t)i * 100, (size_t)order[i].size, order[i].tag, &sreq[i]), 0);
			REQUIRE(sreq[i]);
		}
		for (i = 0; i < 6; i++) {
			CHECK_EQ(finish(&p, sreq[i], sizes), 0);
			CHECK_EQ(sizes[0], order[i].size);
		}
		for (g = 0; g < 2; g++) {
			sizes[3] = -7;
			CHECK_EQ(finish(&p, rreq[g], sizes), 0);
			for (i = 0; i < 3; i++)
				CHECK_EQ(sizes[i], want[g][i]);
			CHECK_EQ(sizes[3], -7);		/* exactly n are written */
		}
		CHECK_EQ(p.rbuf[0], 'd');
		CHECK_EQ(p.rbuf[100], 'a');
		CHECK_EQ(p.rbuf[300], 'e');
		CHECK_EQ(p.rbuf[500], 'b');
		pair_close(&p);
	}
}

KTAP_TEST(no_receive_no_request)
{
	struct pair p = { 0 };
	void *req, *rreq;
	int i;

	pair_connect(&p, newest, 0, 2);
	pair_memory(&p, 4096);
	for (i = 0; i < 100; i++) {
		CHECK_EQ(send_one(&p, 0, 8, 1, &req), 0);
		CHECK(!req);
	}
	REQUIRE_EQ(recv_one(&p, 0, 8, 2, &rreq), 0);
	for (i = 0; i < 100; i++) {
		CHECK_EQ(send_one(&p, 0, 8, 1, &req), 0);	/* another tag */
		CHECK(!req);
	}
	CHECK_EQ(send_sure(&p, 0, 8, 2, &req), 0);
	CHECK_EQ(finish(&p, req, NULL), 0);
	CHECK_EQ(finish(&p, rreq, NULL), 0);
	CHECK(newest->test(rreq, &i, NULL));		/* it is dead */
	pair_close(&p);
}

KTAP_TEST(sizes)
{
	/* Over what the immediate value has room for, and what is the buffer's. */
	static const struct { size_t size, room; } s[] = {
		{ 0, 0 }, { 0, 64 }, { 1, 1 }, { 1, 2 }, { 4095, 4096 }, { 8 * MB - 3, 9 * MB }, { 8 * MB - 2, 9 * MB },
		{ 8 * MB - 1, 9 * MB }, { 8 * MB, 9 * MB }, { 9 * MB, 9 * MB }, { 10 * MB + 1, 11 * MB },
	};
	struct pair p = { 0 };
	void *sreq, *rreq;
	int got;
	size_t i;

	pair_connect(&p, newest, 1, 3);
	pair_memory(&p, 12 * MB);
	for (i = 0; i < sizeof(s) / sizeof(s[0]); i++) {
		memset(p.rbuf, 0, s[i].room + 1);
		memset(p.sbuf, (int)i + 1, s[i].size);
		REQUIRE_EQ(recv_one(&p, 0, s[i].room, 5, &rreq), 0);
		REQUIRE_EQ(send_sure(&p, 0, s[i].size, 5, &sreq), 0);
		CHECK_EQ(finish(&p, sreq, &got), 0);
		CHECK_EQ(got, s[i].size);
		CHECK_EQ(finish(&p, rreq, &got), 0);
		CHECK_EQ(got, s[i].size);
		CHECK(!memcmp(p.rbuf, p.sbuf, s[i].size));
		CHECK_EQ(p.rbuf[s[i].size], 0);
	}
	pair_close(&p);
}

/* Complete before anything was sent, where the version knows it; and the places are used again when the bytes are there. */
KTAP_TEST(optional_receive)
{
	int d, i, done, got;

	for (d = 0; d < DOORS; d++) {
		struct pair p = { 0 };
		int tag = 3;

		pair_connect(&p, &doors[d], 0, 2);
		pair_memory(&p, 4096);
		for (i = 0; i < 200; i++) {
			void *rreq = NCCL_OPTIONAL_RECV, *sreq, *data = p.rbuf;
			size_t size = 64;

			memset(p.sbuf, i + 1, 64);
			REQUIRE_EQ(doors[d].irecv(p.rc, 1, &data, &size, &tag, &p.rmh, &rreq), 0);
			REQUIRE(rreq && rreq != NCCL_OPTIONAL_RECV);
			got = -1;
			CHECK_EQ(doors[d].test(rreq, &done, &got), 0);
			CHECK_EQ(done, doors[d].optional);
			/* The buffer is not to be had for something else as long as it may be written. */
			if (done) {
				data = p.rbuf + 63;
				sreq = NULL;
				CHECK_EQ(doors[d].irecv(p.rc, 1, &data, &size, &tag, &p.rmh, &sreq), 0);
				CHECK(!sreq);
			}
			REQUIRE_EQ(send_sure(&p, 0, 64, tag, &sreq), 0);
			CHECK_EQ(finish(&p, sreq, NULL), 0);
			if (!done) {
				CHECK_EQ(finish(&p, rreq, &got), 0);
				CHECK_EQ(got, 64);
			}
			CHECK(!memcmp(p.sbuf, p.rbuf, 64));
		}
		pair_close(&p);
	}
	CHECK_EQ(prof_started, prof_stopped);
}

KTAP_TEST(truncated)
{
	unsigned int warnings;
	struct pair p = { 0 };
	void *sreq, *rreq;
	int got, i;

	pair_connect(&p, newest, 0, 1);
	pair_memory(&p, 4096);
	warnings = door_warnings;
	for (i = 0; i < 3; i++) {
		memset(p.rbuf, 0x22, 4096);
		REQUIRE_EQ(recv_one(&p, 0, 100, 5, &rreq), 0);
		REQUIRE_EQ(send_sure(&p, 0, 200, 5, &sreq), 0);
		CHECK_EQ(finish(&p, sreq, &got), 0);
		CHECK_EQ(got, 100);
		CHECK_EQ(finish(&p, rreq, &got), 0);
		CHECK_EQ(got, 100);
		CHECK_EQ(p.rbuf[99], 0x11);
		CHECK_EQ(p.rbuf[100], 0x22);
	}
	CHECK_EQ(door_warnings, warnings + 1);
	CHECK(strstr(door_warning, "200 bytes"));
	pair_close(&p);
}

KTAP_TEST(many_in_flight)
{
	void *rreq[64], *sreq[300], *req, *data[8], *mhs[8];
	size_t sizes[8];
	int tags[8], i, j, got[8], n = 0;
	struct pair p = { 0 };

	pair_connect(&p, newest, 0, 2);
	pair_memory(&p, 4096);
	for (j = 0; j < 8; j++) {
		data[j] = p.rbuf + j * 8;
		mhs[j] = p.rmh;
		sizes[j] = 8;
		tags[j] = j;
	}
	for (i = 0; i < 64; i++) {
		REQUIRE_EQ(newest->irecv(p.rc, 8, data, sizes, tags, mhs, &rreq[i]), 0);
		if (!rreq[i])
			break;
	}
	CHECK_GE(i, 32);
	n = i;
	req = NULL;
	CHECK_EQ(newest->irecv(p.rc, 8, data, sizes, tags, mhs, &req), 0);
	CHECK(!req);
	for (i = 0; i < 256; i++) {
		REQUIRE_EQ(send_sure(&p, 0, 8, i % 8, &sreq[i]), 0);
		REQUIRE(sreq[i]);
	}
	CHECK_EQ(send_one(&p, 0, 8, 0, &req), 0);	/* none left: no request, no error */
	for (i = 0; i < 256; i++)
		CHECK_EQ(finish(&p, sreq[i], NULL), 0);
	if (req)
		CHECK_EQ(finish(&p, req, NULL), 0);
	for (i = 0; i < 32; i++)
		CHECK_EQ(finish(&p, rreq[i], got), 0);
	CHECK_GE(n, 32);
	pair_close(&p);
}

KTAP_TEST(bad_calls)
{
	char other[NCCL_HANDLE_SIZE] = "somebody else's", *mem = malloc(64);
	int tag = 1, many[9] = { 0 }, done, negative = -1;
	void *data = mem, *req = NULL, *datas[9], *mhs[9], *c, *mh;
	size_t size = 8, big = 2UL << 30, sizes[9];
	struct pair p = { 0 };

	CHECK(newest->listen(ctx, 99, p.handle, &c));
	CHECK(newest->connect(ctx, 0, other, &c));
	CHECK(strstr(door_warning, "all ranks"));
	CHECK(newest->connect(ctx, -1, other, &c));
	pair_connect(&p, newest, 0, 2);
	pair_memory(&p, 4096);
	CHECK(newest->irecv(p.rc, 0, &data, &size, &tag, &p.rmh, &req));
	CHECK(newest->irecv(p.rc, 9, datas, sizes, many, mhs, &req));
	CHECK(newest->irecv(p.rc, 1, &data, &size, &tag, &p.rmh, &req));	/* not in the region */
	data = p.rbuf;
	CHECK(newest->irecv(p.rc, 1, &data, &big, &tag, &p.rmh, &req));
	CHECK(newest->irecv(p.sc, 1, &data, &size, &tag, &p.rmh, &req));	/* the wrong end */
	CHECK(newest->isend(p.rc, p.sbuf, 8, 1, p.smh, &req));
	CHECK(newest->isend(p.sc, mem, 8, 1, p.smh, &req));
	CHECK(newest->isend(p.sc, p.sbuf + 4090, 8, 1, p.smh, &req));
	CHECK(newest->isend(p.sc, p.sbuf, 8, 1, NULL, &req));
	CHECK(newest->reg(p.sc, NULL, 8, NCCL_PTR_HOST, &mh));
	CHECK(newest->reg(p.sc, mem, 0, NCCL_PTR_HOST, &mh));
	CHECK(newest->reg(p.sc, mem, 64, NCCL_PTR_CUDA, &mh));
	CHECK(strstr(door_warning, "dma-buf"));
	CHECK(newest->reg_dmabuf(p.sc, mem, 64, NCCL_PTR_CUDA, 0, -1, &mh));
	CHECK(newest->test(NULL, &done, NULL));
	CHECK(newest->close_send(p.rc));
	CHECK(newest->close_recv(p.lc));
	CHECK_EQ(newest->close_send(NULL), 0);
	CHECK(door_of(8)->isend(p.sc, p.sbuf, (size_t)negative, 1, p.smh, &req));
	CHECK(door_of(6)->reg(p.sc, mem, (size_t)negative, NCCL_PTR_HOST, &mh));
	/* All of it was refused, and nothing is broken. */
	REQUIRE_EQ(recv_one(&p, 0, 8, 3, &req), 0);
	CHECK_EQ(send_sure(&p, 0, 8, 3, &c), 0);
	CHECK_EQ(finish(&p, c, NULL), 0);
	CHECK_EQ(finish(&p, req, NULL), 0);
	pair_close(&p);
	free(mem);
}

/* --- memory ------------------------------------------------------------------------------------ */

KTAP_TEST(registered_once)
{
	void *whole[3], *part, *again;
	struct pair p = { 0 };
	double t;
	int i;

	pair_connect(&p, newest, 0, 2);
	pair_memory(&p, 64 * MB);
	for (i = 0; i < 3; i++) {
		CHECK_EQ(newest->reg(i % 2 ? p.sc : p.rc, p.rbuf, p.size, NCCL_PTR_HOST, &whole[i]), 0);
		if (i != 1)
			CHECK(whole[i] == p.rmh);		/* of this device there is one */
		else
			CHECK(whole[i] != p.rmh);		/* the sender's is another */
	}
	t = seconds();
	for (i = 0; i < 1000; i++) {
		CHECK_EQ(newest->reg(p.rc, p.rbuf + i * 4096, 4096, NCCL_PTR_HOST, &part), 0);
		CHECK(part == p.rmh);
		CHECK_EQ(newest->dereg(p.rc, part), 0);
	}
	ktap_say("a part of what is registered: %.0f ns", (seconds() - t) * 1e6);
	for (i = 0; i < 3; i++)
		CHECK_EQ(newest->dereg(p.rc, whole[i]), 0);
	/* Nobody but we hold it now; and with us it goes, so that no memory is ever found that was unmapped since. */
	CHECK_EQ(newest->dereg(p.rc, p.rmh), 0);
	CHECK_EQ(newest->reg(p.rc, p.rbuf + 8, 8, NCCL_PTR_HOST, &again), 0);
	CHECK_EQ(newest->reg(p.rc, p.rbuf, p.size, NCCL_PTR_HOST, &p.rmh), 0);
	CHECK(again != p.rmh);
	CHECK_EQ(newest->dereg(p.rc, again), 0);
	pair_close(&p);
}

/* A number that means another region now must not lead the sender to the old one. */
KTAP_TEST(region_numbers_used_again)
{
	struct pair p = { 0 };
	void *mh, *sreq, *rreq, *data;
	size_t size = 4096;
	int i, tag = 1;

	pair_connect(&p, newest, 0, 2);
	pair_memory(&p, 4096);
	for (i = 0; i < 50; i++) {
		char *mem = aligned_alloc(4096, 4096);

		REQUIRE(mem);
		memset(mem, 0, 4096);
		REQUIRE_EQ(newest->reg(p.rc, mem, 4096, NCCL_PTR_HOST, &mh), 0);
		data = mem;
		rreq = NULL;
		REQUIRE_EQ(newest->irecv(p.rc, 1, &data, &size, &tag, &mh, &rreq), 0);
		REQUIRE_EQ(send_sure(&p, 0, 4096, 1, &sreq), 0);
		CHECK_EQ(finish(&p, sreq, NULL), 0);
		CHECK_EQ(finish(&p, rreq, NULL), 0);
		CHECK_EQ(mem[0], 0x11);
		CHECK_EQ(mem[4095], 0x11);
		REQUIRE_EQ(newest->dereg(p.rc, mh), 0);
		free(mem);
	}
	pair_close(&p);
}

KTAP_TEST(locked_memory_limit)
{
	struct rlimit was, little = { 1 << 20, 1 << 20 };
	char *mem = aligned_alloc(4096, 64 * MB);
	struct pair p = { 0 };
	void *mh;

	REQUIRE(mem);
	pair_connect(&p, newest, 0, 2);
	getrlimit(RLIMIT_MEMLOCK, &was);
	little.rlim_max = was.rlim_max;
	setrlimit(RLIMIT_MEMLOCK, &little);
	if (newest->reg(p.sc, mem, 64 * MB, NCCL_PTR_HOST, &mh)) {
		CHECK(strstr(door_warning, "RLIMIT_MEMLOCK") && strstr(door_warning, "67108864"));
	} else {
		/* Who may lock memory without limit may do so here. */
		newest->dereg(p.sc, mh);
		ktap_say("no limit for this user");
	}
	setrlimit(RLIMIT_MEMLOCK, &was);
	pair_close(&p);
	free(mem);
}

/* --- rings ------------------------------------------------------------------------------------- */

static const int every_card[CARDS] = { 0, 1, 2, 3 };

KTAP_TEST(rings)
{
	unsigned int started = prof_started;
	int d, s;

	for (d = 0; d < DOORS; d++) {
		for (s = 0; s < 2; s++) {
			SUBTEST("%s, seed %d", doors[d].name, s) {
				struct ring_run run = {
					.door = &doors[d], .seed = (uint64_t)(s * 100 + d), .ranks = 2 + s * 3, .channels = 1 + s,
					.groups = 12, .max_size = 65536, .devs = CARDS, .dev = every_card,
					.optional = doors[d].optional, .churn = true, .timeout_s = 100,
				};
#ifdef __SANITIZE_THREAD__
				run.optional = false;	/* looks at memory that the card writes */
#endif
				CHECK(ring_run(&run));
				CHECK_EQ(run.data_errors, 0);
				CHECK_EQ(run.size_errors, 0);
				CHECK_EQ(run.call_errors, 0);
				CHECK_EQ(run.unfinished, 0);
			}
		}
	}
	CHECK(prof_started > started);
	CHECK_EQ(prof_started, prof_stopped);
	CHECK_EQ(prof_wrong, 0);
}

/* --- virtual devices --------------------------------------------------------------------------- */

static double payload(int nic)
{
	double v = 0;

	pnic_embedded_figure(card(nic), "payload_bytes", &v);
	return v;
}

KTAP_TEST(striped)
{
	double before[2], moved[2];
	struct pair p = { 0 };
	void *sreq, *rreq;
	int dev[2], i;

	fuse_pairs(dev);
	pair_connect(&p, newest, dev[0], dev[1]);
	pair_memory(&p, 16 * MB);
	for (i = 0; i < 2; i++)
		before[i] = payload(i);
	for (i = 0; i < 4; i++) {
		memset(p.sbuf, 'A' + i, p.size);
		REQUIRE_EQ(recv_one(&p, 0, p.size, 1, &rreq), 0);
		CHECK_EQ(send_sure(&p, 0, p.size, 1, &sreq), 0);
		CHECK_EQ(finish(&p, sreq, NULL), 0);
		CHECK_EQ(finish(&p, rreq, NULL), 0);
		CHECK(!memcmp(p.sbuf, p.rbuf, p.size));
	}
	for (i = 0; i < 2; i++)
		moved[i] = payload(i) - before[i];
	ktap_say("card 0 sent %.0f bytes, card 1 %.0f", moved[0], moved[1]);
	CHECK(moved[0] > 16.0 * (double)MB && moved[1] > 16.0 * (double)MB);
	pair_close(&p);
}

static double wqes(int nic)
{
	double v = 0;

	pnic_embedded_figure(card(nic), "wqes", &v);
	return v;
}

/* However many receives are posted: no request would mean that nothing is to be flushed. */
static void flush_beside_receives(struct pair *p)
{
	void *data = p->rbuf, *recvs[MAX_OFFERS], *req;
	int tag = 1, sizes = 16, i, n;
	size_t size = 16;

	for (n = 0; n < MAX_OFFERS; n++) {
		recvs[n] = NULL;
		REQUIRE_EQ(newest->irecv(p->rc, 1, &data, &size, &tag, &p->rmh, &recvs[n]), 0);
		if (!recvs[n])
			break;
	}
	CHECK_EQ(n, MAX_OFFERS);
	for (i = 0; i < MAX_FLUSHES / 2; i++) {
		REQUIRE_EQ(newest->iflush(p->rc, 1, &data, &sizes, &p->rmh, &req), 0);
		REQUIRE(req);
		CHECK_EQ(finish(p, req, NULL), 0);
	}
	for (i = 0; i < n; i++) {
		do {
			REQUIRE_EQ(newest->isend(p->sc, p->sbuf, 16, tag, p->smh, &req), 0);
		} while (!req);
		CHECK_EQ(finish(p, req, NULL), 0);
		CHECK_EQ(finish(p, recvs[i], NULL), 0);
	}
}

/* Memory of the host needs none. That of a GPU is read a little by every card of the device; there is no GPU here, so some is called so. */
KTAP_TEST(flush)
{
	int dev[2], both, sizes = 4096, nic;
	void *data, *req = &sizes;
	double before[CARDS];

	fuse_pairs(dev);
	for (both = 0; both < 2; both++) {
		struct pair p = { 0 };

		pair_connect(&p, newest, both ? dev[0] : 0, both ? dev[1] : 2);
		pair_memory(&p, MB);
		data = p.rbuf;
		CHECK_EQ(newest->iflush(p.rc, 1, &data, &sizes, &p.rmh, &req), 0);
		CHECK(!req);
		((struct mr *)p.rmh)->type = NCCL_PTR_CUDA;
		for (nic = 0; nic < CARDS; nic++)
			before[nic] = wqes(nic);
		CHECK_EQ(newest->iflush(p.rc, 1, &data, &sizes, &p.rmh, &req), 0);
		REQUIRE(req);
		CHECK_EQ(finish(&p, req, NULL), 0);
		CHECK(wqes(2) > before[2]);
		CHECK_EQ(wqes(3) > before[3], both);
		CHECK_EQ(wqes(0) > before[0], 0);
		flush_beside_receives(&p);
		sizes = 0;
		CHECK_EQ(newest->iflush(p.rc, 1, &data, &sizes, &p.rmh, &req), 0);
		CHECK(!req);
		sizes = 4096;
		((struct mr *)p.rmh)->type = NCCL_PTR_HOST;
		pair_close(&p);
	}
}

/* --- one-sided --------------------------------------------------------------------------------- */

KTAP_TEST(one_sided)
{
	const struct nccl_rma_v15 *newer = door_symbol("ncclRmaPlugin_v15");
	static const int every_one[CARDS] = { 0, 1, 2, 3 };
	struct nccl_props_v12 p;
	int version, dev[2];
	bool fused;

	REQUIRE(newer && door_symbol("ncclRmaPlugin_v14"));
#ifdef __SANITIZE_THREAD__
	SKIP("looks at memory that the card writes");
#endif
	CHECK_EQ(newer->get_properties(0, &p), 0);
	CHECK_EQ(p.device_type, NCCL_DEVICE_GIN_PROXY);
	/* Over one card an order comes by itself, over two it does not. */
	fuse_pairs(dev);
	for (version = 14; version <= 15; version++) {
		for (fused = false;; fused = true) {
			struct group_run run = { .version = version, .devs = fused ? 2 : CARDS, .dev = fused ? dev : every_one,
						 .rounds = 1 };

			CHECK(group_run(&run));
			if (run.failures)
				ktap_say("v%d: %u failures, the first: %s", version, run.failures, run.why);
			if (fused)
				break;
		}
	}
}

/* --- the tuner --------------------------------------------------------------------------------- */

static void costs(const char *version, size_t nodes, float table[7][3])
{
	const void *t = door_symbol(version);
	int channels = 5, i;
	float **arg = (float **)(void *)table;
	void *c = NULL;

	REQUIRE(t);
	for (i = 0; i < 21; i++)
		table[i / 3][i % 3] = i % 4 == 3 ? NCCL_COST_IGNORE : 10.0f * (float)(i + 1);
	if (!strcmp(version, "ncclTunerPlugin_v3")) {
		const struct nccl_tuner_v3 *v3 = t;

		REQUIRE_EQ(v3->init(8, nodes, door_log, &c), 0);
		CHECK_EQ(v3->get_coll_info(c, 4, MB, 1, arg, 7, 3, &channels), 0);
		CHECK_EQ(v3->destroy(c), 0);
	} else if (!strcmp(version, "ncclTunerPlugin_v4")) {
		const struct nccl_tuner_v4 *v4 = t;

		REQUIRE_EQ(v4->init(8, nodes, door_log, &c), 0);
		CHECK_EQ(v4->get_coll_info(c, 4, MB, 1, arg, 7, 3, 0, &channels), 0);
		CHECK_EQ(v4->destroy(c), 0);
	} else {
		const struct nccl_tuner_v5 *v5 = t;	/* v6 begins as v5 */

		REQUIRE_EQ(v5->init(&c, 1, 8, nodes, door_log, NULL, NULL), 0);
		CHECK_EQ(v5->get_coll_info(c, 4, MB, 1, arg, 7, 3, 0, &channels), 0);
		CHECK_EQ(v5->finalize(c), 0);
	}
	CHECK_EQ(channels, 5);
}

KTAP_TEST(tuner)
{
	static const char *const versions[] = { "ncclTunerPlugin_v3", "ncclTunerPlugin_v4", "ncclTunerPlugin_v5",
						"ncclTunerPlugin_v6" };
	struct pnic_status_page page;
	float table[7][3], want;
	int v, i, lane;

	for (v = 0; v < 4; v++) {
		costs(versions[v], 2, table);
		for (i = 0; i < 21; i++)
			CHECK(table[i / 3][i % 3] == (i % 4 == 3 ? NCCL_COST_IGNORE : 10.0f * (float)(i + 1)));
	}
	/* Those that come in at the other end are those that go out here. */
	for (lane = 0; lane < 80; lane++)
		pnic_embedded_fault(card(CARDS + 1), PNIC_EMBEDDED_KILL, (unsigned int)lane, 0);
	REQUIRE(cards_until(narrow, NULL));
	REQUIRE_EQ(pnic_link_status(card(CARDS), &page), 0);
	for (v = 0; v < 4; v++) {
		costs(versions[v], 1, table);
		CHECK(table[0][0] == 10.0f);		/* nothing crosses the network */
		costs(versions[v], 2, table);
		want = table[0][0] / 10.0f;
		for (i = 0; i < 21; i++)
			CHECK(i % 4 == 3 ? table[i / 3][i % 3] == NCCL_COST_IGNORE :
			      fabsf(table[i / 3][i % 3] - 10.0f * (float)(i + 1) * want) < 0.01f * (float)(i + 1));
		CHECK(want >= 425.0f / (float)page.width - 0.02f);
		CHECK(want > 1.05f && want < 1.5f);
	}
	ktap_say("%u lanes: costs are multiplied by %.3f", page.width, (double)want);
	CHECK(cards_heal());
}

/* --- before anything else ---------------------------------------------------------------------- */

struct child {
	int status;
	char text[8192];
};

/* This program again, with another environment: what it says before it is killed by its first init. */
static void child(struct child *c, const char *const *env)
{
	int fds[2];
	size_t at = 0;
	ssize_t n;
	pid_t pid;

	REQUIRE_OK(pipe(fds));
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		dup2(fds[1], 2);
		dup2(fds[1], 1);
		close(fds[0]);
		close(fds[1]);
		setenv("PNIC_TEST_CHILD", "1", 1);
		for (; *env; env += 2)
			setenv(env[0], env[1], 1);
		execl("/proc/self/exe", "nccl", (char *)NULL);
		_exit(99);
	}
	close(fds[1]);
	while (at < sizeof(c->text) - 1 && (n = read(fds[0], c->text + at, sizeof(c->text) - 1 - at)) > 0)
		at += (size_t)n;
	c->text[at] = 0;
	close(fds[0]);
	REQUIRE_EQ(waitpid(pid, &c->status, 0), pid);
	c->status = WIFEXITED(c->status) ? WEXITSTATUS(c->status) : 255;
}

static int count_of(const char *text, const char *what)
{
	int n = 0;

	while ((text = strstr(text, what))) {
		n++;
		text++;
	}
	return n;
}

KTAP_TEST(environment)
{
	static const char *const none[] = { "PNIC_NCCL_DEVICES", "pnic987", NULL };
	static const char *const some[] = { "PNIC_NCCL_DEVICES", "pnic987,embedded:world=x,nic=1,nics=2", NULL };
	static const char *const two[] = { "PNIC_NCCL_DEVICES", "embedded:nic=0,embedded:nic=1", NULL };
	static const char *const knobs[] = { "PNIC_NCCL_DEVICES", "embedded:nic=0", "PNIC_NCCL_SHOW", "1",
					     "PNIC_NCCL_TIMEOUT_MS", "abc", "PNIC_NCCL_PROBEMS", "5", NULL };
	struct child c;

	child(&c, none);
	CHECK_EQ(c.status, 10);			/* no device */
	CHECK_EQ(count_of(c.text, "pnic987 can't be used"), 1);
	CHECK_EQ(count_of(c.text, "no card can be used"), 1);
	child(&c, some);
	CHECK_EQ(c.status, 1);			/* one */
	CHECK_EQ(count_of(c.text, "pnic987 can't be used"), 1);
	CHECK_EQ(count_of(c.text, "no card can be used"), 0);
	child(&c, knobs);
	CHECK_EQ(c.status, 1);
	child(&c, two);
	CHECK_EQ(c.status, 2);
	child(&c, knobs);
	CHECK_EQ(count_of(c.text, "PNIC_NCCL_TIMEOUT_MS=abc is not a number"), 1);
	CHECK_EQ(count_of(c.text, "PNIC_NCCL_TIMEOUT_MS=20000"), 1);
	CHECK_EQ(count_of(c.text, "PNIC_NCCL_PROBEMS means nothing"), 1);
	CHECK_EQ(count_of(c.text, "PNIC_NCCL_DEVICES=\"embedded:nic=0\" (environment)"), 1);
	CHECK_EQ(count_of(c.text, "(default)"), 6);
}

static int as_child(void)
{
	int n = 0, both[2] = { 0, 1 }, dev, more, i;
	void *c;

	if (!doors_open(getenv("PNIC_TEST_PLUGIN")))
		return 98;
	for (i = 0; i < 3; i++) {
		if (newest->init(&c, 1))
			return 10;
		newest->finalize(c);
	}
	newest->devices(&n);
	/* Virtual devices go with the last communicator: NCCL would take them for cards. */
	if (n >= 2) {
		if (newest->init(&c, 1) || newest->fuse(&dev, 2, both) || newest->devices(&more) || more != n + 1)
			return 20;
		newest->finalize(c);
		if (newest->init(&c, 1) || newest->devices(&more) || more != n || newest->fuse(&dev, 2, both) || dev != n)
			return 21;
		newest->finalize(c);
	}
	return n;
}

int main(int argc, char **argv)
{
	static char *threads[] = { "nccl", "rings", "tuner", NULL };

	if (getenv("PNIC_TEST_CHILD"))
		return as_child();
	return pair_main(argc, argv, threads, sizeof(threads) / sizeof(threads[0]) - 1);
}
