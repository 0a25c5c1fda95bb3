// SPDX-License-Identifier: GPL-2.0
/*
 * The simulated clock and its event heap; see sim.h for the rules. Called by
 * everything in the core, and run by the fabric's poll.
 *
 * Events lie in one binary heap ordered by time, then by the order in which
 * they were queued, so that a run depends on nothing but its inputs. While any
 * progress event is queued the heap is simply run down in that order, timers
 * included: progress carries the clock past them. Once only timers are left the
 * clock is tied to CLOCK_MONOTONIC, one to one, from the moment of going idle.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sim.h"

#define HEAP_FIRST		64
/* A paced clock that the machine can't follow is tied anew rather than let to sprint afterwards. */
#define PACE_LAG_MAX_NS		10000000u

struct pm_sim {
	struct pm_event **heap;
	size_t count, room;
	size_t progress;	/* queued events that are no timers */
	bool hole;		/* heap[0] is free: its event is running */
	bool running;		/* an event is */
	uint64_t now;
	uint64_t order;
	double pace;
	/* The tie to real time: at real ns real0 the clock stood at sim0. */
	bool tied;
	uint64_t real0, sim0;
};

static uint64_t real_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void tie(struct pm_sim *sim)
{
	sim->tied = true;
	sim->real0 = real_ns();
	sim->sim0 = sim->now;
}

struct pm_sim *pm_sim_new(uint64_t seed, double pace)
{
	struct pm_sim *sim = calloc(1, sizeof(*sim));

	(void)seed;	/* every random stream is seeded by its own user */
	if (!sim)
		return NULL;
	sim->heap = calloc(HEAP_FIRST, sizeof(*sim->heap));
	if (!sim->heap) {
		free(sim);
		return NULL;
	}
	sim->room = HEAP_FIRST;
	sim->pace = pace > 0 ? pace : 0;
	tie(sim);
	return sim;
}

void pm_sim_free(struct pm_sim *sim)
{
	if (!sim)
		return;
	free(sim->heap);
	free(sim);
}

uint64_t pm_sim_now(const struct pm_sim *sim)
{
	return sim->now;
}

void pm_event_init(struct pm_event *ev, pm_event_fn fn, void *arg, bool timer)
{
	ev->at = 0;
	ev->order = 0;
	ev->fn = fn;
	ev->arg = arg;
	ev->heap_pos = -1;
	ev->timer = timer;
}

static bool before(const struct pm_event *a, const struct pm_event *b)
{
	return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void place(struct pm_sim *sim, size_t pos, struct pm_event *ev)
{
	sim->heap[pos] = ev;
	ev->heap_pos = (int)pos;
}

static void sift_up(struct pm_sim *sim, size_t pos, struct pm_event *ev)
{
	while (pos) {
		size_t parent = (pos - 1) / 2;

		if (!before(ev, sim->heap[parent]))
			break;
		place(sim, pos, sim->heap[parent]);
		pos = parent;
	}
	place(sim, pos, ev);
}

static void sift_down(struct pm_sim *sim, size_t pos, struct pm_event *ev)
{
	for (;;) {
		size_t child = 2 * pos + 1;

		if (child >= sim->count)
			break;
		if (child + 1 < sim->count && before(sim->heap[child + 1], sim->heap[child]))
			child++;
		if (!before(sim->heap[child], ev))
			break;
		place(sim, pos, sim->heap[child]);
		pos = child;
	}
	place(sim, pos, ev);
}

static void settle(struct pm_sim *sim, size_t pos, struct pm_event *ev)
{
	if (pos && before(ev, sim->heap[(pos - 1) / 2]))
		sift_up(sim, pos, ev);
	else
		sift_down(sim, pos, ev);
}

static void heap_grow(struct pm_sim *sim)
{
	struct pm_event **heap = realloc(sim->heap, 2 * sim->room * sizeof(*heap));

	if (!heap) {
		/* An event that is lost would hang the fabric without a word. */
		fputs("pnic-model: out of memory for events\n", stderr);
		abort();
	}
	sim->heap = heap;
	sim->room *= 2;
}

static void close_hole(struct pm_sim *sim)
{
	if (!sim->hole)
		return;
	sim->hole = false;
	if (--sim->count)
		sift_down(sim, 0, sim->heap[sim->count]);
}

void pm_sim_at(struct pm_sim *sim, struct pm_event *ev, uint64_t at)
{
	bool queued = ev->heap_pos >= 0;

	if (queued)
		close_hole(sim);
	ev->at = at < sim->now ? sim->now : at;
	ev->order = sim->order++;
	if (queued) {
		settle(sim, (size_t)ev->heap_pos, ev);
		return;
	}
	if (!ev->timer)
		sim->progress++;
	/* Most events queue themselves or the next one: that takes the place they leave. */
	if (sim->hole) {
		sim->hole = false;
		sift_down(sim, 0, ev);
		return;
	}
	if (sim->count == sim->room)
		heap_grow(sim);
	sift_up(sim, sim->count++, ev);
}

void pm_sim_cancel(struct pm_sim *sim, struct pm_event *ev)
{
	struct pm_event *last;
	size_t pos;

	if (ev->heap_pos < 0)
		return;
	close_hole(sim);
	pos = (size_t)ev->heap_pos;
	if (!ev->timer)
		sim->progress--;
	ev->heap_pos = -1;
	last = sim->heap[--sim->count];
	if (last != ev)
		settle(sim, pos, last);
}

static void run_first(struct pm_sim *sim)
{
	struct pm_event *ev = sim->heap[0];

	if (!ev->timer)
		sim->progress--;
	ev->heap_pos = -1;
	sim->hole = true;
	if (ev->at > sim->now)
		sim->now = ev->at;
	sim->running = true;
	ev->fn(ev->arg, sim->now);
	sim->running = false;
	close_hole(sim);
}

/* The clock that real time allows. */
static uint64_t allowed(const struct pm_sim *sim)
{
	uint64_t gone = real_ns() - sim->real0;

	return sim->sim0 + (sim->pace > 0 ? (uint64_t)((double)gone / sim->pace) : gone);
}

static uint64_t until_first(const struct pm_sim *sim, uint64_t limit)
{
	uint64_t left;

	if (!sim->count)
		return UINT64_MAX;
	left = sim->heap[0]->at > limit ? sim->heap[0]->at - limit : 0;
	return sim->pace > 0 ? (uint64_t)((double)left * sim->pace) : left;
}

static bool run_paced(struct pm_sim *sim, unsigned int budget, uint64_t *sleep_ns)
{
	uint64_t limit = allowed(sim);

	while (sim->count && sim->heap[0]->at <= limit) {
		if (!budget--) {
			if (limit - sim->now > PACE_LAG_MAX_NS)
				tie(sim);
			return true;
		}
		run_first(sim);
	}
	if (limit > sim->now)
		sim->now = limit;
	*sleep_ns = until_first(sim, limit);
	return false;
}

bool pm_sim_run(struct pm_sim *sim, unsigned int budget, uint64_t *sleep_ns)
{
	uint64_t limit;

	if (sim->pace > 0)
		return run_paced(sim, budget, sleep_ns);

	limit = sim->tied ? allowed(sim) : sim->now;
	while (sim->count && (sim->progress || sim->heap[0]->at <= limit)) {
		if (!budget--) {
			sim->tied = false;
			return true;
		}
		run_first(sim);
	}
	/*
	 * Idle from here. As long as the clock kept to real time the old tie stays, so
	 * that nothing drifts; when progress carried it on, or it wasn't tied, it is tied here.
	 */
	if (!sim->tied || sim->now > limit) {
		tie(sim);
		limit = sim->now;
	} else {
		sim->now = limit;
	}
	*sleep_ns = until_first(sim, limit);
	return false;
}

bool pm_sim_step(struct pm_sim *sim, unsigned int budget)
{
	if (sim->pace > 0 || !sim->progress)
		return false;
	/* It runs ahead of real time, to which it is tied anew when there is nothing more to do. */
	sim->tied = false;
	while (sim->progress && budget--)
		run_first(sim);
	return sim->progress;
}

bool pm_sim_busy(const struct pm_sim *sim)
{
	return sim->progress;
}

void pm_sim_clear(struct pm_sim *sim, uint64_t at)
{
	if (sim->running || sim->pace > 0)
		return;
	sim->tied = false;
	while (sim->count && sim->heap[0]->at <= at)
		run_first(sim);
}

bool pm_sim_nothing_until(const struct pm_sim *sim, uint64_t at)
{
	return !sim->running && !(sim->pace > 0) && (!sim->count || sim->heap[0]->at > at);
}

bool pm_sim_pass(struct pm_sim *sim, uint64_t at)
{
	if (!pm_sim_nothing_until(sim, at))
		return false;
	/* As in pm_sim_step(). */
	sim->tied = false;
	if (at > sim->now)
		sim->now = at;
	return true;
}
