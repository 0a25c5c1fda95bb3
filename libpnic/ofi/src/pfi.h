/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * libpnic-fi: the libfabric provider "pnic". Its objects, and which file does what to them.
 *
 *	fabric.c	entry, fabric, knobs		ep.c	endpoints: life, options, names
 *	info.c		fi_getinfo()			progress.c	what moves: ends, messages, what had to wait
 *	domain.c	domains				peer.c	the other ends; messages that wait for room
 *	mr.c		regions				msg.c	fi_send, fi_tsend ...: eager, rendezvous
 *	mrcache.c	registrations of memory that	recv.c	fi_recv, fi_trecv ..., peek, claim, cancel
 *			isn't registered by the user	xfer.c	reads and writes of lists of memory
 *	av.c		address vectors			rma.c	fi_read, fi_write ...
 *	cq.c cntr.c eq.c wait.c				atomic.c	fi_atomic ...; atomic_op.c	their arithmetic
 *	name.c		addresses as programs have them
 *	match.c		tags				rails.c	the calls of libpnic's rails
 *	auto.c		FI_PROGRESS_AUTO
 *
 * Locks. An endpoint with its peers and all that is under way on it has one (ep->lock), which every call on it takes; a CQ,
 * a counter, an AV and a domain have their own, which are taken after it and held for moments. The list of a CQ's
 * or counter's endpoints has one that is taken before an endpoint's. With FI_THREAD_DOMAIN all of them are none.
 */
#ifndef PFI_H
#define PFI_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include <rdma/fabric.h>
#include <rdma/fi_atomic.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_eq.h>
#include <rdma/fi_errno.h>
#include <rdma/fi_rma.h>
#include <rdma/fi_tagged.h>
#include <rdma/providers/fi_log.h>
#include <rdma/providers/fi_prov.h>

#include <pnic.h>
#include <pnic_rails.h>

#include "list.h"
#include "map.h"
#include "match.h"
#include "name.h"
#include "wire.h"

#define PFI_NAME	"pnic"
#define PFI_FORMAT	0x80706e69u	/* addr_format: FI_PROV_SPECIFIC and "pni" */
#define PFI_PROTO	0x80706e69u
#define PFI_IOV		4		/* buffers of one operation, each end */
#define PFI_INJECT	256u		/* bytes of an inject */
#define PFI_RX_SIZE	65536u		/* receives posted */
#define PFI_ATOMIC_BYTES	1024u	/* operands of one atomic operation */
#define PFI_NOBODY	FI_ADDR_NOTAVAIL

extern struct fi_provider pfi_prov;

#define pfi_warn(subsys, ...)	FI_WARN(&pfi_prov, FI_LOG_##subsys, __VA_ARGS__)
#define pfi_once(subsys, ...)	FI_WARN_ONCE(&pfi_prov, FI_LOG_##subsys, __VA_ARGS__)
#define pfi_info(subsys, ...)	FI_INFO(&pfi_prov, FI_LOG_##subsys, __VA_ARGS__)

#define pfi_min(a, b)	((a) < (b) ? (a) : (b))

/* --- knobs (fabric.c; Documentation/ofi.rst) ---------------------------------------------------- */

struct pfi_knobs {
	char *device;		/* cards; NULL: all */
	size_t eager;		/* messages up to this are sent with their bytes */
	size_t window;		/* bytes of eager messages that one peer may have here that nobody received */
	size_t tx_size;		/* operations under way of an endpoint */
	size_t rx_buffers;	/* receive buffers of the library, for each rail */
	size_t cache;		/* registrations kept; 0: none */
	int spin_us;		/* before a blocking call sleeps */
	size_t yield;		/* looks at nothing before others get the processor; 0: never */
	int fail_ms;		/* until a transfer that finds no way has failed */
};

extern struct pfi_knobs pfi_knobs;
void pfi_knobs_init(void);

/* --- locks -------------------------------------------------------------------------------------- */

struct pfi_lock {
	pthread_mutex_t mutex;
	bool off;
};

static inline void pfi_lock_init(struct pfi_lock *l, bool off)
{
	pthread_mutex_init(&l->mutex, NULL);
	l->off = off;
}

static inline void pfi_lock_fini(struct pfi_lock *l)
{
	pthread_mutex_destroy(&l->mutex);
}

static inline void pfi_lock(struct pfi_lock *l)
{
	if (!l->off)
		pthread_mutex_lock(&l->mutex);
}

static inline bool pfi_trylock(struct pfi_lock *l)
{
	return l->off || !pthread_mutex_trylock(&l->mutex);
}

static inline void pfi_unlock(struct pfi_lock *l)
{
	if (!l->off)
		pthread_mutex_unlock(&l->mutex);
}

/* --- fabric, domain, memory --------------------------------------------------------------------- */

struct pfi_fabric {
	struct fid_fabric fid;
	uint32_t refs;
};

struct pfi_mrc;

struct pfi_domain {
	struct fid_domain fid;
	struct pfi_fabric *fabric;
	struct pnic_rails *rails;
	struct pfi_mrc *mrc;
	uint32_t refs;
	bool unlocked;			/* FI_THREAD_DOMAIN: the program locks */
	bool auto_progress;		/* FI_PROGRESS_AUTO: endpoints have a thread, and so locks */
	bool virt_addr;			/* FI_MR_VIRT_ADDR: RMA names bytes by address, else by offset */
	bool prov_key;
	struct pfi_lock lock;		/* mrs */
	struct pfi_map mrs;		/* by key */
	pthread_mutex_t atomics;	/* what peers have done to this process's memory */
};

struct pfi_mr {
	struct fid_mr fid;
	struct pfi_domain *domain;
	struct pnic_rails_mr *rails;	/* NULL: no bytes */
	uint64_t access;		/* FI_* */
	uint64_t base;			/* what its first byte is called */
	uint64_t length;
	char *mem;			/* its first byte as this process reaches it; what the program calls it if it can't */
	/* Of a dma-buf: */
	bool dma;
	char *user;			/* what the program calls its first byte */
	void *map;			/* NULL: it can't be mapped, so only cards get at the bytes */
	size_t map_len;
	int fd;				/* with map */
};

/** pfi_mr_here - @iov as this process and its cards name it: bytes of dma-bufs are elsewhere. -FI_EINVAL: not in the region */
int pfi_mr_here(struct iovec *to, const struct iovec *iov, void *const *desc, size_t n);
/** pfi_mr_blind - a dma-buf that can't be mapped is among them */
bool pfi_mr_blind(void *const *desc, size_t n);

/** pfi_mr_find - bytes [@addr, +@len) of the region @key for @access: 0 and where they are, else a positive errno */
int pfi_mr_find(struct pfi_domain *dom, uint64_t key, uint64_t addr, uint64_t len, uint64_t access, void **mem);
/** pfi_mr_answer - a peer asks for the key of a region; 0 or a positive errno */
int pfi_mr_answer(struct pfi_domain *dom, uint64_t key, struct wire_key *out);
extern struct fi_ops_mr pfi_mr_ops;

/* A hold on registered memory for one operation: the user's region, or the cache's. */
struct pfi_hold {
	struct pnic_rails_mr *mr;	/* NULL: none */
	struct pnic_rails_mrc *cache;	/* whose it is; NULL: registered for this once, or the user's */
	bool once;
};

int pfi_mrc_create(struct pfi_domain *dom);
void pfi_mrc_destroy(struct pfi_domain *dom);
/**
 * pfi_mrc_hold - @desc's region if it has the bytes, else one from the cache
 * @need: PNIC_MRF_LOCAL_WRITE: the card writes to it; PNIC_MRF_REMOTE_READ: the peer's card reads it; 0: ours reads it
 *
 * Negative errno. Memory of devices has no other region than the program's.
 */
int pfi_mrc_hold(struct pfi_domain *dom, const void *buf, size_t len, void *desc, uint32_t need, struct pfi_hold *hold);
void pfi_mrc_release(struct pfi_hold *hold);

int pfi_domain_open(struct fid_fabric *fabric, struct fi_info *info, struct fid_domain **dom, void *context);

/* --- addresses ---------------------------------------------------------------------------------- */

struct pfi_av {
	struct fid_av fid;
	struct pfi_domain *domain;
	struct pfi_lock lock;
	uint32_t refs;
	struct pnic_rails_addr *addr;	/* by fi_addr_t; .id 0: removed */
	size_t count, room;
	struct pfi_map by_id;		/* the first of an address: fi_addr_t + 1 */
	uint32_t gen;			/* changes with every change */
};

int pfi_av_open(struct fid_domain *dom, struct fi_av_attr *attr, struct fid_av **av, void *context);
/** pfi_av_get - address @fi. -FI_EINVAL if it isn't one */
int pfi_av_get(struct pfi_av *av, fi_addr_t fi, struct pnic_rails_addr *addr);
/** pfi_av_find - the fi_addr_t of the endpoint @id, or PFI_NOBODY */
fi_addr_t pfi_av_find(struct pfi_av *av, uint64_t id);

/* --- events ------------------------------------------------------------------------------------- */

/* The endpoints that a CQ or counter looks after when it is read, and the wait object. */
struct pfi_watch {
	struct pfi_lock lock;
	struct pfi_ep **ep;
	uint32_t count, room;
	int epoll;			/* -1: no wait object */
	int wake;			/* eventfd: signalled by others in this process */
	uint32_t armed;			/* somebody sleeps, or may */
};

/** pfi_give_way - a thread looked and found nothing: true if others may have run meanwhile, so that it should look again */
bool pfi_give_way(void);

int pfi_watch_init(struct pfi_watch *w, bool unlocked, bool fd);
void pfi_watch_fini(struct pfi_watch *w);
int pfi_watch_add(struct pfi_watch *w, struct pfi_ep *ep);
void pfi_watch_del(struct pfi_watch *w, struct pfi_ep *ep);
/** pfi_watch_progress - all of its endpoints */
void pfi_watch_progress(struct pfi_watch *w);
void pfi_watch_signal(struct pfi_watch *w);
/** pfi_watch_arm - 0: sleep on the descriptor; 1: there is something to do */
int pfi_watch_arm(struct pfi_watch *w);
/** pfi_watch_sleep - armed before: until something happens, at most @timeout_ms (-1: for ever). May end early */
void pfi_watch_sleep(struct pfi_watch *w, int timeout_ms);
int pfi_watch_control(struct pfi_watch *w, enum fi_wait_obj obj, int command, void *arg);

uint64_t pfi_now_us(void);

struct pfi_cqe {
	struct fi_cq_tagged_entry e;
	fi_addr_t src;
	struct fi_cq_err_entry *err;	/* NULL: success */
};

struct pfi_cq {
	struct fid_cq fid;
	struct pfi_domain *domain;
	struct pfi_watch watch;
	struct pfi_lock lock;		/* ring */
	struct pfi_cqe *ring;
	uint32_t head, tail, mask;	/* free running; grows, never overruns */
	enum fi_cq_format format;
	enum fi_wait_obj wait_obj;
	uint32_t refs;
	uint32_t signalled;		/* fi_cq_signal() */
	struct fi_cq_err_entry *last_err;	/* whose err_data a program may still look at */
};

int pfi_cq_open(struct fid_domain *dom, struct fi_cq_attr *attr, struct fid_cq **cq, void *context);
void pfi_cq_ok(struct pfi_cq *cq, void *context, uint64_t flags, size_t len, void *buf, uint64_t data, uint64_t tag,
	       fi_addr_t src);
/** pfi_cq_fail - @err a positive fi_errno, @prov_errno a status of libpnic's or 0; @text: what happened, or NULL */
void pfi_cq_fail(struct pfi_cq *cq, void *context, uint64_t flags, size_t len, void *buf, uint64_t data, uint64_t tag,
		 size_t olen, int err, int prov_errno, fi_addr_t src, const char *text);

struct pfi_cntr {
	struct fid_cntr fid;
	struct pfi_domain *domain;
	struct pfi_watch watch;
	uint64_t value, errors;		/* atomic */
	uint64_t seen, seen_errors;	/* atomic: what the program knows of them */
	bool bytes;
	enum fi_wait_obj wait_obj;
	uint32_t refs;
};

int pfi_cntr_open(struct fid_domain *dom, struct fi_cntr_attr *attr, struct fid_cntr **cntr, void *context);
void pfi_cntr_count(struct pfi_cntr *c, size_t len, bool failed);
/** pfi_cntr_news - it isn't what the program was told last */
bool pfi_cntr_news(struct pfi_cntr *c);

int pfi_eq_open(struct fid_fabric *fabric, struct fi_eq_attr *attr, struct fid_eq **eq, void *context);
int pfi_trywait(struct fid_fabric *fabric, struct fid **fids, int count);

/* --- endpoints ---------------------------------------------------------------------------------- */

/* Which counter an operation is for. */
enum pfi_count {
	PFI_COUNT_SEND, PFI_COUNT_RECV, PFI_COUNT_READ, PFI_COUNT_WRITE, PFI_COUNT_REMOTE_WRITE,
	PFI_COUNTS
};

/* Far memory of an operation. */
struct pfi_remote {
	uint64_t addr;
	uint64_t len;
	const struct pnic_rails_key *key;
};

/* Memory here and memory there, moved piece by piece: see xfer.c. */
struct pfi_xfer {
	struct iovec iov[PFI_IOV];
	struct pfi_hold hold[PFI_IOV];
	struct pfi_remote remote[PFI_IOV];
	uint8_t iovs, remotes, li, ri;	/* li, ri: where it stands */
	bool write, imm, copy;		/* copy: the bytes are taken when it is posted */
	uint32_t data;			/* with imm */
	size_t lo, ro;
	uint32_t pieces;		/* under way */
	int err;			/* the first error, positive */
	uint8_t status;			/* libpnic's word for it */
	char *why;			/* a line about it, or NULL */
	struct pfi_peer *peer;
	void (*done)(struct pfi_ep *ep, struct pfi_xfer *x);
	struct pfi_link work;		/* in ep->xfers: not all posted yet */
};

enum pfi_tx_kind {
	PFI_TX_FREE,
	PFI_TX_MSG,
	PFI_TX_RMA,
	PFI_TX_ATOMIC,
};

/* An operation of the send side. */
struct pfi_tx {
	struct pfi_link node;		/* free, or of its peer */
	struct pfi_link queue;		/* peer->waiting, or ep->streams */
	uint32_t number;		/* in messages: slot and use count */
	uint8_t kind;
	uint8_t count;			/* enum pfi_count */
	bool report;			/* a completion is wanted */
	bool reply;			/* a message of the peer must come */
	bool own_buf;			/* iov[0] was allocated for it */
	bool started;			/* RMA, atomics: not in peer->waiting any more */
	bool fenced;			/* begins when all that was posted before it to its peer is over (FI_FENCE) */
	uint8_t class;			/* RMA, atomics: enum pfi_class */
	bool retried;
	uint32_t ends;			/* of transfers that must come */
	struct pfi_peer *peer;
	void *context;
	uint64_t flags;			/* of the completion */
	size_t len;
	uint64_t tag;
	int err;
	uint8_t status;
	char *why;
	struct iovec user[PFI_IOV];	/* reads by way of inl */
	uint8_t users;
	struct pnic_rails_mr *inl_mr;	/* of inl */
	uint64_t rkey[PFI_IOV], raddr[PFI_IOV];	/* RMA: what xfer.remote[] is made of */
	struct pnic_rails_key key[PFI_IOV];	/* RMA: what rkey[] was for the peer when it began */
	bool imm;
	uint64_t rx;			/* stream: the receive there */
	size_t sent, want;		/* stream */
	struct pfi_xfer xfer;		/* MSG: .iov and .hold; RMA: all; ATOMIC: .iov is where results go */
	char *msg;			/* ATOMIC: the request */
	uint32_t msg_len;
	char inl[PFI_INJECT];
};

/* What may not overtake what, with FI_ORDER_RAW ...: the next begins when those of another class are over. */
enum pfi_class {
	PFI_CLASS_READ, PFI_CLASS_WRITE, PFI_CLASS_ATOMIC,
	PFI_CLASSES
};

/* A receive. */
struct pfi_rx {
	struct match_rx match;
	struct pfi_link node;		/* free */
	uint32_t number, generation;
	bool used, tagged, multi, report, streaming;
	bool want_data;			/* the message has CQ data */
	struct pfi_rx *parent;		/* a message of a multi-receive: its buffer's */
	uint32_t children;		/* multi: messages under way into it */
	bool retired;			/* multi: takes no more */
	void *context;
	size_t len, filled;		/* of the buffers; multi: used */
	struct pfi_peer *peer;		/* of the message */
	uint64_t msg_len, msg_tag;
	uint32_t msg_data, msg_tx;
	uint64_t got, want;		/* DATA: bytes that came, and all */
	fi_addr_t src;
	void *desc[PFI_IOV];
	struct pfi_xfer xfer;		/* .iov are the buffers */
	struct pnic_rails_key key[PFI_IOV];
};

/* An unexpected message. */
struct pfi_ux {
	struct match_ux match;
	struct pfi_link claim;		/* of ep->claimed */
	void *claimer;			/* the context of the claim */
	struct pfi_peer *peer;
	struct wire_hdr hdr;
	uint64_t len;
	uint32_t bytes;			/* that follow: EAGER's, or RTS's regions */
	bool tagged;
	char data[];
};

struct pfi_peer {
	struct pfi_ep *ep;
	struct pfi_link node;
	struct pnic_rails_peer *rails;
	fi_addr_t fi;			/* PFI_NOBODY: not in the AV */
	uint32_t av_gen;
	uint64_t credit;		/* bytes that we may send eagerly */
	uint64_t owed;			/* that we give back */
	struct pfi_link owing;		/* in ep->owing */
	struct pfi_link out;		/* messages that found no room, in order */
	struct pfi_link blocked;	/* in ep->blocked: out or waiting isn't empty */
	struct pfi_link txs;		/* its operations, as they were posted */
	struct pfi_link waiting;	/* RMA and atomics that may not begin yet, in order */
	uint32_t busy[PFI_CLASSES];	/* under way */
	uint32_t fences;		/* fenced operations that wait */
	bool running, failing;		/* pfi_rma_run(), pfi_peer_fail() are at it */
	bool lost;			/* messages to it were, and it hasn't been told */
	bool heard;			/* something came since it was last asked */
	bool awaited;			/* a receive takes messages of it only: as of the last look */
	uint32_t streams;		/* receives that wait for its DATA */
	size_t eager;			/* bytes that both ends take */
	struct pfi_map keys;		/* struct pfi_key */
};

/* A region of a peer, as it answered. Neither asked nor known: who needs it asks. */
struct pfi_key {
	bool asked, known;
	int err;			/* its answer, positive */
	struct wire_key wire;
};

struct pfi_ep {
	struct fid_ep fid;
	struct pfi_domain *domain;
	struct pfi_lock lock;
	struct pnic_rails_ep *rails;
	struct pnic_rails_addr addr;
	struct name name;		/* the same for programs */
	struct pfi_av *av;
	struct pfi_cq *tx_cq, *rx_cq;
	bool tx_selective, rx_selective;
	struct pfi_cntr *cntr[PFI_COUNTS];
	bool enabled, ordered, fencing;
	uint64_t tx_flags, rx_flags;	/* default op_flags */
	uint64_t caps;
	size_t eager;			/* bytes */
	size_t min_multi;
	uint64_t window;

	struct pfi_map by_fi;		/* peers */

	struct pfi_tx **tx;		/* by slot; in blocks */
	uint32_t txs, tx_room;
	struct pfi_link tx_free;
	struct pfi_rx **rx;
	uint32_t rxs, rx_posted, rx_room;
	struct pfi_link rx_free;

	struct match msg, tagged;
	struct pfi_link claimed;
	uint64_t strangers;		/* unexpected messages whose source isn't in the AV */
	uint32_t av_gen;

	struct pfi_link xfers;		/* not all posted */
	struct pfi_link streams;	/* DATA to be sent */
	struct pfi_link blocked;	/* peers */
	struct pfi_link owing;		/* peers to be given credit */
	char *scratch;			/* eager bytes of several buffers */
	struct pfi_link peers;
	uint32_t turns;			/* of progress */
	uint64_t probe_us;
	pthread_t auto_thread;		/* auto.c */
	int auto_stop;			/* eventfd */
	bool auto_runs;
	void **blocks;			/* memory of the pools */
	uint32_t n_blocks;
	struct pnic_rails_mr **block_mr;
	struct {
		uint64_t eager, rndv, stream, unexpected, reads, writes, atomics;
	} stat;
};

int pfi_ep_open(struct fid_domain *dom, struct fi_info *info, struct fid_ep **ep, void *context);
extern struct fi_ops_msg pfi_msg_ops;
extern struct fi_ops_tagged pfi_tagged_ops;
extern struct fi_ops_rma pfi_rma_ops;
extern struct fi_ops_atomic pfi_atomic_ops;

/* rails.c: all calls of the rails that move something. -EAGAIN: no room now. */
#define PFI_COOKIE_KIND	3ull		/* low bits of a cookie: what it points to */
#define PFI_COOKIE_NONE	0ull		/* nobody waits, errors are the peer's */
#define PFI_COOKIE_TX	1ull		/* struct pfi_tx: a message of it has left */
#define PFI_COOKIE_XFER	2ull		/* struct pfi_xfer */
int pfi_rails_open(const char *domain, struct pnic_rails **rails);
int pfi_rails_ep(struct pfi_ep *ep);
int pfi_rails_send(struct pfi_peer *p, const void *hdr, uint32_t hdr_len, const void *buf, size_t len, uint64_t cookie);
int pfi_rails_piece(struct pfi_peer *p, struct pfi_xfer *x, void *mem, size_t len, struct pnic_rails_mr *mr, uint64_t raddr,
		    const struct pnic_rails_key *key, bool imm);
/** pfi_status_errno - a status of a transfer as a positive fi_errno */
int pfi_status_errno(unsigned int status);

/* progress.c; all with ep->lock */
void pfi_progress(struct pfi_ep *ep);
void pfi_progress_unlocked(struct pfi_ep *ep);	/* takes it, or leaves it to who has it */

/* auto.c: the thread of an enabled endpoint */
int pfi_auto_start(struct pfi_ep *ep);
void pfi_auto_stop(struct pfi_ep *ep);	/* returns when it has ended; nothing if there is none */

/* peer.c */
/** pfi_peer_get - the peer @fi, made if need be. NULL and *@err: -FI_EINVAL, -FI_ENOMEM ... */
struct pfi_peer *pfi_peer_get(struct pfi_ep *ep, fi_addr_t fi, int *err);
/** pfi_peer_of - the peer that a message came from */
struct pfi_peer *pfi_peer_of(struct pfi_ep *ep, struct pnic_rails_peer *rails);
/** pfi_peer_fi - its address in the AV, or PFI_NOBODY */
fi_addr_t pfi_peer_fi(struct pfi_peer *p);
void pfi_peer_free(struct pfi_peer *p);
/** pfi_peer_say - a message of the protocol; it goes in its turn, now or later. Fails the peer if there is no memory */
void pfi_peer_say(struct pfi_peer *p, struct wire_hdr *hdr, const void *body, uint32_t len);
/** pfi_peer_ready - true if nothing waits before a new message */
bool pfi_peer_ready(struct pfi_peer *p);
/** pfi_peer_flush - send what waits; true if nothing is left */
bool pfi_peer_flush(struct pfi_peer *p);
/** pfi_peer_block - look at it again at the next progress */
void pfi_peer_block(struct pfi_peer *p);
/** pfi_peer_credit - put what it gets back into a header that goes to it */
void pfi_peer_credit(struct pfi_peer *p, struct wire_hdr *hdr);
void pfi_peer_owe(struct pfi_peer *p, size_t bytes);
/** pfi_peer_fail - all that waits for it ends with @err; @why: a line about what failed, or NULL */
void pfi_peer_fail(struct pfi_peer *p, int err, uint8_t status, const char *why);
/** pfi_peer_lost - the peer says that messages to us were lost */
void pfi_peer_lost(struct pfi_peer *p);
/** pfi_peer_tell - it spoke to us, so it can be told that messages to it were lost */
void pfi_peer_tell(struct pfi_peer *p);
/** pfi_peer_probe - now and then: are those still there whose answers are waited for? */
void pfi_peer_probe(struct pfi_ep *ep);

/* ep.c: pools */
struct pfi_tx *pfi_tx_get(struct pfi_ep *ep, struct pfi_peer *p, enum pfi_tx_kind kind);
void pfi_tx_put(struct pfi_tx *tx);
struct pfi_tx *pfi_tx_by_number(struct pfi_ep *ep, uint32_t number);
/** pfi_tx_try_end - report and free it if nothing more is to come */
void pfi_tx_try_end(struct pfi_tx *tx);
struct pfi_rx *pfi_rx_get(struct pfi_ep *ep);
void pfi_rx_put(struct pfi_ep *ep, struct pfi_rx *rx);
/** pfi_rx_name - what a peer calls it, for as long as it is what it is now */
uint64_t pfi_rx_name(const struct pfi_rx *rx);
struct pfi_rx *pfi_rx_by_name(struct pfi_ep *ep, uint64_t name);
bool pfi_wanted(bool selective, uint64_t flags);

/* xfer.c */
void pfi_xfer_start(struct pfi_peer *p, struct pfi_xfer *x);
void pfi_xfer_end(struct pfi_xfer *x, const struct pnic_rails_wc *wc);
void pfi_xfer_work(struct pfi_ep *ep);
void pfi_xfer_release(struct pfi_xfer *x);
size_t pfi_iov_len(const struct iovec *iov, size_t n);
/** pfi_iov_copy_in - @len bytes from @from into @iov at @at; how many fit */
size_t pfi_iov_copy_in(const struct iovec *iov, size_t n, size_t at, const void *from, size_t len);
size_t pfi_iov_copy_out(void *to, const struct iovec *iov, size_t n, size_t at, size_t len);

ssize_t pfi_recv(struct fid_ep *ep, void *buf, size_t len, void *desc, fi_addr_t src, void *context);
ssize_t pfi_recvv(struct fid_ep *ep, const struct iovec *iov, void **desc, size_t count, fi_addr_t src, void *context);
ssize_t pfi_recvmsg(struct fid_ep *ep, const struct fi_msg *msg, uint64_t flags);
ssize_t pfi_trecv(struct fid_ep *ep, void *buf, size_t len, void *desc, fi_addr_t src, uint64_t tag, uint64_t ignore,
		  void *context);
ssize_t pfi_trecvv(struct fid_ep *ep, const struct iovec *iov, void **desc, size_t count, fi_addr_t src, uint64_t tag,
		   uint64_t ignore, void *context);
ssize_t pfi_trecvmsg(struct fid_ep *ep, const struct fi_msg_tagged *msg, uint64_t flags);

/* msg.c, recv.c: what came; hdr is checked as far as the message is long enough for it */
void pfi_msg_cts(struct pfi_peer *p, const struct wire_hdr *hdr);
void pfi_msg_fin(struct pfi_peer *p, const struct wire_hdr *hdr);
void pfi_msg_streams(struct pfi_ep *ep);
void pfi_recv_message(struct pfi_peer *p, const struct wire_hdr *hdr, const char *body, size_t len);
void pfi_recv_data(struct pfi_peer *p, const struct wire_hdr *hdr, const char *body, size_t len);
void pfi_recv_write_imm(struct pfi_peer *p, uint32_t imm, uint64_t len);
void pfi_recv_strangers(struct pfi_ep *ep);
void pfi_recv_peer_failed(struct pfi_peer *p, int err, uint8_t status);
/** pfi_recv_await - marks the peers that receives wait for, and for nobody else */
void pfi_recv_await(struct pfi_ep *ep);
ssize_t pfi_recv_cancel(struct pfi_ep *ep, void *context);
void pfi_recv_fini(struct pfi_ep *ep);

/* rma.c */
void pfi_rma_key(struct pfi_peer *p, const struct wire_hdr *hdr, const char *body, size_t len);
void pfi_rma_key_asked(struct pfi_peer *p, const struct wire_hdr *hdr);
/** pfi_rma_keys_lost - answers that haven't come won't come: who needs such a key asks again */
void pfi_rma_keys_lost(struct pfi_peer *p);
/** pfi_rma_queue - an RMA or atomic operation begins in its turn; @fenced: when all before it are over */
void pfi_rma_queue(struct pfi_tx *tx, bool fenced);
void pfi_rma_run(struct pfi_peer *p);
void pfi_rma_over(struct pfi_tx *tx);

/* atomic.c */
bool pfi_atomic_start(struct pfi_tx *tx);
void pfi_atomic_asked(struct pfi_peer *p, const struct wire_hdr *hdr, const char *body, size_t len);
void pfi_atomic_answer(struct pfi_peer *p, const struct wire_hdr *hdr, const char *body, size_t len);
int pfi_query_atomic(struct fid_domain *dom, enum fi_datatype datatype, enum fi_op op, struct fi_atomic_attr *attr,
		     uint64_t flags);

/* atomic_op.c */
/** pfi_atomic_size - bytes of an element, 0: no such type */
size_t pfi_atomic_size(unsigned int datatype);
/** pfi_atomic_valid - there is such an operation of this kind for the type */
bool pfi_atomic_valid(unsigned int kind, unsigned int datatype, unsigned int op);
/** pfi_atomic_do - @count elements at @target; what they were goes to @old if it isn't NULL. Any alignment */
void pfi_atomic_do(unsigned int datatype, unsigned int op, void *target, const void *operand, const void *compare,
		   void *old, size_t count);

/* none.c: operations that objects of several classes refuse, with -FI_ENOSYS */
int pfi_no_bind(struct fid *fid, struct fid *bfid, uint64_t flags);
int pfi_no_control(struct fid *fid, int command, void *arg);
int pfi_no_ops_open(struct fid *fid, const char *name, uint64_t flags, void **ops, void *context);

#endif /* PFI_H */
