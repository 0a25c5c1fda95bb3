// SPDX-License-Identifier: GPL-2.0
/*
 * What hours do to lanes: a rise while they are young, loss with age and temperature, drift,
 * slow noise, sudden death. Called when a link is made, by its ageing clock, and by the control
 * socket.
 *
 * Hours are those of a clock of their own, that goes age_rate hours in a second of link time,
 * or by command: a simulation lasts seconds, a life years. All of it is in closed form, but for
 * the noise; how often the clock is looked at decides only how smooth it is.
 */
#include <math.h>

#include "link_int.h"

#define BOLTZMANN_EV	8.617333e-5	/* eV/K */
#define KELVIN		273.15
#define HALF_DB		3.0103
#define BURN_IN_TAUS	3.0		/* 95 % */
#define NS_PER_HOUR	3.6e12
/* A lane's light is worked out anew when it has changed by so much. */
#define RESOLUTION_DB	0.002

static double unit_open(struct pm_rng *rng)
{
	return 1 - pm_rng_unit(rng);	/* (0, 1] */
}

void pm_ageing_make(struct pm_dir *d, uint64_t stream)
{
	const struct pm_optics_config *o = &d->link->config.optics;
	unsigned int i;

	pm_rng_init(&d->age_rng, d->link->config.seed, "ageing", stream);
	for (i = 0; i < d->lanes; i++) {
		struct pm_lane *lane = &d->lane[i];

		lane->life_h = o->life_h * exp(o->life_sigma * pm_rng_normal(&d->age_rng));
		lane->drift = o->drift_sigma * fabs(pm_rng_normal(&d->age_rng));
		lane->death_h = -log(unit_open(&d->age_rng)) * 1e9 / o->fit;
	}
}

/* A new emitter of the same kind: what was drawn for its place stays. */
void pm_ageing_renew(struct pm_lane *lane)
{
	lane->age_db = 0;
	lane->drift = 0;
	lane->drift_db = 0;
	lane->noise_db = 0;
	lane->hours = 0;
	lane->lit_ns = 0;
	lane->wear_h = 0;
}

double pm_ageing_hours(const struct pm_lane *lane)
{
	return lane->hours + (double)lane->lit_ns / NS_PER_HOUR;
}

/* How much faster than at the reference temperature. */
static double acceleration(const struct pm_optics_config *o)
{
	return exp(o->ea_ev / BOLTZMANN_EV *
		   (1 / (o->temp_ref_c + KELVIN) - 1 / (o->temp_c + KELVIN)));
}

static double loss(const struct pm_lane *lane, const struct pm_optics_config *o)
{
	double rise = o->burn_in_db * -expm1(-BURN_IN_TAUS * lane->wear_h / o->burn_in_h);

	return HALF_DB * lane->wear_h / lane->life_h - rise + lane->drift_db + lane->noise_db;
}

/* True: its light isn't what it was. */
static bool age_lane(struct pm_dir *d, struct pm_lane *lane, double hours, double faster)
{
	const struct pm_optics_config *o = &d->link->config.optics;
	double keep = exp(-hours / o->noise_h), was = lane->hours, db;

	lane->noise_db = lane->noise_db * keep +
			 o->noise_db * sqrt(1 - keep * keep) * pm_rng_normal(&d->age_rng);
	lane->drift_db += lane->drift * hours;
	if (lane->off || pm_optics_broken(lane))
		return false;
	lane->hours += hours;
	lane->wear_h += hours * faster;
	if (was < lane->death_h && lane->hours >= lane->death_h) {
		lane->dead = true;
		return true;
	}
	db = loss(lane, o);
	if (fabs(db - lane->age_db) < RESOLUTION_DB)
		return false;
	lane->age_db = db;
	return true;
}

static void age_dir(struct pm_dir *d, double hours, double faster)
{
	bool changed = false;
	unsigned int i;

	pm_stream_settle(d);
	for (i = 0; i < d->lanes; i++) {
		if (!age_lane(d, &d->lane[i], hours, faster))
			continue;
		pm_lanes_refresh(d, i);
		changed = true;
	}
	if (changed)
		pm_lanes_changed(d, false);
}

/* @hours, and those that the clock has gone since it was looked at. */
void pm_ageing_pass(struct pm_link *link, double hours)
{
	uint64_t now = pm_sim_now(link->sim);
	unsigned int i;

	hours += (double)(now - link->aged) / 1e9 * link->config.optics.age_rate;
	link->aged = now;
	if (!(hours > 0))
		return;
	for (i = 0; i < 2; i++)
		age_dir(&link->dir[i], hours, acceleration(&link->config.optics));
}

static void schedule(struct pm_link *link)
{
	pm_sim_at(link->sim, &link->age_due, pm_sim_now(link->sim) +
		  (uint64_t)(link->config.optics.age_step_ms * 1e6));
}

static void due_event(void *arg, uint64_t now)
{
	struct pm_link *link = arg;

	(void)now;
	pm_ageing_pass(link, 0);
	schedule(link);
}

void pm_ageing_start(struct pm_link *link)
{
	link->aged = pm_sim_now(link->sim);
	if (link->config.optics.age_rate > 0)
		schedule(link);
	else
		pm_sim_cancel(link->sim, &link->age_due);
}

void pm_ageing_init(struct pm_link *link)
{
	pm_event_init(&link->age_due, due_event, link, true);
}
