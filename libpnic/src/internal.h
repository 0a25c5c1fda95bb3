/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the library's files share: the private halves of the objects, whose
 * first member is the public one, and error texts.
 */
#ifndef PNIC_INTERNAL_H
#define PNIC_INTERNAL_H

#include <pthread.h>

#include <pnic.h>

#include "backend.h"

#define PNIC_DB_PAGE		4096
#define PNIC_DEF_SQ_SLOTS	256
#define PNIC_EXPORT		__attribute__((visibility("default")))

/* A doorbell page and its wake page, mapped once for all queues that have slots in it. */
struct pnic_page {
	struct pnic_page *next;
	uint64_t db_offset;
	volatile uint64_t *db;
	volatile uint32_t *wake;	/* NULL: the card does not park */
};

struct pnic_mr_priv {
	struct pnic_mr pub;
	uint32_t handle;
	struct pnic_mrc_region *cached;	/* of a region that a cache has given out */
	struct pnic_mr_priv *next, **link;
};

struct pnic_cq_priv {
	struct pnic_cq pub;
	uint32_t handle;
	uint32_t users;			/* endpoints, twice if both directions */
	uint32_t claimed;		/* entries that endpoints may fill */
	uint32_t stale;			/* entries claimed by endpoints that are gone, ... */
	uint32_t stale_end;		/* ... until the consumer index is here */
	uint64_t db_last;		/* value last stored in the slot by pnic_arm() */
	int eventfd;			/* -1: none */
	bool own_eventfd;
	uint32_t spin_us;
	size_t ring_length;
	const struct pnic_page *page;
	struct pnic_cq_priv *next, **link;
};

/* A completion queue that messages of a shared receive queue go to. */
struct pnic_srq_cq {
	struct pnic_srq_cq *next;
	struct pnic_cq_priv *cq;
	uint32_t users;			/* endpoints */
	uint32_t stale;			/* entries of endpoints that are gone, not polled before ... */
	uint32_t stale_end;		/* ... the consumer index is here */
};

/* Which places of a receive ring were cancelled, by index modulo its size; NULL: none ever was. */
struct pnic_cancelled {
	uint8_t *at;
	uint32_t count;
};

struct pnic_srq_priv {
	struct pnic_srq pub;
	uint32_t handle;
	uint32_t users;
	size_t ring_length;
	struct pnic_cancelled cancelled;
	struct pnic_srq_cq *cqs;
	struct pnic_srq_priv *next, **link;
};

struct pnic_ctr_priv {
	struct pnic_ctr pub;
	uint32_t handle;
	uint32_t users;			/* kinds of endpoints */
	int eventfd;
	bool own_eventfd;
	uint32_t spin_us;
	uint64_t db_last;
	size_t mem_length;
	volatile uint64_t *db;
	const struct pnic_page *page;
	struct pnic_ctr_priv *next, **link;
};

#define PNIC_CTR_KINDS	7

struct pnic_ep_priv {
	struct pnic_ep pub;
	uint32_t handle;
	struct pnic_srq_priv *srq;	/* NULL: a ring of its own */
	struct pnic_cancelled cancelled;
	struct pnic_ctr_priv *ctrs[PNIC_CTR_KINDS];
	uint32_t sq_claim, rq_claim;	/* of the queues' entries */
	uint32_t reset_end;		/* send queue's entries before this index are from before the last reset */
	bool was_reset;
	size_t sq_length, rq_length;
	struct pnic_ep_priv *next, **link;
};

struct pnic_ctx_priv {
	struct pnic_ctx pub;
	char name[32];
	struct pnic_dev *dev;
	struct pnic_ioc_info info;
	void *status_mem;
	const volatile struct pnic_ctx_page *page;	/* NULL: the kernel has none */
	struct pnic_ep **eps;		/* by number; read by pollers without the lock */
	uint32_t ep_count;
	pthread_mutex_t lock;		/* everything below */
	struct pnic_page *pages;
	struct pnic_mr_priv *mrs;
	struct pnic_cq_priv *cqs;
	struct pnic_ep_priv *endpoints;
	struct pnic_srq_priv *srqs;
	struct pnic_ctr_priv *ctrs;
	pthread_mutex_t mrc_lock;	/* all region caches, taken before @lock */
	struct pnic_mrc *mrcs;
	uint32_t stale_seen;		/* of @page */
};

static inline struct pnic_ctx_priv *pnic_ctx_priv(const struct pnic_ctx *ctx)
{
	return (struct pnic_ctx_priv *)(uintptr_t)ctx;
}

static inline struct pnic_mr_priv *pnic_mr_priv(const struct pnic_mr *mr)
{
	return (struct pnic_mr_priv *)(uintptr_t)mr;
}

static inline struct pnic_cq_priv *pnic_cq_priv(const struct pnic_cq *cq)
{
	return (struct pnic_cq_priv *)(uintptr_t)cq;
}

static inline struct pnic_ep_priv *pnic_ep_priv(const struct pnic_ep *ep)
{
	return (struct pnic_ep_priv *)(uintptr_t)ep;
}

static inline struct pnic_srq_priv *pnic_srq_priv(const struct pnic_srq *srq)
{
	return (struct pnic_srq_priv *)(uintptr_t)srq;
}

static inline struct pnic_ctr_priv *pnic_ctr_priv(const struct pnic_ctr *ctr)
{
	return (struct pnic_ctr_priv *)(uintptr_t)ctr;
}

/* Objects of a context stand in lists, so that pnic_close() finds them. */
#define PNIC_LIST_ADD(head, obj) do {			\
	(obj)->next = *(head);				\
	(obj)->link = (head);				\
	if ((obj)->next)				\
		(obj)->next->link = &(obj)->next;	\
	*(head) = (obj);				\
} while (0)

#define PNIC_LIST_DEL(obj) do {				\
	*(obj)->link = (obj)->next;			\
	if ((obj)->next)				\
		(obj)->next->link = (obj)->link;	\
} while (0)

/* Takes the first off: the same for who reads it without knowing that its link is the head. */
#define PNIC_LIST_POP(head) do {			\
	*(head) = (*(head))->next;			\
	if (*(head))					\
		(*(head))->link = (head);		\
} while (0)

/* Sets the text of pnic_last_error(); returns @err, so that it can end a function. */
int pnic_fail(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define PNIC_ATTR_MAX	4096u

/*
 * Attribute structs are extended at their end: copies @size bytes of the caller's to @dst, which is
 * @dst_size and zeroed. -EINVAL for a struct shorter than @min, longer than a page or with a tail that isn't 0.
 */
int pnic_copy_attr(void *dst, size_t dst_size, size_t min, const void *src, uint32_t size);

/* pnic_open() over any backend: for it, and for tests. */
int pnic_open_backend(const struct pnic_backend *ops, const char *name, const struct pnic_open_attr *attr,
		      struct pnic_ctx **ctx);
int pnic_ctx_command(struct pnic_ctx_priv *priv, unsigned int cmd, void *arg);
/* Destroys a queue, counter or endpoint. 0 too if the card is gone or was reset: then only our half is left of it. */
int pnic_ctx_destroy(struct pnic_ctx_priv *priv, unsigned int cmd, uint32_t handle);
int pnic_page_get(struct pnic_ctx_priv *priv, uint64_t db_offset, uint64_t wake_offset,
		  const struct pnic_page **page);
/* Calls @fn for each entry of @cq that is there and not polled; returns the index after the last. */
uint32_t pnic_cq_walk(const struct pnic_cq *cq, void (*fn)(struct pnic_cqe *cqe, void *arg), void *arg);
/* What belongs to the object only, when the card has let go of it. */
void pnic_cq_free(struct pnic_cq_priv *cq);
void pnic_ep_free(struct pnic_ep_priv *ep);
void pnic_srq_free(struct pnic_srq_priv *srq);
void pnic_ctr_free(struct pnic_ctr_priv *ctr);

/* pnic_mr_reg() of checked arguments; @access may have PNIC_MRF_WATCH. */
int pnic_mr_register(struct pnic_ctx *ctx, void *addr, uint64_t length, uint32_t access, struct pnic_mr_priv **mr);
/* All caches of a context that is closed. */
void pnic_mrc_free_all(struct pnic_ctx_priv *priv);

/* How many entries of the queue nobody has claimed. */
uint32_t pnic_cq_unclaimed(struct pnic_cq_priv *cq);

/*
 * srq.c, with the context's lock held. use(): an endpoint that completes to @cq comes; -ENOSPC, -ENOMEM. unuse(): it
 * goes, and has left @recvs receives unpolled in @cq, before consumer index @end.
 */
int pnic_srq_use(struct pnic_srq_priv *srq, struct pnic_cq_priv *cq);
void pnic_srq_unuse(struct pnic_srq_priv *srq, struct pnic_cq_priv *cq, uint32_t recvs, uint32_t end);
/* @cq is destroyed. */
void pnic_srq_forget_cq(struct pnic_ctx_priv *priv, struct pnic_cq_priv *cq);
void pnic_ctr_leave(struct pnic_ep_priv *ep);

/* wait.c: microseconds of a clock that only goes on; a moment's rest in a loop. */
int64_t pnic_now_us(void);
void pnic_relax(void);
/* How long to sleep now, at most a slice; 0: the time is over. */
int pnic_slice_ms(int64_t deadline_us);
/* Until when to spin before a sleep: @spin_us from @now, but not beyond the deadline; -1: there is none. */
int64_t pnic_spin_end(int64_t now, uint32_t spin_us, int64_t deadline_us);
/* The context is dead: -ENODEV if the card is gone, else -EIO. */
int pnic_over(struct pnic_ctx_priv *priv);
#define PNIC_SPIN_BATCH		32	/* looks between two looks at the clock */

/* The name of the first card in the order of pnic_list(). -ENODEV. */
int pnic_first_device(char *name, size_t size);

#endif /* PNIC_INTERNAL_H */
