/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/pnicN by bare system calls, and what the kernel says it holds.
 *
 * Used by the selftests that look at the driver from below libpnic. Functions
 * that return int give 0 or more, or -1 with errno set, like the calls they make.
 */
#ifndef PNIC_SELFTESTS_DEVICE_H
#define PNIC_SELFTESTS_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/pnic.h>
#include <linux/pnic_queue.h>

int dev_open(unsigned int nic);
/*
 * What pnic_open() calls NIC @nic: PNIC_DEVICES of the environment with the number behind it, "pnic" by
 * default; "embedded:nic=" is cards in the process.
 */
const char *dev_name(unsigned int nic, char *name, size_t size);
bool dev_embedded(void);
/* The device node is there; a test that needs @nics of them is skipped if not. */
bool dev_present(unsigned int nics);
/* The test that says so is skipped where there are fewer. */
#define need_cards(nics)						\
	do {								\
		unsigned int nc_nics = (nics);				\
									\
		if (!dev_present(nc_nics))				\
			SKIP("%u cards are needed", nc_nics);		\
	} while (0)

/* "0000:01:00.0" of /dev/pnic@nic, from sysfs. */
int dev_pci(unsigned int nic, char *name, size_t size);

/* Each fills in size, makes the call and leaves the answer in the struct, if one is given. */
int dev_info(int fd, struct pnic_ioc_info *info);
int dev_link(int fd, struct pnic_ioc_link_info *link);
int dev_ctx(int fd, uint32_t partition);
/* The same, and where the context's page is to be mapped. */
int dev_ctx_page(int fd, uint32_t partition, uint64_t *page_offset);
int dev_mr(int fd, void *addr, uint64_t length, uint32_t flags, struct pnic_ioc_mr_reg *mr);
int dev_cq(int fd, uint32_t entries, struct pnic_ioc_cq_create *cq);
int dev_ep(int fd, uint32_t send_cq, uint32_t recv_cq, struct pnic_ioc_ep_create *ep);
/* MR_DEREG, CQ_DESTROY, EP_DESTROY, EP_RESET */
int dev_handle(int fd, unsigned long request, uint32_t handle);

/*
 * Waits for a record of @type, dropping others. 0, or -1: ETIME when there was none.
 */
int dev_event(int fd, uint32_t type, int timeout_ms, struct pnic_event *ev);

/* The driver's own count of what user space made it hold, all devices, as text. */
struct resources {
	char text[8192];
};
int resources_read(struct resources *r);
/* Waits until the counts are again as in @want: teardown may run behind. False: they differ in *now. */
bool resources_settle(const struct resources *want, struct resources *now, int timeout_ms);
/* Sum of the lines "@name N" over all devices, -1 if there is none. */
long resources_number(const struct resources *r, const char *name);

/* Sum over all devices of the line "@name N" of the driver's counters, -1 if there is none. */
long driver_counter(const char *name);

/* Pages that are pinned for DMA in the whole system at this moment; -1: that can't be read. */
long pinned_pages(void);

/* kB of "VmPin:" (or another line) of /proc/PID/status, -1 if the process has gone. */
long proc_status_kb(int pid, const char *field);

/* Writes @text to a sysfs file. */
int write_file(const char *path, const char *text);
uint64_t now_ns(void);
/* From here on this process is a user of no rights and no groups: 0 or -1. */
int dev_become(uint32_t uid);
void sleep_ms(unsigned int ms);
/* From now on this process gets no more descriptors, until setrlimit(RLIMIT_NOFILE, @was). -1: it can't be done. */
struct rlimit;
int no_descriptors_left(struct rlimit *was);

/*
 * One endpoint with its completion queue, mapped. For tests that must see the
 * ABI as it is; others use libpnic.
 */
struct raw_ep {
	int fd;
	struct pnic_ioc_info info;
	uint64_t ctx_page;		/* offset of the context's page */
	struct pnic_ioc_cq_create cq;
	struct pnic_ioc_ep_create ep;
	struct pnic_sqe *sq;
	struct pnic_rqe *rq;
	struct pnic_cqe *ring;
	volatile uint64_t *db;
	volatile uint32_t *wake;
	uint32_t sq_tail, cq_head;
};

/* Opens NIC @nic, makes context, queue and endpoint, maps everything. */
int raw_open(struct raw_ep *r, unsigned int nic);
/* The same, with how long the endpoint waits for a receive entry at the far end; raw_open(): a second. */
int raw_open_rnr(struct raw_ep *r, unsigned int nic, uint32_t rnr_timeout_us);
void raw_close(struct raw_ep *r);
/* Posts one descriptor of one slot and rings. */
void raw_post(struct raw_ep *r, const struct pnic_sqe *sqe);
/* Waits for a completion: 0, or -1 with ETIME. */
int raw_poll(struct raw_ep *r, struct pnic_cqe *cqe, int timeout_ms);
/* A signaled NOP goes through: 0. */
int raw_nop(struct raw_ep *r, uint64_t cookie);

/* The module's file, and its entry into the kernel: 0, or -1 and errno. */
const char *module_path(void);
int module_insert(void);

#endif /* PNIC_SELFTESTS_DEVICE_H */
