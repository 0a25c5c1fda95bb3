/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How long the spares will last.
 */
#ifndef LANE_FORECAST_H
#define LANE_FORECAST_H

#include "lane_types.h"

struct lane_agent;

/**
 * struct lane_forecast - remaining life of the spares
 * @spares: usable now
 * @lost: lanes lost in the time observed that did not come back
 * @observed_s: seconds
 * @life_s: expected seconds until @spares more are lost; LANE_NEVER: nothing was lost
 * @life_low_s: lower end of its 90 % confidence interval
 * @life_high_s: upper end; LANE_NEVER: unbounded
 */
struct lane_forecast {
	u16 spares, lost;
	u64 observed_s;
	u64 life_s, life_low_s, life_high_s;
};

/** lane_forecast_of() - fills in the lives from the other fields: a Poisson rate, exactly */
void lane_forecast_of(struct lane_forecast *f);
void lane_agent_forecast(const struct lane_agent *a, struct lane_forecast *f, u64 now);

/**
 * lane_poisson_interval() - 90 % confidence interval of the mean that gave @count events
 * @low, @high: in thousandths, rounded outwards
 */
void lane_poisson_interval(u32 count, u64 *low, u64 *high);

#endif /* LANE_FORECAST_H */
