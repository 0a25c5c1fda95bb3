// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of what administrators ask for, of alarms, records, tests of lanes, standby plans
 * and the latency histogram: two agents over a simulated link.
 */
#include "agents.h"

static struct lane_plan plan;

static void begin(u16 data, u16 total)
{
	card_ops = &ops_all;
	start(data, total, 1);
	run_for(20 * MS);
	check_agreed();
}

static u8 ask(u16 lane, u8 action, bool preview, bool force)
{
	struct lane_request req = {
		.lane = lane, .action = action, .preview = preview, .force = force,
	};
	u8 why = lane_agent_request(&ends[0].agent, &req, &plan, sim.now);

	ends[0].due = sim.now;
	return why;
}

static bool in_use(u16 lane)
{
	u16 l;

	for (l = 0; l < sim.dir[1].rx.width; l++)
		if (sim.dir[1].rx.phys[l] == lane)
			return true;
	return false;
}

static u8 state_of(u16 lane)
{
	return ends[0].agent.policy.track[lane].state;
}

KTAP_TEST(disabled_lane_is_replaced_and_comes_back)
{
	begin(425, 460);
	CHECK_EQ(ask(17, LANE_REQ_DISABLE, false, false), 0);
	CHECK_EQ(plan.map.width, 425);
	CHECK_EQ(plan.replaced, 1);
	CHECK_EQ(plan.margin_then, plan.margin_now);
	run_for(5 * MS);
	check_agreed();
	CHECK(!in_use(17));
	CHECK_EQ(state_of(17), LANE_DISABLED);
	CHECK_EQ(ends[0].last[LANE_NOTE_ASKED].actor, LANE_ACTOR_ADMIN);
	CHECK_EQ(ends[0].last[LANE_NOTE_STATE].actor, LANE_ACTOR_ADMIN);
	CHECK_EQ(ask(17, LANE_REQ_DISABLE, false, false), LANE_REFUSE_NOTHING);
	CHECK_EQ(ask(17, LANE_REQ_TEST, false, false), LANE_REFUSE_STATE);
	CHECK_EQ(ask(17, LANE_REQ_RETIRE, false, false), LANE_REFUSE_STATE);
	CHECK_EQ(ask(17, LANE_REQ_ENABLE, false, false), 0);
	run_for(5 * MS);
	CHECK_EQ(state_of(17), LANE_QUARANTINED);
	CHECK_EQ(ask(17, LANE_REQ_ENABLE, false, false), LANE_REFUSE_NOTHING);
}

KTAP_TEST(preview_changes_nothing)
{
	u32 sum;

	begin(425, 460);
	sum = lane_map_sum(&ends[0].agent.proto.rx.active);
	CHECK_EQ(ask(17, LANE_REQ_DISABLE, true, false), 0);
	CHECK_NE(plan.map.phys[17], 17);
	CHECK_GT(plan.notes.nr, 0);
	run_for(50 * MS);
	CHECK_EQ(lane_map_sum(&ends[0].agent.proto.rx.active), sum);
	CHECK_EQ(state_of(17), LANE_ACTIVE);
	CHECK_EQ(ends[0].notes[LANE_NOTE_ASKED], 0);
	CHECK_EQ(lane_agent_undo(&ends[0].agent, false, &plan, sim.now), LANE_REFUSE_NOTHING);
}

/* Anybody may look, as often as he likes: nothing comes of it, and the card is left alone. */
KTAP_TEST(look_at_the_policy_is_no_look_at_the_card)
{
	static struct lane_policy was;
	struct lane_settings s;

	begin(425, 460);
	lose(0, 9);
	was = ends[0].agent.policy;
	ends[0].broken_card = true;
	lane_agent_settings(&ends[0].agent, &s);
	CHECK_EQ(lane_agent_preview(&ends[0].agent, NULL, &plan, sim.now), 0);
	CHECK_EQ(lane_agent_preview(&ends[0].agent, &s, &plan, sim.now), 0);
	CHECK(!memcmp(&was, &ends[0].agent.policy, sizeof(was)));
	CHECK_EQ(ends[0].notes[LANE_NOTE_STATE], 0);
	CHECK_EQ(ends[0].notes[LANE_NOTE_CARD], 0);
	ends[0].broken_card = false;
	run_for(50 * MS);
	CHECK_EQ(state_of(9), LANE_FAILED);
	SUBTEST("nothing was seen yet") {
		start(16, 20, 2);
		CHECK_EQ(lane_agent_preview(&ends[0].agent, NULL, &plan, sim.now),
			 LANE_REFUSE_CARD);
	}
}

KTAP_TEST(far_end_that_was_never_heard_is_silent)
{
	begin(425, 460);
	start(16, 20, 2);
	sim.loss = 100;
	run_for(SEC / 2);
	CHECK(!(lane_agent_alarms(&ends[0].agent) & LANE_ALARM_PEER_SILENT));
	run_for(SEC);
	CHECK(lane_agent_alarms(&ends[0].agent) & LANE_ALARM_PEER_SILENT);
	CHECK_EQ(ends[0].notes[LANE_NOTE_SILENT], 1);
	sim.loss = 0;
	run_for(3 * SEC);
	CHECK(!(lane_agent_alarms(&ends[0].agent) & LANE_ALARM_PEER_SILENT));
	check_agreed();
}

/* It is about what comes now, told of or not. */
KTAP_TEST(alarm_of_nonsense_stands_while_it_comes)
{
	u32 i;

	/* Minutes go by: few lanes, or it takes half of one itself. */
	begin(8, 9);
	for (i = 0; i < 5; i++) {
		lane_proto_rx_msg(&ends[0].agent.proto, &i, sizeof(i), sim.now);
		run_for(29 * SEC);
		CHECK(lane_agent_alarms(&ends[0].agent) & LANE_ALARM_PEER_NONSENSE);
	}
	run_for(62 * SEC);
	CHECK(!(lane_agent_alarms(&ends[0].agent) & LANE_ALARM_PEER_NONSENSE));
}

KTAP_TEST(retired_lane_is_replaced_at_once)
{
	begin(425, 460);
	CHECK_EQ(ask(30, LANE_REQ_RETIRE, false, false), 0);
	run_for(5 * MS);
	CHECK(!in_use(30));
	CHECK_EQ(state_of(30), LANE_QUARANTINED);
	CHECK_EQ(sim.dir[1].rx.width, 425);
	CHECK_EQ(ask(440, LANE_REQ_RETIRE, false, false), LANE_REFUSE_STATE);
}

KTAP_TEST(harm_is_refused_with_a_reason)
{
	u16 i;

	begin(8, 9);
	CHECK_EQ(ask(9, LANE_REQ_DISABLE, false, false), LANE_REFUSE_LANE);
	CHECK_EQ(ask(0, LANE_REQ_ACTIONS, false, false), LANE_REFUSE_LANE);
	/* The one spare is used up: the next costs width. */
	CHECK_EQ(ask(0, LANE_REQ_DISABLE, false, false), 0);
	run_for(5 * MS);
	CHECK_EQ(sim.dir[1].rx.width, 8);
	CHECK_EQ(ask(1, LANE_REQ_DISABLE, false, false), LANE_REFUSE_WIDTH);
	CHECK_EQ(plan.map.width, 7);
	CHECK_EQ(ask(1, LANE_REQ_RETIRE, false, false), LANE_REFUSE_WIDTH);
	run_for(50 * MS);
	CHECK_EQ(sim.dir[1].rx.width, 8);
	CHECK_EQ(state_of(1), LANE_ACTIVE);
	/* Forced it is done, but never to the last lane. */
	for (i = 1; i < 8; i++) {
		CHECK_EQ(ask(i, LANE_REQ_DISABLE, false, true), 0);
		run_for(5 * MS);
		CHECK_EQ(sim.dir[1].rx.width, 8 - i);
		CHECK(!in_use(i));
	}
	CHECK_EQ(ask(8, LANE_REQ_DISABLE, false, true), LANE_REFUSE_LAST);
	CHECK_EQ(ask(8, LANE_REQ_RETIRE, true, true), LANE_REFUSE_LAST);
	check_agreed();
	for (i = 0; i < LANE_REFUSES; i++)
		CHECK_GT(strlen(lane_refuse_text(i)), 5);
	CHECK_STREQ(lane_refuse_text(LANE_REFUSES), "?");
}

/* Where fewer lanes carry more symbols of a codeword each. */
KTAP_TEST(loss_of_margin_is_refused)
{
	begin(272, 273);
	CHECK_EQ(ask(0, LANE_REQ_DISABLE, false, false), 0);
	run_for(5 * MS);
	CHECK_EQ(ask(1, LANE_REQ_DISABLE, false, false), LANE_REFUSE_WIDTH);
	CHECK_LT(plan.margin_then, plan.margin_now);
	/* A spare that errs is no gain. */
	begin(425, 426);
	ends[0].agent.policy.track[425].win_mbits = 1000;
	ends[0].agent.policy.track[425].win_errors = 230000;
	CHECK_EQ(ask(1, LANE_REQ_RETIRE, true, false), LANE_REFUSE_MARGIN);
	CHECK_EQ(ask(1, LANE_REQ_RETIRE, true, true), 0);
}

KTAP_TEST(requests_need_link_and_peer)
{
	struct lane_request req = { .lane = 3, .action = LANE_REQ_DISABLE };

	begin(16, 20);
	req.expect_generation = 7;
	CHECK_EQ(lane_agent_request(&ends[0].agent, &req, &plan, sim.now),
		 LANE_REFUSE_GENERATION);
	req.expect_generation = 1;
	req.preview = true;
	CHECK_EQ(lane_agent_request(&ends[0].agent, &req, &plan, sim.now), 0);
	ends[0].agent.link_state = PNIC_LINK_DOWN;
	CHECK_EQ(lane_agent_request(&ends[0].agent, &req, &plan, sim.now),
		 LANE_REFUSE_LINK_DOWN);
	/* A spare can be disabled all the same. */
	CHECK_EQ(ask(18, LANE_REQ_DISABLE, true, false), 0);
	ends[0].agent.link_state = PNIC_LINK_UP;
	ends[0].broken_card = true;
	CHECK_EQ(ask(3, LANE_REQ_DISABLE, false, false), LANE_REFUSE_CARD);
	start(16, 20, 2);
	sim.loss = 100;
	run_for(SEC);
	CHECK_EQ(ask(3, LANE_REQ_DISABLE, false, false), LANE_REFUSE_PEER);
}

KTAP_TEST(last_change_is_undone)
{
	struct lane_settings s, was;

	begin(425, 460);
	CHECK_EQ(ask(17, LANE_REQ_DISABLE, false, false), 0);
	run_for(5 * MS);
	CHECK_EQ(lane_agent_undo(&ends[0].agent, true, &plan, sim.now), 0);
	CHECK_EQ(state_of(17), LANE_DISABLED);
	CHECK_EQ(lane_agent_undo(&ends[0].agent, false, &plan, sim.now), 0);
	CHECK_EQ(state_of(17), LANE_SPARE);
	CHECK_EQ(ends[0].notes[LANE_NOTE_UNDONE], 1);
	CHECK_EQ(lane_agent_undo(&ends[0].agent, false, &plan, sim.now), LANE_REFUSE_NOTHING);

	/* Enabling is undone by disabling, which may be refused. */
	CHECK_EQ(ask(18, LANE_REQ_DISABLE, false, false), 0);
	run_for(5 * MS);
	CHECK_EQ(ask(18, LANE_REQ_ENABLE, false, false), 0);
	CHECK_EQ(lane_agent_undo(&ends[0].agent, false, &plan, sim.now), 0);
	CHECK_EQ(state_of(18), LANE_DISABLED);

	lane_agent_settings(&ends[0].agent, &was);
	s = was;
	s.knobs.margin_floor = 5;
	s.poll_ns = 100 * MS;
	lane_agent_set(&ends[0].agent, &s, sim.now);
	CHECK_EQ(ends[0].agent.policy.cfg.knobs.margin_floor, 5);
	CHECK_EQ(lane_agent_undo(&ends[0].agent, false, &plan, sim.now), 0);
	lane_agent_settings(&ends[0].agent, &s);
	CHECK_EQ(memcmp(&s, &was, sizeof(s)), 0);
	CHECK_EQ(lane_agent_undo(&ends[0].agent, false, &plan, sim.now), LANE_REFUSE_NOTHING);
}

KTAP_TEST(settings_are_tried_and_set)
{
	struct lane_settings s;

	begin(425, 460);
	lane_agent_settings(&ends[0].agent, &s);
	s.knobs.watch_ppb = s.knobs.retire_ppb + 1;
	CHECK_EQ(lane_agent_preview(&ends[0].agent, &s, &plan, sim.now), LANE_REFUSE_STATE);
	CHECK_EQ(lane_agent_preview(&ends[0].agent, NULL, &plan, sim.now), 0);
	CHECK(!plan.change);
	/* Unmanaged: a loss is told of, and stays. */
	lane_agent_settings(&ends[0].agent, &s);
	s.manage = false;
	lane_agent_set(&ends[0].agent, &s, sim.now);
	lose(0, 9);
	run_for(50 * MS);
	CHECK_EQ(state_of(9), LANE_FAILED);
	CHECK(in_use(9));
	s.manage = true;
	CHECK_EQ(lane_agent_preview(&ends[0].agent, &s, &plan, sim.now), 0);
	CHECK_EQ(plan.replaced, 1);
	CHECK(in_use(9));
	lane_agent_set(&ends[0].agent, &s, sim.now);
	ends[0].due = sim.now;
	run_for(50 * MS);
	CHECK(!in_use(9));
}

/* ---- tests of lanes ---- */

KTAP_TEST(lane_is_tested_before_it_serves)
{
	begin(425, 460);
	lose(0, 450);
	run_for(5 * MS);
	heal(0, 450);
	run_for(11 * SEC);
	CHECK_EQ(state_of(450), LANE_TESTING);
	CHECK_GE(ends[0].tests, 1);
	lane_agent_tested(&ends[0].agent, 450, 0, 1ULL << 30, sim.now);
	CHECK_EQ(state_of(450), LANE_SPARE);
	/* By hand, too, if it carries nothing. */
	CHECK_EQ(ask(3, LANE_REQ_TEST, false, false), LANE_REFUSE_STATE);
	CHECK_EQ(ask(451, LANE_REQ_TEST, false, false), 0);
	run_for(MS);
	CHECK_EQ(state_of(451), LANE_TESTING);
	CHECK_EQ(ask(451, LANE_REQ_TEST, false, false), LANE_REFUSE_NOTHING);
	lane_agent_tested(&ends[0].agent, 451, 1ULL << 25, 1ULL << 30, sim.now);
	CHECK_EQ(state_of(451), LANE_QUARANTINED);
	lane_agent_tested(&ends[0].agent, 460, 0, 0, sim.now);
	lane_agent_tested(&ends[0].agent, 5, ~0ULL, 3, sim.now);
	CHECK_EQ(state_of(5), LANE_ACTIVE);
	/* A card that doesn't must not keep a lane from serving. */
	ends[0].no_tests = true;
	lose(0, 452);
	run_for(5 * MS);
	heal(0, 452);
	run_for(15 * SEC);
	CHECK_EQ(state_of(452), LANE_SPARE);
	card_ops = &ops;
	start(16, 20, 4);
	run_for(20 * MS);
	CHECK_EQ(ask(18, LANE_REQ_TEST, false, false), LANE_REFUSE_CARD);
}

/* ---- standby ---- */

KTAP_TEST(standby_plan_is_in_the_cards)
{
	struct lane_settings s;
	u32 plans;
	u16 l;

	begin(425, 460);
	run_for(100 * MS);
	CHECK_GE(ends[0].plans, 1);
	CHECK_GE(ends[1].plans, 1);
	CHECK_EQ(sim.dir[1].rx_plan.width, 425);
	CHECK_EQ(sim.dir[1].tx_plan.width, 425);
	for (l = 0; l < 425; l++)
		CHECK_GE(sim.dir[1].rx_plan.phys[l], 425);
	/* It is not made anew at each decision. */
	plans = ends[0].plans;
	for (l = 0; l < 20; l++) {
		lane_agent_lanes(&ends[0].agent, sim.now);
		ends[0].due = sim.now;
		run_for(10 * MS);
	}
	CHECK_LE(ends[0].plans - plans, 1);
	lane_agent_settings(&ends[0].agent, &s);
	s.standby = false;
	lane_agent_set(&ends[0].agent, &s, sim.now);
	ends[0].due = sim.now;
	run_for(100 * MS);
	CHECK_EQ(sim.dir[1].rx_plan.generation && sim.dir[1].rx_plan.width, 0);
}

/* ---- records, alarms, latency ---- */

KTAP_TEST(records_survive)
{
	struct lane_record r, none = { 0 };

	begin(425, 460);
	lose(0, 9);
	run_for(5 * MS);
	CHECK_EQ(ask(10, LANE_REQ_DISABLE, false, false), 0);
	run_for(5 * MS);
	lane_agent_record(&ends[0].agent, 9, &r);
	CHECK_EQ(r.losses, 1);
	CHECK(r.known_bad && !r.disabled);
	REQUIRE_EQ(start_end(0), 0);
	lane_agent_remember(&ends[0].agent, 9, &r);
	r.disabled = true;
	lane_agent_remember(&ends[0].agent, 10, &r);
	lane_agent_remember(&ends[0].agent, 460, &r);
	run_for(50 * MS);
	CHECK(!in_use(9) && !in_use(10));
	CHECK_EQ(state_of(10), LANE_DISABLED);
	lane_agent_record(&ends[0].agent, 460, &r);
	CHECK_EQ(memcmp(&r, &none, sizeof(r)), 0);
	lane_agent_record(&ends[0].agent, 10, &r);
	CHECK(r.disabled);
}

KTAP_TEST(alarms_come_and_go)
{
	u16 i;

	begin(60, 70);
	CHECK_EQ(lane_agent_alarms(&ends[0].agent), 0);
	for (i = 0; i < 12; i++)
		lose(0, i);
	run_for(400 * MS);
	CHECK_EQ(lane_agent_alarms(&ends[0].agent),
		 LANE_ALARM_SPARES_OUT | LANE_ALARM_NARROW | LANE_ALARM_CLUSTER);
	for (i = 0; i < 12; i++)
		heal(0, i);
	card_ops = &ops;
	for (i = 0; i < 80; i++) {
		u16 l;

		run_for(SEC);
		for (l = 0; l < 12; l++)
			lane_agent_tested(&ends[0].agent, l, 0, 1ULL << 30, sim.now);
	}
	CHECK_EQ(lane_agent_alarms(&ends[0].agent), 0);
	for (i = 0; i < 70; i++)
		lose(0, i);
	run_for(10 * MS);
	CHECK(lane_agent_alarms(&ends[0].agent) & LANE_ALARM_DARK);
	for (i = 0; i < 70; i++)
		heal(0, i);
	run_for(100 * MS);
	CHECK(!(lane_agent_alarms(&ends[0].agent) & LANE_ALARM_DARK));
	sim.loss = 100;
	run_for(3 * SEC);
	CHECK(lane_agent_alarms(&ends[0].agent) & LANE_ALARM_PEER_SILENT);
	sim.loss = 0;
	ends[0].broken_table = true;
	run_for(3 * SEC);
	CHECK(lane_agent_alarms(&ends[0].agent) & LANE_ALARM_TABLE_BAD);
	CHECK(!(lane_agent_alarms(&ends[0].agent) & LANE_ALARM_PEER_SILENT));
	ends[0].broken_table = false;
	run_for(3 * SEC);
	CHECK(!(lane_agent_alarms(&ends[0].agent) & LANE_ALARM_TABLE_BAD));
}

static u64 latencies(void)
{
	u64 sum = 0;
	u16 i;

	for (i = 0; i < LANE_LATENCY_BUCKETS; i++)
		sum += ends[0].agent.stats.latency[i];
	return sum;
}

KTAP_TEST(latency_is_from_loss_to_switch)
{
	struct lane_agent *a = &ends[0].agent;

	card_ops = &ops;
	start(425, 460, 3);
	run_for(20 * MS);
	/* By the card: it tells both times. */
	lane_agent_switch_event(a, PNIC_DIR_RX, 9, 1000, 700);
	CHECK_EQ(a->stats.latency[1], 1);
	lane_agent_switch_event(a, PNIC_DIR_RX, 9, 1000, 750);
	CHECK_EQ(a->stats.latency[0], 1);
	lane_agent_switch_event(a, PNIC_DIR_TX, 9, 1000, 700);
	lane_agent_switch_event(a, PNIC_DIR_RX, 9, 500, 700);
	CHECK_EQ(latencies(), 2);
	/* By software: loss and switch are told one by one, the switch late or early. */
	lane_agent_loss_event(a, 17, 5000);
	lane_agent_loss_event(a, 9999, 1);
	lose(0, 17);
	run_for(5 * MS);
	CHECK_EQ(latencies(), 2);
	lane_agent_switch_event(a, PNIC_DIR_RX, 2, 5000 + 1000000, 0);
	CHECK_EQ(latencies(), 3);
	CHECK_EQ(a->stats.latency[12], 1);		/* 512 us to 1.024 ms */
	lane_agent_loss_event(a, 18, 7000000);
	lose(0, 18);
	lane_agent_switch_event(a, PNIC_DIR_RX, 3, ~0ULL, 0);
	run_for(5 * MS);
	CHECK_EQ(a->stats.latency[LANE_LATENCY_BUCKETS - 1], 1);
	/* A switch that mends nothing is none. */
	lane_agent_switch_event(a, PNIC_DIR_RX, 4, 8000000, 0);
	CHECK_EQ(latencies(), 4);
}

KTAP_TEST(forecast_of_an_agent)
{
	struct lane_forecast f;
	u16 i;

	begin(425, 460);
	run_for(100 * SEC);
	lane_agent_forecast(&ends[0].agent, &f, sim.now);
	CHECK_EQ(f.spares, 35);
	CHECK_EQ(f.lost, 0);
	CHECK_EQ(f.observed_s, 100);
	CHECK_EQ(f.life_s, LANE_NEVER);
	for (i = 0; i < 5; i++)
		lose(0, 40 * i);
	run_for(SEC);
	lane_agent_forecast(&ends[0].agent, &f, sim.now);
	CHECK_EQ(f.spares, 30);
	CHECK_EQ(f.lost, 5);
	CHECK_EQ(f.life_s, 606);
	CHECK(f.life_low_s < f.life_s && f.life_s < f.life_high_s);
}

KTAP_MAIN()
