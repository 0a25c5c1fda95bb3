/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The card and the fabric: what a front end drives.
 *
 * Two front ends are meant to stand on this: the vfio-user server, and a card linked into
 * a process. The core never blocks, never locks and never trusts the host; all
 * calls for one fabric come from one thread.
 */
#ifndef PM_CARD_H
#define PM_CARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link.h"

struct pm_card;
struct pm_fabric;
struct pm_portfw;

#define PM_VECTORS		16	/* MSI-X vectors of a card */
#define PM_DB_PAGES		1024	/* doorbell pages, each 4 KiB */

/* What the front end does for a card. @host is the pointer given to pm_card_attach(). */
struct pm_host_ops {
	/*
	 * Host memory at DMA address @addr: a pointer, and in *@len how many bytes from there are
	 * contiguous (at most the *@len asked for). NULL: no such memory, not writable, or no bus
	 * mastering. The pointer is good until the core returns to the front end.
	 */
	void *(*dma)(void *host, uint64_t addr, size_t *len, bool write);
	void (*irq)(void *host, unsigned int vector);
};

struct pm_fabric_config {
	unsigned int nics;		/* 1..8: 1 is a loop onto itself, 2 back to back, more by a switch */
	uint64_t seed;
	double pace;			/* real seconds for a simulated one; 0: as fast as it goes */
	struct pm_link_config link;
	bool park;			/* offer the park capability */
	bool parked;			/* always: the host says which doorbells were rung, by pm_card_rung() */
	bool firmware;			/* no host looks after lanes: each card's port has firmware, as a switch's */
	bool long_way;			/* nothing is done at once that can be done by frames and events (train.c) */
	bool old_card;			/* a card of version 1.1: nothing of what came later */
};

struct pm_fabric *pm_fabric_new(const struct pm_fabric_config *c, char *err, size_t errlen);
void pm_fabric_free(struct pm_fabric *f);
struct pm_card *pm_fabric_card(struct pm_fabric *f, unsigned int nic);
struct pm_sim *pm_fabric_sim(struct pm_fabric *f);
unsigned int pm_fabric_nics(const struct pm_fabric *f);
/* The switch's port that faces @nic: the receiver of what that NIC sends. NULL in a fabric without a switch. */
struct pm_port *pm_fabric_switch_port(struct pm_fabric *f, unsigned int nic);

/*
 * Works for a bounded while (some 50 us). True: call again at once. False: nothing to do before
 * *@sleep_ns (UINT64_MAX: before a register write, a wake-up or, without park, a doorbell).
 */
bool pm_fabric_poll(struct pm_fabric *f, uint64_t *sleep_ns);
/*
 * The same for a caller that polls on and on, and wants no look at a clock: one turn of each card, and
 * of what is on the lines. Time that only passes is up to pm_fabric_poll(). True: there is more.
 */
bool pm_fabric_turn(struct pm_fabric *f);
/*
 * Due before anything else is done to the fabric, its cards and links or their hosts' memory, or anybody
 * looks at them, if pm_card_rung_page() is used: it counts what it needn't do yet. Doorbells themselves see to it.
 */
void pm_fabric_touch(struct pm_fabric *f);
/* Counts what polls found to do. If it didn't change, they were idle: a hint how long to look on before sleeping. */
uint64_t pm_fabric_turns(const struct pm_fabric *f);
/*
 * Going to sleep: pm_fabric_park(true) sets the park word in each bound doorbell page, then looks at all doorbells
 * once more and returns false if there is work after all. Always undone by park(false).
 */
bool pm_fabric_park(struct pm_fabric *f, bool park);

void pm_card_attach(struct pm_card *c, const struct pm_host_ops *ops, void *host);
/* Doorbell memory: PM_DB_PAGES * 4096 bytes, shared with the host; set once before use. */
void pm_card_set_db(struct pm_card *c, void *mem);
uint32_t pm_card_reg_read(struct pm_card *c, uint32_t off);
void pm_card_reg_write(struct pm_card *c, uint32_t off, uint32_t val);
/* With pm_fabric_config.parked: in doorbell pages with these numbers modulo 64 something was rung. */
void pm_card_rung(struct pm_card *c, uint64_t pages);
/* Just one, which is known, by one who may do what follows. True: that is done, and there is nothing else to do. */
bool pm_card_rung_page(struct pm_card *c, unsigned int page);
/* FLR, bus reset, or the host gone: everything back to power-on state, no DMA afterwards. */
void pm_card_reset(struct pm_card *c);
struct pm_port *pm_card_port(struct pm_card *c);
/* The firmware of its port with pm_fabric_config.firmware, else NULL. */
struct pm_portfw *pm_card_firmware(struct pm_card *c);
uint32_t pm_card_addr(const struct pm_card *c);
uint64_t pm_card_guid(const struct pm_card *c);	/* as IDENTIFY and the Device Serial Number give it */

/* Faults of the card itself, for the control socket. */
void pm_card_freeze(struct pm_card *c, bool frozen);	/* no doorbell, command or frame is looked at; registers still read */
void pm_card_fatal(struct pm_card *c, uint32_t code, uint32_t info);
void pm_card_drop_admin(struct pm_card *c, unsigned int n);	/* next completions are never written */
void pm_card_drop_irq(struct pm_card *c, unsigned int n);	/* next interrupts are lost */
/*
 * What can be wrong with what a card does: ACQE, EQE, CQE are entries of the admin queue, event queues, completion
 * queues. A field of them is nonsense, or all fields (RANDOM), the phase is wrong, they are written twice or not at all.
 */
enum pm_garble {
	PM_GARBLE_ACQE_CID, PM_GARBLE_ACQE_STATUS, PM_GARBLE_ACQE_OPCODE, PM_GARBLE_ACQE_HEAD, PM_GARBLE_ACQE_RESULT,
	PM_GARBLE_ACQE_RANDOM, PM_GARBLE_ACQE_PHASE, PM_GARBLE_ACQE_TWICE, PM_GARBLE_ACQE_LOST,
	PM_GARBLE_EQE_TYPE, PM_GARBLE_EQE_ID, PM_GARBLE_EQE_RANDOM, PM_GARBLE_EQE_PHASE, PM_GARBLE_EQE_TWICE,
	PM_GARBLE_EQE_LOST,
	PM_GARBLE_CQE, PM_GARBLE_CQE_RANDOM, PM_GARBLE_CQE_PHASE, PM_GARBLE_CQE_TWICE, PM_GARBLE_CQE_LOST,
	PM_GARBLE_BUF,			/* words of what a command fills the driver's buffer with */
	PM_GARBLE_REG_ONES, PM_GARBLE_REG_RANDOM,
	PM_GARBLE_IRQ_LOST, PM_GARBLE_IRQ_STORM,
	PM_GARBLE_STRAY,		/* DMA to an address below 2 GiB that nobody named */
	PM_GARBLE_DIE,			/* hangs, or fails with some code */
	PM_GARBLE_RESET_STUCK,		/* a reset does not end; the next one may */
	PM_GARBLE_READY_STUCK,		/* enabled, it does not become ready */
	PM_GARBLES
};
const char *pm_garble_name(unsigned int what);	/* NULL behind the last */
bool pm_garble_find(const char *name, size_t len, enum pm_garble *what);
/*
 * Names with commas between them, "none", or "all": but PM_GARBLE_STRAY, which destroys a host that has no IOMMU. False:
 * there is no such kind.
 */
bool pm_garble_kinds(const char *text, uint64_t *kinds);
/* The next @n times. */
void pm_card_garble(struct pm_card *c, enum pm_garble what, unsigned int n);
/*
 * From now on whenever the dice say so, until it is called with no kinds; resets of the card change nothing.
 * @kinds: a bit for each enum pm_garble. @ppm: how many times of a million. @seed: of the dice.
 */
void pm_card_evil(struct pm_card *c, uint64_t kinds, uint32_t ppm, uint64_t seed);
/* What has been done since, counted ones too; and what became of the stray accesses. */
struct pm_evil_strays { uint64_t refused, through; };
void pm_card_evil_deeds(const struct pm_card *c, uint64_t deeds[PM_GARBLES], struct pm_evil_strays *strays);
/* What IDENTIFY and the version register say, overridden: a card that this driver must refuse. False: no such field. */
bool pm_card_lie(struct pm_card *c, const char *what, uint64_t value);

void pm_card_counters(struct pm_card *c, struct pnic_counters *out);

#endif /* PM_CARD_H */
