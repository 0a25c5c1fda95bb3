// SPDX-License-Identifier: GPL-2.0
/*
 * How fast the model moves data and messages, and how well its line is used.
 *
 * Real time depends on the machine, so those figures are told and not judged, but for ratios of one run that only a
 * mistake of its order can miss. Link efficiency is simulated time and is judged.
 */
#include <sys/mman.h>

#include "card_host.h"

#define SPAN	(64u << 20)

/* A linear host, as a guest's memory is: one piece of DMA space. */
static void *linear_dma(void *host, uint64_t addr, size_t *len, bool write)
{
	struct th_host *h = host;
	uint64_t off = addr - TH_DMA_BASE, size = (uint64_t)h->pages * TH_PAGE;

	(void)write;
	if (addr < TH_DMA_BASE || off >= size)
		return NULL;
	if (*len > size - off)
		*len = size - off;
	return h->mem + off;
}

static const struct pm_host_ops linear_ops = { .dma = linear_dma, .irq = th_irq };

struct rate {
	struct th t;
	struct th_cq cq[2];
	struct th_ep ep[2];
	struct th_mr mr[2];
};

static void rate_open(struct rate *r, const char *profile)
{
	const struct th_ep_opts o = { .sq_log = 8, .rq_log = 4, .rnr_us = 1000 };
	struct pm_fabric_config c;
	unsigned int i;

	th_config(&c, 2, profile);
	th_open_config(&r->t, &c, SPAN / TH_PAGE + 1024);
	for (i = 0; i < 2; i++) {
		struct th_host *h = &r->t.h[i];
		uint32_t k;

		for (k = 0; k < h->pages; k++)
			h->map[k] = k;
		pm_card_attach(h->card, &linear_ops, h);
		th_up(h);
		th_ctx(h, 1, 0);
		th_cq(h, &r->cq[i], 0, 1, 9);
		th_ep(h, &r->ep[i], i, &r->cq[i], &r->cq[i], o);
		th_mr(h, &r->mr[i], 0, 1, SPAN, TH_RIGHTS_ALL);
	}
}

static void rate_close(struct rate *r)
{
	th_mr_free(&r->mr[0]);
	th_mr_free(&r->mr[1]);
	th_close(&r->t);
}

/* Keeps up to @depth of @n posts under way. */
static void run(struct rate *r, struct pnic_sqe *s, const uint8_t *desc, unsigned int n, unsigned int depth,
		uint32_t step)
{
	unsigned int posted = 0, done = 0;
	struct pnic_cqe e;

	while (done < n) {
		unsigned int before = posted;

		while (posted < n && posted - done < depth) {
			if (step) {
				uint64_t off = (uint64_t)posted * step % (SPAN - step + 1) / step * step;

				s->local_addr = htole64(r->mr[0].va + off);
				s->remote_addr = htole64(r->mr[1].va + off);
			}
			th_put(&r->ep[0], desc ? (const void *)desc : s, s->num_slots);
			posted++;
		}
		if (posted != before)
			th_go(&r->ep[0]);
		th_step(&r->t);
		while (th_cq_poll(&r->cq[0], &e)) {
			REQUIRE_EQ(th_status(&e), PNIC_ST_OK);
			done++;
		}
	}
}

static double memcpy_rate(struct rate *r, unsigned int n)
{
	double t0 = th_real();
	unsigned int i;

	for (i = 0; i < n; i++) {
		uint64_t off = (uint64_t)(i % 63) << 20;

		memcpy(r->t.h[1].mem + (1 << 20) + off, r->t.h[0].mem + (1 << 20) + off, 1 << 20);
	}
	return n * 1048576.0 / 1e9 / (th_real() - t0);
}

KTAP_TEST(write_bandwidth)
{
	const unsigned int n = 2000;
	struct pnic_counters c;
	double t0, gbs, plain, eff, line;
	struct pnic_sqe s;
	struct rate r;

	rate_open(&r, "mosaic-800g");
	th_mr_fill(&r.mr[0], 0, SPAN, 1);
	s = th_sqe(PNIC_OP_WRITE, &r.ep[1], &r.mr[0], 0, 1 << 20);
	th_remote(&s, &r.mr[1], 0);
	run(&r, &s, NULL, 64, 32, 1 << 20);
	CHECK_EQ(th_mr_wrong(&r.mr[1], 0, 63u << 20, 1), 0);
	t0 = th_real();
	run(&r, &s, NULL, n, 32, 1 << 20);
	gbs = n * 1048576.0 / 1e9 / (th_real() - t0);
	memcpy_rate(&r, 64);
	plain = memcpy_rate(&r, n);
	pm_card_counters(r.t.h[0].card, &c);
	line = le64toh(c.line_bits_tx);
	eff = le64toh(c.payload_tx) * 8.0 / line;
	ktap_say("1 MiB writes: %.2f GB/s, memcpy of the same bytes %.2f GB/s (%.0f %%)", gbs, plain,
		 100 * gbs / plain);
	ktap_say("link efficiency: payload %.4f of the line bits", eff);
	CHECK(eff > 0.90);
	CHECK(gbs * 20 > plain);
	rate_close(&r);
}

KTAP_TEST(message_rate)
{
	const unsigned int n = 300000;
	struct pnic_sqe s;
	double t0, rate;
	uint64_t left;
	struct rate r;

	rate_open(&r, "mosaic-800g");
	s = th_sqe(PNIC_OP_WRITE, &r.ep[1], NULL, 0, 8);
	s.flags |= PNIC_SQF_INLINE;
	th_remote(&s, &r.mr[1], 64);
	s.local_addr = htole64(0x1234567890abcdefull);
	run(&r, &s, NULL, 1000, 64, 0);
	t0 = th_real();
	run(&r, &s, NULL, n, 128, 0);
	rate = n / (th_real() - t0);
	ktap_say("8-byte inline writes: %.0f messages/s", rate);
	CHECK_EQ(memcmp(th_mr_at(&r.mr[1], 64, &left), &s.local_addr, 8), 0);
	rate_close(&r);
}

/* A hundred endpoints' worth of idle doorbells for each busy one. */
KTAP_TEST(ten_thousand_endpoints)
{
	const unsigned int eps = 10000, n = 100000;
	const struct th_ep_opts o = { .sq_log = 4, .rq_log = 0, .rnr_us = 1000 };
	struct th_ep *idle = calloc(eps, sizeof(*idle));
	struct pnic_sqe s;
	struct rate r;
	double t0, before, after;
	unsigned int i;

	REQUIRE(idle);
	rate_open(&r, "mosaic-800g");
	s = th_sqe(PNIC_OP_WRITE, &r.ep[1], NULL, 0, 8);
	s.flags |= PNIC_SQF_INLINE;
	th_remote(&s, &r.mr[1], 64);
	run(&r, &s, NULL, 1000, 64, 0);
	t0 = th_real();
	run(&r, &s, NULL, n, 128, 0);
	before = n / (th_real() - t0);
	for (i = 0; i < eps; i++) {
		uint32_t ctx = 2 + i / 200;
		static struct th_cq cq;

		/* All rings on the same few pages: nobody rings them. */
		if (i % 200 == 0) {
			th_ctx(&r.t.h[0], ctx, 0);
			r.t.h[0].used = SPAN / TH_PAGE + 900;
			th_cq(&r.t.h[0], &cq, ctx, ctx, 4);
		}
		r.t.h[0].used = SPAN / TH_PAGE + 910;
		th_ep(&r.t.h[0], &idle[i], 100 + i, &cq, &cq, o);
	}
	t0 = th_real();
	run(&r, &s, NULL, n, 128, 0);
	after = n / (th_real() - t0);
	ktap_say("8-byte inline writes beside 10000 idle endpoints: %.0f messages/s, alone %.0f", after, before);
	CHECK(after * 4 > before);
	SUBTEST("the last of them is found when it rings") {
		struct pnic_cqe e;
		struct th_cq *cq = idle[eps - 1].scq;

		s = th_sqe(PNIC_OP_NOP, &r.ep[1], NULL, 0, 0);
		th_post(&idle[eps - 1], &s);
		CHECK_EQ(th_wait(cq, &e), PNIC_ST_OK);
	}
	free(idle);
	rate_close(&r);
}

KTAP_MAIN()
