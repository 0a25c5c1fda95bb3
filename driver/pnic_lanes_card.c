// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: the card as the lane agent sees it: commands, and a place to tell what happened.
 *
 * Called by the agent during a turn, with lanes->run_lock.
 */
#include "pnic_lanes_priv.h"

static int op_link(void *card, struct lane_link *link)
{
	struct pnic_link_info i;
	int err = pnic_lanes_query(card, &i);

	if (err)
		return err;
	link->state = i.state;
	link->gen_rx = le32_to_cpu(i.gen_rx);
	link->gen_tx = le32_to_cpu(i.gen_tx);
	return 0;
}

static int op_table(void *card, void *buf, size_t cap)
{
	struct pnic_lanes *lanes = card;
	size_t len = lane_table_size(lanes->pd->caps.lanes_data + lanes->pd->caps.lanes_spare);
	int err;

	if (len > cap)
		return -E2BIG;
	err = pnic_cmd_lane_table(lanes->pd, PNIC_DIR_RX, buf, len);
	return err ?: len;
}

static int op_map_get(void *card, u8 dir, void *buf, size_t cap)
{
	struct pnic_lanes *lanes = card;
	size_t len = sizeof(struct pnic_map) + lanes->pd->caps.lanes_data * sizeof(__le16);
	int err;

	if (len > cap)
		return -E2BIG;
	err = pnic_cmd_map_query(lanes->pd, dir, buf, len);
	return err ?: len;
}

static int op_map_stage(void *card, u8 dir, u32 generation, const void *map, size_t len)
{
	struct pnic_lanes *lanes = card;
	u64 why = 0;
	int err = pnic_cmd_map_stage(lanes->pd, dir, generation, map, len, &why);

	if (err == -EPERM && why && why <= PNIC_MAPR_OFF)
		return why;
	return err;
}

static int op_map_switch(void *card, u32 generation)
{
	struct pnic_lanes *lanes = card;

	return pnic_cmd_map_switch(lanes->pd, generation, NULL);
}

static int op_map_abort(void *card, u8 dir, u32 generation)
{
	struct pnic_lanes *lanes = card;

	return pnic_cmd_map_abort(lanes->pd, dir, generation);
}

static int op_mgmt_send(void *card, const void *msg, size_t len)
{
	struct pnic_lanes *lanes = card;

	return pnic_cmd_mgmt_send(lanes->pd, msg, len);
}

/* The card wants room for its longest message, whatever the agent has room for. */
static int op_mgmt_recv(void *card, void *buf, size_t cap)
{
	struct pnic_lanes *lanes = card;
	int len = pnic_cmd_mgmt_recv(lanes->pd, lanes->buf, lanes->pd->caps.mgmt_max);

	if (len > 0)
		memcpy(buf, lanes->buf, min_t(size_t, len, cap));
	return len;
}

static int op_standby(void *card, u8 dir, u32 generation, const void *map, size_t len)
{
	struct pnic_lanes *lanes = card;
	u64 why = 0;
	int err = pnic_cmd_standby(lanes->pd, dir, generation, map, len, &why);

	if (err == -EPERM && why && why <= PNIC_MAPR_IN_USE)
		return why;
	return err;
}

static int op_lane_test(void *card, u16 lane, u32 mbits)
{
	struct pnic_lanes *lanes = card;

	return pnic_cmd_lane_test(lanes->pd, lane, mbits);
}

static int op_codewords(void *card, struct lane_codewords *count)
{
	struct pnic_lanes *lanes = card;
	struct pnic_counters c;
	int err = pnic_cmd_counters(lanes->pd, &c);

	if (err)
		return err;
	count->all = le64_to_cpu(c.codewords_rx);
	count->lost = le64_to_cpu(c.codewords_uncorrectable);
	return 0;
}

/* Single lanes are for the history; the log gets what a person should know. */
static bool worth_logging(u8 code)
{
	switch (code) {
	case LANE_NOTE_STATE:
	case LANE_NOTE_REPLACE:
	case LANE_NOTE_DROP:
	case LANE_NOTE_MOVE:
	case LANE_NOTE_GROW:
	case LANE_NOTE_MARGIN:
	case LANE_NOTE_MORE:
	case LANE_NOTE_TESTED:
	case LANE_NOTE_SWITCHED:
	case LANE_NOTE_LINK:	/* pnic_lanes_link.c says so */
	case LANE_NOTE_CARD:	/* whoever sent the command said so */
		return false;
	}
	return true;
}

static void op_note(void *card, const struct lane_note *note)
{
	struct pnic_lanes *lanes = card;
	char text[LANE_NOTE_TEXT_MAX];
	unsigned long flags;

	pnic_history_add(&lanes->history, note, lanes->agent->proto.rx.active.generation);
	if (note->code == LANE_NOTE_SWITCHED) {
		spin_lock_irqsave(&lanes->lock, flags);
		lanes->remaps++;
		spin_unlock_irqrestore(&lanes->lock, flags);
	}
	pnic_lanes_tell_soon(lanes);

	if (!worth_logging(note->code) || !__ratelimit(&lanes->talk))
		return;
	lane_note_text(note, text, sizeof(text));
	dev_info(&lanes->pd->dev, "lanes: %s\n", text);
}

static const struct lane_card_ops all_ops = {
	.link = op_link,
	.table = op_table,
	.map_get = op_map_get,
	.mgmt_recv = op_mgmt_recv,
	.map_stage = op_map_stage,
	.map_switch = op_map_switch,
	.map_abort = op_map_abort,
	.mgmt_send = op_mgmt_send,
	.codewords = op_codewords,
	.standby = op_standby,
	.lane_test = op_lane_test,
	.note = op_note,
};

/* What the card can't do the agent does not try. */
void pnic_lanes_card_ops(struct pnic_lanes *lanes)
{
	u64 caps = lanes->pd->caps.caps;

	lanes->ops = all_ops;
	if (!(caps & PNIC_CAP_LO_STANDBY))
		lanes->ops.standby = NULL;
	if (!(caps & PNIC_CAP_LO_LANE_TEST))
		lanes->ops.lane_test = NULL;
}
