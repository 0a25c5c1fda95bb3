// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * Ends that nobody polls. NCCL looks at a connection only while it has something to send or receive there, but the other end may
 * have to ask where it is reached after one of its cards was lost; that question is answered by whoever polls. So a thread looks,
 * now and then, at those that nobody looked at since it was there last. There is one for the process, and only while
 * there is something to look at.
 */
#include <time.h>

#include "core.h"

#define NAP_MS	20

static pthread_mutex_t control = PTHREAD_MUTEX_INITIALIZER;	/* who adds and removes */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* the list; taken before a set's own */
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static struct idle *list;
static pthread_t thread;
static bool stop;

static void look(struct idle *i)
{
	uint32_t polls = __atomic_load_n(&i->polls, __ATOMIC_RELAXED);

	if (polls == i->seen && !pthread_mutex_trylock(&i->lock)) {
		i->poll(i);
		pthread_mutex_unlock(&i->lock);
		polls = __atomic_load_n(&i->polls, __ATOMIC_RELAXED);
	}
	i->seen = polls;
}

static void *run(void *arg)
{
	struct timespec t;
	struct idle *i;

	pthread_mutex_lock(&lock);
	while (!stop) {
		for (i = list; i; i = i->next)
			look(i);
		clock_gettime(CLOCK_REALTIME, &t);
		t.tv_nsec += NAP_MS * 1000000L;
		if (t.tv_nsec >= 1000000000L) {
			t.tv_nsec -= 1000000000L;
			t.tv_sec++;
		}
		pthread_cond_timedwait(&wake, &lock, &t);
	}
	pthread_mutex_unlock(&lock);
	return arg;
}

void idle_add(struct idle *i, void (*poll)(struct idle *i))
{
	bool first;

	i->poll = poll;
	pthread_mutex_init(&i->lock, NULL);
	pthread_mutex_lock(&control);
	pthread_mutex_lock(&lock);
	first = !list;
	i->next = list;
	i->link = &list;
	if (list)
		list->link = &i->next;
	list = i;
	pthread_mutex_unlock(&lock);
	if (first) {
		stop = false;
		if (pthread_create(&thread, NULL, run, NULL)) {
			WARN("no thread for connections that are idle");
			stop = true;
		}
	}
	pthread_mutex_unlock(&control);
}

void idle_remove(struct idle *i)
{
	bool last;

	if (!i->poll)
		return;
	pthread_mutex_lock(&control);
	pthread_mutex_lock(&lock);
	*i->link = i->next;
	if (i->next)
		i->next->link = i->link;
	last = !list && !stop;
	if (last) {
		stop = true;
		pthread_cond_signal(&wake);
	}
	pthread_mutex_unlock(&lock);
	if (last)
		pthread_join(thread, NULL);
	pthread_mutex_unlock(&control);
	pthread_mutex_destroy(&i->lock);
}
