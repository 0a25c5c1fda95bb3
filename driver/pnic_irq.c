// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts: one MSI-X vector for each event queue, or MSI where the card has no MSI-X.
 *
 * Called by pnic_eq.c. Vector 0 belongs to EQ 0; a card that failed so badly that
 * it cannot write an event any more raises it with nothing in the queue.
 */
#include <linux/cpumask.h>
#include <linux/interrupt.h>

#include "pnic.h"

/* Entries handled in one interrupt; what is left raises the vector again. */
#define PNIC_IRQ_BUDGET		128

static irqreturn_t pnic_irq_handler(int irq, void *data)
{
	struct pnic_eq *eq = data;

	if (!pnic_eq_process(eq, PNIC_IRQ_BUDGET) && !eq->eqn)
		pnic_health_kick(eq->pd);
	return IRQ_HANDLED;
}

/* As many vectors as there are processors and one more for EQ 0; one will do. */
int pnic_irq_alloc(struct pnic_dev *pd)
{
	int want = min_t(int, num_online_cpus() + 1, pd->caps.max_eq);
	int got;

	got = pci_alloc_irq_vectors(pd->pdev, 1, want, PCI_IRQ_MSIX | PCI_IRQ_MSI);
	if (got < 0)
		return dev_err_probe(&pd->pdev->dev, got, "no interrupt vector\n");
	pd->num_vecs = got;
	return 0;
}

void pnic_irq_free(struct pnic_dev *pd)
{
	if (!pd->num_vecs)
		return;
	pci_free_irq_vectors(pd->pdev);
	pd->num_vecs = 0;
}

int pnic_irq_request(struct pnic_eq *eq)
{
	struct pci_dev *pdev = eq->pd->pdev;
	int irq, err;

	irq = pci_irq_vector(pdev, eq->eqn);
	if (irq < 0)
		return irq;
	snprintf(eq->name, sizeof(eq->name), "pnic-%u@%s", eq->eqn, pci_name(pdev));
	err = request_irq(irq, pnic_irq_handler, 0, eq->name, eq);
	if (!err)
		eq->irq = irq;
	return err;
}

/* Afterwards the handler does not run and will not. */
void pnic_irq_release(struct pnic_eq *eq)
{
	if (!eq->irq)
		return;
	free_irq(eq->irq, eq);
	eq->irq = 0;
}
