// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: what the lane manager shows of lanes: a snapshot of the card's table, with
 * what the agent thinks of each.
 */
#include <linux/ktime.h>
#include <linux/mm.h>

#include "pnic_lanes_priv.h"

#define TABLE_TRIES		3

/**
 * struct table - a lane table on its way
 * @raw: as the card wrote it
 * @rec: decoded
 */
struct table {
	void *raw;
	struct lane_rec *rec;
};

static void table_free(struct table *t)
{
	kvfree(t->rec);
	kvfree(t->raw);
}

static int table_alloc(struct table *t, u16 total)
{
	t->raw = kvmalloc(lane_table_size(total), GFP_KERNEL);
	t->rec = kvmalloc_array(total, sizeof(*t->rec), GFP_KERNEL);
	if (t->raw && t->rec)
		return 0;
	table_free(t);
	return -ENOMEM;
}

/* Read again if the card wrote it just then. */
static int table_read(struct pnic_dev *pd, struct table *t, u8 dir, u16 total)
{
	size_t len = lane_table_size(total);
	int tries, err, fault;

	for (tries = 0; tries < TABLE_TRIES; tries++) {
		err = pnic_cmd_lane_table(pd, dir, t->raw, len);
		if (err)
			return err;
		fault = lane_table_decode(t->rec, total, t->raw, len);
		if (!fault)
			return 0;
		if (fault != LANE_TABLE_TORN)
			break;
	}
	return -EPROTO;
}

static u16 table_logical(const struct pnic_dev *pd, const struct table *t, u16 lane)
{
	const struct pnic_lane_rec *raw = t->raw + sizeof(struct pnic_lane_table);
	u16 logical = le16_to_cpu(raw[lane].logical);

	return logical < pd->caps.lanes_data ? logical : LANE_NONE;
}

static u64 lane_symbols(u32 mbits, u8 symbol_bits)
{
	return div_u64((u64)mbits << 20, symbol_bits);
}

static void view_track(struct pnic_lane_view *v, const struct lane_track *t, u8 symbol_bits,
		       u64 now)
{
	v->status = t->state;
	v->ppb = t->ppb;
	v->win_mbits = t->win_mbits;
	lane_rate_interval(t->win_errors, lane_symbols(t->win_mbits, symbol_bits), &v->ppb_low,
			   &v->ppb_high);
	v->trend_cdb_h = t->trend_cdb_h;
	v->losses = t->losses;
	v->probation_ns = t->until > now ? t->until - now : 0;
	v->known_bad = t->known_bad;
	v->test_bits = t->test_bits;
	v->test_errors = t->test_errors;
}

/* The plan is by logical lane, and about the active map. */
static u16 view_standby(const struct lane_proto *p, u16 logical)
{
	const struct lane_map *plan = lane_proto_standby_map(p, PNIC_DIR_RX);

	return logical < plan->width ? plan->phys[logical] : LANE_NONE;
}

static void view_rx(struct pnic_lane_view *v, const struct lane_agent *a, u16 lane, u64 now)
{
	view_track(v, &a->policy.track[lane], a->cfg.policy.fec.symbol_bits, now);
	v->standby = view_standby(&a->proto, v->logical);
}

static u8 tx_status(u8 state)
{
	switch (state) {
	case PNIC_LANE_ACTIVE:
	case PNIC_LANE_STAGED:
		return LANE_ACTIVE;
	case PNIC_LANE_OFF:
		return LANE_DISABLED;
	case PNIC_LANE_LOS:
		return LANE_FAILED;
	}
	return LANE_SPARE;
}

/* The agent is about receive lanes. Of a transmit lane only the card's word is known. */
static void view_tx(struct pnic_lane_view *v)
{
	v->status = tx_status(v->rec.state);
	v->standby = LANE_NONE;
}

/* With run_lock. */
static void view_fill(struct pnic_lanes *lanes, const struct table *t,
		      struct pnic_lanes_view *view)
{
	const struct lane_agent *a = lanes->agent;
	u64 now = ktime_get_ns();
	u16 i;

	for (i = 0; i < view->total; i++) {
		struct pnic_lane_view *v = &view->lane[i];

		v->rec = t->rec[i];
		v->logical = table_logical(lanes->pd, t, i);
		if (view->dir == PNIC_DIR_RX)
			view_rx(v, a, i, now);
		else
			view_tx(v);
	}
}

static int view_take(struct pnic_lanes *lanes, struct pnic_lanes_view *view)
{
	struct table t;
	int err = table_alloc(&t, view->total);

	if (err)
		return err;
	err = -EINTR;
	if (mutex_lock_killable(&lanes->run_lock))
		goto free;
	err = table_read(lanes->pd, &t, view->dir, view->total);
	if (!err)
		view_fill(lanes, &t, view);
	mutex_unlock(&lanes->run_lock);
free:
	table_free(&t);
	return err;
}

struct pnic_lanes_view *pnic_lanes_view(struct pnic_dev *pd, u8 dir)
{
	u16 total = pd->caps.lanes_data + pd->caps.lanes_spare;
	struct pnic_lanes *lanes = pd->lanes;
	struct pnic_lanes_view *view;
	int err;

	if (!lanes)
		return ERR_PTR(-EOPNOTSUPP);
	/* A dump keeps it for as long as its reader likes. */
	view = kvzalloc(struct_size(view, lane, total), GFP_KERNEL_ACCOUNT);
	if (!view)
		return ERR_PTR(-ENOMEM);
	view->dev = pd->minor;
	view->dir = dir;
	view->total = total;
	err = view_take(lanes, view);
	if (!err)
		return view;
	kvfree(view);
	return ERR_PTR(err);
}

struct pnic_history *pnic_lanes_history(struct pnic_dev *pd)
{
	return &pd->lanes->history;
}

bool pnic_lanes_degraded(struct pnic_dev *pd)
{
	/* Pairs with the release in pnic_lanes_start(). */
	struct pnic_lanes *lanes = smp_load_acquire(&pd->lanes);
	unsigned long flags;
	bool degraded;

	if (!lanes)
		return false;
	spin_lock_irqsave(&lanes->lock, flags);
	degraded = le16_to_cpu(lanes->link.width_rx) < pd->caps.lanes_data ||
		   le16_to_cpu(lanes->link.width_tx) < pd->caps.lanes_data || !lanes->agreed;
	spin_unlock_irqrestore(&lanes->lock, flags);
	return degraded;
}
