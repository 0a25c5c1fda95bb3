// SPDX-License-Identifier: GPL-2.0
/*
 * The server under bytes that no client would send: random ones, and good
 * messages with a few wrong bits, wrong lengths, wrong descriptors.
 *
 * The program under test is built with the address and undefined-behaviour
 * sanitizers, so a wrong access ends it; and at the end it must still answer,
 * and leave with status 0, which a leak would prevent. The seed is fixed;
 * $PNIC_FUZZ_SEED and $PNIC_FUZZ_ROUNDS ask for more.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"
#include "driver/hw/pnic_regs.h"
#include "selftests/ktap.h"
#include "server.h"

#define ROUNDS		40000
#define MSG_MAX		600
#define RAM		(1u << 20)

static struct server server;
static struct vclient cl;
static uint64_t state;
static int ram, evt;

static uint32_t draw(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 16) % n;
}

static unsigned int rounds(void)
{
	const char *n = getenv("PNIC_FUZZ_ROUNDS");

	return n ? atoi(n) : ROUNDS;
}

static void seed(void)
{
	const char *s = getenv("PNIC_FUZZ_SEED");

	state = s ? strtoull(s, NULL, 0) * 2 + 1 : 0x9e3779b97f4a7c15ull;
}

static void start(const char *const *args)
{
	REQUIRE(server_start(&server, "pnic-model-asan", args));
	ram = memfd_create("ram", MFD_CLOEXEC);
	REQUIRE_OK(ftruncate(ram, RAM));
	evt = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	cl.fd = -1;
	seed();
}

static void stop(void)
{
	vc_close(&cl);
	close(ram);
	close(evt);
	CHECK(server_alive(&server));
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"ping\"}"));
	CHECK_EQ(server_stop(&server), 0);
}

static void reconnect(void)
{
	char path[128];

	vc_close(&cl);
	server_nic_path(&server, 0, path, sizeof(path));
	REQUIRE_EQ(vc_start(&cl, path), 0);
}

static size_t put(uint8_t *p, const void *s, size_t n)
{
	memcpy(p, s, n);
	return n;
}

/* A body that is right, or nearly: its fields are drawn from what matters. */
static size_t make_body(unsigned int cmd, uint8_t *p)
{
	static const uint64_t spots[] = { 0, 4, 0x10, 0x14, 0x40, 0x50, 0x60, 0x1000, 0x4000, 0x7ffff8,
					  0x800000, 0xfffffffffffff000, UINT64_MAX };
	uint64_t spot = spots[draw(sizeof(spots) / sizeof(spots[0]))] + 4 * draw(3);

	switch (cmd) {
	case VFU_VERSION: {
		struct vfu_version v = { draw(8) ? 0 : draw(3), draw(3) };
		size_t n = put(p, &v, sizeof(v));

		return n + put(p + n, vc_qemu_caps, draw(2) ? strlen(vc_qemu_caps) + 1 : draw(100));
	}
	case VFU_DMA_MAP: {
		struct vfu_dma_map d = { sizeof(d), draw(5), draw(RAM / 4096 + 4) * 4096ull, spot,
					 draw(64) * 4096ull };

		return put(p, &d, sizeof(d));
	}
	case VFU_DMA_UNMAP: {
		struct vfu_dma_unmap d = { sizeof(d), draw(10) ? 0 : draw(4), spot,
					   draw(3) ? draw(64) * 4096ull : UINT64_MAX - spot };

		return put(p, &d, sizeof(d));
	}
	case VFU_GET_INFO: {
		struct vfu_device_info d = { .argsz = sizeof(d) };

		return put(p, &d, sizeof(d));
	}
	case VFU_GET_REGION_INFO: {
		struct vfu_region_info d = { .argsz = 32 + draw(3) * 32, .index = draw(11) };

		return put(p, &d, sizeof(d));
	}
	case VFU_GET_IRQ_INFO: {
		struct vfu_irq_info d = { .argsz = sizeof(d), .index = draw(7) };

		return put(p, &d, sizeof(d));
	}
	case VFU_SET_IRQS: {
		struct vfu_irq_set d = { sizeof(d), 1u << draw(3) | 8u << draw(3), draw(6), draw(18),
					 draw(18) };
		size_t n = put(p, &d, sizeof(d));

		memset(p + n, draw(2), 32);
		return n + (draw(2) ? d.count : 0);
	}
	case VFU_REGION_READ:
	case VFU_REGION_WRITE: {
		struct vfu_region_rw d = { spot, draw(4) ? draw(3) * 2 : draw(10), 1u << draw(5) };
		size_t n = put(p, &d, sizeof(d)), i;

		if (cmd == VFU_REGION_READ)
			return n;
		for (i = 0; i < d.count; i++)
			p[n + i] = draw(256);
		return n + d.count;
	}
	case VFU_REGION_WRITE_MULTI: {
		struct vfu_write_multi h = { draw(4) };
		struct vfu_write_one w = { spot, draw(5), 1u << draw(5), { 1, 2, 3 } };
		size_t n = put(p, &h, sizeof(h)), i;

		for (i = 0; i < h.count; i++)
			n += put(p + n, &w, sizeof(w));
		return n;
	}
	default:
		return draw(64);
	}
}

static size_t make_message(uint8_t *p)
{
	struct vfu_hdr h = { .id = draw(65536), .command = draw(20) };
	size_t len, i, n;

	memset(p, 0, MSG_MAX);
	len = sizeof(h) + make_body(h.command, p + sizeof(h));
	h.size = len;
	h.flags = draw(8) ? 0 : draw(64);
	memcpy(p, &h, sizeof(h));
	if (!draw(3))
		for (n = 1 + draw(4), i = 0; i < n; i++)
			p[draw(len)] ^= 1u << draw(8);
	if (!draw(20))
		len = draw(len + 1);
	return len;
}

/* Sends without ever waiting: a server that no longer reads is told apart by its hanging up. */
static bool send_some(const uint8_t *p, size_t len)
{
	int fds[20], i, n = draw(3) ? 0 : draw(4) ? 1 : 1 + draw(20);
	char trash[65536];

	for (i = 0; i < n; i++)
		fds[i] = draw(3) ? ram : evt;
	while (recv(cl.fd, trash, sizeof(trash), MSG_DONTWAIT) > 0)
		;
	return !vc_bytes(&cl, p, len, fds, n);
}

KTAP_TEST(messages_with_faults)
{
	static const char *const args[] = { "--nics", "1", NULL };
	uint8_t msg[MSG_MAX];
	unsigned int i, n = rounds(), lost = 0;
	size_t len;

	start(args);
	reconnect();
	for (i = 0; i < n; i++) {
		len = make_message(msg);
		if (!send_some(msg, len) || !draw(50)) {
			reconnect();
			lost++;
		}
	}
	ktap_say("%u messages, %u connections", n, lost + 1);
	reconnect();
	CHECK_EQ(vc_get(&cl, PNIC_BAR_REGS, PNIC_REG_ID, 4), PNIC_ID_MAGIC);
	stop();
}

KTAP_TEST(random_bytes)
{
	static const char *const args[] = { "--nics", "1", "--doorbells", "trapped", "--no-msix", NULL };
	uint8_t bytes[64];
	unsigned int i, k, n = rounds() / 4;

	start(args);
	reconnect();
	for (i = 0; i < n; i++) {
		for (k = 0; k < sizeof(bytes); k++)
			bytes[k] = draw(4) ? draw(256) : 0;
		/* Most lengths would be impossible: let some be read. */
		if (draw(2))
			memcpy(bytes + 4, &(uint32_t){ 16 + draw(100) }, 4);
		if (!send_some(bytes, 1 + draw(sizeof(bytes))) || !draw(20))
			reconnect();
	}
	reconnect();
	CHECK_EQ(vc_get(&cl, PNIC_BAR_REGS, PNIC_REG_ID, 4), PNIC_ID_MAGIC);
	stop();
}

KTAP_TEST(control_lines)
{
	static const char *const args[] = { "--nics", "3", "--profile", "test-16", NULL };
	static const char *const words[] = {
		"{", "}", "[", "]", ":", ",", "\"cmd\"", "\"nic\"", "\"lane\"", "\"kill\"", "\"heal\"",
		"\"counters\"", "\"lanes\"", "\"map\"", "\"dir\"", "\"rx\"", "\"patch\"", "\"x\"", "\"y\"",
		"\"db\"", "\"radius\"", "\"end\"", "\"switch\"", "\"all\"", "\"on\"", "\"cut\"", "true",
		"null", "0", "1", "-1", "1e308", "99999999999", "0.5", "\"tag\"", "\"help\"", "\n", "\r",
		"\"\\u0000\"", "\xff", " ", "{\"cmd\":\"", "\"}\n", "{\"cmd\":\"kill\",\"lane\":",
		"{\"cmd\":\"degrade\",\"db\":3,\"lane\":", "{\"cmd\":\"surprise\",\"on\":", "}\n",
		"{\"cmd\":\"fatal\",\"code\":", "{\"cmd\":\"common\",\"end\":\"switch\",\"db\":",
		"{\"cmd\":\"play\",\"text\":\"pnic-trace 1\\n", "0 0 1 kill\\n", "0.1 1 link patch ", "\"stop\"",
		"{\"cmd\":\"misalign\",\"x\":", "{\"cmd\":\"age\",\"hours\":", "{\"cmd\":\"row\",\"row\":",
		"{\"cmd\":\"drift\",\"db_per_hour\":1,\"lane\":", "{\"cmd\":\"corrupt_map\",\"dir\":\"rx\",",
	};
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char trash[65536];
	unsigned int i, k, n = rounds();
	const char *w;
	int fd = -1;

	start(args);
	strcpy(a.sun_path, server.ctl);
	for (i = 0; i < n; i++) {
		if (fd < 0 || !draw(200)) {
			close(fd);
			fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
			REQUIRE_OK(connect(fd, (struct sockaddr *)&a, sizeof(a)));
		}
		for (k = draw(12); k; k--) {
			w = words[draw(sizeof(words) / sizeof(words[0]))];
			CHECK_EQ(send(fd, w, strlen(w), MSG_NOSIGNAL), strlen(w));
			while (recv(fd, trash, sizeof(trash), MSG_DONTWAIT) > 0)
				;
		}
	}
	close(fd);
	stop();
}

KTAP_MAIN()
