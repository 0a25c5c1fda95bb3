// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * The endpoints that this one talks to. A peer is made by the first operation to it or the first message from
 * it, and lives as long as the endpoint.
 *
 * Messages of the protocol (answers, credit) may find no room in the card's ring; they wait here, and no
 * message of the program overtakes them. Their number is bounded by what peers have under way.
 */
#include <stdio.h>

#include "pfi.h"

#define PROBE_US	1000000	/* silence that makes a peer be asked */

struct peer_out {
	struct pfi_link node;
	uint32_t len;
	char bytes[];
};

static struct pfi_peer *peer_make(struct pfi_ep *ep, struct pnic_rails_peer *rails)
{
	struct pfi_peer *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->ep = ep;
	p->rails = rails;
	p->fi = PFI_NOBODY;
	p->av_gen = UINT32_MAX;
	p->credit = ep->window;
	p->eager = ep->eager;
	if (rails->addr.max_send > sizeof(struct wire_hdr))
		p->eager = pfi_min(p->eager, rails->addr.max_send - sizeof(struct wire_hdr));
	pfi_list_init(&p->owing);
	pfi_list_init(&p->out);
	pfi_list_init(&p->blocked);
	pfi_list_init(&p->txs);
	pfi_list_init(&p->waiting);
	pfi_list_add_tail(&ep->peers, &p->node);
	rails->user = p;
	return p;
}

void pfi_peer_free(struct pfi_peer *p)
{
	struct peer_out *out;
	size_t i;

	while (!pfi_list_empty(&p->out)) {
		out = pfi_entry(p->out.next, struct peer_out, node);
		pfi_list_del(&out->node);
		free(out);
	}
	for (i = 0; i < p->keys.size; i++)
		free(p->keys.slot[i].val);
	pfi_map_fini(&p->keys);
	pfi_list_del(&p->node);
	free(p);
}

struct pfi_peer *pfi_peer_get(struct pfi_ep *ep, fi_addr_t fi, int *err)
{
	struct pfi_peer *p = pfi_map_get(&ep->by_fi, fi);
	struct pnic_rails_peer *rails;
	struct pnic_rails_addr addr;

	if (p)
		return p;
	*err = pfi_av_get(ep->av, fi, &addr);
	if (*err)
		return NULL;
	/* Whoever sent here is known already, or was named by another fi_addr_t. */
	*err = pnic_rails_peer_add(ep->rails, &addr, NULL, &rails);
	if (*err)
		return NULL;
	p = rails->user ? rails->user : peer_make(ep, rails);
	*err = -FI_ENOMEM;
	if (!p || pfi_map_put(&ep->by_fi, fi, p))
		return NULL;
	return p;
}

struct pfi_peer *pfi_peer_of(struct pfi_ep *ep, struct pnic_rails_peer *rails)
{
	return rails->user ? rails->user : peer_make(ep, rails);
}

fi_addr_t pfi_peer_fi(struct pfi_peer *p)
{
	uint32_t gen = __atomic_load_n(&p->ep->av->gen, __ATOMIC_ACQUIRE);

	if (p->av_gen != gen) {
		p->fi = pfi_av_find(p->ep->av, p->rails->addr.id);
		p->av_gen = gen;
	}
	return p->fi;
}

void pfi_peer_block(struct pfi_peer *p)
{
	if (pfi_list_empty(&p->blocked))
		pfi_list_add_tail(&p->ep->blocked, &p->blocked);
}

void pfi_peer_credit(struct pfi_peer *p, struct wire_hdr *hdr)
{
	hdr->credit = (uint32_t)pfi_min(p->owed, UINT32_MAX);
	p->owed -= hdr->credit;
	pfi_list_del(&p->owing);
}

void pfi_peer_owe(struct pfi_peer *p, size_t bytes)
{
	p->owed += bytes;
	if (p->owed >= p->ep->window / 4 && pfi_list_empty(&p->owing))
		pfi_list_add_tail(&p->ep->owing, &p->owing);
}

void pfi_peer_say(struct pfi_peer *p, struct wire_hdr *hdr, const void *body, uint32_t len)
{
	struct peer_out *out;
	int err;

	pfi_peer_credit(p, hdr);
	if (pfi_list_empty(&p->out)) {
		err = pfi_rails_send(p, hdr, sizeof(*hdr), body, len, PFI_COOKIE_NONE);
		if (!err)
			return;
		if (err != -FI_EAGAIN) {
			pfi_peer_fail(p, -err, 0, NULL);
			return;
		}
	}
	out = malloc(sizeof(*out) + sizeof(*hdr) + len);
	if (!out) {
		pfi_warn(EP_DATA, "no memory for an answer of %u bytes, the peer is given up\n", len);
		pfi_peer_fail(p, FI_ENOMEM, 0, NULL);
		return;
	}
	out->len = (uint32_t)sizeof(*hdr) + len;
	memcpy(out->bytes, hdr, sizeof(*hdr));
	if (len)
		memcpy(out->bytes + sizeof(*hdr), body, len);
	pfi_list_add_tail(&p->out, &out->node);
	pfi_peer_block(p);
}

bool pfi_peer_flush(struct pfi_peer *p)
{
	struct peer_out *out;
	int err;

	while (!pfi_list_empty(&p->out)) {
		out = pfi_entry(p->out.next, struct peer_out, node);
		err = pfi_rails_send(p, out->bytes, sizeof(struct wire_hdr), out->bytes + sizeof(struct wire_hdr),
				     out->len - sizeof(struct wire_hdr), PFI_COOKIE_NONE);
		if (err == -FI_EAGAIN)
			return false;
		pfi_list_del(&out->node);
		free(out);
		if (err)
			pfi_peer_fail(p, -err, 0, NULL);
	}
	return true;
}

bool pfi_peer_ready(struct pfi_peer *p)
{
	return pfi_list_empty(&p->out) || pfi_peer_flush(p);
}

/* One of its operations, which no answer will end any more. */
static void peer_fail_tx(struct pfi_tx *tx, int err, uint8_t status)
{
	if (tx->kind == PFI_TX_MSG && !tx->reply)
		return;		/* its own end tells */
	if (tx->kind == PFI_TX_RMA && tx->started)
		return;
	if (!tx->err) {
		tx->err = err;
		tx->status = status;
	}
	tx->reply = false;
	pfi_list_del(&tx->queue);
	if (tx->kind == PFI_TX_MSG)
		pfi_tx_try_end(tx);
	else
		pfi_rma_over(tx);
}

/*
 * Runtimes such as MPI make a number of their own of an error, so who runs one is told here what happened, once, also where libfabric
 * says nothing by itself (FI_LOG_LEVEL).
 */
static void peer_fail_say(const struct pfi_peer *p, int err, uint8_t status, const char *why)
{
	static bool said;
	char line[400];

	if (__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
		return;
	if (!why)
		why = status ? pnic_status_str(status) : fi_strerror(err);
	snprintf(line, sizeof(line), "peer 0x%06x (endpoint %016llx) can't be reached any more: %s", p->rails->addr.rail[0].nic,
		 (unsigned long long)p->rails->addr.id, why);
	if (fi_log_enabled(&pfi_prov, FI_LOG_WARN, FI_LOG_EP_DATA))
		pfi_warn(EP_DATA, "%s\n", line);
	else
		fprintf(stderr, "libpnic-fi: %s\n", line);
}

static void peer_fail_all(struct pfi_peer *p, int err, uint8_t status)
{
	struct pfi_link todo;
	struct pfi_tx *tx;

	/* What messages cost that it never got is never given back. */
	p->credit = p->ep->window;
	/* None of those that wait begins meanwhile; the end of one may be that of others. */
	p->failing = true;
	pfi_rma_keys_lost(p);
	pfi_list_move(&p->txs, &todo);
	while (!pfi_list_empty(&todo)) {
		tx = pfi_entry(todo.next, struct pfi_tx, node);
		pfi_list_del(&tx->node);
		pfi_list_add_tail(&p->txs, &tx->node);
		peer_fail_tx(tx, err, status);
	}
	p->failing = false;
	pfi_recv_peer_failed(p, err, status);
}

void pfi_peer_fail(struct pfi_peer *p, int err, uint8_t status, const char *why)
{
	peer_fail_say(p, err, status, why);
	p->lost = true;
	peer_fail_all(p, err, status);
}

/* What we lost before is of no interest any more: it was for what the peer has ended. */
void pfi_peer_lost(struct pfi_peer *p)
{
	pfi_info(EP_DATA, "peer 0x%06x had lost its way to us: all that was under way is void\n", p->rails->addr.rail[0].nic);
	p->lost = false;
	if (p->rails->addr.id == p->ep->addr.id)
		return;		/* we know */
	peer_fail_all(p, FI_ECONNRESET, PNIC_ST_PEER_RESET);
}

void pfi_peer_tell(struct pfi_peer *p)
{
	struct wire_hdr hdr = { .type = WIRE_CREDIT };

	/* What waits goes first, and tells it. */
	if (pfi_list_empty(&p->out))
		pfi_peer_say(p, &hdr, NULL, 0);
}

/*
 * Whoever waits for an answer of a peer that says nothing asks it, by a message that needs none: if the peer is gone
 * that fails.
 */
void pfi_peer_probe(struct pfi_ep *ep)
{
	struct wire_hdr hdr = { .type = WIRE_CREDIT };
	uint64_t now = pfi_now_us();
	struct pfi_link *pos;
	struct pfi_peer *p;
	bool idle;

	if (now < ep->probe_us)
		return;
	ep->probe_us = now + PROBE_US;
	pfi_recv_await(ep);
	pfi_list_for(pos, &ep->peers) {
		p = pfi_entry(pos, struct pfi_peer, node);
		idle = pfi_list_empty(&p->txs) && !p->streams && !p->awaited;
		p->awaited = false;
		if (p->heard || idle) {
			p->heard = false;
			continue;
		}
		if (pfi_list_empty(&p->out))
			pfi_peer_say(p, &hdr, NULL, 0);
	}
}
