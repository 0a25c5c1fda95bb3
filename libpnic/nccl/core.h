/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * The one core behind all tables of the NCCL plugin.
 *
 *	tables.c	net v6, v8..v12: what differs between the versions, nothing else
 *	rma.c		RMA v14, v15
 *	tuner.c		tuner v3..v6
 *	  |
 *	config.c	knobs, messages
 *	device.c	cards, virtual devices, their events
 *	reg.c		memory, registered once for all connections of a device
 *	connect.c	listen, connect, accept, close
 *	idle.c		ends that nobody polls
 *	data.c		receives that are offered, sends that are matched with them
 *	  |
 *	pnic_rails.h	several cards as one: every transfer goes through it
 *
 * A device is one card, or several that makeVDevice made one; it is a domain of rails. A connection is one way, and has an
 * endpoint set of its own at either end. The receiver offers its buffers by a message (struct msg_offer); the sender matches
 * them by tag, writes into them, and an immediate value tells the receiver which buffer is complete.
 *
 * Threads. NCCL connects, registers and closes on one thread and sends and receives on another. A connection's set is used by
 * one at a time: until it is connected by the first, then by the second, and by a third while NCCL has nothing to do with
 * it; it has a lock for that. Devices and their memory are shared, with a lock each.
 */
#ifndef PNIC_NCCL_CORE_H
#define PNIC_NCCL_CORE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <pnic_rails.h>

#include "abi.h"
#include "pnic_nccl.h"

#define MAX_DEVICES	64		/* cards and virtual devices */
#define MAX_RECVS	8		/* buffers of one receive */
#define MAX_OFFERS	64		/* receives of a connection that are not complete */
#define MAX_FLUSHES	64		/* of a connection: more than NCCL has under way */
#define MAX_SENDS	(NCCL_MAX_REQUESTS * MAX_RECVS)
#define MAX_MESSAGE	(1UL << 30)	/* bytes of one; sizes are told as int */

/* --- config.c ---------------------------------------------------------------------------------- */

/* What the environment said; Documentation/nccl.rst has what each is for. */
struct config {
	char devices[1024];
	long partition;
	long timeout_ms;
	long probe_ms;
	long stripe;
	long fuse;
	char planes[256];
	long tuner;
	long profile;
	long show;
};
extern struct config config;

/* Reads the environment, once. */
void config_read(void);
void config_show(void);

void log_set(nccl_logger log);
__attribute__((format(printf, 5, 6)))
void log_line(int level, unsigned long subsystems, const char *file, int line, const char *fmt, ...);
#define WARN(...)	log_line(NCCL_LOG_WARN, NCCL_SUB_ALL, __FILE__, __LINE__, "NET/pnic: " __VA_ARGS__)
#define INFO(sub, ...)	log_line(NCCL_LOG_INFO, sub, __FILE__, __LINE__, "NET/pnic: " __VA_ARGS__)
/* To the standard error as well, whatever NCCL_DEBUG is; each text once. */
__attribute__((format(printf, 1, 2)))
void log_loud(const char *fmt, ...);

/* What a call of the library is to NCCL. */
nccl_result result_of(int err);
/* What the end of a transfer is to NCCL. */
nccl_result result_of_status(unsigned int status);

uint64_t now_ms(void);
uint64_t random64(void);

/* --- device.c ---------------------------------------------------------------------------------- */

struct mr;

struct device {
	char name[128];			/* "pnic0", "pnic0+pnic1" */
	char *pci_path;			/* of the first card, NULL: it has none */
	uint64_t guid;
	uint32_t speed;			/* Mb/s, all lanes of all cards */
	uint32_t max_ep;
	bool dmabuf;
	int16_t rail_id, plane_id;
	int cards;
	int card[PNIC_RAILS_MAX];	/* devices that are one card */
	char card_name[PNIC_RAILS_MAX][256];

	pthread_mutex_t lock;		/* everything below */
	struct pnic_rails *rails;	/* NULL: not open */
	uint32_t users;			/* endpoint sets */
	struct mr **mrs;		/* by number; NULL: free */
	uint32_t mr_slots;
	uint32_t mr_count;
	uint64_t serial;
	uint32_t seen;			/* counts events; read without the lock */
	struct pnic_nccl_event event;	/* the last */
};

/* A communicator, as NCCL v11 and later have it. */
struct context {
	uint64_t id;
	nccl_profiler prof;
};

nccl_result device_init(nccl_logger log);
void device_exit(void);
int device_cards(void);
int device_count(void);			/* cards and virtual devices */
struct device *device_get(int dev);	/* NULL: no such */
nccl_result device_props(int dev, struct nccl_props_v12 *props);
nccl_result device_fuse(int *dev, int n, const int *devs);
/* A communicator begins; ends: with the last one the virtual devices go. */
void device_hold(void);
void device_release(void);
/* Opens the domain if need be, and counts a user. */
nccl_result device_use(struct device *dev);
void device_unuse(struct device *dev);
/* Reads what happened to its rails and tells the log; cheap when nothing did. */
void device_watch(struct device *dev);

/* --- reg.c ------------------------------------------------------------------------------------- */

/* A region. Nothing in it changes while somebody holds it, but refs. */
struct mr {
	struct device *dev;
	struct pnic_rails_mr *mr;
	struct pnic_rails_key key;
	uint64_t addr, length;
	uint64_t serial;		/* of the device, never used again */
	uint32_t id;			/* small, used again */
	uint32_t refs;
	int type;
};

nccl_result reg_mr(struct device *dev, void *data, size_t size, int type, uint64_t offset, int fd, struct mr **mr);
nccl_result reg_put(struct mr *mr);

/* --- messages ---------------------------------------------------------------------------------- */

/* Between plugins, as they stand; both ends have the same byte order. The immediate value says which it is. */
#define MSG_VERSION	1
enum {
	MSG_CONNECT	= 1,	/* to a listening set: struct msg_connect */
	MSG_ACCEPT	= 2,	/* its answer, from the set that will receive: the same */
	MSG_OFFER	= 3,	/* struct msg_offer, .n struct msg_buffer, .keys struct msg_key */
	MSG_SIZE	= 4,	/* struct msg_size, before a write whose size the immediate value has no room for */
	MSG_EMPTY	= 5,	/* struct msg_size: a buffer is complete, with no bytes */
	MSG_PROBE	= 6,	/* nothing: does the peer still exist? */
	MSG_HELLO	= 7,	/* RMA: to a listening set: struct msg_connect with .rank */
	MSG_GATHER	= 8,	/* RMA: struct msg_gather */
};

struct msg_connect {
	uint32_t version;
	uint32_t rank;
	uint64_t cookie;		/* of the handle */
	struct pnic_rails_addr addr;	/* of the sender */
};

struct msg_offer {
	uint8_t slot;
	uint8_t n;
	uint8_t keys;
	uint8_t rsvd[5];
};

struct msg_buffer {
	uint64_t addr;
	uint32_t size;
	int32_t tag;
	uint32_t key;			/* number of the region */
	uint32_t rsvd;
};

/* A region's key, before the first buffer of it; a number may mean another region later. */
struct msg_key {
	uint32_t id;
	uint32_t rsvd;
	struct pnic_rails_key key;
};

struct msg_size {
	uint8_t slot;
	uint8_t index;
	uint8_t rsvd[2];
	uint32_t size;
};

#define MSG_MAX	(sizeof(struct msg_offer) + MAX_RECVS * (sizeof(struct msg_buffer) + sizeof(struct msg_key)))

/* The immediate value of a write: slot, buffer, size. */
#define IMM_SLOT(imm)	((imm) >> 26)
#define IMM_INDEX(imm)	((imm) >> 23 & 7)
#define IMM_SIZE(imm)	((imm) & IMM_FULL)
#define IMM_FULL	0x7fffffu	/* as large as the buffer */
#define IMM_TOLD	0x7ffffeu	/* a MSG_SIZE came before */
#define IMM(slot, index, size)	((uint32_t)(slot) << 26 | (uint32_t)(index) << 23 | (uint32_t)(size))

/* --- idle.c ------------------------------------------------------------------------------------ */

/* In whatever has an endpoint set that may be idle. .lock is the set's, for all who use it. */
struct idle {
	pthread_mutex_t lock;
	uint32_t polls;			/* counts, by whoever polls */
	uint32_t seen;
	void (*poll)(struct idle *i);	/* with the lock; NULL: was never added */
	struct idle *next, **link;
};
void idle_add(struct idle *i, void (*poll)(struct idle *i));
/* Not with its lock. One that was never added is left alone. */
void idle_remove(struct idle *i);

static inline void idle_polled(struct idle *i)
{
	__atomic_store_n(&i->polls, i->polls + 1, __ATOMIC_RELAXED);
}

/* --- connect.c --------------------------------------------------------------------------------- */

/* The 128 bytes that NCCL carries from the listener to the connecting rank, which keeps its state in them. */
struct handle {
	uint32_t magic;
	uint32_t count;
	uint64_t cookie;
	struct pnic_addr rail[PNIC_RAILS_MAX];
	struct comm *connecting;	/* of the connecting rank */
	uint64_t rsvd[4];
};
_Static_assert(sizeof(struct handle) <= NCCL_HANDLE_SIZE, "the handle's size");

enum comm_kind { COMM_LISTEN = 0x4c504e31, COMM_SEND, COMM_RECV };

struct req;

/* One end of a connection. */
struct comm {
	struct idle idle_end;		/* from when it is connected */
	enum comm_kind kind;
	struct device *dev;
	struct context *ctx;		/* may be NULL */
	struct pnic_rails_ep *ep;
	struct pnic_rails_peer *peer;
	nccl_result error;		/* what every call returns from now on */
	bool probing;			/* asked the peer whether it exists */
	bool wanting;			/* something is to come from the peer */
	uint32_t idle;			/* polls in vain */
	uint64_t heard_ms;		/* when something came last */
	uint32_t seen;			/* events of the device */
	struct comm *next;		/* among those that connect */

	struct req *reqs;
	struct req *free;
	uint32_t in_flight;
};

/* How far a transfer has come. */
struct req {
	struct comm *comm;
	struct req *next;		/* free */
	uint8_t used;
	uint8_t n;
	uint8_t left;			/* parts to come */
	uint8_t released;		/* NCCL doesn't look at it any more */
	uint8_t optional;
	uint8_t flush;
	uint8_t done;			/* parts that are complete, as bits */
	uint8_t sends;
	uint64_t addr;			/* of a receive of one buffer */
	uint32_t size[MAX_RECVS];	/* offered, then received */
	int32_t tag[MAX_RECVS];
	void *phandle[MAX_RECVS];
	void *event[MAX_RECVS];
};

nccl_result comm_listen(struct context *ctx, int dev, void *handle, void **lc);
nccl_result comm_connect(struct context *ctx, int dev, void *handle, void **sc);
nccl_result comm_accept(void *lc, void **rc);
nccl_result comm_close(void *comm, enum comm_kind kind);
/* Frees connections of @ctx (NULL: all) that were begun and never came to be. */
void comm_forget(struct context *ctx);

int ep_create(struct device *dev, uint32_t recv_entries, uint32_t ops, struct pnic_rails_ep **ep);
void handle_addr(const struct handle *h, struct pnic_rails_addr *addr);
void handle_fill(void *handle, const struct pnic_rails_addr *addr, uint64_t cookie);
bool handle_ok(const struct handle *h);
/* Notes that @wc failed, tells the log; @what: whose transfer. */
nccl_result wc_failed(struct device *dev, const struct pnic_rails_wc *wc, const char *what);
/* The waiting part of a connection: asks the peer whether it exists if it was silent for long. */
void comm_probe(struct comm *comm);
#define COOKIE_CONTROL	1
#define COOKIE_PROBE	2
#define COOKIE_REQ	16		/* and the number of the request */

/* A listening set, and who knocked. */
struct listener {
	struct comm comm;
	uint64_t cookie;
	struct msg_connect *waiting;	/* first comes first */
	uint32_t waiting_count, waiting_room;
	struct comm *accepting;
};
/* Takes the messages that came: @hello: those, else connects, go into .waiting. */
nccl_result listener_progress(struct listener *lc, uint32_t want);

/* --- data.c ------------------------------------------------------------------------------------ */

struct offer {
	uint8_t slot;
	uint8_t n;
	uint8_t left;			/* bits: buffers that no send has taken */
	struct msg_buffer buf[MAX_RECVS];
};

struct send_comm {
	struct comm comm;
	struct offer offer[MAX_OFFERS];	/* first comes first; indices are free running */
	uint32_t head, tail;
	uint64_t active;		/* bits: slots that are in there */
	struct pnic_rails_key *key;	/* by number */
	uint32_t keys;
	bool truncated;			/* said so already */
	struct req pool[MAX_SENDS];
};

struct recv_comm {
	struct comm comm;
	uint64_t *told;			/* by region number: the serial that the sender knows */
	uint32_t told_count;
	uint32_t *size_told;		/* MAX_OFFERS * MAX_RECVS */
	uint32_t early;			/* receives that NCCL takes for complete and that aren't */
	struct flush *flush;		/* NULL: none was asked for yet */
	struct req pool[MAX_OFFERS];
	struct req flushes[MAX_FLUSHES];	/* their own: NCCL takes no request for a flush that wasn't needed */
};

struct flush {
	struct pnic_rails_ep *ep;
	struct pnic_rails_peer *self;
	void *scratch;
	struct mr *mr;
};
void flush_free(struct recv_comm *rc);

void data_init(struct comm *comm, struct req *pool, unsigned int n);
void data_end(struct comm *comm);
/* It is connected, and polled from now on. */
void data_begin(struct comm *comm);
nccl_result data_isend(void *sc, void *data, size_t size, int tag, void *mh, void *phandle, void **req);
/* @optional: *req may be NCCL_OPTIONAL_RECV */
nccl_result data_irecv(void *rc, int n, void **data, const size_t *sizes, const int *tags, void **mhs, void **phandles,
		       void **req, bool optional);
nccl_result data_iflush(void *rc, int n, void **data, const int *sizes, void **mhs, void **req);
nccl_result data_test(void *req, int *done, int *sizes);

#endif /* PNIC_NCCL_CORE_H */
