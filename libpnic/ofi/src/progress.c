// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * What moves an endpoint: takes ends and messages from the card, and goes on with what had found no room. Called
 * when a CQ or counter is read, and by operations that find the card full.
 */
#include "pfi.h"

#define BATCH	16
#define PROBE_TURNS	256	/* between two looks at the clock */

static void progress_message(struct pfi_ep *ep, const struct pnic_rails_wc *wc)
{
	struct pfi_peer *p = pfi_peer_of(ep, wc->peer);
	const char *body = (const char *)wc->data + sizeof(struct wire_hdr);
	struct wire_hdr copy, *hdr = &copy;
	size_t len;

	if (!p) {
		pfi_once(EP_DATA, "no memory for a peer, its message is lost\n");
		return;
	}
	if (wc->length < sizeof(*hdr)) {
		pfi_once(EP_DATA, "a message of %llu bytes is none of ours\n", (unsigned long long)wc->length);
		return;
	}
	memcpy(hdr, wc->data, sizeof(*hdr));
	len = wc->length - sizeof(*hdr);
	if (hdr->flags & WIRE_LOST)
		pfi_peer_lost(p);
	/* What was lost has been given back already, see pfi_peer_fail(): not twice. */
	p->credit = pfi_min(p->credit + hdr->credit, ep->window);
	p->heard = true;
	switch (hdr->type) {
	case WIRE_EAGER:
	case WIRE_RTS:
		pfi_recv_message(p, hdr, body, len);
		break;
	case WIRE_DATA:
		pfi_recv_data(p, hdr, body, len);
		break;
	case WIRE_CTS:
		pfi_msg_cts(p, hdr);
		break;
	case WIRE_FIN:
	case WIRE_ACK:
		pfi_msg_fin(p, hdr);
		break;
	case WIRE_CREDIT:
		break;
	case WIRE_KEY_REQ:
		pfi_rma_key_asked(p, hdr);
		break;
	case WIRE_KEY_REP:
		pfi_rma_key(p, hdr, body, len);
		break;
	case WIRE_ATOMIC:
		pfi_atomic_asked(p, hdr, body, len);
		break;
	case WIRE_ATOMIC_REP:
		pfi_atomic_answer(p, hdr, body, len);
		break;
	default:
		pfi_once(EP_DATA, "a message of type %u is none of ours\n", hdr->type);
	}
	if (p->lost)
		pfi_peer_tell(p);
}

/* What is said of one message is true for all that the peer should have answered. */
static bool peer_gone(unsigned int status)
{
	return status == PNIC_ST_REMOTE_EP || status == PNIC_ST_UNREACHABLE || status == PNIC_ST_PEER_RESET ||
	       status == PNIC_ST_LINK ||
	       status == PNIC_RAILS_ST_NO_RAIL;
}

static void progress_end(const struct pnic_rails_wc *wc)
{
	void *what = (void *)(uintptr_t)(wc->cookie & ~PFI_COOKIE_KIND);
	struct pfi_peer *p = wc->peer ? wc->peer->user : NULL;
	bool gone = peer_gone(wc->status);
	struct pfi_tx *tx = what;
	char line[256];

	switch (wc->cookie & PFI_COOKIE_KIND) {
	case PFI_COOKIE_XFER:
		pfi_xfer_end(what, wc);
		break;
	case PFI_COOKIE_TX:
		tx->ends--;
		if (wc->status && p)
			p->lost = true;
		if (wc->status && !tx->err) {
			tx->err = pfi_status_errno(wc->status);
			tx->status = wc->status;
			tx->why = strdup(pnic_rails_wc_str(wc, line, sizeof(line)));
			/* What should have answered it never got it. */
			tx->reply = false;
		}
		if (tx->kind == PFI_TX_ATOMIC)
			pfi_rma_over(tx);
		else
			pfi_tx_try_end(tx);
		break;
	default:
		/* A message of ours that the peer needs. */
		gone = wc->status;
	}
	if (gone && p)
		pfi_peer_fail(p, pfi_status_errno(wc->status), wc->status, pnic_rails_wc_str(wc, line, sizeof(line)));
}

static void progress_blocked(struct pfi_ep *ep)
{
	struct pfi_link todo;
	struct pfi_peer *p;

	pfi_list_move(&ep->blocked, &todo);
	while (!pfi_list_empty(&todo)) {
		p = pfi_entry(todo.next, struct pfi_peer, blocked);
		pfi_list_del(&p->blocked);
		if (pfi_peer_flush(p))
			pfi_rma_run(p);		/* blocks it again if need be */
		else
			pfi_peer_block(p);
	}
}

static void progress_credit(struct pfi_ep *ep)
{
	struct wire_hdr hdr = { .type = WIRE_CREDIT };
	struct pfi_peer *p;

	while (!pfi_list_empty(&ep->owing)) {
		p = pfi_entry(ep->owing.next, struct pfi_peer, owing);
		pfi_peer_say(p, &hdr, NULL, 0);
	}
}

void pfi_progress(struct pfi_ep *ep)
{
	struct pnic_rails_wc wc[BATCH];
	int n, i;

	if (!ep->enabled)
		return;
	if (!(++ep->turns % PROBE_TURNS))
		pfi_peer_probe(ep);
	n = pnic_rails_poll(ep->rails, wc, BATCH);
	for (i = 0; i < n; i++) {
		if (wc[i].op == PNIC_RAILS_RECV) {
			progress_message(ep, &wc[i]);
			pnic_rails_release(ep->rails, &wc[i]);
		} else if (wc[i].op == PNIC_RAILS_RECV_IMM) {
			if (pfi_peer_of(ep, wc[i].peer))
				pfi_recv_write_imm(wc[i].peer->user, wc[i].imm, wc[i].length);
			pnic_rails_release(ep->rails, &wc[i]);
		} else {
			progress_end(&wc[i]);
		}
	}
	if (!pfi_list_empty(&ep->blocked))
		progress_blocked(ep);
	if (!pfi_list_empty(&ep->xfers))
		pfi_xfer_work(ep);
	if (!pfi_list_empty(&ep->streams))
		pfi_msg_streams(ep);
	if (!pfi_list_empty(&ep->owing))
		progress_credit(ep);
	if (ep->strangers && ep->av_gen != __atomic_load_n(&ep->av->gen, __ATOMIC_ACQUIRE))
		pfi_recv_strangers(ep);
}

void pfi_progress_unlocked(struct pfi_ep *ep)
{
	if (!pfi_trylock(&ep->lock))
		return;
	pfi_progress(ep);
	pfi_unlock(&ep->lock);
}
