/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Tag matching: which receive takes which message.
 *
 * A receive has a tag, bits of it that it ignores, and a source or any; a message has a tag and a source. A message
 * takes the receive that was posted first of those that fit, a receive the message that came first.
 *
 * Receives that ignore the same bits are a class, and a class hashes what it doesn't ignore: programs use two or three
 * classes (exact, any tag, all but a protocol's bits), so that both look-ups touch one bucket for each. Classes beyond
 * MATCH_CLASSES are searched one by one. Nothing here allocates but the buckets; no lock.
 */
#ifndef PFI_MATCH_H
#define PFI_MATCH_H

#include <stdint.h>

#include "list.h"

#define MATCH_CLASSES	4
#define MATCH_ANY	UINT64_MAX	/* as a source: any, or not known */

/* A receive: the first three by the caller. */
struct match_rx {
	uint64_t tag, ignore, src;
	uint64_t seq;
	uint32_t class;			/* MATCH_CLASSES: none */
	struct pfi_link bucket;		/* in its class */
	struct pfi_link all;
};

/* A message that nobody waited for: the first two by the caller. */
struct match_ux {
	uint64_t tag, src;
	struct pfi_link bucket[MATCH_CLASSES];
	struct pfi_link all;
};

struct match_class {
	uint64_t ignore;
	uint32_t posted;		/* receives in it */
	uint32_t mask;			/* buckets - 1 */
	struct pfi_link *rx, *ux;	/* buckets */
};

struct match {
	struct match_class class[MATCH_CLASSES];
	uint32_t classes;
	struct pfi_link odd;		/* receives of further classes */
	struct pfi_link posted, unexpected;	/* all, oldest first */
	uint64_t seq;
	uint64_t posted_count, unexpected_count;
};

void match_init(struct match *m);
/* What is still in it is the caller's. */
void match_fini(struct match *m);

/** match_post - @rx waits for a message; look with match_search() before */
void match_post(struct match *m, struct match_rx *rx);
void match_withdraw(struct match *m, struct match_rx *rx);

/** match_arrive - the receive that takes a message, or NULL. It stays posted: match_withdraw() */
struct match_rx *match_arrive(const struct match *m, uint64_t tag, uint64_t src);

/** match_keep - nobody waited for @ux */
void match_keep(struct match *m, struct match_ux *ux);
void match_drop(struct match *m, struct match_ux *ux);

/** match_search - the oldest unexpected message that fits, or NULL. It stays: match_drop() */
struct match_ux *match_search(struct match *m, uint64_t tag, uint64_t ignore, uint64_t src);

#endif /* PFI_MATCH_H */
