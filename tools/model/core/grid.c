// SPDX-License-Identifier: GPL-2.0
/*
 * What hits neighbours on the grid: dirt, a row's driver, an image that is off. Called by the
 * control socket, by field traces and by tests.
 *
 * Each is set, not added: the same command twice leaves the same lanes.
 */
#include <errno.h>
#include <math.h>

#include "link_int.h"

/* Share of the loss that a place at @distance from the middle has. */
static double share(double distance, double radius, double edge)
{
	if (distance <= radius)
		return 1;
	return edge > 0 && distance < radius + edge ? 1 - (distance - radius) / edge : 0;
}

static void soil(struct pm_lane *lane, double db, double part)
{
	if (db <= 0) {
		lane->dead = false;
		lane->fault_db = 0;
		lane->dirt_db = 0;
	} else if (part < 1) {
		lane->dirt_db = fmax(lane->dirt_db, db * part);
	} else if (db >= PM_DB_KILL) {
		lane->dead = true;
	} else {
		lane->dirt_db = db;
	}
}

int pm_fault_dirt(struct pm_port *p, double x, double y, double radius, double edge, double db)
{
	const struct pm_link_config *c = &p->link->config;
	struct pm_dir *d = p->in;
	unsigned int i;

	if (!(x >= 0 && x < c->grid_x && y >= 0 && y < c->grid_y) || !(radius >= 0) ||
	    !(edge >= 0) || !(fabs(db) <= PM_DB_MAX))
		return -EINVAL;
	pm_stream_settle(d);
	for (i = 0; i < d->lanes; i++) {
		double part = share(hypot(d->lane[i].x - x, d->lane[i].y - y), radius, edge);

		if (!(part > 0))
			continue;
		soil(&d->lane[i], db, part);
		pm_lanes_refresh(d, i);
	}
	pm_lanes_changed(d, false);
	return 0;
}

int pm_fault_patch(struct pm_port *p, unsigned int x, unsigned int y, double radius, double db)
{
	return pm_fault_dirt(p, x, y, radius, 0, db);
}

int pm_fault_row(struct pm_port *p, unsigned int row, double db)
{
	struct pm_dir *d = p->in;
	unsigned int i;

	if (row >= p->link->config.grid_y || !(fabs(db) <= PM_DB_MAX))
		return -EINVAL;
	pm_stream_settle(d);
	for (i = 0; i < d->lanes; i++) {
		if (d->lane[i].y != row)
			continue;
		d->lane[i].row_db = fmax(0, db);
		pm_lanes_refresh(d, i);
	}
	pm_lanes_changed(d, false);
	return 0;
}

/* Part of a lane's image that is still on the fibre when it is @off from its place @at of @size. */
static double overlap(double at, double off, double size)
{
	double over = off > 0 ? at + off - (size - 1) : -(at + off);

	return over <= 0 ? 1 : over >= 1 ? 0 : 1 - over;
}

/* Where between the two edges a place lies, 0 to 1, the way that the image is off. */
static double along(double at, double off, double size)
{
	if (size < 2)
		return 0;
	return off < 0 ? 1 - at / (size - 1) : at / (size - 1);
}

static double tilt(const struct pm_link_config *c, const struct pm_lane *lane, double x, double y,
		   double db)
{
	double part = overlap(lane->x, x, c->grid_x) * overlap(lane->y, y, c->grid_y);
	double way = fabs(x) + fabs(y), slope = 0;

	if (way > 0)
		slope = db * (fabs(x) * along(lane->x, x, c->grid_x) +
			      fabs(y) * along(lane->y, y, c->grid_y)) / way;
	return part > 0 ? fmin(PM_DB_MAX, slope - 10 * log10(part)) : PM_DB_MAX;
}

int pm_fault_misalign(struct pm_port *p, double x, double y, double db)
{
	const struct pm_link_config *c = &p->link->config;
	struct pm_dir *d = p->in;
	unsigned int i;

	if (!(fabs(x) <= c->grid_x) || !(fabs(y) <= c->grid_y) || !(db >= 0 && db <= PM_DB_MAX) ||
	    (db > 0 && !(fabs(x) + fabs(y) > 0)))
		return -EINVAL;
	pm_stream_settle(d);
	for (i = 0; i < d->lanes; i++)
		d->lane[i].tilt_db = tilt(c, &d->lane[i], x, y, db);
	pm_fault_refresh(d);
	return 0;
}
