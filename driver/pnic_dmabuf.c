// SPDX-License-Identifier: GPL-2.0
/*
 * Regions of dma-buf memory: of a GPU, of a heap, of anything that exports it.
 *
 * The buffer is attached dynamically: we pin nothing, and the exporter may move it. (A kernel
 * without CONFIG_DMABUF_MOVE_NOTIFY pins while it is mapped.) It says so with the lock of the
 * buffer's reservation held (pnic_dmabuf_move()); the card is told to leave the region alone, by
 * MR_SUSPEND, before that returns. Transfers that meet a suspended region end with
 * PNIC_ST_LOCAL_MOVED or REMOTE_MOVED. A work maps the new place and resumes the region under the
 * key that it has.
 *
 * All regions of one buffer on one card, whoever's they are, have one attachment and one mapping:
 * two mappings of the same pages for one device are nothing that the DMA API promises to keep
 * apart.
 *
 * Locks: pd->reg_lock for reading, pf->lock, pd->buf_users_lock, then the reservation's. The work
 * and the exporter's call have the last one only: they use the admin queue, and nothing that a
 * reset could be waiting for. A card that doesn't answer is cut off from the bus instead; the
 * reset that follows lets it on again, without the region.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "compat.h"
#include "pnic_dmabuf.h"
#include "pnic_object.h"
#include "pnic_pbl.h"

MODULE_INFO(import_ns, "DMA_BUF");

/* How long a buffer that is being filled by its owner is waited for. */
#define PNIC_DMABUF_FENCE_WAIT	(5 * HZ)
/* After a mapping that failed: memory was short, or the owner wasn't done. */
#define PNIC_DMABUF_AGAIN	(HZ / 20)

/**
 * struct pnic_dmabuf_user - a card's use of a buffer, for all regions in it
 * @pd: the device
 * @buf: the buffer
 * @attach: the card's attachment to it
 * @node: in @pd->buf_users
 * @refs: regions, mapped or not; like @node protected by @pd->buf_users_lock
 * @sgt: where it is now; NULL: not mapped
 * @maps: regions that need it mapped
 * @regions: all of them that the card was to be told of
 *
 * @sgt, @maps and @regions are protected by the lock of @buf's reservation.
 */
struct pnic_dmabuf_user {
	struct pnic_dev *pd;
	struct dma_buf *buf;
	struct dma_buf_attachment *attach;
	struct list_head node;
	unsigned int refs;
	struct sg_table *sgt;
	unsigned int maps;
	struct list_head regions;
};

/**
 * struct pnic_dmabuf - memory of a region that is somebody else's buffer
 * @pd: the device
 * @buf: the buffer
 * @user: our attachment to it, with others'
 * @node: in @user->regions
 * @mapped: @user->sgt is there, for this region too
 * @remap: maps it again after a move
 * @cmd: how the card is told of it
 * @late: a page list that the card may still be reading, since it didn't answer; the region is not
 *	resumed any more then, and goes with the reset
 * @offset: of the region in the buffer
 * @on_card: the card knows the region
 * @suspended: the card leaves it alone, for certain
 * @dying: the region goes, don't map it any more
 *
 * All from @node on but @remap and @offset is protected by the lock of @buf's reservation.
 */
struct pnic_dmabuf {
	struct pnic_dev *pd;
	struct dma_buf *buf;
	struct pnic_dmabuf_user *user;
	struct list_head node;
	bool mapped;
	struct delayed_work remap;
	struct pnic_adm_create_mr cmd;
	struct pnic_pbl *late;
	u64 offset;
	bool on_card;
	bool suspended;
	bool dying;
};

void pnic_dmabuf_init(struct pnic_dev *pd)
{
	mutex_init(&pd->buf_users_lock);
	INIT_LIST_HEAD(&pd->buf_users);
}

bool pnic_dmabuf_supported(const struct pnic_caps *caps)
{
	return caps->caps & PNIC_CAP_LO_MR_MOVE;
}

static void pnic_dmabuf_unmap(struct pnic_dmabuf *b)
{
	struct pnic_dmabuf_user *u = b->user;

	if (!b->mapped)
		return;
	b->mapped = false;
	if (--u->maps)
		return;
	dma_buf_unmap_attachment(u->attach, u->sgt, DMA_BIDIRECTIONAL);
	u->sgt = NULL;
	atomic_dec(&b->pd->stats.dma_maps);
}

/* The buffer's owner may return anything. What is said of the card's silence is not his to say. */
static int pnic_dmabuf_owners_err(long err)
{
	if (err == -ETIMEDOUT)
		return -EBUSY;
	return pnic_cmd_unconfirmed(err) ? -EFAULT : err;
}

/*
 * With the reservation locked. Not before whoever moves or clears the buffer is done. No error of
 * this is one of pnic_cmd_unconfirmed(): the card was not asked.
 */
static int pnic_dmabuf_map(struct pnic_dmabuf *b, bool interruptible)
{
	struct pnic_dmabuf_user *u = b->user;
	struct sg_table *sgt;
	long left;

	if (!u->sgt) {
		sgt = dma_buf_map_attachment(u->attach, DMA_BIDIRECTIONAL);
		if (IS_ERR(sgt))
			return pnic_dmabuf_owners_err(PTR_ERR(sgt));
		u->sgt = sgt;
		atomic_inc(&b->pd->stats.dma_maps);
	}
	u->maps++;
	b->mapped = true;
	left = dma_resv_wait_timeout(b->buf->resv, DMA_RESV_USAGE_KERNEL, interruptible,
				     PNIC_DMABUF_FENCE_WAIT);
	if (left > 0)
		return 0;
	pnic_dmabuf_unmap(b);
	return left == -ERESTARTSYS ? -EINTR : pnic_dmabuf_owners_err(left ?: -ETIMEDOUT);
}

/* The DMA addresses of @length bytes from @skip on, whole pages, as a table of their own. */
static int pnic_dmabuf_cut(struct sg_table *part, struct sg_table *all, u64 skip, u64 length)
{
	struct scatterlist *sg, *to;
	u64 at = 0, n = 0;
	int i, err;

	for_each_sgtable_dma_sg(all, sg, i) {
		if (at + sg_dma_len(sg) > skip && at < skip + length)
			n++;
		at += sg_dma_len(sg);
	}
	if (at < skip + length)
		return -EINVAL;
	err = sg_alloc_table(part, n, GFP_KERNEL);
	if (err)
		return err;
	to = part->sgl;
	at = 0;
	for_each_sgtable_dma_sg(all, sg, i) {
		u64 len = sg_dma_len(sg), from = skip > at ? skip - at : 0;

		at += len;
		if (from >= len || at - len >= skip + length)
			continue;
		sg_dma_address(to) = sg_dma_address(sg) + from;
		sg_dma_len(to) = len - from;
		to = sg_next(to);
	}
	return 0;
}

/* The page list of what is mapped, and all of @b->cmd that depends on it. */
static struct pnic_pbl *pnic_dmabuf_list(struct pnic_dmabuf *b)
{
	u64 va = le64_to_cpu(b->cmd.va), length = le64_to_cpu(b->cmd.length);
	u64 skip = b->offset & PAGE_MASK;
	struct pnic_pbl *pbl;
	struct sg_table part;
	int err;

	err = pnic_dmabuf_cut(&part, b->user->sgt, skip, PAGE_ALIGN(b->offset + length) - skip);
	if (err)
		return ERR_PTR(err);
	pbl = pnic_pbl_make(b->pd, &part, va, length);
	sg_free_table(&part);
	if (IS_ERR(pbl))
		return pbl;
	b->cmd.pbl = cpu_to_le64(pbl->dma);
	b->cmd.num_pages = cpu_to_le32(pbl->count);
	b->cmd.page_shift = pbl->shift;
	b->cmd.pbl_kind = pbl->kind;
	return pbl;
}

/* The card has read the list; where it said nothing the list stays until the reset. */
static void pnic_dmabuf_listed(struct pnic_dmabuf *b, struct pnic_pbl *pbl, int err)
{
	if (pnic_cmd_unconfirmed(err))
		b->late = pbl;
	else
		pnic_pbl_free(b->pd, pbl);
}

/* --- moving ---- */

static void pnic_dmabuf_suspend(struct pnic_dmabuf *b)
{
	if (!b->mapped)
		return;
	if (b->on_card && !b->suspended) {
		b->suspended = true;
		if (pnic_cmd_mr_suspend(b->pd, le32_to_cpu(b->cmd.index)))
			pci_clear_master(b->pd->pdev);
		queue_delayed_work(pnic_wq, &b->remap, 0);
	}
	pnic_dmabuf_unmap(b);
}

/* By the exporter, with the reservation locked: after this it may use the memory otherwise. */
static void pnic_dmabuf_move(struct dma_buf_attachment *attach)
{
	struct pnic_dmabuf_user *u = attach->importer_priv;
	struct pnic_dmabuf *b;

	dma_resv_assert_held(attach->dmabuf->resv);

	list_for_each_entry(b, &u->regions, node)
		pnic_dmabuf_suspend(b);
}

static const struct dma_buf_attach_ops pnic_dmabuf_ops = {
	.invalidate_mappings = pnic_dmabuf_move,
};

static int pnic_dmabuf_resume(struct pnic_dmabuf *b)
{
	struct pnic_pbl *pbl;
	int err;

	err = pnic_dmabuf_map(b, false);
	if (err)
		return err;
	pbl = pnic_dmabuf_list(b);
	err = PTR_ERR_OR_ZERO(pbl);
	if (!err) {
		err = pnic_cmd_mr_resume(b->pd, &b->cmd);
		pnic_dmabuf_listed(b, pbl, err);
	}
	/* Without an answer it may be at work: a move has to see to it, and the mapping stays. */
	if (!err || pnic_cmd_unconfirmed(err))
		b->suspended = false;
	else
		pnic_dmabuf_unmap(b);
	return err;
}

static void pnic_dmabuf_work(struct work_struct *work)
{
	struct pnic_dmabuf *b = container_of(work, struct pnic_dmabuf, remap.work);
	int err = 0;

	dma_resv_lock(b->buf->resv, NULL);
	/* There is room for one list that the card may be reading. */
	if (!b->dying && b->suspended && !b->mapped && !b->late && pnic_admin_up(b->pd))
		err = pnic_dmabuf_resume(b);
	/* A card that doesn't answer is being reset, and the region goes with its context. */
	if (err && !pnic_cmd_unconfirmed(err))
		queue_delayed_work(pnic_wq, &b->remap, PNIC_DMABUF_AGAIN);
	dma_resv_unlock(b->buf->resv);
}

/* --- coming and going ---- */

/*
 * Has the card forget the region, with the reservation locked: a move before that suspends it, one
 * after that has nothing to do, and nobody resumes what the card doesn't know.
 */
int pnic_dmabuf_revoke(struct pnic_dmabuf *b)
{
	int err;

	dma_resv_lock(b->buf->resv, NULL);
	err = pnic_cmd_destroy_mr(b->pd, le32_to_cpu(b->cmd.index));
	if (!err) {
		b->on_card = false;
		b->dying = true;
	}
	dma_resv_unlock(b->buf->resv);
	return err;
}

static struct pnic_dmabuf_user *pnic_dmabuf_attach(struct pnic_dev *pd, struct dma_buf *buf)
{
	struct dma_buf_attachment *attach;
	struct pnic_dmabuf_user *u;

	u = kzalloc(sizeof(*u), GFP_KERNEL_ACCOUNT);
	if (!u)
		return ERR_PTR(-ENOMEM);
	u->pd = pd;
	u->buf = buf;
	INIT_LIST_HEAD(&u->regions);
	attach = dma_buf_dynamic_attach(buf, &pd->pdev->dev, &pnic_dmabuf_ops, u);
	if (IS_ERR(attach)) {
		kfree(u);
		return ERR_CAST(attach);
	}
	u->attach = attach;
	list_add(&u->node, &pd->buf_users);
	return u;
}

/* The card's use of the buffer: one there is, or a new one. */
static struct pnic_dmabuf_user *pnic_dmabuf_use(struct pnic_dev *pd, struct dma_buf *buf)
{
	struct pnic_dmabuf_user *u;

	mutex_lock(&pd->buf_users_lock);
	list_for_each_entry(u, &pd->buf_users, node)
		if (u->buf == buf)
			goto found;
	u = pnic_dmabuf_attach(pd, buf);
found:
	if (!IS_ERR(u))
		u->refs++;
	mutex_unlock(&pd->buf_users_lock);
	return u;
}

static void pnic_dmabuf_unuse(struct pnic_dmabuf_user *u)
{
	struct pnic_dev *pd = u->pd;

	mutex_lock(&pd->buf_users_lock);
	if (!--u->refs) {
		list_del(&u->node);
		dma_buf_detach(u->buf, u->attach);
		kfree(u);
	}
	mutex_unlock(&pd->buf_users_lock);
}

void pnic_dmabuf_close(struct pnic_dmabuf *b)
{
	if (!b)
		return;
	if (b->user) {
		dma_resv_lock(b->buf->resv, NULL);
		b->dying = true;
		pnic_dmabuf_unmap(b);
		list_del_init(&b->node);
		dma_resv_unlock(b->buf->resv);
		cancel_delayed_work_sync(&b->remap);
		pnic_dmabuf_unuse(b->user);
	}
	pnic_pbl_free(b->pd, b->late);
	dma_buf_put(b->buf);
	kfree(b);
}

/* Attached, not yet mapped. */
struct pnic_dmabuf *pnic_dmabuf_open(struct pnic_dev *pd, const struct pnic_ioc_mr_reg_dmabuf *arg,
				     bool writes)
{
	struct pnic_dmabuf_user *user;
	struct dma_buf *buf;
	struct pnic_dmabuf *b;
	u64 end;
	int err;

	buf = dma_buf_get(arg->fd);
	if (IS_ERR(buf))
		return ERR_CAST(buf);
	err = -EINVAL;
	if (check_add_overflow(arg->offset, arg->length, &end) || end > buf->size)
		goto put;
	err = -EPERM;
	if (writes && !(buf->file->f_mode & FMODE_WRITE))
		goto put;
	err = -ENOMEM;
	b = kzalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);
	if (!b)
		goto put;
	b->pd = pd;
	b->buf = buf;
	b->offset = arg->offset;
	INIT_DELAYED_WORK(&b->remap, pnic_dmabuf_work);
	INIT_LIST_HEAD(&b->node);
	user = pnic_dmabuf_use(pd, buf);
	if (IS_ERR(user)) {
		pnic_dmabuf_close(b);
		return ERR_CAST(user);
	}
	b->user = user;
	return b;

put:
	dma_buf_put(buf);
	return ERR_PTR(err);
}

/*
 * Maps the buffer and tells the card, with the reservation locked so that it can't move in between.
 * @cmd is complete but for the page list.
 */
int pnic_dmabuf_enter(struct pnic_dmabuf *b, const struct pnic_adm_create_mr *cmd)
{
	struct pnic_pbl *pbl;
	int err;

	if (dma_resv_lock_interruptible(b->buf->resv, NULL))
		return -EINTR;
	b->cmd = *cmd;
	list_add(&b->node, &b->user->regions);
	err = pnic_dmabuf_map(b, true);
	if (err)
		goto unlock;
	pbl = pnic_dmabuf_list(b);
	err = PTR_ERR_OR_ZERO(pbl);
	if (err)
		goto unlock;
	err = pnic_cmd_create_mr(b->pd, &b->cmd);
	b->on_card = !err || pnic_cmd_unconfirmed(err);
	pnic_dmabuf_listed(b, pbl, err);
unlock:
	dma_resv_unlock(b->buf->resv);
	return err;
}
