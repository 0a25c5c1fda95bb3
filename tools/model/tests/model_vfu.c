// SPDX-License-Identifier: GPL-2.0
/*
 * The vfio-user server: does it keep to the protocol, and does it survive those
 * who don't?
 *
 * One model with one NIC serves all tests of this file; each opens a connection of its own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <linux/pci_regs.h>
#include <unistd.h>

#include "client.h"
#include "driver/hw/pnic_regs.h"
#include "selftests/ktap.h"
#include "server.h"

#define GUEST_RAM	(8u << 20)
#define SPARSE_SIZE	(sizeof(struct vfu_region_info) + sizeof(struct vfu_sparse_mmap))
#define EVENTFD_SET	(VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER)
#define NONE_SET	(VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER)
#define BOOL_SET	(VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_TRIGGER)
#define VECTORS		16

static struct server server;
static struct vclient cl;
static char path[128];
static int ram = -1;

/* A fresh, negotiated connection; the server of the whole file is started by the first. */
static void fresh(void)
{
	static const char *const args[] = { "--nics", "1", NULL };
	static bool up;

	if (!server.pid) {
		up = server_start(&server, "pnic-model", args);
		server_nic_path(&server, 0, path, sizeof(path));
		ram = memfd_create("ram", MFD_CLOEXEC);
		REQUIRE_OK(ram);
		REQUIRE_OK(ftruncate(ram, GUEST_RAM));
		cl.fd = -1;
	}
	REQUIRE(up);
	vc_close(&cl);
	REQUIRE_EQ(vc_start(&cl, path), 0);
}

/* The connection still works. */
static bool sane(struct vclient *c)
{
	return vc_get(c, PNIC_BAR_REGS, PNIC_REG_ID, 4) == PNIC_ID_MAGIC;
}

static int version(const void *text, size_t len, uint16_t major, uint16_t minor)
{
	uint8_t body[sizeof(struct vfu_version) + 1024];
	struct vfu_version v = { major, minor };

	memcpy(body, &v, sizeof(v));
	memcpy(body + sizeof(v), text, len);
	return vc_call(&cl, VFU_VERSION, body, sizeof(v) + len, NULL, 0);
}

static void reopen(void)
{
	fresh();
	vc_close(&cl);
	REQUIRE_EQ(vc_open(&cl, path), 0);
}

KTAP_TEST(version_as_qemu_says_it)
{
	json_t *caps, *j;

	reopen();
	REQUIRE_EQ(version(vc_qemu_caps, strlen(vc_qemu_caps) + 1, 0, 0), 0);
	CHECK_LE(cl.len, sizeof(struct vfu_version) + strlen(vc_qemu_caps) + 1);
	REQUIRE_GE(cl.len, sizeof(struct vfu_version) + 3);
	CHECK_EQ(cl.reply[cl.len - 1], 0);
	j = json_loads((char *)cl.reply + sizeof(struct vfu_version), 0, NULL);
	caps = json_object_get(j, "capabilities");
	CHECK(json_is_object(caps));
	CHECK_EQ(json_integer_value(json_object_get(caps, "max_data_xfer_size")), VFU_MAX_XFER);
	CHECK_GE(json_integer_value(json_object_get(caps, "max_msg_fds")), 1);
	CHECK_LE(json_integer_value(json_object_get(caps, "max_msg_fds")), 16);
	/* QEMU's flag for it is broken. */
	CHECK(!json_object_get(caps, "write_multiple"));
	json_decref(j);
	CHECK(sane(&cl));
}

KTAP_TEST(version_reply_fits_the_request)
{
	static const char *const texts[] = { "{}", "{\"capabilities\":{}}", "{\"x\":[1,2,3]}" };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		SUBTEST("text %s", texts[i]) {
			reopen();
			CHECK_EQ(version(texts[i], strlen(texts[i]) + 1, 0, 3), 0);
			CHECK_LE(cl.len, sizeof(struct vfu_version) + strlen(texts[i]) + 1);
			/* Never no text: QEMU would read its own request instead. */
			CHECK_GE(cl.len, sizeof(struct vfu_version) + 3);
			CHECK_EQ(cl.reply[cl.len - 1], 0);
			CHECK(sane(&cl));
		}
	}
	SUBTEST("no text") {
		reopen();
		CHECK_EQ(version("", 0, 0, 0), 0);
		CHECK_EQ(cl.len, sizeof(struct vfu_version));
		CHECK(sane(&cl));
	}
}

KTAP_TEST(version_refused)
{
	static const struct { const char *name, *text; size_t len; uint16_t major; } bad[] = {
		{ "major 1", "{}", 3, 1 },
		{ "no NUL", "{}", 2, 0 },
		{ "NUL inside", "{}\0{}", 6, 0 },
		{ "no JSON", "hello", 6, 0 },
		{ "no object", "[1]", 4, 0 },
		{ "capabilities no object", "{\"capabilities\":3}", 19, 0 },
		{ "unended", "{\"capabilities\":{", 18, 0 },
	};
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		SUBTEST("%s", bad[i].name) {
			reopen();
			CHECK_EQ(version(bad[i].text, bad[i].len, bad[i].major, 0), EINVAL);
			/* Not negotiated, but the client may try again. */
			CHECK_EQ(vc_get(&cl, PNIC_BAR_REGS, PNIC_REG_ID, 4), UINT64_MAX);
			CHECK_EQ(vc_version(&cl), 0);
			CHECK(sane(&cl));
		}
	}
	SUBTEST("twice") {
		fresh();
		CHECK_EQ(vc_version(&cl), EINVAL);
		CHECK(sane(&cl));
	}
	SUBTEST("too short") {
		reopen();
		CHECK_EQ(vc_call(&cl, VFU_VERSION, "\0\0", 2, NULL, 0), EINVAL);
	}
}

KTAP_TEST(device_info)
{
	struct vfu_device_info i = { .argsz = sizeof(i) };

	fresh();
	REQUIRE_EQ(vc_call(&cl, VFU_GET_INFO, &i, sizeof(i), NULL, 0), 0);
	REQUIRE_EQ(cl.len, sizeof(i));
	memcpy(&i, cl.reply, sizeof(i));
	CHECK_EQ(i.argsz, sizeof(i));
	CHECK_EQ(i.flags, VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET);
	CHECK_EQ(i.num_regions, 9);
	CHECK_EQ(i.num_irqs, 5);
	i.argsz = sizeof(i) - 1;
	CHECK_EQ(vc_call(&cl, VFU_GET_INFO, &i, sizeof(i), NULL, 0), EINVAL);
	CHECK_EQ(vc_call(&cl, VFU_GET_INFO, &i, sizeof(i) - 4, NULL, 0), EINVAL);
}

static int region_info(uint32_t index, uint32_t argsz, struct vfu_region_info *r)
{
	uint8_t body[256] = {};
	int e;

	*r = (struct vfu_region_info){ .argsz = argsz, .index = index };
	memcpy(body, r, sizeof(*r));
	e = vc_call(&cl, VFU_GET_REGION_INFO, body, sizeof(*r), NULL, 0);
	if (!e)
		memcpy(r, cl.reply, sizeof(*r));
	return e;
}

KTAP_TEST(regions)
{
	static const uint64_t sizes[9] = {
		[PNIC_BAR_REGS] = PNIC_BAR_REGS_SIZE,
		[PNIC_BAR_MSIX] = PNIC_BAR_MSIX_SIZE,
		[PNIC_BAR_DB] = 2 * 1024 * 4096,
		[VFIO_PCI_CONFIG_REGION_INDEX] = 4096,
	};
	struct vfu_region_info r;
	unsigned int i;

	fresh();
	for (i = 0; i < 9; i++) {
		REQUIRE_EQ(region_info(i, sizeof(r), &r), 0);
		CHECK_EQ(r.index, i);
		CHECK_EQ(r.size, sizes[i]);
		CHECK_EQ(!!(r.flags & VFIO_REGION_INFO_FLAG_READ), !!sizes[i]);
		CHECK_EQ(!!(r.flags & VFIO_REGION_INFO_FLAG_WRITE), !!sizes[i]);
		CHECK_EQ(!!(r.flags & VFIO_REGION_INFO_FLAG_MMAP), i == PNIC_BAR_DB);
		CHECK_EQ(cl.len, sizeof(r));
		CHECK_EQ(cl.nfds, 0);
	}
	CHECK_EQ(region_info(9, sizeof(r), &r), EINVAL);
	CHECK_EQ(region_info(UINT32_MAX, sizeof(r), &r), EINVAL);
	CHECK_EQ(region_info(0, sizeof(r) - 1, &r), EINVAL);
}

KTAP_TEST(doorbell_region_in_two_steps)
{
	struct vfu_sparse_mmap s;
	struct vfu_region_info r;
	uint64_t *db, v;
	int fd;

	fresh();
	/* First: how large, and where the capability will be. No descriptor yet. */
	REQUIRE_EQ(region_info(PNIC_BAR_DB, sizeof(r), &r), 0);
	CHECK_EQ(r.argsz, SPARSE_SIZE);
	CHECK_EQ(cl.len, sizeof(r));
	CHECK(r.flags & VFIO_REGION_INFO_FLAG_CAPS);
	CHECK_EQ(r.cap_offset, sizeof(r));
	CHECK_EQ(cl.nfds, 0);
	REQUIRE_EQ(region_info(PNIC_BAR_DB, r.argsz, &r), 0);
	REQUIRE_EQ(cl.len, SPARSE_SIZE);
	REQUIRE_EQ(cl.nfds, 1);
	memcpy(&s, cl.reply + sizeof(r), sizeof(s));
	CHECK_EQ(s.id, VFIO_REGION_INFO_CAP_SPARSE_MMAP);
	CHECK_EQ(s.version, 1);
	CHECK_EQ(s.next, 0);
	CHECK_EQ(s.nr_areas, 1);
	CHECK_EQ(s.offset, 0);
	CHECK_EQ(s.size, r.size / 2);
	fd = dup(cl.fds[0]);
	db = mmap(NULL, s.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, r.offset);
	REQUIRE(db != MAP_FAILED);
	/* What is stored there is what the server reads. */
	db[8] = 0x1122334455667788;
	CHECK_EQ(vc_get(&cl, PNIC_BAR_DB, 64, 8), 0x1122334455667788);
	REQUIRE_EQ(vc_put(&cl, PNIC_BAR_DB, s.size - 8, 77, 8), 0);
	CHECK_EQ(db[s.size / 8 - 1], 77);
	/* The client can't take the memory away from the server. */
	CHECK_ERRNO(ftruncate(fd, 4096), EPERM);
	/* Wake pages: any store is welcome, nothing is kept. */
	CHECK_EQ(vc_put(&cl, PNIC_BAR_DB, s.size, 1, 4), 0);
	CHECK_EQ(vc_get(&cl, PNIC_BAR_DB, s.size, 4), 0);
	/* An access across the border between both halves. */
	CHECK_EQ(vc_read(&cl, PNIC_BAR_DB, s.size - 8, &v, 8), 0);
	CHECK_EQ(vc_get(&cl, PNIC_BAR_DB, s.size - 4, 8), 0);
	munmap(db, s.size);
	close(fd);
}

KTAP_TEST(irq_info)
{
	static const unsigned int counts[5] = { [VFIO_PCI_MSIX_IRQ_INDEX] = VECTORS,
						[VFIO_PCI_ERR_IRQ_INDEX] = 1 };
	struct vfu_irq_info q;
	unsigned int i;

	fresh();
	for (i = 0; i < 5; i++) {
		q = (struct vfu_irq_info){ .argsz = sizeof(q), .index = i };
		REQUIRE_EQ(vc_call(&cl, VFU_GET_IRQ_INFO, &q, sizeof(q), NULL, 0), 0);
		REQUIRE_EQ(cl.len, sizeof(q));
		memcpy(&q, cl.reply, sizeof(q));
		CHECK_EQ(q.count, counts[i]);
		CHECK_EQ(q.flags, counts[i] ? VFIO_IRQ_INFO_EVENTFD : 0);
	}
	q = (struct vfu_irq_info){ .argsz = sizeof(q), .index = 5 };
	CHECK_EQ(vc_call(&cl, VFU_GET_IRQ_INFO, &q, sizeof(q), NULL, 0), EINVAL);
	q = (struct vfu_irq_info){ .argsz = 8, .index = 0 };
	CHECK_EQ(vc_call(&cl, VFU_GET_IRQ_INFO, &q, sizeof(q), NULL, 0), EINVAL);
}

static int64_t ranges(void)
{
	return server_counter(&server, 0, "dma_ranges");
}

KTAP_TEST(dma_map_and_split)
{
	fresh();
	CHECK_EQ(ranges(), 0);
	CHECK_EQ(vc_map(&cl, 0, 0x100000, 3, ram, 0), 0);
	CHECK_EQ(vc_map(&cl, 0x100000, 0x1000, 1, ram, 0x100000), 0);
	/* No descriptor: a ROM, or another device's BAR. */
	CHECK_EQ(vc_map(&cl, 0xfffc0000, 0x40000, 1, -1, 0), 0);
	CHECK_EQ(ranges(), 3);
	/* A hole in the middle makes two of one. */
	CHECK_EQ(vc_unmap(&cl, 0x80000, 0x1000), 0);
	REQUIRE_EQ(cl.len, sizeof(struct vfu_dma_unmap));
	CHECK_EQ(ranges(), 4);
	/* The hole can be filled, its neighbours can't be overlapped. */
	CHECK_EQ(vc_map(&cl, 0x7f000, 0x2000, 3, ram, 0), EEXIST);
	CHECK_EQ(vc_map(&cl, 0x80000, 0x1000, 3, ram, 0x200000), 0);
	CHECK_EQ(ranges(), 5);
	/* Over several, with both ends cut. */
	CHECK_EQ(vc_unmap(&cl, 0x70000, 0x90800), 0);
	CHECK_EQ(ranges(), 3);
	/* Never mapped, huge, up to the last byte. */
	CHECK_EQ(vc_unmap(&cl, 0x40000000, 0xffffffff01100000), 0);
	CHECK_EQ(vc_unmap(&cl, 1ull << 63, 1ull << 63), 0);
	CHECK_EQ(ranges(), 2);
	CHECK_EQ(vc_unmap(&cl, 0, UINT64_MAX), 0);
	CHECK_EQ(ranges(), 0);
}

KTAP_TEST(dma_the_same_again)
{
	fresh();
	CHECK_EQ(vc_map(&cl, 0x1000, 0x1000, 3, ram, 0x5000), 0);
	CHECK_EQ(vc_map(&cl, 0x1000, 0x1000, 3, ram, 0x5000), 0);
	CHECK_EQ(vc_map(&cl, 0x1000, 0x1000, 3, ram, 0x6000), EEXIST);
	CHECK_EQ(vc_map(&cl, 0x1000, 0x1000, 1, ram, 0x5000), EEXIST);
	CHECK_EQ(vc_map(&cl, 0x0, 0x10000, 3, ram, 0), EEXIST);
	CHECK_EQ(ranges(), 1);
	CHECK_EQ(vc_unmap(&cl, 0x1000, 0x1000), 0);
	/* The end of the address space. */
	CHECK_EQ(vc_map(&cl, -0x1000ull, 0x1000, 3, ram, 0), 0);
	CHECK_EQ(vc_map(&cl, -0x1000ull, 0x1001, 3, ram, 0), EINVAL);
	CHECK_EQ(vc_unmap(&cl, -0x1000ull, 0x1001), EINVAL);
	CHECK_EQ(vc_unmap(&cl, -0x1000ull, 0x1000), 0);
	CHECK_EQ(ranges(), 0);
}

KTAP_TEST(dma_refused)
{
	struct vfu_dma_map d = { .argsz = sizeof(d), .flags = 3, .size = 0x1000 };
	struct vfu_dma_unmap u = { .argsz = sizeof(u), .size = 0x1000 };
	int two[2] = { ram, ram }, p[2], ro;
	char name[64];

	fresh();
	two[0] = two[1] = ram;
	CHECK_EQ(vc_map(&cl, 0x1000, 0, 3, ram, 0), EINVAL);
	CHECK_EQ(vc_map(&cl, 0x1000, 0x1000, 8, ram, 0), EINVAL);
	/* Beyond the end of the file: touching it would kill the server. */
	CHECK_EQ(vc_map(&cl, 0x1000, 0x1000, 3, ram, GUEST_RAM), EINVAL);
	CHECK_EQ(vc_map(&cl, 0x1000, 0x2000, 3, ram, GUEST_RAM - 0x1000), EINVAL);
	CHECK_EQ(vc_map(&cl, 0x1000, 0x1000, 3, ram, -0x1000ull), EINVAL);
	CHECK_EQ(vc_call(&cl, VFU_DMA_MAP, &d, sizeof(d), two, 2), EINVAL);
	CHECK_EQ(vc_call(&cl, VFU_DMA_MAP, &d, sizeof(d) - 1, &ram, 1), EINVAL);
	d.argsz = 8;
	CHECK_EQ(vc_call(&cl, VFU_DMA_MAP, &d, sizeof(d), &ram, 1), EINVAL);
	REQUIRE_OK(pipe(p));
	CHECK_EQ(vc_map(&cl, 0x1000, 0x1000, 3, p[0], 0), EINVAL);
	close(p[0]);
	close(p[1]);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", ram);
	ro = open(name, O_RDONLY);
	REQUIRE_OK(ro);
	u.argsz = 4;
	CHECK_EQ(vc_call(&cl, VFU_DMA_UNMAP, &u, sizeof(u), NULL, 0), EINVAL);
	u.argsz = sizeof(u);
	u.flags = 1;
	CHECK_EQ(vc_call(&cl, VFU_DMA_UNMAP, &u, sizeof(u), NULL, 0), EINVAL);
	u.flags = VFU_DMA_UNMAP_ALL;
	CHECK_EQ(vc_call(&cl, VFU_DMA_UNMAP, &u, sizeof(u), NULL, 0), EINVAL);
	CHECK_EQ(vc_unmap(&cl, 0x1000, 0), EINVAL);
	CHECK_EQ(ranges(), 0);
	/* Read-only memory may be read. */
	CHECK_EQ(vc_map(&cl, 0x1000, 0x1000, 3, ro, 0), EACCES);
	CHECK_EQ(vc_map(&cl, 0x1000, 0x1000, 1, ro, 0), 0);
	close(ro);
	u.size = 0;
	CHECK_EQ(vc_call(&cl, VFU_DMA_UNMAP, &u, sizeof(u), NULL, 0), 0);
	CHECK_EQ(ranges(), 0);
	CHECK(sane(&cl));
}

KTAP_TEST(commands_that_are_not_served)
{
	static const unsigned int cmds[] = { 0, VFU_GET_REGION_IO_FDS, VFU_DMA_READ, VFU_DMA_WRITE,
					     VFU_DIRTY_PAGES, 16, 17, 18, 255, 65535 };
	uint8_t body[64] = {};
	unsigned int i;

	fresh();
	for (i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++) {
		CHECK_EQ(vc_call(&cl, cmds[i], body, sizeof(body), NULL, 0), ENOTSUP);
		CHECK_EQ(cl.len, 0);
	}
	CHECK(sane(&cl));
}

KTAP_TEST(flags_of_the_header)
{
	struct vfu_region_rw rw = { .region = PNIC_BAR_REGS, .count = 4 };

	fresh();
	SUBTEST("an answer to nothing is passed over") {
		CHECK_EQ(vc_send(&cl, VFU_REGION_READ, VFU_F_REPLY, &rw, sizeof(rw), NULL, 0), 0);
		CHECK(vc_silent(&cl));
	}
	SUBTEST("no reply wanted, none sent") {
		CHECK_EQ(vc_send(&cl, VFU_REGION_READ, VFU_F_NO_REPLY, &rw, sizeof(rw), NULL, 0), 0);
		CHECK_EQ(vc_send(&cl, 99, VFU_F_NO_REPLY, &rw, sizeof(rw), NULL, 0), 0);
		CHECK(vc_silent(&cl));
	}
	SUBTEST("no such type") {
		CHECK_EQ(vc_send(&cl, VFU_REGION_READ, 2, &rw, sizeof(rw), NULL, 0), 0);
		CHECK_EQ(vc_receive(&cl), EINVAL);
	}
	SUBTEST("no such flag") {
		CHECK_EQ(vc_send(&cl, VFU_REGION_READ, 0x40, &rw, sizeof(rw), NULL, 0), 0);
		CHECK_EQ(vc_receive(&cl), EINVAL);
	}
	CHECK(sane(&cl));
}

KTAP_TEST(sizes_of_a_message)
{
	static const uint32_t bad[] = { 0, 1, 15, VFU_MAX_MSG + 1, 0x7fffffff, UINT32_MAX };
	struct vfu_hdr h = { .id = 7, .command = VFU_REGION_READ };
	static uint8_t big[VFU_MAX_MSG - sizeof(h)];
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		SUBTEST("size 0x%x can't be skipped: answered, then hung up", bad[i]) {
			fresh();
			h.size = bad[i];
			CHECK_EQ(vc_bytes(&cl, &h, sizeof(h), NULL, 0), 0);
			CHECK_EQ(vc_receive(&cl), EINVAL);
			CHECK_EQ(cl.hdr.id, 7);
			CHECK(vc_hung_up(&cl));
		}
	}
	SUBTEST("the largest one is just refused") {
		fresh();
		CHECK_EQ(vc_call(&cl, VFU_REGION_READ, big, sizeof(big), NULL, 0), EINVAL);
		CHECK(sane(&cl));
	}
	fresh();
	CHECK(sane(&cl));
}

KTAP_TEST(byte_by_byte)
{
	struct vfu_region_rw rw = { .region = PNIC_BAR_REGS, .count = 4 };
	struct vfu_hdr h = { .id = 3, .command = VFU_REGION_READ, .size = sizeof(h) + sizeof(rw) };
	uint8_t msg[sizeof(h) + sizeof(rw)];
	unsigned int i;

	fresh();
	memcpy(msg, &h, sizeof(h));
	memcpy(msg + sizeof(h), &rw, sizeof(rw));
	for (i = 0; i < sizeof(msg); i++) {
		CHECK_EQ(vc_bytes(&cl, msg + i, 1, NULL, 0), 0);
		/* Time for the server to see each byte alone. */
		usleep(300);
	}
	CHECK_EQ(vc_receive(&cl), 0);
	CHECK_EQ(cl.hdr.id, 3);
	CHECK_EQ(cl.len, sizeof(rw) + 4);
}

KTAP_TEST(cut_off_anywhere)
{
	struct vfu_dma_map d = { .argsz = sizeof(d), .flags = 3, .size = 0x1000 };
	struct vfu_hdr h = { .id = 3, .command = VFU_DMA_MAP, .size = sizeof(h) + sizeof(d) };
	uint8_t msg[sizeof(h) + sizeof(d)];
	unsigned int before, i;

	fresh();
	before = server_open_files(&server);
	memcpy(msg, &h, sizeof(h));
	memcpy(msg + sizeof(h), &d, sizeof(d));
	for (i = 1; i < sizeof(msg); i++) {
		fresh();
		CHECK_EQ(vc_bytes(&cl, msg, i, &ram, 1), 0);
	}
	fresh();
	CHECK_EQ(ranges(), 0);
	CHECK_EQ(server_open_files(&server), before);
	CHECK(sane(&cl));
}

KTAP_TEST(pipelined_in_order)
{
	struct vfu_region_rw rw = { .region = PNIC_BAR_REGS, .count = 4 };
	struct vfu_dma_map d = { .argsz = sizeof(d), .flags = 3, .size = 0x1000 };
	unsigned int i;
	uint32_t v;

	fresh();
	/* Maps with a descriptor each between reads without: none may get another's. */
	for (i = 0; i < 200; i++) {
		d.iova = 0x10000 * i;
		rw.offset = i % 2 ? PNIC_REG_ID : PNIC_REG_VERSION;
		CHECK_EQ(vc_send(&cl, VFU_DMA_MAP, 0, &d, sizeof(d), &ram, i % 3 != 0), 0);
		CHECK_EQ(vc_send(&cl, VFU_REGION_READ, 0, &rw, sizeof(rw), NULL, 0), 0);
	}
	for (i = 0; i < 200; i++) {
		CHECK_EQ(vc_receive(&cl), 0);
		CHECK_EQ(cl.hdr.command, VFU_DMA_MAP);
		CHECK_EQ(vc_receive(&cl), 0);
		CHECK_EQ(cl.hdr.command, VFU_REGION_READ);
		CHECK_EQ(cl.hdr.id, (uint16_t)(cl.id - 400 + 2 * i + 2));
		memcpy(&v, cl.reply + sizeof(rw), 4);
		CHECK_EQ(v, i % 2 ? PNIC_ID_MAGIC : PNIC_HW_MAJOR << 16 | PNIC_HW_MINOR);
	}
	CHECK_EQ(ranges(), 200);
}

KTAP_TEST(slow_reader_loses_nothing)
{
	struct vfu_region_rw rw = { .region = PNIC_BAR_DB, .count = 256 * 1024 };
	unsigned int i;

	fresh();
	/* Far more than a socket holds: the server has to wait for us, and others must not wait for it. */
	for (i = 0; i < 64; i++)
		CHECK_EQ(vc_send(&cl, VFU_REGION_READ, 0, &rw, sizeof(rw), NULL, 0), 0);
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"ping\"}"));
	for (i = 0; i < 64; i++) {
		CHECK_EQ(vc_receive(&cl), 0);
		CHECK_EQ(cl.len, sizeof(rw) + rw.count);
	}
	CHECK(sane(&cl));
}

KTAP_TEST(region_accesses)
{
	static const struct { uint32_t region, count; uint64_t off; } bad[] = {
		{ 0, 0, 0 }, { 0, 4, PNIC_BAR_REGS_SIZE }, { 0, 8, PNIC_BAR_REGS_SIZE - 4 },
		{ 0, 4, UINT64_MAX - 1 }, { 1, 4, 0 }, { 6, 4, 0 }, { 8, 4, 0 }, { 9, 4, 0 },
		{ UINT32_MAX, 4, 0 }, { 7, 8, 4092 }, { 4, VFU_MAX_XFER + 1, 0 }, { 4, UINT32_MAX, 0 },
	};
	struct vfu_region_rw rw;
	uint64_t v;
	unsigned int i;

	fresh();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rw = (struct vfu_region_rw){ bad[i].off, bad[i].region, bad[i].count };
		CHECK_EQ(vc_call(&cl, VFU_REGION_READ, &rw, sizeof(rw), NULL, 0), EINVAL);
		CHECK_EQ(vc_call(&cl, VFU_REGION_WRITE, &rw, sizeof(rw), NULL, 0), EINVAL);
	}
	/* As much data as announced, no more and no less. */
	rw = (struct vfu_region_rw){ 0, PNIC_BAR_DB, 8 };
	CHECK_EQ(vc_call(&cl, VFU_REGION_WRITE, &rw, sizeof(rw), NULL, 0), EINVAL);
	/* Registers are 32 bits wide: other accesses read 0 and store nothing. */
	CHECK_EQ(vc_get(&cl, PNIC_BAR_REGS, PNIC_REG_ID, 4), PNIC_ID_MAGIC);
	CHECK_EQ(vc_get(&cl, PNIC_BAR_REGS, PNIC_REG_ID, 2), 0);
	CHECK_EQ(vc_get(&cl, PNIC_BAR_REGS, PNIC_REG_ID + 2, 4), 0);
	CHECK_EQ(vc_read(&cl, PNIC_BAR_REGS, PNIC_REG_ID, &v, 8), 0);
	CHECK_EQ(v, 0);
	CHECK_EQ(vc_put(&cl, PNIC_BAR_REGS, PNIC_REG_CTRL, PNIC_CTRL_ENABLE, 8), 0);
	CHECK_EQ(vc_get(&cl, PNIC_BAR_REGS, PNIC_REG_STATUS, 4), 0);
	/* The MSI-X table is the client's own. */
	CHECK_EQ(vc_put(&cl, PNIC_BAR_MSIX, 0, UINT32_MAX, 4), 0);
	CHECK_EQ(vc_get(&cl, PNIC_BAR_MSIX, PNIC_MSIX_PBA_OFF, 8), 0);
}

KTAP_TEST(several_writes_in_one)
{
	struct { struct vfu_write_multi h; struct vfu_write_one w[2]; } m = {
		.h.count = 2,
		.w = { { .offset = 64, .region = PNIC_BAR_DB, .count = 8, .data = { 1 } },
		       { .offset = 72, .region = PNIC_BAR_DB, .count = 8, .data = { 2 } } },
	};

	fresh();
	CHECK_EQ(vc_call(&cl, VFU_REGION_WRITE_MULTI, &m, sizeof(m), NULL, 0), 0);
	CHECK_EQ(cl.len, sizeof(m.h));
	CHECK_EQ(vc_get(&cl, PNIC_BAR_DB, 64, 8), 1);
	CHECK_EQ(vc_get(&cl, PNIC_BAR_DB, 72, 8), 2);
	/* All or nothing. */
	m.w[0].data[0] = 3;
	m.w[1].count = 9;
	CHECK_EQ(vc_call(&cl, VFU_REGION_WRITE_MULTI, &m, sizeof(m), NULL, 0), EINVAL);
	CHECK_EQ(vc_get(&cl, PNIC_BAR_DB, 64, 8), 1);
	m.h.count = 3;
	CHECK_EQ(vc_call(&cl, VFU_REGION_WRITE_MULTI, &m, sizeof(m), NULL, 0), EINVAL);
	m.h.count = UINT64_MAX / sizeof(m.w[0]) + 3;
	CHECK_EQ(vc_call(&cl, VFU_REGION_WRITE_MULTI, &m, sizeof(m), NULL, 0), EINVAL);
}

static void make_eventfds(int *fds, unsigned int n, int flags)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		fds[i] = eventfd(0, flags | EFD_CLOEXEC);
		REQUIRE_OK(fds[i]);
	}
}

static void close_all(int *fds, unsigned int n)
{
	while (n)
		close(fds[--n]);
}

static uint64_t fired(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

KTAP_TEST(vectors_sixteen_at_once)
{
	uint8_t body[sizeof(struct vfu_irq_set) + 3] = {};
	struct vfu_irq_set q = { .argsz = sizeof(body), .flags = BOOL_SET,
				 .index = VFIO_PCI_MSIX_IRQ_INDEX, .start = 4, .count = 3 };
	unsigned int i, before;
	int fds[VECTORS];

	fresh();
	before = server_open_files(&server);
	make_eventfds(fds, VECTORS, EFD_NONBLOCK);
	CHECK_EQ(vc_irqs(&cl, VFIO_PCI_MSIX_IRQ_INDEX, EVENTFD_SET, 0, VECTORS, fds, VECTORS), 0);
	CHECK_EQ(server_open_files(&server), before + VECTORS);
	CHECK_EQ(vc_irqs(&cl, VFIO_PCI_MSIX_IRQ_INDEX, NONE_SET, 2, 2, NULL, 0), 0);
	for (i = 0; i < VECTORS; i++)
		CHECK_EQ(fired(fds[i]), i == 2 || i == 3);
	memcpy(body, &q, sizeof(q));
	body[sizeof(q) + 1] = 1;
	CHECK_EQ(vc_call(&cl, VFU_SET_IRQS, body, sizeof(body), NULL, 0), 0);
	for (i = 0; i < VECTORS; i++)
		CHECK_EQ(fired(fds[i]), i == 5);
	/* The same vector again replaces its descriptor; none takes it away. */
	CHECK_EQ(vc_irqs(&cl, VFIO_PCI_MSIX_IRQ_INDEX, EVENTFD_SET, 5, 1, &fds[6], 1), 0);
	CHECK_EQ(server_open_files(&server), before + VECTORS);
	CHECK_EQ(vc_irqs(&cl, VFIO_PCI_MSIX_IRQ_INDEX, EVENTFD_SET, 5, 1, NULL, 0), 0);
	CHECK_EQ(server_open_files(&server), before + VECTORS - 1);
	CHECK_EQ(vc_irqs(&cl, VFIO_PCI_MSIX_IRQ_INDEX, NONE_SET, 0, 0, NULL, 0), 0);
	CHECK_EQ(server_open_files(&server), before);
	/* The ERR index may be armed; it is never raised, so nothing is kept. */
	CHECK_EQ(vc_irqs(&cl, VFIO_PCI_ERR_IRQ_INDEX, EVENTFD_SET, 0, 1, fds, 1), 0);
	CHECK_EQ(server_open_files(&server), before);
	close_all(fds, VECTORS);
}

KTAP_TEST(vectors_refused)
{
	struct vfu_irq_set q = { .argsz = sizeof(q), .flags = EVENTFD_SET,
				 .index = VFIO_PCI_MSIX_IRQ_INDEX, .count = 1 };
	const uint32_t msix = VFIO_PCI_MSIX_IRQ_INDEX;
	unsigned int before;
	int fds[40];

	fresh();
	before = server_open_files(&server);
	make_eventfds(fds, 40, EFD_NONBLOCK);
	CHECK_EQ(vc_irqs(&cl, msix, EVENTFD_SET, VECTORS, 1, fds, 1), EINVAL);
	CHECK_EQ(vc_irqs(&cl, msix, EVENTFD_SET, 1, VECTORS, fds, VECTORS), EINVAL);
	CHECK_EQ(vc_irqs(&cl, msix, EVENTFD_SET, 1, UINT32_MAX, fds, 1), EINVAL);
	CHECK_EQ(vc_irqs(&cl, msix, EVENTFD_SET, 0, 2, fds, 1), EINVAL);
	CHECK_EQ(vc_irqs(&cl, msix, EVENTFD_SET, 0, 1, fds, 2), EINVAL);
	CHECK_EQ(vc_irqs(&cl, msix, EVENTFD_SET, 0, 0, NULL, 0), EINVAL);
	CHECK_EQ(vc_irqs(&cl, VFIO_PCI_MSI_IRQ_INDEX, EVENTFD_SET, 0, 1, fds, 1), EINVAL);
	CHECK_EQ(vc_irqs(&cl, 5, EVENTFD_SET, 0, 1, fds, 1), EINVAL);
	CHECK_EQ(vc_irqs(&cl, msix, 0, 0, 1, fds, 1), EINVAL);
	CHECK_EQ(vc_irqs(&cl, msix, 0x3f, 0, 1, NULL, 0), ENOTSUP);
	CHECK_EQ(vc_irqs(&cl, msix, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK, 0, 1, NULL, 0),
		 ENOTSUP);
	CHECK_EQ(vc_irqs(&cl, msix, BOOL_SET, 0, 2, NULL, 0), EINVAL);
	CHECK_EQ(vc_irqs(&cl, msix, NONE_SET, 1, 0, NULL, 0), EINVAL);
	q.argsz = 4;
	CHECK_EQ(vc_call(&cl, VFU_SET_IRQS, &q, sizeof(q), fds, 1), EINVAL);
	/* More descriptors than any message may have, and some where none belongs. */
	CHECK_EQ(vc_irqs(&cl, msix, EVENTFD_SET, 0, VECTORS, fds, 17), EINVAL);
	CHECK_EQ(vc_irqs(&cl, msix, EVENTFD_SET, 0, VECTORS, fds, 40), EINVAL);
	CHECK_EQ(vc_irqs(&cl, msix, NONE_SET, 0, 0, fds, 3), EINVAL);
	CHECK_EQ(vc_call(&cl, VFU_RESET, NULL, 0, fds, 16), 0);
	CHECK_EQ(server_open_files(&server), before);
	CHECK(sane(&cl));
	close_all(fds, 40);
}

KTAP_TEST(vector_that_would_block)
{
	uint64_t full = UINT64_MAX - 1;
	int fd, pipes[2];

	fresh();
	make_eventfds(&fd, 1, 0);
	REQUIRE_EQ(write(fd, &full, sizeof(full)), sizeof(full));
	CHECK_EQ(vc_irqs(&cl, VFIO_PCI_MSIX_IRQ_INDEX, EVENTFD_SET, 0, 1, &fd, 1), 0);
	CHECK_EQ(vc_irqs(&cl, VFIO_PCI_MSIX_IRQ_INDEX, NONE_SET, 0, 1, NULL, 0), 0);
	CHECK(sane(&cl));
	close(fd);
	/* Nor by one that did not block when it came. */
	make_eventfds(&fd, 1, EFD_NONBLOCK);
	CHECK_EQ(vc_irqs(&cl, VFIO_PCI_MSIX_IRQ_INDEX, EVENTFD_SET, 0, 1, &fd, 1), 0);
	REQUIRE_EQ(write(fd, &full, sizeof(full)), sizeof(full));
	REQUIRE_OK(fcntl(fd, F_SETFL, 0));
	CHECK_EQ(vc_irqs(&cl, VFIO_PCI_MSIX_IRQ_INDEX, NONE_SET, 0, 1, NULL, 0), 0);
	CHECK(sane(&cl));
	close(fd);
	/* Nothing but an eventfd. */
	REQUIRE_OK(pipe(pipes));
	CHECK_EQ(vc_irqs(&cl, VFIO_PCI_MSIX_IRQ_INDEX, EVENTFD_SET, 0, 1, &pipes[1], 1), EINVAL);
	CHECK(sane(&cl));
	close(pipes[0]);
	close(pipes[1]);
}

/* Descriptors travel with the first byte, whatever the rest does. */
KTAP_TEST(descriptor_ahead_of_its_body)
{
	struct vfu_irq_set q = { .argsz = sizeof(q), .flags = EVENTFD_SET,
				 .index = VFIO_PCI_MSIX_IRQ_INDEX, .count = 1 };
	struct vfu_hdr h = { .id = 1, .command = VFU_SET_IRQS, .size = sizeof(h) + sizeof(q) };
	int fd;

	fresh();
	make_eventfds(&fd, 1, EFD_NONBLOCK);
	CHECK_EQ(vc_bytes(&cl, &h, 1, &fd, 1), 0);
	usleep(2000);
	CHECK_EQ(vc_bytes(&cl, (char *)&h + 1, sizeof(h) - 1, NULL, 0), 0);
	usleep(2000);
	CHECK_EQ(vc_bytes(&cl, &q, sizeof(q), NULL, 0), 0);
	CHECK_EQ(vc_receive(&cl), 0);
	CHECK_EQ(vc_irqs(&cl, VFIO_PCI_MSIX_IRQ_INDEX, NONE_SET, 0, 1, NULL, 0), 0);
	CHECK_EQ(fired(fd), 1);
	close(fd);
}

KTAP_TEST(one_client_at_a_time)
{
	static struct vclient second;

	fresh();
	REQUIRE_EQ(vc_open(&second, path), 0);
	CHECK(vc_hung_up(&second));
	vc_close(&second);
	CHECK(sane(&cl));
}

KTAP_TEST(client_lost_and_back)
{
	unsigned int before, i;
	int fd;

	fresh();
	before = server_open_files(&server);
	make_eventfds(&fd, 1, EFD_NONBLOCK);
	for (i = 0; i < 50; i++) {
		CHECK_EQ(vc_map(&cl, 0, 0x1000, 3, ram, 0), 0);
		CHECK_EQ(vc_irqs(&cl, VFIO_PCI_MSIX_IRQ_INDEX, EVENTFD_SET, 3, 1, &fd, 1), 0);
		CHECK_EQ(vc_put(&cl, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, PCI_COMMAND_MASTER, 2), 0);
		CHECK_EQ(vc_put(&cl, PNIC_BAR_DB, 64, i + 1, 8), 0);
		/* Gone without a word; the next one must find power-on state. */
		fresh();
		CHECK_EQ(ranges(), 0);
		CHECK_EQ(vc_get(&cl, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, 2), 0);
		CHECK_EQ(vc_get(&cl, PNIC_BAR_DB, 64, 8), 0);
	}
	CHECK_EQ(server_open_files(&server), before);
	close(fd);
}

KTAP_TEST(ends_by_signal_and_cleans_up)
{
	fresh();
	CHECK_EQ(server_stop(&server), 0);
	CHECK_ERRNO(access(path, F_OK), ENOENT);
	CHECK_ERRNO(access(server.ctl, F_OK), ENOENT);
	CHECK_ERRNO(access(server.dir, F_OK), ENOENT);
}

KTAP_MAIN()
