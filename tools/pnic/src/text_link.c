// SPDX-License-Identifier: GPL-2.0
/* A link as text. */
#include <string.h>

#include "text.h"

enum hue text_dev_hue(uint32_t status)
{
	switch (status) {
	case PNIC_DEV_STATUS_READY:
		return HUE_GOOD;
	case PNIC_DEV_STATUS_FAILED:
	case PNIC_DEV_STATUS_GONE:
		return HUE_BAD;
	default:
		return HUE_WARN;
	}
}

enum hue text_lane_hue(uint32_t status)
{
	switch (status) {
	case PNIC_LANE_STATUS_ACTIVE:
		return HUE_GOOD;
	case PNIC_LANE_STATUS_SPARE:
	case PNIC_LANE_STATUS_TESTING:
		return HUE_INFO;
	case PNIC_LANE_STATUS_FAILED:
		return HUE_BAD;
	case PNIC_LANE_STATUS_DISABLED:
		return HUE_DIM;
	default:
		return HUE_WARN;
	}
}

enum hue text_margin_hue(int32_t margin)
{
	return margin < 1 ? HUE_BAD : margin < 3 ? HUE_WARN : HUE_GOOD;
}

static enum hue status_hue(uint32_t status)
{
	return status == PNIC_LINK_STATUS_UP ? HUE_GOOD :
	       status == PNIC_LINK_STATUS_DISABLED ? HUE_DIM : HUE_BAD;
}

void text_lane_counts(char *s, size_t size, const struct link *l)
{
	const struct {
		unsigned int attr;
		uint32_t n;
		uint32_t status;
	} counts[] = {
		{ PNIC_A_LINK_ACTIVE, l->active, PNIC_LANE_STATUS_ACTIVE },
		{ PNIC_A_LINK_WATCH, l->watch, PNIC_LANE_STATUS_WATCH },
		{ PNIC_A_LINK_RETIRING, l->retiring, PNIC_LANE_STATUS_RETIRING },
		{ PNIC_A_LINK_SPARES, l->spares, PNIC_LANE_STATUS_SPARE },
		{ PNIC_A_LINK_FAILED, l->failed, PNIC_LANE_STATUS_FAILED },
		{ PNIC_A_LINK_QUARANTINED, l->quarantined, PNIC_LANE_STATUS_QUARANTINED },
		{ PNIC_A_LINK_TESTING, l->testing, PNIC_LANE_STATUS_TESTING },
		{ PNIC_A_LINK_DISABLED, l->disabled, PNIC_LANE_STATUS_DISABLED },
	};
	size_t at = 0, i;

	*s = 0;
	for (i = 0; i < ARRAY_SIZE(counts) && at < size; i++)
		if (HAS(l, counts[i].attr) && counts[i].n)
			at += snprintf(s + at, size - at, "%s%u %s", at ? ", " : "", counts[i].n,
				       name_of(&lane_status_names, counts[i].status));
	if (!at)
		snprintf(s, size, "none");
}

static void show_dir(const char *label, const struct link_dir *d, const struct link *l)
{
	char proto[48] = "", peer[96] = "", staged[48] = "";
	enum hue hue = HUE_NONE;

	if (HAS(l, PNIC_A_LINK_WIDTH_MAX) && d->width < l->width_max)
		hue = d->width ? HUE_WARN : HUE_BAD;
	out_item(label, hue, "%u of %u lanes, %s", d->width, l->width_max, fmt_rate(d->rate_mbps));
	if (HAS(d, PNIC_A_LINK_DIR_PROTO_STATE))
		snprintf(proto, sizeof(proto), ", %s", d->proto_state);
	if (HAS(d, PNIC_A_LINK_DIR_STAGED))
		snprintf(staged, sizeof(staged), ", generation %u is being agreed on", d->staged);
	if (!d->agreed && HAS(d, PNIC_A_LINK_DIR_PEER_GENERATION))
		snprintf(peer, sizeof(peer), "; the far end runs %u, check sum %08x",
			 d->peer_generation, d->peer_checksum);
	out_item("", d->agreed ? HUE_NONE : HUE_WARN,
		 "map of generation %u, check sum %08x, %s%s%s%s", d->generation, d->checksum,
		 d->agreed ? "agreed" : "not agreed", peer, proto, staged);
}

static void show_margins(const struct link *l)
{
	char window[64] = "";

	if (!HAS(l, PNIC_A_LINK_MARGIN))
		return;
	if (HAS(l, PNIC_A_LINK_MARGIN_ERASURE))
		out_item("margin", text_margin_hue(l->margin),
			 "%s; %s if the decoder knows of each", fmt_margin(l->margin),
			 fmt_margin(l->margin_erasure));
	else
		out_item("margin", text_margin_hue(l->margin), "%s", fmt_margin(l->margin));
	if (HAS(l, PNIC_A_LINK_MARGIN_MIN_WINDOW))
		snprintf(window, sizeof(window), "; since it was last taken: %d",
			 l->margin_min_window);
	if (HAS(l, PNIC_A_LINK_MARGIN_MIN))
		out_item("", HUE_NONE, "at least %d so far%s", l->margin_min, window);
}

void text_margin(const char *dev, const struct link *l)
{
	printf("%s\n", dev);
	show_margins(l);
}

void text_alarms(uint32_t alarms)
{
	unsigned int bit;

	for (bit = 0; bit < 32; bit++)
		if (alarms >> bit & 1) {
			out_item("ALARM", HUE_BAD, "%s: %s", name_of(&alarm_names, bit),
				 alarm_meaning(bit));
			out_item("", HUE_NONE, "-> %s", alarm_advice(bit));
		}
}

void text_forecast(const struct forecast *f)
{
	char bars[96] = "";

	if (!HAS(f, PNIC_A_FORECAST_SPARES))
		return;
	if (!HAS(f, PNIC_A_FORECAST_LIFE_S)) {
		out_item("forecast", HUE_NONE, "%u spares; no lane was lost for good in %s",
			 f->spares, fmt_seconds(f->observed_s));
		return;
	}
	if (HAS(f, PNIC_A_FORECAST_LIFE_LOW_S) && HAS(f, PNIC_A_FORECAST_LIFE_HIGH_S))
		snprintf(bars, sizeof(bars), " (90 %%: %s to %s)", fmt_seconds(f->life_low_s),
			 fmt_seconds(f->life_high_s));
	else if (HAS(f, PNIC_A_FORECAST_LIFE_LOW_S))
		snprintf(bars, sizeof(bars), " (90 %%: %s or more)", fmt_seconds(f->life_low_s));
	out_item("forecast", HUE_NONE, "%u spares last %s%s; %u lane%s lost for good in %s",
		 f->spares, fmt_seconds(f->life_s), bars, f->lost, f->lost == 1 ? "" : "s",
		 fmt_seconds(f->observed_s));
}

void text_histogram(const struct list *buckets)
{
	const struct bucket *b, *last = NULL;
	uint64_t max = 0;
	char label[32];

	LIST_FOR_EACH(b, buckets) {
		max = b->count > max ? b->count : max;
		if (b->count)
			last = b;
	}
	if (!last) {
		puts("    nothing was counted yet");
		return;
	}
	LIST_FOR_EACH(b, buckets) {
		if (HAS(b, PNIC_A_BUCKET_UPTO_NS))
			snprintf(label, sizeof(label), "to %s", fmt_ns(b->upto_ns));
		else
			snprintf(label, sizeof(label), "longer");
		printf("%14s  %12llu", label, (unsigned long long)b->count);
		out_bar(b->count, max, OUT_WIDTH - 31);
		if (b == last)
			return;
	}
}

void text_link(const struct pnic *p, const char *dev, const struct link *l)
{
	char counts[160];

	printf("%s%s%s: link %s%s%s\n", out_hue(HUE_BOLD), dev, out_hue(HUE_NONE),
	       out_hue(status_hue(l->status)), name_of(&link_status_names, l->status),
	       out_hue(HUE_NONE));
	if (HAS(l, PNIC_A_LINK_RX))
		show_dir("receive", &l->rx, l);
	if (HAS(l, PNIC_A_LINK_TX))
		show_dir("transmit", &l->tx, l);
	show_margins(l);
	text_lane_counts(counts, sizeof(counts), l);
	out_item("lanes", HUE_NONE, "%s", counts);
	if (l->peer_known)
		out_item("far end", HUE_NONE, "heard, incarnation %u", l->peer_incarnation);
	else
		out_item("far end", HUE_WARN, "not heard");
	if (HAS(l, PNIC_A_LINK_REMAPS))
		out_item(
			"maps changed", HUE_NONE,
			"%llu times, %llu of them by a standby plan; the link went down %llu times",
			(unsigned long long)l->remaps, (unsigned long long)l->standby_remaps,
			(unsigned long long)l->downs);
	if (HAS(l, PNIC_A_LINK_FORECAST))
		text_forecast(&l->forecast);
	text_alarms(l->alarms);
	if (p->stats) {
		printf("    From the detection of a loss to the switch, link time:\n");
		text_histogram(&l->remap_latency);
	}
}
