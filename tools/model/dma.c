// SPDX-License-Identifier: GPL-2.0
/*
 * DMA ranges and the files behind them; see dma.h.
 *
 * A guest without IOMMU has some thirty ranges, one with a virtual IOMMU may have
 * thousands of single pages: a sorted array with a binary search serves both.
 * The ranges are the client's word and arrive in any order, split at will. That
 * a file is long enough is checked when it is mapped; where a client shortens it
 * afterwards, zeros take the place of what is gone at the first access, and the file is no memory any more.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "dma.h"
#include "vfu_proto.h"

struct dma_file {
	struct dma_file *next;
	dev_t dev;
	ino_t ino;
	uint8_t *base;
	uint64_t size;
	uint32_t prot;
	size_t refs;
	volatile sig_atomic_t gone;	/* shorter than it was */
};

struct dma_range {
	uint64_t first, last;		/* inclusive: the last byte may be 2^64 - 1 */
	struct dma_file *file;		/* NULL: no memory */
	uint64_t off;
	uint32_t prot;
};

static struct dma_file *files;

size_t dma_files(void)
{
	struct dma_file *f;
	size_t n = 0;

	for (f = files; f; f = f->next)
		n++;
	return n;
}

/*
 * An access to what a client has cut off its file. It comes from this thread's own access, never from within
 * the list, and happens once for each part that is gone.
 */
static void on_bus_error(int sig, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr & ~(uintptr_t)4095;
	struct dma_file *f;
	uint64_t off;

	(void)context;
	for (f = files; f; f = f->next) {
		off = at - (uintptr_t)f->base;
		if (off >= f->size)
			continue;
		f->gone = 1;
		if (mmap((void *)at, f->size - off, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED)
			return;
		break;
	}
	/* Not a client's doing: what would have been without this. */
	signal(sig, SIG_DFL);
}

void dma_survive(void)
{
	struct sigaction sa = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO };

	sigemptyset(&sa.sa_mask);
	sigaction(SIGBUS, &sa, NULL);
}

static void file_put(struct dma_file *f)
{
	struct dma_file **p;

	if (!f || --f->refs)
		return;
	for (p = &files; *p != f; p = &(*p)->next)
		;
	*p = f->next;
	munmap(f->base, f->size);
	free(f);
}

static int file_new(int fd, const struct stat *st, uint32_t prot, struct dma_file **out)
{
	struct dma_file *f = calloc(1, sizeof(*f));
	void *base;

	if (!f)
		return -ENOMEM;
	f->prot = DMA_READ | DMA_WRITE;
	base = mmap(NULL, st->st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED && errno == EACCES && !(prot & DMA_WRITE)) {
		f->prot = DMA_READ;
		base = mmap(NULL, st->st_size, PROT_READ, MAP_SHARED, fd, 0);
	}
	if (base == MAP_FAILED) {
		free(f);
		return -errno;
	}
	f->dev = st->st_dev;
	f->ino = st->st_ino;
	f->size = st->st_size;
	f->base = base;
	f->next = files;
	files = f;
	*out = f;
	return 0;
}

/* Is @fd open for what is asked of it? Another client's mapping of the same file may be good for more. */
static bool may(int fd, uint32_t prot)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || (flags & O_ACCMODE) == O_WRONLY || flags & O_PATH)
		return false;
	return (flags & O_ACCMODE) == O_RDWR || !(prot & DMA_WRITE);
}

/* The mapping of @fd that holds bytes up to @end, made if there is none. */
static int file_get(int fd, uint64_t end, uint32_t prot, struct dma_file **out)
{
	struct dma_file *f;
	struct stat st;
	int err;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < 0 || end > (uint64_t)st.st_size)
		return -EINVAL;
	if (!may(fd, prot))
		return -EACCES;
	for (f = files; f; f = f->next)
		if (f->dev == st.st_dev && f->ino == st.st_ino && f->size >= end &&
		    (f->prot & prot) == prot && !f->gone)
			break;
	if (!f) {
		err = file_new(fd, &st, prot, &f);
		if (err)
			return err;
	}
	f->refs++;
	*out = f;
	return 0;
}

/* Index of the first range that ends at or after @addr. */
static size_t find(const struct dma_table *t, uint64_t addr)
{
	size_t lo = 0, hi = t->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (t->r[mid].last < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int reserve(struct dma_table *t)
{
	struct dma_range *r;
	size_t cap;

	if (t->n < t->cap)
		return 0;
	cap = t->cap ? 2 * t->cap : 32;
	r = realloc(t->r, cap * sizeof(*r));
	if (!r)
		return -ENOMEM;
	t->r = r;
	t->cap = cap;
	return 0;
}

static void insert(struct dma_table *t, size_t at, const struct dma_range *r)
{
	memmove(&t->r[at + 1], &t->r[at], (t->n - at) * sizeof(*r));
	t->r[at] = *r;
	t->n++;
}

static bool same(const struct dma_range *a, const struct dma_range *b)
{
	return a->first == b->first && a->last == b->last && a->file == b->file &&
	       a->off == b->off && a->prot == b->prot;
}

int dma_map(struct dma_table *t, uint64_t iova, uint64_t size, uint32_t prot, int fd, uint64_t off)
{
	struct dma_range r = { .first = iova, .last = iova + size - 1, .off = off, .prot = prot };
	size_t at;
	int err;

	if (!size || r.last < iova || off + size < off)
		return -EINVAL;
	if (t->n >= VFU_MAX_MAPS)
		return -ENOSPC;
	err = reserve(t);
	if (err)
		return err;
	if (fd >= 0) {
		err = file_get(fd, off + size, prot, &r.file);
		if (err)
			return err;
	}
	at = find(t, iova);
	if (at < t->n && t->r[at].first <= r.last) {
		err = same(&t->r[at], &r) ? 0 : -EEXIST;
		file_put(r.file);
		return err;
	}
	insert(t, at, &r);
	return 0;
}

/* Cuts a hole into one range that reaches out on both sides. */
static int split(struct dma_table *t, size_t at, uint64_t first, uint64_t last)
{
	struct dma_range tail;
	int err = reserve(t);

	if (err)
		return err;
	tail = t->r[at];
	tail.off += last + 1 - tail.first;
	tail.first = last + 1;
	if (tail.file)
		tail.file->refs++;
	t->r[at].last = first - 1;
	insert(t, at + 1, &tail);
	return 0;
}

int dma_unmap(struct dma_table *t, uint64_t first, uint64_t last)
{
	size_t at = find(t, first), end;
	struct dma_range *r;

	t->hit = 0;
	if (at < t->n && t->r[at].first < first && t->r[at].last > last)
		return split(t, at, first, last);
	if (at < t->n && t->r[at].first < first)
		t->r[at++].last = first - 1;
	for (end = at; end < t->n && t->r[end].last <= last; end++)
		file_put(t->r[end].file);
	if (end < t->n)
		memmove(&t->r[at], &t->r[end], (t->n - end) * sizeof(*t->r));
	t->n -= end - at;
	if (at == t->n)
		return 0;
	r = &t->r[at];
	if (r->first <= last) {
		r->off += last + 1 - r->first;
		r->first = last + 1;
	}
	return 0;
}

void dma_clear(struct dma_table *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		file_put(t->r[i].file);
	free(t->r);
	memset(t, 0, sizeof(*t));
}

void *dma_translate(struct dma_table *t, uint64_t addr, size_t *len, bool write)
{
	struct dma_range *r;
	uint64_t left;

	if (t->hit >= t->n || addr < t->r[t->hit].first || addr > t->r[t->hit].last)
		t->hit = find(t, addr);
	if (t->hit >= t->n)
		return NULL;
	r = &t->r[t->hit];
	if (addr < r->first || !r->file || r->file->gone || !(r->prot & (write ? DMA_WRITE : DMA_READ)))
		return NULL;
	left = r->last - addr;
	if (*len && *len - 1 > left)
		*len = left + 1;
	return r->file->base + r->off + (addr - r->first);
}
