/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the NIC engine share with each other; card.h is what they offer.
 *
 * A card is: registers and reset (card.c), the admin queue (admin*.c), event and completion
 * queues (eq.c, cq.c), counters (ctr.c), doorbells (db.c), regions (mr.c), endpoints with their send
 * and receive rings (ep.c, sq.c, rq.c), and the transport (msg.c, tx.c, rx.c, flow.c, rsp.c, peer.c). The fabric joins
 * cards (fabric.c, xswitch.c).
 *
 * A transfer, as it goes through them: db.c sees the producer index, sq.c copies the
 * descriptor into a message (struct pm_msg), tx.c cuts it into frames, the far card's rx.c checks
 * and copies memory to memory, rsp.c takes the response, sq.c writes the completion.
 */
#ifndef PM_CARD_PRIV_H
#define PM_CARD_PRIV_H

#include <endian.h>
#include <string.h>

#include "card.h"
#include "driver/hw/pnic_admin.h"
#include "driver/hw/pnic_event.h"
#include "driver/hw/pnic_regs.h"
#include <linux/pnic_queue.h>

/* Limits that IDENTIFY tells. */
#define PM_MAX_EQ		16u
#define PM_MAX_CTX		1023u
#define PM_MAX_CQ		65536u
#define PM_MAX_EP		65536u
#define PM_MAX_MR		262144u
#define PM_MAX_SRQ		65536u
#define PM_MAX_CTR		65536u
#define PM_MAX_MR_PAGES		(1u << 24)
#define PM_MAX_MR_PAGES_ALL	(1ull << 26)	/* of all regions of a card: 512 MiB of lists */
#define PM_MAX_LOG_EQ		15
#define PM_MAX_LOG_CQ		16
#define PM_MAX_LOG_SQ		15
#define PM_MAX_LOG_RQ		15
#define PM_PAGE_SHIFT_MAX	30
#define PM_MGMT_MAX		2048u

#define PM_MAX_NICS		8
#define PM_NIC_ADDR_FIRST	0x000101u
#define PM_NIC_ADDR_ALL		0xffffffu	/* announcements */

#define PM_TIMEOUT_READY_MS	2000u
#define PM_TIMEOUT_ADMIN_MS	5000u

/* A doubly linked list with a head. */
struct pm_list {
	struct pm_list *prev, *next;
};

static inline void pm_list_init(struct pm_list *l)
{
	l->prev = l;
	l->next = l;
}

static inline bool pm_list_empty(const struct pm_list *l)
{
	return l->next == l;
}

static inline void pm_list_add_tail(struct pm_list *l, struct pm_list *head)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

static inline void pm_list_del(struct pm_list *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	pm_list_init(l);
}

#define pm_container(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

struct pm_frame_queue {
	struct pm_frame *head, *tail;
	unsigned int len;
};

static inline void pm_fq_push(struct pm_frame_queue *q, struct pm_frame *f)
{
	f->next = NULL;
	if (q->tail)
		q->tail->next = f;
	else
		q->head = f;
	q->tail = f;
	q->len++;
}

static inline void pm_fq_push_front(struct pm_frame_queue *q, struct pm_frame *f)
{
	f->next = q->head;
	q->head = f;
	if (!q->tail)
		q->tail = f;
	q->len++;
}

static inline struct pm_frame *pm_fq_pop(struct pm_frame_queue *q)
{
	struct pm_frame *f = q->head;

	if (!f)
		return NULL;
	q->head = f->next;
	if (!q->head)
		q->tail = NULL;
	f->next = NULL;
	q->len--;
	return f;
}

static inline void pm_fq_free(struct pm_frame_queue *q)
{
	struct pm_frame *f;

	while ((f = pm_fq_pop(q)))
		pm_frame_free(f);
}

/* Doorbells: one for each ring, in the card's table of watched slots. */
enum pm_db_kind { PM_DB_SQ, PM_DB_RQ, PM_DB_CQ, PM_DB_CTR };

struct pm_db {
	void *obj;			/* struct pm_ep, pm_rq, pm_cq, pm_ctr */
	uint32_t pos;			/* in card->db_tab */
	uint16_t page, slot;
	uint8_t kind;
	uint8_t hot;			/* place in card->db_hot, plus one */
};

struct pm_db_ent {
	uint64_t *slot;
	uint64_t last;			/* value last seen */
	struct pm_db *db;
};

#define PM_DB_HOT		64

struct pm_db_page {
	uint16_t ctx;			/* 0: not bound */
	uint16_t used;			/* slots taken */
	uint8_t words;			/* bit n: @taken[n] isn't 0 */
	uint64_t taken[PNIC_DB_SLOTS / 64];
	struct pm_db *db[PNIC_DB_SLOTS];
};

struct pm_eq {
	struct pm_card *card;
	uint64_t base;
	uint32_t mask, pi, head;
	uint32_t users;			/* CQs and counters */
	uint16_t eqn, vector;
	uint8_t log;
	bool armed;
	struct pm_list pending;		/* objects whose event waits for room */
};

/* What of one context waits for its turn. Contexts take turns, and within one what is here does. */
struct pm_turns {
	struct pm_list turn;		/* in card->run or card->jobs_run, if anything waits */
	struct pm_list waiting;
};

struct pm_ctx {
	uint32_t id;
	uint16_t partition;
	uint32_t users;			/* pages, regions, queues, counters, endpoints */
	struct pm_turns send, serve;	/* endpoints with something to send; reads being served */
};

/*
 * An event of a CQ, endpoint, counter or of the link: held back while the EQ is nearly full, since others than
 * the driver cause them, as often as they like.
 */
struct pm_notice {
	struct pm_list node;
	struct pnic_eqe eqe;
};

#define PM_LANE_CAUSES	4

/* What the link has to tell. */
struct pm_news {
	struct pm_notice link, map[2], mgmt;
	struct pm_notice lane[][PM_LANE_CAUSES];	/* by enum pnic_lane_cause, from the first */
};

struct pm_cq {
	struct pm_card *card;
	struct pm_ctx *ctx;
	struct pm_eq *eq;
	uint64_t base;
	uint32_t cqn, mask, pi, ci, arm_ci;
	uint32_t users;			/* endpoints, once for each use */
	struct pm_list senders, receivers;	/* struct pm_ep.scq_node, .rcq_node */
	uint8_t log;
	bool armed, dead;
	struct pm_db db;
	struct pm_notice ev, ev_error;
	struct pm_list dying;		/* in card->dying until its endpoints are stopped */
};

#define PM_CTR_KINDS	7

struct pm_ctr {
	struct pm_card *card;
	struct pm_ctx *ctx;
	struct pm_eq *eq;
	uint64_t addr, ok, failed;
	uint64_t threshold;		/* 0: not armed */
	uint32_t id, users;		/* endpoints, once for each kind */
	struct pm_db db;
	struct pm_notice ev;
};

struct pm_mr {
	uint64_t key, va, length;
	bool suspended;
	struct pm_ctx *ctx;
	uint32_t num_pages;
	uint8_t page_shift, rights;
	uint64_t pages[];
};

/* Who accesses memory, and for what: PNIC_ST_LOCAL_* says what was wrong. */
struct pm_access {
	bool remote;			/* by partition, not by context */
	uint16_t partition;
	uint8_t rights;			/* PNIC_MR_*, LOCAL_READ is always there */
	const struct pm_ctx *ctx;
};

struct pm_sg {
	uint64_t addr, key;
	uint32_t len;
};

/* Where payload lies: a buffer of this process, or a list of pieces of regions of a card. */
struct pm_span {
	struct pm_card *card;
	uint8_t *buf;
	const struct pm_sg *sg;
	unsigned int nsg;
	struct pm_access acc;
};

enum pm_ep_state {
	PM_EP_RUN,
	PM_EP_STOPPED,			/* STOP_ON_ERROR: sends no more, still receives */
	PM_EP_DEAD,			/* ring or CQ unusable: neither */
};

/* A receive ring: an endpoint's own, or a shared queue's. */
struct pm_rq {
	struct pm_card *card;
	struct pm_ep *owner;		/* NULL: shared */
	uint64_t base;
	uint32_t mask, pi, ci;
	uint32_t ncancelled;
	bool waking;
	bool dead;			/* shared only */
	bool *cancelled;		/* by place; NULL: none ever was */
	struct pm_db db;
	struct pm_list waiting;		/* flows that wait for an entry, struct pm_flow.rnr */
	struct pm_list users;		/* shared only: struct pm_ep.srq_node */
};

struct pm_srq {
	struct pm_rq rq;
	struct pm_ctx *ctx;
	uint32_t srqn;
};

#define PM_EP_WINDOW		64u		/* messages under way of one endpoint */
#define PM_EP_WINDOW_MIN	4u		/* the same when the card has very many */
#define PM_EP_WINDOW_BYTES	(1u << 20)	/* sent and not acknowledged */
#define PM_MSGS_PLENTY		(1u << 18)
#define PM_ACK_BYTES		(PM_EP_WINDOW_BYTES / 4)
#define PM_LAZY_BYTES		4096u	/* messages up to so long may be lazy, ... */
#define PM_LAZY_RUN		32u	/* ... so many in a row */
#define PM_QUANTUM		16u	/* frames of an endpoint before the next one's turn */

/* Of a train of transfers (train.c): a descriptor, and what was found out of it. */
struct pm_item {
	void *to;			/* of an inline write */
	uint32_t len;
	union {
		struct pnic_sqe sqe;
		uint8_t raw[PNIC_SLOT_SIZE];
	};
};

/*
 * The last train of an endpoint, if it was one inline write. As long as nothing but trains has happened to
 * the fabric since, the next one like it needs no checks but those of what differs.
 */
struct pm_again {
	uint64_t epoch;			/* of the fabric then */
	const uint8_t *ring;		/* the send ring's memory */
	struct pm_card *far;
	struct pm_ep *far_ep;
	struct pm_item item;
	uint64_t at;			/* where it went; ... */
	uint64_t room;			/* ... the next may go up to so many bytes beyond */
};

struct pm_ep {
	struct pm_card *card;
	struct pm_ctx *ctx;
	struct pm_cq *scq, *rcq;
	struct pm_rq *rq;		/* NULL: it can't receive */
	struct pm_rq own;
	uint64_t sq_base;
	uint32_t sq_mask;
	uint32_t sq_pi, sq_fetch;
	uint32_t epn;
	uint32_t gen;			/* tells this life of the number from earlier ones */
	uint32_t rnr_us;
	uint16_t flags;
	uint8_t state;
	bool unreadable;		/* a descriptor doesn't say where the next one begins */
	bool long_way;			/* train.c has tried, and those up to @long_end go first */
	uint32_t long_end;
	bool owes;			/* a lazy message was sent, and none after it that will be answered: */
	uint32_t owes_nic, owes_ep;	/* there */
	struct pm_msg *head, *tail;	/* in ring order, until their completions are written */
	struct pm_msg *next;		/* first one that isn't sent in full */
	unsigned int nmsgs;
	unsigned int lazy_run;
	uint64_t inflight;		/* payload bytes sent and not acknowledged */
	struct pm_db sq_db;
	struct pm_ctr *ctr[PM_CTR_KINDS];
	struct pm_list run;		/* in ctx->send, or card->xoff, if it may have work */
	struct pm_list flows;		/* flows that end here */
	struct pm_list all;		/* in card->eps */
	struct pm_list scq_node, rcq_node, srq_node;
	struct pm_list jobs;		/* reads being served, struct pm_msg.job */
	struct pm_notice ev_error;
	struct pm_again again;
};

/* A transfer at the NIC that began it, or a read job at the one that serves it. */
enum pm_msg_kind { PM_MSG_FREE, PM_MSG_TX, PM_MSG_JOB };

struct pm_msg {
	uint32_t idx, gen;		/* together the id that frames carry */
	uint8_t kind, opcode, flags, status;
	uint8_t judged;			/* what is wrong with the descriptor, for its turn */
	bool begun, done, inlined;
	bool lazy;			/* only its failure is answered: the next one's answer is for it as well */
	bool asks;			/* nobody's transfer: an empty write, for the answer */
	uint8_t nsg;
	struct pm_msg *next;
	struct pm_ep *ep;		/* JOB: the endpoint served */
	uint32_t ci_after;		/* send ring index that its completion tells */
	uint32_t dst_nic, dst_ep, dst_inc;
	uint32_t len, sent, acked;	/* TX; a read counts what came in acked */
	uint64_t cookie, raddr, rkey, imm, cmp, result;
	uint64_t sig_key;		/* WRITE_SIGNAL: value in imm, address in cmp */
	uint8_t sig_op;
	uint64_t began;
	/* JOB only */
	uint64_t peer_msg;
	uint16_t partition;
	struct pm_list run, job;
	struct pm_sg sg[PNIC_SQE_MAX_SGE];
	uint8_t data[PNIC_SQE_MAX_INLINE];
};

/* Frames of the transport: struct pm_frame.hdr. */
enum pm_wire_type {
	PM_W_REQ = 1,		/* a transfer's frames, in order */
	PM_W_RSP,		/* how it ended */
	PM_W_PROGRESS,		/* bytes taken so far, to open the sender's window */
	PM_W_DATA,		/* what a read asked for */
	PM_W_ABORT,		/* the transfer is over at the end that sends this */
	PM_W_RESET,		/* the NIC that sends this has been reset */
	PM_W_LINK_LOST,		/* by the switch: @nic's link is down past the data age */
};

#define PM_WF_STOP	0x01	/* stops on errors: refuse what was sent after a failed one */
#define PM_WF_LAZY	0x02	/* no answer if it goes well: one that comes after it will have one */
#define PM_WF_ASKS	0x04	/* nobody's transfer, only for its answer */

struct pm_wire {
	uint8_t type, op, status, flags;
	uint16_t partition;
	uint8_t sig_op, rsvd;
	uint32_t src_ep, dst_ep;
	uint32_t src_inc, dst_inc;	/* incarnations: how often each NIC was reset */
	uint32_t ep_gen;
	uint32_t rnr_us;
	uint32_t len, off;		/* of the message; of this frame in it */
	uint64_t msg;			/* id at the NIC that began the transfer */
	uint64_t raddr, rkey, imm, cmp, sig_key;
};
_Static_assert(sizeof(struct pm_wire) <= sizeof(((struct pm_frame *)0)->hdr), "header fits");

/* A message that is being received. */
struct pm_inbound {
	uint64_t msg;
	uint32_t len, got, acked;
	uint8_t op;
	bool has_rqe;			/* a receive entry was taken for it */
	uint64_t cookie, imm;
	struct pm_sg to;		/* receive buffer (local) or far region (remote) */
	struct pm_access acc;
	struct pm_sg sig;		/* WRITE_SIGNAL: the word */
	uint8_t sig_op;
};

/*
 * What a NIC must remember of the stream from one endpoint to one of its own. It exists only
 * while there is something to remember.
 */
struct pm_flow {
	struct pm_flow *hash_next;
	struct pm_card *card;
	struct pm_ep *ep;
	uint32_t src_nic, src_ep;
	bool busy;			/* cur is a message not yet complete */
	bool poisoned;			/* one failed whose endpoint stops on errors: */
	uint32_t poison_gen;		/* refuse all of this life of it */
	bool running;
	struct pm_inbound cur;
	struct pm_frame_queue held;	/* behind one that waits for a receive entry */
	uint64_t waits;			/* the message that the timer is for, 0: none */
	struct pm_event rnr_timer;
	struct pm_list node;		/* in ep->flows */
	struct pm_list rnr;		/* in ep->rq->waiting */
	struct pm_list poison;		/* in card->poison */
};

#define PM_FLOW_BUCKETS		8192u
#define PM_POISON_MAX		4096u
#define PM_MSG_CHUNK		256u

struct pm_admin {
	uint64_t asq, acq;
	uint32_t asq_mask, acq_mask;
	uint8_t acq_log;
	uint32_t tail, ci;		/* ASQ */
	uint32_t pi, head;		/* ACQ */
};

/* What the dice say; see evil.c. */
struct pm_evil {
	uint64_t kinds;			/* bit n: enum pm_garble n */
	uint32_t ppm;
	bool dice;			/* the last deed was theirs, not a counted one */
	struct pm_rng rng;
	uint64_t deeds[PM_GARBLES];
	struct pm_evil_strays strays;
};

struct pm_card {
	struct pm_fabric *fabric;
	struct pm_sim *sim;
	uint64_t turns;			/* polls that found something to do */
	struct pm_port *port;
	const struct pm_host_ops *ops;
	void *host;
	uint8_t *db_mem;
	unsigned int index;
	uint32_t addr;

	/* Registers. */
	uint32_t ctrl, status, fatal_code, fatal_info, admin_size, clock_hi;
	uint64_t asq_base, acq_base;
	uint64_t ready_ms;		/* real time */
	uint32_t heartbeat;

	struct pm_admin admin;
	struct pm_eq *eq[PM_MAX_EQ];
	struct pm_news *news;
	struct pm_ctx *ctx[PM_MAX_CTX + 1];
	struct pm_cq **cq;
	struct pm_ep **ep;
	struct pm_mr **mr;
	struct pm_srq **srq;
	struct pm_ctr **ctr;
	uint64_t mr_pages;
	struct pm_db_page *page[PM_DB_PAGES];
	bool page_used[PM_DB_PAGES];	/* bound at some time since the last reset */
	unsigned int page_end;		/* none was from here on */
	struct pm_list eps;
	struct pm_list dying;		/* CQs */
	uint32_t ep_gen;
	uint32_t lane_seq;

	/* Doorbells. */
	struct pm_db_ent *db_tab;
	uint32_t db_n, db_cap, db_cursor, db_clean;
	uint64_t db_rung;		/* pm_card_rung() */
	struct pm_db *db_hot[PM_DB_HOT];
	unsigned int db_hot_next, db_hot_n;

	/* Transport. */
	struct pm_msg **chunk;
	uint32_t nchunks, msgs_live;
	struct pm_msg *msg_free;
	struct pm_list run;		/* contexts with endpoints that may have something to send */
	struct pm_list xoff;		/* endpoints whose next destination can't take more now */
	struct pm_list jobs_run, jobs_xoff;	/* the same of reads being served */
	struct pm_frame_queue ctl;	/* answers and news that the port has no room for yet */
	struct pm_frame_queue retry;	/* those that the link flushed */
	struct pm_frame_queue loop;	/* to itself, where no switch turns them round */
	struct pm_frame_queue frozen_rx;
	struct pm_event retry_timer, age_timer;
	uint64_t down_since;		/* UINT64_MAX: the link is up */
	bool port_full;
	bool pumping;
	uint32_t inc, peer_inc[PM_MAX_NICS];
	struct pm_flow *flow[PM_FLOW_BUCKETS];
	unsigned int nflows;
	struct pm_list poison;
	unsigned int npoison;

	/* Faults. */
	bool frozen;
	unsigned int drop_admin, drop_irq;
	unsigned int garble[PM_GARBLES];
	struct pm_evil evil;
	bool lie_version, lie_id, lie_ep, lie_cq;
	uint64_t lie[4];

	uint64_t wqes, cqes, doorbells, interrupts;
};

struct pm_fabric {
	struct pm_sim *sim;
	struct pm_fabric_config cfg;
	char profile[32];
	struct pm_card *card[PM_MAX_NICS];
	struct pm_link *link[PM_MAX_NICS];
	struct pm_portfw *fw[PM_MAX_NICS];
	struct pm_switch *sw;
	unsigned int nlinks;
	uint32_t xoff;			/* bit n: the way to NIC n is full, send it no payload */
	bool direct;			/* what is sent now may go by pm_port_send_now() */
	uint64_t epoch;			/* changes with everything but trains: pm_fabric_touch() */
};

/* card.c */
struct pm_card *pm_card_new(struct pm_fabric *f, unsigned int index, struct pm_port *port);
void pm_card_free(struct pm_card *c);
bool pm_card_poll(struct pm_card *c);
bool pm_card_turn(struct pm_card *c);
bool pm_card_at_rest(const struct pm_card *c);
bool pm_card_pending(const struct pm_card *c);
uint32_t pm_card_version(const struct pm_card *c);
uint32_t pm_card_caps(const struct pm_card *c);
void pm_card_irq(struct pm_card *c, unsigned int vector);
/* Whether it has all of @caps, PNIC_CAP_LO_*. */
bool pm_card_can(const struct pm_card *c, uint32_t caps);
static inline bool pm_card_ready(const struct pm_card *c)
{
	return (c->status & (PNIC_STATUS_READY | PNIC_STATUS_FATAL)) == PNIC_STATUS_READY;
}

/* evil.c */
bool pm_card_take_garble(struct pm_card *c, enum pm_garble what);
void pm_card_garble_acqe(struct pm_card *c, struct pnic_acqe *e);
void pm_card_garble_eqe(struct pm_card *c, struct pnic_eqe *e);
void pm_card_garble_cqe(struct pm_card *c, struct pnic_cqe *e);
void pm_card_garble_buf(struct pm_card *c, uint64_t addr, size_t len);
uint32_t pm_card_garble_reg(struct pm_card *c, uint32_t val);
bool pm_card_garble_irq(struct pm_card *c);
void pm_card_garble_turn(struct pm_card *c);

/* hostmem.c */
void *pm_dma(struct pm_card *c, uint64_t addr, size_t *len, bool write);
bool pm_dma_read(struct pm_card *c, uint64_t addr, void *buf, size_t len);
bool pm_dma_write(struct pm_card *c, uint64_t addr, const void *buf, size_t len);
bool pm_dma_entry(struct pm_card *c, uint64_t addr, const void *entry, size_t size);

/* copy.c: into a process's memory, which may be looked at meanwhile; not for pieces that overlap. */
void pm_copy_in_order(void *dst, const void *src, size_t len);

/* admin.c, admin_obj.c, admin_link.c */
struct pm_admin_result {
	uint64_t result[2];
};
typedef uint8_t (*pm_admin_fn)(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
bool pm_admin_start(struct pm_card *c);
bool pm_admin_poll(struct pm_card *c);
uint8_t pm_admin_bad(struct pm_admin_result *r, size_t offset);
#define PM_BAD(r, type, field) pm_admin_bad(r, offsetof(type, field))
uint8_t pm_adm_create_eq(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_destroy_eq(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_create_ctx(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_destroy_ctx(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
void pm_ctx_drop(struct pm_card *c, uint32_t id);
uint8_t pm_adm_bind_db(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_unbind_db(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_create_mr(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_destroy_mr(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_create_cq(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_destroy_cq(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_create_ep(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_destroy_ep(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_reset_ep(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_create_srq(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_destroy_srq(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_create_ctr(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_destroy_ctr(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_bind_ctr(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_cancel_recv(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_mr_suspend(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_mr_resume(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_identify(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_link_query(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_link_set(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_lane_table(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_lane_ctl(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_map_query(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_map_stage(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_map_switch(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_map_abort(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_mgmt_send(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_mgmt_recv(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_standby(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_lane_test(struct pm_card *c, const void *cmd, struct pm_admin_result *r);
uint8_t pm_adm_counters(struct pm_card *c, const void *cmd, struct pm_admin_result *r);

/* eq.c */
void pm_eq_post(struct pm_card *c, uint32_t eqn, uint8_t type, uint16_t code, uint32_t id,
		uint64_t d0, uint64_t d1);
void pm_eq_post_fatal(struct pm_card *c);
void pm_eq_notify(struct pm_eq *eq, struct pm_notice *n, uint8_t type, uint16_t code, uint32_t id);
void pm_eq_news(struct pm_card *c, struct pm_notice *n, uint8_t type, uint16_t code, uint32_t id, uint64_t d0,
		uint64_t d1);
void pm_eq_drop(struct pm_card *c, unsigned int eqn);
void pm_notice_init(struct pm_notice *n);
void pm_eq_head(struct pm_card *c, unsigned int eqn, uint32_t head, bool arm);

/* cq.c */
void pm_cq_post(struct pm_cq *cq, struct pnic_cqe *e);
void pm_cq_rung(struct pm_cq *cq, uint64_t val);
void pm_cq_bury(struct pm_card *c);
void pm_cq_drop(struct pm_card *c, struct pm_cq *cq);

/* db.c */
void *pm_db_slot(struct pm_card *c, unsigned int page, unsigned int slot);
/* 0 or an admin status. The slot reads 0 afterwards. */
uint8_t pm_db_take(struct pm_card *c, struct pm_db *db, enum pm_db_kind kind, void *obj,
		   const struct pm_ctx *ctx, uint32_t page, uint32_t slot);
void pm_db_release(struct pm_card *c, struct pm_db *db);
void pm_db_zero(struct pm_card *c, struct pm_db *db);
void pm_db_look(struct pm_card *c, struct pm_db *db);
bool pm_db_scan(struct pm_card *c, bool *all_seen);
bool pm_db_scan_all(struct pm_card *c);
void pm_db_park(struct pm_card *c, bool park);

/* mr.c */
uint8_t pm_mr_check(struct pm_card *c, const struct pm_access *a, const struct pm_sg *sg);
void *pm_span_at(const struct pm_span *s, uint64_t off, size_t *len, bool write, uint8_t *status);
/*
 * Where @sg begins, if it may be written, and how many bytes from there lie together, which may be written
 * likewise: they can be fewer or more than @sg's. NULL: it may not.
 */
void *pm_mr_place(struct pm_card *c, const struct pm_access *a, const struct pm_sg *sg, size_t *room);
bool pm_span_copy(const struct pm_span *dst, uint64_t dst_off, const struct pm_span *src,
		  uint64_t src_off, size_t len, uint8_t *dst_status, uint8_t *src_status);
/* As the last step of that: in one place of memory. */
void pm_span_store(void *to, const void *from, size_t n);
void pm_mr_drop(struct pm_card *c, uint32_t index);

/* ep.c */
struct pm_ep *pm_ep_find(struct pm_card *c, uint32_t epn);
void pm_ep_stop(struct pm_ep *ep, uint8_t status);
void pm_ep_die(struct pm_ep *ep, uint8_t status);
void pm_ep_drop(struct pm_ep *ep);
void pm_ep_sq_rung(struct pm_ep *ep, uint32_t pi);
void pm_ep_recv_complete(struct pm_ep *ep, uint64_t cookie, uint8_t op, uint8_t status,
			 uint32_t len, uint64_t imm, uint32_t src_nic, uint32_t src_ep);

/* rq.c */
void pm_rq_init(struct pm_rq *rq, struct pm_card *c, uint64_t base, unsigned int log);
void pm_rq_rung(struct pm_rq *rq, uint32_t pi);
bool pm_rq_take(struct pm_rq *rq, struct pnic_rqe *rqe);
void pm_rq_flush(struct pm_ep *ep);
void pm_rq_end(struct pm_rq *rq);
void pm_srq_drop(struct pm_card *c, struct pm_srq *srq);

/* ctr.c */
void pm_ctr_rung(struct pm_ctr *ctr, uint64_t val);
void pm_ctr_add(struct pm_ctr *ctr, bool ok);
/* One more transfer of @kind (one bit of PNIC_CTR_*) at @ep is over. */
static inline void pm_ctr_count(struct pm_ep *ep, uint16_t kind, bool ok)
{
	struct pm_ctr *ctr = ep->ctr[__builtin_ctz(kind)];

	if (ctr)
		pm_ctr_add(ctr, ok);
}
void pm_ctr_unbind(struct pm_ep *ep);
void pm_ctr_drop(struct pm_card *c, struct pm_ctr *ctr);

/* sq.c */
void pm_sq_fetch(struct pm_ep *ep);
void pm_sq_flush(struct pm_ep *ep);
void pm_sq_retire(struct pm_ep *ep);
/* The completion of @s, which went well; the ring is read up to @ci_after. */
void pm_sq_post_done(struct pm_ep *ep, const struct pnic_sqe *s, uint32_t ci_after);
void pm_sq_insert(struct pm_ep *ep, struct pm_msg *m);
bool pm_sq_has_work(const struct pm_ep *ep);

/* msg.c */
struct pm_msg *pm_msg_new(struct pm_card *c, enum pm_msg_kind kind);
void pm_msg_put(struct pm_card *c, struct pm_msg *m);
struct pm_msg *pm_msg_find(struct pm_card *c, uint64_t id);
uint64_t pm_msg_id(const struct pm_msg *m);
void pm_msg_finish(struct pm_msg *m, uint8_t status);
void pm_msg_span(struct pm_msg *m, struct pm_span *s, bool write);
uint8_t pm_msg_check(struct pm_msg *m);
bool pm_msg_on_wire(const struct pm_msg *m);
uint8_t pm_status_mirror(uint8_t status);

/* tx.c */
void pm_tx_turns_init(struct pm_turns *t);
void pm_tx_kick(struct pm_ep *ep);
void pm_tx_pump(struct pm_card *c, unsigned int budget);
bool pm_tx_pending(const struct pm_card *c);
bool pm_tx_only(struct pm_card *c);
void pm_tx_ctl(struct pm_card *c, struct pm_frame *f);
struct pm_frame *pm_tx_frame(struct pm_card *c, const struct pm_wire *w, uint32_t dst_nic);
void pm_tx_abort(struct pm_msg *m);
void pm_tx_xon(struct pm_card *c);
void pm_tx_job(struct pm_msg *job);
void pm_tx_job_free(struct pm_msg *job);
void pm_tx_reset(struct pm_card *c);

/* train.c: an endpoint's next descriptors, if they can be carried out at once. How many were. */
unsigned int pm_train_run(struct pm_ep *ep);
/* The same, and the train may be kept. Then: the next descriptor, if it is like the kept one. */
bool pm_train_first(struct pm_ep *ep);
bool pm_train_again(struct pm_ep *ep);

/* rx.c */
void pm_rx_frame(struct pm_card *c, struct pm_frame *f);
bool pm_rx_gather(struct pm_card *c, const struct pm_frame *f, size_t off, void *buf, size_t len);
void pm_rx_respond(struct pm_card *c, uint32_t src_nic, uint32_t src_ep, uint32_t dst_ep,
		   uint64_t msg, uint8_t status, uint64_t result);
enum pm_rx_step { PM_RX_TAKEN, PM_RX_HOLD };
enum pm_rx_step pm_rx_request(struct pm_card *c, struct pm_flow *flow, struct pm_frame *f,
			      const struct pm_wire *w);
void pm_rx_end(struct pm_flow *flow, uint8_t local_status);

/* flow.c */
struct pm_flow *pm_flow_find(struct pm_card *c, uint32_t src_nic, uint32_t src_ep, uint32_t dst_ep);
struct pm_flow *pm_flow_get(struct pm_card *c, uint32_t src_nic, uint32_t src_ep, struct pm_ep *ep);
void pm_flow_tidy(struct pm_flow *flow);
void pm_flow_hold(struct pm_flow *flow, struct pm_frame *f);
void pm_flow_wake(struct pm_rq *rq);
void pm_flow_poison(struct pm_flow *flow, uint32_t gen);
void pm_flow_clean(struct pm_flow *flow);
void pm_flow_abort(struct pm_card *c, uint32_t src_nic, const struct pm_wire *w);
void pm_flow_end_ep(struct pm_ep *ep, uint8_t status);
void pm_flow_drop_peer(struct pm_card *c, uint32_t nic);
void pm_flow_drop_all(struct pm_card *c);
void pm_flow_reset_ep(struct pm_ep *ep);

/* rsp.c */
void pm_rsp_frame(struct pm_card *c, struct pm_frame *f, const struct pm_wire *w);
uint8_t pm_rsp_source(struct pm_card *c, const struct pm_wire *w, struct pm_sg *sg,
		      struct pm_span *s);

/* peer.c */
void pm_peer_seen(struct pm_card *c, uint32_t nic, uint32_t inc);
void pm_peer_fail(struct pm_card *c, uint32_t nic, uint8_t status, uint64_t before);
void pm_peer_announce(struct pm_card *c);
void pm_peer_link_event(struct pm_card *c, const struct pm_link_event *ev);
void pm_peer_flushed(struct pm_card *c, struct pm_frame *f);
void pm_peer_init(struct pm_card *c);


/* fabric.c */
struct pm_card *pm_fabric_by_addr(struct pm_fabric *f, uint32_t addr);
bool pm_fabric_loops(const struct pm_fabric *f);
void pm_fabric_cable_serial(const struct pm_fabric *f, unsigned int nic, char *buf, size_t len);
void pm_fabric_xon(struct pm_fabric *f);
void pm_fabric_firmware(struct pm_fabric *f, unsigned int nic);

/* xswitch.c */
struct pm_switch *pm_switch_new(struct pm_fabric *f);
void pm_switch_free(struct pm_switch *sw);
int pm_switch_attach(struct pm_switch *sw, unsigned int nic, struct pm_port *port);
struct pm_port *pm_switch_port(struct pm_switch *sw, unsigned int nic);

static inline void pm_wire_get(struct pm_wire *w, const struct pm_frame *f)
{
	memcpy(w, f->hdr, sizeof(*w));
}

static inline void pm_wire_set(struct pm_frame *f, const struct pm_wire *w)
{
	memcpy(f->hdr, w, sizeof(*w));
}

#endif /* PM_CARD_PRIV_H */
