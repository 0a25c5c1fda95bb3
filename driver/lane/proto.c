// SPDX-License-Identifier: GPL-2.0
/*
 * The lane protocol: the peer, its messages, time, and what both state machines use.
 */
#include "proto_priv.h"

#define MS			1000000ULL
#define ASK_HEARTBEATS		2	/* nothing heard for so long: asks */
#define SILENT_HEARTBEATS	4
#define NONSENSE_PAUSE		(10000 * MS)	/* between notes of it */

void lane_proto_cfg_default(struct lane_proto_cfg *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	cfg->msg_max = LANE_MSG_MAX;
	cfg->retry_ns = 20 * MS;
	cfg->retry_max_ns = 1000 * MS;
	cfg->heartbeat_ns = 250 * MS;
	cfg->grace_ns = 10 * MS;
	cfg->stage_hold_ns = 2000 * MS;
	cfg->plan_renew_ns = 10000 * MS;
	cfg->plan_tries = 8;
	cfg->stuck_tries = 8;
}

/* ---- actions ---- */

static struct lane_action *new_action(struct lane_proto *p, u8 type)
{
	struct lane_action *a;

	if (p->nr_actions >= LANE_ACTIONS_MAX)
		return NULL;
	a = &p->action[p->nr_actions++];
	memset(a, 0, sizeof(*a));
	a->type = type;
	return a;
}

bool lane_proto_next_action(struct lane_proto *p, struct lane_action *action)
{
	if (p->next_action >= p->nr_actions) {
		p->next_action = 0;
		p->nr_actions = 0;
		return false;
	}
	*action = p->action[p->next_action++];
	return true;
}

void lane_proto_act(struct lane_proto *p, u8 type, u8 dir, u32 generation)
{
	struct lane_action *a = new_action(p, type);

	if (!a)
		return;
	a->dir = dir;
	a->generation = generation;
}

void lane_proto_send(struct lane_proto *p, u8 msg)
{
	struct lane_action *a = new_action(p, LANE_ACT_SEND);

	if (a)
		a->msg = msg;
}

void lane_proto_ask(struct lane_proto *p)
{
	struct lane_action *a = new_action(p, LANE_ACT_SEND);

	if (!a)
		return;
	a->msg = LANE_MSG_HEARTBEAT;
	a->ask = true;
}

void lane_proto_send_ref(struct lane_proto *p, u8 msg, u32 id, u32 generation, u32 sum, u16 reason)
{
	struct lane_action *a = new_action(p, LANE_ACT_SEND);

	if (!a)
		return;
	a->msg = msg;
	a->id = id;
	a->generation = generation;
	a->sum = sum;
	a->reason = reason;
}

void lane_proto_report(struct lane_proto *p, u8 code, u8 dir, u32 a, u32 b, u64 now)
{
	struct lane_action *action = new_action(p, LANE_ACT_REPORT);

	if (!action)
		return;
	action->note.at = now;
	action->note.code = code;
	action->note.dir = dir;
	action->note.a = a;
	action->note.b = b;
}

void lane_proto_report_switch(struct lane_proto *p, u8 dir, const struct lane_map *map, bool card,
			      u64 now)
{
	lane_proto_report(p, LANE_NOTE_SWITCHED, dir, map->generation, map->width, now);
	if (card && p->nr_actions)
		p->action[p->nr_actions - 1].note.actor = LANE_ACTOR_CARD;
}

u64 lane_proto_backoff(const struct lane_proto *p, u64 *ns, u64 now)
{
	*ns *= 2;
	if (*ns > p->cfg.retry_max_ns)
		*ns = p->cfg.retry_max_ns;
	return now + *ns;
}

/* ---- sending ---- */

static void fill_head(struct lane_proto *p, struct lane_msg *m)
{
	bool stranger = p->peer.candidate && m->type == LANE_MSG_HELLO;

	m->from = p->incarnation;
	m->to = stranger ? p->peer.candidate : p->peer.incarnation;
	m->known = p->peer.known && !stranger;
	m->seq = ++p->seq;
	m->echo = stranger ? p->peer.candidate_seq : p->peer.seq;
	m->report.rx_gen = p->rx.active.generation;
	m->report.rx_sum = p->rx.sum;
	m->report.rx_width = p->rx.active.width;
	m->report.tx_gen = p->tx.active.generation;
	m->report.tx_sum = p->tx.sum;
	m->report.tx_width = p->tx.active.width;
}

static void fill_moves(struct lane_proto *p, struct lane_msg *m)
{
	const struct lane_map *from = &p->rx.active, *to = &p->rx.next;
	u16 l;

	m->width = to->width;
	for (l = 0; l < to->width; l++) {
		if (l < from->width && from->phys[l] == to->phys[l])
			continue;
		p->moves[m->count].logical = cpu_to_le16(l);
		p->moves[m->count].phys = cpu_to_le16(to->phys[l]);
		m->count++;
	}
	m->moves = p->moves;
}

size_t lane_proto_encode(struct lane_proto *p, const struct lane_action *action,
			 void *buf, size_t cap)
{
	struct lane_msg m = {
		.type = action->msg,
		.answer = action->ask,
		.id = action->id,
		.generation = action->generation,
		.sum = action->sum,
		.reason = action->reason,
		.data = p->cfg.shape.data,
		.total = p->cfg.shape.total,
		.msg_max = p->cfg.msg_max,
	};

	/* Another proposal may have taken this one's place since. */
	if (m.type == LANE_MSG_PROPOSE) {
		if (m.id != p->rx.id || m.generation != p->rx.active.generation + 1)
			return 0;
		fill_moves(p, &m);
	}
	if (m.type == LANE_MSG_PLAN) {
		if (m.id != p->rx.plan.id || m.generation != p->rx.active.generation)
			return 0;
		m.sum = p->rx.plan.sum;
		lane_proto_plan_moves(p, &m);
	}
	fill_head(p, &m);
	return lane_msg_encode(&m, buf, cap);
}

const struct lane_map *lane_proto_staged_map(const struct lane_proto *p, u8 dir)
{
	return dir == PNIC_DIR_RX ? &p->rx.next : &p->tx.next;
}

/* ---- outcomes from the card ---- */

/* The next message soon: the ends differ, and every message is a report. */
static void hurry(struct lane_proto *p, u64 now)
{
	if (p->heartbeat_at > now + p->cfg.retry_ns)
		p->heartbeat_at = now + p->cfg.retry_ns;
}

/*
 * The card's map is none. What it was is kept, but no sum that is true of it: the far end
 * finds the ends astray and falls back, or has this one do it.
 */
static void impossible_map(struct lane_proto *p, u8 dir, u32 generation, int why, u64 now)
{
	u32 *sum = dir == PNIC_DIR_RX ? &p->rx.sum : &p->tx.sum;
	u32 wrong = ~lane_map_sum(dir == PNIC_DIR_RX ? &p->rx.active : &p->tx.active);

	if (*sum == wrong)
		return;
	*sum = wrong;
	hurry(p, now);
	lane_proto_report(p, LANE_NOTE_MAP, dir, generation, why, now);
	if (dir == PNIC_DIR_RX)
		lane_proto_rx_plan_event(p, LANE_RXPE_RESET, now);
	else
		lane_proto_tx_plan_event(p, LANE_TXPE_RESET, now);
}

void lane_proto_hw_map(struct lane_proto *p, u8 dir, const struct lane_map *map, u64 now)
{
	int why = lane_map_check(map, &p->cfg.shape);

	if (why)
		impossible_map(p, dir, map->generation, why, now);
	else if (dir == PNIC_DIR_RX)
		lane_proto_rx_map(p, map, now);
	else
		lane_proto_tx_map(p, map, now);
}

static void tx_refused(struct lane_proto *p, u16 refusal, u64 now)
{
	bool theirs = p->tx.state == LANE_TX_STAGING;

	lane_proto_tx_event(p, LANE_TXE_REFUSED, now);
	if (theirs)
		lane_proto_send_ref(p, LANE_MSG_REJECT, p->tx.id, p->tx.next.generation,
				    p->tx.next_sum, refusal);
}

void lane_proto_staged(struct lane_proto *p, u8 dir, u16 refusal, u64 now)
{
	u32 generation = lane_proto_staged_map(p, dir)->generation;

	if (refusal)
		lane_proto_report(p, LANE_NOTE_REFUSED, dir, generation, refusal, now);
	if (dir == PNIC_DIR_RX)
		lane_proto_rx_event(p, refusal ? LANE_RXE_REFUSED : LANE_RXE_STAGED, now);
	else if (refusal)
		tx_refused(p, refusal, now);
	else
		lane_proto_tx_event(p, LANE_TXE_STAGED, now);
}

void lane_proto_switch_done(struct lane_proto *p, bool ok, u64 now)
{
	if (ok)
		return;		/* the map itself tells when it is active */
	lane_proto_report(p, LANE_NOTE_REFUSED, PNIC_DIR_TX, p->tx.next.generation,
			  LANE_REJECT_CARD, now);
	lane_proto_tx_event(p, LANE_TXE_SWITCH_FAILED, now);
}

/* ---- the peer ---- */

static void take_peer(struct lane_proto *p, const struct lane_msg *m, u64 now)
{
	bool again = p->peer.known;

	p->peer.known = true;
	p->peer.incarnation = m->from;
	p->peer.candidate = 0;
	p->peer.seq = m->seq;
	p->peer.knows_us = m->known;
	p->peer.silent = false;
	p->peer.heard_at = now;
	p->peer.msg_max = m->msg_max;
	p->peer.report = m->report;
	lane_proto_report(p, again ? LANE_NOTE_RESTART : LANE_NOTE_PEER, 0, m->from, 0, now);
	lane_proto_rx_event(p, LANE_RXE_RESET, now);
	lane_proto_tx_event(p, LANE_TXE_PEER_RESET, now);
	lane_proto_plan_peer_reset(p, now);
	lane_proto_tx_judge(p, m->echo, true, now);
	lane_proto_send(p, m->known ? LANE_MSG_HEARTBEAT : LANE_MSG_HELLO);
}

/* Whoever answers our number can't be a message from the past. */
static bool answers_us(const struct lane_proto *p, const struct lane_msg *m)
{
	if (m->to != p->incarnation || !m->echo)
		return false;
	if (!p->peer.known)
		return true;
	return m->from == p->peer.candidate && lane_seq_reached(m->echo, p->peer.challenge);
}

static void meet_stranger(struct lane_proto *p, const struct lane_msg *m, u64 now)
{
	if (m->data != p->cfg.shape.data || m->total != p->cfg.shape.total) {
		p->nonsense++;
		if (!p->peer.told_shape)
			lane_proto_report(p, LANE_NOTE_SHAPE, 0, m->data, m->total, now);
		p->peer.told_shape = true;
		return;
	}
	if (answers_us(p, m)) {
		take_peer(p, m, now);
		return;
	}
	if (m->from == p->peer.candidate && lane_seq_reached(p->peer.candidate_seq, m->seq))
		return;		/* heard before */
	if (m->from != p->peer.candidate) {
		p->peer.candidate = m->from;
		p->peer.challenge = p->seq + 1;
		p->hello_ns = p->cfg.retry_ns;
	}
	p->peer.candidate_seq = m->seq;
	p->hello_at = now + p->hello_ns;
	lane_proto_send(p, LANE_MSG_HELLO);
}

/*
 * Its numbers grow. If it went silent, because a number was nonsense, say, they start anew with
 * whatever it sends in answer to what was sent since.
 */
static bool is_stale(const struct lane_proto *p, const struct lane_msg *m)
{
	if (p->peer.silent && lane_seq_reached(m->echo, p->peer.challenge))
		return false;
	return lane_seq_reached(p->peer.seq, m->seq);
}

static void from_peer(struct lane_proto *p, const struct lane_msg *m, u64 now)
{
	if (is_stale(p, m)) {
		p->stale++;
		return;
	}
	p->peer.seq = m->seq;
	p->peer.candidate = 0;
	p->peer.knows_us = m->known;
	p->peer.heard_at = now;
	p->peer.report = m->report;
	if (p->peer.silent) {
		lane_proto_report(p, LANE_NOTE_HEARD, 0, 0, 0, now);
		lane_proto_plan_retry(p);
	}
	p->peer.silent = false;
	lane_proto_tx_judge(p, m->echo, false, now);
	lane_proto_rx_judge(p, m->echo, now);
	if (!lane_proto_agreed(p))
		hurry(p, now);

	switch (m->type) {
	case LANE_MSG_HELLO:
		if (!m->known)
			lane_proto_send(p, LANE_MSG_HELLO);
		break;
	case LANE_MSG_HEARTBEAT:
		if (m->answer)
			lane_proto_send(p, LANE_MSG_HEARTBEAT);
		break;
	case LANE_MSG_PROPOSE:
		lane_proto_tx_proposal(p, m, now);
		break;
	case LANE_MSG_GO:
		lane_proto_tx_go(p, m, now);
		break;
	case LANE_MSG_ACCEPT:
	case LANE_MSG_REJECT:
		lane_proto_rx_answer(p, m, now);
		break;
	case LANE_MSG_PLAN:
		lane_proto_tx_plan(p, m, now);
		break;
	case LANE_MSG_PLANNED:
		lane_proto_rx_planned(p, m, now);
		break;
	}
}

static void refuse(struct lane_proto *p, int fault, const void *buf, size_t len, u64 now)
{
	const struct lane_wire_head *head = buf;

	p->nonsense++;
	if (fault != LANE_MSG_VERSIONED) {
		if (now < p->nonsense_at)
			return;
		lane_proto_report(p, LANE_NOTE_NONSENSE, 0, fault, len, now);
		p->nonsense_at = now + NONSENSE_PAUSE;
		return;
	}
	if (!p->peer.told_version)
		lane_proto_report(p, LANE_NOTE_VERSION, 0, head->version, 0, now);
	p->peer.told_version = true;
}

void lane_proto_rx_msg(struct lane_proto *p, const void *buf, size_t len, u64 now)
{
	int fault;
	struct lane_msg m;

	fault = lane_msg_decode(&m, buf, len);
	if (fault)
		refuse(p, fault, buf, len, now);
	else if (p->peer.known && m.from == p->peer.incarnation && m.to == p->incarnation)
		from_peer(p, &m, now);
	else if (m.type == LANE_MSG_HELLO)
		meet_stranger(p, &m, now);
	else
		p->stale++;
}

/* ---- time ---- */

void lane_proto_init(struct lane_proto *p, const struct lane_proto_cfg *cfg, u32 incarnation,
		     const struct lane_map *rx, const struct lane_map *tx, u64 now)
{
	p->cfg = *cfg;
	p->incarnation = incarnation;
	p->seq = 0;
	p->heartbeat_at = now;
	p->hello_at = now;
	p->hello_ns = cfg->retry_ns;
	memset(&p->peer, 0, sizeof(p->peer));
	/* One that is never heard is silent as well. */
	p->peer.heard_at = now;
	p->nonsense = 0;
	p->nonsense_at = 0;
	p->stale = 0;
	p->nr_actions = 0;
	p->next_action = 0;
	lane_proto_rx_init(p, rx);
	lane_proto_tx_init(p, tx);
	lane_proto_plan_init(p);
}

bool lane_proto_agreed(const struct lane_proto *p)
{
	return p->peer.known && lane_proto_tx_agrees(p) &&
	       p->peer.report.tx_gen == p->rx.active.generation &&
	       p->peer.report.tx_sum == p->rx.sum;
}

static bool introduces(const struct lane_proto *p)
{
	return !p->peer.known || !p->peer.knows_us || p->peer.candidate;
}

static bool quiet(const struct lane_proto *p, u32 heartbeats, u64 now)
{
	return now >= p->peer.heard_at + heartbeats * p->cfg.heartbeat_ns;
}

static u64 silent_at(const struct lane_proto *p)
{
	if (p->peer.silent)
		return LANE_NEVER;
	return p->peer.heard_at + SILENT_HEARTBEATS * p->cfg.heartbeat_ns;
}

u64 lane_proto_due(const struct lane_proto *p)
{
	u64 due = p->peer.known ? p->heartbeat_at : LANE_NEVER;
	u64 at[5];
	u16 i;

	at[0] = introduces(p) ? p->hello_at : LANE_NEVER;
	at[1] = silent_at(p);
	at[2] = lane_proto_rx_due(p);
	at[3] = lane_proto_tx_due(p);
	at[4] = lane_proto_plan_due(p);
	for (i = 0; i < 5; i++)
		if (at[i] < due)
			due = at[i];
	return due;
}

void lane_proto_tick(struct lane_proto *p, u64 now)
{
	lane_proto_rx_tick(p, now);
	lane_proto_tx_tick(p, now);
	lane_proto_plan_tick(p, now);
	if (introduces(p) && now >= p->hello_at) {
		lane_proto_send(p, LANE_MSG_HELLO);
		p->hello_at = lane_proto_backoff(p, &p->hello_ns, now);
	}
	if (p->peer.known && now >= p->heartbeat_at) {
		if (lane_proto_agreed(p) && !quiet(p, ASK_HEARTBEATS, now))
			lane_proto_send(p, LANE_MSG_HEARTBEAT);
		else
			lane_proto_ask(p);
		p->heartbeat_at = now + p->cfg.heartbeat_ns;
	}
	if (now >= silent_at(p)) {
		lane_proto_report(p, LANE_NOTE_SILENT, 0,
				  lane_div64(now - p->peer.heard_at, MS), 0, now);
		p->peer.silent = true;
		p->peer.challenge = p->seq + 1;
	}
}
