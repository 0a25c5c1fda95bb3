// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * FI_PROGRESS_AUTO: a thread for each endpoint that moves it whether the program calls or not. It sleeps on what the cards tell,
 * so it costs nothing while nothing happens, and some microseconds for each message that finds it asleep.
 */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "pfi.h"

#define LOOK_MS	1000	/* peers that are silent are asked that often */

static void *auto_run(void *arg)
{
	struct pfi_ep *ep = arg;
	struct pollfd fd[2] = { { .fd = pnic_rails_fd(ep->rails), .events = POLLIN },
				{ .fd = ep->auto_stop, .events = POLLIN } };
	int more;

	for (;;) {
		pfi_lock(&ep->lock);
		pfi_progress(ep);
		pfi_peer_probe(ep);
		more = pnic_rails_arm(ep->rails);
		pfi_unlock(&ep->lock);
		/* Others get the lock in between, and an end is seen even while messages never stop. */
		poll(fd, 2, more ? 0 : LOOK_MS);
		if (fd[1].revents)
			return NULL;
	}
}

int pfi_auto_start(struct pfi_ep *ep)
{
	int err;

	ep->auto_stop = eventfd(0, EFD_CLOEXEC);
	if (ep->auto_stop < 0)
		return -errno;
	err = -pthread_create(&ep->auto_thread, NULL, auto_run, ep);
	if (err) {
		close(ep->auto_stop);
		return err;
	}
	ep->auto_runs = true;
	return 0;
}

void pfi_auto_stop(struct pfi_ep *ep)
{
	uint64_t one = 1;

	if (!ep->auto_runs)
		return;
	if (write(ep->auto_stop, &one, sizeof(one)) != sizeof(one))
		pfi_warn(EP_CTRL, "a progress thread can't be told to end: %s\n", strerror(errno));
	pthread_join(ep->auto_thread, NULL);
	close(ep->auto_stop);
	ep->auto_runs = false;
}
