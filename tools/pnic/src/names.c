// SPDX-License-Identifier: GPL-2.0
/* The words of the spec's enums, see names.h. */
#include "names.h"

#include <stdio.h>
#include <string.h>

#define NAMES(id, from, ...)						\
	static const char *const id##_words[] = { __VA_ARGS__ };	\
	const struct names id##_names = {				\
		id##_words, from, ARRAY_SIZE(id##_words)	\
	}

NAMES(dev_status, 0, "probing", "ready", "degraded", "resetting", "failed", "gone");
NAMES(striping, 0, "symbol", "bit");
NAMES(link_status, 0, "down", "up", "disabled");
NAMES(direction, 0, "rx", "tx");
NAMES(alarm, 0, "common-mode", "cluster", "spares-out", "narrow", "dark", "asymmetric",
      "peer-silent", "peer-stuck", "peer-nonsense", "table-bad");
NAMES(lane_status, 1, "spare", "active", "watch", "retiring", "failed", "quarantined", "disabled",
      "testing");
NAMES(lane_action, 0, "disable", "enable", "retire", "test");
NAMES(actor, 0, "policy", "card", "peer", "admin");
NAMES(object_kind, 0, "context", "region", "cq", "endpoint", "srq", "counter");

static const struct {
	const char *meaning, *advice;
} alarms[] = {
	{ "most lanes have moved together; spares do not help",
	  "look at temperature, supply and bends of the cable" },
	{ "neighbours on the grid were lost together",
	  "clean the connector; see pnic lane map" },
	{ "no usable spare is left",
	  "plan to change the cable: each further loss costs rate" },
	{ "the receive map is narrower than full width",
	  "the rate is in proportion; change the cable, or heal lanes" },
	{ "no lane of the receive map has light",
	  "look at the cable, and whether the far end is on" },
	{ "the two ends run different maps under one direction",
	  "traffic is replayed until they agree; if it stays, link set down and up" },
	{ "nothing was heard of the far end for a while",
	  "look whether the far end's driver runs" },
	{ "the far end accepts and confirms but does not switch",
	  "reset the far card, or update its firmware" },
	{ "the far end sends what makes no sense",
	  "look at the far end's version; reset it" },
	{ "the card's lane table makes no sense",
	  "reset this card; if it stays, update its firmware" },
};

const char *name_of(const struct names *names, uint32_t value)
{
	static char unknown[8][24];
	static unsigned int turn;
	char *s;

	if (value >= names->first && value - names->first < names->n)
		return names->name[value - names->first];
	s = unknown[turn++ % 8];
	snprintf(s, sizeof(unknown[0]), "unknown-%u", value);
	return s;
}

int name_value(const struct names *names, const char *word)
{
	size_t len = strlen(word);
	int found = -1;
	unsigned int i;

	for (i = 0; i < names->n; i++) {
		if (!len || strncmp(names->name[i], word, len))
			continue;
		if (!names->name[i][len])
			return names->first + i;
		found = found == -1 ? (int)(names->first + i) : -2;
	}
	return found;
}

const char *name_list(const struct names *names, const char *last)
{
	static char buf[256];
	size_t at = 0;
	unsigned int i;

	for (i = 0; i < names->n; i++) {
		const char *before = !i ? "" : ", ";

		if (i && i == names->n - 1)
			at += snprintf(buf + at, sizeof(buf) - at, " %s ", last);
		else
			at += snprintf(buf + at, sizeof(buf) - at, "%s", before);
		at += snprintf(buf + at, sizeof(buf) - at, "%s", names->name[i]);
	}
	return buf;
}

const char *alarm_meaning(unsigned int bit)
{
	return bit < ARRAY_SIZE(alarms) ? alarms[bit].meaning :
	       "an alarm that this version of the tool does not know";
}

const char *alarm_advice(unsigned int bit)
{
	return bit < ARRAY_SIZE(alarms) ? alarms[bit].advice : "update the tool";
}
