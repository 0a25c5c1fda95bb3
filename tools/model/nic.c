// SPDX-License-Identifier: GPL-2.0
/* One card as a PCI function; see nic.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/vfio.h>

#include "driver/hw/pnic_regs.h"
#include "nic.h"
#include "trace.h"

static void *host_dma(void *host, uint64_t addr, size_t *len, bool write)
{
	struct nic *n = host;
	void *p = NULL;

	if (!n->gone && pci_config_master(&n->cfg))
		p = dma_translate(&n->dma, addr, len, write);
	if (!p) {
		n->dma_refused++;
		trace(n->index, "dma %s 0x%llx refused", write ? "write" : "read",
		      (unsigned long long)addr);
	}
	return p;
}

static void host_irq(void *host, unsigned int vector)
{
	struct nic *n = host;

	if (n->gone)
		return;
	trace(n->index, "irq %u", vector);
	irq_raise(&n->irq, vector, pci_config_master(&n->cfg));
}

static const struct pm_host_ops host_ops = { .dma = host_dma, .irq = host_irq };

/* The client gets the descriptor, and must not be able to pull the memory from under us: sealed. */
static int db_new(struct nic *n)
{
	int err;

	n->db_fd = memfd_create("pnic-doorbells", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (n->db_fd < 0)
		return -errno;
	if (ftruncate(n->db_fd, NIC_DB_BYTES) ||
	    fcntl(n->db_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		goto fail;
	n->db = mmap(NULL, NIC_DB_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, n->db_fd, 0);
	if (n->db == MAP_FAILED)
		goto fail;
	return 0;
fail:
	err = -errno;
	close(n->db_fd);
	return err;
}

int nic_init(struct nic *n, unsigned int index, struct pm_card *card,
	     const struct nic_options *opt)
{
	const struct pci_config_params p = {
		.msix = opt->msix,
		.vectors = PM_VECTORS,
		.serial = pm_card_guid(card),
		.db_size = 2 * NIC_DB_BYTES,
	};
	int err;

	memset(n, 0, sizeof(*n));
	n->index = index;
	n->opt = *opt;
	n->card = card;
	err = db_new(n);
	if (err)
		return err;
	irq_init(&n->irq);
	pci_config_init(&n->cfg, &p);
	pm_card_set_db(card, n->db);
	pm_card_attach(card, &host_ops, n);
	return 0;
}

void nic_fini(struct nic *n)
{
	irq_close(&n->irq);
	dma_clear(&n->dma);
	munmap(n->db, NIC_DB_BYTES);
	close(n->db_fd);
}

uint64_t nic_region_size(const struct nic *n, unsigned int region)
{
	switch (region) {
	case PNIC_BAR_REGS:
		return PNIC_BAR_REGS_SIZE;
	case PNIC_BAR_MSIX:
		return n->opt.msix ? PNIC_BAR_MSIX_SIZE : 0;
	case PNIC_BAR_DB:
		return 2 * NIC_DB_BYTES;
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return PCI_CFG_SIZE;
	default:
		return 0;
	}
}

static void reg_read(struct nic *n, uint64_t off, void *buf, uint32_t len)
{
	uint32_t v;

	if (len != 4 || off % 4)
		return;
	v = pm_card_reg_read(n->card, off);
	memcpy(buf, &v, 4);
}

/* Doorbell pages are memory; the wake pages behind them read 0. */
static void db_read(struct nic *n, uint64_t off, void *buf, uint32_t len)
{
	if (off < NIC_DB_BYTES)
		memcpy(buf, n->db + off, off + len > NIC_DB_BYTES ? NIC_DB_BYTES - off : len);
}

void nic_read(struct nic *n, unsigned int region, uint64_t off, void *buf, uint32_t len)
{
	bool awake = region == VFIO_PCI_CONFIG_REGION_INDEX || pci_config_in_d0(&n->cfg);

	if (n->gone || !awake) {
		memset(buf, 0xff, len);
		return;
	}
	memset(buf, 0, len);
	switch (region) {
	case PNIC_BAR_REGS:
		reg_read(n, off, buf, len);
		break;
	case PNIC_BAR_DB:
		db_read(n, off, buf, len);
		break;
	case VFIO_PCI_CONFIG_REGION_INDEX:
		pci_config_read(&n->cfg, off, buf, len);
		break;
	default:	/* table and pending bits of MSI-X are the client's */
		break;
	}
}

static void reg_write(struct nic *n, uint64_t off, const void *buf, uint32_t len)
{
	uint32_t v;

	if (len != 4 || off % 4)
		return;
	memcpy(&v, buf, 4);
	pm_card_reg_write(n->card, off, v);
}

/* A slot is stored whole, as the processor that rang it did: half a doorbell means nothing. */
static void db_write(struct nic *n, uint64_t off, const void *buf, uint32_t len)
{
	uint64_t slot;

	if (off >= NIC_DB_BYTES)
		return;
	if (len == 8 && off % 8 == 0) {
		memcpy(&slot, buf, 8);
		__atomic_store_n((uint64_t *)(n->db + off), slot, __ATOMIC_RELEASE);
		return;
	}
	memcpy(n->db + off, buf, off + len > NIC_DB_BYTES ? NIC_DB_BYTES - off : len);
}

static void config_write(struct nic *n, uint32_t off, const void *buf, uint32_t len)
{
	unsigned int effect = pci_config_write(&n->cfg, off, buf, len);

	if (effect & PCI_EFFECT_FLR)
		nic_reset(n, "function-level reset");
	else if (effect & PCI_EFFECT_D0)
		nic_reset(n, "D3hot to D0");
	else if (effect & PCI_EFFECT_MASTER)
		irq_flush(&n->irq);
}

void nic_write(struct nic *n, unsigned int region, uint64_t off, const void *buf, uint32_t len)
{
	bool awake = region == VFIO_PCI_CONFIG_REGION_INDEX || pci_config_in_d0(&n->cfg);

	if (n->gone || !awake)
		return;
	switch (region) {
	case PNIC_BAR_REGS:
		reg_write(n, off, buf, len);
		break;
	case PNIC_BAR_DB:
		db_write(n, off, buf, len);
		break;
	case VFIO_PCI_CONFIG_REGION_INDEX:
		config_write(n, off, buf, len);
		break;
	default:
		break;
	}
}

unsigned int nic_irq_count(const struct nic *n, unsigned int index)
{
	switch (index) {
	case VFIO_PCI_MSI_IRQ_INDEX:
		return n->opt.msix ? 0 : PM_VECTORS;
	case VFIO_PCI_MSIX_IRQ_INDEX:
		return n->opt.msix ? PM_VECTORS : 0;
	case VFIO_PCI_ERR_IRQ_INDEX:
		/* Taken, so that QEMU doesn't warn, and never raised: it would stop the machine for good. */
		return 1;
	default:
		return 0;
	}
}

void nic_irq_armed(struct nic *n)
{
	if (!n->gone && pci_config_master(&n->cfg))
		irq_flush(&n->irq);
}

/* The client keeps its vectors over a reset, and sends none again: only what waits is dropped. */
void nic_reset(struct nic *n, const char *why)
{
	if (n->gone)
		return;
	trace(n->index, "reset: %s", why);
	n->resets++;
	pm_card_reset(n->card);
	pci_config_reset(&n->cfg);
	irq_drop_pending(&n->irq);
}

/* What was in the doorbell pages is no business of the next client. */
static void power_on(struct nic *n)
{
	n->resets++;
	pm_card_reset(n->card);
	pci_config_power_on(&n->cfg);
	irq_drop_pending(&n->irq);
	madvise(n->db, NIC_DB_BYTES, MADV_REMOVE);
}

void nic_detach(struct nic *n)
{
	trace(n->index, "reset: client gone");
	power_on(n);
	irq_close(&n->irq);
	dma_clear(&n->dma);
}

/* Pulled out: no light any more either. Put back: as after power-on. */
void nic_surprise(struct nic *n, bool gone)
{
	if (gone == n->gone)
		return;
	trace(n->index, gone ? "surprise: gone" : "surprise: back");
	n->gone = gone;
	power_on(n);
	pm_port_link_set(pm_card_port(n->card), !gone);
}
