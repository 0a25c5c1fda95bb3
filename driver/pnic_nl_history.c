// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: the history by netlink: history-get.
 */
#include "pnic_history.h"
#include "pnic_nl.h"

/**
 * struct history_ctx - where a dump is
 * @at: the device
 * @seq: the last entry of it that was put
 * @begun: @seq is about @at
 */
struct history_ctx {
	unsigned long at;
	u64 seq;
	bool begun;
};

/**
 * struct history_item - an entry and what was before it
 * @entry: the entry
 * @missed: entries before it that are gone
 */
struct history_item {
	struct pnic_history_entry entry;
	u64 missed;
};

#define HAS_DIR		BIT(0)
#define HAS_LANE	BIT(1)
#define HAS_OTHER	BIT(2)
#define HAS_LOGICAL	BIT(3)

/* Which of a note's fields are what their names say; see lane/note.h. */
static const u8 history_fields[LANE_NOTE_CODES] = {
	[LANE_NOTE_STATE]	= HAS_LANE,
	[LANE_NOTE_REPLACE]	= HAS_LANE | HAS_OTHER | HAS_LOGICAL,
	[LANE_NOTE_DROP]	= HAS_LANE | HAS_LOGICAL,
	[LANE_NOTE_MOVE]	= HAS_LANE | HAS_LOGICAL,
	[LANE_NOTE_GROW]	= HAS_LANE | HAS_LOGICAL,
	[LANE_NOTE_TESTED]	= HAS_LANE,
	[LANE_NOTE_ASKED]	= HAS_LANE,
	[LANE_NOTE_UNDONE]	= HAS_LANE,
	[LANE_NOTE_ASTRAY]	= HAS_DIR,
	[LANE_NOTE_FALLBACK]	= HAS_DIR,
	[LANE_NOTE_REFUSED]	= HAS_DIR,
	[LANE_NOTE_SWITCHED]	= HAS_DIR,
	[LANE_NOTE_MAP]		= HAS_DIR,
	[LANE_NOTE_STUCK]	= HAS_DIR,
};

static bool history_put_lanes(struct sk_buff *skb, const struct lane_note *note)
{
	u8 has = note->code < LANE_NOTE_CODES ? history_fields[note->code] : 0;

	return (has & HAS_DIR && nla_put_u32(skb, PNIC_A_HISTORY_DIRECTION, note->dir)) ||
	       (has & HAS_LANE && note->lane != LANE_NONE &&
		nla_put_u32(skb, PNIC_A_HISTORY_LANE, note->lane)) ||
	       (has & HAS_OTHER && nla_put_u32(skb, PNIC_A_HISTORY_OTHER, note->other)) ||
	       (has & HAS_LOGICAL && nla_put_u32(skb, PNIC_A_HISTORY_LOGICAL, note->logical));
}

static int history_fill(struct sk_buff *skb, struct pnic_dev *pd, const void *what)
{
	const struct history_item *item = what;
	const struct pnic_history_entry *entry = &item->entry;
	const struct lane_note *note = &entry->note;
	char text[LANE_NOTE_TEXT_MAX];

	BUILD_BUG_ON((int)PNIC_ACTOR_ADMIN != (int)LANE_ACTOR_ADMIN);

	lane_note_text(note, text, sizeof(text));
	if (nla_put_u32(skb, PNIC_A_HISTORY_DEV_INDEX, pd->minor) ||
	    nla_put_uint(skb, PNIC_A_HISTORY_SEQ, entry->seq) ||
	    nla_put_uint(skb, PNIC_A_HISTORY_TIME_NS, note->at) ||
	    nla_put_uint(skb, PNIC_A_HISTORY_WALL_NS, entry->wall_ns) ||
	    nla_put_string(skb, PNIC_A_HISTORY_CODE, lane_note_name(note->code)) ||
	    nla_put_u32(skb, PNIC_A_HISTORY_ACTOR, note->actor) ||
	    history_put_lanes(skb, note) ||
	    nla_put_u32(skb, PNIC_A_HISTORY_GENERATION, entry->generation) ||
	    nla_put_string(skb, PNIC_A_HISTORY_TEXT, text) ||
	    (item->missed && nla_put_uint(skb, PNIC_A_HISTORY_MISSED, item->missed)))
		return -EMSGSIZE;
	return 0;
}

static int history_dump_dev(struct sk_buff *skb, struct netlink_callback *cb, struct pnic_dev *pd,
			    struct history_ctx *ctx)
{
	struct pnic_history *history = pnic_lanes_history(pd);
	struct history_item item;
	int err;

	while (pnic_history_next(history, ctx->seq, &item.entry)) {
		item.missed = item.entry.seq - ctx->seq - 1;
		err = pnic_nl_put(skb, genl_info_dump(cb), cb, pd, history_fill, &item);
		if (err)
			return err;
		ctx->seq = item.entry.seq;
	}
	return 0;
}

/* Entries are counted from 1: those after @since. */
static u64 history_since(struct netlink_callback *cb)
{
	struct nlattr *since = genl_info_dump(cb)->attrs[PNIC_A_HISTORY_SINCE];

	return since ? nla_get_uint(since) : 0;
}

int pnic_nl_history_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct history_ctx *ctx = (void *)cb->ctx;
	struct pnic_dev *pd;
	int err = 0;

	BUILD_BUG_ON(sizeof(*ctx) > sizeof(cb->ctx));

	while (!err) {
		pd = pnic_nl_dump_enter(cb, &ctx->at, PNIC_NL_LANES);
		if (IS_ERR_OR_NULL(pd)) {
			err = PTR_ERR_OR_ZERO(pd);
			break;
		}
		if (!ctx->begun)
			ctx->seq = history_since(cb);
		ctx->begun = true;
		err = history_dump_dev(skb, cb, pd, ctx);
		pnic_nl_dump_leave(pd);
		if (err)
			break;
		ctx->at++;
		ctx->begun = false;
	}
	return err == -EMSGSIZE && skb->len ? skb->len : err;
}
