// SPDX-License-Identifier: GPL-2.0
/* What the live view shows, see top.h. */
#include <string.h>
#include <time.h>

#include "decode.h"
#include "text.h"
#include "top.h"

static void add_event(struct top *t, const char *what, const char *text)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	/* Hours to microseconds are enough here. */
	snprintf(t->event[t->events++ % TOP_EVENTS], TOP_EVENT_SIZE, "%.12s %s: %.160s",
		 fmt_wall(now.tv_sec * 1000000000ull + now.tv_nsec) + 11, what, text);
}

union event {
	struct dev dev;
	struct link link;
	struct lane_event lane;
	struct health health;
};

static const struct {
	uint8_t cmd;
	const struct field_set *set;
} kinds[] = {
	{ PNIC_CMD_LANE_NTF, &lane_event_set },
	{ PNIC_CMD_LINK_NTF, &link_set },
	{ PNIC_CMD_HEALTH_NTF, &health_set },
	{ PNIC_CMD_DEV_NTF, &dev_set },
};

static void note(struct top *t, uint8_t cmd, const union event *e)
{
	const uint32_t dev = t->dev.index;
	char text[512];

	switch (cmd) {
	case PNIC_CMD_LANE_NTF:
		text_lane_event(text, sizeof(text), &e->lane);
		if (e->lane.dev_index == dev)
			add_event(t, "lane", text);
		break;
	case PNIC_CMD_LINK_NTF:
		text_link_event(text, sizeof(text), &e->link);
		if (e->link.dev_index == dev)
			add_event(t, "link", text);
		break;
	case PNIC_CMD_HEALTH_NTF:
		text_health_event(text, sizeof(text), &e->health);
		if (e->health.dev_index == dev)
			add_event(t, "health", text);
		break;
	case PNIC_CMD_DEV_NTF:
		text_dev_event(text, sizeof(text), &e->dev);
		if (e->dev.index == dev)
			add_event(t, "dev", text);
		break;
	}
}

static int on_event(void *arg, uint8_t cmd, const void *attrs, size_t len)
{
	struct top *t = arg;
	union event e;
	char why[128];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].cmd != cmd)
			continue;
		memset(&e, 0, sizeof(e));
		if (!decode(kinds[i].set, attrs, len, &e, why, sizeof(why)))
			note(t, cmd, &e);
		fields_clear(kinds[i].set, &e);
	}
	return 0;
}

static int listen_to(struct top *t)
{
	enum drv_group g;

	if (drv_open(&t->listener))
		return -1;
	for (g = 0; g < DRV_GROUPS; g++)
		if (drv_join(&t->listener, g))
			return -1;
	return 0;
}

int top_begin(struct top *t)
{
	if (listen_to(t)) {
		drv_close(&t->listener);
		return pnic_error("%s", t->listener.error);
	}
	return 0;
}

void top_listen(struct top *t)
{
	int ret = EVENTS_SOME;

	if (!t->listener.sock)
		return;
	while (ret == EVENTS_SOME) {
		ret = drv_events(&t->listener, 0, on_event, t);
		if (ret < 0)
			add_event(t, "lost", "events came faster than they were read");
	}
}

/* The first element of @list moves into @obj; the list is freed. */
static void take_first(const struct field_set *set, struct list *list, void *obj)
{
	if (list->n) {
		memcpy(obj, list->items, set->size);
		memset(list->items, 0, set->size);
	}
	fields_clear_list(set, list);
}

static int read_counters(struct top *t)
{
	struct list list = {};
	struct timespec ts;
	uint64_t at;

	if (drv_counters(&t->p->drv, t->dev.index, &list) || !list.n) {
		fields_clear_list(&counters_set, &list);
		return -1;
	}
	clock_gettime(CLOCK_MONOTONIC, &ts);
	at = ts.tv_sec * 1000000000ull + ts.tv_nsec;
	fields_clear(&counters_set, &t->before);
	t->before = t->now;
	memset(&t->now, 0, sizeof(t->now));
	take_first(&counters_set, &list, &t->now);
	t->elapsed = t->read_at ? (at - t->read_at) / 1e9 : 0;
	t->read_at = at;
	return 0;
}

static int read_all(struct top *t)
{
	struct lane_query q = { .dev = t->dev.index, .direction = PNIC_DIRECTION_RX };
	struct list links = {}, lanes = {}, devs = {};
	const struct dev *d;

	if (drv_devs(&t->p->drv, &devs) || drv_links(&t->p->drv, t->dev.index, false, &links) ||
	    drv_lanes(&t->p->drv, &q, &lanes) || read_counters(t)) {
		fields_clear_list(&dev_set, &devs);
		fields_clear_list(&link_set, &links);
		fields_clear_list(&lane_set, &lanes);
		return -1;
	}
	LIST_FOR_EACH(d, &devs)
		if (d->index == t->dev.index)
			t->dev = *d;
	fields_clear_list(&dev_set, &devs);
	fields_clear(&link_set, &t->link);
	take_first(&link_set, &links, &t->link);
	fields_clear_list(&lane_set, &t->lanes);
	t->lanes = lanes;
	return 0;
}

void top_read(struct top *t)
{
	t->error[0] = 0;
	/* After the driver was unloaded and loaded everything has another number. */
	if (!t->p->connected) {
		if (drv_open(&t->p->drv)) {
			snprintf(t->error, sizeof(t->error), "%.255s", t->p->drv.error);
			return;
		}
		t->p->connected = true;
		drv_close(&t->listener);
		if (listen_to(t))
			drv_close(&t->listener);
	}
	if (!read_all(t))
		return;
	snprintf(t->error, sizeof(t->error), "%.255s", t->p->drv.error);
	drv_close(&t->p->drv);
	t->p->connected = false;
	t->read_at = 0;
}

void top_end(struct top *t)
{
	drv_close(&t->listener);
	fields_clear(&link_set, &t->link);
	fields_clear_list(&lane_set, &t->lanes);
	fields_clear(&counters_set, &t->now);
	fields_clear(&counters_set, &t->before);
}
