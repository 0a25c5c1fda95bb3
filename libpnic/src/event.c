// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What a context learns from its device besides completions: events and the state of the link.
 */
#include "internal.h"

#define PNIC_SEQ_TRIES	1000

PNIC_EXPORT int pnic_fd(const struct pnic_ctx *ctx)
{
	struct pnic_dev *dev;

	if (!ctx)
		return pnic_fail(-EINVAL, "pnic_fd: NULL argument");
	dev = pnic_ctx_priv(ctx)->dev;
	return dev->ops->fd(dev);
}

PNIC_EXPORT int pnic_read_event(struct pnic_ctx *ctx, struct pnic_event *ev)
{
	struct pnic_dev *dev;
	int err;

	if (!ctx || !ev)
		return pnic_fail(-EINVAL, "pnic_read_event: NULL argument");
	dev = pnic_ctx_priv(ctx)->dev;
	err = dev->ops->read_event(dev, ev);
	if (err && err != -EAGAIN)
		return pnic_fail(err, "%s: can't read events: %s", pnic_ctx_priv(ctx)->name, pnic_strerror(err));
	return err;
}

PNIC_EXPORT int pnic_query_link(struct pnic_ctx *ctx, struct pnic_ioc_link_info *link)
{
	struct pnic_ioc_link_info own = { .size = sizeof(own) };
	uint32_t size;
	int err;

	if (!ctx || !link || link->size < sizeof(link->size))
		return pnic_fail(-EINVAL, "pnic_query_link: NULL argument or bad size");
	err = pnic_ctx_command(pnic_ctx_priv(ctx), PNIC_IOC_LINK_INFO, &own);
	if (err)
		return pnic_fail(err, "%s: can't ask for the link: %s", pnic_ctx_priv(ctx)->name, pnic_strerror(err));
	size = link->size;
	memset(link, 0, size);
	memcpy(link, &own, size < sizeof(own) ? size : sizeof(own));
	link->size = size;
	return 0;
}

PNIC_EXPORT int pnic_link_status(const struct pnic_ctx *ctx, struct pnic_status_page *copy)
{
	const volatile uint32_t *page;
	uint32_t *to = (uint32_t *)copy;
	uint32_t seq;
	size_t i;
	int n;

	if (!ctx || !copy)
		return pnic_fail(-EINVAL, "pnic_link_status: NULL argument");
	page = (const volatile uint32_t *)ctx->status;
	for (n = 0; n < PNIC_SEQ_TRIES; n++) {
		seq = __atomic_load_n(&page[0], __ATOMIC_ACQUIRE);
		if (seq & 1)
			continue;
		/* Acquire each, so that the second look at the sequence comes after all of them. */
		for (i = 1; i < sizeof(*copy) / sizeof(*to); i++)
			to[i] = __atomic_load_n(&page[i], __ATOMIC_ACQUIRE);
		if (__atomic_load_n(&page[0], __ATOMIC_RELAXED) == seq) {
			to[0] = seq;
			return 0;
		}
	}
	return pnic_fail(-EAGAIN, "%s: the status page is being written all the time", pnic_ctx_priv(ctx)->name);
}
