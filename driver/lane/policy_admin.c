// SPDX-License-Identifier: GPL-2.0
/*
 * What an administrator does with a lane, as the policy sees it. Whether it does harm is
 * judged by request.c, which tries it.
 */
#include "policy.h"
#include "request.h"

static bool carries(const struct lane_track *t)
{
	return t->in_map;
}

static u8 may_disable(const struct lane_track *t)
{
	return t->off ? LANE_REFUSE_NOTHING : LANE_REFUSE_NONE;
}

static u8 may_enable(const struct lane_track *t)
{
	if (t->off)
		return LANE_REFUSE_NONE;
	/* Switched off at the far transmitter. */
	return t->state == LANE_DISABLED ? LANE_REFUSE_STATE : LANE_REFUSE_NOTHING;
}

static u8 may_retire(const struct lane_track *t)
{
	if (!carries(t))
		return LANE_REFUSE_STATE;
	return t->asked ? LANE_REFUSE_NOTHING : LANE_REFUSE_NONE;
}

static u8 may_test(const struct lane_policy *pol, const struct lane_track *t,
		   const struct lane_rec *rec)
{
	if (!pol->can_test)
		return LANE_REFUSE_CARD;
	if (t->state == LANE_TESTING)
		return LANE_REFUSE_NOTHING;
	if (carries(t) || lane_rec_dark(rec) ||
	    (t->state != LANE_SPARE && t->state != LANE_QUARANTINED))
		return LANE_REFUSE_STATE;
	return LANE_REFUSE_NONE;
}

u8 lane_policy_may(const struct lane_policy *pol, const struct lane_rec *rec, u16 lane, u8 action)
{
	const struct lane_track *t = &pol->track[lane];

	/* Nothing was read of it yet. */
	if (!t->state)
		return LANE_REFUSE_STATE;
	switch (action) {
	case LANE_REQ_DISABLE:
		return may_disable(t);
	case LANE_REQ_ENABLE:
		return may_enable(t);
	case LANE_REQ_RETIRE:
		return may_retire(t);
	case LANE_REQ_TEST:
		return may_test(pol, t, rec);
	}
	return LANE_REFUSE_LANE;
}

void lane_policy_act(struct lane_policy *pol, u16 lane, u8 action, bool force,
		     struct lane_notes *notes, u64 now)
{
	struct lane_track *t = &pol->track[lane];

	switch (action) {
	case LANE_REQ_DISABLE:
		t->off = true;
		t->forced = force;
		lane_policy_step(pol, lane, LANE_EV_OFF, LANE_ACTOR_ADMIN, notes, now);
		break;
	case LANE_REQ_ENABLE:
		t->off = false;
		t->forced = false;
		/* An administrator who enables a lane trusts it. */
		t->known_bad = false;
		lane_policy_step(pol, lane, LANE_EV_ON, LANE_ACTOR_ADMIN, notes, now);
		break;
	case LANE_REQ_RETIRE:
		t->asked = true;
		t->forced = force;
		lane_policy_step(pol, lane, LANE_EV_ASKED, LANE_ACTOR_ADMIN, notes, now);
		break;
	case LANE_REQ_TEST:
		lane_policy_step(pol, lane, LANE_EV_TEST, LANE_ACTOR_ADMIN, notes, now);
		break;
	}
}

void lane_policy_undo(struct lane_policy *pol, u16 lane, u8 action, struct lane_notes *notes,
		      u64 now)
{
	struct lane_track *t = &pol->track[lane];

	switch (action) {
	case LANE_REQ_DISABLE:
	case LANE_REQ_RETIRE:
		t->off = false;
		t->asked = false;
		t->forced = false;
		/* On probation for what an administrator did; not for what befell it since. */
		lane_policy_step(pol, lane, LANE_EV_UNDONE, LANE_ACTOR_ADMIN, notes, now);
		break;
	case LANE_REQ_ENABLE:
		t->off = true;
		lane_policy_step(pol, lane, LANE_EV_OFF, LANE_ACTOR_ADMIN, notes, now);
		break;
	case LANE_REQ_TEST:
		lane_policy_step(pol, lane, LANE_EV_STOPPED, LANE_ACTOR_ADMIN, notes, now);
		break;
	}
}
