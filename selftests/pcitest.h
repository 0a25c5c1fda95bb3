/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of a card's PCI life have in common: rounds of something under verified traffic,
 * a witness that has a context open meanwhile, and nothing that is left over.
 *
 * How many rounds: ROUNDS in the environment.
 */
#ifndef PNIC_SELFTESTS_PCITEST_H
#define PNIC_SELFTESTS_PCITEST_H

#include <limits.h>
#include <poll.h>
#include <sys/mman.h>

#include "device.h"
#include "ktap.h"
#include "life.h"

#define PCI_WAIT_MS	(60000 * ktap_slow())	/* until a state is reached: only a hang takes so long */

static struct resources pci_before;
static long pci_pinned;

KTAP_UNUSED static unsigned int pci_rounds(unsigned int fallback)
{
	const char *text = getenv("ROUNDS");

	return text && atoi(text) > 0 ? (unsigned int)atoi(text) : fallback;
}

/* Each round is bounded by PCI_WAIT_MS; that all of them take so long is no reason to wait for it. */
__attribute__((constructor)) static void pci_patience(void)
{
	ktap.timeout_s = 300 + 20 * pci_rounds(1);
}

KTAP_UNUSED static void pci_begin(void)
{
	need_cards(2);
	REQUIRE_OK(resources_read(&pci_before));
	pci_pinned = pinned_pages();
	REQUIRE_GE(pci_pinned, 0);
}

/* The driver serves card @nic: 0, or -1. */
KTAP_UNUSED static int pci_serves(unsigned int nic)
{
	struct raw_ep r;
	int ret;

	if (raw_open(&r, nic))
		return -1;
	ret = raw_nop(&r, 1);
	raw_close(&r);
	return ret;
}

KTAP_UNUSED static void pci_wait_serves(unsigned int nic)
{
	uint64_t end = now_ns() + PCI_WAIT_MS * 1000000ull;

	while (pci_serves(nic)) {
		if (now_ns() > end) {
			ktap_failed(__FILE__, __LINE__, "card %u does not serve", nic);
			ktap_leave();
		}
		sleep_ms(20);
	}
}

/* All that was made since pci_begin() is gone, and both cards serve. */
KTAP_UNUSED static void pci_end(void)
{
	struct resources now;

	pci_wait_serves(0);
	pci_wait_serves(1);
	if (!resources_settle(&pci_before, &now, PCI_WAIT_MS))
		ktap_failed(__FILE__, __LINE__, "something is left; before:\n%safter:\n%s", pci_before.text,
			    now.text);
	CHECK_EQ(pinned_pages(), pci_pinned);
}

/* Traffic for the time of a test. */
KTAP_UNUSED static struct life *pci_life(void)
{
	const char *why;
	struct life *l = life_start(&why);

	if (!l) {
		ktap_failed(__FILE__, __LINE__, "there is no traffic: %s", why);
		ktap_leave();
	}
	return l;
}

KTAP_UNUSED static void pci_life_resumes(struct life *l)
{
	if (life_goes_on(l, 2, PCI_WAIT_MS))
		return;
	ktap_failed(__FILE__, __LINE__, "the traffic stopped: %s", life_stop(l) ?: "nothing arrives");
	ktap_leave();
}

KTAP_UNUSED static void pci_life_over(struct life *l)
{
	const char *wrong;

	ktap_say("%llu patterns arrived, %llu transfers failed, opened %llu times, told of %llu resets, %llu times gone",
		 (unsigned long long)l->good, (unsigned long long)l->failed, (unsigned long long)l->opened,
		 (unsigned long long)l->resets, (unsigned long long)l->gone);
	wrong = life_stop(l);
	if (wrong)
		ktap_failed(__FILE__, __LINE__, "%s", wrong);
}

/* "/sys/bus/pci/devices/0000:01:00.0/FILE" of card @nic. */
KTAP_UNUSED static const char *pci_path(unsigned int nic, const char *file)
{
	static char path[PATH_MAX];
	char pci[32];

	REQUIRE_OK(dev_pci(nic, pci, sizeof(pci)));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", pci, file);
	return path;
}

/* A context of before on card @nic, with a completion queue, an endpoint and memory. */
KTAP_UNUSED static void pci_witness(struct raw_ep *r, unsigned int nic)
{
	REQUIRE_OK(raw_open(r, nic));
	REQUIRE_OK(raw_nop(r, 1));
	REQUIRE_OK(dev_mr(r->fd, r, sizeof(*r), 0, NULL));
}

/* It is over: told by @type, each call gives @err, and its mappings can be touched. Closes it. */
KTAP_UNUSED static void pci_witness_over(struct raw_ep *r, uint32_t type, int err)
{
	struct pollfd pfd = { .fd = r->fd, .events = POLLIN };
	short revent = type == PNIC_EVT_GONE ? POLLHUP : POLLERR;
	volatile struct pnic_status_page *st;
	struct pnic_event ev;
	unsigned int i;

	CHECK_OK(dev_event(r->fd, type, PCI_WAIT_MS, &ev));
	if (type == PNIC_EVT_RESET)
		CHECK_GT(ev.data, r->info.epoch);
	st = mmap(NULL, 4096, PROT_READ, MAP_SHARED, r->fd, r->info.status_offset);
	REQUIRE(st != MAP_FAILED);
	CHECK_GT(st->epoch, r->info.epoch);
	if (type == PNIC_EVT_GONE)
		CHECK_EQ(st->link_state, 0);
	munmap((void *)st, 4096);
	for (i = 0; i < 1000 && read(r->fd, &ev, sizeof(ev)) == sizeof(ev); i++)
		;
	CHECK_ERRNO(read(r->fd, &ev, sizeof(ev)), err);
	CHECK_EQ(poll(&pfd, 1, 0), 1);
	CHECK_EQ(pfd.revents & revent, revent);
	CHECK_ERRNO(dev_cq(r->fd, 16, NULL), err);
	CHECK_ERRNO(dev_handle(r->fd, PNIC_IOC_EP_DESTROY, r->ep.handle), err);
	r->db[r->ep.sq_slot] = 99;
	*r->wake = 1;
	memset(r->sq, 0xff, r->ep.sq_length);
	CHECK_EQ(raw_poll(r, &(struct pnic_cqe) { 0 }, 20), -1);
	raw_close(r);
}

/* It was not touched: it works as before, and knows of nothing. Closes it. */
KTAP_UNUSED static void pci_witness_well(struct raw_ep *r)
{
	struct pnic_ioc_info info;

	CHECK_OK(dev_info(r->fd, &info));
	CHECK_EQ(info.epoch, r->info.epoch);
	CHECK_OK(raw_nop(r, 2));
	CHECK_OK(dev_cq(r->fd, 16, NULL));
	raw_close(r);
}

/* Waits until the driver's counter @name is past @value. */
KTAP_UNUSED static void pci_counted(const char *name, long value)
{
	uint64_t end = now_ns() + PCI_WAIT_MS * 1000000ull;

	while (driver_counter(name) <= value && now_ns() < end)
		sleep_ms(5);
	CHECK_GT(driver_counter(name), value);
}

#endif /* PNIC_SELFTESTS_PCITEST_H */
