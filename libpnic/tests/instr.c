// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Counted by callgrind (instr.sh): what a post, a poll and an empty poll cost in instructions.
 *
 *	instr post|poll|empty CALLS SLOTS ENDPOINTS REGIONS
 *
 * Each is a function of its own, so that callgrind can count in it only: in what a program gets that
 * includes the header. The card is embedded, and works outside of them; an empty queue is looked at as on a card that
 * nobody has to drive.
 */
#include <stdio.h>
#include <stdlib.h>

#include <pnic.h>

#define OK(x) do { if (x) { fprintf(stderr, "%s: %s\n", #x, pnic_last_error()); exit(1); } } while (0)

static struct pnic_ep *ep, *to;
static struct pnic_cq *cq;
static struct pnic_mr *mr;
static uint64_t mem[8];

__attribute__((noipa, flatten)) static int counted_post(struct pnic_ep *e, struct pnic_addr addr, uint64_t raddr,
						  uint64_t rkey, const uint64_t *value)
{
	return pnic_post_write(e, addr, value, 8, 0, raddr, rkey, 1, PNIC_SQF_INLINE | PNIC_SQF_SIGNALED);
}

__attribute__((noipa, flatten)) static int counted_poll(struct pnic_cq *q, struct pnic_wc *wc)
{
	return pnic_poll(q, wc, 1);
}

__attribute__((noipa, flatten)) static int counted_empty(struct pnic_cq *q, struct pnic_wc *wc)
{
	return pnic_poll(q, wc, 1);
}

static void setup(uint32_t slots, unsigned int endpoints, unsigned int regions)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = pnic_cq_entries(slots, 0, 1) };
	struct pnic_cq_attr oa = { .size = sizeof(oa), .entries = pnic_cq_entries(16, 0, 1024) };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = slots };
	struct pnic_ep_attr fa = { .size = sizeof(fa), .sq_slots = 16 };
	struct pnic_ctx *ctx, *far;
	struct pnic_mr *other;
	unsigned int i;

	OK(pnic_open("embedded:nic=0", NULL, &ctx));
	OK(pnic_open("embedded:nic=1", NULL, &far));
	OK(pnic_cq_create(ctx, &oa, &fa.send_cq));
	for (i = 1; i < endpoints; i++)
		OK(pnic_ep_create(ctx, &fa, &ep));
	for (i = 1; i < regions; i++)
		OK(pnic_mr_reg(ctx, mem, sizeof(mem), 0, &other));
	OK(pnic_cq_create(ctx, &ca, &cq));
	ea.send_cq = cq;
	OK(pnic_ep_create(ctx, &ea, &ep));
	OK(pnic_cq_create(far, &oa, &fa.send_cq));
	OK(pnic_ep_create(far, &fa, &to));
	OK(pnic_mr_reg(far, mem, sizeof(mem), PNIC_MRF_REMOTE_WRITE, &mr));
}

int main(int argc, char **argv)
{
	uint64_t value = 5;
	struct pnic_wc wc;
	long i, calls;

	if (argc != 6)
		return 2;
	calls = atol(argv[2]);
	setup((uint32_t)atoi(argv[3]), (unsigned int)atoi(argv[4]), (unsigned int)atoi(argv[5]));
	for (i = 0; i < calls; i++) {
		OK(counted_post(ep, to->addr, (uintptr_t)mem, mr->key, &value));
		pnic_ring(ep);
		while (!counted_poll(cq, &wc))
			;
		OK(wc.status);
		cq->driven = 0;
		OK(counted_empty(cq, &wc));
		cq->driven = 1;
	}
	return 0;
}
