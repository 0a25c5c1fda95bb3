// SPDX-License-Identifier: GPL-2.0
/* What the made-up kernel tells, see fake.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

static uint32_t columns(void)
{
	return fake_is("small") ? 5 : fake_is("wide") ? 64 : 20;
}

static uint32_t rows(void)
{
	return fake_is("small") ? 4 : fake_is("wide") ? 12 : 23;
}

uint32_t fake_lanes(void)
{
	return columns() * rows();
}

static uint32_t spare_lanes(void)
{
	return fake_is("small") ? 4 : 35;
}

bool fake_is(const char *word)
{
	const char *s = getenv("PNIC_FAKE");
	size_t len = strlen(word);

	for (; s && *s; s += strcspn(s, " "), s += strspn(s, " "))
		if (strcspn(s, " ") == len && !strncmp(s, word, len))
			return true;
	return false;
}

static const char *hostile(const char *nice)
{
	return fake_is("hostile") ? "a\033[31m\"<&>\\\xff\xc3\x28\n'" : nice;
}

/* A number that is the same each time, below @below. */
static uint32_t noise(uint32_t x, uint32_t below)
{
	x = (x + 0x9e3779b9) * 2654435769u;
	x = (x ^ x >> 15) * 2246822519u;
	return (x ^ x >> 13) % below;
}

void fake_dev(struct dev *d, uint32_t index)
{
	encode_has_all(&dev_set, d);
	d->index = index;
	snprintf(d->name, sizeof(d->name), "pnic%u", index);
	snprintf(d->bus_info, sizeof(d->bus_info), "0000:0%u:00.0", index + 1);
	d->status = index ? PNIC_DEV_STATUS_READY : PNIC_DEV_STATUS_DEGRADED;
	d->epoch = 2;
	d->resets = 1;
	snprintf(d->reset_reason, sizeof(d->reset_reason), "%s", hostile("asked for by sysfs"));
	d->nic_addr = index + 1;
	d->guid = 0xfedcba9876543210;
	snprintf(d->serial, sizeof(d->serial), "PN-%04u", index);
	snprintf(d->cable_serial, sizeof(d->cable_serial), "%s",
		 hostile(fake_is("foreign") ? "CB-9999" : "CB-0042/A"));
	snprintf(d->model, sizeof(d->model), "%s", "mosaic-800g");
	d->hw_major = 1;
	d->hw_minor = 1;
	d->fw_version = 0x10002;
	d->lanes_spare = spare_lanes();
	d->lanes_data = fake_lanes() - spare_lanes();
	d->grid_x = columns();
	d->grid_y = rows();
	d->lane_kbps = 2000000;
	d->lane_payload_kbps = 1889706;
	d->fec_n = 544;
	d->fec_k = 514;
	d->fec_symbol_bits = 10;
	d->standby = d->lane_test = true;
}

/* State of the receive lanes: a patch, and one lane of each kind. */
static uint32_t status_of(uint32_t i)
{
	const int x = i % columns() - 7, y = i / columns() - 5;
	const uint32_t data = fake_lanes() - spare_lanes();

	if (fake_is("dead"))
		return PNIC_LANE_STATUS_FAILED;
	if (fake_is("small"))
		return i < data ? PNIC_LANE_STATUS_ACTIVE : PNIC_LANE_STATUS_SPARE;
	if (x * x + y * y <= 5)
		return PNIC_LANE_STATUS_FAILED;
	switch (i) {
	case 3:
	case 222:
		return PNIC_LANE_STATUS_FAILED;
	case 17:
		return PNIC_LANE_STATUS_WATCH;
	case 18:
		return PNIC_LANE_STATUS_RETIRING;
	case 250:
		return PNIC_LANE_STATUS_QUARANTINED;
	case 251:
		return PNIC_LANE_STATUS_DISABLED;
	}
	if (i == fake_lanes() - 1)
		return PNIC_LANE_STATUS_TESTING;
	if (i >= data + 20)
		return PNIC_LANE_STATUS_SPARE;
	return PNIC_LANE_STATUS_ACTIVE;
}

static uint32_t count(uint32_t status)
{
	uint32_t i, n = 0;

	for (i = 0; i < fake_lanes(); i++)
		n += status_of(i) == status;
	return n;
}

static bool carries(uint32_t status)
{
	return status == PNIC_LANE_STATUS_ACTIVE || status == PNIC_LANE_STATUS_WATCH ||
	       status == PNIC_LANE_STATUS_RETIRING;
}

static void fake_dir(struct link_dir *d, uint32_t width)
{
	d->width = width;
	d->rate_mbps = width * 1889706ull / 1000;
	d->generation = 12;
	d->checksum = d->peer_checksum = 0xfeedbeef;
	d->peer_generation = 12;
	d->agreed = true;
	d->has &= ~(1ull << PNIC_A_LINK_DIR_STAGED);
	snprintf(d->proto_state, sizeof(d->proto_state), "idle");
}

static void fake_latency(struct link *l)
{
	static const uint64_t counts[] = { 0, 3, 120, 47, 9, 1, 0, 2 };
	struct bucket *b;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		b = list_add(&l->remap_latency, sizeof(*b));
		encode_has_all(&bucket_set, b);
		b->upto_ns = 250ull << i;
		b->count = counts[i];
		if (i == 7)
			b->has &= ~(1ull << PNIC_A_BUCKET_UPTO_NS);
	}
}

void fake_link(struct link *l, uint32_t index)
{
	const uint32_t data = fake_lanes() - spare_lanes();
	const bool dead = fake_is("dead"), off = fake_is("down");

	encode_has_all(&link_set, l);
	l->dev_index = index;
	l->status = dead ? PNIC_LINK_STATUS_DOWN : off ? PNIC_LINK_STATUS_DISABLED :
		    PNIC_LINK_STATUS_UP;
	l->admin_up = !off;
	l->width_max = data;
	l->spares = count(PNIC_LANE_STATUS_SPARE);
	l->active = count(PNIC_LANE_STATUS_ACTIVE);
	l->watch = count(PNIC_LANE_STATUS_WATCH);
	l->retiring = count(PNIC_LANE_STATUS_RETIRING);
	l->failed = count(PNIC_LANE_STATUS_FAILED);
	l->quarantined = count(PNIC_LANE_STATUS_QUARANTINED);
	l->testing = count(PNIC_LANE_STATUS_TESTING);
	l->disabled = count(PNIC_LANE_STATUS_DISABLED);
	fake_dir(&l->rx, l->active + l->watch + l->retiring);
	fake_dir(&l->tx, dead ? 0 : data);
	l->margin = dead ? -1 : 6;
	l->margin_erasure = dead ? -1 : 14;
	l->margin_min = dead ? -1 : 2;
	l->margin_min_window = dead ? -1 : 5;
	l->alarms = fake_is("alarms") ? 0x3ff : fake_is("small") ? 0 : PNIC_ALARM_CLUSTER;
	l->peer_known = !dead;
	l->peer_incarnation = 0x1234;
	l->remaps = 9;
	l->standby_remaps = 2;
	l->history_seq = FAKE_HISTORY;
	l->forecast.spares = l->spares;
	l->forecast.lost = 2;
	l->forecast.observed_s = 12 * 3600;
	l->forecast.life_s = 3 * 31557600ull;
	l->forecast.life_low_s = 31557600;
	if (fake_is("small"))
		l->forecast.has &= ~(1ull << PNIC_A_FORECAST_LIFE_S);
	l->forecast.has &= ~(1ull << PNIC_A_FORECAST_LIFE_HIGH_S);
	fake_latency(l);
}

void fake_lane(struct lane *l, uint32_t dev, uint32_t index, uint32_t direction)
{
	const uint32_t status = status_of(index);
	const bool dark = status == PNIC_LANE_STATUS_FAILED;

	encode_has_all(&lane_set, l);
	l->dev_index = dev;
	l->index = index;
	l->direction = direction;
	l->logical = index == fake_lanes() - 30 ? 3 : index;
	l->x = index % columns();
	l->y = index / columns();
	l->status = status;
	l->erased = dark;
	l->power_cdb = dark ? -6000 : (int32_t)noise(index, 60) - 40 -
		       (status == PNIC_LANE_STATUS_WATCH ? 110 : 0);
	l->bias_ua = 900 + noise(index, 100);
	l->age_hours = 1200 + noise(index, 9);
	l->error_ppb = dark ? 500000000 : noise(index, 900);
	l->error_ppb_low = l->error_ppb / 2;
	l->error_ppb_high = dark ? 510000000 : l->error_ppb * 2 + 10;
	l->evidence_mbits = 15000;
	l->sym_errors = noise(index, 5000);
	l->mbits = 1 << 20;
	l->losses = dark ? 1 : 0;
	l->generation = 7;
	l->standby = fake_lanes() - 2;
	l->known_bad = index == 222;
	if (!carries(status))
		l->has &= ~(1ull << PNIC_A_LANE_LOGICAL);
	if (index >= 14)
		l->has &= ~(1ull << PNIC_A_LANE_STANDBY);
	l->standby = fake_lanes() - 2 - index;
	if (direction == PNIC_DIRECTION_TX)
		l->has &= ~(1ull << PNIC_A_LANE_POWER_CDB);
}

void fake_plan(struct plan *p, uint32_t dev)
{
	struct text *note;
	struct move *m;

	encode_has_all(&plan_set, p);
	p->has &= ~(1ull << PNIC_A_PLAN_REFUSED);
	p->dev_index = dev;
	p->generation = 12;
	p->margin_now = 6;
	p->margin_then = 7;
	p->width_now = 425;
	p->width_then = 425;
	p->rate_now_mbps = 803125;
	p->rate_then_mbps = 803125;
	m = list_add(&p->moves, sizeof(*m));
	encode_has_all(&move_set, m);
	m->logical = 17;
	m->from = 17;
	m->to = 439;
	note = list_add(&p->notes, sizeof(*note));
	snprintf(note->s, sizeof(note->s), "%s",
		 hostile("logical 17: lane 17 (watch) replaced by spare 439"));
}

void fake_policy(struct policy *p, uint32_t dev)
{
	static const uint32_t values[] = {
		1, 1, 65000, 2400000, 95000000, 10, 50, 100, 5, 1000, 3, 3600, 10000, 600000, 100,
		5000, 60, 1000, 1000, 64,
	};
	unsigned int i;

	encode_has_all(&policy_set, p);
	p->dev_index = dev;
	p->revision = 3;
	for (i = 0; i < ARRAY_SIZE(values); i++)
		p->knob[PNIC_A_POLICY_MANAGE + i] = values[i];
}

void fake_history(struct history *h, uint32_t dev, uint64_t seq)
{
	encode_has_all(&history_set, h);
	h->dev_index = dev;
	h->seq = seq;
	h->time_ns = seq * 1000000007;
	h->wall_ns = 1795000000000000000ull + h->time_ns;
	h->missed = seq == 1 ? 4 : 0;
	if (seq != 1)
		h->has &= ~(1ull << PNIC_A_HISTORY_MISSED);
	h->actor = seq % 4;
	h->lane = 17;
	h->generation = 11;
	snprintf(h->code, sizeof(h->code), "replace");
	snprintf(h->text, sizeof(h->text), "%s",
		 hostile("logical 17: lane 17 (failed) replaced by spare 439"));
}

void fake_cable(struct cable *c, uint32_t dev)
{
	struct record *r;
	struct dev d = {};
	unsigned int i;

	fake_dev(&d, 0);
	encode_has_all(&cable_set, c);
	c->dev_index = dev;
	c->lanes = fake_lanes();
	snprintf(c->cable_serial, sizeof(c->cable_serial), "%s", d.cable_serial);
	for (i = 0; i < 3; i++) {
		r = list_add(&c->records, sizeof(*r));
		encode_has_all(&record_set, r);
		r->lane = 3 * i;
		r->losses = i;
		r->age_hours = 100;
		r->known_bad = i == 2;
	}
}

void fake_counters(struct counters *c, uint32_t dev)
{
	static unsigned int calls;
	const struct field *f;
	uint64_t *count;
	unsigned int i;

	encode_has_all(&counters_set, c);
	calls++;
	for (f = counters_set.fields; f < counters_set.fields + counters_set.n; f++)
		if (f->kind == F_UINT && !f->multi)
			*(uint64_t *)((char *)c + f->off) = f->attr * 1000 + calls * 100;
	c->dev_index = dev;
	c->payload_tx = 5ull << 40;
	for (i = 0; i < HIST_BINS; i++) {
		count = list_add(&c->hist, sizeof(*count));
		*count = (uint64_t)(1e9 / pow(20, i));
	}
}

void fake_res(struct res *r, uint32_t dev, uint32_t i)
{
	encode_has_all(&res_set, r);
	r->dev_index = dev;
	r->file = i;
	r->pid = i ? 4000 + i : 0;
	snprintf(r->comm, sizeof(r->comm), "%s", hostile("pnic-allreduce"));
	r->context = i;
	r->partition = 1;
	r->regions = 12;
	r->cqs = 2;
	r->endpoints = 1;
	r->pinned_bytes = 3ull << 29;
	r->ring_bytes = 1 << 17;
	r->dead = i == 1;
}

void fake_grant(struct grant *g, uint32_t dev, uint32_t i)
{
	encode_has_all(&grant_set, g);
	g->dev_index = dev;
	g->partition = 7 + i;
	g->uid = i ? 4000000000u : 0;
}

void fake_object(struct object *o, uint32_t dev, uint32_t kind, uint32_t i)
{
	encode_has_all(&object_set, o);
	o->dev_index = dev;
	o->kind = kind;
	o->id = i;
	o->pid = 4001;
	snprintf(o->comm, sizeof(o->comm), "pnic-allreduce");
	o->bytes = 1 << 20;
	o->entries = 256;
	o->rx_entries = 512;
	o->rights = 7;
}
