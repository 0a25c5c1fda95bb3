/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The simulated clock and its events.
 *
 * One clock for a whole fabric, in ns of link time. Two kinds of event:
 * progress (a frame leaves, a frame arrives) is run at once, so that the clock
 * jumps from one to the next as fast as this machine can; a timer (replay,
 * heartbeat, loss detection, receiver-not-ready) fires when the clock has come
 * by it, either because progress carried the clock there or because real time
 * went by with nothing else to do (one to one). So a busy link doesn't depend on the speed of the
 * machine, and a waiting one neither burns a core nor races through its time-outs.
 *
 * With pace > 0 progress too waits: one simulated second takes pace real ones.
 *
 * What nothing can come before need not be an event at all: pm_sim_pass() takes the clock there at once.
 *
 * Single threaded: everything of a fabric runs in the thread that calls pm_sim_run().
 */
#ifndef PM_SIM_H
#define PM_SIM_H

#include <stdbool.h>
#include <stdint.h>

struct pm_sim;
typedef void (*pm_event_fn)(void *arg, uint64_t now);

/* An event is embedded in its owner; it is queued at most once. */
struct pm_event {
	uint64_t at;		/* ns */
	uint64_t order;		/* ties: first queued, first run */
	pm_event_fn fn;
	void *arg;
	int heap_pos;		/* -1: not queued */
	bool timer;
};

struct pm_sim *pm_sim_new(uint64_t seed, double pace);
void pm_sim_free(struct pm_sim *sim);
uint64_t pm_sim_now(const struct pm_sim *sim);

void pm_event_init(struct pm_event *ev, pm_event_fn fn, void *arg, bool timer);
/* Queues or moves @ev; a time in the past means now. */
void pm_sim_at(struct pm_sim *sim, struct pm_event *ev, uint64_t at);
void pm_sim_cancel(struct pm_sim *sim, struct pm_event *ev);

/*
 * Runs at most @budget events. Returns true if there is more to do at once. Else
 * *@sleep_ns is the real time until the next timer is due, UINT64_MAX if there is none.
 */
bool pm_sim_run(struct pm_sim *sim, unsigned int budget, uint64_t *sleep_ns);
/*
 * Only what can be run at once, with no look at real time; pm_sim_run() is needed now and then all the
 * same, for timers. Returns true if there is more. Paced clocks are left to pm_sim_run().
 */
bool pm_sim_step(struct pm_sim *sim, unsigned int budget);
/* Whether pm_sim_step() would find something. */
bool pm_sim_busy(const struct pm_sim *sim);
/*
 * The clock goes on to @at, as if an event of then were run next. False: it can't, as something else comes first, or an
 * event is being run, or the clock is paced.
 */
bool pm_sim_pass(struct pm_sim *sim, uint64_t at);
/* Whether it can. */
bool pm_sim_nothing_until(const struct pm_sim *sim, uint64_t at);
/* Runs what comes first then. Not from an event; does nothing if the clock is paced. */
void pm_sim_clear(struct pm_sim *sim, uint64_t at);

/* Random numbers, one stream for each purpose, so that one more draw here moves nothing there. */
struct pm_rng { uint64_t s[4]; };
void pm_rng_init(struct pm_rng *r, uint64_t seed, const char *purpose, uint64_t index);
uint64_t pm_rng_u64(struct pm_rng *r);
double pm_rng_unit(struct pm_rng *r);			/* [0, 1) */
uint32_t pm_rng_below(struct pm_rng *r, uint32_t n);
uint64_t pm_rng_poisson(struct pm_rng *r, double mean);
double pm_rng_normal(struct pm_rng *r);

#endif /* PM_SIM_H */
