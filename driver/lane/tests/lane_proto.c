// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the lane protocol: every transition with its actions, then what each end
 * answers to what, by hand-made messages.
 */
#include "rng.h"
#include "talk.h"

/* ---- both tables ---- */

KTAP_TEST(receiver_transitions)
{
	const size_t n = sizeof(rx_want) / sizeof(*rx_want);
	char did[2 * LANE_ACTIONS_MAX];
	u8 state, event;

	for (state = LANE_RX_IDLE; state < LANE_RX_STATES; state++)
		for (event = 0; event < LANE_RX_EVENTS; event++) {
			struct transition t = lookup(rx_want, n, state, event);

			fresh();
			lane_map_copy(&p.rx.next, &map);
			p.rx.next.generation = 2;
			p.rx.id = 1;
			p.rx.state = state;
			lane_proto_rx_event(&p, event, now);
			actions_of(did);
			if (p.rx.state != t.next || strcmp(did, t.does))
				ktap_say("in %s, event %u: %s, \"%s\"", lane_rx_state_name(state),
					 event, lane_rx_state_name(p.rx.state), did);
			CHECK_EQ(p.rx.state, t.next);
			CHECK_STREQ(did, t.does);
		}
}

KTAP_TEST(transmitter_transitions)
{
	const size_t n = sizeof(tx_want) / sizeof(*tx_want);
	char did[2 * LANE_ACTIONS_MAX];
	u8 state, event;

	for (state = LANE_TX_IDLE; state < LANE_TX_STATES; state++)
		for (event = 0; event < LANE_TX_EVENTS; event++) {
			struct transition t = lookup(tx_want, n, state, event);

			fresh();
			lane_map_copy(&p.tx.next, &map);
			p.tx.next.generation = 2;
			p.tx.id = 1;
			p.tx.state = state;
			lane_proto_tx_event(&p, event, now);
			actions_of(did);
			if (p.tx.state != t.next || strcmp(did, t.does))
				ktap_say("in %s, event %u: %s, \"%s\"", lane_tx_state_name(state),
					 event, lane_tx_state_name(p.tx.state), did);
			CHECK_EQ(p.tx.state, t.next);
			CHECK_STREQ(did, t.does);
		}
}

KTAP_TEST(states_have_names)
{
	CHECK_STREQ(lane_rx_state_name(LANE_RX_GO), "go");
	CHECK_STREQ(lane_tx_state_name(LANE_TX_UNCONFIRMED), "unconfirmed");
	CHECK_STREQ(lane_rx_state_name(0), "?");
	CHECK_STREQ(lane_rx_state_name(200), "?");
	CHECK_STREQ(lane_tx_state_name(200), "?");
}

/* ---- conversations ---- */

/* A good proposal from the peer: logical 5 to @lane. */
static struct lane_msg proposal(u32 id, u16 lane)
{
	static struct lane_wire_move move;
	struct lane_msg m = from_peer(LANE_MSG_PROPOSE);

	lane_map_copy(&next, &p.tx.active);
	next.phys[5] = lane;
	move.logical = cpu_to_le16(5);
	move.phys = cpu_to_le16(lane);
	m.id = id;
	m.generation = p.tx.active.generation + 1;
	m.width = next.width;
	m.count = 1;
	m.moves = &move;
	m.sum = lane_map_sum(&next);
	return m;
}

static struct lane_msg reference(u8 type, const struct lane_msg *to)
{
	struct lane_msg m = from_peer(type);

	m.id = to->id;
	m.generation = to->generation;
	m.sum = to->sum;
	return m;
}

/* Proposal to staged. */
static struct lane_msg stage_one(void)
{
	struct lane_msg m = proposal(1, 430);

	hear(&m);
	CHECK_STREQ(done(), "s");
	CHECK_EQ(lane_proto_staged_map(&p, PNIC_DIR_TX)->phys[5], 430);
	lane_proto_staged(&p, PNIC_DIR_TX, 0, now);
	CHECK_STREQ(done(), "A");
	return m;
}

static void switched(void)
{
	lane_proto_switch_done(&p, true, now);
	lane_map_copy(&map, &p.tx.next);
	lane_proto_hw_map(&p, PNIC_DIR_TX, &map, now);
}

KTAP_TEST(transmitter_of_a_whole_change)
{
	struct lane_msg m, go;

	meet();
	m = stage_one();
	go = reference(LANE_MSG_GO, &m);
	hear(&go);
	CHECK_STREQ(done(), "w");
	switched();
	CHECK_STREQ(done(), "H");
	CHECK_EQ(p.tx.state, LANE_TX_UNCONFIRMED);
	CHECK_EQ(p.tx.active.generation, 2);
	CHECK(!lane_proto_agreed(&p));
	m = reference(LANE_MSG_CONFIRM, &m);
	hear(&m);
	CHECK_STREQ(done(), "");
	CHECK_EQ(p.tx.state, LANE_TX_IDLE);
	CHECK(lane_proto_agreed(&p));
}

KTAP_TEST(receiver_of_a_whole_change)
{
	struct lane_msg m;

	meet();
	lane_map_identity(&next, 425);
	next.phys[5] = 430;
	CHECK_EQ(lane_proto_propose(&p, &next, now), LANE_PROPOSE_OK);
	CHECK_STREQ(done(), "P");
	/* The same again is under way already. */
	CHECK_EQ(lane_proto_propose(&p, &next, now), LANE_PROPOSE_OK);
	CHECK_STREQ(done(), "");
	m = from_peer(LANE_MSG_ACCEPT);
	m.id = p.rx.id;
	m.generation = 2;
	hear(&m);
	CHECK_STREQ(done(), "s");
	lane_proto_staged(&p, PNIC_DIR_RX, 0, now);
	CHECK_STREQ(done(), "G");
	CHECK_EQ(lane_proto_propose(&p, &map, now), LANE_PROPOSE_BUSY);
	lane_map_copy(&map, &p.rx.next);
	lane_proto_hw_map(&p, PNIC_DIR_RX, &map, now);
	CHECK_STREQ(done(), "C");
	CHECK_EQ(p.rx.state, LANE_RX_IDLE);
	CHECK_EQ(p.rx.active.generation, 2);
	CHECK_EQ(noted[LANE_NOTE_SWITCHED], 1);
}

KTAP_TEST(repeated_messages_are_answered_again)
{
	struct lane_msg m, again, go;

	meet();
	m = stage_one();
	again = m;
	again.seq = ++peer_seq;
	hear(&again);
	CHECK_STREQ(done(), "A");
	go = reference(LANE_MSG_GO, &m);
	hear(&go);
	CHECK_STREQ(done(), "w");
	/* GO again before the card is through, and after. */
	go.seq = ++peer_seq;
	hear(&go);
	CHECK_STREQ(done(), "");
	switched();
	CHECK_STREQ(done(), "H");
	go.seq = ++peer_seq;
	hear(&go);
	CHECK_STREQ(done(), "H");
	/* The very same message, by its number, is dropped. */
	hear(&go);
	CHECK_STREQ(done(), "");
	CHECK_EQ(p.stale, 1);
}

KTAP_TEST(wrong_proposals_are_rejected)
{
	static struct lane_wire_move moves[2];
	struct lane_msg m;

	meet();
	m = proposal(1, 430);
	m.generation = 3;
	hear(&m);
	CHECK_STREQ(done(), "R");
	CHECK_EQ(reason, LANE_REJECT_GENERATION);
	m = proposal(2, 430);
	m.sum++;
	hear(&m);
	CHECK_STREQ(done(), "R");
	CHECK_EQ(reason, LANE_REJECT_SUM);
	m = proposal(3, 460);
	hear(&m);
	CHECK_STREQ(done(), "R");
	CHECK_EQ(reason, LANE_REJECT_RANGE);
	m = proposal(4, 6);
	hear(&m);
	CHECK_STREQ(done(), "R");
	CHECK_EQ(reason, LANE_REJECT_TWICE);
	m = proposal(5, 430);
	m.width = 426;
	hear(&m);
	CHECK_STREQ(done(), "R");
	CHECK_EQ(reason, LANE_REJECT_WIDTH);
	/* The receiver doesn't run our map, so its moves mean something else. */
	m = proposal(6, 430);
	m.report.rx_sum++;
	hear(&m);
	CHECK_STREQ(done(), "R");
	CHECK_EQ(reason, LANE_REJECT_GENERATION);
	CHECK_EQ(p.tx.state, LANE_TX_IDLE);
	/* Growth that doesn't name all new lanes. */
	meet();
	lane_map_identity(&map, 420);
	map.generation = 2;
	lane_proto_hw_map(&p, PNIC_DIR_TX, &map, now);
	done();
	m = from_peer(LANE_MSG_PROPOSE);
	m.id = 7;
	m.generation = 3;
	m.width = 422;
	moves[0].logical = cpu_to_le16(421);
	moves[0].phys = cpu_to_le16(430);
	m.moves = moves;
	m.count = 1;
	hear(&m);
	CHECK_STREQ(done(), "R");
	CHECK_EQ(reason, LANE_REJECT_RANGE);
}

KTAP_TEST(go_only_for_what_is_staged)
{
	struct lane_msg m, go;

	meet();
	m = proposal(1, 430);
	go = reference(LANE_MSG_GO, &m);
	hear(&go);
	CHECK_STREQ(done(), "R");
	CHECK_EQ(reason, LANE_REJECT_NOT_STAGED);
	m = stage_one();
	go = reference(LANE_MSG_GO, &m);
	go.id++;
	hear(&go);
	CHECK_STREQ(done(), "R");
	go = reference(LANE_MSG_GO, &m);
	go.sum++;
	hear(&go);
	CHECK_STREQ(done(), "R");
	CHECK_EQ(p.tx.state, LANE_TX_STAGED);
	/* Held for a while only. */
	now += cfg.stage_hold_ns;
	lane_proto_tick(&p, now);
	CHECK(strchr(done(), 'a'));
	CHECK_EQ(p.tx.state, LANE_TX_IDLE);
	go = reference(LANE_MSG_GO, &m);
	hear(&go);
	CHECK_STREQ(done(), "R");
}

KTAP_TEST(card_refuses_staging)
{
	struct lane_msg m;

	meet();
	m = proposal(1, 430);
	hear(&m);
	CHECK_STREQ(done(), "s");
	lane_proto_staged(&p, PNIC_DIR_TX, PNIC_MAPR_OFF, now);
	CHECK_STREQ(done(), "aR");
	CHECK_EQ(reason, LANE_REJECT_OFF);
	CHECK_EQ(noted[LANE_NOTE_REFUSED], 1);
	/* And switching. */
	m = stage_one();
	m = reference(LANE_MSG_GO, &m);
	hear(&m);
	CHECK_STREQ(done(), "w");
	lane_proto_switch_done(&p, false, now);
	CHECK_STREQ(done(), "aR");
	CHECK_EQ(reason, LANE_REJECT_CARD);
	CHECK_EQ(p.tx.state, LANE_TX_IDLE);
}

KTAP_TEST(rejected_receiver_holds_back)
{
	struct lane_msg m;

	meet();
	lane_map_identity(&next, 424);
	CHECK_EQ(lane_proto_propose(&p, &next, now), LANE_PROPOSE_OK);
	CHECK_STREQ(done(), "P");
	m = from_peer(LANE_MSG_REJECT);
	m.id = p.rx.id + 1;
	m.generation = 2;
	m.reason = LANE_REJECT_CARD;
	hear(&m);			/* another one's */
	CHECK_EQ(p.rx.state, LANE_RX_PROPOSED);
	m.id = p.rx.id;
	m.seq = ++peer_seq;
	hear(&m);
	CHECK_STREQ(done(), "");
	CHECK_EQ(noted[LANE_NOTE_REJECTED], 1);
	CHECK_EQ(p.rx.state, LANE_RX_IDLE);
	CHECK_EQ(lane_proto_propose(&p, &next, now), LANE_PROPOSE_HOLD);
	now = p.rx.hold_until;
	CHECK_EQ(lane_proto_propose(&p, &next, now), LANE_PROPOSE_OK);
}

KTAP_TEST(repetition_backs_off)
{
	u64 gap, last, first;
	u32 n = 0;

	meet();
	lane_map_identity(&next, 424);
	lane_proto_propose(&p, &next, now);
	CHECK_STREQ(done(), "P");
	first = p.rx.retry_at - now;
	CHECK_EQ(first, cfg.retry_ns);
	for (gap = 0; n < 12; n++) {
		last = gap;
		now = p.rx.retry_at;
		lane_proto_tick(&p, now);
		CHECK(strchr(done(), 'P'));
		gap = p.rx.retry_at - now;
		CHECK_GE(gap, last);
		CHECK_LE(gap, cfg.retry_max_ns);
	}
	CHECK_EQ(gap, cfg.retry_max_ns);
}

KTAP_TEST(proposals_that_cannot_be)
{
	u16 l;

	fresh();
	lane_map_identity(&next, 424);
	CHECK_EQ(lane_proto_propose(&p, &next, now), LANE_PROPOSE_NO_PEER);
	meet();
	next.width = 0;
	CHECK_EQ(lane_proto_propose(&p, &next, now), LANE_PROPOSE_MAP);
	next.width = 425;
	next.phys[3] = 4;
	CHECK_EQ(lane_proto_propose(&p, &next, now), LANE_PROPOSE_MAP);
	/* More moves than the peer takes in one message. */
	p.peer.msg_max = 100;
	lane_map_identity(&next, 425);
	for (l = 0; l < 11; l++)
		next.phys[l] = 425 + l;
	CHECK_EQ(lane_proto_moves_max(&p), 10);
	CHECK_EQ(lane_proto_propose(&p, &next, now), LANE_PROPOSE_MAP);
	next.phys[10] = 10;
	CHECK_EQ(lane_proto_propose(&p, &next, now), LANE_PROPOSE_OK);
	/* The far end sends by another map than we receive by. */
	meet();
	p.peer.report.tx_sum++;
	CHECK_EQ(lane_proto_propose(&p, &next, now), LANE_PROPOSE_ASTRAY);
	meet();
	p.rx.active.generation = ~0u;
	p.peer.report.tx_gen = ~0u;
	CHECK_EQ(lane_proto_propose(&p, &next, now), LANE_PROPOSE_MAP);
}

KTAP_TEST(difference_is_told_at_once_and_ends_in_a_fallback)
{
	struct lane_msg m;

	meet();
	m = from_peer(LANE_MSG_HEARTBEAT);
	m.report.rx_gen = 7;
	m.report.rx_sum = 99;
	hear(&m);
	CHECK_STREQ(done(), "");
	CHECK_EQ(noted[LANE_NOTE_ASTRAY], 1);
	CHECK_LE(lane_proto_due(&p), now + cfg.retry_ns);
	/* One more, but too soon after. */
	m.seq = ++peer_seq;
	hear(&m);
	CHECK_STREQ(done(), "");
	now += cfg.grace_ns;
	m.seq = ++peer_seq;
	hear(&m);
	CHECK_STREQ(done(), "s");
	CHECK_EQ(lane_proto_staged_map(&p, PNIC_DIR_TX)->generation, 1);
	CHECK_EQ(lane_proto_staged_map(&p, PNIC_DIR_TX)->width, 425);
	lane_proto_staged(&p, PNIC_DIR_TX, 0, now);
	CHECK_STREQ(done(), "w");
	lane_map_identity(&map, 425);
	lane_proto_hw_map(&p, PNIC_DIR_TX, &map, now);
	CHECK_STREQ(done(), "H");
	CHECK_EQ(p.tx.state, LANE_TX_UNCONFIRMED);
	CHECK_EQ(noted[LANE_NOTE_ASTRAY], 1);
	CHECK_EQ(noted[LANE_NOTE_FALLBACK], 1);
}

/* Reports from before the far end can have met the marker prove nothing. */
KTAP_TEST(report_from_before_the_switch_is_no_evidence)
{
	struct lane_msg m, old;
	u32 n;

	meet();
	m = stage_one();
	old = from_peer(LANE_MSG_HEARTBEAT);
	m = reference(LANE_MSG_GO, &m);
	m.seq = ++peer_seq;
	hear(&m);
	CHECK_STREQ(done(), "w");
	switched();
	CHECK_STREQ(done(), "H");
	for (n = 0; n < 5; n++) {
		now += cfg.grace_ns;
		old.seq = ++peer_seq;
		hear(&old);
		CHECK_STREQ(done(), "");
	}
	CHECK_EQ(noted[LANE_NOTE_ASTRAY], 0);
	CHECK_EQ(p.tx.state, LANE_TX_UNCONFIRMED);
	/* Heard of our heartbeat, and still: now it does. */
	old.echo = p.seq;
	for (n = 0; n < 2; n++) {
		now += cfg.grace_ns;
		old.seq = ++peer_seq;
		hear(&old);
	}
	CHECK_STREQ(done(), "s");
	CHECK_EQ(noted[LANE_NOTE_ASTRAY], 1);
}

KTAP_TEST(peer_that_was_reset)
{
	struct lane_msg m, hello;

	meet();
	stage_one();
	lane_map_identity(&next, 424);
	lane_proto_propose(&p, &next, now);
	done();
	hello = from_peer(LANE_MSG_HELLO);
	hello.from = PEER + 1;
	hello.to = 0;
	hello.echo = 0;
	hello.seq = 1;
	hello.known = false;
	hear(&hello);
	CHECK_STREQ(done(), "L");
	CHECK_EQ(p.peer.incarnation, PEER);	/* not yet */
	/* What the old one still says counts until the new one has answered. */
	m = from_peer(LANE_MSG_HEARTBEAT);
	hear(&m);
	CHECK_EQ(p.peer.candidate, 0);
	hear(&hello);
	CHECK_STREQ(done(), "L");
	hello.to = US;
	hello.echo = p.seq;
	hello.seq = 2;
	hear(&hello);
	CHECK_EQ(p.peer.incarnation, PEER + 1);
	CHECK_EQ(p.rx.state, LANE_RX_IDLE);
	CHECK_EQ(p.tx.state, LANE_TX_IDLE);
	CHECK_STREQ(done(), "aL");
	CHECK_EQ(noted[LANE_NOTE_RESTART], 1);
}

KTAP_TEST(hello_from_the_past_takes_nothing_over)
{
	struct lane_msg hello;

	meet();
	hello = from_peer(LANE_MSG_HELLO);
	hello.from = 0x999;
	hello.seq = 500;
	hello.echo = 0;
	hear(&hello);
	CHECK_STREQ(done(), "L");
	/* It echoes what was said before our question. */
	hello.echo = p.seq - 1;
	hello.seq = 501;
	hear(&hello);
	CHECK_STREQ(done(), "L");
	CHECK_EQ(p.peer.incarnation, PEER);
	/* The same one again is not even answered. */
	hear(&hello);
	CHECK_STREQ(done(), "");
	hello.from = 0x998;
	hello.to = US + 1;
	hello.echo = p.seq;
	hear(&hello);
	CHECK_STREQ(done(), "L");
	CHECK_EQ(p.peer.incarnation, PEER);
}

/* However slow the far end's clock is: a link that is quiet is asked, and who is asked answers. */
KTAP_TEST(quiet_peer_is_asked)
{
	struct lane_action act;
	struct lane_msg m;

	meet();
	m = from_peer(LANE_MSG_HEARTBEAT);
	m.answer = true;
	hear(&m);
	CHECK_STREQ(done(), "H");
	m = from_peer(LANE_MSG_HEARTBEAT);
	hear(&m);
	CHECK_STREQ(done(), "");
	now = p.heartbeat_at;
	lane_proto_tick(&p, now);
	REQUIRE(lane_proto_next_action(&p, &act));
	CHECK(!act.ask);
	done();
	now += 2 * cfg.heartbeat_ns;
	lane_proto_tick(&p, now);
	REQUIRE(lane_proto_next_action(&p, &act));
	CHECK_EQ(act.msg, LANE_MSG_HEARTBEAT);
	CHECK(act.ask);
	done();
	CHECK_EQ(noted[LANE_NOTE_SILENT], 0);
	now += 2 * cfg.heartbeat_ns;
	lane_proto_tick(&p, now);
	done();
	CHECK_EQ(noted[LANE_NOTE_SILENT], 1);
}

KTAP_TEST(own_reset_makes_old_messages_stale)
{
	struct lane_msg m;

	meet();
	m = from_peer(LANE_MSG_HEARTBEAT);
	m.to = US - 1;
	hear(&m);
	CHECK_EQ(p.stale, 1);
	CHECK_STREQ(done(), "");
}

/* We restarted, the far receiver still has an old map: no second report is needed. */
KTAP_TEST(fallback_on_meeting)
{
	struct lane_msg m;

	fresh();
	lane_proto_tick(&p, now);
	CHECK_STREQ(done(), "L");
	m = from_peer(LANE_MSG_HELLO);
	m.report.rx_gen = 12;
	m.report.rx_sum = 5;
	hear(&m);
	CHECK_STREQ(done(), "sH");
	lane_proto_staged(&p, PNIC_DIR_TX, 0, now);
	CHECK_STREQ(done(), "w");
	/* The generation is 1 before and after: the switch counts all the same. */
	lane_proto_hw_map(&p, PNIC_DIR_TX, &map, now);
	CHECK_STREQ(done(), "H");
	CHECK_EQ(p.tx.state, LANE_TX_UNCONFIRMED);
	m = from_peer(LANE_MSG_HEARTBEAT);
	hear(&m);
	CHECK_EQ(p.tx.state, LANE_TX_IDLE);
}

KTAP_TEST(impossible_maps_of_the_card_are_told_of)
{
	meet();
	lane_map_identity(&map, 425);
	map.generation = 2;
	map.phys[0] = 1;
	lane_proto_hw_map(&p, PNIC_DIR_RX, &map, now);
	lane_proto_hw_map(&p, PNIC_DIR_TX, &map, now);
	CHECK_STREQ(done(), "");
	CHECK_EQ(noted[LANE_NOTE_MAP], 2);
	CHECK_EQ(p.rx.active.generation, 1);
	CHECK_EQ(p.tx.active.generation, 1);
}

KTAP_TEST(another_version_is_told_of_once)
{
	struct lane_msg m;
	size_t len;
	u32 n;

	meet();
	for (n = 0; n < 5; n++) {
		m = from_peer(LANE_MSG_HEARTBEAT);
		len = lane_msg_encode(&m, buf, sizeof(buf));
		((u8 *)buf)[0] = 2;
		lane_proto_rx_msg(&p, buf, len, now);
		CHECK_STREQ(done(), "");
	}
	CHECK_EQ(noted[LANE_NOTE_VERSION], 1);
	CHECK_EQ(p.nonsense, 5);
}

KTAP_TEST(flood_of_nonsense_does_not_fill_the_history)
{
	u32 n;

	meet();
	for (n = 0; n < 1500; n++) {
		lane_proto_rx_msg(&p, buf, 3, now);
		CHECK_STREQ(done(), "");
		now += 10000000;
	}
	CHECK_EQ(noted[LANE_NOTE_NONSENSE], 2);
	CHECK_EQ(p.nonsense, 1500);
}

/* A proposal is put into bytes when it is sent: by then another may have taken its place. */
KTAP_TEST(proposal_that_was_overtaken_is_not_sent)
{
	struct lane_action act;

	meet();
	lane_map_identity(&next, 424);
	lane_proto_propose(&p, &next, now);
	REQUIRE(lane_proto_next_action(&p, &act));
	CHECK_EQ(act.msg, LANE_MSG_PROPOSE);
	next.width = 423;
	lane_proto_propose(&p, &next, now);
	CHECK_EQ(lane_proto_encode(&p, &act, buf, sizeof(buf)), 0);
	REQUIRE(lane_proto_next_action(&p, &act));
	CHECK_NE(lane_proto_encode(&p, &act, buf, sizeof(buf)), 0);
}

KTAP_MAIN()
