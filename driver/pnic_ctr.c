// SPDX-License-Identifier: GPL-2.0
/*
 * Completion counters: a page that the card writes and a process reads. The kernel is in
 * between only when one is armed and reaches its threshold: pnic_ctr_event().
 */
#include <linux/eventfd.h>
#include <linux/slab.h>

#include "pnic_object.h"

/* In interrupts. The lock of the table keeps the counter: it is taken out before it is freed. */
void pnic_ctr_event(struct pnic_dev *pd, u32 ctrn)
{
	struct pnic_ctr *ctr;
	unsigned long flags;

	xa_lock_irqsave(&pd->ctrs, flags);
	ctr = xa_load(&pd->ctrs, ctrn);
	if (!ctr)
		atomic_inc(&pd->stats.stray_events);
	else if (ctr->eventfd)
		eventfd_signal(ctr->eventfd);
	xa_unlock_irqrestore(&pd->ctrs, flags);
}

/* --- creation ---- */

static int pnic_ctr_command(struct pnic_ctr *ctr)
{
	struct pnic_file *pf = ctr->obj.pf;
	struct pnic_adm_create_ctr cmd = {
		.ctr = cpu_to_le32(ctr->ctrn),
		.ctx = cpu_to_le32(pf->ctx),
		.addr = cpu_to_le64(ctr->mem.dma),
		.eqn = cpu_to_le16(ctr->eq->eqn),
		.db_slot = cpu_to_le16(ctr->slot),
		.db_page = cpu_to_le32(ctr->db->id),
	};

	return pnic_cmd_create_ctr(pf->pd, &cmd);
}

/* Everything on our side; on failure pnic_ctr_put() takes back what there is. */
static int pnic_ctr_get(struct pnic_file *pf, struct pnic_ctr *ctr)
{
	struct pnic_dev *pd = pf->pd;
	int err;

	if (pf->ctrs >= PNIC_FILE_QUEUES_MAX)
		return -ENOSPC;
	err = pnic_ring_alloc(pf, &ctr->mem, sizeof(struct pnic_ctr_mem));
	if (err)
		return err;
	err = pnic_dbpage_get(pf, 1, &ctr->db, &ctr->slot);
	if (err)
		return err;
	err = pnic_obj_add(pf, &ctr->obj, PNIC_OBJ_CTR);
	if (err)
		return err;
	ctr->entered = true;
	ctr->eq = pnic_eq_for_cq(pd);
	pf->ctrs++;
	atomic_inc(&pd->stats.ctrs);

	err = xa_alloc_cyclic_irq(&pd->ctrs, &ctr->ctrn, ctr, XA_LIMIT(0, pd->caps.max_ctr - 1),
				  &pd->next_ctr, GFP_KERNEL_ACCOUNT);
	if (err < 0)
		return err == -EBUSY ? -ENOSPC : err;
	ctr->numbered = true;
	return 0;
}

static void pnic_ctr_put(struct pnic_file *pf, struct pnic_ctr *ctr)
{
	struct pnic_dev *pd = pf->pd;

	if (ctr->numbered)
		xa_erase_irq(&pd->ctrs, ctr->ctrn);
	if (ctr->entered) {
		atomic_dec(&pd->stats.ctrs);
		pf->ctrs--;
		atomic_dec(&ctr->eq->users);
		pnic_obj_del(&ctr->obj);
	}
	if (ctr->db)
		pnic_dbpage_put(ctr->db, ctr->slot);
	pnic_ring_free(pf, &ctr->mem);
	if (ctr->eventfd)
		eventfd_ctx_put(ctr->eventfd);
	kfree(ctr);
}

static struct pnic_ctr *pnic_ctr_new(struct pnic_file *pf, const struct pnic_ioc_ctr_create *arg)
{
	struct pnic_ctr *ctr;

	ctr = kzalloc(sizeof(*ctr), GFP_KERNEL_ACCOUNT);
	if (!ctr)
		return ERR_PTR(-ENOMEM);
	ctr->obj.pf = pf;
	if (arg->eventfd != -1) {
		struct eventfd_ctx *eventfd = eventfd_ctx_fdget(arg->eventfd);

		if (IS_ERR(eventfd)) {
			kfree(ctr);
			return ERR_CAST(eventfd);
		}
		ctr->eventfd = eventfd;
	}
	return ctr;
}

static void pnic_ctr_answer(const struct pnic_ctr *ctr, struct pnic_ioc_ctr_create *arg)
{
	arg->handle = ctr->obj.handle;
	arg->ctrn = ctr->ctrn;
	arg->db_slot = ctr->slot;
	arg->mem_offset = pnic_mmap_offset(&ctr->mem.map);
	arg->mem_length = ctr->mem.size;
	arg->db_offset = pnic_mmap_offset(&ctr->db->db);
	arg->wake_offset = pnic_mmap_offset(&ctr->db->wake);
}

int pnic_ctr_create(struct pnic_file *pf, void *data)
{
	struct pnic_ioc_ctr_create *arg = data;
	struct pnic_ctr *ctr;
	int err;

	if (arg->flags)
		return -EINVAL;
	if (!(pf->pd->caps.caps & PNIC_CAP_LO_COUNTER))
		return -EOPNOTSUPP;
	ctr = pnic_ctr_new(pf, arg);
	if (IS_ERR(ctr))
		return PTR_ERR(ctr);

	if (mutex_lock_killable(&pf->lock)) {
		pnic_ctr_put(pf, ctr);
		return -EINTR;
	}
	err = pnic_ctr_get(pf, ctr);
	if (!err) {
		err = pnic_ctr_command(ctr);
		/* What the card may have made stays in the file until the reset. */
		if (pnic_cmd_unconfirmed(err))
			goto unlock;
	}
	if (err)
		pnic_ctr_put(pf, ctr);
	else
		pnic_ctr_answer(ctr, arg);
unlock:
	mutex_unlock(&pf->lock);
	return err;
}

/* --- what it counts ---- */

static void pnic_ctr_set(struct pnic_ep *ep, unsigned int kind, struct pnic_ctr *ctr)
{
	if (ep->ctrs[kind])
		ep->ctrs[kind]->users--;
	if (ctr)
		ctr->users++;
	ep->ctrs[kind] = ctr;
}

/* The endpoint goes. With pf->lock, or with a card that was stopped. */
void pnic_ctr_leave(struct pnic_ep *ep)
{
	unsigned int i;

	for (i = 0; i < PNIC_CTR_KINDS; i++)
		pnic_ctr_set(ep, i, NULL);
}

/* With pf->lock. */
static int pnic_ctr_bind_ep(struct pnic_file *pf, const struct pnic_ioc_ctr_bind *arg)
{
	struct pnic_adm_bind_ctr cmd = { .kinds = cpu_to_le16(arg->kinds) };
	struct pnic_ctr *ctr = NULL;
	unsigned long kinds = arg->kinds;
	struct pnic_obj *obj;
	struct pnic_ep *ep;
	unsigned int i;
	int err;

	obj = pnic_obj_find(pf, arg->ep, PNIC_OBJ_EP);
	if (!obj)
		return -ENOENT;
	ep = container_of(obj, struct pnic_ep, obj);
	cmd.epn = cpu_to_le32(ep->epn);
	if (arg->ctr) {
		obj = pnic_obj_find(pf, arg->ctr, PNIC_OBJ_CTR);
		if (!obj)
			return -ENOENT;
		ctr = container_of(obj, struct pnic_ctr, obj);
		cmd.ctr = cpu_to_le32(ctr->ctrn);
		cmd.bind = 1;
	}
	err = pnic_cmd_bind_ctr(pf->pd, &cmd);
	if (err)
		return err;
	for_each_set_bit(i, &kinds, PNIC_CTR_KINDS)
		pnic_ctr_set(ep, i, ctr);
	return 0;
}

int pnic_ctr_bind(struct pnic_file *pf, void *data)
{
	const struct pnic_ioc_ctr_bind *arg = data;
	int err;

	BUILD_BUG_ON(GENMASK(PNIC_CTR_KINDS - 1, 0) != PNIC_CTR_ALL);

	if (arg->flags || arg->rsvd || !arg->kinds || arg->kinds & ~PNIC_CTR_ALL)
		return -EINVAL;
	if (!(pf->pd->caps.caps & PNIC_CAP_LO_COUNTER))
		return -EOPNOTSUPP;
	if (mutex_lock_killable(&pf->lock))
		return -EINTR;
	err = pnic_ctr_bind_ep(pf, arg);
	mutex_unlock(&pf->lock);
	return err;
}

/* --- the end ---- */

/* 0: the card does not write it any more. With pf->lock. */
int pnic_ctr_remove(struct pnic_ctr *ctr)
{
	int err;

	err = pnic_cmd_destroy_ctr(ctr->obj.pf->pd, ctr->ctrn);
	/* Its last event came before that: deliver it while the number still is its own. */
	if (!err)
		pnic_eq_drain(ctr->eq);
	return err;
}

/* After pnic_ctr_remove(), or with a card that was stopped; then whoever sleeps wakes up. */
void pnic_ctr_free(struct pnic_ctr *ctr)
{
	if (ctr->obj.pf->dead && ctr->eventfd)
		eventfd_signal(ctr->eventfd);
	pnic_ctr_put(ctr->obj.pf, ctr);
}

static int pnic_ctr_drop(struct pnic_file *pf, u32 handle)
{
	struct pnic_obj *obj;
	struct pnic_ctr *ctr;
	int err;

	if (mutex_lock_killable(&pf->lock))
		return -EINTR;
	err = -ENOENT;
	obj = pnic_obj_find(pf, handle, PNIC_OBJ_CTR);
	if (!obj)
		goto unlock;
	ctr = container_of(obj, struct pnic_ctr, obj);
	err = -EBUSY;
	if (ctr->users)
		goto unlock;
	err = pnic_ctr_remove(ctr);
	if (!err)
		pnic_ctr_free(ctr);
unlock:
	mutex_unlock(&pf->lock);
	return err;
}

int pnic_ctr_destroy(struct pnic_file *pf, void *data)
{
	const struct pnic_ioc_handle *arg = data;
	int err;

	err = pnic_handle_check(arg);
	return err ? err : pnic_ctr_drop(pf, arg->handle);
}

void pnic_ctr_undo(struct pnic_file *pf, void *data)
{
	const struct pnic_ioc_ctr_create *arg = data;

	pnic_ctr_drop(pf, arg->handle);
}
