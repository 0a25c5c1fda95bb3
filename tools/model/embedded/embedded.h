/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The embedded card: what its files share.
 *
 *	name.c		the device name, taken apart
 *	world.c		worlds: a fabric with its cards, its lock, and what drives it
 *	backend.c	libpnic's seam: open, command, map, wait, ...
 *	host.c		a card as the driver sees it: probe, registers, interrupts, lanes
 *	kernel.c	the kernel below the driver's files (kernel.h)
 *	fault.c		pnic_embedded.h: what tests do to it
 *
 * In between stand the driver's own files, from the ioctl to the admin queue, as they are.
 *
 * A world has one lock. All that follows is called with it held, unless said otherwise.
 */
#ifndef PNIC_EMBEDDED_INT_H
#define PNIC_EMBEDDED_INT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/model/core/card.h"

#define EMBEDDED_NICS	8
#define EMBEDDED_IRQS	2
#define EMBEDDED_TEXT	200

struct work_struct;

/* What a device name says. */
struct embedded_name {
	char world[32];
	unsigned int nic;
	unsigned int nics;		/* 0: not said */
	int thread;			/* -1: not said */
	uint64_t seed;
	double pace;
	struct pm_link_config link;
	char profile[32];
	bool link_said, seed_said, pace_said;
};

/* "embedded:..." taken apart; -EINVAL with a text. No lock. */
int embedded_name_parse(const char *name, struct embedded_name *n, char *why, size_t size);

struct embedded_irq {
	int (*fn)(int irq, void *data);
	void *data;
	bool raised;
};

struct embedded_card {
	struct embedded_world *world;
	struct pm_card *card;
	unsigned int nic;
	void *driver;			/* host.c's */
	uint64_t rung;			/* doorbell pages, modulo 64 */
	struct embedded_irq irq[EMBEDDED_IRQS];
	bool mastering;			/* it may touch memory */
};

struct embedded_world {
	struct embedded_world *next;
	char name[32];
	unsigned int users;
	pthread_mutex_t lock;
	unsigned int busy;		/* somebody drives: a hint without the lock */
	unsigned int rung;		/* a doorbell was, and whoever has the lock has to look */
	unsigned int at_rest;		/* the last turn left nothing to do but what real time brings: a hint likewise */
	struct pm_fabric *fabric;
	struct pm_fabric_config config;
	char profile[32];		/* what @config's links point at */
	struct embedded_card card[EMBEDDED_NICS];
	bool irqs;			/* one is raised */
	struct work_struct *works;
	unsigned long works_at;		/* when the next is due, kernel_jiffies() */
	unsigned int idle;		/* turns that found nothing */
	unsigned int busy_turns;	/* ones that did, since the last look at the clock */
	/* A thread of its own, or the helper of callers that sleep. */
	pthread_t thread;
	pthread_cond_t wake;
	bool threaded, running, stop, kicked, asleep;
	uint64_t quiet_since;
	char why[EMBEDDED_TEXT];
};

/* The world of the calling thread: the one whose lock it holds. */
extern __thread struct embedded_world *embedded_here;

/* world.c. The first two without the lock; -errno with a text in @why. */
int embedded_world_get(const struct embedded_name *n, struct embedded_world **w, char *why, size_t size);
void embedded_world_put(struct embedded_world *w);
void embedded_lock(struct embedded_world *w);
void embedded_unlock(struct embedded_world *w);
/* Without the lock: a turn of the card, unless somebody is at it. */
void embedded_drive(struct embedded_world *w);
/* Without the lock: a doorbell of @page was rung, and the card is to be woken by that. */
void embedded_wake(struct embedded_card *c, unsigned int page);
/* Without the lock: the caller is going to sleep, so somebody else has to drive. */
void embedded_sleeper(struct embedded_world *w);
/* The thread or the helper has to look. */
void embedded_kick(struct embedded_world *w);
/* A turn with the lock held. True: there is more. */
bool embedded_turn(struct embedded_world *w);

/* host.c */
int embedded_probe(struct embedded_card *c);
void embedded_remove(struct embedded_card *c);
/* The card goes, with its files open: as pulled out of its slot. */
void embedded_gone(struct embedded_card *c);
void embedded_raise(void *card, unsigned int vector);
/* A file of the driver. */
struct embedded_file;
int embedded_file_open(struct embedded_card *c, struct embedded_file **file);
void embedded_file_close(struct embedded_file *file);
int embedded_file_ioctl(struct embedded_file *file, unsigned int cmd, void *arg);
int embedded_file_map(struct embedded_file *file, uint64_t offset, size_t length, bool writable, void **mem);
void embedded_file_unmap(struct embedded_file *file, void *mem, size_t length);
/* The number of the doorbell page that @wake belongs to. */
unsigned int embedded_wake_page(struct embedded_card *c, volatile uint32_t *wake);
int embedded_file_read(struct embedded_file *file, void *event, size_t size);
unsigned int embedded_file_poll(struct embedded_file *file);	/* EPOLL* */
int embedded_file_fd(struct embedded_file *file);		/* readable while there is something */

/* fault.c: pnic_embedded.h. */
int embedded_fault(struct embedded_card *c, unsigned int what, unsigned int arg, double value);
int embedded_figure(struct embedded_card *c, const char *name, double *value);

#endif /* PNIC_EMBEDDED_INT_H */
