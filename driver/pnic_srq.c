// SPDX-License-Identifier: GPL-2.0
/*
 * Receive queues that endpoints share, and cancelling receives. The process posts and rings by
 * itself; whose message takes an entry, the card decides.
 */
#include <linux/log2.h>
#include <linux/slab.h>

#include "pnic_object.h"

static int pnic_srq_command(struct pnic_srq *srq)
{
	struct pnic_file *pf = srq->obj.pf;
	struct pnic_adm_create_srq cmd = {
		.srqn = cpu_to_le32(srq->srqn),
		.ctx = cpu_to_le32(pf->ctx),
		.base = cpu_to_le64(srq->ring.dma),
		.log_size = ilog2(srq->entries),
		.db_page = cpu_to_le32(srq->db->id),
		.db_slot = cpu_to_le16(srq->slot),
	};

	return pnic_cmd_create_srq(pf->pd, &cmd);
}

/* Everything on our side; on failure pnic_srq_put() takes back what there is. */
static int pnic_srq_get(struct pnic_file *pf, struct pnic_srq *srq)
{
	struct pnic_dev *pd = pf->pd;
	int err;

	if (pf->srqs >= PNIC_FILE_QUEUES_MAX)
		return -ENOSPC;
	err = pnic_ring_alloc(pf, &srq->ring, (size_t)srq->entries * sizeof(struct pnic_rqe));
	if (err)
		return err;
	err = pnic_dbpage_get(pf, 1, &srq->db, &srq->slot);
	if (err)
		return err;
	err = pnic_obj_add(pf, &srq->obj, PNIC_OBJ_SRQ);
	if (err)
		return err;
	srq->entered = true;
	pf->srqs++;
	atomic_inc(&pd->stats.srqs);

	err = xa_alloc_cyclic(&pd->srqs, &srq->srqn, srq, XA_LIMIT(0, pd->caps.max_srq - 1),
			      &pd->next_srq, GFP_KERNEL_ACCOUNT);
	if (err < 0)
		return err == -EBUSY ? -ENOSPC : err;
	srq->numbered = true;
	return 0;
}

static void pnic_srq_put(struct pnic_file *pf, struct pnic_srq *srq)
{
	struct pnic_dev *pd = pf->pd;

	if (srq->numbered)
		xa_erase(&pd->srqs, srq->srqn);
	if (srq->entered) {
		atomic_dec(&pd->stats.srqs);
		pf->srqs--;
		pnic_obj_del(&srq->obj);
	}
	if (srq->db)
		pnic_dbpage_put(srq->db, srq->slot);
	pnic_ring_free(pf, &srq->ring);
	kfree(srq);
}

static void pnic_srq_answer(const struct pnic_srq *srq, struct pnic_ioc_srq_create *arg)
{
	arg->entries = srq->entries;
	arg->handle = srq->obj.handle;
	arg->srqn = srq->srqn;
	arg->db_slot = srq->slot;
	arg->ring_offset = pnic_mmap_offset(&srq->ring.map);
	arg->ring_length = srq->ring.size;
	arg->db_offset = pnic_mmap_offset(&srq->db->db);
	arg->wake_offset = pnic_mmap_offset(&srq->db->wake);
}

int pnic_srq_create(struct pnic_file *pf, void *data)
{
	const struct pnic_caps *caps = &pf->pd->caps;
	struct pnic_ioc_srq_create *arg = data;
	struct pnic_srq *srq;
	int err;

	if (arg->flags || !arg->entries)
		return -EINVAL;
	if (!(caps->caps & PNIC_CAP_LO_SRQ))
		return -EOPNOTSUPP;
	if (arg->entries > pnic_ring_entries_max(caps->max_log_rq, sizeof(struct pnic_rqe)))
		return -E2BIG;
	srq = kzalloc(sizeof(*srq), GFP_KERNEL_ACCOUNT);
	if (!srq)
		return -ENOMEM;
	srq->obj.pf = pf;
	srq->entries = roundup_pow_of_two(max(arg->entries, 2U));

	if (mutex_lock_killable(&pf->lock)) {
		kfree(srq);
		return -EINTR;
	}
	err = pnic_srq_get(pf, srq);
	if (!err) {
		err = pnic_srq_command(srq);
		/* What the card may have made stays in the file until the reset. */
		if (pnic_cmd_unconfirmed(err))
			goto unlock;
	}
	if (err)
		pnic_srq_put(pf, srq);
	else
		pnic_srq_answer(srq, arg);
unlock:
	mutex_unlock(&pf->lock);
	return err;
}

/* 0: the card does not read the ring any more. With pf->lock. */
int pnic_srq_remove(struct pnic_srq *srq)
{
	return pnic_cmd_destroy_srq(srq->obj.pf->pd, srq->srqn);
}

/* After pnic_srq_remove(), or with a card that was stopped. */
void pnic_srq_free(struct pnic_srq *srq)
{
	pnic_srq_put(srq->obj.pf, srq);
}

static int pnic_srq_drop(struct pnic_file *pf, u32 handle)
{
	struct pnic_obj *obj;
	struct pnic_srq *srq;
	int err;

	if (mutex_lock_killable(&pf->lock))
		return -EINTR;
	err = -ENOENT;
	obj = pnic_obj_find(pf, handle, PNIC_OBJ_SRQ);
	if (!obj)
		goto unlock;
	srq = container_of(obj, struct pnic_srq, obj);
	err = -EBUSY;
	if (srq->users)
		goto unlock;
	err = pnic_srq_remove(srq);
	if (!err)
		pnic_srq_free(srq);
unlock:
	mutex_unlock(&pf->lock);
	return err;
}

int pnic_srq_destroy(struct pnic_file *pf, void *data)
{
	const struct pnic_ioc_handle *arg = data;
	int err;

	err = pnic_handle_check(arg);
	return err ? err : pnic_srq_drop(pf, arg->handle);
}

void pnic_srq_undo(struct pnic_file *pf, void *data)
{
	const struct pnic_ioc_srq_create *arg = data;

	pnic_srq_drop(pf, arg->handle);
}

/* --- cancelling ---- */

/* Fills in whose entry it is. With pf->lock. */
static int pnic_recv_find(struct pnic_file *pf, u32 handle, struct pnic_adm_cancel_recv *cmd)
{
	struct pnic_obj *obj = xa_load(&pf->objs, handle);

	if (obj && obj->kind == PNIC_OBJ_SRQ) {
		cmd->id = cpu_to_le32(container_of(obj, struct pnic_srq, obj)->srqn);
		cmd->srq = 1;
		return 0;
	}
	if (obj && obj->kind == PNIC_OBJ_EP) {
		struct pnic_ep *ep = container_of(obj, struct pnic_ep, obj);

		cmd->id = cpu_to_le32(ep->epn);
		return ep->rq_entries ? 0 : -ENOENT;
	}
	return -ENOENT;
}

int pnic_recv_cancel(struct pnic_file *pf, void *data)
{
	const struct pnic_ioc_recv_cancel *arg = data;
	struct pnic_adm_cancel_recv cmd = { .index = cpu_to_le32(arg->index) };
	int err;

	if (arg->flags)
		return -EINVAL;
	if (!(pf->pd->caps.caps & PNIC_CAP_LO_CANCEL))
		return -EOPNOTSUPP;
	if (mutex_lock_killable(&pf->lock))
		return -EINTR;
	err = pnic_recv_find(pf, arg->handle, &cmd);
	if (!err)
		err = pnic_cmd_cancel_recv(pf->pd, &cmd);
	mutex_unlock(&pf->lock);
	return err;
}
