// SPDX-License-Identifier: GPL-2.0
/* The simulated clock: order, timers, pace (tools/model/core/sim.c). */
#include <time.h>

#include "selftests/ktap.h"
#include "tools/model/core/rng.h"

#define MS	1000000ull

struct probe {
	struct pm_sim *sim;
	struct pm_event ev;
	uint64_t ran_at;
	unsigned int runs, rank;
	struct probe *also;		/* queued by this one, @also_after later */
	uint64_t also_after;
};

static unsigned int ran;

static void probe_run(void *arg, uint64_t now)
{
	struct probe *p = arg;

	p->ran_at = now;
	p->runs++;
	p->rank = ran++;
	if (p->also)
		pm_sim_at(p->sim, &p->also->ev, now + p->also_after);
}

static void probe_init(struct probe *p, struct pm_sim *sim, bool timer)
{
	memset(p, 0, sizeof(*p));
	p->sim = sim;
	pm_event_init(&p->ev, probe_run, p, timer);
}

static uint64_t real_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void nap(uint64_t ns)
{
	struct timespec ts = { (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) };

	nanosleep(&ts, NULL);
}

KTAP_TEST(progress_runs_at_once_in_order)
{
	struct pm_sim *sim = pm_sim_new(1, 0);
	uint64_t sleep_ns = 1, start = real_ns();
	struct probe p[4];
	int i;

	for (i = 0; i < 4; i++)
		probe_init(&p[i], sim, false);
	ran = 0;
	pm_sim_at(sim, &p[0].ev, 3600000 * MS);	/* an hour */
	pm_sim_at(sim, &p[1].ev, 5);
	pm_sim_at(sim, &p[2].ev, 5);
	pm_sim_at(sim, &p[3].ev, 4);
	CHECK(!pm_sim_run(sim, 100, &sleep_ns));
	CHECK_EQ(p[3].rank, 0);
	CHECK_EQ(p[1].rank, 1);
	CHECK_EQ(p[2].rank, 2);
	CHECK_EQ(p[0].rank, 3);
	CHECK_EQ(p[0].ran_at, 3600000 * MS);
	CHECK_EQ(pm_sim_now(sim), 3600000 * MS);
	CHECK_EQ(sleep_ns, UINT64_MAX);
	CHECK_LT(real_ns() - start, 1000 * MS);
	pm_sim_free(sim);
}

KTAP_TEST(budget_is_kept)
{
	struct pm_sim *sim = pm_sim_new(1, 0);
	struct probe p[10];
	uint64_t sleep_ns;
	int i;

	ran = 0;
	for (i = 0; i < 10; i++) {
		probe_init(&p[i], sim, false);
		pm_sim_at(sim, &p[i].ev, i);
	}
	CHECK(pm_sim_run(sim, 4, &sleep_ns));
	CHECK_EQ(ran, 4);
	CHECK(pm_sim_run(sim, 5, &sleep_ns));
	CHECK_EQ(ran, 9);
	CHECK(!pm_sim_run(sim, 5, &sleep_ns));
	CHECK_EQ(ran, 10);
	pm_sim_free(sim);
}

KTAP_TEST(timer_waits_for_real_time)
{
	struct pm_sim *sim = pm_sim_new(1, 0);
	uint64_t sleep_ns = 0, start = real_ns();
	unsigned int calls = 0;
	struct probe p;

	probe_init(&p, sim, true);
	pm_sim_at(sim, &p.ev, 20 * MS);
	while (!p.runs && calls++ < 1000) {
		CHECK(!pm_sim_run(sim, 100, &sleep_ns));
		if (p.runs)
			break;
		CHECK_LE(sleep_ns, 20 * MS);
		nap(sleep_ns);
	}
	CHECK_EQ(p.runs, 1);
	CHECK_EQ(p.ran_at, 20 * MS);
	CHECK_GE(real_ns() - start, 20 * MS - MS);
	/* Sleeping for what it says is enough: nobody need poll. */
	CHECK_LE(calls, 20);
	pm_sim_free(sim);
}

KTAP_TEST(progress_carries_the_clock_past_timers)
{
	struct pm_sim *sim = pm_sim_new(1, 0);
	uint64_t sleep_ns, start = real_ns();
	struct probe early, progress, late;

	ran = 0;
	probe_init(&early, sim, true);
	probe_init(&progress, sim, false);
	probe_init(&late, sim, true);
	pm_sim_at(sim, &late.ev, 9000000 * MS);
	pm_sim_at(sim, &progress.ev, 5000 * MS);
	pm_sim_at(sim, &early.ev, 4000 * MS);
	CHECK(!pm_sim_run(sim, 100, &sleep_ns));
	CHECK_EQ(early.ran_at, 4000 * MS);
	CHECK_EQ(early.rank, 0);
	CHECK_EQ(progress.ran_at, 5000 * MS);
	CHECK_EQ(late.runs, 0);
	CHECK_LT(real_ns() - start, 1000 * MS);
	/* And the rest of the late one's time is real. */
	CHECK_GT(sleep_ns, 8000000 * MS);
	CHECK_LE(sleep_ns, 8995000 * MS);
	pm_sim_free(sim);
}

/* A stalled link that only retries by timers must not run through its time-outs. */
KTAP_TEST(timers_that_queue_timers_keep_to_real_time)
{
	struct pm_sim *sim = pm_sim_new(1, 0);
	uint64_t sleep_ns, start = real_ns();
	struct probe p;

	probe_init(&p, sim, true);
	p.also = &p;
	p.also_after = MS;
	pm_sim_at(sim, &p.ev, 0);
	while (real_ns() - start < 30 * MS)
		if (!pm_sim_run(sim, 10, &sleep_ns))
			nap(sleep_ns);
	CHECK_GE(p.runs, 5);
	CHECK_LE(pm_sim_now(sim), real_ns() - start);
	CHECK_LE(p.runs, (real_ns() - start) / MS + 1);
	pm_sim_free(sim);
}

KTAP_TEST(idle_clock_follows_real_time)
{
	struct pm_sim *sim = pm_sim_new(1, 0);
	uint64_t sleep_ns, from, start;
	struct probe p;

	probe_init(&p, sim, false);
	pm_sim_at(sim, &p.ev, 700 * MS);
	pm_sim_run(sim, 10, &sleep_ns);
	from = pm_sim_now(sim);
	CHECK_EQ(from, 700 * MS);
	start = real_ns();
	nap(10 * MS);
	pm_sim_run(sim, 10, &sleep_ns);
	CHECK_GE(pm_sim_now(sim) - from, 9 * MS);
	CHECK_LE(pm_sim_now(sim) - from, real_ns() - start + MS);
	pm_sim_free(sim);
}

KTAP_TEST(paced_progress_waits)
{
	struct pm_sim *sim = pm_sim_new(1, 20);
	uint64_t sleep_ns, start = real_ns();
	unsigned int calls = 0;
	struct probe p;

	probe_init(&p, sim, false);
	pm_sim_at(sim, &p.ev, 1 * MS);
	while (!p.runs && calls++ < 1000)
		if (!pm_sim_run(sim, 10, &sleep_ns) && !p.runs)
			nap(sleep_ns);
	CHECK_EQ(p.runs, 1);
	CHECK_GE(real_ns() - start, 19 * MS);
	CHECK_LE(calls, 20);
	pm_sim_free(sim);
}

KTAP_TEST(move_and_cancel)
{
	struct pm_sim *sim = pm_sim_new(1, 0);
	struct probe a, b, c;
	uint64_t sleep_ns;

	ran = 0;
	probe_init(&a, sim, false);
	probe_init(&b, sim, false);
	probe_init(&c, sim, false);
	pm_sim_cancel(sim, &a.ev);		/* not queued: nothing happens */
	pm_sim_at(sim, &a.ev, 10);
	pm_sim_at(sim, &b.ev, 20);
	pm_sim_at(sim, &c.ev, 30);
	pm_sim_at(sim, &a.ev, 40);		/* back */
	pm_sim_at(sim, &c.ev, 5);		/* forth */
	pm_sim_cancel(sim, &b.ev);
	CHECK_EQ(b.ev.heap_pos, -1);
	CHECK(!pm_sim_run(sim, 100, &sleep_ns));
	CHECK_EQ(c.ran_at, 5);
	CHECK_EQ(b.runs, 0);
	CHECK_EQ(a.ran_at, 40);
	pm_sim_at(sim, &b.ev, 1);		/* the past means now */
	pm_sim_run(sim, 100, &sleep_ns);
	CHECK_GE(b.ran_at, 40);
	pm_sim_free(sim);
}

#define MANY	500

struct crowd {
	struct pm_sim *sim;
	struct pm_event ev[MANY];
	struct pm_rng rng;
	uint64_t last_at, last_order;
	unsigned int runs, wrong;
	bool queued[MANY];
};

static struct crowd crowd;

static void crowd_run(void *arg, uint64_t now)
{
	struct pm_event *ev = arg;
	unsigned int i, n = (unsigned int)(ev - crowd.ev);

	crowd.runs++;
	crowd.queued[n] = false;
	if (now < crowd.last_at || (now == crowd.last_at && ev->order < crowd.last_order))
		crowd.wrong++;
	crowd.last_at = now;
	crowd.last_order = ev->order;
	/* From inside an event: queue, move and cancel others, and itself. */
	for (i = 0; i < 3 && crowd.runs < 20000; i++) {
		unsigned int k = pm_rng_below(&crowd.rng, MANY);

		if (pm_rng_below(&crowd.rng, 4)) {
			pm_sim_at(crowd.sim, &crowd.ev[k], now + pm_rng_below(&crowd.rng, 50));
			crowd.queued[k] = true;
		} else {
			pm_sim_cancel(crowd.sim, &crowd.ev[k]);
			crowd.queued[k] = false;
		}
	}
}

KTAP_TEST(a_crowd_of_events_stays_in_order)
{
	uint64_t sleep_ns;
	unsigned int i, left = 0;

	memset(&crowd, 0, sizeof(crowd));
	crowd.sim = pm_sim_new(1, 0);
	pm_rng_init(&crowd.rng, 7, "crowd", 0);
	for (i = 0; i < MANY; i++) {
		pm_event_init(&crowd.ev[i], crowd_run, &crowd.ev[i], i % 3 == 0);
		pm_sim_at(crowd.sim, &crowd.ev[i], pm_rng_below(&crowd.rng, 100));
		crowd.queued[i] = true;
	}
	for (i = 0; i < 100000 && crowd.runs < 40000; i++)
		if (!pm_sim_run(crowd.sim, 100, &sleep_ns) && sleep_ns == UINT64_MAX)
			break;
	CHECK_EQ(crowd.wrong, 0);
	CHECK_GE(crowd.runs, 1000);
	for (i = 0; i < MANY; i++) {
		CHECK_EQ(crowd.queued[i], crowd.ev[i].heap_pos >= 0);
		left += crowd.queued[i];
	}
	CHECK_EQ(left, 0);
	pm_sim_free(crowd.sim);
}

KTAP_MAIN()
