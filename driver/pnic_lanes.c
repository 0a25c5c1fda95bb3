// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: the lane manager: the lane agent (lane/agent.h) with a card under it.
 *
 * Policy and protocol are in lane/; here is what they need of a kernel: the
 * card's commands, a place to run, time, and somewhere to tell. All decisions are
 * made in one work item of an ordered workqueue. Events of the card queue it. What
 * happened to maps and lanes is read from the card, so that neither a lost nor a repeated event
 * matters; only what an event alone says (when a lane was lost, when a map was switched, how
 * a test ended) is kept for the turn.
 *
 * Called by bring-up and reset (start, stop) and by the event queue (event).
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "pnic_counters.h"
#include "pnic_lanes_priv.h"

/* ---- turns ---- */

/* False: there is none. Lane news is a hint as well: there is something to decide. */
static bool take_news(struct pnic_lanes *lanes, struct pnic_lanes_news *news)
{
	unsigned long flags;
	bool there;

	spin_lock_irqsave(&lanes->lock, flags);
	there = lanes->news_head != lanes->news_tail;
	if (there)
		*news = lanes->news[lanes->news_head++ % PNIC_LANES_NEWS];
	spin_unlock_irqrestore(&lanes->lock, flags);
	return there;
}

static bool take_lane_news(struct pnic_lanes *lanes)
{
	unsigned long flags;
	bool news;

	spin_lock_irqsave(&lanes->lock, flags);
	news = lanes->lane_news;
	lanes->lane_news = false;
	spin_unlock_irqrestore(&lanes->lock, flags);
	return news;
}

static void pass_on_one(struct lane_agent *a, const struct pnic_lanes_news *news, u64 now)
{
	if (news->type == PNIC_EV_MAP)
		lane_agent_switch_event(a, news->code, news->id, news->data[0], news->data[1]);
	else if (news->code == PNIC_LANE_CAUSE_LOS)
		lane_agent_loss_event(a, news->id, news->data[0]);
	else if (news->code == PNIC_LANE_CAUSE_TESTED)
		lane_agent_tested(a, news->id, news->data[0], news->data[1], now);
}

/* What only an event tells. */
static void pass_on(struct pnic_lanes *lanes, u64 now)
{
	struct pnic_lanes_news news;

	while (take_news(lanes, &news))
		pass_on_one(lanes->agent, &news, now);
	if (take_lane_news(lanes))
		lane_agent_lanes(lanes->agent, now);
}

/* Counts that the status page and PNIC_IOC_LINK_INFO give, as of this turn. */
static void take_counts(struct pnic_lanes *lanes)
{
	const struct lane_agent_stats *stats = &lanes->agent->stats;
	unsigned long flags;

	spin_lock_irqsave(&lanes->lock, flags);
	lanes->margin_min = min_t(s32, lanes->margin_min, stats->margin_min);
	lanes->margin_window = min_t(s32, lanes->margin_window, stats->margin);
	if (lanes->spares != stats->spares || lanes->failed != stats->failed) {
		lanes->spares = stats->spares;
		lanes->failed = stats->failed;
		pnic_lanes_publish(lanes, &lanes->link);
	}
	spin_unlock_irqrestore(&lanes->lock, flags);
}

/* Queues the next turn; an earlier one that is queued already stays. */
static void arm(struct pnic_lanes *lanes, u64 ns)
{
	unsigned long flags;

	spin_lock_irqsave(&lanes->lock, flags);
	if (lanes->running)
		queue_delayed_work(lanes->wq, &lanes->work, nsecs_to_jiffies(ns) + 1);
	spin_unlock_irqrestore(&lanes->lock, flags);
}

static void turn(struct work_struct *work)
{
	struct pnic_lanes *lanes = container_of(work, struct pnic_lanes, work.work);
	u64 now, next;

	mutex_lock(&lanes->run_lock);
	now = ktime_get_ns();
	pass_on(lanes, now);
	next = lane_agent_run(lanes->agent, now);
	take_counts(lanes);
	pnic_counters_keep(lanes->pd);
	pnic_lanes_look(lanes);
	mutex_unlock(&lanes->run_lock);

	now = ktime_get_ns();
	arm(lanes, next > now ? next - now : 0);
}

/* With lanes->lock. What has no room is counted; nothing but a time is lost with it. */
static void keep_news(struct pnic_lanes *lanes, const struct pnic_eqe *eqe)
{
	struct pnic_lanes_news *news;

	if (lanes->news_tail - lanes->news_head == PNIC_LANES_NEWS) {
		lanes->news_lost++;
		return;
	}
	news = &lanes->news[lanes->news_tail++ % PNIC_LANES_NEWS];
	news->type = eqe->type;
	news->code = le16_to_cpu(eqe->code);
	news->id = le32_to_cpu(eqe->id);
	news->data[0] = le64_to_cpu(eqe->data[0]);
	news->data[1] = le64_to_cpu(eqe->data[1]);
}

void pnic_lanes_kick(struct pnic_lanes *lanes)
{
	unsigned long flags;

	spin_lock_irqsave(&lanes->lock, flags);
	if (lanes->running)
		mod_delayed_work(lanes->wq, &lanes->work, 0);
	spin_unlock_irqrestore(&lanes->lock, flags);
}

void pnic_lanes_event(struct pnic_dev *pd, const struct pnic_eqe *eqe)
{
	struct pnic_lanes *lanes = pd->lanes;
	unsigned long flags;

	spin_lock_irqsave(&lanes->lock, flags);
	if (eqe->type == PNIC_EV_LANE)
		lanes->lane_news = true;
	if (eqe->type == PNIC_EV_LANE || eqe->type == PNIC_EV_MAP)
		keep_news(lanes, eqe);
	if (eqe->type == PNIC_EV_LINK) {
		bool up = le16_to_cpu(eqe->code) == PNIC_LINK_UP;

		lanes->link_downs += lanes->up && !up;
		lanes->up = up;
	}
	if (lanes->running)
		mod_delayed_work(lanes->wq, &lanes->work, 0);
	spin_unlock_irqrestore(&lanes->lock, flags);
}

/* ---- making, starting, stopping ---- */

static void lanes_destroy(struct pnic_lanes *lanes)
{
	if (lanes->wq)
		destroy_workqueue(lanes->wq);
	kvfree(lanes->records);
	kvfree(lanes->buf);
	kvfree(lanes->agent);
	kvfree(lanes);
}

static struct pnic_lanes *lanes_create(struct pnic_dev *pd)
{
	struct pnic_lanes *lanes = kvzalloc(sizeof(*lanes), GFP_KERNEL);

	if (!lanes)
		return NULL;
	lanes->pd = pd;
	lanes->margin_min = pd->caps.lanes_data;
	lanes->margin_window = pd->caps.lanes_data;
	pnic_history_init(&lanes->history);
	lane_settings_default(&lanes->settings);
	lanes->revision = 1;
	pnic_lanes_card_ops(lanes);
	spin_lock_init(&lanes->lock);
	mutex_init(&lanes->run_lock);
	INIT_DELAYED_WORK(&lanes->work, turn);
	INIT_DELAYED_WORK(&lanes->tell_work, pnic_lanes_tell);
	ratelimit_state_init(&lanes->talk, 5 * HZ, 20);
	ratelimit_set_flags(&lanes->talk, RATELIMIT_MSG_ON_RELEASE);
	lanes->agent = kvzalloc(sizeof(*lanes->agent), GFP_KERNEL);
	lanes->buf = kvmalloc(max_t(size_t, pd->caps.mgmt_max, LANE_MSG_MAX), GFP_KERNEL);
	lanes->records = kvcalloc(pd->caps.lanes_data + pd->caps.lanes_spare,
				  sizeof(*lanes->records), GFP_KERNEL);
	lanes->wq = alloc_ordered_workqueue("%s_lanes", 0, dev_name(&pd->dev));
	if (!lanes->agent || !lanes->buf || !lanes->records || !lanes->wq) {
		lanes_destroy(lanes);
		return NULL;
	}
	return lanes;
}

static void configure(const struct pnic_lanes *lanes, struct lane_agent_cfg *cfg)
{
	const struct pnic_caps *caps = &lanes->pd->caps;
	struct lane_policy_cfg *policy = &cfg->policy;

	lane_agent_cfg_default(cfg);
	cfg->settings = lanes->settings;
	policy->knobs = lanes->settings.knobs;
	policy->shape.data = caps->lanes_data;
	policy->shape.total = caps->lanes_data + caps->lanes_spare;
	policy->fec.n = caps->fec_n;
	policy->fec.k = caps->fec_k;
	policy->fec.symbol_bits = caps->fec_symbol_bits;
	policy->fec.bit_striping = caps->striping == PNIC_STRIPE_BIT;
	policy->grid_x = caps->grid_x;
	policy->grid_y = caps->grid_y;
	cfg->proto.msg_max = min_t(u16, caps->mgmt_max, LANE_MSG_MAX);
}

/* Another one after each reset, and hardly ever that of the far end. */
static u32 new_incarnation(u32 old)
{
	u32 n;

	do {
		n = get_random_u32();
	} while (!n || n == old);
	return n;
}

static int bring_up(struct pnic_lanes *lanes)
{
	struct pnic_link_info i;
	struct lane_agent_cfg cfg;
	unsigned long flags;
	int err;

	spin_lock_irqsave(&lanes->lock, flags);
	lanes->link.clock_ns = 0;	/* the card's clock began anew */
	lanes->news_head = lanes->news_tail;
	spin_unlock_irqrestore(&lanes->lock, flags);
	err = pnic_lanes_query(lanes, &i);
	if (!err && lanes->admin_down && i.state != PNIC_LINK_DISABLED)
		err = pnic_cmd_link_set(lanes->pd, false);
	if (err)
		return err;
	spin_lock_irqsave(&lanes->lock, flags);
	lanes->up = i.state == PNIC_LINK_UP && !lanes->admin_down;
	spin_unlock_irqrestore(&lanes->lock, flags);
	lanes->incarnation = new_incarnation(lanes->incarnation);
	configure(lanes, &cfg);
	if (lane_agent_init(lanes->agent, &cfg, &lanes->ops, lanes, lanes->incarnation,
			    ktime_get_ns())) {
		dev_err(&lanes->pd->dev, "lanes: %u data and %u spare lanes, or their maps, make no sense\n",
			lanes->pd->caps.lanes_data, lanes->pd->caps.lanes_spare);
		return -EPROTO;
	}
	return 0;
}

/* What the agent knows that a reset of the card does not make wrong. */
static void keep_past(struct pnic_lanes *lanes)
{
	const struct lane_agent *a = lanes->agent;
	u16 i;

	for (i = 0; i < a->cfg.policy.shape.total; i++) {
		lane_agent_record(a, i, &lanes->records[i]);
		/* That it doesn't work just now is seen again. */
		lanes->records[i].known_bad = a->policy.track[i].known_bad;
	}
	lanes->standby_remaps += a->stats.standby_switches;
	for (i = 0; i < LANE_LATENCY_BUCKETS; i++)
		lanes->latency[i] += a->stats.latency[i];
}

/* Records are of a cable: another one has none. */
static void give_past(struct pnic_lanes *lanes)
{
	const char *serial = lanes->pd->caps.cable_serial;
	u16 i;

	if (!strcmp(serial, lanes->cable_serial))
		for (i = 0; i < lanes->agent->cfg.policy.shape.total; i++)
			lane_agent_remember(lanes->agent, i, &lanes->records[i]);
	strscpy(lanes->cable_serial, serial, sizeof(lanes->cable_serial));
}

static int bring_up_again(struct pnic_lanes *lanes)
{
	int err;

	if (lanes->started)
		keep_past(lanes);
	lanes->started = false;
	err = bring_up(lanes);
	if (err)
		return err;
	give_past(lanes);
	lanes->started = true;
	return 0;
}

int pnic_lanes_start(struct pnic_dev *pd)
{
	struct pnic_lanes *lanes = pd->lanes;
	unsigned long flags;
	int err;

	if (!(pd->caps.caps & PNIC_CAP_LO_LANES))
		return 0;
	if (!lanes) {
		lanes = lanes_create(pd);
		if (!lanes)
			return -ENOMEM;
	}
	mutex_lock(&lanes->run_lock);
	err = bring_up_again(lanes);
	mutex_unlock(&lanes->run_lock);
	if (err) {
		if (!pd->lanes)
			lanes_destroy(lanes);
		return err;
	}
	/* Events that came before count as news: the first turn looks at everything. */
	smp_store_release(&pd->lanes, lanes);
	spin_lock_irqsave(&lanes->lock, flags);
	lanes->running = true;
	queue_delayed_work(lanes->wq, &lanes->work, 0);
	spin_unlock_irqrestore(&lanes->lock, flags);
	pnic_lanes_tell_soon(lanes);
	return 0;
}

void pnic_lanes_stop(struct pnic_dev *pd)
{
	struct pnic_lanes *lanes = pd->lanes;
	unsigned long flags;

	if (!lanes)
		return;
	spin_lock_irqsave(&lanes->lock, flags);
	lanes->running = false;
	spin_unlock_irqrestore(&lanes->lock, flags);
	cancel_delayed_work_sync(&lanes->work);
	cancel_delayed_work_sync(&lanes->tell_work);
}

void pnic_lanes_free(struct pnic_dev *pd)
{
	struct pnic_lanes *lanes = pd->lanes;

	if (!lanes)
		return;
	pd->lanes = NULL;
	lanes_destroy(lanes);
}
