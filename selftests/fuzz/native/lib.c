// SPDX-License-Identifier: GPL-2.0
/*
 * The library's calls on an embedded card, in any order and with any arguments but dead pointers: no crash, no
 * leak, and each transfer that was posted signalled ends at most once.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <pnic.h>
#include <pnic_embedded.h>

#include "native.h"

#define CTXS	2
#define PLACES	4
#define MEM	65536
#define CALLS	200

struct bytes {
	const uint8_t *at;
	size_t left;
};

static struct pnic_ctx *ctx[CTXS];
static struct pnic_mr *mr[CTXS][PLACES];
static struct pnic_cq *cq[CTXS][PLACES];
static struct pnic_srq *srq[CTXS][PLACES];
static struct pnic_ctr *ctr[CTXS][PLACES];
static struct pnic_ep *ep[CTXS][PLACES];
static uint8_t mem[CTXS][MEM] __attribute__((aligned(4096)));
/* Of transfers by their cookie: begun, and not over. */
static uint8_t under_way[65536];
static uint32_t cookie;

static uint64_t take(struct bytes *b, unsigned int n)
{
	uint64_t v = 0;

	if (n > b->left)
		n = (unsigned int)b->left;
	memcpy(&v, b->at, n);
	b->at += n;
	b->left -= n;
	return v;
}

/* Mostly something sensible, now and then anything. */
static uint64_t number(struct bytes *b, uint64_t usual)
{
	uint8_t kind = (uint8_t)take(b, 1);

	if (kind < 180)
		return usual;
	return kind < 220 ? kind - 180u : take(b, 8);
}

static void taken(const struct pnic_wc *wc, int n)
{
	for (; n > 0; n--, wc++) {
		if (wc->opcode & 0x80)
			continue;
		/* Those that were not signalled end only if they fail. */
		if (under_way[wc->cookie & 0xffff] == 2)
			abort();
		if (under_way[wc->cookie & 0xffff] == 1)
			under_way[wc->cookie & 0xffff] = 2;
	}
}

static void poll_all(unsigned int c)
{
	struct pnic_wc wc[8];
	unsigned int i;
	int n;

	for (i = 0; i < PLACES; i++) {
		if (!cq[c][i])
			continue;
		n = pnic_poll(cq[c][i], wc, 8);
		if (n < 0 || n > 8)
			abort();
		taken(wc, n);
	}
}

static void create(struct bytes *b, unsigned int c, unsigned int i)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .flags = (uint32_t)number(b, 0) & ~PNIC_CQ_EVENTFD,
				   .entries = (uint32_t)number(b, 256) };
	struct pnic_srq_attr sa = { .size = sizeof(sa), .entries = (uint32_t)number(b, 16) };
	struct pnic_ctr_attr ta = { .size = sizeof(ta) };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .flags = (uint32_t)number(b, 0), .sq_slots = (uint32_t)number(b, 16),
				   .rq_entries = (uint32_t)number(b, 16), .send_cq = cq[c][take(b, 1) % PLACES],
				   .recv_cq = cq[c][take(b, 1) % PLACES], .rnr_timeout_us = (uint32_t)number(b, 10) };
	uint64_t off = number(b, 0) % MEM;

	switch (take(b, 1) % 5) {
	case 0:
		if (!mr[c][i] && pnic_mr_reg(ctx[c], mem[c] + off, number(b, 4096) % (MEM - off + 1),
					     (uint32_t)number(b, 0xf), &mr[c][i]))
			mr[c][i] = NULL;
		break;
	case 1:
		if (!cq[c][i] && pnic_cq_create(ctx[c], &ca, &cq[c][i]))
			cq[c][i] = NULL;
		break;
	case 2:
		if (!srq[c][i] && pnic_srq_create(ctx[c], &sa, &srq[c][i]))
			srq[c][i] = NULL;
		break;
	case 3:
		if (!ctr[c][i] && pnic_ctr_create(ctx[c], &ta, &ctr[c][i]))
			ctr[c][i] = NULL;
		break;
	default:
		if (take(b, 1) % 4 == 0) {
			ea.srq = srq[c][take(b, 1) % PLACES];
			ea.rq_entries = 0;
		}
		if (!ep[c][i] && pnic_ep_create(ctx[c], &ea, &ep[c][i]))
			ep[c][i] = NULL;
		break;
	}
}

static void destroy(struct bytes *b, unsigned int c, unsigned int i)
{
	switch (take(b, 1) % 5) {
	case 0:
		if (mr[c][i] && !pnic_mr_dereg(mr[c][i]))
			mr[c][i] = NULL;
		break;
	case 1:
		if (!pnic_cq_destroy(cq[c][i]))
			cq[c][i] = NULL;
		break;
	case 2:
		if (!pnic_srq_destroy(srq[c][i]))
			srq[c][i] = NULL;
		break;
	case 3:
		if (!pnic_ctr_destroy(ctr[c][i]))
			ctr[c][i] = NULL;
		break;
	default:
		if (!pnic_ep_destroy(ep[c][i]))
			ep[c][i] = NULL;
		break;
	}
}

static void post(struct bytes *b, struct pnic_ep *e, unsigned int c)
{
	struct pnic_mr *near = mr[c][take(b, 1) % PLACES], *far = mr[!c][take(b, 1) % PLACES];
	struct pnic_ep *peer = ep[!c][take(b, 1) % PLACES];
	struct pnic_addr to = { (uint32_t)number(b, peer ? peer->addr.nic : 0), (uint32_t)number(b, peer ? peer->addr.ep : 0) };
	unsigned int flags = (unsigned int)take(b, 1) & (PNIC_SQF_SIGNALED | PNIC_SQF_FENCE | PNIC_SQF_INLINE);
	uint64_t key = number(b, near ? near->key : 0), rkey = number(b, far ? far->key : 0);
	uint64_t raddr = number(b, far ? (uint64_t)(uintptr_t)far->addr : 0);
	/* Inline bytes are read now, so they must be there; others may be anywhere, the card checks. */
	uint32_t length = (uint32_t)number(b, 64), max = flags & PNIC_SQF_INLINE ? 512 : UINT32_MAX;
	struct pnic_buf bufs[2] = { { near ? near->addr : mem[c], key, length, 0 }, { mem[c], key, length, 0 } };
	struct pnic_sig sig = { raddr & ~7ull, rkey, take(b, 1), (uint32_t)number(b, 0), 0 };
	void *buf = near && !(flags & PNIC_SQF_INLINE) ? near->addr : mem[c];
	uint32_t id = ++cookie & 0xffff;
	int err;

	if (length > max)
		length = max;
	switch (take(b, 1) % 12) {
	case 0:
		err = pnic_post_send(e, to, buf, length, key, id, flags);
		break;
	case 1:
		err = pnic_post_send_imm(e, to, buf, length, key, id, id, flags);
		break;
	case 2:
		err = pnic_post_write(e, to, buf, length, key, raddr, rkey, id, flags);
		break;
	case 3:
		err = pnic_post_write_imm(e, to, buf, length, key, raddr, rkey, id, id, flags);
		break;
	case 4:
		err = pnic_post_read(e, to, buf, length, key, raddr, rkey, id, flags);
		break;
	case 5:
		err = pnic_post_fetch_add(e, to, length, raddr, rkey, 1, id, flags);
		break;
	case 6:
		err = pnic_post_comp_swap(e, to, length, raddr, rkey, 1, 2, id, flags);
		break;
	case 7:
		err = pnic_post_flush(e, id, flags);
		break;
	case 8:
		err = pnic_post_write_signal(e, to, buf, length, key, raddr, rkey, &sig, id, flags);
		break;
	case 9:
		err = pnic_post_sendv(e, to, bufs, (unsigned int)take(b, 1) % 3, id, flags);
		break;
	case 10:
		err = pnic_post_readv(e, to, bufs, (unsigned int)take(b, 1) % 3, raddr, rkey, id, flags);
		break;
	default:
		pnic_post_recv(e, buf, length, key, id);
		return;
	}
	if (!err)
		under_way[id] = 1;
}

static void one(struct bytes *b)
{
	unsigned int c = (unsigned int)take(b, 1) % CTXS, i = (unsigned int)take(b, 1) % PLACES;
	struct pnic_ep *e = ep[c][i];

	switch (take(b, 1) % 10) {
	case 0:
	case 1:
		create(b, c, i);
		break;
	case 2:
		destroy(b, c, i);
		break;
	case 3:
	case 4:
	case 5:
		if (e)
			post(b, e, c);
		break;
	case 6:
		if (e) {
			pnic_ring(e);
			pnic_ring_recv(e);
		}
		break;
	case 7:
		poll_all(c);
		break;
	case 8:
		if (srq[c][i]) {
			pnic_srq_post(srq[c][i], mem[c], (uint32_t)number(b, 64), number(b, mr[c][0] ? mr[c][0]->key : 0), 1);
			pnic_srq_ring(srq[c][i]);
			pnic_srq_cancel(srq[c][i], number(b, 1));
		}
		break;
	default:
		if (e && take(b, 1) % 2)
			pnic_ep_reset(e);
		else if (e)
			pnic_ctr_bind(e, ctr[c][take(b, 1) % PLACES], (uint32_t)number(b, 1));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[CTXS] = { "embedded:profile=test-16,nic=0", "embedded:profile=test-16,nic=1" };
	struct bytes b = { data, size };
	unsigned int c, i, n;

	for (c = 0; c < CTXS; c++)
		if (pnic_open(names[c], NULL, &ctx[c]))
			abort();
	memset(under_way, 0, sizeof(under_way));
	for (n = 0; n < CALLS && b.left; n++)
		one(&b);
	for (n = 0; n < 4; n++)
		for (c = 0; c < CTXS; c++)
			poll_all(c);
	for (c = 0; c < CTXS; c++) {
		pnic_close(ctx[c]);
		for (i = 0; i < PLACES; i++) {
			mr[c][i] = NULL;
			cq[c][i] = NULL;
			srq[c][i] = NULL;
			ctr[c][i] = NULL;
			ep[c][i] = NULL;
		}
	}
	return 0;
}
