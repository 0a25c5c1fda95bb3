// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Contexts: opening and closing, limits, the doorbell pages and the table by which
 * completions find their endpoint.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

#define PNIC_MAX_EP	(1U << 24)	/* endpoint numbers have 24 bits */
#define PNIC_TABLE	((size_t)PNIC_MAX_EP * sizeof(struct pnic_ep *))

int pnic_copy_attr(void *dst, size_t dst_size, size_t min, const void *src, uint32_t size)
{
	const uint8_t *bytes = src;
	size_t i;

	/* No struct of this interface will be as long as a page; what is in a size that was not set may be. */
	if (size < min || size > PNIC_ATTR_MAX)
		return -EINVAL;
	for (i = dst_size; i < size; i++)
		if (bytes[i])
			return -EINVAL;
	memcpy(dst, src, size < dst_size ? size : dst_size);
	return 0;
}

int pnic_ctx_command(struct pnic_ctx_priv *priv, unsigned int cmd, void *arg)
{
	return priv->dev->ops->command(priv->dev, cmd, arg);
}

int pnic_ctx_destroy(struct pnic_ctx_priv *priv, unsigned int cmd, uint32_t handle)
{
	struct pnic_ioc_handle arg = { .size = sizeof(arg), .handle = handle };
	int err = pnic_ctx_command(priv, cmd, &arg);

	return err == -EIO || err == -ENODEV ? 0 : err;
}

static int pnic_check_info(struct pnic_ctx_priv *priv)
{
	struct pnic_ioc_info *info = &priv->info;
	int err;

	info->size = sizeof(*info);
	err = pnic_ctx_command(priv, PNIC_IOC_INFO, info);
	if (err)
		return pnic_fail(err, "%s: can't ask what it is: %s", priv->name, pnic_strerror(err));
	if (info->abi_major != PNIC_ABI_MAJOR)
		return pnic_fail(-EPROTO, "%s: the kernel module speaks version %u.%u of the interface, this library %u.%u: %s is too old",
				 priv->name, info->abi_major, info->abi_minor, PNIC_ABI_MAJOR, PNIC_ABI_MINOR,
				 info->abi_major > PNIC_ABI_MAJOR ? "the library" : "the module");
	if (!info->max_ep || info->max_ep > PNIC_MAX_EP)
		return pnic_fail(-EPROTO, "%s: the kernel says it has %u endpoints", priv->name, info->max_ep);
	return 0;
}

static int pnic_make_context(struct pnic_ctx_priv *priv, uint32_t partition)
{
	struct pnic_ioc_ctx_create arg = { .size = sizeof(arg), .partition = partition };
	int err;

	err = pnic_ctx_command(priv, PNIC_IOC_CTX_CREATE, &arg);
	if (err == -EPERM)
		return pnic_fail(err, "%s: partition %u is not granted to this user", priv->name, partition);
	if (err)
		return pnic_fail(err, "%s: can't make a context: %s", priv->name, pnic_strerror(err));
	err = priv->dev->ops->map(priv->dev, priv->info.status_offset, PNIC_DB_PAGE, false, &priv->status_mem);
	if (err)
		return pnic_fail(err, "%s: can't map the status page: %s", priv->name, strerror(-err));
	if (priv->info.features & PNIC_FEAT_WATCH) {
		void *page;

		err = priv->dev->ops->map(priv->dev, arg.page_offset, PNIC_DB_PAGE, false, &page);
		if (err)
			return pnic_fail(err, "%s: can't map the context's page: %s", priv->name, strerror(-err));
		priv->page = page;
	}
	priv->pub.status = priv->status_mem;
	priv->pub.epoch = arg.epoch;
	priv->pub.nic = priv->info.nic_addr;
	return 0;
}

/*
 * The table by which completions find their endpoint has a place for every number that a completion can have, so that none has to be
 * compared: address space, of which only the pages that are used become memory.
 */
static int pnic_make_table(struct pnic_ctx_priv *priv)
{
	size_t length;
	void *mem;

	priv->ep_count = priv->info.max_ep < PNIC_EP_NONE ? priv->info.max_ep : PNIC_EP_NONE;
	length = PNIC_TABLE;
	mem = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED)
		return pnic_fail(-ENOMEM, "%s: no address space for a table of %u endpoints", priv->name, priv->ep_count);
	priv->eps = mem;
	return 0;
}

static void pnic_ctx_free(struct pnic_ctx_priv *priv)
{
	struct pnic_page *page;

	while ((page = priv->pages)) {
		priv->pages = page->next;
		priv->dev->ops->unmap(priv->dev, (void *)(uintptr_t)page->db, PNIC_DB_PAGE);
		if (page->wake)
			priv->dev->ops->unmap(priv->dev, (void *)(uintptr_t)page->wake, PNIC_DB_PAGE);
		free(page);
	}
	if (priv->status_mem)
		priv->dev->ops->unmap(priv->dev, priv->status_mem, PNIC_DB_PAGE);
	if (priv->page)
		priv->dev->ops->unmap(priv->dev, (void *)(uintptr_t)priv->page, PNIC_DB_PAGE);
	if (priv->dev)
		priv->dev->ops->close(priv->dev);
	if (priv->eps)
		munmap(priv->eps, PNIC_TABLE);
	pthread_mutex_destroy(&priv->mrc_lock);
	pthread_mutex_destroy(&priv->lock);
	free(priv);
}

int pnic_open_backend(const struct pnic_backend *ops, const char *name, const struct pnic_open_attr *attr,
		      struct pnic_ctx **ctx)
{
	struct pnic_open_attr a = { 0 };
	struct pnic_ctx_priv *priv;
	int err;

	if (attr && (pnic_copy_attr(&a, sizeof(a), sizeof(a), attr, attr->size) || a.flags || a.rsvd))
		return pnic_fail(-EINVAL, "%s: bad size, flags or reserved member in struct pnic_open_attr", name);
	priv = calloc(1, sizeof(*priv));
	if (!priv)
		return pnic_fail(-ENOMEM, "%s: out of memory", name);
	pthread_mutex_init(&priv->lock, NULL);
	pthread_mutex_init(&priv->mrc_lock, NULL);
	snprintf(priv->name, sizeof(priv->name), "%s", name);
	err = ops->open(name, &priv->dev);
	if (err) {
		const char *why = ops->why ? ops->why() : "";

		pnic_fail(err, "%s: can't open it: %s", name, *why ? why : pnic_strerror(err));
		goto fail;
	}
	err = pnic_check_info(priv);
	if (err)
		goto fail;
	err = pnic_make_context(priv, a.partition);
	if (err)
		goto fail;
	err = pnic_make_table(priv);
	if (err)
		goto fail;
	*ctx = &priv->pub;
	return 0;

fail:
	pnic_ctx_free(priv);
	return err;
}

PNIC_EXPORT int pnic_open(const char *name, const struct pnic_open_attr *attr, struct pnic_ctx **ctx)
{
	const struct pnic_backend *ops = &pnic_kernel_backend;
	char first[32];
	int err;

	if (!ctx)
		return pnic_fail(-EINVAL, "pnic_open: NULL argument");
	if (!name) {
		err = pnic_first_device(first, sizeof(first));
		if (err)
			return err;
		name = first;
	} else if (pnic_embedded_name(name)) {
		err = pnic_embedded_find(&ops);
		if (err)
			return err;
	}
	return pnic_open_backend(ops, name, attr, ctx);
}

PNIC_EXPORT void pnic_close(struct pnic_ctx *ctx)
{
	struct pnic_ctx_priv *priv = pnic_ctx_priv(ctx);
	struct pnic_ep_priv *ep;
	struct pnic_cq_priv *cq;
	struct pnic_mr_priv *mr;
	struct pnic_srq_priv *srq;
	struct pnic_ctr_priv *ctr;

	if (!ctx)
		return;
	/* Closing the file takes everything down in the kernel, in the right order. */
	while ((ep = priv->endpoints)) {
		PNIC_LIST_POP(&priv->endpoints);
		pnic_ep_free(ep);
	}
	while ((srq = priv->srqs)) {
		PNIC_LIST_POP(&priv->srqs);
		pnic_srq_free(srq);
	}
	while ((ctr = priv->ctrs)) {
		PNIC_LIST_POP(&priv->ctrs);
		pnic_ctr_free(ctr);
	}
	while ((cq = priv->cqs)) {
		PNIC_LIST_POP(&priv->cqs);
		pnic_cq_free(cq);
	}
	pnic_mrc_free_all(priv);
	while ((mr = priv->mrs)) {
		PNIC_LIST_POP(&priv->mrs);
		free(mr);
	}
	pnic_ctx_free(priv);
}

PNIC_EXPORT int pnic_query(struct pnic_ctx *ctx, struct pnic_ioc_info *info)
{
	struct pnic_ioc_info own;
	uint32_t size;

	if (!ctx || !info || info->size < sizeof(info->size))
		return pnic_fail(-EINVAL, "pnic_query: NULL argument or bad size");
	own = pnic_ctx_priv(ctx)->info;
	/* The eighth that pnic_poll() may not have told the card of. */
	own.max_cq_entries -= own.max_cq_entries / 8;
	size = info->size;
	memset(info, 0, size);
	memcpy(info, &own, size < sizeof(own) ? size : sizeof(own));
	info->size = size;
	return 0;
}

int pnic_page_get(struct pnic_ctx_priv *priv, uint64_t db_offset, uint64_t wake_offset,
		  const struct pnic_page **found)
{
	const struct pnic_backend *ops = priv->dev->ops;
	struct pnic_page *page;
	void *mem;
	int err;

	for (page = priv->pages; page; page = page->next) {
		if (page->db_offset == db_offset) {
			*found = page;
			return 0;
		}
	}
	page = calloc(1, sizeof(*page));
	if (!page)
		return -ENOMEM;
	err = ops->map(priv->dev, db_offset, PNIC_DB_PAGE, true, &mem);
	if (err)
		goto free_page;
	page->db_offset = db_offset;
	page->db = mem;
	if (priv->info.features & PNIC_FEAT_PARK) {
		err = ops->map(priv->dev, wake_offset, PNIC_DB_PAGE, true, &mem);
		if (err)
			goto unmap;
		page->wake = mem;
	}
	page->next = priv->pages;
	priv->pages = page;
	*found = page;
	return 0;

unmap:
	ops->unmap(priv->dev, (void *)(uintptr_t)page->db, PNIC_DB_PAGE);
free_page:
	free(page);
	return err;
}
