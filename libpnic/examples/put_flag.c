// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Put with flag: data written into the other process's memory, then a flag; whoever
 * sees the flag sees the data. Here both ends are contexts of one process.
 *
 *	put_flag [DEVICE [DEVICE]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <pnic.h>

struct side {
	struct pnic_ctx *ctx;
	struct pnic_cq *cq;
	struct pnic_ep *ep;
	struct pnic_mr *mr;
	struct {
		char data[65536];
		uint64_t flag;
	} *mem;
};

static void check(const char *what, int err)
{
	if (!err)
		return;
	fprintf(stderr, "put_flag: %s: %s (%s)\n", what, pnic_strerror(err), pnic_last_error());
	exit(1);
}

static void side_open(struct side *s, const char *name)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = pnic_cq_entries(64, 0, 1) };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 64 };

	check("open", pnic_open(name, NULL, &s->ctx));
	s->mem = calloc(1, sizeof(*s->mem));
	if (!s->mem)
		check("memory", -ENOMEM);
	check("register", pnic_mr_reg(s->ctx, s->mem, sizeof(*s->mem), PNIC_MRF_REMOTE_WRITE, &s->mr));
	check("completion queue", pnic_cq_create(s->ctx, &ca, &s->cq));
	ea.send_cq = s->cq;
	check("endpoint", pnic_ep_create(s->ctx, &ea, &s->ep));
}

int main(int argc, char **argv)
{
	struct timespec nap = { 0, 100000 };
	struct side a, b;
	struct pnic_wc wc;
	uint64_t one = 1;

	side_open(&a, argc > 1 ? argv[1] : NULL);
	side_open(&b, argc > 2 ? argv[2] : argc > 1 ? argv[1] : NULL);
	snprintf(a.mem->data, sizeof(a.mem->data), "written by the card");

	/* Two descriptors, one doorbell; the flag needs no registered memory, it travels in the descriptor. */
	check("write", pnic_post_write(a.ep, b.ep->addr, a.mem->data, sizeof(a.mem->data), a.mr->key,
				       (uintptr_t)b.mem->data, b.mr->key, 0, 0));
	check("flag", pnic_post_write(a.ep, b.ep->addr, &one, sizeof(one), 0, (uintptr_t)&b.mem->flag, b.mr->key,
				      0, PNIC_SQF_INLINE | PNIC_SQF_SIGNALED));
	pnic_ring(a.ep);

	while (!__atomic_load_n(&b.mem->flag, __ATOMIC_ACQUIRE)) {
		if (pnic_poll(a.cq, &wc, 1) && wc.status) {
			fprintf(stderr, "put_flag: %s: %s\n", pnic_opcode_str(wc.opcode), pnic_status_str(wc.status));
			return 1;
		}
		nanosleep(&nap, NULL);
	}
	printf("NIC %u: \"%s\"\n", b.ctx->nic, b.mem->data);
	pnic_close(a.ctx);
	pnic_close(b.ctx);
	free(a.mem);
	free(b.mem);
	return 0;
}
