/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pnic: the lane manager's insides, for pnic_lanes*.c only.
 *
 *	pnic_lanes.c		its life, its turns, events of the card
 *	pnic_lanes_card.c	the card as the lane agent sees it
 *	pnic_lanes_link.c	the link: what the card says of it, switching it on and off
 *	pnic_lanes_view.c	what netlink shows
 *	pnic_lanes_admin.c	what an administrator asks
 *	pnic_lanes_tell.c	notifications
 *	pnic_lanes_show.c	debugfs
 */
#ifndef PNIC_LANES_PRIV_H
#define PNIC_LANES_PRIV_H

#include <linux/ratelimit.h>
#include <linux/slab.h>

#include "lane/agent.h"
#include "pnic_history.h"
#include "pnic_lanes.h"
#include "pnic_nl.h"

/* Events of the card that wait for a turn: each lane can be lost, and tested, at one time. */
#define PNIC_LANES_NEWS		2048		/* a power of two */

/**
 * struct pnic_lanes_news - an event of the card
 * @type: PNIC_EV_LANE or PNIC_EV_MAP
 * @code: its code
 * @id: lane or generation
 * @data: as the card gave it
 */
struct pnic_lanes_news {
	u8 type;
	u8 code;
	u32 id;
	u64 data[2];
};

/**
 * struct pnic_lanes_told - what notifications have told of, all with run_lock
 * @seq: newest entry of the history that a lane event covered
 * @sent_at: jiffies of the last lane event
 * @pause: jiffies from that to the next one, unless many entries come
 * @alarms: those that were raised
 * @status: of each lane
 * @logical: scratch: what each lane carries
 * @event: the next one
 */
struct pnic_lanes_told {
	u64 seq;
	unsigned long sent_at;
	unsigned long pause;
	u32 alarms;
	u8 status[LANE_MAX];
	u16 logical[LANE_MAX];
	struct pnic_nl_lane_event event;
};

/**
 * struct pnic_lanes - lane manager of a device
 * @pd: the device
 * @wq: runs @work and @tell_work, one at a time
 * @work: a turn of @agent
 * @tell_work: notifications
 * @run_lock: protects what follows up to @told; held while commands are carried out
 * @agent: policy and protocol
 * @ops: the card as @agent sees it
 * @buf: for messages and maps on the way to @agent
 * @records: of each lane, from before the last reset
 * @started: @agent works; what it knows is to be kept
 * @settings: knobs of an administrator; @agent gets them at each start
 * @revision: counts their changes
 * @latency: switches by their latency before the last reset
 * @standby_remaps: switches by a standby plan before that
 * @admin_down: an administrator switched the link off
 * @incarnation: our number in the lane protocol
 * @cable_serial: of the cable that @agent knows about
 * @told: what was told
 * @lock: protects all below but @history, taken in interrupts
 * @running: between start and stop
 * @lane_news: lane events since the last turn
 * @up: the link was up at its last event
 * @agreed: the two ends run the same maps
 * @link_news: the link is another one than at the last notification
 * @tell_at: jiffies when @tell_work was last to run
 * @link: what the card last said, at its clock_ns
 * @spares: working receive lanes in no map
 * @failed: receive lanes that don't work
 * @margin_min: smallest margin since the driver was loaded
 * @margin_window: smallest margin since it was taken
 * @remaps: map changes since the driver was loaded
 * @link_downs: since then
 * @news_head: oldest of @news
 * @news_tail: past its newest
 * @news_lost: events that had no room in it
 * @news: events that wait for a turn
 * @talk: bounds what goes to the kernel log
 * @history: what was seen and decided
 */
struct pnic_lanes {
	struct pnic_dev *pd;
	struct workqueue_struct *wq;
	struct delayed_work work;
	struct delayed_work tell_work;
	struct mutex run_lock;		/* down to @told */
	struct lane_agent *agent;
	struct lane_card_ops ops;
	void *buf;
	struct lane_record *records;
	bool started;
	struct lane_settings settings;
	u32 revision;
	u64 latency[LANE_LATENCY_BUCKETS];
	u64 standby_remaps;
	bool admin_down;
	u32 incarnation;
	char cable_serial[33];
	struct pnic_lanes_told told;
	spinlock_t lock;		/* all below but @history */
	bool running;
	bool lane_news;
	bool up;
	bool agreed;
	bool link_news;
	unsigned long tell_at;
	struct pnic_link_info link;
	u32 spares;
	u32 failed;
	s32 margin_min;
	s32 margin_window;
	u32 remaps;
	u32 link_downs;
	u32 news_head;
	u32 news_tail;
	u32 news_lost;
	struct pnic_lanes_news news[PNIC_LANES_NEWS];
	struct ratelimit_state talk;
	struct pnic_history history;
};

/* pnic_lanes.c: a turn now. Any context, without lanes->lock. */
void pnic_lanes_kick(struct pnic_lanes *lanes);

/* pnic_lanes_card.c */
void pnic_lanes_card_ops(struct pnic_lanes *lanes);

/* pnic_lanes_link.c: asks the card; *@i is checked, and told to who is concerned. */
int pnic_lanes_query(struct pnic_lanes *lanes, struct pnic_link_info *i);
void pnic_lanes_publish(struct pnic_lanes *lanes, const struct pnic_link_info *i);
/* With run_lock. @take: begin margin_window anew. */
void pnic_lanes_fill_view(struct pnic_lanes *lanes, const struct pnic_link_info *i, bool take,
			  struct pnic_link_view *v);

/* pnic_lanes_tell.c */
void pnic_lanes_tell(struct work_struct *work);
/* There may be something to tell. Any context, without lanes->lock. */
void pnic_lanes_tell_soon(struct pnic_lanes *lanes);
void pnic_lanes_tell_link_soon(struct pnic_lanes *lanes);
/* After a turn, with run_lock: what notifications tell of may have changed. */
void pnic_lanes_look(struct pnic_lanes *lanes);

#endif /* PNIC_LANES_PRIV_H */
