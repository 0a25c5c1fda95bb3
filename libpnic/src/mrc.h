/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the two region caches share: that of a context (mrc.c) and that of rails (rails/mrc.c).
 *
 * A cache is attached to the context whose kernel file watches its memory. All caches of a context have its mrc_lock.
 */
#ifndef PNIC_MRC_H
#define PNIC_MRC_H

#include "internal.h"

struct pnic_mrc_region {
	union {				/* what @ops->reg made */
		struct pnic_mr *mr;
		struct pnic_rails_mr *rails_mr;
	};
	uint32_t handle;		/* of the registration that is watched */
	uint64_t start, end;
	uint32_t users;
	bool indexed;			/* in mrc->index; else it goes with its last user */
	struct pnic_mrc_region *older, *newer;	/* in the list of those that nobody holds */
};

/* Both with mrc_lock. @reg: registers [r->start, r->end) with c->access, watched; negative errno. */
struct pnic_mrc_ops {
	int (*reg)(struct pnic_mrc *c, struct pnic_mrc_region *r);
	void (*dereg)(struct pnic_mrc_region *r);
};

struct pnic_mrc {
	const struct pnic_mrc_ops *ops;
	struct pnic_ctx_priv *priv;
	uint32_t access, max_regions;
	uint64_t max_bytes;
	struct pnic_mrc_region **index;	/* by address */
	size_t count, room;
	struct pnic_mrc_region *oldest, *newest;
	uint32_t idle;
	uint64_t idle_bytes;
	uint32_t held;			/* regions with users */
	struct pnic_mrc_stats stats;
	struct pnic_mrc *next;
};

/* -EINVAL with a message that begins with @whose. */
int pnic_mrc_init(struct pnic_mrc *c, const struct pnic_mrc_ops *ops, const struct pnic_mrc_attr *attr, const char *whose);
void pnic_mrc_fini(struct pnic_mrc *c);
void pnic_mrc_attach(struct pnic_mrc *c, struct pnic_ctx_priv *priv);
/* All regions go; those with users when these have released them. */
void pnic_mrc_detach(struct pnic_mrc *c);

/* While it is attached; pnic_mrc_release() too. */
int pnic_mrc_hold(struct pnic_mrc *c, void *addr, uint64_t length, struct pnic_mrc_region **held);
void pnic_mrc_release(struct pnic_mrc *c, struct pnic_mrc_region *r);
void pnic_mrc_ask(struct pnic_mrc *c, struct pnic_mrc_stats *stats);

#endif /* PNIC_MRC_H */
