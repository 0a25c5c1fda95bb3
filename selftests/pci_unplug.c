// SPDX-License-Identifier: GPL-2.0
/*
 * The machine takes a card away and plugs it in again, under traffic: a working one, and one that is
 * dead already. The guest asks its own QEMU for that.
 *
 * The cards have MSI here: QEMU 11.1 falls when it takes away a vfio-user device with MSI-X.
 */
#include "pcitest.h"
#include "qmp.h"
#include "steer.h"

static void unplug_begin(void)
{
	if (!qmp_present())
		SKIP("no monitor of the machine: %s", qmp_error());
	pci_begin();
	NEED_MODEL();
}

static void unplug(unsigned int nic)
{
	if (!qmp_unplug(nic, PCI_WAIT_MS))
		return;
	ktap_failed(__FILE__, __LINE__, "unplugging card %u: %s", nic, qmp_error());
	ktap_leave();
}

static void plug(unsigned int nic)
{
	if (!qmp_plug(nic))
		return;
	ktap_failed(__FILE__, __LINE__, "plugging card %u: %s", nic, qmp_error());
	ktap_leave();
}

/* One after the other, so that the card that is left is always the other one. */
KTAP_TEST(unplugged_and_plugged)
{
	unsigned int i, n = pci_rounds(3);
	struct life *l;
	struct raw_ep r;

	unplug_begin();
	l = pci_life();
	for (i = 0; i < n; i++) {
		pci_witness(&r, i % 2);
		unplug(i % 2);
		CHECK_ERRNO(dev_open(i % 2), ENOENT);
		CHECK_OK(pci_serves(!(i % 2)));
		plug(i % 2);
		pci_wait_serves(i % 2);
		/* The old file stays dead beside the new device. */
		pci_witness_over(&r, PNIC_EVT_GONE, ENODEV);
		pci_life_resumes(l);
	}
	CHECK_GT(l->opened, n);
	pci_life_over(l);
	pci_end();
}

KTAP_TEST(dead_and_unplugged)
{
	unsigned int i, n = pci_rounds(2);
	struct life *l;
	struct raw_ep r;

	unplug_begin();
	l = pci_life();
	for (i = 0; i < n; i++) {
		pci_witness(&r, i % 2);
		STEER("{\"cmd\":\"surprise\",\"nic\":%u,\"on\":true}", i % 2);
		/* Every other time the driver has not given it up yet. */
		if (i & 2)
			pci_witness_over(&r, PNIC_EVT_GONE, ENODEV);
		unplug(i % 2);
		STEER("{\"cmd\":\"surprise\",\"nic\":%u,\"on\":false}", i % 2);
		plug(i % 2);
		pci_wait_serves(i % 2);
		if (!(i & 2))
			pci_witness_over(&r, PNIC_EVT_GONE, ENODEV);
		pci_life_resumes(l);
	}
	CHECK_GT(l->opened, n);
	pci_life_over(l);
	pci_end();
}

KTAP_MAIN()
