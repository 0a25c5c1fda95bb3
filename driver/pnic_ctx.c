// SPDX-License-Identifier: GPL-2.0
/*
 * Contexts: what an open file is on the card, the handles of its objects, and how
 * all of it ends.
 *
 * There are two ways to end. In good order (the file is closed while the card works) each object
 * is destroyed on the card first, and its memory is given back when the card has
 * confirmed. Otherwise the context is killed: the card was stopped by then, so nothing has to
 * be confirmed. An object whose destruction the card did not confirm waits for
 * the second way, since the card may still write to its memory; the reset that does it
 * is under way already.
 */
#include <linux/slab.h>

#include "pnic_grant.h"
#include "pnic_nl.h"
#include "pnic_object.h"
#include "pnic_watch.h"

/* --- handles ---- */

int pnic_handle_check(const struct pnic_ioc_handle *arg)
{
	return arg->flags || arg->rsvd ? -EINVAL : 0;
}

/* With pf->lock. */
struct pnic_obj *pnic_obj_find(struct pnic_file *pf, u32 handle, enum pnic_obj_kind kind)
{
	struct pnic_obj *obj = xa_load(&pf->objs, handle);

	return obj && obj->kind == kind ? obj : NULL;
}

int pnic_obj_add(struct pnic_file *pf, struct pnic_obj *obj, enum pnic_obj_kind kind)
{
	int err;

	obj->kind = kind;
	obj->pf = pf;
	err = pnic_share_take(pf, (enum pnic_share)kind);
	if (err)
		return err;
	err = xa_alloc_cyclic(&pf->objs, &obj->handle, obj, XA_LIMIT(1, S32_MAX), &pf->next_handle,
			      GFP_KERNEL_ACCOUNT);
	if (err < 0) {
		pnic_share_give(pf, (enum pnic_share)kind);
		return err == -EBUSY ? -ENOSPC : err;
	}
	pnic_nl_changed();
	return 0;
}

void pnic_obj_del(struct pnic_obj *obj)
{
	xa_erase(&obj->pf->objs, obj->handle);
	pnic_share_give(obj->pf, (enum pnic_share)obj->kind);
	pnic_nl_changed();
}

/* --- making a context ---- */

/* The card may know something of the file, and of its memory. */
static bool pnic_ctx_any(const struct pnic_file *pf)
{
	return pf->ctx || !xa_empty(&pf->objs) || !list_empty(&pf->dbpages);
}

static void pnic_ctx_free_id(struct pnic_file *pf, u32 ctx)
{
	xa_erase(&pf->pd->ctxs, ctx);
	atomic_dec(&pf->pd->stats.contexts);
	pnic_share_give(pf, PNIC_SHARE_CTX);
	pnic_nl_changed();
}

static void pnic_ctx_forget(struct pnic_file *pf)
{
	u32 ctx = pf->ctx;

	WRITE_ONCE(pf->ctx, 0);
	pnic_ctx_free_id(pf, ctx);
}

static int pnic_ctx_new(struct pnic_file *pf, u32 partition)
{
	struct pnic_dev *pd = pf->pd;
	u32 ctx;
	int err;

	if (pf->dead)
		return -EIO;
	if (pf->ctx)
		return -EEXIST;
	err = pnic_watch_begin(pf);
	if (err)
		return err;
	err = pnic_share_take(pf, PNIC_SHARE_CTX);
	if (err)
		return err;
	err = xa_alloc(&pd->ctxs, &ctx, pf, XA_LIMIT(1, pd->caps.max_ctx), GFP_KERNEL);
	if (err) {
		pnic_share_give(pf, PNIC_SHARE_CTX);
		return err == -EBUSY ? -ENOSPC : err;
	}
	pf->partition = partition;
	pnic_nl_changed();
	atomic_inc(&pd->stats.contexts);
	err = pnic_cmd_create_ctx(pd, ctx, partition);
	/*
	 * Nobody takes it for a context before the card does. What the card may have made stays in
	 * the file until the reset.
	 */
	if (!err || pnic_cmd_unconfirmed(err))
		smp_store_release(&pf->ctx, ctx);	/* pairs with pnic_file_enter() */
	else
		pnic_ctx_free_id(pf, ctx);
	return err;
}

int pnic_ctx_create(struct pnic_file *pf, void *data)
{
	struct pnic_ioc_ctx_create *arg = data;
	int err;

	if (arg->flags || arg->rsvd || arg->partition > U16_MAX)
		return -EINVAL;
	if (!pnic_grant_allows(pf->pd, arg->partition))
		return -EPERM;

	if (mutex_lock_killable(&pf->lock))
		return -EINTR;
	err = pnic_ctx_new(pf, arg->partition);
	arg->ctx = pf->ctx;
	arg->epoch = pf->pd->epoch;
	arg->page_offset = pnic_mmap_ctx_offset;
	mutex_unlock(&pf->lock);
	return err;
}

/* The answer could not be written: as if nothing had been. */
void pnic_ctx_undo(struct pnic_file *pf, void *data)
{
	mutex_lock(&pf->lock);
	/* Another thread may have put it to use already; then it stays. */
	if (xa_empty(&pf->objs) && list_empty(&pf->dbpages))
		pnic_ctx_destroy(pf);
	mutex_unlock(&pf->lock);
}

/* What uses other things goes first. */
static const enum pnic_obj_kind pnic_ctx_order[] = {
	PNIC_OBJ_EP, PNIC_OBJ_SRQ, PNIC_OBJ_CTR, PNIC_OBJ_CQ, PNIC_OBJ_MR,
};

/* --- in good order ---- */

/* 0 if the card confirmed; the object is gone then. */
static int pnic_obj_destroy(struct pnic_obj *obj)
{
	int err;

	switch (obj->kind) {
	case PNIC_OBJ_EP:
		err = pnic_ep_remove(container_of(obj, struct pnic_ep, obj));
		if (!err)
			pnic_ep_free(container_of(obj, struct pnic_ep, obj));
		return err;
	case PNIC_OBJ_CQ:
		err = pnic_cq_remove(container_of(obj, struct pnic_cq, obj));
		if (!err)
			pnic_cq_free(container_of(obj, struct pnic_cq, obj));
		return err;
	case PNIC_OBJ_SRQ:
		err = pnic_srq_remove(container_of(obj, struct pnic_srq, obj));
		if (!err)
			pnic_srq_free(container_of(obj, struct pnic_srq, obj));
		return err;
	case PNIC_OBJ_CTR:
		err = pnic_ctr_remove(container_of(obj, struct pnic_ctr, obj));
		if (!err)
			pnic_ctr_free(container_of(obj, struct pnic_ctr, obj));
		return err;
	case PNIC_OBJ_MR:
		err = pnic_mr_revoke(container_of(obj, struct pnic_mr, obj));
		if (!err)
			pnic_mr_free(container_of(obj, struct pnic_mr, obj));
		return err;
	}
	return -EINVAL;
}

static int pnic_ctx_destroy_kind(struct pnic_file *pf, enum pnic_obj_kind kind)
{
	struct pnic_obj *obj;
	unsigned long i;
	int err;

	xa_for_each(&pf->objs, i, obj) {
		if (obj->kind != kind)
			continue;
		err = pnic_obj_destroy(obj);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/*
 * Everything of the file, on the card and here. Not 0: the card did not confirm, what
 * is left goes with the reset that is on its way. With pf->lock.
 */
int pnic_ctx_destroy(struct pnic_file *pf)
{
	unsigned int i;
	int err = 0;

	if (!pnic_ctx_any(pf))
		return 0;
	for (i = 0; !err && i < ARRAY_SIZE(pnic_ctx_order); i++)
		err = pnic_ctx_destroy_kind(pf, pnic_ctx_order[i]);
	if (!err)
		err = pnic_dbpage_unbind_all(pf);
	if (err || !pf->ctx)
		return err;
	err = pnic_cmd_destroy_ctx(pf->pd, pf->ctx);
	if (!err)
		pnic_ctx_forget(pf);
	return err;
}

/* --- by force ---- */

static void pnic_ctx_revoke(struct pnic_file *pf)
{
	pf->dead = true;
	pnic_mmap_revoke(pf);
}

/* First half, while the card may still be working: no process reaches it any more. */
void pnic_ctx_revoke_all(struct pnic_dev *pd)
{
	struct pnic_file *pf;

	lockdep_assert_held_write(&pd->reg_lock);

	/* Files come and go with reg_lock for reading: the list stands still. */
	list_for_each_entry(pf, &pd->files, node)
		if (pnic_ctx_any(pf))
			pnic_ctx_revoke(pf);
}

static void pnic_obj_free(struct pnic_obj *obj)
{
	switch (obj->kind) {
	case PNIC_OBJ_EP:
		pnic_ep_free(container_of(obj, struct pnic_ep, obj));
		break;
	case PNIC_OBJ_SRQ:
		pnic_srq_free(container_of(obj, struct pnic_srq, obj));
		break;
	case PNIC_OBJ_CTR:
		pnic_ctr_free(container_of(obj, struct pnic_ctr, obj));
		break;
	case PNIC_OBJ_CQ:
		pnic_cq_free(container_of(obj, struct pnic_cq, obj));
		break;
	case PNIC_OBJ_MR:
		pnic_mr_free(container_of(obj, struct pnic_mr, obj));
		break;
	}
}

static void pnic_ctx_kill_kind(struct pnic_file *pf, enum pnic_obj_kind kind)
{
	struct pnic_obj *obj;
	unsigned long i;

	xa_for_each(&pf->objs, i, obj) {
		if (obj->kind != kind)
			continue;
		pnic_obj_free(obj);
		cond_resched();
	}
}

static void pnic_ctx_kill(struct pnic_file *pf)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pnic_ctx_order); i++)
		pnic_ctx_kill_kind(pf, pnic_ctx_order[i]);
	pnic_dbpage_free_all(pf);
	if (pf->ctx)
		pnic_ctx_forget(pf);
}

/* Second half: the card does no DMA any more. Processes are told, memory is given back. */
void pnic_ctx_kill_all(struct pnic_dev *pd)
{
	bool gone = pnic_state(pd) == PNIC_STATE_GONE;
	struct pnic_file *pf, *next;

	lockdep_assert_held_write(&pd->reg_lock);

	list_for_each_entry_safe(pf, next, &pd->files, node) {
		bool had_ctx = pnic_ctx_any(pf);

		/* Not only by the first half: something may have come in between. */
		if (had_ctx)
			pnic_ctx_revoke(pf);
		pnic_ctx_kill(pf);
		pnic_evq_end(&pf->evq, gone, had_ctx, pd->epoch);
		if (pf->closed)
			pnic_file_free(pf);
	}
}
