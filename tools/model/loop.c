// SPDX-License-Identifier: GPL-2.0
/*
 * The event loop of pnic-model: who gets the thread, and when it sleeps.
 *
 * The fabric works in slices; between slices the sockets get a look at bounded
 * distances, because a guest's CPU stands still while it waits for a register.
 * When the fabric has nothing to do the loop looks on for a short while (the
 * next doorbell usually follows soon, and a poll is some hundred times cheaper
 * than a wake-up). After that it parks: the doorbell pages say so, and a
 * producer that sees it wakes us through a trapped page. A fabric without the
 * park capability can't be woken by a doorbell, so the loop naps instead, ever longer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/card.h"
#include "loop.h"

#define BATCH			32
#define IO_EVERY_NS		50000ull	/* a busy fabric lets the sockets wait no longer */
#define NAP_MIN_NS		20000ull
#define NAP_MAX_NS		1000000ull
#define NAPS_AT_MIN		50		/* a millisecond of short naps before they grow */
#define SLICE_NS		100000ull	/* the shortest that Linux takes */

struct pm_loop {
	struct pm_fabric *fabric;
	struct pm_idle idle;
	bool stop;
	int ep;
	struct epoll_event batch[BATCH];
	int batch_n, batch_i;
	uint64_t turns;			/* of the fabric, when last looked at */
	uint64_t busy_until, last_io;
	uint64_t nap;
	unsigned int short_naps;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/*
 * Where a guest's processors spin on all cores the card has to get one of these at once when a
 * doorbell wakes it, not when their time is up, which is milliseconds. It works in short pieces, and
 * tells the scheduler so (Linux 6.12 heeds it, older ones don't mind). A real card has a processor of its own; what
 * comes nearest is to go before everybody else.
 */
static void ask_for_processor(bool realtime)
{
	/* struct sched_attr as it was at first. */
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = { .size = sizeof(attr), .policy = SCHED_RR, .priority = 1 };

	if (realtime) {
		if (!syscall(SYS_sched_setattr, 0, &attr, 0))
			return;
		fprintf(stderr, "pnic-model: --realtime: %s; it goes on without\n", strerror(errno));
	}
	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) || attr.policy)
		return;
	attr.runtime = SLICE_NS;
	syscall(SYS_sched_setattr, 0, &attr, 0);
}

struct pm_loop *pm_loop_new(struct pm_fabric *fabric, const struct pm_idle *idle)
{
	struct pm_loop *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->fabric = fabric;
	l->idle = *idle;
	l->nap = NAP_MIN_NS;
	l->ep = epoll_create1(EPOLL_CLOEXEC);
	if (l->ep < 0) {
		free(l);
		return NULL;
	}
	/* Naps of 20 us are pointless with the usual slack of 50 us. */
	prctl(PR_SET_TIMERSLACK, 1000ul, 0ul, 0ul, 0ul);
	ask_for_processor(idle->realtime);
	return l;
}

void pm_loop_free(struct pm_loop *l)
{
	close(l->ep);
	free(l);
}

int pm_loop_add(struct pm_loop *l, struct pm_watch *w)
{
	struct epoll_event ev = { .events = w->events, .data.ptr = w };

	w->loop = l;
	return epoll_ctl(l->ep, EPOLL_CTL_ADD, w->fd, &ev) ? -errno : 0;
}

void pm_loop_change(struct pm_watch *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	if (events == w->events)
		return;
	w->events = events;
	epoll_ctl(w->loop->ep, EPOLL_CTL_MOD, w->fd, &ev);
}

void pm_loop_del(struct pm_watch *w)
{
	struct pm_loop *l = w->loop;
	int i;

	if (w->fd < 0)
		return;
	epoll_ctl(l->ep, EPOLL_CTL_DEL, w->fd, NULL);
	close(w->fd);
	w->fd = -1;
	/* Events already fetched must not reach an owner that is gone. */
	for (i = l->batch_i; i < l->batch_n; i++)
		if (l->batch[i].data.ptr == w)
			l->batch[i].data.ptr = NULL;
}

/* Waits for at most @ns (UINT64_MAX: without end) and serves what is ready. */
static bool serve(struct pm_loop *l, uint64_t ns)
{
	struct timespec ts = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
	struct epoll_event ev;
	struct pm_watch *w;
	int n;

	n = epoll_pwait2(l->ep, l->batch, BATCH, ns == UINT64_MAX ? NULL : &ts, NULL);
	l->batch_n = n < 0 ? 0 : n;
	for (l->batch_i = 0; l->batch_i < l->batch_n;) {
		ev = l->batch[l->batch_i++];
		w = ev.data.ptr;
		if (w)
			w->ready(w, ev.events);
	}
	l->last_io = now_ns();
	return n > 0;
}

static bool wait_parked(struct pm_loop *l, uint64_t sleep_ns)
{
	bool woken = true;

	if (pm_fabric_park(l->fabric, true))
		woken = serve(l, sleep_ns);
	pm_fabric_park(l->fabric, false);
	return woken;
}

static bool wait_napping(struct pm_loop *l, uint64_t sleep_ns)
{
	bool woken = serve(l, sleep_ns < l->nap ? sleep_ns : l->nap);

	if (++l->short_naps > NAPS_AT_MIN && l->nap < NAP_MAX_NS)
		l->nap = 2 * l->nap < NAP_MAX_NS ? 2 * l->nap : NAP_MAX_NS;
	return woken;
}

static void worked(struct pm_loop *l, uint64_t now)
{
	l->turns = pm_fabric_turns(l->fabric);
	l->busy_until = now + l->idle.spin_ns;
	l->nap = NAP_MIN_NS;
	l->short_naps = 0;
}

void pm_loop_run(struct pm_loop *l)
{
	uint64_t sleep_ns, now;
	bool more, woken;

	while (!l->stop) {
		more = pm_fabric_poll(l->fabric, &sleep_ns);
		now = now_ns();
		if (pm_fabric_turns(l->fabric) != l->turns)
			worked(l, now);
		if (more) {
			if (now - l->last_io >= IO_EVERY_NS)
				serve(l, 0);
			continue;
		}
		if (now < l->busy_until)
			woken = serve(l, 0);
		else if (l->idle.park)
			woken = wait_parked(l, sleep_ns);
		else
			woken = wait_napping(l, sleep_ns);
		if (woken)
			worked(l, now_ns());
	}
}

void pm_loop_stop(struct pm_loop *l)
{
	l->stop = true;
}
