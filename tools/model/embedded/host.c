// SPDX-License-Identifier: GPL-2.0
/*
 * A card as the driver has it: probe and removal, registers, mappings, the link's news,
 * and its files. What pnic_pci.c, pnic_csr.c, pnic_mmap.c and the lane manager are in the kernel.
 *
 * The lanes themselves are the business of the port's firmware, which is the same agent
 * (driver/lane/) that the driver runs.
 */
#include "kernel.h"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "driver/pnic_csr.h"
#include "driver/pnic_dma.h"
#include "driver/pnic_dmabuf.h"
#include "driver/pnic_grant.h"
#include "driver/pnic_lanes.h"
#include "driver/pnic_object.h"
#include "driver/pnic_watch.h"
#include "embedded.h"
#include "tools/model/core/portfw.h"

/* As pnic_mmap.c has them. */
#define PGOFF_STATUS		1UL
#define PGOFF_DB		0x1000UL
#define PGOFF_RING		0x10000000UL
#define PGOFF_RING_STEP		BIT(PNIC_RING_ORDER_MAX)
#define RING_COOKIES		0x100000UL

#define DB_SIZE			(2UL * PNIC_EMBEDDED_DB_PAGES * PAGE_SIZE)

_Static_assert(PNIC_EMBEDDED_DB_PAGES == PM_DB_PAGES, "as many as the card has");

struct pnic_lanes {
	struct pnic_dev *pd;
	struct work_struct work;
	struct pnic_link_info link;
	u32 margin_min;
	u32 remaps;
	u32 link_downs;
};

/* Doorbells of an earlier life of the card: whoever holds them may ring on, nobody listens. */
struct old_doorbells {
	struct old_doorbells *next;
	void *mem;
};

struct embedded_driver {
	struct pnic_dev *pd;
	struct pci_dev pdev;
	struct embedded_card *card;
	struct pnic_lanes lanes;
	u8 *db;
	struct old_doorbells *old;
	bool gone;
};

static struct embedded_driver *driver_of(struct pnic_dev *pd)
{
	return pd->pdev->card->driver;
}

/* --- doorbell memory ---- */

/* Aligned to its half, so that a page's number can be seen from its address. */
static u8 *db_new(void)
{
	u8 *p = mmap(NULL, 2 * DB_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		     -1, 0);
	size_t before;

	if (p == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)p % (DB_SIZE / 2);
	if (before)
		munmap(p, before);
	munmap(p + before + DB_SIZE, DB_SIZE - before);
	return p + before;
}

/*
 * The kernel takes doorbell pages away from the processes. Here they keep theirs, and the card
 * gets others.
 */
static void db_change(struct embedded_driver *d)
{
	struct old_doorbells *old = malloc(sizeof(*old));
	u8 *db = old ? db_new() : NULL;

	if (!db)
		kernel_bug(__FILE__, __LINE__, "no memory for doorbells");
	old->mem = d->db;
	old->next = d->old;
	d->old = old;
	d->db = db;
	pm_card_set_db(d->card->card, db);
}

static void db_free(struct embedded_driver *d)
{
	struct old_doorbells *old;

	while ((old = d->old)) {
		d->old = old->next;
		munmap(old->mem, DB_SIZE);
		free(old);
	}
	munmap(d->db, DB_SIZE);
}

/* --- registers (pnic_csr.h) ---- */

u32 pnic_rd32(struct pnic_dev *pd, u32 off)
{
	struct embedded_driver *d = driver_of(pd);

	if (d->gone)
		return ~0U;
	return pm_card_reg_read(d->card->card, off);
}

void pnic_wr32(struct pnic_dev *pd, u32 off, u32 val)
{
	struct embedded_driver *d = driver_of(pd);

	if (d->gone)
		return;
	pm_card_reg_write(d->card->card, off, val);
	if (off == PNIC_REG_CTRL && val & PNIC_CTRL_RESET)
		db_change(d);
}

void pnic_csr_revive(struct pnic_dev *pd)
{
	(void)pd;
}

/* --- what the card does to the host ---- */

/* Every address of the process: the card's own checks stand between it and the memory. */
static void *host_dma(void *host, uint64_t addr, size_t *len, bool write)
{
	(void)len;
	(void)write;
	return ((struct embedded_card *)host)->mastering ? (void *)(uintptr_t)addr : NULL;
}

static void host_irq(void *host, unsigned int vector)
{
	struct embedded_card *c = host;

	if (vector >= EMBEDDED_IRQS)
		return;
	c->irq[vector].raised = true;
	c->world->irqs = true;
}

/* --- mappings ---- */

const u64 pnic_mmap_status_offset = (u64)PGOFF_STATUS << PAGE_SHIFT;
const u64 pnic_mmap_ctx_offset;

/* --- memory of others: a process has no dma-bufs, and nobody who tells it of its own munmap() ---- */

/* There is no DMA that memory could be copied for. */
bool pnic_dma_copied(struct device *dev, struct page *page, dma_addr_t dma)
{
	(void)dev;
	(void)page;
	(void)dma;
	return false;
}

bool pnic_dma_any_copied(struct device *dev, struct sg_table *sgt)
{
	(void)dev;
	(void)sgt;
	return false;
}

bool pnic_dmabuf_supported(const struct pnic_caps *caps)
{
	(void)caps;
	return false;
}

void pnic_dmabuf_init(struct pnic_dev *pd)
{
	(void)pd;
}

struct pnic_dmabuf *pnic_dmabuf_open(struct pnic_dev *pd, const struct pnic_ioc_mr_reg_dmabuf *arg, bool writes)
{
	(void)pd;
	(void)arg;
	(void)writes;
	return ERR_PTR(-EOPNOTSUPP);
}

int pnic_dmabuf_revoke(struct pnic_dmabuf *b)
{
	(void)b;
	return -EOPNOTSUPP;
}

void pnic_dmabuf_close(struct pnic_dmabuf *b)
{
	(void)b;
}

int pnic_dmabuf_enter(struct pnic_dmabuf *b, const struct pnic_adm_create_mr *cmd)
{
	(void)b;
	(void)cmd;
	return -EOPNOTSUPP;
}

/* Nobody grants anything to a process but itself. */
void pnic_grant_init(struct pnic_dev *pd)
{
	(void)pd;
}

void pnic_grant_free_all(struct pnic_dev *pd)
{
	(void)pd;
}

bool pnic_grant_allows(struct pnic_dev *pd, u32 partition)
{
	(void)pd;
	return !partition || capable(CAP_NET_ADMIN);
}

/* Nor does it share the card with anybody. */
void pnic_share_init(struct pnic_dev *pd)
{
	(void)pd;
}

int pnic_share_join(struct pnic_file *pf)
{
	(void)pf;
	return 0;
}

void pnic_share_leave(struct pnic_file *pf)
{
	(void)pf;
}

int pnic_share_take(struct pnic_file *pf, enum pnic_share what)
{
	(void)pf;
	(void)what;
	return 0;
}

void pnic_share_give(struct pnic_file *pf, enum pnic_share what)
{
	(void)pf;
	(void)what;
}

bool pnic_watch_supported(void)
{
	return false;
}

void pnic_watch_init(struct pnic_file *pf)
{
	(void)pf;
}

int pnic_watch_begin(struct pnic_file *pf)
{
	(void)pf;
	return 0;
}

void pnic_watch_end(struct pnic_file *pf)
{
	(void)pf;
}

struct pnic_watch *pnic_watch_open(struct pnic_file *pf, u64 addr, u64 length)
{
	(void)pf;
	(void)addr;
	(void)length;
	return ERR_PTR(-EOPNOTSUPP);
}

void pnic_watch_name(struct pnic_watch *w, u32 handle)
{
	(void)w;
	(void)handle;
}

void pnic_watch_close(struct pnic_watch *w)
{
	(void)w;
}

int pnic_watch_stale(struct pnic_file *pf, void *arg)
{
	(void)pf;
	(void)arg;
	return -EOPNOTSUPP;
}

void pnic_watch_undo(struct pnic_file *pf, void *arg)
{
	(void)pf;
	(void)arg;
}

static unsigned long map_index(unsigned long pgoff)
{
	return pgoff < PGOFF_RING ? pgoff : PGOFF_RING + (pgoff - PGOFF_RING) / PGOFF_RING_STEP;
}

static int map_add_ring(struct pnic_file *pf, struct pnic_mapping *map)
{
	u32 id;
	int err;

	err = xa_alloc_cyclic(&pf->maps, &id, map, XA_LIMIT(PGOFF_RING, PGOFF_RING + RING_COOKIES - 1),
			      &pf->next_map, GFP_KERNEL);
	if (err)
		return err == -EBUSY ? -ENOSPC : err;
	map->pgoff = PGOFF_RING + (id - PGOFF_RING) * PGOFF_RING_STEP;
	return 0;
}

int pnic_mmap_add(struct pnic_file *pf, struct pnic_mapping *map)
{
	if (map->kind == PNIC_MAP_RING)
		return map_add_ring(pf, map);
	/* No entry: embedded_file_map() finds doorbell pages in pf->dbpages. */
	map->pgoff = PGOFF_DB + map->pfn;
	return 0;
}

void pnic_mmap_del(struct pnic_file *pf, struct pnic_mapping *map)
{
	if (map->kind == PNIC_MAP_RING && map->pgoff)
		xa_erase(&pf->maps, map_index(map->pgoff));
	map->pgoff = 0;
}

u64 pnic_mmap_offset(const struct pnic_mapping *map)
{
	return (u64)map->pgoff << PAGE_SHIFT;
}

/* The reset that follows gives the card other doorbells. */
void pnic_mmap_revoke(struct pnic_file *pf)
{
	pf->revoked = true;
}

int pnic_mmap(struct pnic_file *pf, struct vm_area_struct *vma)
{
	(void)pf;
	(void)vma;
	return -EINVAL;
}

static void *map_page(struct pnic_file *pf, unsigned long pgoff, bool writable)
{
	struct embedded_driver *d = driver_of(pf->pd);
	struct pnic_dbpage *db;

	(void)writable;
	list_for_each_entry(db, &pf->dbpages, node)
		if (db->db.pgoff == pgoff || db->wake.pgoff == pgoff)
			return d->db + ((pgoff - PGOFF_DB) << PAGE_SHIFT);
	return NULL;
}

/* --- the link's news ---- */

static int lanes_query(struct pnic_lanes *l, struct pnic_link_info *i)
{
	struct pm_portfw *fw = pm_card_firmware(l->pd->pdev->card->card);
	u32 rate, was_rate = le32_to_cpu(l->link.rate_tx_mbps);
	u8 was_state = l->link.state;
	bool width;
	int err;

	err = pnic_cmd_link_query(l->pd, i);
	if (err)
		return err;
	rate = le32_to_cpu(i->rate_tx_mbps);
	width = i->width_tx != l->link.width_tx;
	l->link_downs += was_state == PNIC_LINK_UP && i->state != PNIC_LINK_UP;
	if (i->state == PNIC_LINK_UP)
		l->margin_min = min(l->margin_min, (u32)le16_to_cpu(i->margin_min));
	l->link = *i;
	pnic_status_set_link(l->pd, i, fw ? pm_portfw_agent(fw)->stats.spares : 0);
	if (i->state != was_state)
		pnic_event_broadcast(l->pd, PNIC_EVT_LINK, i->state, rate);
	if (rate != was_rate || width)
		pnic_event_broadcast(l->pd, PNIC_EVT_RATE, le16_to_cpu(i->width_tx), rate);
	return 0;
}

static void lanes_work(struct work_struct *work)
{
	struct pnic_lanes *l = container_of(work, struct pnic_lanes, work);
	struct pnic_link_info i;

	if (pnic_state(l->pd) == PNIC_STATE_READY)
		lanes_query(l, &i);
}

int pnic_lanes_start(struct pnic_dev *pd)
{
	struct pnic_lanes *l = &driver_of(pd)->lanes;
	struct pnic_link_info i;

	if (!pd->lanes) {
		l->pd = pd;
		l->margin_min = U16_MAX;
		INIT_WORK(&l->work, lanes_work);
		pd->lanes = l;
	}
	return lanes_query(l, &i);
}

void pnic_lanes_stop(struct pnic_dev *pd)
{
	if (pd->lanes)
		cancel_work_sync(&pd->lanes->work);
}

void pnic_lanes_free(struct pnic_dev *pd)
{
	pd->lanes = NULL;
}

void pnic_lanes_event(struct pnic_dev *pd, const struct pnic_eqe *eqe)
{
	pd->lanes->remaps += eqe->type == PNIC_EV_MAP;
	if (eqe->type != PNIC_EV_MGMT)
		kernel_queue(&pd->lanes->work, 0);
}

int pnic_lanes_link_info(struct pnic_dev *pd, struct pnic_ioc_link_info *out)
{
	struct pm_portfw *fw = pm_card_firmware(pd->pdev->card->card);
	struct pnic_lanes *l = pd->lanes;
	struct pnic_link_info i;
	int err;

	if (!l)
		return -EOPNOTSUPP;
	err = lanes_query(l, &i);
	if (err)
		return err;
	out->state = i.state;
	out->width_tx = le16_to_cpu(i.width_tx);
	out->width_rx = le16_to_cpu(i.width_rx);
	out->width_max = pd->caps.lanes_data;
	out->margin = le16_to_cpu(i.margin);
	out->margin_erasure = le16_to_cpu(i.margin_erasure);
	out->margin_min = l->margin_min == U16_MAX ? 0 : l->margin_min;
	out->gen_rx = le32_to_cpu(i.gen_rx);
	out->gen_tx = le32_to_cpu(i.gen_tx);
	out->rate_tx_mbps = le32_to_cpu(i.rate_tx_mbps);
	out->rate_rx_mbps = le32_to_cpu(i.rate_rx_mbps);
	out->spares_rx = fw ? pm_portfw_agent(fw)->stats.spares : 0;
	out->failed_rx = fw ? pm_portfw_agent(fw)->stats.failed : 0;
	out->remaps = l->remaps;
	out->link_downs = l->link_downs;
	return 0;
}

/* --- trouble (pnic_health.c): nobody to tell, and nobody who would rather mend it himself ---- */

bool pnic_health_report(struct pnic_dev *pd, enum pnic_trouble trouble)
{
	(void)pd;
	(void)trouble;
	return false;
}

void pnic_health_failed(struct pnic_dev *pd)
{
	(void)pd;
}

void pnic_health_served(struct pnic_dev *pd)
{
	(void)pd;
}

/* --- probe and removal, as in pnic_pci.c ---- */

static int probe_start(struct pnic_dev *pd)
{
	int err;

	pd->epoch = 1;
	pnic_status_set_epoch(pd, pd->epoch);
	err = pnic_up(pd);
	if (err) {
		pnic_down(pd, PNIC_STATE_GONE, NULL);
		return err;
	}
	pnic_state_change(pd, PNIC_STATE_READY);
	pnic_chardev_add(pd);
	pnic_health_start(pd);
	return 0;
}

static int probe_alloc(struct pnic_dev *pd)
{
	int err;

	err = pnic_admin_alloc(pd);
	if (!err)
		err = pnic_cmd_buf_alloc(pd);
	if (!err)
		err = pnic_status_alloc(pd);
	return err;
}

int embedded_probe(struct embedded_card *c)
{
	static const struct pm_host_ops ops = { .dma = host_dma, .irq = host_irq };
	struct embedded_driver *d = calloc(1, sizeof(*d));
	struct pnic_dev *pd = calloc(1, sizeof(*pd));
	int err = -ENOMEM;

	if (d)
		d->db = db_new();
	if (!d || !pd || !d->db)
		goto free;
	d->card = c;
	d->pd = pd;
	d->pdev.card = c;
	snprintf(d->pdev.name, sizeof(d->pdev.name), "%.20s.%u", c->world->name, c->nic);
	pd->pdev = &d->pdev;
	c->driver = d;
	c->mastering = true;
	pm_card_attach(c->card, &ops, c);
	pm_card_set_db(c->card, d->db);
	pnic_reset_init(pd);
	pnic_chardev_prepare(pd);
	err = probe_alloc(pd);
	if (!err)
		err = probe_start(pd);
	if (!err)
		return 0;
	embedded_remove(c);
	return err;
free:
	if (d && d->db)
		munmap(d->db, DB_SIZE);
	free(d);
	free(pd);
	return err;
}

static void stop(struct pnic_dev *pd)
{
	if (!pnic_down(pd, PNIC_STATE_GONE, NULL))
		return;
	cancel_work_sync(&pd->reset_work);
}

/* Pulled out of its slot: the driver finds it gone. */
void embedded_gone(struct embedded_card *c)
{
	struct embedded_driver *d = c->driver;

	d->gone = true;
	c->mastering = false;
	pm_card_reset(c->card);
	stop(d->pd);
}

/* No file of it is open. */
void embedded_remove(struct embedded_card *c)
{
	struct embedded_driver *d = c->driver;
	struct pnic_dev *pd = d->pd;

	stop(pd);
	c->mastering = false;
	pnic_cmd_buf_free(pd);
	pnic_admin_free(pd);
	db_free(d);
	pnic_chardev_unprepare(pd);
	c->driver = NULL;
	free(d);
}

/* --- files ---- */

struct embedded_file {
	struct file file;
	struct cdev *cdev;
	int fd;
};

static struct pnic_file *file_of(struct embedded_file *f)
{
	return f->file.private_data;
}

int embedded_file_open(struct embedded_card *c, struct embedded_file **out)
{
	struct embedded_driver *d = c->driver;
	struct embedded_file *f = calloc(1, sizeof(*f));
	struct inode inode;
	int err;

	if (!f)
		return -ENOMEM;
	f->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (f->fd < 0) {
		err = -errno;
		goto free;
	}
	f->cdev = &d->pd->cdev;
	f->file.f_flags = O_NONBLOCK;
	inode.i_cdev = f->cdev;
	err = f->cdev->ops->open(&inode, &f->file);
	if (err)
		goto close;
	file_of(f)->evq.wait.fd = &f->fd;
	*out = f;
	return 0;
close:
	close(f->fd);
free:
	free(f);
	return err;
}

void embedded_file_close(struct embedded_file *f)
{
	file_of(f)->evq.wait.fd = NULL;
	f->cdev->ops->release(NULL, &f->file);
	close(f->fd);
	free(f);
}

int embedded_file_ioctl(struct embedded_file *f, unsigned int cmd, void *arg)
{
	return (int)f->cdev->ops->unlocked_ioctl(&f->file, cmd, (unsigned long)(uintptr_t)arg);
}

int embedded_file_map(struct embedded_file *f, uint64_t offset, size_t length, bool writable, void **mem)
{
	unsigned long pgoff = offset >> PAGE_SHIFT, pages = PAGE_ALIGN(length) >> PAGE_SHIFT;
	struct pnic_file *pf = file_of(f);
	struct pnic_mapping *map;

	if (offset & ~PAGE_MASK || !length)
		return -EINVAL;
	if (pgoff == PGOFF_STATUS) {
		if (pages != 1)
			return -EINVAL;
		if (writable)
			return -EPERM;
		*mem = pf->pd->status;
		return 0;
	}
	if (pgoff < PGOFF_RING) {
		*mem = pages == 1 ? map_page(pf, pgoff, writable) : NULL;
		return *mem ? 0 : -EINVAL;
	}
	map = xa_load(&pf->maps, map_index(pgoff));
	if (!map || map->pgoff != pgoff || map->pages != pages)
		return -EINVAL;
	page_block_get(map->page, pages);
	*mem = page_address(map->page);
	return 0;
}

/* Of a dead context's doorbells it is some number, and harmless. */
unsigned int embedded_wake_page(struct embedded_card *c, volatile uint32_t *wake)
{
	(void)c;
	return (unsigned int)((uintptr_t)wake >> PAGE_SHIFT) % PNIC_EMBEDDED_DB_PAGES;
}

/* Rings are kept by their mappings; the other pages live as long as the card. */
void embedded_file_unmap(struct embedded_file *f, void *mem, size_t length)
{
	(void)f;
	page_block_put(mem, PAGE_ALIGN(length) >> PAGE_SHIFT);
}

int embedded_file_read(struct embedded_file *f, void *event, size_t size)
{
	eventfd_t n;
	ssize_t got;

	got = f->cdev->ops->read(&f->file, event, size, NULL);
	/* Level-triggered, as poll() of the char device. */
	if (!(f->cdev->ops->poll(&f->file, NULL) & (EPOLLIN | EPOLLERR | EPOLLHUP)))
		eventfd_read(f->fd, &n);
	return got < 0 ? (int)got : 0;
}

unsigned int embedded_file_poll(struct embedded_file *f)
{
	return f->cdev->ops->poll(&f->file, NULL);
}

int embedded_file_fd(struct embedded_file *f)
{
	return f->fd;
}
