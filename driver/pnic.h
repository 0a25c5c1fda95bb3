/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pnic: what all parts of the driver share: the device, its states, the typed
 * admin commands, events and the status page.
 *
 * Included by every file of driver/. What only the char device and its objects
 * need is in pnic_object.h; registers are reached through pnic_csr.h.
 *
 * Lock order, outermost first:
 *
 *	(the PCI device's lock around probe, removal, resets by sysfs, errors, suspending)
 *	(devlink's instance lock around its requests, and around what reports trouble to it)
 *	(generic netlink's cb_lock around requests, a netlink socket's lock around dumps)
 *	pd->reset_lock		bring-up, reset, removal: one at a time
 *	pd->reg_lock		read: whoever uses the card for a file;
 *				write: taking the contexts away
 *	pf->lock		objects of one file
 *	pf->map_lock		mappings of one file; also below mmap_lock, in faults
 *	lanes->run_lock		a turn of the lane agent
 *	pd->counts->lock	the card's counters
 *	pd->buf_lock		the command buffer
 *	pd->files_lock, pd->cqs.xa_lock, pd->eps.xa_lock, pd->ctrs.xa_lock, eq->lock
 *				spinlocks, interrupts off
 *	lanes->lock		spinlock, interrupts off
 *	admin.lock, evq.lock, pf->stale_lock, pd->status_lock, history->lock
 *				innermost spinlocks, interrupts off
 *
 * The table of devices that netlink has (pnic_nl.c) is locked with nothing else held below it
 * than the reference count of a device. Notifications are sent with pd->reset_lock or
 * lanes->run_lock; sending takes locks of the network core that are never held around a call of
 * ours.
 */
#ifndef PNIC_H
#define PNIC_H

#include <linux/cdev.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "hw/pnic_admin.h"
#include "hw/pnic_event.h"
#include "hw/pnic_lane.h"
#include "hw/pnic_regs.h"
#include "../uapi/linux/pnic.h"
#include "../uapi/linux/pnic_queue.h"
#include "pnic_admin_cid.h"
#include "pnic_state_table.h"

#define PNIC_DRV_NAME		"pnic"

struct dentry;
struct pnic_counts_kept;
struct pnic_devlink;
struct pnic_file;
struct pnic_lanes;

/**
 * struct pnic_caps - what the card said of itself, every value range-checked
 * @hw_version: of the interface: major in bits 31:16, minor in 15:0
 * @fw_version: the vendor's
 * @caps: PNIC_CAP_LO_*
 * @nic_addr: fabric address
 * @max_eq: event queues
 * @max_ctx: contexts, numbered from 1
 * @max_cq: completion queues
 * @max_ep: endpoints
 * @max_mr: regions
 * @max_mr_pages: pages of one region
 * @max_srq: shared receive queues, 0 without the capability
 * @max_ctr: counters, the same
 * @max_log_eq: log2 of the entries of an event queue
 * @max_log_cq: of a completion queue
 * @max_log_sq: log2 of the slots of a send ring
 * @max_log_rq: log2 of the entries of a receive ring
 * @max_sge: buffers of one descriptor
 * @max_sqe_slots: slots of one descriptor
 * @page_shift_max: log2 of the largest page of a region
 * @fec_symbol_bits: bits of a symbol
 * @striping: PNIC_STRIPE_*
 * @max_msg_size: bytes of one transfer
 * @frame_payload: bytes of one frame
 * @lanes_data: lanes of the full width, each direction
 * @lanes_spare: lanes beyond that
 * @grid_x: columns of the lane grid
 * @grid_y: rows of the lane grid
 * @lane_kbps: raw rate of a lane
 * @payload_kbps: payload rate of a lane
 * @fec_n: symbols of a codeword
 * @fec_k: symbols of its data
 * @mgmt_max: bytes of a management message
 * @db_pages: doorbell pages (from the register, not from IDENTIFY)
 * @guid: of the card
 * @serial: of the card, NUL terminated as the other strings
 * @cable_serial: of the cable
 * @model_name: of the card
 */
struct pnic_caps {
	u32 hw_version;
	u32 fw_version;
	u64 caps;
	u32 nic_addr;
	u32 max_eq;
	u32 max_ctx;
	u32 max_cq;
	u32 max_ep;
	u32 max_mr;
	u32 max_mr_pages;
	u32 max_srq;
	u32 max_ctr;
	u8 max_log_eq;
	u8 max_log_cq;
	u8 max_log_sq;
	u8 max_log_rq;
	u8 max_sge;
	u8 max_sqe_slots;
	u8 page_shift_max;
	u8 fec_symbol_bits;
	u8 striping;
	u32 max_msg_size;
	u32 frame_payload;
	u16 lanes_data;
	u16 lanes_spare;
	u16 grid_x;
	u16 grid_y;
	u32 lane_kbps;
	u32 payload_kbps;
	u16 fec_n;
	u16 fec_k;
	u16 mgmt_max;
	u32 db_pages;
	u64 guid;
	char serial[33];
	char cable_serial[33];
	char model_name[33];
};

/**
 * struct pnic_admin_slot - one command that may be under way
 * @id: its id, and that of a predecessor that was given up
 * @done: completed when the answer is in @cqe, or when the queue was stopped
 * @opcode: of the command
 * @cqe: the card's answer
 */
struct pnic_admin_slot {
	struct pnic_cid_slot id;
	u8 opcode;
	struct completion done;
	struct pnic_acqe cqe;
};

/**
 * struct pnic_admin - the admin queue
 * @lock: protects all below, taken in interrupts
 * @asq: commands, written by us
 * @acq: completions, written by the card
 * @tail: our producer index in @asq
 * @asq_head: the card's consumer index, as last told
 * @acq_head: our consumer index in @acq
 * @up: commands are taken
 * @polled: there is no interrupt yet, whoever waits looks himself
 * @room: a slot, or an entry of @asq, became free
 * @slot: the commands under way
 * @timeout_ms: what the card promises
 * @asq_dma: where the card reads
 * @acq_dma: where the card writes
 * @late: answers that came after their command was given up
 * @timeouts: commands that were not answered
 */
struct pnic_admin {
	spinlock_t lock;	/* see above */
	void *asq;
	struct pnic_acqe *acq;
	u32 tail;
	u32 asq_head;
	u32 acq_head;
	bool up;
	bool polled;
	wait_queue_head_t room;
	struct pnic_admin_slot slot[PNIC_ADMIN_SLOTS];
	/* Set up once, or only counted. */
	u32 timeout_ms;
	dma_addr_t asq_dma;
	dma_addr_t acq_dma;
	u64 late;
	u64 timeouts;
};

/**
 * struct pnic_eq - an event queue with its interrupt
 * @lock: one consumer at a time
 * @ring: the events, written by the card
 * @mask: of an index
 * @log_size: log2 of the entries
 * @head: our consumer index
 * @stopped: the card wrote nonsense into it
 * @eqn: its number, and its vector
 * @irq: Linux's number of the interrupt, 0: not requested
 * @users: completion queues and counters that report here
 * @last_head: @head when the watchdog came by
 * @was_waiting: an event was there then
 * @seen_at: jiffies when it saw that event for the first time
 * @pd: the device
 * @dma: where the card writes
 * @size: of the ring, bytes
 * @name: of the interrupt
 */
struct pnic_eq {
	spinlock_t lock;	/* one consumer at a time */
	struct pnic_eqe *ring;
	u32 mask;
	u8 log_size;
	u32 head;
	bool stopped;
	u16 eqn;
	int irq;
	atomic_t users;
	u32 last_head;
	bool was_waiting;
	unsigned long seen_at;
	struct pnic_dev *pd;
	dma_addr_t dma;
	size_t size;
	char name[32];
};

/**
 * enum pnic_trouble - what can be wrong with a card in service, so that it has to be reset
 * @PNIC_TROUBLE_NONE: nothing
 * @PNIC_TROUBLE_ALL_ONES: its registers read all ones
 * @PNIC_TROUBLE_FATAL: it says that it cannot go on
 * @PNIC_TROUBLE_NOT_READY: it lost its set-up
 * @PNIC_TROUBLE_HEARTBEAT: it hangs
 * @PNIC_TROUBLE_NONSENSE: it wrote what it never may
 * @PNIC_TROUBLE_ADMIN_TIMEOUT: it does not answer commands
 * @PNIC_TROUBLE_ADMIN_STOPPED: its admin queue was stopped
 * @PNIC_TROUBLE_TEST_FW: none; an administrator tries how it would be
 * @PNIC_TROUBLE_TEST_ADMIN: none either
 * @PNIC_TROUBLES: how many there are
 */
enum pnic_trouble {
	PNIC_TROUBLE_NONE,
	PNIC_TROUBLE_ALL_ONES,
	PNIC_TROUBLE_FATAL,
	PNIC_TROUBLE_NOT_READY,
	PNIC_TROUBLE_HEARTBEAT,
	PNIC_TROUBLE_NONSENSE,
	PNIC_TROUBLE_ADMIN_TIMEOUT,
	PNIC_TROUBLE_ADMIN_STOPPED,
	PNIC_TROUBLE_TEST_FW,
	PNIC_TROUBLE_TEST_ADMIN,
	PNIC_TROUBLES
};

/**
 * struct pnic_stats - what the driver holds and what it met; debugfs shows it
 * @contexts: contexts that exist
 * @regions: memory regions
 * @pinned_pages: pages of user memory that are pinned
 * @cqs: completion queues
 * @eps: endpoints
 * @srqs: shared receive queues
 * @ctrs: counters
 * @ring_bytes: memory of rings
 * @dma_maps: DMA mappings of regions and rings
 * @db_pages: doorbell pages that are bound
 * @nonsense: entries of the card that made no sense
 * @stray_events: events of queues that there are not (any more)
 * @lost_irqs: events and answers that were there without an interrupt
 * @resets: times the card was reset
 * @bad_maps: mmap() calls that were refused
 * @lane_tables: lane tables that were asked for
 * @pci_correctable: PCI errors that the bus mended itself
 * @pci_nonfatal: PCI errors that cost a transaction
 * @pci_fatal: PCI errors that froze the channel
 * @suspends: times the card was put to sleep
 */
struct pnic_stats {
	atomic_t contexts;
	atomic_t regions;
	atomic_long_t pinned_pages;
	atomic_t cqs;
	atomic_t eps;
	atomic_t srqs;
	atomic_t ctrs;
	atomic_long_t ring_bytes;
	atomic_t dma_maps;
	atomic_t db_pages;
	atomic_t nonsense;
	atomic_t stray_events;
	atomic_t lost_irqs;
	atomic_t resets;
	atomic_t bad_maps;
	atomic_t lane_tables;
	atomic_t pci_correctable;
	atomic_t pci_nonfatal;
	atomic_t pci_fatal;
	atomic_t suspends;
};

/**
 * struct pnic_dev - one card
 * @regs: BAR 0; only pnic_csr.c touches it
 * @csr_gone: a register and the identification read all ones: no further access
 * @state: see enum pnic_state; changed by pnic_state_change() only
 * @state_lock: protects changes of @state
 * @state_wait: woken after each change
 * @epoch: counts resets; a context of another epoch is dead
 * @caps: what the card is and can do
 * @admin: the admin queue
 * @eqs: event queues, @num_eqs of them
 * @num_eqs: 0 while the card is down
 * @cqs: completion queues by number; its lock also keeps them from being freed
 *	while an event is delivered
 * @eps: endpoints by number, the same
 * @ctrs: counters by number, the same
 * @mrs: region indices in use
 * @srqs: numbers of shared receive queues in use
 * @next_cq: so that a number does not come again soon
 * @next_ep: the same
 * @next_mr: the same
 * @next_srq: the same
 * @next_ctr: the same
 * @ctxs: context numbers in use
 * @db_ids: doorbell pages in use
 * @lanes: lane manager; events go there while it is not NULL
 * @counts: the card's counters over its resets
 * @grants: which users may use which partitions, see pnic_grant.c
 * @num_grants: how many
 * @grant_lock: protects both; below pf->lock
 * @users: who has open files
 * @users_lock: protects it; below reg_lock
 * @buf_users: buffers of others that regions are in, see pnic_dmabuf.c
 * @buf_users_lock: protects it; below pf->lock
 * @status: the page that user space maps
 * @status_lock: one writer of @status at a time
 * @files: open files, by number
 * @next_file: number of the next one
 * @files_lock: protects @files and @next_file
 * @reg_lock: see the top of this file
 * @reset_lock: see the top of this file
 * @buf_lock: one user of @buf at a time
 * @buf: memory through which commands move data; lives as long as the device,
 *	so that a late access of the card does no harm
 * @buf_dma: its DMA address
 * @reset_work: pnic_reset_trigger() asks for it
 * @health_work: the watchdog
 * @trouble: why a reset was asked for that is still to come
 * @last_why: reason of the last reset, NULL: there was none
 * @held: in PNIC_STATE_FAILED, and not tried again until an administrator says so
 * @ready_ms: how long the card may take to become ready or to be reset
 * @db_pages: doorbell pages of the card
 * @heartbeat: what the watchdog last read
 * @heartbeat_at: jiffies when it changed
 * @retry_at: jiffies of the next attempt in PNIC_STATE_FAILED
 * @retry_pause: how long after the one before, jiffies
 * @config: what PCI set up in the function, as the last bring-up found it
 * @lost_at: jiffies when PNIC_STATE_LOST began
 * @stats: counters
 * @pdev: the PCI function
 * @dev: the class device; its reference count is that of this struct
 * @cdev: /dev/pnicN
 * @minor: N
 * @db_base: physical address of BAR 4
 * @num_vecs: interrupt vectors that we got
 * @dir: in debugfs
 * @devlink: the devlink instance with its health reporters
 */
struct pnic_dev {
	void __iomem *regs;
	bool csr_gone;
	enum pnic_state state;
	u32 epoch;
	struct pnic_caps caps;
	struct pnic_admin admin;
	struct pnic_eq *eqs;
	unsigned int num_eqs;
	struct xarray cqs;
	struct xarray eps;
	struct xarray ctrs;
	struct xarray mrs;
	struct xarray srqs;
	u32 next_cq;
	u32 next_ep;
	u32 next_mr;
	u32 next_srq;
	u32 next_ctr;
	struct xarray ctxs;
	struct xarray db_ids;
	struct pnic_lanes *lanes;
	struct pnic_counts_kept *counts;
	struct list_head grants;
	unsigned int num_grants;
	struct mutex grant_lock;	/* @grants, @num_grants */
	struct list_head users;
	struct mutex users_lock;	/* @users */
	struct list_head buf_users;
	struct mutex buf_users_lock;	/* @buf_users */
	struct pnic_status_page *status;
	spinlock_t status_lock;		/* writers of @status */
	struct list_head files;
	u32 next_file;
	spinlock_t files_lock;		/* @files, @next_file */
	struct rw_semaphore reg_lock;
	struct mutex reset_lock;	/* bring-up, reset, removal */
	struct mutex buf_lock;		/* @buf */
	void *buf;
	dma_addr_t buf_dma;
	/* Slow. */
	spinlock_t state_lock;		/* changes of @state */
	wait_queue_head_t state_wait;
	struct work_struct reset_work;
	struct delayed_work health_work;
	enum pnic_trouble trouble;
	const char *last_why;
	bool held;
	u32 ready_ms;
	u32 db_pages;
	u32 heartbeat;
	unsigned long heartbeat_at;
	unsigned long retry_at;
	unsigned int retry_pause;
	struct pci_saved_state *config;
	unsigned long lost_at;
	struct pnic_stats stats;
	struct pci_dev *pdev;
	struct device dev;
	struct cdev cdev;
	int minor;
	phys_addr_t db_base;
	int num_vecs;
	struct dentry *dir;
	struct pnic_devlink *devlink;
};

extern struct workqueue_struct *pnic_wq;

/* pnic_state.c: the only writer of pd->state. */
bool pnic_state_change(struct pnic_dev *pd, enum pnic_state to);
enum pnic_state pnic_state(struct pnic_dev *pd);

/*
 * pnic_reset.c: bring-up, the one reset path, the watchdog. What says false has done nothing, as
 * the state does not allow it. @why: a constant string, NULL: that of the last time.
 */
int pnic_up(struct pnic_dev *pd);
bool pnic_stop(struct pnic_dev *pd, enum pnic_state to, const char *why);
void pnic_silence(struct pnic_dev *pd);
void pnic_release(struct pnic_dev *pd);
bool pnic_down(struct pnic_dev *pd, enum pnic_state to, const char *why);
void pnic_lose(struct pnic_dev *pd, const char *why);
void pnic_revive(struct pnic_dev *pd);
bool pnic_recover(struct pnic_dev *pd, const char *why);
void pnic_come_back(struct pnic_dev *pd);
void pnic_config_restore(struct pnic_dev *pd);
void pnic_config_free(struct pnic_dev *pd);
void pnic_reset_now(struct pnic_dev *pd, bool hold);
bool pnic_reachable(struct pnic_dev *pd);
void pnic_reset_trigger(struct pnic_dev *pd, enum pnic_trouble trouble);
/* In words; NULL for PNIC_TROUBLE_NONE. */
const char *pnic_trouble_text(enum pnic_trouble trouble);
void pnic_reset_init(struct pnic_dev *pd);
void pnic_health_start(struct pnic_dev *pd);
void pnic_health_kick(struct pnic_dev *pd);

/* pnic_aer.c: resets and errors of the PCI core. pnic_pm.c: sleep, and the machine's end. */
extern const struct pci_error_handlers pnic_aer_handlers;
void pnic_aer_attach(struct pci_dev *pdev, struct pnic_dev *pd);
extern const struct dev_pm_ops pnic_pm_ops;
void pnic_pm_shutdown(struct pci_dev *pdev);

/*
 * pnic_devlink.c: the instance. The first two around the device's life; between the others it
 * is visible, and trouble may be reported.
 */
int pnic_devlink_alloc(struct pnic_dev *pd);
void pnic_devlink_free(struct pnic_dev *pd);
void pnic_devlink_register(struct pnic_dev *pd);
void pnic_devlink_unregister(struct pnic_dev *pd);

/*
 * pnic_health.c: what devlink is told of trouble. All but the last sleep, and want none of our
 * locks held. pnic_health_report() gives devlink the opportunity to keep a dump and to have the
 * card recovered, and says whether an administrator wants to do that himself;
 * pnic_health_served(): it is over. pnic_health_failed(): the card does not come up.
 */
bool pnic_health_report(struct pnic_dev *pd, enum pnic_trouble trouble);
void pnic_health_served(struct pnic_dev *pd);
void pnic_health_failed(struct pnic_dev *pd);
void pnic_health_stop(struct pnic_dev *pd);
/* The lane alarms are others now (enum pnic_alarm bits). Any context. */
void pnic_health_alarms(struct pnic_dev *pd, u32 alarms);

/* pnic_caps.c */
int pnic_caps_check_version(struct pnic_dev *pd);
int pnic_caps_read(struct pnic_dev *pd);

/* pnic_irq.c, pnic_eq.c */
int pnic_irq_alloc(struct pnic_dev *pd);
void pnic_irq_free(struct pnic_dev *pd);
int pnic_irq_request(struct pnic_eq *eq);
void pnic_irq_release(struct pnic_eq *eq);
int pnic_eq_start(struct pnic_dev *pd);
void pnic_eq_silence(struct pnic_dev *pd);
void pnic_eq_free(struct pnic_dev *pd);
unsigned int pnic_eq_process(struct pnic_eq *eq, unsigned int budget);
void pnic_eq_drain(struct pnic_eq *eq);
void pnic_eq_watch(struct pnic_dev *pd);
struct pnic_eq *pnic_eq_for_cq(struct pnic_dev *pd);
/* The card wrote something that makes no sense: says so, counts it, asks for a reset. */
__printf(2, 3) void pnic_nonsense(struct pnic_dev *pd, const char *fmt, ...);

/* pnic_admin.c: the transport. */
int pnic_admin_alloc(struct pnic_dev *pd);
void pnic_admin_free(struct pnic_dev *pd);
void pnic_admin_start(struct pnic_dev *pd);
void pnic_admin_interrupts(struct pnic_dev *pd);
void pnic_admin_stop(struct pnic_dev *pd);
bool pnic_admin_up(struct pnic_dev *pd);
void pnic_admin_process(struct pnic_dev *pd);
/*
 * Sends @cmd (64 bytes, hdr.opcode set) and waits for the answer. @repeat: the command
 * may be sent once more when no answer comes. 0: *@answer is the card's, whatever its status
 * says; -ETIMEDOUT, -EIO, -ENODEV: nothing is known about what the card did,
 * and a reset is on its way.
 */
int pnic_admin_exec(struct pnic_dev *pd, void *cmd, bool repeat, struct pnic_acqe *answer,
		    bool *repeated);

/*
 * pnic_cmd.c: one typed wrapper a command. All may sleep. 0 or -errno:
 *  -ETIMEDOUT, -EIO, -ENODEV	no answer, see pnic_cmd_unconfirmed()
 *  -EOPNOTSUPP, -EINVAL, -EEXIST, -ENOENT, -EBUSY, -ENOSPC, -EFAULT, -EPROTO,
 *  -EPERM, -ENETDOWN, -EREMOTEIO	PNIC_AS_BAD_OPCODE .. PNIC_AS_INTERNAL,
 *				in the order of enum pnic_admin_status
 * A repeated CREATE that finds the object there, or DESTROY that finds it gone, is a success.
 * Data moves through a buffer of the driver: the pointers are ordinary memory, and
 * structs are as on the wire, little endian.
 */
/* True if the card may or may not have done what it was told: only a reset tells. */
static inline bool pnic_cmd_unconfirmed(int err)
{
	return err == -ETIMEDOUT || err == -EIO || err == -ENODEV;
}

int pnic_cmd_buf_alloc(struct pnic_dev *pd);
void pnic_cmd_buf_free(struct pnic_dev *pd);

int pnic_cmd_identify(struct pnic_dev *pd, struct pnic_identify *id);
int pnic_cmd_create_eq(struct pnic_dev *pd, const struct pnic_eq *eq);
int pnic_cmd_create_ctx(struct pnic_dev *pd, u32 ctx, u32 partition);
int pnic_cmd_destroy_ctx(struct pnic_dev *pd, u32 ctx);
int pnic_cmd_bind_db(struct pnic_dev *pd, u32 ctx, u32 page);
int pnic_cmd_unbind_db(struct pnic_dev *pd, u32 ctx, u32 page);
int pnic_cmd_create_mr(struct pnic_dev *pd, struct pnic_adm_create_mr *cmd);
int pnic_cmd_destroy_mr(struct pnic_dev *pd, u32 index);
int pnic_cmd_mr_suspend(struct pnic_dev *pd, u32 index);
int pnic_cmd_mr_resume(struct pnic_dev *pd, struct pnic_adm_create_mr *cmd);
int pnic_cmd_create_cq(struct pnic_dev *pd, struct pnic_adm_create_cq *cmd);
int pnic_cmd_destroy_cq(struct pnic_dev *pd, u32 cqn);
int pnic_cmd_create_ep(struct pnic_dev *pd, struct pnic_adm_create_ep *cmd);
int pnic_cmd_destroy_ep(struct pnic_dev *pd, u32 epn);
/* -ENOTRECOVERABLE: a CQ of it, or its SRQ, is dead. */
int pnic_cmd_reset_ep(struct pnic_dev *pd, u32 epn);
int pnic_cmd_create_srq(struct pnic_dev *pd, struct pnic_adm_create_srq *cmd);
int pnic_cmd_destroy_srq(struct pnic_dev *pd, u32 srqn);
int pnic_cmd_create_ctr(struct pnic_dev *pd, struct pnic_adm_create_ctr *cmd);
int pnic_cmd_destroy_ctr(struct pnic_dev *pd, u32 ctrn);
int pnic_cmd_bind_ctr(struct pnic_dev *pd, struct pnic_adm_bind_ctr *cmd);
/* -ENOENT: there is no such entry, or a message has it. */
int pnic_cmd_cancel_recv(struct pnic_dev *pd, struct pnic_adm_cancel_recv *cmd);

/* For the lane manager. @why: result[0] of a refusal (enum pnic_map_refusal), may be NULL. */
int pnic_cmd_link_query(struct pnic_dev *pd, struct pnic_link_info *out);
int pnic_cmd_link_set(struct pnic_dev *pd, bool up);
int pnic_cmd_lane_table(struct pnic_dev *pd, u8 dir, void *buf, size_t len);
int pnic_cmd_map_query(struct pnic_dev *pd, u8 dir, void *buf, size_t len);
int pnic_cmd_map_stage(struct pnic_dev *pd, u8 dir, u32 generation, const void *map, size_t len,
		       u64 *why);
int pnic_cmd_map_switch(struct pnic_dev *pd, u32 generation, u64 *why);
int pnic_cmd_map_abort(struct pnic_dev *pd, u8 dir, u32 generation);
/* @len 0: no plan. */
int pnic_cmd_standby(struct pnic_dev *pd, u8 dir, u32 generation, const void *map, size_t len,
		     u64 *why);
/* Begins a test of @mbits; 0: ends it. */
int pnic_cmd_lane_test(struct pnic_dev *pd, u16 lane, u32 mbits);
int pnic_cmd_mgmt_send(struct pnic_dev *pd, const void *buf, size_t len);
/* Length of the message, 0 if there is none, or -errno. */
int pnic_cmd_mgmt_recv(struct pnic_dev *pd, void *buf, size_t cap);
int pnic_cmd_counters(struct pnic_dev *pd, struct pnic_counters *out);

/* pnic_event.c: a record to every open file. Any context, interrupts too. */
void pnic_event_broadcast(struct pnic_dev *pd, u32 type, u32 code, u64 data);

/* pnic_status.c: the page that user space maps. Any context. */
int pnic_status_alloc(struct pnic_dev *pd);
void pnic_status_free(struct pnic_dev *pd);
void pnic_status_set_epoch(struct pnic_dev *pd, u32 epoch);
void pnic_status_set_link(struct pnic_dev *pd, const struct pnic_link_info *i, u32 spares);
void pnic_status_no_link(struct pnic_dev *pd);

/*
 * pnic_chardev.c. The first two: pd->reg_lock for reading, and the device in a state that lasts, or
 * -errno: -ENODEV it is gone, -ETIMEDOUT it passes through others for too long, -EINTR.
 */
int pnic_dev_enter_within(struct pnic_dev *pd, long left);
int pnic_dev_enter(struct pnic_dev *pd);
void pnic_dev_leave(struct pnic_dev *pd);
int pnic_chardev_init(void);
void pnic_chardev_exit(void);
int pnic_chardev_prepare(struct pnic_dev *pd);
int pnic_chardev_add(struct pnic_dev *pd);
void pnic_chardev_del(struct pnic_dev *pd);
void pnic_chardev_unprepare(struct pnic_dev *pd);

/* pnic_ctx.c: both with pd->reg_lock for writing; before the second the card must do no DMA. */
void pnic_ctx_revoke_all(struct pnic_dev *pd);
void pnic_ctx_kill_all(struct pnic_dev *pd);

/* pnic_debugfs.c; not ABI. */
void pnic_debugfs_init(void);
void pnic_debugfs_exit(void);
void pnic_debugfs_add(struct pnic_dev *pd);
void pnic_debugfs_del(struct pnic_dev *pd);

/* pnic_pci.c */
int pnic_pci_register(void);
void pnic_pci_unregister(void);

#endif /* PNIC_H */
