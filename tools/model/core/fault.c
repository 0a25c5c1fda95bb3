// SPDX-License-Identifier: GPL-2.0
/*
 * What can be broken in a link from outside: lanes, all of them, their surroundings, frames,
 * maps, the fibre; grid.c has what hits neighbours. Called by the control socket and by tests.
 *
 * Losses are set, not added: the same command twice leaves the same lane.
 */
#include <errno.h>
#include <math.h>

#include "link_int.h"

#define DRIFT_MAX	1e9		/* dB/h */
#define HOURS_MAX	1e9

static bool loss_valid(double db)
{
	return db >= 0 && db <= PM_DB_MAX;		/* false for NaN */
}

static int fault_lane(struct pm_port *p, unsigned int lane, bool dead, double db)
{
	struct pm_dir *d = p->in;

	if (lane >= d->lanes || !loss_valid(db))
		return -EINVAL;
	pm_stream_settle(d);
	d->lane[lane].dead = dead;
	d->lane[lane].fault_db = db;
	pm_lanes_refresh(d, lane);
	pm_lanes_changed(d, false);
	return 0;
}

int pm_fault_kill(struct pm_port *p, unsigned int lane)
{
	return fault_lane(p, lane, true, 0);
}

/* Another emitter in its place: the old one's faults and age are gone, and the dirt before it. */
static void renew(struct pm_lane *lane)
{
	lane->dead = false;
	lane->fault_db = 0;
	lane->dirt_db = 0;
	lane->row_db = 0;
	lane->tilt_db = 0;
	pm_ageing_renew(lane);
}

int pm_fault_heal(struct pm_port *p, unsigned int lane)
{
	if (lane >= p->in->lanes)
		return -EINVAL;
	pm_stream_settle(p->in);
	renew(&p->in->lane[lane]);
	pm_lanes_refresh(p->in, lane);
	pm_lanes_changed(p->in, false);
	return 0;
}

int pm_fault_heal_all(struct pm_port *p)
{
	struct pm_dir *d = p->in;
	unsigned int i;

	pm_stream_settle(d);
	d->common_db = 0;
	for (i = 0; i < d->lanes; i++)
		renew(&d->lane[i]);
	pm_fault_refresh(d);
	return 0;
}

int pm_fault_drift(struct pm_port *p, unsigned int lane, double db_per_hour)
{
	if (lane >= p->in->lanes || !(fabs(db_per_hour) <= DRIFT_MAX))
		return -EINVAL;
	pm_ageing_pass(p->link, 0);
	p->in->lane[lane].drift = db_per_hour;
	return 0;
}

int pm_fault_degrade(struct pm_port *p, unsigned int lane, double db)
{
	return fault_lane(p, lane, lane < p->in->lanes && p->in->lane[lane].dead, db);
}

void pm_fault_refresh(struct pm_dir *d)
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
	pm_fault_refresh(d);
	return 0;
}

static int surroundings(struct pm_link *link, double *what, double v)
{
	int i;

	/* The hours until now were those of the old one. */
	pm_ageing_pass(link, 0);
	for (i = 0; i < 2; i++)
		pm_stream_settle(&link->dir[i]);
	*what = v;
	for (i = 0; i < 2; i++)
		pm_fault_refresh(&link->dir[i]);
	return 0;
}

static bool knob_fits(const char *name, double v)
{
	return pm_knob_fits(pm_knob_find(name), v);
}

int pm_fault_temperature(struct pm_port *p, double celsius)
{
	if (!knob_fits("temp_c", celsius))
		return -EINVAL;
	return surroundings(p->link, &p->link->config.optics.temp_c, celsius);
}

int pm_fault_supply(struct pm_port *p, double supply)
{
	if (!knob_fits("supply", supply))
		return -EINVAL;
	return surroundings(p->link, &p->link->config.optics.supply, supply);
}

int pm_fault_age(struct pm_port *p, double hours)
{
	if (!(hours >= 0 && hours <= HOURS_MAX))
		return -EINVAL;
	pm_ageing_pass(p->link, hours);
	return 0;
}

int pm_fault_age_rate(struct pm_port *p, double rate)
{
	if (!knob_fits("age_rate", rate))
		return -EINVAL;
	pm_ageing_pass(p->link, 0);
	p->link->config.optics.age_rate = rate;
	pm_ageing_start(p->link);
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
	pm_fault_refresh(p->in);
	pm_fault_refresh(p->out);
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
	t->dead = pm_optics_broken(l);
	t->age_db = l->age_db;
	t->drift = l->drift;
	t->hours = pm_ageing_hours(l);
	t->off = l->off;
	t->x = l->x;
	t->y = l->y;
	return 0;
}
