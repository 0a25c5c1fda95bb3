/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupt vectors of one NIC: an eventfd each, and what could not be sent yet.
 *
 * vfu_msg.c hands in the eventfds, nic.c raises.
 */
#ifndef PM_IRQ_H
#define PM_IRQ_H

#include <stdbool.h>
#include <stdint.h>

#include "core/card.h"

struct irq_vector {
	int fd;				/* -1: not armed by the client */
	bool pending;
};

struct irq_table {
	struct irq_vector v[PM_VECTORS];
	uint64_t raised, sent;
};

void irq_init(struct irq_table *t);
bool irq_is_eventfd(int fd);
/* Takes @fd over; -1 disarms. Does not send what is pending: irq_flush() does. */
void irq_set(struct irq_table *t, unsigned int vector, int fd);
/* Sends at once if @allowed and armed; else it stays pending, once. */
void irq_raise(struct irq_table *t, unsigned int vector, bool allowed);
void irq_flush(struct irq_table *t);
void irq_drop_pending(struct irq_table *t);
void irq_close(struct irq_table *t);

#endif /* PM_IRQ_H */
