// SPDX-License-Identifier: GPL-2.0
/*
 * Completion queues: made and destroyed here, filled by the card, read by the process.
 * The kernel is in between only when one is armed: pnic_cq_event().
 */
#include <linux/eventfd.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "pnic_object.h"

/* --- events, in interrupts ---- */

/* The lock of the table keeps the queue: it is taken out before it is freed. */
void pnic_cq_event(struct pnic_dev *pd, u32 cqn)
{
	unsigned long flags;
	struct pnic_cq *cq;

	xa_lock_irqsave(&pd->cqs, flags);
	cq = xa_load(&pd->cqs, cqn);
	if (!cq)
		atomic_inc(&pd->stats.stray_events);
	else if (cq->eventfd)
		eventfd_signal(cq->eventfd);
	else
		pnic_evq_cq(&cq->obj.pf->evq, cq);
	xa_unlock_irqrestore(&pd->cqs, flags);
}

/* The queue is dead. Who waits for it has to wake up too. */
void pnic_cq_error(struct pnic_dev *pd, u32 cqn, u32 code)
{
	struct pnic_event ev = { .type = PNIC_EVT_CQ_ERROR, .code = code };
	unsigned long flags;
	struct pnic_cq *cq;

	xa_lock_irqsave(&pd->cqs, flags);
	cq = xa_load(&pd->cqs, cqn);
	if (cq) {
		ev.user_data = cq->user_data;
		WRITE_ONCE(cq->dead, true);
		pnic_evq_push(&cq->obj.pf->evq, &ev);
		if (cq->eventfd)
			eventfd_signal(cq->eventfd);
	} else {
		atomic_inc(&pd->stats.stray_events);
	}
	xa_unlock_irqrestore(&pd->cqs, flags);
}

/* --- creation ---- */

static int pnic_cq_command(struct pnic_cq *cq)
{
	struct pnic_file *pf = cq->obj.pf;
	struct pnic_adm_create_cq cmd = {
		.cqn = cpu_to_le32(cq->cqn),
		.ctx = cpu_to_le32(pf->ctx),
		.base = cpu_to_le64(cq->ring.dma),
		.eqn = cpu_to_le16(cq->eq->eqn),
		.log_size = ilog2(cq->entries),
		.db_page = cpu_to_le32(cq->db->id),
		.db_slot = cpu_to_le16(cq->slot),
	};

	return pnic_cmd_create_cq(pf->pd, &cmd);
}

/* Everything on our side; on failure pnic_cq_put() takes back what there is. */
static int pnic_cq_get(struct pnic_file *pf, struct pnic_cq *cq)
{
	struct pnic_dev *pd = pf->pd;
	int err;

	if (pf->cqs >= PNIC_FILE_QUEUES_MAX)
		return -ENOSPC;
	err = pnic_ring_alloc(pf, &cq->ring, cq->entries * sizeof(struct pnic_cqe));
	if (err)
		return err;
	err = pnic_dbpage_get(pf, 1, &cq->db, &cq->slot);
	if (err)
		return err;
	err = pnic_obj_add(pf, &cq->obj, PNIC_OBJ_CQ);
	if (err)
		return err;
	cq->eq = pnic_eq_for_cq(pd);
	pf->cqs++;
	atomic_inc(&pd->stats.cqs);

	err = xa_alloc_cyclic_irq(&pd->cqs, &cq->cqn, cq, XA_LIMIT(0, pd->caps.max_cq - 1),
				  &pd->next_cq, GFP_KERNEL_ACCOUNT);
	if (err < 0)
		return err == -EBUSY ? -ENOSPC : err;
	cq->numbered = true;
	return 0;
}

static void pnic_cq_put(struct pnic_file *pf, struct pnic_cq *cq)
{
	struct pnic_dev *pd = pf->pd;

	if (cq->numbered)
		xa_erase_irq(&pd->cqs, cq->cqn);
	pnic_evq_forget_cq(&pf->evq, cq);
	if (cq->eq) {
		atomic_dec(&pd->stats.cqs);
		pf->cqs--;
		atomic_dec(&cq->eq->users);
		pnic_obj_del(&cq->obj);
	}
	if (cq->db)
		pnic_dbpage_put(cq->db, cq->slot);
	pnic_ring_free(pf, &cq->ring);
	if (cq->eventfd)
		eventfd_ctx_put(cq->eventfd);
	kfree(cq);
}

static void pnic_cq_answer(const struct pnic_cq *cq, struct pnic_ioc_cq_create *arg)
{
	arg->entries = cq->entries;
	arg->handle = cq->obj.handle;
	arg->cqn = cq->cqn;
	arg->ring_offset = pnic_mmap_offset(&cq->ring.map);
	arg->ring_length = cq->ring.size;
	arg->db_offset = pnic_mmap_offset(&cq->db->db);
	arg->wake_offset = pnic_mmap_offset(&cq->db->wake);
	arg->db_slot = cq->slot;
}

static struct pnic_cq *pnic_cq_new(struct pnic_file *pf, const struct pnic_ioc_cq_create *arg)
{
	struct pnic_cq *cq;

	cq = kzalloc(sizeof(*cq), GFP_KERNEL_ACCOUNT);
	if (!cq)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&cq->pending);
	cq->obj.pf = pf;
	cq->user_data = arg->user_data;
	cq->entries = roundup_pow_of_two(max(arg->entries, 2U));
	if (arg->eventfd != -1) {
		struct eventfd_ctx *eventfd = eventfd_ctx_fdget(arg->eventfd);

		if (IS_ERR(eventfd)) {
			kfree(cq);
			return ERR_CAST(eventfd);
		}
		cq->eventfd = eventfd;
	}
	return cq;
}

int pnic_cq_create(struct pnic_file *pf, void *data)
{
	struct pnic_ioc_cq_create *arg = data;
	struct pnic_cq *cq;
	int err;

	if (arg->flags || arg->rsvd || !arg->entries)
		return -EINVAL;
	if (arg->entries > pnic_ring_entries_max(pf->pd->caps.max_log_cq, sizeof(struct pnic_cqe)))
		return -E2BIG;
	cq = pnic_cq_new(pf, arg);
	if (IS_ERR(cq))
		return PTR_ERR(cq);

	if (mutex_lock_killable(&pf->lock)) {
		pnic_cq_put(pf, cq);
		return -EINTR;
	}
	err = pnic_cq_get(pf, cq);
	if (!err) {
		err = pnic_cq_command(cq);
		/* What the card may have made stays in the file until the reset. */
		if (pnic_cmd_unconfirmed(err))
			goto unlock;
	}
	if (err)
		pnic_cq_put(pf, cq);
	else
		pnic_cq_answer(cq, arg);
unlock:
	mutex_unlock(&pf->lock);
	return err;
}

/* --- the end ---- */

/* 0: the card does not write to the ring any more. With pf->lock. */
int pnic_cq_remove(struct pnic_cq *cq)
{
	struct pnic_dev *pd = cq->obj.pf->pd;
	int err;

	err = pnic_cmd_destroy_cq(pd, cq->cqn);
	/* Its last events came before that: deliver them while the number still is its own. */
	if (!err)
		pnic_eq_drain(cq->eq);
	return err;
}

/* After pnic_cq_remove(), or with a card that was stopped; then whoever sleeps wakes up. */
void pnic_cq_free(struct pnic_cq *cq)
{
	if (cq->obj.pf->dead && cq->eventfd)
		eventfd_signal(cq->eventfd);
	pnic_cq_put(cq->obj.pf, cq);
}

static int pnic_cq_drop(struct pnic_file *pf, u32 handle)
{
	struct pnic_obj *obj;
	struct pnic_cq *cq;
	int err;

	if (mutex_lock_killable(&pf->lock))
		return -EINTR;
	err = -ENOENT;
	obj = pnic_obj_find(pf, handle, PNIC_OBJ_CQ);
	if (!obj)
		goto unlock;
	cq = container_of(obj, struct pnic_cq, obj);
	err = -EBUSY;
	if (cq->users)
		goto unlock;
	err = pnic_cq_remove(cq);
	if (!err)
		pnic_cq_free(cq);
unlock:
	mutex_unlock(&pf->lock);
	return err;
}

int pnic_cq_destroy(struct pnic_file *pf, void *data)
{
	const struct pnic_ioc_handle *arg = data;
	int err;

	err = pnic_handle_check(arg);
	return err ? err : pnic_cq_drop(pf, arg->handle);
}

void pnic_cq_undo(struct pnic_file *pf, void *data)
{
	const struct pnic_ioc_cq_create *arg = data;

	pnic_cq_drop(pf, arg->handle);
}
