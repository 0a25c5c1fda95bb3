// SPDX-License-Identifier: GPL-2.0
/* Events and entries of the history as text. */
#include <stdarg.h>
#include <string.h>

#include "text.h"

/* Lanes that a line names; the rest is counted. */
#define CHANGES_SHOWN	12

__attribute__((format(printf, 4, 5)))
static size_t put(char *s, size_t size, size_t at, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (at >= size)
		return at;
	va_start(ap, fmt);
	n = vsnprintf(s + at, size - at, fmt, ap);
	va_end(ap);
	return n < 0 ? at : at + n;
}

void text_history(const struct history *h, bool details)
{
	char s[768];
	size_t at;

	if (h->missed)
		printf("%s(%llu entries before are gone)%s\n", out_hue(HUE_WARN),
		       (unsigned long long)h->missed, out_hue(HUE_NONE));
	at = put(s, sizeof(s), 0, "%s  %llu  %s: ",
		 HAS(h, PNIC_A_HISTORY_WALL_NS) ? fmt_wall(h->wall_ns) : "-",
		 (unsigned long long)h->seq, name_of(&actor_names, h->actor));
	at = put(s, sizeof(s), at, "%s", *h->text ? h->text : h->code);
	if (details) {
		at = put(s, sizeof(s), at, " [%s", h->code);
		if (HAS(h, PNIC_A_HISTORY_DIRECTION))
			at = put(s, sizeof(s), at, ", %s",
				 name_of(&direction_names, h->direction));
		if (HAS(h, PNIC_A_HISTORY_GENERATION))
			at = put(s, sizeof(s), at, ", generation %u", h->generation);
		put(s, sizeof(s), at, "]");
	}
	out_wrap(s, 0, 8);
}

void text_lane_event(char *s, size_t size, const struct lane_event *e)
{
	const struct change *c, *before = NULL;
	unsigned int shown = 0;
	size_t at;

	at = put(s, size, 0, "generation %u, entries %llu to %llu", e->generation,
		 (unsigned long long)e->first_seq, (unsigned long long)e->last_seq);
	LIST_FOR_EACH(c, &e->changes) {
		if (shown++ == CHANGES_SHOWN)
			break;
		/* Those that fare alike are told together. */
		if (before && before->was == c->was && before->status == c->status)
			at = put(s, size, at, ", %u", c->lane);
		else
			at = put(s, size, at, "; %s -> %s: %u",
				 name_of(&lane_status_names, c->was),
				 name_of(&lane_status_names, c->status), c->lane);
		if (HAS(c, PNIC_A_CHANGE_LOGICAL))
			at = put(s, size, at, " (logical %u)", c->logical);
		before = c;
	}
	if (e->changes.n > CHANGES_SHOWN || e->more)
		put(s, size, at, " and %u more lanes",
		    e->changes.n - (e->changes.n < CHANGES_SHOWN ? e->changes.n : CHANGES_SHOWN) +
		    e->more);
}

void text_link_event(char *s, size_t size, const struct link *l)
{
	put(s, size, 0,
	    "%s, receive %u lanes %s generation %u%s, transmit %u lanes %s generation %u%s, "
	    "margin %d, spares %u",
	    name_of(&link_status_names, l->status), l->rx.width, fmt_rate(l->rx.rate_mbps),
	    l->rx.generation, l->rx.agreed ? "" : " (not agreed)", l->tx.width,
	    fmt_rate(l->tx.rate_mbps), l->tx.generation, l->tx.agreed ? "" : " (not agreed)",
	    l->margin, l->spares);
}

static size_t put_alarms(char *s, size_t size, size_t at, const char *what, uint32_t alarms)
{
	const char *before = at ? "; " : "";
	unsigned int bit;

	for (bit = 0; bit < 32; bit++)
		if (alarms >> bit & 1) {
			at = put(s, size, at, "%s%s%s", before, what, name_of(&alarm_names, bit));
			before = ", ";
			what = "";
		}
	return at;
}

void text_health_event(char *s, size_t size, const struct health *h)
{
	size_t at = 0;

	*s = 0;
	at = put_alarms(s, size, at, "raised: ", h->raised);
	at = put_alarms(s, size, at, "over: ", h->cleared);
	at = put_alarms(s, size, at, "standing: ", h->alarms & ~h->raised);
	if (!h->alarms)
		at = put(s, size, at, "%sno alarm stands", at ? "; " : "");
	if (*h->text)
		put(s, size, at, " (%s)", h->text);
}

void text_dev_event(char *s, size_t size, const struct dev *d)
{
	size_t at;

	at = put(s, size, 0, "%s", name_of(&dev_status_names, d->status));
	if (*d->bus_info)
		at = put(s, size, at, ", %s", d->bus_info);
	if (HAS(d, PNIC_A_DEV_RESETS))
		at = put(s, size, at, ", %u resets", d->resets);
	if (*d->reset_reason)
		put(s, size, at, ", last: %s", d->reset_reason);
}

void text_policy_event(char *s, size_t size, const struct policy *p)
{
	put(s, size, 0, "policy of revision %u", p->revision);
}
