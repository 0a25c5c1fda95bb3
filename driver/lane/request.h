/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an administrator asks of the lane manager: a change of one lane, looking at a
 * change before it is made, and taking the last one back.
 *
 * Used by the driver's netlink family. As all of the agent, not reentrant.
 */
#ifndef LANE_REQUEST_H
#define LANE_REQUEST_H

#include "policy.h"
#include "settings.h"

struct lane_agent;

/* As enum pnic_lane_action of the uapi. */
enum lane_request_action {
	LANE_REQ_DISABLE,	/* use it no more; it is replaced first if it carries data */
	LANE_REQ_ENABLE,	/* take it back, by way of probation */
	LANE_REQ_RETIRE,	/* replace it now by the best spare */
	LANE_REQ_TEST,		/* PRBS test now; only of a lane that carries no data */
	LANE_REQ_ACTIONS
};

/**
 * struct lane_request - a change of one receive lane
 * @lane: physical lane
 * @action: enum lane_request_action
 * @preview: say what would be done, and do nothing
 * @force: do it although margin or width go down; never takes the last lane
 * @expect_generation: of the receive map that the asker saw; 0: any
 */
struct lane_request {
	u16 lane;
	u8 action;
	bool preview, force;
	u32 expect_generation;
};

/* Why a request is refused. */
enum lane_refuse {
	LANE_REFUSE_NONE,
	LANE_REFUSE_LANE,	/* no such lane, or no such action */
	LANE_REFUSE_STATE,	/* the lane's state doesn't allow it */
	LANE_REFUSE_MARGIN,	/* the margin would go down */
	LANE_REFUSE_WIDTH,	/* the width would go down */
	LANE_REFUSE_LAST,	/* no lane that works would be left */
	LANE_REFUSE_GENERATION,	/* the map is another one by now */
	LANE_REFUSE_LINK_DOWN,
	LANE_REFUSE_PEER,	/* far end unknown, or not in agreement */
	LANE_REFUSE_BUSY,	/* a change is under way that can't be taken back */
	LANE_REFUSE_CARD,	/* the card can't */
	LANE_REFUSE_NOTHING,	/* nothing to do */
	LANE_REFUSES
};

/** lane_refuse_text() - a reason in words, e.g. "the margin would go down" */
const char *lane_refuse_text(u8 refuse);

/**
 * lane_agent_request() - do, or look at, a change of one lane
 * @a: the agent
 * @req: what is asked; nothing in it is trusted
 * @plan: filled in any case but LANE_REFUSE_LANE: margins, map and notes as they
 *	would become, also if it is refused
 * @now: ns
 *
 * Return: 0 if it is done (or, in a preview, could be), else enum lane_refuse; a
 * refusal changes nothing.
 */
u8 lane_agent_request(struct lane_agent *a, const struct lane_request *req,
		      struct lane_plan *plan, u64 now);

/**
 * lane_agent_undo() - take back the last lane_agent_request() or lane_agent_set()
 *
 * A lane is again what it was for the policy; what took its place stays in the map, as
 * it serves as well. Return: as lane_agent_request().
 */
u8 lane_agent_undo(struct lane_agent *a, bool preview, struct lane_plan *plan, u64 now);

/**
 * lane_agent_preview() - what would be done now
 * @s: with these settings; NULL: with those in force
 *
 * Judged by what the agent has seen last: neither it nor the card take notice. Return: 0,
 * LANE_REFUSE_STATE for settings that contradict each other, or LANE_REFUSE_CARD if it has seen
 * nothing that makes sense.
 */
u8 lane_agent_preview(struct lane_agent *a, const struct lane_settings *s,
		      struct lane_plan *plan, u64 now);

/** lane_agent_settings() - copies the settings in force to @s */
void lane_agent_settings(const struct lane_agent *a, struct lane_settings *s);

/**
 * lane_agent_set() - puts settings in force
 * @s: checked ones
 *
 * They survive a reset of the card if lane_agent_init()'s configuration has them.
 */
void lane_agent_set(struct lane_agent *a, const struct lane_settings *s, u64 now);

#endif /* LANE_REQUEST_H */
