// SPDX-License-Identifier: GPL-2.0
/*
 * The lane policy and protocol at both ends of a modelled link, under traffic: lanes die,
 * many at once, ports are reset, and every frame arrives once and in order.
 */
#include "driver/lane/agent.h"
#include "selftests/ktap.h"
#include "tools/model/core/portfw.h"

#define US		1000ull
#define MS		1000000ull
#define PERIOD_NS	(5 * US)
#define BURST		8

struct end {
	struct pm_port *port;
	struct pm_portfw *fw;
	uint64_t sent, received, wrong, flushed;
	bool forgiving;			/* the far end was reset: a gap is no fault */
	unsigned int notes[LANE_NOTE_CODES];
	unsigned int lost_events;
};

static struct pm_sim *sim;
static struct pm_link *wire;
static struct end ends[2];
static struct pm_event pump;
static bool traffic;

static void on_rx(void *owner, struct pm_frame *f)
{
	struct end *e = owner;
	uint64_t number, got;

	memcpy(&number, f->hdr, sizeof(number));
	memcpy(&got, f->data + 100, sizeof(got));
	if (number != got || (number != e->received && !e->forgiving))
		e->wrong++;
	e->received = number + 1;
	pm_frame_free(f);
}

static bool on_gather(void *owner, const struct pm_frame *f, size_t off, void *buf, size_t len)
{
	(void)owner; (void)f; (void)off; (void)buf; (void)len;
	return false;
}

static void on_flushed(void *owner, struct pm_frame *f)
{
	struct end *e = owner;

	e->flushed++;
	pm_frame_free(f);
}

static void on_tx_ready(void *owner)
{
	(void)owner;
}

static void on_event(void *owner, const struct pm_link_event *ev)
{
	struct end *e = owner;

	if (ev->type == PM_LINK_LANE && ev->cause == PNIC_LANE_CAUSE_LOS)
		e->lost_events++;
	pm_portfw_event(e->fw, ev);
}

static const struct pm_port_ops ops = { on_rx, on_gather, on_flushed, on_tx_ready, on_event };

static void on_note(void *arg, const struct lane_note *note)
{
	struct end *e = arg;

	e->notes[note->code]++;
	if (getenv("LANE_TALK")) {
		char text[LANE_NOTE_TEXT_MAX];

		lane_note_text(note, text, sizeof(text));
		ktap_say("%llu us, end %d: %s", (unsigned long long)(note->at / 1000),
			 (int)(e - ends), text);
	}
}

static void send_one(struct end *e)
{
	struct pm_frame *f = pm_frame_new();

	REQUIRE(f);
	memset(f->hdr, 0, sizeof(f->hdr));
	memcpy(f->hdr, &e->sent, sizeof(e->sent));
	f->origin = e->port;
	f->is_inline = true;
	f->payload_len = PM_FRAME_INLINE_MAX;
	memset(f->data, (int)e->sent, sizeof(f->data));
	memcpy(f->data + 100, &e->sent, sizeof(e->sent));
	if (pm_port_send(e->port, f))
		e->sent++;
	else
		pm_frame_free(f);
}

/* Frames now and then: enough to see that they flow, and to carry the clock along. */
static void on_pump(void *arg, uint64_t now)
{
	int e, n;

	(void)arg;
	for (e = 0; e < 2 && traffic; e++)
		for (n = 0; n < BURST; n++)
			send_one(&ends[e]);
	pm_sim_at(sim, &pump, now + PERIOD_NS);
}

static void run_for(uint64_t ns)
{
	uint64_t stop = pm_sim_now(sim) + ns, sleep_ns;

	while (pm_sim_now(sim) < stop)
		pm_sim_run(sim, 16, &sleep_ns);
}

static void setup(const char *profile)
{
	struct pm_link_config c;
	int e;

	pm_link_config_defaults(&c, profile);
	sim = pm_sim_new(1, 0);
	REQUIRE(sim);
	wire = pm_link_new(sim, &c, 0);
	REQUIRE(wire);
	memset(ends, 0, sizeof(ends));
	for (e = 0; e < 2; e++) {
		ends[e].port = pm_link_port(wire, e);
		pm_port_attach(ends[e].port, &ops, &ends[e]);
		ends[e].fw = pm_portfw_new(sim, ends[e].port);
		REQUIRE(ends[e].fw);
		pm_portfw_listen(ends[e].fw, on_note, &ends[e]);
	}
	traffic = true;
	pm_event_init(&pump, on_pump, NULL, false);
	pm_sim_at(sim, &pump, 0);
	run_for(5 * MS);
	for (e = 0; e < 2; e++)
		CHECK_EQ(ends[e].notes[LANE_NOTE_PEER], 1);
}

static void teardown(void)
{
	int e;

	pm_sim_cancel(sim, &pump);
	for (e = 0; e < 2; e++)
		pm_portfw_free(ends[e].fw);
	pm_link_free(wire);
	pm_sim_free(sim);
}

static void info(int e, struct pnic_link_info *i)
{
	pm_port_query(ends[e].port, i);
}

static unsigned int dark_in_map(int e)
{
	static u8 buf[sizeof(struct pnic_map) + 2 * PNIC_LANES_MAX];
	static struct lane_map map;
	unsigned int l, dark = 0;
	struct pm_lane_truth t;
	size_t len = pm_port_map_get(ends[e].port, PNIC_DIR_RX, false, buf, sizeof(buf));

	REQUIRE(lane_map_decode(&map, buf, len));
	for (l = 0; l < map.width; l++) {
		REQUIRE_EQ(pm_lane_truth(ends[e].port, map.phys[l], &t), 0);
		dark += t.dead;
	}
	return dark;
}

/* Both ends name the same generations and widths. */
static void check_agreed(void)
{
	struct pnic_link_info a, b;

	info(0, &a);
	info(1, &b);
	CHECK_EQ(a.gen_rx, b.gen_tx);
	CHECK_EQ(a.gen_tx, b.gen_rx);
	CHECK_EQ(a.width_rx, b.width_tx);
	CHECK_EQ(a.width_tx, b.width_rx);
	CHECK_EQ(a.staged_rx | a.staged_tx | b.staged_rx | b.staged_tx, 0);
}

/* All that was sent has come, or comes now; and more goes through. */
static void check_flow(bool forgiving)
{
	uint64_t before[2];
	int e;

	for (e = 0; e < 2; e++)
		before[e] = ends[e].received;
	run_for(1 * MS);
	for (e = 0; e < 2; e++)
		CHECK_GT(ends[e].received, before[e] + 100);
	traffic = false;
	run_for(1 * MS);
	for (e = 0; e < 2; e++) {
		CHECK_EQ(ends[e].received, ends[!e].sent);
		CHECK_EQ(ends[e].wrong, 0);
		if (!forgiving)
			CHECK_EQ(ends[e].flushed, 0);
	}
	traffic = true;
}

KTAP_TEST(quiet_link_keeps_its_map)
{
	struct pnic_link_info i;

	setup("mosaic-800g");
	run_for(50 * MS);
	info(0, &i);
	CHECK_EQ(i.gen_rx, 1);
	CHECK_EQ(i.width_rx, 425);
	check_agreed();
	check_flow(false);
	teardown();
}

KTAP_TEST(sixty_lanes_one_by_one)
{
	struct pnic_counters c;
	unsigned int k;
	int e;

	setup("mosaic-800g");
	for (k = 0; k < 60; k++) {
		CHECK_EQ(pm_fault_kill(ends[0].port, k * 177 % 460), 0);
		CHECK_EQ(pm_fault_kill(ends[1].port, (k * 91 + 5) % 460), 0);
		run_for(3 * MS);
	}
	for (e = 0; e < 2; e++) {
		struct pnic_link_info i;

		info(e, &i);
		CHECK_EQ(i.width_rx, 400);
		CHECK_EQ(i.width_tx, 400);
		CHECK_EQ(i.state, PNIC_LINK_UP);
		CHECK_EQ(dark_in_map(e), 0);
		CHECK_EQ(ends[e].lost_events, 60);
		pm_port_counters(ends[e].port, &c);
		CHECK_EQ(c.codewords_uncorrectable, 0);
		CHECK_EQ(c.frames_replayed, 0);
		CHECK_EQ(c.link_downs, 0);
	}
	check_agreed();
	check_flow(false);
	teardown();
}

KTAP_TEST(forty_at_once_beyond_fec)
{
	struct pnic_link_info i;
	struct pnic_counters c;
	unsigned int k;

	setup("mosaic-800g");
	for (k = 0; k < 40; k++)
		pm_fault_kill(ends[0].port, 10 * k + 3);
	run_for(20 * MS);
	info(0, &i);
	CHECK_EQ(i.width_rx, 420);
	CHECK_EQ(i.width_tx, 425);
	CHECK_EQ(dark_in_map(0), 0);
	pm_port_counters(ends[0].port, &c);
	CHECK_GT(c.codewords_uncorrectable, 0);	/* it was beyond FEC */
	check_agreed();
	check_flow(false);
	teardown();
}

KTAP_TEST(patch_of_dirt)
{
	setup("mosaic-800g");
	pm_fault_patch(ends[1].port, 10, 10, 2.5, 200);
	run_for(10 * MS);
	CHECK_EQ(dark_in_map(1), 0);
	CHECK_EQ(ends[1].notes[LANE_NOTE_CLUSTER], 1);
	check_agreed();
	check_flow(false);
	teardown();
}

KTAP_TEST(reset_of_one_port)
{
	unsigned int k;

	setup("mosaic-800g");
	for (k = 0; k < 45; k++) {
		pm_fault_kill(ends[0].port, 10 * k + 1);
		pm_fault_kill(ends[1].port, 10 * k + 2);
	}
	run_for(20 * MS);
	check_agreed();
	ends[0].forgiving = true;
	ends[1].forgiving = true;
	pm_port_reset(ends[1].port);
	/* Its firmware starts afresh, too. */
	pm_portfw_free(ends[1].fw);
	ends[1].fw = pm_portfw_new(sim, ends[1].port);
	REQUIRE(ends[1].fw);
	run_for(100 * MS);
	check_agreed();
	CHECK_EQ(dark_in_map(0) + dark_in_map(1), 0);
	CHECK_EQ(ends[0].notes[LANE_NOTE_RESTART], 1);
	check_flow(true);
	teardown();
}

/* The port is reset behind the firmware's back. */
KTAP_TEST(reset_unseen_by_the_firmware)
{
	unsigned int k;

	setup("mosaic-800g");
	for (k = 0; k < 45; k++)
		pm_fault_kill(ends[k & 1].port, 10 * k + 1);
	run_for(20 * MS);
	ends[0].forgiving = true;
	ends[1].forgiving = true;
	pm_port_reset(ends[0].port);
	run_for(1500 * MS);
	check_agreed();
	CHECK_EQ(dark_in_map(0) + dark_in_map(1), 0);
	check_flow(true);
	teardown();
}

KTAP_TEST(down_to_the_last_lane)
{
	struct pnic_link_info i;
	unsigned int k;

	setup("test-16");
	for (k = 0; k < 19; k++) {
		pm_fault_kill(ends[0].port, k);
		run_for(3 * MS);
	}
	info(0, &i);
	CHECK_EQ(i.state, PNIC_LINK_UP);
	CHECK_EQ(i.width_rx, 1);
	CHECK_EQ(dark_in_map(0), 0);
	check_agreed();
	check_flow(false);
	teardown();
}

/* Cut and joined again: no spare was burnt on it. */
KTAP_TEST(cut_and_joined)
{
	struct pnic_link_info i;
	int e;

	setup("mosaic-800g");
	pm_fault_cut(ends[0].port, true);
	run_for(20 * MS);
	pm_fault_cut(ends[0].port, false);
	run_for(200 * MS);
	for (e = 0; e < 2; e++) {
		info(e, &i);
		CHECK_EQ(i.state, PNIC_LINK_UP);
		CHECK_EQ(i.width_rx, 425);
		CHECK_EQ(dark_in_map(e), 0);
	}
	check_agreed();
	check_flow(false);
	teardown();
}

static bool in_map(int e, unsigned int lane)
{
	static u8 buf[sizeof(struct pnic_map) + 2 * PNIC_LANES_MAX];
	static struct lane_map map;
	unsigned int l;
	size_t len = pm_port_map_get(ends[e].port, PNIC_DIR_RX, false, buf, sizeof(buf));

	REQUIRE(lane_map_decode(&map, buf, len));
	for (l = 0; l < map.width; l++)
		if (map.phys[l] == lane)
			return true;
	return false;
}

/* A lane that errs is replaced before it costs a codeword. */
KTAP_TEST(drifting_lane_is_retired)
{
	struct pnic_link_info i;
	struct pnic_counters c;

	setup("mosaic-800g");
	pm_fault_degrade(ends[0].port, 50, 2.6);
	run_for(2500 * MS);
	CHECK(!in_map(0, 50));
	info(0, &i);
	CHECK_EQ(i.width_rx, 425);
	pm_port_counters(ends[0].port, &c);
	CHECK_EQ(c.codewords_uncorrectable, 0);
	CHECK_GT(c.symbols_corrected, 1000);
	check_agreed();
	check_flow(false);
	teardown();
}

/* All lanes lose light together: told of, and nothing is replaced. */
KTAP_TEST(common_mode_burns_no_spares)
{
	struct pnic_link_info i;

	setup("mosaic-800g");
	pm_fault_common(ends[0].port, 1.7);
	run_for(2500 * MS);
	info(0, &i);
	CHECK_EQ(i.gen_rx, 1);
	CHECK_EQ(ends[0].notes[LANE_NOTE_COMMON], 1);
	check_agreed();
	teardown();
}

KTAP_TEST(avicena_profile)
{
	struct pnic_link_info i;
	unsigned int k;

	setup("avicena-512g");
	for (k = 0; k < 70; k++) {
		pm_fault_kill(ends[0].port, k * 37 % 320);
		run_for(3 * MS);
	}
	info(0, &i);
	CHECK_EQ(i.width_rx, 250);
	CHECK_EQ(dark_in_map(0), 0);
	check_agreed();
	check_flow(false);
	teardown();
}

KTAP_MAIN()
