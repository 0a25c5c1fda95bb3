// SPDX-License-Identifier: GPL-2.0
/*
 * PCI Express errors under traffic, by the kernel's error injector: correctable and non-fatal ones
 * cost nobody anything, a fatal one costs the contexts, and the card comes back.
 */
#include <fcntl.h>
#include <stdint.h>

#include "pcitest.h"

#define INJECTOR	"/dev/aer_inject"

/* What is written to the injector: struct aer_error_inj of the kernel. */
struct injection {
	uint8_t bus, dev, fn;
	uint32_t uncorrectable, correctable;
	uint32_t header[4];
	uint32_t domain;
};

/* Bits of the two status registers. */
#define BAD_TLP			0x00000040u
#define REPLAY_TIMEOUT		0x00001000u
#define DATA_LINK_PROTOCOL	0x00000010u	/* fatal, says the severity register after reset */
#define COMPLETION_TIMEOUT	0x00004000u	/* not */

/* False: the injector is busy with another error on that bus. */
static bool inject_if_free(unsigned int nic, uint32_t uncorrectable, uint32_t correctable)
{
	struct injection e = { .uncorrectable = uncorrectable, .correctable = correctable, .header = { 1, 2, 3, 4 } };
	unsigned int domain, bus, dev, fn;
	char pci[32];
	int fd, err = 0;

	REQUIRE_OK(dev_pci(nic, pci, sizeof(pci)));
	REQUIRE_EQ(sscanf(pci, "%x:%x:%x.%x", &domain, &bus, &dev, &fn), 4);
	e.domain = domain;
	e.bus = bus;
	e.dev = dev;
	e.fn = fn;
	fd = open(INJECTOR, O_WRONLY | O_CLOEXEC);
	REQUIRE_OK(fd);
	if (write(fd, &e, sizeof(e)) < 0)
		err = errno;
	close(fd);
	if (err && err != EBUSY)
		ktap_failed(__FILE__, __LINE__, "the injector refuses: %s", strerror(err));
	return !err;
}

static void inject(unsigned int nic, uint32_t uncorrectable, uint32_t correctable)
{
	CHECK(inject_if_free(nic, uncorrectable, correctable));
}

/* Somebody reports the errors of the ports: not every machine leaves that to the kernel. */
static bool has_service(void)
{
	return !system("ls /sys/bus/pci_express/drivers/aer 2>/dev/null | grep -q :pcie");
}

static void aer_begin(void)
{
	if (access(INJECTOR, W_OK) && (system("modprobe -q aer_inject") || access(INJECTOR, W_OK)))
		SKIP("no %s: this kernel can't inject PCI errors", INJECTOR);
	if (!has_service())
		SKIP("no port has an AER service: the machine does not leave it to the kernel");
	pci_begin();
}

/* What an error without consequences is: its counter, and the bits of an injection. */
struct harmless {
	const char *counter;
	uint32_t uncorrectable, correctable[3];
};

/* It is counted, and that is all: contexts live on, nothing is reset, no transfer fails. */
static void lives_on(const struct harmless *h)
{
	unsigned int i, n = pci_rounds(3);
	struct life *l;
	struct raw_ep r;
	long resets, seen;
	uint64_t opened;

	aer_begin();
	l = pci_life();
	opened = l->opened;
	resets = driver_counter("resets");
	for (i = 0; i < n; i++) {
		pci_witness(&r, i % 2);
		seen = driver_counter(h->counter);
		inject(i % 2, h->uncorrectable, h->correctable[i % 3]);
		pci_counted(h->counter, seen);
		pci_life_resumes(l);
		pci_witness_well(&r);
	}
	CHECK_EQ(l->opened, opened);
	CHECK_EQ(l->failed, 0);
	CHECK_EQ(driver_counter("resets"), resets);
	pci_life_over(l);
	pci_end();
}

KTAP_TEST(correctable)
{
	static const struct harmless error = { "pci_correctable", 0, { REPLAY_TIMEOUT, BAD_TLP, BAD_TLP } };

	lives_on(&error);
}

/* A transaction was lost, but the card says that it is well. */
KTAP_TEST(nonfatal)
{
	static const struct harmless error = { "pci_nonfatal", COMPLETION_TIMEOUT, { 0 } };

	lives_on(&error);
}

/* The channel freezes, the bus is reset, and the card comes up again: with its interrupts, so that it serves. */
KTAP_TEST(fatal)
{
	unsigned int i, n = pci_rounds(3);
	struct life *l;
	struct raw_ep r;
	long resets, seen;

	aer_begin();
	l = pci_life();
	resets = driver_counter("resets");
	for (i = 0; i < n; i++) {
		pci_witness(&r, i % 2);
		seen = driver_counter("pci_fatal");
		inject(i % 2, DATA_LINK_PROTOCOL, 0);
		pci_counted("pci_fatal", seen);
		pci_witness_over(&r, PNIC_EVT_RESET, EIO);
		pci_wait_serves(i % 2);
		pci_life_resumes(l);
	}
	CHECK_EQ(driver_counter("resets"), resets + n);
	CHECK_GT(l->opened, n);
	pci_life_over(l);
	pci_end();
}

/* All three on both cards as they come, with no wait in between: the end is what counts. */
KTAP_TEST(mixed)
{
	static const struct { uint32_t uncorrectable, correctable; } kinds[] = {
		{ COMPLETION_TIMEOUT, 0 }, { DATA_LINK_PROTOCOL, 0 }, { 0, BAD_TLP },
		{ DATA_LINK_PROTOCOL | COMPLETION_TIMEOUT, 0 }, { 0, REPLAY_TIMEOUT | BAD_TLP },
	};
	unsigned int i, n = pci_rounds(3) * 3, done = 0, k;
	struct life *l;

	aer_begin();
	l = pci_life();
	for (i = 0; i < n; i++) {
		k = i * 7 % 5;
		done += inject_if_free(i / 2 % 2, kinds[k].uncorrectable, kinds[k].correctable);
		sleep_ms(i % 4 * 20);
	}
	CHECK_GT(done, n / 2);
	pci_wait_serves(0);
	pci_wait_serves(1);
	pci_life_resumes(l);
	pci_life_over(l);
	pci_end();
}

KTAP_MAIN()
