// SPDX-License-Identifier: GPL-2.0
/*
 * The whole card over its socket, as a driver would use it: bring-up, admin
 * commands by DMA, interrupts, doorbells, every way of resetting it, and the
 * card that is pulled out.
 *
 * What a command does is the core's to test; here it is whether the host's memory, the
 * vectors and the resets are wired to it as the hardware interface says.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <linux/pnic_queue.h>

#include "client.h"
#include "driver/hw/pnic_admin.h"
#include "driver/hw/pnic_event.h"
#include "driver/hw/pnic_regs.h"
#include "selftests/ktap.h"
#include "server.h"

#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define EVENTFD_SET	(VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER)
#define IOVA		0x100000000ull
#define RAM		0x100000
#define LOG		6		/* of the admin rings */
#define OFF_ASQ		0x0000
#define OFF_ACQ		0x1000
#define OFF_EQ		0x2000
#define OFF_BUF		0x4000
#define OFF_CQ		0x6000
#define OFF_SQ		0x7000
#define PATIENCE_MS	10000
#define SLOT(page, n)	((page) * 4096ull + 8 * (n))
#define WAKE(page)	((1024ull + (page)) * 4096)

static struct server server;
static struct vclient cl;
static int ram_fd = -1;
static uint8_t *ram;
static uint32_t asq_tail, acq_head;

static void nap_ms(unsigned int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000l };

	nanosleep(&ts, NULL);
}

static void start(const char *const *args);

/* A fresh client, of a model with two NICs if a test before this one left none. */
static void connect_nic(void)
{
	char path[128];

	if (!server.pid) {
		start(NULL);
		return;
	}
	server_nic_path(&server, 0, path, sizeof(path));
	vc_close(&cl);
	REQUIRE_EQ(vc_start(&cl, path), 0);
	memset(ram, 0, RAM);
}

static void start(const char *const *args)
{
	static const char *const plain[] = { "--nics", "2", NULL };

	if (server.pid)
		CHECK_EQ(server_stop(&server), 0);
	REQUIRE(server_start(&server, "pnic-model", args ? args : plain));
	if (!ram) {
		cl.fd = -1;
		ram_fd = memfd_create("ram", MFD_CLOEXEC);
		REQUIRE_OK(ftruncate(ram_fd, RAM));
		ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_SHARED, ram_fd, 0);
		REQUIRE(ram != MAP_FAILED);
	}
	connect_nic();
}

static uint32_t reg(uint32_t off)
{
	return vc_get(&cl, PNIC_BAR_REGS, off, 4);
}

static void set_reg(uint32_t off, uint32_t v)
{
	CHECK_EQ(vc_put(&cl, PNIC_BAR_REGS, off, v, 4), 0);
}

static void set_reg64(uint32_t off, uint64_t v)
{
	set_reg(off, (uint32_t)v);
	set_reg(off + 4, v >> 32);
}

static bool wait_status(uint32_t mask, uint32_t want)
{
	unsigned int i;

	for (i = 0; i < PATIENCE_MS; i++) {
		if ((reg(PNIC_REG_STATUS) & mask) == want)
			return true;
		nap_ms(1);
	}
	return false;
}

static void set_command(uint16_t v)
{
	CHECK_EQ(vc_put(&cl, CONFIG, PCI_COMMAND, v, 2), 0);
}

/* The guest's memory is there already. */
static void enable(void)
{
	memset(ram, 0, RAM);
	asq_tail = 0;
	acq_head = 0;
	set_command(PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
	set_reg64(PNIC_REG_ASQ_BASE_LO, IOVA + OFF_ASQ);
	set_reg64(PNIC_REG_ACQ_BASE_LO, IOVA + OFF_ACQ);
	set_reg(PNIC_REG_ADMIN_SIZE, LOG | LOG << 16);
	set_reg(PNIC_REG_CTRL, PNIC_CTRL_ENABLE);
	REQUIRE(wait_status(PNIC_STATUS_READY | PNIC_STATUS_FATAL, PNIC_STATUS_READY));
}

static void bring_up(void)
{
	REQUIRE_EQ(vc_map(&cl, IOVA, RAM, 3, ram_fd, 0), 0);
	enable();
}

static void submit(const void *cmd)
{
	memcpy(ram + OFF_ASQ + 64 * (asq_tail & ((1 << LOG) - 1)), cmd, 64);
	set_reg(PNIC_REG_ASQ_TAIL, ++asq_tail);
}

/* The next completion, NULL if none comes in time. */
static struct pnic_acqe *completion(unsigned int patience_ms)
{
	struct pnic_acqe *e = (void *)(ram + OFF_ACQ + 32 * (acq_head & ((1 << LOG) - 1)));
	uint32_t phase = !(acq_head >> LOG & 1);
	unsigned int i;

	for (i = 0; i <= patience_ms; i++) {
		if ((le32toh(__atomic_load_n(&e->phase, __ATOMIC_ACQUIRE)) & PNIC_PHASE) == phase) {
			set_reg(PNIC_REG_ACQ_HEAD, ++acq_head);
			return e;
		}
		nap_ms(1);
	}
	return NULL;
}

/* Status of an admin command, -1 if it doesn't complete. */
static int admin(const void *cmd)
{
	struct pnic_acqe *e;

	submit(cmd);
	e = completion(PATIENCE_MS);
	return e ? e->status : -1;
}

static int nop(void)
{
	uint8_t cmd[64] = { PNIC_ADM_NOP };

	return admin(cmd);
}

static int identify(uint64_t addr)
{
	struct pnic_adm_identify cmd = { .hdr.opcode = PNIC_ADM_IDENTIFY, .addr = htole64(addr) };

	return admin(&cmd);
}

static int create_eq(unsigned int vector)
{
	struct pnic_adm_create_eq cmd = { .hdr.opcode = PNIC_ADM_CREATE_EQ, .vector = htole16(vector),
					  .log_size = 7, .base = htole64(IOVA + OFF_EQ) };

	return admin(&cmd);
}

/* Device Serial Number, by the capability. */
static uint64_t serial_number(void)
{
	uint32_t at = PCI_CFG_SPACE_SIZE, v = vc_get(&cl, CONFIG, at, 4);

	while ((v & 0xffff) != PCI_EXT_CAP_ID_DSN && v >> 20) {
		at = v >> 20;
		v = vc_get(&cl, CONFIG, at, 4);
	}
	return (uint64_t)vc_get(&cl, CONFIG, at + 8, 4) << 32 | vc_get(&cl, CONFIG, at + 4, 4);
}

KTAP_TEST(identify_into_scattered_memory)
{
	const struct pnic_identify *id = (void *)(ram + OFF_BUF);
	unsigned int i, dirty = 0;

	start(NULL);
	id = (void *)(ram + OFF_BUF);
	bring_up();
	CHECK_EQ(nop(), PNIC_AS_OK);
	/* One page of DMA addresses, its halves at two places of the file, in the wrong order. */
	CHECK_EQ(vc_map(&cl, 0x5000, 0x800, 3, ram_fd, OFF_BUF + 0x1800), 0);
	CHECK_EQ(vc_map(&cl, 0x5800, 0x800, 3, ram_fd, OFF_BUF + 0x800), 0);
	memset(ram + OFF_BUF, 0xaa, 0x2000);
	CHECK_EQ(identify(0x5000), PNIC_AS_OK);
	for (i = 0; i < 0x800; i++) {
		dirty += ram[OFF_BUF + i] != 0xaa;
		dirty += ram[OFF_BUF + 0x1000 + i] != 0xaa;
		dirty += ram[OFF_BUF + 0x800 + i] != 0;
	}
	CHECK_EQ(dirty, 0);
	id = (void *)(ram + OFF_BUF + 0x1800);
	CHECK_EQ(le32toh(id->hw_version), reg(PNIC_REG_VERSION));
	CHECK_EQ(le16toh(id->lanes_data), 425);
	CHECK_EQ(serial_number(), le64toh(id->guid));
	CHECK_EQ(server_counter(&server, 0, "dma_refused"), 0);
}

KTAP_TEST(memory_that_is_not_there)
{
	const struct pnic_acqe *e = (void *)(ram + OFF_ACQ);

	connect_nic();
	bring_up();
	CHECK_EQ(vc_map(&cl, 0x10000, 0x1000, 1, ram_fd, OFF_BUF), 0);
	CHECK_EQ(vc_map(&cl, 0x20000, 0x1000, 3, -1, 0), 0);
	CHECK_EQ(vc_map(&cl, 0x30000, 0x800, 3, ram_fd, OFF_BUF), 0);
	/* Read only; another device's; nothing; half of it. */
	CHECK_EQ(identify(0x10000), PNIC_AS_DMA_FAULT);
	CHECK_EQ(le64toh(e->result[0]), 0x10000);
	CHECK_EQ(identify(0x20000), PNIC_AS_DMA_FAULT);
	CHECK_EQ(identify(0x40000), PNIC_AS_DMA_FAULT);
	CHECK_EQ(identify(0x30000), PNIC_AS_DMA_FAULT);
	CHECK_EQ(identify(IOVA + OFF_BUF), PNIC_AS_OK);
	/* The rings themselves go away while the card is up: it says so, and lives. */
	CHECK_EQ(vc_unmap(&cl, IOVA, RAM), 0);
	asq_tail++;
	set_reg(PNIC_REG_ASQ_TAIL, asq_tail);
	CHECK(wait_status(PNIC_STATUS_FATAL, PNIC_STATUS_FATAL));
	CHECK_EQ(reg(PNIC_REG_FATAL_CODE), PNIC_FATAL_DMA);
}

KTAP_TEST(no_bus_mastering_no_dma)
{
	connect_nic();
	bring_up();
	CHECK_EQ(nop(), PNIC_AS_OK);
	set_command(PCI_COMMAND_MEMORY);
	set_reg(PNIC_REG_ASQ_TAIL, ++asq_tail);
	CHECK(wait_status(PNIC_STATUS_FATAL, PNIC_STATUS_FATAL));
	CHECK_EQ(reg(PNIC_REG_FATAL_CODE), PNIC_FATAL_DMA);
	CHECK_GT(server_counter(&server, 0, "dma_refused"), 0);
}

static unsigned int fired(int fd, unsigned int patience_ms)
{
	uint64_t n = 0;
	unsigned int i;

	for (i = 0; i <= patience_ms; i++) {
		if (read(fd, &n, sizeof(n)) == sizeof(n))
			return n;
		nap_ms(1);
	}
	return 0;
}

/* Events in the ring so far: it is in its first pass. */
static uint32_t events(void)
{
	const struct pnic_eqe *e = (void *)(ram + OFF_EQ);
	uint32_t n = 0;

	while (n < 128 && le32toh(__atomic_load_n(&e[n].phase, __ATOMIC_ACQUIRE)) & PNIC_PHASE)
		n++;
	return n;
}

static void check_interrupts(uint32_t index, unsigned int vector)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	unsigned int i;

	connect_nic();
	CHECK_EQ(vc_irqs(&cl, index, EVENTFD_SET, vector, 1, &fd, 1), 0);
	bring_up();
	CHECK_EQ(create_eq(vector), PNIC_AS_OK);
	CHECK_GT(fired(fd, PATIENCE_MS), 0);	/* a fresh queue is armed, and this was its first event */
	/* Armed, with nothing there: quiet, once the link has said what it has to say of itself. */
	for (i = 0; i < 50; i++) {
		set_reg(PNIC_REG_EQ_ARM(0), events());
		if (!fired(fd, 30))
			break;
	}
	CHECK_LT(i, 50);
	CHECK_EQ(nop(), PNIC_AS_OK);
	CHECK_GT(fired(fd, PATIENCE_MS), 0);
	/* Disarmed now: another event raises nothing. */
	CHECK_EQ(nop(), PNIC_AS_OK);
	CHECK_EQ(fired(fd, 30), 0);
	/* While the client has taken the vector away: kept, and sent when it is back. */
	CHECK_EQ(vc_irqs(&cl, index, EVENTFD_SET, vector, 1, NULL, 0), 0);
	set_reg(PNIC_REG_EQ_ARM(0), 0);
	CHECK_EQ(fired(fd, 30), 0);
	CHECK_EQ(vc_irqs(&cl, index, EVENTFD_SET, vector, 1, &fd, 1), 0);
	CHECK_GT(fired(fd, 0), 0);
	/* Without bus mastering: the same. */
	set_command(PCI_COMMAND_MEMORY);
	set_reg(PNIC_REG_EQ_ARM(0), 0);
	CHECK_EQ(fired(fd, 30), 0);
	set_command(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	CHECK_GT(fired(fd, 0), 0);
	/* What waits when the card is reset is gone. */
	CHECK_EQ(vc_irqs(&cl, index, EVENTFD_SET, vector, 1, NULL, 0), 0);
	set_reg(PNIC_REG_EQ_ARM(0), 0);
	CHECK_EQ(vc_call(&cl, VFU_RESET, NULL, 0, NULL, 0), 0);
	CHECK_EQ(vc_irqs(&cl, index, EVENTFD_SET, vector, 1, &fd, 1), 0);
	CHECK_EQ(fired(fd, 30), 0);
	close(fd);
}

KTAP_TEST(interrupts_by_msix)
{
	check_interrupts(VFIO_PCI_MSIX_IRQ_INDEX, 5);
}

static uint32_t find_cap(uint8_t id)
{
	uint32_t at = vc_get(&cl, CONFIG, PCI_CAPABILITY_LIST, 1);
	int n;

	for (n = 0; at && n < 48; n++, at = vc_get(&cl, CONFIG, at + 1, 1))
		if (vc_get(&cl, CONFIG, at, 1) == id)
			return at;
	return 0;
}

static void by_flr(void)
{
	uint32_t ctl = find_cap(PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL;

	CHECK_EQ(vc_put(&cl, CONFIG, ctl, vc_get(&cl, CONFIG, ctl, 2) | PCI_EXP_DEVCTL_BCR_FLR, 2), 0);
}

static void by_bus(void)
{
	CHECK_EQ(vc_call(&cl, VFU_RESET, NULL, 0, NULL, 0), 0);
}

static void by_power(void)
{
	uint32_t ctl = find_cap(PCI_CAP_ID_PM) + PCI_PM_CTRL;

	CHECK_EQ(vc_put(&cl, CONFIG, ctl, 3, 2), 0);
	/* Asleep: the configuration answers, nothing else does. */
	CHECK_EQ(reg(PNIC_REG_ID), UINT32_MAX);
	CHECK_EQ(vc_get(&cl, CONFIG, PCI_VENDOR_ID, 2), PNIC_PCI_VENDOR_ID);
	CHECK_EQ(vc_put(&cl, CONFIG, ctl, 0, 2), 0);
}

/* Doorbell page 3 belongs to context 1. */
static void bind_page(void)
{
	struct pnic_adm_create_ctx ctx = { .hdr.opcode = PNIC_ADM_CREATE_CTX, .ctx = htole32(1),
					   .partition = htole32(1) };
	struct pnic_adm_bind_db bind = { .hdr.opcode = PNIC_ADM_BIND_DB, .ctx = htole32(1),
					 .page = htole32(3) };

	CHECK_EQ(admin(&ctx), PNIC_AS_OK);
	CHECK_EQ(admin(&bind), PNIC_AS_OK);
}

KTAP_TEST(every_reset)
{
	static const struct { const char *name; void (*reset)(void); } ways[] = {
		{ "function-level", by_flr }, { "bus", by_bus }, { "D3hot to D0", by_power },
	};
	unsigned int i;

	connect_nic();
	REQUIRE_EQ(vc_map(&cl, IOVA, RAM, 3, ram_fd, 0), 0);
	for (i = 0; i < 3; i++) {
		SUBTEST("%s", ways[i].name) {
			enable();
			CHECK_EQ(create_eq(0), PNIC_AS_OK);
			CHECK_EQ(create_eq(0), PNIC_AS_EXISTS);
			bind_page();
			CHECK_EQ(vc_put(&cl, PNIC_BAR_DB, SLOT(3, 20), 5, 8), 0);
			ways[i].reset();
			CHECK(wait_status(PNIC_STATUS_RESETTING, 0));
			CHECK_EQ(reg(PNIC_REG_STATUS), 0);
			CHECK_EQ(reg(PNIC_REG_ASQ_BASE_LO), 0);
			CHECK_EQ(vc_get(&cl, CONFIG, PCI_COMMAND, 2), 0);
			CHECK_EQ(vc_get(&cl, PNIC_BAR_DB, SLOT(3, 20), 8), 0);
			/* Memory is the client's: it stays mapped, and the card works again. */
			enable();
			CHECK_EQ(create_eq(0), PNIC_AS_OK);
			CHECK_EQ(identify(IOVA + OFF_BUF), PNIC_AS_OK);
			by_bus();
		}
	}
}

KTAP_TEST(pulled_out_and_put_back)
{
	uint32_t all;

	connect_nic();
	bring_up();
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"surprise\",\"on\":true}"));
	CHECK_EQ(reg(PNIC_REG_ID), UINT32_MAX);
	CHECK_EQ(reg(PNIC_REG_STATUS), UINT32_MAX);
	CHECK_EQ(vc_read(&cl, CONFIG, 0, &all, 4), 0);
	CHECK_EQ(all, UINT32_MAX);
	CHECK_EQ(vc_get(&cl, CONFIG, 4095, 1), 0xff);
	CHECK_EQ(vc_get(&cl, PNIC_BAR_DB, 64, 4), UINT32_MAX);
	/* Writes are taken and lost; so is a reset. */
	set_command(PCI_COMMAND_MASTER);
	set_reg(PNIC_REG_CTRL, PNIC_CTRL_ENABLE);
	CHECK_EQ(vc_put(&cl, PNIC_BAR_DB, 64, 9, 8), 0);
	by_bus();
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"surprise\",\"on\":false}"));
	CHECK(wait_status(PNIC_STATUS_RESETTING, 0));
	CHECK_EQ(reg(PNIC_REG_ID), PNIC_ID_MAGIC);
	CHECK_EQ(reg(PNIC_REG_STATUS), 0);
	CHECK_EQ(vc_get(&cl, CONFIG, PCI_COMMAND, 2), 0);
	CHECK_EQ(vc_get(&cl, PNIC_BAR_DB, 64, 8), 0);
	enable();
	CHECK_EQ(identify(IOVA + OFF_BUF), PNIC_AS_OK);
}

KTAP_TEST(frozen)
{
	uint8_t cmd[64] = { PNIC_ADM_NOP };

	connect_nic();
	bring_up();
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"freeze\",\"on\":true}"));
	submit(cmd);
	CHECK(!completion(50));
	CHECK_EQ(reg(PNIC_REG_ID), PNIC_ID_MAGIC);
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"freeze\",\"on\":false}"));
	CHECK(completion(PATIENCE_MS));
}

KTAP_TEST(client_dies_with_work_under_way)
{
	uint8_t cmd[64] = { PNIC_ADM_NOP };
	unsigned int i;

	for (i = 0; i < 30; i++) {
		connect_nic();
		bring_up();
		submit(cmd);
		submit(cmd);
	}
	connect_nic();
	CHECK(wait_status(PNIC_STATUS_RESETTING, 0));
	CHECK_EQ(reg(PNIC_REG_STATUS), 0);
	bring_up();
	CHECK_EQ(nop(), PNIC_AS_OK);
}

/* A context with page 3, a CQ at slot 8 and an endpoint at slots 9 and 10. */
static void make_endpoint(void)
{
	struct pnic_adm_create_cq cq = { .hdr.opcode = PNIC_ADM_CREATE_CQ, .ctx = htole32(1),
					 .base = htole64(IOVA + OFF_CQ), .log_size = 6,
					 .db_page = htole32(3), .db_slot = htole16(8) };
	struct pnic_adm_create_ep ep = { .hdr.opcode = PNIC_ADM_CREATE_EP, .ctx = htole32(1),
					 .sq_base = htole64(IOVA + OFF_SQ), .sq_log_size = 6,
					 .db_page = htole32(3), .sq_slot = htole16(9),
					 .rq_slot = htole16(10) };

	bring_up();
	REQUIRE_EQ(create_eq(0), PNIC_AS_OK);
	bind_page();
	REQUIRE_EQ(admin(&cq), PNIC_AS_OK);
	REQUIRE_EQ(admin(&ep), PNIC_AS_OK);
}

static void post_nop(uint32_t index)
{
	struct pnic_sqe *e = (void *)(ram + OFF_SQ + 64 * (index & 63));

	memset(e, 0, 64);
	e->opcode = PNIC_OP_NOP;
	e->flags = PNIC_SQF_SIGNALED;
	e->num_slots = 1;
	e->cookie = htole64(1000 + index);
}

static bool completed(uint32_t index, unsigned int patience_ms)
{
	const struct pnic_cqe *e = (void *)(ram + OFF_CQ + 32 * (index & 63));
	uint32_t phase = index >> 6 & 1 ? 0 : PNIC_CQE_PHASE;
	unsigned int i;

	/* Without a pause at first: the model shall find the next doorbell while it still looks on. */
	for (i = 0; i <= 10000 + patience_ms; i++) {
		if ((le32toh(__atomic_load_n(&e->ep_flags, __ATOMIC_ACQUIRE)) & PNIC_CQE_PHASE) == phase)
			return le64toh(e->cookie) == 1000 + index;
		if (i > 10000)
			nap_ms(1);
	}
	return false;
}

static volatile uint64_t *map_doorbells(void)
{
	struct vfu_region_info r = { .argsz = 64, .index = PNIC_BAR_DB };
	void *p;

	REQUIRE_EQ(vc_call(&cl, VFU_GET_REGION_INFO, &r, sizeof(r), NULL, 0), 0);
	REQUIRE_EQ(cl.nfds, 1);
	p = mmap(NULL, 1024 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, cl.fds[0], 0);
	REQUIRE(p != MAP_FAILED);
	return (volatile uint64_t *)((char *)p + 3 * 4096);
}

/* The producer's side of parking: store, full barrier, look, wake if asked to. */
KTAP_TEST(doorbells_and_parking)
{
	volatile uint64_t *page;
	unsigned int i, woken = 0;

	connect_nic();
	CHECK(reg(PNIC_REG_CAPS_LO) & PNIC_CAP_LO_PARK);
	make_endpoint();
	page = map_doorbells();
	for (i = 0; i < 200; i++) {
		post_nop(i);
		if (i % 4 == 0)
			nap_ms(2);
		page[8] = i;
		page[9] = i + 1;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (page[0] & PNIC_DB_PARKED) {
			woken++;
			CHECK_EQ(vc_put(&cl, PNIC_BAR_DB, WAKE(3), 1, 4), 0);
		}
		REQUIRE(completed(i, PATIENCE_MS));
	}
	ktap_say("woken %u times in %u doorbells", woken, i);
	CHECK_GT(woken, 0);
}

KTAP_TEST(interrupts_by_msi)
{
	static const char *const args[] = { "--nics", "1", "--no-msix", NULL };

	start(args);
	CHECK(find_cap(PCI_CAP_ID_MSI));
	CHECK(!find_cap(PCI_CAP_ID_MSIX));
	check_interrupts(VFIO_PCI_MSI_IRQ_INDEX, 5);
}

KTAP_TEST(trapped_doorbells)
{
	static const char *const args[] = { "--nics", "1", "--doorbells", "trapped", NULL };
	struct vfu_region_info r = { .argsz = 64, .index = PNIC_BAR_DB };
	unsigned int i;

	start(args);
	CHECK_EQ(vc_call(&cl, VFU_GET_REGION_INFO, &r, sizeof(r), NULL, 0), 0);
	memcpy(&r, cl.reply, sizeof(r));
	CHECK(!(r.flags & VFIO_REGION_INFO_FLAG_MMAP));
	CHECK_EQ(cl.nfds, 0);
	make_endpoint();
	for (i = 0; i < 100; i++) {
		post_nop(i);
		CHECK_EQ(vc_put(&cl, PNIC_BAR_DB, SLOT(3, 8), i, 8), 0);
		CHECK_EQ(vc_put(&cl, PNIC_BAR_DB, SLOT(3, 9), i + 1, 8), 0);
		REQUIRE(completed(i, PATIENCE_MS));
	}
}

KTAP_TEST(without_park)
{
	static const char *const args[] = { "--nics", "1", "--no-park", NULL };
	volatile uint64_t *page;
	unsigned int i;

	start(args);
	CHECK(!(reg(PNIC_REG_CAPS_LO) & PNIC_CAP_LO_PARK));
	make_endpoint();
	page = map_doorbells();
	for (i = 0; i < 100; i++) {
		post_nop(i);
		nap_ms(i % 3);
		CHECK_EQ(page[0], 0);
		page[8] = i;
		page[9] = i + 1;
		REQUIRE(completed(i, PATIENCE_MS));
	}
	CHECK_EQ(server_stop(&server), 0);
}

KTAP_MAIN()
