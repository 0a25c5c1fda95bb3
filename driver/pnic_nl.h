/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pnic: the generic netlink family, for pnic_nl*.c and for those who have something to tell.
 *
 * The family's table, policies and prototypes are generated from
 * Documentation/netlink/specs/pnic.yaml (pnic_nl_gen.c). One file a subject:
 *
 *	pnic_nl.c		the family, its devices, hooks, how messages are made
 *	pnic_nl_dev.c		dev-get, dev-ntf
 *	pnic_nl_link.c		link-get, link-set, link-ntf
 *	pnic_nl_lane.c		lane-get, lane-ntf
 *	pnic_nl_plan.c		plan-get, lane-set, undo
 *	pnic_nl_policy.c	policy-get, policy-set, policy-ntf
 *	pnic_nl_history.c	history-get
 *	pnic_nl_cable.c		cable-get, cable-set
 *	pnic_nl_counters.c	counters-get
 *	pnic_nl_res.c		res-get, object-get
 *	pnic_nl_grant.c		grant-get, grant-add, grant-del
 *	pnic_nl_health.c	health-ntf
 *
 * A device belongs to the initial network namespace: requests from others do not see it, and
 * events do not go there.
 */
#ifndef PNIC_NL_H
#define PNIC_NL_H

#include "pnic_lanes.h"
#include "pnic_nl_gen.h"

struct pnic_file;

/* The attribute that names the device; the same number in every set. */
#define PNIC_NL_A_DEV		1

/* Most lanes that one lane event tells of. */
#define PNIC_NL_CHANGES		128

/**
 * enum pnic_nl_need - what a request needs of a device
 * @PNIC_NL_ANY: that it is there, in whatever state; a reset is not waited for
 * @PNIC_NL_LANES: lane management, and a reset to be over in a moment
 * @PNIC_NL_CARD: a card that serves
 * @PNIC_NL_LINK: both
 */
enum pnic_nl_need {
	PNIC_NL_ANY,
	PNIC_NL_LANES,
	PNIC_NL_CARD,
	PNIC_NL_LINK,
};

/* Puts the attributes of @what into @skb; 0 or -EMSGSIZE. */
typedef int (*pnic_nl_fill)(struct sk_buff *skb, struct pnic_dev *pd, const void *what);

/* pnic_nl.c: the device of a request, between the hooks. */
struct pnic_dev *pnic_nl_dev(const struct genl_info *info);
/* One message; @cb: of the dump that it belongs to, else NULL. 0, or -EMSGSIZE and nothing put. */
int pnic_nl_put(struct sk_buff *skb, const struct genl_info *info, struct netlink_callback *cb,
		struct pnic_dev *pd, pnic_nl_fill fill, const void *what);
/* The answer to a request; @size: enough for its attributes. */
int pnic_nl_reply(struct genl_info *info, pnic_nl_fill fill, const void *what, size_t size);
/*
 * The same with a message that was made before (genlmsg_new()), so that no request has changed
 * something and fails for lack of memory. @msg is gone then.
 */
int pnic_nl_answer(struct genl_info *info, struct sk_buff *msg, pnic_nl_fill fill,
		   const void *what);
/* To the listeners of @group, if there are any. May sleep. */
void pnic_nl_notify(struct pnic_dev *pd, u8 cmd, unsigned int group, pnic_nl_fill fill,
		    const void *what, size_t size);
/*
 * The device that a dump is at: the first one from *@at on, or the one that the request
 * names, which is to be given back by pnic_nl_dump_leave(). NULL: there is none (any more);
 * ERR_PTR(): the dump is over. Devices that cannot answer are passed over.
 */
struct pnic_dev *pnic_nl_dump_enter(struct netlink_callback *cb, unsigned long *at,
				    enum pnic_nl_need need);
void pnic_nl_dump_leave(struct pnic_dev *pd);
/* Begins a part of a dump that needs no device; pnic_nl_dump_enter() does it as well. */
void pnic_nl_dump_seq(struct netlink_callback *cb);
/*
 * One message for each device: @make fills a buffer of @size bytes, which @fill puts into the
 * message. A device for which @make fails is passed over.
 */
int pnic_nl_dump_devs(struct sk_buff *skb, struct netlink_callback *cb, enum pnic_nl_need need,
		      int (*make)(struct pnic_dev *pd, void *what), pnic_nl_fill fill, size_t size);
/* What a dump of files and objects shows has changed. Any context. */
void pnic_nl_changed(void);
/* The same of grants. */
void pnic_nl_grants_changed(void);

/* The words of an error: a string that lives as long as the module. */
void pnic_nl_say(struct netlink_ext_ack *extack, const char *text);
/* enum pnic_dev_status */
u32 pnic_nl_dev_status(struct pnic_dev *pd);
/* pnic_nl_policy.c: the knobs among @attrs, by PNIC_A_POLICY_*; -EINVAL if they make no sense. */
int pnic_nl_policy_take(struct nlattr **attrs, struct lane_settings *s,
			struct netlink_ext_ack *extack);

/* The family and its devices. */
int pnic_nl_init(void);
void pnic_nl_exit(void);
int pnic_nl_add(struct pnic_dev *pd);
/* Nobody begins to use the device by netlink when this returns. */
void pnic_nl_del(struct pnic_dev *pd);

/**
 * struct pnic_nl_change - what happened to a lane
 * @lane: which
 * @logical: what it carries, LANE_NONE: nothing
 * @status: enum lane_state
 * @was: what it was at the last event
 */
struct pnic_nl_change {
	u16 lane;
	u16 logical;
	u8 status;
	u8 was;
};

/**
 * struct pnic_nl_lane_event - what happened to lanes since the last event
 * @generation: of the receive map
 * @first: first entry of the history that this covers
 * @last: last one
 * @nr: lanes in @change
 * @more: lanes that had no room
 * @change: lanes that are in another state
 */
struct pnic_nl_lane_event {
	u32 generation;
	u64 first;
	u64 last;
	u16 nr;
	u16 more;
	struct pnic_nl_change change[PNIC_NL_CHANGES];
};

/* Notifications; all may sleep. */
void pnic_nl_dev_ntf(struct pnic_dev *pd);
void pnic_nl_policy_ntf(struct pnic_dev *pd);
void pnic_nl_link_ntf(struct pnic_dev *pd, const struct pnic_link_view *view);
void pnic_nl_lane_ntf(struct pnic_dev *pd, const struct pnic_nl_lane_event *ev);
/* One bit of enum pnic_alarm in words. */
const char *pnic_nl_alarm_name(u32 bit);
/* @now, @before: alarms. */
void pnic_nl_health_ntf(struct pnic_dev *pd, u32 now, u32 before);

#endif /* PNIC_NL_H */
