// SPDX-License-Identifier: GPL-2.0
/*
 * Suspending the machine under traffic. Contexts do not survive it, and are told; when the machine
 * wakes the cards serve again and the link is up.
 *
 * The kernel's own test mode does it: all devices are suspended and resumed, and the processor goes
 * on in between. A guest whose root stands on virtiofs cannot be suspended, as that device refuses; it
 * is asked after the cards, so that these have been suspended by then, and are resumed.
 */
#include "pcitest.h"

#define LINK_UP		1	/* struct pnic_ioc_link_info */
#define POWER		"/sys/power/"
#define VIRTIOFS	"/sys/bus/virtio/drivers/virtiofs/"

static void pm_begin(void)
{
	if (access(POWER "pm_test", W_OK))
		SKIP("no %spm_test: this kernel can't test suspending", POWER);
	pci_begin();
	/* One device after another, the last one found first. */
	REQUIRE_OK(write_file(POWER "pm_async", "0"));
	write_file("/sys/module/suspend/parameters/pm_test_delay", "0");
}

static void pm_end(void)
{
	REQUIRE_OK(write_file(POWER "pm_test", "none"));
	REQUIRE_OK(write_file(POWER "pm_async", "1"));
}

/* There is a device that does not let the machine sleep. */
static bool refused(void)
{
	return !system("ls " VIRTIOFS " | grep -q '^virtio[0-9]'");
}

/* How far down: "devices" (all suspended), "platform" (and in D3hot). */
static void suspend(const char *level)
{
	REQUIRE_OK(write_file(POWER "pm_test", level));
	if (refused())
		CHECK_EQ(write_file(POWER "state", "freeze"), -1);
	else
		CHECK_OK(write_file(POWER "state", "freeze"));
}

static void rounds_at(const char *level)
{
	unsigned int i, n = pci_rounds(3);
	struct pnic_ioc_link_info link;
	struct raw_ep r, s;
	struct life *l;
	long suspends, resets;

	pm_begin();
	if (refused() && strcmp(level, "devices"))
		SKIP("the root stands on virtiofs, which does not let the machine sleep");
	l = pci_life();
	suspends = driver_counter("suspends");
	resets = driver_counter("resets");
	for (i = 0; i < n; i++) {
		pci_witness(&r, 0);
		pci_witness(&s, 1);
		suspend(level);
		pci_witness_over(&r, PNIC_EVT_RESET, EIO);
		pci_witness_over(&s, PNIC_EVT_RESET, EIO);
		CHECK_OK(pci_serves(0));
		CHECK_OK(pci_serves(1));
		pci_life_resumes(l);
		r.fd = dev_open(0);
		CHECK_OK(dev_link(r.fd, &link));
		CHECK_EQ(link.state, LINK_UP);
		CHECK_EQ(link.width_rx, link.width_max);
		CHECK_EQ(link.width_tx, link.width_max);
		close(r.fd);
	}
	CHECK_EQ(driver_counter("suspends"), suspends + 2 * n);
	CHECK_EQ(driver_counter("resets"), resets + 2 * n);
	pci_life_over(l);
	pm_end();
	pci_end();
}

KTAP_TEST(devices)
{
	rounds_at("devices");
}

KTAP_TEST(platform)
{
	rounds_at("platform");
}

KTAP_MAIN()
