// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The kernel's half of the fake card: objects, mappings, waiting. What the
 * card does with descriptors is in fakecard_engine.c.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fakecard.h"

#define FAKE_MAP_SHIFT	32	/* of mmap offsets: index of the mapping above */

struct fake fake;

static struct fake_dev *fake_dev(struct pnic_dev *dev)
{
	return (struct fake_dev *)dev;
}

void fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.abi_major = PNIC_ABI_MAJOR;
	fake.features = PNIC_FEAT_PARK | PNIC_FEAT_ATOMICS;
	fake.max_cq_entries = 1 << 16;
	fake.next_key = 0x1234500;
}

struct pnic_ctx *fake_open(const char *name)
{
	struct pnic_ctx *ctx;

	if (pnic_open_backend(&fake_backend, name, NULL, &ctx)) {
		fprintf(stderr, "fake card: %s\n", pnic_last_error());
		abort();
	}
	return ctx;
}

static void *fake_pages(size_t length)
{
	void *mem = aligned_alloc(4096, (length + 4095) & ~(size_t)4095);

	if (!mem)
		abort();
	memset(mem, 0, (length + 4095) & ~(size_t)4095);
	return mem;
}

/* Memory that can be mapped under the offset returned. */
static uint64_t fake_map_new(struct fake_dev *d, void *mem, size_t length)
{
	d->maps[d->next_map].mem = mem;
	d->maps[d->next_map].length = length;
	return (uint64_t)++d->next_map << FAKE_MAP_SHIFT;
}

static int fake_dev_open(const char *name, struct pnic_dev **dev)
{
	struct fake_dev *d;

	if (strncmp(name, "fake", 4) || name[4] < '0' || name[4] >= '0' + FAKE_NICS || name[5])
		return -ENODEV;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->dev.ops = &fake_backend;
	d->nic = name[4] - '0' + 1;
	d->db = fake_pages(4096);
	d->wake = fake_pages(4096);
	d->status = fake_pages(4096);
	d->status->link_state = 1;
	d->status->rate_mbps = 800000;
	d->status->width = 425;
	d->status->epoch = 7;
	d->next_slot = PNIC_DB_SLOT_FIRST;
	fake_map_new(d, d->status, 4096);
	fake_map_new(d, d->db, 4096);
	fake_map_new(d, d->wake, 4096);
	*dev = &d->dev;
	return 0;
}

static void fake_dev_close(struct pnic_dev *dev)
{
	struct fake_dev *d = fake_dev(dev);
	uint32_t i;

	for (i = 0; i < FAKE_MAX_EP; i++)
		if (fake.ep[i].used && fake.ep[i].dev == d)
			fake.ep[i].used = false;
	for (i = 0; i < FAKE_MAX_CQ; i++)
		if (fake.cq[i].used && fake.cq[i].dev == d)
			fake.cq[i].used = false;
	for (i = 0; i < FAKE_MAX_MR; i++)
		if (fake.mr[i].used && fake.mr[i].nic == d->nic)
			fake.mr[i].used = false;
	for (i = 0; i < d->next_map; i++)
		free(d->maps[i].mem);
	free(d);
}

static int fake_info(struct fake_dev *d, struct pnic_ioc_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->abi_major = fake.abi_major;
	info->features = fake.features;
	info->nic_addr = d->nic;
	info->max_ep = FAKE_MAX_EP;
	info->max_cq = FAKE_MAX_CQ;
	info->max_mr = FAKE_MAX_MR;
	info->max_cq_entries = fake.max_cq_entries;
	info->max_sq_slots = 1 << 15;
	info->max_rq_entries = 1 << 15;
	info->max_sge = PNIC_SQE_MAX_SGE;
	info->max_inline = PNIC_SQE_MAX_INLINE;
	info->max_msg_size = PNIC_MAX_MSG_SIZE;
	info->status_offset = 1ULL << FAKE_MAP_SHIFT;
	info->lanes_data = 425;
	info->lanes_spare = 35;
	snprintf(info->pci, sizeof(info->pci), "0000:0%d:00.0", d->nic);
	return 0;
}

static int fake_mr_reg(struct fake_dev *d, struct pnic_ioc_mr_reg *a)
{
	int i;

	if (!a->length)
		return -EINVAL;
	for (i = 0; i < FAKE_MAX_MR && fake.mr[i].used; i++)
		;
	if (i == FAKE_MAX_MR)
		return -ENOSPC;
	fake.next_key += 0x9e3779b97f000000ULL;
	fake.mr[i] = (struct fake_mr) { d->nic, true };
	a->key = (fake.next_key & ~0xffffffULL) | (uint64_t)i;
	a->handle = i + 100;
	return 0;
}

static uint32_t fake_round(uint32_t n, uint32_t least)
{
	uint32_t r = least;

	while (r < n)
		r <<= 1;
	return r;
}

static int fake_cq_create(struct fake_dev *d, struct pnic_ioc_cq_create *a)
{
	struct fake_cq *cq;
	int i;

	for (i = 0; i < FAKE_MAX_CQ && fake.cq[i].used; i++)
		;
	if (i == FAKE_MAX_CQ)
		return -ENOSPC;
	cq = &fake.cq[i];
	*cq = (struct fake_cq) { .entries = fake_round(a->entries, 16), .slot = d->next_slot++,
				 .eventfd = a->eventfd, .dev = d, .used = true };
	cq->ring = fake_pages(cq->entries * sizeof(*cq->ring));
	a->entries = cq->entries;
	a->ring_length = cq->entries * sizeof(*cq->ring);
	a->ring_offset = fake_map_new(d, cq->ring, a->ring_length);
	a->db_offset = 2ULL << FAKE_MAP_SHIFT;
	a->wake_offset = 3ULL << FAKE_MAP_SHIFT;
	a->db_slot = cq->slot;
	a->handle = i + 200;
	a->cqn = i;
	return 0;
}

static int fake_ep_create(struct fake_dev *d, struct pnic_ioc_ep_create *a)
{
	struct fake_ep *ep;
	int i;

	for (i = 0; i < FAKE_MAX_EP && fake.ep[i].used; i++)
		;
	if (i == FAKE_MAX_EP)
		return -ENOSPC;
	ep = &fake.ep[i];
	*ep = (struct fake_ep) { .sq_slots = fake_round(a->sq_slots, 16), .sq_slot = d->next_slot++,
				 .rq_slot = d->next_slot++, .send_cq = a->send_cq - 200,
				 .recv_cq = a->recv_cq - 200, .rnr_timeout_us = a->rnr_timeout_us,
				 .flags = a->flags, .dev = d, .used = true };
	ep->sq = fake_pages(ep->sq_slots * PNIC_SLOT_SIZE);
	a->sq_slots = ep->sq_slots;
	a->sq_length = ep->sq_slots * PNIC_SLOT_SIZE;
	a->sq_offset = fake_map_new(d, ep->sq, a->sq_length);
	a->sq_slot = ep->sq_slot;
	if (a->rq_entries) {
		ep->rq_entries = fake_round(a->rq_entries, 2);
		ep->rq = fake_pages(ep->rq_entries * sizeof(*ep->rq));
		a->rq_entries = ep->rq_entries;
		a->rq_length = ep->rq_entries * sizeof(*ep->rq);
		a->rq_offset = fake_map_new(d, ep->rq, a->rq_length);
	}
	a->rq_slot = ep->rq_slot;
	a->db_offset = 2ULL << FAKE_MAP_SHIFT;
	a->wake_offset = 3ULL << FAKE_MAP_SHIFT;
	a->epn = i;
	a->handle = i + 300;
	return 0;
}

/* Flushes what was rung and not carried out, as the contract has it; then both rings are empty. */
static void fake_ep_reset(struct fake_ep *ep)
{
	struct pnic_cqe cqe = { 0 };
	uint32_t tail, epn = (uint32_t)(ep - fake.ep);
	struct pnic_sqe sqe;

	tail = (uint32_t)__atomic_load_n(&ep->dev->db[ep->sq_slot], __ATOMIC_ACQUIRE);
	while (ep->sq_head != tail) {
		memcpy(&sqe, ep->sq + (ep->sq_head & (ep->sq_slots - 1)) * PNIC_SLOT_SIZE, sizeof(sqe));
		ep->sq_head += sqe.num_slots;
		cqe = (struct pnic_cqe) { .cookie = sqe.cookie, .ep_flags = epn,
			.nic_op = sqe.dest_nic | (uint32_t)sqe.opcode << 24,
			.peer_status = (uint32_t)PNIC_ST_FLUSHED << 24 | (ep->sq_head & PNIC_CQE_LOW24) };
		fake_complete(&fake.cq[ep->send_cq], &cqe);
	}
	tail = (uint32_t)__atomic_load_n(&ep->dev->db[ep->rq_slot], __ATOMIC_ACQUIRE);
	while (ep->rq_head != tail) {
		cqe = (struct pnic_cqe) { .cookie = ep->rq[ep->rq_head++ & (ep->rq_entries - 1)].cookie,
			.ep_flags = epn, .nic_op = (uint32_t)PNIC_OP_RECV << 24,
			.peer_status = (uint32_t)PNIC_ST_FLUSHED << 24 };
		fake_complete(&fake.cq[ep->recv_cq], &cqe);
	}
	ep->sq_head = 0;
	ep->rq_head = 0;
	__atomic_store_n(&ep->dev->db[ep->sq_slot], 0, __ATOMIC_RELEASE);
	__atomic_store_n(&ep->dev->db[ep->rq_slot], 0, __ATOMIC_RELEASE);
}

static int fake_run_command(struct fake_dev *d, unsigned int cmd, void *arg)
{
	struct pnic_ioc_ctx_create *ctx = arg;
	struct pnic_ioc_link_info *link = arg;
	struct pnic_ioc_handle *h = arg;

	switch (cmd) {
	case PNIC_IOC_INFO:
		return fake_info(d, arg);
	case PNIC_IOC_CTX_CREATE:
		ctx->epoch = d->status->epoch;
		return 0;
	case PNIC_IOC_MR_REG:
		return fake_mr_reg(d, arg);
	case PNIC_IOC_MR_DEREG:
		fake.mr[h->handle - 100].used = false;
		return 0;
	case PNIC_IOC_CQ_CREATE:
		return fake_cq_create(d, arg);
	case PNIC_IOC_CQ_DESTROY:
		fake.cq[h->handle - 200].used = false;
		return 0;
	case PNIC_IOC_EP_CREATE:
		return fake_ep_create(d, arg);
	case PNIC_IOC_EP_DESTROY:
		fake.ep[h->handle - 300].used = false;
		return 0;
	case PNIC_IOC_EP_RESET:
		fake_ep_reset(&fake.ep[h->handle - 300]);
		return 0;
	case PNIC_IOC_LINK_INFO:
		link->state = 1;
		link->width_tx = 425;
		return 0;
	default:
		return -ENOTTY;
	}
}

static int fake_command(struct pnic_dev *dev, unsigned int cmd, void *arg)
{
	int ret;

	fake.commands++;
	if (fake.fail_err && cmd == fake.fail_cmd)
		ret = fake.fail_err;
	else
		ret = fake_run_command(fake_dev(dev), cmd, arg);
	if (!ret && fake.lie)
		fake.lie(cmd, arg);
	return ret;
}

static int fake_map(struct pnic_dev *dev, uint64_t offset, size_t length, bool writable, void **mem)
{
	struct fake_dev *d = fake_dev(dev);
	uint64_t i = (offset >> FAKE_MAP_SHIFT) - 1;

	(void)writable;
	if (i >= d->next_map || length > d->maps[i].length)
		return -EINVAL;
	if (fake.fail_map && !--fake.fail_map)
		return -ENOMEM;
	__atomic_fetch_add(&fake.maps, 1, __ATOMIC_RELAXED);
	*mem = d->maps[i].mem;
	return 0;
}

/* The memory goes with the device: a card may hold it longer than the process maps it. */
static void fake_unmap(struct pnic_dev *dev, void *mem, size_t length)
{
	(void)dev;
	(void)mem;
	(void)length;
	__atomic_fetch_sub(&fake.maps, 1, __ATOMIC_RELAXED);
}

static int fake_fd(struct pnic_dev *dev)
{
	(void)dev;
	return -1;
}

static int fake_read_event(struct pnic_dev *dev, struct pnic_event *ev)
{
	(void)dev;
	memset(ev, 0, sizeof(*ev));
	if (!fake.events)
		return -EAGAIN;
	fake.events--;
	ev->type = PNIC_EVT_RATE;
	return 0;
}

static int fake_wait(struct pnic_dev *dev, int eventfd, int timeout_ms)
{
	struct pollfd p = { .fd = eventfd, .events = POLLIN };
	int n;

	(void)dev;
	n = poll(&p, 1, timeout_ms);
	return n < 0 ? 0 : n;
}

static void fake_wake(struct pnic_dev *dev, volatile uint32_t *wake)
{
	(void)dev;
	__atomic_store_n(wake, 1, __ATOMIC_RELEASE);
	__atomic_fetch_add(&fake.wakes, 1, __ATOMIC_RELAXED);
}

const struct pnic_backend fake_backend = {
	.open		= fake_dev_open,
	.close		= fake_dev_close,
	.command	= fake_command,
	.map		= fake_map,
	.unmap		= fake_unmap,
	.fd		= fake_fd,
	.read_event	= fake_read_event,
	.wait		= fake_wait,
	.wake		= fake_wake,
};
