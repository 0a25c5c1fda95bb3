// SPDX-License-Identifier: GPL-2.0
/*
 * The model's cards as a backend of libpnic: see modelcard.h.
 *
 * One lock around everything that touches the fabric: its thread, commands, faults.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "driver/hw/pnic_admin.h"
#include "driver/hw/pnic_event.h"
#include "driver/hw/pnic_regs.h"
#include "modelcard.h"

#define MC_ADMIN_LOG	6
#define MC_EQ_LOG	8
#define MC_IDS		64
#define MC_MAPS		64
#define MC_WAKE_OFF	((uint64_t)PM_DB_PAGES * 4096)

struct mc_map {
	void *mem;
	size_t length;
};

struct mc_dev {
	struct pnic_dev dev;		/* first: what the library holds */
	struct pm_card *card;
	uint8_t *asq, *acq, *eq, *db;
	uint32_t asq_tail, acq_head, eq_head;
	struct pnic_identify *id;
	struct pnic_status_page *status;
	bool up, irq;
	int next_slot, eventfd[MC_IDS];
	uint64_t keys;
	uint32_t next_cq, next_ep, next_mr, next_map;
	struct mc_map map[MC_MAPS];
	uint32_t wake[1024];
};

static struct {
	pthread_mutex_t lock;
	pthread_t thread;
	struct pm_fabric *f;
	struct mc_dev dev[8];
	int wake;			/* eventfd that ends the thread's sleep */
	bool stop;
} mc = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = -1 };

static void *mc_pages(size_t length)
{
	void *mem = aligned_alloc(4096, (length + 4095) / 4096 * 4096);

	if (!mem)
		abort();
	memset(mem, 0, (length + 4095) / 4096 * 4096);
	return mem;
}

static void *mc_dma(void *host, uint64_t addr, size_t *len, bool write)
{
	(void)host;
	(void)len;
	(void)write;
	return (void *)(uintptr_t)addr;
}

static void mc_irq(void *host, unsigned int vector)
{
	(void)vector;
	((struct mc_dev *)host)->irq = true;
}

/* Events that came: queues that were armed. Not in mc_irq(), which the card calls in the middle of its work. */
static void mc_events(struct mc_dev *d)
{
	struct pnic_eqe *e;
	uint64_t one = 1;

	while (d->irq) {
		d->irq = false;
		for (;;) {
			e = (struct pnic_eqe *)(void *)d->eq + (d->eq_head & ((1 << MC_EQ_LOG) - 1));
			if ((le32toh(e->phase) & PNIC_PHASE) != !(d->eq_head >> MC_EQ_LOG & 1))
				break;
			d->eq_head++;
			if (e->type == PNIC_EV_CQ && write(d->eventfd[le32toh(e->id)], &one, sizeof(one)) < 0)
				abort();
		}
		pm_card_reg_write(d->card, PNIC_REG_EQ_ARM(0), d->eq_head);
	}
}

static bool mc_poll(uint64_t *sleep_ns)
{
	bool more = pm_fabric_poll(mc.f, sleep_ns);
	int i;

	for (i = 0; i < 8; i++)
		if (mc.dev[i].up)
			mc_events(&mc.dev[i]);
	return more;
}

static void mc_sleep(uint64_t ns)
{
	struct pollfd p = { .fd = mc.wake, .events = POLLIN };
	uint64_t count;

	if (ns > 10000000)
		ns = 10000000;
	if (poll(&p, 1, (int)(ns / 1000000)) > 0 && read(mc.wake, &count, sizeof(count)) < 0)
		abort();
}

static void *mc_thread(void *arg)
{
	uint64_t sleep_ns;
	bool more;

	(void)arg;
	pthread_mutex_lock(&mc.lock);
	while (!mc.stop) {
		more = mc_poll(&sleep_ns) || !pm_fabric_park(mc.f, true);
		pthread_mutex_unlock(&mc.lock);
		if (!more)
			mc_sleep(sleep_ns);
		pthread_mutex_lock(&mc.lock);
		pm_fabric_park(mc.f, false);
	}
	pthread_mutex_unlock(&mc.lock);
	return NULL;
}

/* One command, to its end; the lock is held. 0, or the errno that the driver would give. */
static int mc_admin(struct mc_dev *d, void *cmd)
{
	struct pnic_acqe *e = (struct pnic_acqe *)(void *)d->acq + (d->acq_head & ((1 << MC_ADMIN_LOG) - 1));
	uint32_t phase = !(d->acq_head >> MC_ADMIN_LOG & 1);
	uint64_t sleep_ns;

	memcpy(d->asq + (d->asq_tail & ((1 << MC_ADMIN_LOG) - 1)) * PNIC_ASQE_SIZE, cmd, PNIC_ASQE_SIZE);
	pm_card_reg_write(d->card, PNIC_REG_ASQ_TAIL, ++d->asq_tail);
	while ((le32toh(e->phase) & PNIC_PHASE) != phase)
		mc_poll(&sleep_ns);
	pm_card_reg_write(d->card, PNIC_REG_ACQ_HEAD, ++d->acq_head);
	return e->status ? -EINVAL : 0;
}

static void mc_bring_up(struct mc_dev *d)
{
	struct pnic_adm_create_eq eq = { .hdr.opcode = PNIC_ADM_CREATE_EQ, .log_size = MC_EQ_LOG };
	struct pnic_adm_create_ctx ctx = { .hdr.opcode = PNIC_ADM_CREATE_CTX, .ctx = htole32(1) };
	struct pnic_adm_bind_db db = { .hdr.opcode = PNIC_ADM_BIND_DB, .ctx = htole32(1), .page = htole32(1) };
	struct pnic_adm_identify id = { .hdr.opcode = PNIC_ADM_IDENTIFY };
	uint64_t sleep_ns;

	pm_card_reg_write(d->card, PNIC_REG_ASQ_BASE_LO, (uint32_t)(uintptr_t)d->asq);
	pm_card_reg_write(d->card, PNIC_REG_ASQ_BASE_HI, (uint32_t)((uintptr_t)d->asq >> 32));
	pm_card_reg_write(d->card, PNIC_REG_ACQ_BASE_LO, (uint32_t)(uintptr_t)d->acq);
	pm_card_reg_write(d->card, PNIC_REG_ACQ_BASE_HI, (uint32_t)((uintptr_t)d->acq >> 32));
	pm_card_reg_write(d->card, PNIC_REG_ADMIN_SIZE, MC_ADMIN_LOG | MC_ADMIN_LOG << 16);
	pm_card_reg_write(d->card, PNIC_REG_CTRL, PNIC_CTRL_ENABLE);
	while (!(pm_card_reg_read(d->card, PNIC_REG_STATUS) & PNIC_STATUS_READY))
		mc_poll(&sleep_ns);
	d->up = true;
	id.addr = htole64((uintptr_t)d->id);
	eq.base = htole64((uintptr_t)d->eq);
	if (mc_admin(d, &eq) || mc_admin(d, &id) || mc_admin(d, &ctx) || mc_admin(d, &db))
		abort();
	d->status->width = le16toh(d->id->lanes_data);
	d->status->width_max = d->status->width;
	d->status->rate_mbps = (uint32_t)((uint64_t)d->status->width * le32toh(d->id->payload_kbps) / 1000);
	d->status->link_state = 1;
}

static void mc_settle(void)
{
	struct timespec nap = { 0, 1000000 };
	uint64_t sleep_ns;
	unsigned int i;

	for (i = 0; i < pm_fabric_nics(mc.f); i++) {
		while (pm_port_state(mc.dev[i].card ? pm_card_port(mc.dev[i].card) : NULL) != PNIC_LINK_UP)
			if (!mc_poll(&sleep_ns))
				nanosleep(&nap, NULL);
	}
}

bool modelcard_start(unsigned int nics, const char *profile)
{
	static const struct pm_host_ops ops = { .dma = mc_dma, .irq = mc_irq };
	struct pm_fabric_config c = { .nics = nics, .seed = 1, .park = true };
	char err[200] = "";
	struct mc_dev *d;
	unsigned int i;

	pm_link_config_defaults(&c.link, profile);
	mc.f = pm_fabric_new(&c, err, sizeof(err));
	if (!mc.f) {
		fprintf(stderr, "model: %s\n", err);
		return false;
	}
	mc.stop = false;
	mc.wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	memset(mc.dev, 0, sizeof(mc.dev));
	for (i = 0; i < nics; i++) {
		d = &mc.dev[i];
		d->dev.ops = &modelcard_backend;
		d->card = pm_fabric_card(mc.f, i);
		d->asq = mc_pages(PNIC_ASQE_SIZE << MC_ADMIN_LOG);
		d->acq = mc_pages(PNIC_ACQE_SIZE << MC_ADMIN_LOG);
		d->eq = mc_pages(PNIC_EQE_SIZE << MC_EQ_LOG);
		d->db = mc_pages((size_t)PM_DB_PAGES * 4096);
		d->id = mc_pages(sizeof(*d->id));
		d->status = mc_pages(4096);
		d->next_slot = PNIC_DB_SLOT_FIRST;
		pm_card_attach(d->card, &ops, d);
		pm_card_set_db(d->card, d->db);
		mc_bring_up(d);
	}
	mc_settle();
	return !pthread_create(&mc.thread, NULL, mc_thread, NULL);
}

void modelcard_stop(void)
{
	struct mc_dev *d;
	unsigned int i, k;

	pthread_mutex_lock(&mc.lock);
	mc.stop = true;
	pthread_mutex_unlock(&mc.lock);
	pthread_join(mc.thread, NULL);
	for (i = 0; i < pm_fabric_nics(mc.f); i++) {
		d = &mc.dev[i];
		pm_card_reset(d->card);
		for (k = 0; k < d->next_map; k++)
			free(d->map[k].mem);
		free(d->asq);
		free(d->acq);
		free(d->eq);
		free(d->db);
		free(d->id);
		free(d->status);
	}
	pm_fabric_free(mc.f);
	close(mc.wake);
}

void modelcard_call(void (*fn)(struct pm_fabric *f, void *arg), void *arg)
{
	pthread_mutex_lock(&mc.lock);
	fn(mc.f, arg);
	pthread_mutex_unlock(&mc.lock);
}

/* The backend. */

static int mc_open(const char *name, struct pnic_dev **dev)
{
	unsigned int n;

	if (sscanf(name, "model%u", &n) != 1 || n >= 8 || !mc.dev[n].up)
		return -ENODEV;
	*dev = &mc.dev[n].dev;
	return 0;
}

static void mc_close(struct pnic_dev *dev)
{
	(void)dev;
}

static void mc_info(struct mc_dev *d, struct pnic_ioc_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->abi_major = PNIC_ABI_MAJOR;
	info->features = PNIC_FEAT_PARK;
	info->nic_addr = le32toh(d->id->nic_addr);
	info->max_ep = le32toh(d->id->max_ep);
	info->max_mr = le32toh(d->id->max_mr);
	info->max_cq_entries = 1U << d->id->max_log_cq;
	info->max_sge = d->id->max_sge;
	info->max_inline = PNIC_SQE_MAX_INLINE;
}

/* Mmap offsets: 0 the status page, then memory by its index; the doorbell page and its wake page far above. */
static uint64_t mc_map_new(struct mc_dev *d, size_t length, void **mem)
{
	*mem = mc_pages(length);
	d->map[d->next_map] = (struct mc_map) { *mem, length };
	return (uint64_t)++d->next_map << 32;
}

static int mc_mr_reg(struct mc_dev *d, struct pnic_ioc_mr_reg *a)
{
	uint64_t first = a->addr & ~4095ULL, n = (a->addr + a->length - first + 4095) / 4096, i, *list = mc_pages(n * 8);
	struct pnic_adm_create_mr k = { .hdr.opcode = PNIC_ADM_CREATE_MR, .page_shift = 12 };
	int err;

	for (i = 0; i < n; i++)
		list[i] = htole64(first + i * 4096);
	d->keys = d->keys * 6364136223846793005ULL + 1442695040888963407ULL;
	a->key = (d->keys | 1ULL << 40) << 24 >> 24 << 24 | d->next_mr;
	k.index = htole32(d->next_mr);
	k.ctx = htole32(1);
	k.key = htole64(a->key);
	k.va = htole64(a->addr);
	k.length = htole64(a->length);
	k.pbl = htole64((uintptr_t)list);
	k.num_pages = htole32((uint32_t)n);
	k.rights = (uint8_t)(a->flags | PNIC_MR_LOCAL_READ);
	a->handle = d->next_mr++;
	err = mc_admin(d, &k);
	free(list);
	return err;
}

static uint32_t mc_log(uint32_t n, uint32_t min)
{
	while ((1U << min) < n)
		min++;
	return min;
}

static int mc_cq_create(struct mc_dev *d, struct pnic_ioc_cq_create *a)
{
	struct pnic_adm_create_cq k = { .hdr.opcode = PNIC_ADM_CREATE_CQ, .db_page = htole32(1) };
	void *ring;

	k.log_size = (uint8_t)mc_log(a->entries, 4);
	a->entries = 1U << k.log_size;
	a->ring_length = (uint64_t)a->entries * sizeof(struct pnic_cqe);
	a->ring_offset = mc_map_new(d, a->ring_length, &ring);
	a->db_offset = MC_WAKE_OFF;
	a->wake_offset = MC_WAKE_OFF + 4096;
	a->db_slot = (uint32_t)d->next_slot++;
	a->cqn = a->handle = d->next_cq++;
	d->eventfd[a->cqn] = a->eventfd;
	k.cqn = htole32(a->cqn);
	k.ctx = htole32(1);
	k.base = htole64((uintptr_t)ring);
	k.db_slot = htole16((uint16_t)a->db_slot);
	return mc_admin(d, &k);
}

static int mc_ep_create(struct mc_dev *d, struct pnic_ioc_ep_create *a)
{
	struct pnic_adm_create_ep k = { .hdr.opcode = PNIC_ADM_CREATE_EP, .db_page = htole32(1) };
	void *sq, *rq;

	k.sq_log_size = (uint8_t)mc_log(a->sq_slots, 4);
	a->sq_slots = 1U << k.sq_log_size;
	a->sq_length = (uint64_t)a->sq_slots * PNIC_SLOT_SIZE;
	a->sq_offset = mc_map_new(d, a->sq_length, &sq);
	k.rq_log_size = (uint8_t)mc_log(a->rq_entries, 4);
	a->rq_entries = 1U << k.rq_log_size;
	a->rq_length = (uint64_t)a->rq_entries * sizeof(struct pnic_rqe);
	a->rq_offset = mc_map_new(d, a->rq_length, &rq);
	a->db_offset = MC_WAKE_OFF;
	a->wake_offset = MC_WAKE_OFF + 4096;
	a->sq_slot = (uint32_t)d->next_slot++;
	a->rq_slot = (uint32_t)d->next_slot++;
	a->epn = a->handle = d->next_ep++;
	k.epn = htole32(a->epn);
	k.ctx = htole32(1);
	k.sq_base = htole64((uintptr_t)sq);
	k.rq_base = htole64((uintptr_t)rq);
	k.send_cqn = htole32(a->send_cq);
	k.recv_cqn = htole32(a->recv_cq);
	k.sq_slot = htole16((uint16_t)a->sq_slot);
	k.rq_slot = htole16((uint16_t)a->rq_slot);
	k.rnr_timeout_us = htole32(a->rnr_timeout_us);
	return mc_admin(d, &k);
}

static int mc_destroy(struct mc_dev *d, uint8_t opcode, uint32_t id)
{
	struct pnic_adm_destroy k = { .hdr.opcode = opcode, .id = htole32(id) };

	return mc_admin(d, &k);
}

static int mc_run(struct mc_dev *d, unsigned int cmd, void *arg)
{
	struct pnic_ioc_handle *h = arg;

	switch (cmd) {
	case PNIC_IOC_INFO:
		mc_info(d, arg);
		return 0;
	case PNIC_IOC_CTX_CREATE:
		return 0;
	case PNIC_IOC_MR_REG:
		return mc_mr_reg(d, arg);
	case PNIC_IOC_MR_DEREG:
		return mc_destroy(d, PNIC_ADM_DESTROY_MR, h->handle);
	case PNIC_IOC_CQ_CREATE:
		return mc_cq_create(d, arg);
	case PNIC_IOC_CQ_DESTROY:
		return mc_destroy(d, PNIC_ADM_DESTROY_CQ, h->handle);
	case PNIC_IOC_EP_CREATE:
		return mc_ep_create(d, arg);
	case PNIC_IOC_EP_DESTROY:
		return mc_destroy(d, PNIC_ADM_DESTROY_EP, h->handle);
	default:
		return -ENOTTY;
	}
}

static int mc_command(struct pnic_dev *dev, unsigned int cmd, void *arg)
{
	int ret;

	pthread_mutex_lock(&mc.lock);
	ret = mc_run((struct mc_dev *)dev, cmd, arg);
	pthread_mutex_unlock(&mc.lock);
	return ret;
}

static int mc_map(struct pnic_dev *dev, uint64_t offset, size_t length, bool writable, void **mem)
{
	struct mc_dev *d = (struct mc_dev *)dev;

	(void)writable;
	if (offset == 0)
		*mem = d->status;
	else if (offset == MC_WAKE_OFF)
		*mem = d->db + 4096;
	else if (offset == MC_WAKE_OFF + 4096)
		*mem = d->wake;
	else if (length <= d->map[(offset >> 32) - 1].length)
		*mem = d->map[(offset >> 32) - 1].mem;
	else
		return -EINVAL;
	return 0;
}

static void mc_unmap(struct pnic_dev *dev, void *mem, size_t length)
{
	(void)dev;
	(void)mem;
	(void)length;
}

static int mc_fd(struct pnic_dev *dev)
{
	(void)dev;
	return -1;
}

static int mc_read_event(struct pnic_dev *dev, struct pnic_event *ev)
{
	(void)dev;
	(void)ev;
	return -EAGAIN;
}

static int mc_wait(struct pnic_dev *dev, int eventfd, int timeout_ms)
{
	struct pollfd p = { .fd = eventfd, .events = POLLIN };

	(void)dev;
	return poll(&p, 1, timeout_ms) > 0;
}

static void mc_wake(struct pnic_dev *dev, volatile uint32_t *wake)
{
	uint64_t one = 1;

	(void)dev;
	(void)wake;
	if (write(mc.wake, &one, sizeof(one)) < 0)
		abort();
}

const struct pnic_backend modelcard_backend = {
	.open		= mc_open,
	.close		= mc_close,
	.command	= mc_command,
	.map		= mc_map,
	.unmap		= mc_unmap,
	.fd		= mc_fd,
	.read_event	= mc_read_event,
	.wait		= mc_wait,
	.wake		= mc_wake,
};
