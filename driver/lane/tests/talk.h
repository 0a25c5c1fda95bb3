/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One end of the lane protocol, and a peer made by hand: for the tests that look at
 * transitions and conversations.
 */
#ifndef LANE_TEST_TALK_H
#define LANE_TEST_TALK_H

#include "selftests/ktap.h"
#include "proto_cases.h"

#define US		0x22222222u
#define PEER		0x11111111u

static struct lane_proto p;
static struct lane_proto_cfg cfg;
static struct lane_map map;
KTAP_UNUSED static struct lane_map next;
static u32 buf[LANE_MSG_MAX / 4];
static u32 peer_seq;
static u64 now;

/*
 * P propose, A accept, R reject, G go, C confirm, H heartbeat, N plan, D planned; s stage,
 * w switch, a abort, l load a standby plan (or none); reports are left out.
 */
KTAP_UNUSED static void actions_of(char *out)
{
	static const char sends[LANE_MSG_TYPES] = {
		[LANE_MSG_HELLO] = 'L', [LANE_MSG_HEARTBEAT] = 'H', [LANE_MSG_PROPOSE] = 'P',
		[LANE_MSG_ACCEPT] = 'A', [LANE_MSG_REJECT] = 'R', [LANE_MSG_GO] = 'G',
		[LANE_MSG_CONFIRM] = 'C', [LANE_MSG_PLAN] = 'N', [LANE_MSG_PLANNED] = 'D',
	};
	struct lane_action act;

	while (lane_proto_next_action(&p, &act)) {
		if (act.type == LANE_ACT_SEND)
			*out++ = sends[act.msg];
		else if (act.type == LANE_ACT_STAGE)
			*out++ = 's';
		else if (act.type == LANE_ACT_SWITCH)
			*out++ = 'w';
		else if (act.type == LANE_ACT_ABORT)
			*out++ = 'a';
		else if (act.type == LANE_ACT_STANDBY)
			*out++ = 'l';
	}
	*out = 0;
}

KTAP_UNUSED static void fresh(void)
{
	lane_proto_cfg_default(&cfg);
	cfg.shape = (struct lane_shape){ 425, 460 };
	lane_map_identity(&map, 425);
	memset(&p, 0x5a, sizeof(p));
	now = 1000000000;
	lane_proto_init(&p, &cfg, US, &map, &map, now);
	peer_seq = 0;
}

KTAP_UNUSED static struct transition lookup(const struct transition *want, size_t n,
						u8 state, u8 event)
{
	struct transition none = { state, event, state, "" };

	while (n--)
		if (want[n].state == state && want[n].event == event)
			return want[n];
	return none;
}

/* A message of a peer that runs what we run, unless the test changes it. */
KTAP_UNUSED static struct lane_msg from_peer(u8 type)
{
	struct lane_msg m = {
		.type = type, .known = true, .from = PEER, .to = US,
		.seq = ++peer_seq, .echo = p.seq,
		.report = {
			p.tx.active.generation, p.tx.sum, p.rx.active.generation, p.rx.sum,
			p.tx.active.width, p.rx.active.width,
		},
		.data = 425, .total = 460, .msg_max = 2048,
	};

	return m;
}

KTAP_UNUSED static void hear(const struct lane_msg *m)
{
	size_t len = lane_msg_encode(m, buf, sizeof(buf));

	lane_proto_rx_msg(&p, buf, len, now);
}

/* What was done, and the last REJECT's reason. */
static char did[2 * LANE_ACTIONS_MAX];
static u16 reason;
static u32 noted[LANE_NOTE_CODES];

KTAP_UNUSED static const char *done(void)
{
	u16 i;

	reason = 0;
	for (i = 0; i < p.nr_actions; i++) {
		if (p.action[i].type == LANE_ACT_SEND && p.action[i].msg == LANE_MSG_REJECT)
			reason = p.action[i].reason;
		if (p.action[i].type == LANE_ACT_REPORT)
			noted[p.action[i].note.code]++;
		/* Sending counts. */
		if (p.action[i].type == LANE_ACT_SEND)
			lane_proto_encode(&p, &p.action[i], buf, sizeof(buf));
	}
	actions_of(did);
	return did;
}

KTAP_UNUSED static void meet(void)
{
	struct lane_msg m;

	fresh();
	memset(noted, 0, sizeof(noted));
	lane_proto_tick(&p, now);
	CHECK_STREQ(done(), "L");
	m = from_peer(LANE_MSG_HELLO);
	hear(&m);
	CHECK_STREQ(done(), "H");
	REQUIRE(p.peer.known);
	CHECK_EQ(noted[LANE_NOTE_PEER], 1);
}

#endif /* LANE_TEST_TALK_H */
