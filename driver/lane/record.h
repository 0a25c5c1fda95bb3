/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is remembered of the lanes of a cable, over resets and from port to port.
 */
#ifndef LANE_RECORD_H
#define LANE_RECORD_H

#include "lane_types.h"

struct lane_agent;

/**
 * struct lane_record - one lane of a cable
 * @losses: times it failed
 * @known_bad: not to be trusted: used only when nothing else is lit
 * @disabled: by an administrator; a record never enables a lane
 * @age_hours: hours lit, as the card said last
 */
struct lane_record {
	u16 losses;
	bool known_bad;
	bool disabled;
	u32 age_hours;
};

/** lane_agent_record() - what to remember of @lane; zeroes if there is no such lane */
void lane_agent_record(const struct lane_agent *a, u16 lane, struct lane_record *r);
/** lane_agent_remember() - takes a record of @lane over; does nothing if there is no such lane */
void lane_agent_remember(struct lane_agent *a, u16 lane, const struct lane_record *r);

#endif /* LANE_RECORD_H */
