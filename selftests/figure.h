/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A figure of a card's model, wherever the model is: in the process, or behind the control port.
 */
#ifndef PNIC_SELFTESTS_FIGURE_H
#define PNIC_SELFTESTS_FIGURE_H

#include <math.h>

#include <pnic_embedded.h>

#include "device.h"
#include "modelctl.h"

static inline bool figures_present(void)
{
	return dev_embedded() || modelctl_present();
}

/* By a name that both know: payload_bytes, line_bits, clock_ns, width. NAN: none. */
static inline double figure(unsigned int nic, const char *name)
{
	struct pnic_ctx *ctx;
	double value = NAN;
	char dev[128];

	if (!dev_embedded())
		return modelctl_counter(nic, name);
	if (pnic_open(dev_name(nic, dev, sizeof(dev)), NULL, &ctx))
		return NAN;
	if (pnic_embedded_figure(ctx, name, &value))
		value = NAN;
	pnic_close(ctx);
	return value;
}

#endif /* PNIC_SELFTESTS_FIGURE_H */
