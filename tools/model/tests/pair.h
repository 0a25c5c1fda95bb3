/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A modelled link with a lane agent at both ends (a switch port's firmware, portfw.h) and
 * numbered, verified frames in both directions: for tests of policy and protocol
 * over the real optics, and for the benchmark of the lanes. One at a time in a process.
 */
#ifndef PNIC_MODEL_TESTS_PAIR_H
#define PNIC_MODEL_TESTS_PAIR_H

#include "driver/lane/agent.h"
#include "selftests/ktap.h"
#include "tools/model/core/portfw.h"

#define US		1000ull
#define MS		1000000ull

/* Frames that go out now and then. They carry the clock along as well. */
static struct {
	uint64_t period_ns;
	unsigned int burst;
	uint8_t pattern[PM_FRAME_INLINE_MAX];
} load = { .period_ns = 5 * US, .burst = 8 };

struct end {
	struct pm_port *port;
	struct pm_portfw *fw;
	uint64_t sent, received, wrong, bad_bytes, flushed;
	bool forgiving;			/* the far end was reset: a gap is no fault */
	unsigned int notes[LANE_NOTE_CODES];
	unsigned int lost_events;
};

static struct pm_sim *sim;
static struct pm_link *wire;
static struct end ends[2];
static struct pm_event pump;
static bool traffic;

static inline void on_rx(void *owner, struct pm_frame *f)
{
	struct end *e = owner;
	uint64_t number, got;
	uint32_t i;

	memcpy(&number, f->hdr, sizeof(number));
	memcpy(&got, f->data + 100, sizeof(got));
	if (number != got || (number != e->received && !e->forgiving))
		e->wrong++;
	memset(f->data + 100, 0, sizeof(got));
	memset(load.pattern, (int)number, sizeof(load.pattern));
	memset(load.pattern + 100, 0, sizeof(got));
	for (i = 0; i < f->payload_len; i++)
		e->bad_bytes += f->data[i] != load.pattern[i];
	e->received = number + 1;
	pm_frame_free(f);
}

static inline bool on_gather(void *owner, const struct pm_frame *f, size_t off, void *buf, size_t len)
{
	(void)owner; (void)f; (void)off; (void)buf; (void)len;
	return false;
}

static inline void on_flushed(void *owner, struct pm_frame *f)
{
	struct end *e = owner;

	e->flushed++;
	pm_frame_free(f);
}

static inline void on_tx_ready(void *owner)
{
	(void)owner;
}

/* Somebody who looks on, or NULL. */
static void (*on_link_event)(int end, const struct pm_link_event *ev);

static inline void on_event(void *owner, const struct pm_link_event *ev)
{
	struct end *e = owner;

	if (on_link_event)
		on_link_event((int)(e - ends), ev);

	if (ev->type == PM_LINK_LANE && ev->cause == PNIC_LANE_CAUSE_LOS)
		e->lost_events++;
	pm_portfw_event(e->fw, ev);
}

static const struct pm_port_ops ops = { on_rx, on_gather, on_flushed, on_tx_ready, on_event };

static inline void on_note(void *arg, const struct lane_note *note)
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

static inline void send_one(struct end *e)
{
	struct pm_frame *f = pm_frame_new();

	REQUIRE(f);
	memset(f->hdr, 0, sizeof(f->hdr));
	memcpy(f->hdr, &e->sent, sizeof(e->sent));
	f->origin = e->port;
	f->is_inline = true;
	f->payload_len = PM_FRAME_INLINE_MAX;
	memset(f->data, (int)e->sent, f->payload_len);
	memcpy(f->data + 100, &e->sent, sizeof(e->sent));
	if (pm_port_send(e->port, f))
		e->sent++;
	else
		pm_frame_free(f);
}

static inline void on_pump(void *arg, uint64_t now)
{
	unsigned int n;
	int e;

	(void)arg;
	for (e = 0; e < 2 && traffic; e++)
		for (n = 0; n < load.burst; n++)
			send_one(&ends[e]);
	pm_sim_at(sim, &pump, now + load.period_ns);
}

static inline void run_for(uint64_t ns)
{
	uint64_t stop = pm_sim_now(sim) + ns, sleep_ns;

	while (pm_sim_now(sim) < stop)
		pm_sim_run(sim, 16, &sleep_ns);
}

/* @tune: changes the agents' configuration, or NULL. */
static inline void setup_config(const struct pm_link_config *c,
				void (*tune)(struct lane_agent_cfg *cfg))
{
	struct lane_agent_cfg cfg;
	int e;

	sim = pm_sim_new(c->seed, 0);
	REQUIRE(sim);
	wire = pm_link_new(sim, c, 0);
	REQUIRE(wire);
	memset(ends, 0, sizeof(ends));
	for (e = 0; e < 2; e++) {
		ends[e].port = pm_link_port(wire, e);
		pm_port_attach(ends[e].port, &ops, &ends[e]);
		pm_portfw_config(ends[e].port, &cfg);
		if (tune)
			tune(&cfg);
		ends[e].fw = pm_portfw_new_cfg(sim, ends[e].port, &cfg);
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

static inline void setup(const char *profile)
{
	struct pm_link_config c;

	pm_link_config_defaults(&c, profile);
	setup_config(&c, NULL);
}

static inline void teardown(void)
{
	int e;

	pm_sim_cancel(sim, &pump);
	for (e = 0; e < 2; e++)
		pm_portfw_free(ends[e].fw);
	pm_link_free(wire);
	pm_sim_free(sim);
}

static inline void info(int e, struct pnic_link_info *i)
{
	pm_port_query(ends[e].port, i);
}

static inline unsigned int dark_in_map(int e)
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
static inline void check_agreed(void)
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
static inline void check_flow(bool forgiving)
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
		CHECK_EQ(ends[e].bad_bytes, 0);
		if (!forgiving)
			CHECK_EQ(ends[e].flushed, 0);
	}
	traffic = true;
}

static inline bool in_map(int e, unsigned int lane)
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

#endif /* PNIC_MODEL_TESTS_PAIR_H */
