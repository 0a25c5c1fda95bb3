// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel below the driver's files: see kernel.h.
 */
#include "kernel.h"

#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "embedded.h"

struct workqueue_struct;
extern struct workqueue_struct *pnic_wq;
struct workqueue_struct *pnic_wq;

static struct mm_struct mm;
static struct task_struct task = { .mm = &mm, .group_leader = &task };
struct task_struct *kernel_current = &task;

void kernel_bug(const char *file, int line, const char *what)
{
	fprintf(stderr, "embedded card: %s:%d: %s\n", file, line, what);
	abort();
}

void kernel_say(const char *fmt, ...)
{
	static int on = -1;
	char text[512];
	va_list ap;

	if (on < 0)
		on = getenv("PNIC_EMBEDDED_DEBUG") != NULL;
	if (!on)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "embedded card: %s", text);
}

/* --- bitmaps, arrays ---- */

void bitmap_set(unsigned long *map, unsigned int start, unsigned int n)
{
	while (n--)
		__set_bit(start++, map);
}

void bitmap_fill(unsigned long *map, unsigned int n)
{
	bitmap_set(map, 0, n);
}

unsigned int bitmap_weight(const unsigned long *map, unsigned int n)
{
	unsigned int i, w = 0;

	for (i = 0; i < BITS_TO_LONGS(n); i++)
		w += (unsigned int)__builtin_popcountl(map[i]);
	return w;
}

unsigned int find_next_zero_bit(const unsigned long *map, unsigned int n, unsigned int from)
{
	while (from < n && test_bit(from, map))
		from++;
	return from;
}

#define XA_LEAF		1024UL

struct xa_leaf {
	unsigned int used;
	void *slot[XA_LEAF];
};

void xa_init(struct xarray *xa)
{
	memset(xa, 0, sizeof(*xa));
}

void xa_destroy(struct xarray *xa)
{
	unsigned long i;

	for (i = 0; i < xa->size; i++)
		free(xa->leaf[i]);
	free(xa->leaf);
	xa_init(xa);
}

static struct xa_leaf **xa_leaf(struct xarray *xa, unsigned long i)
{
	unsigned long n = i / XA_LEAF;

	return n >= xa->base && n - xa->base < xa->size ? &xa->leaf[n - xa->base] : NULL;
}

/* Indices of one array lie close together, not always near 0: it begins where its first one is. */
static int xa_room(struct xarray *xa, unsigned long i)
{
	unsigned long n = i / XA_LEAF, base = xa->size ? min(n, xa->base) : n, size = xa->size ? xa->size : 8;
	struct xa_leaf **leaf;

	if (xa_leaf(xa, i))
		return 0;
	while (n - base >= size || (xa->size && xa->base - base + xa->size > size))
		size *= 2;
	leaf = calloc(size, sizeof(*leaf));
	if (!leaf)
		return -ENOMEM;
	if (xa->size)
		memcpy(leaf + (xa->base - base), xa->leaf, xa->size * sizeof(*leaf));
	free(xa->leaf);
	xa->leaf = leaf;
	xa->base = base;
	xa->size = size;
	return 0;
}

void *xa_load(struct xarray *xa, unsigned long i)
{
	struct xa_leaf **leaf = xa_leaf(xa, i);

	return leaf && *leaf ? (*leaf)->slot[i % XA_LEAF] : NULL;
}

void *xa_erase(struct xarray *xa, unsigned long i)
{
	struct xa_leaf **leaf = xa_leaf(xa, i);
	void *p = xa_load(xa, i);

	if (!p)
		return NULL;
	(*leaf)->slot[i % XA_LEAF] = NULL;
	xa->used--;
	if (!--(*leaf)->used) {
		free(*leaf);
		*leaf = NULL;
	}
	return p;
}

int xa_insert(struct xarray *xa, unsigned long i, void *p, gfp_t gfp)
{
	struct xa_leaf **leaf;
	int err;

	(void)gfp;
	if (xa_load(xa, i))
		return -EBUSY;
	err = xa_room(xa, i);
	if (err)
		return err;
	leaf = xa_leaf(xa, i);
	if (!*leaf)
		*leaf = calloc(1, sizeof(**leaf));
	if (!*leaf)
		return -ENOMEM;
	(*leaf)->slot[i % XA_LEAF] = p;
	(*leaf)->used++;
	xa->used++;
	return 0;
}

/* The first free index of lo..hi, or -EBUSY. */
static int xa_take(struct xarray *xa, u32 *id, void *p, unsigned long lo, unsigned long hi)
{
	for (; lo <= hi; lo++) {
		if (xa_load(xa, lo))
			continue;
		*id = (u32)lo;
		return xa_insert(xa, lo, p, 0);
	}
	return -EBUSY;
}

int xa_alloc(struct xarray *xa, u32 *id, void *p, struct xa_limit limit, gfp_t gfp)
{
	(void)gfp;
	return xa_take(xa, id, p, limit.min, limit.max);
}

int xa_alloc_cyclic(struct xarray *xa, u32 *id, void *p, struct xa_limit limit, u32 *next, gfp_t gfp)
{
	u32 from = max(*next, limit.min);
	int err;

	(void)gfp;
	err = from > limit.max ? -EBUSY : xa_take(xa, id, p, from, limit.max);
	if (err == -EBUSY && from > limit.min)
		err = xa_take(xa, id, p, limit.min, from - 1);
	if (!err)
		*next = *id + 1;
	return err;
}

void *xa_find_from(struct xarray *xa, unsigned long *i)
{
	struct xa_leaf **leaf;

	if (*i < xa->base * XA_LEAF)
		*i = xa->base * XA_LEAF;
	while ((leaf = xa_leaf(xa, *i))) {
		if (!*leaf)
			*i = (*i / XA_LEAF + 1) * XA_LEAF;
		else if ((*leaf)->slot[*i % XA_LEAF])
			return (*leaf)->slot[*i % XA_LEAF];
		else
			(*i)++;
	}
	return NULL;
}

/* --- memory ---- */

struct page_block {
	struct page_block *next;
	void *mem;
	unsigned long pages;
	unsigned long refs;
	struct page page[];
};

/* Found by address when a mapping goes. */
#define PAGE_BUCKETS	1024
static struct page_block *blocks[PAGE_BUCKETS];
static pthread_mutex_t blocks_lock = PTHREAD_MUTEX_INITIALIZER;

static struct page_block **block_bucket(const void *mem)
{
	return &blocks[((uintptr_t)mem >> PAGE_SHIFT) % PAGE_BUCKETS];
}

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	unsigned long i, n = 1UL << order;
	struct page_block *b = calloc(1, sizeof(*b) + n * sizeof(b->page[0]));

	(void)gfp;
	if (!b)
		return NULL;
	b->mem = mmap(NULL, n << PAGE_SHIFT, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (b->mem == MAP_FAILED) {
		free(b);
		return NULL;
	}
	b->pages = n;
	b->refs = n;
	for (i = 0; i < n; i++)
		b->page[i].block = b;
	pthread_mutex_lock(&blocks_lock);
	b->next = *block_bucket(b->mem);
	*block_bucket(b->mem) = b;
	pthread_mutex_unlock(&blocks_lock);
	return b->page;
}

static void block_put(struct page_block *b, unsigned long pages)
{
	struct page_block **p;

	b->refs -= pages;
	if (b->refs)
		return;
	for (p = block_bucket(b->mem); *p != b; p = &(*p)->next)
		;
	*p = b->next;
	munmap(b->mem, b->pages << PAGE_SHIFT);
	free(b);
}

void __free_page(struct page *page)
{
	pthread_mutex_lock(&blocks_lock);
	block_put(page->block, 1);
	pthread_mutex_unlock(&blocks_lock);
}

void *page_address(struct page *page)
{
	return (char *)page->block->mem + ((size_t)(page - page->block->page) << PAGE_SHIFT);
}

void page_block_get(struct page *page, unsigned long pages)
{
	pthread_mutex_lock(&blocks_lock);
	page->block->refs += pages;
	pthread_mutex_unlock(&blocks_lock);
}

void page_block_put(void *mem, unsigned long pages)
{
	struct page_block *b;

	pthread_mutex_lock(&blocks_lock);
	for (b = *block_bucket(mem); b && b->mem != mem; b = b->next)
		;
	if (b)
		block_put(b, pages);
	pthread_mutex_unlock(&blocks_lock);
}

unsigned long get_zeroed_page(gfp_t gfp)
{
	void *p = aligned_alloc(PAGE_SIZE, PAGE_SIZE);

	(void)gfp;
	if (p)
		memset(p, 0, PAGE_SIZE);
	return (unsigned long)(uintptr_t)p;
}

void free_page(unsigned long addr)
{
	free((void *)(uintptr_t)addr);
}

void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *dma, gfp_t gfp)
{
	void *p = aligned_alloc(PAGE_SIZE, PAGE_ALIGN(size));

	(void)dev;
	(void)gfp;
	if (p)
		memset(p, 0, PAGE_ALIGN(size));
	*dma = (uintptr_t)p;
	return p;
}

void put_device(struct device *dev)
{
	if (!--dev->refs && dev->release)
		dev->release(dev);
}

/* --- time, interrupts, works ---- */

unsigned long kernel_jiffies(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (unsigned long)t.tv_sec * HZ + (unsigned long)t.tv_nsec / 1000000;
}

int pci_alloc_irq_vectors(struct pci_dev *p, int least, int most, unsigned int flags)
{
	(void)p;
	(void)least;
	(void)flags;
	return min(most, EMBEDDED_IRQS);
}

int kernel_request_irq(struct pci_dev *p, int irq, irq_handler_t fn, void *data)
{
	struct embedded_irq *i = &p->card->irq[irq - 1];

	if (irq < 1 || irq > EMBEDDED_IRQS)
		return -EINVAL;
	*i = (struct embedded_irq) { .fn = fn, .data = data };
	return 0;
}

void free_irq(int irq, void *data)
{
	unsigned int i;

	for (i = 0; i < EMBEDDED_NICS; i++)
		if (embedded_here->card[i].irq[irq - 1].data == data)
			memset(&embedded_here->card[i].irq[irq - 1], 0, sizeof(struct embedded_irq));
}

static void run_irqs(struct embedded_world *w)
{
	unsigned int i, n;

	while (w->irqs) {
		w->irqs = false;
		for (i = 0; i < EMBEDDED_NICS; i++)
			for (n = 0; n < EMBEDDED_IRQS; n++) {
				struct embedded_irq *irq = &w->card[i].irq[n];

				if (!irq->raised || !irq->fn)
					continue;
				irq->raised = false;
				irq->fn((int)n + 1, irq->data);
			}
	}
}

void kernel_queue(struct work_struct *w, unsigned long delay)
{
	struct embedded_world *here = embedded_here;

	if (w->pending)
		return;
	w->pending = true;
	w->at = kernel_jiffies() + delay;
	w->next = here->works;
	here->works = w;
	if (!w->next || time_before(w->at, here->works_at))
		here->works_at = w->at;
}

void kernel_unqueue(struct work_struct *w)
{
	struct work_struct **p;

	if (!w->pending)
		return;
	for (p = &embedded_here->works; *p != w; p = &(*p)->next)
		;
	*p = w->next;
	w->pending = false;
}

static struct work_struct *due(struct embedded_world *w, unsigned long now, unsigned long *next)
{
	struct work_struct *work;

	*next = ~0UL;
	for (work = w->works; work; work = work->next) {
		if (!time_after(work->at, now))
			return work;
		*next = min(*next, work->at - now);
	}
	return NULL;
}

unsigned long kernel_run(void)
{
	struct embedded_world *w = embedded_here;
	struct work_struct *work;
	unsigned long now, next;

	run_irqs(w);
	if (!w->works)
		return ~0UL;
	now = kernel_jiffies();
	if (time_before(now, w->works_at))
		return w->works_at - now;
	while ((work = due(w, now, &next))) {
		kernel_unqueue(work);
		work->fn(work);
		run_irqs(w);
	}
	w->works_at = now + (next == ~0UL ? HZ : next);
	return next;
}

void kernel_wait(void)
{
	struct timespec nap = { .tv_nsec = 20000 };
	struct embedded_world *w = embedded_here;
	uint64_t sleep_ns;

	if (!pm_fabric_poll(w->fabric, &sleep_ns) && !w->irqs)
		nanosleep(&nap, NULL);
	run_irqs(w);
}

void kernel_wake(wait_queue_head_t *wq)
{
	if (wq->fd && *wq->fd >= 0)
		eventfd_write(*wq->fd, 1);
}

/* --- the caller ---- */

int copy_struct_from_user(void *to, size_t size, const void *from, size_t user_size)
{
	const u8 *tail = from;
	size_t i;

	for (i = size; i < user_size; i++)
		if (tail[i])
			return -E2BIG;
	memset(to, 0, size);
	memcpy(to, from, min(size, user_size));
	return 0;
}

bool capable(int cap)
{
	struct { u32 version; int pid; } head = { 0x20080522, 0 };	/* _LINUX_CAPABILITY_VERSION_3 */
	struct { u32 effective, permitted, inheritable; } data[2] = { 0 };

	if (syscall(SYS_capget, &head, data))
		return false;
	return data[cap / 32].effective >> (cap % 32) & 1;
}

unsigned long rlimit(unsigned int which)
{
	struct rlimit lim;

	return getrlimit((__rlimit_resource_t)which, &lim) ? 0 : lim.rlim_cur;
}

u64 get_random_u64(void)
{
	u64 v;

	if (getrandom(&v, sizeof(v), 0) != sizeof(v))
		kernel_bug(__FILE__, __LINE__, "no random numbers");
	return v;
}

/* Its own descriptor of the same eventfd, as the kernel keeps a reference of its own. */
struct eventfd_ctx {
	int fd;
};

struct eventfd_ctx *eventfd_ctx_fdget(int fd)
{
	char path[64], what[64] = "";
	struct eventfd_ctx *ctx;
	ssize_t n;
	int copy;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, what, sizeof(what) - 1);
	if (fd < 0 || n < 0)
		return ERR_PTR(-EBADF);
	if (strcmp(what, "anon_inode:[eventfd]"))
		return ERR_PTR(-EINVAL);
	copy = dup(fd);
	ctx = copy < 0 ? NULL : malloc(sizeof(*ctx));
	if (!ctx) {
		if (copy >= 0)
			close(copy);
		return ERR_PTR(copy < 0 ? -errno : -ENOMEM);
	}
	ctx->fd = copy;
	return ctx;
}

void eventfd_ctx_put(struct eventfd_ctx *ctx)
{
	close(ctx->fd);
	free(ctx);
}

void eventfd_signal(struct eventfd_ctx *ctx)
{
	eventfd_write(ctx->fd, 1);
}

/* --- user memory ---- */

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#endif

/* -EINVAL: an old kernel, or memory that it has no pages for; then each page is looked at. */
static int touch(u64 addr, size_t length, bool write)
{
	int err;

	if (!madvise((void *)(uintptr_t)addr, length, write ? MADV_POPULATE_WRITE : MADV_POPULATE_READ))
		return 0;
	err = errno;
	if (err == ENOMEM || err == EFAULT)
		return -EFAULT;
	if (err == EINVAL && !write) {
		unsigned char vec[64];
		size_t at, n;

		for (at = 0; at < length; at += n) {
			n = min(length - at, sizeof(vec) << PAGE_SHIFT);
			if (mincore((void *)(uintptr_t)(addr + at), n, vec))
				return -EFAULT;
		}
		return 0;
	}
	return err == EINVAL ? -EFAULT : -err;
}

long pin_user_pages_fast(u64 addr, long n, unsigned int flags, struct page **pages)
{
	long i;
	int err;

	err = touch(addr, (size_t)n << PAGE_SHIFT, flags & FOLL_WRITE);
	if (err)
		return err;
	for (i = 0; i < n; i++)
		pages[i] = (struct page *)(uintptr_t)(addr + ((u64)i << PAGE_SHIFT));
	return n;
}

int sg_alloc_append_table_from_pages(struct sg_append_table *t, struct page **pages, unsigned int n,
				     unsigned int off, unsigned long size, unsigned int most,
				     unsigned int left, gfp_t gfp)
{
	struct sg_table *s = &t->sgt;
	struct scatterlist *last = s->nents ? &s->sgl[s->nents - 1] : NULL;

	(void)off;
	(void)n;
	(void)most;
	(void)left;
	(void)gfp;
	/* Memory of a process is contiguous for a card in the process. */
	if (last && last->addr + last->length == (uintptr_t)pages[0]) {
		last->length += size;
		return 0;
	}
	last = realloc(s->sgl, (s->nents + 1) * sizeof(*last));
	if (!last)
		return -ENOMEM;
	s->sgl = last;
	s->sgl[s->nents++] = (struct scatterlist) { (uintptr_t)pages[0], size };
	return 0;
}
