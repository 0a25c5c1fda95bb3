/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Open files and what they own: contexts, regions, queues, endpoints, mappings.
 *
 * For the files of the driver between the char device and the admin commands. An object
 * is used with pd->reg_lock for reading (so that no reset takes it away) and
 * pf->lock; its handle is its index in pf->objs.
 */
#ifndef PNIC_OBJECT_H
#define PNIC_OBJECT_H

#include <linux/poll.h>
#include <linux/refcount.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>

#include "pnic.h"
#include "pnic_evring.h"

struct eventfd_ctx;
struct vm_area_struct;

/* Queues of one kind that one file may have: one process can't take all. */
#define PNIC_FILE_QUEUES_MAX	4096
/* Memory of all rings of one file. It is on the memory cgroup's account as well. */
#define PNIC_FILE_RING_MAX	SZ_512M
/* Pages of the largest ring: what the page allocator gives in one piece. */
#define PNIC_RING_ORDER_MAX	min(MAX_PAGE_ORDER, 10)

/**
 * enum pnic_mmap_kind - what a mapping shows
 * @PNIC_MAP_RING: a ring
 * @PNIC_MAP_DB: a doorbell page
 * @PNIC_MAP_WAKE: a wake page
 */
enum pnic_mmap_kind {
	PNIC_MAP_RING,
	PNIC_MAP_DB,
	PNIC_MAP_WAKE,
};

/**
 * struct pnic_mapping - something that a file may map
 * @kind: what it is
 * @pages: its length
 * @pgoff: the cookie: mmap()'s offset in pages; 0: none
 * @page: of a ring, its first page
 * @pfn: of the others, the page frame in BAR 4
 */
struct pnic_mapping {
	enum pnic_mmap_kind kind;
	unsigned long pages;
	unsigned long pgoff;
	struct page *page;
	unsigned long pfn;
};

/**
 * struct pnic_ring - memory that the card and a process share
 * @map: how the process gets at it; @map.page is the memory
 * @order: log2 of its pages
 * @size: bytes
 * @dma: where the card finds it
 */
struct pnic_ring {
	struct pnic_mapping map;
	unsigned int order;
	size_t size;
	dma_addr_t dma;
};

/**
 * struct pnic_dbpage - a doorbell page that is bound to a context
 * @node: in pf->dbpages
 * @id: its number in BAR 4
 * @used: its slots
 * @db: the page, for mmap()
 * @wake: its wake page
 */
struct pnic_dbpage {
	struct list_head node;
	u32 id;
	DECLARE_BITMAP(used, PNIC_DB_SLOTS);
	struct pnic_mapping db;
	struct pnic_mapping wake;
};

/**
 * enum pnic_obj_kind - kinds of objects with a handle
 * @PNIC_OBJ_MR: struct pnic_mr
 * @PNIC_OBJ_CQ: struct pnic_cq
 * @PNIC_OBJ_EP: struct pnic_ep
 * @PNIC_OBJ_SRQ: struct pnic_srq
 * @PNIC_OBJ_CTR: struct pnic_ctr
 */
enum pnic_obj_kind {
	PNIC_OBJ_MR,
	PNIC_OBJ_CQ,
	PNIC_OBJ_EP,
	PNIC_OBJ_SRQ,
	PNIC_OBJ_CTR,
};

/* What is counted of a user (pnic_share.c): objects by their kinds, and two that have no handle. */
enum pnic_share {
	PNIC_SHARE_MR = PNIC_OBJ_MR,
	PNIC_SHARE_CQ = PNIC_OBJ_CQ,
	PNIC_SHARE_EP = PNIC_OBJ_EP,
	PNIC_SHARE_SRQ = PNIC_OBJ_SRQ,
	PNIC_SHARE_CTR = PNIC_OBJ_CTR,
	PNIC_SHARE_CTX,
	PNIC_SHARE_DB,
	PNIC_SHARES,
};

/**
 * struct pnic_obj - what all objects with a handle begin with
 * @kind: which it is
 * @handle: the number by which user space names it
 * @pf: the file that owns it
 */
struct pnic_obj {
	enum pnic_obj_kind kind;
	u32 handle;
	struct pnic_file *pf;
};

/**
 * struct pnic_mr - a memory region
 * @obj: handle
 * @index: on the card
 * @mm: whose account the pages are on
 * @npages: how many
 * @length: bytes
 * @rights: PNIC_MRF_*
 * @writable: pinned for writing
 * @mapped: @sgt is mapped for DMA
 * @entered: it has a handle, and the card may know it
 * @dmabuf: the buffer that it is a piece of, or NULL; then there is nothing in @sgt
 * @watch: tells when it is stale, or NULL
 * @sgt: the pages
 * @pbl: the list of pages that the card reads, while it does
 */
struct pnic_mr {
	struct pnic_obj obj;
	u32 index;
	struct mm_struct *mm;
	unsigned long npages;
	u64 length;
	u32 rights;
	bool writable;
	bool mapped;
	bool entered;
	struct pnic_dmabuf *dmabuf;
	struct pnic_watch *watch;
	struct sg_append_table sgt;
	struct pnic_pbl *pbl;
};

/**
 * struct pnic_cq - a completion queue
 * @obj: handle
 * @cqn: number on the card
 * @eventfd: signalled when it is armed and has an entry, NULL: @pending instead
 * @pending: in the file's list of queues with something to tell
 * @user_data: for the event record
 * @eq: where the card reports
 * @users: endpoints that complete here
 * @numbered: @cqn is in pd->cqs
 * @dead: the card stopped it with an error
 * @entries: how many, a power of two
 * @ring: entries
 * @db: doorbell page
 * @slot: in it
 */
struct pnic_cq {
	struct pnic_obj obj;
	u32 cqn;
	struct eventfd_ctx *eventfd;
	struct list_head pending;
	u64 user_data;
	struct pnic_eq *eq;
	unsigned int users;
	bool numbered;
	bool dead;
	u32 entries;
	struct pnic_ring ring;
	struct pnic_dbpage *db;
	u16 slot;
};

/**
 * struct pnic_srq - a receive queue that endpoints share
 * @obj: handle
 * @srqn: number on the card
 * @users: endpoints that receive from it
 * @numbered: @srqn is in pd->srqs
 * @entered: it has a handle
 * @entries: how many, a power of two
 * @ring: entries
 * @db: doorbell page
 * @slot: in it
 */
struct pnic_srq {
	struct pnic_obj obj;
	u32 srqn;
	unsigned int users;
	bool numbered;
	bool entered;
	u32 entries;
	struct pnic_ring ring;
	struct pnic_dbpage *db;
	u16 slot;
};

/* Kinds of transfers that a counter can count: bits of PNIC_CTR_ALL. */
#define PNIC_CTR_KINDS	7

/**
 * struct pnic_ctr - a completion counter
 * @obj: handle
 * @ctrn: number on the card
 * @eventfd: signalled when it reaches its threshold, or NULL
 * @eq: where the card reports
 * @users: kinds of endpoints that it counts
 * @numbered: @ctrn is in pd->ctrs
 * @entered: it has a handle
 * @mem: a page that begins with what the card writes
 * @db: doorbell page
 * @slot: in it
 */
struct pnic_ctr {
	struct pnic_obj obj;
	u32 ctrn;
	struct eventfd_ctx *eventfd;
	struct pnic_eq *eq;
	unsigned int users;
	bool numbered;
	bool entered;
	struct pnic_ring mem;
	struct pnic_dbpage *db;
	u16 slot;
};

/**
 * struct pnic_ep - an endpoint
 * @obj: handle
 * @epn: number on the card
 * @user_data: for the event record
 * @send_cq: where sends complete
 * @recv_cq: where receives complete
 * @sq: send ring
 * @rq: receive ring, size 0 if there is none
 * @srq: shared queue in its place, or NULL
 * @ctrs: what counts its transfers, by kind, or NULL
 * @sq_slots: slots of the send ring, a power of two
 * @rq_entries: of the receive ring, the same, or 0
 * @entered: it has a handle
 * @numbered: @epn is in pd->eps
 * @dead: the card stopped it with an error
 * @db: doorbell page
 * @slots: in it, PNIC_EP_SQ and PNIC_EP_RQ
 */
struct pnic_ep {
	struct pnic_obj obj;
	u32 epn;
	u64 user_data;
	struct pnic_cq *send_cq;
	struct pnic_cq *recv_cq;
	struct pnic_ring sq;
	struct pnic_ring rq;
	struct pnic_srq *srq;
	struct pnic_ctr *ctrs[PNIC_CTR_KINDS];
	u32 sq_slots;
	u32 rq_entries;
	bool entered;
	bool numbered;
	bool dead;
	struct pnic_dbpage *db;
	u16 slots[2];
};

#define PNIC_EP_SQ	0
#define PNIC_EP_RQ	1

/**
 * struct pnic_evq - what read() of a file gives
 * @lock: protects all below but @wait; taken in interrupts
 * @ring: records
 * @cqs: completion queues with an event; each at most once, so no bound is needed
 * @reset: PNIC_EVT_RESET is due, with @epoch
 * @gone: PNIC_EVT_GONE is due
 * @failed: the context is dead: poll() says EPOLLERR, read() in the end EIO
 * @hung: the device is gone: poll() says EPOLLHUP, read() in the end ENODEV
 * @epoch: for PNIC_EVT_RESET
 * @wait: who reads or polls
 */
struct pnic_evq {
	spinlock_t lock;	/* all but @wait */
	struct pnic_evring ring;
	struct list_head cqs;
	bool reset;
	bool gone;
	bool failed;
	bool hung;
	u32 epoch;
	wait_queue_head_t wait;
};

/**
 * struct pnic_file - an open file with its context, if it has one
 * @pd: the device
 * @node: in pd->files
 * @refs: one of the list, and one of each dump that looks at it
 * @id: its number
 * @pid: process that opened it
 * @comm: its name
 * @user: whose it is, and what they all hold
 * @partition: of @ctx
 * @closed: the descriptor is closed; only what the card did not confirm is left
 * @ctx: number of the context on the card, 0: none
 * @dead: the context was taken away by a reset or removal
 * @lock: protects the objects
 * @objs: objects by handle
 * @next_handle: so that a handle does not come again soon
 * @mrs: how many regions
 * @cqs: how many completion queues
 * @eps: how many endpoints
 * @srqs: how many shared receive queues
 * @ctrs: how many counters
 * @pinned_pages: of all regions
 * @ring_bytes: how much memory of rings
 * @dbpages: doorbell pages
 * @map_lock: protects what follows
 * @maps: rings that can be mapped, by cookie
 * @next_map: so that a cookie does not come again soon
 * @revoked: doorbells lead to @dummy
 * @dummy: where stores to a doorbell go that is no more
 * @mapping: of the file, to find its mappings
 * @ctx_page: struct pnic_ctx_page, which the process reads; NULL before there is a context
 * @stale_lock: protects @stale and the contents of @ctx_page; taken in notifications of the mm
 * @stale: watched regions whose memory is another one, not yet asked for
 * @evq: what there is to tell
 */
struct pnic_file {
	struct pnic_dev *pd;
	struct list_head node;
	refcount_t refs;
	u32 id;
	struct pid *pid;
	char comm[TASK_COMM_LEN];
	struct pnic_user *user;
	bool closed;
	u32 ctx;
	u32 partition;
	bool dead;
	struct mutex lock;		/* objects */
	struct xarray objs;
	u32 next_handle;
	unsigned int mrs;
	unsigned int cqs;
	unsigned int eps;
	unsigned int srqs;
	unsigned int ctrs;
	unsigned long pinned_pages;
	size_t ring_bytes;
	struct list_head dbpages;
	struct mutex map_lock;		/* what follows */
	struct xarray maps;
	u32 next_map;
	bool revoked;
	struct page *dummy;
	struct address_space *mapping;
	struct page *ctx_page;
	spinlock_t stale_lock;		/* @stale, @ctx_page's contents */
	struct list_head stale;
	struct pnic_evq evq;
};

/* pnic_chardev.c: the card can be used for the context of the file, or -errno. */
int pnic_file_enter(struct pnic_file *pf);
void pnic_file_leave(struct pnic_file *pf);
/* The first open file from number @id on, with a reference; NULL: there is none. */
struct pnic_file *pnic_file_next(struct pnic_dev *pd, u32 id);
void pnic_file_put(struct pnic_file *pf);

/* pnic_share.c */
void pnic_share_init(struct pnic_dev *pd);
int pnic_share_join(struct pnic_file *pf);
void pnic_share_leave(struct pnic_file *pf);
int pnic_share_take(struct pnic_file *pf, enum pnic_share what);
void pnic_share_give(struct pnic_file *pf, enum pnic_share what);

/* pnic_ctx.c */
int pnic_ctx_create(struct pnic_file *pf, void *arg);
void pnic_ctx_undo(struct pnic_file *pf, void *arg);
int pnic_ctx_destroy(struct pnic_file *pf);
void pnic_file_free(struct pnic_file *pf);
struct pnic_obj *pnic_obj_find(struct pnic_file *pf, u32 handle, enum pnic_obj_kind kind);
int pnic_obj_add(struct pnic_file *pf, struct pnic_obj *obj, enum pnic_obj_kind kind);
void pnic_obj_del(struct pnic_obj *obj);
int pnic_handle_check(const struct pnic_ioc_handle *arg);

/* pnic_dbpage.c */
int pnic_dbpage_get(struct pnic_file *pf, unsigned int count, struct pnic_dbpage **db, u16 *slots);
void pnic_dbpage_put(struct pnic_dbpage *db, u16 slot);
int pnic_dbpage_unbind_all(struct pnic_file *pf);
void pnic_dbpage_free_all(struct pnic_file *pf);

/* pnic_mr.c */
int pnic_mr_reg(struct pnic_file *pf, void *arg);
void pnic_mr_undo(struct pnic_file *pf, void *arg);
int pnic_mr_reg_dmabuf(struct pnic_file *pf, void *arg);
void pnic_mr_undo_dmabuf(struct pnic_file *pf, void *arg);
int pnic_mr_dereg(struct pnic_file *pf, void *arg);
int pnic_mr_revoke(struct pnic_mr *mr);
void pnic_mr_free(struct pnic_mr *mr);

/* pnic_cq.c; the two events in interrupts */
int pnic_cq_create(struct pnic_file *pf, void *arg);
void pnic_cq_undo(struct pnic_file *pf, void *arg);
int pnic_cq_destroy(struct pnic_file *pf, void *arg);
int pnic_cq_remove(struct pnic_cq *cq);
void pnic_cq_free(struct pnic_cq *cq);
void pnic_cq_event(struct pnic_dev *pd, u32 cqn);
void pnic_cq_error(struct pnic_dev *pd, u32 cqn, u32 code);

/* pnic_ep.c; the event in interrupts */
int pnic_ep_create(struct pnic_file *pf, void *arg);
void pnic_ep_undo(struct pnic_file *pf, void *arg);
int pnic_ep_destroy(struct pnic_file *pf, void *arg);
int pnic_ep_reset(struct pnic_file *pf, void *arg);
int pnic_ep_remove(struct pnic_ep *ep);
void pnic_ep_free(struct pnic_ep *ep);
void pnic_ep_error(struct pnic_dev *pd, u32 epn, u32 code);

/* pnic_srq.c */
int pnic_srq_create(struct pnic_file *pf, void *arg);
void pnic_srq_undo(struct pnic_file *pf, void *arg);
int pnic_srq_destroy(struct pnic_file *pf, void *arg);
int pnic_srq_remove(struct pnic_srq *srq);
void pnic_srq_free(struct pnic_srq *srq);
int pnic_recv_cancel(struct pnic_file *pf, void *arg);

/* pnic_ctr.c; the event in interrupts */
int pnic_ctr_create(struct pnic_file *pf, void *arg);
void pnic_ctr_undo(struct pnic_file *pf, void *arg);
int pnic_ctr_destroy(struct pnic_file *pf, void *arg);
int pnic_ctr_bind(struct pnic_file *pf, void *arg);
int pnic_ctr_remove(struct pnic_ctr *ctr);
void pnic_ctr_free(struct pnic_ctr *ctr);
void pnic_ctr_leave(struct pnic_ep *ep);
void pnic_ctr_event(struct pnic_dev *pd, u32 ctrn);

/* pnic_ring.c */
u32 pnic_ring_entries_max(u8 log_max, size_t entry);
int pnic_ring_alloc(struct pnic_file *pf, struct pnic_ring *ring, size_t bytes);
void pnic_ring_free(struct pnic_file *pf, struct pnic_ring *ring);

/* pnic_mmap.c */
extern const u64 pnic_mmap_status_offset;
extern const u64 pnic_mmap_ctx_offset;
int pnic_mmap_add(struct pnic_file *pf, struct pnic_mapping *map);
void pnic_mmap_del(struct pnic_file *pf, struct pnic_mapping *map);
u64 pnic_mmap_offset(const struct pnic_mapping *map);
void pnic_mmap_revoke(struct pnic_file *pf);
int pnic_mmap(struct pnic_file *pf, struct vm_area_struct *vma);

/* pnic_event.c */
void pnic_evq_init(struct pnic_evq *evq);
void pnic_evq_push(struct pnic_evq *evq, const struct pnic_event *ev);
void pnic_evq_cq(struct pnic_evq *evq, struct pnic_cq *cq);
void pnic_evq_forget_cq(struct pnic_evq *evq, struct pnic_cq *cq);
void pnic_evq_end(struct pnic_evq *evq, bool gone, bool had_ctx, u32 epoch);
ssize_t pnic_evq_read(struct pnic_evq *evq, char __user *buf, size_t len, bool nonblock);
__poll_t pnic_evq_poll(struct pnic_evq *evq, struct file *file, poll_table *wait);

#endif /* PNIC_OBJECT_H */
