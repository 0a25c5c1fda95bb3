/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * libpnic: transfers over a photonic NIC, from user space.
 *
 * The one public header. What a program does:
 *
 *	pnic_open()		a card and a context on it: a protection domain
 *	pnic_mr_reg()		memory that the card may touch
 *	pnic_cq_create()	a completion queue
 *	pnic_ep_create()	an endpoint: a send ring and a receive ring
 *	pnic_ep_addr()		8 bytes, to be handed to the peers by whatever means
 *	pnic_post_write() ...	put transfers into the ring, as many as wanted
 *	pnic_ring()		tell the card, once for all of them
 *	pnic_poll()		take completions
 *	pnic_wait()		sleep until there is one
 *
 * An endpoint is a reliable datagram endpoint: each transfer names its
 * destination, one endpoint reaches every peer, nothing is connected. From one
 * endpoint to one endpoint sends, writes and atomics take effect in the order they
 * were posted: a flag written after data is seen after the data. Every transfer
 * ends exactly once, with success or with a named error, as long as its endpoint
 * and context live: when they are destroyed or closed, or the own card is reset or
 * gone, what was under way is over without a completion.
 *
 * Errors. Every function returns 0 or a negative errno value, or, where it says
 * so, a count; errno says nothing. pnic_strerror() names the value;
 * after a failed call that isn't inline pnic_last_error() says in one line what
 * exactly was wrong. How a transfer ended stands in its completion (struct
 * pnic_wc.status), never in a return value. NULL where an object is wanted is
 * refused with -EINVAL by all functions but the inline ones.
 *
 * Threads. Functions on a context may be called by several threads at once, except
 * pnic_close(), which must be the last. A completion queue and the endpoints that
 * use it belong to one thread at a time, and so do a shared receive queue and the completion queues that
 * its messages go to: post, ring, poll, arm, wait and also create, reset and destroy take no lock. A counter may
 * be read and waited for by any one thread. Different queues with their endpoints
 * don't disturb each other.
 *
 * Units are bytes, unless a name ends in _us, _ms or _mbps.
 */
#ifndef PNIC_H
#define PNIC_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <linux/pnic.h>		/* struct pnic_event, pnic_ioc_info, pnic_ioc_link_info, PNIC_MRF_*, PNIC_EVT_* */
#include <linux/pnic_queue.h>	/* descriptors, completions, PNIC_OP_*, PNIC_SQF_*, PNIC_ST_*, PNIC_DB_* */

#ifdef __cplusplus
extern "C" {
#endif

#define PNIC_LIB_MAJOR	1
#define PNIC_LIB_MINOR	1

struct pnic_cq;
struct pnic_ep;
struct pnic_wc;
struct pnic_srq;
struct pnic_ctr;

/* ------------------------------------------------------------------------- */
/* Errors                                                                    */

/**
 * pnic_strerror - text for a return value of this library
 * @err: 0, a negative errno value or its magnitude
 *
 * Never NULL. Any thread.
 */
const char *pnic_strerror(int err);

/**
 * pnic_status_str - text for how a transfer ended
 * @status: enum pnic_cqe_status
 *
 * Never NULL, also for values that this version does not know. Any thread.
 */
const char *pnic_status_str(unsigned int status);

/** pnic_opcode_str - name of an operation (PNIC_OP_*), never NULL */
const char *pnic_opcode_str(unsigned int opcode);

/**
 * pnic_last_error - what was wrong with the calling thread's last failed call
 *
 * One line without a newline, naming device, object and limit; "" before the first failure.
 * Set by the functions that aren't inline, and only when they fail. Good until the thread's next failure.
 */
const char *pnic_last_error(void);

/** pnic_version - of the library at run time: major << 16 | minor */
unsigned int pnic_version(void);

/* ------------------------------------------------------------------------- */
/* Devices and contexts                                                      */

/**
 * struct pnic_device - one card, as pnic_list() found it
 * @name: for pnic_open(), e.g. "pnic0"
 * @pci: PCI name, e.g. "0000:01:00.0"; "" with @error
 * @guid: of the card
 * @nic: its fabric address
 * @error: 0, or why it can't be asked, e.g. -EACCES
 */
struct pnic_device {
	char name[32];
	char pci[32];
	uint64_t guid;
	uint32_t nic;
	int32_t error;
	uint64_t rsvd[4];
};

/**
 * pnic_list - which cards there are
 * @list: Out. an array, in the order of the numbers; free with pnic_list_free(). NULL if there are none
 * @count: Out. its length
 *
 * No card is not an error. -ENOMEM.
 */
int pnic_list(struct pnic_device **list, unsigned int *count);
void pnic_list_free(struct pnic_device *list);

/**
 * struct pnic_open_attr - options of pnic_open()
 * @size: sizeof(struct pnic_open_attr)
 * @flags: 0
 * @partition: tenant number; 0 is everybody's
 * @rsvd: 0
 */
struct pnic_open_attr {
	uint32_t size;
	uint32_t flags;
	uint32_t partition;
	uint32_t rsvd;
};

/**
 * struct pnic_ctx - a context. Members are for reading by the inline functions
 * @status: the live status page; see pnic_link_status()
 * @epoch: of the card when the context was made
 * @nic: fabric address of this card, 24 bits
 */
struct pnic_ctx {
	const struct pnic_status_page *status;
	uint32_t epoch;
	uint32_t nic;
};

/**
 * pnic_open - open a card and make a context on it
 * @name: "pnic0"; NULL: the first card
 * @attr: NULL for the defaults
 * @ctx: Out.
 *
 * -ENODEV no such card; -EACCES not allowed to open it; -EPROTO kernel and library speak
 * different major versions of the interface (the text says which); -EPERM partition not
 * granted; -ENOSPC the card has no more contexts; -EIO, -ETIMEDOUT card trouble; -ENOMEM.
 */
int pnic_open(const char *name, const struct pnic_open_attr *attr, struct pnic_ctx **ctx);

/**
 * pnic_close - end a context with everything in it
 *
 * Its endpoints, queues and regions go with it: their pointers are dead afterwards, the
 * card no longer touches the memory. What was in flight ends without a completion. Doesn't wait for
 * any peer. NULL is allowed.
 */
void pnic_close(struct pnic_ctx *ctx);

/**
 * pnic_query - limits and identity of the card
 * @info: In: .size; Out: the rest. What this library does not know is 0
 *
 * @info.max_cq_entries is what pnic_cq_create() can give, a little less than the card has.
 */
int pnic_query(struct pnic_ctx *ctx, struct pnic_ioc_info *info);

/**
 * pnic_query_link - state of the link in full, asked from the kernel
 * @link: In: .size; Out: the rest
 *
 * For what changes often and must be cheap see pnic_link_status() and pnic_rate_mbps().
 */
int pnic_query_link(struct pnic_ctx *ctx, struct pnic_ioc_link_info *link);

/**
 * pnic_link_status - consistent copy of the status page, without a system call
 *
 * -EAGAIN if the kernel was writing all the time that it was tried.
 */
int pnic_link_status(const struct pnic_ctx *ctx, struct pnic_status_page *copy);

/** pnic_rate_mbps - payload rate of the transmit direction now, Mb/s: one load */
static inline uint32_t pnic_rate_mbps(const struct pnic_ctx *ctx)
{
	return __atomic_load_n(&ctx->status->rate_mbps, __ATOMIC_RELAXED);
}

/** pnic_status_changes - counts changes of the status page: one load */
static inline uint32_t pnic_status_changes(const struct pnic_ctx *ctx)
{
	return __atomic_load_n(&ctx->status->events, __ATOMIC_ACQUIRE);
}

/** pnic_ctx_dead - true when the card was reset, or went, since pnic_open(): close and open again */
static inline int pnic_ctx_dead(const struct pnic_ctx *ctx)
{
	return __atomic_load_n(&ctx->status->epoch, __ATOMIC_RELAXED) != ctx->epoch;
}

/** pnic_fd - the context's descriptor, for poll(), epoll: readable when there is an event. The library's: don't close it */
int pnic_fd(const struct pnic_ctx *ctx);

/**
 * pnic_read_event - take the next event of the context: rate, link, errors, reset
 * @ev: Out.
 *
 * Never blocks. -EAGAIN: there is none.
 */
int pnic_read_event(struct pnic_ctx *ctx, struct pnic_event *ev);

/* ------------------------------------------------------------------------- */
/* Memory                                                                    */

/**
 * struct pnic_mr - registered memory; read only
 * @ctx: its context
 * @addr: first byte; peers name bytes of the region by addresses in it
 * @length: bytes
 * @key: for transfers from here, and, handed to peers, for transfers to here
 * @access: PNIC_MRF_*
 */
struct pnic_mr {
	struct pnic_ctx *ctx;
	void *addr;
	uint64_t length;
	uint64_t key;
	uint32_t access;
	uint32_t rsvd;
};

/**
 * pnic_mr_reg - let the card touch memory
 * @addr: any alignment
 * @length: bytes, 1..
 * @access: PNIC_MRF_LOCAL_WRITE (receives, reads into it), PNIC_MRF_REMOTE_READ, _WRITE,
 *	_ATOMIC (what peers may do with the key); 0: only a source
 * @mr: Out.
 *
 * The pages are pinned and count against RLIMIT_MEMLOCK. -ENOMEM, -EPERM over that
 * limit; -EFAULT not mapped, or not writable though @access needs it; -ENOSPC no more regions
 * on the card; -E2BIG more pages than the card can have in one region.
 */
int pnic_mr_reg(struct pnic_ctx *ctx, void *addr, uint64_t length, uint32_t access, struct pnic_mr **mr);

/**
 * pnic_mr_reg_dmabuf - let the card touch a piece of a dma-buf
 * @fd: the buffer: of a GPU, a heap, udmabuf ... It may be closed afterwards
 * @offset: of the first byte in the buffer
 * @length: bytes, 1..
 * @addr: by which address transfers name the first byte: where the buffer is mapped, or any number that lies in
 *	its page (of 4096 bytes) as @offset does
 * @access: as for pnic_mr_reg()
 * @mr: Out.
 *
 * Nothing is pinned or accounted for. The owner may move the buffer: then the card leaves the region alone until it has been
 * mapped again, and transfers that meet it meanwhile end with PNIC_ST_LOCAL_MOVED or PNIC_ST_REMOTE_MOVED; repeat them. -EBADF;
 * -EINVAL no dma-buf, or not so large; -EPERM opened read only; -EOPNOTSUPP (PNIC_FEAT_DMABUF); -ENOSPC; -ENOMEM; -E2BIG.
 */
int pnic_mr_reg_dmabuf(struct pnic_ctx *ctx, int fd, uint64_t offset, uint64_t length, void *addr, uint32_t access,
		       struct pnic_mr **mr);

/**
 * pnic_mr_dereg - take memory back
 *
 * When it returns 0 the card no longer touches the memory; transfers under way that use it end
 * with a key error. -EIO: the card failed and was not reset, so that is not certain. NULL is allowed.
 */
int pnic_mr_dereg(struct pnic_mr *mr);

/* ------------------------------------------------------------------------- */
/* Region cache                                                              */

/**
 * struct pnic_mrc_attr - of pnic_mrc_create()
 * @size: sizeof(struct pnic_mrc_attr)
 * @flags: 0
 * @access: PNIC_MRF_* of all its regions
 * @max_regions: how many it keeps that nobody holds; 0: 1024
 * @max_bytes: of those; 0: no limit but RLIMIT_MEMLOCK
 */
struct pnic_mrc_attr {
	uint32_t size;
	uint32_t flags;
	uint32_t access;
	uint32_t max_regions;
	uint64_t max_bytes;
};

/**
 * struct pnic_mrc_stats - what a cache did
 * @hits: pnic_mrc_get() found a region
 * @misses: it registered one
 * @stale: regions whose memory was unmapped or replaced
 * @evicted: regions that went to make room
 * @regions: regions in it now
 * @bytes: of them
 */
struct pnic_mrc_stats {
	uint64_t hits;
	uint64_t misses;
	uint64_t stale;
	uint64_t evicted;
	uint64_t regions;
	uint64_t bytes;
};

struct pnic_mrc;

/**
 * pnic_mrc_create - make a cache of registrations
 *
 * Memory that is freed and mapped anew is never sent stale: the kernel tells of every munmap(), mremap(), mapping over it and
 * MADV_DONTNEED before the call returns, and pnic_mrc_get() looks, by one load, whether it did. No allocator is hooked. -EINVAL;
 * -EOPNOTSUPP (PNIC_FEAT_WATCH); -ENOMEM.
 */
int pnic_mrc_create(struct pnic_ctx *ctx, const struct pnic_mrc_attr *attr, struct pnic_mrc **mrc);

/** pnic_mrc_destroy - -EBUSY while somebody holds one of its regions. NULL is allowed */
int pnic_mrc_destroy(struct pnic_mrc *mrc);

/**
 * pnic_mrc_get - a region that holds [@addr, @addr + @length)
 * @mr: Out. good until pnic_mrc_put(); may be larger than asked for. Not for pnic_mr_dereg()
 *
 * Errors of pnic_mr_reg(); when the locked-memory limit is met everything that nobody holds goes first. Any thread.
 */
int pnic_mrc_get(struct pnic_mrc *mrc, void *addr, uint64_t length, struct pnic_mr **mr);

/** pnic_mrc_put - the caller's transfers with it are complete. Any thread */
void pnic_mrc_put(struct pnic_mrc *mrc, struct pnic_mr *mr);

/** pnic_mrc_query - -EINVAL */
int pnic_mrc_query(struct pnic_mrc *mrc, struct pnic_mrc_stats *stats);

/* ------------------------------------------------------------------------- */
/* Completion queues                                                         */

/**
 * struct pnic_cq_attr - of pnic_cq_create()
 * @size: sizeof(struct pnic_cq_attr)
 * @flags: PNIC_CQ_*
 * @entries: completions it must hold, see pnic_ep_create(); 1..
 * @eventfd: with PNIC_CQ_EVENTFD: signalled when an armed queue gets an entry; may serve many
 *	queues. It stays the caller's
 * @spin_us: how long pnic_wait() polls before it sleeps; 0: the default; -1: not at all
 * @rsvd: 0
 * @user_data: given back in PNIC_EVT_CQ and PNIC_EVT_CQ_ERROR events
 */
struct pnic_cq_attr {
	uint32_t size;
	uint32_t flags;
	uint32_t entries;
	int32_t eventfd;
	int32_t spin_us;
	uint32_t rsvd;
	uint64_t user_data;
};
#define PNIC_CQ_EVENTFD		(1U << 0)	/* use @eventfd; else the library makes one */
#define PNIC_CQ_EVENTS		(1U << 1)	/* none: armed queues give PNIC_EVT_CQ on pnic_fd() */
#define PNIC_SPIN_DEFAULT_US	20

/**
 * struct pnic_cq - a completion queue
 * @user: the caller's
 * @entries: completions it can hold
 *
 * The other members belong to the inline functions.
 */
struct pnic_cq {
	struct pnic_cqe *next;	/* the entry that comes next */
	uint32_t phase;		/* PNIC_CQE_PHASE or 0: what it has when it is there */
	uint32_t head;		/* index of @stop, free running */
	struct pnic_ep **eps;	/* by endpoint number */
	struct pnic_cqe *stop;	/* here the card is told of what was taken */
	struct pnic_cqe *ring;
	struct pnic_cqe *end;
	volatile uint64_t *db;
	uint32_t lazy;		/* entries from one @stop to the next */
	uint32_t entries;
	struct pnic_ctx *ctx;
	void *user;
	uint32_t driven;	/* the card works when it is polled: see "embedded:" in pnic(7) */
	uint32_t rsvd;
};

/**
 * pnic_cq_create - make a completion queue
 *
 * @cq->entries tells what it got, at least @attr->entries. -EINVAL; -E2BIG more than the card has;
 * -ENOSPC; -EBADF bad eventfd; -ENOMEM.
 */
int pnic_cq_create(struct pnic_ctx *ctx, const struct pnic_cq_attr *attr, struct pnic_cq **cq);

/** pnic_cq_destroy - -EBUSY while endpoints use it. NULL is allowed */
int pnic_cq_destroy(struct pnic_cq *cq);

/** pnic_cq_fd - the eventfd behind pnic_wait(), -1 with PNIC_CQ_EVENTS. The library's or the caller's, as made */
int pnic_cq_fd(const struct pnic_cq *cq);

/**
 * pnic_arm - ask for one signal on the queue's descriptor for the next completion
 *
 * 1: there are completions already, poll first (it is armed all the same); 0: armed. Nothing is missed
 * between the last poll and this call: what came meanwhile signals at once. After the signal, or
 * after polling, arm again. With one's own poll() loop: arm, on 0 sleep, read the eventfd, poll.
 */
int pnic_arm(struct pnic_cq *cq);

/**
 * pnic_wait - until there is a completion: spins a little, then sleeps
 * @timeout_ms: -1: no limit; 0: only look
 *
 * 0: poll: there is one, though perhaps one that pnic_poll() keeps to itself (see Posting). -ETIMEDOUT; -EIO the card was reset; -ENODEV it is gone; -EOPNOTSUPP a
 * queue with PNIC_CQ_EVENTS. Signals (EINTR) are not seen by the caller.
 */
int pnic_wait(struct pnic_cq *cq, int timeout_ms);

/* ------------------------------------------------------------------------- */
/* Endpoints                                                                 */

/**
 * struct pnic_addr - where an endpoint is: to be copied to peers as it stands
 * @nic: fabric address of the NIC
 * @ep: number of the endpoint there
 */
struct pnic_addr {
	uint32_t nic;
	uint32_t ep;
};
#define PNIC_EP_NONE	0xffffffu	/* no endpoint has this number */

/**
 * struct pnic_ep_attr - of pnic_ep_create()
 * @size: sizeof(struct pnic_ep_attr)
 * @flags: PNIC_EP_STOP_ON_ERROR or 0: the first failed transfer stops the send ring, the rest
 *	completes as PNIC_ST_FLUSHED, pnic_ep_reset() revives it
 * @sq_slots: 64-byte slots of the send ring; 0: 256. A transfer takes one slot, with inline payload
 *	1 + ceil((length - 16) / 64), with n >= 2 buffers 1 + ceil(n / 2)
 * @rq_entries: entries of the receive ring; 0: it can't receive
 * @send_cq: for completions of what is posted
 * @recv_cq: for completions of receives; NULL: @send_cq
 * @rnr_timeout_us: how long a send waits for a receive entry at the far end, in time of the link's clock; 0: not at all
 * @rsvd: 0
 * @user_data: given back in PNIC_EVT_EP_ERROR events
 * @srq: receive from this shared queue; @rq_entries is 0 then. NULL: none
 */
struct pnic_ep_attr {
	uint32_t size;
	uint32_t flags;
	uint32_t sq_slots;
	uint32_t rq_entries;
	struct pnic_cq *send_cq;
	struct pnic_cq *recv_cq;
	uint32_t rnr_timeout_us;
	uint32_t rsvd;
	uint64_t user_data;
	struct pnic_srq *srq;
};

/**
 * struct pnic_ep - an endpoint
 * @addr: its address
 * @user: the caller's
 *
 * The other members belong to the inline functions.
 */
struct pnic_ep {
	uint8_t *sq;
	volatile uint64_t *sq_db;
	uint32_t sq_tail;	/* written up to here; indices are free running */
	uint32_t sq_head;	/* retired up to here */
	uint32_t sq_slots;	/* a power of two */
	uint32_t sq_rung;	/* told the card up to here */
	volatile uint64_t *park;	/* NULL: the card does not park */
	volatile uint32_t *wake;
	struct pnic_rqe *rq;
	volatile uint64_t *rq_db;
	uint32_t rq_tail;
	uint32_t rq_head;
	uint32_t rq_entries;	/* a power of two, or 0 */
	uint32_t rq_rung;
	uint32_t max_slots;	/* of one descriptor */
	uint32_t rq_slow;	/* receives are not simply counted: shared, or some were cancelled */
	struct pnic_ctx *ctx;
	struct pnic_cq *send_cq;
	struct pnic_cq *recv_cq;
	struct pnic_addr addr;
	void *user;
	uint32_t sq_mark;	/* the last descriptor that completes begins here */
	uint32_t sq_lazy;	/* so far from it one is made to complete */
	uint32_t quiet;		/* by this flag; 0: the card doesn't know it */
	uint32_t rsvd;
};

/**
 * pnic_ep_create - make an endpoint
 *
 * A completion queue can't overrun: each endpoint claims sq_slots (as granted) of its send queue's entries and
 * rq_entries of its receive queue's, and is refused with -ENOSPC if the queue has not so many left.
 * pnic_cq_entries() says how large a queue must be. A shared receive queue claims its entries once of each
 * completion queue that its messages go to. What a destroyed endpoint left unpolled in a queue still counts until polled.
 *
 * -EINVAL; -E2BIG more than the card has; -ENOSPC; -ENOMEM; -EIO, -ENODEV, -ETIMEDOUT.
 */
int pnic_ep_create(struct pnic_ctx *ctx, const struct pnic_ep_attr *attr, struct pnic_ep **ep);

/**
 * pnic_ep_destroy - end an endpoint
 *
 * The card no longer touches its rings, nor memory on its behalf. Its completions that weren't
 * polled are never seen. NULL is allowed.
 */
int pnic_ep_destroy(struct pnic_ep *ep);

/**
 * pnic_ep_reset - empty both rings and revive a stopped endpoint
 *
 * What was in the rings has completed as PNIC_ST_FLUSHED; poll for it. What was posted
 * but not rung is forgotten without a completion.
 *
 * -ENOTRECOVERABLE: a completion queue of it, or its shared receive queue, is dead; the endpoint can only be destroyed.
 */
int pnic_ep_reset(struct pnic_ep *ep);

/** pnic_ep_addr - the endpoint's address, to be handed to peers */
static inline int pnic_ep_addr(const struct pnic_ep *ep, struct pnic_addr *addr)
{
	*addr = ep->addr;
	return 0;
}

/**
 * pnic_cq_entries - what @n endpoints of this size need of one queue that serves both directions
 * @sq_slots: as in struct pnic_ep_attr, 0 is its default
 * @rq_entries: likewise
 *
 * Rings are powers of two, and a send ring has 16 slots, a receive ring 2 entries at least. 0: that is more than 32 bits hold.
 */
static inline uint32_t pnic_cq_entries(uint32_t sq_slots, uint32_t rq_entries, uint32_t n)
{
	uint64_t s = 16, r = 2;

	while (s < (sq_slots ? sq_slots : 256))
		s <<= 1;
	while (r < rq_entries)
		r <<= 1;
	s += rq_entries ? r : 0;
	return n && s <= UINT32_MAX / n ? (uint32_t)s * n : 0;
}

/* ------------------------------------------------------------------------- */
/* Posting                                                                   */

/*
 * Common to all pnic_post_*() of the send side:
 * @ep: the endpoint
 * @to: the destination
 * @buf, @length, @key: local memory and the key of the region it lies in. With PNIC_SQF_INLINE
 *	the bytes are copied into the descriptor now: @key is not looked at, at most PNIC_SQE_MAX_INLINE
 * @raddr, @rkey: address and key of the far region
 * @cookie: comes back in the completion
 * @flags: PNIC_SQF_SIGNALED: complete also on success (errors always do); PNIC_SQF_FENCE: don't begin before all
 *	earlier ones of the endpoint are complete; PNIC_SQF_INLINE
 *
 * Returns 0; -EAGAIN: the ring is full, poll and try again; -E2BIG: too much inline, too many buffers;
 * -EINVAL: a length that an atomic can't have. On error nothing is written. The card learns of it by
 * pnic_ring(). Memory that isn't inline must stay as it is until the completion.
 *
 * Ring space comes back when a completion is polled, for this transfer and all before it. Where nothing is signalled for
 * a quarter of the ring the library has one complete by itself, and pnic_poll() takes that without showing it (PNIC_FEAT_QUIET;
 * with a card that lacks it signal at least one transfer in each ring's worth, else the ring fills up for ever). So
 * who counts by counters need not signal anything, but on -EAGAIN must poll.
 *
 * Writing needs PNIC_MRF_REMOTE_WRITE at the far region, reading PNIC_MRF_REMOTE_READ there and
 * PNIC_MRF_LOCAL_WRITE here, atomics PNIC_MRF_REMOTE_ATOMIC.
 */

/**
 * struct pnic_buf - one buffer of a list
 * @addr: first byte
 * @key: of the local region it lies in
 * @length: bytes
 */
struct pnic_buf {
	void *addr;
	uint64_t key;
	uint32_t length;
	uint32_t rsvd;
};

/* Support of the inline functions; not to be called. */
#define PNIC__SQE_DEST_OFF	16	/* offsetof(struct pnic_sqe, dest_nic) */
#define PNIC__SQE_INLINE_OFF	48	/* offsetof(struct pnic_sqe, local_addr) */

uint32_t pnic__sq_peer(const struct pnic_cq *cq, const struct pnic_ep *ep, uint32_t end);
void pnic__sq_failed(const struct pnic_cq *cq, const struct pnic_ep *ep, void *wc);
void pnic__recv_retired(struct pnic_ep *ep);
int pnic__srq_full(struct pnic_srq *srq);
void pnic__wake(struct pnic_ctx *ctx, volatile uint32_t *wake);
int pnic__poll_slow(struct pnic_cq *cq, struct pnic_wc *wc, int max, int n);

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PNIC__LE32(x)	((uint32_t)(x))
#define PNIC__LE64(x)	((uint64_t)(x))
#else
#define PNIC__LE32(x)	__builtin_bswap32(x)
#define PNIC__LE64(x)	__builtin_bswap64(x)
#endif
#define PNIC__UNLIKELY(x)	__builtin_expect(!!(x), 0)

/*
 * What was written to memory before is seen by a device before what is written after. The release store of a slot orders
 * memory only, and where the slot is a register of the card that isn't enough on every machine: what each needs is
 * what its kernel does before a write to a register.
 */
static inline void pnic__to_card(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__asm__ volatile("" ::: "memory");
#elif defined(__aarch64__)
	__asm__ volatile("dmb oshst" ::: "memory");
#elif defined(__riscv)
	__asm__ volatile("fence w, ow" ::: "memory");
#elif defined(__powerpc__)
	__asm__ volatile("sync" ::: "memory");
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/* Publishes @val in a doorbell slot: all that was written to the rings before is visible to the card first. */
static inline void pnic__publish(volatile uint64_t *slot, uint64_t val)
{
	pnic__to_card();
#if UINTPTR_MAX > 0xffffffffu
	__atomic_store_n(slot, PNIC__LE64(val), __ATOMIC_RELEASE);
#else
	volatile uint32_t *half = (volatile uint32_t *)slot;	/* low half last: it makes the value count */

	__atomic_store_n(&half[1], PNIC__LE32((uint32_t)(val >> 32)), __ATOMIC_RELEASE);
	__atomic_store_n(&half[0], PNIC__LE32((uint32_t)val), __ATOMIC_RELEASE);
#endif
}

/*
 * Whether a card that polls its doorbells has gone to sleep. The full barrier makes sure that either
 * it sees the slot that was just stored or this load sees its park bit.
 */
static inline int pnic__parked(const volatile uint64_t *park)
{
#ifdef __SANITIZE_THREAD__
	return !!(__atomic_fetch_or((volatile uint64_t *)park, 0, __ATOMIC_SEQ_CST) & PNIC__LE64(PNIC_DB_PARKED));
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !!(__atomic_load_n(park, __ATOMIC_RELAXED) & PNIC__LE64(PNIC_DB_PARKED));
#endif
}

static inline uint32_t pnic__sq_room(const struct pnic_ep *ep)
{
	return ep->sq_slots - (ep->sq_tail - ep->sq_head);
}

static inline uint8_t *pnic__sq_slot(const struct pnic_ep *ep, uint32_t index)
{
	return ep->sq + (size_t)(index & (ep->sq_slots - 1)) * PNIC_SLOT_SIZE;
}

/* Two words, or what fills them, as one store: so the card's first look finds them in the store buffer. */
static inline void pnic__put2(void *to, uint32_t lo, uint32_t hi)
{
	uint64_t v = PNIC__LE64((uint64_t)hi << 32 | lo);

	memcpy(to, &v, sizeof(v));
}

/*
 * The first slot of a descriptor, all but the local half. @shape: slots, and entries of its list of buffers, by 256.
 * The caller has made sure of room.
 */
static inline struct pnic_sqe *pnic__sqe(struct pnic_ep *ep, uint32_t shape, uint8_t opcode, struct pnic_addr to,
					 uint32_t length, uint64_t raddr, uint64_t rkey, uint64_t imm,
					 uint64_t cookie, unsigned int flags)
{
	struct pnic_sqe *sqe = (struct pnic_sqe *)(void *)pnic__sq_slot(ep, ep->sq_tail);

	if (flags & PNIC_SQF_SIGNALED) {
		ep->sq_mark = ep->sq_tail;
	} else if (PNIC__UNLIKELY(ep->sq_tail - ep->sq_mark >= ep->sq_lazy)) {
		ep->sq_mark = ep->sq_tail;
		flags |= ep->quiet;
	}
	pnic__put2((uint8_t *)sqe, opcode | (flags & 0xff) << 8 | (shape >> 8) << 16 | shape << 24, length);
	sqe->cookie = PNIC__LE64(cookie);
	pnic__put2((uint8_t *)sqe + PNIC__SQE_DEST_OFF, to.nic, to.ep);
	sqe->remote_addr = PNIC__LE64(raddr);
	sqe->remote_key = PNIC__LE64(rkey);
	sqe->imm = PNIC__LE64(imm);
	return sqe;
}

static inline int pnic__post_inline(struct pnic_ep *ep, uint8_t opcode, struct pnic_addr to, const void *buf,
				    uint32_t length, uint64_t raddr, uint64_t rkey, uint64_t imm,
				    uint64_t cookie, unsigned int flags)
{
	const uint8_t *src = (const uint8_t *)buf;
	uint32_t slots = 1, i, part;
	uint8_t *first;

	if (length > PNIC_SQE_INLINE_BASE)
		slots += (length - PNIC_SQE_INLINE_BASE + PNIC_SLOT_SIZE - 1) / PNIC_SLOT_SIZE;
	if (PNIC__UNLIKELY(length > PNIC_SQE_MAX_INLINE || slots > ep->max_slots))
		return -E2BIG;
	if (PNIC__UNLIKELY(pnic__sq_room(ep) < slots))
		return -EAGAIN;
	first = (uint8_t *)pnic__sqe(ep, slots, opcode, to, length, raddr, rkey, imm, cookie, flags);
	memset(first + PNIC__SQE_INLINE_OFF, 0, PNIC_SQE_INLINE_BASE);
	part = length < PNIC_SQE_INLINE_BASE ? length : PNIC_SQE_INLINE_BASE;
	if (part)
		memcpy(first + PNIC__SQE_INLINE_OFF, src, part);
	for (i = 1; i < slots; i++) {
		src += part;
		length -= part;
		part = length < PNIC_SLOT_SIZE ? length : PNIC_SLOT_SIZE;
		memcpy(pnic__sq_slot(ep, ep->sq_tail + i), src, part);
	}
	ep->sq_tail += slots;
	return 0;
}

static inline int pnic__post(struct pnic_ep *ep, uint8_t opcode, struct pnic_addr to, const void *buf,
			     uint32_t length, uint64_t key, uint64_t raddr, uint64_t rkey, uint64_t imm,
			     uint64_t cookie, unsigned int flags)
{
	struct pnic_sqe *sqe;

	if (flags & PNIC_SQF_INLINE)
		return pnic__post_inline(ep, opcode, to, buf, length, raddr, rkey, imm, cookie, flags);
	if (PNIC__UNLIKELY(!pnic__sq_room(ep)))
		return -EAGAIN;
	sqe = pnic__sqe(ep, 1 | 1 << 8, opcode, to, length, raddr, rkey, imm, cookie, flags);
	sqe->local_addr = PNIC__LE64((uint64_t)(uintptr_t)buf);
	sqe->local_key = PNIC__LE64(key);
	ep->sq_tail++;
	return 0;
}

static inline int pnic__postv(struct pnic_ep *ep, uint8_t opcode, struct pnic_addr to, const struct pnic_buf *bufs,
			      unsigned int n, uint64_t raddr, uint64_t rkey, uint64_t imm, uint64_t cookie,
			      unsigned int flags)
{
	uint32_t slots = 1 + (n + 1) / 2, i;
	struct pnic_sqe *sqe;
	struct pnic_sge *sge;
	uint64_t length = 0;

	if (PNIC__UNLIKELY(flags & PNIC_SQF_INLINE))
		return -EINVAL;
	if (n < 2)
		return pnic__post(ep, opcode, to, n ? bufs->addr : NULL, n ? bufs->length : 0, n ? bufs->key : 0,
				  raddr, rkey, imm, cookie, flags);
	if (PNIC__UNLIKELY(n > PNIC_SQE_MAX_SGE || slots > ep->max_slots))
		return -E2BIG;
	for (i = 0; i < n; i++)
		length += bufs[i].length;
	if (PNIC__UNLIKELY(length > PNIC_MAX_MSG_SIZE))
		return -E2BIG;
	if (PNIC__UNLIKELY(pnic__sq_room(ep) < slots))
		return -EAGAIN;
	sqe = pnic__sqe(ep, slots | n << 8, opcode, to, (uint32_t)length, raddr, rkey, imm, cookie, flags);
	sqe->local_addr = 0;
	sqe->local_key = 0;
	for (i = 0; i < n; i++) {
		sge = (struct pnic_sge *)(void *)pnic__sq_slot(ep, ep->sq_tail + 1 + i / 2) + i % 2;
		sge->addr = PNIC__LE64((uint64_t)(uintptr_t)bufs[i].addr);
		sge->key = PNIC__LE64(bufs[i].key);
		sge->length = PNIC__LE32(bufs[i].length);
		memset(sge->rsvd, 0, sizeof(sge->rsvd));
	}
	ep->sq_tail += slots;
	return 0;
}

/** pnic_post_send - to the next receive entry at the far end */
static inline int pnic_post_send(struct pnic_ep *ep, struct pnic_addr to, const void *buf, uint32_t length,
				 uint64_t key, uint64_t cookie, unsigned int flags)
{
	return pnic__post(ep, PNIC_OP_SEND, to, buf, length, key, 0, 0, 0, cookie, flags);
}

/** pnic_post_send_imm - the same with a value that arrives in the far completion's .data */
static inline int pnic_post_send_imm(struct pnic_ep *ep, struct pnic_addr to, const void *buf, uint32_t length,
				     uint64_t key, uint64_t imm, uint64_t cookie, unsigned int flags)
{
	return pnic__post(ep, PNIC_OP_SEND_IMM, to, buf, length, key, 0, 0, imm, cookie, flags);
}

/** pnic_post_write - into far memory; the far process is not told */
static inline int pnic_post_write(struct pnic_ep *ep, struct pnic_addr to, const void *buf, uint32_t length,
				  uint64_t key, uint64_t raddr, uint64_t rkey, uint64_t cookie, unsigned int flags)
{
	return pnic__post(ep, PNIC_OP_WRITE, to, buf, length, key, raddr, rkey, 0, cookie, flags);
}

/** pnic_post_write_imm - the same, and takes a receive entry there whose completion has .data = @imm */
static inline int pnic_post_write_imm(struct pnic_ep *ep, struct pnic_addr to, const void *buf, uint32_t length,
				      uint64_t key, uint64_t raddr, uint64_t rkey, uint64_t imm,
				      uint64_t cookie, unsigned int flags)
{
	return pnic__post(ep, PNIC_OP_WRITE_IMM, to, buf, length, key, raddr, rkey, imm, cookie, flags);
}

/**
 * struct pnic_sig - what a write with a signal does when its data is there
 * @addr: of an 8-byte word at the far end, 8-byte aligned
 * @key: of its region, which has PNIC_MRF_REMOTE_ATOMIC; may be another than the data's
 * @value: added to the word, or stored
 * @op: PNIC_SIGNAL_ADD, PNIC_SIGNAL_SET
 * @rsvd: 0
 */
struct pnic_sig {
	uint64_t addr;
	uint64_t key;
	uint64_t value;
	uint32_t op;
	uint32_t rsvd;
};

/**
 * pnic_post_write_signal - into far memory, and then a word there is added to or set
 *
 * The word changes when the data is visible, and not at all if the transfer fails (weak signal). With PNIC_SQF_FENCE it
 * changes after everything posted to the endpoint before is complete, whatever its destination (strong signal). Takes one
 * slot more than a write; inline at most PNIC_SQE_MAX_INLINE - 64 bytes. @length 0 signals only. Needs PNIC_FEAT_SIGNAL, else it
 * completes with PNIC_ST_BAD_DESC.
 */
static inline int pnic_post_write_signal(struct pnic_ep *ep, struct pnic_addr to, const void *buf, uint32_t length,
					 uint64_t key, uint64_t raddr, uint64_t rkey, const struct pnic_sig *sig,
					 uint64_t cookie, unsigned int flags)
{
	uint32_t at = ep->sq_tail, slots;
	struct pnic_signal *word;
	struct pnic_sqe *sqe;
	int err;

	if (PNIC__UNLIKELY(sig->op > PNIC_SIGNAL_SET))
		return -EINVAL;
	slots = flags & PNIC_SQF_INLINE && length > PNIC_SQE_INLINE_BASE ?
		2 + (length - PNIC_SQE_INLINE_BASE + PNIC_SLOT_SIZE - 1) / PNIC_SLOT_SIZE : 2;
	if (PNIC__UNLIKELY(slots > ep->max_slots || (flags & PNIC_SQF_INLINE && length > PNIC_SQE_MAX_INLINE)))
		return -E2BIG;
	if (PNIC__UNLIKELY(pnic__sq_room(ep) < slots))
		return -EAGAIN;
	err = pnic__post(ep, PNIC_OP_WRITE_SIGNAL, to, buf, length, key, raddr, rkey, 0, cookie, flags);
	if (PNIC__UNLIKELY(err))
		return err;
	sqe = (struct pnic_sqe *)(void *)pnic__sq_slot(ep, at);
	sqe->num_slots = (uint8_t)slots;
	word = (struct pnic_signal *)(void *)pnic__sq_slot(ep, ep->sq_tail++);
	word->addr = PNIC__LE64(sig->addr);
	word->key = PNIC__LE64(sig->key);
	word->value = PNIC__LE64(sig->value);
	memset(&word->op, 0, sizeof(*word) - offsetof(struct pnic_signal, op));
	word->op = (uint8_t)sig->op;
	return 0;
}

/** pnic_post_read - far memory into @buf. It may be carried out later than what is posted after it, unless that has PNIC_SQF_FENCE */
static inline int pnic_post_read(struct pnic_ep *ep, struct pnic_addr to, void *buf, uint32_t length,
				 uint64_t key, uint64_t raddr, uint64_t rkey, uint64_t cookie, unsigned int flags)
{
	if (PNIC__UNLIKELY(flags & PNIC_SQF_INLINE))
		return -EINVAL;
	return pnic__post(ep, PNIC_OP_READ, to, buf, length, key, raddr, rkey, 0, cookie, flags);
}

/* The gathering forms of the above: @n buffers, 0..PNIC_SQE_MAX_SGE, never inline. */
static inline int pnic_post_sendv(struct pnic_ep *ep, struct pnic_addr to, const struct pnic_buf *bufs,
				  unsigned int n, uint64_t cookie, unsigned int flags)
{
	return pnic__postv(ep, PNIC_OP_SEND, to, bufs, n, 0, 0, 0, cookie, flags);
}

static inline int pnic_post_sendv_imm(struct pnic_ep *ep, struct pnic_addr to, const struct pnic_buf *bufs,
				      unsigned int n, uint64_t imm, uint64_t cookie, unsigned int flags)
{
	return pnic__postv(ep, PNIC_OP_SEND_IMM, to, bufs, n, 0, 0, imm, cookie, flags);
}

static inline int pnic_post_writev(struct pnic_ep *ep, struct pnic_addr to, const struct pnic_buf *bufs,
				   unsigned int n, uint64_t raddr, uint64_t rkey, uint64_t cookie, unsigned int flags)
{
	return pnic__postv(ep, PNIC_OP_WRITE, to, bufs, n, raddr, rkey, 0, cookie, flags);
}

static inline int pnic_post_writev_imm(struct pnic_ep *ep, struct pnic_addr to, const struct pnic_buf *bufs,
				       unsigned int n, uint64_t raddr, uint64_t rkey, uint64_t imm,
				       uint64_t cookie, unsigned int flags)
{
	return pnic__postv(ep, PNIC_OP_WRITE_IMM, to, bufs, n, raddr, rkey, imm, cookie, flags);
}

static inline int pnic_post_readv(struct pnic_ep *ep, struct pnic_addr to, const struct pnic_buf *bufs,
				  unsigned int n, uint64_t raddr, uint64_t rkey, uint64_t cookie, unsigned int flags)
{
	return pnic__postv(ep, PNIC_OP_READ, to, bufs, n, raddr, rkey, 0, cookie, flags);
}

static inline int pnic__post_atomic(struct pnic_ep *ep, uint8_t opcode, struct pnic_addr to, uint32_t length,
				    uint64_t raddr, uint64_t rkey, uint64_t operand, uint64_t compare,
				    uint64_t cookie, unsigned int flags)
{
	struct pnic_sqe *sqe;

	if (PNIC__UNLIKELY((length != 4 && length != 8) || (flags & PNIC_SQF_INLINE)))
		return -EINVAL;
	if (PNIC__UNLIKELY(!pnic__sq_room(ep)))
		return -EAGAIN;
	sqe = pnic__sqe(ep, 1, opcode, to, length, raddr, rkey, operand, cookie, flags);
	sqe->local_addr = PNIC__LE64(compare);
	sqe->local_key = 0;
	ep->sq_tail++;
	return 0;
}

/**
 * pnic_post_fetch_add - adds @add to the @length (4 or 8) bytes at @raddr, naturally aligned
 *
 * The old value is the completion's .data: set PNIC_SQF_SIGNALED to see it.
 */
static inline int pnic_post_fetch_add(struct pnic_ep *ep, struct pnic_addr to, uint32_t length, uint64_t raddr,
				      uint64_t rkey, uint64_t add, uint64_t cookie, unsigned int flags)
{
	return pnic__post_atomic(ep, PNIC_OP_FETCH_ADD, to, length, raddr, rkey, add, 0, cookie, flags);
}

/** pnic_post_comp_swap - stores @swap if the old value is @compare; the old value is the completion's .data */
static inline int pnic_post_comp_swap(struct pnic_ep *ep, struct pnic_addr to, uint32_t length, uint64_t raddr,
				      uint64_t rkey, uint64_t compare, uint64_t swap, uint64_t cookie,
				      unsigned int flags)
{
	return pnic__post_atomic(ep, PNIC_OP_COMP_SWAP, to, length, raddr, rkey, swap, compare, cookie, flags);
}

/** pnic_post_flush - completes (set PNIC_SQF_SIGNALED) when all earlier ones of the endpoint have */
static inline int pnic_post_flush(struct pnic_ep *ep, uint64_t cookie, unsigned int flags)
{
	struct pnic_addr none = { 0, 0 };
	struct pnic_sqe *sqe;

	if (PNIC__UNLIKELY(flags & PNIC_SQF_INLINE))
		return -EINVAL;
	if (PNIC__UNLIKELY(!pnic__sq_room(ep)))
		return -EAGAIN;
	sqe = pnic__sqe(ep, 1, PNIC_OP_FLUSH, none, 0, 0, 0, 0, cookie, flags);
	sqe->local_addr = 0;
	sqe->local_key = 0;
	ep->sq_tail++;
	return 0;
}

/**
 * pnic_post_recv - a buffer for one send, or an entry for one write with immediate
 * @length: 0: only for writes with immediate and empty sends; @buf and @key are not looked at then
 *
 * 0, or -EAGAIN when the ring is full. The card learns of it by pnic_ring_recv().
 */
static inline int pnic_post_recv(struct pnic_ep *ep, void *buf, uint32_t length, uint64_t key, uint64_t cookie)
{
	struct pnic_rqe *rqe;

	if (PNIC__UNLIKELY(ep->rq_tail - ep->rq_head >= ep->rq_entries))
		return -EAGAIN;
	rqe = &ep->rq[ep->rq_tail & (ep->rq_entries - 1)];
	rqe->cookie = PNIC__LE64(cookie);
	rqe->addr = PNIC__LE64((uint64_t)(uintptr_t)buf);
	rqe->key = PNIC__LE64(key);
	rqe->length = PNIC__LE32(length);
	rqe->rsvd = 0;
	ep->rq_tail++;
	return 0;
}

/**
 * pnic_recv_cancel - take a posted receive back
 * @ep: an endpoint with a receive ring of its own
 * @cookie: as posted, and rung; of several with the same the oldest that can be had
 *
 * 0: its buffer is the caller's again, there will be no completion. -ENOENT: no such entry, or a message has
 * taken it and it completes as always. -EOPNOTSUPP: the card can't (PNIC_FEAT_CANCEL). A system call.
 */
int pnic_recv_cancel(struct pnic_ep *ep, uint64_t cookie);

/* ------------------------------------------------------------------------- */
/* Shared receive queues                                                     */

/**
 * struct pnic_srq_attr - of pnic_srq_create()
 * @size: sizeof(struct pnic_srq_attr)
 * @flags: 0
 * @entries: receives that it can hold, 1..
 * @rsvd: 0
 */
struct pnic_srq_attr {
	uint32_t size;
	uint32_t flags;
	uint32_t entries;
	uint32_t rsvd;
};

/**
 * struct pnic_srq - a receive queue that any number of endpoints of its context take from
 * @entries: receives that it can hold
 * @ctx: its context
 * @user: the caller's
 *
 * Whichever message comes first takes the next entry, and its completion goes to the receive queue of the endpoint
 * that the message was for: struct pnic_wc.ep tells. The other members belong to the inline functions.
 */
struct pnic_srq {
	struct pnic_rqe *rq;
	volatile uint64_t *db;
	volatile uint64_t *park;
	volatile uint32_t *wake;
	uint32_t tail;
	uint32_t head;
	uint32_t entries;
	uint32_t rung;
	struct pnic_ctx *ctx;
	void *user;
};

/**
 * pnic_srq_create - make a shared receive queue
 *
 * -EOPNOTSUPP the card has none (PNIC_FEAT_SRQ); -EINVAL; -E2BIG more entries than the card has; -ENOSPC; -ENOMEM;
 * -EIO, -ENODEV, -ETIMEDOUT.
 */
int pnic_srq_create(struct pnic_ctx *ctx, const struct pnic_srq_attr *attr, struct pnic_srq **srq);

/** pnic_srq_destroy - -EBUSY while endpoints use it. What was posted to it never completes. NULL is allowed */
int pnic_srq_destroy(struct pnic_srq *srq);

/** pnic_srq_cancel - the same as pnic_recv_cancel() */
int pnic_srq_cancel(struct pnic_srq *srq, uint64_t cookie);

/** pnic_srq_post - the same as pnic_post_recv(); the card learns of it by pnic_srq_ring() */
static inline int pnic_srq_post(struct pnic_srq *srq, void *buf, uint32_t length, uint64_t key, uint64_t cookie)
{
	struct pnic_rqe *rqe;

	if (PNIC__UNLIKELY(srq->tail - srq->head >= srq->entries) && pnic__srq_full(srq))
		return -EAGAIN;
	rqe = &srq->rq[srq->tail & (srq->entries - 1)];
	rqe->cookie = PNIC__LE64(cookie);
	rqe->addr = PNIC__LE64((uint64_t)(uintptr_t)buf);
	rqe->key = PNIC__LE64(key);
	rqe->length = PNIC__LE32(length);
	rqe->rsvd = 0;
	srq->tail++;
	return 0;
}

/** pnic_srq_ring - tells the card of everything posted to the queue since the last time */
static inline void pnic_srq_ring(struct pnic_srq *srq)
{
	if (srq->rung == srq->tail)
		return;
	srq->rung = srq->tail;
	pnic__publish(srq->db, srq->tail);
	if (srq->park && PNIC__UNLIKELY(pnic__parked(srq->park)))
		pnic__wake(srq->ctx, srq->wake);
}

/* ------------------------------------------------------------------------- */
/* Counters                                                                  */

/**
 * struct pnic_ctr_attr - of pnic_ctr_create()
 * @size: sizeof(struct pnic_ctr_attr)
 * @flags: PNIC_CTR_EVENTFD or 0
 * @eventfd: with PNIC_CTR_EVENTFD: signalled when the armed counter gets there; may serve many. It stays the caller's
 * @spin_us: how long pnic_ctr_wait() looks before it sleeps; 0: the default; -1: not at all
 */
struct pnic_ctr_attr {
	uint32_t size;
	uint32_t flags;
	int32_t eventfd;
	int32_t spin_us;
};
#define PNIC_CTR_EVENTFD	(1U << 0)	/* use @eventfd; else the library makes one */

/**
 * struct pnic_ctr - counts transfers that are over, signalled or not, without completions being taken
 * @ctx: its context
 * @user: the caller's
 *
 * The other members belong to the inline functions.
 */
struct pnic_ctr {
	const volatile struct pnic_ctr_mem *mem;
	uint64_t ok_base;
	uint64_t failed_base;
	struct pnic_ctx *ctx;
	void *user;
};

/**
 * pnic_ctr_create - make a counter, at 0
 *
 * -EOPNOTSUPP the card has none (PNIC_FEAT_COUNTER); -EINVAL; -EBADF; -ENOSPC; -ENOMEM; -EIO, -ENODEV, -ETIMEDOUT.
 */
int pnic_ctr_create(struct pnic_ctx *ctx, const struct pnic_ctr_attr *attr, struct pnic_ctr **ctr);

/** pnic_ctr_destroy - -EBUSY while it counts for an endpoint. NULL is allowed */
int pnic_ctr_destroy(struct pnic_ctr *ctr);

/**
 * pnic_ctr_bind - which counter counts what of an endpoint
 * @ctr: NULL: none any more
 * @kinds: PNIC_CTR_SEND, _WRITE, _READ, _ATOMIC: what this endpoint posts; PNIC_CTR_RECV: what it receives;
 *	PNIC_CTR_REMOTE_WRITE, PNIC_CTR_REMOTE_ATOMIC: what others do through it. Not 0
 *
 * Each kind of an endpoint has one counter at most, a counter any number of endpoints of its context. When it shows a
 * transfer the transfer's data is where it should be, and its completion, if it has one, can be polled. -EINVAL; -EOPNOTSUPP.
 */
int pnic_ctr_bind(struct pnic_ep *ep, struct pnic_ctr *ctr, uint32_t kinds);

/** pnic_ctr_ok - how many succeeded since it was made or pnic_ctr_reset(): one load */
static inline uint64_t pnic_ctr_ok(const struct pnic_ctr *ctr)
{
	return PNIC__LE64(__atomic_load_n(&ctr->mem->ok, __ATOMIC_ACQUIRE)) - ctr->ok_base;
}

/** pnic_ctr_failed - the same of those that failed; each has a completion besides */
static inline uint64_t pnic_ctr_failed(const struct pnic_ctr *ctr)
{
	return PNIC__LE64(__atomic_load_n(&ctr->mem->failed, __ATOMIC_ACQUIRE)) - ctr->failed_base;
}

/** pnic_ctr_reset - both read 0 now. For a thread that nobody disturbs in waiting for it */
static inline void pnic_ctr_reset(struct pnic_ctr *ctr)
{
	ctr->ok_base += pnic_ctr_ok(ctr);
	ctr->failed_base += pnic_ctr_failed(ctr);
}

/**
 * pnic_ctr_wait - until @n transfers have succeeded
 * @timeout_ms: -1: no limit; 0: only look
 *
 * 0. -EREMOTEIO: one has failed since pnic_ctr_reset() (its completion says which and why) and @n can't be reached by those that
 * are over. -ETIMEDOUT; -EIO the card was reset; -ENODEV it is gone.
 */
int pnic_ctr_wait(struct pnic_ctr *ctr, uint64_t n, int timeout_ms);

/**
 * pnic_ctr_arm - ask for one signal on pnic_ctr_fd() when @n are over, failed ones included
 *
 * 1: they are already; 0: armed. For one's own poll() loop, as pnic_arm().
 */
int pnic_ctr_arm(struct pnic_ctr *ctr, uint64_t n);

/** pnic_ctr_fd - the eventfd behind it. The library's or the caller's, as made */
int pnic_ctr_fd(const struct pnic_ctr *ctr);

/* ------------------------------------------------------------------------- */
/* Telling the card                                                          */

/** pnic_ring - tells the card of everything posted to the send ring since the last time: one store */
static inline void pnic_ring(struct pnic_ep *ep)
{
	if (ep->sq_rung == ep->sq_tail)
		return;
	ep->sq_rung = ep->sq_tail;
	pnic__publish(ep->sq_db, ep->sq_tail);
	if (ep->park && PNIC__UNLIKELY(pnic__parked(ep->park)))
		pnic__wake(ep->ctx, ep->wake);
}

/** pnic_ring_recv - the same for the receive ring */
static inline void pnic_ring_recv(struct pnic_ep *ep)
{
	if (ep->rq_rung == ep->rq_tail)
		return;
	ep->rq_rung = ep->rq_tail;
	pnic__publish(ep->rq_db, ep->rq_tail);
	if (ep->park && PNIC__UNLIKELY(pnic__parked(ep->park)))
		pnic__wake(ep->ctx, ep->wake);
}

/* ------------------------------------------------------------------------- */
/* Completions                                                               */

/**
 * struct pnic_wc - how a transfer ended
 * @cookie: as posted
 * @data: the immediate value (PNIC_OP_RECV_IMM, PNIC_OP_RECV_WRITE_IMM), the old value (atomics), else 0
 * @length: bytes transferred; of a failed transfer of the send ring how many it was to be, 0 if that isn't known any more
 * @peer_nic: fabric address of the other NIC
 * @opcode: PNIC_OP_*; bit 7 is set for receives
 * @peer_ep: receives: the endpoint there that sent it; failed transfers: the endpoint there that was
 *	meant, PNIC_EP_NONE if that isn't known any more; successful ones: undefined
 * @status: enum pnic_cqe_status: 0 is success; pnic_status_str()
 * @epn: number of the local endpoint
 * @rsvd: undefined
 * @ep: the local endpoint
 *
 * On little-endian machines the first 32 bytes are the card's own entry, so that taking one is a copy.
 */
struct pnic_wc {
	uint64_t cookie;
	uint64_t data;
	uint32_t length;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	uint32_t peer_nic : 24, opcode : 8;
	uint32_t peer_ep : 24, status : 8;
	uint32_t epn : 24, rsvd : 8;
#else
	uint32_t opcode : 8, peer_nic : 24;
	uint32_t status : 8, peer_ep : 24;
	uint32_t rsvd : 8, epn : 24;
#endif
	struct pnic_ep *ep;
};

/** pnic_wc_peer - the address of a receive's sender, to answer to */
static inline struct pnic_addr pnic_wc_peer(const struct pnic_wc *wc)
{
	struct pnic_addr peer = { wc->peer_nic, wc->peer_ep };

	return peer;
}

/**
 * pnic_wc_str - a line about a completion: rail, operation, bytes, peer and how it ended
 * @buf, @size: where to; always NUL terminated if @size isn't 0
 *
 * E.g. "pnic0 endpoint 7: write of 4096 bytes to 0x000102/3: remote key: no such region ...". Returns @buf, or "" without
 * one or without @wc. Any thread, while the completion's endpoint exists.
 */
const char *pnic_wc_str(const struct pnic_wc *wc, char *buf, size_t size);

/* True if the next entry is there; reads of the rest of it come after. */
static inline int pnic__cqe_ready(const struct pnic_cq *cq, uint32_t *ep_flags)
{
	*ep_flags = PNIC__LE32(__atomic_load_n(&cq->next->ep_flags, __ATOMIC_ACQUIRE));
	return !((*ep_flags ^ cq->phase) & PNIC_CQE_PHASE);
}

static inline void pnic__cqe_copy(struct pnic_wc *wc, const struct pnic_cqe *cqe)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	memcpy(wc, cqe, sizeof(*cqe));
#else
	uint32_t word[4] = { PNIC__LE32(cqe->length), PNIC__LE32(cqe->nic_op), PNIC__LE32(cqe->peer_status),
			     PNIC__LE32(cqe->ep_flags) };

	wc->cookie = PNIC__LE64(cqe->cookie);
	wc->data = PNIC__LE64(cqe->data);
	memcpy(&wc->length, word, sizeof(word));
#endif
}

/* Gives back ring space, never more than was in use, whatever a card may write. */
static inline void pnic__retire(struct pnic_ep *ep, uint32_t nic_op, uint32_t peer_status)
{
	uint32_t done;

	if ((int32_t)nic_op < 0) {
		if (ep->rq_head != ep->rq_rung)
			ep->rq_head++;
		return;
	}
	/* What the card put in the place of the peer's endpoint is the send ring's index. */
	done = (peer_status - ep->sq_head) & PNIC_CQE_LOW24;
	if (done <= ep->sq_rung - ep->sq_head)
		ep->sq_head += done;
}

/* The consumer index: of the entry that comes next. */
static inline uint32_t pnic__cq_index(const struct pnic_cq *cq)
{
	return cq->head - (uint32_t)(cq->stop - cq->next);
}

static inline void pnic__cqe_next(struct pnic_cq *cq)
{
	if (PNIC__UNLIKELY(++cq->next == cq->stop)) {
		pnic__publish(cq->db, cq->head);
		if (cq->next == cq->end) {
			cq->next = cq->ring;
			cq->phase ^= PNIC_CQE_PHASE;
		}
		cq->stop = cq->next + cq->lazy;
		cq->head += cq->lazy;
	}
}

/**
 * pnic_poll - take completions
 * @wc: Out. an array of @max
 *
 * How many there were, 0..@max, oldest first. Never blocks, makes no system call, costs the same whatever
 * the number of endpoints. Failed transfers come here too: look at .status.
 */
static inline int pnic_poll(struct pnic_cq *cq, struct pnic_wc *wc, int max)
{
	uint32_t ep_flags, nic_op, peer_status;
	const struct pnic_cqe *cqe;
	struct pnic_ep *ep;
	int n = 0;

	while (n < max) {
		cqe = cq->next;
		ep_flags = PNIC__LE32(__atomic_load_n(&cqe->ep_flags, __ATOMIC_ACQUIRE));
		if ((ep_flags ^ cq->phase) & PNIC_CQE_PHASE) {
			if (PNIC__UNLIKELY(!n && cq->driven))
				return pnic__poll_slow(cq, wc, max, n);
			break;
		}
		nic_op = PNIC__LE32(cqe->nic_op);
		peer_status = PNIC__LE32(cqe->peer_status);
		ep = cq->eps[ep_flags & PNIC_CQE_LOW24];	/* which has a place for every number */
		/* All but success of an endpoint that is there; out of line, so that this needs no stack. */
		if (PNIC__UNLIKELY(!ep || peer_status > PNIC_CQE_LOW24 || (ep_flags & PNIC_CQE_QUIET) ||
				   ((int32_t)nic_op < 0 && ep->rq_slow)))
			return pnic__poll_slow(cq, wc, max, n);
		pnic__cqe_copy(&wc[n], cqe);
		wc[n].ep = ep;
		pnic__retire(ep, nic_op, peer_status);
		n++;
		pnic__cqe_next(cq);
	}
	return n;
}

#ifdef __cplusplus
}
#endif

#endif /* PNIC_H */
