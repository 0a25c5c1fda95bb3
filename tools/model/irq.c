// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupt vectors; see irq.h.
 *
 * While a guest enables its vectors one by one, QEMU may disarm all of them and
 * arm them again. An interrupt that falls into that gap, or that comes while
 * the function may not master the bus, waits here and is sent as soon as it
 * can be. Several waiting ones are one, as with any message-signalled vector.
 */
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "irq.h"

void irq_init(struct irq_table *t)
{
	unsigned int i;

	*t = (struct irq_table){};
	for (i = 0; i < PM_VECTORS; i++)
		t->v[i].fd = -1;
}

void irq_set(struct irq_table *t, unsigned int vector, int fd)
{
	struct irq_vector *v = &t->v[vector];
	int flags;

	if (v->fd >= 0)
		close(v->fd);
	v->fd = fd;
	if (fd < 0)
		return;
	flags = fcntl(fd, F_GETFL);
	v->may_block = flags < 0 || !(flags & O_NONBLOCK);
}

/* The descriptor is the client's choice: it must not be able to stop this thread. */
static void send(struct irq_table *t, struct irq_vector *v)
{
	struct pollfd p = { .fd = v->fd, .events = POLLOUT };
	uint64_t one = 1;

	v->pending = false;
	if (v->may_block && (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT)))
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
