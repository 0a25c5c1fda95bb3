/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command line of pnic-model.
 *
 * Parsed once by main.c. Every value is judged here, so that nothing behind
 * sees one that makes no sense.
 */
#ifndef PM_OPTIONS_H
#define PM_OPTIONS_H

#include "core/card.h"
#include "loop.h"
#include "nic.h"

#define MAX_NICS	8

struct options {
	struct pm_fabric_config fabric;
	struct pm_idle idle;
	struct nic_options nic;
	const char *socket_dir;
	const char *ctl_path;
	const char *trace_path;		/* NULL: no trace */
	const char *play_path;		/* field trace; NULL: none */
	uint64_t evil;			/* pm_card_evil() of every card */
	uint32_t evil_ppm;
};

#define OPTIONS_RUN	-1

/* OPTIONS_RUN, or the status to exit with: 0 after --help, 2 after a complaint. */
int options_parse(struct options *o, int argc, char **argv);

#endif /* PM_OPTIONS_H */
