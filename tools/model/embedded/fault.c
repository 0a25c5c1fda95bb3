// SPDX-License-Identifier: GPL-2.0
/*
 * What tests do to an embedded card, and what they read of it: pnic_embedded.h.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include <pnic_embedded.h>

#include "driver/hw/pnic_admin.h"
#include "driver/hw/pnic_lane.h"
#include "driver/hw/pnic_regs.h"
#include "embedded.h"

static bool on_off(unsigned int arg)
{
	return arg <= 1;
}

static int card_fault(struct embedded_card *c, unsigned int what, unsigned int arg)
{
	switch (what) {
	case PNIC_EMBEDDED_FREEZE:
		if (!on_off(arg))
			return -EINVAL;
		pm_card_freeze(c->card, arg);
		return 0;
	case PNIC_EMBEDDED_FATAL:
		pm_card_fatal(c->card, PNIC_FATAL_INTERNAL, arg);
		return 0;
	case PNIC_EMBEDDED_GONE:
		embedded_gone(c);
		return 0;
	default:
		return -EINVAL;
	}
}

int embedded_fault(struct embedded_card *c, unsigned int what, unsigned int arg, double value)
{
	struct pm_port *port = pm_card_port(c->card);

	switch (what) {
	case PNIC_EMBEDDED_KILL:
		return pm_fault_kill(port, arg);
	case PNIC_EMBEDDED_HEAL:
		return pm_fault_heal(port, arg);
	case PNIC_EMBEDDED_HEAL_ALL:
		return pm_fault_heal_all(port);
	case PNIC_EMBEDDED_DEGRADE:
		return pm_fault_degrade(port, arg, value);
	case PNIC_EMBEDDED_CUT:
		return on_off(arg) ? pm_fault_cut(port, arg) : -EINVAL;
	case PNIC_EMBEDDED_LINK:
		if (!on_off(arg))
			return -EINVAL;
		pm_port_link_set(port, arg);
		return 0;
	case PNIC_EMBEDDED_DROP:
		return pm_fault_drop(port, arg);
	case PNIC_EMBEDDED_CORRUPT:
		return pm_fault_corrupt(port, arg);
	default:
		return card_fault(c, what, arg);
	}
}

int embedded_figure(struct embedded_card *c, const char *name, double *value)
{
	struct pnic_counters n;
	struct pnic_link_info link;
	unsigned int i;

	memset(&link, 0, sizeof(link));
	pm_card_counters(c->card, &n);
	pm_port_peek(pm_card_port(c->card), &link);
	const struct { const char *name; double value; } figures[] = {
		{ "clock_ns", (double)le64toh(link.clock_ns) },
		{ "payload_bytes", (double)le64toh(n.payload_tx) },
		{ "line_bits", (double)le64toh(n.line_bits_tx) },
		{ "frames", (double)le64toh(n.frames_tx) },
		{ "replayed", (double)le64toh(n.frames_replayed) },
		{ "wqes", (double)le64toh(n.wqes) },
		{ "cqes", (double)le64toh(n.cqes) },
		{ "doorbells", (double)le64toh(n.doorbells) },
		{ "interrupts", (double)le64toh(n.interrupts) },
		{ "width", le16toh(link.width_tx) },
		{ "rate_mbps", le32toh(link.rate_tx_mbps) },
		{ "margin", le16toh(link.margin) },
	};

	for (i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		if (strcmp(figures[i].name, name))
			continue;
		*value = figures[i].value;
		return 0;
	}
	return -ENOENT;
}
