// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/* The calls of libpnic's rails that open something or move bytes, in one place. */
#include "pfi.h"

/* How long a message waits for a receiver that computes and doesn't look: as long as the card can count. */
#define RNR_US	UINT32_MAX
#define MIN_SEND	4096u

int pfi_rails_open(const char *domain, struct pnic_rails **rails)
{
	struct pnic_rails_attr attr = { .size = sizeof(attr) };
	const char *names[PNIC_RAILS_MAX];
	char *copy = strdup(domain), *name, *save = NULL;
	int err;

	if (!copy)
		return -FI_ENOMEM;
	for (name = strtok_r(copy, "+", &save); name && attr.count < PNIC_RAILS_MAX; name = strtok_r(NULL, "+", &save))
		names[attr.count++] = name;
	attr.names = names;
	err = attr.count ? pnic_rails_open(&attr, rails) : -FI_EINVAL;
	free(copy);
	return err;
}

int pfi_rails_ep(struct pfi_ep *ep)
{
	struct pnic_rails_ep_attr attr = {
		.size = sizeof(attr),
		.recv_entries = (uint32_t)pfi_knobs.rx_buffers,
		.max_send = (uint32_t)(sizeof(struct wire_hdr) + pfi_knobs.eager),
		.send_buffers = (uint32_t)pfi_knobs.rx_buffers,
		.rnr_timeout_us = RNR_US,
		.fail_ms = (uint32_t)pfi_knobs.fail_ms,
		.spin_us = -1,
	};
	int err;

	/* Atomics, and an RTS with all its regions, must fit. */
	if (attr.max_send < MIN_SEND)
		attr.max_send = MIN_SEND;
	err = pnic_rails_ep_create(ep->domain->rails, &attr, &ep->rails);
	if (err)
		return err;
	err = pnic_rails_ep_addr(ep->rails, &ep->addr);
	if (!err && !name_pack(&ep->name, &ep->addr)) {
		pfi_warn(EP_CTRL, "a card was lost too often for an address of %u rails: open the domain anew\n", ep->addr.count);
		err = -FI_EOTHER;
	}
	if (err)
		pnic_rails_ep_destroy(ep->rails);
	return err;
}

int pfi_rails_send(struct pfi_peer *p, const void *hdr, uint32_t hdr_len, const void *buf, size_t len, uint64_t cookie)
{
	struct wire_hdr lost;
	int err;

	if (p->lost) {
		memcpy(&lost, hdr, sizeof(lost));
		lost.flags |= WIRE_LOST;
		hdr = &lost;
	}
	err = pnic_rails_send(p->rails, hdr, hdr_len, buf, (uint32_t)len, NULL, 0, cookie,
			      cookie == PFI_COOKIE_NONE ? PNIC_RAILS_QUIET : 0);
	/* If this one is lost as well, its failure says so. */
	if (!err)
		p->lost = false;
	return err;
}

int pfi_rails_piece(struct pfi_peer *p, struct pfi_xfer *x, void *mem, size_t len, struct pnic_rails_mr *mr, uint64_t raddr,
		    const struct pnic_rails_key *key, bool imm)
{
	uint64_t cookie = (uint64_t)(uintptr_t)x | PFI_COOKIE_XFER;

	if (!x->write)
		return pnic_rails_read(p->rails, mem, len, mr, raddr, key, cookie, 0);
	if (imm)
		return pnic_rails_write_imm(p->rails, mem, len, mr, raddr, key, x->data, cookie, 0);
	return pnic_rails_write(p->rails, mem, len, mr, raddr, key, cookie, 0);
}

int pfi_status_errno(unsigned int status)
{
	switch (status) {
	case PNIC_ST_OK:
		return 0;
	case PNIC_ST_BAD_DESC:
	case PNIC_ST_ALIGN:
		return FI_EINVAL;
	case PNIC_ST_LOCAL_KEY:
	case PNIC_ST_LOCAL_BOUNDS:
	case PNIC_ST_LOCAL_RIGHTS:
	case PNIC_ST_DMA_FAULT:
		return FI_EFAULT;
	case PNIC_ST_REMOTE_KEY:
		return FI_EKEYREJECTED;
	case PNIC_ST_REMOTE_BOUNDS:
	case PNIC_ST_REMOTE_RIGHTS:
		return FI_EACCES;
	case PNIC_ST_REMOTE_EP:
		return FI_ECONNREFUSED;
	case PNIC_ST_UNREACHABLE:
		return FI_EHOSTUNREACH;
	case PNIC_ST_RNR:
		return FI_ENORX;
	case PNIC_ST_TOO_LONG:
		return FI_EMSGSIZE;
	case PNIC_ST_LINK:
		return FI_ENETDOWN;
	case PNIC_ST_PEER_RESET:
		return FI_ECONNRESET;
	case PNIC_ST_FLUSHED:
		return FI_ECANCELED;
	case PNIC_RAILS_ST_NO_RAIL:
		return FI_ENETUNREACH;
	case PNIC_ST_REMOTE_DMA:
		return FI_EREMOTEIO;
	default:
		return FI_EIO;
	}
}
