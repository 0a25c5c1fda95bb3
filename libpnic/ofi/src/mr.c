// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * Regions that the program registers. A region's key is a number that peers turn into the cards' keys by asking for it, once
 * each: libfabric has room for 64 bits, a region on several cards needs a card's key for each.
 *
 * Memory of devices (FI_HMEM) comes as a dma-buf. It is mapped here as well, if its exporter allows that, so that what software
 * does (short messages, atomics) works on it as on any other memory; the program's names of its bytes are turned into
 * ours when an operation is posted. A dma-buf that can't be mapped is for RMA alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "pfi.h"

/* --- dma-bufs ----------------------------------------------------------------------------------- */

static void dma_sync(int fd, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags | DMA_BUF_SYNC_RW };

	/* Where memory is coherent there is nothing to do, and exporters may not know the call. */
	if (ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync) && errno != ENOTTY)
		pfi_once(MR, "a dma-buf can't be made coherent: %s\n", strerror(errno));
}

static void dma_map(struct pfi_mr *mr, const struct fi_mr_dmabuf *dma)
{
	uint64_t before = dma->offset & 4095;
	void *map;

	map = mmap(NULL, dma->len + before, PROT_READ | PROT_WRITE, MAP_SHARED, dma->fd, (off_t)(dma->offset - before));
	if (map == MAP_FAILED) {
		pfi_info(MR, "a dma-buf can't be mapped, it is for RMA only: %s\n", strerror(errno));
		return;
	}
	mr->fd = fcntl(dma->fd, F_DUPFD_CLOEXEC, 0);
	if (mr->fd < 0) {
		munmap(map, dma->len + before);
		return;
	}
	dma_sync(mr->fd, DMA_BUF_SYNC_START);
	mr->map = map;
	mr->map_len = dma->len + before;
	mr->mem = (char *)map + before;
}

static void dma_unmap(struct pfi_mr *mr)
{
	if (!mr->map)
		return;
	dma_sync(mr->fd, DMA_BUF_SYNC_END);
	munmap(mr->map, mr->map_len);
	close(mr->fd);
}

int pfi_mr_here(struct iovec *to, const struct iovec *iov, void *const *desc, size_t n)
{
	const struct pfi_mr *mr;
	size_t i, at;

	for (i = 0; i < n; i++) {
		to[i] = iov[i];
		mr = desc ? desc[i] : NULL;
		if (!mr || !mr->dma || !iov[i].iov_len)
			continue;
		at = (size_t)((char *)iov[i].iov_base - mr->user);
		if (at > mr->length || iov[i].iov_len > mr->length - at)
			return -FI_EINVAL;
		to[i].iov_base = mr->mem + at;
	}
	return 0;
}

bool pfi_mr_blind(void *const *desc, size_t n)
{
	const struct pfi_mr *mr;
	size_t i;

	for (i = 0; i < n; i++) {
		mr = desc ? desc[i] : NULL;
		if (mr && mr->dma && !mr->map)
			return true;
	}
	return false;
}

/* --- regions ------------------------------------------------------------------------------------ */

static void mr_free(struct pfi_mr *mr)
{
	dma_unmap(mr);
	free(mr);
}

static int mr_close(struct fid *fid)
{
	struct pfi_mr *mr = pfi_entry(fid, struct pfi_mr, fid.fid);
	struct pfi_domain *d = mr->domain;
	int err = 0;

	/* Nobody looks at the memory by software any more ... */
	pthread_mutex_lock(&d->atomics);
	pfi_lock(&d->lock);
	pfi_map_del(&d->mrs, mr->fid.key);
	pfi_unlock(&d->lock);
	pthread_mutex_unlock(&d->atomics);
	/* ... and no card. */
	if (mr->rails)
		err = pnic_rails_mr_dereg(mr->rails);
	if (err)
		pfi_warn(MR, "%s\n", pnic_last_error());
	__atomic_sub_fetch(&d->refs, 1, __ATOMIC_RELEASE);
	mr_free(mr);
	return err;
}

/* Regions are the whole domain's from the start, so binding and enabling do nothing. */
static int mr_bind(struct fid *fid, struct fid *bfid, uint64_t flags)
{
	(void)fid;
	if (flags & FI_RMA_EVENT)
		return -FI_EOPNOTSUPP;
	return bfid->fclass == FI_CLASS_EP ? 0 : -FI_EINVAL;
}

static int mr_control(struct fid *fid, int command, void *arg)
{
	struct pfi_mr *mr = pfi_entry(fid, struct pfi_mr, fid.fid);
	struct fi_mr_raw_attr *raw = arg;

	switch (command) {
	case FI_ENABLE:
		return 0;
	case FI_GET_RAW_MR:
		if (*raw->key_size < sizeof(uint64_t)) {
			*raw->key_size = sizeof(uint64_t);
			return -FI_ETOOSMALL;
		}
		*raw->key_size = sizeof(uint64_t);
		*raw->base_addr = mr->base;
		memcpy(raw->raw_key, &mr->fid.key, sizeof(uint64_t));
		return 0;
	default:
		return -FI_ENOSYS;
	}
}

static struct fi_ops mr_fi_ops = {
	.size = sizeof(struct fi_ops),
	.close = mr_close,
	.bind = mr_bind,
	.control = mr_control,
	.ops_open = pfi_no_ops_open,
};

static uint32_t mr_rights(uint64_t access)
{
	uint32_t rights = 0;

	if (access & (FI_RECV | FI_READ | FI_REMOTE_WRITE))
		rights |= PNIC_MRF_LOCAL_WRITE;
	if (access & FI_REMOTE_READ)
		rights |= PNIC_MRF_REMOTE_READ;
	if (access & FI_REMOTE_WRITE)
		rights |= PNIC_MRF_REMOTE_WRITE;
	/* What is sent by rendezvous is read by the peer. */
	if (access & FI_SEND)
		rights |= PNIC_MRF_REMOTE_READ;
	return rights;
}

/* Its key: the program's, or one that can't be guessed. */
static int mr_name(struct pfi_domain *d, struct pfi_mr *mr, uint64_t requested)
{
	int err;

	pfi_lock(&d->lock);
	if (d->prov_key) {
		do {
			if (getrandom(&mr->fid.key, sizeof(mr->fid.key), 0) != sizeof(mr->fid.key)) {
				pfi_unlock(&d->lock);
				return -FI_EIO;
			}
		} while (mr->fid.key == FI_KEY_NOTAVAIL || pfi_map_get(&d->mrs, mr->fid.key));
	} else {
		mr->fid.key = requested;
		if (pfi_map_get(&d->mrs, requested)) {
			pfi_unlock(&d->lock);
			pfi_once(MR, "key %#llx is a region's already\n", (unsigned long long)requested);
			return -FI_ENOKEY;
		}
	}
	err = pfi_map_put(&d->mrs, mr->fid.key, mr);
	pfi_unlock(&d->lock);
	return err;
}

static int mr_regattr(struct fid *fid, const struct fi_mr_attr *attr, uint64_t flags, struct fid_mr **out)
{
	const struct fi_mr_dmabuf *dma = flags & FI_MR_DMABUF ? attr->dmabuf : NULL;
	struct pfi_domain *d = pfi_entry(fid, struct pfi_domain, fid.fid);
	struct pfi_mr *mr;
	int err;

	if (fid->fclass != FI_CLASS_DOMAIN || attr->iov_count != 1)
		return -FI_EINVAL;
	/* Memory of a device is known by its dma-buf, whatever made it. */
	if (attr->iface != FI_HMEM_SYSTEM && !dma)
		return -FI_EOPNOTSUPP;
	if (flags & ~(FI_MR_DMABUF | FI_MR_SINGLE_USE | FI_HMEM_HOST_ALLOC))
		return -FI_EBADFLAGS;
	if (attr->access & ~(FI_SEND | FI_RECV | FI_READ | FI_WRITE | FI_REMOTE_READ | FI_REMOTE_WRITE))
		return -FI_EINVAL;
	mr = calloc(1, sizeof(*mr));
	if (!mr)
		return -FI_ENOMEM;
	mr->domain = d;
	mr->access = attr->access;
	mr->user = dma ? (char *)dma->base_addr + dma->offset : attr->mr_iov->iov_base;
	mr->mem = mr->user;
	mr->length = dma ? dma->len : attr->mr_iov->iov_len;
	mr->dma = !!dma;
	mr->base = d->virt_addr ? (uint64_t)(uintptr_t)mr->user : 0;
	if (dma && mr->length)
		dma_map(mr, dma);
	if (mr->length) {
		if (dma)
			err = pnic_rails_mr_reg_dmabuf(d->rails, dma->fd, dma->offset, dma->len, mr->mem,
						       mr_rights(attr->access), &mr->rails);
		else
			err = pnic_rails_mr_reg(d->rails, mr->mem, mr->length, mr_rights(attr->access), &mr->rails);
		if (err) {
			pfi_once(MR, "memory of %llu bytes can't be registered: %s\n",
				 (unsigned long long)mr->length, pnic_last_error());
			mr_free(mr);
			return err == -ENOSPC ? -FI_ENOMR : err;
		}
	}
	mr->fid.fid.fclass = FI_CLASS_MR;
	mr->fid.fid.context = attr->context;
	mr->fid.fid.ops = &mr_fi_ops;
	mr->fid.mem_desc = mr;
	err = mr_name(d, mr, attr->requested_key);
	if (err) {
		if (mr->rails)
			pnic_rails_mr_dereg(mr->rails);
		mr_free(mr);
		return err;
	}
	__atomic_add_fetch(&d->refs, 1, __ATOMIC_RELAXED);
	*out = &mr->fid;
	return 0;
}

static int mr_regv(struct fid *fid, const struct iovec *iov, size_t count, uint64_t access, uint64_t offset,
		   uint64_t requested_key, uint64_t flags, struct fid_mr **mr, void *context)
{
	struct fi_mr_attr attr = { .mr_iov = iov, .iov_count = count, .access = access, .offset = offset,
				   .requested_key = requested_key, .context = context };

	if (flags & FI_MR_DMABUF)
		return -FI_EBADFLAGS;
	return mr_regattr(fid, &attr, flags, mr);
}

static int mr_reg(struct fid *fid, const void *buf, size_t len, uint64_t access, uint64_t offset,
		  uint64_t requested_key, uint64_t flags, struct fid_mr **mr, void *context)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)buf, .iov_len = len };

	return mr_regv(fid, &iov, 1, access, offset, requested_key, flags, mr, context);
}

struct fi_ops_mr pfi_mr_ops = {
	.size = sizeof(struct fi_ops_mr),
	.reg = mr_reg,
	.regv = mr_regv,
	.regattr = mr_regattr,
};

int pfi_mr_find(struct pfi_domain *d, uint64_t key, uint64_t addr, uint64_t len, uint64_t access, void **mem)
{
	struct pfi_mr *mr;
	int err = 0;

	pfi_lock(&d->lock);
	mr = pfi_map_get(&d->mrs, key);
	if (!mr)
		err = FI_EKEYREJECTED;
	else if ((mr->access & access) != access || addr < mr->base || addr - mr->base > mr->length ||
		 len > mr->length - (addr - mr->base))
		err = FI_EACCES;
	else if (mr->dma && !mr->map)
		err = FI_EOPNOTSUPP;	/* software can't look into it */
	else
		*mem = mr->mem + (addr - mr->base);
	pfi_unlock(&d->lock);
	return err;
}

int pfi_mr_answer(struct pfi_domain *d, uint64_t key, struct wire_key *out)
{
	struct pfi_mr *mr;
	int err = 0;

	memset(out, 0, sizeof(*out));
	pfi_lock(&d->lock);
	mr = pfi_map_get(&d->mrs, key);
	if (!mr || !(mr->access & (FI_REMOTE_READ | FI_REMOTE_WRITE))) {
		err = mr ? FI_EACCES : FI_EKEYREJECTED;
	} else {
		out->base = mr->base;
		if (mr->rails)
			err = -pnic_rails_mr_key(mr->rails, &out->key);
	}
	pfi_unlock(&d->lock);
	return err;
}
