// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * Lists of memory here against lists of memory there, read or written piece by piece: RMA operations, and
 * messages that a receiver fetches. What finds no room goes on when the endpoint is moved the next time.
 */
#include "pfi.h"

size_t pfi_iov_len(const struct iovec *iov, size_t n)
{
	size_t len = 0, i;

	for (i = 0; i < n; i++)
		len += iov[i].iov_len;
	return len;
}

/* Copies between @flat and the list from @at on; what fits. */
static size_t iov_copy(const struct iovec *iov, size_t n, size_t at, char *flat, size_t len, bool in)
{
	size_t done = 0, i, part;
	char *mem;

	for (i = 0; i < n && done < len; i++) {
		if (at >= iov[i].iov_len) {
			at -= iov[i].iov_len;
			continue;
		}
		part = pfi_min(len - done, iov[i].iov_len - at);
		mem = (char *)iov[i].iov_base + at;
		if (in)
			memcpy(mem, flat + done, part);
		else
			memcpy(flat + done, mem, part);
		done += part;
		at = 0;
	}
	return done;
}

size_t pfi_iov_copy_in(const struct iovec *iov, size_t n, size_t at, const void *from, size_t len)
{
	return iov_copy(iov, n, at, (char *)(uintptr_t)from, len, true);
}

size_t pfi_iov_copy_out(void *to, const struct iovec *iov, size_t n, size_t at, size_t len)
{
	return iov_copy(iov, n, at, to, len, false);
}

/* True if all of it has been posted; else at a piece that isn't empty. */
static bool xfer_at_end(struct pfi_xfer *x)
{
	while (x->li < x->iovs && x->lo == x->iov[x->li].iov_len) {
		x->li++;
		x->lo = 0;
	}
	while (x->ri < x->remotes && x->ro == x->remote[x->ri].len) {
		x->ri++;
		x->ro = 0;
	}
	return x->li == x->iovs || x->ri == x->remotes;
}

/* Nothing comes after the next piece of @len bytes. */
static bool xfer_last(const struct pfi_xfer *x, size_t len)
{
	size_t left = x->iov[x->li].iov_len - x->lo;
	int i;

	for (i = x->li + 1; i < x->iovs; i++)
		left += x->iov[i].iov_len;
	return left == len;
}

static void xfer_failed(struct pfi_xfer *x, int err)
{
	if (!x->err)
		x->err = err;
}

/* Post what can be posted now; true if the whole is over. */
static bool xfer_post(struct pfi_peer *p, struct pfi_xfer *x)
{
	struct pfi_remote *r;
	size_t len;
	bool imm;
	int err;

	pfi_list_del(&x->work);
	while (!x->err && (!xfer_at_end(x) || x->imm)) {
		if (xfer_at_end(x)) {		/* nothing but the immediate */
			len = 0;
			r = &x->remote[x->remotes - 1];
			imm = true;
		} else {
			r = &x->remote[x->ri];
			len = pfi_min(x->iov[x->li].iov_len - x->lo, r->len - x->ro);
			if (x->copy)
				len = pfi_min(len, p->eager);
			imm = x->imm && xfer_last(x, len);
		}
		/* It tells of all pieces, so it goes when the others have arrived. */
		if (imm && x->pieces)
			return false;
		err = pfi_rails_piece(p, x, len ? (char *)x->iov[x->li].iov_base + x->lo : NULL, len,
				      x->copy || !len ? NULL : x->hold[x->li].mr, r->addr + (len ? x->ro : 0), r->key, imm);
		if (err == -FI_EAGAIN) {
			pfi_list_add_tail(&p->ep->xfers, &x->work);
			return false;
		}
		if (err) {
			xfer_failed(x, -err);
			break;
		}
		x->pieces++;
		x->lo += len;
		x->ro += len;
		if (imm) {
			x->imm = false;
			break;
		}
	}
	return !x->pieces;
}

void pfi_xfer_start(struct pfi_peer *p, struct pfi_xfer *x)
{
	x->peer = p;
	x->li = 0;
	x->ri = 0;
	x->lo = 0;
	x->ro = 0;
	x->pieces = 0;
	x->err = 0;
	x->status = 0;
	pfi_list_init(&x->work);
	if (xfer_post(p, x))
		x->done(p->ep, x);
}

void pfi_xfer_end(struct pfi_xfer *x, const struct pnic_rails_wc *wc)
{
	struct pfi_ep *ep = x->peer->ep;
	char line[256];

	if (!x->pieces)		/* of an operation that was given up */
		return;
	x->pieces--;
	if (wc->status && !x->err) {
		x->status = wc->status;
		x->err = pfi_status_errno(wc->status);
		x->why = strdup(pnic_rails_wc_str(wc, line, sizeof(line)));
	}
	if (!x->pieces && xfer_post(x->peer, x))
		x->done(ep, x);
}

void pfi_xfer_work(struct pfi_ep *ep)
{
	struct pfi_xfer *x;
	struct pfi_link todo;

	if (pfi_list_empty(&ep->xfers))
		return;
	/* What still finds no room is back in the endpoint's list then. */
	pfi_list_move(&ep->xfers, &todo);
	while (!pfi_list_empty(&todo)) {
		x = pfi_entry(todo.next, struct pfi_xfer, work);
		if (xfer_post(x->peer, x))
			x->done(ep, x);
	}
}

void pfi_xfer_release(struct pfi_xfer *x)
{
	int i;

	pfi_list_del(&x->work);
	for (i = 0; i < PFI_IOV; i++)
		pfi_mrc_release(&x->hold[i]);
	free(x->why);
	x->why = NULL;
}
