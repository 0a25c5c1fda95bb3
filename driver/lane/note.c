// SPDX-License-Identifier: GPL-2.0
/*
 * Notes in words.
 */
#include "note.h"
#include "proto_msg.h"
#include "request.h"
#include "state.h"
#include "table.h"

void lane_notes_add(struct lane_notes *notes, const struct lane_note *note)
{
	if (notes->nr < LANE_NOTES_MAX)
		notes->note[notes->nr++] = *note;
	else if (notes->lost < 0xffff)
		notes->lost++;
}

static const char *dir_name(u8 dir)
{
	return dir == PNIC_DIR_RX ? "receive" : "transmit";
}

static const char *table_fault(u32 fault)
{
	static const char * const names[] = {
		[LANE_TABLE_OK]		= "nothing",
		[LANE_TABLE_TORN]	= "torn",
		[LANE_TABLE_SHORT]	= "too short",
		[LANE_TABLE_COUNT]	= "wrong number of lanes",
		[LANE_TABLE_RECORD]	= "bad record",
	};

	return fault <= LANE_TABLE_RECORD ? names[fault] : "?";
}

static const char *card_op(u32 op)
{
	static const char * const names[LANE_OPS] = {
		[LANE_OP_LINK]		= "link query",
		[LANE_OP_TABLE]		= "lane table",
		[LANE_OP_MAP_GET]	= "map query",
		[LANE_OP_MAP_STAGE]	= "map staging",
		[LANE_OP_LANE_TEST]	= "lane test",
		[LANE_OP_CODEWORDS]	= "counters",
	};

	return op < LANE_OPS ? names[op] : "?";
}

static int state_text(const struct lane_note *n, char *buf, size_t cap)
{
	int len = snprintf(buf, cap, "lane %u: %s -> %s (%s", n->lane, lane_state_name(n->a),
			   lane_state_name(n->b), lane_event_name(n->logical));

	if (len < 0 || (size_t)len >= cap)
		return len;
	switch (n->logical) {
	case LANE_EV_DRIFT:
	case LANE_EV_ERRORS:
	case LANE_EV_RUINED:
		return len + snprintf(buf + len, cap - len, ": %u in 10^9, of %u seen)",
				      n->c, n->d);
	case LANE_EV_FADE:
	case LANE_EV_TREND:
		return len + snprintf(buf + len, cap - len, ": %d/100 dB an hour, %u s left)",
				      (s32)n->c, n->d);
	}
	return len + snprintf(buf + len, cap - len, ")");
}

static int cluster_text(const struct lane_note *n, char *buf, size_t cap)
{
	switch (n->logical) {
	case LANE_CLUSTER_ROW:
		return snprintf(buf, cap, "%u lanes of row %u lost at one time: a row driver",
				n->a, n->other);
	case LANE_CLUSTER_COLUMN:
		return snprintf(buf, cap, "%u lanes of column %u lost at one time: a driver",
				n->a, n->lane);
	case LANE_CLUSTER_EDGE:
		return snprintf(buf, cap,
				"%u lanes along the edge at (%u,%u) lost at one time: misaligned, reseat the connector",
				n->a, n->lane, n->other);
	}
	return snprintf(buf, cap,
			"%u neighbours around (%u,%u), radius %u, lost at one time: clean the connector",
			n->a, n->lane, n->other, n->b);
}

static const char *action_name(u32 action)
{
	static const char * const names[LANE_REQ_ACTIONS] = {
		[LANE_REQ_DISABLE]	= "disable",
		[LANE_REQ_ENABLE]	= "enable",
		[LANE_REQ_RETIRE]	= "retire",
		[LANE_REQ_TEST]		= "test",
	};

	return action < LANE_REQ_ACTIONS ? names[action] : "?";
}

static int asked_text(const struct lane_note *n, char *buf, size_t cap)
{
	switch (n->code) {
	case LANE_NOTE_TESTED:
		return snprintf(buf, cap, "lane %u: %u wrong bits of %u * 2^20 in a test: %s",
				n->lane, n->a, n->b, n->c ? "good" : "bad");
	case LANE_NOTE_ASKED:
		return snprintf(buf, cap, "lane %u: administrator asks to %s it%s", n->lane,
				action_name(n->a), n->b ? ", by force" : "");
	case LANE_NOTE_SETTINGS:
		return snprintf(buf, cap, "administrator has changed the policy");
	case LANE_NOTE_UNDONE:
		if (n->lane == LANE_NONE)
			return snprintf(buf, cap, "administrator takes a change of policy back");
		return snprintf(buf, cap, "lane %u: administrator takes \"%s\" back", n->lane,
				action_name(n->a));
	}
	return snprintf(buf, cap, "note %u", n->code);
}

static const char *link_name(u32 state)
{
	static const char * const names[] = {
		[PNIC_LINK_DOWN]	= "down",
		[PNIC_LINK_UP]		= "up",
		[PNIC_LINK_DISABLED]	= "disabled",
	};

	return state < ARRAY_SIZE(names) ? names[state] : "?";
}

static int policy_text(const struct lane_note *n, char *buf, size_t cap)
{
	switch (n->code) {
	case LANE_NOTE_STATE:
		return state_text(n, buf, cap);
	case LANE_NOTE_REPLACE:
		return snprintf(buf, cap, "logical %u: lane %u (%s) replaced by spare %u",
				n->logical, n->lane, lane_state_name(n->a), n->other);
	case LANE_NOTE_DROP:
		return snprintf(buf, cap, "logical %u: lane %u dropped, no spare left",
				n->logical, n->lane);
	case LANE_NOTE_MOVE:
		return snprintf(buf, cap, "lane %u moves from logical %u to %u",
				n->lane, n->a, n->logical);
	case LANE_NOTE_GROW:
		return snprintf(buf, cap, "lane %u joins as logical %u", n->lane, n->logical);
	case LANE_NOTE_WIDTH:
		return snprintf(buf, cap, "width %u -> %u", n->a, n->b);
	case LANE_NOTE_MARGIN:
		return snprintf(buf, cap, "margin %d -> %d lanes", (s32)n->a, (s32)n->b);
	case LANE_NOTE_HELD:
		return snprintf(buf, cap,
				"width stays %u: without its %u dark lanes the margin would be less",
				n->a, n->b);
	case LANE_NOTE_MORE:
		return snprintf(buf, cap, "and %u more", n->a);
	case LANE_NOTE_CLUSTER:
		return cluster_text(n, buf, cap);
	case LANE_NOTE_COMMON:
		return snprintf(buf, cap,
				"common mode: %u of %u lanes drift together, %d/100 dB, spares are kept",
				n->a, n->b, (s32)n->c);
	case LANE_NOTE_COMMON_OVER:
		return snprintf(buf, cap, "common mode is over, %d/100 dB left", (s32)n->c);
	case LANE_NOTE_DARK:
		return snprintf(buf, cap, "none of %u lanes works", n->a);
	case LANE_NOTE_BLIND:
		return snprintf(buf, cap,
				"link is beyond FEC: by their light %u of %u lanes are bad",
				n->a, n->b);
	case LANE_NOTE_LINK:
		return snprintf(buf, cap, "link is %s, was %s", link_name(n->a), link_name(n->b));
	case LANE_NOTE_TABLE:
		return snprintf(buf, cap, "lane table unusable: %s", table_fault(n->a));
	}
	return asked_text(n, buf, cap);
}

int lane_note_text(const struct lane_note *n, char *buf, size_t cap)
{
	switch (n->code) {
	case LANE_NOTE_PEER:
		return snprintf(buf, cap, "far end found, incarnation %08x", n->a);
	case LANE_NOTE_RESTART:
		return snprintf(buf, cap, "far end was reset, incarnation %08x", n->a);
	case LANE_NOTE_SILENT:
		return snprintf(buf, cap, "far end silent for %u ms", n->a);
	case LANE_NOTE_HEARD:
		return snprintf(buf, cap, "far end heard again");
	case LANE_NOTE_VERSION:
		return snprintf(buf, cap, "far end speaks version %u of the lane protocol", n->a);
	case LANE_NOTE_SHAPE:
		return snprintf(buf, cap, "far end has %u data lanes of %u: not compatible",
				n->a, n->b);
	case LANE_NOTE_NONSENSE:
		return snprintf(buf, cap, "message of %u bytes refused: %s", n->b,
				lane_msg_fault_name(n->a));
	case LANE_NOTE_ASTRAY:
		return snprintf(buf, cap, "%s maps differ: generation %u here, %u at the far end",
				dir_name(n->dir), n->a, n->b);
	case LANE_NOTE_FALLBACK:
		return snprintf(buf, cap, "%s map falls back from generation %u to %u",
				dir_name(n->dir), n->a, n->b);
	case LANE_NOTE_REJECTED:
		return snprintf(buf, cap, "far end rejected generation %u: %s", n->a,
				lane_reject_name(n->b));
	case LANE_NOTE_REFUSED:
		return snprintf(buf, cap, "card refused %s map of generation %u: %u",
				dir_name(n->dir), n->a, n->b);
	case LANE_NOTE_SWITCHED:
		return snprintf(buf, cap, "%s map of generation %u is active, width %u%s",
				dir_name(n->dir), n->a, n->b,
				n->actor == LANE_ACTOR_CARD ? ", by the standby plan" : "");
	case LANE_NOTE_MAP:
		return snprintf(buf, cap, "card reports an impossible %s map: %u",
				dir_name(n->dir), n->b);
	case LANE_NOTE_CARD:
		return snprintf(buf, cap, "card failed at %s: %d", card_op(n->a), (s32)n->b);
	case LANE_NOTE_STUCK:
		return snprintf(buf, cap,
				"%s: far end doesn't go on to generation %u after %u requests",
				dir_name(n->dir), n->a, n->b);
	case LANE_NOTE_UNPLANNED:
		return snprintf(buf, cap, "far end takes no standby plan: %s",
				n->a ? lane_reject_name(n->a) : "no answer");
	}
	return policy_text(n, buf, cap);
}

const char *lane_note_name(u8 code)
{
	static const char * const names[LANE_NOTE_CODES] = {
		[LANE_NOTE_NONE]	= "?",
		[LANE_NOTE_STATE]	= "lane-state",
		[LANE_NOTE_REPLACE]	= "replace",
		[LANE_NOTE_DROP]	= "drop",
		[LANE_NOTE_MOVE]	= "move",
		[LANE_NOTE_GROW]	= "grow",
		[LANE_NOTE_WIDTH]	= "width",
		[LANE_NOTE_MARGIN]	= "margin",
		[LANE_NOTE_HELD]	= "held",
		[LANE_NOTE_CLUSTER]	= "cluster",
		[LANE_NOTE_COMMON]	= "common-mode",
		[LANE_NOTE_COMMON_OVER]	= "common-mode-over",
		[LANE_NOTE_DARK]	= "dark",
		[LANE_NOTE_BLIND]	= "beyond-fec",
		[LANE_NOTE_LINK]	= "link",
		[LANE_NOTE_MORE]	= "more",
		[LANE_NOTE_TABLE]	= "table",
		[LANE_NOTE_TESTED]	= "tested",
		[LANE_NOTE_ASKED]	= "asked",
		[LANE_NOTE_SETTINGS]	= "settings",
		[LANE_NOTE_UNDONE]	= "undone",
		[LANE_NOTE_PEER]	= "peer",
		[LANE_NOTE_RESTART]	= "peer-reset",
		[LANE_NOTE_SILENT]	= "peer-silent",
		[LANE_NOTE_HEARD]	= "peer-heard",
		[LANE_NOTE_VERSION]	= "peer-version",
		[LANE_NOTE_SHAPE]	= "peer-shape",
		[LANE_NOTE_NONSENSE]	= "nonsense",
		[LANE_NOTE_ASTRAY]	= "asymmetric",
		[LANE_NOTE_FALLBACK]	= "fallback",
		[LANE_NOTE_REJECTED]	= "rejected",
		[LANE_NOTE_REFUSED]	= "refused",
		[LANE_NOTE_SWITCHED]	= "switched",
		[LANE_NOTE_MAP]		= "map",
		[LANE_NOTE_CARD]	= "card",
		[LANE_NOTE_STUCK]	= "peer-stuck",
		[LANE_NOTE_UNPLANNED]	= "unplanned",
	};

	return code < LANE_NOTE_CODES && names[code] ? names[code] : "?";
}
