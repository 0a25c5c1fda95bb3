// SPDX-License-Identifier: GPL-2.0
/*
 * The card: registers, bring-up, reset, the fatal state, its turn of work, and faults on demand.
 *
 * Called by the front end through card.h, and by fabric.c.
 */
#include <stdlib.h>
#include <time.h>

#include "card_priv.h"

#define HEARTBEAT_MS	25u

static uint64_t real_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Counts in real time, as a watchdog does; stands still while the card is frozen or has failed. */
static void heartbeat(struct pm_card *c)
{
	uint64_t now = real_ms(), n = (now - c->ready_ms) / HEARTBEAT_MS;

	if (!pm_card_ready(c) || c->frozen) {
		c->ready_ms = now;
		return;
	}
	c->heartbeat += n;
	c->ready_ms += n * HEARTBEAT_MS;
}

#define CAPS_1_2	(PNIC_CAP_LO_SRQ | PNIC_CAP_LO_COUNTER | PNIC_CAP_LO_SIGNAL | PNIC_CAP_LO_QUIET | \
			 PNIC_CAP_LO_CANCEL | PNIC_CAP_LO_MR_MOVE)

uint32_t pm_card_version(const struct pm_card *c)
{
	uint32_t minor = c->fabric->cfg.old_card ? 1 : PNIC_HW_MINOR;

	return c->lie_version ? c->lie[0] : (uint32_t)PNIC_HW_MAJOR << 16 | minor;
}

uint32_t pm_card_caps(const struct pm_card *c)
{
	return (c->fabric->cfg.park ? PNIC_CAP_LO_PARK : 0) | PNIC_CAP_LO_ATOMICS |
	       PNIC_CAP_LO_LANES | (c->fabric->cfg.old_card ? 0 : CAPS_1_2) |
	       (c->fabric->cfg.link.standby ? PNIC_CAP_LO_STANDBY : 0) |
	       (c->fabric->cfg.link.lane_test ? PNIC_CAP_LO_LANE_TEST : 0);
}

bool pm_card_can(const struct pm_card *c, uint32_t want)
{
	return (pm_card_caps(c) & want) == want;
}

static uint32_t read_clock(struct pm_card *c)
{
	uint64_t now = pm_sim_now(c->sim);

	c->clock_hi = now >> 32;
	return now;
}

static uint32_t reg_read(struct pm_card *c, uint32_t off)
{
	switch (off) {
	case PNIC_REG_ID:
		return c->lie_id ? c->lie[1] : PNIC_ID_MAGIC;
	case PNIC_REG_VERSION:
		return pm_card_version(c);
	case PNIC_REG_CAPS_LO:
		return pm_card_caps(c);
	case PNIC_REG_CTRL:
		return c->ctrl;
	case PNIC_REG_STATUS:
		return c->status;
	case PNIC_REG_FATAL_CODE:
		return c->fatal_code;
	case PNIC_REG_FATAL_INFO:
		return c->fatal_info;
	case PNIC_REG_TIMEOUT:
		return PM_TIMEOUT_ADMIN_MS << 16 | PM_TIMEOUT_READY_MS;
	case PNIC_REG_HEARTBEAT:
		heartbeat(c);
		return c->heartbeat;
	case PNIC_REG_DB_PAGES:
		return PM_DB_PAGES;
	case PNIC_REG_CLOCK_LO:
		return read_clock(c);
	case PNIC_REG_CLOCK_HI:
		return c->clock_hi;
	case PNIC_REG_ASQ_BASE_LO:
		return c->asq_base;
	case PNIC_REG_ASQ_BASE_HI:
		return c->asq_base >> 32;
	case PNIC_REG_ACQ_BASE_LO:
		return c->acq_base;
	case PNIC_REG_ACQ_BASE_HI:
		return c->acq_base >> 32;
	case PNIC_REG_ADMIN_SIZE:
		return c->admin_size;
	case PNIC_REG_ASQ_TAIL:
		return c->admin.tail;
	case PNIC_REG_ACQ_HEAD:
		return c->admin.head;
	default:
		return 0;
	}
}

uint32_t pm_card_reg_read(struct pm_card *c, uint32_t off)
{
	return pm_card_garble_reg(c, reg_read(c, off));
}

static void set_half(uint64_t *reg, bool high, uint32_t val)
{
	*reg = high ? (*reg & 0xffffffffull) | (uint64_t)val << 32 : (*reg & ~0xffffffffull) | val;
}

/* The admin rings' registers: what they say counts from ENABLE on. */
static void write_setup(struct pm_card *c, uint32_t off, uint32_t val)
{
	if (c->status & PNIC_STATUS_READY)
		return;
	switch (off) {
	case PNIC_REG_ASQ_BASE_LO:
	case PNIC_REG_ASQ_BASE_HI:
		set_half(&c->asq_base, off == PNIC_REG_ASQ_BASE_HI, val);
		break;
	case PNIC_REG_ACQ_BASE_LO:
	case PNIC_REG_ACQ_BASE_HI:
		set_half(&c->acq_base, off == PNIC_REG_ACQ_BASE_HI, val);
		break;
	case PNIC_REG_ADMIN_SIZE:
		c->admin_size = val;
		break;
	}
}

static void write_ctrl(struct pm_card *c, uint32_t val)
{
	if (val & PNIC_CTRL_RESET || (c->ctrl & PNIC_CTRL_ENABLE && !(val & PNIC_CTRL_ENABLE))) {
		pm_card_reset(c);
		return;
	}
	if (c->status & (PNIC_STATUS_FATAL | PNIC_STATUS_RESETTING) || c->ctrl & PNIC_CTRL_ENABLE ||
	    !(val & PNIC_CTRL_ENABLE))
		return;
	c->ctrl = PNIC_CTRL_ENABLE;
	if (pm_card_take_garble(c, PM_GARBLE_READY_STUCK))
		return;
	if (!pm_admin_start(c)) {
		pm_card_fatal(c, PNIC_FATAL_ADMIN_RING, 0);
		return;
	}
	c->status |= PNIC_STATUS_READY;
	c->ready_ms = real_ms();
}

static void write_ring(struct pm_card *c, uint32_t off, uint32_t val)
{
	uint32_t n = (off - PNIC_REG_EQ_HEAD(0)) / 8;

	if (!(c->status & PNIC_STATUS_READY))
		return;
	if (off == PNIC_REG_ASQ_TAIL) {
		c->admin.tail = val;
		if (val - c->admin.ci > c->admin.asq_mask + 1)
			pm_card_fatal(c, PNIC_FATAL_ADMIN_RING, val);
	} else if (off == PNIC_REG_ACQ_HEAD) {
		if (c->admin.pi - val > c->admin.acq_mask + 1)
			pm_card_fatal(c, PNIC_FATAL_ADMIN_RING, val);
		else
			c->admin.head = val;
	} else if (off >= PNIC_REG_EQ_HEAD(0) && n < PM_MAX_EQ) {
		pm_eq_head(c, n, val, off == PNIC_REG_EQ_ARM(n));
	}
}

void pm_card_reg_write(struct pm_card *c, uint32_t off, uint32_t val)
{
	if (off & 3)
		return;
	if (off == PNIC_REG_CTRL)
		write_ctrl(c, val);
	else if (off >= PNIC_REG_ASQ_BASE_LO && off <= PNIC_REG_ADMIN_SIZE)
		write_setup(c, off, val);
	else
		write_ring(c, off, val);
}

static void drop_objects(struct pm_card *c)
{
	uint32_t i;

	while (!pm_list_empty(&c->eps))
		pm_ep_drop(pm_container(c->eps.next, struct pm_ep, all));
	for (i = 0; i < PM_MAX_CQ; i++) {
		if (c->cq[i])
			pm_cq_drop(c, c->cq[i]);
	}
	for (i = 0; i < PM_MAX_SRQ; i++) {
		if (c->srq[i])
			pm_srq_drop(c, c->srq[i]);
	}
	for (i = 0; i < PM_MAX_CTR; i++) {
		if (c->ctr[i])
			pm_ctr_drop(c, c->ctr[i]);
	}
	for (i = 0; i < PM_MAX_MR; i++) {
		if (c->mr[i])
			pm_mr_drop(c, i);
	}
	for (i = 0; i < PM_DB_PAGES; i++) {
		free(c->page[i]);
		c->page[i] = NULL;
	}
	for (i = 0; i <= PM_MAX_CTX; i++)
		pm_ctx_drop(c, i);
	for (i = 0; i < PM_MAX_EQ; i++)
		pm_eq_drop(c, i);
}

static void power_on(struct pm_card *c)
{
	c->ctrl = 0;
	c->status = 0;
	c->fatal_code = 0;
	c->fatal_info = 0;
	c->admin_size = 0;
	c->asq_base = 0;
	c->acq_base = 0;
	c->clock_hi = 0;
	c->heartbeat = 0;
	c->frozen = false;
	c->wqes = 0;
	c->cqes = 0;
	c->doorbells = 0;
	c->interrupts = 0;
	memset(&c->admin, 0, sizeof(c->admin));
}

void pm_card_reset(struct pm_card *c)
{
	unsigned int i;

	c->status = PNIC_STATUS_RESETTING;
	for (i = 0; i < PM_DB_PAGES && c->db_mem; i++) {
		if (c->page_used[i])
			memset(pm_db_slot(c, i, 0), 0, PNIC_PAGE_SIZE);
		c->page_used[i] = false;
	}
	pm_flow_drop_all(c);
	drop_objects(c);
	pm_tx_reset(c);
	pm_port_reset(c->port);
	power_on(c);
	if (pm_card_take_garble(c, PM_GARBLE_RESET_STUCK))
		c->status = PNIC_STATUS_RESETTING;
	c->inc++;
	c->peer_inc[c->index] = c->inc;
	pm_peer_announce(c);
	pm_fabric_firmware(c->fabric, c->index);
}

void pm_card_fatal(struct pm_card *c, uint32_t code, uint32_t info)
{
	if (c->status & PNIC_STATUS_FATAL)
		return;
	pm_fabric_touch(c->fabric);
	heartbeat(c);
	c->status |= PNIC_STATUS_FATAL;
	c->fatal_code = code;
	c->fatal_info = info;
	pm_eq_post_fatal(c);
}

void pm_card_irq(struct pm_card *c, unsigned int vector)
{
	if (c->drop_irq) {
		c->drop_irq--;
		return;
	}
	if (pm_card_garble_irq(c))
		return;
	c->interrupts++;
	if (c->ops)
		c->ops->irq(c->host, vector);
}

/* False: not everywhere has been looked yet. */
static bool turn(struct pm_card *c, bool *found)
{
	bool more = false, all_seen = true;
	unsigned int n;

	*found = false;
	if (c->frozen || c->status & PNIC_STATUS_FATAL)
		return true;
	for (n = 64; n && c->frozen_rx.len; n--)
		pm_rx_frame(c, pm_fq_pop(&c->frozen_rx));
	if (pm_card_ready(c)) {
		more |= pm_admin_poll(c);
		more |= pm_db_scan(c, &all_seen);
	}
	more |= pm_tx_pending(c);
	pm_tx_pump(c, 64);
	for (n = 64; n && c->loop.len; n--)
		pm_rx_frame(c, pm_fq_pop(&c->loop));
	pm_cq_bury(c);
	c->turns += more;
	*found = more;
	return all_seen;
}

/* A card's turn. True: it has found something, or not looked everywhere yet. */
bool pm_card_poll(struct pm_card *c)
{
	bool found;

	return !turn(c, &found) || found;
}

/* Nothing is there that a turn would find, but doorbells that nobody spoke of. */
bool pm_card_at_rest(const struct pm_card *c)
{
	return c->fabric->cfg.parked && !c->db_rung && c->admin.ci == c->admin.tail && !c->ctl.len && !c->loop.len &&
	       !c->frozen_rx.len && pm_list_empty(&c->run) && pm_list_empty(&c->jobs_run) && pm_list_empty(&c->dying);
}

/* The same for who knows of doorbells otherwise. True: it has not looked everywhere yet. */
bool pm_card_turn(struct pm_card *c)
{
	bool found;

	return !pm_card_at_rest(c) && !turn(c, &found);
}

/* Work that waits for the card's turn, and for nothing else. */
bool pm_card_pending(const struct pm_card *c)
{
	if (c->frozen || c->status & PNIC_STATUS_FATAL)
		return false;
	return pm_tx_pending(c) || c->loop.len || c->frozen_rx.len || !pm_list_empty(&c->dying);
}

static struct pm_news *news_new(const struct pm_port *port)
{
	const struct pm_link_config *l = pm_port_config(port);
	unsigned int i, k, lanes = l->lanes_data + l->lanes_spare;
	struct pm_news *n = calloc(1, sizeof(*n) + lanes * sizeof(n->lane[0]));

	if (!n)
		return NULL;
	pm_notice_init(&n->link);
	pm_notice_init(&n->map[PNIC_DIR_RX]);
	pm_notice_init(&n->map[PNIC_DIR_TX]);
	pm_notice_init(&n->mgmt);
	for (i = 0; i < lanes; i++)
		for (k = 0; k < PM_LANE_CAUSES; k++)
			pm_notice_init(&n->lane[i][k]);
	return n;
}

struct pm_card *pm_card_new(struct pm_fabric *f, unsigned int index, struct pm_port *port)
{
	struct pm_card *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->fabric = f;
	c->sim = f->sim;
	c->port = port;
	c->index = index;
	c->addr = PM_NIC_ADDR_FIRST + index;
	c->cq = calloc(PM_MAX_CQ, sizeof(*c->cq));
	c->ep = calloc(PM_MAX_EP, sizeof(*c->ep));
	c->mr = calloc(PM_MAX_MR, sizeof(*c->mr));
	c->srq = calloc(PM_MAX_SRQ, sizeof(*c->srq));
	c->ctr = calloc(PM_MAX_CTR, sizeof(*c->ctr));
	c->news = news_new(port);
	pm_list_init(&c->eps);
	pm_list_init(&c->dying);
	pm_list_init(&c->run);
	pm_list_init(&c->xoff);
	pm_list_init(&c->jobs_run);
	pm_list_init(&c->jobs_xoff);
	pm_list_init(&c->poison);
	if (c->cq && c->ep && c->mr && c->srq && c->ctr && c->news) {
		pm_peer_init(c);
		return c;
	}
	free(c->cq);
	free(c->ep);
	free(c->mr);
	free(c->srq);
	free(c->ctr);
	free(c->news);
	free(c);
	return NULL;
}

void pm_card_free(struct pm_card *c)
{
	uint32_t i;

	if (!c)
		return;
	pm_flow_drop_all(c);
	drop_objects(c);
	pm_tx_reset(c);
	pm_sim_cancel(c->sim, &c->retry_timer);
	pm_sim_cancel(c->sim, &c->age_timer);
	for (i = 0; i < c->nchunks; i++)
		free(c->chunk[i]);
	free(c->chunk);
	free(c->db_tab);
	free(c->cq);
	free(c->ep);
	free(c->mr);
	free(c->srq);
	free(c->ctr);
	free(c->news);
	free(c);
}

void pm_card_attach(struct pm_card *c, const struct pm_host_ops *ops, void *host)
{
	c->ops = ops;
	c->host = host;
}

void pm_card_set_db(struct pm_card *c, void *mem)
{
	c->db_mem = mem;
}

struct pm_port *pm_card_port(struct pm_card *c)
{
	return c->port;
}

struct pm_portfw *pm_card_firmware(struct pm_card *c)
{
	return c->fabric->fw[c->index];
}

uint32_t pm_card_addr(const struct pm_card *c)
{
	return c->addr;
}

uint64_t pm_card_guid(const struct pm_card *c)
{
	return 0x504e494300000000ull ^ c->fabric->cfg.seed << 8 ^ c->index;
}

/* Faults on demand; what is wrong with what the card writes is in evil.c. */

void pm_card_freeze(struct pm_card *c, bool frozen)
{
	heartbeat(c);
	c->frozen = frozen;
}

void pm_card_drop_admin(struct pm_card *c, unsigned int n)
{
	c->drop_admin = n;
}

void pm_card_drop_irq(struct pm_card *c, unsigned int n)
{
	c->drop_irq = n;
}

bool pm_card_lie(struct pm_card *c, const char *what, uint64_t value)
{
	static const char * const names[] = { "version", "id", "max_ep", "max_log_cq" };
	bool *on[] = { &c->lie_version, &c->lie_id, &c->lie_ep, &c->lie_cq };
	unsigned int i;

	for (i = 0; i < 4; i++) {
		if (strcmp(what, names[i]))
			continue;
		*on[i] = true;
		c->lie[i] = value;
		return true;
	}
	return false;
}

void pm_card_counters(struct pm_card *c, struct pnic_counters *out)
{
	memset(out, 0, sizeof(*out));
	pm_port_counters(c->port, out);
	out->wqes = htole64(c->wqes);
	out->cqes = htole64(c->cqes);
	out->doorbells = htole64(c->doorbells);
	out->interrupts = htole64(c->interrupts);
}
