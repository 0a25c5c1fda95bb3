/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The model's cards inside a test process: the host test's stand-in for PCI and
 * for the driver's lowest layer. backend.c stands on it.
 *
 * Memory addresses are DMA addresses. A thread drives the fabric; whoever calls
 * anything here holds the lock.
 */
#ifndef PNIC_HOST_CARD_H
#define PNIC_HOST_CARD_H

#include <stdint.h>

#include "driver/hw/pnic_admin.h"
#include "driver/hw/pnic_event.h"
#include "tools/model/core/card.h"

#define HOST_CARDS	2

struct host_card {
	struct pm_card *card;
	struct pnic_identify *id;
	struct pnic_status_page *status;
	uint8_t *doorbells;		/* pages, wake pages behind */
	/* Gets each event. */
	void (*event)(struct host_card *c, const struct pnic_eqe *e);
	/* The rings of the driver. */
	uint8_t *asq, *acq, *eq;
	uint32_t asq_tail, acq_head, eq_head;
};

/* The card of @nic, brought up by the first call. NULL: no such card. */
struct host_card *host_card(unsigned int nic);
/* Carries out a command: enum pnic_admin_status. */
int host_card_command(struct host_card *c, void *cmd);
/* Zeroed pages. */
void *host_pages(size_t bytes);
void host_pages_free(void *p, size_t bytes);

void host_lock(void);
/* Lets the fabric look at what has changed. */
void host_unlock(void);

#endif /* PNIC_HOST_CARD_H */
