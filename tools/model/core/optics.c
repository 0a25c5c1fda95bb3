// SPDX-License-Identifier: GPL-2.0
/*
 * Light and bit errors of a lane. Called when a link is made and when a fault changes something.
 *
 * The receiver is limited by thermal noise, so Q is proportional to the optical
 * power: a decibel of light is a factor of 10^0.1 in Q, and
 * BER = erfc(Q / sqrt 2) / 2. A lane of BER 2e-8 has Q 5.49 and is 1.97 dB above
 * the 2.4e-4 that RS(544,514) stands as an average over all lanes.
 */
#include <math.h>

#include "optics.h"

/* Power of a lane without light, as the table shows it. */
#define DARK_DB		-40.0

double pm_optics_ber(double q)
{
	return 0.5 * erfc(q * M_SQRT1_2);
}

double pm_optics_q(double ber)
{
	double lo = 0, hi = 40;
	int i;

	for (i = 0; i < 100; i++) {
		double mid = (lo + hi) / 2;

		if (pm_optics_ber(mid) > ber)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

double pm_optics_ser(double ber, unsigned int bits)
{
	return -expm1(bits * log1p(-ber));
}

bool pm_optics_broken(const struct pm_lane *lane)
{
	return lane->dead || lane->row_db >= PM_DB_KILL || lane->tilt_db >= PM_DB_KILL;
}

double pm_optics_common_db(const struct pm_link_config *c)
{
	const struct pm_optics_config *o = &c->optics;

	return (c->reach_m - o->reach_profile_m) * o->reach_db_per_m +
	       (o->temp_c - o->temp_ref_c) * o->temp_db_per_k -
	       10 * o->supply_exp * log10(o->supply);
}

bool pm_optics_update(struct pm_lane *lane, const struct pm_link_config *c, double q_nominal,
		      double common_db, bool cut)
{
	bool was = lane->lit, dark = pm_optics_broken(lane) || lane->off || cut;

	lane->power_db = dark ? DARK_DB : lane->base_db - lane->fault_db - lane->dirt_db -
				   lane->row_db - lane->tilt_db - lane->age_db - common_db;
	lane->ber = dark ? 0.5 : pm_optics_ber(q_nominal * pow(10, lane->power_db / 10));
	lane->lit = lane->ber <= c->optics.lock_ber;
	return lane->lit != was;
}

void pm_optics_make(struct pm_lane *lanes, const struct pm_link_config *c, struct pm_rng *rng)
{
	unsigned int i, count = c->lanes_data + c->lanes_spare;
	double q = pm_optics_q(c->ber_median);

	for (i = 0; i < count; i++) {
		struct pm_lane *lane = &lanes[i];

		lane->x = (uint8_t)(i % c->grid_x);
		lane->y = (uint8_t)(i / c->grid_x);
		lane->base_db = c->ber_sigma_db * pm_rng_normal(rng);
		lane->bias_ua10 = (uint16_t)lround(fmax(0, c->optics.bias_ua / 10 *
							   (1 + c->optics.bias_sigma *
							    pm_rng_normal(rng))));
		pm_optics_update(lane, c, q, pm_optics_common_db(c), false);
		lane->locked = lane->lit;
	}
}
