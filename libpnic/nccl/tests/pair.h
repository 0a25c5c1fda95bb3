/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* A connection whose both ends are in one thread, by the newest version's door; for the tests of one program each. */
#ifndef PNIC_NCCL_TEST_PAIR_H
#define PNIC_NCCL_TEST_PAIR_H

#include <string.h>
#include <time.h>

#include <pnic_embedded.h>

#include "../core.h"
#include "faults.h"
#include "rings.h"
#include "selftests/ktap.h"

#define MB	(1UL << 20)

static const struct door *const newest = &doors[DOORS - 1];
static void *ctx;			/* of the newest version */

KTAP_UNUSED static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct pair {
	const struct door *d;
	char handle[NCCL_HANDLE_SIZE] __attribute__((aligned(8)));
	void *lc, *sc, *rc;
	char *sbuf, *rbuf;
	size_t size;
	void *smh, *rmh;
};

KTAP_UNUSED static void pair_connect(struct pair *p, const struct door *d, int sdev, int rdev)
{
	double end = seconds() + 30;

	p->d = d;
	REQUIRE_EQ(d->listen(ctx, rdev, p->handle, &p->lc), 0);
	while ((!p->sc || !p->rc) && seconds() < end) {
		if (!p->sc)
			REQUIRE_EQ(d->connect(ctx, sdev, p->handle, &p->sc), 0);
		if (!p->rc)
			REQUIRE_EQ(d->accept(p->lc, &p->rc), 0);
	}
	REQUIRE(p->sc && p->rc);
}

KTAP_UNUSED static void pair_memory(struct pair *p, size_t size)
{
	p->size = size;
	p->sbuf = aligned_alloc(4096, size);
	p->rbuf = aligned_alloc(4096, size);
	REQUIRE(p->sbuf && p->rbuf);
	memset(p->sbuf, 0x11, size);
	memset(p->rbuf, 0x22, size);
	REQUIRE_EQ(p->d->reg(p->sc, p->sbuf, size, NCCL_PTR_HOST, &p->smh), 0);
	REQUIRE_EQ(p->d->reg(p->rc, p->rbuf, size, NCCL_PTR_HOST, &p->rmh), 0);
}

KTAP_UNUSED static void pair_close(struct pair *p)
{
	if (p->smh)
		CHECK_EQ(p->d->dereg(p->sc, p->smh), 0);
	if (p->rmh)
		CHECK_EQ(p->d->dereg(p->rc, p->rmh), 0);
	if (p->sc)
		CHECK_EQ(p->d->close_send(p->sc), 0);
	if (p->rc)
		CHECK_EQ(p->d->close_recv(p->rc), 0);
	if (p->lc)
		CHECK_EQ(p->d->close_listen(p->lc), 0);
	free(p->sbuf);
	free(p->rbuf);
	memset(p, 0, sizeof(*p));
}

KTAP_UNUSED static nccl_result recv_one(struct pair *p, size_t at, size_t size, int tag, void **req)
{
	void *data = p->rbuf + at;

	*req = NULL;
	return p->d->irecv(p->rc, 1, &data, &size, &tag, &p->rmh, req);
}

KTAP_UNUSED static nccl_result send_one(struct pair *p, size_t at, size_t size, int tag, void **req)
{
	*req = NULL;
	return p->d->isend(p->sc, p->sbuf + at, size, tag, p->smh, req);
}

/* Tries until there is a request, or an error. */
KTAP_UNUSED static nccl_result send_sure(struct pair *p, size_t at, size_t size, int tag, void **req)
{
	double end = seconds() + 30;
	nccl_result res;

	do
		res = send_one(p, at, size, tag, req);
	while (!res && !*req && seconds() < end);
	return res;
}

/* Until the request is over, or an error. */
KTAP_UNUSED static nccl_result finish(struct pair *p, void *req, int *sizes)
{
	double end = seconds() + 30;
	nccl_result res;
	int done = 0;

	do
		res = p->d->test(req, &done, sizes);
	while (!res && !done && seconds() < end);
	return res ? res : done ? 0 : -1;
}

/* Two virtual devices, of two cards each. */
KTAP_UNUSED static void fuse_pairs(int dev[2])
{
	static const int pair[2][2] = { { 0, 1 }, { 2, 3 } };

	REQUIRE_EQ(newest->fuse(&dev[0], 2, pair[0]), 0);
	REQUIRE_EQ(newest->fuse(&dev[1], 2, pair[1]), 0);
}

/* The first card of the other world has lost lanes. */
KTAP_UNUSED static bool narrow(void *arg)
{
	struct pnic_status_page page;

	(void)arg;
	return !pnic_link_status(card(CARDS), &page) && page.width < 400 && page.width > 0;
}

/* All tests of the program, but those that @threads names under the thread sanitizer, unless others are asked for. */
KTAP_UNUSED static int pair_main(int argc, char **argv, char **threads, int count)
{
	int res;

	ktap.timeout_s = 240;
	setvbuf(stdout, NULL, _IOLBF, 0);
	cards_name();
	if (!doors_open(getenv("PNIC_TEST_PLUGIN")) || newest->init(&ctx, 1) || !cards_open())
		return 2;
#ifdef __SANITIZE_THREAD__
	if (argc == 1) {
		argc = count;
		argv = threads;
	}
#else
	(void)threads;
	(void)count;
#endif
	res = ktap_main(argc, argv);
	cards_close();
	newest->finalize(ctx);
	return res;
}

#endif /* PNIC_NCCL_TEST_PAIR_H */
