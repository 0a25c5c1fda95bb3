// SPDX-License-Identifier: GPL-2.0
/*
 * Configuration space by itself: capabilities as a host walks them, and what a
 * write and a reset do to each kind of bit.
 */
#include <string.h>

#include "driver/hw/pnic_regs.h"
#include "pci_config.h"
#include "selftests/ktap.h"

#define DB_SIZE	(2ull * 1024 * 4096)

static struct pci_config c;

static void make(bool msix)
{
	const struct pci_config_params p = { .msix = msix, .vectors = 16,
					     .serial = 0x1122334455667788, .db_size = DB_SIZE };

	pci_config_init(&c, &p);
}

static uint32_t get(uint32_t off, unsigned int len)
{
	uint32_t v = 0;

	pci_config_read(&c, off, &v, len);
	return v;
}

static unsigned int put(uint32_t off, uint32_t v, unsigned int len)
{
	return pci_config_write(&c, off, &v, len);
}

static uint32_t find_cap(uint8_t id)
{
	uint32_t at = get(PCI_CAPABILITY_LIST, 1);
	int n;

	for (n = 0; at && n < 48; n++, at = get(at + 1, 1))
		if (get(at, 1) == id)
			return at;
	return 0;
}

static uint32_t find_ext(uint16_t id)
{
	uint32_t at = PCI_CFG_SPACE_SIZE, head;
	int n;

	for (n = 0; at && n < 48; n++, at = head >> 20) {
		head = get(at, 4);
		if ((head & 0xffff) == id)
			return at;
	}
	return 0;
}

KTAP_TEST(identity)
{
	make(true);
	CHECK_EQ(get(PCI_VENDOR_ID, 2), PNIC_PCI_VENDOR_ID);
	CHECK_EQ(get(PCI_DEVICE_ID, 2), PNIC_PCI_DEVICE_ID);
	CHECK_EQ(get(PCI_CLASS_REVISION, 4) >> 8, PNIC_PCI_CLASS);
	CHECK(get(PCI_STATUS, 2) & PCI_STATUS_CAP_LIST);
	CHECK_EQ(get(PCI_HEADER_TYPE, 1), 0);
	CHECK_EQ(get(PCI_INTERRUPT_PIN, 1), 0);
	put(PCI_VENDOR_ID, 0xffffffff, 4);
	put(PCI_CLASS_REVISION, 0xffffffff, 4);
	CHECK_EQ(get(PCI_VENDOR_ID, 4), PNIC_PCI_DEVICE_ID << 16 | PNIC_PCI_VENDOR_ID);
	CHECK_EQ(get(PCI_CLASS_REVISION, 4) >> 8, PNIC_PCI_CLASS);
}

static uint64_t bar_size(unsigned int n)
{
	uint32_t at = PCI_BASE_ADDRESS_0 + 4 * n;
	uint64_t lo, hi;

	put(at, 0xffffffff, 4);
	put(at + 4, 0xffffffff, 4);
	lo = get(at, 4);
	hi = get(at + 4, 4);
	return ~(hi << 32 | (lo & ~15ull)) + 1;
}

KTAP_TEST(bars)
{
	make(true);
	CHECK_EQ(get(PCI_BASE_ADDRESS_0, 4), PCI_BASE_ADDRESS_MEM_TYPE_64);
	CHECK_EQ(get(PCI_BASE_ADDRESS_2, 4), PCI_BASE_ADDRESS_MEM_TYPE_64);
	CHECK_EQ(get(PCI_BASE_ADDRESS_4, 4), PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH);
	CHECK_EQ(bar_size(PNIC_BAR_REGS), PNIC_BAR_REGS_SIZE);
	CHECK_EQ(bar_size(PNIC_BAR_MSIX), PNIC_BAR_MSIX_SIZE);
	CHECK_EQ(bar_size(PNIC_BAR_DB), DB_SIZE);
	make(false);
	CHECK_EQ(get(PCI_BASE_ADDRESS_2, 4), 0);
	put(PCI_BASE_ADDRESS_2, 0xffffffff, 4);
	CHECK_EQ(get(PCI_BASE_ADDRESS_2, 4), 0);
}

KTAP_TEST(capabilities)
{
	uint32_t exp, msix, aer, dsn;

	make(true);
	CHECK(find_cap(PCI_CAP_ID_PM));
	exp = find_cap(PCI_CAP_ID_EXP);
	REQUIRE(exp);
	CHECK_EQ(get(exp + PCI_EXP_FLAGS, 2), 2 | PCI_EXP_TYPE_ENDPOINT << 4);
	CHECK(get(exp + PCI_EXP_DEVCAP, 4) & PCI_EXP_DEVCAP_FLR);
	msix = find_cap(PCI_CAP_ID_MSIX);
	REQUIRE(msix);
	CHECK_EQ(get(msix + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE, 15);
	CHECK_EQ(get(msix + PCI_MSIX_TABLE, 4), PNIC_BAR_MSIX | PNIC_MSIX_TABLE_OFF);
	CHECK_EQ(get(msix + PCI_MSIX_PBA, 4), PNIC_BAR_MSIX | PNIC_MSIX_PBA_OFF);
	CHECK(!find_cap(PCI_CAP_ID_MSI));
	aer = find_ext(PCI_EXT_CAP_ID_ERR);
	REQUIRE(aer);
	CHECK_EQ(get(aer + PCI_ERR_UNCOR_SEVER, 4), 0x00462030);
	dsn = find_ext(PCI_EXT_CAP_ID_DSN);
	REQUIRE(dsn);
	CHECK_EQ(get(dsn + 4, 4), 0x55667788);
	CHECK_EQ(get(dsn + 8, 4), 0x11223344);
	make(false);
	CHECK(!find_cap(PCI_CAP_ID_MSIX));
	REQUIRE(find_cap(PCI_CAP_ID_MSI));
	CHECK_EQ(get(find_cap(PCI_CAP_ID_MSI) + PCI_MSI_FLAGS, 2), PCI_MSI_FLAGS_64BIT | 4 << 1);
}

KTAP_TEST(function_level_reset)
{
	uint32_t ctl;

	make(true);
	ctl = find_cap(PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL;
	CHECK_EQ(put(PCI_COMMAND, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY, 2), PCI_EFFECT_MASTER);
	CHECK_EQ(put(ctl, PCI_EXP_DEVCTL_URRE, 2), 0);
	CHECK_EQ(put(ctl, PCI_EXP_DEVCTL_BCR_FLR | PCI_EXP_DEVCTL_URRE, 2), PCI_EFFECT_FLR);
	CHECK_EQ(get(ctl, 2), PCI_EXP_DEVCTL_URRE);
	/* By any width that covers the bit. */
	CHECK_EQ(put(ctl + 1, PCI_EXP_DEVCTL_BCR_FLR >> 8, 1), PCI_EFFECT_FLR);
	CHECK_EQ(put(ctl, PCI_EXP_DEVCTL_BCR_FLR, 4), PCI_EFFECT_FLR);
	CHECK_EQ(put(ctl, 0x7fff, 1), 0);
	CHECK(pci_config_master(&c));
	pci_config_reset(&c);
	CHECK(!pci_config_master(&c));
	CHECK_EQ(get(PCI_COMMAND, 2), 0);
	CHECK_EQ(memcmp(c.val, c.init, sizeof(c.val)), 0);
}

KTAP_TEST(power_states)
{
	uint32_t ctl;

	make(true);
	ctl = find_cap(PCI_CAP_ID_PM) + PCI_PM_CTRL;
	put(PCI_COMMAND, PCI_COMMAND_MASTER, 2);
	CHECK(pci_config_master(&c));
	CHECK_EQ(put(ctl, 3, 2), 0);
	CHECK(!pci_config_in_d0(&c));
	CHECK(!pci_config_master(&c));
	CHECK_EQ(put(ctl, 0, 2), PCI_EFFECT_D0 | PCI_EFFECT_MASTER);
	/* There is no D1 and no D2. */
	put(ctl, 1, 2);
	CHECK(pci_config_in_d0(&c));
	put(ctl, 3, 2);
	put(ctl, 2, 2);
	CHECK_EQ(get(ctl, 2) & PCI_PM_CTRL_STATE_MASK, 3);
}

KTAP_TEST(write_one_to_clear)
{
	uint32_t aer, sta;

	make(true);
	aer = find_ext(PCI_EXT_CAP_ID_ERR);
	sta = find_cap(PCI_CAP_ID_EXP) + PCI_EXP_DEVSTA;
	c.val[aer + PCI_ERR_UNCOR_STATUS] = 0x30;
	c.val[aer + PCI_ERR_COR_STATUS] = 0xc1;
	c.val[sta] = 0x0f;
	put(aer + PCI_ERR_UNCOR_STATUS, 0x10, 4);
	CHECK_EQ(get(aer + PCI_ERR_UNCOR_STATUS, 4), 0x20);
	put(sta, 0x05, 2);
	CHECK_EQ(get(sta, 2), 0x0a);
	put(aer + PCI_ERR_COR_STATUS, 0, 4);
	CHECK_EQ(get(aer + PCI_ERR_COR_STATUS, 4), 0xc1);
	put(aer + PCI_ERR_UNCOR_SEVER, 0xffffffff, 4);
	/* What an error left behind, and how errors are to be judged, outlives a reset. */
	pci_config_reset(&c);
	CHECK_EQ(get(aer + PCI_ERR_UNCOR_STATUS, 4), 0x20);
	CHECK_EQ(get(aer + PCI_ERR_COR_STATUS, 4), 0xc1);
	CHECK_NE(get(aer + PCI_ERR_UNCOR_SEVER, 4), 0x00462030);
	CHECK_EQ(get(sta, 2), 0);
	pci_config_power_on(&c);
	CHECK_EQ(get(aer + PCI_ERR_UNCOR_STATUS, 4), 0);
	CHECK_EQ(get(aer + PCI_ERR_UNCOR_SEVER, 4), 0x00462030);
}

/* Whatever is written anywhere, what no rule lets change doesn't. */
KTAP_TEST(nothing_else_can_be_written)
{
	uint8_t ones[PCI_CFG_SIZE], zeros[PCI_CFG_SIZE] = {};
	unsigned int i, wrong = 0;

	memset(ones, 0xff, sizeof(ones));
	make(true);
	pci_config_write(&c, 0, zeros, sizeof(zeros));
	for (i = 0; i < PCI_CFG_SIZE; i++)
		wrong += (c.val[i] ^ c.init[i]) & ~c.rw[i];
	pci_config_write(&c, 0, ones, sizeof(ones));
	for (i = 0; i < PCI_CFG_SIZE; i++)
		wrong += (c.val[i] ^ c.init[i]) & ~c.rw[i];
	CHECK_EQ(wrong, 0);
	/* ... and a register that is there for good keeps its value. */
	CHECK(find_cap(PCI_CAP_ID_EXP));
	CHECK(find_ext(PCI_EXT_CAP_ID_DSN));
}

KTAP_MAIN()
