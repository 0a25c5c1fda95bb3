// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: who holds what, by netlink: res-get, object-get.
 *
 * Files are numbered as they are opened, and objects of a file have handles: a dump remembers the
 * next of both. A file is held while it is looked at, with pd->reg_lock for reading so that no
 * reset takes its objects away, and with pf->lock so that nothing else does.
 */
#include <linux/pid.h>
#include <linux/pid_namespace.h>

#include "pnic_nl.h"
#include "pnic_object.h"

/**
 * struct res_ctx - where a dump is
 * @at: the device
 * @file: the next file of it
 * @handle: the next object of that; 0 is its context
 */
struct res_ctx {
	unsigned long at;
	u32 file;
	u32 handle;
};

/* ---- files ---- */

/* 0: the reader's pid namespace has no number for it. */
static pid_t res_pid(const struct pnic_file *pf)
{
	return pid_nr_ns(pf->pid, task_active_pid_ns(current));
}

/* With pf->lock. */
static int res_fill(struct sk_buff *skb, struct pnic_dev *pd, const void *what)
{
	const struct pnic_file *pf = what;

	if (nla_put_u32(skb, PNIC_A_RES_DEV_INDEX, pd->minor) ||
	    nla_put_u32(skb, PNIC_A_RES_FILE, pf->id) ||
	    nla_put_u32(skb, PNIC_A_RES_PID, res_pid(pf)) ||
	    nla_put_string(skb, PNIC_A_RES_COMM, pf->comm) ||
	    (pf->ctx && nla_put_u32(skb, PNIC_A_RES_CONTEXT, pf->ctx)) ||
	    (pf->ctx && nla_put_u32(skb, PNIC_A_RES_PARTITION, pf->partition)) ||
	    (pf->dead && nla_put_flag(skb, PNIC_A_RES_DEAD)) ||
	    nla_put_u32(skb, PNIC_A_RES_REGIONS, pf->mrs) ||
	    nla_put_u32(skb, PNIC_A_RES_CQS, pf->cqs) ||
	    nla_put_u32(skb, PNIC_A_RES_ENDPOINTS, pf->eps) ||
	    nla_put_uint(skb, PNIC_A_RES_PINNED_BYTES, (u64)pf->pinned_pages << PAGE_SHIFT) ||
	    nla_put_uint(skb, PNIC_A_RES_RING_BYTES, pf->ring_bytes))
		return -EMSGSIZE;
	return 0;
}

static int res_dump_file(struct sk_buff *skb, struct netlink_callback *cb, struct pnic_dev *pd,
			 struct pnic_file *pf, struct res_ctx *ctx)
{
	return pnic_nl_put(skb, genl_info_dump(cb), cb, pd, res_fill, pf);
}

/* ---- objects ---- */

/**
 * struct object_item - an object to be put into a message
 * @pf: the file that owns it
 * @obj: it, NULL: the context
 */
struct object_item {
	const struct pnic_file *pf;
	const struct pnic_obj *obj;
};

static u32 object_kind(const struct pnic_obj *obj)
{
	if (!obj)
		return PNIC_OBJECT_KIND_CONTEXT;
	switch (obj->kind) {
	case PNIC_OBJ_MR:
		return PNIC_OBJECT_KIND_REGION;
	case PNIC_OBJ_CQ:
		return PNIC_OBJECT_KIND_CQ;
	case PNIC_OBJ_SRQ:
		return PNIC_OBJECT_KIND_SRQ;
	case PNIC_OBJ_CTR:
		return PNIC_OBJECT_KIND_COUNTER;
	default:
		return PNIC_OBJECT_KIND_ENDPOINT;
	}
}

static bool object_put_ctx(struct sk_buff *skb, const struct pnic_file *pf)
{
	return nla_put_u32(skb, PNIC_A_OBJECT_ID, pf->ctx) ||
	       (pf->dead && nla_put_flag(skb, PNIC_A_OBJECT_DEAD));
}

static bool object_put_mr(struct sk_buff *skb, const struct pnic_mr *mr)
{
	return nla_put_u32(skb, PNIC_A_OBJECT_ID, mr->index) ||
	       nla_put_uint(skb, PNIC_A_OBJECT_BYTES, mr->length) ||
	       nla_put_u32(skb, PNIC_A_OBJECT_RIGHTS, mr->rights);
}

static bool object_put_cq(struct sk_buff *skb, const struct pnic_cq *cq)
{
	return nla_put_u32(skb, PNIC_A_OBJECT_ID, cq->cqn) ||
	       nla_put_uint(skb, PNIC_A_OBJECT_BYTES, cq->ring.size) ||
	       nla_put_u32(skb, PNIC_A_OBJECT_ENTRIES, cq->entries) ||
	       (READ_ONCE(cq->dead) && nla_put_flag(skb, PNIC_A_OBJECT_DEAD));
}

static bool object_put_ep(struct sk_buff *skb, const struct pnic_ep *ep)
{
	return nla_put_u32(skb, PNIC_A_OBJECT_ID, ep->epn) ||
	       nla_put_uint(skb, PNIC_A_OBJECT_BYTES, ep->sq.size + ep->rq.size) ||
	       nla_put_u32(skb, PNIC_A_OBJECT_ENTRIES, ep->sq_slots) ||
	       (ep->rq_entries && nla_put_u32(skb, PNIC_A_OBJECT_RX_ENTRIES, ep->rq_entries)) ||
	       nla_put_u32(skb, PNIC_A_OBJECT_SEND_CQ, ep->send_cq->cqn) ||
	       nla_put_u32(skb, PNIC_A_OBJECT_RECV_CQ, ep->recv_cq->cqn) ||
	       (READ_ONCE(ep->dead) && nla_put_flag(skb, PNIC_A_OBJECT_DEAD));
}

static bool object_put_srq(struct sk_buff *skb, const struct pnic_srq *srq)
{
	return nla_put_u32(skb, PNIC_A_OBJECT_ID, srq->srqn) ||
	       nla_put_uint(skb, PNIC_A_OBJECT_BYTES, srq->ring.size) ||
	       nla_put_u32(skb, PNIC_A_OBJECT_ENTRIES, srq->entries);
}

static bool object_put_ctr(struct sk_buff *skb, const struct pnic_ctr *ctr)
{
	return nla_put_u32(skb, PNIC_A_OBJECT_ID, ctr->ctrn) ||
	       nla_put_uint(skb, PNIC_A_OBJECT_BYTES, ctr->mem.size);
}

static bool object_put(struct sk_buff *skb, const struct object_item *item)
{
	if (!item->obj)
		return object_put_ctx(skb, item->pf);
	switch (item->obj->kind) {
	case PNIC_OBJ_MR:
		return object_put_mr(skb, container_of(item->obj, struct pnic_mr, obj));
	case PNIC_OBJ_CQ:
		return object_put_cq(skb, container_of(item->obj, struct pnic_cq, obj));
	case PNIC_OBJ_EP:
		return object_put_ep(skb, container_of(item->obj, struct pnic_ep, obj));
	case PNIC_OBJ_SRQ:
		return object_put_srq(skb, container_of(item->obj, struct pnic_srq, obj));
	case PNIC_OBJ_CTR:
		return object_put_ctr(skb, container_of(item->obj, struct pnic_ctr, obj));
	}
	return false;
}

static int object_fill(struct sk_buff *skb, struct pnic_dev *pd, const void *what)
{
	const struct object_item *item = what;

	if (nla_put_u32(skb, PNIC_A_OBJECT_DEV_INDEX, pd->minor) ||
	    nla_put_u32(skb, PNIC_A_OBJECT_KIND, object_kind(item->obj)) ||
	    nla_put_u32(skb, PNIC_A_OBJECT_FILE, item->pf->id) ||
	    nla_put_u32(skb, PNIC_A_OBJECT_PID, res_pid(item->pf)) ||
	    nla_put_string(skb, PNIC_A_OBJECT_COMM, item->pf->comm) ||
	    object_put(skb, item))
		return -EMSGSIZE;
	return 0;
}

static bool object_wanted(struct netlink_callback *cb, const struct pnic_obj *obj)
{
	const struct nlattr *kind = genl_info_dump(cb)->attrs[PNIC_A_OBJECT_KIND];

	return !kind || nla_get_u32(kind) == object_kind(obj);
}

static int object_dump_one(struct sk_buff *skb, struct netlink_callback *cb, struct pnic_dev *pd,
			   const struct object_item *item)
{
	if (!object_wanted(cb, item->obj))
		return 0;
	return pnic_nl_put(skb, genl_info_dump(cb), cb, pd, object_fill, item);
}

static int object_dump_file(struct sk_buff *skb, struct netlink_callback *cb, struct pnic_dev *pd,
			    struct pnic_file *pf, struct res_ctx *ctx)
{
	struct object_item item = { .pf = pf };
	struct pnic_obj *obj;
	unsigned long i;
	int err;

	if (!ctx->handle && pf->ctx) {
		err = object_dump_one(skb, cb, pd, &item);
		if (err)
			return err;
	}
	xa_for_each_start(&pf->objs, i, obj, max(ctx->handle, 1U)) {
		ctx->handle = i;
		item.obj = obj;
		err = object_dump_one(skb, cb, pd, &item);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/* ---- both ---- */

typedef int (*res_dump)(struct sk_buff *skb, struct netlink_callback *cb, struct pnic_dev *pd,
			struct pnic_file *pf, struct res_ctx *ctx);

static int res_dump_dev(struct sk_buff *skb, struct netlink_callback *cb, struct pnic_dev *pd,
			struct res_ctx *ctx, res_dump dump)
{
	struct pnic_file *pf;
	int err = 0;

	while (!err) {
		pf = pnic_file_next(pd, ctx->file);
		if (!pf)
			break;
		if (pf->id != ctx->file)
			ctx->handle = 0;
		ctx->file = pf->id;
		err = -EINTR;
		if (!mutex_lock_killable(&pf->lock)) {
			err = dump(skb, cb, pd, pf, ctx);
			mutex_unlock(&pf->lock);
		}
		pnic_file_put(pf);
		if (err)
			break;
		ctx->file++;
		ctx->handle = 0;
	}
	return err;
}

static int res_dump_all(struct sk_buff *skb, struct netlink_callback *cb, res_dump dump)
{
	struct res_ctx *ctx = (void *)cb->ctx;
	struct pnic_dev *pd;
	int err = 0;

	BUILD_BUG_ON(sizeof(*ctx) > sizeof(cb->ctx));

	while (!err) {
		pd = pnic_nl_dump_enter(cb, &ctx->at, PNIC_NL_ANY);
		if (IS_ERR_OR_NULL(pd)) {
			err = PTR_ERR_OR_ZERO(pd);
			break;
		}
		err = res_dump_dev(skb, cb, pd, ctx, dump);
		pnic_nl_dump_leave(pd);
		if (err)
			break;
		ctx->at++;
		ctx->file = 0;
		ctx->handle = 0;
	}
	return err == -EMSGSIZE && skb->len ? skb->len : err;
}

int pnic_nl_res_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return res_dump_all(skb, cb, res_dump_file);
}

int pnic_nl_object_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return res_dump_all(skb, cb, object_dump_file);
}
