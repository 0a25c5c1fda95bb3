// SPDX-License-Identifier: GPL-2.0
/*
 * What the rails say to each other, from a peer that says anything: no crash, no leak, and an honest peer's message
 * still comes through.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pnic_rails.h>

#include "native.h"

#define WAIT_S	20	/* for a message: far more than it takes */

static struct pnic_ctx *ctx;
static struct pnic_cq *cq;
static struct pnic_ep *liar;
static struct pnic_rails *rails[2];
static volatile unsigned int seen;

static void need(int err)
{
	if (err)
		abort();
}

static void begin(void)
{
	static const char *const names[2] = { "embedded:profile=test-16,nic=0", "embedded:profile=test-16,nic=1" };
	struct pnic_rails_attr ra = { .size = sizeof(ra), .count = 1 };
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = 512 };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 64, .rq_entries = 64 };
	unsigned int i;

	need(pnic_open(names[1], NULL, &ctx));
	need(pnic_cq_create(ctx, &ca, &cq));
	ea.send_cq = cq;
	need(pnic_ep_create(ctx, &ea, &liar));
	for (i = 0; i < 2; i++) {
		ra.names = &names[i];
		need(pnic_rails_open(&ra, &rails[i]));
	}
}

static void turn(struct pnic_rails_ep *ep)
{
	struct pnic_rails_wc wc[8];
	int n = pnic_rails_poll(ep, wc, 8), i;

	for (i = 0; i < n; i++) {
		/* A message has all the bytes that it says. */
		if (wc[i].op == PNIC_RAILS_RECV && memchr(wc[i].data, 0xa5, wc[i].length))
			seen++;
		pnic_rails_release(ep, &wc[i]);
	}
}

/* Messages of the input: a length, the immediate, the bytes; an address that is the liar's, where it says so. */
static void lie(struct pnic_rails_ep *ep, struct pnic_addr to, const uint8_t *data, size_t size)
{
	uint8_t text[256];
	struct pnic_wc wc[16];
	uint64_t imm;
	uint32_t length;
	struct pnic_rails_addr *addr = (struct pnic_rails_addr *)(void *)text;

	while (size > 10) {
		memcpy(&imm, data + 2, 8);
		length = data[0];
		if (length > size - 10)
			length = (uint32_t)(size - 10);
		memset(text, 0, sizeof(text));
		memcpy(text, data + 10, length);
		if (data[1] & 1)
			addr->rail[data[1] >> 1 & 7] = liar->addr;
		if (data[1] & 16)
			length = 144;		/* a hello's */
		if (!pnic_post_send_imm(liar, to, text, length, 0, imm, 0, PNIC_SQF_INLINE | PNIC_SQF_SIGNALED))
			pnic_ring(liar);
		pnic_poll(cq, wc, 16);
		turn(ep);
		data += 10 + (length < size - 10 ? length : size - 10);
		size = size > 10 + length ? size - 10 - length : 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pnic_rails_ep_attr attr = { .size = sizeof(attr), .recv_entries = 16, .max_ops = 16, .send_buffers = 4,
						 .fail_ms = 1 };
	struct pnic_rails_ep *ep, *honest;
	struct pnic_rails_peer *peer;
	struct pnic_rails_addr addr;
	struct pnic_rails_wc wc;
	unsigned int came = 0;
	time_t end;

	if (!ctx)
		begin();
	need(pnic_rails_ep_create(rails[0], &attr, &ep));
	need(pnic_rails_ep_create(rails[1], &attr, &honest));
	need(pnic_rails_ep_addr(ep, &addr));
	lie(ep, addr.rail[0], data, size);
	need(pnic_rails_peer_add(honest, &addr, NULL, &peer));
	need(pnic_rails_send(peer, "true", 4, NULL, 0, NULL, 4711, 1, 0));
	for (end = time(NULL) + WAIT_S; time(NULL) < end && !came;) {
		turn(honest);
		if (pnic_rails_poll(ep, &wc, 1) == 1) {
			came = wc.op == PNIC_RAILS_RECV && wc.imm == 4711 && wc.length == 4 && !memcmp(wc.data, "true", 4);
			pnic_rails_release(ep, &wc);
		}
	}
	if (!came)
		abort();
	need(pnic_rails_ep_destroy(honest));
	need(pnic_rails_ep_destroy(ep));
	return 0;
}
