// SPDX-License-Identifier: GPL-2.0
/*
 * A card that goes away and comes back under traffic: removed by sysfs and found again, pulled
 * out for a moment, pulled out for good. Whoever had it open is told, and keeps valid mappings.
 *
 * pci_unplug has the same with a machine that really takes the function away.
 */
#include <fcntl.h>
#include <sys/syscall.h>

#include "pcitest.h"
#include "steer.h"

#define RESCAN	"/sys/bus/pci/rescan"
#define UNBIND	"/sys/bus/pci/drivers/pnic/unbind"

static void wait_node(unsigned int nic, bool there)
{
	uint64_t end = now_ns() + PCI_WAIT_MS * 1000000ull;
	char path[32];

	snprintf(path, sizeof(path), "/dev/pnic%u", nic);
	while (!access(path, F_OK) != there && now_ns() < end)
		sleep_ms(5);
	REQUIRE_EQ(!access(path, F_OK), there);
}

KTAP_TEST(removed_and_found)
{
	unsigned int i, n = pci_rounds(3);
	struct life *l;
	struct raw_ep r;

	pci_begin();
	l = pci_life();
	for (i = 0; i < n; i++) {
		pci_witness(&r, i % 2);
		REQUIRE_OK(write_file(pci_path(i % 2, "remove"), "1"));
		CHECK_ERRNO(dev_open(i % 2), ENOENT);
		REQUIRE_OK(write_file(RESCAN, "1"));
		wait_node(i % 2, true);
		/* The old file stays dead beside the new device. */
		pci_witness_over(&r, PNIC_EVT_GONE, ENODEV);
		pci_wait_serves(i % 2);
		pci_life_resumes(l);
	}
	CHECK_GT(l->opened, n);
	pci_life_over(l);
	pci_end();
}

/* The registers read all ones, but before anybody has given it up the card is there again: a reset. */
KTAP_TEST(gone_for_a_moment)
{
	unsigned int i, n = pci_rounds(3);
	struct life *l;
	struct raw_ep r;

	pci_begin();
	NEED_MODEL();
	l = pci_life();
	for (i = 0; i < n; i++) {
		pci_witness(&r, i % 2);
		STEER("{\"cmd\":\"surprise\",\"nic\":%u,\"on\":true}", i % 2);
		/* Somebody uses it: that is how it is noticed. */
		CHECK_EQ(dev_cq(r.fd, 16, NULL), -1);
		STEER("{\"cmd\":\"surprise\",\"nic\":%u,\"on\":false}", i % 2);
		pci_witness_over(&r, PNIC_EVT_RESET, EIO);
		pci_wait_serves(i % 2);
		pci_life_resumes(l);
	}
	pci_life_over(l);
	pci_end();
}

/* Back before anybody has looked: nothing reads as all ones, but what PCI had set up in the card is lost. */
KTAP_TEST(gone_unnoticed)
{
	unsigned int i, n = pci_rounds(3);
	struct raw_ep r;

	pci_begin();
	NEED_MODEL();
	for (i = 0; i < n; i++) {
		pci_witness(&r, i % 2);
		STEER("{\"cmd\":\"surprise\",\"nic\":%u,\"on\":true}", i % 2);
		STEER("{\"cmd\":\"surprise\",\"nic\":%u,\"on\":false}", i % 2);
		pci_witness_over(&r, PNIC_EVT_RESET, EIO);
		pci_wait_serves(i % 2);
	}
	pci_end();
}

/* It does not come back: the device is gone, also before anybody removes the function. */
KTAP_TEST(gone_for_good)
{
	unsigned int i, n = pci_rounds(2);
	struct pnic_ioc_info info;
	char remove[PATH_MAX];
	struct life *l;
	struct raw_ep r;

	pci_begin();
	NEED_MODEL();
	l = pci_life();
	for (i = 0; i < n; i++) {
		pci_witness(&r, i % 2);
		snprintf(remove, sizeof(remove), "%s", pci_path(i % 2, "remove"));
		STEER("{\"cmd\":\"surprise\",\"nic\":%u,\"on\":true}", i % 2);
		pci_witness_over(&r, PNIC_EVT_GONE, ENODEV);
		r.fd = dev_open(i % 2);
		CHECK_EQ(r.fd, -1);
		CHECK_EQ(dev_info(r.fd, &info), -1);
		REQUIRE_OK(write_file(remove, "1"));
		wait_node(i % 2, false);
		STEER("{\"cmd\":\"surprise\",\"nic\":%u,\"on\":false}", i % 2);
		REQUIRE_OK(write_file(RESCAN, "1"));
		wait_node(i % 2, true);
		pci_wait_serves(i % 2);
		pci_life_resumes(l);
	}
	CHECK_GT(l->opened, n);
	pci_life_over(l);
	pci_end();
}

/* Whoever had a file of it open closes that when he is told, and nobody can open one anew. */
static void module_remove(void)
{
	uint64_t end = now_ns() + PCI_WAIT_MS * 1000000ull;
	int err;

	do {
		err = syscall(SYS_delete_module, "pnic", O_NONBLOCK) ? errno : 0;
		if (err)
			sleep_ms(5);
	} while (err == EWOULDBLOCK && now_ns() < end);
	REQUIRE_EQ(err, 0);
}

/* The cards lose their driver, the driver its last user, and the module goes: with it back everything is as it was. */
KTAP_TEST(module_away)
{
	unsigned int i, nic, n = pci_rounds(3);
	char pci[2][32];
	struct life *l;
	struct raw_ep r;

	if (access(module_path(), R_OK))
		SKIP("no module at %s", module_path());
	pci_begin();
	l = pci_life();
	for (nic = 0; nic < 2; nic++)
		REQUIRE_OK(dev_pci(nic, pci[nic], sizeof(pci[nic])));
	for (i = 0; i < n; i++) {
		pci_witness(&r, i % 2);
		for (nic = 0; nic < 2; nic++)
			REQUIRE_OK(write_file(UNBIND, pci[nic]));
		pci_witness_over(&r, PNIC_EVT_GONE, ENODEV);
		module_remove();
		CHECK_ERRNO(dev_open(i % 2), ENOENT);
		CHECK_EQ(pinned_pages(), pci_pinned);
		REQUIRE_OK(module_insert());
		wait_node(0, true);
		wait_node(1, true);
		pci_wait_serves(i % 2);
		pci_life_resumes(l);
	}
	CHECK_GT(l->opened, n);
	pci_life_over(l);
	pci_end();
}

KTAP_MAIN()
