/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Watched regions: what pnic_ctx.c, pnic_mr.c and pnic_chardev.c need of pnic_watch.c.
 */
#ifndef PNIC_WATCH_H
#define PNIC_WATCH_H

#include <linux/types.h>

struct pnic_file;
struct pnic_watch;

bool pnic_watch_supported(void);
void pnic_watch_init(struct pnic_file *pf);
int pnic_watch_begin(struct pnic_file *pf);
void pnic_watch_end(struct pnic_file *pf);
struct pnic_watch *pnic_watch_open(struct pnic_file *pf, u64 addr, u64 length);
void pnic_watch_name(struct pnic_watch *w, u32 handle);
void pnic_watch_close(struct pnic_watch *w);
int pnic_watch_stale(struct pnic_file *pf, void *arg);
void pnic_watch_undo(struct pnic_file *pf, void *arg);

#endif /* PNIC_WATCH_H */
