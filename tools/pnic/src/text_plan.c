// SPDX-License-Identifier: GPL-2.0
/* What a change does, or would do, as text. */
#include "text.h"

/* Moves that are listed; the rest is counted. */
#define MOVES_SHOWN	16

static void show_moves(const struct list *moves)
{
	unsigned int shown = 0;
	const struct move *m;

	LIST_FOR_EACH(m, moves) {
		if (shown++ == MOVES_SHOWN) {
			out_item("", HUE_NONE, "and %u more", moves->n - MOVES_SHOWN);
			return;
		}
		if (HAS(m, PNIC_A_MOVE_FROM) && HAS(m, PNIC_A_MOVE_TO))
			out_item(shown == 1 ? "moves" : "", HUE_NONE, "logical %u: lane %u -> %u",
				 m->logical, m->from, m->to);
		else if (HAS(m, PNIC_A_MOVE_TO))
			out_item(shown == 1 ? "moves" : "", HUE_NONE, "logical %u: new, on lane %u",
				 m->logical, m->to);
		else
			out_item(shown == 1 ? "moves" : "", HUE_NONE,
				 "logical %u: given up, was lane %u", m->logical, m->from);
	}
}

static void show_change(const char *label, const char *now, const char *then, bool worse)
{
	out_item(label, worse ? HUE_WARN : HUE_NONE, "%s -> %s", now, then);
}

void text_plan(const char *dev, const struct plan *p)
{
	const struct text *note;
	char now[16], then[16];

	printf("%s%s%s: %s, from generation %u\n", out_hue(HUE_BOLD), dev, out_hue(HUE_NONE),
	       p->preview ? "nothing was done, this is a preview" : "done", p->generation);
	if (HAS(p, PNIC_A_PLAN_REFUSED))
		out_item("REFUSED", HUE_BAD, "%s", p->refused);
	show_moves(&p->moves);
	if (!p->moves.n && !HAS(p, PNIC_A_PLAN_REFUSED))
		out_item("moves", HUE_NONE, "none");
	if (HAS(p, PNIC_A_PLAN_MARGIN_NOW) && HAS(p, PNIC_A_PLAN_MARGIN_THEN))
		show_change("margin", fmt_margin(p->margin_now), fmt_margin(p->margin_then),
			    p->margin_then < p->margin_now);
	if (HAS(p, PNIC_A_PLAN_WIDTH_NOW) && HAS(p, PNIC_A_PLAN_WIDTH_THEN)) {
		snprintf(now, sizeof(now), "%u", p->width_now);
		snprintf(then, sizeof(then), "%u", p->width_then);
		show_change("width", now, then, p->width_then < p->width_now);
	}
	if (HAS(p, PNIC_A_PLAN_RATE_NOW_MBPS) && HAS(p, PNIC_A_PLAN_RATE_THEN_MBPS))
		show_change("rate", fmt_rate(p->rate_now_mbps), fmt_rate(p->rate_then_mbps),
			    p->rate_then_mbps < p->rate_now_mbps);
	LIST_FOR_EACH(note, &p->notes)
		out_item(note == p->notes.items ? "because" : "", HUE_NONE, "%s", note->s);
}
