// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Puts over several cards as one: the first half of the ranks are the rails of the end that sends, the others
 * those of the end that receives.
 */
#include <errno.h>

#include <pnic_rails.h>

#include "perf.h"

struct side {
	struct pnic_rails *rails;
	struct pnic_rails_ep *ep;
	struct pnic_rails_mr *mr;
};

static int side_open(struct side *s, const struct perf_run *r, unsigned int first)
{
	char text[PERF_RANKS][64];
	const char *names[PERF_RANKS];
	struct pnic_rails_attr attr = { .size = sizeof(attr), .names = names, .count = r->ends / 2 };
	unsigned int i;
	int err;

	for (i = 0; i < attr.count; i++) {
		snprintf(text[i], sizeof(text[i]), "%s%u", r->o->devices, first + i);
		names[i] = text[i];
	}
	err = pnic_rails_open(&attr, &s->rails);
	if (!err)
		err = pnic_rails_mr_reg(s->rails, r->end[first].mem, r->mem, PNIC_MRF_LOCAL_WRITE | PNIC_MRF_REMOTE_WRITE,
					&s->mr);
	if (!err)
		err = pnic_rails_ep_create(s->rails, NULL, &s->ep);
	return err;
}

static void side_close(struct side *s)
{
	pnic_rails_ep_destroy(s->ep);
	pnic_rails_close(s->rails);
}

/* Until one end of a transfer came at @from and one message at @to. */
static int both_ends(struct perf_run *r, struct side *from, struct side *to)
{
	bool sent = false, got = false;
	struct pnic_rails_wc wc;

	while (!sent || !got) {
		if (!sent && pnic_rails_poll(from->ep, &wc, 1)) {
			if (wc.status) {
				r->bad_status = wc.status;
				return -EIO;
			}
			sent = true;
		}
		got |= !got && pnic_rails_poll(to->ep, &wc, 1);
	}
	return 0;
}

static int rounds(struct perf_run *r, struct perf_row *row, struct side *from, struct side *to)
{
	struct pnic_rails_addr addr;
	struct pnic_rails_peer *peer;
	struct pnic_rails_key key;
	uint64_t n;
	double t;
	int err;

	pnic_rails_ep_addr(to->ep, &addr);
	pnic_rails_mr_key(to->mr, &key);
	err = pnic_rails_peer_add(from->ep, &addr, NULL, &peer);
	for (n = 0; !err && n < row->count; n++) {
		if (r->o->verify)
			perf_fill(r->end[0].mem, row->size, n);
		t = perf_now_ns();
		err = pnic_rails_write_imm(peer, r->end[0].mem, row->size, from->mr, key.addr, &key, (uint32_t)n, n, 0);
		if (!err)
			err = both_ends(r, from, to);
		r->ns[n] = perf_now_ns() - t;
		if (!err && r->o->verify)
			perf_check(row, r->end[r->ends / 2].mem, row->size, n);
	}
	return err;
}

int perf_rails(struct perf_run *r, struct perf_row *row)
{
	struct side from = { 0 }, to = { 0 };
	int err;

	err = side_open(&from, r, 0);
	if (!err)
		err = side_open(&to, r, r->ends / 2);
	if (!err)
		err = rounds(r, row, &from, &to);
	side_close(&from);
	side_close(&to);
	return err;
}
