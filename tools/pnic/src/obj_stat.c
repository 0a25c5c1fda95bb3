// SPDX-License-Identifier: GPL-2.0
/* pnic stat: counters. */
#include <math.h>
#include <stdlib.h>

#include "args.h"
#include "cmd.h"
#include "json.h"
#include "out.h"
#include "stats.h"

#define A(x)	PNIC_A_COUNTERS_##x

const struct stat_desc stat_descs[] = {
	{ A(FRAMES_TX), "frames_transmitted", NULL, "frames sent, for the first time or again" },
	{ A(FRAMES_RX), "frames_received", NULL, "frames received" },
	{ A(FRAMES_REPLAYED), "frames_replayed", NULL, "frames sent again by link-level retry" },
	{ A(FRAMES_CRC_BAD), "frames_damaged", NULL, "frames received damaged" },
	{ A(FRAMES_DROPPED), "frames_dropped", NULL, "frames dropped out of sequence" },
	{ A(PAYLOAD_TX), "payload_transmitted_bytes", "bytes", "payload sent" },
	{ A(PAYLOAD_RX), "payload_received_bytes", "bytes", "payload received" },
	{ A(LINE_BITS_TX), "line_bits_transmitted", NULL, "bits on the line while there was work" },
	{ A(CODEWORDS), "codewords_received", NULL, "codewords received" },
	{ A(CODEWORDS_CORRECTED), "codewords_corrected", NULL, "of them with errors, corrected" },
	{ A(CODEWORDS_UNCORRECTABLE), "codewords_uncorrectable", NULL,
	  "of them beyond correction" },
	{ A(SYMBOLS_CORRECTED), "symbols_corrected", NULL, "wrong symbols that were corrected" },
	{ A(MAP_SWITCHES_RX), "map_switches_receive", NULL, "switches of the receive map" },
	{ A(MAP_SWITCHES_TX), "map_switches_transmit", NULL, "switches of the transmit map" },
	{ A(LINK_DOWNS), "link_downs", NULL, "times the link went down" },
	{ A(MGMT_TX), "messages_transmitted", NULL, "messages to the far end" },
	{ A(MGMT_RX), "messages_received", NULL, "messages of the far end" },
	{ A(MGMT_LOST), "messages_lost", NULL, "messages that were lost" },
	{ A(WQES), "work_requests", NULL, "descriptors executed" },
	{ A(CQES), "completions", NULL, "completions written" },
	{ A(DOORBELLS), "doorbells", NULL, "doorbells seen" },
	{ A(INTERRUPTS), "interrupts", NULL, "interrupts raised" },
	{ A(ADMIN_TIMEOUTS), "admin_timeouts", NULL, "commands that the card did not answer" },
	{ A(NONSENSE), "card_nonsense", NULL, "entries of the card that made no sense" },
	{ A(LOST_IRQS), "interrupts_lost", NULL, "interrupts that were lost" },
	{}
};

uint64_t stat_value(const struct counters *c, unsigned int attr)
{
	const struct field *f = field_of(&counters_set, attr);

	return *(const uint64_t *)((const char *)c + f->off);
}

/* What should be 0 on a good day. */
static enum hue stat_hue(unsigned int attr, uint64_t value)
{
	switch (attr) {
	case A(FRAMES_CRC_BAD):
	case A(FRAMES_REPLAYED):
	case A(CODEWORDS_UNCORRECTABLE):
	case A(LINK_DOWNS):
		return value ? HUE_WARN : HUE_NONE;
	case A(ADMIN_TIMEOUTS):
	case A(NONSENSE):
	case A(LOST_IRQS):
		return value ? HUE_BAD : HUE_NONE;
	}
	return HUE_NONE;
}

/* Nearly all codewords are right, so a bar's length is the logarithm. */
static void show_histogram(const struct list *hist)
{
	const uint64_t *count;
	unsigned int i = 0;
	uint64_t max = 0;

	LIST_FOR_EACH(count, hist)
		max = *count > max ? *count : max;
	printf("    Codewords by number of wrong symbols; bars are logarithmic:\n");
	LIST_FOR_EACH(count, hist) {
		printf("%10u%c  %14llu", i, i == HIST_BINS - 1 ? '+' : ' ',
		       (unsigned long long)*count);
		out_bar(1000 * log10(1.0 + *count), 1000 * log10(1.0 + max), OUT_WIDTH - 30);
		i++;
	}
}

static void show_counters(const struct pnic *p, const char *dev, const struct counters *c)
{
	struct table t = { .columns = { "COUNTER", ">VALUE", "MEANING" } };
	const struct stat_desc *s;
	uint64_t value;

	printf("%s%s%s\n", out_hue(HUE_BOLD), dev, out_hue(HUE_NONE));
	for (s = stat_descs; s->metric; s++) {
		if (!HAS(c, s->attr))
			continue;
		value = stat_value(c, s->attr);
		table_add(&t, HUE_NONE, "%s", field_of(&counters_set, s->attr)->name);
		table_add(&t, stat_hue(s->attr, value), "%llu", (unsigned long long)value);
		table_add(&t, HUE_NONE, "%s", s->help);
	}
	table_print(&t);
	if (p->stats)
		show_histogram(&c->hist);
}

int cmd_stat_show(struct pnic *p)
{
	const struct counters *c;
	struct list devs = {};
	const struct dev *d;
	int ret;

	ret = arg_devs(p, &devs);
	if (!ret)
		ret = arg_end(p);
	LIST_FOR_EACH(d, &devs) {
		struct list list = {};

		if (ret)
			break;
		if (drv_counters(&p->drv, d->index, &list))
			ret = pnic_failed(p);
		LIST_FOR_EACH(c, &list) {
			if (p->json)
				json_put(p, json_of(&counters_set, c, d->name));
			else
				show_counters(p, d->name, c);
		}
		fields_clear_list(&counters_set, &list);
	}
	fields_clear_list(&dev_set, &devs);
	return ret;
}

static void free_snapshots(struct list *snapshots)
{
	struct snapshot *s;

	LIST_FOR_EACH(s, snapshots) {
		fields_clear_list(&link_set, &s->links);
		fields_clear_list(&counters_set, &s->counters);
	}
	free(snapshots->items);
}

static int take_snapshots(struct pnic *p, const struct list *devs, struct list *snapshots)
{
	const struct dev *d;
	struct snapshot *s;

	LIST_FOR_EACH(d, devs) {
		s = list_add(snapshots, sizeof(*s));
		if (!s)
			return pnic_error("out of memory");
		s->dev = *d;
		if (drv_links(&p->drv, d->index, false, &s->links) ||
		    drv_counters(&p->drv, d->index, &s->counters))
			return pnic_failed(p);
	}
	return 0;
}

int cmd_stat_openmetrics(struct pnic *p)
{
	struct list devs = {}, snapshots = {};
	int ret;

	if (p->json)
		return pnic_usage(p, "OpenMetrics is no JSON, leave out -j or openmetrics");
	ret = arg_devs(p, &devs);
	if (!ret)
		ret = arg_end(p);
	if (!ret)
		ret = take_snapshots(p, &devs, &snapshots);
	/* All or nothing: half an exposition would look like counters that went away. */
	if (!ret)
		openmetrics(stdout, &snapshots);
	free_snapshots(&snapshots);
	fields_clear_list(&dev_set, &devs);
	return ret;
}
