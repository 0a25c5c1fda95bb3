// SPDX-License-Identifier: GPL-2.0
/*
 * Configurations of a link: the profiles, the defaults that they share, and the knob for each
 * number. Used by whoever makes links; Documentation/optics.rst has a table of the knobs with
 * their sources.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "link_int.h"

/*
 * Profiles. mosaic-800g: Mosaic (SIGCOMM 2025): 460 channels of 2 Gb/s, median BER below
 * 2e-8 at 20 m; 425 of them carry 850 Gb/s, the line rate of 800 Gb/s behind RS(544,514).
 * avicena-512g: LightBundle, 256 + 64 channels, 5..10 m, below 1e-9, at the rate that gives
 * 512 Gb/s of payload. test-16: sixteen lanes with a short code, so that a lane has few
 * symbols in a codeword and a test few lanes to care for. Common to all: 5 ns/m of fibre;
 * 62 ns for an 800G RS-FEC (802.3dj deck: 37 ns of logic, four codewords of 25.6 ns in
 * all); loss of light known after 100 us and frames kept for 4 s (Slingshot's health
 * markers and LLR data age).
 */
static const struct pm_link_config profiles[] = {
	{
		.profile = "mosaic-800g",
		.lanes_data = 425, .lanes_spare = 35, .grid_x = 20, .grid_y = 23,
		.lane_gbps = 2.0, .reach_m = 20, .ber_median = 2e-8,
		.fec_n = 544, .fec_k = 514,
	}, {
		.profile = "avicena-512g",
		.lanes_data = 256, .lanes_spare = 64, .grid_x = 16, .grid_y = 20,
		.lane_gbps = 2.125, .reach_m = 10, .ber_median = 1e-9,
		.fec_n = 544, .fec_k = 514,
	}, {
		.profile = "test-16",
		.lanes_data = 16, .lanes_spare = 4, .grid_x = 5, .grid_y = 4,
		.lane_gbps = 2.0, .reach_m = 20, .ber_median = 2e-8,
		.fec_n = 64, .fec_k = 48,
	},
};

/*
 * Assumptions unless Documentation/optics.rst names a source: nobody has published the ageing of a
 * microLED that carries data. The ageing clock stands still.
 */
static const struct pm_optics_config optics = {
	.lock_ber = 0.1,
	.bias_ua = 100, .bias_sigma = 0.05,
	.reach_db_per_m = 0.2,
	.temp_ref_c = 45, .temp_c = 45, .temp_db_per_k = 0.01,
	.supply = 1, .supply_exp = 1,
	.burn_in_db = 0.1, .burn_in_h = 50,
	.life_h = 1e6, .life_sigma = 0.5,
	.ea_ev = 0.8,
	.fit = 50,
	.drift_sigma = 2e-6,
	.noise_db = 0.02, .noise_h = 1,
	.dirt_edge = 1,
	.age_rate = 0, .age_step_ms = 1,
};

void pm_link_config_defaults(struct pm_link_config *c, const char *profile)
{
	size_t i;

	memset(c, 0, sizeof(*c));
	for (i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		if (!strcmp(profile, profiles[i].profile))
			*c = profiles[i];
	if (!c->profile)
		return;
	c->flight_ns_per_m = 5;
	c->ber_sigma_db = 0.4;
	c->fec_symbol_bits = 10;
	c->striping = PNIC_STRIPE_SYMBOL;
	c->fec_latency_ns = 62;
	c->frame_payload = 4096;
	c->los_detect_ns = 100000;
	c->data_age_ms = 4000;
	c->heartbeat_us = 100;
	c->standby = true;
	c->lane_test = true;
	c->seed = 1;
	c->optics = optics;
	c->optics.reach_profile_m = c->reach_m;
}

#define KNOB(field, kind, lo, hi, unit_, help_) \
	{ .name = #field, .unit = unit_, .help = help_, .min = lo, .max = hi, \
	  .type = PM_KNOB_##kind, .offset = offsetof(struct pm_link_config, field) }
#define OPTIC(field, lo, hi, unit_, help_) \
	{ .name = #field, .unit = unit_, .help = help_, .min = lo, .max = hi, \
	  .type = PM_KNOB_REAL, .offset = offsetof(struct pm_link_config, optics.field) }

static const struct pm_knob knobs[] = {
	KNOB(lanes_data, U16, 1, PNIC_LANES_MAX, "", "data lanes in each direction"),
	KNOB(lanes_spare, U16, 0, PNIC_LANES_MAX, "", "spare lanes"),
	KNOB(grid_x, U16, 1, 256, "", "columns of the grid"),
	KNOB(grid_y, U16, 1, 256, "", "rows of the grid"),
	KNOB(lane_gbps, REAL, 0.001, 1000, "Gb/s", "raw rate of a lane"),
	KNOB(reach_m, REAL, 0, 1e6, "m", "length of the cable"),
	KNOB(flight_ns_per_m, REAL, 0, 100, "ns/m", "flight time"),
	KNOB(ber_median, REAL, 1e-30, 0.0999, "", "median bit error rate of a healthy lane"),
	KNOB(ber_sigma_db, REAL, 0, 10, "dB", "spread of the light between lanes as made"),
	KNOB(fec_n, U16, 3, 16383, "symbols", "codeword"),
	KNOB(fec_k, U16, 1, 16382, "symbols", "of them data"),
	KNOB(fec_symbol_bits, U8, 2, 14, "bits", "symbol"),
	KNOB(fec_latency_ns, U32, 0, 1000000, "ns", "decoder at the full width"),
	KNOB(frame_payload, U32, 1, 1048576, "bytes", "payload of a full frame"),
	KNOB(los_detect_ns, U32, 1, 1e9, "ns", "loss of light to its event"),
	KNOB(data_age_ms, U32, 1, 3600000, "ms", "how long a frame is kept while it can't be delivered"),
	KNOB(heartbeat_us, U32, 1, 1e6, "us", "between heartbeats of the lane markers"),
	OPTIC(lock_ber, 1e-9, 0.4999, "", "bit error rate beyond which a lane counts as dark"),
	OPTIC(bias_ua, 0, 1e5, "uA", "drive current of an emitter"),
	OPTIC(bias_sigma, 0, 1, "", "its relative spread"),
	OPTIC(reach_profile_m, 0, 1e6, "m", "length for which ber_median holds"),
	OPTIC(reach_db_per_m, 0, 100, "dB/m", "loss for each metre more"),
	OPTIC(temp_ref_c, -100, 300, "deg C", "temperature for which ber_median and life_h hold"),
	OPTIC(temp_c, -100, 300, "deg C", "temperature of the link"),
	OPTIC(temp_db_per_k, -10, 10, "dB/K", "loss for each kelvin more"),
	OPTIC(supply, 0.01, 10, "", "supply against nominal"),
	OPTIC(supply_exp, 0, 10, "", "light goes by this power of the supply"),
	OPTIC(burn_in_db, 0, 10, "dB", "rise of a young emitter"),
	OPTIC(burn_in_h, 0.001, 1e9, "h", "hours for 95 % of it"),
	OPTIC(life_h, 0.001, 1e15, "h", "median of the hours to half the light"),
	OPTIC(life_sigma, 0, 10, "", "sigma of their logarithm"),
	OPTIC(ea_ev, 0, 5, "eV", "activation energy of ageing (Arrhenius)"),
	OPTIC(fit, 0, 1e12, "1/Gh", "sudden deaths of a lane in 1e9 hours"),
	OPTIC(drift_sigma, 0, 1e6, "dB/h", "drift of a lane by itself: half-normal"),
	OPTIC(noise_db, 0, 10, "dB", "slow noise of a lane, sigma"),
	OPTIC(noise_h, 1e-6, 1e9, "h", "its correlation time"),
	OPTIC(dirt_edge, 0, 100, "lanes", "soft edge of a patch in a field trace that doesn't name one"),
	OPTIC(age_rate, 0, 1e12, "h/s", "hours of ageing for each second of link time; 0: stands still"),
	OPTIC(age_step_ms, 0.001, 1e6, "ms", "link time between looks at the ageing clock"),
};

#define NUM_KNOBS	(sizeof(knobs) / sizeof(knobs[0]))

const struct pm_knob *pm_knob_at(unsigned int i)
{
	return i < NUM_KNOBS ? &knobs[i] : NULL;
}

const struct pm_knob *pm_knob_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < NUM_KNOBS; i++)
		if (!strcmp(knobs[i].name, name))
			return &knobs[i];
	return NULL;
}

bool pm_knob_fits(const struct pm_knob *k, double v)
{
	return v >= k->min && v <= k->max && (k->type == PM_KNOB_REAL || v == floor(v));
}

double pm_knob_get(const struct pm_knob *k, const struct pm_link_config *c)
{
	const void *at = (const uint8_t *)c + k->offset;

	switch (k->type) {
	case PM_KNOB_U8:
		return *(const uint8_t *)at;
	case PM_KNOB_U16:
		return *(const uint16_t *)at;
	case PM_KNOB_U32:
		return *(const uint32_t *)at;
	default:
		return *(const double *)at;
	}
}

void pm_knob_set(const struct pm_knob *k, struct pm_link_config *c, double v)
{
	void *at = (uint8_t *)c + k->offset;

	switch (k->type) {
	case PM_KNOB_U8:
		*(uint8_t *)at = (uint8_t)v;
		break;
	case PM_KNOB_U16:
		*(uint16_t *)at = (uint16_t)v;
		break;
	case PM_KNOB_U32:
		*(uint32_t *)at = (uint32_t)v;
		break;
	default:
		*(double *)at = v;
	}
}

bool pm_link_config_valid(const struct pm_link_config *c)
{
	unsigned int i, lanes = c->lanes_data + c->lanes_spare;

	for (i = 0; i < NUM_KNOBS; i++)
		if (!pm_knob_fits(&knobs[i], pm_knob_get(&knobs[i], c)))
			return false;
	return lanes <= PNIC_LANES_MAX && (unsigned int)c->grid_x * c->grid_y >= lanes &&
	       c->fec_k < c->fec_n && c->fec_n < 1u << c->fec_symbol_bits &&
	       !((c->fec_n - c->fec_k) % 2) &&
	       (c->striping == PNIC_STRIPE_SYMBOL || c->striping == PNIC_STRIPE_BIT);
}
