// SPDX-License-Identifier: GPL-2.0
/*
 * PRBS tests: the policy says which lanes, the card does them while traffic runs
 * on the others, and its event brings the result.
 */
#include "../hw/pnic_admin.h"
#include "agent_priv.h"

#define STARTS_AT_ONCE		16	/* each is a command to the card */

bool lane_agent_can_test(const struct lane_agent *a, const struct lane_settings *s)
{
	return a->ops->lane_test && s->test_mbits;
}

void lane_agent_start_tests(struct lane_agent *a, u64 now)
{
	u16 started = 0, i;

	a->notes.nr = 0;
	a->notes.lost = 0;
	for (i = 0; i < a->cfg.policy.shape.total; i++) {
		const struct lane_track *t = &a->policy.track[i];
		int err;

		if (t->state != LANE_TESTING || t->test != LANE_TEST_WANTED)
			continue;
		if (started++ >= STARTS_AT_ONCE) {
			lane_agent_lanes(a, now);
			break;
		}
		err = -1;
		if (lane_agent_can_test(a, &a->cfg.settings))
			err = a->ops->lane_test(a->card, i, a->cfg.settings.test_mbits);
		lane_policy_test_started(&a->policy, i, !err, &a->notes, now);
	}
	lane_agent_tell_all(a, &a->notes, now);
}

void lane_agent_stop_test(struct lane_agent *a, u16 lane)
{
	/* One that is over already is as good. */
	if (a->ops->lane_test)
		a->ops->lane_test(a->card, lane, 0);
}

void lane_agent_tested(struct lane_agent *a, u16 lane, u64 errors, u64 bits, u64 now)
{
	if (lane >= a->cfg.policy.shape.total)
		return;
	if (errors > bits)
		errors = bits;
	a->notes.nr = 0;
	a->notes.lost = 0;
	lane_policy_tested(&a->policy, lane, errors, bits, &a->notes, now);
	lane_agent_tell_all(a, &a->notes, now);
	lane_agent_lanes(a, now);
}
