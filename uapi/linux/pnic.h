/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * pnic: the char device /dev/pnicN.
 *
 * An open file holds at most one context: a protection domain with its
 * doorbell pages, regions, completion queues and endpoints. Handles are numbers
 * that mean something in this file only. Closing the file (the last descriptor
 * of it) takes everything down.
 *
 * Every argument struct begins with its size as the caller knows it. A longer
 * struct than the kernel knows is accepted if the unknown tail is 0 (else E2BIG),
 * a shorter one if it has the members of the first version (else EINVAL); what
 * the caller left out counts as 0. Reserved members and unknown flags must be 0.
 *
 * Errors, for every call:
 *  ENOTTY  no such call
 *  EINVAL  a member has a value that is never right: unknown flag, reserved
 *          member not 0, size too small, length or depth 0, wrapped range, a file that
 *          is no eventfd
 *  E2BIG   bytes past the known struct are not 0; a count, depth or length is over
 *          a limit of the card
 *  EBADF   no such file descriptor (eventfd)
 *  EFAULT  the struct or the memory cannot be read or written, by the kernel or by the card
 *  ENOENT  no such handle in this file
 *  EPERM   not allowed to this user: RLIMIT_MEMLOCK is 0 without CAP_IPC_LOCK, partition
 *          not granted
 *  ENOMEM  no memory, or RLIMIT_MEMLOCK would be exceeded
 *  EBUSY   something still uses the object (a queue with endpoints, a counter that is bound);
 *          the owner of a dma-buf is not done with it
 *  EEXIST  the file has a context already
 *  ENXIO   the file has no context yet
 *  ENOSPC  the card has no more objects of the kind, or this file or user has as many as it may
 *  EOPNOTSUPP the card can't do that: see PNIC_FEAT_*
 *  ENODEV  the device is gone (removed, unbound)
 *  ENOTRECOVERABLE a completion queue of the endpoint, or its shared receive queue, is dead
 *  EREMOTEIO the card had a fault of its own; it goes on, and nothing has changed
 *  EIO     the card failed or was reset since the context was made: close and open again
 *  ETIMEDOUT the card did not answer in time, or is being reset for longer than 30 s
 *  EINTR   a signal came first; nothing has changed
 */
#ifndef _UAPI_LINUX_PNIC_H
#define _UAPI_LINUX_PNIC_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PNIC_ABI_MAJOR		1	/* differs: refuse */
#define PNIC_ABI_MINOR		1	/* only adds */

#define PNIC_IOC_TYPE		0xb5
#define PNIC_IOC_INFO		_IO(PNIC_IOC_TYPE, 0x00)
#define PNIC_IOC_CTX_CREATE	_IO(PNIC_IOC_TYPE, 0x01)
#define PNIC_IOC_MR_REG		_IO(PNIC_IOC_TYPE, 0x02)
#define PNIC_IOC_MR_DEREG	_IO(PNIC_IOC_TYPE, 0x03)
#define PNIC_IOC_CQ_CREATE	_IO(PNIC_IOC_TYPE, 0x04)
#define PNIC_IOC_CQ_DESTROY	_IO(PNIC_IOC_TYPE, 0x05)
#define PNIC_IOC_EP_CREATE	_IO(PNIC_IOC_TYPE, 0x06)
#define PNIC_IOC_EP_DESTROY	_IO(PNIC_IOC_TYPE, 0x07)
#define PNIC_IOC_EP_RESET	_IO(PNIC_IOC_TYPE, 0x08)
#define PNIC_IOC_LINK_INFO	_IO(PNIC_IOC_TYPE, 0x09)
/* Since 1.1 */
#define PNIC_IOC_SRQ_CREATE	_IO(PNIC_IOC_TYPE, 0x0a)
#define PNIC_IOC_SRQ_DESTROY	_IO(PNIC_IOC_TYPE, 0x0b)
#define PNIC_IOC_CTR_CREATE	_IO(PNIC_IOC_TYPE, 0x0c)
#define PNIC_IOC_CTR_DESTROY	_IO(PNIC_IOC_TYPE, 0x0d)
#define PNIC_IOC_CTR_BIND	_IO(PNIC_IOC_TYPE, 0x0e)
#define PNIC_IOC_RECV_CANCEL	_IO(PNIC_IOC_TYPE, 0x0f)
#define PNIC_IOC_MR_REG_DMABUF	_IO(PNIC_IOC_TYPE, 0x10)
#define PNIC_IOC_MR_STALE	_IO(PNIC_IOC_TYPE, 0x11)

/**
 * struct pnic_ioc_info - PNIC_IOC_INFO: what the device is; needs no context
 * @size: In. sizeof(struct pnic_ioc_info)
 * @flags: In. Must be 0
 * @abi_major: Out. PNIC_ABI_MAJOR of the kernel
 * @abi_minor: Out. PNIC_ABI_MINOR of the kernel
 * @features: Out. PNIC_FEAT_*
 * @hw_version: Out. of the card: major in bits 31:16, minor in 15:0
 * @nic_addr: Out. fabric address of this NIC, 24 bits
 * @max_ep: Out. endpoints
 * @max_cq: Out. completion queues
 * @max_mr: Out. regions
 * @max_cq_entries: Out. entries of one completion queue
 * @max_sq_slots: Out. 64-byte slots of one send ring
 * @max_rq_entries: Out. entries of one receive ring
 * @max_sge: Out. buffers of one descriptor
 * @max_inline: Out. bytes of inline payload
 * @max_msg_size: Out. bytes of one transfer
 * @epoch: Out. counts resets, see struct pnic_status_page
 * @guid: Out. of the card
 * @status_offset: Out. mmap() offset of the status page (read only, one page)
 * @lanes_data: Out. lanes of the full width
 * @lanes_spare: Out. spare lanes
 * @lane_kbps: Out. payload rate that one lane adds, kb/s
 * @rsvd: Out. 0
 * @serial: Out. the card's serial number, NUL terminated
 * @pci: Out. PCI name, e.g. "0000:01:00.0", NUL terminated
 * @max_srq: Out. shared receive queues, 0 without PNIC_FEAT_SRQ
 * @max_ctr: Out. counters, 0 without PNIC_FEAT_COUNTER
 */
struct pnic_ioc_info {
	__u32	size;
	__u32	flags;
	__u32	abi_major;
	__u32	abi_minor;
	__u64	features;
	__u32	hw_version;
	__u32	nic_addr;
	__u32	max_ep;
	__u32	max_cq;
	__u32	max_mr;
	__u32	max_cq_entries;
	__u32	max_sq_slots;
	__u32	max_rq_entries;
	__u32	max_sge;
	__u32	max_inline;
	__u32	max_msg_size;
	__u32	epoch;
	__u64	guid;
	__u64	status_offset;
	__u32	lanes_data;
	__u32	lanes_spare;
	__u32	lane_kbps;
	__u32	rsvd;
	char	serial[32];
	char	pci[32];
	__u32	max_srq;
	__u32	max_ctr;
};

#define PNIC_FEAT_PARK		(1ULL << 0)	/* doorbells need the park check */
#define PNIC_FEAT_ATOMICS	(1ULL << 1)
#define PNIC_FEAT_LANES		(1ULL << 2)
#define PNIC_FEAT_SRQ		(1ULL << 3)	/* PNIC_IOC_SRQ_CREATE */
#define PNIC_FEAT_COUNTER	(1ULL << 4)	/* PNIC_IOC_CTR_CREATE */
#define PNIC_FEAT_SIGNAL	(1ULL << 5)	/* PNIC_OP_WRITE_SIGNAL */
#define PNIC_FEAT_QUIET		(1ULL << 6)	/* PNIC_SQF_QUIET */
#define PNIC_FEAT_CANCEL	(1ULL << 7)	/* PNIC_IOC_RECV_CANCEL */
#define PNIC_FEAT_DMABUF	(1ULL << 8)	/* PNIC_IOC_MR_REG_DMABUF */
#define PNIC_FEAT_WATCH		(1ULL << 9)	/* PNIC_MRF_WATCH */

/**
 * struct pnic_ioc_ctx_create - PNIC_IOC_CTX_CREATE: give the file its context
 * @size: In. sizeof(struct pnic_ioc_ctx_create)
 * @flags: In. Must be 0
 * @partition: In. tenant number; 0 is everybody's
 * @ctx: Out. the context's number on the card (for messages)
 * @epoch: Out. the epoch it was made in
 * @rsvd: In. Must be 0
 * @page_offset: Out. mmap() offset of the context's struct pnic_ctx_page (read only, one page)
 */
struct pnic_ioc_ctx_create {
	__u32	size;
	__u32	flags;
	__u32	partition;
	__u32	ctx;
	__u32	epoch;
	__u32	rsvd;
	__u64	page_offset;
};

/**
 * struct pnic_ctx_page - what the kernel tells a context by a load
 * @stale: counts regions with PNIC_MRF_WATCH whose memory is no longer what was registered
 * @rsvd: 0
 *
 * It changes before the call that takes the memory away (munmap, mremap, a mapping over it,
 * MADV_DONTNEED) returns. PNIC_IOC_MR_STALE says which regions.
 */
struct pnic_ctx_page {
	__u32	stale;
	__u32	rsvd[15];
};

/**
 * struct pnic_ioc_mr_reg - PNIC_IOC_MR_REG: register user memory
 * @size: In. sizeof(struct pnic_ioc_mr_reg)
 * @flags: In. PNIC_MRF_*
 * @addr: In. first byte
 * @length: In. bytes, 1..
 * @key: Out. what descriptors name the region by; can't be guessed
 * @handle: Out. for PNIC_IOC_MR_DEREG
 * @rsvd: In. Must be 0
 *
 * The pages are pinned and count against RLIMIT_MEMLOCK until deregistered. Without
 * PNIC_MRF_LOCAL_WRITE, REMOTE_WRITE and REMOTE_ATOMIC memory that is only readable will do.
 */
struct pnic_ioc_mr_reg {
	__u32	size;
	__u32	flags;
	__u64	addr;
	__u64	length;
	__u64	key;
	__u32	handle;
	__u32	rsvd;
};

#define PNIC_MRF_LOCAL_WRITE	(1U << 1)
#define PNIC_MRF_REMOTE_READ	(1U << 2)
#define PNIC_MRF_REMOTE_WRITE	(1U << 3)
#define PNIC_MRF_REMOTE_ATOMIC	(1U << 4)
#define PNIC_MRF_WATCH		(1U << 5)	/* no right: tell when stale, see pnic_ctx_page */

/**
 * struct pnic_ioc_mr_reg_dmabuf - PNIC_IOC_MR_REG_DMABUF: register a piece of a dma-buf
 * @size: In. sizeof(struct pnic_ioc_mr_reg_dmabuf)
 * @flags: In. PNIC_MRF_* but PNIC_MRF_WATCH
 * @fd: In. the buffer; it may be closed afterwards
 * @handle: Out. for PNIC_IOC_MR_DEREG
 * @offset: In. of the first byte in the buffer
 * @length: In. bytes, 1..
 * @addr: In. by which address accesses name the first byte; lies in its page as @offset does
 * @key: Out. what descriptors name the region by
 *
 * Nothing is pinned: the owner of the buffer may move it. Transfers that meet a region while it is
 * being moved end with PNIC_ST_LOCAL_MOVED or PNIC_ST_REMOTE_MOVED, and of what they were to
 * write any part may have been written; they can be repeated. EINVAL besides: no dma-buf, or
 * not so large. EPERM: the buffer was opened read only, and a right to write is asked for. EBUSY,
 * EFAULT or another error: its owner cannot tell now where it is.
 */
struct pnic_ioc_mr_reg_dmabuf {
	__u32	size;
	__u32	flags;
	__s32	fd;
	__u32	handle;
	__u64	offset;
	__u64	length;
	__u64	addr;
	__u64	key;
};

/**
 * struct pnic_ioc_mr_stale - PNIC_IOC_MR_STALE: which regions are stale
 * @size: In. sizeof(struct pnic_ioc_mr_stale)
 * @flags: In. Must be 0
 * @count: Out. how many of @handles; each region is told once
 * @stale: Out. struct pnic_ctx_page.stale, as of this answer
 * @handles: Out.
 *
 * A stale region stays registered, with the memory that it had, until it is deregistered.
 */
struct pnic_ioc_mr_stale {
	__u32	size;
	__u32	flags;
	__u32	count;
	__u32	stale;
	__u32	handles[16];
};

/**
 * struct pnic_ioc_handle - MR_DEREG, CQ_DESTROY, EP_DESTROY, EP_RESET, SRQ_DESTROY, CTR_DESTROY
 * @size: In. sizeof(struct pnic_ioc_handle)
 * @flags: In. Must be 0
 * @handle: In. the object
 * @rsvd: In. Must be 0
 *
 * When MR_DEREG returns the card no longer touches the memory. EP_RESET restarts an endpoint
 * that stopped: both rings are empty then, indices 0; what was in them has completed
 * as PNIC_ST_FLUSHED before. With a completion queue or a shared receive queue that is dead it is
 * ENOTRECOVERABLE, and nothing has changed: such an endpoint can only be destroyed.
 */
struct pnic_ioc_handle {
	__u32	size;
	__u32	flags;
	__u32	handle;
	__u32	rsvd;
};

/**
 * struct pnic_ioc_cq_create - PNIC_IOC_CQ_CREATE
 * @size: In. sizeof(struct pnic_ioc_cq_create)
 * @flags: In. Must be 0
 * @entries: In. at least so many; Out. what it got (a power of two)
 * @eventfd: In. signalled when an armed queue gets an entry, -1: none (then the
 *	file's poll() and read() tell it, PNIC_EVT_CQ)
 * @user_data: In. given back in PNIC_EVT_CQ
 * @handle: Out.
 * @cqn: Out. number on the card
 * @ring_offset: Out. mmap() offset of the ring (read/write, shared)
 * @ring_length: Out. bytes to map
 * @db_offset: Out. mmap() offset of the doorbell page (read/write, shared)
 * @wake_offset: Out. mmap() offset of the wake page (write, shared)
 * @db_slot: Out. slot of this queue in the doorbell page
 * @rsvd: In. Must be 0
 */
struct pnic_ioc_cq_create {
	__u32	size;
	__u32	flags;
	__u32	entries;
	__s32	eventfd;
	__u64	user_data;
	__u32	handle;
	__u32	cqn;
	__u64	ring_offset;
	__u64	ring_length;
	__u64	db_offset;
	__u64	wake_offset;
	__u32	db_slot;
	__u32	rsvd;
};

/**
 * struct pnic_ioc_ep_create - PNIC_IOC_EP_CREATE
 * @size: In. sizeof(struct pnic_ioc_ep_create)
 * @flags: In. PNIC_EP_STOP_ON_ERROR or 0
 * @sq_slots: In. at least so many 64-byte slots; Out. what it got (a power of two)
 * @rq_entries: In. at least so many, 0: no receive ring; Out. what it got
 * @send_cq: In. handle of the queue for send completions
 * @recv_cq: In. handle of the queue for receive completions
 * @rnr_timeout_us: In. how long a send waits for a receive buffer at the far end, us; 0: not at all
 * @handle: Out.
 * @epn: Out. endpoint number on the card: with nic_addr the address to send to
 * @sq_slot: Out. slot of the send ring in the doorbell page
 * @rq_slot: Out. slot of the receive ring
 * @rsvd: In. Must be 0
 * @user_data: In. given back in PNIC_EVT_EP_ERROR
 * @sq_offset: Out. mmap() offset of the send ring (read/write, shared)
 * @sq_length: Out. bytes to map
 * @rq_offset: Out. mmap() offset of the receive ring, 0 if there is none
 * @rq_length: Out. bytes to map
 * @db_offset: Out. mmap() offset of the doorbell page
 * @wake_offset: Out. mmap() offset of the wake page
 * @srq: In. handle of the shared queue that it receives from, 0: none; then @rq_entries is 0
 * @rsvd2: In. Must be 0
 */
struct pnic_ioc_ep_create {
	__u32	size;
	__u32	flags;
	__u32	sq_slots;
	__u32	rq_entries;
	__u32	send_cq;
	__u32	recv_cq;
	__u32	rnr_timeout_us;
	__u32	handle;
	__u32	epn;
	__u32	sq_slot;
	__u32	rq_slot;
	__u32	rsvd;
	__u64	user_data;
	__u64	sq_offset;
	__u64	sq_length;
	__u64	rq_offset;
	__u64	rq_length;
	__u64	db_offset;
	__u64	wake_offset;
	__u32	srq;
	__u32	rsvd2;
};

#define PNIC_EP_STOP_ON_ERROR	(1U << 0)	/* the first failed transfer stops the send ring */

/**
 * struct pnic_ioc_srq_create - PNIC_IOC_SRQ_CREATE: a receive queue that endpoints share
 * @size: In. sizeof(struct pnic_ioc_srq_create)
 * @flags: In. Must be 0
 * @entries: In. at least so many; Out. what it got (a power of two)
 * @handle: Out.
 * @srqn: Out. number on the card
 * @db_slot: Out. slot of this queue in the doorbell page: the producer index goes there
 * @ring_offset: Out. mmap() offset of the ring of struct pnic_rqe (read/write, shared)
 * @ring_length: Out. bytes to map
 * @db_offset: Out. mmap() offset of the doorbell page
 * @wake_offset: Out. mmap() offset of the wake page
 */
struct pnic_ioc_srq_create {
	__u32	size;
	__u32	flags;
	__u32	entries;
	__u32	handle;
	__u32	srqn;
	__u32	db_slot;
	__u64	ring_offset;
	__u64	ring_length;
	__u64	db_offset;
	__u64	wake_offset;
};

/**
 * struct pnic_ioc_ctr_create - PNIC_IOC_CTR_CREATE: a completion counter
 * @size: In. sizeof(struct pnic_ioc_ctr_create)
 * @flags: In. Must be 0
 * @eventfd: In. signalled when the armed counter reaches its threshold, -1: none
 * @handle: Out.
 * @ctrn: Out. number on the card
 * @db_slot: Out. slot of this counter in the doorbell page: arming goes there
 * @mem_offset: Out. mmap() offset of the page that begins with its struct pnic_ctr_mem
 * @mem_length: Out. bytes to map
 * @db_offset: Out. mmap() offset of the doorbell page
 * @wake_offset: Out. mmap() offset of the wake page
 */
struct pnic_ioc_ctr_create {
	__u32	size;
	__u32	flags;
	__s32	eventfd;
	__u32	handle;
	__u32	ctrn;
	__u32	db_slot;
	__u64	mem_offset;
	__u64	mem_length;
	__u64	db_offset;
	__u64	wake_offset;
};

/**
 * struct pnic_ioc_ctr_bind - PNIC_IOC_CTR_BIND: which counter counts what of an endpoint
 * @size: In. sizeof(struct pnic_ioc_ctr_bind)
 * @flags: In. Must be 0
 * @ep: In. handle of the endpoint
 * @ctr: In. handle of the counter, 0: none any more
 * @kinds: In. PNIC_CTR_*, not 0: these are counted there from now on, and nowhere else
 * @rsvd: In. Must be 0
 */
struct pnic_ioc_ctr_bind {
	__u32	size;
	__u32	flags;
	__u32	ep;
	__u32	ctr;
	__u32	kinds;
	__u32	rsvd;
};

/**
 * struct pnic_ioc_recv_cancel - PNIC_IOC_RECV_CANCEL: take a posted receive entry back
 * @size: In. sizeof(struct pnic_ioc_recv_cancel)
 * @flags: In. Must be 0
 * @handle: In. endpoint with a ring of its own, or shared receive queue
 * @index: In. of the entry, free running
 *
 * 0: the entry is not used and has no completion. ENOENT: no such handle; or a message has taken
 * the entry, it has been cancelled, or is not there.
 */
struct pnic_ioc_recv_cancel {
	__u32	size;
	__u32	flags;
	__u32	handle;
	__u32	index;
};

/**
 * struct pnic_ioc_link_info - PNIC_IOC_LINK_INFO; needs no context
 * @size: In. sizeof(struct pnic_ioc_link_info)
 * @flags: In. Must be 0
 * @state: Out. 0 down, 1 up, 2 switched off
 * @width_tx: Out. lanes that carry data, this NIC to the far end
 * @width_rx: Out. and back
 * @width_max: Out. lanes of the full width
 * @spares_rx: Out. working receive lanes in no map
 * @failed_rx: Out. receive lanes that don't work
 * @margin: Out. more receive lanes that can die with every codeword still corrected
 * @margin_erasure: Out. the same if each is known to be dead
 * @margin_min: Out. smallest margin since the driver was loaded
 * @gen_rx: Out. generation of the receive map
 * @gen_tx: Out. generation of the transmit map
 * @rate_tx_mbps: Out. payload rate, Mb/s
 * @rate_rx_mbps: Out.
 * @remaps: Out. map changes of both directions since the driver was loaded
 * @link_downs: Out. since the driver was loaded
 * @rsvd: Out. 0
 */
struct pnic_ioc_link_info {
	__u32	size;
	__u32	flags;
	__u32	state;
	__u32	width_tx;
	__u32	width_rx;
	__u32	width_max;
	__u32	spares_rx;
	__u32	failed_rx;
	__u32	margin;
	__u32	margin_erasure;
	__u32	margin_min;
	__u32	gen_rx;
	__u32	gen_tx;
	__u32	rate_tx_mbps;
	__u32	rate_rx_mbps;
	__u32	remaps;
	__u32	link_downs;
	__u32	rsvd;
};

/**
 * struct pnic_event - what read() of the file gives, one or more whole records
 * @type: PNIC_EVT_*
 * @code: CQ_ERROR, EP_ERROR: enum pnic_cqe_status; LINK: state; RATE: width in lanes
 * @user_data: of the queue or endpoint
 * @data: RATE, LINK: payload rate, Mb/s; OVERRUN: records lost; RESET: the new epoch
 *
 * poll() gives EPOLLIN when a record is there, EPOLLERR when the context is dead, EPOLLHUP when
 * the device is gone; read() gives EIO or ENODEV then, once the last record was read. Eventfds
 * of a context that dies are signalled. CQ records of one queue coalesce.
 * The bounded queue never drops silently: PNIC_EVT_OVERRUN says how many are missing.
 * read() with a buffer shorter than one record: EINVAL; nothing there: EAGAIN with O_NONBLOCK.
 */
struct pnic_event {
	__u32	type;
	__u32	code;
	__u64	user_data;
	__u64	data;
};

#define PNIC_EVT_CQ		1	/* an armed queue has an entry */
#define PNIC_EVT_CQ_ERROR	2	/* queue overrun: it is dead */
#define PNIC_EVT_EP_ERROR	3	/* endpoint stopped */
#define PNIC_EVT_RATE		4	/* the transmit rate changed */
#define PNIC_EVT_LINK		5	/* the link went up or down */
#define PNIC_EVT_RESET		6	/* the card was reset or failed: this context is dead */
#define PNIC_EVT_GONE		7	/* the device is gone */
#define PNIC_EVT_OVERRUN	8	/* records were lost before this one */

#endif /* _UAPI_LINUX_PNIC_H */
