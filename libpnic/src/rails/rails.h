/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the files of the rails share.
 *
 * domain.c	the cards: open, lost, opened again, events
 * region.c	memory on each of them
 * mrc.c	registrations that are kept
 * set.c	endpoint sets: their half on each rail comes and goes with the card
 * peer.c	peers, and how ends make themselves and their changed keys known to each other
 * post.c	transfers: from the caller's arguments to pieces on rails
 * piece.c	pieces: on which path, what becomes of one that failed
 * recv.c	messages: once, and in order
 * ask.c	whether a message has come
 * poll.c	the loop that drives all of it
 * split.c	who carries how much: arithmetic only
 */
#ifndef PNIC_RAILS_INTERNAL_H
#define PNIC_RAILS_INTERNAL_H

#include <stdbool.h>

#include <pnic_rails.h>

#include "../internal.h"

/* ------------------------------------------------------------------------- */
/* Between two ends                                                          */

/*
 * The 64-bit immediate of everything that takes a receive entry. Sequenced messages are counted for each pair of
 * sets; a write that was split arrives as several parts with one number.
 */
#define RAILS_IMM_SEQ_SHIFT	32	/* 20 bits, below: the caller's value */
#define RAILS_IMM_PART_SHIFT	52	/* 4 bits: which part */
#define RAILS_IMM_PARTS_SHIFT	56	/* 4 bits: how many there are, less one */
#define RAILS_IMM_KIND_SHIFT	60
#define RAILS_SEQ_MASK		0xfffffu
#define RAILS_WINDOW		256	/* messages between two sets that a sender has under way, a power of two */

enum rails_kind {
	RAILS_MESSAGE	= 0,	/* sequenced */
	RAILS_HELLO	= 1,	/* struct rails_hello: who speaks by the sending endpoint */
	RAILS_ASK_KEY	= 2,	/* struct rails_rekey: key of a card that was lost; what is it now? */
	RAILS_NEW_KEY	= 3,	/* struct rails_rekey */
	RAILS_RESYNC	= 4,	/* all messages before the number are over, those that did not come failed */
	RAILS_ASK_MESSAGE = 5,	/* whether a part of the message with the number has come */
	RAILS_ANSWER	= 6,	/* it has, or not */
};

struct rails_hello {
	struct pnic_rails_addr addr;
	uint32_t version;
	uint32_t answer;	/* say hello too */
	uint64_t knows;		/* rails_addr_sum() of the receiver's address, as the sender has it; 0: it has none */
};
#define RAILS_VERSION	2

/* Differs when an endpoint of the address does. */
static inline uint64_t rails_addr_sum(const struct pnic_rails_addr *a)
{
	uint64_t sum = a->id ^ a->count;
	unsigned int i;

	if (!a->id)
		return 0;
	for (i = 0; i < a->count; i++)
		sum = ((sum ^ a->gen[i]) * 0x100000001b3ull ^ (uint64_t)a->rail[i].nic << 32 ^ a->rail[i].ep) *
		      0x100000001b3ull;
	return sum | 1;
}

struct rails_rekey {
	uint64_t old_key;	/* as struct pnic_rails_key has it, of generation @old_gen */
	uint64_t new_key;	/* 0: there is no such region */
	uint32_t rail;
	uint16_t old_gen;
	uint16_t new_gen;
};

/* ------------------------------------------------------------------------- */
/* The cards                                                                 */

/* A card while it is open: kept by the domain and by every set that still has objects on it. */
struct rails_card {
	struct pnic_ctx *ctx;
	unsigned int users;
	bool silent;			/* atomic: the kernel said that it was reset or is gone, and does nothing any more */
};

/* Nothing more can be had of it. It may still be writing, until it is silent. */
static inline bool rails_card_dead(const struct rails_card *card)
{
	return __atomic_load_n(&card->silent, __ATOMIC_ACQUIRE) || pnic_ctx_dead(card->ctx);
}

struct rails_rail {
	char name[96];
	uint32_t nic;
	struct rails_card *card;	/* NULL: lost */
	uint16_t gen;			/* counts cards that were opened; read without the lock */
	uint32_t seen;			/* changes of the status page that events were made of */
	uint32_t rate, state;		/* as the last event told */
	int64_t again;			/* when to try to open it; lost */
	int64_t delay;
	bool opening;			/* a thread is about it, without the lock */
	uint64_t lost, bytes, transfers, replayed;	/* atomic */
};

#define RAILS_EVENTS	64

struct pnic_rails {
	unsigned int count;
	uint32_t partition;
	struct rails_rail rail[PNIC_RAILS_MAX];
	pthread_mutex_t lock;		/* everything of this struct, and keys of regions while they change */
	struct rails_region *regions;
	unsigned int sets, caches;
	struct pnic_rails_event events[RAILS_EVENTS];
	unsigned int event_head, event_tail, missed;
};

struct rails_region {
	struct pnic_rails_mr pub;
	struct pnic_mr *mr[PNIC_RAILS_MAX];
	struct pnic_rails_key key;	/* as it was given out first, rails that were lost then: 0 */
	uint64_t now[PNIC_RAILS_MAX];	/* key on the card that is open; atomic */
	int fd;				/* of a dma-buf, else -1 */
	uint64_t offset;
	struct pnic_mrc_region *cached;	/* of a region that a cache has given out */
	uint32_t refs;			/* its owner's, and one by each transfer that names it; atomic */
	struct rails_region *next, **link;
};

/* Looks at the cards: events, lost ones, those that can be opened again. Cheap if nothing changed. */
void rails_look(struct pnic_rails *r, int64_t now);
void rails_event(struct pnic_rails *r, unsigned int rail, uint32_t type, uint32_t value);
/* The card of a rail for a set that has no half there, with a reference; NULL: lost. */
struct rails_card *rails_card_get(struct pnic_rails *r, unsigned int rail, uint16_t *gen);
void rails_card_put(struct pnic_rails *r, struct rails_card *card);
/* Takes what the card's file has to tell: whether the card is silent. Any thread. */
bool rails_card_silent(struct rails_card *card);
/* With the lock held: regions on a card that was just opened. */
int rails_regions_renew(struct pnic_rails *r, unsigned int rail);
/* The region of a cache, watched by @watcher. -ESTALE: that is none of the cards any more; else as pnic_rails_mr_reg(). */
int rails_region_watched(struct pnic_rails *r, const struct rails_card *watcher, struct pnic_mrc_region *cached,
			 uint32_t access);
/* The last one frees it. */
void rails_region_put(struct rails_region *region);
/* What a key is now, and of which generation. -ENOENT: no such region; -EAGAIN: the rail is lost. */
int rails_region_rekey(struct pnic_rails *r, struct rails_rekey *msg);

/* ------------------------------------------------------------------------- */
/* Endpoint sets                                                             */

struct rails_list {
	struct rails_list *next, *prev;
};

static inline void rails_list_init(struct rails_list *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool rails_list_empty(const struct rails_list *l)
{
	return l->next == l;
}

static inline void rails_list_del(struct rails_list *e)
{
	e->prev->next = e->next;
	e->next->prev = e->prev;
	rails_list_init(e);
}

static inline void rails_list_add_tail(struct rails_list *l, struct rails_list *e)
{
	e->prev = l->prev;
	e->next = l;
	l->prev->next = e;
	l->prev = e;
}

static inline void rails_list_add_head(struct rails_list *l, struct rails_list *e)
{
	rails_list_add_tail(l->next, e);
}

/* All of @from to the end of @to; @from is empty then. */
static inline void rails_list_splice(struct rails_list *to, struct rails_list *from)
{
	if (rails_list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	rails_list_init(from);
}

/* The same, to a list that isn't one yet. */
static inline void rails_list_move(struct rails_list *from, struct rails_list *to)
{
	rails_list_init(to);
	rails_list_splice(to, from);
}

#define rails_entry(ptr, type, member)	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

struct rails_op;

/* A part of a transfer that one rail carries. From a pool, named in the card's completions by index and turn. */
struct rails_piece {
	struct rails_list at;		/* free; in its rail's list, or one of those that wait */
	struct rails_op *op;
	uint64_t off;
	uint32_t length;
	uint32_t turn;			/* how often this place was used */
	uint8_t rail;			/* local */
	uint8_t remote;			/* rail of the peer */
	uint8_t part, parts;		/* of a write with immediate that was split */
	bool posted;
	bool pinned;			/* to its rail and remote: a hello */
	bool probe;			/* first make sure that nothing of the last try is still on its way */
	bool ask;			/* then whether it has come */
	bool have;			/* it has */
	bool unasked;			/* the last question did not come through */
	uint32_t ask_turn;		/* which question the answer must be to */
	int64_t asked, ask_delay;	/* since when one is under way, 0: none is; and when to ask again */
};

/* A transfer. */
struct rails_op {
	struct rails_list at;		/* free, held, feeding or done list */
	struct rails_peer *peer;
	uint64_t cookie;
	const uint8_t *buf;
	struct rails_region *region;	/* with a reference; NULL: @staged */
	uint8_t *staged;		/* copied bytes in send memory; NULL: none, or in @small */
	uint64_t length;		/* of the caller's bytes */
	uint64_t raddr;
	uint64_t cut;			/* bytes that pieces were made of */
	uint64_t value, compare;	/* atomics, signals; @value becomes the result */
	uint64_t sig_addr;
	uint64_t order;			/* of the peer's transfers */
	int64_t deadline;		/* 0: nothing failed yet */
	uint32_t sig_op;
	uint32_t imm;
	uint32_t seq;
	uint32_t hdr_length;
	uint32_t pieces;		/* not over */
	uint8_t type;			/* enum pnic_rails_op */
	uint8_t kind;			/* enum rails_kind */
	uint8_t flags;
	uint8_t status;			/* of the first failure that stands */
	uint8_t last;			/* of the last try */
	uint8_t rail;
	uint8_t tries;
	bool internal;
	bool unpinned;			/* a hello that may go any way */
	bool whole;			/* all bytes were cut in one go: the pieces carry the notice */
	bool noticed;			/* the notice by itself was made */
	bool feeding;
	bool no_region;			/* the peer says that there is none with that key */
	struct pnic_rails_key rkey, sig_key;
	bool probe;			/* a hello by which it is seen that nothing is on its way to @probed any more */
	uint8_t probed;			/* rail of the peer */
	struct rails_list blocked;	/* pieces that go on when this probe is through */
	struct rails_list own;		/* in the set's list of the library's own */
	uint8_t small[PNIC_SQE_MAX_INLINE];
};

/* One local rail's way to one of the peer's. */
struct rails_path {
	int64_t down_until;		/* 0: good */
	int64_t greeting;		/* since when a hello is on its way; 0: none is */
	uint8_t failures;
	bool greeted;			/* messages may go */
	bool suspect;			/* the far card had trouble: its endpoint may be another's by now, so it has to answer */
};

struct rails_slot {			/* of a peer's reorder window */
	uint16_t have;			/* parts */
	uint16_t want;			/* 0: nothing came yet */
	uint32_t imm;
	uint32_t length;
	bool is_send;
	void *data;			/* a copy of the message's bytes */
};

struct rails_rename {			/* key that isn't what it was, or may not be */
	struct rails_rename *next;
	uint64_t old_key, new_key;
	uint16_t old_gen, new_gen;
	uint8_t rail;
	enum { RAILS_ASKED, RAILS_KNOWN, RAILS_NO_REGION } state;
	int64_t asked;
};

struct rails_peer {
	struct pnic_rails_peer pub;
	struct rails_set *set;
	struct rails_peer *next, **link;	/* of the set */
	struct rails_peer *by_id;		/* hash chain */
	struct rails_path path[PNIC_RAILS_MAX][PNIC_RAILS_MAX];
	uint32_t tx_next, tx_una;		/* sequence numbers, free running */
	uint64_t tx_done[RAILS_WINDOW / 64];
	uint32_t rx_next;
	uint32_t skip_to;			/* resync that waits for messages to be delivered */
	bool skipping;
	bool skip_noted;			/* the next resync, which waits until what came before it was seen ... */
	uint32_t skip_next;
	uint32_t skip_wait;			/* ... on these rails */
	struct rails_slot *window;		/* NULL: nothing ever came out of order */
	struct rails_rename *renames;
	uint64_t posted, over, told_of;		/* transfers; how many of them: for fences, and the caller knows the end */
	struct rails_list held;			/* ops that may not begin yet, in order */
	unsigned int unreleased;		/* messages that the caller has */
	bool told;				/* it has an address of ours, and is told of a new one */
	bool untold;				/* ... which didn't come through yet */
	bool resync;				/* messages failed: before the next it must know which */
	uint32_t resync_to;			/* the number behind the last of them */
	bool resyncing;
	struct rails_list ready;		/* in the set's list of those with messages to deliver */
};

struct rails_rxbuf {
	uint8_t *data;
	uint32_t index;
	uint8_t rail;
	bool posted;
	bool late;				/* in the set's list of those that wait for memory; @in says what came */
	struct rails_peer *held;		/* whose message the caller has */
	struct rails_list at;
	struct pnic_wc in;
};

/* A message that came out of order: its bytes, until the caller releases them. */
struct rails_copy {
	uint32_t magic;
	struct rails_peer *held;
	uint8_t data[];
};
#define RAILS_COPY	0x79706f63u

/* The set's half on one rail. */
struct rails_half {
	struct rails_card *card;		/* NULL: none now */
	uint16_t gen;
	struct pnic_cq *cq;
	struct pnic_ep *ep;
	struct pnic_mr *tx_mr, *rx_mr;
	struct rails_list out;			/* pieces under way */
	uint64_t load;				/* bytes of them, and a little for each */
	uint32_t rate, rate_rx;
	uint32_t changes;			/* of the status page, when they were looked up */
	bool link;
	bool dirty;				/* rung later */
	bool dying;				/* the card is lost: nothing is posted, and what still comes is taken */
	bool silent;				/* nothing more comes: over when the queue was seen empty since */
	int64_t died;
	int64_t again, delay;			/* it could not be made: when to try once more; 0: it could */
};

static inline bool rails_half_up(const struct rails_half *h)
{
	return h->card && !h->dying;
}

#define RAILS_QUESTIONS	256

/* A peer asks whether a message has come. */
struct rails_question {
	struct rails_peer *peer;
	uint32_t seq, imm;
	uint32_t wait;				/* rails whose queues were not seen empty since it came */
};

#define RAILS_HASH	1024

struct rails_source {				/* by which endpoint a peer speaks */
	struct rails_source *next;
	struct pnic_addr addr;
	struct rails_peer *peer;
};

struct rails_set {
	struct pnic_rails *rails;
	struct pnic_rails_ep_attr attr;
	uint64_t id;
	struct rails_half half[PNIC_RAILS_MAX];
	struct rails_op *ops;
	struct rails_piece *pieces;
	uint32_t piece_count, pieces_free;
	struct rails_list free_ops, free_pieces;
	struct rails_list feeding;		/* ops with bytes that no piece has yet */
	struct rails_list waiting;		/* pieces without a path or ring space */
	struct rails_list internals;		/* ops of the library's own */
	struct rails_list done;			/* ops that are over and not told */
	struct rails_list ready;		/* peers with messages to deliver */
	struct rails_list late;			/* receive buffers with messages that there was no memory for */
	uint8_t *tx_mem, *rx_mem;
	size_t tx_len, rx_len;
	uint8_t **tx_free;
	uint32_t tx_count;
	struct rails_rxbuf *rxbufs;		/* by rail and index */
	/*
	 * How far ahead a message may come, a power of two: those that the sender has under way, and those that were
	 * over for it and lie in the receive buffers of all rails, not polled yet.
	 */
	uint32_t window;
	struct rails_peer *peers;
	struct rails_peer *by_id[RAILS_HASH];
	struct rails_source *by_source[RAILS_HASH];
	int epoll, eventfd, timerfd;
	uint32_t turns;
	uint64_t told_addr;			/* sum of our address, and what it can take, when peers were told last */
	uint32_t told_rate[PNIC_RAILS_MAX];
	int64_t now;				/* of the last look at the clock */
	int64_t looked;				/* when the cards were looked at */
	unsigned int crowded;			/* pieces that found no room in their ring, in this round */
	bool stir;				/* something happened: those that wait may go on */
	struct rails_question questions[RAILS_QUESTIONS];
	unsigned int nr_questions;
	unsigned int skips;			/* questions, and peers with @skip_noted */
	bool troubled;				/* some peer must be told which messages failed */
};

static inline struct rails_set *rails_set(const struct pnic_rails_ep *ep)
{
	return (struct rails_set *)(uintptr_t)ep;
}

static inline struct rails_peer *rails_peer(const struct pnic_rails_peer *peer)
{
	return (struct rails_peer *)(uintptr_t)peer;
}

static inline struct rails_region *rails_region(const struct pnic_rails_mr *mr)
{
	return (struct rails_region *)(uintptr_t)mr;
}

/* set.c */
int rails_half_make(struct rails_set *s, unsigned int rail);
void rails_half_drop(struct rails_set *s, unsigned int rail);
void rails_half_rate(struct rails_half *h);
void rails_own_addr(struct rails_set *s, struct pnic_rails_addr *addr);

/* peer.c */
struct rails_peer *rails_peer_by_source(struct rails_set *s, struct pnic_addr from);
void rails_peer_free(struct rails_peer *p);
void rails_got_hello(struct rails_set *s, unsigned int rail, struct pnic_addr from, const void *data, uint32_t length);
void rails_got_rekey(struct rails_peer *p, enum rails_kind kind, const void *data, uint32_t length);
/* The key on the peer's rail, now. -EAGAIN: asked for; -ENOENT: there is no such region any more. */
int rails_peer_key(struct rails_peer *p, unsigned int remote, const struct pnic_rails_key *key, uint64_t *now);
/* The peer said that there is no such key, though we thought so: ask. 0: wait for the answer; -ENOENT: it knows better. */
int rails_peer_doubt(struct rails_peer *p, unsigned int remote, const struct pnic_rails_key *key);
/* A hello over one path. */
struct rails_op *rails_hello(struct rails_peer *p, unsigned int rail, unsigned int remote, bool answer);
/* Messages may go by the path; else a hello was sent, or is on its way. */
bool rails_greeted(struct rails_peer *p, unsigned int rail, unsigned int remote);
/* Our address or rates changed: those who know the old ones are told. */
void rails_tell(struct rails_set *s);
void rails_tell_peer(struct rails_peer *p);
void rails_path_failed(struct rails_peer *p, unsigned int rail, unsigned int remote, uint8_t status);
/* Ways by a half that is new. */
void rails_paths_reset(struct rails_set *s, unsigned int rail);

/* post.c */
void rails_op_over(struct rails_op *op);
void rails_op_put(struct rails_op *op);
void rails_feed(struct rails_set *s);
void rails_unhold(struct rails_peer *p);
void rails_resync(struct rails_peer *p);
/* A message of the library's own; rails_say() has it go whatever way there is, or ends it as failed. */
struct rails_op *rails_internal(struct rails_peer *p, enum rails_kind kind, const void *data, uint32_t length);
void rails_say(struct rails_op *op);
/* All the op's pieces are over: what comes next. */
void rails_op_step(struct rails_op *op);

/* piece.c */
struct rails_piece *rails_piece_new(struct rails_op *op, uint64_t off, uint32_t length);
/* Posts it, or has it wait. */
void rails_piece_go(struct rails_piece *pc);
void rails_piece_end(struct rails_piece *pc, const struct pnic_wc *wc);
struct rails_piece *rails_piece_of(struct rails_set *s, uint64_t cookie);
/* The card is gone and all its completions were taken: what becomes of what was under way. */
void rails_pieces_lost(struct rails_set *s, unsigned int rail);
/* Those that wait, once more. */
void rails_retry(struct rails_set *s);
/* A probe came through: nothing that was sent before it is on its way any more. */
void rails_unblock(struct rails_op *probe);
/* The remote rail that a local one would use; @op: whose key it needs, or NULL. False: none. */
bool rails_remote(struct rails_peer *p, struct rails_op *op, unsigned int rail, unsigned int *remote);
void rails_ring(struct rails_set *s);

/* recv.c */
/* Takes a receive completion; 1: @out is a message for the caller. */
int rails_received(struct rails_set *s, unsigned int rail, const struct pnic_wc *in, struct pnic_rails_wc *out);
/* Messages that wait for their turn no more. */
int rails_deliver(struct rails_set *s, struct pnic_rails_wc *wc, int max);
/* Once more, messages that there was no memory for: how many are in @wc now. */
int rails_late(struct rails_set *s, struct pnic_rails_wc *wc, int max);
void rails_rx_post(struct rails_set *s, struct rails_rxbuf *b);
/* The sender is through with all before @seq, whether they came or not. */
void rails_got_resync(struct rails_peer *p, uint32_t seq);
void rails_seen_empty(struct rails_set *s, unsigned int i);
void rails_skip(struct rails_set *s);
/* A part of a message was taken, told of or not. */
bool rails_have(struct rails_peer *p, uint32_t seq, uint32_t part);
void rails_window_free(struct rails_peer *p);
/* Nothing of the peer waits in it. */
bool rails_window_empty(const struct rails_peer *p);

/* ask.c */
/* Whether to repeat the piece, whose end isn't known, might write over what its memory is used for by now. */
bool rails_must_ask(const struct rails_piece *pc);
/* Asks, now and then. False: the last question did not come through, and the piece's time goes on. */
bool rails_ask(struct rails_piece *pc);
/* The question came through, or did not. */
void rails_ask_over(const struct rails_op *op);
void rails_got_answer(struct rails_peer *p, uint32_t seq, uint32_t imm);
void rails_got_question(struct rails_peer *p, uint32_t seq, uint32_t imm);
/* The queue of a rail was seen empty; those for which all were are answered. */
void rails_questions_seen(struct rails_set *s, unsigned int rail);
void rails_answer(struct rails_set *s);

/* split.c */
#define RAILS_GRAIN	4096u
/*
 * Splits @length bytes over @n rails with rates @rate (0: not this one) and bytes already under way @load, so that all are done at the same
 * time if they can be. Shares are multiples of @grain but for the last that has one. Returns how many have a share.
 */
unsigned int rails_split(unsigned int n, const uint32_t *rate, const uint64_t *load, uint64_t length, uint32_t grain,
			 uint64_t *share);

#endif /* PNIC_RAILS_INTERNAL_H */
