// SPDX-License-Identifier: GPL-2.0
/* Lanes and spares as text. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lanes.h"
#include "text.h"

void text_lane_summary(const char *dev, const struct link *l, uint32_t direction)
{
	const struct link_dir *d = direction == PNIC_DIRECTION_TX ? &l->tx : &l->rx;
	char counts[160];

	printf("%s%s%s %s: %u of %u lanes carry data, %s, generation %u%s\n", out_hue(HUE_BOLD),
	       dev, out_hue(HUE_NONE), name_of(&direction_names, direction), d->width, l->width_max,
	       fmt_rate(d->rate_mbps), d->generation, d->agreed ? "" : ", not agreed");
	if (direction == PNIC_DIRECTION_TX)
		return;
	text_lane_counts(counts, sizeof(counts), l);
	out_item("lanes", HUE_NONE, "%s", counts);
	out_item("margin", text_margin_hue(l->margin), "%s; %s if the decoder knows of each",
		 fmt_margin(l->margin), fmt_margin(l->margin_erasure));
	text_alarms(l->alarms);
}

/* Adds to the remarks about a lane. */
__attribute__((format(printf, 3, 4)))
static void remark(char *s, size_t size, const char *fmt, ...)
{
	size_t at = strlen(s);
	va_list ap;

	if (at && at + 2 < size)
		at += snprintf(s + at, size - at, ", ");
	va_start(ap, fmt);
	vsnprintf(s + at, size - at, fmt, ap);
	va_end(ap);
}

static void evidence(const struct lane *l, char *s, size_t size)
{
	if (HAS(l, PNIC_A_LANE_ERROR_PPB_LOW) && HAS(l, PNIC_A_LANE_ERROR_PPB_HIGH))
		remark(s, size, "95 %%: %s..%s of %llu Mbit", fmt_ppb(l->error_ppb_low),
		       fmt_ppb(l->error_ppb_high), (unsigned long long)l->evidence_mbits);
	if (HAS(l, PNIC_A_LANE_SYM_ERRORS))
		remark(s, size, "%llu symbols corrected", (unsigned long long)l->sym_errors);
	if (HAS(l, PNIC_A_LANE_BIAS_UA) && l->bias_ua)
		remark(s, size, "bias %u uA", l->bias_ua);
	if (HAS(l, PNIC_A_LANE_AGE_HOURS) && l->age_hours)
		remark(s, size, "lit %s", fmt_seconds(3600ull * l->age_hours));
	if (HAS(l, PNIC_A_LANE_GENERATION) && l->generation)
		remark(s, size, "since generation %u", l->generation);
}

static void remarks(const struct lane *l, bool details, char *s, size_t size)
{
	*s = 0;
	if (l->erased)
		remark(s, size, "erased");
	if (l->known_bad)
		remark(s, size, "known bad");
	if (HAS(l, PNIC_A_LANE_LOSSES) && l->losses)
		remark(s, size, "lost %u time%s", l->losses, l->losses == 1 ? "" : "s");
	if (HAS(l, PNIC_A_LANE_PROBATION_MS) && l->probation_ms)
		remark(s, size, "probation: %s", fmt_ns(l->probation_ms * 1000000));
	if (HAS(l, PNIC_A_LANE_STANDBY))
		remark(s, size, "standby: %u", l->standby);
	if (HAS(l, PNIC_A_LANE_TREND_CDB_H) && l->trend_cdb_h)
		remark(s, size, "%s/h", fmt_cdb(l->trend_cdb_h));
	if (HAS(l, PNIC_A_LANE_TEST_BITS) && l->test_bits)
		remark(s, size, "test: %llu wrong of %.1e bits", (unsigned long long)l->test_errors,
		       (double)l->test_bits);
	if (details)
		evidence(l, s, size);
}

static const char *power_of(const struct lane *l)
{
	if (!HAS(l, PNIC_A_LANE_POWER_CDB))
		return "-";
	return l->power_cdb <= LANE_DARK_CDB ? "dark" : fmt_cdb(l->power_cdb);
}

static void add_where(struct table *t, const struct lane *l)
{
	if (HAS(l, PNIC_A_LANE_X) && HAS(l, PNIC_A_LANE_Y))
		table_add(t, HUE_NONE, "%u,%u", l->x, l->y);
	else
		table_add(t, HUE_NONE, "-");
}

void text_lanes(const struct list *lanes, bool details)
{
	struct table t = { .columns = { ">LANE", ">LOGICAL", ">X,Y", "STATE", ">POWER", ">ERRORS",
					"REMARKS" } };
	const struct lane *l;
	char s[320];

	LIST_FOR_EACH(l, lanes) {
		table_add(&t, HUE_NONE, "%u", l->index);
		if (HAS(l, PNIC_A_LANE_LOGICAL))
			table_add(&t, HUE_NONE, "%u", l->logical);
		else
			table_add(&t, HUE_NONE, "-");
		add_where(&t, l);
		if (HAS(l, PNIC_A_LANE_STATUS))
			table_add(&t, text_lane_hue(l->status), "%s",
				  name_of(&lane_status_names, l->status));
		else
			table_add(&t, HUE_NONE, "-");
		table_add(&t, HUE_NONE, "%s", power_of(l));
		if (HAS(l, PNIC_A_LANE_ERROR_PPB))
			table_add(&t, HUE_NONE, "%s", fmt_ppb(l->error_ppb));
		else
			table_add(&t, HUE_NONE, "-");
		remarks(l, details, s, sizeof(s));
		table_add(&t, HUE_NONE, "%s", s);
	}
	table_print(&t);
}

/* Lanes that @spare takes over for by the standby plan: the first of them that is lost. */
static unsigned int stands_by_for(const struct list *lanes, uint32_t spare)
{
	const struct lane *l;
	unsigned int n = 0;

	LIST_FOR_EACH(l, lanes)
		n += HAS(l, PNIC_A_LANE_STANDBY) && l->standby == spare;
	return n;
}

static const char *lit(const struct lane *l)
{
	if (!HAS(l, PNIC_A_LANE_AGE_HOURS))
		return "-";
	return l->age_hours ? fmt_seconds(3600ull * l->age_hours) : "< 1 h";
}

void text_spares(const struct list *lanes)
{
	struct table t = { .columns = { ">LANE", ">X,Y", ">POWER", ">ERRORS", ">LIT", ">LOSSES",
					">STANDBY FOR", "REMARKS" } };
	const struct lane **spares = lanes_spares(lanes);
	const struct lane *l;
	unsigned int i;

	for (i = 0; spares && spares[i]; i++) {
		l = spares[i];
		table_add(&t, HUE_NONE, "%u", l->index);
		add_where(&t, l);
		table_add(&t, HUE_NONE, "%s", power_of(l));
		table_add(&t, HUE_NONE, "%s", HAS(l, PNIC_A_LANE_ERROR_PPB) ?
			  fmt_ppb(l->error_ppb) : "-");
		table_add(&t, HUE_NONE, "%s", lit(l));
		table_add(&t, HUE_NONE, "%u", l->losses);
		table_add(&t, HUE_NONE, "%u lanes", stands_by_for(lanes, l->index));
		table_add(&t, HUE_WARN, "%s", l->known_bad ? "known bad" : "");
	}
	table_print(&t);
	free(spares);
}
