// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A whole life of a context again and again, each time with the next allocation or mapping failing,
 * until none does: every failure is told, nothing is left behind, and what was there before still works.
 */
#include "fakecard.h"
#include "selftests/ktap.h"

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

static int fail_calloc, live;		/* fails when it counts down to 0 */

/* The linker sends the library's calls here. */
void *__wrap_calloc(size_t n, size_t size)
{
	if (fail_calloc && !--fail_calloc)
		return NULL;
	return __real_calloc(n, size);
}

/* 0, or the first error. */
static int life(void)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = 64 };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 16, .rq_entries = 16 };
	struct pnic_ctx *ctx;
	struct pnic_ep *ep;
	struct pnic_mr *mr;
	struct pnic_wc wc;
	int err;

	err = pnic_open_backend(&fake_backend, "fake0", NULL, &ctx);
	if (err)
		return err;
	live++;
	err = pnic_mr_reg(ctx, &ca, sizeof(ca), 0, &mr);
	if (!err)
		err = pnic_cq_create(ctx, &ca, &ea.send_cq);
	if (!err)
		err = pnic_ep_create(ctx, &ea, &ep);
	/* With an endpoint there, a second one may fail without hurting the first. */
	if (!err) {
		struct pnic_ep *second = NULL;

		ea.rq_entries = 0;
		err = pnic_ep_create(ctx, &ea, &second);
		REQUIRE_EQ(pnic_post_flush(ep, 1, PNIC_SQF_SIGNALED), 0);
		pnic_ring(ep);
		while (fake_step())
			;
		CHECK_EQ(pnic_poll(ea.send_cq, &wc, 1), 1);
	}
	pnic_close(ctx);
	return err;
}

static void check_failure(int err, int n)
{
	int i, left = 0;

	CHECK_EQ(err, -ENOMEM);
	CHECK(*pnic_last_error());
	CHECK_EQ(fake.maps, 0);
	for (i = 0; i < FAKE_MAX_EP; i++)
		left += fake.ep[i].used || fake.cq[i].used || fake.mr[i].used;
	if (left)
		ktap_failed(__FILE__, __LINE__, "failure %d: %d objects are left", n, left);
}

KTAP_TEST(allocations)
{
	int n, err = -1;

	for (n = 1; err && n < 100; n++) {
		fake_reset();
		fail_calloc = n;
		err = life();
		if (err)
			check_failure(err, n);
	}
	fail_calloc = 0;
	CHECK_EQ(err, 0);
	/* Contexts, the fake device, region, queue, endpoints, doorbell page. */
	CHECK_GE(n, 8);
	CHECK_GE(live, 3);
}

KTAP_TEST(mappings)
{
	int n, err = -1;

	for (n = 1; err && n < 100; n++) {
		fake_reset();
		fake.fail_map = n;
		err = life();
		if (err)
			check_failure(err, n);
	}
	CHECK_EQ(err, 0);
	/* Status page, queue, doorbell page, wake page, three rings. */
	CHECK_EQ(n - 2, 7);
}

KTAP_MAIN()
