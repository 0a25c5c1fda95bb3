/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the proofs share: any values, for which the code must hold what CBMC checks
 * (bounds, pointers, overflow, shifts, division by zero) and what is asserted.
 *
 * The lanes are 4 data and 2 spare ones (LANE_MAX=6 in the Makefile).
 */
#ifndef LANE_CBMC_PROVE_H
#define LANE_CBMC_PROVE_H

#include "../../policy.h"
#include "../../rate.h"

#define DATA		4
#define TOTAL		6

void __CPROVER_assume(bool so);
void __CPROVER_assert(bool so, const char *what);
void __CPROVER_havoc_object(void *object);

u8 nondet_u8(void);
u16 nondet_u16(void);
u32 nondet_u32(void);
u64 nondet_u64(void);
size_t nondet_size(void);

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

static inline void any_cfg(struct lane_policy_cfg *cfg)
{
	__CPROVER_havoc_object(cfg);
	cfg->shape.data = DATA;
	cfg->shape.total = TOTAL;
	cfg->fec.n = 544;
	cfg->fec.k = 514;
	cfg->fec.symbol_bits = 10;
	be_bool(&cfg->fec.bit_striping);
	__CPROVER_assume(cfg->grid_x <= 3 && cfg->grid_y <= 2);
	__CPROVER_assume(lane_policy_cfg_valid(cfg));
	/* What lane_settings_check() lets through. */
	__CPROVER_assume(cfg->knobs.quarantine_max_ns <= 86400000000000ULL);
	__CPROVER_assume(cfg->knobs.quarantine_ns >= 3600000000000ULL);
	__CPROVER_assume(cfg->knobs.common_cdb <= 10000);
	__CPROVER_assume(cfg->knobs.margin_floor <= LANE_MAX);
}

/* Any lane that the policy may have come to. */
static inline void any_track(struct lane_track *t)
{
	u16 k;

	__CPROVER_assume(t->state < LANE_STATES);
	__CPROVER_assume(t->verdict < LANE_EVENTS);
	__CPROVER_assume(t->win_mbits <= 16384);
	__CPROVER_assume(t->win_errors <= 16384ULL * 1048576);
	be_bool(&t->in_map);
	be_bool(&t->ruined);
	be_bool(&t->known_bad);
	be_bool(&t->off);
	be_bool(&t->asked);
	be_bool(&t->forced);
	be_bool(&t->own);
	be_bool(&t->clustered);
	be_bool(&t->power.known);
	be_bool(&t->quality.known);
	for (k = 0; k < LANE_TREND_LEVELS; k++) {
		__CPROVER_assume(t->power.mean[k] <= 1 << 25 && t->power.mean[k] >= -(1 << 25));
		__CPROVER_assume(t->quality.mean[k] <= 1 << 25 &&
				 t->quality.mean[k] >= -(1 << 25));
	}
}

static inline void any_policy(struct lane_policy *pol)
{
	struct lane_policy_cfg cfg;
	u16 i;

	__CPROVER_havoc_object(pol);
	any_cfg(&cfg);
	pol->cfg = cfg;
	be_bool(&pol->manage);
	be_bool(&pol->can_test);
	be_bool(&pol->common);
	be_bool(&pol->common_power);
	be_bool(&pol->dark);
	be_bool(&pol->told.common);
	be_bool(&pol->told.dark);
	be_bool(&pol->told.held);
	__CPROVER_assume(pol->median <= 32768 && pol->median >= -32768);
	__CPROVER_assume(pol->base <= 1 << 24 && pol->base >= -(1 << 24));
	__CPROVER_assume(pol->common_loss <= 1 << 20 && pol->common_loss >= -(1 << 20));
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

#endif /* LANE_CBMC_PROVE_H */
