/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two lane agents, each with a simulated card, over one link; simulated time.
 */
#ifndef LANE_TEST_AGENTS_H
#define LANE_TEST_AGENTS_H

#include "selftests/ktap.h"
#include "../../hw/pnic_admin.h"
#include "../agent.h"
#include "simcard.h"

#define US	1000ULL
#define MS	1000000ULL
#define SEC	1000000000ULL

struct end {
	int e;
	u64 due;
	bool broken_table, broken_card;
	u32 lag;		/* percent of link queries that give the state of the last one */
	struct lane_link link;
	u32 notes[LANE_NOTE_CODES];
	struct lane_note last[LANE_NOTE_CODES];
	u32 plans;		/* standby plans loaded into the card */
	u32 tests;		/* lane tests begun */
	bool no_tests;		/* the card doesn't */
	struct lane_agent agent;
};

static struct sim_link sim;
static struct end ends[2];
static u32 incarnations;
static struct lane_map got;

static int op_link(void *card, struct lane_link *link)
{
	struct end *end = card;

	if (end->broken_card)
		return -5;
	if (!rng_chance(&sim.rng, end->lag)) {
		end->link.state = PNIC_LINK_UP;
		end->link.gen_rx = sim_gen(&sim, end->e, PNIC_DIR_RX);
		end->link.gen_tx = sim_gen(&sim, end->e, PNIC_DIR_TX);
	}
	*link = end->link;
	return 0;
}

static int op_table(void *card, void *buf, size_t cap)
{
	struct end *end = card;
	int len = end->broken_card ? -5 : sim_table(&sim, end->e, buf, cap);

	if (end->broken_table)
		((struct pnic_lane_table *)buf)->count = cpu_to_le16(7);
	return len;
}

static int op_map_get(void *card, u8 dir, void *buf, size_t cap)
{
	struct end *end = card;

	if (end->broken_card)
		return -5;
	sim_map(&sim, end->e, dir, &got);
	return lane_map_encode(&got, buf, cap);
}

static int op_stage(void *card, u8 dir, u32 generation, const void *map, size_t len)
{
	struct end *end = card;

	if (!lane_map_decode(&got, map, len) || got.generation != generation)
		sim.broken = "bytes handed to the card are no map";
	return sim_stage(&sim, end->e, dir, &got);
}

static int op_switch(void *card, u32 generation)
{
	struct end *end = card;

	return sim_switch(&sim, end->e, generation);
}

static int op_abort(void *card, u8 dir, u32 generation)
{
	struct end *end = card;

	return sim_abort(&sim, end->e, dir, generation);
}

static int op_send(void *card, const void *msg, size_t len)
{
	struct end *end = card;

	return sim_send(&sim, end->e, msg, len);
}

static int op_recv(void *card, void *buf, size_t cap)
{
	struct end *end = card;

	(void)cap;
	return sim_recv(&sim, end->e, buf);
}

static int op_standby(void *card, u8 dir, u32 generation, const void *map, size_t len)
{
	struct end *end = card;

	got.width = 0;
	if (len && (!lane_map_decode(&got, map, len) || got.generation != generation))
		sim.broken = "bytes handed to the card are no plan";
	got.generation = generation;
	end->plans++;
	return sim_standby(&sim, end->e, dir, &got);
}

static int op_lane_test(void *card, u16 lane, u32 mbits)
{
	struct end *end = card;

	(void)lane;
	if (end->no_tests)
		return -5;
	end->tests += mbits > 0;
	return 0;
}

static void op_note(void *card, const struct lane_note *note)
{
	struct end *end = card;

	end->notes[note->code]++;
	end->last[note->code] = *note;
	if (getenv("LANE_TALK")) {
		char text[LANE_NOTE_TEXT_MAX];

		lane_note_text(note, text, sizeof(text));
		ktap_say("%9llu us, end %d: %s", (unsigned long long)(note->at / 1000),
			 end->e, text);
	}
}

static const struct lane_card_ops ops = {
	.link = op_link,
	.table = op_table,
	.map_get = op_map_get,
	.mgmt_recv = op_recv,
	.map_stage = op_stage,
	.map_switch = op_switch,
	.map_abort = op_abort,
	.mgmt_send = op_send,
	.note = op_note,
};

/* A card that can do all. */
static const struct lane_card_ops ops_all = {
	.link = op_link,
	.table = op_table,
	.map_get = op_map_get,
	.mgmt_recv = op_recv,
	.map_stage = op_stage,
	.map_switch = op_switch,
	.map_abort = op_abort,
	.mgmt_send = op_send,
	.standby = op_standby,
	.lane_test = op_lane_test,
	.note = op_note,
};

static const struct lane_card_ops *card_ops = &ops;
static struct lane_agent_cfg cfg;

static inline int start_end(int e)
{
	struct end *end = &ends[e];

	end->e = e;
	end->due = sim.now;
	end->link = (struct lane_link){ PNIC_LINK_UP, 1, 1 };
	return lane_agent_init(&end->agent, &cfg, card_ops, end, ++incarnations, sim.now);
}

static inline void start(u16 data, u16 total, u64 seed)
{
	int e;

	lane_agent_cfg_default(&cfg);
	cfg.policy.shape = (struct lane_shape){ data, total };
	cfg.policy.fec = (struct lane_fec){ 544, 514, 10, false };
	cfg.policy.grid_x = 20;
	cfg.policy.grid_y = (total + 19) / 20;
	sim_init(&sim, &cfg.policy.shape, seed);
	sim.flight = 1 * US;
	sim.flight_spread = 200;
	sim.heartbeat_ns = 100 * US;
	for (e = 0; e < 2; e++) {
		memset(ends[e].notes, 0, sizeof(ends[e].notes));
		ends[e].broken_table = false;
		ends[e].broken_card = false;
		ends[e].lag = 0;
		ends[e].no_tests = false;
		ends[e].plans = 0;
		ends[e].tests = 0;
		REQUIRE_EQ(start_end(e), 0);
	}
}

static inline void run_for(u64 ns)
{
	u64 stop = sim.now + ns;

	for (;;) {
		u64 at = sim_next(&sim);
		int e;

		for (e = 0; e < 2; e++)
			at = ends[e].due < at ? ends[e].due : at;
		if (at > stop)
			break;
		sim_advance(&sim, at > sim.now ? at : sim.now);
		for (e = 0; e < 2; e++)
			ends[e].due = lane_agent_run(&ends[e].agent, sim.now);
		REQUIRE(!sim.broken);
	}
	sim_advance(&sim, stop);
}

/* A lane from end 1 to end 0 (or the other way) dies; the receiver's card says so. */
static inline void lose(int receiver, u16 lane)
{
	sim_lane(&sim, !receiver, lane, true);
	lane_agent_lanes(&ends[receiver].agent, sim.now);
	if (ends[receiver].due > sim.now)
		ends[receiver].due = sim.now;
}

static inline void heal(int receiver, u16 lane)
{
	sim_lane(&sim, !receiver, lane, false);
	lane_agent_lanes(&ends[receiver].agent, sim.now);
	ends[receiver].due = sim.now;
}

static inline u16 dark_in_map(int receiver)
{
	const struct sim_dir *d = &sim.dir[!receiver];
	u16 dark = 0, l;

	for (l = 0; l < d->rx.width; l++)
		dark += d->dark[d->rx.phys[l]];
	return dark;
}

static inline void check_agreed(void)
{
	CHECK_EQ(ends[0].notes[LANE_NOTE_NONSENSE] + ends[1].notes[LANE_NOTE_NONSENSE], 0);
	CHECK(sim_settled(&sim));
	CHECK(lane_proto_agreed(&ends[0].agent.proto));
	CHECK(lane_proto_agreed(&ends[1].agent.proto));
}

#endif /* LANE_TEST_AGENTS_H */
