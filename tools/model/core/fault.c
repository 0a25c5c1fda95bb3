// SPDX-License-Identifier: GPL-2.0
/*
 * What can be broken in a link from outside: lanes, patches of the grid, all of
 * them, frames, the fibre. Called by the control socket and by tests.
 *
 * Losses are set, not added: the same command twice leaves the same lane.
 */
#include <errno.h>

#include "link_int.h"

#define DB_MAX		200.0
#define DB_KILL		100.0

static bool loss_valid(double db)
{
	return db >= 0 && db <= DB_MAX;		/* false for NaN */
}

static void set_lane(struct pm_dir *d, unsigned int i, bool dead, double db)
{
	d->lane[i].dead = dead;
	d->lane[i].fault_db = db;
	pm_lanes_refresh(d, i);
}

static int fault_lane(struct pm_port *p, unsigned int lane, bool dead, double db)
{
	struct pm_dir *d = p->in;

	if (lane >= d->lanes || !loss_valid(db))
		return -EINVAL;
	pm_stream_settle(d);
	set_lane(d, lane, dead, db);
	pm_lanes_changed(d, false);
	return 0;
}

int pm_fault_kill(struct pm_port *p, unsigned int lane)
{
	return fault_lane(p, lane, true, 0);
}

int pm_fault_heal(struct pm_port *p, unsigned int lane)
{
	return fault_lane(p, lane, false, 0);
}

int pm_fault_degrade(struct pm_port *p, unsigned int lane, double db)
{
	return fault_lane(p, lane, lane < p->in->lanes && p->in->lane[lane].dead, db);
}

int pm_fault_patch(struct pm_port *p, unsigned int x, unsigned int y, double radius, double db)
{
	const struct pm_link_config *c = &p->link->config;
	struct pm_dir *d = p->in;
	unsigned int i;

	if (x >= c->grid_x || y >= c->grid_y || !(radius >= 0) || !(db >= -DB_MAX && db <= DB_MAX))
		return -EINVAL;
	pm_stream_settle(d);
	for (i = 0; i < d->lanes; i++) {
		double dx = (double)d->lane[i].x - x, dy = (double)d->lane[i].y - y;

		if (dx * dx + dy * dy > radius * radius)
			continue;
		if (db >= DB_KILL)
			set_lane(d, i, true, 0);
		else if (db <= 0)
			set_lane(d, i, false, 0);
		else
			set_lane(d, i, d->lane[i].dead, db);
	}
	pm_lanes_changed(d, false);
	return 0;
}

static void refresh_all(struct pm_dir *d)
{
	unsigned int i;

	for (i = 0; i < d->lanes; i++)
		pm_lanes_refresh(d, i);
	pm_lanes_changed(d, false);
}

int pm_fault_common(struct pm_port *p, double db)
{
	struct pm_dir *d = p->in;

	if (!loss_valid(db))
		return -EINVAL;
	pm_stream_settle(d);
	d->common_db = db;
	refresh_all(d);
	return 0;
}

int pm_fault_drop(struct pm_port *p, unsigned int frames)
{
	p->in->drop = frames;
	return 0;
}

int pm_fault_corrupt(struct pm_port *p, unsigned int frames)
{
	p->in->corrupt = frames;
	return 0;
}

int pm_fault_drop_requests(struct pm_port *p, unsigned int requests)
{
	p->in->standby.drop = requests;
	return 0;
}

int pm_fault_map(struct pm_port *p, int dir, unsigned int logical, unsigned int lane)
{
	struct pm_dir *d = dir == PNIC_DIR_TX ? p->out : p->in;
	struct pm_map *was = dir == PNIC_DIR_TX ? d->tx_map : d->rx_map, *m;
	unsigned int l;

	if (dir != PNIC_DIR_TX && dir != PNIC_DIR_RX)
		return -EINVAL;
	if (logical >= was->width || lane >= d->lanes || was->phys[logical] == lane)
		return -EINVAL;
	m = pm_map_copy(was);
	if (!m)
		return -ENOMEM;
	for (l = 0; l < m->width; l++)
		if (m->phys[l] == lane)
			m->phys[l] = was->phys[logical];
	m->phys[logical] = (uint16_t)lane;
	return pm_map_corrupt(d, dir, m) ? 0 : -EBUSY;
}

int pm_fault_cut(struct pm_port *p, bool cut)
{
	pm_stream_settle(p->in);
	pm_stream_settle(p->out);
	p->link->cut = cut;
	refresh_all(p->in);
	refresh_all(p->out);
	return 0;
}

int pm_lane_truth(struct pm_port *p, unsigned int lane, struct pm_lane_truth *t)
{
	const struct pm_lane *l;

	if (lane >= p->in->lanes)
		return -EINVAL;
	l = &p->in->lane[lane];
	t->power_db = l->power_db;
	t->ber = l->ber;
	t->dead = l->dead;
	t->off = l->off;
	t->x = l->x;
	t->y = l->y;
	return 0;
}
