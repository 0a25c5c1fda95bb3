// SPDX-License-Identifier: GPL-2.0
/*
 * Memory regions: registration, key checks, and from an address in a region to host memory.
 *
 * The key is looked up again for every piece of a transfer, so that DESTROY_MR has nothing
 * to wait for: the next access finds no key.
 */
#include <stdlib.h>

#include "card_priv.h"

#define KEY_INDEX	0xffffffull
#define ROOM_MAX	65536u	/* of one piece: it is looked for page by page */
#define PBL_PER_PAGE	(PNIC_PAGE_SIZE / 8)

static uint32_t region_pages(uint64_t va, uint64_t length, unsigned int shift, uint64_t *pages)
{
	uint64_t first = va >> shift, last = (va + length - 1) >> shift;

	*pages = last - first + 1;
	return *pages <= PM_MAX_MR_PAGES;
}

static uint8_t check_fields(const struct pnic_adm_create_mr *k, struct pm_admin_result *r)
{
	uint64_t va = le64toh(k->va), length = le64toh(k->length), key = le64toh(k->key);
	uint32_t index = le32toh(k->index), ctx = le32toh(k->ctx);
	uint64_t pages;

	if (index >= PM_MAX_MR)
		return PM_BAD(r, struct pnic_adm_create_mr, index);
	if (!ctx || ctx > PM_MAX_CTX)
		return PM_BAD(r, struct pnic_adm_create_mr, ctx);
	if ((key & KEY_INDEX) != index || !(key >> 24))
		return PM_BAD(r, struct pnic_adm_create_mr, key);
	if (!length || va + (length - 1) < va)
		return PM_BAD(r, struct pnic_adm_create_mr, length);
	if (k->page_shift < 12 || k->page_shift > PM_PAGE_SHIFT_MAX)
		return PM_BAD(r, struct pnic_adm_create_mr, page_shift);
	if (k->rights & ~0x1f)
		return PM_BAD(r, struct pnic_adm_create_mr, rights);
	if (k->pbl_kind > PNIC_PBL_PAGES)
		return PM_BAD(r, struct pnic_adm_create_mr, pbl_kind);
	if (!region_pages(va, length, k->page_shift, &pages) || le32toh(k->num_pages) != pages)
		return PM_BAD(r, struct pnic_adm_create_mr, num_pages);
	if (le64toh(k->pbl) & (k->pbl_kind == PNIC_PBL_PAGES ? 4095 : 7))
		return PM_BAD(r, struct pnic_adm_create_mr, pbl);
	return PNIC_AS_OK;
}

static uint8_t read_list(struct pm_card *c, const struct pnic_adm_create_mr *k, struct pm_mr *mr,
			 struct pm_admin_result *r)
{
	uint64_t at = le64toh(k->pbl), left = mr->num_pages, done = 0;

	while (left) {
		uint64_t n = left, addr = at + 8 * done;

		if (k->pbl_kind == PNIC_PBL_PAGES) {
			__le64 e;

			addr = at + 8 * (done / PBL_PER_PAGE);
			if (!pm_dma_read(c, addr, &e, 8))
				goto fault;
			addr = le64toh(e);
			n = n < PBL_PER_PAGE ? n : PBL_PER_PAGE;
		}
		if (!pm_dma_read(c, addr, mr->pages + done, n * 8))
			goto fault;
		done += n;
		left -= n;
		continue;
fault:
		r->result[0] = addr;
		return PNIC_AS_DMA_FAULT;
	}
	for (done = 0; done < mr->num_pages; done++) {
		mr->pages[done] = le64toh(mr->pages[done]);
		if (mr->pages[done] & ((1ull << mr->page_shift) - 1))
			return PM_BAD(r, struct pnic_adm_create_mr, pbl);
	}
	return PNIC_AS_OK;
}

/* A region as @k says, not yet in the table; an admin status. */
static uint8_t make(struct pm_card *c, const struct pnic_adm_create_mr *k, struct pm_ctx *ctx,
		    struct pm_mr **made, struct pm_admin_result *r)
{
	uint32_t pages = le32toh(k->num_pages);
	struct pm_mr *mr;
	uint8_t st;

	if (c->mr_pages + pages > PM_MAX_MR_PAGES_ALL)
		return PNIC_AS_NO_RESOURCE;
	mr = malloc(sizeof(*mr) + 8ull * pages);
	if (!mr)
		return PNIC_AS_NO_RESOURCE;
	mr->key = le64toh(k->key);
	mr->va = le64toh(k->va);
	mr->length = le64toh(k->length);
	mr->ctx = ctx;
	mr->suspended = false;
	mr->num_pages = pages;
	mr->page_shift = k->page_shift;
	mr->rights = k->rights | PNIC_MR_LOCAL_READ;
	st = read_list(c, k, mr, r);
	if (st) {
		free(mr);
		return st;
	}
	*made = mr;
	return PNIC_AS_OK;
}

static void enter(struct pm_card *c, uint32_t index, struct pm_mr *mr)
{
	c->mr[index] = mr;
	c->mr_pages += mr->num_pages;
	mr->ctx->users++;
}

uint8_t pm_adm_create_mr(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_create_mr *k = cmd;
	uint8_t st = check_fields(k, r);
	uint32_t index = le32toh(k->index);
	struct pm_mr *mr;

	if (st)
		return st;
	if (c->mr[index])
		return PNIC_AS_EXISTS;
	if (!c->ctx[le32toh(k->ctx)])
		return PNIC_AS_NOT_FOUND;
	st = make(c, k, c->ctx[le32toh(k->ctx)], &mr, r);
	if (!st)
		enter(c, index, mr);
	return st;
}

uint8_t pm_adm_mr_suspend(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_destroy *k = cmd;
	uint32_t index = le32toh(k->id);

	if (index >= PM_MAX_MR)
		return PM_BAD(r, struct pnic_adm_destroy, id);
	if (!c->mr[index])
		return PNIC_AS_NOT_FOUND;
	c->mr[index]->suspended = true;
	return PNIC_AS_OK;
}

/* All but the pages must be as it was. */
static uint8_t check_same(const struct pnic_adm_create_mr *k, const struct pm_mr *mr,
			  struct pm_admin_result *r)
{
	if (le64toh(k->key) != mr->key)
		return PM_BAD(r, struct pnic_adm_create_mr, key);
	if (le64toh(k->va) != mr->va)
		return PM_BAD(r, struct pnic_adm_create_mr, va);
	if (le64toh(k->length) != mr->length)
		return PM_BAD(r, struct pnic_adm_create_mr, length);
	if ((k->rights | PNIC_MR_LOCAL_READ) != mr->rights)
		return PM_BAD(r, struct pnic_adm_create_mr, rights);
	return PNIC_AS_OK;
}

uint8_t pm_adm_mr_resume(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_create_mr *k = cmd;
	uint8_t st = check_fields(k, r);
	uint32_t index = le32toh(k->index);
	struct pm_mr *mr, *old;

	if (st)
		return st;
	old = c->mr[index];
	if (!old || old->ctx->id != le32toh(k->ctx))
		return PNIC_AS_NOT_FOUND;
	st = check_same(k, old, r);
	if (st)
		return st;
	if (!old->suspended)
		return PNIC_AS_WRONG_STATE;
	st = make(c, k, old->ctx, &mr, r);
	if (st)
		return st;
	pm_mr_drop(c, index);
	enter(c, index, mr);
	return PNIC_AS_OK;
}

void pm_mr_drop(struct pm_card *c, uint32_t index)
{
	struct pm_mr *mr = c->mr[index];

	c->mr[index] = NULL;
	c->mr_pages -= mr->num_pages;
	mr->ctx->users--;
	free(mr);
}

uint8_t pm_adm_destroy_mr(struct pm_card *c, const void *cmd, struct pm_admin_result *r)
{
	const struct pnic_adm_destroy *k = cmd;
	uint32_t index = le32toh(k->id);

	if (index >= PM_MAX_MR)
		return PM_BAD(r, struct pnic_adm_destroy, id);
	if (!c->mr[index])
		return PNIC_AS_NOT_FOUND;
	pm_mr_drop(c, index);
	return PNIC_AS_OK;
}

static struct pm_mr *find(struct pm_card *c, const struct pm_access *a, uint64_t key)
{
	uint64_t index = key & KEY_INDEX;
	struct pm_mr *mr;

	if (index >= PM_MAX_MR)
		return NULL;
	mr = c->mr[index];
	if (!mr || mr->key != key)
		return NULL;
	if (a->remote ? mr->ctx->partition != a->partition : mr->ctx != a->ctx)
		return NULL;
	return mr;
}

/* Section 7's checks in its order; PNIC_ST_LOCAL_*, whoever asks. */
static inline uint8_t check(const struct pm_mr *mr, const struct pm_access *a, uint64_t addr, uint64_t len)
{
	if (!mr)
		return PNIC_ST_LOCAL_KEY;
	if (addr < mr->va || addr - mr->va >= mr->length || len > mr->length - (addr - mr->va))
		return PNIC_ST_LOCAL_BOUNDS;
	if ((mr->rights & a->rights) != a->rights)
		return PNIC_ST_LOCAL_RIGHTS;
	return mr->suspended ? PNIC_ST_LOCAL_MOVED : PNIC_ST_OK;
}

uint8_t pm_mr_check(struct pm_card *c, const struct pm_access *a, const struct pm_sg *sg)
{
	return sg->len ? check(find(c, a, sg->key), a, sg->addr, sg->len) : PNIC_ST_OK;
}

/* The DMA address of @addr in @mr, and how much of *@len from there is one run of DMA addresses. */
static uint64_t translate(const struct pm_mr *mr, uint64_t addr, size_t *len)
{
	uint64_t size = 1ull << mr->page_shift, i = (addr >> mr->page_shift) - (mr->va >> mr->page_shift);
	uint64_t in = addr & (size - 1), first = i, run = size - in;

	while (run < *len && i + 1 < mr->num_pages && mr->pages[i + 1] == mr->pages[i] + size) {
		run += size;
		i++;
	}
	if (run < *len)
		*len = run;
	return mr->pages[first] + in;
}

void *pm_mr_place(struct pm_card *c, const struct pm_access *a, const struct pm_sg *sg, size_t *room)
{
	const struct pm_mr *mr = find(c, a, sg->key);
	uint64_t dma;

	if (check(mr, a, sg->addr, sg->len))
		return NULL;
	*room = mr->length - (sg->addr - mr->va);
	if (*room > ROOM_MAX)
		*room = ROOM_MAX;
	dma = translate(mr, sg->addr, room);
	return pm_dma(c, dma, room, true);
}

/*
 * The byte at @off of a span: a pointer, and how much of *@len from there is contiguous. NULL with
 * a local status in *@status if the key is gone, or the memory.
 */
void *pm_span_at(const struct pm_span *s, uint64_t off, size_t *len, bool write, uint8_t *status)
{
	const struct pm_mr *mr;
	unsigned int i = 0;
	uint64_t dma;
	void *p;

	if (s->buf)
		return s->buf + off;
	while (i < s->nsg && off >= s->sg[i].len)
		off -= s->sg[i++].len;
	if (i == s->nsg) {
		*status = PNIC_ST_LOCAL_BOUNDS;
		return NULL;
	}
	if (*len > s->sg[i].len - off)
		*len = s->sg[i].len - off;
	mr = find(s->card, &s->acc, s->sg[i].key);
	*status = check(mr, &s->acc, s->sg[i].addr + off, *len);
	if (*status)
		return NULL;
	dma = translate(mr, s->sg[i].addr + off, len);
	p = pm_dma(s->card, dma, len, write);
	if (!p)
		*status = PNIC_ST_DMA_FAULT;
	return p;
}

/* A word is stored as one, after everything that was stored before: it may be a flag that a process polls. */
void pm_span_store(void *to, const void *from, size_t n)
{
	uint64_t v8;
	uint32_t v4;

	if (n == 8 && !((uintptr_t)to & 7)) {
		memcpy(&v8, from, 8);
		__atomic_store_n((uint64_t *)to, v8, __ATOMIC_RELEASE);
	} else if (n == 4 && !((uintptr_t)to & 3)) {
		memcpy(&v4, from, 4);
		__atomic_store_n((uint32_t *)to, v4, __ATOMIC_RELEASE);
	} else if ((uintptr_t)to - (uintptr_t)from < n || (uintptr_t)from - (uintptr_t)to < n) {
		memmove(to, from, n);
	} else {
		pm_copy_in_order(to, from, n);
	}
}

/* One copy from memory to memory. False: *@dst_status or *@src_status says whose memory failed. */
bool pm_span_copy(const struct pm_span *dst, uint64_t dst_off, const struct pm_span *src,
		  uint64_t src_off, size_t len, uint8_t *dst_status, uint8_t *src_status)
{
	*dst_status = PNIC_ST_OK;
	*src_status = PNIC_ST_OK;
	while (len) {
		size_t n = len;
		void *from, *to;

		from = pm_span_at(src, src_off, &n, false, src_status);
		if (!from)
			return false;
		to = pm_span_at(dst, dst_off, &n, true, dst_status);
		if (!to)
			return false;
		pm_span_store(to, from, n);
		src_off += n;
		dst_off += n;
		len -= n;
	}
	return true;
}
