// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Texts for errors, statuses and operations, and the text of the last failed call.
 */
#include <stdarg.h>
#include <stdio.h>

#include <pnic_rails.h>

#include "internal.h"

#define PNIC_ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static const struct {
	int err;
	const char *text;
} pnic_errors[] = {
	{ 0,		"success" },
	{ EPERM,	"not permitted: locked-memory limit 0, or partition not granted" },
	{ ENOENT,	"no such object" },
	{ EINTR,	"interrupted" },
	{ EIO,		"the card failed or was reset: close and open again" },
	{ ENXIO,	"no context" },
	{ E2BIG,	"over a limit of the card" },
	{ EBADF,	"bad file descriptor" },
	{ EAGAIN,	"nothing there, or the ring is full: try again" },
	{ ENOMEM,	"out of memory, or over the locked-memory limit" },
	{ EACCES,	"no permission to open the device" },
	{ EFAULT,	"memory is not mapped or not writable" },
	{ EBUSY,	"still in use" },
	{ EEXIST,	"exists already" },
	{ ENODEV,	"no such device, or it is gone" },
	{ EINVAL,	"invalid argument" },
	{ EMFILE,	"too many open files" },
	{ ENFILE,	"too many open files in the system" },
	{ ENOTTY,	"the kernel does not know this call" },
	{ ENOSPC,	"no room: the card has no more objects of this kind, or the completion queue is too small" },
	{ ETIMEDOUT,	"timed out" },
	{ EPROTO,	"kernel and library speak different versions" },
	{ EOPNOTSUPP,	"not supported by this object, or by the card" },
	{ EREMOTEIO,	"a transfer failed: its completion says why" },
};

static const char *const pnic_statuses[] = {
	[PNIC_ST_OK]		= "success",
	[PNIC_ST_BAD_DESC]	= "malformed descriptor",
	[PNIC_ST_LOCAL_KEY]	= "local key: no such region in this context",
	[PNIC_ST_LOCAL_BOUNDS]	= "local buffer reaches out of its region",
	[PNIC_ST_LOCAL_RIGHTS]	= "local region does not permit it",
	[PNIC_ST_REMOTE_KEY]	= "remote key: no such region at the far end, or of another partition",
	[PNIC_ST_REMOTE_BOUNDS]	= "remote buffer reaches out of its region",
	[PNIC_ST_REMOTE_RIGHTS]	= "remote region does not permit it",
	[PNIC_ST_REMOTE_EP]	= "no such endpoint at the far end, or it is stopped, or of another partition",
	[PNIC_ST_UNREACHABLE]	= "no such NIC on the fabric",
	[PNIC_ST_RNR]		= "no receive entry at the far end in time",
	[PNIC_ST_TOO_LONG]	= "message longer than the receive buffer",
	[PNIC_ST_ALIGN]		= "atomic with a bad length or alignment",
	[PNIC_ST_LINK]		= "link down for too long",
	[PNIC_ST_PEER_RESET]	= "the far NIC was reset",
	[PNIC_ST_FLUSHED]	= "flushed: not begun, the endpoint stopped",
	[PNIC_ST_DMA_FAULT]	= "DMA fault at this host",
	[PNIC_ST_REMOTE_DMA]	= "DMA fault at the far host",
	[PNIC_ST_OVERRUN]	= "ring overrun",
	[PNIC_ST_FATAL]		= "the card failed",
	[PNIC_ST_LOCAL_MOVED]	= "local region is being moved: repeat it",
	[PNIC_ST_REMOTE_MOVED]	= "remote region is being moved: repeat it",
	[PNIC_RAILS_ST_NO_RAIL]		= "no rail works, here or at the far end",
	[PNIC_RAILS_ST_UNCERTAIN]	= "the card was lost before it answered: it isn't known whether the atomic was carried out",
};

static const struct {
	unsigned int opcode;
	const char *text;
} pnic_opcodes[] = {
	{ PNIC_OP_NOP,			"nop" },
	{ PNIC_OP_SEND,			"send" },
	{ PNIC_OP_SEND_IMM,		"send with immediate" },
	{ PNIC_OP_WRITE,		"write" },
	{ PNIC_OP_WRITE_IMM,		"write with immediate" },
	{ PNIC_OP_READ,			"read" },
	{ PNIC_OP_FETCH_ADD,		"fetch-add" },
	{ PNIC_OP_COMP_SWAP,		"compare-swap" },
	{ PNIC_OP_FLUSH,		"flush" },
	{ PNIC_OP_WRITE_SIGNAL,		"write with signal" },
	{ PNIC_OP_RECV,			"receive" },
	{ PNIC_OP_RECV_IMM,		"receive with immediate" },
	{ PNIC_OP_RECV_WRITE_IMM,	"receive of a write with immediate" },
};

static __thread char pnic_error_text[256];

PNIC_EXPORT const char *pnic_strerror(int err)
{
	/* Not by abs(): INT_MIN has none. */
	long code = err < 0 ? -(long)err : err;
	size_t i;

	for (i = 0; i < PNIC_ARRAY_SIZE(pnic_errors); i++)
		if (pnic_errors[i].err == code)
			return pnic_errors[i].text;
	return "unknown error";
}

PNIC_EXPORT const char *pnic_status_str(unsigned int status)
{
	if (status < PNIC_ARRAY_SIZE(pnic_statuses) && pnic_statuses[status])
		return pnic_statuses[status];
	return "unknown status";
}

PNIC_EXPORT const char *pnic_opcode_str(unsigned int opcode)
{
	size_t i;

	for (i = 0; i < PNIC_ARRAY_SIZE(pnic_opcodes); i++)
		if (pnic_opcodes[i].opcode == opcode)
			return pnic_opcodes[i].text;
	return "unknown operation";
}

PNIC_EXPORT const char *pnic_last_error(void)
{
	return pnic_error_text;
}

PNIC_EXPORT unsigned int pnic_version(void)
{
	return PNIC_LIB_MAJOR << 16 | PNIC_LIB_MINOR;
}

PNIC_EXPORT const char *pnic_wc_str(const struct pnic_wc *wc, char *buf, size_t size)
{
	const char *how, *op, *rail;

	if (!wc || !buf || !size)
		return "";
	how = pnic_status_str(wc->status);
	op = pnic_opcode_str(wc->opcode);
	rail = pnic_ctx_priv(wc->ep->ctx)->name;
	if (wc->opcode & 0x80 || (wc->status && wc->peer_ep != PNIC_EP_NONE))
		snprintf(buf, size, "%s endpoint %u: %s of %u bytes %s 0x%06x/%u: %s", rail, wc->epn, op, wc->length,
			 wc->opcode & 0x80 ? "from" : "to", wc->peer_nic, wc->peer_ep, how);
	else
		snprintf(buf, size, "%s endpoint %u: %s of %u bytes to 0x%06x: %s", rail, wc->epn, op, wc->length,
			 wc->peer_nic, how);
	return buf;
}

int pnic_fail(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(pnic_error_text, sizeof(pnic_error_text), fmt, ap);
	va_end(ap);
	return err;
}
