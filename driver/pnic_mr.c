// SPDX-License-Identifier: GPL-2.0
/*
 * Memory regions: user memory that the card may read or write under a key.
 *
 * The way in: account, pin, map for DMA, list the pages, tell the card. The way out is the
 * same backwards, and nothing is unmapped or unpinned before the card has confirmed
 * that it doesn't touch the region any more (or was stopped altogether).
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "pnic_dma.h"
#include "pnic_dmabuf.h"
#include "pnic_object.h"
#include "pnic_pages.h"
#include "pnic_pbl.h"
#include "pnic_watch.h"

#define PNIC_MR_RIGHTS	(PNIC_MRF_LOCAL_WRITE | PNIC_MRF_REMOTE_READ | PNIC_MRF_REMOTE_WRITE | \
			 PNIC_MRF_REMOTE_ATOMIC)
#define PNIC_MR_WRITES	(PNIC_MRF_LOCAL_WRITE | PNIC_MRF_REMOTE_WRITE | PNIC_MRF_REMOTE_ATOMIC)

#define PNIC_MR_KEY_INDEX_BITS	24

/* --- the account ---- */

static int pnic_mr_account(struct pnic_mr *mr)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	s64 pinned;

	if (!can_do_mlock())
		return -EPERM;
	pinned = atomic64_add_return(mr->npages, &current->mm->pinned_vm);
	if (pinned > limit && !capable(CAP_IPC_LOCK)) {
		atomic64_sub(mr->npages, &current->mm->pinned_vm);
		return -ENOMEM;
	}
	mr->mm = current->mm;
	mmgrab(mr->mm);
	return 0;
}

static void pnic_mr_unaccount(struct pnic_mr *mr)
{
	if (!mr->mm)
		return;
	atomic64_sub(mr->npages, &mr->mm->pinned_vm);
	mmdrop(mr->mm);
	mr->mm = NULL;
}

/* --- the pages ---- */

static void pnic_mr_unpin(struct pnic_dev *pd, struct pnic_mr *mr)
{
	struct scatterlist *sg;
	unsigned int i, n;

	for_each_sgtable_sg(&mr->sgt.sgt, sg, i) {
		n = DIV_ROUND_UP(sg->length, PAGE_SIZE);
		unpin_user_page_range_dirty_lock(sg_page(sg), n, mr->writable);
		atomic_long_sub(n, &pd->stats.pinned_pages);
		cond_resched();
	}
	sg_free_append_table(&mr->sgt);
}

/* One batch: up to a page full of page pointers. Returns how many, or -errno. */
static long pnic_mr_pin_batch(struct pnic_dev *pd, struct pnic_mr *mr, struct page **pages,
			      u64 addr, unsigned long left)
{
	unsigned int flags = FOLL_LONGTERM | (mr->writable ? FOLL_WRITE : 0);
	long n;
	int err;

	n = min_t(unsigned long, left, PAGE_SIZE / sizeof(*pages));
	n = pin_user_pages_fast(addr, n, flags, pages);
	if (n <= 0)
		return n ? n : -EFAULT;
	err = sg_alloc_append_table_from_pages(&mr->sgt, pages, n, 0, n * PAGE_SIZE, UINT_MAX,
					       left - n, GFP_KERNEL_ACCOUNT);
	if (err) {
		unpin_user_pages(pages, n);
		return err;
	}
	atomic_long_add(n, &pd->stats.pinned_pages);
	return n;
}

/* On failure what was pinned is in mr->sgt, for pnic_mr_unpin(). */
static int pnic_mr_pin(struct pnic_dev *pd, struct pnic_mr *mr, u64 addr)
{
	unsigned long left = mr->npages;
	struct page **pages;
	long n = 0;

	pages = (struct page **)__get_free_page(GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	addr &= PAGE_MASK;
	while (left) {
		cond_resched();
		n = fatal_signal_pending(current) ? -EINTR :
		    pnic_mr_pin_batch(pd, mr, pages, addr, left);
		if (n < 0)
			break;
		left -= n;
		addr += (u64)n << PAGE_SHIFT;
	}
	free_page((unsigned long)pages);
	return n < 0 ? n : 0;
}

static enum dma_data_direction pnic_mr_dma_dir(const struct pnic_mr *mr)
{
	return mr->writable ? DMA_BIDIRECTIONAL : DMA_TO_DEVICE;
}

/*
 * The memory is used by the card and the process at the same time: bouncing can't work, and
 * nothing is handed over. So a page may be in any number of regions, which DMA debugging takes
 * for an error where a mapping is a hand-over.
 */
#define PNIC_MR_DMA_ATTRS	DMA_ATTR_SKIP_CPU_SYNC

static int pnic_mr_map(struct pnic_dev *pd, struct pnic_mr *mr)
{
	struct device *dev = &pd->pdev->dev;
	int err;

	err = dma_map_sgtable(dev, &mr->sgt.sgt, pnic_mr_dma_dir(mr), PNIC_MR_DMA_ATTRS);
	if (err)
		return err;
	mr->mapped = true;
	atomic_inc(&pd->stats.dma_maps);
	return pnic_dma_any_copied(dev, &mr->sgt.sgt) ? -EOPNOTSUPP : 0;
}

static void pnic_mr_unmap(struct pnic_dev *pd, struct pnic_mr *mr)
{
	if (!mr->mapped)
		return;
	dma_unmap_sgtable(&pd->pdev->dev, &mr->sgt.sgt, pnic_mr_dma_dir(mr), PNIC_MR_DMA_ATTRS);
	mr->mapped = false;
	atomic_dec(&pd->stats.dma_maps);
}

static void pnic_mr_put_memory(struct pnic_dev *pd, struct pnic_mr *mr)
{
	pnic_watch_close(mr->watch);
	pnic_dmabuf_close(mr->dmabuf);
	pnic_pbl_free(pd, mr->pbl);
	pnic_mr_unmap(pd, mr);
	pnic_mr_unpin(pd, mr);
	pnic_mr_unaccount(mr);
	kfree(mr);
}

static int pnic_mr_watch(struct pnic_file *pf, struct pnic_mr *mr,
			 const struct pnic_ioc_mr_reg *arg)
{
	struct pnic_watch *w;

	if (!(arg->flags & PNIC_MRF_WATCH))
		return 0;
	w = pnic_watch_open(pf, arg->addr, arg->length);
	if (IS_ERR(w))
		return PTR_ERR(w);
	mr->watch = w;
	return 0;
}

/* Accounted for and pinned. Without any lock: faults on user memory may take long. */
static struct pnic_mr *pnic_mr_get_memory(struct pnic_file *pf, const struct pnic_ioc_mr_reg *arg)
{
	u64 npages = pnic_pages_count(arg->addr, arg->length, PAGE_SHIFT);
	struct pnic_dev *pd = pf->pd;
	struct pnic_mr *mr;
	int err;

	/* A scatterlist counts its entries, and those to come, in 32 bits. */
	if (npages > UINT_MAX)
		return ERR_PTR(-E2BIG);
	mr = kzalloc(sizeof(*mr), GFP_KERNEL_ACCOUNT);
	if (!mr)
		return ERR_PTR(-ENOMEM);
	mr->writable = arg->flags & PNIC_MR_WRITES;
	mr->npages = npages;
	mr->length = arg->length;
	mr->rights = arg->flags & PNIC_MR_RIGHTS;

	err = pnic_mr_account(mr);
	if (!err)
		err = pnic_mr_watch(pf, mr, arg);
	if (!err)
		err = pnic_mr_pin(pd, mr, arg->addr);
	if (err) {
		pnic_mr_put_memory(pd, mr);
		return ERR_PTR(err);
	}
	return mr;
}

/* Mapped and listed: all but telling the card. */
static int pnic_mr_prepare(struct pnic_dev *pd, struct pnic_mr *mr,
			   const struct pnic_ioc_mr_reg *arg)
{
	struct pnic_pbl *pbl;
	int err;

	err = pnic_mr_map(pd, mr);
	if (err)
		return err;
	pbl = pnic_pbl_make(pd, &mr->sgt.sgt, arg->addr, arg->length);
	if (IS_ERR(pbl))
		return PTR_ERR(pbl);
	mr->pbl = pbl;
	return 0;
}

/* --- the card ---- */

/* The tag makes the key hard to guess, and another one each time an index is used. */
static u64 pnic_mr_key(u32 index)
{
	u64 tag;

	do {
		tag = get_random_u64() >> PNIC_MR_KEY_INDEX_BITS;
	} while (!tag);
	return tag << PNIC_MR_KEY_INDEX_BITS | index;
}

static int pnic_mr_create(struct pnic_file *pf, struct pnic_mr *mr, struct pnic_ioc_mr_reg *arg)
{
	struct pnic_adm_create_mr cmd = {
		.index = cpu_to_le32(mr->index),
		.ctx = cpu_to_le32(pf->ctx),
		.va = cpu_to_le64(arg->addr),
		.length = cpu_to_le64(arg->length),
		.rights = PNIC_MR_LOCAL_READ | mr->rights,
	};

	BUILD_BUG_ON(PNIC_MRF_LOCAL_WRITE != PNIC_MR_LOCAL_WRITE);
	BUILD_BUG_ON(PNIC_MRF_REMOTE_READ != PNIC_MR_REMOTE_READ);
	BUILD_BUG_ON(PNIC_MRF_REMOTE_WRITE != PNIC_MR_REMOTE_WRITE);
	BUILD_BUG_ON(PNIC_MRF_REMOTE_ATOMIC != PNIC_MR_REMOTE_ATOMIC);

	arg->key = pnic_mr_key(mr->index);
	cmd.key = cpu_to_le64(arg->key);
	if (mr->dmabuf)
		return pnic_dmabuf_enter(mr->dmabuf, &cmd);
	cmd.pbl = cpu_to_le64(mr->pbl->dma);
	cmd.num_pages = cpu_to_le32(mr->pbl->count);
	cmd.page_shift = mr->pbl->shift;
	cmd.pbl_kind = mr->pbl->kind;
	return pnic_cmd_create_mr(pf->pd, &cmd);
}

static void pnic_mr_uncount(struct pnic_mr *mr)
{
	struct pnic_file *pf = mr->obj.pf;

	pf->mrs--;
	pf->pinned_pages -= mr->npages;
	atomic_dec(&pf->pd->stats.regions);
}

/* Gives @mr its index and its handle, and makes it on the card. With pf->lock. */
static int pnic_mr_enter(struct pnic_file *pf, struct pnic_mr *mr, struct pnic_ioc_mr_reg *arg)
{
	struct pnic_dev *pd = pf->pd;
	int err;

	if (!pf->ctx)
		return -ENXIO;
	err = xa_alloc_cyclic(&pd->mrs, &mr->index, mr, XA_LIMIT(0, pd->caps.max_mr - 1),
			      &pd->next_mr, GFP_KERNEL_ACCOUNT);
	if (err < 0)
		return err == -EBUSY ? -ENOSPC : err;
	err = pnic_obj_add(pf, &mr->obj, PNIC_OBJ_MR);
	if (err)
		goto index;
	mr->entered = true;
	pf->mrs++;
	pf->pinned_pages += mr->npages;
	atomic_inc(&pd->stats.regions);

	err = pnic_mr_create(pf, mr, arg);
	/* What the card may have made stays in the file until the reset. */
	if (err && !pnic_cmd_unconfirmed(err))
		goto handle;
	arg->handle = mr->obj.handle;
	if (!err && mr->watch)
		pnic_watch_name(mr->watch, arg->handle);
	return err;

handle:
	pnic_mr_uncount(mr);
	mr->entered = false;
	pnic_obj_del(&mr->obj);
index:
	xa_erase(&pd->mrs, mr->index);
	return err;
}

static int pnic_mr_check(const struct pnic_caps *caps, const struct pnic_ioc_mr_reg *arg)
{
	u64 end;

	if (arg->flags & ~(PNIC_MR_RIGHTS | PNIC_MRF_WATCH) || arg->rsvd || !arg->length)
		return -EINVAL;
	if (check_add_overflow(arg->addr, arg->length, &end) || PAGE_ALIGN(end) < end)
		return -EINVAL;
	if (arg->length >> caps->page_shift_max > caps->max_mr_pages)
		return -E2BIG;
	return 0;
}

/*
 * Between pnic_file_enter() and pnic_file_leave(). Once it has a handle @mr is the file's: another
 * thread may guess the handle and take it back as soon as pf->lock is free.
 */
static int pnic_mr_register(struct pnic_file *pf, struct pnic_mr *mr, struct pnic_ioc_mr_reg *arg)
{
	struct pnic_pbl *pbl = NULL;
	bool ours = true;
	int err;

	err = pnic_mr_prepare(pf->pd, mr, arg);
	if (!err && mutex_lock_killable(&pf->lock))
		err = -EINTR;
	if (!err) {
		err = pnic_mr_enter(pf, mr, arg);
		ours = !mr->entered;
		/* The card has its own copy of the list now. */
		if (!err) {
			pbl = mr->pbl;
			mr->pbl = NULL;
		}
		mutex_unlock(&pf->lock);
	}
	if (ours)
		pnic_mr_put_memory(pf->pd, mr);
	pnic_pbl_free(pf->pd, pbl);
	return err;
}

int pnic_mr_reg(struct pnic_file *pf, void *data)
{
	struct pnic_ioc_mr_reg *arg = data;
	struct pnic_mr *mr;
	int err;

	err = pnic_mr_check(&pf->pd->caps, arg);
	if (err)
		return err;
	/* Looked at again, when it counts; but why pin for nothing? */
	err = pnic_file_enter(pf);
	if (err)
		return err;
	pnic_file_leave(pf);

	mr = pnic_mr_get_memory(pf, arg);
	if (IS_ERR(mr))
		return PTR_ERR(mr);
	err = pnic_file_enter(pf);
	if (err) {
		pnic_mr_put_memory(pf->pd, mr);
		return err;
	}
	err = pnic_mr_register(pf, mr, arg);
	pnic_file_leave(pf);
	return err;
}

/* --- a piece of a dma-buf ---- */

static int pnic_mr_check_dmabuf(const struct pnic_caps *caps,
				const struct pnic_ioc_mr_reg_dmabuf *arg)
{
	u64 end;

	if (arg->flags & ~PNIC_MR_RIGHTS || !arg->length)
		return -EINVAL;
	if (check_add_overflow(arg->addr, arg->length, &end) || PAGE_ALIGN(end) < end)
		return -EINVAL;
	if (offset_in_page(arg->addr) != offset_in_page(arg->offset))
		return -EINVAL;
	if (!pnic_dmabuf_supported(caps))
		return -EOPNOTSUPP;
	if (arg->length >> caps->page_shift_max > caps->max_mr_pages)
		return -E2BIG;
	return 0;
}

static struct pnic_mr *pnic_mr_get_dmabuf(struct pnic_dev *pd,
					  const struct pnic_ioc_mr_reg_dmabuf *arg)
{
	struct pnic_dmabuf *b;
	struct pnic_mr *mr;

	mr = kzalloc(sizeof(*mr), GFP_KERNEL_ACCOUNT);
	if (!mr)
		return ERR_PTR(-ENOMEM);
	mr->length = arg->length;
	mr->rights = arg->flags;
	b = pnic_dmabuf_open(pd, arg, arg->flags & PNIC_MR_WRITES);
	if (IS_ERR(b)) {
		kfree(mr);
		return ERR_CAST(b);
	}
	mr->dmabuf = b;
	return mr;
}

/* Between pnic_file_enter() and pnic_file_leave(). */
static int pnic_mr_register_dmabuf(struct pnic_file *pf, struct pnic_mr *mr,
				   struct pnic_ioc_mr_reg_dmabuf *arg)
{
	struct pnic_ioc_mr_reg reg = {
		.flags = arg->flags, .addr = arg->addr, .length = arg->length,
	};
	bool ours = true;
	int err = -EINTR;

	if (!mutex_lock_killable(&pf->lock)) {
		err = pnic_mr_enter(pf, mr, &reg);
		ours = !mr->entered;
		mutex_unlock(&pf->lock);
	}
	if (ours)
		pnic_mr_put_memory(pf->pd, mr);
	arg->handle = reg.handle;
	arg->key = reg.key;
	return err;
}

int pnic_mr_reg_dmabuf(struct pnic_file *pf, void *data)
{
	struct pnic_ioc_mr_reg_dmabuf *arg = data;
	struct pnic_mr *mr;
	int err;

	err = pnic_mr_check_dmabuf(&pf->pd->caps, arg);
	if (err)
		return err;
	err = pnic_file_enter(pf);
	if (err)
		return err;
	mr = pnic_mr_get_dmabuf(pf->pd, arg);
	err = PTR_ERR_OR_ZERO(mr);
	if (!err)
		err = pnic_mr_register_dmabuf(pf, mr, arg);
	pnic_file_leave(pf);
	return err;
}

/* 0: the card does not touch the memory any more. With pf->lock. */
int pnic_mr_revoke(struct pnic_mr *mr)
{
	if (mr->dmabuf)
		return pnic_dmabuf_revoke(mr->dmabuf);
	return pnic_cmd_destroy_mr(mr->obj.pf->pd, mr->index);
}

/* After pnic_mr_revoke(), or with a card that was stopped. */
void pnic_mr_free(struct pnic_mr *mr)
{
	struct pnic_dev *pd = mr->obj.pf->pd;

	pnic_mr_uncount(mr);
	pnic_obj_del(&mr->obj);
	xa_erase(&pd->mrs, mr->index);
	pnic_mr_put_memory(pd, mr);
}

static int pnic_mr_drop(struct pnic_file *pf, u32 handle)
{
	struct pnic_obj *obj;
	struct pnic_mr *mr;
	int err;

	if (mutex_lock_killable(&pf->lock))
		return -EINTR;
	err = -ENOENT;
	obj = pnic_obj_find(pf, handle, PNIC_OBJ_MR);
	if (!obj)
		goto unlock;
	mr = container_of(obj, struct pnic_mr, obj);
	err = pnic_mr_revoke(mr);
	if (!err)
		pnic_mr_free(mr);
unlock:
	mutex_unlock(&pf->lock);
	return err;
}

int pnic_mr_dereg(struct pnic_file *pf, void *data)
{
	const struct pnic_ioc_handle *arg = data;
	int err;

	err = pnic_handle_check(arg);
	return err ? err : pnic_mr_drop(pf, arg->handle);
}

void pnic_mr_undo(struct pnic_file *pf, void *data)
{
	const struct pnic_ioc_mr_reg *arg = data;

	pnic_mr_drop(pf, arg->handle);
}

void pnic_mr_undo_dmabuf(struct pnic_file *pf, void *data)
{
	const struct pnic_ioc_mr_reg_dmabuf *arg = data;

	pnic_mr_drop(pf, arg->handle);
}
