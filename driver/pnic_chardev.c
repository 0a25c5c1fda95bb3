// SPDX-License-Identifier: GPL-2.0
/*
 * The char device /dev/pnicN: open, close, and the table of ioctls.
 *
 * A file may outlive its device: it is an orphan then, every call answers ENODEV, and
 * only its memory is left. Arguments are copied in and out here, so that what
 * the ioctls do (pnic_ctx.c, pnic_mr.c, pnic_cq.c, pnic_ep.c) sees kernel memory only.
 */
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "pnic_counters.h"
#include "pnic_dmabuf.h"
#include "pnic_grant.h"
#include "pnic_lanes.h"
#include "pnic_nl.h"
#include "pnic_object.h"
#include "pnic_watch.h"

#define PNIC_MINORS		256
/* How long a call waits for a reset that is under way. */
#define PNIC_RESET_WAIT		(30 * HZ)

static dev_t pnic_chardev_first;
static DEFINE_IDA(pnic_minors);

/* --- calls that need no context ---- */

static u64 pnic_chardev_features(const struct pnic_caps *caps)
{
	u64 features = 0;

	if (caps->caps & PNIC_CAP_LO_PARK)
		features |= PNIC_FEAT_PARK;
	if (caps->caps & PNIC_CAP_LO_ATOMICS)
		features |= PNIC_FEAT_ATOMICS;
	if (caps->caps & PNIC_CAP_LO_LANES)
		features |= PNIC_FEAT_LANES;
	if (caps->caps & PNIC_CAP_LO_SRQ)
		features |= PNIC_FEAT_SRQ;
	if (caps->caps & PNIC_CAP_LO_COUNTER)
		features |= PNIC_FEAT_COUNTER;
	if (caps->caps & PNIC_CAP_LO_SIGNAL)
		features |= PNIC_FEAT_SIGNAL;
	if (caps->caps & PNIC_CAP_LO_QUIET)
		features |= PNIC_FEAT_QUIET;
	if (caps->caps & PNIC_CAP_LO_CANCEL)
		features |= PNIC_FEAT_CANCEL;
	if (pnic_dmabuf_supported(caps))
		features |= PNIC_FEAT_DMABUF;
	if (pnic_watch_supported())
		features |= PNIC_FEAT_WATCH;
	return features;
}

static u32 pnic_chardev_max_inline(const struct pnic_caps *caps)
{
	return PNIC_SQE_INLINE_BASE + PNIC_SLOT_SIZE * (caps->max_sqe_slots - 1);
}

static int pnic_chardev_info(struct pnic_file *pf, void *data)
{
	const struct pnic_dev *pd = pf->pd;
	const struct pnic_caps *caps = &pd->caps;
	struct pnic_ioc_info *arg = data;

	if (arg->flags)
		return -EINVAL;
	*arg = (struct pnic_ioc_info) {
		.size = arg->size,
		.abi_major = PNIC_ABI_MAJOR,
		.abi_minor = PNIC_ABI_MINOR,
		.features = pnic_chardev_features(caps),
		.hw_version = caps->hw_version,
		.nic_addr = caps->nic_addr,
		.max_ep = caps->max_ep,
		.max_cq = caps->max_cq,
		.max_mr = caps->max_mr,
		.max_cq_entries = pnic_ring_entries_max(caps->max_log_cq,
							sizeof(struct pnic_cqe)),
		.max_sq_slots = pnic_ring_entries_max(caps->max_log_sq, PNIC_SLOT_SIZE),
		.max_rq_entries = pnic_ring_entries_max(caps->max_log_rq,
							sizeof(struct pnic_rqe)),
		.max_sge = caps->max_sge,
		.max_inline = pnic_chardev_max_inline(caps),
		.max_msg_size = caps->max_msg_size,
		.epoch = pd->epoch,
		.guid = caps->guid,
		.status_offset = pnic_mmap_status_offset,
		.lanes_data = caps->lanes_data,
		.lanes_spare = caps->lanes_spare,
		.lane_kbps = caps->payload_kbps,
		.max_srq = caps->max_srq,
		.max_ctr = caps->max_ctr,
	};
	strscpy(arg->serial, caps->serial, sizeof(arg->serial));
	strscpy(arg->pci, pci_name(pd->pdev), sizeof(arg->pci));
	return 0;
}

static int pnic_chardev_link_info(struct pnic_file *pf, void *data)
{
	struct pnic_ioc_link_info *arg = data;
	u32 size = arg->size;
	int err;

	if (arg->flags)
		return -EINVAL;
	if (pnic_state(pf->pd) != PNIC_STATE_READY)
		return -EIO;
	memset(arg, 0, sizeof(*arg));
	err = pnic_lanes_link_info(pf->pd, arg);
	arg->size = size;
	arg->flags = 0;
	return err;
}

/* --- the table ---- */

union pnic_chardev_arg {
	u32 size;
	struct pnic_ioc_info info;
	struct pnic_ioc_ctx_create ctx_create;
	struct pnic_ioc_mr_reg mr_reg;
	struct pnic_ioc_handle handle;
	struct pnic_ioc_cq_create cq_create;
	struct pnic_ioc_ep_create ep_create;
	struct pnic_ioc_link_info link_info;
	struct pnic_ioc_srq_create srq_create;
	struct pnic_ioc_ctr_create ctr_create;
	struct pnic_ioc_ctr_bind ctr_bind;
	struct pnic_ioc_recv_cancel recv_cancel;
	struct pnic_ioc_mr_reg_dmabuf mr_reg_dmabuf;
	struct pnic_ioc_mr_stale mr_stale;
};

/**
 * struct pnic_chardev_call - an ioctl
 * @cmd: its number
 * @size: of its argument, as this kernel knows it
 * @min_size: of the first version
 * @needs_ctx: ENXIO without a context
 * @answers: the argument is copied back
 * @enters: @run calls pnic_file_enter() itself
 * @run: with pd->reg_lock for reading, unless @enters
 * @undo: takes back what @run made, when the answer can't be written
 */
struct pnic_chardev_call {
	unsigned int cmd;
	u32 size;
	u32 min_size;
	bool needs_ctx;
	bool answers;
	bool enters;
	int (*run)(struct pnic_file *pf, void *arg);
	void (*undo)(struct pnic_file *pf, void *arg);
};

#define PNIC_CALL(_cmd, _type, _last, ...) \
	{ \
		.cmd = _cmd, \
		.size = sizeof(_type) + \
			BUILD_BUG_ON_ZERO(sizeof(_type) > sizeof(union pnic_chardev_arg)), \
		.min_size = offsetofend(_type, _last), \
		__VA_ARGS__ \
	}

static const struct pnic_chardev_call pnic_chardev_calls[] = {
	PNIC_CALL(PNIC_IOC_INFO, struct pnic_ioc_info, pci,
		  .answers = true, .run = pnic_chardev_info),
	PNIC_CALL(PNIC_IOC_CTX_CREATE, struct pnic_ioc_ctx_create, rsvd,
		  .answers = true, .run = pnic_ctx_create, .undo = pnic_ctx_undo),
	PNIC_CALL(PNIC_IOC_MR_REG, struct pnic_ioc_mr_reg, rsvd, .enters = true,
		  .answers = true, .run = pnic_mr_reg, .undo = pnic_mr_undo),
	PNIC_CALL(PNIC_IOC_MR_DEREG, struct pnic_ioc_handle, rsvd, .needs_ctx = true,
		  .run = pnic_mr_dereg),
	PNIC_CALL(PNIC_IOC_CQ_CREATE, struct pnic_ioc_cq_create, rsvd, .needs_ctx = true,
		  .answers = true, .run = pnic_cq_create, .undo = pnic_cq_undo),
	PNIC_CALL(PNIC_IOC_CQ_DESTROY, struct pnic_ioc_handle, rsvd, .needs_ctx = true,
		  .run = pnic_cq_destroy),
	PNIC_CALL(PNIC_IOC_EP_CREATE, struct pnic_ioc_ep_create, wake_offset, .needs_ctx = true,
		  .answers = true, .run = pnic_ep_create, .undo = pnic_ep_undo),
	PNIC_CALL(PNIC_IOC_EP_DESTROY, struct pnic_ioc_handle, rsvd, .needs_ctx = true,
		  .run = pnic_ep_destroy),
	PNIC_CALL(PNIC_IOC_EP_RESET, struct pnic_ioc_handle, rsvd, .needs_ctx = true,
		  .run = pnic_ep_reset),
	PNIC_CALL(PNIC_IOC_LINK_INFO, struct pnic_ioc_link_info, rsvd,
		  .answers = true, .run = pnic_chardev_link_info),
	PNIC_CALL(PNIC_IOC_SRQ_CREATE, struct pnic_ioc_srq_create, wake_offset, .needs_ctx = true,
		  .answers = true, .run = pnic_srq_create, .undo = pnic_srq_undo),
	PNIC_CALL(PNIC_IOC_SRQ_DESTROY, struct pnic_ioc_handle, rsvd, .needs_ctx = true,
		  .run = pnic_srq_destroy),
	PNIC_CALL(PNIC_IOC_CTR_CREATE, struct pnic_ioc_ctr_create, wake_offset, .needs_ctx = true,
		  .answers = true, .run = pnic_ctr_create, .undo = pnic_ctr_undo),
	PNIC_CALL(PNIC_IOC_CTR_DESTROY, struct pnic_ioc_handle, rsvd, .needs_ctx = true,
		  .run = pnic_ctr_destroy),
	PNIC_CALL(PNIC_IOC_CTR_BIND, struct pnic_ioc_ctr_bind, rsvd, .needs_ctx = true,
		  .run = pnic_ctr_bind),
	PNIC_CALL(PNIC_IOC_RECV_CANCEL, struct pnic_ioc_recv_cancel, index, .needs_ctx = true,
		  .run = pnic_recv_cancel),
	PNIC_CALL(PNIC_IOC_MR_REG_DMABUF, struct pnic_ioc_mr_reg_dmabuf, key, .enters = true,
		  .answers = true, .run = pnic_mr_reg_dmabuf, .undo = pnic_mr_undo_dmabuf),
	PNIC_CALL(PNIC_IOC_MR_STALE, struct pnic_ioc_mr_stale, handles, .needs_ctx = true,
		  .answers = true, .run = pnic_watch_stale, .undo = pnic_watch_undo),
};

static const struct pnic_chardev_call *pnic_chardev_find(unsigned int cmd)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pnic_chardev_calls); i++)
		if (pnic_chardev_calls[i].cmd == cmd)
			return &pnic_chardev_calls[i];
	return NULL;
}

/*
 * With pd->reg_lock for reading and the device in a state that lasts, or -errno. A
 * reset takes a moment, and whoever comes meanwhile waits for its end, @left jiffies at most.
 */
int pnic_dev_enter_within(struct pnic_dev *pd, long left)
{
	for (;;) {
		if (down_read_killable(&pd->reg_lock))
			return -EINTR;
		if (!pnic_state_passing(pnic_state(pd)))
			break;
		up_read(&pd->reg_lock);
		if (left <= 0)
			return -ETIMEDOUT;
		left = wait_event_killable_timeout(pd->state_wait,
						   !pnic_state_passing(pnic_state(pd)), left);
		if (left < 0)
			return -EINTR;
	}
	if (pnic_state(pd) != PNIC_STATE_GONE)
		return 0;
	up_read(&pd->reg_lock);
	return -ENODEV;
}

int pnic_dev_enter(struct pnic_dev *pd)
{
	return pnic_dev_enter_within(pd, PNIC_RESET_WAIT);
}

void pnic_dev_leave(struct pnic_dev *pd)
{
	up_read(&pd->reg_lock);
}

/*
 * The same with a context that lives. To be left by pnic_file_leave(). The context may still be
 * undone by another thread: what makes something on the card asks again, with pf->lock.
 */
int pnic_file_enter(struct pnic_file *pf)
{
	int err;

	err = pnic_dev_enter(pf->pd);
	if (err)
		return err;
	if (pf->dead)
		err = -EIO;
	else if (!smp_load_acquire(&pf->ctx))	/* pairs with pnic_ctx_new() */
		err = -ENXIO;
	if (err)
		up_read(&pf->pd->reg_lock);
	return err;
}

void pnic_file_leave(struct pnic_file *pf)
{
	up_read(&pf->pd->reg_lock);
}

static int pnic_chardev_run(struct pnic_file *pf, const struct pnic_chardev_call *call, void *arg)
{
	int err;

	if (call->enters)
		return call->run(pf, arg);
	err = call->needs_ctx ? pnic_file_enter(pf) : pnic_dev_enter(pf->pd);
	if (err)
		return err;
	err = call->run(pf, arg);
	pnic_file_leave(pf);
	return err;
}

/* The answer could not be written; a context that died since takes everything along. */
static void pnic_chardev_undo(struct pnic_file *pf, const struct pnic_chardev_call *call, void *arg)
{
	if (!call->undo || pnic_file_enter(pf))
		return;
	call->undo(pf, arg);
	pnic_file_leave(pf);
}

/*
 * User memory is touched with no lock held: an access can take as long as whoever provides
 * the memory likes, and a reset or removal must not wait for that.
 */
static long pnic_chardev_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	const struct pnic_chardev_call *call = pnic_chardev_find(cmd);
	struct pnic_file *pf = file->private_data;
	void __user *uarg = (void __user *)user;
	union pnic_chardev_arg arg;
	u32 size;
	int err;

	if (!call)
		return -ENOTTY;
	if (get_user(size, (u32 __user *)uarg))
		return -EFAULT;
	if (size < call->min_size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(&arg, call->size, uarg, size);
	if (err)
		return err;
	/* It was read a second time and may have changed. */
	arg.size = size;

	err = pnic_chardev_run(pf, call, &arg);
	if (err || !call->answers)
		return err;
	if (copy_to_user(uarg, &arg, min(size, call->size))) {
		pnic_chardev_undo(pf, call, &arg);
		return -EFAULT;
	}
	return 0;
}

/* --- files ---- */

static struct pnic_file *pnic_file_new(struct pnic_dev *pd, struct file *file)
{
	struct pnic_file *pf;

	pf = kzalloc(sizeof(*pf), GFP_KERNEL_ACCOUNT);
	if (!pf)
		return NULL;
	pf->pd = pd;
	pf->mapping = file->f_mapping;
	refcount_set(&pf->refs, 1);
	pf->pid = get_pid(task_tgid(current));
	get_task_comm(pf->comm, current->group_leader);
	mutex_init(&pf->lock);
	mutex_init(&pf->map_lock);
	xa_init_flags(&pf->objs, XA_FLAGS_ALLOC1);
	xa_init_flags(&pf->maps, XA_FLAGS_ALLOC);
	INIT_LIST_HEAD(&pf->dbpages);
	pnic_evq_init(&pf->evq);
	pnic_watch_init(pf);
	if (pnic_share_join(pf)) {
		put_pid(pf->pid);
		kfree(pf);
		return NULL;
	}
	get_device(&pd->dev);
	return pf;
}

/* Numbers ascend in the list; they begin anew after 2^32 files, and then a dump sees less. */
static void pnic_file_list(struct pnic_file *pf)
{
	struct pnic_dev *pd = pf->pd;
	unsigned long flags;

	spin_lock_irqsave(&pd->files_lock, flags);
	pf->id = ++pd->next_file;
	list_add_tail(&pf->node, &pd->files);
	spin_unlock_irqrestore(&pd->files_lock, flags);
	pnic_nl_changed();
}

struct pnic_file *pnic_file_next(struct pnic_dev *pd, u32 id)
{
	struct pnic_file *pf, *found = NULL;
	unsigned long flags;

	spin_lock_irqsave(&pd->files_lock, flags);
	list_for_each_entry(pf, &pd->files, node) {
		if (pf->id < id)
			continue;
		refcount_inc(&pf->refs);
		found = pf;
		break;
	}
	spin_unlock_irqrestore(&pd->files_lock, flags);
	return found;
}

/* Nothing of it is on the card any more. With pd->reg_lock. */
void pnic_file_free(struct pnic_file *pf)
{
	struct pnic_dev *pd = pf->pd;
	unsigned long flags;

	spin_lock_irqsave(&pd->files_lock, flags);
	list_del(&pf->node);
	spin_unlock_irqrestore(&pd->files_lock, flags);
	pnic_nl_changed();
	pnic_file_put(pf);
}

void pnic_file_put(struct pnic_file *pf)
{
	struct pnic_dev *pd = pf->pd;

	if (!refcount_dec_and_test(&pf->refs))
		return;
	pnic_share_leave(pf);
	put_pid(pf->pid);
	if (pf->dummy)
		__free_page(pf->dummy);
	pnic_watch_end(pf);
	xa_destroy(&pf->maps);
	xa_destroy(&pf->objs);
	mutex_destroy(&pf->map_lock);
	mutex_destroy(&pf->lock);
	kfree(pf);
	put_device(&pd->dev);
}

static int pnic_chardev_open(struct inode *inode, struct file *file)
{
	struct pnic_dev *pd = container_of(inode->i_cdev, struct pnic_dev, cdev);
	struct pnic_file *pf;
	int err = -ENODEV;

	down_read(&pd->reg_lock);
	if (pnic_state(pd) == PNIC_STATE_GONE)
		goto unlock;
	err = -ENOMEM;
	pf = pnic_file_new(pd, file);
	if (!pf)
		goto unlock;
	pnic_file_list(pf);
	file->private_data = pf;
	err = nonseekable_open(inode, file);
unlock:
	up_read(&pd->reg_lock);
	return err;
}

/*
 * The last descriptor and the last mapping are gone. What the card does not confirm stays
 * in the list, for the reset that is on its way.
 */
static int pnic_chardev_release(struct inode *inode, struct file *file)
{
	struct pnic_file *pf = file->private_data;
	struct pnic_dev *pd = pf->pd;
	int err;

	/* Not to be freed under the lock that is in it. */
	get_device(&pd->dev);
	down_read(&pd->reg_lock);
	mutex_lock(&pf->map_lock);
	pf->mapping = NULL;
	mutex_unlock(&pf->map_lock);
	/* A dump may be looking at it. */
	mutex_lock(&pf->lock);
	err = pnic_ctx_destroy(pf);
	mutex_unlock(&pf->lock);
	if (err)
		pf->closed = true;
	else
		pnic_file_free(pf);
	up_read(&pd->reg_lock);
	put_device(&pd->dev);
	return 0;
}

static ssize_t pnic_chardev_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct pnic_file *pf = file->private_data;

	return pnic_evq_read(&pf->evq, buf, len, file->f_flags & O_NONBLOCK);
}

static __poll_t pnic_chardev_poll(struct file *file, poll_table *wait)
{
	struct pnic_file *pf = file->private_data;

	return pnic_evq_poll(&pf->evq, file, wait);
}

static int pnic_chardev_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct pnic_file *pf = file->private_data;
	int err;

	err = pnic_mmap(pf, vma);
	if (err)
		atomic_inc(&pf->pd->stats.bad_maps);
	return err;
}

static const struct file_operations pnic_chardev_fops = {
	.owner		= THIS_MODULE,
	.open		= pnic_chardev_open,
	.release	= pnic_chardev_release,
	.read		= pnic_chardev_read,
	.poll		= pnic_chardev_poll,
	.mmap		= pnic_chardev_mmap,
	.unlocked_ioctl	= pnic_chardev_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

/* --- devices ---- */

/*
 * For everybody, like /dev/infiniband/uverbsN: what a process can do is bounded by its
 * context, by RLIMIT_MEMLOCK and by the partitions that it was granted, not by who may
 * open the node. An administrator who wants it otherwise has udev.
 */
static char *pnic_chardev_devnode(const struct device *dev, umode_t *mode)
{
	if (mode)
		*mode = 0666;
	return NULL;
}

static const struct class pnic_class = {
	.name		= PNIC_DRV_NAME,
	.devnode	= pnic_chardev_devnode,
};

static void pnic_chardev_release_dev(struct device *dev)
{
	struct pnic_dev *pd = container_of(dev, struct pnic_dev, dev);

	pnic_lanes_free(pd);
	pnic_counters_free(pd);
	pnic_status_free(pd);
	pnic_grant_free_all(pd);
	xa_destroy(&pd->db_ids);
	xa_destroy(&pd->ctxs);
	xa_destroy(&pd->srqs);
	xa_destroy(&pd->mrs);
	xa_destroy(&pd->ctrs);
	xa_destroy(&pd->eps);
	xa_destroy(&pd->cqs);
	pci_dev_put(pd->pdev);
	kfree(pd);
}

static struct lock_class_key pnic_cqs_key, pnic_eps_key, pnic_ctrs_key;

/* Makes pd->dev: from now on @pd is given back by put_device(). */
int pnic_chardev_prepare(struct pnic_dev *pd)
{
	device_initialize(&pd->dev);
	pd->dev.class = &pnic_class;
	pd->dev.parent = &pd->pdev->dev;
	pd->dev.release = pnic_chardev_release_dev;
	spin_lock_init(&pd->files_lock);
	INIT_LIST_HEAD(&pd->files);
	pnic_grant_init(pd);
	pnic_share_init(pd);
	pnic_dmabuf_init(pd);
	xa_init_flags(&pd->cqs, XA_FLAGS_ALLOC | XA_FLAGS_LOCK_IRQ);
	xa_init_flags(&pd->eps, XA_FLAGS_ALLOC | XA_FLAGS_LOCK_IRQ);
	xa_init_flags(&pd->ctrs, XA_FLAGS_ALLOC | XA_FLAGS_LOCK_IRQ);
	/*
	 * To lockdep all arrays that one file initializes are of one class; interrupts take
	 * these three and no others.
	 */
	lockdep_set_class(&pd->cqs.xa_lock, &pnic_cqs_key);
	lockdep_set_class(&pd->eps.xa_lock, &pnic_eps_key);
	lockdep_set_class(&pd->ctrs.xa_lock, &pnic_ctrs_key);
	xa_init_flags(&pd->mrs, XA_FLAGS_ALLOC);
	xa_init_flags(&pd->srqs, XA_FLAGS_ALLOC);
	xa_init_flags(&pd->ctxs, XA_FLAGS_ALLOC1);
	xa_init_flags(&pd->db_ids, XA_FLAGS_ALLOC);

	pd->minor = ida_alloc_max(&pnic_minors, PNIC_MINORS - 1, GFP_KERNEL);
	if (pd->minor < 0)
		return pd->minor;
	pd->dev.devt = MKDEV(MAJOR(pnic_chardev_first), pd->minor);
	return dev_set_name(&pd->dev, PNIC_DRV_NAME "%d", pd->minor);
}

/* Visible to everybody. */
int pnic_chardev_add(struct pnic_dev *pd)
{
	cdev_init(&pd->cdev, &pnic_chardev_fops);
	pd->cdev.owner = THIS_MODULE;
	return cdev_device_add(&pd->cdev, &pd->dev);
}

void pnic_chardev_del(struct pnic_dev *pd)
{
	cdev_device_del(&pd->cdev, &pd->dev);
}

/* The number can be had by the next device, also while files of this one are open. */
void pnic_chardev_unprepare(struct pnic_dev *pd)
{
	if (pd->minor >= 0)
		ida_free(&pnic_minors, pd->minor);
	put_device(&pd->dev);
}

int pnic_chardev_init(void)
{
	int err;

	err = alloc_chrdev_region(&pnic_chardev_first, 0, PNIC_MINORS, PNIC_DRV_NAME);
	if (err)
		return err;
	err = class_register(&pnic_class);
	if (err)
		unregister_chrdev_region(pnic_chardev_first, PNIC_MINORS);
	return err;
}

void pnic_chardev_exit(void)
{
	class_unregister(&pnic_class);
	unregister_chrdev_region(pnic_chardev_first, PNIC_MINORS);
}
