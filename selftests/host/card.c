// SPDX-License-Identifier: GPL-2.0
/* The model's cards inside a test process, see card.h. */
#include "card.h"

#include <endian.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "driver/hw/pnic_regs.h"
#include <linux/pnic_queue.h>

#define ADMIN_LOG	6
#define EQ_LOG		12
#define COMMAND_POLLS	1000000
#define SLEEP_MAX_NS	100000000ull

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool kicked;
static struct pm_fabric *fabric;
static struct host_card cards[HOST_CARDS];

__attribute__((noreturn))
static void broken(const char *what)
{
	fprintf(stderr, "in-process card: %s\n", what);
	abort();
}

void host_lock(void)
{
	pthread_mutex_lock(&lock);
}

void host_unlock(void)
{
	kicked = true;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
}

void *host_pages(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		broken("no memory");
	return p;
}

void host_pages_free(void *p, size_t bytes)
{
	munmap(p, bytes);
}

/* Every address of the process can be reached: the card's own checks are what is on trial. */
static void *dma(void *host, uint64_t addr, size_t *len, bool write)
{
	(void)host;
	(void)len;
	(void)write;
	return (void *)(uintptr_t)addr;
}

static void take_events(struct host_card *c)
{
	const struct pnic_eqe *e;
	struct pnic_eqe copy;
	uint32_t phase;

	for (;;) {
		e = (const struct pnic_eqe *)c->eq + (c->eq_head & ((1u << EQ_LOG) - 1));
		phase = le32toh(__atomic_load_n(&e->phase, __ATOMIC_ACQUIRE)) & PNIC_PHASE;
		if (phase == (c->eq_head >> EQ_LOG & 1 ? PNIC_PHASE : 0))
			break;
		copy = *e;
		c->eq_head++;
		if (c->event)
			c->event(c, &copy);
	}
	pm_card_reg_write(c->card, PNIC_REG_EQ_ARM(0), c->eq_head);
}

static void irq(void *host, unsigned int vector)
{
	(void)vector;
	take_events(host);
}

int host_card_command(struct host_card *c, void *cmd)
{
	uint32_t mask = (1u << ADMIN_LOG) - 1, want = c->acq_head >> ADMIN_LOG & 1 ? 0 : PNIC_PHASE;
	const struct pnic_acqe *e = (const struct pnic_acqe *)c->acq + (c->acq_head & mask);
	uint64_t sleep_ns;
	unsigned int i;

	memcpy(c->asq + (c->asq_tail & mask) * PNIC_ASQE_SIZE, cmd, PNIC_ASQE_SIZE);
	pm_card_reg_write(c->card, PNIC_REG_ASQ_TAIL, ++c->asq_tail);
	for (i = 0; (le32toh(e->phase) & PNIC_PHASE) != want; i++) {
		if (i == COMMAND_POLLS)
			broken("a command is not answered");
		pm_fabric_poll(fabric, &sleep_ns);
	}
	pm_card_reg_write(c->card, PNIC_REG_ACQ_HEAD, ++c->acq_head);
	take_events(c);
	return e->status;
}

static void write64(struct host_card *c, uint32_t reg, const void *p)
{
	pm_card_reg_write(c->card, reg, (uint32_t)(uintptr_t)p);
	pm_card_reg_write(c->card, reg + 4, (uint64_t)(uintptr_t)p >> 32);
}

static void bring_up(struct host_card *c, unsigned int nic)
{
	static const struct pm_host_ops ops = { .dma = dma, .irq = irq };
	struct pnic_adm_create_eq eq = { .hdr.opcode = PNIC_ADM_CREATE_EQ, .log_size = EQ_LOG };
	struct pnic_adm_identify id = { .hdr.opcode = PNIC_ADM_IDENTIFY };

	c->card = pm_fabric_card(fabric, nic);
	c->doorbells = host_pages(2ul * PM_DB_PAGES * PNIC_PAGE_SIZE);
	c->asq = host_pages(PNIC_ASQE_SIZE << ADMIN_LOG);
	c->acq = host_pages(PNIC_ACQE_SIZE << ADMIN_LOG);
	c->eq = host_pages(PNIC_EQE_SIZE << EQ_LOG);
	c->id = host_pages(PNIC_PAGE_SIZE);
	c->status = host_pages(PNIC_PAGE_SIZE);
	pm_card_attach(c->card, &ops, c);
	pm_card_set_db(c->card, c->doorbells);
	write64(c, PNIC_REG_ASQ_BASE_LO, c->asq);
	write64(c, PNIC_REG_ACQ_BASE_LO, c->acq);
	pm_card_reg_write(c->card, PNIC_REG_ADMIN_SIZE, ADMIN_LOG | ADMIN_LOG << 16);
	pm_card_reg_write(c->card, PNIC_REG_CTRL, PNIC_CTRL_ENABLE);
	eq.base = htole64((uintptr_t)c->eq);
	id.addr = htole64((uintptr_t)c->id);
	if (host_card_command(c, &eq) || host_card_command(c, &id))
		broken("it can't be brought up");
}

static void sleep_until_kicked(uint64_t ns)
{
	struct timespec t;

	if (ns > SLEEP_MAX_NS)
		ns = SLEEP_MAX_NS;
	clock_gettime(CLOCK_REALTIME, &t);
	ns += t.tv_nsec;
	t.tv_sec += ns / 1000000000;
	t.tv_nsec = ns % 1000000000;
	pthread_cond_timedwait(&changed, &lock, &t);
}

static void *drive(void *arg)
{
	uint64_t sleep_ns;

	host_lock();
	for (;;) {
		if (pm_fabric_poll(fabric, &sleep_ns) || kicked) {
			kicked = false;
			pthread_mutex_unlock(&lock);
			sched_yield();
			host_lock();
			continue;
		}
		if (pm_fabric_park(fabric, true))
			sleep_until_kicked(sleep_ns);
		pm_fabric_park(fabric, false);
	}
	return arg;
}

static void start(void)
{
	struct pm_fabric_config c = { .nics = HOST_CARDS, .seed = 1, .park = true };
	char why[200] = "";
	pthread_t id;
	unsigned int i;

	pm_link_config_defaults(&c.link, "mosaic-800g");
	fabric = pm_fabric_new(&c, why, sizeof(why));
	if (!fabric)
		broken(why);
	for (i = 0; i < HOST_CARDS; i++)
		bring_up(&cards[i], i);
	if (pthread_create(&id, NULL, drive, NULL))
		broken("no thread");
	pthread_detach(id);
}

struct host_card *host_card(unsigned int nic)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, start);
	return nic < HOST_CARDS ? &cards[nic] : NULL;
}
