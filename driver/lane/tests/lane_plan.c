// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the standby plans of the lane protocol: both tables, then conversations by
 * hand-made messages.
 */
#include "talk.h"

static const struct transition rx_plan_want[] = {
	{ LANE_RXP_NONE, LANE_RXPE_PLAN, LANE_RXP_PROPOSED, "N" },
	{ LANE_RXP_PROPOSED, LANE_RXPE_PLAN, LANE_RXP_PROPOSED, "N" },
	{ LANE_RXP_PROPOSED, LANE_RXPE_DROP, LANE_RXP_NONE, "N" },
	{ LANE_RXP_PROPOSED, LANE_RXPE_PLANNED, LANE_RXP_LOADING, "l" },
	{ LANE_RXP_PROPOSED, LANE_RXPE_REFUSED, LANE_RXP_NONE, "" },
	{ LANE_RXP_PROPOSED, LANE_RXPE_RESET, LANE_RXP_NONE, "" },
	{ LANE_RXP_PROPOSED, LANE_RXPE_TIMEOUT, LANE_RXP_PROPOSED, "N" },
	{ LANE_RXP_PROPOSED, LANE_RXPE_GIVE_UP, LANE_RXP_NONE, "" },
	{ LANE_RXP_LOADING, LANE_RXPE_PLAN, LANE_RXP_PROPOSED, "lN" },
	{ LANE_RXP_LOADING, LANE_RXPE_DROP, LANE_RXP_NONE, "lN" },
	{ LANE_RXP_LOADING, LANE_RXPE_LOADED, LANE_RXP_LOADED, "" },
	{ LANE_RXP_LOADING, LANE_RXPE_FAILED, LANE_RXP_NONE, "" },
	{ LANE_RXP_LOADING, LANE_RXPE_CARD, LANE_RXP_LOADED, "" },
	{ LANE_RXP_LOADING, LANE_RXPE_RESET, LANE_RXP_NONE, "l" },
	{ LANE_RXP_LOADED, LANE_RXPE_PLAN, LANE_RXP_PROPOSED, "lN" },
	{ LANE_RXP_LOADED, LANE_RXPE_DROP, LANE_RXP_NONE, "lN" },
	{ LANE_RXP_LOADED, LANE_RXPE_PLANNED, LANE_RXP_LOADED, "l" },
	{ LANE_RXP_LOADED, LANE_RXPE_REFUSED, LANE_RXP_NONE, "l" },
	{ LANE_RXP_LOADED, LANE_RXPE_RESET, LANE_RXP_NONE, "l" },
	{ LANE_RXP_LOADED, LANE_RXPE_TIMEOUT, LANE_RXP_LOADED, "N" },
};

static const struct transition tx_plan_want[] = {
	{ LANE_TXP_NONE, LANE_TXPE_PLAN, LANE_TXP_LOADING, "l" },
	{ LANE_TXP_LOADING, LANE_TXPE_PLAN, LANE_TXP_LOADING, "l" },
	{ LANE_TXP_LOADING, LANE_TXPE_EMPTY, LANE_TXP_NONE, "l" },
	{ LANE_TXP_LOADING, LANE_TXPE_LOADED, LANE_TXP_LOADED, "D" },
	{ LANE_TXP_LOADING, LANE_TXPE_FAILED, LANE_TXP_NONE, "D" },
	{ LANE_TXP_LOADING, LANE_TXPE_CARD, LANE_TXP_LOADED, "" },
	{ LANE_TXP_LOADING, LANE_TXPE_RESET, LANE_TXP_NONE, "l" },
	{ LANE_TXP_LOADED, LANE_TXPE_PLAN, LANE_TXP_LOADING, "l" },
	{ LANE_TXP_LOADED, LANE_TXPE_AGAIN, LANE_TXP_LOADED, "D" },
	{ LANE_TXP_LOADED, LANE_TXPE_EMPTY, LANE_TXP_NONE, "l" },
	{ LANE_TXP_LOADED, LANE_TXPE_RESET, LANE_TXP_NONE, "l" },
};

static void check_transition(struct transition t, u8 state, const char *was, const char *is)
{
	char did[2 * LANE_ACTIONS_MAX];

	actions_of(did);
	if (state != t.next || strcmp(did, t.does))
		ktap_say("in %s, event %u: %s, \"%s\"", was, t.event, is, did);
	CHECK_EQ(state, t.next);
	CHECK_STREQ(did, t.does);
}

KTAP_TEST(receiver_transitions)
{
	struct transition want;
	u8 state, event;

	for (state = LANE_RXP_NONE; state < LANE_RXP_STATES; state++)
		for (event = 0; event < LANE_RXP_EVENTS; event++) {
			fresh();
			p.rx.plan.state = state;
			lane_proto_rx_plan_event(&p, event, now);
			want = lookup(rx_plan_want, ARRAY_SIZE(rx_plan_want), state, event);
			check_transition(want, p.rx.plan.state, lane_rx_plan_state_name(state),
					 lane_rx_plan_state_name(p.rx.plan.state));
		}
}

KTAP_TEST(transmitter_transitions)
{
	struct transition want;
	u8 state, event;

	for (state = LANE_TXP_NONE; state < LANE_TXP_STATES; state++)
		for (event = 0; event < LANE_TXP_EVENTS; event++) {
			fresh();
			p.tx.plan.state = state;
			lane_proto_tx_plan_event(&p, event, now);
			want = lookup(tx_plan_want, ARRAY_SIZE(tx_plan_want), state, event);
			check_transition(want, p.tx.plan.state, lane_tx_plan_state_name(state),
					 lane_tx_plan_state_name(p.tx.plan.state));
		}
}

/* Logical 5 and 6 share spare 430, 7 has 431. */
static void plan_of(struct lane_map *plan, u16 width)
{
	u16 l;

	plan->width = width;
	plan->generation = 0;
	for (l = 0; l < width; l++)
		plan->phys[l] = LANE_NONE;
	if (width > 7) {
		plan->phys[5] = 430;
		plan->phys[6] = 430;
		plan->phys[7] = 431;
	}
}

static struct lane_msg plan_msg(u32 id)
{
	static struct lane_wire_move moves[3];
	struct lane_msg m = from_peer(LANE_MSG_PLAN);
	u16 i;

	plan_of(&next, p.tx.active.width);
	for (i = 0; i < 3; i++) {
		moves[i].logical = cpu_to_le16(5 + i);
		moves[i].phys = cpu_to_le16(next.phys[5 + i]);
	}
	m.id = id;
	m.generation = p.tx.active.generation;
	m.width = next.width;
	m.count = 3;
	m.moves = moves;
	m.sum = lane_map_sum(&next);
	return m;
}

/* The reason of the PLANNED that is to be sent; 99: there is none. */
static u16 answered(void)
{
	u16 i, why = 99;

	for (i = 0; i < p.nr_actions; i++)
		if (p.action[i].type == LANE_ACT_SEND && p.action[i].msg == LANE_MSG_PLANNED)
			why = p.action[i].reason;
	done();
	return why;
}

static struct lane_msg planned(u16 why)
{
	struct lane_msg m = from_peer(LANE_MSG_PLANNED);

	m.id = p.rx.plan.id;
	m.generation = p.rx.active.generation;
	m.sum = p.rx.plan.sum;
	m.reason = why;
	return m;
}

static void load_receiver(void)
{
	struct lane_msg m;

	plan_of(&next, 425);
	REQUIRE_EQ(lane_proto_plan(&p, &next, now), LANE_PROPOSE_OK);
	CHECK_STREQ(done(), "N");
	CHECK_EQ(lane_proto_standby_map(&p, PNIC_DIR_RX)->width, 0);
	m = planned(0);
	hear(&m);
	CHECK_STREQ(done(), "l");
	CHECK(lane_map_same(lane_proto_standby_map(&p, PNIC_DIR_RX), &next));
	lane_proto_standby_done(&p, PNIC_DIR_RX, true, now);
	CHECK_STREQ(done(), "");
	REQUIRE_EQ(p.rx.plan.state, LANE_RXP_LOADED);
}

static void load_transmitter(void)
{
	struct lane_msg m = plan_msg(1);

	hear(&m);
	CHECK_STREQ(done(), "l");
	CHECK(lane_map_same(lane_proto_standby_map(&p, PNIC_DIR_TX), &next));
	lane_proto_standby_done(&p, PNIC_DIR_TX, true, now);
	CHECK_EQ(answered(), 0);
	REQUIRE_EQ(p.tx.plan.state, LANE_TXP_LOADED);
}

KTAP_TEST(receiver_of_a_plan)
{
	meet();
	load_receiver();
	/* The same again. */
	CHECK_EQ(lane_proto_plan(&p, &next, now), LANE_PROPOSE_OK);
	CHECK_STREQ(done(), "");
	/* Another one: the card has none until the far end has it. */
	next.phys[8] = 432;
	CHECK_EQ(lane_proto_plan(&p, &next, now), LANE_PROPOSE_OK);
	CHECK_EQ(lane_proto_standby_map(&p, PNIC_DIR_RX)->width, 0);
	CHECK_STREQ(done(), "lN");
	/* None. */
	plan_of(&next, 425);
	next.phys[5] = LANE_NONE;
	next.phys[6] = LANE_NONE;
	next.phys[7] = LANE_NONE;
	CHECK_EQ(lane_proto_plan(&p, &next, now), LANE_PROPOSE_OK);
	CHECK_STREQ(done(), "N");
	CHECK_EQ(p.rx.plan.state, LANE_RXP_NONE);
	CHECK_EQ(lane_proto_plan(&p, &next, now), LANE_PROPOSE_OK);
	CHECK_STREQ(done(), "");
}

KTAP_TEST(plans_that_cannot_be)
{
	fresh();
	plan_of(&next, 425);
	CHECK_EQ(lane_proto_plan(&p, &next, now), LANE_PROPOSE_NO_PEER);
	meet();
	next.phys[9] = 3;		/* in use */
	CHECK_EQ(lane_proto_plan(&p, &next, now), LANE_PROPOSE_MAP);
	next.phys[9] = 460;
	CHECK_EQ(lane_proto_plan(&p, &next, now), LANE_PROPOSE_MAP);
	plan_of(&next, 424);
	CHECK_EQ(lane_proto_plan(&p, &next, now), LANE_PROPOSE_MAP);
	plan_of(&next, 425);
	p.peer.msg_max = 71;		/* two moves */
	CHECK_EQ(lane_proto_plan(&p, &next, now), LANE_PROPOSE_MAP);
	meet();
	p.peer.report.tx_sum++;
	CHECK_EQ(lane_proto_plan(&p, &next, now), LANE_PROPOSE_ASTRAY);
	CHECK_STREQ(done(), "");
	CHECK_EQ(p.rx.plan.state, LANE_RXP_NONE);
}

KTAP_TEST(transmitter_of_a_plan)
{
	struct lane_msg m;

	meet();
	load_transmitter();
	m = plan_msg(2);
	hear(&m);
	CHECK_EQ(answered(), 0);
	CHECK_EQ(p.tx.plan.state, LANE_TXP_LOADED);
	m = plan_msg(3);
	m.count = 0;
	plan_of(&next, 425);
	next.phys[5] = LANE_NONE;
	next.phys[6] = LANE_NONE;
	next.phys[7] = LANE_NONE;
	m.sum = lane_map_sum(&next);
	hear(&m);
	CHECK_STREQ(done(), "l");
	CHECK_EQ(lane_proto_standby_map(&p, PNIC_DIR_TX)->width, 0);
	CHECK_EQ(p.tx.plan.state, LANE_TXP_NONE);
}

KTAP_TEST(wrong_plans_are_refused)
{
	struct lane_wire_move *moves;
	struct lane_msg m;

	meet();
	m = plan_msg(1);
	m.generation = 2;
	hear(&m);
	CHECK_EQ(answered(), LANE_REJECT_GENERATION);
	m = plan_msg(1);
	m.report.rx_sum++;
	hear(&m);
	CHECK_EQ(answered(), LANE_REJECT_GENERATION);
	meet();
	m = plan_msg(1);
	m.width = 424;
	hear(&m);
	CHECK_EQ(answered(), LANE_REJECT_WIDTH);
	m = plan_msg(1);
	m.sum++;
	hear(&m);
	CHECK_EQ(answered(), LANE_REJECT_SUM);
	m = plan_msg(1);
	moves = (struct lane_wire_move *)m.moves;
	moves[1].phys = cpu_to_le16(460);
	hear(&m);
	CHECK_EQ(answered(), LANE_REJECT_RANGE);
	m = plan_msg(1);
	moves[1].phys = cpu_to_le16(100);
	hear(&m);
	CHECK_EQ(answered(), LANE_REJECT_IN_USE);
	CHECK_EQ(p.tx.plan.state, LANE_TXP_NONE);
	/* The card won't. */
	m = plan_msg(1);
	hear(&m);
	CHECK_STREQ(done(), "l");
	lane_proto_standby_done(&p, PNIC_DIR_TX, false, now);
	CHECK_EQ(answered(), LANE_REJECT_CARD);
	CHECK_EQ(p.tx.plan.state, LANE_TXP_NONE);
}

/* A peer that doesn't know plans is asked a few times, and again when something has changed. */
KTAP_TEST(silent_peer_is_given_up)
{
	u32 n, asked = 1;

	meet();
	plan_of(&next, 425);
	REQUIRE_EQ(lane_proto_plan(&p, &next, now), LANE_PROPOSE_OK);
	CHECK_STREQ(done(), "N");
	for (n = 0; n < 50 && p.rx.plan.state == LANE_RXP_PROPOSED; n++) {
		now = lane_proto_plan_due(&p);
		lane_proto_plan_tick(&p, now);
		asked += !strcmp(done(), "N");
	}
	CHECK_EQ(p.rx.plan.state, LANE_RXP_NONE);
	CHECK_EQ(asked, cfg.plan_tries);
	CHECK_EQ(noted[LANE_NOTE_UNPLANNED], 1);
	now += 1000000000000;
	CHECK_EQ(lane_proto_plan(&p, &next, now), LANE_PROPOSE_HOLD);
	CHECK_EQ(lane_proto_plan_due(&p), LANE_NEVER);
	/* Another map. */
	lane_map_identity(&map, 425);
	map.generation = 2;
	map.phys[9] = 440;
	lane_proto_hw_map(&p, PNIC_DIR_RX, &map, now);
	p.peer.report.tx_gen = 2;
	p.peer.report.tx_sum = p.rx.sum;
	done();
	CHECK_EQ(lane_proto_plan(&p, &next, now), LANE_PROPOSE_OK);
	CHECK_STREQ(done(), "N");
}

KTAP_TEST(refusing_peer_is_given_up)
{
	u32 n, asked = 0;
	struct lane_msg m;

	meet();
	plan_of(&next, 425);
	for (n = 0; n < 50; n++) {
		int why = lane_proto_plan(&p, &next, now);

		/* It knows plans, so it is asked again some time. */
		if (why == LANE_PROPOSE_HOLD && p.rx.plan_at == now + cfg.plan_renew_ns)
			break;
		if (why == LANE_PROPOSE_HOLD) {
			now = p.rx.plan_at;
			continue;
		}
		asked++;
		m = planned(LANE_REJECT_CARD);
		hear(&m);
		CHECK_EQ(p.rx.plan.state, LANE_RXP_NONE);
		done();
	}
	CHECK_EQ(asked, cfg.plan_tries);
	CHECK_EQ(noted[LANE_NOTE_UNPLANNED], 1);
}

/* What a card can't do now it is told again. */
KTAP_TEST(card_that_cannot_forget_is_told_again)
{
	meet();
	load_receiver();
	plan_of(&next, 425);
	next.phys[5] = LANE_NONE;
	next.phys[6] = LANE_NONE;
	next.phys[7] = LANE_NONE;
	CHECK_EQ(lane_proto_plan(&p, &next, now), LANE_PROPOSE_OK);
	CHECK_STREQ(done(), "lN");
	lane_proto_standby_done(&p, PNIC_DIR_RX, false, now);
	now = lane_proto_plan_due(&p);
	REQUIRE_NE(now, LANE_NEVER);
	lane_proto_plan_tick(&p, now);
	CHECK_STREQ(done(), "l");
	lane_proto_standby_done(&p, PNIC_DIR_RX, true, now);
	CHECK_EQ(lane_proto_plan_due(&p), LANE_NEVER);
}

/* Logical 6 on its spare: what remains of the plan is for 7. */
static void switch_by_plan(u8 dir, u32 generation)
{
	lane_map_identity(&map, 425);
	map.generation = generation;
	map.phys[6] = 430;
	lane_proto_hw_map(&p, dir, &map, now);
}

static u8 actor_of_switch(void)
{
	u16 i;

	for (i = 0; i < p.nr_actions; i++)
		if (p.action[i].type == LANE_ACT_REPORT &&
		    p.action[i].note.code == LANE_NOTE_SWITCHED)
			return p.action[i].note.actor;
	return 99;
}

KTAP_TEST(switch_of_the_card_is_known_as_such)
{
	const struct lane_map *plan;
	u8 dir;

	for (dir = PNIC_DIR_RX; dir <= PNIC_DIR_TX; dir++) {
		SUBTEST("direction %u", dir) {
			meet();
			load_receiver();
			load_transmitter();
			switch_by_plan(dir, 2);
			CHECK_EQ(actor_of_switch(), LANE_ACTOR_CARD);
			CHECK_STREQ(done(), "H");
			plan = lane_proto_standby_map(&p, dir);
			CHECK_EQ(plan->width, 425);
			CHECK_EQ(plan->phys[5], LANE_NONE);
			CHECK_EQ(plan->phys[6], LANE_NONE);
			CHECK_EQ(plan->phys[7], 431);
			/* Then logical 7, too. */
			map.generation = 3;
			map.phys[7] = 431;
			lane_proto_hw_map(&p, dir, &map, now);
			CHECK_EQ(actor_of_switch(), LANE_ACTOR_CARD);
			done();
		}
	}
}

KTAP_TEST(any_other_change_drops_the_plan)
{
	u8 dir;

	for (dir = PNIC_DIR_RX; dir <= PNIC_DIR_TX; dir++) {
		SUBTEST("direction %u, a lane that isn't in it", dir) {
			meet();
			load_receiver();
			load_transmitter();
			lane_map_identity(&map, 425);
			map.generation = 2;
			map.phys[6] = 430;
			map.phys[8] = 431;
			lane_proto_hw_map(&p, dir, &map, now);
			CHECK_EQ(actor_of_switch(), LANE_ACTOR_POLICY);
			CHECK_STREQ(done(), "lH");
			CHECK_EQ(lane_proto_standby_map(&p, dir)->width, 0);
		}
		SUBTEST("direction %u, one move and two generations", dir) {
			meet();
			load_receiver();
			load_transmitter();
			switch_by_plan(dir, 3);
			CHECK_EQ(actor_of_switch(), LANE_ACTOR_POLICY);
			CHECK_EQ(lane_proto_standby_map(&p, dir)->width, 0);
			done();
		}
	}
	/* What the hosts have agreed on is theirs, even if the plan says the same. */
	meet();
	load_receiver();
	lane_map_identity(&p.rx.next, 425);
	p.rx.next.generation = 2;
	p.rx.next.phys[6] = 430;
	p.rx.state = LANE_RX_GO;
	switch_by_plan(PNIC_DIR_RX, 2);
	CHECK_EQ(actor_of_switch(), LANE_ACTOR_POLICY);
	CHECK_EQ(p.rx.plan.state, LANE_RXP_NONE);
}

KTAP_TEST(reset_of_the_peer_drops_the_plan)
{
	struct lane_msg hello;

	meet();
	load_receiver();
	load_transmitter();
	hello = from_peer(LANE_MSG_HELLO);
	hello.from = PEER + 1;
	hello.to = 0;
	hello.echo = 0;
	hello.known = false;
	hear(&hello);
	done();
	hello.to = US;
	hello.echo = p.seq;
	hello.seq++;
	hear(&hello);
	REQUIRE_EQ(p.peer.incarnation, PEER + 1);
	CHECK_STREQ(done(), "llL");
	CHECK_EQ(lane_proto_standby_map(&p, PNIC_DIR_RX)->width, 0);
	CHECK_EQ(lane_proto_standby_map(&p, PNIC_DIR_TX)->width, 0);
}

KTAP_TEST(loaded_plan_is_renewed)
{
	struct lane_msg m;

	meet();
	load_receiver();
	now = lane_proto_plan_due(&p);
	lane_proto_plan_tick(&p, now);
	CHECK_STREQ(done(), "N");
	m = planned(0);
	hear(&m);
	CHECK_STREQ(done(), "l");
	/* The card is just using it: as good. */
	lane_proto_standby_done(&p, PNIC_DIR_RX, false, now);
	CHECK_STREQ(done(), "");
	CHECK_EQ(p.rx.plan.state, LANE_RXP_LOADED);
	CHECK_GE(lane_proto_plan_due(&p), now + cfg.plan_renew_ns);
	/* An answer to what was, or by another sum, is none. */
	m = planned(LANE_REJECT_CARD);
	m.id--;
	hear(&m);
	m = planned(LANE_REJECT_CARD);
	m.sum++;
	hear(&m);
	CHECK_STREQ(done(), "");
	CHECK_EQ(p.rx.plan.state, LANE_RXP_LOADED);
	m = planned(LANE_REJECT_CARD);
	hear(&m);
	CHECK_STREQ(done(), "l");
	CHECK_EQ(p.rx.plan.state, LANE_RXP_NONE);
}

/* A plan is put into bytes when it is sent: by then another may have taken its place. */
KTAP_TEST(plan_that_was_overtaken_is_not_sent)
{
	struct lane_action act;
	struct lane_msg m;
	size_t len;

	meet();
	plan_of(&next, 425);
	lane_proto_plan(&p, &next, now);
	REQUIRE(lane_proto_next_action(&p, &act));
	next.phys[8] = 432;
	lane_proto_plan(&p, &next, now);
	CHECK_EQ(lane_proto_encode(&p, &act, buf, sizeof(buf)), 0);
	REQUIRE(lane_proto_next_action(&p, &act));
	len = lane_proto_encode(&p, &act, buf, sizeof(buf));
	REQUIRE_EQ(lane_msg_decode(&m, buf, len), LANE_MSG_OK);
	CHECK_EQ(m.type, LANE_MSG_PLAN);
	CHECK_EQ(m.count, 4);
	CHECK_EQ(m.generation, 1);
	CHECK_EQ(m.sum, lane_map_sum(&next));
}

KTAP_MAIN()
