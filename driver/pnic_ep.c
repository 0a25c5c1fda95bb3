// SPDX-License-Identifier: GPL-2.0
/*
 * Endpoints: a send ring, perhaps a receive ring, and the completion queues that they
 * report to. The process posts and rings by itself; the kernel makes, restarts and
 * destroys them and passes on that one stopped.
 */
#include <linux/log2.h>
#include <linux/slab.h>

#include "pnic_object.h"

#define PNIC_EP_SQ_LOG_MIN	4	/* the card's smallest send ring */

/* In interrupts. The lock of the table keeps the endpoint. */
void pnic_ep_error(struct pnic_dev *pd, u32 epn, u32 code)
{
	struct pnic_event ev = { .type = PNIC_EVT_EP_ERROR, .code = code };
	unsigned long flags;
	struct pnic_ep *ep;

	xa_lock_irqsave(&pd->eps, flags);
	ep = xa_load(&pd->eps, epn);
	if (ep) {
		ev.user_data = ep->user_data;
		WRITE_ONCE(ep->dead, true);
		pnic_evq_push(&ep->obj.pf->evq, &ev);
	} else {
		atomic_inc(&pd->stats.stray_events);
	}
	xa_unlock_irqrestore(&pd->eps, flags);
}

/* --- creation ---- */

static int pnic_ep_command(struct pnic_ep *ep, const struct pnic_ioc_ep_create *arg)
{
	struct pnic_file *pf = ep->obj.pf;
	struct pnic_adm_create_ep cmd = {
		.epn = cpu_to_le32(ep->epn),
		.ctx = cpu_to_le32(pf->ctx),
		.sq_base = cpu_to_le64(ep->sq.dma),
		.sq_log_size = ilog2(ep->sq_slots),
		.flags = cpu_to_le16(arg->flags & PNIC_EP_STOP_ON_ERROR ?
				     PNIC_EPF_STOP_ON_ERROR : 0),
		.send_cqn = cpu_to_le32(ep->send_cq->cqn),
		.recv_cqn = cpu_to_le32(ep->recv_cq->cqn),
		.db_page = cpu_to_le32(ep->db->id),
		.sq_slot = cpu_to_le16(ep->slots[PNIC_EP_SQ]),
		.rnr_timeout_us = cpu_to_le32(arg->rnr_timeout_us),
	};

	if (ep->srq) {
		cmd.flags |= cpu_to_le16(PNIC_EPF_SRQ);
		cmd.srqn = cpu_to_le32(ep->srq->srqn);
	}
	if (ep->rq_entries) {
		cmd.rq_base = cpu_to_le64(ep->rq.dma);
		cmd.rq_log_size = ilog2(ep->rq_entries);
		cmd.rq_slot = cpu_to_le16(ep->slots[PNIC_EP_RQ]);
	}
	return pnic_cmd_create_ep(pf->pd, &cmd);
}

static struct pnic_cq *pnic_ep_use_cq(struct pnic_file *pf, u32 handle)
{
	struct pnic_obj *obj = pnic_obj_find(pf, handle, PNIC_OBJ_CQ);
	struct pnic_cq *cq;

	if (!obj)
		return NULL;
	cq = container_of(obj, struct pnic_cq, obj);
	cq->users++;
	return cq;
}

/* 0 as a handle: no shared queue is wanted. */
static int pnic_ep_use_srq(struct pnic_file *pf, struct pnic_ep *ep, u32 handle)
{
	struct pnic_obj *obj;

	if (!handle)
		return 0;
	obj = pnic_obj_find(pf, handle, PNIC_OBJ_SRQ);
	if (!obj)
		return -ENOENT;
	ep->srq = container_of(obj, struct pnic_srq, obj);
	ep->srq->users++;
	return 0;
}

static int pnic_ep_get_rings(struct pnic_file *pf, struct pnic_ep *ep)
{
	int err;

	err = pnic_ring_alloc(pf, &ep->sq, (size_t)ep->sq_slots * PNIC_SLOT_SIZE);
	if (err)
		return err;
	if (ep->rq_entries) {
		err = pnic_ring_alloc(pf, &ep->rq,
				      (size_t)ep->rq_entries * sizeof(struct pnic_rqe));
		if (err)
			return err;
	}
	return pnic_dbpage_get(pf, ep->rq_entries ? 2 : 1, &ep->db, ep->slots);
}

/* Everything on our side; on failure pnic_ep_put() takes back what there is. */
static int pnic_ep_get(struct pnic_file *pf, struct pnic_ep *ep,
		       const struct pnic_ioc_ep_create *arg)
{
	struct pnic_dev *pd = pf->pd;
	int err;

	ep->send_cq = pnic_ep_use_cq(pf, arg->send_cq);
	ep->recv_cq = pnic_ep_use_cq(pf, arg->recv_cq);
	if (!ep->send_cq || !ep->recv_cq)
		return -ENOENT;
	err = pnic_ep_use_srq(pf, ep, arg->srq);
	if (err)
		return err;
	if (pf->eps >= PNIC_FILE_QUEUES_MAX)
		return -ENOSPC;
	err = pnic_ep_get_rings(pf, ep);
	if (err)
		return err;
	err = pnic_obj_add(pf, &ep->obj, PNIC_OBJ_EP);
	if (err)
		return err;
	ep->entered = true;
	pf->eps++;
	atomic_inc(&pd->stats.eps);

	err = xa_alloc_cyclic_irq(&pd->eps, &ep->epn, ep, XA_LIMIT(0, pd->caps.max_ep - 1),
				  &pd->next_ep, GFP_KERNEL_ACCOUNT);
	if (err < 0)
		return err == -EBUSY ? -ENOSPC : err;
	ep->numbered = true;
	return 0;
}

static void pnic_ep_put(struct pnic_file *pf, struct pnic_ep *ep)
{
	struct pnic_dev *pd = pf->pd;

	if (ep->numbered)
		xa_erase_irq(&pd->eps, ep->epn);
	if (ep->entered) {
		atomic_dec(&pd->stats.eps);
		pf->eps--;
		pnic_obj_del(&ep->obj);
	}
	if (ep->db) {
		pnic_dbpage_put(ep->db, ep->slots[PNIC_EP_SQ]);
		if (ep->rq_entries)
			pnic_dbpage_put(ep->db, ep->slots[PNIC_EP_RQ]);
	}
	pnic_ring_free(pf, &ep->rq);
	pnic_ring_free(pf, &ep->sq);
	pnic_ctr_leave(ep);
	if (ep->srq)
		ep->srq->users--;
	if (ep->recv_cq)
		ep->recv_cq->users--;
	if (ep->send_cq)
		ep->send_cq->users--;
	kfree(ep);
}

static void pnic_ep_answer(const struct pnic_ep *ep, struct pnic_ioc_ep_create *arg)
{
	arg->sq_slots = ep->sq_slots;
	arg->rq_entries = ep->rq_entries;
	arg->handle = ep->obj.handle;
	arg->epn = ep->epn;
	arg->sq_slot = ep->slots[PNIC_EP_SQ];
	arg->rq_slot = ep->rq_entries ? ep->slots[PNIC_EP_RQ] : 0;
	arg->sq_offset = pnic_mmap_offset(&ep->sq.map);
	arg->sq_length = ep->sq.size;
	arg->rq_offset = ep->rq_entries ? pnic_mmap_offset(&ep->rq.map) : 0;
	arg->rq_length = ep->rq.size;
	arg->db_offset = pnic_mmap_offset(&ep->db->db);
	arg->wake_offset = pnic_mmap_offset(&ep->db->wake);
}

static int pnic_ep_check(const struct pnic_caps *caps, const struct pnic_ioc_ep_create *arg)
{
	if (arg->flags & ~PNIC_EP_STOP_ON_ERROR || arg->rsvd || arg->rsvd2 || !arg->sq_slots)
		return -EINVAL;
	if (arg->srq && arg->rq_entries)
		return -EINVAL;
	if (arg->sq_slots > pnic_ring_entries_max(caps->max_log_sq, PNIC_SLOT_SIZE) ||
	    arg->rq_entries > pnic_ring_entries_max(caps->max_log_rq, sizeof(struct pnic_rqe)))
		return -E2BIG;
	return 0;
}

int pnic_ep_create(struct pnic_file *pf, void *data)
{
	struct pnic_ioc_ep_create *arg = data;
	struct pnic_ep *ep;
	int err;

	err = pnic_ep_check(&pf->pd->caps, arg);
	if (err)
		return err;
	ep = kzalloc(sizeof(*ep), GFP_KERNEL_ACCOUNT);
	if (!ep)
		return -ENOMEM;
	ep->obj.pf = pf;
	ep->user_data = arg->user_data;
	ep->sq_slots = roundup_pow_of_two(max(arg->sq_slots, 1U << PNIC_EP_SQ_LOG_MIN));
	if (arg->rq_entries)
		ep->rq_entries = roundup_pow_of_two(max(arg->rq_entries, 2U));

	if (mutex_lock_killable(&pf->lock)) {
		kfree(ep);
		return -EINTR;
	}
	err = pnic_ep_get(pf, ep, arg);
	if (!err) {
		err = pnic_ep_command(ep, arg);
		/* What the card may have made stays in the file until the reset. */
		if (pnic_cmd_unconfirmed(err))
			goto unlock;
	}
	if (err)
		pnic_ep_put(pf, ep);
	else
		pnic_ep_answer(ep, arg);
unlock:
	mutex_unlock(&pf->lock);
	return err;
}

/* --- restart and the end ---- */

/* 0: the card uses neither the rings nor, for this endpoint, any region. With pf->lock. */
int pnic_ep_remove(struct pnic_ep *ep)
{
	struct pnic_dev *pd = ep->obj.pf->pd;
	int err;

	err = pnic_cmd_destroy_ep(pd, ep->epn);
	/* Its last event came before that: deliver it while the number still is its own. */
	if (!err)
		pnic_eq_drain(ep->send_cq->eq);
	return err;
}

/* After pnic_ep_remove(), or with a card that was stopped. */
void pnic_ep_free(struct pnic_ep *ep)
{
	pnic_ep_put(ep->obj.pf, ep);
}

static int pnic_ep_restart(struct pnic_ep *ep)
{
	return pnic_cmd_reset_ep(ep->obj.pf->pd, ep->epn);
}

static int pnic_ep_drop(struct pnic_ep *ep)
{
	int err;

	err = pnic_ep_remove(ep);
	if (!err)
		pnic_ep_free(ep);
	return err;
}

static int pnic_ep_with(struct pnic_file *pf, u32 handle, int (*what)(struct pnic_ep *ep))
{
	struct pnic_obj *obj;
	int err = -ENOENT;

	if (mutex_lock_killable(&pf->lock))
		return -EINTR;
	obj = pnic_obj_find(pf, handle, PNIC_OBJ_EP);
	if (obj)
		err = what(container_of(obj, struct pnic_ep, obj));
	mutex_unlock(&pf->lock);
	return err;
}

int pnic_ep_destroy(struct pnic_file *pf, void *data)
{
	const struct pnic_ioc_handle *arg = data;
	int err;

	err = pnic_handle_check(arg);
	return err ? err : pnic_ep_with(pf, arg->handle, pnic_ep_drop);
}

int pnic_ep_reset(struct pnic_file *pf, void *data)
{
	const struct pnic_ioc_handle *arg = data;
	int err;

	err = pnic_handle_check(arg);
	return err ? err : pnic_ep_with(pf, arg->handle, pnic_ep_restart);
}

void pnic_ep_undo(struct pnic_file *pf, void *data)
{
	const struct pnic_ioc_ep_create *arg = data;

	pnic_ep_with(pf, arg->handle, pnic_ep_drop);
}
