/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * libpnic: what can be done to an embedded card, for tests.
 *
 * A context that pnic_open() made with a name that begins "embedded:" is on a card in the
 * process (libpnic(7) and Documentation/libpnic.rst say how it is named). Its light, its link and
 * the card itself can be made to fail here. Contexts on real cards answer -EOPNOTSUPP.
 *
 * Threads: any, except during pnic_close() of the context.
 */
#ifndef PNIC_EMBEDDED_H
#define PNIC_EMBEDDED_H

#include <stdint.h>

#include <pnic.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * enum pnic_embedded_fault - what happens
 * @PNIC_EMBEDDED_KILL: lane @arg of those that come in at this card gives no light any more
 * @PNIC_EMBEDDED_HEAL: it is as good as new
 * @PNIC_EMBEDDED_HEAL_ALL: all are, and nothing else is wrong with the link
 * @PNIC_EMBEDDED_DEGRADE: lane @arg loses @value dB
 * @PNIC_EMBEDDED_CUT: @arg 1: the cable is cut, both directions; 0: mended
 * @PNIC_EMBEDDED_LINK: @arg 0: the link is switched off at this card; 1: on
 * @PNIC_EMBEDDED_DROP: the next @arg frames that come in vanish
 * @PNIC_EMBEDDED_CORRUPT: the next @arg frames that come in are damaged beyond repair
 * @PNIC_EMBEDDED_FREEZE: @arg 1: the card does nothing any more; 0: it goes on
 * @PNIC_EMBEDDED_FATAL: the card reports a fatal error; the driver resets it, contexts die
 * @PNIC_EMBEDDED_GONE: the card is pulled out of its slot, for as long as its world exists
 *
 * "As good as new" and "vanish" are the link's matter: link-level retry sends frames again.
 */
enum pnic_embedded_fault {
	PNIC_EMBEDDED_KILL	= 1,
	PNIC_EMBEDDED_HEAL	= 2,
	PNIC_EMBEDDED_HEAL_ALL	= 3,
	PNIC_EMBEDDED_DEGRADE	= 4,
	PNIC_EMBEDDED_CUT	= 5,
	PNIC_EMBEDDED_LINK	= 6,
	PNIC_EMBEDDED_DROP	= 7,
	PNIC_EMBEDDED_CORRUPT	= 8,
	PNIC_EMBEDDED_FREEZE	= 9,
	PNIC_EMBEDDED_FATAL	= 10,
	PNIC_EMBEDDED_GONE	= 11,
};

/**
 * pnic_embedded_fault - make something fail, or mend it
 * @ctx: a context on the card
 * @what: enum pnic_embedded_fault
 * @arg: see there; 0 where nothing is said
 * @value: see there; 0 where nothing is said
 *
 * -EOPNOTSUPP not an embedded card; -EINVAL no such fault, lane or value.
 */
int pnic_embedded_fault(struct pnic_ctx *ctx, unsigned int what, unsigned int arg, double value);

/**
 * pnic_embedded_figure - a figure of the card
 * @ctx: a context on the card
 * @name: "clock_ns" (of the links), "payload_bytes", "line_bits", "frames", "replayed" (sent by this card),
 *	"wqes", "cqes", "doorbells", "interrupts", "width", "rate_mbps" (transmit), "margin" (receive)
 * @value: Out.
 *
 * -EOPNOTSUPP not an embedded card; -ENOENT no such figure.
 */
int pnic_embedded_figure(struct pnic_ctx *ctx, const char *name, double *value);

/**
 * pnic_embedded_drive - a turn of the cards of the context's world
 *
 * What pnic_poll() of an empty queue does: for programs that wait for memory to change and not for
 * completions. On a real card, or where a thread drives, it does nothing.
 */
void pnic_embedded_drive(struct pnic_ctx *ctx);

#ifdef __cplusplus
}
#endif

#endif /* PNIC_EMBEDDED_H */
