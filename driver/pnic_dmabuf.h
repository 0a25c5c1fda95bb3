/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Regions of dma-buf memory: what pnic_mr.c needs of pnic_dmabuf.c.
 */
#ifndef PNIC_DMABUF_H
#define PNIC_DMABUF_H

#include <linux/types.h>

struct pnic_adm_create_mr;
struct pnic_caps;
struct pnic_dev;
struct pnic_dmabuf;
struct pnic_ioc_mr_reg_dmabuf;

void pnic_dmabuf_init(struct pnic_dev *pd);
bool pnic_dmabuf_supported(const struct pnic_caps *caps);
struct pnic_dmabuf *pnic_dmabuf_open(struct pnic_dev *pd, const struct pnic_ioc_mr_reg_dmabuf *arg,
				     bool writes);
int pnic_dmabuf_revoke(struct pnic_dmabuf *b);
void pnic_dmabuf_close(struct pnic_dmabuf *b);
int pnic_dmabuf_enter(struct pnic_dmabuf *b, const struct pnic_adm_create_mr *cmd);

#endif /* PNIC_DMABUF_H */
