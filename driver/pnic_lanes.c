// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: the lane manager: the lane agent (lane/agent.h) with a card under it.
 *
 * Policy and protocol are in lane/; here is what they need of a kernel: the
 * card's commands, a place to run, time, and somewhere to tell. All decisions are
 * made in one work item of an ordered workqueue. Events of the card only set a
 * flag and queue it: what happened is read from the card, so that neither a lost nor
 * a repeated event matters.
 *
 * Called by bring-up and reset (start, stop), the event queue (event), the char
 * device (link_info) and debugfs (show).
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/ratelimit.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "lane/agent.h"
#include "pnic_lanes.h"

#define PNIC_LANES_HISTORY	1024		/* a power of two */

/**
 * struct pnic_lanes - lane manager of a device
 * @pd: the device
 * @wq: runs @work and nothing else
 * @work: a turn of @agent
 * @run_lock: protects @agent and @buf; held while commands are carried out
 * @agent: policy and protocol
 * @buf: for messages and maps on the way to @agent
 * @lock: protects all below, taken in interrupts
 * @running: between start and stop
 * @lane_news: lane events since the last turn
 * @up: the link was up at its last event
 * @link: what the card last said, at its clock_ns
 * @spares: working receive lanes in no map
 * @failed: receive lanes that don't work
 * @margin_min: smallest margin since the driver was loaded
 * @remaps: map changes since then
 * @link_downs: since then
 * @incarnation: our number in the lane protocol
 * @history: what was seen and decided, a ring
 * @noted: notes ever made; the last ones are in @history
 * @talk: bounds what goes to the kernel log
 */
struct pnic_lanes {
	struct pnic_dev *pd;
	struct workqueue_struct *wq;
	struct delayed_work work;
	struct mutex run_lock;		/* @agent and @buf */
	struct lane_agent *agent;
	void *buf;
	spinlock_t lock;		/* all below */
	bool running;
	bool lane_news;
	bool up;
	struct pnic_link_info link;
	u32 spares;
	u32 failed;
	u32 margin_min;
	u32 remaps;
	u32 link_downs;
	u32 incarnation;
	u64 noted;
	struct ratelimit_state talk;
	struct lane_note history[PNIC_LANES_HISTORY];
};

/* ---- what the card says of the link ---- */

static void publish(struct pnic_lanes *lanes, const struct pnic_link_info *i)
{
	pnic_status_set_link(lanes->pd, i->state, le16_to_cpu(i->width_tx),
			     le32_to_cpu(i->rate_tx_mbps), le32_to_cpu(i->gen_tx),
			     le16_to_cpu(i->margin), lanes->spares);
}

/* Takes over what the card said just now, and tells who is concerned. */
static void take_link(struct pnic_lanes *lanes, const struct pnic_link_info *i)
{
	struct pnic_link_info *was = &lanes->link;
	bool state, rate;
	unsigned long flags;

	spin_lock_irqsave(&lanes->lock, flags);
	/* Two callers may ask at a time: the older answer must not win. */
	if (le64_to_cpu(i->clock_ns) < le64_to_cpu(was->clock_ns)) {
		spin_unlock_irqrestore(&lanes->lock, flags);
		return;
	}
	state = i->state != was->state;
	rate = i->rate_tx_mbps != was->rate_tx_mbps || i->width_tx != was->width_tx;
	*was = *i;
	if (i->state == PNIC_LINK_UP)
		lanes->margin_min = min_t(u32, lanes->margin_min,
					  le16_to_cpu(i->margin_min));
	publish(lanes, i);
	spin_unlock_irqrestore(&lanes->lock, flags);

	if (state)
		pnic_event_broadcast(lanes->pd, PNIC_EVT_LINK, i->state,
				     le32_to_cpu(i->rate_tx_mbps));
	if (rate)
		pnic_event_broadcast(lanes->pd, PNIC_EVT_RATE, le16_to_cpu(i->width_tx),
				     le32_to_cpu(i->rate_tx_mbps));
}

static bool link_sane(const struct pnic_dev *pd, const struct pnic_link_info *i)
{
	u16 data = pd->caps.lanes_data;

	return i->state <= PNIC_LINK_DISABLED && i->gen_rx && i->gen_tx &&
	       i->width_rx && i->width_tx &&
	       le16_to_cpu(i->width_rx) <= data && le16_to_cpu(i->width_tx) <= data;
}

/* A margin is shown and not acted on: at most all lanes. */
static void cut_margins(const struct pnic_dev *pd, struct pnic_link_info *i)
{
	u16 data = pd->caps.lanes_data;

	i->margin = cpu_to_le16(min(le16_to_cpu(i->margin), data));
	i->margin_erasure = cpu_to_le16(min(le16_to_cpu(i->margin_erasure), data));
	i->margin_min = cpu_to_le16(min(le16_to_cpu(i->margin_min), data));
}

static int query_link(struct pnic_lanes *lanes, struct pnic_link_info *i)
{
	int err = pnic_cmd_link_query(lanes->pd, i);

	if (err)
		return err;
	if (!link_sane(lanes->pd, i)) {
		pnic_nonsense(lanes->pd, "link info: state %u, width %u, %u, generation %u, %u",
			      i->state, le16_to_cpu(i->width_rx), le16_to_cpu(i->width_tx),
			      le32_to_cpu(i->gen_rx), le32_to_cpu(i->gen_tx));
		return -EPROTO;
	}
	cut_margins(lanes->pd, i);
	take_link(lanes, i);
	return 0;
}

/* ---- the card as the agent sees it ---- */

static int op_link(void *card, struct lane_link *link)
{
	struct pnic_link_info i;
	int err = query_link(card, &i);

	if (err)
		return err;
	link->state = i.state;
	link->gen_rx = le32_to_cpu(i.gen_rx);
	link->gen_tx = le32_to_cpu(i.gen_tx);
	return 0;
}

static int op_table(void *card, void *buf, size_t cap)
{
	struct pnic_lanes *lanes = card;
	size_t len = lane_table_size(lanes->pd->caps.lanes_data + lanes->pd->caps.lanes_spare);
	int err;

	if (len > cap)
		return -E2BIG;
	err = pnic_cmd_lane_table(lanes->pd, PNIC_DIR_RX, buf, len);
	return err ?: len;
}

static int op_map_get(void *card, u8 dir, void *buf, size_t cap)
{
	struct pnic_lanes *lanes = card;
	size_t len = sizeof(struct pnic_map) + lanes->pd->caps.lanes_data * sizeof(__le16);
	int err;

	if (len > cap)
		return -E2BIG;
	err = pnic_cmd_map_query(lanes->pd, dir, buf, len);
	return err ?: len;
}

static int op_map_stage(void *card, u8 dir, u32 generation, const void *map, size_t len)
{
	struct pnic_lanes *lanes = card;
	u64 why = 0;
	int err = pnic_cmd_map_stage(lanes->pd, dir, generation, map, len, &why);

	if (err == -EPERM && why && why <= PNIC_MAPR_OFF)
		return why;
	return err;
}

static int op_map_switch(void *card, u32 generation)
{
	struct pnic_lanes *lanes = card;

	return pnic_cmd_map_switch(lanes->pd, generation, NULL);
}

static int op_map_abort(void *card, u8 dir, u32 generation)
{
	struct pnic_lanes *lanes = card;

	return pnic_cmd_map_abort(lanes->pd, dir, generation);
}

static int op_mgmt_send(void *card, const void *msg, size_t len)
{
	struct pnic_lanes *lanes = card;

	return pnic_cmd_mgmt_send(lanes->pd, msg, len);
}

/* The card wants room for its longest message, whatever the agent has room for. */
static int op_mgmt_recv(void *card, void *buf, size_t cap)
{
	struct pnic_lanes *lanes = card;
	int len = pnic_cmd_mgmt_recv(lanes->pd, lanes->buf, lanes->pd->caps.mgmt_max);

	if (len > 0)
		memcpy(buf, lanes->buf, min_t(size_t, len, cap));
	return len;
}

/* Single lanes are for the history; the log gets what a person should know. */
static bool worth_logging(u8 code)
{
	switch (code) {
	case LANE_NOTE_STATE:
	case LANE_NOTE_REPLACE:
	case LANE_NOTE_DROP:
	case LANE_NOTE_MOVE:
	case LANE_NOTE_GROW:
	case LANE_NOTE_MARGIN:
	case LANE_NOTE_MORE:
	case LANE_NOTE_SWITCHED:
	case LANE_NOTE_CARD:	/* whoever sent the command said so */
		return false;
	}
	return true;
}

static void op_note(void *card, const struct lane_note *note)
{
	struct pnic_lanes *lanes = card;
	char text[LANE_NOTE_TEXT_MAX];
	unsigned long flags;

	spin_lock_irqsave(&lanes->lock, flags);
	lanes->history[lanes->noted++ % PNIC_LANES_HISTORY] = *note;
	if (note->code == LANE_NOTE_SWITCHED)
		lanes->remaps++;
	spin_unlock_irqrestore(&lanes->lock, flags);

	if (!worth_logging(note->code) || !__ratelimit(&lanes->talk))
		return;
	lane_note_text(note, text, sizeof(text));
	dev_info(&lanes->pd->dev, "lanes: %s\n", text);
}

static const struct lane_card_ops card_ops = {
	.link = op_link,
	.table = op_table,
	.map_get = op_map_get,
	.mgmt_recv = op_mgmt_recv,
	.map_stage = op_map_stage,
	.map_switch = op_map_switch,
	.map_abort = op_map_abort,
	.mgmt_send = op_mgmt_send,
	.note = op_note,
};

/* ---- turns ---- */

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

/* Counts that the status page and PNIC_IOC_LINK_INFO give, as of this turn. */
static void take_counts(struct pnic_lanes *lanes)
{
	const struct lane_agent_stats *stats = &lanes->agent->stats;
	unsigned long flags;

	spin_lock_irqsave(&lanes->lock, flags);
	if (lanes->spares != stats->spares || lanes->failed != stats->failed) {
		lanes->spares = stats->spares;
		lanes->failed = stats->failed;
		publish(lanes, &lanes->link);
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
	if (take_lane_news(lanes))
		lane_agent_lanes(lanes->agent, now);
	next = lane_agent_run(lanes->agent, now);
	take_counts(lanes);
	mutex_unlock(&lanes->run_lock);

	now = ktime_get_ns();
	arm(lanes, next > now ? next - now : 0);
}

void pnic_lanes_event(struct pnic_dev *pd, const struct pnic_eqe *eqe)
{
	struct pnic_lanes *lanes = pd->lanes;
	unsigned long flags;

	spin_lock_irqsave(&lanes->lock, flags);
	if (eqe->type == PNIC_EV_LANE)
		lanes->lane_news = true;
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
	spin_lock_init(&lanes->lock);
	mutex_init(&lanes->run_lock);
	INIT_DELAYED_WORK(&lanes->work, turn);
	ratelimit_state_init(&lanes->talk, 5 * HZ, 20);
	ratelimit_set_flags(&lanes->talk, RATELIMIT_MSG_ON_RELEASE);
	lanes->agent = kvzalloc(sizeof(*lanes->agent), GFP_KERNEL);
	lanes->buf = kvmalloc(max_t(size_t, pd->caps.mgmt_max, LANE_MSG_MAX), GFP_KERNEL);
	lanes->wq = alloc_ordered_workqueue("%s_lanes", 0, dev_name(&pd->dev));
	if (!lanes->agent || !lanes->buf || !lanes->wq) {
		lanes_destroy(lanes);
		return NULL;
	}
	return lanes;
}

static void configure(const struct pnic_caps *caps, struct lane_agent_cfg *cfg)
{
	struct lane_policy_cfg *policy = &cfg->policy;

	lane_agent_cfg_default(cfg);
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
	spin_unlock_irqrestore(&lanes->lock, flags);
	err = query_link(lanes, &i);
	if (err)
		return err;
	spin_lock_irqsave(&lanes->lock, flags);
	lanes->up = i.state == PNIC_LINK_UP;
	spin_unlock_irqrestore(&lanes->lock, flags);
	lanes->incarnation = new_incarnation(lanes->incarnation);
	configure(&lanes->pd->caps, &cfg);
	if (lane_agent_init(lanes->agent, &cfg, &card_ops, lanes, lanes->incarnation,
			    ktime_get_ns())) {
		dev_err(&lanes->pd->dev, "lanes: %u data and %u spare lanes, or their maps, make no sense\n",
			lanes->pd->caps.lanes_data, lanes->pd->caps.lanes_spare);
		return -EPROTO;
	}
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
	err = bring_up(lanes);
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
}

void pnic_lanes_free(struct pnic_dev *pd)
{
	struct pnic_lanes *lanes = pd->lanes;

	if (!lanes)
		return;
	pd->lanes = NULL;
	lanes_destroy(lanes);
}

/* ---- who asks ---- */

static void fill_info(struct pnic_lanes *lanes, const struct pnic_link_info *i,
		      struct pnic_ioc_link_info *out)
{
	unsigned long flags;

	out->state = i->state;
	out->width_tx = le16_to_cpu(i->width_tx);
	out->width_rx = le16_to_cpu(i->width_rx);
	out->width_max = lanes->pd->caps.lanes_data;
	out->margin = le16_to_cpu(i->margin);
	out->margin_erasure = le16_to_cpu(i->margin_erasure);
	out->gen_rx = le32_to_cpu(i->gen_rx);
	out->gen_tx = le32_to_cpu(i->gen_tx);
	out->rate_tx_mbps = le32_to_cpu(i->rate_tx_mbps);
	out->rate_rx_mbps = le32_to_cpu(i->rate_rx_mbps);
	out->rsvd = 0;

	spin_lock_irqsave(&lanes->lock, flags);
	out->spares_rx = lanes->spares;
	out->failed_rx = lanes->failed;
	out->margin_min = lanes->margin_min;
	out->remaps = lanes->remaps;
	out->link_downs = lanes->link_downs;
	spin_unlock_irqrestore(&lanes->lock, flags);
}

int pnic_lanes_link_info(struct pnic_dev *pd, struct pnic_ioc_link_info *out)
{
	struct pnic_lanes *lanes = pd->lanes;
	struct pnic_link_info i;
	int err;

	if (!lanes)
		return -EOPNOTSUPP;
	err = query_link(lanes, &i);
	if (err)
		return err;
	fill_info(lanes, &i, out);
	return 0;
}

static void show_lane(struct seq_file *s, const struct lane_agent *a, u16 lane)
{
	const struct lane_track *t = &a->policy.track[lane];
	const struct lane_rec *rec = &a->rec[lane];

	if (t->state <= LANE_ACTIVE)
		return;
	seq_printf(s, "lane %4u at (%u,%u): %s, %d/100 dB, %u wrong symbols in 10^9, lost %u times\n",
		   lane, rec->x, rec->y, lane_state_name(t->state), rec->power_cdb, t->ppb,
		   t->losses);
}

static void show_agent(struct seq_file *s, const struct lane_agent *a)
{
	const struct lane_proto *p = &a->proto;
	u16 i;

	seq_printf(s, "receive: generation %u, width %u, %s\n", p->rx.active.generation,
		   p->rx.active.width, lane_rx_state_name(p->rx.state));
	seq_printf(s, "transmit: generation %u, width %u, %s\n", p->tx.active.generation,
		   p->tx.active.width, lane_tx_state_name(p->tx.state));
	seq_printf(s, "far end: %s, incarnation %08x, maps %s\n",
		   !p->peer.known ? "unknown" : p->peer.silent ? "silent" : "heard",
		   p->peer.incarnation, lane_proto_agreed(p) ? "agree" : "differ");
	seq_printf(s, "margin: %d lanes, %d if marked; spares %u, failed %u, on probation %u\n",
		   a->stats.margin, a->stats.margin_erasure, a->stats.spares,
		   a->stats.failed, a->stats.quarantined);
	seq_printf(s, "decisions: %llu; messages refused: %llu, stale: %llu\n",
		   a->stats.decisions, p->nonsense, p->stale);
	for (i = 0; i < a->cfg.policy.shape.total; i++)
		show_lane(s, a, i);
}

/* False: there is no such note (any more). */
static bool get_note(struct pnic_lanes *lanes, u64 n, struct lane_note *note)
{
	unsigned long flags;
	bool there;

	spin_lock_irqsave(&lanes->lock, flags);
	there = n < lanes->noted && n + PNIC_LANES_HISTORY >= lanes->noted;
	if (there)
		*note = lanes->history[n % PNIC_LANES_HISTORY];
	spin_unlock_irqrestore(&lanes->lock, flags);
	return there;
}

static void show_history(struct seq_file *s, struct pnic_lanes *lanes)
{
	u64 end = READ_ONCE(lanes->noted);
	u64 n = end > PNIC_LANES_HISTORY ? end - PNIC_LANES_HISTORY : 0;
	char text[LANE_NOTE_TEXT_MAX];
	struct lane_note note;

	if (n)
		seq_printf(s, "%llu earlier notes are gone\n", n);
	for (; n < end; n++) {
		if (!get_note(lanes, n, &note))
			continue;
		lane_note_text(&note, text, sizeof(text));
		seq_printf(s, "[%5llu.%06llu] %s\n", div_u64(note.at, NSEC_PER_SEC),
			   div_u64(note.at, 1000) % 1000000, text);
	}
}

int pnic_lanes_show(struct pnic_dev *pd, struct seq_file *s)
{
	/* Pairs with the release in pnic_lanes_start(). */
	struct pnic_lanes *lanes = smp_load_acquire(&pd->lanes);
	int err;

	if (!lanes) {
		seq_puts(s, "no lane management\n");
		return 0;
	}
	err = mutex_lock_interruptible(&lanes->run_lock);
	if (err)
		return err;
	show_agent(s, lanes->agent);
	mutex_unlock(&lanes->run_lock);
	show_history(s, lanes);
	return 0;
}
