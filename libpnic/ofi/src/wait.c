// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * The endpoints behind a CQ or a counter, and sleeping until something happens to them.
 *
 * One descriptor is behind a wait object: an epoll set with the descriptors of the endpoints' rails and an eventfd. The
 * latter is for what another thread's progress completes while somebody sleeps here.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "pfi.h"

#define YIELDS_UNASKED	32

uint64_t pfi_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/*
 * A program that looks at a queue again and again keeps whoever shares its processor, the very rank perhaps that it waits for,
 * from running until its slice is over, which is milliseconds. A yield costs little, but not nothing. So the first comes late, and
 * as soon as one of them has let somebody else run there is one at each look; the longer nobody wants it, the fewer.
 */
bool pfi_give_way(void)
{
	static __thread size_t looks, patience, yields;
	static __thread long switches;
	struct rusage use;

	if (!pfi_knobs.yield || ++looks < patience)
		return false;
	looks = 0;
	sched_yield();
	/* Whether anybody did is not asked each time: it costs as much as the yield. */
	if ((patience == 1 && ++yields % YIELDS_UNASKED) || getrusage(RUSAGE_THREAD, &use))
		return true;
	if (use.ru_nivcsw != switches)
		patience = 1;
	else
		patience = pfi_min(patience ? 2 * patience : 1, pfi_knobs.yield);
	switches = use.ru_nivcsw;
	return true;
}

static int watch_epoll(struct pfi_watch *w, int op, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN };

	return epoll_ctl(w->epoll, op, fd, &ev) ? -errno : 0;
}

int pfi_watch_init(struct pfi_watch *w, bool unlocked, bool fd)
{
	int err = 0;

	memset(w, 0, sizeof(*w));
	w->epoll = -1;
	w->wake = -1;
	pfi_lock_init(&w->lock, unlocked);
	if (!fd)
		return 0;
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->epoll < 0 || w->wake < 0)
		err = -errno;
	else
		err = watch_epoll(w, EPOLL_CTL_ADD, w->wake);
	if (err)
		pfi_watch_fini(w);
	return err;
}

void pfi_watch_fini(struct pfi_watch *w)
{
	if (w->epoll >= 0)
		close(w->epoll);
	if (w->wake >= 0)
		close(w->wake);
	pfi_lock_fini(&w->lock);
	free(w->ep);
	w->ep = NULL;
}

int pfi_watch_add(struct pfi_watch *w, struct pfi_ep *ep)
{
	struct pfi_ep **more;
	int err = 0;
	uint32_t i;

	pfi_lock(&w->lock);
	for (i = 0; i < w->count; i++)
		if (w->ep[i] == ep)
			goto out;
	if (w->count == w->room) {
		more = realloc(w->ep, (w->room + 4) * sizeof(*more));
		if (!more) {
			err = -FI_ENOMEM;
			goto out;
		}
		w->ep = more;
		w->room += 4;
	}
	if (w->epoll >= 0)
		err = watch_epoll(w, EPOLL_CTL_ADD, pnic_rails_fd(ep->rails));
	if (!err)
		w->ep[w->count++] = ep;
out:
	pfi_unlock(&w->lock);
	return err;
}

void pfi_watch_del(struct pfi_watch *w, struct pfi_ep *ep)
{
	uint32_t i;

	pfi_lock(&w->lock);
	for (i = 0; i < w->count; i++) {
		if (w->ep[i] != ep)
			continue;
		if (w->epoll >= 0)
			watch_epoll(w, EPOLL_CTL_DEL, pnic_rails_fd(ep->rails));
		w->ep[i] = w->ep[--w->count];
		break;
	}
	pfi_unlock(&w->lock);
}

void pfi_watch_progress(struct pfi_watch *w)
{
	uint32_t i;

	/* Who finds it taken leaves the work to who has it. */
	if (!pfi_trylock(&w->lock))
		return;
	for (i = 0; i < w->count; i++)
		pfi_progress_unlocked(w->ep[i]);
	pfi_unlock(&w->lock);
}

void pfi_watch_signal(struct pfi_watch *w)
{
	uint64_t one = 1;

	if (w->wake >= 0 && __atomic_exchange_n(&w->armed, 0, __ATOMIC_SEQ_CST) &&
	    write(w->wake, &one, sizeof(one)) < 0)
		return;		/* full: it is readable */
}

int pfi_watch_arm(struct pfi_watch *w)
{
	uint64_t count;
	int ready = 0;
	uint32_t i;

	if (read(w->wake, &count, sizeof(count)) < 0)
		count = 0;
	__atomic_store_n(&w->armed, 1, __ATOMIC_SEQ_CST);
	pfi_lock(&w->lock);
	for (i = 0; i < w->count && !ready; i++) {
		pfi_lock(&w->ep[i]->lock);
		pfi_peer_probe(w->ep[i]);
		ready = pnic_rails_arm(w->ep[i]->rails) != 0;
		pfi_unlock(&w->ep[i]->lock);
	}
	pfi_unlock(&w->lock);
	return ready;
}

void pfi_watch_sleep(struct pfi_watch *w, int timeout_ms)
{
	struct pollfd fd = { .fd = w->epoll, .events = POLLIN };

	/* Not longer than a second: what isn't signalled, such as a peer that is silent, is looked at then. */
	poll(&fd, 1, timeout_ms < 0 || timeout_ms > 1000 ? 1000 : timeout_ms);
}

int pfi_watch_control(struct pfi_watch *w, enum fi_wait_obj obj, int command, void *arg)
{
	struct fi_wait_pollfd *pfd = arg;

	switch (command) {
	case FI_GETWAITOBJ:
		*(enum fi_wait_obj *)arg = obj;
		return 0;
	case FI_GETWAIT:
		if (obj == FI_WAIT_FD) {
			*(int *)arg = w->epoll;
			return 0;
		}
		if (obj != FI_WAIT_POLLFD)
			return -FI_ENODATA;
		if (pfd->nfds < 1) {
			pfd->nfds = 1;
			return -FI_ETOOSMALL;
		}
		pfd->change_index = 1;
		pfd->nfds = 1;
		pfd->fd->fd = w->epoll;
		pfd->fd->events = POLLIN;
		return 0;
	default:
		return -FI_ENOSYS;
	}
}
