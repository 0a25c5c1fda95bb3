// SPDX-License-Identifier: GPL-2.0
/*
 * Configuration space of a pnic function; see pci_config.h.
 *
 * Built once from the pieces below: each piece sets the reset values and the
 * rules of its registers, so that reads, writes and resets need no case for
 * any register but the two whose writes do something.
 */
#include <string.h>

#include "driver/hw/pnic_regs.h"
#include "pci_config.h"

#define OFF_PM		0x40
#define OFF_EXP		0x50
#define OFF_MSI		0x90
#define OFF_AER		0x100
#define OFF_DSN		0x150

#define EXP_V2_SIZE	0x3c

/* Surprise down, flow control, receiver overflow, DLP, malformed TLP, internal error: fatal. */
#define AER_SEVERITY	0x00462030u
#define AER_UNCOR_BITS	0x07fff030u
#define AER_COR_BITS	0x0000f1c1u

static void put(uint8_t *a, uint32_t off, uint32_t v, unsigned int bytes)
{
	for (; bytes; bytes--, off++, v >>= 8)
		a[off] = v;
}

static uint16_t get16(const struct pci_config *c, uint32_t off)
{
	return c->val[off] | c->val[off + 1] << 8;
}

/* One register: reset value and writable bits. */
static void reg(struct pci_config *c, uint32_t off, unsigned int bytes, uint32_t init, uint32_t rw)
{
	put(c->init, off, init, bytes);
	put(c->rw, off, rw, bytes);
}

static void reg_w1c(struct pci_config *c, uint32_t off, unsigned int bytes, uint32_t bits,
		    bool sticky)
{
	put(c->w1c, off, bits, bytes);
	if (sticky)
		put(c->sticky, off, bits, bytes);
}

static void bar(struct pci_config *c, unsigned int n, uint64_t size, uint32_t type)
{
	uint32_t off = PCI_BASE_ADDRESS_0 + 4 * n;
	uint64_t mask = ~(size - 1);

	reg(c, off, 4, type, (uint32_t)mask);
	reg(c, off + 4, 4, 0, mask >> 32);
}

static void build_header(struct pci_config *c, const struct pci_config_params *p)
{
	const uint32_t mem64 = PCI_BASE_ADDRESS_MEM_TYPE_64;

	reg(c, PCI_VENDOR_ID, 2, PNIC_PCI_VENDOR_ID, 0);
	reg(c, PCI_DEVICE_ID, 2, PNIC_PCI_DEVICE_ID, 0);
	reg(c, PCI_COMMAND, 2, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
	    PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE);
	reg(c, PCI_STATUS, 2, PCI_STATUS_CAP_LIST, 0);
	reg_w1c(c, PCI_STATUS, 2, PCI_STATUS_PARITY | PCI_STATUS_SIG_TARGET_ABORT |
		PCI_STATUS_REC_TARGET_ABORT | PCI_STATUS_REC_MASTER_ABORT |
		PCI_STATUS_SIG_SYSTEM_ERROR | PCI_STATUS_DETECTED_PARITY, false);
	reg(c, PCI_CLASS_REVISION, 4, PNIC_PCI_CLASS << 8 | PNIC_HW_MAJOR, 0);
	reg(c, PCI_CACHE_LINE_SIZE, 1, 0, 0xff);
	bar(c, PNIC_BAR_REGS, PNIC_BAR_REGS_SIZE, mem64);
	if (p->msix)
		bar(c, PNIC_BAR_MSIX, PNIC_BAR_MSIX_SIZE, mem64);
	/* Plain memory to the bus: may live above 4 GiB behind any bridge. */
	bar(c, PNIC_BAR_DB, p->db_size, mem64 | PCI_BASE_ADDRESS_MEM_PREFETCH);
	reg(c, PCI_SUBSYSTEM_VENDOR_ID, 2, PNIC_PCI_VENDOR_ID, 0);
	reg(c, PCI_SUBSYSTEM_ID, 2, 1, 0);
	reg(c, PCI_CAPABILITY_LIST, 1, OFF_PM, 0);
	reg(c, PCI_INTERRUPT_LINE, 1, 0, 0xff);
}

static void build_pm(struct pci_config *c)
{
	c->pm = OFF_PM;
	reg(c, OFF_PM, 2, PCI_CAP_ID_PM | OFF_EXP << 8, 0);
	reg(c, OFF_PM + PCI_PM_PMC, 2, 3, 0);
	reg(c, OFF_PM + PCI_PM_CTRL, 2, 0, PCI_PM_CTRL_STATE_MASK);
}

static void build_exp(struct pci_config *c)
{
	const uint32_t at = OFF_EXP;

	c->exp = at;
	reg(c, at, 2, PCI_CAP_ID_EXP | OFF_MSI << 8, 0);
	reg(c, at + PCI_EXP_FLAGS, 2, 2 | PCI_EXP_TYPE_ENDPOINT << 4, 0);
	/* Payload up to 512 bytes, extended tags, role-based errors, FLR. */
	reg(c, at + PCI_EXP_DEVCAP, 4, 2 | PCI_EXP_DEVCAP_EXT_TAG | PCI_EXP_DEVCAP_RBER |
	    PCI_EXP_DEVCAP_FLR, 0);
	/* Bit 15 starts the FLR and reads 0. */
	reg(c, at + PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_RELAX_EN | 2 << 12 | PCI_EXP_DEVCTL_NOSNOOP_EN,
	    0x7fff & ~(PCI_EXP_DEVCTL_PHANTOM | PCI_EXP_DEVCTL_AUX_PME));
	reg_w1c(c, at + PCI_EXP_DEVSTA, 2, PCI_EXP_DEVSTA_CED | PCI_EXP_DEVSTA_NFED |
		PCI_EXP_DEVSTA_FED | PCI_EXP_DEVSTA_URD, false);
	/* 16 lanes of 32 GT/s: what an 800 Gb/s port would sit on. */
	reg(c, at + PCI_EXP_LNKCAP, 4, PCI_EXP_LNKCAP_SLS_32_0GB | 16 << 4, 0);
	reg(c, at + PCI_EXP_LNKCTL, 2, 0, PCI_EXP_LNKCTL_RCB | PCI_EXP_LNKCTL_CCC |
	    PCI_EXP_LNKCTL_ES);
	reg(c, at + PCI_EXP_LNKSTA, 2, PCI_EXP_LNKSTA_CLS_32_0GB | 16 << 4, 0);
	/* Completion time-out ranges A..D, and may be disabled. */
	reg(c, at + PCI_EXP_DEVCAP2, 4, 0x1f, 0);
	reg(c, at + PCI_EXP_DEVCTL2, 2, 0, 0x1f);
	reg(c, at + PCI_EXP_LNKCAP2, 4, 0x3e, 0);
	reg(c, at + PCI_EXP_LNKCTL2, 2, PCI_EXP_LNKCTL2_TLS_32_0GT, PCI_EXP_LNKCTL2_TLS);
}

static void build_msix(struct pci_config *c, unsigned int vectors)
{
	reg(c, OFF_MSI, 2, PCI_CAP_ID_MSIX, 0);
	reg(c, OFF_MSI + PCI_MSIX_FLAGS, 2, vectors - 1,
	    PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	reg(c, OFF_MSI + PCI_MSIX_TABLE, 4, PNIC_MSIX_TABLE_OFF | PNIC_BAR_MSIX, 0);
	reg(c, OFF_MSI + PCI_MSIX_PBA, 4, PNIC_MSIX_PBA_OFF | PNIC_BAR_MSIX, 0);
}

static void build_msi(struct pci_config *c, unsigned int vectors)
{
	unsigned int log = 0;

	while (1u << log < vectors)
		log++;
	reg(c, OFF_MSI, 2, PCI_CAP_ID_MSI, 0);
	reg(c, OFF_MSI + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_64BIT | log << 1,
	    PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
	reg(c, OFF_MSI + PCI_MSI_ADDRESS_LO, 4, 0, 0xfffffffc);
	reg(c, OFF_MSI + PCI_MSI_ADDRESS_HI, 4, 0, 0xffffffff);
	reg(c, OFF_MSI + PCI_MSI_DATA_64, 2, 0, 0xffff);
}

static void build_aer(struct pci_config *c)
{
	const uint32_t at = OFF_AER;

	c->aer = at;
	reg(c, at, 4, PCI_EXT_CAP_ID_ERR | 2 << 16 | (uint32_t)OFF_DSN << 20, 0);
	reg_w1c(c, at + PCI_ERR_UNCOR_STATUS, 4, AER_UNCOR_BITS, true);
	reg(c, at + PCI_ERR_UNCOR_MASK, 4, PCI_ERR_UNC_INTN, AER_UNCOR_BITS);
	/* A severity that reset leaves at 0 would make every fatal error look harmless. */
	reg(c, at + PCI_ERR_UNCOR_SEVER, 4, AER_SEVERITY, AER_UNCOR_BITS);
	reg_w1c(c, at + PCI_ERR_COR_STATUS, 4, AER_COR_BITS, true);
	reg(c, at + PCI_ERR_COR_MASK, 4, PCI_ERR_COR_ADV_NFAT | PCI_ERR_COR_INTERNAL |
	    PCI_ERR_COR_LOG_OVER, AER_COR_BITS);
	/* Masks and severity keep their values over a reset, as the specification has it. */
	put(c->sticky, at + PCI_ERR_UNCOR_MASK, AER_UNCOR_BITS, 4);
	put(c->sticky, at + PCI_ERR_UNCOR_SEVER, AER_UNCOR_BITS, 4);
	put(c->sticky, at + PCI_ERR_COR_MASK, AER_COR_BITS, 4);
}

static void build_dsn(struct pci_config *c, uint64_t serial)
{
	reg(c, OFF_DSN, 4, PCI_EXT_CAP_ID_DSN | 1 << 16, 0);
	reg(c, OFF_DSN + 4, 4, (uint32_t)serial, 0);
	reg(c, OFF_DSN + 8, 4, serial >> 32, 0);
}

void pci_config_init(struct pci_config *c, const struct pci_config_params *p)
{
	memset(c, 0, sizeof(*c));
	build_header(c, p);
	build_pm(c);
	build_exp(c);
	if (p->msix)
		build_msix(c, p->vectors);
	else
		build_msi(c, p->vectors);
	build_aer(c);
	build_dsn(c, p->serial);
	pci_config_power_on(c);
}

void pci_config_power_on(struct pci_config *c)
{
	memcpy(c->val, c->init, sizeof(c->val));
}

void pci_config_reset(struct pci_config *c)
{
	unsigned int i;

	for (i = 0; i < PCI_CFG_SIZE; i++)
		c->val[i] = (c->val[i] & c->sticky[i]) | (c->init[i] & ~c->sticky[i]);
}

void pci_config_read(const struct pci_config *c, uint32_t off, void *buf, uint32_t len)
{
	memcpy(buf, c->val + off, len);
}

bool pci_config_in_d0(const struct pci_config *c)
{
	return !(get16(c, c->pm + PCI_PM_CTRL) & PCI_PM_CTRL_STATE_MASK);
}

bool pci_config_master(const struct pci_config *c)
{
	return (get16(c, PCI_COMMAND) & PCI_COMMAND_MASTER) && pci_config_in_d0(c);
}

/* D1 and D2 don't exist here: a write that asks for them leaves the state as it is. */
static void keep_legal_state(struct pci_config *c, uint8_t before)
{
	uint8_t *state = &c->val[c->pm + PCI_PM_CTRL];
	uint8_t now = *state & PCI_PM_CTRL_STATE_MASK;

	if (now == 1 || now == 2)
		*state = (*state & ~PCI_PM_CTRL_STATE_MASK) | (before & PCI_PM_CTRL_STATE_MASK);
}

unsigned int pci_config_write(struct pci_config *c, uint32_t off, const void *buf, uint32_t len)
{
	const uint32_t flr = c->exp + PCI_EXP_DEVCTL + 1;
	uint8_t before = c->val[c->pm + PCI_PM_CTRL];
	bool d0 = pci_config_in_d0(c), master = pci_config_master(c);
	const uint8_t *b = buf;
	unsigned int effect = 0;
	uint32_t i;

	for (i = 0; i < len; i++, off++) {
		c->val[off] = (c->val[off] & ~c->rw[off]) | (b[i] & c->rw[off]);
		c->val[off] &= ~(b[i] & c->w1c[off]);
		if (off == flr && b[i] & PCI_EXP_DEVCTL_BCR_FLR >> 8)
			effect |= PCI_EFFECT_FLR;
	}
	keep_legal_state(c, before);
	if (!d0 && pci_config_in_d0(c))
		effect |= PCI_EFFECT_D0;
	if (!master && pci_config_master(c))
		effect |= PCI_EFFECT_MASTER;
	return effect;
}
