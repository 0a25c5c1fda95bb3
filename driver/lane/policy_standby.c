// SPDX-License-Identifier: GPL-2.0
/*
 * The standby plan: which spare the cards put in the place of a lane that is lost.
 *
 * What was planned before stays as long as it is right, so that the far end isn't told of
 * another plan at each decision. The rest is dealt out round the spares, best first,
 * so that neighbours, which may be lost together, have different ones.
 */
#include "policy.h"

/* Patches of dirt have a radius of up to 4: both lanes in one only if they are nearer. */
#define FAR			9
#define CANDIDATES		16

struct dealing {
	struct lane_policy *pol;
	const struct lane_rec *rec;
	u16 *load;		/* by lane; queue[] */
	u16 next, share;
};

static bool standby_wanted(const struct lane_policy *pol)
{
	return pol->manage && pol->nr_spares;
}

static bool decent(const struct lane_policy *pol, u16 lane)
{
	const struct lane_track *t = &pol->track[lane];

	return t->ppb < pol->cfg.knobs.watch_ppb && t->verdict != LANE_EV_TREND;
}

/* The ranked spares up to the first bad one, all if even the best is bad. */
static void keep_decent(struct lane_policy *pol)
{
	u16 n = 0;

	while (n < pol->nr_spares && decent(pol, pol->spares[n]))
		n++;
	if (n)
		pol->nr_spares = n;
}

static u16 distance(const struct lane_rec *a, const struct lane_rec *b)
{
	u16 dx = a->x > b->x ? a->x - b->x : b->x - a->x;
	u16 dy = a->y > b->y ? a->y - b->y : b->y - a->y;

	return max(dx, dy);
}

static void keep_old(struct dealing *d, const struct lane_map *map, struct lane_map *plan)
{
	struct lane_policy *pol = d->pol;
	u16 most = d->share + d->share / 4 + 1;
	u16 l;

	for (l = 0; l < map->width; l++) {
		u16 spare = l < pol->standby.width ? pol->standby.phys[l] : LANE_NONE;

		plan->phys[l] = LANE_NONE;
		if (spare == LANE_NONE || pol->standby_for[l] != map->phys[l])
			continue;
		if (!pol->mark[spare] || d->load[spare] >= most)
			continue;
		plan->phys[l] = spare;
		d->load[spare]++;
	}
}

/* The next spare in turn that is far enough, else the farthest of those looked at. */
static u16 choose(struct dealing *d, u16 lane)
{
	struct lane_policy *pol = d->pol;
	u16 best = LANE_NONE, best_at = d->next, far = 0, n;

	for (n = 0; n < CANDIDATES && n < pol->nr_spares; n++) {
		u16 at = (d->next + n) % pol->nr_spares;
		u16 spare = pol->spares[at];
		u16 dist = distance(&d->rec[lane], &d->rec[spare]);

		if (d->load[spare] >= d->share)
			continue;
		if (best != LANE_NONE && dist <= far)
			continue;
		best = spare;
		best_at = at;
		far = dist;
		if (far >= FAR)
			break;
	}
	/* All of those have their share: the one whose turn it is has one more. */
	if (best == LANE_NONE)
		best = pol->spares[best_at];
	d->next = (best_at + 1) % pol->nr_spares;
	return best;
}

static bool ails(const struct lane_policy *pol, u16 lane)
{
	return pol->track[lane].state != LANE_ACTIVE;
}

/* Lanes that ail first: there may not be room for all. */
static void deal(struct dealing *d, const struct lane_map *map, u16 room, struct lane_map *plan)
{
	struct lane_policy *pol = d->pol;
	u16 planned = 0, l;
	int turn;

	for (turn = 0; turn < 2; turn++)
		for (l = 0; l < map->width; l++) {
			if (ails(pol, map->phys[l]) != !turn)
				continue;
			if (planned >= room) {
				plan->phys[l] = LANE_NONE;
				continue;
			}
			if (plan->phys[l] == LANE_NONE) {
				plan->phys[l] = choose(d, map->phys[l]);
				d->load[plan->phys[l]]++;
			}
			planned++;
		}
}

static void remember(struct lane_policy *pol, const struct lane_map *map,
		     const struct lane_map *plan)
{
	lane_map_copy(&pol->standby, plan);
	memcpy(pol->standby_for, map->phys, map->width * sizeof(map->phys[0]));
}

void lane_policy_standby(struct lane_policy *pol, const struct lane_rec *rec,
			 const struct lane_map *map, u16 room, struct lane_map *plan)
{
	struct dealing d = { .pol = pol, .rec = rec, .load = pol->queue };
	u16 i, l;

	lane_policy_rank_spares(pol, rec);
	keep_decent(pol);
	plan->generation = 0;
	plan->width = map->width;
	if (!standby_wanted(pol)) {
		for (l = 0; l < map->width; l++)
			plan->phys[l] = LANE_NONE;
		remember(pol, map, plan);
		return;
	}
	memset(pol->mark, 0, pol->cfg.shape.total * sizeof(pol->mark[0]));
	memset(pol->queue, 0, pol->cfg.shape.total * sizeof(pol->queue[0]));
	for (i = 0; i < pol->nr_spares; i++)
		pol->mark[pol->spares[i]] = true;
	d.share = (map->width + pol->nr_spares - 1) / pol->nr_spares;
	keep_old(&d, map, plan);
	deal(&d, map, room, plan);
	remember(pol, map, plan);
}
