/* SPDX-License-Identifier: GPL-2.0 */
/* The render layer: structs of types.h as text. What several commands draw. */
#ifndef PNIC_TOOL_TEXT_H
#define PNIC_TOOL_TEXT_H

#include "out.h"

enum hue text_dev_hue(uint32_t status);
enum hue text_lane_hue(uint32_t status);
enum hue text_margin_hue(int32_t margin);

/* text_link.c */
void text_link(const struct pnic *p, const char *dev, const struct link *l);
void text_margin(const char *dev, const struct link *l);
void text_alarms(uint32_t alarms);
void text_forecast(const struct forecast *f);
void text_histogram(const struct list *buckets);
/* "425 active, 33 spare, 2 failed" into @s. */
void text_lane_counts(char *s, size_t size, const struct link *l);

/* text_lane.c */
void text_lane_summary(const char *dev, const struct link *l, uint32_t direction);
void text_lanes(const struct list *lanes, bool details);
void text_spares(const struct list *lanes);

/* text_plan.c: @done: it was done, else it would be. */
void text_plan(const char *dev, const struct plan *p);

/* text_event.c: one line each. */
void text_history(const struct history *h, bool details);
void text_lane_event(char *s, size_t size, const struct lane_event *e);
void text_link_event(char *s, size_t size, const struct link *l);
void text_health_event(char *s, size_t size, const struct health *h);
void text_dev_event(char *s, size_t size, const struct dev *d);
void text_policy_event(char *s, size_t size, const struct policy *p);

#endif /* PNIC_TOOL_TEXT_H */
