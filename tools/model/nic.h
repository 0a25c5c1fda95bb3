/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One card as a PCI function: the core's card, its configuration space, the
 * guest's memory and interrupt vectors, and the doorbell pages.
 *
 * main.c makes one for each NIC, vfu_msg.c carries the client's accesses to it, ctl_fault.c
 * makes it vanish.
 */
#ifndef PM_NIC_H
#define PM_NIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/card.h"
#include "dma.h"
#include "irq.h"
#include "pci_config.h"

#define NIC_DB_BYTES	((size_t)PM_DB_PAGES * 4096)	/* doorbell pages; as many wake pages follow */

struct nic_options {
	bool msix;
	bool db_mmap;			/* the client may map the doorbell pages */
};

struct nic {
	unsigned int index;
	struct nic_options opt;
	struct pm_card *card;
	struct pci_config cfg;
	struct dma_table dma;
	struct irq_table irq;
	uint8_t *db;
	int db_fd;
	bool gone;			/* surprise removal: reads all ones, nothing else happens */
	uint64_t resets;
	uint64_t dma_refused;
};

int nic_init(struct nic *n, unsigned int index, struct pm_card *card,
	     const struct nic_options *opt);
void nic_fini(struct nic *n);

/* @region: a VFIO PCI region index; @off + @len lie within nic_region_size(). */
uint64_t nic_region_size(const struct nic *n, unsigned int region);
void nic_read(struct nic *n, unsigned int region, uint64_t off, void *buf, uint32_t len);
void nic_write(struct nic *n, unsigned int region, uint64_t off, const void *buf, uint32_t len);

/* Vectors of a VFIO PCI interrupt index. */
unsigned int nic_irq_count(const struct nic *n, unsigned int index);
/* Vectors were armed: sends what waits. */
void nic_irq_armed(struct nic *n);

void nic_reset(struct nic *n, const char *why);
/* The client is gone: no memory, no vector, power-on state. */
void nic_detach(struct nic *n);
void nic_surprise(struct nic *n, bool gone);

#endif /* PM_NIC_H */
