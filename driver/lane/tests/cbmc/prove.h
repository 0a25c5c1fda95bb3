/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the proofs share: any values, for which the code must hold what CBMC checks
 * (bounds, pointers, overflow, shifts, division by zero) and what is asserted.
 *
 * Of LANE_MAX lanes (in the Makefile) DATA are data ones: 4 of 6, 2 of 3.
 */
#ifndef LANE_CBMC_PROVE_H
#define LANE_CBMC_PROVE_H

#include "../../policy.h"
#include "../../rate.h"

#define TOTAL		LANE_MAX
#define DATA		(LANE_MAX * 2 / 3)

void __CPROVER_assume(bool so);
void __CPROVER_assert(bool so, const char *what);
void __CPROVER_havoc_object(void *object);

u8 nondet_u8(void);
u16 nondet_u16(void);
u32 nondet_u32(void);
u64 nondet_u64(void);
size_t nondet_size(void);
bool nondet_bool(void);

/* A bool of any byte is none. */
static inline void be_bool(bool *b)
{
	*b = nondet_u8() & 1;
}

static inline void any_map(struct lane_map *map)
{
	const struct lane_shape shape = { .data = DATA, .total = TOTAL };

	__CPROVER_havoc_object(map);
	__CPROVER_assume(!lane_map_check(map, &shape));
}

/* What lane_policy_cfg_valid() and lane_settings_check() let through. */
static inline void any_cfg(struct lane_policy_cfg *cfg)
{
	cfg->shape.data = DATA;
	cfg->shape.total = TOTAL;
	__CPROVER_assume(cfg->fec.n && cfg->fec.k && cfg->fec.k < cfg->fec.n);
	cfg->fec.symbol_bits = 10;
	be_bool(&cfg->fec.bit_striping);
	__CPROVER_assume(cfg->grid_x <= 3 && cfg->grid_y <= 2);
	__CPROVER_assume(cfg->knobs.watch_ppb && cfg->knobs.watch_ppb <= cfg->knobs.retire_ppb);
	__CPROVER_assume(cfg->knobs.retire_ppb <= cfg->knobs.fail_ppb);
	__CPROVER_assume(cfg->knobs.fail_ppb <= 1000000000);
	__CPROVER_assume(cfg->knobs.common_pct && cfg->knobs.common_pct <= 100);
	__CPROVER_assume(cfg->knobs.common_cdb && cfg->knobs.common_cdb <= 10000);
	__CPROVER_assume(cfg->knobs.max_moves);
	__CPROVER_assume(cfg->knobs.quarantine_ns <= cfg->knobs.quarantine_max_ns);
	__CPROVER_assume(cfg->knobs.quarantine_max_ns <= 86400000000000ULL);
	__CPROVER_assume(cfg->knobs.margin_floor <= LANE_MAX);
}

/* Twice what a power reading of 16 bits against the median of such can be. */
#define POWER_MAX	(2 * 32768)
#define MEAN_BOUND	(POWER_MAX * 256)

static inline bool trend_sane(const struct lane_trend *tr)
{
	u16 k;

	for (k = 0; tr->known && k < LANE_TREND_LEVELS; k++)
		if (tr->mean[k] > MEAN_BOUND || tr->mean[k] < -MEAN_BOUND)
			return false;
	return true;
}

/* What errors and trends may say of a lane. */
static inline bool verdict_sane(u8 verdict)
{
	return verdict == LANE_EV_NONE || verdict == LANE_EV_DRIFT || verdict == LANE_EV_ERRORS ||
	       verdict == LANE_EV_RUINED || verdict == LANE_EV_CLEAN ||
	       verdict == LANE_EV_FADE || verdict == LANE_EV_TREND;
}

/* What each function of the policy leaves behind if it found it so. */
static inline bool track_sane(const struct lane_track *t)
{
	return t->state < LANE_STATES && verdict_sane(t->verdict) && t->win_mbits <= 16384 &&
	       (!t->blamed || t->losses);
}

/* Any lane that the policy may have come to. */
static inline void any_track(struct lane_track *t)
{
	be_bool(&t->in_map);
	be_bool(&t->ruined);
	be_bool(&t->known_bad);
	be_bool(&t->off);
	be_bool(&t->asked);
	be_bool(&t->forced);
	be_bool(&t->own);
	be_bool(&t->blamed);
	be_bool(&t->clustered);
	be_bool(&t->power.known);
	be_bool(&t->quality.known);
	__CPROVER_assume(track_sane(t));
}

static inline void any_policy(struct lane_policy *pol)
{
	u16 i;

	__CPROVER_havoc_object(pol);
	any_cfg(&pol->cfg);
	be_bool(&pol->manage);
	be_bool(&pol->can_test);
	be_bool(&pol->common);
	be_bool(&pol->common_power);
	be_bool(&pol->dark);
	be_bool(&pol->losing);
	be_bool(&pol->blind);
	be_bool(&pol->counted);
	be_bool(&pol->told.common);
	be_bool(&pol->told.dark);
	be_bool(&pol->told.held);
	be_bool(&pol->told.blind);
	__CPROVER_assume(pol->median <= 32768 && pol->median >= -32768);
	__CPROVER_assume(pol->base <= MEAN_BOUND && pol->base >= -MEAN_BOUND);
	__CPROVER_assume(pol->common_loss <= 3 * 32768 && pol->common_loss >= -3 * 32768);
	__CPROVER_assume(pol->base_weight <= 65536);
	__CPROVER_assume(pol->standby.width <= DATA);
	for (i = 0; i < DATA; i++)
		__CPROVER_assume(pol->standby.phys[i] < TOTAL ||
				 pol->standby.phys[i] == LANE_NONE);
	for (i = 0; i < TOTAL; i++)
		any_track(&pol->track[i]);
}

/* What a card may say: lane_table_decode() has checked the states and nothing else. */
static inline void any_table(struct lane_rec *rec)
{
	u16 i;

	__CPROVER_havoc_object(rec);
	for (i = 0; i < TOTAL; i++)
		__CPROVER_assume(rec[i].state <= PNIC_LANE_OFF);
}

static inline void mark_map(struct lane_policy *pol, const struct lane_map *map)
{
	u16 i;

	for (i = 0; i < TOTAL; i++)
		pol->track[i].in_map = false;
	for (i = 0; i < map->width; i++)
		pol->track[map->phys[i]].in_map = true;
}

static inline bool spare_usable_here(const struct lane_policy *pol, const struct lane_rec *rec,
				     u16 lane)
{
	return lane < TOTAL && pol->track[lane].state == LANE_SPARE && !pol->track[lane].in_map &&
	       !pol->track[lane].known_bad && !lane_rec_dark(&rec[lane]);
}

#endif /* LANE_CBMC_PROVE_H */
