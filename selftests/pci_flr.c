// SPDX-License-Identifier: GPL-2.0
/*
 * Resets of a PCI function by sysfs, in each way that the kernel has: contexts are over and told
 * so, the card comes back, and traffic with it.
 */
#include <sys/wait.h>

#include "pcitest.h"

static void reset(unsigned int nic, const char *method)
{
	REQUIRE_OK(write_file(pci_path(nic, "reset_method"), method));
	REQUIRE_OK(write_file(pci_path(nic, "reset"), "1"));
}

static bool has_method(unsigned int nic, const char *method)
{
	char text[128] = "";
	FILE *f = fopen(pci_path(nic, "reset_method"), "re");

	if (!f)
		return false;
	if (!fgets(text, sizeof(text), f))
		text[0] = 0;
	fclose(f);
	return strstr(text, method);
}

static void rounds_of(const char *method)
{
	unsigned int i, n = pci_rounds(3);
	struct pnic_ioc_info info;
	struct life *l;
	struct raw_ep r;
	long resets;

	pci_begin();
	if (!has_method(0, method))
		SKIP("card 0 has no reset by \"%s\"", method);
	l = pci_life();
	resets = driver_counter("resets");
	for (i = 0; i < n; i++) {
		pci_witness(&r, i % 2);
		reset(i % 2, method);
		/* The write came back: the driver knew of it before, and did not find out by itself. */
		CHECK_OK(dev_info(r.fd, &info));
		CHECK_GT(info.epoch, r.info.epoch);
		pci_witness_over(&r, PNIC_EVT_RESET, EIO);
		CHECK_OK(pci_serves(i % 2));
		pci_life_resumes(l);
	}
	CHECK_EQ(driver_counter("resets"), resets + n);
	CHECK_GT(l->opened, n);
	pci_life_over(l);
	for (i = 0; i < 2; i++)
		REQUIRE_OK(write_file(pci_path(i, "reset_method"), "default"));
	pci_end();
}

KTAP_TEST(function_level)
{
	rounds_of("flr");
}

/* To D3hot and back. */
KTAP_TEST(power_management)
{
	rounds_of("pm");
}

KTAP_TEST(secondary_bus)
{
	rounds_of("bus");
}

/* Both cards at once, by several processes, with the driver's own resets in between. */
KTAP_TEST(at_once)
{
	unsigned int i, k, n = pci_rounds(3);
	struct life *l;
	pid_t pid[4];
	int status;

	pci_begin();
	l = pci_life();
	for (k = 0; k < 4; k++) {
		pid[k] = ktap_fork();
		REQUIRE_OK(pid[k]);
		if (pid[k])
			continue;
		for (i = 0; i < n; i++) {
			REQUIRE_OK(write_file(pci_path(k % 2, "reset"), "1"));
			sleep_ms((i + k) % 3 * 10);
		}
		ktap_child_exit();
	}
	for (k = 0; k < 4; k++) {
		REQUIRE_EQ(waitpid(pid[k], &status, 0), pid[k]);
		CHECK_EQ(status, 0);
	}
	pci_life_resumes(l);
	pci_life_over(l);
	pci_end();
}

KTAP_MAIN()
