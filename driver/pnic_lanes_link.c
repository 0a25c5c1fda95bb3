// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: the link as the card tells of it: checked, published on the status page, told to
 * open files and to netlink; and switched on and off.
 */
#include <linux/ktime.h>

#include "pnic_lanes_priv.h"

void pnic_lanes_publish(struct pnic_lanes *lanes, const struct pnic_link_info *i)
{
	pnic_status_set_link(lanes->pd, i, lanes->spares);
}

/* With lanes->lock. Minima count while codewords come. */
static void take_minima(struct pnic_lanes *lanes, const struct pnic_link_info *i)
{
	s32 min = le16_to_cpu(i->margin_min);

	if (i->state != PNIC_LINK_UP)
		return;
	lanes->margin_min = min(lanes->margin_min, min);
	lanes->margin_window = min(lanes->margin_window, min);
}

/* Takes over what the card said just now, and tells who is concerned. */
static void take_link(struct pnic_lanes *lanes, const struct pnic_link_info *i)
{
	struct pnic_link_info *was = &lanes->link;
	bool state, rate, rx;
	unsigned long flags;

	spin_lock_irqsave(&lanes->lock, flags);
	/* Two callers may ask at a time: the older answer must not win. */
	if (le64_to_cpu(i->clock_ns) < le64_to_cpu(was->clock_ns)) {
		spin_unlock_irqrestore(&lanes->lock, flags);
		return;
	}
	state = i->state != was->state;
	rate = i->rate_tx_mbps != was->rate_tx_mbps || i->width_tx != was->width_tx;
	rx = i->rate_rx_mbps != was->rate_rx_mbps || i->width_rx != was->width_rx;
	*was = *i;
	if (state || rate || rx)
		lanes->link_news = true;
	take_minima(lanes, i);
	pnic_lanes_publish(lanes, i);
	spin_unlock_irqrestore(&lanes->lock, flags);

	if (state)
		pnic_event_broadcast(lanes->pd, PNIC_EVT_LINK, i->state,
				     le32_to_cpu(i->rate_tx_mbps));
	if (rate)
		pnic_event_broadcast(lanes->pd, PNIC_EVT_RATE, le16_to_cpu(i->width_tx),
				     le32_to_cpu(i->rate_tx_mbps));
	if (state || rate || rx)
		pnic_lanes_tell_link_soon(lanes);
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

int pnic_lanes_query(struct pnic_lanes *lanes, struct pnic_link_info *i)
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
	out->margin_min = max(lanes->margin_min, 0);
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
	err = pnic_lanes_query(lanes, &i);
	if (err)
		return err;
	fill_info(lanes, &i, out);
	return 0;
}

/*
 * The card's word counts; the agent's check sum is left out while it has not heard yet of a
 * switch that the card has made.
 */
static void view_dir(struct pnic_dir_view *v, const struct lane_map *map, u32 sum,
		     const struct lane_proto *p)
{
	v->checksum = v->generation == map->generation ? sum : 0;
	v->agreed = p->peer.known && v->generation == v->peer_generation &&
		    v->checksum == v->peer_checksum;
}

static void view_dirs(struct pnic_link_view *v, const struct pnic_link_info *i,
		      const struct lane_proto *p)
{
	struct pnic_dir_view *rx = &v->dir[PNIC_DIR_RX], *tx = &v->dir[PNIC_DIR_TX];

	rx->width = le16_to_cpu(i->width_rx);
	rx->rate_mbps = le32_to_cpu(i->rate_rx_mbps);
	rx->generation = le32_to_cpu(i->gen_rx);
	rx->staged = le32_to_cpu(i->staged_rx);
	rx->peer_generation = p->peer.report.tx_gen;
	rx->peer_checksum = p->peer.report.tx_sum;
	rx->proto = lane_rx_state_name(p->rx.state);
	view_dir(rx, &p->rx.active, p->rx.sum, p);

	tx->width = le16_to_cpu(i->width_tx);
	tx->rate_mbps = le32_to_cpu(i->rate_tx_mbps);
	tx->generation = le32_to_cpu(i->gen_tx);
	tx->staged = le32_to_cpu(i->staged_tx);
	tx->peer_generation = p->peer.report.rx_gen;
	tx->peer_checksum = p->peer.report.rx_sum;
	tx->proto = lane_tx_state_name(p->tx.state);
	view_dir(tx, &p->tx.active, p->tx.sum, p);
}

/* What the agent knows. */
static void view_agent(struct pnic_link_view *v, const struct lane_agent *a)
{
	u16 i;

	for (i = 0; i < a->cfg.policy.shape.total; i++)
		v->lanes[a->policy.track[i].state]++;
	/* The card counts lanes, and has no number for codewords that are being lost. */
	if (!v->margin && a->stats.margin < 0)
		v->margin = -1;
	v->alarms = lane_agent_alarms(a);
	v->peer_known = a->proto.peer.known && a->proto.peer.knows_us;
	v->peer_incarnation = a->proto.peer.incarnation;
}

/* Counts go on over a reset of the card, which makes the agent begin anew. */
static void view_counts(struct pnic_link_view *v, struct pnic_lanes *lanes)
{
	const struct lane_agent_stats *stats = &lanes->agent->stats;
	int i;

	v->standby_remaps = lanes->standby_remaps + stats->standby_switches;
	for (i = 0; i < LANE_LATENCY_BUCKETS; i++)
		v->latency[i] = lanes->latency[i] + stats->latency[i];
	lane_agent_forecast(lanes->agent, &v->forecast, ktime_get_ns());
	v->history = pnic_history_last(&lanes->history);
}

void pnic_lanes_fill_view(struct pnic_lanes *lanes, const struct pnic_link_info *i, bool take,
			  struct pnic_link_view *v)
{
	unsigned long flags;

	lockdep_assert_held(&lanes->run_lock);

	memset(v, 0, sizeof(*v));
	v->state = i->state;
	v->admin_up = !lanes->admin_down;
	v->width_max = lanes->pd->caps.lanes_data;
	v->margin = le16_to_cpu(i->margin);
	v->margin_erasure = le16_to_cpu(i->margin_erasure);
	view_dirs(v, i, &lanes->agent->proto);
	view_agent(v, lanes->agent);
	view_counts(v, lanes);

	spin_lock_irqsave(&lanes->lock, flags);
	v->margin_min = lanes->margin_min;
	v->margin_window = lanes->margin_window;
	v->remaps = lanes->remaps;
	v->downs = lanes->link_downs;
	if (take)
		lanes->margin_window = v->margin;
	spin_unlock_irqrestore(&lanes->lock, flags);
}

int pnic_lanes_link_view(struct pnic_dev *pd, bool take, struct pnic_link_view *view)
{
	struct pnic_lanes *lanes = pd->lanes;
	struct pnic_link_info i;
	int err;

	if (!lanes)
		return -EOPNOTSUPP;
	if (mutex_lock_killable(&lanes->run_lock))
		return -EINTR;
	err = pnic_lanes_query(lanes, &i);
	if (!err)
		pnic_lanes_fill_view(lanes, &i, take, view);
	mutex_unlock(&lanes->run_lock);
	return err;
}

/* ---- on and off ---- */

int pnic_lanes_link_set(struct pnic_dev *pd, bool up)
{
	struct pnic_lanes *lanes = pd->lanes;
	struct pnic_link_info i;
	int err;

	if (!lanes)
		return -EOPNOTSUPP;
	if (mutex_lock_killable(&lanes->run_lock))
		return -EINTR;
	err = pnic_cmd_link_set(pd, up);
	if (!err) {
		lanes->admin_down = !up;
		/* Whoever is concerned hears of it now; if not here, then by the event. */
		pnic_lanes_query(lanes, &i);
	}
	mutex_unlock(&lanes->run_lock);
	return err;
}
