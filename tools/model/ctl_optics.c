// SPDX-License-Identifier: GPL-2.0
/*
 * The control commands about light, what takes it away, and age; see ctl.h.
 *
 * Each one judges all of its arguments before it changes anything.
 */
#include "ctl.h"

#define MAX_DB		200.0		/* more is dark by any measure */
#define MAX_DRIFT	1e9
#define MAX_HOURS	1e9

static bool do_patch(struct ctl_call *c)
{
	double x, y, radius, db, edge = 0;
	const struct pm_link_config *k;

	if (!ctl_end(c))
		return false;
	k = pm_port_config(c->port);
	return ctl_real(c, "x", 0, k->grid_x - 1, &x) && ctl_real(c, "y", 0, k->grid_y - 1, &y) &&
	       ctl_real(c, "radius", 0, 1000, &radius) && ctl_real(c, "db", -MAX_DB, MAX_DB, &db) &&
	       ctl_real_or(c, "edge", 0, 1000, &edge) &&
	       ctl_result(c, pm_fault_dirt(c->port, x, y, radius, edge, db));
}

static bool do_row(struct ctl_call *c)
{
	uint64_t row;
	double db;

	return ctl_end(c) && ctl_uint(c, "row", pm_port_config(c->port)->grid_y - 1, &row) &&
	       ctl_real(c, "db", 0, MAX_DB, &db) && ctl_result(c, pm_fault_row(c->port, row, db));
}

static bool do_misalign(struct ctl_call *c)
{
	const struct pm_link_config *k;
	double x = 0, y = 0, db = 0;

	if (!ctl_end(c))
		return false;
	k = pm_port_config(c->port);
	if (!ctl_real_or(c, "x", -k->grid_x, k->grid_x, &x) ||
	    !ctl_real_or(c, "y", -k->grid_y, k->grid_y, &y) ||
	    !ctl_real_or(c, "db", 0, MAX_DB, &db))
		return false;
	if (db > 0 && x == 0 && y == 0)
		return ctl_fail(c, "\"db\" needs \"x\" or \"y\", for the way that it grows");
	return ctl_result(c, pm_fault_misalign(c->port, x, y, db));
}

static bool do_drift(struct ctl_call *c)
{
	uint16_t lanes[PNIC_LANES_MAX];
	size_t n, i;
	double rate;

	if (!ctl_end(c) || !ctl_real(c, "db_per_hour", -MAX_DRIFT, MAX_DRIFT, &rate) ||
	    !ctl_lanes(c, lanes, &n))
		return false;
	for (i = 0; i < n; i++)
		if (!ctl_result(c, pm_fault_drift(c->port, lanes[i], rate)))
			return false;
	json_object_set_new(c->reply, "lanes", json_integer(n));
	return true;
}

static bool do_common(struct ctl_call *c)
{
	double db;

	return ctl_end(c) && ctl_real(c, "db", 0, MAX_DB, &db) &&
	       ctl_result(c, pm_fault_common(c->port, db));
}

static bool do_temperature(struct ctl_call *c)
{
	double celsius;

	return ctl_real(c, "celsius", -100, 300, &celsius) &&
	       ctl_result(c, pm_fault_temperature(c->port, celsius));
}

static bool do_supply(struct ctl_call *c)
{
	double supply;

	return ctl_real(c, "supply", 0.01, 10, &supply) &&
	       ctl_result(c, pm_fault_supply(c->port, supply));
}

/* Hours at once, or from now on, or both. */
static bool do_age(struct ctl_call *c)
{
	double hours = -1, rate = -1;

	if (!ctl_real_or(c, "hours", 0, MAX_HOURS, &hours) ||
	    !ctl_real_or(c, "rate", 0, 1e12, &rate))
		return false;
	if (hours < 0 && rate < 0)
		return ctl_fail(c, "\"hours\" or \"rate\" is missing");
	return (hours < 0 || ctl_result(c, pm_fault_age(c->port, hours))) &&
	       (rate < 0 || ctl_result(c, pm_fault_age_rate(c->port, rate)));
}

const struct ctl_command ctl_optics_commands[] = {
	{ "patch", do_patch, "x y radius edge db end",
	  "takes db of light from a round patch of the grid; 100 kills, 0 or less heals" },
	{ "row", do_row, "row db end", "a row's driver is weak; 100: dead, 0: as before" },
	{ "misalign", do_misalign, "x y db end",
	  "the image is off by x, y lanes, with a gradient of db that way; nothing: as before" },
	{ "drift", do_drift, "lane db_per_hour end", "lanes lose light by the ageing clock" },
	{ "common", do_common, "db end", "takes db of light from every lane" },
	{ "temperature", do_temperature, "celsius", "of the link, both directions" },
	{ "supply", do_supply, "supply", "of the link, against nominal: 0.9 is 10 % less" },
	{ "age", do_age, "hours rate", "hours pass at once; and so many for each second of link time" },
	{}
};
