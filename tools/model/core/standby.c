// SPDX-License-Identifier: GPL-2.0
/*
 * Standby plans: lost lanes replaced by the two cards themselves (hardware-interface.rst, 8.7).
 * STANDBY loads a plan; lanes.c and map.c say when something that it depends on has changed.
 *
 * The receiver that loses a lane stages the map with the spare and asks for it by a request
 * in the stream of the other direction; the transmitter, if its own plan says the same, switches.
 * Both have the plan from their hosts, so a request needs to say only which entries it is
 * about, and what comes out.
 */
#include <stddef.h>
#include <string.h>

#include "link_int.h"

#define REPEATS		10
#define REQUEST_BYTES	(16 + 4 * PM_REQUEST_MOVES)

/* What is left of *@plan now that @m is active. */
static void keep_rest(struct pm_map **plan, const struct pm_map *m)
{
	struct pm_map *rest = pm_map_copy(*plan);
	bool used[PNIC_LANES_MAX] = { false }, any = false;
	unsigned int l;

	for (l = 0; l < m->width; l++)
		used[m->phys[l]] = true;
	for (l = 0; rest && l < rest->width; l++) {
		if (rest->phys[l] == PNIC_LANE_NONE)
			continue;
		if (used[rest->phys[l]])
			rest->phys[l] = PNIC_LANE_NONE;
		else
			any = true;
	}
	if (rest)
		rest->generation = m->generation;
	if (!any) {
		pm_map_put(rest);
		rest = NULL;
	}
	pm_map_set(plan, rest);
}

void pm_standby_mapped(struct pm_dir *d, int dir, bool mended)
{
	struct pm_standby *s = &d->standby;
	struct pm_map **plan = dir == PNIC_DIR_TX ? &s->tx_plan : &s->rx_plan;
	const struct pm_map *m = dir == PNIC_DIR_TX ? d->tx_map : d->rx_map;

	if (dir == PNIC_DIR_RX) {
		s->asking = false;
		pm_sim_cancel(d->link->sim, &s->repeat);
		d->rx->standby.switches_rx += mended;
	} else {
		d->tx->standby.switches_tx += mended;
	}
	if (mended && *plan)
		keep_rest(plan, m);
	else
		pm_map_set(plan, NULL);
}

/* At the receiver */

static bool can_take_over(const struct pm_dir *d, unsigned int spare)
{
	const struct pm_lane *lane = &d->lane[spare];

	return lane->lit && lane->locked && lane->logical == PNIC_LANE_NONE &&
	       !pm_lanetest_running(d, spare);
}

/* The active map with all lost lanes replaced that the plan has a spare for; NULL: none. */
static struct pm_map *mended_map(struct pm_dir *d)
{
	struct pm_standby *s = &d->standby;
	bool used[PNIC_LANES_MAX] = { false };
	struct pm_map *m = NULL;
	unsigned int l;

	s->request.moves = 0;
	for (l = 0; l < d->rx_map->width && s->request.moves < PM_REQUEST_MOVES; l++) {
		const struct pm_lane *lost = &d->lane[d->rx_map->phys[l]];
		uint16_t spare = s->rx_plan->phys[l];

		if (lost->locked || spare == PNIC_LANE_NONE || used[spare] ||
		    !can_take_over(d, spare))
			continue;
		if (!m)
			m = pm_map_copy(d->rx_map);
		if (!m)
			return NULL;
		if (!s->request.moves || lost->lost_at < s->detected)
			s->detected = lost->lost_at;
		used[spare] = true;
		m->phys[l] = spare;
		s->request.move[s->request.moves].logical = (uint16_t)l;
		s->request.move[s->request.moves++].lane = spare;
	}
	return m;
}

static void send_request(struct pm_dir *d)
{
	struct pm_dir *back = d->rx->out;

	pm_llr_tx_recall(back);
	d->rx->standby.requests++;
	pm_llr_tx_request(back, &d->standby.request);
	pm_sim_at(d->link->sim, &d->standby.repeat,
		  pm_dir_now(d) + d->link->config.heartbeat_us * 1000ull);
}

static void repeat_event(void *arg, uint64_t now)
{
	struct pm_dir *d = arg;
	struct pm_standby *s = &d->standby;

	(void)now;
	if (s->repeats) {
		s->repeats--;
		send_request(d);
		return;
	}
	s->asking = false;
	d->rx->standby.given_up++;
	pm_map_set(&d->rx_staged, NULL);
	pm_map_set(&s->rx_plan, NULL);
}

void pm_standby_review(struct pm_dir *d)
{
	struct pm_standby *s = &d->standby;
	struct pm_map *m;

	if (!s->rx_plan || d->rx_staged)
		return;
	m = mended_map(d);
	if (!m)
		return;
	m->generation = pm_map_next(d->rx_map->generation);
	s->request.generation = m->generation;
	s->request.sum = pm_map_sum(m);
	s->asking = true;
	s->repeats = REPEATS;
	pm_map_set(&d->rx_staged, m);
	send_request(d);
}

/* At the transmitter */

/* The map that a request makes of the active one; NULL: it isn't what the plan says. */
static struct pm_map *planned_map(const struct pm_dir *d, const struct pm_request *r)
{
	const struct pm_map *plan = d->standby.tx_plan;
	struct pm_map *m;
	unsigned int i;

	if (!plan || d->tx_staged || r->generation != pm_map_next(d->tx_map->generation))
		return NULL;
	for (i = 0; i < r->moves; i++)
		if (r->move[i].logical >= plan->width || r->move[i].lane == PNIC_LANE_NONE ||
		    plan->phys[r->move[i].logical] != r->move[i].lane ||
		    d->lane[r->move[i].lane].off_tx)
			return NULL;
	m = pm_map_copy(d->tx_map);
	for (i = 0; m && i < r->moves; i++)
		m->phys[r->move[i].logical] = r->move[i].lane;
	if (m && pm_map_sum(m) != r->sum) {
		pm_map_put(m);
		return NULL;
	}
	if (m)
		m->generation = r->generation;
	return m;
}

/* @d is the direction whose map it is about. */
static bool follow(struct pm_dir *d, const struct pm_request *r)
{
	struct pm_map *m;
	bool done;

	if (r->generation == d->tx_map->generation && r->sum == pm_map_sum(d->tx_map)) {
		pm_llr_tx_recall(d);
		return pm_map_remind(d);
	}
	m = planned_map(d, r);
	if (!m)
		return false;
	pm_llr_tx_recall(d);
	done = pm_map_mend(d, m, pm_dir_now(d));
	pm_map_put(m);
	return done;
}

void pm_standby_requested(struct pm_dir *back, const struct pm_flight *e)
{
	struct pm_port *p = back->rx;
	struct pm_dir *d = p->out;

	if (d->standby.drop) {
		d->standby.drop--;
	} else if (pm_lanes_lit(back) && pm_lanes_carry(back, REQUEST_BYTES, &d->standby.rng)) {
		p->standby.requests_rx++;
		if (!d->link->config.standby || !follow(d, e->request))
			p->standby.ignored++;
	}
	pm_flight_free((struct pm_flight *)e);
}

/* Commands */

static struct pm_dir *dir_of(struct pm_port *p, int dir)
{
	return dir == PNIC_DIR_TX ? p->out : dir == PNIC_DIR_RX ? p->in : NULL;
}

/* 0, or enum pnic_map_refusal. */
static int check_plan(const struct pm_dir *d, int dir, const struct pm_map *plan)
{
	const struct pm_map *active = dir == PNIC_DIR_TX ? d->tx_map : d->rx_map;
	bool used[PNIC_LANES_MAX] = { false };
	unsigned int l, spare;

	if (!plan || plan->width != active->width)
		return PNIC_MAPR_WIDTH;
	if (plan->generation != active->generation)
		return PNIC_MAPR_GENERATION;
	for (l = 0; l < active->width; l++)
		used[active->phys[l]] = true;
	for (l = 0; l < plan->width; l++) {
		spare = plan->phys[l];
		if (spare == PNIC_LANE_NONE)
			continue;
		if (spare >= d->lanes)
			return PNIC_MAPR_RANGE;
		if (used[spare])
			return PNIC_MAPR_IN_USE;
		if (dir == PNIC_DIR_TX ? d->lane[spare].off_tx : d->lane[spare].off)
			return PNIC_MAPR_OFF;
	}
	return 0;
}

int pm_port_standby(struct pm_port *p, int dir, const void *buf, size_t len, uint64_t *detail)
{
	struct pm_dir *d = dir_of(p, dir);
	struct pm_map *plan = NULL;
	int why = 0;

	*detail = 0;
	if (!p->link->config.standby)
		return PNIC_AS_BAD_OPCODE;
	if (!d) {
		*detail = offsetof(struct pnic_adm_map, dir);
		return PNIC_AS_INVALID_FIELD;
	}
	if (dir == PNIC_DIR_RX && d->standby.asking)
		return PNIC_AS_BUSY;
	if (len) {
		plan = pm_map_read(buf, len, p->link->config.lanes_data);
		why = check_plan(d, dir, plan);
	}
	if (why) {
		pm_map_put(plan);
		*detail = (uint64_t)why;
		return PNIC_AS_REFUSED;
	}
	pm_map_set(dir == PNIC_DIR_TX ? &d->standby.tx_plan : &d->standby.rx_plan, plan);
	if (dir == PNIC_DIR_RX)
		pm_standby_review(d);
	return PNIC_AS_OK;
}

size_t pm_port_standby_get(struct pm_port *p, int dir, void *buf, size_t cap)
{
	struct pm_dir *d = dir_of(p, dir);

	if (!d)
		return 0;
	return pm_map_write(dir == PNIC_DIR_TX ? d->standby.tx_plan : d->standby.rx_plan, buf, cap);
}

void pm_port_standby_stats(const struct pm_port *p, struct pm_standby_stats *s)
{
	*s = p->standby;
}

void pm_standby_init(struct pm_dir *d, uint64_t stream)
{
	pm_event_init(&d->standby.repeat, repeat_event, d, true);
	pm_rng_init(&d->standby.rng, d->link->config.seed, "requests", stream);
}

void pm_standby_free(struct pm_dir *d)
{
	pm_sim_cancel(d->link->sim, &d->standby.repeat);
	pm_map_put(d->standby.rx_plan);
	pm_map_put(d->standby.tx_plan);
}
