/* SPDX-License-Identifier: GPL-2.0 */
/* For tests of one card at a time: two cards as they come, and on one of them an object of each kind. */
#ifndef PNIC_TEST_CARD_OBJECTS_H
#define PNIC_TEST_CARD_OBJECTS_H

#include "card_host.h"

TH_UNUSED static void open_two(struct th *t)
{
	struct pm_fabric_config c;

	th_config(&c, 2, "test-16");
	th_open_config(t, &c, 8192);
}

static struct th_cq cq0;
static struct th_ep ep0;
static struct th_mr mr0;
static uint64_t scratch;

TH_UNUSED static void make_objects(struct th_host *h)
{
	const struct th_ep_opts o = { .sq_log = 4, .rq_log = 4 };

	th_up(h);
	th_ctx(h, 1, 7);
	th_cq(h, &cq0, 0, 1, 4);
	th_ep(h, &ep0, 0, &cq0, &cq0, o);
	th_mr(h, &mr0, 0, 1, 10000, TH_RIGHTS_ALL);
	scratch = th_alloc(h, 64 * TH_PAGE);
}

#endif /* PNIC_TEST_CARD_OBJECTS_H */
