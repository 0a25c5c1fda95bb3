// SPDX-License-Identifier: GPL-2.0
/*
 * pnic monitor: events as they come, a line or a JSON object each.
 *
 * Events may be lost, when they come faster than they are read. The kernel says so, and the
 * numbers of history entries in lane events show it; in both cases what happened is read from the
 * history, and the state anew.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "args.h"
#include "cmd.h"
#include "decode.h"
#include "json.h"
#include "text.h"

enum {
	WHAT_LANE	= 1,
	WHAT_LINK	= 2,
	WHAT_HEALTH	= 4,
	WHAT_DEV	= 8,
	WHAT_ALL	= 15,
};

enum stamp { STAMP_ISO, STAMP_UNIX, STAMP_NONE };

/* Up to which entry the history of a device was told. */
struct seen {
	uint32_t dev;
	uint64_t seq;
};

struct monitor {
	struct pnic *p;
	struct drv events;
	unsigned int what;
	enum stamp stamp;
	struct list seen;		/* struct seen */
};

/* --- printing -------------------------------------------------------------------------------- */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static const char *stamp_text(const struct monitor *m)
{
	static char s[48];
	uint64_t ns = now_ns();

	if (m->stamp == STAMP_ISO)
		return fmt_wall(ns);
	snprintf(s, sizeof(s), "%llu.%06llu", (unsigned long long)ns / 1000000000,
		 (unsigned long long)ns % 1000000000 / 1000);
	return s;
}

/* A line: "TIME DEV KIND: TEXT". */
static void line(const struct monitor *m, enum hue hue, const char *dev, const char *kind,
		 const char *text)
{
	if (m->stamp != STAMP_NONE)
		printf("%s%s%s ", out_hue(HUE_DIM), stamp_text(m), out_hue(HUE_NONE));
	printf("%s%s%s%s%s: %s\n", dev, *dev ? " " : "", out_hue(hue), kind, out_hue(HUE_NONE),
	       text);
	fflush(stdout);
}

/* Takes the reference of @fields. */
static void object(const struct monitor *m, const char *kind, json_t *fields)
{
	json_t *o = json_object();

	if (m->stamp == STAMP_ISO)
		json_object_set_new(o, "time", json_string(stamp_text(m)));
	else if (m->stamp == STAMP_UNIX)
		json_object_set_new(o, "time", json_real(now_ns() / 1e9));
	json_object_set_new(o, "event", json_string(kind));
	json_object_update(o, fields);
	json_decref(fields);
	json_print(m->p, o);
	json_decref(o);
	fflush(stdout);
}

static void say(const struct monitor *m, const char *kind, const char *text)
{
	if (m->p->json)
		object(m, kind, json_pack("{s:o}", "text", json_text(text)));
	else
		line(m, HUE_WARN, "", kind, text);
}

/* --- the history ----------------------------------------------------------------------------- */

static struct seen *seen_of(struct monitor *m, uint32_t dev)
{
	struct seen *s;

	LIST_FOR_EACH(s, &m->seen)
		if (s->dev == dev)
			return s;
	s = list_add(&m->seen, sizeof(*s));
	if (s)
		s->dev = dev;
	return s;
}

static void dev_name(char *s, size_t size, uint32_t index)
{
	snprintf(s, size, "pnic%u", index);
}

static void tell_history(struct monitor *m, const struct history *h)
{
	char dev[24], text[512];

	dev_name(dev, sizeof(dev), h->dev_index);
	if (m->p->json) {
		object(m, "history", json_of(&history_set, h, dev));
		return;
	}
	snprintf(text, sizeof(text), "%llu %s: %s", (unsigned long long)h->seq,
		 name_of(&actor_names, h->actor), *h->text ? h->text : h->code);
	line(m, HUE_NONE, dev, "history", text);
}

/* Tells the entries after the last that was told, before @end (0: all). */
static void catch_up(struct monitor *m, uint32_t dev, uint64_t end)
{
	struct seen *seen = seen_of(m, dev);
	struct list entries = {};
	const struct history *h;

	if (!seen)
		return;
	if (drv_history(&m->p->drv, dev, seen->seq, &entries))
		say(m, "lost", m->p->drv.error);
	LIST_FOR_EACH(h, &entries) {
		if (end && h->seq >= end)
			break;
		if (m->what & WHAT_LANE)
			tell_history(m, h);
		seen->seq = h->seq;
	}
	fields_clear_list(&history_set, &entries);
}

static void tell_link(struct monitor *m, const struct link *l)
{
	char dev[24], text[512];

	dev_name(dev, sizeof(dev), l->dev_index);
	if (m->p->json) {
		object(m, "link", json_of(&link_set, l, dev));
		return;
	}
	text_link_event(text, sizeof(text), l);
	line(m, l->status == PNIC_LINK_STATUS_UP ? HUE_GOOD : HUE_BAD, dev, "link", text);
}

/* State of all links; @tell: say it, and what was missed of their histories. */
static void resync(struct monitor *m, bool tell)
{
	struct list links = {};
	const struct link *l;
	struct seen *seen;

	if (drv_links(&m->p->drv, DRV_ALL, false, &links))
		say(m, "lost", m->p->drv.error);
	LIST_FOR_EACH(l, &links) {
		seen = seen_of(m, l->dev_index);
		/* It went and came again, and counts anew. */
		if (seen && l->history_seq < seen->seq)
			seen->seq = 0;
		if (tell) {
			catch_up(m, l->dev_index, 0);
			tell_link(m, l);
			continue;
		}
		if (seen)
			seen->seq = l->history_seq;
	}
	fields_clear_list(&link_set, &links);
}

/* --- events ---------------------------------------------------------------------------------- */

static void on_lanes(struct monitor *m, const struct lane_event *e)
{
	struct seen *seen = seen_of(m, e->dev_index);
	char dev[24], text[768];

	if (!seen)
		return;
	if (e->first_seq == 1)
		seen->seq = 0;			/* the first of a device, perhaps of another with that number */
	if (seen->seq && e->first_seq > seen->seq + 1) {
		snprintf(text, sizeof(text), "entries %llu to %llu of pnic%u were not announced",
			 (unsigned long long)seen->seq + 1, (unsigned long long)e->first_seq - 1,
			 e->dev_index);
		say(m, "lost", text);
		catch_up(m, e->dev_index, e->first_seq);
	}
	if (e->last_seq > seen->seq)
		seen->seq = e->last_seq;
	dev_name(dev, sizeof(dev), e->dev_index);
	if (m->p->json) {
		object(m, "lane", json_of(&lane_event_set, e, dev));
		return;
	}
	text_lane_event(text, sizeof(text), e);
	line(m, HUE_INFO, dev, "lane", text);
	/* What it was about, in words. */
	if (m->p->details)
		catch_up(m, e->dev_index, 0);
}

static void on_health(struct monitor *m, const struct health *h)
{
	char dev[24], text[768];

	dev_name(dev, sizeof(dev), h->dev_index);
	if (m->p->json) {
		object(m, "health", json_of(&health_set, h, dev));
		return;
	}
	text_health_event(text, sizeof(text), h);
	line(m, h->alarms ? HUE_BAD : HUE_GOOD, dev, "health", text);
}

static void on_dev(struct monitor *m, const struct dev *d)
{
	char dev[40], text[512];

	if (*d->name)
		snprintf(dev, sizeof(dev), "%s", d->name);
	else
		dev_name(dev, sizeof(dev), d->index);
	if (m->p->json) {
		object(m, "dev", json_fields(&dev_set, d));
		return;
	}
	text_dev_event(text, sizeof(text), d);
	line(m, text_dev_hue(d->status), dev, "dev", text);
}

static void on_policy(struct monitor *m, const struct policy *policy)
{
	char dev[24], text[64];

	dev_name(dev, sizeof(dev), policy->dev_index);
	if (m->p->json) {
		object(m, "policy", json_of(&policy_set, policy, dev));
		return;
	}
	text_policy_event(text, sizeof(text), policy);
	line(m, HUE_NONE, dev, "policy", text);
}

union event {
	struct dev dev;
	struct link link;
	struct lane_event lane;
	struct policy policy;
	struct health health;
};

static const struct {
	uint8_t cmd;
	unsigned int what;
	const struct field_set *set;
} event_kinds[] = {
	{ PNIC_CMD_LANE_NTF, WHAT_LANE, &lane_event_set },
	{ PNIC_CMD_LINK_NTF, WHAT_LINK, &link_set },
	{ PNIC_CMD_POLICY_NTF, WHAT_LINK, &policy_set },
	{ PNIC_CMD_HEALTH_NTF, WHAT_HEALTH, &health_set },
	{ PNIC_CMD_DEV_NTF, WHAT_DEV, &dev_set },
};

static void tell(struct monitor *m, uint8_t cmd, const union event *e)
{
	switch (cmd) {
	case PNIC_CMD_LANE_NTF:
		on_lanes(m, &e->lane);
		break;
	case PNIC_CMD_LINK_NTF:
		tell_link(m, &e->link);
		break;
	case PNIC_CMD_POLICY_NTF:
		on_policy(m, &e->policy);
		break;
	case PNIC_CMD_HEALTH_NTF:
		on_health(m, &e->health);
		break;
	case PNIC_CMD_DEV_NTF:
		on_dev(m, &e->dev);
		break;
	}
}

static int on_event(void *arg, uint8_t cmd, const void *attrs, size_t len)
{
	struct monitor *m = arg;
	union event e;
	char why[128];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(event_kinds); i++) {
		if (event_kinds[i].cmd != cmd || !(m->what & event_kinds[i].what))
			continue;
		memset(&e, 0, sizeof(e));
		if (decode(event_kinds[i].set, attrs, len, &e, why, sizeof(why)))
			say(m, "lost", why);
		else
			tell(m, cmd, &e);
		fields_clear(event_kinds[i].set, &e);
	}
	return 0;
}

/* --- running --------------------------------------------------------------------------------- */

static int listen_to(struct monitor *m)
{
	static const unsigned int needs[DRV_GROUPS] = {
		[DRV_GROUP_LANES] = WHAT_LANE,
		[DRV_GROUP_LINK] = WHAT_LINK,
		[DRV_GROUP_HEALTH] = WHAT_HEALTH | WHAT_DEV,
	};
	enum drv_group g;

	if (drv_open(&m->events))
		return pnic_error("%s", m->events.error);
	for (g = 0; g < DRV_GROUPS; g++)
		if (m->what & needs[g] && drv_join(&m->events, g))
			return pnic_error("%s", m->events.error);
	if (drv_join_ctrl(&m->events))
		return pnic_error("%s", m->events.error);
	/* After joining: what happens in between is told by its event. */
	resync(m, false);
	return 0;
}

/* The driver was loaded again: family and groups have other numbers. */
static int reopen(struct monitor *m)
{
	drv_close(&m->events);
	drv_close(&m->p->drv);
	m->p->connected = false;
	m->seen.n = 0;
	free(m->seen.items);
	m->seen.items = NULL;
	if (pnic_connect(m->p))
		return ST_FAILED;
	return listen_to(m);
}

static int step(struct monitor *m)
{
	switch (drv_events(&m->events, -1, on_event, m)) {
	case EVENTS_UNLOADED:
		say(m, "driver", "unloaded");
		return 0;
	case EVENTS_LOADED:
		say(m, "driver", "loaded");
		return reopen(m);
	case -1:
		if (m->events.code != ENOBUFS)
			return pnic_error("%s", m->events.error);
		say(m, "lost", "events came faster than they were read; what follows is read anew");
		resync(m, true);
	}
	return 0;
}

static int monitor_args(struct pnic *p, enum stamp *stamp)
{
	static const char *const words[] = { "iso", "unix", "none" };
	static const struct names forms = { words, 0, 3 };
	int form;

	while (arg_peek(p)) {
		if (strcmp(arg_peek(p), "-t") && strcmp(arg_peek(p), "--timestamp"))
			return arg_end(p);
		arg_next(p);
		/* -t alone: the usual form. */
		if (!arg_peek(p))
			return 0;
		form = arg_word(p, &forms, "form of time");
		if (form < 0)
			return -form;
		*stamp = form;
	}
	return 0;
}

static int monitor(struct pnic *p, unsigned int what)
{
	struct monitor m = { .p = p, .what = what };
	int ret;

	ret = monitor_args(p, &m.stamp);
	if (!ret)
		ret = pnic_connect(p);
	if (!ret)
		ret = listen_to(&m);
	if (ret) {
		drv_close(&m.events);
		return ret;
	}
	p->raw = true;
	/* Until a signal comes, or nobody reads any more. */
	while (!ret && !ferror(stdout))
		ret = step(&m);
	drv_close(&m.events);
	free(m.seen.items);
	return ret;
}

int cmd_monitor_all(struct pnic *p)
{
	return monitor(p, WHAT_ALL);
}

int cmd_monitor_lane(struct pnic *p)
{
	return monitor(p, WHAT_LANE);
}

int cmd_monitor_link(struct pnic *p)
{
	return monitor(p, WHAT_LINK);
}

int cmd_monitor_health(struct pnic *p)
{
	return monitor(p, WHAT_HEALTH);
}

int cmd_monitor_dev(struct pnic *p)
{
	return monitor(p, WHAT_DEV);
}
