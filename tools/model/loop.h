/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The event loop of pnic-model: sockets, signals and the fabric in one thread.
 *
 * main.c makes it and runs it; vfu_sock.c and ctl.c put their descriptors into it.
 */
#ifndef PM_LOOP_H
#define PM_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct pm_fabric;
struct pm_loop;

/* A watched descriptor, embedded in its owner. */
struct pm_watch {
	struct pm_loop *loop;
	int fd;
	uint32_t events;		/* EPOLLIN, EPOLLOUT */
	void (*ready)(struct pm_watch *w, uint32_t events);
};

/* How the loop waits when there is nothing to do. */
struct pm_idle {
	bool park;			/* sleep until woken; without it, naps between looks at the doorbells */
	uint64_t spin_ns;		/* look on for so long after the last work */
	bool realtime;			/* before everybody else on the machine, if that is allowed */
};

struct pm_loop *pm_loop_new(struct pm_fabric *fabric, const struct pm_idle *idle);
void pm_loop_free(struct pm_loop *l);

int pm_loop_add(struct pm_loop *l, struct pm_watch *w);		/* 0 or -errno */
void pm_loop_change(struct pm_watch *w, uint32_t events);
/* Closes the descriptor too; @w may be freed at once. */
void pm_loop_del(struct pm_watch *w);

/*
 * Listens at a Unix socket, taking the place of one that nobody listens at any more. 0 or -errno,
 * @w->fd is -1 then. Whoever deletes @w unlinks @path. listen.c.
 */
int pm_listen(struct pm_loop *l, struct pm_watch *w, const char *path,
	      void (*ready)(struct pm_watch *w, uint32_t events));

void pm_loop_run(struct pm_loop *l);
void pm_loop_stop(struct pm_loop *l);

#endif /* PM_LOOP_H */
