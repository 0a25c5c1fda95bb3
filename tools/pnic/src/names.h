/* SPDX-License-Identifier: GPL-2.0 */
/* The words of the spec's enums, and what to do about an alarm. */
#ifndef PNIC_TOOL_NAMES_H
#define PNIC_TOOL_NAMES_H

#include <stdint.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Names of the values @first, @first + 1, ...; of flags: of the bits. */
struct names {
	const char *const *name;
	unsigned int first, n;
};

extern const struct names dev_status_names, striping_names, link_status_names, direction_names;
extern const struct names alarm_names, lane_status_names, lane_action_names, actor_names;
extern const struct names object_kind_names;

/* "unknown-9" for a value that this tool does not know; good until the eighth call after. */
const char *name_of(const struct names *names, uint32_t value);
/* The value of @word or of an unambiguous abbreviation, -1 if there is none, -2 if several. */
int name_value(const struct names *names, const char *word);
/* "a, b and c" with @last in place of "and". */
const char *name_list(const struct names *names, const char *last);

/* What an alarm (its bit number) means, and what to do about it. */
const char *alarm_meaning(unsigned int bit);
const char *alarm_advice(unsigned int bit);

#endif /* PNIC_TOOL_NAMES_H */
