/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two cards of few lanes, as pnic-model has them. They serve many inputs, as making them takes long: an input at which
 * one ends may need those before it, which libFuzzer has drawn from its seed.
 */
#ifndef PNIC_FUZZ_RIG_H
#define PNIC_FUZZ_RIG_H

#include <stdlib.h>
#include <string.h>

#include "tools/model/core/card.h"
#include "tools/model/loop.h"
#include "tools/model/nic.h"

#define RIG_NICS	2
#define RIG_INPUTS	2000

static struct pm_fabric *rig_fabric;
static struct nic rig_nic[RIG_NICS];

static void rig_new(void)
{
	const struct nic_options opt = { .msix = true, .db_mmap = true };
	struct pm_fabric_config cfg = { .nics = RIG_NICS, .seed = 1, .park = true };
	char err[160];
	unsigned int i;

	pm_link_config_defaults(&cfg.link, "test-16");
	cfg.link.seed = 1;
	rig_fabric = pm_fabric_new(&cfg, err, sizeof(err));
	if (!rig_fabric)
		abort();
	for (i = 0; i < RIG_NICS; i++)
		if (nic_init(&rig_nic[i], i, pm_fabric_card(rig_fabric, i), &opt))
			abort();
}

/* The cards get some turns. */
static void rig_run(unsigned int turns)
{
	uint64_t sleep;

	while (turns-- && pm_fabric_poll(rig_fabric, &sleep))
		;
}

static void rig_free(void)
{
	unsigned int i;

	for (i = 0; i < RIG_NICS; i++)
		nic_detach(&rig_nic[i]);
	pm_fabric_free(rig_fabric);
	for (i = 0; i < RIG_NICS; i++)
		nic_fini(&rig_nic[i]);
	rig_fabric = NULL;
}

static void rig_take(void)
{
	static unsigned int inputs;

	if (rig_fabric && ++inputs % RIG_INPUTS == 0)
		rig_free();
	if (!rig_fabric)
		rig_new();
}

/* What a client left: its memory, its interrupts. */
static void rig_give(void)
{
	unsigned int i;

	for (i = 0; i < RIG_NICS; i++) {
		irq_close(&rig_nic[i].irq);
		dma_clear(&rig_nic[i].dma);
		pci_config_power_on(&rig_nic[i].cfg);
	}
}

#endif /* PNIC_FUZZ_RIG_H */
