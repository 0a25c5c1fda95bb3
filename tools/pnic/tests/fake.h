/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A made-up kernel: sock.h without a kernel behind it. What devices it has, and how they are, is
 * said by the environment variable PNIC_FAKE, a list of words:
 *
 *	nofamily	the driver is not loaded
 *	none		no device
 *	small, wide	16 + 4 lanes; 64 columns of lanes
 *	dead		every lane has failed, the link is down
 *	down, alarms	the link is switched off; every alarm stands
 *	user		no permission to change anything
 *	bare		replies have their first attribute only
 *	garbage		replies are noise (PNIC_FAKE_SEED)
 *	busy		tables change while they are dumped, twice
 *	hostile		strings have escape sequences and broken UTF-8
 *	lossy		events were lost
 *	gap		events miss some entries of the history
 *	anew		the same, of a device that went and came again
 *	reload		the driver goes and comes back
 *	foreign		another cable is plugged in
 */
#ifndef PNIC_TOOL_FAKE_H
#define PNIC_TOOL_FAKE_H

#include "encode.h"

bool fake_is(const char *word);

void fake_dev(struct dev *d, uint32_t index);
void fake_link(struct link *l, uint32_t index);
void fake_lane(struct lane *l, uint32_t dev, uint32_t index, uint32_t direction);
void fake_plan(struct plan *p, uint32_t dev);
void fake_policy(struct policy *p, uint32_t dev);
void fake_history(struct history *h, uint32_t dev, uint64_t seq);
void fake_cable(struct cable *c, uint32_t dev);
void fake_counters(struct counters *c, uint32_t dev);
void fake_res(struct res *r, uint32_t dev, uint32_t i);
void fake_grant(struct grant *g, uint32_t dev, uint32_t i);
void fake_object(struct object *o, uint32_t dev, uint32_t kind, uint32_t i);
uint32_t fake_lanes(void);

#define FAKE_HISTORY	8	/* entries */

#endif /* PNIC_TOOL_FAKE_H */
