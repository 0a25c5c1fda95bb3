// SPDX-License-Identifier: GPL-2.0
/*
 * Everything in numbers, as OpenMetrics 1.0 text. All samples of a metric stand together, so each
 * metric is a loop over the devices. Pure.
 */
#include <inttypes.h>

#include "names.h"
#include "stats.h"

#define DIRECTIONS	2

static void head(FILE *f, const char *name, const char *type, const char *unit, const char *help)
{
	fprintf(f, "# TYPE pnic_%s %s\n", name, type);
	if (unit)
		fprintf(f, "# UNIT pnic_%s %s\n", name, unit);
	fprintf(f, "# HELP pnic_%s %s\n", name, help);
}

static void label(FILE *f, const char *key, const char *value, const char *before)
{
	fprintf(f, "%s%s=\"", before, key);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			fputc('\\', f);
		if (*value == '\n')
			fputs("\\n", f);
		else
			fputc(*value, f);
	}
	fputc('"', f);
}

/* pnic_NAME{device="D",KEY="VALUE"} */
static void sample(FILE *f, const char *name, const struct snapshot *s, const char *key,
		   const char *value)
{
	fprintf(f, "pnic_%s{", name);
	label(f, "device", s->dev.name, "");
	if (key)
		label(f, key, value, ",");
	fputs("} ", f);
}

static const struct link *link_of(const struct snapshot *s)
{
	return s->links.n ? s->links.items : NULL;
}

static const struct counters *counters_of(const struct snapshot *s)
{
	return s->counters.n ? s->counters.items : NULL;
}

static void devices(FILE *f, const struct list *snapshots)
{
	const struct snapshot *s;
	unsigned int i;

	head(f, "device", "info", NULL, "What the device is.");
	LIST_FOR_EACH(s, snapshots) {
		fputs("pnic_device_info{", f);
		label(f, "device", s->dev.name, "");
		label(f, "bus", s->dev.bus_info, ",");
		label(f, "model", s->dev.model, ",");
		label(f, "serial", s->dev.serial, ",");
		label(f, "cable_serial", s->dev.cable_serial, ",");
		fputs("} 1\n", f);
	}
	head(f, "device_status", "stateset", NULL, "State of the device.");
	LIST_FOR_EACH(s, snapshots)
		for (i = 0; i < dev_status_names.n; i++) {
			sample(f, "device_status", s, "pnic_device_status",
			       dev_status_names.name[i]);
			fprintf(f, "%d\n", s->dev.status == i);
		}
	head(f, "device_resets", "counter", NULL, "Resets of the device.");
	LIST_FOR_EACH(s, snapshots) {
		sample(f, "device_resets_total", s, NULL, NULL);
		fprintf(f, "%u\n", s->dev.resets);
	}
}

/* --- gauges of a link ------------------------------------------------------------------------ */

static double link_up(const struct link *l)
{
	return l->status == PNIC_LINK_STATUS_UP;
}

static double width_max(const struct link *l)
{
	return l->width_max;
}

static double margin_min(const struct link *l)
{
	return l->margin_min;
}

static double peer_known(const struct link *l)
{
	return l->peer_known;
}

static const struct {
	const char *name, *unit, *help;
	double (*get)(const struct link *l);
} link_gauges[] = {
	{ "link_up", NULL, "1, the link is up.", link_up },
	{ "link_width_max_lanes", "lanes", "Lanes of the full width.", width_max },
	{ "link_margin_min_lanes", "lanes", "Smallest margin since the driver found the card.",
	  margin_min },
	{ "link_peer_known", NULL, "1, the far end was heard.", peer_known },
};

static double dir_width(const struct link_dir *d)
{
	return d->width;
}

static double dir_rate(const struct link_dir *d)
{
	return d->rate_mbps * 1e6;
}

static double dir_generation(const struct link_dir *d)
{
	return d->generation;
}

static double dir_agreed(const struct link_dir *d)
{
	return d->agreed;
}

static const struct {
	const char *name, *unit, *help;
	double (*get)(const struct link_dir *d);
} dir_gauges[] = {
	{ "link_width_lanes", "lanes", "Lanes that carry data.", dir_width },
	{ "link_rate_bits_per_second", "bits_per_second", "Payload rate.", dir_rate },
	{ "link_map_generation", NULL, "Generation of the active map.", dir_generation },
	{ "link_map_agreed", NULL, "1, both ends run the same map.", dir_agreed },
};

static void gauges(FILE *f, const struct list *snapshots)
{
	const struct snapshot *s;
	const struct link *l;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(link_gauges); i++) {
		head(f, link_gauges[i].name, "gauge", link_gauges[i].unit, link_gauges[i].help);
		LIST_FOR_EACH(s, snapshots) {
			l = link_of(s);
			if (!l)
				continue;
			sample(f, link_gauges[i].name, s, NULL, NULL);
			fprintf(f, "%.15g\n", link_gauges[i].get(l));
		}
	}
}

static void directions(FILE *f, const struct list *snapshots)
{
	const struct snapshot *s;
	const struct link *l;
	unsigned int i, d;

	for (i = 0; i < ARRAY_SIZE(dir_gauges); i++) {
		head(f, dir_gauges[i].name, "gauge", dir_gauges[i].unit, dir_gauges[i].help);
		LIST_FOR_EACH(s, snapshots) {
			l = link_of(s);
			for (d = 0; l && d < DIRECTIONS; d++) {
				sample(f, dir_gauges[i].name, s, "direction",
				       d ? "transmit" : "receive");
				fprintf(f, "%.15g\n", dir_gauges[i].get(d ? &l->tx : &l->rx));
			}
		}
	}
}

static void margins(FILE *f, const struct list *snapshots)
{
	const struct snapshot *s;
	const struct link *l;

	head(f, "link_margin_lanes", "gauge", "lanes",
	     "Receive lanes that can die now with every codeword corrected, -1 if some are lost.");
	LIST_FOR_EACH(s, snapshots) {
		l = link_of(s);
		if (!l)
			continue;
		sample(f, "link_margin_lanes", s, "decoder", "errors");
		fprintf(f, "%d\n", l->margin);
		sample(f, "link_margin_lanes", s, "decoder", "erasures");
		fprintf(f, "%d\n", l->margin_erasure);
	}
}

static void lane_states(FILE *f, const struct list *snapshots)
{
	const struct snapshot *s;
	const struct link *l;
	unsigned int i;

	head(f, "lanes", "gauge", NULL, "Receive lanes by state.");
	LIST_FOR_EACH(s, snapshots) {
		l = link_of(s);
		for (i = 0; l && i < lane_status_names.n; i++) {
			const uint32_t counts[] = { l->spares, l->active, l->watch, l->retiring,
						    l->failed, l->quarantined, l->disabled,
						    l->testing };

			sample(f, "lanes", s, "state", lane_status_names.name[i]);
			fprintf(f, "%u\n", counts[i]);
		}
	}
}

static void alarms(FILE *f, const struct list *snapshots)
{
	const struct snapshot *s;
	const struct link *l;
	unsigned int i;

	head(f, "alarm", "gauge", NULL, "1, the alarm stands.");
	LIST_FOR_EACH(s, snapshots) {
		l = link_of(s);
		for (i = 0; l && i < alarm_names.n; i++) {
			sample(f, "alarm", s, "alarm", alarm_names.name[i]);
			fprintf(f, "%u\n", l->alarms >> i & 1);
		}
	}
}

static void life(FILE *f, const struct snapshot *s, const char *bound, bool known, uint64_t seconds)
{
	sample(f, "spares_life_seconds", s, "bound", bound);
	if (known)
		fprintf(f, "%" PRIu64 "\n", seconds);
	else
		fputs("+Inf\n", f);
}

static void forecasts(FILE *f, const struct list *snapshots)
{
	const struct snapshot *s;
	const struct forecast *c;

	head(f, "spares_life_seconds", "gauge", "seconds",
	     "Time until the spares are used up: expected, and its 90 per cent interval.");
	LIST_FOR_EACH(s, snapshots) {
		if (!link_of(s) || !HAS(link_of(s), PNIC_A_LINK_FORECAST))
			continue;
		c = &link_of(s)->forecast;
		life(f, s, "expected", HAS(c, PNIC_A_FORECAST_LIFE_S), c->life_s);
		life(f, s, "low", HAS(c, PNIC_A_FORECAST_LIFE_LOW_S), c->life_low_s);
		life(f, s, "high", HAS(c, PNIC_A_FORECAST_LIFE_HIGH_S), c->life_high_s);
	}
}

/* --- counters and histograms ----------------------------------------------------------------- */

static void totals(FILE *f, const struct list *snapshots)
{
	const struct stat_desc *d;
	const struct snapshot *s;
	char name[64];

	for (d = stat_descs; d->metric; d++) {
		head(f, d->metric, "counter", d->unit, d->help);
		snprintf(name, sizeof(name), "%s_total", d->metric);
		LIST_FOR_EACH(s, snapshots) {
			if (!counters_of(s) || !HAS(counters_of(s), d->attr))
				continue;
			sample(f, name, s, NULL, NULL);
			fprintf(f, "%" PRIu64 "\n", stat_value(counters_of(s), d->attr));
		}
	}
	head(f, "map_changes_standby", "counter", NULL, "changes of maps by a card's standby plan");
	LIST_FOR_EACH(s, snapshots) {
		if (!link_of(s))
			continue;
		sample(f, "map_changes_standby_total", s, NULL, NULL);
		fprintf(f, "%" PRIu64 "\n", link_of(s)->standby_remaps);
	}
}

/* Sums are not known, so by the standard there is no count either, but for the last bucket. */
static void latencies(FILE *f, const struct list *snapshots)
{
	const char *name = "remap_latency_seconds_bucket";
	const struct snapshot *s;
	const struct bucket *b;
	uint64_t sum;
	char le[32];

	head(f, "remap_latency_seconds", "histogram", "seconds",
	     "From the detection of a loss to the switch of the map, link time.");
	LIST_FOR_EACH(s, snapshots) {
		if (!link_of(s))
			continue;
		sum = 0;
		LIST_FOR_EACH(b, &link_of(s)->remap_latency) {
			sum += b->count;
			if (!HAS(b, PNIC_A_BUCKET_UPTO_NS))
				continue;
			snprintf(le, sizeof(le), "%.9e", b->upto_ns / 1e9);
			sample(f, name, s, "le", le);
			fprintf(f, "%" PRIu64 "\n", sum);
		}
		sample(f, name, s, "le", "+Inf");
		fprintf(f, "%" PRIu64 "\n", sum);
	}
}

static void symbol_errors(FILE *f, const struct list *snapshots)
{
	const char *name = "codeword_symbol_errors_bucket";
	const struct snapshot *s;
	const uint64_t *count;
	unsigned int i;
	uint64_t sum;
	char le[32];

	head(f, "codeword_symbol_errors", "histogram", NULL,
	     "Codewords by number of wrong symbols.");
	LIST_FOR_EACH(s, snapshots) {
		if (!counters_of(s))
			continue;
		sum = 0;
		i = 0;
		LIST_FOR_EACH(count, &counters_of(s)->hist) {
			sum += *count;
			if (i >= HIST_BINS - 1)
				continue;
			snprintf(le, sizeof(le), "%u.0", i++);
			sample(f, name, s, "le", le);
			fprintf(f, "%" PRIu64 "\n", sum);
		}
		sample(f, name, s, "le", "+Inf");
		fprintf(f, "%" PRIu64 "\n", sum);
	}
}

void openmetrics(FILE *f, const struct list *snapshots)
{
	devices(f, snapshots);
	gauges(f, snapshots);
	directions(f, snapshots);
	margins(f, snapshots);
	lane_states(f, snapshots);
	alarms(f, snapshots);
	forecasts(f, snapshots);
	totals(f, snapshots);
	latencies(f, snapshots);
	symbol_errors(f, snapshots);
	fputs("# EOF\n", f);
}
