// SPDX-License-Identifier: GPL-2.0
/*
 * Many of everything on one card: ten thousand endpoints, a hundred thousand regions, one endpoint that sends to all.
 * What is counted is checked; times and memory are printed, as figures, by the first and the last tenth: both should be
 * the same.
 */
#include <malloc.h>

#include "bench/figure.h"
#include "device.h"
#include "ktap.h"
#include "traffic.h"

#define WAIT_MS		60000
#define ENDPOINTS	10000
#define PER_CONTEXT	2500	/* a file may have 4096 */
#define CONTEXTS	(ENDPOINTS / PER_CONTEXT)
#define PER_QUEUE	500
#define REGIONS		100000
#define ROUNDS		10

struct crowd {
	struct pnic_ctx *ctx[CONTEXTS];
	struct pnic_srq *srq[CONTEXTS];
	struct pnic_cq *cq[CONTEXTS][PER_CONTEXT / PER_QUEUE];
	struct pnic_ep *ep[ENDPOINTS];
	uint8_t *mem;
	struct pnic_mr *mr[CONTEXTS];
};

static struct crowd crowd;
static struct end one;

static void begin(void)
{
	need_cards(2);
#ifdef __SANITIZE_THREAD__
	SKIP("too slow under this sanitizer");
#endif
}

static void open_crowd(unsigned int nic)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = 16 * PER_QUEUE + 64 };
	struct pnic_srq_attr sa = { .size = sizeof(sa), .entries = 64 };
	char name[64];
	unsigned int i, k;

	dev_name(nic, name, sizeof(name));
	crowd.mem = aligned_alloc(4096, 65536);
	REQUIRE(crowd.mem);
	for (i = 0; i < CONTEXTS; i++) {
		REQUIRE_EQ(pnic_open(name, NULL, &crowd.ctx[i]), 0);
		REQUIRE_EQ(pnic_mr_reg(crowd.ctx[i], crowd.mem, 65536, ALL_RIGHTS, &crowd.mr[i]), 0);
		REQUIRE_EQ(pnic_srq_create(crowd.ctx[i], &sa, &crowd.srq[i]), 0);
		for (k = 0; k < PER_CONTEXT / PER_QUEUE; k++)
			REQUIRE_EQ(pnic_cq_create(crowd.ctx[i], &ca, &crowd.cq[i][k]), 0);
	}
}

static void close_crowd(void)
{
	unsigned int i;

	for (i = 0; i < CONTEXTS; i++)
		pnic_close(crowd.ctx[i]);
	free(crowd.mem);
}

/* Of the first and of the last tenth, so that growth is seen. */
struct tenths {
	double first_us, last_us;
	double first_bytes, last_bytes;
};

static void print_tenths(const char *what, const struct tenths *t)
{
	char key[64];

	snprintf(key, sizeof(key), "%s_us_first", what);
	figure(key, t->first_us, "us to make one, the first tenth");
	snprintf(key, sizeof(key), "%s_us_last", what);
	figure(key, t->last_us, "us to make one, the last tenth");
	snprintf(key, sizeof(key), "%s_bytes_first", what);
	figure(key, t->first_bytes, "bytes that the library takes for one, the first tenth");
	snprintf(key, sizeof(key), "%s_bytes_last", what);
	figure(key, t->last_bytes, "bytes that the library takes for one, the last tenth");
}

#define TENTHS(t, n, i, make)							\
	do {									\
		uint64_t at_ = 0;						\
		size_t held_ = 0;						\
										\
		for ((i) = 0; (i) < (n); (i)++) {				\
			if (!((i) % ((n) / 10))) {				\
				at_ = now_ns();					\
				held_ = mallinfo2().uordblks;			\
			}							\
			make;							\
			if ((i) == (n) / 10 - 1) {				\
				(t)->first_us = (now_ns() - at_) / 1e3 / ((n) / 10); \
				(t)->first_bytes = (double)(mallinfo2().uordblks - held_) / ((n) / 10); \
			}							\
		}								\
		(t)->last_us = (now_ns() - at_) / 1e3 / ((n) / 10);		\
		(t)->last_bytes = (double)(mallinfo2().uordblks - held_) / ((n) / 10); \
	} while (0)

static void make_ep(unsigned int i)
{
	unsigned int c = i / PER_CONTEXT;
	struct pnic_ep_attr ea = {
		.size = sizeof(ea), .sq_slots = 16, .srq = crowd.srq[c],
		.send_cq = crowd.cq[c][i % PER_CONTEXT / PER_QUEUE],
	};

	REQUIRE_EQ(pnic_ep_create(crowd.ctx[c], &ea, &crowd.ep[i]), 0);
}

/* What has arrived in a context's queues; each receive is posted anew. */
static unsigned int drain(unsigned int c, uint32_t *hits)
{
	struct pnic_wc wc[16];
	unsigned int k, n = 0;
	int got, i;

	for (k = 0; k < PER_CONTEXT / PER_QUEUE; k++) {
		while ((got = pnic_poll(crowd.cq[c][k], wc, 16))) {
			for (i = 0; i < got; i++) {
				CHECK_EQ(wc[i].status, PNIC_ST_OK);
				CHECK_EQ(wc[i].data, wc[i].epn);
				hits[wc[i].epn & 0xffff]++;
				REQUIRE_EQ(pnic_srq_post(crowd.srq[c], crowd.mem, 64, crowd.mr[c]->key, 0), 0);
			}
			n += got;
		}
	}
	pnic_srq_ring(crowd.srq[c]);
	return n;
}

KTAP_TEST(ten_thousand_endpoints)
{
	struct end_attr attr = { .size = 4096, .rnr_timeout_us = 30000000 };
	static uint32_t hits[65536];
	unsigned int i, k, round, sent = 0, got = 0;
	struct tenths t = { 0 };
	size_t held;
	uint64_t end;

	begin();
	REQUIRE_EQ(end_open(&one, 0, &attr), 0);
	open_crowd(1);
	SUBTEST("made")
		TENTHS(&t, ENDPOINTS, i, make_ep(i));
	print_tenths("endpoint", &t);
	for (i = 0; i < CONTEXTS; i++) {
		for (k = 0; k < 64; k++)
			REQUIRE_EQ(pnic_srq_post(crowd.srq[i], crowd.mem, 64, crowd.mr[i]->key, 0), 0);
		pnic_srq_ring(crowd.srq[i]);
	}
	SUBTEST("one endpoint sends to each of them, ten times: a hundred thousand destinations") {
		held = mallinfo2().uordblks;
		for (round = 0; round < ROUNDS; round++) {
			for (i = 0; i < ENDPOINTS; i++) {
				struct pnic_addr to = crowd.ep[i]->addr;
				struct pnic_wc wc;

				while (pnic_post_send_imm(one.ep, to, "peer", 4, 0, to.ep, i, PNIC_SQF_INLINE) == -EAGAIN) {
					pnic_ring(one.ep);
					CHECK_EQ(pnic_poll(one.cq, &wc, 1), 0);
					for (k = 0; k < CONTEXTS; k++)
						got += drain(k, hits);
				}
				sent++;
				if (i % 64 == 63)
					pnic_ring(one.ep);
			}
		}
		pnic_ring(one.ep);
		for (end = now_ns() + WAIT_MS * 1000000ull; got < sent && now_ns() < end;)
			for (k = 0; k < CONTEXTS; k++)
				got += drain(k, hits);
		CHECK_EQ(sent, ROUNDS * ENDPOINTS);
		CHECK_EQ(got, sent);
		for (i = 0; i < ENDPOINTS; i++)
			if (hits[crowd.ep[i]->addr.ep & 0xffff] != ROUNDS)
				break;
		CHECK_EQ(i, ENDPOINTS);
		/* A card in the process takes memory of its own. */
		if (!dev_embedded())
			CHECK_EQ(mallinfo2().uordblks, held);
	}
	close_crowd();
	end_close(&one);
}

static struct pnic_mr *regions[REGIONS];

KTAP_TEST(a_hundred_thousand_regions)
{
	struct end_attr attr = { .size = 1 << 20 };
	struct tenths t = { 0 };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 16 };
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = 16 };
	struct pnic_addr to;
	struct pnic_ctx *ctx;
	struct pnic_ep *ep;
	unsigned int i;
	char name[64];
	uint8_t *mem;

	begin();
	REQUIRE_EQ(end_open(&one, 0, &attr), 0);
	dev_name(1, name, sizeof(name));
	REQUIRE_EQ(pnic_open(name, NULL, &ctx), 0);
	REQUIRE_EQ(pnic_cq_create(ctx, &ca, &ea.send_cq), 0);
	REQUIRE_EQ(pnic_ep_create(ctx, &ea, &ep), 0);
	pnic_ep_addr(ep, &to);
	mem = aligned_alloc(4096, 1 << 20);
	REQUIRE(mem);
	SUBTEST("made") {
		int err = 0;

		/* Each pins a page of its own account. */
		TENTHS(&t, REGIONS, i, err |= err ? err : pnic_mr_reg(ctx, mem + i * 8, 8, ALL_RIGHTS, &regions[i]));
		if (err == -ENOMEM)
			SKIP("not allowed to lock so much");
		REQUIRE_EQ(err, 0);
	}
	print_tenths("region", &t);
	SUBTEST("each is its own: its bytes under its key, and no others") {
		memset(mem, 0, 1 << 20);
		for (i = 0; i < REGIONS; i += 997) {
			REQUIRE_EQ(pnic_post_write(one.ep, to, &i, 4, 0, (uintptr_t)mem + i * 8, regions[i]->key, i,
						   PNIC_SQF_INLINE | PNIC_SQF_SIGNALED), 0);
			pnic_ring(one.ep);
			CHECK_EQ(end_status(&one, WAIT_MS), PNIC_ST_OK);
			CHECK(!memcmp(mem + i * 8, &i, 4));
			REQUIRE_EQ(pnic_post_write(one.ep, to, &i, 4, 0, (uintptr_t)mem + i * 8 + 5, regions[i]->key, i,
						   PNIC_SQF_INLINE), 0);
			pnic_ring(one.ep);
			CHECK_EQ(end_status(&one, WAIT_MS), PNIC_ST_REMOTE_BOUNDS);
		}
	}
	SUBTEST("and gone") {
		for (i = 0; i < REGIONS; i++)
			if (pnic_mr_dereg(regions[i]))
				break;
		CHECK_EQ(i, REGIONS);
	}
	pnic_close(ctx);
	free(mem);
	end_close(&one);
}

KTAP_MAIN()
