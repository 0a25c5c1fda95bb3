// SPDX-License-Identifier: GPL-2.0
/*
 * Worlds: a fabric of cards in the process, its lock, and what drives it.
 *
 * With thread=1 a thread works for as long as there is something to do, then parks the cards and
 * sleeps, as pnic-model does. Otherwise callers drive: the cards are parked all the time, so that whoever rings a
 * doorbell wakes them, which is doing their work; and each look of pnic_poll() at an empty queue is a turn of them,
 * for what takes time. Whoever wants to sleep (pnic_arm(), a descriptor asked for) gets a helper:
 * the same thread, made only then, which looks now and then at what nobody drives.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "embedded.h"
#include "kernel.h"
#include "driver/lane/agent.h"
#include "tools/model/core/portfw.h"

#define SETTLE_MS	2000		/* links up, ends acquainted; mostly some ms */
#define WAKE_TURNS	4096		/* of whoever rang a doorbell: some megabytes */
#define IDLE_TURNS	64		/* turns that find nothing between two looks at the clock */
#define BUSY_TURNS	4096		/* the same for those that find something */
#define LOOK_NS		1000000ull	/* of the helper, when somebody drove lately, ... */
#define LOOK_IDLE_NS	10000000ull	/* ... and else */
#define LATELY_NS	20000000ull
#define SLEEP_MAX_NS	100000000ull	/* of the thread */
#define SPIN_NS		50000ull	/* it looks on for so long before it parks */

__thread struct embedded_world *embedded_here;

static int thread_start(struct embedded_world *w);
static void work(struct embedded_world *w);

static struct embedded_world *worlds;
static pthread_mutex_t worlds_lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

void embedded_lock(struct embedded_world *w)
{
	pthread_mutex_lock(&w->lock);
	embedded_here = w;
	if (w->fabric)
		pm_fabric_touch(w->fabric);
}

void embedded_unlock(struct embedded_world *w)
{
	/* Rung while the lock was held: it is for the holder to look. */
	while (__atomic_load_n(&w->rung, __ATOMIC_SEQ_CST))
		embedded_turn(w);
	__atomic_store_n(&w->at_rest, 0, __ATOMIC_RELAXED);
	embedded_here = NULL;
	pthread_mutex_unlock(&w->lock);
	if (__atomic_load_n(&w->rung, __ATOMIC_SEQ_CST))
		work(w);
}

/* Timers, works, and what real time brings. */
static bool slow_turn(struct embedded_world *w)
{
	uint64_t sleep_ns;
	bool more;

	__atomic_store_n(&w->idle, 0, __ATOMIC_RELAXED);
	w->busy_turns = 0;
	more = pm_fabric_poll(w->fabric, &sleep_ns);
	kernel_run();
	return more;
}

/* Tells the cards which doorbells were rung. */
static void take_rung(struct embedded_world *w)
{
	uint64_t pages;
	unsigned int i;

	__atomic_store_n(&w->rung, 0, __ATOMIC_SEQ_CST);
	for (i = 0; i < w->config.nics; i++) {
		pages = __atomic_load_n(&w->card[i].rung, __ATOMIC_SEQ_CST);
		if (!pages)
			continue;
		pages = __atomic_exchange_n(&w->card[i].rung, 0, __ATOMIC_SEQ_CST);
		pm_card_rung(w->card[i].card, pages);
	}
}

static bool turn(struct embedded_world *w)
{
	bool more;

	if (__atomic_load_n(&w->rung, __ATOMIC_ACQUIRE))
		take_rung(w);
	more = pm_fabric_turn(w->fabric);

	if (w->irqs)
		kernel_run();
	if (more && ++w->busy_turns < BUSY_TURNS) {
		__atomic_store_n(&w->idle, 0, __ATOMIC_RELAXED);
		return true;
	}
	return ((more || __atomic_add_fetch(&w->idle, 1, __ATOMIC_RELAXED) >= IDLE_TURNS) &&
	       slow_turn(w)) || more;
}

bool embedded_turn(struct embedded_world *w)
{
	bool more = turn(w);

	__atomic_store_n(&w->at_rest, !more, __ATOMIC_RELAXED);
	return more;
}

/*
 * Whether a turn would find nothing. Whoever changes something has the lock for that, and takes a turn
 * or clears @at_rest before he gives it back. Several at once may count one turn for two.
 */
static bool at_rest(struct embedded_world *w)
{
	unsigned int idle = __atomic_load_n(&w->idle, __ATOMIC_RELAXED) + 1;

	if (!__atomic_load_n(&w->at_rest, __ATOMIC_RELAXED) || __atomic_load_n(&w->rung, __ATOMIC_RELAXED) ||
	    idle >= IDLE_TURNS)
		return false;
	__atomic_store_n(&w->idle, idle, __ATOMIC_RELAXED);
	return true;
}

/* A turn, unless somebody is at it, who then does our work as well. */
void embedded_drive(struct embedded_world *w)
{
	if (__atomic_load_n(&w->busy, __ATOMIC_RELAXED) || at_rest(w) || pthread_mutex_trylock(&w->lock))
		return;
	__atomic_store_n(&w->busy, 1, __ATOMIC_RELAXED);
	embedded_here = w;
	embedded_turn(w);
	embedded_here = NULL;
	__atomic_store_n(&w->busy, 0, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&w->lock);
	if (__atomic_load_n(&w->rung, __ATOMIC_SEQ_CST))
		work(w);
}

/* With the lock held, which it gives back: at most @n turns. How many of these are left. */
static unsigned int work_off(struct embedded_world *w, unsigned int n)
{
	bool more;

	__atomic_store_n(&w->busy, 1, __ATOMIC_RELAXED);
	embedded_here = w;
	do
		more = embedded_turn(w);
	while (more && --n);
	/* Whoever rang may wait for memory to change, and never come back to poll. */
	if (more)
		thread_start(w);
	embedded_here = NULL;
	__atomic_store_n(&w->busy, 0, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&w->lock);
	return n;
}

/*
 * A doorbell was rung. Everything that follows from it is done here, if it is not too much; if
 * somebody else is at it he sees @rung when he is done, and goes on.
 */
static void work(struct embedded_world *w)
{
	unsigned int n = WAKE_TURNS;

	do {
		if (pthread_mutex_trylock(&w->lock))
			return;
		n = work_off(w, n);
	} while (n && __atomic_load_n(&w->rung, __ATOMIC_SEQ_CST));
}

/* With the lock held: a look at the page. True: what follows from it is done, and there is nothing else. */
static bool ring(struct embedded_world *w, struct embedded_card *c, unsigned int page)
{
	bool done;

	embedded_here = w;
	done = pm_card_rung_page(c->card, page);
	embedded_here = NULL;
	if (!done || !w->at_rest || w->irqs || pm_sim_busy(pm_fabric_sim(w->fabric)) ||
	    ++w->busy_turns >= BUSY_TURNS)
		return false;
	__atomic_store_n(&w->idle, 0, __ATOMIC_RELAXED);
	return true;
}

void embedded_wake(struct embedded_card *c, unsigned int page)
{
	struct embedded_world *w = c->world;

	/* Mostly nobody is at it, who would have to be told, and it is all done in the one call. */
	if (!pthread_mutex_trylock(&w->lock)) {
		if (ring(w, c, page)) {
			pthread_mutex_unlock(&w->lock);
			if (!__atomic_load_n(&w->rung, __ATOMIC_SEQ_CST))
				return;
		} else if (!work_off(w, WAKE_TURNS) || !__atomic_load_n(&w->rung, __ATOMIC_SEQ_CST))
			return;
	} else {
		__atomic_fetch_or(&c->rung, 1ull << page % 64, __ATOMIC_SEQ_CST);
		__atomic_store_n(&w->rung, 1, __ATOMIC_SEQ_CST);
	}
	work(w);
}

/* --- the thread, the helper ---- */

static void nap(struct embedded_world *w, uint64_t ns)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	ns += (uint64_t)t.tv_nsec;
	t.tv_sec += (time_t)(ns / 1000000000);
	t.tv_nsec = (long)(ns % 1000000000);
	w->asleep = true;
	embedded_here = NULL;
	while (!w->kicked && !w->stop)
		if (pthread_cond_timedwait(&w->wake, &w->lock, &t) == ETIMEDOUT)
			break;
	embedded_here = w;
	pm_fabric_touch(w->fabric);
	w->kicked = false;
	w->asleep = false;
}

static void thread_round(struct embedded_world *w)
{
	uint64_t turns = pm_fabric_turns(w->fabric), sleep_ns, work_ms, until;
	bool more;

	if (__atomic_load_n(&w->rung, __ATOMIC_ACQUIRE))
		take_rung(w);
	more = pm_fabric_poll(w->fabric, &sleep_ns);
	work_ms = kernel_run();
	if (turns != pm_fabric_turns(w->fabric) || !w->quiet_since)
		w->quiet_since = now_ns();
	if (more || w->irqs || w->kicked) {
		w->kicked = false;
		return;
	}
	if (w->threaded && now_ns() - w->quiet_since < SPIN_NS)
		return;
	if (work_ms < sleep_ns / 1000000)
		sleep_ns = work_ms * 1000000;
	until = w->threaded ? SLEEP_MAX_NS :
		now_ns() - w->quiet_since < LATELY_NS ? LOOK_NS : LOOK_IDLE_NS;
	if (!w->threaded || pm_fabric_park(w->fabric, true))
		nap(w, sleep_ns < until ? sleep_ns : until);
	if (w->threaded)
		pm_fabric_park(w->fabric, false);
}

static void *thread_main(void *arg)
{
	struct embedded_world *w = arg;

	embedded_lock(w);
	while (!w->stop) {
		thread_round(w);
		embedded_unlock(w);
		sched_yield();
		embedded_lock(w);
	}
	embedded_unlock(w);
	return NULL;
}

static int thread_start(struct embedded_world *w)
{
	int err = 0;

	if (!w->running)
		err = pthread_create(&w->thread, NULL, thread_main, w);
	w->running = !err;
	return -err;
}

void embedded_kick(struct embedded_world *w)
{
	w->kicked = true;
	if (w->asleep)
		pthread_cond_signal(&w->wake);
}

void embedded_sleeper(struct embedded_world *w)
{
	unsigned int i;

	embedded_lock(w);
	if (!w->threaded) {
		/* What was rung before is under way when the caller sleeps. */
		for (i = 0; i < IDLE_TURNS && embedded_turn(w); i++)
			;
		/* Without memory for a thread the caller's own turns must do. */
		thread_start(w);
	}
	embedded_kick(w);
	embedded_unlock(w);
}

/* --- making one ---- */

static bool settled(struct embedded_world *w)
{
	unsigned int i;

	for (i = 0; i < w->config.nics; i++) {
		struct pm_card *c = w->card[i].card;
		struct lane_agent *agent = pm_portfw_agent(pm_card_firmware(c));

		if (pm_port_state(pm_card_port(c)) != PNIC_LINK_UP || !agent->proto.peer.known ||
		    !agent->proto.peer.knows_us)
			return false;
	}
	return true;
}

/* The first life of a link: both ends come up and get acquainted. */
static int settle(struct embedded_world *w)
{
	unsigned long end = jiffies + SETTLE_MS;

	while (!settled(w)) {
		if (time_after(jiffies, end))
			return -ETIMEDOUT;
		kernel_wait();
	}
	kernel_run();
	return 0;
}

static void world_free(struct embedded_world *w)
{
	unsigned int i;

	if (w->running) {
		embedded_lock(w);
		w->stop = true;
		embedded_kick(w);
		embedded_unlock(w);
		pthread_join(w->thread, NULL);
	}
	if (w->fabric) {
		embedded_lock(w);
		for (i = 0; i < w->config.nics; i++)
			if (w->card[i].driver)
				embedded_remove(&w->card[i]);
		embedded_unlock(w);
		pm_fabric_free(w->fabric);
	}
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static int cards_up(struct embedded_world *w)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < w->config.nics && !err; i++) {
		w->card[i].world = w;
		w->card[i].nic = i;
		w->card[i].card = pm_fabric_card(w->fabric, i);
		if (!pm_card_firmware(w->card[i].card))
			return -ENOMEM;
		err = embedded_probe(&w->card[i]);
	}
	return err ? err : settle(w);
}

static struct embedded_world *world_alloc(const struct embedded_name *n)
{
	struct embedded_world *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;

	if (!w)
		return NULL;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_condattr_destroy(&attr);
	strcpy(w->name, n->world);
	w->threaded = n->thread > 0;
	w->config = (struct pm_fabric_config) {
		.nics = n->nics ? n->nics : n->nic < 2 ? 2 : n->nic + 1,
		.seed = n->seed,
		.pace = n->pace,
		.link = n->link,
		.park = true,
		.parked = !w->threaded,
		.firmware = true,
	};
	w->config.link.seed = n->seed;
	snprintf(w->profile, sizeof(w->profile), "%s", n->profile);
	w->config.link.profile = w->profile;
	return w;
}

static int world_new(const struct embedded_name *n, struct embedded_world **out, char *why, size_t size)
{
	struct embedded_world *w = world_alloc(n);
	int err;

	if (!w)
		return -ENOMEM;
	w->fabric = pm_fabric_new(&w->config, why, size);
	if (!w->fabric) {
		world_free(w);
		return -ENOMEM;
	}
	embedded_lock(w);
	err = cards_up(w);
	embedded_unlock(w);
	if (!err && w->threaded) {
		embedded_lock(w);
		err = thread_start(w);
		embedded_unlock(w);
	}
	if (err) {
		snprintf(why, size, "the cards of world %s do not come up", n->world);
		world_free(w);
		return err;
	}
	*out = w;
	return 0;
}

static bool same_link(const struct pm_link_config *a, const struct pm_link_config *b)
{
	const struct pm_knob *k;
	unsigned int i;

	if (strcmp(a->profile, b->profile))
		return false;
	for (i = 0; (k = pm_knob_at(i)); i++)
		if (pm_knob_get(k, a) < pm_knob_get(k, b) || pm_knob_get(k, a) > pm_knob_get(k, b))
			return false;
	return true;
}

/* What was said has to be as it is. */
static int world_fits(const struct embedded_world *w, const struct embedded_name *n, char *why, size_t size)
{
	const char *what = NULL;

	if (n->nic >= w->config.nics)
		what = "nic";
	else if (n->nics && n->nics != w->config.nics)
		what = "nics";
	else if (n->thread >= 0 && n->thread != w->threaded)
		what = "thread";
	else if (n->seed_said && n->seed != w->config.seed)
		what = "seed";
	else if (n->pace_said && (n->pace < w->config.pace || n->pace > w->config.pace))
		what = "pace";
	else if (n->link_said && !same_link(&n->link, &w->config.link))
		what = "the link";
	if (!what)
		return 0;
	snprintf(why, size, "world %s exists, with %u cards, and with another value of: %s", w->name,
		 w->config.nics, what);
	return n->nic >= w->config.nics ? -ENODEV : -EINVAL;
}

int embedded_world_get(const struct embedded_name *n, struct embedded_world **out, char *why, size_t size)
{
	struct embedded_world *w;
	int err;

	pthread_mutex_lock(&worlds_lock);
	for (w = worlds; w && strcmp(w->name, n->world); w = w->next)
		;
	if (w) {
		err = world_fits(w, n, why, size);
	} else {
		err = world_new(n, &w, why, size);
		if (!err) {
			w->next = worlds;
			worlds = w;
		}
	}
	if (!err) {
		w->users++;
		*out = w;
	}
	pthread_mutex_unlock(&worlds_lock);
	return err;
}

void embedded_world_put(struct embedded_world *w)
{
	struct embedded_world **p;

	pthread_mutex_lock(&worlds_lock);
	if (!--w->users) {
		for (p = &worlds; *p != w; p = &(*p)->next)
			;
		*p = w->next;
		world_free(w);
	}
	pthread_mutex_unlock(&worlds_lock);
}
