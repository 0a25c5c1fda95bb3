/* SPDX-License-Identifier: GPL-2.0 */
/* For tests of transfers: two cards with everything that it takes to send from one to the other. */
#ifndef PNIC_TEST_CARD_PAIR_H
#define PNIC_TEST_CARD_PAIR_H

#include "card_host.h"

/* Two cards, a context, queues, an endpoint and a region on each. */
struct pair {
	struct th t;
	struct th_cq scq[2], rcq[2];
	struct th_ep ep[2];
	struct th_mr mr[2];
};

#define MR_LEN	(3u << 20)

TH_UNUSED static void pair_config(struct pm_fabric_config *c)
{
	th_config(c, 2, "test-16");
}

TH_UNUSED static void pair_open_config(struct pair *p, const struct pm_fabric_config *c, struct th_ep_opts o,
				       uint8_t cq_log)
{
	unsigned int i;

	th_open_config(&p->t, c, 12288);
	for (i = 0; i < 2; i++) {
		struct th_host *h = &p->t.h[i];

		th_up(h);
		th_ctx(h, 1, 5);
		th_cq(h, &p->scq[i], 0, 1, cq_log);
		th_cq(h, &p->rcq[i], 1, 1, cq_log);
		th_ep(h, &p->ep[i], 10 + i, &p->scq[i], &p->rcq[i], o);
		th_mr(h, &p->mr[i], 3 + i, 1, MR_LEN, TH_RIGHTS_ALL);
	}
}

TH_UNUSED static void pair_open(struct pair *p, struct th_ep_opts o, uint8_t cq_log)
{
	struct pm_fabric_config c;

	pair_config(&c);
	pair_open_config(p, &c, o, cq_log);
}

TH_UNUSED static void pair_close(struct pair *p)
{
	th_mr_free(&p->mr[0]);
	th_mr_free(&p->mr[1]);
	th_close(&p->t);
}

TH_UNUSED static const struct th_ep_opts plain = { .sq_log = 6, .rq_log = 6, .rnr_us = 1000000 };

#endif /* PNIC_TEST_CARD_PAIR_H */
