/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parameter tensors of ResNet-50, whose gradients a data-parallel training
 * step reduces.
 */
#ifndef JOB_RESNET50_H
#define JOB_RESNET50_H

#include <stddef.h>
#include <stdint.h>

#define RESNET50_TENSORS	161
#define RESNET50_PARAMETERS	25557032

struct tensor {
	char name[40];
	uint64_t elements;
};

/* Fills @t in the order of the network's definition. */
void resnet50_tensors(struct tensor t[RESNET50_TENSORS]);

#endif /* JOB_RESNET50_H */
