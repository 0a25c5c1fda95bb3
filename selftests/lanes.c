// SPDX-License-Identifier: GPL-2.0
/*
 * Lanes die, come back and get worse, the link is cut and frames are lost, all while
 * verified traffic runs: width and rate must be exactly what the lanes that are left
 * give, everybody who is concerned must be told, and no byte may be wrong.
 *
 * Needs the model's control port.
 */
#include <math.h>
#include <sys/mman.h>

#include "device.h"
#include "ktap.h"
#include "steer.h"
#include "traffic.h"

#define MEM		(1ul << 20)
#define WAIT_MS		30000
#define SETTLE_MS	60000
#define PROBATION_MS	120000	/* until the driver trusts healed lanes again, with room */

/* Traffic goes from a (NIC 0) to b (NIC 1) and back; the lanes that die are NIC 1's incoming ones. */
static struct end a, b;
static int fd_a, fd_b;		/* for LINK_INFO */
static struct pnic_ioc_info info;

static void bench_open(void)
{
	const struct end_attr attr = { .size = MEM, .rnr_timeout_us = 1000000 };

	need_cards(2);
	NEED_MODEL();
	end_close(&a);
	end_close(&b);
	REQUIRE_EQ(end_open(&a, 0, &attr), 0);
	REQUIRE_EQ(end_open(&b, 1, &attr), 0);
	if (!fd_a) {
		fd_a = dev_open(0);
		fd_b = dev_open(1);
	}
	REQUIRE_OK(fd_a);
	REQUIRE_OK(fd_b);
	REQUIRE_OK(dev_info(fd_a, &info));
}

static void bench_close(void)
{
	end_close(&a);
	end_close(&b);
}

/* One verified write from @from to @to. */
static void one_write(struct end *from, struct end *to, uint32_t len, uint64_t seed)
{
	pattern_fill(from->mem, len, seed);
	REQUIRE_EQ(pnic_post_write(from->ep, to->addr, from->mem, len, from->mr->key,
				   (uintptr_t)to->mem + MEM / 2, to->mr->key, seed, PNIC_SQF_SIGNALED), 0);
	pnic_ring(from->ep);
	REQUIRE_EQ(end_status(from, WAIT_MS), PNIC_ST_OK);
	REQUIRE_EQ(pattern_check(to->mem + MEM / 2, len, seed), len);
}

static void traffic(unsigned int n)
{
	static uint64_t seed = 1;

	while (n--) {
		one_write(&a, &b, 1 + random_below(&seed, 100000), seed);
		one_write(&b, &a, 1 + random_below(&seed, 100000), seed);
	}
}

static void links(struct pnic_ioc_link_info *la, struct pnic_ioc_link_info *lb)
{
	REQUIRE_OK(dev_link(fd_a, la));
	REQUIRE_OK(dev_link(fd_b, lb));
}

/* Runs traffic until both ends are where they should be for the direction from a to b. */
static void settle(uint32_t width, uint32_t failed, uint32_t spares)
{
	uint64_t end = now_ns() + SETTLE_MS * 1000000ull;
	struct pnic_ioc_link_info la, lb;

	do {
		traffic(1);
		links(&la, &lb);
		if (lb.width_rx == width && la.width_tx == width && lb.failed_rx == failed &&
		    lb.spares_rx == spares && lb.gen_rx == la.gen_tx)
			return;
	} while (now_ns() < end);
	ktap_failed(__FILE__, __LINE__,
		    "width %u with %u failed lanes and %u spares wanted: receiver has width %u, %u failed, %u spares, generation %u; transmitter width %u, generation %u",
		    width, failed, spares, lb.width_rx, lb.failed_rx, lb.spares_rx, lb.gen_rx, la.width_tx, la.gen_tx);
	ktap_leave();
}

/* Everything as new: lanes, power, light. */
static void heal_all(void)
{
	STEER("{\"cmd\":\"cut\",\"nic\":1,\"on\":false}");
	STEER("{\"cmd\":\"common\",\"nic\":1,\"db\":0}");
	STEER("{\"cmd\":\"heal\",\"nic\":1,\"lane\":\"all\"}");
}

/* Heals everything and waits until each lane is back in the map or a spare. */
static void as_new(void)
{
	uint64_t end = now_ns() + PROBATION_MS * 1000000ull;
	struct pnic_ioc_link_info la, lb;

	heal_all();
	do {
		traffic(1);
		links(&la, &lb);
		if (lb.width_rx == info.lanes_data && la.width_tx == info.lanes_data &&
		    lb.spares_rx == info.lanes_spare)
			return;
		sleep_ms(20);
	} while (now_ns() < end);
	ktap_failed(__FILE__, __LINE__, "healed lanes are not back: width %u and %u, %u spares, %u failed",
		    lb.width_rx, la.width_tx, lb.spares_rx, lb.failed_rx);
	ktap_leave();
}

static void no_event(struct end *e, uint32_t type)
{
	struct pnic_event ev;

	while (!pnic_read_event(e->ctx, &ev))
		if (ev.type == type)
			ktap_failed(__FILE__, __LINE__, "an event of type %u came: code %u, data %llu", type,
				    ev.code, (unsigned long long)ev.data);
}

/* Waits for an event of @type; others are dropped. */
static void event(struct end *e, uint32_t type, struct pnic_event *ev)
{
	uint64_t end = now_ns() + WAIT_MS * 1000000ull;

	while (now_ns() < end) {
		if (pnic_read_event(e->ctx, ev)) {
			sleep_ms(5);
			continue;
		}
		if (ev->type == type)
			return;
	}
	ktap_failed(__FILE__, __LINE__, "no event of type %u", type);
	ktap_leave();
}

static void check_rate(uint32_t full_rate, uint32_t width)
{
	struct pnic_ioc_link_info la, lb;
	struct pnic_status_page st;
	double want;

	want = (double)full_rate * width / info.lanes_data;
	links(&la, &lb);
	CHECK_EQ(la.width_tx, width);
	CHECK_EQ(lb.width_rx, width);
	CHECK(fabs(la.rate_tx_mbps - want) <= want / 100);
	CHECK(fabs(lb.rate_rx_mbps - want) <= want / 100);
	REQUIRE_EQ(pnic_link_status(a.ctx, &st), 0);
	CHECK_EQ(st.width, width);
	CHECK_EQ(st.rate_mbps, la.rate_tx_mbps);
	CHECK_EQ(st.generation, la.gen_tx);
	CHECK_EQ(pnic_rate_mbps(a.ctx), la.rate_tx_mbps);
	CHECK(fabs(modelctl_counter(0, "rate_mbps") - want) <= want / 100);
	CHECK_EQ(modelctl_counter(0, "width"), width);
}

KTAP_TEST(healthy)
{
	struct pnic_ioc_link_info la, lb;

	bench_open();
	traffic(5);
	links(&la, &lb);
	CHECK_EQ(la.state, 1);
	CHECK_EQ(lb.state, 1);
	CHECK_EQ(la.width_tx, info.lanes_data);
	CHECK_EQ(lb.width_rx, info.lanes_data);
	CHECK_EQ(la.width_max, info.lanes_data);
	CHECK_EQ(lb.spares_rx, info.lanes_spare);
	CHECK_EQ(lb.failed_rx, 0);
	CHECK_GT(lb.margin, 0);
	CHECK_GE(lb.margin_erasure, lb.margin);
	check_rate(la.rate_tx_mbps, info.lanes_data);
	/* The rate is what the lanes carry after FEC. */
	CHECK(fabs(la.rate_tx_mbps - info.lane_kbps / 1000.0 * info.lanes_data) <= la.rate_tx_mbps / 100.0);
	bench_close();
}

/* Frames that vanish and frames that are damaged are sent again. */
KTAP_TEST(frames_lost_and_damaged)
{
	double replayed, bad;
	unsigned int i;

	bench_open();
	replayed = modelctl_counter(0, "frames_replayed");
	bad = modelctl_counter(1, "frames_crc_bad");
	SUBTEST("lost")
		for (i = 0; i < 10; i++) {
			STEER("{\"cmd\":\"drop\",\"nic\":1,\"frames\":%u}", 1 + i * i);
			traffic(2);
		}
	CHECK_GT(modelctl_counter(0, "frames_replayed"), replayed);
	replayed = modelctl_counter(0, "frames_replayed");
	SUBTEST("damaged")
		for (i = 0; i < 10; i++) {
			STEER("{\"cmd\":\"corrupt\",\"nic\":1,\"frames\":%u}", 1 + i * i);
			traffic(2);
		}
	CHECK_GT(modelctl_counter(0, "frames_replayed"), replayed);
	CHECK_GT(modelctl_counter(1, "frames_crc_bad"), bad);
	bench_close();
}

/* A lane in use dies: its spare takes over, the width stays, traffic never notices. */
KTAP_TEST(spares_replace)
{
	struct pnic_ioc_link_info la, lb;
	struct pnic_status_page st;
	uint32_t remaps, downs, i;

	bench_open();
	links(&la, &lb);
	remaps = lb.remaps;
	downs = lb.link_downs;
	for (i = 0; i < 6; i++) {
		STEER("{\"cmd\":\"kill\",\"nic\":1,\"lane\":%u}", 3 + 41 * i);
		settle(info.lanes_data, i + 1, info.lanes_spare - i - 1);
		links(&la, &lb);
		CHECK_GT(lb.remaps, remaps);
		remaps = lb.remaps;
	}
	check_rate(la.rate_tx_mbps, info.lanes_data);
	CHECK_EQ(lb.link_downs, downs);
	CHECK_LE(lb.margin_min, lb.margin);
	REQUIRE_EQ(pnic_link_status(b.ctx, &st), 0);
	CHECK_EQ(st.spares, info.lanes_spare - 6);
	CHECK_EQ(st.width, lb.width_tx);
	no_event(&a, PNIC_EVT_RATE);
	no_event(&b, PNIC_EVT_LINK);
	bench_close();
}

/* A dead spare costs a spare and nothing else. */
KTAP_TEST(spare_dies)
{
	struct pnic_ioc_link_info la, lb, before;

	bench_open();
	links(&la, &before);
	STEER("{\"cmd\":\"kill\",\"nic\":1,\"lane\":%u}", info.lanes_data + info.lanes_spare - 1);
	settle(info.lanes_data, before.failed_rx + 1, before.spares_rx - 1);
	links(&la, &lb);
	check_rate(la.rate_tx_mbps, info.lanes_data);
	bench_close();
}

/* What the lane manager shows of card @nic in debugfs. */
static void read_shown(unsigned int nic, char *text, size_t size)
{
	char pci[32], path[128];
	size_t n;
	FILE *f;

	REQUIRE_OK(dev_pci(nic, pci, sizeof(pci)));
	snprintf(path, sizeof(path), "/sys/kernel/debug/pnic/%s/lanes", pci);
	f = fopen(path, "r");
	if (!f)
		SKIP("no debugfs");
	n = fread(text, 1, size - 1, f);
	text[n] = '\0';
	fclose(f);
}

static unsigned int count_words(const char *text, const char *words)
{
	unsigned int n = 0;

	for (; (text = strstr(text, words)); text++)
		n++;
	return n;
}

static void check_shown(const char *text, const char *fmt, ...)
{
	char want[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(want, sizeof(want), fmt, ap);
	va_end(ap);
	if (!strstr(text, want))
		ktap_failed(__FILE__, __LINE__, "\"%s\" is not shown", want);
}

/* Both ends in words: maps, margin, the lanes that died above and no other, and how it came to that. */
KTAP_TEST(shown_in_debugfs)
{
	struct pnic_ioc_link_info la, lb;
	static char text[1 << 20];

	bench_open();
	links(&la, &lb);
	REQUIRE_EQ(lb.failed_rx, 7);
	read_shown(1, text, sizeof(text));
	check_shown(text, "receive: generation %u, width %u, ", lb.gen_rx, lb.width_rx);
	check_shown(text, "transmit: generation %u, width %u, ", lb.gen_tx, lb.width_tx);
	check_shown(text, "far end: heard, ");
	check_shown(text, ", maps agree\n");
	check_shown(text, "margin: %d lanes, %d if marked; spares %u, failed 7, ", lb.margin, lb.margin_erasure,
		    lb.spares_rx);
	/* Others may be a little weak. */
	CHECK_EQ(count_words(text, ": failed, "), 7);
	check_shown(text, "\nlane    3 at (");
	check_shown(text, "\nlane %4u at (", 3 + 41 * 5);
	check_shown(text, ", lost 1 times\n");
	CHECK_GE(count_words(text, "] lane 3: active -> failed ("), 1);
	/* Nothing comes in wrong at the other end. */
	read_shown(0, text, sizeof(text));
	check_shown(text, "transmit: generation %u, width %u, ", la.gen_tx, la.width_tx);
	CHECK_EQ(count_words(text, ": failed, "), 0);
	bench_close();
}

/* More lanes die than there are spares; and then they come back. */
KTAP_TEST(width_shrinks_and_grows)
{
	struct pnic_ioc_link_info la, lb;
	uint32_t full, dead, want;
	struct pnic_event ev;
	uint64_t end;

	bench_open();
	links(&la, &lb);
	full = (uint64_t)info.lane_kbps * info.lanes_data / 1000;
	/* Those from 300 on: no other test kills them. */
	for (dead = lb.failed_rx; dead < info.lanes_spare + 24u; dead++) {
		STEER("{\"cmd\":\"kill\",\"nic\":1,\"lane\":%u}", 300 + dead);
		traffic(1);
	}
	want = info.lanes_data + info.lanes_spare - dead;
	end = now_ns() + SETTLE_MS * 1000000ull;
	do {
		traffic(1);
		links(&la, &lb);
	} while ((lb.width_rx != want || la.width_tx != want) && now_ns() < end);
	CHECK_EQ(lb.failed_rx, dead);
	CHECK_EQ(lb.spares_rx, 0);
	check_rate(full, want);
	/* Told: the last of the events has the width of now. */
	do {
		event(&a, PNIC_EVT_RATE, &ev);
	} while (ev.code != want);
	CHECK_EQ(ev.data, la.rate_tx_mbps);
	/* The other direction has lost nothing. */
	CHECK_EQ(lb.width_tx, info.lanes_data);
	CHECK_EQ(la.width_rx, info.lanes_data);
	traffic(10);
	check_rate(full, want);
	as_new();
	check_rate(full, info.lanes_data);
	event(&a, PNIC_EVT_RATE, &ev);
	bench_close();
}

/* A place of the grid goes dark at once, more than FEC can bridge, with transfers under way. */
KTAP_TEST(patch_goes_dark)
{
	struct pnic_ioc_link_info la, lb;
	unsigned int i;

	bench_open();
	as_new();
	pattern_fill(a.mem, 100000, 3);
	for (i = 0; i < 40; i++)
		REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem, 100000, a.mr->key, (uintptr_t)b.mem, b.mr->key, i,
					   PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
	STEER("{\"cmd\":\"patch\",\"nic\":1,\"x\":10,\"y\":8,\"radius\":3,\"db\":100}");
	for (i = 0; i < 40; i++)
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_OK);
	CHECK_EQ(pattern_check(b.mem, 100000, 3), 100000);
	links(&la, &lb);
	settle(info.lanes_data, 29, info.lanes_spare - 29);
	traffic(3);
	heal_all();
	bench_close();
}

/* Weak lanes: FEC has work, and what it corrects is nobody's loss. */
KTAP_TEST(weak_lanes)
{
	double corrected;
	unsigned int i;

	bench_open();
	corrected = modelctl_counter(1, "symbols_corrected");
	for (i = 0; i < 4; i++) {
		STEER("{\"cmd\":\"degrade\",\"nic\":1,\"lane\":%u,\"db\":%u}", 250 + 11 * i, 2 + i);
		traffic(5);
	}
	CHECK_GT(modelctl_counter(1, "symbols_corrected"), corrected);
	STEER("{\"cmd\":\"common\",\"nic\":1,\"db\":0.5}");
	traffic(5);
	heal_all();
	traffic(3);
	bench_close();
}

/* Light goes and comes back within the data age: the transfer that was under way ends well. */
KTAP_TEST(link_cut_and_restored)
{
	struct pnic_ioc_link_info la, lb;
	struct pnic_event ev;
	uint32_t downs;

	bench_open();
	links(&la, &lb);
	downs = la.link_downs;
	STEER("{\"cmd\":\"cut\",\"nic\":1,\"on\":true}");
	event(&a, PNIC_EVT_LINK, &ev);
	CHECK_EQ(ev.code, 0);
	event(&b, PNIC_EVT_LINK, &ev);
	CHECK_EQ(ev.code, 0);
	links(&la, &lb);
	CHECK_EQ(la.state, 0);
	CHECK_EQ(lb.state, 0);
	pattern_fill(a.mem, 50000, 7);
	REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem, 50000, a.mr->key, (uintptr_t)b.mem, b.mr->key, 7,
				   PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
	CHECK(end_quiet(&a, 200));
	STEER("{\"cmd\":\"cut\",\"nic\":1,\"on\":false}");
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_OK);
	CHECK_EQ(pattern_check(b.mem, 50000, 7), 50000);
	event(&a, PNIC_EVT_LINK, &ev);
	CHECK_EQ(ev.code, 1);
	traffic(3);
	links(&la, &lb);
	CHECK_EQ(la.state, 1);
	CHECK_EQ(lb.state, 1);
	CHECK_EQ(la.link_downs, downs + 1);
	bench_close();
}

/* Light stays away: the transfer ends with an error, and the next one goes when the light is back. */
KTAP_TEST(link_cut_too_long)
{
	bench_open();
	STEER("{\"cmd\":\"cut\",\"nic\":1,\"on\":true}");
	REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem, 5000, a.mr->key, (uintptr_t)b.mem, b.mr->key, 7, 0), 0);
	REQUIRE_EQ(pnic_post_read(a.ep, b.addr, a.mem, 5000, a.mr->key, (uintptr_t)b.mem, b.mr->key, 7, 0), 0);
	pnic_ring(a.ep);
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_LINK);
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_LINK);
	STEER("{\"cmd\":\"cut\",\"nic\":1,\"on\":false}");
	sleep_ms(100);
	traffic(3);
	bench_close();
}

KTAP_MAIN()
