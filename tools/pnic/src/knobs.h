/* SPDX-License-Identifier: GPL-2.0 */
/* The knobs of the lane manager: their ranges, and values as people write them. */
#ifndef PNIC_TOOL_KNOBS_H
#define PNIC_TOOL_KNOBS_H

#include "fields.h"

/**
 * struct knob - a knob
 * @attr: its attribute
 * @name: as in the spec
 * @min: least value
 * @max: greatest
 * @help: what it does
 */
struct knob {
	unsigned int attr;
	const char *name;
	uint32_t min, max;
	const char *help;
};

/* Ended by one without a name. */
extern const struct knob knobs[];

/*
 * The knob of that name: in full, without its unit, or an abbreviation. NULL with a
 * reason in @why.
 */
const struct knob *knob_find(const char *name, char *why, size_t size);
/* Reads a value. -1: it is none, or out of range; @why names the knob and the range. */
int knob_parse(const struct knob *k, const char *word, uint32_t *value, char *why, size_t size);
/* The value for people, in a static buffer. */
const char *knob_text(const struct knob *k, uint32_t value);

#endif /* PNIC_TOOL_KNOBS_H */
