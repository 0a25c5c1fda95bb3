// SPDX-License-Identifier: GPL-2.0
/*
 * The selftests of transfers without a guest: libpnic's backend on the cards of
 * card.h, under the sanitizers. Serves one process, and trusts it: what the driver
 * checks is the guest tests' affair.
 *
 * The test's own calls are redirected here by the linker (--wrap, see Makefile).
 */
#include <endian.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "card.h"
#include "libpnic/src/internal.h"
#include "selftests/device.h"
#include "selftests/modelctl.h"

#define PAGE		4096ul
#define EVENTS		256
#define OBJECTS		4096	/* of a kind and card: numbers above aren't used */
#define STATUS_OFFSET	1	/* others are addresses */

enum kind { MR, CQ, EP, KINDS };

struct object {
	struct object *next;
	struct dev *dev;
	enum kind kind;
	uint32_t number, users;
	struct object *cq[2];
	void *mem[2];
	size_t length[2];
	int eventfd;
	uint64_t user_data;
};

struct dev {
	struct pnic_dev pub;
	struct host_card *card;
	unsigned int nic;
	uint32_t ctx, slot;		/* the doorbell page has the context's number */
	int fd;
	struct pnic_event queue[EVENTS];
	uint32_t head, tail;
	struct object *objects;
};

/* Who has which number, for events and for finding a free one. */
static struct object *table[HOST_CARDS][KINDS][OBJECTS];
static bool contexts[HOST_CARDS][OBJECTS];

static void tell(struct dev *d, uint32_t type, uint32_t code, uint64_t user_data)
{
	if (d->tail - d->head < EVENTS)
		d->queue[d->tail++ % EVENTS] = (struct pnic_event) {
			.type = type, .code = code, .user_data = user_data };
	eventfd_write(d->fd, 1);
}

static void on_event(struct host_card *c, const struct pnic_eqe *e)
{
	unsigned int nic = c == host_card(0) ? 0 : 1;
	enum kind kind = e->type == PNIC_EV_EP_ERROR ? EP : CQ;
	struct object *o;

	if (e->type < PNIC_EV_CQ || e->type > PNIC_EV_EP_ERROR || le32toh(e->id) >= OBJECTS)
		return;
	o = table[nic][kind][le32toh(e->id)];
	if (!o)
		return;
	if (e->type == PNIC_EV_CQ && o->eventfd >= 0)
		eventfd_write(o->eventfd, 1);
	else
		tell(o->dev, e->type == PNIC_EV_CQ ? PNIC_EVT_CQ :
			     e->type == PNIC_EV_CQ_ERROR ? PNIC_EVT_CQ_ERROR : PNIC_EVT_EP_ERROR,
		     le16toh(e->code), o->user_data);
}

static struct object *object_new(struct dev *d, enum kind kind)
{
	struct object *o = calloc(1, sizeof(*o));

	if (!o)
		abort();
	while (table[d->nic][kind][o->number])
		o->number++;
	o->dev = d;
	o->kind = kind;
	o->eventfd = -1;
	o->next = d->objects;
	d->objects = o;
	table[d->nic][kind][o->number] = o;
	return o;
}

static void *object_mem(struct object *o, unsigned int i, size_t bytes)
{
	o->length[i] = (bytes + PAGE - 1) & ~(PAGE - 1);
	o->mem[i] = host_pages(o->length[i]);
	return o->mem[i];
}

static void object_free(struct object *o)
{
	static const uint8_t opcode[KINDS] = { PNIC_ADM_DESTROY_MR, PNIC_ADM_DESTROY_CQ, PNIC_ADM_DESTROY_EP };
	struct pnic_adm_destroy cmd = { .hdr.opcode = opcode[o->kind], .id = htole32(o->number) };
	struct object **p = &o->dev->objects;
	unsigned int i;

	if (host_card_command(o->dev->card, &cmd))
		abort();
	table[o->dev->nic][o->kind][o->number] = NULL;
	while (*p != o)
		p = &(*p)->next;
	*p = o->next;
	for (i = 0; i < 2; i++) {
		if (o->cq[i])
			o->cq[i]->users--;
		if (o->mem[i])
			host_pages_free(o->mem[i], o->length[i]);
	}
	free(o);
}

/* Handles are numbers on the card. */
static struct object *object_find(struct dev *d, enum kind kind, uint32_t handle)
{
	struct object *o = handle < OBJECTS ? table[d->nic][kind][handle] : NULL;

	return o && o->dev == d ? o : NULL;
}

static uint32_t power_of_two(uint32_t n, uint32_t least)
{
	while (least < n)
		least <<= 1;
	return least;
}

static uint64_t page_offset(const struct dev *d)
{
	return (uintptr_t)d->card->doorbells + d->ctx * PAGE;
}

static int do_info(struct dev *d, struct pnic_ioc_info *i)
{
	const struct pnic_identify *id = d->card->id;

	i->abi_major = PNIC_ABI_MAJOR;
	i->features = PNIC_FEAT_PARK | PNIC_FEAT_ATOMICS | PNIC_FEAT_LANES;
	i->nic_addr = le32toh(id->nic_addr);
	i->max_ep = le32toh(id->max_ep);
	i->max_cq = le32toh(id->max_cq);
	i->max_mr = le32toh(id->max_mr);
	i->max_cq_entries = 1u << id->max_log_cq;
	i->max_sq_slots = 1u << id->max_log_sq;
	i->max_rq_entries = 1u << id->max_log_rq;
	i->max_sge = id->max_sge;
	i->max_inline = PNIC_SQE_MAX_INLINE;
	i->max_msg_size = le32toh(id->max_msg_size);
	i->status_offset = STATUS_OFFSET;
	i->lanes_data = le16toh(id->lanes_data);
	i->lanes_spare = le16toh(id->lanes_spare);
	i->lane_kbps = le32toh(id->payload_kbps);
	return 0;
}

static int do_ctx_create(struct dev *d, struct pnic_ioc_ctx_create *k)
{
	struct pnic_adm_create_ctx ctx = { .hdr.opcode = PNIC_ADM_CREATE_CTX,
		.partition = htole32(k->partition) };
	struct pnic_adm_bind_db bind = { .hdr.opcode = PNIC_ADM_BIND_DB };

	for (d->ctx = 1; contexts[d->nic][d->ctx]; d->ctx++)
		;
	contexts[d->nic][d->ctx] = true;
	d->slot = PNIC_DB_SLOT_FIRST;
	ctx.ctx = htole32(d->ctx);
	bind.ctx = htole32(d->ctx);
	bind.page = htole32(d->ctx);
	memset(d->card->doorbells + d->ctx * PAGE, 0, PAGE);
	return host_card_command(d->card, &ctx) || host_card_command(d->card, &bind) ? -EIO : 0;
}

static int do_mr_reg(struct dev *d, struct pnic_ioc_mr_reg *k)
{
	uint64_t first = k->addr & ~(PAGE - 1), n = (k->addr + k->length - first + PAGE - 1) / PAGE, i;
	struct pnic_adm_create_mr cmd = { .hdr.opcode = PNIC_ADM_CREATE_MR, .page_shift = 12 };
	struct object *o = object_new(d, MR);
	static uint64_t tag = 12345;
	__le64 *list;

	list = object_mem(o, 0, 8 * n);
	for (i = 0; i < n; i++)
		list[i] = htole64(first + i * PAGE);
	tag = tag * 6364136223846793005ull + 1442695040888963407ull;
	k->key = ((tag ^ tag >> 29) * 0x9e3779b97f4a7c15ull & ~0xffffffull) | o->number;
	k->handle = o->number;
	cmd.index = htole32(o->number);
	cmd.ctx = htole32(d->ctx);
	cmd.key = htole64(k->key);
	cmd.va = htole64(k->addr);
	cmd.length = htole64(k->length);
	cmd.pbl = htole64((uintptr_t)list);
	cmd.num_pages = htole32(n);
	cmd.rights = PNIC_MR_LOCAL_READ | k->flags;
	return host_card_command(d->card, &cmd) ? -EIO : 0;
}

static int do_cq_create(struct dev *d, struct pnic_ioc_cq_create *k)
{
	struct pnic_adm_create_cq cmd = { .hdr.opcode = PNIC_ADM_CREATE_CQ };
	struct object *o = object_new(d, CQ);

	k->entries = power_of_two(k->entries, 1);
	k->ring_offset = (uintptr_t)object_mem(o, 0, k->entries * sizeof(struct pnic_cqe));
	k->ring_length = o->length[0];
	k->handle = o->number;
	k->cqn = o->number;
	k->db_offset = page_offset(d);
	k->wake_offset = k->db_offset + PM_DB_PAGES * PAGE;
	k->db_slot = d->slot++;
	o->eventfd = k->eventfd;
	o->user_data = k->user_data;
	cmd.cqn = htole32(o->number);
	cmd.ctx = htole32(d->ctx);
	cmd.base = htole64(k->ring_offset);
	cmd.log_size = __builtin_ctz(k->entries);
	cmd.db_page = htole32(d->ctx);
	cmd.db_slot = htole16(k->db_slot);
	return host_card_command(d->card, &cmd) ? -EIO : 0;
}

static void ep_rings(struct dev *d, struct object *o, struct pnic_ioc_ep_create *k)
{
	k->sq_slots = power_of_two(k->sq_slots, 16);
	k->sq_offset = (uintptr_t)object_mem(o, 0, (size_t)k->sq_slots * PNIC_SLOT_SIZE);
	k->sq_length = o->length[0];
	k->sq_slot = d->slot++;
	if (!k->rq_entries)
		return;
	k->rq_entries = power_of_two(k->rq_entries, 1);
	k->rq_offset = (uintptr_t)object_mem(o, 1, k->rq_entries * sizeof(struct pnic_rqe));
	k->rq_length = o->length[1];
	k->rq_slot = d->slot++;
}

static int do_ep_create(struct dev *d, struct pnic_ioc_ep_create *k)
{
	struct object *send = object_find(d, CQ, k->send_cq), *recv = object_find(d, CQ, k->recv_cq);
	struct pnic_adm_create_ep cmd = { .hdr.opcode = PNIC_ADM_CREATE_EP };
	struct object *o;

	if (!send || !recv)
		return -ENOENT;
	o = object_new(d, EP);
	o->cq[0] = send;
	o->cq[1] = recv;
	send->users++;
	recv->users++;
	o->user_data = k->user_data;
	ep_rings(d, o, k);
	k->handle = o->number;
	k->epn = o->number;
	k->db_offset = page_offset(d);
	k->wake_offset = k->db_offset + PM_DB_PAGES * PAGE;
	cmd.epn = htole32(o->number);
	cmd.ctx = htole32(d->ctx);
	cmd.sq_base = htole64(k->sq_offset);
	cmd.rq_base = htole64(k->rq_offset);
	cmd.sq_log_size = __builtin_ctz(k->sq_slots);
	cmd.rq_log_size = k->rq_entries ? __builtin_ctz(k->rq_entries) : 0;
	cmd.flags = htole16(k->flags);
	cmd.send_cqn = htole32(send->number);
	cmd.recv_cqn = htole32(recv->number);
	cmd.db_page = htole32(d->ctx);
	cmd.sq_slot = htole16(k->sq_slot);
	cmd.rq_slot = htole16(k->rq_slot);
	cmd.rnr_timeout_us = htole32(k->rnr_timeout_us);
	return host_card_command(d->card, &cmd) ? -EIO : 0;
}

static int do_handle(struct dev *d, unsigned int cmd, const struct pnic_ioc_handle *k)
{
	enum kind kind = cmd == PNIC_IOC_MR_DEREG ? MR : cmd == PNIC_IOC_CQ_DESTROY ? CQ : EP;
	struct pnic_adm_destroy reset = { .hdr.opcode = PNIC_ADM_RESET_EP };
	struct object *o = object_find(d, kind, k->handle);

	if (!o)
		return -ENOENT;
	if (o->users)
		return -EBUSY;
	if (cmd == PNIC_IOC_EP_RESET) {
		reset.id = htole32(o->number);
		return host_card_command(d->card, &reset) ? -EIO : 0;
	}
	object_free(o);
	return 0;
}

static int command(struct pnic_dev *dev, unsigned int cmd, void *arg)
{
	struct dev *d = (struct dev *)dev;
	int ret;

	host_lock();
	switch (cmd) {
	case PNIC_IOC_INFO:
		ret = do_info(d, arg);
		break;
	case PNIC_IOC_CTX_CREATE:
		ret = do_ctx_create(d, arg);
		break;
	case PNIC_IOC_MR_REG:
		ret = do_mr_reg(d, arg);
		break;
	case PNIC_IOC_CQ_CREATE:
		ret = do_cq_create(d, arg);
		break;
	case PNIC_IOC_EP_CREATE:
		ret = do_ep_create(d, arg);
		break;
	default:
		ret = do_handle(d, cmd, arg);
	}
	host_unlock();
	return ret;
}

static void close_ctx(struct dev *d)
{
	struct pnic_adm_bind_db unbind = { .hdr.opcode = PNIC_ADM_UNBIND_DB,
		.ctx = htole32(d->ctx), .page = htole32(d->ctx) };
	struct pnic_adm_destroy ctx = { .hdr.opcode = PNIC_ADM_DESTROY_CTX, .id = htole32(d->ctx) };

	if (host_card_command(d->card, &unbind) || host_card_command(d->card, &ctx))
		abort();
	contexts[d->nic][d->ctx] = false;
}

static void close_dev(struct pnic_dev *dev)
{
	struct dev *d = (struct dev *)dev;
	struct object *o, *next;
	int kind;

	host_lock();
	for (kind = EP; kind >= MR; kind--)
		for (o = d->objects; o; o = next) {
			next = o->next;
			if ((int)o->kind == kind)
				object_free(o);
		}
	if (d->ctx)
		close_ctx(d);
	host_unlock();
	close(d->fd);
	free(d);
}

static int map(struct pnic_dev *dev, uint64_t offset, size_t length, bool writable, void **mem)
{
	struct dev *d = (struct dev *)dev;

	(void)length;
	(void)writable;
	*mem = offset == STATUS_OFFSET ? (void *)d->card->status : (void *)(uintptr_t)offset;
	return 0;
}

static void unmap(struct pnic_dev *dev, void *mem, size_t length)
{
	(void)dev;
	(void)mem;
	(void)length;
}

static int get_fd(struct pnic_dev *dev)
{
	return ((struct dev *)dev)->fd;
}

static int read_event(struct pnic_dev *dev, struct pnic_event *ev)
{
	struct dev *d = (struct dev *)dev;
	int ret = -EAGAIN;
	eventfd_t n;

	host_lock();
	if (d->head != d->tail) {
		*ev = d->queue[d->head++ % EVENTS];
		ret = 0;
	}
	if (d->head == d->tail)
		eventfd_read(d->fd, &n);
	host_unlock();
	return ret;
}

static int wait_cq(struct pnic_dev *dev, int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	(void)dev;
	return poll(&pfd, 1, timeout_ms) > 0;
}

static void wake(struct pnic_dev *dev, volatile uint32_t *page)
{
	(void)dev;
	(void)page;
	host_lock();
	host_unlock();
}

static int open_dev(const char *name, struct pnic_dev **dev);

static const struct pnic_backend backend = {
	.open = open_dev, .close = close_dev, .command = command, .map = map, .unmap = unmap,
	.fd = get_fd, .read_event = read_event, .wait = wait_cq, .wake = wake,
};

static int open_dev(const char *name, struct pnic_dev **dev)
{
	struct host_card *c = host_card(atoi(name + strlen("pnic")));
	struct dev *d;

	if (!c)
		return -ENODEV;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	c->event = on_event;
	d->pub.ops = &backend;
	d->card = c;
	d->nic = c != host_card(0);
	d->fd = eventfd(0, EFD_NONBLOCK);
	*dev = &d->pub;
	return 0;
}

int __wrap_pnic_open(const char *name, const struct pnic_open_attr *attr, struct pnic_ctx **ctx);
int __wrap_pnic_open(const char *name, const struct pnic_open_attr *attr, struct pnic_ctx **ctx)
{
	return pnic_open_backend(&backend, name, attr, ctx);
}

bool __wrap_dev_present(unsigned int nics);
bool __wrap_dev_present(unsigned int nics)
{
	return nics <= HOST_CARDS;
}

bool __wrap_modelctl_present(void);
bool __wrap_modelctl_present(void)
{
	return true;
}

double __wrap_modelctl_counter(unsigned int nic, const char *name);
double __wrap_modelctl_counter(unsigned int nic, const char *name)
{
	struct pnic_counters counters;
	struct pnic_link_info link;
	double value = NAN;

	host_card(nic);
	host_lock();
	pm_card_counters(host_card(nic)->card, &counters);
	pm_port_query(pm_card_port(host_card(nic)->card), &link);
	host_unlock();
	if (!strcmp(name, "payload_bytes"))
		value = le64toh(counters.payload_tx);
	else if (!strcmp(name, "line_bits"))
		value = le64toh(counters.line_bits_tx);
	else if (!strcmp(name, "clock_ns"))
		value = le64toh(link.clock_ns);
	else if (!strcmp(name, "width"))
		value = le16toh(link.width_tx);
	return value;
}
