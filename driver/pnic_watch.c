// SPDX-License-Identifier: GPL-2.0
/*
 * Watched regions: whoever keeps registrations for later has to know when the memory behind an
 * address is no longer what was registered, since the region goes on with the old pages.
 *
 * The kernel's own notifications tell (munmap, mremap, a mapping over it, MADV_DONTNEED), before
 * the call that causes them returns. All that is done in them is to put the region in the
 * file's list and to count in a page that the process reads; which regions they are, it asks when
 * the count has changed. More regions than necessary may be told, never fewer.
 */
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "pnic_object.h"
#include "pnic_watch.h"

/**
 * struct pnic_watch - a region that is watched
 * @mni: the kernel's hook, for the region's addresses
 * @node: in pf->stale, when it is told and not yet asked for
 * @pf: the file
 * @handle: of the region; 0: not registered yet
 * @stale: the memory is another one
 */
struct pnic_watch {
	struct mmu_interval_notifier mni;
	struct list_head node;
	struct pnic_file *pf;
	u32 handle;
	bool stale;
};

/* With pf->stale_lock. Told only when it can be asked for. */
static void pnic_watch_tell(struct pnic_watch *w)
{
	struct pnic_ctx_page *page = page_address(w->pf->ctx_page);

	if (!w->handle || !w->stale || !list_empty(&w->node))
		return;
	list_add_tail(&w->node, &w->pf->stale);
	/* Pairs with the reader's acquire. */
	smp_store_release(&page->stale, page->stale + 1);
}

static bool pnic_watch_invalidate(struct mmu_interval_notifier *mni,
				  const struct mmu_notifier_range *range, unsigned long seq)
{
	struct pnic_watch *w = container_of(mni, struct pnic_watch, mni);

	spin_lock(&w->pf->stale_lock);
	mmu_interval_set_seq(mni, seq);
	/* The others leave the pages where they are. */
	if (!w->stale && (range->event == MMU_NOTIFY_UNMAP || range->event == MMU_NOTIFY_CLEAR ||
			  range->event == MMU_NOTIFY_RELEASE)) {
		w->stale = true;
		pnic_watch_tell(w);
	}
	spin_unlock(&w->pf->stale_lock);
	return true;
}

static const struct mmu_interval_notifier_ops pnic_watch_ops = {
	.invalidate = pnic_watch_invalidate,
};

bool pnic_watch_supported(void)
{
	return IS_ENABLED(CONFIG_MMU_NOTIFIER);
}

/* For a new file. */
void pnic_watch_init(struct pnic_file *pf)
{
	spin_lock_init(&pf->stale_lock);
	INIT_LIST_HEAD(&pf->stale);
}

/* For its context. With pf->lock. */
int pnic_watch_begin(struct pnic_file *pf)
{
	if (!pf->ctx_page)
		pf->ctx_page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	return pf->ctx_page ? 0 : -ENOMEM;
}

void pnic_watch_end(struct pnic_file *pf)
{
	if (pf->ctx_page)
		__free_page(pf->ctx_page);
	pf->ctx_page = NULL;
}

/*
 * Before the pages are pinned: what happens to the addresses from now on is seen. Without any lock.
 */
struct pnic_watch *pnic_watch_open(struct pnic_file *pf, u64 addr, u64 length)
{
	struct pnic_watch *w;
	int err;

	w = kzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);
	if (!w)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&w->node);
	w->pf = pf;
	/* What is pinned is there too, whatever is in the address's upper bits. */
	err = mmu_interval_notifier_insert(&w->mni, current->mm, untagged_addr(addr), length,
					   &pnic_watch_ops);
	if (err) {
		kfree(w);
		return ERR_PTR(err);
	}
	/* Whatever is under way with them is over when this returns. */
	mmu_interval_read_begin(&w->mni);
	return w;
}

/* The region has its handle; it may be stale already. */
void pnic_watch_name(struct pnic_watch *w, u32 handle)
{
	spin_lock(&w->pf->stale_lock);
	w->handle = handle;
	pnic_watch_tell(w);
	spin_unlock(&w->pf->stale_lock);
}

void pnic_watch_close(struct pnic_watch *w)
{
	if (!w)
		return;
	mmu_interval_notifier_remove(&w->mni);
	spin_lock(&w->pf->stale_lock);
	list_del_init(&w->node);
	spin_unlock(&w->pf->stale_lock);
	kfree(w);
}

int pnic_watch_stale(struct pnic_file *pf, void *data)
{
	struct pnic_ioc_mr_stale *arg = data;
	struct pnic_ctx_page *page;
	struct pnic_watch *w;
	u32 size = arg->size;

	if (arg->flags)
		return -EINVAL;
	memset(arg, 0, sizeof(*arg));
	arg->size = size;
	page = page_address(pf->ctx_page);
	spin_lock(&pf->stale_lock);
	while (arg->count < ARRAY_SIZE(arg->handles)) {
		w = list_first_entry_or_null(&pf->stale, struct pnic_watch, node);
		if (!w)
			break;
		list_del_init(&w->node);
		arg->handles[arg->count++] = w->handle;
		/* Told once. */
		w->handle = 0;
	}
	arg->stale = page->stale;
	spin_unlock(&pf->stale_lock);
	return 0;
}

/* The answer could not be written: what was in it is to be asked for again. */
void pnic_watch_undo(struct pnic_file *pf, void *data)
{
	const struct pnic_ioc_mr_stale *arg = data;
	struct pnic_obj *obj;
	struct pnic_mr *mr;
	unsigned int i;

	mutex_lock(&pf->lock);
	for (i = 0; i < arg->count; i++) {
		/* It may have been taken back since. */
		obj = pnic_obj_find(pf, arg->handles[i], PNIC_OBJ_MR);
		if (!obj)
			continue;
		mr = container_of(obj, struct pnic_mr, obj);
		if (mr->watch)
			pnic_watch_name(mr->watch, arg->handles[i]);
	}
	mutex_unlock(&pf->lock);
}
