// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: what the lane manager notifies, and how often.
 *
 * Lane events are coalesced. The first entry of the history that nobody was told of starts a
 * pause of TELL_PAUSE; then one message covers all that there is. While entries keep coming in
 * small numbers there is a message each TELL_PAUSE_LONG, and less and less often, down to one each
 * TELL_PAUSE_MAX. So there are at most one message in each TELL_PAUSE, and in a storm one for
 * TELL_BATCH entries and few others, however long it takes.
 *
 * In the queue of the turns, so that the agent stands still meanwhile.
 */
#include "pnic_lanes_priv.h"

#define TELL_PAUSE		msecs_to_jiffies(10)
#define TELL_PAUSE_LONG		msecs_to_jiffies(100)
#define TELL_PAUSE_MAX		msecs_to_jiffies(1000)
#define TELL_BATCH		20

/* With lanes->lock. If it is queued already it stays as it is. */
static void tell_queue(struct pnic_lanes *lanes, unsigned long delay)
{
	if (queue_delayed_work(lanes->wq, &lanes->tell_work, delay))
		lanes->tell_at = jiffies + delay;
}

static void tell_later(struct pnic_lanes *lanes, unsigned long delay)
{
	unsigned long flags;

	spin_lock_irqsave(&lanes->lock, flags);
	if (lanes->running)
		tell_queue(lanes, delay);
	spin_unlock_irqrestore(&lanes->lock, flags);
}

void pnic_lanes_tell_soon(struct pnic_lanes *lanes)
{
	tell_later(lanes, TELL_PAUSE);
}

/*
 * A message about lanes that waits for calm does not hold up what the link has to say. It is only
 * ever brought forward: a link that changes all the time would put it off for ever.
 */
void pnic_lanes_tell_link_soon(struct pnic_lanes *lanes)
{
	unsigned long flags;

	spin_lock_irqsave(&lanes->lock, flags);
	if (lanes->running) {
		tell_queue(lanes, TELL_PAUSE);
		if (time_after(lanes->tell_at, jiffies + TELL_PAUSE)) {
			mod_delayed_work(lanes->wq, &lanes->tell_work, TELL_PAUSE);
			lanes->tell_at = jiffies + TELL_PAUSE;
		}
	}
	spin_unlock_irqrestore(&lanes->lock, flags);
}

/* ---- lanes ---- */

static void add_change(struct pnic_nl_lane_event *ev, u16 lane, u16 logical, u8 status, u8 was)
{
	if (ev->nr == PNIC_NL_CHANGES) {
		ev->more++;
		return;
	}
	ev->change[ev->nr++] = (struct pnic_nl_change) {
		.lane = lane, .logical = logical, .status = status, .was = was,
	};
}

/* Lanes that are in another state than when they were told of last; they count as told now. */
static void find_changes(struct pnic_lanes *lanes, struct pnic_nl_lane_event *ev)
{
	const struct lane_agent *a = lanes->agent;
	const struct lane_map *map = &a->proto.rx.active;
	struct pnic_lanes_told *told = &lanes->told;
	u16 i;

	for (i = 0; i < a->cfg.policy.shape.total; i++)
		told->logical[i] = LANE_NONE;
	for (i = 0; i < map->width; i++)
		told->logical[map->phys[i]] = i;
	for (i = 0; i < a->cfg.policy.shape.total; i++) {
		u8 status = a->policy.track[i].state;

		if (status != told->status[i])
			add_change(ev, i, told->logical[i], status, told->status[i]);
		told->status[i] = status;
	}
}

/* What the message is about counts as told, whether somebody listens or not. */
static void send_lanes(struct pnic_lanes *lanes, u64 last)
{
	struct pnic_nl_lane_event *ev = &lanes->told.event;

	ev->generation = lanes->agent->proto.rx.active.generation;
	ev->first = lanes->told.seq + 1;
	ev->last = last;
	ev->nr = 0;
	ev->more = 0;
	find_changes(lanes, ev);
	if (time_after(jiffies, lanes->told.sent_at + 2 * TELL_PAUSE_MAX))
		lanes->told.pause = TELL_PAUSE_LONG;
	else
		lanes->told.pause = min(2 * lanes->told.pause, TELL_PAUSE_MAX);
	lanes->told.seq = last;
	lanes->told.sent_at = jiffies;
	pnic_nl_lane_ntf(lanes->pd, ev);
}

static void tell_lanes(struct pnic_lanes *lanes)
{
	u64 last = pnic_history_last(&lanes->history);
	unsigned long quiet = lanes->told.sent_at + lanes->told.pause;

	if (last == lanes->told.seq)
		return;
	if (last - lanes->told.seq < TELL_BATCH && time_before(jiffies, quiet))
		tell_later(lanes, quiet - jiffies);
	else
		send_lanes(lanes, last);
}

/* ---- the link ---- */

static bool take_link_news(struct pnic_lanes *lanes, struct pnic_link_info *link)
{
	unsigned long flags;
	bool news;

	spin_lock_irqsave(&lanes->lock, flags);
	news = lanes->link_news;
	lanes->link_news = false;
	*link = lanes->link;
	spin_unlock_irqrestore(&lanes->lock, flags);
	return news;
}

static void tell_link(struct pnic_lanes *lanes)
{
	struct pnic_link_info link;
	struct pnic_link_view *view;

	if (!take_link_news(lanes, &link))
		return;
	view = kmalloc(sizeof(*view), GFP_KERNEL);
	if (!view)
		return;
	pnic_lanes_fill_view(lanes, &link, false, view);
	pnic_nl_link_ntf(lanes->pd, view);
	kfree(view);
}

/* ---- alarms ---- */

static void tell_alarms(struct pnic_lanes *lanes)
{
	u32 now = lane_agent_alarms(lanes->agent), before = lanes->told.alarms;

	if (now == before)
		return;
	lanes->told.alarms = now;
	pnic_nl_health_ntf(lanes->pd, now, before);
	pnic_health_alarms(lanes->pd, now);
}

/* ---- when ---- */

void pnic_lanes_tell(struct work_struct *work)
{
	struct pnic_lanes *lanes = container_of(work, struct pnic_lanes, tell_work.work);

	mutex_lock(&lanes->run_lock);
	tell_link(lanes);
	tell_alarms(lanes);
	tell_lanes(lanes);
	mutex_unlock(&lanes->run_lock);
}

void pnic_lanes_look(struct pnic_lanes *lanes)
{
	bool agreed = lane_proto_agreed(&lanes->agent->proto);
	unsigned long flags;
	bool news;

	spin_lock_irqsave(&lanes->lock, flags);
	news = lanes->agreed != agreed;
	lanes->agreed = agreed;
	lanes->link_news |= news;
	spin_unlock_irqrestore(&lanes->lock, flags);
	if (news)
		pnic_lanes_tell_link_soon(lanes);
	else if (lane_agent_alarms(lanes->agent) != lanes->told.alarms)
		pnic_lanes_tell_soon(lanes);
}
