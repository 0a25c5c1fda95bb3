// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupt vectors; see irq.h.
 *
 * While a guest enables its vectors one by one, QEMU may disarm all of them and
 * arm them again. An interrupt that falls into that gap, or that comes while
 * the function may not master the bus, waits here and is sent as soon as it
 * can be. Several waiting ones are one, as with any message-signalled vector.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "irq.h"

void irq_init(struct irq_table *t)
{
	unsigned int i;

	*t = (struct irq_table){};
	for (i = 0; i < PM_VECTORS; i++)
		t->v[i].fd = -1;
}

/* Anything else, a file or a pipe, could make a write wait for as long as its owner likes. */
bool irq_is_eventfd(int fd)
{
	static const char want[] = "anon_inode:[eventfd]";
	char path[32], name[sizeof(want) + 1];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, name, sizeof(name));
	return n == sizeof(want) - 1 && !memcmp(name, want, sizeof(want) - 1);
}

void irq_set(struct irq_table *t, unsigned int vector, int fd)
{
	struct irq_vector *v = &t->v[vector];

	if (v->fd >= 0)
		close(v->fd);
	v->fd = fd;
}

/*
 * The descriptor is the client's choice, and its O_NONBLOCK is the client's to change at any time: only if there is
 * room now the write does not stop this thread. (A client that fills it in between has it wait until there is room:
 * for 2^64 - 1 interrupts nobody does that by accident, and no write to an eventfd can be told not to wait.)
 */
static void send(struct irq_table *t, struct irq_vector *v)
{
	struct pollfd p = { .fd = v->fd, .events = POLLOUT };
	uint64_t one = 1;

	v->pending = false;
	if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT))
		return;
	if (write(v->fd, &one, sizeof(one)) == sizeof(one))
		t->sent++;
}

void irq_raise(struct irq_table *t, unsigned int vector, bool allowed)
{
	struct irq_vector *v;

	if (vector >= PM_VECTORS)
		return;
	v = &t->v[vector];
	t->raised++;
	v->pending = true;
	if (allowed && v->fd >= 0)
		send(t, v);
}

void irq_flush(struct irq_table *t)
{
	unsigned int i;

	for (i = 0; i < PM_VECTORS; i++)
		if (t->v[i].pending && t->v[i].fd >= 0)
			send(t, &t->v[i]);
}

void irq_drop_pending(struct irq_table *t)
{
	unsigned int i;

	for (i = 0; i < PM_VECTORS; i++)
		t->v[i].pending = false;
}

void irq_close(struct irq_table *t)
{
	unsigned int i;

	for (i = 0; i < PM_VECTORS; i++)
		irq_set(t, i, -1);
	irq_drop_pending(t);
}
