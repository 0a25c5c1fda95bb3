// SPDX-License-Identifier: GPL-2.0
/*
 * Both ends of the lane protocol in one process.
 */
#include "selftests/ktap.h"
#include "pair.h"

struct sim_link sim;
struct pair_end ends[2];
u64 pair_switches;
bool pair_most_actions;

static struct lane_map scratch, other;
static u32 incarnations;

const struct lane_proto_cfg pair_knobs = {
	.msg_max = LANE_MSG_MAX,
	.retry_ns = 20,
	.retry_max_ns = 160,
	.heartbeat_ns = 100,
	.grace_ns = 15,
	.stage_hold_ns = 600,
	.plan_renew_ns = 2000,
	.plan_tries = 16,
	.stuck_tries = 8,
};

static void start(int e)
{
	struct lane_proto_cfg cfg = pair_knobs;

	cfg.shape = sim.shape;
	sim_map(&sim, e, PNIC_DIR_RX, &scratch);
	sim_map(&sim, e, PNIC_DIR_TX, &other);
	lane_proto_init(&ends[e].proto, &cfg, ++incarnations, &scratch, &other, sim.now);
	ends[e].dead = false;
	ends[e].notice_at = LANE_NEVER;
	ends[e].verify_at = sim.now + pair_knobs.heartbeat_ns / 2;
}

void pair_start(void)
{
	int e;

	for (e = 0; e < 2; e++) {
		start(e);
		ends[e].manners = PAIR_GOOD;
		memset(ends[e].notes, 0, sizeof(ends[e].notes));
		ends[e].by_card = 0;
		ends[e].sent = 0;
	}
}

void pair_reset(int e, u64 back_after)
{
	sim_reset(&sim, e);
	ends[e].dead = true;
	ends[e].back_at = sim.now + back_after;
}

static void read_map(int e, u8 dir)
{
	u32 known = dir == PNIC_DIR_RX ? ends[e].proto.rx.active.generation :
					 ends[e].proto.tx.active.generation;

	sim_map(&sim, e, dir, &scratch);
	lane_proto_hw_map(&ends[e].proto, dir, &scratch, sim.now);
	pair_switches += scratch.generation != known;
}

/* Generations tell whether a map was switched. */
static void notice(int e)
{
	if (sim_gen(&sim, e, PNIC_DIR_RX) != ends[e].proto.rx.active.generation)
		read_map(e, PNIC_DIR_RX);
	if (ends[e].manners != PAIR_LIAR &&
	    sim_gen(&sim, e, PNIC_DIR_TX) != ends[e].proto.tx.active.generation)
		read_map(e, PNIC_DIR_TX);
	ends[e].notice_at = LANE_NEVER;
}

/* They don't if a card has gone mad: its maps are read twice in each heartbeat. */
static void verify(int e)
{
	ends[e].verify_at = sim.now + pair_knobs.heartbeat_ns / 2;
	read_map(e, PNIC_DIR_RX);
	if (ends[e].manners != PAIR_LIAR)
		read_map(e, PNIC_DIR_TX);
}

static void stage(int e, u8 dir)
{
	struct lane_proto *p = &ends[e].proto;
	int err = sim_stage(&sim, e, dir, lane_proto_staged_map(p, dir));

	if (!err && dir == PNIC_DIR_RX && rng_chance(&sim.rng, sim.refuse))
		err = LANE_REJECT_DARK;
	lane_proto_staged(p, dir, err < 0 ? LANE_REJECT_CARD : err, sim.now);
}

static void do_switch(int e, u32 generation)
{
	struct lane_proto *p = &ends[e].proto;
	int err;

	if (ends[e].manners == PAIR_LAZY)
		return;
	if (ends[e].manners == PAIR_LIAR) {
		lane_map_copy(&scratch, lane_proto_staged_map(p, PNIC_DIR_TX));
		sim_abort(&sim, e, PNIC_DIR_TX, generation);
		lane_proto_hw_map(p, PNIC_DIR_TX, &scratch, sim.now);
		return;
	}
	err = sim_switch(&sim, e, generation);
	lane_proto_switch_done(p, !err, sim.now);
	if (!err)
		read_map(e, PNIC_DIR_TX);
}

static void standby(int e, u8 dir)
{
	struct lane_proto *p = &ends[e].proto;
	int err;

	lane_map_copy(&scratch, lane_proto_standby_map(p, dir));
	err = sim_standby(&sim, e, dir, &scratch);
	lane_proto_standby_done(p, dir, !err, sim.now);
}

static void babble(int e)
{
	u32 noise[64];
	u32 i, len = rng_below(&sim.rng, sizeof(noise) + 1);

	for (i = 0; i < 64; i++)
		noise[i] = rng_next(&sim.rng);
	noise[0] = (noise[0] & 0xffff0f00) | LANE_MSG_VERSION;
	sim_send(&sim, e, noise, len);
}

static bool keeps_quiet(const struct pair_end *end, u8 msg)
{
	switch (end->manners) {
	case PAIR_SILENT:
		return true;
	case PAIR_SHY:
		return msg == LANE_MSG_ACCEPT || msg == LANE_MSG_REJECT || msg == LANE_MSG_PLANNED;
	case PAIR_OLD:
		return msg == LANE_MSG_PLAN || msg == LANE_MSG_PLANNED;
	default:
		return false;
	}
}

static void send_it(int e, const struct lane_action *act)
{
	static u32 buf[LANE_MSG_MAX / 4];
	size_t len = lane_proto_encode(&ends[e].proto, act, buf, sizeof(buf));

	ends[e].sent += len != 0;
	if (!len || keeps_quiet(&ends[e], act->msg))
		return;
	if (ends[e].manners == PAIR_BABBLER) {
		babble(e);
		buf[rng_below(&sim.rng, len / 4)] ^= 1u << rng_below(&sim.rng, 32);
	}
	sim_send(&sim, e, buf, len);
}

static void take_note(int e, const struct lane_note *note)
{
	ends[e].notes[note->code]++;
	ends[e].noted_at[note->code] = sim.now;
	if (note->code == LANE_NOTE_SWITCHED && note->actor == LANE_ACTOR_CARD)
		ends[e].by_card++;
}

void pair_carry_out(int e)
{
	struct lane_proto *p = &ends[e].proto;
	struct lane_action act;

	if (p->nr_actions >= LANE_ACTIONS_MAX)
		pair_most_actions = true;
	while (lane_proto_next_action(p, &act)) {
		switch (act.type) {
		case LANE_ACT_SEND:
			send_it(e, &act);
			break;
		case LANE_ACT_STAGE:
			stage(e, act.dir);
			break;
		case LANE_ACT_SWITCH:
			do_switch(e, act.generation);
			break;
		case LANE_ACT_ABORT:
			sim_abort(&sim, e, act.dir, act.generation);
			break;
		case LANE_ACT_STANDBY:
			standby(e, act.dir);
			break;
		case LANE_ACT_REPORT:
			take_note(e, &act.note);
			break;
		}
	}
}

static bool is_plan(const u32 *buf)
{
	u8 type = ((const struct lane_wire_head *)buf)->type;

	return type == LANE_MSG_PLAN || type == LANE_MSG_PLANNED;
}

static void take_messages(int e)
{
	static u32 buf[LANE_MSG_MAX / 4];
	int len;

	while ((len = sim_recv(&sim, e, buf)) > 0) {
		if (ends[e].manners == PAIR_OLD && is_plan(buf))
			continue;
		notice(e);
		pair_carry_out(e);
		lane_proto_rx_msg(&ends[e].proto, buf, len, sim.now);
		pair_carry_out(e);
	}
}

static void run_end(int e)
{
	static u32 buf[LANE_MSG_MAX / 4];
	struct lane_proto *p = &ends[e].proto;

	if (ends[e].dead) {
		while (sim_recv(&sim, e, buf))
			;
		if (sim.now < ends[e].back_at)
			return;
		start(e);
	}
	take_messages(e);
	/* Events of the card are seen now or some time later. */
	if (sim_gen(&sim, e, PNIC_DIR_RX) != p->rx.active.generation &&
	    ends[e].notice_at == LANE_NEVER)
		ends[e].notice_at = sim.now + rng_below(&sim.rng, 8);
	if (sim.now >= ends[e].verify_at) {
		verify(e);
		pair_carry_out(e);
	}
	if (sim.now >= ends[e].notice_at) {
		notice(e);
		pair_carry_out(e);
	}
	if (sim.now >= lane_proto_due(p)) {
		notice(e);
		pair_carry_out(e);
		lane_proto_tick(p, sim.now);
		pair_carry_out(e);
	}
}

static u64 end_due(int e)
{
	u64 due;

	if (ends[e].dead)
		return ends[e].back_at;
	due = lane_proto_due(&ends[e].proto);
	if (ends[e].verify_at < due)
		due = ends[e].verify_at;
	return ends[e].notice_at < due ? ends[e].notice_at : due;
}

void pair_run_until(u64 stop)
{
	for (;;) {
		u64 at = sim_next(&sim);
		int e;

		for (e = 0; e < 2; e++)
			if (end_due(e) < at)
				at = end_due(e);
		if (at > stop)
			break;
		sim_advance(&sim, at > sim.now ? at : sim.now);
		run_end(0);
		run_end(1);
		if (sim.broken)
			return;
	}
	sim_advance(&sim, stop);
}

bool pair_agree(void)
{
	return sim_settled(&sim) && !ends[0].dead && !ends[1].dead &&
	       lane_proto_agreed(&ends[0].proto) && lane_proto_agreed(&ends[1].proto);
}

void pair_random_map(struct lane_map *map)
{
	u16 lane[SIM_LANES], i;

	for (i = 0; i < sim.shape.total; i++)
		lane[i] = i;
	map->width = 1 + rng_below(&sim.rng, sim.shape.data);
	for (i = 0; i < map->width; i++) {
		u16 j = i + rng_below(&sim.rng, sim.shape.total - i), t = lane[i];

		lane[i] = lane[j];
		lane[j] = t;
		map->phys[i] = lane[i];
	}
}

void pair_random_plan(int e, struct lane_map *plan)
{
	const struct lane_map *active = &ends[e].proto.rx.active;
	bool used[SIM_LANES] = { false };
	u16 l, lane;

	plan->width = active->width;
	for (l = 0; l < active->width; l++)
		used[active->phys[l]] = true;
	for (l = 0; l < plan->width; l++) {
		lane = rng_below(&sim.rng, sim.shape.total);
		plan->phys[l] = used[lane] ? LANE_NONE : lane;
	}
}

void pair_describe(void)
{
	int e;

	for (e = 0; e < 2; e++) {
		const struct lane_proto *p = &ends[e].proto;
		const struct sim_dir *d = &sim.dir[e];

		ktap_say("end %d: rx %s gen %u, tx %s gen %u; peer %s, knows us %d, candidate %u",
			 e, lane_rx_state_name(p->rx.state), p->rx.active.generation,
			 lane_tx_state_name(p->tx.state), p->tx.active.generation,
			 p->peer.known ? "known" : "unknown", p->peer.knows_us, p->peer.candidate);
		ktap_say("  plans: rx %s, tx %s", lane_rx_plan_state_name(p->rx.plan.state),
			 lane_tx_plan_state_name(p->tx.plan.state));
		ktap_say("  sent: card tx %u, line %u, card rx %u, staged %u, %u; %u lanes lit",
			 d->tx.generation, d->line.generation, d->rx.generation,
			 d->tx_staged.generation, d->rx_staged.generation, d->lit);
		ktap_say("  plans of it: tx %u, rx %u, asking %d", d->tx_plan.generation,
			 d->rx_plan.generation, d->asking);
	}
}
