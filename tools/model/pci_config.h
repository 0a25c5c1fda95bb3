/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The 4 KiB configuration space of one NIC, with the access rule of every bit.
 *
 * nic.c owns one, vfu_msg.c reads and writes it for the client. QEMU keeps BARs and
 * the MSI-X enable bit itself and forwards the rest.
 */
#ifndef PM_PCI_CONFIG_H
#define PM_PCI_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/pci_regs.h>

#define PCI_CFG_SIZE	4096

struct pci_config {
	uint8_t val[PCI_CFG_SIZE];
	uint8_t init[PCI_CFG_SIZE];	/* after power-on and reset */
	uint8_t rw[PCI_CFG_SIZE];	/* bits that a write sets */
	uint8_t w1c[PCI_CFG_SIZE];	/* bits that a written 1 clears */
	uint8_t sticky[PCI_CFG_SIZE];	/* bits that a reset leaves alone */
	uint16_t pm, exp, aer;		/* offsets of capabilities */
};

struct pci_config_params {
	bool msix;			/* else MSI */
	unsigned int vectors;		/* a power of two */
	uint64_t serial;
	uint64_t db_size;		/* of BAR 4 */
};

/* What a write asks of the function besides the stored bits. */
enum pci_config_effect {
	PCI_EFFECT_FLR		= 1,	/* function-level reset */
	PCI_EFFECT_D0		= 2,	/* D3hot to D0: a reset as well */
	PCI_EFFECT_MASTER	= 4,	/* may master the bus from now on */
};

void pci_config_init(struct pci_config *c, const struct pci_config_params *p);
void pci_config_power_on(struct pci_config *c);
/* What FLR, bus reset and D3hot to D0 do to the registers. */
void pci_config_reset(struct pci_config *c);
void pci_config_read(const struct pci_config *c, uint32_t off, void *buf, uint32_t len);
/* Returns enum pci_config_effect bits. @off + @len within the space. */
unsigned int pci_config_write(struct pci_config *c, uint32_t off, const void *buf, uint32_t len);
bool pci_config_in_d0(const struct pci_config *c);
/* Bus master enable is set and the function is in D0. */
bool pci_config_master(const struct pci_config *c);

#endif /* PM_PCI_CONFIG_H */
