/* SPDX-License-Identifier: GPL-2.0 */
/* "pnic-model gen-trace": a random field trace on standard output. Called by main.c. */
#ifndef PM_GEN_TRACE_H
#define PM_GEN_TRACE_H

/* argv[0] is "gen-trace". Exit status. */
int gen_trace_main(int argc, char **argv);

#endif /* PM_GEN_TRACE_H */
