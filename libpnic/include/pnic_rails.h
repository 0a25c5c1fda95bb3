/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * libpnic: several NICs as one.
 *
 * Every card is a *rail*. pnic_rails_open() opens some of them (or one, or all), and what a program then uses
 * is one set: memory is registered on all rails, an endpoint set has an endpoint on each, a transfer is
 * split over the links in proportion to their rates of this moment, and when a card, a cable or a
 * far card dies, what was under way goes on over the others. A rail that comes back is used again.
 *
 *	pnic_rails_open()		the cards: a domain of memory
 *	pnic_rails_mr_reg()		memory, on each of them
 *	pnic_rails_mr_key()		what a peer needs in order to reach it
 *	pnic_rails_mrc_get()		the same for memory that comes and goes: registrations that are kept
 *	pnic_rails_ep_create()		an endpoint set
 *	pnic_rails_ep_addr()		its address, to be handed to peers
 *	pnic_rails_peer_add()		a peer, by its address
 *	pnic_rails_send() ...		transfers
 *	pnic_rails_poll()		their ends, and messages
 *
 * What is promised:
 *
 * Once. A transfer ends exactly once, with success or a named error, however many rails it was tried on. A message
 * (pnic_rails_send(), pnic_rails_write_imm()) arrives exactly once. An atomic whose card died before it answered ends with
 * PNIC_RAILS_ST_UNCERTAIN: whether it was carried out isn't known, and repeating it would be wrong.
 *
 * Order. Messages of one endpoint set to another arrive in the order they were posted. A write with immediate is
 * told of when all its bytes are there, in its turn; other writes, reads and atomics have no order among themselves or with messages:
 * PNIC_RAILS_FENCE has a transfer begin when all earlier ones to the peer are over. The bytes of one transfer become
 * visible in no order, but never half of an aligned 128-byte line before the other half of what one rail carries.
 *
 * Late. A transfer that is repeated elsewhere is never carried out once more by the rail that it was taken from: either that card said how it ended, or it
 * is gone and what it had sent was waited for. So a link that goes down takes up to the card's data age (4 s, see lanes.rst) until
 * what it held is repeated; new transfers avoid it at once.
 *
 * Twice. Whether a write with immediate had arrived when its card died, or when the link gave up, is asked of the far end before it is
 * repeated: bytes that the receiver was told of are not written again. That takes until the far end is polled. Other writes are
 * repeated without asking, and a word that a signal sets is set again: where the receiver learns of them by other ways than a
 * message, their memory is its own only when the sender was told of the end.
 *
 * An end that receives must be polled, as its library answers peers whose rails changed.
 *
 * Threads. A domain and its regions may be used by any threads at once, except pnic_rails_close(). An endpoint set with its
 * peers belongs to one thread at a time.
 *
 * struct pnic_rails_addr and struct pnic_rails_key are to be copied to peers as they stand; both ends have the same byte order.
 */
#ifndef PNIC_RAILS_H
#define PNIC_RAILS_H

#include <stdint.h>

#include <pnic.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PNIC_RAILS_MAX	8

struct pnic_rails;
struct pnic_rails_ep;

/* ------------------------------------------------------------------------- */
/* The cards                                                                 */

/**
 * struct pnic_rails_attr - of pnic_rails_open()
 * @size: sizeof(struct pnic_rails_attr)
 * @flags: 0
 * @names: of cards, as for pnic_open(); their order is the order of the rails. NULL: all that pnic_list() finds and that can be opened
 * @count: length of @names, 1..PNIC_RAILS_MAX; 0 without
 * @partition: tenant number; 0 is everybody's
 */
struct pnic_rails_attr {
	uint32_t size;
	uint32_t flags;
	const char *const *names;
	uint32_t count;
	uint32_t partition;
};

/**
 * pnic_rails_open - open the cards
 * @attr: NULL for the defaults
 *
 * Each card that @names has must open now; later it may come and go. -ENODEV none at all; errors of pnic_open(); -EINVAL; -ENOMEM.
 */
int pnic_rails_open(const struct pnic_rails_attr *attr, struct pnic_rails **rails);

/** pnic_rails_close - -EBUSY while there are endpoint sets or region caches; regions go with it. NULL is allowed */
int pnic_rails_close(struct pnic_rails *rails);

/** pnic_rails_count - how many rails there are, whatever their state; constant */
unsigned int pnic_rails_count(const struct pnic_rails *rails);

enum pnic_rail_state {
	PNIC_RAIL_UP		= 0,
	PNIC_RAIL_LINK_DOWN	= 1,	/* the card works, its link doesn't */
	PNIC_RAIL_LOST		= 2,	/* the card was reset, failed or is gone; it is opened again as soon as it can be */
};

/**
 * struct pnic_rail_stat - one rail
 * @size: sizeof(struct pnic_rail_stat)
 * @state: enum pnic_rail_state
 * @name: of the card
 * @nic: its fabric address
 * @rate_mbps: payload rate of its transmit direction now; 0 if not up
 * @width: lanes that carry data now
 * @width_max: lanes of the full width
 * @lost: how often the card was lost
 * @bytes: that transfers of all endpoint sets had sent or fetched over it, when they were over
 * @transfers: pieces of transfers that ended well on it
 * @replayed: pieces that were taken from it and repeated on another rail
 */
struct pnic_rail_stat {
	uint32_t size;
	uint32_t state;
	char name[32];
	uint32_t nic;
	uint32_t rate_mbps;
	uint32_t width;
	uint32_t width_max;
	uint64_t lost;
	uint64_t bytes;
	uint64_t transfers;
	uint64_t replayed;
};

/** pnic_rails_stat - state and figures of rail @rail; no system call. -EINVAL */
int pnic_rails_stat(struct pnic_rails *rails, unsigned int rail, struct pnic_rail_stat *stat);

/** pnic_rails_rate_mbps - of all rails together, now: a load for each */
uint32_t pnic_rails_rate_mbps(const struct pnic_rails *rails);

/** pnic_rails_ctx - the context of a rail, for what isn't here; NULL while it is lost. The domain's: don't close it */
struct pnic_ctx *pnic_rails_ctx(struct pnic_rails *rails, unsigned int rail);

enum pnic_rails_event_type {
	PNIC_RAILS_EVT_RATE	= 1,	/* @value: Mb/s */
	PNIC_RAILS_EVT_DOWN	= 2,	/* link down */
	PNIC_RAILS_EVT_UP	= 3,	/* link up; @value: Mb/s */
	PNIC_RAILS_EVT_LOST	= 4,	/* card lost */
	PNIC_RAILS_EVT_BACK	= 5,	/* card opened again */
};

/**
 * struct pnic_rails_event - what happened to a rail
 * @type: enum pnic_rails_event_type
 * @rail: which
 * @value: see there
 * @missed: events that were not kept before this one, as nobody read them
 */
struct pnic_rails_event {
	uint32_t type;
	uint32_t rail;
	uint32_t value;
	uint32_t missed;
};

/**
 * pnic_rails_read_event - take the oldest event of the domain
 *
 * Seen while some endpoint set is polled or waited for, or this is called. -EAGAIN: there is none; -EINVAL.
 */
int pnic_rails_read_event(struct pnic_rails *rails, struct pnic_rails_event *ev);

/* ------------------------------------------------------------------------- */
/* Memory                                                                    */

/**
 * struct pnic_rails_mr - memory registered on all rails; read only
 * @rails: its domain
 * @addr: first byte
 * @length: bytes
 * @access: PNIC_MRF_*
 */
struct pnic_rails_mr {
	struct pnic_rails *rails;
	void *addr;
	uint64_t length;
	uint32_t access;
	uint32_t rsvd;
};

/**
 * pnic_rails_mr_reg - as pnic_mr_reg(), on each rail
 *
 * Counts against RLIMIT_MEMLOCK once for each rail. A lost rail gets it when it is back. Errors of pnic_mr_reg(). Any thread.
 */
int pnic_rails_mr_reg(struct pnic_rails *rails, void *addr, uint64_t length, uint32_t access, struct pnic_rails_mr **mr);

/** pnic_rails_mr_reg_dmabuf - as pnic_mr_reg_dmabuf(), on each rail; a duplicate of @fd is kept */
int pnic_rails_mr_reg_dmabuf(struct pnic_rails *rails, int fd, uint64_t offset, uint64_t length, void *addr,
			     uint32_t access, struct pnic_rails_mr **mr);

/**
 * pnic_rails_mr_dereg - as pnic_mr_dereg(). NULL is allowed. Any thread
 *
 * Transfers that name it and aren't over, also those of which nothing was posted yet, end with PNIC_ST_LOCAL_KEY.
 */
int pnic_rails_mr_dereg(struct pnic_rails_mr *mr);

/**
 * struct pnic_rails_key - what peers need for a region
 * @addr: of its first byte, as transfers name it
 * @length: bytes
 * @count: rails
 * @gen: of each rail's card, when the key was made
 * @key: of each rail
 *
 * Stays good when cards are lost and come back: the library asks for what changed.
 */
struct pnic_rails_key {
	uint64_t addr;
	uint64_t length;
	uint32_t count;
	uint32_t rsvd;
	uint16_t gen[PNIC_RAILS_MAX];
	uint64_t key[PNIC_RAILS_MAX];
};

/** pnic_rails_mr_key - the key of a region. Any thread. -EINVAL */
int pnic_rails_mr_key(const struct pnic_rails_mr *mr, struct pnic_rails_key *key);

struct pnic_rails_mrc;

/**
 * pnic_rails_mrc_create - make a cache of registrations on all rails
 *
 * As pnic_mrc_create(). The kernel of one rail watches the memory; when its card is lost, all that nobody holds is registered anew, and
 * that card's file stays open until the next pnic_rails_mrc_get(). -EINVAL; -EOPNOTSUPP (no rail has PNIC_FEAT_WATCH); -ENODEV (those that
 * have it are lost); -ENOMEM. To be destroyed before pnic_rails_close().
 */
int pnic_rails_mrc_create(struct pnic_rails *rails, const struct pnic_mrc_attr *attr, struct pnic_rails_mrc **mrc);

/** pnic_rails_mrc_destroy - -EBUSY while somebody holds one of its regions. NULL is allowed */
int pnic_rails_mrc_destroy(struct pnic_rails_mrc *mrc);

/**
 * pnic_rails_mrc_get - a region that holds [@addr, @addr + @length)
 * @mr: Out. good until pnic_rails_mrc_put(); may be larger than asked for. Not for pnic_rails_mr_dereg()
 *
 * As pnic_mrc_get(). -ENODEV, -EOPNOTSUPP: nobody can watch at this moment; pnic_rails_mr_reg() may do. Any thread.
 */
int pnic_rails_mrc_get(struct pnic_rails_mrc *mrc, void *addr, uint64_t length, struct pnic_rails_mr **mr);

/** pnic_rails_mrc_put - the caller's transfers with it are complete. Any thread */
void pnic_rails_mrc_put(struct pnic_rails_mrc *mrc, struct pnic_rails_mr *mr);

/** pnic_rails_mrc_query - -EINVAL */
int pnic_rails_mrc_query(struct pnic_rails_mrc *mrc, struct pnic_mrc_stats *stats);

/* ------------------------------------------------------------------------- */
/* Endpoint sets                                                             */

/**
 * struct pnic_rails_ep_attr - of pnic_rails_ep_create(); 0 is the default everywhere
 * @size: sizeof(struct pnic_rails_ep_attr)
 * @flags: 0
 * @sq_slots: of each rail's send ring; 512
 * @recv_entries: receive buffers of each rail; 256, at most 32768
 * @max_send: bytes of a message's payload, header included; 4096, at most 1 MiB
 * @max_ops: transfers under way; 1024
 * @send_buffers: messages under way whose payload was copied; 128
 * @stripe_min: shorter transfers go over one rail; 65536
 * @rnr_timeout_us: how long a message waits for a receiver that doesn't poll, in time of the link's clock; 10 s
 * @fail_ms: how long a transfer is tried again after it failed everywhere, before it ends with the last error; 2000
 * @spin_us: how long pnic_rails_wait() polls before it sleeps; -1: not at all
 * @peer_user: what a peer that made itself known has as its .user
 */
struct pnic_rails_ep_attr {
	uint32_t size;
	uint32_t flags;
	uint32_t sq_slots;
	uint32_t recv_entries;
	uint32_t max_send;
	uint32_t max_ops;
	uint32_t send_buffers;
	uint32_t stripe_min;
	uint32_t rnr_timeout_us;
	uint32_t fail_ms;
	int32_t spin_us;
	uint32_t rsvd;
	void *peer_user;
};

/** pnic_rails_ep_create - -EINVAL; -ENODEV no rail at all works; errors of pnic_cq_create(), pnic_ep_create(), pnic_mr_reg() */
int pnic_rails_ep_create(struct pnic_rails *rails, const struct pnic_rails_ep_attr *attr, struct pnic_rails_ep **ep);

/** pnic_rails_ep_destroy - with its peers. Doesn't wait for any of them; what is under way ends untold. NULL is allowed */
int pnic_rails_ep_destroy(struct pnic_rails_ep *ep);

/**
 * struct pnic_rails_addr - where an endpoint set is
 * @id: random, its identity whatever becomes of its rails
 * @count: rails
 * @max_send: what it takes in one message
 * @gen: of each rail's card
 * @rate: what each rail's link took when the address was made, Mb/s; 0: not up, or not known
 * @rail: the endpoint on each
 */
struct pnic_rails_addr {
	uint64_t id;
	uint32_t count;
	uint32_t max_send;
	uint16_t gen[PNIC_RAILS_MAX];
	uint32_t rate[PNIC_RAILS_MAX];
	struct pnic_addr rail[PNIC_RAILS_MAX];
};

/** pnic_rails_ep_addr - the address, to be handed to peers; it stays good as long as the set exists. -EINVAL */
int pnic_rails_ep_addr(struct pnic_rails_ep *ep, struct pnic_rails_addr *addr);

/**
 * struct pnic_rails_peer - an endpoint set somewhere else
 * @user: the caller's
 * @ep: the set here that knows it
 * @addr: its address, as far as it is known
 */
struct pnic_rails_peer {
	void *user;
	struct pnic_rails_ep *ep;
	struct pnic_rails_addr addr;
};

/**
 * pnic_rails_peer_add - a peer that transfers can name
 * @addr: its address. One with .id 0 and only some .rail[] known (others PNIC_EP_NONE) will do for a first message to it
 *
 * A set that sent a message here is a peer without this call; adding it finds it. Some 2 KiB for each; 32 bytes more for each receive buffer of all rails when messages overtake each other. -EINVAL; -ENOMEM.
 */
int pnic_rails_peer_add(struct pnic_rails_ep *ep, const struct pnic_rails_addr *addr, void *user,
			struct pnic_rails_peer **peer);

/**
 * pnic_rails_peer_del - give up what the caller knows of a peer
 *
 * The handle is dead afterwards. The far set may not know, and both count their messages: so some 2 KiB stay until this set is
 * destroyed, and nothing is lost if the far set is added again (its handle may be the same) or sends: then it is a peer that made
 * itself known. -EBUSY while transfers to it are under way, or messages of it not released. NULL is allowed.
 */
int pnic_rails_peer_del(struct pnic_rails_peer *peer);

/* ------------------------------------------------------------------------- */
/* Transfers                                                                 */

/*
 * Common to all:
 * @peer: the destination
 * @buf, @length: local memory, any length
 * @mr: the region it lies in. Or NULL: the bytes are copied now, at most the set's max_send
 * @raddr, @rkey: far memory, by address, and its region's key; both are copied
 * @cookie: comes back at the end
 * @flags: PNIC_RAILS_QUIET: no end is told of on success; PNIC_RAILS_FENCE: begins when all earlier ones to the peer are over;
 *	PNIC_RAILS_MORE: more is coming, the card is told with the next transfer without, or by pnic_rails_poll()
 *
 * 0; -EAGAIN: too much under way, poll and try again; -E2BIG: over max_send; -EINVAL. On error nothing has happened. Memory with an @mr must stay as it is until the end.
 */
#define PNIC_RAILS_QUIET	(1U << 0)
#define PNIC_RAILS_FENCE	(1U << 1)
#define PNIC_RAILS_MORE		(1U << 2)

/**
 * pnic_rails_send - a message
 * @hdr, @hdr_length: copied now; goes before the payload. The two together are at most the smaller of both ends' max_send
 * @imm: arrives with it
 */
int pnic_rails_send(struct pnic_rails_peer *peer, const void *hdr, uint32_t hdr_length, const void *buf, uint32_t length,
		    const struct pnic_rails_mr *mr, uint32_t imm, uint64_t cookie, unsigned int flags);

/** pnic_rails_write - into far memory; the far program is not told */
int pnic_rails_write(struct pnic_rails_peer *peer, const void *buf, uint64_t length, const struct pnic_rails_mr *mr,
		     uint64_t raddr, const struct pnic_rails_key *rkey, uint64_t cookie, unsigned int flags);

/** pnic_rails_write_imm - the same, and @imm arrives as a message without bytes when all of it is there */
int pnic_rails_write_imm(struct pnic_rails_peer *peer, const void *buf, uint64_t length, const struct pnic_rails_mr *mr,
			 uint64_t raddr, const struct pnic_rails_key *rkey, uint32_t imm, uint64_t cookie,
			 unsigned int flags);

/**
 * struct pnic_rails_sig - what a write with a signal does when all its bytes are there
 * @addr: of an aligned 64-bit word at the far end
 * @key: of its region, which has PNIC_MRF_REMOTE_ATOMIC
 * @value: added, or stored
 * @op: PNIC_SIGNAL_ADD, PNIC_SIGNAL_SET
 */
struct pnic_rails_sig {
	uint64_t addr;
	const struct pnic_rails_key *key;
	uint64_t value;
	uint32_t op;
	uint32_t rsvd;
};

/**
 * pnic_rails_write_signal - the same, and a word there is added to or set when all of it is there
 *
 * Weak; with PNIC_RAILS_FENCE strong. An addition may end as PNIC_RAILS_ST_UNCERTAIN, as atomics do: then neither it nor the bytes are certain.
 */
int pnic_rails_write_signal(struct pnic_rails_peer *peer, const void *buf, uint64_t length, const struct pnic_rails_mr *mr,
			    uint64_t raddr, const struct pnic_rails_key *rkey, const struct pnic_rails_sig *sig,
			    uint64_t cookie, unsigned int flags);

/** pnic_rails_read - far memory into @buf; @mr must be given */
int pnic_rails_read(struct pnic_rails_peer *peer, void *buf, uint64_t length, const struct pnic_rails_mr *mr,
		    uint64_t raddr, const struct pnic_rails_key *rkey, uint64_t cookie, unsigned int flags);

/**
 * pnic_rails_fetch_add - adds to the @length (4 or 8) bytes at @raddr; the old value is the end's .value
 *
 * Atomics of all endpoint sets to one region go by the region's lowest rail that works, and are atomic among each other there; while that rail changes
 * one may go by the old and another by the new rail, and they are not.
 */
int pnic_rails_fetch_add(struct pnic_rails_peer *peer, uint32_t length, uint64_t raddr, const struct pnic_rails_key *rkey,
			 uint64_t add, uint64_t cookie, unsigned int flags);

/** pnic_rails_comp_swap - stores @swap if the old value is @compare; the old value is the end's .value */
int pnic_rails_comp_swap(struct pnic_rails_peer *peer, uint32_t length, uint64_t raddr, const struct pnic_rails_key *rkey,
			 uint64_t compare, uint64_t swap, uint64_t cookie, unsigned int flags);

/* ------------------------------------------------------------------------- */
/* Ends and messages                                                         */

enum pnic_rails_op {
	PNIC_RAILS_SEND		= 1,
	PNIC_RAILS_WRITE	= 2,
	PNIC_RAILS_WRITE_IMM	= 3,
	PNIC_RAILS_WRITE_SIGNAL	= 4,
	PNIC_RAILS_READ		= 5,
	PNIC_RAILS_FETCH_ADD	= 6,
	PNIC_RAILS_COMP_SWAP	= 7,
	PNIC_RAILS_RECV		= 16,	/* a message */
	PNIC_RAILS_RECV_IMM	= 17,	/* a write with immediate is complete */
};

/* Beyond enum pnic_cqe_status, in pnic_rails_wc.status; pnic_status_str() knows them. */
#define PNIC_RAILS_ST_NO_RAIL	64	/* no rail works, here or there, for fail_ms */
#define PNIC_RAILS_ST_UNCERTAIN	65	/* an atomic or an adding signal: its rail died, whether it was done isn't known */

/**
 * struct pnic_rails_wc - how a transfer ended, or a message
 * @cookie: as posted; messages: 0
 * @peer: the other end
 * @data: PNIC_RAILS_RECV: the message, good until pnic_rails_release()
 * @length: bytes; of failed transfers how many they were to be
 * @value: atomics: the old value
 * @imm: messages: as sent
 * @op: enum pnic_rails_op
 * @status: enum pnic_cqe_status or PNIC_RAILS_ST_*; 0 is success
 * @rail: failed transfers: the rail that failed last; else the rail it ended on
 * @tries: how often a piece of it was begun anew; 0: it went straight through
 * @token: the library's, for pnic_rails_release()
 */
struct pnic_rails_wc {
	uint64_t cookie;
	struct pnic_rails_peer *peer;
	void *data;
	uint64_t length;
	uint64_t value;
	uint32_t imm;
	uint8_t op;
	uint8_t status;
	uint8_t rail;
	uint8_t tries;
	void *token;
};

/**
 * pnic_rails_poll - take ends and messages, and do the library's work: repeat, answer, open again
 *
 * How many there were, 0..@max; -EINVAL. Makes no system call while nothing is wrong.
 */
int pnic_rails_poll(struct pnic_rails_ep *ep, struct pnic_rails_wc *wc, int max);

/** pnic_rails_release - a PNIC_RAILS_RECV's bytes are no longer needed; any order. Others are ignored */
void pnic_rails_release(struct pnic_rails_ep *ep, const struct pnic_rails_wc *wc);

/**
 * pnic_rails_wait - until pnic_rails_poll() has something to do
 * @timeout_ms: -1: no limit; 0: only look
 *
 * 0 (poll: there may still be nothing to tell); -ETIMEDOUT; -EINVAL.
 */
int pnic_rails_wait(struct pnic_rails_ep *ep, int timeout_ms);

/** pnic_rails_fd - one descriptor for poll(), epoll: readable when pnic_rails_poll() has something to do, after pnic_rails_arm() */
int pnic_rails_fd(struct pnic_rails_ep *ep);

/** pnic_rails_arm - 1: poll first; 0: armed, sleep on pnic_rails_fd(), then poll */
int pnic_rails_arm(struct pnic_rails_ep *ep);

/** pnic_rails_wc_str - a line about an end: rails, peer, operation, bytes, how it ended. Returns @buf. Any thread while the peer exists */
const char *pnic_rails_wc_str(const struct pnic_rails_wc *wc, char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* PNIC_RAILS_H */
