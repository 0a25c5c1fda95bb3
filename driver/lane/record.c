// SPDX-License-Identifier: GPL-2.0
/*
 * Records of a cable's lanes, from and to what the policy remembers of them.
 */
#include "agent.h"
#include "record.h"

/* Assumption: a lane that failed so often in one cable will fail again. */
#define BAD_LOSSES		3

void lane_agent_record(const struct lane_agent *a, u16 lane, struct lane_record *r)
{
	const struct lane_track *t;

	memset(r, 0, sizeof(*r));
	if (lane >= a->cfg.policy.shape.total)
		return;
	t = &a->policy.track[lane];
	r->losses = t->losses;
	r->disabled = t->off;
	r->age_hours = a->rec[lane].age_hours;
	/* That all lanes of a cut cable are dark says nothing of them. */
	r->known_bad = t->known_bad || t->losses >= BAD_LOSSES ||
		       (t->state == LANE_FAILED && !a->policy.dark);
}

void lane_agent_remember(struct lane_agent *a, u16 lane, const struct lane_record *r)
{
	struct lane_track *t;

	if (lane >= a->cfg.policy.shape.total)
		return;
	t = &a->policy.track[lane];
	if (r->losses > t->losses)
		t->losses = r->losses;
	t->known_bad = r->known_bad;
	t->off |= r->disabled;
}
