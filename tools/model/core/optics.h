/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One physical lane: its light, and what the receiver has seen of it.
 */
#ifndef PM_OPTICS_H
#define PM_OPTICS_H

#include "link.h"

#define PM_DB_MAX	200.0	/* of a loss that is set */
#define PM_DB_KILL	100.0	/* no light at all, from there on */

struct pm_lane {
	/* Physics. */
	double base_db;		/* as made, against nominal */
	double fault_db;	/* loss that faults put on it */
	double dirt_db, row_db, tilt_db;	/* the same by its place on the grid */
	double age_db;		/* by ageing, drift and noise, as last looked at */
	double power_db;	/* what arrives */
	double ber;		/* 0.5 when dark */
	bool dead, off;		/* broken; no light, because it was switched off */
	bool off_tx;		/* switched off at the transmitter, whose light ends later */
	bool lit;		/* enough light for its markers to be read */
	uint8_t x, y;
	uint16_t bias_ua10;

	/* Ageing. Hours. */
	double life_h, death_h;	/* drawn: to half the light; to a sudden end */
	double drift;		/* dB/h */
	double hours, wear_h;	/* lit; the same at the reference temperature */
	double drift_db, noise_db;

	/* What the receiver has seen. */
	bool locked;		/* false: in LOS, symbols are erasures */
	bool ser;		/* past the symbol error threshold */
	uint64_t lit_changed;	/* ns */
	uint64_t lost_at;	/* ns at which it was put into LOS */
	uint64_t lock_due;	/* ns at which locked follows lit, 0: nothing due */
	uint64_t ser_due;	/* ns at which the threshold will have been passed, 0: not */
	uint16_t logical;	/* in the receiver's active map, PNIC_LANE_NONE */
	uint32_t generation;	/* of the map that last took it in or out */
	uint64_t sym_errors;
	uint64_t seen_ns;	/* locked, since reset */
	uint64_t lit_ns;
};

/* No light from it, whatever is sent. */
bool pm_optics_broken(const struct pm_lane *lane);
double pm_optics_ber(double q);
double pm_optics_q(double ber);		/* the inverse */
/* Probability that a symbol of @bits bits is wrong. */
double pm_optics_ser(double ber, unsigned int bits);

/* Loss of a link's common mode by temperature, supply and reach, dB. */
double pm_optics_common_db(const struct pm_link_config *c);
void pm_optics_make(struct pm_lane *lanes, const struct pm_link_config *c, struct pm_rng *rng);
/* Recomputes power, ber and lit from what is wrong with the lane. Returns true if lit changed. */
bool pm_optics_update(struct pm_lane *lane, const struct pm_link_config *c, double q_nominal,
		      double common_db, bool cut);

#endif /* PM_OPTICS_H */
