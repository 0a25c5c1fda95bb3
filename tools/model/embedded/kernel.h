/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel, as far as the driver's objects need it, in a process: the embedded card
 * compiles the files of driver/ that the ioctls lead to, unchanged, so that limits, checks and
 * errors are those of the char device because they are the same code.
 *
 * Included before everything by those files (-include), and by host.c; their <linux/...> headers
 * are empty. One lock (world.c) is held around all of it: locks here do nothing, whatever sleeps lets the card
 * work meanwhile, and what the kernel would do in an interrupt or a work is done by kernel_run().
 */
#ifndef PNIC_EMBEDDED_KERNEL_H
#define PNIC_EMBEDDED_KERNEL_H

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "driver/lane/lane_types.h"

typedef __s8 s8;
typedef u64 dma_addr_t, phys_addr_t;
typedef unsigned int gfp_t, fmode_t, __poll_t;
typedef unsigned short umode_t;
typedef int irqreturn_t;

/* --- the language ---- */

#define __user
#define __iomem
#define __printf(a, b)		__attribute__((format(printf, a, b)))
#define __counted_by(m)
#define U16_MAX			0xffffu
#define U32_MAX			0xffffffffu
#define S32_MAX			0x7fffffff
#define UINT_MAX		(~0U)
#define SZ_512M			0x20000000
#define BIT(n)			(1UL << (n))
#define GENMASK(h, l)		(~0UL >> (63 - (h)) & ~0UL << (l))
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
/* The page that it orders is read by other threads of the process. */
#ifdef __SANITIZE_THREAD__
#define smp_wmb()		__atomic_signal_fence(__ATOMIC_SEQ_CST)
#else
#define smp_wmb()		__atomic_thread_fence(__ATOMIC_RELEASE)
#endif
#define dma_rmb()		__atomic_signal_fence(__ATOMIC_ACQUIRE)
#define dma_wmb()		__atomic_signal_fence(__ATOMIC_RELEASE)
#define xchg(p, v)		__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define cmpxchg(p, old, new)	({ __typeof__(*(p)) _o = (old); \
				   __atomic_compare_exchange_n(p, &_o, new, false, __ATOMIC_SEQ_CST, \
							       __ATOMIC_SEQ_CST); _o; })
#define min_t(t, a, b)		min((t)(a), (t)(b))
#define max_t(t, a, b)		max((t)(a), (t)(b))
#define ALIGN(x, a)		(((x) + (a) - 1) & ~((__typeof__(x))(a) - 1))
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define container_of(p, t, m)	((t *)((char *)(p) - offsetof(t, m)))
#define offsetofend(t, m)	(offsetof(t, m) + sizeof(((t *)0)->m))
#define sizeof_field(t, m)	sizeof(((t *)0)->m)
#define struct_size(p, m, n)	(sizeof(*(p)) + sizeof((p)->m[0]) * (n))
#define BUILD_BUG_ON_ZERO(e)	((int)sizeof(struct { int:(-!!(e)); }))
#define BUILD_BUG_ON(e)		_Static_assert(!(e), #e)
#define static_assert		_Static_assert
#define check_add_overflow(a, b, d)	__builtin_add_overflow(a, b, d)
#define check_mul_overflow(a, b, d)	__builtin_mul_overflow(a, b, d)
#define might_sleep()
#define cond_resched()
#define lockdep_assert_held(l)
#define lockdep_assert_held_write(l)
struct lock_class_key {};
#define lockdep_set_class(l, key)	((void)(key))
#define lower_32_bits(x)	((u32)(x))
#define upper_32_bits(x)	((u32)((u64)(x) >> 32))
#define cpu_to_le64(v)		htole64(v)
#define FIELD_SHIFT(m)		__builtin_ctzll(m)
#define FIELD_GET(m, v)		((u32)(((v) & (m)) >> FIELD_SHIFT(m)))
#define FIELD_PREP(m, v)	(((u32)(v) << FIELD_SHIFT(m)) & (m))
#define fallthrough		__attribute__((__fallthrough__))
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define THIS_MODULE		NULL
#define DEFINE_IDA(name)	int name __attribute__((unused))
#define WARN_ON_ONCE(c)		({ bool _c = (c); if (_c) kernel_bug(__FILE__, __LINE__, #c); _c; })
#define WARN_ON(c)		WARN_ON_ONCE(c)

__attribute__((noreturn)) void kernel_bug(const char *file, int line, const char *what);

static inline unsigned long roundup_pow_of_two(unsigned long n)
{
	return n < 2 ? 1 : 1UL << (8 * sizeof(n) - (size_t)__builtin_clzl(n - 1));
}

static inline unsigned int ilog2(u64 n)
{
	return 63 - (unsigned int)__builtin_clzll(n);
}

static inline unsigned int __ffs64(u64 word)
{
	return (unsigned int)__builtin_ctzll(word);
}

static inline ssize_t strscpy(char *to, const char *from, size_t size)
{
	size_t n;

	for (n = 0; n + 1 < size && from[n]; n++)
		to[n] = from[n];
	to[n] = '\0';
	return (ssize_t)n;
}

#define MAX_ERRNO		4095
#define ERR_PTR(e)		((void *)(intptr_t)(e))
#define PTR_ERR(p)		((int)(intptr_t)(p))
#define PTR_ERR_OR_ZERO(p)	(IS_ERR(p) ? PTR_ERR(p) : 0)
#define IS_ERR(p)		((uintptr_t)(p) >= (uintptr_t)-MAX_ERRNO)
#define IS_ERR_OR_NULL(p)	(!(p) || IS_ERR(p))
#define ERR_CAST(p)		((void *)(p))

/* --- messages: the library tells its caller; who wants them sets PNIC_EMBEDDED_DEBUG=1 ---- */

struct va_format {
	const char *fmt;
	va_list *va;
};

void kernel_say(const char *fmt, ...);
#define dev_err(dev, ...)			kernel_say(__VA_ARGS__)
#define dev_warn(dev, ...)			kernel_say(__VA_ARGS__)
#define dev_info(dev, ...)			kernel_say(__VA_ARGS__)
#define dev_err_ratelimited(dev, ...)		kernel_say(__VA_ARGS__)
#define dev_warn_ratelimited(dev, ...)		kernel_say(__VA_ARGS__)
#define dev_dbg(dev, ...)			((void)(dev))
#define dev_err_probe(dev, err, ...)		({ kernel_say(__VA_ARGS__); (err); })

/* --- locks, counters ---- */

typedef struct { char none; } spinlock_t;
struct mutex { char none; };
struct rw_semaphore { char none; };

#define spin_lock_init(l)		((void)(l))
#define spin_lock(l)			((void)(l))
#define spin_unlock(l)			((void)(l))
#define spin_lock_irq(l)		((void)(l))
#define spin_unlock_irq(l)		((void)(l))
#define spin_lock_irqsave(l, f)		((void)(l), (f) = 0)
#define spin_unlock_irqrestore(l, f)	((void)(l), (void)(f))
#define mutex_init(l)			((void)(l))
#define mutex_destroy(l)		((void)(l))
#define mutex_lock(l)			((void)(l))
#define mutex_unlock(l)			((void)(l))
#define mutex_lock_killable(l)		((void)(l), 0)
#define mutex_lock_interruptible(l)	((void)(l), 0)
#define init_rwsem(l)			((void)(l))
#define down_read(l)			((void)(l))
#define down_read_killable(l)		((void)(l), 0)
#define up_read(l)			((void)(l))
#define down_write(l)			((void)(l))
#define up_write(l)			((void)(l))

typedef struct { int v; } atomic_t;
typedef struct { long v; } atomic_long_t;
typedef struct { s64 v; } atomic64_t;
typedef struct { int v; } refcount_t;

#define atomic_read(a)			((a)->v)
#define atomic_set(a, x)		((a)->v = (x))
#define atomic_add(n, a)		((void)((a)->v += (n)))
#define atomic_sub(n, a)		((void)((a)->v -= (n)))
#define atomic_inc(a)			((void)(a)->v++)
#define atomic_dec(a)			((void)(a)->v--)
#define atomic_inc_return(a)		(++(a)->v)
#define atomic_dec_and_test(a)		(!--(a)->v)
#define atomic_long_read(a)		((a)->v)
#define atomic_long_add(n, a)		((void)((a)->v += (long)(n)))
#define atomic_long_sub(n, a)		((void)((a)->v -= (long)(n)))
#define atomic64_read(a)		((a)->v)
#define atomic64_add_return(n, a)	((a)->v += (s64)(n))
#define atomic64_sub(n, a)		((void)((a)->v -= (s64)(n)))
#define refcount_set(r, n)		((r)->v = (n))
#define refcount_inc(r)			((void)(r)->v++)
#define refcount_dec_and_test(r)	(!--(r)->v)

/* --- lists, bitmaps ---- */

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(n)	{ &(n), &(n) }

static inline void INIT_LIST_HEAD(struct list_head *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool list_empty(const struct list_head *l)
{
	return l->next == l;
}

static inline void list_add_tail(struct list_head *l, struct list_head *head)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

static inline void list_add(struct list_head *l, struct list_head *head)
{
	list_add_tail(l, head->next);
}

static inline void list_del(struct list_head *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
}

static inline void list_del_init(struct list_head *l)
{
	list_del(l);
	INIT_LIST_HEAD(l);
}

#define list_entry(p, t, m)		container_of(p, t, m)
#define list_first_entry(h, t, m)	list_entry((h)->next, t, m)
#define list_first_entry_or_null(h, t, m) (list_empty(h) ? NULL : list_first_entry(h, t, m))
#define list_next_entry(p, m)		list_entry((p)->m.next, __typeof__(*(p)), m)
#define list_for_each_entry(p, h, m) \
	for (p = list_first_entry(h, __typeof__(*p), m); &p->m != (h); p = list_next_entry(p, m))
#define list_for_each_entry_safe(p, n, h, m) \
	for (p = list_first_entry(h, __typeof__(*p), m), n = list_next_entry(p, m); &p->m != (h); \
	     p = n, n = list_next_entry(n, m))

#define BITS_TO_LONGS(n)	(((n) + 63) / 64)
#define DECLARE_BITMAP(name, n)	unsigned long name[BITS_TO_LONGS(n)]

static inline void __set_bit(unsigned int n, unsigned long *map)
{
	map[n / 64] |= 1UL << (n % 64);
}

static inline void __clear_bit(unsigned int n, unsigned long *map)
{
	map[n / 64] &= ~(1UL << (n % 64));
}

static inline bool test_bit(unsigned int n, const unsigned long *map)
{
	return map[n / 64] >> (n % 64) & 1;
}

#define for_each_set_bit(i, map, n) \
	for ((i) = 0; (i) < (n); (i)++) \
		if (test_bit(i, map))

void bitmap_set(unsigned long *map, unsigned int start, unsigned int n);
void bitmap_fill(unsigned long *map, unsigned int n);
unsigned int bitmap_weight(const unsigned long *map, unsigned int n);
unsigned int find_next_zero_bit(const unsigned long *map, unsigned int n, unsigned int from);

/* --- arrays by index ---- */

struct xa_leaf;
struct xarray {
	struct xa_leaf **leaf;		/* of leaf number @base and up; NULL: empty */
	unsigned long size, base, used;
};

struct xa_limit {
	u32 max, min;
};

#define XA_LIMIT(lo, hi)	((struct xa_limit) { .min = (u32)(lo), .max = (u32)(hi) })
#define XA_FLAGS_ALLOC		1
#define XA_FLAGS_ALLOC1		1
#define XA_FLAGS_LOCK_IRQ	0
#define xa_init_flags(xa, f)	xa_init(xa)
#define xa_lock(xa)		((void)(xa))
#define xa_unlock(xa)		((void)(xa))
#define xa_lock_irq(xa)		((void)(xa))
#define xa_unlock_irq(xa)	((void)(xa))
#define xa_lock_irqsave(xa, f)	((void)(xa), (f) = 0)
#define xa_unlock_irqrestore(xa, f) ((void)(xa), (void)(f))

void xa_init(struct xarray *xa);
void xa_destroy(struct xarray *xa);
void *xa_load(struct xarray *xa, unsigned long i);
void *xa_erase(struct xarray *xa, unsigned long i);
/* As in the kernel: -EBUSY if it is taken (insert) or all are (alloc), -ENOMEM. */
int xa_insert(struct xarray *xa, unsigned long i, void *p, gfp_t gfp);
int xa_alloc(struct xarray *xa, u32 *id, void *p, struct xa_limit limit, gfp_t gfp);
int xa_alloc_cyclic(struct xarray *xa, u32 *id, void *p, struct xa_limit limit, u32 *next, gfp_t gfp);
void *xa_find_from(struct xarray *xa, unsigned long *i);

#define xa_empty(xa)		(!(xa)->used)
#define xa_erase_irq(xa, i)	xa_erase(xa, i)
#define xa_alloc_cyclic_irq	xa_alloc_cyclic
#define xa_for_each(xa, i, p) \
	for ((i) = 0, (p) = xa_find_from(xa, &(i)); (p); (i)++, (p) = xa_find_from(xa, &(i)))

/* --- memory ---- */

#define GFP_KERNEL		0
#define GFP_KERNEL_ACCOUNT	0
#define GFP_ATOMIC		0
#define __GFP_ZERO		0
#define __GFP_NOWARN		0
#define PAGE_SHIFT		12
#define PAGE_SIZE		4096UL
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define PAGE_ALIGN(x)		ALIGN(x, PAGE_SIZE)
#define PHYS_PFN(x)		((unsigned long)((x) >> PAGE_SHIFT))
#define MAX_PAGE_ORDER		10
#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)

#define kmalloc(n, g)		malloc(n)
#define kzalloc(n, g)		calloc(1, n)
#define kcalloc(n, s, g)	calloc(n, s)
#define kvcalloc(n, s, g)	calloc(n, s)
#define kvzalloc(n, g)		calloc(1, n)
#define kvmalloc(n, g)		malloc(n)
#define kfree(p)		free(p)
#define kvfree(p)		free(p)

/* Pages of a ring, each with its references; the memory goes when the last of them does. */
struct page_block;
struct page {
	struct page_block *block;
};

struct page *alloc_pages(gfp_t gfp, unsigned int order);
void __free_page(struct page *page);
void *page_address(struct page *page);
/* A mapping takes a reference to each, or gives it back. */
void page_block_get(struct page *page, unsigned long pages);
void page_block_put(void *mem, unsigned long pages);
#define split_page(p, order)	((void)(p))
#define alloc_page(g)		alloc_pages(g, 0)
unsigned long get_zeroed_page(gfp_t gfp);
void free_page(unsigned long addr);
#define __get_free_page(g)	get_zeroed_page(g)

static inline unsigned int get_order(size_t bytes)
{
	return bytes <= PAGE_SIZE ? 0 : ilog2(roundup_pow_of_two(bytes)) - PAGE_SHIFT;
}

/* --- devices: a DMA address is an address ---- */

struct inode;
struct file;
struct vm_area_struct;
struct poll_table_struct;
struct module;
struct eventfd_ctx;
struct pid;
struct embedded_card;

typedef struct poll_table_struct poll_table;

struct device;

struct class {
	const char *name;
	char *(*devnode)(const struct device *dev, umode_t *mode);
};

struct device {
	const struct class *class;
	struct device *parent;
	void (*release)(struct device *dev);
	int refs;
	dev_t devt;
};

struct pci_dev {
	struct device dev;
	struct embedded_card *card;
	char name[32];
};

#define device_initialize(d)	((d)->refs = 1)
#define get_device(d)		((void)(d)->refs++)
void put_device(struct device *dev);
#define dev_set_name(d, ...)	((void)(d), 0)
#define pci_name(p)		((p)->name)
#define MAJOR(d)		0
#define MKDEV(a, b)		0
#define ida_alloc_max(i, n, g)	((void)(i), 0)
#define ida_free(i, n)		((void)(i))
#define class_register(c)	((void)(c), 0)
#define class_unregister(c)	((void)(c))
#define alloc_chrdev_region(d, a, n, s)	((void)(d), 0)
#define unregister_chrdev_region(d, n)	((void)(d))
#define PCI_POSSIBLE_ERROR(v)	((v) == (__typeof__(v))~0U)
#define PCI_COMMAND		4
#define PCI_COMMAND_MEMORY	2
/* A process has no slot that could go. */
#define pci_channel_offline(p)		((void)(p), false)
#define pci_dev_is_disconnected(p)	((void)(p), false)
#define pci_set_master(p)		((void)(p))
#define pci_clear_master(p)		((void)(p))
#define pci_read_config_word(p, at, v)	((void)(p), (void)(at), *(v) = PCI_COMMAND_MEMORY)
#define pci_save_state(p)		((void)(p))
#define pci_restore_state(p)		((void)(p))
#define pci_store_saved_state(p)	((void)(p), (struct pci_saved_state *)NULL)
#define pci_load_saved_state(p, s)	((void)(p), (void)(s))
#define pci_device_is_present(p)	((void)(p), true)
#define pci_resource_len(p, bar)	((u64)2 * 4096 * PNIC_EMBEDDED_DB_PAGES)
#define PNIC_EMBEDDED_DB_PAGES		1024
#define num_online_cpus()		1

enum dma_data_direction { DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE };

void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *dma, gfp_t gfp);
#define dma_free_coherent(d, s, p, a)	((void)(s), (void)(a), free(p))
#define dma_map_page(d, p, o, s, dir)	((void)(d), (dma_addr_t)(uintptr_t)page_address(p) + (o))
#define dma_unmap_page(d, a, s, dir)	((void)(a))
#define dma_map_single(d, p, s, dir)	((void)(d), (dma_addr_t)(uintptr_t)(p))
#define dma_unmap_single(d, a, s, dir)	((void)(a))
#define dma_sync_single_for_device(d, a, s, dir) ((void)(a))
#define dma_mapping_error(d, a)		((void)(a), 0)
#define dma_need_sync(d, a)		((void)(a), false)

/* --- interrupts, works, time ---- */

typedef irqreturn_t (*irq_handler_t)(int irq, void *data);
#define IRQ_HANDLED		1
#define PCI_IRQ_MSIX		0
#define PCI_IRQ_MSI		0
#define pci_dev_put(p)			((void)(p))
int pci_alloc_irq_vectors(struct pci_dev *p, int least, int most, unsigned int flags);
#define pci_free_irq_vectors(p)	((void)(p))
#define pci_irq_vector(p, n)	((void)(p), (int)(n) + 1)
int kernel_request_irq(struct pci_dev *p, int irq, irq_handler_t fn, void *data);
#define request_irq(irq, fn, f, name, data) kernel_request_irq(pdev, irq, fn, data)
void free_irq(int irq, void *data);

/* In seconds / 1000. */
#define HZ			1000
unsigned long kernel_jiffies(void);
#define jiffies			kernel_jiffies()
#define msecs_to_jiffies(ms)	((unsigned long)(ms))
#define time_after(a, b)	((long)((b) - (a)) < 0)
#define time_before(a, b)	time_after(b, a)
#define time_after_eq(a, b)	((long)((a) - (b)) >= 0)

struct work_struct {
	void (*fn)(struct work_struct *work);
	struct work_struct *next;
	bool pending, delayed;
	unsigned long at;
};

struct delayed_work {
	struct work_struct work;
};

struct workqueue_struct;

#define INIT_WORK(w, f)			(*(w) = (struct work_struct) { .fn = (f) })
#define INIT_DELAYED_WORK(w, f)		(*(w) = (struct delayed_work) { .work.fn = (f) })
void kernel_queue(struct work_struct *w, unsigned long delay);
void kernel_unqueue(struct work_struct *w);
#define queue_work(q, w)		((void)(q), kernel_queue(w, 0))
#define queue_delayed_work(q, w, d)	((void)(q), kernel_queue(&(w)->work, d))
#define mod_delayed_work(q, w, d)	((void)(q), kernel_unqueue(&(w)->work), kernel_queue(&(w)->work, d))
#define cancel_work_sync(w)		kernel_unqueue(w)
#define cancel_delayed_work_sync(w)	kernel_unqueue(&(w)->work)

/* Interrupts and works that are due; how long until the next work, ms, ~0: there is none. */
unsigned long kernel_run(void);
/* Whoever sleeps in the kernel: the card goes on. */
void kernel_wait(void);

struct completion {
	bool done;
};

#define init_completion(c)		((c)->done = false)
#define reinit_completion(c)		((c)->done = false)
#define complete(c)			((c)->done = true)
#define completion_done(c)		((c)->done)
#define try_wait_for_completion(c)	({ bool _d = (c)->done; (c)->done = false; _d; })

static inline unsigned long wait_for_completion_timeout(struct completion *c, unsigned long ms)
{
	unsigned long end = jiffies + ms;

	while (!c->done && time_before(jiffies, end))
		kernel_wait();
	return try_wait_for_completion(c) ? 1 : 0;
}

#define usleep_range(a, b)		kernel_wait()

/* Whoever sleeps here has a descriptor to look at: backend.c. */
typedef struct {
	int *fd;
} wait_queue_head_t;

void kernel_wake(wait_queue_head_t *wq);
#define init_waitqueue_head(w)			((w)->fd = NULL)
#define wake_up_all(w)				((void)(w))
#define wake_up_interruptible_poll(w, m)	kernel_wake(w)
#define wake_up_poll(w, m)			kernel_wake(w)
#define wait_event_timeout(w, c, ms) ({ \
	unsigned long _end = jiffies + (ms); \
	bool _ok; \
	while (!(_ok = (c)) && time_before(jiffies, _end)) \
		kernel_wait(); \
	_ok; })
#define wait_event_killable_timeout(w, c, ms)	((long)wait_event_timeout(w, c, (unsigned long)(ms)))
#define wait_event_interruptible(w, c)		((void)(w), (c) ? 0 : -EINTR)

/* --- files, the caller ---- */

struct cdev {
	const struct file_operations *ops;
	struct module *owner;
};

struct inode {
	struct cdev *i_cdev;
};

struct address_space;

struct file {
	void *private_data;
	unsigned int f_flags;
	struct address_space *f_mapping;
};

struct file_operations {
	struct module *owner;
	int (*open)(struct inode *inode, struct file *file);
	int (*release)(struct inode *inode, struct file *file);
	ssize_t (*read)(struct file *file, char *buf, size_t len, loff_t *pos);
	__poll_t (*poll)(struct file *file, poll_table *wait);
	int (*mmap)(struct file *file, struct vm_area_struct *vma);
	long (*unlocked_ioctl)(struct file *file, unsigned int cmd, unsigned long arg);
	long (*compat_ioctl)(struct file *file, unsigned int cmd, unsigned long arg);
};

#define cdev_init(c, f)			((c)->ops = (f))
#define cdev_device_add(c, d)		((void)(c), 0)
#define cdev_device_del(c, d)		((void)(c))
#define nonseekable_open(i, f)		0
#define compat_ptr_ioctl		NULL
#ifndef O_NONBLOCK
#define O_NONBLOCK			04000
#endif
#define EPOLLIN				0x001u
#define EPOLLERR			0x008u
#define EPOLLHUP			0x010u
#define EPOLLRDNORM			0x040u
#define poll_wait(f, w, p)		((void)(p))

#define get_user(x, p)			((x) = *(p), 0)
#define copy_to_user(to, from, n)	((void)memcpy(to, from, n), 0)
#define copy_from_user(to, from, n)	((void)memcpy(to, from, n), 0)
#define u64_to_user_ptr(x)		((void *)(uintptr_t)(x))
int copy_struct_from_user(void *to, size_t size, const void *from, size_t user_size);

struct mm_struct {
	atomic64_t pinned_vm;
};

#define TASK_COMM_LEN			16
struct task_struct {
	struct mm_struct *mm;
	struct task_struct *group_leader;
};

extern struct task_struct *kernel_current;
#define current				kernel_current
#define get_pid(p)			NULL
#define put_pid(p)			((void)(p))
#define task_tgid(t)			NULL
#define get_task_comm(to, t)		strscpy(to, "embedded", sizeof(to))
#define mmgrab(m)			((void)(m))
#define mmdrop(m)			((void)(m))
#define fatal_signal_pending(t)		((void)(t), false)

/* Rights are those that the process has. */
#define CAP_IPC_LOCK			14
#define CAP_NET_ADMIN			12

typedef struct { u32 val; } kuid_t;
bool capable(int cap);
unsigned long rlimit(unsigned int which);
#define RLIMIT_MEMLOCK			8
static inline bool can_do_mlock(void)
{
	return rlimit(RLIMIT_MEMLOCK) || capable(CAP_IPC_LOCK);
}

struct eventfd_ctx *eventfd_ctx_fdget(int fd);
void eventfd_ctx_put(struct eventfd_ctx *ctx);
void eventfd_signal(struct eventfd_ctx *ctx);
u64 get_random_u64(void);

/* --- user memory: a "page" of it is its address. Faulted in as for pinning, but not pinned ---- */

#define FOLL_LONGTERM		1
#define FOLL_WRITE		2
long pin_user_pages_fast(u64 addr, long n, unsigned int flags, struct page **pages);
#define unpin_user_pages(p, n)	((void)(p))
#define unpin_user_page_range_dirty_lock(p, n, d) ((void)(p))

struct scatterlist {
	uintptr_t addr;
	size_t length;
};

struct sg_table {
	struct scatterlist *sgl;
	unsigned int nents, room;
};

struct sg_append_table {
	struct sg_table sgt;
};

int sg_alloc_append_table_from_pages(struct sg_append_table *t, struct page **pages, unsigned int n,
				     unsigned int off, unsigned long size, unsigned int max,
				     unsigned int left, gfp_t gfp);
#define sg_free_append_table(t)		(free((t)->sgt.sgl), (t)->sgt.sgl = NULL, (t)->sgt.nents = 0)
#define dma_map_sgtable(d, s, dir, f)	((void)(d), 0)
#define dma_unmap_sgtable(d, s, dir, f)	((void)(s))
#define sg_page(sg)			((struct page *)(sg)->addr)
#define sg_dma_address(sg)		((dma_addr_t)(sg)->addr)
#define sg_dma_len(sg)			((u64)(sg)->length)
#define for_each_sgtable_sg(t, s, i) \
	for ((i) = 0, (s) = (t)->sgl; (unsigned int)(i) < (t)->nents; (i)++, (s)++)
#define for_each_sgtable_dma_sg		for_each_sgtable_sg

/* --- of the driver: what has no place in a process ---- */

#define PNIC_NL_H
#define PNIC_COUNTERS_H
#define pnic_nl_changed()	((void)0)
#define pnic_nl_dev_ntf(pd)	((void)(pd))
#define pnic_counters_reset(pd)	((void)(pd))
#define pnic_counters_free(pd)	((void)(pd))

#endif /* PNIC_EMBEDDED_KERNEL_H */
