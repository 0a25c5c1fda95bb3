// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: the lane manager in debugfs: state, lanes that are not as they should be, history.
 */
#include <linux/seq_file.h>

#include "pnic_lanes_priv.h"

static void show_lane(struct seq_file *s, const struct lane_agent *a, u16 lane)
{
	const struct lane_track *t = &a->policy.track[lane];
	const struct lane_rec *rec = &a->rec[lane];

	if (t->state <= LANE_ACTIVE)
		return;
	seq_printf(s, "lane %4u at (%u,%u): %s, %d/100 dB, %u wrong symbols in 10^9, lost %u times\n",
		   lane, rec->x, rec->y, lane_state_name(t->state), rec->power_cdb, t->ppb,
		   t->losses);
}

static void show_agent(struct seq_file *s, const struct lane_agent *a)
{
	const struct lane_proto *p = &a->proto;
	u16 i;

	seq_printf(s, "receive: generation %u, width %u, %s\n", p->rx.active.generation,
		   p->rx.active.width, lane_rx_state_name(p->rx.state));
	seq_printf(s, "transmit: generation %u, width %u, %s\n", p->tx.active.generation,
		   p->tx.active.width, lane_tx_state_name(p->tx.state));
	seq_printf(s, "far end: %s, incarnation %08x, maps %s\n",
		   !p->peer.known ? "unknown" : p->peer.silent ? "silent" : "heard",
		   p->peer.incarnation, lane_proto_agreed(p) ? "agree" : "differ");
	seq_printf(s, "margin: %d lanes, %d if marked; spares %u, failed %u, on probation %u\n",
		   a->stats.margin, a->stats.margin_erasure, a->stats.spares,
		   a->stats.failed, a->stats.quarantined);
	seq_printf(s, "decisions: %llu; messages refused: %llu, stale: %llu\n",
		   a->stats.decisions, p->nonsense, p->stale);
	for (i = 0; i < a->cfg.policy.shape.total; i++)
		show_lane(s, a, i);
}

static void show_history(struct seq_file *s, struct pnic_history *h)
{
	struct pnic_history_entry entry;
	char text[LANE_NOTE_TEXT_MAX];
	u64 seq = 0;

	while (pnic_history_next(h, seq, &entry)) {
		if (entry.seq != seq + 1)
			seq_printf(s, "%llu earlier notes are gone\n", entry.seq - seq - 1);
		seq = entry.seq;
		lane_note_text(&entry.note, text, sizeof(text));
		seq_printf(s, "[%5llu.%06llu] %s\n", div_u64(entry.note.at, NSEC_PER_SEC),
			   div_u64(entry.note.at, 1000) % 1000000, text);
	}
}

int pnic_lanes_show(struct pnic_dev *pd, struct seq_file *s)
{
	/* Pairs with the release in pnic_lanes_start(). */
	struct pnic_lanes *lanes = smp_load_acquire(&pd->lanes);
	int err;

	if (!lanes) {
		seq_puts(s, "no lane management\n");
		return 0;
	}
	err = mutex_lock_interruptible(&lanes->run_lock);
	if (err)
		return err;
	show_agent(s, lanes->agent);
	mutex_unlock(&lanes->run_lock);
	show_history(s, &lanes->history);
	return 0;
}
