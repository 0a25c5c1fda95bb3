// SPDX-License-Identifier: GPL-2.0
/* Any settings: what the check lets through is what the policy can be set to. */
#include "prove.h"
#include "../../settings.h"

int main(void)
{
	struct lane_settings s;
	struct lane_policy_cfg cfg;
	enum lane_knob which = LANE_KNOBS;
	const char *why;

	__CPROVER_havoc_object(&s);
	__CPROVER_havoc_object(&cfg);
	any_cfg(&cfg);
	__CPROVER_assume(s.knobs.max_moves);
	why = lane_settings_check(&s, &which);
	__CPROVER_assert(which < LANE_KNOBS && !why == !which, "who is to blame");
	__CPROVER_assert(lane_knob_name(which) && lane_knob_name(nondet_u32()), "a name");
	__CPROVER_assert(!lane_settings_check(&s, NULL) == !why, "the same of it");
	if (why)
		return 0;
	cfg.knobs = s.knobs;
	__CPROVER_assert(lane_policy_cfg_valid(&cfg), "the policy can be set to it");
	__CPROVER_assert(s.knobs.cluster_ns <= 3600000000000ULL &&
			 s.knobs.margin_floor <= LANE_MAX && s.budget_ns && s.poll_ns &&
			 s.settle_ns <= s.poll_ns, "in range");
	return 0;
}
