// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suites of the lane code, inside a kernel: with its integers, its division, its
 * string functions. The cases are those of the host tests (driver/lane/tests/).
 */
#include <kunit/test.h>
#include <linux/module.h>

#include "../../lane/tests/policy_rules.h"
#include "../../lane/tests/proto_cases.h"
#include "../../lane/tests/state_cases.h"
#include "../../lane/tests/value_cases.h"

#define CASE_FAULT(test, fault, nr)	\
	KUNIT_EXPECT_STREQ_MSG(test, (fault) ?: "right", "right", "case %zu", (size_t)(nr))

/* ---- states ---- */

static void lane_state_table(struct kunit *test)
{
	u8 state, event;

	for (state = 0; state < LANE_STATES; state++)
		for (event = 0; event < LANE_EVENTS; event++)
			KUNIT_EXPECT_EQ_MSG(test, lane_state_next(state, event),
					    lane_state_expected(state, event), "%s, %s",
					    lane_state_name(state), lane_event_name(event));
	KUNIT_EXPECT_EQ(test, lane_state_next(LANE_STATES, 1), LANE_STATES);
	KUNIT_EXPECT_EQ(test, lane_state_next(LANE_SPARE, LANE_EVENTS), LANE_SPARE);
}

static struct kunit_case state_tests[] = {
	KUNIT_CASE(lane_state_table),
	{}
};

static struct kunit_suite state_suite = {
	.name = "pnic_lane_state",
	.test_cases = state_tests,
};

/* ---- numbers ---- */

static void margins(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(margin_cases); i++)
		CASE_FAULT(test, margin_case_fault(&margin_cases[i]), i);
}

static void rates(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rate_cases); i++)
		CASE_FAULT(test, rate_case_fault(&rate_cases[i]), i);
}

static void forecasts(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forecast_cases); i++)
		CASE_FAULT(test, forecast_case_fault(&forecast_cases[i]), i);
}

static void settings(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(settings_cases); i++)
		CASE_FAULT(test, settings_case_fault(&settings_cases[i]), i);
}

static struct kunit_case value_tests[] = {
	KUNIT_CASE(margins),
	KUNIT_CASE(rates),
	KUNIT_CASE(forecasts),
	KUNIT_CASE(settings),
	{}
};

static struct kunit_suite value_suite = {
	.name = "pnic_lane_values",
	.test_cases = value_tests,
};

/* ---- maps ---- */

static struct lane_map map, copy;

static void map_is_checked(struct kunit *test)
{
	struct lane_shape shape = { .data = 8, .total = 10 };

	lane_map_identity(&map, 8);
	KUNIT_EXPECT_EQ(test, lane_map_check(&map, &shape), 0);
	map.phys[3] = 9;
	KUNIT_EXPECT_EQ(test, lane_map_check(&map, &shape), 0);
	map.phys[3] = 10;
	KUNIT_EXPECT_EQ(test, lane_map_check(&map, &shape), PNIC_MAPR_RANGE);
	map.phys[3] = 4;
	KUNIT_EXPECT_EQ(test, lane_map_check(&map, &shape), PNIC_MAPR_TWICE);
	map.width = 0;
	KUNIT_EXPECT_EQ(test, lane_map_check(&map, &shape), PNIC_MAPR_WIDTH);
	map.width = 9;
	KUNIT_EXPECT_EQ(test, lane_map_check(&map, &shape), PNIC_MAPR_WIDTH);
}

static void map_goes_to_the_card_and_back(struct kunit *test)
{
	static u8 buf[sizeof(struct pnic_map) + 2 * LANE_MAX];
	size_t len;

	lane_map_identity(&map, 425);
	map.phys[17] = 440;
	map.generation = 0x01020304;
	len = lane_map_encode(&map, buf, sizeof(buf));
	KUNIT_EXPECT_EQ(test, len, 8 + 2 * 425);
	KUNIT_EXPECT_EQ(test, buf[0], 4);
	KUNIT_EXPECT_EQ(test, buf[8 + 2 * 17], 440 % 256);
	KUNIT_EXPECT_TRUE(test, lane_map_decode(&copy, buf, len));
	KUNIT_EXPECT_TRUE(test, lane_map_same(&map, &copy));
	KUNIT_EXPECT_EQ(test, copy.generation, 0x01020304);
	KUNIT_EXPECT_EQ(test, lane_map_sum(&map), lane_map_sum(&copy));
	KUNIT_EXPECT_FALSE(test, lane_map_decode(&copy, buf, len - 1));
	KUNIT_EXPECT_EQ(test, lane_map_encode(&map, buf, len - 1), 0);
}

static struct kunit_case map_tests[] = {
	KUNIT_CASE(map_is_checked),
	KUNIT_CASE(map_goes_to_the_card_and_back),
	{}
};

static struct kunit_suite map_suite = {
	.name = "pnic_lane_map",
	.test_cases = map_tests,
};

/* ---- the policy's rules ---- */

static void rules_are_kept(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(policy_rules); i++) {
		w_fault = NULL;
		KUNIT_EXPECT_STREQ_MSG(test, policy_rules[i].check() ?: "kept", "kept", "%s",
				       policy_rules[i].name);
	}
}

static struct kunit_case policy_tests[] = {
	KUNIT_CASE(rules_are_kept),
	{}
};

static struct kunit_suite policy_suite = {
	.name = "pnic_lane_policy",
	.test_cases = policy_tests,
};

/* ---- the protocol's tables ---- */

static struct lane_proto proto;

static void begin(void)
{
	struct lane_proto_cfg cfg;

	lane_proto_cfg_default(&cfg);
	cfg.shape.data = 425;
	cfg.shape.total = 460;
	lane_map_identity(&map, 425);
	lane_proto_init(&proto, &cfg, 1, &map, &map, 1000);
}

static u8 wanted(const struct transition *want, size_t n, u8 state, u8 event)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (want[i].state == state && want[i].event == event)
			return want[i].next;
	return state;
}

static void receiver_table(struct kunit *test)
{
	u8 state, event;

	for (state = LANE_RX_IDLE; state < LANE_RX_STATES; state++)
		for (event = 0; event < LANE_RX_EVENTS; event++) {
			begin();
			proto.rx.state = state;
			lane_proto_rx_event(&proto, event, 1000);
			KUNIT_EXPECT_EQ_MSG(test, proto.rx.state,
					    wanted(rx_want, ARRAY_SIZE(rx_want), state, event),
					    "%s, event %u", lane_rx_state_name(state), event);
		}
}

static void transmitter_table(struct kunit *test)
{
	u8 state, event;

	for (state = LANE_TX_IDLE; state < LANE_TX_STATES; state++)
		for (event = 0; event < LANE_TX_EVENTS; event++) {
			begin();
			proto.tx.state = state;
			lane_proto_tx_event(&proto, event, 1000);
			KUNIT_EXPECT_EQ_MSG(test, proto.tx.state,
					    wanted(tx_want, ARRAY_SIZE(tx_want), state, event),
					    "%s, event %u", lane_tx_state_name(state), event);
		}
}

static struct kunit_case proto_tests[] = {
	KUNIT_CASE(receiver_table),
	KUNIT_CASE(transmitter_table),
	{}
};

static struct kunit_suite proto_suite = {
	.name = "pnic_lane_proto",
	.test_cases = proto_tests,
};

kunit_test_suites(&state_suite, &value_suite, &map_suite, &policy_suite, &proto_suite);

MODULE_DESCRIPTION("KUnit tests of pnic's lane code");
MODULE_LICENSE("GPL");
