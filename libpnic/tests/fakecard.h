/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A card for tests of the library's insides: a backend that plays kernel and cards in the process, with the rings and
 * doorbells of the contract, which fails where it is told to and writes nonsense. Transfers with bytes in them are
 * tested on embedded cards (selftests/host) and in the guest.
 *
 * Devices are named "fake0", "fake1", ...; their fabric addresses are 1, 2, ...
 * Nothing happens unless fake_step() is called. One thread only.
 */
#ifndef FAKECARD_H
#define FAKECARD_H

#include "internal.h"

#define FAKE_MAX_EP	64
#define FAKE_MAX_CQ	64
#define FAKE_MAX_MR	64
#define FAKE_NICS	8

struct fake_mr {
	int nic;
	bool used;
};

struct fake_cq {
	struct pnic_cqe *ring;
	uint32_t entries, tail;
	int slot, eventfd;
	uint64_t seen;			/* last slot value acted on */
	uint32_t arm_at;
	bool armed, dead, used;
	struct fake_dev *dev;
};

struct fake_ep {
	uint8_t *sq;
	struct pnic_rqe *rq;
	uint32_t sq_slots, rq_entries, sq_head, rq_head;
	int sq_slot, rq_slot;
	int send_cq, recv_cq;
	uint32_t rnr_timeout_us, flags;
	bool used;
	struct fake_dev *dev;
};

struct fake_dev {
	struct pnic_dev dev;		/* first: what the library holds */
	int nic;
	uint64_t *db;			/* one doorbell page */
	uint32_t *wake;
	struct pnic_status_page *status;
	int next_slot;
	uint32_t next_map;
	struct { void *mem; size_t length; } maps[256];
};

/* What tests turn and look at; set before pnic_open_backend(). */
struct fake {
	struct fake_mr mr[FAKE_MAX_MR];
	struct fake_cq cq[FAKE_MAX_CQ];
	struct fake_ep ep[FAKE_MAX_EP];
	uint32_t abi_major;
	uint64_t features;
	uint32_t max_cq_entries;
	uint64_t next_key;
	unsigned int fail_cmd;		/* PNIC_IOC_* that fails ... */
	int fail_err;			/* ... with this */
	void (*lie)(unsigned int cmd, void *arg);	/* spoils the answer of a command that worked */
	int fail_map;			/* the mapping that fails, counted from 1 */
	unsigned int commands, wakes, events;
	int maps;			/* that exist */
};

extern struct fake fake;
extern const struct pnic_backend fake_backend;

/* Everything back to the beginning; no context may be open. */
void fake_reset(void);
/* Looks at every doorbell once. True if there was work. */
bool fake_step(void);
/* Puts a completion in a queue, of whatever content; for cards that write nonsense. */
void fake_complete(struct fake_cq *cq, const struct pnic_cqe *cqe);
/* Opens @name or dies. */
struct pnic_ctx *fake_open(const char *name);

#endif /* FAKECARD_H */
