// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the messages on the management channel: right ones, and nonsense of every kind.
 */
#include "selftests/ktap.h"
#include "../proto.h"
#include "rng.h"

static u32 buf[LANE_MSG_MAX / 4], copy[LANE_MSG_MAX / 4];
static struct lane_wire_move moves[LANE_MSG_MAX / 4];

static struct lane_msg sample(u8 type)
{
	struct lane_msg m = {
		.type = type, .known = true, .answer = true, .from = 0x11111111, .to = 0x22222222,
		.seq = 7, .echo = 5,
		.report = { 3, 0xabcd, 4, 0xef01, 425, 424 },
		.data = 425, .total = 460, .msg_max = 2048,
		.id = 9, .generation = 4, .sum = 0xdeadbeef,
		.reason = type == LANE_MSG_REJECT ? LANE_REJECT_SUM : 0,
		.width = 425, .count = 3, .moves = moves,
	};
	u16 i;

	for (i = 0; i < 3; i++) {
		moves[i].logical = cpu_to_le16(10 * i);
		moves[i].phys = cpu_to_le16(430 + i);
	}
	return m;
}

/* Encodes a sample; an exact buffer, so that a sanitizer sees every byte read too many. */
static size_t encoded(u8 type)
{
	struct lane_msg m = sample(type);

	return lane_msg_encode(&m, buf, sizeof(buf));
}

static int decode_exact(struct lane_msg *m, const void *from, size_t len)
{
	void *exact = malloc(len ? len : 1);
	int fault;

	memcpy(exact, from, len);
	fault = lane_msg_decode(m, exact, len);
	m->moves = NULL;
	free(exact);
	return fault;
}

KTAP_TEST(each_type_to_bytes_and_back)
{
	u8 type;

	for (type = 1; type < LANE_MSG_TYPES; type++) {
		struct lane_msg want = sample(type), m;
		size_t len = encoded(type);

		REQUIRE_GE(len, sizeof(struct lane_wire_head));
		CHECK_EQ(lane_msg_decode(&m, buf, len), LANE_MSG_OK);
		CHECK_EQ(m.type, type);
		CHECK_EQ(m.from, want.from);
		CHECK_EQ(m.to, want.to);
		CHECK_EQ(m.seq, want.seq);
		CHECK_EQ(m.echo, want.echo);
		CHECK_EQ(m.known, true);
		CHECK_EQ(m.answer, true);
		CHECK(!memcmp(&m.report, &want.report, sizeof(m.report)));
		if (type == LANE_MSG_HELLO)
			CHECK_EQ(m.data + m.total + m.msg_max, 425 + 460 + 2048);
		else if (type != LANE_MSG_HEARTBEAT)
			CHECK_EQ(m.id + m.generation + m.sum, 9 + 4 + 0xdeadbeef);
		if (type == LANE_MSG_PROPOSE || type == LANE_MSG_PLAN) {
			CHECK_EQ(m.count, 3);
			CHECK_EQ(le16_to_cpu(m.moves[2].phys), 432);
		}
	}
}

KTAP_TEST(layout_is_what_the_document_says)
{
	size_t len = encoded(LANE_MSG_PROPOSE);
	u8 *b = (u8 *)buf;

	CHECK_EQ(sizeof(struct lane_wire_head), 44);
	CHECK_EQ(sizeof(struct lane_wire_hello), 8);
	CHECK_EQ(sizeof(struct lane_wire_propose), 16);
	CHECK_EQ(sizeof(struct lane_wire_ref), 16);
	CHECK_EQ(len, 44 + 16 + 12);
	CHECK_EQ(b[0], LANE_MSG_VERSION);
	CHECK_EQ(b[1], LANE_MSG_PROPOSE);
	CHECK_EQ(b[2] | b[3] << 8, (int)len);
	CHECK_EQ(b[12], 7);		/* seq */
	CHECK_EQ(b[44], 9);		/* id */
	CHECK_EQ(b[56] | b[57] << 8, 425);
	CHECK_EQ(b[60 + 4], 10);	/* second move's logical lane */
	/* A whole map of the usual link fits. */
	CHECK_GE(lane_msg_moves_max(2048), 425);
	CHECK_EQ(lane_msg_moves_max(60), 0);
	CHECK_EQ(lane_msg_moves_max(64), 1);
	CHECK_EQ(lane_msg_moves_max(0xffff), lane_msg_moves_max(2048));
}

KTAP_TEST(truncated_at_every_byte)
{
	struct lane_msg m;
	size_t len, cut;
	u8 type;

	for (type = 1; type < LANE_MSG_TYPES; type++) {
		len = encoded(type);
		CHECK_EQ(decode_exact(&m, buf, len), LANE_MSG_OK);
		for (cut = 0; cut < len; cut++) {
			struct lane_wire_head *head = (void *)copy;

			CHECK_NE(decode_exact(&m, buf, cut), LANE_MSG_OK);
			/* And with a length that agrees. */
			if (cut < sizeof(*head))
				continue;
			memcpy(copy, buf, cut);
			head->length = cpu_to_le16(cut);
			CHECK_NE(decode_exact(&m, copy, cut), LANE_MSG_OK);
		}
		memcpy(copy, buf, len);
		CHECK_NE(decode_exact(&m, copy, len + 1), LANE_MSG_OK);
		((struct lane_wire_head *)(void *)copy)->length = cpu_to_le16(len + 4);
		CHECK_NE(decode_exact(&m, copy, len + 4), LANE_MSG_OK);
	}
}

/* One field of a good message is spoilt: the reason is the expected one. */
static int spoilt(u8 type, size_t offset, u16 value)
{
	size_t len = encoded(type);
	struct lane_msg m;

	((u8 *)buf)[offset] = value;
	((u8 *)buf)[offset + 1] = value >> 8;
	return decode_exact(&m, buf, len);
}

static int spoilt32(u8 type, size_t offset, u32 value)
{
	size_t len = encoded(type);
	struct lane_msg m;

	value = cpu_to_le32(value);
	memcpy((u8 *)buf + offset, &value, 4);
	return decode_exact(&m, buf, len);
}

#define HEAD(f)		offsetof(struct lane_wire_head, f)
#define BODY(t, f)	(sizeof(struct lane_wire_head) + offsetof(struct t, f))

KTAP_TEST(bad_heads_are_refused)
{
	u8 type;

	for (type = 1; type < LANE_MSG_TYPES; type++) {
		CHECK_EQ(spoilt(type, HEAD(version), type << 8 | 2), LANE_MSG_VERSIONED);
		CHECK_EQ(spoilt(type, HEAD(version), type << 8), LANE_MSG_VERSIONED);
		CHECK_EQ(spoilt(type, HEAD(version), 1), LANE_MSG_TYPE);
		CHECK_EQ(spoilt(type, HEAD(version), LANE_MSG_TYPES << 8 | 1), LANE_MSG_TYPE);
		CHECK_EQ(spoilt(type, HEAD(version), 0xff01), LANE_MSG_TYPE);
		CHECK_EQ(spoilt(type, HEAD(length), 0), LANE_MSG_LENGTH);
		CHECK_EQ(spoilt(type, HEAD(length), 0xffff), LANE_MSG_LENGTH);
		CHECK_EQ(spoilt32(type, HEAD(from), 0), LANE_MSG_HEAD);
		CHECK_EQ(spoilt32(type, HEAD(seq), 0), LANE_MSG_HEAD);
		CHECK_EQ(spoilt(type, HEAD(flags), 4), LANE_MSG_HEAD);
		CHECK_EQ(spoilt(type, HEAD(flags), 0x8000), LANE_MSG_HEAD);
		CHECK_EQ(spoilt(type, HEAD(flags), 3), LANE_MSG_OK);
		CHECK_EQ(spoilt(type, HEAD(rsvd), 1), LANE_MSG_HEAD);
	}
}

KTAP_TEST(bad_bodies_are_refused)
{
	u8 type;

	CHECK_EQ(spoilt(LANE_MSG_HELLO, BODY(lane_wire_hello, data), 0), LANE_MSG_BODY);
	CHECK_EQ(spoilt(LANE_MSG_HELLO, BODY(lane_wire_hello, total), 424), LANE_MSG_BODY);
	CHECK_EQ(spoilt(LANE_MSG_HELLO, BODY(lane_wire_hello, total), LANE_MAX + 1), LANE_MSG_BODY);
	CHECK_EQ(spoilt(LANE_MSG_HELLO, BODY(lane_wire_hello, rsvd), 1), LANE_MSG_BODY);

	CHECK_EQ(spoilt32(LANE_MSG_PROPOSE, BODY(lane_wire_propose, id), 0), LANE_MSG_BODY);
	CHECK_EQ(spoilt32(LANE_MSG_PROPOSE, BODY(lane_wire_propose, generation), 0), LANE_MSG_BODY);
	CHECK_EQ(spoilt(LANE_MSG_PROPOSE, BODY(lane_wire_propose, width), 0), LANE_MSG_BODY);
	CHECK_EQ(spoilt(LANE_MSG_PROPOSE, BODY(lane_wire_propose, width), LANE_MAX + 1),
		 LANE_MSG_BODY);
	CHECK_EQ(spoilt(LANE_MSG_PROPOSE, BODY(lane_wire_propose, width), 20), LANE_MSG_BODY);
	CHECK_EQ(spoilt(LANE_MSG_PROPOSE, BODY(lane_wire_propose, width), 21), LANE_MSG_OK);
	CHECK_EQ(spoilt(LANE_MSG_PROPOSE, BODY(lane_wire_propose, count), 2), LANE_MSG_LENGTH);
	CHECK_EQ(spoilt(LANE_MSG_PROPOSE, BODY(lane_wire_propose, count), 4), LANE_MSG_LENGTH);
	CHECK_EQ(spoilt(LANE_MSG_PROPOSE, BODY(lane_wire_propose, count), 0xffff), LANE_MSG_LENGTH);
	/* The same logical lane twice, descending, out of the width. */
	CHECK_EQ(spoilt(LANE_MSG_PROPOSE, 60 + 4, 0), LANE_MSG_BODY);
	CHECK_EQ(spoilt(LANE_MSG_PROPOSE, 60, 11), LANE_MSG_BODY);
	CHECK_EQ(spoilt(LANE_MSG_PROPOSE, 60 + 8, 425), LANE_MSG_BODY);
	CHECK_EQ(spoilt(LANE_MSG_PROPOSE, 60 + 8, 0xffff), LANE_MSG_BODY);

	for (type = LANE_MSG_ACCEPT; type <= LANE_MSG_CONFIRM; type++) {
		CHECK_EQ(spoilt32(type, BODY(lane_wire_ref, id), 0), LANE_MSG_BODY);
		CHECK_EQ(spoilt32(type, BODY(lane_wire_ref, generation), 0), LANE_MSG_BODY);
		CHECK_EQ(spoilt(type, BODY(lane_wire_ref, rsvd), 1), LANE_MSG_BODY);
		CHECK_EQ(spoilt(type, BODY(lane_wire_ref, reason), type != LANE_MSG_REJECT),
			 LANE_MSG_BODY);
	}
}

KTAP_TEST(what_does_not_fit_is_not_sent)
{
	struct lane_msg m = sample(LANE_MSG_PROPOSE);
	size_t len = encoded(LANE_MSG_PROPOSE), cap;

	for (cap = 0; cap < len; cap++)
		CHECK_EQ(lane_msg_encode(&m, buf, cap), 0);
	m.count = lane_msg_moves_max(2048);
	CHECK_LE(lane_msg_encode(&m, buf, sizeof(buf)), sizeof(buf));
	CHECK_NE(lane_msg_encode(&m, buf, sizeof(buf)), 0);
	m.count++;
	CHECK_EQ(lane_msg_encode(&m, buf, 1 << 16), 0);
}

/* A far end that talks nonsense: nothing it says moves a map, nothing breaks. */
static struct lane_proto proto;
static struct lane_map map, was;

static void fresh_proto(void)
{
	struct lane_proto_cfg cfg;

	lane_proto_cfg_default(&cfg);
	cfg.shape = (struct lane_shape){ 425, 460 };
	lane_map_identity(&map, 425);
	lane_proto_init(&proto, &cfg, 0x22222222, &map, &map, 0);
}

static bool drain(void)
{
	struct lane_action act;

	while (lane_proto_next_action(&proto, &act)) {
		size_t len = act.type == LANE_ACT_SEND ?
			     lane_proto_encode(&proto, &act, copy, sizeof(copy)) : 0;

		if (len > sizeof(copy))
			return false;
		if (act.type == LANE_ACT_STAGE) {
			/* Only what is a map may ever be staged. */
			if (lane_map_check(lane_proto_staged_map(&proto, act.dir),
					   &proto.cfg.shape))
				return false;
			lane_proto_staged(&proto, act.dir, 0, 1);
		}
	}
	return true;
}

KTAP_TEST(random_bytes_as_messages)
{
	u32 n, rounds = 300000 / LANE_TEST_SHARE;
	struct rng r;

	rng_seed(&r, 5);
	fresh_proto();
	lane_map_copy(&was, &proto.rx.active);
	for (n = 0; n < rounds; n++) {
		size_t len = rng_below(&r, 200), i;
		u8 *b = (u8 *)buf;

		for (i = 0; i < len; i++)
			b[i] = rng_next(&r);
		if (len > 4 && rng_chance(&r, 90)) {
			b[0] = LANE_MSG_VERSION;
			b[1] = 1 + rng_below(&r, LANE_MSG_TYPES);
			b[2] = len;
			b[3] = 0;
		}
		lane_proto_rx_msg(&proto, buf, len, n);
		REQUIRE(drain());
	}
	CHECK(lane_map_same(&was, &proto.rx.active));
	CHECK(lane_map_same(&was, &proto.tx.active));
}

/* Good messages with one or two bytes changed, to a protocol that has a peer. */
KTAP_TEST(damaged_messages_of_a_known_peer)
{
	u32 n, rounds = 300000 / LANE_TEST_SHARE;
	u32 staged = 0;
	struct rng r;

	rng_seed(&r, 6);
	for (n = 0; n < rounds; n++) {
		struct lane_msg m = sample(1 + rng_below(&r, LANE_MSG_TYPES - 1));
		size_t len;
		u32 flips;

		if (n % 64 == 0) {
			struct lane_msg hello = sample(LANE_MSG_HELLO);

			fresh_proto();
			hello.seq = 1;
			hello.echo = 1;
			hello.report = (struct lane_report){ 1, lane_map_sum(&map),
							     1, lane_map_sum(&map), 0, 0 };
			len = lane_msg_encode(&hello, buf, sizeof(buf));
			lane_proto_rx_msg(&proto, buf, len, 0);
			REQUIRE(proto.peer.known);
			REQUIRE(drain());
		}
		m.seq = n % 64 + 2;
		m.generation = 2;
		m.report = proto.peer.report;
		/* A proposal that would do. */
		lane_map_copy(&was, &map);
		was.phys[0] = 430;
		was.phys[10] = 431;
		was.phys[20] = 432;
		m.sum = lane_map_sum(&was);
		len = lane_msg_encode(&m, buf, sizeof(buf));
		for (flips = rng_below(&r, 3); flips; flips--)
			((u8 *)buf)[rng_below(&r, len)] = rng_next(&r);
		if (rng_chance(&r, 5))
			len = rng_below(&r, len + 1);
		lane_proto_rx_msg(&proto, buf, len, n);
		REQUIRE(drain());
		staged += proto.tx.state == LANE_TX_STAGED;
	}
	/* Some came through undamaged. */
	CHECK_GT(staged, rounds / 100);
}

KTAP_MAIN()
