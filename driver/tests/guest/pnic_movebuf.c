// SPDX-License-Identifier: GPL-2.0
/*
 * For the tests in the guest: dma-bufs that move when they are told to, as a GPU's may at any
 * time. /dev/pnic_movebuf has four ioctls, each with a struct movebuf_arg:
 *
 *	MOVEBUF_CREATE	a buffer of .length bytes: its descriptor is the result
 *	MOVEBUF_MOVE	buffer .fd to other pages; the old ones are filled with 0xdb
 *	MOVEBUF_COPY	.length bytes between buffer .fd at .offset and .user, .write: into it
 *	MOVEBUF_FAIL	the next .length times that buffer .fd is to be mapped end with error .flags
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../../compat.h"
#include "pnic_movebuf.h"

MODULE_DESCRIPTION("dma-bufs that move, for tests of pnic");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "DMA_BUF");

#define MOVEBUF_PAGES_MAX	4096

struct movebuf {
	unsigned int n;
	unsigned int fail;	/* so many times more, with the reservation's lock */
	int err;
	struct page **pages;
};

static void movebuf_free_pages(struct page **pages, unsigned int n)
{
	unsigned int i;

	for (i = 0; pages && i < n && pages[i]; i++)
		__free_page(pages[i]);
	kvfree(pages);
}

static struct page **movebuf_alloc_pages(unsigned int n)
{
	struct page **pages = kvcalloc(n, sizeof(*pages), GFP_KERNEL);
	unsigned int i;

	for (i = 0; pages && i < n; i++) {
		pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!pages[i]) {
			movebuf_free_pages(pages, n);
			return NULL;
		}
	}
	return pages;
}

/*
 * A kernel without CONFIG_DMABUF_MOVE_NOTIFY pins what it maps for anybody. The buffers here move
 * all the same: importers have to be ready for that on kernels that don't.
 */
static int movebuf_pin(struct dma_buf_attachment *attach)
{
	return 0;
}

static void movebuf_unpin(struct dma_buf_attachment *attach)
{
}

static struct sg_table *movebuf_map(struct dma_buf_attachment *attach,
				    enum dma_data_direction dir)
{
	struct movebuf *m = attach->dmabuf->priv;
	struct sg_table *sgt;
	int err;

	if (m->fail) {
		m->fail--;
		return ERR_PTR(m->err);
	}
	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	err = sg_alloc_table_from_pages(sgt, m->pages, m->n, 0, (size_t)m->n << PAGE_SHIFT,
					GFP_KERNEL);
	if (err)
		goto free;
	err = dma_map_sgtable(attach->dev, sgt, dir, 0);
	if (!err)
		return sgt;
	sg_free_table(sgt);
free:
	kfree(sgt);
	return ERR_PTR(err);
}

static void movebuf_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			  enum dma_data_direction dir)
{
	dma_unmap_sgtable(attach->dev, sgt, dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
}

static void movebuf_release(struct dma_buf *buf)
{
	struct movebuf *m = buf->priv;

	movebuf_free_pages(m->pages, m->n);
	kfree(m);
}

static const struct dma_buf_ops movebuf_ops = {
	.pin = movebuf_pin,
	.unpin = movebuf_unpin,
	.map_dma_buf = movebuf_map,
	.unmap_dma_buf = movebuf_unmap,
	.release = movebuf_release,
};

static int movebuf_create(u64 length, u32 flags)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct movebuf *m;
	struct dma_buf *buf;
	int fd;

	if (!length || length > (u64)MOVEBUF_PAGES_MAX << PAGE_SHIFT)
		return -EINVAL;
	m = kzalloc(sizeof(*m), GFP_KERNEL);
	if (!m)
		return -ENOMEM;
	m->n = PAGE_ALIGN(length) >> PAGE_SHIFT;
	m->pages = movebuf_alloc_pages(m->n);
	info.ops = &movebuf_ops;
	info.size = (size_t)m->n << PAGE_SHIFT;
	info.flags = flags & MOVEBUF_READ_ONLY ? O_RDONLY : O_RDWR;
	info.priv = m;
	buf = m->pages ? dma_buf_export(&info) : ERR_PTR(-ENOMEM);
	if (IS_ERR(buf)) {
		movebuf_free_pages(m->pages, m->n);
		kfree(m);
		return PTR_ERR(buf);
	}
	fd = dma_buf_fd(buf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(buf);
	return fd;
}

/* To other pages: the importers are told, then the old pages are somebody else's. */
static int movebuf_move(struct dma_buf *buf)
{
	struct movebuf *m = buf->priv;
	struct page **to, **old;
	unsigned int i;

	to = movebuf_alloc_pages(m->n);
	if (!to)
		return -ENOMEM;
	dma_resv_lock(buf->resv, NULL);
	dma_buf_invalidate_mappings(buf);
	old = m->pages;
	for (i = 0; i < m->n; i++) {
		copy_page(page_address(to[i]), page_address(old[i]));
		memset(page_address(old[i]), 0xdb, PAGE_SIZE);
	}
	m->pages = to;
	dma_resv_unlock(buf->resv);
	movebuf_free_pages(old, m->n);
	return 0;
}

/* @kernel: memory of the kernel, since user memory isn't touched under the lock. */
static void movebuf_copy_locked(struct dma_buf *buf, const struct movebuf_arg *arg, u8 *kernel)
{
	struct movebuf *m = buf->priv;
	u64 at = arg->offset, left = arg->length;

	dma_resv_lock(buf->resv, NULL);
	while (left) {
		size_t n = min_t(u64, left, PAGE_SIZE - offset_in_page(at));
		u8 *p = page_address(m->pages[at >> PAGE_SHIFT]) + offset_in_page(at);

		memcpy(arg->write ? p : kernel, arg->write ? kernel : p, n);
		at += n;
		kernel += n;
		left -= n;
	}
	dma_resv_unlock(buf->resv);
}

static int movebuf_copy(struct dma_buf *buf, const struct movebuf_arg *arg)
{
	void __user *user = u64_to_user_ptr(arg->user);
	int err = 0;
	u8 *kernel;

	if (arg->offset > buf->size || arg->length > buf->size - arg->offset)
		return -EINVAL;
	kernel = kvzalloc(arg->length, GFP_KERNEL);
	if (!kernel)
		return -ENOMEM;
	if (arg->write && copy_from_user(kernel, user, arg->length))
		err = -EFAULT;
	if (!err)
		movebuf_copy_locked(buf, arg, kernel);
	if (!err && !arg->write && copy_to_user(user, kernel, arg->length))
		err = -EFAULT;
	kvfree(kernel);
	return err;
}

static int movebuf_fail(struct dma_buf *buf, const struct movebuf_arg *arg)
{
	struct movebuf *m = buf->priv;

	if (!arg->flags || arg->flags > MAX_ERRNO)
		return -EINVAL;
	dma_resv_lock(buf->resv, NULL);
	m->err = -(int)arg->flags;
	m->fail = arg->length;
	dma_resv_unlock(buf->resv);
	return 0;
}

static long movebuf_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	struct movebuf_arg arg;
	struct dma_buf *buf;
	int err;

	if (copy_from_user(&arg, (void __user *)user, sizeof(arg)))
		return -EFAULT;
	if (cmd == MOVEBUF_CREATE)
		return movebuf_create(arg.length, arg.flags);
	buf = dma_buf_get(arg.fd);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	err = -EINVAL;
	if (buf->ops == &movebuf_ops && cmd == MOVEBUF_MOVE)
		err = movebuf_move(buf);
	else if (buf->ops == &movebuf_ops && cmd == MOVEBUF_COPY)
		err = movebuf_copy(buf, &arg);
	else if (buf->ops == &movebuf_ops && cmd == MOVEBUF_FAIL)
		err = movebuf_fail(buf, &arg);
	dma_buf_put(buf);
	return err;
}

static const struct file_operations movebuf_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= movebuf_ioctl,
};

static struct miscdevice movebuf_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "pnic_movebuf",
	.fops	= &movebuf_fops,
};
module_misc_device(movebuf_misc);
