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

static u32 map_sum(const struct sim_map *map)
{
	static struct lane_map m;

	m.width = map->width;
	memcpy(m.phys, map->phys, map->width * sizeof(map->phys[0]));
	return lane_map_sum(&m);
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
static void check(struct sim_link *l, struct sim_dir *d)
{
	if (d->rx.generation != d->line.generation)
		return;
	if (map_same(&d->rx, &d->line))
		/* Until nothing that was sent meanwhile is on its way. */
		d->corrupted = d->corrupted &&
			       (!map_same(&d->tx, &d->line) || d->head != d->tail);
	else if (!d->corrupted)
		l->broken = "a symbol is read by another map than it was sent by";
}

static bool lane_twice(const struct sim_map *map)
{
	bool seen[SIM_LANES] = { false };
	u16 i;

	for (i = 0; i < map->width; i++) {
		if (seen[map->phys[i]])
			return true;
		seen[map->phys[i]] = true;
	}
	return false;
}

static void activated(struct sim_link *l, const struct sim_map *map)
{
	if (lane_twice(map))
		l->broken = "a lane carries two logical lanes";
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
	l->detect_ns = 10;
	l->no_standby = false;
	l->requests = 0;
	l->mended = 0;
	l->wrong_sums = 0;
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
		d->tx_plan.generation = 0;
		d->rx_plan.generation = 0;
		d->asking = false;
		d->corrupted = false;
		d->look_at = LANE_NEVER;
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

	if (!item) {
		l->broken = "test: stream too short for a marker";
		return;
	}
	map_copy(&item->map, &d->tx);
	item->sum = map_sum(&d->tx);
}

/* ---- standby plans ---- */

/* As long as a marker or two still have room. */
static bool has_room(const struct sim_dir *d)
{
	return d->tail - d->head < SIM_STREAM - 8;
}

static void look_soon(struct sim_link *l, struct sim_dir *d)
{
	u64 at = l->now + rng_below(&l->rng, l->detect_ns + 1);

	if (at < d->look_at)
		d->look_at = at;
}

static bool in_map(const struct sim_map *map, u16 lane)
{
	u16 i;

	for (i = 0; i < map->width; i++)
		if (map->phys[i] == lane)
			return true;
	return false;
}

/* What the new map uses no longer stands by. */
static void keep_rest(struct sim_map *plan, const struct sim_map *map)
{
	u16 i, left = 0;

	for (i = 0; i < plan->width; i++) {
		if (plan->phys[i] != LANE_NONE && in_map(map, plan->phys[i]))
			plan->phys[i] = LANE_NONE;
		left += plan->phys[i] != LANE_NONE;
	}
	plan->generation = left ? map->generation : 0;
}

static void apply(struct sim_map *map, const struct sim_map *moves)
{
	u16 i;

	for (i = 0; i < map->width; i++)
		if (moves->phys[i] != LANE_NONE)
			map->phys[i] = moves->phys[i];
	map->generation++;
}

static void push_request(struct sim_link *l, struct sim_dir *d)
{
	struct sim_dir *back = &l->dir[d == &l->dir[0]];
	struct sim_item *item;

	d->repeat_at = l->now + l->heartbeat_ns;
	l->requests++;
	if (!has_room(back))
		return;
	item = push(l, back, SIM_REQUEST);
	map_copy(&item->map, &d->moves);
	item->sum = d->moves_sum;
}

/* The receiver looks whether its plan has something for a lost lane. */
static void look(struct sim_link *l, struct sim_dir *d)
{
	u16 i, n = 0;

	d->look_at = LANE_NEVER;
	if (!d->rx_plan.generation || d->rx_staged.generation)
		return;
	map_copy(&d->moves, &d->rx_plan);
	for (i = 0; i < d->rx.width; i++) {
		u16 *spare = &d->moves.phys[i];

		if (!d->dark[d->rx.phys[i]])
			*spare = LANE_NONE;
		if (*spare == LANE_NONE)
			continue;
		/* Of two that share one: the lower logical lane. */
		d->moves.width = i;
		if (d->dark[*spare] || in_map(&d->moves, *spare) || in_map(&d->rx, *spare))
			*spare = LANE_NONE;
		else
			n++;
	}
	d->moves.width = d->rx.width;
	if (!n)
		return;
	map_copy(&d->rx_staged, &d->rx);
	apply(&d->rx_staged, &d->moves);
	d->moves.generation = d->rx_staged.generation;
	d->moves_sum = map_sum(&d->rx_staged);
	d->asking = true;
	d->repeats = 10;
	push_request(l, d);
}

static void repeat(struct sim_link *l, struct sim_dir *d)
{
	if (d->repeats--) {
		push_request(l, d);
		return;
	}
	d->asking = false;
	d->rx_staged.generation = 0;
	d->rx_plan.generation = 0;
}

static bool in_plan(const struct sim_dir *d, const struct sim_map *moves)
{
	u16 i;

	if (d->tx_plan.generation != d->tx.generation || moves->width != d->tx_plan.width)
		return false;
	for (i = 0; i < moves->width; i++)
		if (moves->phys[i] != LANE_NONE && moves->phys[i] != d->tx_plan.phys[i])
			return false;
	return true;
}

/* At the transmitter of @d. */
static void meet_request(struct sim_link *l, struct sim_dir *d, const struct sim_item *item)
{
	static struct sim_map map;

	if (item->map.generation == d->tx.generation && item->sum == map_sum(&d->tx)) {
		if (has_room(d))
			push_marker(l, d);
		return;
	}
	if (item->map.generation != d->tx.generation + 1 || d->tx_staged.generation ||
	    !in_plan(d, &item->map))
		return;
	map_copy(&map, &d->tx);
	apply(&map, &item->map);
	if (map_sum(&map) != item->sum || !has_room(d))
		return;
	map_copy(&d->tx, &map);
	activated(l, &d->tx);
	keep_rest(&d->tx_plan, &d->tx);
	d->after_reset = false;
	l->mended++;
	push_marker(l, d);
}

/* The receiver's map has become another one; @own: by its request. */
static void rx_changed(struct sim_link *l, struct sim_dir *d, bool own)
{
	activated(l, &d->rx);
	if (own)
		keep_rest(&d->rx_plan, &d->rx);
	else
		d->rx_plan.generation = 0;
	if (d->asking)
		d->rx_staged.generation = 0;
	d->asking = false;
	look_soon(l, d);
}

/* ---- markers ---- */

static void fall_back(struct sim_link *l, struct sim_dir *d, u32 sum)
{
	static struct sim_map identity;

	map_identity(&identity, l->shape.data);
	if (sum != map_sum(&identity)) {
		l->wrong_sums++;
		return;
	}
	if (d->rx.generation == 1 && map_same(&d->rx, &identity))
		return;
	map_copy(&d->rx, &identity);
	l->fallbacks++;
	if (!l->fallback_keeps_staged)
		d->rx_staged.generation = 0;
	rx_changed(l, d, false);
}

static void meet_marker(struct sim_link *l, struct sim_dir *d, const struct sim_item *item)
{
	u32 generation = item->map.generation;

	map_copy(&d->line, &item->map);
	if (!d->lit || rng_chance(&l->rng, l->marker_loss))
		return;
	l->markers++;
	if (generation == 1) {
		fall_back(l, d, item->sum);
	} else if (d->rx_staged.generation == generation) {
		if (map_sum(&d->rx_staged) != item->sum) {
			l->wrong_sums++;
			return;
		}
		map_copy(&d->rx, &d->rx_staged);
		d->rx_staged.generation = 0;
		rx_changed(l, d, d->asking);
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
		meet_marker(l, d, item);
		break;
	case SIM_REQUEST:
		if (d->lit && !rng_chance(&l->rng, l->loss))
			meet_request(l, &l->dir[!from], item);
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
		if (d->look_at < at)
			at = d->look_at;
		if (d->asking && d->repeat_at < at)
			at = d->repeat_at;
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
		if (now >= d->look_at)
			look(l, d);
		if (d->asking && now >= d->repeat_at)
			repeat(l, d);
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
	out->tx_plan.generation = 0;
	out->after_reset = true;
	out->heartbeat_at = l->now + rng_below(&l->rng, l->heartbeat_ns);
	item = push(l, out, SIM_REMAP);
	if (item)
		map_copy(&item->map, &out->tx);
	else
		l->broken = "test: stream too short for a reset";
	map_identity(&in->rx, l->shape.data);
	in->rx_staged.generation = 0;
	in->rx_plan.generation = 0;
	in->asking = false;
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
	look_soon(l, d);
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
	if (dir == PNIC_DIR_RX && d->asking)
		return -1;
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
	d->tx_plan.generation = 0;
	activated(l, &d->tx);
	if (generation != 1)
		d->after_reset = false;
	push_marker(l, d);
	return 0;
}

int sim_abort(struct sim_link *l, int end, u8 dir, u32 generation)
{
	struct sim_dir *d = dir_of(l, end, dir);
	struct sim_map *staged = dir == PNIC_DIR_TX ? &d->tx_staged : &d->rx_staged;

	if (staged->generation != generation || (dir == PNIC_DIR_RX && d->asking))
		return -1;
	staged->generation = 0;
	if (dir == PNIC_DIR_RX)
		look_soon(l, d);
	return 0;
}

void sim_late_request(struct sim_link *l, int end, u16 logical)
{
	struct sim_dir *d = dir_of(l, end, PNIC_DIR_RX);
	static struct sim_map map;
	u16 i;

	map_copy(&d->moves, &d->rx_plan);
	for (i = 0; i < d->moves.width; i++)
		if (i != logical)
			d->moves.phys[i] = LANE_NONE;
	map_copy(&map, &d->rx);
	apply(&map, &d->moves);
	d->moves.generation = map.generation;
	d->moves_sum = map_sum(&map);
	push_request(l, d);
}

static int plan_refusal(const struct sim_link *l, const struct sim_map *active,
			const struct lane_map *plan)
{
	u16 i;

	if (plan->width != active->width)
		return PNIC_MAPR_WIDTH;
	if (plan->generation != active->generation)
		return PNIC_MAPR_GENERATION;
	for (i = 0; i < plan->width; i++) {
		if (plan->phys[i] == LANE_NONE)
			continue;
		if (plan->phys[i] >= l->shape.total)
			return PNIC_MAPR_RANGE;
		if (in_map(active, plan->phys[i]))
			return PNIC_MAPR_IN_USE;
	}
	return 0;
}

int sim_standby(struct sim_link *l, int end, u8 dir, const struct lane_map *plan)
{
	struct sim_dir *d = dir_of(l, end, dir);
	struct sim_map *to = dir == PNIC_DIR_TX ? &d->tx_plan : &d->rx_plan;
	int why;

	if (l->no_standby || (dir == PNIC_DIR_RX && d->asking) || rng_chance(&l->rng, l->refuse))
		return -1;
	if (!plan->width) {
		to->generation = 0;
		return 0;
	}
	why = plan_refusal(l, dir == PNIC_DIR_TX ? &d->tx : &d->rx, plan);
	if (why) {
		if (why != PNIC_MAPR_GENERATION && !d->corrupted)
			l->broken = "a plan that makes no sense reached the card";
		return why;
	}
	to->generation = plan->generation;
	to->width = plan->width;
	memcpy(to->phys, plan->phys, plan->width * sizeof(plan->phys[0]));
	if (dir == PNIC_DIR_RX)
		look_soon(l, d);
	return 0;
}

void sim_corrupt(struct sim_link *l, int end, u8 dir, bool impossible)
{
	struct sim_dir *d = dir_of(l, end, dir);
	struct sim_map *map = dir == PNIC_DIR_TX ? &d->tx : &d->rx;
	u16 i = rng_below(&l->rng, map->width), lane;

	if (impossible) {
		map->phys[i] = l->shape.total;
	} else {
		lane = rng_below(&l->rng, l->shape.total);
		if (in_map(map, lane))
			return;
		map->phys[i] = lane;
	}
	d->corrupted = true;
	if (dir == PNIC_DIR_TX) {
		struct sim_item *item = push(l, d, SIM_REMAP);

		if (item)
			map_copy(&item->map, &d->tx);
		else
			l->broken = "test: stream too short";
	}
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
		    d->rx_staged.generation || d->asking)
			return false;
	}
	return true;
}
