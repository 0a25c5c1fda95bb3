// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * Memory. A device's regions are for all its connections: whoever registers what lies in a region that somebody
 * holds gets that one. It goes with the last who holds it, at once: memory that nobody holds may be unmapped, and a region
 * that outlived it would lead to pages that are no longer the buffer's.
 */
#include <errno.h>
#include <stdlib.h>

#include "core.h"

#define ACCESS	(PNIC_MRF_LOCAL_WRITE | PNIC_MRF_REMOTE_READ | PNIC_MRF_REMOTE_WRITE | PNIC_MRF_REMOTE_ATOMIC)

/* With the device's lock. A piece of a dma-buf is only found again by who asks for a part of it, by address. */
static struct mr *find(struct device *dev, uint64_t addr, uint64_t length, int type)
{
	uint32_t i;

	for (i = 0; i < dev->mr_slots; i++) {
		struct mr *mr = dev->mrs[i];

		if (mr && mr->type == type && addr >= mr->addr && addr - mr->addr <= mr->length &&
		    length <= mr->length - (addr - mr->addr))
			return mr;
	}
	return NULL;
}

/* With the device's lock. The lowest free number. */
static int number(struct device *dev, uint32_t *id)
{
	struct mr **mrs;
	uint32_t i, n;

	for (i = 0; i < dev->mr_slots && dev->mrs[i]; i++)
		;
	if (i == dev->mr_slots) {
		n = dev->mr_slots ? dev->mr_slots * 2 : 64;
		mrs = realloc(dev->mrs, n * sizeof(*mrs));
		if (!mrs)
			return -ENOMEM;
		dev->mrs = mrs;
		for (; dev->mr_slots < n; dev->mr_slots++)
			mrs[dev->mr_slots] = NULL;
	}
	*id = i;
	return 0;
}

/* With the device's lock. */
static int make(struct device *dev, void *data, size_t size, int type, uint64_t offset, int fd, struct mr **out)
{
	struct mr *mr = calloc(1, sizeof(*mr));
	int err;

	if (!mr)
		return -ENOMEM;
	mr->dev = dev;
	mr->addr = (uint64_t)(uintptr_t)data;
	mr->length = size;
	mr->type = type;
	mr->refs = 1;
	err = number(dev, &mr->id);
	if (!err)
		err = fd < 0 ? pnic_rails_mr_reg(dev->rails, data, size, ACCESS, &mr->mr) :
			pnic_rails_mr_reg_dmabuf(dev->rails, fd, offset, size, data, ACCESS, &mr->mr);
	if (!err) {
		err = pnic_rails_mr_key(mr->mr, &mr->key);
		if (err)
			pnic_rails_mr_dereg(mr->mr);
	}
	if (err) {
		free(mr);
		return err;
	}
	mr->serial = ++dev->serial;
	dev->mrs[mr->id] = mr;
	dev->mr_count++;
	*out = mr;
	return 0;
}

nccl_result reg_mr(struct device *dev, void *data, size_t size, int type, uint64_t offset, int fd, struct mr **out)
{
	struct mr *mr;
	int err = 0;

	if (!data || !size) {
		WARN("%s: registering %zu bytes at %p", dev->name, size, data);
		return NCCL_INVALID_ARGUMENT;
	}
	if (type != NCCL_PTR_HOST && fd < 0) {
		WARN("%s: memory of a GPU is registered by its dma-buf only: NCCL_DMABUF_ENABLE=1, and a driver that "
		     "exports it", dev->name);
		return NCCL_INVALID_USAGE;
	}
	pthread_mutex_lock(&dev->lock);
	mr = find(dev, (uint64_t)(uintptr_t)data, size, type);
	if (mr)
		mr->refs++;
	else
		err = make(dev, data, size, type, offset, fd, &mr);
	pthread_mutex_unlock(&dev->lock);
	if (err) {
		WARN("%s: registering %zu bytes at %p: %s (%s)", dev->name, size, data, pnic_strerror(err),
		     pnic_last_error());
		return result_of(err);
	}
	*out = mr;
	return NCCL_OK;
}

nccl_result reg_put(struct mr *mr)
{
	struct device *dev = mr->dev;
	int err = 0;

	pthread_mutex_lock(&dev->lock);
	if (!--mr->refs) {
		dev->mrs[mr->id] = NULL;
		dev->mr_count--;
		err = pnic_rails_mr_dereg(mr->mr);
		free(mr);
	}
	pthread_mutex_unlock(&dev->lock);
	if (err)
		WARN("%s: taking memory back: %s (%s)", dev->name, pnic_strerror(err), pnic_last_error());
	return result_of(err);
}
