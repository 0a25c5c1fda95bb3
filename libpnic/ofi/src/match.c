// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/* Tag matching: see match.h. */
#include <stdlib.h>

#include "match.h"

#define MATCH_BUCKETS	256

static uint32_t match_hash(const struct match_class *c, uint64_t tag)
{
	uint64_t h = (tag & ~c->ignore) * 0x9e3779b97f4a7c15ull;

	return (uint32_t)(h >> 40) & c->mask;
}

void match_init(struct match *m)
{
	m->classes = 0;
	m->seq = 0;
	m->posted_count = 0;
	m->unexpected_count = 0;
	pfi_list_init(&m->odd);
	pfi_list_init(&m->posted);
	pfi_list_init(&m->unexpected);
}

void match_fini(struct match *m)
{
	uint32_t i;

	for (i = 0; i < m->classes; i++)
		free(m->class[i].rx);
	m->classes = 0;
}

static struct match_class *match_class_find(struct match *m, uint64_t ignore)
{
	uint32_t i;

	for (i = 0; i < m->classes; i++)
		if (m->class[i].ignore == ignore)
			return &m->class[i];
	return NULL;
}

/* The class for @ignore, made if there is room for it, with the messages that are there already. */
static struct match_class *match_class_get(struct match *m, uint64_t ignore)
{
	struct match_class *c = match_class_find(m, ignore);
	uint32_t i, buckets = ignore == UINT64_MAX ? 1 : MATCH_BUCKETS;
	struct pfi_link *pos;
	struct match_ux *ux;

	if (c || m->classes == MATCH_CLASSES)
		return c;
	c = &m->class[m->classes];
	c->rx = malloc(2 * buckets * sizeof(*c->rx));
	if (!c->rx)
		return NULL;	/* slower, not wrong */
	c->ux = c->rx + buckets;
	for (i = 0; i < 2 * buckets; i++)
		pfi_list_init(&c->rx[i]);
	c->ignore = ignore;
	c->posted = 0;
	c->mask = buckets - 1;
	pfi_list_for(pos, &m->unexpected) {
		ux = pfi_entry(pos, struct match_ux, all);
		pfi_list_add_tail(&c->ux[match_hash(c, ux->tag)], &ux->bucket[m->classes]);
	}
	m->classes++;
	return c;
}

static bool match_fits(uint64_t rx_tag, uint64_t ignore, uint64_t rx_src, uint64_t tag, uint64_t src)
{
	return !((rx_tag ^ tag) & ~ignore) && (rx_src == MATCH_ANY || rx_src == src);
}

void match_post(struct match *m, struct match_rx *rx)
{
	struct match_class *c = match_class_get(m, rx->ignore);

	rx->seq = m->seq++;
	if (c) {
		pfi_list_add_tail(&c->rx[match_hash(c, rx->tag)], &rx->bucket);
		c->posted++;
		rx->class = (uint32_t)(c - m->class);
	} else {
		rx->class = MATCH_CLASSES;
		pfi_list_add_tail(&m->odd, &rx->bucket);
	}
	pfi_list_add_tail(&m->posted, &rx->all);
	m->posted_count++;
}

void match_withdraw(struct match *m, struct match_rx *rx)
{
	if (rx->class < MATCH_CLASSES)
		m->class[rx->class].posted--;
	pfi_list_del(&rx->bucket);
	pfi_list_del(&rx->all);
	m->posted_count--;
}

static struct match_rx *match_first(const struct pfi_link *bucket, uint64_t tag, uint64_t src)
{
	struct pfi_link *pos;
	struct match_rx *rx;

	pfi_list_for(pos, bucket) {
		rx = pfi_entry(pos, struct match_rx, bucket);
		if (match_fits(rx->tag, rx->ignore, rx->src, tag, src))
			return rx;
	}
	return NULL;
}

struct match_rx *match_arrive(const struct match *m, uint64_t tag, uint64_t src)
{
	struct match_rx *best = NULL, *rx;
	uint32_t i;

	for (i = 0; i < m->classes; i++) {
		if (!m->class[i].posted)
			continue;
		rx = match_first(&m->class[i].rx[match_hash(&m->class[i], tag)], tag, src);
		if (rx && (!best || rx->seq < best->seq))
			best = rx;
	}
	if (!pfi_list_empty(&m->odd)) {
		rx = match_first(&m->odd, tag, src);
		if (rx && (!best || rx->seq < best->seq))
			best = rx;
	}
	return best;
}

void match_keep(struct match *m, struct match_ux *ux)
{
	uint32_t i;

	for (i = 0; i < MATCH_CLASSES; i++) {
		if (i < m->classes)
			pfi_list_add_tail(&m->class[i].ux[match_hash(&m->class[i], ux->tag)], &ux->bucket[i]);
		else
			pfi_list_init(&ux->bucket[i]);
	}
	pfi_list_add_tail(&m->unexpected, &ux->all);
	m->unexpected_count++;
}

void match_drop(struct match *m, struct match_ux *ux)
{
	uint32_t i;

	for (i = 0; i < MATCH_CLASSES; i++)
		pfi_list_del(&ux->bucket[i]);
	pfi_list_del(&ux->all);
	m->unexpected_count--;
}

struct match_ux *match_search(struct match *m, uint64_t tag, uint64_t ignore, uint64_t src)
{
	struct match_class *c;
	struct pfi_link *pos, *bucket;
	struct match_ux *ux;
	uint32_t i;

	if (pfi_list_empty(&m->unexpected))
		return NULL;
	c = match_class_get(m, ignore);
	if (c) {
		i = (uint32_t)(c - m->class);
		bucket = &c->ux[match_hash(c, tag)];
		pfi_list_for(pos, bucket) {
			ux = pfi_entry(pos - i, struct match_ux, bucket);
			if (match_fits(tag, ignore, src, ux->tag, ux->src))
				return ux;
		}
		return NULL;
	}
	pfi_list_for(pos, &m->unexpected) {
		ux = pfi_entry(pos, struct match_ux, all);
		if (match_fits(tag, ignore, src, ux->tag, ux->src))
			return ux;
	}
	return NULL;
}
