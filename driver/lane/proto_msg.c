// SPDX-License-Identifier: GPL-2.0
/*
 * The messages of the lane protocol, to and from bytes.
 */
#include "proto_msg.h"

static const size_t body_size[LANE_MSG_TYPES] = {
	[LANE_MSG_HELLO]	= sizeof(struct lane_wire_hello),
	[LANE_MSG_HEARTBEAT]	= 0,
	[LANE_MSG_PROPOSE]	= sizeof(struct lane_wire_propose),
	[LANE_MSG_ACCEPT]	= sizeof(struct lane_wire_ref),
	[LANE_MSG_REJECT]	= sizeof(struct lane_wire_ref),
	[LANE_MSG_GO]		= sizeof(struct lane_wire_ref),
	[LANE_MSG_CONFIRM]	= sizeof(struct lane_wire_ref),
	[LANE_MSG_PLAN]		= sizeof(struct lane_wire_propose),
	[LANE_MSG_PLANNED]	= sizeof(struct lane_wire_ref),
};

u16 lane_msg_moves_max(u16 msg_max)
{
	size_t heads = sizeof(struct lane_wire_head) + sizeof(struct lane_wire_propose);

	if (msg_max > LANE_MSG_MAX)
		msg_max = LANE_MSG_MAX;
	if (msg_max <= heads)
		return 0;
	return (msg_max - heads) / sizeof(struct lane_wire_move);
}

static int decode_head(struct lane_msg *m, const struct lane_wire_head *w, size_t len)
{
	u16 flags = le16_to_cpu(w->flags);

	if (w->version != LANE_MSG_VERSION)
		return LANE_MSG_VERSIONED;
	if (le16_to_cpu(w->length) != len)
		return LANE_MSG_LENGTH;
	if (!w->type || w->type >= LANE_MSG_TYPES)
		return LANE_MSG_TYPE;
	if (w->rsvd || flags & ~(LANE_MSGF_KNOWN | LANE_MSGF_ANSWER) || !w->from || !w->seq)
		return LANE_MSG_HEAD;

	m->type = w->type;
	m->known = flags & LANE_MSGF_KNOWN;
	m->answer = flags & LANE_MSGF_ANSWER;
	m->from = le32_to_cpu(w->from);
	m->to = le32_to_cpu(w->to);
	m->seq = le32_to_cpu(w->seq);
	m->echo = le32_to_cpu(w->echo);
	m->report.rx_gen = le32_to_cpu(w->rx_gen);
	m->report.rx_sum = le32_to_cpu(w->rx_sum);
	m->report.tx_gen = le32_to_cpu(w->tx_gen);
	m->report.tx_sum = le32_to_cpu(w->tx_sum);
	m->report.rx_width = le16_to_cpu(w->rx_width);
	m->report.tx_width = le16_to_cpu(w->tx_width);
	return LANE_MSG_OK;
}

static int decode_hello(struct lane_msg *m, const struct lane_wire_hello *w, size_t len)
{
	if (len != sizeof(*w))
		return LANE_MSG_LENGTH;
	m->data = le16_to_cpu(w->data);
	m->total = le16_to_cpu(w->total);
	m->msg_max = le16_to_cpu(w->msg_max);
	if (w->rsvd || !m->data || m->total < m->data || m->total > LANE_MAX)
		return LANE_MSG_BODY;
	return LANE_MSG_OK;
}

/* Each logical lane at most once: they ascend, and are below the width. */
static bool moves_ordered(const struct lane_msg *m)
{
	u32 floor = 0;
	u16 i;

	for (i = 0; i < m->count; i++) {
		u16 logical = le16_to_cpu(m->moves[i].logical);

		if (logical < floor || logical >= m->width)
			return false;
		floor = logical + 1u;
	}
	return true;
}

static int decode_propose(struct lane_msg *m, const struct lane_wire_propose *w, size_t len)
{
	m->id = le32_to_cpu(w->id);
	m->generation = le32_to_cpu(w->generation);
	m->sum = le32_to_cpu(w->sum);
	m->width = le16_to_cpu(w->width);
	m->count = le16_to_cpu(w->count);
	m->moves = (const struct lane_wire_move *)(w + 1);
	if (len != sizeof(*w) + m->count * sizeof(*m->moves))
		return LANE_MSG_LENGTH;
	if (!m->id || !m->generation || !m->width || m->width > LANE_MAX)
		return LANE_MSG_BODY;
	return moves_ordered(m) ? LANE_MSG_OK : LANE_MSG_BODY;
}

static int decode_ref(struct lane_msg *m, const struct lane_wire_ref *w, size_t len)
{
	if (len != sizeof(*w))
		return LANE_MSG_LENGTH;
	m->id = le32_to_cpu(w->id);
	m->generation = le32_to_cpu(w->generation);
	m->sum = le32_to_cpu(w->sum);
	m->reason = le16_to_cpu(w->reason);
	if (w->rsvd || !m->id || !m->generation)
		return LANE_MSG_BODY;
	if (m->type == LANE_MSG_PLANNED)
		return LANE_MSG_OK;
	if (m->type == LANE_MSG_REJECT ? !m->reason : m->reason)
		return LANE_MSG_BODY;
	return LANE_MSG_OK;
}

int lane_msg_decode(struct lane_msg *m, const void *buf, size_t len)
{
	const struct lane_wire_head *head = buf;
	int fault;

	memset(m, 0, sizeof(*m));
	if (len < sizeof(*head))
		return LANE_MSG_SHORT;
	fault = decode_head(m, head, len);
	if (fault)
		return fault;
	len -= sizeof(*head);
	if (len < body_size[m->type])
		return LANE_MSG_LENGTH;

	switch (m->type) {
	case LANE_MSG_HELLO:
		return decode_hello(m, (const void *)(head + 1), len);
	case LANE_MSG_PROPOSE:
	case LANE_MSG_PLAN:
		return decode_propose(m, (const void *)(head + 1), len);
	case LANE_MSG_HEARTBEAT:
		return len ? LANE_MSG_LENGTH : LANE_MSG_OK;
	}
	return decode_ref(m, (const void *)(head + 1), len);
}

static void encode_head(const struct lane_msg *m, struct lane_wire_head *w, size_t len)
{
	w->version = LANE_MSG_VERSION;
	w->type = m->type;
	w->length = cpu_to_le16(len);
	w->from = cpu_to_le32(m->from);
	w->to = cpu_to_le32(m->to);
	w->seq = cpu_to_le32(m->seq);
	w->echo = cpu_to_le32(m->echo);
	w->rx_gen = cpu_to_le32(m->report.rx_gen);
	w->rx_sum = cpu_to_le32(m->report.rx_sum);
	w->tx_gen = cpu_to_le32(m->report.tx_gen);
	w->tx_sum = cpu_to_le32(m->report.tx_sum);
	w->rx_width = cpu_to_le16(m->report.rx_width);
	w->tx_width = cpu_to_le16(m->report.tx_width);
	w->flags = cpu_to_le16((m->known ? LANE_MSGF_KNOWN : 0) |
			       (m->answer ? LANE_MSGF_ANSWER : 0));
	w->rsvd = 0;
}

static void encode_propose(const struct lane_msg *m, struct lane_wire_propose *w)
{
	w->id = cpu_to_le32(m->id);
	w->generation = cpu_to_le32(m->generation);
	w->sum = cpu_to_le32(m->sum);
	w->width = cpu_to_le16(m->width);
	w->count = cpu_to_le16(m->count);
	memcpy(w + 1, m->moves, m->count * sizeof(*m->moves));
}

static void encode_ref(const struct lane_msg *m, struct lane_wire_ref *w)
{
	w->id = cpu_to_le32(m->id);
	w->generation = cpu_to_le32(m->generation);
	w->sum = cpu_to_le32(m->sum);
	w->reason = cpu_to_le16(m->reason);
	w->rsvd = 0;
}

static void encode_hello(const struct lane_msg *m, struct lane_wire_hello *w)
{
	w->data = cpu_to_le16(m->data);
	w->total = cpu_to_le16(m->total);
	w->msg_max = cpu_to_le16(m->msg_max);
	w->rsvd = 0;
}

static bool has_moves(u8 type)
{
	return type == LANE_MSG_PROPOSE || type == LANE_MSG_PLAN;
}

size_t lane_msg_encode(const struct lane_msg *m, void *buf, size_t cap)
{
	size_t len = sizeof(struct lane_wire_head) + body_size[m->type];
	struct lane_wire_head *head = buf;

	if (has_moves(m->type))
		len += m->count * sizeof(*m->moves);
	if (len > cap || len > LANE_MSG_MAX)
		return 0;

	encode_head(m, head, len);
	if (m->type == LANE_MSG_HELLO)
		encode_hello(m, (void *)(head + 1));
	else if (has_moves(m->type))
		encode_propose(m, (void *)(head + 1));
	else if (m->type != LANE_MSG_HEARTBEAT)
		encode_ref(m, (void *)(head + 1));
	return len;
}

const char *lane_msg_fault_name(u32 fault)
{
	static const char * const names[LANE_MSG_FAULTS] = {
		[LANE_MSG_OK]		= "nothing",
		[LANE_MSG_SHORT]	= "shorter than its head",
		[LANE_MSG_VERSIONED]	= "another version",
		[LANE_MSG_LENGTH]	= "wrong length",
		[LANE_MSG_TYPE]		= "unknown type",
		[LANE_MSG_HEAD]		= "bad head",
		[LANE_MSG_BODY]		= "bad body",
	};

	return fault < LANE_MSG_FAULTS ? names[fault] : "?";
}

const char *lane_reject_name(u32 reason)
{
	switch (reason) {
	case LANE_REJECT_WIDTH:
		return "width";
	case LANE_REJECT_RANGE:
		return "no such lane";
	case LANE_REJECT_TWICE:
		return "a lane carries two logical lanes";
	case LANE_REJECT_GENERATION:
		return "generation";
	case LANE_REJECT_OFF:
		return "a lane is switched off";
	case LANE_REJECT_IN_USE:
		return "a spare is in use";
	case LANE_REJECT_SUM:
		return "the map that results is another";
	case LANE_REJECT_NOT_STAGED:
		return "not staged";
	case LANE_REJECT_CARD:
		return "card failed";
	case LANE_REJECT_DARK:
		return "a lane is dark";
	}
	return "?";
}
