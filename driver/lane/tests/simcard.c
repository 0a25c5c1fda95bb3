// SPDX-License-Identifier: GPL-2.0
/*
 * A small link with a card at each end, for tests of the lane protocol.
 */
#include "../table.h"
#include "simcard.h"

static void map_copy(struct sim_map *to, const struct sim_map *from)
{
	to->generation = from->generation;
	to->width = from->width;
	memcpy(to->phys, from->phys, from->width * sizeof(from->phys[0]));
}

static void map_identity(struct sim_map *map, u16 width)
{
	u16 i;

	map->generation = 1;
	map->width = width;
	for (i = 0; i < width; i++)
		map->phys[i] = i;
}

static bool map_same(const struct sim_map *a, const struct sim_map *b)
{
	return a->width == b->width && !memcmp(a->phys, b->phys, a->width * sizeof(a->phys[0]));
}

/* The direction that @end receives by, or transmits by. */
static struct sim_dir *dir_of(struct sim_link *l, int end, u8 dir)
{
	return &l->dir[dir == PNIC_DIR_TX ? end : !end];
}

static const struct sim_dir *const_dir_of(const struct sim_link *l, int end, u8 dir)
{
	return &l->dir[dir == PNIC_DIR_TX ? end : !end];
}

/* A receiver that takes a stream for its own generation must read it right. */
static void check(struct sim_link *l, const struct sim_dir *d)
{
	if (d->rx.generation == d->line.generation && !map_same(&d->rx, &d->line))
		l->broken = "a symbol is read by another map than it was sent by";
}

void sim_init(struct sim_link *l, const struct lane_shape *shape, u64 seed)
{
	int e;

	l->shape = *shape;
	rng_seed(&l->rng, seed);
	l->now = 0;
	l->loss = 0;
	l->dup = 0;
	l->stall = 0;
	l->marker_loss = 0;
	l->refuse = 0;
	l->flight = 5;
	l->flight_spread = 0;
	l->stall_ns = 0;
	l->heartbeat_ns = 50;
	l->grid_x = 20;
	l->fallback_keeps_staged = false;
	l->broken = NULL;
	l->markers = 0;
	l->fallbacks = 0;
	l->sent = 0;
	l->delivered = 0;
	for (e = 0; e < 2; e++) {
		struct sim_dir *d = &l->dir[e];

		memset(d->dark, 0, shape->total * sizeof(d->dark[0]));
		d->lit = shape->total;
		map_identity(&d->tx, shape->data);
		map_copy(&d->line, &d->tx);
		map_copy(&d->rx, &d->tx);
		d->tx_staged.generation = 0;
		d->rx_staged.generation = 0;
		d->head = 0;
		d->tail = 0;
		d->last_at = 0;
		d->heartbeat_at = 0;
		d->after_reset = true;
		l->inbox[e].head = 0;
		l->inbox[e].tail = 0;
	}
}

/* A place at the end of the stream, NULL if it is full (then what is sent is lost). */
static struct sim_item *push(struct sim_link *l, struct sim_dir *d, enum sim_kind kind)
{
	struct sim_item *item;
	u64 at = l->now + l->flight + rng_below(&l->rng, l->flight_spread + 1);

	if (d->tail - d->head >= SIM_STREAM)
		return NULL;
	if (kind == SIM_MSG && rng_chance(&l->rng, l->stall))
		at += rng_below(&l->rng, l->stall_ns + 1);
	if (at < d->last_at)
		at = d->last_at;
	d->last_at = at;
	item = &d->stream[d->tail++ % SIM_STREAM];
	item->at = at;
	item->kind = kind;
	return item;
}

static void push_marker(struct sim_link *l, struct sim_dir *d)
{
	struct sim_item *item = push(l, d, SIM_MARKER);

	if (item)
		map_copy(&item->map, &d->tx);
	else
		l->broken = "test: stream too short for a marker";
}

static void fall_back(struct sim_link *l, struct sim_dir *d)
{
	if (d->rx.generation != 1) {
		map_identity(&d->rx, l->shape.data);
		l->fallbacks++;
		if (!l->fallback_keeps_staged)
			d->rx_staged.generation = 0;
	}
}

static void meet_marker(struct sim_link *l, struct sim_dir *d, const struct sim_map *map)
{
	map_copy(&d->line, map);
	if (!d->lit || rng_chance(&l->rng, l->marker_loss))
		return;
	l->markers++;
	if (map->generation == 1) {
		fall_back(l, d);
	} else if (d->rx_staged.generation == map->generation) {
		map_copy(&d->rx, &d->rx_staged);
		d->rx_staged.generation = 0;
	}
}

static void take_message(struct sim_link *l, int to, const struct sim_dir *d,
			 const struct sim_item *item)
{
	struct sim_inbox *in = &l->inbox[to];
	u16 slot;

	if (!d->lit || in->tail - in->head >= SIM_INBOX)
		return;
	slot = in->tail++ % SIM_INBOX;
	in->len[slot] = item->len;
	memcpy(in->msg[slot], item->msg, item->len);
	l->delivered++;
}

static void arrive(struct sim_link *l, int from)
{
	struct sim_dir *d = &l->dir[from];
	struct sim_item *item = &d->stream[d->head++ % SIM_STREAM];

	switch (item->kind) {
	case SIM_MSG:
		take_message(l, !from, d, item);
		break;
	case SIM_MARKER:
		meet_marker(l, d, &item->map);
		break;
	case SIM_REMAP:
		map_copy(&d->line, &item->map);
		break;
	}
	check(l, d);
}

u64 sim_next(const struct sim_link *l)
{
	u64 at = LANE_NEVER;
	int e;

	for (e = 0; e < 2; e++) {
		const struct sim_dir *d = &l->dir[e];

		if (d->head != d->tail && d->stream[d->head % SIM_STREAM].at < at)
			at = d->stream[d->head % SIM_STREAM].at;
		if (d->after_reset && d->heartbeat_at < at)
			at = d->heartbeat_at;
	}
	return at;
}

void sim_advance(struct sim_link *l, u64 now)
{
	int e;

	l->now = now;
	for (e = 0; e < 2; e++) {
		struct sim_dir *d = &l->dir[e];

		if (d->after_reset && now >= d->heartbeat_at) {
			d->heartbeat_at = now + l->heartbeat_ns;
			push_marker(l, d);
		}
		while (d->head != d->tail && d->stream[d->head % SIM_STREAM].at <= now)
			arrive(l, e);
	}
}

void sim_reset(struct sim_link *l, int end)
{
	struct sim_dir *out = &l->dir[end], *in = &l->dir[!end];
	struct sim_item *item;

	map_identity(&out->tx, l->shape.data);
	out->tx_staged.generation = 0;
	out->after_reset = true;
	out->heartbeat_at = l->now + rng_below(&l->rng, l->heartbeat_ns);
	item = push(l, out, SIM_REMAP);
	if (item)
		map_copy(&item->map, &out->tx);
	else
		l->broken = "test: stream too short for a reset";
	map_identity(&in->rx, l->shape.data);
	in->rx_staged.generation = 0;
	l->inbox[end].head = l->inbox[end].tail;
	check(l, in);
}

void sim_lane(struct sim_link *l, int from, u16 lane, bool dark)
{
	struct sim_dir *d = &l->dir[from];

	if (d->dark[lane] == dark)
		return;
	d->dark[lane] = dark;
	d->lit += dark ? -1 : 1;
}

int sim_stage(struct sim_link *l, int end, u8 dir, const struct lane_map *map)
{
	struct sim_dir *d = dir_of(l, end, dir);
	struct sim_map *staged = dir == PNIC_DIR_TX ? &d->tx_staged : &d->rx_staged;
	u32 active = dir == PNIC_DIR_TX ? d->tx.generation : d->rx.generation;
	bool back = dir == PNIC_DIR_TX && map->generation == 1;
	int why = lane_map_check(map, &l->shape);

	if (why) {
		l->broken = "a map that makes no sense reached the card";
		return why;
	}
	if (map->generation != active + 1 && !back)
		return PNIC_MAPR_GENERATION;
	if (rng_chance(&l->rng, l->refuse))
		return -1;
	staged->generation = map->generation;
	staged->width = map->width;
	memcpy(staged->phys, map->phys, map->width * sizeof(map->phys[0]));
	return 0;
}

int sim_switch(struct sim_link *l, int end, u32 generation)
{
	struct sim_dir *d = &l->dir[end];

	if (!d->tx_staged.generation || d->tx_staged.generation != generation)
		return -1;
	if (rng_chance(&l->rng, l->refuse))
		return -1;
	map_copy(&d->tx, &d->tx_staged);
	d->tx_staged.generation = 0;
	if (generation != 1)
		d->after_reset = false;
	push_marker(l, d);
	return 0;
}

int sim_abort(struct sim_link *l, int end, u8 dir, u32 generation)
{
	struct sim_dir *d = dir_of(l, end, dir);
	struct sim_map *staged = dir == PNIC_DIR_TX ? &d->tx_staged : &d->rx_staged;

	if (staged->generation != generation)
		return -1;
	staged->generation = 0;
	return 0;
}

int sim_send(struct sim_link *l, int end, const void *msg, size_t len)
{
	struct sim_dir *d = &l->dir[end];
	int copies = 1 + rng_chance(&l->rng, l->dup);

	l->sent++;
	if (!d->lit)
		return -1;
	if (rng_chance(&l->rng, l->loss))
		return 0;
	while (copies--) {
		struct sim_item *item;

		/* Markers need room always. */
		if (d->tail - d->head >= SIM_STREAM - 8)
			return 0;
		item = push(l, d, SIM_MSG);
		item->len = len;
		memcpy(item->msg, msg, len);
	}
	return 0;
}

int sim_recv(struct sim_link *l, int end, void *buf)
{
	struct sim_inbox *in = &l->inbox[end];
	u16 slot;

	if (in->head == in->tail)
		return 0;
	slot = in->head++ % SIM_INBOX;
	memcpy(buf, in->msg[slot], in->len[slot]);
	return in->len[slot];
}

void sim_map(const struct sim_link *l, int end, u8 dir, struct lane_map *map)
{
	const struct sim_dir *d = const_dir_of(l, end, dir);
	const struct sim_map *from = dir == PNIC_DIR_TX ? &d->tx : &d->rx;

	map->generation = from->generation;
	map->width = from->width;
	memcpy(map->phys, from->phys, from->width * sizeof(from->phys[0]));
}

int sim_table(struct sim_link *l, int end, void *buf, size_t cap)
{
	const struct sim_dir *d = &l->dir[!end];
	struct pnic_lane_table *head = buf;
	struct pnic_lane_rec *rec = (void *)(head + 1);
	u16 i;

	if (cap < lane_table_size(l->shape.total))
		return -1;
	memset(buf, 0, lane_table_size(l->shape.total));
	head->count = cpu_to_le16(l->shape.total);
	head->rec_size = cpu_to_le16(sizeof(*rec));
	for (i = 0; i < l->shape.total; i++) {
		rec[i].lane = cpu_to_le16(i);
		rec[i].x = i % l->grid_x;
		rec[i].y = i / l->grid_x;
		rec[i].state = d->dark[i] ? PNIC_LANE_LOS : PNIC_LANE_IDLE;
		rec[i].flags = d->dark[i] ? PNIC_LANEF_ERASED : 0;
	}
	return lane_table_size(l->shape.total);
}

u32 sim_gen(const struct sim_link *l, int end, u8 dir)
{
	const struct sim_dir *d = const_dir_of(l, end, dir);

	return dir == PNIC_DIR_TX ? d->tx.generation : d->rx.generation;
}

bool sim_settled(const struct sim_link *l)
{
	int e;

	for (e = 0; e < 2; e++) {
		const struct sim_dir *d = &l->dir[e];

		if (d->tx.generation != d->rx.generation || !map_same(&d->tx, &d->rx) ||
		    !map_same(&d->tx, &d->line) || d->tx_staged.generation ||
		    d->rx_staged.generation)
			return false;
	}
	return true;
}
